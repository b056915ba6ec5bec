/*
 * test_entra.c - claims of Entra ID, each row with the rule that decides it.
 */
#include "authn/entra.h"

#include <stdlib.h>

#include "authn/strict_json.h"
#include "tests/support/failing.h"
#include "tests/support/rows.h"

enum {
	NOW = 1800000000,
	LIST_MAX = 8
};

static json_t *base; /* entra.json */

struct setup {
	struct entra rules;
	struct entra_issuer issuers[LIST_MAX];
	struct slice tenants[LIST_MAX], audiences[LIST_MAX];
};

static size_t
read_list(const json_t *list, struct slice *out)
{
	size_t n = json_array_size(list);

	assert_true(n <= LIST_MAX);
	for (size_t i = 0; i < n; i++)
		out[i] = strict_json_text(json_array_get(list, i));
	return n;
}

static void
set_up(struct setup *s, struct slice name)
{
	const json_t *from =
	    json_object_getn(json_object_get(base, "setups"), name.p, name.n);
	const json_t *list = json_object_get(from, "issuers");
	size_t n = json_array_size(list);

	assert_non_null(from);
	assert_true(n <= LIST_MAX);
	*s = (struct setup){
	    .rules = {.skew = {ENTRA_NBF_SKEW_S, ENTRA_EXP_SKEW_S}}};
	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_array_get(list, i);

		s->issuers[i] = (struct entra_issuer){
		    .url = strict_json_text(json_object_get(one, "url")),
		    .tenants = s->tenants,
		    .tenant_count =
			read_list(json_object_get(one, "tenants"), s->tenants),
		    .every_tenant =
			json_is_true(json_object_get(one, "every"))};
	}
	s->rules.issuers = s->issuers;
	s->rules.issuer_count = n;
	s->rules.audiences = s->audiences;
	s->rules.audience_count =
	    read_list(json_object_get(from, "audiences"), s->audiences);
}

/* The common claims, some left out, some changed or added. */
static json_t *
make_claims(struct slice without, struct slice change)
{
	json_t *claims = json_deep_copy(json_object_get(base, "claims"));
	struct slice name;
	bool done = false;
	json_t *changed;

	assert_non_null(claims);
	while (without.n != 0 && slice_split(&without, ',', &done, &name))
		assert_int_equal(json_object_deln(claims, name.p, name.n), 0);
	assert_ok(strict_json_parse(change, &changed, NULL));
	assert_int_equal(json_object_update(claims, changed), 0);
	json_decref(changed);
	return claims;
}

/* NAME|OID|GROUP,GROUP[|lookup]; no object id is "-" */
static void
check_outcome(const struct entra_verdict *v, struct slice want)
{
	const struct user *u = &v->identity->user;
	struct buf text;

	buf_init(&text, 1 << 20);
	buf_put(&text, u->name);
	buf_puts(&text, "|");
	if (u->extra_count != 0) {
		assert_int_equal(u->extra_count, 1);
		assert_slice(u->extra[0].key, "oid");
		assert_int_equal(u->extra[0].count, 1);
		buf_put(&text, u->extra[0].values[0]);
	} else {
		buf_puts(&text, "-");
	}
	buf_puts(&text, "|");
	/* The implicit group stands at the end, once. */
	assert_true(u->group_count != 0);
	assert_slices(u->groups[u->group_count - 1], GROUP_AUTHENTICATED);
	for (size_t i = 0; i + 1 < u->group_count; i++) {
		buf_puts(&text, i == 0 ? "" : ",");
		buf_put(&text, u->groups[i]);
	}
	buf_puts(&text, v->needs_group_lookup ? "|lookup" : "");
	assert_int_equal(u->uid.n, 0);
	assert_slices(buf_slice(&text), want);
	buf_release(&text);
}

/* spec: T-55, T-74..T-78, Entra issuer, Entra name, Entra groups */
static void
check_row(void **state)
{
	const struct vector *row = *state;
	struct setup s;
	struct entra_verdict v;
	json_t *claims = make_claims(row->columns[4], row->columns[5]);

	set_up(&s, row->columns[1]);
	entra_judge(&s.rules, claims, NOW, &v);
	json_decref(claims); /* an identity stands by itself */
	assert_slices(slice_of(authn_reason_name(v.reason)), row->columns[2]);
	if (v.reason == AUTHN_OK) {
		assert_true(v.issuer < s.rules.issuer_count);
		assert_true(v.expires_s > NOW);
		assert_non_null(v.identity);
		check_outcome(&v, row->columns[3]);
	} else {
		assert_null(v.identity);
		assert_false(v.needs_group_lookup);
		assert_int_equal(v.issuer == s.rules.issuer_count,
		    v.reason == AUTHN_ISSUER);
	}
	identity_unref(v.identity);
}

/* spec: Entra times: the leeway is the configuration's, on both sides */
static void
test_leeway(void **state)
{
	struct setup s;
	struct entra_verdict v;
	json_t *claims = make_claims(SLICE_EMPTY, SLICE("{}"));

	(void)state;
	set_up(&s, SLICE("one"));
	s.rules.skew = (struct claim_skew){.nbf_s = 0, .exp_s = 60};
	entra_judge(&s.rules, claims, NOW + 3659, &v);
	assert_int_equal(v.reason, AUTHN_OK);
	assert_int_equal(v.expires_s, NOW + 3660);
	identity_unref(v.identity);
	entra_judge(&s.rules, claims, NOW + 3660, &v);
	assert_int_equal(v.reason, AUTHN_EXPIRED);
	entra_judge(&s.rules, claims, NOW - 61, &v);
	assert_int_equal(v.reason, AUTHN_NOT_YET_VALID);
	json_decref(claims);
}

/* spec: T-125, T-01: a user is not refused for want of memory */
static void
test_memory_runs_out(void **state)
{
	json_t *claims =
	    make_claims(SLICE_EMPTY, SLICE("{\"groups\":[\"a\",\"b\"]}"));
	struct entra_verdict v;
	struct setup s;
	unsigned failures = 0;

	(void)state;
	set_up(&s, SLICE("one"));
	for (unsigned long n = 1;; n++) {
		bool failed;

		failing_at(n);
		entra_judge(&s.rules, claims, NOW, &v);
		failed = failing_stop();
		if (!failed)
			break;
		assert_int_equal(v.reason, AUTHN_INTERNAL);
		assert_null(v.identity);
		failures++;
	}
	assert_int_equal(v.reason, AUTHN_OK);
	identity_unref(v.identity);
	assert_true(failures > 1);
	json_decref(claims);
}

/* --- as one of a cluster's issuers --- */

#define TENANT "00000000-1111-2222-3333-44444444abcd"
#define TID    "\"tid\":\"" TENANT "\","
#define OVERAGE                                                                \
	"\"_claim_names\":{\"groups\":\"s\"},"                                 \
	"\"_claim_sources\":{\"s\":{\"endpoint\":\"https://g\"}}"

/* spec: Entra lookup: whom the directory can be asked for */
static struct lookup_row {
	const char *name;
	const char *claims; /* changed */
	enum authn_reason reason;
	const char *oid; /* of whom is to be looked up; NULL: nobody */
} lookup_rows[] = {
    {"groups are listed", "{" TID "\"groups\":[]}", AUTHN_OK, NULL},
    {"groups overflow",
	"{" TID OVERAGE ",\"oid\":\"AAAAAAAA-0000-0000-0000-00000000000f\"}",
	AUTHN_GROUP_LOOKUP, "AAAAAAAA-0000-0000-0000-00000000000f"},
    {"an object id that is none",
	"{" TID OVERAGE ",\"oid\":\"../../groups?x=0000-0000-00000000000f\"}",
	AUTHN_GROUP_LOOKUP, NULL},
    {"an object id that is too long",
	"{" TID OVERAGE ",\"oid\":\"aaaaaaaa-0000-0000-0000-00000000000ff\"}",
	AUTHN_GROUP_LOOKUP, NULL},
    {"an object id that is a number", "{" TID OVERAGE ",\"oid\":7}",
	AUTHN_GROUP_LOOKUP, NULL},
    {"an application", "{" TID OVERAGE ",\"idtyp\":\"APP\"}", AUTHN_APP_OVERAGE,
	NULL},
    {"bound to a key", "{" TID OVERAGE ",\"cnf\":{}}", AUTHN_POP_BINDING, NULL},
    {"another tenant", "{\"tid\":\"x\"," OVERAGE "}", AUTHN_ISSUER, NULL},
};

static void
check_lookup(void **state)
{
	const struct lookup_row *row = *state;
	const struct issuer issuer = {.cloud = entra_cloud_at(0),
	    .tenant = SLICE(TENANT)};
	struct identity *id = NULL;
	json_t *claims = make_claims(SLICE_EMPTY, slice_of(row->claims));

	assert_int_equal(entra_admit(&issuer, claims, false, &id), row->reason);
	json_decref(claims);
	assert_int_equal(id != NULL,
	    row->reason == AUTHN_OK || row->oid != NULL);
	if (row->oid != NULL) {
		assert_slice(entra_object_id(&id->user), row->oid);
		assert_int_equal(id->user.group_count, 1);
		assert_slices(id->user.groups[0], GROUP_AUTHENTICATED);
	}
	identity_unref(id);
}

int
main(void)
{
	struct vectors vectors = {0};
	struct rows rows = {0};
	json_error_t e;
	int failed;

	base = json_load_file("tests/vectors/authn/entra.json", 0, &e);
	if (base == NULL)
		abort();
	vectors_read(&vectors, "tests/vectors/authn/entra.txt");
	rows_add_vectors(&rows, &vectors, check_row);
	rows_add(&rows, "the leeway is the configuration's", test_leeway, NULL);
	rows_add(&rows, "memory runs out", test_memory_runs_out, NULL);
	ROWS_ADD_TABLE(&rows, lookup_rows, check_lookup);
	failed = rows_run(&rows, "entra");
	vectors_release(&vectors);
	json_decref(base);
	return failed;
}
