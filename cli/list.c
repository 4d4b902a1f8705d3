/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <errno.h>

/* The platform that is called so; there is one. */
static const struct abibase_value *platform(const struct abibase_value *doc, const char *name)
{
	const struct abibase_value *list = abibase_value_member(doc, "platforms"), *v;
	size_t i = 0;

	while ((v = abibase_value_item(list, i++)) && !streq(cli_text(v, "name"), name))
		;
	return v;
}

static void print_file(FILE *to, const struct abibase_value *doc, const struct abibase_value *f)
{
	const char *state = cli_text(f, "state"), *path = cli_text(f, "path");
	const char *by = cli_text(f, "by");
	const struct abibase_value *p;
	const char *alias;

	if (streq(state, "used")) {
		p = platform(doc, cli_text(f, "name"));
		alias = cli_text(p, "alias");
		cli_line(to, "%s: used: %s revision %lld%s%s", path, cli_text(f, "name"),
			 (long long)abibase_value_integer(abibase_value_member(p, "revision")),
			 alias ? ", alias " : "", alias ? alias : "");
	} else if (streq(state, "hidden"))
		cli_line(to, "%s: hidden by %s", path, by);
	else if (streq(state, "masks"))
		cli_line(to, "%s: masks: empty, so that it hides others of its name", path);
	else if (streq(state, "refused"))
		cli_line(to, "%s: refused: %s", path, cli_text(f, "text"));
	else
		cli_line(to, "%s: duplicate of %s", path, by);
}

/* Bad files never keep the good ones from being listed, but they are no success either. */
static void complain(const struct abibase_value *f)
{
	const char *path = cli_text(f, "path"), *state = cli_text(f, "state");

	if (streq(state, "refused"))
		cli_error("%s: refused: %s", path, cli_text(f, "text"));
	if (streq(state, "duplicate"))
		cli_error("warning: %s: not used: duplicate of %s", path, cli_text(f, "by"));
}

/* The table, and behind it every file that was considered */
static int with_files(const struct abibase_result *res, char **ret)
{
	const struct abibase_value *doc = abibase_result_value(res), *f;
	_autofree_ char *table = NULL;
	size_t size, i = 0;
	FILE *to = NULL;

	if (abibase_result_to_text(res, 0, &table) == 0)
		to = open_memstream(ret, &size);
	if (!to)
		return -ENOMEM;
	fprintf(to, "%s\n", table);
	while ((f = abibase_value_item(abibase_value_member(doc, "files"), i++)))
		print_file(to, doc, f);
	return fclose(to) == 0 ? 0 : -ENOMEM;
}

static int print(const struct options *o, const struct abibase_result *res, char **ret)
{
	return o->json ? abibase_value_to_json(abibase_result_value(res), ret) :
			 abibase_result_to_text(res, 0, ret);
}

static int list_platforms(struct abibase_context *ctx, const struct options *o)
{
	bool verbose = o->verbose > 0 && !o->json;
	_unref_(platforms) *l = NULL;
	_unref_(result) *res = NULL;
	_autofree_ char *text = NULL;
	const struct abibase_value *f;
	size_t i = 0;
	int status, r = abibase_platforms_new(ctx, &l);

	if (r == 0)
		r = abibase_platforms_list(ctx, l, &res);
	if (r < 0)
		return cli_context_error(ctx, r);
	r = verbose ? with_files(res, &text) : print(o, res, &text);
	status = cli_show(o, r, text, STATUS_YES);
	while (!verbose && (f = abibase_value_get(abibase_result_value(res), "files")) &&
	       (f = abibase_value_item(f, i++)))
		complain(f);
	return status == STATUS_YES && abibase_result_verdict(res) != ABIBASE_VERDICT_YES ?
		       STATUS_TROUBLE :
		       status;
}

static int list_groups(struct abibase_context *ctx, const struct options *o)
{
	_unref_(catalogue) *cat = NULL;
	_unref_(result) *res = NULL;
	_autofree_ char *text = NULL;
	int r = abibase_catalogue_new(ctx, &cat);

	if (r == 0)
		r = abibase_catalogue_list(ctx, cat, &res);
	if (r < 0)
		return cli_context_error(ctx, r);
	r = print(o, res, &text);
	return cli_show(o, r, text, STATUS_YES);
}

static int run(const struct options *o)
{
	bool groups = options_has(o, OPT_GROUPS);
	_unref_(context) *ctx = NULL;

	if (groups && o->verbose > 0)
		return cli_usage("list",
				 "-v lists files, and the groups are of one file, the catalogue");
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
