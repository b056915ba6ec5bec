/*
 * reason.c - the words for refused identities.
 */
#include "authn/reason.h"

const char *
authn_reason_name(enum authn_reason r)
{
	switch (r) {
	case AUTHN_OK:
		return "ok";
	case AUTHN_NO_CREDENTIALS:
		return "no_credentials";
	case AUTHN_MALFORMED:
		return "malformed";
	case AUTHN_ALGORITHM:
		return "algorithm";
	case AUTHN_UNKNOWN_KEY:
		return "unknown_key";
	case AUTHN_SIGNATURE:
		return "signature";
	case AUTHN_ISSUER:
		return "issuer";
	case AUTHN_AUDIENCE:
		return "audience";
	case AUTHN_EXPIRED:
		return "expired";
	case AUTHN_NOT_YET_VALID:
		return "not_yet_valid";
	case AUTHN_USERNAME_CLAIM:
		return "username_claim";
	case AUTHN_GROUPS_CLAIM:
		return "groups_claim";
	case AUTHN_UID_CLAIM:
		return "uid_claim";
	case AUTHN_CLAIM_SOURCE:
		return "claim_source";
	case AUTHN_APP_OVERAGE:
		return "app_overage";
	case AUTHN_GROUP_LOOKUP:
		return "group_lookup";
	case AUTHN_POP_FORMAT:
		return "pop_format";
	case AUTHN_POP_EXPIRED:
		return "pop_expired";
	case AUTHN_POP_HOST:
		return "pop_host";
	case AUTHN_POP_BINDING:
		return "pop_binding";
	case AUTHN_POP_SIGNATURE:
		return "pop_signature";
	case AUTHN_POP_REPLAY:
		return "pop_replay";
	case AUTHN_CERTIFICATE:
		return "certificate";
	case AUTHN_CERTIFICATE_USAGE:
		return "certificate_usage";
	case AUTHN_CERTIFICATE_SUBJECT:
		return "certificate_subject";
	case AUTHN_CLAIM_RULE:
		return "claim_rule";
	case AUTHN_RESERVED:
		return "reserved";
	case AUTHN_KEYS_UNAVAILABLE:
		return "keys_unavailable";
	case AUTHN_INTERNAL:
		return "internal";
	case AUTHN_REASONS:
		break;
	}
	return "unknown";
}
