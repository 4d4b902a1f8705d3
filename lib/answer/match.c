/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "base/suggest.h"
#include "base/context.h"
#include "base/harmless.h"
#include "answer/diff.h"
#include "document/finding.h"
#include "document/result.h"
#include "model/ask.h"
#include "answer/show.h"

/* Which platforms does a host satisfy? Asked is what a guest on one of the backends can meet. */

struct entry {
	const char *name, *digest;
	int64_t revision;
	enum abibase_verdict verdict;
	struct findings findings; /* the cause of each is the fact */
	const char **not_asked; /* facts that are unknown of the platform */
	size_t n_not_asked, cap_not_asked;
	size_t asked;		  /* facts that it states as present */
	size_t missing, unknown;  /* of them; a device that is not there at all counts once */
	size_t more;		  /* the host has, and the platform has not */
	size_t compared;	  /* facts that both state */
	size_t other;		  /* differences in facts that no guest meets */
	bool closest;
	const char *qemu;
};

struct match {
	struct arena arena; /* all the texts */
	const char *name, *digest;
	struct entry *entries;
	size_t n;
	const char *backends[MAX_BACKENDS];
	size_t n_backends;
	const char **not_compared; /* devices of the other backends that a platform states */
	size_t n_not_compared, cap_not_compared;
};

struct matching {
	struct abibase_context *ctx;
	struct match *m;
	const struct abibase_catalogue *cat;
	const struct abibase_profile *host, *platform;
	bool backend[MAX_BACKENDS];
	bool *used; /* by condition */
	bool failed;
};

/* ---------------------------------------------------------------------- pieces */

/* Formatted text without control characters, which a profile may contain; lives in the result. */
#define keep(x, ...) show_keep(&(x)->m->arena, __VA_ARGS__)

static void put_finding(struct matching *x, struct entry *e, enum abibase_finding_kind kind,
			const char *fact, const char *remedy, struct buf *text)
{
	if (text->data)
		text_harmless(text->data, "");
	finding_add(&e->findings,
		    (struct finding){ .kind = kind,
				      .cause = keep(x, "%s", fact),
				      .remedy = remedy ? keep(x, "%s", remedy) : NULL },
		    text);
}

static void add_name(struct matching *x, const char ***list, size_t *n, size_t *cap,
		     const char *name)
{
	for (size_t i = 0; name && i < *n; i++)
		if (streq((*list)[i], name))
			return;
	if (!name || array_grow(list, *n, cap, sizeof(**list)) < 0)
		x->failed = true;
	else
		(*list)[(*n)++] = name;
}

/* ----------------------------------------------------- which facts are compared */

static void use_needs(struct matching *x, const struct needs *needs)
{
	struct ask a = { .cat = x->cat };

	for (size_t k = 0; k < x->cat->n_backends; k++)
		for (struct asked w = { 0 }; x->backend[k] && ask_next_need(&a, &needs[k], &w);)
			if (w.c)
				x->used[w.condition] = true;
}

static void use_conditions(struct matching *x)
{
	const struct abibase_catalogue *cat = x->cat;
	struct ask a = { .cat = cat };

	for (size_t k = 0; k < cat->n_backends; k++)
		for (struct asked w = { 0 }; x->backend[k] && ask_next_usable(&a, k, &w);)
			x->used[w.condition] = true;
	for (size_t i = 0; i < cat->n_rows; i++)
		use_needs(x, cat->rows[i].needs);
	for (size_t i = 0; i < cat->n_requirements; i++)
		use_needs(x, cat->requirements[i].needs);
}

static int fail_backend(struct matching *x, const char *backend)
{
	struct suggest s = { .word = backend };
	char near[SUGGEST_TEXT];

	for (size_t i = 0; i < x->cat->n_backends; i++)
		if (!x->cat->backends[i].predicted_only)
			suggest_offer(&s, x->cat->backends[i].name);
	suggest_text(&s, "\"", near);
	return context_fail(x->ctx, EINVAL, "usage", NULL,
			    "\"%s\" is not a backend of the catalogue%s", backend, near);
}

static int choose_backends(struct matching *x, const char *const *backends)
{
	for (size_t i = 0; backends && backends[i]; i++) {
		int k = catalogue_backend(x->cat, backends[i]);

		if (k < 0 || x->cat->backends[k].predicted_only)
			return fail_backend(x, backends[i]);
		x->backend[k] = true;
	}
	for (size_t k = 0; k < x->cat->n_backends; k++) {
		if (!backends)
			x->backend[k] = x->cat->backends[k].by_default;
		if (x->backend[k])
			x->m->backends[x->m->n_backends++] = keep(x, "%s", x->cat->backends[k].name);
	}
	return 0;
}

/* --------------------------------------------------------------- the words for it */

static bool needs_condition(const struct matching *x, const struct needs *needs, int condition)
{
	struct ask a = { .cat = x->cat };

	for (size_t k = 0; k < x->cat->n_backends; k++)
		if (x->backend[k] && ask_is_need(&a, &needs[k], condition))
			return true;
	return false;
}

#define MANY_FEATURES 4

/* Which features of a guest hang on it? Not those that the sentence names anyway. */
static void put_features(const struct matching *x, struct buf *b, int condition)
{
	const char *sentence = x->cat->conditions[condition].missing;
	size_t n = 0;

	for (size_t i = 0; i < x->cat->n_rows; i++) {
		const struct row *row = &x->cat->rows[i];

		if (!needs_condition(x, row->needs, condition) || strstr(sentence, row->feature))
			continue;
		if (n++ < MANY_FEATURES)
			buf_printf(b, "%s%s", n > 1 ? ", " : " (", row->feature);
	}
	if (n > MANY_FEATURES)
		buf_printf(b, " and %zu more", n - MANY_FEATURES);
	if (n)
		buf_putc(b, ')');
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

/* A bit that was not asked for by its name, a word of which nothing is known by its own. */
static void note_not_asked(struct matching *x, struct entry *e, const struct condition *cond)
{
	bool word = json_is_string(json_object_get(x->platform->facts, cond->fact));

	add_name(x, &e->not_asked, &e->n_not_asked, &e->cap_not_asked,
		 keep(x, "%s", word ? cond->name : cond->fact));
}

static void judge_condition(struct matching *x, struct entry *e, int i)
{
	const struct condition *cond = &x->cat->conditions[i];
	const char *reason = NULL;
	enum abibase_tri there = ask(x->platform, cond, NULL);
	enum abibase_tri here = ask(x->host, cond, &reason);
	_buf_ text = { 0 };

	if (there == ABIBASE_UNKNOWN)
		note_not_asked(x, e, cond);
	else if (here != ABIBASE_UNKNOWN)
		e->compared++;
	if (there == ABIBASE_NO && here == ABIBASE_YES)
		e->more++;
	if (there != ABIBASE_YES)
		return;
	e->asked++;
	if (here == ABIBASE_YES)
		return;
	if (follows_from_usable(x, cond, here))
		return;
	*(here == ABIBASE_NO ? &e->missing : &e->unknown) += 1;
	if (here == ABIBASE_NO) {
		buf_printf(&text, "lacks %s: %s", cond->name, cond->missing);
		put_features(x, &text, i);
		put_finding(x, e, ABIBASE_FINDING_CONFLICT, cond->name, cond->remedy, &text);
	} else {
		buf_printf(&text, "cannot tell %s: unknown here (%s)", cond->name, reason);
		put_finding(x, e, ABIBASE_FINDING_UNKNOWN, cond->name, NULL, &text);
	}
}

static void judge_facts(struct matching *x, struct entry *e)
{
	for (size_t i = 0; i < x->cat->n_conditions; i++)
		if (x->used[i])
			judge_condition(x, e, (int)i);
}

/* Can a guest of the platform not get into one of the host's, whatever a list says? */
static bool size_differs(const struct matching *x, const struct row *row, const json_t *here,
			 const json_t *there, const char *machine)
{
	struct qemu_view view;
	struct effective mine;
	const json_t *theirs = qemu_observed(there, machine, row->observed);

	qemu_view_init(&view, x->cat, here, machine);
	qemu_effective(&view, row, &mine);
	if (!mine.value || !theirs || json_equal(mine.value, theirs))
		return false;
	return mine.known == ABIBASE_NO ||
	       json_integer_value(mine.value) > json_integer_value(theirs);
}

/* A size that comes of a file: what both state; a list of the platform makes a smaller one the
 * same. */
static void judge_size(struct matching *x, struct entry *e, const struct row *row)
{
	for (size_t i = 0; i < x->host->n_qemu; i++)
		for (size_t k = 0; k < x->platform->n_qemu; k++) {
			const json_t *here = x->host->qemu[i].json,
				     *there = x->platform->qemu[k].json;
			const char *machine;
			json_t *shape;
			_buf_ text = { 0 };

			json_object_foreach(json_object_get(there, "shape"), machine, shape) {
				if (!size_differs(x, row, here, there, machine))
					continue;
				e->missing++;
				buf_printf(&text, "%s (%s) is %lld here, %lld there", row->key,
					   row->feature,
					   (long long)json_integer_value(qemu_observed(
						   here, machine, row->observed)),
					   (long long)json_integer_value(qemu_observed(
						   there, machine, row->observed)));
				put_finding(x, e, ABIBASE_FINDING_CONFLICT, row->key, row->remedy,
					    &text);
				return;
			}
		}
}

static void judge_sizes(struct matching *x, struct entry *e)
{
	for (size_t r = 0; r < x->cat->n_rows; r++) {
		const struct row *row = &x->cat->rows[r];

		for (size_t k = 0; row->observed && k < x->cat->n_backends; k++)
			if (x->backend[k] && row->backends & (1u << k)) {
				judge_size(x, e, row);
				break;
			}
	}
}

static void judge_arch(struct matching *x, struct entry *e)
{
	_buf_ text = { 0 };

	if (streq(x->host->arch, x->platform->arch))
		return;
	e->missing++;
	buf_printf(&text, "arch is %s here, %s there", x->host->arch, x->platform->arch);
	put_finding(x, e, ABIBASE_FINDING_CONFLICT, "arch", NULL, &text);
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
			add_name(x, &x->m->not_compared, &x->m->n_not_compared,
				 &x->m->cap_not_compared,
				 keep(x, "%.*s", (int)surface_len(fact), fact));
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

static void put_qemu_differences(struct buf *b, const struct diff *d)
{
	size_t values = 0;

	for (size_t i = 0; i < d->n; i++)
		values += d->items[i].kind == DIFF_VALUE && d->items[i].known;
	put_count(b, count_lacks(d, DIFF_QEMU), "binary is missing here",
		  "binaries are missing here");
	put_count(b, count_lacks(d, DIFF_MACHINE), "machine type is missing here",
		  "machine types are missing here");
	put_count(b, count_lacks(d, DIFF_PROPERTY), "property is missing here",
		  "properties are missing here");
	put_count(b, values, "value of a machine type differs", "values of machine types differ");
}

static void compare_qemu(struct matching *x, struct entry *e, const struct diff *d)
{
	_buf_ b = { 0 };

	put_versions(&b, x->host);
	buf_puts(&b, " here, ");
	put_versions(&b, x->platform);
	buf_puts(&b, " there");
	if (x->host->n_qemu && x->platform->n_qemu)
		put_qemu_differences(&b, d);
	if (buf_failed(&b))
		x->failed = true;
	e->qemu = keep(x, "%s", b.data ? b.data : "");
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

static void find_closest(struct match *m)
{
	const struct entry *best = NULL;

	for (size_t i = 0; i < m->n; i++)
		if (m->entries[i].compared && (!best || cmp_closeness(&m->entries[i], best) < 0))
			best = &m->entries[i];
	for (size_t i = 0; best && i < m->n; i++)
		m->entries[i].closest = m->entries[i].compared &&
					!cmp_closeness(&m->entries[i], best);
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

static int match_platform(struct matching *x, struct entry *e)
{
	struct diff d;

	if (diff_profiles(x->cat, x->host, x->platform, 0, &d) < 0)
		return context_oom(x->ctx);
	e->findings.arena = &x->m->arena;
	e->name = keep(x, "%s", x->platform->name);
	e->digest = keep(x, "%s", x->platform->digest);
	e->revision = x->platform->revision;
	judge_arch(x, e);
	judge_facts(x, e);
	judge_sizes(x, e);
	note_not_compared(x);
	compare_qemu(x, e, &d);
	count_other(x, e, &d);
	e->verdict = verdict_of(e);
	diff_clear(&d);
	return x->failed || x->m->arena.failed ? context_oom(x->ctx) : 0;
}

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
	x->m->name = keep(x, "%s", x->host->name);
	x->m->digest = keep(x, "%s", x->host->digest);
	use_conditions(x);
	/* what a QEMU makes of a machine type is check's to say */
	add_name(x, &x->m->not_compared, &x->m->n_not_compared, &x->m->cap_not_compared, "qemu");
	x->m->entries = calloc(n ? n : 1, sizeof(*x->m->entries));
	if (!x->m->entries || x->failed)
		return context_oom(x->ctx);
	while (r == 0 && x->m->n < n) {
		x->platform = platforms[x->m->n];
		r = match_platform(x, &x->m->entries[x->m->n++]);
	}
	if (r == 0)
		find_closest(x->m);
	return r;
}

static enum abibase_verdict verdict_of_all(const struct match *m)
{
	enum abibase_verdict verdict = ABIBASE_VERDICT_NO;

	for (size_t i = 0; i < m->n; i++) {
		if (m->entries[i].verdict == ABIBASE_VERDICT_YES)
			return ABIBASE_VERDICT_YES;
		if (m->entries[i].verdict == ABIBASE_VERDICT_UNKNOWN)
			verdict = ABIBASE_VERDICT_UNKNOWN;
	}
	return verdict;
}

/* ---------------------------------------------------------------- as documents */

static json_t *missing_json(const struct entry *e)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < e->findings.n; i++) {
		const struct finding *f = &e->findings.f[i];
		json_t *o = json_pack("{s:s, s:s?, s:s, s:s}", "fact", f->cause, "remedy",
				      f->remedy, "text", f->text, "verdict",
				      f->kind == ABIBASE_FINDING_CONFLICT ? "no" : "unknown");

		if (json_array_append_new(array, o) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *entry_json(const struct entry *e)
{
	json_t *o = json_pack("{s:b, s:s, s:o, s:s, s:o, s:s, s:s}", "closest", e->closest, "digest",
			      e->digest, "findings", missing_json(e), "name", e->name, "not_asked",
			      json_strings(e->not_asked, e->n_not_asked), "qemu", e->qemu, "verdict",
			      verdict_words[e->verdict]);

	if (o && e->revision && json_object_set_new(o, "revision", json_integer(e->revision)) < 0) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static json_t *entries_json(const struct match *m)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < m->n; i++)
		if (json_array_append_new(array, entry_json(&m->entries[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *make_document(const struct match *m)
{
	return json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:s}", "schema", "abibase-match/1",
			 "backends", json_strings(m->backends, m->n_backends), "digest", m->digest,
			 "name", m->name, "not_compared",
			 json_strings(m->not_compared, m->n_not_compared), "platforms",
			 entries_json(m), "verdict", verdict_words[verdict_of_all(m)]);
}

static void put_list(struct buf *b, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s%s", i ? ", " : "", list[i]);
}

static void put_entry(struct buf *b, const struct entry *e)
{
	static const char *const words[] = {
		[ABIBASE_VERDICT_YES] = "satisfied",
		[ABIBASE_VERDICT_NO] = "not satisfied",
		[ABIBASE_VERDICT_UNKNOWN] = "cannot tell",
	};

	buf_printf(b, "%s: %s\n", e->name, words[e->verdict]);
	for (size_t i = 0; i < e->findings.n; i++) {
		show_printf(b, 2, 4, "%s", e->findings.f[i].text);
		if (e->findings.f[i].remedy)
			show_printf(b, 4, 6, "remedy: %s", e->findings.f[i].remedy);
	}
	if (!e->asked)
		buf_puts(b, "  nothing is known of it that could be compared\n");
	if (e->n_not_asked) {
		_buf_ names = { 0 };

		put_list(&names, e->not_asked, e->n_not_asked);
		show_printf(b, 2, 4, "not asked, because unknown there: %s",
			    names.data ? names.data : "");
		b->failed |= buf_failed(&names);
	}
	show_printf(b, 2, 4, "qemu: %s", e->qemu);
}

/* " A, B" of the platforms with this verdict; their number. */
static size_t put_verdict(struct buf *b, const struct match *m, enum abibase_verdict verdict,
			  const char *words)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		if (m->entries[i].verdict == verdict)
			buf_printf(b, "%s %s", n++ ? "," : words, m->entries[i].name);
	return n;
}

static void put_closest(struct buf *b, const struct match *m)
{
	size_t n = 0, many = 0;

	for (size_t i = 0; i < m->n; i++)
		many += m->entries[i].closest;
	for (size_t i = 0; i < m->n; i++)
		if (m->entries[i].closest)
			buf_printf(b, "%s %s",
				   n++ ? "," : many > 1 ? "; the closest are" : "; the closest is",
				   m->entries[i].name);
}

static void put_summary(struct buf *b, const struct match *m)
{
	static const char *const words[] = { "yes: ", "no: ", "", "cannot tell: " };
	enum abibase_verdict verdict = verdict_of_all(m);
	_buf_ line = { 0 };

	buf_printf(&line, "%s%s", words[verdict], m->name);
	if (!put_verdict(&line, m, ABIBASE_VERDICT_YES, " satisfies"))
		buf_puts(&line, verdict == ABIBASE_VERDICT_NO ? " satisfies none" :
								" satisfies none for sure");
	put_verdict(&line, m, ABIBASE_VERDICT_UNKNOWN, "; cannot tell about");
	put_closest(&line, m);
	show_printf(b, 0, 2, "%s", line.data ? line.data : "");
	b->failed |= buf_failed(&line);
}

static char *make_text(const struct match *m)
{
	_buf_ b = { 0 }, end = { 0 };

	put_summary(&b, m);
	for (size_t i = 0; i < m->n; i++)
		put_entry(&b, &m->entries[i]);
	buf_puts(&end, "Looked at: the kernel, and ROM sizes that both state, for ");
	put_list(&end, m->backends, m->n_backends);
	buf_puts(&end, "; not looked at: ");
	put_list(&end, m->not_compared, m->n_not_compared);
	show_printf(&b, 0, 2, "%s", end.data ? end.data : "");
	show_printf(&b, 0, 2, "See: abibase show PLATFORM, abibase diff PROFILE PLATFORM");
	b.failed |= buf_failed(&end);
	return buf_steal(&b);
}

/* ---------------------------------------------------------------------------- the call */

static void match_clear(struct match *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->entries[i].not_asked);
	free(m->entries);
	free(m->not_compared);
	arena_clear(&m->arena);
}

ABIBASE_EXPORT int abibase_match(struct abibase_context *ctx, const struct abibase_catalogue *cat,
				 const struct abibase_profile *p,
				 struct abibase_profile *const *platforms, size_t n,
				 const char *const *backends, struct abibase_result **ret)
{
	_autofree_ bool *used = calloc(cat->n_conditions + 1, sizeof(*used));
	struct match m = { 0 };
	struct matching x = { .ctx = ctx, .m = &m, .cat = cat, .host = p, .used = used };
	int r = used ? match_all(&x, platforms, n, backends) : context_oom(ctx);

	if (r == 0)
		r = result_give(ctx,
				&(struct abibase_result){ .verdict = verdict_of_all(&m),
							  .root = make_document(&m),
							  .text = make_text(&m) },
				ret);
	match_clear(&m);
	return r;
}
