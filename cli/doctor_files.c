/*
 * doctor_files.c - folders and files that the gateway writes, and its own
 * certificates.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor.h"

/* --- writing --- */

/* Can a file be made there?  One is, and is gone again.  0, or errno. */
static int
try_folder(const char *folder)
{
	char *path = NULL;
	int fd, rc;

	if (asprintf(&path, "%s/.doctor-%ld", folder, (long)getpid()) < 0)
		return ENOMEM;
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	rc = fd < 0 ? errno : 0;
	if (fd >= 0) {
		(void)close(fd);
		(void)unlink(path);
	}
	free(path);
	return rc;
}

static void
say_writable(struct doctor *d, const char *subject, int error,
    const char *advice)
{
	if (error == 0)
		doctor_say(d, FINDING_OK, subject, "can be written");
	else
		doctor_say(d, FINDING_FAIL, subject,
		    "cannot be written: %s; %s", strerror(error), advice);
}

void
doctor_check_state(struct doctor *d)
{
	const char *folder = d->snap->config->state_dir;
	char subject[4200];

	if (folder == NULL)
		return; /* the configuration's loader warns */
	(void)snprintf(subject, sizeof(subject), "stateDir %s", folder);
	say_writable(d, subject, try_folder(folder),
	    "it must be there and belong to the user that the gateway runs as");
}

/* A file that is there is not changed, one that is not is not made. */
static int
try_file(const char *path)
{
	const char *slash = strrchr(path, '/');
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK);
	char *folder;
	int rc;

	if (fd >= 0) {
		(void)close(fd);
		return 0;
	}
	if (errno != ENOENT || slash == NULL)
		return errno;
	folder = strndup(path, slash != path ? (size_t)(slash - path) : 1);
	rc = folder != NULL ? try_folder(folder) : ENOMEM;
	free(folder);
	return rc;
}

void
doctor_check_audit(struct doctor *d)
{
	const char *path = d->snap->config->audit_file;
	char subject[4200];

	if (path == NULL)
		return;
	(void)snprintf(subject, sizeof(subject), "audit.file %s", path);
	say_writable(d, subject, try_file(path),
	    "its folder must be there, and both belong to the user that the "
	    "gateway runs as");
}

/* --- our certificates --- */

static bool
is_covered(const struct tls_server *s, const char *name)
{
	for (size_t i = 0; i < tls_server_count(s); i++) {
		if (tls_server_has_name(s, i, name))
			return true;
	}
	return false;
}

static void
check_names(struct doctor *d, const struct snapshot_listener *l,
    const struct cluster *c, const char *subject)
{
	const struct config_strings *names = &c->config->server_names;

	for (size_t i = 0; i < names->count; i++) {
		if (is_covered(l->tls, names->list[i]))
			doctor_say(d, FINDING_OK, subject,
			    "a certificate is for %s of cluster %s",
			    names->list[i], c->config->name);
		else
			doctor_say(d, FINDING_FAIL, subject,
			    "no certificate is for %s of cluster %s: clients "
			    "refuse it; its subjectAltName must have the name",
			    names->list[i], c->config->name);
	}
}

static void
check_listener(struct doctor *d, const struct snapshot_listener *l)
{
	char subject[4600];

	for (size_t i = 0; i < tls_server_count(l->tls); i++) {
		int64_t from_s, until_s;

		(void)snprintf(subject, sizeof(subject), "listener %s %s",
		    l->config->name, l->config->certificates[i].cert_file);
		tls_server_validity(l->tls, i, &from_s, &until_s);
		doctor_check_validity(d, subject, from_s, until_s);
	}
	(void)snprintf(subject, sizeof(subject), "listener %s",
	    l->config->name);
	for (size_t i = 0; i < d->snap->cluster_count; i++) {
		const struct cluster *c = &d->snap->clusters[i];

		if (doctor_wants(d, c) && cluster_has_listener(c, l->config))
			check_names(d, l, c, subject);
	}
}

/* True if a cluster that is asked for is reached by it. */
static bool
is_wanted(const struct doctor *d, const struct snapshot_listener *l)
{
	for (size_t i = 0; i < d->snap->cluster_count; i++) {
		const struct cluster *c = &d->snap->clusters[i];

		if (doctor_wants(d, c) && cluster_has_listener(c, l->config))
			return true;
	}
	return false;
}

void
doctor_check_listeners(struct doctor *d)
{
	for (size_t i = 0; i < d->snap->listener_count; i++) {
		if (is_wanted(d, &d->snap->listeners[i]))
			check_listener(d, &d->snap->listeners[i]);
	}
}
