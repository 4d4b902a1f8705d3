/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <time.h>

#include "cli.h"

static const char *today(char day[16])
{
	time_t now = time(NULL);
	struct tm tm;

	*day = '\0';
	if (gmtime_r(&now, &tm))
		strftime(day, 16, "%Y-%m-%d", &tm);
	return day;
}

/* An operand is what its document says that it is. */
struct sorting {
	struct cli_list *platforms, *hosts;
};

static int sort(void *data, struct abibase_profile *p)
{
	const struct sorting *s = data;
	const char *kind = cli_text(abibase_profile_value(p), "kind");

	return cli_list_add(streq(kind, "platform") ? s->platforms : s->hosts, p);
}

static int load(struct abibase_context *ctx, const struct options *o, struct cli_list *platforms,
		struct cli_list *hosts)
{
	int r = cli_list_load(ctx, o, platforms);

	if (cli_list_load(ctx, o, hosts) != 0 ||
	    cli_profiles(ctx, o, 1, sort, &(struct sorting){ platforms, hosts }) != 0 || r != 0)
		return STATUS_TROUBLE;
	return platforms->n ? 0 : cli_list_platforms(ctx, platforms);
}

static int plan(const struct options *o, struct cli_list *platforms, struct cli_list *hosts)
{
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(result) *res = NULL;
	const char *at = options_arg(o, OPT_AT);
	char day[16];
	int r;

	if (cli_begin(o->verbose, &ctx, &cat) != 0)
		return STATUS_TROUBLE;
	r = load(ctx, o, platforms, hosts);
	if (r)
		return r;
	r = abibase_plan(ctx, cat, o->operands[0], at ? at : today(day), platforms->profile,
			 platforms->n, hosts->profile, hosts->n, &res);
	return r < 0 ? cli_context_error(ctx, r) : cli_answer(res, o);
}

/* At most one operand of all is standard input. */
static int check_stdin(const struct options *o, const struct strings *platforms,
		       const struct strings *hosts)
{
	char *taken = NULL;

	if (cli_check_stdin_once("plan", hosts->s, (int)hosts->n, &taken) != 0 ||
	    cli_check_stdin_once("plan", platforms->s, (int)platforms->n, &taken) != 0)
		return STATUS_TROUBLE;
	return cli_check_sources(o, 1, taken);
}

static int run(const struct options *o)
{
	_cli_list_ platforms = { .n = 0 }, hosts = { .n = 0 };
	int r;

	/* also with --files0-from */
	if (o->n_operands == 0)
		return cli_usage("plan", "missing operand: which group or property?");
	r = cli_add_names(&platforms.names, o, OPT_PLATFORMS, true);
	if (r == 0)
		r = cli_add_names(&hosts.names, o, OPT_HOSTS, true);
	if (r == 0)
		r = check_stdin(o, &platforms.names, &hosts.names);
	return r ? r : plan(o, &platforms, &hosts);
}

const struct command command_plan = {
	.verb = VERB_PLAN,
	.name = "plan",
	.run = run,
	.summary = "when could a feature be on by default for everybody?",
	.usage = "[OPTION]... GROUP|PROPERTY [PROFILE]...\n",
	.most = MANY,
	.operands = { "@groups @properties", "@hosts" },
	.about = "Say which platforms lack a feature, until when each of them is supported, "
		"and hence the earliest day on which it could be on by default for "
		"everybody. GROUP is a group of the catalogue, such as offload-uso; "
		"PROPERTY is one property, such as host_uso. PROFILE is a platform, which is "
		"looked at instead of all, or a host, as with --hosts.\n",
	.status = "Exit status: 0 every supported platform has it; 1 one lacks it; 2 "
		"trouble; 3 cannot tell.\n",
};
