/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "answer/check.h"
#include "document/page.h"

/* What was found about hosts, as a document and for people. */

/* ------------------------------------------------------------------ as a document */

static json_t *json_check(const struct abibase_check *c)
{
	json_t *findings = findings_json(&c->findings), *v;
	size_t i;

	json_array_foreach(findings, i, v)
		if (c->cost_unknown)
			json_object_del(v, "fixable");
	/* "o" takes the reference, also when packing fails */
	return json_pack("{ss ss so sO* sO* ss* so*}", "host", c->host, "verdict",
			 verdict_words[c->verdict], "findings", findings, "loses",
			 c->cost_unknown ? NULL : c->lost, "sets", c->cost_unknown ? NULL : c->set,
			 "admit_id", c->admit_id, "admissible",
			 c->asked ? json_boolean(c->admissible) : NULL);
}

static json_t *make_document(const struct abibase_baseline *b, struct abibase_check *const *checks,
			     size_t n)
{
	json_t *scope = baseline_scope(b), *root;
	json_auto_t *records = json_object();
	int r = 0;

	for (size_t i = 0; i < n; i++)
		scope_add_found(&scope, &checks[i]->findings);
	root = json_pack("{ss ss ss so so s[]}", "schema", "abibase-check/1", "baseline", b->id,
			 "machine", b->machine, "backends", baseline_backends(b), "scope", scope,
			 "hosts");
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = json_array_append_new(json_object_get(root, "hosts"), json_check(checks[i]));
		if (r == 0)
			r = json_object_update(records, checks[i]->records);
	}
	if (r == 0 && hostchecks_put_records(records, root) == 0)
		return root;
	json_decref(root);
	return NULL;
}

/* --------------------------------------------------------------------- for people */

/* What it would cost to have this host too, or that no list of options helps. */
static void show_admit(struct page *p, const json_t *host, const char *shown)
{
	const json_t *admissible = json_object_get(host, "admissible");
	const json_t *lost = json_object_get(host, "loses"), *set = json_object_get(host, "sets");
	const char *id = string_of(host, "admit_id"), *last = NULL;
	_buf_ text = { 0 };
	size_t i;
	json_t *v;

	if (json_is_false(admissible) && streq(string_of(host, "verdict"), "no"))
		buf_puts(&text,
			 "not as it is: no baseline that was asked for the same has this host "
			 "too; a remedy that is named here may help");
	if (json_is_true(admissible) && json_array_size(lost))
		buf_puts(&text, "it takes these from every guest started from then on: ");
	json_array_foreach((json_t *)lost, i, v)
		page_property(&text, json_string_value(v), &last);
	json_array_foreach((json_t *)set, i, v)
		buf_printf(&text, "%s%s",
			   i			 ? ", " :
			   json_array_size(lost) ? "; and sets for it: " :
						   "it sets for every guest started from then on: ",
			   json_string_value(v));
	if (id)
		buf_printf(&text,
			   "%s; abibase intersect --json BASELINE PROFILE makes that baseline, %s",
			   text.len ? "" : "it promises the same with other words", id);
	p->failed |= buf_failed(&text);
	if (text.len)
		page_note(p, "admit", shown, text.data);
}

static void show_promise(struct page *p, const json_t *root)
{
	_buf_ backends = { 0 };

	page_names(&backends, json_object_get(root, "backends"));
	page_say(p, 2, "The baseline is %s: %s on %s.", string_of(root, "baseline"),
		 string_of(root, "machine"), backends.data ? backends.data : "");
	p->failed |= buf_failed(&backends);
}

static int show(const json_t *root, size_t width, char **ret)
{
	static const struct page_words words = { "satisfies", "satisfy", "does not satisfy",
						 "do not satisfy", "the baseline", NULL, NULL };
	const json_t *hosts = json_object_get(root, "hosts");
	json_auto_t *yes = page_hosts(hosts, "yes"), *no = page_hosts(hosts, "no");
	bool many = json_array_size(hosts) > 1;
	_buf_ names = { 0 };
	struct page p;
	size_t i;
	json_t *v;

	page_begin(&p, width);
	page_verdict(&p, hosts, &words);
	show_promise(&p, root);
	json_array_foreach((json_t *)hosts, i, v) {
		page_find(&p, string_of(v, "host"), many ? string_of(v, "host") : NULL,
			  json_object_get(v, "findings"));
		show_admit(&p, v, many ? string_of(v, "host") : NULL);
	}
	page_causes(&p);
	page_notes(&p);
	page_names(&names, yes);
	if (many && names.len && json_array_size(yes) < json_array_size(hosts))
		page_item(&p, "yes", "%s", names.data);
	p.failed |= buf_failed(&names) || !yes || !no;
	if (json_array_size(no))
		page_say(&p, 2,
			 "The baseline stays valid among its own hosts and those that satisfy it.");
	page_end(&p, json_object_get(root, "scope"),
		 json_array_size(no) ? "explain BASELINE, abibase plan GROUP" : "explain BASELINE");
	return page_give(&p, ret);
}

int hostchecks_give(struct abibase_context *ctx, const struct abibase_baseline *b,
		    struct abibase_check *const *checks, size_t n, struct abibase_result **ret)
{
	struct abibase_result made = { .show = show, .root = make_document(b, checks, n) };

	/* "no" before "cannot tell" before "yes" */
	for (size_t i = 0; i < n; i++)
		if (made.verdict != ABIBASE_VERDICT_NO && checks[i]->verdict != ABIBASE_VERDICT_YES)
			made.verdict = checks[i]->verdict;
	return result_give(ctx, &made, ret);
}
