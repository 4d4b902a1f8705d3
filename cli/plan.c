/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <time.h>

#include "cli.h"

static const struct option options[] = {
	{ "platforms", required_argument, NULL, OPT_PLATFORMS },
	{ "at", required_argument, NULL, OPT_AT },
	{ "hosts", required_argument, NULL, OPT_HOSTS },
	{ "format", required_argument, NULL, 'f' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* Operands, and the profiles that they name. */
struct profiles {
	char **name;
	struct abibase_profile **profile;
	size_t n_names, n;
};

struct arguments {
	struct profiles platforms, hosts;
	const char *at, *what;
	struct output out;
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

/* Every platform that there is; a bad file is said and left out. */
static int load_all(struct abibase_context *ctx, struct profiles *p)
{
	_unref_(platforms) *list = NULL;
	int r = abibase_platforms_new(ctx, &list);

	if (r < 0)
		return cli_context_error(ctx, r);
	p->profile = calloc(abibase_platforms_count(list) + 1, sizeof(*p->profile));
	if (!p->profile)
		return cli_error("out of memory [out-of-memory]");
	for (size_t i = 0; i < abibase_platforms_count(list); i++) {
		struct abibase_profile *f = abibase_platforms_profile(list, i);

		if (f)
			p->profile[p->n++] = abibase_profile_ref(f);
		else if (streq(abibase_platforms_get(list, i, "state"), "refused"))
			cli_error("warning: %s: refused: %s", abibase_platforms_get(list, i, "path"),
				  abibase_platforms_get(list, i, "detail"));
	}
	return 0;
}

static int plan(struct arguments *a)
{
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(result) *res = NULL;
	int r, hosts;

	if (cli_context(0, &ctx) != 0)
		return STATUS_TROUBLE;
	r = a->platforms.n_names ? load_names(ctx, &a->platforms) : load_all(ctx, &a->platforms);
	hosts = load_names(ctx, &a->hosts);
	if (r != 0 || hosts != 0)
		return STATUS_TROUBLE;
	r = abibase_catalogue_new(ctx, &cat);
	if (r == 0)
		r = abibase_plan(ctx, cat, a->what, a->at, a->platforms.profile, a->platforms.n,
				 a->hosts.profile, a->hosts.n, &res);
	return r < 0 ? cli_context_error(ctx, r) : cli_answer(res, &a->out);
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

static int check(struct arguments *a, int argc, char **argv)
{
	if (argc == optind)
		return 1 + cli_usage("plan", "missing operand: which group or property?");
	if (argc - optind > 1)
		return 1 + cli_usage("plan", "extra operand '%s'", argv[optind + 1]);
	if (check_stdin(a) < 0)
		return 1 + STATUS_TROUBLE;
	a->what = argv[optind];
	return 0;
}

/* Returns 0 to go on, else the exit status + 1. */
static int parse(int argc, char **argv, struct arguments *a)
{
	int c, r;

	while ((c = cli_getopt(argc, argv, ":f:o:h", options)) != -1) {
		switch (c) {
		case OPT_PLATFORMS:
		case OPT_HOSTS:
			if (add_names(c == OPT_HOSTS ? &a->hosts : &a->platforms, optarg) < 0)
				return 1 + cli_error("out of memory [out-of-memory]");
			break;
		case OPT_AT:
			a->at = optarg;
			break;
		default:
			r = cli_output_option(&command_plan, "text", c, &a->out);
			if (r)
				return r;
		}
	}
	return check(a, argc, argv);
}

static int run(int argc, char **argv)
{
	struct arguments a = { 0 };
	char today[16] = "";
	time_t now = time(NULL);
	struct tm tm;
	int r;

	if (gmtime_r(&now, &tm))
		strftime(today, sizeof(today), "%Y-%m-%d", &tm);
	a.at = today;
	r = parse(argc, argv, &a);
	r = r > 0 ? r - 1 : plan(&a);
	profiles_clear(&a.platforms);
	profiles_clear(&a.hosts);
	return r;
}

const struct command command_plan = {
	.name = "plan",
	.run = run,
	.summary = "when could a feature be on by default for everybody?",
	.help = "Usage: abibase plan [OPTION]... GROUP|PROPERTY\n"
		"\n"
		"Say which platforms lack a feature, until when each of them is supported, and hence\n"
		"the earliest day on which it could be on by default for everybody. GROUP is a group of\n"
		"the catalogue, such as offload-uso; PROPERTY is one property, such as host_uso.\n"
		"\n"
		"      --platforms=LIST    these platforms, separated by commas, instead of all; may be\n"
		"                          repeated\n"
		"      --at=DATE           the day that counts as today, YYYY-MM-DD (default: today)\n"
		"      --hosts=LIST        beside it, what a baseline of these hosts gives at once; may\n"
		"                          be repeated\n"
		"  -f, --format=FORMAT     text (default, for people) or json\n"
		"      --json              the same as --format=json\n"
		"  -o, --output=FILE       write to FILE, whole or not at all, instead of stdout\n"
		"  -h, --help              show this help and exit\n"
		"\n"
		"Exit status: 0 every supported platform has it; 1 one lacks it; 2 trouble; 3 cannot\n"
		"tell.\n",
};
