/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The groups that abibase matrix --split finds are as good as any: all of them are tried, and each is
 * worth what abibase_intersection_finish() says of its hosts. And of each two cohorts it says what it
 * says of the two alone, whatever it has answered before. ABIBASE_TEST_ROUNDS=N: other than 500 fleets.
 */
#include "document/baseline.h"
#include "suites.h"
#include "test-util.h"

#define COHORTS_MAX 12

static struct test t;
static struct rng rng;

static void setup(void)
{
	test_begin(&t);
}

static void teardown(void)
{
	test_end(&t);
}

/* ------------------------------------------------------------------------- random fleets */

static const char *const kernels[] = { "5.10", "6.1", "6.12", "6.17", "7.2" };
static const char *const qemus[] = { "5.2.0", "7.2.22", "10.0.13", "10.0.2", "11.1.3" };
static const char *const facts[] = {
	"tap.offload.uso", "tap.offload.udp_tunnel", "tap.offload.tso4", "tap.offload.csum",
	"tap.offload.ufo", "tap.usable",
};

struct fleet {
	struct abibase_profile *p[3 * COHORTS_MAX];
	size_t n;
	const char *machine; /* NULL: none is named */
};

static json_t *random_host(const struct fleet *f, unsigned int spread)
{
	char name[16];
	json_t *root;

	snprintf(name, sizeof(name), "h%02zu", f->n);
	root = test_host_json(name, kernels[rng_below(&rng, spread)],
			      qemus[rng_below(&rng, spread)]);
	for (unsigned int i = rng_below(&rng, 3); i--;) {
		const char *fact = facts[rng_below(&rng, ARRAY_SIZE(facts))];

		json_object_set_new(json_object_get(root, "facts"), fact,
				    rng_percent(&rng, 20) ?
					    json_pack("{s:s}", "unknown", "no-permission") :
					    json_boolean(rng_percent(&rng, 50)));
	}
	return root;
}

/* Up to three hosts that answer alike. */
static void add_cohort(struct fleet *f, unsigned int spread)
{
	json_t *root = random_host(f, spread);

	for (unsigned int i = rng_below(&rng, 3) + 1; i--;) {
		char name[16];

		snprintf(name, sizeof(name), "h%02zu", f->n);
		json_object_set_new(root, "name", json_string(name));
		f->p[f->n++] = test_profile_json(t.ctx, root);
	}
	json_decref(root);
}

/*
 * Without TSO, which guests take, and on vhost-net without VHOST_F_LOG_ALL, without which none leaves; and
 * with USO or not, which no machine type of old has on.
 */
static void add_refusing(struct fleet *f, bool uso)
{
	char name[16];
	json_t *root, *own;

	snprintf(name, sizeof(name), "h%02zu", f->n);
	root = test_host_json(name, kernels[2], qemus[1]);
	own = json_object_get(root, "facts");
	json_object_set_new(own, "tap.offload.tso4", json_false());
	json_object_set_new(own, "vhost_net.features", json_string("0x0000010339008000"));
	json_object_set_new(own, "tap.offload.uso", json_boolean(uso));
	f->p[f->n++] = test_profile_json(t.ctx, root);
	json_decref(root);
}

static void make_fleet(struct fleet *f)
{
	unsigned int n = rng_percent(&rng, 90) ? 2 + rng_below(&rng, 5) :
			 rng_percent(&rng, 90) ? 7 + rng_below(&rng, 3) :
						 COHORTS_MAX;
	unsigned int spread = 1 + rng_below(&rng, ARRAY_SIZE(kernels));

	*f = (struct fleet){ .machine = rng_percent(&rng, 50) ? "pc-q35-5.2" : NULL };
	for (unsigned int i = 0; i < n; i++)
		add_cohort(f, spread);
}

static void release_fleet(struct fleet *f)
{
	for (size_t i = 0; i < f->n; i++)
		abibase_profile_unref(f->p[i]);
}

/* ------------------------------------------------------------------------- what is worth */

struct worth {
	bool known;
	unsigned long served, features;
};

static struct abibase_intersection *intersection(const struct fleet *f)
{
	struct abibase_intersection *ix;

	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	if (f->machine)
		ck_assert_int_eq(abibase_intersection_set_machine(ix, f->machine), 0);
	return ix;
}

static const struct abibase_profile *profile_called(const struct fleet *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (streq(test_name(f->p[i]), name))
			return f->p[i];
	ck_abort_msg("no host is called %s", name);
	return NULL;
}

/* All hosts of the cohorts in @mask, as their names stand in the document. */
static struct worth judge(const struct fleet *f, const struct abibase_value *cohorts,
			  unsigned int mask)
{
	struct abibase_intersection *ix = intersection(f);
	struct worth w = { .known = true };
	struct abibase_baseline *b;
	unsigned long hosts = 0;

	for (size_t i = 0; i < abibase_value_count(cohorts); i++) {
		const struct abibase_value *names =
			abibase_value_member(abibase_value_item(cohorts, i), "hosts");

		for (size_t k = 0; mask & (1u << i) && k < abibase_value_count(names); k++) {
			const char *name = abibase_value_string(abibase_value_item(names, k));

			ck_assert_int_eq(abibase_intersection_add_profile(
						 ix, profile_called(f, name)), 0);
			hosts++;
		}
	}
	ck_assert_int_eq(abibase_intersection_finish(ix, &b), 0);
	for (size_t i = 0; i < b->n_values; i++)
		w.features += b->values[i].on && b->values[i].bit >= 0;
	w.features *= hosts;
	w.served = hosts;
	if (abibase_baseline_verdict(b) != ABIBASE_VERDICT_YES)
		w.served = w.features = 0;
	abibase_baseline_unref(b);
	abibase_intersection_unref(ix);
	return w;
}

/* Every way to give each of @n cohorts one of @groups numbers, none of which stays without. */
static struct worth best_of_all(const struct fleet *f, const struct abibase_value *cohorts,
				unsigned int groups, struct worth *memo)
{
	unsigned int n = (unsigned int)abibase_value_count(cohorts);
	struct worth best = { 0 };
	unsigned long ways = 1;

	for (unsigned int i = 0; i < n; i++)
		ways *= groups;
	for (unsigned long way = 0; way < ways; way++) {
		unsigned int masks[3] = { 0 };
		struct worth w = { .known = true };
		unsigned long rest = way;

		for (unsigned int i = 0; i < n; i++, rest /= groups)
			masks[rest % groups] |= 1u << i;
		for (unsigned int g = 0; g < groups && w.known; g++) {
			struct worth *m = &memo[masks[g]];

			w.known = masks[g];
			if (masks[g] && !m->known)
				*m = judge(f, cohorts, masks[g]);
			w.served += m->served;
			w.features += m->features;
		}
		if (w.known && (!best.known || w.served > best.served ||
				(w.served == best.served && w.features > best.features)))
			best = w;
	}
	return best;
}

static unsigned int mask_of(const struct abibase_value *cohorts, const struct abibase_value *group)
{
	const struct abibase_value *names = abibase_value_member(group, "cohorts");
	unsigned int mask = 0;

	for (size_t k = 0; k < abibase_value_count(names); k++)
		for (size_t i = 0; i < abibase_value_count(cohorts); i++)
			if (streq(test_string(abibase_value_item(cohorts, i), "name"),
				  abibase_value_string(abibase_value_item(names, k))))
				mask |= 1u << i;
	return mask;
}

static void hold_split(const struct fleet *f, unsigned int groups)
{
	struct abibase_intersection *ix = intersection(f);
	const struct abibase_value *v, *cohorts, *list;
	struct worth mine = { 0 }, best, *memo;
	struct abibase_matrix *m;
	struct abibase_result *res;
	unsigned int all = 0;

	ck_assert_int_eq(abibase_matrix_new(t.ctx, t.cat, ix, &m), 0);
	for (size_t i = 0; i < f->n; i++)
		ck_assert_int_eq(abibase_matrix_add_profile(m, f->p[i], false), 0);
	ck_assert_int_eq(abibase_matrix_run(m, groups, &res), 0);
	v = abibase_result_value(res);
	cohorts = abibase_value_member(v, "cohorts");
	list = abibase_value_get(v, "split/groups");
	ck_assert(test_bool(v, "split/exact"));
	if (groups > abibase_value_count(cohorts))
		groups = (unsigned int)abibase_value_count(cohorts);
	ck_assert_uint_eq(abibase_value_count(list), groups);
	memo = calloc((size_t)1 << abibase_value_count(cohorts), sizeof(*memo));
	ck_assert_ptr_nonnull(memo);
	best = best_of_all(f, cohorts, groups, memo);
	for (size_t i = 0; i < groups; i++) {
		unsigned int mask = mask_of(cohorts, abibase_value_item(list, i));

		ck_assert_uint_ne(mask, 0);
		ck_assert_uint_eq(mask & all, 0);
		all |= mask;
		mine.served += memo[mask].served;
		mine.features += memo[mask].features;
	}
	ck_assert_uint_eq(all, (1u << abibase_value_count(cohorts)) - 1);
	ck_assert_uint_eq(mine.served, best.served);
	ck_assert_uint_eq(mine.features, best.features);
	free(memo);
	abibase_result_unref(res);
	abibase_matrix_unref(m);
	abibase_intersection_unref(ix);
}

START_TEST(test_split)
{
	unsigned int rounds = test_rounds(500);

	for (unsigned int i = 0; i < rounds; i++) {
		struct fleet f;

		rng.state = 7000003u + i;
		make_fleet(&f);
		hold_split(&f, 1 + i % 3);
		release_fleet(&f);
	}
}
END_TEST

/* ------------------------------------------------------------------------- of each two */

/* Of @f, or of its hosts @x and @y alone; not all have both of the machine types. */
static struct abibase_result *moves(const struct fleet *f, const char *x, const char *y)
{
	struct abibase_intersection *ix;
	struct abibase_result *res;
	struct abibase_matrix *m;

	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	ck_assert_int_eq(abibase_matrix_new(t.ctx, t.cat, ix, &m), 0);
	ck_assert_int_eq(abibase_matrix_add_machine(m, "pc-q35-5.2"), 0);
	ck_assert_int_eq(abibase_matrix_add_machine(m, "pc-q35-7.2"), 0);
	for (size_t i = 0; i < f->n; i++)
		if (!x || streq(test_name(f->p[i]), x) || streq(test_name(f->p[i]), y))
			ck_assert_int_eq(abibase_matrix_add_profile(m, f->p[i], false), 0);
	ck_assert_int_eq(abibase_matrix_run(m, 0, &res), 0);
	abibase_matrix_unref(m);
	abibase_intersection_unref(ix);
	return res;
}

/* A move as text: findings and doors stand in lists of their own document. */
static char *move_text(const struct abibase_value *root, const struct abibase_value *move)
{
	const json_t *doc = (const json_t *)root, *v = (const json_t *)move;
	const json_t *door = json_object_get(v, "door");
	json_t *own = json_deep_copy(v), *why = json_object_get(own, "why"), *n;
	char *text;
	size_t i;

	json_array_foreach(why, i, n)
		json_array_set(why, i, json_array_get(json_object_get(doc, "findings"),
						      (size_t)json_integer_value(n)));
	if (door)
		json_object_set(own, "door", json_array_get(json_object_get(doc, "doors"),
							    (size_t)json_integer_value(door)));
	text = json_dumps(own, JSON_SORT_KEYS);
	ck_assert_ptr_nonnull(text);
	json_decref(own);
	return text;
}

/* Is there such a move in the document? */
static bool has_move(const struct abibase_value *root, const char *text)
{
	const struct abibase_value *list = abibase_value_member(root, "moves");
	bool found = false;

	for (size_t i = 0; !found && i < abibase_value_count(list); i++) {
		char *own = move_text(root, abibase_value_item(list, i));

		found = streq(own, text);
		free(own);
	}
	return found;
}

static void hold_moves(const struct fleet *f)
{
	struct abibase_result *all = moves(f, NULL, NULL);
	const struct abibase_value *v = abibase_result_value(all);
	const struct abibase_value *list = abibase_value_member(v, "moves");

	for (size_t i = 0; i < abibase_value_count(list); i++) {
		const struct abibase_value *move = abibase_value_item(list, i);
		const char *from = test_string(move, "from"), *to = test_string(move, "to");
		char *text = move_text(v, move);

		if (!streq(from, to)) {
			struct abibase_result *two = moves(f, from, to);

			ck_assert_msg(has_move(abibase_result_value(two), text),
				      "of two hosts alone it is not so: %s", text);
			abibase_result_unref(two);
		}
		free(text);
	}
	abibase_result_unref(all);
}

START_TEST(test_moves)
{
	unsigned int rounds = test_rounds(500);

	for (unsigned int i = 0; i < rounds / 10; i++) {
		struct fleet f;

		rng.state = 9000001u + i;
		make_fleet(&f);
		/* and two that refuse a guest alike, and differ in what it does not look at */
		for (int k = 0; i % 2 && f.n < 3 * COHORTS_MAX - 2 && k < 2; k++)
			add_refusing(&f, k);
		hold_moves(&f);
		release_fleet(&f);
	}
}
END_TEST

Suite *suite_matrix(void)
{
	Suite *s = suite_create("matrix");
	TCase *tc = tcase_create("split");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 600);
	tcase_add_test(tc, test_split);
	tcase_add_test(tc, test_moves);
	suite_add_tcase(s, tc);
	return s;
}
