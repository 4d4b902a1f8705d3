/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <time.h>

#include "cli.h"

/* Operands, and the profiles that they name. */
struct profiles {
	char **name;
	struct abibase_profile **profile;
	size_t n_names, n;
};

struct arguments {
	struct profiles platforms, hosts;
	const struct options *o;
};

static void profiles_clear(struct profiles *p)
{
	for (size_t i = 0; i < p->n; i++)
		abibase_profile_unref(p->profile[i]);
	free(p->profile);
	free(p->name);
}

/* LIST, split at the commas in place. Returns 0 or -1 when memory ran out. */
static int add_names(struct profiles *p, char *list)
{
	char *name;

	while ((name = strsep(&list, ","))) {
		char **grown = realloc(p->name, (p->n_names + 1) * sizeof(*grown));

		if (!grown)
			return -1;
		p->name = grown;
		p->name[p->n_names++] = name;
	}
	return 0;
}

/* All are read, so that one run names all that are bad. */
static int load_names(struct abibase_context *ctx, struct profiles *p)
{
	int status = 0;

	p->profile = calloc(p->n_names + 1, sizeof(*p->profile));
	if (!p->profile)
		return cli_error("out of memory [out-of-memory]");
	for (size_t i = 0; i < p->n_names; i++)
		if (cli_load_profile(ctx, p->name[i], &p->profile[p->n]) == 0)
			p->n++;
		else
			status = STATUS_TROUBLE;
	return status;
}

/* Every platform that there is */
static int load_all(struct abibase_context *ctx, struct profiles *p)
{
	_unref_(platforms) *list = NULL;
	size_t n = 0;

	if (cli_platforms(ctx, &list) != 0)
		return STATUS_TROUBLE;
	while (abibase_platforms_profile(list, n))
		n++;
	p->profile = calloc(n + 1, sizeof(*p->profile));
	if (!p->profile)
		return cli_error("out of memory [out-of-memory]");
	for (; p->n < n; p->n++)
		p->profile[p->n] = abibase_profile_ref(abibase_platforms_profile(list, p->n));
	return 0;
}

static const char *today(char day[16])
{
	time_t now = time(NULL);
	struct tm tm;

	*day = '\0';
	if (gmtime_r(&now, &tm))
		strftime(day, 16, "%Y-%m-%d", &tm);
	return day;
}

static int plan(struct arguments *a)
{
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(result) *res = NULL;
	const char *at = options_arg(a->o, OPT_AT);
	char day[16];
	int r, hosts;

	if (cli_context(a->o->verbose, &ctx) != 0)
		return STATUS_TROUBLE;
	r = a->platforms.n_names ? load_names(ctx, &a->platforms) : load_all(ctx, &a->platforms);
	hosts = load_names(ctx, &a->hosts);
	if (r != 0 || hosts != 0)
		return STATUS_TROUBLE;
	r = abibase_catalogue_new(ctx, &cat);
	if (r == 0)
		r = abibase_plan(ctx, cat, a->o->operands[0], at ? at : today(day),
				 a->platforms.profile, a->platforms.n, a->hosts.profile, a->hosts.n,
				 &res);
	return r < 0 ? cli_context_error(ctx, r) : cli_answer(res, a->o);
}

/* At most one operand of all is standard input. */
static int check_stdin(const struct arguments *a)
{
	bool taken = false;

	for (size_t i = 0; i < a->hosts.n_names; i++)
		taken |= cli_operand_is_stdin(a->hosts.name[i]);
	if (cli_check_stdin_once("plan", a->hosts.name, (int)a->hosts.n_names, false) < 0 ||
	    cli_check_stdin_once("plan", a->platforms.name, (int)a->platforms.n_names, taken) < 0)
		return -1;
	return 0;
}

static int take_names(const struct options *o, int id, struct profiles *p)
{
	char *list;

	for (size_t i = 0; (list = options_next(o, id, &i));)
		if (add_names(p, list) < 0)
			return cli_error("out of memory [out-of-memory]");
	return 0;
}

static int run(const struct options *o)
{
	struct arguments a = { .o = o };
	int r;

	if (o->n_operands == 0)
		return cli_usage("plan", "missing operand: which group or property?");
	if (o->n_operands > 1)
		return cli_usage("plan", "extra operand '%s'", o->operands[1]);
	r = take_names(o, OPT_PLATFORMS, &a.platforms);
	if (r == 0)
		r = take_names(o, OPT_HOSTS, &a.hosts);
	if (r == 0)
		r = check_stdin(&a) < 0 ? STATUS_TROUBLE : plan(&a);
	profiles_clear(&a.platforms);
	profiles_clear(&a.hosts);
	return r;
}

const struct command command_plan = {
	.verb = VERB_PLAN,
	.name = "plan",
	.run = run,
	.summary = "when could a feature be on by default for everybody?",
	.usage = "[OPTION]... GROUP|PROPERTY\n",
	.operands = { "@groups @properties" },
	.about = "Say which platforms lack a feature, until when each of them is supported, "
		"and hence the earliest day on which it could be on by default for "
		"everybody. GROUP is a group of the catalogue, such as offload-uso; "
		"PROPERTY is one property, such as host_uso.\n",
	.status = "Exit status: 0 every supported platform has it; 1 one lacks it; 2 "
		"trouble; 3 cannot tell.\n",
};
