/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer/decode-read.h"

/* What can be found is in data/messages.json; only which line names the device of two masks is known here. */

#define MAX_LINE (64u << 10) /* what a line has after this is not looked at */
#define MIN_LINE 3 /* no pattern is shorter */
#define MAX_FINDINGS 256 /* different ones; the others are counted */
#define MAX_DISTANCE 16  /* lines between two masks and the line that names the device */

/* ------------------------------------------------------------------ matching a line */

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_key(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       c == '-' || c == '.';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The longest run at @s that a capture of this type can be. */
static size_t run(enum capture_type type, const char *s, size_t len)
{
	size_t n = 0;

	if (len > MAX_CAPTURE)
		len = MAX_CAPTURE;
	switch (type) {
	case CAPTURE_HEX:
		if (len > 2 && s[0] == '0' && s[1] == 'x' && is_hex(s[2]))
			n = 2;
		for (; n < len && is_hex(s[n]);)
			n++;
		return n;
	case CAPTURE_INT:
		for (; n < len && is_digit(s[n]);)
			n++;
		return n;
	case CAPTURE_KEY:
		for (; n < len && is_key(s[n]);)
			n++;
		return n;
	case CAPTURE_WORD:
		for (; n < len && !is_blank(s[n]) && s[n] != '"';)
			n++;
		return n;
	case CAPTURE_REST: /* of a message that may be a string in a JSON object */
		for (; n < len && s[n] != '"';)
			n++;
		return n;
	case CAPTURE_NONE:
	case CAPTURE_TEXT:
		break;
	}
	return len;
}

static bool starts_with(const char *s, size_t len, const struct piece *literal)
{
	return len >= literal->len && memcmp(s, literal->text, literal->len) == 0;
}

/* A capture that @literal ends: a run of its kind, or what stands before the literal. */
static bool capture_until(enum capture_type type, const char *s, size_t len,
			  const struct piece *literal, size_t *ret)
{
	size_t n = run(type, s, len);
	const char *end;

	if (type != CAPTURE_WORD && type != CAPTURE_TEXT) {
		*ret = n;
		return n > 0 && starts_with(s + n, len - n, literal);
	}
	len = len - n < literal->len ? len : n + literal->len;
	end = memmem(s, len, literal->text, literal->len);
	if (!end || end == s)
		return false;
	*ret = (size_t)(end - s);
	return true;
}

/* Does the pattern stand at the start of @s? */
static bool match_here(const struct message *m, const char *s, size_t len, struct next *ret)
{
	size_t at = 0, n = 0;

	for (size_t i = 0; i < m->n_pieces; i++) {
		const struct piece *p = &m->pieces[i];
		size_t taken;

		if (p->type == CAPTURE_NONE) {
			if (!starts_with(s + at, len - at, p))
				return false;
			at += p->len;
			continue;
		}
		if (i + 1 == m->n_pieces)
			taken = run(p->type, s + at, len - at);
		else if (!capture_until(p->type, s + at, len - at, p + 1, &taken))
			return false;
		if (!taken)
			return false;
		ret->capture[n++] = (struct span){ s + at, taken };
		at += taken;
	}
	ret->end = at;
	return !m->whole || at == len || s[at] == ',';
}

/* The first place at or after @from where the message stands. */
static void find_next(const struct message *m, const char *line, size_t len, size_t from,
		      struct next *ret)
{
	const struct piece *first = &m->pieces[0];

	ret->known = true;
	ret->none = true;
	if (m->whole) {
		if (from == 0 && match_here(m, line, len, ret)) {
			ret->start = 0;
			ret->none = false;
		}
		return;
	}
	while (from < len) {
		const char *s = memmem(line + from, len - from, first->text, first->len);

		if (!s)
			return;
		from = (size_t)(s - line);
		if (match_here(m, s, len - from, ret)) {
			ret->start = from;
			ret->end += from;
			ret->none = false;
			return;
		}
		from++;
	}
}

/* -------------------------------------------------------------------------- findings */

void finding_clear(struct finding *f)
{
	for (size_t i = 0; i < MAX_CAPTURES; i++)
		free(f->capture[i]);
	memset(f, 0, sizeof(*f));
}

/* A copy for documents and terminals: what is not printable ASCII is a "?". */
static char *printable(struct span s)
{
	char *copy;

	while (s.len && is_blank(s.text[s.len - 1]))
		s.len--;
	copy = malloc(s.len + 1);
	if (!copy)
		return NULL;
	for (size_t i = 0; i < s.len; i++)
		copy[i] = s.text[i] >= 0x20 && s.text[i] < 0x7f ? s.text[i] : '?';
	copy[s.len] = '\0';
	return copy;
}

bool mask_parse(const char *s, struct mask *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->digits = strlen(s);
	if (strprefix(s, "0x"))
		ret->digits -= 2;
	return word_parse(s, ret->word);
}

bool mask_bit(const struct mask *m, unsigned int bit)
{
	return m->word[bit / 64] >> (bit % 64) & 1;
}

bool mask_empty(const struct mask *m)
{
	return !m->word[0] && !m->word[1];
}

/* The same words, or the same masks of the same device. */
static bool same_finding(const struct finding *a, const struct finding *b)
{
	if (a->message->kind != b->message->kind)
		return false;
	if (a->message->kind == MESSAGE_FEATURES)
		return memcmp(&a->guest, &b->guest, sizeof(a->guest)) == 0 &&
		       memcmp(&a->allowed, &b->allowed, sizeof(a->allowed)) == 0 &&
		       same_text(a->class_name, b->class_name);
	if (a->message != b->message)
		return false;
	for (size_t i = 0; i < MAX_CAPTURES; i++)
		if (!same_text(a->capture[i], b->capture[i]))
			return false;
	return true;
}

/* Takes over what @f holds. */
static void add_finding(struct decoder *d, struct finding *f)
{
	for (size_t i = 0; i < d->n; i++) {
		if (!same_finding(&d->findings[i], f))
			continue;
		d->findings[i].times++;
		finding_clear(f);
		return;
	}
	if (d->n == MAX_FINDINGS || array_grow(&d->findings, d->n, &d->cap, sizeof(*f)) < 0) {
		if (d->n == MAX_FINDINGS)
			d->dropped++;
		else
			d->failed = true;
		finding_clear(f);
		return;
	}
	d->findings[d->n++] = *f;
	memset(f, 0, sizeof(*f));
}

/* ------------------------------------------------------------- whose masks they are */

/* No later line is waited for: a line before the masks may have named the device. */
static void settle(struct decoder *d)
{
	if (!d->is_pending)
		return;
	if (!d->pending.device && d->before.device &&
	    d->pending_seq - d->before.seq <= MAX_DISTANCE) {
		d->pending.device = d->before.device;
		d->pending.class_name = d->before.class_name;
	}
	add_finding(d, &d->pending);
	d->is_pending = false;
}

/*
 * QEMU prints the masks first and then the device; a log that is shown backwards has it the other
 * way round. The nearer of the two lines counts, the later one if both are as near.
 */
static void take_hint(struct decoder *d, struct span path)
{
	const char *slash = memrchr(path.text, '/', path.len), *device, *class_name;
	size_t before, after;

	if (slash) {
		path.len -= (size_t)(slash + 1 - path.text);
		path.text = slash + 1;
	}
	device = decode_device(d->data, path.text, path.len, &class_name);
	if (!device)
		return;
	d->hint = (struct hint){ device, class_name, d->seq };
	if (!d->is_pending || d->hinted)
		return;
	d->hinted = true;
	after = d->seq - d->pending_seq;
	before = d->before.device ? d->pending_seq - d->before.seq : SIZE_MAX;
	if (d->pending.device || after > MAX_DISTANCE || before < after)
		return;
	d->pending.device = device;
	d->pending.class_name = class_name;
	/* this line is used up */
	d->hint.device = NULL;
}

static void take_masks(struct decoder *d, struct finding *f)
{
	const struct message *m = f->message;

	if (!mask_parse(f->capture[message_capture(m, "guest")], &f->guest) ||
	    !mask_parse(f->capture[message_capture(m, "allowed")], &f->allowed)) {
		finding_clear(f);
		return;
	}
	settle(d);
	f->device = d->device;
	f->class_name = d->class_name;
	f->device_given = d->device;
	d->pending = *f;
	memset(f, 0, sizeof(*f));
	d->is_pending = true;
	d->hinted = false;
	d->pending_seq = d->seq;
	d->before = d->hint;
	d->hint.device = NULL;
}

static void take(struct decoder *d, const struct message *m, const struct next *found)
{
	struct finding f = { .message = m, .line = d->line, .times = 1 };

	if (m->kind == MESSAGE_DEVICE) {
		take_hint(d, found->capture[message_capture(m, "path")]);
		return;
	}
	for (size_t i = 0, n = 0; i < m->n_pieces; i++) {
		if (m->pieces[i].type == CAPTURE_NONE)
			continue;
		f.capture[n] = printable(found->capture[n]);
		if (!f.capture[n++]) {
			d->failed = true;
			finding_clear(&f);
			return;
		}
	}
	if (m->kind == MESSAGE_FEATURES)
		take_masks(d, &f);
	else
		add_finding(d, &f);
}

/* ------------------------------------------------------------------------- the text */

/* All messages of one line, from left to right; of two at one place the first in the list. */
static void decode_line(struct decoder *d, const char *line, size_t len)
{
	size_t from = 0;

	while (len && is_blank(line[len - 1]))
		len--;
	while (len && is_blank(*line)) {
		line++;
		len--;
	}
	if (len > MAX_LINE)
		len = MAX_LINE;
	if (len < MIN_LINE)
		return;
	for (size_t i = 0; i < d->data->n_messages; i++)
		d->next[i].known = false;
	while (from < len && !d->failed) {
		size_t best = SIZE_MAX;

		for (size_t i = 0; i < d->data->n_messages; i++) {
			struct next *next = &d->next[i];

			if (!next->known || (!next->none && next->start < from))
				find_next(&d->data->message[i], line, len, from, next);
			if (!next->none && (best == SIZE_MAX || next->start < d->next[best].start))
				best = i;
		}
		if (best == SIZE_MAX)
			return;
		take(d, &d->data->message[best], &d->next[best]);
		from = d->next[best].end;
	}
}

/* Where a line ends; in a log of JSON objects the two characters \n stand for it. */
static size_t line_length(const char *text, size_t len, size_t *ret_skip)
{
	for (size_t n = 0; n < len; n++) {
		*ret_skip = 1;
		if (text[n] == '\n')
			return n;
		*ret_skip = 2;
		if (text[n] == '\\' && n + 1 < len && text[n + 1] == 'n')
			return n;
	}
	*ret_skip = 0;
	return len;
}

void decode_lines(struct decoder *d, const char *text, size_t len)
{
	d->line = 1;
	while (len && !d->failed) {
		size_t skip, n = line_length(text, len, &skip);

		decode_line(d, text, n);
		d->seq++;
		d->line += skip == 1;
		text += n + skip;
		len -= n + skip;
	}
	settle(d);
}
