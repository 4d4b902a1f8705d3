/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document/cpu.h"
#include "model/derive.h"

/* One guest that is to run on all of the hosts: each must bear what the guest is told. */

/* The largest number that a device of the guest is told of this row; NUMBER_UNSTATED: none. */
static int64_t told_of(const struct derive *d, const struct row *row)
{
	int64_t most = NUMBER_UNSTATED;

	for (size_t i = 0; i < d->guest->n; i++) {
		const struct guest_device *device = &d->guest->devices[i];
		int be = device->backend ? catalogue_backend(d->cat, device->backend) : -1;

		if (streq(device->class_name, row->class_name) && device->mtu > most &&
		    (be < 0 || !d->cat->backends[be].predicted_only))
			most = device->mtu;
	}
	return most;
}

/* Put the hosts from @first on that state the same limit as that one into d->scratch[0]. */
static size_t hosts_like(const struct derive *d, const struct row *row, size_t first)
{
	const struct inputs *in = &d->b->in;
	int64_t limit = in->hosts[first]->numbers[row->fact];
	size_t n = 0;

	for (size_t i = first; i < in->n_hosts; i++)
		if (in->hosts[i]->numbers[row->fact] == limit)
			d->scratch[0][n++] = (unsigned int)i;
	return n;
}

static bool is_first(const struct derive *d, const struct row *row, size_t host)
{
	struct host *const *h = d->b->in.hosts;

	for (size_t i = 0; i < host; i++)
		if (h[i]->numbers[row->fact] == h[host]->numbers[row->fact])
			return false;
	return true;
}

static void say_limit(struct derive *d, const struct row *row, size_t host, int64_t told)
{
	int64_t limit = d->b->in.hosts[host]->numbers[row->fact];
	size_t n = hosts_like(d, row, host);
	_buf_ text = { 0 };

	derive_write_hosts(d, d->scratch[0], n, &text);
	buf_printf(&text, ": the guest is told %lld (%s), and ", (long long)told, row->key);
	if (limit == NUMBER_UNSTATED) {
		buf_printf(&text, "whether that is possible there is not stated (%s)", row->limit);
		derive_finding(d, ABIBASE_FINDING_UNKNOWN, "guest-sets",
			       "state the fact in the profile of that host", &text);
		return;
	}
	buf_printf(&text, "there it is %lld (%s)", (long long)limit, row->limit);
	derive_finding(d, ABIBASE_FINDING_CONFLICT, "guest-sets", "raise it on that host", &text);
}

static void judge_limits(struct derive *d)
{
	for (size_t r = 0; r < d->cat->n_rows; r++) {
		const struct row *row = &d->cat->rows[r];
		int64_t told = row->limit && row->fact >= 0 ? told_of(d, row) : NUMBER_UNSTATED;

		for (size_t i = 0; told != NUMBER_UNSTATED && i < d->b->in.n_hosts; i++)
			if (ask_limit(d->b->in.hosts[i]->numbers[row->fact], told) != ABIBASE_YES &&
			    is_first(d, row, i))
				say_limit(d, row, i, told);
	}
}

/* Of what one on another backend is offered the catalogue says nothing. */
static void judge_backends(struct derive *d)
{
	for (size_t i = 0; i < d->guest->n; i++) {
		const struct guest_device *device = &d->guest->devices[i];
		_buf_ text = { 0 };

		if (guest_device_backend(d->cat, device) != MAX_BACKENDS)
			continue;
		buf_printf(&text,
			   "the guest has a device on %s, which is no backend of the catalogue",
			   device->backend);
		derive_finding(d, ABIBASE_FINDING_UNKNOWN, "guest-unknown",
			       "say what the device lies on, or take it out of the guest", &text);
	}
}

static void note_cpu(struct derive *d)
{
	_buf_ text = { 0 }, remedy = { 0 };

	if (cpu_write_guest(d->guest, &text, &remedy))
		finding_add(&d->b->findings,
			    (struct finding){ .kind = ABIBASE_FINDING_NOTE,
					      .id = "guest-cpu",
					      .remedy = arena_words(&d->b->arena, &remedy),
					      .of_inputs = true },
			    &text);
}

void derive_guest(struct derive *d)
{
	const char *word;

	for (size_t i = 0; (word = guest_unjudged(d->guest, i)); i++) {
		_buf_ text = { 0 };

		if (baseline_sets(d->b, word))
			continue;
		buf_printf(&text, "the guest has %s, and what that does to its devices is not judged",
			   word);
		derive_finding(d, ABIBASE_FINDING_UNKNOWN, "guest-unknown", GUEST_UNJUDGED_REMEDY,
			       &text);
	}
	judge_backends(d);
	judge_limits(d);
	note_cpu(d);
}
