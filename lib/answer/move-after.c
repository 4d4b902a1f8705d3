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
static void gain(struct judging *j, const struct guest_device *d, int bit, struct way_back *w)
{
	const struct abibase_catalogue *cat = j->pr.cat;
	const struct row *switched = NULL;

	for (size_t i = 0; i < cat->n_rows; i++) {
		const struct row *row = &cat->rows[i];
		struct predicted p;

		if (!move_row_is_of(row, d) || row->bit != bit)
			continue;
		if (row->legacy) /* no driver of a modern device takes it */
			return;
		move_insert(j, &j->m->gains, row->feature);
		predict_row(&j->pr, row, &p);
		if (move_is_switch(row, &p) && !word_has(j->negotiated, bit))
			switched = row;
	}
	if (switched)
		return move_list_row(j, &j->m->door, switched, false);
	for (size_t i = 0; i < cat->n_requirements; i++)
		if (cat->requirements[i].bit == bit &&
		    cat->requirements[i].backends & (1u << j->pr.backend))
			move_insert(j, &j->m->gains, cat->requirements[i].feature);
	buf_printf(&w->stays, "%sbit %d", w->stays.len ? ", " : "", bit);
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

static void back_device(struct judging *j, const struct guest_device *d, struct way_back *w)
{
	struct offered source, here;

	back_leave(j, w);
	move_offered_there(j, d, &source);
	if (!source.known) {
		w->unknown = true;
		return;
	}
	move_target_offer(j, d, d->has_negotiated ? d->negotiated : source.yes, &here);
	for (int bit = 0; bit < 128; bit++)
		if (word_has(here.maybe, bit) && !word_has(source.yes, bit))
			gain(j, d, bit, w);
	back_shapes(j, w);
	back_requirements(j, d, w);
}

static void back_text(struct judging *j, struct way_back *w)
{
	struct move *m = j->m;
	_buf_ text = { 0 };

	if (w->unknown && !m->gains.n && !w->leave) {
		m->way_back = ABIBASE_UNKNOWN;
		return;
	}
	m->way_back = m->gains.n || w->stays.len || w->now.len || w->leave ? ABIBASE_NO :
									     ABIBASE_YES;
	if (m->way_back == ABIBASE_YES)
		return;
	m->door_shut = w->now.len || w->stays.len || w->leave;
	if (w->leave) {
		m->way_back_text = arena_printf(move_arena(j),
						"it cannot leave that host again: %s", w->leave);
		return;
	}
	if (w->now.len)
		buf_printf(&text, "there is no way back from the moment it is there: %s is saved "
				  "there and not accepted where it comes from",
			   arena_words(move_arena(j), &w->now));
	else
		buf_puts(&text, "from its next reset there the guest cannot return: it can then have ");
	for (size_t i = 0; !w->now.len && i < m->gains.n; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", m->gains.s[i]);
	if (w->stays.len && !w->now.len)
		buf_printf(&text, "%s%s, which no list prevents",
			   m->gains.n ? "; and " : "", arena_words(move_arena(j), &w->stays));
	m->way_back_text = arena_strdup(move_arena(j), arena_words(move_arena(j), &text));
}

void move_judge_way_back(struct judging *j)
{
	const struct abibase_guest *g = j->t->guest;
	struct way_back w = { 0 };

	for (size_t i = 0; i < g->n; i++)
		if (move_backends_of(j->pr.cat, &g->devices[i]) &&
		    move_prepare_device(j, &g->devices[i]))
			back_device(j, &g->devices[i], &w);
	back_text(j, &w);
	buf_clear(&w.now);
	buf_clear(&w.stays);
}

/* ------------------------------------------------------------- the list to carry on with */

/*
 * The device as it is from now on, in explicit values, so that no later default changes it. Without a
 * word about the source only what the guest has is sure to be had elsewhere.
 */
static void carry_device(struct judging *j, const struct guest_device *d)
{
	struct offered here, source;

	move_offered_there(j, d, &source);
	move_target_offer(j, d, d->has_negotiated ? d->negotiated : source.yes, &here);
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
		move_list_row(j, &j->m->carry_on, row, on);
	}
}

/* A guest that is started anew has the file of the host, which takes more room than this has. */
static bool has_no_room(const struct judging *j, const struct row *row, const char *value)
{
	const json_t *own = row->observed ? qemu_observed(j->entry, j->pr.view.machine, row->observed) :
					    NULL;

	return own && json_integer_value(own) > strtoll(value, NULL, 10);
}

static void carry_value(struct judging *j, const struct row *row, const struct strings *list)
{
	for (size_t k = 0; k < list->n; k++) {
		const char *value;

		if (setting_is(list->s[k], row, &value) && !has_no_room(j, row, value) &&
		    !move_is_listed(&j->m->carry_on, row))
			move_list_value(j, &j->m->carry_on, row, value);
	}
}

/* What the rescue sets beside features stays, and so does what the list of the baseline does. */
static void carry_values(struct judging *j)
{
	for (size_t i = 0; i < j->pr.cat->n_rows; i++) {
		const struct row *row = &j->pr.cat->rows[i];

		carry_value(j, row, &j->m->rescue);
		if (row->number || row->bit < 0)
			carry_value(j, row, &j->base);
	}
}

void move_make_carry_on(struct judging *j)
{
	const struct abibase_guest *g = j->t->guest;

	for (size_t i = 0; i < g->n; i++)
		if (move_backends_of(j->pr.cat, &g->devices[i]) &&
		    move_prepare_device(j, &g->devices[i]))
			carry_device(j, &g->devices[i]);
	carry_values(j);
}
