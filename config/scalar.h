/*
 * scalar.h - what a plain YAML scalar is.
 *
 * The rules of sigs.k8s.io/yaml, which the API server and kubectl read with:
 * go.yaml.in/yaml/v2 resolve.go (YAML 1.1 words, Go's number syntax).  A
 * timestamp is a string there, and so it is here.  Pure.
 */
#ifndef CONFIG_SCALAR_H
#define CONFIG_SCALAR_H

#include "config/tree.h"

/*
 * The kind of text as a plain scalar: any but NODE_LIST and NODE_MAP.
 * *integer is set for NODE_INT and NODE_BOOL (0 or 1) and else zero.
 */
enum node_kind scalar_resolve(struct slice text, int64_t *integer);

#endif
