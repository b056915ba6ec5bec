/*
 * message.h - the heads of requests and answers, whatever carries them.
 *
 * HTTP/1.1 framing fills these and is written from these; so will HTTP/2.
 * Slices point into the text of the head.  Values; pure.
 */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include "http/headers.h"
#include "http/method.h"

/* How the body of a message is delimited. */
enum framing {
	BODY_NONE = 0,
	BODY_LENGTH,
	BODY_CHUNKED,     /* by itself: chunks, or frames */
	BODY_UNTIL_CLOSE, /* HTTP/1 answers only */
};

enum upgrade {
	UPGRADE_NONE = 0,
	UPGRADE_WEBSOCKET,
	UPGRADE_SPDY
};

struct request_head {
	enum http_method method;
	struct slice method_text;
	struct slice target; /* as received */
	struct slice host;   /* Host or the absolute target's authority */
	unsigned minor;      /* HTTP/1.minor: 0 or 1 */
	bool keep_alive;     /* the client allows another request */
	bool expects_continue;
	enum upgrade upgrade; /* asked for in a way that counts (T-114) */
	enum framing framing;
	uint64_t length; /* BODY_LENGTH */
	struct headers headers;
	/* To be sent behind them: whom it is for, however many groups. */
	const struct header *more[2];
	size_t more_count[2];
};

struct response_head {
	unsigned status; /* 100..599 */
	struct slice reason;
	unsigned minor;
	bool keep_alive;
	enum upgrade upgrade; /* 101: what it switched to */
	enum framing framing;
	bool has_length; /* Content-Length was there, body or not */
	uint64_t length;
	struct headers headers;
};

/* "websocket" or "SPDY/3.1"; "" for none. */
const char *upgrade_name(enum upgrade u);

#endif
