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

/* What was found, host by host. */
struct checks {
	struct abibase_context *ctx;
	struct abibase_check_request *q;
	struct abibase_check **check;
	size_t n, room;
	int status;
};

static int check_one(void *data, struct abibase_profile *p)
{
	struct checks *c = data;
	int r;

	if (c->n == c->room) {
		size_t room = c->room ? 2 * c->room : 16;
		struct abibase_check **grown = realloc(c->check, room * sizeof(*grown));

		if (!grown)
			return cli_error("out of memory [out-of-memory]");
		c->check = grown;
		c->room = room;
	}
	r = abibase_check_request_run(c->q, p, &c->check[c->n]);
	if (r < 0)
		return cli_context_error(c->ctx, r);
	c->status = worse(c->status, (int)abibase_check_verdict(c->check[c->n++]));
	return 0;
}

/* Those that are named, or this host */
static int check_hosts(struct checks *c, struct abibase_catalogue *cat, const struct options *o)
{
	_unref_(profile) *p = NULL;
	int r;

	if (o->n_operands > 1 || options_has(o, OPT_FILES0_FROM))
		return cli_profiles(c->ctx, o, 1, check_one, c);
	r = probe_here(c->ctx, cat, &p);
	return r ? r : check_one(c, p);
}

static int show(const struct options *o, const char *id, const struct checks *c)
{
	_autofree_ char *text = NULL;
	int r = o->json ? abibase_checks_to_json(id, c->check, c->n, &text) :
			  abibase_checks_to_text(c->check, c->n, &text);

	return cli_show(o, r, text, c->status);
}

/* A name that is none of theirs is a slip of the pen that would go unseen. */
static int check_assumed(const struct options *o, const struct checks *c)
{
	const char *host;

	for (size_t i = 0; (host = options_next(o, OPT_ASSUME_QEMU, &i));) {
		size_t k = 0;

		while (k < c->n && !streq(abibase_check_host(c->check[k]), host))
			k++;
		if (k == c->n)
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

static int check_all(struct checks *c, const struct options *o)
{
	_unref_(catalogue) *cat = NULL;
	_unref_(baseline) *b = NULL;
	_unref_(check_request) *q = NULL;
	int r = abibase_catalogue_new(c->ctx, &cat);

	if (r < 0)
		return cli_context_error(c->ctx, r);
	r = cli_load_baseline(c->ctx, o->operands[0], &b);
	if (r == 0)
		r = make_request(c->ctx, cat, o, b, &q);
	c->q = q;
	if (r == 0)
		r = check_hosts(c, cat, o);
	if (r == 0)
		r = check_assumed(o, c);
	return r ? r : show(o, abibase_baseline_id(b), c);
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
	struct checks c = { .ctx = ctx };
	int r = check_all(&c, o);

	for (size_t i = 0; i < c.n; i++)
		abibase_check_unref(c.check[i]);
	free(c.check);
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
