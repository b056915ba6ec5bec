/*
 * resolve.c - a thread that waits for name servers.
 */
#include "client/resolve.h"

#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct resolver {
	struct queue jobs;
	atomic_bool stopping;
	pthread_t thread;
	struct queue_node wake; /* posted once, to end the thread */
};

static void
look_up(struct resolve_job *job)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV};
	struct addrinfo *list = NULL;
	char service[8];

	job->count = 0;
	job->status = STATUS_NOT_FOUND;
	if (dial_literal(job->host, job->port, &job->endpoints[0])) {
		job->count = 1;
		job->status = STATUS_OK;
		return;
	}
	(void)snprintf(service, sizeof(service), "%u", job->port);
	if (getaddrinfo(job->host, service, &hints, &list) != 0)
		return;
	for (struct addrinfo *a = list; a != NULL; a = a->ai_next) {
		struct endpoint *e = &job->endpoints[job->count];

		if (job->count == ENDPOINTS_MAX)
			break;
		*e = (struct endpoint){.len = a->ai_addrlen};
		memcpy(&e->address, a->ai_addr, a->ai_addrlen);
		job->count++;
	}
	freeaddrinfo(list);
	if (job->count != 0)
		job->status = STATUS_OK;
}

static void
deliver(struct message *m, struct loop *l)
{
	struct resolve_job *job = CONTAINER_OF(m, struct resolve_job, message);

	(void)l;
	job->done(job);
}

static struct resolve_job *
job_of(struct queue_node *n)
{
	return CONTAINER_OF(n, struct resolve_job, message.node);
}

static void
answer(struct resolve_job *job)
{
	job->message.deliver = deliver;
	loop_post(job->loop, &job->message);
}

static void *
resolver_main(void *arg)
{
	struct resolver *r = arg;
	struct pollfd p = {.fd = r->jobs.fd, .events = POLLIN};

	(void)pthread_setname_np(pthread_self(), "resolver");
	while (!atomic_load(&r->stopping)) {
		struct queue_node *n;

		(void)poll(&p, 1, -1);
		queue_rearm(&r->jobs);
		while (!atomic_load(&r->stopping) &&
		    (n = queue_take(&r->jobs)) != NULL) {
			if (n == &r->wake)
				continue;
			look_up(job_of(n));
			answer(job_of(n));
		}
	}
	return NULL;
}

struct resolver *
resolver_new(void)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	if (queue_init(&r->jobs) != STATUS_OK ||
	    pthread_create(&r->thread, NULL, resolver_main, r) != 0) {
		queue_release(&r->jobs);
		free(r);
		return NULL;
	}
	return r;
}

void
resolver_free(struct resolver *r)
{
	struct queue_node *n;

	if (r == NULL)
		return;
	atomic_store(&r->stopping, true);
	queue_post(&r->jobs, &r->wake);
	(void)pthread_join(r->thread, NULL);
	while ((n = queue_take(&r->jobs)) != NULL) {
		if (n == &r->wake)
			continue;
		job_of(n)->status = STATUS_NOT_FOUND;
		answer(job_of(n));
	}
	queue_release(&r->jobs);
	free(r);
}

void
resolver_ask(struct resolver *r, struct resolve_job *job)
{
	queue_post(&r->jobs, &job->message.node);
}
