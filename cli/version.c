/*
 * version.c - which gateway, which libraries.
 */
#include <stdio.h>

#include "cli/commands.h"
#include "tls/tls_ctx.h"

int
command_version(int argc, char **argv)
{
	const struct cli_option options[] = {{0}};
	int rc = cli_parse(argc, argv, "version\nPrint versions.", options);

	if (rc >= 0)
		return rc;
	(void)printf("kube-access-gateway %s\n%s\n", GATEWAY_VERSION,
	    tls_library_version());
	return 0;
}
