/*
 * front_proxy.h - does an API server believe X-Remote-User from the gateway?
 *
 * One that does not, since it takes the gateway's certificate for a client's,
 * answers every caller as it would the gateway, which nothing else shows.  So
 * a name that nobody has is told with a SelfSubjectReview, and must come back
 * (T-48; kubernetes/apiserver pkg/authentication/request/headerrequest).
 */
#ifndef CLIENT_FRONT_PROXY_H
#define CLIENT_FRONT_PROXY_H

#include "client/fetch.h"

#define FRONT_PROXY_NOBODY "kube-access-gateway:doctor"

/* To be posted there: "who am I?" */
#define SELF_REVIEW_PATH "/apis/authentication.k8s.io/v1/selfsubjectreviews"
extern const char self_review[];

enum {
	FRONT_PROXY_FIELDS = 5
};

/* FRONT_PROXY_NOBODY as user, group, uid and the extra "doctor". */
extern const struct fetch_field front_proxy_fields[FRONT_PROXY_FIELDS];

enum belief {
	BELIEF_UNKNOWN, /* it was not asked, or knows no such question */
	BELIEF_YES,
	BELIEF_NO,     /* it answered as to somebody else */
	BELIEF_REFUSED /* 401: the certificate is no front proxy's for it */
};

/*
 * What the answer to a question with these fields says.  BELIEF_NO: name, of
 * which at most size octets are written with the NUL, is whom it saw.
 */
enum belief front_proxy_read(unsigned status, struct slice body, char *name,
    size_t size);

#endif
