/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "base/context.h"
#include "answer/diff.h"
#include "document/hosts.h"
#include "document/page.h"
#include "document/result.h"
#include "model/ask.h"
#include "answer/show.h"

/* Which platforms does a host satisfy? Asked is what a guest on one of the backends can meet. */

struct entry {
	json_t *json;		  /* as the document has it */
	enum abibase_verdict verdict;
	struct findings findings;
	json_t *not_asked;	  /* facts that are unknown of the platform */
	size_t asked;		  /* facts that it states as present */
	size_t missing, unknown;  /* of them; a device that is not there at all counts once */
	size_t more;		  /* the host has, and the platform has not */
	size_t compared;	  /* facts that both state */
	size_t other;		  /* differences in facts that no guest meets */
};

struct matching {
	struct abibase_context *ctx;
	const struct abibase_catalogue *cat;
	const struct abibase_profile *host, *platform;
	unsigned int backends; /* of the catalogue, a mask */
	bool *used; /* by condition */
	bool sizes; /* of a ROM, that host and platform state */
	struct entry *entries;
	size_t n;
	json_t *not_compared; /* devices of the other backends that a platform states */
	struct arena arena;   /* all the texts, and whether memory ran out */
};

/* ---------------------------------------------------------------------- pieces */

/* Formatted text without control characters, which a profile may contain. */
#define keep(x, ...) show_keep(&(x)->arena, __VA_ARGS__)

/* @fact is what it is about, @cause the sentence. */
static void put_finding(struct matching *x, struct entry *e, bool known, const char *layer,
			const char *fact, const char *remedy, const char *cause)
{
	_buf_ text = { 0 };

	buf_printf(&text, "%s %s: %s", known ? "lacks" : "cannot tell", fact, cause);
	finding_add(&e->findings,
		    (struct finding){
			    .kind = known ? ABIBASE_FINDING_CONFLICT : ABIBASE_FINDING_UNKNOWN,
			    .id = known ? "match-lacks" : "match-unknown",
			    .layer = layer,
			    .fact = fact,
			    .bit = -1,
			    .remedy = remedy,
			    .cause = keep(x, "%s (%s)", cause, fact) },
		    &text);
	*(known ? &e->missing : &e->unknown) += 1;
}

static void add_once(struct matching *x, json_t *list, const char *name)
{
	if (!json_has(list, name) && json_array_append_new(list, json_string(name)) < 0)
		x->arena.failed = true;
}

/* ----------------------------------------------------- which facts are compared */

static void use_needs(struct matching *x, const struct needs *needs)
{
	struct ask a = { .cat = x->cat };

	for (size_t k = 0; k < x->cat->n_backends; k++)
		for (struct asked w = { 0 };
		     x->backends & (1u << k) && ask_next_need(&a, &needs[k], &w);)
			if (w.c)
				x->used[w.condition] = true;
}

static void use_conditions(struct matching *x)
{
	const struct abibase_catalogue *cat = x->cat;
	struct ask a = { .cat = cat };

	for (size_t k = 0; k < cat->n_backends; k++)
		for (struct asked w = { 0 }; x->backends & (1u << k) && ask_next_usable(&a, k, &w);)
			x->used[w.condition] = true;
	for (size_t i = 0; i < cat->n_rows; i++)
		use_needs(x, cat->rows[i].needs);
	for (size_t i = 0; i < cat->n_requirements; i++)
		use_needs(x, cat->requirements[i].needs);
}

static int choose_backends(struct matching *x, const char *const *backends)
{
	for (size_t i = 0; backends && backends[i]; i++) {
		int k = catalogue_backend(x->cat, backends[i]);

		if (k < 0 || x->cat->backends[k].predicted_only)
			return catalogue_no_backend(x->ctx, x->cat, backends[i], false, "usage");
		x->backends |= 1u << k;
	}
	for (size_t k = 0; !backends && k < x->cat->n_backends; k++)
		x->backends |= (unsigned int)x->cat->backends[k].by_default << k;
	return 0;
}

/* --------------------------------------------------------------- the words for it */

#define MANY_FEATURES 4

/* What is missing, and which features of a guest hang on it; not those that the sentence names. */
static const char *lacks_words(struct matching *x, int condition)
{
	const char *sentence = x->cat->conditions[condition].missing, *words;
	_buf_ b = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < x->cat->n_rows; i++) {
		const struct row *row = &x->cat->rows[i];

		if (!ask_needed(x->cat, row->needs, x->backends, condition) ||
		    strstr(sentence, row->feature))
			continue;
		if (n++ < MANY_FEATURES)
			buf_printf(&b, "%s%s", n > 1 ? ", " : " (", row->feature);
	}
	if (n > MANY_FEATURES)
		buf_printf(&b, " and %zu more", n - MANY_FEATURES);
	words = arena_words(&x->arena, &b);
	return keep(x, "%s%s%s", sentence, words, n ? ")" : "");
}

/* ---------------------------------------------------------------- fact by fact */

static size_t surface_len(const char *fact)
{
	return strcspn(fact, ".");
}

static bool is_usable_fact(const char *fact)
{
	return streq(fact + surface_len(fact), ".usable");
}

/* What a profile says about a condition; a device that is absent has nothing of what it could have. */
static enum abibase_tri ask(const struct abibase_profile *p, const struct condition *cond,
			    const char **ret_reason)
{
	enum abibase_tri answer = profile_ask(p, cond->fact, cond->bit, ret_reason);

	if (answer == ABIBASE_UNKNOWN && !json_object_get(p->facts, cond->fact) &&
	    json_is_false(surface_usable(p, cond->fact)))
		return ABIBASE_NO;
	return answer;
}

/* Was it said already that the whole device is not there, or not known? */
static bool follows_from_usable(const struct matching *x, const struct condition *cond,
				enum abibase_tri answer)
{
	const json_t *here = surface_usable(x->host, cond->fact);

	if (is_usable_fact(cond->fact) || !json_is_true(surface_usable(x->platform, cond->fact)))
		return false;
	return json_is_false(here) || (json_is_object(here) && answer == ABIBASE_UNKNOWN);
}

static void judge_condition(struct matching *x, struct entry *e, int i)
{
	const struct condition *cond = &x->cat->conditions[i];
	const char *reason = NULL;
	enum abibase_tri there = ask(x->platform, cond, NULL);
	enum abibase_tri here = ask(x->host, cond, &reason);
	/* a bit that was not asked for by its name, a word of which nothing is known by its own */
	bool word = json_is_string(json_object_get(x->platform->facts, cond->fact));

	if (there == ABIBASE_UNKNOWN)
		add_once(x, e->not_asked, word ? cond->name : cond->fact);
	else if (here != ABIBASE_UNKNOWN)
		e->compared++;
	e->more += there == ABIBASE_NO && here == ABIBASE_YES;
	e->asked += there == ABIBASE_YES;
	if (there != ABIBASE_YES || here == ABIBASE_YES || follows_from_usable(x, cond, here))
		return;
	if (here == ABIBASE_NO)
		put_finding(x, e, true, cond->layer, cond->name, cond->remedy, lacks_words(x, i));
	else
		put_finding(x, e, false, cond->layer, cond->name, NULL,
			    keep(x, "unknown here (%s)", reason));
}

static void judge_facts(struct matching *x, struct entry *e)
{
	for (size_t i = 0; i < x->cat->n_conditions; i++)
		if (x->used[i])
			judge_condition(x, e, (int)i);
}

/* Can a guest of the platform not get into one of the host's, whatever a list says? */
static bool size_differs(struct matching *x, const struct row *row, const json_t *here,
			 const json_t *there, const char *machine)
{
	struct qemu_view view;
	struct effective mine;
	const json_t *theirs = qemu_observed(there, machine, row->observed);

	qemu_view_init(&view, x->cat, here, machine);
	qemu_effective(&view, row, &mine);
	if (!mine.value || !theirs)
		return false;
	x->sizes = true;
	if (json_equal(mine.value, theirs))
		return false;
	return mine.known == ABIBASE_NO ||
	       json_integer_value(mine.value) > json_integer_value(theirs);
}

/* A size that comes of a file: what both state; a list of the platform makes a smaller one the
 * same. */
static void judge_size(struct matching *x, struct entry *e, const struct row *row,
		       const json_t *here, const json_t *there)
{
	const char *machine;
	json_t *shape;

	json_object_foreach(json_object_get(there, "shape"), machine, shape) {
		if (!size_differs(x, row, here, there, machine))
			continue;
		put_finding(x, e, true, "QEMU", row->key, row->remedy,
			    keep(x, "%s is %lld here, %lld there", row->feature,
				 (long long)json_integer_value(
					 qemu_observed(here, machine, row->observed)),
				 (long long)json_integer_value(
					 qemu_observed(there, machine, row->observed))));
		return;
	}
}

/* Once, with whichever QEMUs they are */
static void judge_sizes(struct matching *x, struct entry *e)
{
	for (size_t r = 0; r < x->cat->n_rows; r++) {
		const struct row *row = &x->cat->rows[r];
		size_t before = e->missing;

		if (!row->observed || !(row->backends & x->backends))
			continue;
		for (size_t i = 0; i < x->host->n_qemu; i++)
			for (size_t k = 0; e->missing == before && k < x->platform->n_qemu; k++)
				judge_size(x, e, row, x->host->qemu[i].json,
					   x->platform->qemu[k].json);
	}
}

static void judge_arch(struct matching *x, struct entry *e)
{
	if (!streq(x->host->arch, x->platform->arch))
		put_finding(x, e, true, "host", "arch", NULL,
			    keep(x, "it is %s here, %s there", x->host->arch, x->platform->arch));
}

static bool surface_used(const struct matching *x, const char *fact)
{
	size_t len = surface_len(fact) + 1;

	for (size_t i = 0; i < x->cat->n_conditions; i++)
		if (x->used[i] && !strncmp(x->cat->conditions[i].fact, fact, len))
			return true;
	return false;
}

/* Devices that the catalogue asks only for other backends and that the platform has. */
static void note_not_compared(struct matching *x)
{
	for (size_t i = 0; i < x->cat->n_conditions; i++) {
		const char *fact = x->cat->conditions[i].fact;

		if (is_usable_fact(fact) && !surface_used(x, fact) &&
		    json_is_true(json_object_get(x->platform->facts, fact)))
			add_once(x, x->not_compared, keep(x, "%.*s", (int)surface_len(fact), fact));
	}
}

/* ------------------------------------------------------------------------ QEMU */

static void put_versions(struct buf *b, const struct abibase_profile *p)
{
	if (!p->n_qemu)
		buf_puts(b, p->n_unasked ? "not known" : p->has_qemu ? "none" : "not recorded");
	for (size_t i = 0; i < p->n_qemu; i++)
		buf_printf(b, "%s%s", i ? ", " : "", p->qemu[i].version);
}

static size_t count_lacks(const struct diff *d, enum diff_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		n += d->items[i].kind == kind && d->items[i].side == DIFF_A_LACKS;
	return n;
}

static void put_count(struct buf *b, size_t n, const char *one, const char *many)
{
	if (n)
		buf_printf(b, "; %zu %s", n, n == 1 ? one : many);
}

static const char *compare_qemu(struct matching *x, const struct diff *d)
{
	size_t values = 0;
	_buf_ b = { 0 };

	put_versions(&b, x->host);
	buf_puts(&b, " here, ");
	put_versions(&b, x->platform);
	buf_puts(&b, " there");
	for (size_t i = 0; i < d->n; i++)
		values += d->items[i].kind == DIFF_VALUE && d->items[i].known;
	if (x->host->n_qemu && x->platform->n_qemu) {
		put_count(&b, count_lacks(d, DIFF_QEMU), "binary is missing here",
			  "binaries are missing here");
		put_count(&b, count_lacks(d, DIFF_MACHINE), "machine type is missing here",
			  "machine types are missing here");
		put_count(&b, count_lacks(d, DIFF_PROPERTY), "property is missing here",
			  "properties are missing here");
		put_count(&b, values, "value of a machine type differs",
			  "values of machine types differ");
	}
	return keep(x, "%s", arena_words(&x->arena, &b));
}

/* --------------------------------------------------------------- which is the closest */

static size_t distance(const struct entry *e)
{
	return e->missing + e->unknown + e->more;
}

/* Less than zero: @a is the closer one. */
static int cmp_closeness(const struct entry *a, const struct entry *b)
{
	size_t x = distance(a), y = distance(b);

	if (x != y)
		return x < y ? -1 : 1;
	if (a->other != b->other)
		return a->other < b->other ? -1 : 1;
	return (b->verdict == ABIBASE_VERDICT_YES) - (a->verdict == ABIBASE_VERDICT_YES);
}

static void find_closest(struct matching *x)
{
	const struct entry *best = NULL;

	for (size_t i = 0; i < x->n; i++)
		if (x->entries[i].compared && (!best || cmp_closeness(&x->entries[i], best) < 0))
			best = &x->entries[i];
	for (size_t i = 0; i < x->n; i++) {
		struct entry *e = &x->entries[i];
		bool closest = e->compared && !cmp_closeness(e, best);

		x->arena.failed |= json_put(e->json, "closest", json_boolean(closest)) < 0;
	}
}

static void count_other(struct matching *x, struct entry *e, const struct diff *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct diff_item *item = &d->items[i];

		e->other += item->kind == DIFF_FACT && !item->guest_visible &&
			    item->known && surface_used(x, item->subject);
	}
}

/* ------------------------------------------------------------------ the object */

static enum abibase_verdict verdict_of(const struct entry *e)
{
	if (e->missing)
		return ABIBASE_VERDICT_NO;
	/* "It has all of nothing" would be a yes that nobody can rely on. */
	return e->unknown || !e->asked ? ABIBASE_VERDICT_UNKNOWN : ABIBASE_VERDICT_YES;
}

/* ------------------------------------------------------------------ the document */

/* As findings are anywhere, with a word that is not theirs, and a remedy that can be null. */
static json_t *finding_of(const struct finding *f)
{
	json_t *v = finding_json(f);

	json_object_del(v, "fixable");
	if (json_put(v, "verdict",
		     json_string(f->kind == ABIBASE_FINDING_CONFLICT ? "no" : "unknown")) == 0 &&
	    (f->remedy || json_put(v, "remedy", json_null()) == 0))
		return v;
	json_decref(v);
	return NULL;
}

static json_t *entry_json(struct matching *x, const struct entry *e, const char *qemu)
{
	json_t *found = json_array();
	int64_t revision = x->platform->revision;

	for (size_t i = 0; i < e->findings.n; i++)
		x->arena.failed |= json_add(found, finding_of(&e->findings.f[i])) < 0;
	return json_pack("{s:s, s:o, s:s, s:o, s:s, s:s, s:o*}", "digest", x->platform->digest,
			 "findings", found, "name", keep(x, "%s", x->platform->name), "not_asked",
			 e->not_asked, "qemu", qemu, "verdict", verdict_words[e->verdict],
			 "revision", revision ? json_integer(revision) : NULL);
}

static int match_platform(struct matching *x, struct entry *e)
{
	struct diff d;

	if (diff_profiles(NULL, x->cat, x->host, x->platform, 0, &d) < 0)
		return context_oom(x->ctx);
	e->findings.arena = &x->arena;
	e->not_asked = json_array();
	judge_arch(x, e);
	judge_facts(x, e);
	judge_sizes(x, e);
	note_not_compared(x);
	count_other(x, e, &d);
	e->verdict = verdict_of(e);
	e->json = entry_json(x, e, compare_qemu(x, &d));
	diff_clear(&d);
	return 0;
}

static enum abibase_verdict verdict_of_all(const struct matching *x)
{
	enum abibase_verdict verdict = ABIBASE_VERDICT_NO;

	for (size_t i = 0; i < x->n; i++) {
		if (x->entries[i].verdict == ABIBASE_VERDICT_YES)
			return ABIBASE_VERDICT_YES;
		if (x->entries[i].verdict == ABIBASE_VERDICT_UNKNOWN)
			verdict = ABIBASE_VERDICT_UNKNOWN;
	}
	return verdict;
}

/* QEMUs are shown, and what one makes of a machine type is check's to say; but for sizes of ROMs. */
static json_t *scope(const struct matching *x)
{
	json_t *scope = scope_new(), *v;
	size_t i;

	scope_add(&scope, "evidence", "record");
	scope_add_devices(&scope, x->cat, x->backends);
	for (size_t c = 0; c < x->cat->n_conditions; c++)
		if (x->used[c])
			scope_add(&scope, "layers", x->cat->conditions[c].layer);
	if (x->sizes)
		scope_add(&scope, "layers", "ROM sizes");
	json_array_foreach(x->not_compared, i, v)
		scope_add(&scope, "not_compared", json_string_value(v));
	return scope;
}

static json_t *make_document(struct matching *x, enum abibase_verdict verdict)
{
	json_t *platforms = json_array(), *backends = json_array();

	for (size_t i = 0; i < x->n; i++)
		x->arena.failed |= json_add(platforms, steal(&x->entries[i].json)) < 0;
	for (size_t k = 0; k < x->cat->n_backends; k++)
		if (x->backends & (1u << k))
			add_once(x, backends, x->cat->backends[k].name);
	return json_pack("{s:s, s:o, s:s, s:s, s:O, s:o, s:o, s:s}", "schema", "abibase-match/1",
			 "backends", backends, "digest", x->host->digest, "name",
			 keep(x, "%s", x->host->name), "not_compared", x->not_compared,
			 "platforms", platforms, "scope", scope(x), "verdict",
			 verdict_words[verdict]);
}

/* --------------------------------------------------------------------- for people */

/* The names of the closest; NULL: no memory. */
static json_t *closest_of(const json_t *platforms)
{
	json_t *names = json_array(), *v;
	size_t i;

	json_array_foreach((json_t *)platforms, i, v)
		if (json_is_true(json_object_get(v, "closest")) &&
		    json_array_append(names, json_object_get(v, "name")) < 0) {
			json_decref(names);
			return NULL;
		}
	return names;
}

/* "; the closest is p6.1" */
static void put_some(struct buf *out, const char *before, const json_t *names)
{
	buf_puts(out, json_array_size(names) ? before : "");
	page_some(out, names, IN_VERDICT);
}

/* Of one platform */
static void show_only(struct page *p, const json_t *root, const char *platform)
{
	const char *verdict = string_of(root, "verdict"), *name = string_of(root, "name");

	if (streq(verdict, "unknown"))
		page_say(p, 2, "cannot tell whether %s satisfies %s", name, platform);
	else
		page_say(p, 2, "%s: %s %s %s", verdict, name,
			 streq(verdict, "yes") ? "satisfies" : "does not satisfy", platform);
}

static void show_verdict(struct page *p, const json_t *root, const json_t *yes)
{
	const json_t *platforms = json_object_get(root, "platforms");
	json_auto_t *unknown = page_hosts(platforms, "unknown"), *closest = closest_of(platforms);
	const char *verdict = string_of(root, "verdict");
	_buf_ text = { 0 };

	if (json_array_size(yes))
		buf_printf(&text, "satisfies %zu of ", json_array_size(yes));
	else
		buf_puts(&text, "satisfies none of ");
	page_count(&text, json_array_size(platforms), "platform", "platforms");
	buf_puts(&text, json_array_size(yes) || streq(verdict, "no") ? "" : " for sure");
	put_some(&text, ": ", yes);
	put_some(&text, "; cannot tell about ", unknown);
	put_some(&text, json_array_size(closest) > 1 ? "; the closest are " : "; the closest is ",
		 closest);
	page_say(p, 2, "%s: %s %s", streq(verdict, "unknown") ? "cannot tell" : verdict,
		 string_of(root, "name"), text.data ? text.data : "");
	p->failed |= !unknown || !closest || buf_failed(&text);
}

/* @shown: its name; NULL: there is but one */
static void show_platform(struct page *p, const json_t *o, const char *shown)
{
	_buf_ text = { 0 };

	if (streq(string_of(o, "verdict"), "unknown") &&
	    !json_array_size(json_object_get(o, "findings")))
		page_note(p, "unknown", shown, "nothing is known of it that could be compared");
	page_names(&text, json_object_get(o, "not_asked"));
	if (text.len)
		page_note(p, "unasked", shown, text.data);
	page_note(p, "qemu", shown, string_of(o, "qemu"));
	p->failed |= buf_failed(&text);
}

static int show(const json_t *root, size_t width, char **ret)
{
	const json_t *platforms = json_object_get(root, "platforms");
	json_auto_t *yes = page_hosts(platforms, "yes");
	bool many = json_array_size(platforms) != 1;
	_buf_ names = { 0 };
	struct page p;
	size_t i;
	json_t *v;

	page_begin(&p, width);
	p.whose = "platform";
	if (many)
		show_verdict(&p, root, yes);
	else
		show_only(&p, root, string_of(json_array_get(platforms, 0), "name"));
	json_array_foreach((json_t *)platforms, i, v)
		page_find(&p, NULL, many ? string_of(v, "name") : NULL,
			  json_object_get(v, "findings"));
	page_causes(&p);
	page_names(&names, yes);
	if (json_array_size(yes) > IN_VERDICT)
		page_item(&p, "yes", "%s", names.data ? names.data : "");
	json_array_foreach((json_t *)platforms, i, v)
		show_platform(&p, v, many ? string_of(v, "name") : NULL);
	page_notes(&p);
	p.failed |= !yes || buf_failed(&names);
	page_end(&p, json_object_get(root, "scope"), "show PLATFORM, abibase diff PROFILE PLATFORM");
	return page_give(&p, ret);
}

/* ---------------------------------------------------------------------------- the call */

static int match_all(struct matching *x, struct abibase_profile *const *platforms, size_t n,
		     const char *const *backends)
{
	int r = choose_backends(x, backends);

	if (r == 0)
		r = profile_check_types(x->ctx, x->cat, x->host);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = profile_check_types(x->ctx, x->cat, platforms[i]);
	if (r < 0)
		return r;
	x->used = arena_alloc(&x->arena, x->cat->n_conditions + 1);
	x->entries = arena_alloc(&x->arena, (n + 1) * sizeof(*x->entries));
	x->not_compared = json_array();
	if (!x->used || !x->entries)
		return context_oom(x->ctx);
	use_conditions(x);
	add_once(x, x->not_compared, "qemu");
	while (r == 0 && x->n < n) {
		x->platform = platforms[x->n];
		r = match_platform(x, &x->entries[x->n++]);
	}
	if (r == 0)
		find_closest(x);
	return r;
}

static int finish(struct matching *x, struct abibase_result **ret)
{
	struct abibase_result made = { .verdict = verdict_of_all(x), .show = show };

	made.root = make_document(x, made.verdict);
	if (!x->arena.failed)
		return result_give(x->ctx, &made, ret);
	json_decref(made.root);
	return context_oom(x->ctx);
}

ABIBASE_EXPORT int abibase_match(struct abibase_context *ctx, const struct abibase_catalogue *cat,
				 const struct abibase_profile *p,
				 struct abibase_profile *const *platforms, size_t n,
				 const char *const *backends, struct abibase_result **ret)
{
	struct matching x = { .ctx = ctx, .cat = cat, .host = p };
	_autofree_ struct abibase_profile **once = NULL;
	int r = profiles_once(ctx, platforms, &n, &once);

	if (r == 0)
		r = match_all(&x, once, n, backends);
	if (r == 0)
		r = finish(&x, ret);
	for (size_t i = 0; i < x.n; i++)
		json_decref(x.entries[i].json);
	json_decref(x.not_compared);
	arena_clear(&x.arena);
	return r;
}
