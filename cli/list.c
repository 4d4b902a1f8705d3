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
		const char *alias = abibase_platforms_alias(l, i);

		if (!p)
			continue;
		cli_line(stdout, "%-*s  revision %lld  %s%s%s", name_width, abibase_profile_name(p),
			 (long long)abibase_profile_revision(p), abibase_profile_arch(p),
			 alias ? "  alias " : "", alias ? alias : "");
	}
}

static void print_candidate(const struct abibase_platforms *l, size_t i)
{
	const struct abibase_profile *p = abibase_platforms_profile(l, i);
	const char *alias = abibase_platforms_alias(l, i);
	const char *detail = abibase_platforms_detail(l, i);
	const char *path = abibase_platforms_path(l, i);

	switch (abibase_platforms_state(l, i)) {
	case ABIBASE_PLATFORM_USED:
		cli_line(stdout, "%s: used: %s revision %lld%s%s", path, abibase_profile_name(p),
			 (long long)abibase_profile_revision(p), alias ? ", alias " : "",
			 alias ? alias : "");
		return;
	case ABIBASE_PLATFORM_HIDDEN:
		cli_line(stdout, "%s: hidden by %s", path, detail);
		return;
	case ABIBASE_PLATFORM_MASKS:
		cli_line(stdout, "%s: masks: empty, so that it hides others of its name", path);
		return;
	case ABIBASE_PLATFORM_REFUSED:
		cli_line(stdout, "%s: refused: %s", path, detail);
		return;
	case ABIBASE_PLATFORM_DUPLICATE:
		cli_line(stdout, "%s: duplicate of %s", path, detail);
		return;
	}
	cli_line(stdout, "%s: in a state that this command does not know", path);
}

/* Bad files never keep the good ones from being listed, but they are no success either. */
static int complain(const struct abibase_platforms *l, bool verbose)
{
	int status = STATUS_YES;

	for (size_t i = 0; i < abibase_platforms_count(l); i++) {
		enum abibase_platform_state state = abibase_platforms_state(l, i);
		const char *path = abibase_platforms_path(l, i);
		const char *detail = abibase_platforms_detail(l, i);

		if (state == ABIBASE_PLATFORM_REFUSED)
			status = STATUS_TROUBLE;
		if (verbose)
			continue;
		if (state == ABIBASE_PLATFORM_REFUSED)
			cli_error("%s: refused: %s", path, detail);
		if (state == ABIBASE_PLATFORM_DUPLICATE)
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
