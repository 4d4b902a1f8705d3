/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* abibase_explain(), abibase_plan(), and two baselines held against each other. */
#include <errno.h>

#include "suites.h"
#include "test-util.h"

static struct test t;

static void setup(void)
{
	test_begin(&t);
}

static void teardown(void)
{
	test_end(&t);
}

/* ----------------------------------------------------------------------- hosts */

#define MAX_HOSTS 4

struct hosts {
	struct abibase_profile *p[MAX_HOSTS];
	size_t n;
	const char *machine, *policy, *device, *enable;
};

static void hosts_clear(struct hosts *h)
{
	for (size_t i = 0; i < h->n; i++)
		abibase_profile_unref(h->p[i]);
	h->n = 0;
}

/* The baseline of those that are not left out; NULL when none is left. */
static struct abibase_baseline *baseline(const struct hosts *h, const bool *out)
{
	struct abibase_intersection *ix = NULL;
	struct abibase_baseline *b = NULL;
	size_t n = 0;

	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	if (h->machine)
		ck_assert_int_eq(abibase_intersection_set_machine(ix, h->machine), 0);
	if (h->policy)
		ck_assert_int_eq(abibase_intersection_set_policy(ix, h->policy), 0);
	if (h->device)
		ck_assert_int_eq(abibase_intersection_add_device(ix, h->device), 0);
	if (h->enable)
		ck_assert_int_eq(abibase_intersection_enable(ix, h->enable), 0);
	for (size_t i = 0; i < h->n; i++)
		if (!out || !out[i]) {
			ck_assert_int_eq(abibase_intersection_add_profile(ix, h->p[i]), 0);
			n++;
		}
	if (n)
		ck_assert_int_eq(abibase_intersection_finish(ix, &b), 0);
	abibase_intersection_unref(ix);
	return b;
}

static json_t *explain(const struct abibase_baseline *b, const char *property)
{
	struct abibase_result *x = NULL;
	_autofree_ char *text = NULL, *people = NULL;
	json_t *root;

	ck_assert_int_eq(abibase_explain(t.ctx, t.cat, b, property, 0, &x), 0);
	ck_assert_int_eq(test_result_json(x, &text), 0);
	ck_assert_int_eq(abibase_result_to_text(x, 0, &people), 0);
	ck_assert_ptr_nonnull(strstr(people, "power cycle"));
	abibase_result_unref(x);
	root = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(root);
	return root;
}

static const char *get(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static bool offers(const struct abibase_baseline *b, int bit)
{
	uint64_t word[2];

	if (!b || !baseline_offered(b, "tap+vhost", word))
		return false;
	return word[bit / 64] >> (bit % 64) & 1;
}

/* ------------------------------------------------------------------ what is retired */

static void names_to_flags(const struct hosts *h, const json_t *names, bool *out)
{
	size_t k;
	json_t *name;

	for (size_t i = 0; i < h->n; i++) {
		out[i] = false;
		json_array_foreach((json_t *)names, k, name)
			if (streq(json_string_value(name), test_name(h->p[i])))
				out[i] = true;
	}
}

static bool is_on_without(const struct hosts *h, const bool *out, int bit)
{
	struct abibase_baseline *b = baseline(h, out);
	bool on = offers(b, bit);

	abibase_baseline_unref(b);
	return on;
}

/* Without these hosts it is on; with any one of them left it is not: there are no fewer. */
static void check_retire(const struct hosts *h, const json_t *v)
{
	const json_t *retire = json_object_get(v, "retire"), *bit = json_object_get(v, "bit");
	bool out[MAX_HOSTS];
	int n;

	if (!json_is_array(retire) || !json_is_integer(bit) || json_integer_value(bit) == 24)
		return; /* bit 24 is of the legacy interface, which the words do not show */
	n = (int)json_integer_value(bit);
	names_to_flags(h, retire, out);
	ck_assert_msg(is_on_without(h, out, n), "%s stays off", get(v, "property"));
	for (size_t i = 0; i < h->n; i++) {
		if (!out[i])
			continue;
		out[i] = false;
		ck_assert_msg(!is_on_without(h, out, n), "%s is on with %s", get(v, "property"),
			      test_name(h->p[i]));
		out[i] = true;
	}
}

/* Where --policy all is said to turn it on now, it does. */
static void check_policy(const struct hosts *h, const json_t *v)
{
	struct hosts all = *h;
	size_t i;
	json_t *raise;

	all.policy = "all";
	json_array_foreach(json_object_get(v, "raise"), i, raise) {
		struct abibase_baseline *b;
		const char *property = get(v, "property");

		if (!strprefix(json_string_value(raise), "--policy all turns it on now"))
			continue;
		b = baseline(&all, NULL);
		ck_assert_str_eq(baseline_property(b, "virtio-net-device",
							strchr(property, '.') + 1),
				 "on");
		abibase_baseline_unref(b);
	}
}

static size_t check_all(const struct hosts *h)
{
	struct abibase_baseline *b = baseline(h, NULL);
	size_t i, off = 0;
	json_t *root, *v;

	if (abibase_baseline_verdict(b) != ABIBASE_VERDICT_YES) {
		abibase_baseline_unref(b);
		return 1;
	}
	root = explain(b, NULL);
	json_array_foreach(json_object_get(root, "values"), i, v) {
		off += streq(get(v, "value"), "off");
		ck_assert_uint_gt(json_array_size(json_object_get(v, "why")), 0);
		check_retire(h, v);
		check_policy(h, v);
	}
	json_decref(root);
	abibase_baseline_unref(b);
	return off;
}

START_TEST(test_retire_is_enough_and_no_more)
{
	static const char *const kernels[] = { "5.10", "6.1", "6.12", "6.17", "7.2" };
	static const char *const qemus[] = { "5.2.0",	"7.2.22", "10.0.2", "10.0.13",
					     "11.1.3", "7.2.22 11.1.3" };
	static const char *const machines[] = { "pc-q35-5.2", "pc-q35-7.2", "pc-q35-10.0",
						"pc-i440fx-7.2", NULL };
	static const char *const policies[] = { "compatible", "all" };
	struct rng rng = { 5 };
	unsigned int rounds = test_rounds(150);
	size_t off = 0;

	for (unsigned int round = 0; round < rounds; round++) {
		struct hosts h = { .n = 2 + rng_below(&rng, MAX_HOSTS - 1) };

		h.machine = machines[rng_below(&rng, ARRAY_SIZE(machines) - 1)];
		h.policy = policies[rng_below(&rng, 2)];
		for (size_t i = 0; i < h.n; i++) {
			char name[] = { 'a', (char)('0' + i), '\0' };

			h.p[i] = test_host(t.ctx, name,
					   kernels[rng_below(&rng, ARRAY_SIZE(kernels))],
					   qemus[rng_below(&rng, ARRAY_SIZE(qemus))]);
		}
		off += check_all(&h);
		hosts_clear(&h);
	}
	ck_assert_uint_ge(off, rounds); /* it was about something */
}
END_TEST

/* ------------------------------------------------------------------ single questions */

START_TEST(test_one_property)
{
	struct hosts h = { .n = 2, .machine = "pc-q35-7.2" };
	struct abibase_baseline *b;
	struct abibase_result *x = NULL;
	json_t *root;

	h.p[0] = test_host(t.ctx, "old", "6.1", "7.2.22");
	h.p[1] = test_host(t.ctx, "new", "6.12", "10.0.13");
	b = baseline(&h, NULL);
	root = explain(b, "virtio-net-device.queue_reset");
	ck_assert_uint_eq(json_array_size(json_object_get(root, "values")), 1);
	json_decref(root);
	/* no QEMU here has it */
	root = explain(b, "virtio-net-device.host_tunnel");
	ck_assert_str_eq(get(json_array_get(json_object_get(root, "values"), 0), "value"),
			 "not-set");
	json_decref(root);
	/* offered whatever the host is */
	root = explain(b, "virtio-net-device.status");
	ck_assert_str_eq(get(json_array_get(json_object_get(root, "values"), 0), "value"),
			 "not-set");
	json_decref(root);
	ck_assert_int_eq(abibase_explain(t.ctx, t.cat, b, "virtio-net-device.nosuch", 0, &x),
			 -ENOENT);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "property-not-known");
	ck_assert_int_eq(abibase_explain(t.ctx, t.cat, b, NULL, 8, &x), -EINVAL);
	ck_assert_ptr_null(x);
	abibase_baseline_unref(b);
	hosts_clear(&h);
}
END_TEST

/* A baseline that was written and read again is explained with the same words. */
START_TEST(test_read_again)
{
	struct hosts h = { .n = 2, .machine = "pc-q35-7.2" };
	struct abibase_baseline *b, *again;
	json_t *one, *two;

	h.p[0] = test_host(t.ctx, "old", "6.1", "7.2.22");
	h.p[1] = test_host(t.ctx, "new", "6.12", "10.0.13");
	b = baseline(&h, NULL);
	again = test_reread(t.ctx, b);
	one = explain(b, NULL);
	two = explain(again, NULL);
	ck_assert(json_equal(one, two));
	json_decref(one);
	json_decref(two);
	abibase_baseline_unref(again);
	abibase_baseline_unref(b);
	hosts_clear(&h);
}
END_TEST

/* ------------------------------------------------------------------ two baselines */

/* What a migration does to a running guest; @back: from the second to the first. */
static const char *consequence(const struct abibase_result *d, bool back)
{
	return test_string(abibase_result_value(d), back ? "consequences/1/text" : "consequences/0/text");
}

static bool one_way_door(const struct abibase_result *d, bool back)
{
	return test_bool(abibase_result_value(d),
			 back ? "consequences/1/one_way_door" : "consequences/0/one_way_door");
}

static struct abibase_result *diff(const struct abibase_baseline *a, const struct abibase_baseline *b)
{
	struct abibase_result *d = NULL;

	ck_assert_int_eq(abibase_diff_baselines(t.ctx, t.cat, a, b, 0, &d), 0);
	return d;
}

/* The same exactly where the ids are, and a door in one direction at most. */
START_TEST(test_diff_is_of_the_id)
{
	static const char *const kernels[] = { "5.10", "6.1", "6.12", "6.17", "7.2" };
	static const char *const machines[] = { "pc-q35-5.2", "pc-q35-7.2" };
	struct abibase_baseline *b[10];
	size_t n = 0;

	for (size_t k = 0; k < ARRAY_SIZE(kernels); k++)
		for (size_t m = 0; m < ARRAY_SIZE(machines); m++) {
			struct hosts h = { .n = 1, .machine = machines[m] };

			h.p[0] = test_host(t.ctx, "a", kernels[k], "7.2.22");
			b[n++] = baseline(&h, NULL);
			hosts_clear(&h);
		}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++) {
			struct abibase_result *d = diff(b[i], b[k]);
			bool same = streq(abibase_baseline_id(b[i]), abibase_baseline_id(b[k]));

			ck_assert_int_eq(test_bool(abibase_result_value(d), "same"), same);
			ck_assert(!(one_way_door(d, false) &&
				    one_way_door(d, true)));
			ck_assert_ptr_nonnull(consequence(d, false));
			abibase_result_unref(d);
		}
	for (size_t i = 0; i < n; i++)
		abibase_baseline_unref(b[i]);
}
END_TEST

static struct abibase_baseline *alone(const char *kernel, const char *device,
				      const char *enable, int mtu)
{
	struct hosts h = { .n = 1, .machine = "pc-q35-7.2", .device = device, .enable = enable };
	json_t *root = test_host_json("a", kernel, "7.2.22");
	struct abibase_baseline *b;

	if (mtu)
		json_object_set_new(json_object_get(root, "facts"), "operator.host_mtu",
				    json_integer(mtu));
	h.p[0] = test_profile_json(t.ctx, root);
	b = baseline(&h, NULL);
	ck_assert_int_eq(abibase_baseline_verdict(b), ABIBASE_VERDICT_YES);
	json_decref(root);
	hosts_clear(&h);
	return b;
}

/* @word: what one difference says; NULL: it says nothing of the kind. Takes both. */
static void assert_differ(struct abibase_baseline *a, struct abibase_baseline *b,
			  const char *word, const char *not)
{
	struct abibase_result *d = diff(a, b);
	_autofree_ char *text = NULL;

	ck_assert_int_eq(abibase_result_to_text(d, 0, &text), 0);
	ck_assert(!test_bool(abibase_result_value(d), "same"));
	ck_assert_str_ne(abibase_baseline_id(a), abibase_baseline_id(b));
	ck_assert_msg(strstr(text, word) != NULL, "%s: not in\n%s", word, text);
	ck_assert_msg(!strstr(text, not), "%s: in\n%s", not, text);
	abibase_result_unref(d);
	abibase_baseline_unref(a);
	abibase_baseline_unref(b);
}

/* A bit is another feature to another device, and a number is said as it is. */
START_TEST(test_diff_devices_and_numbers)
{
	static const char vsock[] = "vhost-vsock";

	assert_differ(alone("6.1", vsock, NULL, 0), alone("5.10", vsock, NULL, 0),
		      "vhost-vsock-device.seqpacket: on in A, off in B: VIRTIO_VSOCK_F_SEQPACKET",
		      "GUEST_CSUM");
	assert_differ(alone("6.1", vsock, NULL, 0), alone("6.1", NULL, NULL, 0),
		      "B lacks vhost-vsock", "RING_RESET");
	assert_differ(alone("6.12", vsock, NULL, 0), alone("6.1", vsock, NULL, 0),
		      "virtio-net-device.queue_reset", "vhost-vsock-device.queue_reset");
	assert_differ(alone("6.1", NULL, NULL, 9000), alone("6.1", NULL, NULL, 1500),
		      "virtio-net-device.host_mtu: 9000 in A, 1500 in B", "off");
}
END_TEST

/* What one list sets and is so by itself with the other is the same to a guest, and is another list. */
START_TEST(test_diff_pinned)
{
	struct abibase_baseline *a = alone("6.1", NULL, "queue-sizes", 0);
	struct abibase_baseline *b = alone("6.1", NULL, NULL, 0);
	struct abibase_result *d = diff(a, b);
	_autofree_ char *text = NULL;

	ck_assert(!test_bool(abibase_result_value(d), "same"));
	ck_assert_int_eq(abibase_result_to_text(d, 0, &text), 0);
	ck_assert_ptr_nonnull(strstr(text, "virtio-net-device.rx_queue_size: set in A, not set in B"));
	ck_assert_ptr_nonnull(strstr(text, "a guest sees no difference"));
	abibase_result_unref(d);
	abibase_baseline_unref(a);
	abibase_baseline_unref(b);
}
END_TEST

START_TEST(test_one_way_door)
{
	struct hosts old = { .n = 1, .machine = "pc-q35-7.2" }, new = old;
	struct abibase_baseline *a, *b;
	struct abibase_result *d;

	old.p[0] = test_host(t.ctx, "old", "6.1", "7.2.22");
	new.p[0] = test_host(t.ctx, "new", "6.12", "7.2.22");
	a = baseline(&old, NULL);
	b = baseline(&new, NULL);
	d = diff(a, b);
	ck_assert(one_way_door(d, false));
	ck_assert(!one_way_door(d, true));
	ck_assert_ptr_nonnull(strstr(consequence(d, false), "one-way door"));
	ck_assert_ptr_nonnull(strstr(consequence(d, true), "is refused"));
	ck_assert_ptr_nonnull(strstr(consequence(d, true), "RING_RESET (bit 40)"));
	abibase_result_unref(d);
	abibase_baseline_unref(a);
	abibase_baseline_unref(b);
	hosts_clear(&old);
	hosts_clear(&new);
}
END_TEST

/* ---------------------------------------------------------------------------- plan */

/* A platform with these ends of support; NULL: not known. */
static struct abibase_profile *platform(const char *name, const char *kernel, const char *qemus,
					const char *standard, const char *extended)
{
	json_t *root = test_host_json(name, kernel, qemus);
	struct abibase_profile *p;

	json_object_del(root, "boot_id");
	json_object_del(root, "probe");
	json_object_set_new(root, "kind", json_string("platform"));
	json_object_set_new(root, "revision", json_integer(1));
	json_object_set_new(root, "evidence", json_pack("{s:s}", "tap.", "probed"));
	json_object_set_new(root, "lifecycle",
			    json_pack("{s:s, s:s?, s:s?, s:s}", "release", "2020-01-01",
				      "standard_end", standard, "extended_end", extended, "source",
				      "test"));
	p = test_profile_json(t.ctx, root);
	json_decref(root);
	return p;
}

struct planned {
	enum abibase_verdict verdict;
	char standard[16], extended[16];
};

static struct planned plan(const char *what, const char *at, struct abibase_profile *p)
{
	struct abibase_result *plan = NULL;
	const char *standard, *extended;
	struct planned ret;

	ck_assert_int_eq(abibase_plan(t.ctx, t.cat, what, at, &p, 1, NULL, 0, &plan), 0);
	ret.verdict = abibase_result_verdict(plan);
	standard = test_string(abibase_result_value(plan), "standard/earliest");
	extended = test_string(abibase_result_value(plan), "extended/earliest");
	snprintf(ret.standard, sizeof(ret.standard), "%s", standard ? standard : "-");
	snprintf(ret.extended, sizeof(ret.extended), "%s", extended ? extended : "-");
	abibase_result_unref(plan);
	abibase_profile_unref(p);
	return ret;
}

static void assert_plan(struct planned p, enum abibase_verdict verdict, const char *standard,
			const char *extended)
{
	ck_assert_int_eq(p.verdict, verdict);
	ck_assert_str_eq(p.standard, standard);
	ck_assert_str_eq(p.extended, extended);
}

START_TEST(test_plan_dates)
{
	const char *uso = "offload-uso", *at = "2026-11-23";

	/* has it: now, whatever the lifecycle */
	assert_plan(plan(uso, at, platform("p", "6.12", "10.0.13", NULL, NULL)),
		    ABIBASE_VERDICT_YES, at, at);
	assert_plan(plan(uso, at, platform("p", "6.1", "7.2.22", "2027-12-31", "2028-02-28")),
		    ABIBASE_VERDICT_NO, "2028-01-01", "2028-02-29");
	/* in extended support only */
	assert_plan(plan(uso, at, platform("p", "6.1", "7.2.22", "2026-11-22", "2026-11-23")),
		    ABIBASE_VERDICT_NO, at, "2026-11-24");
	/* no longer supported */
	assert_plan(plan(uso, at, platform("p", "6.1", "7.2.22", "2026-11-21", "2026-11-22")),
		    ABIBASE_VERDICT_YES, at, at);
	/* ends that are not known stay so */
	assert_plan(plan(uso, at, platform("p", "6.1", "7.2.22", "2027-01-31", NULL)),
		    ABIBASE_VERDICT_NO, "2027-02-01", "-");
	assert_plan(plan(uso, at, platform("p", "6.1", "7.2.22", NULL, NULL)),
		    ABIBASE_VERDICT_UNKNOWN, "-", "-");
	/* the kernel has it, the QEMU has not */
	assert_plan(plan("host_uso", at, platform("p", "6.12", "7.2.22", "2026-12-31", "2026-12-31")),
		    ABIBASE_VERDICT_NO, "2027-01-01", "2027-01-01");
}
END_TEST

START_TEST(test_plan_unknown_fact)
{
	json_t *root = test_host_json("p", "6.12", "10.0.13");
	struct abibase_profile *p;

	json_object_del(json_object_get(root, "facts"), "tap.offload.uso");
	p = test_profile_json(t.ctx, root);
	json_decref(root);
	assert_plan(plan("offload-uso", "2026-11-23", p), ABIBASE_VERDICT_UNKNOWN, "-", "-");
}
END_TEST

START_TEST(test_plan_refuses)
{
	static const char *const dates[] = { "",	   "2026-11-3",	 "2026-13-01",
					     "2026-02-29", "2026-00-10", "26-11-23xx",
					     "2026-11-233" };
	struct abibase_profile *p = test_host(t.ctx, "p", "6.12", "10.0.13");
	struct abibase_result *plan = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(dates); i++) {
		ck_assert_int_eq(abibase_plan(t.ctx, t.cat, "offload-uso", dates[i], &p, 1, NULL, 0,
					      &plan),
				 -EINVAL);
		ck_assert_str_eq(abibase_context_error_id(t.ctx), "bad-date");
	}
	ck_assert_int_eq(abibase_plan(t.ctx, t.cat, "nosuch", "2026-11-23", &p, 1, NULL, 0, &plan),
			 -ENOENT);
	ck_assert_int_eq(abibase_plan(t.ctx, t.cat, "offload-uso", "2026-11-23", &p, 0, NULL, 0,
				      &plan),
			 -EINVAL);
	ck_assert_ptr_null(plan);
	abibase_profile_unref(p);
}
END_TEST

Suite *suite_explain(void)
{
	Suite *s = suite_create("explain");
	TCase *tc = tcase_create("explain");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_retire_is_enough_and_no_more);
	tcase_add_test(tc, test_one_property);
	tcase_add_test(tc, test_read_again);
	tcase_add_test(tc, test_diff_is_of_the_id);
	tcase_add_test(tc, test_diff_devices_and_numbers);
	tcase_add_test(tc, test_diff_pinned);
	tcase_add_test(tc, test_one_way_door);
	tcase_add_test(tc, test_plan_dates);
	tcase_add_test(tc, test_plan_unknown_fact);
	tcase_add_test(tc, test_plan_refuses);
	suite_add_tcase(s, tc);
	return s;
}
