/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "answer/matrix.h"
#include "base/context.h"
#include "document/cohorts.h"

/*
 * Cohorts differ in much that a guest of this machine type and backend does not look at. While two of
 * them are judged, each notes which conditions were asked of it; two others that have the same QEMUs
 * and answer the same to these are answered alike, for an answer comes of nothing else. But for the
 * names: what is in the way has that of the destination in its words, and is said of that host alone; and
 * with that of the source it is not kept.
 */

#define LOOK_MAX 32    /* answers that are looked through for a pair */
#define KEPT_MAX 50000 /* in all, of one question */

struct answer_of {
	struct answer_of *next;
	const struct matrix_side *from, *to;
	bool *asked; /* of the one, and then of the other: for each condition */
	struct matrix_said said;
};

struct answer_list {
	struct answer_of *first;
	size_t n;
};

/* ------------------------------------------------------------------------------- sides */

/* All but the conditions. Of a host without QEMUs more is asked by its name. */
static bool is_like(const struct matrix_known *k, const struct matrix_side *x,
		    const struct matrix_side *y)
{
	const struct cohorts by = { .cat = k->cat, .judged = true };
	const struct abibase_profile *p = x->p, *q = y->p;

	if (!p || !p->n_qemu || p->n_unasked || cohorts_cmp(&by, &k->in, x->host, y->host))
		return false;
	for (size_t i = 0; i < p->n_qemu; i++)
		if (!streq(p->qemu[i].digest, q->qemu[i].digest) ||
		    !same_text(p->qemu[i].path, q->qemu[i].path) ||
		    !p->qemu[i].record != !q->qemu[i].record)
			return false;
	return true;
}

static int fill_side(struct matrix_known *k, struct abibase_context *ctx, size_t at,
		     struct abibase_profile *p)
{
	struct matrix_side *side = &k->side[at];
	int r;

	side->p = profile_share(p);
	side->asked = calloc(k->cat->n_conditions + 1, sizeof(*side->asked));
	if (!side->p || !side->asked)
		return context_oom(ctx);
	side->p->asked = side->asked;
	r = inputs_host_of_profile(ctx, &k->in, k->cat, p, &side->host);
	if (r < 0)
		return r;
	side->like = k->n_likes;
	for (size_t i = 0; i < at && side->like == k->n_likes; i++)
		if (is_like(k, &k->side[i], side))
			side->like = k->side[i].like;
	k->n_likes += side->like == k->n_likes;
	return 0;
}

int matrix_known_init(struct matrix_known *k, const struct abibase_matrix *m)
{
	int r = inputs_from_catalogue(&k->in, m->cat) < 0 ? context_oom(m->ctx) : 0;

	k->cat = m->cat;
	k->n = 2 * m->n;
	k->side = calloc(k->n + 1, sizeof(*k->side));
	if (r == 0 && !k->side)
		r = context_oom(m->ctx);
	for (size_t i = 0; r == 0 && i < k->n; i++)
		if (m->cohort[i / 2].p[i % 2])
			r = fill_side(k, m->ctx, i, m->cohort[i / 2].p[i % 2]);
	if (r < 0)
		return r;
	k->list = calloc(k->n_likes * (k->n_likes + k->n) + 1, sizeof(*k->list));
	return k->list ? 0 : context_oom(m->ctx);
}

void matrix_known_forget(struct matrix_known *k)
{
	for (size_t i = 0; k->list && i < k->n_likes * (k->n_likes + k->n); i++) {
		while (k->list[i].first) {
			struct answer_of *e = k->list[i].first;

			k->list[i].first = e->next;
			matrix_said_clear(&e->said);
			free(e->asked);
			free(e);
		}
		k->list[i].n = 0;
	}
	k->n_kept = 0;
}

void matrix_known_clear(struct matrix_known *k)
{
	matrix_known_forget(k);
	for (size_t i = 0; k->side && i < k->n; i++) {
		abibase_profile_unref(k->side[i].p);
		host_unref(k->side[i].host);
		free(k->side[i].asked);
	}
	free(k->side);
	free(k->list);
	inputs_clear(&k->in);
}

/* ----------------------------------------------------------------------------- answers */

/* The answers about such hosts; or those with the name of this one in their words. */
static struct answer_list *list_of(const struct matrix_known *k, const struct matrix_side *from,
				 const struct matrix_side *to, bool named)
{
	size_t at = named ? k->n_likes + (size_t)(to - k->side) : to->like;

	return &k->list[from->like * (k->n_likes + k->n) + at];
}

static bool says_same(const struct matrix_known *k, const bool *asked, const struct matrix_side *x,
		      const struct matrix_side *y)
{
	for (size_t i = 0; x != y && i < k->cat->n_conditions; i++)
		if (asked[i] && x->host->answers[i] != y->host->answers[i])
			return false;
	return true;
}

const struct matrix_said *matrix_known_find(const struct matrix_known *k,
					    const struct matrix_side *from,
					    const struct matrix_side *to)
{
	for (int named = 0; named < 2; named++)
		for (struct answer_of *e = list_of(k, from, to, named)->first; e; e = e->next)
			if (says_same(k, e->asked, e->from, from) &&
			    says_same(k, e->asked + k->cat->n_conditions, e->to, to))
				return &e->said;
	return NULL;
}

void matrix_known_begin(struct matrix_known *k, struct matrix_side *from, struct matrix_side *to)
{
	memset(from->asked, 0, k->cat->n_conditions * sizeof(*from->asked));
	memset(to->asked, 0, k->cat->n_conditions * sizeof(*to->asked));
}

int matrix_known_keep(struct matrix_known *k, const struct matrix_side *from,
		      const struct matrix_side *to, const struct matrix_said *said)
{
	struct answer_list *list = list_of(k, from, to, json_array_size(said->why) > 0);
	size_t n = k->cat->n_conditions;
	struct answer_of *e;

	if (list->n == LOOK_MAX || k->n_kept == KEPT_MAX)
		return 0;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->asked = calloc(2 * n + 1, sizeof(*e->asked));
	if (!e->asked) {
		free(e);
		return -ENOMEM;
	}
	memcpy(e->asked, from->asked, n * sizeof(*e->asked));
	memcpy(e->asked + n, to->asked, n * sizeof(*e->asked));
	e->from = from;
	e->to = to;
	e->said = matrix_said_copy(said);
	e->next = list->first;
	list->first = e;
	list->n++;
	k->n_kept++;
	return 0;
}
