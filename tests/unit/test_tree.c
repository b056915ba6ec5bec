/*
 * test_tree.c - documents, their lines, and what is refused in them.
 */
#include "config/tree.h"

#include <stdlib.h>
#include <unistd.h>

#include "config/scalar.h"
#include "tests/support/guard.h"
#include "tests/support/rows.h"

static enum status
parse(const char *text, struct tree **t, struct errinfo *err)
{
	struct guard g = {0};
	struct slice input = guard_copy(&g, slice_of(text));
	enum status st = tree_parse(input, "f.yaml", t, err);

	guard_release(&g);
	return st;
}

/* --- what is refused ------------------------------------------------------ */

static struct refusal {
	const char *name;
	const char *text;
	const char *report; /* the first line of what errinfo says */
} refusals[] = {
    /* clang-format off */
	{ "a duplicate key names both lines", "a: 1\nb: 2\na: 3\n",
	    "f.yaml:3: the key \"a\" stands here twice, first in line 1" },
	{ "a duplicate key in JSON", "{\"a\":1,\n\"a\":1}",
	    "f.yaml:2: the key \"a\" stands here twice, first in line 1" },
	{ "two spellings of one key", "on: 1\n\"true\": 3\n",
	    "f.yaml:2: the key \"true\" stands here twice, first in line 1" },
	{ "a duplicate among many keys",
	    "a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1\nh: 1\ni: 1\nj: 1\n"
	    "k: 1\nl: 1\nm: 1\no: 1\np: 1\nq: 1\nr: 1\ns: 1\nb: 1\n",
	    "f.yaml:19: the key \"b\" stands here twice, first in line 2" },
	{ "an anchor", "a: &x 1\n",
	    "f.yaml:1: an anchor is not allowed here: write the value out" },
	{ "an anchor on a list", "a:\n  &x [1]\n",
	    "f.yaml:2: an anchor is not allowed here: write the value out" },
	{ "an alias", "a: 1\nb: *x\n",
	    "f.yaml:2: an alias is not allowed here: write the value out" },
	{ "an alias as key", "*x : 2\n",
	    "f.yaml:1: an alias is not allowed here: write the value out" },
	{ "a merge key", "a:\n  <<: {b: 1}\n",
	    "f.yaml:2: a merge key is not allowed: write the values out" },
	{ "a tag", "a: !!str 1\n",
	    "f.yaml:1: a tag is not allowed here: a string stands in quotes" },
	{ "a tag of one's own on a mapping", "a: !x {b: 1}\n",
	    "f.yaml:1: a tag is not allowed here: a string stands in quotes" },
	{ "a list as key", "? [a]\n: 1\n",
	    "f.yaml:1: a key must be a string" },
	{ "a mapping as key", "{{a: 1}: 1}",
	    "f.yaml:1: a key must be a string" },
	{ "an empty key", "a: 1\n~: 1\n",
	    "f.yaml:2: an empty key: put it in quotes" },
	{ "a number as key", "1.5: 1\n",
	    "f.yaml:1: a number as key: put it in quotes" },
	{ "an unclosed list", "a: [1,\n2\n", NULL },
	{ "a tab as indentation", "a:\n\tb: 1\n", NULL },
	{ "a raw control octet", "a: b\n\x01", NULL },
	{ "an octet that is not UTF-8", "a: \xff\n", NULL },
	{ "two values in a row", "a: 1\n  b: 2\n", NULL },
    /* clang-format on */
};

static void
check_refusal(void **state)
{
	const struct refusal *r = *state;
	struct errinfo err = {0};
	struct tree *t = NULL;
	struct slice report, all;
	bool done = false;

	assert_status(parse(r->text, &t, &err), STATUS_MALFORMED);
	assert_null(t);
	assert_int_not_equal(err.errors, 0);
	all = buf_slice(&err.text);
	assert_true(slice_starts(all, SLICE("f.yaml:")));
	if (r->report != NULL) {
		assert_true(slice_split(&all, '\n', &done, &report));
		assert_slice(report, r->report);
	}
	errinfo_release(&err);
}

static void
test_all_mistakes_in_one_run(void **state)
{
	struct errinfo err = {0};
	struct tree *t = NULL;

	(void)state;
	assert_status(parse("a: &x 1\nb: *x\na: !t 2\nc: [*x]\n", &t, &err),
	    STATUS_MALFORMED);
	assert_int_equal(err.errors, 5);
	errinfo_release(&err);
}

static void
test_depth(void **state)
{
	char text[2 * TREE_DEPTH + 3];
	struct errinfo err = {0};
	struct tree *t = NULL;

	(void)state;
	memset(text, '[', TREE_DEPTH);
	memset(text + TREE_DEPTH, ']', TREE_DEPTH);
	text[2 * TREE_DEPTH] = '\0';
	assert_ok(parse(text, &t, &err));
	tree_free(t);
	t = NULL;
	memset(text, '[', TREE_DEPTH + 1);
	memset(text + TREE_DEPTH + 1, ']', TREE_DEPTH + 1);
	text[2 * TREE_DEPTH + 2] = '\0';
	assert_status(parse(text, &t, &err), STATUS_LIMIT);
	assert_null(t);
	errinfo_release(&err);
}

/* --- what is read --------------------------------------------------------- */

static void
test_lines_and_kinds(void **state)
{
	struct tree *t = NULL;
	const struct node *root, *list;

	(void)state;
	assert_ok(parse("# comment\n"
			"a: 1\n"
			"list:\n"
			"  - x\n"
			"  - {b: \"y\\n\"}\n"
			"empty:\n",
	    &t, NULL));
	assert_string_equal(tree_name(t), "f.yaml");
	assert_int_equal(tree_documents(t), 1);
	root = tree_root(t, 0);
	assert_int_equal(root->kind, NODE_MAP);
	assert_int_equal(root->count, 3);
	assert_int_equal(node_get(root, "a")->line, 2);
	assert_int_equal(node_get(root, "a")->integer, 1);
	assert_int_equal(root->pairs[1].key_line, 3);
	list = node_get(root, "list");
	assert_int_equal(list->kind, NODE_LIST);
	assert_int_equal(list->count, 2);
	assert_slice(list->items[0]->text, "x");
	assert_int_equal(list->items[1]->line, 5);
	assert_slice(node_get(list->items[1], "b")->text, "y\n");
	assert_true(node_is_absent(node_get(root, "empty")));
	assert_true(node_is_absent(node_get(root, "none")));
	assert_null(node_get(list, "a"));
	tree_free(t);
}

static void
test_json(void **state)
{
	struct tree *t = NULL;
	const struct node *root;

	(void)state;
	assert_ok(parse("{\"a\":\"x\\u00e9\\/\\\"\",\"b\":[true,null,-2,{}],\n"
			"\t\"c\" : \"true\"}",
	    &t, NULL));
	root = tree_root(t, 0);
	assert_slice(node_get(root, "a")->text, "x\xc3\xa9/\"");
	assert_int_equal(node_get(root, "b")->count, 4);
	assert_int_equal(node_get(root, "b")->items[0]->kind, NODE_BOOL);
	assert_int_equal(node_get(root, "b")->items[1]->kind, NODE_NULL);
	assert_int_equal(node_get(root, "b")->items[2]->integer, -2);
	assert_int_equal(node_get(root, "b")->items[3]->kind, NODE_MAP);
	assert_int_equal(node_get(root, "c")->kind, NODE_STRING);
	tree_free(t);
}

static void
test_quoted_is_string(void **state)
{
	struct tree *t = NULL;
	const struct node *root;

	(void)state;
	assert_ok(parse("- 'yes'\n- \"1\"\n- |\n  2\n- \"\"\n- \"a\\0b\"\n", &t,
	    NULL));
	root = tree_root(t, 0);
	assert_int_equal(root->count, 5);
	for (size_t i = 0; i < root->count; i++)
		assert_int_equal(root->items[i]->kind, NODE_STRING);
	assert_slice(root->items[2]->text, "2\n");
	assert_slices(root->items[4]->text, SLICE("a\0b"));
	tree_free(t);
}

static void
test_documents(void **state)
{
	struct tree *t = NULL;

	(void)state;
	assert_ok(parse("---\n# nothing\n---\na: 1\n---\n~\n---\n- 2\n...\n",
	    &t, NULL));
	assert_int_equal(tree_documents(t), 2);
	assert_int_equal(tree_root(t, 0)->kind, NODE_MAP);
	assert_int_equal(tree_root(t, 1)->kind, NODE_LIST);
	tree_free(t);
	assert_ok(parse("", &t, NULL));
	assert_int_equal(tree_documents(t), 0);
	tree_free(t);
	assert_ok(parse("# only a comment\n", &t, NULL));
	assert_int_equal(tree_documents(t), 0);
	tree_free(t);
}

static void
test_keys_as_json(void **state)
{
	struct tree *t = NULL;
	const struct node *root;

	(void)state;
	assert_ok(parse("on: a\n0x10: b\n'off': c\n\"<<\": d\n", &t, NULL));
	root = tree_root(t, 0);
	assert_slice(node_get(root, "true")->text, "a");
	assert_slice(node_get(root, "16")->text, "b");
	assert_slice(node_get(root, "off")->text, "c");
	assert_slice(node_get(root, "<<")->text, "d");
	tree_free(t);
}

static void
test_many_keys(void **state)
{
	enum {
		KEYS = 20000
	};
	struct tree *t = NULL;
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 20);
	for (int i = 0; i < KEYS; i++)
		buf_putf(&text, "k%d: %d\n", i, i);
	assert_ok(tree_parse(buf_slice(&text), "big", &t, NULL));
	assert_int_equal(tree_root(t, 0)->count, KEYS);
	assert_int_equal(node_get(tree_root(t, 0), "k777")->integer, 777);
	tree_free(t);
	buf_release(&text);
}

static void
test_files(void **state)
{
	char path[] = "/tmp/test_tree.XXXXXX";
	struct errinfo err = {0};
	struct tree *t = NULL;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "a: 1\n", 5), 5);
	assert_ok(tree_read_file(path, &t, &err));
	assert_string_equal(tree_name(t), path);
	tree_free(t);
	t = NULL;
	(void)close(fd);
	(void)unlink(path);
	assert_status(tree_read_file(path, &t, &err), STATUS_IO);
	assert_status(tree_read_file("/tmp", &t, &err), STATUS_IO);
	assert_null(t);
	assert_int_equal(err.errors, 2);
	errinfo_release(&err);
}

/* --- scalars, from the vector file ---------------------------------------- */

static void
check_scalar(void **state)
{
	const struct vector *v = *state;
	struct guard g = {0};
	int64_t integer = 99;
	enum node_kind kind =
	    scalar_resolve(guard_copy(&g, v->columns[0]), &integer);
	char *value = strndup(v->columns[2].p, v->columns[2].n);

	assert_slice(v->columns[1], node_kind_name(kind));
	assert_true(integer == strtoll(value, NULL, 10));
	free(value);
	guard_release(&g);
}

int
main(void)
{
	struct vectors scalars = {0};
	struct rows rows = {0};
	int failed;

	rows_add(&rows, "all mistakes in one run", test_all_mistakes_in_one_run,
	    NULL);
	rows_add(&rows, "depth is bounded", test_depth, NULL);
	rows_add(&rows, "lines and kinds", test_lines_and_kinds, NULL);
	rows_add(&rows, "JSON is YAML", test_json, NULL);
	rows_add(&rows, "what is quoted is a string", test_quoted_is_string,
	    NULL);
	rows_add(&rows, "several documents", test_documents, NULL);
	rows_add(&rows, "plain keys as JSON text", test_keys_as_json, NULL);
	rows_add(&rows, "20,000 keys", test_many_keys, NULL);
	rows_add(&rows, "files", test_files, NULL);
	ROWS_ADD_TABLE(&rows, refusals, check_refusal);
	vectors_read(&scalars, "tests/vectors/tree/scalars.txt");
	rows_add_vectors(&rows, &scalars, check_scalar);
	failed = rows_run(&rows, "tree");
	vectors_release(&scalars);
	return failed;
}
