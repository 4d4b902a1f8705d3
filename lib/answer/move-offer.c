/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "answer/move.h"

/* What a device offers to the guest where it runs, and what it would on the target. */

/* ------------------------------------------------------------------ what is offered */

enum abibase_tri move_both(enum abibase_tri a, enum abibase_tri b)
{
	if (a == ABIBASE_NO || b == ABIBASE_NO)
		return ABIBASE_NO;
	return a == ABIBASE_YES && b == ABIBASE_YES ? ABIBASE_YES : ABIBASE_UNKNOWN;
}

static bool same_version(const char *a, const char *b)
{
	struct version va, vb;

	return version_parse_prefix(a, &va) && version_parse_prefix(b, &vb) &&
	       !version_cmp(&va, &vb);
}

/* May the guest run in this QEMU of the host that it comes from? */
static bool may_run_in(const struct abibase_targets *t, const struct profile_qemu *q)
{
	const struct abibase_guest *g = t->guest;
	const char *build = json_string_value(json_object_get(q->json, "build_id"));
	const char *package = json_string_value(json_object_get(q->json, "package"));

	if (!streq(q->target, g->target ? g->target : t->source->arch) ||
	    qemu_has_machine(t->cat, q->json, g->machine) == ABIBASE_NO)
		return false;
	return !(g->build_id && build && !streq(build, g->build_id)) &&
	       !(g->package && package && !streq(package, g->package)) &&
	       !(g->qemu && !same_version(g->qemu, q->version));
}

/* Has every QEMU that the guest may run in the row off when nobody says anything? */
static bool is_off_by_itself(const struct abibase_targets *t, const struct row *row)
{
	for (size_t i = 0; t->source && t->guest->machine && i < t->source->n_qemu; i++) {
		struct qemu_view view;
		struct effective e;

		if (!may_run_in(t, &t->source->qemu[i]))
			continue;
		qemu_view_init(&view, t->cat, t->source->qemu[i].json, t->guest->machine);
		qemu_effective(&view, row, &e);
		if (effective_bit(&e, row) != ABIBASE_NO)
			return false;
	}
	return true;
}

struct asked_for {
	const struct abibase_targets *t;
	const uint64_t *negotiated;
};

/*
 * An opt-in feature that the guest has was asked for with -device, unless its QEMU has it on by
 * itself, and the target is started with the same options: a QEMU that knows the property has it on.
 */
static void ask_for(void *data, const struct row *row, const struct requirement *q,
		    struct predicted *p)
{
	const struct asked_for *a = data;

	(void)q;
	if (row && row->pin == PIN_OPT_IN && row->bit >= 0 && word_has(a->negotiated, row->bit) &&
	    !p->by_setting && is_off_by_itself(a->t, row))
		p->on = p->knows;
}

void move_predict_row(const struct abibase_targets *t, const struct predictor *pr,
		      const struct row *row, const uint64_t negotiated[2], struct predicted *ret)
{
	struct asked_for a = { t, negotiated };

	predict_row(pr, row, ret);
	ask_for(&a, row, NULL, ret);
}

bool move_row_is_of(const struct row *row, const struct guest_device *d)
{
	return row->bit >= 0 && streq(row->class_name, d->class_name);
}

/* Backends that devices of this class can lie on, a mask. */
unsigned int move_backends_of(const struct abibase_catalogue *cat, const struct guest_device *d)
{
	unsigned int mask = 0;

	for (size_t i = 0; i < cat->n_rows; i++)
		if (move_row_is_of(&cat->rows[i], d))
			mask |= cat->rows[i].backends;
	return mask;
}

/* The one of @name, or where none is named the only one that there is; -1: not known */
int move_choose_backend(const struct abibase_catalogue *cat, const struct guest_device *d,
			const char *name)
{
	unsigned int mask = move_backends_of(cat, d);
	int be = name ? catalogue_backend(cat, name) : -1;

	if (be >= 0 && mask & (1u << be))
		return be;
	return mask && !(mask & (mask - 1)) ? __builtin_ctz(mask) : -1;
}

void move_offer(const struct abibase_targets *t, const struct predictor *pr,
		const uint64_t negotiated[2], struct offered *ret)
{
	struct asked_for a = { t, negotiated };

	predict_offer(pr, ask_for, &a, ret);
}

/* ----------------------------------------------------------------- lists of settings */

const struct value *move_listed(const struct abibase_targets *t, const struct row *row)
{
	return t->baseline ? t->links.values[row - t->cat->rows] : NULL;
}

/* What this QEMU gets of a baseline: what it knows. */
int move_baseline_settings(const struct abibase_targets *t, const struct predictor *pr,
			   struct strings *ret)
{
	const struct abibase_baseline *b = t->baseline;
	int r = 0;

	for (size_t i = 0; r == 0 && b && i < b->n_values; i++) {
		const struct value *v = &b->values[i];
		const struct row *row = t->links.rows[i];
		struct effective e = { .known = ABIBASE_YES };
		_buf_ s = { 0 };

		if (row)
			qemu_effective(&pr->view, row, &e);
		if (e.known == ABIBASE_NO)
			continue;
		buf_printf(&s, "%s.%s=%s", v->class_name, v->property, v->text);
		r = buf_failed(&s) ? -ENOMEM : strings_insert(ret, s.data);
	}
	return r;
}

void move_insert(struct judging *j, struct strings *list, const char *s)
{
	if (!s || strings_insert(list, s) < 0)
		move_arena(j)->failed = true;
}

void move_list_value(struct judging *j, struct strings *list, const struct row *row,
		     const char *value)
{
	move_insert(j, list, arena_printf(move_arena(j), "%s=%s", row->key, value));
}

void move_list_row(struct judging *j, struct strings *list, const struct row *row, bool on)
{
	move_list_value(j, list, row, setting_words[on]);
}

bool move_is_listed(const struct strings *list, const struct row *row)
{
	const char *value;

	for (size_t i = 0; i < list->n; i++)
		if (setting_is(list->s[i], row, &value))
			return true;
	return false;
}

/* Several lists as one, for a predictor: later ones win. For free(), the words are not copied. */
const char **move_join_lists(const struct strings *a, const struct strings *b,
			     const struct strings *c)
{
	const struct strings *lists[] = { a, b, c };
	const char **all = calloc(a->n + b->n + c->n + 1, sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; all && i < ARRAY_SIZE(lists); i++)
		for (size_t k = 0; k < lists[i]->n; k++)
			all[n++] = lists[i]->s[k];
	return all;
}

/* -------------------------------------------------------------- what the source offers */

const struct profile_qemu *move_source_qemu(const struct abibase_targets *t)
{
	const struct profile_qemu *found = NULL;

	for (size_t i = 0; t->source && t->guest->machine && i < t->source->n_qemu; i++) {
		const struct profile_qemu *q = &t->source->qemu[i];

		if (!may_run_in(t, q))
			continue;
		if (found && !streq(found->digest, q->digest))
			return NULL;
		found = q;
	}
	return found;
}

/* Nothing that the profile records of its QEMUs is of the guest's then. */
bool move_source_contradicts(const struct abibase_targets *t, struct buf *versions)
{
	bool any = false;

	for (size_t i = 0; t->source && t->guest->qemu && i < t->source->n_qemu; i++) {
		const struct profile_qemu *q = &t->source->qemu[i];

		if (same_version(t->guest->qemu, q->version))
			return false;
		buf_printf(versions, "%s%s", any ? ", " : "", q->version);
		any = true;
	}
	return any;
}

int move_source_backend(const struct abibase_targets *t, const struct guest_device *d)
{
	int be = move_choose_backend(t->cat, d, d->backend ? d->backend : t->backend);
	struct ask a = { .cat = t->cat, .p = t->source };

	/* stated of its domain: it is without vhost where its host has none */
	if (be >= 0 && t->source && strchr(t->cat->backends[be].name, '+') &&
	    guest_states(d, GUEST_VHOST_OPTIONAL) == ABIBASE_YES &&
	    ask_usable(&a, (size_t)be) == ABIBASE_NO)
		be = __builtin_ctz(ask_lies_on(&a, (size_t)be, true));
	return be;
}

static json_t *value_of(const struct value *v)
{
	return v->is_number ? json_integer(v->number) : json_boolean(v->on);
}

/*
 * What the QEMU where the guest runs makes of the row, with the list that it was started with;
 * where nobody says which that is, the hosts of the list are alike. NULL: not known. For
 * json_decref().
 */
json_t *move_source_value(const struct abibase_targets *t, const struct row *row)
{
	const struct profile_qemu *q = move_source_qemu(t);
	struct effective e = { .known = ABIBASE_YES };
	const struct value *v = NULL;
	struct qemu_view view;

	if (q) {
		qemu_view_init(&view, t->cat, q->json, t->guest->machine);
		qemu_effective(&view, row, &e);
	}
	if (t->baseline && e.known != ABIBASE_NO)
		v = move_listed(t, row);
	if (v)
		return value_of(v);
	if (q)
		return json_incref((json_t *)effective_seen(&e, row));
	return t->baseline ? json_incref((json_t *)baseline_seen(t->cat, t->baseline, row)) : NULL;
}

json_t *move_value_by_version(const struct abibase_targets *t, const struct row *row)
{
	struct qemu_view view;
	struct effective e;

	if (!t->by_version || !t->guest->machine || row->observed)
		return NULL;
	qemu_view_init(&view, t->cat, t->by_version, t->guest->machine);
	qemu_effective(&view, row, &e);
	return view.filled_in ? json_incref((json_t *)effective_seen(&e, row)) : NULL;
}

/* Is it otherwise than its QEMU makes it by itself? Then an option of -device has made it so. */
static bool is_option(const struct abibase_targets *t, const char *key, const json_t *own)
{
	int r = catalogue_row(t->cat, key);
	json_auto_t *there = r < 0 ? NULL : move_source_value(t, &t->cat->rows[r]);

	return there && !json_equal(there, own);
}

/* What was read of the device itself, as a list; @t: only what is an option. */
static int own_settings(const struct abibase_targets *t, const struct guest_device *d,
			struct strings *ret)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)d->properties, key, v) {
		_buf_ s = { 0 };

		if (t && !is_option(t, key, v))
			continue;
		buf_printf(&s, "%s=%s", key, setting_words[json_is_true(v)]);
		if (buf_failed(&s) || strings_insert(ret, s.data) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* By the record of the host where it runs. */
static int offer_by_profile(const struct abibase_targets *t, const struct guest_device *d,
			    struct offered *ret)
{
	const struct profile_qemu *q = move_source_qemu(t);
	struct predictor pr = { .cat = t->cat, .p = t->source };
	static const uint64_t none[2];
	struct strings settings = { 0 }, own = { 0 }, empty = { 0 };
	int be = move_source_backend(t, d), r;
	const char **all;

	if (!q || be < 0)
		return 0;
	pr.backend = (size_t)be;
	qemu_view_init(&pr.view, t->cat, q->json, t->guest->machine);
	r = move_baseline_settings(t, &pr, &settings);
	if (r == 0)
		r = own_settings(NULL, d, &own);
	all = r < 0 ? NULL : move_join_lists(&settings, &own, &empty);
	pr.settings = all;
	if (all)
		move_offer(t, &pr, d->has_negotiated ? d->negotiated : none, ret);
	free(all);
	strings_clear(&settings);
	strings_clear(&own);
	return all ? 0 : -ENOMEM;
}

void move_offered_there(const struct judging *j, const struct guest_device *d, struct offered *ret)
{
	const struct abibase_targets *t = j->t;
	int be = move_source_backend(t, d);

	memset(ret, 0, sizeof(*ret));
	if (d->has_offered) {
		ret->known = true;
		memcpy(ret->yes, d->offered, sizeof(ret->yes));
		memcpy(ret->maybe, d->offered, sizeof(ret->maybe));
	} else if (t->source) {
		if (offer_by_profile(t, d, ret) < 0)
			move_arena(j)->failed = true;
	} else if (t->baseline && be >= 0 &&
		   baseline_offered(t->baseline, t->cat->backends[be].name, ret->yes)) {
		ret->known = true;
		memcpy(ret->maybe, ret->yes, sizeof(ret->maybe));
	}
	/* what the guest has it was offered, whatever else is thought */
	for (int i = 0; ret->known && d->has_negotiated && i < 2; i++) {
		ret->yes[i] |= d->negotiated[i];
		ret->maybe[i] |= d->negotiated[i];
	}
}

void move_target_offer(const struct judging *j, const struct guest_device *d,
		       const uint64_t negotiated[2], struct offered *ret)
{
	struct predictor pr = j->pr;
	struct strings own = { 0 };
	const char **all = NULL;
	size_t n = 0;
	int r = own_settings(j->t, d, &own);

	while (pr.settings && pr.settings[n])
		n++;
	if (r == 0)
		all = calloc(n + own.n + 1, sizeof(*all));
	for (size_t i = 0; all && i < n + own.n; i++) /* an option of -device comes last */
		all[i] = i < n ? pr.settings[i] : own.s[i - n];
	pr.settings = all;
	move_arena(j)->failed |= !all;
	move_offer(j->t, &pr, negotiated, ret);
	free(all);
	strings_clear(&own);
}
