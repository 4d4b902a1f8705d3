/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest.h"

#include <errno.h>

static const struct option options[] = {
	{ "guest", required_argument, NULL, OPT_GUEST },
	GUEST_OPTIONS,
	{ "format", required_argument, NULL, 'f' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct arguments {
	struct guest_options guest; /* operand NULL: none */
	bool guest_options;
	struct output out;
	char **operands;
	int n_operands;
};

/* Returns 0 to go on, else the exit status + 1. */
static int parse(int argc, char **argv, struct arguments *a)
{
	int c, r;

	while ((c = cli_getopt(argc, argv, ":M:f:o:h", options)) != -1) {
		r = guest_option("check", &a->guest, c, optarg);
		if (r > 0)
			return r;
		if (r == 0) {
			a->guest_options |= c != OPT_ASSUME_QEMU;
			continue;
		}
		switch (c) {
		case OPT_GUEST:
			a->guest.operand = optarg;
			break;
		default:
			r = cli_output_option(&command_check, "table", c, &a->out);
			if (r)
				return r;
		}
	}
	a->operands = argv + optind;
	a->n_operands = argc - optind;
	if (a->guest_options && !a->guest.operand)
		return 1 + cli_usage("check", "-M, --backend, --device, --queue-size, --from and "
					      "--qemu go with --guest");
	if (a->n_operands == 0 && !a->guest.operand)
		return 1 + cli_usage("check", "missing operand: which baseline?");
	return guest_check_stdin("check", &a->guest, NULL, a->operands, a->n_operands) < 0 ?
		       1 + STATUS_TROUBLE :
		       0;
}

static int probe_here(struct abibase_context *ctx, struct abibase_catalogue *cat,
		      struct abibase_profile **ret)
{
	_unref_(probe) *probe = NULL;
	int r = abibase_probe_new(ctx, &probe);

	if (r == 0)
		r = abibase_probe_run(probe, cat, ret);
	return r < 0 ? cli_context_error(ctx, r) : 0;
}

/* Operand @i, or this host where none was named. */
static int check_one(struct abibase_context *ctx, struct abibase_catalogue *cat,
		     struct abibase_check_request *q, const struct arguments *a, int i)
{
	_unref_(profile) *p = NULL;
	int r = a->n_operands == 1 ? probe_here(ctx, cat, &p) :
				     cli_load_profile(ctx, a->operands[i + 1], &p);

	if (r != 0)
		return r;
	r = abibase_check_request_add_profile(q, p);
	return r < 0 ? cli_context_error(ctx, r) : 0;
}

static int make_request(struct abibase_context *ctx, struct abibase_catalogue *cat,
			const struct arguments *a, struct abibase_baseline *b,
			struct abibase_check_request **ret)
{
	int r = abibase_check_request_new(ctx, cat, b, ret);

	for (size_t i = 0; r == 0 && i < a->guest.n_assume; i++)
		r = abibase_check_request_assume_qemu(*ret, a->guest.assume[i]);
	return r < 0 ? cli_context_error(ctx, r) : 0;
}

static int check_all(struct abibase_context *ctx, const struct arguments *a)
{
	_unref_(catalogue) *cat = NULL;
	_unref_(baseline) *b = NULL;
	_unref_(check_request) *q = NULL;
	_unref_(result) *res = NULL;
	int n = a->n_operands > 1 ? a->n_operands - 1 : 1, r = abibase_catalogue_new(ctx, &cat);

	if (r < 0)
		return cli_context_error(ctx, r);
	r = cli_load_baseline(ctx, a->operands[0], &b);
	if (r == 0)
		r = make_request(ctx, cat, a, b, &q);
	for (int i = 0; r == 0 && i < n; i++)
		r = check_one(ctx, cat, q, a, i);
	if (r != 0)
		return r;
	r = abibase_check_request_run(q, &res);
	return r < 0 ? cli_context_error(ctx, r) : cli_answer(res, &a->out);
}

/* ------------------------------------------------------------------- for one guest */

static int add_hosts(struct abibase_context *ctx, struct abibase_catalogue *cat,
		     const struct arguments *a, int first, struct abibase_targets *t)
{
	int r = 0;

	for (int i = first; r == 0 && (i < a->n_operands || i == first); i++) {
		_unref_(profile) *p = NULL;

		r = first == a->n_operands ? probe_here(ctx, cat, &p) :
					     cli_load_profile(ctx, a->operands[i], &p);
		if (r == 0 && abibase_targets_add_profile(t, p) < 0)
			r = cli_error("out of memory [out-of-memory]");
	}
	return r;
}

/* A baseline may be the first operand, and need not. */
static int load_list(struct abibase_context *ctx, const struct arguments *a,
		     struct abibase_baseline **ret)
{
	_unref_(profile) *p = NULL;
	int r;

	if (a->n_operands == 0 || cli_operand_is_stdin(a->operands[0]))
		return 0; /* standard input is a profile: it can be read once only */
	r = abibase_operand_load(ctx, a->operands[0], &p, ret);
	return r < 0 ? cli_context_error(ctx, r) : 0;
}

static int check_guest(struct abibase_context *ctx, const struct arguments *a)
{
	_unref_(catalogue) *cat = NULL;
	_unref_(baseline) *b = NULL;
	_unref_(targets) *t = NULL;
	_unref_(result) *res = NULL;
	int r = abibase_catalogue_new(ctx, &cat);

	if (r < 0)
		return cli_context_error(ctx, r);
	r = load_list(ctx, a, &b);
	if (r == 0)
		r = guest_targets(ctx, cat, &a->guest, b, &t);
	if (r == 0)
		r = add_hosts(ctx, cat, a, b ? 1 : 0, t);
	if (r != 0)
		return r;
	r = abibase_targets_check(t, &res);
	return r < 0 ? cli_context_error(ctx, r) : cli_answer(res, &a->out);
}

static int run(int argc, char **argv)
{
	_autofree_ const char **assume = calloc((size_t)argc + 1, sizeof(*assume));
	struct arguments a = { .guest.assume = assume };
	_unref_(context) *ctx = NULL;
	int r;

	if (!assume)
		return cli_error("out of memory [out-of-memory]");
	r = parse(argc, argv, &a);
	if (r > 0)
		return r - 1;
	if (cli_context(0, &ctx) != 0)
		return STATUS_TROUBLE;
	return a.guest.operand ? check_guest(ctx, &a) : check_all(ctx, &a);
}

const struct command command_check = {
	.name = "check",
	.run = run,
	.summary = "does a host provide what a baseline promises?",
	.help = "Usage: abibase check [OPTION]... BASELINE [PROFILE]...\n"
		"  or:  abibase check --guest=GUEST [OPTION]... [BASELINE] [PROFILE]...\n"
		"\n"
		"Hold each host against a baseline that abibase intersect --json has written: does it\n"
		"provide every feature that is on, and every requirement? Without PROFILE this host is\n"
		"probed. What is missing is named with its layer and what to do about it; for a host\n"
		"that does not satisfy, what it would cost to admit it.\n"
		"\n"
		"With --guest: can each host take this running guest, as it would be started there with\n"
		"the list of BASELINE, or without a list? What the guest negotiated decides. GUEST is as\n"
		"with abibase targets.\n"
		"\n"
		"      --guest=GUEST       check for this guest\n"
		"  -M, --machine=MACHINE   machine type of the guest, where GUEST does not say\n"
		"      --backend=BACKEND   what its device lies on there (default: as where it runs)\n"
		"      --device=CLASS      class of the device of a feature word or of a log\n"
		"      --queue-size=LIST   entries of its queues: one size, or one for each queue\n"
		"      --assume-qemu=HOST  take HOST to have an upstream QEMU, where none is recorded\n"
		"      --from=PROFILE      the host where it runs\n"
		"      --qemu=BINARY       the QEMU in which it runs, started to try a question on it\n"
		"  -f, --format=FORMAT     table (default) or json\n"
		"      --json              the same as --format=json\n"
		"  -o, --output=FILE       write to FILE, whole or not at all, instead of stdout\n"
		"  -h, --help              show this help and exit\n"
		"\n"
		"Exit status: 0 every host satisfies; 1 one does not; 2 trouble; 3 cannot tell.\n",
};
