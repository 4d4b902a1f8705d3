/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "context.h"
#include "baseline.h"
#include "check.h"
#include "guest.h"
#include "predict.h"
#include "show.h"

/*
 * Can this host take this running guest? Measured in migrations: it can when what the guest
 * negotiated is a subset of what the device there would offer, and when what the stream carries
 * fits: machine type, queue sizes, and the backend's state that no property masks. The target is
 * taken to be started with the -device options of the source, which is where a feature comes from
 * that is off by default and was negotiated all the same.
 */

/* What every network carries */
#define ETHERNET_MTU 1500

/* One guest, and one QEMU of one host that may take it. */

struct abibase_targets {
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	struct abibase_guest *guest;
	struct abibase_baseline *baseline; /* NULL: no list of options */
	struct abibase_profile *source;	   /* NULL: not known */
	char *backend;			   /* NULL: that of the guest */
	struct abibase_profile **hosts;
	size_t n, cap;
};

struct move {
	enum abibase_move kind;
	struct abibase_check *check;
	char *version, *path, *package; /* of the QEMU that was judged; NULL: not stated */
	struct strings rescue;	 /* without these the guest does not get in */
	struct strings door;	 /* with these no feature shuts the way back */
	bool door_shut;		 /* something else shuts it */
	struct strings carry_on; /* the whole device, as explicit values */
	struct strings gains;	 /* features that come with the next reset */
	enum abibase_tri way_back;
	char *way_back_text; /* or NULL */
};

/* One QEMU of one host under judgement. */
struct judging {
	const struct abibase_targets *t;
	const struct abibase_profile *p;
	const json_t *entry; /* its record; NULL: any upstream QEMU */
	struct predictor pr;
	struct strings base; /* the settings that the target gets anyway */
	struct move *m;
	uint64_t negotiated[2]; /* of all devices */
};

struct abibase_moves {
	int refcount;
	struct abibase_guest *guest;
	bool with_list; /* the targets get that of a baseline anyway */
	struct move *moves;
	size_t n;
};

/* What a device offers: for sure, and as far as is known. */
struct offered {
	bool known;
	uint64_t yes[2], maybe[2];
};

/* ----------------------------------------------------------------------- words */

/* A running guest keeps what it negotiated. */
#define RESTART "; or power the guest off and on with the list of a baseline that has this host"
/* The lists are beside the findings. */
#define SWITCH_ON "start the target there with the -global options that turn it on"
#define SET_VALUE "start the target there with the -global option that sets it"

static int say(struct judging *j, enum abibase_finding_kind kind, const char *id, const char *layer,
	     const struct row *row, const char *remedy, struct buf *text)
{
	struct check_finding f = { .kind = kind,
				   .id = (char *)id,
				   .layer = (char *)layer,
				   .remedy = (char *)remedy,
				   .property = row ? row->key : NULL,
				   .feature = row ? (char *)row->feature : NULL,
				   .bit = row ? row->bit : -1 };

	return hostcheck_add(j->m->check, &f, text);
}

static int unknown(struct judging *j, const char *id, const char *layer, const struct row *row,
		   const char *remedy, struct buf *text)
{
	return say(j, ABIBASE_FINDING_UNKNOWN, id, layer, row, remedy, text);
}

static int conflict(struct judging *j, const char *id, const char *layer, const struct row *row,
		    const char *remedy, struct buf *text)
{
	return say(j, ABIBASE_FINDING_CONFLICT, id, layer, row, remedy, text);
}

static void write_qemu(const struct judging *j, struct buf *out)
{
	if (!j->m->version) {
		buf_puts(out, "the QEMU there");
		return;
	}
	buf_printf(out, "QEMU %s", j->m->version);
	if (j->m->package && *j->m->package)
		buf_printf(out, " (%s)", j->m->package);
}

/*
 * A feature of the guest is in the way, or may be. What comes of one cause is shown as one; the cause
 * is taken.
 */
static int because(struct judging *j, const struct guest_device *d, struct check_finding f,
		   const struct row *row, struct buf *cause)
{
	_buf_ text = { 0 };
	int r;

	buf_printf(&text, "%s: %s: ", j->p->name, f.layer);
	buf_printf(&text, "%s: %s%s (bit %d), which the guest %s, %s", cause->data ? cause->data : "",
		   f.kind == ABIBASE_FINDING_UNKNOWN ? "whether " : "", row->feature, row->bit,
		   d->has_negotiated ? "took" : "may have taken",
		   f.kind == ABIBASE_FINDING_UNKNOWN ? "is offered there cannot be told" :
						       "is not offered there");
	if (buf_failed(cause))
		return -ENOMEM;
	f.cause = cause->data;
	f.property = row->key;
	f.feature = (char *)row->feature;
	f.bit = row->bit;
	r = hostcheck_add(j->m->check, &f, &text);
	buf_clear(cause);
	return r;
}

static int lacks(struct judging *j, const struct guest_device *d, const struct row *row,
		 const char *layer, const char *remedy, struct buf *cause)
{
	return because(j, d,
		       (struct check_finding){ .kind = ABIBASE_FINDING_CONFLICT,
					       .id = (char *)"move-lacks",
					       .layer = (char *)layer,
					       .remedy = (char *)remedy },
		       row, cause);
}

static int may_lack(struct judging *j, const struct guest_device *d, const struct row *row,
		    const char *layer, const char *remedy, struct buf *cause)
{
	return because(j, d,
		       (struct check_finding){ .kind = ABIBASE_FINDING_UNKNOWN,
					       .id = (char *)"move-unknown",
					       .layer = (char *)layer,
					       .remedy = (char *)remedy },
		       row, cause);
}

/* ------------------------------------------------------------------ what is offered */

static enum abibase_tri both(enum abibase_tri a, enum abibase_tri b)
{
	if (a == ABIBASE_NO || b == ABIBASE_NO)
		return ABIBASE_NO;
	return a == ABIBASE_YES && b == ABIBASE_YES ? ABIBASE_YES : ABIBASE_UNKNOWN;
}

/*
 * An opt-in feature that the guest has was asked for with -device, and the target is started with
 * the same options: a QEMU that knows the property has it on.
 */
static void judge_row(const struct predictor *pr, const struct row *row,
		      const uint64_t negotiated[2], struct predicted *ret)
{
	predict_row(pr, row, ret);
	if (row->pin == PIN_OPT_IN && row->bit >= 0 && word_has(negotiated, row->bit) &&
	    !ret->by_setting)
		ret->on = ret->knows;
}

static bool is_of(const struct row *row, const struct guest_device *d)
{
	return row->bit >= 0 && streq(row->class_name, d->class_name);
}

/* Backends that devices of this class can lie on, a mask. */
static unsigned int backends_of(const struct abibase_catalogue *cat, const struct guest_device *d)
{
	unsigned int mask = 0;

	for (size_t i = 0; i < cat->n_rows; i++)
		if (is_of(&cat->rows[i], d))
			mask |= cat->rows[i].backends;
	return mask;
}

/* The one of @name, or where none is named the only one that there is; -1: not known */
static int choose_backend(const struct abibase_catalogue *cat, const struct guest_device *d,
			  const char *name)
{
	unsigned int mask = backends_of(cat, d);
	int be = name ? catalogue_backend(cat, name) : -1;

	if (be >= 0 && mask & (1u << be))
		return be;
	return mask && !(mask & (mask - 1)) ? __builtin_ctz(mask) : -1;
}

static void offer_bit(struct offered *o, int bit, enum abibase_tri offers)
{
	if (offers == ABIBASE_YES)
		o->yes[bit / 64] |= (uint64_t)1 << (bit % 64);
	if (offers != ABIBASE_NO)
		o->maybe[bit / 64] |= (uint64_t)1 << (bit % 64);
}

/* All of it, the legacy bits too: a guest may have taken them. */
static void offer(const struct predictor *pr, const struct guest_device *d,
		  const uint64_t negotiated[2], struct offered *ret)
{
	const struct abibase_catalogue *cat = pr->cat;
	bool modern = true;

	memset(ret, 0, sizeof(*ret));
	ret->known = true;
	for (size_t i = 0; i < cat->n_rows; i++) {
		struct predicted p;

		if (!is_of(&cat->rows[i], d))
			continue;
		judge_row(pr, &cat->rows[i], negotiated, &p);
		offer_bit(ret, cat->rows[i].bit, both(p.on, p.can));
	}
	for (size_t i = 0; i < cat->n_requirements; i++) {
		const struct requirement *q = &cat->requirements[i];
		struct predicted p = { 0 };

		if (q->bit < 0 || !(q->backends & (1u << pr->backend)))
			continue;
		predict_needs(pr, &q->needs[pr->backend], &p);
		offer_bit(ret, q->bit, p.can);
		modern &= q->bit != 32 || p.can != ABIBASE_NO;
	}
	if (!modern) { /* a legacy device has 32 bits */
		ret->yes[0] &= 0xffffffff;
		ret->maybe[0] &= 0xffffffff;
		ret->yes[1] = ret->maybe[1] = 0;
	}
}

/* ----------------------------------------------------------------- lists of settings */

/* What this QEMU gets of a baseline: what it knows. */
static int baseline_settings(const struct abibase_baseline *b, const struct predictor *pr,
			     struct strings *ret)
{
	for (size_t i = 0; b && i < b->n_values; i++) {
		const struct value *v = &b->values[i];
		_autofree_ char *s = NULL, *key = NULL;
		struct effective e;
		int r;

		if (asprintf(&key, "%s.%s", v->class_name, v->property) < 0) {
			key = NULL;
			return -ENOMEM;
		}
		r = catalogue_row(pr->cat, key);
		if (r >= 0) {
			qemu_effective(&pr->view, &pr->cat->rows[r], &e);
			if (e.known == ABIBASE_NO)
				continue;
		}
		if (asprintf(&s, "%s=%s", key, v->text) < 0) {
			s = NULL;
			return -ENOMEM;
		}
		if (strings_insert(ret, s) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int list_value(struct strings *list, const struct row *row, const char *value)
{
	_autofree_ char *s = NULL;

	if (asprintf(&s, "%s=%s", row->key, value) < 0) {
		s = NULL;
		return -ENOMEM;
	}
	return strings_insert(list, s);
}

static int list_row(struct strings *list, const struct row *row, bool on)
{
	return list_value(list, row, setting_words[on]);
}

static bool is_listed(const struct strings *list, const struct row *row)
{
	const char *value;

	for (size_t i = 0; i < list->n; i++)
		if (setting_is(list->s[i], row, &value))
			return true;
	return false;
}

/* Several lists as one, for a predictor: later ones win. For free(), the words are not copied. */
static const char **join(const struct strings *a, const struct strings *b, const struct strings *c)
{
	const struct strings *lists[] = { a, b, c };
	const char **all = calloc(a->n + b->n + c->n + 1, sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; all && i < ARRAY_SIZE(lists); i++)
		for (size_t k = 0; k < lists[i]->n; k++)
			all[n++] = lists[i]->s[k];
	return all;
}

/* ------------------------------------------------------------ a feature that is missing */

/* Can a -global on the target bring it? */
static bool is_switch(const struct row *row, const struct predicted *p)
{
	return row->boolean && row->bit_when == BIT_TRUE && p->knows == ABIBASE_YES;
}

static int say_switched_off(struct judging *j, const struct guest_device *d, const struct row *row,
			    const struct predicted *p)
{
	struct check_finding f = { .kind = ABIBASE_FINDING_CONFLICT,
				   .id = (char *)"move-switched-off",
				   .layer = (char *)(p->by_setting ? "baseline" : "machine type"),
				   .remedy = (char *)SWITCH_ON,
				   .by_list = true };
	_buf_ cause = { 0 };

	if (p->by_setting)
		buf_puts(&cause, "its list turns it off");
	else {
		write_qemu(j, &cause);
		buf_printf(&cause, p->on == ABIBASE_NO ?
					   " has it off under %s, though kernel and QEMU can do it" :
					   " may have it off under %s, which is not recorded",
			   j->pr.view.machine);
	}
	if (list_row(&j->m->rescue, row, true) < 0)
		return -ENOMEM;
	return because(j, d, f, row, &cause);
}

static int say_no_property(struct judging *j, const struct guest_device *d, const struct row *row)
{
	_buf_ cause = { 0 };

	write_qemu(j, &cause);
	buf_puts(&cause, " does not have the property");
	return lacks(j, d, row, "QEMU", "install a QEMU there that has the property" RESTART, &cause);
}

static int say_never(struct judging *j, const struct guest_device *d, const struct row *row)
{
	_buf_ cause = { 0 };

	write_qemu(j, &cause);
	buf_printf(&cause, " never offers it on %s", j->pr.cat->backends[j->pr.backend].name);
	return lacks(j, d, row, "QEMU", "use another backend or another QEMU there" RESTART, &cause);
}

/* Each fact that is in the way, not the first alone. */
static int say_lacks(struct judging *j, const struct guest_device *d, const struct row *row,
		     const struct needs *needs)
{
	for (size_t i = 0; i < needs->n; i++) {
		const struct need *need = &needs->need[i];
		const struct condition *c;
		_autofree_ char *remedy = NULL;
		_buf_ cause = { 0 };

		if (!need_applies(&j->pr.view, need) || need->condition == NEED_NEVER)
			continue;
		c = &j->pr.cat->conditions[need->condition];
		if (profile_ask(j->p, c->fact, c->bit, NULL) != ABIBASE_NO)
			continue;
		buf_puts(&cause, c->missing);
		if (asprintf(&remedy, "%s" RESTART, c->remedy) < 0) {
			remedy = NULL;
			return -ENOMEM;
		}
		if (lacks(j, d, row, c->layer, remedy, &cause) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int say_fact_unknown(struct judging *j, const struct guest_device *d, const struct row *row,
			    const struct predicted *p)
{
	_buf_ cause = { 0 };

	buf_printf(&cause, "%s is unknown there (%s)", p->unknown->name, p->reason);
	return may_lack(j, d, row, p->unknown->layer, unknown_remedy(p->reason), &cause);
}

static int say_value_unknown(struct judging *j, const struct guest_device *d,
			     const struct row *row)
{
	_buf_ cause = { 0 };

	buf_puts(&cause, "what ");
	write_qemu(j, &cause);
	buf_printf(&cause, " makes of the property under %s is not recorded", j->pr.view.machine);
	return may_lack(j, d, row, "QEMU", "probe this host again", &cause);
}

static int say_row(struct judging *j, const struct guest_device *d, const struct row *row,
		   const struct predicted *p)
{
	if (p->knows == ABIBASE_NO)
		return say_no_property(j, d, row);
	if (p->never)
		return say_never(j, d, row);
	if (p->can == ABIBASE_NO)
		return say_lacks(j, d, row, &row->needs[j->pr.backend]);
	if (p->can == ABIBASE_UNKNOWN && say_fact_unknown(j, d, row, p) < 0)
		return -ENOMEM;
	if (p->on == ABIBASE_YES)
		return 0;
	if (is_switch(row, p))
		return say_switched_off(j, d, row, p);
	return p->on == ABIBASE_NO ? say_no_property(j, d, row) : say_value_unknown(j, d, row);
}

/* No property switches the bit of a requirement. */
static int judge_bit_required(struct judging *j, const struct requirement *q)
{
	struct predicted p = { 0 };
	_buf_ text = { 0 };

	predict_needs(&j->pr, &q->needs[j->pr.backend], &p);
	if (p.can == ABIBASE_YES)
		return 0;
	if (p.can == ABIBASE_UNKNOWN) {
		buf_printf(&text, "%s: whether %s has %s, which the guest took, is unknown: %s (%s)",
			   j->p->name, p.unknown->layer, q->feature, p.unknown->name, p.reason);
		return unknown(j, "move-unknown", p.unknown->layer, NULL, unknown_remedy(p.reason),
			       &text);
	}
	buf_printf(&text, "%s: the guest took %s (bit %d), and it does not hold there that %s",
		   j->p->name, q->feature, q->bit, q->text);
	return conflict(j, "move-lacks", "backend", NULL, q->remedy, &text);
}

/*
 * Rows that share a bit: one of them is enough. With none of them on, what is said is of that which
 * comes nearest.
 */
static int judge_bit(struct judging *j, const struct guest_device *d, int bit,
		     const uint64_t negotiated[2])
{
	const struct abibase_catalogue *cat = j->pr.cat;
	const struct row *best = NULL;
	struct predicted of_best = { 0 }, p;
	_buf_ text = { 0 };

	for (size_t i = 0; i < cat->n_rows; i++) {
		if (!is_of(&cat->rows[i], d) || cat->rows[i].bit != bit)
			continue;
		judge_row(&j->pr, &cat->rows[i], negotiated, &p);
		if (both(p.on, p.can) == ABIBASE_YES)
			return 0;
		if (!best || (both(of_best.on, of_best.can) == ABIBASE_NO &&
			      both(p.on, p.can) == ABIBASE_UNKNOWN)) {
			best = &cat->rows[i];
			of_best = p;
		}
	}
	if (best)
		return say_row(j, d, best, &of_best);
	for (size_t i = 0; i < cat->n_requirements; i++)
		if (cat->requirements[i].bit == bit &&
		    cat->requirements[i].backends & (1u << j->pr.backend))
			return judge_bit_required(j, &cat->requirements[i]);
	buf_printf(&text, "%s: whether it offers bit %d, which the guest took, cannot be told: the "
			  "catalogue has no such feature of %s",
		   j->p->name, bit, d->class_name);
	return unknown(j, "move-unknown", "QEMU", NULL,
		       "look whether the word is of another class of device", &text);
}

/* -------------------------------------------------------------- what the source offers */

static bool same_version(const char *a, const char *b)
{
	struct version va, vb;

	return version_parse_prefix(a, &va) && version_parse_prefix(b, &vb) &&
	       !version_cmp(&va, &vb);
}

static const struct profile_qemu *source_qemu(const struct abibase_targets *t)
{
	const struct abibase_guest *g = t->guest;
	const struct profile_qemu *found = NULL;

	for (size_t i = 0; t->source && g->machine && i < t->source->n_qemu; i++) {
		const struct profile_qemu *q = &t->source->qemu[i];
		const char *build = json_string_value(json_object_get(q->json, "build_id"));
		const char *package = json_string_value(json_object_get(q->json, "package"));

		if (!streq(q->target, g->target ? g->target : t->source->arch) ||
		    qemu_has_machine(q->json, g->machine) == ABIBASE_NO)
			continue;
		if ((g->build_id && build && !streq(build, g->build_id)) ||
		    (g->package && package && !streq(package, g->package)) ||
		    (g->qemu && !same_version(g->qemu, q->version)))
			continue;
		if (found && !streq(found->digest, q->digest))
			return NULL;
		found = q;
	}
	return found;
}

static int source_backend(const struct abibase_targets *t, const struct guest_device *d)
{
	return choose_backend(t->cat, d, d->backend ? d->backend : t->backend);
}

/* By the record of the host where it runs. */
static int offer_by_profile(const struct abibase_targets *t, const struct guest_device *d,
			    struct offered *ret)
{
	const struct profile_qemu *q = source_qemu(t);
	struct predictor pr = { .cat = t->cat, .p = t->source };
	static const uint64_t none[2];
	struct strings settings = { 0 }, empty = { 0 };
	int be = source_backend(t, d), r;
	const char **all;

	if (!q || be < 0)
		return 0;
	pr.backend = (size_t)be;
	qemu_view_init(&pr.view, q->json, t->guest->machine);
	r = baseline_settings(t->baseline, &pr, &settings);
	all = r < 0 ? NULL : join(&settings, &empty, &empty);
	pr.settings = all;
	if (all)
		offer(&pr, d, d->has_negotiated ? d->negotiated : none, ret);
	free(all);
	strings_clear(&settings);
	return all ? 0 : -ENOMEM;
}

static int source_offer(const struct abibase_targets *t, const struct guest_device *d,
			struct offered *ret)
{
	int be = source_backend(t, d), r = 0;

	memset(ret, 0, sizeof(*ret));
	if (d->has_offered) {
		ret->known = true;
		memcpy(ret->yes, d->offered, sizeof(ret->yes));
		memcpy(ret->maybe, d->offered, sizeof(ret->maybe));
	} else if (t->source) {
		r = offer_by_profile(t, d, ret);
	} else if (t->baseline && be >= 0 &&
		   abibase_baseline_offered(t->baseline, t->cat->backends[be].name, ret->yes)) {
		ret->known = true;
		memcpy(ret->maybe, ret->yes, sizeof(ret->maybe));
	}
	/* what the guest has it was offered, whatever else is thought */
	for (int i = 0; ret->known && d->has_negotiated && i < 2; i++) {
		ret->yes[i] |= d->negotiated[i];
		ret->maybe[i] |= d->negotiated[i];
	}
	return r;
}

/* ------------------------------------------------------------ what the stream carries */

/* Did the device where the guest runs meet this? */
static enum abibase_tri source_meets(const struct judging *j, const struct guest_device *d,
				     const struct requirement *q)
{
	const struct abibase_catalogue *cat = j->pr.cat;
	enum abibase_tri all = ABIBASE_YES;
	int be = source_backend(j->t, d);

	if (be < 0)
		return ABIBASE_UNKNOWN;
	for (size_t i = 0; i < q->needs[be].n; i++) {
		int c = q->needs[be].need[i].condition;
		enum abibase_tri a = ABIBASE_UNKNOWN;

		if (j->t->source)
			a = profile_ask(j->t->source, cat->conditions[c].fact,
					cat->conditions[c].bit, NULL);
		/* a feature that needs the same was negotiated, so it was there */
		for (size_t r = 0; d->has_negotiated && r < cat->n_rows; r++)
			for (size_t n = 0; n < cat->rows[r].needs[be].n; n++)
				if (cat->rows[r].needs[be].need[n].condition == c &&
				    is_of(&cat->rows[r], d) &&
				    word_has(d->negotiated, cat->rows[r].bit))
					a = ABIBASE_YES;
		all = both(all, a);
	}
	return all;
}

static enum abibase_tri stated(const struct guest_device *d, const struct requirement *q)
{
	if (streq(q->name, "tap-vnet-hdr"))
		return d->vnet_hdr;
	return streq(q->name, "tap-ufo") ? d->ufo : ABIBASE_UNKNOWN;
}

/* QEMU loads no stream that has what the backend there has not; the other way is harmless. */
static int judge_requirement(struct judging *j, const struct guest_device *d,
			     const struct requirement *q)
{
	enum abibase_tri has = stated(d, q);
	struct predicted p = { 0 };
	_buf_ text = { 0 };

	if (has == ABIBASE_UNKNOWN)
		has = source_meets(j, d, q);
	predict_needs(&j->pr, &q->needs[j->pr.backend], &p);
	if (p.can == ABIBASE_YES || has == ABIBASE_NO)
		return 0;
	if (p.can == ABIBASE_UNKNOWN) {
		buf_printf(&text, "%s: whether \"%s\" holds there is unknown: %s (%s; requirement %s)",
			   j->p->name, q->text, p.unknown->name, p.reason, q->name);
		return unknown(j, "move-unknown", p.unknown->layer, NULL, unknown_remedy(p.reason),
			       &text);
	}
	buf_printf(&text, has == ABIBASE_YES ?
				  "%s: \"%s\" holds where the guest runs and not there, and no property "
				  "can mask it (requirement %s)" :
				  "%s: \"%s\" does not hold there, and whether it does where the guest "
				  "runs is unknown (requirement %s)",
		   j->p->name, q->text, q->name);
	if (has == ABIBASE_YES)
		return conflict(j, "requirement-differs", "backend", NULL, q->remedy, &text);
	return unknown(j, "move-unknown", "backend", NULL,
		       "say where the guest runs: --from PROFILE", &text);
}

static int judge_requirements(struct judging *j, const struct guest_device *d)
{
	for (size_t i = 0; i < j->pr.cat->n_requirements; i++) {
		const struct requirement *q = &j->pr.cat->requirements[i];

		/* a bit is judged with the others, and the backend itself before */
		if (q->bit < 0 && !q->named_only && q->needs[j->pr.backend].n &&
		    judge_requirement(j, d, q) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ------------------------------------------------------------------------ sizes */

/* What was observed of this QEMU under this machine type, on this backend or else another. */
static const json_t *shape_here(const struct judging *j)
{
	const json_t *shapes = json_object_get(json_object_get(j->entry, "shape"),
					       j->pr.view.machine);
	const json_t *own = json_object_get(shapes, j->pr.cat->backends[j->pr.backend].name);
	const char *backend;
	json_t *v;

	if (own)
		return own;
	json_object_foreach((json_t *)shapes, backend, v)
		return v;
	return NULL;
}

static const json_t *recorded_sizes(const struct judging *j, const struct shape *s)
{
	return json_object_get(shape_here(j), s->recorded);
}

static int64_t largest(const json_t *sizes)
{
	int64_t most = -1;
	json_t *v;
	size_t i;

	json_array_foreach(sizes, i, v)
		if (json_integer_value(v) > most)
			most = json_integer_value(v);
	return most;
}

/* The QEMU of the guest by version; false: not known. */
static bool source_version(const struct abibase_targets *t, struct version *ret)
{
	const struct profile_qemu *q = source_qemu(t);

	if (t->guest->qemu)
		return version_parse_prefix(t->guest->qemu, ret);
	return q && version_parse_prefix(q->version, ret);
}

/* What the QEMU where the guest runs makes of it when nobody says anything; -1: not known. */
static int64_t source_size(const struct abibase_targets *t, const struct shape *s)
{
	const struct profile_qemu *q = source_qemu(t);
	int64_t size = q ? qemu_recorded_size(q->json, t->guest->machine, s->recorded) : -1;
	struct version v;

	if (size < 0 && source_version(t, &v))
		size = shape_value(s, &v);
	return size;
}

static int64_t target_size(const struct judging *j, const struct shape *s, size_t queue)
{
	const json_t *sizes = recorded_sizes(j, s);

	if (sizes && queue < json_array_size(sizes))
		return json_integer_value(json_array_get(sizes, queue));
	return sizes ? largest(sizes) : shape_value(s, &j->pr.view.version);
}

/* The first queue that does not fit, or -1; @ret: its size, and what there is for it. */
static long first_too_large(const struct judging *j, const struct shape *s,
			    const struct guest_device *d, int64_t ret[2])
{
	int64_t by_default = source_size(j->t, s);
	json_t *v;
	size_t i;

	json_array_foreach(d->queue_sizes, i, v) {
		ret[0] = json_integer_value(v);
		ret[1] = target_size(j, s, i);
		/* larger than its QEMU makes it: an option of -device, which the target has too */
		if (by_default >= 0 && ret[0] > by_default)
			continue;
		if (ret[0] > ret[1])
			return (long)i;
	}
	if (d->queue_sizes)
		return -1;
	ret[0] = by_default;
	ret[1] = target_size(j, s, 0);
	return ret[0] < 0 || ret[0] > ret[1] ? 0 : -1;
}

static int judge_shape(struct judging *j, const struct guest_device *d, const struct shape *s)
{
	int64_t size[2];
	_buf_ text = { 0 };
	long queue;

	if (version_cmp(&j->pr.view.version, &s->checked_since) < 0)
		return 0;
	queue = first_too_large(j, s, d, size);
	if (queue < 0)
		return 0;
	buf_printf(&text, "%s: ", j->p->name);
	write_qemu(j, &text);
	if (size[0] < 0 || size[1] < 0) {
		buf_printf(&text, " checks the %s, and %s is not known (%s)", s->text,
			   size[0] < 0 ? "what the guest has" : "what it would have itself",
			   s->name);
		return unknown(j, "shape-unknown", "QEMU", NULL,
			       size[0] < 0 ? "say what the guest has, with --queue-size, or in which "
					     "QEMU it runs, with --from PROFILE" :
					     "record what this QEMU offers: abibase probe --observe",
			       &text);
	}
	buf_printf(&text, " checks the %s: the %lld of the guest's queue %ld are more than the %lld "
			  "it has, and no property can equalise them (%s)",
		   s->text, (long long)size[0], queue, (long long)size[1], s->name);
	return conflict(j, "shape-differs", "QEMU", NULL,
			"install a QEMU there that makes its queues as the guest's does" RESTART,
			&text);
}

/* ------------------------------------------------- what else the machine type decides */

/* As QEMU takes it; false: no option says it. */
static bool write_setting(const json_t *v, struct buf *out)
{
	if (json_is_integer(v))
		buf_printf(out, "%lld", (long long)json_integer_value(v));
	else if (json_is_boolean(v))
		buf_puts(out, json_is_true(v) ? "on" : "off");
	else if (json_is_string(v))
		buf_puts(out, json_string_value(v));
	return out->len > 0;
}

/* What the QEMU where the guest runs makes of the row when nobody says anything; NULL: not known. */
static const json_t *source_value(const struct abibase_targets *t, const struct row *row)
{
	const struct profile_qemu *q = source_qemu(t);
	struct qemu_view view;
	struct effective e;

	if (!q)
		return NULL;
	qemu_view_init(&view, q->json, t->guest->machine);
	qemu_effective(&view, row, &e);
	return e.value;
}

static int say_value_differs(struct judging *j, const struct row *row, const json_t *there,
			     const json_t *here)
{
	struct check_finding f = { .kind = ABIBASE_FINDING_CONFLICT,
				   .id = (char *)"move-value-differs",
				   .layer = (char *)"machine type",
				   .feature = (char *)row->feature,
				   .property = row->key,
				   .bit = -1 };
	_buf_ text = { 0 }, value = { 0 }, own = { 0 };

	f.by_list = write_setting(there, &value);
	f.remedy = (char *)(f.by_list ? SET_VALUE :
					"move to a QEMU that has the machine type as the guest does");
	buf_printf(&text, "%s: ", j->p->name);
	write_qemu(j, &text);
	buf_printf(&text, " has another %s (%s) under %s: %s, and where the guest runs it is %s",
		   row->key, row->feature, j->pr.view.machine,
		   write_setting(here, &own) ? own.data : "not set",
		   f.by_list ? value.data : "not set");
	if (buf_failed(&value) || buf_failed(&own) ||
	    (f.by_list && list_value(&j->m->rescue, row, value.data) < 0))
		return -ENOMEM;
	return hostcheck_add(j->m->check, &f, &text);
}

/*
 * Two builds of one machine type: what stands for no feature and has another value would show the
 * guest another device, or not let it in. What the list of a baseline sets is the same.
 */
static int judge_values(struct judging *j)
{
	for (size_t i = 0; i < j->pr.cat->n_rows; i++) {
		const struct row *row = &j->pr.cat->rows[i];
		const json_t *there;
		struct effective e;

		if ((row->boolean && row->bit >= 0) || row->fact >= 0 ||
		    !(row->backends & (1u << j->pr.backend)) || is_listed(&j->base, row) ||
		    is_listed(&j->m->rescue, row))
			continue;
		there = source_value(j->t, row);
		qemu_effective(&j->pr.view, row, &e);
		if (there && e.value && !json_equal(there, e.value) &&
		    say_value_differs(j, row, there, e.value) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int judge_shapes(struct judging *j, const struct guest_device *d)
{
	for (size_t i = 0; i < j->pr.cat->n_shapes; i++)
		if (judge_shape(j, d, &j->pr.cat->shapes[i]) < 0)
			return -ENOMEM;
	return 0;
}

/*
 * The stream does not say how large the configuration is, but it has the address of the BAR of the
 * legacy interface, which is as large as that takes: virtio 1.3, 4.1.4.10; 24 bytes come before it.
 */
static int64_t legacy_bar(int64_t config_size)
{
	int64_t size = 1;

	while (size < 24 + config_size)
		size *= 2;
	return size;
}

/* A guest's larger configuration is one that was asked for with -device, here as there. */
static int judge_config(struct judging *j, const struct guest_device *d)
{
	const json_t *size = json_object_get(shape_here(j), "config_size");
	int64_t here = json_integer_value(size);
	_buf_ text = { 0 };

	if (!size || d->config_size < 0 || here <= d->config_size ||
	    legacy_bar(here) == legacy_bar(d->config_size))
		return 0;
	buf_printf(&text, "%s: the device there has a configuration of %lld bytes, and the guest's has "
			  "%lld: the BAR of its legacy interface has %lld bytes instead of %lld, and "
			  "whether the stream fits depends on where the guest has put it",
		   j->p->name, (long long)here, (long long)d->config_size,
		   (long long)legacy_bar(here), (long long)legacy_bar(d->config_size));
	return unknown(j, "config-size-differs", "QEMU", NULL,
		       "a device without that interface (disable-legacy=on) does not have this BAR",
		       &text);
}

/* ------------------------------------------------------------------- values and limits */

/*
 * QEMU loads the stream of a guest that was told more than there is, and nobody hears of it until
 * its packets are lost.
 */
static int judge_limit(struct judging *j, const struct row *row, int64_t value)
{
	json_int_t limit = json_integer_value(json_object_get(j->p->facts, row->limit));
	_buf_ text = { 0 };

	if (limit >= value)
		return 0;
	if (limit > 0) {
		buf_printf(&text, "%s: the guest was told %lld (%s), and there it is %lld (%s): QEMU "
				  "takes the guest all the same, and what it sends is lost",
			   j->p->name, (long long)value, row->key, (long long)limit, row->limit);
		return conflict(j, "move-limit", "network", row,
				"raise it on that host" RESTART, &text);
	}
	buf_printf(&text, "%s: whether %lld, which the guest was told (%s), is possible there is not "
			  "stated (%s)",
		   j->p->name, (long long)value, row->key, row->limit);
	return say(j, ABIBASE_FINDING_NOTE, "move-limit", "network", row,
			"state the fact in the profile of that host", &text);
}

/* Of the values that have a limit a guest document has one, the MTU. */
static int judge_limits(struct judging *j, const struct guest_device *d)
{
	for (size_t i = 0; d->mtu > ETHERNET_MTU && i < j->pr.cat->n_rows; i++) {
		const struct row *row = &j->pr.cat->rows[i];

		if (row->limit && is_of(row, d) && judge_limit(j, row, d->mtu) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ----------------------------------------------------------------------- one device */

static int judge_usable(struct judging *j)
{
	const struct backend *b = &j->pr.cat->backends[j->pr.backend];

	for (size_t i = 0; i < b->n_usable; i++) {
		const struct condition *c = &j->pr.cat->conditions[b->usable[i]];
		const char *reason;
		_buf_ text = { 0 };
		enum abibase_tri a = profile_ask(j->p, c->fact, c->bit, &reason);
		int r = 0;

		if (a == ABIBASE_NO) {
			buf_printf(&text, "%s: the guest's device is on %s, and %s", j->p->name,
				   b->name, c->missing);
			r = conflict(j, "backend-absent", "backend", NULL, c->remedy, &text);
		} else if (a == ABIBASE_UNKNOWN) {
			buf_printf(&text, "%s: whether %s is usable there is unknown (%s)",
				   j->p->name, c->layer, reason);
			r = unknown(j, "backend-unknown", "backend", NULL, unknown_remedy(reason),
				    &text);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int ask_word(struct judging *j)
{
	_buf_ text = { 0 };

	buf_puts(&text, "what the guest negotiated is not known, and neither is what it was offered");
	return unknown(j, "guest-unknown", "guest", NULL,
		       "give its feature word, the guest mask of a log line of QEMU, or its QMP "
		       "socket as GUEST; or what it was offered, with --from PROFILE or --baseline",
		       &text);
}

static int say_worst_case(struct judging *j)
{
	_buf_ text = { 0 };

	buf_puts(&text, "what the guest negotiated is not known: this is for one that took all it was "
			"offered, and its feature word can only make it better");
	return say(j, ABIBASE_FINDING_NOTE, "guest-worst-case", "guest", NULL,
			"give its feature word, or its QMP socket, as GUEST", &text);
}

/* The word that the target must offer: what was taken, or all that may have been. 1: not known. */
static int word_of(struct judging *j, const struct guest_device *d, uint64_t ret[2])
{
	struct offered source;

	memcpy(ret, d->negotiated, sizeof(d->negotiated));
	if (d->has_negotiated)
		return 0;
	if (source_offer(j->t, d, &source) < 0)
		return -ENOMEM;
	if (!source.known)
		return ask_word(j) < 0 ? -ENOMEM : 1;
	memcpy(ret, source.maybe, sizeof(source.maybe));
	return say_worst_case(j);
}

static int judge_features(struct judging *j, const struct guest_device *d)
{
	uint64_t word[2];
	int r = word_of(j, d, word);

	for (int bit = 0; r == 0 && bit < 128; bit++)
		if (word_has(word, bit))
			r = judge_bit(j, d, bit, word);
	return r < 0 ? r : 0;
}

static int say_no_backend(struct judging *j, const char *name)
{
	_buf_ text = { 0 };

	if (name)
		buf_printf(&text, "a device on %s cannot be judged: it is no backend of the catalogue",
			   name);
	else
		buf_puts(&text, "the backend of the guest's device is not known");
	return unknown(j, name ? "backend-unknown" : "guest-unknown", "guest", NULL,
		       "say what the device lies on, with --backend", &text);
}

/* Point the predictor at the backend that the device gets on the target. 1: it cannot be judged. */
static int prepare_device(struct judging *j, const struct guest_device *d)
{
	const char *name = j->t->backend ? j->t->backend : d->backend;
	int be = choose_backend(j->pr.cat, d, name);
	_buf_ text = { 0 };

	if (!backends_of(j->pr.cat, d)) {
		buf_printf(&text, "a %s cannot be judged: it is no class of the catalogue",
			   d->class_name);
		return unknown(j, "guest-unknown", "guest", NULL,
			       "compare what the two hosts have: abibase diff", &text) < 0 ?
			       -ENOMEM :
			       1;
	}
	if (be < 0)
		return say_no_backend(j, name) < 0 ? -ENOMEM : 1;
	j->pr.backend = (size_t)be;
	return 0;
}

static int judge_device(struct judging *j, const struct guest_device *d)
{
	int r = prepare_device(j, d);

	if (r != 0)
		return r < 0 ? r : 0;
	if (judge_usable(j) < 0 || judge_features(j, d) < 0 || judge_requirements(j, d) < 0 ||
	    judge_values(j) < 0 || judge_shapes(j, d) < 0 || judge_config(j, d) < 0)
		return -ENOMEM;
	return judge_limits(j, d);
}

/* ---------------------------------------------------------- what is decided together */

/* One probe of QEMU decides them all, so a guest that has one of them was offered the others. */
static int complete_groups(struct judging *j)
{
	const struct abibase_catalogue *cat = j->pr.cat;

	for (size_t i = 0; i < cat->n_rows; i++) {
		const struct row *row = &cat->rows[i];
		struct predicted p;
		bool with = false;

		if (row->group < 0 || !cat->groups[row->group].together ||
		    is_listed(&j->m->rescue, row))
			continue;
		for (size_t k = 0; k < cat->n_rows; k++)
			with |= cat->rows[k].group == row->group &&
				is_listed(&j->m->rescue, &cat->rows[k]);
		predict_row(&j->pr, row, &p);
		if (with && p.on != ABIBASE_YES && p.can == ABIBASE_YES && is_switch(row, &p) &&
		    list_row(&j->m->rescue, row, true) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* -------------------------------------------------------------------- the way back */

struct way_back {
	struct buf now;	  /* what shuts it at once */
	struct buf stays; /* what comes with a reset, and no list can help */
	bool unknown;
};

/* What comes with the next reset and the source does not have is turned off on the target. */
static int gain(struct judging *j, const struct guest_device *d, int bit, struct way_back *w)
{
	const struct abibase_catalogue *cat = j->pr.cat;
	const struct row *switched = NULL;

	for (size_t i = 0; i < cat->n_rows; i++) {
		const struct row *row = &cat->rows[i];
		struct predicted p;

		if (!is_of(row, d) || row->bit != bit)
			continue;
		if (row->legacy) /* no driver of a modern device takes it */
			return 0;
		if (strings_insert(&j->m->gains, row->feature) < 0)
			return -ENOMEM;
		predict_row(&j->pr, row, &p);
		if (is_switch(row, &p) && !word_has(j->negotiated, bit))
			switched = row;
	}
	if (switched)
		return list_row(&j->m->door, switched, false);
	for (size_t i = 0; i < cat->n_requirements; i++)
		if (cat->requirements[i].bit == bit &&
		    cat->requirements[i].backends & (1u << j->pr.backend) &&
		    strings_insert(&j->m->gains, cat->requirements[i].feature) < 0)
			return -ENOMEM;
	buf_printf(&w->stays, "%sbit %d", w->stays.len ? ", " : "", bit);
	return buf_failed(&w->stays) ? -ENOMEM : 0;
}

/* A size that the source checks, when the guest comes back with what it was given here. */
static void back_shapes(const struct judging *j, struct way_back *w)
{
	for (size_t i = 0; i < j->pr.cat->n_shapes; i++) {
		const struct shape *s = &j->pr.cat->shapes[i];
		int64_t there = source_size(j->t, s), here = target_size(j, s, 0);
		struct version v;

		if (!source_version(j->t, &v) || version_cmp(&v, &s->checked_since) < 0 ||
		    here < 0 || there < 0 || here <= there)
			continue;
		buf_printf(&w->stays, "%s%lld %s instead of %lld", w->stays.len ? ", " : "",
			   (long long)here, s->text, (long long)there);
	}
}

/* What the target saves and the source does not take, whatever the guest does. */
static void back_requirements(const struct judging *j, const struct guest_device *d,
			      struct way_back *w)
{
	int be = source_backend(j->t, d);

	for (size_t i = 0; j->t->source && be >= 0 && i < j->pr.cat->n_requirements; i++) {
		const struct requirement *q = &j->pr.cat->requirements[i];
		struct predictor back = { .cat = j->pr.cat, .p = j->t->source };
		struct predicted here = { 0 }, there = { 0 };

		if (q->bit >= 0 || q->named_only)
			continue;
		predict_needs(&j->pr, &q->needs[j->pr.backend], &here);
		predict_needs(&back, &q->needs[be], &there);
		if (here.can == ABIBASE_YES && there.can == ABIBASE_NO)
			buf_printf(&w->now, "%s\"%s\"", w->now.len ? ", " : "", q->text);
	}
}

static int back_device(struct judging *j, const struct guest_device *d, struct way_back *w)
{
	struct offered source, here;

	if (source_offer(j->t, d, &source) < 0)
		return -ENOMEM;
	if (!source.known) {
		w->unknown = true;
		return 0;
	}
	offer(&j->pr, d, d->has_negotiated ? d->negotiated : source.yes, &here);
	for (int bit = 0; bit < 128; bit++)
		if (word_has(here.maybe, bit) && !word_has(source.yes, bit) &&
		    gain(j, d, bit, w) < 0)
			return -ENOMEM;
	back_shapes(j, w);
	back_requirements(j, d, w);
	return 0;
}

static int back_text(struct judging *j, struct way_back *w)
{
	struct move *m = j->m;
	_buf_ text = { 0 };

	if (w->unknown && !m->gains.n) {
		m->way_back = ABIBASE_UNKNOWN;
		return 0;
	}
	m->way_back = m->gains.n || w->stays.len || w->now.len ? ABIBASE_NO : ABIBASE_YES;
	if (m->way_back == ABIBASE_YES)
		return 0;
	m->door_shut = w->now.len || w->stays.len;
	if (w->now.len)
		buf_printf(&text, "there is no way back from the moment it is there: %s is saved "
				  "there and not accepted where it comes from",
			   w->now.data);
	else
		buf_puts(&text, "from its next reset there the guest cannot return: it can then have ");
	for (size_t i = 0; !w->now.len && i < m->gains.n; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", m->gains.s[i]);
	if (w->stays.len && !w->now.len)
		buf_printf(&text, "%s%s, which no list prevents",
			   m->gains.n ? "; and " : "", w->stays.data);
	m->way_back_text = buf_steal(&text);
	return m->way_back_text ? 0 : -ENOMEM;
}

static int judge_way_back(struct judging *j)
{
	const struct abibase_guest *g = j->t->guest;
	struct way_back w = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->n; i++) {
		r = backends_of(j->pr.cat, &g->devices[i]) ? prepare_device(j, &g->devices[i]) : 1;
		if (r == 0)
			r = back_device(j, &g->devices[i], &w);
		else if (r > 0)
			r = 0;
	}
	if (r == 0)
		r = buf_failed(&w.now) || buf_failed(&w.stays) ? -ENOMEM : back_text(j, &w);
	buf_clear(&w.now);
	buf_clear(&w.stays);
	return r;
}

/* ------------------------------------------------------------- the list to carry on with */

/*
 * The device as it is from now on, in explicit values, so that no later default changes it. Without a
 * word about the source only what the guest has is sure to be had elsewhere.
 */
static int carry_device(struct judging *j, const struct guest_device *d)
{
	struct offered here, source;

	if (source_offer(j->t, d, &source) < 0)
		return -ENOMEM;
	offer(&j->pr, d, d->has_negotiated ? d->negotiated : source.yes, &here);
	for (size_t i = 0; i < j->pr.cat->n_rows; i++) {
		const struct row *row = &j->pr.cat->rows[i];
		struct predicted p;
		bool on;

		if (!is_of(row, d) || is_listed(&j->m->carry_on, row))
			continue;
		predict_row(&j->pr, row, &p);
		if (!is_switch(row, &p) ||
		    (row->pin != PIN_PINNED && !is_listed(&j->m->rescue, row) &&
		     !is_listed(&j->m->door, row)))
			continue;
		on = word_has(here.yes, row->bit) &&
		     (row->legacy || word_has(j->negotiated, row->bit) ||
		      (source.known && word_has(source.yes, row->bit)));
		if (list_row(&j->m->carry_on, row, on) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* What the rescue sets beside features stays. */
static int carry_values(struct judging *j)
{
	for (size_t i = 0; i < j->pr.cat->n_rows; i++) {
		const struct row *row = &j->pr.cat->rows[i];

		for (size_t k = 0; k < j->m->rescue.n; k++) {
			const char *value;

			if (setting_is(j->m->rescue.s[k], row, &value) &&
			    !is_listed(&j->m->carry_on, row) &&
			    list_value(&j->m->carry_on, row, value) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

static int make_carry_on(struct judging *j)
{
	const struct abibase_guest *g = j->t->guest;

	for (size_t i = 0; i < g->n; i++) {
		int r = backends_of(j->pr.cat, &g->devices[i]) ?
				prepare_device(j, &g->devices[i]) :
				1;

		if (r == 0)
			r = carry_device(j, &g->devices[i]);
		if (r < 0)
			return r;
	}
	return carry_values(j);
}

/* ----------------------------------------------------------------------- one QEMU */

static enum abibase_move kind_of(const struct abibase_check *c)
{
	enum abibase_move kind = ABIBASE_MOVE_NOW;

	for (size_t i = 0; i < c->n; i++) {
		const struct check_finding *f = &c->findings[i];

		if (f->kind == ABIBASE_FINDING_CONFLICT && !f->by_list)
			return ABIBASE_MOVE_NO;
		if (f->kind == ABIBASE_FINDING_UNKNOWN)
			kind = ABIBASE_MOVE_UNKNOWN;
		else if (f->kind == ABIBASE_FINDING_CONFLICT && kind == ABIBASE_MOVE_NOW)
			kind = ABIBASE_MOVE_LIST;
	}
	return kind;
}

static int say_no_machine(struct judging *j)
{
	const char *machine = j->t->guest->machine;
	_buf_ text = { 0 };

	if (!machine) {
		buf_puts(&text, "the machine type of the guest is not known");
		return unknown(j, "guest-unknown", "guest", NULL, "say it with -M MACHINE", &text);
	}
	buf_printf(&text, "%s: ", j->p->name);
	if (qemu_has_machine(j->entry, machine) == ABIBASE_UNKNOWN && j->entry) {
		buf_puts(&text, "whether ");
		write_qemu(j, &text);
		buf_printf(&text, " has the machine type %s is not recorded", machine);
		return unknown(j, "machine-not-recorded", "machine type", NULL,
			       "probe this host again", &text);
	}
	if (!j->entry && !j->p->has_qemu) {
		buf_printf(&text, "nothing is recorded of its QEMUs, so whether one of them has the "
				  "machine type %s is not known",
			   machine);
		return unknown(j, "machine-not-recorded", "machine type", NULL,
			       "probe the QEMU of that host", &text);
	}
	if (j->entry)
		write_qemu(j, &text);
	else
		buf_printf(&text, "none of its QEMUs is for the target %s, so it",
			   j->t->guest->target ? j->t->guest->target : j->p->arch);
	buf_printf(&text, " does not have the machine type %s", machine);
	return conflict(j, "host-without-machine", "machine type", NULL,
			"install a QEMU there that has it: a running guest keeps its machine type",
			&text);
}

static bool has_machine(const struct judging *j)
{
	return j->t->guest->machine && j->entry &&
	       qemu_has_machine(j->entry, j->t->guest->machine) == ABIBASE_YES;
}

static int with_settings(struct judging *j, int (*fn)(struct judging *j))
{
	const char **all = join(&j->base, &j->m->rescue, &j->m->door);
	int r;

	if (!all)
		return -ENOMEM;
	j->pr.settings = all;
	r = fn(j);
	j->pr.settings = NULL;
	free(all);
	return r;
}

static int judge_devices(struct judging *j)
{
	const struct abibase_guest *g = j->t->guest;

	for (size_t i = 0; i < g->n; i++)
		if (judge_device(j, &g->devices[i]) < 0)
			return -ENOMEM;
	return complete_groups(j);
}

static int judge_arch(struct judging *j)
{
	const char *arch = j->t->source ? j->t->source->arch : NULL;
	_buf_ text = { 0 };

	if (!arch || streq(arch, j->p->arch))
		return 0;
	buf_printf(&text, "%s is %s, and the guest runs on %s", j->p->name, j->p->arch, arch);
	return conflict(j, "arch-differs", "host", NULL,
			"migrate between hosts of one architecture", &text);
}

/* Whoever installs another QEMU wants to know what else is missing: the kernel can be asked. */
static int judge_kernel(struct judging *j)
{
	const struct abibase_guest *g = j->t->guest;
	const struct abibase_catalogue *cat = j->pr.cat;

	for (size_t i = 0; i < g->n; i++) {
		const struct guest_device *d = &g->devices[i];
		int r = backends_of(cat, d) ? prepare_device(j, d) : 1;

		if (r == 0)
			r = judge_usable(j);
		for (size_t k = 0; r == 0 && k < cat->n_rows; k++)
			if (is_of(&cat->rows[k], d) && word_has(d->negotiated, cat->rows[k].bit))
				r = say_lacks(j, d, &cat->rows[k],
					      &cat->rows[k].needs[j->pr.backend]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int judge(struct judging *j)
{
	const struct abibase_guest *g = j->t->guest;
	int r = judge_arch(j);

	for (size_t i = 0; i < g->n; i++)
		for (int k = 0; k < 2; k++)
			j->negotiated[k] |= g->devices[i].negotiated[k];
	if (r == 0 && !has_machine(j)) {
		r = say_no_machine(j);
		return r < 0 || !g->machine ? r : judge_kernel(j);
	}
	if (r == 0)
		r = baseline_settings(j->t->baseline, &j->pr, &j->base);
	if (r == 0)
		r = with_settings(j, judge_devices);
	if (r < 0)
		return r;
	j->m->kind = kind_of(j->m->check);
	if (j->m->kind == ABIBASE_MOVE_NO || j->m->kind == ABIBASE_MOVE_UNKNOWN) {
		strings_clear(&j->m->rescue);
		return 0;
	}
	r = with_settings(j, judge_way_back);
	return r < 0 ? r : with_settings(j, make_carry_on);
}

static int fill_qemu(struct move *m, const json_t *entry)
{
	if (dup_to(&m->version, json_string_value(json_object_get(entry, "version"))) < 0 ||
	    dup_to(&m->package, json_string_value(json_object_get(entry, "package"))) < 0)
		return -ENOMEM;
	return dup_to(&m->path, json_string_value(json_object_get(entry, "path")));
}

static int judge_qemu(const struct abibase_targets *t, const struct abibase_profile *p,
		      const json_t *entry, struct move *m)
{
	struct judging j = { .t = t, .p = p, .entry = entry, .m = m };
	int r;

	j.pr.cat = t->cat;
	j.pr.p = p;
	qemu_view_init(&j.pr.view, entry, t->guest->machine ? t->guest->machine : "");
	m->way_back = ABIBASE_UNKNOWN;
	m->check = hostcheck_new(p->name);
	r = m->check ? fill_qemu(m, entry) : -ENOMEM;
	if (r == 0)
		r = judge(&j);
	strings_clear(&j.base);
	if (r < 0)
		return r;
	m->kind = kind_of(m->check);
	for (size_t i = 0; i < m->check->n; i++)
		m->check->findings[i].fixable = m->kind == ABIBASE_MOVE_LIST &&
						m->check->findings[i].property;
	m->check->verdict = hostcheck_verdict(m->check);
	return 0;
}

/* ----------------------------------------------------------------------- one host */

static void move_clear(struct move *m)
{
	abibase_check_unref(m->check);
	free(m->version);
	free(m->path);
	free(m->package);
	free(m->way_back_text);
	strings_clear(&m->rescue);
	strings_clear(&m->door);
	strings_clear(&m->carry_on);
	strings_clear(&m->gains);
	memset(m, 0, sizeof(*m));
}

/* The QEMU that can do most counts, for the administrator chooses which is started. */
static bool is_better(const struct move *a, const struct move *b)
{
	static const int rank[] = { [ABIBASE_MOVE_NOW] = 0,
				    [ABIBASE_MOVE_LIST] = 1,
				    [ABIBASE_MOVE_UNKNOWN] = 2,
				    [ABIBASE_MOVE_NO] = 3 };

	if (rank[a->kind] != rank[b->kind])
		return rank[a->kind] < rank[b->kind];
	return a->check->n < b->check->n && a->kind == ABIBASE_MOVE_NO;
}

static int judge_host(const struct abibase_targets *t, const struct abibase_profile *p,
		      struct move *best)
{
	const char *target = t->guest->target ? t->guest->target : p->arch;
	bool any = false;

	for (size_t i = 0; i < p->n_qemu; i++) {
		struct move m = { 0 };

		if (!streq(p->qemu[i].target, target))
			continue;
		if (judge_qemu(t, p, p->qemu[i].json, &m) < 0) {
			move_clear(&m);
			return -ENOMEM;
		}
		if (any && !is_better(&m, best)) {
			move_clear(&m);
			continue;
		}
		move_clear(best);
		*best = m;
		any = true;
	}
	return any ? 0 : judge_qemu(t, p, NULL, best);
}

/* ------------------------------------------------------------------------ request */

ABIBASE_EXPORT int abibase_targets_new(struct abibase_context *ctx, struct abibase_catalogue *cat,
				       struct abibase_guest *guest, struct abibase_targets **ret)
{
	struct abibase_targets *t = calloc(1, sizeof(*t));

	if (!t)
		return context_oom(ctx);
	t->ctx = abibase_context_ref(ctx);
	t->cat = abibase_catalogue_ref(cat);
	t->guest = abibase_guest_ref(guest);
	*ret = t;
	return 0;
}

ABIBASE_EXPORT struct abibase_targets *abibase_targets_unref(struct abibase_targets *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->n; i++)
		abibase_profile_unref(t->hosts[i]);
	free(t->hosts);
	abibase_profile_unref(t->source);
	abibase_baseline_unref(t->baseline);
	abibase_guest_unref(t->guest);
	abibase_catalogue_unref(t->cat);
	abibase_context_unref(t->ctx);
	free(t->backend);
	free(t);
	return NULL;
}

ABIBASE_EXPORT int abibase_targets_set_backend(struct abibase_targets *t, const char *backend)
{
	char *copy;

	if (catalogue_backend(t->cat, backend) < 0)
		return context_fail(t->ctx, EINVAL, "backend-not-known", NULL,
				    "\"%s\" is not a backend of the catalogue", backend);
	copy = strdup(backend);
	if (!copy)
		return context_oom(t->ctx);
	free(t->backend);
	t->backend = copy;
	return 0;
}

ABIBASE_EXPORT int abibase_targets_set_baseline(struct abibase_targets *t,
						struct abibase_baseline *b)
{
	if (b->verdict != ABIBASE_VERDICT_YES)
		return context_fail(t->ctx, EINVAL, "baseline-not-yes", NULL,
				    "this baseline promises nothing: its hosts could not share one");
	if (t->guest->machine && b->machine && !streq(t->guest->machine, b->machine))
		return context_fail(t->ctx, EINVAL, "guest-differs", NULL,
				    "the guest has the machine type %s, and the baseline is for %s",
				    t->guest->machine, b->machine);
	abibase_baseline_unref(t->baseline);
	t->baseline = abibase_baseline_ref(b);
	return 0;
}

ABIBASE_EXPORT void abibase_targets_set_source(struct abibase_targets *t, struct abibase_profile *p)
{
	abibase_profile_unref(t->source);
	t->source = abibase_profile_ref(p);
}

ABIBASE_EXPORT int abibase_targets_add_profile(struct abibase_targets *t, struct abibase_profile *p)
{
	if (array_grow(&t->hosts, t->n, &t->cap, sizeof(struct abibase_profile *)) < 0)
		return context_oom(t->ctx);
	t->hosts[t->n++] = abibase_profile_ref(p);
	return 0;
}

ABIBASE_EXPORT int abibase_targets_run(struct abibase_targets *t, struct abibase_moves **ret)
{
	struct abibase_moves *m = calloc(1, sizeof(*m));

	if (!m)
		return context_oom(t->ctx);
	m->refcount = 1;
	m->guest = abibase_guest_ref(t->guest);
	m->with_list = t->baseline != NULL;
	m->moves = calloc(t->n + 1, sizeof(*m->moves));
	for (; m->moves && m->n < t->n; m->n++)
		if (judge_host(t, t->hosts[m->n], &m->moves[m->n]) < 0)
			break;
	if (!m->moves || m->n < t->n) {
		m->n += m->moves != NULL; /* the one that was not finished */
		abibase_moves_unref(m);
		return context_oom(t->ctx);
	}
	*ret = m;
	return 0;
}

/* ------------------------------------------------------------------------- answer */

ABIBASE_EXPORT struct abibase_moves *abibase_moves_ref(struct abibase_moves *m)
{
	if (m)
		__atomic_add_fetch(&m->refcount, 1, __ATOMIC_RELAXED);
	return m;
}

ABIBASE_EXPORT struct abibase_moves *abibase_moves_unref(struct abibase_moves *m)
{
	if (!m || __atomic_sub_fetch(&m->refcount, 1, __ATOMIC_ACQ_REL) > 0)
		return NULL;
	for (size_t i = 0; m->moves && i < m->n; i++)
		move_clear(&m->moves[i]);
	free(m->moves);
	abibase_guest_unref(m->guest);
	free(m);
	return NULL;
}

ABIBASE_EXPORT size_t abibase_moves_count(const struct abibase_moves *m)
{
	return m->n;
}

ABIBASE_EXPORT enum abibase_move abibase_moves_kind(const struct abibase_moves *m, size_t i)
{
	return i < m->n ? m->moves[i].kind : ABIBASE_MOVE_UNKNOWN;
}

ABIBASE_EXPORT struct abibase_check *abibase_moves_check(const struct abibase_moves *m, size_t i)
{
	return i < m->n ? m->moves[i].check : NULL;
}

ABIBASE_EXPORT enum abibase_tri abibase_moves_way_back(const struct abibase_moves *m, size_t i)
{
	return i < m->n ? m->moves[i].way_back : ABIBASE_UNKNOWN;
}

ABIBASE_EXPORT const char *abibase_moves_setting(const struct abibase_moves *m, size_t i,
						 enum abibase_move_list list, size_t k)
{
	const struct strings *s;

	if (i >= m->n)
		return NULL;
	s = list == ABIBASE_MOVE_RESCUE ? &m->moves[i].rescue :
	    list == ABIBASE_MOVE_DOOR	? &m->moves[i].door :
					  &m->moves[i].carry_on;
	return k < s->n ? s->s[k] : NULL;
}

ABIBASE_EXPORT enum abibase_verdict abibase_moves_verdict(const struct abibase_moves *m)
{
	enum abibase_verdict v = ABIBASE_VERDICT_YES;

	for (size_t i = 0; i < m->n; i++) {
		if (m->moves[i].kind == ABIBASE_MOVE_NO)
			return ABIBASE_VERDICT_NO;
		if (m->moves[i].kind == ABIBASE_MOVE_UNKNOWN)
			v = ABIBASE_VERDICT_UNKNOWN;
	}
	return v;
}

/* ------------------------------------------------------------------------ as a document */

static const char *const move_words[] = { [ABIBASE_MOVE_NOW] = "now",
					  [ABIBASE_MOVE_LIST] = "list",
					  [ABIBASE_MOVE_NO] = "no",
					  [ABIBASE_MOVE_UNKNOWN] = "unknown" };
static const char *const tri_words[] = { [ABIBASE_NO] = "shut",
					 [ABIBASE_YES] = "open",
					 [ABIBASE_UNKNOWN] = "unknown" };

static json_t *move_json(const struct move *m)
{
	/* "o" takes the references, also when packing fails */
	return json_pack("{s:s, s:s, s:o, s:{s:s*, s:s*, s:s*}, s:o, s:o, s:{s:s, s:s*, s:o, s:o, s:b}}",
			 "host", m->check->host, "verdict", move_words[m->kind], "findings",
			 hostcheck_findings_json(m->check), "qemu", "version", m->version, "path", m->path,
			 "package", m->package, "rescue", hostcheck_strings(m->rescue.s, m->rescue.n),
			 "carry_on", hostcheck_strings(m->carry_on.s, m->carry_on.n), "way_back",
			 "verdict", tri_words[m->way_back], "text", m->way_back_text, "gains",
			 hostcheck_strings(m->gains.s, m->gains.n), "list",
			 hostcheck_strings(m->door.s, m->door.n), "enough",
			 m->door.n && !m->door_shut);
}

ABIBASE_EXPORT int abibase_moves_to_json(const struct abibase_moves *m, char **ret)
{
	/* a copy, because jansson counts references without atomic operations */
	json_auto_t *root = json_pack("{s:s, s:o, s:[]}", "schema", "abibase-targets/1", "guest",
				      json_deep_copy(m->guest->root), "hosts");
	json_t *list = json_object_get(root, "hosts");
	_buf_ out = { 0 };
	char *text;

	for (size_t i = 0; i < m->n; i++)
		if (json_array_append_new(list, move_json(&m->moves[i])) < 0)
			return -ENOMEM;
	if (!root)
		return -ENOMEM;
	json_write_canonical(&out, root);
	text = buf_steal(&out);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

/* ------------------------------------------------------------------------ for people */

static void text_list(const struct strings *list, struct buf *out)
{
	for (size_t i = 0; i < list->n; i++)
		buf_printf(out, "    -global %s\n", list->s[i]);
}

static void text_lists(const struct move *m, bool with_list, struct buf *out)
{
	if (!m->rescue.n && !m->door.n)
		return;
	buf_printf(out, "  start QEMU there with this list%s%s:\n",
		   with_list ? " behind that of the baseline" : "",
		   !m->door.n	? "" :
		   m->door_shut ? ", and no feature is added; the way back is shut all the same" :
				  ", and the way back stays open");
	text_list(&m->rescue, out);
	text_list(&m->door, out);
	if (!m->carry_on.n)
		return;
	buf_puts(out, "  from then on start it with this list wherever it goes, so that it stays "
		      "movable:\n");
	text_list(&m->carry_on, out);
}

static void text_move(const struct move *m, bool with_list, struct buf *out)
{
	static const char *const words[] = { [ABIBASE_MOVE_NOW] = "takes it now",
					     [ABIBASE_MOVE_LIST] = "takes it with a list",
					     [ABIBASE_MOVE_NO] = "does not take it",
					     [ABIBASE_MOVE_UNKNOWN] = "cannot tell" };

	show_text(out, m->check->host);
	buf_printf(out, ": %s", words[m->kind]);
	if (m->version)
		buf_printf(out, " (QEMU %s%s%s)", m->version, m->path ? ", " : "",
			   m->path ? m->path : "");
	buf_puts(out, m->way_back == ABIBASE_NO ? ", and it is a one-way door\n" : "\n");
	hostcheck_text(m->check, out);
	if (m->way_back_text)
		text_labelled("one-way", m->way_back_text, out);
	text_lists(m, with_list, out);
}

ABIBASE_EXPORT int abibase_moves_to_text(const struct abibase_moves *m, char **ret)
{
	_buf_ out = { 0 };
	char *text;

	for (size_t i = 0; i < m->n; i++)
		text_move(&m->moves[i], m->with_list, &out);
	text = buf_steal(&out);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}
