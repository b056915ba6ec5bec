/*
 * test_x509.c - from what a certificate says to who it is.
 */
#include "authn/x509.h"

#include <stdio.h>

#include "tests/support/rows.h"

enum {
	VALUES = 4
};

/* spec: T-55, T-110, T-111, kubernetes/apiserver x509.go */
static struct row {
	const char *name;
	const char *names[VALUES], *groups[VALUES], *uids[VALUES];
	bool nodes; /* nodeCredentials: allow */
	enum authn_reason reason;
	const char *want; /* NAME|UID|GROUP,GROUP */
} rows[] = {
    {"a name", {"cara"}, {0}, {0}, false, AUTHN_OK,
	"cara||system:authenticated"},
    {"groups in order", {"cara"}, {"b", "a", "b"}, {0}, false, AUTHN_OK,
	"cara||b,a,b,system:authenticated"},
    {"a uid", {"cara"}, {0}, {"4-2"}, false, AUTHN_OK,
	"cara|4-2|system:authenticated"},
    {"a blank within", {"Cara Mia"}, {"dev ops"}, {0}, false, AUTHN_OK,
	"Cara Mia||dev ops,system:authenticated"},
    {"no name", {0}, {"a"}, {0}, false, AUTHN_CERTIFICATE_SUBJECT, NULL},
    {"two names", {"cara", "dora"}, {0}, {0}, false, AUTHN_CERTIFICATE_SUBJECT,
	NULL},
    {"the same name twice", {"cara", "cara"}, {0}, {0}, false,
	AUTHN_CERTIFICATE_SUBJECT, NULL},
    {"an empty name", {""}, {0}, {0}, false, AUTHN_CERTIFICATE_SUBJECT, NULL},
    {"a blank behind", {"cara "}, {0}, {0}, false, AUTHN_CERTIFICATE_SUBJECT,
	NULL},
    {"a line end", {"cara\n"}, {0}, {0}, false, AUTHN_CERTIFICATE_SUBJECT,
	NULL},
    {"not UTF-8", {"car\xe9"}, {0}, {0}, false, AUTHN_CERTIFICATE_SUBJECT,
	NULL},
    {"a group with a blank", {"cara"}, {" a"}, {0}, false,
	AUTHN_CERTIFICATE_SUBJECT, NULL},
    {"an empty group", {"cara"}, {""}, {0}, false, AUTHN_CERTIFICATE_SUBJECT,
	NULL},
    {"two uids", {"cara"}, {0}, {"1", "2"}, false, AUTHN_CERTIFICATE_SUBJECT,
	NULL},
    {"an empty uid", {"cara"}, {0}, {""}, false, AUTHN_CERTIFICATE_SUBJECT,
	NULL},
    {"a system: name", {"system:admin"}, {0}, {0}, false, AUTHN_RESERVED, NULL},
    {"a listed system: name", {"system:robot"}, {0}, {0}, false, AUTHN_OK,
	"system:robot||system:authenticated"},
    {"a listed one, and more", {"system:robot2"}, {0}, {0}, false,
	AUTHN_RESERVED, NULL},
    {"system: groups", {"cara"},
	{"system:nodes", "system:masters", "system:x", "a"}, {0}, false,
	AUTHN_OK, "cara||system:masters,a,system:authenticated"},
    {"system:authenticated is there once", {"cara"},
	{"system:authenticated", "a"}, {0}, false, AUTHN_OK,
	"cara||a,system:authenticated"},
    {"a node", {"system:node:n1"}, {"system:nodes"}, {0}, false, AUTHN_RESERVED,
	NULL},
    {"a node that may", {"system:node:n1"}, {"system:nodes"}, {0}, true,
	AUTHN_OK, "system:node:n1||system:nodes,system:authenticated"},
};

static struct peer_values
values_of(const char *const *texts, struct slice *room)
{
	struct peer_values v = {room, 0};

	while (v.count < VALUES && texts[v.count] != NULL) {
		room[v.count] = slice_of(texts[v.count]);
		v.count++;
	}
	return v;
}

static enum authn_reason
judge(const struct peer *p, bool nodes, struct identity **out)
{
	static const char *const users[] = {"system:robot"};
	static const char *const groups[] = {"system:masters"};
	struct x509_rules rules = {users, 1, groups, 1, nodes};

	return x509_identity(p, &rules, out);
}

static void
check_user(const struct user *u, const char *want)
{
	struct buf b;

	buf_init(&b, 4096);
	buf_putf(&b, "%.*s|%.*s|", SLICE_ARG(u->name), SLICE_ARG(u->uid));
	for (size_t i = 0; i < u->group_count; i++)
		buf_putf(&b, "%s%.*s", i != 0 ? "," : "",
		    SLICE_ARG(u->groups[i]));
	assert_slice(buf_slice(&b), want);
	buf_release(&b);
	assert_int_equal(u->extra_count, 1);
	assert_slice(u->extra[0].key,
	    "authentication.kubernetes.io/credential-id");
	assert_slice(u->extra[0].values[0],
	    "X509SHA256=00000000000000000000000000000000"
	    "000000000000000000000000000000ab");
}

static void
check_row(void **state)
{
	const struct row *r = *state;
	struct slice names[VALUES], groups[VALUES], uids[VALUES];
	struct peer p = {.common_names = values_of(r->names, names),
	    .organizations = values_of(r->groups, groups),
	    .uids = values_of(r->uids, uids),
	    .is_text = true,
	    .may_sign = true,
	    .may_authenticate = true,
	    .digest = {[DIGEST_SIZE - 1] = 0xab}};
	struct identity *id = NULL;

	assert_string_equal(authn_reason_name(judge(&p, r->nodes, &id)),
	    authn_reason_name(r->reason));
	if (r->want != NULL)
		check_user(&id->user, r->want);
	else
		assert_null(id);
	identity_unref(id);
}

/* spec: T-111 */
static void
test_usages(void **state)
{
	struct slice name = SLICE("cara");
	struct peer p = {.common_names = {&name, 1},
	    .is_text = true,
	    .may_authenticate = true};
	struct identity *id = NULL;

	(void)state;
	assert_int_equal(judge(&p, false, &id), AUTHN_CERTIFICATE_USAGE);
	p.may_sign = true;
	p.may_authenticate = false;
	assert_int_equal(judge(&p, false, &id), AUTHN_CERTIFICATE_USAGE);
	p.may_authenticate = true;
	p.is_text = false;
	assert_int_equal(judge(&p, false, &id), AUTHN_CERTIFICATE_SUBJECT);
	assert_null(id);
}

/* Where the cluster's implicit group is allowed by name, it is there once. */
static void
test_the_implicit_group(void **state)
{
	static const char *const groups[] = {"system:authenticated"};
	const struct x509_rules rules = {.groups = groups, .group_count = 1};
	struct slice name = SLICE("cara");
	struct slice of[] = {GROUP_AUTHENTICATED, SLICE("a")};
	struct peer p = {.common_names = {&name, 1},
	    .organizations = {of, COUNT_OF(of)},
	    .is_text = true,
	    .may_sign = true,
	    .may_authenticate = true};
	struct identity *id = NULL;

	(void)state;
	assert_int_equal(x509_identity(&p, &rules, &id), AUTHN_OK);
	assert_int_equal(id->user.group_count, 2);
	assert_slices(id->user.groups[0], GROUP_AUTHENTICATED);
	assert_slice(id->user.groups[1], "a");
	identity_unref(id);
}

int
main(void)
{
	struct rows all = {0};

	ROWS_ADD_TABLE(&all, rows, check_row);
	rows_add(&all, "usages, and what is no text", test_usages, NULL);
	rows_add(&all, "the implicit group", test_the_implicit_group, NULL);
	return rows_run(&all, "x509");
}
