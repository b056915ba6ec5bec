/*
 * fuzz_graph.c - answers of Graph and of the token endpoint.
 */
#include <stdlib.h>

#include "authn/entra.h"
#include "authn/graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Only GUIDs are groups, and the implicit one stands last. */
static void
try_groups(struct slice json)
{
	const struct user nobody = {.name = SLICE("ann")};
	struct graph_groups *g = NULL;
	struct identity *id, *with;

	if (graph_read_groups(json, &g) != STATUS_OK) {
		if (g != NULL)
			abort();
		return;
	}
	id = identity_new(&nobody);
	with = id != NULL ? graph_identity(id, g) : NULL;
	if (with == NULL || g->count > GRAPH_GROUPS_MAX ||
	    with->user.group_count != g->count + 1)
		abort();
	for (size_t i = 0; i < g->count; i++) {
		if (!entra_is_guid(with->user.groups[i]))
			abort();
	}
	if (!slice_eq(with->user.groups[g->count], GROUP_AUTHENTICATED))
		abort();
	identity_unref(id);
	identity_unref(with);
	graph_groups_unref(g);
}

/* A token fits a field: no blank, no control character. */
static void
try_token(struct slice json)
{
	int64_t lifetime_s = 0;
	struct buf token;

	buf_init_secret(&token, GRAPH_TOKEN_MAX);
	if (graph_read_token(json, &token, &lifetime_s) == STATUS_OK &&
	    (token.len == 0 || lifetime_s < 1 ||
		lifetime_s > GRAPH_LIFETIME_MAX_S))
		abort();
	for (size_t i = 0; i < token.len; i++) {
		if (token.data[i] <= ' ' || token.data[i] > '~')
			abort();
	}
	buf_release(&token);
}

static void
try_error(struct slice json)
{
	char text[64];
	struct buf b;

	buf_init_fixed(&b, text, sizeof(text));
	graph_put_error(&b, json);
	if (b.overflow)
		abort();
	for (size_t i = 0; i < b.len; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice json = slice_make((const char *)data, size);

	try_groups(json);
	try_token(json);
	try_error(json);
	return 0;
}
