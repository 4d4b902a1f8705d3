/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

static const struct option options[] = {
	{ "cost", no_argument, NULL, OPT_COST },
	{ "format", required_argument, NULL, 'f' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct arguments {
	const char *baseline, *property;
	struct output out;
	unsigned int flags;
};

static int explain(const struct arguments *a)
{
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(baseline) *b = NULL;
	_unref_(result) *res = NULL;
	int r;

	if (cli_context(0, &ctx) != 0 || cli_load_baseline(ctx, a->baseline, &b) != 0)
		return STATUS_TROUBLE;
	r = abibase_catalogue_new(ctx, &cat);
	if (r == 0)
		r = abibase_explain(ctx, cat, b, a->property, a->flags, &res);
	return r < 0 ? cli_context_error(ctx, r) : cli_answer(res, &a->out);
}

static int run(int argc, char **argv)
{
	struct arguments a = { 0 };
	int c, r;

	while ((c = cli_getopt(argc, argv, ":f:o:h", options)) != -1) {
		switch (c) {
		case OPT_COST:
			a.flags |= ABIBASE_EXPLAIN_COST;
			break;
		default:
			r = cli_output_option(&command_explain, "text", c, &a.out);
			if (r)
				return r - 1;
		}
	}
	if (argc == optind)
		return cli_usage("explain", "missing operand: which baseline?");
	if (argc - optind > 2)
		return cli_usage("explain", "extra operand '%s'", argv[optind + 2]);
	a.baseline = argv[optind];
	a.property = argv[optind + 1]; /* NULL ends the arguments */
	if (a.property && a.flags)
		return cli_usage("explain", "--cost is of all features, and one property was named");
	return explain(&a);
}

const struct command command_explain = {
	.name = "explain",
	.run = run,
	.summary = "why is a baseline what it is, and what would raise it?",
	.help = "Usage: abibase explain [OPTION]... BASELINE [[CLASS.]PROPERTY]\n"
		"\n"
		"Say of each property of a baseline, or of one, why it has its value: which host, which\n"
		"QEMU or which machine type forced it, what guests do without, and what would bring it\n"
		"back. BASELINE is what abibase intersect --json has written.\n"
		"\n"
		"      --cost              only the features that are given up, and for each the fewest\n"
		"                          hosts to retire for it\n"
		"  -f, --format=FORMAT     text (default, for people) or json\n"
		"      --json              the same as --format=json\n"
		"  -o, --output=FILE       write to FILE, whole or not at all, instead of stdout\n"
		"  -h, --help              show this help and exit\n"
		"\n"
		"Exit status: 0 done; 2 trouble.\n",
};
