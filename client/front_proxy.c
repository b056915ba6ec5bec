/*
 * front_proxy.c - does an API server believe the gateway?
 */
#include "client/front_proxy.h"

#include <stdio.h>

#include "authn/strict_json.h"

#define NOBODY FRONT_PROXY_NOBODY

const char self_review[] = "{\"apiVersion\":\"authentication.k8s.io/v1\","
			   "\"kind\":\"SelfSubjectReview\"}";

const struct fetch_field front_proxy_fields[FRONT_PROXY_FIELDS] = {
    {"X-Remote-User", NOBODY},
    {"X-Remote-Group", NOBODY},
    {"X-Remote-Group", "system:authenticated"},
    {"X-Remote-Uid", NOBODY},
    {"X-Remote-Extra-Doctor", NOBODY},
};

/*
 * Whom the answer names: the review's user, or the one of a Forbidden, whose
 * sentence has it first in quotes.
 */
static struct slice
name_in(unsigned status, const json_t *doc)
{
	struct slice said, rest;

	if (status / 100 == 2)
		return strict_json_text(json_object_get(
		    json_object_get(json_object_get(doc, "status"), "userInfo"),
		    "username"));
	said = strict_json_text(json_object_get(doc, "message"));
	rest = slice_from(said, slice_index(said, '"'));
	if (rest.n == 0 ||
	    !slice_ends(slice_first(said, said.n - rest.n), SLICE("User ")))
		return SLICE_EMPTY;
	rest = slice_from(rest, 1);
	return slice_first(rest, slice_index(rest, '"'));
}

enum belief
front_proxy_read(unsigned status, struct slice body, char *name, size_t size)
{
	json_t *doc = NULL;
	struct slice seen;
	enum belief b;

	if (status == 401)
		return BELIEF_REFUSED;
	if ((status / 100 != 2 && status != 403) ||
	    strict_json_parse(body, &doc, NULL) != STATUS_OK)
		return BELIEF_UNKNOWN;
	seen = name_in(status, doc);
	b = seen.n == 0                  ? BELIEF_UNKNOWN
	    : slice_eq_str(seen, NOBODY) ? BELIEF_YES
					 : BELIEF_NO;
	if (b == BELIEF_NO)
		(void)snprintf(name, size, "%.*s", SLICE_ARG(seen));
	json_decref(doc);
	return b;
}
