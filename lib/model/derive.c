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

static int derive_answer(struct derive *d)
{
	if (derive_used(d) < 0 || derive_newer(d) < 0 || derive_machine_values(d) < 0 || derive_effective(d) < 0 ||
	    derive_values(d) < 0 || derive_doubts(d) < 0 || derive_unmasked(d) < 0 ||
	    derive_asked(d) < 0 || derive_numbers(d) < 0 || derive_requirements(d) < 0 ||
	    derive_shapes(d) < 0 || derive_observed(d) < 0 || derive_notes(d) < 0)
		return -ENOMEM;
	return 0;
}

static int derive_verdict(struct derive *d)
{
	struct abibase_baseline *b = d->b;

	order_findings(b);
	b->verdict = findings_verdict(&b->findings);
	if (b->verdict != ABIBASE_VERDICT_YES)
		return 0;
	for (size_t i = 0; i < b->n_offers; i++)
		if (derive_fill_offer(d, &b->offers[i]) < 0)
			return -ENOMEM;
	b->id = baseline_make_id(b);
	return b->id ? 0 : -ENOMEM;
}

static void derive_clear(struct derive *d)
{
	for (size_t i = 0; d->classes && i < d->n_classes; i++)
		free(d->classes[i].fails);
	free(d->classes);
	free(d->class_of);
	free(d->views);
	free(d->used_of);
	free(d->eff);
	free(d->included);
	free(d->on);
	free(d->number);
	free(d->tie);
	for (size_t i = 0; i < ARRAY_SIZE(d->scratch); i++)
		free(d->scratch[i]);
}

/* For derive_clear(), also on failure. */
static int derive_begin(struct derive *d, struct abibase_baseline *b, struct abibase_catalogue *cat)
{
	*d = (struct derive){ .b = b, .cat = cat, .any = -1 };
	d->net = b->in.policy.backends & catalogue_device(cat, NULL);
	b->cat = abibase_catalogue_ref(cat); /* its strings are used in the answer */
	for (size_t i = 0; i < ARRAY_SIZE(d->scratch); i++) {
		d->scratch[i] = calloc(b->in.n_hosts + 1, sizeof(*d->scratch[i]));
		if (!d->scratch[i])
			return -ENOMEM;
	}
	return derive_arch(d);
}

int baseline_derive(struct abibase_baseline *b, struct abibase_catalogue *cat,
		    struct abibase_baseline *const *earlier, size_t n_earlier)
{
	struct derive d;
	int r = derive_begin(&d, b, cat);

	if (r == 0)
		r = derive_backends(&d);
	if (r == 0 && b->target)
		r = derive_machine(&d);
	if (r == 0 && b->target && b->machine)
		r = derive_answer(&d);
	if (r == 0)
		r = derive_scope(&d);
	if (r == 0)
		r = derive_verdict(&d);
	for (size_t i = 0; r == 0 && i < n_earlier; i++)
		r = derive_widened(&d, earlier[i]);
	derive_clear(&d);
	return r;
}

int baseline_machines(struct abibase_baseline *b, struct abibase_catalogue *cat, json_t *list)
{
	struct derive d;
	int r = derive_begin(&d, b, cat);

	if (r == 0 && b->target)
		r = derive_common_machines(&d, list);
	if (r == 0)
		r = derive_verdict(&d);
	derive_clear(&d);
	return r;
}
