/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "start.h"

/* @qemu: as it was found; NULL: whichever this host has */
static int verify(const struct options *o, const char *qemu, char **words)
{
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(baseline) *b = NULL;
	_unref_(profile) *p = NULL;
	_unref_(result) *res = NULL;
	int r = cli_begin(o->verbose, &ctx, &cat);

	if (r == 0)
		r = cli_load_baseline(ctx, o->operands[0], &b);
	if (r == 0)
		r = start_profile(ctx, cat, b, options_arg(o, OPT_PROFILE), qemu, &p);
	if (r)
		return r;
	r = start_verify(ctx, cat, b, p, qemu, (const char *const *)words, &res);
	return r < 0 ? cli_context_error(ctx, r) : cli_answer(res, o);
}

static int run(const struct options *o)
{
	_autofree_ char *path = NULL;
	char **words = start_command(o->operands + 1);

	if (options_has(o, OPT_PROFILE) && !*words)
		return cli_usage("verify", "--profile takes a QEMU behind --");
	if (!*words)
		return verify(o, NULL, NULL);
	if (start_find(*words, &path) != 0)
		return STATUS_TROUBLE;
	return verify(o, path, words[1] ? words + 1 : NULL);
}

const struct command command_verify = {
	.verb = VERB_VERIFY,
	.name = "verify",
	.asks_host = true,
	.run = run,
	.summary = "is a guest really offered what a baseline promises?",
	.usage = "[OPTION]... BASELINE [-- QEMU [ARGUMENT]...]\n",
	.most = MANY,
	.which = { "baseline" },
	.operands = { "@files" },
	.about = "Start a throw-away QEMU as the arguments say, stopped before its first "
		"instruction, read what its virtio-net devices offer a guest, and hold "
		"that against the baseline. Nothing of the arguments is touched: kept of "
		"them is what decides the offers, and each tap is replaced by an equal one "
		"of its own. Without ARGUMENT the machine type, the list and the backends "
		"are the baseline's; without QEMU it is this host's. A difference is named "
		"with the option, or the layer, that causes it.\n",
	.status = "Exit status: 0 equal; 1 a difference; 2 trouble; 3 cannot tell.\n",
};

