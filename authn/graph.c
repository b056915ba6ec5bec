/*
 * graph.c - the words of a group lookup.
 */
#include "authn/graph.h"

#include <stdlib.h>

#include "authn/entra.h"
#include "authn/strict_json.h"

enum {
	ERROR_MAX = 64
};

struct graph_groups *
graph_groups_ref(struct graph_groups *g)
{
	ref_up(&g->ref);
	return g;
}

void
graph_groups_unref(struct graph_groups *g)
{
	if (g != NULL && ref_down(&g->ref))
		free(g);
}

/* --- questions --- */

/* spec: RFC 3986 2.3 */
static bool
is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	    c == '~';
}

/* spec: RFC 6749 B: as in forms, and a blank as %20, which is the same */
static void
put_encoded(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (is_unreserved(s.p[i]))
			buf_putc(out, s.p[i]);
		else
			buf_putf(out, "%%%02X", (unsigned char)s.p[i]);
	}
}

void
graph_put_token_url(struct buf *out, const struct entra_cloud *c,
    struct slice tenant)
{
	buf_putf(out, "https://%s/", c->authority);
	put_encoded(out, tenant);
	buf_puts(out, "/oauth2/v2.0/token");
}

/* spec: RFC 6749 4.4.2, RFC 6749 2.3.1 */
void
graph_put_token_form(struct buf *out, const struct entra_cloud *c,
    struct slice client_id, struct slice secret)
{
	buf_puts(out, "grant_type=client_credentials&client_id=");
	put_encoded(out, client_id);
	buf_puts(out, "&scope=");
	put_encoded(out, SLICE("https://"));
	put_encoded(out, slice_of(c->graph));
	put_encoded(out, SLICE("/.default"));
	buf_puts(out, "&client_secret=");
	put_encoded(out, secret);
}

void
graph_put_groups_url(struct buf *out, const struct entra_cloud *c,
    struct slice object_id)
{
	buf_putf(out, "https://%s/v1.0/users/", c->graph);
	put_encoded(out, object_id);
	buf_puts(out, "/getMemberGroups");
}

/* --- answers --- */

/* spec: RFC 6750 2.1: b64token; nothing else may stand in the field */
static bool
is_token(struct slice s)
{
	size_t n = 0;

	while (n < s.n &&
	    (is_unreserved(s.p[n]) || s.p[n] == '+' || s.p[n] == '/'))
		n++;
	if (n == 0 || s.n > GRAPH_TOKEN_MAX)
		return false;
	while (n < s.n && s.p[n] == '=')
		n++;
	return n == s.n;
}

/* spec: RFC 6749 5.1 */
static enum status
read_token(const json_t *answer, struct buf *token, int64_t *lifetime_s)
{
	struct slice type =
	    strict_json_text(json_object_get(answer, "token_type"));
	struct slice text =
	    strict_json_text(json_object_get(answer, "access_token"));
	const json_t *in = json_object_get(answer, "expires_in");
	int64_t s = json_integer_value(in);

	if (!slice_eq_nocase(type, SLICE("Bearer")) || !is_token(text) ||
	    !json_is_integer(in) || s < 1)
		return STATUS_MALFORMED;
	buf_put(token, text);
	if (token->overflow)
		return STATUS_NOMEM;
	*lifetime_s = s < GRAPH_LIFETIME_MAX_S ? s : GRAPH_LIFETIME_MAX_S;
	return STATUS_OK;
}

enum status
graph_read_token(struct slice json, struct buf *token, int64_t *lifetime_s)
{
	json_t *answer = NULL;
	struct slice text;
	enum status st = strict_json_parse(json, &answer, NULL);

	if (st != STATUS_OK)
		return st;
	st = read_token(answer, token, lifetime_s);
	text = strict_json_text(json_object_get(answer, "access_token"));
	/* The parser's copy goes with the document, which nobody else has. */
	if (text.n != 0)
		explicit_bzero((void *)(uintptr_t)text.p, text.n);
	json_decref(answer);
	return st;
}

/* spec: Entra lookup: a part of the groups is none of them */
static enum status
read_groups(const json_t *answer, struct graph_groups **out)
{
	const json_t *list = json_object_get(answer, "value");
	size_t count = json_array_size(list);
	struct graph_groups *g;

	if (!json_is_array(list) || count > GRAPH_GROUPS_MAX ||
	    json_object_get(answer, "@odata.nextLink") != NULL)
		return STATUS_MALFORMED;
	for (size_t i = 0; i < count; i++) {
		if (!json_is_string(json_array_get(list, i)))
			return STATUS_MALFORMED;
	}
	g = malloc(sizeof(*g) + count * GRAPH_GUID);
	if (g == NULL)
		return STATUS_NOMEM;
	ref_init(&g->ref);
	g->count = 0;
	for (size_t i = 0; i < count; i++) {
		struct slice id = strict_json_text(json_array_get(list, i));

		/* spec: T-55: what a group may not be called is none */
		if (entra_is_guid(id))
			memcpy(g->text + g->count++ * GRAPH_GUID, id.p,
			    GRAPH_GUID);
	}
	*out = g;
	return STATUS_OK;
}

enum status
graph_read_groups(struct slice json, struct graph_groups **out)
{
	json_t *answer = NULL;
	enum status st;

	if (json.n > GRAPH_ANSWER_MAX)
		return STATUS_MALFORMED;
	st = strict_json_parse(json, &answer, NULL);
	if (st != STATUS_OK)
		return st;
	st = read_groups(answer, out);
	json_decref(answer);
	return st;
}

/* {"error":{"code":"word"}} of Graph, {"error":"word"} of RFC 6749 5.2 */
void
graph_put_error(struct buf *out, struct slice json)
{
	json_t *answer = NULL;
	const json_t *e;
	struct slice word;
	size_t n = 0;

	if (strict_json_parse(json, &answer, NULL) != STATUS_OK)
		return;
	e = json_object_get(answer, "error");
	if (json_is_object(e))
		e = json_object_get(e, "code");
	word = strict_json_text(e);
	while (n < word.n && is_unreserved(word.p[n]))
		n++;
	if (n == word.n && n <= ERROR_MAX)
		buf_put(out, word);
	json_decref(answer);
}

struct identity *
graph_identity(const struct identity *id, const struct graph_groups *g)
{
	struct slice *groups = calloc(g->count + 1, sizeof(*groups));
	struct user u = id->user;
	struct identity *made;

	if (groups == NULL)
		return NULL;
	for (size_t i = 0; i < g->count; i++)
		groups[i] = slice_make(g->text + i * GRAPH_GUID, GRAPH_GUID);
	groups[g->count] = GROUP_AUTHENTICATED;
	u.groups = groups;
	u.group_count = g->count + 1;
	made = identity_new(&u);
	free(groups);
	if (made == NULL)
		return NULL;
	made->basis = id->basis;
	made->basis.looked_up = true;
	return made;
}
