/*
 * watch_files.c - paths to folders and names, and inotify on these.
 */
#include "gateway/watch_files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum {
	SETTLE_MS = 500,
	LATEST_MS = 5000,
	LINKS_MAX = 40, /* symbolic links on one path, as the kernel has it */
};

static const uint32_t self_events = IN_MOVE_SELF | IN_DELETE_SELF;
static const uint32_t entry_events = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE |
    IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE;

/* One name in one folder. */
struct watched {
	struct watched *next;
	int wd;
	bool every; /* any name but hidden ones */
	char name[];
};

struct watch_files {
	struct loop *loop;
	void (*changed)(void *arg);
	void *arg;
	int fd;
	struct event ev;
	struct task task;
	struct timer timer;
	struct watched *list, *former;
	int64_t first_ms; /* of a change that has not settled; 0: none */
	struct timespec since;
	bool warned;
	char what[NAME_MAX + 1]; /* changed first, for the log */
};

static void
note_change(struct watch_files *w, const char *what)
{
	int64_t left;

	if (w->first_ms == 0) {
		w->first_ms = w->loop->now_ms;
		(void)snprintf(w->what, sizeof(w->what), "%s", what);
	}
	left = w->first_ms + LATEST_MS - w->loop->now_ms;
	timer_set(&w->timer, left < SETTLE_MS ? left : SETTLE_MS);
}

static void
settled_run(struct task *t)
{
	struct watch_files *w = CONTAINER_OF(t, struct watch_files, task);

	if (!timer_is_due(&w->timer))
		return;
	timer_off(&w->timer);
	w->first_ms = 0;
	log_info("files have changed, \"%s\" first", w->what);
	w->changed(w->arg);
}

/* --- events --- */

static bool
is_watched(const struct watch_files *w, const struct inotify_event *e)
{
	const char *name = e->len != 0 ? e->name : "";

	for (const struct watched *i = w->list; i != NULL; i = i->next) {
		if (i->wd != e->wd)
			continue;
		if ((e->mask & (self_events | IN_UNMOUNT)) != 0)
			return true;
		if (*name != '\0' &&
		    (i->every ? *name != '.' : strcmp(i->name, name) == 0))
			return true;
	}
	return false;
}

static void
take_events(struct watch_files *w, const char *at, size_t n)
{
	while (n >= sizeof(struct inotify_event)) {
		const struct inotify_event *e =
		    (const struct inotify_event *)(const void *)at;
		size_t size = sizeof(*e) + e->len;

		if ((e->mask & IN_Q_OVERFLOW) != 0)
			note_change(w, "too many to tell");
		else if (is_watched(w, e))
			note_change(w, e->len != 0 ? e->name : "a folder");
		at += size;
		n -= size;
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct watch_files *w = arg;
	_Alignas(struct inotify_event) char events[8192];
	ssize_t n;

	(void)what;
	loop_tick(w->loop);
	while ((n = read(fd, events, sizeof(events))) > 0)
		take_events(w, events, (size_t)n);
}

/* --- which folders and names --- */

/* Once for all paths: one limit is behind them all. */
static void
warn(struct watch_files *w, const char *path)
{
	if (!w->warned)
		log_warn("cannot watch %s: %s; a change of it, or of other "
			 "files, may go unnoticed until SIGHUP",
		    path,
		    errno == ENOSPC ? "fs.inotify.max_user_watches is reached"
			: errno == EMFILE ? "fs.inotify.max_user_instances is "
					    "reached"
					  : strerror(errno));
	w->warned = true;
}

/* name empty: only folder itself; NULL: every name in it. */
static void
watch(struct watch_files *w, const char *folder, const char *name)
{
	size_t n = name != NULL ? strlen(name) : 0;
	uint32_t mask = IN_ONLYDIR | IN_MASK_ADD | self_events |
	    (name == NULL || n != 0 ? entry_events : 0);
	int wd = inotify_add_watch(w->fd, folder, mask);
	struct watched *i;

	if (wd < 0) {
		warn(w, folder);
		return;
	}
	for (i = w->list; i != NULL; i = i->next) {
		if (i->wd == wd && i->every == (name == NULL) &&
		    (name == NULL || strcmp(i->name, name) == 0))
			return;
	}
	i = calloc(1, sizeof(*i) + n + 1);
	if (i == NULL) {
		errno = ENOMEM;
		warn(w, folder);
		return;
	}
	i->wd = wd;
	i->every = name == NULL;
	if (n != 0)
		memcpy(i->name, name, n);
	i->next = w->list;
	w->list = i;
}

/* It may have changed between the reading of it and the watching. */
static void
look_at(struct watch_files *w, const struct stat *st, const char *name)
{
	if (st->st_ctim.tv_sec > w->since.tv_sec ||
	    (st->st_ctim.tv_sec == w->since.tv_sec &&
		st->st_ctim.tv_nsec > w->since.tv_nsec))
		note_change(w, name);
}

static void follow(struct watch_files *w, const char *path, int links);

/* The entries of a folder that is read whole; links lead out of it. */
static void
watch_folder(struct watch_files *w, const char *folder, int links)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	watch(w, folder, NULL);
	while (d != NULL && (e = readdir(d)) != NULL) {
		char path[PATH_MAX];
		struct stat st;
		int n =
		    snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);

		if (e->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof(path) ||
		    lstat(path, &st) != 0)
			continue;
		look_at(w, &st, e->d_name);
		if (S_ISLNK(st.st_mode))
			follow(w, path, links);
	}
	if (d != NULL)
		(void)closedir(d);
}

/* link is in folder, and rest behind it. */
static void
follow_link(struct watch_files *w, const char *folder, const char *link,
    const char *rest, int links)
{
	char target[PATH_MAX], path[3 * PATH_MAX];
	ssize_t n = readlink(link, target, sizeof(target) - 1);

	if (n <= 0 || links >= LINKS_MAX)
		return;
	target[n] = '\0';
	if (target[0] == '/')
		folder = "";
	(void)snprintf(path, sizeof(path), "%s/%s/%s", folder, target, rest);
	follow(w, path, links + 1);
}

/*
 * Walk path: each symbolic link on it, and what it ends at, is watched by
 * name; of the folders between only their own moving away matters.
 */
static void
follow(struct watch_files *w, const char *path, int links)
{
	char folder[PATH_MAX] = "", next[PATH_MAX], name[NAME_MAX + 1] = "";
	struct stat st;

	if (*path != '/')
		(void)snprintf(folder, sizeof(folder), ".");
	while (*(path += strspn(path, "/")) != '\0') {
		size_t n = strcspn(path, "/");
		const char *rest = path + n + strspn(path + n, "/");
		const char *dir = *folder != '\0' ? folder : "/";
		int used;

		if (n >= sizeof(name))
			return;
		memcpy(name, path, n);
		name[n] = '\0';
		path = rest;
		if (strcmp(name, ".") == 0)
			continue;
		used = snprintf(next, sizeof(next), "%s/%s", folder, name);
		if (used < 0 || (size_t)used >= sizeof(next))
			return;
		if (lstat(next, &st) != 0) {
			watch(w, dir, name);
			if (lstat(dir, &st) == 0)
				look_at(w, &st, name);
			return;
		}
		if (S_ISLNK(st.st_mode)) {
			watch(w, dir, name);
			look_at(w, &st, name);
			follow_link(w, folder, next, rest, links);
			return;
		}
		watch(w, dir, *rest == '\0' ? name : "");
		memcpy(folder, next, sizeof(folder));
	}
	if (lstat(folder, &st) != 0)
		return;
	look_at(w, &st, name);
	if (S_ISDIR(st.st_mode))
		watch_folder(w, folder, links);
}

/* What was told until now has been read; the rest is found by its time. */
static void
forget_changes(struct watch_files *w)
{
	char events[4096];

	while (w->fd >= 0 && read(w->fd, events, sizeof(events)) > 0)
		continue;
	timer_off(&w->timer);
	w->first_ms = 0;
}

void
watch_files_begin(struct watch_files *w, int64_t since_us)
{
	forget_changes(w);
	w->former = w->list;
	w->list = NULL;
	w->warned = w->fd < 0; /* was said when it failed */
	w->since = (struct timespec){.tv_sec = (time_t)(since_us / 1000000),
	    .tv_nsec = (long)(since_us % 1000000 * 1000)};
}

void
watch_files_add(struct watch_files *w, const char *path)
{
	if (w->fd >= 0 && path != NULL)
		follow(w, path, 0);
}

void
watch_files_end(struct watch_files *w)
{
	while (w->former != NULL) {
		struct watched *old = w->former, *i = w->list;

		w->former = old->next;
		while (i != NULL && i->wd != old->wd)
			i = i->next;
		/* It may be gone by itself, or have been listed twice. */
		if (i == NULL)
			(void)inotify_rm_watch(w->fd, old->wd);
		free(old);
	}
}

/* --- life --- */

struct watch_files *
watch_files_new(struct loop *l, void (*changed)(void *arg), void *arg)
{
	struct watch_files *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->loop = l;
	w->changed = changed;
	w->arg = arg;
	w->task.run = settled_run;
	timer_init(&w->timer, l, &w->task);
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0) {
		warn(w, "files");
		return w;
	}
	(void)event_assign(&w->ev, l->base, w->fd, EV_READ | EV_PERSIST,
	    on_readable, w);
	(void)event_add(&w->ev, NULL);
	return w;
}

void
watch_files_free(struct watch_files *w)
{
	if (w == NULL)
		return;
	if (w->fd >= 0) {
		(void)event_del(&w->ev);
		(void)close(w->fd);
	}
	loop_forget(w->loop, &w->task);
	timer_release(&w->timer);
	while (w->list != NULL) {
		struct watched *i = w->list;

		w->list = i->next;
		free(i);
	}
	free(w);
}
