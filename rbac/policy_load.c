/*
 * policy_load.c - files and folders of manifests to one sealed policy.
 *
 * A file we cannot read fails it all, since half a policy is a wrong one; but
 * all files are read, so that one run shows every mistake.
 */
#include "rbac/policy_load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "rbac/manifest.h"

static enum status
add_file(struct builder *b, const char *path, struct errinfo *err)
{
	enum status first = STATUS_OK, st;
	struct tree *t = NULL;

	st = tree_read_file(path, &t, err);
	if (st != STATUS_OK)
		return st;
	for (size_t i = 0; i < tree_documents(t); i++) {
		st = manifest_add(b, tree_root(t, i), path, err);
		if (first == STATUS_OK)
			first = st;
	}
	tree_free(t);
	return first;
}

/* *.yaml, *.yml and *.json, as a shell would match them: no hidden files. */
static int
is_manifest(const struct dirent *e)
{
	struct slice name = slice_of(e->d_name);

	return name.p[0] != '.' &&
	    (slice_ends(name, SLICE(".yaml")) ||
		slice_ends(name, SLICE(".yml")) ||
		slice_ends(name, SLICE(".json")));
}

/* By octets; alphasort() would depend on the locale. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool
is_folder(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static enum status
add_entry(struct builder *b, const char *folder, const char *name,
    struct errinfo *err)
{
	enum status st = STATUS_OK;
	char *path;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return errinfo_set(err, STATUS_NOMEM, folder, 0,
		    "out of memory");
	if (!is_folder(path))
		st = add_file(b, path, err);
	free(path);
	return st;
}

static enum status
add_folder(struct builder *b, const char *path, struct errinfo *err)
{
	enum status first = STATUS_OK, st;
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, is_manifest, by_name);

	if (count < 0)
		return errinfo_set(err, STATUS_IO, path, 0,
		    "cannot be listed: %s", strerror(errno));
	if (count == 0)
		errinfo_warn(err, path, 0,
		    "holds no *.yaml, *.yml or *.json file");
	for (int i = 0; i < count; i++) {
		st = add_entry(b, path, entries[i]->d_name, err);
		if (first == STATUS_OK)
			first = st;
		free(entries[i]);
	}
	free(entries);
	return first;
}

enum status
policy_load(const char *const *paths, size_t count, bool aggregate,
    struct policy **out, struct errinfo *err)
{
	struct builder *b = builder_new();
	enum status first = STATUS_OK, st;

	if (b == NULL)
		return errinfo_set(err, STATUS_NOMEM, NULL, 0, "out of memory");
	for (size_t i = 0; i < count; i++) {
		st = is_folder(paths[i]) ? add_folder(b, paths[i], err)
					 : add_file(b, paths[i], err);
		if (first == STATUS_OK)
			first = st;
	}
	if (first == STATUS_OK) {
		first = builder_seal(b, aggregate, out);
		if (first != STATUS_OK)
			(void)errinfo_set(err, first, NULL, 0, "%s",
			    status_name(first));
	}
	builder_free(b);
	return first;
}
