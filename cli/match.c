/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

struct arguments {
	const struct options *o;
	char **platforms; /* as many as there are arguments is always enough */
	int n_platforms;
	const char **backends; /* NULL-terminated */
	size_t n_backends;
	const char *operand; /* NULL: this host */
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

static int check(const struct arguments *a)
{
	if (a->o->n_operands > 1)
		return cli_usage("match", "extra operand '%s'", a->o->operands[1]);
	if (a->operand && options_has(a->o, OPT_NO_LOAD))
		return cli_usage("match", "--no-load is for probing, and a profile was given");
	if (cli_check_stdin_once("match", a->platforms, a->n_platforms,
				 a->operand && cli_operand_is_stdin(a->operand)) < 0)
		return STATUS_TROUBLE;
	return 0;
}

static int take(struct arguments *a)
{
	char *arg;

	for (size_t i = 0; (arg = options_next(a->o, OPT_PLATFORM, &i));)
		a->platforms[a->n_platforms++] = arg;
	for (size_t i = 0; (arg = options_next(a->o, OPT_BACKEND, &i));)
		if (add_backends(a, arg) < 0)
			return cli_error("out of memory [out-of-memory]");
	return check(a);
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

static int load_listed(struct abibase_context *ctx, struct platforms *platforms)
{
	size_t n = 0;

	if (cli_platforms(ctx, &platforms->list) != 0)
		return STATUS_TROUBLE;
	while (abibase_platforms_profile(platforms->list, n))
		n++;
	platforms->profile = calloc(n + 1, sizeof(*platforms->profile));
	if (!platforms->profile)
		return cli_error("out of memory [out-of-memory]");
	for (; platforms->n < n; platforms->n++)
		platforms->profile[platforms->n] = abibase_profile_ref(
			abibase_platforms_profile(platforms->list, platforms->n));
	return n ? 0 : cli_error("there is no platform to compare with [platform-not-found]");
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
		abibase_probe_set_flags(
			pr, ABIBASE_PROBE_NO_QEMU |
				    (options_has(a->o, OPT_NO_LOAD) ? ABIBASE_PROBE_NO_LOAD : 0));
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

	if (cli_context(a->o->verbose, &ctx) != 0)
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
	return cli_answer(res, a->o);
}

static int run(const struct options *o)
{
	_autofree_ char **names = calloc(options_count(o, OPT_PLATFORM) + 1, sizeof(*names));
	struct arguments a = { .o = o, .platforms = names, .operand = o->operands[0] };
	struct platforms platforms = { 0 };
	int r;

	if (!names)
		return cli_error("out of memory [out-of-memory]");
	r = take(&a);
	if (r == 0)
		r = match(&a, &platforms);
	release(&platforms);
	free(a.backends);
	return r;
}

const struct command command_match = {
	.verb = VERB_MATCH,
	.name = "match",
	.run = run,
	.summary = "say which platforms this host satisfies",
	.usage = "[OPTION]... [PROFILE]\n",
	.operands = { "@hosts" },
	.about = "Say which platforms this host has all of, which not and what is missing, "
		"and which is the closest. Compared are the facts of the kernel that a "
		"guest can meet; QEMU is shown and decides nothing. PROFILE is a file (it "
		"has a slash or ends in .json), - for standard input, or the name of a "
		"platform; without it this host is probed.\n",
	.status = "Exit status: 0 a platform is satisfied; 1 none is; 2 trouble; 3 none is, "
		"but of some it cannot be told.\n",
};
