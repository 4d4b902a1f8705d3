/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/suggest.h"
#include "base/context.h"
#include "model/effective.h"
#include "model/intersect.h"
#include "model/machine.h"
#include "base/text.h"
#include "document/guest.h"
#include "document/result.h"

struct abibase_intersection {
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	struct inputs in;
	struct abibase_baseline **earlier; /* by id, each once */
	size_t n_earlier, cap_earlier;
	struct abibase_guest *guest; /* that the answer is for, or NULL */
	/*
	 * What the caller said himself. The rest is a baseline's to say, whenever it is added: policy
	 * counts at the end only, so that the order of profiles and baselines means nothing.
	 */
	bool said_backends, said_wishes, adopted;
	struct effects effects; /* of intersection_finish_with() */
};

ABIBASE_EXPORT int abibase_intersection_new(struct abibase_context *ctx,
					    struct abibase_catalogue *cat,
					    struct abibase_intersection **ret)
{
	struct abibase_intersection *ix = calloc(1, sizeof(*ix));

	if (!ix)
		return context_oom(ctx);
	ix->ctx = abibase_context_ref(ctx);
	ix->cat = abibase_catalogue_ref(cat);
	if (inputs_from_catalogue(&ix->in, cat) < 0) {
		abibase_intersection_unref(ix);
		return context_oom(ctx);
	}
	*ret = ix;
	return 0;
}

ABIBASE_EXPORT struct abibase_intersection *
abibase_intersection_unref(struct abibase_intersection *ix)
{
	if (!ix)
		return NULL;
	arena_clear(&ix->effects.arena);
	inputs_clear(&ix->in);
	for (size_t i = 0; i < ix->n_earlier; i++)
		abibase_baseline_unref(ix->earlier[i]);
	free(ix->earlier);
	abibase_guest_unref(ix->guest);
	abibase_catalogue_unref(ix->cat);
	abibase_context_unref(ix->ctx);
	free(ix);
	return NULL;
}

static int too_late(struct abibase_intersection *ix)
{
	return context_fail(ix->ctx, EBUSY, "too-late", NULL,
			    "what is wanted must be said before the first host is added");
}

static int replace(struct abibase_intersection *ix, char **p, const char *s)
{
	return ix->in.n_hosts ? too_late(ix) : context_replace(ix->ctx, p, s);
}

ABIBASE_EXPORT int abibase_intersection_set_machine(struct abibase_intersection *ix,
						    const char *machine)
{
	if (!strpbrk(machine, "0123456789") || streq(machine, "q35") || !strchr(machine, '-'))
		return context_fail(ix->ctx, EINVAL, "machine-unversioned", NULL,
				    "\"%s\" is not a versioned machine type%s; give one such as "
				    "pc-q35-7.2",
				    machine,
				    *machine ? ": it means another guest ABI in each QEMU" : "");
	if (!name_valid(machine))
		return context_fail(ix->ctx, EINVAL, "json-bad-value", NULL,
				    "\"%s\" is not a name of a machine type", machine);
	return replace(ix, &ix->in.policy.machine, machine);
}

ABIBASE_EXPORT int abibase_intersection_set_target(struct abibase_intersection *ix,
						   const char *target)
{
	return replace(ix, &ix->in.policy.target, target);
}

static int fail_backend(struct abibase_intersection *ix, const char *backend)
{
	unsigned int net = catalogue_device(ix->cat, NULL);
	struct suggest s = { .word = backend };
	char near[SUGGEST_TEXT];
	_buf_ names = { 0 };

	for (size_t k = 0; k < ix->in.n_backends; k++) {
		if (!(net & (1u << k)))
			continue;
		buf_printf(&names, "%s%s", names.len ? ", " : "", ix->in.backends[k]);
		suggest_offer(&s, ix->in.backends[k]);
	}
	suggest_text(&s, "\"", near);
	return context_fail(ix->ctx, EINVAL, "backend-not-known", NULL,
			    "\"%s\" is not a backend%s accepted: %s", backend, *near ? near : ";",
			    names.data ? names.data : "none");
}

ABIBASE_EXPORT int abibase_intersection_add_backend(struct abibase_intersection *ix,
						    const char *backend)
{
	unsigned int net = catalogue_device(ix->cat, NULL);
	int i = catalogue_backend(ix->cat, backend);

	if (ix->in.n_hosts)
		return too_late(ix);
	if (i < 0 || !(net & (1u << i)))
		return fail_backend(ix, backend);
	if (!ix->in.policy.backends_named)
		ix->in.policy.backends &= ~net;
	ix->said_backends = ix->in.policy.backends_named = true;
	ix->in.policy.backends |= 1u << i;
	return 0;
}

ABIBASE_EXPORT int abibase_intersection_add_device(struct abibase_intersection *ix,
						   const char *device)
{
	unsigned int mask = catalogue_device(ix->cat, device);
	_buf_ names = { 0 };

	if (ix->in.n_hosts)
		return too_late(ix);
	ix->said_backends = true;
	ix->in.policy.backends |= mask;
	if (mask)
		return 0;
	for (size_t i = 0; i < ix->cat->n_backends; i++)
		if (ix->cat->backends[i].device)
			buf_printf(&names, "%s%s", names.len ? ", " : "",
				   ix->cat->backends[i].device);
	return context_fail(ix->ctx, EINVAL, "device-not-covered", NULL,
			    "\"%s\" is not a device that can be asked about beside virtio-net; "
			    "accepted: %s",
			    device, names.data ? names.data : "none");
}

ABIBASE_EXPORT int abibase_intersection_set_policy(struct abibase_intersection *ix,
						   const char *policy)
{
	bool all = streq(policy, "all");

	if (ix->in.n_hosts)
		return too_late(ix);
	if (!all && !streq(policy, "compatible"))
		return context_fail(ix->ctx, EINVAL, "policy-not-known", NULL,
				    "\"%s\" is not a policy; accepted: compatible, all", policy);
	ix->said_wishes = true;
	ix->in.policy.all = all;
	return 0;
}

static int add_group(struct abibase_intersection *ix, bool off, const char *group)
{
	struct policy *p = &ix->in.policy;
	struct strings *to = off ? &p->disable : &p->enable;
	const struct strings *other = off ? &p->enable : &p->disable;
	struct suggest s = { .word = group };
	char near[SUGGEST_TEXT];
	_buf_ names = { 0 };

	if (ix->in.n_hosts)
		return too_late(ix);
	if (strings_have(other, group))
		return context_fail(ix->ctx, EINVAL, "group-twice", NULL,
				    "the group \"%s\" cannot be both enabled and disabled", group);
	ix->said_wishes = true;
	if (catalogue_group_has_switch(ix->cat, group, off, ~0u))
		return strings_insert(to, group) < 0 ? context_oom(ix->ctx) : 0;
	for (size_t i = 0; i < ix->cat->n_groups; i++) {
		const char *name = ix->cat->groups[i].name;

		if (!catalogue_group_has_switch(ix->cat, name, off, ~0u))
			continue;
		buf_printf(&names, "%s%s", names.len ? ", " : "", name);
		suggest_offer(&s, name);
	}
	suggest_text(&s, "\"", near);
	return context_fail(ix->ctx, EINVAL, "group-not-known", NULL,
			    "\"%s\" is not a group that can be switched%s%s accepted: %s", group,
			    off ? " off" : "", *near ? near : ";",
			    names.data ? names.data : "none");
}

ABIBASE_EXPORT int abibase_intersection_enable(struct abibase_intersection *ix, const char *group)
{
	return add_group(ix, false, group);
}

ABIBASE_EXPORT int abibase_intersection_disable(struct abibase_intersection *ix, const char *group)
{
	return add_group(ix, true, group);
}

ABIBASE_EXPORT int abibase_intersection_add_dest(struct abibase_intersection *ix, const char *host)
{
	if (ix->in.n_hosts)
		return too_late(ix);
	ix->said_wishes = true;
	return strings_insert(&ix->in.policy.dest, host) < 0 ? context_oom(ix->ctx) : 0;
}

ABIBASE_EXPORT int abibase_intersection_assume_qemu(struct abibase_intersection *ix,
						    const char *host)
{
	if (ix->in.n_hosts)
		return too_late(ix);
	return strings_insert(&ix->in.policy.assume, host) < 0 ? context_oom(ix->ctx) : 0;
}

/* ------------------------------------------------------------------- a guest */

#define OLDEST_QEMU (&(struct version){ { 5, 0, 0 } }) /* that any answer is about */

/* Can a host be without it? By what it needs there, or by a QEMU that does not have the property. */
static bool is_of_host(const struct abibase_catalogue *cat, const struct row *row)
{
	for (size_t i = 0; i < cat->n_backends; i++)
		if (row->needs[i].n)
			return true;
	return version_cmp(&row->since, OLDEST_QEMU) >= 0;
}

/* What a device turns on itself every host must have, as when its group is enabled. */
static int enable_own(struct abibase_intersection *ix, const struct guest_device *d)
{
	const char *key;
	int r = 0;
	json_t *on;

	json_object_foreach((json_t *)d->properties, key, on) {
		int k = catalogue_row(ix->cat, key);
		const struct row *row = k < 0 ? NULL : &ix->cat->rows[k];

		if (r == 0 && row && row->group_name && json_is_true(on) &&
		    is_of_host(ix->cat, row))
			r = add_group(ix, false, row->group_name);
	}
	return r;
}

static int adopt_guest_backends(struct abibase_intersection *ix, const struct abibase_guest *g)
{
	struct policy *p = &ix->in.policy;
	unsigned int net = catalogue_device(ix->cat, NULL);
	bool named;
	unsigned int mask = guest_backends(ix->cat, g, &named);

	for (size_t i = 0; i < g->n; i++)
		if (guest_device_backend(ix->cat, &g->devices[i]) < 0 && !p->backends_named)
			return context_fail(
				ix->ctx, EINVAL, "domain-backend", g->source,
				"on what %s lies it does not say: name it with --backend, or take the "
				"XML of the domain while it runs",
				g->devices[i].id ? g->devices[i].id : g->devices[i].class_name);
	if (mask & net && !p->backends_named)
		p->backends &= ~net;
	p->backends |= mask;
	p->backends_named |= named;
	ix->said_backends = true;
	return 0;
}

ABIBASE_EXPORT int abibase_intersection_set_guest(struct abibase_intersection *ix,
						  struct abibase_guest *g)
{
	int r = ix->in.n_hosts ? too_late(ix) : adopt_guest_backends(ix, g);

	if (r == 0 && g->machine && !ix->in.policy.machine)
		r = abibase_intersection_set_machine(ix, g->machine);
	if (r == 0 && g->target && !ix->in.policy.target)
		r = abibase_intersection_set_target(ix, g->target);
	for (size_t i = 0; r == 0 && i < g->n; i++)
		r = enable_own(ix, &g->devices[i]);
	if (r < 0)
		return r;
	abibase_guest_unref(ix->guest);
	ix->guest = guest_ref(g);
	return 0;
}

/* ------------------------------------------------------------------- hosts */

ABIBASE_EXPORT int abibase_intersection_add_profile(struct abibase_intersection *ix,
						    const struct abibase_profile *p)
{
	return inputs_add_profile(ix->ctx, &ix->in, ix->cat, p);
}

/* -------------------------------------------------------------- earlier baselines */

static int refuse(struct abibase_intersection *ix, const char *what, const char *theirs,
		  const char *ours)
{
	return context_fail(ix->ctx, EINVAL, "widen-differs", NULL,
			    "the earlier baseline is for %s %s, and %s is wanted: a baseline is "
			    "widened with the same machine type, target and backends only; one that "
			    "is to be a part of a larger one is made with --partial",
			    what, theirs ? theirs : "(none)", ours ? ours : "(none)");
}

static void backend_names(const struct inputs *in, struct buf *b)
{
	inputs_write_backends(in, in->policy.backends, ",", b);
	buf_puts(b, in->policy.backends_named ? " (named)" : " (by default)");
}

void intersection_adopt_backends(struct abibase_intersection *ix, const struct inputs *from)
{
	struct policy *p = &ix->in.policy;

	p->backends = 0;
	p->backends_named = from->policy.backends_named;
	for (size_t i = 0; i < from->n_backends; i++) {
		int k = catalogue_backend(ix->cat, from->backends[i]);

		if (k >= 0 && from->policy.backends & (1u << i))
			p->backends |= 1u << k;
	}
}

void intersection_narrow_backends(struct abibase_intersection *ix, unsigned int mask, bool named)
{
	ix->in.policy.backends &= mask;
	ix->in.policy.backends_named = named;
}

static int widen_backends(struct abibase_intersection *ix, const struct inputs *from)
{
	_buf_ ours = { 0 }, theirs = { 0 };

	if (!ix->said_backends && !ix->adopted)
		intersection_adopt_backends(ix, from);
	backend_names(&ix->in, &ours);
	backend_names(from, &theirs);
	if (buf_failed(&ours) || buf_failed(&theirs))
		return context_oom(ix->ctx);
	return streq(ours.data, theirs.data) ? 0 :
					       refuse(ix, "backends", theirs.data, ours.data);
}

static bool same_wishes(const struct policy *a, const struct policy *b)
{
	return a->all == b->all && strings_equal(&a->enable, &b->enable) &&
	       strings_equal(&a->disable, &b->disable) && strings_equal(&a->dest, &b->dest);
}

/* Policy, groups and destinations: those of the baseline, or said again alike. */
static int widen_wishes(struct abibase_intersection *ix, const struct policy *from)
{
	static const char *const lists[] = { "enabled", "disabled", "destinations" };
	struct policy *p = &ix->in.policy;
	const struct strings *src[] = { &from->enable, &from->disable, &from->dest };
	struct strings *dst[] = { &p->enable, &p->disable, &p->dest };

	if (!ix->said_wishes && !ix->adopted) {
		p->all = from->all;
		for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
			if (strings_join(dst[i], src[i]) < 0)
				return context_oom(ix->ctx);
	}
	if (same_wishes(p, from))
		return 0;
	return context_fail(ix->ctx, EINVAL, "widen-differs", NULL,
			    "the earlier baseline was made with another policy, other groups or "
			    "other destinations (--policy, --enable, --disable, --dest): a "
			    "baseline is widened with the same ones only");
}

/* What this catalogue does not have would be lost, quietly. */
static int refuse_newer(struct abibase_intersection *ix, const struct abibase_baseline *b)
{
	_buf_ names = { 0 };

	if (!baseline_write_unknown(ix->cat, b, &names))
		return 0;
	if (buf_failed(&names))
		return context_oom(ix->ctx);
	return context_fail(ix->ctx, EPROTONOSUPPORT, "baseline-newer", NULL,
			    "the earlier baseline was made with revision %lld of the catalogue and "
			    "has what revision %lld, of this version of abibase, does not know: %s; "
			    "use a version that knows it",
			    (long long)b->in.catalogue_revision, (long long)ix->cat->revision,
			    names.data);
}

static int widen_policy(struct abibase_intersection *ix, const struct abibase_baseline *b)
{
	struct policy *p = &ix->in.policy;
	int r = refuse_newer(ix, b);

	if (r == 0)
		r = inputs_check_builds(ix->ctx, &b->in, ix->cat);
	if (r < 0)
		return r;

	if (!b->machine)
		return context_fail(ix->ctx, EINVAL, "widen-differs", NULL,
				    "the earlier baseline has no machine type, so that there is "
				    "nothing to widen; one that is to be a part of a larger one is "
				    "made with --partial");
	if (p->machine && !baseline_is_of_machine(b, p->machine))
		return refuse(ix, "machine type", b->machine, p->machine);
	if (p->target && b->target && !streq(p->target, b->target))
		return refuse(ix, "target", b->target, p->target);
	r = widen_backends(ix, &b->in);
	if (r == 0)
		r = widen_wishes(ix, &b->in.policy);
	if (r < 0)
		return r;
	if (!p->machine) {
		p->machine = strdup(b->machine);
		p->machine_chosen = b->machine_chosen;
	}
	if (strings_join(&p->assume, &b->in.policy.assume) < 0)
		return context_oom(ix->ctx);
	if (!p->target && b->in.policy.target)
		p->target = strdup(b->in.policy.target);
	if (!p->machine || (b->in.policy.target && !p->target))
		return context_oom(ix->ctx);
	ix->adopted = true;
	return 0;
}

int intersection_promise_row(struct abibase_intersection *ix, const struct row *row)
{
	return strings_insert(&ix->in.policy.rows, row->key) < 0 ? context_oom(ix->ctx) : 0;
}

/* For a word about what does not stay of it, whatever the order in which they come. */
static int keep_earlier(struct abibase_intersection *ix, const struct abibase_baseline *b)
{
	size_t i = 0, before = ix->n_earlier;

	if (!b->id)
		return 0;
	while (i < before && strcmp(ix->earlier[i]->id, b->id) < 0)
		i++;
	if (i < before && streq(ix->earlier[i]->id, b->id))
		return 0;
	if (array_grow(&ix->earlier, before, &ix->cap_earlier, sizeof(struct abibase_baseline *)) <
	    0)
		return context_oom(ix->ctx);
	memmove(&ix->earlier[i + 1], &ix->earlier[i], (before - i) * sizeof(*ix->earlier));
	ix->earlier[i] = abibase_baseline_ref((struct abibase_baseline *)b);
	ix->n_earlier++;
	return 0;
}

/* Of a later catalogue, what this one does not ask would be lost from what is made of it. */
static int check_questions(struct abibase_intersection *ix, const struct abibase_baseline *b)
{
	if (b->in.catalogue_revision <= ix->cat->revision)
		return inputs_check_builds(ix->ctx, &b->in, ix->cat);
	return context_fail(ix->ctx, EPROTONOSUPPORT, "baseline-newer", NULL,
			    "the partial baseline was made with revision %lld of the catalogue, and "
			    "this version of abibase has revision %lld: use a version that knows it",
			    (long long)b->in.catalogue_revision, (long long)ix->cat->revision);
}

int intersection_adopt(struct abibase_intersection *ix, const struct abibase_baseline *b)
{
	int r = b->partial ? check_questions(ix, b) : widen_policy(ix, b);

	return r < 0 ? r : keep_earlier(ix, b);
}

/* Is it the first of its cohort, but for that host? */
static bool stands_for_others(const struct cohorts *cohorts, const struct inputs *in, size_t host,
			      const char *but)
{
	unsigned int first = cohorts->of[host].first;

	if (but && streq(in->hosts[first]->name, but))
		first = cohorts->of[first].next;
	return first == host;
}

static int add_hosts_but(struct abibase_intersection *ix, const struct abibase_baseline *b,
			 const struct cohorts *cohorts, const char *but)
{
	struct relation to = { 0 };
	int r = inputs_relate(&ix->in, &b->in, &to) < 0 ? context_oom(ix->ctx) : 0;

	for (size_t i = 0; r == 0 && i < b->in.n_hosts; i++)
		if (cohorts ? stands_for_others(cohorts, &b->in, i, but) :
			      !but || !streq(b->in.hosts[i]->name, but))
			r = inputs_add_host_of(ix->ctx, &ix->in, &b->in, &to, b->in.hosts[i], NULL);
	relation_clear(&to);
	return r;
}

/* They answer as the host that joins them: it is about their QEMUs. */
static int add_stand_ins(struct abibase_intersection *ix, const struct abibase_baseline *b)
{
	struct relation to = { 0 };
	int r = inputs_relate(&ix->in, &b->in, &to) < 0 ? context_oom(ix->ctx) : 0;

	for (size_t i = 0; r == 0 && i < b->in.n_hosts; i++)
		r = inputs_add_host_of(ix->ctx, &ix->in, &b->in, &to, b->in.hosts[i],
				       ix->in.hosts[0]);
	relation_clear(&to);
	return r;
}

int intersection_join(struct abibase_intersection *ix, const struct abibase_baseline *b,
		      const struct cohorts *cohorts, const struct abibase_profile *p)
{
	int r = intersection_adopt(ix, b);

	if (r == 0 && !b->no_inputs)
		r = add_hosts_but(ix, b, cohorts, p ? p->name : NULL);
	if (r == 0 && p)
		r = abibase_intersection_add_profile(ix, p);
	if (r == 0 && b->no_inputs)
		r = add_stand_ins(ix, b);
	return r;
}

/* Is it told of no host that it has a QEMU which is not used, or could not be asked? */
static bool uses_all(const struct abibase_intersection *ix)
{
	const struct inputs *in = &ix->in;

	for (size_t i = 0; i < in->n_hosts; i++)
		if (!in->hosts[i]->n_qemu || in->hosts[i]->n_unasked)
			return false;
	for (size_t i = 0; i < in->n_builds; i++) {
		const char *target = in->policy.target ? in->policy.target :
							 in->strings.s[in->hosts[0]->arch];

		if (machine_use(ix->cat, in->builds[i]->entry, target, in->policy.machine) !=
		    MACHINE_USED)
			return false;
	}
	return in->n_hosts > 0;
}

/* The QEMUs of all hosts from this one on, each build once. */
static struct host *merged(const struct inputs *in, const struct member_of *of, unsigned int first)
{
	struct host *to, *h = in->hosts[first];
	size_t n = 0;

	for (unsigned int i = first; i != NO_HOST; i = of[i].next)
		n += in->hosts[i]->n_qemu;
	to = host_new(h->name, in->n_numbers, in->n_conditions, n, 0);
	if (!to)
		return NULL;
	to->arch = h->arch;
	to->platform = h->platform;
	to->has_qemu = h->has_qemu;
	to->errata = h->errata;
	memcpy(to->numbers, h->numbers, in->n_numbers * sizeof(*h->numbers));
	memcpy(to->answers, h->answers, in->n_conditions * sizeof(*h->answers));
	to->n_qemu = 0;
	for (unsigned int i = first; i != NO_HOST; i = of[i].next)
		for (size_t q = 0, k = 0; q < in->hosts[i]->n_qemu; q++, k = 0) {
			while (k < to->n_qemu && to->qemu[k].build != in->hosts[i]->qemu[q].build)
				k++;
			if (k == to->n_qemu)
				to->qemu[to->n_qemu++] = in->hosts[i]->qemu[q];
		}
	return to;
}

/* In the place of those that it stands for. */
static void put_merged(struct inputs *in, const struct member_of *of, struct host **made)
{
	size_t n = 0;

	for (unsigned int i = 0; i < in->n_hosts; i++) {
		host_unref(in->hosts[i]);
		if (of[i].first == i)
			in->hosts[n++] = made[i];
	}
	in->n_hosts = n;
	index_clear(&in->by_name);
}

int intersection_merge(struct abibase_intersection *ix)
{
	struct cohorts by = { .judged = true, .any_qemu = true };
	struct inputs *in = &ix->in;
	_autofree_ struct host **made = calloc(in->n_hosts + 1, sizeof(struct host *));
	int r = made ? 0 : -ENOMEM;

	if (!uses_all(ix))
		return 0;
	if (r == 0)
		r = cohorts_find(&by, in);
	for (unsigned int i = 0; r == 0 && i < in->n_hosts; i++)
		if (by.of[i].first == i && !(made[i] = merged(in, by.of, i)))
			r = -ENOMEM;
	if (r == 0)
		put_merged(in, by.of, made);
	for (size_t i = 0; r < 0 && made && i < in->n_hosts; i++)
		host_unref(made[i]);
	free(by.of);
	return r < 0 ? context_oom(ix->ctx) : 0;
}

int intersection_is_alike(struct abibase_intersection *ix, const struct abibase_profile *p)
{
	struct cohorts by = { .cat = ix->cat, .about = ix->in.policy.backends };
	struct host *h;
	int r = inputs_host_of_profile(ix->ctx, &ix->in, ix->cat, p, &h);

	if (r < 0)
		return r;
	for (size_t i = 0; !r && i < ix->in.n_hosts; i++)
		r = !cohorts_cmp(&by, &ix->in, ix->in.hosts[i], h);
	host_unref(h);
	return r;
}

ABIBASE_EXPORT int abibase_intersection_add_baseline(struct abibase_intersection *ix,
						     const struct abibase_baseline *b)
{
	if (b->no_inputs)
		return context_fail(
			ix->ctx, EINVAL, "no-inputs", NULL,
			"the earlier baseline has no inputs, so that it cannot be "
			"widened: take the one that it was written from, with its inputs");
	return intersection_join(ix, b, NULL, NULL);
}

/* ------------------------------------------------------------------- the answer */

static int host_cmp(const void *a, const void *b)
{
	return strcmp((*(struct host *const *)a)->name, (*(struct host *const *)b)->name);
}

static void sort_hosts(struct inputs *in)
{
	qsort(in->hosts, in->n_hosts, sizeof(*in->hosts), host_cmp);
}

/* The device that brings a group into play which no device that is asked about has. */
static const char *device_of_group(const struct abibase_catalogue *cat, const char *group, bool off)
{
	for (size_t k = 0; k < cat->n_backends; k++)
		if (catalogue_group_has_switch(cat, group, off, 1u << k))
			return cat->backends[k].device;
	return NULL;
}

/* A wish is never passed over quietly. */
static int check_groups(struct abibase_intersection *ix, const struct strings *groups, bool off)
{
	unsigned int backends = ix->in.policy.backends;

	for (size_t i = 0; i < groups->n && ix->said_wishes; i++) {
		const char *group = groups->s[i], *device = device_of_group(ix->cat, group, off);

		if (device && !catalogue_group_has_switch(ix->cat, group, off, backends))
			return context_fail(ix->ctx, EINVAL, "group-not-asked", NULL,
					    "the group \"%s\" is of %s, which is not asked about: ask "
					    "with --with-device %s",
					    group, device, device);
	}
	return 0;
}

/* A baseline with nothing in it but what it is to be derived from; @some: of these @n hosts alone. */
static int inputs_of(struct abibase_intersection *ix, const unsigned int *some, size_t n,
		     struct abibase_baseline **ret)
{
	struct abibase_baseline *b = baseline_alloc();
	int r = !b   ? -ENOMEM :
		some ? inputs_pick(&ix->in, some, n, &b->in) :
		       inputs_copy(&ix->in, &b->in);

	if (r < 0) {
		abibase_baseline_unref(b);
		return context_oom(ix->ctx);
	}
	sort_hosts(&b->in);
	*ret = b;
	return 0;
}

static int begin(struct abibase_intersection *ix, struct abibase_baseline **ret)
{
	int r;

	if (!ix->in.n_hosts)
		return context_fail(ix->ctx, EINVAL, "no-hosts", NULL,
				    "there is no profile to make a baseline of");
	r = check_groups(ix, &ix->in.policy.enable, false);
	if (r == 0)
		r = check_groups(ix, &ix->in.policy.disable, true);
	if (r == 0)
		r = hosts_check_names(ix->ctx, &ix->in.policy.dest, "the destination", inputs_have,
				      &ix->in);
	if (r == 0)
		r = hosts_check_names(ix->ctx, &ix->in.policy.assume, ASSUMED_HOST, inputs_have,
				      &ix->in);
	return r < 0 ? r : inputs_of(ix, NULL, 0, ret);
}

static int derive(struct abibase_intersection *ix, struct abibase_baseline *b,
		  struct derive_with with, struct abibase_baseline **ret)
{
	with.guest = ix->guest;
	with.earlier = ix->earlier;
	if (baseline_derive(b, ix->cat, &with) < 0) {
		abibase_baseline_unref(b);
		return context_oom(ix->ctx);
	}
	*ret = b;
	return 0;
}

const struct inputs *intersection_inputs(const struct abibase_intersection *ix)
{
	return &ix->in;
}

struct abibase_context *intersection_context(const struct abibase_intersection *ix)
{
	return ix->ctx;
}

int intersection_finish(struct abibase_intersection *ix, const struct build_pairs *known,
			struct abibase_baseline **ret)
{
	struct abibase_baseline *b;
	int r = begin(ix, &b);

	return r < 0 ? r :
		       derive(ix, b,
			      (struct derive_with){ .known = known, .n_earlier = ix->n_earlier },
			      ret);
}

int intersection_finish_with(struct abibase_intersection *ix, const struct abibase_profile *p,
			     struct abibase_baseline **ret)
{
	struct abibase_baseline *b = NULL;
	int r = begin(ix, &b);

	if (r < 0)
		return r;
	r = inputs_add_profile(ix->ctx, &b->in, ix->cat, p);
	if (r < 0) {
		abibase_baseline_unref(b);
		return r;
	}
	sort_hosts(&b->in);
	ix->effects.in = &ix->in;
	return derive(ix, b,
		      (struct derive_with){ .n_earlier = ix->n_earlier, .effects = &ix->effects },
		      ret);
}

int intersection_of_some(struct abibase_intersection *ix, const unsigned int *hosts, size_t n,
			 struct abibase_baseline **ret)
{
	struct abibase_baseline *b = NULL;
	int r = inputs_of(ix, hosts, n, &b);

	return r < 0 ? r : derive(ix, b, (struct derive_with){ 0 }, ret);
}

/* One machine type a line, or the findings. */
static int show_machines(const json_t *root, size_t width, char **ret)
{
	_buf_ out = { .width = width };
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(root, "machines"), i, v)
		buf_printf(&out, "%s\n", json_string_value(v));
	json_array_foreach(json_object_get(root, "findings"), i, v) {
		show_text(&out, string_of(v, "text"));
		buf_printf(&out, " [%s]\n", string_of(v, "id"));
	}
	return buf_give(&out, ret);
}

/* NULL for want of memory. Takes @machines. */
static json_t *machines_document(const struct abibase_baseline *b, json_t *machines)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:s*}", "schema", "abibase-machines/1", "verdict",
			 verdict_words[b->verdict], "machines", machines, "findings",
			 findings_json(&b->findings),
			 "target", b->target);
}

ABIBASE_EXPORT int abibase_intersection_machines(struct abibase_intersection *ix,
						 struct abibase_result **ret)
{
	struct abibase_result made = { .show = show_machines };
	json_t *machines = json_array();
	struct abibase_baseline *b;
	int r = begin(ix, &b);

	if (r < 0) {
		json_decref(machines);
		return r;
	}
	if (!machines || baseline_machines(b, ix->cat, machines) < 0) {
		json_decref(machines);
		abibase_baseline_unref(b);
		return context_oom(ix->ctx);
	}
	made.verdict = b->verdict;
	made.root = machines_document(b, machines);
	abibase_baseline_unref(b);
	return result_give(ix->ctx, &made, ret);
}
