/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document/page.h"
#include "model/derive.h"

/* What the answer is about, and on what it rests. */

/* One list of a scope, sorted */
static void take_names(struct derive *d, const json_t *list, struct names *ret)
{
	struct arena *a = &d->b->arena;
	size_t i;
	json_t *v;

	ret->s = arena_alloc(a, (json_array_size(list) + 1) * sizeof(*ret->s));
	json_array_foreach((json_t *)list, i, v)
		if (ret->s)
			ret->s[ret->n++] = arena_strdup(a, json_string_value(v));
	if (!a->failed && ret->n)
		qsort(ret->s, ret->n, sizeof(*ret->s), text_cmp);
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
	json_auto_t *scope = scope_json(d->cat, d->b->in.policy.backends);
	struct scope *s = &d->b->scope;

	d->b->arena.failed |= !scope;
	take_names(d, json_object_get(scope, "devices"), &s->devices);
	take_names(d, json_object_get(scope, "layers"), &s->layers);
	take_names(d, json_object_get(scope, "not_compared"), &s->not_compared);
	add_evidence(d);
}
