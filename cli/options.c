/*
 * options.c - long options of the commands.
 */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

static void
print_usage(FILE *to, const char *usage, const struct cli_option *options)
{
	(void)fprintf(to, "usage: kube-access-gateway %s\n\n", usage);
	for (; options->name != NULL; options++) {
		char left[64];

		(void)snprintf(left, sizeof(left), "--%s%s%s", options->name,
		    options->placeholder != NULL ? " " : "",
		    options->placeholder != NULL ? options->placeholder : "");
		(void)fprintf(to, "  %-20s %s%s\n", left, options->text,
		    options->required ? " (required)" : "");
	}
}

static const struct cli_option *
find_option(const struct cli_option *options, const char *arg, size_t len)
{
	for (; options->name != NULL; options++) {
		if (strlen(options->name) == len &&
		    strncmp(options->name, arg, len) == 0)
			return options;
	}
	return NULL;
}

static bool
add_value(const struct cli_option *o, const char *value, const char *command)
{
	if (o->values == NULL) {
		*o->value = value;
		return true;
	}
	if (o->values->count == CLI_VALUES_MAX) {
		(void)fprintf(stderr, "%s: more than %d values of --%s\n",
		    command, CLI_VALUES_MAX, o->name);
		return false;
	}
	o->values->list[o->values->count++] = value;
	return true;
}

/* The values behind argv[i], up to the next option; 0 for a mistake. */
static int
read_values(int argc, char **argv, int i, const struct cli_option *o)
{
	int used = 1;

	while (i + used < argc && (used == 1 || o->values != NULL) &&
	    (used == 1 || strncmp(argv[i + used], "--", 2) != 0)) {
		if (!add_value(o, argv[i + used], argv[0]))
			return 0;
		used++;
	}
	return used;
}

/* Reads argv[i]; returns how many arguments were used, 0 for a mistake. */
static int
read_option(int argc, char **argv, int i, const struct cli_option *options)
{
	const char *arg = argv[i];
	const char *equals = strchr(arg, '=');
	const struct cli_option *o;

	if (strncmp(arg, "--", 2) != 0) {
		(void)fprintf(stderr, "%s: \"%s\" is not an option\n", argv[0],
		    arg);
		return 0;
	}
	o = find_option(options, arg + 2,
	    equals != NULL ? (size_t)(equals - arg) - 2 : strlen(arg + 2));
	if (o == NULL) {
		(void)fprintf(stderr, "%s: no option \"%s\"\n", argv[0], arg);
		return 0;
	}
	if (o->placeholder == NULL && equals == NULL) {
		*o->value = "true";
		return 1;
	}
	if (equals != NULL && o->placeholder != NULL)
		return add_value(o, equals + 1, argv[0]) ? 1 : 0;
	if (equals != NULL || i + 1 >= argc) {
		(void)fprintf(stderr, "%s: --%s %s\n", argv[0], o->name,
		    equals != NULL ? "takes no value" : "needs a value");
		return 0;
	}
	return read_values(argc, argv, i, o);
}

int
cli_parse(int argc, char **argv, const char *usage,
    const struct cli_option *options)
{
	int used;

	for (int i = 1; i < argc; i += used) {
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0) {
			print_usage(stdout, usage, options);
			return 0;
		}
		used = read_option(argc, argv, i, options);
		if (used == 0)
			return 2;
	}
	for (const struct cli_option *o = options; o->name != NULL; o++) {
		if (!o->required ||
		    (o->values != NULL ? o->values->count != 0
				       : *o->value != NULL))
			continue;
		(void)fprintf(stderr, "%s: --%s is required\n\n", argv[0],
		    o->name);
		print_usage(stderr, usage, options);
		return 2;
	}
	return -1;
}
