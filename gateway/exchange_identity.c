/*
 * exchange_identity.c - how the API server is told who asks.
 *
 * The client's own token goes on, or the gateway asks by its own credential
 * for whom it has verified (T-47 to T-49).
 */
#include "base/text.h"
#include "gateway/exchange.h"

enum {
	MESSAGE_MAX = 512
};

static struct slice
words_of(enum identity_fault fault)
{
	switch (fault) {
	case IDENTITY_NOBODY:
		return SLICE("the user's name is empty");
	case IDENTITY_UNFIT:
		return SLICE("a name, group or extra value begins or ends with "
			     "a blank or holds control characters");
	case IDENTITY_TOO_LONG:
		return SLICE("its groups and extra values take more than 56 "
			     "KiB of header fields; it must have fewer");
	case IDENTITY_FITS:
	case IDENTITY_NO_MEMORY:
		break;
	}
	return SLICE_EMPTY;
}

static enum step
refuse(struct exchange *e, enum identity_fault fault)
{
	struct slice name = exchange_user(e)->name;
	char text[MESSAGE_MAX];
	struct buf b;

	if (fault == IDENTITY_NO_MEMORY)
		return exchange_refuse_fixed(e, REFUSE_BUSY);
	buf_init_fixed(&b, text, sizeof(text));
	buf_puts(&b, "the API server cannot be told of user ");
	text_put_goquoted(&b, slice_first(name, name.n < 64 ? name.n : 64));
	buf_puts(&b, ": ");
	buf_put(&b, words_of(fault));
	e->reason = words_of(fault);
	return exchange_refuse(e, REFUSE_IDENTITY, exchange_text(e, &b));
}

enum config_identity
exchange_mode(const struct exchange *e, const struct cluster *c)
{
	if (e->by_certificate)
		return c->config->client_certs->identity;
	/* Only the API server knows whether pod and account are still there. */
	return e->is_service_account ? IDENTITY_PASSTHROUGH
				     : c->config->identity;
}

/* spec: T-48: without fields of an identity it would be the gateway's own */
bool
exchange_tell_identity(struct exchange *e, enum step *refused)
{
	enum config_identity mode = exchange_mode(e, e->cluster);
	enum identity_fault fault = IDENTITY_FITS;

	if (e->told.count != 0 || e->asked_told.count != 0)
		return true;
	if (mode == IDENTITY_IMPERSONATE)
		fault = identity_fields_make(IDENTITY_AS_IMPERSONATION,
		    exchange_user(e), &e->arena, &e->told);
	else if (mode == IDENTITY_REQUEST_HEADER)
		fault = identity_fields_make(IDENTITY_AS_REQUEST_HEADER,
		    &e->identity->user, &e->arena, &e->told);
	/* The API server judges it as well, by the caller's own rights. */
	if (fault == IDENTITY_FITS && e->asked != NULL &&
	    mode != IDENTITY_IMPERSONATE)
		fault = identity_fields_make(IDENTITY_AS_ASKED, e->asked,
		    &e->arena, &e->asked_told);
	if (fault == IDENTITY_FITS)
		return true;
	e->told = (struct identity_fields){0};
	*refused = refuse(e, fault);
	return false;
}

/* spec: T-49: the verified token travels, once, rewritten by us */
static bool
add_client_token(struct exchange *e, struct headers *h)
{
	size_t room = e->token.n + sizeof("Bearer ");
	char *text;
	struct buf b;

	/* Who is anonymous here is so to the API server as well. */
	if (e->token.n == 0)
		return true;
	text = arena_alloc(&e->arena, room);
	if (text == NULL)
		return false;
	buf_init_fixed(&b, text, room);
	buf_puts(&b, "Bearer ");
	buf_put(&b, e->token);
	return headers_add(h, SLICE("Authorization"), buf_slice(&b));
}

bool
exchange_add_identity(struct exchange *e, struct request_head *out)
{
	const char *own = e->lease.upstream->own_authorization;

	out->more[0] = e->told.list;
	out->more_count[0] = e->told.count;
	out->more[1] = e->asked_told.list;
	out->more_count[1] = e->asked_told.count;
	if (!e->lease.own)
		return add_client_token(e, &out->headers);
	return own == NULL ||
	    headers_add(&out->headers, SLICE("Authorization"), slice_of(own));
}
