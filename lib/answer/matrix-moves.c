/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "answer/matrix.h"
#include "answer/move.h"
#include "base/context.h"
#include "base/known.h"
#include "document/build.h"
#include "document/page.h"
#include "model/ask.h"
#include "model/intersect.h"
#include "model/machine.h"

/*
 * From each cohort to each. Every answer is one of targets, about a guest of which nothing is known
 * but its machine type and its backend: it took all that it was offered where it runs.
 */

/* What guests of a machine type on a backend are asked about. */
struct asking {
	struct matrix_answer *a;
	struct matrix_known *known;
	const char *machine;
	size_t backend;
	bool list;
	struct abibase_guest *guest;
	struct abibase_targets *t;
};

/* A move of them, and the worst answer so far, whichever QEMU they run in. */
struct pair {
	struct asking *q;
	struct matrix_side *from, *to;
	struct matrix_said said;
	json_t *answer;
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

static int make_guest(const struct asking *q, struct abibase_guest **ret)
{
	const struct abibase_matrix *m = q->a->m;
	const char *target = intersection_inputs(m->ix)->policy.target;
	json_t *root = json_pack("{s:s, s:s, s:s*, s:[{s:s, s:s}]}", "schema", "abibase-guest/1",
				 "machine", q->machine, "target", target, "devices", "class",
				 class_of(m->cat, q->backend), "backend",
				 m->cat->backends[q->backend].name);

	return root ? guest_from_json(m->ctx, root, "the guest", ret) : context_oom(m->ctx);
}

/* Of two answers that of the QEMU with which it is worse. */
static void take_answer(struct pair *p, json_t *host)
{
	static const int rank[] = { [MOVE_NO] = 0, [MOVE_UNKNOWN] = 1, [MOVE_LIST] = 2,
				    [MOVE_NOW] = 3 };
	static const int order[] = { [ABIBASE_NO] = 0, [ABIBASE_UNKNOWN] = 1, [ABIBASE_YES] = 2 };
	enum move_kind kind = (enum move_kind)word_index(move_words, string_of(host, "verdict"));
	const json_t *back = json_object_get(host, "way_back");
	enum abibase_tri way = (enum abibase_tri)word_index(way_words, string_of(back, "verdict"));
	struct matrix_said *said = &p->said;

	if (said->asked && (rank[kind] > rank[said->kind] ||
			    (kind == said->kind && order[way] >= order[said->way_back])))
		return;
	json_decref(p->answer);
	p->answer = json_incref(host);
	*said = (struct matrix_said){ .asked = true, .kind = kind, .way_back = way };
}

static int take_answers(struct pair *p, const json_t *root)
{
	struct matrix_answer *a = p->q->a;
	size_t i;
	json_t *v;

	take_answer(p, json_array_get(json_object_get(root, "hosts"), 0));
	json_array_foreach(json_object_get(json_object_get(root, "scope"), "evidence"), i, v)
		scope_add(&a->scope, "evidence", json_string_value(v));
	return a->scope ? 0 : context_oom(a->m->ctx);
}

static int ask_from(struct pair *p, struct abibase_profile *source)
{
	struct abibase_result *res = NULL;
	int r;

	abibase_targets_set_source(p->q->t, source);
	r = abibase_targets_run(p->q->t, &res);
	if (r == 0)
		r = take_answers(p, res->root);
	abibase_result_unref(res);
	return r;
}

/* ------------------------------------------------------------- from which of its QEMUs */

/* From the host as if it had no other QEMU than this one; NULL: than none. */
static int ask_with(struct pair *p, const json_t *entry)
{
	const struct abibase_matrix *m = p->q->a->m;
	struct abibase_profile *one;
	int r = profile_with_qemu(m->ctx, p->from->p, entry, &one);

	if (r < 0)
		return r;
	one->asked = p->from->asked;
	r = profile_make_current(m->ctx, m->cat, &one);
	if (r == 0)
		r = ask_from(p, one);
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
static int ask_each(struct pair *pair)
{
	const struct asking *q = pair->q;
	struct abibase_profile *p = pair->from->p;
	const char *target = q->guest->target ? q->guest->target : p->arch;
	bool alone = p->n_qemu == 1 && !p->n_unasked;
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n_qemu; i++) {
		enum machine_use use = machine_use(q->a->m->cat, p->qemu[i].json, target,
						   q->machine);

		if (use == MACHINE_NOT_THERE || use == MACHINE_OTHER_TARGET || is_twice(p, i))
			continue;
		r = alone ? ask_from(pair, p) : ask_with(pair, p->qemu[i].json);
	}
	return r == 0 && has_another(q->a->m, p) ? ask_with(pair, NULL) : r;
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

static bool said_takes(const struct matrix_said *s)
{
	return s->asked && (s->kind == MOVE_NOW || s->kind == MOVE_LIST);
}

static json_t *door_of(struct matrix_answer *a, const json_t *answer)
{
	const json_t *text = json_object_get(json_object_get(answer, "way_back"), "text");

	return text ? number_of(a, a->doors, json_string_value(text), text) : NULL;
}

/* What a rehearsal of this move has said will be a member here: "rehearsed". */
static json_t *said_json(const struct asking *q, size_t from, size_t to, const struct matrix_said *said)
{
	const struct abibase_matrix *m = q->a->m;

	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:O, s:s*, s:O*, s:O*}", "from",
			 cohort_name(&m->cohort[from]), "to", cohort_name(&m->cohort[to]),
			 "machine", q->machine, "backend", m->cat->backends[q->backend].name,
			 "list", q->list, "verdict", said->asked ? move_words[said->kind] : NONE,
			 "why", said->why, "way_back",
			 said_takes(said) ? way_words[said->way_back] : NULL, "door", said->door,
			 "rescue", said->rescue);
}

/* ---------------------------------------------------------------------------------- all */

/* As the document has it. */
static int write_said(struct pair *p)
{
	const json_t *rescue = json_object_get(p->answer, "rescue");
	struct matrix_answer *a = p->q->a;
	struct matrix_said *said = &p->said;

	said->why = reasons(a, json_object_get(p->answer, "findings"));
	if (said_takes(said)) {
		said->door = door_of(a, p->answer);
		said->rescue = json_array_size(rescue) ? json_incref((json_t *)rescue) : NULL;
	}
	return said->why ? 0 : context_oom(a->m->ctx);
}

/* Another host like it has a name of its own, which what is said of leaving this one begins with. */
static bool names_source(const struct pair *p)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(p->answer, "findings"), i, v)
		if (strprefix(string_of(v, "text"), p->from->p->name))
			return true;
	return false;
}

static int judge(struct pair *p)
{
	const struct abibase_matrix *m = p->q->a->m;
	struct ask a = { .cat = m->cat, .p = p->from->p };
	const char *name = p->to->p->name;
	int r = targets_set_host(p->q->t, p->to->p, strings_have(&m->assume, name));

	matrix_known_begin(p->q->known, p->from, p->to);
	if (r == 0 && ask_usable(&a, p->q->backend) != ABIBASE_NO)
		r = ask_each(p);
	if (r == 0)
		r = write_said(p);
	if (r == 0 && !names_source(p) &&
	    matrix_known_keep(p->q->known, p->from, p->to, &p->said) < 0)
		r = context_oom(m->ctx);
	json_decref(p->answer);
	return r;
}

/* A host sends to another one of its cohort; one that is alone in it does not. */
static int answer_pair(struct asking *q, size_t from, size_t to)
{
	struct matrix_side *side = q->known->side;
	struct pair p = { .q = q, .from = &side[2 * from], .to = &side[2 * to + (from == to)] };
	const struct matrix_said *known = p.to->p ? matrix_known_find(q->known, p.from, p.to) : NULL;
	int r = 0;

	if (!p.to->p)
		return 0;
	if (known)
		p.said = matrix_said_copy(known);
	else
		r = judge(&p);
	if (r == 0 && json_add(json_object_get(q->a->root, "moves"),
			       said_json(q, from, to, &p.said)) < 0)
		r = context_oom(q->a->m->ctx);
	matrix_said_clear(&p.said);
	return r;
}

static int ask_all(struct asking *q)
{
	const struct abibase_matrix *m = q->a->m;
	int r = make_guest(q, &q->guest);

	if (r == 0)
		r = abibase_targets_new(m->ctx, m->cat, q->guest, &q->t);
	if (r == 0 && q->list)
		r = abibase_targets_set_baseline(q->t, m->baseline);
	if (r == 0)
		q->t->brief = true;
	for (size_t i = 0; r == 0 && i < m->n * m->n; i++)
		r = answer_pair(q, i / m->n, i % m->n);
	matrix_known_forget(q->known);
	abibase_targets_unref(q->t);
	abibase_guest_unref(q->guest);
	return r;
}

bool matrix_has_list(const struct abibase_matrix *m, const char *machine)
{
	return m->baseline && baseline_is_of_machine(m->baseline, machine);
}

/* With the list of the baseline, where it is of this machine type, and without. */
static int ask_machine(struct matrix_answer *a, struct matrix_known *known, const char *machine)
{
	const struct abibase_matrix *m = a->m;
	unsigned int backends = intersection_inputs(m->ix)->policy.backends;
	int r = 0;

	for (int list = 0; list <= matrix_has_list(m, machine); list++)
		for (size_t be = 0; r == 0 && be < m->cat->n_backends; be++) {
			struct asking q = { .a = a, .known = known, .machine = machine,
					    .backend = be, .list = list };

			if (backends & (1u << be))
				r = ask_all(&q);
		}
	return r;
}

int matrix_moves(struct matrix_answer *a)
{
	struct matrix_known known = { 0 };
	int r = matrix_known_init(&known, a->m);

	for (size_t i = 0; r == 0 && i < a->machines.n; i++)
		r = ask_machine(a, &known, a->machines.s[i]);
	matrix_known_clear(&known);
	return r;
}
