/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/derive.h"

/*
 * A baseline that is widened is made of all its hosts anew, in whatever groups they came. So a host
 * that satisfies it as it is can change it all the same: by a machine type that has off by itself
 * what the list turns on, or by a number that it states. That is never done without a word; it is
 * about what went in, and not of the answer, which is the same for the same hosts.
 */

/* Is there a host that takes it away? One that has it off by itself only leaves it off. */
static bool is_taken_away(const struct abibase_baseline *b, const struct value *v)
{
	for (size_t i = 0; i < v->n_why; i++) {
		const struct why *w = &v->why[i];
		const struct value *cause;

		switch (w->kind) {
		case WHY_MACHINE_OFF:
		case WHY_QEMU_UNKNOWN:
			break;
		case WHY_DEPENDS:
		case WHY_TOGETHER:
			cause = baseline_value(b, v->class_name, w->what);
			if (cause && is_taken_away(b, cause))
				return true;
			break;
		default:
			return true;
		}
	}
	return false;
}

static void write_why(const struct derive *d, const struct value *v, struct buf *text)
{
	for (size_t i = 0; i < v->n_why; i++) {
		const struct why *w = &v->why[i];

		buf_puts(text, i ? ", " : " (");
		if (w->kind == WHY_DEPENDS || w->kind == WHY_TOGETHER) {
			buf_printf(text, "%s %s",
				   w->kind == WHY_DEPENDS ? "it needs" : "it goes with", w->what);
			continue;
		}
		buf_printf(text, w->kind == WHY_MACHINE_OFF ? "%s has it off by itself" :
							      "what it is under %s is not recorded",
			   w->what);
		buf_puts(text, w->n_hosts ? " on " : "");
		derive_write_hosts(d, w->hosts, w->n_hosts, text);
	}
	buf_puts(text, v->n_why ? ")" : "");
}

/* What the earlier baseline has on, and this one would have on if no value but that of its list
 * counted. */
static void write_turned_off(const struct derive *d, const struct abibase_baseline *was,
			     struct buf *text)
{
	for (size_t i = 0; i < was->n_values; i++) {
		const struct value *v = &was->values[i];
		const struct value *now = baseline_value(d->b, v->class_name, v->property);

		if (!v->on || (now && (now->on || is_taken_away(d->b, now))))
			continue;
		buf_printf(text, "%s%s.%s is %s", text->len ? "; " : "", v->class_name, v->property,
			   now ? "turned off" : "not set, for not all is known of it");
		if (now)
			write_why(d, now, text);
	}
}

/* Numbers that operators state: no guest of the earlier baseline was told one. */
static void write_numbers(const struct derive *d, const struct abibase_baseline *was,
			  struct buf *text)
{
	for (size_t i = 0; i < d->b->n_values; i++) {
		const struct value *now = &d->b->values[i];
		const struct value *v = baseline_value(was, now->class_name, now->property);
		const struct row *row = catalogue_find(d->cat, now->class_name, now->property);
		size_t n = 0;

		if (!now->on || (v && v->on) || !row || !row->number || row->fact < 0)
			continue;
		for (unsigned int h = 0; h < d->b->in.n_hosts; h++)
			if (d->b->in.hosts[h]->numbers[row->fact] > 0)
				d->scratch[0][n++] = h;
		buf_printf(text, "%s%s is set on all hosts or on none (%s stated by ",
			   text->len ? "; " : "", row->key, d->cat->numbers[row->fact]);
		derive_write_hosts(d, d->scratch[0], n, text);
		buf_putc(text, ')');
	}
}

void derive_widened(struct derive *d, const struct abibase_baseline *was)
{
	_buf_ text = { 0 }, changes = { 0 }, remedy = { 0 };

	if (d->b->id && streq(d->b->id, was->id))
		return;
	write_numbers(d, was, &changes);
	if (d->b->id || changes.len)
		write_turned_off(d, was, &changes);
	if (!changes.len && !buf_failed(&changes))
		return;
	buf_printf(
		&text,
		"widening baseline %s makes another one, and not because of what a host lacks: %s",
		was->id, arena_words(&d->b->arena, &changes));
	buf_printf(&remedy,
		   "guests started anew with it are other ones; to do no more than admit a host "
		   "that satisfies %s (abibase check), keep that",
		   was->id);
	derive_finding(d, ABIBASE_FINDING_NOTE, "widening-changes-id",
		       arena_words(&d->b->arena, &remedy), &text);
	if (!d->b->arena.failed)
		d->b->findings.f[d->b->findings.n - 1].of_inputs = true;
}
