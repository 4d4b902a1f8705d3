/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/derive.h"

/*
 * Sizes that come of a file of the host, such as that of the network card's option ROM: each host
 * shows its guests what its own file takes, and a guest does not get in where that is another size.
 * Where a QEMU has the property, a size that holds every host's file is set; elsewhere the host's
 * own size is the only one that it can have. What is not known is not compared, and that is said.
 */

/* What a guest of this build sees when nobody says anything; -1: not known. */
static int64_t own_size(const struct derive *d, size_t r, size_t used)
{
	const json_t *v = derive_eff(d, r, used)->value;

	return json_is_integer(v) ? json_integer_value(v) : -1;
}

static size_t count_known(const struct derive *d, size_t r)
{
	size_t n = 0;

	for (size_t u = 0; u < d->b->n_used; u++)
		n += own_size(d, r, u) >= 0;
	return n;
}

/* In the answer where all of it is known, be it the same everywhere, or where what is known
 * differs. */
bool derive_observed_included(const struct derive *d, size_t r)
{
	const struct row *row = &d->cat->rows[r];

	if (!derive_is_about(d, row) || derive_is_disabled(d, row) || !d->b->n_used)
		return false;
	return count_known(d, r) == d->b->n_used || derive_differs(d, r);
}

int64_t derive_observed_number(const struct derive *d, size_t r)
{
	int64_t most = 0, size = 1;

	for (size_t u = 0; u < d->b->n_used; u++)
		if (own_size(d, r, u) > most)
			most = own_size(d, r, u);
	while (most && size < most)
		size *= 2;
	return most ? size : 0;
}

/* A build that cannot be told, and has another size by itself than @need, or one that is not known. */
static void judge_untold(struct derive *d, size_t r, size_t used, int64_t need)
{
	const struct row *row = &d->cat->rows[r];
	int64_t size = own_size(d, r, used);
	_buf_ text = { 0 };

	if (derive_eff(d, r, used)->known != ABIBASE_NO || size == need)
		return;
	derive_write_build(d, used, &text);
	buf_printf(&text, ": does not have the property %s (%s), and what its guests see is ",
		   row->key, row->feature);
	if (size < 0)
		buf_puts(&text, "not recorded");
	else
		buf_printf(&text, "%lld", (long long)size);
	buf_printf(&text, ", where others need %lld", (long long)need);
	derive_finding(d, size < 0 ? ABIBASE_FINDING_UNKNOWN : ABIBASE_FINDING_CONFLICT,
		       size < 0 ? "size-unknown" : "size-differs",
		       size < 0 ? "probe that host again" : row->remedy, &text);
}

/* Where nothing is known of any build there is nothing that one could be held against. */
static void judge_all_untold(struct derive *d, size_t r)
{
	int64_t need = d->included[r] ? d->number[r] : derive_observed_number(d, r);

	for (size_t u = 0; need && u < d->b->n_used; u++)
		judge_untold(d, r, u, need);
}

/* One note for all the hosts of which it is not known. */
static void note_unrecorded(struct derive *d, size_t r)
{
	bool *used = derive_alloc(d, d->b->n_used + 1, sizeof(*used));
	const struct row *row = &d->cat->rows[r];
	_buf_ text = { 0 };
	unsigned int *hosts;
	size_t n = 0;

	if (!used)
		return;
	for (size_t u = 0; u < d->b->n_used; u++)
		used[u] = own_size(d, r, u) < 0;
	derive_hosts_of(d, used, &hosts, &n);
	if (!n)
		return;
	buf_printf(&text, "%ss not recorded", row->feature);
	if (n < d->b->in.n_hosts) {
		buf_puts(&text, " of ");
		derive_write_hosts(d, hosts, n, &text);
	}
	buf_puts(&text, ", so not compared");
	derive_finding(d, ABIBASE_FINDING_NOTE, "size-not-recorded", NULL, &text);
}

/* The guests have to be so. */
static void note_left_out(struct derive *d, size_t r)
{
	const struct row *row = &d->cat->rows[r];
	_buf_ text = { 0 };

	buf_printf(&text,
		   "%ss were not compared, for the group %s was disabled: this is for guests whose "
		   "network cards have no ROM, with romfile= or rombar=0",
		   row->feature, row->group_name);
	derive_finding(d, ABIBASE_FINDING_NOTE, "size-left-out", NULL, &text);
}

void derive_observed(struct derive *d)
{
	for (size_t r = 0; r < d->cat->n_rows; r++) {
		const struct row *row = &d->cat->rows[r];

		if (!row->observed || !derive_is_about(d, row))
			continue;
		if (derive_is_disabled(d, row)) {
			note_left_out(d, r);
			continue;
		}
		judge_all_untold(d, r);
		note_unrecorded(d, r);
	}
}
