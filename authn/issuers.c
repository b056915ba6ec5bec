/*
 * issuers.c - whom we believe, and what may be asked of the list.
 */
#include "authn/issuers.h"

#include <stdlib.h>

#include "authn/https_url.h"
#include "authn/issuers_parts.h"
#include "authn/strict_json.h"
#include "authn/user.h"
#include "config/file.h"

enum {
	ARENA_MAX = 64 * 1024 * 1024,
	FILE_MAX = 16 * 1024 * 1024
};

static const struct issuers_whole *
whole(const struct issuers *i)
{
	return (const struct issuers_whole *)(const void *)i;
}

/* --- making --- */

enum status
issuers_copy_texts(struct issuers_whole *w, const char *const *from,
    size_t count, struct strings *to)
{
	struct slice *list = arena_alloc(&w->arena, count * sizeof(*list));

	if (list == NULL)
		return STATUS_NOMEM;
	for (size_t i = 0; i < count; i++)
		list[i] = arena_dup(&w->arena, slice_of(from[i]));
	*to = (struct strings){list, count};
	return w->arena.overflow ? STATUS_NOMEM : STATUS_OK;
}

/* An empty list allows nothing. */
static enum status
read_algorithms(struct issuers_whole *w, const struct issuers_options *o,
    struct errinfo *err)
{
	for (size_t i = 0; i < o->algorithm_count; i++) {
		enum jws_alg alg = jws_alg_parse(slice_of(o->algorithms[i]));

		if (alg == JWS_NONE)
			return errinfo_set(err, STATUS_MALFORMED, NULL, 0,
			    "signingAlgorithms: \"%s\" is none of RS, PS, ES "
			    "with 256, 384, 512",
			    o->algorithms[i]);
		w->known.algorithms |= BIT(alg);
	}
	return STATUS_OK;
}

/* The address of issuer n's document: as given, or the well-known one. */
static const char *
discovery_url(struct arena *a, const struct issuer *issuer)
{
	static const char tail[] = "/.well-known/openid-configuration";
	struct slice base = issuer->url;
	char *text;

	if (issuer->discovery_url.n != 0)
		return issuer->discovery_url.p;
	if (slice_ends(base, SLICE("/")))
		base.n--;
	text = arena_alloc(a, base.n + sizeof(tail));
	if (text == NULL)
		return NULL;
	memcpy(text, base.p, base.n);
	memcpy(text + base.n, tail, sizeof(tail));
	return text;
}

static enum status
add_discovery_urls(struct issuers_whole *w)
{
	size_t count = w->known.count;
	const char **urls = arena_alloc(&w->arena, count * sizeof(*urls));

	if (urls == NULL)
		return STATUS_NOMEM;
	for (size_t i = 0; i < count; i++) {
		urls[i] = discovery_url(&w->arena, &w->known.list[i]);
		if (urls[i] == NULL)
			return STATUS_NOMEM;
	}
	w->discovery_urls = urls;
	return STATUS_OK;
}

/* --- digests --- */

static void
put_text(struct buf *b, struct slice s)
{
	buf_putf(b, "%zu:", s.n);
	buf_put(b, s);
}

static void
put_texts(struct buf *b, const struct slice *list, size_t count)
{
	buf_putf(b, "%zu ", count);
	for (size_t i = 0; i < count; i++)
		put_text(b, list[i]);
}

/* Which tokens of Entra ID count is a rule for them alone. */
static void
put_pop(struct buf *b, const struct issuers *known, const struct issuer *i)
{
	put_text(b, i->cloud != NULL ? known->pop_host : SLICE_EMPTY);
	buf_putc(b, i->cloud != NULL && known->pop_required ? 'r' : '-');
}

/* Everything that decides about a token, each piece with its length. */
static enum status
digest_issuer(const struct issuers_whole *w, struct issuer *i)
{
	struct buf b;
	enum status st;

	buf_init(&b, ARENA_MAX);
	put_text(&b, i->url);
	put_texts(&b, i->audiences, i->audience_count);
	put_text(&b, i->username_claim);
	put_text(&b, i->username_prefix);
	put_text(&b, i->groups_claim);
	put_text(&b, i->groups_prefix);
	put_text(&b, i->uid_claim);
	put_text(&b, i->tenant);
	put_text(&b, slice_of(i->cloud != NULL ? i->cloud->name : ""));
	buf_putc(&b, i->is_service_accounts ? 'a' : '-');
	put_pop(&b, &w->known, i);
	for (size_t n = 0; n < i->rule_count; n++) {
		put_text(&b, i->rules[n].claim);
		put_text(&b, i->rules[n].required_value);
	}
	buf_putf(&b, "%u %lld %lld ", w->known.algorithms,
	    (long long)w->known.nbf_skew_s, (long long)w->known.exp_skew_s);
	put_texts(&b, w->reserved_users.items, w->reserved_users.count);
	put_texts(&b, w->reserved_groups.items, w->reserved_groups.count);
	st = b.overflow ? STATUS_NOMEM : STATUS_OK;
	digest_sha256(buf_slice(&b), i->digest);
	buf_release(&b);
	return st;
}

static enum status
add_digests(struct issuers_whole *w)
{
	enum status st = STATUS_OK;

	for (size_t i = 0; i < w->known.count && st == STATUS_OK; i++)
		st = digest_issuer(w,
		    (struct issuer *)(uintptr_t)&w->known.list[i]);
	return st;
}

/* Behind the others, so that theirs keep their numbers. */
static enum status
add_accounts(struct issuers_whole *w, const struct issuers_accounts *o,
    const char *path, struct errinfo *err)
{
	size_t count = w->known.count;
	struct issuer *list =
	    arena_alloc(&w->arena, (count + 1) * sizeof(*list));
	struct slice url = arena_dup(&w->arena, slice_of(o->url));
	struct strings audiences = {0};

	if (list == NULL || url.n == 0 ||
	    issuers_copy_texts(w, o->audiences, o->audience_count,
		&audiences) != STATUS_OK)
		return STATUS_NOMEM;
	if (issuers_find(&w->known, url) != count)
		return errinfo_set(err, STATUS_MALFORMED, path, 0,
		    "has \"%s\" as issuer, which is that of "
		    "authentication.serviceAccounts in line %u",
		    o->url, o->line);
	if (count != 0)
		memcpy(list, w->known.list, count * sizeof(*list));
	list[count] = (struct issuer){.url = url,
	    .audiences = audiences.items,
	    .audience_count = audiences.count,
	    .username_claim = SLICE("sub"),
	    .is_service_accounts = true,
	    .line = o->line};
	w->known.list = list;
	w->known.count = count + 1;
	return STATUS_OK;
}

static enum status
load_list(struct issuers_whole *w, const struct issuers_options *o,
    struct slice text, struct errinfo *err)
{
	enum status st = STATUS_OK;

	if (o->entra != NULL)
		st = issuers_of_entra(w, o->entra);
	else if (o->path != NULL)
		st = issuers_read(w, text, o->path, err);
	if (st == STATUS_OK && o->accounts != NULL)
		st = add_accounts(w, o->accounts, o->path, err);
	return st;
}

static enum status
fill(struct issuers_whole *w, const struct issuers_options *o,
    struct slice text, struct errinfo *err)
{
	enum status st = read_algorithms(w, o, err);
	enum status loaded = load_list(w, o, text, err);

	if (st != STATUS_OK || loaded != STATUS_OK)
		return st != STATUS_OK ? st : loaded;
	if (issuers_copy_texts(w, o->key_hosts, o->key_host_count,
		&w->key_hosts) != STATUS_OK ||
	    issuers_copy_texts(w, o->reserved_users, o->reserved_user_count,
		&w->reserved_users) != STATUS_OK ||
	    issuers_copy_texts(w, o->reserved_groups, o->reserved_group_count,
		&w->reserved_groups) != STATUS_OK ||
	    add_discovery_urls(w) != STATUS_OK)
		return errinfo_set(err, STATUS_NOMEM, o->path, 0,
		    "out of memory");
	w->known.nbf_skew_s = o->nbf_skew_s;
	w->known.exp_skew_s = o->exp_skew_s;
	if (add_digests(w) != STATUS_OK)
		return errinfo_set(err, STATUS_NOMEM, o->path, 0,
		    "out of memory");
	return STATUS_OK;
}

enum status
issuers_parse(const struct issuers_options *o, struct slice text,
    struct issuers **out, struct errinfo *err)
{
	struct issuers_whole *w = calloc(1, sizeof(*w));
	enum status st;

	if (w == NULL)
		return errinfo_set(err, STATUS_NOMEM, o->path, 0,
		    "out of memory");
	ref_init(&w->ref);
	arena_init(&w->arena, ARENA_MAX);
	st = fill(w, o, text, err);
	if (st == STATUS_OK)
		*out = &w->known;
	else
		issuers_unref(&w->known);
	return st;
}

enum status
issuers_load(const struct issuers_options *o, struct issuers **out,
    struct errinfo *err)
{
	struct buf text;
	enum status st;

	if (o->entra != NULL || o->path == NULL)
		return issuers_parse(o, SLICE_EMPTY, out, err);
	buf_init(&text, FILE_MAX);
	st = file_read(o->path, &text, err);
	if (st == STATUS_OK)
		st = issuers_parse(o, buf_slice(&text), out, err);
	buf_release(&text);
	return st;
}

struct issuers *
issuers_ref(struct issuers *i)
{
	ref_up(&((struct issuers_whole *)(void *)i)->ref);
	return i;
}

void
issuers_unref(struct issuers *i)
{
	struct issuers_whole *w = (struct issuers_whole *)(void *)i;

	if (i == NULL || !ref_down(&w->ref))
		return;
	arena_release(&w->arena);
	free(w);
}

/* --- asking --- */

size_t
issuers_find(const struct issuers *i, struct slice iss)
{
	size_t n = 0;

	while (n < i->count && !slice_eq(i->list[n].url, iss))
		n++;
	return n;
}

/* spec: T-55 */
bool
issuers_may_name(const struct issuers *i, struct slice user)
{
	return !slice_starts(user, SLICE("system:")) ||
	    strings_has(&whole(i)->reserved_users, user);
}

bool
issuers_may_group(const struct issuers *i, struct slice group)
{
	if (slice_eq(group, GROUP_MASTERS))
		return false;
	return !slice_starts(group, SLICE("system:")) ||
	    strings_has(&whole(i)->reserved_groups, group);
}

const char *
issuers_discovery_url(const struct issuers *i, size_t n)
{
	return whole(i)->discovery_urls[n];
}

/* --- discovery documents --- */

/* spec: T-84: configuration fixes the hosts, no document does */
static bool
may_serve_keys(const struct issuers *i, size_t n, struct slice host)
{
	const struct strings *hosts = &whole(i)->key_hosts;
	struct slice own;

	if (https_url_fault(i->list[n].url, false, &own) == NULL &&
	    slice_eq_nocase(host, own))
		return true;
	if (https_url_fault(slice_of(issuers_discovery_url(i, n)), false,
		&own) == NULL &&
	    slice_eq_nocase(host, own))
		return true;
	for (size_t k = 0; k < hosts->count; k++) {
		if (slice_eq_nocase(host, hosts->items[k]))
			return true;
	}
	return false;
}

/* spec: Entra clouds: a document of another cloud has other keys */
static bool
is_of_cloud(const struct issuer *issuer, const json_t *doc)
{
	const json_t *v = json_object_get(doc, "cloud_instance_name");

	return issuer->cloud == NULL || v == NULL ||
	    slice_eq_str(strict_json_text(v), issuer->cloud->instance);
}

static enum status
read_jwks_uri(const struct issuers *i, size_t n, const json_t *doc,
    char **jwks_uri, struct errinfo *err)
{
	struct slice iss = strict_json_text(json_object_get(doc, "issuer"));
	struct slice uri = strict_json_text(json_object_get(doc, "jwks_uri"));
	struct slice host;
	const char *fault;

	if (!slice_eq(iss, i->list[n].url))
		return errinfo_set(err, STATUS_MALFORMED, NULL, 0,
		    "its issuer \"%.*s\" is not \"%.*s\"", SLICE_ARG(iss),
		    SLICE_ARG(i->list[n].url));
	if (!is_of_cloud(&i->list[n], doc))
		return errinfo_set(err, STATUS_MALFORMED, NULL, 0,
		    "its cloud_instance_name is not \"%s\"",
		    i->list[n].cloud->instance);
	if (uri.n == 0)
		return errinfo_set(err, STATUS_MALFORMED, NULL, 0,
		    "it has no jwks_uri");
	fault = https_url_fault(uri, true, &host);
	if (fault != NULL)
		return errinfo_set(err, STATUS_MALFORMED, NULL, 0,
		    "its jwks_uri \"%.*s\" %s", SLICE_ARG(uri), fault);
	if (!may_serve_keys(i, n, host))
		return errinfo_set(err, STATUS_MALFORMED, NULL, 0,
		    "its jwks_uri is on %.*s, which is neither the issuer's "
		    "host nor in keyHosts",
		    SLICE_ARG(host));
	*jwks_uri = strndup(uri.p, uri.n);
	return *jwks_uri != NULL ? STATUS_OK : STATUS_NOMEM;
}

enum status
issuers_read_discovery(const struct issuers *i, size_t n, struct slice json,
    char **jwks_uri, struct errinfo *err)
{
	struct strict_json_error e;
	json_t *doc;
	enum status st = strict_json_parse(json, &doc, &e);

	if (st != STATUS_OK)
		return errinfo_set(err, st, NULL, 0, "no strict JSON: %s",
		    e.why);
	st = read_jwks_uri(i, n, doc, jwks_uri, err);
	json_decref(doc);
	return st;
}
