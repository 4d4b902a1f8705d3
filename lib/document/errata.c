/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fnmatch.h>

#include "base/context.h"
#include "document/catalogue.h"
#include "document/codec.h"
#include "document/errata.h"

/* ------------------------------------------------------------- what is accepted */

static const char *const of_words[] = { "kernel", "qemu", NULL };
/* How it is known: tried with these builds, read in the source, or told by others. */
static const char *const evidence_words[] = { "reported", "run", "upstream-source", NULL };

#define ERRATUM(how, field) INTO(struct erratum, how, field)

static const struct member erratum_members[] = {
	{ "avoid", J_STRING, .required = true, .check = schema_nonempty, ERRATUM(TEXT, avoid) },
	{ "evidence", J_STRING, .required = true, .words = evidence_words },
	{ "fixed_in", J_ARRAY, .each = EACH_TEXT, ERRATUM(JSON, fixed_in) },
	{ "id", J_STRING, .required = true, .check = schema_name, ERRATUM(TEXT, id) },
	{ "machines", J_STRING, .check = schema_nonempty, ERRATUM(TEXT, machines) },
	{ "mended_by", J_STRING, .required = true, .check = schema_nonempty,
	  ERRATUM(TEXT, mended_by) },
	{ "of", J_STRING, .required = true, .words = of_words, ERRATUM(WORD, of) },
	{ "properties", J_ARRAY, .each = EACH_TEXT, ERRATUM(JSON, properties) },
	{ "rows", J_ARRAY, .each = EACH_TEXT, ERRATUM(TEXTS, row_names) },
	{ "sources", J_ARRAY, .required = true, .each = EACH_TEXT },
	{ "text", J_STRING, .required = true, .check = schema_nonempty, ERRATUM(TEXT, text) },
	{ "versions", J_ARRAY, .required = true,
	  .each = EACH(J_STRING, .check = schema_version_range), ERRATUM(RANGES, versions) },
	{ 0 },
};

static void check_count(struct schema_walk *c, const json_t *v)
{
	if (json_array_size(v) > MAX_ERRATA)
		schema_fault(c, "json-bad-value", "has %zu; at most %d", json_array_size(v),
			     MAX_ERRATA);
}

static const struct member errata_members[] = {
	{ "errata", J_ARRAY, .required = true, .check = check_count,
	  INTO_LIST(struct abibase_catalogue, errata, erratum_members, MORE_FREE) },
	{ "schema", J_STRING, .required = true },
	{ 0 },
};

const struct form errata_form = { "errata", .members = errata_members, .more = MORE_FREE,
				  .max = JSON_MAX_CATALOGUE };

/* --------------------------------------------------------------------- the links */

static void link_rows(struct schema_walk *c, struct abibase_catalogue *cat, struct erratum *e)
{
	e->rows = arena_alloc(&cat->arena, (e->n_rows + 1) * sizeof(*e->rows));
	for (size_t i = 0; e->rows && i < e->n_rows; i++) {
		int row = catalogue_row(cat, e->row_names[i]);

		if (row < 0)
			schema_fault(c, "json-bad-value", "errata: \"%s\" is no row of the catalogue",
				     e->row_names[i]);
		else
			e->rows[i] = (size_t)row;
	}
}

int errata_load(struct abibase_context *ctx, struct abibase_catalogue *cat)
{
	struct schema_walk c;
	int r = data_load(ctx, &errata_form, &cat->errata_root);

	if (r < 0)
		return r;
	schema_init(&c, ctx, "errata.json");
	codec_read(&(struct codec){ &cat->arena, &c, NULL }, errata_members, cat->errata_root, cat);
	for (size_t i = 0; i < cat->n_errata; i++)
		link_rows(&c, cat, &cat->errata[i]);
	return cat->arena.failed ? context_oom(ctx) : schema_result(&c);
}

/* -------------------------------------------------------------------- who has it */

static bool has_it(const struct erratum *e, const struct version *v, const char *name)
{
	return version_in(v, e->versions, e->n_versions) &&
	       !(name && json_matches(e->fixed_in, name));
}

uint32_t errata_of_kernel(const struct abibase_catalogue *cat, const json_t *profile)
{
	const char *release = string_of(json_object_get(profile, "kernel"), "release");
	struct version v;
	uint32_t mask = 0;

	if (!release || !version_parse_prefix(release, &v))
		return 0;
	for (size_t i = 0; i < cat->n_errata; i++)
		if (cat->errata[i].of == ERRATUM_OF_KERNEL && has_it(&cat->errata[i], &v, release))
			mask |= UINT32_C(1) << i;
	return mask;
}

uint32_t errata_of_qemu(const struct abibase_catalogue *cat, const json_t *entry,
			const char *machine)
{
	const char *version = string_of(entry, "version");
	struct version v;
	uint32_t mask = 0;

	if (!version || !version_parse_prefix(version, &v))
		return 0;
	for (size_t i = 0; i < cat->n_errata; i++) {
		const struct erratum *e = &cat->errata[i];

		if (e->of == ERRATUM_OF_QEMU && has_it(e, &v, string_of(entry, "package")) &&
		    (!e->machines || (machine && fnmatch(e->machines, machine, 0) == 0)))
			mask |= UINT32_C(1) << i;
	}
	return mask;
}

bool erratum_matters(const struct erratum *e, bool (*is_on)(const void *of, size_t row),
		     const void *of)
{
	for (size_t i = 0; i < e->n_rows; i++)
		if (is_on(of, e->rows[i]))
			return true;
	return !e->n_rows;
}

void erratum_write(const struct erratum *e, struct buf *out)
{
	buf_printf(out, "known defect (%s), by version: %s", e->id, e->text);
}

void erratum_write_remedy(const struct erratum *e, struct buf *out)
{
	buf_printf(out, "%s; mended by %s", e->avoid, e->mended_by);
}
