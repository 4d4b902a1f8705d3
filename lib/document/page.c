/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/text.h"
#include "document/page.h"

#define HANG 11	     /* where the text behind a label begins */
#define MAX_NAMES 20 /* of hosts, in a list of them */

void page_begin(struct page *p, size_t width)
{
	memset(p, 0, sizeof(*p));
	p->out.width = width;
	p->found = json_object();
	p->notes = json_object();
	p->failed = !p->found || !p->notes;
}

void page_say(struct page *p, size_t hang, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	show_vprintf(&p->out, 0, hang, fmt, ap);
	va_end(ap);
}

void page_item(struct page *p, const char *label, const char *fmt, ...)
{
	va_list ap;

	buf_printf(&p->out, "  %-*s", HANG - 2, label);
	va_start(ap, fmt);
	show_vprintf(&p->out, HANG, HANG, fmt, ap);
	va_end(ap);
}

/* "9,998" */
static void put_number(struct buf *out, size_t n)
{
	if (n >= 1000)
		put_number(out, n / 1000);
	buf_printf(out, n >= 1000 ? ",%03zu" : "%zu", n % 1000);
}

void page_count(struct buf *out, size_t n, const char *one, const char *many)
{
	put_number(out, n);
	buf_printf(out, " %s", n == 1 ? one : many);
}

static const char *string_at(const json_t *array, size_t i)
{
	return json_string_value(json_array_get(array, i));
}

void page_some(struct buf *out, const json_t *names, size_t most)
{
	size_t n = json_array_size(names), shown = n <= most + 1 ? n : most;

	for (size_t i = 0; i < shown; i++)
		buf_printf(out, "%s%s", i ? ", " : "", string_at(names, i));
	if (n == shown)
		return;
	buf_puts(out, " and ");
	page_count(out, n - shown, "more", "more");
}

void page_names(struct buf *out, const json_t *names)
{
	page_some(out, names, MAX_NAMES);
}

/* ---------------------------------------------------------------------- by cause */

static void add(struct page *p, json_t *list, json_t *v)
{
	if (json_array_append_new(list, v) < 0)
		p->failed = true;
}

/* Names come in turn, so that one that is there is the last. */
static void add_name(struct page *p, json_t *names, const char *name)
{
	size_t n = json_array_size(names);

	if (name && !(n && streq(string_at(names, n - 1), name)))
		add(p, names, json_string(name));
}

/* Without the host that it is about, which is said beside it. */
static const char *without_host(const char *text, const char *host)
{
	size_t n = host ? strlen(host) : 0;

	return n && strncmp(text, host, n) == 0 && strprefix(text + n, ": ") ? text + n + 2 : text;
}

/* What has this key in common is of one cause. */
static void write_key(const json_t *finding, const char *host, struct buf *key)
{
	static const char *const parts[] = { "kind", "id", "layer", "remedy", "device" };
	const char *cause = string_of(finding, "cause");

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *s = string_of(finding, parts[i]);

		buf_printf(key, "%s\n", s ? s : "");
	}
	buf_puts(key, cause ? cause : without_host(string_of(finding, "text"), host));
}

/* Is a finding about the same property and bit, or about none, there? */
static bool is_in(const json_t *findings, const json_t *finding)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)findings, i, v)
		if (same_text(string_of(v, "property"), string_of(finding, "property")) &&
		    json_integer_value(json_object_get(v, "bit")) ==
			    json_integer_value(json_object_get(finding, "bit")))
			return true;
	return false;
}

void page_found(struct page *p, const char *host, const char *shown, json_t *finding)
{
	_buf_ key = { 0 };
	json_t *group;

	write_key(finding, host, &key);
	if (buf_failed(&key) || !p->found) {
		p->failed = true;
		return;
	}
	group = json_object_get(p->found, key.data);
	if (!group) {
		group = json_pack("{s[] s[] ss*}", "findings", "hosts", "text",
				  string_of(finding, "cause") ?
					  NULL :
					  without_host(string_of(finding, "text"), host));
		p->failed |= json_object_set_new(p->found, key.data, group) < 0;
	}
	if (p->failed)
		return;
	add_name(p, json_object_get(group, "hosts"), shown);
	if (!is_in(json_object_get(group, "findings"), finding))
		add(p, json_object_get(group, "findings"), json_incref(finding));
}

void page_find(struct page *p, const char *host, const char *shown, const json_t *findings)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)findings, i, v)
		page_found(p, host, shown, v);
}

void page_property(struct buf *out, const char *property, const char **last)
{
	size_t len = strcspn(property, ".");
	bool again = *last && strcspn(*last, ".") == len && memcmp(*last, property, len) == 0;

	buf_printf(out, "%s%s", *last ? ", " : "", again ? property + len + 1 : property);
	*last = property;
}

/* "(VIRTIO_NET_F_HOST_USO, bit 56)" behind it; a feature that no property decides stands alone. */
static void put_property(struct buf *out, const json_t *f, const char **last)
{
	const json_t *bit = json_object_get(f, "bit");
	const char *property = string_of(f, "property");

	if (property)
		page_property(out, property, last);
	else
		buf_puts(out, out->len ? ", " : "");
	buf_printf(out, "%s%s", property ? " (" : "", string_of(f, "feature"));
	if (bit)
		buf_printf(out, property ? ", bit %lld" : " (bit %lld",
			   (long long)json_integer_value(bit));
	buf_puts(out, property || bit ? ")" : "");
}

static void put_properties(struct page *p, const json_t *findings)
{
	_buf_ text = { 0 };
	const char *last = NULL;
	size_t i;
	json_t *f;

	json_array_foreach((json_t *)findings, i, f)
		if (string_of(f, "feature"))
			put_property(&text, f, &last);
	if (text.len)
		page_item(p, "for", "%s", text.data);
	p->failed |= buf_failed(&text);
}

static const char *label_of(const json_t *f)
{
	const char *kind = string_of(f, "kind");

	if (!streq(kind, finding_words[ABIBASE_FINDING_CONFLICT]))
		return kind;
	if (json_is_true(json_object_get(f, "by_list")))
		return json_object_get(f, "bit") ? "off" : "differs";
	if (string_of(f, "device"))
		return "differs";
	return string_of(f, "cause") ? "lacks" : kind;
}

/* Several with one remedy have it behind the last. */
static void put_cause(struct page *p, const json_t *group, const json_t *next)
{
	const json_t *after = json_array_get(json_object_get(next, "findings"), 0);
	const json_t *findings = json_object_get(group, "findings");
	const json_t *f = json_array_get(findings, 0), *hosts = json_object_get(group, "hosts");
	const char *cause = string_of(f, "cause"), *remedy = string_of(f, "remedy");
	_buf_ names = { 0 };

	if (cause)
		page_item(p, label_of(f), "%s: %s [%s]", string_of(f, "layer"), cause,
			  string_of(f, "id"));
	else
		page_item(p, label_of(f), "%s [%s]", string_of(group, "text"), string_of(f, "id"));
	page_names(&names, hosts);
	if (names.len)
		page_item(p, p->whose ? p->whose : "hosts", "%s", names.data);
	if (cause)
		put_properties(p, findings);
	/* where the lists are enough, they follow */
	if (remedy && !same_text(remedy, string_of(after, "remedy")) &&
	    !(json_is_true(json_object_get(f, "by_list")) &&
	      json_is_true(json_object_get(f, "fixable"))))
		page_item(p, "remedy", "%s", remedy);
	p->failed |= buf_failed(&names);
}

/* Conflicts before what is unknown, and that before notes; what most hosts have before the rest. */
static int cmp_group(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	const char *k = string_of(json_array_get(json_object_get(x, "findings"), 0), "kind");
	const char *l = string_of(json_array_get(json_object_get(y, "findings"), 0), "kind");
	size_t n = json_array_size(json_object_get(x, "hosts"));
	size_t m = json_array_size(json_object_get(y, "hosts"));
	int i = word_index(finding_words, k) - word_index(finding_words, l);

	return i ? i : n == m ? 0 : n > m ? -1 : 1;
}

void page_causes(struct page *p)
{
	size_t n = json_object_size(p->found), i = 0;
	_autofree_ json_t **groups = calloc(n + 1, sizeof(*groups));
	const char *key;
	json_t *v;

	p->failed |= !groups;
	if (p->failed)
		return;
	json_object_foreach(p->found, key, v)
		groups[i++] = v;
	/* a stable insertion: there are few causes */
	for (i = 1; i < n; i++)
		for (size_t k = i; k && cmp_group(&groups[k - 1], &groups[k]) > 0; k--) {
			v = groups[k];
			groups[k] = groups[k - 1];
			groups[k - 1] = v;
		}
	for (i = 0; i < n; i++)
		put_cause(p, groups[i], groups[i + 1]);
	json_object_clear(p->found);
}

/* -------------------------------------------------------------------- by what is said */

void page_note(struct page *p, const char *label, const char *shown, const char *text)
{
	const char *key = NULL;
	_buf_ both = { 0 };
	json_t *names;

	buf_printf(&both, "%s\n%s", label, text);
	p->failed |= buf_failed(&both);
	if (p->failed)
		return;
	key = both.data;
	names = json_object_get(p->notes, key);
	if (!names) {
		names = json_array();
		p->failed |= json_object_set_new(p->notes, key, names) < 0;
	}
	if (!p->failed)
		add_name(p, names, shown);
}

void page_notes(struct page *p)
{
	const char *key;
	json_t *names;

	json_object_foreach(p->notes, key, names) {
		size_t label = strcspn(key, "\n"), line = strcspn(key + label + 1, "\n");
		const char *rest = key + label + 1 + line;
		_buf_ text = { 0 };

		page_names(&text, names);
		buf_puts(&text, text.len && line ? ": " : "");
		buf_add(&text, key + label + 1, line);
		buf_printf(&p->out, "  %-*.*s", HANG - 2, (int)label, key);
		p->failed |= buf_failed(&text);
		show_wrapped(&p->out, HANG, HANG, text.data ? text.data : "");
		if (*rest)
			show_lines(&p->out, rest + 1);
	}
	json_object_clear(p->notes);
}

/* ---------------------------------------------------------------------- the verdict */

/* @all: their names, or NULL */
static json_t *hosts_with(const json_t *hosts, const json_t *all, const char *verdict)
{
	json_t *names = json_array(), *v;
	size_t i;

	json_array_foreach((json_t *)hosts, i, v) {
		const char *is = string_of(v, "verdict");
		json_t *host = all ? json_array_get(all, i) : json_object_get(v, "host");

		if (!(verdict ? streq(is, verdict) : !streq(is, "no") && !streq(is, "unknown")))
			continue;
		if (json_array_append(names, host ? host : json_object_get(v, "name")) < 0) {
			json_decref(names);
			return NULL;
		}
	}
	return names;
}

json_t *page_hosts(const json_t *hosts, const char *verdict)
{
	return hosts_with(hosts, NULL, verdict);
}

/* "B does not satisfy", "2 of 5 hosts do not satisfy" */
static void put_who(struct buf *out, const json_t *names, size_t of, const char *one,
		    const char *many)
{
	size_t n = json_array_size(names);

	if (of == 1) {
		buf_printf(out, "%s %s", string_at(names, 0), one);
		return;
	}
	if (n == of) {
		buf_puts(out, n == 2 ? "both hosts" : "all ");
	} else {
		put_number(out, n);
		buf_puts(out, " of ");
	}
	if (n != of || n > 2)
		page_count(out, of, "host", "hosts");
	buf_printf(out, " %s", n == 1 ? one : many);
}

static void put_none(struct buf *out, size_t of, const char *does)
{
	buf_puts(out, "none of ");
	page_count(out, of, "host", "hosts");
	buf_printf(out, " %s", does);
}

static void put_verdict(struct buf *out, const json_t *hosts, const json_t *no,
			const json_t *unknown, const struct page_words *w)
{
	size_t of = json_array_size(hosts);

	if (json_array_size(no)) {
		buf_puts(out, "no: ");
		if (of > 1 && json_array_size(no) == of)
			put_none(out, of, w->does);
		else
			put_who(out, no, of, w->does_not, w->many_do_not);
	} else if (json_array_size(unknown)) {
		buf_puts(out, "cannot tell whether ");
		put_who(out, unknown, of, w->does, w->many_do);
	}
	buf_printf(out, " %s", w->whom);
	if (of == 1)
		return;
	buf_puts(out, ": ");
	page_some(out, json_array_size(no) ? no : unknown, IN_VERDICT);
	if (!json_array_size(no) || !json_array_size(unknown))
		return;
	buf_puts(out, "; cannot tell of ");
	page_some(out, unknown, IN_VERDICT);
}

void page_verdict(struct page *p, const json_t *hosts, const struct page_words *w)
{
	json_auto_t *no = hosts_with(hosts, w->names, "no");
	json_auto_t *unknown = hosts_with(hosts, w->names, "unknown");
	json_auto_t *yes = hosts_with(hosts, w->names, NULL);
	_buf_ text = { 0 };

	if (json_array_size(no) || json_array_size(unknown)) {
		put_verdict(&text, hosts, no, unknown, w);
	} else {
		buf_puts(&text, "yes: ");
		put_who(&text, yes, json_array_size(hosts), w->does, w->many_do);
		buf_printf(&text, " %s", w->whom);
	}
	if (w->more)
		buf_puts(&text, w->more);
	p->failed |= !no || !unknown || !yes || buf_failed(&text);
	page_say(p, 2, "%s", text.data ? text.data : "");
}

/* ------------------------------------------------------------------------ the end */

json_t *scope_new(void)
{
	return json_pack("{s[] s[] s[] s[sss]}", "devices", "evidence", "layers", "not_compared",
			 "cpu", "firmware", "other-devices");
}

void scope_add(json_t **scope, const char *key, const char *word)
{
	json_t *list = json_object_get(*scope, key);

	if (json_has(list, word) || json_array_append_new(list, json_string(word)) == 0)
		return;
	json_decref(*scope);
	*scope = NULL;
}

void scope_add_devices(json_t **scope, const struct abibase_catalogue *cat, unsigned int backends)
{
	for (size_t i = 0; i < cat->n_backends; i++)
		if (backends & (1u << i))
			scope_add(scope, "devices", cat->backends[i].device ?
							    cat->backends[i].device :
							    "virtio-net");
}

bool scope_found(const struct findings *l, const char *evidence)
{
	bool record = streq(evidence, "record");

	for (size_t i = 0; i < l->n; i++)
		if (record ? streq(l->f[i].id, "record-differs") :
			     streq(l->f[i].id, "rehearsed-refused") ||
				     streq(l->f[i].id, "rehearsed-loads"))
			return true;
	return false;
}

void scope_add_found(json_t **scope, const struct findings *l)
{
	static const char *const words[] = { "record", "rehearsal" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (scope_found(l, words[i]))
			scope_add(scope, "evidence", words[i]);
}

json_t *scope_json(const struct abibase_catalogue *cat, unsigned int backends)
{
	json_t *scope = scope_new();

	scope_add_devices(&scope, cat, backends);
	scope_add(&scope, "layers", "QEMU");
	scope_add(&scope, "layers", "machine type");
	for (size_t i = 0; i < cat->n_conditions; i++)
		if (cat->conditions[i].backends & backends)
			scope_add(&scope, "layers", cat->conditions[i].layer);
	return scope;
}

/* "a, b"; the words of documents have "-" where a sentence has a blank. */
static void put_words(struct buf *out, const json_t *words)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)words, i, v) {
		size_t start;

		buf_puts(out, i ? ", " : "");
		start = out->len;
		buf_puts(out, streq(json_string_value(v), "cpu") ? "CPU" : json_string_value(v));
		for (; !out->failed && start < out->len; start++)
			if (out->data[start] == '-' && streq(json_string_value(v), "other-devices"))
				out->data[start] = ' ';
	}
}

/* Words; in a baseline the members that have builds. */
static void put_evidence(struct buf *out, const json_t *evidence)
{
	const char *separator = ", by ", *key;
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)evidence, i, v) {
		buf_printf(out, "%s%s", separator, json_string_value(v));
		separator = i + 2 < json_array_size(evidence) ? ", " : " and ";
	}
	json_object_foreach((json_t *)evidence, key, v) {
		if (!json_array_size(v))
			continue;
		buf_printf(out, "%s%s", separator, key);
		separator = " and ";
	}
}

void page_scope(struct buf *out, const json_t *scope)
{
	const json_t *devices = json_object_get(scope, "devices");
	const json_t *layers = json_object_get(scope, "layers");
	_buf_ text = { 0 };

	put_words(&text, devices);
	buf_puts(&text, !json_array_size(layers) ? "" : json_array_size(devices) ? " (" : "");
	put_words(&text, layers);
	buf_puts(&text, json_array_size(layers) && json_array_size(devices) ? ")" : "");
	if (!text.len)
		buf_puts(&text, "nothing");
	put_evidence(&text, json_object_get(scope, "evidence"));
	buf_puts(&text, "; not looked at: ");
	put_words(&text, json_object_get(scope, "not_compared"));
	out->failed |= buf_failed(&text);
	show_printf(out, 0, 2, "Looked at: %s", text.data ? text.data : "");
}

void page_end(struct page *p, const json_t *scope, const char *see)
{
	page_scope(&p->out, scope);
	page_say(p, 2, "See: abibase %s", see);
}

void page_put(struct page *p, struct buf *out)
{
	char *text = NULL;

	if (page_give(p, &text) < 0)
		out->failed = true;
	else
		buf_puts(out, text);
	free(text);
}

int page_give(struct page *p, char **ret)
{
	json_decref(p->found);
	json_decref(p->notes);
	p->found = p->notes = NULL;
	p->out.failed |= p->failed;
	return buf_give(&p->out, ret);
}
