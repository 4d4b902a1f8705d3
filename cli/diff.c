/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

static const struct option options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "format", required_argument, NULL, 'f' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* Returns 0 or STATUS_TROUBLE, having said why. */
static int load(struct abibase_context *ctx, const char *operand, struct abibase_profile **ret)
{
	_unref_(baseline) *baseline = NULL;
	int r = abibase_operand_load(ctx, operand, ret, &baseline);

	if (r < 0)
		return cli_context_error(ctx, r);
	if (baseline)
		return cli_error("%s: is a baseline, and only profiles can be compared [schema-other]",
				 operand);
	return 0;
}

/* Both are read, so that one run names both when both are bad. */
static int load_both(struct abibase_context *ctx, char *const *operands,
		     struct abibase_profile **ret_a, struct abibase_profile **ret_b)
{
	int first = load(ctx, operands[0], ret_a);
	int second = load(ctx, operands[1], ret_b);

	return first ? first : second;
}

static int diff(char *const *operands, unsigned int flags, bool json)
{
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(profile) *a = NULL, *b = NULL;
	_unref_(diff) *d = NULL;
	_autofree_ char *text = NULL;
	int r;

	if (cli_context(0, &ctx) != 0 || load_both(ctx, operands, &a, &b) != 0)
		return STATUS_TROUBLE;
	r = abibase_catalogue_new(ctx, &cat);
	if (r == 0)
		r = abibase_diff(ctx, cat, a, b, flags, &d);
	if (r < 0)
		return cli_context_error(ctx, r);
	r = json ? abibase_diff_to_json(d, &text) : abibase_diff_to_text(d, &text);
	if (r < 0)
		return cli_error("out of memory [out-of-memory]");
	if (cli_write(NULL, text) != 0)
		return STATUS_TROUBLE;
	return abibase_diff_same(d) ? STATUS_YES : STATUS_NO;
}

static int run(int argc, char **argv)
{
	const char *format = "text";
	unsigned int flags = 0;
	int c;

	while ((c = getopt_long(argc, argv, "af:h", options, NULL)) != -1) {
		switch (c) {
		case 'a':
			flags |= ABIBASE_DIFF_ALL;
			break;
		case 'f':
			format = optarg;
			break;
		case OPT_JSON:
			format = "json";
			break;
		case 'h':
			return cli_help(&command_diff);
		default:
			return cli_usage("diff", NULL);
		}
	}
	if (!streq(format, "text") && !streq(format, "json"))
		return cli_usage("diff", "unknown format '%s': text or json", format);
	if (argc - optind < 2)
		return cli_usage("diff", "missing operand: which two profiles?");
	if (argc - optind > 2)
		return cli_usage("diff", "extra operand '%s'", argv[optind + 2]);
	if (cli_check_stdin_once("diff", argv + optind, 2, false) < 0)
		return STATUS_TROUBLE;
	return diff(argv + optind, flags, streq(format, "json"));
}

const struct command command_diff = {
	.name = "diff",
	.run = run,
	.summary = "compare two profiles by names",
	.help = "Usage: abibase diff [OPTION]... PROFILE PROFILE\n"
		"\n"
		"List what is different between two profiles, one line a difference: facts and bits of\n"
		"feature words, QEMU binaries, machine types, properties and their values. What a guest\n"
		"can see comes first. PROFILE is a file (it has a slash or ends in .json), - for\n"
		"standard input, or the name of a platform; NAME=PROFILE renames.\n"
		"\n"
		"Names, revisions and digests are not compared. Kernel release and packages are shown\n"
		"and are no difference.\n"
		"\n"
		"  -a, --all            let the context count too, and show all of it: kernel release,\n"
		"                       packages, build ids, paths, rights of the probe, evidence\n"
		"  -f, --format=FORMAT  text (default, for people) or json\n"
		"      --json           the same as --format=json\n"
		"  -h, --help           show this help and exit\n"
		"\n"
		"Exit status: 0 they are the same; 1 they are different; 2 trouble.\n",
};
