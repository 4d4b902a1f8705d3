/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>

#include "document/catalogue.h"
#include "document/codec.h"
#include "base/suggest.h"
#include "base/context.h"
#include "base/known.h"
#include "document/profile.h"
#include "document/value.h"

/* ------------------------------------------------------------- what is accepted */

void schema_version_range(struct schema_walk *c, const json_t *v)
{
	struct version_range range;

	if (!version_range_parse(json_string_value(v), &range))
		schema_fault(c, "json-bad-value",
			     "\"%s\" is not a version or a range such as \"8.2.0-8.2.4\"",
			     json_string_value(v));
}

static void check_need(struct schema_walk *c, const json_t *v)
{
	if (json_is_object(v) &&
	    !json_object_get(v, "condition") == !json_object_get(v, "never"))
		schema_fault(c, "json-bad-value",
			     "needs either a \"condition\" or \"never\": true");
}

/* The words of enumerations, in the order of the C ones. */
static const char *const pin_words[] = { "pinned", "opt-in", "fixed", NULL };
static const char *const combine_words[] = { "and", "min", "equal", "directional",
					    "power-of-two", NULL };
static const char *const when_words[] = { "", "", "always", "nonzero", "nonnegative", "set", NULL };
static const char *const type_words[] = { "bool",	 "uint16", "uint32",	"int32",
					 "string", MAC,	   "OnOffAuto", NULL };
static const char *const queues_words[] = { "", "receive", "transmit", NULL };
static const char *const missing_words[] = { "silent", "fatal", "kept", NULL };

static const struct member each_range = { .types = J_STRING, .check = schema_version_range };

static const struct member compat_members[] = {
	{ "machine", J_STRING, .required = true, .check = schema_version,
	  INTO(struct compat, VERSION, machine) },
	{ "not_in", J_ARRAY, .each = &each_range, INTO(struct compat, RANGES, not_in) },
	{ "source", J_STRING, .required = true, .check = schema_nonempty },
	{ "value", J_BOOL | J_INT | J_STRING | J_NULL, .required = true,
	  INTO(struct compat, JSON, value) },
	{ 0 },
};

static const struct member need_members[] = {
	{ "condition", J_STRING, .required = false },
	{ "machine_until", J_STRING, .check = schema_version,
	  INTO(struct need, VERSION, machine_until) },
	{ "never", J_BOOL, .check = schema_true },
	{ "since", J_STRING, .check = schema_version, INTO(struct need, VERSION, since) },
	{ "until", J_STRING, .check = schema_version, INTO(struct need, VERSION, until) },
	{ "without", J_STRING, .check = schema_name, INTO(struct need, TEXT, without) },
	{ 0 },
};

/* "needs" has a list for each backend. */
static const struct member each_needs = {
	.types = J_ARRAY,
	.each = EACH(J_STRING | J_OBJECT, .members = need_members, .check = check_need),
};

#define ROW(how, field) .as = AS_##how, .at = offsetof(struct row, field)

static const struct member without_members[] = {
	{ "value", J_BOOL, .required = true, ROW(JSON, without) },
	{ "versions", J_ARRAY, .each = &each_range, ROW(RANGES, without_in) },
	{ 0 },
};

static const struct member feature_members[] = {
	{ "added", J_INT, AT_LEAST(1), ROW(INT, added) },
	{ "asked", J_STRING, .check = schema_name, ROW(TEXT, asked) },
	{ "bit", J_INT, LIMITS(0, 127), ROW(SMALL, bit) },
	{ "bit_when", J_STRING, .words = when_words, ROW(WORD, bit_when) },
	{ "caution", J_STRING, .check = schema_nonempty, ROW(TEXT, caution) },
	{ "class", J_STRING, .required = true, .check = schema_name, ROW(TEXT, class_name) },
	{ "combine", J_STRING, .required = true, .words = combine_words, ROW(WORD, combine) },
	{ "compat", J_ARRAY, .required = true,
	  INTO_LIST(struct row, compat, compat_members, MORE_NONE) },
	{ "declared_on", J_STRING, .required = true, .check = schema_name, ROW(TEXT, declared_on) },
	{ "default", J_BOOL | J_INT | J_STRING | J_NULL, .required = true, ROW(JSON, def) },
	{ "depends", J_ARRAY, .required = true, .each = EACH_TEXT },
	{ "disabled", J_BOOL, ROW(JSON, disabled) },
	{ "domain", J_STRING, .check = schema_nonempty, ROW(TEXT, domain) },
	{ "fact", J_STRING, .check = schema_name, ROW(TEXT, limit) },
	{ "feature", J_STRING, .required = true, .check = schema_nonempty, ROW(TEXT, feature) },
	{ "group", J_STRING, .check = schema_name, ROW(TEXT, group_name) },
	{ "incoming_since", J_STRING, .check = schema_version, ROW(VERSION, incoming_since) },
	{ "least", J_INT, AT_LEAST(1), ROW(INT, least) },
	{ "legacy", J_BOOL, ROW(BOOL, legacy) },
	{ "missing", J_STRING, .required = true, .words = missing_words, ROW(CHOICE, fatal) },
	{ "needs", J_OBJECT, .required = true, .each = &each_needs },
	{ "observed", J_STRING, .check = schema_name, ROW(TEXT, observed) },
	{ "pin", J_STRING, .required = true, .words = pin_words, ROW(WORD, pin) },
	{ "property", J_STRING, .required = true, .check = schema_nonempty, ROW(TEXT, property) },
	{ "queues", J_STRING, .words = queues_words, ROW(WORD, queues) },
	{ "realized", J_INT, ROW(JSON, realized) },
	{ "remedy", J_STRING, .check = schema_nonempty, ROW(TEXT, remedy) },
	{ "removed", J_STRING, .check = schema_version, ROW(VERSION, removed) },
	{ "shape", J_STRING, .check = schema_name, ROW(TEXT, shape_name) },
	{ "shown_as", J_STRING, .check = schema_name, ROW(TEXT, shown_as) },
	{ "shown_with", J_STRING, .check = schema_name, ROW(TEXT, shown_with) },
	{ "siblings", J_ARRAY, .each = EACH_NAME },
	{ "since", J_STRING, .required = true, .check = schema_version, ROW(VERSION, since) },
	{ "sources", J_OBJECT, .required = true, .each = EACH_TEXT },
	{ "type", J_STRING, .required = true, .words = type_words, ROW(TEXT, type) },
	{ "unmasked", J_ARRAY, .each = &each_range, ROW(RANGES, unmasked) },
	{ "without", J_OBJECT, .members = without_members, .more = MORE_FREE, .as = AS_PART },
	{ 0 },
};

static const struct member backend_members[] = {
	{ "default", J_BOOL, .required = true, INTO(struct backend, BOOL, by_default) },
	{ "device", J_STRING, .check = schema_name, INTO(struct backend, TEXT, device) },
	{ "predicted_only", J_BOOL, .check = schema_true,
	  INTO(struct backend, BOOL, predicted_only) },
	{ "usable", J_ARRAY, .required = true, .each = EACH(J_STRING) },
	{ 0 },
};

static const struct member condition_members[] = {
	{ "label", J_STRING, .check = schema_nonempty, INTO(struct condition, TEXT, label) },
	{ "layer", J_STRING, .required = true, .check = schema_nonempty,
	  INTO(struct condition, TEXT, layer) },
	{ "missing", J_STRING, .required = true, .check = schema_nonempty,
	  INTO(struct condition, TEXT, missing) },
	{ "remedy", J_STRING, .required = true, .check = schema_nonempty,
	  INTO(struct condition, TEXT, remedy) },
	{ "source", J_STRING, .required = true, .check = schema_nonempty,
	  INTO(struct condition, TEXT, source) },
	{ 0 },
};

static const struct member group_members[] = {
	{ "description", J_STRING, .required = true, INTO(struct group, TEXT, description) },
	{ "together", J_BOOL, .required = true, INTO(struct group, BOOL, together) },
	{ 0 },
};

static const struct member requirement_members[] = {
	{ "bit", J_INT, LIMITS(0, 127), INTO(struct requirement, SMALL, bit) },
	{ "feature", J_STRING, .check = schema_nonempty, INTO(struct requirement, TEXT, feature) },
	{ "legacy_without", J_BOOL, .check = schema_true,
	  INTO(struct requirement, BOOL, legacy_without) },
	{ "masked_by", J_STRING, .check = schema_nonempty },
	{ "name", J_STRING, .required = true, .check = schema_name,
	  INTO(struct requirement, TEXT, name) },
	{ "named_only", J_BOOL, INTO(struct requirement, BOOL, named_only) },
	{ "needs", J_OBJECT, .required = true, .each = &each_needs },
	{ "prerequisite", J_STRING, .check = schema_name },
	{ "remedy", J_STRING, .required = true, .check = schema_nonempty,
	  INTO(struct requirement, TEXT, remedy) },
	{ "sources", J_STRING | J_OBJECT, .required = true, .check = schema_nonempty,
	  .each = EACH_TEXT },
	{ "stated_by", J_STRING, .check = schema_name, INTO(struct requirement, TEXT, stated_by) },
	{ "text", J_STRING, .required = true, .check = schema_nonempty,
	  INTO(struct requirement, TEXT, text) },
	{ "to_leave", J_BOOL, .check = schema_true, INTO(struct requirement, BOOL, to_leave) },
	{ 0 },
};

static const struct member offer_members[] = {
	{ "source", J_STRING, .required = true, .check = schema_nonempty },
	{ "value", J_INT, .required = true, INTO(struct shape_offer, INT, value) },
	{ "versions", J_ARRAY, .required = true, .each = &each_range,
	  INTO(struct shape_offer, RANGES, versions) },
	{ 0 },
};

static const struct member shape_members[] = {
	{ "also", J_STRING, .check = schema_nonempty, INTO(struct shape, TEXT, also) },
	{ "checked_since", J_STRING, .required = true, .check = schema_version,
	  INTO(struct shape, VERSION, checked_since) },
	{ "name", J_STRING, .required = true, .check = schema_name,
	  INTO(struct shape, TEXT, name) },
	{ "offers", J_ARRAY, .required = true,
	  INTO_LIST(struct shape, offers, offer_members, MORE_NONE) },
	{ "recorded", J_STRING, .required = true, .check = schema_nonempty,
	  INTO(struct shape, TEXT, recorded) },
	{ "remedy", J_STRING, .required = true, .check = schema_nonempty,
	  INTO(struct shape, TEXT, remedy) },
	{ "sources", J_STRING | J_OBJECT, .required = true, .check = schema_nonempty,
	  .each = EACH_TEXT },
	{ "text", J_STRING, .required = true, .check = schema_nonempty,
	  INTO(struct shape, TEXT, text) },
	{ 0 },
};

static const struct member release_members[] = {
	{ "machines_from", J_STRING, .required = true, .check = schema_version,
	  INTO(struct release, VERSION, machines_from) },
	{ "source", J_STRING, .required = true, .check = schema_nonempty },
	{ "versions", J_STRING, .required = true, .check = schema_version_range,
	  INTO(struct release, RANGE, versions) },
	{ 0 },
};

static const struct member package_members[] = {
	{ "pattern", J_STRING, .required = true, .check = schema_nonempty },
	{ "source", J_STRING, .required = true, .check = schema_nonempty },
	{ 0 },
};

#define TABLE(field, table) INTO_LIST(struct abibase_catalogue, field, table, MORE_FREE)
/* The same of an object, whose keys are names. */
#define NAMED(field, table, type)                                                             \
	INTO(struct abibase_catalogue, LIST, field), .size = sizeof(type),                    \
		.each = EACH(J_OBJECT, .members = table, .more = MORE_FREE, INTO(type, KEY, name))

static const struct member same_members[] = {
	{ "class", J_STRING, .required = true, .check = schema_nonempty },
	{ "property", J_STRING, .required = true, .check = schema_nonempty },
	{ "source", J_STRING, .required = true, .check = schema_nonempty },
	{ "values", J_ARRAY, .required = true, AT_LEAST(2), .each = EACH_TEXT },
	{ 0 },
};

static const struct member catalogue_members[] = {
	{ "backends", J_OBJECT, .required = true, LIMITS(1, MAX_BACKENDS),
	  NAMED(backends, backend_members, struct backend) },
	{ "conditions", J_OBJECT, .required = true,
	  NAMED(conditions, condition_members, struct condition) },
	{ "features", J_ARRAY, .required = true, TABLE(rows, feature_members) },
	{ "groups", J_OBJECT, .required = true, NAMED(groups, group_members, struct group) },
	{ "own_machines", J_ARRAY, .each = EACH_OBJECT(package_members, MORE_FREE) },
	{ "releases", J_ARRAY, TABLE(releases, release_members) },
	{ "requirements", J_ARRAY, .required = true, TABLE(requirements, requirement_members) },
	{ "revision", J_INT, .required = true, AT_LEAST(1),
	  INTO(struct abibase_catalogue, INT, revision) },
	{ "same_values", J_ARRAY, .each = EACH_OBJECT(same_members, MORE_FREE) },
	{ "schema", J_STRING, .required = true },
	{ "shapes", J_ARRAY, .required = true, TABLE(shapes, shape_members) },
	{ "targets", J_ARRAY, .required = true, AT_LEAST(1), .each = EACH_NAME },
	{ 0 },
};

/* ---------------------------------------------------- names resolved to indices */

static int find_condition(const struct abibase_catalogue *cat, const char *name)
{
	for (size_t i = 0; i < cat->n_conditions; i++)
		if (streq(cat->conditions[i].name, name))
			return (int)i;
	return -1;
}

static void link_conditions(struct schema_walk *c, struct abibase_catalogue *cat)
{
	size_t mark = schema_enter(c, "conditions"), mark2;

	for (size_t i = 0; i < cat->n_conditions; i++) {
		struct condition *cond = &cat->conditions[i];
		size_t len = condition_parse(cond->name, &cond->bit);

		mark2 = schema_enter(c, cond->name);
		if (!len)
			schema_fault(c, "json-bad-value",
				     "is not a condition: FACT, or FACT[BIT] for one bit of a "
				     "word");
		schema_leave(c, mark2);
		cond->fact = arena_printf(&cat->arena, "%.*s", (int)len, cond->name);
	}
	qsort(cat->conditions, cat->n_conditions, sizeof(*cat->conditions), text_cmp);
	schema_leave(c, mark);
}

static int use_condition(struct schema_walk *c, const struct abibase_catalogue *cat,
			 const char *name)
{
	int i = find_condition(cat, name);

	if (i < 0)
		schema_fault(c, "json-bad-value", "\"%s\" is not described in \"conditions\"",
			     name);
	return i;
}

static void link_backends(struct schema_walk *c, struct abibase_catalogue *cat)
{
	const json_t *map = json_object_get(cat->root, "backends");
	size_t mark = schema_enter(c, "backends"), i;
	json_t *item;

	for (struct backend *b = cat->backends; b < cat->backends + cat->n_backends; b++) {
		const json_t *usable = json_object_get(json_object_get(map, b->name), "usable");

		b->usable = arena_alloc(&cat->arena, json_array_size(usable) * sizeof(*b->usable));
		if (!b->usable)
			return;
		json_array_foreach(usable, i, item)
			b->usable[b->n_usable++] = use_condition(c, cat, json_string_value(item));
	}
	qsort(cat->backends, cat->n_backends, sizeof(*cat->backends), text_cmp);
	schema_leave(c, mark);
}

static void link_need_list(struct schema_walk *c, struct abibase_catalogue *cat, const json_t *list,
			   struct needs *needs)
{
	size_t i;
	json_t *v;

	needs->need = arena_alloc(&cat->arena, json_array_size(list) * sizeof(*needs->need));
	if (!needs->need)
		return;
	json_array_foreach(list, i, v) {
		struct need *n = &needs->need[needs->n++];
		const json_t *name = json_is_string(v) ? v : json_object_get(v, "condition");

		codec_read(&(struct codec){ &cat->arena, c, NULL }, need_members, v, n);
		if (!version_is_zero(&n->until) && !n->until.part[2])
			n->until.part[2] = UINT_MAX;
		n->condition = name ? use_condition(c, cat, json_string_value(name)) : NEED_NEVER;
	}
}

static bool same_device(const struct backend *a, const struct backend *b)
{
	return a->device && b->device ? streq(a->device, b->device) : a->device == b->device;
}

unsigned int catalogue_device_of(const struct abibase_catalogue *cat, size_t backend)
{
	unsigned int mask = 0;

	for (size_t i = 0; i < cat->n_backends; i++)
		if (same_device(&cat->backends[i], &cat->backends[backend]))
			mask |= 1u << i;
	return mask;
}

/* @ret_backends: those that are named; with @whole they must be all of one device. */
static void link_needs(struct schema_walk *c, struct abibase_catalogue *cat, const json_t *obj,
		       bool whole, struct needs *needs, unsigned int *ret_backends)
{
	const json_t *map = json_object_get(obj, "needs");
	size_t mark = schema_enter(c, "needs"), found = 0, last = 0;

	for (size_t i = 0; i < cat->n_backends; i++) {
		const json_t *list = json_object_get(map, cat->backends[i].name);
		size_t mark2 = schema_enter(c, cat->backends[i].name);

		if (list) {
			*ret_backends |= 1u << i;
			last = i;
			found++;
		}
		link_need_list(c, cat, list, &needs[i]);
		schema_leave(c, mark2);
	}
	if (!found || found != json_object_size(map))
		schema_fault(c, "json-bad-value", "must name backends, and nothing else");
	else if (whole && *ret_backends != catalogue_device_of(cat, last))
		schema_fault(c, "json-bad-value", "must name each backend of one device");
	schema_leave(c, mark);
}

static void link_row_group(struct schema_walk *c, const struct abibase_catalogue *cat,
			   struct row *row)
{
	row->group = -1;
	for (size_t i = 0; row->group_name && i < cat->n_groups; i++)
		if (streq(cat->groups[i].name, row->group_name))
			row->group = (int)i;
	if (row->group < 0 && row->group_name)
		schema_fault(c, "json-bad-value", "\"%s\" is not described in \"groups\"",
			     row->group_name);
	if (row->group < 0 && !row->group_name && row->pin != PIN_FIXED)
		schema_fault(c, "json-missing-key", "a row that can be set needs a \"group\"");
}

/* A value that is looked at on each host, where each has what it has. */
static void link_observed(struct schema_walk *c, const struct row *row)
{
	if (!row->observed != (row->combine != COMBINE_POWER_OF_TWO))
		schema_fault(c, "json-bad-value",
			     "what is \"observed\", and only that, is combined as "
			     "\"power-of-two\"");
	else if (row->observed && (!row->number || !row->remedy))
		schema_fault(c, "json-bad-value",
			     "what is \"observed\" is a number, and needs a \"remedy\"");
}

/* One number for each fact, however many rows are of it. */
static void link_number(struct schema_walk *c, struct abibase_catalogue *cat, struct row *row)
{
	size_t i = 0;

	row->fact = -1;
	row->number = strprefix(row->type, "uint") &&
		      (row->combine == COMBINE_MIN || row->combine == COMBINE_DIRECTIONAL ||
		       row->combine == COMBINE_POWER_OF_TWO);
	link_observed(c, row);
	if (!row->limit)
		return;
	if (!row->number)
		schema_fault(c, "json-bad-value", "only the least of numbers can be of a \"fact\"");
	while (i < cat->n_numbers && !streq(cat->numbers[i], row->limit))
		i++;
	if (i == cat->n_numbers)
		cat->numbers[cat->n_numbers++] = row->limit;
	row->fact = (int)i;
}

static void link_row(struct schema_walk *c, struct abibase_catalogue *cat, const json_t *v,
		    struct row *row)
{
	if (!row->asked)
		row->asked = row->class_name;
	row->boolean = streq(row->type, "bool") ||
		       (row->bit >= 0 && streq(row->type, "OnOffAuto"));
	if (row->bit < 0)
		row->bit_when = BIT_NEVER;
	else if (row->bit_when == BIT_NEVER) /* not said */
		row->bit_when = BIT_TRUE;
	link_number(c, cat, row);
	if (row->pin == PIN_PINNED && !row->boolean)
		schema_fault(c, "json-bad-value", "only a row that is on or off can be pinned");
	link_row_group(c, cat, row);
	row->key = arena_printf(&cat->arena, "%s.%s", row->class_name, row->property);
	link_needs(c, cat, v, true, row->needs, &row->backends);
}

/* "guest_tso4|guest_tso6" */
static void link_depend(struct schema_walk *c, struct abibase_catalogue *cat, const struct row *row,
			const char *text, struct depend *d)
{
	d->any = arena_alloc(&cat->arena, (strlen(text) + 1) * sizeof(*d->any));
	while (d->any && *text) {
		size_t len = strcspn(text, "|");
		char *key = arena_printf(&cat->arena, "%s.%.*s", row->class_name, (int)len, text);

		d->any[d->n] = catalogue_row(cat, key ?: "");
		if (d->any[d->n] < 0)
			schema_fault(c, "json-bad-value",
				     "depends on \"%.*s\", which is not a property of \"%s\" here",
				     (int)len, text, row->class_name);
		d->n++;
		text += len + (text[len] == '|');
	}
}

static void link_depends(struct schema_walk *c, struct abibase_catalogue *cat, const json_t *v,
			 struct row *row)
{
	const json_t *list = json_object_get(v, "depends");
	size_t i;
	json_t *item;

	row->depends = arena_alloc(&cat->arena, json_array_size(list) * sizeof(*row->depends));
	if (!row->depends)
		return;
	json_array_foreach(list, i, item)
		link_depend(c, cat, row, json_string_value(item), &row->depends[row->n_depends++]);
}

static void link_rows(struct schema_walk *c, struct abibase_catalogue *cat)
{
	const json_t *list = json_object_get(cat->root, "features");
	size_t mark = schema_enter(c, "features"), mark2, i;
	json_t *v;

	cat->numbers = arena_alloc(&cat->arena, json_array_size(list) * sizeof(*cat->numbers));
	if (cat->arena.failed)
		return;
	json_array_foreach(list, i, v) {
		mark2 = schema_enter_index(c, i);
		link_row(c, cat, v, &cat->rows[i]);
		if (cat->arena.failed)
			return;
		if (i && strcmp(cat->rows[i - 1].key, cat->rows[i].key) >= 0)
			schema_fault(c, "json-bad-value",
				     "\"%s\" must stand before \"%s\": rows are sorted, each once",
				     cat->rows[i].key, cat->rows[i - 1].key);
		schema_leave(c, mark2);
	}
	json_array_foreach(list, i, v) {
		mark2 = schema_enter_index(c, i);
		link_depends(c, cat, v, &cat->rows[i]);
		schema_leave(c, mark2);
	}
	schema_leave(c, mark);
}

static void link_masked_by(struct schema_walk *c, const struct abibase_catalogue *cat,
			   const json_t *v, struct requirement *q)
{
	const char *key = string_of(v, "masked_by");

	q->masked_by = key ? catalogue_row(cat, key) : -1;
	if (key && (q->masked_by < 0 || !json_is_true(cat->rows[q->masked_by].disabled)))
		schema_fault(c, "json-bad-value",
			     "is masked by \"%s\", which is no row that is on when it is disabled",
			     key);
}

static void link_prerequisites(struct schema_walk *c, struct abibase_catalogue *cat,
			       const json_t *list)
{
	for (size_t i = 0; i < cat->n_requirements; i++) {
		const char *name = string_of(json_array_get(list, i), "prerequisite");
		size_t mark = schema_enter_index(c, i);

		if (name)
			cat->requirements[i].prerequisite = catalogue_requirement(cat, name);
		if (name && !cat->requirements[i].prerequisite)
			schema_fault(c, "json-bad-value", "\"%s\" is no requirement", name);
		schema_leave(c, mark);
	}
}

static void link_requirements(struct schema_walk *c, struct abibase_catalogue *cat)
{
	const json_t *list = json_object_get(cat->root, "requirements");
	size_t mark = schema_enter(c, "requirements"), mark2, i;
	json_t *v;

	json_array_foreach(list, i, v) {
		struct requirement *q = &cat->requirements[i];

		mark2 = schema_enter_index(c, i);
		if (q->bit >= 0 && !q->feature)
			schema_fault(c, "json-missing-key", "a \"bit\" needs its \"feature\"");
		link_masked_by(c, cat, v, q);
		link_needs(c, cat, v, false, q->needs, &q->backends);
		schema_leave(c, mark2);
	}
	link_prerequisites(c, cat, list);
	schema_leave(c, mark);
}

static void mark_needed(struct abibase_catalogue *cat, const struct needs *needs)
{
	for (size_t be = 0; be < cat->n_backends; be++)
		for (size_t i = 0; i < needs[be].n; i++)
			if (needs[be].need[i].condition >= 0)
				cat->conditions[needs[be].need[i].condition].backends |= 1u << be;
}

/* Which backends look at a condition, to be usable or for a row or a requirement. */
static void mark_conditions(struct abibase_catalogue *cat)
{
	for (size_t be = 0; be < cat->n_backends; be++)
		for (size_t i = 0; i < cat->backends[be].n_usable; i++)
			if (cat->backends[be].usable[i] >= 0)
				cat->conditions[cat->backends[be].usable[i]].backends |= 1u << be;
	for (size_t i = 0; i < cat->n_rows; i++)
		mark_needed(cat, cat->rows[i].needs);
	for (size_t i = 0; i < cat->n_requirements; i++)
		mark_needed(cat, cat->requirements[i].needs);
}

static void catalogue_link(struct schema_walk *c, struct abibase_catalogue *cat)
{
	codec_read(&(struct codec){ &cat->arena, c, NULL }, catalogue_members, cat->root, cat);
	if (cat->arena.failed)
		return;
	link_conditions(c, cat);
	link_backends(c, cat);
	link_rows(c, cat);
	if (!cat->arena.failed)
		link_requirements(c, cat);
	if (!cat->arena.failed)
		mark_conditions(cat);
}

/* ------------------------------------------------------------------- the object */

/* Make a catalogue of @root, whose members were checked; takes the reference, also on failure. */
static int catalogue_make(struct schema_walk *c, json_t *root, struct abibase_catalogue **ret)
{
	struct abibase_catalogue *cat = c->faults ? NULL : calloc(1, sizeof(*cat));
	int r;

	if (!cat) {
		json_decref(root);
		return c->faults ? schema_result(c) : context_oom(c->ctx);
	}
	cat->refcount = 1;
	cat->root = root;
	catalogue_link(c, cat);
	r = cat->arena.failed ? context_oom(c->ctx) : schema_result(c);
	if (r < 0) {
		abibase_catalogue_unref(cat);
		return r;
	}
	*ret = cat;
	return 0;
}

static void check_links(struct schema_walk *c, const json_t *root)
{
	struct abibase_catalogue *cat;

	if (catalogue_make(c, json_incref((json_t *)root), &cat) == 0)
		abibase_catalogue_unref(cat);
}

const struct form catalogue_form = { "catalogue", .members = catalogue_members,
				     .more = MORE_FREE, .max = JSON_MAX_CATALOGUE,
				     .check = check_links };

int catalogue_from_json(struct abibase_context *ctx, json_t *root, const char *source,
			struct abibase_catalogue **ret)
{
	struct schema_walk c;

	schema_init(&c, ctx, source);
	schema_root(&c, root, &catalogue_form);
	return catalogue_make(&c, root, ret);
}

ABIBASE_EXPORT DEFINE_REF(abibase_catalogue, abibase_catalogue_ref)

ABIBASE_EXPORT struct abibase_catalogue *abibase_catalogue_unref(struct abibase_catalogue *cat)
{
	if (!cat || __atomic_sub_fetch(&cat->refcount, 1, __ATOMIC_ACQ_REL) > 0)
		return NULL;
	arena_clear(&cat->arena);
	json_decref(cat->root);
	json_decref(cat->errata_root);
	free(cat);
	return NULL;
}

int catalogue_backend(const struct abibase_catalogue *cat, const char *name)
{
	for (size_t i = 0; i < cat->n_backends; i++)
		if (streq(cat->backends[i].name, name))
			return (int)i;
	return -1;
}

unsigned int catalogue_device(const struct abibase_catalogue *cat, const char *device)
{
	const struct backend wanted = { .device = device };
	unsigned int mask = 0;

	for (size_t i = 0; i < cat->n_backends; i++)
		if (!cat->backends[i].predicted_only && same_device(&cat->backends[i], &wanted))
			mask |= 1u << i;
	return mask;
}

/* The two parts of a key, which is not made for it. */
struct key {
	const char *class_name, *property;
	size_t class_len;
};

static int key_cmp(const void *key, const void *row)
{
	const struct key *k = key;
	const char *of = ((const struct row *)row)->key;
	int r = strncmp(k->class_name, of, k->class_len);

	if (!r)
		r = '.' - (unsigned char)of[k->class_len];
	return r ? r : strcmp(k->property, of + k->class_len + 1);
}

/* Rows are sorted by their keys: link_rows() insists. */
static const struct row *find_row(const struct abibase_catalogue *cat, const struct key *key)
{
	return bsearch(key, cat->rows, cat->n_rows, sizeof(*cat->rows), key_cmp);
}

int catalogue_row(const struct abibase_catalogue *cat, const char *key)
{
	const char *dot = strchr(key, '.');
	const struct row *row;

	if (!dot)
		return -1;
	row = find_row(cat, &(struct key){ key, dot + 1, (size_t)(dot - key) });
	return row ? (int)(row - cat->rows) : -1;
}

const struct row *catalogue_find(const struct abibase_catalogue *cat, const char *class_name,
				 const char *property)
{
	return find_row(cat, &(struct key){ class_name, property, strlen(class_name) });
}

bool catalogue_has_target(const struct abibase_catalogue *cat, const char *target)
{
	return json_has(json_object_get(cat->root, "targets"), target);
}

bool catalogue_group_has_switch(const struct abibase_catalogue *cat, const char *group, bool off,
				unsigned int backends)
{
	for (size_t i = 0; i < cat->n_rows; i++) {
		const struct row *row = &cat->rows[i];

		if (row->group_name && streq(row->group_name, group) && row->backends & backends &&
		    ((row->boolean && row->bit >= 0) ||
		     ((row->disabled || row->observed) && off) ||
		     (row->number && !row->observed && (row->bit >= 0 || !off))))
			return true;
	}
	return false;
}

int64_t shape_value(const struct shape *s, const struct version *v)
{
	for (size_t i = 0; i < s->n_offers; i++)
		if (version_in(v, s->offers[i].versions, s->offers[i].n))
			return s->offers[i].value;
	return -1;
}

int64_t shape_least(const struct shape *s)
{
	int64_t least = -1;

	for (size_t i = 0; i < s->n_offers; i++)
		if (least < 0 || s->offers[i].value < least)
			least = s->offers[i].value;
	return least;
}

int64_t shape_most(const struct shape *s)
{
	int64_t most = -1;

	for (size_t i = 0; i < s->n_offers; i++)
		if (s->offers[i].value > most)
			most = s->offers[i].value;
	return most;
}

int catalogue_no_backend(struct abibase_context *ctx, const struct abibase_catalogue *cat,
			 const char *name, bool predicted, const char *id)
{
	struct suggest s = { .word = name };
	char near[SUGGEST_TEXT];

	for (size_t i = 0; i < cat->n_backends; i++)
		if (predicted || !cat->backends[i].predicted_only)
			suggest_offer(&s, cat->backends[i].name);
	suggest_text(&s, "\"", near);
	return context_fail(ctx, EINVAL, id, NULL, "\"%s\" is not a backend of the catalogue%s",
			    name, near);
}

const struct row *catalogue_bit(const struct abibase_catalogue *cat, int bit, unsigned int backends)
{
	const struct row *legacy = NULL;

	for (size_t i = 0; i < cat->n_rows; i++) {
		const struct row *row = &cat->rows[i];

		if (row->bit != bit || !(row->backends & backends))
			continue;
		if (!row->legacy)
			return row;
		legacy = legacy ? legacy : row;
	}
	return legacy;
}

const struct requirement *catalogue_bit_required(const struct abibase_catalogue *cat, int bit,
						 unsigned int backends)
{
	for (size_t i = 0; i < cat->n_requirements; i++)
		if (cat->requirements[i].bit == bit && cat->requirements[i].backends & backends)
			return &cat->requirements[i];
	return NULL;
}

const struct requirement *catalogue_requirement(const struct abibase_catalogue *cat,
						const char *name)
{
	for (size_t i = 0; i < cat->n_requirements; i++)
		if (streq(cat->requirements[i].name, name))
			return &cat->requirements[i];
	return NULL;
}

const struct requirement *catalogue_stated_by(const struct abibase_catalogue *cat,
					      const char *member)
{
	for (size_t i = 0; i < cat->n_requirements; i++)
		if (cat->requirements[i].stated_by && streq(cat->requirements[i].stated_by, member))
			return &cat->requirements[i];
	return NULL;
}

const struct row *catalogue_sizes(const struct abibase_catalogue *cat, enum row_queues queues)
{
	for (size_t i = 0; i < cat->n_rows; i++)
		if (cat->rows[i].queues == queues)
			return &cat->rows[i];
	return NULL;
}

const struct row *catalogue_shown_as(const struct abibase_catalogue *cat, const char *member)
{
	for (size_t i = 0; i < cat->n_rows; i++)
		if (cat->rows[i].shown_as && streq(cat->rows[i].shown_as, member))
			return &cat->rows[i];
	return NULL;
}

const struct release *catalogue_release(const struct abibase_catalogue *cat,
					const struct version *v)
{
	for (size_t i = 0; i < cat->n_releases; i++)
		if (version_in(v, &cat->releases[i].versions, 1))
			return &cat->releases[i];
	return NULL;
}

bool catalogue_is_older(const struct abibase_catalogue *cat, const struct version *v)
{
	for (size_t i = 0; i < cat->n_releases; i++)
		if (version_cmp(v, &cat->releases[i].versions.last) <= 0)
			return false;
	return cat->n_releases > 0;
}

bool catalogue_has_own_machines(const struct abibase_catalogue *cat, const char *package)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(cat->root, "own_machines"), i, v)
		if (package && fnmatch(string_of(v, "pattern"), package, 0) == 0)
			return true;
	return false;
}

ABIBASE_EXPORT const struct abibase_value *
abibase_catalogue_value(const struct abibase_catalogue *cat)
{
	return as_value(cat ? cat->root : NULL);
}

void catalogue_suggest(const struct abibase_catalogue *cat, struct suggest *s, bool groups)
{
	bool with_class = strchr(s->word, '.') != NULL;

	for (size_t i = 0; groups && i < cat->n_groups; i++)
		suggest_offer(s, cat->groups[i].name);
	for (size_t i = 0; i < cat->n_rows; i++)
		suggest_offer(s, with_class ? cat->rows[i].key : cat->rows[i].property);
}
