/*
 * live_pages.c - what /readyz and /metrics say of live roles.
 */
#include "gateway/live_parts.h"

static size_t
count_objects(const struct live_slot *s)
{
	size_t n = 0;

	for (size_t k = 0; k < MIRROR_KINDS; k++)
		n += mirror_count(s->mirror, (enum mirror_kind)k);
	return n;
}

static const char *
last_error(const struct live_slot *s, enum live_part_name p)
{
	for (size_t k = 0; k < MIRROR_KINDS; k++) {
		const struct reflector *r = &s->reflectors[k];

		if (live_part_of(r->kind) == p && r->last_error[0] != '\0')
			return r->last_error;
	}
	return "";
}

static bool
put_part(const struct live_slot *s, enum live_part_name p, const char *name,
    struct buf *out)
{
	const char *why = last_error(s, p);

	if (s->parts[p].state == LIVE_CURRENT) {
		/* Still good, and no longer renewed: somebody should know. */
		buf_putf(out,
		    "[+]%s of cluster %s ok, heard of %lld s ago%s%s\n", name,
		    s->cluster, (long long)(live_part_age_ms(s, p) / 1000),
		    why[0] != '\0' ? ": " : "", why);
		return true;
	}
	buf_putf(out, "[-]%s of cluster %s: %s%s%s\n", name, s->cluster,
	    s->parts[p].state == LIVE_OLD ? "older than maxStaleness"
					  : "not known yet",
	    why[0] != '\0' ? ": " : "", why);
	return false;
}

bool
live_put_ready(const struct live *v, struct buf *out)
{
	bool ready = true;

	for (const struct live_slot *s = v->slots; s != NULL; s = s->next) {
		if (s->parts[LIVE_ROLES].state != LIVE_NONE)
			ready = put_part(s, LIVE_ROLES, "roles", out) && ready;
		if (s->parts[LIVE_LABELS].state != LIVE_NONE)
			ready = put_part(s, LIVE_LABELS, "namespaces", out) &&
			    ready;
	}
	return ready;
}

enum gauge {
	EVENTS,
	LISTS,
	FAILURES,
	SEALS,
	OBJECTS,
	OCTETS,
	AGE,
	OLD,
	GAUGES
};

static uint64_t
value_of(const struct live_slot *s, enum gauge g)
{
	uint64_t n[GAUGES] = {
	    [SEALS] = s->seals,
	    [OBJECTS] = count_objects(s),
	    [AGE] = (uint64_t)(live_age_ms(s) / 1000),
	    [OLD] = s->parts[LIVE_ROLES].state == LIVE_OLD ||
		s->parts[LIVE_LABELS].state == LIVE_OLD,
	};

	for (size_t k = 0; k < MIRROR_KINDS; k++) {
		n[OCTETS] += mirror_octets(s->mirror, (enum mirror_kind)k);
		n[EVENTS] += s->reflectors[k].events;
		n[LISTS] += s->reflectors[k].lists;
		n[FAILURES] += s->reflectors[k].failures;
	}
	return n[g];
}

/* Prometheus text format 0.0.4: backslash, quote and line end. */
static void
put_label(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\n') {
			buf_puts(out, "\\n");
			continue;
		}
		if (*s == '"' || *s == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *s);
	}
}

void
live_put_metrics(const struct live *v, struct buf *out)
{
	static const struct {
		const char *name, *type, *help;
	} rows[GAUGES] = {
	    [EVENTS] = {"live_events_total", "counter",
		"Events of the watches of a cluster's roles."},
	    [LISTS] = {"live_lists_total", "counter",
		"Lists of a kind that were read whole."},
	    [FAILURES] = {"live_failures_total", "counter",
		"Lists and watches that failed."},
	    [SEALS] = {"live_changes_total", "counter",
		"Changes that were published."},
	    [OBJECTS] = {"live_objects", "gauge",
		"Roles, bindings and namespaces known of a cluster."},
	    [OCTETS] = {"live_objects_bytes", "gauge",
		"Memory that these take, about."},
	    [AGE] = {"live_age_seconds", "gauge",
		"Since the API server was last heard of."},
	    [OLD] = {"live_old", "gauge",
		"1 while the roles are older than maxStaleness."},
	};

	for (size_t g = 0; g < GAUGES && v->slots != NULL; g++) {
		buf_putf(out,
		    "# HELP kube_access_gateway_%s %s\n"
		    "# TYPE kube_access_gateway_%s %s\n",
		    rows[g].name, rows[g].help, rows[g].name, rows[g].type);
		for (const struct live_slot *s = v->slots; s != NULL;
		     s = s->next) {
			buf_putf(out, "kube_access_gateway_%s{cluster=\"",
			    rows[g].name);
			put_label(out, s->cluster);
			buf_putf(out, "\"} %llu\n",
			    (unsigned long long)value_of(s, (enum gauge)g));
		}
	}
}
