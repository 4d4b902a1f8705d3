/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "answer/move.h"

/* What becomes of the guest there: the way back, and the list to carry on with. */

/* -------------------------------------------------------------------- the way back */

struct way_back {
	struct buf now;	  /* what shuts it at once */
	struct buf stays; /* what comes with a reset, and no list can help */
	const char *leave; /* what it cannot leave that host for want of, or NULL */
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

		if (!move_row_is_of(row, d) || row->bit != bit)
			continue;
		if (row->legacy) /* no driver of a modern device takes it */
			return 0;
		if (strings_insert(&j->m->gains, row->feature) < 0)
			return -ENOMEM;
		predict_row(&j->pr, row, &p);
		if (move_is_switch(row, &p) && !word_has(j->negotiated, bit))
			switched = row;
	}
	if (switched)
		return move_list_row(&j->m->door, switched, false);
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
		int64_t there = move_source_size(j->t, s);
		int64_t here = j->assumed ? shape_most(s) : move_target_size(j, s, NULL, 0);
		struct version v;

		if (!move_source_version(j->t, &v) || version_cmp(&v, &s->checked_since) < 0 ||
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
	int be = move_source_backend(j->t, d);

	for (size_t i = 0; j->t->source && be >= 0 && i < j->pr.cat->n_requirements; i++) {
		const struct requirement *q = &j->pr.cat->requirements[i];
		struct predictor back = { .cat = j->pr.cat, .p = j->t->source };
		struct predicted here = { 0 }, there = { 0 };

		if (q->bit >= 0 || q->named_only || q->to_leave)
			continue;
		predict_needs(&j->pr, &q->needs[j->pr.backend], &here);
		predict_needs(&back, &q->needs[be], &there);
		if (here.can == ABIBASE_YES && there.can == ABIBASE_NO)
			buf_printf(&w->now, "%s\"%s\"", w->now.len ? ", " : "", q->text);
	}
}

/* It gets in all the same. */
static void back_leave(const struct judging *j, struct way_back *w)
{
	for (size_t i = 0; i < j->pr.cat->n_requirements; i++) {
		const struct requirement *q = &j->pr.cat->requirements[i];
		struct ask a = predictor_ask(&j->pr);
		struct stand s;

		if (!q->to_leave)
			continue;
		ask_needs(&a, &q->needs[j->pr.backend], &s);
		if (s.can == ABIBASE_NO)
			w->leave = s.no.c->missing;
		w->unknown |= s.can == ABIBASE_UNKNOWN;
	}
}

static int back_device(struct judging *j, const struct guest_device *d, struct way_back *w)
{
	struct offered source, here;

	back_leave(j, w);
	if (move_source_offer(j->t, d, &source) < 0)
		return -ENOMEM;
	if (!source.known) {
		w->unknown = true;
		return 0;
	}
	move_offer(j->t, &j->pr, d->has_negotiated ? d->negotiated : source.yes, &here);
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

	if (w->unknown && !m->gains.n && !w->leave) {
		m->way_back = ABIBASE_UNKNOWN;
		return 0;
	}
	m->way_back = m->gains.n || w->stays.len || w->now.len || w->leave ? ABIBASE_NO :
									     ABIBASE_YES;
	if (m->way_back == ABIBASE_YES)
		return 0;
	m->door_shut = w->now.len || w->stays.len || w->leave;
	if (w->leave) {
		buf_printf(&text, "it cannot leave that host again: %s", w->leave);
		m->way_back_text = buf_steal(&text);
		return m->way_back_text ? 0 : -ENOMEM;
	}
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

int move_judge_way_back(struct judging *j)
{
	const struct abibase_guest *g = j->t->guest;
	struct way_back w = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->n; i++) {
		r = move_backends_of(j->pr.cat, &g->devices[i])
			    ? move_prepare_device(j, &g->devices[i])
			    : 1;
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

	if (move_source_offer(j->t, d, &source) < 0)
		return -ENOMEM;
	move_offer(j->t, &j->pr, d->has_negotiated ? d->negotiated : source.yes, &here);
	for (size_t i = 0; i < j->pr.cat->n_rows; i++) {
		const struct row *row = &j->pr.cat->rows[i];
		struct predicted p;
		bool on;

		if (!move_row_is_of(row, d) || move_is_listed(&j->m->carry_on, row))
			continue;
		predict_row(&j->pr, row, &p);
		if (!move_is_switch(row, &p) ||
		    (row->pin != PIN_PINNED && !move_is_listed(&j->m->rescue, row) &&
		     !move_is_listed(&j->m->door, row)))
			continue;
		on = word_has(here.yes, row->bit) &&
		     (row->legacy || word_has(j->negotiated, row->bit) ||
		      (source.known && word_has(source.yes, row->bit)));
		if (move_list_row(&j->m->carry_on, row, on) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* A guest that is started anew has the file of the host, which takes more room than this has. */
static bool has_no_room(const struct judging *j, const struct row *row, const char *value)
{
	const json_t *own = row->observed ? qemu_observed(j->entry, j->pr.view.machine, row->observed) :
					    NULL;

	return own && json_integer_value(own) > strtoll(value, NULL, 10);
}

static int carry_value(struct judging *j, const struct row *row, const struct strings *list)
{
	for (size_t k = 0; k < list->n; k++) {
		const char *value;

		if (setting_is(list->s[k], row, &value) && !has_no_room(j, row, value) &&
		    !move_is_listed(&j->m->carry_on, row) &&
		    move_list_value(&j->m->carry_on, row, value) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* What the rescue sets beside features stays, and so does what the list of the baseline does. */
static int carry_values(struct judging *j)
{
	for (size_t i = 0; i < j->pr.cat->n_rows; i++) {
		const struct row *row = &j->pr.cat->rows[i];

		if (carry_value(j, row, &j->m->rescue) < 0 ||
		    ((row->number || row->bit < 0) && carry_value(j, row, &j->base) < 0))
			return -ENOMEM;
	}
	return 0;
}

int move_make_carry_on(struct judging *j)
{
	const struct abibase_guest *g = j->t->guest;

	for (size_t i = 0; i < g->n; i++) {
		int r = move_backends_of(j->pr.cat, &g->devices[i])
				? move_prepare_device(j, &g->devices[i])
				: 1;

		if (r == 0)
			r = carry_device(j, &g->devices[i]);
		if (r < 0)
			return r;
	}
	return carry_values(j);
}
