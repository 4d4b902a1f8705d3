/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <errno.h>
#include <unistd.h>

/* What is handed to the intersection as it is, in the order of the command line */
static int prepare_intersection(struct abibase_intersection *ix, const struct options *o)
{
	static const struct {
		int id;
		int (*set)(struct abibase_intersection *ix, const char *arg);
	} wishes[] = {
		{ 'M', abibase_intersection_set_machine },
		{ OPT_WITH_DEVICE, abibase_intersection_add_device },
		{ OPT_TARGET, abibase_intersection_set_target },
		{ OPT_POLICY, abibase_intersection_set_policy },
		{ OPT_ENABLE, abibase_intersection_enable },
		{ OPT_DISABLE, abibase_intersection_disable },
		{ OPT_DEST, abibase_intersection_add_dest },
		{ OPT_ASSUME_QEMU, abibase_intersection_assume_qemu },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->n_given; i++)
		for (size_t k = 0; r == 0 && k < ARRAY_SIZE(wishes); k++)
			if (o->given[i].id == wishes[k].id)
				r = wishes[k].set(ix, o->given[i].arg);
	return r == 0 ? cli_add_backends(ix, o) : r;
}

/* "net0,vhost-vsock:vsock0": of a network card, and of another device */
static int add_aliases(struct abibase_render *render, const struct options *o)
{
	char *list, *alias;
	int r = 0;

	for (size_t i = 0; r == 0 && (list = options_next(o, OPT_ALIAS, &i));)
		while (r == 0 && (alias = strsep(&list, ","))) {
			char *device = strchr(alias, ':') ? strsep(&alias, ":") : NULL;

			r = abibase_render_add_alias(render, device, alias);
		}
	return r;
}

/* Done before any operand is read: a wrong --for must not cost 10,000 files first. */
static int prepare_render(struct abibase_render *render, const struct options *o)
{
	int r = o->format ? abibase_render_set_format(render, o->format) : 0;

	if (r == 0 && options_has(o, OPT_FOR))
		r = abibase_render_set_for(render, options_arg(o, OPT_FOR));
	if (r == 0)
		r = add_aliases(render, o);
	abibase_render_set_flags(
		render, (options_has(o, OPT_MINIMAL) ? ABIBASE_RENDER_MINIMAL : 0) |
				(options_has(o, OPT_WITH_MACHINE) ? ABIBASE_RENDER_WITH_MACHINE : 0) |
				(options_has(o, OPT_NO_INPUTS) ? ABIBASE_RENDER_NO_INPUTS : 0) |
				(options_has(o, OPT_PARTIAL) ? ABIBASE_RENDER_PARTIAL : 0) |
				(options_has(o, OPT_HOTPLUG) ? ABIBASE_RENDER_HOTPLUG : 0));
	return r;
}

/* A host of the same name that was read before. */
struct namesake {
	struct abibase_context *ctx; /* its own, so that nothing is said twice */
	const char *name, *source;   /* of the later one */
	char *found;		     /* where the first is from */
	bool over;
};

static int look_at(void *data, const struct cli_source *s)
{
	struct namesake *n = data;
	_unref_(profile) *p = NULL;
	_unref_(baseline) *b = NULL;

	n->over |= streq(s->name, n->source);
	if (!n->over && !n->found && cli_source_load(n->ctx, s, &p, &b) == 0 && p &&
	    streq(cli_name(p), n->name))
		n->found = strdup(s->name);
	return 0;
}

struct add {
	struct abibase_context *ctx;
	struct abibase_intersection *ix;
	const struct options *o;
};

/*
 * What was read and could not be added. Which one before it has its name? They are read again to find
 * out: that costs time where it has gone wrong anyway, and to remember all the names would cost
 * memory always.
 */
static int refuse(const struct add *a, const char *source, const struct abibase_profile *profile,
		  int r)
{
	_unref_(context) *silent = NULL;
	struct namesake n = { .source = source };

	if (r == -EEXIST && profile && abibase_context_new(0, &silent) == 0) {
		n.ctx = silent;
		n.name = cli_name(profile);
		cli_sources(a->o, 0, true, look_at, &n);
	}
	r = cli_refused(a->ctx, source, n.found, r);
	free(n.found);
	return r;
}

/* One at a time: what is added is not kept, so that memory does not grow with the hosts. */
static int add(void *data, const struct cli_source *s)
{
	struct add *a = data;
	_unref_(profile) *profile = NULL;
	_unref_(baseline) *baseline = NULL;
	int r = cli_source_load(a->ctx, s, &profile, &baseline);

	if (r < 0)
		return cli_source_error(a->ctx, s, r);
	if (profile)
		r = abibase_intersection_add_profile(a->ix, profile);
	else if (baseline)
		r = abibase_intersection_add_baseline(a->ix, baseline);
	return r < 0 ? refuse(a, s->name, profile, r) : 0;
}

struct offering {
	struct abibase_context *ctx; /* its own, so that nothing is said twice */
	struct cli_machine machine;
};

static int offer_machines(void *data, const struct cli_source *s)
{
	struct offering *f = data;
	_unref_(profile) *p = NULL;
	_unref_(baseline) *b = NULL;

	if (cli_source_load(f->ctx, s, &p, &b) == 0 && p)
		cli_offer_machines(&f->machine, p);
	return 0;
}

/* A slip of the pen is in the way of every host: the hosts are read again for what was meant. */
static void suggest_machine(const struct options *o)
{
	_unref_(context) *ctx = NULL;
	struct offering f;

	if (!cli_machine_begin(o, &f.machine) || abibase_context_new(0, &ctx) < 0)
		return;
	f.ctx = ctx;
	cli_sources(o, 0, true, offer_machines, &f);
	cli_suggest_machine(&f.machine);
}

/* Is another baseline made of the one that was given? No document has that: it is of what went in. */
static bool is_another(const struct abibase_baseline *b)
{
	const char *id;

	for (size_t i = 0; (id = abibase_baseline_finding_get(b, i, "id")); i++)
		if (streq(id, "widening-changes-id"))
			return true;
	return false;
}

static int show(struct abibase_context *ctx, struct abibase_render *render,
		const struct abibase_baseline *b, const struct options *o)
{
	_autofree_ char *text = NULL, *page = NULL;
	bool list = !o->json && !o->words;
	int verdict =
		abibase_render_run(render, b, cli_width(o->words ? STDOUT_FILENO : STDERR_FILENO),
				   &text, &page);

	if (verdict < 0)
		return cli_context_error(ctx, verdict);
	if (verdict != ABIBASE_VERDICT_YES || ((list || is_another(b)) && o->verbose >= 0))
		cli_page(o, page);
	if (abibase_baseline_verdict(b) != ABIBASE_VERDICT_YES)
		suggest_machine(o);
	if (!text) {
		if (o->output)
			cli_error("%s: not written: there is no list to write", o->output);
		return verdict;
	}
	return cli_show(o, 0, text, verdict);
}

static int intersect(const struct options *o)
{
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(render) *render = NULL;
	_unref_(intersection) *ix = NULL;
	_unref_(baseline) *baseline = NULL;
	_unref_(guest) *domain = NULL;
	struct add a = { .o = o };
	int r;

	if (cli_context(o->verbose, &ctx) != 0)
		return STATUS_TROUBLE;
	r = abibase_render_new(ctx, &render);
	if (r == 0)
		r = prepare_render(render, o);
	if (r == 0)
		r = abibase_catalogue_new(ctx, &cat);
	if (r == 0)
		r = abibase_intersection_new(ctx, cat, &ix);
	if (r == 0)
		r = prepare_intersection(ix, o);
	if (r == 0)
		r = cli_domain(ctx, cat, o, NULL, &domain);
	if (r == 0 && domain)
		r = abibase_intersection_set_guest(ix, domain);
	if (r)
		return r < 0 ? cli_context_error(ctx, r) : r;
	a.ctx = ctx;
	a.ix = ix;
	if (cli_sources(o, 0, false, add, &a) != 0)
		return STATUS_TROUBLE;
	r = abibase_intersection_finish(ix, &baseline);
	return r < 0 ? cli_context_error(ctx, r) : show(ctx, render, baseline, o);
}

static int run(const struct options *o)
{
	bool override = o->format && streq(o->format, "libvirt-override");

	if (options_has(o, OPT_NO_INPUTS) && !o->json)
		return cli_usage("intersect", "--no-inputs is for --format=json");
	if (options_has(o, OPT_PARTIAL) && !o->json)
		return cli_usage("intersect", "--partial is for --format=json");
	if (options_has(o, OPT_ALIAS) != override && !o->json && !o->words)
		return cli_usage("intersect", "--alias is for --format=libvirt-override, which "
					      "needs it");
	if (override && options_has(o, OPT_HOTPLUG))
		return cli_usage("intersect", "--hotplug is for -global options, of which "
					      "libvirt-override has none");
	if (o->format && strprefix(o->format, "libvirt-") && options_has(o, OPT_WITH_MACHINE))
		return cli_usage("intersect", "--with-machine is not for libvirt, which has the "
					      "machine type in <type machine='...'>");
	return cli_check_sources(o, 0, options_arg(o, OPT_DOMAIN)) ? STATUS_TROUBLE : intersect(o);
}

const struct command command_intersect = {
	.verb = VERB_INTERSECT,
	.name = "intersect",
	.run = run,
	.summary = "print the settings that suit all of some hosts",
	.usage = "[OPTION]... PROFILE...\n",
	.most = MANY,
	.which = { "profiles" },
	.operands = { "@hosts" },
	.about = "Print the -global options with which a guest sees the same virtio "
		"features on every host. PROFILE is a file (it has a slash or ends in "
		".json), - for standard input, the name of a platform, or an earlier "
		"baseline, which is widened; NAME=PROFILE renames. A directory stands "
		"for its *.json, and a *.ndjson has a document a line.\n"
		"\n"
		"Use it as\n"
		"  args=$(abibase intersect a.json b.json) && qemu-system-x86_64 $args ...\n",
	.status = "Exit status: 0 yes; 1 no: the hosts have no common list; 2 trouble; 3 "
		"cannot tell.\n",
};
