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

/* "no" before "cannot tell" before "yes" */
static int worse(int a, int b)
{
	if (a == ABIBASE_VERDICT_NO || b == ABIBASE_VERDICT_NO)
		return ABIBASE_VERDICT_NO;
	return a > b ? a : b;
}

/* Operand @i, or this host where none was named. */
static int check_one(struct abibase_context *ctx, struct abibase_catalogue *cat,
		     struct abibase_check_request *q, const struct options *o, int i,
		     struct abibase_check **ret)
{
	_unref_(profile) *p = NULL;
	int r = o->n_operands == 1 ? probe_here(ctx, cat, &p) :
				     cli_load_profile(ctx, o->operands[i + 1], &p);

	if (r != 0)
		return r;
	r = abibase_check_request_run(q, p, ret);
	return r < 0 ? cli_context_error(ctx, r) : 0;
}

static int show(const struct options *o, const char *id, struct abibase_check **checks, int n)
{
	_autofree_ char *text = NULL;
	int r = o->json ? abibase_checks_to_json(id, checks, (size_t)n, &text) :
			  abibase_checks_to_text(checks, (size_t)n, &text);

	return cli_show(o, r, text, 0);
}

/* A name that is none of theirs is a slip of the pen that would go unseen. */
static int check_assumed(const struct options *o, struct abibase_check **checks, int n)
{
	const char *host;

	for (size_t i = 0; (host = options_next(o, OPT_ASSUME_QEMU, &i));) {
		int k = 0;

		while (k < n && !streq(abibase_check_host(checks[k]), host))
			k++;
		if (k == n)
			return cli_error("the host of an assumed QEMU, \"%s\", is not among the hosts "
					 "[no-such-host]",
					 host);
	}
	return 0;
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

static int check_all(struct abibase_context *ctx, const struct options *o,
		     struct abibase_check **checks, int n)
{
	_unref_(catalogue) *cat = NULL;
	_unref_(baseline) *b = NULL;
	_unref_(check_request) *q = NULL;
	int status = 0, r = abibase_catalogue_new(ctx, &cat);

	if (r < 0)
		return cli_context_error(ctx, r);
	r = cli_load_baseline(ctx, o->operands[0], &b);
	if (r == 0)
		r = make_request(ctx, cat, o, b, &q);
	for (int i = 0; r == 0 && i < n; i++) {
		r = check_one(ctx, cat, q, o, i, &checks[i]);
		if (r == 0)
			status = worse(status, (int)abibase_check_verdict(checks[i]));
	}
	if (r == 0)
		r = check_assumed(o, checks, n);
	if (r == 0)
		r = show(o, abibase_baseline_id(b), checks, n);
	return r ? r : status;
}

/* ------------------------------------------------------------------- for one guest */

static int show_moves(const struct options *o, const struct abibase_baseline *b,
		      const struct abibase_moves *m)
{
	size_t n = abibase_moves_count(m);
	struct abibase_check **checks = calloc(n + 1, sizeof(struct abibase_check *));
	_autofree_ char *text = NULL;
	int status = 0, r = checks ? 0 : -ENOMEM;

	for (size_t i = 0; checks && i < n; i++) {
		checks[i] = abibase_moves_check(m, i);
		status = worse(status, (int)abibase_check_verdict(checks[i]));
	}
	if (r == 0)
		r = o->json ? abibase_checks_to_json(b ? abibase_baseline_id(b) : NULL, checks, n,
						     &text) :
			      abibase_moves_to_text(m, &text);
	free(checks);
	return cli_show(o, r, text, status);
}

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
	_unref_(moves) *m = NULL;
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
	r = abibase_targets_run(t, &m);
	return r < 0 ? cli_context_error(ctx, r) : show_moves(o, b, m);
}

static int check(struct abibase_context *ctx, const struct options *o)
{
	int r, n = o->n_operands > 1 ? o->n_operands - 1 : 1;
	struct abibase_check **checks = calloc((size_t)n, sizeof(struct abibase_check *));

	if (!checks)
		return cli_error("out of memory [out-of-memory]");
	r = check_all(ctx, o, checks, n);
	for (int i = 0; i < n; i++)
		abibase_check_unref(checks[i]);
	free(checks);
	return r;
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
	    guest_check_stdin(&g, o->operands, o->n_operands) < 0 || cli_context(o->verbose, &ctx) != 0)
		return STATUS_TROUBLE;
	return guest ? check_guest(ctx, o, &g) : check(ctx, o);
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
