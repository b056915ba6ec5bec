/*
 * live_copy.c - a cluster's roles from a file.
 */
#include "snapshot/live_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/file.h"

static bool
is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* Octets that no file name should have are written as %XX. */
char *
live_copy_path(const char *state_dir, const char *cluster)
{
	static const char hex[] = "0123456789ABCDEF";
	struct buf b;

	buf_init(&b, strlen(state_dir) + 3 * strlen(cluster) + 16);
	buf_puts(&b, state_dir);
	buf_puts(&b, "/rbac-");
	for (const char *p = cluster; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (is_plain(c)) {
			buf_putc(&b, *p);
		} else {
			buf_putc(&b, '%');
			buf_putc(&b, hex[c >> 4]);
			buf_putc(&b, hex[c & 15]);
		}
	}
	buf_puts(&b, ".json");
	buf_putc(&b, '\0');
	if (!b.overflow)
		return b.data;
	buf_release(&b);
	return NULL;
}

enum status
live_copy_load(const char *path, struct mirror **out, struct mirror_copy *about,
    struct errinfo *err)
{
	struct mirror *m = NULL;
	struct buf text;
	enum status st;

	if (access(path, F_OK) != 0 && errno == ENOENT)
		return STATUS_NOT_FOUND;
	buf_init(&text, LIVE_COPY_MAX);
	st = file_read(path, &text, err);
	if (st == STATUS_OK) {
		m = mirror_new();
		st = m != NULL
		    ? mirror_take_copy(m, buf_slice(&text), path, about, err)
		    : STATUS_NOMEM;
	}
	buf_release(&text);
	if (st == STATUS_OK)
		*out = m;
	else
		mirror_free(m);
	return st;
}
