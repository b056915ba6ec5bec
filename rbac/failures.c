/*
 * failures.c - the first binding of each message, and the messages.
 */
#include "rbac/failures.h"

#include "base/text.h"

static bool
says_the_same(const struct binding *a, const struct binding *b)
{
	bool known = slice_eq(a->role_kind, SLICE("Role")) ||
	    slice_eq(a->role_kind, SLICE("ClusterRole"));

	return slice_eq(a->role_kind, b->role_kind) &&
	    (!known || slice_eq(a->role_name, b->role_name));
}

static bool
is_before(const struct binding *a, const struct binding *b)
{
	if (a->cluster != b->cluster)
		return a->cluster;
	return slice_cmp(a->name, b->name) < 0;
}

static void
take_out(struct failures *f, size_t i)
{
	for (f->count--; i < f->count; i++)
		f->list[i] = f->list[i + 1];
}

/*
 * What is pushed out by FAILURES_MAX earlier ones never belongs: they can
 * only be replaced by bindings that are earlier still.
 */
void
failures_add(struct failures *f, const struct binding *b)
{
	size_t i;

	for (i = 0; i < f->count; i++) {
		if (!says_the_same(f->list[i], b))
			continue;
		if (!is_before(b, f->list[i]))
			return;
		take_out(f, i);
		break;
	}
	if (f->count == FAILURES_MAX) {
		if (!is_before(b, f->list[FAILURES_MAX - 1]))
			return;
		f->count--;
	}
	for (i = f->count++; i != 0 && is_before(b, f->list[i - 1]); i--)
		f->list[i] = f->list[i - 1];
	f->list[i] = b;
}

void
failures_add_all(struct failures *f, const struct failures *more)
{
	for (size_t i = 0; i < more->count; i++)
		failures_add(f, more->list[i]);
}

static void
put_failure(struct buf *out, const struct binding *b)
{
	bool cluster = slice_eq(b->role_kind, SLICE("ClusterRole"));

	if (!cluster && !slice_eq(b->role_kind, SLICE("Role"))) {
		buf_puts(out, "unsupported role reference kind: ");
		text_put_goquoted(out, b->role_kind);
		return;
	}
	buf_puts(out, cluster ? "clusterrole" : "role");
	buf_puts(out, ".rbac.authorization.k8s.io ");
	text_put_goquoted(out, b->role_name);
	buf_puts(out, " not found");
}

void
failures_put(struct buf *out, const struct failures *f)
{
	buf_puts(out, f->count > 1 ? "RBAC: [" : "RBAC: ");
	for (size_t i = 0; i < f->count; i++) {
		buf_puts(out, i != 0 ? ", " : "");
		put_failure(out, f->list[i]);
	}
	buf_puts(out, f->count > 1 ? "]" : "");
}
