/*
 * test_times.c - windows of access rules, against the C library's clock.
 */
#include <stdlib.h>
#include <time.h>

#include "rbac/rules.h"
#include "tests/support/rows.h"

enum {
	MINUTE_S = 60,
	DAY_MIN = 1440
};

static const int64_t day_s = 86400;
static const int64_t loaded_s = 1767225600; /* 2026-01-01T00:00:00Z */

static struct config *config; /* for rules to stand in */

/* When something odd happens to the local time, and where. */
static struct moment {
	const char *name, *zone;
	int64_t at_s;
} moments[] = {
    {"an ordinary day", "Europe/Berlin", 1781000000},
    {"an hour is left out", "Europe/Berlin", 1774746000},
    {"an hour comes twice", "Europe/Berlin", 1792890000},
    {"in New York it is left out", "America/New_York", 1772953200},
    {"in New York it comes twice", "America/New_York", 1793512800},
    {"half an hour comes twice", "Australia/Lord_Howe", 1775314800},
    {"half an hour is left out", "Australia/Lord_Howe", 1791041400},
    {"a quarter off", "Asia/Kathmandu", 1781000000},
    {"far in the east", "Pacific/Kiritimati", 1781000000},
    {"before the zones knew a summer time", "Europe/Berlin", -3000000000},
    {"the epoch", "UTC", 0},
    {"long before it", "UTC", -1234567890},
    {"the last of February", "UTC", 1835308800},
};

/* In minutes; days of those it begins on, bit 0 Sunday. */
static const struct {
	unsigned days, from, to;
} windows[] = {
    {CONFIG_ALL_DAYS, 0, DAY_MIN},
    {BIT(0), 0, DAY_MIN},
    {BIT(6) | BIT(1), 150, 151},
    {CONFIG_ALL_DAYS, 120, 180},
    {BIT(0), 90, 150},
    {BIT(6), 1320, 135},
    {BIT(0), 1439, 1},
    {BIT(1) | BIT(4), 720, 0},
    {BIT(3), DAY_MIN, 30},
};

static bool
is_open(unsigned days, unsigned from, unsigned to, time_t now)
{
	struct tm tm;
	unsigned minute, yesterday;

	assert_non_null(localtime_r(&now, &tm));
	minute = (unsigned)(tm.tm_hour * 60 + tm.tm_min);
	yesterday = (unsigned)((tm.tm_wday + 6) % 7);
	if (from < to)
		return (days & BIT(tm.tm_wday)) != 0 && minute >= from &&
		    minute < to;
	if ((days & BIT(tm.tm_wday)) != 0 && minute >= from)
		return true;
	return (days & BIT(yesterday)) != 0 && minute < to;
}

static void
compare_window(const struct moment *m, size_t window)
{
	const struct config_times when = {.days = windows[window].days,
	    .from_min = windows[window].from,
	    .to_min = windows[window].to,
	    .time_zone = m->zone};
	const struct config_rule rule = {.name = "x",
	    .times = &when,
	    .time_count = 1};
	struct config_cluster c = {.rules = &rule, .rule_count = 1};
	struct access_rules *rules = NULL;
	struct errinfo err = {0};
	struct user u = {.name = SLICE("u")};
	struct attributes a = {.verb = SLICE("get"), .path = SLICE("/")};
	struct rules_question q = {.requestor = &u, .attributes = &a};

	assert_ok(access_rules_new(config, &c, NULL, loaded_s, &rules, &err));
	for (q.now_s = m->at_s - 3 * day_s; q.now_s < m->at_s + 4 * day_s;
	     q.now_s += q.now_s % MINUTE_S == 0 ? MINUTE_S - 1 : 1) {
		struct rules_answer answer;
		bool open = is_open(when.days, when.from_min, when.to_min,
		    (time_t)q.now_s);

		access_rules_ask(rules, &q, &answer);
		assert_int_equal(answer.refused == NULL, open);
		assert_int_equal(answer.lacks, open ? 0 : NEED_TIME);
	}
	access_rules_unref(rules);
	errinfo_release(&err);
}

/* Each minute's first and last second of the week around it. */
static void
check_moment(void **state)
{
	const struct moment *m = *state;

	assert_int_equal(setenv("TZ", m->zone, 1), 0);
	tzset();
	for (size_t i = 0; i < COUNT_OF(windows); i++)
		compare_window(m, i);
}

int
main(void)
{
	struct rows rows = {0};
	struct errinfo err = {0};
	int failed;

	assert_ok(config_load("tests/vectors/rules/rules.yaml", CONFIG_NEED_ALL,
	    &config, &err));
	ROWS_ADD_TABLE(&rows, moments, check_moment);
	failed = rows_run(&rows, "times");
	config_unref(config);
	errinfo_release(&err);
	return failed;
}
