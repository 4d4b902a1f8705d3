/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Laws that hold for all profiles, tried on random ones. ABIBASE_TEST_SEED=N repeats a run,
 * ABIBASE_TEST_ROUNDS=N makes it shorter or longer.
 */
#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "answer/check.h"
#include "document/baseline.h"
#include "suites.h"
#include "test-util.h"

static struct test t;
static struct rng rng;
static uint64_t seed;

static void setup(void)
{
	test_begin(&t);
}

static void teardown(void)
{
	test_end(&t);
}

/* Each round has its own numbers, so that one can be looked at alone. */
static void begin_round(unsigned int law, unsigned int round)
{
	rng.state = seed + law * 1000003u + round;
	rng_next(&rng);
}

/* --------------------------------------------------------------- random profiles */

static const char *const versions[] = { "5.2.0", "7.2.22", "8.1.5", "8.2.0", "8.2.4", "8.2.5",
					"9.0.0", "9.0.1", "10.0.2", "10.1.0", "10.2.0", "11.1.3" };
static const char *const machines[] = { "pc-q35-5.2", "pc-q35-7.2", "pc-i440fx-8.1",
					"pc-q35-8.1", "pc-q35-8.2", "pc-q35-10.2" };
static const char *const policies[][4] = {
	{ NULL }, { "tap" }, { "tap+vhost" }, { "tap", "tap+vhost" }, { "tap", "macvtap" },
	{ "macvtap+vhost" }, { "tap", "tap+vhost", "macvtap", "macvtap+vhost" },
};

/* What is the same for all the hosts of a round. */
struct world {
	const char *machine;
	const char *const *backends; /* up to 4, NULL-terminated if fewer */
	unsigned int yes, unknown;   /* how likely a fact is, in percent */
	bool vendor_builds, values, bare, no_qemu, no_surface;
	bool all_usable, all_required;
	const char *device; /* beside virtio-net, or NULL */
	bool mtu;	    /* operators state one */
	unsigned int rom;   /* how likely the ROM of a QEMU is recorded, in percent */
};

static json_t *unknown_fact(void)
{
	static const char *const reasons[] = { "no-permission", "not-loaded", "not-asked",
					       "no-device-node" };

	return json_pack("{s:s}", "unknown", reasons[rng_below(&rng, ARRAY_SIZE(reasons))]);
}

static json_t *random_fact(const struct world *w)
{
	if (rng_percent(&rng, w->unknown))
		return unknown_fact();
	return json_boolean(rng_percent(&rng, w->yes));
}

static json_t *random_word(const struct world *w, unsigned int bits, const char *fact)
{
	char text[80] = "0x";
	size_t n = 2;

	if (rng_percent(&rng, w->unknown))
		return unknown_fact();
	for (unsigned int digit = bits / 4; digit--;) {
		unsigned int value = 0;

		for (unsigned int bit = 0; bit < 4; bit++) {
			unsigned int number = digit * 4 + bit;
			bool required = (streq(fact, "vhost_net.features") && number == 32) ||
					(strprefix(fact, "vhost") && number == 26) ||
					(strstr(fact, "tap.features") && number == 14);
			unsigned int percent = required ? 97 : w->yes;

			if ((required && w->all_required) || rng_percent(&rng, percent))
				value |= 1u << bit;
		}
		text[n++] = "0123456789abcdef"[value];
	}
	return json_string(text);
}

/* One surface: everything under a prefix, as far as it is usable. */
static void random_surface(const struct world *w, json_t *facts, const char *prefix)
{
	_autofree_ char *usable = NULL;
	json_t *state;

	ck_assert_int_gt(asprintf(&usable, "%s.usable", prefix), 0);
	state = w->all_usable || rng_percent(&rng, 90) ? json_true() :
		rng_percent(&rng, 70)		       ? json_false() :
							 unknown_fact();
	json_object_set_new(facts, usable, state);
	for (size_t i = 0; i < t.cat->n_conditions; i++) {
		const struct condition *c = &t.cat->conditions[i];
		bool required = strstr(c->fact, ".offload.ufo") != NULL;
		json_t *value;

		if (!strprefix(c->fact, prefix) || c->fact[strlen(prefix)] != '.' ||
		    json_object_get(facts, c->fact) || json_is_false(state))
			continue;
		if (json_is_object(state))
			value = json_incref(state);
		else if (required && (w->all_required || rng_percent(&rng, 97)))
			value = json_true();
		else if (c->bit < 0)
			value = random_fact(w);
		else if (streq(c->fact, "vhost_net.features_array") && rng_percent(&rng, 30))
			value = json_false();
		else
			value = random_word(w, strstr(c->fact, "array")	       ? 128 :
					       strstr(c->fact, "tap.features") ? 32 :
										 64,
					    c->fact);
		/* not every prober asks everything */
		if (rng_percent(&rng, w->unknown / 2) && !(required && w->all_required))
			json_decref(value);
		else
			json_object_set_new(facts, c->fact, value);
	}
}

static bool in_version(const struct row *row, const struct version *v)
{
	return version_cmp(v, &row->since) >= 0 &&
	       (version_is_zero(&row->removed) || version_cmp(v, &row->removed) < 0);
}

static json_t *random_properties(const struct world *w, const struct version *v)
{
	json_t *classes = json_object();

	for (size_t i = 0; i < t.cat->n_rows; i++) {
		const struct row *row = &t.cat->rows[i];
		json_t *list = json_object_get(classes, row->class_name);
		bool has = in_version(row, v);

		/* a vendor takes a property from a newer release, or takes one out */
		if (w->vendor_builds && row->pin == PIN_PINNED && rng_percent(&rng, 4))
			has = !has;
		if (!list) {
			json_object_set_new(classes, row->class_name, json_object());
			list = json_object_get(classes, row->class_name);
		}
		if (has)
			json_object_set_new(list, row->property, json_string(row->type));
	}
	return classes;
}

/* Recorded values: mostly the catalogue's, now and then another one. */
static json_t *random_values(const json_t *properties)
{
	json_t *values = json_object();

	for (size_t i = 0; i < t.cat->n_rows; i++) {
		const struct row *row = &t.cat->rows[i];

		if (row->boolean && rng_percent(&rng, 5) &&
		    (!properties ||
		     json_object_get(json_object_get(properties, row->class_name), row->property)))
			json_object_set_new(values, row->key, json_boolean(rng_percent(&rng, 70)));
	}
	return values;
}

static json_t *random_qemu(const struct world *w, const char *path)
{
	struct machine_name name;
	struct version v;
	json_t *entry = json_object(), *properties = NULL;
	const char *version;

	machine_name_parse(w->machine, &name);
	do {
		version = versions[rng_below(&rng, ARRAY_SIZE(versions))];
		ck_assert(version_parse(version, &v));
	} while (version_cmp(&v, &name.version) < 0 && rng_percent(&rng, 95));
	json_object_set_new(entry, "version", json_string(version));
	json_object_set_new(entry, "target", json_string("x86_64"));
	if (path)
		json_object_set_new(entry, "path", json_string(path));
	if (rng_percent(&rng, 30))
		json_object_set_new(entry, "package", json_string(rng_percent(&rng, 50) ? "a" : "b"));
	if (!w->bare || rng_percent(&rng, 60)) {
		properties = random_properties(w, &v);
		json_object_set_new(entry, "properties", properties);
	}
	if (version_cmp(&v, &name.version) >= 0 && rng_percent(&rng, 70))
		json_object_set_new(entry, "machines",
				    json_pack("{s:{},s:{s:s}}", w->machine, "pc-q35-99.0", "alias",
					      "q35"));
	if (w->values && rng_percent(&rng, 50))
		json_object_set_new(entry, "values",
				    json_pack("{s:o}", w->machine, random_values(properties)));
	if (rng_percent(&rng, w->rom))
		json_object_set_new(entry, "shape",
				    json_pack("{s:{s:{s:i}}}", w->machine, "any", "rom_size",
					      0x20000 << rng_below(&rng, 2)));
	return entry;
}

static json_t *random_host(const struct world *w, const char *name)
{
	static const char *const surfaces[] = { "host",	     "macvtap",	   "tap",
						"vhost_net", "vhost_vsock", "vhost_scsi" };
	json_t *facts = json_object(), *qemu = json_array();
	json_t *root = json_pack("{s:s,s:s,s:s,s:s,s:o}", "schema", "abibase-profile/1", "kind",
				 "host", "name", name, "arch", "x86_64", "facts", facts);

	for (size_t i = 0; i < ARRAY_SIZE(surfaces); i++)
		if (!w->no_surface || rng_percent(&rng, 90))
			random_surface(w, facts, surfaces[i]);
	if (w->mtu && rng_percent(&rng, 95))
		json_object_set_new(facts, "operator.host_mtu",
				    json_integer(rng_percent(&rng, 5) ? 0 :
								  1500 + rng_below(&rng, 4)));
	for (unsigned int i = 0, n = 1 + (unsigned int)rng_percent(&rng, 25); i < n; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/opt/%u/qemu", i);
		json_array_append_new(qemu, random_qemu(w, path));
	}
	if (!w->no_qemu || rng_percent(&rng, 80))
		json_object_set(root, "qemu", qemu);
	json_decref(qemu);
	return root;
}

static void random_world(struct world *w)
{
	static const unsigned int yes[] = { 50, 80, 95, 100 }, unknown[] = { 0, 2, 10 };
	static const char *const devices[] = { NULL, NULL, "vhost-vsock", "vhost-scsi" };

	memset(w, 0, sizeof(*w));
	w->machine = machines[rng_below(&rng, ARRAY_SIZE(machines))];
	w->backends = policies[rng_below(&rng, ARRAY_SIZE(policies))];
	w->yes = yes[rng_below(&rng, ARRAY_SIZE(yes))];
	w->unknown = unknown[rng_below(&rng, ARRAY_SIZE(unknown))];
	w->vendor_builds = rng_percent(&rng, 30);
	w->values = rng_percent(&rng, 30);
	w->bare = rng_percent(&rng, 30);
	w->no_qemu = rng_percent(&rng, 30);
	w->no_surface = rng_percent(&rng, 10);
	w->all_usable = rng_percent(&rng, 50);
	w->all_required = rng_percent(&rng, 80);
	w->device = devices[rng_below(&rng, ARRAY_SIZE(devices))];
	w->mtu = rng_percent(&rng, 30);
	w->rom = rng_percent(&rng, 50) ? 0 : rng_percent(&rng, 70) ? 100 : 60;
}

#define MAX_HOSTS 6
struct hosts {
	struct world world;
	json_t *json[MAX_HOSTS];
	struct abibase_profile *p[MAX_HOSTS];
	size_t n;
};

static void hosts_make(struct hosts *h)
{
	random_world(&h->world);
	h->n = 2 + rng_below(&rng, MAX_HOSTS - 1);
	for (size_t i = 0; i < h->n; i++) {
		char name[sizeof("h") + 20]; /* as many digits as a size_t can have */

		snprintf(name, sizeof(name), "h%zu", i);
		if (i && rng_percent(&rng, 25)) { /* a cohort */
			h->json[i] = json_deep_copy(h->json[rng_below(&rng, (unsigned int)i)]);
			json_object_set_new(h->json[i], "name", json_string(name));
		} else {
			h->json[i] = random_host(&h->world, name);
		}
		h->p[i] = test_profile_json(t.ctx, h->json[i]);
	}
}

static void hosts_clear(struct hosts *h)
{
	for (size_t i = 0; i < h->n; i++) {
		json_decref(h->json[i]);
		abibase_profile_unref(h->p[i]);
	}
}

static void hosts_print(const struct hosts *h)
{
	for (size_t i = 0; i < h->n; i++) {
		json_dumpf(h->json[i], stderr, JSON_COMPACT);
		fputc('\n', stderr);
	}
}

#define law_assert(h, round, cond, ...)                                                          \
	do {                                                                                     \
		if (!(cond)) {                                                                   \
			hosts_print(h);                                                          \
			fprintf(stderr, "-M %s, backends", (h)->world.machine);                  \
			for (int _b = 0; _b < 4 && (h)->world.backends[_b]; _b++)                \
				fprintf(stderr, " %s", (h)->world.backends[_b]);                 \
			if ((h)->world.device)                                                   \
				fprintf(stderr, " %s", (h)->world.device);                       \
			fprintf(stderr, "\n" __VA_ARGS__);                                       \
			ck_abort_msg("round %u, ABIBASE_TEST_SEED=%" PRIu64, round, seed);       \
		}                                                                                \
	} while (0)

/* ---------------------------------------------------------------------- answers */

static struct abibase_intersection *begin(const struct world *w)
{
	struct abibase_intersection *ix;

	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	ck_assert_int_eq(abibase_intersection_set_machine(ix, w->machine), 0);
	for (int i = 0; i < 4 && w->backends[i]; i++)
		ck_assert_int_eq(abibase_intersection_add_backend(ix, w->backends[i]), 0);
	if (w->device)
		ck_assert_int_eq(abibase_intersection_add_device(ix, w->device), 0);
	return ix;
}

static void add(struct abibase_intersection *ix, const struct abibase_profile *p)
{
	ck_assert_msg(abibase_intersection_add_profile(ix, p) == 0, "%s",
		      abibase_context_error(t.ctx));
}

static void add_baseline(struct abibase_intersection *ix, const struct abibase_baseline *b)
{
	ck_assert_msg(abibase_intersection_add_baseline(ix, b) == 0, "%s",
		      abibase_context_error(t.ctx));
}

static struct abibase_baseline *finish(struct abibase_intersection *ix)
{
	struct abibase_baseline *b;

	ck_assert_int_eq(abibase_intersection_finish(ix, &b), 0);
	abibase_intersection_unref(ix);
	return b;
}

/* The hosts whose bit is set in @mask. */
static struct abibase_baseline *answer(const struct hosts *h, unsigned int mask)
{
	struct abibase_intersection *ix = begin(&h->world);

	for (size_t i = 0; i < h->n; i++)
		if (mask & (1u << i))
			add(ix, h->p[i]);
	return finish(ix);
}

/* ------------------------------------------------------------------------- laws */

START_TEST(test_order_and_repetition)
{
	for (unsigned int round = 0; round < test_rounds(300); round++) {
		struct hosts h;
		struct abibase_baseline *a, *b;
		struct abibase_intersection *ix;
		_autofree_ char *x = NULL, *y = NULL;
		size_t order[2 * MAX_HOSTS];

		begin_round(1, round);
		hosts_make(&h);
		a = answer(&h, ~0u);
		ix = begin(&h.world);
		for (size_t i = 0; i < 2 * h.n; i++) {
			size_t k = rng_below(&rng, (unsigned int)i + 1);

			order[i] = order[k];
			order[k] = i % h.n;
		}
		for (size_t i = 0; i < 2 * h.n; i++)
			add(ix, h.p[order[i]]);
		b = finish(ix);
		x = test_baseline_json(t.ctx, a);
		y = test_baseline_json(t.ctx, b);
		law_assert(&h, round, streq(x, y), "%s\nand in another order\n%s\n", x, y);
		ck_assert_pstr_eq(abibase_baseline_id(a), abibase_baseline_id(b));
		ck_assert_int_eq(abibase_baseline_id(a) != NULL,
				 abibase_baseline_verdict(a) == ABIBASE_VERDICT_YES);
		abibase_baseline_unref(a);
		abibase_baseline_unref(b);
		hosts_clear(&h);
	}
}
END_TEST

static bool same_hosts(const unsigned int *x, size_t n_x, const unsigned int *y, size_t n_y)
{
	return n_x == n_y && (!n_x || memcmp(x, y, n_x * sizeof(*x)) == 0);
}

static bool same_reasons(const struct abibase_baseline *a, const struct abibase_baseline *b)
{
	bool same = a->n_values == b->n_values && a->n_offers == b->n_offers;

	for (size_t i = 0; same && i < a->n_offers; i++)
		same = same_hosts(a->offers[i].absent_on, a->offers[i].n_absent_on,
				  b->offers[i].absent_on, b->offers[i].n_absent_on);
	for (size_t i = 0; same && i < a->n_values; i++) {
		const struct value *x = &a->values[i], *y = &b->values[i];

		same = x->n_why == y->n_why;
		for (size_t k = 0; same && k < x->n_why; k++)
			same = same_hosts(x->why[k].hosts, x->why[k].n_hosts, y->why[k].hosts,
					  y->why[k].n_hosts);
	}
	return same;
}

/* Reasons are written for cohorts, and read for the same hosts as before. */
START_TEST(test_cohorts)
{
	for (unsigned int round = 0; round < test_rounds(300); round++) {
		struct hosts h;
		struct abibase_baseline *a, *b;
		_autofree_ char *x = NULL, *y = NULL;

		begin_round(9, round);
		hosts_make(&h);
		a = answer(&h, ~0u);
		x = test_baseline_json(t.ctx, a);
		ck_assert_int_eq(baseline_from_buffer(t.ctx, x, strlen(x), "t", &b), 0);
		y = test_baseline_json(t.ctx, b);
		law_assert(&h, round, streq(x, y), "%s\nand read and written\n%s\n", x, y);
		law_assert(&h, round, same_reasons(a, b), "%s\n", x);
		abibase_baseline_unref(a);
		abibase_baseline_unref(b);
		hosts_clear(&h);
	}
}
END_TEST

/* Baselines of two groups that may overlap, written, read and joined; and the answer joined with itself. */
START_TEST(test_grouping)
{
	for (unsigned int round = 0; round < test_rounds(200); round++) {
		struct hosts h;
		struct abibase_baseline *whole, *one, *two, *read_one, *read_two, *joined, *again;
		struct abibase_intersection *ix;
		_autofree_ char *x = NULL, *y = NULL, *z = NULL;
		unsigned int first, all;

		begin_round(2, round);
		hosts_make(&h);
		all = (1u << h.n) - 1;
		first = 1 + rng_below(&rng, all - 1);
		whole = answer(&h, all);
		one = answer(&h, first);
		two = answer(&h, all & (~first | (unsigned int)rng_next(&rng)));
		read_one = test_reread(t.ctx, one);
		read_two = test_reread(t.ctx, two);
		ix = begin(&h.world);
		add_baseline(ix, read_two);
		if (rng_percent(&rng, 50))
			add(ix, h.p[rng_below(&rng, (unsigned int)h.n)]);
		add_baseline(ix, read_one);
		joined = finish(ix);
		x = test_baseline_json(t.ctx, whole);
		y = test_baseline_json(t.ctx, joined);
		law_assert(&h, round, streq(x, y), "groups 0x%x\n%s\nand grouped\n%s\n", first, x,
			   y);
		/* nothing but the baseline itself says what is wanted, and it is its own join */
		ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
		if (rng_percent(&rng, 50))
			add(ix, h.p[rng_below(&rng, (unsigned int)h.n)]);
		add_baseline(ix, joined);
		add_baseline(ix, whole);
		again = finish(ix);
		z = test_baseline_json(t.ctx, again);
		law_assert(&h, round, streq(x, z), "%s\nand joined with itself\n%s\n", x, z);
		abibase_baseline_unref(whole);
		abibase_baseline_unref(one);
		abibase_baseline_unref(two);
		abibase_baseline_unref(read_one);
		abibase_baseline_unref(read_two);
		abibase_baseline_unref(joined);
		abibase_baseline_unref(again);
		hosts_clear(&h);
	}
}
END_TEST

/* A baseline that is read says what the one that was written said. */
START_TEST(test_reading_keeps_the_answer)
{
	for (unsigned int round = 0; round < test_rounds(100); round++) {
		struct hosts h;
		struct abibase_baseline *a, *b;
		_autofree_ char *x = NULL, *y = NULL;

		begin_round(3, round);
		hosts_make(&h);
		a = answer(&h, ~0u);
		b = test_reread(t.ctx, a);
		x = test_baseline_json(t.ctx, a);
		y = test_baseline_json(t.ctx, b);
		law_assert(&h, round, streq(x, y), "%s\nread as\n%s\n", x, y);
		ck_assert_int_eq(abibase_baseline_verdict(a), abibase_baseline_verdict(b));
		ck_assert_pstr_eq(abibase_baseline_id(a), abibase_baseline_id(b));
		ck_assert_pstr_eq(a->machine, b->machine);
		for (size_t i = 0; i < t.cat->n_rows; i++)
			ck_assert_pstr_eq(baseline_property(a, t.cat->rows[i].class_name,
								 t.cat->rows[i].property),
					  baseline_property(b, t.cat->rows[i].class_name,
								 t.cat->rows[i].property));
		for (size_t i = 0; i < t.cat->n_backends; i++) {
			uint64_t u[2] = { 0 }, v[2] = { 0 };

			ck_assert_int_eq(
				baseline_offered(a, t.cat->backends[i].name, u),
				baseline_offered(b, t.cat->backends[i].name, v));
			ck_assert(u[0] == v[0] && u[1] == v[1]);
		}
		ck_assert_uint_eq(baseline_finding_count(a),
				  baseline_finding_count(b));
		for (size_t i = 0; i < baseline_finding_count(a); i++) {
			ck_assert_int_eq(a->findings.f[i].kind,
					 b->findings.f[i].kind);
			ck_assert_str_eq(abibase_baseline_finding_get(a, i, "id"),
					 abibase_baseline_finding_get(b, i, "id"));
			ck_assert_str_eq(abibase_baseline_finding_get(a, i, "text"),
					 abibase_baseline_finding_get(b, i, "text"));
			ck_assert_pstr_eq(abibase_baseline_finding_get(a, i, "remedy"),
					  abibase_baseline_finding_get(b, i, "remedy"));
		}
		abibase_baseline_unref(a);
		abibase_baseline_unref(b);
		hosts_clear(&h);
	}
}
END_TEST

/*
 * One host more never turns a value on and never adds a bit to what guests are offered; but for what
 * a QEMU without the property does, which all the others then have to do. A number falls, but for one
 * that has to hold what is on each host.
 */
START_TEST(test_monotone)
{
	for (unsigned int round = 0; round < test_rounds(300); round++) {
		struct hosts h;
		struct abibase_baseline *few, *more;

		begin_round(4, round);
		hosts_make(&h);
		few = answer(&h, (1u << (h.n - 1)) - 1);
		more = answer(&h, (1u << h.n) - 1);
		for (size_t i = 0; i < t.cat->n_rows; i++) {
			const struct row *row = &t.cat->rows[i];
			const char *was = baseline_property(few, row->class_name,
								 row->property);
			const char *is = baseline_property(more, row->class_name,
								row->property);

			law_assert(&h, round,
				   row->without || !was || !is || !streq(was, "off") ||
					   streq(is, "off"),
				   "%s was off and is on\n", row->key);
			law_assert(&h, round,
				   !row->number || !was || !is ||
					   (row->observed ? atoi(is) >= atoi(was) :
							    atoi(is) <= atoi(was)),
				   "%s was %s and is %s\n", row->key, was, is);
		}
		for (size_t i = 0; i < t.cat->n_backends; i++) {
			const char *backend = t.cat->backends[i].name;
			uint64_t was[2], is[2];

			if (!baseline_offered(few, backend, was) ||
			    !baseline_offered(more, backend, is))
				continue;
			law_assert(&h, round, !(is[0] & ~was[0]) && !(is[1] & ~was[1]),
				   "%s: was 0x%" PRIx64 "%016" PRIx64 ", is 0x%" PRIx64
				   "%016" PRIx64 "\n",
				   backend, was[1], was[0], is[1], is[0]);
		}
		abibase_baseline_unref(few);
		abibase_baseline_unref(more);
		hosts_clear(&h);
	}
}
END_TEST

/* ------------------------------------------------------- the answer is what QEMU does */

static enum abibase_tri is_usable(const struct abibase_profile *p, const struct backend *b)
{
	enum abibase_tri r = ABIBASE_YES;

	for (size_t i = 0; i < b->n_usable; i++) {
		enum abibase_tri a = profile_fact(
			p, t.cat->conditions[b->usable[i]].name, NULL);

		if (a != ABIBASE_YES && r != ABIBASE_NO)
			r = a;
	}
	return r;
}

/* @host: whose list is tried, as --for has it; NULL: the one for all, which need not exist. */
static unsigned int compare_qemu(const struct hosts *h, unsigned int round,
				 const struct abibase_baseline *b, const struct abibase_profile *p,
				 const char *host, const char *qemu)
{
	_autofree_ char *list = NULL, *why = NULL;
	struct abibase_render *r;
	char **settings;
	unsigned int n = 0;
	int verdict;

	ck_assert_int_eq(abibase_render_new(t.ctx, &r), 0);
	if (host)
		ck_assert_int_eq(abibase_render_set_for(r, host), 0);
	verdict = abibase_render_run(r, b, 0, &list, &why);
	abibase_render_unref(r);
	/* the host has this binary, and the answer has no use for it: nothing to compare */
	if (verdict == -ENOENT)
		return 0;
	if (verdict != ABIBASE_VERDICT_YES && (!host || (p->n_qemu > 1 && !strchr(host, ':')))) {
		ck_assert(!list && why && *why);
		return 0;
	}
	law_assert(h, round, verdict == ABIBASE_VERDICT_YES && list, "--for %s: %d %s\n",
		   host ? host : "(none)", verdict, why ? why : "");
	settings = test_settings(list);
	for (size_t i = 0; i < t.cat->n_backends; i++) {
		const char *backend = t.cat->backends[i].name;
		_autofree_ char *doubt = NULL;
		uint64_t offered[2], predicted[2] = { 0, 0 };

		if (!baseline_offered(b, backend, offered) ||
		    is_usable(p, &t.cat->backends[i]) != ABIBASE_YES)
			continue;
		verdict = abibase_predict(t.ctx, t.cat, p, qemu, h->world.machine, backend,
					  (const char *const *)settings, predicted, &doubt);
		law_assert(h, round,
			   verdict == ABIBASE_VERDICT_YES && predicted[0] == offered[0] &&
				   predicted[1] == offered[1],
			   "%s, QEMU %s, %s: stated 0x%" PRIx64 "%016" PRIx64
			   ", predicted 0x%" PRIx64 "%016" PRIx64 ", verdict %d %s\nwith\n%s",
			   p->name, qemu, backend, offered[1], offered[0], predicted[1], predicted[0],
			   verdict, doubt ? doubt : "", list);
		n++;
	}
	test_settings_free(settings);
	return n;
}

static unsigned int compare_host(const struct hosts *h, unsigned int round,
				 const struct abibase_baseline *b, const struct abibase_profile *p)
{
	static const char *const upstream[] = { "5.2.0", "7.2.0", "8.1.0", "8.2.5", "9.0.1",
						"9.2.0", "10.0.0", "10.2.0", "11.1.0" };
	struct machine_name name;
	unsigned int n = 0;

	for (size_t i = 0; i < p->n_qemu; i++) {
		_autofree_ char *host = NULL;
		unsigned int k;

		ck_assert_int_gt(asprintf(&host, "%s:%s", p->name, p->qemu[i].path), 0);
		k = compare_qemu(h, round, b, p, host, p->qemu[i].path);
		n += k;
		if (!k) /* not used on any backend: other lists are not for it */
			continue;
		n += compare_qemu(h, round, b, p, p->name, p->qemu[i].path);
		n += compare_qemu(h, round, b, p, NULL, p->qemu[i].path);
	}
	if (p->n_qemu)
		return n;
	/* no QEMU facts: any upstream release that has the machine type, but for the exceptions */
	machine_name_parse(h->world.machine, &name);
	for (size_t i = 0; i < ARRAY_SIZE(upstream); i++) {
		struct version v;

		ck_assert(version_parse(upstream[i], &v));
		if (version_cmp(&v, &name.version) < 0)
			continue;
		n += compare_qemu(h, round, b, p, p->name, upstream[i]);
		n += compare_qemu(h, round, b, p, NULL, upstream[i]);
	}
	return n;
}

static bool is_offered(const uint64_t word[2], const struct row *row)
{
	return row->bit >= 0 && word[row->bit / 64] >> (row->bit % 64) & 1;
}

/* What is offered has what it depends on, and groups that are decided together are whole. */
static void check_closed(const struct hosts *h, unsigned int round,
			 const struct abibase_baseline *b, size_t backend, const uint64_t word[2])
{
	for (size_t r = 0; r < t.cat->n_rows; r++) {
		const struct row *row = &t.cat->rows[r];

		if (row->pin != PIN_PINNED || !(row->backends & (1u << backend)) ||
		    !is_offered(word, row))
			continue;
		for (size_t i = 0; i < row->n_depends; i++) {
			bool met = false;

			for (size_t k = 0; k < row->depends[i].n; k++)
				met |= is_offered(word, &t.cat->rows[row->depends[i].any[k]]);
			law_assert(h, round, met, "%s is offered without what it depends on\n",
				   row->key);
		}
		for (size_t k = 0; k < t.cat->n_rows && t.cat->groups[row->group].together; k++) {
			const struct row *other = &t.cat->rows[k];

			/* one that no QEMU of the set has is not offered by anybody */
			law_assert(h, round,
				   other->group != row->group || is_offered(word, other) ||
					   !baseline_property(b, other->class_name,
								   other->property),
				   "%s is offered without %s\n", row->key, other->key);
		}
	}
}

/*
 * A baseline offers nothing that an input lacks, and neither less: on each usable backend of each
 * host, each of its QEMUs, started with the list for it, offers just the word that is stated.
 */
START_TEST(test_offers_what_it_states)
{
	unsigned int compared = 0, answers = 0, n_rounds = test_rounds(400);

	for (unsigned int round = 0; round < n_rounds; round++) {
		struct hosts h;
		struct abibase_baseline *b;

		begin_round(5, round);
		hosts_make(&h);
		b = answer(&h, ~0u);
		if (abibase_baseline_verdict(b) == ABIBASE_VERDICT_YES) {
			answers++;
			for (size_t i = 0; i < h.n; i++)
				compared += compare_host(&h, round, b, h.p[i]);
			for (size_t i = 0; i < t.cat->n_backends; i++) {
				uint64_t word[2];

				if (baseline_offered(b, t.cat->backends[i].name, word))
					check_closed(&h, round, b, i, word);
			}
		} else {
			for (size_t i = 0; i < t.cat->n_backends; i++) {
				uint64_t word[2];

				law_assert(&h, round,
					   !baseline_offered(
						   b, t.cat->backends[i].name, word),
					   "an offer without an answer\n");
			}
		}
		abibase_baseline_unref(b);
		hosts_clear(&h);
	}
	/* the generator is of no use if it makes nothing but conflicts, or no conflict */
	if (n_rounds >= 400) {
		ck_assert_uint_ge(answers, n_rounds / 10);
		ck_assert_uint_le(answers, n_rounds * 9 / 10);
	}
	ck_assert_uint_ge(compared, answers);
}
END_TEST

/* ---------------------------------------------------------------- one size of ROM */

/* What a guest of this QEMU has with the list for it: 0: not known. */
static int64_t rom_block(const struct hosts *h, unsigned int round, const struct abibase_baseline *b,
			 const json_t *host, const json_t *qemu, bool *ret_used)
{
	static const char setting[] = "-global virtio-net-pci-base.romsize=";
	const json_t *shape = json_object_get(json_object_get(qemu, "shape"), h->world.machine);
	int64_t file = json_integer_value(
		json_object_get(json_object_get(shape, "any"), "rom_size"));
	const char *name = json_string_value(json_object_get(host, "name")), *set;
	const char *path = json_string_value(json_object_get(qemu, "path"));
	_autofree_ char *list = NULL, *why = NULL, *spec = NULL;
	struct abibase_render *r;
	int64_t size;

	ck_assert_int_gt(asprintf(&spec, "%s:%s", name, path), 0);
	ck_assert_int_eq(abibase_render_new(t.ctx, &r), 0);
	ck_assert_int_eq(abibase_render_set_for(r, spec), 0);
	*ret_used = abibase_render_run(r, b, 0, &list, &why) == ABIBASE_VERDICT_YES;
	abibase_render_unref(r);
	set = list ? strstr(list, setting) : NULL;
	if (!set)
		return file;
	size = strtoll(set + strlen(setting), NULL, 10);
	/* or it does not start; a release that has no such property does not either */
	law_assert(h, round, file <= size, "%s: a file of %lld, and the list\n%s", spec,
		   (long long)file, list);
	law_assert(h, round,
		   strcmp(json_string_value(json_object_get(qemu, "version")), "5.2") != 0 &&
			   !strprefix(json_string_value(json_object_get(qemu, "version")), "5."),
		   "%s does not start with\n%s", spec, list);
	return size;
}

/* The one size that the guests of all hosts in @mask have, as far as it is known; 0: not all of it is. */
static int64_t one_rom(const struct hosts *h, unsigned int round, const struct abibase_baseline *b,
		       unsigned int mask)
{
	int64_t one = 0;
	bool all = true;

	for (size_t i = 0; i < h->n; i++) {
		const json_t *list = json_object_get(h->json[i], "qemu"), *q;
		size_t k;

		all &= !(mask & (1u << i)) || list;
		json_array_foreach(list, k, q) {
			bool used = false;
			int64_t size = mask & (1u << i) ? rom_block(h, round, b, h->json[i], q, &used)
							: 0;

			if (!used)
				continue;
			all &= size > 0;
			law_assert(h, round, !size || !one || size == one,
				   "a ROM of %lld and one of %lld\n", (long long)one,
				   (long long)size);
			one = size ? size : one;
		}
	}
	return all ? one : 0;
}

#define MAX_IDS 4096
static struct {
	char id[48];
	int64_t rom;
} ids[MAX_IDS];
static size_t n_ids;

/* Has the identity the same ROM wherever it was seen? */
static bool same_rom(const char *id, int64_t rom)
{
	for (size_t i = 0; i < n_ids; i++)
		if (streq(ids[i].id, id))
			return ids[i].rom == rom;
	if (n_ids < MAX_IDS) {
		snprintf(ids[n_ids].id, sizeof(ids[n_ids].id), "%s", id);
		ids[n_ids++].rom = rom;
	}
	return true;
}

/*
 * A guest gets in only where the ROM of its card has one size. Under one baseline it has, whatever the
 * files of the hosts; every QEMU starts with its list; and equal identities are of equal ROMs.
 */
START_TEST(test_one_rom)
{
	unsigned int known = 0, again = 0;

	n_ids = 0;
	for (unsigned int round = 0; round < test_rounds(300); round++) {
		struct hosts h;

		begin_round(8, round);
		hosts_make(&h);
		for (unsigned int mask = 1; mask < 1u << h.n; mask++) {
			struct abibase_baseline *b = answer(&h, mask);
			const char *id = abibase_baseline_id(b);
			int64_t rom = id ? one_rom(&h, round, b, mask) : 0;
			size_t before = n_ids;

			if (rom)
				law_assert(&h, round, same_rom(id, rom), "%s has another ROM, %lld\n",
					   id, (long long)rom);
			known += rom > 0;
			again += rom && n_ids == before;
			abibase_baseline_unref(b);
		}
		hosts_clear(&h);
	}
	/* of use only where there are such */
	ck_assert_uint_ge(known, test_rounds(300) / 10);
	ck_assert_uint_ge(again, test_rounds(300) / 20);
}
END_TEST

/* ----------------------------------------------------------- hosts that change nothing */

static bool all_met(const struct abibase_baseline *b)
{
	for (size_t i = 0; i < b->n_requirements; i++)
		if (!b->requirements[i].met)
			return false;
	return true;
}

/* Everything yes: 0x7f…, true, and a number that is the most, where any is stated. */
static json_t *perfect_facts(const struct abibase_baseline *b)
{
	json_t *facts = json_object();

	for (size_t i = 0; i < t.cat->n_conditions; i++)
		json_object_set_new(facts, t.cat->conditions[i].fact,
				    t.cat->conditions[i].bit < 0 ?
					    json_true() :
					    json_string("0xffffffffffffffffffffffffffffffff"));
	if (baseline_property(b, "virtio-net-device", "host_mtu"))
		json_object_set_new(facts, "operator.host_mtu", json_integer(65535));
	return facts;
}

/* A twin of a host, and a host that has everything with the same QEMU: the id stays. */
START_TEST(test_satisfying_host_keeps_id)
{
	unsigned int kept = 0;

	for (unsigned int round = 0; round < test_rounds(300); round++) {
		struct hosts h;
		struct abibase_baseline *was, *is;
		struct abibase_intersection *ix;
		struct abibase_profile *more;
		json_t *twin;

		begin_round(6, round);
		hosts_make(&h);
		was = answer(&h, ~0u);
		if (abibase_baseline_verdict(was) != ABIBASE_VERDICT_YES || !all_met(was)) {
			abibase_baseline_unref(was);
			hosts_clear(&h);
			continue;
		}
		twin = json_deep_copy(h.json[rng_below(&rng, (unsigned int)h.n)]);
		json_object_set_new(twin, "name", json_string("a-twin"));
		if (round % 2)
			json_object_set_new(twin, "facts", perfect_facts(was));
		more = test_profile_json(t.ctx, twin);
		ix = begin(&h.world);
		add_baseline(ix, was);
		add(ix, more);
		is = finish(ix);
		law_assert(&h, round,
			   abibase_baseline_id(is) &&
				   streq(abibase_baseline_id(was), abibase_baseline_id(is)),
			   "%s became %s with %s\n", abibase_baseline_id(was),
			   abibase_baseline_id(is) ? abibase_baseline_id(is) : "no answer",
			   json_dumps(twin, JSON_COMPACT));
		kept++;
		json_decref(twin);
		abibase_profile_unref(more);
		abibase_baseline_unref(was);
		abibase_baseline_unref(is);
		hosts_clear(&h);
	}
	ck_assert_uint_ge(kept, test_rounds(300) / 20);
}
END_TEST

/* What check says of a host, as documents have it; with all hosts of the baseline, or one a cohort. */
static char *checked(const struct abibase_baseline *b, const struct abibase_profile *p,
		     struct admission *admission)
{
	static char name[] = "nobody";
	char *names[] = { name, NULL };
	struct strings nobody = { .s = names, .n = 1 };
	struct abibase_check *c;
	struct abibase_result *res;
	char *text;

	/* where a QEMU is assumed, be it of a host that is not there, all hosts are taken */
	ck_assert_msg(hostcheck_make(t.ctx, t.cat, b, p, admission ? NULL : &nobody, NULL, admission,
				     &c) == 0,
		      "%s", abibase_context_error(t.ctx));
	ck_assert_int_eq(hostchecks_give(t.ctx, b, &c, 1, &res), 0);
	ck_assert_int_eq(test_result_json(res, &text), 0);
	abibase_result_unref(res);
	hostcheck_free(c);
	return text;
}

/* One host a cohort is enough to tell what it costs to admit another, or the same in another state. */
START_TEST(test_admission_by_cohorts)
{
	unsigned int same = 0;

	for (unsigned int round = 0; round < test_rounds(300); round++) {
		struct admission admission = { 0 };
		struct abibase_baseline *b;
		struct hosts h;

		begin_round(11, round);
		hosts_make(&h);
		b = answer(&h, ~0u >> (31 - rng_below(&rng, (unsigned int)h.n)));
		for (size_t i = 0; i < 2 * h.n && b->verdict == ABIBASE_VERDICT_YES; i++) {
			json_t *root = json_deep_copy(h.json[i % h.n]);
			char name[sizeof("h") + 20];
			struct abibase_profile *p;
			char *all, *some;

			snprintf(name, sizeof(name), "h%u", rng_below(&rng, (unsigned int)h.n + 1));
			if (i >= h.n)
				json_object_set_new(root, "name", json_string(name));
			p = test_profile_json(t.ctx, root);
			all = checked(b, p, NULL);
			some = checked(b, p, &admission);
			law_assert(&h, round, streq(all, some), "%s\nby cohorts\n%s\n", all, some);
			same++;
			free(all);
			free(some);
			json_decref(root);
			abibase_profile_unref(p);
		}
		admission_clear(&admission);
		abibase_baseline_unref(b);
		hosts_clear(&h);
	}
	ck_assert_uint_ge(same, test_rounds(300));
}
END_TEST

/* A host that provably has no vhost-net constrains tap+vhost as little as one with a perfect one. */
START_TEST(test_absent_vhost_constrains_nothing)
{
	static const char *const nothing[4] = { NULL };

	for (unsigned int round = 0; round < test_rounds(200); round++) {
		struct hosts h;
		struct abibase_baseline *absent, *perfect;
		struct abibase_profile *p;
		json_t *facts;
		void *tmp;
		const char *key;
		json_t *value;
		size_t last;

		begin_round(7, round);
		hosts_make(&h);
		h.world.backends = nothing;
		last = h.n - 1;
		facts = json_object_get(h.json[last], "facts");
		json_object_foreach_safe(facts, tmp, key, value)
			if (strprefix(key, "vhost_net."))
				json_object_del(facts, key);
		json_object_set_new(facts, "tap.usable", json_true());
		json_object_set_new(facts, "vhost_net.usable", json_false());
		p = test_profile_json(t.ctx, h.json[last]);
		abibase_profile_unref(h.p[last]);
		h.p[last] = p;
		absent = answer(&h, ~0u);
		json_object_set_new(facts, "vhost_net.usable", json_true());
		json_object_set_new(facts, "vhost_net.features", json_string("0xffffffffffffffff"));
		json_object_set_new(facts, "vhost_net.features_array",
				    json_string("0xffffffffffffffffffffffffffffffff"));
		/* that eBPF can be loaded is asked on tap+vhost only, so it goes with vhost */
		json_object_set_new(facts, "host.ebpf_rss", json_true());
		p = test_profile_json(t.ctx, h.json[last]);
		abibase_profile_unref(h.p[last]);
		h.p[last] = p;
		perfect = answer(&h, ~0u);
		/* a perfect vhost beside one that lacks VERSION_1 is a conflict of its own */
		if (abibase_baseline_verdict(perfect) == ABIBASE_VERDICT_YES) {
			law_assert(&h, round,
				   abibase_baseline_verdict(absent) == ABIBASE_VERDICT_YES &&
					   streq(abibase_baseline_id(absent),
						 abibase_baseline_id(perfect)),
				   "no vhost-net: %s, a perfect one: %s\n",
				   abibase_baseline_id(absent) ? abibase_baseline_id(absent) :
								 "no answer",
				   abibase_baseline_id(perfect));
		}
		abibase_baseline_unref(absent);
		abibase_baseline_unref(perfect);
		hosts_clear(&h);
	}
}
END_TEST

Suite *suite_laws(void)
{
	const char *given = getenv("ABIBASE_TEST_SEED");
	Suite *suite = suite_create("laws");
	TCase *laws = tcase_create("laws");

	seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
	printf("ABIBASE_TEST_SEED=%" PRIu64 "\n", seed);
	fflush(stdout);
	tcase_add_checked_fixture(laws, setup, teardown);
	tcase_set_timeout(laws, 1200);
	tcase_add_test(laws, test_order_and_repetition);
	tcase_add_test(laws, test_cohorts);
	tcase_add_test(laws, test_grouping);
	tcase_add_test(laws, test_reading_keeps_the_answer);
	tcase_add_test(laws, test_monotone);
	tcase_add_test(laws, test_offers_what_it_states);
	tcase_add_test(laws, test_one_rom);
	tcase_add_test(laws, test_satisfying_host_keeps_id);
	tcase_add_test(laws, test_admission_by_cohorts);
	tcase_add_test(laws, test_absent_vhost_constrains_nothing);
	suite_add_tcase(suite, laws);
	return suite;
}
