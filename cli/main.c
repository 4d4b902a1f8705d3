/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

static const struct command *const commands[] = {
	&command_probe, &command_intersect, &command_list, &command_show, &command_validate,
	&command_check, &command_targets, &command_verify, &command_exec, &command_diff,
	&command_match, &command_explain, &command_plan, &command_decode,
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (streq(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int help(void)
{
	fputs("Usage: abibase VERB [OPTION]... [OPERAND]...\n"
	      "  or:  abibase help [VERB]\n"
	      "\n"
	      "Find the settings with which a QEMU guest can migrate between all of your hosts.\n"
	      "\n"
	      "Verbs:\n",
	      stdout);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n"
	      "Options:\n"
	      "  -h, --help     show this help, after a verb that of the verb, and exit\n"
	      "  -V, --version  show the version and exit\n"
	      "\n"
	      "Exit status: 0 yes, or done; 1 no; 2 trouble; 3 cannot tell.\n"
	      "The manual is abibase(1).\n",
	      stdout);
	return STATUS_YES;
}

static int help_verb(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2)
		return help();
	if (argc > 2)
		return cli_usage(NULL, "extra operand '%s'", argv[2]);
	if (streq(argv[1], "-h") || streq(argv[1], "--help"))
		return help();
	command = find_command(argv[1]);
	if (!command)
		return cli_usage(NULL, "unknown verb '%s'", argv[1]);
	return cli_help(command);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	static char program[] = "abibase";
	const struct command *command;
	const char *verb;

	argv[0] = program;
	/* "+": the options before the verb are ours, those behind it the verb's. */
	switch (cli_getopt(argc, argv, "+:hV", options)) {
	case -1:
		break;
	case 'h':
		return help();
	case 'V':
		printf("abibase %s\n", abibase_version());
		return STATUS_YES;
	default:
		return cli_usage(NULL, NULL);
	}
	if (optind >= argc)
		return cli_usage(NULL, "missing verb");

	verb = argv[optind];
	argc -= optind;
	argv += optind;
	optind = 0; /* start anew, at the verb's own options */
	if (streq(verb, "help"))
		return help_verb(argc, argv);
	command = find_command(verb);
	if (!command)
		return cli_usage(NULL, "unknown verb '%s'", verb);
	argv[0] = program;
	return command->run(argc, argv);
}

int main(int argc, char **argv)
{
	cli_reserve_standard_streams();
	if (argc < 1)
		return STATUS_TROUBLE;
	return cli_close_stdout(run(argc, argv));
}
