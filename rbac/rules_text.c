/*
 * rules_text.c - what access rules say in words.
 */
#include "base/text.h"
#include "rbac/rules_parts.h"

static void
put_choice(struct buf *out, const char *what, const struct strings *list)
{
	buf_putf(out, "%s ", what);
	for (size_t i = 0; i < list->count; i++) {
		buf_puts(out, i != 0 ? " or " : "");
		buf_put(out, list->items[i]);
	}
}

static void
put_networks(struct buf *out, const struct config_strings *names)
{
	buf_puts(out, "network ");
	for (size_t i = 0; i < names->count; i++)
		buf_putf(out, "%s%s", i != 0 ? " or " : "", names->list[i]);
}

static void
put_clock(struct buf *out, unsigned minutes)
{
	buf_putf(out, "%02u:%02u", minutes / 60, minutes % 60);
}

/* "mon,fri 07:00-19:00 UTC" */
static void
put_window(struct buf *out, const struct config_times *t)
{
	static const char *const days[] = {"sun", "mon", "tue", "wed", "thu",
	    "fri", "sat"};
	bool first = true;

	for (unsigned i = 0; i < COUNT_OF(days) && t->days != CONFIG_ALL_DAYS;
	     i++) {
		if ((t->days & BIT(i)) == 0)
			continue;
		buf_putf(out, "%s%s", first ? "" : ",", days[i]);
		first = false;
	}
	buf_puts(out, first ? "" : " ");
	put_clock(out, t->from_min);
	buf_putc(out, '-');
	put_clock(out, t->to_min);
	buf_putf(out, " %s", t->time_zone);
}

static void
put_times(struct buf *out, const struct access_rule *rule)
{
	buf_puts(out, "the time ");
	for (size_t i = 0; i < rule->time_count; i++) {
		buf_puts(out, i != 0 ? " or " : "");
		put_window(out, rule->times[i].config);
	}
}

static void
put_need(struct buf *out, const struct access_rule *rule, enum rule_need need)
{
	switch (need) {
	case NEED_NETWORK:
		put_networks(out, &rule->config->networks);
		break;
	case NEED_USER:
		put_choice(out, "user", &rule->required_users);
		break;
	case NEED_GROUP:
		put_choice(out, "group", &rule->required_groups);
		break;
	case NEED_CERTIFICATE:
		buf_puts(out, "a client certificate");
		break;
	case NEED_TIME:
		put_times(out, rule);
		break;
	}
}

void
access_rule_put_refusal(struct buf *out, const struct access_rule *rule,
    unsigned lacks)
{
	static const enum rule_need needs[] = {NEED_NETWORK, NEED_USER,
	    NEED_GROUP, NEED_CERTIFICATE, NEED_TIME};
	bool first = true;

	buf_puts(out, "access rule ");
	text_put_goquoted(out, rule->name);
	buf_puts(out, " requires ");
	for (size_t i = 0; i < COUNT_OF(needs); i++) {
		if ((lacks & (unsigned)needs[i]) == 0)
			continue;
		buf_puts(out, first ? "" : " and ");
		put_need(out, rule, needs[i]);
		first = false;
	}
}

void
access_rules_put_shadow(struct buf *out, const struct access_rules *r,
    const struct rules_answer *a)
{
	bool first = true;

	for (size_t i = 0; i < access_rules_count(r); i++) {
		if ((a->shadow[i / 64] >> i % 64 & 1) == 0)
			continue;
		buf_puts(out, first ? "" : ",");
		buf_put(out, r->list[i].name);
		first = false;
	}
}
