/*
 * check.c - validate a configuration and everything that it names.
 *
 * Asks no network peer; loads exactly what serve would load.
 */
#include <stdio.h>

#include "cli/commands.h"
#include "snapshot/build.h"

static void
print_counts(const struct snapshot *s)
{
	for (size_t i = 0; i < s->cluster_count; i++) {
		const struct cluster *c = &s->clusters[i];
		struct policy_counts n = policy_counts(c->policy);

		(void)printf("cluster %s: %zu ranges, %zu issuers, %zu roles, "
			     "%zu cluster roles, %zu role bindings, %zu "
			     "cluster role bindings, %zu other manifests "
			     "skipped\n",
		    c->config->name, ranges_count(c->ranges),
		    c->issuers != NULL ? c->issuers->count : 0, n.roles,
		    n.cluster_roles, n.role_bindings, n.cluster_role_bindings,
		    n.skipped);
	}
}

int
command_check(int argc, char **argv)
{
	const char *path = NULL;
	const struct cli_option options[] = {
	    CLI_REQUIRED("config", "FILE", "the configuration", &path),
	    {0},
	};
	struct errinfo err = {0};
	struct snapshot *s = NULL;
	int rc = cli_parse(argc, argv,
	    "check --config FILE\n"
	    "Validate a configuration and everything it names; every mistake "
	    "with file, line, field.",
	    options);

	if (rc >= 0)
		return rc;
	rc = 1;
	if (tls_global_init(&err) == STATUS_OK &&
	    build_snapshot(path, 1, &s, &err) == STATUS_OK)
		rc = 0;
	if (err.text.len != 0)
		(void)fwrite(err.text.data, 1, err.text.len, stderr);
	if (rc == 0) {
		print_counts(s);
		(void)printf("%s: good, %u warnings\n", path, err.warnings);
	} else {
		(void)fprintf(stderr, "%s: %u errors, %u warnings\n", path,
		    err.errors, err.warnings);
	}
	errinfo_release(&err);
	snapshot_unref(s);
	return rc;
}
