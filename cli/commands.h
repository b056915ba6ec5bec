/*
 * commands.h - the commands that answer and end, and their options.
 *
 * Each takes its own name as argv[0] and returns the exit status: 0 good, 1
 * the answer is no or the input is wrong, 2 usage.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

int command_check(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_kubeconfig(int argc, char **argv);
int command_version(int argc, char **argv);
int command_whoami(int argc, char **argv);

/* The values of an option that may be given more than once. */
enum {
	CLI_VALUES_MAX = 256
};
struct cli_values {
	const char *list[CLI_VALUES_MAX];
	size_t count;
};

/*
 * `--name VALUE` or `--name=VALUE`; with `values` also `--name VALUE...`, and
 * more than once.  The list ends with a zeroed one.
 */
struct cli_option {
	const char *name;
	const char *placeholder; /* NULL: a switch, *value becomes "true" */
	const char *text;
	const char **value;
	bool required;
	struct cli_values *values; /* NULL: *value takes the only one */
};

/* Rows of such a list: n name, p placeholder, t text, v where values go. */
#define CLI_VALUE(n, p, t, v)                                                  \
	{                                                                      \
		.name = (n), .placeholder = (p), .text = (t), .value = (v)     \
	}
#define CLI_REQUIRED(n, p, t, v)                                               \
	{                                                                      \
		.name = (n), .placeholder = (p), .text = (t), .value = (v),    \
		.required = true                                               \
	}
#define CLI_VALUES(n, p, t, v)                                                 \
	{                                                                      \
		.name = (n), .placeholder = (p), .text = (t), .values = (v)    \
	}
#define CLI_SWITCH(n, t, v)                                                    \
	{                                                                      \
		.name = (n), .text = (t), .value = (v)                         \
	}

/*
 * Read the options of a command.  Returns -1 to go on, or the exit status: 0
 * after --help (usage on standard output), 2 after a mistake (on standard
 * error).  usage begins with the command's name and its form.
 */
int cli_parse(int argc, char **argv, const char *usage,
    const struct cli_option *options);

#endif
