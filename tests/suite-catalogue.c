/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The shipped catalogue, broken ones, and what a QEMU makes of a machine type. */
#include <errno.h>

#include "document/catalogue.h"
#include "document/errata.h"
#include "model/effective.h"
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

/* ------------------------------------------------------------ broken catalogues */

/* The member at a JSON pointer. */
static json_t *at(json_t *root, const char *pointer)
{
	_autofree_ char *copy = strdup(pointer);
	json_t *v = root;

	for (char *rest = copy, *word; (word = strsep(&rest, "/"));)
		if (*word)
			v = json_is_array(v) ? json_array_get(v, strtoul(word, NULL, 10)) :
					       json_object_get(v, word);
	ck_assert_msg(v != NULL, "no %s in the catalogue", pointer);
	return v;
}

static int number_of(const char *key)
{
	int r = catalogue_row(t.cat, key);

	ck_assert_int_ge(r, 0);
	return r;
}

static void assert_refused(json_t *root, int err, const char *id, const char *where)
{
	struct abibase_catalogue *const untouched = (void *)&t;
	struct abibase_catalogue *cat = untouched;
	int r = catalogue_from_json(t.ctx, root, "c", &cat);

	ck_assert_msg(r == -err, "%s: returns %d", where, r);
	ck_assert_ptr_eq(cat, untouched);
	ck_assert_msg(streq(abibase_context_error_id(t.ctx), id) &&
			      streq(abibase_context_error_where(t.ctx), where),
		      "%s %s: is %s %s: %s", id, where, abibase_context_error_id(t.ctx),
		      abibase_context_error_where(t.ctx), abibase_context_error(t.ctx));
}

/* Put a value (JSON text; NULL: nothing) at a key of the object or array at a JSON pointer. */
static const struct breakage {
	const char *object, *key, *value;
	const char *id, *where;
} breakages[] = {
	{ "", "schema", NULL, "schema-missing", "c: /schema" },
	{ "", "schema", "\"abibase-profile/1\"", "schema-other", "c: /schema" },
	{ "", "revision", "0", "json-bad-value", "c: /revision" },
	{ "", "revision", NULL, "json-missing-key", "c: /" },
	{ "", "features", "{}", "json-wrong-type", "c: /features" },
	{ "", "feature", "[]", "json-unknown-key", "c: /feature" },
	{ "", "backends", "{}", "json-bad-value", "c: /backends" },
	{ "", "targets", "[1]", "json-wrong-type", "c: /targets/0" },
	{ "/backends/tap", "usable", "[\"tap.colour\"]", "json-bad-value", "c: /backends" },
	{ "/backends/tap", "default", "1", "json-wrong-type", "c: /backends/tap/default" },
	{ "/backends", "user", "{\"default\":false,\"device\":\"passt\",\"usable\":[]}",
	  "json-bad-value", "c: /features/@any_layout/needs" },
	{ "/backends/tap", "device", "\"tap\"", "json-bad-value", "c: /features/@any_layout/needs" },
	{ "/backends/user", "predicted_only", "false", "json-bad-value",
	  "c: /backends/user/predicted_only" },
	{ "/conditions", "tap", "{\"layer\":\"l\",\"missing\":\"m\",\"remedy\":\"r\",\"source\":"
	  "\"s\"}", "json-bad-value", "c: /conditions/tap" },
	{ "/conditions", "tap.x[y]", "{\"layer\":\"l\",\"missing\":\"m\",\"remedy\":\"r\","
	  "\"source\":\"s\"}", "json-bad-value", "c: /conditions/tap.x[y]" },
	{ "/conditions/tap.usable", "remedy", NULL, "json-missing-key",
	  "c: /conditions/tap.usable" },
	{ "/conditions/tap.usable", "source", "\"\"", "json-bad-value",
	  "c: /conditions/tap.usable/source" },
	{ "/groups", "offload-uso", NULL, "json-bad-value", "c: /features/@guest_uso4" },
	{ "/groups/offload-uso", "together", "\"yes\"", "json-wrong-type",
	  "c: /groups/offload-uso/together" },
	{ "/features/@guest_uso4", "bit", "128", "json-bad-value", "c: /features/@guest_uso4/bit" },
	{ "/features/@guest_uso4", "bit", "-1", "json-bad-value", "c: /features/@guest_uso4/bit" },
	{ "/features/@guest_uso4", "combine", "\"or\"", "json-bad-value",
	  "c: /features/@guest_uso4/combine" },
	{ "/features/@guest_uso4", "pin", "\"pin\"", "json-bad-value",
	  "c: /features/@guest_uso4/pin" },
	{ "/features/@guest_uso4", "missing", "\"loud\"", "json-bad-value",
	  "c: /features/@guest_uso4/missing" },
	{ "/features/@guest_uso4", "since", "\"8.2-rc1\"", "json-bad-value",
	  "c: /features/@guest_uso4/since" },
	{ "/features/@guest_uso4", "since", NULL, "json-missing-key", "c: /features/@guest_uso4" },
	{ "/features/@guest_uso4", "sources", "{\"bit\":\"\"}", "json-bad-value",
	  "c: /features/@guest_uso4/sources/bit" },
	{ "/features/@guest_uso4", "type", "\"uint16\"", "json-bad-value",
	  "c: /features/@guest_uso4" },
	{ "/features/@guest_uso4", "group", NULL, "json-missing-key", "c: /features/@guest_uso4" },
	{ "/features/@guest_uso4", "colour", "1", "json-unknown-key",
	  "c: /features/@guest_uso4/colour" },
	{ "/features/@guest_uso4", "property", "\"aaa\"", "json-bad-value",
	  "c: /features/@guest_uso4" },
	{ "/features/@guest_uso4", "depends", "[\"guest_csun\"]", "json-bad-value",
	  "c: /features/@guest_uso4" },
	{ "/features/@guest_uso4", "depends", "[\"guest_csum|\"]", NULL, NULL },
	{ "/features/@guest_uso4", "depends", "[\"guest_csum|x\"]", "json-bad-value",
	  "c: /features/@guest_uso4" },
	{ "/features/@guest_uso4/needs", "tap", NULL, "json-bad-value",
	  "c: /features/@guest_uso4/needs" },
	{ "/features/@guest_uso4/needs", "tun", "[]", "json-bad-value",
	  "c: /features/@guest_uso4/needs" },
	{ "/features/@guest_uso4/needs", "tap", "[\"tap.offload.usb\"]", "json-bad-value",
	  "c: /features/@guest_uso4/needs/tap" },
	{ "/features/@guest_uso4/needs", "tap", "[{\"since\":\"1.0\"}]", "json-bad-value",
	  "c: /features/@guest_uso4/needs/tap/0" },
	{ "/features/@guest_uso4/needs", "tap", "[{\"never\":true,\"condition\":\"tap.usable\"}]",
	  "json-bad-value", "c: /features/@guest_uso4/needs/tap/0" },
	{ "/features/@guest_uso4/needs", "tap", "[{\"never\":false}]", "json-bad-value",
	  "c: /features/@guest_uso4/needs/tap/0/never" },
	{ "/features/@guest_uso4/needs", "tap", "[{\"never\":true,\"until\":\"x\"}]",
	  "json-bad-value", "c: /features/@guest_uso4/needs/tap/0/until" },
	{ "/features/@guest_uso4/needs", "tap", "\"tap.usable\"", "json-wrong-type",
	  "c: /features/@guest_uso4/needs/tap" },
	{ "/features/@guest_uso4/needs", "vhost-vsock", "[]", "json-bad-value",
	  "c: /features/@guest_uso4/needs" },
	{ "/features/@guest_uso4/needs", "tap", "[{\"never\":true,\"machine_until\":\"pc\"}]",
	  "json-bad-value", "c: /features/@guest_uso4/needs/tap/0/machine_until" },
	{ "/features/@guest_uso4", "unmasked", "[\"8.x\"]", "json-bad-value",
	  "c: /features/@guest_uso4/unmasked/0" },
	{ "/features/@guest_uso4/compat/0", "machine", "\"pc-q35-8.1\"", "json-bad-value",
	  "c: /features/@guest_uso4/compat/0/machine" },
	{ "/features/@guest_uso4/compat/0", "not_in", "[\"8.2.x\"]", "json-bad-value",
	  "c: /features/@guest_uso4/compat/0/not_in/0" },
	{ "/features/@guest_uso4/compat/0", "source", NULL, "json-missing-key",
	  "c: /features/@guest_uso4/compat/0" },
	{ "/features/@guest_uso4/compat/0", "value", NULL, "json-missing-key",
	  "c: /features/@guest_uso4/compat/0" },
	{ "/requirements/0", "name", NULL, "json-missing-key", "c: /requirements/0" },
	{ "/requirements/0", "bit", "31", "json-missing-key", "c: /requirements/0" },
	{ "/requirements/0/needs", "tap", "[\"tap.colour\"]", "json-bad-value",
	  "c: /requirements/0/needs/tap" },
	{ "/requirements/0", "prerequisite", "\"tap-usb\"", "json-bad-value", "c: /requirements/0" },
	{ "/requirements/0", "legacy_without", "false", "json-bad-value",
	  "c: /requirements/0/legacy_without" },
	{ "/features/@guest_uso4", "queues", "\"both\"", "json-bad-value",
	  "c: /features/@guest_uso4/queues" },
	{ "/conditions/tap.usable", "label", "\"\"", "json-bad-value",
	  "c: /conditions/tap.usable/label" },
};

/* "@guest_uso4": the number of that row */
static char *expand(const char *pointer)
{
	const char *mark = strchr(pointer, '@');
	_autofree_ char *key = NULL;
	char *text;
	size_t len;

	if (!mark)
		return strdup(pointer);
	len = strcspn(mark, "/");
	if (asprintf(&key, "virtio-net-device.%.*s", (int)len - 1, mark + 1) < 0 ||
	    asprintf(&text, "%.*s%d%s", (int)(mark - pointer), pointer, number_of(key),
		     mark + len) < 0)
		return NULL;
	return text;
}

START_TEST(test_broken)
{
	const struct breakage *b = &breakages[_i];
	_autofree_ char *object = expand(b->object), *where = b->where ? expand(b->where) : NULL;
	json_t *root = json_deep_copy(t.cat->root), *parent = at(root, object);
	struct abibase_catalogue *cat;

	if (b->value)
		json_object_set_new(parent, b->key, json_loads(b->value, JSON_DECODE_ANY, NULL));
	else
		json_object_del(parent, b->key);
	if (b->id) {
		assert_refused(root, EBADMSG, b->id, where);
		return;
	}
	ck_assert_int_eq(catalogue_from_json(t.ctx, root, "c", &cat), 0);
	abibase_catalogue_unref(cat);
}
END_TEST

START_TEST(test_newer)
{
	json_t *root = json_deep_copy(t.cat->root);

	json_object_set_new(root, "schema", json_string("abibase-catalogue/2"));
	json_object_set_new(root, "unheard-of", json_true());
	assert_refused(root, EPROTONOSUPPORT, "schema-newer", "c: /schema");
	assert_refused(json_array(), EBADMSG, "json-wrong-type", "c: /");
}
END_TEST

/* Rows out of order, or the same row twice: which of them counts would be chance. */
START_TEST(test_order)
{
	json_t *root = json_deep_copy(t.cat->root), *rows = json_object_get(root, "features");
	json_t *first = json_incref(json_array_get(rows, 0));
	_autofree_ char *where = NULL;

	json_array_insert_new(rows, 1, first);
	assert_refused(root, EBADMSG, "json-bad-value", "c: /features/1");

	root = json_deep_copy(t.cat->root);
	rows = json_object_get(root, "features");
	first = json_incref(json_array_get(rows, 0));
	json_array_remove(rows, 0);
	json_array_append_new(rows, first);
	ck_assert_int_gt(asprintf(&where, "c: /features/%zu", t.cat->n_rows - 1), 0);
	assert_refused(root, EBADMSG, "json-bad-value", where);
}
END_TEST

START_TEST(test_missing_file)
{
	struct abibase_catalogue *const untouched = (void *)&t;
	struct abibase_catalogue *cat = untouched;

	ck_assert_int_eq(abibase_context_set_data_dir(t.ctx, "/nonexistent"), 0);
	ck_assert_int_eq(abibase_catalogue_new(t.ctx, &cat), -ENOENT);
	ck_assert_ptr_eq(cat, untouched);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "io-error");
}
END_TEST

/* ---------------------------------------------------------------- what it says */

static bool is_recorded(const json_t *entries, const char *class_name, const char *property)
{
	size_t i;
	json_t *entry;

	json_array_foreach(entries, i, entry)
		if (json_object_get(json_object_get(json_object_get(entry, "properties"),
						    class_name),
				    property))
			return true;
	return false;
}

static json_t *recorded_qemus(void)
{
	static const char *const versions[] = { "5.2.0", "7.2.22", "10.0.2", "10.0.13", "11.1.3" };
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		_autofree_ char *name = NULL;

		ck_assert_int_gt(asprintf(&name, "tests/data/qemu/%s.json", versions[i]), 0);
		json_array_append_new(list, test_json(name));
	}
	return list;
}

/* The latest revision by which a QEMU was recorded: of rows that came later nobody asked. */
static int64_t recorded_by(const json_t *entries)
{
	int64_t latest = 1;
	json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry)
		if (json_integer_value(json_object_get(entry, "catalogue")) > latest)
			latest = json_integer_value(json_object_get(entry, "catalogue"));
	return latest;
}

/* No row is about a property that exists in no QEMU that was asked for it. */
START_TEST(test_rows_exist)
{
	json_t *entries = recorded_qemus();
	int64_t asked = recorded_by(entries);

	ck_assert_uint_gt(t.cat->n_rows, 40);
	for (size_t i = 0; i < t.cat->n_rows; i++) {
		const struct row *row = &t.cat->rows[i];

		ck_assert_msg(row->added > asked ||
				      is_recorded(entries, row->class_name, row->property),
			      "%s is in no recorded QEMU", row->key);
	}
	json_decref(entries);
}
END_TEST

/* Since and removed agree with every recorded QEMU, for every row. */
START_TEST(test_rows_since)
{
	json_t *entries = recorded_qemus(), *entry, *bare;
	size_t i;

	json_array_foreach(entries, i, entry) {
		const char *version = json_string_value(json_object_get(entry, "version"));
		struct qemu_view asked, filled;

		bare = json_copy(entry);
		json_object_del(bare, "properties");
		qemu_view_init(&asked, t.cat, entry, "pc-q35-5.2");
		qemu_view_init(&filled, t.cat, bare, "pc-q35-5.2");
		for (size_t r = 0; r < t.cat->n_rows; r++) {
			struct effective a, f;

			qemu_effective(&asked, &t.cat->rows[r], &a);
			qemu_effective(&filled, &t.cat->rows[r], &f);
			ck_assert_msg(a.known == f.known,
				      "QEMU %s, %s: recorded %d, by the catalogue %d", version,
				      t.cat->rows[r].key, a.known, f.known);
		}
		json_decref(bare);
	}
	json_decref(entries);
}
END_TEST

/* What each recorded QEMU makes of each of its machine types is what the catalogue says, row by row. */
START_TEST(test_rows_values)
{
	json_t *entries = recorded_qemus(), *entry, *values;
	size_t i, compared = 0, devices = 0;
	const char *machine;

	json_array_foreach(entries, i, entry)
		json_object_foreach(json_object_get(entry, "values"), machine, values) {
			struct qemu_view q;

			qemu_view_init(&q, t.cat, entry, machine);
			for (size_t r = 0; q.name.upstream && r < t.cat->n_rows; r++) {
				struct effective e;

				qemu_effective(&q, &t.cat->rows[r], &e);
				ck_assert_msg(!e.disagrees, "QEMU %s, %s: %s",
					      json_string_value(json_object_get(entry, "version")),
					      machine, t.cat->rows[r].key);
				compared += e.recorded;
				devices += e.recorded && !strprefix(t.cat->rows[r].class_name,
								    "virtio-net");
			}
		}
	ck_assert_uint_gt(compared, 4000);
	/* of other devices QEMU 9.1 and later tell it, which need not be started for it */
	ck_assert_uint_gt(devices, 400);
	json_decref(entries);
}
END_TEST

/* ------------------------------------------------------------------ known defects */

static const char *const kernel_releases[][2] = {
	{ "6.17.13-21-pve", NULL },
	{ "7.0-rc1", "linux-7.0-udp-gso" },
	{ "7.0.0-14-generic", "linux-7.0-udp-gso" },
	{ "7.1.4", "linux-7.0-udp-gso" },
	{ "7.1.5", NULL },
	{ "7.0.2-6-pve", "linux-7.0-udp-gso" },
	{ "7.0.14-14-pve", NULL }, /* mended in that package */
	{ "linux", NULL },
	{ NULL, NULL },
};

static void assert_errata(uint32_t mask, const char *id)
{
	for (size_t i = 0; i < t.cat->n_errata; i++)
		ck_assert_msg((mask >> i & 1) == (id && streq(t.cat->errata[i].id, id)), "%s",
			      t.cat->errata[i].id);
}

START_TEST(test_errata_of_kernels)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernel_releases); i++) {
		json_auto_t *profile =
			json_pack("{s{ss*}}", "kernel", "release", kernel_releases[i][0]);

		assert_errata(errata_of_kernel(t.cat, profile), kernel_releases[i][1]);
	}
}
END_TEST

static const char *const qemu_versions[][3] = {
	{ "6.2.0", "pc-i440fx-6.2", "qemu-6.2-piix4" },
	{ "6.2.0", "pc-q35-6.2", NULL },
	{ "6.2.0", NULL, NULL },
	{ "7.0.0", "pc-i440fx-6.2", NULL },
	{ "8.0.0", "pc-q35-7.2", "qemu-8.0.0-aer" },
	{ "8.0.1", "pc-q35-7.2", NULL },
	{ "5.2.0", "pc-q35-5.1", "qemu-5.2-ats" },
	{ "10.0.2", "pc-q35-10.0", NULL },
	{ "10.0.13", "pc-q35-10.0", NULL }, /* its queues are a shape of the catalogue */
	{ NULL, "pc-q35-10.0", NULL },
};

START_TEST(test_errata_of_qemus)
{
	for (size_t i = 0; i < ARRAY_SIZE(qemu_versions); i++) {
		json_auto_t *entry = json_pack("{ss*}", "version", qemu_versions[i][0]);

		assert_errata(errata_of_qemu(t.cat, entry, qemu_versions[i][1]),
			      qemu_versions[i][2]);
	}
}
END_TEST

/* An erratum of what the catalogue has no row for, and a list that fits no mask. */
START_TEST(test_errata_faults)
{
	json_t *root = test_json("data/errata.json"), *list = json_object_get(root, "errata");
	_autofree_ char *good = test_path("data/catalogue.json");
	char dir[] = "/tmp/abibase-errata-XXXXXX", path[64], command[1100];
	struct abibase_catalogue *cat = NULL;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(command, sizeof(command), "cp '%s' %s", good, dir);
	ck_assert_int_eq(system(command), 0);
	snprintf(path, sizeof(path), "%s/errata.json", dir);
	abibase_context_set_data_dir(t.ctx, dir);
	ck_assert_int_eq(abibase_catalogue_new(t.ctx, &cat), -ENOENT);

	json_object_set_new(json_array_get(list, 0), "rows", json_pack("[s]", "virtio-net.none"));
	ck_assert_int_eq(json_dump_file(root, path, 0), 0);
	ck_assert_int_eq(abibase_catalogue_new(t.ctx, &cat), -EBADMSG);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "json-bad-value");

	json_object_del(json_array_get(list, 0), "rows");
	for (size_t i = json_array_size(list); i <= MAX_ERRATA; i++)
		json_array_append(list, json_array_get(list, 0));
	ck_assert_int_eq(json_dump_file(root, path, 0), 0);
	ck_assert_int_eq(abibase_catalogue_new(t.ctx, &cat), -EBADMSG);
	ck_assert_ptr_null(cat);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	ck_assert_int_eq(system(command), 0);
	json_decref(root);
}
END_TEST

/* Each condition is a fact of data/facts.json, a bit only of a word that is wide enough. */
START_TEST(test_conditions_are_facts)
{
	json_t *facts = test_json("data/facts.json");

	for (size_t i = 0; i < t.cat->n_conditions; i++) {
		const struct condition *c = &t.cat->conditions[i];
		const json_t *fact = json_object_get(json_object_get(facts, "facts"), c->fact);
		const char *kind = json_string_value(json_object_get(fact, "kind"));

		ck_assert_msg(fact != NULL, "%s is not in data/facts.json", c->fact);
		ck_assert_msg(streq(kind, c->bit < 0 ? "bool" : "word"), "%s is of kind %s",
			      c->name, kind);
		ck_assert_msg(c->bit < json_integer_value(json_object_get(fact, "bits")) ||
				      c->bit < 0,
			      "%s: the word is not that wide", c->name);
	}
	json_decref(facts);
}
END_TEST

/* Two rows may share a bit (speed and duplex) only when both are about the same feature. */
START_TEST(test_bits)
{
	for (size_t i = 0; i < t.cat->n_rows; i++)
		for (size_t k = i + 1; k < t.cat->n_rows; k++)
			if (t.cat->rows[i].bit >= 0 && t.cat->rows[i].bit == t.cat->rows[k].bit &&
			    t.cat->rows[i].backends == t.cat->rows[k].backends)
				ck_assert_str_eq(t.cat->rows[i].feature, t.cat->rows[k].feature);
}
END_TEST

/* ------------------------------------------------------- a QEMU and a machine type */

static const json_t *uso(const char *version, const char *machine)
{
	json_t *entry = json_pack("{s:s,s:s}", "version", version, "target", "x86_64");
	struct qemu_view q;
	struct effective e;

	qemu_view_init(&q, t.cat, entry, machine);
	qemu_effective(&q, &t.cat->rows[number_of("virtio-net-device.host_uso")], &e);
	json_decref(entry);
	return e.known == ABIBASE_YES ? e.value : NULL;
}

/*
 * USO under 8.1 is on in QEMU 8.2.0 to 8.2.4 and 9.0.0, whose compat entry was in the wrong list
 * (fixed in 8.2.5 and 9.0.1); under 8.0 and older it is off in all of them.
 */
START_TEST(test_uso_exception)
{
	static const struct {
		const char *version;
		bool on;
	} under_8_1[] = { { "8.2.0", true }, { "8.2.1", true }, { "8.2.4", true },
			  { "8.2.5", false }, { "8.2.10", false }, { "9.0.0", true },
			  { "9.0.1", false }, { "9.1.0", false }, { "11.1.3", false } };

	for (size_t i = 0; i < ARRAY_SIZE(under_8_1); i++) {
		const char *v = under_8_1[i].version;

		ck_assert_msg(json_is_true(uso(v, "pc-q35-8.1")) == under_8_1[i].on, "%s", v);
		ck_assert_msg(json_is_true(uso(v, "pc-i440fx-8.1")) == under_8_1[i].on, "%s", v);
		ck_assert_msg(json_is_false(uso(v, "pc-q35-8.0")), "%s", v);
		ck_assert_msg(json_is_false(uso(v, "pc-q35-7.2")), "%s", v);
		ck_assert_msg(json_is_true(uso(v, "pc-q35-8.2")), "%s", v);
	}
	/* QEMU 8.1 does not know it at all */
	ck_assert_ptr_null(uso("8.1.5", "pc-q35-8.1"));
	/* what a vendor's machine type means is not in the catalogue */
	ck_assert_ptr_null(uso("9.0.0", "pc-q35-rhel9.6.0"));
}
END_TEST

/* What was recorded decides, whatever the version says; a disagreement is told. */
START_TEST(test_recorded_wins)
{
	const struct row *row = &t.cat->rows[number_of("virtio-net-device.host_uso")];
	json_t *entry = json_pack("{s:s,s:s,s:{s:{s:s}},s:{s:{s:b},s:{s:b}}}", "version", "7.2.0",
				  "target", "x86_64", "properties", "virtio-net-device",
				  "host_uso", "bool", "values", "pc-q35-7.2",
				  "virtio-net-device.host_uso", 1, "pc-q35-rhel9.6.0",
				  "virtio-net-device.host_uso", 0);
	struct qemu_view q;
	struct effective e;

	ck_assert_ptr_nonnull(entry);
	qemu_view_init(&q, t.cat, entry, "pc-q35-7.2");
	qemu_effective(&q, row, &e);
	ck_assert(e.known == ABIBASE_YES && json_is_true(e.value) && e.recorded && e.disagrees);
	qemu_view_init(&q, t.cat, entry, "pc-q35-rhel9.6.0");
	qemu_effective(&q, row, &e);
	ck_assert(e.known == ABIBASE_YES && json_is_false(e.value) && e.recorded && !e.disagrees);
	/* not recorded for this machine type: filled in, by the machine's version */
	qemu_view_init(&q, t.cat, entry, "pc-q35-7.1");
	qemu_effective(&q, row, &e);
	ck_assert(e.known == ABIBASE_YES && json_is_false(e.value) && !e.recorded);
	/* a class that is listed without the property: this QEMU does not have it */
	qemu_effective(&q, &t.cat->rows[number_of("virtio-net-device.csum")], &e);
	ck_assert_int_eq(e.known, ABIBASE_NO);
	/* a class that is not listed: by version */
	qemu_effective(&q, &t.cat->rows[number_of("virtio-net-pci.disable-modern")], &e);
	ck_assert_int_eq(e.known, ABIBASE_YES);
	json_decref(entry);
}
END_TEST

START_TEST(test_has_machine)
{
	json_t *listed = json_pack("{s:s,s:s,s:{s:{}}}", "version", "9.0.0", "target", "x86_64",
				   "machines", "pc-q35-7.2");
	json_t *bare = json_pack("{s:s,s:s}", "version", "9.0.0", "target", "x86_64");

	ck_assert_int_eq(qemu_has_machine(t.cat, listed, "pc-q35-7.2"), ABIBASE_YES);
	ck_assert_int_eq(qemu_has_machine(t.cat, listed, "pc-q35-8.2"), ABIBASE_NO);
	ck_assert_int_eq(qemu_has_machine(t.cat, bare, "pc-q35-8.2"), ABIBASE_YES);
	ck_assert_int_eq(qemu_has_machine(t.cat, bare, "pc-q35-9.0"), ABIBASE_YES);
	ck_assert_int_eq(qemu_has_machine(t.cat, bare, "pc-q35-9.1"), ABIBASE_NO);
	ck_assert_int_eq(qemu_has_machine(t.cat, bare, "pc-q35-rhel9.6.0"), ABIBASE_UNKNOWN);
	/* a machine type can have been removed, and nobody looked at every release */
	json_object_set_new(bare, "version", json_string("10.2.1"));
	ck_assert_int_eq(qemu_has_machine(t.cat, bare, "pc-i440fx-5.2"), ABIBASE_YES);
	ck_assert_int_eq(qemu_has_machine(t.cat, bare, "pc-i440fx-2.9"), ABIBASE_UNKNOWN);
	json_object_set_new(bare, "version", json_string("99.0.0"));
	ck_assert_int_eq(qemu_has_machine(t.cat, bare, "pc-q35-8.2"), ABIBASE_UNKNOWN);
	ck_assert_int_eq(qemu_has_machine(t.cat, bare, "pc-q35-99.1"), ABIBASE_NO);
	/* whoever has names of its own need not have upstream's */
	json_object_set_new(bare, "version", json_string("9.1.0"));
	json_object_set_new(bare, "package", json_string("qemu-kvm-9.1.0-15.el9_6.2"));
	ck_assert_int_eq(qemu_has_machine(t.cat, bare, "pc-q35-9.1"), ABIBASE_UNKNOWN);
	json_object_set_new(bare, "package", json_string("qemu-9.1.0-2.fc42"));
	ck_assert_int_eq(qemu_has_machine(t.cat, bare, "pc-q35-9.1"), ABIBASE_YES);
	/* names that begin so, and no others */
	json_object_set_new(bare, "machine_patterns", json_pack("[s]", "pc-q35-rhel*"));
	ck_assert_int_eq(qemu_has_machine(t.cat, bare, "pc-q35-8.2"), ABIBASE_NO);
	ck_assert_int_eq(qemu_has_machine(t.cat, bare, "pc-q35-rhel9.6.0"), ABIBASE_UNKNOWN);
	json_object_set_new(bare, "machines", json_pack("{s:{}}", "pc-q35-rhel9.6.0"));
	ck_assert_int_eq(qemu_has_machine(t.cat, bare, "pc-q35-rhel9.6.0"), ABIBASE_YES);
	ck_assert_int_eq(qemu_has_machine(t.cat, bare, "pc-q35-rhel9.4.0"), ABIBASE_UNKNOWN);
	json_decref(listed);
	json_decref(bare);
}
END_TEST

static enum abibase_tri knows(const json_t *entry, const char *key)
{
	struct qemu_view q;
	struct effective e;

	qemu_view_init(&q, t.cat, entry, "pc-q35-7.2");
	qemu_effective(&q, &t.cat->rows[number_of(key)], &e);
	return e.known;
}

/* What no prober asked for is not absent; nor what is outside of the releases that were looked at. */
START_TEST(test_not_asked)
{
	struct row *row = &t.cat->rows[number_of("virtio-net-device.host_uso")];
	json_t *entry = json_pack("{s:s,s:s,s:{s:{s:s}}}", "version", "8.2.0", "target", "x86_64",
				  "properties", "virtio-net-device", "csum", "bool");

	ck_assert_int_eq(knows(entry, row->key), ABIBASE_NO);
	row->added = 2;
	ck_assert_int_eq(knows(entry, row->key), ABIBASE_YES); /* by version */
	json_object_set_new(entry, "version", json_string("7.2.0"));
	ck_assert_int_eq(knows(entry, row->key), ABIBASE_NO); /* by version */
	json_object_set_new(entry, "version", json_string("99.0.0"));
	ck_assert_int_eq(knows(entry, row->key), ABIBASE_UNKNOWN);
	json_object_set_new(entry, "catalogue", json_integer(2));
	ck_assert_int_eq(knows(entry, row->key), ABIBASE_NO); /* it asked */
	/* older than any release that was looked at, and no list */
	json_object_set_new(entry, "version", json_string("4.2.0"));
	json_object_del(entry, "properties");
	ck_assert_int_eq(knows(entry, "virtio-net-device.mac"), ABIBASE_UNKNOWN);
	row->added = 0;
	json_decref(entry);
}
END_TEST

Suite *suite_catalogue(void)
{
	Suite *suite = suite_create("catalogue");
	TCase *read = tcase_create("read"), *rows = tcase_create("rows");
	TCase *machine = tcase_create("machine");

	tcase_add_checked_fixture(read, setup, teardown);
	tcase_add_loop_test(read, test_broken, 0, ARRAY_SIZE(breakages));
	tcase_add_test(read, test_newer);
	tcase_add_test(read, test_order);
	tcase_add_test(read, test_missing_file);
	suite_add_tcase(suite, read);

	tcase_add_checked_fixture(rows, setup, teardown);
	tcase_add_test(rows, test_rows_exist);
	tcase_add_test(rows, test_rows_since);
	tcase_add_test(rows, test_rows_values);
	tcase_add_test(rows, test_conditions_are_facts);
	tcase_add_test(rows, test_bits);
	tcase_add_test(rows, test_errata_of_kernels);
	tcase_add_test(rows, test_errata_of_qemus);
	tcase_add_test(rows, test_errata_faults);
	suite_add_tcase(suite, rows);

	tcase_add_checked_fixture(machine, setup, teardown);
	tcase_add_test(machine, test_uso_exception);
	tcase_add_test(machine, test_recorded_wins);
	tcase_add_test(machine, test_has_machine);
	tcase_add_test(machine, test_not_asked);
	suite_add_tcase(suite, machine);
	return suite;
}
