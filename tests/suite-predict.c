/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The prediction, held against every recorded offer. */
#include <errno.h>
#include <inttypes.h>

#include "suites.h"
#include "test-util.h"

static struct test t;
static json_t *offers;

static void setup(void)
{
	test_begin(&t);
	offers = test_json("tests/data/offered-features.json");
}

static void teardown(void)
{
	json_decref(offers);
	test_end(&t);
}

static const char *word_of(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	ck_assert_msg(s != NULL, "a row without \"%s\"", key);
	return s;
}

/* "6.1.0-56-cloud-amd64": the host that tests/data/hosts has of it. */
static const char *host_of(const char *kernel)
{
	static const char *const hosts[] = { "5.10", "6.1", "6.12", "6.17", "7.2" };
	const char *best = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		if (strprefix(kernel, hosts[i]) && kernel[strlen(hosts[i])] == '.')
			best = hosts[i];
	ck_assert_msg(best != NULL, "no recorded host for kernel %s", kernel);
	return best;
}

/* The recorded QEMU whose package is the one that made the offers of this short version. */
static const char *qemu_of(const char *qemu)
{
	static const char *const versions[] = { "5.2.0", "7.2.22", "10.0.2", "10.0.13", "11.1.3" };
	const char *package = word_of(json_object_get(offers, "qemu_packages"), qemu);

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		_autofree_ char *file = NULL;
		json_t *entry;
		bool found;

		ck_assert_int_gt(asprintf(&file, "tests/data/qemu/%s.json", versions[i]), 0);
		entry = test_json(file);
		found = strstr(word_of(entry, "package"), package) != NULL;
		json_decref(entry);
		if (found)
			return versions[i];
	}
	ck_abort_msg("no recorded QEMU is of the package %s", package);
	return NULL;
}

/* What the words of the recording stand for: the backend, and what was set. */
static const struct setup {
	const char *word, *backend;
	const char *settings[4];
} setups[] = {
	{ "tap-off", "tap", { NULL } },
	{ "tap-on", "tap+vhost", { NULL } },
	{ "macvtap-off", "macvtap", { NULL } },
	{ "macvtap-on", "macvtap+vhost", { NULL } },
	{ "user", "user", { NULL } },
	{ "vsock", "vhost-vsock", { NULL } },
	{ "opt-off", "tap", { "virtio-net-device.packed=on", "virtio-net-device.in_order=on" } },
	{ "opt-on", "tap+vhost", { "virtio-net-device.packed=on", "virtio-net-device.in_order=on" } },
	{ "rss-off", "tap", { "virtio-net-device.mq=on", "virtio-net-device.rss=on",
			      "virtio-net-device.hash=on" } },
	{ "rss-on", "tap+vhost", { "virtio-net-device.mq=on", "virtio-net-device.rss=on",
				   "virtio-net-device.hash=on" } },
};

static const struct setup *setup_named(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(setups); i++)
		if (streq(setups[i].word, word))
			return &setups[i];
	ck_abort_msg("\"%s\": not a backend that is known here", word);
	return NULL;
}

static const struct setup *setup_of(const json_t *row)
{
	return setup_named(word_of(row, "backend"));
}

static void offered_of(const json_t *row, uint64_t ret[2])
{
	const char *hex = word_of(row, "offered") + 2;
	size_t len = strlen(hex);

	ret[0] = strtoull(len > 16 ? hex + len - 16 : hex, NULL, 16);
	ret[1] = 0;
	if (len > 16) {
		_autofree_ char *high = strndup(hex, len - 16);

		ret[1] = strtoull(high, NULL, 16);
	}
}

/* @known: with what was recorded of the QEMU; else the catalogue fills everything in by version. */
static bool is_as_offered(const json_t *row, bool known)
{
	const struct setup *made = setup_of(row);
	const char *version = qemu_of(word_of(row, "qemu"));
	_autofree_ char *why = NULL, *path = NULL;
	struct abibase_profile *p;
	uint64_t want[2], got[2] = { 0, 0 };
	int r;

	ck_assert_int_gt(asprintf(&path, "/usr/lib/qemu-%s", version), 0);
	p = test_host(t.ctx, "a", host_of(word_of(row, "kernel")), known ? version : "");
	offered_of(row, want);
	r = abibase_predict(t.ctx, t.cat, p, known ? path : version, word_of(row, "machine"),
			    made->backend, made->settings, got, &why);
	abibase_profile_unref(p);
	ck_assert_msg(r >= 0, "%d: %s", r, abibase_context_error(t.ctx));
	if (r == ABIBASE_VERDICT_YES && got[0] == want[0] && got[1] == want[1])
		return true;
	fprintf(stderr,
		"kernel %s, QEMU %s (%s), %s, %s: offered 0x%016" PRIx64 "%016" PRIx64
		", predicted 0x%016" PRIx64 "%016" PRIx64 ", verdict %d%s%s\n",
		word_of(row, "kernel"), version, known ? "recorded" : "by version",
		word_of(row, "machine"), made->word, want[1], want[0], got[1], got[0], r,
		why ? ": " : "", why ? why : "");
	return false;
}

/* Each row that was recorded, no exception: whatever the device, its backend and its settings. */
static void every_row(bool known)
{
	unsigned int compared = 0, wrong = 0;
	size_t i;
	json_t *row;

	json_array_foreach(json_object_get(offers, "rows"), i, row) {
		wrong += !is_as_offered(row, known);
		compared++;
	}
	ck_assert_msg(compared >= 500, "only %u rows were compared", compared);
	ck_assert_msg(wrong == 0, "%u of %u rows predicted wrong", wrong, compared);
}

START_TEST(test_recorded_qemu)
{
	every_row(true);
}
END_TEST

START_TEST(test_by_version)
{
	every_row(false);
}
END_TEST

/* --------------------------------------------------- a guest of one row moves to another */

/* Of the rows whose device was set up alike, and whose backend a guest can have: else NULL */
static const char *backend_of(const char *word)
{
	static const char *const words[] = { "tap-off", "tap-on", "macvtap-off", "macvtap-on",
					     "opt-off", "opt-on" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (streq(words[i], word))
			return setup_named(word)->backend;
	return NULL;
}

struct place {
	const char *kernel, *version, *machine, *word;
	struct abibase_profile *host; /* with this QEMU alone */
	uint64_t offered[2];
};

static struct abibase_profile *host_at(const struct place *places, size_t n, const struct place *p)
{
	for (size_t i = 0; i < n; i++)
		if (streq(places[i].kernel, p->kernel) && streq(places[i].version, p->version))
			return abibase_profile_ref(places[i].host);
	return test_host(t.ctx, "b", p->kernel, p->version);
}

static size_t all_places(struct place **ret)
{
	const json_t *rows = json_object_get(offers, "rows");
	struct place *places = calloc(json_array_size(rows), sizeof(*places));
	size_t i, n = 0;
	json_t *row;

	ck_assert_ptr_nonnull(places);
	json_array_foreach(rows, i, row) {
		struct place *p = &places[n];

		p->word = word_of(row, "backend");
		if (!backend_of(p->word))
			continue;
		p->kernel = host_of(word_of(row, "kernel"));
		p->version = qemu_of(word_of(row, "qemu"));
		p->machine = word_of(row, "machine");
		offered_of(row, p->offered);
		p->host = host_at(places, n, p);
		n++;
	}
	*ret = places;
	return n;
}

/* A guest that took all it was offered, with queues that every QEMU takes. */
static struct abibase_guest *guest_at(const struct place *p)
{
	char word[40], name[64];
	struct abibase_guest *g;
	json_t *root;
	char *text;

	snprintf(word, sizeof(word), "0x%016" PRIx64 "%016" PRIx64, p->offered[1], p->offered[0]);
	snprintf(name, sizeof(name), "%s", backend_of(p->word));
	root = json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:s, s:[i,i,i]}]}", "schema",
			 "abibase-guest/1", "machine", p->machine, "qemu", p->version, "devices",
			 "class", "virtio-net-device", "backend", name, "negotiated", word,
			 "queue_sizes", 64, 64, 64);
	text = json_dumps(root, 0);
	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(abibase_guest_from_buffer(t.ctx, text, strlen(text), "guest", &g), 0);
	free(text);
	json_decref(root);
	return g;
}

static bool move_fits(const struct place *from, const struct place *to)
{
	return !(from->offered[0] & ~to->offered[0]) && !(from->offered[1] & ~to->offered[1]);
}

static void expect_move(struct abibase_guest *g, const struct place *from, const struct place *to)
{
	struct abibase_targets *req;
	struct abibase_result *moves;
	const char *verdict;

	ck_assert_int_eq(abibase_targets_new(t.ctx, t.cat, g, &req), 0);
	ck_assert_int_eq(abibase_targets_set_backend(req, backend_of(to->word)), 0);
	ck_assert_int_eq(abibase_targets_add_profile(req, to->host), 0);
	ck_assert_int_eq(abibase_targets_run(req, &moves), 0);
	verdict = test_string(abibase_result_value(moves), "hosts/0/verdict");
	if (streq(verdict, "now") != move_fits(from, to) || streq(verdict, "unknown")) {
		_autofree_ char *text = NULL;

		ck_assert_int_eq(abibase_result_to_text(moves, 0, &text), 0);
		ck_abort_msg("%s: %s/%s/%s to %s/%s/%s: %s", from->machine, from->kernel,
			     from->version, from->word, to->kernel, to->version, to->word, text);
	}
	abibase_result_unref(moves);
	abibase_targets_unref(req);
}

/*
 * The rule that 2285 migrations followed: what was negotiated is a subset of what is offered. Every
 * ordered pair of recorded offers under one machine type and with the same options.
 */
START_TEST(test_every_move)
{
	/* under valgrind fewer of them */
	size_t step = getenv("ABIBASE_TEST_ROUNDS") ? 13 : 1;
	struct place *places;
	size_t n = all_places(&places), moves = 0, fit = 0;

	for (size_t i = 0; i < n; i += step) {
		struct abibase_guest *g = guest_at(&places[i]);

		for (size_t k = 0; k < n; k++) {
			const struct place *from = &places[i], *to = &places[k];

			if (!streq(from->machine, to->machine) ||
			    strprefix(from->word, "opt") != strprefix(to->word, "opt"))
				continue;
			expect_move(g, from, to);
			moves++;
			fit += move_fits(from, to);
		}
		abibase_guest_unref(g);
	}
	ck_assert_msg(moves > 5000 / step && fit > moves / 4 && fit < moves - moves / 20,
		      "%zu moves, %zu of which fit", moves, fit);
	for (size_t i = 0; i < n; i++)
		abibase_profile_unref(places[i].host);
	free(places);
}
END_TEST

static int predict(struct abibase_profile *p, const char *qemu, const char *machine,
		   const char *backend, const char *setting, uint64_t ret[2], char **why)
{
	const char *const settings[] = { setting, NULL };

	return abibase_predict(t.ctx, t.cat, p, qemu, machine, backend, setting ? settings : NULL,
			       ret, why);
}

#define BIT(n) ((uint64_t)1 << (n))

/* USO under 8.1, from the versions alone: the exceptions of QEMU 8.2.0 to 8.2.4 and 9.0.0. */
START_TEST(test_uso_exception)
{
	static const struct {
		const char *version;
		bool on;
	} qemus[] = { { "8.1.5", false }, { "8.2.0", true },  { "8.2.4", true },
		      { "8.2.5", false }, { "9.0.0", true },  { "9.0.1", false },
		      { "9.2.0", false }, { "11.1.3", false } };
	const uint64_t uso = BIT(54) | BIT(55) | BIT(56);
	struct abibase_profile *p = test_host(t.ctx, "a", "6.12", "");
	uint64_t word[2];

	for (size_t i = 0; i < ARRAY_SIZE(qemus); i++) {
		ck_assert_int_eq(predict(p, qemus[i].version, "pc-q35-8.1", "tap", NULL, word,
					 NULL),
				 ABIBASE_VERDICT_YES);
		ck_assert_msg((word[0] & uso) == (qemus[i].on ? uso : 0), "QEMU %s",
			      qemus[i].version);
	}
	abibase_profile_unref(p);
}
END_TEST

START_TEST(test_with_settings)
{
	struct abibase_profile *p = test_host(t.ctx, "a", "6.12", "10.0.13");
	uint64_t plain[2], set[2];
	_autofree_ char *why = NULL;

	ck_assert_int_eq(predict(p, "10.0.13", "pc-q35-10.0", "tap", NULL, plain, NULL),
			 ABIBASE_VERDICT_YES);
	ck_assert_int_eq(predict(p, "/usr/lib/qemu-10.0.13", "pc-q35-10.0", "tap",
				 "virtio-net-device.host_uso=off", set, NULL),
			 ABIBASE_VERDICT_YES);
	ck_assert_uint_eq(plain[0] & ~set[0], BIT(56));
	ck_assert_uint_eq(set[0] & ~plain[0], 0);
	/* QEMU does not turn off what depends on it */
	ck_assert_int_eq(predict(p, "10.0.13", "pc-q35-10.0", "tap",
				 "virtio-net-device.guest_csum=off", set, NULL),
			 ABIBASE_VERDICT_YES);
	ck_assert_uint_eq(plain[0] & ~set[0], BIT(1));
	/* a property that this QEMU does not know: it would not start */
	ck_assert_int_eq(predict(p, "10.0.13", "pc-q35-10.0", "tap",
				 "virtio-net-device.host_tunnel=off", set, &why),
			 ABIBASE_VERDICT_NO);
	ck_assert_ptr_nonnull(why);
	ck_assert_ptr_nonnull(strstr(why, "host_tunnel"));
	abibase_profile_unref(p);
}
END_TEST

/* With vhost RSS takes a host that lets QEMU load its program, and a QEMU that has one. */
START_TEST(test_rss)
{
	static const char on[] = "virtio-net-device.rss=on";
	static const struct {
		int host, build; /* 0 no, 1 yes, -1 not recorded */
		int verdict;
		bool offered;
	} worlds[] = {
		{ 1, 1, ABIBASE_VERDICT_YES, true },   { 1, 0, ABIBASE_VERDICT_YES, false },
		{ 0, 1, ABIBASE_VERDICT_YES, false },  { 1, -1, ABIBASE_VERDICT_YES, true },
		{ -1, 0, ABIBASE_VERDICT_YES, false }, { -1, 1, ABIBASE_VERDICT_UNKNOWN, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(worlds); i++) {
		json_t *root = test_host_json("a", "6.12", "10.0.13");
		json_t *facts = json_object_get(root, "facts");
		json_t *qemu = json_array_get(json_object_get(root, "qemu"), 0);
		struct abibase_profile *p;
		uint64_t word[2];

		json_object_del(facts, "host.ebpf_rss");
		json_object_del(qemu, "ebpf");
		if (worlds[i].host >= 0)
			json_object_set_new(facts, "host.ebpf_rss", json_boolean(worlds[i].host));
		if (worlds[i].build >= 0)
			json_object_set_new(qemu, "ebpf", json_boolean(worlds[i].build));
		p = test_profile_json(t.ctx, root);
		ck_assert_int_eq(predict(p, "10.0.13", "pc-q35-10.0", "tap+vhost", on, word, NULL),
				 worlds[i].verdict);
		ck_assert_msg((word[0] >> 60 & 1) == worlds[i].offered, "world %zu", i);
		/* without vhost QEMU does it itself */
		ck_assert_int_eq(predict(p, "10.0.13", "pc-q35-10.0", "tap", on, word, NULL),
				 ABIBASE_VERDICT_YES);
		ck_assert(word[0] >> 60 & 1);
		abibase_profile_unref(p);
		json_decref(root);
	}
}
END_TEST

/* QEMU holds a host to what was said to be on; what follows the kernel it masks. */
START_TEST(test_vsock)
{
	static const char on[] = "vhost-vsock-device.seqpacket=on";
	struct abibase_profile *old = test_host(t.ctx, "a", "5.10", "7.2.22");
	struct abibase_profile *new = test_host(t.ctx, "b", "6.1", "7.2.22");
	uint64_t word[2];
	char *why = NULL;

	ck_assert_int_eq(predict(new, "7.2.22", "pc-q35-7.2", "vhost-vsock", on, word, NULL),
			 ABIBASE_VERDICT_YES);
	ck_assert_uint_eq(word[0], 0x130000002);
	ck_assert_int_eq(predict(new, "7.2.22", "pc-q35-7.2", "vhost-vsock",
				 "vhost-vsock-device.seqpacket=off", word, NULL),
			 ABIBASE_VERDICT_YES);
	ck_assert_uint_eq(word[0], 0x130000000);
	ck_assert_int_eq(predict(old, "7.2.22", "pc-q35-7.2", "vhost-vsock", on, word, &why),
			 ABIBASE_VERDICT_NO);
	ck_assert_ptr_nonnull(strstr(why, "would not start"));
	free(why);
	/* 6.1 offers it wherever the kernel has it, and knows no property */
	ck_assert_int_eq(predict(new, "6.1.0", "pc-q35-6.0", "vhost-vsock", NULL, word, NULL),
			 ABIBASE_VERDICT_YES);
	ck_assert_uint_eq(word[0], 0x130000002);
	ck_assert_int_eq(predict(old, "6.1.0", "pc-q35-6.0", "vhost-vsock", NULL, word, NULL),
			 ABIBASE_VERDICT_YES);
	ck_assert_uint_eq(word[0], 0x130000000);
	abibase_profile_unref(old);
	abibase_profile_unref(new);
}
END_TEST

/* What cannot be: no such machine, no such backend, nothing known. */
START_TEST(test_verdicts)
{
	json_t *root = test_host_json("a", "6.12", "10.0.13");
	json_t *facts = json_object_get(root, "facts");
	struct abibase_profile *p = test_profile_json(t.ctx, root);
	uint64_t word[2] = { 0 };
	char *why = NULL;

	ck_assert_int_eq(predict(p, "10.0.13", "pc-q35-10.2", "tap", NULL, word, &why),
			 ABIBASE_VERDICT_NO);
	ck_assert_ptr_nonnull(why);
	free(why);
	ck_assert_int_eq(predict(p, "9.0.0", "pc-q35-9.1", "tap", NULL, word, NULL),
			 ABIBASE_VERDICT_NO);
	ck_assert_int_eq(predict(p, "10.0.13", "pc-q35-10.0", "passt", NULL, word, NULL), -EINVAL);
	ck_assert_int_eq(predict(p, "9.0.0", "pc-q35-rhel9.6.0", "tap", NULL, word, NULL),
			 ABIBASE_VERDICT_UNKNOWN);
	abibase_profile_unref(p);

	json_object_set_new(facts, "vhost_net.usable", json_false());
	p = test_profile_json(t.ctx, root);
	why = NULL;
	ck_assert_int_eq(predict(p, "10.0.13", "pc-q35-10.0", "tap+vhost", NULL, word, &why),
			 ABIBASE_VERDICT_NO);
	ck_assert_ptr_nonnull(why);
	free(why);
	ck_assert_int_eq(predict(p, "10.0.13", "pc-q35-10.0", "tap", NULL, word, NULL),
			 ABIBASE_VERDICT_YES);
	abibase_profile_unref(p);

	json_object_set_new(facts, "vhost_net.usable", json_pack("{s:s}", "unknown",
								 "no-permission"));
	json_object_set_new(facts, "tap.offload.uso", json_pack("{s:s}", "unknown", "not-asked"));
	p = test_profile_json(t.ctx, root);
	why = NULL;
	ck_assert_int_eq(predict(p, "10.0.13", "pc-q35-10.0", "tap+vhost", NULL, word, &why),
			 ABIBASE_VERDICT_UNKNOWN);
	ck_assert_ptr_nonnull(why);
	ck_assert_ptr_nonnull(strstr(why, "no-permission"));
	free(why);
	why = NULL;
	ck_assert_int_eq(predict(p, "10.0.13", "pc-q35-10.0", "tap", NULL, word, &why),
			 ABIBASE_VERDICT_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(why, "tap.offload.uso"));
	free(why);
	/* under an older machine type nobody looks at it */
	ck_assert_int_eq(predict(p, "10.0.13", "pc-q35-7.2", "tap", NULL, word, NULL),
			 ABIBASE_VERDICT_YES);
	abibase_profile_unref(p);
	json_decref(root);
}
END_TEST

Suite *suite_predict(void)
{
	Suite *suite = suite_create("predict");
	TCase *recorded = tcase_create("recorded"), *made_up = tcase_create("made-up");

	tcase_add_checked_fixture(recorded, setup, teardown);
	tcase_set_timeout(recorded, 300);
	tcase_add_test(recorded, test_recorded_qemu);
	tcase_add_test(recorded, test_by_version);
	tcase_add_test(recorded, test_every_move);
	suite_add_tcase(suite, recorded);

	tcase_add_checked_fixture(made_up, setup, teardown);
	tcase_add_test(made_up, test_uso_exception);
	tcase_add_test(made_up, test_with_settings);
	tcase_add_test(made_up, test_rss);
	tcase_add_test(made_up, test_vsock);
	tcase_add_test(made_up, test_verdicts);
	suite_add_tcase(suite, made_up);
	return suite;
}
