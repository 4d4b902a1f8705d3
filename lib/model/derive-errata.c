/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document/errata.h"
#include "model/derive.h"

/* Hosts whose kernel, or whose QEMU of the answer, has a known defect. */

static bool is_on(const void *of, size_t row)
{
	return derive_row_is_on(of, row);
}

/* The builds of the answer that have it */
static void mark_builds(const struct derive *d, size_t e, bool *marked)
{
	for (size_t u = 0; u < d->b->n_used; u++) {
		const struct build *b = d->b->used[u].build;
		uint32_t mask = b ? errata_of_qemu(d->cat, b->entry, d->b->machine) : 0;

		marked[u] = mask >> e & 1;
	}
}

static size_t find_hosts(const struct derive *d, size_t e, bool *marked, unsigned int *hosts)
{
	bool kernel = d->cat->errata[e].of == ERRATUM_OF_KERNEL;
	size_t n = 0;

	if (!kernel)
		mark_builds(d, e, marked);
	for (size_t i = 0; i < d->b->in.n_hosts; i++) {
		const struct host *h = d->b->in.hosts[i];

		if (kernel ? h->errata >> e & 1 : derive_host_uses(d, h, marked))
			hosts[n++] = (unsigned int)i;
	}
	return n;
}

static void note(struct derive *d, const struct erratum *e, const unsigned int *hosts, size_t n)
{
	_buf_ text = { 0 }, remedy = { 0 };

	derive_write_hosts(d, hosts, n, &text);
	buf_puts(&text, ": ");
	erratum_write(e, &text);
	erratum_write_remedy(e, &remedy);
	derive_finding(d, ABIBASE_FINDING_NOTE, "known-defect",
		       arena_words(&d->b->arena, &remedy), &text);
	/* the kernels of an earlier baseline's hosts are in no document */
	if (e->of == ERRATUM_OF_KERNEL && !d->b->arena.failed)
		d->b->findings.f[d->b->findings.n - 1].of_inputs = true;
}

void derive_errata(struct derive *d)
{
	bool *marked = derive_alloc(d, d->b->n_used + 1, sizeof(*marked));

	for (size_t e = 0; marked && e < d->cat->n_errata; e++) {
		const struct erratum *x = &d->cat->errata[e];
		size_t n = erratum_matters(x, is_on, d) ?
				   find_hosts(d, e, marked, d->scratch[0]) :
				   0;

		if (n)
			note(d, x, d->scratch[0], n);
	}
}
