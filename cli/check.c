/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "choose.h"
#include "here.h"

#include <errno.h>

/* A baseline, and what is found of each host against it */
struct check {
	char *name;
	struct abibase_check_request *request;
};

/* Hosts are not kept: there may be thousands. So the baselines stand before them. */
struct checks {
	const struct options *o;
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	struct abibase_guest *guest; /* NULL: whichever is started */
	const char *start; /* --start; NULL: each host is held against each baseline */
	struct check *check;
	size_t n, cap, n_hosts;
	bool refused; /* could an operand not be taken? */
	bool others; /* is there a document that is no baseline? */
};

static void checks_clear(struct checks *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->check[i].name);
		abibase_check_request_unref(c->check[i].request);
	}
	free(c->check);
	abibase_guest_unref(c->guest);
	abibase_catalogue_unref(c->cat);
	abibase_context_unref(c->ctx);
}

static int prepare(struct checks *c, struct abibase_baseline *b,
		   struct abibase_check_request **ret)
{
	int r = abibase_check_request_new(c->ctx, c->cat, b, ret);
	const char *host;

	for (size_t i = 0; r == 0 && (host = options_next(c->o, OPT_ASSUME_QEMU, &i));)
		r = abibase_check_request_assume_qemu(*ret, host);
	if (r == 0 && c->guest)
		abibase_check_request_set_guest(*ret, c->guest);
	return r < 0 ? cli_context_error(c->ctx, r) : 0;
}

static int add_baseline(struct checks *c, const char *name, struct abibase_baseline *b)
{
	struct check *check;
	int r;

	if (array_grow(&c->check, c->n, &c->cap, sizeof(*c->check)) < 0)
		return cli_oom();
	if (c->n_hosts)
		return cli_error("%s: is a baseline; baselines stand before the hosts [usage]",
				 name);
	check = &c->check[c->n];
	*check = (struct check){ .name = strdup(name) };
	if (!check->name)
		return cli_oom();
	r = prepare(c, b, &check->request);
	c->refused |= r != 0;
	if (r)
		free(check->name);
	else
		c->n++;
	return r;
}

static const char *of_guest(const struct checks *c, const char *member)
{
	return cli_text(abibase_guest_value(c->guest), member);
}

/* Of a start: the one that the guest names, or those of its machine type, or of what an alias stands for */
static bool is_asked(const struct checks *c, const struct abibase_baseline *b)
{
	const char *id = of_guest(c, "x-baseline"), *machine = of_guest(c, "machine");
	const char *of = cli_text(abibase_baseline_value(b), "machine"), *kind;

	if (id)
		return streq(abibase_baseline_id(b) ?: "", id);
	kind = choose_kind(machine);
	return !of || (kind ? strprefix(of, kind) : streq(of, machine));
}

static int add_host(struct checks *c, const struct abibase_profile *p)
{
	int r = 0;

	c->n_hosts++;
	for (size_t i = 0; r == 0 && i < c->n; i++)
		r = abibase_check_request_add_profile(c->check[i].request, p);
	return r < 0 ? cli_context_error(c->ctx, r) : 0;
}

static int add(void *data, const struct cli_source *s)
{
	struct checks *c = data;
	_unref_(profile) *p = NULL;
	_unref_(baseline) *b = NULL;
	int r = cli_source_load(c->ctx, s, &p, &b);

	if (r < 0) {
		c->refused = true;
		return cli_source_error(c->ctx, s, r);
	}
	if (b)
		return c->start && !is_asked(c, b) ? 0 : add_baseline(c, s->name, b);
	if (c->start)
		return cli_no_baseline(s->name);
	c->others = true;
	/* the baseline may be what was refused, and that was said */
	if (c->refused)
		return STATUS_TROUBLE;
	if (p && !c->n)
		return cli_no_baseline(s->name);
	return p ? add_host(c, p) : 0;
}

static int add_all(struct checks *c)
{
	_unref_(profile) *here = NULL;
	int r = cli_sources(c->o, 0, false, add, c);

	if (r)
		return r;
	if (!c->n)
		return cli_usage("check", "missing operand: which baseline?");
	if (c->n_hosts)
		return 0;
	/* an answer about this host would be none about those that were meant */
	if (c->others)
		return cli_error("there is no host among the operands [usage]");
	r = cli_probe_here(c->ctx, c->cat, &here);
	return r ? r : add_host(c, here);
}

static int answer(const struct checks *c)
{
	struct cli_answers a = { .o = c->o };
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n; i++) {
		_unref_(result) *res = NULL;

		r = abibase_check_request_run(c->check[i].request, &res);
		r = r < 0 ? cli_context_error(c->ctx, r) :
			    cli_answers_add(&a, c->check[i].name, res, abibase_result_verdict(res));
	}
	return cli_answers_end(&a, r);
}

/* -------------------------------------------------------------------- may it start? */

/* The record of this host, of the QEMU of the guest alone where it has that */
static int recorded(const struct checks *c, struct abibase_profile **ret)
{
	const char *qemu = of_guest(c, "x-emulator");
	int r = abibase_profile_from_file(c->ctx, c->start, ret);
	_unref_(profile) *whole = NULL;

	if (r == 0) {
		whole = steal(ret);
		r = abibase_profile_current(c->ctx, whole, qemu ? qemu : "", ret);
	}
	/* such as that of the wrapper */
	if (r == -ENOENT && whole) {
		*ret = steal(&whole);
		return 0;
	}
	if (r == 0)
		return 0;
	cli_context_error(c->ctx, r);
	return start_remedy("systemctl restart abibase-profile.service");
}

/* One that is satisfied is enough; else all is told, @r being what went wrong before. */
static int answer_start(const struct checks *c, int r)
{
	struct cli_answers a = { .o = c->o };
	int run;

	for (size_t i = 0; i < c->n; i++) {
		_unref_(result) *res = NULL;

		run = abibase_check_request_run(c->check[i].request, &res);

		if (run == 0 && abibase_result_verdict(res) == ABIBASE_VERDICT_YES) {
			cli_answers_end(&a, STATUS_TROUBLE);
			return cli_answer(res, c->o);
		}
		if (run < 0)
			r = cli_context_error(c->ctx, run);
		else if (cli_answers_add(&a, c->check[i].name, res, abibase_result_verdict(res)) != 0)
			r = STATUS_TROUBLE;
	}
	run = cli_answers_end(&a, 0);
	return r ? r : run;
}

/* What no baseline is about may start. */
static int start(struct checks *c)
{
	const struct abibase_value *g = abibase_guest_value(c->guest);
	const char *id = of_guest(c, "x-baseline");
	_unref_(profile) *p = NULL;
	int r, bad;

	if (!id && !abibase_value_count(abibase_value_member(g, "devices")) &&
	    !abibase_value_count(abibase_value_member(g, "x-not-judged")))
		return 0;
	bad = cli_sources(c->o, 0, false, add, c);
	if (!c->n && !bad && id)
		return cli_error("%s: no baseline is %s, which the domain asks for: copy it there "
				 "[baseline-not-there]",
				 c->o->n_operands ? c->o->operands[0] : "the operands", id);
	if (!c->n)
		return bad;
	r = recorded(c, &p);
	if (r == 0)
		r = add_host(c, p);
	return r ? r : answer_start(c, bad);
}

static int check(struct checks *c)
{
	int r = cli_begin(c->o->verbose, &c->ctx, &c->cat);

	if (r == 0)
		r = cli_domain(c->ctx, c->cat, c->o, options_arg(c->o, OPT_BACKEND), &c->guest);
	if (r == 0 && c->start)
		return start(c);
	if (r == 0)
		r = add_all(c);
	return r ? r : answer(c);
}

static int run(const struct options *o)
{
	struct checks c = { .o = o, .start = options_arg(o, OPT_START) };
	int r;

	if (c.start && !options_has(o, OPT_DOMAIN))
		return cli_usage("check", "--start is of the guest of --domain");
	if (!o->n_operands && !options_has(o, OPT_FILES0_FROM))
		return options_has(o, OPT_DOMAIN) || options_has(o, OPT_BACKEND) ||
				       options_has(o, OPT_ASSUME_QEMU) ?
			       cli_usage("check", "missing operand: which baseline?") :
			       here_check(o);
	if (options_has(o, OPT_BACKEND) && !options_has(o, OPT_DOMAIN))
		return cli_usage("check", "--backend is of the guest of --domain");
	if (cli_check_sources(o, 0, options_arg(o, OPT_DOMAIN)) != 0)
		return STATUS_TROUBLE;
	r = check(&c);
	checks_clear(&c);
	return r;
}

const struct command command_check = {
	.verb = VERB_CHECK,
	.name = "check",
	.run = run,
	.summary = "does a host provide what a baseline promises?",
	.usage = "[OPTION]... BASELINE... [PROFILE]...\n"
		 "[OPTION]...\n",
	.most = MANY,
	.operands = { "@files", "@hosts" },
	.about = "Hold each host against each baseline that abibase intersect --json has "
		"written: does it provide every feature that is on, and every requirement? "
		"Without PROFILE this host is probed. All that is missing is named with its "
		"layer and a remedy; for a host that does not satisfy, what it "
		"would cost to admit it.\n"
		"Without operands, who runs under what: this host is held against all baselines "
		"that its guests start under, the unit that records it, the record, the wrapper "
		"and AppArmor are looked at, and each QEMU that runs is named with its baseline.\n",
	.status = "Exit status: 0 every host satisfies; 1 one does not; 2 trouble; 3 cannot "
		"tell.\n",
};
