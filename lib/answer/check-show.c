/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "document/baseline.h"
#include "answer/check.h"
#include "answer/show.h"

/* What was found about hosts, for people and as a document. */

/* ------------------------------------------------------------------------- as text */

#define HANG 11 /* where the text of a label begins */

void text_labelled(const char *label, const char *text, struct buf *out)
{
	buf_printf(out, "  %-*s", HANG - 2, label);
	show_wrapped(out, HANG, HANG, text);
}

/* One fact that is missing keeps several properties from what they should be. */
static bool same_cause(const struct finding *a, const struct finding *b)
{
	return a->cause && same_text(a->cause, b->cause) && a->kind == b->kind &&
	       same_text(a->layer, b->layer) && same_text(a->remedy, b->remedy);
}

/* The class stands only before the first of those that have it in common. */
static void text_property(const char *property, const char **class_name, struct buf *text)
{
	size_t len = strcspn(property, ".");
	const char *before = *class_name;
	bool again = before && strcspn(before, ".") == len && memcmp(before, property, len) == 0;

	buf_printf(text, "%s%s", before ? ", " : "", again ? property + len + 1 : property);
	*class_name = property;
}

/* The properties behind one fact, from the first on. */
static void text_properties(const struct abibase_check *c, size_t first, struct buf *out)
{
	const char *class_name = NULL;
	_buf_ text = { 0 };

	for (size_t i = first; i < c->findings.n; i++) {
		const struct finding *f = &c->findings.f[i];

		if (!f->property || !same_cause(&c->findings.f[first], f))
			continue;
		text_property(f->property, &class_name, &text);
		buf_printf(&text, " (%s", f->feature);
		if (f->bit >= 0)
			buf_printf(&text, ", bit %d", f->bit);
		buf_putc(&text, ')');
	}
	if (text.len)
		text_labelled("for", text.data, out);
	if (buf_failed(&text))
		out->failed = true;
}

static void text_finding(const struct abibase_check *c, size_t i, struct buf *out)
{
	const struct finding *f = &c->findings.f[i];
	const char *label = f->kind == ABIBASE_FINDING_UNKNOWN ? "unknown" :
			    f->kind == ABIBASE_FINDING_NOTE    ? "note" :
			    f->by_list			       ? f->bit >= 0 ? "off" : "differs" :
			    f->cause			       ? "lacks" :
								 "conflict";
	_buf_ text = { 0 };

	for (size_t k = 0; k < i; k++)
		if (same_cause(&c->findings.f[k], f))
			return;
	if (f->cause)
		buf_printf(&text, "%s: %s [%s]", f->layer, f->cause, f->id);
	else
		buf_printf(&text, "%s [%s]", f->text, f->id);
	text_labelled(label, text.data ? text.data : "", out);
	if (buf_failed(&text))
		out->failed = true;
	if (f->cause)
		text_properties(c, i, out);
	/* where the lists are enough, they follow */
	if (f->remedy && !(f->by_list && f->fixable))
		text_labelled("remedy", f->remedy, out);
}

void hostcheck_text(const struct abibase_check *c, struct buf *out)
{
	for (size_t i = 0; i < c->findings.n; i++)
		text_finding(c, i, out);
}

/* What it would cost to have this host too, or that no list of options helps. */
static void text_admit(const struct abibase_check *c, struct buf *out)
{
	const char *class_name = NULL;
	_buf_ text = { 0 };
	size_t i;
	json_t *v;

	if (!c->asked || (!json_array_size(c->lost) && !json_array_size(c->set) && !c->admit_id &&
			  (c->admissible || c->verdict != ABIBASE_VERDICT_NO)))
		return;
	if (!c->admissible)
		buf_puts(&text, "not as it is: no baseline of this machine type has this host too, "
				"whatever is off");
	else if (json_array_size(c->lost))
		buf_puts(&text, "it takes these from every guest started from then on: ");
	json_array_foreach(c->lost, i, v)
		text_property(json_string_value(v), &class_name, &text);
	json_array_foreach(c->set, i, v)
		buf_printf(&text, "%s%s",
			   i			     ? ", " :
			   json_array_size(c->lost) ? "; and sets for it: " :
						       "it sets for every guest started from then on: ",
			   json_string_value(v));
	if (c->admissible && !text.len)
		buf_puts(&text, "it promises the same with other words");
	if (c->admit_id)
		buf_printf(&text, "; abibase intersect --json BASELINE PROFILE makes that baseline, %s",
			   c->admit_id);
	text_labelled("admit", text.data ? text.data : "", out);
	if (buf_failed(&text))
		out->failed = true;
}

static void text_check(const struct abibase_check *c, struct buf *out)
{
	static const char *const words[] = { "satisfies", "does not satisfy", "", "cannot tell" };

	show_text(out, c->host);
	buf_printf(out, ": %s\n", words[c->verdict]);
	hostcheck_text(c, out);
	text_admit(c, out);
}

char *hostchecks_text(struct abibase_check *const *checks, size_t n)
{
	_buf_ out = { 0 };
	bool no = false;

	if (n && checks[0]->baseline)
		show_wrapped(&out, 0, 2, checks[0]->baseline);
	for (size_t i = 0; i < n; i++) {
		text_check(checks[i], &out);
		no |= checks[i]->baseline && checks[i]->verdict == ABIBASE_VERDICT_NO;
	}
	if (no)
		buf_puts(&out, "The baseline stays valid among its own hosts and those that satisfy "
			       "it.\n");
	return buf_steal(&out);
}

json_t *hostcheck_strings(char *const *s, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++)
		if (json_array_append_new(list, json_string(s[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *json_check(const struct abibase_check *c)
{
	/* "o" takes the reference, also when packing fails */
	return json_pack("{ss ss so sO sO ss*}", "host", c->host, "verdict",
			 verdict_words[c->verdict], "findings", findings_json(&c->findings),
			 "loses", c->lost, "sets", c->set, "admit_id", c->admit_id);
}

static json_t *make_document(const char *baseline, struct abibase_check *const *checks, size_t n)
{
	json_t *root = json_pack("{ss ss* s[]}", "schema", "abibase-check/1", "baseline", baseline,
				 "hosts");

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(json_object_get(root, "hosts"), json_check(checks[i])) <
		    0) {
			json_decref(root);
			return NULL;
		}
	return root;
}

int hostchecks_give(struct abibase_context *ctx, const char *baseline,
		    struct abibase_check *const *checks, size_t n, char *text,
		    struct abibase_result **ret)
{
	struct abibase_result made = { .text = text, .root = make_document(baseline, checks, n) };

	/* "no" before "cannot tell" before "yes" */
	for (size_t i = 0; i < n; i++)
		if (made.verdict != ABIBASE_VERDICT_NO && checks[i]->verdict != ABIBASE_VERDICT_YES)
			made.verdict = checks[i]->verdict;
	return result_give(ctx, &made, ret);
}
