/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

static const struct option options[] = {
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int width(const struct abibase_platforms *l)
{
	int widest = 0;

	for (size_t i = 0; i < abibase_platforms_count(l); i++) {
		const struct abibase_profile *p = abibase_platforms_profile(l, i);
		int len = p ? (int)strlen(abibase_profile_name(p)) : 0;

		if (len > widest)
			widest = len;
	}
	return widest;
}

static void print_platforms(const struct abibase_platforms *l)
{
	int name_width = width(l);

	for (size_t i = 0; i < abibase_platforms_count(l); i++) {
		const struct abibase_profile *p = abibase_platforms_profile(l, i);
		const char *alias = abibase_platforms_get(l, i, "alias");
		const struct abibase_value *v;

		if (!p)
			continue;
		v = abibase_profile_value(p);
		cli_line(stdout, "%-*s  revision %lld  %s%s%s", name_width, abibase_profile_name(p),
			 (long long)abibase_value_integer(abibase_value_member(v, "revision")), abibase_value_string(abibase_value_member(v, "arch")),
			 alias ? "  alias " : "", alias ? alias : "");
	}
}

static void print_candidate(const struct abibase_platforms *l, size_t i)
{
	const struct abibase_profile *p = abibase_platforms_profile(l, i);
	const char *alias = abibase_platforms_get(l, i, "alias");
	const char *detail = abibase_platforms_get(l, i, "detail");
	const char *path = abibase_platforms_get(l, i, "path");
	const char *state = abibase_platforms_get(l, i, "state");
	const struct abibase_value *v = abibase_profile_value(p);

	if (streq(state, "used"))
		cli_line(stdout, "%s: used: %s revision %lld%s%s", path, abibase_profile_name(p),
			 (long long)abibase_value_integer(abibase_value_member(v, "revision")),
			 alias ? ", alias " : "", alias ? alias : "");
	else if (streq(state, "hidden"))
		cli_line(stdout, "%s: hidden by %s", path, detail);
	else if (streq(state, "masks"))
		cli_line(stdout, "%s: masks: empty, so that it hides others of its name", path);
	else if (streq(state, "refused"))
		cli_line(stdout, "%s: refused: %s", path, detail);
	else
		cli_line(stdout, "%s: duplicate of %s", path, detail);
}

/* Bad files never keep the good ones from being listed, but they are no success either. */
static int complain(const struct abibase_platforms *l, bool verbose)
{
	int status = STATUS_YES;

	for (size_t i = 0; i < abibase_platforms_count(l); i++) {
		const char *state = abibase_platforms_get(l, i, "state");
		const char *path = abibase_platforms_get(l, i, "path");
		const char *detail = abibase_platforms_get(l, i, "detail");

		if (streq(state, "refused"))
			status = STATUS_TROUBLE;
		if (verbose)
			continue;
		if (streq(state, "refused"))
			cli_error("%s: refused: %s", path, detail);
		if (streq(state, "duplicate"))
			cli_error("warning: %s: not used: duplicate of %s", path, detail);
	}
	return status;
}

static int list(bool verbose)
{
	_unref_(context) *ctx = NULL;
	_unref_(platforms) *l = NULL;
	int r;

	if (cli_context(0, &ctx) != 0)
		return STATUS_TROUBLE;
	r = abibase_platforms_new(ctx, &l);
	if (r < 0)
		return cli_context_error(ctx, r);
	if (verbose)
		for (size_t i = 0; i < abibase_platforms_count(l); i++)
			print_candidate(l, i);
	else
		print_platforms(l);
	return complain(l, verbose);
}

static int run(int argc, char **argv)
{
	bool verbose = false;
	int c;

	while ((c = cli_getopt(argc, argv, ":vh", options)) != -1) {
		switch (c) {
		case 'v':
			verbose = true;
			break;
		case 'h':
			return cli_help(&command_list);
		default:
			return cli_usage("list", NULL);
		}
	}
	if (optind < argc)
		return cli_usage("list", "extra operand '%s'", argv[optind]);
	return list(verbose);
}

const struct command command_list = {
	.name = "list",
	.run = run,
	.summary = "list the platforms that can be named",
	.help = "Usage: abibase list [OPTION]...\n"
		"\n"
		"List the platform profiles in the data directories, one a line: name, revision,\n"
		"architecture, and the shorter name that stands for it, if there is one.\n"
		"\n"
		"  -v, --verbose  list every file that was considered, and what became of it: used,\n"
		"                 hidden by another, masking others, refused, or a duplicate\n"
		"  -h, --help     show this help and exit\n"
		"\n"
		"Exit status: 0 done; 2 trouble, also when a file was refused.\n",
};
