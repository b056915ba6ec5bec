/*
 * websocket_token.c - a bearer token as a WebSocket subprotocol.
 */
#include "authn/websocket_token.h"

#include "base/base64url.h"

static const struct slice prefix =
    SLICE_INIT("base64url.bearer.authorization.k8s.io.");
static const struct slice field = SLICE_INIT("sec-websocket-protocol");

bool
websocket_token_is(struct slice protocol)
{
	return slice_starts_nocase(protocol, prefix);
}

size_t
websocket_token_room(const struct headers *h)
{
	size_t room = 1;

	for (size_t i = 0; i < h->count; i++) {
		if (slice_eq_nocase(h->list[i].name, field))
			room += BASE64URL_OCTETS(h->list[i].value.n);
	}
	return room;
}

/* What the fields list, as far as it matters. */
struct listed {
	size_t tokens, others;
	struct slice token; /* the last one */
};

static void
read_field(struct slice value, struct listed *l)
{
	struct slice piece;
	bool done = false;

	while (slice_split(&value, ',', &done, &piece)) {
		piece = slice_trim(piece);
		if (websocket_token_is(piece)) {
			l->tokens++;
			l->token = piece;
		} else if (piece.n != 0) {
			l->others++;
		}
	}
}

enum bearer
websocket_token_find(const struct headers *h, char *scratch,
    struct slice *token)
{
	struct listed l = {0};
	struct slice found;
	size_t n;

	for (size_t i = 0; i < h->count; i++) {
		if (slice_eq_nocase(h->list[i].name, field))
			read_field(h->list[i].value, &l);
	}
	if (l.tokens == 0)
		return BEARER_NONE;
	if (l.tokens > 1 || l.others == 0 || !slice_starts(l.token, prefix) ||
	    !base64url_decode(slice_from(l.token, prefix.n),
		(unsigned char *)scratch, &n))
		return BEARER_BAD;
	found = slice_make(scratch, n);
	if (!bearer_is_token(found))
		return BEARER_BAD;
	*token = found;
	return BEARER_TOKEN;
}
