/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "answer/matrix.h"
#include "answer/show.h"
#include "base/context.h"
#include "document/build.h"
#include "document/page.h"
#include "model/intersect.h"

/* Hosts become cohorts while they come in, so that thousands of them take no more room than few. */

/* ------------------------------------------------------------------------ cohorts */

static const struct host *host_of(const void *of, size_t i)
{
	const struct abibase_matrix *m = of;

	return intersection_inputs(m->ix)->hosts[m->cohort[m->order[i]].host];
}

static int add_cohort(struct abibase_matrix *m, size_t at)
{
	if (m->n == COHORTS_MAX)
		return context_fail(m->ctx, E2BIG, "matrix-too-large", NULL,
				    "more than %d of the hosts answer each otherwise, and a matrix "
				    "has a line for each two of them",
				    COHORTS_MAX);
	if (array_grow(&m->cohort, m->n, &m->cap, sizeof(*m->cohort)) < 0)
		return context_oom(m->ctx);
	memmove(&m->order[at + 1], &m->order[at], (m->n - at) * sizeof(*m->order));
	m->order[at] = (unsigned int)m->n;
	m->cohort[m->n++] = (struct cohort){ .host = (unsigned int)m->n_hosts };
	return 0;
}

/* The first two by name stand for all of them, in whatever order they come. */
static void stand_in(struct cohort *c, struct abibase_profile *p)
{
	struct abibase_profile *next = abibase_profile_ref(p);

	for (size_t i = 0; i < ARRAY_SIZE(c->p) && next; i++) {
		struct abibase_profile *was = c->p[i];

		if (was && strcmp(was->name, next->name) < 0)
			continue;
		c->p[i] = next;
		next = was;
	}
	abibase_profile_unref(next);
}

static int enter(struct abibase_matrix *m, struct abibase_profile *p)
{
	const struct inputs *in = intersection_inputs(m->ix);
	struct cohorts by = { .cat = m->cat, .about = in->policy.backends, .judged = true };
	unsigned int i;
	size_t at;
	int r = 0;

	if (array_grow(&m->cohort_of, m->n_hosts, &m->cap_hosts, sizeof(*m->cohort_of)) < 0)
		return context_oom(m->ctx);
	if (!cohorts_place(&by, in, in->hosts[m->n_hosts], m, m->n, host_of, &at))
		r = add_cohort(m, at);
	if (r < 0)
		return r;
	i = m->order[at];
	m->cohort_of[m->n_hosts++] = i;
	m->cohort[i].n++;
	stand_in(&m->cohort[i], p);
	return 0;
}

/* ------------------------------------------------------------------------ request */

ABIBASE_EXPORT int abibase_matrix_new(struct abibase_context *ctx, struct abibase_catalogue *cat,
				      struct abibase_intersection *ix, struct abibase_matrix **ret)
{
	const struct policy *p = &intersection_inputs(ix)->policy;
	struct abibase_matrix *m = calloc(1, sizeof(*m));

	if (!m)
		return context_oom(ctx);
	m->ctx = abibase_context_ref(ctx);
	m->cat = abibase_catalogue_ref(cat);
	m->ix = ix;
	if ((p->machine && strings_insert(&m->machines, p->machine) < 0) ||
	    strings_join(&m->assume, &p->assume) < 0) {
		abibase_matrix_unref(m);
		return context_oom(ctx);
	}
	*ret = m;
	return 0;
}

static void cohorts_clear(struct abibase_matrix *m)
{
	for (size_t i = 0; i < m->n; i++) {
		abibase_profile_unref(m->cohort[i].p[0]);
		abibase_profile_unref(m->cohort[i].p[1]);
		json_decref(m->cohort[i].names);
	}
	free(m->cohort);
	free(m->cohort_of);
}

ABIBASE_EXPORT struct abibase_matrix *abibase_matrix_unref(struct abibase_matrix *m)
{
	if (!m)
		return NULL;
	cohorts_clear(m);
	strings_clear(&m->assume);
	strings_clear(&m->machines);
	strings_clear(&m->instead);
	strings_clear(&m->exchanged);
	abibase_baseline_unref(m->baseline);
	abibase_catalogue_unref(m->cat);
	abibase_context_unref(m->ctx);
	free(m);
	return NULL;
}

static int too_late(const struct abibase_matrix *m)
{
	return context_fail(m->ctx, EBUSY, "too-late", NULL,
			    "what is wanted must be said before the first host is added");
}

ABIBASE_EXPORT int abibase_matrix_set_baseline(struct abibase_matrix *m, struct abibase_baseline *b)
{
	int r;

	if (m->n_hosts)
		return too_late(m);
	if (b->verdict != ABIBASE_VERDICT_YES)
		return baseline_refuse(m->ctx, b);
	r = intersection_adopt(m->ix, b);
	if (r < 0)
		return r;
	abibase_baseline_unref(m->baseline);
	m->baseline = abibase_baseline_ref(b);
	return strings_insert(&m->machines, b->machine) < 0 ? context_oom(m->ctx) : 0;
}

ABIBASE_EXPORT int abibase_matrix_add_machine(struct abibase_matrix *m, const char *machine)
{
	return strings_insert(&m->machines, machine) < 0 ? context_oom(m->ctx) : 0;
}

/* A host as it will be takes the place of the one as it is. */
static int exchange(struct abibase_matrix *m, const char *name, bool instead, bool *ret_skip)
{
	struct strings *to = &m->exchanged;

	if (instead)
		to = &m->instead;
	else
		*ret_skip = strings_have(&m->instead, name);
	if (!instead && !*ret_skip)
		return 0;
	return strings_insert(to, name) < 0 ? context_oom(m->ctx) : 0;
}

ABIBASE_EXPORT int abibase_matrix_add_profile(struct abibase_matrix *m, struct abibase_profile *p,
					      bool instead)
{
	bool skip = false;
	int r = exchange(m, p->name, instead, &skip);

	if (r < 0 || skip)
		return r;
	r = abibase_intersection_add_profile(m->ix, p);
	/* the same one counts once */
	if (r < 0 || intersection_inputs(m->ix)->n_hosts == m->n_hosts)
		return r;
	return enter(m, p);
}

/* ------------------------------------------------------------------------- the run */

static int cmp_cohort(const void *a, const void *b)
{
	const struct cohort *x = a, *y = b;

	return strcmp(cohort_name(x), cohort_name(y));
}

static int cmp_name(const void *a, const void *b, void *data)
{
	const struct inputs *in = data;

	return strcmp(in->hosts[*(const unsigned int *)a]->name,
		      in->hosts[*(const unsigned int *)b]->name);
}

/* The names of the hosts of each, sorted, and the first of them, while cohort_of is of them. */
static int name_hosts(struct abibase_matrix *m)
{
	const struct inputs *in = intersection_inputs(m->ix);
	_autofree_ unsigned int *order = calloc(m->n_hosts + 1, sizeof(*order));

	for (unsigned int i = 0; order && i < m->n_hosts; i++)
		order[i] = i;
	if (order)
		qsort_r(order, m->n_hosts, sizeof(*order), cmp_name, (void *)in);
	for (size_t i = 0; i < m->n; i++) {
		json_decref(m->cohort[i].names);
		m->cohort[i].names = json_array();
	}
	for (size_t i = 0; order && i < m->n_hosts; i++) {
		struct cohort *c = &m->cohort[m->cohort_of[order[i]]];

		if (!json_array_size(c->names))
			c->host = order[i];
		if (json_add(c->names, json_string(in->hosts[order[i]]->name)) < 0)
			return -ENOMEM;
	}
	return order ? 0 : -ENOMEM;
}

static const char *newest_machine(const struct abibase_matrix *m, const struct abibase_profile *p)
{
	const char *target = intersection_inputs(m->ix)->policy.target, *best = NULL;

	for (size_t i = 0; i < p->n_qemu; i++) {
		const json_t *machines = json_object_get(p->qemu[i].json, "machines");
		const char *own = streq(p->qemu[i].target, target ? target : p->arch) ?
					  show_newest_machine(machines) :
					  NULL;

		if (own && (!best || machine_name_cmp(own, best) > 0))
			best = own;
	}
	return best;
}

/* What a later catalogue asks for is taken of the records, once. */
static int make_current(struct abibase_matrix *m)
{
	int r = name_hosts(m) < 0 ? context_oom(m->ctx) : 0;

	for (size_t i = 0; r == 0 && i < 2 * m->n; i++) {
		struct abibase_profile **p = &m->cohort[i / 2].p[i % 2];

		if (*p)
			r = profile_make_current(m->ctx, m->cat, p);
	}
	for (size_t i = 0; r == 0 && i < m->n; i++)
		m->cohort[i].machine = newest_machine(m, m->cohort[i].p[0]);
	return r;
}

/* A copy in their order, for cohort_of and order go by that in which they came. */
static int sort_cohorts(struct abibase_matrix *m, struct abibase_matrix *ret)
{
	int r = make_current(m);

	*ret = *m;
	ret->cohort = r < 0 ? NULL : calloc(m->n + 1, sizeof(*ret->cohort));
	if (!ret->cohort)
		return r < 0 ? r : context_oom(m->ctx);
	memcpy(ret->cohort, m->cohort, m->n * sizeof(*ret->cohort));
	qsort(ret->cohort, ret->n, sizeof(*ret->cohort), cmp_cohort);
	return 0;
}

static int put_cohort(json_t *list, const struct cohort *c)
{
	json_auto_t *qemus = json_array();
	const struct abibase_profile *p = c->p[0];

	for (size_t i = 0; i < p->n_qemu; i++)
		if (!json_has(qemus, p->qemu[i].version) &&
		    json_add(qemus, json_string(p->qemu[i].version)) < 0)
			return -ENOMEM;
	return json_add(list, json_pack("{s:s, s:O, s:s*, s:O}", "name", cohort_name(c), "hosts",
					c->names, "machine", c->machine, "qemu", qemus));
}

/* Those that were named; else the newest that all have; else the newest of each. */
static int choose_machines(struct matrix_answer *a)
{
	const struct abibase_matrix *m = a->m;
	int r = strings_join(&a->machines, &m->machines);

	if (r == 0 && !a->machines.n && a->all->machine)
		r = strings_insert(&a->machines, a->all->machine);
	for (size_t i = 0; r == 0 && !a->all->machine && !m->machines.n && i < m->n; i++)
		if (m->cohort[i].machine)
			r = strings_insert(&a->machines, m->cohort[i].machine);
	return r < 0 ? context_oom(m->ctx) : 0;
}

static int derive_all(struct matrix_answer *a)
{
	_autofree_ unsigned int *hosts = calloc(a->m->n + 1, sizeof(*hosts));

	for (size_t i = 0; hosts && i < a->m->n; i++)
		hosts[i] = a->m->cohort[i].host;
	return hosts ? intersection_of_some(a->m->ix, hosts, a->m->n, &a->all) :
		       context_oom(a->m->ctx);
}

/* What each of them costs the rest, as explain --cost says it of the baseline of all. */
static int put_costs(struct matrix_answer *a)
{
	static const char *const keys[] = { "costs", "retirements" };
	struct abibase_result *res;
	int r;

	if (!a->all->machine)
		return 0;
	r = abibase_explain(a->m->ctx, a->m->cat, a->all, NULL, ABIBASE_EXPLAIN_COST, &res);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(keys); i++)
		r = json_put(a->root, keys[i],
			     json_incref(json_object_get(res->root, keys[i])));
	abibase_result_unref(res);
	return r < 0 ? context_oom(a->m->ctx) : 0;
}

static int begin(struct matrix_answer *a)
{
	const struct abibase_matrix *m = a->m;
	const struct policy *p = &intersection_inputs(m->ix)->policy;
	json_t *cohorts;
	int r = 0;

	a->scope = scope_json(m->cat, p->backends);
	a->root = json_pack("{s:s, s:s*, s:[], s:[], s:[], s:[], s:o, s:o}", "schema",
			    "abibase-matrix/1", "baseline", m->baseline ? m->baseline->id : NULL,
			    "cohorts", "findings", "doors", "moves", "machines",
			    json_strings((const char *const *)a->machines.s, a->machines.n),
			    "exchanged", json_strings((const char *const *)m->exchanged.s,
						      m->exchanged.n));
	a->findings = json_object_get(a->root, "findings");
	a->doors = json_object_get(a->root, "doors");
	cohorts = json_object_get(a->root, "cohorts");
	a->numbers = json_object();
	for (size_t i = 0; r == 0 && i < m->n; i++)
		r = put_cohort(cohorts, &m->cohort[i]);
	return r < 0 || !a->root || !a->numbers ? context_oom(m->ctx) : 0;
}

/* With the list, where there is one for guests of the machine type; else without. */
static enum abibase_verdict verdict_of(const struct matrix_answer *a)
{
	enum abibase_verdict verdict = ABIBASE_VERDICT_YES;
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(a->root, "moves"), i, v) {
		const char *is = string_of(v, "verdict");

		if (json_is_true(json_object_get(v, "list")) !=
		    matrix_has_list(a->m, string_of(v, "machine")))
			continue;
		if (streq(is, "no"))
			return ABIBASE_VERDICT_NO;
		if (streq(is, "unknown"))
			verdict = ABIBASE_VERDICT_UNKNOWN;
	}
	return verdict;
}

/* Is no move of a guest that can be where it leads from? Of a host alone there is none at all. */
static bool is_of_nobody(const struct matrix_answer *a)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(a->root, "moves"), i, v)
		if (!streq(string_of(v, "verdict"), "none"))
			return false;
	return true;
}

/* What is in the way of one list for all hosts, in the place of what is in the way of moves */
static int put_findings(struct matrix_answer *a)
{
	const struct findings *l = &a->all->findings;

	for (size_t i = 0; i < l->n; i++)
		if (l->f[i].kind != ABIBASE_FINDING_NOTE &&
		    json_add(a->findings,
			     json_pack("{ss ss ss ss* ss* sb}", "kind", finding_words[l->f[i].kind],
				       "id", l->f[i].id, "text", l->f[i].text, "layer",
				       l->f[i].layer, "remedy", l->f[i].remedy, "fixable", 0)) < 0)
			return context_oom(a->m->ctx);
	return 0;
}

static int answer(struct matrix_answer *a, unsigned int groups, struct abibase_result **ret)
{
	struct abibase_result made = { .show = matrix_show };
	int r = derive_all(a);

	if (r == 0)
		r = choose_machines(a);
	if (r == 0)
		r = begin(a);
	if (r == 0)
		r = matrix_moves(a);
	if (r == 0)
		r = put_costs(a);
	if (r == 0 && groups)
		r = matrix_split(a, groups);
	made.verdict = verdict_of(a);
	if (r == 0 && is_of_nobody(a)) {
		made.verdict = a->all->verdict;
		r = put_findings(a);
	}
	if (r < 0)
		return r;
	if (json_put(a->root, "scope", steal(&a->scope)) < 0 ||
	    json_put(a->root, "verdict", json_string(verdict_words[made.verdict])) < 0)
		return context_oom(a->m->ctx);
	made.root = steal(&a->root);
	return result_give(a->m->ctx, &made, ret);
}

ABIBASE_EXPORT int abibase_matrix_run(struct abibase_matrix *m, unsigned int groups,
				      struct abibase_result **ret)
{
	struct abibase_matrix sorted;
	struct matrix_answer a = { .m = &sorted };
	int r = hosts_check_names(m->ctx, &m->assume, ASSUMED_HOST, inputs_have,
				  intersection_inputs(m->ix));

	if (r == 0 && !m->n)
		r = context_fail(m->ctx, EINVAL, "no-hosts", NULL, "there is no host to ask");
	if (r < 0)
		return r;
	r = sort_cohorts(m, &sorted);
	if (r == 0)
		r = answer(&a, groups, ret);
	free(sorted.cohort);
	abibase_baseline_unref(a.all);
	json_decref(a.root);
	json_decref(a.numbers);
	json_decref(a.scope);
	strings_clear(&a.machines);
	return r;
}
