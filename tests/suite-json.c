/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strict reading, canonical writing, digests. */
#include <errno.h>
#include <glob.h>

#include "base/blake2b.h"
#include "base/harmless.h"
#include "document/json.h"
#include "document/value.h"
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

/* The smallest profile, with @more put before its end. */
#define PROFILE(more)                                                                  \
	"{\"schema\":\"abibase-profile/1\",\"kind\":\"host\",\"name\":\"a\","         \
	"\"arch\":\"x86_64\",\"facts\":{}" more "}"
#define WITH_FACT(fact)                                                                \
	"{\"schema\":\"abibase-profile/1\",\"kind\":\"host\",\"name\":\"a\","         \
	"\"arch\":\"x86_64\",\"facts\":{" fact "}}"
#define WITH_SCHEMA(schema)                                                            \
	"{" schema "\"kind\":\"host\",\"name\":\"a\",\"arch\":\"x86_64\",\"facts\":{}}"
#define WITH_NAME(name)                                                                \
	"{\"schema\":\"abibase-profile/1\",\"kind\":\"host\",\"name\":" name          \
	",\"arch\":\"x86_64\",\"facts\":{}}"
#define WITH_QEMU(more) PROFILE(",\"qemu\":[{\"version\":\"7.2.0\",\"target\":\"x86_64\"" more "}]")
#define PLATFORM(more)                                                                 \
	"{\"schema\":\"abibase-profile/1\",\"kind\":\"platform\",\"name\":\"a\","     \
	"\"arch\":\"x86_64\",\"facts\":{}" more "}"

static int read_bytes(const char *buf, size_t len, struct abibase_profile **ret)
{
	/* a copy of just the length: one byte read too far is seen by valgrind and ASan */
	char *copy = malloc(len ? len : 1);
	int r;

	memcpy(copy, buf, len);
	r = profile_from_buffer(t.ctx, copy, len, "t", ret);
	free(copy);
	return r;
}

/* A document that is refused: how, with which id and where; the out-parameter is left alone. */
static void assert_refused(const char *buf, size_t len, int err, const char *id, const char *where)
{
	struct abibase_profile *const untouched = (void *)&t;
	struct abibase_profile *p = untouched;
	int r = read_bytes(buf, len, &p);

	ck_assert_msg(r == -err, "%.200s: returns %d, not %d (%s)", buf, r, -err,
		      r < 0 ? abibase_context_error(t.ctx) : "accepted");
	ck_assert_ptr_eq(p, untouched);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), id);
	ck_assert_ptr_nonnull(abibase_context_error(t.ctx));
	ck_assert_ptr_null(strchr(abibase_context_error(t.ctx), '\n'));
	ck_assert_msg(strprefix(abibase_context_error_where(t.ctx), where) &&
			      (where[strlen(where) - 1] == ':' ||
			       streq(abibase_context_error_where(t.ctx), where)),
		      "%.200s: at %s, not %s", buf, abibase_context_error_where(t.ctx), where);
}

static void assert_accepted(const char *text)
{
	struct abibase_profile *p;
	int r = read_bytes(text, strlen(text), &p);

	ck_assert_msg(r == 0, "%.200s: %d %s %s", text, r, abibase_context_error_where(t.ctx),
		      abibase_context_error(t.ctx));
	abibase_profile_unref(p);
}

static const struct refusal {
	const char *text;
	const char *id, *where; /* a place that ends in a colon is the beginning of it */
} refusals[] = {
	/* the text */
	{ "", "json-syntax", "t:" },
	{ " ", "json-syntax", "t:" },
	{ "{", "json-syntax", "t:" },
	{ "nonsense", "json-syntax", "t:1:" },
	{ "\xef\xbb\xbf{}", "json-syntax", "t:1:" },
	{ "{\n\"schema\": \"abibase-profile/1\",\n\"kind\": host\n}", "json-syntax", "t:3:" },
	{ PROFILE("") "x", "json-syntax", "t:1:" },
	{ PROFILE("") PROFILE(""), "json-syntax", "t:1:" },
	{ PROFILE(",\"revision\":99999999999999999999"), "json-syntax", "t:1:" },
	{ PROFILE(",\"revision\":01"), "json-syntax", "t:1:" },
	{ PROFILE(",\"revision\":NaN"), "json-syntax", "t:1:" },
	{ PROFILE(",\"tags\":[1,]"), "json-syntax", "t:1:" },
	{ PROFILE(",\"name\":\"b\""), "json-duplicate-key", "t:1:" },
	{ PROFILE(",\"x-a\":1,\"x-a\":1"), "json-duplicate-key", "t:1:" },
	{ PROFILE(",\"x-a\":{\"b\":1,\n\"b\":1}"), "json-duplicate-key", "t:2:" },
	{ WITH_FACT("\"a.b\":true,\"a.b\":true"), "json-duplicate-key", "t:1:" },
	{ WITH_FACT("\"a.b\":true,\"a\\u002eb\":true"), "json-duplicate-key", "t:1:" },
	/* the outermost value */
	{ "[]", "json-wrong-type", "t: /" },
	{ "[" PROFILE("") "]", "json-wrong-type", "t: /" },
	/* the schema */
	{ "{}", "schema-missing", "t: /schema" },
	{ WITH_SCHEMA(""), "schema-missing", "t: /schema" },
	{ WITH_SCHEMA("\"schema\":1,"), "json-wrong-type", "t: /schema" },
	{ WITH_SCHEMA("\"schema\":null,"), "json-wrong-type", "t: /schema" },
	{ WITH_SCHEMA("\"schema\":\"abibase-catalogue/1\","), "schema-other", "t: /schema" },
	{ WITH_SCHEMA("\"schema\":\"abibase-baseline/1\","), "schema-other", "t: /schema" },
	{ WITH_SCHEMA("\"schema\":\"abibase-profile\","), "schema-other", "t: /schema" },
	{ WITH_SCHEMA("\"schema\":\"abibase-profile/\","), "schema-other", "t: /schema" },
	{ WITH_SCHEMA("\"schema\":\"abibase-profile/0\","), "schema-other", "t: /schema" },
	{ WITH_SCHEMA("\"schema\":\"abibase-profile/1x\","), "schema-other", "t: /schema" },
	{ WITH_SCHEMA("\"schema\":\"abibase-profile/01\","), "schema-other", "t: /schema" },
	{ WITH_SCHEMA("\"schema\":\"abibase-profile/-1\","), "schema-other", "t: /schema" },
	{ WITH_SCHEMA("\"schema\":\"abibase-profile/1.5\","), "schema-other", "t: /schema" },
	{ WITH_SCHEMA("\"schema\":\"abibase-profiles/1\","), "schema-other", "t: /schema" },
	{ WITH_SCHEMA("\"schema\":\"ABIBASE-PROFILE/1\","), "schema-other", "t: /schema" },
	/* keys */
	{ PROFILE(",\"nmae\":\"b\""), "json-unknown-key", "t: /nmae" },
	{ PROFILE(",\"Description\":\"b\""), "json-unknown-key", "t: /Description" },
	{ PROFILE(",\"x\":1"), "json-unknown-key", "t: /x" },
	{ PROFILE(",\"a/b~c\":1"), "json-unknown-key", "t: /a~1b~0c" },
	{ PROFILE(",\"\":1"), "json-unknown-key", "t: /" },
	{ PROFILE(",\"kernel\":{\"release\":\"6\",\"x-a\":1}"), "json-unknown-key",
	  "t: /kernel/x-a" },
	{ PROFILE(",\"kernel\":{}"), "json-missing-key", "t: /kernel" },
	{ PROFILE(",\"probe\":{\"uid\":0}"), "json-unknown-key", "t: /probe/uid" },
	{ PROFILE(",\"evidence\":{}"), "json-unknown-key", "t: /evidence" },
	{ PROFILE(",\"packages\":[]"), "json-unknown-key", "t: /packages" },
	{ PROFILE(",\"lifecycle\":{\"source\":\"s\"}"), "json-unknown-key", "t: /lifecycle" },
	{ PLATFORM(",\"evidence\":{}"), "json-missing-key", "t: /" },
	{ PLATFORM(",\"revision\":1"), "json-missing-key", "t: /" },
	{ PLATFORM(",\"revision\":1,\"evidence\":{},\"boot_id\":\"b\""), "json-unknown-key",
	  "t: /boot_id" },
	{ PLATFORM(",\"revision\":1,\"evidence\":{\"tap.\":\"guessed\"}"), "json-bad-value",
	  "t: /evidence/tap." },
	{ PLATFORM(",\"revision\":1,\"evidence\":{\"tap.\":true}"), "json-wrong-type",
	  "t: /evidence/tap." },
	{ PLATFORM(",\"revision\":1,\"evidence\":{},\"packages\":[{\"name\":\"p\"}]"),
	  "json-missing-key", "t: /packages/0" },
	{ PLATFORM(",\"revision\":1,\"evidence\":{},\"lifecycle\":{\"source\":\"s\","
		   "\"release\":\"2023-6-10\"}"),
	  "json-bad-value", "t: /lifecycle/release" },
	{ PLATFORM(",\"revision\":1,\"evidence\":{},\"lifecycle\":{\"source\":\"s\","
		   "\"release\":\"2023-13-10\"}"),
	  "json-bad-value", "t: /lifecycle/release" },
	{ PLATFORM(",\"revision\":1,\"evidence\":{},\"lifecycle\":{\"release\":null}"),
	  "json-missing-key", "t: /lifecycle" },
	/* types and values */
	{ PROFILE(",\"revision\":\"1\""), "json-wrong-type", "t: /revision" },
	{ PROFILE(",\"revision\":1.0"), "json-wrong-type", "t: /revision" },
	{ PROFILE(",\"revision\":0"), "json-bad-value", "t: /revision" },
	{ PROFILE(",\"revision\":-1"), "json-bad-value", "t: /revision" },
	{ PROFILE(",\"qemu\":{}"), "json-wrong-type", "t: /qemu" },
	{ PROFILE(",\"qemu\":[1]"), "json-wrong-type", "t: /qemu/0" },
	{ PROFILE(",\"x-a\":1.5"), "json-wrong-type", "t: /x-a" },
	{ PROFILE(",\"x-a\":{\"b\":[0,{\"c\":1e3}]}"), "json-wrong-type", "t: /x-a/b/1/c" },
	{ PROFILE(",\"tags\":[0.5]"), "json-wrong-type", "t: /tags/0" },
	{ PROFILE(",\"description\":-0.0"), "json-wrong-type", "t: /description" },
	{ WITH_NAME("1"), "json-wrong-type", "t: /name" },
	{ WITH_NAME("\"\""), "json-bad-value", "t: /name" },
	{ WITH_NAME("\"-a\""), "json-bad-value", "t: /name" },
	{ WITH_NAME("\"../a\""), "json-bad-value", "t: /name" },
	{ WITH_NAME("\"a b\""), "json-bad-value", "t: /name" },
	{ WITH_NAME("\"a\\n\""), "json-bad-value", "t: /name" },
	{ WITH_NAME("\"\xc3\xa9\""), "json-bad-value", "t: /name" },
	{ WITH_FACT("\"tap.usable\":null"), "json-wrong-type", "t: /facts/tap.usable" },
	{ WITH_FACT("\"tap.usable\":[]"), "json-wrong-type", "t: /facts/tap.usable" },
	{ WITH_FACT("\"tap.usable\":1.5"), "json-wrong-type", "t: /facts/tap.usable" },
	{ WITH_FACT("\"tap.usable\":{}"), "json-missing-key", "t: /facts/tap.usable" },
	{ WITH_FACT("\"tap.usable\":{\"unknown\":true}"), "json-wrong-type",
	  "t: /facts/tap.usable/unknown" },
	{ WITH_FACT("\"tap.usable\":{\"unknown\":\"\"}"), "json-bad-value",
	  "t: /facts/tap.usable/unknown" },
	{ WITH_FACT("\"tap.usable\":{\"unknown\":\"a\",\"x-b\":1}"), "json-unknown-key",
	  "t: /facts/tap.usable/x-b" },
	{ WITH_FACT("\"tap\":true"), "json-bad-value", "t: /facts/tap" },
	{ WITH_FACT("\"Tap.usable\":true"), "json-bad-value", "t: /facts/Tap.usable" },
	{ WITH_FACT("\".tap\":true"), "json-bad-value", "t: /facts/.tap" },
	{ WITH_FACT("\"a.w\":\"0x\""), "json-bad-value", "t: /facts/a.w" },
	{ WITH_FACT("\"a.w\":\"0x1\""), "json-bad-value", "t: /facts/a.w" },
	{ WITH_FACT("\"a.w\":\"0x00000\""), "json-bad-value", "t: /facts/a.w" },
	{ WITH_FACT("\"a.w\":\"0xABCD\""), "json-bad-value", "t: /facts/a.w" },
	{ WITH_FACT("\"a.w\":\"0x00g0\""), "json-bad-value", "t: /facts/a.w" },
	{ WITH_FACT("\"a.w\":\"0x00000000000000000000000000000000000000000000000000000000"
		    "000000000000\""),
	  "json-bad-value", "t: /facts/a.w" },
	{ WITH_QEMU(",\"machine_patterns\":[\"pc-*-rhel*\"]"), "json-bad-value",
	  "t: /qemu/0/machine_patterns/0" },
	{ WITH_QEMU(",\"vers\":1.5"), "json-wrong-type", "t: /qemu/0/vers" },
	{ PROFILE(",\"qemu\":[{\"unknown\":1}]"), "json-wrong-type", "t: /qemu/0/unknown" },
	{ PROFILE(",\"needs\":{\"clairvoyance\":\"9.9\"}"), "document-needs",
	  "t: /needs/clairvoyance" },
	{ PROFILE(",\"qemu\":[{\"version\":\"7.2.0\"}]"), "json-missing-key", "t: /qemu/0" },
	{ PROFILE(",\"qemu\":[{\"target\":\"x86_64\"}]"), "json-missing-key", "t: /qemu/0" },
	{ PROFILE(",\"qemu\":[{\"version\":\"7.2.0 (Debian)\",\"target\":\"x86_64\"}]"),
	  "json-bad-value", "t: /qemu/0/version" },
	{ PROFILE(",\"qemu\":[{\"version\":\"7.2.0.1\",\"target\":\"x86_64\"}]"),
	  "json-bad-value", "t: /qemu/0/version" },
	{ WITH_QEMU(",\"machines\":[]"), "json-wrong-type", "t: /qemu/0/machines" },
	{ WITH_QEMU(",\"machines\":{\"pc-q35-7.2\":true}"), "json-wrong-type",
	  "t: /qemu/0/machines/pc-q35-7.2" },
	{ WITH_QEMU(",\"machines\":{\"pc-q35-7.2\":{\"aliases\":\"q35\"}}"), "json-unknown-key",
	  "t: /qemu/0/machines/pc-q35-7.2/aliases" },
	{ WITH_QEMU(",\"properties\":{\"virtio-net-device\":[]}"), "json-wrong-type",
	  "t: /qemu/0/properties/virtio-net-device" },
	{ WITH_QEMU(",\"properties\":{\"virtio-net-device\":{\"csum\":true}}"),
	  "json-wrong-type", "t: /qemu/0/properties/virtio-net-device/csum" },
	{ WITH_QEMU(",\"values\":{\"pc-q35-7.2\":{\"virtio-net-device.csum\":{}}}"),
	  "json-wrong-type", "t: /qemu/0/values/pc-q35-7.2/virtio-net-device.csum" },
};

START_TEST(test_refused)
{
	const struct refusal *r = &refusals[_i];

	assert_refused(r->text, strlen(r->text), EBADMSG, r->id, r->where);
}
END_TEST

START_TEST(test_each_key_required)
{
	static const char *const keys[] = { "arch", "facts", "kind", "name" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		json_t *root = json_loads(PROFILE(""), 0, NULL);
		_autofree_ char *text = NULL;

		json_object_del(root, keys[i]);
		text = json_dumps(root, JSON_COMPACT);
		assert_refused(text, strlen(text), EBADMSG, "json-missing-key", "t: /");
		ck_assert_ptr_nonnull(strstr(abibase_context_error(t.ctx), keys[i]));
		json_decref(root);
	}
}
END_TEST

/* What is accepted is named with what is not. */
START_TEST(test_refusal_names_what_is_accepted)
{
	static const char unknown[] = PROFILE(",\"nmae\":\"b\"");
	static const char newer[] = WITH_SCHEMA("\"schema\":\"abibase-profile/2\",\"new\":{},");
	static const char huge[] = WITH_SCHEMA("\"schema\":\"abibase-profile/99999999999999999999\",");

	assert_refused(unknown, strlen(unknown), EBADMSG, "json-unknown-key", "t: /nmae");
	ck_assert_ptr_nonnull(strstr(abibase_context_error(t.ctx), "name"));
	/* a newer document is refused for being newer, not for its unknown key */
	assert_refused(newer, strlen(newer), EPROTONOSUPPORT, "schema-newer", "t: /schema");
	ck_assert_ptr_nonnull(strstr(abibase_context_error(t.ctx), "abibase-profile/1"));
	assert_refused(huge, strlen(huge), EPROTONOSUPPORT, "schema-newer", "t: /schema");
}
END_TEST

START_TEST(test_accepted)
{
	assert_accepted(PROFILE(""));
	assert_accepted("\n\t " PROFILE("") " \r\n");
	assert_accepted(PROFILE(",\"description\":\"d\",\"tags\":[\"a\",null,{}],\"x-a\":null,"
				"\"x-\":{\"x\":[[]]}"));
	assert_accepted(PROFILE(",\"revision\":9223372036854775807"));
	assert_accepted(PROFILE(",\"qemu\":[]"));
	assert_accepted(WITH_QEMU(",\"x-a\":1,\"description\":\"d\",\"tags\":[],\"machines\":{},"
				  "\"properties\":{},\"values\":{}"));
	/* a binary that could not be asked; a member that is not known is kept */
	assert_accepted(PROFILE(",\"qemu\":[{\"path\":\"/usr/bin/kvm\",\"unknown\":\"timeout\"}]"));
	assert_accepted(WITH_QEMU(",\"vers\":{\"a\":[1]}"));
	assert_accepted(PROFILE(",\"needs\":{}"));
	/* a fact id that is not known is kept */
	assert_accepted(WITH_FACT("\"zz.new-fact_1\":-7"));
	assert_accepted(WITH_FACT("\"zz.w\":\"0x0000\",\"zz.s\":\"any \xc3\xa9 string\""));
	assert_accepted(PLATFORM(",\"revision\":1,\"evidence\":{\"tap.\":\"bracketed\"},"
				 "\"packages\":[{\"name\":\"p\",\"version\":\"1\"}],"
				 "\"lifecycle\":{\"source\":\"s\",\"release\":null,"
				 "\"standard_end\":\"2026-07-11\"}"));
}
END_TEST

/* Byte sequences that are not UTF-8 (RFC 3629), in a string and in a key. */
START_TEST(test_invalid_utf8)
{
	static const char *const bad[] = {
		"\xff", "\xfe", "\x80", "\xc3", "\xc3(", "\xc0\x80", "\xc1\xbf", "\xe2\x82",
		"\xe0\x80\x80", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf0\x9f\x98",
		"\\ud800", "\\ud800\\u0041", "\\udc00", "\\u00g0", "\\x41",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_autofree_ char *value = NULL, *key = NULL;

		ck_assert_int_gt(asprintf(&value, PROFILE(",\"x-a\":\"%s\""), bad[i]), 0);
		ck_assert_int_gt(asprintf(&key, PROFILE(",\"x-%s\":1"), bad[i]), 0);
		assert_refused(value, strlen(value), EBADMSG, "json-syntax", "t:1:");
		assert_refused(key, strlen(key), EBADMSG, "json-syntax", "t:1:");
	}
	assert_accepted(PROFILE(",\"x-a\":\"\xf0\x9f\x98\x80 \\ud83d\\ude00 \xef\xbf\xbf\""));
}
END_TEST

/* A NUL would cut a string short for whoever reads it as C does. */
START_TEST(test_nul)
{
	static const char raw[] = PROFILE(",\"x-a\":\"b\0c\"");
	static const char between[] = "{\0}";
	static const char after[] = PROFILE("") "\0";
	static const char escaped[] = PROFILE(",\"x-a\":\"b\\u0000c\"");
	static const char key[] = PROFILE(",\"x-\\u0000\":1");

	assert_refused(raw, sizeof(raw) - 1, EBADMSG, "json-syntax", "t:1:");
	assert_refused(between, sizeof(between) - 1, EBADMSG, "json-syntax", "t:1:");
	assert_refused(after, sizeof(after) - 1, EBADMSG, "json-syntax", "t:1:");
	assert_refused(escaped, strlen(escaped), EBADMSG, "json-syntax", "t:1:");
	assert_refused(key, strlen(key), EBADMSG, "json-syntax", "t:1:");
}
END_TEST

static void nested(struct buf *b, unsigned int depth, const char *core)
{
	b->len = 0;
	buf_puts(b, "{\"schema\":\"abibase-profile/1\",\"kind\":\"host\",\"name\":\"a\","
		    "\"arch\":\"x86_64\",\"facts\":{},\"x-deep\":");
	for (unsigned int i = 0; i < depth; i++)
		buf_puts(b, i % 2 ? "{\"k\":" : "[");
	buf_puts(b, core);
	for (unsigned int i = depth; i--;)
		buf_putc(b, i % 2 ? '}' : ']');
	buf_puts(b, "}");
}

START_TEST(test_deep_nesting)
{
	struct abibase_profile *p;
	_buf_ b = { 0 };
	_autofree_ char *json = NULL;

	nested(&b, 500, "1");
	ck_assert_int_eq(read_bytes(b.data, b.len, &p), 0);
	ck_assert_int_eq(abibase_value_to_json(abibase_profile_value(p), &json), 0);
	abibase_profile_unref(p);
	nested(&b, 500, "0.5");
	assert_refused(b.data, b.len, EBADMSG, "json-wrong-type",
		       "t: /x-deep/0/k/0/k/0/k/0/k/0/k/0/k/0/k/0");
	nested(&b, 150000, "1");
	assert_refused(b.data, b.len, EBADMSG, "json-syntax", "t:1:");
	/* and where no end comes */
	memset(b.data, '[', b.len);
	assert_refused(b.data, b.len, EBADMSG, "json-syntax", "t:1:");
}
END_TEST

/* What jansson takes for a character is one, and nothing else. */
START_TEST(test_not_characters)
{
	static const char *const bad[] = { "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
					   "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\x80" };
	static const char *const good[] = { "\xc3\x80", "\xe0\xa0\x80", "\xed\x9f\xbf",
					    "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_autofree_ char *text = strdup(bad[i]);

		ck_assert(!text_is_harmless(bad[i]));
		text_harmless(text, "");
		ck_assert_uint_eq(strspn(text, "?"), strlen(bad[i]));
		ck_assert_ptr_null(json_string(bad[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		json_auto_t *string = json_string(good[i]);

		ck_assert(text_is_harmless(good[i]));
		ck_assert_ptr_nonnull(string);
	}
}
END_TEST

/* What nobody sees makes two names look alike; its neighbours are letters and signs. */
START_TEST(test_unseen)
{
	static const char *const bad[] = { "\xc2\xad", "\xd8\x9c", "\xe2\x80\x8b", "\xe2\x80\x8d",
					   "\xe2\x80\x8f", "\xe2\x80\xae", "\xe2\x81\xa0",
					   "\xe2\x81\xa4", "\xe2\x81\xaf", "\xef\xbb\xbf",
					   "\xf3\xa0\x80\x80", "\xf3\xa0\x81\xbf" };
	static const char *const good[] = { "\xc2\xac", "\xc2\xae", "\xe2\x80\x8a", "\xe2\x80\x90",
					    "\xe2\x81\xb0", "\xef\xbb\xbe", "\xf3\xa0\x82\x80" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_autofree_ char *text = strdup(bad[i]);

		ck_assert(!text_is_harmless(bad[i]));
		text_harmless(text, "");
		ck_assert_str_eq(text, "?");
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ck_assert(text_is_harmless(good[i]));
}
END_TEST

/* What is quoted of a document is cut, between characters, with quotes in it too. */
START_TEST(test_long_values)
{
	static const char *const pieces[] = { "a", "\xc3\xa9", "\\\"a" };
	struct abibase_profile *p = NULL;
	struct abibase_baseline *b = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		_buf_ text = { 0 };

		buf_puts(&text, "{\"schema\":\"");
		for (size_t n = 0; n < 1u << 20; n++)
			buf_puts(&text, pieces[i]);
		buf_puts(&text, "\"}");
		ck_assert(!buf_failed(&text));
		ck_assert_int_lt(abibase_operand_from_buffer(t.ctx, text.data, text.len, "t", &p, &b),
				 0);
		ck_assert_str_eq(abibase_context_error_id(t.ctx), "schema-other");
		ck_assert_uint_lt(strlen(abibase_context_error(t.ctx)), 8100);
		ck_assert(text_is_harmless(abibase_context_error(t.ctx)));
		ck_assert(!strchr(abibase_context_error(t.ctx), '?'));
		if (i < 2)
			ck_assert_uint_lt(strlen(abibase_context_error(t.ctx)), 300);
		if (i < 2)
			ck_assert_ptr_nonnull(strstr(abibase_context_error(t.ctx), "...\"; wanted"));
	}
}
END_TEST

/* No schema is quoted of what is too large for all but a baseline. */
START_TEST(test_too_large_first)
{
	size_t len = JSON_MAX_PROFILE + 1024;
	char *big = malloc(len);
	struct abibase_profile *p = NULL;
	struct abibase_baseline *b = NULL;

	memset(big, 'a', len);
	memcpy(big, "{\"schema\":\"", strlen("{\"schema\":\""));
	memcpy(big + len - 2, "\"}", 2);
	ck_assert_int_eq(abibase_operand_from_buffer(t.ctx, big, len, "t", &p, &b), -EFBIG);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "file-too-large");
	free(big);
}
END_TEST

START_TEST(test_size_limit)
{
	static const char text[] = PROFILE("");
	size_t len = JSON_MAX_PROFILE + 1;
	char *big = malloc(len);
	struct abibase_profile *p;

	memset(big, ' ', len);
	memcpy(big, text, sizeof(text) - 1);
	ck_assert_int_eq(read_bytes(big, len - 1, &p), 0);
	abibase_profile_unref(p);
	assert_refused(big, len, EFBIG, "file-too-large", "t");
	ck_assert_ptr_nonnull(strstr(abibase_context_error(t.ctx), "4194304"));
	free(big);
}
END_TEST

START_TEST(test_files)
{
	static const char text[] = PROFILE(",\"x-a\":0.5");
	char path[] = "/tmp/abibase-test.XXXXXX";
	int fd = mkstemp(path);
	struct abibase_profile *const untouched = (void *)&t;
	struct abibase_profile *p = untouched;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(abibase_profile_from_file(t.ctx, path, &p), -EBADMSG);
	ck_assert(strprefix(abibase_context_error_where(t.ctx), path));
	ck_assert(strstr(abibase_context_error_where(t.ctx), ": /x-a"));
	ck_assert_int_eq(ftruncate(fd, JSON_MAX_PROFILE + 1), 0);
	ck_assert_int_eq(abibase_profile_from_file(t.ctx, path, &p), -EFBIG);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "file-too-large");
	close(fd);
	unlink(path);
	ck_assert_int_eq(abibase_profile_from_file(t.ctx, path, &p), -ENOENT);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "io-error");
	ck_assert_str_eq(abibase_context_error_where(t.ctx), path);
	ck_assert_int_eq(abibase_profile_from_file(t.ctx, "/", &p), -EISDIR);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "io-error");
	ck_assert_ptr_eq(p, untouched);
}
END_TEST

/* A file that a full disk or a broken copy cut short. */
START_TEST(test_truncated)
{
	size_t len;
	_autofree_ char *text = test_read("tests/data/hosts/linux-6.12.json", &len);
	struct abibase_profile *p;

	ck_assert_int_eq(text[len - 1], '\n');
	for (size_t i = 0; i < len - 1; i++)
		assert_refused(text, i, EBADMSG, "json-syntax", "t:");
	ck_assert_int_eq(read_bytes(text, len - 1, &p), 0);
	abibase_profile_unref(p);
}
END_TEST

/* The same for the documents that only the library writes. */
START_TEST(test_truncated_baseline)
{
	struct abibase_profile *a = test_host(t.ctx, "a", "6.1", "7.2.22");
	struct abibase_baseline *b, *const untouched = (void *)&t;
	_autofree_ char *text = NULL;
	size_t len;

	ck_assert_int_eq(intersect_profiles(t.ctx, t.cat, &a, 1, "pc-q35-7.2", &b), 0);
	text = test_baseline_json(t.ctx, b);
	len = strlen(text);
	abibase_baseline_unref(b);
	abibase_profile_unref(a);
	for (size_t i = 0; i < len - 1; i += i > 300 ? 101 : 1) {
		char *copy = malloc(i ? i : 1);

		memcpy(copy, text, i);
		b = untouched;
		ck_assert_int_eq(baseline_from_buffer(t.ctx, copy, i, "t", &b), -EBADMSG);
		ck_assert_ptr_eq(b, untouched);
		ck_assert_str_eq(abibase_context_error_id(t.ctx), "json-syntax");
		free(copy);
	}
}
END_TEST

/* ------------------------------------------------------- lists that were read before */

#define ENTRY(version, more) "{\"version\":\"" version "\",\"target\":\"x86_64\"" more "}"
#define LIST(entries) ",\"qemu\":[" entries "]"
#define HOLE "4611686018427387907"

/*
 * Each document is read after all of those before it, in one context, which knows their lists then,
 * and gives what it gives alone.
 */
static const char *const after_others[] = {
	PROFILE(LIST(ENTRY("7.2.0", ""))),
	PROFILE(LIST(ENTRY("7.2.0", ""))),
	PROFILE(",\"revision\":2" LIST(ENTRY("7.2.0", ""))),
	PROFILE(LIST(ENTRY("7.2.0", "") "," ENTRY("8.0.0", ""))),
	PROFILE(LIST(ENTRY("8.0.0", "") ",{\"unknown\":\"refused\"}")),
	PROFILE(LIST(ENTRY("8.0.0", "") ",{\"unknown\":\"refused\"}")),
	/* another layout, and a "]" that ends nothing */
	PROFILE(",\n  \"qemu\" :\t[ " ENTRY("7.2.0", ",\"path\":\"/a]\\\"]\"") " ]\n"),
	PROFILE(",\n  \"qemu\" :\t[ " ENTRY("7.2.0", ",\"path\":\"/a]\\\"]\"") " ]\n"),
	/* the first key "qemu" is not the member */
	PROFILE(",\"x-a\":{\"qemu\":[" ENTRY("7.2.0", "") "]}"),
	PROFILE(",\"x-a\":{\"qemu\":[1]}" LIST(ENTRY("7.2.0", ""))),
	PROFILE(",\"x-a\":{\"qemu\":[1]}"),
	PROFILE(LIST("1")),
	PROFILE(",\"x-a\":\"\\\"qemu\\\":[1]\"" LIST(ENTRY("7.2.0", ""))),
	/* what the reader puts in the place of a list stands there already */
	PROFILE(",\"x-a\":{\"qemu\":[" ENTRY("7.2.0", "") "]},\"qemu\":" HOLE),
	PROFILE(LIST(ENTRY("7.2.0", "")) ",\"x-a\":" HOLE),
	/* said each time: no member that this version knows */
	PROFILE(LIST(ENTRY("7.2.0", ",\"new\":1"))),
	PROFILE(LIST(ENTRY("7.2.0", ",\"new\":1"))),
	/* refused each time */
	PROFILE(LIST(ENTRY("7", ""))),
	PROFILE(LIST("{\"version\":7}")),
	PROFILE(LIST("{\"version\":7}")),
	PROFILE(LIST(ENTRY("7.2.0", "")) LIST(ENTRY("7.2.0", ""))),
	PROFILE(LIST(ENTRY("7.2.0", "")) ",\"y\":0"),
	PROFILE(LIST(ENTRY("7.2.0", "")) "]"),
	PROFILE(LIST(ENTRY("7.2.0", "")) ",\"facts\":{}"),
	PROFILE(",\"qemu\":[" ENTRY("7.2.0", "")),
	PROFILE(LIST("")),
};

/* What reading gives: the digests, or the error, and each warning. */
static char *reading(struct test *with, const char *text)
{
	struct abibase_baseline *b = NULL;
	struct abibase_profile *p = NULL;
	_buf_ says = { 0 };
	int r;

	buf_clear(&with->log);
	r = abibase_operand_from_buffer(with->ctx, text, strlen(text), "t", &p, &b);
	buf_printf(&says, "%d ", r);
	if (r < 0)
		buf_printf(&says, "%s %s %s", abibase_context_error_id(with->ctx),
			   abibase_context_error_where(with->ctx), abibase_context_error(with->ctx));
	else
		buf_printf(&says, "%s", p->digest);
	for (size_t i = 0; r == 0 && i < p->n_qemu; i++)
		buf_printf(&says, " %s %s", p->qemu[i].digest, p->qemu[i].version);
	buf_printf(&says, " %s", with->log.data ? with->log.data : "");
	abibase_profile_unref(p);
	abibase_baseline_unref(b);
	return buf_steal(&says);
}

START_TEST(test_lists_seen)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(after_others); i++) {
		const char *text = after_others[i % ARRAY_SIZE(after_others)];
		char *after = reading(&t, text), *alone;
		struct test fresh;

		test_begin(&fresh);
		alone = reading(&fresh, text);
		ck_assert_str_eq(after, alone);
		test_end(&fresh);
		free(after);
		free(alone);
	}
}
END_TEST

/* More lists than a context keeps: the first is read anew, and right. */
START_TEST(test_many_lists)
{
	char text[256], *first = NULL;

	for (unsigned int i = 0; i < 300; i++) {
		char *says;

		snprintf(text, sizeof(text), PROFILE(LIST(ENTRY("7.2.%u", ""))), i % 100);
		says = reading(&t, text);
		if (i % 100 == 0 && first)
			ck_assert_str_eq(says, first);
		else if (i == 0)
			first = strdup(says);
		else
			ck_assert_str_ne(says, first);
		free(says);
	}
	free(first);
}
END_TEST

/* The value is the same one, not another that is equal. */
START_TEST(test_list_is_shared)
{
	const char *text = after_others[0], *more = after_others[2];
	struct abibase_profile *p = NULL, *q = NULL;
	struct abibase_baseline *b = NULL;

	ck_assert_int_eq(abibase_operand_from_buffer(t.ctx, text, strlen(text), "t", &p, &b), 0);
	ck_assert_int_eq(abibase_operand_from_buffer(t.ctx, more, strlen(more), "t", &q, &b), 0);
	ck_assert_ptr_eq(json_object_get(p->root, "qemu"), json_object_get(q->root, "qemu"));
	ck_assert_str_ne(p->digest, q->digest);
	abibase_profile_unref(p);
	abibase_profile_unref(q);
}
END_TEST

/* ----------------------------------------------------------------- baselines */

static void assert_baseline_refused(json_t *root, int err, const char *id, const char *where)
{
	_autofree_ char *text = json_dumps(root, JSON_COMPACT);
	struct abibase_baseline *const untouched = (void *)&t;
	struct abibase_baseline *b = untouched;
	int r = baseline_from_buffer(t.ctx, text, strlen(text), "t", &b);

	ck_assert_msg(r == -err, "%s: returns %d", where, r);
	ck_assert_ptr_eq(b, untouched);
	ck_assert_msg(streq(abibase_context_error_id(t.ctx), id), "%s: %s %s: %s", where,
		      abibase_context_error_id(t.ctx), abibase_context_error_where(t.ctx),
		      abibase_context_error(t.ctx));
	if (where)
		ck_assert_str_eq(abibase_context_error_where(t.ctx), where);
}

/* Anything unknown in a baseline is refused, at every level; nothing in it is free. */
static void refuse_everywhere(json_t *root, json_t *at, const char *place, unsigned int *count)
{
	const char *key;
	json_t *item;
	void *tmp;
	size_t i;

	json_object_foreach_safe(at, tmp, key, item) {
		_autofree_ char *below = NULL;

		ck_assert_int_gt(asprintf(&below, "%s/%s", place, key), 0);
		refuse_everywhere(root, item, below, count);
	}
	json_array_foreach(at, i, item)
		if (i == 0) {
			_autofree_ char *below = NULL;

			ck_assert_int_gt(asprintf(&below, "%s/0", place), 0);
			refuse_everywhere(root, item, below, count);
		}
	if (json_is_object(at)) {
		_autofree_ char *text = NULL;
		struct abibase_baseline *b;
		int r;

		json_object_set_new(at, "not a key", json_real(0.5));
		text = json_dumps(root, JSON_COMPACT);
		r = baseline_from_buffer(t.ctx, text, strlen(text), "t", &b);
		json_object_del(at, "not a key");
		ck_assert_msg(r == -EBADMSG, "an unknown key in %s is accepted", place);
		(*count)++;
	}
}

START_TEST(test_baseline_refused)
{
	struct abibase_profile *a = test_host(t.ctx, "a", "6.1", "7.2.22");
	struct abibase_baseline *b;
	_autofree_ char *text = NULL;
	unsigned int count = 0;
	json_t *root, *copy;

	ck_assert_int_eq(intersect_profiles(t.ctx, t.cat, &a, 1, "pc-q35-7.2", &b), 0);
	text = test_baseline_json(t.ctx, b);
	root = json_loads(text, 0, NULL);
	abibase_baseline_unref(b);
	abibase_profile_unref(a);
	ck_assert_ptr_nonnull(root);

	copy = json_deep_copy(root);
	json_object_set_new(copy, "colour", json_true());
	assert_baseline_refused(copy, EBADMSG, "json-unknown-key", "t: /colour");
	json_object_del(copy, "colour");
	json_object_set_new(copy, "schema", json_string("abibase-baseline/2"));
	assert_baseline_refused(copy, EPROTONOSUPPORT, "schema-newer", "t: /schema");
	json_object_set_new(copy, "schema", json_string("abibase-profile/1"));
	assert_baseline_refused(copy, EBADMSG, "schema-other", "t: /schema");
	json_object_del(copy, "schema");
	assert_baseline_refused(copy, EBADMSG, "schema-missing", "t: /schema");
	json_decref(copy);
	refuse_everywhere(root, root, "", &count);
	ck_assert_uint_ge(count, 10);
	json_decref(root);
}
END_TEST

static json_t *a_finding(const char *kind)
{
	return json_pack("[{s:s, s:s, s:s, s:s}]", "id", "host-unusable", "kind", kind, "text", "x",
			 "remedy", "y");
}

/* Verdict, id and findings go together: one without the others was changed by hand. */
START_TEST(test_baseline_altered)
{
	struct abibase_profile *a = test_host(t.ctx, "a", "6.1", "7.2.22");
	struct abibase_baseline *b;
	_autofree_ char *text = NULL;
	json_t *root;

	ck_assert_int_eq(intersect_profiles(t.ctx, t.cat, &a, 1, "pc-q35-7.2", &b), 0);
	text = test_baseline_json(t.ctx, b);
	root = json_loads(text, 0, NULL);
	abibase_baseline_unref(b);
	abibase_profile_unref(a);

	json_object_set_new(root, "id", json_null());
	assert_baseline_refused(root, EBADMSG, "baseline-altered", "t: /");
	json_object_set_new(root, "id", json_string("b1-00000000000000000000000000000000"));
	assert_baseline_refused(root, EBADMSG, "baseline-altered", "t: /");
	json_object_set_new(root, "verdict", json_string("no"));
	assert_baseline_refused(root, EBADMSG, "baseline-altered", "t: /");
	json_object_set_new(root, "findings", a_finding("conflict"));
	assert_baseline_refused(root, EBADMSG, "baseline-altered", "t: /");
	json_object_set_new(root, "findings", a_finding("unknown"));
	json_object_set_new(root, "id", json_null());
	assert_baseline_refused(root, EBADMSG, "baseline-altered", "t: /");
	json_decref(root);
}
END_TEST

/* Each member of a baseline, replaced by a value of another type: refused or never a crash. */
START_TEST(test_baseline_types)
{
	struct abibase_profile *hosts[] = { test_host(t.ctx, "a", "6.1", "7.2.22"),
					    test_host(t.ctx, "b", "5.10", "7.2.22") };
	struct abibase_baseline *b;
	_autofree_ char *text = NULL;
	json_t *root, *stack[4096];
	size_t n = 0;

	ck_assert_int_eq(intersect_profiles(t.ctx, t.cat, hosts, 2, "pc-q35-7.2", &b), 0);
	text = test_baseline_json(t.ctx, b);
	abibase_baseline_unref(b);
	root = json_loads(text, 0, NULL);
	stack[n++] = root;
	for (size_t at = 0; at < n; at++) {
		const char *key;
		json_t *item, *instead[] = { json_null(), json_integer(-1), json_integer(100000),
					     json_string(""), json_array(), json_object(),
					     json_false() };
		void *tmp;
		size_t i;

		json_array_foreach(stack[at], i, item)
			if (i < 3 && n < ARRAY_SIZE(stack))
				stack[n++] = item;
		json_object_foreach_safe(stack[at], tmp, key, item) {
			_autofree_ char *name = strdup(key);

			json_incref(item);
			for (size_t k = 0; k < ARRAY_SIZE(instead); k++) {
				_autofree_ char *changed = NULL, *again = NULL;

				json_object_set(stack[at], name, instead[k]);
				changed = json_dumps(root, JSON_COMPACT);
				if (baseline_from_buffer(t.ctx, changed, strlen(changed),
								 "t", &b) == 0) {
					again = test_baseline_json(t.ctx, b);
					abibase_baseline_unref(b);
				}
			}
			json_object_set(stack[at], name, item);
			if (n < ARRAY_SIZE(stack) && !streq(name, "machines") &&
			    !streq(name, "properties"))
				stack[n++] = item;
			json_decref(item);
		}
		for (size_t k = 0; k < ARRAY_SIZE(instead); k++)
			json_decref(instead[k]);
	}
	json_decref(root);
	abibase_profile_unref(hosts[0]);
	abibase_profile_unref(hosts[1]);
}
END_TEST

/* ------------------------------------------------------------------- writing */

START_TEST(test_shipped_documents_are_canonical)
{
	static const char *const patterns[] = { "data/*.json", "data/platforms/*.json",
						"data/schema/*.json", "tests/data/hosts/*.json",
						"tests/data/qemu/*.json" };
	size_t prefix = strlen(getenv("top_srcdir") ? getenv("top_srcdir") : ".") + 1, n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		_autofree_ char *pattern = test_path("%s", patterns[i]);
		glob_t g;

		ck_assert_msg(glob(pattern, 0, NULL, &g) == 0, "%s: nothing there", pattern);
		for (size_t k = 0; k < g.gl_pathc; k++, n++) {
			const char *name = g.gl_pathv[k] + prefix;
			_autofree_ char *text = test_read(name, NULL);
			json_t *root = test_json(name);
			_buf_ b = { 0 };

			json_write_canonical(&b, root);
			ck_assert_msg(streq(b.data, text), "%s: not the canonical bytes", name);
			json_decref(root);
		}
		globfree(&g);
	}
	ck_assert_uint_ge(n, 15);
}
END_TEST

START_TEST(test_profiles_round_trip)
{
	static const char *const files[] = { "data/platforms/50-debian-12.json",
					     "tests/data/hosts/linux-7.2.json" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_autofree_ char *text = test_read(files[i], NULL), *json = NULL;
		struct abibase_profile *p;

		ck_assert_int_eq(read_bytes(text, strlen(text), &p), 0);
		ck_assert_int_eq(abibase_value_to_json(abibase_profile_value(p), &json), 0);
		ck_assert_str_eq(json, text);
		abibase_profile_unref(p);
	}
}
END_TEST

START_TEST(test_canonical_form)
{
	static const char in[] =
		"{\"z\":[],\"b\":{},\"\\u00e9\":\"\\u00e9\\ud83d\\ude00\",\"a\":[1,-2,[true,null]],"
		"\"schema\":\"s\",\"B\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\","
		"\"n\":{\"schema\":false,\"a\":9223372036854775807}}";
	static const char out[] =
		"{\n  \"schema\": \"s\",\n"
		"  \"B\": \"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\",\n"
		"  \"a\": [\n    1,\n    -2,\n    [\n      true,\n      null\n    ]\n  ],\n"
		"  \"b\": {},\n"
		"  \"n\": {\n    \"a\": 9223372036854775807,\n    \"schema\": false\n  },\n"
		"  \"z\": [],\n"
		"  \"\xc3\xa9\": \"\xc3\xa9\xf0\x9f\x98\x80\"\n}\n";
	static const char compact[] =
		"{\"B\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\",\"a\":[1,-2,[true,null]],"
		"\"b\":{},\"n\":{\"a\":9223372036854775807,\"schema\":false},\"schema\":\"s\"}";
	json_t *root = json_loads(in, 0, NULL), *again;
	_buf_ b = { 0 }, c = { 0 };

	json_write_canonical(&b, root);
	ck_assert_str_eq(b.data, out);
	again = json_loads(b.data, 0, NULL);
	ck_assert(json_equal(root, again));
	json_object_del(root, "z");
	json_object_del(root, "\xc3\xa9");
	json_object_set_new(root, "skipped", json_true());
	json_write_compact(&c, root, "skipped");
	ck_assert_str_eq(c.data, compact);
	json_decref(root);
	json_decref(again);
}
END_TEST

/* More members than the writer sorts on its stack. */
START_TEST(test_many_members)
{
	json_t *root = json_object();
	_buf_ b = { 0 }, want = { 0 };

	for (int i = 999; i >= 0; i--) {
		char key[8];

		snprintf(key, sizeof(key), "k%03d", i * 7 % 1000);
		json_object_set_new(root, key, json_integer(1));
	}
	json_write_compact(&b, root, NULL);
	for (int i = 0; i < 1000; i++)
		buf_printf(&want, "%c\"k%03d\":1", i ? ',' : '{', i);
	buf_putc(&want, '}');
	ck_assert_str_eq(b.data, want.data);
	json_decref(root);
}
END_TEST

/* A text of many megabytes that is escaped throughout takes no minutes. */
START_TEST(test_many_escapes)
{
	size_t n = (size_t)4 << 20;
	_buf_ text = { 0 }, b = { 0 };

	for (size_t i = 0; i < n; i++)
		buf_putc(&text, '"');
	json_write_string(&b, text.data);
	ck_assert(!buf_failed(&b));
	ck_assert_uint_eq(b.len, 2 * n + 2);
	ck_assert_str_eq(b.data + b.len - 5, "\\\"\\\"\"");
}
END_TEST

/* ------------------------------------------------------------------- digests */

/* from b2sum -l 256 of coreutils 9.1 */
static const struct {
	size_t n; /* so many times "a"; 3: "abc" */
	const char *hex;
} vectors[] = {
	{ 0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8" },
	{ 3, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319" },
	{ 128, "ae2aa48507885c4c950fb809b2076f959cde9f8ea6da260d9a3587df33dac450" },
	{ 129, "2f64744a6de0d2c0b56e64cf6e29a5aaa255010d415d51c75ccc82f73dccd865" },
	{ 1000000, "0741850f36cba4259628355d1073e24ddb9ca0e1bfac36fd39ae5dc2101e23a4" },
};

START_TEST(test_blake2b)
{
	size_t n = vectors[_i].n;
	_autofree_ char *data = malloc(n + 1);
	static const size_t chunks[] = { 1000001, 1, 7, 64, 127, 128, 129 };

	memset(data, 'a', n);
	if (n == 3)
		memcpy(data, "abc", 3);
	for (size_t i = 0; i < ARRAY_SIZE(chunks); i++) {
		struct blake2b s;
		char hex[65];

		blake2b_init(&s);
		for (size_t at = 0; at < n; at += chunks[i])
			blake2b_update(&s, data + at,
				       n - at < chunks[i] ? n - at : chunks[i]);
		blake2b_final_hex(&s, hex);
		ck_assert_str_eq(hex, vectors[_i].hex);
	}
}
END_TEST

/*
 * What `jq -cS . FILE | tr -d '\n' | b2sum -l 256` says of a profile; its layout and the order of
 * its keys do not matter, its content does.
 */
START_TEST(test_profile_digest)
{
	static const char *const same[] = {
		PROFILE(",\"x-a\":[\"\xc3\xa9\",-1,null,true]"),
		"{ \"facts\" : { },\n\"x-a\": [ \"\\u00e9\" , -1,null, true ], \"arch\":"
		"\"x86\\u005f64\", \"name\":\"a\",\"kind\":\"host\",\"schema\":"
		"\"abibase-profile/1\" }\n",
	};
	static const char hex[] = "73da5b7d6392c4a72e09cad9bdfbbe7fa77c515ab8dffcc836e53f1bfcfaebb3";
	struct abibase_profile *p, *q;

	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		ck_assert_int_eq(read_bytes(same[i], strlen(same[i]), &p), 0);
		ck_assert_str_eq(p->digest, hex);
		abibase_profile_unref(p);
	}
	ck_assert_int_eq(read_bytes(PROFILE(""), strlen(PROFILE("")), &p), 0);
	ck_assert_str_ne(p->digest, hex);
	/* renamed: as if it were written so */
	ck_assert_int_eq(profile_rename(t.ctx, p, "b", &q), 0);
	ck_assert_str_eq(test_name(q), "b");
	ck_assert_str_eq(test_name(p), "a");
	ck_assert_str_ne(p->digest, q->digest);
	abibase_profile_unref(p);
	ck_assert_int_eq(read_bytes(WITH_NAME("\"b\""), strlen(WITH_NAME("\"b\"")), &p), 0);
	ck_assert_str_eq(p->digest, q->digest);
	abibase_profile_unref(p);
	p = NULL;
	ck_assert_int_eq(profile_rename(t.ctx, q, "-b", &p), -EINVAL);
	ck_assert_ptr_null(p);
	abibase_profile_unref(q);
}
END_TEST

/* ---------------------------------------------------------------- the public reader */

/* What is not there is NULL, 0 or false, however many steps were taken into it. */
START_TEST(test_value_of_nothing)
{
	const struct abibase_value *v = abibase_value_get(NULL, "a/0");

	ck_assert_ptr_null(v);
	ck_assert_int_eq(abibase_value_kind(v), ABIBASE_VALUE_NONE);
	ck_assert_ptr_null(abibase_value_member(v, "a"));
	ck_assert_ptr_null(abibase_value_item(v, 0));
	ck_assert_ptr_null(abibase_value_key(v, 0));
	ck_assert_ptr_null(abibase_value_string(v));
	ck_assert_uint_eq(abibase_value_count(v), 0);
	ck_assert_int_eq(abibase_value_integer(v), 0);
	ck_assert(!abibase_value_boolean(v));
	ck_assert_ptr_null(abibase_profile_value(NULL));
	ck_assert_ptr_null(abibase_baseline_value(NULL));
	ck_assert_ptr_null(abibase_guest_value(NULL));
	ck_assert_ptr_null(test_name(NULL));
	ck_assert_ptr_null(abibase_baseline_id(NULL));
	ck_assert_ptr_null(abibase_baseline_finding_get(NULL, 0, "id"));
	ck_assert_uint_eq(baseline_finding_count(NULL), 0);
	ck_assert_int_eq(abibase_baseline_verdict(NULL), ABIBASE_VERDICT_UNKNOWN);
	ck_assert_ptr_null(abibase_platforms_profile(NULL, 0));
	ck_assert_ptr_null(abibase_context_error(NULL));
	ck_assert_ptr_null(abibase_context_error_id(NULL));
	ck_assert_ptr_null(abibase_context_error_where(NULL));
	ck_assert_ptr_null(abibase_context_unref(NULL));
	ck_assert_ptr_null(abibase_profile_unref(NULL));
	ck_assert_ptr_null(abibase_baseline_unref(NULL));
	ck_assert_ptr_null(abibase_catalogue_unref(NULL));
	ck_assert_ptr_null(abibase_guest_unref(NULL));
	ck_assert_ptr_null(abibase_platforms_unref(NULL));
	ck_assert_ptr_null(abibase_intersection_unref(NULL));
	ck_assert_ptr_null(abibase_render_unref(NULL));
	ck_assert_ptr_null(abibase_check_request_unref(NULL));
	ck_assert_ptr_null(abibase_targets_unref(NULL));
	ck_assert_ptr_null(abibase_verify_unref(NULL));
	ck_assert_ptr_null(abibase_probe_unref(NULL));
	ck_assert_ptr_null(abibase_result_value(NULL));
	ck_assert_ptr_null(abibase_result_finding(NULL, 0));
	ck_assert_ptr_null(abibase_result_ref(NULL));
	ck_assert_ptr_null(abibase_result_unref(NULL));
	ck_assert_uint_eq(result_finding_count(NULL), 0);
	ck_assert_int_eq(abibase_result_verdict(NULL), ABIBASE_VERDICT_UNKNOWN);
	ck_assert_int_eq(test_result_json(NULL, NULL), -EINVAL);
	ck_assert_int_eq(abibase_value_to_json(NULL, NULL), -EINVAL);
	ck_assert_ptr_null(abibase_catalogue_value(NULL));
	ck_assert_ptr_null(abibase_guest_value(NULL));
	ck_assert_ptr_null(abibase_baseline_value(NULL));
	ck_assert_int_eq(abibase_result_to_text(NULL, 0, NULL), -EINVAL);
}
END_TEST

/* The header is of the library that runs. */
START_TEST(test_header_version)
{
	char version[32];

	snprintf(version, sizeof(version), "%d.%d.%d", ABIBASE_VERSION_MAJOR, ABIBASE_VERSION_MINOR,
		 ABIBASE_VERSION_PATCH);
	ck_assert_str_eq(abibase_version(), version);
	ck_assert(ABIBASE_VERSION_CHECK(ABIBASE_VERSION_MAJOR, ABIBASE_VERSION_MINOR,
					ABIBASE_VERSION_PATCH));
	ck_assert(ABIBASE_VERSION_CHECK(0, 1, 0) && ABIBASE_VERSION_CHECK(0, 0, 9));
	ck_assert(!ABIBASE_VERSION_CHECK(ABIBASE_VERSION_MAJOR, ABIBASE_VERSION_MINOR,
					 ABIBASE_VERSION_PATCH + 1));
	ck_assert(!ABIBASE_VERSION_CHECK(ABIBASE_VERSION_MAJOR + 1, 0, 0));
}
END_TEST

START_TEST(test_value_reads)
{
	static const char text[] = "{\"a.b\": [1, true, \"x\", null, {\"c\": {}}], \"d\": 2}";
	json_t *root = json_loads(text, 0, NULL);
	const struct abibase_value *v = as_value(root), *list = abibase_value_member(v, "a.b");
	char long_path[300];

	ck_assert_int_eq(abibase_value_kind(v), ABIBASE_VALUE_OBJECT);
	ck_assert_uint_eq(abibase_value_count(v), 2);
	ck_assert_str_eq(abibase_value_key(v, 0), "a.b");
	ck_assert_ptr_eq(abibase_value_item(v, 0), list);
	ck_assert_int_eq(abibase_value_integer(abibase_value_item(v, 1)), 2);
	ck_assert_ptr_null(abibase_value_key(v, 2));
	ck_assert_ptr_null(abibase_value_item(v, 2));
	ck_assert_int_eq(abibase_value_kind(list), ABIBASE_VALUE_LIST);
	ck_assert_uint_eq(abibase_value_count(list), 5);
	ck_assert_ptr_null(abibase_value_key(list, 0));
	ck_assert_ptr_null(abibase_value_item(list, 5));
	ck_assert_int_eq(abibase_value_integer(abibase_value_item(list, 0)), 1);
	ck_assert(abibase_value_boolean(abibase_value_get(v, "a.b/1")));
	ck_assert_str_eq(abibase_value_string(abibase_value_get(v, "a.b/2")), "x");
	ck_assert_int_eq(abibase_value_kind(abibase_value_get(v, "a.b/3")), ABIBASE_VALUE_NONE);
	ck_assert_int_eq(abibase_value_kind(abibase_value_get(v, "a.b/4/c")), ABIBASE_VALUE_OBJECT);
	ck_assert_ptr_null(abibase_value_get(v, "a.b/-1"));
	ck_assert_ptr_null(abibase_value_get(v, "a.b/1x"));
	ck_assert_ptr_null(abibase_value_get(v, "a.b/99999999999999999999"));
	ck_assert_ptr_null(abibase_value_get(v, "a.b//"));
	ck_assert_ptr_null(abibase_value_get(v, "d/e"));
	ck_assert_ptr_null(abibase_value_string(list));
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	ck_assert_ptr_null(abibase_value_get(v, long_path));
	json_decref(root);
}
END_TEST

Suite *suite_json(void)
{
	Suite *suite = suite_create("json");
	TCase *read = tcase_create("read"), *baseline = tcase_create("baseline");
	TCase *write = tcase_create("write");

	tcase_add_checked_fixture(read, setup, teardown);
	tcase_set_timeout(read, 300);
	tcase_add_loop_test(read, test_refused, 0, ARRAY_SIZE(refusals));
	tcase_add_test(read, test_each_key_required);
	tcase_add_test(read, test_refusal_names_what_is_accepted);
	tcase_add_test(read, test_accepted);
	tcase_add_test(read, test_invalid_utf8);
	tcase_add_test(read, test_nul);
	tcase_add_test(read, test_deep_nesting);
	tcase_add_test(read, test_not_characters);
	tcase_add_test(read, test_unseen);
	tcase_add_test(read, test_long_values);
	tcase_add_test(read, test_too_large_first);
	tcase_add_test(read, test_size_limit);
	tcase_add_test(read, test_files);
	tcase_add_test(read, test_truncated);
	tcase_add_test(read, test_lists_seen);
	tcase_add_test(read, test_many_lists);
	tcase_add_test(read, test_list_is_shared);
	suite_add_tcase(suite, read);

	tcase_add_checked_fixture(baseline, setup, teardown);
	tcase_set_timeout(baseline, 600);
	tcase_add_test(baseline, test_truncated_baseline);
	tcase_add_test(baseline, test_baseline_refused);
	tcase_add_test(baseline, test_baseline_altered);
	tcase_add_test(baseline, test_baseline_types);
	suite_add_tcase(suite, baseline);

	tcase_add_checked_fixture(write, setup, teardown);
	tcase_add_test(write, test_shipped_documents_are_canonical);
	tcase_add_test(write, test_profiles_round_trip);
	tcase_add_test(write, test_canonical_form);
	tcase_add_test(write, test_many_members);
	tcase_add_test(write, test_many_escapes);
	tcase_add_loop_test(write, test_blake2b, 0, ARRAY_SIZE(vectors));
	tcase_add_test(write, test_profile_digest);
	tcase_add_test(write, test_value_of_nothing);
	tcase_add_test(write, test_value_reads);
	tcase_add_test(write, test_header_version);
	suite_add_tcase(suite, write);
	return suite;
}
