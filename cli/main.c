/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "start.h"

#include "base/suggest.h"

static const struct command *const commands[] = {
#define VERB(NAME, name) &command_##name,
#include "verbs.def"
#undef VERB
};

const struct command *cli_command(size_t i)
{
	return i < ARRAY_SIZE(commands) ? commands[i] : NULL;
}

const struct command *cli_find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (streq(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static void help_verbs(FILE *to, bool asks_host)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i]->asks_host == asks_host)
			fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
}

static void help(FILE *to)
{
	fputs("Usage: abibase VERB [OPTION]... [OPERAND]...\n"
	      "  or:  abibase help [VERB]\n"
	      "\n"
	      "Find the settings with which a QEMU guest can migrate between all of your hosts.\n"
	      "\n"
	      "Verbs that ask this host, its kernel and its QEMUs:\n",
	      to);
	help_verbs(to, true);
	fputs("\nVerbs that answer from documents, anywhere:\n", to);
	help_verbs(to, false);
	fputs("Of these check and match without a profile, and targets --all, ask this host.\n"
	      "\nOptions:\n",
	      to);
	options_help(to, VERB_NONE);
	fputs("\n"
	      "Exit status: 0 yes, or done; 1 no; 2 trouble; 3 cannot tell.\n"
	      "The manual is abibase(1).\n",
	      to);
}

/* "Usage:" before the first way to use it, "  or: " before the others */
static void help_of(FILE *to, const struct command *command)
{
	const char *before = "Usage:";

	for (const char *p = command->usage; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		fprintf(to, "%s abibase %s %.*s\n", before, command->name, (int)strcspn(p, "\n"),
			p);
		before = "  or: ";
	}
	fputc('\n', to);
	options_wrap(to, command->about);
	fputc('\n', to);
	options_help(to, command->verb);
	fputc('\n', to);
	options_wrap(to, command->status);
}

int cli_help(const struct command *command)
{
	_autofree_ char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to && command->verb == VERB_NONE)
		help(to);
	else if (to)
		help_of(to, command);
	if (!to || fclose(to) != 0)
		return cli_oom();
	return cli_print(stdout, text);
}

static int unknown_verb(const char *verb)
{
	struct suggest s = { .word = verb };
	char near[SUGGEST_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		suggest_offer(&s, commands[i]->name);
	suggest_text(&s, "'", near);
	return cli_usage(NULL, "unknown verb '%s'%s", verb, near);
}

/* What stands before a verb */
static const struct command before = { .verb = VERB_NONE };

static int help_verb(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2)
		return cli_help(&before);
	if (argc > 2)
		return cli_usage(NULL, "extra operand '%s'", argv[2]);
	if (streq(argv[1], "-h") || streq(argv[1], "--help"))
		return cli_help(&before);
	command = cli_find_command(argv[1]);
	return command ? cli_help(command) : unknown_verb(argv[1]);
}

/* As many operands as the verb takes? */
static int check_operands(const struct command *command, const struct options *o)
{
	if (command->most != MANY && o->n_operands > command->most)
		return cli_usage(command->name, "extra operand '%s'", o->operands[command->most]);
	for (int i = 0; i < 2 && command->which[i]; i++)
		if (o->n_operands <= i && !options_has(o, OPT_FILES0_FROM))
			return cli_usage(command->name, "missing operand: which %s?",
					 command->which[i]);
	return 0;
}

static int run_verb(int argc, char **argv)
{
	const struct command *command = cli_find_command(argv[0]);
	_options_ o = { 0 };
	int r;

	if (streq(argv[0], "help"))
		return help_verb(argc, argv);
	if (streq(argv[0], "__complete"))
		return cli_complete(argv + 1, argc - 1);
	if (!command)
		return unknown_verb(argv[0]);
	r = options_parse(command, argc, argv, &o);
	if (r == 0 && check_operands(command, &o) != 0)
		r = 1 + STATUS_TROUBLE;
	if (r == 1 + STATUS_TROUBLE && command->misuse)
		return command->misuse;
	return r ? r - 1 : command->run(&o);
}

static int run(int argc, char **argv)
{
	_options_ o = { 0 };
	int r = options_parse(&before, argc, argv, &o);

	if (r)
		return r - 1;
	if (options_has(&o, 'V')) {
		printf("abibase %s\n", abibase_version());
		return STATUS_YES;
	}
	if (o.n_operands == 0)
		return cli_usage(NULL, "missing verb");
	return run_verb(o.n_operands, o.operands);
}

int main(int argc, char **argv)
{
	cli_reserve_standard_streams();
	start_note_signals();
	if (argc < 1)
		return STATUS_TROUBLE;
	return cli_close_stdout(run(argc, argv));
}
