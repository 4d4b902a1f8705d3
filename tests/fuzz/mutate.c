/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mutations of JSON documents for libFuzzer. Most changes of single bytes end at the parser; these
 * keep a document well-formed, so that what comes after the parser is tried out too.
 */
#include <limits.h>
#include <string.h>

#include <jansson.h>

#include "fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

#define MAX_CHANGES 4
#define MAX_STRING 256 /* longer ones are not changed bytewise */

struct random {
	uint64_t state;
};

static size_t below(struct random *r, size_t n)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return n ? (size_t)(r->state >> 11) % n : 0;
}

/* A value inside a document, and where it stands. */
struct place {
	json_t *parent, *value;
	const char *key; /* in an object; else @index counts */
	size_t index;
};

/* Of the values below @v one, each as likely; @seen counts them. */
static void pick(json_t *v, struct random *r, size_t *seen, struct place *ret)
{
	const char *key;
	size_t i;
	json_t *child;

	if (json_is_array(v)) {
		json_array_foreach(v, i, child) {
			if (below(r, ++*seen) == 0)
				*ret = (struct place){ v, child, NULL, i };
			pick(child, r, seen, ret);
		}
	} else if (json_is_object(v)) {
		json_object_foreach(v, key, child) {
			if (below(r, ++*seen) == 0)
				*ret = (struct place){ v, child, key, 0 };
			pick(child, r, seen, ret);
		}
	}
}

static json_t *new_scalar(struct random *r)
{
	static const json_int_t integers[] = { 0, 1, -1, 64, 65536, INT_MAX, LLONG_MAX, LLONG_MIN };
	static const char *const strings[] = { "", "x", "0x1", "on", "off", "unknown", "10.0",
					       "2026-11-23", "pc-q35-10.0", "tap+vhost", "x86_64" };

	switch (below(r, 6)) {
	case 0:
		return json_null();
	case 1:
		return json_true();
	case 2:
		return json_false();
	case 3:
		return json_integer(integers[below(r, sizeof(integers) / sizeof(integers[0]))]);
	case 4:
		return below(r, 2) ? json_object() : json_array();
	default:
		return json_string(strings[below(r, sizeof(strings) / sizeof(strings[0]))]);
	}
}

/* A string that is a little different, or NULL when it is not UTF-8 then. */
static json_t *changed_string(const json_t *v)
{
	uint8_t bytes[MAX_STRING];
	size_t n = json_string_length(v);

	if (n > sizeof(bytes))
		return NULL;
	memcpy(bytes, json_string_value(v), n);
	n = LLVMFuzzerMutate(bytes, n, sizeof(bytes));
	return json_stringn((const char *)bytes, n);
}

static json_t *changed(struct random *r, json_t *root, const struct place *at)
{
	struct place other = { 0 };
	size_t seen = 0;

	if (below(r, 3) == 0)
		return new_scalar(r);
	if (json_is_string(at->value) && below(r, 2))
		return changed_string(at->value);
	if (json_is_integer(at->value) && below(r, 2))
		return json_integer((json_int_t)((uint64_t)json_integer_value(at->value) +
						 below(r, 5) - 2));
	pick(root, r, &seen, &other);
	return other.value ? json_deep_copy(other.value) : NULL;
}

/* Put @value, which may be NULL, in its place; takes the reference. */
static void put(const struct place *at, const char *key, json_t *value)
{
	if (!value)
		return;
	if (json_is_object(at->parent))
		json_object_set_new(at->parent, key, value);
	else
		json_array_set_new(at->parent, at->index, value);
}

static void change(struct random *r, json_t *root)
{
	struct place at = { 0 }, other = { 0 };
	size_t seen = 0;

	pick(root, r, &seen, &at);
	if (!at.parent)
		return;
	switch (below(r, 5)) {
	case 0: /* take it away */
		if (at.key)
			json_object_del(at.parent, at.key);
		else
			json_array_remove(at.parent, at.index);
		return;
	case 1: /* once more, under the key of another one */
		if (!at.key) {
			json_array_append_new(at.parent, json_deep_copy(at.value));
			return;
		}
		seen = 0;
		pick(root, r, &seen, &other);
		put(&at, other.key ? other.key : "x-other", json_deep_copy(at.value));
		return;
	default:
		put(&at, at.key, changed(r, root, &at));
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct random r = { seed * 0x9e3779b97f4a7c15u + 1 };
	json_t *root = below(&r, 2) ? json_loadb((char *)data, size, 0, NULL) : NULL;
	char *text = NULL;
	size_t len = 0;

	if (root) {
		for (size_t n = below(&r, MAX_CHANGES) + 1; n; n--)
			change(&r, root);
		text = json_dumps(root, JSON_COMPACT);
		json_decref(root);
	}
	if (text)
		len = strlen(text);
	if (!len || len > max_size) {
		free(text);
		return LLVMFuzzerMutate(data, size, max_size);
	}
	memcpy(data, text, len);
	free(text);
	return len;
}
