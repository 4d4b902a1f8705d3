/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/derive.h"

/*
 * Numbers: the least that the hosts state, where the operator of each host says it in a fact, or
 * the least that the QEMUs have by themselves. Set for all hosts or for none.
 */

static int64_t stated(const struct derive *d, unsigned int host, const struct row *row)
{
	return d->b->in.hosts[host]->numbers[row->fact];
}

/* 0: nobody states one. */
static int64_t least_stated(const struct derive *d, const struct row *row)
{
	int64_t least = 0;

	for (unsigned int i = 0; i < d->b->in.n_hosts; i++) {
		int64_t n = stated(d, i, row);

		if (n > 0 && (!least || n < least))
			least = n;
	}
	return least;
}

/* Is what one build has of it known, and not what another has? */
static bool is_half_known(const struct derive *d, size_t r)
{
	size_t known = 0;

	for (size_t u = 0; u < d->b->n_used; u++)
		known += json_is_integer(derive_eff(d, r, u)->value);
	return known && known < d->b->n_used;
}

/* Set too where the builds do not agree on it, or may not, as long as all of them can be told. */
bool derive_number_included(const struct derive *d, size_t r)
{
	const struct row *row = &d->cat->rows[r];

	if (derive_is_enabled(d, row) || derive_is_disabled(d, row))
		return true;
	if (row->fact >= 0 && least_stated(d, row))
		return true;
	return (derive_differs(d, r) || is_half_known(d, r)) &&
	       !derive_count(d, r, SETTING_ABSENT);
}

static int64_t least_default(const struct derive *d, size_t r)
{
	int64_t least = NUMBER_NONE;

	for (size_t u = 0; u < d->b->n_used; u++) {
		const json_t *v = derive_eff(d, r, u)->value;

		if (json_is_integer(v) && (least == NUMBER_NONE || json_integer_value(v) < least))
			least = json_integer_value(v);
	}
	return least;
}

/* What nobody states is not set; a size of 0 is one. */
int64_t derive_number(const struct derive *d, size_t r)
{
	const struct row *row = &d->cat->rows[r];
	int64_t stated;

	if (derive_is_disabled(d, row))
		return NUMBER_NONE;
	if (row->observed)
		return derive_observed_number(d, r);
	if (row->fact < 0)
		return least_default(d, r);
	stated = least_stated(d, row);
	return stated ? stated : NUMBER_NONE;
}

enum setting derive_number_setting(const struct effective *e, int64_t number)
{
	if (e->known == ABIBASE_NO)
		return SETTING_ABSENT;
	if (e->known == ABIBASE_UNKNOWN || !json_is_integer(e->value))
		return SETTING_UNKNOWN;
	return json_integer_value(e->value) == number ? SETTING_ON : SETTING_OFF;
}

/* The hosts because of which it is no more; none where they all state the same. */
void derive_number_why(struct derive *d, size_t r, struct why *w)
{
	const struct row *row = &d->cat->rows[r];
	size_t n = 0;

	w->kind = WHY_HOST_LEAST;
	w->what = d->cat->numbers[row->fact];
	for (unsigned int i = 0; i < d->b->in.n_hosts; i++)
		if (stated(d, i, row) == d->number[r])
			d->scratch[0][n++] = i;
	if (n < d->b->in.n_hosts)
		derive_keep_hosts(d, d->scratch[0], n, &w->hosts, &w->n_hosts);
}

/* --------------------------------------------------------------------- on all or on none */

static void finding_number(struct derive *d, const struct row *row, bool unstated)
{
	const char *fact = d->cat->numbers[row->fact];
	_buf_ text = { 0 }, remedy = { 0 };
	size_t n = 0;

	for (unsigned int i = 0; i < d->b->in.n_hosts; i++)
		if (stated(d, i, row) == (unstated ? NUMBER_UNSTATED : 0))
			d->scratch[0][n++] = i;
	if (!n)
		return;
	derive_write_hosts(d, d->scratch[0], n, &text);
	buf_printf(&text,
		   unstated ? ": the profile does not state %s, which is needed for %s (%s): it is "
			      "set on all hosts or on none" :
			      ": the profile states 0 for %s, and others a number, for %s (%s): it is "
			      "set on all hosts or on none",
		   fact, row->key, row->feature);
	buf_printf(&remedy, "write \"%s\" into the facts of %s; or --disable %s", fact,
		   unstated ? "that profile" : "each profile, a number everywhere or 0 everywhere",
		   row->group_name);
	derive_finding(d, unstated ? ABIBASE_FINDING_UNKNOWN : ABIBASE_FINDING_CONFLICT,
		       unstated ? "number-unknown" : "number-differs",
		       arena_words(&d->b->arena, &remedy), &text);
}

void derive_numbers(struct derive *d)
{
	for (size_t r = 0; r < d->cat->n_rows; r++) {
		const struct row *row = &d->cat->rows[r];

		if (!d->included[r] || !row->number || row->fact < 0 || derive_is_disabled(d, row))
			continue;
		finding_number(d, row, false);
		finding_number(d, row, true);
	}
}
