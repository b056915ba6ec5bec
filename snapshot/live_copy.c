/*
 * live_copy.c - a cluster's roles from a file.
 */
#include "snapshot/live_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

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

/* Who may write it may grant all that a role can, and a pipe never ends. */
static enum status
check_file(const char *path, struct errinfo *err)
{
	struct stat s;

	if (stat(path, &s) != 0)
		return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_OK;
	if (!S_ISREG(s.st_mode))
		return errinfo_set(err, STATUS_MALFORMED, path, 0,
		    "is no regular file");
	if ((s.st_mode & S_IWOTH) != 0)
		return errinfo_set(err, STATUS_MALFORMED, path, 0,
		    "may be written by everybody");
	return STATUS_OK;
}

enum status
live_copy_load(const char *path, const char *server, struct mirror **out,
    struct mirror_copy *about, struct errinfo *err)
{
	struct mirror *m = NULL;
	struct buf text;
	enum status st = check_file(path, err);

	if (st != STATUS_OK)
		return st;
	buf_init(&text, LIVE_COPY_MAX);
	st = file_read(path, &text, err);
	if (st == STATUS_OK) {
		m = mirror_new();
		st = m != NULL ? mirror_take_copy(m, buf_slice(&text), path,
				     server, about, err)
			       : STATUS_NOMEM;
	}
	buf_release(&text);
	if (st == STATUS_OK)
		*out = m;
	else
		mirror_free(m);
	return st;
}
