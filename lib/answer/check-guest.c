/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer/check.h"
#include "base/known.h"
#include "document/cpu.h"
#include "model/predict.h"

/* A guest beside a baseline: what of the baseline it needs, and what it sets itself. */

bool guest_has_rom(const struct abibase_guest *g)
{
	bool any = false;

	for (size_t i = 0; i < g->n; i++) {
		if (!streq(g->devices[i].class_name, NET_DEVICE))
			continue;
		if (g->devices[i].rom_size != 0)
			return true;
		any = true;
	}
	return !any;
}

static const char *name_of(const struct guest_device *d)
{
	return d->id ? d->id : d->class_name;
}

static bool has_backend(const struct abibase_baseline *b, const char *name)
{
	for (size_t i = 0; i < b->in.n_backends; i++)
		if (b->in.policy.backends & (1u << i) && streq(b->in.backends[i], name))
			return true;
	return false;
}

static _printf_(6, 7) void add(struct abibase_check *c, enum abibase_finding_kind kind,
			       const char *id, const struct value *v, const char *remedy,
			       const char *fmt, ...)
{
	struct finding f = { .kind = kind, .id = id, .layer = "guest", .remedy = remedy,
			     .feature = v ? v->feature : NULL, .bit = v ? v->bit : -1 };
	va_list ap;

	va_start(ap, fmt);
	hostcheck_vsay(c, f, fmt, ap);
	va_end(ap);
}

static void check_backend(struct abibase_check *c, const struct abibase_catalogue *cat,
			  const struct abibase_baseline *b, const struct guest_device *d)
{
	int be = guest_device_backend(cat, d);

	if (be < 0) {
		add(c, ABIBASE_FINDING_UNKNOWN, "guest-unknown", NULL,
		    "say so with --backend, or take the XML of the domain while it runs",
		    "%s: on what %s of the guest lies is not stated", c->host, name_of(d));
		return;
	}
	if (be < MAX_BACKENDS && (cat->backends[be].predicted_only || has_backend(b, d->backend)))
		return;
	add(c, ABIBASE_FINDING_CONFLICT, "guest-not-covered", NULL,
	    "make a baseline for that backend or device as well",
	    "%s: %s of the guest lies on %s, about which the baseline says nothing", c->host,
	    name_of(d), d->backend);
}

/* An option of the device goes before the list of the baseline. */
static void check_setting(struct abibase_check *c, const struct guest_device *d,
			  const struct value *v, const char *key, bool on)
{
	if (v->on == on)
		return;
	add(c, on ? ABIBASE_FINDING_CONFLICT : ABIBASE_FINDING_NOTE, "guest-sets", v,
	    on ? "take the setting out of the guest" : NULL,
	    on ? "%s: %s of the guest turns %s (%s) on itself, which the baseline has off: not "
		 "every host offers it"
	       : "%s: %s of the guest turns %s (%s) off itself, whatever the baseline has",
	    c->host, name_of(d), key, v->feature);
}

static void check_device(struct abibase_check *c, const struct abibase_catalogue *cat,
			 const struct abibase_baseline *b, const struct guest_device *d)
{
	const char *key;
	json_t *on;

	check_backend(c, cat, b, d);
	json_object_foreach((json_t *)d->properties, key, on) {
		int row = catalogue_row(cat, key);
		const struct value *v = row < 0 ? NULL :
						  baseline_value(b, cat->rows[row].class_name,
								 cat->rows[row].property);

		if (v && !v->is_number)
			check_setting(c, d, v, key, json_is_true(on));
	}
}

/* Is it not stated of a device on what it lies? */
static bool is_unstated(const struct abibase_catalogue *cat, const struct abibase_guest *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (guest_device_backend(cat, &g->devices[i]) < 0)
			return true;
	return false;
}

static bool has_any(const struct abibase_catalogue *cat, const struct abibase_baseline *b,
		    unsigned int backends)
{
	for (size_t be = 0; be < cat->n_backends; be++)
		if (backends & (1u << be) && has_backend(b, cat->backends[be].name))
			return true;
	return false;
}

bool hostcheck_unjudged(struct abibase_check *c, const struct abibase_baseline *b,
			const struct abibase_guest *g)
{
	const char *word;
	bool any = false;

	for (size_t i = 0; (word = guest_unjudged(g, i)); i++) {
		if (baseline_sets(b, word))
			continue;
		any = true;
		add(c, ABIBASE_FINDING_UNKNOWN, "guest-unknown", NULL, GUEST_UNJUDGED_REMEDY,
		    "%s: the guest has %s, and what that does to its devices is not judged",
		    c->host, word);
	}
	return any;
}

void hostcheck_cpu(struct abibase_check *c, const struct abibase_guest *g)
{
	_buf_ text = { 0 }, remedy = { 0 };

	if (!cpu_write_guest(g, &text, &remedy))
		return;
	add(c, ABIBASE_FINDING_NOTE, "guest-cpu", NULL, arena_words(&c->arena, &remedy), "%s: %s",
	    c->host, arena_words(&c->arena, &text));
}

bool hostcheck_guest(struct abibase_check *c, const struct abibase_catalogue *cat,
		     const struct abibase_baseline *b, const struct abibase_guest *g)
{
	bool unjudged = hostcheck_unjudged(c, b, g), unstated = is_unstated(cat, g), named;
	unsigned int backends = guest_backends(cat, g, &named);

	hostcheck_cpu(c, g);
	/* where no host decides about any of its devices it can start on all */
	if (!backends && !unstated) {
		if (!unjudged)
			add(c, ABIBASE_FINDING_NOTE, "guest-without", NULL, NULL,
			    "%s: the guest has no device that the baseline is about", c->host);
		return false;
	}
	if (g->machine && !streq(g->machine, b->machine)) {
		add(c, ABIBASE_FINDING_CONFLICT, "guest-differs", NULL,
		    "take the baseline of that machine type",
		    "%s: the guest has the machine type %s, and the baseline is for %s", c->host,
		    g->machine, b->machine);
	}
	for (size_t i = 0; i < g->n; i++)
		check_device(c, cat, b, &g->devices[i]);
	/* of devices on backends that the baseline does not have there is no more to say */
	return unstated || has_any(cat, b, backends);
}

/* ------------------------------------------- what it sets, and the baseline does not have */

struct guest_setting {
	struct abibase_check *c;
	const struct guest_device *d;
	const struct row *row;
};

static void say_set(const struct guest_setting *s, enum abibase_finding_kind kind,
		    const char *remedy, const char *why)
{
	struct finding f = { .kind = kind, .id = "guest-sets", .layer = "guest",
			     .feature = s->row->feature, .bit = s->row->bit, .remedy = remedy };

	hostcheck_say(s->c, f, "%s: %s of the guest turns %s (%s) on itself, and %s", s->c->host,
		      name_of(s->d), s->row->key, s->row->feature, why);
}

/* One QEMU, on one backend */
static void ask_set(const struct guest_setting *s, const struct predictor *pr)
{
	static const char take_out[] = "take the setting out of the guest";
	struct ask a = predictor_ask(pr);
	bool is_host = !pr->cat->backends[pr->backend].predicted_only;
	struct predicted p;
	struct stand is;
	const char *why;

	predict_row(pr, s->row, &p);
	ask_needs(&a, &s->row->needs[pr->backend], &is);
	if (p.knows == ABIBASE_NO)
		return say_set(s, ABIBASE_FINDING_CONFLICT, take_out,
			       "its QEMU there does not have the property");
	if (is_host && is.can == ABIBASE_NO)
		return say_set(s, ABIBASE_FINDING_CONFLICT, is.no.c ? is.no.c->remedy : take_out,
			       is.no.c ? is.no.c->missing : "its QEMU there never offers it");
	if (p.knows == ABIBASE_UNKNOWN || !(s->row->backends & (1u << pr->backend)))
		why = "whether its QEMU there has the property is not recorded";
	else if (is_host && is.can == ABIBASE_UNKNOWN)
		why = arena_printf(&s->c->arena, "%s is unknown there (%s)", is.unknown.c->name,
				   is.unknown.reason);
	else
		return;
	say_set(s, ABIBASE_FINDING_UNKNOWN, "probe this host again, with the rights that it takes",
		why);
}

/* Every QEMU of the host, on every backend that the device may get there */
static void check_set(const struct guest_setting *s, struct predictor *pr,
		      const struct abibase_baseline *alone)
{
	struct ask a = { .cat = pr->cat, .p = pr->p };
	unsigned int mask = ask_lies_on(&a, (size_t)guest_device_backend(pr->cat, s->d),
					guest_states(s->d, GUEST_VHOST_OPTIONAL) == ABIBASE_YES);

	for (size_t u = 0; u < alone->n_used; u++) {
		qemu_view_init(&pr->view, pr->cat, baseline_entry(alone, u), alone->machine);
		for (pr->backend = 0; pr->backend < pr->cat->n_backends; pr->backend++)
			if (mask & (1u << pr->backend))
				ask_set(s, pr);
	}
}

static void check_mtu(const struct guest_setting *s, const struct abibase_profile *p)
{
	int64_t limit = profile_number(p, s->row->limit);
	enum abibase_tri can = ask_limit(limit, s->d->mtu);

	if (can == ABIBASE_UNKNOWN)
		add(s->c, ABIBASE_FINDING_UNKNOWN, "guest-sets", NULL,
		    "state the fact in the profile of that host",
		    "%s: %s of the guest is told %lld (%s), and whether that is possible there is "
		    "not stated (%s)",
		    s->c->host, name_of(s->d), (long long)s->d->mtu, s->row->key, s->row->limit);
	if (can == ABIBASE_NO)
		add(s->c, ABIBASE_FINDING_CONFLICT, "guest-sets", NULL, "raise it on that host",
		    "%s: %s of the guest is told %lld (%s), and there it is %lld (%s)", s->c->host,
		    name_of(s->d), (long long)s->d->mtu, s->row->key, (long long)limit,
		    s->row->limit);
}

void hostcheck_guest_sets(struct abibase_check *c, const struct abibase_catalogue *cat,
			  const struct abibase_baseline *b, const struct abibase_profile *p,
			  const struct abibase_baseline *alone, const struct abibase_guest *g)
{
	struct predictor pr = { .cat = cat, .p = p };

	for (size_t i = 0; i < g->n; i++) {
		const struct guest_device *d = &g->devices[i];
		int be = guest_device_backend(cat, d);

		for (size_t k = 0; be >= 0 && be < MAX_BACKENDS && k < cat->n_rows; k++) {
			const struct row *row = &cat->rows[k];
			struct guest_setting s = { c, d, row };

			if (row->limit && d->mtu >= 0 && streq(row->class_name, d->class_name) &&
			    !cat->backends[be].predicted_only)
				check_mtu(&s, p);
			/* the baseline's own are held against it */
			if (json_is_true(json_object_get(d->properties, row->key)) &&
			    !baseline_value(b, row->class_name, row->property))
				check_set(&s, &pr, alone);
		}
	}
}
