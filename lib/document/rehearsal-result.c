/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document/rehearsal-result.h"

#include "document/codec.h"

/* ------------------------------------------------------------- what is accepted */

#define SIDE(side)                                                                             \
	{                                                                                      \
		{ "build", J_STRING, .check = schema_digest,                                   \
		  INTO(struct rehearsal_result, TEXT, side.build) },                           \
		{ "build_id", J_STRING, .check = schema_nonempty,                              \
		  INTO(struct rehearsal_result, TEXT, side.build_id) },                        \
		{ "package", J_STRING, .check = schema_nonempty,                               \
		  INTO(struct rehearsal_result, TEXT, side.package) },                         \
		{ "version", J_STRING, .required = true, .check = schema_version,              \
		  INTO(struct rehearsal_result, TEXT, side.version) },                         \
		{ 0 },                                                                         \
	}

static const struct member source_members[] = SIDE(source);
static const struct member destination_members[] = SIDE(destination);

#define SAID(name, field)                                                                      \
	{ name, J_OBJECT, .keys = schema_key, .each = EACH_TEXT,                               \
	  INTO(struct result_machine, JSON, field) }
#define LIST(name, field)                                                                      \
	{ name, J_ARRAY, .each = EACH_NAME, INTO(struct result_machine, JSON, field) }

static const struct member machine_members[] = {
	SAID("absent", absent),
	SAID("blocked", blocked),
	LIST("loads", loads),
	SAID("no_start", no_start),
	SAID("not_tried", not_tried),
	SAID("refused", refused),
	LIST("saved", saved),
	{ 0 },
};

static const struct member result_members[] = {
	{ "destination", J_OBJECT, .members = destination_members,
	  INTO(struct rehearsal_result, PART, root) },
	{ "machines", J_OBJECT, .required = true, .keys = schema_key, LIMITS(1, 16),
	  INTO(struct rehearsal_result, LIST, machines), .size = sizeof(struct result_machine),
	  .each = EACH(J_OBJECT, .members = machine_members, .more = MORE_FREE,
		       INTO(struct result_machine, KEY, name)) },
	{ "schema", J_STRING, .required = true },
	{ "source", J_OBJECT, .required = true, .members = source_members,
	  INTO(struct rehearsal_result, PART, root) },
	{ 0 },
};

const struct form rehearsal_result_form = { "rehearsal-result", .members = result_members,
					    .more = MORE_FREE, .max = JSON_MAX_RESULT,
					    .check = schema_strings_printable };

static const struct member specimen_members[] = {
	{ "classes", J_ARRAY, .required = true, .each = EACH_TEXT },
	{ "domain", J_ARRAY, .required = true, .each = EACH_TEXT },
	{ "line", J_STRING, .required = true, .check = schema_nonempty },
	{ "record", J_BOOL, .required = false },
	{ 0 },
};

static const struct member specimens_members[] = {
	{ "base", J_STRING, .required = true, .check = schema_nonempty },
	{ "others", J_OBJECT, .required = true, .each = EACH(J_ARRAY, .each = EACH_TEXT) },
	{ "schema", J_STRING, .required = true },
	{ "specimens", J_OBJECT, .required = true, .keys = schema_key,
	  .each = EACH_OBJECT(specimen_members, MORE_FREE) },
	{ 0 },
};

const struct form specimens_form = { "specimens", .members = specimens_members, .more = MORE_FREE,
				     .max = JSON_MAX_CATALOGUE };

/* ------------------------------------------------------------------- what it says */

int rehearsal_result_take(struct rehearsal_result *r, json_t *root)
{
	struct codec k = { .arena = &r->arena };
	struct schema_walk c;

	schema_init(&c, NULL, "");
	k.walk = &c;
	codec_read(&k, result_members, root, r);
	r->root = root;
	if (!r->arena.failed)
		return 0;
	rehearsal_result_clear(r);
	return -ENOMEM;
}

void rehearsal_result_clear(struct rehearsal_result *r)
{
	arena_clear(&r->arena);
	json_decref(r->root);
	*r = (struct rehearsal_result){ 0 };
}

const struct result_machine *rehearsal_result_machine(const struct rehearsal_result *r,
						      const char *machine)
{
	for (size_t i = 0; i < r->n_machines; i++)
		if (streq(r->machines[i].name, machine))
			return &r->machines[i];
	return NULL;
}

enum rehearsed_how rehearsed_how(const struct result_machine *m, const char *specimen,
				 const char **ret_said)
{
	const struct {
		const json_t *of;
		enum rehearsed_how how;
	} said[] = { { m->absent, REHEARSED_ABSENT },
		     { m->blocked, REHEARSED_BLOCKED },
		     { m->refused, REHEARSED_REFUSED },
		     { m->no_start, REHEARSED_NO_START } };

	*ret_said = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
		*ret_said = string_of(said[i].of, specimen);
		if (*ret_said)
			return said[i].how;
	}
	return json_has(m->loads, specimen) ? REHEARSED_LOADS : REHEARSED_NOT;
}
