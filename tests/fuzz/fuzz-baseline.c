/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a baseline. What is accepted can be printed in every form. */
#include <stdbool.h>
#include <string.h>

#include <abibase/abibase.h>

#include "document/baseline.h"
#include "../buffers.h"
#include "fuzz.h"

static struct abibase_context *ctx;

/* What is written is read, and written the same. */
static void check_again(const char *text, bool no_inputs)
{
	struct abibase_baseline *b = NULL;
	struct abibase_render *render = NULL;
	char *again = NULL;

	MUST(baseline_from_buffer(ctx, text, strlen(text), "again", &b) == 0);
	MUST(abibase_render_new(ctx, &render) == 0);
	MUST(abibase_render_set_format(render, "json") == 0);
	abibase_render_set_flags(render, no_inputs ? ABIBASE_RENDER_NO_INPUTS : 0);
	MUST(abibase_render_run(render, b, 0, &again, NULL) >= 0);
	MUST(again && strcmp(again, text) == 0);
	free(again);
	abibase_render_unref(render);
	abibase_baseline_unref(b);
}

static void check_render(const struct abibase_baseline *b, const char *format, bool no_inputs)
{
	struct abibase_render *render = NULL;
	char *text = NULL, *why = NULL;

	MUST(abibase_render_new(ctx, &render) == 0);
	MUST(abibase_render_set_format(render, format) == 0);
	abibase_render_set_flags(render, no_inputs ? ABIBASE_RENDER_NO_INPUTS : 0);
	abibase_render_run(render, b, 0, &text, &why);
	if (text && strcmp(format, "json") == 0)
		check_again(text, no_inputs);
	free(text);
	free(why);
	abibase_render_unref(render);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const formats[] = { "args", "readconfig", "json", "text" };
	struct abibase_baseline *b = NULL;

	if (!ctx)
		MUST(abibase_context_new(0, &ctx) == 0);
	if (baseline_from_buffer(ctx, (const char *)data, size, "input", &b) < 0) {
		MUST(abibase_context_error(ctx) && abibase_context_error_id(ctx));
		return 0;
	}
	MUST(abibase_baseline_id(b) || abibase_baseline_verdict(b) != ABIBASE_VERDICT_YES);
	for (size_t i = 0; i < baseline_finding_count(b); i++)
		MUST(abibase_baseline_finding_get(b, i, "text"));
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		check_render(b, formats[i], false);
	check_render(b, "json", true);
	abibase_baseline_unref(b);
	return 0;
}
