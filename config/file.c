/*
 * file.c - a whole file, read into memory.
 */
#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FILE_STEP = 64 * 1024
};

static enum status
out_of_room(const char *path, const struct buf *out, struct errinfo *err)
{
	if (buf_room(out) < FILE_STEP)
		return errinfo_set(err, STATUS_LIMIT, path, 0,
		    "is larger than %zu bytes", out->max);
	return errinfo_set(err, STATUS_NOMEM, path, 0, "out of memory");
}

/* One read(2) of at most FILE_STEP; *end is set where the file ends. */
static enum status
read_some(int fd, const char *path, struct buf *out, bool *end,
    struct errinfo *err)
{
	size_t want = buf_room(out) < FILE_STEP ? buf_room(out) : FILE_STEP;
	char probe = 0; /* tells a full file from one that is too large */
	char *to = want != 0 ? buf_reserve(out, want) : &probe;
	ssize_t n;

	if (to == NULL)
		return out_of_room(path, out, err);
	do {
		n = read(fd, to, want != 0 ? want : sizeof(probe));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errinfo_set(err, STATUS_IO, path, 0,
		    "cannot be read: %s", strerror(errno));
	if (n > 0 && want == 0)
		return out_of_room(path, out, err);
	out->len += (size_t)n;
	*end = n == 0;
	return STATUS_OK;
}

enum status
file_read(const char *path, struct buf *out, struct errinfo *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum status st = STATUS_OK;
	bool end = false;

	if (fd < 0)
		return errinfo_set(err, STATUS_IO, path, 0,
		    "cannot be opened: %s", strerror(errno));
	while (st == STATUS_OK && !end)
		st = read_some(fd, path, out, &end, err);
	(void)close(fd);
	return st;
}

static bool
write_all(int fd, struct slice text)
{
	while (text.n != 0) {
		ssize_t n = write(fd, text.p, text.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text = slice_from(text, (size_t)n);
	}
	return true;
}

enum status
file_write(const char *path, struct slice text, struct errinfo *err)
{
	char *beside = NULL;
	bool good;
	int fd;

	if (asprintf(&beside, "%s.new", path) < 0)
		return errinfo_set(err, STATUS_NOMEM, path, 0, "out of memory");
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	good = fd >= 0 && write_all(fd, text) && fsync(fd) == 0;
	if (fd >= 0 && close(fd) != 0)
		good = false;
	if (good)
		good = rename(beside, path) == 0;
	if (!good) {
		(void)errinfo_set(err, STATUS_IO, path, 0, "cannot write: %s",
		    strerror(errno));
		(void)unlink(beside);
	}
	free(beside);
	return good ? STATUS_OK : STATUS_IO;
}
