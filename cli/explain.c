/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

static int explain(const struct options *o)
{
	unsigned int flags = options_has(o, OPT_COST) ? ABIBASE_EXPLAIN_COST : 0;
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(baseline) *b = NULL;
	_unref_(explanation) *x = NULL;
	_autofree_ char *text = NULL;
	int r;

	if (cli_context(0, &ctx) != 0 || cli_load_baseline(ctx, o->operands[0], &b) != 0)
		return STATUS_TROUBLE;
	r = abibase_catalogue_new(ctx, &cat);
	/* NULL ends the operands */
	if (r == 0)
		r = abibase_explain(ctx, cat, b, o->operands[1], flags, &x);
	if (r < 0)
		return cli_context_error(ctx, r);
	r = o->json ? abibase_explanation_to_json(x, &text) : abibase_explanation_to_text(x, &text);
	return cli_show(o, r, text, STATUS_YES);
}

static int run(const struct options *o)
{
	if (o->n_operands == 0)
		return cli_usage("explain", "missing operand: which baseline?");
	if (o->n_operands > 2)
		return cli_usage("explain", "extra operand '%s'", o->operands[2]);
	if (o->n_operands == 2 && options_has(o, OPT_COST))
		return cli_usage("explain", "--cost is of all features, and one property was named");
	return explain(o);
}

const struct command command_explain = {
	.verb = VERB_EXPLAIN,
	.name = "explain",
	.run = run,
	.summary = "why is a baseline what it is, and what would raise it?",
	.usage = "[OPTION]... BASELINE [[CLASS.]PROPERTY]\n",
	.operands = { "@files", "@properties" },
	.about = "Say of each property of a baseline, or of one, why it has its value: "
		"which host, which QEMU or which machine type forced it, what guests do "
		"without, and what would bring it back. BASELINE is what abibase intersect "
		"--json has written.\n",
	.status = "Exit status: 0 done; 2 trouble.\n",
};
