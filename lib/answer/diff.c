/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "document/baseline.h"
#include "base/context.h"
#include "answer/diff-make.h"
#include "document/errata.h"
#include "document/page.h"
#include "document/result.h"
#include "model/effective.h"
#include "answer/show.h"

/*
 * Two profiles by names. Everything is said once, at the place where it is different: what
 * follows from something else that was said is left out.
 */

/* ---------------------------------------------------------------------- pieces */

/* Two values that differ, each in words or NULL; @place is how the line begins, "tap.features:". */
static struct diff_item *add_values(struct comparison *c, enum diff_kind kind,
				    bool guest_visible, const char *subject, const char *place,
				    const char *a, const char *b)
{
	struct diff_item *item = diff_add(c, kind, guest_visible, subject);

	item->a = a ? keep(c, "%s", a) : NULL;
	item->b = b ? keep(c, "%s", b) : NULL;
	item->known = a && b;
	item->text = keep(c, "%s %s in %s, %s in %s", place, a ? a : "not stated", c->label[0],
			  b ? b : "not stated", c->label[1]);
	return item;
}

/* One has @what and the other (@lacks: 0 or 1) has not. */
static struct diff_item *add_lack(struct comparison *c, enum diff_kind kind, bool guest_visible,
				  const char *subject, int lacks, const char *place,
				  const char *what)
{
	return diff_add_lack(c, kind, guest_visible, subject, lacks,
			     keep(c, "%s: %s lacks %s", place, c->label[lacks], what));
}

/* What only one of them records (@missing: not that one), so that it cannot be compared. */
static void add_half_known(struct comparison *c, enum diff_kind kind, bool guest_visible,
			   const char *subject, int missing, const char *text)
{
	struct diff_item *item = diff_add(c, kind, guest_visible, subject);

	item->known = false;
	item->a = missing ? "recorded" : NULL;
	item->b = missing ? NULL : "recorded";
	item->text = text;
}

static void add_not_recorded(struct comparison *c, enum diff_kind kind, const char *subject,
			     int missing, const char *place)
{
	add_half_known(c, kind, false, subject, missing,
		       keep(c, "%s: not recorded in %s", place, c->label[missing]));
}

/* Call @fn with each key, sorted, that at least one of the two objects has, and its two values. */
static void each_key(struct comparison *c, const struct pair *q, const json_t *a, const json_t *b,
		     void (*fn)(struct comparison *c, const struct pair *q, const char *key,
				const json_t *a, const json_t *b))
{
	size_t n = 0;
	_autofree_ const char **keys = calloc(json_object_size(a) + json_object_size(b) + 1,
					      sizeof(*keys));
	const char *key;
	json_t *v;

	if (!keys) {
		c->d->arena.failed = true;
		return;
	}
	json_object_foreach((json_t *)a, key, v)
		keys[n++] = key;
	json_object_foreach((json_t *)b, key, v)
		if (!json_object_get(a, key))
			keys[n++] = key;
	qsort(keys, n, sizeof(*keys), text_cmp);
	for (size_t i = 0; i < n; i++)
		fn(c, q, keys[i], json_object_get(a, keys[i]), json_object_get(b, keys[i]));
}

/* ----------------------------------------------------------------------- facts */

static bool is_unknown(const json_t *v)
{
	return !v || json_is_object(v);
}

static bool is_word(const json_t *v)
{
	return json_is_string(v) && strprefix(json_string_value(v), "0x");
}

/* Does the catalogue use this bit of the fact, or with @bit -1 the fact itself or any bit of it? */
static bool is_used(const struct abibase_catalogue *cat, const char *fact, int bit)
{
	for (size_t i = 0; i < cat->n_conditions; i++)
		if (streq(cat->conditions[i].fact, fact) &&
		    (bit < 0 || cat->conditions[i].bit == bit))
			return true;
	return false;
}

/* What is in the buffer, which is released. */
static const char *keep_words(struct comparison *c, struct buf *words)
{
	const char *kept = keep(c, "%s", arena_words(&c->d->arena, words));

	buf_clear(words);
	return kept;
}

static const char *fact_words(struct comparison *c, const json_t *v)
{
	struct buf b = { 0 };

	if (!v)
		return NULL;
	show_fact_value(&b, v);
	return keep_words(c, &b);
}

static void add_bit(struct comparison *c, const char *fact, unsigned int bit, int lacks)
{
	const char *name = show_bit_name(c->cat, fact, bit);

	add_lack(c, DIFF_FACT, is_used(c->cat, fact, (int)bit), keep(c, "%s[%u]", fact, bit), lacks,
		 fact, name ? keep(c, "%s (bit %u)", name, bit) : keep(c, "bit %u", bit));
}

static unsigned int word_width(const char *word)
{
	return (unsigned int)(strlen(word) - strlen("0x")) * 4;
}

/* The bits that only one of them was asked for: what the other has there is not known. */
static void diff_width(struct comparison *c, const char *fact, const char *a, const char *b)
{
	unsigned int bits[2] = { word_width(a), word_width(b) };
	struct diff_item *item;

	if (bits[0] == bits[1])
		return;
	item = diff_add(c, DIFF_FACT, false, keep(c, "%s", fact));
	item->known = false;
	item->a = keep(c, "%s", a);
	item->b = keep(c, "%s", b);
	item->text = keep(c, "%s: %u bits were asked for in %s, %u in %s", fact, bits[0],
			  c->label[0], bits[1], c->label[1]);
	for (unsigned int bit = bits[0] < bits[1] ? bits[0] : bits[1];
	     bit < bits[0] || bit < bits[1]; bit++)
		item->guest_visible |= is_used(c->cat, fact, (int)bit);
}

/* Of a word that is a lower bound, a bit that is off is not known. */
static bool is_bit_known(struct comparison *c, const char *fact, unsigned int bit)
{
	for (int i = 0; i < 2; i++) {
		if (profile_ask(c->p[i], fact, (int)bit, NULL) != ABIBASE_UNKNOWN)
			continue;
		add_half_known(c, DIFF_FACT, is_used(c->cat, fact, (int)bit),
			       keep(c, "%s[%u]", fact, bit), i,
			       keep(c, "%s[%u]: not known of %s, whose word is a lower bound", fact,
				    bit, c->label[i]));
		return false;
	}
	return true;
}

static void diff_words(struct comparison *c, const char *fact, const char *a, const char *b)
{
	for (unsigned int bit = 0;; bit++) {
		int x = word_bit(a, bit), y = word_bit(b, bit);

		if (x < 0 || y < 0)
			break;
		if (x != y && is_bit_known(c, fact, bit))
			add_bit(c, fact, bit, x > y);
	}
	diff_width(c, fact, a, b);
}

/* One kernel does not have the word at all: named is what the catalogue would look for in it. */
static void diff_no_word(struct comparison *c, const char *fact, const char *word, int lacks)
{
	int set;

	for (unsigned int bit = 0; (set = word_bit(word, bit)) >= 0; bit++)
		if (set && is_used(c->cat, fact, (int)bit))
			add_bit(c, fact, bit, lacks);
}

const json_t *surface_usable(const struct abibase_profile *p, const char *fact)
{
	char usable[256];
	int n = snprintf(usable, sizeof(usable), "%.*s.usable", (int)strcspn(fact, "."), fact);

	return n > 0 && (size_t)n < sizeof(usable) ? json_object_get(p->facts, usable) : NULL;
}

/* Nothing to say: equal, both unknown, or left out because the surface is absent. */
static bool fact_same(struct comparison *c, const char *fact, const json_t *a, const json_t *b)
{
	if (is_unknown(a) && is_unknown(b))
		return true;
	if (a && b)
		return json_equal(a, b);
	return json_is_false(surface_usable(c->p[a ? 1 : 0], fact));
}

static void diff_fact(struct comparison *c, const struct pair *q, const char *fact,
		      const json_t *a, const json_t *b)
{
	bool known = !is_unknown(a) && !is_unknown(b), used;
	struct diff_item *item;

	/* a mask is looked at with its word */
	if (fact_is_mask(fact) || !diff_wants_fact(c, fact) || fact_same(c, fact, a, b))
		return;
	if (is_word(a) && is_word(b))
		return diff_words(c, fact, json_string_value(a), json_string_value(b));
	/* a word against "no such word": what a guest can see of it is each of the bits */
	if (is_word(a) && json_is_false(b))
		diff_no_word(c, fact, json_string_value(a), 1);
	else if (json_is_false(a) && is_word(b))
		diff_no_word(c, fact, json_string_value(b), 0);
	used = is_used(c->cat, fact, -1) && !(known && (is_word(a) || is_word(b)));
	item = add_values(c, DIFF_FACT, used, keep(c, "%s", fact), keep(c, "%s:", fact),
			  fact_words(c, a), fact_words(c, b));
	item->known = known;
	item->side = json_is_false(a) ? DIFF_A_LACKS :
		     json_is_false(b) ? DIFF_B_LACKS :
					DIFF_NEITHER;
}

/* ----------------------------------------------------------------------- QEMUs */

/* The same member of both: are there two to compare? That one lacks it is said. */
static bool both_record(struct comparison *c, const struct pair *q, enum diff_kind kind,
			const char *member, const char *words, const json_t *ret[2])
{
	ret[0] = json_object_get(q->a->json, member);
	ret[1] = json_object_get(q->b->json, member);
	if (!ret[0] != !ret[1])
		add_not_recorded(c, kind, keep(c, "%s.%s", q->subject, member), ret[0] ? 1 : 0,
				 keep(c, "%s: %s", q->place, words));
	return ret[0] && ret[1];
}

/* What "-M q35" means is a difference; that a type is deprecated is only worth knowing. */
static void diff_machine_member(struct comparison *c, const struct pair *q, const char *name,
				const char *key, const json_t *a, const json_t *b)
{
	bool alias = streq(key, "alias");
	const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);

	if (x == y || (x && y && json_equal(x, y)) || (!x && json_is_false(y)) ||
	    (!y && json_is_false(x)))
		return;
	add_values(c, alias ? DIFF_MACHINE : DIFF_CONTEXT, false,
		   keep(c, "%s.machines.%s.%s", q->subject, name, key),
		   keep(c, "%s: %s of %s is", q->place, alias ? "alias" : "deprecation", name),
		   x ? fact_words(c, x) : "none", y ? fact_words(c, y) : "none");
}

static void diff_machine(struct comparison *c, const struct pair *q, const char *name,
			 const json_t *a, const json_t *b)
{
	int lacks = a ? 1 : 0;

	if (!diff_wants_machine(c, name))
		return;
	if (a && b) {
		if (!c->guest) /* which has a machine type by its own name */
			diff_machine_member(c, q, name, "alias", a, b);
		if (c->all)
			diff_machine_member(c, q, name, "deprecated", a, b);
		return;
	}
	diff_set_among(add_lack(c, DIFF_MACHINE, false,
				keep(c, "%s.machines.%s", q->subject, name), lacks, q->place,
				keep(c, "the machine type %s", name)),
		       keep(c, "%s: %s lacks the machine types", q->place, c->label[lacks]),
		       keep(c, "%s", name));
}

/* Was this binary recorded before the catalogue asked for the property? Then no record is no "no". */
static bool is_newer_than(const struct comparison *c, const struct profile_qemu *q,
			  const char *class_name, const char *property)
{
	const struct row *row = catalogue_find(c->cat, class_name, property);

	return row && profile_asked(q->json) < row->added;
}

static void diff_property(struct comparison *c, const struct pair *q, const char *key,
			  const json_t *a, const json_t *b)
{
	const char *x = json_string_value(a), *y = json_string_value(b);
	const char *subject = keep(c, "%s.properties.%s.%s", q->subject, q->in, key);
	const char *what = keep(c, "the property %s.%s", q->in, key);

	if (x && y && streq(x, y))
		return;
	if (x && y)
		add_values(c, DIFF_PROPERTY, false, subject,
			   keep(c, "%s: type of %s.%s is", q->place, q->in, key), x, y);
	else if (is_newer_than(c, x ? q->b : q->a, q->in, key))
		add_not_recorded(c, DIFF_PROPERTY, subject, x ? 1 : 0,
				 keep(c, "%s: %s", q->place, what));
	else
		add_lack(c, DIFF_PROPERTY, false, subject, x ? 1 : 0, q->place, what);
}

static void diff_class(struct comparison *c, const struct pair *q, const char *class_name,
		       const json_t *a, const json_t *b)
{
	struct pair of = *q;

	if (!diff_wants_class(c, class_name))
		return;
	of.in = class_name;
	if (a && b)
		each_key(c, &of, a, b, diff_property);
	else
		add_not_recorded(c, DIFF_PROPERTY,
				 keep(c, "%s.properties.%s", q->subject, class_name), a ? 1 : 0,
				 keep(c, "%s: properties of %s", q->place, class_name));
}

/* Does this binary's list of properties say that it does not have "class.property"? */
static bool lacks_property(const struct profile_qemu *q, const char *key)
{
	const char *dot = strchr(key, '.');
	_autofree_ char *class_name = dot ? strndup(key, (size_t)(dot - key)) : NULL;
	const json_t *class = class_name ? json_object_get(json_object_get(q->json, "properties"),
							   class_name) :
					   NULL;

	return class && !json_object_get(class, dot + 1);
}

static const char *words_of(struct comparison *c, const json_t *v)
{
	return v ? keep(c, "%s", value_words(&c->d->arena, v)) : NULL;
}

/* What a machine type makes of a property; @member: where each of the two is recorded. */
static void add_value(struct comparison *c, const struct pair *q, const char *member,
		      const char *key, const json_t *a, const json_t *b)
{
	struct diff_item *item = add_values(
		c, DIFF_VALUE, a && b, keep(c, "%s.%s", q->subject, member),
		keep(c, "%s, %s: %s is", q->place, q->in, key), words_of(c, a), words_of(c, b));

	diff_set_among(item,
		       keep(c, "%s: %s is %s in %s, %s in %s, under", q->place, key,
			    item->a ? item->a : "not stated", c->label[0],
			    item->b ? item->b : "not stated", c->label[1]),
		       keep(c, "%s", q->in));
}

static void diff_value(struct comparison *c, const struct pair *q, const char *key,
		       const json_t *a, const json_t *b)
{
	const json_t *x = qemu_recorded(q->a->json, q->in, key);
	const json_t *y = qemu_recorded(q->b->json, q->in, key);

	if (!diff_wants_key(c, key) || (x && y && json_equal(x, y)) ||
	    (!x && lacks_property(q->a, key)) || (!y && lacks_property(q->b, key)))
		return;
	add_value(c, q, keep(c, "values.%s.%s", q->in, key), key, x, y);
}

static void diff_own_value(struct comparison *c, const struct pair *q, const char *key,
			   const json_t *a, const json_t *b)
{
	if (!json_object_get(json_object_get(q->a->json, "defaults"), key) &&
	    !json_object_get(json_object_get(q->b->json, "defaults"), key))
		diff_value(c, q, key, a, b);
}

/* Does this binary list its machine types, without this one? */
static bool lacks_machine(const struct profile_qemu *q, const char *machine)
{
	const json_t *machines = json_object_get(q->json, "machines");

	return machines && !json_object_get(machines, machine);
}

/* What is said once for all machine types, and what one says for itself. */
static void diff_machine_values(struct comparison *c, const struct pair *q, const char *machine,
				const json_t *a, const json_t *b)
{
	struct pair of = *q;

	if (!diff_wants_machine(c, machine))
		return;
	of.in = machine;
	if (a && b) {
		each_key(c, &of, json_object_get(q->a->json, "defaults"),
			 json_object_get(q->b->json, "defaults"), diff_value);
		each_key(c, &of, a, b, diff_own_value);
	} else if (!lacks_machine(a ? q->b : q->a, machine)) {
		add_not_recorded(c, DIFF_VALUE, keep(c, "%s.values.%s", q->subject, machine),
				 a ? 1 : 0, keep(c, "%s: values of %s", q->place, machine));
	}
}

/* Of what comes of a file of each host, what was seen, where both were looked at. */
static void diff_observed(struct comparison *c, const struct pair *q, const struct row *row)
{
	struct pair of = *q;
	json_t *shape;

	json_object_foreach(json_object_get(q->a->json, "shape"), of.in, shape) {
		const json_t *x = qemu_observed(q->a->json, of.in, row->observed);
		const json_t *y = qemu_observed(q->b->json, of.in, row->observed);

		if (x && y && !json_equal(x, y) && diff_wants_machine(c, of.in) &&
		    diff_wants_class(c, row->class_name))
			add_value(c, &of, keep(c, "shape.%s.%s", of.in, row->observed), row->key, x,
				  y);
	}
}

static void diff_qemu_member(struct comparison *c, const struct pair *q, const char *key,
			     const char *words)
{
	const char *x = string_of(q->a->json, key), *y = string_of(q->b->json, key);

	if (!same_text(x, y))
		add_values(c, DIFF_CONTEXT, false, keep(c, "%s.%s", q->subject, key),
			   keep(c, "%s: %s", q->place, words), x, y);
}

/* Whether it can load its RSS program at all, where both are recorded. */
static void diff_ebpf(struct comparison *c, const struct pair *q)
{
	const json_t *x = json_object_get(q->a->json, "ebpf");
	const json_t *y = json_object_get(q->b->json, "ebpf");

	if (x && y && !json_equal(x, y))
		add_values(c, DIFF_CONTEXT, false, keep(c, "%s.ebpf", q->subject),
			   keep(c, "%s: linked with libbpf:", q->place), fact_words(c, x),
			   fact_words(c, y));
}

static void diff_pair(struct comparison *c, const struct pair *q)
{
	const json_t *of[2];

	if (!streq(q->a->version, q->b->version))
		add_values(c, DIFF_QEMU, false, keep(c, "%s.version", q->subject),
			   keep(c, "%s: version", q->place), q->a->version, q->b->version);
	if (both_record(c, q, DIFF_MACHINE, "machines", "machine types", of))
		each_key(c, q, of[0], of[1], diff_machine);
	if (both_record(c, q, DIFF_PROPERTY, "properties", "properties", of))
		each_key(c, q, of[0], of[1], diff_class);
	for (size_t i = 0; i < c->cat->n_rows; i++)
		if (c->cat->rows[i].observed)
			diff_observed(c, q, &c->cat->rows[i]);
	if (both_record(c, q, DIFF_VALUE, "values", "values of machine types", of))
		each_key(c, q, of[0], of[1], diff_machine_values);
	diff_records(c, q);
	diff_qemu_member(c, q, "package", "package");
	diff_ebpf(c, q);
	if (!c->all)
		return;
	diff_qemu_member(c, q, "build_id", "build id");
	diff_qemu_member(c, q, "path", "path");
}

static size_t count_target(const struct abibase_profile *p, const char *target)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_qemu; i++)
		n += streq(p->qemu[i].target, target);
	return n;
}

/* "qemu x86_64", with the version where a host has several. */
static void name_pair(struct comparison *c, struct pair *q)
{
	const struct profile_qemu *any = q->a ? q->a : q->b;
	const char *other = q->a && q->b && !streq(q->a->version, q->b->version) ? q->b->version : "";

	if (count_target(c->p[0], any->target) <= 1 && count_target(c->p[1], any->target) <= 1) {
		q->place = keep(c, "qemu %s", any->target);
		q->subject = keep(c, "qemu.%s", any->target);
	} else {
		q->place = keep(c, "qemu %s %s%s%s", any->target, any->version, *other ? "/" : "",
				other);
		q->subject = keep(c, "qemu.%s.%s", any->target, any->version);
	}
}

/* How surely two binaries of one target are the same thing, from the surest. */
static bool alike(const struct profile_qemu *a, const struct profile_qemu *b, int how)
{
	bool digest = streq(a->digest, b->digest), version = streq(a->version, b->version);
	bool path = a->path && b->path && streq(a->path, b->path);
	const bool ways[] = { digest && path, digest, version && path, version, path, true };

	return streq(a->target, b->target) && ways[how];
}
#define WAYS_TO_BE_ALIKE 6

/* mate[i]: the binary of the second that is compared with binary i of the first, or -1. */
static void find_mates(const struct comparison *c, int *mate, bool *taken)
{
	const struct abibase_profile *a = c->p[0], *b = c->p[1];

	for (size_t i = 0; i < a->n_qemu; i++)
		mate[i] = -1;
	for (int how = 0; how < WAYS_TO_BE_ALIKE; how++)
		for (size_t i = 0; i < a->n_qemu; i++)
			for (size_t k = 0; mate[i] < 0 && k < b->n_qemu; k++)
				if (!taken[k] && alike(&a->qemu[i], &b->qemu[k], how)) {
					mate[i] = (int)k;
					taken[k] = true;
				}
}

static void add_single(struct comparison *c, const struct profile_qemu *qemu, int lacks)
{
	struct pair q = { .a = lacks ? qemu : NULL, .b = lacks ? NULL : qemu };

	name_pair(c, &q);
	add_lack(c, DIFF_QEMU, false, q.subject, lacks, "qemu",
		 keep(c, "a QEMU for %s, %s%s%s", qemu->target, qemu->version,
		      qemu->path ? ", which is " : "", qemu->path ? qemu->path : ""));
}

/* Is nothing known of its QEMUs, though some are there? */
static bool is_unasked(const struct abibase_profile *p)
{
	return !p->n_qemu && p->n_unasked;
}

static void diff_qemus(struct comparison *c)
{
	const struct abibase_profile *a = c->p[0], *b = c->p[1];
	_autofree_ int *mate = calloc(a->n_qemu + 1, sizeof(*mate));
	_autofree_ bool *taken = calloc(b->n_qemu + 1, sizeof(*taken));

	if (!mate || !taken) {
		c->d->arena.failed = true;
		return;
	}
	if (a->has_qemu != b->has_qemu || is_unasked(a) != is_unasked(b)) {
		add_not_recorded(c, DIFF_QEMU, "qemu", a->has_qemu && !is_unasked(a) ? 1 : 0,
				 "qemu");
		return;
	}
	find_mates(c, mate, taken);
	for (size_t i = 0; i < a->n_qemu; i++) {
		struct pair q = { .a = &a->qemu[i], .b = mate[i] < 0 ? NULL : &b->qemu[mate[i]] };

		name_pair(c, &q);
		if (q.b)
			diff_pair(c, &q);
		else
			add_single(c, q.a, 1);
	}
	for (size_t k = 0; k < b->n_qemu; k++)
		if (!taken[k])
			add_single(c, &b->qemu[k], 0);
}

/* --------------------------------------------------------------------- context */

/* One value of any type in words, or NULL when there is none. */
static const char *any_words(struct comparison *c, const json_t *v)
{
	struct buf b = { 0 };

	if (!v || json_is_string(v))
		return json_string_value(v);
	json_write_compact(&b, v, NULL);
	return keep_words(c, &b);
}

static void diff_member(struct comparison *c, const struct pair *q, const char *key,
			const json_t *a, const json_t *b)
{
	const char *name = q ? keep(c, "%s.%s", q->in, key) : keep(c, "%s", key);

	if (a != b && !(a && b && json_equal(a, b)))
		add_values(c, DIFF_CONTEXT, false, name, keep(c, "%s:", name), any_words(c, a),
			   any_words(c, b));
}

/* Each member of an object that both may have. */
static void diff_object(struct comparison *c, const char *name)
{
	each_key(c, &(struct pair){ .in = name }, json_object_get(c->p[0]->root, name),
		 json_object_get(c->p[1]->root, name), diff_member);
}

static const char *package_version(const json_t *packages, const char *name)
{
	size_t i;
	json_t *v;

	json_array_foreach(packages, i, v)
		if (streq(string_of(v, "name"), name))
			return string_of(v, "version");
	return NULL;
}

/* The packages of @from; those that the other one has too only when @both. */
static void diff_packages_of(struct comparison *c, const json_t *from, const json_t *a,
			     const json_t *b, bool both)
{
	size_t i;
	json_t *v;

	json_array_foreach(from, i, v) {
		const char *name = string_of(v, "name");
		const char *x = package_version(a, name), *y = package_version(b, name);

		if (!x || !y || (both && !streq(x, y)))
			add_values(c, DIFF_CONTEXT, false, keep(c, "packages.%s", name),
				   keep(c, "package %s:", name), x, y);
	}
}

/* Hosts do not list packages: only two that do are compared, unless all is asked for. */
static void diff_packages(struct comparison *c)
{
	const json_t *a = json_object_get(c->p[0]->root, "packages");
	const json_t *b = json_object_get(c->p[1]->root, "packages");

	if (!c->all && (!a || !b))
		return;
	diff_packages_of(c, a, a, b, true);
	diff_packages_of(c, b, a, b, false);
}

/* Two that are not known, for another reason */
static void diff_reason(struct comparison *c, const struct pair *q, const char *fact,
			const json_t *a, const json_t *b)
{
	if (is_unknown(a) && is_unknown(b) && !(a && b && json_equal(a, b)))
		add_values(c, DIFF_CONTEXT, false, keep(c, "%s", fact), keep(c, "%s:", fact),
			   fact_words(c, a), fact_words(c, b));
}

static void diff_context(struct comparison *c)
{
	static const char *const scalars[] = { "kind", "boot_id" };
	static const char *const objects[] = { "probe", "evidence", "lifecycle" };

	diff_object(c, "kernel");
	diff_packages(c);
	if (!c->all)
		return;
	each_key(c, NULL, c->p[0]->facts, c->p[1]->facts, diff_reason);
	for (size_t i = 0; i < ARRAY_SIZE(scalars); i++)
		diff_member(c, NULL, scalars[i], json_object_get(c->p[0]->root, scalars[i]),
			    json_object_get(c->p[1]->root, scalars[i]));
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		diff_object(c, objects[i]);
}

/* ---------------------------------------------------------------------- errata */

/* The builds of a host with any of their machine types. */
static uint32_t qemu_errata(const struct comparison *c, const json_t *entry)
{
	uint32_t mask = errata_of_qemu(c->cat, entry, NULL);
	const char *machine;
	json_t *v;

	json_object_foreach(json_object_get(entry, "machines"), machine, v)
		if (diff_wants_machine(c, machine))
			mask |= errata_of_qemu(c->cat, entry, machine);
	return mask;
}

static uint32_t profile_errata(const struct comparison *c, int of)
{
	const struct abibase_profile *p = c->p[of];
	uint32_t mask = errata_of_kernel(c->cat, p->root);

	for (size_t i = 0; i < p->n_qemu; i++)
		mask |= qemu_errata(c, p->qemu[i].json);
	return mask;
}

/* By version: it is told of one or of both, and is no difference. */
static void add_errata(struct comparison *c, const uint32_t masks[2])
{
	for (size_t i = 0; i < c->cat->n_errata; i++) {
		const struct erratum *e = &c->cat->errata[i];
		bool has[2] = { masks[0] >> i & 1, masks[1] >> i & 1 };
		struct diff_item *item;
		struct buf b = { 0 };

		if (!has[0] && !has[1])
			continue;
		buf_printf(&b, "%s%s%s: ", has[0] ? c->label[0] : "", has[0] && has[1] ? ", " : "",
			   has[1] ? c->label[1] : "");
		erratum_write(e, &b);
		buf_puts(&b, ": ");
		erratum_write_remedy(e, &b);
		item = diff_add(c, DIFF_CONTEXT, false, keep(c, "errata.%s", e->id));
		item->counts = false;
		item->a = has[0] ? "yes" : "no";
		item->b = has[1] ? "yes" : "no";
		item->text = keep_words(c, &b);
	}
}

/* ------------------------------------------------------------------ the object */

static const char *const letters[] = { "A", "B" };

static void name_profiles(struct comparison *c)
{
	bool same = streq(c->p[0]->name, c->p[1]->name);

	for (int i = 0; i < 2; i++) {
		c->label[i] = same ? letters[i] : c->p[i]->name;
		c->d->of[i].name = keep(c, "%s", c->p[i]->name);
		c->d->of[i].digest = keep(c, "%s", c->p[i]->digest);
		c->d->of[i].revision = c->p[i]->revision;
	}
}

static int rank(const struct diff_item *item)
{
	if (item->guest_visible)
		return 0;
	return item->kind == DIFF_CONTEXT ? 2 : 1;
}

static int cmp_item(const void *a, const void *b)
{
	const struct diff_item *x = a, *y = b;

	if (rank(x) != rank(y))
		return rank(x) - rank(y);
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static void sort_items(struct diff *d)
{
	if (d->n)
		qsort(d->items, d->n, sizeof(*d->items), cmp_item);
}

static int compare_profiles(struct comparison *c)
{
	const struct abibase_profile *a = c->p[0], *b = c->p[1];
	struct diff *ret = c->d;

	memset(ret, 0, sizeof(*ret));
	name_profiles(c);
	if (!streq(a->arch, b->arch))
		add_values(c, DIFF_ARCH, true, "arch", "arch:", a->arch, b->arch);
	each_key(c, NULL, a->facts, b->facts, diff_fact);
	diff_qemus(c);
	if (!c->guest || c->all)
		diff_context(c);
	add_errata(c, (const uint32_t[]){ profile_errata(c, 0), profile_errata(c, 1) });
	sort_items(ret);
	if (!ret->arena.failed && !c->error)
		return 0;
	diff_clear(ret);
	return c->error ? c->error : -ENOMEM;
}

int diff_profiles(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		  const struct abibase_profile *a, const struct abibase_profile *b,
		  unsigned int flags, struct diff *ret)
{
	struct comparison c = {
		.ctx = ctx, .d = ret, .cat = cat, .p = { a, b }, .all = flags & ABIBASE_DIFF_ALL
	};

	return compare_profiles(&c);
}

void diff_clear(struct diff *d)
{
	arena_clear(&d->arena);
	free(d->items);
}

/* --------------------------------------------------------------- two baselines */

/*
 * To a guest a baseline is what it is offered, so the words are compared, bit by bit, on the
 * backends that both are for. What only one has decides which way a running guest can go. Each of
 * the lists is of words, or NULL.
 */
struct two {
	struct comparison c;
	const struct abibase_baseline *b[2];
	struct links links[2];
	const char *only[2];	 /* features that only this one offers */
	const char *required[2]; /* requirements that only here are met */
	const char *backends[2]; /* backends that only this one is for */
	const char *machine;	 /* how the machines differ */
	const char *layout;	 /* what else of the device differs, but for sizes */
	const char *untold;	 /* what one of them has of it is not known */
	const char *larger[2];	 /* sizes that are larger here than the other one's QEMUs take */
	const char *sizes;	 /* those that no QEMU of the other one checks */
	bool unknown;		 /* one of them offers what is not known */
};

static void list_add(struct two *t, const char **list, const char *words)
{
	*list = *list ? keep(&t->c, "%s, %s", *list, words) : words;
}

static void diff_machine_name(struct two *t, enum diff_kind kind, const char *subject,
			      const char *a, const char *b)
{
	if (same_text(a, b))
		return;
	add_values(&t->c, kind, true, subject, keep(&t->c, "%s:", subject), a, b);
	if (a && b)
		list_add(t, &t->machine, keep(&t->c, "%s is %s in A and %s in B", subject, a, b));
}

/* Which of the two is for a backend at all is part of what they promise. */
static void diff_backends(struct two *t, int i)
{
	for (size_t k = 0; k < t->b[i]->n_offers; k++) {
		const char *name = t->b[i]->in.backends[t->b[i]->offers[k].backend];

		if (baseline_offer(t->b[!i], name))
			continue;
		add_lack(&t->c, DIFF_BACKEND, false, keep(&t->c, "backends.%s", name), !i,
			 "backends", name);
		list_add(t, &t->backends[i], keep(&t->c, "%s", name));
	}
}

/* The value of a bit, which means another feature to another device; @backends tell. */
static const struct value *value_of_bit(const struct two *t, int which, int bit,
					unsigned int backends)
{
	const struct abibase_baseline *b = t->b[which];

	for (size_t i = 0; i < b->n_values; i++) {
		const struct row *row = t->links[which].rows[i];

		if (b->values[i].bit == bit && (!row || row->backends & backends))
			return &b->values[i];
	}
	return NULL;
}

/* How a bit is called: by a value of one of the two, by the catalogue, or by its number. */
static void name_bit(struct two *t, int bit, unsigned int backends, const char **ret_subject,
		     const char **ret_feature)
{
	const struct value *a = value_of_bit(t, 0, bit, backends);
	const struct value *v = a ? a : value_of_bit(t, 1, bit, backends);
	const struct row *row = v ? NULL : catalogue_bit(t->c.cat, bit, backends);
	const struct requirement *q = catalogue_bit_required(t->c.cat, bit, backends);
	const char *feature = v ? v->feature : row ? row->feature : q ? q->feature : NULL;

	*ret_subject = v   ? keep(&t->c, "%s.%s", v->class_name, v->property) :
		       row ? keep(&t->c, "%s", row->key) :
			     keep(&t->c, "bit.%d", bit);
	*ret_feature = feature ? feature : "a feature without a name";
}

static void add_offer_bit(struct two *t, int bit, unsigned int backends, int has)
{
	const char *subject, *feature;
	struct diff_item *item;

	name_bit(t, bit, backends, &subject, &feature);
	item = diff_add(&t->c, DIFF_VALUE, true, subject);
	item->side = has ? DIFF_A_LACKS : DIFF_B_LACKS;
	item->a = has ? "off" : "on";
	item->b = has ? "on" : "off";
	item->text = keep(&t->c, "%s: %s in A, %s in B: %s (bit %d)", subject, item->a, item->b,
			  feature, bit);
	list_add(t, &t->only[has], keep(&t->c, "%s (bit %d)", feature, bit));
}

/* Once for each device, however many of its backends differ. */
static void add_offer_bits(struct two *t, int bit, const unsigned int only[2])
{
	unsigned int done = 0;

	for (size_t be = 0; be < t->c.cat->n_backends; be++) {
		unsigned int device = catalogue_device_of(t->c.cat, be);

		for (int i = 0; i < 2 && !(done & device); i++)
			if (only[i] & device)
				add_offer_bit(t, bit, device, i);
		done |= device;
	}
}

static void diff_offers(struct two *t)
{
	for (int bit = 0; bit < 128; bit++) {
		unsigned int only[2] = { 0, 0 };

		for (size_t k = 0; k < t->b[0]->n_offers; k++) {
			const struct offer *a = &t->b[0]->offers[k];
			const char *name = t->b[0]->in.backends[a->backend];
			const struct offer *b = baseline_offer(t->b[1], name);
			int be = catalogue_backend(t->c.cat, name);

			if (!b || !a->known || !b->known ||
			    word_has(a->word, bit) == word_has(b->word, bit))
				continue;
			only[word_has(b->word, bit)] |=
				be < 0 ? ~0u : catalogue_device_of(t->c.cat, (size_t)be);
		}
		add_offer_bits(t, bit, only);
	}
}

static const char *unset_word(const struct value *v)
{
	return v->is_number ? "not set" : "off";
}

/* Numbers, of A's values; and all that has a bit where it is not known what would be offered. */
static void diff_setting(struct two *t, int i, const struct value *v, const struct row *row)
{
	const struct value *other =
		row ? t->links[!i].values[row - t->c.cat->rows] :
		      baseline_value(t->b[!i], v->class_name, v->property);
	const char *key = keep(&t->c, "%s.%s", v->class_name, v->property);
	const char *place = keep(&t->c, "%s:", key);

	if (!i && v->is_number && other && other->number != v->number)
		add_values(&t->c, DIFF_VALUE, true, key, place, v->text, other->text);
	if (!v->on || (other && other->on) || !t->unknown)
		return;
	add_values(&t->c, DIFF_VALUE, true, key, place, i ? unset_word(v) : v->text,
		   i ? v->text : unset_word(v));
	list_add(t, &t->only[i], key);
}

static void diff_settings(struct two *t, int i)
{
	for (size_t k = 0; k < t->b[i]->n_values; k++)
		if (t->b[i]->values[k].bit >= 0)
			diff_setting(t, i, &t->b[i]->values[k], t->links[i].rows[k]);
}

/* ------------------------------------------------------- what no feature word shows */

static bool is_about(const struct two *t, int i, const struct row *row)
{
	for (size_t k = 0; k < t->b[i]->n_offers; k++) {
		const char *name = t->b[i]->in.backends[t->b[i]->offers[k].backend];
		int be = catalogue_backend(t->c.cat, name);

		if (be >= 0 && row->backends & (1u << be))
			return true;
	}
	return false;
}

/* What a file of a host makes of it may be known of some only. */
static bool is_seen_by_all(const struct two *t, int i, const struct row *row)
{
	for (size_t u = 0; row->observed && u < t->b[i]->n_used; u++) {
		struct effective e;

		baseline_effective(t->c.cat, t->b[i], u, row, &e);
		if (!e.value)
			return false;
	}
	return true;
}

/* What the list sets, or what the QEMUs have by themselves, which is then the same; NULL: unknown. */
static const char *word_in(struct two *t, int i, const struct row *row)
{
	const struct value *set = t->links[i].values[row - t->c.cat->rows];

	if (set || !is_seen_by_all(t, i, row))
		return set ? set->text : NULL;
	return words_of(&t->c, baseline_seen(t->c.cat, t->b[i], row));
}

static const struct shape *shape_of(const struct two *t, const struct row *row)
{
	for (size_t i = 0; row->shape_name && i < t->c.cat->n_shapes; i++)
		if (streq(t->c.cat->shapes[i].name, row->shape_name))
			return &t->c.cat->shapes[i];
	return NULL;
}

/* Does a QEMU of this baseline hold what comes in against its own size? */
static bool checks(const struct abibase_baseline *b, const struct shape *s)
{
	for (size_t u = 0; u < b->n_used; u++) {
		struct qemu_view view;

		qemu_view_init(&view, NULL, baseline_entry(b, u), b->machine);
		if (!view.entry || version_cmp(&view.version, &s->checked_since) >= 0)
			return true;
	}
	return false;
}

/* Something that has another value: a size (of shape @s), or what makes another device of it. */
static void differs_unseen(struct two *t, const char *subject, const struct shape *s,
			   const char *const word[2])
{
	const char **list = &t->layout;

	subject = keep(&t->c, "%s", subject);
	add_values(&t->c, DIFF_VALUE, true, subject, keep(&t->c, "%s:", subject), word[0], word[1]);
	if (!word[0] || !word[1])
		return list_add(t, &t->untold, subject);
	if (s) {
		int larger = strtoll(word[1], NULL, 10) > strtoll(word[0], NULL, 10);

		list = checks(t->b[!larger], s) ? &t->larger[larger] : &t->sizes;
	}
	list_add(t, list, keep(&t->c, "%s is %s in A and %s in B", subject, word[0], word[1]));
}

/* The largest that a build makes of it, whatever is set; -1: not known. */
static int64_t largest_of(const struct abibase_baseline *b, const struct shape *s)
{
	int64_t most = -1;

	for (size_t u = 0; u < b->n_used; u++) {
		const json_t *entry = baseline_entry(b, u);
		int64_t size = qemu_recorded_size(entry, b->machine, s->recorded);
		struct qemu_view view;

		qemu_view_init(&view, NULL, entry, b->machine);
		if (size < 0 && entry)
			size = shape_value(s, &view.version);
		most = size > most ? size : most;
	}
	return most;
}

static void diff_shapes(struct two *t)
{
	for (size_t i = 0; i < t->c.cat->n_shapes; i++) {
		const struct shape *s = &t->c.cat->shapes[i];
		int64_t size[2] = { largest_of(t->b[0], s), largest_of(t->b[1], s) };
		const char *word[2];

		if (size[0] < 0 || size[1] < 0 || size[0] == size[1])
			continue;
		for (int k = 0; k < 2; k++)
			word[k] = keep(&t->c, "%lld", (long long)size[k]);
		differs_unseen(t, s->name, s, word);
	}
}

/* The same to a guest; only one of them keeps it so when a package changes, which is another list. */
static void pinned_or_not(struct two *t, const struct row *row)
{
	static const char *const words[] = { "not set", "set" };
	bool set[2];

	for (int i = 0; i < 2; i++)
		set[i] = t->links[i].values[row - t->c.cat->rows];
	if (set[0] != set[1])
		add_values(&t->c, DIFF_VALUE, false, keep(&t->c, "%s", row->key),
			   keep(&t->c, "%s:", row->key), words[set[0]], words[set[1]]);
}

static void diff_unseen(struct two *t)
{
	for (size_t r = 0; r < t->c.cat->n_rows; r++) {
		const struct row *row = &t->c.cat->rows[r];
		const char *word[2];

		if (!row_is_silent(row) || !is_about(t, 0, row) || !is_about(t, 1, row))
			continue;
		for (int i = 0; i < 2; i++)
			word[i] = word_in(t, i, row);
		if (same_text(word[0], word[1]))
			pinned_or_not(t, row);
		else if ((word[0] && word[1]) || row->boolean || row->number)
			differs_unseen(t, row->key, shape_of(t, row), word);
	}
}

static const struct met *find_met(const struct abibase_baseline *b, const char *name)
{
	for (size_t i = 0; i < b->n_requirements; i++)
		if (streq(b->requirements[i].name, name))
			return &b->requirements[i];
	return NULL;
}

/* One with a feature bit, which no property masks, decides the layout of the PCI device. */
static bool is_layout(const struct two *t, const char *name)
{
	const struct requirement *q = catalogue_requirement(t->c.cat, name);

	return q && q->bit >= 0;
}

static void diff_requirement(struct two *t, const char *name)
{
	static const char *const tri[] = { [ABIBASE_NO] = "no",
					   [ABIBASE_YES] = "yes",
					   [ABIBASE_UNKNOWN] = "not known" };
	const struct met *m[2] = { find_met(t->b[0], name), find_met(t->b[1], name) };
	const char *text = keep(&t->c, "%s", (m[0] ? m[0] : m[1])->text);
	int has;

	if (m[0] && m[1] && m[0]->met == m[1]->met)
		return;
	add_values(&t->c, DIFF_REQUIREMENT, m[0] && m[1], keep(&t->c, "requirements.%s", name),
		   keep(&t->c, "required of every host: %s (%s):", text, name),
		   m[0] ? tri[m[0]->met] : NULL, m[1] ? tri[m[1]->met] : NULL);
	if (!m[0] || !m[1] || m[0]->met == ABIBASE_UNKNOWN || m[1]->met == ABIBASE_UNKNOWN)
		return;
	has = m[1]->met == ABIBASE_YES;
	if (is_layout(t, name))
		list_add(t, &t->layout, keep(&t->c, "\"%s\" holds in %s and not in %s", text,
					     t->c.label[has], t->c.label[!has]));
	else
		list_add(t, &t->required[has], text);
}

static void diff_requirements(struct two *t)
{
	for (size_t i = 0; i < t->b[0]->n_requirements; i++)
		diff_requirement(t, t->b[0]->requirements[i].name);
	for (size_t i = 0; i < t->b[1]->n_requirements; i++)
		if (!find_met(t->b[0], t->b[1]->requirements[i].name))
			diff_requirement(t, t->b[1]->requirements[i].name);
}

static int cmp_host(const void *name, const void *host)
{
	return strcmp(name, (*(struct host *const *)host)->name);
}

/* Each host that only one of them was made for. */
static void diff_hosts(struct two *t, int i)
{
	const struct inputs *in = &t->b[i]->in, *other = &t->b[!i]->in;
	const char *only = keep(&t->c, "hosts: only in %s:", t->c.label[i]);

	for (size_t k = 0; k < in->n_hosts; k++) {
		const char *name = keep(&t->c, "%s", in->hosts[k]->name);
		struct diff_item *item;

		if (other->n_hosts && bsearch(name, other->hosts, other->n_hosts,
					      sizeof(*other->hosts), cmp_host))
			continue;
		item = diff_add(&t->c, DIFF_CONTEXT, false, "hosts");
		item->side = i ? DIFF_A_LACKS : DIFF_B_LACKS;
		item->text = keep(&t->c, "%s %s", only, name);
		*(i ? &item->b : &item->a) = name;
		diff_set_among(item, only, name);
	}
}

static const char *policy_words(struct two *t, const struct policy *p)
{
	struct buf b = { 0 };

	buf_puts(&b, p->all ? "all" : "compatible");
	for (size_t i = 0; i < p->enable.n; i++)
		buf_printf(&b, ", enable %s", p->enable.s[i]);
	for (size_t i = 0; i < p->disable.n; i++)
		buf_printf(&b, ", disable %s", p->disable.s[i]);
	return keep_words(&t->c, &b);
}

static void diff_policy(struct two *t)
{
	const char *a = policy_words(t, &t->b[0]->in.policy);
	const char *b = policy_words(t, &t->b[1]->in.policy);

	if (!streq(a, b))
		add_values(&t->c, DIFF_CONTEXT, false, "policy", "policy:", a, b);
}

/* Does a migration from @from to the other one work, and can the guest go back? In words. */
static const char *judge_move(struct two *t, int from, enum abibase_verdict *works, bool *one_way)
{
	struct comparison *c = &t->c;
	const char *here = letters[from], *there = letters[!from];
	const char *lost = t->only[from], *gained = t->only[!from];

	*works = ABIBASE_VERDICT_NO;
	if (t->machine)
		return keep(c, "does not work: %s, and QEMU takes no stream of another machine; a "
			       "guest changes over with a power cycle", t->machine);
	if (t->unknown) {
		*works = ABIBASE_VERDICT_UNKNOWN;
		return "cannot tell: one of them is no baseline that its hosts share";
	}
	if (t->required[from])
		return keep(c, "is refused whatever the guest negotiated: \"%s\" holds in %s and not "
			       "in %s, and no property can mask it", t->required[from], here, there);
	if (t->layout)
		return keep(c, "is refused whatever the guest negotiated, or shows it another device: "
			       "%s", t->layout);
	if (t->larger[from])
		return keep(c, "is refused by a QEMU of %s that holds what comes in against its own "
			       "size: %s", there, t->larger[from]);
	if (lost)
		return keep(c, "is refused for a guest that negotiated any of %s: %s does not offer it; "
			       "a guest that took none moves, and every guest does after a power "
			       "cycle with the list of %s", lost, there, there);
	*works = t->untold ? ABIBASE_VERDICT_UNKNOWN : ABIBASE_VERDICT_YES;
	if (t->untold)
		return keep(c, "cannot tell: what one of them makes of %s is not recorded",
			    t->untold);
	*one_way = gained || t->required[!from] || t->larger[!from];
	if (gained || t->required[!from])
		return keep(c, "works, and is a one-way door: %s offers more, so from its next reset "
			       "there the guest can have %s, and then the way back to %s is shut",
			    there, gained ? gained : t->required[!from], here);
	if (t->larger[!from])
		return keep(c, "works, and is a one-way door: from its next reset there the guest has "
			       "larger queues, and then the way back to %s is shut: %s", here,
			    t->larger[!from]);
	if (t->sizes)
		return keep(c, "works, and so does the way back; from its next reset there the guest "
			       "has other queues: %s", t->sizes);
	return "works, and so does the way back: a guest sees no difference";
}

/* What happens to a guest that was started with @from and is migrated to the other. */
static void tell_move(struct two *t, int from)
{
	struct diff *d = t->c.d;
	const char *text = judge_move(t, from, &d->moves[from].works, &d->moves[from].one_way_door);

	if (t->backends[from])
		text = keep(&t->c, "%s; of a guest on %s nothing is promised: %s is not for it",
			    text, t->backends[from], letters[!from]);
	d->moves[from].text = keep(&t->c, "from %s to %s: %s", letters[from], letters[!from], text);
}

static bool is_same(const struct diff *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].counts)
			return false;
	return true;
}

struct promised {
	const struct two *t;
	int i;
};

static bool is_promised(const void *of, size_t row)
{
	const struct promised *p = of;
	const struct value *v = p->t->links[p->i].values[row];

	return v && v->on;
}

/* Of its QEMUs, where what it sets has to do with it: a baseline does not have the kernels. */
static uint32_t baseline_errata(const struct two *t, int i)
{
	const struct abibase_catalogue *cat = t->c.cat;
	const struct promised p = { t, i };
	uint32_t mask = 0;

	for (size_t u = 0; u < t->b[i]->n_used; u++)
		mask |= errata_of_qemu(cat, baseline_entry(t->b[i], u), t->b[i]->machine);
	for (size_t e = 0; e < cat->n_errata; e++)
		if (!erratum_matters(&cat->errata[e], is_promised, &p))
			mask &= ~(UINT32_C(1) << e);
	return mask;
}

/* Whatever it is that makes two of them: the same in all that counts is one baseline. */
static void diff_ids(struct two *t)
{
	const char *a = t->c.d->of[0].id, *b = t->c.d->of[1].id;

	if (!is_same(t->c.d) || !a || !b || streq(a, b))
		return;
	add_values(&t->c, DIFF_VALUE, false, "id", "id:", a, b);
	list_add(t, &t->untold, "a property that this version does not know");
}

static void compare_baselines(struct two *t)
{
	const struct abibase_baseline *a = t->b[0], *b = t->b[1];
	struct diff *d = t->c.d;

	for (int i = 0; i < 2; i++) {
		t->c.label[i] = letters[i];
		d->of[i].id = t->b[i]->id ? keep(&t->c, "%s", t->b[i]->id) : NULL;
		d->of[i].machine = t->b[i]->machine ? keep(&t->c, "%s", t->b[i]->machine) : NULL;
		t->unknown |= t->b[i]->verdict != ABIBASE_VERDICT_YES;
		link_values(t->c.cat, t->b[i], &d->arena, &t->links[i]);
	}
	if (d->arena.failed)
		return;
	diff_machine_name(t, DIFF_ARCH, "arch", a->arch, b->arch);
	diff_machine_name(t, DIFF_ARCH, "target", a->target, b->target);
	diff_machine_name(t, DIFF_MACHINE, "machine", a->machine, b->machine);
	for (int i = 0; i < 2; i++)
		diff_backends(t, i);
	if (!t->unknown)
		diff_offers(t);
	for (int i = 0; i < 2; i++)
		diff_settings(t, i);
	if (a->machine && same_text(a->machine, b->machine)) {
		diff_unseen(t);
		diff_shapes(t);
	}
	diff_requirements(t);
	for (int i = 0; i < 2 && !a->no_inputs && !b->no_inputs; i++)
		diff_hosts(t, i);
	diff_policy(t);
	diff_ids(t);
	add_errata(&t->c, (const uint32_t[]){ baseline_errata(t, 0), baseline_errata(t, 1) });
	sort_items(d);
	for (int i = 0; i < 2; i++)
		tell_move(t, i);
}

/* ------------------------------------------------------------- what was compared */

static bool is_stated(const struct abibase_profile *p, const char *fact)
{
	return !is_unknown(json_object_get(p->facts, fact));
}

static bool has_values(const struct abibase_profile *p)
{
	for (size_t i = 0; i < p->n_qemu; i++)
		if (json_object_get(p->qemu[i].json, "values"))
			return true;
	return false;
}

/* The layers and devices of facts that both state, and the QEMUs where both have some. */
static json_t *profiles_scope(const struct abibase_catalogue *cat, const struct abibase_profile *a,
			      const struct abibase_profile *b, const struct diff *d,
			      unsigned int backends)
{
	json_t *scope = scope_new();

	scope_add(&scope, "evidence", "record");
	if (d->newer)
		scope_add(&scope, "evidence", "newer-build");
	if (d->rehearsed)
		scope_add(&scope, "evidence", "rehearsal");
	scope_add(&scope, a->n_qemu && b->n_qemu ? "layers" : "not_compared", "QEMU");
	scope_add(&scope,
		  d->records || (has_values(a) && has_values(b)) ? "layers" : "not_compared",
		  "machine type");
	for (size_t i = 0; i < cat->n_conditions; i++) {
		const struct condition *c = &cat->conditions[i];

		if (!(c->backends & backends) || !is_stated(a, c->fact) || !is_stated(b, c->fact))
			continue;
		scope_add_devices(&scope, cat, c->backends & backends);
		scope_add(&scope, "layers", c->layer);
	}
	return scope;
}

/* What both look at; what one alone looks at was not compared. */
static json_t *baselines_scope(const struct abibase_baseline *a, const struct abibase_baseline *b)
{
	static const char *const compared[] = { "devices", "layers" };
	json_t *scope = scope_new();
	json_auto_t *x = baseline_scope(a), *y = baseline_scope(b);
	const json_t *of[2] = { x, y };
	size_t n;
	json_t *v;

	for (int i = 0; i < 2; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(compared); k++)
			json_array_foreach(json_object_get(of[i], compared[k]), n, v) {
				const char *word = json_string_value(v);
				bool both = json_has(json_object_get(of[!i], compared[k]), word);

				scope_add(&scope, both ? compared[k] : "not_compared", word);
			}
		json_array_foreach(json_object_get(of[i], "evidence"), n, v)
			scope_add(&scope, "evidence", json_string_value(v));
	}
	return scope;
}

/* ---------------------------------------------------------------- as documents */

static json_t *profile_json(const struct diff *d, int i)
{
	return json_pack("{s:s, s:s, s:o*}", "name", d->of[i].name, "digest", d->of[i].digest,
			 "revision",
			 d->of[i].revision ? json_integer(d->of[i].revision) : NULL);
}

static json_t *baseline_json(const struct diff *d, int i)
{
	return json_pack("{s:s?, s:s?}", "baseline", d->of[i].id, "machine", d->of[i].machine);
}

static const char *const ways[] = { "a-to-b", "b-to-a" };

static json_t *move_json(const struct diff *d, int from)
{
	return json_pack("{s:s, s:b, s:s, s:s}", "direction", ways[from],
			 "one_way_door", d->moves[from].one_way_door, "text", d->moves[from].text,
			 "works", verdict_words[d->moves[from].works]);
}

static json_t *open_json(const struct diff_item *item)
{
	const char *open[ARRAY_SIZE(ways)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (item->open >> i & 1)
			open[n++] = ways[i];
	return json_strings(open, n);
}

static json_t *item_json(const struct diff_item *item)
{
	static const char *const kinds[] = {
		[DIFF_ARCH] = "arch",		[DIFF_FACT] = "fact",
		[DIFF_VALUE] = "value",		[DIFF_QEMU] = "qemu",
		[DIFF_MACHINE] = "machine",	[DIFF_PROPERTY] = "property",
		[DIFF_CONTEXT] = "context",	[DIFF_REQUIREMENT] = "requirement",
		[DIFF_BACKEND] = "backend",
	};

	return json_pack("{s:s?, s:s?, s:b, s:b, s:s, s:s, s:s, s:s*, s:s*, s:o*, s:o*}", "a",
			 item->a, "b",
			 item->b, "counts", item->counts, "guest_visible", item->guest_visible,
			 "kind", kinds[item->kind], "subject", item->subject, "text", item->text,
			 "among", item->among, "name", item->name, "judged",
			 item->judged ? json_strings(item->judged, item->n_judged) : NULL,
			 "not_judged", item->judged ? open_json(item) : NULL);
}

/* NULL for want of memory; json_pack() takes all the references, also when it fails. */
static json_t *make_document(const struct diff *d, json_t *scope)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < d->n; i++)
		if (json_array_append_new(list, item_json(&d->items[i])) < 0) {
			json_decref(list);
			list = NULL;
		}
	if (d->baselines)
		return json_pack("{s:s, s:o, s:o, s:[o, o], s:o, s:b, s:o}", "schema",
				 "abibase-diff/1", "a", baseline_json(d, 0), "b",
				 baseline_json(d, 1), "consequences", move_json(d, 0),
				 move_json(d, 1), "differences", list, "same", is_same(d), "scope",
				 scope);
	return json_pack("{s:s, s:o, s:o, s:o, s:o*, s:b, s:o}", "schema", "abibase-diff/1", "a",
			 profile_json(d, 0), "b", profile_json(d, 1), "differences", list,
			 "records", d->records ? json_true() : NULL, "same", is_same(d), "scope", scope);
}

/* ------------------------------------------------------------------ as a page */

/* Names of differences by what they have in common; NULL: no memory. */
static json_t *names_among(const json_t *list)
{
	json_t *groups = json_object(), *v;
	size_t i;

	json_array_foreach((json_t *)list, i, v) {
		const char *among = string_of(v, "among");

		if (!among)
			continue;
		if (!json_object_get(groups, among))
			json_object_set_new(groups, among, json_array());
		if (json_array_append(json_object_get(groups, among), json_object_get(v, "name")) <
		    0) {
			json_decref(groups);
			return NULL;
		}
	}
	return groups;
}

/* A line; or one for all that is told with it, where the first of them stands. */
static void show_item(struct page *p, const json_t *item, json_t *groups)
{
	const char *among = string_of(item, "among");
	const json_t *names = among ? json_object_get(groups, among) : NULL;
	_buf_ text = { 0 };

	if (among && !names)
		return;
	page_names(&text, names);
	if (json_array_size(names) > 1)
		show_printf(&p->out, 2, 4, "%s %s", among, text.data ? text.data : "");
	else
		show_printf(&p->out, 2, 4, "%s", string_of(item, "text"));
	p->failed |= buf_failed(&text);
	if (among)
		json_object_del(groups, among);
}

static void show_items(struct page *p, const json_t *list)
{
	static const char *const headings[] = { "A guest can see", "Other", "Context" };
	json_auto_t *groups = names_among(list);
	size_t i, last = ARRAY_SIZE(headings);
	json_t *v;

	p->failed |= !groups;
	json_array_foreach((json_t *)list, i, v) {
		bool seen = json_is_true(json_object_get(v, "guest_visible"));
		size_t rank = seen ? 0 : streq(string_of(v, "kind"), "context") ? 2 : 1;

		if (rank != last)
			page_say(p, 2, "%s%s:", headings[rank],
				 json_is_true(json_object_get(v, "counts")) ? "" : " (does not count)");
		last = rank;
		show_item(p, v, groups);
	}
}

static size_t count_true(const json_t *list, const char *member)
{
	size_t i, n = 0;
	json_t *v;

	json_array_foreach((json_t *)list, i, v)
		n += json_is_true(json_object_get(v, member));
	return n;
}

/* How the two are called, where they do not have one name. */
static const char *called(const json_t *root, const char *which)
{
	const char *a = string_of(json_object_get(root, "a"), "name");
	const char *b = string_of(json_object_get(root, "b"), "name");

	return same_text(a, b) ? (*which == 'a' ? "A" : "B") : *which == 'a' ? a : b;
}

/* They say what differs, and never that all is the same. */
static bool has_records(const json_t *root)
{
	return json_object_get(root, "records");
}

static void show_verdict(struct page *p, const json_t *root)
{
	const json_t *list = json_object_get(root, "differences");
	size_t seen = count_true(list, "guest_visible");
	_buf_ n = { 0 }, of_guest = { 0 };

	if (json_is_true(json_object_get(root, "same"))) {
		page_say(p, 2, has_records(root) ?
				       "yes: no difference that counts is known between %s and %s" :
				       "yes: %s and %s are the same in all that counts",
			 called(root, "a"), called(root, "b"));
		return;
	}
	page_count(&n, count_true(list, "counts"), "difference counts", "differences count");
	page_count(&of_guest, seen, "", "");
	page_say(p, 2, "no: %s between %s and %s; %s%s", n.data ? n.data : "", called(root, "a"),
		 called(root, "b"),
		 seen		   ? "a guest can see " :
		 has_records(root) ? "none is known that a guest can see" :
				     "a guest can see none",
		 seen && of_guest.data ? of_guest.data : "");
	p->failed |= buf_failed(&n) || buf_failed(&of_guest);
}

/* What a baseline that is called by a letter is. */
static void show_baseline(struct page *p, const char *letter, const json_t *o)
{
	const char *id = string_of(o, "baseline"), *machine = string_of(o, "machine");

	page_say(p, 2, "%s is %s%s%s", letter, id ? id : "no baseline", machine ? ": " : "",
		 machine ? machine : "");
}

static int show(const json_t *root, size_t width, char **ret)
{
	const json_t *moves = json_object_get(root, "consequences");
	struct page p;
	size_t i;
	json_t *v;

	page_begin(&p, width);
	show_verdict(&p, root);
	if (moves) {
		show_baseline(&p, "A", json_object_get(root, "a"));
		show_baseline(&p, "B", json_object_get(root, "b"));
	}
	show_items(&p, json_object_get(root, "differences"));
	if (json_is_true(json_object_get(root, "same")))
		moves = NULL;
	if (moves)
		page_say(&p, 2, "A migration of a running guest:");
	json_array_foreach((json_t *)moves, i, v)
		show_printf(&p.out, 2, 4, "%s", string_of(v, "text"));
	page_end(&p, json_object_get(root, "scope"),
		 json_object_get(root, "consequences") ?
			 "explain BASELINE, abibase targets GUEST HOST" :
		 has_records(root) ? "rehearse, abibase check BASELINE PROFILE" :
				     "check BASELINE PROFILE");
	return page_give(&p, ret);
}

/* ---------------------------------------------------------------------- public calls */

/* Clears @d, and takes @scope. */
static int finish(struct abibase_context *ctx, struct diff *d, json_t *scope,
		  struct abibase_result **ret)
{
	struct abibase_result made = {
		.verdict = is_same(d) ? ABIBASE_VERDICT_YES : ABIBASE_VERDICT_NO,
		.root = make_document(d, scope),
		.show = show,
	};

	diff_clear(d);
	return result_give(ctx, &made, ret);
}

static int check_flags(struct abibase_context *ctx, unsigned int flags)
{
	if (!(flags & ~(unsigned int)ABIBASE_DIFF_ALL))
		return 0;
	return context_fail(ctx, EINVAL, "usage", NULL, "unknown flags: 0x%x", flags);
}

ABIBASE_EXPORT int abibase_diff(struct abibase_context *ctx, const struct abibase_catalogue *cat,
				const struct abibase_profile *a, const struct abibase_profile *b,
				unsigned int flags, struct abibase_result **ret)
{
	struct diff d;
	int r = check_flags(ctx, flags);

	if (r < 0)
		return r;
	r = diff_profiles(ctx, cat, a, b, flags, &d);
	if (r < 0)
		return r == -ENOMEM ? context_oom(ctx) : r;
	return finish(ctx, &d, profiles_scope(cat, a, b, &d, ~0u), ret);
}

ABIBASE_EXPORT int abibase_diff_guest(struct abibase_context *ctx,
				      const struct abibase_catalogue *cat,
				      const struct abibase_guest *g, const struct abibase_profile *a,
				      const struct abibase_profile *b, unsigned int flags,
				      struct abibase_result **ret)
{
	struct guest_classes classes;
	struct diff d;
	struct comparison c = { .ctx = ctx, .d = &d, .cat = cat, .p = { a, b },
				.all = flags & ABIBASE_DIFF_ALL, .guest = g, .classes = &classes };
	int r = check_flags(ctx, flags);
	bool named;

	if (r == 0)
		r = guest_classes_find(ctx, g, &classes);
	if (r < 0)
		return r;
	c.backends = guest_backends(cat, g, &named);
	r = compare_profiles(&c);
	if (r == -ENOMEM)
		context_oom(ctx);
	if (r == 0) {
		json_t *scope = profiles_scope(cat, a, b, &d, c.backends);

		diff_guest_scope(g, &classes, d.records, &scope);
		r = finish(ctx, &d, scope, ret);
	}
	guest_classes_clear(&classes);
	return r;
}

ABIBASE_EXPORT int abibase_diff_baselines(struct abibase_context *ctx,
					  const struct abibase_catalogue *cat,
					  const struct abibase_baseline *a,
					  const struct abibase_baseline *b, unsigned int flags,
					  struct abibase_result **ret)
{
	struct diff d = { .baselines = true };
	struct two t = {
		.c = { .d = &d, .cat = cat, .all = flags & ABIBASE_DIFF_ALL }, .b = { a, b }
	};
	int r = check_flags(ctx, flags);

	for (int i = 0; r == 0 && i < 2; i++)
		if (t.b[i]->verdict != ABIBASE_VERDICT_YES)
			r = baseline_refuse(ctx, t.b[i]);
	if (r < 0)
		return r;
	compare_baselines(&t);
	if (!d.arena.failed)
		return finish(ctx, &d, baselines_scope(a, b), ret);
	diff_clear(&d);
	return context_oom(ctx);
}
