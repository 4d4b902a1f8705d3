/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_TESTS_BUFFERS_H
#define ABIBASE_TESTS_BUFFERS_H

/* What suites and fuzzers ask of the library's inside, made of what it has. */

#include "document/baseline.h"
#include "document/profile.h"
#include "model/intersect.h"

/* A profile, or a baseline, of bytes that are not kept; @source is for messages. */
static inline int profile_from_buffer(struct abibase_context *ctx, const char *buf, size_t len,
				      const char *source, struct abibase_profile **ret)
{
	json_t *root;
	int r = json_parse(ctx, buf, len, JSON_MAX_PROFILE, source, &root);

	return r < 0 ? r : profile_from_document(ctx, root, source, NULL, ret);
}

static inline int baseline_from_buffer(struct abibase_context *ctx, const char *buf, size_t len,
				       const char *source, struct abibase_baseline **ret)
{
	json_t *root;
	int r = json_parse(ctx, buf, len, JSON_MAX_BASELINE, source, &root);

	return r < 0 ? r : baseline_from_json(ctx, root, source, ret);
}

/*
 * Does this host have it? A fact ("tap.offload.uso") or one bit of a feature word
 * ("vhost_net.features[40]"); @ret_reason: NULL, or receives why it is unknown.
 */
static inline enum abibase_tri profile_fact(const struct abibase_profile *p, const char *fact,
					    const char **ret_reason)
{
	int bit;
	size_t len = condition_parse(fact, &bit);
	_autofree_ char *id = len ? strndup(fact, len) : NULL;

	if (id)
		return profile_ask(p, id, bit, ret_reason);
	if (ret_reason)
		*ret_reason = "not-recorded";
	return ABIBASE_UNKNOWN;
}

static inline size_t baseline_finding_count(const struct abibase_baseline *b)
{
	return b ? b->findings.n : 0;
}

/* The baseline of these profiles; @machine NULL: the newest common type. */
static inline int intersect_profiles(struct abibase_context *ctx, struct abibase_catalogue *cat,
				     struct abibase_profile *const *profiles, size_t n,
				     const char *machine, struct abibase_baseline **ret)
{
	struct abibase_intersection *ix;
	int r = abibase_intersection_new(ctx, cat, &ix);

	if (r < 0)
		return r;
	if (machine)
		r = abibase_intersection_set_machine(ix, machine);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = abibase_intersection_add_profile(ix, profiles[i]);
	if (r == 0)
		r = abibase_intersection_finish(ix, ret);
	abibase_intersection_unref(ix);
	return r;
}

#endif
