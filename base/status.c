/*
 * status.c - the words for named outcomes.
 */
#include "base/status.h"

const char *
status_name(enum status st)
{
	switch (st) {
	case STATUS_OK:
		return "ok";
	case STATUS_NOMEM:
		return "out of memory";
	case STATUS_MALFORMED:
		return "malformed";
	case STATUS_LIMIT:
		return "over a limit";
	case STATUS_NOT_FOUND:
		return "not found";
	case STATUS_EXISTS:
		return "exists already";
	case STATUS_IO:
		return "input/output error";
	case STATUS_TIMEOUT:
		return "timed out";
	case STATUS_CRYPTO:
		return "unusable key, certificate or signature";
	case STATUS_UNSUPPORTED:
		return "not supported";
	}
	return "unknown";
}
