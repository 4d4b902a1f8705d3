/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The devices that a build record is made of where a QEMU does not state what its machine types
 * change: those of data/specimens.json, all in one machine beside the stand-in of
 * lib/probe/values.c. Which of them a machine type takes, only that tells: one that it refuses is
 * left out, and the machine is started again.
 */

#include "document/build.h"
#include "document/rehearsal-result.h"
#include "probe/probe.h"

#define DEVICE "-device"
#define PLACE "addr" /* where it stands is no value of a machine type */
#define ROM "romfile" /* a package of its own, which is kept out: what it would be is not known */

/* ------------------------------------------------------------------------ classes */

/* What one word "CLASS,KEY=VALUE,..." sets is not the machine type's; the path of its device. */
static json_t *set_by(const char *word, size_t class_len, const char **ret_id, size_t *ret_len)
{
	json_t *keys = json_pack("{sb}", PLACE, 1);

	for (const char *p = word + class_len; keys && *p == ',';) {
		size_t len = strcspn(++p, "="), value = strcspn(p + len, ",");
		char key[64];

		snprintf(key, sizeof(key), "%.*s", (int)len, p);
		if (streq(key, "id")) {
			*ret_id = p + len + 1;
			*ret_len = value - 1;
		}
		if (json_put(keys, key, json_boolean(!streq(key, ROM))) < 0) {
			json_decref(keys);
			return NULL;
		}
		p += len + value;
	}
	return keys;
}

/* The first of a class counts; all of them have what a machine type sets. @in: what it is inside of */
static int add_class(struct probe_specimens *s, const char *class_name, const struct buf *path,
		     const char *id, const char *in, json_t *keys)
{
	if (buf_failed(path))
		return -ENOMEM;
	if (json_object_get(s->classes, class_name))
		return 0;
	return json_put(s->classes, class_name,
			json_pack("{ss ss* ss* sO}", "path", path->data, "id", id, "in", in, "set",
				  keys));
}

/* "virtio-blk-pci" has a "virtio-blk-device" inside, which has the properties. */
static int add_inner(struct probe_specimens *s, const json_t *record, const char *class_name,
		     const struct buf *path, json_t *keys)
{
	_buf_ inner = { 0 }, below = { 0 };

	if (!ends_with(class_name, "-pci"))
		return 0;
	buf_add(&inner, class_name, length_without(class_name, "-pci"));
	buf_puts(&inner, "-device");
	buf_printf(&below, "%s/virtio-backend", path->data);
	if (buf_failed(&inner))
		return -ENOMEM;
	if (record && !build_has_class(record, inner.data))
		return 0;
	return add_class(s, inner.data, &below, NULL, class_name, keys);
}

int probe_specimens_add(struct probe_specimens *s, const json_t *record, const char *word)
{
	const char *at = "";
	size_t len = 0, class_len = strcspn(word, ",");
	_autofree_ char *class_name = strndup(word, class_len), *id = NULL;
	json_auto_t *keys = set_by(word, class_len, &at, &len);
	_buf_ path = { 0 };
	int r;

	id = strndup(at, len);
	if (!class_name || !keys || !id)
		return -ENOMEM;
	buf_printf(&path, "/machine/peripheral/%s", id);
	r = add_class(s, class_name, &path, id, NULL, keys);
	return r < 0 ? r : add_inner(s, record, class_name, &path, keys);
}

/* -------------------------------------------------------------------------- lines */

/* Behind the next "-device" of a line; NULL: there is none. */
static const char *next_device(const char *line)
{
	const char *at = strstr(line, DEVICE " ");

	return at ? at + strlen(DEVICE " ") : NULL;
}

enum which { NOT_HERE, ALL_THERE, NEW };

/* Has this QEMU all classes of a line, and are they there already? */
static enum which which_of(const struct probe_specimens *s, const json_t *record, const char *line)
{
	enum which ret = ALL_THERE;
	char class_name[64];

	while ((line = next_device(line))) {
		snprintf(class_name, sizeof(class_name), "%.*s", (int)strcspn(line, ", "), line);
		if (!build_has_class(record, class_name))
			return NOT_HERE;
		if (!json_object_get(s->classes, class_name))
			ret = NEW;
	}
	return ret;
}

/* One word of a line, and behind that of a device what keeps its ROM out. */
static int take_word(struct probe_specimens *s, const json_t *record, const char *word,
		     bool is_device, struct buf *out)
{
	_autofree_ char *class_name = strndup(word, strcspn(word, ","));
	_buf_ device = { 0 };
	bool rom = is_device && class_name && build_property(record, class_name, ROM);

	buf_printf(&device, "%s%s", word, rom ? "," ROM "=" : "");
	buf_printf(out, "%s%s", out->len ? " " : "", buf_failed(&device) ? "" : device.data);
	if (!class_name || buf_failed(&device))
		return -ENOMEM;
	return is_device ? probe_specimens_add(s, record, device.data) : 0;
}

static int take_line(struct probe_specimens *s, const json_t *record, const char *name,
		     const char *line)
{
	struct strings words = { 0 };
	_buf_ out = { 0 };
	int r = strings_add_words(&words, line);

	for (size_t i = 0; r == 0 && i < words.n; i++)
		r = take_word(s, record, words.s[i], i && streq(words.s[i - 1], DEVICE), &out);
	strings_clear(&words);
	if (r < 0 || buf_failed(&out))
		return -ENOMEM;
	return json_put(s->lines, name, json_string(out.data));
}

int probe_specimens_load(struct abibase_context *ctx, const json_t *record,
			 struct probe_specimens *s)
{
	json_t *v;
	const char *name;
	int r = data_load(ctx, &specimens_form, &s->table);

	if (r < 0)
		return r;
	s->lines = json_object();
	json_object_foreach(json_object_get(s->table, "specimens"), name, v) {
		const char *line = string_of(v, "line");

		if (r == 0 && !json_is_false(json_object_get(v, "record")) &&
		    which_of(s, record, line) == NEW)
			r = take_line(s, record, name, line);
	}
	return s->lines ? r : -ENOMEM;
}

void probe_specimens_clear(struct probe_specimens *s)
{
	json_decref(s->table);
	json_decref(s->lines);
	json_decref(s->classes);
}

/* ----------------------------------------------------------------- one machine type */

int probe_specimens_argv(const struct probe_specimens *s, const json_t *lines, struct strings *argv)
{
	const char *name;
	json_t *v;
	int r = json_object_size(lines) ? strings_add_words(argv, string_of(s->table, "base")) : 0;

	json_object_foreach((json_t *)lines, name, v)
		if (r == 0)
			r = strings_add_words(argv, json_string_value(v));
	return r;
}

/* "qemu-system-x86_64: -device CLASS,...: why": is it one of this line? */
static bool is_refused(const char *line, const char *said, size_t len)
{
	while ((line = next_device(line))) {
		_buf_ words = { 0 };

		buf_printf(&words, DEVICE " %.*s: ", (int)strcspn(line, " "), line);
		if (!buf_failed(&words) && memmem(said, len, words.data, words.len))
			return true;
	}
	return false;
}

bool probe_specimens_refused(json_t *lines, const char *said, size_t len)
{
	const char *name;
	void *tmp;
	json_t *v;

	json_object_foreach_safe(lines, tmp, name, v)
		if (is_refused(json_string_value(v), said, len)) {
			json_object_del(lines, name);
			return true;
		}
	return false;
}
