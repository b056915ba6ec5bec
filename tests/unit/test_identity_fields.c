/*
 * test_identity_fields.c - an identity as fields, and which it is refused.
 */
#include "authn/identity_fields.h"

#include "http/h1_write.h"
#include "tests/support/rows.h"

enum {
	ARENA_MAX = 256 * 1024
};

#define S(lit) SLICE_INIT(lit)

static const struct slice two_groups[] = {S("dev"), S("system:authenticated")};
static const struct slice strangers[] = {S("system:unauthenticated")};
static const struct slice both[] = {S("system:unauthenticated"),
    S("system:authenticated")};
static const struct slice blank_before[] = {S(" dev")};
static const struct slice line_end[] = {S("dev\nImpersonate-Group: x")};
static const struct slice no_group[] = {S("")};
static const struct slice utf8[] = {S("d\xc3\xa9v")};
static const struct slice values[] = {S("a"), S("b c")};
static const struct slice nul[] = {{"a\0b", 3}};
static const struct user_extra extras[] = {
    {S("oid"), values, 1},
    {S("example.com/r%om"), values, 2},
};
static const struct user_extra bad_extra[] = {{S("k"), nul, 1}};
static const struct user_extra nameless[] = {{S(""), values, 1}};

/* spec: T-47, T-48, semantics of client-go's round_trippers.go */
static struct row {
	const char *name;
	enum identity_form form;
	struct user user;
	enum identity_fault fault;
	const char *want;
} rows[] = {
    {"a user alone", IDENTITY_AS_IMPERSONATION, {.name = S("ann")},
	IDENTITY_FITS, "Impersonate-User: ann\r\n"},
    {"all of it", IDENTITY_AS_IMPERSONATION,
	{S("ann"), S("4-2"), two_groups, 2, extras, 2}, IDENTITY_FITS,
	"Impersonate-User: ann\r\nImpersonate-Uid: 4-2\r\n"
	"Impersonate-Group: dev\r\nImpersonate-Extra-oid: a\r\n"
	"Impersonate-Extra-example.com%2Fr%25om: a\r\n"
	"Impersonate-Extra-example.com%2Fr%25om: b c\r\n"},
    {"to a front proxy", IDENTITY_AS_REQUEST_HEADER,
	{S("ann"), S("4-2"), two_groups, 2, extras, 1}, IDENTITY_FITS,
	"X-Remote-User: ann\r\nX-Remote-Uid: 4-2\r\nX-Remote-Group: dev\r\n"
	"X-Remote-Group: system:authenticated\r\nX-Remote-Extra-oid: a\r\n"},
    {"anonymous, impersonated", IDENTITY_AS_IMPERSONATION,
	{.name = S("system:anonymous"), .groups = strangers, .group_count = 1},
	IDENTITY_FITS, "Impersonate-User: system:anonymous\r\n"},
    {"anonymous, to a front proxy", IDENTITY_AS_REQUEST_HEADER,
	{.name = S("system:anonymous"), .groups = strangers, .group_count = 1},
	IDENTITY_FITS,
	"X-Remote-User: system:anonymous\r\n"
	"X-Remote-Group: system:unauthenticated\r\n"},
    {"anonymous and authenticated", IDENTITY_AS_IMPERSONATION,
	{.name = S("system:anonymous"), .groups = both, .group_count = 2},
	IDENTITY_FITS,
	"Impersonate-User: system:anonymous\r\n"
	"Impersonate-Group: system:authenticated\r\n"},
    {"somebody who is said to be unauthenticated", IDENTITY_AS_IMPERSONATION,
	{.name = S("ann"), .groups = both, .group_count = 2}, IDENTITY_FITS,
	"Impersonate-User: ann\r\n"
	"Impersonate-Group: system:unauthenticated\r\n"
	"Impersonate-Group: system:authenticated\r\n"},
    {"a service account in one group", IDENTITY_AS_IMPERSONATION,
	{.name = S("system:serviceaccount:a:b"),
	    .groups = two_groups + 1,
	    .group_count = 1},
	IDENTITY_FITS,
	"Impersonate-User: system:serviceaccount:a:b\r\n"
	"Impersonate-Group: system:authenticated\r\n"},
    {"as it is asked", IDENTITY_AS_ASKED,
	{.name = S("ann"), .groups = two_groups, .group_count = 2},
	IDENTITY_FITS,
	"Impersonate-User: ann\r\nImpersonate-Group: dev\r\n"
	"Impersonate-Group: system:authenticated\r\n"},
    {"UTF-8 as it is", IDENTITY_AS_IMPERSONATION,
	{.name = S("ann"), .groups = utf8, .group_count = 1}, IDENTITY_FITS,
	"Impersonate-User: ann\r\nImpersonate-Group: d\xc3\xa9v\r\n"},
    {"T-48 nobody", IDENTITY_AS_IMPERSONATION, {.name = S("")}, IDENTITY_NOBODY,
	NULL},
    {"T-47 a blank before", IDENTITY_AS_IMPERSONATION,
	{.name = S("ann"), .groups = blank_before, .group_count = 1},
	IDENTITY_UNFIT, NULL},
    {"T-47 a blank behind", IDENTITY_AS_REQUEST_HEADER, {.name = S("ann ")},
	IDENTITY_UNFIT, NULL},
    {"T-47 a line end", IDENTITY_AS_IMPERSONATION,
	{.name = S("ann"), .groups = line_end, .group_count = 1},
	IDENTITY_UNFIT, NULL},
    {"T-47 DEL", IDENTITY_AS_IMPERSONATION, {.name = S("an\x7fn")},
	IDENTITY_UNFIT, NULL},
    {"T-47 NUL", IDENTITY_AS_IMPERSONATION,
	{.name = S("ann"), .extra = bad_extra, .extra_count = 1},
	IDENTITY_UNFIT, NULL},
    {"an empty group", IDENTITY_AS_IMPERSONATION,
	{.name = S("ann"), .groups = no_group, .group_count = 1},
	IDENTITY_UNFIT, NULL},
    {"an extra without key", IDENTITY_AS_IMPERSONATION,
	{.name = S("ann"), .extra = nameless, .extra_count = 1}, IDENTITY_UNFIT,
	NULL},
};

static void
check_row(void **state)
{
	const struct row *r = *state;
	struct identity_fields f = {0};
	struct arena a;
	struct buf text;

	arena_init(&a, ARENA_MAX);
	buf_init(&text, ARENA_MAX);
	assert_int_equal(identity_fields_make(r->form, &r->user, &a, &f),
	    r->fault);
	for (size_t i = 0; i < f.count; i++)
		h1_write_field(&text, f.list[i].name, f.list[i].value);
	if (r->want != NULL)
		assert_slice(buf_slice(&text), r->want);
	else
		assert_null(f.list);
	buf_release(&text);
	arena_release(&a);
}

/* As many octets as are allowed, and one more. */
static void
test_limit(void **state)
{
	static char name[IDENTITY_FIELDS_MAX];
	size_t fits =
	    IDENTITY_FIELDS_MAX - sizeof("Impersonate-User: \r\n") + 1;
	struct identity_fields f = {0};
	struct arena a;
	struct user u = {0};

	(void)state;
	memset(name, 'x', sizeof(name));
	arena_init(&a, ARENA_MAX);
	u.name = slice_make(name, fits);
	assert_int_equal(
	    identity_fields_make(IDENTITY_AS_IMPERSONATION, &u, &a, &f),
	    IDENTITY_FITS);
	u.name = slice_make(name, fits + 1);
	assert_int_equal(
	    identity_fields_make(IDENTITY_AS_IMPERSONATION, &u, &a, &f),
	    IDENTITY_TOO_LONG);
	arena_release(&a);
}

/* Too many groups are too many, however little memory there is for them. */
static void
test_thousands_of_groups(void **state)
{
	static struct slice groups[11001];
	const size_t one = sizeof("Impersonate-Group: x\r\n") - 1;
	const size_t name = sizeof("Impersonate-User: ann\r\n") - 1;
	size_t fit = (IDENTITY_FIELDS_MAX - name) / one;
	struct user u = {.name = S("ann"), .groups = groups};
	struct identity_fields f = {0};
	struct arena a;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(groups); i++)
		groups[i] = i == 0 ? GROUP_AUTHENTICATED : SLICE("x");
	arena_init(&a, 192 * 1024);
	u.group_count = fit + 1; /* the first is not said */
	assert_int_equal(
	    identity_fields_make(IDENTITY_AS_IMPERSONATION, &u, &a, &f),
	    IDENTITY_FITS);
	assert_int_equal(f.count, fit + 1);
	for (u.group_count++; u.group_count <= COUNT_OF(groups);
	     u.group_count += 97) {
		arena_reset(&a);
		assert_int_equal(
		    identity_fields_make(IDENTITY_AS_IMPERSONATION, &u, &a, &f),
		    IDENTITY_TOO_LONG);
	}
	arena_release(&a);
}

static void
test_no_memory(void **state)
{
	static const struct slice key = S("a key of some length");
	const struct user_extra e = {key, values, 1};
	struct user u = {.name = S("ann"), .extra = &e, .extra_count = 1};
	struct identity_fields f = {0};
	struct arena a;

	(void)state;
	arena_init(&a, 1);
	assert_int_equal(
	    identity_fields_make(IDENTITY_AS_IMPERSONATION, &u, &a, &f),
	    IDENTITY_NO_MEMORY);
	arena_release(&a);
	arena_init(&a, 4 * sizeof(struct header));
	assert_int_equal(
	    identity_fields_make(IDENTITY_AS_IMPERSONATION, &u, &a, &f),
	    IDENTITY_NO_MEMORY);
	assert_null(f.list);
	arena_release(&a);
}

int
main(void)
{
	struct rows all = {0};

	ROWS_ADD_TABLE(&all, rows, check_row);
	rows_add(&all, "how much there may be", test_limit, NULL);
	rows_add(&all, "thousands of groups", test_thousands_of_groups, NULL);
	rows_add(&all, "no memory", test_no_memory, NULL);
	return rows_run(&all, "identity_fields");
}
