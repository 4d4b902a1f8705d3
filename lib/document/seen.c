/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <limits.h>

#include "base/context.h"
#include "document/seen.h"

#define TOP 256		    /* bytes in which a document says what it is */
#define MOST 64		    /* lists that a context keeps; the oldest goes */
#define LONGEST (256 << 10) /* bytes; a record with several QEMUs has some 40,000 */

struct seen {
	struct seen_list lists[MOST];
	size_t n, next;
};

static void list_clear(struct seen_list *k)
{
	free(k->text);
	free(k->compact);
	free(k->digests);
	json_decref(k->list);
	memset(k, 0, sizeof(*k));
}

static void seen_clear(void *data)
{
	struct seen *seen = data;

	for (size_t i = 0; i < seen->n; i++)
		list_clear(&seen->lists[i]);
}

/*
 * Where the value of the first key "qemu" begins, when that is an array; or NULL. What does not say at
 * its top that it is a profile is not searched: it is only slower.
 */
static const char *list_start(const char *buf, const char *end)
{
	static const char form[] = "\"abibase-profile/", key[] = "\"qemu\"";
	size_t len = (size_t)(end - buf);
	const char *at = memmem(buf, len < TOP ? len : TOP, form, strlen(form));
	bool colon = false;

	if (at)
		at = memmem(at, (size_t)(end - at), key, strlen(key));
	if (!at)
		return NULL;
	for (at += strlen(key); at < end; at++) {
		if (*at == ':' && !colon)
			colon = true;
		else if (!memchr(" \t\r\n", *at, 4))
			break;
	}
	return colon && at < end && *at == '[' ? at : NULL;
}

/* Behind the "]" of an array; NULL: it has none. */
static const char *list_end(const char *at, const char *end)
{
	size_t depth = 0;
	bool quoted = false;

	for (; at < end; at++) {
		if (quoted && *at == '\\')
			at++;
		else if (*at == '"')
			quoted = !quoted;
		else if (!quoted && *at == '[')
			depth++;
		else if (!quoted && *at == ']' && --depth == 0)
			return at + 1;
	}
	return NULL;
}

static struct seen_list *find_text(struct seen *seen, const char *at, const char *end)
{
	for (size_t i = 0; seen && i < seen->n; i++) {
		struct seen_list *k = &seen->lists[i];

		if (k->compact && k->len <= (size_t)(end - at) && !memcmp(at, k->text, k->len))
			return k;
	}
	return NULL;
}

/*
 * Parse the document with an integer in the place of the list that stands from @at to @stop, and put
 * the list there. The integer has to come back as the member "qemu", and to stand nowhere else in the
 * text: then the list is that member's value. NULL: it is not so, or there is no memory.
 */
#define PLACEHOLDER 4611686018427387907
#define DIGITS_OF(n) #n
#define DIGITS(n) DIGITS_OF(n)
static json_t *parse_around(json_t *list, const char *buf, const char *at, const char *stop,
			    const char *end)
{
	static const char digits[] = DIGITS(PLACEHOLDER);
	size_t before = (size_t)(at - buf), behind = (size_t)(end - stop);
	_buf_ text = { 0 };
	json_t *root;

	if (memmem(buf, before, digits, strlen(digits)) ||
	    memmem(stop, behind, digits, strlen(digits)) ||
	    !buf_reserve(&text, before + strlen(digits) + behind))
		return NULL;
	buf_add(&text, buf, before);
	buf_puts(&text, digits);
	buf_add(&text, stop, behind);
	root = json_load_text(text.data, text.len);
	if (root && json_integer_value(json_object_get(root, "qemu")) == PLACEHOLDER &&
	    json_object_set(root, "qemu", list) == 0)
		return root;
	json_decref(root);
	return NULL;
}

/* Note the text of a list, until seen_keep() says that it was right. */
static void note(struct abibase_context *ctx, json_t *list, const char *at, const char *stop)
{
	struct seen *seen = stop - at <= LONGEST ?
				    context_keep(ctx, KEPT_SEEN, sizeof(*seen), seen_clear) :
				    NULL;
	struct seen_list *k;

	if (!seen)
		return;
	k = &seen->lists[seen->next];
	list_clear(k);
	k->len = (size_t)(stop - at);
	k->text = malloc(k->len);
	if (!k->text)
		return;
	memcpy(k->text, at, k->len);
	k->list = json_incref(list);
	if (seen->n == seen->next)
		seen->n++;
}

/* The document in two parts, so that the text of the list is known for sure; NULL: not so. */
static json_t *parse_parts(struct abibase_context *ctx, const char *buf, const char *end)
{
	const char *at = list_start(buf, end), *stop;
	struct seen_list *k = at ? find_text(ctx->kept[KEPT_SEEN].data, at, end) : NULL;
	json_t *list, *root;

	if (!at)
		return NULL;
	stop = k ? at + k->len : list_end(at, end);
	if (!stop)
		return NULL;
	list = k ? json_incref(k->list) :
		   json_load_text(at, (size_t)(stop - at));
	root = list ? parse_around(list, buf, at, stop, end) : NULL;
	if (root && !k)
		note(ctx, list, at, stop);
	json_decref(list);
	return root;
}

int seen_parse(struct abibase_context *ctx, const char *buf, size_t len, size_t max,
		const char *source, json_t **ret)
{
	*ret = ctx && len <= max && !memchr(buf, 0, len) ? parse_parts(ctx, buf, buf + len) : NULL;
	/* a fault is told with its line and column in the whole */
	return *ret ? 0 : json_parse(ctx, buf, len, max, source, ret);
}

const struct seen_list *seen_find(const struct abibase_context *ctx, const json_t *list)
{
	const struct seen *seen = ctx ? ctx->kept[KEPT_SEEN].data : NULL;

	for (size_t i = 0; seen && list && i < seen->n; i++)
		if (seen->lists[i].list == list && seen->lists[i].compact)
			return &seen->lists[i];
	return NULL;
}

void seen_keep(struct abibase_context *ctx, const json_t *list, const struct profile_qemu *qemu,
		size_t n)
{
	struct seen *seen = ctx ? ctx->kept[KEPT_SEEN].data : NULL;
	struct seen_list *k = seen ? &seen->lists[seen->next] : NULL;
	_buf_ text = { 0 };

	if (!k || !list || k->list != list)
		return;
	k->digests = malloc((n + 1) * sizeof(*k->digests));
	json_write_compact(&text, list, NULL);
	k->compact = k->digests ? buf_steal(&text) : NULL;
	if (!k->compact)
		return;
	for (k->n = 0; k->n < n; k->n++)
		memcpy(k->digests[k->n], qemu[k->n].digest, sizeof(*k->digests));
	seen->next = (seen->next + 1) % MOST;
}
