/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What abibase_validate() reports of each kind of document; and the table of a profile. */
#include <errno.h>

#include "answer/show.h"
#include "suites.h"
#include "test-util.h"

static struct test t;
static char dir[] = "/tmp/abibase-validate-XXXXXX";
static char *file;	    /* the one that each test writes */
static struct buf problems; /* "fault|warning ID WHERE: TEXT\n", WHERE without the directory */

static void setup(void)
{
	test_begin(&t);
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_ge(asprintf(&file, "%s/a.json", dir), 0);
}

static void teardown(void)
{
	unlink(file);
	rmdir(dir);
	free(file);
	file = NULL;
	buf_clear(&problems);
	test_end(&t);
}

/* The number of faults, or a negative errno. */
static int validate(const char *path)
{
	struct abibase_result *res;
	size_t len = strlen(dir) + 1;
	int r = abibase_validate(t.ctx, path, &res), faults = 0;

	buf_clear(&problems);
	if (r < 0)
		return r;
	for (size_t i = 0; i < result_finding_count(res); i++) {
		const struct abibase_value *f = abibase_result_finding(res, i);
		const char *where = test_string(f, "where");

		faults += streq(test_string(f, "kind"), "fault");
		buf_printf(&problems, "%s %s %s: %s\n", test_string(f, "kind"), test_string(f, "id"),
			   strprefix(where, dir) ? where + len : where, test_string(f, "text"));
	}
	ck_assert_int_eq(abibase_result_verdict(res),
			 faults ? ABIBASE_VERDICT_NO : ABIBASE_VERDICT_YES);
	abibase_result_unref(res);
	return faults;
}

static void put(const char *text)
{
	_autofclose_ FILE *f = fopen(file, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
}

static void put_json(const json_t *root)
{
	_autofree_ char *text = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);

	ck_assert_ptr_nonnull(text);
	put(text);
}

/* Faults and warnings, all @words among what is said of them. */
static void assert_problems(int faults, size_t lines, const char *const *words)
{
	size_t n = 0;
	int r = validate(file);

	for (const char *s = problems.data; s && *s; s++)
		n += *s == '\n';
	ck_assert_msg(r == faults && n == lines, "%d faults, %zu lines:\n%s", r, n,
		      problems.data ? problems.data : "");
	for (; *words; words++)
		ck_assert_msg(strstr(problems.data ? problems.data : "", *words) != NULL,
			      "no \"%s\" in:\n%s", *words, problems.data ? problems.data : "");
}
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* One fault or warning, and its words. */
static void assert_one(const char *text, int faults, const char *words)
{
	put(text);
	assert_problems(faults, 1, WORDS(words));
}

START_TEST(shipped_documents_are_good)
{
	static const char *const names[] = {
		"data/catalogue.json",
		"data/errata.json",
		"data/facts.json",
		"data/platforms/50-debian-11.json",
		"data/platforms/50-debian-12.json",
		"data/platforms/50-debian-12-backports-2026.11.json",
		"data/platforms/50-debian-13.json",
		"data/platforms/50-debian-13-backports-2026.11.json",
		"tests/data/hosts/linux-7.2.json",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_autofree_ char *path = test_path("%s", names[i]);
		int r = validate(path);

		ck_assert_msg(r == 0 && !problems.len, "%s: %d: %s", path, r,
			      r < 0 ? abibase_context_error(t.ctx) : problems.data);
	}
}
END_TEST

START_TEST(unreadable)
{
	ck_assert_int_eq(validate(file), -ENOENT);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "io-error");
	ck_assert_uint_eq(problems.len, 0);
	ck_assert_int_eq(validate(dir), -EISDIR);
}
END_TEST

START_TEST(not_json)
{
	assert_one("{\n\"a\" 1}", 1, "fault json-syntax a.json:2:");
	assert_one("", 1, "fault json-syntax a.json:1:");
	assert_one("{\"a\":1,\"a\":2}", 1, "fault json-duplicate-key ");
	/* a problem of the document is no error of the call */
	ck_assert_ptr_null(abibase_context_error_id(t.ctx));
}
END_TEST

START_TEST(which_kind)
{
	assert_one("[]", 1, "fault json-wrong-type a.json: /: ");
	assert_one("{}", 1, "fault schema-missing a.json: /schema: ");
	assert_one("{\"schema\":1}", 1, "fault json-wrong-type a.json: /schema: ");
	assert_one("{\"schema\":\"other/1\"}", 1, "fault schema-other a.json: /schema: ");
	assert_one("{\"schema\":\"abibase-other/1\"}", 1, "fault schema-other a.json: /schema: ");
	assert_one("{\"schema\":\"abibase-profile/2\"}", 1, "fault schema-newer a.json: /schema: ");
	assert_one("{\"schema\":\"abibase-facts/2\"}", 1, "fault schema-newer a.json: /schema: ");
	assert_one("{\"schema\":\"abibase-catalogue/2\"}", 1, "fault schema-newer ");
	assert_one("{\"schema\":\"abibase-baseline/2\"}", 1, "fault schema-newer ");
}
END_TEST

START_TEST(too_large)
{
	_autofclose_ FILE *f = fopen(file, "we");
	_autofree_ char *spaces = malloc(4u << 20);

	memset(spaces, ' ', 4u << 20);
	ck_assert_int_ge(fputs("{\"schema\":\"abibase-profile/1\"}", f), 0);
	ck_assert_uint_eq(fwrite(spaces, 4u << 20, 1, f), 1);
	ck_assert_int_eq(fflush(f), 0);
	assert_problems(1, 1, WORDS("fault file-too-large "));
	ck_assert_int_eq(ftruncate(fileno(f), (64 << 20) + 1), 0);
	assert_problems(1, 1, WORDS("fault file-too-large "));
}
END_TEST

START_TEST(all_faults_are_told)
{
	put("{\"schema\":\"abibase-profile/1\",\"kind\":\"cluster\",\"name\":\"-\","
	    "\"facts\":{\"tap.usable\":null},\"colour\":1}");
	assert_problems(5, 5,
			WORDS("fault json-bad-value a.json: /kind: ",
			      "fault json-bad-value a.json: /name: ",
			      "fault json-missing-key a.json: /: ",
			      "fault json-wrong-type a.json: /facts/tap.usable: ",
			      "fault json-unknown-key a.json: /colour: "));
}
END_TEST

#define PLATFORM_ENDS \
	"  },\n  \"kind\": \"platform\",\n  \"name\": \"a\",\n  \"revision\": 1\n}\n"

/* A canonical platform profile with these facts, and evidence for tap only. */
static void put_facts(const char *facts)
{
	_autofree_ char *text = NULL;

	ck_assert_int_ge(asprintf(&text,
				  "{\n  \"schema\": \"abibase-profile/1\",\n"
				  "  \"arch\": \"x86_64\",\n"
				  "  \"evidence\": {\n    \"tap.\": \"probed\",\n"
				  "    \"vhost_net.features\": \"bracketed\"\n  },\n"
				  "  \"facts\": {\n%s\n" PLATFORM_ENDS,
				  facts),
			 0);
	put(text);
}

START_TEST(facts)
{
	put_facts("    \"tap.features\": \"0x00007133\",\n    \"tap.usable\": true,\n"
		  "    \"vhost_net.features\": \"0x0000000000000000\",\n"
		  "    \"vhost_net.features_array\": false,\n"
		  "    \"vhost_net.usable\": {\n      \"unknown\": \"no-permission\"\n    }");
	assert_problems(0, 0, WORDS(""));
	put_facts("    \"tap.features\": {\n      \"unknown\": \"not-asked\"\n    }");
	assert_problems(0, 0, WORDS(""));
	put_facts("    \"tap.later\": 7");
	assert_problems(0, 1, WORDS("warning fact-not-known a.json: /facts/tap.later: "));
	put_facts("    \"tap.features\": true");
	assert_problems(1, 1, WORDS("fault json-bad-value a.json: /facts/tap.features: "));
	put_facts("    \"tap.features\": \"0x0000000000007133\"");
	assert_problems(1, 1, WORDS("has 64 bits; this fact is a word of 32"));
	put_facts("    \"tap.features\": \"7133\"");
	assert_problems(1, 1, WORDS("is not a feature word"));
	put_facts("    \"tap.features\": \"0x713\"");
	assert_problems(1, 1, WORDS("is not a feature word"));
	put_facts("    \"tap.usable\": \"0x00007133\"");
	assert_problems(1, 1, WORDS("must be true or false"));
	put_facts("    \"tap.usable\": 1");
	assert_problems(1, 1, WORDS("must be true or false"));
}
END_TEST

START_TEST(evidence)
{
	put_facts("    \"vhost_net.features_array\": "
		  "\"0x00000000000000000000000000000000\",\n    \"vhost_net.usable\": true");
	assert_problems(2, 2,
			WORDS("fault evidence-missing a.json: /facts/vhost_net.features_array: ",
			      "fault evidence-missing a.json: /facts/vhost_net.usable: "));
	put_facts("    \"vhost_net.usable\": false");
	assert_problems(0, 0, WORDS(""));
}
END_TEST

/* Called as the platform, with or without a number before it; hosts may be called anything. */
START_TEST(file_name)
{
	static const struct {
		const char *name;
		size_t warnings;
	} cases[] = {
		{ "b.json", 1 },   { "50-a.json", 0 },	{ "a", 1 },
		{ "-a.json", 1 },  { "x50-a.json", 1 }, { "50-50-a.json", 1 },
		{ "aa.json", 1 },
	};

	put_facts("    \"tap.usable\": true");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_autofree_ char *other = NULL;
		int r;

		ck_assert_int_ge(asprintf(&other, "%s/%s", dir, cases[i].name), 0);
		ck_assert_int_eq(link(file, other), 0);
		r = validate(other);
		unlink(other);
		ck_assert_int_eq(r, 0);
		ck_assert_msg(!!problems.len == cases[i].warnings, "%s: %s", cases[i].name,
			      problems.data ? problems.data : "nothing");
		if (problems.len)
			ck_assert(strprefix(problems.data, "warning platform-file-name "));
	}
}
END_TEST

START_TEST(canonical)
{
	static const char doc[] = "{\n  \"schema\": \"abibase-profile/1\",\n"
				  "  \"arch\": \"x86_64\",\n  \"facts\": {},\n"
				  "  \"kind\": \"host\",\n  \"name\": \"h\"\n}\n";

	put(doc);
	assert_problems(0, 0, WORDS(""));
	put("{\n  \"schema\": \"abibase-profile/1\",\n  \"facts\": {},\n"
	    "  \"arch\": \"x86_64\",\n  \"kind\": \"host\",\n  \"name\": \"h\"\n}\n");
	assert_problems(0, 1, WORDS("warning not-canonical a.json: /: ", "from line 3 on"));
	/* what is faulty has no canonical form */
	put("{\"schema\":\"abibase-profile/1\",\"x-real\":1.5,"
	    "\"arch\":\"x86_64\",\"facts\":{},\"kind\":\"host\",\"name\":\"h\"}");
	assert_problems(1, 1, WORDS("fault json-wrong-type a.json: /x-real: "));
}
END_TEST

/* A baseline has a form of its own, and the one of all documents, which 0.1 wrote, is right as well. */
START_TEST(canonical_baselines)
{
	struct abibase_profile *p = test_host(t.ctx, "h", "6.12", "7.2.22");
	struct abibase_baseline *b;
	_buf_ indented = { 0 }, spaced = { 0 };
	_autofree_ char *text = NULL;
	json_auto_t *root = NULL;
	const char *at;

	ck_assert_int_eq(intersect_profiles(t.ctx, t.cat, &p, 1, NULL, &b), 0);
	text = test_baseline_json(t.ctx, b);
	put(text);
	assert_problems(0, 0, WORDS(""));
	root = json_loads(text, 0, NULL);
	json_write_canonical(&indented, root);
	ck_assert_str_ne(indented.data, text);
	put(indented.data);
	assert_problems(0, 0, WORDS(""));
	at = strstr(text, "\"lacks\"");
	ck_assert_ptr_nonnull(at);
	buf_printf(&spaced, "%.*s %s", (int)(at - text), text, at);
	put(spaced.data);
	assert_problems(0, 1, WORDS("warning not-canonical a.json: /: "));
	abibase_baseline_unref(b);
	abibase_profile_unref(p);
}
END_TEST

START_TEST(without_the_list_of_facts)
{
	put_facts("    \"tap.usable\": true");
	abibase_context_set_data_dir(t.ctx, dir);
	ck_assert_int_eq(validate(file), -ENOENT);
	ck_assert_ptr_nonnull(strstr(abibase_context_error_where(t.ctx), "/facts.json"));
}
END_TEST

START_TEST(without_a_callback)
{
	struct abibase_result *res;
	char *text;

	put("{}");
	ck_assert_int_eq(abibase_validate(t.ctx, file, &res), 0);
	ck_assert_int_eq(abibase_result_verdict(res), ABIBASE_VERDICT_NO);
	ck_assert_str_eq(test_string(abibase_result_value(res), "files/0/file"), file);
	ck_assert_int_eq(abibase_result_to_text(res, 0, &text), 0);
	ck_assert(strprefix(text, file));
	ck_assert_ptr_nonnull(strstr(text, " [schema-missing]\n"));
	free(text);
	abibase_result_unref(res);
}
END_TEST

START_TEST(list_of_facts)
{
	put("{\"schema\":\"abibase-facts/1\",\"facts\":{"
	    "\"a.b\":{\"kind\":\"bool\",\"since\":\"0.1\",\"source\":\"x\",\"bits\":32},"
	    "\"a.c\":{\"kind\":\"word\",\"since\":\"0.1\",\"source\":\"x\"},"
	    "\"a.d\":{\"kind\":\"word\",\"since\":\"0.1\",\"source\":\"x\",\"bits\":7},"
	    "\"a.e\":{\"kind\":\"colour\",\"since\":\"soon\",\"source\":\"\"}}}");
	assert_problems(6, 6,
			WORDS("json-bad-value a.json: /facts/a.b: ",
			      "json-bad-value a.json: /facts/a.c: ",
			      "json-bad-value a.json: /facts/a.d/bits: ",
			      "json-bad-value a.json: /facts/a.e/kind: ",
			      "json-bad-value a.json: /facts/a.e/since: ",
			      "json-bad-value a.json: /facts/a.e/source: "));
}
END_TEST

START_TEST(faulty_catalogue)
{
	json_t *root = test_json("data/catalogue.json"), *rows = json_object_get(root, "features");

	json_object_set_new(json_array_get(rows, 0), "pin", json_string("sometimes"));
	json_object_set_new(json_array_get(rows, 1), "colour", json_string("red"));
	put_json(root);
	assert_problems(2, 2,
			WORDS("fault json-bad-value a.json: /features/0/pin: ",
			      "fault json-unknown-key a.json: /features/1/colour: "));
	json_decref(root);
}
END_TEST

START_TEST(baselines)
{
	struct abibase_profile *p = test_host(t.ctx, "h", "6.1", "7.2.22");
	struct abibase_baseline *b;
	_autofree_ char *text = NULL;
	json_t *root;

	ck_assert_int_eq(intersect_profiles(t.ctx, t.cat, &p, 1, "pc-q35-7.2", &b), 0);
	text = test_baseline_json(t.ctx, b);
	put(text);
	assert_problems(0, 0, WORDS(""));
	root = json_loads(text, 0, NULL);
	json_object_set_new(root, "colour", json_string("red"));
	put_json(root);
	ck_assert_int_ge(validate(file), 1);
	ck_assert_ptr_nonnull(strstr(problems.data, "fault json-unknown-key a.json: /colour: "));
	json_decref(root);
	abibase_baseline_unref(b);
	abibase_profile_unref(p);
}
END_TEST

/* ----------------------------------------------------------------------- the table */

static void assert_table(const struct abibase_profile *p, const char *const *words)
{
	_autofree_ char *text = NULL;

	ck_assert_int_eq(profile_to_text(p, t.cat, 0, &text), 0);
	for (; *words; words++)
		ck_assert_msg(strstr(text, *words) != NULL, "no \"%s\" in:\n%s", *words, text);
}

START_TEST(table)
{
	struct abibase_profile *p;

	ck_assert_int_eq(profile_from_platform(t.ctx, "debian-12", &p), 0);
	assert_table(p, WORDS("name        debian-12\n", "revision    5\n", "lifecycle   released ",
			      "evidence    ipvtap.* probed\n", "  tap+vhost       usable\n",
			      "\nfacts: tap\n", "  offload.uso ", "  napi_frags",
			      "IFF_TUN IFF_TAP IFF_NAPI ", " IFF_VNET_HDR\n", "VHOST_F_LOG_ALL",
			      "VIRTIO_F_VERSION_1", "VIRTIO_F_ACCESS_PLATFORM", "  7.2.22 for x86_64\n",
			      "the newest is pc-q35-7.2\n"));
	abibase_profile_unref(p);
}
END_TEST

START_TEST(table_of_what_is_unknown)
{
	static const char doc[] =
		"{\"schema\":\"abibase-profile/1\",\"kind\":\"host\",\"name\":\"h\","
		"\"arch\":\"x86_64\",\"kernel\":{\"release\":\"6\\u001b[1m\\u009bx\\ny\"},"
		"\"facts\":{\"tap.usable\":true,\"tap.features\":\"0x80000001\","
		"\"vhost_net.usable\":{\"unknown\":\"no-permission\"},\"macvtap.usable\":false}}";
	struct abibase_profile *p;

	ck_assert_int_eq(profile_from_buffer(t.ctx, doc, strlen(doc), "t", &p), 0);
	/* nothing that a terminal would obey, and no forged line */
	assert_table(p, WORDS("kernel      6?[1m?x?y\n", "  tap             usable\n",
			      "  tap+vhost       unknown: vhost_net.usable no-permission\n",
			      "  macvtap         absent: macvtap.usable no\n",
			      "  macvtap+vhost   absent: ", "IFF_TUN bit-31\n",
			      "\nqemu: not recorded\n"));
	abibase_profile_unref(p);
}
END_TEST

/* Words of a QEMU entry that can become words of a command line. */
START_TEST(words_of_options)
{
	static const struct {
		const char *member, *where;
	} bad[] = {
		{ "\"machines\":{\"pc-q35-9.0 -device x\":{}}", "/qemu/0/machines/pc-q35-9.0 -device x" },
		{ "\"machines\":{\"-device\":{}}", "/qemu/0/machines/-device" },
		{ "\"machines\":{\"pc\":{\"alias\":\"a,b\"}}", "/qemu/0/machines/pc/alias" },
		{ "\"properties\":{\"a b\":{}}", "/qemu/0/properties/a b" },
		{ "\"properties\":{\"a\":{\"b=c\":\"bool\"}}", "/qemu/0/properties/a/b=c" },
		{ "\"defaults\":{\"a.b,c\":true}", "/qemu/0/defaults/a.b,c" },
		{ "\"defaults\":{\"a.b\":\"on,x=y\"}", "/qemu/0/defaults/a.b" },
		{ "\"defaults\":{\"a.b\":\"on -device\"}", "/qemu/0/defaults/a.b" },
		{ "\"values\":{\"pc,x\":{}}", "/qemu/0/values/pc,x" },
		{ "\"values\":{\"pc\":{\"a.b\":\"x\\\"y\"}}", "/qemu/0/values/pc/a.b" },
		{ "\"shape\":{\"pc,x\":{}}", "/qemu/0/shape/pc,x" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_autofree_ char *doc = NULL, *words = NULL;

		ck_assert_int_ge(asprintf(&doc,
					  "{\"schema\":\"abibase-profile/1\",\"kind\":\"host\","
					  "\"name\":\"h\",\"arch\":\"x86_64\",\"facts\":{},"
					  "\"qemu\":[{\"target\":\"x86_64\",\"version\":\"9.0.0\",%s}]}",
					  bad[i].member),
				 0);
		ck_assert_int_ge(asprintf(&words, "fault json-bad-value a.json: %s: ", bad[i].where),
				 0);
		put(doc);
		ck_assert_int_eq(validate(file), 1);
		ck_assert_msg(strstr(problems.data, words) != NULL, "no \"%s\" in:\n%s", words,
			      problems.data);
	}
}
END_TEST

Suite *suite_validate(void)
{
	Suite *s = suite_create("validate");
	TCase *c = tcase_create("validate");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, shipped_documents_are_good);
	tcase_add_test(c, unreadable);
	tcase_add_test(c, words_of_options);
	tcase_add_test(c, not_json);
	tcase_add_test(c, which_kind);
	tcase_add_test(c, too_large);
	tcase_add_test(c, all_faults_are_told);
	tcase_add_test(c, facts);
	tcase_add_test(c, evidence);
	tcase_add_test(c, file_name);
	tcase_add_test(c, canonical);
	tcase_add_test(c, canonical_baselines);
	tcase_add_test(c, without_the_list_of_facts);
	tcase_add_test(c, without_a_callback);
	tcase_add_test(c, list_of_facts);
	tcase_add_test(c, faulty_catalogue);
	tcase_add_test(c, baselines);
	suite_add_tcase(s, c);
	c = tcase_create("table");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, table);
	tcase_add_test(c, table_of_what_is_unknown);
	suite_add_tcase(s, c);
	return s;
}
