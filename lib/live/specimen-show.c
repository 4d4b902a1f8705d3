/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document/page.h"
#include "live/rehearse.h"

/* A result of specimens, for people: what loads, and the rest by what QEMU says of it. */

static const struct {
	const char *key, *label;
	bool fails;
} ends[] = {
	{ "refused", "refused", true },
	{ "no_start", "no start", true },
	{ "blocked", "blocked", true },
	{ "absent", "absent", false },
	{ "not_tried", "untried", false },
};

static size_t count_failed(const json_t *machine)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (ends[i].fails)
			n += json_object_size(json_object_get(machine, ends[i].key));
	return n;
}

bool specimen_fails(const json_t *root)
{
	const char *machine;
	json_t *v;

	json_object_foreach(json_object_get(root, "machines"), machine, v)
		if (count_failed(v))
			return true;
	return false;
}

static void show_names(struct page *p, const char *label, const json_t *names, const char *said)
{
	_buf_ text = { 0 };
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)names, i, v)
		buf_printf(&text, "%s%s", i ? ", " : "", json_string_value(v));
	if (text.len)
		page_item(p, label, "%s%s%s", text.data, said ? ": " : "", said ? said : "");
	p->failed |= buf_failed(&text);
}

/* Those of which the same is said, together: in the place of the first. */
static void show_said(struct page *p, const char *label, const json_t *of)
{
	const char *name, *other;
	json_t *said, *v;

	json_object_foreach((json_t *)of, name, said) {
		json_auto_t *names = json_array();
		bool first = true;

		json_object_foreach((json_t *)of, other, v) {
			if (!json_equal(v, said))
				continue;
			first = json_array_size(names) || streq(other, name);
			if (!first)
				break;
			p->failed |= json_add(names, json_string(other)) < 0;
		}
		if (first)
			show_names(p, label, names, json_string_value(said));
	}
}

static void show_machine(struct page *p, const char *machine, const json_t *of)
{
	const json_t *good = json_object_get(of, "loads") ?: json_object_get(of, "saved");
	size_t n = json_array_size(good);

	page_say(p, 2, "%s: %zu of %zu %s", machine, n, n + count_failed(of),
		 json_object_get(of, "saved") ? "are saved" : "load idle");
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		show_said(p, ends[i].label, json_object_get(of, ends[i].key));
	show_names(p, "loads", json_object_get(of, "loads"), NULL);
	show_names(p, "saved", json_object_get(of, "saved"), NULL);
}

static void show_verdict(struct page *p, const json_t *root)
{
	const char *from = string_of(json_object_get(root, "source"), "version");
	const char *to = string_of(json_object_get(root, "destination"), "version");
	bool bad = specimen_fails(root);

	if (to)
		page_say(p, 2, "%s what QEMU %s saves of each common device alone %s in QEMU %s",
			 bad ? "no:" : "yes:", from, bad ? "does not always load" : "loads idle",
			 to);
	else
		page_say(p, 2, "%s QEMU %s %s each common device alone", bad ? "no:" : "yes:", from,
			 bad ? "does not save" : "saves");
}

int specimen_show(const json_t *root, size_t width, char **ret)
{
	json_auto_t *scope = scope_new();
	const char *machine;
	struct page p;
	json_t *v;

	scope_add(&scope, "layers", "QEMU");
	scope_add(&scope, "evidence", "rehearsal");
	page_begin(&p, width);
	p.failed |= !scope;
	show_verdict(&p, root);
	json_object_foreach(json_object_get(root, "machines"), machine, v)
		show_machine(&p, machine, v);
	if (scope)
		page_end(&p, scope, "rehearse -- QEMU ARG..., of a guest's own line");
	return page_give(&p, ret);
}
