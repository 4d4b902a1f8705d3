/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest.h"

static const struct option options[] = {
	GUEST_OPTIONS,
	{ "baseline", required_argument, NULL, OPT_BASELINE },
	{ "format", required_argument, NULL, 'f' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct arguments {
	struct guest_options guest;
	const char *baseline;
	struct output out;
	char **hosts;
	int n;
};

/* Returns 0 to go on, else the exit status + 1. */
static int parse(int argc, char **argv, struct arguments *a)
{
	int c, r;

	while ((c = cli_getopt(argc, argv, ":M:f:o:h", options)) != -1) {
		r = guest_option("targets", &a->guest, c, optarg);
		if (r > 0)
			return r;
		if (r == 0)
			continue;
		switch (c) {
		case OPT_BASELINE:
			a->baseline = optarg;
			break;
		default:
			r = cli_output_option(&command_targets, "table", c, &a->out);
			if (r)
				return r;
		}
	}
	if (argc - optind < 1)
		return 1 + cli_usage("targets", "missing operand: which guest?");
	if (argc - optind < 2)
		return 1 + cli_usage("targets", "missing operand: where could it go? name a profile");
	a->guest.operand = argv[optind];
	a->hosts = argv + optind + 1;
	a->n = argc - optind - 1;
	return guest_check_stdin("targets", &a->guest, a->baseline, a->hosts, a->n) < 0 ?
		       1 + STATUS_TROUBLE :
		       0;
}

static int add_hosts(struct abibase_context *ctx, const struct arguments *a,
		     struct abibase_targets *t)
{
	for (int i = 0; i < a->n; i++) {
		_unref_(profile) *p = NULL;

		if (cli_load_profile(ctx, a->hosts[i], &p) != 0)
			return STATUS_TROUBLE;
		if (abibase_targets_add_profile(t, p) < 0)
			return cli_error("out of memory [out-of-memory]");
	}
	return 0;
}

static int answer(struct abibase_context *ctx, const struct arguments *a,
		  struct abibase_targets *t)
{
	_unref_(result) *res = NULL;
	int r = abibase_targets_run(t, &res);

	return r < 0 ? cli_context_error(ctx, r) : cli_answer(res, &a->out);
}

static int targets(struct abibase_context *ctx, const struct arguments *a)
{
	_unref_(catalogue) *cat = NULL;
	_unref_(baseline) *b = NULL;
	_unref_(targets) *t = NULL;
	int r = abibase_catalogue_new(ctx, &cat);

	if (r < 0)
		return cli_context_error(ctx, r);
	if (a->baseline && cli_load_baseline(ctx, a->baseline, &b) != 0)
		return STATUS_TROUBLE;
	r = guest_targets(ctx, cat, &a->guest, b, &t);
	if (r == 0)
		r = add_hosts(ctx, a, t);
	return r ? r : answer(ctx, a, t);
}

static int run(int argc, char **argv)
{
	_autofree_ const char **assume = calloc((size_t)argc + 1, sizeof(*assume));
	struct arguments a = { .guest.assume = assume };
	_unref_(context) *ctx = NULL;
	int r = assume ? parse(argc, argv, &a) : 1 + cli_error("out of memory [out-of-memory]");

	if (r > 0)
		return r - 1;
	if (cli_context(0, &ctx) != 0)
		return STATUS_TROUBLE;
	return targets(ctx, &a);
}

const struct command command_targets = {
	.name = "targets",
	.run = run,
	.summary = "where can this running guest go?",
	.help = "Usage: abibase targets [OPTION]... GUEST PROFILE...\n"
		"\n"
		"Say of each host whether it can take the running guest: now; now, with options for the\n"
		"QEMU there that let it in without a restart; not, and all of the reasons; or that it\n"
		"cannot be told. What the guest negotiated decides, not what its device offers. Where\n"
		"the guest could not return after its next reset there, that is said, with the options\n"
		"that keep the way back open.\n"
		"\n"
		"GUEST is a file or - with an abibase-guest/1 document or a log with QEMU's line\n"
		"\"Features 0x... unsupported\"; a feature word such as 0x1c0010130afffa7; or qmp:SOCKET,\n"
		"the QMP socket of a running QEMU.\n"
		"\n"
		"  -M, --machine=MACHINE   machine type of the guest, where GUEST does not say\n"
		"      --backend=BACKEND   what its device lies on there: tap, tap+vhost, macvtap,\n"
		"                          macvtap+vhost (default: as where it runs)\n"
		"      --device=CLASS      class of the device of a feature word or of the log\n"
		"      --queue-size=LIST   entries of its queues: one size, or one for each queue\n"
		"      --assume-qemu=HOST  take HOST to have an upstream QEMU, where none is recorded\n"
		"      --from=PROFILE      the host where it runs: is there a way back?\n"
		"      --qemu=BINARY       the QEMU in which it runs, started to try on it the question\n"
		"                          what the guest of qmp:SOCKET negotiated\n"
		"      --baseline=FILE     the list with which it was started, and will be there\n"
		"  -f, --format=FORMAT     table (default) or json\n"
		"      --json              the same as --format=json\n"
		"  -o, --output=FILE       write to FILE, whole or not at all, instead of stdout\n"
		"  -h, --help              show this help and exit\n"
		"\n"
		"Exit status: 0 every host takes it, now or with the list that is printed; 1 one does\n"
		"not; 2 trouble; 3 cannot tell.\n",
};
