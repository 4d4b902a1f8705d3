/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <errno.h>

static const struct option options[] = {
	{ "format", required_argument, NULL, 'f' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct arguments {
	const char *output;
	bool json;
	char **operands;
	int n_operands;
};

static int set_format(struct arguments *a, const char *format)
{
	a->json = streq(format, "json");
	if (a->json || streq(format, "table"))
		return 0;
	return 1 + cli_usage("check", "\"%s\" is not a format; accepted: table, json", format);
}

/* Returns 0 to go on, else the exit status + 1. */
static int parse(int argc, char **argv, struct arguments *a)
{
	int c, r;

	while ((c = getopt_long(argc, argv, "f:o:h", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			r = set_format(a, optarg);
			if (r)
				return r;
			break;
		case OPT_JSON:
			a->json = true;
			break;
		case 'o':
			a->output = optarg;
			break;
		case 'h':
			return 1 + cli_help(&command_check);
		default:
			return 1 + cli_usage("check", NULL);
		}
	}
	a->operands = argv + optind;
	a->n_operands = argc - optind;
	if (a->n_operands == 0)
		return 1 + cli_usage("check", "missing operand: which baseline?");
	if (cli_check_stdin_once("check", a->operands, a->n_operands, false) < 0)
		return 1 + STATUS_TROUBLE;
	return 0;
}

static int probe_here(struct abibase_context *ctx, struct abibase_catalogue *cat,
		      struct abibase_profile **ret)
{
	_unref_(probe) *probe = NULL;
	int r = abibase_probe_new(ctx, &probe);

	if (r == 0)
		r = abibase_probe_run(probe, cat, ret);
	return r < 0 ? cli_context_error(ctx, r) : 0;
}

/* "no" before "cannot tell" before "yes" */
static int worse(int a, int b)
{
	if (a == ABIBASE_VERDICT_NO || b == ABIBASE_VERDICT_NO)
		return ABIBASE_VERDICT_NO;
	return a > b ? a : b;
}

/* Operand @i, or this host where none was named. */
static int check_one(struct abibase_context *ctx, struct abibase_catalogue *cat,
		     const struct abibase_baseline *b, const struct arguments *a, int i,
		     struct abibase_check **ret)
{
	_unref_(profile) *p = NULL;
	int r = a->n_operands == 1 ? probe_here(ctx, cat, &p) :
				     cli_load_profile(ctx, a->operands[i + 1], &p);

	if (r != 0)
		return r;
	r = abibase_check(ctx, cat, b, p, ret);
	return r < 0 ? cli_context_error(ctx, r) : 0;
}

static int show(const struct arguments *a, const char *id, struct abibase_check **checks, int n)
{
	_autofree_ char *text = NULL;
	int r = a->json ? abibase_checks_to_json(id, checks, (size_t)n, &text) :
			  abibase_checks_to_text(checks, (size_t)n, &text);

	if (r < 0)
		return cli_error("out of memory [out-of-memory]");
	return cli_write(a->output, text) == 0 ? 0 : STATUS_TROUBLE;
}

static int check_all(struct abibase_context *ctx, const struct arguments *a,
		     struct abibase_check **checks, int n)
{
	_unref_(catalogue) *cat = NULL;
	_unref_(baseline) *b = NULL;
	int status = 0, r = abibase_catalogue_new(ctx, &cat);

	if (r < 0)
		return cli_context_error(ctx, r);
	r = cli_load_baseline(ctx, a->operands[0], &b);
	for (int i = 0; r == 0 && i < n; i++) {
		r = check_one(ctx, cat, b, a, i, &checks[i]);
		if (r == 0)
			status = worse(status, (int)abibase_check_verdict(checks[i]));
	}
	if (r == 0)
		r = show(a, abibase_baseline_id(b), checks, n);
	return r ? r : status;
}

static int run(int argc, char **argv)
{
	struct arguments a = { 0 };
	_unref_(context) *ctx = NULL;
	struct abibase_check **checks;
	int r = parse(argc, argv, &a), n;

	if (r > 0)
		return r - 1;
	if (cli_context(0, &ctx) != 0)
		return STATUS_TROUBLE;
	n = a.n_operands > 1 ? a.n_operands - 1 : 1;
	checks = calloc((size_t)n, sizeof(struct abibase_check *));
	if (!checks)
		return cli_error("out of memory [out-of-memory]");
	r = check_all(ctx, &a, checks, n);
	for (int i = 0; i < n; i++)
		abibase_check_unref(checks[i]);
	free(checks);
	return r;
}

const struct command command_check = {
	.name = "check",
	.run = run,
	.summary = "does a host provide what a baseline promises?",
	.help = "Usage: abibase check [OPTION]... BASELINE [PROFILE]...\n"
		"\n"
		"Hold each host against a baseline that abibase intersect --json has written: does it\n"
		"provide every feature that is on, and every requirement? Without PROFILE this host is\n"
		"probed. What is missing is named with its layer and what to do about it; for a host\n"
		"that does not satisfy, what it would cost to admit it.\n"
		"\n"
		"  -f, --format=FORMAT     table (default) or json\n"
		"      --json              the same as --format=json\n"
		"  -o, --output=FILE       write to FILE, whole or not at all, instead of stdout\n"
		"  -h, --help              show this help and exit\n"
		"\n"
		"Exit status: 0 every host satisfies; 1 one does not; 2 trouble; 3 cannot tell.\n",
};
