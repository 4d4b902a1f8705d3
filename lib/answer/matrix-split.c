/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "answer/matrix.h"
#include "base/context.h"
#include "model/intersect.h"

/*
 * Which groups of cohorts would have most? A group is worth what its own baseline says: first that
 * there is one, for as many hosts as it has; then the features that are on in it, for each of them.
 */

#define EXACT_MAX 12  /* cohorts: every subset of them gets its baseline, 4095 */
#define GROUPS_MAX 3

struct worth {
	bool known;
	/* hosts with a baseline; and times the features that are on there */
	uint64_t served, features;
};

struct splitting {
	struct matrix_answer *a;
	unsigned int groups;
	struct worth *subsets;	/* exact: for each mask of cohorts */
	unsigned char *at, *best; /* the group of each cohort */
	struct worth of_best;
};

static bool is_better(const struct worth *x, const struct worth *y)
{
	return x->served != y->served ? x->served > y->served : x->features > y->features;
}

static void add_worth(struct worth *to, const struct worth *x)
{
	to->served += x->served;
	to->features += x->features;
}

static bool is_feature(const struct value *v)
{
	return v->on && v->bit >= 0;
}

static int baseline_of(const struct matrix_answer *a, const bool *in, struct abibase_baseline **ret)
{
	_autofree_ unsigned int *hosts = calloc(a->m->n + 1, sizeof(*hosts));
	size_t n = 0;

	for (size_t i = 0; hosts && i < a->m->n; i++)
		if (in[i])
			hosts[n++] = a->m->cohort[i].host;
	return hosts ? intersection_of_some(a->m->ix, hosts, n, ret) : context_oom(a->m->ctx);
}

static int worth_of(const struct matrix_answer *a, const bool *in, struct worth *ret)
{
	struct abibase_baseline *b;
	uint64_t hosts = 0, on = 0;
	int r = baseline_of(a, in, &b);

	if (r < 0)
		return r;
	for (size_t i = 0; i < a->m->n; i++)
		hosts += in[i] ? a->m->cohort[i].n : 0;
	for (size_t i = 0; i < b->n_values; i++)
		on += is_feature(&b->values[i]);
	*ret = (struct worth){ .known = true };
	if (b->verdict == ABIBASE_VERDICT_YES)
		*ret = (struct worth){ true, hosts, hosts * on };
	abibase_baseline_unref(b);
	return 0;
}

/* -------------------------------------------------------------------------------- exact */

static int worth_of_mask(struct splitting *s, unsigned int mask)
{
	bool in[EXACT_MAX];

	if (!mask || s->subsets[mask].known)
		return 0;
	for (unsigned int i = 0; i < s->a->m->n; i++)
		in[i] = mask & (1u << i);
	return worth_of(s->a, in, &s->subsets[mask]);
}

/* Each cohort from the @i-th on in each group that is begun, or in the next; @n are begun. */
static int try_all(struct splitting *s, size_t i, unsigned int n, unsigned int masks[GROUPS_MAX])
{
	struct worth w = { 0 };
	int r = 0;

	if (n + (s->a->m->n - i) < s->groups)
		return 0;
	for (unsigned int g = 0; i < s->a->m->n && r == 0 && g <= n && g < s->groups; g++) {
		masks[g] |= 1u << i;
		s->at[i] = (unsigned char)g;
		r = try_all(s, i + 1, g == n ? n + 1 : n, masks);
		masks[g] &= ~(1u << i);
	}
	if (i < s->a->m->n || r < 0)
		return r;
	for (unsigned int g = 0; r == 0 && g < s->groups; g++) {
		r = worth_of_mask(s, masks[g]);
		add_worth(&w, &s->subsets[masks[g]]);
	}
	if (r == 0 && (!s->of_best.known || is_better(&w, &s->of_best))) {
		s->of_best = w;
		s->of_best.known = true;
		memcpy(s->best, s->at, s->a->m->n);
	}
	return r;
}

static int split_exactly(struct splitting *s)
{
	unsigned int masks[GROUPS_MAX] = { 0 };
	int r;

	s->subsets = calloc((size_t)1 << s->a->m->n, sizeof(*s->subsets));
	if (!s->subsets)
		return context_oom(s->a->m->ctx);
	r = try_all(s, 0, 0, masks);
	free(s->subsets);
	return r;
}

/* ------------------------------------------------------------------------------- greedy */

#define PASSES_MAX 8

struct moving {
	struct splitting *s;
	struct worth of[GROUPS_MAX]; /* what each group is worth now */
	bool *placed, *in;
	unsigned int begun;
};

/* Of the group @g with the cohort @i, or without it. */
static int worth_with(struct moving *v, unsigned int g, size_t i, bool with, struct worth *ret)
{
	size_t n = 0;

	for (size_t k = 0; k < v->s->a->m->n; k++) {
		v->in[k] = k == i ? with : v->placed[k] && v->s->best[k] == g;
		n += v->in[k];
	}
	*ret = (struct worth){ .known = true };
	return n ? worth_of(v->s->a, v->in, ret) : 0;
}

static struct worth total(const struct moving *v)
{
	struct worth w = { .known = true };

	for (unsigned int g = 0; g < v->s->groups; g++)
		add_worth(&w, &v->of[g]);
	return w;
}

/* Where it makes all of them worth most; one that is placed stays where nothing is better. */
static int place(struct moving *v, size_t i, bool *ret_moved)
{
	struct moving best = *v, was = *v;
	unsigned int home = v->s->best[i], to = home;
	bool found = v->placed[i];
	int r = 0;

	if (v->placed[i])
		r = worth_with(v, home, i, false, &was.of[home]);
	for (unsigned int g = 0; r == 0 && g < v->s->groups && g <= v->begun; g++) {
		struct moving with = was;
		struct worth w, of_best = total(&best);

		if (v->placed[i] && g == home)
			continue;
		r = worth_with(v, g, i, true, &with.of[g]);
		w = total(&with);
		if (r == 0 && (!found || is_better(&w, &of_best))) {
			best = with;
			to = g;
			found = true;
		}
	}
	*ret_moved |= to != home;
	memcpy(v->of, best.of, sizeof(v->of));
	v->s->best[i] = (unsigned char)to;
	v->begun += !v->placed[i] && to == v->begun;
	v->placed[i] = true;
	return r;
}

static bool is_last_of_group(const struct splitting *s, size_t i)
{
	for (size_t k = 0; k < s->a->m->n; k++)
		if (k != i && s->best[k] == s->best[i])
			return false;
	return true;
}

/* One after another, the largest first; then each again, until none is better elsewhere. */
static int place_all(struct moving *v, const unsigned int *order)
{
	size_t n = v->s->a->m->n;
	bool moved = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = place(v, order[i], &moved);
	for (int pass = 0; r == 0 && pass < PASSES_MAX; pass++) {
		moved = false;
		for (size_t i = 0; r == 0 && i < n; i++)
			if (!is_last_of_group(v->s, order[i]))
				r = place(v, order[i], &moved);
		if (!moved)
			break;
	}
	return r;
}

static int larger_first(const void *a, const void *b, void *data)
{
	const struct cohort *c = data;
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return c[x].n != c[y].n ? (c[x].n > c[y].n ? -1 : 1) : (x > y) - (x < y);
}

static int split_greedily(struct splitting *s)
{
	size_t n = s->a->m->n;
	struct moving v = { .s = s, .placed = calloc(n, sizeof(bool)),
			    .in = calloc(n, sizeof(bool)) };
	_autofree_ unsigned int *order = calloc(n, sizeof(*order));
	int r = -ENOMEM;

	for (unsigned int i = 0; order && i < n; i++)
		order[i] = i;
	if (order && v.placed && v.in) {
		qsort_r(order, n, sizeof(*order), larger_first, s->a->m->cohort);
		r = place_all(&v, order);
	}
	free(v.placed);
	free(v.in);
	return r == -ENOMEM ? context_oom(s->a->m->ctx) : r;
}

/* --------------------------------------------------------------------------- in a document */

static json_t *gains(const struct matrix_answer *a, const struct abibase_baseline *b)
{
	json_t *list = json_array();

	for (size_t i = 0; i < b->n_values; i++) {
		const struct value *v = &b->values[i];
		const struct value *all = baseline_value(a->all, v->class_name, v->property);

		if (!is_feature(v) || (all && all->on))
			continue;
		if (json_add(list, json_sprintf("%s.%s", v->class_name, v->property)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static int put_group(const struct splitting *s, unsigned int g, json_t *list)
{
	const struct abibase_matrix *m = s->a->m;
	_autofree_ bool *in = calloc(m->n + 1, sizeof(*in));
	json_t *names = json_array();
	struct abibase_baseline *b;
	size_t hosts = 0;
	int r = in && names ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < m->n; i++) {
		in[i] = s->best[i] == g;
		hosts += in[i] ? m->cohort[i].n : 0;
		if (in[i])
			r = json_add(names, json_string(cohort_name(&m->cohort[i])));
	}
	if (r == 0)
		r = baseline_of(s->a, in, &b);
	if (r < 0) {
		json_decref(names);
		return r;
	}
	r = json_add(list, json_pack("{s:o, s:I, s:s, s:s*, s:o}", "cohorts", names, "hosts",
				     (json_int_t)hosts, "verdict", verdict_words[b->verdict],
				     "machine", b->machine, "gains", gains(s->a, b)));
	abibase_baseline_unref(b);
	return r;
}

static int put_split(const struct splitting *s, bool exact)
{
	json_t *list = json_array();
	int r = json_put(s->a->root, "split",
			 json_pack("{s:b, s:o}", "exact", exact, "groups", list));

	for (unsigned int g = 0; r == 0 && g < s->groups; g++)
		r = put_group(s, g, list);
	return r == -ENOMEM ? context_oom(s->a->m->ctx) : r;
}

int matrix_split(struct matrix_answer *a, unsigned int groups)
{
	struct splitting s = { .a = a, .groups = groups };
	bool exact = a->m->n <= EXACT_MAX;
	int r;

	if (groups > GROUPS_MAX)
		return context_fail(a->m->ctx, EINVAL, "usage", NULL,
				    "hosts are split into %d groups at most", GROUPS_MAX);
	if (groups > a->m->n)
		s.groups = (unsigned int)a->m->n;
	s.at = calloc(a->m->n, 1);
	s.best = calloc(a->m->n, 1);
	r = s.at && s.best ? 0 : context_oom(a->m->ctx);
	if (r == 0)
		r = exact ? split_exactly(&s) : split_greedily(&s);
	if (r == 0)
		r = put_split(&s, exact);
	free(s.at);
	free(s.best);
	return r;
}
