/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>

#include "base/context.h"
#include "document/decode-data.h"
#include "base/version.h"

/* data/devices.json and data/messages.json: what is accepted, and how it is read. */

#define MIN_LITERAL 3 /* a pattern that begins with less would be looked for everywhere */

/* ------------------------------------------------------------------------ patterns */

static bool type_of(const char *s, size_t len, enum capture_type *ret)
{
	static const struct {
		const char *word;
		enum capture_type type;
	} types[] = {
		{ "hex", CAPTURE_HEX },	  { "int", CAPTURE_INT },   { "key", CAPTURE_KEY },
		{ "word", CAPTURE_WORD }, { "text", CAPTURE_TEXT }, { "rest", CAPTURE_REST },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strlen(types[i].word) != len || memcmp(types[i].word, s, len) != 0)
			continue;
		*ret = types[i].type;
		return true;
	}
	return false;
}

/* "{name:type}" at @s; returns what follows, or NULL. */
static const char *parse_capture(const char *s, struct piece *ret)
{
	const char *colon = strchr(s, ':'), *end = strchr(s, '}');

	if (!colon || !end || colon > end || colon == s + 1)
		return NULL;
	ret->text = s + 1;
	ret->len = (size_t)(colon - s - 1);
	return type_of(colon + 1, (size_t)(end - colon - 1), &ret->type) ? end + 1 : NULL;
}

static bool parse_pattern(const char *s, struct message *m)
{
	m->n_pieces = 0;
	while (*s) {
		struct piece *p = &m->pieces[m->n_pieces];

		if (m->n_pieces == MAX_PIECES)
			return false;
		if (*s == '{') {
			s = parse_capture(s, p);
			if (!s)
				return false;
		} else {
			p->type = CAPTURE_NONE;
			p->text = s;
			p->len = strcspn(s, "{");
			s += p->len;
		}
		/* two captures side by side would have no border */
		if (m->n_pieces && (p->type == CAPTURE_NONE) == (p[-1].type == CAPTURE_NONE))
			return false;
		m->n_pieces++;
	}
	return m->n_pieces &&
	       (m->whole ||
		(m->pieces[0].type == CAPTURE_NONE && m->pieces[0].len >= MIN_LITERAL));
}

int message_capture(const struct message *m, const char *name)
{
	int n = 0;

	for (size_t i = 0; i < m->n_pieces; i++) {
		const struct piece *p = &m->pieces[i];

		if (p->type == CAPTURE_NONE)
			continue;
		if (strlen(name) == p->len && memcmp(name, p->text, p->len) == 0)
			return n;
		n++;
	}
	return -1;
}

/* ---------------------------------------------------------------- messages.json */

/* In the order of enum message_kind and enum echo_place. */
static const char *const kinds[] = { "features", "word", "echo", "message", NULL };
static const char *const places[] = { "field", "section", "end", NULL };
static const char *const scopes[] = { "guest", "outside", "harmless", "unknown", NULL };
static const char *const deciders[] = { "host", "options", "build", "nobody", NULL };

static void check_off(struct schema_walk *c, const json_t *v)
{
	const char *s = json_string_value(v);

	if (!strchr(s, '.') || !strchr(s, '='))
		schema_fault(c, "json-bad-value", "\"%s\" is not class.property=value", s);
}

static void check_detail(struct schema_walk *c, const json_t *v)
{
	if (!json_object_get(v, "capture") != !json_object_get(v, "first") ||
	    !json_object_get(v, "capture") != !json_object_get(v, "last"))
		schema_fault(c, "json-bad-value",
			     "\"capture\", \"first\" and \"last\", its range, belong together");
}

static const struct member detail_members[] = {
	{ "bar", J_INT, LIMITS(0, 5) },
	{ "capture", J_STRING, .check = schema_nonempty },
	{ "devices", J_ARRAY, .each = EACH_TEXT },
	{ "differs", J_INT, .required = false },
	{ "erratum", J_STRING, .check = schema_name },
	{ "first", J_INT, .required = false },
	{ "last", J_INT, .required = false },
	{ "remedy", J_STRING, .check = schema_nonempty },
	{ "text", J_STRING, .required = true, .check = schema_nonempty },
	{ 0 },
};

/* What a row of its kind must have; masks and words are understood by code. */
static void check_pattern(struct schema_walk *c, const char *kind, const char *pattern, bool whole)
{
	struct message m = { .whole = whole };

	if (!parse_pattern(pattern, &m))
		schema_fault(c, "json-bad-value",
			     "\"%s\" is not a pattern: literals of which the first has %d bytes or "
			     "more, and {name:type} between them",
			     pattern, MIN_LITERAL);
	else if (streq(kind, "features") && (message_capture(&m, "guest") < 0 ||
					     message_capture(&m, "allowed") < 0))
		schema_fault(c, "json-bad-value", "the pattern must capture guest and allowed");
	else if (streq(kind, "word") && message_capture(&m, "word") < 0)
		schema_fault(c, "json-bad-value", "the pattern must capture word");
}

static void check_row(struct schema_walk *c, const json_t *v)
{
	static const char *const wanted[] = { "meaning", "remedy", "scope" };
	const char *kind = string_of(v, "kind"), *pattern = string_of(v, "pattern");
	bool whole = json_is_true(json_object_get(v, "whole")), spoken;
	size_t i;
	json_t *also;

	if (!kind || !pattern || word_index(kinds, kind) < 0)
		return;
	spoken = streq(kind, "message") || streq(kind, "echo");
	check_pattern(c, kind, pattern, whole);
	json_array_foreach(json_object_get(v, "also"), i, also)
		if (json_is_string(also))
			check_pattern(c, kind, json_string_value(also), whole);
	for (i = 0; spoken && i < ARRAY_SIZE(wanted); i++)
		if (!json_object_get(v, wanted[i]))
			schema_fault(c, "json-missing-key", "\"%s\" is missing", wanted[i]);
	if (streq(kind, "echo") && !json_object_get(v, "place"))
		schema_fault(c, "json-missing-key", "\"place\" is missing");
}

static const struct member row_members[] = {
	{ "also", J_ARRAY, .each = EACH_TEXT },
	{ "details", J_ARRAY,
	  .each = EACH(J_OBJECT, .members = detail_members, .more = MORE_FREE,
		       .check = check_detail) },
	{ "device", J_STRING, .check = schema_name },
	{ "example", J_STRING, .required = true, .check = schema_nonempty },
	{ "id", J_STRING, .required = true, .check = schema_name },
	{ "kind", J_STRING, .required = true, .words = kinds },
	{ "layer", J_STRING, .check = schema_nonempty },
	{ "meaning", J_STRING, .check = schema_nonempty },
	{ "named_later", J_BOOL, .required = false },
	{ "off", J_STRING, .check = check_off },
	{ "pattern", J_STRING, .required = true, .check = schema_nonempty },
	{ "place", J_STRING, .words = places },
	{ "remedy", J_STRING, .check = schema_nonempty },
	{ "scope", J_STRING, .words = scopes },
	{ "source", J_STRING, .required = true, .check = schema_nonempty },
	{ "subject", J_STRING, .check = schema_nonempty },
	{ "who", J_STRING, .check = schema_nonempty },
	{ "whole", J_BOOL, .required = false },
	{ 0 },
};

static const struct member messages_members[] = {
	{ "messages", J_ARRAY, .required = true,
	  .each = EACH(J_OBJECT, .members = row_members, .more = MORE_FREE, .check = check_row) },
	{ "schema", J_STRING, .required = true },
	{ 0 },
};

const struct form messages_form = { "messages", .members = messages_members, .more = MORE_FREE,
				    .max = JSON_MAX_CATALOGUE };

/* ----------------------------------------------------------------- devices.json */

static void check_feature(struct schema_walk *c, const json_t *v)
{
	if (!json_object_get(v, "property") != !json_object_get(v, "off"))
		schema_fault(c, "json-bad-value",
			     "\"property\" and \"off\", its value without the feature, belong "
			     "together");
}

static const struct member feature_members[] = {
	{ "also", J_STRING, .check = schema_nonempty },
	{ "bit", J_INT, .required = true, LIMITS(0, FEATURE_BITS - 1) },
	{ "classes", J_ARRAY, .each = EACH_TEXT },
	{ "decided_by", J_STRING, .words = deciders },
	{ "layer", J_STRING, .check = schema_nonempty },
	{ "machine_off", J_STRING, .check = schema_version },
	{ "name", J_STRING, .required = true, .check = schema_nonempty },
	{ "off", J_STRING, .check = schema_nonempty },
	{ "property", J_STRING, .check = schema_nonempty },
	{ "remedy", J_STRING, .check = schema_nonempty },
	{ "removed", J_STRING, .check = schema_version },
	{ "since", J_STRING, .check = schema_version },
	{ 0 },
};

static const struct member each_feature = {
	.types = J_OBJECT, .members = feature_members, .more = MORE_FREE, .check = check_feature
};

/* Bits that are missing though others are allowed tell that another layer decides. */
static const struct member other_members[] = {
	{ "allowed", J_ARRAY, .required = true, .each = EACH(J_INT, LIMITS(0, FEATURE_BITS - 1)) },
	{ "layer", J_STRING, .required = true, .check = schema_nonempty },
	{ "missing", J_ARRAY, .required = true, .each = EACH(J_INT, LIMITS(0, FEATURE_BITS - 1)) },
	{ "remedy", J_STRING, .required = true, .check = schema_nonempty },
	{ 0 },
};

static const struct member family_members[] = {
	{ "family", J_STRING, .required = true, .check = schema_nonempty },
	{ "names", J_ARRAY, .each = EACH_TEXT },
	{ "part", J_BOOL, .required = false },
	{ "paths", J_ARRAY, .each = EACH_TEXT },
	{ "who", J_STRING, .check = schema_nonempty },
	{ 0 },
};

static const struct member device_members[] = {
	{ "aliases", J_ARRAY, .required = true, .each = EACH(J_STRING) },
	{ "class", J_STRING, .required = true, .check = schema_nonempty },
	{ "family", J_STRING, .required = true, .check = schema_nonempty },
	{ "features", J_ARRAY, .required = true, .each = &each_feature },
	{ "id", J_INT, .required = true },
	{ "layer", J_STRING, .check = schema_nonempty },
	{ "otherwise", J_ARRAY, .each = EACH_OBJECT(other_members, MORE_FREE) },
	{ "remedy", J_STRING, .check = schema_nonempty },
	{ "sections", J_OBJECT, .required = true, .each = EACH(J_STRING) },
	{ "source", J_STRING, .required = true, .check = schema_nonempty },
	{ 0 },
};

static const struct member transport_members[] = {
	{ "features", J_ARRAY, .required = true, .each = &each_feature },
	{ "source", J_STRING, .required = true, .check = schema_nonempty },
	{ 0 },
};

static const struct member devices_members[] = {
	{ "devices", J_OBJECT, .required = true, .each = EACH_OBJECT(device_members, MORE_FREE) },
	{ "families", J_ARRAY, .required = true, .each = EACH_OBJECT(family_members, MORE_FREE) },
	{ "schema", J_STRING, .required = true },
	{ "transport", J_OBJECT, .required = true, .members = transport_members,
	  .more = MORE_FREE },
	{ 0 },
};

const struct form devices_form = { "devices", .members = devices_members, .more = MORE_FREE,
				   .max = JSON_MAX_CATALOGUE };

/* ------------------------------------------------------------------------- reading */

static void add_message(struct decode_data *data, const json_t *row, const char *pattern)
{
	struct message *m = &data->message[data->n_messages++];

	m->row = row;
	m->kind = (enum message_kind)word_index(kinds, string_of(row, "kind"));
	if (m->kind == MESSAGE_ECHO)
		m->place = (enum echo_place)word_index(places, string_of(row, "place"));
	m->named_later = json_is_true(json_object_get(row, "named_later"));
	m->whole = json_is_true(json_object_get(row, "whole"));
	parse_pattern(pattern, m);
}

int decode_data_load(struct abibase_context *ctx, struct decode_data *data)
{
	int r = data_load(ctx, &devices_form, &data->devices);
	size_t i, k, n = 0;
	json_t *row, *rows, *also;

	if (r == 0)
		r = data_load(ctx, &messages_form, &data->messages);
	if (r < 0)
		return r;
	rows = json_object_get(data->messages, "messages");
	json_array_foreach(rows, i, row)
		n += 1 + json_array_size(json_object_get(row, "also"));
	data->message = calloc(n + 1, sizeof(*data->message));
	if (!data->message)
		return context_oom(ctx);
	json_array_foreach(rows, i, row) {
		add_message(data, row, string_of(row, "pattern"));
		json_array_foreach(json_object_get(row, "also"), k, also)
			add_message(data, row, json_string_value(also));
	}
	return 0;
}

void decode_data_clear(struct decode_data *data)
{
	free(data->message);
	json_decref(data->devices);
	json_decref(data->messages);
	memset(data, 0, sizeof(*data));
}

/* ------------------------------------------------------------------- device classes */

static bool same(const char *s, const char *name, size_t len)
{
	return strlen(s) == len && memcmp(s, name, len) == 0;
}

static bool ends_in(const char *name, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && memcmp(name + len - n, end, n) == 0;
}

/* "virtio-net-pci-non-transitional" is a virtio-net too. */
static size_t without_suffix(const char *name, size_t len)
{
	static const char *const suffixes[] = { "-non-transitional", "-transitional", "-pci",
						"-ccw", "-device" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (ends_in(name, len, suffixes[i]))
			len -= strlen(suffixes[i]);
	return len;
}

static bool has_name(const char *device, const json_t *row, const char *name, size_t len,
		     const char **ret_class)
{
	const char *section;
	json_t *v;
	size_t i;

	*ret_class = string_of(row, "class");
	json_object_foreach(json_object_get(row, "sections"), section, v) {
		if (!same(section, name, len) && !same(json_string_value(v), name, len))
			continue;
		*ret_class = json_string_value(v);
		return true;
	}
	json_array_foreach(json_object_get(row, "aliases"), i, v)
		if (same(json_string_value(v), name, len))
			return true;
	return same(device, name, len);
}

const char *decode_device(const struct decode_data *data, const char *name, size_t len,
			  const char **ret_class)
{
	size_t bare = without_suffix(name, len);
	const char *device;
	json_t *row;

	json_object_foreach(json_object_get(data->devices, "devices"), device, row)
		if (has_name(device, row, name, len, ret_class) ||
		    has_name(device, row, name, bare, ret_class))
			return device;
	return NULL;
}

const json_t *decode_device_row(const struct decode_data *data, const char *device)
{
	return json_object_get(json_object_get(data->devices, "devices"), device);
}

/* ------------------------------------------------------------------ kinds of device */

const char *decode_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

const char *decode_device_in(const struct decode_data *data, const char *path,
			     const char **ret_class)
{
	const char *name = decode_base(path), *class_name, *device = NULL;

	if (strchr(name, '-'))
		device = decode_device(data, name, strlen(name), &class_name);
	*ret_class = device ? class_name : NULL;
	return device;
}

bool decode_is_one_of(const json_t *globs, const char *name)
{
	return !globs || json_matches(globs, name ? name : "-");
}

const json_t *decode_family(const struct decode_data *data, const char *path)
{
	const char *name = decode_base(path), *device, *class_name;
	size_t i;
	json_t *row;

	device = decode_device_in(data, path, &class_name);
	if (device)
		return decode_device_row(data, device);
	json_array_foreach(json_object_get(data->devices, "families"), i, row)
		if (json_matches(json_object_get(row, "names"), name) ||
		    json_matches(json_object_get(row, "paths"), path))
			return row;
	return NULL;
}
