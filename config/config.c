/*
 * config.c - the sections of a configuration, in the order of the file.
 */
#include "config/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ref.h"
#include "config/cluster.h"
#include "config/reader.h"

enum {
	ARENA_MAX = 64 * 1024 * 1024,
	WORKERS_AUTO_MAX = 4
};

/* What owns a configuration's memory. */
struct loaded {
	struct ref ref;
	struct arena arena;
	struct config config;
};

static struct loaded *
loaded_of(struct config *c)
{
	return CONTAINER_OF(c, struct loaded, config);
}

struct config *
config_ref(struct config *c)
{
	ref_up(&loaded_of(c)->ref);
	return c;
}

void
config_unref(struct config *c)
{
	if (c == NULL || !ref_down(&loaded_of(c)->ref))
		return;
	arena_release(&loaded_of(c)->arena);
	free(loaded_of(c));
}

static void
read_networks(struct reader *r, const struct place *root, struct config *c)
{
	struct place p = place_field(r, root, "networks");
	struct config_network *list;

	if (!read_pairs(r, &p, "names to lists"))
		return;
	list = read_alloc(r, p.node->count, sizeof(*list));
	c->networks = list;
	for (size_t i = 0; list != NULL && i < p.node->count; i++) {
		char *name = read_dup(r, p.node->pairs[i].key);
		struct place item;

		if (name == NULL)
			return;
		item = place_field(r, &p, name);
		list[i].name = name;
		list[i].cidrs = read_strings(r, &item, read_string);
		c->network_count++;
	}
}

static void
read_certificates(struct reader *r, const struct place *tls,
    struct config_listener *l)
{
	struct place p = place_field(r, tls, "certificates");
	struct config_certificate *list;
	size_t count;

	list = read_items(r, &p, true, sizeof(*list), &count);
	for (size_t i = 0; i < count; i++) {
		struct place item = place_item(&p, i);
		struct place file;

		if (!read_map(r, &item)) {
			read_error(r, &item, "must have certFile and keyFile");
			continue;
		}
		file = place_field(r, &item, "certFile");
		list[i].cert_file = read_path(r, &file);
		file = place_field(r, &item, "keyFile");
		list[i].key_file = read_path(r, &file);
	}
	l->certificates = list;
	l->certificate_count = count;
}

static void
read_listener(struct reader *r, const struct place *p,
    struct config_listener *l)
{
	static const char *const versions[] = {"1.2", "1.3"};
	struct place f;

	l->line = p->line;
	if (!read_map(r, p)) {
		read_error(r, p, "must be a mapping with address and tls");
		return;
	}
	f = place_field(r, p, "address");
	(void)read_address(r, &f, &l->address);
	f = place_field(r, p, "name");
	l->name = place_is_absent(&f) ? l->address.text : read_string(r, &f);
	f = place_field(r, p, "tls");
	if (read_map(r, &f)) {
		struct place v = place_field(r, &f, "minVersion");

		read_certificates(r, &f, l);
		l->tls13_only = read_word(r, &v, versions, 2) == 1;
	}
}

static void
read_listeners(struct reader *r, const struct place *root, struct config *c)
{
	struct place p = place_field(r, root, "listeners");
	struct config_listener *list;
	size_t count;

	list = read_items(r, &p, true, sizeof(*list), &count);
	for (size_t i = 0; i < count; i++) {
		struct place item = place_item(&p, i);

		read_listener(r, &item, &list[i]);
		for (size_t n = 0; n < i; n++) {
			if (list[i].name != NULL && list[n].name != NULL &&
			    strcmp(list[i].name, list[n].name) == 0)
				read_error(r, &item,
				    "the name \"%s\" is taken by the listener "
				    "in line %u",
				    list[i].name, list[n].line);
		}
	}
	c->listeners = list;
	c->listener_count = count;
}

/* --- the rest --- */

static unsigned
read_workers(struct reader *r, const struct place *root)
{
	struct place p = place_field(r, root, "workers");
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (cores < 1)
		cores = 1;
	if (cores > WORKERS_AUTO_MAX)
		cores = WORKERS_AUTO_MAX;
	if (place_is_absent(&p) ||
	    (p.node->kind == NODE_STRING &&
		slice_eq(p.node->text, SLICE("auto"))))
		return (unsigned)cores;
	if (p.node->kind != NODE_INT || p.node->integer < 1 ||
	    p.node->integer > 64) {
		read_error(r, &p, "must be auto or a number from 1 to 64");
		return 1;
	}
	return (unsigned)p.node->integer;
}

static void
read_audit(struct reader *r, const struct place *root, struct config *c)
{
	struct place p = place_field(r, root, "audit");
	struct place f;

	if (!read_map(r, &p))
		return;
	f = place_field(r, &p, "file");
	c->audit_file = read_path(r, &f);
	f = place_field(r, &p, "policyFile");
	c->audit_policy_file = read_path(r, &f);
	f = place_field(r, &p, "failClosed");
	c->audit_fail_closed = read_bool(r, &f);
}

static void
read_log(struct reader *r, const struct place *root, struct config *c)
{
	static const char *const formats[] = {"text", "json"};
	static const char *const levels[] = {"error", "warn", "info", "debug"};
	struct place p = place_field(r, root, "log");
	struct place f;

	c->log_level = CONFIG_LOG_INFO;
	if (!read_map(r, &p))
		return;
	f = place_field(r, &p, "format");
	c->log_json = read_word(r, &f, formats, 2) == 1;
	f = place_field(r, &p, "level");
	c->log_level = (enum config_log_level)read_word(r, &f, levels, 4);
}

static const struct config_address *
read_page(struct reader *r, const struct place *root, const char *name,
    bool loopback)
{
	struct place p = place_field(r, root, name);
	struct config_address *a;
	struct place f;

	if (!read_map(r, &p))
		return NULL;
	f = place_field(r, &p, "address");
	a = read_alloc(r, 1, sizeof(*a));
	if (a == NULL || !read_address(r, &f, a))
		return NULL;
	if (loopback && !slice_starts(slice_of(a->host), SLICE("127.")) &&
	    strcmp(a->host, "::1") != 0)
		read_error(r, &f,
		    "must be a loopback address, since it is "
		    "neither encrypted nor authenticated; use health for "
		    "balancer probes");
	return a;
}

static void
check_head(struct reader *r, const struct place *root)
{
	struct place p = place_field(r, root, "apiVersion");
	const char *s = read_string(r, &p);

	if (s != NULL && strcmp(s, "kube-access-gateway/v1alpha1") != 0)
		read_error(r, &p,
		    "must be kube-access-gateway/v1alpha1, not "
		    "\"%s\"",
		    s);
	p = place_field(r, root, "kind");
	s = read_string(r, &p);
	if (s != NULL && strcmp(s, "Gateway") != 0)
		read_error(r, &p, "must be Gateway, not \"%s\"", s);
}

static void
read_all(struct reader *r, const struct node *node, struct config *c,
    enum config_need need)
{
	struct place root = place_root(node);
	struct place f;

	if (!read_map(r, &root)) {
		read_error(r, &root, "must be a mapping");
		return;
	}
	check_head(r, &root);
	if (need != CONFIG_NEED_AUTHENTICATION) {
		f = place_field(r, &root, "stateDir");
		c->state_dir = read_path(r, &f);
		read_networks(r, &root, c);
	}
	if (need == CONFIG_NEED_ALL) {
		c->workers = read_workers(r, &root);
		read_listeners(r, &root, c);
	}
	read_clusters(r, &root, c, need);
	if (need != CONFIG_NEED_ALL)
		return;
	f = place_field(r, &root, "limits");
	(void)read_map(r, &f);
	f = place_field(r, &f, "connections");
	c->connections = (unsigned)read_count(r, &f);
	read_audit(r, &root, c);
	read_log(r, &root, c);
	c->admin = read_page(r, &root, "admin", true);
	c->health = read_page(r, &root, "health", false);
	f = place_field(r, &root, "drainTimeout");
	c->drain_timeout_ms = read_duration_ms(r, &f);
	if (c->state_dir == NULL)
		errinfo_warn(r->err, r->file, 0,
		    "stateDir is not set: no "
		    "keys are kept for the night when the identity provider "
		    "is down, and no roles of rbac.live for a start without "
		    "the API server");
}

/* The folder that relative paths in the file start from. */
static const char *
folder_of(struct reader *r, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return ".";
	return read_dup(r,
	    slice_make(path, slash != path ? (size_t)(slash - path) : 1));
}

enum status
config_load(const char *path, enum config_need need, struct config **out,
    struct errinfo *err)
{
	struct loaded *l;
	struct tree *tree = NULL;
	struct reader r;
	unsigned before = err->errors;
	enum status st = tree_read_file(path, &tree, err);

	*out = NULL;
	if (st != STATUS_OK)
		return st;
	l = calloc(1, sizeof(*l));
	if (l == NULL) {
		tree_free(tree);
		return errinfo_set(err, STATUS_NOMEM, path, 0, "out of memory");
	}
	ref_init(&l->ref);
	arena_init(&l->arena, ARENA_MAX);
	r = (struct reader){.file = path, .arena = &l->arena, .err = err};
	r.folder = folder_of(&r, path);
	l->config.path = read_dup(&r, slice_of(path));
	if (tree_documents(tree) != 1)
		(void)errinfo_set(err, STATUS_MALFORMED, path, 0,
		    "must hold one YAML document, not %zu",
		    tree_documents(tree));
	else
		read_all(&r, tree_root(tree, 0), &l->config, need);
	tree_free(tree);
	*out = &l->config;
	return err->errors != before ? STATUS_MALFORMED : STATUS_OK;
}

const struct config_cluster *
config_cluster(const struct config *c, const char *name)
{
	if (name == NULL)
		return c->cluster_count == 1 ? &c->clusters[0] : NULL;
	for (size_t i = 0; i < c->cluster_count; i++) {
		if (strcmp(c->clusters[i].name, name) == 0)
			return &c->clusters[i];
	}
	return NULL;
}
