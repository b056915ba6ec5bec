/*
 * live_keeper.c - a thread for each write.
 */
#include "gateway/live_keeper.h"

#include <pthread.h>
#include <stdlib.h>

#include "config/file.h"
#include "rbac/mirror.h"

/* What the thread works on; the keeper waits for it, or lets it go. */
struct job {
	struct message message;
	struct live_keeper *keeper; /* NULL: it has gone */
	struct loop *loop;
	pthread_t thread;
	char *path;
	struct buf text;
	enum status status;
	struct errinfo err;
};

struct live_keeper {
	struct loop *loop;
	void (*done)(void *arg, bool written, const struct errinfo *err);
	void *arg;
	struct job *job;
};

static void
job_free(struct job *j)
{
	buf_release(&j->text);
	errinfo_release(&j->err);
	free(j->path);
	free(j);
}

static void
deliver(struct message *m, struct loop *l)
{
	struct job *j = CONTAINER_OF(m, struct job, message);
	struct live_keeper *k = j->keeper;

	(void)l;
	if (k != NULL) {
		(void)pthread_join(j->thread, NULL);
		k->job = NULL;
		k->done(k->arg, j->status == STATUS_OK, &j->err);
	}
	job_free(j);
}

static void *
job_main(void *arg)
{
	struct job *j = arg;

	(void)pthread_setname_np(pthread_self(), "keeper");
	mirror_sign_copy(&j->text);
	j->status = file_write(j->path, buf_slice(&j->text), &j->err);
	loop_post(j->loop, &j->message);
	return NULL;
}

struct live_keeper *
live_keeper_new(struct loop *l,
    void (*done)(void *arg, bool written, const struct errinfo *err), void *arg)
{
	struct live_keeper *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->loop = l;
	k->done = done;
	k->arg = arg;
	return k;
}

void
live_keeper_free(struct live_keeper *k)
{
	if (k == NULL)
		return;
	if (k->job != NULL) {
		/* Its message is in the loop's inbox, and frees it. */
		(void)pthread_join(k->job->thread, NULL);
		k->job->keeper = NULL;
	}
	free(k);
}

bool
live_keeper_is_busy(const struct live_keeper *k)
{
	return k->job != NULL;
}

bool
live_keeper_write(struct live_keeper *k, const char *path, struct buf *text)
{
	struct job *j = calloc(1, sizeof(*j));

	if (j == NULL) {
		buf_release(text);
		return false;
	}
	j->message.deliver = deliver;
	j->keeper = k;
	j->loop = k->loop;
	j->text = *text;
	*text = (struct buf){0};
	j->path = strdup(path);
	if (j->path == NULL ||
	    pthread_create(&j->thread, NULL, job_main, j) != 0) {
		job_free(j);
		return false;
	}
	k->job = j;
	return true;
}
