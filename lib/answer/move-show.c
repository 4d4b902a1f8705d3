/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "answer/move.h"
#include "document/page.h"

/* The answer, as a document and for people. */

/* ------------------------------------------------------------------------ as a document */

const char *const move_words[] = { [MOVE_NOW] = "now",
				   [MOVE_LIST] = "list",
				   [MOVE_NO] = "no",
				   [MOVE_UNKNOWN] = "unknown",
				   NULL };
const char *const way_words[] = { [ABIBASE_NO] = "shut",
				  [ABIBASE_YES] = "open",
				  [ABIBASE_UNKNOWN] = "unknown",
				  NULL };

static json_t *strings_json(const struct strings *s)
{
	return json_strings((const char *const *)s->s, s->n);
}

/* With one QEMU; "o" takes the references, also when packing fails. */
static json_t *answer_json(const struct move *m)
{
	return json_pack("{s:s, s:o, s:{s:s*, s:s*, s:s*}, s:o, s:o, s:{s:s, s:s*, s:o, s:o, s:b}}",
			 "verdict", move_words[m->kind], "findings",
			 findings_json(&m->check->findings), "qemu", "version", m->version, "path",
			 m->path, "package", m->package, "rescue", strings_json(&m->rescue),
			 "carry_on", strings_json(&m->carry_on), "way_back", "verdict",
			 way_words[m->way_back], "text", m->way_back_text, "gains",
			 strings_json(&m->gains), "list", strings_json(&m->door), "enough",
			 m->door.n && !m->door_shut);
}

static json_t *move_json(const struct move *m)
{
	json_t *root = answer_json(m), *others = m->n_others ? json_array() : NULL;

	json_object_set_new(root, "host", json_string(m->check->host));
	for (size_t i = 0; i < m->n_others; i++)
		json_array_append_new(others, answer_json(&m->others[i]));
	if (others && json_object_set_new(root, "others", others) < 0) {
		json_decref(root);
		return NULL;
	}
	if (json_array_size(others) == m->n_others && json_object_get(root, "host"))
		return root;
	json_decref(root);
	return NULL;
}

/* What every answer stands on, and no profile can show. */
static const char taken_for_granted[] =
	"the QEMU there is started with the -device options that the guest has where it runs";

/* What the device lies on here and there; nobody says: all that there are for its class. */
static unsigned int looked_at(const struct moves *m, const struct abibase_catalogue *cat,
			      const struct guest_device *d)
{
	const char *names[] = { d->backend, m->backend };
	bool optional = guest_states(d, GUEST_VHOST_OPTIONAL) == ABIBASE_YES;
	unsigned int mask = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int be = move_choose_backend(cat, d, names[i]);

		if (be >= 0)
			mask |= 1u << be | (optional ? guest_without_vhost(cat, be) : 0);
	}
	return mask ? mask : move_backends_of(cat, d);
}

static json_t *scope(const struct moves *m, const struct abibase_catalogue *cat)
{
	unsigned int backends = 0;
	json_t *scope, *v;
	size_t i;

	for (i = 0; i < m->guest->n; i++)
		backends |= looked_at(m, cat, &m->guest->devices[i]);
	scope = scope_json(cat, backends);
	if (m->by_catalogue)
		scope_add(&scope, "evidence", "catalogue");
	if (m->by_record)
		scope_add(&scope, "evidence", "record");
	if (m->rehearsed)
		scope_add(&scope, "evidence", "rehearsal");
	json_array_foreach(m->unseen, i, v)
		scope_add(&scope, "not_compared", json_string_value(v));
	return scope;
}

static int gather_records(const struct move *m, json_t *all)
{
	int r = json_object_update(all, m->check->records);

	for (size_t i = 0; r == 0 && i < m->n_others; i++)
		r = json_object_update(all, m->others[i].check->records);
	return r;
}

json_t *move_fold(const struct move *move)
{
	const struct findings *found = &move->check->findings;
	json_t *records = json_object();

	if (gather_records(move, records) < 0)
		json_decref(steal(&records));
	return json_pack("{s:o, s:o, s:o, s:b, s:b, s:b}", "answer", move_json(move), "unseen",
			 strings_json(&move->unseen), "records", records, "by_record",
			 move->recorded || scope_found(found, "record"), "by_catalogue",
			 !move->recorded, "rehearsed", scope_found(found, "rehearsal"));
}

int moves_add(struct moves *m, const char *host, const json_t *folded)
{
	json_t *answer = json_object_get(folded, "answer"), *v;
	const char *verdict = string_of(answer, "verdict");
	size_t i;

	m->by_record |= json_is_true(json_object_get(folded, "by_record"));
	m->by_catalogue |= json_is_true(json_object_get(folded, "by_catalogue"));
	m->rehearsed |= json_is_true(json_object_get(folded, "rehearsed"));
	if (streq(verdict, move_words[MOVE_NO]))
		m->verdict = ABIBASE_VERDICT_NO;
	else if (streq(verdict, move_words[MOVE_UNKNOWN]) && m->verdict == ABIBASE_VERDICT_YES)
		m->verdict = ABIBASE_VERDICT_UNKNOWN;
	json_array_foreach(json_object_get(folded, "unseen"), i, v)
		if (!json_has(m->unseen, json_string_value(v)) &&
		    json_array_append(m->unseen, v) < 0)
			return -ENOMEM;
	if (json_object_update(m->records, json_object_get(folded, "records")) < 0 ||
	    (m->names && json_array_append_new(m->names, json_string(host)) < 0))
		return -ENOMEM;
	return json_array_append(m->hosts, answer) < 0 ? -ENOMEM : 0;
}

static json_t *moves_document(struct moves *m, const struct abibase_catalogue *cat)
{
	/* a copy, because json_incref() reads a count that other threads may be changing */
	json_t *root = json_pack("{s:s, s:s, s:s*, s:o, s:o, s:o, s:o*}", "schema",
				 "abibase-targets/1", "assumed", taken_for_granted, "baseline",
				 m->baseline, "guest", json_deep_copy(m->guest->root), "scope",
				 scope(m, cat), "hosts", steal(&m->hosts), FOLDED_NAMES,
				 steal(&m->names));

	if (root && hostchecks_put_records(m->records, root) < 0)
		json_decref(steal(&root));
	return root;
}

/* ------------------------------------------------------------------------ for people */

static json_t *named_string(const char *text, const char *host)
{
	const char *at;
	_buf_ b = { 0 };

	for (; (at = strstr(text, ANY_HOST)); text = at + strlen(ANY_HOST)) {
		buf_add(&b, text, (size_t)(at - text));
		buf_puts(&b, host);
	}
	buf_puts(&b, text);
	return buf_failed(&b) ? NULL : json_string(b.data ? b.data : "");
}

/* An answer that hosts share, as that of @host; NULL: no memory. */
static json_t *named(const json_t *v, const char *host)
{
	json_t *to, *item;
	const char *key;
	size_t i;
	int r = 0;

	if (json_is_string(v))
		return named_string(json_string_value(v), host);
	if (!json_is_object(v) && !json_is_array(v))
		return json_copy((json_t *)v);
	to = json_is_object(v) ? json_object() : json_array();
	json_object_foreach((json_t *)v, key, item)
		r |= json_put(to, key, named(item, host));
	json_array_foreach((json_t *)v, i, item)
		r |= json_add(to, named(item, host));
	if (r == 0)
		return to;
	json_decref(to);
	return NULL;
}

/* Is it an answer of hosts that are alike? */
static bool is_shared(const json_t *host)
{
	return streq(string_of(host, "host"), ANY_HOST);
}

/* "QEMU 9.2.4, /usr/bin/qemu-system-x86_64" */
static void put_qemu(const json_t *move, struct buf *out)
{
	const json_t *qemu = json_object_get(move, "qemu");
	const char *version = string_of(qemu, "version"), *path = string_of(qemu, "path");

	if (version)
		buf_printf(out, "QEMU %s%s%s", version, path ? ", " : "", path ? path : "");
}

/* What more is to be said of the answer */
static void put_more(const json_t *move, const char *baseline, struct buf *out)
{
	const char *verdict = string_of(move, "verdict");
	const json_t *f;
	size_t i;

	/* the "no" of a check, which asks of the guest as it would be started */
	json_array_foreach(json_object_get(move, "findings"), i, f) {
		if (!streq(verdict, "unknown") || !streq(string_of(f, "kind"), "conflict"))
			continue;
		buf_printf(out, "; perhaps with a %slist, and not without one",
			   baseline ? "further " : "");
		break;
	}
	if (streq(string_of(json_object_get(move, "way_back"), "verdict"), "shut"))
		buf_puts(out, "; it is a one-way door");
}

static void put_list(const json_t *list, struct buf *out)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)list, i, v)
		buf_printf(out, "\n-global %s", json_string_value(v));
}

static void show_lists(struct page *p, const json_t *move, const char *shown, const char *baseline)
{
	const json_t *back = json_object_get(move, "way_back"),
		     *door = json_object_get(back, "list");
	const json_t *rescue = json_object_get(move, "rescue");
	_buf_ list = { 0 }, then = { 0 };

	if (!json_array_size(rescue) && !json_array_size(door))
		return;
	buf_printf(&list,
		   "QEMU there with this list%s%s:", baseline ? " behind that of the baseline" : "",
		   !json_array_size(door) ?
			   "" :
		   json_is_true(json_object_get(back, "enough")) ?
			   ", and the way back stays open" :
			   ", and no feature is added; the way back is shut all the same");
	put_list(rescue, &list);
	put_list(door, &list);
	page_note(p, "start", shown, list.data ? list.data : "");
	buf_puts(
		&then,
		"from then on start it with this list wherever it goes, so that it stays movable:");
	put_list(json_object_get(move, "carry_on"), &then);
	if (json_array_size(json_object_get(move, "carry_on")))
		page_note(p, "then", shown, then.data ? then.data : "");
	p->failed |= buf_failed(&list) || buf_failed(&then);
}

/* The answer with one QEMU of @host. */
static void show_move(struct page *p, const json_t *move, const char *host, const char *shown,
		      const char *baseline)
{
	const char *text = string_of(json_object_get(move, "way_back"), "text");

	page_find(p, host, shown, json_object_get(move, "findings"));
	if (text)
		page_note(p, "one-way", shown, text);
	show_lists(p, move, shown, baseline);
}

/* "HOST with QEMU 9.2.4, /usr/bin/qemu": it has several; one that nobody could ask has no version */
static void name_other(const json_t *move, const char *host, struct buf *out)
{
	bool known = string_of(json_object_get(move, "qemu"), "version");

	buf_printf(out, "%s%s", host, known ? " with " : "");
	put_qemu(move, out);
}

/* Of several answers each; @shown has the QEMU where the host has several. */
static void show_answer(struct page *p, const json_t *move, const char *host, const char *shown,
			const char *baseline)
{
	_buf_ text = { 0 };

	if (!shown)
		return;
	if (streq(host, shown))
		put_qemu(move, &text);
	put_more(move, baseline, &text);
	p->failed |= buf_failed(&text);
	page_note(p, string_of(move, "verdict"), shown,
		  text.len ? text.data + strspn(text.data, "; ") : "");
}

typedef void (*show_fn)(struct page *p, const json_t *move, const char *host, const char *shown,
			const char *baseline);

/* Each QEMU of the host has an answer: @fn is called with it, and how to call it; NULL: the only one. */
static void each_qemu(struct page *p, const json_t *root, const json_t *host, show_fn fn)
{
	const char *name = string_of(host, "host"), *baseline = string_of(root, "baseline");
	const json_t *others = json_object_get(host, "others");
	bool many = json_array_size(json_object_get(root, "hosts")) > 1;

	if (!json_array_size(others)) {
		fn(p, host, name, many ? name : NULL, baseline);
		return;
	}
	for (size_t i = 0; i <= json_array_size(others); i++) {
		const json_t *move = i ? json_array_get(others, i - 1) : host;
		_buf_ shown = { 0 };

		name_other(move, name, &shown);
		p->failed |= buf_failed(&shown);
		if (!p->failed)
			fn(p, move, name, shown.data, baseline);
	}
}

static void for_each(struct page *p, const json_t *root, show_fn fn)
{
	const json_t *names = json_object_get(root, FOLDED_NAMES);
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(root, "hosts"), i, v) {
		const char *name = json_string_value(json_array_get(names, i));
		json_auto_t *host = is_shared(v) ? named(v, name) : NULL;

		p->failed |= is_shared(v) && !host;
		if (!p->failed)
			each_qemu(p, root, host ? host : v, fn);
	}
}

/* " now (QEMU 9.2.4); it is a one-way door", of the only host */
static void put_only(const json_t *move, const char *baseline, struct buf *out)
{
	const char *verdict = string_of(move, "verdict");

	buf_puts(out, streq(verdict, "now")  ? " now" :
		      streq(verdict, "list") ? " with a list" :
					       "");
	if (string_of(json_object_get(move, "qemu"), "version")) {
		buf_puts(out, " (");
		put_qemu(move, out);
		buf_putc(out, ')');
	}
	put_more(move, baseline, out);
}

static bool takes_any(const json_t *moves)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)moves, i, v)
		if (streq(string_of(v, "verdict"), "now") ||
		    streq(string_of(v, "verdict"), "list") ||
		    takes_any(json_object_get(v, "others")))
			return true;
	return false;
}

static int show(const json_t *root, size_t width, char **ret)
{
	struct page_words words = { "takes", "take", "does not take", "do not take", "the guest",
				    NULL, NULL };
	const json_t *hosts = json_object_get(root, "hosts");
	_buf_ more = { 0 };
	struct page p;

	if (json_array_size(hosts) == 1)
		put_only(json_array_get(hosts, 0), string_of(root, "baseline"), &more);
	words.more = more.data;
	words.names = json_object_get(root, FOLDED_NAMES);
	page_begin(&p, width);
	page_verdict(&p, hosts, &words);
	p.failed |= buf_failed(&more);
	for_each(&p, root, show_answer);
	page_notes(&p);
	for_each(&p, root, show_move);
	page_causes(&p);
	page_notes(&p);
	if (takes_any(hosts))
		page_say(&p, 2, "Taken for granted: %s.", string_of(root, "assumed"));
	page_end(&p, json_object_get(root, "scope"),
		 "intersect PROFILE..., abibase diff PROFILE PROFILE");
	return page_give(&p, ret);
}

static json_t *unfold(const json_t *folded, size_t i)
{
	const json_t *host = json_array_get(json_object_get(folded, "hosts"), i);
	const char *name = json_string_value(json_array_get(json_object_get(folded, FOLDED_NAMES), i));

	return is_shared(host) ? named(host, name) : json_deep_copy(host);
}

int moves_give(struct abibase_context *ctx, const struct abibase_catalogue *cat, struct moves *m,
	       struct abibase_result **ret)
{
	struct abibase_result made = { .verdict = m->verdict, .show = show, .unfold = unfold };
	bool folded = m->names;

	*(folded ? &made.folded : &made.root) = moves_document(m, cat);
	return result_give(ctx, &made, ret);
}
