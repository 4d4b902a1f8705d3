/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document/rehearsals.h"
#include "model/derive.h"

/*
 * What two builds of the answer did with each common device alone. Without a guest it is a note; of a
 * guest's own devices, which are to go from each host to each other one, a conflict. What the
 * catalogue judges is judged there: the list may mend it.
 */

static int devices_of(const struct derive *d, const struct result_machine *m,
		      struct rehearsed_devices *ret)
{
	return d->guest ? rehearsed_of_guest(d->known->specimens, m, d->cat, d->guest, ret) :
			  rehearsed_of_all(m, ret);
}

/* "10.0.13 -> 11.1.3 (from a to b): of this guest's devices " */
static bool write_who(const struct derive *d, size_t from, size_t to, struct buf *out)
{
	_buf_ there = { 0 };
	size_t n = derive_write_users(d, to, NULL, true, &there);

	if (!n)
		return false;
	buf_printf(out, "%s -> %s (from ", d->b->used[from].build->version,
		   d->b->used[to].build->version);
	derive_write_users(d, from, NULL, false, out);
	buf_printf(out, " to %s): of %s ", buf_failed(&there) ? "" : there.data,
		   d->guest ? "this guest's devices" : "the common devices, each alone,");
	out->failed |= buf_failed(&there);
	return true;
}

static void say(struct derive *d, size_t from, size_t to, const struct rehearsed_devices *found)
{
	_buf_ text = { 0 };

	if (!rehearsed_fails(found) || !write_who(d, from, to, &text))
		return;
	rehearsed_write(found, &text);
	derive_finding(d, d->guest ? ABIBASE_FINDING_CONFLICT : ABIBASE_FINDING_NOTE,
		       "rehearsed-refused", d->guest ? REHEARSED_REMEDY : REHEARSED_ADVICE, &text);
	/* no document has what two hosts' builds do beside what it promises */
	if (!d->guest && !d->b->arena.failed)
		d->b->findings.f[d->b->findings.n - 1].of_inputs = true;
}

void derive_rehearsed(struct derive *d)
{
	for (size_t i = 0; i < d->known->n; i++) {
		const struct build_pair *p = &d->known->pair[i];
		const struct result_machine *m =
			rehearsal_result_machine(p->result, d->b->machine);
		long from = d->used_of[p->from], to = d->used_of[p->to];
		struct rehearsed_devices found;

		if (!m || from < 0 || to < 0)
			continue;
		if (devices_of(d, m, &found) < 0)
			d->b->arena.failed = true;
		else
			say(d, (size_t)from, (size_t)to, &found);
		rehearsed_devices_clear(&found);
	}
}
