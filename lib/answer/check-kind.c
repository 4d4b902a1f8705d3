/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer/check-kind.h"
#include "base/context.h"

#define MOST 2000 /* kinds whose answers are kept; some 30 kB each */

void kinds_clear(struct kinds *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct kind *k = l->kind[i];

		host_unref(k->host);
		abibase_profile_unref(k->p);
		json_decref(k->answer);
		abibase_baseline_unref(k->alone);
		json_decref(k->lost);
		json_decref(k->set);
		free(k->admit_id);
		free(k);
	}
	free(l->kind);
	inputs_clear(&l->in);
	*l = (struct kinds){ 0 };
}

static const struct host *host_of(const void *of, size_t i)
{
	return ((const struct kinds *)of)->kind[i]->host;
}

/* Takes the reference of @h, also on failure. */
static int insert(struct abibase_context *ctx, struct kinds *l, struct host *h, size_t at,
		  struct kind **ret)
{
	struct kind *k = calloc(1, sizeof(*k));

	if (!k || array_grow(&l->kind, l->n, &l->cap, sizeof(struct kind *)) < 0) {
		free(k);
		host_unref(h);
		return context_oom(ctx);
	}
	k->host = h;
	memmove(&l->kind[at + 1], &l->kind[at], (l->n++ - at) * sizeof(struct kind *));
	*ret = l->kind[at] = k;
	return 0;
}

int kinds_find(struct abibase_context *ctx, struct kinds *l, const struct abibase_catalogue *cat,
	       const struct abibase_profile *p, struct kind **ret)
{
	const struct cohorts by = { .judged = true, .paths = l->paths };
	struct host *h;
	size_t at;
	int r = l->in.n_conditions || inputs_from_catalogue(&l->in, cat) == 0 ? 0 : context_oom(ctx);

	*ret = NULL;
	if (r == 0)
		r = inputs_host_of_profile(ctx, &l->in, cat, p, &h);
	if (r < 0)
		return r;
	if (cohorts_place(&by, &l->in, h, l, l->n, host_of, &at))
		*ret = l->kind[at];
	else if (l->n < MOST)
		return insert(ctx, l, h, at, ret);
	host_unref(h);
	return 0;
}
