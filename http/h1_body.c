/*
 * h1_body.c - body framings.
 *
 * Hot: h1_body_next, per block of body.  Budget: data is handed on in place;
 * only chunk lines and trailers are walked octet by octet.
 */
#include "http/h1_body.h"

#include "http/chars.h"

enum chunk_state {
	CHUNK_SIZE = 0, /* the hex digits */
	CHUNK_EXT,      /* behind ';': before or in a name */
	CHUNK_EXT_NAME,
	CHUNK_EXT_VALUE, /* behind '=': nothing yet */
	CHUNK_EXT_TOKEN,
	CHUNK_EXT_QUOTED,
	CHUNK_EXT_ESCAPE, /* behind '\' in quotes */
	CHUNK_EXT_CLOSED, /* behind the closing quote */
	CHUNK_LF,         /* CR seen at the end of the chunk line */
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	TRAILER_START, /* at the start of a line */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	TRAILER_END_LF, /* CR of the final empty line seen */
};

void
h1_body_init(struct h1_body *b, enum framing framing, uint64_t length)
{
	*b = (struct h1_body){
	    .framing = framing,
	    .left = framing == BODY_LENGTH ? length : 0,
	    .done =
		framing == BODY_NONE || (framing == BODY_LENGTH && length == 0),
	};
}

static enum h1_result
bad(struct h1_fault *fault, const char *what)
{
	*fault = (struct h1_fault){400, what, 0};
	return H1_BAD;
}

/* spec: T-18: 1 to 16 hex digits, at most 2^63-1 */
static enum h1_result
size_octet(struct h1_body *b, char c, struct h1_fault *fault)
{
	if (char_is(c, CHAR_HEX)) {
		if (++b->digits > 16 || b->left > (uint64_t)INT64_MAX >> 4)
			return bad(fault, "chunk size too large");
		b->left = b->left << 4 | char_hex(c);
		return H1_MORE;
	}
	if (b->digits == 0)
		return bad(fault, "chunk size without digits");
	if (c == '\r') {
		b->state = CHUNK_LF;
		return H1_MORE;
	}
	if (c == ';') {
		b->state = CHUNK_EXT;
		return H1_MORE;
	}
	return bad(fault, "bad octet in a chunk size");
}

/* Between extensions: another one, or the line's end. */
static enum h1_result
extension_end(struct h1_body *b, char c, struct h1_fault *fault)
{
	if (c == ';')
		b->state = CHUNK_EXT;
	else if (c == '\r')
		b->state = CHUNK_LF;
	else
		return bad(fault, "bad chunk extension");
	return H1_MORE;
}

static bool
is_quoted_text(char c)
{
	return char_is(c, CHAR_VALUE) && c != '\t' && c != '"' && c != '\\';
}

/* spec: T-19, RFC 9112 7.1.1: ;name, ;name=token, ;name="text" */
static enum h1_result
extension_octet(struct h1_body *b, char c, struct h1_fault *fault)
{
	if (++b->chunk_extension > H1_EXTENSION_MAX ||
	    ++b->extensions > H1_EXTENSIONS_MAX)
		return bad(fault, "chunk extensions too long");
	switch (b->state) {
	case CHUNK_EXT:
		if (!char_is(c, CHAR_TOKEN))
			return bad(fault, "chunk extension without name");
		b->state = CHUNK_EXT_NAME;
		return H1_MORE;
	case CHUNK_EXT_NAME:
		if (char_is(c, CHAR_TOKEN))
			return H1_MORE;
		if (c != '=')
			return extension_end(b, c, fault);
		b->state = CHUNK_EXT_VALUE;
		return H1_MORE;
	case CHUNK_EXT_VALUE:
		if (c != '"' && !char_is(c, CHAR_TOKEN))
			return bad(fault, "chunk extension without value");
		b->state = c == '"' ? CHUNK_EXT_QUOTED : CHUNK_EXT_TOKEN;
		return H1_MORE;
	case CHUNK_EXT_TOKEN:
		if (char_is(c, CHAR_TOKEN))
			return H1_MORE;
		return extension_end(b, c, fault);
	case CHUNK_EXT_QUOTED:
		if (c == '"')
			b->state = CHUNK_EXT_CLOSED;
		else if (c == '\\')
			b->state = CHUNK_EXT_ESCAPE;
		else if (!is_quoted_text(c))
			return bad(fault, "bad octet in a chunk extension");
		return H1_MORE;
	case CHUNK_EXT_ESCAPE:
		if (!char_is(c, CHAR_VALUE) || c == '\t')
			return bad(fault, "bad octet in a chunk extension");
		b->state = CHUNK_EXT_QUOTED;
		return H1_MORE;
	default: /* CHUNK_EXT_CLOSED */
		return extension_end(b, c, fault);
	}
}

/* spec: T-20: trailers obey the field rules and are dropped */
static enum h1_result
trailer_octet(struct h1_body *b, char c, struct h1_fault *fault)
{
	if (++b->trailer_bytes > H1_TRAILER_BYTES_MAX)
		return bad(fault, "trailers too long");
	switch (b->state) {
	case TRAILER_START:
		if (c == '\r') {
			b->state = TRAILER_END_LF;
			return H1_MORE;
		}
		if (!char_is(c, CHAR_TOKEN))
			return bad(fault, "bad trailer");
		if (++b->trailers > H1_TRAILERS_MAX)
			return bad(fault, "too many trailers");
		b->state = TRAILER_NAME;
		return H1_MORE;
	case TRAILER_NAME:
		if (c == ':')
			b->state = TRAILER_VALUE;
		else if (!char_is(c, CHAR_TOKEN))
			return bad(fault, "bad trailer name");
		return H1_MORE;
	case TRAILER_VALUE:
		if (c == '\r')
			b->state = TRAILER_LF;
		else if (!char_is(c, CHAR_VALUE))
			return bad(fault, "bad octet in a trailer");
		return H1_MORE;
	case TRAILER_LF:
		if (c != '\n')
			return bad(fault, "a lone CR in a trailer");
		b->state = TRAILER_START;
		return H1_MORE;
	default: /* TRAILER_END_LF */
		if (c != '\n')
			return bad(fault, "a lone CR behind the trailers");
		b->done = true;
		return H1_DONE;
	}
}

/* The line end of a chunk line: data follows, or trailers. */
static void
chunk_begins(struct h1_body *b)
{
	b->state = b->left != 0 ? CHUNK_DATA : TRAILER_START;
	b->digits = 0;
	b->chunk_extension = 0;
}

static enum h1_result
chunk_octet(struct h1_body *b, char c, struct h1_fault *fault)
{
	if (b->state == CHUNK_SIZE)
		return size_octet(b, c, fault);
	if (b->state >= TRAILER_START)
		return trailer_octet(b, c, fault);
	if (b->state == CHUNK_LF) {
		if (c != '\n')
			return bad(fault, "a lone CR in a chunk line");
		chunk_begins(b);
		return H1_MORE;
	}
	if (b->state == CHUNK_DATA_CR || b->state == CHUNK_DATA_LF) {
		if (c != (b->state == CHUNK_DATA_CR ? '\r' : '\n'))
			return bad(fault, "no CR LF behind a chunk");
		b->state =
		    b->state == CHUNK_DATA_CR ? CHUNK_DATA_LF : CHUNK_SIZE;
		return H1_MORE;
	}
	return extension_octet(b, c, fault);
}

/* Up to left bytes from the front of in. */
static struct slice
take(struct h1_body *b, struct slice in)
{
	size_t n = in.n < b->left ? in.n : (size_t)b->left;

	b->left -= n;
	return slice_first(in, n);
}

static enum h1_result
chunked_next(struct h1_body *b, struct slice in, size_t *used,
    struct slice *data, struct h1_fault *fault)
{
	for (size_t i = 0; i < in.n; i++) {
		enum h1_result r;

		if (b->state == CHUNK_DATA) {
			*data = take(b, slice_from(in, i));
			*used = i + data->n;
			if (b->left == 0)
				b->state = CHUNK_DATA_CR;
			return H1_MORE;
		}
		r = chunk_octet(b, in.p[i], fault);
		if (r != H1_MORE) {
			*used = i + 1;
			return r;
		}
	}
	*used = in.n;
	return H1_MORE;
}

enum h1_result
h1_body_next(struct h1_body *b, struct slice in, size_t *used,
    struct slice *data, struct h1_fault *fault)
{
	*used = 0;
	*data = SLICE_EMPTY;
	if (b->done)
		return H1_DONE;
	switch (b->framing) {
	case BODY_CHUNKED:
		return chunked_next(b, in, used, data, fault);
	case BODY_LENGTH:
		*data = take(b, in);
		*used = data->n;
		b->done = b->left == 0;
		return b->done ? H1_DONE : H1_MORE;
	case BODY_UNTIL_CLOSE:
		*data = in;
		*used = in.n;
		return H1_MORE;
	case BODY_NONE:
		break;
	}
	return H1_DONE;
}
