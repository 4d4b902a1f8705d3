/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/derive.h"

/* What is asked of one row: its defaults, the wishes about it, and whether it is on. */

enum setting derive_setting(const struct effective *e)
{
	if (e->known == ABIBASE_NO)
		return SETTING_ABSENT;
	if (e->known == ABIBASE_UNKNOWN || !e->value)
		return SETTING_UNKNOWN;
	return value_is_on(e->value) ? SETTING_ON : SETTING_OFF;
}

size_t derive_count(const struct derive *d, size_t row, enum setting s)
{
	size_t n = 0;

	for (size_t u = 0; u < d->b->n_used; u++)
		n += derive_setting(derive_eff(d, row, u)) == s;
	return n;
}

size_t derive_count_on(const struct derive *d, size_t r)
{
	size_t n = 0;

	for (size_t u = 0; u < d->b->n_used; u++) {
		const struct effective *e = derive_eff(d, r, u);

		n += e->without ? value_is_on(e->without) : derive_setting(e) == SETTING_ON;
	}
	return n;
}

/* What a QEMU without the property does cannot be changed: all the others have to do it too. */
static const json_t *forced(const struct derive *d, size_t r)
{
	for (size_t u = 0; u < d->b->n_used; u++)
		if (derive_eff(d, r, u)->without)
			return derive_eff(d, r, u)->without;
	return NULL;
}

/* Do builds have different values of it? What is not known is not compared. */
bool derive_differs(const struct derive *d, size_t r)
{
	const json_t *first = NULL;

	for (size_t u = 0; u < d->b->n_used; u++) {
		const json_t *v = effective_seen(derive_eff(d, r, u), &d->cat->rows[r]);

		if (v && first && !json_equal(v, first))
			return true;
		first = v ? v : first;
	}
	return false;
}

bool derive_is_unrecorded(const struct derive *d, size_t r, size_t used)
{
	const struct effective *e = derive_eff(d, r, used);

	return e->known == ABIBASE_YES && !e->value;
}

bool derive_has_unrecorded(const struct derive *d, size_t r)
{
	for (size_t u = 0; u < d->b->n_used; u++)
		if (derive_is_unrecorded(d, r, u))
			return true;
	return false;
}

/* Is the row of a device that is asked about? */
bool derive_is_about(const struct derive *d, const struct row *row)
{
	return row->backends & d->b->in.policy.backends;
}

bool derive_is_promised(const struct derive *d, const struct row *row)
{
	return strings_have(&d->b->in.policy.rows, row->key);
}

/* What stands for no feature, such as disable-modern, is not switched on with its group. */
bool derive_is_enabled(const struct derive *d, const struct row *row)
{
	return row->group_name && (row->bit >= 0 || row->number) &&
	       strings_have(&d->b->in.policy.enable, row->group_name);
}

bool derive_is_disabled(const struct derive *d, const struct row *row)
{
	return row->group_name && (row->bit >= 0 || row->observed) &&
	       strings_have(&d->b->in.policy.disable, row->group_name);
}

bool derive_is_set_off(const struct derive *d, const struct row *row)
{
	return row->disabled && row->group_name &&
	       strings_have(&d->b->in.policy.disable, row->group_name);
}

bool derive_is_masked(const struct derive *d, const struct requirement *q, unsigned int backends)
{
	const struct row *row = q->masked_by < 0 ? NULL : &d->cat->rows[q->masked_by];

	return row && row->backends & backends && derive_is_set_off(d, row);
}

/* What a row that the baseline does not set is in every QEMU: on, off, or they differ. */
static bool default_on(const struct derive *d, size_t r)
{
	const struct row *row = &d->cat->rows[r];

	for (size_t u = 0; u < d->b->n_used; u++) {
		const struct effective *e = derive_eff(d, r, u);

		if (row->boolean ? derive_setting(e) != SETTING_ON :
				   effective_bit(e, row) != ABIBASE_YES)
			return false;
	}
	return d->b->n_used > 0;
}

/* To be on as far as the QEMUs go? Where more than defaults is asked for, knowing it is enough. */
bool derive_wanted_on(const struct derive *d, size_t r)
{
	const struct row *row = &d->cat->rows[r];
	bool more = derive_is_enabled(d, row) || derive_is_promised(d, row) ||
		    (d->b->in.policy.all && row->pin == PIN_PINNED);

	if (forced(d, r))
		return value_is_on(forced(d, r));
	/* what takes a feature away is on by name alone, whatever a machine type has */
	if (row->disabled || derive_is_disabled(d, row) ||
	    (row->number && d->number[r] == NUMBER_NONE))
		return false;
	if (row->observed) /* set where it can be, and the same elsewhere, or it is a conflict */
		return true;
	if (!more && !row->number)
		return default_on(d, r);
	for (size_t u = 0; u < d->b->n_used; u++)
		if (derive_eff(d, r, u)->known != ABIBASE_YES)
			return false;
	return d->b->n_used > 0;
}

bool derive_row_is_on(const struct derive *d, size_t r)
{
	return d->included[r] ? d->on[r] : default_on(d, r);
}

void derive_condition_names(struct derive *d, const struct needs *needs, const char ***ret,
			    size_t *ret_n)
{
	const struct abibase_catalogue *cat = d->cat;
	bool *wanted = derive_alloc(d, cat->n_conditions + 1, sizeof(*wanted));
	const char **names = arena_alloc(&d->b->arena,
					 (cat->n_conditions + 1) * sizeof(*names));

	if (!wanted || !names)
		return;
	for (size_t be = 0; be < cat->n_backends; be++)
		for (size_t u = 0; d->b->in.policy.backends & (1u << be) && u < d->b->n_used; u++) {
			struct ask a = { .cat = cat, .view = &d->views[u] };

			for (struct asked w = { 0 }; ask_next_need(&a, &needs[be], &w);)
				if (w.c)
					wanted[w.condition] = true;
		}
	for (size_t c = 0; c < cat->n_conditions; c++)
		if (wanted[c])
			names[(*ret_n)++] = cat->conditions[c].name;
	*ret = names;
}
