/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <unistd.h>

/* The node, and its images behind it */
static int merge(struct abibase_context *ctx, const struct options *o, const struct cli_list *l)
{
	_unref_(profile) *merged = NULL;
	_autofree_ char *why = NULL, *text = NULL;
	int r = abibase_profile_merge(ctx, l->profile[0], l->profile + 1, l->n - 1, &merged,
				      cli_width(STDERR_FILENO), &why);

	if (r < 0)
		return cli_context_error(ctx, r);
	if (why)
		cli_page(o, why);
	if (r != ABIBASE_VERDICT_YES)
		return r;
	r = abibase_value_to_json(abibase_profile_value(merged), &text);
	return cli_show(o, r, text, STATUS_YES);
}

static int run(const struct options *o)
{
	_unref_(context) *ctx = NULL;
	_cli_list_ l = { .n = 0 };

	if (cli_check_sources(o, 0, NULL) != 0 || cli_context(0, &ctx) != 0 ||
	    cli_profiles(ctx, o, 0, cli_list_take, &l) != 0)
		return STATUS_TROUBLE;
	if (l.n < 2)
		return cli_usage("merge", "missing operand: which image?");
	return merge(ctx, o, &l);
}

const struct command command_merge = {
	.verb = VERB_MERGE,
	.name = "merge",
	.run = run,
	.summary = "one host of a node's kernel and the QEMUs of its images",
	.usage = "[OPTION]... NODE IMAGE...\n",
	.most = MANY,
	.which = { "node" },
	.operands = { "@files" },
	.about = "Where QEMU runs in a container, the node knows the kernel and the image "
		"the QEMU. Print the profile of one host of both: NODE is what abibase probe "
		"--no-qemu recorded on the node, IMAGE what abibase probe --only=qemu recorded "
		"in the image. The name is that of the node; NAME=NODE renames. Nothing is "
		"chosen: what they state otherwise is named.\n",
	.status = "Exit status: 0 done; 1 they contradict each other; 2 trouble.\n",
};
