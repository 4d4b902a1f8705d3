/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document/codec.h"

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

static void read_range(const json_t *v, struct version_range *to)
{
	version_range_parse(json_string_value(v), to);
}

static void read_array(struct arena *a, const struct member *m, const json_t *v, void *to)
{
	bool texts = m->as == AS_TEXTS;
	size_t size = texts ? sizeof(const char *) : sizeof(struct version_range), i;
	struct span s = { arena_alloc(a, (json_array_size(v) + 1) * size), json_array_size(v) };
	json_t *item;

	if (!s.p)
		return;
	json_array_foreach(v, i, item)
		if (texts)
			((const char **)s.p)[i] = json_string_value(item);
		else
			read_range(item, (struct version_range *)s.p + i);
	put_span(to, s);
}

static void read_list(struct arena *a, void *data, const struct member *m, const json_t *v,
		      void *to)
{
	size_t n = json_is_object(v) ? json_object_size(v) : json_array_size(v), i;
	char *element = arena_alloc(a, (n + 1) * m->size);
	const char *key;
	json_t *item;

	if (!element)
		return;
	put_span(to, (struct span){ element, n });
	json_array_foreach(v, i, item)
		codec_read(a, data, m->each->members, item, element + i * m->size);
	json_object_foreach((json_t *)v, key, item) {
		memcpy(element + m->each->at, &key, sizeof(key));
		codec_read(a, data, m->each->members, item, element);
		element += m->size;
	}
}

static void read_member(struct arena *a, void *data, const struct member *m, const json_t *v,
			char *to)
{
	const char *s = json_string_value(v);
	void *place = to + m->at;

	if (m->as == AS_TEXT)
		memcpy(place, &s, sizeof(s));
	else if (m->as == AS_JSON)
		memcpy(place, &v, sizeof(v));
	else if (m->as == AS_BOOL)
		*(bool *)place = json_is_true(v);
	else if (m->as == AS_INT)
		*(int64_t *)place = json_integer_value(v);
	else if (m->as == AS_SMALL)
		*(int *)place = (int)json_integer_value(v);
	else if (m->as == AS_WORD)
		*(int *)place = word_index(m->words, s);
	else if (m->as == AS_VERSION)
		version_parse(s, place);
	else if (m->as == AS_RANGE)
		read_range(v, place);
	else if (m->as == AS_LIST)
		read_list(a, data, m, v, place);
	else if (m->as == AS_PART)
		codec_read(a, data, m->members, v, to);
	else if (m->as != AS_HOOK)
		read_array(a, m, v, place);
	else if (m->hook->read)
		m->hook->read(data, m, v, to);
}

void codec_read(struct arena *a, void *data, const struct member *members, const json_t *obj,
		void *to)
{
	for (const struct member *m = members; m->key; m++) {
		const json_t *v = m->as ? json_object_get(obj, m->key) : NULL;

		if (v)
			read_member(a, data, m, v, to);
		else if (m->as == AS_SMALL)
			*(int *)(void *)((char *)to + m->at) = -1;
	}
}

/* ---------------------------------------------------------------------- writing */

void stream_next(struct stream *w)
{
	if (w->comma)
		buf_putc(w->out, ',');
	buf_putc(w->out, '\n');
	for (unsigned int i = 0; i < w->depth; i++)
		buf_puts(w->out, "  ");
	w->comma = true;
}

void stream_key(struct stream *w, const char *key)
{
	stream_item(w, key);
	buf_puts(w->out, ": ");
}

void stream_open(struct stream *w, char c)
{
	buf_putc(w->out, c);
	w->depth++;
	w->comma = false;
}

void stream_close(struct stream *w, char c)
{
	w->depth--;
	if (w->comma) {
		w->comma = false;
		stream_next(w);
	}
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

static void write_array(struct stream *w, const struct member *m, const void *place)
{
	struct span s = get_span(place);

	if (!s.n && !m->required)
		return;
	stream_key(w, m->key);
	stream_open(w, '[');
	for (size_t i = 0; i < s.n; i++) {
		if (m->as == AS_TEXTS) {
			stream_item(w, ((const char *const *)s.p)[i]);
			continue;
		}
		stream_next(w);
		stream_open(w, '{');
		stream_members(w, m->each->members, (const char *)s.p + i * m->size);
		stream_close(w, '}');
	}
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
		stream_key(w, m->key);
		buf_puts(w->out, *(const bool *)place ? "true" : "false");
	} else if (m->as == AS_INT) {
		stream_int(w, m->key, *(const int64_t *)place);
	} else if (m->as == AS_SMALL && *(const int *)place >= 0) {
		stream_int(w, m->key, *(const int *)place);
	} else if (m->as == AS_WORD) {
		stream_text(w, m->key, m->words[*(const int *)place]);
	} else if (m->as == AS_TEXTS || m->as == AS_LIST) {
		write_array(w, m, place);
	} else if (m->as == AS_PART) {
		stream_key(w, m->key);
		stream_open(w, '{');
		stream_members(w, m->members, from);
		stream_close(w, '}');
	} else if (m->as == AS_HOOK) {
		m->hook->write(w, m, from);
	}
}

void stream_members(struct stream *w, const struct member *members, const void *from)
{
	for (const struct member *m = members; m->key; m++)
		if (!m->detail || !w->brief)
			write_member(w, m, from);
}
