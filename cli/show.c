/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <unistd.h>

static int run(const struct options *o)
{
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_autofree_ char *text = NULL;
	int r;

	if (cli_begin(0, &ctx, &cat) != 0)
		return STATUS_TROUBLE;
	r = abibase_operand_show(ctx, cat, o->operands[0], o->json ? "json" : "text",
				 cli_width(STDOUT_FILENO), &text);
	return r < 0 ? cli_context_error(ctx, r) : cli_show(o, 0, text, STATUS_YES);
}

const struct command command_show = {
	.verb = VERB_SHOW,
	.name = "show",
	.run = run,
	.summary = "show a platform, a profile, a baseline or a build record",
	.usage = "[OPTION]... NAME|FILE\n",
	.most = 1,
	.which = { "profile or baseline" },
	.operands = { "@hosts" },
	.about = "Show a platform by its name, or the profile, baseline or build record in a "
		"file (it has a slash or ends in .json; - is standard input).\n",
	.status = "Exit status: 0 done; 2 trouble.\n",
};
