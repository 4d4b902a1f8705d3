/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Prints, as JSON, what the tables of the library say of each document: tests/forms.py holds the
 * JSON Schemas and the manual pages to it.
 */
#include "document/baseline.h"
#include "document/build.h"
#include "document/catalogue.h"
#include "document/decode-data.h"
#include "document/facts.h"
#include "document/guest.h"
#include "document/profile.h"

static json_t *object(const struct member *members, enum members_more more);

static json_t *value(const struct member *m)
{
	static const char *const types[] = { "string", "integer", "boolean",
					     "object", "array",	  "null" };
	json_t *o = json_pack("{s:[]}", "types"), *words = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (m->types & (1u << i))
			json_array_append_new(json_object_get(o, "types"), json_string(types[i]));
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
	static const struct form *const forms[] = {
		&baseline_form, &build_form, &catalogue_form, &devices_form, &facts_form, &guest_form,
		&messages_form, &profile_form,	 &qemu_form,	&unasked_form,
	};
	json_t *all = json_array();
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		json_array_append_new(all, json_pack("{ss ss* so}", "kind", forms[i]->kind, "part",
						     forms[i]->part, "object",
						     object(forms[i]->members, forms[i]->more)));
	r = json_dumpf(all, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
	json_decref(all);
	return r < 0 || fflush(stdout) != 0;
}
