/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* abibase_diff() and abibase_match(): two profiles by names, and a host against platforms. */
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

/* ------------------------------------------------------------------- two profiles */

/* Two documents, to be changed by a test, and what is different between them. */
static json_t *doc[2];

static void two_hosts(const char *kernel, const char *qemus)
{
	doc[0] = test_host_json("a", kernel, qemus);
	doc[1] = test_host_json("b", kernel, qemus);
}

static void set_fact(int which, const char *fact, json_t *value)
{
	json_object_set_new(json_object_get(doc[which], "facts"), fact, value);
}

static json_t *qemu(int which, size_t i)
{
	return json_array_get(json_object_get(doc[which], "qemu"), i);
}

static struct abibase_result *diff(unsigned int flags)
{
	struct abibase_profile *a = test_profile_json(t.ctx, doc[0]);
	struct abibase_profile *b = test_profile_json(t.ctx, doc[1]);
	struct abibase_result *d = NULL;

	ck_assert_int_eq(abibase_diff(t.ctx, t.cat, a, b, flags, &d), 0);
	abibase_profile_unref(a);
	abibase_profile_unref(b);
	return d;
}

/* All that counts as one text: "+" before what a guest can see, a line each. */
static char *lines(unsigned int flags)
{
	struct abibase_result *d = diff(flags);
	struct buf b = { 0 };
	size_t counted = 0;

	for (size_t i = 0; i < result_finding_count(d); i++) {
		const struct abibase_value *item = abibase_result_finding(d, i);

		if (!test_bool(item, "counts"))
			continue;
		counted++;
		buf_printf(&b, "%s%s\n", test_bool(item, "guest_visible") ? "+" : "",
			   test_string(item, "text"));
	}
	ck_assert_int_eq(abibase_result_verdict(d),
			 counted ? ABIBASE_VERDICT_NO : ABIBASE_VERDICT_YES);
	abibase_result_unref(d);
	return buf_steal(&b);
}

static void assert_lines(const char *want)
{
	_autofree_ char *got = lines(0);

	ck_assert_str_eq(got, want);
	json_decref(doc[0]);
	json_decref(doc[1]);
}

START_TEST(same_but_for_the_name)
{
	two_hosts("6.1", "7.2.22 10.0.13");
	json_object_set_new(json_object_get(doc[1], "kernel"), "release", json_string("6.1.1"));
	assert_lines("");
}
END_TEST

START_TEST(facts_by_name)
{
	two_hosts("6.1", "");
	set_fact(0, "tap.offload.uso", json_true());
	set_fact(0, "tap.carrier", json_false());
	set_fact(1, "vhost_net.features", json_string("0x000001033d008000"));
	set_fact(1, "tap.features", json_string("0x80007173"));
	set_fact(0, "later.number", json_integer(64));
	set_fact(1, "later.number", json_integer(65));
	assert_lines("+tap.offload.uso: yes in a, no in b\n"
		     "+vhost_net.features: a lacks VIRTIO_F_RING_RESET (bit 40)\n"
		     "later.number: 64 in a, 65 in b\n"
		     "tap.carrier: no in a, yes in b\n"
		     "tap.features: a lacks bit 31\n");
}
END_TEST

START_TEST(unknown_facts)
{
	two_hosts("6.1", "");
	/* not recorded and not stated are the same; so are two that nobody knows */
	json_object_del(json_object_get(doc[1], "facts"), "tap.napi_frags");
	set_fact(0, "tap.offload.ufo", json_pack("{s:s}", "unknown", "no-permission"));
	set_fact(1, "tap.offload.ufo", json_pack("{s:s}", "unknown", "not-loaded"));
	set_fact(0, "tap.offload.uso", json_pack("{s:s}", "unknown", "no-permission"));
	json_object_del(json_object_get(doc[1], "facts"), "vhost_net.features");
	assert_lines("+tap.offload.uso: unknown (no-permission) in a, no in b\n"
		     "+vhost_net.features: 0x000000033d008000 in a, not stated in b\n");
}
END_TEST

START_TEST(words_of_different_widths)
{
	two_hosts("6.1", "");
	set_fact(1, "vhost_net.features", json_string("0x3d008000"));
	assert_lines("+vhost_net.features: 64 bits were asked for in a, 32 in b\n");
}
END_TEST

START_TEST(a_word_that_one_does_not_have)
{
	two_hosts("6.1", "");
	set_fact(1, "vhost_net.features_array", json_string("0x00000000000000020000010b3d008000"));
	assert_lines("+vhost_net.features_array: a lacks VIRTIO_NET_F_GUEST_UDP_TUNNEL_GSO (bit 65)\n"
		     "vhost_net.features_array: no in a, 0x00000000000000020000010b3d008000 in b\n");
}
END_TEST

/* What follows from the absence of the device is not said again. */
START_TEST(absent_surface)
{
	json_t *facts;
	const char *key;
	void *next;
	json_t *value;

	two_hosts("6.1", "");
	facts = json_object_get(doc[1], "facts");
	json_object_foreach_safe(facts, next, key, value)
		if (strprefix(key, "vhost_net."))
			json_object_del(facts, key);
	set_fact(1, "vhost_net.usable", json_false());
	assert_lines("+vhost_net.usable: yes in a, no in b\n");
}
END_TEST

START_TEST(qemu_by_name)
{
	json_t *properties;

	two_hosts("6.1", "7.2.22");
	json_object_set_new(qemu(1, 0), "version", json_string("7.2.23"));
	json_object_del(json_object_get(qemu(0, 0), "machines"), "pc-q35-7.2");
	json_object_set_new(json_object_get(qemu(1, 0), "machines"), "pc-q35-7.1",
			    json_pack("{s:s}", "alias", "q35"));
	properties = json_object_get(json_object_get(qemu(1, 0), "properties"), "virtio-net-device");
	json_object_del(properties, "queue_reset");
	json_object_set_new(properties, "csum", json_string("str"));
	assert_lines("qemu x86_64: version 7.2.22 in a, 7.2.23 in b\n"
		     "qemu x86_64: alias of pc-q35-7.1 is none in a, q35 in b\n"
		     "qemu x86_64: a lacks the machine type pc-q35-7.2\n"
		     "qemu x86_64: type of virtio-net-device.csum is bool in a, str in b\n"
		     "qemu x86_64: b lacks the property virtio-net-device.queue_reset\n");
}
END_TEST

/* The trap that no kernel is needed for: a default changed under one machine type. */
START_TEST(values_of_machine_types)
{
	two_hosts("6.1", "7.2.22");
	for (int i = 0; i < 2; i++) {
		json_object_set_new(qemu(i, 0), "defaults",
				    json_pack("{s:i, s:b}", "virtio-net-device.rx_queue_size",
					      256 << i, "virtio-net-device.guest_uso4", 0));
		json_object_set_new(qemu(i, 0), "values",
				    json_pack("{s:{s:b, s:b}}", "pc-q35-7.2",
					      "virtio-net-device.guest_uso4", i,
					      "virtio-net-device.csum", 1));
	}
	assert_lines("+qemu x86_64, pc-q35-7.2: virtio-net-device.guest_uso4 is off in a, on in b\n"
		     "+qemu x86_64, pc-q35-7.2: virtio-net-device.rx_queue_size is 256 in a, 512 in b\n");
}
END_TEST

START_TEST(values_not_recorded)
{
	two_hosts("6.1", "7.2.22");
	json_object_set_new(qemu(0, 0), "values", json_object());
	json_object_del(qemu(1, 0), "values");
	assert_lines("qemu x86_64: values of machine types: not recorded in b\n");
}
END_TEST

/* In another order, with one more: the same builds find each other. */
START_TEST(several_qemus)
{
	json_t *first;

	two_hosts("6.1", "7.2.22 10.0.13");
	first = json_incref(qemu(1, 0));
	json_array_remove(json_object_get(doc[1], "qemu"), 0);
	json_array_append_new(json_object_get(doc[1], "qemu"), first);
	json_array_append_new(json_object_get(doc[1], "qemu"),
			      json_pack("{s:s, s:s}", "target", "x86_64", "version", "11.1.3"));
	assert_lines("qemu: a lacks a QEMU for x86_64, 11.1.3\n");
}
END_TEST

START_TEST(no_qemu_recorded)
{
	two_hosts("6.1", "7.2.22");
	json_object_del(doc[0], "qemu");
	assert_lines("qemu: not recorded in a\n");
}
END_TEST

START_TEST(all_lets_context_count)
{
	_autofree_ char *got = NULL, *none = NULL;

	two_hosts("6.1", "7.2.22");
	none = lines(ABIBASE_DIFF_ALL);
	ck_assert_str_eq(none, "");
	json_object_set_new(doc[1], "boot_id", json_string("x"));
	json_object_set_new(json_object_get(doc[1], "kernel"), "release", json_string("6.1.1"));
	json_object_set_new(qemu(0, 0), "build_id", json_string("aa"));
	json_object_set_new(doc[0], "probe", json_pack("{s:i}", "euid", 0));
	got = lines(ABIBASE_DIFF_ALL);
	ck_assert_ptr_nonnull(strstr(got, "boot_id: not stated in a, x in b\n"));
	ck_assert_ptr_nonnull(strstr(got, "kernel.release: 6.1.0-56-cloud-amd64 in a, 6.1.1 in b\n"));
	ck_assert_ptr_nonnull(strstr(got, "qemu x86_64: build id aa in a, "));
	ck_assert_ptr_nonnull(strstr(got, "probe.euid: 0 in a, not stated in b\n"));
	assert_lines("");
}
END_TEST

/* Profiles of one name are A and B, and what a document says cannot forge a line. */
START_TEST(same_names_and_control_characters)
{
	two_hosts("6.1", "");
	json_object_set_new(doc[1], "name", json_string("a"));
	set_fact(0, "later.text", json_string("x\ny"));
	set_fact(1, "later.text", json_string("z\x1b[1m"));
	assert_lines("later.text: x?y in A, z?[1m in B\n");
}
END_TEST

START_TEST(accessors)
{
	_autofree_ char *json = NULL, *text = NULL;
	struct abibase_result *d, *untouched = (void *)&t;
	struct abibase_profile *p = test_host(t.ctx, "h", "6.1", "");
	const struct abibase_value *item;
	json_t *parsed;

	two_hosts("6.1", "");
	set_fact(1, "vhost_net.features", json_string("0x000001033d008000"));
	d = diff(0);
	ck_assert_uint_eq(result_finding_count(d), 1);
	item = abibase_result_finding(d, 0);
	ck_assert_str_eq(test_string(item, "kind"), "fact");
	ck_assert_str_eq(test_string(item, "subject"), "vhost_net.features[40]");
	ck_assert_str_eq(test_string(item, "a"), "no");
	ck_assert_str_eq(test_string(item, "b"), "yes");
	ck_assert_ptr_null(abibase_result_finding(d, 1));
	ck_assert_int_eq(test_result_json(d, &json), 0);
	parsed = json_loads(json, 0, NULL);
	ck_assert_uint_eq(json_array_size(json_object_get(parsed, "differences")), 1);
	ck_assert(json_is_false(json_object_get(parsed, "same")));
	json_decref(parsed);
	ck_assert_int_eq(abibase_result_to_text(d, 0, &text), 0);
	ck_assert(strprefix(text, "no: 1 difference counts between a and b; a guest can see 1\n"
				  "A guest can see:\n"
				  "  vhost_net.features: a lacks VIRTIO_F_RING_RESET (bit 40)\n"));
	ck_assert_ptr_eq(abibase_result_ref(d), d);
	ck_assert_ptr_null(abibase_result_unref(d));
	ck_assert_ptr_null(abibase_result_unref(d));
	ck_assert_ptr_null(abibase_result_unref(NULL));
	ck_assert_int_eq(abibase_diff(t.ctx, t.cat, p, p, 1 << 7, &untouched), -EINVAL);
	ck_assert_ptr_eq(untouched, (void *)&t);
	abibase_profile_unref(p);
	json_decref(doc[0]);
	json_decref(doc[1]);
}
END_TEST

/* The other way round there are as many, and they are the same things. */
START_TEST(both_ways)
{
	static const char *const names[] = { "5.10", "6.1", "6.12", "6.17", "7.2" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
			struct abibase_result *d[2];

			for (int w = 0; w < 2; w++) {
				doc[w] = test_host_json("a", names[i], "7.2.22");
				doc[!w] = test_host_json("b", names[k], "10.0.13 11.1.3");
				d[w] = diff(0);
				json_decref(doc[0]);
				json_decref(doc[1]);
			}
			ck_assert_uint_eq(result_finding_count(d[0]), result_finding_count(d[1]));
			abibase_result_unref(d[0]);
			abibase_result_unref(d[1]);
		}
}
END_TEST

/* ------------------------------------------------------------- a host and platforms */

/* doc[0] against doc[1], on the default backends or on one. */
static struct abibase_result *match(const char *backend)
{
	const char *const backends[] = { backend, NULL };
	struct abibase_profile *host = test_profile_json(t.ctx, doc[0]);
	struct abibase_profile *platform = test_profile_json(t.ctx, doc[1]);
	struct abibase_result *m = NULL;

	ck_assert_int_eq(abibase_match(t.ctx, t.cat, host, &platform, 1, backend ? backends : NULL,
				       &m), 0);
	abibase_profile_unref(host);
	abibase_profile_unref(platform);
	return m;
}

/* What the answer has at a path below its platforms. */
static const char *platform(const struct abibase_result *m, const char *path)
{
	return test_string(abibase_value_member(abibase_result_value(m), "platforms"), path);
}

/* The verdict, and the findings' facts, with "?" behind those that are unknown. */
static void assert_match(const char *backend, enum abibase_verdict verdict, const char *want)
{
	struct abibase_result *m = match(backend);
	_autofree_ char *got = NULL;
	struct buf b = { 0 };

	for (size_t k = 0; k < result_finding_count(m); k++) {
		const struct abibase_value *f = abibase_result_finding(m, k);

		buf_printf(&b, "%s%s%s", k ? " " : "", test_string(f, "fact"),
			   streq(test_string(f, "verdict"), "no") ? "" : "?");
	}
	got = buf_steal(&b);
	ck_assert_str_eq(got, want);
	ck_assert_str_eq(platform(m, "0/verdict"), test_verdict_word(verdict));
	ck_assert_int_eq(abibase_result_verdict(m), verdict);
	abibase_result_unref(m);
}

static void match_begin(const char *host, const char *platform)
{
	doc[0] = test_host_json("host", host, "");
	doc[1] = test_host_json("platform", platform, "");
}

static void match_end(void)
{
	json_decref(doc[0]);
	json_decref(doc[1]);
}

static void drop_facts(int which, const char *prefix)
{
	json_t *facts = json_object_get(doc[which], "facts"), *value;
	const char *key;
	void *next;

	json_object_foreach_safe(facts, next, key, value)
		if (strprefix(key, prefix))
			json_object_del(facts, key);
}

START_TEST(newer_satisfies_older)
{
	static const char *const kernels[] = { "5.10", "6.1", "6.12", "6.17", "7.2" };

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++)
		for (size_t k = 0; k <= i; k++) {
			match_begin(kernels[i], kernels[k]);
			assert_match(NULL, ABIBASE_VERDICT_YES, "");
			assert_match("macvtap+vhost", ABIBASE_VERDICT_YES, "");
			match_end();
		}
}
END_TEST

START_TEST(what_is_missing)
{
	match_begin("6.1", "6.12");
	assert_match(NULL, ABIBASE_VERDICT_NO, "tap.offload.uso vhost_net.features[40]");
	assert_match("tap", ABIBASE_VERDICT_NO, "tap.offload.uso");
	assert_match("macvtap", ABIBASE_VERDICT_NO, "macvtap.offload.uso");
	match_end();
}
END_TEST

START_TEST(unknown_here)
{
	match_begin("6.12", "6.12");
	set_fact(0, "tap.offload.uso", json_pack("{s:s}", "unknown", "no-permission"));
	assert_match(NULL, ABIBASE_VERDICT_UNKNOWN, "tap.offload.uso?");
	/* what is missing weighs more */
	set_fact(0, "vhost_net.features", json_string("0x000000033d008000"));
	assert_match(NULL, ABIBASE_VERDICT_NO, "tap.offload.uso? vhost_net.features[40]");
	/* a word that was not asked for so many bits */
	set_fact(0, "vhost_net.features", json_string("0x3d008000"));
	assert_match("tap+vhost", ABIBASE_VERDICT_UNKNOWN,
		     "tap.offload.uso? vhost_net.features[32]? vhost_net.features[33]? "
		     "vhost_net.features[40]?");
	match_end();
}
END_TEST

START_TEST(unknown_there)
{
	_autofree_ char *json = NULL;
	struct abibase_result *m;

	match_begin("6.1", "6.12");
	set_fact(1, "tap.offload.uso", json_pack("{s:s}", "unknown", "not-recorded"));
	assert_match("tap", ABIBASE_VERDICT_YES, "");
	m = match("tap");
	ck_assert_int_eq(test_result_json(m, &json), 0);
	ck_assert_ptr_nonnull(strstr(json, "\"not_asked\": [\n        \"tap.offload.uso\"\n"));
	abibase_result_unref(m);
	/* of which nothing is known at all */
	drop_facts(1, "tap.");
	assert_match("tap", ABIBASE_VERDICT_UNKNOWN, "");
	match_end();
}
END_TEST

/* A device that is not there, or not known, is named once. */
START_TEST(device_missing)
{
	match_begin("6.12", "6.12");
	drop_facts(0, "vhost_net.");
	set_fact(0, "vhost_net.usable", json_false());
	assert_match(NULL, ABIBASE_VERDICT_NO, "vhost_net.usable");
	assert_match("tap", ABIBASE_VERDICT_YES, "");
	set_fact(0, "vhost_net.usable", json_pack("{s:s}", "unknown", "not-loaded"));
	assert_match(NULL, ABIBASE_VERDICT_UNKNOWN, "vhost_net.usable?");
	/* the platform does not have it either */
	drop_facts(1, "vhost_net.");
	set_fact(1, "vhost_net.usable", json_false());
	assert_match(NULL, ABIBASE_VERDICT_YES, "");
	match_end();
}
END_TEST

START_TEST(another_architecture)
{
	match_begin("6.12", "6.1");
	json_object_set_new(doc[0], "arch", json_string("riscv64"));
	assert_match(NULL, ABIBASE_VERDICT_NO, "arch");
	match_end();
}
END_TEST

/* QEMU is said and decides nothing. */
START_TEST(qemu_apart)
{
	struct abibase_result *m;

	doc[0] = test_host_json("host", "6.1", "7.2.22");
	doc[1] = test_host_json("platform", "6.1", "10.0.13");
	assert_match(NULL, ABIBASE_VERDICT_YES, "");
	m = match(NULL);
	ck_assert(strprefix(platform(m, "0/qemu"), "7.2.22 here, 10.0.13 there; "));
	ck_assert_ptr_nonnull(strstr(platform(m, "0/qemu"), "8 properties are missing here"));
	abibase_result_unref(m);
	match_end();
}
END_TEST

/* The platforms that are shipped, and the hosts that were recorded. */
static struct abibase_result *match_shipped(const char *kernel)
{
	static const char *const names[] = { "debian-11", "debian-12", "debian-13" };
	struct abibase_profile *host = test_host(t.ctx, "host", kernel, ""), *p[3];
	struct abibase_result *m = NULL;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(profile_from_platform(t.ctx, names[i], &p[i]), 0);
	ck_assert_int_eq(abibase_match(t.ctx, t.cat, host, p, 3, NULL, &m), 0);
	for (int i = 0; i < 3; i++)
		abibase_profile_unref(p[i]);
	abibase_profile_unref(host);
	return m;
}

START_TEST(shipped_platforms)
{
	struct abibase_result *m = match_shipped("6.1");
	const struct abibase_value *list;
	bool uso = false, reset = false;

	ck_assert_int_eq(abibase_result_verdict(m), ABIBASE_VERDICT_YES);
	list = abibase_value_member(abibase_result_value(m), "platforms");
	ck_assert_uint_eq(abibase_value_count(list), 3);
	ck_assert_str_ne(platform(m, "0/verdict"), "no");
	ck_assert_str_ne(platform(m, "1/verdict"), "no");
	ck_assert_str_eq(platform(m, "2/verdict"), "no");
	ck_assert(!test_bool(list, "0/closest"));
	ck_assert(test_bool(list, "1/closest"));
	ck_assert(!test_bool(list, "2/closest"));
	list = abibase_value_get(list, "2/findings");
	for (size_t k = 0; k < abibase_value_count(list); k++) {
		const struct abibase_value *f = abibase_value_item(list, k);
		const char *fact = test_string(f, "fact");

		if (!streq(test_string(f, "verdict"), "no"))
			continue;
		uso |= streq(fact, "tap.offload.uso");
		reset |= streq(fact, "vhost_net.features[40]");
		ck_assert_ptr_nonnull(test_string(f, "remedy"));
	}
	ck_assert(uso && reset);
	abibase_result_unref(m);
}
END_TEST

START_TEST(refused_and_empty)
{
	static const char *const bad[] = { "tap", "nosuchbackend", NULL };
	struct abibase_profile *host = test_host(t.ctx, "host", "6.1", "");
	struct abibase_result *m = (void *)&t;
	_autofree_ char *text = NULL;

	ck_assert_int_eq(abibase_match(t.ctx, t.cat, host, &host, 1, bad, &m), -EINVAL);
	ck_assert_ptr_eq(m, (void *)&t);
	ck_assert_ptr_nonnull(strstr(abibase_context_error(t.ctx), "nosuchbackend"));
	ck_assert_int_eq(abibase_match(t.ctx, t.cat, host, NULL, 0, NULL, &m), 0);
	ck_assert_int_eq(abibase_result_verdict(m), ABIBASE_VERDICT_NO);
	ck_assert_ptr_null(platform(m, "0/name"));
	ck_assert_ptr_null(abibase_result_finding(m, 0));
	ck_assert_int_eq(abibase_result_to_text(m, 0, &text), 0);
	ck_assert(strprefix(text, "no: host satisfies none of 0 platforms\n"));
	ck_assert_ptr_eq(abibase_result_ref(m), m);
	ck_assert_ptr_null(abibase_result_unref(m));
	ck_assert_ptr_null(abibase_result_unref(m));
	abibase_profile_unref(host);
}
END_TEST

Suite *suite_diff(void)
{
	Suite *s = suite_create("diff");
	TCase *c = tcase_create("diff");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, same_but_for_the_name);
	tcase_add_test(c, facts_by_name);
	tcase_add_test(c, unknown_facts);
	tcase_add_test(c, words_of_different_widths);
	tcase_add_test(c, a_word_that_one_does_not_have);
	tcase_add_test(c, absent_surface);
	tcase_add_test(c, qemu_by_name);
	tcase_add_test(c, values_of_machine_types);
	tcase_add_test(c, values_not_recorded);
	tcase_add_test(c, several_qemus);
	tcase_add_test(c, no_qemu_recorded);
	tcase_add_test(c, all_lets_context_count);
	tcase_add_test(c, same_names_and_control_characters);
	tcase_add_test(c, accessors);
	tcase_add_test(c, both_ways);
	suite_add_tcase(s, c);
	c = tcase_create("match");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, newer_satisfies_older);
	tcase_add_test(c, what_is_missing);
	tcase_add_test(c, unknown_here);
	tcase_add_test(c, unknown_there);
	tcase_add_test(c, device_missing);
	tcase_add_test(c, another_architecture);
	tcase_add_test(c, qemu_apart);
	tcase_add_test(c, shipped_platforms);
	tcase_add_test(c, refused_and_empty);
	suite_add_tcase(s, c);
	return s;
}
