/*
 * mirrors.h - mirrors, fed and asked; for their tests.
 *
 * Text lies against a guard page while it is read, and what should be good
 * and is not fails the test.
 */
#ifndef TESTS_SUPPORT_MIRRORS_H
#define TESTS_SUPPORT_MIRRORS_H

#include "rbac/mirror.h"

#define META(name, version)                                                    \
	"\"metadata\":{\"name\":\"" name "\",\"namespace\":\"dev\","           \
	"\"resourceVersion\":\"" version "\"}"
#define BINDING(name, version, user)                                           \
	"{" META(name, version) ",\"roleRef\":{\"kind\":\"ClusterRole\","      \
				"\"name\":\"reader\"},\"subjects\":[{"         \
				"\"kind\":\"User\",\"name\":\"" user "\"}]}"
#define LIST(kind, meta, items)                                                \
	"{\"kind\":\"" kind                                                    \
	"List\",\"metadata\":{\"resourceVersion\":\"9\"" meta                  \
	"},\"items\":[" items "]}"
#define ROLES                                                                  \
	LIST("ClusterRole", "",                                                \
	    "{\"metadata\":{\"name\":\"reader\"},\"rules\":[{\"verbs\":"       \
	    "[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}]}")
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}"

/* A cluster role "reader", and jane who is bound to it in dev. */
struct mirror *mirror_of_some(void);

/* May the user get pods in dev? */
bool mirror_allows(struct mirror *m, const char *user);

/* As mirror_list_page and mirror_watch_line, without the reports. */
NODISCARD enum status mirror_read_page(struct mirror *m, enum mirror_kind kind,
    const char *text, struct mirror_page *out);
NODISCARD enum status mirror_read_line(struct mirror *m, enum mirror_kind kind,
    const char *text, struct mirror_event *out);

/* A list of one page; true if it changed anything. */
bool mirror_read_list(struct mirror *m, enum mirror_kind kind,
    const char *text);

#endif
