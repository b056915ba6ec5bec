/*
 * review_protobuf.c - the fields of one message in the protobuf wire format.
 *
 * protobuf.dev/programming-guides/encoding: a message is a list of fields,
 * each a tag (number and wire type) and a value; of a repeated scalar the
 * last counts, repeated messages are merged, unknown fields are skipped.
 */
#include "rbac/review.h"

enum wire {
	WIRE_VARINT = 0,
	WIRE_64 = 1,
	WIRE_BYTES = 2,
	WIRE_32 = 5
};

enum {
	VARINT_MAX = 10 /* octets */
};

struct field {
	uint64_t number;
	enum wire wire;
	struct slice bytes; /* of WIRE_BYTES */
};

static bool
take_varint(struct slice *in, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < in->n && i < VARINT_MAX; i++) {
		unsigned char octet = (unsigned char)in->p[i];

		if (i == VARINT_MAX - 1 && octet > 1)
			return false; /* more than 64 bits */
		*out |= (uint64_t)(octet & 0x7f) << 7 * i;
		if ((octet & 0x80) == 0) {
			*in = slice_from(*in, i + 1);
			return true;
		}
	}
	return false;
}

static bool
take_bytes(struct slice *in, uint64_t n, struct slice *out)
{
	if (n > in->n)
		return false;
	*out = slice_first(*in, (size_t)n);
	*in = slice_from(*in, (size_t)n);
	return true;
}

/* The next field; *good becomes false where there is none but octets. */
static bool
next_field(struct slice *in, struct field *f, bool *good)
{
	uint64_t tag, n;

	if (in->n == 0)
		return false;
	*good = false;
	if (!take_varint(in, &tag))
		return false;
	*f = (struct field){.number = tag >> 3, .wire = tag & 7};
	switch (tag & 7) {
	case WIRE_VARINT:
		*good = take_varint(in, &n);
		break;
	case WIRE_64:
		*good = take_bytes(in, 8, &f->bytes);
		break;
	case WIRE_BYTES:
		*good = take_varint(in, &n) && take_bytes(in, n, &f->bytes);
		break;
	case WIRE_32:
		*good = take_bytes(in, 4, &f->bytes);
		break;
	default: /* groups are not used, the rest is not defined */
		break;
	}
	*good = *good && f->number != 0;
	return *good;
}

/* Known fields hold text or messages; anything else breaks the message. */
static bool
is_bytes(const struct field *f, uint64_t number, bool *good)
{
	if (f->number != number)
		return false;
	*good = *good && f->wire == WIRE_BYTES;
	return *good;
}

static bool
read_texts(struct slice message, struct slice *const *to, size_t count)
{
	struct field f;
	bool good = true;

	while (next_field(&message, &f, &good)) {
		if (f.number <= count && to[f.number - 1] != NULL) {
			if (f.wire != WIRE_BYTES || !slice_is_utf8(f.bytes))
				return false;
			*to[f.number - 1] = f.bytes;
		}
	}
	return good;
}

/* k8s.io/api/authorization/v1 ResourceAttributes */
static bool
read_resource(struct slice message, struct attributes *a)
{
	struct slice *const to[] = {&a->ns, &a->verb, &a->api_group,
	    &a->api_version, &a->resource, &a->subresource, &a->name};

	return read_texts(message, to, COUNT_OF(to));
}

/* k8s.io/api/authorization/v1 NonResourceAttributes */
static bool
read_path(struct slice message, struct attributes *a)
{
	struct slice *const to[] = {&a->path, &a->verb};

	return read_texts(message, to, COUNT_OF(to));
}

/* k8s.io/api/authorization/v1 SelfSubjectAccessReviewSpec */
static bool
read_spec(struct slice message, struct attributes *a, bool *has_resource,
    bool *has_path)
{
	struct field f;
	bool good = true;

	while (next_field(&message, &f, &good)) {
		if (is_bytes(&f, 1, &good)) {
			*has_resource = true;
			good = read_resource(f.bytes, a);
		} else if (is_bytes(&f, 2, &good)) {
			*has_path = true;
			good = read_path(f.bytes, a);
		}
		if (!good)
			return false;
	}
	return good;
}

/* k8s.io/api/authorization/v1 SelfSubjectAccessReview */
static bool
read_review(struct slice message, struct attributes *a)
{
	bool has_resource = false, has_path = false, good = true;
	struct field f;

	while (next_field(&message, &f, &good)) {
		if (is_bytes(&f, 2, &good))
			good = read_spec(f.bytes, a, &has_resource, &has_path);
		if (!good)
			return false;
	}
	a->is_resource = has_resource;
	return good && has_resource != has_path;
}

/* k8s.io/apimachinery pkg/runtime TypeMeta */
static bool
is_of_kind(struct slice message)
{
	struct slice version = SLICE_EMPTY, kind = SLICE_EMPTY;
	struct slice *const to[] = {&version, &kind};

	return read_texts(message, to, COUNT_OF(to)) &&
	    slice_eq(version, SLICE("authorization.k8s.io/v1")) &&
	    slice_eq(kind, SLICE("SelfSubjectAccessReview"));
}

/* k8s.io/apimachinery pkg/runtime Unknown, behind its magic octets */
enum status
review_read_protobuf(struct slice body, struct review *out)
{
	struct attributes a = {.is_resource = false};
	struct slice raw = SLICE_EMPTY;
	bool good = true, typed = false;
	struct field f;

	if (!slice_starts(body, slice_make("k8s\0", 4)))
		return STATUS_MALFORMED;
	body = slice_from(body, 4);
	while (next_field(&body, &f, &good)) {
		if (is_bytes(&f, 1, &good))
			good = typed = is_of_kind(f.bytes);
		else if (is_bytes(&f, 2, &good))
			raw = f.bytes;
		/* contentEncoding: the raw octets would not be a message */
		else if (f.number == 3 && f.bytes.n != 0)
			good = false;
		if (!good)
			return STATUS_MALFORMED;
	}
	if (!good || !typed || !read_review(raw, &a))
		return STATUS_MALFORMED;
	out->asked = a;
	return STATUS_OK;
}
