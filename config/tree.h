/*
 * tree.h - a YAML or JSON document whose nodes know their line.
 *
 * Every file that people write is read through this: the configuration, RBAC
 * manifests, AuthenticationConfiguration.  JSON is YAML here (YAML 1.2 1.3).
 * Plain scalars are resolved as sigs.k8s.io/yaml does (YAML 1.1 words such as
 * yes and on are booleans); quoted ones are strings.  Duplicate keys, anchors,
 * aliases, merge keys, tags, and keys that are not scalars are errors with
 * line numbers.  Depth is at most TREE_DEPTH, size at most TREE_MAX bytes.
 * A parsed tree is constant: any number of threads may read it.
 */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include "base/attr.h"
#include "base/errinfo.h"
#include "base/slice.h"
#include "base/status.h"

enum {
	TREE_DEPTH = 64,
	TREE_MAX = 256 * 1024 * 1024
};

enum node_kind {
	NODE_NULL, /* nothing, ~, null */
	NODE_BOOL,
	NODE_INT, /* fits int64_t; otherwise NODE_FLOAT */
	NODE_FLOAT,
	NODE_STRING,
	NODE_LIST,
	NODE_MAP,
};

struct node;

struct pair {
	struct slice key;
	unsigned key_line;
	const struct node *value;
};

/* Visible for reading; only the tree's own files make them. */
struct node {
	enum node_kind kind;
	unsigned line;     /* from 1 */
	struct slice text; /* scalars: as written, quotes and escapes undone */
	int64_t integer;   /* NODE_INT; NODE_BOOL: 0 or 1 */
	size_t count;      /* NODE_LIST, NODE_MAP: how many */
	union {
		const struct node **items; /* NODE_LIST */
		const struct pair *pairs;  /* NODE_MAP, in the order written */
	};
};

struct tree; /* owns its nodes and their text */

/*
 * Read the file at path.  On success *out is new; the caller frees it.
 * Errors are added to err with path as the file: STATUS_IO, STATUS_MALFORMED,
 * STATUS_LIMIT, STATUS_NOMEM; *out is then untouched.
 */
NODISCARD enum status tree_read_file(const char *path, struct tree **out,
    struct errinfo *err);

/* The same for text in memory; name stands for it in errors.  Copies. */
NODISCARD enum status tree_parse(struct slice text, const char *name,
    struct tree **out, struct errinfo *err);

void tree_free(struct tree *t);

/* What errors call the input: the path, or the name given. */
const char *tree_name(const struct tree *t);

/* Documents of the stream, empty ones left out; the root node of each. */
size_t tree_documents(const struct tree *t);
const struct node *tree_root(const struct tree *t, size_t i);

/* The value under key, or NULL if n is not a map or has no such key. */
const struct node *node_get(const struct node *n, const char *key);

/* For errors: "a string", "a list", "a mapping", "an integer", "nothing". */
const char *node_kind_name(enum node_kind kind);

/* True for NODE_NULL and for NULL: the field counts as absent. */
bool node_is_absent(const struct node *n);

#endif
