/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer/move.h"
#include "document/rehearsals.h"

/*
 * What the QEMU where the guest runs saves of each of its devices alone, does this one load it? Asked
 * of these two builds before, and kept: see document/rehearsals.h.
 */

/* The QEMU where the guest runs, new: by the profile of its host, or by its own word. */
static json_t *source_entry(const struct abibase_targets *t)
{
	const struct profile_qemu *q = move_source_qemu(t);
	const struct abibase_guest *g = t->guest;

	return q ? json_incref((json_t *)q->json) :
		   json_pack("{ss* ss* ss*}", "build_id", g->build_id, "package", g->package,
			     "version", g->qemu);
}

/* Is each of its devices one whose options nobody knows of? Then it is as a specimen is. */
static bool is_plain(const struct abibase_targets *t)
{
	for (size_t i = 0; i < t->guest->n; i++)
		if (json_array_size(t->guest->devices[i].queue_sizes) ||
		    json_object_size(t->guest->devices[i].properties))
			return false;
	return !t->baseline;
}

static void take_unseen(struct judging *j, const json_t *names)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)names, i, v)
		move_insert(j, &j->m->unseen, json_string_value(v));
}

static void say_loads(struct judging *j, const struct rehearsed_pair *p, const json_t *names)
{
	_buf_ text = { 0 };
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)names, i, v)
		buf_printf(&text, "%s%s", i ? ", " : "", json_string_value(v));
	if (i)
		move_note(j, "rehearsed-loads", "QEMU", NULL, NULL,
			  "%s -> %s: alone and idle, these load: %s; what the guest has negotiated "
			  "with them is not known",
			  p->from, p->to, arena_words(move_arena(j), &text));
}

static void say_refused(struct judging *j, const struct rehearsed_pair *p,
			const struct rehearsed_devices *found)
{
	_buf_ text = { 0 };
	const char *words;

	if (!rehearsed_fails(found))
		return;
	rehearsed_write(found, &text);
	words = arena_words(move_arena(j), &text);
	if (p->result)
		move_conflict(j, "rehearsed-refused", "QEMU", NULL, REHEARSED_REMEDY,
			      "%s: %s -> %s: of this guest's devices %s", j->p->name, p->from, p->to,
			      words);
	else
		move_note(j, "rehearsed-other-build", "QEMU", NULL, REHEARSED_ADVICE,
			  "%s: %s -> %s, of other builds than these: of this guest's devices %s",
			  j->p->name, p->from, p->to, words);
	j->refused = p->result;
}

/* Of those that the catalogue does not judge */
static int judge_others(struct judging *j, const struct rehearsed_pair *p,
			const struct result_machine *m, const json_t *specimens)
{
	struct rehearsed_devices found;
	int r = rehearsed_of_guest(specimens, m, j->t->cat, j->t->guest, &found);

	if (r == 0) {
		say_loads(j, p, found.names[REHEARSED_LOADS]);
		take_unseen(j, found.names[REHEARSED_NOT]);
	}
	rehearsed_devices_clear(&found);
	return r;
}

static void judge(struct judging *j, const struct rehearsed_pair *p, const struct result_machine *m)
{
	const struct abibase_targets *t = j->t;
	struct rehearsed_devices found = { 0 };
	const json_t *specimens;
	int r = specimens_load(t->ctx, &specimens);

	if (r == 0)
		r = rehearsed_of_guest(specimens, m, is_plain(t) ? NULL : t->cat, t->guest, &found);
	if (r == 0)
		say_refused(j, p, &found);
	rehearsed_devices_clear(&found);
	if (r == 0 && p->result)
		r = judge_others(j, p, m, specimens);
	move_arena(j)->failed |= r < 0;
}

/* @p: or NULL */
static int read_rehearsed(const struct abibase_targets *t, const json_t *source,
			  const struct abibase_profile *p, bool *any)
{
	struct rehearsed_pair pair;
	int r = 0;

	for (size_t i = 0; r == 0 && p && i < p->n_qemu; i++) {
		r = rehearsals_find(t->ctx, source, p->qemu[i].json, &pair);
		*any |= r == 0 && (pair.result || pair.other);
	}
	return r;
}

int move_read_rehearsed(const struct abibase_targets *t)
{
	json_auto_t *source = source_entry(t);
	const json_t *specimens;
	bool any = false;
	int r = source ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < t->n; i++)
		r = read_rehearsed(t, source, t->hosts[i].p, &any);
	for (size_t i = 0; r == 0 && i < t->kinds.n; i++)
		r = read_rehearsed(t, source, t->kinds.kind[i]->p, &any);
	return r == 0 && any ? specimens_load(t->ctx, &specimens) : r;
}

void move_judge_rehearsed(struct judging *j)
{
	json_auto_t *source = source_entry(j->t);
	const struct result_machine *m;
	struct rehearsed_pair p;

	if (!j->entry || !source || !j->t->guest->machine)
		return;
	if (rehearsals_find(j->t->ctx, source, j->entry, &p) < 0) {
		move_arena(j)->failed = true; /* what can be wrong with a file was found before */
		return;
	}
	m = p.result ? rehearsal_result_machine(p.result, j->t->guest->machine) :
	    p.other  ? rehearsal_result_machine(p.other, j->t->guest->machine) :
		       NULL;
	if (m)
		judge(j, &p, m);
}
