/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "document/value.h"

/*
 * The reader of documents. A value is the node of jansson's tree in other clothes: jansson stays
 * out of the public header, and reading allocates nothing and counts no references. Its own calls
 * take NULL, and nodes of another type.
 */

static const json_t *node(const struct abibase_value *v)
{
	return (const json_t *)v;
}

ABIBASE_EXPORT enum abibase_value_kind abibase_value_kind(const struct abibase_value *v)
{
	const json_t *json = node(v);

	if (json_is_object(json))
		return ABIBASE_VALUE_OBJECT;
	if (json_is_array(json))
		return ABIBASE_VALUE_LIST;
	if (json_is_string(json))
		return ABIBASE_VALUE_STRING;
	if (json_is_integer(json))
		return ABIBASE_VALUE_INTEGER;
	return json_is_boolean(json) ? ABIBASE_VALUE_BOOLEAN : ABIBASE_VALUE_NONE;
}

ABIBASE_EXPORT const struct abibase_value *abibase_value_member(const struct abibase_value *v,
								const char *name)
{
	return as_value(name ? json_object_get(node(v), name) : NULL);
}

ABIBASE_EXPORT size_t abibase_value_count(const struct abibase_value *v)
{
	return json_is_object(node(v)) ? json_object_size(node(v)) : json_array_size(node(v));
}

static void *member_at(const struct abibase_value *v, size_t i)
{
	json_t *obj = (json_t *)v;
	void *at = json_object_iter(obj);

	while (at && i--)
		at = json_object_iter_next(obj, at);
	return at;
}

ABIBASE_EXPORT const struct abibase_value *abibase_value_item(const struct abibase_value *v,
							      size_t i)
{
	if (!json_is_object(node(v)))
		return as_value(json_array_get(node(v), i));
	return as_value(json_object_iter_value(member_at(v, i)));
}

ABIBASE_EXPORT const char *abibase_value_key(const struct abibase_value *v, size_t i)
{
	void *at = member_at(v, i);

	return at ? json_object_iter_key(at) : NULL;
}

/* One step of a path, of @len bytes; longer names than any of a document are none of it. */
static const struct abibase_value *step(const struct abibase_value *v, const char *path, size_t len)
{
	char name[256], *end;
	unsigned long i;

	if (len >= sizeof(name))
		return NULL;
	memcpy(name, path, len);
	name[len] = '\0';
	if (!json_is_array(node(v)))
		return abibase_value_member(v, name);
	if (*name < '0' || *name > '9')
		return NULL;
	i = strtoul(name, &end, 10);
	return *end ? NULL : abibase_value_item(v, i);
}

ABIBASE_EXPORT const struct abibase_value *abibase_value_get(const struct abibase_value *v,
							     const char *path)
{
	while (v && path) {
		size_t len = strcspn(path, "/");

		v = step(v, path, len);
		path = path[len] ? path + len + 1 : NULL;
	}
	return v;
}

ABIBASE_EXPORT const char *abibase_value_string(const struct abibase_value *v)
{
	return json_string_value(node(v));
}

ABIBASE_EXPORT int64_t abibase_value_integer(const struct abibase_value *v)
{
	return json_integer_value(node(v));
}

ABIBASE_EXPORT bool abibase_value_boolean(const struct abibase_value *v)
{
	return json_is_true(node(v));
}

ABIBASE_EXPORT int abibase_value_to_json(const struct abibase_value *v, char **ret)
{
	return v && ret ? json_give(node(v), ret) : -EINVAL;
}
