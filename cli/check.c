/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

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
	r = cli_probe_here(c->ctx, cat, &p);
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

static int run(const struct options *o)
{
	_unref_(context) *ctx = NULL;
	struct checks c = { 0 };
	int r;

	if (o->n_operands == 0)
		return cli_usage("check", "missing operand: which baseline?");
	if (cli_check_sources(o, 0, NULL) != 0 || cli_context(o->verbose, &ctx) != 0)
		return STATUS_TROUBLE;
	c.ctx = ctx;
	r = check_all(&c, o);
	for (size_t i = 0; i < c.n; i++)
		abibase_check_unref(c.check[i]);
	free(c.check);
	return r;
}

const struct command command_check = {
	.verb = VERB_CHECK,
	.name = "check",
	.run = run,
	.summary = "does a host provide what a baseline promises?",
	.usage = "[OPTION]... BASELINE [PROFILE]...\n",
	.operands = { "@files", "@hosts" },
	.about = "Hold each host against a baseline that abibase intersect --json has "
		"written: does it provide every feature that is on, and every requirement? "
		"Without PROFILE this host is probed. What is missing is named with its "
		"layer and what to do about it; for a host that does not satisfy, what it "
		"would cost to admit it.\n",
	.status = "Exit status: 0 every host satisfies; 1 one does not; 2 trouble; 3 cannot "
		"tell.\n",
};
