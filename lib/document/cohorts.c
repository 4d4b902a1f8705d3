/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "document/cohorts.h"

struct sorting {
	const struct cohorts *o;
	const struct inputs *in;
};

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
		if (!r && !o->judged)
			r = number_cmp(x->qemu[i].path, y->qemu[i].path);
	}
	for (size_t i = 0; !r && i < x->n_unasked; i++) {
		r = number_cmp(x->unasked[i].reason, y->unasked[i].reason);
		if (!r && !o->judged)
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

	if (!r)
		r = qemus_cmp(o, x, y);
	return r ? r : answers_cmp(o, in, x, y);
}

static int host_order(const void *x, const void *y, void *data)
{
	const struct sorting *s = data;
	unsigned int a = *(const unsigned int *)x, b = *(const unsigned int *)y;
	int r = cohorts_cmp(s->o, s->in, s->in->hosts[a], s->in->hosts[b]);

	return r ? r : (a > b) - (a < b);
}

int cohorts_find(struct cohorts *o, const struct inputs *in)
{
	size_t n = in->n_hosts;
	_autofree_ unsigned int *order = calloc(n + 1, sizeof(*order));
	struct sorting s = { o, in };

	o->of = calloc(n + 1, sizeof(*o->of));
	if (!order || !o->of)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++)
		order[i] = i;
	qsort_r(order, n, sizeof(*order), host_order, &s);
	for (size_t i = n; i-- > 0;) {
		bool last = i + 1 == n ||
			    cohorts_cmp(o, in, in->hosts[order[i]], in->hosts[order[i + 1]]);

		o->of[order[i]].next = last ? NO_HOST : order[i + 1];
	}
	for (size_t i = 0, first = 0; i < n; i++) {
		o->of[order[i]].first = order[first];
		if (o->of[order[i]].next == NO_HOST)
			first = i + 1;
	}
	return 0;
}
