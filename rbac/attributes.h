/*
 * attributes.h - what a Kubernetes request asks for, read off method and URL.
 *
 * Upstream calls it RequestInfo.  Pure: no I/O, no clock, no allocation.
 * Slices in the result point into the path and query that were passed in (or
 * into static text, or the scratch), and live only as long as those.
 * Rules: kubernetes/apiserver pkg/endpoints/request/requestinfo.go,
 * NewRequestInfo; apimachinery pkg/fields/selector.go, pkg/labels/selector.go.
 * This is the API server's reading of every input; what the gateway's door
 * refuses beyond it is http/uri's business.
 */
#ifndef RBAC_ATTRIBUTES_H
#define RBAC_ATTRIBUTES_H

#include "base/attr.h"
#include "base/slice.h"
#include "base/status.h"

enum {
	ATTRIBUTES_PARTS = 64 /* further ones are counted, not kept */
};

struct attributes {
	bool is_resource;  /* false: only path, verb and api_prefix are set */
	struct slice path; /* decoded */
	struct slice verb; /* "list", ...; empty: method has no verb */
	struct slice api_prefix; /* "api" or "apis" */
	struct slice api_group;  /* empty: the core group */
	struct slice api_version;
	struct slice ns; /* empty: cluster-scoped, or all namespaces */
	struct slice resource;
	struct slice subresource;
	struct slice name;
	struct slice parts[ATTRIBUTES_PARTS]; /* unset from part_count on */
	size_t part_count;
	struct slice field_selector; /* decoded, as given, even if unparsable */
	struct slice label_selector;
};

/*
 * Read one request into *out.
 * method   any HTTP token, compared by octet; lower-cased into the verb of
 *          non-resource requests.
 * path     percent-decoded exactly once.
 * query    raw, without the '?'; may be empty.
 * scratch  room for decoded query values, the lower-cased method and the
 *          selector's unescaped name (an octet that is not UTF-8 becomes three
 *          there): at least ATTRIBUTES_SCRATCH(method, query) bytes.
 * Returns STATUS_OK; STATUS_MALFORMED when nothing follows a /watch/ or
 * /proxy/ prefix (the API server's 500); STATUS_LIMIT when the scratch is too
 * small.  On failure *out is untouched.
 * Reentrant.  Hot: once per request, one pass over each argument.
 */
#define ATTRIBUTES_SCRATCH(method_len, query_len)                              \
	((method_len) + 4 * (query_len))
NODISCARD enum status attributes_parse(struct slice method, struct slice path,
    struct slice query, char *scratch, size_t scratch_size,
    struct attributes *out);

/*
 * Requests that live on (AS pkg/server/config, longrunning check): verbs
 * watch and proxy; subresources attach, exec, proxy, log, portforward; paths
 * under /debug/pprof/.
 */
bool attributes_is_long_running(const struct attributes *a);

/* exec, attach and portforward of pods: streams that need verb create. */
bool attributes_is_stream(const struct attributes *a);

#endif
