/*
 * mirrors.c - mirrors, fed and asked.
 */
#include "tests/support/mirrors.h"

#include "tests/support/assert.h"
#include "tests/support/guard.h"

bool
mirror_allows(struct mirror *m, const char *user)
{
	struct user u = {.name = slice_of(user)};
	struct attributes a = {.is_resource = true,
	    .verb = SLICE("get"),
	    .resource = SLICE("pods"),
	    .ns = SLICE("dev")};
	struct policy *p = NULL;
	bool yes;

	assert_ok(mirror_seal(m, &p));
	yes = policy_evaluate(p, &u, &a).decision == ALLOW;
	policy_unref(p);
	return yes;
}

enum status
mirror_read_page(struct mirror *m, enum mirror_kind kind, const char *text,
    struct mirror_page *out)
{
	struct errinfo err = {0};
	struct guard g = {0};
	enum status st = mirror_list_page(m, kind,
	    guard_copy(&g, slice_of(text)), out, &err);

	guard_release(&g);
	errinfo_release(&err);
	return st;
}

bool
mirror_read_list(struct mirror *m, enum mirror_kind kind, const char *text)
{
	struct errinfo err = {0};
	struct mirror_page p;
	bool changed = false;

	mirror_list_begin(m, kind);
	assert_ok(mirror_read_page(m, kind, text, &p));
	assert_null(p.next);
	assert_ok(mirror_list_end(m, kind, &changed, &err));
	errinfo_release(&err);
	return changed;
}

enum status
mirror_read_line(struct mirror *m, enum mirror_kind kind, const char *text,
    struct mirror_event *out)
{
	struct errinfo err = {0};
	struct guard g = {0};
	enum status st = mirror_watch_line(m, kind,
	    guard_copy(&g, slice_of(text)), out, &err);

	guard_release(&g);
	errinfo_release(&err);
	return st;
}

struct mirror *
mirror_of_some(void)
{
	struct mirror *m = mirror_new();

	assert_non_null(m);
	assert_true(mirror_read_list(m, MIRROR_CLUSTER_ROLES, ROLES));
	assert_true(mirror_read_list(m, MIRROR_ROLE_BINDINGS,
	    LIST("RoleBinding", "", BINDING("b", "1", "jane"))));
	return m;
}
