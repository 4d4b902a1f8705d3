/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reads JSON text into values of jansson, a third of whose own reading is to take the text byte by byte. Only
 * what is plain is read here: whatever else there is, jansson reads all of it, and finds the faults.
 */

#include "document/json.h"

#define DEEPEST 64
#define KEY_SIZE 256

struct text {
	const char *at, *end;
	unsigned int depth;
};

static void skip_space(struct text *t)
{
	while (t->at < t->end &&
	       (*t->at == ' ' || *t->at == '\n' || *t->at == '\t' || *t->at == '\r'))
		t->at++;
}

/* Behind this character, with space before it? */
static bool take(struct text *t, char c)
{
	skip_space(t);
	if (t->at == t->end || *t->at != c)
		return false;
	t->at++;
	return true;
}

struct span {
	const char *start;
	size_t len;
	bool escapes; /* it has some */
	bool ascii;
};

/* Behind an opening quote: up to the closing one, and behind that. */
static bool take_string(struct text *t, struct span *ret)
{
	unsigned char all = 0;
	const char *p = t->at;

	ret->start = p;
	ret->escapes = false;
	for (; p < t->end && *p != '"'; p++) {
		all |= (unsigned char)*p;
		if ((unsigned char)*p < 0x20)
			return false;
		if (*p == '\\') {
			ret->escapes = true;
			p++;
		}
	}
	if (p >= t->end)
		return false;
	ret->len = (size_t)(p - ret->start);
	ret->ascii = all < 0x80;
	t->at = p + 1;
	return true;
}

static json_t *read_string(struct text *t)
{
	struct span s;

	t->at++;
	if (!take_string(t, &s))
		return NULL;
	if (s.escapes)
		return json_loadb(s.start - 1, s.len + 2, JSON_DECODE_ANY, NULL);
	return s.ascii ? json_stringn_nocheck(s.start, s.len) : json_stringn(s.start, s.len);
}

/* What is no integer of up to 18 digits is jansson's. */
static json_t *read_number(struct text *t)
{
	bool minus = *t->at == '-';
	const char *start = t->at, *first = start + minus, *p = first;
	json_int_t n = 0;

	for (; p < t->end && *p >= '0' && *p <= '9' && p - first < 18; p++)
		n = n * 10 + (*p - '0');
	for (t->at = p; t->at < t->end && *t->at && strchr("0123456789+-.eE", *t->at);)
		t->at++;
	if (t->at > p || p == first || (*first == '0' && (minus || p - first > 1)))
		return json_loadb(start, (size_t)(t->at - start), JSON_DECODE_ANY, NULL);
	return json_integer(minus ? -n : n);
}

static json_t *read_word(struct text *t, const char *word, json_t *value)
{
	size_t len = strlen(word);

	if ((size_t)(t->end - t->at) < len || memcmp(t->at, word, len) != 0)
		return NULL;
	t->at += len;
	return value;
}

static json_t *read_value(struct text *t);

/* A key that is there already replaces nothing: that is a fault. */
static bool read_member(struct text *t, json_t *object)
{
	size_t n = json_object_size(object);
	char key[KEY_SIZE];
	struct span s;

	if (!take(t, '"') || !take_string(t, &s) || s.escapes || !s.ascii || s.len >= sizeof(key) ||
	    !take(t, ':'))
		return false;
	memcpy(key, s.start, s.len);
	key[s.len] = '\0';
	return json_object_set_new_nocheck(object, key, read_value(t)) == 0 &&
	       json_object_size(object) > n;
}

static json_t *read_object(struct text *t)
{
	json_auto_t *object = json_object();

	t->at++;
	if (!object || take(t, '}'))
		return steal(&object);
	do {
		if (!read_member(t, object))
			return NULL;
	} while (take(t, ','));
	return take(t, '}') ? steal(&object) : NULL;
}

static json_t *read_array(struct text *t)
{
	json_auto_t *array = json_array();

	t->at++;
	if (!array || take(t, ']'))
		return steal(&array);
	do {
		if (json_array_append_new(array, read_value(t)) < 0)
			return NULL;
	} while (take(t, ','));
	return take(t, ']') ? steal(&array) : NULL;
}

static json_t *read_nested(struct text *t)
{
	json_t *value;

	if (t->depth == DEEPEST)
		return NULL;
	t->depth++;
	value = *t->at == '{' ? read_object(t) : read_array(t);
	t->depth--;
	return value;
}

static json_t *read_value(struct text *t)
{
	skip_space(t);
	if (t->at == t->end)
		return NULL;
	switch (*t->at) {
	case '{':
	case '[':
		return read_nested(t);
	case '"':
		return read_string(t);
	case 't':
		return read_word(t, "true", json_true());
	case 'f':
		return read_word(t, "false", json_false());
	case 'n':
		return read_word(t, "null", json_null());
	default:
		return read_number(t);
	}
}

json_t *json_text(const char *buf, size_t len, json_error_t *ret)
{
	struct text t = { .at = buf, .end = buf + len };
	json_auto_t *root = read_value(&t);

	skip_space(&t);
	if ((json_is_object(root) || json_is_array(root)) && t.at == t.end)
		return steal(&root);
	return json_loadb(buf, len, JSON_REJECT_DUPLICATES, ret);
}
