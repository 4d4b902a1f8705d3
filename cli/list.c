/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <errno.h>

static void print_candidate(FILE *to, const struct abibase_platforms *l, size_t i)
{
	const struct abibase_profile *p = abibase_platforms_profile(l, i);
	const struct abibase_value *v = abibase_profile_value(p);
	const char *alias = abibase_platforms_get(l, i, "alias");
	const char *detail = abibase_platforms_get(l, i, "detail");
	const char *path = abibase_platforms_get(l, i, "path");
	const char *state = abibase_platforms_get(l, i, "state");

	if (streq(state, "used"))
		cli_line(to, "%s: used: %s revision %lld%s%s", path, abibase_profile_name(p),
			 (long long)abibase_value_integer(abibase_value_member(v, "revision")),
			 alias ? ", alias " : "", alias ? alias : "");
	else if (streq(state, "hidden"))
		cli_line(to, "%s: hidden by %s", path, detail);
	else if (streq(state, "masks"))
		cli_line(to, "%s: masks: empty, so that it hides others of its name", path);
	else if (streq(state, "refused"))
		cli_line(to, "%s: refused: %s", path, detail);
	else
		cli_line(to, "%s: duplicate of %s", path, detail);
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

/* Every file that was considered */
static int candidates(const struct abibase_platforms *l, char **ret)
{
	size_t size;
	FILE *to = open_memstream(ret, &size);

	for (size_t i = 0; to && i < abibase_platforms_count(l); i++)
		print_candidate(to, l, i);
	return to && fclose(to) == 0 ? 0 : -ENOMEM;
}

static int list_platforms(struct abibase_context *ctx, const struct options *o)
{
	bool verbose = o->verbose > 0 && !o->json;
	_unref_(platforms) *l = NULL;
	_autofree_ char *text = NULL;
	int status, r = abibase_platforms_new(ctx, &l);

	if (r < 0)
		return cli_context_error(ctx, r);
	if (verbose)
		r = candidates(l, &text);
	else
		r = o->json ? abibase_platforms_to_json(l, &text) :
			      abibase_platforms_to_text(l, &text);
	status = cli_show(o, r, text, STATUS_YES);
	r = complain(l, verbose);
	return status ? status : r;
}

static int list_groups(struct abibase_context *ctx, const struct options *o)
{
	_unref_(catalogue) *cat = NULL;
	_autofree_ char *text = NULL;
	int r = abibase_catalogue_new(ctx, &cat);

	if (r < 0)
		return cli_context_error(ctx, r);
	r = abibase_catalogue_to_text(cat, &text);
	return cli_show(o, r, text, STATUS_YES);
}

static int run(const struct options *o)
{
	bool groups = options_has(o, OPT_GROUPS);
	_unref_(context) *ctx = NULL;

	if (o->n_operands > 0)
		return cli_usage("list", "extra operand '%s'", o->operands[0]);
	if (groups && (o->json || o->verbose > 0))
		return cli_usage("list", "--groups is a table for people alone");
	if (cli_context(0, &ctx) != 0)
		return STATUS_TROUBLE;
	return groups ? list_groups(ctx, o) : list_platforms(ctx, o);
}

const struct command command_list = {
	.verb = VERB_LIST,
	.name = "list",
	.run = run,
	.summary = "list the platforms, or the groups of features, that can be named",
	.usage = "[OPTION]...\n",
	.about = "List the platforms that can be named, one a line: kernel, QEMU, its newest "
		"machine type, the month in which support ends, and where the facts are from: "
		"probed, partly, or stated by others. Below it, the shorter names that stand for "
		"the newest of a series.\n",
	.status = "Exit status: 0 done; 2 trouble, also when a file was refused.\n",
};
