/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "document/baseline.h"
#include "base/suggest.h"
#include "document/catalogue.h"
#include "base/context.h"
#include "document/page.h"
#include "document/result.h"
#include "document/hosts.h"
#include "model/intersect.h"
#include "model/ask.h"
#include "answer/show.h"
#include "base/known.h"

/*
 * A feature can be on by default for everybody once the last supported platform that lacks it is no
 * longer supported. A platform's kernel is asked what the newest QEMU would ask of it; its QEMU has
 * to have the property.
 */

#define DATE_LEN 10 /* YYYY-MM-DD: dates compare as texts */
#define MACHINE_MAX 64

enum support { SUPPORT_STANDARD, SUPPORT_EXTENDED };

struct planning {
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	const char *at;
	struct qemu_view newest; /* that the catalogue covers */
	json_t *newest_entry;
	char newest_machine[MACHINE_MAX];
	size_t *rows, n_rows;
	struct abibase_result made;
	struct arena arena; /* words, and whether memory ran out */
	json_t *scope;
	bool supported_lacks, cannot_tell, any_has;
	/* for each enum support: the end that is known to be the last, and whose; who is not known */
	const char *last[2], *last_name[2];
	json_t *unknown[2];
};

static void append(struct planning *p, json_t *list, json_t *v)
{
	p->arena.failed |= json_array_append_new(list, v) < 0;
}

/* ---------------------------------------------------------------------- dates */

static unsigned int days_in(unsigned int year, unsigned int month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool date_parse(const char *s, unsigned int ret[3])
{
	static const char form[] = "dddd-dd-dd";

	if (strlen(s) != DATE_LEN)
		return false;
	for (size_t i = 0; i < DATE_LEN; i++)
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != '-')
			return false;
	ret[0] = (unsigned int)strtoul(s, NULL, 10);
	ret[1] = (unsigned int)strtoul(s + 5, NULL, 10);
	ret[2] = (unsigned int)strtoul(s + 8, NULL, 10);
	return ret[0] && ret[1] >= 1 && ret[1] <= 12 && ret[2] >= 1 &&
	       ret[2] <= days_in(ret[0], ret[1]);
}

/* The day after, into a text of its own; an end that is not a date stays what it is. */
static void next_day(const char *date, char ret[DATE_LEN + 1])
{
	unsigned int d[3];

	snprintf(ret, DATE_LEN + 1, "%s", date);
	if (!date_parse(date, d))
		return;
	d[2]++;
	if (d[2] > days_in(d[0], d[1])) {
		d[2] = 1;
		d[1]++;
	}
	if (d[1] > 12) {
		d[1] = 1;
		d[0]++;
	}
	snprintf(ret, DATE_LEN + 1, "%04u-%02u-%02u", d[0] % 10000, d[1] % 100, d[2] % 100);
}

/* --------------------------------------------------------------- what is planned */

static bool is_meant(const struct abibase_catalogue *cat, const struct row *row, const char *what)
{
	if (!row->boolean || row->bit < 0 || row->pin == PIN_FIXED ||
	    !(row->backends & catalogue_device(cat, NULL)))
		return false;
	return streq(row->key, what) || streq(row->property, what) ||
	       (row->group_name && streq(row->group_name, what));
}

static int find_rows(struct planning *p, const char *what)
{
	struct suggest s = { .word = what };
	char near[SUGGEST_TEXT];

	p->rows = calloc(p->cat->n_rows + 1, sizeof(*p->rows));
	if (!p->rows)
		return context_oom(p->ctx);
	for (size_t r = 0; r < p->cat->n_rows; r++)
		if (is_meant(p->cat, &p->cat->rows[r], what))
			p->rows[p->n_rows++] = r;
	if (p->n_rows)
		return 0;
	catalogue_suggest(p->cat, &s, true);
	suggest_text(&s, "\"", near);
	return context_fail(p->ctx, ENOENT, "property-not-known", NULL,
			    "\"%s\" is neither a group of features of the catalogue nor a property "
			    "that can be switched%s",
			    what,
			    *near ? near : "; as in " A_GROUP ", or " A_PROPERTY);
}

static json_t *features_json(struct planning *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n_rows; i++) {
		const struct row *row = &p->cat->rows[p->rows[i]];

		append(p, list, json_pack("{s:i, s:s, s:s}", "bit", row->bit, "feature",
					  row->feature, "property", row->key));
	}
	return list;
}

static const char *description(const struct planning *p, const char *what)
{
	for (size_t i = 0; i < p->cat->n_groups; i++)
		if (streq(p->cat->groups[i].name, what) && p->cat->groups[i].description)
			return p->cat->groups[i].description;
	return p->cat->rows[p->rows[0]].feature;
}

/* ----------------------------------------------------------------- one platform */

/*
 * What a platform lacks, or with a @reason what is not known of it; not the same twice, for rows of a
 * group share their needs. @fact or layer and cause tell which it is.
 */
static void add_finding(struct planning *p, json_t *list, const char *layer, const char *fact,
			const char *reason, const char *remedy, const char *cause)
{
	struct finding f = { .kind = reason ? ABIBASE_FINDING_UNKNOWN : ABIBASE_FINDING_CONFLICT,
			     .id = reason ? "plan-unknown" : "plan-lacks",
			     .layer = layer, .cause = cause, .text = cause, .remedy = remedy };
	json_t *v, *known;
	size_t i;

	json_array_foreach(list, i, known)
		if (same_text(string_of(known, "cause"), cause) &&
		    same_text(string_of(known, "layer"), layer))
			return;
	v = finding_json(&f);
	json_object_del(v, "fixable");
	if ((fact && json_put(v, "condition", json_string(fact)) < 0) ||
	    (reason && json_put(v, "reason", json_string(reason)) < 0))
		p->arena.failed = true;
	append(p, list, v);
}

static void lacks(struct planning *p, json_t *of[2], const char *layer, const char *fact,
		  const char *remedy, const char *cause)
{
	add_finding(p, of[0], layer, fact, NULL, remedy, cause);
}

static void not_known(struct planning *p, json_t *of[2], const char *layer, const char *fact,
		      const char *reason)
{
	reason = reason ? reason : "not-recorded";
	add_finding(p, of[1], layer, fact, reason, NULL,
		    arena_printf(&p->arena, "%s is unknown (%s)", fact, reason));
}

/* The machine type that came with a release. */
static void machine_of(const struct version *v, char ret[MACHINE_MAX])
{
	snprintf(ret, MACHINE_MAX, "pc-q35-%u.%u", v->part[0], v->part[1]);
}

static int choose_newest(struct planning *p)
{
	struct version v = { 0 };

	for (size_t i = 0; i < p->cat->n_releases; i++)
		if (version_cmp(&p->cat->releases[i].versions.last, &v) > 0)
			v = p->cat->releases[i].versions.last;
	machine_of(&v, p->newest_machine);
	p->newest_entry = json_pack("{s:o}", "version",
				    json_sprintf("%u.%u.%u", v.part[0], v.part[1], v.part[2]));
	qemu_view_init(&p->newest, p->cat, p->newest_entry, p->newest_machine);
	return p->newest_entry ? 0 : context_oom(p->ctx);
}

/* What a new QEMU needs on this backend. */
static void ask_backend(struct planning *p, const struct abibase_profile *f, const struct row *row,
			size_t backend, json_t *of[2])
{
	struct ask a = { .cat = p->cat, .p = f, .view = &p->newest };

	for (struct asked w = { 0 }; ask_next_need(&a, &row->needs[backend], &w);) {
		scope_add(&p->scope, "layers", w.c ? w.c->layer : "QEMU");
		if (w.answer == ABIBASE_YES)
			continue;
		if (!w.c)
			lacks(p, of, "QEMU", NULL, NULL,
			      arena_printf(&p->arena, "QEMU never offers it on %s",
					   p->cat->backends[backend].name));
		else if (w.answer == ABIBASE_NO)
			lacks(p, of, w.c->layer, w.c->name, w.c->remedy, w.c->missing);
		else
			not_known(p, of, w.c->layer, w.c->name, w.reason);
	}
}

/* By its record, else by its version: under the machine type of its own release all of that counts. */
static enum abibase_tri qemu_has(struct planning *p, const struct profile_qemu *q,
				 const struct row *row)
{
	char machine[MACHINE_MAX] = "";
	struct qemu_view view;
	struct effective e;
	struct version v;

	if (version_parse_prefix(q->version, &v))
		machine_of(&v, machine);
	qemu_view_init(&view, p->cat, q->json, machine);
	qemu_effective(&view, row, &e);
	if (e.known != ABIBASE_UNKNOWN)
		scope_add(&p->scope, "evidence", view.properties ? "record" : "catalogue");
	return e.known;
}

static void ask_qemus(struct planning *p, const struct abibase_profile *f, const struct row *row,
		      json_t *of[2])
{
	if (f->has_qemu && !f->n_qemu && !f->n_unasked)
		lacks(p, of, "QEMU", NULL, NULL, "it has no QEMU");
	else if (!f->n_qemu || f->n_unasked)
		not_known(p, of, "QEMU", "qemu", NULL);
	for (size_t i = 0; i < f->n_qemu; i++) {
		enum abibase_tri has = qemu_has(p, &f->qemu[i], row);

		if (has == ABIBASE_UNKNOWN)
			not_known(p, of, "QEMU", row->key, NULL);
		if (has == ABIBASE_NO)
			lacks(p, of, "QEMU", NULL, NULL,
			      arena_printf(&p->arena, "QEMU %s does not have the property; upstream "
						      "QEMU has it from %u.%u on",
					   f->qemu[i].version, row->since.part[0],
					   row->since.part[1]));
	}
}

static const char *date_of(const struct abibase_profile *f, const char *key)
{
	unsigned int d[3];
	const char *s = json_string_value(
		json_object_get(json_object_get(f->root, "lifecycle"), key));

	return s && date_parse(s, d) ? s : NULL;
}

/* What stands in the way until the end of one kind of support. */
static void count_end(struct planning *p, enum support s, const char *name, const char *end,
		      bool known_to_lack)
{
	if (!known_to_lack || !end)
		append(p, p->unknown[s], json_string(name));
	if (known_to_lack && end && strcmp(end, p->at) >= 0 &&
	    (!p->last[s] || strcmp(end, p->last[s]) > 0)) {
		p->last[s] = end;
		p->last_name[s] = name;
	}
}

static const char *later(const char *a, const char *b)
{
	if (!a || !b)
		return a ? a : b;
	return strcmp(a, b) >= 0 ? a : b;
}

static const char *judge_support(const struct planning *p, const char *release,
				 const char *standard, const char *extended)
{
	if (release && strcmp(release, p->at) > 0)
		return "not-released";
	if (standard && strcmp(standard, p->at) >= 0)
		return "standard";
	if (extended && strcmp(extended, p->at) >= 0)
		return "extended";
	return standard && extended ? "ended" : "unknown";
}

/* The dates that follow from a platform that lacks it, or of which it is not known. */
static void count_platform(struct planning *p, const struct abibase_profile *f, bool lacks,
			   const char *support)
{
	const char *standard = date_of(f, "standard_end"), *extended = date_of(f, "extended_end");
	const char *end = later(standard, extended);

	if (streq(support, "ended"))
		return;
	if (lacks && !streq(support, "unknown"))
		p->supported_lacks = true;
	else
		p->cannot_tell = true;
	if (!standard || strcmp(standard, p->at) >= 0)
		count_end(p, SUPPORT_STANDARD, f->name, standard, lacks);
	/* an end that is known is a bound, even when the other one is not */
	count_end(p, SUPPORT_EXTENDED, f->name, end, lacks);
	if (lacks && end && !extended)
		append(p, p->unknown[SUPPORT_EXTENDED], json_string(f->name));
}

static json_t *platform_json(struct planning *p, const struct abibase_profile *f)
{
	json_t *of[2] = { json_array(), json_array() }; /* what it lacks, what is not known */
	const char *standard = date_of(f, "standard_end"), *extended = date_of(f, "extended_end");
	const char *release = date_of(f, "release");
	const char *support = judge_support(p, release, standard, extended);

	for (size_t i = 0; i < p->n_rows; i++) {
		const struct row *row = &p->cat->rows[p->rows[i]];

		for (size_t be = 0; be < p->cat->n_backends; be++)
			if (p->cat->backends[be].by_default)
				ask_backend(p, f, row, be, of);
		ask_qemus(p, f, row, of);
	}
	if (json_array_size(of[0]) || json_array_size(of[1]))
		count_platform(p, f, json_array_size(of[0]), support);
	else
		p->any_has = true;
	return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:o, s:o}", "name", f->name, "has",
			 json_array_size(of[0]) ? "no" :
			 json_array_size(of[1]) ? "unknown" :
						  "yes",
			 "support", support, "release", release, "standard_end", standard,
			 "extended_end", extended, "lacks", of[0], "unknown", of[1]);
}

/* -------------------------------------------------------------- on hosts, today */

static int add_hosts(struct planning *p, struct abibase_intersection *ix,
		     struct abibase_profile *const *hosts, size_t n)
{
	int r = abibase_intersection_set_policy(ix, "all");

	for (size_t i = 0; r == 0 && i < p->n_rows; i++) {
		const struct row *row = &p->cat->rows[p->rows[i]];

		if (row->pin == PIN_OPT_IN && row->group_name)
			r = abibase_intersection_enable(ix, row->group_name);
	}
	for (size_t i = 0; r == 0 && i < n; i++)
		r = abibase_intersection_add_profile(ix, hosts[i]);
	return r;
}

static int host_value(struct planning *p, const struct abibase_baseline *b, const char *key,
		      json_t *list)
{
	struct abibase_result *x = NULL;
	const json_t *v;
	int r = abibase_explain(p->ctx, p->cat, b, key, 0, &x);

	if (r < 0)
		return r;
	v = json_array_get(json_object_get(x->root, "values"), 0);
	append(p, list, json_pack("{s:s, s:O, s:O}", "property", key, "value",
				  json_object_get(v, "value"), "why", json_object_get(v, "why")));
	abibase_result_unref(x);
	return 0;
}

static json_t *in_the_way(struct planning *p, const struct abibase_baseline *b)
{
	json_t *list = json_array();

	for (size_t i = 0; i < b->findings.n; i++)
		if (b->findings.f[i].kind != ABIBASE_FINDING_NOTE)
			append(p, list, finding_json(&b->findings.f[i]));
	return list;
}

static int hosts_json(struct planning *p, struct abibase_profile *const *hosts, size_t n,
		      json_t **ret)
{
	struct abibase_intersection *ix = NULL;
	struct abibase_baseline *b = NULL;
	json_t *names, *values;
	int r = abibase_intersection_new(p->ctx, p->cat, &ix);

	if (r == 0)
		r = add_hosts(p, ix, hosts, n);
	if (r == 0)
		r = intersection_finish(ix, NULL, &b);
	abibase_intersection_unref(ix);
	if (r < 0)
		return r;
	names = json_array();
	values = json_array();
	for (size_t i = 0; i < n; i++)
		append(p, names, json_string(hosts[i]->name));
	for (size_t i = 0; r == 0 && b->machine && i < p->n_rows; i++)
		r = host_value(p, b, p->cat->rows[p->rows[i]].key, values);
	*ret = json_pack("{s:s?, s:o, s:s?, s:o, s:o, s:s}", "baseline", b->id, "findings",
			 in_the_way(p, b), "machine", b->machine, "names", names, "values", values,
			 "verdict", verdict_words[b->verdict]);
	p->arena.failed |= !*ret;
	abibase_baseline_unref(b);
	return r;
}

/* --------------------------------------------------------------------- the object */

static json_t *end_json(struct planning *p, enum support s)
{
	char not_before[DATE_LEN + 1];

	if (p->last[s])
		next_day(p->last[s], not_before);
	else
		snprintf(not_before, sizeof(not_before), "%s", p->at);
	return json_pack("{s:s?, s:s?, s:s, s:O}", "earliest",
			 json_array_size(p->unknown[s]) ? NULL : not_before, "last",
			 p->last_name[s], "not_before", not_before, "unknown", p->unknown[s]);
}

static int make(struct planning *p, const char *what, struct abibase_profile *const *platforms,
		size_t n_platforms, struct abibase_profile *const *hosts, size_t n_hosts)
{
	json_t *list = json_array(), *on = NULL;
	int r;

	for (size_t i = 0; i < n_platforms; i++)
		append(p, list, platform_json(p, platforms[i]));
	r = n_hosts ? hosts_json(p, hosts, n_hosts, &on) : 0;
	p->made.verdict = p->supported_lacks ? ABIBASE_VERDICT_NO :
			  p->cannot_tell     ? ABIBASE_VERDICT_UNKNOWN :
					       ABIBASE_VERDICT_YES;
	p->made.root = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:o, s:o, s:o?, s:O}", "schema",
		"abibase-plan/1", "verdict", verdict_words[p->made.verdict], "what", what,
		"description", description(p, what), "at", p->at, "features", features_json(p),
		"platforms", list, "any_has", p->any_has, "standard",
		end_json(p, SUPPORT_STANDARD), "extended", end_json(p, SUPPORT_EXTENDED), "hosts",
		on, "scope", p->scope);
	return r;
}

static int check_types(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		       struct abibase_profile *const *profiles, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = profile_check_types(ctx, cat, profiles[i]);
	return r;
}

/* ---------------------------------------------------------------------------- as text */

static const char *get(const json_t *o, const char *key, const char *otherwise)
{
	const char *s = string_of(o, key);

	return s ? s : otherwise;
}

/* Platforms whose support has not ended: all, or those that have it not, or of which it is unknown. */
static json_t *supported(const json_t *root, const char *has)
{
	json_t *names = json_array(), *v;
	size_t i;

	json_array_foreach(json_object_get(root, "platforms"), i, v) {
		const char *support = string_of(v, "support"), *is = string_of(v, "has");

		if (streq(support, "ended"))
			continue;
		/* what one lacks whose support nobody knows tells nothing for sure */
		if (streq(is, "no") && streq(support, "unknown"))
			is = "unknown";
		if ((!has || streq(is, has)) &&
		    json_array_append(names, json_object_get(v, "name")) < 0) {
			json_decref(names);
			return NULL;
		}
	}
	return names;
}

/* "no: 2 of 3 platforms that are supported on 2026-11-23 lack offload-uso (UDP ...): a, b" */
static void show_verdict(struct page *p, const json_t *root)
{
	const char *verdict = string_of(root, "verdict"), *text = string_of(root, "description");
	bool no = streq(verdict, "no"), yes = streq(verdict, "yes");
	json_auto_t *all = supported(root, NULL);
	json_auto_t *whom = supported(root, no ? "no" : yes ? "yes" : "unknown");
	bool one = json_array_size(whom) == 1;
	_buf_ of = { 0 }, names = { 0 };

	page_count(&of, json_array_size(all), "platform that is", "platforms that are");
	buf_puts(&names, json_array_size(whom) && !yes ? ": " : "");
	page_some(&names, yes ? NULL : whom, IN_VERDICT);
	page_say(p, 2, "%s: %zu of %s supported on %s %s %s (%.*s)%s",
		 no || yes ? verdict : "cannot tell", json_array_size(whom),
		 of.data ? of.data : "", string_of(root, "at"),
		 yes ? (one ? "has" : "have") : no ? (one ? "lacks" : "lack") : "may lack",
		 string_of(root, "what"), (int)strcspn(text, ":"), text,
		 names.data ? names.data : "");
	p->failed |= !all || !whom || buf_failed(&of) || buf_failed(&names);
}

static void show_features(struct page *p, const json_t *list)
{
	const char *last = NULL;
	_buf_ text = { 0 };
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)list, i, v) {
		page_property(&text, string_of(v, "property"), &last);
		buf_printf(&text, " (%s, bit %lld)", string_of(v, "feature"),
			   (long long)json_integer_value(json_object_get(v, "bit")));
	}
	page_item(p, "for", "%s", text.data ? text.data : "");
	p->failed |= buf_failed(&text);
}

static void show_platform(struct page *p, const json_t *o)
{
	page_item(p, string_of(o, "has"), "%s: standard support until %s, extended until %s; now %s",
		  string_of(o, "name"), get(o, "standard_end", "an unknown day"),
		  get(o, "extended_end", "an unknown day"), string_of(o, "support"));
}

static void show_end(struct page *p, const char *label, const json_t *o, const char *at)
{
	const char *not_before = get(o, "not_before", ""), *last = string_of(o, "last");
	_buf_ text = { 0 };

	if (string_of(o, "earliest")) {
		buf_puts(&text, streq(not_before, at) ? "now" : not_before);
	} else {
		buf_printf(&text,
			   "cannot tell, but not before %s, for the facts or the end of these "
			   "are unknown: ",
			   not_before);
		page_names(&text, json_object_get(o, "unknown"));
	}
	if (last)
		buf_printf(&text, " (the last that lacks it: %s)", last);
	page_item(p, label, "%s", text.data ? text.data : "");
	p->failed |= buf_failed(&text);
}

static void show_hosts(struct page *p, const json_t *o)
{
	_buf_ names = { 0 };
	size_t i, k;
	json_t *v, *w;

	page_names(&names, json_object_get(o, "names"));
	p->failed |= buf_failed(&names);
	page_say(p, 2, "A baseline with --policy all for %s gives today, under %s:",
		 names.data ? names.data : "", get(o, "machine", "no machine type"));
	json_array_foreach(json_object_get(o, "values"), i, v) {
		page_say(p, 2, "%s=%s", string_of(v, "property"), get(v, "value", ""));
		json_array_foreach(json_object_get(v, "why"), k, w)
			page_item(p, k ? "" : "why", "%s", string_of(w, "text"));
	}
	page_find(p, NULL, NULL, json_object_get(o, "findings"));
	page_causes(p);
}

static int show(const json_t *root, size_t width, char **ret)
{
	const char *at = string_of(root, "at");
	const json_t *hosts = json_object_get(root, "hosts");
	const json_t *platforms = json_object_get(root, "platforms");
	struct page p;
	size_t i;
	json_t *v;

	page_begin(&p, width);
	p.whose = "platform";
	show_verdict(&p, root);
	show_features(&p, json_object_get(root, "features"));
	json_array_foreach((json_t *)platforms, i, v) {
		const char *shown = json_array_size(platforms) > 1 ? string_of(v, "name") : NULL;

		page_find(&p, NULL, shown, json_object_get(v, "lacks"));
		page_find(&p, NULL, shown, json_object_get(v, "unknown"));
	}
	page_causes(&p);
	json_array_foreach((json_t *)platforms, i, v)
		show_platform(&p, v);
	page_say(&p, 2, "Earliest day on which it could be on by default for everybody, by support:");
	show_end(&p, "standard", json_object_get(root, "standard"), at);
	show_end(&p, "extended", json_object_get(root, "extended"), at);
	if (!json_is_true(json_object_get(root, "any_has")))
		page_say(&p, 2, "None of these platforms is known to have it: the releases that "
				"follow have to bring it first.");
	if (json_is_object(hosts))
		show_hosts(&p, hosts);
	page_end(&p, json_object_get(root, "scope"), "list, abibase explain --cost BASELINE");
	return page_give(&p, ret);
}

/* ------------------------------------------------------------------------------ the call */

ABIBASE_EXPORT int abibase_plan(struct abibase_context *ctx, struct abibase_catalogue *cat,
				const char *what, const char *at,
				struct abibase_profile *const *platforms, size_t n_platforms,
				struct abibase_profile *const *hosts, size_t n_hosts,
				struct abibase_result **ret)
{
	struct planning p = { .ctx = ctx, .cat = cat, .at = at, .made.show = show };
	_autofree_ struct abibase_profile **these = NULL, **those = NULL;
	unsigned int date[3];
	int r;

	if (!date_parse(at, date))
		return context_fail(ctx, EINVAL, "bad-date", NULL,
				    "\"%s\" is not a day: write YYYY-MM-DD", at);
	if (!n_platforms)
		return context_fail(ctx, EINVAL, "no-platforms", NULL,
				    "there is no platform to plan with");
	r = check_types(ctx, cat, platforms, n_platforms);
	if (r == 0)
		r = check_types(ctx, cat, hosts, n_hosts);
	if (r == 0)
		r = profiles_once(ctx, platforms, &n_platforms, &these);
	if (r == 0)
		r = profiles_once(ctx, hosts, &n_hosts, &those);
	if (r < 0)
		return r;
	p.unknown[0] = json_array();
	p.unknown[1] = json_array();
	p.scope = scope_new();
	scope_add_devices(&p.scope, cat, catalogue_device(cat, NULL));
	scope_add(&p.scope, "evidence", "record");
	scope_add(&p.scope, "layers", "QEMU");
	r = choose_newest(&p);
	if (r == 0)
		r = find_rows(&p, what);
	if (r == 0)
		r = make(&p, what, these, n_platforms, those, n_hosts);
	if (r == 0 && p.arena.failed)
		r = context_oom(ctx);
	json_decref(p.unknown[0]);
	json_decref(p.unknown[1]);
	json_decref(p.newest_entry);
	json_decref(p.scope);
	arena_clear(&p.arena);
	free(p.rows);
	if (r == 0)
		return result_give(ctx, &p.made, ret);
	json_decref(p.made.root);
	return r;
}
