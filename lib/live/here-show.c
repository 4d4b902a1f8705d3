/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "document/page.h"
#include "live/here.h"

/* Who runs under what, for people. */

json_t *here_guest_name(const json_t *guest)
{
	const char *name = string_of(guest, "name");

	return name && *name ? json_string(name) :
			       json_sprintf("pid %lld", (long long)json_integer_value(
								json_object_get(guest, "pid")));
}

/* By what a baseline is called here: the name of its file, which can be its id */
static const char *base_name(const json_t *base)
{
	const char *file = string_of(base, "file"), *slash = strrchr(file, '/');
	const char *name = slash ? slash + 1 : file, *id = string_of(base, "baseline");

	return id && strprefix(name, id) && streq(name + strlen(id), ".json") ? id : name;
}

/* ---------------------------------------------------------------------------- verdict */

static size_t count_conflicts(const json_t *findings)
{
	size_t i, n = 0;
	json_t *v;

	json_array_foreach((json_t *)findings, i, v)
		n += streq(string_of(v, "kind"), "conflict");
	return n;
}

/* "both baselines", "2 of 3 baselines" */
static void put_baselines(struct buf *out, size_t n, size_t of)
{
	if (n == of && n <= 2) {
		buf_puts(out, n == 1 ? "its baseline" : "both baselines");
	} else if (n == of) {
		buf_puts(out, "all ");
		page_count(out, of, "baseline", "baselines");
	} else {
		buf_printf(out, "%zu of ", n);
		page_count(out, of, "baseline", "baselines");
	}
}

static json_t *names_with(const json_t *baselines, const char *verdict)
{
	json_t *names = json_array(), *v;
	size_t i;

	json_array_foreach((json_t *)baselines, i, v)
		if (streq(string_of(v, "verdict"), verdict) &&
		    json_add(names, json_string(base_name(v))) < 0) {
			json_decref(names);
			return NULL;
		}
	return names;
}

static void put_verdict(struct page *p, const json_t *root, struct buf *out)
{
	const json_t *baselines = json_object_get(root, "baselines");
	json_auto_t *no = names_with(baselines, "no"), *unknown = names_with(baselines, "unknown");
	bool lacks = json_array_size(no), unsure = !lacks && json_array_size(unknown);
	size_t n = json_array_size(baselines);
	size_t faults = count_conflicts(json_object_get(root, "findings"));
	const char *host = string_of(root, "host"), *is = string_of(root, "verdict");

	p->failed |= !no || !unknown;
	buf_printf(out, "%s: %s%s ", streq(is, "unknown") ? "cannot tell" : is,
		   unsure ? "whether " : "", host);
	buf_puts(out, !n ? "has no baseline" : lacks ? "does not satisfy " : "satisfies ");
	if (lacks || unsure) {
		put_baselines(out, json_array_size(lacks ? no : unknown), n);
		buf_puts(out, ": ");
		page_some(out, lacks ? no : unknown, IN_VERDICT);
	} else if (n) {
		put_baselines(out, n, n);
	}
	if (unsure)
		buf_puts(out, " is not known");
	if (!faults)
		return;
	if (lacks || unsure || !n) {
		buf_puts(out, "; ");
		page_count(out, faults, "more thing is wrong", "more things are wrong");
	} else {
		buf_puts(out, ", but ");
		page_count(out, faults, "thing is wrong", "things are wrong");
	}
}

/* -------------------------------------------------------------------------- baselines */

/* The guests with that baseline, NULL: with none, who are known by @by. */
static json_t *guests_by(const json_t *root, const char *baseline, const char *by)
{
	json_t *names = json_array(), *v;
	size_t i;

	json_array_foreach(json_object_get(root, "guests"), i, v)
		if (same_text(string_of(v, "baseline"), baseline) &&
		    streq(string_of(v, "by"), by) &&
		    json_add(names, here_guest_name(v)) < 0) {
			json_decref(names);
			return NULL;
		}
	return names;
}

static void show_guests(struct page *p, const json_t *root, const json_t *base)
{
	const char *id = string_of(base, "baseline");
	json_auto_t *told = guests_by(root, id, "environment");
	json_auto_t *seen = guests_by(root, id, "command-line");
	_buf_ text = { 0 };

	page_names(&text, told);
	if (json_array_size(seen)) {
		buf_puts(&text, text.len ? "; by the command line: " : "by the command line: ");
		page_names(&text, seen);
	}
	if (!text.len)
		buf_puts(&text, streq(string_of(base, "used"), "no") ?
					"none" :
					"none that can be told; some could not be looked at");
	p->failed |= !told || !seen || buf_failed(&text);
	page_item(p, "guests", "%s", text.data ? text.data : "");
}

static void show_baseline(struct page *p, const json_t *root, const json_t *base)
{
	const char *verdict = string_of(base, "verdict"), *id = string_of(base, "baseline");
	const char *machine = string_of(base, "machine"), *name = base_name(base);
	bool other = id && !streq(id, name);

	page_item(p, verdict, "%s: %s%s%s%s", name, other ? id : "", other ? ", " : "",
		  machine ? machine : "no machine type",
		  json_is_true(json_object_get(base, "current")) ? "; the current one" : "");
	if (json_is_true(json_object_get(base, "warns")))
		page_item(p, "", "not enforced: mode is warn, so guests start here in any case");
	show_guests(p, root, base);
}

/* Those of no baseline, each with its machine type. */
static void show_others(struct page *p, const json_t *root, const char *by, const char *label,
			const char *words)
{
	json_auto_t *names = json_array();
	_buf_ text = { 0 };
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(root, "guests"), i, v) {
		json_auto_t *name = here_guest_name(v);
		const char *machine = string_of(v, "machine");

		if (!streq(string_of(v, "by"), by))
			continue;
		p->failed |= !name ||
			     json_add(names, json_sprintf("%s (%s)", json_string_value(name),
							  machine ? machine : "default")) < 0;
	}
	page_names(&text, names);
	if (text.len)
		page_item(p, label, "%s: %s", words, text.data);
	p->failed |= buf_failed(&text);
}

/* ------------------------------------------------------------------------- this host */

static void put_age(struct buf *out, json_int_t s)
{
	if (s < 120)
		page_count(out, (size_t)s, "second", "seconds");
	else if (s < 7200)
		page_count(out, (size_t)s / 60, "minute", "minutes");
	else if (s < 172800)
		page_count(out, (size_t)s / 3600, "hour", "hours");
	else
		page_count(out, (size_t)s / 86400, "day", "days");
}

/* A state of a document in words. */
struct words {
	const char *state, *words;
};

static const char *in_words(const struct words *w, size_t n, const char *state)
{
	for (size_t i = 0; i < n; i++)
		if (streq(w[i].state, state))
			return w[i].words;
	return state;
}
#define IN_WORDS(w, state) in_words(w, ARRAY_SIZE(w), state)

static void show_record(struct page *p, const json_t *record)
{
	static const struct words states[] = {
		{ "current", "of this boot, and its QEMUs are unchanged" },
		{ "other-boot", "of another boot" },
		{ "other-qemu", "of this boot, but not of the QEMUs that are there now" },
		{ "absent", "there is none" },
		{ "unreadable", "cannot be read" },
	};
	const json_t *age = json_object_get(record, "age");
	_buf_ text = { 0 };

	if (age) {
		buf_puts(&text, "; ");
		put_age(&text, json_integer_value(age));
		buf_puts(&text, " old");
	}
	page_item(p, "record", "%s: %s%s", string_of(record, "path"),
		  IN_WORDS(states, string_of(record, "state")), text.data ? text.data : "");
	p->failed |= buf_failed(&text);
}

static void show_units(struct page *p, const json_t *units)
{
	static const struct words states[] = {
		{ "active", "active" },
		{ "inactive", "not started in this boot" },
		{ "not-found", "not installed" },
		{ "unknown", "systemctl does not say" },
	};
	size_t i;
	json_t *v;

	if (streq(string_of(json_array_get(units, 0), "state"), "no-systemd")) {
		page_item(p, "unit", "this host was not booted with systemd");
		return;
	}
	json_array_foreach((json_t *)units, i, v) {
		const json_t *enabled = json_object_get(v, "enabled");
		const char *state = string_of(v, "state");

		page_item(p, i ? "timer" : "unit", "%s: %s%s", string_of(v, "name"),
			  json_is_true(enabled)	 ? "enabled, " :
			  json_is_false(enabled) ? "not enabled, " :
						   "",
			  i == 0 && streq(state, "active") ? "it ran in this boot" :
							     IN_WORDS(states, state));
	}
}

static void show_host(struct page *p, const json_t *root)
{
	static const struct words wrapper[] = {
		{ "sound", "its configuration is sound" },
		{ "unsound", "its configuration is not acceptable" },
		{ "absent", "not installed" },
		{ "not-configured", "not set up, there is no configuration" },
		{ "unknown", "its configuration cannot be read" },
	};
	static const struct words apparmor[] = {
		{ "off", "this kernel does not confine by it" },
		{ "no-libvirt", "has no rules for guests of libvirt" },
		{ "rules", "lets guests of libvirt start by the wrapper" },
		{ "no-rules", "does not let guests of libvirt start by the wrapper" },
		{ "unknown", "its rules cannot be read" },
	};
	const json_t *emulator = json_object_get(root, "emulator");
	const char *path = string_of(emulator, "path");

	show_record(p, json_object_get(root, "record"));
	show_units(p, json_object_get(root, "units"));
	page_item(p, "wrapper", "%s: %s", path ? path : "abibase-emulator",
		  IN_WORDS(wrapper, string_of(emulator, "state")));
	page_item(p, "AppArmor", "%s",
		  IN_WORDS(apparmor, string_of(json_object_get(root, "apparmor"), "state")));
}

/* -------------------------------------------------------------------------------- end */

static bool add_words(json_t *scope, const json_t *from, const char *key)
{
	json_t *to = json_object_get(scope, key), *words = json_object_get(from, key), *v;
	bool ok = true;
	size_t i;

	json_array_foreach(words, i, v)
		if (!json_has(to, json_string_value(v)))
			ok &= json_array_append(to, v) == 0;
	return ok;
}

/* Of all baselines together */
static void show_scope(struct page *p, const json_t *root)
{
	static const char *const keys[] = { "devices", "evidence", "layers", "not_compared" };
	json_auto_t *scope =
		json_pack("{s[] s[] s[] s[]}", keys[0], keys[1], keys[2], keys[3]);
	const json_t *baselines = json_object_get(root, "baselines");
	size_t i;
	json_t *v;

	page_say(p, 2, "A guest is under the baseline that its environment names, or whose list "
		       "its command line has; what it negotiated was not asked.");
	if (!json_array_size(baselines)) {
		page_say(p, 2, "Looked at: files, units and processes of this host; not looked at: "
			       "what its kernel has");
		page_say(p, 2, "See: abibase intersect PROFILE..., abibase-cluster(7)");
		return;
	}
	json_array_foreach((json_t *)baselines, i, v)
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			p->failed |= !add_words(scope, json_object_get(v, "scope"), keys[k]);
	page_end(p, scope, "check BASELINE PROFILE, abibase targets GUEST HOST");
}

int here_show(const json_t *root, size_t width, char **ret)
{
	const json_t *baselines = json_object_get(root, "baselines");
	_buf_ verdict = { 0 };
	struct page p;
	size_t i;
	json_t *v;

	page_begin(&p, width);
	put_verdict(&p, root, &verdict);
	page_say(&p, 2, "%s", verdict.data ? verdict.data : "");
	p.failed |= buf_failed(&verdict);
	page_find(&p, NULL, NULL, json_object_get(root, "findings"));
	page_causes(&p);
	p.whose = "of";
	json_array_foreach((json_t *)baselines, i, v)
		page_find(&p, string_of(root, "host"), base_name(v),
			  json_object_get(v, "findings"));
	page_causes(&p);
	json_array_foreach((json_t *)baselines, i, v)
		show_baseline(&p, root, v);
	show_others(&p, root, "none", "none", "guests under no baseline");
	show_others(&p, root, "unknown", "unknown", "guests that could not be looked at");
	if (!streq(string_of(root, "processes"), "all"))
		page_item(&p, "unknown", "guests of other users: their processes are hidden");
	show_host(&p, root);
	show_scope(&p, root);
	return page_give(&p, ret);
}
