/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

static const struct option options[] = {
	{ "platform", required_argument, NULL, OPT_PLATFORM },
	{ "backend", required_argument, NULL, OPT_BACKEND },
	{ "no-load", no_argument, NULL, OPT_NO_LOAD },
	{ "format", required_argument, NULL, 'f' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct arguments {
	char **platforms; /* as many as there are arguments is always enough */
	int n_platforms;
	const char **backends; /* NULL-terminated */
	size_t n_backends;
	const char *operand;
	struct output out;
	bool no_load;
};

/* The profiles to compare with, and the list that some of them belong to. */
struct platforms {
	struct abibase_platforms *list;
	struct abibase_profile **profile;
	size_t n;
};

static void release(struct platforms *p)
{
	for (size_t i = 0; i < p->n; i++)
		abibase_profile_unref(p->profile[i]);
	free(p->profile);
	abibase_platforms_unref(p->list);
}

/* --backend LIST, split at the commas in place; returns 0 or -1 when memory ran out */
static int add_backends(struct arguments *a, char *list)
{
	char *name;

	while ((name = strsep(&list, ","))) {
		const char **grown = realloc(a->backends, (a->n_backends + 2) * sizeof(*grown));

		if (!grown)
			return -1;
		a->backends = grown;
		a->backends[a->n_backends++] = name;
		a->backends[a->n_backends] = NULL;
	}
	return 0;
}

static int check(const struct arguments *a, int argc, char **argv)
{
	if (optind + 1 < argc)
		return 1 + cli_usage("match", "extra operand '%s'", argv[optind + 1]);
	if (a->operand && a->no_load)
		return 1 + cli_usage("match", "--no-load is for probing, and a profile was given");
	if (cli_check_stdin_once("match", a->platforms, a->n_platforms,
				 a->operand && cli_operand_is_stdin(a->operand)) < 0)
		return 1 + STATUS_TROUBLE;
	return 0;
}

/* Returns 0 to go on, else the exit status + 1. */
static int parse(int argc, char **argv, struct arguments *a)
{
	int c, r;

	while ((c = cli_getopt(argc, argv, ":f:h", options)) != -1) {
		switch (c) {
		case OPT_PLATFORM:
			a->platforms[a->n_platforms++] = optarg;
			break;
		case OPT_BACKEND:
			if (add_backends(a, optarg) < 0)
				return 1 + cli_error("out of memory [out-of-memory]");
			break;
		case OPT_NO_LOAD:
			a->no_load = true;
			break;
		default:
			r = cli_output_option(&command_match, "text", c, &a->out);
			if (r)
				return r;
		}
	}
	a->operand = optind < argc ? argv[optind] : NULL;
	return check(a, argc, argv);
}

static int load_named(struct abibase_context *ctx, const struct arguments *a,
		      struct platforms *platforms)
{
	int status = 0;

	platforms->profile = calloc((size_t)a->n_platforms, sizeof(*platforms->profile));
	if (!platforms->profile)
		return cli_error("out of memory [out-of-memory]");
	for (int i = 0; i < a->n_platforms; i++)
		if (cli_load_profile(ctx, a->platforms[i], &platforms->profile[platforms->n]) == 0)
			platforms->n++;
		else
			status = STATUS_TROUBLE;
	return status;
}

/* A bad file is said and left out: it keeps no other platform from being satisfied. */
static void warn_refused(const struct abibase_platforms *list, size_t i)
{
	if (streq(abibase_platforms_get(list, i, "state"), "refused"))
		cli_error("warning: %s: refused: %s", abibase_platforms_get(list, i, "path"),
			  abibase_platforms_get(list, i, "detail"));
}

static int load_listed(struct abibase_context *ctx, struct platforms *platforms)
{
	int r = abibase_platforms_new(ctx, &platforms->list);
	size_t n;

	if (r < 0)
		return cli_context_error(ctx, r);
	n = abibase_platforms_count(platforms->list);
	platforms->profile = calloc(n + 1, sizeof(*platforms->profile));
	if (!platforms->profile)
		return cli_error("out of memory [out-of-memory]");
	for (size_t i = 0; i < n; i++) {
		struct abibase_profile *p = abibase_platforms_profile(platforms->list, i);

		warn_refused(platforms->list, i);
		if (p)
			platforms->profile[platforms->n++] = abibase_profile_ref(p);
	}
	if (!platforms->n)
		return cli_error("there is no platform to compare with [platform-not-found]");
	return 0;
}

/* macvtap is asked on request, and a request names all that is asked. */
static int request_macvtap(struct abibase_probe *pr, const struct arguments *a)
{
	static const char *const surfaces[] = { "tap", "vhost-net", "ebpf", "macvtap" };
	bool wanted = false;
	int r = 0;

	for (size_t i = 0; i < a->n_backends; i++)
		wanted |= strncmp(a->backends[i], "macvtap", strlen("macvtap")) == 0;
	for (size_t i = 0; wanted && r == 0 && i < ARRAY_SIZE(surfaces); i++)
		r = abibase_probe_only(pr, surfaces[i]);
	return r;
}

static int probe(struct abibase_context *ctx, struct abibase_catalogue *cat,
		 const struct arguments *a, struct abibase_profile **ret)
{
	_unref_(probe) *pr = NULL;
	int r = abibase_probe_new(ctx, &pr);

	if (r == 0) {
		abibase_probe_set_flags(pr, ABIBASE_PROBE_NO_QEMU |
						    (a->no_load ? ABIBASE_PROBE_NO_LOAD : 0));
		r = request_macvtap(pr, a);
	}
	if (r == 0)
		r = abibase_probe_run(pr, cat, ret);
	return r < 0 ? cli_context_error(ctx, r) : 0;
}

static int match(const struct arguments *a, struct platforms *platforms)
{
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(profile) *host = NULL;
	_unref_(result) *res = NULL;
	int r;

	if (cli_context(0, &ctx) != 0)
		return STATUS_TROUBLE;
	r = abibase_catalogue_new(ctx, &cat);
	if (r < 0)
		return cli_context_error(ctx, r);
	if ((a->n_platforms ? load_named(ctx, a, platforms) : load_listed(ctx, platforms)) != 0)
		return STATUS_TROUBLE;
	if ((a->operand ? cli_load_profile(ctx, a->operand, &host) : probe(ctx, cat, a, &host)) != 0)
		return STATUS_TROUBLE;
	r = abibase_match(ctx, cat, host, platforms->profile, platforms->n, a->backends, &res);
	if (r < 0)
		return cli_context_error(ctx, r);
	return cli_answer(res, &a->out);
}

static int run(int argc, char **argv)
{
	_autofree_ char **names = calloc((size_t)argc, sizeof(*names));
	struct arguments a = { .platforms = names };
	struct platforms platforms = { 0 };
	int r;

	if (!names)
		return cli_error("out of memory [out-of-memory]");
	r = parse(argc, argv, &a);
	r = r > 0 ? r - 1 : match(&a, &platforms);
	release(&platforms);
	free(a.backends);
	return r;
}

const struct command command_match = {
	.name = "match",
	.run = run,
	.summary = "say which platforms this host satisfies",
	.help = "Usage: abibase match [OPTION]... [PROFILE]\n"
		"\n"
		"Say which platforms this host has all of, which not and what is missing, and which\n"
		"is the closest. Compared are the facts of the kernel that a guest can meet; QEMU is\n"
		"shown and decides nothing. PROFILE is a file (it has a slash or ends in .json), - for\n"
		"standard input, or the name of a platform; without it this host is probed.\n"
		"\n"
		"      --platform=NAME  compare with this platform, or the profile in a file; may be\n"
		"                       repeated; default: all that 'abibase list' shows\n"
		"      --backend=LIST   compare what these backends use, with commas: tap, tap+vhost,\n"
		"                       macvtap, macvtap+vhost; default: tap,tap+vhost\n"
		"      --no-load        probe without opening anything whose module is not loaded\n"
		"  -f, --format=FORMAT  text (default, for people) or json\n"
		"      --json           the same as --format=json\n"
		"  -h, --help           show this help and exit\n"
		"\n"
		"Exit status: 0 a platform is satisfied; 1 none is; 2 trouble; 3 none is, but of some\n"
		"it cannot be told.\n",
};
