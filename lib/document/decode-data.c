/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>

#include "base/context.h"
#include "document/decode-data.h"
#include "base/version.h"

/* data/devices.json and data/messages.json: what is accepted, and how it is read. */

#define MIN_LITERAL 3 /* a pattern that begins with less would be looked for everywhere */

static const char *string_of(const json_t *obj, const char *key)
{
	return json_string_value(json_object_get(obj, key));
}

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

static bool one_of(const char *s, const char *const *words)
{
	for (; *words; words++)
		if (streq(s, *words))
			return true;
	return false;
}

static const char *const kinds[] = { "features", "device", "message", NULL };
static const char *const scopes[] = { "guest", "outside", "harmless", NULL };
static const char *const deciders[] = { "host", "options", "nobody", NULL };

static void check_kind(struct check *c, const json_t *v)
{
	if (!one_of(json_string_value(v), kinds))
		check_fault(c, "json-bad-value",
			    "is \"%s\"; accepted: \"features\", \"device\", \"message\"",
			    json_string_value(v));
}

static void check_scope(struct check *c, const json_t *v)
{
	if (!one_of(json_string_value(v), scopes))
		check_fault(c, "json-bad-value",
			    "is \"%s\"; accepted: \"guest\", \"outside\", \"harmless\"",
			    json_string_value(v));
}

static void check_off(struct check *c, const json_t *v)
{
	const char *s = json_string_value(v);

	if (!strchr(s, '.') || !strchr(s, '='))
		check_fault(c, "json-bad-value", "\"%s\" is not class.property=value", s);
}

static void check_detail(struct check *c, const json_t *v)
{
	static const struct member members[] = {
		{ "capture", J_STRING, true, check_nonempty },
		{ "first", J_INT, true, NULL },
		{ "last", J_INT, true, NULL },
		{ "remedy", J_STRING, false, check_nonempty },
		{ "text", J_STRING, true, check_nonempty },
		{ 0 },
	};

	if (check_type(c, v, J_OBJECT))
		check_object(c, v, members, true);
}

static void check_details(struct check *c, const json_t *v)
{
	check_each(c, v, check_detail);
}

/* What a row of its kind must have; the features and device rows are understood by code. */
static void check_row_kind(struct check *c, const json_t *v)
{
	static const char *const wanted[] = { "meaning", "remedy", "scope" };
	const char *kind = string_of(v, "kind"), *pattern = string_of(v, "pattern");
	struct message m = { .whole = json_is_true(json_object_get(v, "whole")) };

	if (!kind || !pattern)
		return;
	if (!parse_pattern(pattern, &m))
		check_fault(c, "json-bad-value",
			    "\"%s\" is not a pattern: literals of which the first has %d bytes or "
			    "more, and {name:type} between them",
			    pattern, MIN_LITERAL);
	else if (streq(kind, "features") && (message_capture(&m, "guest") < 0 ||
					     message_capture(&m, "allowed") < 0))
		check_fault(c, "json-bad-value", "the pattern must capture guest and allowed");
	else if (streq(kind, "device") && message_capture(&m, "path") < 0)
		check_fault(c, "json-bad-value", "the pattern must capture path");
	for (size_t i = 0; streq(kind, "message") && i < ARRAY_SIZE(wanted); i++)
		if (!json_object_get(v, wanted[i]))
			check_fault(c, "json-missing-key", "\"%s\" is missing", wanted[i]);
}

static void check_row(struct check *c, const json_t *v)
{
	static const struct member members[] = {
		{ "details", J_ARRAY, false, check_details },
		{ "device", J_STRING, false, check_name },
		{ "example", J_STRING, true, check_nonempty },
		{ "id", J_STRING, true, check_name },
		{ "kind", J_STRING, true, check_kind },
		{ "layer", J_STRING, false, check_nonempty },
		{ "meaning", J_STRING, false, check_nonempty },
		{ "off", J_STRING, false, check_off },
		{ "pattern", J_STRING, true, check_nonempty },
		{ "remedy", J_STRING, false, check_nonempty },
		{ "scope", J_STRING, false, check_scope },
		{ "source", J_STRING, true, check_nonempty },
		{ "who", J_STRING, false, check_nonempty },
		{ "whole", J_BOOL, false, NULL },
		{ 0 },
	};

	if (!check_type(c, v, J_OBJECT))
		return;
	check_object(c, v, members, true);
	if (json_is_string(json_object_get(v, "kind")) &&
	    json_is_string(json_object_get(v, "pattern")))
		check_row_kind(c, v);
}

static void check_rows(struct check *c, const json_t *v)
{
	check_each(c, v, check_row);
}

void messages_check(struct check *c, const json_t *root)
{
	static const struct member members[] = {
		{ "messages", J_ARRAY, true, check_rows },
		{ "schema", J_STRING, true, NULL },
		{ 0 },
	};

	if (!check_type(c, root, J_OBJECT))
		return;
	check_schema(c, root, "messages");
	if (c->err != EPROTONOSUPPORT)
		check_object(c, root, members, true);
}

/* ----------------------------------------------------------------- devices.json */

static void check_bit(struct check *c, const json_t *v)
{
	json_int_t n = json_integer_value(v);

	if (n < 0 || n >= (json_int_t)FEATURE_BITS)
		check_fault(c, "json-bad-value",
			    "is %" JSON_INTEGER_FORMAT "; a feature bit is 0 to %u", n,
			    FEATURE_BITS - 1);
}

static void check_decider(struct check *c, const json_t *v)
{
	if (!one_of(json_string_value(v), deciders))
		check_fault(c, "json-bad-value",
			    "is \"%s\"; accepted: \"host\", \"options\", \"nobody\"",
			    json_string_value(v));
}

static void check_feature(struct check *c, const json_t *v)
{
	static const struct member members[] = {
		{ "also", J_STRING, false, check_nonempty },
		{ "bit", J_INT, true, check_bit },
		{ "decided_by", J_STRING, false, check_decider },
		{ "layer", J_STRING, false, check_nonempty },
		{ "machine_off", J_STRING, false, check_version },
		{ "name", J_STRING, true, check_nonempty },
		{ "off", J_STRING, false, check_nonempty },
		{ "property", J_STRING, false, check_nonempty },
		{ "remedy", J_STRING, false, check_nonempty },
		{ "since", J_STRING, false, check_version },
		{ 0 },
	};

	if (!check_type(c, v, J_OBJECT))
		return;
	check_object(c, v, members, true);
	if (!json_object_get(v, "property") != !json_object_get(v, "off"))
		check_fault(c, "json-bad-value",
			    "\"property\" and \"off\", its value without the feature, belong together");
}

static void check_features(struct check *c, const json_t *v)
{
	check_each(c, v, check_feature);
}

static void check_sections(struct check *c, const json_t *v)
{
	const char *key;
	json_t *item;

	json_object_foreach((json_t *)v, key, item) {
		size_t mark = check_enter(c, key);

		check_type(c, item, J_STRING);
		check_leave(c, mark);
	}
}

static void check_device(struct check *c, const json_t *v)
{
	static const struct member members[] = {
		{ "aliases", J_ARRAY, true, check_strings },
		{ "class", J_STRING, true, check_nonempty },
		{ "features", J_ARRAY, true, check_features },
		{ "id", J_INT, true, NULL },
		{ "layer", J_STRING, false, check_nonempty },
		{ "remedy", J_STRING, false, check_nonempty },
		{ "sections", J_OBJECT, true, check_sections },
		{ "source", J_STRING, true, check_nonempty },
		{ 0 },
	};

	if (check_type(c, v, J_OBJECT))
		check_object(c, v, members, true);
}

static void check_devices(struct check *c, const json_t *v)
{
	const char *key;
	json_t *item;

	json_object_foreach((json_t *)v, key, item) {
		size_t mark = check_enter(c, key);

		check_device(c, item);
		check_leave(c, mark);
	}
}

static void check_transport(struct check *c, const json_t *v)
{
	static const struct member members[] = {
		{ "features", J_ARRAY, true, check_features },
		{ "source", J_STRING, true, check_nonempty },
		{ 0 },
	};

	check_object(c, v, members, true);
}

void devices_check(struct check *c, const json_t *root)
{
	static const struct member members[] = {
		{ "devices", J_OBJECT, true, check_devices },
		{ "schema", J_STRING, true, NULL },
		{ "transport", J_OBJECT, true, check_transport },
		{ 0 },
	};

	if (!check_type(c, root, J_OBJECT))
		return;
	check_schema(c, root, "devices");
	if (c->err != EPROTONOSUPPORT)
		check_object(c, root, members, true);
}

/* ------------------------------------------------------------------------- reading */

static int load(struct abibase_context *ctx, const char *name,
		void (*check)(struct check *, const json_t *), json_t **ret)
{
	_autofree_ char *path = NULL, *buf = NULL;
	struct check c;
	size_t len;
	int r;

	if (asprintf(&path, "%s/%s", ctx->data_dir, name) < 0) {
		path = NULL;
		return context_oom(ctx);
	}
	r = file_read(ctx, path, JSON_MAX_CATALOGUE, &buf, &len);
	if (r == 0)
		r = json_parse(ctx, buf, len, JSON_MAX_CATALOGUE, path, ret);
	if (r < 0)
		return r;
	check_init(&c, ctx, path);
	check(&c, *ret);
	return check_result(&c);
}

static enum message_kind kind_of(const char *word)
{
	if (streq(word, "features"))
		return MESSAGE_FEATURES;
	return streq(word, "device") ? MESSAGE_DEVICE : MESSAGE_OTHER;
}

int decode_data_load(struct abibase_context *ctx, struct decode_data *data)
{
	int r = load(ctx, "devices.json", devices_check, &data->devices);
	size_t i;
	json_t *row, *rows;

	if (r == 0)
		r = load(ctx, "messages.json", messages_check, &data->messages);
	if (r < 0)
		return r;
	rows = json_object_get(data->messages, "messages");
	data->message = calloc(json_array_size(rows) + 1, sizeof(*data->message));
	if (!data->message)
		return context_oom(ctx);
	json_array_foreach(rows, i, row) {
		struct message *m = &data->message[i];

		m->row = row;
		m->kind = kind_of(string_of(row, "kind"));
		m->whole = json_is_true(json_object_get(row, "whole"));
		parse_pattern(string_of(row, "pattern"), m);
	}
	data->n_messages = i;
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
