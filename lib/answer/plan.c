/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "document/baseline.h"
#include "base/suggest.h"
#include "document/catalogue.h"
#include "base/context.h"
#include "document/result.h"
#include "document/hosts.h"
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
	bool failed; /* memory ran out */
	bool supported_lacks, cannot_tell, any_has;
	/* for each enum support: the end that is known to be the last, and whose; who is not known */
	const char *last[2], *last_name[2];
	json_t *unknown[2];
};

static void set(struct planning *p, json_t *o, const char *key, json_t *v)
{
	if (json_object_set_new(o, key, v) < 0)
		p->failed = true;
}

static void append(struct planning *p, json_t *list, json_t *v)
{
	if (json_array_append_new(list, v) < 0)
		p->failed = true;
}

static json_t *string_or_null(const char *s)
{
	return s && *s ? json_string(s) : json_null();
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

/* Not the same line twice: rows of a group share their needs. */
static void append_once(struct planning *p, json_t *list, json_t *v)
{
	size_t i;
	json_t *known;

	json_array_foreach(list, i, known)
		if (json_equal(known, v)) {
			json_decref(v);
			return;
		}
	append(p, list, v);
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
			size_t backend, json_t *lacks, json_t *unknown)
{
	struct ask a = { .cat = p->cat, .p = f, .view = &p->newest };

	for (struct asked w = { 0 }; ask_next_need(&a, &row->needs[backend], &w);) {
		if (w.answer == ABIBASE_YES)
			continue;
		if (!w.c)
			append_once(p, lacks,
				    json_pack("{s:s, s:o}", "layer", "QEMU", "text",
					      json_sprintf("QEMU never offers it on %s",
							   p->cat->backends[backend].name)));
		else if (w.answer == ABIBASE_NO)
			append_once(p, lacks, json_pack("{s:s, s:s, s:s}", "condition", w.c->name,
							"layer", w.c->layer, "text", w.c->missing));
		else
			append_once(p, unknown,
				    json_pack("{s:s, s:s}", "condition", w.c->name, "reason",
					      w.reason ? w.reason : "not-recorded"));
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
	return e.known;
}

static void ask_qemus(struct planning *p, const struct abibase_profile *f, const struct row *row,
		      json_t *lacks, json_t *unknown)
{
	if (f->has_qemu && !f->n_qemu && !f->n_unasked)
		append_once(p, lacks,
			    json_pack("{s:s, s:s}", "layer", "QEMU", "text", "it has no QEMU"));
	else if (!f->n_qemu || f->n_unasked)
		append_once(p, unknown, json_pack("{s:s, s:s}", "condition", "qemu", "reason",
						  "not-recorded"));
	for (size_t i = 0; i < f->n_qemu; i++) {
		enum abibase_tri has = qemu_has(p, &f->qemu[i], row);

		if (has == ABIBASE_UNKNOWN)
			append_once(p, unknown, json_pack("{s:s, s:s}", "condition", row->key,
							  "reason", "not-recorded"));
		if (has == ABIBASE_NO)
			append_once(p, lacks,
				    json_pack("{s:s, s:o}", "layer", "QEMU", "text",
					      json_sprintf("QEMU %s does not have the property; "
							   "upstream QEMU has it from %u.%u on",
							   f->qemu[i].version, row->since.part[0],
							   row->since.part[1])));
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
	json_t *o = json_object(), *lacks = json_array(), *unknown = json_array();
	const char *standard = date_of(f, "standard_end"), *extended = date_of(f, "extended_end");
	const char *support = judge_support(p, date_of(f, "release"), standard, extended);

	for (size_t i = 0; i < p->n_rows; i++) {
		const struct row *row = &p->cat->rows[p->rows[i]];

		for (size_t be = 0; be < p->cat->n_backends; be++)
			if (p->cat->backends[be].by_default)
				ask_backend(p, f, row, be, lacks, unknown);
		ask_qemus(p, f, row, lacks, unknown);
	}
	if (json_array_size(lacks) || json_array_size(unknown))
		count_platform(p, f, json_array_size(lacks), support);
	else
		p->any_has = true;
	set(p, o, "name", json_string(f->name));
	set(p, o, "has", json_string(json_array_size(lacks)   ? "no" :
				     json_array_size(unknown) ? "unknown" :
								"yes"));
	set(p, o, "lacks", lacks);
	set(p, o, "unknown", unknown);
	set(p, o, "support", json_string(support));
	set(p, o, "release", string_or_null(date_of(f, "release")));
	set(p, o, "standard_end", string_or_null(standard));
	set(p, o, "extended_end", string_or_null(extended));
	return o;
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

	for (size_t i = 0; i < b->findings.n; i++) {
		const struct finding *f = &b->findings.f[i];

		if (f->kind != ABIBASE_FINDING_NOTE)
			append(p, list, json_pack("{s:s, s:s}", "id", f->id, "text", f->text));
	}
	return list;
}

static int hosts_json(struct planning *p, struct abibase_profile *const *hosts, size_t n,
		      json_t **ret)
{
	struct abibase_intersection *ix = NULL;
	struct abibase_baseline *b = NULL;
	json_t *o, *names, *values;
	int r = abibase_intersection_new(p->ctx, p->cat, &ix);

	if (r == 0)
		r = add_hosts(p, ix, hosts, n);
	if (r == 0)
		r = abibase_intersection_finish(ix, &b);
	abibase_intersection_unref(ix);
	if (r < 0)
		return r;
	o = json_object();
	names = json_array();
	values = json_array();
	for (size_t i = 0; i < n; i++)
		append(p, names, json_string(hosts[i]->name));
	for (size_t i = 0; r == 0 && b->machine && i < p->n_rows; i++)
		r = host_value(p, b, p->cat->rows[p->rows[i]].key, values);
	set(p, o, "baseline", string_or_null(abibase_baseline_id(b)));
	set(p, o, "findings", in_the_way(p, b));
	set(p, o, "machine", string_or_null(b->machine));
	set(p, o, "names", names);
	set(p, o, "values", values);
	set(p, o, "verdict", json_string(verdict_words[abibase_baseline_verdict(b)]));
	abibase_baseline_unref(b);
	*ret = o;
	return r;
}

/* --------------------------------------------------------------------- the object */

static json_t *end_json(struct planning *p, enum support s)
{
	char not_before[DATE_LEN + 1];
	json_t *o = json_object();

	if (p->last[s])
		next_day(p->last[s], not_before);
	else
		snprintf(not_before, sizeof(not_before), "%s", p->at);
	set(p, o, "earliest",
	    json_array_size(p->unknown[s]) ? json_null() : json_string(not_before));
	set(p, o, "last", string_or_null(p->last_name[s]));
	set(p, o, "not_before", json_string(not_before));
	set(p, o, "unknown", json_incref(p->unknown[s]));
	return o;
}

static int make(struct planning *p, const char *what, struct abibase_profile *const *platforms,
		size_t n_platforms, struct abibase_profile *const *hosts, size_t n_hosts)
{
	json_t *o = p->made.root = json_object(), *list = json_array(), *on = NULL;
	int r;

	for (size_t i = 0; i < n_platforms; i++)
		append(p, list, platform_json(p, platforms[i]));
	p->made.verdict = p->supported_lacks ? ABIBASE_VERDICT_NO :
			  p->cannot_tell     ? ABIBASE_VERDICT_UNKNOWN :
					       ABIBASE_VERDICT_YES;
	set(p, o, "schema", json_string("abibase-plan/1"));
	set(p, o, "verdict", json_string(verdict_words[p->made.verdict]));
	set(p, o, "what", json_string(what));
	set(p, o, "description", json_string(description(p, what)));
	set(p, o, "at", json_string(p->at));
	set(p, o, "features", features_json(p));
	set(p, o, "platforms", list);
	set(p, o, "any_has", json_boolean(p->any_has));
	set(p, o, "standard", end_json(p, SUPPORT_STANDARD));
	set(p, o, "extended", end_json(p, SUPPORT_EXTENDED));
	r = n_hosts ? hosts_json(p, hosts, n_hosts, &on) : 0;
	set(p, o, "hosts", on ? on : json_null());
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
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : otherwise;
}

static void text_list(const json_t *list, struct buf *out)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)list, i, v)
		buf_printf(out, "%s%s", i ? ", " : "", json_string_value(v));
}

static void text_features(const json_t *list, struct buf *out)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)list, i, v)
		show_printf(out, 2, 4, "%s: %s (bit %lld)", get(v, "property", ""),
			    get(v, "feature", ""),
			    (long long)json_integer_value(json_object_get(v, "bit")));
}

static void text_platform(const json_t *o, struct buf *out)
{
	size_t i;
	json_t *v;

	buf_printf(out, "%-30s  %-8s %-12s %-12s %s\n", get(o, "name", ""), get(o, "has", ""),
		   get(o, "standard_end", "unknown"), get(o, "extended_end", "unknown"),
		   get(o, "support", ""));
	json_array_foreach(json_object_get(o, "lacks"), i, v) {
		show_printf(out, 4, 6, "%s: %s", get(v, "layer", ""), get(v, "text", ""));
	}
	json_array_foreach(json_object_get(o, "unknown"), i, v)
		show_printf(out, 4, 6, "%s is unknown (%s)", get(v, "condition", ""),
			    get(v, "reason", ""));
}

static void text_end(const char *label, const json_t *o, const char *at, struct buf *out)
{
	const char *not_before = get(o, "not_before", "");
	_buf_ text = { 0 };

	if (json_is_string(json_object_get(o, "earliest"))) {
		buf_puts(&text, streq(not_before, at) ? "now" : not_before);
	} else {
		buf_printf(&text,
			   "cannot tell, but not before %s, for the facts or the end of these "
			   "are unknown: ",
			   not_before);
		text_list(json_object_get(o, "unknown"), &text);
	}
	if (json_is_string(json_object_get(o, "last")))
		buf_printf(&text, " (the last that lacks it: %s)", get(o, "last", ""));
	show_printf(out, 2, 4, "%s: %s", label, text.data ? text.data : "");
	out->failed |= buf_failed(&text);
}

static void text_host_value(const json_t *v, struct buf *out)
{
	size_t i;
	json_t *w;

	buf_printf(out, "  %s=%s\n", get(v, "property", ""), get(v, "value", ""));
	json_array_foreach(json_object_get(v, "why"), i, w) {
		show_printf(out, 4, 6, "%s", get(w, "text", ""));
	}
}

static void text_hosts(const json_t *o, struct buf *out)
{
	_buf_ names = { 0 };
	size_t i;
	json_t *v;

	if (!json_is_object(o))
		return;
	text_list(json_object_get(o, "names"), &names);
	buf_putc(out, '\n');
	show_printf(out, 0, 2, "A baseline with --policy all for %s gives today, under %s:",
		    names.data ? names.data : "", get(o, "machine", "no machine type"));
	out->failed |= buf_failed(&names);
	json_array_foreach(json_object_get(o, "values"), i, v)
		text_host_value(v, out);
	json_array_foreach(json_object_get(o, "findings"), i, v) {
		show_printf(out, 2, 4, "%s [%s]", get(v, "text", ""), get(v, "id", ""));
	}
}

static int show(const json_t *root, size_t width, char **ret)
{
	const char *at = get(root, "at", ""), *verdict = get(root, "verdict", "");
	_buf_ out = { .width = width };
	size_t i;
	json_t *v;

	show_printf(&out, 0, 2, "%s: %s (%s), as of %s",
		    streq(verdict, "unknown") ? "cannot tell" : verdict,
		    get(root, "description", ""), get(root, "what", ""), at);
	text_features(json_object_get(root, "features"), &out);
	buf_printf(&out, "\n%-30s  %-8s %-12s %-12s %s\n", "PLATFORM", "HAS IT", "STANDARD",
		   "EXTENDED", "SUPPORT");
	json_array_foreach(json_object_get(root, "platforms"), i, v)
		text_platform(v, &out);
	buf_puts(&out, "\nEarliest day on which it could be on by default for everybody\n");
	text_end("counting standard support", json_object_get(root, "standard"), at, &out);
	text_end("counting extended support", json_object_get(root, "extended"), at, &out);
	if (!json_is_true(json_object_get(root, "any_has")))
		show_printf(&out, 2, 4,
			    "None of these platforms is known to have it: the releases that "
			    "follow have to bring it first.");
	text_hosts(json_object_get(root, "hosts"), &out);
	show_printf(&out, 0, 2,
		    "Looked at: what the platforms record of kernel and QEMU; not looked at: CPU, "
		    "firmware, other devices");
	show_printf(&out, 0, 2, "See: abibase list, abibase explain --cost BASELINE");
	return buf_give(&out, ret);
}

/* ------------------------------------------------------------------------------ the call */

ABIBASE_EXPORT int abibase_plan(struct abibase_context *ctx, struct abibase_catalogue *cat,
				const char *what, const char *at,
				struct abibase_profile *const *platforms, size_t n_platforms,
				struct abibase_profile *const *hosts, size_t n_hosts,
				struct abibase_result **ret)
{
	struct planning p = { .ctx = ctx, .cat = cat, .at = at, .made.show = show };
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
	if (r < 0)
		return r;
	p.unknown[0] = json_array();
	p.unknown[1] = json_array();
	r = choose_newest(&p);
	if (r == 0)
		r = find_rows(&p, what);
	if (r == 0)
		r = make(&p, what, platforms, n_platforms, hosts, n_hosts);
	if (r == 0 && p.failed)
		r = context_oom(ctx);
	json_decref(p.unknown[0]);
	json_decref(p.unknown[1]);
	json_decref(p.newest_entry);
	free(p.rows);
	if (r == 0)
		return result_give(ctx, &p.made, ret);
	json_decref(p.made.root);
	return r;
}
