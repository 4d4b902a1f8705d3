/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a guest. What is accepted can be written, read again, is the same then, and is judged. */
#include <string.h>

#include <abibase/abibase.h>

#include "document/platforms.h"
#include "fuzz.h"

static struct abibase_context *ctx;
static struct abibase_catalogue *cat;
static struct abibase_profile *hosts[2];

static void check_document(const struct abibase_guest *g)
{
	struct abibase_guest *again = NULL;
	char *json = NULL, *same = NULL;

	MUST(abibase_value_to_json(abibase_guest_value(g), &json) == 0);
	/* the canonical form of a document just below the limit can be above it */
	if (abibase_guest_from_buffer(ctx, json, strlen(json), "again", &again) == 0) {
		MUST(abibase_value_to_json(abibase_guest_value(again), &same) == 0);
		MUST(strcmp(json, same) == 0);
	} else {
		MUST(strlen(json) > 1 << 20);
	}
	abibase_guest_unref(again);
	free(json);
	free(same);
}

/* Whatever it says, it is judged, and the answer can be written. */
static void check_moves(struct abibase_guest *g)
{
	struct abibase_targets *t = NULL;
	const struct abibase_value *all;
	struct abibase_result *m = NULL;
	char *json = NULL, *text = NULL;

	/* a guest that cannot be is refused, by what the catalogue says */
	if (abibase_targets_new(ctx, cat, g, &t) < 0) {
		MUST(abibase_context_error(ctx) && abibase_context_error_id(ctx));
		return;
	}
	abibase_targets_set_source(t, hosts[1]);
	for (int i = 0; i < 2; i++)
		MUST(abibase_targets_add_profile(t, hosts[i]) == 0);
	MUST(abibase_targets_run(t, &m) == 0);
	MUST(abibase_value_to_json(abibase_result_value(m), &json) == 0);
	MUST(abibase_result_to_text(m, 0, &text) == 0);
	all = abibase_value_member(abibase_result_value(m), "hosts");
	for (size_t i = 0; i < abibase_value_count(all); i++) {
		const struct abibase_value *h = abibase_value_item(all, i);

		MUST(strcmp(abibase_value_string(abibase_value_member(h, "verdict")), "list") != 0 ||
		     abibase_value_count(abibase_value_member(h, "rescue")));
	}
	abibase_result_unref(m);
	abibase_targets_unref(t);
	free(json);
	free(text);
}

static void begin(void)
{
	static const char *const names[] = { "debian-12", "debian-13" };

	MUST(abibase_context_new(0, &ctx) == 0 && abibase_catalogue_new(ctx, &cat) == 0);
	for (int i = 0; i < 2; i++)
		MUST(profile_from_platform(ctx, names[i], &hosts[i]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abibase_guest *g = NULL;

	if (!ctx)
		begin();
	if (abibase_guest_from_buffer(ctx, (const char *)data, size, "input", &g) < 0) {
		MUST(abibase_context_error(ctx) && abibase_context_error_id(ctx));
		return 0;
	}
	check_document(g);
	check_moves(g);
	abibase_guest_unref(g);
	return 0;
}
