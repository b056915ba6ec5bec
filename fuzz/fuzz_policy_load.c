/*
 * fuzz_policy_load.c - any document as manifests, and a question to them.
 */
#include <stdlib.h>

#include "rbac/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_policy(struct builder *b, bool aggregate)
{
	struct user nobody = {.group_count = 0}, jane = {.name = SLICE("jane")};
	struct attributes a = {.is_resource = true,
	    .verb = SLICE("get"),
	    .resource = SLICE("pods"),
	    .ns = SLICE("default")};
	struct policy *p = NULL;
	struct verdict v;
	struct buf text;

	if (builder_seal(b, aggregate, &p) != STATUS_OK)
		abort();
	if (policy_evaluate(p, &nobody, &a).decision != NO_OPINION)
		abort();
	v = policy_evaluate(p, &jane, &a);
	buf_init(&text, 1 << 20);
	policy_put_reason(&text, p, &v, &jane, &a);
	if ((v.decision == ALLOW || v.lookup_errors) != (text.len != 0))
		abort();
	buf_release(&text);
	policy_unref(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);
	struct builder *b = builder_new();
	struct tree *t = NULL;

	if (tree_parse(text, "fuzz", &t, NULL) == STATUS_OK) {
		for (size_t i = 0; i < tree_documents(t); i++) {
			if (manifest_add(b, tree_root(t, i), "f", NULL) ==
			    STATUS_NOMEM)
				abort();
		}
		tree_free(t); /* the builder has copies */
		check_policy(b, true);
		check_policy(b, false);
	}
	builder_free(b);
	return 0;
}
