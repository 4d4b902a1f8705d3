/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

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

static int run(const struct options *o)
{
	if (o->n_operands > 0)
		return cli_usage("list", "extra operand '%s'", o->operands[0]);
	return list(o->verbose);
}

const struct command command_list = {
	.verb = VERB_LIST,
	.name = "list",
	.run = run,
	.summary = "list the platforms that can be named",
	.usage = "[OPTION]...\n",
	.about = "List the platform profiles in the data directories, one a line: name, "
		"revision, architecture, and the shorter name that stands for it, if there "
		"is one.\n",
	.status = "Exit status: 0 done; 2 trouble, also when a file was refused.\n",
};
