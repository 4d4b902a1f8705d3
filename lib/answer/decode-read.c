/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer/decode-read.h"

/* What can be found is in data/messages.json; only how lines belong together is known here. */

#define MAX_LINE (64u << 10) /* what a line has after this is not looked at */
#define MIN_LINE 3 /* no pattern is shorter */
#define MAX_FINDINGS 256 /* different ones; the others are counted */
#define MAX_DISTANCE 16  /* lines between a cause and those that name its device */
#define MIN_WORD 8 /* digits: fewer can be any number */

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

/* Are both captures as wide as masks of QEMU can be? */
static bool are_masks(const struct message *m, const struct next *found)
{
	static const char *const names[] = { "guest", "allowed" };
	char text[MAX_CAPTURE + 1];
	struct mask mask;

	for (size_t i = 0; m->kind == MESSAGE_FEATURES && i < ARRAY_SIZE(names); i++) {
		const struct span *s = &found->capture[message_capture(m, names[i])];

		snprintf(text, sizeof(text), "%.*s", (int)s->len, s->text);
		if (!mask_parse(text, &mask))
			return false;
	}
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
	return (!m->whole || at == len || s[at] == ',') && are_masks(m, ret);
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

/* A copy for documents and terminals: what is not printable ASCII is a "?". */
static const char *printable(struct decoder *d, struct span s)
{
	char *copy;

	while (s.len && is_blank(s.text[s.len - 1]))
		s.len--;
	copy = arena_alloc(&d->arena, s.len + 1);
	for (size_t i = 0; copy && i < s.len; i++)
		copy[i] = s.text[i] >= 0x20 && s.text[i] < 0x7f ? s.text[i] : '?';
	return copy;
}

/* The same words, or the same masks of the same class. */
static bool same_words(const struct finding *a, const struct finding *b)
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

static bool same_finding(const struct finding *a, const struct finding *b)
{
	return same_text(a->path, b->path) && same_words(a, b);
}

/* @f is none afterwards. */
static void add_finding(struct decoder *d, struct finding *f)
{
	size_t i = 0;

	while (i < d->n && !same_finding(&d->findings[i], f))
		i++;
	if (i < d->n)
		d->findings[i].times++;
	else if (d->n == MAX_FINDINGS)
		d->dropped++;
	else if (array_grow(&d->findings, d->n, &d->cap, sizeof(*f)) < 0)
		d->arena.failed = true;
	else
		d->findings[d->n++] = *f;
	memset(f, 0, sizeof(*f));
}

/* --------------------------------------------------------- whose finding it is */

static bool same_device(const char *a, const char *b)
{
	return streq(decode_base(a), decode_base(b));
}

/* Can both be names of one device? A line of a field has no address. */
static bool same_place(const char *a, const char *b)
{
	return same_device(a, b) &&
	       (decode_base(a) == a || decode_base(b) == b || streq(a, b));
}

static void set_device_of(struct decoder *d, struct finding *f, const struct hint *h)
{
	f->device = h->device;
	f->class_name = h->class_name;
	if (f->message->kind == MESSAGE_FEATURES)
		return;
	f->path = arena_strdup(&d->arena, h->path);
}

static size_t distance(const struct decoder *d, const struct hint *h)
{
	return h->seq < d->pending_seq ? d->pending_seq - h->seq : h->seq - d->pending_seq;
}

/*
 * Lines of two guests can stand in turn in one log: masks with bits that a device does not have are
 * another's. Only where no other is named, it is that one, with bits that are not known yet.
 */
static bool is_foreign(const struct decoder *d, const struct finding *f, const char *device)
{
	if (f->message->kind != MESSAGE_FEATURES || f->device_given || !device)
		return false;
	if (f->device)
		return !streq(f->device, device);
	return !finding_fits(d, device, f);
}

/* The nearer line counts, the later one if both are as near. */
static void note_unfit(struct decoder *d, const struct hint *h)
{
	bool first = !d->unfit.path[0] || (d->unfit.seq < d->pending_seq &&
					   distance(d, h) <= distance(d, &d->unfit));

	if (!d->pending.device && first && distance(d, h) <= MAX_DISTANCE)
		d->unfit = *h;
}

static void take_unfit(struct decoder *d)
{
	set_device_of(d, &d->pending, &d->unfit);
	if (!d->is_run || !d->run.path || !same_device(d->run.path, d->unfit.path))
		return;
	d->is_run = false; /* it was the device of the masks after all */
}

/* Are there causes of which QEMU has not printed the end yet? */
static bool is_open(const struct decoder *d)
{
	return d->sections < d->causes && d->ends < d->causes;
}

static void forget_device(struct finding *f)
{
	f->device = NULL;
	f->class_name = NULL;
	f->path = NULL;
}

/*
 * No later line is waited for: a line before it may have named the device. The section of one of
 * several loads is not known to be that of this one.
 */
static void settle(struct decoder *d)
{
	bool named;

	if (!d->is_pending)
		return;
	if (d->held.message && d->causes > 1 && is_open(d)) {
		forget_device(&d->pending);
		d->before.path[0] = '\0';
		add_finding(d, &d->held);
	}
	named = d->pending.message->kind == MESSAGE_FEATURES ? d->pending.device :
							       d->pending.path;
	if (!named && d->before.path[0] && distance(d, &d->before) <= MAX_DISTANCE)
		set_device_of(d, &d->pending, &d->before);
	else if (!named && !d->pending.path && d->unfit.path[0])
		take_unfit(d);
	add_finding(d, &d->pending);
	d->is_pending = false;
	d->held.message = NULL;
}

/* -------------------------------------------------------- loads of which lines stand in turn */

static bool is_mixed(const struct decoder *d)
{
	return d->mixed && d->seq - d->load_seq <= MAX_DISTANCE;
}

/* The name that lines gave to the pending cause can be that of another load. */
static void dispute(struct decoder *d)
{
	d->mixed = true;
	d->before.path[0] = '\0';
	d->unfit.path[0] = '\0';
	forget_device(&d->pending);
	if (d->held.message)
		add_finding(d, &d->held);
	settle(d);
}

/*
 * Every load prints its cause, its fields from the inside to the outside, its section and its end.
 * Does the line name another device than those since the cause? Fields can be parts of a device,
 * but no virtio device is a part of another one.
 */
static bool contradicts(const struct decoder *d, const char *path, const char *device, bool section)
{
	const struct finding *f = &d->pending;
	const char *class_name, *named = f->path ? decode_device_in(d->data, f->path, &class_name) :
						   NULL;

	if (f->device_given)
		return false;
	if (f->message->kind == MESSAGE_FEATURES) {
		if (device && !finding_fits(d, device, f))
			return false;
		return (f->device && device && !streq(f->device, device)) ||
		       (f->path && !same_device(f->path, path));
	}
	if (!f->path)
		return decode_base(d->before.path) != d->before.path &&
		       !same_place(d->before.path, path);
	if (section || d->held.message)
		return !same_place(f->path, path);
	return named && device && !streq(named, device);
}

/*
 * QEMU prints the cause first and then the device; a log that is shown backwards has it the other
 * way round. The nearer of the two lines counts, the later one if both are as near. Masks are a
 * virtio device's; other findings take the name of the section, which has the address, if it comes.
 */
static void offer_hint(struct decoder *d, bool section)
{
	bool masks = d->pending.message && d->pending.message->kind == MESSAGE_FEATURES;
	size_t after = d->seq - d->pending_seq;
	size_t before = d->before.path[0] ? d->pending_seq - d->before.seq : SIZE_MAX;

	if (!d->is_pending || (masks && (!d->hint.device || d->hinted)))
		return;
	if (after > MAX_DISTANCE || (!d->hinted && before < after)) {
		d->hinted = true;
		return;
	}
	d->hinted = true;
	if (masks && d->pending.device)
		return;
	set_device_of(d, &d->pending, &d->hint);
	snprintf(d->story.path, sizeof(d->story.path), "%s", d->hint.path);
	/* this line is used up */
	d->hint.device = NULL;
	d->hint.path[0] = '\0';
}

/* A line named a device by @path; the parts that many devices have in them name none. */
static void take_hint(struct decoder *d, const char *path, bool section)
{
	const char *class_name = NULL, *device = decode_device_in(d->data, path, &class_name);

	if (is_mixed(d) || json_is_true(json_object_get(decode_family(d->data, path), "part")))
		return;
	if (d->is_pending && d->seq - d->pending_seq <= MAX_DISTANCE &&
	    contradicts(d, path, device, section)) {
		dispute(d);
		return;
	}
	/* masks ask for what the table has; of another device only the name can be said */
	if (!device && d->is_pending && d->pending.message->kind == MESSAGE_FEATURES) {
		if (!d->pending.path && d->seq - d->pending_seq <= MAX_DISTANCE)
			d->pending.path = arena_strdup(&d->arena, path);
		return;
	}
	d->hint = (struct hint){ .device = device, .class_name = class_name, .seq = d->seq };
	snprintf(d->hint.path, sizeof(d->hint.path), "%s", path);
	if (d->is_pending && is_foreign(d, &d->pending, device))
		note_unfit(d, &d->hint);
	else
		offer_hint(d, section);
}

/* ------------------------------------------------------------- one story a failure */

static void flush_run(struct decoder *d)
{
	if (d->is_run)
		add_finding(d, &d->run);
	d->is_run = false;
}

/*
 * Lines of a load that stand before its cause are those of a log that is shown backwards: from the
 * outside to the inside. Others are a failure of their own.
 */
static void begin_story(struct decoder *d, const struct finding *f)
{
	bool backwards = d->run_first >= d->run_last && d->seq - d->run_seq <= MAX_DISTANCE;
	bool same = !d->run.path || !f->path || same_device(d->run.path, f->path);
	const char *class_name,
		*device = d->run.path ? decode_device_in(d->data, d->run.path, &class_name) : NULL;

	if (d->is_run && backwards && same && !is_foreign(d, f, device))
		d->is_run = false;
	flush_run(d);
	d->story = (struct story){ .told = true, .seq = d->seq };
	if (f->path)
		snprintf(d->story.path, sizeof(d->story.path), "%s", f->path);
}

/* Does the line belong to the failure whose cause was told? */
static bool is_told(struct decoder *d, const char *path, enum echo_place place)
{
	struct story *s = &d->story;
	const char *class_name,
		*device = path ? decode_device_in(d->data, path, &class_name) : NULL;

	if (!s->told || d->seq - s->seq > MAX_DISTANCE || (is_mixed(d) && place == PLACE_SECTION))
		return false;
	if (place == PLACE_FIELD && d->causes > 1 && is_open(d))
		return true;
	if (d->is_pending && is_foreign(d, &d->pending, device))
		return false;
	return !s->closed || !path || !s->path[0] || same_place(s->path, path);
}

/* The line that says most stands for the run: that of the section, which has the address. */
static bool says_more(const struct decoder *d, const struct finding *f)
{
	const struct finding *run = &d->run;
	const json_t *old = run->path ? decode_family(d->data, run->path) : NULL;

	if (!f->path)
		return false;
	return !run->path || f->message->place > run->message->place ||
	       run->message->place == PLACE_END || json_is_true(json_object_get(old, "part"));
}

/* What was said first is the innermost. */
static void join_run(struct decoder *d, struct finding *f)
{
	const char *part = d->run.part ? d->run.part : f->part;
	size_t line = d->run.line;

	if (says_more(d, f)) {
		d->run = *f;
		d->run.line = line;
	}
	d->run.part = part;
}

/* "cpu:cpreg_vmstate_array_len": what did not load, the innermost. */
static void set_part(struct decoder *d, struct finding *f)
{
	int field = message_capture(f->message, "field");

	if (f->path && field >= 0)
		f->part = arena_printf(&d->arena, "%s:%s", f->path, f->capture[field]);
}

/* The line belongs to the cause that was told, or to one of those that are open. */
static void take_told(struct decoder *d, struct finding *f)
{
	d->story.seq = d->seq;
	d->story.closed |= f->message->place != PLACE_FIELD;
	if (f->message->place == PLACE_SECTION && d->is_pending && !d->held.message)
		d->held = *f;
}

/*
 * The end of a load: what names a device in a later line names that of another one. QEMU from 10.2
 * on has the device in the same line.
 */
static void end_load(struct decoder *d)
{
	d->ended = false;
	if (d->owed)
		d->owed--;
	else
		d->ends++;
	d->hint.path[0] = '\0';
	d->hint.device = NULL;
	if (!is_open(d))
		settle(d);
}

static void take_echo(struct decoder *d, struct finding *f)
{
	enum echo_place place = f->message->place;
	bool section = place == PLACE_SECTION, near, other;

	if (f->path)
		take_hint(d, f->path, section);
	d->sections += section;
	d->ended |= place == PLACE_END;
	if (is_told(d, f->path, place)) {
		take_told(d, f);
		return;
	}
	near = d->is_run && d->seq - d->run_seq <= MAX_DISTANCE;
	/* behind the last line of a load, another device is another load */
	other = d->is_run && d->run.path && f->path && d->run_last != PLACE_FIELD &&
		!same_device(d->run.path, f->path);
	if (!near || other)
		flush_run(d);
	set_part(d, f);
	if (d->is_run) {
		join_run(d, f);
	} else {
		d->run = *f;
		d->is_run = true;
		d->run_first = place;
	}
	d->run_last = place;
	d->run_seq = d->seq;
}

/* ---------------------------------------------------------------------- what is found */

/*
 * Another cause while a load is open: the lines to come can be those of both. Only if a field has
 * named the device of the first one, the next field is that of the second one.
 */
static void count_load(struct decoder *d)
{
	bool known = d->is_pending && !d->held.message && (d->pending.path || d->pending.device);

	if (!is_open(d) || d->seq - d->load_seq > MAX_DISTANCE) {
		d->owed = d->sections > d->ends && d->seq - d->load_seq <= MAX_DISTANCE ?
				  d->sections - d->ends + d->owed :
				  0;
		d->causes = d->sections = d->ends = 0;
		d->mixed = false;
	}
	d->causes++;
	d->load_seq = d->seq;
	d->mixed |= d->causes > 1 && !known;
	if (d->mixed)
		d->before.path[0] = '\0';
}

/* Two logs of one guest in one, or two guests: the cause is the same. */
static bool is_again(struct decoder *d, const struct finding *f)
{
	if (!d->is_pending || d->held.message || d->pending.path || d->pending.device ||
	    d->seq - d->pending_seq > MAX_DISTANCE || !same_words(&d->pending, f))
		return false;
	d->pending.times++;
	d->causes++;
	return true;
}

static void set_pending(struct decoder *d, struct finding *f)
{
	if (is_mixed(d)) {
		add_finding(d, f);
		d->hint.path[0] = '\0';
		d->hint.device = NULL;
		return;
	}
	d->pending = *f;
	d->is_pending = true;
	d->hinted = false;
	d->pending_seq = d->seq;
	d->before = d->hint;
	d->unfit.path[0] = '\0';
	if (d->before.path[0] && is_foreign(d, &d->pending, d->before.device)) {
		note_unfit(d, &d->before);
		d->before.path[0] = '\0';
	}
	/* masks take no name that is not in the table */
	if (d->pending.message->kind == MESSAGE_FEATURES && !d->before.device)
		d->before.path[0] = '\0';
	d->hint.path[0] = '\0';
	d->hint.device = NULL;
}

static void take_masks(struct decoder *d, struct finding *f)
{
	const struct message *m = f->message;

	if (!mask_parse(f->capture[message_capture(m, "guest")], &f->guest) ||
	    !mask_parse(f->capture[message_capture(m, "allowed")], &f->allowed))
		return;
	f->device = d->device;
	f->class_name = d->class_name;
	f->device_given = d->device;
	if (is_again(d, f))
		return;
	count_load(d);
	settle(d);
	begin_story(d, f);
	set_pending(d, f);
}

/* A lone word is one of features when it is written as one: 0x and 8 digits or more. */
static void take_word(struct decoder *d, struct finding *f)
{
	const char *word = f->capture[message_capture(f->message, "word")];

	if (!strprefix(word, "0x") || strlen(word) < 2 + MIN_WORD || !mask_parse(word, &f->guest))
		return;
	f->device = d->device;
	f->class_name = d->class_name;
	f->device_given = d->device;
	add_finding(d, f);
}

/* "RDMA ERROR: RDMA host is not set!": the second half says what the first one did. */
static bool is_same_cause(struct decoder *d, const struct finding *f)
{
	bool same = d->cause == f->message->row && d->cause_seq == d->seq && !f->capture[0];

	d->cause = f->message->row;
	d->cause_seq = d->seq;
	return same;
}

static void take_cause(struct decoder *d, struct finding *f)
{
	const char *scope = string_of(f->message->row, "scope");

	if (is_same_cause(d, f))
		return;
	if (scope && streq(scope, "harmless")) {
		add_finding(d, f);
		return;
	}
	if (is_again(d, f))
		return;
	if (f->message->named_later && !f->path)
		count_load(d);
	settle(d);
	begin_story(d, f);
	if (f->message->named_later && !f->path)
		set_pending(d, f);
	else
		add_finding(d, f);
}

/* The device: as it is captured, or the class before the last dot of one of its properties. */
static void keep_path(struct decoder *d, struct finding *f)
{
	int path = message_capture(f->message, "path");
	int property = message_capture(f->message, "device_property");
	const char *dot = property < 0 ? NULL : strrchr(f->capture[property], '.');

	if (path >= 0)
		f->path = f->capture[path];
	else if (dot && dot != f->capture[property])
		f->path = arena_printf(&d->arena, "%.*s", (int)(dot - f->capture[property]),
				       f->capture[property]);
}

static void take(struct decoder *d, const struct message *m, const struct next *found)
{
	static void (*const takers[])(struct decoder *, struct finding *) = {
		[MESSAGE_FEATURES] = take_masks,
		[MESSAGE_WORD] = take_word,
		[MESSAGE_ECHO] = take_echo,
		[MESSAGE_CAUSE] = take_cause,
	};
	struct finding f = { .message = m, .line = d->line, .times = 1 };

	for (size_t i = 0, n = 0; i < m->n_pieces; i++)
		if (m->pieces[i].type != CAPTURE_NONE) {
			f.capture[n] = printable(d, found->capture[n]);
			n++;
		}
	if (d->arena.failed)
		return;
	keep_path(d, &f);
	takers[m->kind](d, &f);
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
	while (from < len && !d->arena.failed) {
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
	while (len && !d->arena.failed) {
		size_t skip, n = line_length(text, len, &skip);

		decode_line(d, text, n);
		if (d->ended)
			end_load(d);
		d->seq++;
		d->line += skip == 1;
		text += n + skip;
		len -= n + skip;
	}
	settle(d);
	flush_run(d);
}
