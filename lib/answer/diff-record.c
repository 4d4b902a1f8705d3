/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The records of two builds, as items of a diff. */

#include <errno.h>

#include "answer/diff-make.h"
#include "answer/records.h"
#include "document/build.h"

struct telling {
	struct comparison *c;
	const struct pair *q;
	struct records_found found;
	struct judges judges;
	json_t *keys; /* "class.property" -> true: those that have another value anywhere */
	json_t *disagree; /* subject -> true: what a device reads, and is stated otherwise */
};

/* "not judged: rehearse", "refused by rehearsal A -> B", or one way by one, and not back. */
static void write_judged(const struct telling *t, const json_t *by, unsigned int open, bool read,
			 struct buf *out)
{
	const struct rehearsed_pair *way = t->judges.way;
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)by, i, v)
		buf_printf(out, "%s%s", i ? ", " : "", json_string_value(v));
	if (open && i)
		buf_puts(out, ", ");
	if (open && i && open != RECORDS_BOTH_WAYS)
		buf_printf(out, "%s -> %s ", way[open > 1].from, way[open > 1].to);
	if (open)
		buf_puts(out, "not judged: rehearse");
	if (read)
		buf_puts(out, "; of an older build, as a device of it reads");
	else if (t->found.newer)
		buf_puts(out, "; of an older build, by what a newer one states");
}

/* For the document, which has an array of them. */
static void keep_judged(struct comparison *c, struct diff_item *item, const json_t *by)
{
	size_t i;
	json_t *v;

	item->judged = arena_alloc(&c->d->arena, (json_array_size(by) + 1) * sizeof(*item->judged));
	json_array_foreach((json_t *)by, i, v)
		if (item->judged)
			item->judged[item->n_judged++] = keep(c, "%s", json_string_value(v));
}

static void tell(void *data, const struct record_value *v)
{
	struct telling *t = data;
	struct comparison *c = t->c;
	unsigned int open = 0;
	json_auto_t *by = judges_say(&t->judges, v->machine, v->key, &open);
	struct diff_item *item = diff_add(c, DIFF_VALUE, true,
					  keep(c, "%s.record.%s.%s", t->q->subject, v->machine, v->key));
	const char *judged;
	_buf_ words = { 0 };

	write_judged(t, by, open, v->read, &words);
	judged = arena_words(&c->d->arena, &words);
	item->a = keep(c, "%s", v->value[0]);
	item->b = keep(c, "%s", v->value[1]);
	item->open = open;
	keep_judged(c, item, by);
	c->d->rehearsed |= t->judges.specimens && item->n_judged;
	item->text = keep(c, "%s, %s: %s is %s in %s, %s in %s (%s)", t->q->place, v->machine,
			  v->key, item->a, c->label[0], item->b, c->label[1], judged);
	diff_set_among(item,
		       keep(c, "%s: %s is %s in %s, %s in %s (%s), under", t->q->place, v->key,
			    item->a, c->label[0], item->b, c->label[1], judged),
		       keep(c, "%s", v->machine));
	c->d->arena.failed |= !by || json_object_set_new(t->keys, v->key, json_true()) < 0;
}

static void tell_disagrees(void *data, int side, const struct record_value *v)
{
	const struct telling *t = data;
	struct comparison *c = t->c;
	const char *version = (side ? t->q->b : t->q->a)->version;
	const char *subject = keep(c, "%s.read.%d.%s.%s", t->q->subject, side, v->machine, v->key);
	const char *words = keep(c, "%s: a device of QEMU %s reads %s as %s, a newer build states "
				    "%s, and what it reads counts, under",
				 t->q->place, version, v->key, v->value[0], v->value[1]);
	struct diff_item *item;

	if (json_object_get(t->disagree, subject))
		return;
	c->d->arena.failed |= json_object_set_new(t->disagree, subject, json_true()) < 0;
	item = diff_add(c, DIFF_CONTEXT, false, subject);
	item->counts = false;
	item->a = keep(c, "%s", v->value[0]);
	item->b = keep(c, "%s", v->value[1]);
	item->text = keep(c, "%s %s", words, v->machine);
	diff_set_among(item, words, keep(c, "%s", v->machine));
}

static void tell_lacks(void *data, int i, bool is_class, const char *name)
{
	const struct telling *t = data;
	struct comparison *c = t->c;
	const char *place = t->q->place, *other = c->label[!i];
	struct diff_item *item = diff_add_lack(
		c, DIFF_PROPERTY, false, keep(c, "%s.record.%s", t->q->subject, name), i,
		keep(c, "%s: only %s has the %s %s", place, other,
		     is_class ? "device class" : "property", name));

	diff_set_among(item, keep(c, "%s: only %s has the %s", place, other,
				  is_class ? "device classes" : "properties"),
		       keep(c, "%s", name));
}

static void say_scope(const struct telling *t)
{
	struct comparison *c = t->c;
	struct diff_item *item = diff_add(c, DIFF_CONTEXT, false,
					  keep(c, "%s.record", t->q->subject));

	item->counts = false;
	item->a = item->b = "recorded";
	item->text = keep(
		c,
		"%s: by the records of the builds, %zu properties of device classes have "
		"another value under a machine type of both; %zu were compared, and %zu "
		"have no value that both state. A record says what differs, and never that "
		"two builds are the same: for that, abibase rehearse",
		t->q->place, json_object_size(t->keys), t->found.n_compared, t->found.n_open);
	c->d->records = true;
	c->d->newer |= t->found.newer;
}

void diff_records(struct comparison *c, const struct pair *q)
{
	json_auto_t *keys = json_object(), *disagree = json_object();
	struct telling t = { .c = c, .q = q, .keys = keys, .disagree = disagree,
			     .found = { .differs = tell,
					.disagrees = tell_disagrees,
					.lacks = tell_lacks } };
	struct records records = { .ctx = c->ctx, .cat = c->cat,
				   .classes = c->guest ? c->classes->patterns : NULL,
				   .machine = c->guest ? c->guest->machine : NULL };
	int r;

	if (!c->ctx || !q->a->record || !q->b->record || q->a->record == q->b->record)
		return;
	for (int i = 0; i < 2; i++) {
		records.entry[i] = (i ? q->b : q->a)->json;
		records.record[i] = (i ? q->b : q->a)->record->root;
	}
	t.found.data = &t;
	r = keys && disagree ? judges_find(&t.judges, &records, RECORDS_BOTH_WAYS) : -ENOMEM;
	if (r == 0)
		r = records_compare(&records, &t.found);
	if (r < 0)
		c->error = r;
	else
		say_scope(&t);
}
