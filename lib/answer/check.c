/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "answer/check.h"
#include "base/context.h"
#include "document/build.h"
#include "document/errata.h"
#include "model/ask.h"
#include "model/intersect.h"
#include "model/machine.h"
#include "model/predict.h"
#include "answer/show.h"

#define MAX_QEMUS 16 /* of a host that are asked one by one */

/*
 * Does a host provide what a baseline promises? The host alone is asked what it could do at most,
 * under the baseline's machine type, backends and groups; whatever the baseline has on and the host
 * cannot do is a finding, with the reason that the derivation found. What the guest would be offered
 * with the baseline's list is then predicted and held against the promise.
 */

struct checking {
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	const struct abibase_baseline *b;
	const struct abibase_profile *p;
	const struct strings *assume;	/* hosts whose QEMU is assumed; NULL: none */
	const struct abibase_guest *guest; /* only what it needs counts; NULL: all */
	unsigned int backends;		   /* of the catalogue: those that count */
	bool named;			   /* does the guest need one of them in any case? */
	struct abibase_baseline *alone; /* what the host can do at most */
	struct admission *admission;
	struct kind *kind;		   /* of the host, or NULL */
	struct links links;		   /* of @b */
	struct abibase_check *out;
};

static _printf_(7, 8) void add(struct checking *k, enum abibase_finding_kind kind, const char *id,
			       const char *layer, const struct value *v, const char *remedy,
			       const char *fmt, ...)
{
	struct finding f = { .kind = kind, .id = id, .layer = layer, .remedy = remedy,
			     .feature = v ? v->feature : NULL, .bit = v ? v->bit : -1 };
	va_list ap;

	if (v)
		f.property = arena_printf(&k->out->arena, "%s.%s", v->class_name, v->property);
	va_start(ap, fmt);
	hostcheck_vsay(k->out, f, fmt, ap);
	va_end(ap);
}

/* ------------------------------------------------------- what the host can do at most */

static int set_wishes(struct checking *k, struct abibase_intersection *ix)
{
	const struct inputs *in = &k->b->in;
	int r = abibase_intersection_set_machine(ix, k->b->machine);

	if (r == 0 && in->policy.target)
		r = abibase_intersection_set_target(ix, in->policy.target);
	intersection_adopt_backends(ix, in);
	if (k->guest)
		intersection_narrow_backends(ix, k->backends, k->named);
	if (r == 0)
		r = abibase_intersection_set_policy(ix, "all");
	for (size_t i = 0; r == 0 && i < in->policy.enable.n; i++)
		r = abibase_intersection_enable(ix, in->policy.enable.s[i]);
	for (size_t i = 0; r == 0 && i < in->policy.disable.n; i++)
		r = abibase_intersection_disable(ix, in->policy.disable.s[i]);
	/* whatever is on there is asked for here, whether or not it was by name */
	for (size_t i = 0; r == 0 && i < k->b->n_values; i++) {
		const struct row *row = k->links.rows[i];

		if (k->b->values[i].on && row && row->boolean)
			r = intersection_promise_row(ix, row);
	}
	return r;
}

/* By whoever asks, or by whoever made the baseline. */
static int assume(const struct checking *k, struct abibase_intersection *ix)
{
	if (!(k->assume && strings_have(k->assume, k->p->name)) &&
	    !inputs_assume_qemu_of(&k->b->in, k->p->name))
		return 0;
	return abibase_intersection_assume_qemu(ix, k->p->name);
}

static int derive_alone(struct checking *k)
{
	struct abibase_intersection *ix;
	int r;

	if (k->kind && k->kind->alone) {
		k->alone = abibase_baseline_ref(k->kind->alone);
		return 0;
	}
	r = abibase_intersection_new(k->ctx, k->cat, &ix);
	if (r < 0)
		return r;
	r = set_wishes(k, ix);
	if (r == 0)
		r = assume(k, ix);
	if (r == 0)
		r = abibase_intersection_add_profile(ix, k->p);
	if (r == 0)
		r = intersection_finish(ix, NULL, &k->alone);
	abibase_intersection_unref(ix);
	return r;
}

/* ------------------------------------------------------------------ one finding each */

/* A host that constrains nothing on a backend is named here as it is where a baseline is made. */
static bool is_taken(const struct finding *f, const char *id)
{
	return streq(f->id, id) && (f->kind != ABIBASE_FINDING_NOTE ||
				    streq(id, "backend-absent") || streq(id, "qemu-assumed") ||
				    streq(id, "qemu-unused") || streq(id, "catalogue-older"));
}

/* What concerns the host as a whole: machine type, QEMU, backends. Features come one by one. */
static void take_whole(struct checking *k)
{
	static const char *const whole[] = { "host-without-machine",   "backend-absent",
					     "backend-unknown",	       "vendor-machine-unknown",
					     "no-qemu-facts",	       "machine-not-recorded",
					     "target-not-covered",     "property-missing",
					     "qemu-unasked",	       "qemu-assumed",
					     "catalogue-older",	       "leave-lacks",
					     "leave-unknown",	       "qemu-unused",
					     NULL };

	for (size_t i = 0; i < k->alone->findings.n; i++) {
		const struct finding *f = &k->alone->findings.f[i];
		bool by_baseline = streq(f->id, "qemu-assumed") &&
				   inputs_assume_qemu_of(&k->b->in, k->p->name);
		bool backend = strprefix(f->id, "backend") || strprefix(f->id, "leave");

		if (streq(f->id, "qemu-unused") && !k->alone->n_used)
			continue;
		for (size_t w = 0; whole[w]; w++)
			if (is_taken(f, whole[w]))
				add(k, f->kind, f->id, backend ? "backend" : "machine type", NULL,
				    f->remedy, "%s%s", f->text,
				    by_baseline ? MACHINE_ASSUMED_BY_BASELINE : "");
	}
}

/* Where none names the host, others of its kind have the same. */
static void take_findings(struct checking *k)
{
	size_t before = k->out->findings.n;

	take_whole(k);
	if (k->kind && !k->kind->alone && k->out->findings.n == before)
		k->kind->alone = abibase_baseline_ref(k->alone);
}

/* Of a value of the baseline; NULL: the catalogue has none. */
static const struct row *row_of(const struct checking *k, const struct value *v)
{
	return k->links.rows[v - k->b->values];
}

static const struct value *find_value(const struct abibase_baseline *b, const struct value *v)
{
	return baseline_value(b, v->class_name, v->property);
}

static void add_qemu_lacks(struct checking *k, const struct value *v)
{
	const struct row *row = row_of(k, v);
	const char *since = row && !version_is_zero(&row->since) ?
				    arena_printf(&k->out->arena, " (upstream %u.%u or newer)",
						 row->since.part[0], row->since.part[1]) :
				    "";

	add(k, ABIBASE_FINDING_CONFLICT, "promise-lacks", "QEMU", v,
	    arena_printf(&k->out->arena, "a QEMU that has the property%s", since),
	    "%s: its QEMU does not have the property %s.%s (%s), which is promised", k->p->name,
	    v->class_name, v->property, v->feature);
}

static void add_why(struct checking *k, const struct value *v, const struct why *w)
{
	const char *host = k->p->name;

	switch (w->kind) {
	case WHY_HOST_LACKS:
		return add(k, ABIBASE_FINDING_CONFLICT, "promise-lacks", w->layer, v, w->remedy,
			   "%s: %s lacks %s, promised by %s.%s=on: %s", host, w->layer, v->feature,
			   v->class_name, v->property, w->missing);
	case WHY_HOST_UNKNOWN:
		return add(k, ABIBASE_FINDING_UNKNOWN, "promise-unknown", w->layer, v,
			   "probe this host again, with the rights that it takes",
			   "%s: whether %s has %s, promised by %s.%s=on, is unknown (%s)", host,
			   w->layer, v->feature, v->class_name, v->property, w->what);
	case WHY_QEMU_UNKNOWN:
		return add(k, ABIBASE_FINDING_UNKNOWN, "promise-unknown", "QEMU", v,
			   "probe this host again",
			   "%s: whether its QEMU has %s.%s is not recorded", host, v->class_name,
			   v->property);
	case WHY_QEMU_LACKS:
		return add_qemu_lacks(k, v);
	case WHY_NEVER:
		return add(k, ABIBASE_FINDING_CONFLICT, "promise-lacks", "QEMU", v,
			   "another QEMU, or another backend",
			   "%s: its QEMU never offers %s there, promised by %s.%s=on", host,
			   v->feature, v->class_name, v->property);
	case WHY_MACHINE_OFF: /* the list turns it on */
	case WHY_DEPENDS:     /* what it depends on is a finding itself */
	case WHY_TOGETHER:
	case WHY_DISABLED:
	case WHY_HOST_LEAST:
	case N_WHY:
	default:
		break;
	}
}

/* Of a QEMU that nobody asked what it knows follows from its version. */
static const char *no_property(const struct checking *k)
{
	for (size_t u = 0; u < k->alone->n_used; u++)
		if (json_object_get(baseline_entry(k->alone, u), "properties"))
			return "it does not know the property";
	return "it does not know the property, by its version: nobody asked it";
}

static bool backend_usable(const struct checking *k, size_t backend)
{
	struct ask a = { .cat = k->cat, .p = k->p };

	return ask_usable(&a, backend) == ABIBASE_YES;
}

/* Is it about nothing but backends that are unknown as a whole, which is said? */
static bool is_of_backend(const struct checking *k, const struct why *w)
{
	for (size_t be = 0; be < k->cat->n_backends; be++)
		if (w->backends & (1u << be) && backend_usable(k, be))
			return false;
	return w->kind == WHY_HOST_UNKNOWN || (w->kind == WHY_HOST_LACKS && w->backends);
}

/* One fact can be in the way of several properties: it is kept apart from the sentence. */
static void lacks_why(struct checking *k, const struct value *v, const struct why *w)
{
	const char *cause = w->kind == WHY_HOST_LACKS	? w->missing :
			    w->kind == WHY_HOST_UNKNOWN ? w->what :
			    w->kind == WHY_QEMU_LACKS	? no_property(k) :
							  NULL;
	struct abibase_check *out = k->out;
	size_t before = out->findings.n;

	if (!is_of_backend(k, w))
		add_why(k, v, w);
	if (out->findings.n != before && cause)
		out->findings.f[before].cause = arena_strdup(&out->arena, cause);
}

/* What the host states, or what it stated for the baseline: a probe does not know it. */
static int64_t stated(const struct checking *k, const char *fact)
{
	const struct inputs *in = &k->b->in;
	int64_t n = profile_number(k->p, fact);
	long old = n == NUMBER_UNSTATED ? inputs_host(in, k->p->name) : -1;

	for (size_t i = 0; old >= 0 && i < in->n_numbers; i++)
		if (streq(in->numbers[i], fact))
			n = in->hosts[old]->numbers[i];
	return n;
}

static void check_number(struct checking *k, const struct value *v, const char *fact)
{
	int64_t n = stated(k, fact);

	if (n >= v->number)
		return;
	if (n == NUMBER_UNSTATED) {
		return add(k, ABIBASE_FINDING_UNKNOWN, "promise-unknown", "host", v,
			   "write the fact into the profile of this host",
			   "%s: its profile does not state %s, and guests are told %s.%s=%s",
			   k->p->name, fact, v->class_name, v->property, v->text);
	}
	add(k, ABIBASE_FINDING_CONFLICT, "promise-lacks", "host", v,
	    "let the host do as much, or make a new baseline with it",
	    "%s: %s is %lld, and guests are told %s.%s=%s", k->p->name, fact, (long long)n,
	    v->class_name, v->property, v->text);
}

/* Does this QEMU know the property? What the host could do at most does not set every one. */
static bool knows(const struct checking *k, size_t used, const struct value *v,
		  const struct row *row)
{
	const struct value *mine = find_value(k->alone, v);
	struct effective e;

	if (mine)
		return mine->defaults[used] != SETTING_ABSENT;
	if (!row)
		return json_object_get(json_object_get(json_object_get(baseline_entry(k->alone, used),
								       "properties"),
						       v->class_name),
				       v->property);
	baseline_effective(k->cat, k->alone, used, row, &e);
	return e.known == ABIBASE_YES;
}

static bool known_by_all(const struct checking *k, const struct value *v, const struct row *row)
{
	for (size_t u = 0; u < k->alone->n_used; u++)
		if (!knows(k, u, v, row))
			return false;
	return true;
}

/* The path by which the host has this build, for two builds may call themselves the same version. */
static const char *name_of(const struct abibase_profile *p, const struct build *build)
{
	for (size_t i = 0; i < p->n_qemu; i++)
		if (p->qemu[i].path && streq(p->qemu[i].digest, build->digest))
			return p->qemu[i].path;
	return build->version;
}

/* "QEMU 9.1.0 (qemu-kvm-9.1.0-20.el9), /usr/libexec/qemu-kvm," */
static const char *here(struct checking *k, const struct build *build)
{
	const char *package = string_of(build ? build->entry : NULL, "package"), *path;
	_buf_ out = { 0 };

	if (!build)
		return "any upstream QEMU";
	path = name_of(k->p, build);
	buf_printf(&out, "QEMU %s", build->version);
	if (package && *package)
		buf_printf(&out, " (%s)", package);
	if (!streq(path, build->version))
		buf_printf(&out, ", %s,", path);
	return arena_printf(&k->out->arena, "%s", arena_words(&k->out->arena, &out));
}

/* No property sets it there, so it is what the file makes it, and of that nothing is recorded. */
static void say_unrecorded(struct checking *k, const struct value *v, const struct row *row,
			   const struct build *build)
{
	add(k, ABIBASE_FINDING_UNKNOWN, "size-unknown", "QEMU", v, "probe this host again",
	    "%s: %s does not have the property %s (%s), and what its guests see is not recorded; "
	    "the baseline: %s", k->p->name, here(k, build), row->key, row->feature, v->text);
}

/*
 * One QEMU of the host against a size that comes of a file there; a size that is not known is no
 * obstacle where the list sets it.
 */
static void judge_observed(struct checking *k, const struct value *v, const struct row *row,
			   size_t used)
{
	const struct build *build = k->alone->used[used].build;
	struct effective e;
	const char *is;
	int64_t size;

	baseline_effective(k->cat, k->alone, used, row, &e);
	if (!e.value && e.known == ABIBASE_NO)
		return say_unrecorded(k, v, row, build);
	size = e.value ? json_integer_value(e.value) : v->number;
	if (size == v->number || (e.known == ABIBASE_YES && size < v->number))
		return;
	is = arena_printf(&k->out->arena, "%s: %s has %lld of %s (%s), and the baseline %s",
			  k->p->name, here(k, build), (long long)size, row->key, row->feature,
			  v->text);
	if (e.known == ABIBASE_UNKNOWN)
		return add(k, ABIBASE_FINDING_UNKNOWN, "promise-unknown", "QEMU", v,
			   "probe this host again",
			   "%s: whether it has the property that sets it is not recorded", is);
	if (e.known == ABIBASE_NO)
		return add(k, ABIBASE_FINDING_CONFLICT, "size-differs", "QEMU", v, row->remedy,
			   "%s: no property sets it there, and a guest does not get in", is);
	add(k, ABIBASE_FINDING_CONFLICT, "size-differs", "QEMU", v,
	    "make a new baseline with this host: its list has room for every host's file",
	    "%s: with the list of the baseline its file is too large, and QEMU does not start", is);
}

static void check_observed(struct checking *k, const struct value *v, const struct row *row)
{
	bool known = true;

	for (size_t u = 0; u < k->alone->n_used; u++) {
		struct effective e;

		judge_observed(k, v, row, u);
		baseline_effective(k->cat, k->alone, u, row, &e);
		known &= e.value != NULL || e.known == ABIBASE_NO;
	}
	if (known)
		return;
	add(k, ABIBASE_FINDING_NOTE, "size-not-recorded", "QEMU", v, NULL,
	    "%s: %s not recorded, so not compared", k->p->name, row->feature);
}

/* No option changes what it does: it is as the baseline has it, or it is not. */
static void judge_without(struct checking *k, const struct value *v, const struct row *row,
			  size_t used, const struct effective *e)
{
	const char *who = here(k, k->alone->used[used].build);
	bool on;

	if (e->known == ABIBASE_UNKNOWN)
		return hostcheck_unrecorded(k->out, row, who, k->b->machine,
					    "probe this host again");
	on = value_is_on(effective_seen(e, row));
	if (on != v->on)
		add(k, ABIBASE_FINDING_CONFLICT, "value-differs", "QEMU", v,
		    "make a new baseline with this host",
		    "%s: %s has no property %s (%s) and does as with it %s; the list of the "
		    "baseline has it %s", k->p->name, who, row->key, row->feature,
		    setting_words[on], setting_words[v->on]);
}

/* Each QEMU here that is not known to have the property, and does it all the same, or does not. */
static bool check_without(struct checking *k, const struct value *v, const struct row *row)
{
	bool any = false;

	for (size_t u = 0; row->without && u < k->alone->n_used; u++) {
		struct effective e;

		baseline_effective(k->cat, k->alone, u, row, &e);
		if (e.known == ABIBASE_YES)
			continue;
		judge_without(k, v, row, u, &e);
		any = true;
	}
	return any;
}

static void check_value(struct checking *k, const struct value *v, const struct row *row)
{
	static const struct why absent = { .kind = WHY_QEMU_LACKS };
	const struct value *can = find_value(k->alone, v);

	if (row->observed)
		return check_observed(k, v, row);
	if (check_without(k, v, row))
		return;
	if (v->is_number && v->on && row->fact >= 0)
		return check_number(k, v, k->cat->numbers[row->fact]);
	/* what stands for no feature takes no more than the property */
	if (v->on && (v->is_number || row_is_silent(row)) && known_by_all(k, v, row))
		return;
	if (!v->on || (can && can->on))
		return;
	for (size_t i = 0; can && i < can->n_why; i++)
		lacks_why(k, v, &can->why[i]);
	if (!can)
		lacks_why(k, v, &absent);
}

/*
 * Without a QEMU that has the machine type nothing was derived, but the kernel can be asked all the
 * same: whoever installs another QEMU wants to know what else is missing.
 */
static void check_kernel(struct checking *k, const struct value *v, const struct row *row)
{
	struct ask a = { .cat = k->cat, .p = k->p };

	for (size_t be = 0; v->on && be < k->cat->n_backends; be++) {
		if (!(k->alone->in.policy.backends & (1u << be)) || !backend_usable(k, be))
			continue;
		for (struct asked w = { 0 }; ask_next_need(&a, &row->needs[be], &w);) {
			struct why why = { .kind = WHY_HOST_LACKS };

			if (!w.c || w.answer != ABIBASE_NO)
				continue;
			why.what = w.c->name;
			why.layer = w.c->layer;
			why.missing = w.c->missing;
			why.remedy = w.c->remedy;
			lacks_why(k, v, &why);
		}
	}
}

/* Nothing is known of it here, so nothing is said of the host. */
static bool check_newer(struct checking *k)
{
	_buf_ names = { 0 };

	if (!baseline_write_unknown(k->cat, k->b, &names))
		return false;
	add(k, ABIBASE_FINDING_UNKNOWN, "catalogue-older", "catalogue", NULL,
	    "check it with a version of abibase whose catalogue has it",
	    "%s: whether it provides this cannot be told, for the catalogue of this "
	    "version (revision %lld; the baseline's is %lld) does not know it: %s",
	    k->p->name, (long long)k->cat->revision, (long long)k->b->in.catalogue_revision,
	    arena_words(&k->out->arena, &names));
	return true;
}

static void check_values(struct checking *k)
{
	for (size_t i = 0; i < k->b->n_values; i++) {
		const struct value *v = &k->b->values[i];
		const struct row *row = row_of(k, v);

		/* not known here, which is said, or of no device of the guest, or of no ROM of it */
		if (!row || !(row->backends & k->backends) ||
		    (k->guest && row->observed && !guest_has_rom(k->guest)))
			continue;
		(k->alone->n_used ? check_value : check_kernel)(k, v, row);
	}
}

static bool requirement_unknown(const struct checking *k, const char *name)
{
	for (size_t i = 0; i < k->alone->findings.n; i++)
		if (streq(k->alone->findings.f[i].id, "requirement-unknown") &&
		    strstr(k->alone->findings.f[i].text, name))
			return true;
	return false;
}

static void check_requirements(struct checking *k)
{
	for (size_t i = 0; i < k->b->n_requirements; i++) {
		const struct met *want = &k->b->requirements[i];
		const struct requirement *q = catalogue_requirement(k->cat, want->name);
		const struct met *have = NULL;
		bool unknown;

		for (size_t n = 0; n < k->alone->n_requirements; n++)
			if (streq(k->alone->requirements[n].name, want->name))
				have = &k->alone->requirements[n];
		if (!have || have->met == want->met)
			continue;
		unknown = have->met == ABIBASE_UNKNOWN;
		if (unknown && !requirement_unknown(k, want->name))
			continue; /* the backend is unknown, and a finding itself */
		add(k, unknown ? ABIBASE_FINDING_UNKNOWN : ABIBASE_FINDING_CONFLICT,
		    unknown ? "promise-unknown" : "requirement-differs", "backend", NULL,
		    q ? q->remedy : NULL,
		    unknown ? "%s: whether \"%s\" holds is unknown (requirement %s)"
			    : "%s: \"%s\" %s (requirement %s), and no property can mask it",
		    k->p->name, want->text,
		    unknown		       ? want->name
		    : want->met == ABIBASE_YES ? "does not hold"
					       : "holds, and did not on the hosts of the baseline",
		    want->name);
	}
}

static void check_arch(struct checking *k)
{
	if (!k->b->arch || streq(k->b->arch, k->p->arch))
		return;
	add(k, ABIBASE_FINDING_CONFLICT, "arch-differs", "host", NULL,
	    "migrate between hosts of one architecture",
	    "%s is %s, and the hosts of the baseline are %s", k->p->name, k->p->arch, k->b->arch);
}

/* ---------------------------------------- what no list sets and no feature word shows */

/* Do all QEMUs of the baseline know the property? */
static bool known_there(const struct checking *k, const struct row *row)
{
	for (size_t u = 0; u < k->b->n_used; u++) {
		struct effective e;

		baseline_effective(k->cat, k->b, u, row, &e);
		if (e.known != ABIBASE_YES)
			return false;
	}
	return true;
}

static void row_differs(struct checking *k, const struct row *row, const struct build *build,
			const json_t *there, const json_t *here_is)
{
	const struct value v = { .class_name = row->class_name, .property = row->property,
				 .feature = row->feature, .bit = row->bit };
	struct arena *a = &k->out->arena;
	/* is the list of a baseline with this host going to set it? */
	bool set = row->boolean ||
		   (row->number && known_by_all(k, &v, row) && known_there(k, row));

	add(k, ABIBASE_FINDING_CONFLICT, "value-differs", "QEMU", &v,
	    set ? "make a new baseline with this host: its list sets the property" :
		  "use a machine type that is the same everywhere, or leave this host out",
	    "%s: %s makes something else of %s: %s (%s) is %s, on the hosts of the baseline %s",
	    k->p->name, here(k, build), k->b->machine, row->key, row->feature,
	    value_words(a, here_is), value_words(a, there));
}

/* What is decided when a device is made is not recorded of old QEMUs, and no list sets it. */
static void judge_unset(struct checking *k, const struct row *row, size_t used,
			const json_t *there)
{
	const struct build *build = k->alone->used[used].build;
	struct effective e;
	const json_t *seen;

	baseline_effective(k->cat, k->alone, used, row, &e);
	seen = effective_seen(&e, row);
	if (there && seen && !json_equal(seen, there))
		row_differs(k, row, build, there, seen);
	/* where one of the two is not known, they may differ */
	if (!there == !seen || (!row->boolean && !row->number) || row->observed)
		return;
	hostcheck_unrecorded(k->out, row,
			     seen ? "a QEMU of the baseline's hosts" : here(k, build),
			     k->b->machine,
			     seen ? "probe the hosts of the baseline again, and make it anew" :
				    "probe this host again");
}

/* As baseline_seen(), which no host changes: asked once a row. */
static const json_t *seen_there(struct checking *k, const struct row *row)
{
	struct seen_row *seen = &k->admission->seen[row - k->cat->rows];

	if (!seen->asked)
		*seen = (struct seen_row){ true, baseline_seen(k->cat, k->b, row) };
	return seen->value;
}

static void check_unset(struct checking *k)
{
	for (size_t r = 0; r < k->cat->n_rows; r++) {
		const struct row *row = &k->cat->rows[r];
		const json_t *there;

		if (!row_is_silent(row) || !(row->backends & k->alone->in.policy.backends) ||
		    k->links.values[r] || baseline_leaves_out(k->b, row))
			continue;
		there = seen_there(k, row);
		for (size_t u = 0; u < k->alone->n_used; u++)
			judge_unset(k, row, u, there);
	}
}

/* ------------------------------------------------------------------------- known defects */

static bool is_promised(const void *of, size_t row)
{
	const struct checking *k = of;
	const struct value *v = k->links.values[row];

	return v && v->on;
}

static void check_errata(struct checking *k)
{
	uint32_t mask = k->alone->in.hosts[0]->errata; /* its kernel's */

	for (size_t u = 0; u < k->alone->n_used; u++)
		if (k->alone->used[u].build)
			mask |= errata_of_qemu(k->cat, k->alone->used[u].build->entry,
					       k->b->machine);
	hostcheck_errata(k->out, k->cat, mask, is_promised, k);
}

/* --------------------------------------------------------- the word that would be offered */

/* The settings that this QEMU gets of the baseline: what it knows. */
static const char **settings_for(const struct checking *k, size_t used)
{
	struct arena *a = &k->out->arena;
	const char **s = arena_alloc(a, (k->b->n_values + 1) * sizeof(*s));
	size_t n = 0;

	for (size_t i = 0; s && i < k->b->n_values; i++) {
		const struct value *v = &k->b->values[i];

		if (knows(k, used, v, row_of(k, v)))
			s[n++] = arena_printf(a, "%s.%s=%s", v->class_name, v->property, v->text);
	}
	return s;
}

static long used_build(const struct checking *k, const struct profile_qemu *q)
{
	for (size_t i = 0; i < k->alone->n_used; i++)
		if (k->alone->used[i].build && streq(k->alone->used[i].build->digest, q->digest))
			return (long)i;
	return -1;
}

static void make_lists(struct checking *k)
{
	struct abibase_check *c = k->out;

	c->lists = arena_alloc(&c->arena, (k->p->n_qemu + 1) * sizeof(*c->lists));
	for (size_t i = 0; c->lists && i < k->p->n_qemu; i++) {
		const struct profile_qemu *q = &k->p->qemu[i];
		long used = used_build(k, q);
		struct check_list *list;

		if (used < 0 || !q->path)
			continue;
		list = &c->lists[c->n_lists++];
		list->path = arena_strdup(&c->arena, q->path);
		list->settings = settings_for(k, (size_t)used);
	}
}

static void word_differs(struct checking *k, const struct offer *o, const uint64_t word[2],
			 const char *qemu)
{
	const char *backend = k->b->in.backends[o->backend];
	int be = catalogue_backend(k->cat, backend);
	_buf_ bits = { 0 };

	for (int bit = 0; bit < 128; bit++) {
		const struct row *row = be < 0 ? NULL : catalogue_bit(k->cat, bit, 1u << be);

		if (word_has(o->word, bit) != word_has(word, bit))
			buf_printf(&bits, " %s %s (bit %d)",
				   word_has(word, bit) ? "with" : "without",
				   row ? row->feature : "a bit without a name", bit);
	}
	add(k, ABIBASE_FINDING_CONFLICT, "offer-differs", "QEMU", NULL,
	    "this build makes something else of the machine type than those of the baseline: make "
	    "a new baseline with this host",
	    "%s: with the list of the baseline QEMU %s would offer another device on %s:%s",
	    k->p->name, qemu, backend, arena_words(&k->out->arena, &bits));
}

/* Was the baseline made of this very profile? */
static bool is_recorded(const struct checking *k)
{
	const struct inputs *in = &k->b->in;
	long old = inputs_host(in, k->p->name);
	struct host now;

	host_set_digest(&now, k->p->digest);
	return old >= 0 && !memcmp(in->hosts[old]->digest, now.digest, sizeof(now.digest));
}

/* What is not known of this QEMU is the same in the baseline: it was made of this very host, or
 * build. */
static bool is_same_there(const struct checking *k, size_t used)
{
	const struct build *build = k->alone->used[used].build;

	if (is_recorded(k))
		return true;
	if (!qemu_is_told_apart(build->entry, k->b->machine))
		return false;
	for (size_t u = 0; u < k->b->n_used; u++)
		if (k->b->used[u].build && streq(k->b->used[u].build->digest, build->digest))
			return true;
	return false;
}

static void word_unknown(struct checking *k, const struct offer *o, const char *why,
			 const char *qemu)
{
	add(k, ABIBASE_FINDING_UNKNOWN, "offer-unknown", "QEMU", NULL, "probe this host again",
	    "%s: whether QEMU %s would offer the device of the baseline with its list, on "
	    "%s, cannot be told: %s",
	    k->p->name, qemu, k->b->in.backends[o->backend], why);
}

static void would_not_start(struct checking *k, const struct offer *o, const char *why,
			    const char *qemu)
{
	add(k, ABIBASE_FINDING_CONFLICT, "qemu-would-not-start", "QEMU", NULL,
	    "make a new baseline with this host: its list sets the property",
	    "%s: with the list of the baseline QEMU %s would not run a guest on %s: %s", k->p->name,
	    qemu, k->b->in.backends[o->backend], why);
}

/* A host that does not have the backend offers nothing on it. */
static bool is_asked(const struct checking *k, size_t used, const struct offer *o)
{
	int be = catalogue_backend(k->cat, k->b->in.backends[o->backend]);

	return k->alone->used[used].build && o->known && be >= 0 && k->backends & (1u << be) &&
	       backend_usable(k, (size_t)be);
}

static int predict_used(struct checking *k, size_t used, const struct offer *o)
{
	const struct build *build = k->alone->used[used].build;
	struct predictor pr = { .cat = k->cat, .p = k->p };
	_autofree_ char *why = NULL;
	uint64_t word[2];
	int r;

	if (!is_asked(k, used, o))
		return 0;
	pr.settings = settings_for(k, used);
	if (k->out->arena.failed)
		return -ENOMEM;
	pr.backend = (size_t)catalogue_backend(k->cat, k->b->in.backends[o->backend]);
	r = predict_entry(k->ctx, &pr, build->entry, k->b->machine, word, &why);
	if (r == ABIBASE_VERDICT_UNKNOWN && !is_same_there(k, used))
		word_unknown(k, o, why, build->version);
	if (r == ABIBASE_VERDICT_YES && memcmp(word, o->word, sizeof(word)) != 0)
		word_differs(k, o, word, build->version);
	if (r == ABIBASE_VERDICT_NO)
		would_not_start(k, o, why, build->version);
	return r < 0 ? r : 0;
}

/* What explains another word; what stands for no feature does not, and no note does. */
static bool is_explained(const struct checking *k)
{
	for (size_t i = 0; i < k->out->findings.n; i++)
		if (k->out->findings.f[i].kind != ABIBASE_FINDING_NOTE &&
		    !strprefix(k->out->findings.f[i].id, "value-"))
			return true;
	return false;
}

/* Only where nothing was found that explains it: a difference that no row explains is the build's. */
static int check_offers(struct checking *k)
{
	for (size_t i = 0; i < k->b->n_offers; i++)
		for (size_t u = 0; u < k->alone->n_used && !is_explained(k); u++) {
			int r = predict_used(k, u, &k->b->offers[i]);

			if (r < 0)
				return r;
		}
	return 0;
}

/* --------------------------------------------------------------- what admitting it costs */

/* What is between hosts, and not of one alone: sizes, and values that nobody recorded. */
static bool is_shape(const struct finding *f, bool satisfies)
{
	return strprefix(f->id, "shape-") || streq(f->id, "value-unknown") ||
	       streq(f->id, "layout-not-recorded") ||
	       (streq(f->id, "widening-changes-id") && satisfies);
}

static bool has_shapes(const struct checking *k, const struct abibase_baseline *wide)
{
	bool satisfies = findings_verdict(&k->out->findings) == ABIBASE_VERDICT_YES;

	for (size_t i = 0; i < wide->findings.n; i++)
		if (is_shape(&wide->findings.f[i], satisfies))
			return true;
	return false;
}

static void take_shapes(struct checking *k, const struct abibase_baseline *wide)
{
	bool satisfies = findings_verdict(&k->out->findings) == ABIBASE_VERDICT_YES;

	for (size_t i = 0; i < wide->findings.n; i++) {
		const struct finding *f = &wide->findings.f[i];

		if (is_shape(f, satisfies))
			add(k, f->kind, f->id, "QEMU", NULL, f->remedy, "%s", f->text);
	}
}

static void add_property(struct abibase_check *c, json_t *list, const struct value *v, bool text)
{
	const char *s = arena_printf(&c->arena, "%s.%s%s%s", v->class_name, v->property,
				     text ? "=" : "", text ? v->text : "");

	if (!s || json_array_append_new(list, json_string(s)) < 0)
		c->arena.failed = true;
}

/* Properties that go off, and numbers that are set, for every guest started from then on. */
static void take_changes(struct checking *k, const struct abibase_baseline *wide)
{
	struct abibase_check *c = k->out;

	for (size_t i = 0; i < k->b->n_values; i++) {
		const struct value *v = &k->b->values[i], *w = find_value(wide, v);

		if (v->on && !(w && w->on))
			add_property(c, c->lost, v, false);
	}
	for (size_t i = 0; i < wide->n_values; i++) {
		const struct value *w = &wide->values[i], *v = find_value(k->b, w);

		const struct row *row = v || w->on ? NULL :
						      catalogue_find(k->cat, w->class_name,
								     w->property);

		/* on by itself with the baseline, whose list does not set it */
		if (row && value_is_on(baseline_seen(k->cat, k->b, row)))
			add_property(c, c->lost, w, false);
		if (w->is_number && w->on && !(v && streq(v->text, w->text)))
			add_property(c, c->set, w, true);
	}
}

static void set_cost(struct abibase_check *c, bool admissible, const char *id)
{
	c->asked = true;
	c->admissible = admissible;
	for (size_t i = 0; i < c->findings.n; i++)
		c->findings.f[i].fixable = admissible && c->findings.f[i].property;
	c->admit_id = id ? arena_strdup(&c->arena, id) : NULL;
}

static void take_losses(struct checking *k, const struct abibase_baseline *wide)
{
	set_cost(k->out, wide->id, k->b->id && same_text(wide->id, k->b->id) ? NULL : wide->id);
	if (wide->id)
		take_changes(k, wide);
}

/*
 * One host a cohort stands for all where hosts are named by nothing but the findings; NULL: it cannot
 * be so, or there is no memory.
 */
static const struct cohorts *cohorts_of(struct checking *k)
{
	struct cohorts *c = &k->admission->cohorts;
	const struct policy *p = &k->b->in.policy;

	if (k->b->no_inputs || p->dest.n || p->assume.n || (k->assume && k->assume->n))
		return NULL;
	if (!c->of && cohorts_find(c, &k->b->in) < 0)
		free(steal(&c->of));
	return c->of ? c : NULL;
}

static int join(struct checking *k, const struct cohorts *cohorts, const struct abibase_profile *p,
		struct abibase_intersection **ret)
{
	int r = abibase_intersection_new(k->ctx, k->cat, ret);

	if (r < 0)
		return r;
	r = assume(k, *ret);
	return r < 0 ? r : intersection_join(*ret, k->b, cohorts, p);
}

/* Is an older record of it all that there is of its cohort, which goes with it? */
static bool is_last(const struct checking *k)
{
	const struct member_of *of = k->admission->cohorts.of;
	long old = inputs_host(&k->b->in, k->p->name);

	return old >= 0 && of[old].first == (unsigned int)old && of[old].next == NO_HOST;
}

/*
 * With this host and without an older record of it, does the baseline have the cohorts that it has?
 * Then all but names is as it is. 1, 0 or a negative errno.
 */
static int changes_nothing(const struct checking *k)
{
	if (is_recorded(k) && k->b->in.catalogue_revision == k->cat->revision)
		return 1;
	if (is_last(k))
		return 0;
	return intersection_is_alike(k->admission->ix, k->p);
}

static int derive_self(struct checking *k)
{
	struct admission *a = k->admission;
	int r = a->ix ? 0 : join(k, &a->cohorts, NULL, &a->ix);

	if (r == 0 && !a->merged)
		r = join(k, &a->cohorts, NULL, &a->merged);
	if (r == 0 && !a->self)
		r = intersection_merge(a->merged);
	return r < 0 || a->self ? r : intersection_finish(a->merged, NULL, &a->self);
}

static int widen_anew(struct checking *k, const struct cohorts *cohorts,
		      struct abibase_baseline **ret)
{
	struct abibase_intersection *ix = NULL;
	int r = join(k, cohorts, k->p, &ix);

	if (r == 0)
		r = intersection_finish(ix, NULL, ret);
	abibase_intersection_unref(ix);
	return r;
}

/* The baseline with this host in it, in place of an older record of the same host. */
static int widen(struct checking *k, const struct cohorts *cohorts, struct abibase_baseline **ret)
{
	int r = cohorts ? derive_self(k) : 0;

	if (r == 0 && cohorts)
		r = changes_nothing(k);
	if (r > 0)
		*ret = abibase_baseline_ref(k->admission->self);
	else if (r == 0 && cohorts && inputs_host(&k->b->in, k->p->name) < 0)
		r = intersection_finish_with(k->admission->merged, k->p, ret);
	else if (r == 0)
		r = widen_anew(k, cohorts, ret);
	return r < 0 ? r : 0;
}

/* What was found of another host of its kind. */
static void take_known(struct checking *k)
{
	struct abibase_check *c = k->out;
	const struct kind *known = k->kind;

	if (findings_verdict(&c->findings) == ABIBASE_VERDICT_YES || k->b->no_inputs)
		return;
	set_cost(c, known->admissible, known->admit_id);
	if (!known->admissible)
		return;
	json_decref(c->lost);
	json_decref(c->set);
	c->lost = json_incref(known->lost);
	c->set = json_incref(known->set);
}

static void keep_known(struct checking *k, bool satisfies, bool shapes)
{
	const struct abibase_check *c = k->out;
	struct kind *known = k->kind;

	known->shapes[satisfies] = shapes;
	if (!satisfies && !k->b->no_inputs) {
		known->admit_id = c->admit_id ? strdup(c->admit_id) : NULL;
		if (c->admit_id && !known->admit_id)
			return;
		known->admissible = c->admissible;
		known->lost = json_incref(c->lost);
		known->set = json_incref(c->set);
	}
	known->admitted[satisfies] = true;
}

static int look_at_wide(struct checking *k, const struct cohorts *cohorts, bool keep)
{
	bool satisfies = findings_verdict(&k->out->findings) == ABIBASE_VERDICT_YES;
	struct abibase_baseline *wide = NULL;
	bool shapes = false;
	int r = widen(k, cohorts, &wide);

	/* a finding names hosts, and all of them */
	if (r == 0 && cohorts && has_shapes(k, wide)) {
		shapes = true;
		abibase_baseline_unref(steal(&wide));
		r = widen(k, NULL, &wide);
	}
	if (r == 0)
		take_shapes(k, wide);
	if (r == 0 && !k->b->no_inputs &&
	    findings_verdict(&k->out->findings) != ABIBASE_VERDICT_YES)
		take_losses(k, wide);
	if (r == 0 && keep)
		keep_known(k, satisfies, shapes);
	abibase_baseline_unref(wide);
	return r;
}

static int admit(struct checking *k)
{
	bool satisfies = findings_verdict(&k->out->findings) == ABIBASE_VERDICT_YES;
	const struct cohorts *cohorts = cohorts_of(k);
	bool alike = cohorts && k->kind && !is_last(k);

	if (k->b->arch && !streq(k->b->arch, k->p->arch))
		return 0;
	if (!alike || !k->kind->admitted[satisfies])
		return look_at_wide(k, cohorts, alike);
	if (k->kind->shapes[satisfies])
		return look_at_wide(k, NULL, false);
	take_known(k);
	return 0;
}

void admission_clear(struct admission *a)
{
	free(a->cohorts.of);
	abibase_intersection_unref(a->ix);
	abibase_intersection_unref(a->merged);
	abibase_baseline_unref(a->self);
	free(a->seen);
	kinds_clear(&a->kinds);
	guest_classes_clear(&a->classes);
	memset(a, 0, sizeof(*a));
}

/* ---------------------------------------------------------------- each QEMU by itself */

/* As if the host had no other QEMU. */
static int check_with(struct checking *k, const struct build *build, struct abibase_check **ret)
{
	struct abibase_profile *one;
	int r = profile_with_qemu(k->ctx, k->p, build->entry, &one);

	if (r < 0)
		return r;
	r = hostcheck_make(k->ctx, k->cat, k->b, one, k->assume, k->guest, k->admission, ret);
	abibase_profile_unref(one);
	return r;
}

static void say_alone(struct checking *k, const struct build *build, enum abibase_verdict verdict)
{
	static const char *const words[] = { "satisfies", "does not satisfy", "",
					     "cannot be told" };

	add(k, ABIBASE_FINDING_NOTE, "qemu-alone", "QEMU", NULL,
	    verdict == ABIBASE_VERDICT_YES ?
		    "take the other QEMUs away from there, and probe the host again" :
		    NULL,
	    "%s with %s alone: %s", k->p->name, here(k, build), words[verdict]);
}

/* Not all of its QEMUs do: which ones would? */
static int check_each(struct checking *k)
{
	enum abibase_verdict verdict = findings_verdict(&k->out->findings), alone[MAX_QEMUS];
	size_t n = k->alone->n_used;
	bool differ = false;

	if (verdict == ABIBASE_VERDICT_YES || n < 2 || n > MAX_QEMUS)
		return 0;
	for (size_t u = 0; u < n; u++) {
		struct abibase_check *c;
		int r = check_with(k, k->alone->used[u].build, &c);

		if (r < 0)
			return r;
		alone[u] = c->verdict;
		differ |= c->verdict != verdict;
		hostcheck_free(c);
	}
	for (size_t u = 0; differ && u < n; u++)
		say_alone(k, k->alone->used[u].build, alone[u]);
	return 0;
}

/* --------------------------------------------------------------------------------- */

/* Where a QEMU is assumed the name of a host is a part of its answer. */
static int find_kind(struct checking *k)
{
	if (k->b->in.policy.assume.n || (k->assume && k->assume->n))
		return 0;
	return kinds_find(k->ctx, &k->admission->kinds, k->cat, k->p, &k->kind);
}

static bool has_record(const struct abibase_profile *p)
{
	for (size_t i = 0; i < p->n_qemu; i++)
		if (p->qemu[i].record)
			return true;
	return false;
}

/* Whoever starts a guest by its command line is told nothing where the host satisfies. */
static int check_records(struct checking *k)
{
	struct guest_classes *classes = &k->admission->classes;
	int r = 0;

	if (!has_record(k->p) || (k->guest && json_object_get(k->guest->root, GUEST_X_MACHINE)))
		return 0;
	if (k->guest && !classes->patterns)
		r = guest_classes_find(k->ctx, k->guest, classes);
	return r < 0 ? r :
		       hostcheck_records(k->ctx, k->out, k->cat, k->b, k->p, classes->patterns);
}

/* It is about builds and not about names: where nothing is found of the first of a kind, nothing is. */
static int check_rehearsed(struct checking *k)
{
	size_t before = k->out->findings.n;
	int r = 0;

	if (!k->kind || !k->kind->unrehearsed)
		r = hostcheck_rehearsed(k->ctx, k->out, k->cat, k->b, k->p, k->guest);
	if (r == 0 && k->kind && k->out->findings.n == before)
		k->kind->unrehearsed = true;
	return r;
}

/* A guest about which the baseline says nothing has other devices. */
static int check_others(struct checking *k)
{
	int r = hostcheck_rehearsed(k->ctx, k->out, k->cat, k->b, k->p, k->guest);

	if (r == 0)
		r = check_records(k);
	k->out->verdict = findings_verdict(&k->out->findings);
	return r < 0 || !k->out->arena.failed ? r : -ENOMEM;
}

static int run(struct checking *k)
{
	bool newer;
	int r;

	if (k->guest && !hostcheck_guest(k->out, k->cat, k->b, k->guest))
		return check_others(k);
	link_values(k->cat, k->b, &k->out->arena, &k->links);
	if (!k->admission->seen)
		k->admission->seen = calloc(k->cat->n_rows + 1, sizeof(*k->admission->seen));
	r = k->out->arena.failed || !k->admission->seen ? -ENOMEM : find_kind(k);
	if (r == 0)
		r = derive_alone(k);
	if (r < 0)
		return r;
	check_arch(k);
	take_findings(k);
	newer = check_newer(k);
	check_values(k);
	check_requirements(k);
	check_unset(k);
	check_errata(k);
	if (k->guest)
		hostcheck_guest_sets(k->out, k->cat, k->b, k->p, k->alone, k->guest);
	r = check_offers(k);
	if (r == 0)
		r = check_rehearsed(k);
	if (r == 0)
		r = check_records(k);
	if (r == 0 && !newer)
		r = admit(k);
	if (r == 0)
		r = check_each(k);
	make_lists(k);
	k->out->verdict = findings_verdict(&k->out->findings);
	k->out->cost_unknown = k->out->verdict != ABIBASE_VERDICT_YES &&
			       (newer || k->b->no_inputs);
	return r < 0 || !k->out->arena.failed ? r : -ENOMEM;
}

struct abibase_check_request {
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	struct abibase_baseline *b;
	struct strings assume;
	struct abibase_guest *guest; /* NULL: any */
	struct admission admission;
	struct abibase_check **checks, *last; /* that was added */
	size_t n, cap;
};

ABIBASE_EXPORT int abibase_check_request_new(struct abibase_context *ctx,
					     struct abibase_catalogue *cat,
					     struct abibase_baseline *b,
					     struct abibase_check_request **ret)
{
	struct abibase_check_request *q;
	int r = inputs_check_builds(ctx, &b->in, cat);

	if (r < 0)
		return r;
	q = calloc(1, sizeof(*q));
	if (!q)
		return context_oom(ctx);
	q->ctx = abibase_context_ref(ctx);
	q->cat = abibase_catalogue_ref(cat);
	q->b = abibase_baseline_ref(b);
	*ret = q;
	return 0;
}

ABIBASE_EXPORT struct abibase_check_request *
abibase_check_request_unref(struct abibase_check_request *q)
{
	if (!q)
		return NULL;
	for (size_t i = 0; i < q->n; i++)
		hostcheck_free(q->checks[i]);
	free(q->checks);
	admission_clear(&q->admission);
	strings_clear(&q->assume);
	abibase_guest_unref(q->guest);
	abibase_baseline_unref(q->b);
	abibase_catalogue_unref(q->cat);
	abibase_context_unref(q->ctx);
	free(q);
	return NULL;
}

ABIBASE_EXPORT int abibase_check_request_assume_qemu(struct abibase_check_request *q,
						     const char *host)
{
	return strings_insert(&q->assume, host) < 0 ? context_oom(q->ctx) : 0;
}

ABIBASE_EXPORT void abibase_check_request_set_guest(struct abibase_check_request *q,
						    struct abibase_guest *g)
{
	guest_ref(g);
	abibase_guest_unref(q->guest);
	q->guest = g;
}

int hostcheck_make(struct abibase_context *ctx, struct abibase_catalogue *cat,
		   const struct abibase_baseline *b, const struct abibase_profile *p,
		   const struct strings *assume, const struct abibase_guest *guest,
		   struct admission *admission, struct abibase_check **ret)
{
	struct admission own = { 0 };
	struct checking k = { .ctx = ctx, .cat = cat, .b = b, .assume = assume, .guest = guest,
			      .admission = admission ? admission : &own };
	struct abibase_profile *current;
	int r;

	if (b->verdict != ABIBASE_VERDICT_YES)
		return baseline_refuse(ctx, b);
	r = profile_current(ctx, cat, p, &current);
	if (r < 0)
		return r;
	k.p = current;
	k.backends = guest ? guest_backends(cat, guest, &k.named) : ~0u;
	k.out = hostcheck_new(p->name);
	r = k.out ? run(&k) : -ENOMEM;
	abibase_baseline_unref(k.alone);
	abibase_profile_unref(current);
	admission_clear(&own);
	if (r < 0) {
		hostcheck_free(k.out);
		return r == -ENOMEM ? context_oom(ctx) : r;
	}
	*ret = k.out;
	return 0;
}

ABIBASE_EXPORT int abibase_check_request_add_profile(struct abibase_check_request *q,
						     const struct abibase_profile *p)
{
	int r;

	if (array_grow(&q->checks, q->n, &q->cap, sizeof(struct abibase_check *)) < 0)
		return context_oom(q->ctx);
	r = hostcheck_make(q->ctx, q->cat, q->b, p, &q->assume, q->guest, &q->admission,
			   &q->checks[q->n]);
	if (r < 0)
		return r;
	q->last = q->checks[q->n++];
	memcpy(q->last->digest, p->digest, sizeof(q->last->digest));
	return 0;
}

/* Of the sorted hosts: one that is given again counts once. */
static int drop_twins(struct abibase_check_request *q)
{
	size_t n = 0;
	int twin = 0;

	for (size_t i = 0; i < q->n; i++) {
		struct abibase_check *c = q->checks[i], *last = n ? q->checks[n - 1] : NULL;

		if (last && twin >= 0)
			twin = hosts_twin(q->ctx, last->host, last->digest, c->host, c->digest);
		if (twin <= 0) {
			q->checks[n++] = c;
			continue;
		}
		if (q->last == c)
			q->last = last;
		hostcheck_free(c);
	}
	q->n = n;
	return twin < 0 ? twin : 0;
}

static bool is_host(const void *of, const char *name)
{
	const struct abibase_check_request *q = of;

	for (size_t i = 0; i < q->n; i++)
		if (streq(q->checks[i]->host, name))
			return true;
	return false;
}

static int cmp_host(const void *a, const void *b)
{
	return strcmp((*(struct abibase_check *const *)a)->host,
		      (*(struct abibase_check *const *)b)->host);
}

ABIBASE_EXPORT int abibase_check_request_run(struct abibase_check_request *q,
					     struct abibase_result **ret)
{
	int r = hosts_check_names(q->ctx, &q->assume, ASSUMED_HOST, is_host, q);

	if (r == 0 && !q->n)
		r = context_fail(q->ctx, EINVAL, "no-hosts", NULL, "there is no host to check");
	/* the same hosts are the same bytes, in whatever order they came */
	if (q->n > 1)
		qsort(q->checks, q->n, sizeof(*q->checks), cmp_host);
	if (r == 0)
		r = drop_twins(q);
	return r < 0 ? r :
		       hostchecks_give(q->ctx, q->b, q->checks, q->n, ret);
}

/* Pointers and words in one block, so that one free() releases all of it. */
static char **pack_args(const char *const *settings)
{
	size_t n = 0, size = 0;
	char **args, *word;

	for (; settings[n]; n++)
		size += sizeof("-global") + strlen(settings[n]) + 1;
	args = malloc((2 * n + 1) * sizeof(*args) + size);
	if (!args)
		return NULL;
	word = (char *)(args + 2 * n + 1);
	for (size_t i = 0; i < n; i++) {
		args[2 * i] = word;
		word = stpcpy(word, "-global") + 1;
		args[2 * i + 1] = word;
		word = stpcpy(word, settings[i]) + 1;
	}
	args[2 * n] = NULL;
	return args;
}

int hostcheck_args(const struct abibase_check *c, const char *qemu_path, char ***ret)
{
	for (size_t i = 0; i < c->n_lists; i++) {
		char **args;

		if (!streq(c->lists[i].path, qemu_path))
			continue;
		args = pack_args(c->lists[i].settings);
		if (!args)
			return -ENOMEM;
		*ret = args;
		return 0;
	}
	return -ENOENT;
}

ABIBASE_EXPORT int abibase_check_request_args(const struct abibase_check_request *q,
					      const char *qemu_path, char ***ret)
{
	return q->last ? hostcheck_args(q->last, qemu_path, ret) : -ENOENT;
}
