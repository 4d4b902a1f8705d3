/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "start.h"

static const struct option options[] = {
	{ "profile", required_argument, NULL, OPT_PROFILE },
	{ "verify", no_argument, NULL, OPT_VERIFY },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int usage(const char *text)
{
	cli_usage("exec", "%s", text);
	return 1 + STATUS_NOT_STARTED;
}

/* Returns 0 to go on, else the exit status + 1. */
static int parse(int argc, char **argv, struct start *s)
{
	int c;

	while ((c = cli_getopt(argc, argv, ":h", options)) != -1) {
		switch (c) {
		case OPT_PROFILE:
			s->profile = optarg;
			break;
		case OPT_VERIFY:
			s->verify = true;
			break;
		case 'h':
			return 1 + cli_help(&command_exec);
		default:
			return usage("the words of QEMU belong behind --, also its options");
		}
	}
	if (optind >= argc)
		return usage("missing operand: which baseline?");
	s->baseline = argv[optind];
	s->argv = argv + optind + 1;
	return *s->argv ? 0 : usage("missing operand: which QEMU?");
}

static int run(int argc, char **argv)
{
	_autofree_ char *path = NULL;
	struct start s = { 0 };
	int r = parse(argc, argv, &s);

	if (r > 0)
		return r - 1;
	r = start_find(s.argv[0], &path);
	if (r)
		return r;
	s.qemu = path;
	return start_guest(&s);
}

const struct command command_exec = {
	.name = "exec",
	.run = run,
	.summary = "start a QEMU under a baseline, or say why not",
	.help = "Usage: abibase exec [OPTION]... BASELINE -- QEMU [ARGUMENT]...\n"
		"\n"
		"Check that this host provides what the baseline promises, and become QEMU, with the\n"
		"settings that this binary needs of the baseline behind its arguments. Otherwise\n"
		"what is missing is named, with what to do about it, and QEMU is not started. The\n"
		"arguments name the machine type of the baseline. Options among them that get around\n"
		"the baseline are warned of.\n"
		"\n"
		"      --profile=FILE  do not ask this host: FILE is its profile, recorded since it\n"
		"                      was booted\n"
		"      --verify        read first of a throw-away QEMU what the guest would be\n"
		"                      offered, as abibase verify does\n"
		"  -h, --help          show this help and exit\n"
		"\n"
		"Exit status: that of QEMU; 126 QEMU was not started; 127 it was not found.\n",
};
