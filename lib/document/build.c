/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The record of a QEMU build. What many classes or machine types share is written once: a property
 * on the furthest ancestor whose recorded descendants all have it alike, and a machine type as what
 * it changes of another one.
 */

#include <errno.h>

#include "base/context.h"
#include "document/build.h"

/* ------------------------------------------------------------- what is accepted */

static void check_type(struct schema_walk *c, const json_t *v)
{
	if (json_is_string(v) && strcspn(json_string_value(v), "=") == 0)
		schema_fault(c, "json-bad-value", "states no type: \"TYPE\" or \"TYPE=DEFAULT\"");
}

static void check_setting(struct schema_walk *c, const json_t *v)
{
	const char *s = json_string_value(v), *space = strchr(s, ' ');

	if (*s == ' ' || !space || space[1] == ' ' || !strchr(space + 1, ' '))
		schema_fault(c, "json-bad-value", "\"%s\" is not \"CLASS PROPERTY VALUE\"", s);
}

const struct member unknown_members[] = {
	{ "unknown", J_STRING, .required = true, .check = schema_name },
	{ 0 },
};

const struct member machine_members[] = {
	{ "alias", J_STRING, .check = schema_name },
	{ "deprecated", J_BOOL, .required = false },
	{ 0 },
};

static const struct member compat_members[] = {
	{ "adds", J_ARRAY, .each = EACH(J_STRING, .check = check_setting) },
	{ "adds_as", J_STRING, .check = schema_nonempty },
	{ "after", J_STRING, .check = schema_nonempty },
	{ 0 },
};

static const struct member values_members[] = {
	{ "like", J_STRING, .check = schema_nonempty },
	{ "set", J_OBJECT,
	  .each = EACH(J_BOOL | J_INT | J_STRING | J_OBJECT, .members = unknown_members) },
	{ "unset", J_ARRAY, .each = EACH_TEXT },
	{ 0 },
};

static const struct member sizes_members[] = {
	{ "queue_sizes", J_ARRAY, .required = true, .each = EACH(J_INT, AT_LEAST(0)) },
	{ 0 },
};

static const struct member build_members[] = {
	{ "absent", J_ARRAY, .each = EACH_TEXT },
	{ "build_id", J_STRING, .check = schema_nonempty },
	{ "classes", J_OBJECT, .required = true, .each = EACH_TEXT },
	{ "compat", J_OBJECT, .each = EACH_OBJECT(compat_members, MORE_NONE) },
	{ "machines", J_OBJECT, .required = true, .keys = schema_key,
	  .each = EACH_OBJECT(machine_members, MORE_NONE) },
	{ "needs", J_OBJECT, .each = EACH(J_STRING, .check = schema_need_of_reader) },
	{ "package", J_STRING, .required = false },
	{ "properties", J_OBJECT, .required = true,
	  .each = EACH(J_OBJECT, .each = EACH(J_STRING | J_NULL, .check = check_type)) },
	{ "schema", J_STRING, .required = true },
	{ "shape", J_OBJECT, .keys = schema_key,
	  .each = EACH(J_OBJECT, .keys = schema_key,
		       .each = EACH_OBJECT(sizes_members, MORE_NONE)) },
	{ "target", J_STRING, .required = true, .check = schema_name },
	{ "values", J_OBJECT, .each = EACH_OBJECT(values_members, MORE_NONE) },
	{ "values_of", J_ARRAY, .each = EACH_TEXT },
	{ "version", J_STRING, .required = true, .check = schema_version },
	/* free to a reader of version 0.1 */
	{ "x-modules", J_ARRAY, .each = EACH_TEXT },
	{ "x-unknown", J_OBJECT, .each = EACH_NAME },
	{ 0 },
};

#define MAX_LINKS 2048

static const char *next_of(const json_t *map, const char *key, const char *link)
{
	const json_t *v = json_object_get(map, key);

	return json_string_value(link ? json_object_get(v, link) : v);
}

/* Each names another, or none; does one that is named lead back to it, or is it not there? */
static void check_chain(struct schema_walk *c, const json_t *root, const char *member,
			const char *link)
{
	const json_t *map = json_object_get(root, member);
	size_t mark = schema_enter(c, member), mark2;
	const char *key;
	json_t *v;

	if (json_object_size(map) > MAX_LINKS)
		schema_fault(c, "json-bad-value", "has %zu members; accepted: up to %d",
			     json_object_size(map), MAX_LINKS);
	json_object_foreach((json_t *)map, key, v) {
		const char *next = next_of(map, key, link);
		size_t steps = 0;

		if (json_object_size(map) > MAX_LINKS)
			break;

		mark2 = schema_enter(c, key);
		for (; next && json_object_get(map, next) && steps <= json_object_size(map);
		     steps++)
			next = next_of(map, next, link);
		if (steps > json_object_size(map))
			schema_fault(c, "build-circle", "is made of itself");
		else if (next && link)
			schema_fault(c, "build-circle", "is made of \"%s\", which is not there",
				     next);
		schema_leave(c, mark2);
	}
	schema_leave(c, mark);
}

static void check_adds_as(struct schema_walk *c, const json_t *root)
{
	const json_t *compat = json_object_get(root, "compat");
	size_t mark = schema_enter(c, "compat"), mark2;
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)compat, key, v) {
		const char *as = string_of(v, "adds_as");

		mark2 = schema_enter(c, key);
		if (as && !json_object_get(json_object_get(compat, as), "adds"))
			schema_fault(c, "build-circle", "adds what \"%s\" does, which adds nothing",
				     as);
		schema_leave(c, mark2);
	}
	schema_leave(c, mark);
}

void value_check(struct schema_walk *c, const char *type, const char *key, const json_t *v)
{
	const char *wanted = type ? build_value_wanted(type, v) : NULL;
	size_t mark;

	if (!wanted)
		return;
	mark = schema_enter(c, key);
	schema_fault(c, "json-bad-value", "must be %s, by the type of the property", wanted);
	schema_leave(c, mark);
}

/* What was read under a machine type, which is not in another form. */
static void check_read(struct schema_walk *c, const json_t *root, const json_t *set)
{
	size_t mark = schema_enter(c, "set");
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)set, key, v) {
		char class_name[256]; /* none of QEMU's is longer */
		size_t len = strcspn(key, ".");

		if (!key[len] || len >= sizeof(class_name) || json_is_object(v))
			continue;
		memcpy(class_name, key, len);
		class_name[len] = '\0';
		value_check(c, build_property(root, class_name, key + len + 1), key, v);
	}
	schema_leave(c, mark);
}

static void check_values(struct schema_walk *c, const json_t *root)
{
	size_t mark = schema_enter(c, "values"), mark2;
	const char *machine;
	json_t *v;

	json_object_foreach(json_object_get(root, "values"), machine, v) {
		mark2 = schema_enter(c, machine);
		check_read(c, root, json_object_get(v, "set"));
		schema_leave(c, mark2);
	}
	schema_leave(c, mark);
}

static void check_build(struct schema_walk *c, const json_t *root)
{
	/* they may go into baselines, as those of a profile do */
	schema_strings_printable(c, root);
	check_chain(c, root, "classes", NULL);
	check_chain(c, root, "compat", "after");
	check_chain(c, root, "values", "like");
	check_adds_as(c, root);
	if (!c->faults)
		check_values(c, root);
}

const struct form build_form = { "build", .members = build_members, .more = MORE_FREE,
				 .max = JSON_MAX_BUILD, .check = check_build };

const char *const build_says[] = { "build_id", "machines", "package", "target", "version", NULL };

int build_copy_says(json_t *to, const json_t *from)
{
	for (const char *const *m = build_says; *m; m++) {
		json_t *v = json_object_get(from, *m);

		if (v && json_object_set(to, *m, v) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ------------------------------------------------------------------- the object */

int build_from_json(struct abibase_context *ctx, json_t *root, const char *source,
		    struct abibase_build **ret)
{
	struct abibase_build *rec;
	_buf_ scratch = { 0 };
	int r = document_check(ctx, root, source, &build_form);

	if (r < 0)
		return r;
	rec = calloc(1, sizeof(*rec));
	if (!rec || json_digest(root, NULL, &scratch, rec->digest) < 0) {
		json_decref(root);
		free(rec);
		return context_oom(ctx);
	}
	rec->refcount = 1;
	rec->root = root;
	*ret = rec;
	return 0;
}

DEFINE_REF(abibase_build, build_record_ref)

struct abibase_build *build_record_unref(struct abibase_build *r)
{
	if (!r || __atomic_sub_fetch(&r->refcount, 1, __ATOMIC_ACQ_REL) > 0)
		return NULL;
	json_decref(r->root);
	free(r);
	return NULL;
}

/* ---------------------------------------------------------------- how texts are read */

bool value_is_number(const char *type)
{
	return strprefix(type, "int") || strprefix(type, "uint") || type_is(type, "size");
}

bool number_from_text(const char *text, long long *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(text, &end, 0);
	return !errno && end != text && !*end;
}

bool word_is_bool(const char *word, bool on)
{
	static const char *const words[2][5] = { { "off", "no", "false", "n", NULL },
						 { "on", "yes", "true", "y", NULL } };

	return word_index(words[on], word) >= 0;
}

json_t *value_from_text(const char *word, const char *text)
{
	long long number;

	if (streq(word, "bool"))
		return word_is_bool(text, true)	 ? json_true() :
		       word_is_bool(text, false) ? json_false() :
						   NULL;
	if (!value_is_number(word))
		return json_string(text);
	return number_from_text(text, &number) ? json_integer(number) : NULL;
}

void class_proxy(const char *class_name, struct buf *ret)
{
	ret->len = 0;
	if (ends_with(class_name, "-pci")) {
		buf_puts(ret, class_name);
		return;
	}
	buf_add(ret, class_name, length_without(class_name, "-device"));
	buf_puts(ret, "-pci");
}

/* ------------------------------------------------------------- what stands in a record */

bool build_has_class(const json_t *root, const char *class_name)
{
	return json_object_get(json_object_get(root, "classes"), class_name);
}

const char *build_property(const json_t *root, const char *class_name, const char *property)
{
	const json_t *classes = json_object_get(root, "classes");
	const json_t *properties = json_object_get(root, "properties");

	for (; class_name; class_name = next_of(classes, class_name, NULL)) {
		const json_t *v =
			json_object_get(json_object_get(properties, class_name), property);

		if (v)
			return json_string_value(v);
	}
	return NULL;
}

json_t *build_properties(const json_t *root, const char *class_name)
{
	const json_t *classes = json_object_get(root, "classes");
	json_t *ret = json_object(), *v;
	const char *property;

	for (; ret && class_name; class_name = next_of(classes, class_name, NULL))
		json_object_foreach(json_object_get(json_object_get(root, "properties"), class_name),
				    property, v)
			if (ret && !json_object_get(ret, property) &&
			    json_object_set(ret, property, v) < 0) {
				json_decref(ret);
				ret = NULL;
			}
	return ret;
}

static bool is_a(const json_t *root, const char *class_name, const char *type, size_t len)
{
	const json_t *classes = json_object_get(root, "classes");

	for (; class_name; class_name = next_of(classes, class_name, NULL))
		if (strlen(class_name) == len && !strncmp(class_name, type, len))
			return true;
	return false;
}

bool build_is_a(const json_t *root, const char *class_name, const char *type)
{
	return is_a(root, class_name, type, strlen(type));
}

static void each_added(const json_t *list, void (*fn)(void *data, const struct build_setting *s),
		       void *data)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)list, i, v) {
		struct build_setting s = { .type = json_string_value(v) };

		s.type_len = strcspn(s.type, " ");
		s.property = s.type + s.type_len + 1;
		s.property_len = strcspn(s.property, " ");
		s.value = s.property + s.property_len + 1;
		fn(data, &s);
	}
}

void build_each_setting(const json_t *root, const char *machine,
			void (*fn)(void *data, const struct build_setting *s), void *data)
{
	const json_t *compat = json_object_get(root, "compat");
	const json_t *one = json_object_get(compat, machine);
	const char *after = string_of(one, "after");
	const char *as = string_of(one, "adds_as");

	/* those of the machine type that it comes after are first; check_chain(): there is no circle */
	if (after)
		build_each_setting(root, after, fn, data);
	each_added(json_object_get(as ? json_object_get(compat, as) : one, "adds"), fn, data);
}

/* What the machine type sets last, on the class and on the proxy around it. */
struct last_setting {
	const json_t *root;
	const char *class_name, *proxy, *property;
	const char *own, *of_proxy;
};

static void take_setting(void *data, const struct build_setting *s)
{
	struct last_setting *last = data;

	if (strlen(last->property) != s->property_len ||
	    strncmp(last->property, s->property, s->property_len) != 0)
		return;
	if (is_a(last->root, last->class_name, s->type, s->type_len))
		last->own = s->value;
	if (last->proxy && is_a(last->root, last->proxy, s->type, s->type_len))
		last->of_proxy = s->value;
}

static json_t *from_default(const char *word, const char *text)
{
	/* QEMU states a number for some that are texts to whoever sets them, such as addresses */
	json_t *number = streq(word, "str") ? value_from_text("int", text) : NULL;

	return number ? number : value_from_text(word, text);
}

json_t *build_default(const char *type)
{
	const char *equals = strchr(type, '=');
	_autofree_ char *word = equals ? strndup(type, (size_t)(equals - type)) : NULL;

	if (word)
		return from_default(word, equals + 1);
	return equals || !streq(type, "str") ? NULL : json_null();
}

/* What was read of a device: borrowed; @def where it read as the class has it, or NULL. */
static const json_t *find_read(const json_t *root, const char *machine, const char *class_name,
			       const char *property, const json_t *def)
{
	const json_t *values = json_object_get(root, "values");
	_buf_ key = { 0 };

	buf_printf(&key, "%s.%s", class_name, property);
	if (buf_failed(&key) || !json_has(json_object_get(root, "values_of"), class_name) ||
	    !json_object_get(values, machine))
		return NULL;
	for (; machine; machine = next_of(values, machine, "like")) {
		const json_t *one = json_object_get(values, machine);
		const json_t *v = json_object_get(json_object_get(one, "set"), key.data);

		if (v)
			return json_is_object(v) ? NULL : v;
		if (json_has(json_object_get(one, "unset"), key.data))
			return def;
	}
	return def;
}

bool type_is(const char *type, const char *word)
{
	size_t len = strlen(word);

	return strncmp(type, word, len) == 0 && (!type[len] || type[len] == '=');
}

/* What other types can be is not known here. */
const char *build_value_wanted(const char *type, const json_t *v)
{
	if (type_is(type, "bool"))
		return json_is_boolean(v) ? NULL : "true or false";
	if (strprefix(type, "uint") || strprefix(type, "int"))
		return json_is_integer(v) ? NULL : "an integer";
	if (type_is(type, "OnOffAuto"))
		return json_is_string(v) || json_is_boolean(v) ? NULL : "\"on\", \"off\" or \"auto\"";
	return NULL;
}

json_t *build_read(const json_t *root, const char *machine, const char *class_name,
		   const char *property)
{
	const char *type = build_property(root, class_name, property);
	json_auto_t *def = type ? build_default(type) : NULL;
	const json_t *v = type ? find_read(root, machine, class_name, property, def) : NULL;

	return v && !json_is_null(v) && !build_value_wanted(type, v) ? json_deep_copy(v) : NULL;
}

/* As lib/probe/values.c does with what it reads. */
static json_t *value_read(const json_t *root, const char *machine, const struct build_question *q,
			  const char *type, json_t *def)
{
	const char *word = json_string_value(def);
	const json_t *v;

	if (word && streq(word, "auto"))
		return NULL; /* a device that exists has decided it */
	if (q->mac)
		return json_null();
	v = find_read(root, machine, q->class_name, q->property, def);
	if (v && build_value_wanted(type, v))
		return NULL; /* of another type: it answers nothing */
	if (json_is_null(def) && json_is_string(v) && !json_string_length(v))
		return json_null();
	if (v && q->realized && json_equal(def, q->def) && json_equal(v, q->realized))
		return json_incref(def);
	return json_deep_copy(v);
}

static json_t *value_set(const json_t *root, const char *machine, const struct build_question *q,
			 const char *word, json_t *def)
{
	_buf_ proxy = { 0 };
	struct last_setting s = { .root = root,
				  .class_name = q->class_name,
				  .property = q->property };

	if (!json_object_get(json_object_get(root, "compat"), machine))
		return NULL;
	class_proxy(q->class_name, &proxy);
	if (buf_failed(&proxy))
		return NULL;
	s.proxy = streq(proxy.data, q->class_name) ? NULL : proxy.data;
	build_each_setting(root, machine, take_setting, &s);
	if (s.of_proxy || s.own)
		return value_from_text(word, s.of_proxy ? s.of_proxy : s.own);
	return json_incref(def);
}

json_t *build_value(const json_t *root, const char *machine, const struct build_question *q)
{
	const char *type = build_property(root, q->class_name, q->property);
	json_auto_t *def = NULL;
	_autofree_ char *word = type ? strndup(type, strcspn(type, "=")) : NULL;

	if (!word)
		return NULL;
	def = q->mac ? json_null() : build_default(type);
	return json_object_get(root, "compat") ? value_set(root, machine, q, word, def) :
						 value_read(root, machine, q, word, def);
}
