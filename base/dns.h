/*
 * dns.h - DNS-1123 names, as Kubernetes spells them.
 *
 * In lower case; kubernetes/apimachinery pkg/util/validation.  Pure.
 */
#ifndef BASE_DNS_H
#define BASE_DNS_H

#include "base/attr.h"
#include "base/slice.h"

enum {
	DNS_LABEL_MAX = 63,
	DNS_SUBDOMAIN_MAX = 253
};

/*
 * Letters, digits and inner hyphens, of any length: a subdomain's labels are
 * bounded by the whole only.
 */
bool dns_is_word(struct slice s);

/* A word of at most DNS_LABEL_MAX octets. */
bool dns_is_label(struct slice s);

/* Words with dots between them, DNS_SUBDOMAIN_MAX octets at most. */
bool dns_is_subdomain(struct slice s);

/* name is domain, or a name below it. */
bool dns_is_within(struct slice name, struct slice domain);

#endif
