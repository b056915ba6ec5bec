/*
 * keys.h - key sets that stand in files, for tests of who uses them.
 */
#ifndef TESTS_SUPPORT_KEYS_H
#define TESTS_SUPPORT_KEYS_H

#include "authn/jwks.h"

/* The set in the file at path, with one reference; a bad one fails the test. */
struct jwks *keys_load(const char *path);

#endif
