/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document/codec.h"

#include <abibase/abibase.h>

#include "base/version.h"

/* A pointer and, behind it in the struct, how many it points to. */
struct span {
	void *p;
	size_t n;
};

static void put_span(void *to, struct span s)
{
	memcpy(to, &s.p, sizeof(s.p));
	memcpy((char *)to + sizeof(s.p), &s.n, sizeof(s.n));
}

static struct span get_span(const void *from)
{
	struct span s;

	memcpy(&s.p, from, sizeof(s.p));
	memcpy(&s.n, (const char *)from + sizeof(s.p), sizeof(s.n));
	return s;
}

/* ---------------------------------------------------------------------- reading */

static void read_array(const struct codec *k, const struct member *m, const json_t *v, void *to)
{
	bool texts = m->as == AS_TEXTS;
	size_t size = texts ? sizeof(const char *) : sizeof(struct version_range), i;
	struct span s = { arena_alloc(k->arena, (json_array_size(v) + 1) * size),
			  json_array_size(v) };
	json_t *item;

	if (!s.p)
		return;
	json_array_foreach(v, i, item) {
		const char *text = json_string_value(item);

		if (texts)
			((const char **)s.p)[i] = text;
		else
			version_range_parse(text, (struct version_range *)s.p + i);
	}
	put_span(to, s);
}

static void read_list(const struct codec *k, const struct member *m, const json_t *v, void *to)
{
	size_t n = json_is_object(v) ? json_object_size(v) : json_array_size(v), i, mark;
	char *element = k->arena ? arena_alloc(k->arena, (n + 1) * m->size) : get_span(to).p;
	const char *key;
	json_t *item;

	if (!element)
		return;
	put_span(to, (struct span){ element, n });
	json_array_foreach(v, i, item) {
		mark = schema_enter_index(k->walk, i);
		codec_read(k, m->each->members, item, element + i * m->size);
		schema_leave(k->walk, mark);
	}
	json_object_foreach((json_t *)v, key, item) {
		memcpy(element + m->each->at, &key, sizeof(key));
		codec_read(k, m->each->members, item, element);
		element += m->size;
	}
}

static void read_scalar(const struct member *m, const json_t *v, void *to)
{
	const char *s = json_string_value(v);

	if (m->as == AS_TEXT)
		memcpy(to, &s, sizeof(s));
	else if (m->as == AS_JSON)
		memcpy(to, &v, sizeof(v));
	else if (m->as == AS_BOOL)
		*(bool *)to = json_is_true(v);
	else if (m->as == AS_CHOICE)
		*(bool *)to = word_index(m->words, s) == 1;
	else if (m->as == AS_INT)
		*(int64_t *)to = json_integer_value(v);
	else if (m->as == AS_SMALL)
		*(int *)to = v ? (int)json_integer_value(v) : -1;
	else if (m->as == AS_STATED)
		*(int64_t *)to = v ? json_integer_value(v) : -1;
	else if (m->as == AS_FEATURES)
		*(bool *)((uint64_t *)to + 2) = word_parse(s, to);
	else if (m->as == AS_TRI)
		*(enum abibase_tri *)to = json_is_null(v) ? ABIBASE_UNKNOWN :
							    (enum abibase_tri)json_is_true(v);
	else if (m->as == AS_WORD)
		*(int *)to = word_index(m->words, s);
	else if (m->as == AS_VERSION)
		version_parse(s, to);
	else if (m->as == AS_RANGE)
		version_range_parse(s, to);
}

static void read_member(const struct codec *k, const struct member *m, const json_t *v, char *to)
{
	if (m->as == AS_HOOK && m->hook->read)
		m->hook->read(k, m, v, to + m->at);
	else if (!v && m->as != AS_SMALL && m->as != AS_STATED)
		return;
	else if (m->as == AS_LIST)
		read_list(k, m, v, to + m->at);
	else if (m->as == AS_PART)
		codec_read(k, m->members, v, to);
	else if (m->as == AS_ONE)
		codec_read(k, m->each->members, json_array_get(v, 0), to);
	else if (m->as == AS_TEXTS || m->as == AS_RANGES)
		read_array(k, m, v, to + m->at);
	else
		read_scalar(m, v, to + m->at);
}

static void read_one(const struct codec *k, const struct member *m, const json_t *obj, void *to)
{
	size_t mark = schema_enter(k->walk, m->key);

	if (m->as == AS_ONE)
		schema_enter_index(k->walk, 0);
	read_member(k, m, json_object_get(obj, m->key), to);
	schema_leave(k->walk, mark);
}

void codec_read(const struct codec *k, const struct member *members, const json_t *obj, void *to)
{
	for (const struct member *m = members; m->key; m++)
		if (m->as)
			read_one(k, m, obj, to);
}

void codec_fill(struct arena *arena, const struct member *members, const json_t *obj, void *to)
{
	struct schema_walk nowhere = { .depth = 0 };

	codec_read(&(struct codec){ arena, &nowhere, NULL }, members, obj, to);
}

void codec_read_one(const struct codec *k, const struct member *members, const char *key,
		    const json_t *obj, void *to)
{
	while (!streq(members->key, key))
		members++;
	read_one(k, members, obj, to);
}

/* ---------------------------------------------------------------------- writing */

static void stream_next(struct stream *w)
{
	json_write_next(w->out, w->flat, w->comma, w->depth);
	w->comma = true;
}

void stream_key(struct stream *w, const char *key)
{
	stream_item(w, key);
	buf_puts(w->out, w->flat ? ":" : ": ");
}

static void stream_open(struct stream *w, char c)
{
	buf_putc(w->out, c);
	w->depth++;
	w->comma = false;
}

void stream_begin(struct stream *w, const char *key, char c)
{
	stream_key(w, key);
	stream_open(w, c);
}

void stream_close(struct stream *w, char c)
{
	w->depth--;
	if (w->comma)
		json_write_next(w->out, w->flat, false, w->depth);
	buf_putc(w->out, c);
	w->comma = true;
}

void stream_text(struct stream *w, const char *key, const char *s)
{
	stream_key(w, key);
	if (s)
		json_write_string(w->out, s);
	else
		buf_puts(w->out, "null");
}

void stream_int(struct stream *w, const char *key, int64_t v)
{
	stream_key(w, key);
	buf_printf(w->out, "%lld", (long long)v);
}

void stream_item(struct stream *w, const char *s)
{
	stream_next(w);
	json_write_string(w->out, s);
}

void stream_bool(struct stream *w, const char *key, bool v)
{
	stream_key(w, key);
	buf_puts(w->out, v ? "true" : "false");
}

static void write_members(struct stream *w, const struct member *members, const void *from);

static void stream_element(struct stream *w, const struct member *members, const void *from,
			   bool flat)
{
	bool within = w->flat;

	stream_next(w);
	w->flat |= flat;
	stream_open(w, '{');
	write_members(w, members, from);
	stream_close(w, '}');
	w->flat = within;
}

void stream_object(struct stream *w, const struct member *members, const void *from)
{
	stream_element(w, members, from, false);
}

void stream_flat(struct stream *w, const struct member *members, const void *from)
{
	stream_element(w, members, from, true);
}

void stream_list(struct stream *w, const struct member *m, const void *list, size_t n)
{
	if (!n && !m->required)
		return;
	stream_begin(w, m->key, '[');
	for (size_t i = 0; i < n; i++)
		if (m->as == AS_LIST)
			stream_element(w, m->each->members, (const char *)list + i * m->size,
				       m->flat);
		else
			stream_item(w, ((const char *const *)list)[i]);
	stream_close(w, ']');
}

static void write_member(struct stream *w, const struct member *m, const char *from)
{
	const void *place = from + m->at;
	const char *s;

	if (m->as == AS_TEXT) {
		memcpy(&s, place, sizeof(s));
		if (s || m->required)
			stream_text(w, m->key, s);
	} else if (m->as == AS_BOOL && (*(const bool *)place || m->required)) {
		stream_bool(w, m->key, *(const bool *)place);
	} else if (m->as == AS_INT) {
		stream_int(w, m->key, *(const int64_t *)place);
	} else if (m->as == AS_SMALL && *(const int *)place >= 0) {
		stream_int(w, m->key, *(const int *)place);
	} else if (m->as == AS_WORD) {
		stream_text(w, m->key, m->words[*(const int *)place]);
	} else if (m->as == AS_TEXTS || m->as == AS_LIST) {
		struct span span = get_span(place);

		stream_list(w, m, span.p, span.n);
	} else if (m->as == AS_CHOICE) {
		stream_text(w, m->key, m->words[*(const bool *)place]);
	} else if (m->as == AS_CONST) {
		stream_text(w, m->key, m->words[0]);
	} else if (m->as == AS_TRI && *(const enum abibase_tri *)place == ABIBASE_UNKNOWN) {
		stream_text(w, m->key, NULL);
	} else if (m->as == AS_TRI) {
		stream_bool(w, m->key, *(const enum abibase_tri *)place == ABIBASE_YES);
	} else if (m->as == AS_PART) {
		stream_begin(w, m->key, '{');
		write_members(w, m->members, from);
		stream_close(w, '}');
	} else if (m->as == AS_ONE) {
		stream_begin(w, m->key, '[');
		stream_object(w, m->each->members, from);
		stream_close(w, ']');
	} else if (m->as == AS_HOOK) {
		m->hook->write(w, m, place);
	}
}

static void write_members(struct stream *w, const struct member *members, const void *from)
{
	for (const struct member *m = members; m->key; m++)
		if (!m->detail || !w->brief)
			write_member(w, m, from);
}

void stream_document(struct stream *w, const char *schema, const struct member *members,
		     const void *from)
{
	stream_open(w, '{');
	stream_text(w, "schema", schema);
	write_members(w, members, from);
	stream_close(w, '}');
}
