/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Versions, machine type names, conditions and the three answers. */
#include <errno.h>

#include "document/profile.h"
#include "suites.h"
#include "test-util.h"
#include "base/version.h"

START_TEST(test_version)
{
	static const char *const bad[] = { "", ".", "a", "1a", "1.", "1.2.", "1.2.3.", "1.2.3.4",
					   "-1", " 1", "1 ", "99999999999999", "1..2" };
	struct version v = { { 9, 9, 9 } };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		bool r = version_parse(bad[i], &v);

		ck_assert_msg(!r, "\"%s\" is accepted as a version", bad[i]);
		ck_assert_uint_eq(v.part[0], 9);
	}
	ck_assert(version_parse("10.0.13", &v));
	ck_assert(v.part[0] == 10 && v.part[1] == 0 && v.part[2] == 13);
	ck_assert(version_parse("8.2", &v));
	ck_assert(v.part[0] == 8 && v.part[1] == 2 && v.part[2] == 0);
	ck_assert(version_parse_prefix("7.2.22 (Debian 1:7.2+dfsg)", &v));
	ck_assert(v.part[0] == 7 && v.part[1] == 2 && v.part[2] == 22);
	ck_assert(version_parse_prefix("10.0", &v));
	ck_assert(!version_parse_prefix("Debian", &v));
}
END_TEST

/* Numbers, not text: 10.0 comes after 9.2. */
START_TEST(test_version_order)
{
	static const char *const rising[] = { "0.13", "2.4", "2.10", "8.1.5", "8.2.0", "8.2.4",
					      "8.2.5", "9.0.0", "9.0.1", "10.0.2", "10.0.13" };

	for (size_t i = 0; i < ARRAY_SIZE(rising); i++)
		for (size_t k = 0; k < ARRAY_SIZE(rising); k++) {
			struct version a, b;
			int r;

			ck_assert(version_parse(rising[i], &a) && version_parse(rising[k], &b));
			r = version_cmp(&a, &b);
			ck_assert_int_eq(r, i < k ? -1 : i > k);
		}
}
END_TEST

START_TEST(test_version_range)
{
	struct version_range ranges[2];
	static const struct {
		const char *version;
		bool in;
	} points[] = { { "8.1.5", false }, { "8.2.0", true }, { "8.2.4", true },
		       { "8.2.5", false }, { "9.0.0", true }, { "9.0.1", false } };

	ck_assert(version_range_parse("8.2.0-8.2.4", &ranges[0]));
	ck_assert(version_range_parse("9.0.0", &ranges[1]));
	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		struct version v;

		ck_assert(version_parse(points[i].version, &v));
		ck_assert_msg(version_in(&v, ranges, 2) == points[i].in, "%s",
			      points[i].version);
		ck_assert(!version_in(&v, ranges, 0));
	}
	ck_assert(!version_range_parse("", &ranges[0]));
	ck_assert(!version_range_parse("8.2.0-", &ranges[0]));
	ck_assert(!version_range_parse("8.2.0-8.2.x", &ranges[0]));
	ck_assert(!version_range_parse("8.2.0 8.2.4", &ranges[0]));
}
END_TEST

START_TEST(test_machine_name)
{
	static const struct {
		const char *name;
		enum machine_family family;
		bool versioned, upstream;
	} names[] = {
		{ "pc-q35-7.2", MACHINE_Q35, true, true },
		{ "pc-q35-4.0.1", MACHINE_Q35, true, true },
		{ "pc-i440fx-10.0", MACHINE_I440FX, true, true },
		{ "pc-q35-rhel9.6.0", MACHINE_Q35, true, false },
		{ "pc-i440fx-9.2+pve1", MACHINE_I440FX, true, false },
		{ "pc-q35-noble", MACHINE_Q35, false, false },
		{ "pc-i440fx-noble-v2", MACHINE_I440FX, true, false },
		{ "pc-q35-", MACHINE_Q35, false, false },
		{ "pc-q35-7", MACHINE_Q35, true, false },
		{ "pc-q35-7.2.", MACHINE_Q35, true, false },
		{ "pc-q35-9.0.1", MACHINE_Q35, true, false },
		{ "pc-i440fx-4.0.1", MACHINE_I440FX, true, false },
		{ "pc-q35-09.0", MACHINE_Q35, true, false },
		{ "pc-q35-9.00", MACHINE_Q35, true, false },
		{ "pc-q35-9.3", MACHINE_Q35, true, false },
		{ "pc-q35-2.12", MACHINE_Q35, true, true },
		{ "pc-q35-3.1", MACHINE_Q35, true, true },
		{ "q35", MACHINE_OTHER, false, false },
		{ "pc", MACHINE_OTHER, false, false },
		{ "microvm", MACHINE_OTHER, false, false },
		{ "", MACHINE_OTHER, false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct machine_name n;

		machine_name_parse(names[i].name, &n);
		ck_assert_msg(n.family == names[i].family && n.versioned == names[i].versioned &&
				      n.upstream == names[i].upstream,
			      "\"%s\": family %d versioned %d upstream %d", names[i].name, n.family,
			      n.versioned, n.upstream);
	}
}
END_TEST

/* Which of the common machine types is taken when none is named. */
START_TEST(test_machine_order)
{
	static const char *const rising[] = { "pc-i440fx-rhel7.6.0", "pc-i440fx-9.2+pve1",
					      "pc-i440fx-2.9", "pc-i440fx-2.10", "pc-i440fx-10.0",
					      "pc-q35-rhel8.6.0", "pc-q35-rhel9.6.0",
					      "pc-q35-rhel10.0.0", "pc-q35-4.0", "pc-q35-4.0.1",
					      "pc-q35-8.2", "pc-q35-10.0" };

	for (size_t i = 1; i < ARRAY_SIZE(rising); i++)
		for (size_t k = i; k < ARRAY_SIZE(rising); k++) {
			/* vendors' names among each other: only that there is an order */
			bool vendors = strstr(rising[i - 1], "rhel7") && strstr(rising[k], "pve");
			int r = machine_name_cmp(rising[i - 1], rising[k]);

			ck_assert_msg(vendors || r < 0, "%s is not older than %s", rising[i - 1],
				      rising[k]);
			r = machine_name_cmp(rising[k], rising[i - 1]);
			ck_assert_msg(vendors || r > 0, "%s is not newer than %s", rising[k],
				      rising[i - 1]);
			ck_assert_int_eq(machine_name_cmp(rising[k], rising[k]), 0);
		}
}
END_TEST

START_TEST(test_word_bit)
{
	static const char word[] = "0x8000000000000001";

	ck_assert_int_eq(word_bit(word, 0), 1);
	ck_assert_int_eq(word_bit(word, 1), 0);
	ck_assert_int_eq(word_bit(word, 63), 1);
	ck_assert_int_eq(word_bit(word, 64), -1);
	ck_assert_int_eq(word_bit("0xabcd", 0), 1);
	ck_assert_int_eq(word_bit("0xabcd", 1), 0);
	ck_assert_int_eq(word_bit("0xabcd", 13), 1);
	ck_assert_int_eq(word_bit("0xabcd", 15), 1);
	ck_assert_int_eq(word_bit("0xabcd", 16), -1);
	ck_assert_int_eq(word_bit("0xabcd", 4000000000u), -1);
}
END_TEST

START_TEST(test_condition)
{
	static const char *const bad[] = { "", "tap", "tap.x[", "tap.x[]", "tap.x[-1]",
					   "tap.x[1]x", "tap.x[1", "tap.x[1000]", "Tap.x",
					   "tap.x ", "[1]", ".x[1]" };
	int bit = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(condition_parse(bad[i], &bit) == 0, "\"%s\" is accepted", bad[i]);
	ck_assert_uint_eq(condition_parse("tap.offload.uso", &bit), strlen("tap.offload.uso"));
	ck_assert_int_eq(bit, -1);
	ck_assert_uint_eq(condition_parse("vhost_net.features[40]", &bit),
			  strlen("vhost_net.features"));
	ck_assert_int_eq(bit, 40);
}
END_TEST

/* Yes, no and unknown with the reason; never "no" for what was not asked. */
START_TEST(test_facts)
{
	static const char text[] =
		"{\"schema\":\"abibase-profile/1\",\"kind\":\"host\",\"name\":\"a\",\"arch\":"
		"\"x86_64\",\"facts\":{\"a.yes\":true,\"a.no\":false,\"a.dark\":{\"unknown\":"
		"\"no-permission\"},\"a.word\":\"0x00000005\",\"a.number\":5,\"a.text\":\"on\"}}";
	static const struct {
		const char *fact;
		enum abibase_tri want;
		const char *reason;
	} asked[] = {
		{ "a.yes", ABIBASE_YES, NULL },
		{ "a.no", ABIBASE_NO, NULL },
		{ "a.dark", ABIBASE_UNKNOWN, "no-permission" },
		{ "a.dark[3]", ABIBASE_UNKNOWN, "no-permission" },
		{ "a.nothing", ABIBASE_UNKNOWN, "not-recorded" },
		{ "a.nothing[3]", ABIBASE_UNKNOWN, "not-recorded" },
		{ "a.word[0]", ABIBASE_YES, NULL },
		{ "a.word[1]", ABIBASE_NO, NULL },
		{ "a.word[31]", ABIBASE_NO, NULL },
		{ "a.word[32]", ABIBASE_UNKNOWN, "not-asked" },
		{ "a.no[3]", ABIBASE_NO, NULL },
		{ "a.yes[3]", ABIBASE_UNKNOWN, "not-recorded" },
		{ "a.number", ABIBASE_UNKNOWN, "not-recorded" },
		{ "a.text[0]", ABIBASE_UNKNOWN, "not-recorded" },
		{ "no condition", ABIBASE_UNKNOWN, "not-recorded" },
	};
	struct abibase_context *ctx;
	struct abibase_profile *p;

	ck_assert_int_eq(abibase_context_new(0, &ctx), 0);
	ck_assert_int_eq(profile_from_buffer(ctx, text, strlen(text), "t", &p), 0);
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		const char *reason = "untouched";
		enum abibase_tri r = profile_fact(p, asked[i].fact, &reason);

		ck_assert_msg(r == asked[i].want, "%s: %d", asked[i].fact, r);
		ck_assert_pstr_eq(reason, asked[i].reason);
		ck_assert_int_eq(profile_fact(p, asked[i].fact, NULL), r);
	}
	abibase_profile_unref(p);
	abibase_context_unref(ctx);
}
END_TEST

Suite *suite_version(void)
{
	Suite *suite = suite_create("version");
	TCase *units = tcase_create("units");

	tcase_add_test(units, test_version);
	tcase_add_test(units, test_version_order);
	tcase_add_test(units, test_version_range);
	tcase_add_test(units, test_machine_name);
	tcase_add_test(units, test_machine_order);
	tcase_add_test(units, test_word_bit);
	tcase_add_test(units, test_condition);
	tcase_add_test(units, test_facts);
	suite_add_tcase(suite, units);
	return suite;
}
