/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

static const struct option options[] = {
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

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

static int run(int argc, char **argv)
{
	bool verbose = false;
	bool taken = false;
	int c;

	while ((c = cli_getopt(argc, argv, ":vh", options)) != -1) {
		switch (c) {
		case 'v':
			verbose = true;
			break;
		case 'h':
			return cli_help(&command_validate);
		default:
			return cli_usage("validate", NULL);
		}
	}
	if (optind >= argc)
		return cli_usage("validate", "missing operand: which files?");
	for (int i = optind; i < argc; i++) {
		if (!streq(argv[i], "-"))
			continue;
		if (taken)
			return cli_usage("validate", "standard input can be read only once: '-'");
		taken = true;
	}
	return validate(argv + optind, argc - optind, verbose);
}

const struct command command_validate = {
	.name = "validate",
	.run = run,
	.summary = "report all that is wrong with documents",
	.help = "Usage: abibase validate [OPTION]... FILE...\n"
		"\n"
		"Check profiles, baselines and catalogues, and report on stderr every problem of every\n"
		"FILE (- is standard input), with its place and the id of the message.\n"
		"\n"
		"  -v, --verbose  also name on stdout the files that are valid\n"
		"  -h, --help     show this help and exit\n"
		"\n"
		"Exit status: 0 all are valid, perhaps with warnings; 1 a fault was found; 2 a file could\n"
		"not be read.\n",
};
