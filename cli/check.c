/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

/* The hosts are added one by one. */
struct checks {
	struct abibase_context *ctx;
	struct abibase_check_request *q;
};

static int check_one(void *data, struct abibase_profile *p)
{
	struct checks *c = data;
	int r = abibase_check_request_add_profile(c->q, p);

	return r < 0 ? cli_context_error(c->ctx, r) : 0;
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
	int r = abibase_catalogue_new(ctx, &cat);

	if (r < 0)
		return cli_context_error(ctx, r);
	r = cli_load_baseline(ctx, o->operands[0], &b);
	if (r == 0)
		r = make_request(ctx, cat, o, b, &q);
	if (r == 0)
		r = check_hosts(&(struct checks){ .ctx = ctx, .q = q }, cat, o);
	if (r)
		return r;
	r = abibase_check_request_run(q, &res);
	return r < 0 ? cli_context_error(ctx, r) : cli_answer(res, o);
}

static int run(const struct options *o)
{
	_unref_(context) *ctx = NULL;

	if (o->n_operands == 0)
		return cli_usage("check", "missing operand: which baseline?");
	if (cli_check_sources(o, 0, NULL) != 0 || cli_context(o->verbose, &ctx) != 0)
		return STATUS_TROUBLE;
	return check_all(ctx, o);
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
