/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "model/derive.h"

/* The order in which the answer is worked out. */

static void order_findings(struct abibase_baseline *b)
{
	struct finding *f = b->findings.f;

	/* a stable insertion: few, and their order within a kind is already the hosts' */
	for (size_t i = 1; i < b->findings.n; i++)
		for (size_t k = i; k && f[k - 1].kind > f[k].kind; k--) {
			struct finding t = f[k];

			f[k] = f[k - 1];
			f[k - 1] = t;
		}
}

static void derive_answer(struct derive *d)
{
	static void (*const steps[])(struct derive *) = {
		derive_used,	derive_newer,  derive_machine_values, derive_effective,
		derive_values,	derive_doubts, derive_unmasked,	      derive_asked,
		derive_numbers, derive_requirements, derive_shapes,   derive_observed,
		derive_notes,
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps) && !d->b->arena.failed; i++)
		steps[i](d);
}

static void derive_verdict(struct derive *d)
{
	struct abibase_baseline *b = d->b;

	order_findings(b);
	b->verdict = findings_verdict(&b->findings);
	if (b->verdict != ABIBASE_VERDICT_YES)
		return;
	for (size_t i = 0; i < b->n_offers; i++)
		derive_fill_offer(d, &b->offers[i]);
	b->id = baseline_make_id(b);
	b->arena.failed |= !b->id;
}

static int derive_end(struct derive *d)
{
	for (size_t i = 0; d->classes && i < d->n_classes; i++)
		free(d->classes[i].fails);
	free(d->cohorts.of);
	arena_clear(&d->arena);
	return d->b->arena.failed ? -ENOMEM : 0;
}

/* For derive_end(), also where memory ran out. */
static void derive_begin(struct derive *d, struct abibase_baseline *b,
			 struct abibase_catalogue *cat)
{
	size_t n = cat->n_rows + 1;

	*d = (struct derive){ .b = b, .cat = cat, .any = -1,
			      .cohorts.judged = true };
	d->net = b->in.policy.backends & catalogue_device(cat, NULL);
	b->cat = abibase_catalogue_ref(cat); /* its strings are used in the answer */
	d->included = derive_alloc(d, n, sizeof(*d->included));
	d->on = derive_alloc(d, n, sizeof(*d->on));
	d->number = derive_alloc(d, n, sizeof(*d->number));
	d->tie = derive_alloc(d, n, sizeof(*d->tie));
	d->classes = derive_alloc(d, n, sizeof(*d->classes));
	d->class_of = derive_alloc(d, n, sizeof(*d->class_of));
	d->used_of = derive_alloc(d, b->in.n_builds + 1, sizeof(*d->used_of));
	d->views = derive_alloc(d, b->in.n_builds + 1, sizeof(*d->views));
	for (size_t i = 0; i < ARRAY_SIZE(d->scratch); i++)
		d->scratch[i] = derive_alloc(d, b->in.n_hosts + 1, sizeof(*d->scratch[i]));
	if (!b->arena.failed)
		derive_arch(d);
}

int baseline_derive(struct abibase_baseline *b, struct abibase_catalogue *cat,
		    const struct derive_with *with)
{
	struct derive d;

	derive_begin(&d, b, cat);
	d.guest = with->guest;
	d.known = with->known;
	d.effects = with->effects;
	if (!b->arena.failed)
		derive_backends(&d);
	if (!b->arena.failed && b->target)
		derive_machine(&d);
	if (!b->arena.failed && b->target && b->machine)
		derive_answer(&d);
	if (!b->arena.failed && d.guest)
		derive_guest(&d);
	if (!b->arena.failed && d.known && b->machine)
		derive_rehearsed(&d);
	if (!b->arena.failed)
		derive_scope(&d);
	if (!b->arena.failed)
		derive_verdict(&d);
	for (size_t i = 0; !b->arena.failed && i < with->n_earlier; i++)
		derive_widened(&d, with->earlier[i]);
	return derive_end(&d);
}

int baseline_machines(struct abibase_baseline *b, struct abibase_catalogue *cat, json_t *list)
{
	struct derive d;

	derive_begin(&d, b, cat);
	if (!b->arena.failed && b->target)
		derive_common_machines(&d, list);
	if (!b->arena.failed)
		derive_verdict(&d);
	return derive_end(&d);
}
