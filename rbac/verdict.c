/*
 * verdict.c - the names of the authorizers.
 */
#include "rbac/verdict.h"

const char *
authorizer_name(enum authorizer a)
{
	switch (a) {
	case AUTHORIZER_MASTERS:
		return "masters";
	case AUTHORIZER_RBAC:
		return "rbac";
	case AUTHORIZER_AZURE:
		return "azure";
	case AUTHORIZER_UPSTREAM:
		return "upstream";
	case AUTHORIZER_NONE:
		break;
	}
	return "none";
}
