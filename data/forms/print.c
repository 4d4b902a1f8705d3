/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * usage: print schema KIND SAID    the JSON Schema of a document, by the library's own tables
 *        print members KIND        the same as a list for its manual page
 *
 * Run by the build. The file SAID has what no table says: titles, descriptions, and what a function
 * checks; by kind, and by the place in the document.
 */
#include <stdio.h>

#include "all.h"

#define NAME "^[A-Za-z0-9][A-Za-z0-9._+-]*$"
#define NUMBERS "[0-9]+(\\.[0-9]+){0,2}"

/* What a check of strings refuses, for those that many members have. */
static const struct {
	void (*check)(struct schema_walk *c, const json_t *v);
	const char *key, *value, *word; /* for people; NULL: as the type is called */
} checks[] = {
	{ schema_digest, "pattern", "^[0-9a-f]{64}$", "digest" },
	{ schema_name, "pattern", NAME, "name" },
	{ schema_offered, "pattern", "^0x[0-9a-f]{32}$", "feature word" },
	{ schema_version, "pattern", "^" NUMBERS "$", "version" },
	{ schema_version_range, "pattern", "^" NUMBERS "(-" NUMBERS ")?$", "version, or two with -" },
};

/* @said: of this kind; what has found its place is taken out. */
static json_t *schema_of_object(json_t *said, const struct member *members,
				enum members_more more, const char *place);

/* "a" below "/qemu" is "/qemu/a"; for free() */
static char *below(const char *place, const char *key)
{
	char *s;

	if (asprintf(&s, "%s/%s", place, key) < 0)
		abort();
	return s;
}

static void put_check(json_t *o, const struct member *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		if (m->check == checks[i].check)
			json_put(o, checks[i].key, json_string(checks[i].value));
	if (m->check == schema_name)
		json_put(o, "maxLength", json_integer(255));
	if (m->check == schema_nonempty)
		json_put(o, "minLength", json_integer(1));
	if (m->check == schema_true)
		json_put(o, "const", json_true());
	if (m->keys == schema_key)
		json_put(o, "propertyNames",
			 json_pack("{s:s, s:i}", "pattern", NAME, "maxLength", 255));
}

static void put_limits(json_t *o, const struct member *m)
{
	static const char *const words[][2] = { [1] = { "minimum", "maximum" },
						[3] = { "minProperties", "maxProperties" },
						[4] = { "minItems", "maxItems" } };

	for (size_t i = 0; m->limited && i < ARRAY_SIZE(words); i++) {
		if (!(m->types & (1u << i)) || !words[i][0])
			continue;
		if (m->least || i == 1)
			json_put(o, words[i][0], json_integer(m->least));
		if (m->most != INT64_MAX)
			json_put(o, words[i][1], json_integer(m->most));
	}
}

static json_t *types_of(unsigned int types)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(type_words); i++)
		if (types & (1u << i))
			json_add(list, json_string(type_words[i]));
	if (json_array_size(list) == 1) {
		json_t *one = json_incref(json_array_get(list, 0));

		json_decref(list);
		return one;
	}
	return list;
}

/* One of the words, or of another type. */
static void put_words(json_t *o, const struct member *m)
{
	json_t *words = json_array(), *other;

	for (const char *const *w = m->words; *w; w++)
		if (**w)
			json_add(words, json_string(*w));
	if (m->types == J_STRING) {
		json_put(o, "enum", words);
		json_object_del(o, "type");
		return;
	}
	other = json_copy(o);
	json_put(other, "type", types_of(m->types & ~(unsigned int)J_STRING));
	json_object_clear(o);
	json_put(o, "anyOf", json_pack("[{s:o}, o]", "enum", words, other));
}

static void say_more(json_t *o, json_t *said, const char *place)
{
	json_object_update(o, json_object_get(said, place));
	json_object_del(said, place);
}

static json_t *schema_of(json_t *said, const struct member *m, const char *place)
{
	_autofree_ char *each = below(place, "*");
	json_t *o = m->members ? schema_of_object(said, m->members, m->more, place) : json_object();

	json_put(o, "type", types_of(m->types));
	put_check(o, m);
	put_limits(o, m);
	if (m->each && m->types & J_ARRAY)
		json_put(o, "items", schema_of(said, m->each, each));
	if (m->each && m->types & J_OBJECT)
		json_put(o, "additionalProperties", schema_of(said, m->each, each));
	if (m->words)
		put_words(o, m);
	say_more(o, said, place);
	return o;
}

static json_t *schema_of_object(json_t *said, const struct member *members,
				enum members_more more, const char *place)
{
	json_t *required = json_array(), *properties = json_object();
	json_t *o = json_pack("{s:s, s:o}", "type", "object", "properties", properties);

	for (const struct member *m = members; m->key; m++) {
		_autofree_ char *p = below(place, m->key);

		json_put(properties, m->key, schema_of(said, m, p));
		if (m->required)
			json_add(required, json_string(m->key));
	}
	if (json_array_size(required))
		json_object_set(o, "required", required);
	json_decref(required);
	if (more == MORE_FREE) {
		json_auto_t *any = json_pack("{s:{}, s:{}}", "description", "tags");

		json_object_update_missing(properties, any);
		json_put(o, "patternProperties", json_pack("{s:{}}", "^x-"));
	}
	if (more != MORE_KEPT)
		json_put(o, "additionalProperties", json_false());
	return o;
}

static json_t *schema_of_form(json_t *said, const struct form *form)
{
	const char *place = form->part ? form->part : "";
	json_t *o = schema_of_object(said, form->members, form->more, place);

	say_more(o, said, place);
	return o;
}

static int print_schema(const struct form *form, json_t *said)
{
	json_t *o = schema_of_form(said, form);
	_buf_ out = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(all_forms); i++)
		if (all_forms[i]->part && streq(all_forms[i]->kind, form->kind))
			json_put(json_member(o, "$defs"), all_forms[i]->part,
				 schema_of_form(said, all_forms[i]));
	json_put(json_object_get(o, "properties"), "schema",
		 json_pack("{s:o}", "const", json_sprintf("abibase-%s/1", form->kind)));
	json_put(o, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
	json_put(o, "$comment", json_string("SPDX-License-Identifier: CC0-1.0"));
	json_write_canonical(&out, o);
	json_decref(o);
	if (json_object_size(said)) {
		fprintf(stderr, "print: nothing stands at %s of %s\n",
			json_object_iter_key(json_object_iter(said)), form->kind);
		return 1;
	}
	return buf_failed(&out) || fputs(out.data, stdout) < 0;
}

/* The form of the elements of a member, where it is a part. */
static const struct form *part_called(const struct form *form, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(all_forms); i++)
		if (all_forms[i]->part && streq(all_forms[i]->kind, form->kind) &&
		    streq(all_forms[i]->part, name))
			return all_forms[i];
	return NULL;
}

static void print_value(const struct member *m)
{
	const char *separator = "";

	for (size_t i = 0; m->types == J_STRING && i < ARRAY_SIZE(checks); i++)
		if (m->check == checks[i].check) {
			fputs(checks[i].word, stdout);
			return;
		}
	for (const char *const *w = m->words; w && *w; w++)
		if (**w) {
			printf("%s%s", separator, *w);
			separator = " | ";
		}
	for (size_t i = 0; i < ARRAY_SIZE(type_words); i++)
		if (m->types & (1u << i) && !(m->words && i == 0)) {
			printf("%s%s", separator, type_words[i]);
			separator = " | ";
		}
	if (m->limited && m->types & J_INT)
		printf(m->most == INT64_MAX ? ", from %lld" : ", %lld to %lld", (long long)m->least,
		       (long long)m->most);
}

static void print_members(const struct form *form, const struct member *members,
			  const char *place);

static void print_member(const struct form *form, const struct member *m, const char *place,
			 bool required)
{
	const struct form *part = part_called(form, place + 1);
	_autofree_ char *each = below(place, "*");

	printf(".It Li %s%s Ta ", place + 1, required ? " No (required)" : "");
	print_value(m);
	putchar('\n');
	if (m->members)
		print_members(form, m->members, place);
	if (m->each)
		print_member(form, m->each, each, false);
	if (part)
		print_members(form, part->members, each);
}

static void print_members(const struct form *form, const struct member *members,
			  const char *place)
{
	for (const struct member *m = members; m->key; m++) {
		_autofree_ char *p = below(place, m->key);

		print_member(form, m, p, m->required);
	}
}

int main(int argc, char **argv)
{
	const struct form *form = NULL;
	json_t *said;
	int r;

	for (size_t i = 0; argc > 2 && i < ARRAY_SIZE(all_forms); i++)
		if (streq(all_forms[i]->kind, argv[2]) && !all_forms[i]->part)
			form = all_forms[i];
	if (!form)
		return 2;
	if (streq(argv[1], "members")) {
		puts(".Bl -column \"outputs/*/values/*/defaults/unknown/*\" \"string\"");
		print_members(form, form->members, "");
		puts(".El");
		return fflush(stdout) != 0;
	}
	said = argc == 4 ? json_load_file(argv[3], JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (!said)
		return 2;
	r = print_schema(form, json_object_get(said, form->kind));
	json_decref(said);
	return r || fflush(stdout) != 0;
}
