/*
 * test_jsontestsuite.c - the texts of JSONTestSuite, at every door for JSON.
 *
 * Most of them are no objects, which nothing but an object would be refused
 * for.  So each stands as a member of an object that is welcome, and by itself.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "authn/issuers.h"
#include "authn/jws.h"
#include "base/base64url.h"
#include "config/file.h"
#include "config/tree.h"
#include "config/tree_json.h"
#include "tests/support/rows.h"

enum {
	YES = 95, /* files of each kind */
	NO = 188,
	EITHER = 35,
	TEXT_MAX = 1 << 20
};

static const char folder[] = "tests/vectors/jsontestsuite/";

static struct issuers *issuers;

/* --- doors: would a text that is a member's value be let in? --- */

static bool
is_token(struct slice header, struct slice claims)
{
	enum authn_reason r;
	struct jws j;
	struct buf b;

	buf_init(&b, 2 * TEXT_MAX);
	base64url_put(&b, header);
	buf_putc(&b, '.');
	base64url_put(&b, claims);
	buf_puts(&b, ".AAAA");
	r = jws_parse(buf_slice(&b), &j);
	buf_release(&b);
	if (r == AUTHN_OK)
		jws_release(&j);
	else
		assert_int_equal(r, AUTHN_MALFORMED);
	return r == AUTHN_OK;
}

static bool
is_in_header(struct slice object)
{
	return is_token(object, SLICE("{}"));
}

static bool
is_in_claims(struct slice object)
{
	return is_token(SLICE("{\"alg\":\"RS256\"}"), object);
}

static bool
is_in_keys(struct slice object)
{
	struct errinfo err = {0};
	struct jwks *set = NULL;
	enum status st = jwks_parse(object, "keys", &set, &err);

	assert_true(st == STATUS_OK || st == STATUS_MALFORMED);
	jwks_unref(set);
	errinfo_release(&err);
	return st == STATUS_OK;
}

static bool
is_in_discovery(struct slice object)
{
	struct errinfo err = {0};
	char *uri = NULL;
	enum status st = issuers_read_discovery(issuers, 0, object, &uri, &err);

	assert_true(st == STATUS_OK || st == STATUS_MALFORMED);
	free(uri);
	errinfo_release(&err);
	return st == STATUS_OK;
}

/* spec: T-73 */
static struct door {
	const char *name;
	const char *before; /* what stands before the member's value */
	bool (*is_open)(struct slice object);
} doors[] = {
    {"a token's header", "{\"alg\":\"RS256\",\"x\":", is_in_header},
    {"a token's claims", "{\"x\":", is_in_claims},
    {"a key set",
	"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}],\"x\":",
	is_in_keys},
    {"a discovery document",
	"{\"issuer\":\"https://issuer.example\","
	"\"jwks_uri\":\"https://issuer.example/keys\",\"x\":",
	is_in_discovery},
};

/* --- files --- */

struct text {
	char name[256]; /* without .json */
	struct buf octets;
};

typedef void (*text_fn)(const struct text *t, void *arg);

static void
read_text(struct text *t, const char *file)
{
	struct errinfo err = {0};
	char path[512];

	(void)snprintf(path, sizeof(path), "%s%s", folder, file);
	(void)snprintf(t->name, sizeof(t->name), "%.*s",
	    (int)(strlen(file) - strlen(".json")), file);
	buf_init(&t->octets, TEXT_MAX);
	assert_ok(file_read(path, &t->octets, &err));
	errinfo_release(&err);
}

/* Each text of that kind; want is how many there are. */
static void
each_text(char kind, unsigned want, text_fn fn, void *arg)
{
	DIR *d = opendir(folder);
	unsigned n = 0;

	assert_non_null(d);
	for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		struct text t;

		if (e->d_name[0] != kind || e->d_name[1] != '_')
			continue;
		n++;
		read_text(&t, e->d_name);
		fn(&t, arg);
		buf_release(&t.octets);
	}
	(void)closedir(d);
	assert_int_equal(n, want);
}

/* --- our own rules --- */

/* What is JSON and refused, and what may be either and is taken. */
static const struct {
	const char *name;
	const char *why;
} others[] = {
    {"y_object_duplicated_key", "T-73: a name twice"},
    {"y_object_duplicated_key_and_value", "T-73: a name twice"},
    {"y_object_escaped_null_in_key", "T-73: U+0000"},
    {"y_string_null_escape", "T-73: U+0000"},
    {"i_number_double_huge_neg_exp", "next to zero is zero"},
    {"i_number_real_underflow", "next to zero is zero"},
};

static bool
is_welcome(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		if (strcmp(name, others[i].name) == 0)
			return name[0] == 'i';
	}
	return name[0] == 'y';
}

static void
check_at_door(const struct text *t, void *arg)
{
	const struct door *door = arg;
	struct slice octets = buf_slice(&t->octets);
	struct buf b;
	bool open;

	buf_init(&b, 2 * TEXT_MAX);
	buf_puts(&b, door->before);
	buf_put(&b, octets);
	buf_putc(&b, '}');
	open = door->is_open(buf_slice(&b));
	buf_release(&b);
	if (open != is_welcome(t->name))
		fail_msg("%s: %s at %s", t->name, open ? "taken" : "refused",
		    door->name);
	/* None of them is what should stand there. */
	if (!slice_starts(octets, SLICE("{")))
		assert_false(door->is_open(octets));
}

static void
check_door(void **state)
{
	each_text('y', YES, check_at_door, *state);
	each_text('n', NO, check_at_door, *state);
	each_text('i', EITHER, check_at_door, *state);
}

/* --- as documents --- */

static void check_equal(const struct node *n, json_t *v);

static void
check_list(const struct node *n, json_t *v)
{
	assert_int_equal(n->kind, NODE_LIST);
	assert_int_equal(n->count, json_array_size(v));
	for (size_t i = 0; i < n->count; i++)
		check_equal(n->items[i], json_array_get(v, i));
}

static void
check_map(const struct node *n, json_t *v)
{
	const char *key;
	json_t *value;
	size_t i = 0;

	assert_int_equal(n->kind, NODE_MAP);
	assert_int_equal(n->count, json_object_size(v));
	json_object_foreach(v, key, value)
	{
		assert_slice(n->pairs[i].key, key);
		check_equal(n->pairs[i++].value, value);
	}
}

/* A document says what the JSON says that it was read from. */
static void
check_equal(const struct node *n, json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		check_map(n, v);
		break;
	case JSON_ARRAY:
		check_list(n, v);
		break;
	case JSON_STRING:
		assert_int_equal(n->kind, NODE_STRING);
		assert_slices(n->text, strict_json_text(v));
		break;
	case JSON_INTEGER:
		assert_int_equal(n->kind, NODE_INT);
		assert_int_equal(n->integer, json_integer_value(v));
		break;
	case JSON_REAL:
		assert_int_equal(n->kind, NODE_FLOAT);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		assert_int_equal(n->kind, NODE_BOOL);
		assert_int_equal(n->integer, json_is_true(v));
		break;
	case JSON_NULL:
		assert_int_equal(n->kind, NODE_NULL);
		break;
	}
}

/* As programs' JSON is read: config/tree_json.h. */
static void
check_copy(const struct text *t, void *arg)
{
	struct tree *tree = NULL;
	json_t *v = NULL;
	struct buf b;

	buf_init(&b, 2 * TEXT_MAX);
	buf_puts(&b, "{\"x\":");
	buf_put(&b, buf_slice(&t->octets));
	buf_putc(&b, '}');
	if (strict_json_parse(buf_slice(&b), &v, NULL) == STATUS_OK) {
		++*(unsigned *)arg;
		assert_ok(tree_from_json(v, t->name, &tree));
		assert_int_equal(tree_documents(tree), 1);
		check_equal(tree_root(tree, 0), v);
	}
	tree_free(tree);
	json_decref(v);
	buf_release(&b);
}

static void
test_copies(void **state)
{
	unsigned copied = 0;

	(void)state;
	each_text('y', YES, check_copy, &copied);
	each_text('i', EITHER, check_copy, &copied);
	assert_int_equal(copied, YES - 4 + 2);
}

/* As people's files are read: JSON is YAML, but for what YAML 1.1 refuses. */
static const struct {
	const char *name;
	const char *why;
} no_yaml[] = {
    {"y_object_duplicated_key", "a key twice"},
    {"y_object_duplicated_key_and_value", "a key twice"},
    /* sigs.k8s.io/yaml does not either. */
    {"y_string_accepted_surrogate_pair", "surrogates escape nothing"},
    {"y_string_accepted_surrogate_pairs", "surrogates escape nothing"},
    {"y_string_last_surrogates_1_and_2", "surrogates escape nothing"},
    {"y_string_surrogates_U+1D11E_MUSICAL_SYMBOL_G_CLEF",
	"surrogates escape nothing"},
    {"y_string_unicode_U+10FFFE_nonchar", "surrogates escape nothing"},
    {"y_string_unicode_U+1FFFE_nonchar", "surrogates escape nothing"},
    {"y_string_nonCharacterInUTF-8_U+FFFF", "not printable"},
    {"y_string_unescaped_char_delete", "not printable"},
    {"y_string_with_del_character", "not printable"},
};

static bool
is_yaml(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(no_yaml); i++) {
		if (strcmp(name, no_yaml[i].name) == 0)
			return false;
	}
	return true;
}

static void
check_yaml(const struct text *t, void *arg)
{
	struct slice octets = buf_slice(&t->octets);
	struct errinfo err = {0};
	struct tree *tree = NULL;
	json_t *v = json_loadb(octets.p, octets.n,
	    JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	enum status st = tree_parse(octets, t->name, &tree, &err);

	(void)arg;
	if ((st == STATUS_OK) != is_yaml(t->name))
		fail_msg("%s: %.*s", t->name, SLICE_ARG(buf_slice(&err.text)));
	/* Documents of null are left out; jansson has no such names. */
	if (st == STATUS_OK && tree_documents(tree) == 0)
		assert_true(json_is_null(v));
	else if (st == STATUS_OK && v != NULL)
		check_equal(tree_root(tree, 0), v);
	else if (st == STATUS_OK)
		assert_string_equal(t->name, "y_object_escaped_null_in_key");
	json_decref(v);
	tree_free(tree);
	errinfo_release(&err);
}

static void
test_yaml(void **state)
{
	(void)state;
	each_text('y', YES, check_yaml, NULL);
}

static void
set_up(void)
{
	static const char text[] =
	    "apiVersion: apiserver.config.k8s.io/v1\n"
	    "kind: AuthenticationConfiguration\n"
	    "jwt:\n"
	    "- issuer: {url: \"https://issuer.example\", audiences: [a]}\n"
	    "  claimMappings: {username: {claim: sub, prefix: \"\"}}\n";
	struct issuers_options o = {.path = "issuers.yaml"};
	struct errinfo err = {0};

	assert_ok(issuers_parse(&o, slice_of(text), &issuers, &err));
	errinfo_release(&err);
}

int
main(void)
{
	struct rows rows = {0};
	int failed;

	set_up();
	ROWS_ADD_TABLE(&rows, doors, check_door);
	rows_add(&rows, "documents of what programs write", test_copies, NULL);
	rows_add(&rows, "documents of what people write", test_yaml, NULL);
	failed = rows_run(&rows, "jsontestsuite");
	issuers_unref(issuers);
	return failed;
}
