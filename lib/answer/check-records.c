/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "answer/check.h"
#include "answer/records.h"
#include "base/context.h"
#include "document/build.h"
#include "document/page.h"

/*
 * What two builds give another value under the machine type of a guest, and nothing judges: a note. It
 * says what differs; that nothing does is never said.
 */

#define MAX_PROPERTIES 6 /* that are told with their values; the document has all */

/* What was found of two builds, for as long as a context lives: a fleet has few, and thousands of hosts. */
struct notes {
	json_t *pairs; /* by what was asked; "properties" is empty where nothing is to be said */
};

static void notes_clear(void *data)
{
	struct notes *notes = data;

	json_decref(notes->pairs);
}

/* ------------------------------------------------------------------------ two builds */

struct noting {
	const struct records *q;
	struct judges judges;
	unsigned int ways; /* that matter */
	json_t *properties;
	bool failed;
};

static void take(void *data, const struct record_value *v)
{
	struct noting *n = data;
	unsigned int open;
	json_t *by = judges_say(&n->judges, v->machine, v->key, &open);

	n->failed |= !by;
	if (by && open & n->ways)
		n->failed |= json_array_append_new(
				     n->properties,
				     json_pack("{ss ss ss}", "name", v->key, "from", v->value[0],
					       "to", v->value[1])) < 0;
	json_decref(by);
}

static json_t *build_json(const json_t *entry)
{
	return json_pack("{ss ss* ss}", "build", string_of(entry, "build"), "package",
			 string_of(entry, "package"), "version", string_of(entry, "version"));
}

static int make_pair(const struct records *q, unsigned int ways, json_t **ret)
{
	struct noting n = { .q = q, .ways = ways, .properties = json_array() };
	struct records_found found = { .data = &n, .differs = take };
	int r = n.properties ? judges_find(&n.judges, q, ways) : -ENOMEM;

	if (r == 0 && q->record[0] && q->record[1])
		r = records_compare(q, &found);
	if (r < 0 || n.failed) {
		json_decref(n.properties);
		return r < 0 ? r : -ENOMEM;
	}
	*ret = json_pack("{so so so* ss so}", "from", build_json(q->entry[0]), "to",
			 build_json(q->entry[1]), "newer_build", found.newer ? json_true() : NULL,
			 "machine", q->machine, "properties", n.properties);
	return *ret ? 0 : -ENOMEM;
}

static void write_key(const struct records *q, unsigned int ways, struct buf *out)
{
	for (int i = 0; i < 2; i++)
		buf_printf(out, "%s ", string_of(q->entry[i], "build"));
	buf_printf(out, "%s %u ", q->machine, ways);
	if (q->classes)
		json_write_compact(out, q->classes, NULL);
}

static int set_records(struct records *q)
{
	for (int i = 0; i < 2; i++) {
		const struct abibase_build *rec;
		int r = builds_named(q->ctx, q->entry[i], &rec);

		if (r < 0)
			return r;
		q->record[i] = rec ? rec->root : NULL;
	}
	return 0;
}

/* Borrowed of the context. 0 or a negative errno: of all but -ENOMEM the error of the context says it. */
static int find_pair(struct records *q, unsigned int ways, json_t **ret)
{
	struct notes *notes = context_keep(q->ctx, KEPT_NOTES, sizeof(*notes), notes_clear);
	_buf_ key = { 0 };
	int r;

	if (notes && !notes->pairs)
		notes->pairs = json_object();
	write_key(q, ways, &key);
	if (!notes || !notes->pairs || buf_failed(&key))
		return -ENOMEM;
	*ret = json_object_get(notes->pairs, key.data);
	if (*ret)
		return 0;
	r = set_records(q);
	if (r == 0)
		r = make_pair(q, ways, ret);
	return r == 0 ? json_put(notes->pairs, key.data, *ret) : r;
}

/* ---------------------------------------------------------------------------- a note */

/* The texts that @write makes of all properties, each once. NULL: no memory. */
static json_t *all_of(const json_t *pairs, void (*write)(const json_t *property, struct buf *out))
{
	json_t *list = json_array(), *pair, *v;
	size_t i, k;

	json_array_foreach((json_t *)pairs, i, pair)
		json_array_foreach(json_object_get(pair, "properties"), k, v) {
			_buf_ text = { 0 };

			write(v, &text);
			if (list && !buf_failed(&text) && json_has(list, text.data))
				continue;
			if (buf_failed(&text) || json_add(list, json_string(text.data)) < 0) {
				json_decref(list);
				return NULL;
			}
		}
	return list;
}

static void write_name(const json_t *property, struct buf *out)
{
	buf_puts(out, string_of(property, "name"));
}

static void write_class(const json_t *property, struct buf *out)
{
	const char *name = string_of(property, "name");

	buf_add(out, name, strcspn(name, "."));
}

static void write_value(const json_t *property, struct buf *out)
{
	buf_printf(out, "%s (%s, not %s)", string_of(property, "name"), string_of(property, "to"),
		   string_of(property, "from"));
}

/* "3 properties of mch, scsi-hd, vfio-pci"; of a guest each with its values */
static void write_properties(const json_t *pairs, bool of_guest, struct buf *out)
{
	json_auto_t *names = all_of(pairs, write_name);
	json_auto_t *list = all_of(pairs, of_guest ? write_value : write_class);

	out->failed |= !names || !list;
	if (of_guest) {
		page_some(out, list, MAX_PROPERTIES);
		return;
	}
	page_count(out, json_array_size(names), "property of ", "properties of ");
	page_names(out, list);
}

/* Two builds of one version are told apart by their packages. */
static void write_builds(const json_t *pairs, const char *which, const char *other, struct buf *out)
{
	json_auto_t *names = json_array();
	size_t i;
	json_t *pair;

	json_array_foreach((json_t *)pairs, i, pair) {
		const json_t *build = json_object_get(pair, which);
		const char *version = string_of(build, "version");
		const char *package = string_of(build, "package");
		bool same = streq(version, string_of(json_object_get(pair, other), "version"));
		_buf_ name = { 0 };

		buf_printf(&name, "%s%s%s%s", version, same && package ? " (" : "",
			   same && package ? package : "", same && package ? ")" : "");
		out->failed |= buf_failed(&name) ||
			       (!json_has(names, name.data) &&
				json_add(names, json_string(name.data)) < 0);
	}
	page_names(out, names);
}

/* Some pairs with one build of this host */
static void say(struct abibase_check *c, const json_t *pairs, bool of_guest, const char *baseline)
{
	struct finding f = { .kind = ABIBASE_FINDING_NOTE, .id = "record-differs", .layer = "QEMU",
			     .bit = -1 };
	bool newer = false;
	_buf_ text = { 0 };
	size_t i;
	json_t *pair;

	json_array_foreach((json_t *)pairs, i, pair)
		newer |= json_is_true(json_object_get(pair, "newer_build"));
	if (!i)
		return;
	f.remedy = arena_printf(&c->arena,
				"where the guest runs: abibase rehearse --save=FILE%s -- QEMU ARGS...; "
				"on this host: abibase rehearse --load=FILE%s -- QEMU ARGS...",
				baseline, baseline);
	buf_printf(&text, "%s: under %s QEMU ", c->host,
		   string_of(json_array_get(pairs, 0), "machine"));
	write_builds(pairs, "to", "from", &text);
	buf_puts(&text, " has other values than ");
	write_builds(pairs, "from", "to", &text);
	buf_printf(&text, "%s (not judged: rehearse%s): ",
		   of_guest ? " for this guest's devices" : "",
		   newer ? "; of an older build, by what a newer one states" : "");
	write_properties(pairs, of_guest, &text);
	hostcheck_say(c, f, "%s", arena_words(&c->arena, &text));
}

/* The document has each pair once, however many hosts have these builds. */
static void keep(struct abibase_check *c, json_t *pair, json_t *pairs)
{
	_buf_ key = { 0 };

	buf_printf(&key, "%s %s", string_of(json_object_get(pair, "from"), "build"),
		   string_of(json_object_get(pair, "to"), "build"));
	c->arena.failed |= buf_failed(&key) || json_object_set(c->records, key.data, pair) < 0 ||
			   json_array_append(pairs, pair) < 0;
}

/* Two builds; where there is something to be said of them, it is one of @pairs. As find_pair(). */
static int take_pair(struct abibase_check *c, struct records *q, unsigned int ways, json_t *pairs)
{
	const char *from = string_of(q->entry[0], "build"), *to = string_of(q->entry[1], "build");
	json_t *pair;
	int r;

	if (!from || !to || !q->machine || streq(from, to))
		return 0;
	r = find_pair(q, ways, &pair);
	if (r == 0 && json_array_size(json_object_get(pair, "properties")))
		keep(c, pair, pairs);
	return r;
}

int hostcheck_record(struct abibase_check *c, struct records *q)
{
	json_auto_t *pairs = json_array();
	int r = take_pair(c, q, RECORDS_THERE, pairs);

	if (r == 0)
		say(c, pairs, q->classes, "");
	return r;
}

int hostcheck_records(struct abibase_context *ctx, struct abibase_check *c,
		      const struct abibase_catalogue *cat, const struct abibase_baseline *b,
		      const struct abibase_profile *p, const json_t *classes)
{
	struct records q = { .ctx = ctx, .cat = cat, .machine = b->machine, .classes = classes };
	int r = 0;

	for (size_t k = 0; r == 0 && k < p->n_qemu; k++) {
		json_auto_t *pairs = json_array();

		q.entry[1] = p->qemu[k].json;
		for (size_t u = 0; r == 0 && p->qemu[k].record && u < b->n_used; u++) {
			q.entry[0] = baseline_entry(b, u);
			r = take_pair(c, &q, RECORDS_BOTH_WAYS, pairs);
		}
		if (r == 0)
			say(c, pairs, classes, " BASELINE");
	}
	return r;
}

int hostchecks_put_records(json_t *all, json_t *root)
{
	json_t *list, *v;
	const char *key;

	if (!json_object_size(all))
		return all ? 0 : -ENOMEM;
	list = json_array();
	/* copies, because json_incref() reads a count that other threads may be changing */
	json_object_foreach(all, key, v)
		if (list && json_array_append_new(list, json_deep_copy(v)) < 0)
			json_decref(steal(&list));
	return json_object_set_new(root, "not_judged", list) < 0 ? -ENOMEM : 0;
}
