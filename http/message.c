/*
 * message.c - words of message heads.
 */
#include "http/message.h"

const char *
upgrade_name(enum upgrade u)
{
	switch (u) {
	case UPGRADE_WEBSOCKET:
		return "websocket";
	case UPGRADE_SPDY:
		return "SPDY/3.1";
	case UPGRADE_NONE:
		break;
	}
	return "";
}
