/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

static int run(const struct options *o)
{
	unsigned int flags = options_has(o, OPT_COST) ? ABIBASE_EXPLAIN_COST : 0;
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(baseline) *b = NULL;
	_unref_(result) *res = NULL;
	int r;

	if (o->n_operands == 2 && flags)
		return cli_usage("explain",
				 "--cost is of all features, and one property was named");
	if (cli_begin(0, &ctx, &cat) != 0 || cli_load_baseline(ctx, o->operands[0], &b) != 0)
		return STATUS_TROUBLE;
	/* NULL ends the operands */
	r = abibase_explain(ctx, cat, b, o->operands[1], flags, &res);
	return r < 0 ? cli_context_error(ctx, r) : cli_answer(res, o);
}

const struct command command_explain = {
	.verb = VERB_EXPLAIN,
	.name = "explain",
	.run = run,
	.summary = "why is a baseline what it is, and what would raise it?",
	.usage = "[OPTION]... BASELINE [[CLASS.]PROPERTY]\n",
	.most = 2,
	.which = { "baseline" },
	.operands = { "@files", "@properties" },
	.about = "Say of each property of a baseline, or of one, why it has its value: "
		"which host, which QEMU or which machine type forced it, what guests do "
		"without, and what would bring it back. BASELINE is what abibase intersect "
		"--json has written.\n",
	.status = "Exit status: 0 done; 2 trouble.\n",
};
