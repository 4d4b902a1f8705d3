/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

/* The exit status of one file; its findings are on stderr. */
static int validate_one(struct abibase_context *ctx, const char *file, bool verbose)
{
	_unref_(result) *res = NULL;
	_autofree_ char *text = NULL;
	int r = abibase_validate(ctx, file, &res);

	if (r == 0)
		r = abibase_result_to_text(res, &text);
	if (r < 0)
		return cli_context_error(ctx, r);
	if (cli_print(stderr, text) != 0)
		return STATUS_TROUBLE;
	if (abibase_result_verdict(res) == ABIBASE_VERDICT_YES && verbose)
		cli_line(stdout, "%s: valid", file);
	return (int)abibase_result_verdict(res);
}

/* Every file is looked at; trouble with one outweighs faults in another. */
static int validate(char *const *files, int n, bool verbose)
{
	_unref_(context) *ctx = NULL;
	int status = STATUS_YES;

	if (cli_context(0, &ctx) != 0)
		return STATUS_TROUBLE;
	for (int i = 0; i < n; i++) {
		int r = validate_one(ctx, files[i], verbose);

		status = r > status ? r : status;
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
