/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

static int profile_text(struct abibase_context *ctx, const struct abibase_profile *profile,
			bool json, char **ret)
{
	_unref_(catalogue) *cat = NULL;
	int r;

	if (json)
		return abibase_profile_to_json(profile, ret);
	r = abibase_catalogue_new(ctx, &cat);
	return r < 0 ? r : abibase_profile_to_text(profile, cat, ret);
}

static int baseline_text(struct abibase_context *ctx, const struct abibase_baseline *baseline,
			 bool json, char **ret)
{
	_unref_(render) *render = NULL;
	int r = abibase_render_new(ctx, &render);

	if (r == 0)
		r = abibase_render_set_format(render, json ? "json" : "text");
	/* The verdict was told when the baseline was made; to show it is a success either way. */
	if (r == 0)
		r = abibase_render_run(render, baseline, ret, NULL);
	return r < 0 ? r : 0;
}

static int show(const struct options *o)
{
	_unref_(context) *ctx = NULL;
	_unref_(profile) *profile = NULL;
	_unref_(baseline) *baseline = NULL;
	_unref_(build) *build = NULL;
	_autofree_ char *text = NULL;
	int r;

	if (cli_context(0, &ctx) != 0)
		return STATUS_TROUBLE;
	r = abibase_operand_load_any(ctx, o->operands[0], &profile, &baseline, &build);
	if (r == 0 && build)
		r = o->json ? abibase_build_to_json(build, &text) :
			      abibase_build_to_text(build, &text);
	else if (r == 0 && profile)
		r = profile_text(ctx, profile, o->json, &text);
	else if (r == 0)
		r = baseline_text(ctx, baseline, o->json, &text);
	if (r < 0)
		return cli_context_error(ctx, r);
	return cli_show(o, 0, text, STATUS_YES);
}

static int run(const struct options *o)
{
	if (o->n_operands == 0)
		return cli_usage("show", "missing operand: which profile or baseline?");
	if (o->n_operands > 1)
		return cli_usage("show", "extra operand '%s'", o->operands[1]);
	return show(o);
}

const struct command command_show = {
	.verb = VERB_SHOW,
	.name = "show",
	.run = run,
	.summary = "show a platform, a profile, a baseline or a build record",
	.usage = "[OPTION]... NAME|FILE\n",
	.operands = { "@hosts" },
	.about = "Show a platform by its name, or the profile, baseline or build record in a "
		"file (it has a slash or ends in .json; - is standard input).\n",
	.status = "Exit status: 0 done; 2 trouble.\n",
};
