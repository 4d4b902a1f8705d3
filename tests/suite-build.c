/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Build records: what is accepted, what is read out of them, where they are found, what they add. */
#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>

#include "document/build.h"
#include "document/hosts.h"
#include "suites.h"
#include "test-util.h"

static struct test t;
static char dir[] = "/tmp/abibase-build-XXXXXX";

static void setup(void)
{
	test_begin(&t);
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void teardown(void)
{
	nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	test_end(&t);
}

/* A QEMU that says what its machine types change. */
static const char said[] =
	"{\"schema\": \"abibase-build/1\", \"version\": \"10.0.13\", \"target\": \"x86_64\","
	" \"machines\": {\"new\": {}, \"old\": {}, \"other\": {}},"
	" \"classes\": {\"device\": \"object\", \"virtio-device\": \"device\","
	"  \"virtio-net-device\": \"virtio-device\", \"virtio-pci\": \"device\","
	"  \"virtio-net-pci\": \"virtio-pci\", \"odd\": \"virtio-net-device\"},"
	" \"properties\": {\"virtio-device\": {\"event_idx\": \"bool=true\"},"
	"  \"virtio-net-device\": {\"host_uso\": \"bool=true\", \"mac\": \"str\", \"duplex\": \"str\","
	"   \"speed\": \"int32=-1\", \"addr\": \"str=-1\", \"tx\": \"str=timer\", \"odd\": \"uint8\"},"
	"  \"odd\": {\"host_uso\": null, \"speed\": \"int32=7\"}},"
	" \"compat\": {\"new\": {}, \"old\": {\"adds\": [\"virtio-net-device host_uso off\","
	"   \"virtio-device event_idx no\", \"virtio-net-device speed many\","
	"   \"virtio-blk-device event_idx on\"]},"
	"  \"older\": {\"after\": \"old\", \"adds\": [\"virtio-net-pci speed 0x10\","
	"   \"virtio-net-device speed 8\", \"virtio-device event_idx on\"]},"
	"  \"other\": {\"after\": \"new\", \"adds_as\": \"old\"}}}";

/* One of which a device was read. */
static const char read_out[] =
	"{\"schema\": \"abibase-build/1\", \"version\": \"7.2.22\", \"target\": \"x86_64\","
	" \"machines\": {\"new\": {}, \"old\": {}},"
	" \"classes\": {\"device\": \"object\", \"virtio-net-device\": \"device\","
	"  \"virtio-rng-device\": \"device\"},"
	" \"properties\": {\"virtio-net-device\": {\"host_uso\": \"bool=true\", \"name\": \"str\","
	"   \"csum\": \"bool=true\","
	"   \"speed\": \"int32=-1\", \"size\": \"uint16=0\", \"legacy\": \"OnOffAuto=auto\"},"
	"  \"virtio-rng-device\": {\"period\": \"uint32=9\"}},"
	" \"values_of\": [\"virtio-net-device\"],"
	" \"values\": {\"new\": {\"set\": {\"virtio-net-device.csum\": \"maybe\","
	"   \"virtio-net-device.speed\": {\"unknown\": \"not-read\"},"
	"   \"virtio-net-device.name\": \"\", \"virtio-net-device.size\": 256}},"
	"  \"old\": {\"like\": \"new\", \"set\": {\"virtio-net-device.host_uso\": false},"
	"   \"unset\": [\"virtio-net-device.speed\"]}}}";

static json_t *parse(const char *text)
{
	json_error_t e;
	json_t *root = json_loads(text, 0, &e);

	ck_assert_msg(root != NULL, "%s: %s", e.text, text);
	return root;
}

/* The value as text, "none" for null, "unknown". */
static const char *value_of(const char *record, const char *machine, const char *class_name,
			    const char *property)
{
	static char text[64];
	const struct build_question q = { .class_name = class_name, .property = property };
	json_auto_t *root = parse(record), *v = build_value(root, machine, &q);
	char *dump = v ? json_dumps(v, JSON_ENCODE_ANY) : NULL;

	snprintf(text, sizeof(text), "%s", !v ? "unknown" : json_is_null(v) ? "none" : dump);
	free(dump);
	return text;
}

START_TEST(test_values_said)
{
	static const struct {
		const char *machine, *class_name, *property, *value;
	} cases[] = {
		{ "new", "virtio-net-device", "host_uso", "true" },
		{ "old", "virtio-net-device", "host_uso", "false" },
		{ "older", "virtio-net-device", "host_uso", "false" },
		{ "other", "virtio-net-device", "host_uso", "false" },
		/* of a class above it, and what another class has is not meant */
		{ "new", "virtio-net-device", "event_idx", "true" },
		{ "old", "virtio-net-device", "event_idx", "false" },
		{ "older", "virtio-net-device", "event_idx", "true" },
		/* the proxy's comes after the device's, wherever it stands */
		{ "older", "virtio-net-device", "speed", "16" },
		{ "old", "virtio-net-device", "speed", "unknown" }, /* "many" is no number */
		{ "new", "virtio-net-device", "speed", "-1" },
		{ "new", "virtio-net-device", "duplex", "none" },
		{ "new", "virtio-net-device", "addr", "-1" },
		{ "new", "virtio-net-device", "tx", "\"timer\"" },
		{ "new", "virtio-net-device", "odd", "unknown" }, /* it states no default */
		{ "new", "virtio-net-device", "missing", "unknown" },
		{ "gone", "virtio-net-device", "host_uso", "unknown" },
		{ "new", "gone", "host_uso", "unknown" },
		{ "new", "odd", "host_uso", "unknown" }, /* null: not this one, and */
		{ "new", "odd", "speed", "7" },		 /* what it has itself */
		{ "new", "odd", "event_idx", "true" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *v = value_of(said, cases[i].machine, cases[i].class_name,
					 cases[i].property);

		ck_assert_msg(streq(v, cases[i].value), "%s %s.%s is %s, not %s", cases[i].machine,
			      cases[i].class_name, cases[i].property, v, cases[i].value);
	}
}
END_TEST

START_TEST(test_values_read)
{
	static const struct {
		const char *machine, *class_name, *property, *value;
	} cases[] = {
		{ "new", "virtio-net-device", "host_uso", "true" },
		{ "old", "virtio-net-device", "host_uso", "false" },
		{ "new", "virtio-net-device", "speed", "unknown" },
		{ "old", "virtio-net-device", "speed", "-1" },
		{ "old", "virtio-net-device", "name", "none" },
		{ "old", "virtio-net-device", "size", "256" },
		{ "old", "virtio-net-device", "csum", "unknown" }, /* "maybe" is no switch */
		{ "old", "virtio-net-device", "legacy", "unknown" }, /* a device has decided it */
		{ "old", "virtio-rng-device", "period", "unknown" }, /* none was read */
		{ "gone", "virtio-net-device", "host_uso", "unknown" },
	};
	json_auto_t *root = parse(read_out), *zero = json_integer(0), *realized = json_integer(256);
	json_auto_t *v = NULL, *mac = NULL;
	struct build_question q = { .class_name = "virtio-net-device", .property = "size",
				    .def = zero, .realized = realized };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *is = value_of(read_out, cases[i].machine, cases[i].class_name,
					  cases[i].property);

		ck_assert_msg(streq(is, cases[i].value), "%s %s.%s is %s, not %s", cases[i].machine,
			      cases[i].class_name, cases[i].property, is, cases[i].value);
	}
	/* a default that reads as another number is the default */
	v = build_value(root, "old", &q);
	ck_assert_int_eq(json_integer_value(v), 0);
	ck_assert(json_is_integer(v));
	q.mac = true;
	mac = build_value(root, "old", &q);
	ck_assert(json_is_null(mac));
}
END_TEST

START_TEST(test_refused)
{
	static const struct {
		const char *member, *value, *id;
	} cases[] = {
		{ "classes", "{\"a\": \"b\", \"b\": \"a\"}", "build-circle" },
		{ "compat", "{\"a\": {\"after\": \"b\"}, \"b\": {\"after\": \"a\"}}", "build-circle" },
		{ "compat", "{\"a\": {\"after\": \"b\"}}", "build-circle" },
		{ "compat", "{\"a\": {\"adds_as\": \"b\"}, \"b\": {}}", "build-circle" },
		{ "values", "{\"a\": {\"like\": \"a\"}}", "build-circle" },
		{ "compat", "{\"a\": {\"adds\": [\"virtio-net-device host_uso\"]}}", "json-bad-value" },
		{ "compat", "{\"a\": {\"adds\": [\"virtio-net-device.host_uso=off\"]}}",
		  "json-bad-value" },
		{ "properties", "{\"device\": {\"x\": \"=true\"}}", "json-bad-value" },
		{ "properties", "{\"device\": {\"x\": true}}", "json-wrong-type" },
		{ "shape", "{\"m\": {\"any\": {\"rom_size\": 4096}}}", "json-unknown-key" },
		{ "shape", "{\"m\": {\"any\": {\"queue_sizes\": [-1]}}}", "json-bad-value" },
		{ "path", "\"/usr/bin/qemu\"", "json-unknown-key" },
		{ "needs", "{\"more\": \"9.9\"}", "document-needs" },
		{ "version", "\"ten\"", "json-bad-value" },
		{ "package", "\"a\\nb\"", "json-bad-value" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *root = parse(said);
		struct abibase_build *b = NULL;
		json_error_t e;

		ck_assert_int_eq(json_object_set_new(root, cases[i].member,
						     json_loads(cases[i].value, JSON_DECODE_ANY, &e)),
				 0);
		ck_assert_int_eq(build_from_json(t.ctx, root, "x", &b), -EBADMSG);
		ck_assert_str_eq(abibase_context_error_id(t.ctx), cases[i].id);
	}
}
END_TEST

/* ------------------------------------------------------------------- found by digest */

static char *in_dir(const char *name)
{
	char *path = NULL;

	ck_assert_int_ge(asprintf(&path, "%s/%s", dir, name), 0);
	return path;
}

static void put_file(const char *name, const char *text)
{
	_autofree_ char *path = in_dir(name);
	_autofclose_ FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
}

static void put_document(const char *name, const json_t *root)
{
	_autofree_ char *text = json_dumps(root, JSON_SORT_KEYS);

	ck_assert_ptr_nonnull(text);
	put_file(name, text);
}

/* Of what tests/data/qemu/10.0.13.json says: a record with the same properties. */
static json_t *make_record(const json_t *entry)
{
	json_t *classes = json_object(), *properties = json_object(), *known, *type, *v;
	json_t *compat = json_object(), *root;
	const char *class_name, *property, *machine;

	json_object_foreach(json_object_get(entry, "properties"), class_name, known) {
		json_t *own = json_object();

		json_object_set_new(classes, class_name, json_string("device"));
		json_object_foreach(known, property, type)
			json_object_set_new(own, property,
					    json_sprintf("%s%s", json_string_value(type),
							 streq(json_string_value(type), "bool") ?
								 "=true" :
								 ""));
		json_object_set_new(properties, class_name, own);
	}
	json_object_set_new(classes, "device", json_string("object"));
	json_object_foreach(json_object_get(entry, "values"), machine, v)
		json_object_set_new(compat, machine, json_pack("{s:[s]}", "adds",
							       "virtio-net-device host_uso off"));
	root = json_pack("{s:s, s:o, s:o, s:o, s:O, s:O, s:O}", "schema", "abibase-build/1",
			 "classes", classes, "properties", properties, "compat", compat, "machines",
			 json_object_get(entry, "machines"), "version",
			 json_object_get(entry, "version"), "target", json_object_get(entry, "target"));
	ck_assert_ptr_nonnull(root);
	return root;
}

/* A host of one QEMU that names @record, in a file; the record is one too when @with. */
static char *put_host(const json_t *record, bool with)
{
	json_auto_t *root = test_host_json("h", "6.1", "10.0.13");
	json_t *entry = json_array_get(json_object_get(root, "qemu"), 0);
	char digest[DIGEST_HEX + 1], name[DIGEST_HEX + 6];
	_buf_ scratch = { 0 };

	ck_assert_int_eq(json_digest(record, NULL, &scratch, digest), 0);
	snprintf(name, sizeof(name), "%s.json", digest);
	if (with)
		put_document(name, record);
	json_object_set_new(entry, "build", json_string(digest));
	put_document("h.json", root);
	return in_dir(name);
}

static json_t *host_entry(void)
{
	json_auto_t *root = test_host_json("h", "6.1", "10.0.13");

	return json_incref(json_array_get(json_object_get(root, "qemu"), 0));
}

static int load(struct abibase_profile **ret)
{
	_autofree_ char *path = in_dir("h.json");

	*ret = NULL;
	return abibase_profile_from_file(t.ctx, path, ret);
}

static void assert_refused(int err, const char *id, const char *part)
{
	struct abibase_profile *p;

	ck_assert_int_eq(load(&p), err);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), id);
	ck_assert_msg(strstr(abibase_context_error(t.ctx), part) != NULL, "%s",
		      abibase_context_error(t.ctx));
}

START_TEST(test_found)
{
	json_auto_t *entry = host_entry(), *record = make_record(entry);
	_autofree_ char *path = put_host(record, false);
	struct abibase_profile *p, *renamed;

	/* nowhere: as if it were not named */
	ck_assert_int_eq(load(&p), 0);
	ck_assert_ptr_null(p->qemu[0].record);
	ck_assert_ptr_nonnull(strstr(t.log.data, "build-not-found"));
	abibase_profile_unref(p);

	free(put_host(record, true));
	ck_assert_int_eq(load(&p), 0);
	ck_assert_ptr_nonnull(p->qemu[0].record);
	ck_assert_int_eq(profile_rename(t.ctx, p, "other", &renamed), 0);
	ck_assert_ptr_eq(renamed->qemu[0].record, p->qemu[0].record);
	abibase_profile_unref(renamed);
	abibase_profile_unref(p);

	/* it was read: a context reads each once */
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(load(&p), 0);
	ck_assert_ptr_nonnull(p->qemu[0].record);
	abibase_profile_unref(p);
}
END_TEST

START_TEST(test_found_in_data_dir)
{
	json_auto_t *entry = host_entry(), *record = make_record(entry);
	_autofree_ char *path = put_host(record, true), *name = strdup(path + strlen(dir) + 1);
	_autofree_ char *builds = in_dir("builds"), *to = NULL;
	struct abibase_profile *p;

	ck_assert_int_eq(mkdir(builds, 0700), 0);
	ck_assert_int_ge(asprintf(&to, "%s/%s", builds, name), 0);
	ck_assert_int_eq(rename(path, to), 0);
	ck_assert_int_eq(abibase_context_set_data_dir(t.ctx, dir), 0);
	ck_assert_int_eq(load(&p), 0);
	ck_assert_ptr_nonnull(p->qemu[0].record);
	abibase_profile_unref(p);
}
END_TEST

START_TEST(test_bad_files)
{
	json_auto_t *entry = host_entry(), *record = make_record(entry);
	_autofree_ char *path = put_host(record, true), *large = NULL;
	const char *name = path + strlen(dir) + 1;

	put_file(name, "{\"schema\": ");
	assert_refused(-EBADMSG, "json-syntax", "not valid JSON");
	put_file(name, "{\"schema\": \"abibase-profile/1\"}");
	assert_refused(-EBADMSG, "schema-other", "abibase-build/1");
	json_object_set_new(record, "package", json_string("another"));
	put_document(name, record);
	assert_refused(-EBADMSG, "build-other-digest", "digest");
	large = malloc(JSON_MAX_BUILD + 2);
	ck_assert_ptr_nonnull(large);
	memset(large, ' ', JSON_MAX_BUILD + 1);
	large[JSON_MAX_BUILD + 1] = '\0';
	put_file(name, large);
	assert_refused(-EFBIG, "file-too-large", "larger than");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	assert_refused(-EBADMSG, "io-error", "regular file");
}
END_TEST

START_TEST(test_disagrees)
{
	json_auto_t *entry = host_entry(), *record = make_record(entry);
	json_t *properties = json_object_get(record, "properties");

	json_object_set_new(record, "version", json_string("10.0.2"));
	free(put_host(record, true));
	assert_refused(-EBADMSG, "build-disagrees", "\"version\"");
	json_object_set(record, "version", json_object_get(entry, "version"));

	json_object_set_new(json_object_get(properties, "virtio-net-device"), "mac",
			    json_string("uint8"));
	free(put_host(record, true));
	assert_refused(-EBADMSG, "build-disagrees", "virtio-net-device.mac");
	json_object_del(json_object_get(properties, "virtio-net-device"), "mac");
	free(put_host(record, true));
	assert_refused(-EBADMSG, "build-disagrees", "virtio-net-device.mac");
}
END_TEST

/* ------------------------------------------------------------------ what it adds */

/* The shipped catalogue, one revision newer, with one row that is new in it. */
static struct abibase_catalogue *newer_catalogue(const char *class_name, const char *property)
{
	json_t *root = json_deep_copy(t.cat->root), *row;
	struct abibase_catalogue *cat;
	size_t i;

	json_object_set_new(root, "revision", json_integer(t.cat->revision + 1));
	json_array_foreach(json_object_get(root, "features"), i, row)
		if (streq(json_string_value(json_object_get(row, "class")), class_name) &&
		    streq(json_string_value(json_object_get(row, "property")), property))
			json_object_set_new(row, "added", json_integer(t.cat->revision + 1));
	ck_assert_int_eq(catalogue_from_json(t.ctx, root, "newer", &cat), 0);
	return cat;
}

/* As it was recorded before there was such a row. */
static void forget(json_t *root, const char *class_name, const char *property)
{
	json_t *entry = json_array_get(json_object_get(root, "qemu"), 0), *v;
	_autofree_ char *key = NULL;
	const char *machine;

	ck_assert_int_ge(asprintf(&key, "%s.%s", class_name, property), 0);
	json_object_del(json_object_get(json_object_get(entry, "properties"), class_name), property);
	json_object_del(json_object_get(entry, "defaults"), key);
	json_object_foreach(json_object_get(entry, "values"), machine, v)
		json_object_del(v, key);
	json_object_set_new(entry, "catalogue", json_integer(t.cat->revision));
}

/* What is of this boot has one QEMU of the profile, and its record with it. */
START_TEST(test_current)
{
	json_auto_t *entry = host_entry(), *record = make_record(entry), *root = NULL;
	_autofree_ char *host = in_dir("h.json"), *qemu = in_dir("qemu");
	char boot[64] = "";
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	struct abibase_profile *p, *now;
	json_error_t e;
	json_t *q;

	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(boot, sizeof(boot), f));
	fclose(f);
	boot[strcspn(boot, "\n")] = '\0';
	put_document("qemu", record); /* any file that is no ELF */
	free(put_host(record, true));
	root = json_load_file(host, 0, &e);
	json_object_set_new(root, "boot_id", json_string(boot));
	q = json_array_get(json_object_get(root, "qemu"), 0);
	json_object_del(q, "build_id");
	json_object_set_new(q, "path", json_string(qemu));
	put_document("h.json", root);
	ck_assert_int_eq(load(&p), 0);
	ck_assert_ptr_nonnull(p->qemu[0].record);
	ck_assert_int_eq(abibase_profile_current(t.ctx, p, qemu, &now), 0);
	ck_assert_ptr_eq(now->qemu[0].record, p->qemu[0].record);
	abibase_profile_unref(now);
	abibase_profile_unref(p);
	unlink(qemu);
}
END_TEST

START_TEST(test_adds)
{
	static const char class_name[] = "virtio-net-device", property[] = "host_uso";
	json_auto_t *entry = host_entry(), *record = make_record(entry), *root = NULL;
	struct abibase_catalogue *cat = newer_catalogue(class_name, property);
	struct abibase_profile *p, *same, *now;
	_autofree_ char *host = in_dir("h.json");
	json_error_t e;
	json_t *defaults;

	free(put_host(record, true));
	root = json_load_file(host, 0, &e);
	forget(root, class_name, property);
	put_document("h.json", root);
	ck_assert_int_eq(load(&p), 0);

	/* nothing is new to the catalogue that it was recorded with */
	ck_assert_int_eq(profile_current(t.ctx, t.cat, p, &same), 0);
	ck_assert_ptr_eq(same, p);
	abibase_profile_unref(same);

	ck_assert_int_eq(profile_current(t.ctx, cat, p, &now), 0);
	ck_assert_ptr_ne(now, p);
	ck_assert_str_eq(now->digest, p->digest);
	ck_assert_str_eq(json_string_value(json_object_get(
				 json_object_get(json_object_get(now->qemu[0].json, "properties"),
						 class_name),
				 property)),
			 "bool");
	/* every machine type of this record has it off */
	defaults = json_object_get(now->qemu[0].json, "defaults");
	ck_assert(json_is_false(json_object_get(defaults, "virtio-net-device.host_uso")));
	ck_assert_int_eq(json_integer_value(json_object_get(now->qemu[0].json, "catalogue")),
			 cat->revision);
	/* the document itself stays */
	ck_assert_ptr_null(json_object_get(json_object_get(p->qemu[0].json, "defaults"),
					   "virtio-net-device.host_uso"));
	abibase_profile_unref(now);
	abibase_profile_unref(p);
	abibase_catalogue_unref(cat);
}
END_TEST

/* Of a class that the record was not made of nothing is known, and it is not "no such property". */
START_TEST(test_class_not_recorded)
{
	static const char class_name[] = "virtio-net-device", property[] = "host_uso";
	json_auto_t *entry = host_entry(), *record = make_record(entry), *root = NULL;
	struct abibase_catalogue *cat = newer_catalogue(class_name, property);
	_autofree_ char *path = NULL, *host = in_dir("h.json");
	struct abibase_profile *p, *now;
	json_error_t e;

	json_object_del(json_object_get(record, "classes"), class_name);
	path = put_host(record, true);
	root = json_load_file(host, 0, &e);
	forget(root, class_name, property);
	put_document("h.json", root);
	ck_assert_int_eq(load(&p), 0);
	ck_assert_int_eq(profile_current(t.ctx, cat, p, &now), 0);
	ck_assert_ptr_eq(now, p);
	abibase_profile_unref(now);
	abibase_profile_unref(p);
	abibase_catalogue_unref(cat);
}
END_TEST

Suite *suite_build(void)
{
	Suite *s = suite_create("build");
	TCase *tc = tcase_create("build");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_values_said);
	tcase_add_test(tc, test_values_read);
	tcase_add_test(tc, test_refused);
	tcase_add_test(tc, test_found);
	tcase_add_test(tc, test_found_in_data_dir);
	tcase_add_test(tc, test_bad_files);
	tcase_add_test(tc, test_disagrees);
	tcase_add_test(tc, test_current);
	tcase_add_test(tc, test_adds);
	tcase_add_test(tc, test_class_not_recorded);
	suite_add_tcase(s, tc);
	return s;
}
