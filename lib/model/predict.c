/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/context.h"
#include "model/predict.h"
#include "base/known.h"

struct prediction {
	struct predictor core;
	enum abibase_verdict verdict;
	struct buf why;
};

/* "no" outweighs "cannot tell". */
static _printf_(3, 4) void say(struct prediction *pr, enum abibase_verdict verdict,
			       const char *fmt, ...)
{
	va_list ap;

	if (pr->verdict != ABIBASE_VERDICT_NO)
		pr->verdict = verdict;
	if (pr->why.len)
		buf_puts(&pr->why, "; ");
	va_start(ap, fmt);
	buf_vprintf(&pr->why, fmt, ap);
	va_end(ap);
}

struct ask predictor_ask(const struct predictor *pr)
{
	return (struct ask){ .cat = pr->cat, .p = pr->p, .view = &pr->view };
}

void predict_needs(const struct predictor *pr, const struct needs *needs, struct predicted *ret)
{
	struct ask a = predictor_ask(pr);
	struct stand s;

	ask_needs(&a, needs, &s);
	ret->can = s.can;
	ret->never = s.never;
	ret->unknown = s.unknown.c;
	ret->reason = s.unknown.reason;
}

bool setting_is(const char *setting, const struct row *row, const char **ret_value)
{
	size_t len = strlen(row->key);

	if (strncmp(setting, row->key, len) != 0 || setting[len] != '=')
		return false;
	*ret_value = setting + len + 1;
	return true;
}

const char *setting_of(const char *const *settings, const struct row *row)
{
	const char *value = NULL;

	for (; settings && *settings; settings++)
		setting_is(*settings, row, &value);
	return value;
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

/* All but what its host has. Is it fatal where that is missing? "auto" is what the host can do. */
static bool predict_value(const struct predictor *pr, const struct row *row, struct predicted *ret)
{
	const char *given = setting_of(pr->settings, row);
	json_auto_t *made = NULL;
	struct effective e;

	memset(ret, 0, sizeof(*ret));
	qemu_effective(&pr->view, row, &e);
	ret->knows = e.known;
	ret->by_setting = given != NULL;
	if (given) {
		made = parse_value(row, given);
		ret->bad = !made;
		e.known = made ? ABIBASE_YES : ABIBASE_NO;
		e.value = made;
	} else if (version_in(&pr->view.version, row->unmasked, row->n_unmasked)) {
		e.known = ABIBASE_YES;
		e.value = row->def;
	}
	ret->on = effective_bit(&e, row);
	return row->fatal && ret->on != ABIBASE_NO &&
	       !(json_is_string(e.value) && streq(json_string_value(e.value), "auto"));
}

void predict_row(const struct predictor *pr, const struct row *row, struct predicted *ret)
{
	bool fatal = predict_value(pr, row, ret);

	predict_needs(pr, &row->needs[pr->backend], ret);
	ret->fatal = fatal && ret->can != ABIBASE_YES;
}

/* Is it on, with the settings or without? It stands for no bit. */
static bool is_set(const struct predictor *pr, const struct row *row)
{
	const char *given = setting_of(pr->settings, row);
	struct effective e;

	qemu_effective(&pr->view, row, &e);
	return given ? streq(given, "on") : value_is_on(e.value);
}

void predict_requirement(const struct predictor *pr, const struct requirement *q,
			 struct predicted *ret)
{
	const struct row *row = q->masked_by < 0 ? NULL : &pr->cat->rows[q->masked_by];

	predict_needs(pr, &q->needs[pr->backend], ret);
	if (row && row->backends & (1u << pr->backend) && is_set(pr, row)) {
		ret->can = ABIBASE_NO;
		ret->masked_by = row;
	}
}

static void say_unknown(struct prediction *pr, const char *what, const struct predicted *p)
{
	say(pr, ABIBASE_VERDICT_UNKNOWN, "%s: %s is unknown (%s)", what, p->unknown->name,
	    p->reason);
}

static void offer_bit(struct offered *o, int bit, enum abibase_tri on, enum abibase_tri can)
{
	uint64_t mask = (uint64_t)1 << (bit % 64);

	if (on == ABIBASE_YES && can == ABIBASE_YES)
		o->yes[bit / 64] |= mask;
	if (on != ABIBASE_NO && can != ABIBASE_NO)
		o->maybe[bit / 64] |= mask;
}

static void make_legacy(uint64_t word[2])
{
	word[0] &= ((uint64_t)1 << LEGACY_BITS) - 1;
	word[1] = 0;
}

/* Where it is off nothing depends on what the host has, and nothing is asked. */
static void offer_row(const struct predictor *pr, const struct row *row, predict_fn fn, void *data,
		      struct offered *ret)
{
	struct predicted p;
	bool fatal = predict_value(pr, row, &p);
	bool off = p.on == ABIBASE_NO;

	if (!off)
		predict_needs(pr, &row->needs[pr->backend], &p);
	p.fatal = fatal && p.can != ABIBASE_YES;
	fn(data, row, NULL, &p);
	if (off && p.on != ABIBASE_NO)
		predict_needs(pr, &row->needs[pr->backend], &p);
	if (row->bit >= 0)
		offer_bit(ret, row->bit, p.on, p.can);
}

void predict_offer(const struct predictor *pr, predict_fn fn, void *data, struct offered *ret)
{
	const struct abibase_catalogue *cat = pr->cat;
	enum abibase_tri modern = ABIBASE_YES;

	*ret = (struct offered){ .known = true };
	for (size_t i = 0; i < cat->n_rows; i++)
		if (cat->rows[i].backends & (1u << pr->backend))
			offer_row(pr, &cat->rows[i], fn, data, ret);
	for (size_t i = 0; i < cat->n_requirements; i++) {
		const struct requirement *q = &cat->requirements[i];
		struct predicted p = { 0 };

		if (q->bit < 0 || !(q->backends & (1u << pr->backend)))
			continue;
		predict_requirement(pr, q, &p);
		fn(data, NULL, q, &p);
		offer_bit(ret, q->bit, ABIBASE_YES, p.can);
		if (q->legacy_without)
			modern = p.can;
	}
	if (modern != ABIBASE_YES)
		make_legacy(ret->yes);
	if (modern == ABIBASE_NO)
		make_legacy(ret->maybe);
}

static void say_row(struct prediction *pr, const struct row *row, struct predicted *ret)
{
	struct predicted p = *ret;

	if (row->legacy) /* a modern device does not show it */
		ret->on = ABIBASE_NO;
	if (p.by_setting && p.knows == ABIBASE_NO)
		say(pr, ABIBASE_VERDICT_NO, "this QEMU does not know the property %s and would not "
					    "start",
		    row->key);
	if (p.by_setting && p.knows == ABIBASE_UNKNOWN)
		say(pr, ABIBASE_VERDICT_UNKNOWN, "whether this QEMU has the property %s is not "
						 "recorded",
		    row->key);
	if (p.bad)
		say(pr, ABIBASE_VERDICT_NO, "%s: the value must be on or off", row->key);
	if (row->bit < 0 || row->legacy) /* no bit of the word */
		return;
	if (p.on == ABIBASE_UNKNOWN && p.can != ABIBASE_NO)
		say(pr, ABIBASE_VERDICT_UNKNOWN, "%s: its value under %s is not recorded",
		    row->key, pr->core.view.machine);
	if (p.on != ABIBASE_YES)
		return;
	if (p.can == ABIBASE_UNKNOWN)
		say_unknown(pr, row->property, &p);
	else if (p.fatal && p.can == ABIBASE_NO)
		say(pr, ABIBASE_VERDICT_NO, "this QEMU would not start: %s is on, and the host "
					    "lacks what %s needs",
		    row->key, row->feature);
}

static void say_predicted(void *data, const struct row *row, const struct requirement *q,
			  struct predicted *p)
{
	if (row)
		say_row(data, row, p);
	else if (p->can == ABIBASE_UNKNOWN)
		say_unknown(data, q->name, p);
}

static void check_settings(struct prediction *pr)
{
	for (size_t i = 0; pr->core.settings && pr->core.settings[i]; i++) {
		const char *value;
		size_t r = 0;

		while (r < pr->core.cat->n_rows &&
		       !setting_is(pr->core.settings[i], &pr->core.cat->rows[r], &value))
			r++;
		if (r == pr->core.cat->n_rows)
			say(pr, ABIBASE_VERDICT_UNKNOWN, "%s is not a setting that the catalogue has",
			    pr->core.settings[i]);
	}
}

static void check_usable(struct prediction *pr)
{
	struct ask a = predictor_ask(&pr->core);

	for (struct asked w = { 0 }; ask_next_usable(&a, pr->core.backend, &w);)
		if (w.answer == ABIBASE_NO)
			say(pr, ABIBASE_VERDICT_NO, "%s: %s", a.p->name, w.c->missing);
		else if (w.answer == ABIBASE_UNKNOWN)
			say(pr, ABIBASE_VERDICT_UNKNOWN, "%s: whether %s is usable is unknown (%s)",
			    a.p->name, w.c->layer, w.reason);
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

int predict_entry(struct abibase_context *ctx, struct predictor *core, const json_t *entry,
		  const char *machine, uint64_t ret[2], char **ret_why)
{
	struct prediction pr = { .core = *core };
	struct offered offer;
	char *why;

	qemu_view_init(&pr.core.view, core->cat, entry, machine);
	if (qemu_has_machine(core->cat, entry, machine) == ABIBASE_NO)
		say(&pr, ABIBASE_VERDICT_NO, "QEMU %s does not have the machine type %s",
		    string_of(entry, "version"), machine);
	check_settings(&pr);
	check_usable(&pr);
	predict_offer(&pr.core, say_predicted, &pr, &offer);
	why = buf_steal(&pr.why);
	if (!why)
		return context_oom(ctx);
	if (ret_why)
		*ret_why = steal(&why);
	free(why);
	memcpy(ret, offer.yes, sizeof(offer.yes));
	return (int)pr.verdict;
}

ABIBASE_EXPORT int abibase_predict(struct abibase_context *ctx, const struct abibase_catalogue *cat,
				   const struct abibase_profile *p, const char *qemu,
				   const char *machine, const char *backend,
				   const char *const *settings, uint64_t ret[2], char **ret_why)
{
	struct predictor pr = { .cat = cat, .p = p, .settings = settings };
	int be = catalogue_backend(cat, backend);
	json_auto_t *made = NULL;
	const json_t *entry;
	struct version v;

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
	return predict_entry(ctx, &pr, entry, machine, ret, ret_why);
}
