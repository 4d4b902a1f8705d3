/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers that people rely on: values, lists, conflicts, what cannot be told. */
#include <errno.h>

#include "document/baseline.h"
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

/* ---------------------------------------------------------------------- helpers */

/*
 * @backends: "tap,macvtap" or NULL, devices as "@vhost-vsock", hosts whose QEMU is assumed as "=a";
 * takes the profiles.
 */
static struct abibase_baseline *answer(const char *machine, const char *backends,
				       struct abibase_profile **p, size_t n)
{
	_autofree_ char *words = backends ? strdup(backends) : NULL;
	struct abibase_intersection *ix;
	struct abibase_baseline *b;

	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	if (machine)
		ck_assert_int_eq(abibase_intersection_set_machine(ix, machine), 0);
	for (char *rest = words, *word; rest && (word = strsep(&rest, ","));)
		ck_assert_int_eq(*word == '@' ? abibase_intersection_add_device(ix, word + 1) :
				 *word == '=' ? abibase_intersection_assume_qemu(ix, word + 1) :
						abibase_intersection_add_backend(ix, word),
				 0);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(abibase_intersection_add_profile(ix, p[i]), 0);
		abibase_profile_unref(p[i]);
	}
	ck_assert_int_eq(abibase_intersection_finish(ix, &b), 0);
	abibase_intersection_unref(ix);
	return b;
}
#define ANSWER(machine, backends, ...)                                                \
	answer(machine, backends, (struct abibase_profile *[]){ __VA_ARGS__ },       \
	       ARRAY_SIZE(((struct abibase_profile *[]){ __VA_ARGS__ })))

static struct abibase_profile *host(const char *name, const char *kernel, const char *qemus)
{
	return test_host(t.ctx, name, kernel, qemus);
}

static struct abibase_profile *platform(const char *name)
{
	struct abibase_profile *p;

	ck_assert_msg(profile_from_platform(t.ctx, name, &p) == 0, "%s: %s", name,
		      abibase_context_error(t.ctx));
	return p;
}

/* A recorded host with one fact replaced by JSON text (NULL: left out). */
static struct abibase_profile *host_but(const char *name, const char *kernel, const char *qemus,
					const char *fact, const char *value)
{
	json_t *root = test_host_json(name, kernel, qemus);
	json_t *facts = json_object_get(root, "facts");
	struct abibase_profile *p;

	if (value)
		json_object_set_new(facts, fact, json_loads(value, JSON_DECODE_ANY, NULL));
	else
		json_object_del(facts, fact);
	p = test_profile_json(t.ctx, root);
	json_decref(root);
	return p;
}

/* A recorded host with a QEMU that is written here as JSON text. */
static struct abibase_profile *host_with(const char *name, const char *kernel, const char *qemu)
{
	json_t *root = test_host_json(name, kernel, ""), *list = json_loads(qemu, 0, NULL);
	struct abibase_profile *p;

	ck_assert_ptr_nonnull(list);
	json_object_set_new(root, "qemu", list);
	p = test_profile_json(t.ctx, root);
	json_decref(root);
	return p;
}

static const char *value_of(const struct abibase_baseline *b, const char *property)
{
	return baseline_property(b, "virtio-net-device", property);
}

static void assert_values(const struct abibase_baseline *b, const char *value,
			  const char *properties)
{
	_autofree_ char *words = strdup(properties);

	for (char *rest = words, *word; (word = strsep(&rest, " "));) {
		const char *is = value_of(b, word);

		ck_assert_msg(is && streq(is, value), "%s is %s, not %s", word,
			      is ? is : "not set", value);
	}
}

/* The number of findings with this id and this kind; each says something on one line. */
static unsigned int findings(const struct abibase_baseline *b, enum abibase_finding_kind kind,
			     const char *id)
{
	unsigned int n = 0;

	for (size_t i = 0; i < baseline_finding_count(b); i++) {
		const char *text = abibase_baseline_finding_get(b, i, "text");

		ck_assert(text && *text && !strchr(text, '\n'));
		ck_assert(b->findings.f[i].kind == ABIBASE_FINDING_NOTE ||
			  abibase_baseline_finding_get(b, i, "remedy"));
		n += b->findings.f[i].kind == kind &&
		     streq(abibase_baseline_finding_get(b, i, "id"), id);
	}
	return n;
}

static const char *text_of(const struct abibase_baseline *b, const char *id)
{
	for (size_t i = 0; i < baseline_finding_count(b); i++)
		if (streq(abibase_baseline_finding_get(b, i, "id"), id))
			return abibase_baseline_finding_get(b, i, "text");
	ck_abort_msg("no finding %s", id);
	return NULL;
}

static void assert_verdict(const struct abibase_baseline *b, enum abibase_verdict want)
{
	_buf_ said = { 0 };

	for (size_t i = 0; i < baseline_finding_count(b); i++)
		buf_printf(&said, "\n%s: %s", abibase_baseline_finding_get(b, i, "id"),
			   abibase_baseline_finding_get(b, i, "text"));
	ck_assert_msg(abibase_baseline_verdict(b) == want, "verdict %d, not %d%s",
		      abibase_baseline_verdict(b), want, said.data ? said.data : "");
	ck_assert_int_eq(abibase_baseline_id(b) != NULL, want == ABIBASE_VERDICT_YES);
}

/* A rendered text, and what stood in the way. */
static int render(const struct abibase_baseline *b, const char *format, const char *for_host,
		  char **ret, char **why)
{
	struct abibase_render *r;
	int result;

	*ret = (char *)"untouched";
	*why = NULL;
	ck_assert_int_eq(abibase_render_new(t.ctx, &r), 0);
	ck_assert_int_eq(abibase_render_set_format(r, format), 0);
	if (for_host)
		ck_assert_int_eq(abibase_render_set_for(r, for_host), 0);
	result = abibase_render_run(r, b, 4000, ret, why);
	abibase_render_unref(r);
	return result;
}

static char *list_of(const struct abibase_baseline *b, const char *for_host)
{
	char *text, *why;
	int r = render(b, "args", for_host, &text, &why);

	ck_assert_msg(r == ABIBASE_VERDICT_YES, "%d %s", r, why ? why : "");
	ck_assert_ptr_nonnull(why);
	free(why);
	return text;
}

static void assert_no_list(const struct abibase_baseline *b, const char *for_host,
			   const char *says)
{
	char *text, *why;

	ck_assert_int_eq(render(b, "args", for_host, &text, &why), ABIBASE_VERDICT_NO);
	ck_assert_ptr_null(text);
	ck_assert_ptr_nonnull(why);
	ck_assert_msg(strstr(why, says) != NULL, "\"%s\" is not in: %s", says, why);
	free(why);
	ck_assert_int_eq(render(b, "readconfig", for_host, &text, &why), ABIBASE_VERDICT_NO);
	ck_assert_ptr_null(text);
	free(why);
}

static bool has_line(const char *list, const char *line)
{
	const char *at = list;
	size_t len = strlen(line);

	while ((at = strstr(at, line))) {
		if ((at == list || at[-1] == '\n') && at[len] == '\n')
			return true;
		at += len;
	}
	return false;
}

#define GLOBAL(setting) "-global virtio-net-device." setting
#define TUNNELS "host_tunnel host_tunnel_csum guest_tunnel guest_tunnel_csum"
#define USO "host_uso guest_uso4 guest_uso6"

/* ----------------------------------------------------------------- the two commands */

/* intersect debian-12 debian-13 -M pc-q35-7.2 */
START_TEST(test_debian_12_13)
{
	struct abibase_baseline *b = ANSWER("pc-q35-7.2", NULL, platform("debian-12"),
					    platform("debian-13"));
	json_t *qemu = test_json("tests/data/qemu/7.2.22.json");
	const json_t *known = json_object_get(json_object_get(qemu, "properties"),
					      "virtio-net-device");
	_autofree_ char *list = list_of(b, NULL), *for_13 = list_of(b, "debian-13"),
			*for_12 = list_of(b, "debian-12");
	char **settings = test_settings(list);

	assert_verdict(b, ABIBASE_VERDICT_YES);
	ck_assert(has_line(list, GLOBAL("queue_reset=off")));
	for (size_t i = 0; settings[i]; i++) {
		_autofree_ char *property = strdup(strchr(settings[i], '.') + 1);

		*strchr(property, '=') = '\0';
		if (streq(settings[i], "virtio-net-pci-base.romsize=262144"))
			continue; /* as large as both files take */
		ck_assert_msg(strprefix(settings[i], "virtio-net-device.") &&
				      json_object_get(known, property),
			      "QEMU 7.2 does not know %s", settings[i]);
		/* explicit on or off, never auto */
		ck_assert(streq(strchr(settings[i], '='), "=on") ||
			  streq(strchr(settings[i], '='), "=off"));
	}
	ck_assert_str_eq(list, for_12);
	ck_assert(has_line(for_13, GLOBAL("queue_reset=off")));
	ck_assert(has_line(for_13, GLOBAL("host_uso=off")));
	ck_assert(has_line(for_13, GLOBAL("guest_uso4=off")));
	ck_assert(has_line(for_13, GLOBAL("guest_uso6=off")));
	ck_assert(!strstr(for_12, "uso"));
	test_settings_free(settings);
	json_decref(qemu);
	abibase_baseline_unref(b);

	/* queue_reset hangs on vhost-net alone */
	b = ANSWER("pc-q35-7.2", "tap", platform("debian-12"), platform("debian-13"));
	assert_verdict(b, ABIBASE_VERDICT_YES);
	assert_values(b, "on", "queue_reset");
	free(list);
	list = list_of(b, NULL);
	ck_assert(has_line(list, GLOBAL("queue_reset=on")));
	abibase_baseline_unref(b);
}
END_TEST

START_TEST(test_tunnels)
{
	struct abibase_baseline *b;

	b = ANSWER("pc-q35-10.2", NULL, host("a", "6.12", "11.1.3"), host("b", "7.2", "11.1.3"));
	assert_verdict(b, ABIBASE_VERDICT_YES);
	assert_values(b, "on", USO);
	assert_values(b, "off", TUNNELS);
	abibase_baseline_unref(b);
	b = ANSWER("pc-q35-10.2", NULL, host("a", "6.17", "11.1.3"), host("b", "7.2", "11.1.3"));
	assert_verdict(b, ABIBASE_VERDICT_YES);
	assert_values(b, "on", USO " " TUNNELS);
	abibase_baseline_unref(b);
	b = ANSWER("pc-q35-10.2", "tap,macvtap", host("a", "6.17", "11.1.3"),
		   host("b", "7.2", "11.1.3"));
	assert_verdict(b, ABIBASE_VERDICT_YES);
	assert_values(b, "on", USO);
	assert_values(b, "off", TUNNELS);
	abibase_baseline_unref(b);
	/* a vhost that has neither 65 nor 67: QEMU would go on to offer 66 and 68 */
	b = ANSWER("pc-q35-10.2", NULL, host("a", "7.2", "11.1.3"),
		   host_but("b", "7.2", "11.1.3", "vhost_net.features_array",
			    "\"0x00000000000000000000010b3d008000\""));
	assert_verdict(b, ABIBASE_VERDICT_YES);
	assert_values(b, "off", TUNNELS);
	abibase_baseline_unref(b);
	/* one of the two is enough */
	b = ANSWER("pc-q35-10.2", NULL, host("a", "7.2", "11.1.3"),
		   host_but("b", "7.2", "11.1.3", "vhost_net.features_array",
			    "\"0x00000000000000020000010b3d008000\""));
	assert_values(b, "off", TUNNELS);
	abibase_baseline_unref(b);
	/* a kernel that has no such ioctl at all */
	b = ANSWER("pc-q35-10.2", NULL, host("a", "7.2", "11.1.3"),
		   host_but("b", "7.2", "11.1.3", "vhost_net.features_array", "false"));
	assert_values(b, "off", TUNNELS);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_NOTE, "forced-off-unknown"), 0);
	abibase_baseline_unref(b);
	/* not asked is not no, but forces them off too, and says so */
	b = ANSWER("pc-q35-10.2", NULL, host("a", "7.2", "11.1.3"),
		   host_but("b", "7.2", "11.1.3", "vhost_net.features_array", NULL));
	assert_verdict(b, ABIBASE_VERDICT_YES);
	assert_values(b, "off", TUNNELS);
	ck_assert_uint_ge(findings(b, ABIBASE_FINDING_NOTE, "forced-off-unknown"), 1);
	ck_assert_ptr_nonnull(strstr(text_of(b, "forced-off-unknown"), "not-recorded"));
	abibase_baseline_unref(b);
}
END_TEST

/* Turning guest_csum off turns off what needs it. */
START_TEST(test_dependencies_close)
{
	json_t *root = test_host_json("a", "6.12", "10.0.13"), *values;
	struct abibase_profile *p;
	struct abibase_baseline *b;

	values = json_pack("{s:{s:b}}", "pc-q35-10.0", "virtio-net-device.guest_csum", 0);
	json_object_set_new(json_array_get(json_object_get(root, "qemu"), 0), "values", values);
	json_object_del(json_array_get(json_object_get(root, "qemu"), 0), "defaults");
	p = test_profile_json(t.ctx, root);
	json_decref(root);
	b = ANSWER("pc-q35-10.0", NULL, p);
	assert_verdict(b, ABIBASE_VERDICT_YES);
	assert_values(b, "off",
		      "guest_csum guest_tso4 guest_tso6 guest_ecn guest_ufo guest_uso4 guest_uso6");
	/* the three of USO are decided together, so its host half goes too */
	assert_values(b, "off", "host_uso");
	assert_values(b, "on", "csum host_tso4 host_tso6");
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_NOTE, "recorded-differs"), 1);
	abibase_baseline_unref(b);
}
END_TEST

/* The stated word is the one that QEMU was recorded to offer where nothing is masked. */
START_TEST(test_offered)
{
	struct abibase_baseline *b = ANSWER("pc-q35-7.2", NULL, host("a", "6.1", "7.2.22"));
	uint64_t tap[2], vhost[2], other[2] = { 7, 7 };

	ck_assert(baseline_offered(b, "tap", tap));
	ck_assert(baseline_offered(b, "tap+vhost", vhost));
	/* one list for both: what one lacks is off on both */
	ck_assert(tap[0] == vhost[0] && tap[1] == 0 && vhost[1] == 0);
	ck_assert_uint_eq(tap[0], 0x0000000130bfffa7);
	ck_assert(!baseline_offered(b, "macvtap", other));
	ck_assert_uint_eq(other[0], 7);
	abibase_baseline_unref(b);
}
END_TEST

/* ------------------------------------------------------------------------ backends */

START_TEST(test_vhost_absent)
{
	struct abibase_profile *none = host_but("none", "6.12", "7.2.22", "vhost_net.usable",
						"false");
	struct abibase_baseline *b;
	_autofree_ char *json = NULL;
	uint64_t word[2];

	b = ANSWER("pc-q35-7.2", NULL, host("a", "6.12", "7.2.22"), abibase_profile_ref(none));
	assert_verdict(b, ABIBASE_VERDICT_YES);
	ck_assert(baseline_offered(b, "tap+vhost", word));
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_NOTE, "backend-absent"), 1);
	ck_assert_ptr_nonnull(strstr(text_of(b, "backend-absent"), "none"));
	ck_assert_ptr_nonnull(strstr(text_of(b, "backend-absent"), "tap+vhost"));
	json = test_baseline_json(t.ctx, b);
	ck_assert_ptr_nonnull(strstr(json, "\"absent_on\": [\n        \"none\"\n      ]"));
	abibase_baseline_unref(b);

	b = ANSWER("pc-q35-7.2", "tap+vhost", host("a", "6.12", "7.2.22"),
		   abibase_profile_ref(none));
	assert_verdict(b, ABIBASE_VERDICT_NO);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_CONFLICT, "backend-absent"), 1);
	ck_assert(!baseline_offered(b, "tap+vhost", word));
	abibase_baseline_unref(b);

	/* required is each backend that is named, not any of them */
	b = ANSWER("pc-q35-7.2", "tap,tap+vhost", host("a", "6.12", "7.2.22"), none);
	assert_verdict(b, ABIBASE_VERDICT_NO);
	abibase_baseline_unref(b);
}
END_TEST

START_TEST(test_vhost_unknown)
{
	struct abibase_profile *dark = host_but("dark", "6.12", "7.2.22", "vhost_net.usable",
						"{\"unknown\":\"no-permission\"}");
	struct abibase_baseline *b;
	size_t i = 0;

	b = ANSWER("pc-q35-7.2", NULL, host("a", "6.1", "7.2.22"), abibase_profile_ref(dark));
	assert_verdict(b, ABIBASE_VERDICT_UNKNOWN);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_UNKNOWN, "backend-unknown"), 1);
	ck_assert_ptr_nonnull(strstr(text_of(b, "backend-unknown"), "dark"));
	ck_assert_ptr_nonnull(strstr(text_of(b, "backend-unknown"), "no-permission"));
	while (!streq(abibase_baseline_finding_get(b, i, "id"), "backend-unknown"))
		i++;
	ck_assert_ptr_nonnull(strstr(abibase_baseline_finding_get(b, i, "remedy"), "--backend tap"));
	abibase_baseline_unref(b);
	b = ANSWER("pc-q35-7.2", "tap+vhost", host("a", "6.1", "7.2.22"),
		   abibase_profile_ref(dark));
	assert_verdict(b, ABIBASE_VERDICT_UNKNOWN);
	abibase_baseline_unref(b);
	b = ANSWER("pc-q35-7.2", "tap", host("a", "6.1", "7.2.22"), dark);
	assert_verdict(b, ABIBASE_VERDICT_YES);
	abibase_baseline_unref(b);
}
END_TEST

/* No backend is left: a conflict also where none was named. */
START_TEST(test_no_backend_left)
{
	struct abibase_baseline *b = ANSWER("pc-q35-7.2", NULL, host("a", "6.12", "7.2.22"),
					    host_but("b", "6.12", "7.2.22", "tap.usable", "false"));

	assert_verdict(b, ABIBASE_VERDICT_NO);
	ck_assert_uint_ge(findings(b, ABIBASE_FINDING_CONFLICT, "backend-absent"), 1);
	abibase_baseline_unref(b);
}
END_TEST

/* What no property can mask. */
START_TEST(test_requirements)
{
	struct abibase_baseline *b;

	b = ANSWER("pc-q35-7.2", "tap", host("a", "6.12", "7.2.22"),
		   host_but("b", "6.12", "7.2.22", "tap.offload.ufo", "false"));
	assert_verdict(b, ABIBASE_VERDICT_NO);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_CONFLICT, "requirement-differs"), 1);
	ck_assert_ptr_nonnull(strstr(text_of(b, "requirement-differs"), "tap-ufo"));
	abibase_baseline_unref(b);
	/* nobody has it: all the same */
	b = ANSWER("pc-q35-7.2", "tap", host_but("a", "6.12", "7.2.22", "tap.offload.ufo", "false"),
		   host_but("b", "6.12", "7.2.22", "tap.offload.ufo", "false"));
	assert_verdict(b, ABIBASE_VERDICT_YES);
	assert_values(b, "off", "host_ufo guest_ufo");
	abibase_baseline_unref(b);
	b = ANSWER("pc-q35-7.2", "tap", host("a", "6.12", "7.2.22"),
		   host_but("b", "6.12", "7.2.22", "tap.offload.ufo",
			    "{\"unknown\":\"not-asked\"}"));
	assert_verdict(b, ABIBASE_VERDICT_UNKNOWN);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_UNKNOWN, "requirement-unknown"), 1);
	abibase_baseline_unref(b);
	/* a vhost-net without VERSION_1 makes a legacy device there */
	b = ANSWER("pc-q35-7.2", NULL, host("a", "6.12", "7.2.22"),
		   host_but("b", "6.12", "7.2.22", "vhost_net.features",
			    "\"0x000001003d008000\""));
	assert_verdict(b, ABIBASE_VERDICT_NO);
	ck_assert_ptr_nonnull(strstr(text_of(b, "requirement-differs"), "virtio-version-1"));
	abibase_baseline_unref(b);
}
END_TEST

/* All conflicts at once, each with what would resolve it. */
START_TEST(test_all_conflicts)
{
	json_t *root = test_host_json("c", "6.12", "7.2.22");
	struct abibase_baseline *b;

	json_object_set_new(json_object_get(root, "facts"), "tap.offload.ufo", json_false());
	json_object_set_new(json_object_get(root, "facts"), "tap.features",
			    json_string("0x00003173"));
	json_object_set_new(json_object_get(root, "facts"), "macvtap.usable", json_false());
	b = ANSWER("pc-q35-8.2", "tap,macvtap", host("a", "6.12", "10.0.13"),
		   test_profile_json(t.ctx, root), host("d", "5.10", "5.2.0"));
	json_decref(root);
	assert_verdict(b, ABIBASE_VERDICT_NO);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_CONFLICT, "backend-absent"), 1);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_CONFLICT, "requirement-differs"), 2);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_CONFLICT, "host-without-machine"), 2);
	/* conflicts first, then unknowns, then notes */
	for (size_t i = 1; i < baseline_finding_count(b); i++)
		ck_assert_int_le(b->findings.f[i - 1].kind,
				 b->findings.f[i].kind);
	abibase_baseline_unref(b);
}
END_TEST

/* ------------------------------------------------------------------------- machines */

START_TEST(test_machine_names)
{
	static const char *const bad[] = { "q35", "pc", "microvm", "none", "", "isapc" };
	struct abibase_intersection *ix;

	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert_msg(abibase_intersection_set_machine(ix, bad[i]) == -EINVAL, "\"%s\"",
			      bad[i]);
		ck_assert_str_eq(abibase_context_error_id(t.ctx), "machine-unversioned");
	}
	/* no word of QEMU's beside it */
	ck_assert_int_eq(abibase_intersection_set_machine(ix, "pc-q35-7.2 -device x"), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "json-bad-value");
	ck_assert_int_eq(abibase_intersection_set_machine(ix, "pc-q35-rhel9.6.0"), 0);
	ck_assert_int_eq(abibase_intersection_add_backend(ix, "vde"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(abibase_context_error(t.ctx), "macvtap+vhost"));
	abibase_intersection_unref(ix);
}
END_TEST

START_TEST(test_machine_chosen)
{
	struct abibase_baseline *b;

	b = ANSWER(NULL, NULL, host("a", "6.12", "10.0.13"), host("b", "6.1", "7.2.22"));
	assert_verdict(b, ABIBASE_VERDICT_YES);
	ck_assert_str_eq(b->machine, "pc-q35-7.2");
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_NOTE, "machine-chosen"), 1);
	abibase_baseline_unref(b);
	/* q35 before i440fx, however new */
	b = ANSWER(NULL, NULL,
		   host_with("a", "6.12", "[{\"version\":\"9.0.0\",\"target\":\"x86_64\","
					  "\"machines\":{\"pc-i440fx-9.0\":{},\"pc-q35-2.4\":{},"
					  "\"q35\":{},\"none\":{},\"microvm\":{}}}]"));
	ck_assert_str_eq(b->machine, "pc-q35-2.4");
	abibase_baseline_unref(b);
	b = ANSWER(NULL, NULL,
		   host_with("a", "6.12", "[{\"version\":\"9.0.0\",\"target\":\"x86_64\","
					  "\"machines\":{\"pc-q35-9.0\":{}}}]"),
		   host_with("b", "6.12", "[{\"version\":\"8.0.0\",\"target\":\"x86_64\","
					  "\"machines\":{\"pc-q35-8.0\":{}}}]"));
	assert_verdict(b, ABIBASE_VERDICT_NO);
	ck_assert_ptr_null(b->machine);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_CONFLICT, "no-common-machine"), 1);
	abibase_baseline_unref(b);
}
END_TEST

START_TEST(test_without_qemu_facts)
{
	static const char *const later[] = { "host_uso", "guest_uso4", "host_tunnel", "queue_reset" };
	struct abibase_baseline *b;
	_autofree_ char *list = NULL;

	/* nothing to choose a machine type from */
	b = ANSWER(NULL, NULL, host("a", "6.1", ""));
	assert_verdict(b, ABIBASE_VERDICT_UNKNOWN);
	ck_assert_ptr_null(b->machine);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_UNKNOWN, "no-qemu-facts"), 1);
	abibase_baseline_unref(b);
	/* also when another host has some */
	b = ANSWER(NULL, NULL, host("a", "6.1", ""), host("b", "6.1", "7.2.22"));
	assert_verdict(b, ABIBASE_VERDICT_UNKNOWN);
	abibase_baseline_unref(b);
	/* a machine type that nobody asked about */
	b = ANSWER("pc-q35-7.1", NULL, host("a", "6.1", ""));
	assert_verdict(b, ABIBASE_VERDICT_UNKNOWN);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_UNKNOWN, "no-qemu-facts"), 1);
	abibase_baseline_unref(b);
	/* an upstream one that is assumed: what every QEMU from then on has */
	b = ANSWER("pc-q35-7.1", "=a", host("a", "6.1", ""));
	assert_verdict(b, ABIBASE_VERDICT_YES);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_NOTE, "qemu-assumed"), 1);
	list = list_of(b, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		ck_assert_msg(!strstr(list, later[i]), "%s is in the list", later[i]);
	ck_assert(has_line(list, GLOBAL("csum=on")));
	abibase_baseline_unref(b);
	b = ANSWER("pc-q35-7.2", "=a", host("a", "6.1", ""));
	assert_verdict(b, ABIBASE_VERDICT_YES);
	assert_values(b, "off", "queue_reset");
	abibase_baseline_unref(b);
	/* a vendor's: nothing can be said of it */
	b = ANSWER("pc-q35-rhel9.6.0", "=a", host("a", "6.1", ""));
	assert_verdict(b, ABIBASE_VERDICT_UNKNOWN);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_UNKNOWN, "vendor-machine-unknown"), 1);
	abibase_baseline_unref(b);
	/* one of the future: nobody knows */
	b = ANSWER("pc-q35-99.1", "=a", host("a", "6.1", ""));
	assert_verdict(b, ABIBASE_VERDICT_UNKNOWN);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_NOTE, "catalogue-older"), 1);
	abibase_baseline_unref(b);
	/* an empty list of QEMUs is none, whether or not a machine type was named */
	for (size_t i = 0; i < 2; i++) {
		b = ANSWER(i ? "pc-q35-7.2" : NULL, NULL, host_with("a", "6.1", "[]"));
		assert_verdict(b, ABIBASE_VERDICT_NO);
		ck_assert_uint_eq(findings(b, ABIBASE_FINDING_CONFLICT, "host-without-machine"), 1);
		abibase_baseline_unref(b);
	}
}
END_TEST

#define UNASKED "{\"path\": \"/usr/bin/kvm\", \"unknown\": \"timeout\"}"

/* A QEMU that was there and could not be asked is not known, whatever else there is. */
START_TEST(test_unasked_qemu)
{
	static const char *const lists[] = {
		"[" UNASKED "]",
		"[" UNASKED ", {\"version\": \"7.2.22\", \"target\": \"x86_64\"}]",
	};
	struct abibase_baseline *b;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		b = ANSWER("pc-q35-7.2", NULL, host_with("a", "6.1", lists[i]));
		assert_verdict(b, ABIBASE_VERDICT_UNKNOWN);
		ck_assert_uint_eq(findings(b, ABIBASE_FINDING_UNKNOWN, "qemu-unasked"), 1);
		abibase_baseline_unref(b);
	}
	b = ANSWER("pc-q35-7.2", "=a", host_with("a", "6.1", lists[0]));
	assert_verdict(b, ABIBASE_VERDICT_YES);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_NOTE, "qemu-assumed"), 1);
	abibase_baseline_unref(b);
}
END_TEST

/* USO under 8.1 where the QEMU is not known: the builds that have it on are named. */
START_TEST(test_exceptions_are_named)
{
	struct abibase_baseline *b = ANSWER("pc-q35-8.1", "=a", host("a", "6.12", ""));
	bool named = false;

	assert_verdict(b, ABIBASE_VERDICT_YES);
	for (size_t i = 0; i < baseline_finding_count(b); i++) {
		const char *text = abibase_baseline_finding_get(b, i, "text");

		named |= streq(abibase_baseline_finding_get(b, i, "id"), "known-exception") &&
			 strstr(text, "8.2.0") && strstr(text, "8.2.4") && strstr(text, "9.0.0");
	}
	ck_assert_msg(named, "the exceptions 8.2.0 to 8.2.4 and 9.0.0 are not named: %s",
		      text_of(b, "known-exception"));
	abibase_baseline_unref(b);
	b = ANSWER("pc-q35-8.0", NULL, host("a", "6.12", ""));
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_NOTE, "known-exception"), 0);
	abibase_baseline_unref(b);
}
END_TEST

/* A vendor's machine type whose values were recorded. */
START_TEST(test_vendor_machine)
{
	static const char bare[] = "[{\"version\":\"9.1.0\",\"target\":\"x86_64\",\"machines\":"
				   "{\"pc-q35-rhel9.6.0\":{}}}]";
	json_t *root = test_host_json("a", "6.12", "10.0.13"), *entry, *values = json_object();
	struct abibase_baseline *b;

	entry = json_array_get(json_object_get(root, "qemu"), 0);
	for (size_t i = 0; i < t.cat->n_rows; i++)
		if (t.cat->rows[i].boolean)
			json_object_set_new(values, t.cat->rows[i].key,
					    json_boolean(json_is_true(t.cat->rows[i].def) &&
							 !strstr(t.cat->rows[i].key, "uso")));
	json_object_set_new(entry, "machines", json_pack("{s:{}}", "pc-q35-rhel9.6.0"));
	json_object_set_new(entry, "values", json_pack("{s:o}", "pc-q35-rhel9.6.0", values));
	b = ANSWER("pc-q35-rhel9.6.0", NULL, test_profile_json(t.ctx, root));
	json_decref(root);
	assert_verdict(b, ABIBASE_VERDICT_YES);
	assert_values(b, "off", USO);
	assert_values(b, "on", "csum host_tso4 queue_reset");
	abibase_baseline_unref(b);
	b = ANSWER("pc-q35-rhel9.6.0", NULL, host_with("a", "6.12", bare));
	assert_verdict(b, ABIBASE_VERDICT_UNKNOWN);
	ck_assert_uint_ge(findings(b, ABIBASE_FINDING_UNKNOWN, "vendor-machine-unknown"), 1);
	abibase_baseline_unref(b);
	/* the newest common type is a vendor's: chosen, and then it cannot be told */
	b = ANSWER(NULL, NULL, host_with("a", "6.12", bare));
	ck_assert_str_eq(b->machine, "pc-q35-rhel9.6.0");
	assert_verdict(b, ABIBASE_VERDICT_UNKNOWN);
	abibase_baseline_unref(b);
}
END_TEST

/* --------------------------------------------------------------- several QEMUs on a host */

START_TEST(test_several_qemus)
{
	static const char old[] = "b:/usr/lib/qemu-7.2.22", new[] = "b:/usr/lib/qemu-10.0.13";
	struct abibase_baseline *b;
	char *text, *why;

	/* 10.0.13 under 7.2 has USO off, and so need not be told: one list does for both */
	b = ANSWER("pc-q35-7.2", NULL, host("a", "6.1", "7.2.22"), host("b", "6.12", "7.2.22 10.0.13"));
	assert_verdict(b, ABIBASE_VERDICT_YES);
	text = list_of(b, "b");
	ck_assert(!strstr(text, "uso"));
	free(text);
	text = list_of(b, old);
	ck_assert(!strstr(text, "uso"));
	free(text);
	text = list_of(b, new);
	ck_assert(has_line(text, GLOBAL("host_uso=off")));
	free(text);
	ck_assert_int_eq(render(b, "args", "c", &text, &why), -ENOENT);
	ck_assert_str_eq(text, "untouched");
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "no-such-host");
	ck_assert_ptr_nonnull(strstr(abibase_context_error(t.ctx), "b"));
	ck_assert_int_eq(render(b, "args", "b:/usr/bin/kvm", &text, &why), -ENOENT);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "no-such-qemu");
	ck_assert_int_eq(render(b, "args", "a:/usr/lib/qemu-10.0.13", &text, &why), -ENOENT);
	abibase_baseline_unref(b);
}
END_TEST

/* For what is plugged in later there is one of both, with a word about the one that does not know it. */
static void assert_union(const struct abibase_baseline *b)
{
	struct abibase_render *r;
	char *text, *why;

	ck_assert_int_eq(abibase_render_new(t.ctx, &r), 0);
	abibase_render_set_flags(r, ABIBASE_RENDER_HOTPLUG);
	ck_assert_int_eq(abibase_render_run(r, b, 4000, &text, &why), ABIBASE_VERDICT_YES);
	ck_assert(has_line(text, GLOBAL("host_uso=off")));
	ck_assert_msg(strstr(why, "QEMU 8.1.5 (a) does not know virtio-net"), "%s", why);
	ck_assert_ptr_null(strstr(why, "QEMU 9.0.0"));
	free(text);
	free(why);
	ck_assert_int_eq(abibase_render_set_format(r, "libvirt-override"), 0);
	ck_assert_int_eq(abibase_render_run(r, b, 0, &text, NULL), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "list-hotplug");
	abibase_render_unref(r);
}

/* QEMU 9.0.0 has USO on under 8.1 and 8.1.5 does not know it: each needs its own list. */
START_TEST(test_no_common_list)
{
	static const char both[] = "[{\"version\":\"8.1.5\",\"target\":\"x86_64\",\"path\":\"/q/8\"},"
				   "{\"version\":\"9.0.0\",\"target\":\"x86_64\",\"path\":\"/q/9\"}]";
	static const char one[] = "[{\"version\":\"9.0.0\",\"target\":\"x86_64\"}]";
	struct abibase_baseline *b = ANSWER("pc-q35-8.1", NULL, host_with("a", "6.12", both),
					    host_with("b", "6.12", one));
	char *text, *why;

	assert_verdict(b, ABIBASE_VERDICT_YES);
	assert_values(b, "off", USO);
	assert_no_list(b, NULL, "host_uso");
	assert_no_list(b, NULL, "guest_uso6");
	assert_no_list(b, NULL, "--for NAME");
	assert_no_list(b, "a", "--for NAME:PATH");
	assert_union(b);
	text = list_of(b, "a:/q/8");
	ck_assert(!strstr(text, "uso"));
	free(text);
	text = list_of(b, "a:/q/9");
	ck_assert(has_line(text, GLOBAL("guest_uso4=off")));
	free(text);
	text = list_of(b, "b");
	ck_assert(has_line(text, GLOBAL("guest_uso4=off")));
	free(text);
	/* the document is there all the same */
	ck_assert_int_eq(render(b, "json", NULL, &text, &why), ABIBASE_VERDICT_NO);
	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_nonnull(why);
	free(text);
	free(why);
	abibase_baseline_unref(b);
	/* alone, 9.0.0 has one list, and USO */
	b = ANSWER("pc-q35-8.1", NULL, host_with("b", "6.12", one));
	assert_values(b, "on", USO);
	text = list_of(b, NULL);
	ck_assert(has_line(text, GLOBAL("guest_uso4=on")));
	free(text);
	abibase_baseline_unref(b);
}
END_TEST

START_TEST(test_host_without_machine)
{
	struct abibase_baseline *b;

	/* one of two has it: the other is told of as unused */
	b = ANSWER("pc-q35-10.0", NULL, host("a", "6.12", "7.2.22 10.0.13"));
	assert_verdict(b, ABIBASE_VERDICT_YES);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_NOTE, "qemu-unused"), 1);
	ck_assert_ptr_nonnull(strstr(text_of(b, "qemu-unused"), "7.2.22"));
	ck_assert_ptr_nonnull(strstr(text_of(b, "qemu-unused"), "/usr/lib/qemu-7.2.22"));
	/* and does not count */
	assert_values(b, "on", USO);
	abibase_baseline_unref(b);
	b = ANSWER("pc-q35-10.0", NULL, host("a", "6.12", "10.0.13"), host("b", "6.1", "7.2.22"));
	assert_verdict(b, ABIBASE_VERDICT_NO);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_CONFLICT, "host-without-machine"), 1);
	ck_assert_ptr_nonnull(strstr(text_of(b, "host-without-machine"), "b"));
	abibase_baseline_unref(b);
	/* only another target: had some, none left */
	b = ANSWER("pc-q35-7.2", NULL,
		   host_with("a", "6.1", "[{\"version\":\"7.2.0\",\"target\":\"aarch64\"}]"));
	assert_verdict(b, ABIBASE_VERDICT_NO);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_CONFLICT, "host-without-machine"), 1);
	ck_assert_ptr_nonnull(strstr(text_of(b, "qemu-unused"), "aarch64"));
	abibase_baseline_unref(b);
}
END_TEST

/* ------------------------------------------------------------------- the set of hosts */

START_TEST(test_architectures)
{
	json_t *root = test_host_json("arm", "6.12", "");
	struct abibase_profile *arm;
	struct abibase_baseline *b;
	struct abibase_intersection *ix;

	json_object_set_new(root, "arch", json_string("aarch64"));
	arm = test_profile_json(t.ctx, root);
	json_decref(root);
	b = ANSWER("pc-q35-7.2", NULL, host("a", "6.1", "7.2.22"), abibase_profile_ref(arm));
	assert_verdict(b, ABIBASE_VERDICT_NO);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_CONFLICT, "arch-differs"), 1);
	ck_assert_ptr_nonnull(strstr(text_of(b, "arch-differs"), "aarch64"));
	ck_assert_ptr_nonnull(strstr(text_of(b, "arch-differs"), "x86_64"));
	abibase_baseline_unref(b);
	b = ANSWER("pc-q35-7.2", NULL, abibase_profile_ref(arm));
	assert_verdict(b, ABIBASE_VERDICT_UNKNOWN);
	ck_assert_uint_eq(findings(b, ABIBASE_FINDING_UNKNOWN, "target-not-covered"), 1);
	abibase_baseline_unref(b);
	/* x86 guests on other hosts: both architecture and target are in the id */
	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	ck_assert_int_eq(abibase_intersection_set_target(ix, "x86_64"), 0);
	ck_assert_int_eq(abibase_intersection_set_machine(ix, "pc-q35-7.2"), 0);
	ck_assert_int_eq(abibase_intersection_assume_qemu(ix, "arm"), 0);
	ck_assert_int_eq(abibase_intersection_add_profile(ix, arm), 0);
	ck_assert_int_eq(abibase_intersection_finish(ix, &b), 0);
	abibase_intersection_unref(ix);
	assert_verdict(b, ABIBASE_VERDICT_YES);
	abibase_profile_unref(arm);
	abibase_baseline_unref(b);
}
END_TEST

START_TEST(test_names)
{
	struct abibase_intersection *ix;
	struct abibase_profile *a = host("a", "6.1", "7.2.22"), *again = host("a", "6.1", "7.2.22");
	struct abibase_profile *other = host("a", "6.12", "7.2.22"), *renamed;
	struct abibase_baseline *b, *twice;

	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	ck_assert_int_eq(abibase_intersection_finish(ix, &b), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "no-hosts");
	ck_assert_int_eq(abibase_intersection_set_machine(ix, "pc-q35-7.2"), 0);
	ck_assert_int_eq(abibase_intersection_add_profile(ix, a), 0);
	ck_assert_int_eq(abibase_intersection_finish(ix, &b), 0);
	ck_assert_int_eq(abibase_intersection_add_profile(ix, again), 0);
	ck_assert_int_eq(abibase_intersection_finish(ix, &twice), 0);
	ck_assert_str_eq(abibase_baseline_id(b), abibase_baseline_id(twice));
	ck_assert_uint_eq(twice->in.n_hosts, 1);
	abibase_baseline_unref(twice);
	ck_assert_int_eq(abibase_intersection_add_profile(ix, other), -EEXIST);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "name-twice");
	ck_assert_ptr_nonnull(strstr(abibase_context_error(t.ctx), "\"a\""));
	ck_assert_int_eq(profile_rename(t.ctx, other, "b", &renamed), 0);
	ck_assert_int_eq(abibase_intersection_add_profile(ix, renamed), 0);
	/* what is wanted is said first */
	ck_assert_int_eq(abibase_intersection_set_machine(ix, "pc-q35-7.1"), -EBUSY);
	ck_assert_int_eq(abibase_intersection_set_target(ix, "x86_64"), -EBUSY);
	ck_assert_int_eq(abibase_intersection_add_backend(ix, "tap"), -EBUSY);
	ck_assert_int_eq(abibase_intersection_finish(ix, &twice), 0);
	ck_assert_uint_eq(twice->in.n_hosts, 2);
	abibase_intersection_unref(ix);
	abibase_baseline_unref(b);
	abibase_baseline_unref(twice);
	abibase_profile_unref(a);
	abibase_profile_unref(again);
	abibase_profile_unref(other);
	abibase_profile_unref(renamed);
}
END_TEST

/* FILE, NAME, NAME=OPERAND, and a baseline. */
START_TEST(test_operands)
{
	_autofree_ char *path = test_path("tests/data/hosts/linux-6.1.json"), *renamed = NULL;
	_autofree_ char *odd = NULL;
	struct abibase_profile *p = NULL;
	struct abibase_baseline *b = NULL;

	ck_assert_int_eq(abibase_operand_load(t.ctx, path, &p, &b), 0);
	ck_assert_str_eq(test_name(p), "linux-6.1");
	ck_assert_ptr_null(b);
	abibase_profile_unref(p);
	ck_assert_int_gt(asprintf(&renamed, "node-7=%s", path), 0);
	ck_assert_int_eq(abibase_operand_load(t.ctx, renamed, &p, &b), 0);
	ck_assert_str_eq(test_name(p), "node-7");
	abibase_profile_unref(p);
	ck_assert_int_eq(abibase_operand_load(t.ctx, "old=debian-12", &p, &b), 0);
	ck_assert_str_eq(test_name(p), "old");
	abibase_profile_unref(p);
	ck_assert_int_eq(abibase_operand_load(t.ctx, "debian-12", &p, &b), 0);
	ck_assert_str_eq(test_name(p), "debian-12");
	ck_assert_str_eq(p->kind, "platform");
	abibase_profile_unref(p);
	p = NULL;
	/* never a file of the working directory */
	ck_assert_int_eq(abibase_operand_load(t.ctx, "README", &p, &b), -ENOENT);
	ck_assert_int_eq(abibase_operand_load(t.ctx, "./nothing", &p, &b), -ENOENT);
	ck_assert_int_lt(abibase_operand_load(t.ctx, "", &p, &b), 0);
	ck_assert_int_gt(asprintf(&odd, "no name=%s", path), 0);
	ck_assert_int_lt(abibase_operand_load(t.ctx, odd, &p, &b), 0);
	ck_assert(!p && !b);
}
END_TEST

/* A baseline is widened with the same machine, target and backends only. */
START_TEST(test_widening)
{
	struct abibase_baseline *b = ANSWER("pc-q35-7.2", "tap", host("a", "6.1", "7.2.22"));
	struct abibase_baseline *read = test_reread(t.ctx, b), *wide, *direct;
	struct abibase_profile *c = host("c", "6.12", "10.0.13");
	struct abibase_intersection *ix;
	_autofree_ char *x = NULL, *y = NULL, *z = NULL;

	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	ck_assert_int_eq(abibase_intersection_add_baseline(ix, read), 0);
	ck_assert_int_eq(abibase_intersection_add_profile(ix, c), 0);
	ck_assert_int_eq(abibase_intersection_finish(ix, &wide), 0);
	abibase_intersection_unref(ix);
	direct = ANSWER("pc-q35-7.2", "tap", host("a", "6.1", "7.2.22"),
			host("c", "6.12", "10.0.13"));
	x = test_baseline_json(t.ctx, wide);
	y = test_baseline_json(t.ctx, direct);
	ck_assert_str_eq(x, y);
	abibase_baseline_unref(wide);
	abibase_baseline_unref(direct);

	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	ck_assert_int_eq(abibase_intersection_set_machine(ix, "pc-q35-7.1"), 0);
	ck_assert_int_eq(abibase_intersection_add_baseline(ix, read), -EINVAL);
	ck_assert_ptr_nonnull(strstr(abibase_context_error(t.ctx), "pc-q35-7.1"));
	abibase_intersection_unref(ix);
	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	ck_assert_int_eq(abibase_intersection_add_backend(ix, "tap+vhost"), 0);
	ck_assert_int_eq(abibase_intersection_add_baseline(ix, read), -EINVAL);
	abibase_intersection_unref(ix);
	/* the host first: what was not said is taken from the baseline all the same */
	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	ck_assert_int_eq(abibase_intersection_add_profile(ix, c), 0);
	ck_assert_int_eq(abibase_intersection_add_baseline(ix, read), 0);
	ck_assert_int_eq(abibase_intersection_finish(ix, &wide), 0);
	abibase_intersection_unref(ix);
	z = test_baseline_json(t.ctx, wide);
	ck_assert_str_eq(y, z);
	abibase_baseline_unref(wide);
	/* another target was said */
	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	ck_assert_int_eq(abibase_intersection_add_backend(ix, "tap"), 0);
	ck_assert_int_eq(abibase_intersection_set_target(ix, "aarch64"), 0);
	ck_assert_int_eq(abibase_intersection_add_baseline(ix, read), -EINVAL);
	abibase_intersection_unref(ix);
	abibase_profile_unref(c);
	abibase_baseline_unref(b);
	abibase_baseline_unref(read);
}
END_TEST

static struct abibase_profile *without_vsock(const char *name, json_t *usable)
{
	json_t *root = test_host_json(name, "6.12", "7.2.22");
	json_t *facts = json_object_get(root, "facts");
	struct abibase_profile *p;

	json_object_del(facts, "vhost_vsock.features");
	json_object_set_new(facts, "vhost_vsock.usable", usable);
	p = test_profile_json(t.ctx, root);
	json_decref(root);
	return p;
}

/* A device beside virtio-net: in the answer when it is named, and then required. */
START_TEST(test_devices)
{
	static const char key[] = "vhost-vsock-device", machine[] = "pc-q35-7.2";
	struct abibase_baseline *plain = ANSWER(machine, NULL, host("a", "6.1", "7.2.22"));
	struct abibase_baseline *on = ANSWER(machine, "@vhost-vsock", host("a", "6.1", "7.2.22"));
	struct abibase_baseline *off = ANSWER(machine, "@vhost-vsock", host("a", "6.1", "7.2.22"),
					      host("b", "5.10", "7.2.22"));
	struct abibase_baseline *both = ANSWER(machine, "tap,@vhost-vsock,@vhost-scsi",
					       host("a", "6.1", "7.2.22"));
	struct abibase_baseline *b, *read;
	struct abibase_intersection *ix;
	_autofree_ char *x = NULL, *y = NULL;
	uint64_t word[2];

	ck_assert_ptr_null(baseline_property(plain, key, "seqpacket"));
	ck_assert(!baseline_offered(plain, "vhost-vsock", word));
	ck_assert_str_eq(baseline_property(on, key, "seqpacket"), "on");
	ck_assert_ptr_null(baseline_property(on, "vhost-scsi", "event_idx"));
	ck_assert(baseline_offered(on, "vhost-vsock", word));
	ck_assert_uint_eq(word[0], 0x130000002);
	ck_assert(baseline_offered(on, "tap+vhost", word));
	ck_assert_str_ne(abibase_baseline_id(on), abibase_baseline_id(plain));
	ck_assert_str_eq(baseline_property(off, key, "seqpacket"), "off");
	ck_assert(baseline_offered(off, "vhost-vsock", word));
	ck_assert_uint_eq(word[0], 0x130000000);
	ck_assert(baseline_offered(both, "vhost-scsi", word));
	ck_assert_uint_eq(word[0], 0x130000000);
	ck_assert(!baseline_offered(both, "tap+vhost", word));

	/* not named, its unknown does not matter; named, it is 3, and its absence 1 */
	b = ANSWER(machine, NULL, without_vsock("c", json_pack("{s:s}", "unknown", "not-asked")));
	ck_assert_int_eq(abibase_baseline_verdict(b), ABIBASE_VERDICT_YES);
	abibase_baseline_unref(b);
	b = ANSWER(machine, "@vhost-vsock",
		   without_vsock("c", json_pack("{s:s}", "unknown", "not-asked")));
	ck_assert_int_eq(abibase_baseline_verdict(b), ABIBASE_VERDICT_UNKNOWN);
	abibase_baseline_unref(b);
	b = ANSWER(machine, "@vhost-vsock", without_vsock("c", json_false()));
	ck_assert_int_eq(abibase_baseline_verdict(b), ABIBASE_VERDICT_NO);
	abibase_baseline_unref(b);

	/* read again and widened it keeps its devices; another set of them is refused */
	read = test_reread(t.ctx, on);
	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	ck_assert_int_eq(abibase_intersection_add_baseline(ix, read), 0);
	ck_assert_int_eq(abibase_intersection_finish(ix, &b), 0);
	abibase_intersection_unref(ix);
	x = test_baseline_json(t.ctx, on);
	y = test_baseline_json(t.ctx, b);
	ck_assert_str_eq(x, y);
	abibase_baseline_unref(b);
	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	ck_assert_int_eq(abibase_intersection_add_device(ix, "vhost-scsi"), 0);
	ck_assert_int_eq(abibase_intersection_add_baseline(ix, read), -EINVAL);
	ck_assert_int_eq(abibase_intersection_add_device(ix, "virtio-blk"), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "device-not-covered");
	/* they are no backends of virtio-net, and user is nobody's */
	ck_assert_int_eq(abibase_intersection_add_backend(ix, "vhost-vsock"), -EINVAL);
	ck_assert_int_eq(abibase_intersection_add_backend(ix, "user"), -EINVAL);
	abibase_intersection_unref(ix);
	abibase_baseline_unref(read);
	abibase_baseline_unref(plain);
	abibase_baseline_unref(on);
	abibase_baseline_unref(off);
	abibase_baseline_unref(both);
}
END_TEST

static struct abibase_profile *with_mtu(const char *name, const char *kernel, int mtu)
{
	json_t *root = test_host_json(name, kernel, "10.0.13");
	struct abibase_profile *p;

	if (mtu >= 0)
		json_object_set_new(json_object_get(root, "facts"), "operator.host_mtu",
				    json_integer(mtu));
	p = test_profile_json(t.ctx, root);
	json_decref(root);
	return p;
}

static bool has_finding(const struct abibase_baseline *b, const char *id, const char *word)
{
	for (size_t i = 0; i < baseline_finding_count(b); i++)
		if (streq(abibase_baseline_finding_get(b, i, "id"), id) &&
		    strstr(abibase_baseline_finding_get(b, i, "text"), word))
			return true;
	return false;
}

/* The least of what the hosts state, on all of them or on none; the bit follows. */
START_TEST(test_mtu)
{
	static const char machine[] = "pc-q35-10.0";
	struct abibase_baseline *b = ANSWER(machine, NULL, with_mtu("a", "6.12", 9000),
					    with_mtu("b", "6.12", 1500));
	struct abibase_baseline *none = ANSWER(machine, NULL, with_mtu("a", "6.12", -1),
					       with_mtu("b", "6.12", 0));
	struct abibase_baseline *more = ANSWER(machine, NULL, with_mtu("a", "6.12", 9000));
	struct abibase_baseline *c, *read = test_reread(t.ctx, b);
	struct abibase_intersection *ix;
	struct abibase_profile *p;
	_autofree_ char *x = NULL, *y = NULL;
	uint64_t word[2];

	ck_assert_str_eq(value_of(b, "host_mtu"), "1500");
	ck_assert(baseline_offered(b, "tap+vhost", word) && word[0] >> 3 & 1);
	ck_assert_ptr_null(value_of(none, "host_mtu"));
	ck_assert(baseline_offered(none, "tap+vhost", word) && !(word[0] >> 3 & 1));
	ck_assert_str_ne(abibase_baseline_id(b), abibase_baseline_id(none));
	ck_assert_str_ne(abibase_baseline_id(b), abibase_baseline_id(more));

	/* widened after it was read: what was stated is in the document */
	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	ck_assert_int_eq(abibase_intersection_add_baseline(ix, read), 0);
	p = with_mtu("c", "6.12", 9000);
	ck_assert_int_eq(abibase_intersection_add_profile(ix, p), 0);
	abibase_profile_unref(p);
	ck_assert_int_eq(abibase_intersection_finish(ix, &c), 0);
	ck_assert_str_eq(value_of(c, "host_mtu"), "1500");
	ck_assert_str_eq(abibase_baseline_id(c), abibase_baseline_id(b));
	abibase_baseline_unref(c);
	p = with_mtu("d", "6.12", 67);
	ck_assert_int_eq(abibase_intersection_add_profile(ix, p), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "fact-out-of-range");
	abibase_profile_unref(p);
	abibase_intersection_unref(ix);
	x = test_baseline_json(t.ctx, b);
	y = test_baseline_json(t.ctx, read);
	ck_assert_str_eq(x, y);

	c = ANSWER(machine, NULL, with_mtu("a", "6.12", 9000), with_mtu("b", "6.12", -1));
	ck_assert_int_eq(abibase_baseline_verdict(c), ABIBASE_VERDICT_UNKNOWN);
	ck_assert(has_finding(c, "number-unknown", "b: "));
	abibase_baseline_unref(c);
	c = ANSWER(machine, NULL, with_mtu("a", "6.12", 9000), with_mtu("b", "6.12", 0));
	ck_assert_int_eq(abibase_baseline_verdict(c), ABIBASE_VERDICT_NO);
	ck_assert(has_finding(c, "number-differs", "b: "));
	abibase_baseline_unref(c);
	abibase_baseline_unref(b);
	abibase_baseline_unref(none);
	abibase_baseline_unref(more);
	abibase_baseline_unref(read);
}
END_TEST

/* Up to machine type 2.9 QEMU asks vhost, which has no such bit: off on every backend then. */
START_TEST(test_mtu_bypass)
{
	json_t *root = test_host_json("a", "6.12", "");
	struct abibase_profile *p;
	struct abibase_baseline *b;
	uint64_t word[2];

	json_object_set_new(json_object_get(root, "facts"), "operator.host_mtu",
			    json_integer(1500));
	p = test_profile_json(t.ctx, root);
	b = ANSWER("pc-q35-2.9", "tap,=a", abibase_profile_ref(p));
	ck_assert_str_eq(value_of(b, "host_mtu"), "1500");
	abibase_baseline_unref(b);
	b = ANSWER("pc-q35-2.9", "tap,tap+vhost,=a", abibase_profile_ref(p));
	ck_assert_str_eq(value_of(b, "host_mtu"), "0");
	ck_assert(baseline_offered(b, "tap", word) && !(word[0] >> 3 & 1));
	abibase_baseline_unref(b);
	b = ANSWER("pc-q35-2.10", "tap,tap+vhost,=a", p);
	ck_assert_str_eq(value_of(b, "host_mtu"), "1500");
	abibase_baseline_unref(b);
	json_decref(root);
}
END_TEST

/* By name: all builds are set to the same, and one that makes its own of it is named. */
START_TEST(test_queue_sizes)
{
	struct abibase_profile *p[] = { host("a", "6.12", "7.2.22"), host("b", "6.12", "10.0.13") };
	struct abibase_intersection *ix;
	struct abibase_baseline *b;

	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	ck_assert_int_eq(abibase_intersection_set_machine(ix, "pc-q35-7.2"), 0);
	ck_assert_int_eq(abibase_intersection_disable(ix, "queue-sizes"), -EINVAL);
	ck_assert_int_eq(abibase_intersection_enable(ix, "queue-sizes"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		ck_assert_int_eq(abibase_intersection_add_profile(ix, p[i]), 0);
		abibase_profile_unref(p[i]);
	}
	ck_assert_int_eq(abibase_intersection_finish(ix, &b), 0);
	abibase_intersection_unref(ix);
	ck_assert_int_eq(abibase_baseline_verdict(b), ABIBASE_VERDICT_YES);
	ck_assert_str_eq(value_of(b, "rx_queue_size"), "256");
	ck_assert_str_eq(value_of(b, "tx_queue_size"), "256");
	ck_assert(has_finding(b, "size-ignored", "1024"));
	abibase_baseline_unref(b);
}
END_TEST

/* The guest ABI is what the id is of: a host's name, kernel or revision is not. */
START_TEST(test_identity)
{
	struct abibase_baseline *a = ANSWER("pc-q35-7.2", NULL, host("a", "6.12", "10.0.13"));
	struct abibase_baseline *b = ANSWER("pc-q35-7.2", NULL, host("b", "6.17", "11.1.3"),
					    host("c", "7.2", "11.1.3"));
	struct abibase_baseline *tap = ANSWER("pc-q35-7.2", "tap", host("a", "6.12", "10.0.13"));
	struct abibase_baseline *older = ANSWER("pc-q35-7.1", NULL, host("a", "6.12", "10.0.13"));
	struct abibase_baseline *less = ANSWER("pc-q35-7.2", NULL, host("a", "6.1", "10.0.13"));

	ck_assert_str_eq(abibase_baseline_id(a), abibase_baseline_id(b));
	ck_assert_uint_eq(strlen(abibase_baseline_id(a)), strlen("b1-") + 32);
	ck_assert(strprefix(abibase_baseline_id(a), "b1-"));
	ck_assert_str_ne(abibase_baseline_id(a), abibase_baseline_id(tap));
	ck_assert_str_ne(abibase_baseline_id(a), abibase_baseline_id(older));
	ck_assert_str_ne(abibase_baseline_id(a), abibase_baseline_id(less));
	abibase_baseline_unref(a);
	abibase_baseline_unref(b);
	abibase_baseline_unref(tap);
	abibase_baseline_unref(older);
	abibase_baseline_unref(less);
}
END_TEST

/* ------------------------------------------------------------------------- rendering */

START_TEST(test_formats)
{
	struct abibase_baseline *b = ANSWER("pc-q35-7.2", NULL, host("a", "6.1", "7.2.22"),
					    host("b", "6.12", "7.2.22"));
	_autofree_ char *args = list_of(b, NULL), *config = NULL, *table = NULL, *minimal = NULL;
	char *why;
	struct abibase_render *r;
	size_t lines = 0, sections = 0;

	ck_assert_int_eq(render(b, "readconfig", NULL, &config, &why), 0);
	free(why);
	ck_assert_ptr_nonnull(strstr(config, "[global]\n  driver = \"virtio-net-device\"\n"
					     "  property = \"queue_reset\"\n  value = \"off\"\n"));
	for (const char *s = args; *s; s++)
		lines += *s == '\n';
	for (const char *s = config; (s = strstr(s, "[global]")); s++)
		sections++;
	ck_assert_uint_eq(lines, sections);
	/* sorted */
	for (const char *s = args, *next; (next = strchr(s, '\n')) && next[1]; s = next + 1)
		ck_assert_int_lt(strncmp(s, next + 1, 60), 0);
	ck_assert_int_eq(render(b, "text", NULL, &table, &why), 0);
	free(why);
	ck_assert_ptr_nonnull(strstr(table, "virtio-net-device.queue_reset"));
	ck_assert_ptr_nonnull(strstr(table, "VIRTIO_F_RING_RESET"));
	ck_assert_int_eq(abibase_render_new(t.ctx, &r), 0);
	ck_assert_int_eq(abibase_render_set_format(r, "yaml"), -EINVAL);
	abibase_render_set_flags(r, ABIBASE_RENDER_MINIMAL | ABIBASE_RENDER_WITH_MACHINE);
	ck_assert_int_eq(abibase_render_run(r, b, 0, &minimal, NULL), 0);
	/* the one thing that differs from the machine type's own default */
	ck_assert_str_eq(minimal, "-machine pc-q35-7.2\n" GLOBAL("queue_reset=off") "\n");
	abibase_render_unref(r);
	abibase_baseline_unref(b);
}
END_TEST

/* Reasons name every host that forced a value; the document by the first of a cohort. */
START_TEST(test_reasons)
{
	struct abibase_baseline *b = ANSWER("pc-q35-7.2", NULL, host("good", "6.12", "7.2.22"),
					    host("one", "6.1", "7.2.22"),
					    host("two", "5.10", "7.2.22"));
	const struct value *v = baseline_value(b, "virtio-net-device", "queue_reset");
	_autofree_ char *json = test_baseline_json(t.ctx, b);

	ck_assert_ptr_nonnull(v);
	ck_assert_uint_eq(v->n_why, 1);
	ck_assert_str_eq(v->why[0].what, "vhost_net.features[40]");
	ck_assert_uint_eq(v->why[0].n_hosts, 2);
	ck_assert_str_eq(b->in.hosts[v->why[0].hosts[0]]->name, "one");
	ck_assert_str_eq(b->in.hosts[v->why[0].hosts[1]]->name, "two");
	ck_assert_ptr_nonnull(strstr(json, "\"cohorts\":[\"one\"]"));
	abibase_baseline_unref(b);
}
END_TEST

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	while ((text = strstr(text, word)) && ++n)
		text++;
	return n;
}

/* Each host has a line; only what the backends of the baseline look at makes a cohort. */
START_TEST(test_form)
{
	static const struct {
		const char *backends;
		size_t cohorts;
	} cases[] = { { NULL, 1 }, { "tap", 1 }, { "tap,macvtap", 2 }, { "macvtap", 2 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct abibase_baseline *b = ANSWER(
			"pc-q35-7.2", cases[i].backends,
			host_but("a", "6.12", "7.2.22", "macvtap.usable", "true"),
			host_but("b", "6.12", "7.2.22", "macvtap.usable", "false"),
			host_but("c", "6.12", "7.2.22", "macvtap.usable", "true"));
		struct abibase_baseline *again = test_reread(t.ctx, b);
		_autofree_ char *json = test_baseline_json(t.ctx, b);
		_autofree_ char *reread = test_baseline_json(t.ctx, again);

		ck_assert_uint_eq(count(json, "\n    {\"arch\":"), cases[i].cohorts);
		ck_assert_uint_eq(count(json, "\n\"a\":\""), 1);
		ck_assert_uint_eq(count(json, "\n\"b\":\""), 1);
		ck_assert_uint_eq(count(json, "\n\"c\":\""), 1);
		ck_assert_int_eq(count(json, "macvtap.usable") > 0, cases[i].cohorts > 1);
		ck_assert_str_eq(json, reread);
		abibase_baseline_unref(again);
		abibase_baseline_unref(b);
	}
}
END_TEST

/* What builds make of the machine type is worked out once for all answers with a host more. */
START_TEST(test_one_more)
{
	static const char *const more[][2] = { { "6.1", "7.2.22" }, { "6.12", "10.0.13" },
					       { "6.1", "11.1.3" }, { "6.1", "7.2.22" },
					       { "5.10", "5.2.0" }, { "6.12", "10.0.13" } };
	struct abibase_profile *one = host("a", "6.12", "7.2.22");
	struct abibase_profile *two = host("b", "6.12", "10.0.13");
	struct abibase_intersection *ix;

	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	ck_assert_int_eq(abibase_intersection_add_profile(ix, one), 0);
	ck_assert_int_eq(abibase_intersection_add_profile(ix, two), 0);
	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		struct abibase_profile *p = host("c", more[i][0], more[i][1]);
		struct abibase_baseline *b, *all = ANSWER(NULL, NULL, abibase_profile_ref(one),
							  abibase_profile_ref(two),
							  abibase_profile_ref(p));
		_autofree_ char *json = NULL, *wanted = test_baseline_json(t.ctx, all);

		ck_assert_int_eq(intersection_finish_with(ix, p, &b), 0);
		json = test_baseline_json(t.ctx, b);
		ck_assert_str_eq(json, wanted);
		abibase_baseline_unref(all);
		abibase_baseline_unref(b);
		abibase_profile_unref(p);
	}
	abibase_intersection_unref(ix);
	abibase_profile_unref(one);
	abibase_profile_unref(two);
}
END_TEST

static json_t *baseline_root(struct abibase_baseline *b)
{
	_autofree_ char *json = test_baseline_json(t.ctx, b);
	json_t *root = json_loads(json, 0, NULL);

	ck_assert_ptr_nonnull(root);
	abibase_baseline_unref(b);
	return root;
}

static int read_root(const json_t *root, struct abibase_baseline **ret)
{
	_autofree_ char *text = NULL;

	ck_assert_int_eq(json_give(root, &text), 0);
	return baseline_from_buffer(t.ctx, text, strlen(text), "t", ret);
}

/* Hosts that answer alike are a line each, and there is no number of them that is refused. */
START_TEST(test_many_hosts)
{
	const size_t many = getenv("ABIBASE_TEST_ROUNDS") ? 2000 : 100000; /* fewer under valgrind */
	json_t *root = baseline_root(ANSWER("pc-q35-7.2", NULL, host("good", "6.12", "7.2.22"),
					    host("twin", "6.12", "7.2.22"),
					    host("old", "6.1", "7.2.22")));
	json_t *inputs = json_object_get(root, "inputs"), *hosts;
	_autofree_ char *before = NULL, *after = NULL;
	struct abibase_baseline *b;
	char name[40];

	ck_assert_uint_eq(json_array_size(inputs), 2);
	hosts = json_object_get(json_array_get(inputs, 0), "hosts");
	ck_assert_uint_eq(json_object_size(hosts), 2);
	ck_assert_int_eq(json_give(root, &before), 0);
	for (size_t i = 0; i < many; i++) {
		snprintf(name, sizeof(name), "node-%06zu.example.org", i);
		json_object_set(hosts, name, json_object_get(hosts, "good"));
	}
	ck_assert_int_eq(read_root(root, &b), 0);
	ck_assert_uint_eq(b->in.n_hosts, many + 3);
	after = test_baseline_json(t.ctx, b);
	ck_assert_uint_lt(strlen(after) - strlen(before), 120 * many);
	abibase_baseline_unref(b);
	json_decref(root);
}
END_TEST

/* A reason is a few bytes and may name a cohort of any size: what a reader would do hours for is refused. */
START_TEST(test_many_reasons)
{
	const size_t many = 1 << 14, reasons = (1 << 13) + 1;
	json_t *root = baseline_root(ANSWER("pc-q35-7.2", NULL, host("good", "6.12", "7.2.22"),
					    host("old", "6.1", "7.2.22")));
	json_t *hosts = json_object_get(json_array_get(json_object_get(root, "inputs"), 0), "hosts");
	json_t *values = json_object_get(json_array_get(json_object_get(root, "outputs"), 0), "values");
	json_t *v, *why = NULL;
	struct abibase_baseline *b;
	char name[40];
	size_t i;

	json_array_foreach(values, i, v)
		if (json_array_size(json_object_get(v, "why")))
			why = json_object_get(v, "why");
	ck_assert_ptr_nonnull(why);
	for (i = 0; i < many; i++) {
		snprintf(name, sizeof(name), "node-%zu", i);
		json_object_set(hosts, name, json_object_iter_value(json_object_iter(hosts)));
	}
	while (json_array_size(why) < reasons)
		json_array_append(why, json_array_get(why, 0));
	ck_assert_int_eq(read_root(root, &b), -EBADMSG);
	ck_assert_msg(strstr(abibase_context_error(t.ctx), "too many reasons") != NULL, "%s",
		      abibase_context_error(t.ctx));
	json_decref(root);
}
END_TEST

static void refused(json_t *root, const char *sentence)
{
	struct abibase_baseline *b;

	ck_assert_int_eq(read_root(root, &b), -EBADMSG);
	ck_assert_msg(strstr(abibase_context_error(t.ctx), sentence) != NULL, "%s",
		      abibase_context_error(t.ctx));
	json_decref(root);
}

START_TEST(test_wrong_cohorts)
{
	json_t *root = baseline_root(ANSWER("pc-q35-7.2", NULL, host("good", "6.12", "7.2.22"),
					    host("old", "6.1", "7.2.22")));
	json_t *inputs = json_object_get(root, "inputs"), *twice = json_deep_copy(root);
	json_t *other = json_deep_copy(root), *none = json_deep_copy(root);
	json_t *hosts;

	json_array_append(inputs, json_array_get(inputs, 0));
	json_array_remove(inputs, 0);
	refused(root, "cohorts must be sorted by their first hosts");
	inputs = json_object_get(twice, "inputs");
	hosts = json_object_get(json_array_get(inputs, 0), "hosts");
	json_object_set(hosts, "old", json_object_get(hosts, "good"));
	refused(twice, "the host \"old\" is in two cohorts");
	json_array_append_new(json_object_get(json_array_get(json_object_get(other, "backends"), 0),
					      "absent_on"), json_string("new"));
	refused(other, "\"new\" is not among the cohorts");
	inputs = json_object_get(none, "inputs");
	json_object_clear(json_object_get(json_array_get(inputs, 0), "hosts"));
	refused(none, "must have at least 1");
}
END_TEST

/* The machine types that hosts share; the first is the one that is chosen. */
START_TEST(shared_machines)
{
	struct abibase_profile *p[] = { test_host(t.ctx, "a", "6.1", "7.2.22"),
					test_host(t.ctx, "b", "6.12", "10.0.13 11.1.3"),
					test_host(t.ctx, "c", "6.1", "") };
	struct abibase_intersection *ix;
	struct abibase_baseline *chosen;
	struct abibase_result *res;
	const struct abibase_value *list;

	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	ck_assert_int_eq(abibase_intersection_machines(ix, &res), -EINVAL);
	ck_assert_int_eq(abibase_intersection_add_profile(ix, p[0]), 0);
	ck_assert_int_eq(abibase_intersection_add_profile(ix, p[1]), 0);
	ck_assert_int_eq(abibase_intersection_machines(ix, &res), 0);
	ck_assert_int_eq(abibase_intersection_finish(ix, &chosen), 0);
	list = abibase_value_get(abibase_result_value(res), "machines");
	ck_assert_int_eq(abibase_result_verdict(res), ABIBASE_VERDICT_YES);
	ck_assert_str_eq(test_string(list, "0"), chosen->machine);
	ck_assert_str_eq(test_string(list, "0"), "pc-q35-7.2");
	ck_assert_str_eq(test_string(list, "1"), "pc-q35-7.1");
	ck_assert_uint_gt(abibase_value_count(list), 10);
	abibase_result_unref(res);
	abibase_baseline_unref(chosen);
	ck_assert_int_eq(abibase_intersection_add_profile(ix, p[2]), 0);
	ck_assert_int_eq(abibase_intersection_machines(ix, &res), 0);
	ck_assert_int_ne(abibase_result_verdict(res), ABIBASE_VERDICT_YES);
	ck_assert_uint_eq(abibase_value_count(abibase_value_get(abibase_result_value(res), "machines")),
			  0);
	ck_assert_uint_ge(result_finding_count(res), 1);
	abibase_result_unref(res);
	abibase_intersection_unref(ix);
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		abibase_profile_unref(p[i]);
}
END_TEST

/* A baseline that was read has no catalogue: the types come from that of the context. */
START_TEST(test_override_of_document)
{
	struct abibase_baseline *b = ANSWER("pc-q35-7.2", NULL, host("a", "6.12", "7.2.22"));
	struct abibase_baseline *read;
	_autofree_ char *document = test_baseline_json(t.ctx, b), *text = NULL;
	struct abibase_render *r;

	ck_assert_int_eq(baseline_from_buffer(t.ctx, document, strlen(document), "t", &read), 0);
	ck_assert_int_eq(abibase_render_new(t.ctx, &r), 0);
	ck_assert_int_eq(abibase_render_set_format(r, "libvirt-override"), 0);
	ck_assert_int_eq(abibase_render_run(r, read, 0, &text, NULL), -EINVAL);
	ck_assert_int_eq(abibase_render_add_alias(r, NULL, "net'0"), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "list-alias");
	ck_assert_int_eq(abibase_render_add_alias(r, NULL, "net0"), 0);
	ck_assert_int_eq(abibase_render_run(r, read, 0, &text, NULL), ABIBASE_VERDICT_YES);
	ck_assert_ptr_nonnull(strstr(text, "name='mrg_rxbuf' type='bool' value='true'/>"));
	ck_assert_int_eq(abibase_render_add_alias(r, "vhost-scsi", "hostdev0"), 0);
	ck_assert_int_eq(abibase_render_run(r, read, 0, &text, NULL), -EINVAL);
	abibase_render_unref(r);
	abibase_baseline_unref(read);
	abibase_baseline_unref(b);
}
END_TEST

static char *without_inputs(const struct abibase_baseline *b)
{
	struct abibase_render *r;
	char *text = NULL;

	ck_assert_int_eq(abibase_render_new(t.ctx, &r), 0);
	ck_assert_int_eq(abibase_render_set_format(r, "json"), 0);
	abibase_render_set_flags(r, ABIBASE_RENDER_NO_INPUTS);
	ck_assert_int_ge(abibase_render_run(r, b, 0, &text, NULL), 0);
	ck_assert_ptr_nonnull(text);
	abibase_render_unref(r);
	return text;
}

/* The same id, written again as it was read; a host stands in with @qemus QEMUs, or an assumed one. */
static void check_no_inputs(struct abibase_baseline *b, unsigned int qemus)
{
	_autofree_ char *text = without_inputs(b), *again = NULL;
	struct abibase_intersection *ix;
	struct abibase_baseline *read;

	assert_verdict(b, ABIBASE_VERDICT_YES);
	ck_assert_int_eq(baseline_from_buffer(t.ctx, text, strlen(text), "t", &read), 0);
	ck_assert_str_eq(abibase_baseline_id(read), abibase_baseline_id(b));
	again = test_baseline_json(t.ctx, read);
	ck_assert_str_eq(again, text);
	ck_assert_uint_eq(read->in.n_hosts, 1);
	ck_assert_uint_eq(read->in.hosts[0]->n_qemu, qemus);
	ck_assert_int_eq(inputs_assumes_qemu(&read->in, read->in.hosts[0]), !qemus);
	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	ck_assert_int_eq(abibase_intersection_add_baseline(ix, read), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "no-inputs");
	abibase_intersection_unref(ix);
	abibase_baseline_unref(read);
	abibase_baseline_unref(b);
}

START_TEST(test_no_inputs)
{
	check_no_inputs(ANSWER("pc-q35-7.2", NULL, host("good", "6.12", "7.2.22"),
			       host("new", "6.1", "10.0.13")), 2);
	check_no_inputs(ANSWER("pc-q35-7.2", "=noq", host("noq", "6.12", "")), 0);
}
END_TEST

/* What is no answer keeps its inputs, and needs them. */
START_TEST(test_no_inputs_no_answer)
{
	struct abibase_baseline *b = ANSWER("pc-q35-9.9", NULL, host("good", "6.12", "7.2.22"));
	_autofree_ char *text = without_inputs(b);
	json_t *root = json_loads(text, 0, NULL);

	ck_assert_ptr_nonnull(json_object_get(root, "inputs"));
	json_object_del(root, "inputs");
	json_object_del(root, "conditions");
	refused(root, "the key \"inputs\" is missing");
	abibase_baseline_unref(b);
	b = ANSWER("pc-q35-7.2", NULL, host("good", "6.12", "7.2.22"));
	root = baseline_root(b);
	json_object_del(root, "inputs");
	refused(root, "the key \"inputs\" is missing");
}
END_TEST

static bool is_in(const struct names *names, const char *s)
{
	for (size_t i = 0; i < names->n; i++)
		if (streq(names->s[i], s))
			return true;
	return false;
}

/* By which evidence: a QEMU that was asked, and one of which only the version is known. */
START_TEST(test_scope)
{
	struct abibase_baseline *b =
		ANSWER("pc-q35-7.2", "tap,@vhost-vsock", host("asked", "6.12", "10.0.13"),
		       host_with("told", "6.12",
				 "[{\"version\": \"9.0.0\", \"target\": \"x86_64\"}]"));
	const struct scope *s = &b->scope;

	ck_assert_uint_eq(s->devices.n, 2);
	ck_assert(is_in(&s->devices, "virtio-net") && is_in(&s->devices, "vhost-vsock"));
	ck_assert(is_in(&s->layers, "tap") && is_in(&s->layers, "vhost-vsock"));
	ck_assert(is_in(&s->layers, "QEMU") && !is_in(&s->layers, "vhost-net"));
	ck_assert(is_in(&s->not_compared, "cpu"));
	ck_assert_uint_eq(b->n_used, 2);
	for (size_t u = 0; u < b->n_used; u++)
		if (streq(b->used[u].build->version, "9.0.0"))
			ck_assert_uint_eq(s->evidence[u], 1u << EVIDENCE_CATALOGUE);
		else
			ck_assert(s->evidence[u] & 1u << EVIDENCE_RECORD);
	abibase_baseline_unref(b);
}
END_TEST

Suite *suite_intersect(void)
{
	Suite *suite = suite_create("intersect");
	TCase *values = tcase_create("values"), *backends = tcase_create("backends");
	TCase *machines = tcase_create("machines"), *qemus = tcase_create("qemus");
	TCase *hosts = tcase_create("hosts"), *texts = tcase_create("texts");
	TCase *all[] = { values, backends, machines, qemus, hosts, texts };

	tcase_add_test(values, test_debian_12_13);
	tcase_add_test(values, shared_machines);
	tcase_add_test(values, test_tunnels);
	tcase_add_test(values, test_dependencies_close);
	tcase_add_test(values, test_offered);
	tcase_add_test(backends, test_vhost_absent);
	tcase_add_test(backends, test_vhost_unknown);
	tcase_add_test(backends, test_no_backend_left);
	tcase_add_test(backends, test_requirements);
	tcase_add_test(backends, test_all_conflicts);
	tcase_add_test(machines, test_machine_names);
	tcase_add_test(machines, test_machine_chosen);
	tcase_add_test(machines, test_without_qemu_facts);
	tcase_add_test(machines, test_unasked_qemu);
	tcase_add_test(machines, test_exceptions_are_named);
	tcase_add_test(machines, test_vendor_machine);
	tcase_add_test(qemus, test_several_qemus);
	tcase_add_test(qemus, test_no_common_list);
	tcase_add_test(qemus, test_override_of_document);
	tcase_add_test(qemus, test_host_without_machine);
	tcase_add_test(hosts, test_architectures);
	tcase_add_test(hosts, test_names);
	tcase_add_test(hosts, test_operands);
	tcase_add_test(hosts, test_widening);
	tcase_add_test(hosts, test_devices);
	tcase_add_test(hosts, test_mtu);
	tcase_add_test(hosts, test_mtu_bypass);
	tcase_add_test(hosts, test_queue_sizes);
	tcase_add_test(hosts, test_identity);
	tcase_add_test(texts, test_formats);
	tcase_add_test(texts, test_reasons);
	tcase_add_test(texts, test_form);
	tcase_add_test(hosts, test_one_more);
	tcase_add_test(texts, test_many_hosts);
	tcase_add_test(texts, test_many_reasons);
	tcase_add_test(texts, test_wrong_cohorts);
	tcase_add_test(texts, test_no_inputs);
	tcase_add_test(texts, test_scope);
	tcase_add_test(texts, test_no_inputs_no_answer);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		tcase_add_checked_fixture(all[i], setup, teardown);
		tcase_set_timeout(all[i], 60);
		suite_add_tcase(suite, all[i]);
	}
	return suite;
}
