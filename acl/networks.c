/*
 * networks.c - one set of ranges for each name.
 */
#include "acl/networks.h"

#include <stdlib.h>

#include "base/ref.h"

struct network {
	char *name;
	struct ranges *ranges;
};

struct networks {
	struct ref refs;
	size_t count;
	struct network list[];
};

static enum status
fill(struct network *n, const struct config_network *from, const char *path,
    struct errinfo *err)
{
	enum status first = STATUS_OK;

	n->name = strdup(from->name);
	n->ranges = ranges_new();
	if (n->name == NULL || n->ranges == NULL)
		return STATUS_NOMEM;
	for (size_t i = 0; i < from->cidrs.count; i++) {
		struct cidr c;
		const char *why = NULL;
		enum status st =
		    cidr_parse(slice_of(from->cidrs.list[i]), &c, &why);

		if (st != STATUS_OK)
			st = errinfo_set(err, st, path, from->cidrs.lines[i],
			    "networks.%s: \"%s\": %s", from->name,
			    from->cidrs.list[i], why);
		else
			st = ranges_add(n->ranges, &c, false);
		if (first == STATUS_OK)
			first = st;
	}
	return first == STATUS_OK ? ranges_seal(n->ranges) : first;
}

enum status
networks_new(const struct config *config, struct networks **out,
    struct errinfo *err)
{
	struct networks *n =
	    calloc(1, sizeof(*n) + config->network_count * sizeof(n->list[0]));
	enum status st = STATUS_OK;

	if (n == NULL)
		return errinfo_set(err, STATUS_NOMEM, NULL, 0, "out of memory");
	ref_init(&n->refs);
	n->count = config->network_count;
	for (size_t i = 0; i < n->count; i++) {
		enum status one =
		    fill(&n->list[i], &config->networks[i], config->path, err);

		if (st == STATUS_OK)
			st = one;
	}
	if (st == STATUS_OK) {
		*out = n;
		return STATUS_OK;
	}
	networks_unref(n);
	return st == STATUS_MALFORMED ? st /* told where it was seen */
				      : errinfo_set(err, st, config->path, 0,
					    "networks: %s", status_name(st));
}

struct networks *
networks_ref(struct networks *n)
{
	ref_up(&n->refs);
	return n;
}

void
networks_unref(struct networks *n)
{
	if (n == NULL || !ref_down(&n->refs))
		return;
	for (size_t i = 0; i < n->count; i++) {
		free(n->list[i].name);
		ranges_unref(n->list[i].ranges);
	}
	free(n);
}

struct ranges *
networks_ranges(const struct networks *n, const char *name)
{
	for (size_t i = 0; n != NULL && i < n->count; i++) {
		if (strcmp(n->list[i].name, name) == 0)
			return n->list[i].ranges;
	}
	return NULL;
}

const char *
networks_find(const struct networks *n, const struct address *a)
{
	for (size_t i = 0; n != NULL && i < n->count; i++) {
		if (ranges_lookup(n->list[i].ranges, a).admitted)
			return n->list[i].name;
	}
	return NULL;
}
