/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/context.h"
#include "document/build.h"
#include "document/rehearsals.h"
#include "model/intersect.h"

/* The baseline of some hosts, with what was rehearsed between their builds of QEMU. */

struct builds {
	unsigned int *index;
	size_t n, cap;
};

static int take_known(struct abibase_context *ctx, const struct inputs *in, struct builds *known)
{
	for (unsigned int i = 0; i < in->n_builds; i++) {
		bool is;
		int r = rehearsals_know(ctx, in->builds[i]->entry, &is);

		if (r < 0)
			return r;
		if (!is)
			continue;
		if (array_grow(&known->index, known->n, &known->cap, sizeof(*known->index)) < 0)
			return context_oom(ctx);
		known->index[known->n++] = i;
	}
	return 0;
}

static int take_pair(struct abibase_context *ctx, const struct inputs *in, unsigned int from,
		     unsigned int to, struct build_pairs *ret)
{
	struct rehearsed_pair p;
	int r = rehearsals_find(ctx, in->builds[from]->entry, in->builds[to]->entry, &p);

	if (r < 0 || !p.result)
		return r;
	if (array_grow(&ret->pair, ret->n, &ret->cap, sizeof(*ret->pair)) < 0)
		return context_oom(ctx);
	ret->pair[ret->n++] = (struct build_pair){ from, to, p.result };
	return 0;
}

static int take_pairs(struct abibase_context *ctx, const struct inputs *in,
		      const struct builds *known, struct build_pairs *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < known->n; i++)
		for (size_t k = 0; r == 0 && k < known->n; k++)
			if (i != k)
				r = take_pair(ctx, in, known->index[i], known->index[k], ret);
	return r == 0 && ret->n ? specimens_load(ctx, &ret->specimens) : r;
}

ABIBASE_EXPORT int abibase_intersection_finish(struct abibase_intersection *ix,
					       struct abibase_baseline **ret)
{
	struct abibase_context *ctx = intersection_context(ix);
	const struct inputs *in = intersection_inputs(ix);
	struct build_pairs pairs = { 0 };
	struct builds known = { 0 };
	int r = in->n_builds > 1 ? take_known(ctx, in, &known) : 0;

	if (r == 0 && known.n > 1)
		r = take_pairs(ctx, in, &known, &pairs);
	if (r == 0)
		r = intersection_finish(ix, pairs.n ? &pairs : NULL, ret);
	free(pairs.pair);
	free(known.index);
	return r;
}
