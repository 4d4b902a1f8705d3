/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest.h"

#include <errno.h>

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
		     struct abibase_check_request *q, const struct options *o, int i)
{
	_unref_(profile) *p = NULL;
	int r = o->n_operands == 1 ? probe_here(ctx, cat, &p) :
				     cli_load_profile(ctx, o->operands[i + 1], &p);

	if (r != 0)
		return r;
	r = abibase_check_request_add_profile(q, p);
	return r < 0 ? cli_context_error(ctx, r) : 0;
}

static int make_request(struct abibase_context *ctx, struct abibase_catalogue *cat,
			const struct options *o, struct abibase_baseline *b,
			struct abibase_check_request **ret)
{
	int r = abibase_check_request_new(ctx, cat, b, ret);
	const char *host;

	for (size_t i = 0; r == 0 && (host = options_next(o, OPT_ASSUME_QEMU, &i));)
		r = abibase_check_request_assume_qemu(*ret, host);
	return r < 0 ? cli_context_error(ctx, r) : 0;
}

static int check_all(struct abibase_context *ctx, const struct options *o)
{
	_unref_(catalogue) *cat = NULL;
	_unref_(baseline) *b = NULL;
	_unref_(check_request) *q = NULL;
	_unref_(result) *res = NULL;
	int n = o->n_operands > 1 ? o->n_operands - 1 : 1, r = abibase_catalogue_new(ctx, &cat);

	if (r < 0)
		return cli_context_error(ctx, r);
	r = cli_load_baseline(ctx, o->operands[0], &b);
	if (r == 0)
		r = make_request(ctx, cat, o, b, &q);
	for (int i = 0; r == 0 && i < n; i++)
		r = check_one(ctx, cat, q, o, i);
	if (r != 0)
		return r;
	r = abibase_check_request_run(q, &res);
	return r < 0 ? cli_context_error(ctx, r) : cli_answer(res, o);
}

/* ------------------------------------------------------------------- for one guest */

static int add_hosts(struct abibase_context *ctx, struct abibase_catalogue *cat,
		     const struct options *o, int first, struct abibase_targets *t)
{
	int r = 0;

	for (int i = first; r == 0 && (i < o->n_operands || i == first); i++) {
		_unref_(profile) *p = NULL;

		r = first == o->n_operands ? probe_here(ctx, cat, &p) :
					     cli_load_profile(ctx, o->operands[i], &p);
		if (r == 0 && abibase_targets_add_profile(t, p) < 0)
			r = cli_error("out of memory [out-of-memory]");
	}
	return r;
}

/* A baseline may be the first operand, and need not. */
static int load_list(struct abibase_context *ctx, const struct options *o,
		     struct abibase_baseline **ret)
{
	_unref_(profile) *p = NULL;
	int r;

	if (o->n_operands == 0 || cli_operand_is_stdin(o->operands[0]))
		return 0; /* standard input is a profile: it can be read once only */
	r = abibase_operand_load(ctx, o->operands[0], &p, ret);
	return r < 0 ? cli_context_error(ctx, r) : 0;
}

static int check_guest(struct abibase_context *ctx, const struct options *o,
		       const struct guest_options *g)
{
	_unref_(catalogue) *cat = NULL;
	_unref_(baseline) *b = NULL;
	_unref_(targets) *t = NULL;
	_unref_(result) *res = NULL;
	int r = abibase_catalogue_new(ctx, &cat);

	if (r < 0)
		return cli_context_error(ctx, r);
	r = load_list(ctx, o, &b);
	if (r == 0)
		r = guest_targets(ctx, cat, g, b, &t);
	if (r == 0)
		r = add_hosts(ctx, cat, o, b ? 1 : 0, t);
	if (r != 0)
		return r;
	r = abibase_targets_check(t, &res);
	return r < 0 ? cli_context_error(ctx, r) : cli_answer(res, o);
}

static int run(const struct options *o)
{
	static const int of_guest[] = { 'M', OPT_BACKEND, OPT_DEVICE, OPT_QUEUE_SIZE, OPT_FROM,
					OPT_QEMU };
	const char *guest = options_arg(o, OPT_GUEST);
	_unref_(context) *ctx = NULL;
	struct guest_options g;

	for (size_t i = 0; !guest && i < ARRAY_SIZE(of_guest); i++)
		if (options_has(o, of_guest[i]))
			return cli_usage("check", "-M, --backend, --device, --queue-size, --from and "
						  "--qemu go with --guest");
	if (o->n_operands == 0 && !guest)
		return cli_usage("check", "missing operand: which baseline?");
	if (guest_options(o, guest, &g) != 0 ||
	    guest_check_stdin(&g, o->operands, o->n_operands) < 0 || cli_context(0, &ctx) != 0)
		return STATUS_TROUBLE;
	return guest ? check_guest(ctx, o, &g) : check_all(ctx, o);
}

const struct command command_check = {
	.verb = VERB_CHECK,
	.name = "check",
	.run = run,
	.summary = "does a host provide what a baseline promises?",
	.usage = "[OPTION]... BASELINE [PROFILE]...\n"
		"--guest=GUEST [OPTION]... [BASELINE] [PROFILE]...\n",
	.operands = { "@files", "@hosts" },
	.about = "Hold each host against a baseline that abibase intersect --json has "
		"written: does it provide every feature that is on, and every requirement? "
		"Without PROFILE this host is probed. What is missing is named with its "
		"layer and what to do about it; for a host that does not satisfy, what it "
		"would cost to admit it.\n"
		"\n"
		"With --guest: can each host take this running guest, as it would be "
		"started there with the list of BASELINE, or without a list? What the "
		"guest negotiated decides. GUEST is as with abibase targets.\n",
	.status = "Exit status: 0 every host satisfies; 1 one does not; 2 trouble; 3 cannot "
		"tell.\n",
};
