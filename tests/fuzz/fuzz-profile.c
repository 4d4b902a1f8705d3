/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a profile. What is accepted can be written, read again, and is the same then. */
#include <string.h>

#include <abibase/abibase.h>

#include "answer/show.h"
#include "document/profile.h"
#include "model/intersect.h"
#include "../buffers.h"
#include "fuzz.h"

static struct abibase_context *ctx;
static struct abibase_catalogue *cat;

static void check_profile(const struct abibase_profile *p)
{
	struct abibase_profile *again = NULL;
	char *json = NULL, *table = NULL;

	MUST(p->name && p->kind && p->arch);
	MUST(abibase_value_to_json(abibase_profile_value(p), &json) == 0);
	MUST(profile_to_text(p, cat, 0, &table) == 0);
	profile_fact(p, "tap.offload.uso", NULL);
	profile_fact(p, "vhost_net.features[40]", NULL);
	/* the canonical form of a document just below the limit can be above it */
	if (profile_from_buffer(ctx, json, strlen(json), "again", &again) == 0)
		MUST(strcmp(p->digest, again->digest) == 0);
	else
		MUST(strlen(json) > 1 << 20);
	abibase_profile_unref(again);
	free(json);
	free(table);
}

/* A baseline of this host alone: intersect must bear every profile that the reader accepts. */
static void check_intersect(struct abibase_profile *p)
{
	struct abibase_baseline *b = NULL;

	if (intersect_profiles(ctx, cat, &p, 1, NULL, &b) == 0)
		MUST(abibase_baseline_id(b) || abibase_baseline_verdict(b) != ABIBASE_VERDICT_YES);
	abibase_baseline_unref(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abibase_profile *p = NULL;

	if (!ctx)
		MUST(abibase_context_new(0, &ctx) == 0 && abibase_catalogue_new(ctx, &cat) == 0);
	if (profile_from_buffer(ctx, (const char *)data, size, "input", &p) < 0) {
		MUST(abibase_context_error(ctx) && abibase_context_error_id(ctx));
		return 0;
	}
	check_profile(p);
	check_intersect(p);
	abibase_profile_unref(p);
	return 0;
}
