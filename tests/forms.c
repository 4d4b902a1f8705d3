/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Prints, as JSON, what the tables of the library say of each document, and which of the sample
 * values on standard input they take for each member: tests/forms.py holds the JSON Schemas and
 * the manual pages to it.
 */
#include "../data/forms/all.h"

static json_t *object(const struct member *members, enum members_more more);
static json_t *samples;

/* Which of @samples the library takes for such a value: "1" or "0" each. */
static json_t *accepted(const struct member *m)
{
	const struct member members[] = { { "value", m->types, .words = m->words,
					    .members = m->members, .more = m->more,
					    .each = m->each, .keys = m->keys,
					    .limited = m->limited, .least = m->least,
					    .most = m->most, .check = m->check },
					  { 0 } };
	_buf_ b = { 0 };
	size_t i;
	json_t *v;

	json_array_foreach(samples, i, v) {
		json_auto_t *o = json_pack("{sO}", "value", v);
		struct schema_walk c;

		schema_init(&c, NULL, "");
		schema_object(&c, o, members, MORE_NONE);
		buf_putc(&b, c.faults ? '0' : '1');
	}
	return json_string(b.data);
}

/* The same of texts that are keys of such an object, whatever their values. */
static json_t *keys_accepted(const struct member *m)
{
	_buf_ b = { 0 };
	size_t i;
	json_t *v;

	json_array_foreach(samples, i, v) {
		struct schema_walk c;

		schema_init(&c, NULL, "");
		if (json_is_string(v))
			m->keys(&c, json_string_value(v));
		buf_putc(&b, c.faults ? '0' : '1');
	}
	return json_string(b.data);
}

static json_t *value(const struct member *m)
{
	json_t *o = json_pack("{s:[]}", "types"), *words = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(type_words); i++)
		if (m->types & (1u << i))
			json_array_append_new(json_object_get(o, "types"), json_string(type_words[i]));
	for (const char *const *word = m->words; word && *word; word++)
		if (**word)
			json_array_append_new(words, json_string(*word));
	if (m->words)
		json_object_set(o, "words", words);
	json_decref(words);
	if (m->members)
		json_object_set_new(o, "object", object(m->members, m->more));
	if (m->each)
		json_object_set_new(o, "each", value(m->each));
	if (m->check)
		json_object_set_new(o, "checked", json_true());
	if (m->keys)
		json_object_set_new(o, "keys", keys_accepted(m));
	json_object_set_new(o, "accepted", accepted(m));
	return o;
}

static json_t *object(const struct member *members, enum members_more more)
{
	static const char *const words[] = { "none", "free", "kept" };
	json_t *o = json_pack("{s:{} s:[] s:s}", "members", "required", "more", words[more]);

	for (const struct member *m = members; m->key; m++) {
		json_object_set_new(json_object_get(o, "members"), m->key, value(m));
		if (m->required)
			json_array_append_new(json_object_get(o, "required"), json_string(m->key));
	}
	return o;
}

int main(void)
{
	json_t *all = json_array();
	int r;

	samples = json_loadf(stdin, 0, NULL);
	if (!json_is_array(samples))
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(all_forms); i++)
		json_array_append_new(all, json_pack("{ss ss* so}", "kind", all_forms[i]->kind, "part",
						     all_forms[i]->part, "object",
						     object(all_forms[i]->members, all_forms[i]->more)));
	r = json_dumpf(all, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
	json_decref(all);
	json_decref(samples);
	return r < 0 || fflush(stdout) != 0;
}
