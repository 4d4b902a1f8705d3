/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <errno.h>

#include "base/index.h"

struct matching {
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	const struct cli_list *platforms;
	const struct strings *backends;
	struct cli_answers answers;
	struct strings names, digests; /* of the hosts that were answered about */
	struct index by_name;
	bool refused; /* the platforms are, whatever the host, and that was said */
};

static int check(const struct options *o, const struct cli_list *platforms)
{
	const struct strings *names = &platforms->names;
	char *taken = NULL;

	if ((o->n_operands || options_has(o, OPT_FILES0_FROM)) && options_has(o, OPT_NO_LOAD))
		return cli_usage("match", "--no-load is for probing, and a profile was given");
	if (cli_check_stdin_once("match", names->s, (int)names->n, &taken) != 0)
		return STATUS_TROUBLE;
	return cli_check_sources(o, 0, taken);
}

/* macvtap is asked on request, and a request names all that is asked. */
static int request_macvtap(struct abibase_probe *pr, const struct strings *backends)
{
	static const char *const surfaces[] = { "tap", "vhost-net", "ebpf", "macvtap" };
	bool wanted = false;
	int r = 0;

	for (size_t i = 0; i < backends->n; i++)
		wanted |= strprefix(backends->s[i], "macvtap");
	for (size_t i = 0; wanted && r == 0 && i < ARRAY_SIZE(surfaces); i++)
		r = abibase_probe_only(pr, surfaces[i]);
	return r;
}

static int probe(struct abibase_context *ctx, struct abibase_catalogue *cat,
		 const struct options *o, const struct strings *backends,
		 struct abibase_profile **ret)
{
	unsigned int no_load = options_has(o, OPT_NO_LOAD) ? ABIBASE_PROBE_NO_LOAD : 0;
	_unref_(probe) *pr = NULL;
	int r = abibase_probe_new(ctx, &pr);

	if (r == 0) {
		abibase_probe_set_flags(pr, ABIBASE_PROBE_NO_QEMU | no_load);
		r = request_macvtap(pr, backends);
	}
	if (r == 0)
		r = abibase_probe_run(pr, cat, ret);
	return r < 0 ? cli_context_error(ctx, r) : 0;
}

/* 0; 1: that host was answered about; or STATUS_TROUBLE */
static int note_host(struct matching *m, const struct abibase_value *answer)
{
	const char *name = cli_text(answer, "name"), *digest = cli_text(answer, "digest");
	unsigned int at;

	if (index_intern(&m->by_name, &m->names, name, &at) < 0)
		return cli_oom();
	if (at >= m->digests.n)
		return strings_add(&m->digests, digest) < 0 ? cli_oom() : 0;
	return streq(m->digests.s[at], digest) ?
		       1 :
		       cli_error("two different profiles are called \"%s\": call one otherwise, "
				 "NAME=FILE [name-twice]",
				 name);
}

static int match_one(void *data, struct abibase_profile *host)
{
	struct matching *m = data;
	_unref_(result) *res = NULL;
	int r;

	if (m->refused)
		return STATUS_TROUBLE;
	r = abibase_match(m->ctx, m->cat, host, m->platforms->profile, m->platforms->n,
			  (const char *const *)m->backends->s, &res);
	m->refused = r == -EEXIST;
	if (r < 0)
		return cli_context_error(m->ctx, r);
	r = note_host(m, abibase_result_value(res));
	if (r)
		return r == 1 ? 0 : r;
	return cli_answers_add(&m->answers, cli_name(host), res, abibase_result_verdict(res));
}

/* Those that are named, or this host */
static int match_all(struct matching *m, const struct options *o)
{
	_unref_(profile) *here = NULL;
	int r;

	if (o->n_operands || options_has(o, OPT_FILES0_FROM)) {
		r = cli_profiles(m->ctx, o, 0, match_one, m);
		return r || m->answers.begun || m->answers.texts.n ?
			       r :
			       cli_error("there is no host among the operands [usage]");
	}
	r = probe(m->ctx, m->cat, o, m->backends, &here);
	return r ? r : match_one(m, here);
}

static int match(const struct options *o, struct cli_list *platforms,
		 const struct strings *backends)
{
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	struct matching m = { .platforms = platforms, .backends = backends, .answers = { .o = o } };
	int r = cli_begin(o->verbose, &ctx, &cat);

	if (r == 0)
		r = platforms->names.n ? cli_list_load(ctx, o, platforms) :
					 cli_list_platforms(ctx, platforms);
	if (r)
		return r;
	if (platforms->n == 0)
		return cli_error("there is no platform to compare with [platform-not-found]");
	m.ctx = ctx;
	m.cat = cat;
	r = cli_answers_end(&m.answers, match_all(&m, o));
	strings_clear(&m.names);
	strings_clear(&m.digests);
	index_clear(&m.by_name);
	return r;
}

static int run(const struct options *o)
{
	_cli_list_ platforms = { .n = 0 };
	struct strings backends = { 0 };
	int r = cli_add_names(&platforms.names, o, OPT_PLATFORM, false);

	if (r == 0)
		r = cli_add_names(&backends, o, OPT_BACKEND, true);
	if (r == 0)
		r = check(o, &platforms);
	if (r == 0)
		r = match(o, &platforms, &backends);
	strings_clear(&backends);
	return r;
}

const struct command command_match = {
	.verb = VERB_MATCH,
	.name = "match",
	.run = run,
	.summary = "say which platforms this host satisfies",
	.usage = "[OPTION]... [PROFILE]...\n",
	.most = MANY,
	.operands = { "@hosts" },
	.about = "Say which platforms this host has all of, which not and what is missing, "
		"and which is the closest. Compared are the facts of the kernel that a "
		"guest can meet; QEMU is shown and decides nothing. PROFILE is a file (it "
		"has a slash or ends in .json), - for standard input, or the name of a "
		"platform; without it this host is probed.\n",
	.status = "Exit status: 0 a platform is satisfied; 1 none is; 2 trouble; 3 none is, "
		"but of some it cannot be told.\n",
};
