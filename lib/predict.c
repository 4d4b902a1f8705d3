/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "context.h"
#include "effective.h"
#include "profile.h"

/*
 * What QEMU would do, bit for bit: properties as set, then masked by what the backend has. It closes
 * no dependencies and keeps no groups together, because QEMU does neither.
 */

struct prediction {
	const struct abibase_catalogue *cat;
	const struct abibase_profile *p;
	struct qemu_view view;
	size_t backend;
	const char *const *settings;
	enum abibase_verdict verdict;
	struct buf why;
};

static void say(struct prediction *pr, enum abibase_verdict verdict, const char *fmt, ...)
	_printf_(3, 4);

/* "no" outweighs "cannot tell". */
static void say(struct prediction *pr, enum abibase_verdict verdict, const char *fmt, ...)
{
	_autofree_ char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		pr->why.failed = true;
		return;
	}
	if (pr->verdict != ABIBASE_VERDICT_NO)
		pr->verdict = verdict;
	if (pr->why.len)
		buf_puts(&pr->why, "; ");
	buf_puts(&pr->why, text);
}

/*
 * All of a list of needs; @what names the feature for which they are asked. One "no" is enough,
 * whatever else is unknown.
 */
static enum abibase_tri ask_needs(struct prediction *pr, const struct needs *needs,
				  const char *what)
{
	const struct condition *unknown = NULL;
	const char *reason, *why = NULL;

	for (size_t i = 0; i < needs->n; i++) {
		const struct need *need = &needs->need[i];
		const struct condition *c;

		if (!need_applies(&pr->view, need))
			continue;
		if (need->condition == NEED_NEVER)
			return ABIBASE_NO;
		c = &pr->cat->conditions[need->condition];
		switch (profile_ask(pr->p, c->fact, c->bit, &reason)) {
		case ABIBASE_NO:
			return ABIBASE_NO;
		case ABIBASE_UNKNOWN:
			unknown = c;
			why = reason;
			break;
		case ABIBASE_YES:
		default:
			break;
		}
	}
	if (!unknown)
		return ABIBASE_YES;
	say(pr, ABIBASE_VERDICT_UNKNOWN, "%s: %s is unknown (%s)", what, unknown->name, why);
	return ABIBASE_UNKNOWN;
}

static bool setting_is(const char *setting, const struct row *row, const char **ret_value)
{
	size_t len = strlen(row->key);

	if (strncmp(setting, row->key, len) != 0 || setting[len] != '=')
		return false;
	*ret_value = setting + len + 1;
	return true;
}

/* "on" and "off" for a boolean, as QEMU spells them; a number, or text */
static json_t *parse_value(const struct row *row, const char *s)
{
	char *end;
	long long n;

	if (row->boolean)
		return streq(s, "on") ? json_true() : streq(s, "off") ? json_false() : NULL;
	n = strtoll(s, &end, 10);
	return *s && !*end ? json_integer(n) : json_string(s);
}

/* What is on by default is masked where it is missing; what was said to be on can be fatal. */
static void judge_missing(struct prediction *pr, const struct row *row, bool said)
{
	if (row->fatal && said)
		say(pr, ABIBASE_VERDICT_NO, "this QEMU would not start: %s is on, and the host "
					    "lacks what %s needs",
		    row->key, row->feature);
}

/*
 * The last -global of a property wins. What is made of a setting is in @ret_made; shared documents are
 * not counted up and down, because jansson reads the count without an atomic operation.
 */
static const json_t *requested(struct prediction *pr, const struct row *row, json_t **ret_made)
{
	struct effective e;
	const char *value = NULL;

	qemu_effective(&pr->view, row, &e);
	for (size_t i = 0; pr->settings && pr->settings[i]; i++)
		setting_is(pr->settings[i], row, &value);
	if (!value && version_in(&pr->view.version, row->unmasked, row->n_unmasked))
		return row->def;
	if (!value) {
		if (e.known == ABIBASE_UNKNOWN || (e.known == ABIBASE_YES && !e.value))
			say(pr, ABIBASE_VERDICT_UNKNOWN, "%s: its value under %s is not recorded",
			    row->key, pr->view.machine);
		return e.value;
	}
	if (e.known == ABIBASE_NO)
		say(pr, ABIBASE_VERDICT_NO, "this QEMU does not know the property %s and would not "
					    "start",
		    row->key);
	*ret_made = parse_value(row, value);
	if (!*ret_made)
		say(pr, ABIBASE_VERDICT_NO, "%s=%s: the value must be on or off", row->key, value);
	return *ret_made;
}

static void predict_row(struct prediction *pr, const struct row *row, uint64_t word[2])
{
	json_auto_t *made = NULL;
	const json_t *value = requested(pr, row, &made);

	if (!value || row->bit < 0 || row->legacy || !row_bit_set(row, value))
		return;
	switch (ask_needs(pr, &row->needs[pr->backend], row->property)) {
	case ABIBASE_YES:
		word[row->bit / 64] |= (uint64_t)1 << (row->bit % 64);
		break;
	case ABIBASE_NO:
		judge_missing(pr, row, made != NULL);
		break;
	case ABIBASE_UNKNOWN:
	default:
		break;
	}
}

static void predict_words(struct prediction *pr, uint64_t word[2])
{
	bool modern = true;

	for (size_t i = 0; i < pr->cat->n_rows; i++)
		if (pr->cat->rows[i].backends & (1u << pr->backend))
			predict_row(pr, &pr->cat->rows[i], word);
	for (size_t i = 0; i < pr->cat->n_requirements; i++) {
		const struct requirement *q = &pr->cat->requirements[i];

		if (q->bit < 0 || !(q->backends & (1u << pr->backend)))
			continue;
		if (ask_needs(pr, &q->needs[pr->backend], q->name) == ABIBASE_YES)
			word[q->bit / 64] |= (uint64_t)1 << (q->bit % 64);
		else if (q->bit == 32)
			modern = false;
	}
	if (!modern) { /* a legacy device has 32 bits */
		word[0] &= 0xffffffff;
		word[1] = 0;
	}
}

static void check_settings(struct prediction *pr)
{
	for (size_t i = 0; pr->settings && pr->settings[i]; i++) {
		const char *value;
		size_t r = 0;

		while (r < pr->cat->n_rows &&
		       !setting_is(pr->settings[i], &pr->cat->rows[r], &value))
			r++;
		if (r == pr->cat->n_rows)
			say(pr, ABIBASE_VERDICT_UNKNOWN, "%s is not a setting that the catalogue has",
			    pr->settings[i]);
	}
}

static void check_usable(struct prediction *pr)
{
	const struct backend *b = &pr->cat->backends[pr->backend];

	for (size_t i = 0; i < b->n_usable; i++) {
		const struct condition *c = &pr->cat->conditions[b->usable[i]];
		const char *reason;

		switch (profile_ask(pr->p, c->fact, c->bit, &reason)) {
		case ABIBASE_NO:
			say(pr, ABIBASE_VERDICT_NO, "%s: %s", pr->p->name, c->missing);
			break;
		case ABIBASE_UNKNOWN:
			say(pr, ABIBASE_VERDICT_UNKNOWN, "%s: whether %s is usable is unknown (%s)",
			    pr->p->name, c->layer, reason);
			break;
		case ABIBASE_YES:
		default:
			break;
		}
	}
}

static const struct profile_qemu *find_qemu(const struct abibase_profile *p, const char *qemu)
{
	for (size_t i = 0; i < p->n_qemu; i++)
		if ((p->qemu[i].path && streq(p->qemu[i].path, qemu)) ||
		    streq(p->qemu[i].version, qemu))
			return &p->qemu[i];
	return NULL;
}

/* The record of this QEMU, or one made in @ret_made that says no more than its version. */
static const json_t *qemu_entry(const struct abibase_profile *p, const char *qemu,
				json_t **ret_made)
{
	const struct profile_qemu *q = find_qemu(p, qemu);

	if (q)
		return q->json;
	*ret_made = json_pack("{ssss}", "version", qemu, "target", p->arch);
	return *ret_made;
}

ABIBASE_EXPORT int abibase_predict(struct abibase_context *ctx, const struct abibase_catalogue *cat,
				   const struct abibase_profile *p, const char *qemu,
				   const char *machine, const char *backend,
				   const char *const *settings, uint64_t ret[2], char **ret_why)
{
	struct prediction pr = { .cat = cat, .p = p, .settings = settings };
	int be = catalogue_backend(cat, backend);
	json_auto_t *made = NULL;
	const json_t *entry;
	uint64_t word[2] = { 0, 0 };
	struct version v;
	char *why;

	if (be < 0)
		return context_fail(ctx, EINVAL, "backend-not-known", NULL,
				    "\"%s\" is not a backend of the catalogue", backend);
	if (!find_qemu(p, qemu) && !version_parse(qemu, &v))
		return context_fail(ctx, EINVAL, "qemu-not-known", NULL,
				    "%s has no QEMU \"%s\", which is not a version either", p->name,
				    qemu);
	entry = qemu_entry(p, qemu, &made);
	if (!entry)
		return context_oom(ctx);
	pr.backend = (size_t)be;
	qemu_view_init(&pr.view, entry, machine);
	if (qemu_has_machine(entry, machine) == ABIBASE_NO)
		say(&pr, ABIBASE_VERDICT_NO, "QEMU %s does not have the machine type %s",
		    json_string_value(json_object_get(entry, "version")), machine);
	check_settings(&pr);
	check_usable(&pr);
	predict_words(&pr, word);
	why = buf_steal(&pr.why);
	if (!why)
		return context_oom(ctx);
	if (ret_why)
		*ret_why = steal(&why);
	free(why);
	memcpy(ret, word, sizeof(word));
	return (int)pr.verdict;
}
