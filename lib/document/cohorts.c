/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "document/cohorts.h"

static int number_cmp(size_t x, size_t y)
{
	return (x > y) - (x < y);
}

static int qemus_cmp(const struct cohorts *o, const struct host *x, const struct host *y)
{
	int r = number_cmp(x->n_qemu, y->n_qemu);

	if (!r)
		r = number_cmp(x->n_unasked, y->n_unasked);
	for (size_t i = 0; !r && i < x->n_qemu; i++) {
		r = number_cmp(x->qemu[i].build, y->qemu[i].build);
		if (!r && (!o->judged || o->paths))
			r = number_cmp(x->qemu[i].path, y->qemu[i].path);
	}
	for (size_t i = 0; !r && i < x->n_unasked; i++) {
		r = number_cmp(x->unasked[i].reason, y->unasked[i].reason);
		if (!r && (!o->judged || o->paths))
			r = number_cmp(x->unasked[i].path, y->unasked[i].path);
	}
	return r;
}

static int answers_cmp(const struct cohorts *o, const struct inputs *in, const struct host *x,
		       const struct host *y)
{
	for (size_t i = 0; i < in->n_conditions; i++)
		if (x->answers[i] != y->answers[i] && cohorts_ask(o, i))
			return x->answers[i] < y->answers[i] ? -1 : 1;
	return memcmp(x->numbers, y->numbers, in->n_numbers * sizeof(*x->numbers));
}

int cohorts_cmp(const struct cohorts *o, const struct inputs *in, const struct host *x,
		const struct host *y)
{
	const unsigned int a[] = { x->arch, x->has_qemu, inputs_assumes_qemu(in, x),
				   inputs_is_dest(in, x), o->judged ? x->errata : x->platform };
	const unsigned int b[] = { y->arch, y->has_qemu, inputs_assumes_qemu(in, y),
				   inputs_is_dest(in, y), o->judged ? y->errata : y->platform };
	int r = memcmp(a, b, sizeof(a));

	if (!r && !o->any_qemu)
		r = qemus_cmp(o, x, y);
	return r ? r : answers_cmp(o, in, x, y);
}

bool cohorts_place(const struct cohorts *o, const struct inputs *in, const struct host *h,
		   const void *of, size_t n, cohorts_host_fn host_of, size_t *ret)
{
	size_t from = 0, to = n;

	while (from < to) {
		size_t at = from + (to - from) / 2;
		int r = cohorts_cmp(o, in, h, host_of(of, at));

		*ret = at;
		if (!r)
			return true;
		if (r < 0)
			to = at;
		else
			from = at + 1;
	}
	*ret = from;
	return false;
}

/* What hosts of one cohort have in common, and others hardly ever. */
static uint32_t host_hash(const struct cohorts *o, const struct inputs *in, const struct host *h,
			  uint32_t point)
{
	uint32_t x = index_hash_add(1, h->arch, point);

	for (size_t i = 0; !o->any_qemu && i < h->n_qemu; i++)
		x = index_hash_add(x, h->qemu[i].build, point);
	for (size_t i = 0; i < in->n_conditions; i++)
		if (cohorts_ask(o, i))
			x = index_hash_add(x, h->answers[i], point);
	return x;
}

/* A slot is the number of the first host of a cohort plus one, or 0. */
struct grouping {
	const struct cohorts *o;
	const struct inputs *in;
	unsigned int *slots, *last; /* last: host so far, of the cohort of each first */
	uint32_t *hash;		    /* of each first */
	size_t size;		    /* slots, a power of two */
	unsigned int *of_alike;	    /* slots, too: of those that are alike, ALIKE_WAYS for each number */
};

/* What of a host lies in its name alone, beside its lists. */
#define ALIKE_WAYS 4
static size_t alike_slot(const struct inputs *in, const struct host *h)
{
	return ALIKE_WAYS * (size_t)h->alike + 2 * inputs_assumes_qemu(in, h) +
	       inputs_is_dest(in, h);
}

/* The slot of the host's cohort, or one that is free for it. */
static unsigned int *find_slot(const struct grouping *g, unsigned int host)
{
	for (size_t i = g->hash[host];; i++) {
		unsigned int *slot = &g->slots[i & (g->size - 1)];

		if (!*slot || (g->hash[*slot - 1] == g->hash[host] &&
			       !cohorts_cmp(g->o, g->in, g->in->hosts[*slot - 1],
					    g->in->hosts[host])))
			return slot;
	}
}

/* The first host of the cohort of this one. */
static unsigned int find_first(const struct grouping *g, unsigned int host, uint32_t point)
{
	const struct host *h = g->in->hosts[host];
	unsigned int *known = h->alike ? &g->of_alike[alike_slot(g->in, h)] : NULL;
	unsigned int *slot = known;

	if (!known || !*known) {
		g->hash[host] = host_hash(g->o, g->in, h, point);
		slot = find_slot(g, host);
	}
	if (!*slot)
		*slot = host + 1;
	if (known)
		*known = *slot;
	return *slot - 1;
}

static void group(const struct grouping *g, struct member_of *of)
{
	uint32_t point = index_hash_point();

	for (unsigned int i = 0; i < g->in->n_hosts; i++) {
		unsigned int first = find_first(g, i, point);

		if (first != i)
			of[g->last[first]].next = i;
		g->last[first] = i;
		of[i] = (struct member_of){ first, NO_HOST };
	}
}

int cohorts_find(struct cohorts *o, const struct inputs *in)
{
	size_t n = in->n_hosts, size = 1;
	_autofree_ unsigned int *slots = NULL, *last = calloc(n + 1, sizeof(*last));
	_autofree_ uint32_t *hash = calloc(n + 1, sizeof(*hash));
	_autofree_ unsigned int *of_alike = calloc(ALIKE_WAYS * (in->n_alike + (size_t)1),
						   sizeof(*of_alike));

	while (size / 2 < n)
		size *= 2;
	slots = calloc(size, sizeof(*slots));
	o->of = calloc(n + 1, sizeof(*o->of));
	if (!slots || !last || !hash || !of_alike || !o->of)
		return -ENOMEM;
	group(&(struct grouping){ o, in, slots, last, hash, size, of_alike },
	      o->of);
	return 0;
}
