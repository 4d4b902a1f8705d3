/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "start.h"

#include <errno.h>

static const struct option options[] = {
	{ "format", required_argument, NULL, 'f' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "output", required_argument, NULL, 'o' },
	{ "profile", required_argument, NULL, OPT_PROFILE },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct arguments {
	const char *baseline, *profile;
	struct output out;
	char **command; /* QEMU and its arguments, or none */
};

/* Returns 0 to go on, else the exit status + 1. */
static int parse(int argc, char **argv, struct arguments *a)
{
	int c, r;

	while ((c = cli_getopt(argc, argv, ":f:o:h", options)) != -1) {
		switch (c) {
		case OPT_PROFILE:
			a->profile = optarg;
			break;
		default:
			r = cli_output_option(&command_verify, "table", c, &a->out);
			if (r)
				return r;
		}
	}
	if (optind >= argc)
		return 1 + cli_usage("verify", "missing operand: which baseline?");
	a->baseline = argv[optind];
	a->command = argv + optind + 1;
	if (a->profile && !*a->command)
		return 1 + cli_usage("verify", "--profile takes a QEMU behind --");
	return 0;
}

/* @qemu: as it was found; NULL: whichever this host has */
static int verify(const struct arguments *a, const char *qemu)
{
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(baseline) *b = NULL;
	_unref_(profile) *p = NULL;
	_unref_(result) *res = NULL;
	const char *const *argv = NULL;
	int r;

	if (cli_context(0, &ctx) != 0)
		return STATUS_TROUBLE;
	r = abibase_catalogue_new(ctx, &cat);
	if (r < 0)
		return cli_context_error(ctx, r);
	r = cli_load_baseline(ctx, a->baseline, &b);
	if (r)
		return r;
	r = start_profile(ctx, cat, b, a->profile, qemu, &p);
	if (r)
		return r;
	if (qemu && a->command[1])
		argv = (const char *const *)a->command + 1;
	r = start_verify(ctx, cat, b, p, qemu, argv, &res);
	return r < 0 ? cli_context_error(ctx, r) : cli_answer(res, &a->out);
}

static int run(int argc, char **argv)
{
	_autofree_ char *path = NULL;
	struct arguments a = { 0 };
	int r = parse(argc, argv, &a);

	if (r > 0)
		return r - 1;
	if (*a.command && start_find(*a.command, &path) != 0)
		return STATUS_TROUBLE;
	return verify(&a, path);
}

const struct command command_verify = {
	.name = "verify",
	.run = run,
	.summary = "is a guest really offered what a baseline promises?",
	.help = "Usage: abibase verify [OPTION]... BASELINE [-- QEMU [ARGUMENT]...]\n"
		"\n"
		"Start a throw-away QEMU as the arguments say, stopped before its first instruction,\n"
		"read what its virtio-net devices offer a guest, and hold that against the baseline.\n"
		"Nothing of the arguments is touched: kept of them is what decides the offers, and\n"
		"each tap is replaced by an equal one of its own. Without ARGUMENT the machine type,\n"
		"the list and the backends are the baseline's; without QEMU it is this host's.\n"
		"A difference is named with the option, or the layer, that causes it.\n"
		"\n"
		"  -f, --format=FORMAT     table (default) or json\n"
		"      --json              the same as --format=json\n"
		"  -o, --output=FILE       write to FILE, whole or not at all, instead of stdout\n"
		"      --profile=FILE      do not ask this host: FILE is its profile, recorded since\n"
		"                          it was booted; takes a QEMU\n"
		"  -h, --help              show this help and exit\n"
		"\n"
		"Exit status: 0 equal; 1 a difference; 2 trouble; 3 cannot tell.\n",
};

