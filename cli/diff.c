/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

static const struct option options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "format", required_argument, NULL, 'f' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* What was named: a profile or a baseline. */
struct operand {
	struct abibase_profile *profile;
	struct abibase_baseline *baseline;
};

static void operand_clear(struct operand *o)
{
	abibase_profile_unref(o->profile);
	abibase_baseline_unref(o->baseline);
}

/* Both are read, so that one run names both when both are bad. Returns 0 or STATUS_TROUBLE. */
static int load_both(struct abibase_context *ctx, char *const *operands, struct operand ret[2])
{
	int status = 0;

	for (int i = 0; i < 2; i++) {
		int r = abibase_operand_load(ctx, operands[i], &ret[i].profile, &ret[i].baseline);

		if (r < 0)
			status = cli_context_error(ctx, r);
	}
	if (status == 0 && !ret[0].baseline != !ret[1].baseline)
		return cli_error("%s: is a baseline, and %s is a profile: two of a kind can be "
				 "compared [schema-other]",
				 operands[ret[0].baseline ? 0 : 1],
				 operands[ret[0].baseline ? 1 : 0]);
	return status;
}

static int compare(struct abibase_context *ctx, const struct operand of[2], unsigned int flags,
		   struct abibase_result **ret)
{
	_unref_(catalogue) *cat = NULL;
	int r = abibase_catalogue_new(ctx, &cat);

	if (r < 0)
		return r;
	if (of[0].baseline)
		return abibase_diff_baselines(ctx, cat, of[0].baseline, of[1].baseline, flags, ret);
	return abibase_diff(ctx, cat, of[0].profile, of[1].profile, flags, ret);
}

static int diff(char *const *operands, unsigned int flags, const struct output *out)
{
	_unref_(context) *ctx = NULL;
	_unref_(result) *res = NULL;
	struct operand of[2] = { { 0 } };
	int r;

	if (cli_context(0, &ctx) != 0)
		return STATUS_TROUBLE;
	r = load_both(ctx, operands, of);
	if (r == 0) {
		r = compare(ctx, of, flags, &res);
		r = r < 0 ? cli_context_error(ctx, r) : cli_answer(res, out);
	}
	operand_clear(&of[0]);
	operand_clear(&of[1]);
	return r;
}

static int run(int argc, char **argv)
{
	struct output out = { 0 };
	unsigned int flags = 0;
	int c, r;

	while ((c = cli_getopt(argc, argv, ":af:h", options)) != -1) {
		switch (c) {
		case 'a':
			flags |= ABIBASE_DIFF_ALL;
			break;
		default:
			r = cli_output_option(&command_diff, "text", c, &out);
			if (r)
				return r - 1;
		}
	}
	if (argc - optind < 2)
		return cli_usage("diff", "missing operand: which two profiles or baselines?");
	if (argc - optind > 2)
		return cli_usage("diff", "extra operand '%s'", argv[optind + 2]);
	if (cli_check_stdin_once("diff", argv + optind, 2, false) < 0)
		return STATUS_TROUBLE;
	return diff(argv + optind, flags, &out);
}

const struct command command_diff = {
	.name = "diff",
	.run = run,
	.summary = "compare two profiles, or two baselines, by names",
	.help = "Usage: abibase diff [OPTION]... PROFILE PROFILE\n"
		"  or:  abibase diff [OPTION]... BASELINE BASELINE\n"
		"\n"
		"List what is different between two profiles, one line a difference: facts and bits of\n"
		"feature words, QEMU binaries, machine types, properties and their values. What a guest\n"
		"can see comes first. PROFILE is a file (it has a slash or ends in .json), - for\n"
		"standard input, or the name of a platform; NAME=PROFILE renames.\n"
		"\n"
		"Names, revisions and digests are not compared. Kernel release and packages are shown\n"
		"and are no difference.\n"
		"\n"
		"Of two baselines: what a guest is offered, the machine type, requirements, backends,\n"
		"and what a migration does to a running guest in each direction; a one-way door is a\n"
		"way that works, until the guest's next reset shuts the way back.\n"
		"\n"
		"  -a, --all            let the context count too, and show all of it: kernel release,\n"
		"                       packages, build ids, paths, rights of the probe, evidence\n"
		"  -f, --format=FORMAT  text (default, for people) or json\n"
		"      --json           the same as --format=json\n"
		"  -h, --help           show this help and exit\n"
		"\n"
		"Exit status: 0 they are the same; 1 they are different; 2 trouble.\n",
};
