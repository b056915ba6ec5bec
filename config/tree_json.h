/*
 * tree_json.h - a value of JSON as a document.
 *
 * For what programs write: an API server's answers and our own copies of
 * them.  Whoever reads documents (tree.h) reads those, too; every line is 0.
 */
#ifndef CONFIG_TREE_JSON_H
#define CONFIG_TREE_JSON_H

#include <jansson.h>

#include "config/tree.h"

/*
 * One document that is a copy of value; name stands for it in errors.
 * STATUS_LIMIT: nested deeper than TREE_DEPTH.  STATUS_NOMEM.  *out is new on
 * success only; nothing is reported.
 */
NODISCARD enum status tree_from_json(const json_t *value, const char *name,
    struct tree **out);

#endif
