/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <errno.h>
#include <unistd.h>

/* --backend LIST, split at the commas in place */
static int add_backends(struct abibase_intersection *ix, char *list)
{
	char *name;
	int r = 0;

	while (r == 0 && (name = strsep(&list, ",")))
		r = abibase_intersection_add_backend(ix, name);
	return r;
}

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
	char *list;
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->n_given; i++)
		for (size_t k = 0; r == 0 && k < ARRAY_SIZE(wishes); k++)
			if (o->given[i].id == wishes[k].id)
				r = wishes[k].set(ix, o->given[i].arg);
	for (size_t i = 0; r == 0 && (list = options_next(o, OPT_BACKEND, &i));)
		r = add_backends(ix, list);
	return r;
}

static const struct abibase_value *known_backend(const struct abibase_catalogue *cat,
						 const char *name)
{
	return abibase_value_member(
		abibase_value_member(abibase_catalogue_value(cat), "backends"), name);
}

static bool is_device(const struct abibase_catalogue *cat, const struct abibase_value *device)
{
	const char *backend = cli_text(device, "backend");

	return abibase_value_member(known_backend(cat, backend), "device") != NULL;
}

/* A device of the domain: its backend is required, unless libvirt does without its vhost. */
static int add_device(struct abibase_intersection *ix, const struct abibase_catalogue *cat,
		      const struct abibase_value *device, bool all_optional)
{
	const char *backend = cli_text(device, "backend");
	bool optional = abibase_value_boolean(abibase_value_member(device, "vhost_optional"));
	const struct abibase_value *known = known_backend(cat, backend);
	_autofree_ char *plain = NULL;
	int r;

	if (!backend || abibase_value_boolean(abibase_value_member(known, "predicted_only")))
		return 0;
	if (is_device(cat, device))
		return abibase_intersection_add_device(ix, backend);
	/* that is what is asked for where no backend is named */
	if (all_optional && abibase_value_boolean(abibase_value_member(known, "default")))
		return 0;
	r = abibase_intersection_add_backend(ix, backend);
	plain = strndup(backend, strcspn(backend, "+"));
	if (r == 0 && optional && plain)
		r = abibase_intersection_add_backend(ix, plain);
	return r;
}

/* What may change its devices, nobody here knows how: no list can be promised to it. */
static int refuse_unjudged(const struct abibase_value *domain, const char *name)
{
	const struct abibase_value *list = abibase_value_member(domain, "x-not-judged");
	size_t n = abibase_value_count(list);

	for (size_t i = 0; i < n; i++)
		cli_line(
			stderr,
			"abibase: cannot tell: %s has %s, and what that does to its devices is not judged: "
			"say it with the elements that libvirt has for it, or take it out of the guest "
			"[guest-unknown]",
			name, abibase_value_string(abibase_value_item(list, i)));
	return n ? ABIBASE_VERDICT_UNKNOWN : 0;
}

#define OLDEST_QEMU 5 /* the first major version that any answer is about */

/* Can a host be without it? By what it needs there, or by a QEMU that does not have the property. */
static bool is_of_host(const struct abibase_value *row)
{
	const struct abibase_value *needs = abibase_value_member(row, "needs");
	const char *since = cli_text(row, "since");
	const char *backend;

	for (size_t i = 0; (backend = abibase_value_key(needs, i)); i++)
		if (abibase_value_count(abibase_value_member(needs, backend)))
			return true;
	return since && strtol(since, NULL, 10) >= OLDEST_QEMU;
}

/* The group of a row that not every host has; or NULL */
static const char *group_of(const struct abibase_catalogue *cat, const char *key)
{
	const struct abibase_value *rows =
		abibase_value_member(abibase_catalogue_value(cat), "features");
	const struct abibase_value *row;

	for (size_t i = 0; (row = abibase_value_item(rows, i)); i++) {
		const char *class_name = cli_text(row, "class");
		const char *property = cli_text(row, "property");
		size_t len = strlen(class_name);

		if (!strncmp(key, class_name, len) && key[len] == '.' &&
		    !strcmp(key + len + 1, property))
			return is_of_host(row) ? cli_text(row, "group") : NULL;
	}
	return NULL;
}

/* What a device of the domain turns on itself every host must have, as with --enable. */
static int enable_own(struct abibase_intersection *ix, const struct abibase_catalogue *cat,
		      const struct abibase_value *device)
{
	const struct abibase_value *own = abibase_value_member(device, "properties");
	const char *key;
	int r = 0;

	for (size_t i = 0; r == 0 && (key = abibase_value_key(own, i)); i++) {
		const char *group = group_of(cat, key);

		if (group && abibase_value_boolean(abibase_value_member(own, key)))
			r = abibase_intersection_enable(ix, group);
	}
	return r;
}

/* 0, a negative errno, or an exit status having said why */
static int add_domain(struct abibase_intersection *ix, const struct abibase_catalogue *cat,
		      const struct abibase_guest *domain, const struct options *o)
{
	const struct abibase_value *v = abibase_guest_value(domain), *device;
	const struct abibase_value *devices = abibase_value_member(v, "devices");
	const char *target = cli_text(v, "target");
	bool all_optional = true;
	size_t i = 0;
	int r = refuse_unjudged(v, options_arg(o, OPT_DOMAIN));

	if (r)
		return r;
	while ((device = abibase_value_item(devices, i++))) {
		if (!abibase_value_member(device, "backend") && !options_has(o, OPT_BACKEND))
			return cli_error(
				"%s: on what %s lies it does not say: name it with --backend, "
				"or take the XML of the domain while it runs [domain-backend]",
				options_arg(o, OPT_DOMAIN), cli_text(device, "id"));
		all_optional &=
			is_device(cat, device) ||
			abibase_value_boolean(abibase_value_member(device, "vhost_optional"));
	}
	if (!options_has(o, 'M'))
		r = abibase_intersection_set_machine(ix, cli_text(v, "machine"));
	if (r == 0 && target && !options_has(o, OPT_TARGET))
		r = abibase_intersection_set_target(ix, target);
	for (i = 0; r == 0 && (device = abibase_value_item(devices, i++));)
		r = add_device(ix, cat, device, all_optional) ?: enable_own(ix, cat, device);
	return r;
}

/* Done before any operand is read: a wrong --for must not cost 10,000 files first. */
static int prepare_render(struct abibase_render *render, const struct options *o)
{
	int r = o->format ? abibase_render_set_format(render, o->format) : 0;

	if (r == 0 && options_has(o, OPT_FOR))
		r = abibase_render_set_for(render, options_arg(o, OPT_FOR));
	abibase_render_set_flags(
		render, (options_has(o, OPT_MINIMAL) ? ABIBASE_RENDER_MINIMAL : 0) |
				(options_has(o, OPT_WITH_MACHINE) ? ABIBASE_RENDER_WITH_MACHINE : 0) |
				(options_has(o, OPT_NO_INPUTS) ? ABIBASE_RENDER_NO_INPUTS : 0));
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
	int64_t mtu;	 /* that the domain states; 0: none */
	int mtu_verdict; /* do all hosts carry it? */
};

#define MTU_FACT "operator.host_mtu"
#define ETHERNET_MTU 1500 /* what every network is taken to carry that states nothing */

/* The largest of its devices; 0: it states none. */
static int64_t domain_mtu(const struct abibase_guest *domain)
{
	const struct abibase_value *devices =
		abibase_value_member(abibase_guest_value(domain), "devices");
	const struct abibase_value *device;
	int64_t most = 0;

	for (size_t i = 0; (device = abibase_value_item(devices, i)); i++) {
		const struct abibase_value *mtu = abibase_value_member(device, "mtu");

		if (mtu && abibase_value_integer(mtu) > most)
			most = abibase_value_integer(mtu);
	}
	return most;
}

/* @limit: what the host states, or NULL */
static void hold_mtu(struct add *a, const char *name, const struct abibase_value *limit)
{
	bool stated = abibase_value_kind(limit) == ABIBASE_VALUE_INTEGER;
	int64_t n = stated ? abibase_value_integer(limit) : ETHERNET_MTU;

	if (a->mtu <= n)
		return;
	if (stated)
		cli_line(
			stderr,
			"abibase: no: the domain is told an MTU of %lld, and %s states %lld (" MTU_FACT
			") [guest-sets]",
			(long long)a->mtu, name, (long long)n);
	else
		cli_line(
			stderr,
			"abibase: cannot tell: the domain is told an MTU of %lld, and whether that is "
			"possible on %s is not stated (" MTU_FACT ") [guest-sets]",
			(long long)a->mtu, name);
	a->mtu_verdict = cli_worse(a->mtu_verdict,
				   stated ? ABIBASE_VERDICT_NO : ABIBASE_VERDICT_UNKNOWN);
}

static void hold_mtu_baseline(struct add *a, const struct abibase_baseline *b, const char *name)
{
	const struct abibase_value *inputs =
		abibase_value_member(abibase_baseline_value(b), "inputs");
	const struct abibase_value *input;

	if (!a->mtu)
		return;
	if (!abibase_value_count(inputs))
		return hold_mtu(a, name, NULL);
	for (size_t i = 0; (input = abibase_value_item(inputs, i)); i++)
		hold_mtu(a, name,
			 abibase_value_member(abibase_value_member(input, "numbers"), MTU_FACT));
}

/*
 * What was read and could not be added: the library does not know from where it came. Which one
 * before it has its name? They are read again to find out: that costs time where it has gone wrong
 * anyway, and to remember all the names would cost memory always.
 */
static int refuse(const struct add *a, const char *source, const struct abibase_profile *profile,
		  int r)
{
	const char *sentence = abibase_context_error(a->ctx);
	const char *id = abibase_context_error_id(a->ctx);
	_unref_(context) *silent = NULL;
	struct namesake n = { .source = source };

	if (r == -EEXIST && profile && abibase_context_new(0, &silent) == 0) {
		n.ctx = silent;
		n.name = cli_name(profile);
		cli_sources(a->o, 0, true, look_at, &n);
	}
	r = cli_error("%s: %s%s%s%s%s%s", source, sentence ? sentence : strerror(-r),
		      n.found ? "; the other is " : "", n.found ? n.found : "", id ? " [" : "",
		      id ? id : "", id ? "]" : "");
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
	if (profile) {
		hold_mtu(a, cli_name(profile),
			 abibase_value_member(abibase_value_member(abibase_profile_value(profile),
								   "facts"),
					      MTU_FACT));
		r = abibase_intersection_add_profile(a->ix, profile);
	} else if (baseline) {
		hold_mtu_baseline(a, baseline, s->name);
		r = abibase_intersection_add_baseline(a->ix, baseline);
	}
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
	bool list = !o->format || streq(o->format, "args") || streq(o->format, "readconfig");
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
		r = add_domain(ix, cat, domain, o);
	if (r)
		return r < 0 ? cli_context_error(ctx, r) : r;
	a.ctx = ctx;
	a.ix = ix;
	a.mtu = domain_mtu(domain);
	if (cli_sources(o, 0, false, add, &a) != 0)
		return STATUS_TROUBLE;
	r = abibase_intersection_finish(ix, &baseline);
	if (r == 0 && a.mtu_verdict && abibase_baseline_verdict(baseline) != ABIBASE_VERDICT_NO)
		return a.mtu_verdict; /* no list is promised, and why is said */
	return r < 0 ? cli_context_error(ctx, r) : show(ctx, render, baseline, o);
}

static int run(const struct options *o)
{
	if (options_has(o, OPT_NO_INPUTS) && !o->json)
		return cli_usage("intersect", "--no-inputs is for --format=json");
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
