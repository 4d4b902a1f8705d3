/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document/page.h"
#include "model/derive.h"

/* What the answer is about, and on what it rests. */

static void add_name(struct derive *d, struct names *names, size_t max, const char *s)
{
	for (size_t i = 0; i < names->n; i++)
		if (streq(names->s[i], s))
			return;
	if (!names->s)
		names->s = arena_alloc(&d->b->arena, (max + 1) * sizeof(*names->s));
	if (names->s)
		names->s[names->n++] = s;
}

static int name_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_layers(struct derive *d)
{
	struct names *layers = &d->b->scope.layers;
	size_t max = d->cat->n_conditions + 2;

	add_name(d, layers, max, "QEMU");
	add_name(d, layers, max, "machine type");
	for (size_t i = 0; i < d->cat->n_conditions; i++)
		if (d->cat->conditions[i].backends & d->b->in.policy.backends)
			add_name(d, layers, max, d->cat->conditions[i].layer);
	if (layers->n)
		qsort(layers->s, layers->n, sizeof(*layers->s), name_cmp);
}

static void add_evidence(struct derive *d)
{
	struct abibase_baseline *b = d->b;

	b->scope.evidence = arena_alloc(&b->arena, b->n_used + 1);
	if (!b->scope.evidence)
		return;
	for (size_t r = 0; d->eff && r < d->cat->n_rows; r++)
		for (size_t u = 0; u < b->n_used && derive_is_about(d, &d->cat->rows[r]); u++) {
			const struct effective *e = derive_eff(d, r, u);
			unsigned int by = e->recorded ? EVIDENCE_RECORD : EVIDENCE_CATALOGUE;

			if (e->value)
				b->scope.evidence[u] |= (unsigned char)(1u << by);
		}
}

void derive_scope(struct derive *d)
{
	struct scope *s = &d->b->scope;

	for (size_t i = 0; i < d->cat->n_backends; i++) {
		const char *device = d->cat->backends[i].device;

		if (d->b->in.policy.backends & (1u << i))
			add_name(d, &s->devices, d->cat->n_backends,
				 device ? device : "virtio-net");
	}
	if (s->devices.n)
		qsort(s->devices.s, s->devices.n, sizeof(*s->devices.s), name_cmp);
	while (scope_not_compared[s->not_compared.n])
		s->not_compared.n++;
	s->not_compared.s = (const char **)scope_not_compared;
	add_layers(d);
	add_evidence(d);
}
