/*
 * fuzz_tree.c - any octets as a YAML document.
 */
#include <stdlib.h>

#include "config/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
walk(const struct node *n, unsigned depth)
{
	if (depth > TREE_DEPTH || n->line == 0 || !slice_is_utf8(n->text))
		abort();
	for (size_t i = 0; n->kind == NODE_LIST && i < n->count; i++)
		walk(n->items[i], depth + 1);
	for (size_t i = 0; n->kind == NODE_MAP && i < n->count; i++) {
		for (size_t j = 0; j < i && i < 64; j++) {
			if (slice_eq(n->pairs[i].key, n->pairs[j].key))
				abort();
		}
		walk(n->pairs[i].value, depth + 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);
	struct errinfo err = {0};
	struct tree *t = NULL;

	if (tree_parse(text, "fuzz", &t, &err) != STATUS_OK && err.errors == 0)
		abort(); /* a refusal says why */
	for (size_t i = 0; t != NULL && i < tree_documents(t); i++)
		walk(tree_root(t, i), 0);
	tree_free(t);
	errinfo_release(&err);
	return 0;
}
