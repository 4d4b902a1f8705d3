/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <syslog.h>

/* As compilers say it, so that an editor finds the place. */
static void print_problem(void *data, int priority, const char *id, const char *where,
			  const char *text)
{
	(void)data;
	cli_line(stderr, "%s: %s%s [%s]", where, priority <= LOG_ERR ? "" : "warning: ", text, id);
}

/* Every file is looked at; trouble with one outweighs faults in another. */
static int validate(char *const *files, int n, bool verbose)
{
	_unref_(context) *ctx = NULL;
	int status = STATUS_YES;

	if (cli_context(0, &ctx) != 0)
		return STATUS_TROUBLE;
	for (int i = 0; i < n; i++) {
		int r = abibase_validate_file(ctx, files[i], print_problem, NULL);

		if (r < 0)
			status = cli_context_error(ctx, r);
		else if (r > 0 && status == STATUS_YES)
			status = STATUS_NO;
		else if (r == 0 && verbose)
			cli_line(stdout, "%s: valid", files[i]);
	}
	return status;
}

static int run(const struct options *o)
{
	bool taken = false;

	if (o->n_operands == 0)
		return cli_usage("validate", "missing operand: which files?");
	for (int i = 0; i < o->n_operands; i++) {
		if (!streq(o->operands[i], "-"))
			continue;
		if (taken)
			return cli_usage("validate", "standard input can be read only once: '-'");
		taken = true;
	}
	return validate(o->operands, o->n_operands, o->verbose);
}

const struct command command_validate = {
	.verb = VERB_VALIDATE,
	.name = "validate",
	.run = run,
	.summary = "report all that is wrong with documents",
	.usage = "[OPTION]... FILE...\n",
	.operands = { "@files" },
	.about = "Check profiles, baselines and catalogues, and report on stderr every "
		"problem of every FILE (- is standard input), with its place and the id of "
		"the message.\n",
	.status = "Exit status: 0 all are valid, perhaps with warnings; 1 a fault was found; "
		"2 a file could not be read.\n",
};
