/*
 * fuzz_pop.c - a proof of possession: all of it, or two lines of JSON that
 * become header and claims of one that nobody has signed.
 */
#include <stdlib.h>

#include "authn/pop.h"
#include "base/base64url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	NOW = 1800000000,
	AHEAD = 60
};

static const struct pop_rules rules = {
    SLICE_INIT("/subscriptions/s/resourceGroups/g/providers/"
	       "Microsoft.Kubernetes/connectedClusters/c"),
    AHEAD};

static struct jws_verifier *verifier;

/* Whatever is opened holds what was promised. */
static void
check(const struct pop *p, struct slice token)
{
	const json_t *u = json_object_get(p->envelope.claims, "u");
	const json_t *cnf = json_object_get(p->access.claims, "cnf");
	bool is_pop;

	if (p->signed_s < NOW - POP_AGE_S || p->signed_s > NOW + AHEAD ||
	    p->until_s != p->signed_s + POP_AGE_S + 1 || p->token.n == 0 ||
	    !slice_eq_nocase(strict_json_text(u), rules.host) ||
	    strict_json_text(json_object_get(cnf, "kid")).n != 43 ||
	    pop_recognise(token, &is_pop) != AUTHN_OK || !is_pop)
		abort();
}

static enum authn_reason
try_token(struct slice token)
{
	struct pop p;
	enum authn_reason r = pop_open(&rules, token, NOW, &p);

	if (r == AUTHN_OK) {
		check(&p, token);
		r = pop_verify(&p, verifier);
		pop_release(&p);
	}
	if (r != AUTHN_OK && (r < AUTHN_POP_FORMAT || r > AUTHN_POP_SIGNATURE))
		abort();
	return r;
}

/* Nobody's signature is good. */
static void
try_lines(struct slice text)
{
	static const char zeros[256];
	size_t end = slice_index(text, '\n');
	struct buf b;

	buf_init(&b, (size_t)4 * TOKEN_MAX);
	base64url_put(&b, slice_first(text, end));
	buf_putc(&b, '.');
	base64url_put(&b, slice_from(text, end < text.n ? end + 1 : end));
	buf_putc(&b, '.');
	base64url_put(&b, slice_make(zeros, sizeof(zeros)));
	if (!b.overflow && try_token(buf_slice(&b)) == AUTHN_OK)
		abort();
	buf_release(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);

	if (verifier == NULL)
		verifier = jws_verifier_new();
	if (verifier == NULL)
		abort();
	if (size != 0 && data[0] == '{')
		try_lines(text);
	else
		(void)try_token(text);
	return 0;
}
