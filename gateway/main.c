/*
 * main.c - which command is meant.
 */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "gateway/serve.h"

static int
command_serve(int argc, char **argv)
{
	const char *path = NULL;
	const struct cli_option options[] = {
	    CLI_REQUIRED("config", "FILE", "the configuration", &path),
	    {0},
	};
	int rc = cli_parse(argc, argv,
	    "serve --config FILE\n"
	    "Run the gateway.  SIGHUP reloads the configuration; files that it "
	    "names are\nwatched.  SIGTERM drains, SIGUSR1 reopens logs.",
	    options);

	return rc >= 0 ? rc : serve(path);
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
    {"serve", command_serve, "run the gateway"},
    {"check", command_check, "check a configuration and all it names"},
    {"diff", command_diff,
	"whose requests would another policy answer differently"},
    {"doctor", command_doctor, "live checks of all that a gateway needs"},
    {"explain", command_explain, "answer a decision offline, say what made it"},
    {"kubeconfig", command_kubeconfig, "print a kubeconfig for clients"},
    {"whoami", command_whoami, "who a token is, or why it is refused"},
    {"version", command_version, "print versions"},
};

static int
usage(FILE *to, int status)
{
	(void)fprintf(to, "usage: kube-access-gateway COMMAND [OPTION...]\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		(void)fprintf(to, "  %-12s %s\n", commands[i].name,
		    commands[i].summary);
	(void)fprintf(to,
	    "\nkube-access-gateway COMMAND --help tells a command's options.\n"
	    "Exit status: 0 good, 1 the answer is no or the input is wrong, "
	    "2 usage.\n");
	return status;
}

int
main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0)
		return usage(stdout, 0);
	if (strcmp(name, "--version") == 0)
		return command_version(1, argv);
	if (*name != '\0')
		(void)fprintf(stderr,
		    "kube-access-gateway: no command \"%s\"\n\n", name);
	return usage(stderr, 2);
}
