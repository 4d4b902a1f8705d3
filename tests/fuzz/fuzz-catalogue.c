/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a catalogue, or as one of the other data files: whatever their schema says. */
#include <abibase/abibase.h>

#include "document/catalogue.h"
#include "base/context.h"
#include "answer/decode.h"
#include "document/errata.h"
#include "document/facts.h"
#include "fuzz.h"

static struct abibase_context *ctx;

static void ignore(void *data, int priority, const char *id, const char *where, const char *text)
{
	(void)priority;
	MUST(id && where && text);
	++*(size_t *)data;
}

/* All the faults, as validate reports them. */
static void check_all(const json_t *root)
{
	static const struct form *const forms[] = {
		&catalogue_form, &devices_form, &messages_form, &facts_form, &errata_form,
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t told = 0;
		struct schema_walk c;

		schema_init(&c, ctx, "input");
		c.report = ignore;
		c.data = &told;
		schema_document(&c, root, forms[i]);
		MUST(c.faults == 0 || told > 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abibase_catalogue *cat = NULL;
	json_t *root;

	if (!ctx)
		MUST(abibase_context_new(0, &ctx) == 0);
	if (json_parse(ctx, (const char *)data, size, JSON_MAX_CATALOGUE, "input", &root) < 0)
		return 0;
	check_all(root);
	/* takes the reference */
	if (catalogue_from_json(ctx, root, "input", &cat) < 0)
		return 0;
	for (size_t i = 0; i < cat->n_rows; i++)
		MUST(cat->rows[i].key && catalogue_row(cat, cat->rows[i].key) >= 0);
	abibase_catalogue_unref(cat);
	return 0;
}
