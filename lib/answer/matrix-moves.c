/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "answer/matrix.h"
#include "answer/move.h"
#include "base/context.h"
#include "base/known.h"
#include "document/page.h"
#include "model/ask.h"
#include "model/intersect.h"
#include "model/machine.h"

/*
 * From each cohort to each. Every answer is one of targets, about a guest of which nothing is known
 * but its machine type and its backend: it took all that it was offered where it runs.
 */

/* One question to all cohorts, and what they answer to it, whichever QEMU the guest runs in. */
struct cell {
	bool asked;
	enum move_kind kind;
	enum abibase_tri way_back;
	json_t *answer; /* the worst */
};

struct asking {
	struct matrix_answer *a;
	const char *machine;
	size_t backend, from;
	bool list;
	struct abibase_guest *guest;
	struct cell *cells; /* for each cohort */
};

/* No guest of this kind runs there. */
#define NONE "none"

/* ------------------------------------------------------------------------- one question */

static const char *class_of(const struct abibase_catalogue *cat, size_t backend)
{
	for (size_t i = 0; i < cat->n_rows; i++)
		if (cat->rows[i].bit >= 0 && cat->rows[i].backends & (1u << backend))
			return cat->rows[i].class_name;
	return NET_DEVICE;
}

static int make_guest(struct asking *q)
{
	const struct abibase_matrix *m = q->a->m;
	const char *target = intersection_inputs(m->ix)->policy.target;
	json_t *root = json_pack("{s:s, s:s, s:s*, s:[{s:s, s:s}]}", "schema", "abibase-guest/1",
				 "machine", q->machine, "target", target, "devices", "class",
				 class_of(m->cat, q->backend), "backend",
				 m->cat->backends[q->backend].name);

	return root ? guest_from_json(m->ctx, root, "the guest", &q->guest) : context_oom(m->ctx);
}

/* Of two answers that of the QEMU with which it is worse. */
static void take_answer(struct cell *c, json_t *host)
{
	static const int rank[] = { [MOVE_NO] = 0, [MOVE_UNKNOWN] = 1, [MOVE_LIST] = 2,
				    [MOVE_NOW] = 3 };
	static const int order[] = { [ABIBASE_NO] = 0, [ABIBASE_UNKNOWN] = 1, [ABIBASE_YES] = 2 };
	enum move_kind kind = (enum move_kind)word_index(move_words, string_of(host, "verdict"));
	const json_t *back = json_object_get(host, "way_back");
	enum abibase_tri way = (enum abibase_tri)word_index(way_words, string_of(back, "verdict"));

	if (c->asked && (rank[kind] > rank[c->kind] ||
			 (kind == c->kind && order[way] >= order[c->way_back])))
		return;
	json_decref(c->answer);
	*c = (struct cell){ true, kind, way, json_incref(host) };
}

static int take_answers(struct asking *q, const json_t *root)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(root, "hosts"), i, v) {
		const json_t *at = json_object_get(q->a->by_name, string_of(v, "host"));

		take_answer(&q->cells[json_integer_value(at)], v);
	}
	json_array_foreach(json_object_get(json_object_get(root, "scope"), "evidence"), i, v)
		scope_add(&q->a->scope, "evidence", json_string_value(v));
	return q->a->scope ? 0 : context_oom(q->a->m->ctx);
}

/* A host sends to another one of its cohort; one that is alone in it does not. */
static int add_hosts(const struct asking *q, struct abibase_targets *t)
{
	const struct abibase_matrix *m = q->a->m;
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->n; i++) {
		struct abibase_profile *p = m->cohort[i].p[i == q->from];

		if (p && strings_have(&m->assume, p->name))
			r = abibase_targets_assume_qemu(t, p->name);
		if (r == 0 && p)
			r = abibase_targets_add_profile(t, p);
	}
	return r;
}

static int ask_from(struct asking *q, struct abibase_profile *source)
{
	const struct abibase_matrix *m = q->a->m;
	struct abibase_result *res = NULL;
	struct abibase_targets *t;
	int r = abibase_targets_new(m->ctx, m->cat, q->guest, &t);

	if (r < 0)
		return r;
	if (q->list)
		r = abibase_targets_set_baseline(t, m->baseline);
	abibase_targets_set_source(t, source);
	if (r == 0)
		r = add_hosts(q, t);
	if (r == 0)
		r = targets_judge(t, &res);
	if (r == 0)
		r = take_answers(q, res->root);
	abibase_result_unref(res);
	abibase_targets_unref(t);
	return r;
}

/* ------------------------------------------------------------- from which of its QEMUs */

/* From the host as if it had no other QEMU than this one; NULL: than none. */
static int ask_with(struct asking *q, const struct abibase_profile *p, const json_t *entry)
{
	struct abibase_profile *one;
	int r = profile_with_qemu(q->a->m->ctx, p, entry, &one);

	if (r < 0)
		return r;
	r = ask_from(q, one);
	abibase_profile_unref(one);
	return r;
}

static bool is_twice(const struct abibase_profile *p, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (streq(p->qemu[k].digest, p->qemu[i].digest))
			return true;
	return false;
}

/* May a QEMU be there of which nothing is known? Where none is, no guest runs. */
static bool has_another(const struct abibase_matrix *m, const struct abibase_profile *p)
{
	return p->n_unasked || !p->has_qemu ||
	       (!p->n_qemu && strings_have(&m->assume, p->name));
}

/* A guest may run in any that has the machine type, or of which nobody knows whether it has. */
static int ask_each(struct asking *q, struct abibase_profile *p)
{
	const char *target = q->guest->target ? q->guest->target : p->arch;
	bool alone = p->n_qemu == 1 && !p->n_unasked;
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n_qemu; i++) {
		enum machine_use use = machine_use(q->a->m->cat, p->qemu[i].json, target,
						   q->machine);

		if (use == MACHINE_NOT_THERE || use == MACHINE_OTHER_TARGET || is_twice(p, i))
			continue;
		r = alone ? ask_from(q, p) : ask_with(q, p, p->qemu[i].json);
	}
	return r == 0 && has_another(q->a->m, p) ? ask_with(q, p, NULL) : r;
}

/* --------------------------------------------------------------------------- in a document */

/* The number of what is in a list of the document, where it is once. */
static json_t *number_of(struct matrix_answer *a, json_t *list, const char *key, const json_t *v)
{
	json_t *at = json_object_get(a->numbers, key);

	if (at)
		return json_incref(at);
	at = json_integer((json_int_t)json_array_size(list));
	if (json_put(a->numbers, key, json_incref(at)) < 0 ||
	    json_add(list, json_incref((json_t *)v)) < 0) {
		json_decref(at);
		return NULL;
	}
	return at;
}

/* What is in the way, or may be; remarks are for who asks about the one guest. */
static json_t *reasons(struct matrix_answer *a, const json_t *findings)
{
	json_t *list = json_array(), *v;
	size_t i;

	json_array_foreach((json_t *)findings, i, v) {
		_buf_ key = { 0 };

		if (streq(string_of(v, "kind"), "note"))
			continue;
		json_write_compact(&key, v, NULL);
		if (buf_failed(&key) ||
		    json_add(list, number_of(a, a->findings, key.data, v)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *door_of(struct matrix_answer *a, const json_t *answer)
{
	const json_t *text = json_object_get(json_object_get(answer, "way_back"), "text");

	return text ? number_of(a, a->doors, json_string_value(text), text) : NULL;
}

/* What a rehearsal of this move has said will be a member here: "rehearsed". */
static json_t *cell_json(const struct asking *q, size_t to)
{
	struct matrix_answer *a = q->a;
	const struct cell *c = &q->cells[to];
	bool takes = c->asked && (c->kind == MOVE_NOW || c->kind == MOVE_LIST);
	const json_t *rescue = json_object_get(c->answer, "rescue");

	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:o, s:s*, s:o*, s:O*}", "from",
			 cohort_name(&a->m->cohort[q->from]), "to",
			 cohort_name(&a->m->cohort[to]), "machine", q->machine, "backend",
			 a->m->cat->backends[q->backend].name, "list", q->list, "verdict",
			 c->asked ? move_words[c->kind] : NONE, "why",
			 reasons(a, json_object_get(c->answer, "findings")), "way_back",
			 takes ? way_words[c->way_back] : NULL, "door",
			 takes ? door_of(a, c->answer) : NULL, "rescue",
			 takes && json_array_size(rescue) ? rescue : NULL);
}

static int put_cells(const struct asking *q)
{
	const struct abibase_matrix *m = q->a->m;
	json_t *moves = json_object_get(q->a->root, "moves");

	for (size_t i = 0; i < m->n; i++)
		if ((i != q->from || m->cohort[i].p[1]) && json_add(moves, cell_json(q, i)) < 0)
			return context_oom(m->ctx);
	return 0;
}

/* ---------------------------------------------------------------------------------- all */

static int ask_one(struct asking *q)
{
	const struct abibase_matrix *m = q->a->m;
	struct abibase_profile *p = m->cohort[q->from].p[0];
	struct ask a = { .cat = m->cat, .p = p };
	int r = make_guest(q);

	q->cells = calloc(m->n + 1, sizeof(*q->cells));
	if (r == 0 && !q->cells)
		r = context_oom(m->ctx);
	if (r == 0 && ask_usable(&a, q->backend) != ABIBASE_NO)
		r = ask_each(q, p);
	if (r == 0)
		r = put_cells(q);
	for (size_t i = 0; q->cells && i < m->n; i++)
		json_decref(q->cells[i].answer);
	free(q->cells);
	q->cells = NULL;
	q->guest = abibase_guest_unref(q->guest);
	return r;
}

/* With the list of the baseline, where it is of this machine type, and without. */
static int ask_machine(struct matrix_answer *a, const char *machine)
{
	const struct abibase_matrix *m = a->m;
	unsigned int backends = intersection_inputs(m->ix)->policy.backends;
	bool listed = m->baseline && baseline_is_of_machine(m->baseline, machine);
	int r = 0;

	for (int list = 0; list <= listed; list++)
		for (size_t be = 0; be < m->cat->n_backends; be++)
			for (size_t i = 0; r == 0 && backends & (1u << be) && i < m->n; i++) {
				struct asking q = { .a = a, .machine = machine, .backend = be,
						    .from = i, .list = list };

				r = ask_one(&q);
			}
	return r;
}

int matrix_moves(struct matrix_answer *a)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->machines.n; i++)
		r = ask_machine(a, a->machines.s[i]);
	return r;
}
