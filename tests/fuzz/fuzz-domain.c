/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a domain of libvirt. What is accepted is a guest that is judged and can be written. */
#include <string.h>

#include <abibase/abibase.h>

#include "fuzz.h"

static struct abibase_context *ctx;
static struct abibase_catalogue *cat;

/* Its own document is one of a guest, unless the domain has no device that is one. */
static void check_document(const struct abibase_guest *g)
{
	const struct abibase_value *v = abibase_guest_value(g);
	struct abibase_guest *again = NULL;
	char *json = NULL;

	MUST(abibase_value_to_json(v, &json) == 0);
	if (abibase_value_count(abibase_value_member(v, "devices")))
		MUST(abibase_guest_from_buffer(ctx, json, strlen(json), "again", &again) == 0);
	abibase_guest_unref(again);
	free(json);
}

static void check_join(struct abibase_guest *g)
{
	static const char word[] = "{\"schema\": \"abibase-guest/1\", \"devices\": [{\"class\": "
				   "\"virtio-net-device\", \"negotiated\": \"0x1\"}]}";
	struct abibase_guest *running = NULL, *both = NULL;

	MUST(abibase_guest_from_buffer(ctx, word, strlen(word), "word", &running) == 0);
	/* another one, or together a guest that cannot be */
	if (abibase_guest_join(ctx, running, g, &both) < 0)
		MUST(!both && abibase_context_error(ctx) && abibase_context_error_id(ctx));
	abibase_guest_unref(both);
	abibase_guest_unref(running);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abibase_guest *g = NULL;

	if (!ctx)
		MUST(abibase_context_new(0, &ctx) == 0 && abibase_catalogue_new(ctx, &cat) == 0);
	if (abibase_guest_from_domain(ctx, cat, (const char *)data, size, "input", &g) < 0) {
		MUST(abibase_context_error(ctx) && abibase_context_error_id(ctx));
		return 0;
	}
	check_document(g);
	check_join(g);
	abibase_guest_unref(g);
	return 0;
}
