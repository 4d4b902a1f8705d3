/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Observation: scripts that speak qtest well and badly, what a difference from the prediction is
 * put down to, and what a recorded shape does to an answer. The real QEMUs are observe.sh's.
 */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "model/effective.h"
#include "qemu/observe.h"
#include "qemu/qmp.h"
#include "qemu/qtest.h"
#include "qtest-script.h"
#include "suites.h"
#include "test-util.h"

static struct test t;
static struct observe_request rq;
static char dir[] = "/tmp/abibase-observe-XXXXXX";

static void setup(void)
{
	test_begin(&t);
	strcpy(dir, "/tmp/abibase-observe-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	rq = (struct observe_request){ .backend = QTEST_USER, .machine = "pc-q35-7.2",
				       .timeout_ms = 10000 };
}

static void teardown(void)
{
	char command[PATH_MAX];

	test_end(&t);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

/* ------------------------------------------------------------ scripted QEMUs */

static const char *program(const char *text)
{
	static char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/qemu", dir);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, 0755), 0);
	return path;
}

START_TEST(test_device)
{
	struct qtest_device dev;
	json_t *record;
	char *text;

	rq.qemu = program(QTEST_SCRIPT("", "", "", "3"));
	ck_assert_msg(observe_run(t.ctx, &rq, &dev) == 0, "%s", abibase_context_error(t.ctx));
	ck_assert_uint_eq(dev.offered[0], 0x10130bfffa7);
	ck_assert_uint_eq(dev.offered[1], 0x1e);
	ck_assert_uint_eq(dev.n_queues, 3);
	ck_assert_uint_eq(dev.queue_size[0], 256);
	ck_assert_uint_eq(dev.queue_size[2], 64);
	ck_assert_uint_eq(dev.config_size, 8);
	ck_assert_uint_eq(dev.vectors, 4);
	ck_assert_uint_eq(dev.bar[0].size, 0);
	ck_assert_uint_eq(dev.bar[4].size, 16384);
	ck_assert_uint_eq(dev.bar[5].size, 0);
	record = observation_json(&dev);
	ck_assert_int_eq(json_give(record, &text), 0);
	ck_assert_ptr_nonnull(strstr(text, "\"0x000000000000001e0000010130bfffa7\""));
	ck_assert_ptr_nonnull(strstr(text, "\"kind\": \"mem64\""));
	ck_assert_ptr_nonnull(strstr(text, "\"vectors\": 4"));
	free(text);
	json_decref(record);
}
END_TEST

/* What it is started with. */
START_TEST(test_command_line)
{
	static const char *const settings[] = { "virtio-net-device.csum=off",
						"virtio-net-device.mq=off", NULL };
	struct qtest_device dev;
	char path[PATH_MAX];
	char *text;
	FILE *f;

	rq.qemu = program(QTEST_SCRIPT("echo \"$*\" >${0%/*}/args\n", "", "", "3"));
	rq.settings = settings;
	ck_assert_int_eq(observe_run(t.ctx, &rq, &dev), 0);
	snprintf(path, sizeof(path), "%s/args", dir);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	text = calloc(1, 4096);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_gt(fread(text, 1, 4095, f), 0);
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, " -S "));
	ck_assert_ptr_nonnull(strstr(text, " -machine pc-q35-7.2,accel=tcg:kvm "));
	ck_assert_ptr_nonnull(strstr(text, " -global virtio-net-device.csum=off -global "
					   "virtio-net-device.mq=off -netdev user,"));
	ck_assert_ptr_null(strstr(text, "x-"));
	free(text);
}
END_TEST

static const struct {
	const char *text, *words;
	int err;
} failures[] = {
	{ "#!/bin/sh\necho no such machine >&2\nexit 1\n",
	  "exited with status 1; it said: no such machine", EPIPE },
	{ "#!/bin/sh\nkill -SEGV $$\n", "killed by signal 11", EPIPE },
	{ "#!/bin/sh\nexec sleep 100\n", "no answer over qtest in time", ETIMEDOUT },
	{ "#!/bin/sh\nsleep 100 &\nsleep 100\n", "no answer over qtest in time", ETIMEDOUT },
	{ "#!/bin/sh\nprintf 'OK'\nexec sleep 100\n", "no answer over qtest in time", ETIMEDOUT },
	{ "#!/bin/sh\nexec tr '\\0' x </dev/zero\n", "not the qtest protocol", EBADMSG },
	{ "#!/bin/sh\nexec yes 'IRQ raise 1'\n", "says more", EMSGSIZE },
	{ "#!/bin/sh\necho '{\"QMP\": {}}'; exec sleep 100\n", "not the qtest protocol", EBADMSG },
	{ "#!/bin/sh\nwhile read -r l; do echo OK; done\n", "not the qtest protocol", EBADMSG },
	{ "#!/bin/sh\nwhile read -r l; do echo OK 0x; done\n", "not the qtest protocol", EBADMSG },
	{ "#!/bin/sh\nwhile read -r l; do echo FAIL; done\n", "not the qtest protocol", EBADMSG },
	{ QTEST_SCRIPT("", "", "0) say 0xffffffff ;;\n", "3"), "slot 5 does not have", ENODEV },
	{ QTEST_SCRIPT("", "", "52) say 0 ;;\n", "3"), "no modern interface", ENODEV },
	/* a list of capabilities that never ends */
	{ QTEST_SCRIPT("", "", "65) say 64 ;;\n", "3"), "no modern interface", ENODEV },
	{ QTEST_SCRIPT("", "", "68) say 6 ;;\n", "3"), "not the qtest protocol", EBADMSG },
	{ QTEST_SCRIPT("", "", "", "65"), "not the qtest protocol", EBADMSG },
	{ QTEST_SCRIPT("", "readw:0xe0000018) exit 3 ;;\n", "", "3"), "exited with status 3", EPIPE },
	{ QTEST_SCRIPT("", "readb:*) exec sleep 100 ;;\n", "", "3"), "no answer over qtest", ETIMEDOUT },
	{ "\177ELF", "Exec format error", ENOEXEC },
};

START_TEST(test_failures)
{
	int64_t start = process_now();
	struct qtest_device dev;

	rq.timeout_ms = test_patience(failures[_i].words);
	rq.qemu = program(failures[_i].text);
	ck_assert_int_eq(observe_run(t.ctx, &rq, &dev), -failures[_i].err);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "observe-failed");
	ck_assert_msg(strstr(abibase_context_error(t.ctx), failures[_i].words), "%s",
		      abibase_context_error(t.ctx));
	ck_assert_int_lt(process_now() - start, 4500 + test_patience(failures[_i].words));
}
END_TEST

START_TEST(test_request)
{
	struct qtest_device dev;

	ck_assert_int_eq(qtest_backend("hub"), -1);
	ck_assert_int_eq(qtest_backend("tap+vhost"), QTEST_TAP_VHOST);
	rq.qemu = "/nonexistent/qemu";
	ck_assert_int_eq(observe_run(t.ctx, &rq, &dev), -ENOENT);
	rq.machine = "q35,accel=kvm";
	ck_assert_int_eq(observe_run(t.ctx, &rq, &dev), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "observe-failed");
}
END_TEST

/* -------------------------------------------- what a difference is put down to */

#define TAP_ALL                                                                                    \
	"\"tap.usable\": true, \"tap.features\": \"0x00007173\", \"tap.offload.ufo\": true, "      \
	"\"tap.offload.udp_tunnel\": true"
#define PROFILE(facts, qemu)                                                                       \
	"{\"schema\": \"abibase-profile/1\", \"kind\": \"host\", \"name\": \"h\", "                \
	"\"arch\": \"x86_64\", \"facts\": {" facts "}, \"qemu\": [{\"target\": \"x86_64\", "       \
	"\"path\": \"/q\", " qemu "}]}"
#define USO ", \"tap.offload.uso\": true"
#define NO_USO ", \"tap.offload.uso\": false"
#define V10 "\"version\": \"10.0.2\""
#define RECORDED(values) V10 ", \"values\": {\"pc-q35-10.0\": {" values "}}"
#define OFFER 0x1c0010130bfffa7
#define BIT(n) ((uint64_t)1 << (n))
#define ALL_USO (BIT(54) | BIT(55) | BIT(56))

static const struct {
	const char *facts, *qemu;
	uint64_t offered;
	unsigned int size;
	const char *settings[3];
	int n;
	enum abibase_cause cause;
	const char *words;
} differences[] = {
	{ TAP_ALL USO, V10, OFFER, 256, { NULL }, 0, 0, NULL },
	{ TAP_ALL NO_USO, V10, OFFER & ~ALL_USO, 256, { NULL }, 0, 0, NULL },
	/* nothing was predicted where a fact is unknown */
	{ TAP_ALL, V10, OFFER, 256, { NULL }, 0, 0, NULL },
	{ TAP_ALL, V10, OFFER & ~ALL_USO, 256, { NULL }, 0, 0, NULL },
	/* what is set is predicted */
	{ TAP_ALL USO, V10, OFFER & ~BIT(56), 256, { "virtio-net-device.host_uso=off" }, 0, 0,
	  NULL },
	{ TAP_ALL USO, V10, OFFER | BIT(34), 256, { "virtio-net-device.packed=on" }, 0, 0, NULL },
	{ TAP_ALL USO, V10, OFFER, 64, { "virtio-net-device.rx_queue_size=64" }, 0, 0, NULL },
	/* all that need a fact are offered, or all are masked: the fact is wrong */
	{ TAP_ALL NO_USO, V10, OFFER, 256, { NULL }, 3, ABIBASE_CAUSE_HOST_FACT,
	  "VIRTIO_NET_F_GUEST_USO4 (bit 54) is offered, which needs tap.offload.uso" },
	{ TAP_ALL USO, V10, OFFER & ~ALL_USO, 256, { NULL }, 3, ABIBASE_CAUSE_HOST_FACT,
	  "tap.offload.uso, which it needs, is recorded as present" },
	/* only one of them differs: the others vouch for the fact */
	{ TAP_ALL NO_USO, V10, (OFFER & ~ALL_USO) | BIT(56), 256, { NULL }, 1,
	  ABIBASE_CAUSE_CATALOGUE, "does not need tap.offload.uso" },
	{ TAP_ALL USO, V10, OFFER & ~BIT(56), 256, { NULL }, 1, ABIBASE_CAUSE_CATALOGUE,
	  "VIRTIO_NET_F_HOST_USO (bit 56) is not offered, though nothing is missing" },
	{ TAP_ALL USO, RECORDED("\"virtio-net-device.host_uso\": true"), OFFER & ~BIT(56), 256,
	  { NULL }, 1, ABIBASE_CAUSE_BUILD, "bit 56) is not offered, though nothing is missing" },
	{ TAP_ALL USO, V10, OFFER & ~BIT(56), 256, { "virtio-net-device.host_uso=on" }, 1,
	  ABIBASE_CAUSE_BUILD, "bit 56) is not offered" },
	/* no host has a say in these */
	{ TAP_ALL USO, V10, OFFER & ~BIT(40), 256, { NULL }, 1, ABIBASE_CAUSE_CATALOGUE,
	  "RING_RESET (bit 40) is not offered" },
	{ TAP_ALL USO, RECORDED("\"virtio-net-device.queue_reset\": true"), OFFER & ~BIT(40), 256,
	  { NULL }, 1, ABIBASE_CAUSE_BUILD, "RING_RESET (bit 40) is not offered" },
	{ TAP_ALL USO, V10, OFFER & ~BIT(32), 256, { NULL }, 1, ABIBASE_CAUSE_BUILD,
	  "VERSION_1 (bit 32) is not offered" },
	/* offered where it should be off */
	{ TAP_ALL USO, V10, OFFER | BIT(34), 256, { NULL }, 1, ABIBASE_CAUSE_CATALOGUE,
	  "virtio-net-device.packed is off by the catalogue" },
	{ TAP_ALL USO, RECORDED("\"virtio-net-device.packed\": false"), OFFER | BIT(34), 256,
	  { NULL }, 1, ABIBASE_CAUSE_BUILD, "virtio-net-device.packed is off" },
	{ TAP_ALL USO, V10 ", \"properties\": {\"virtio-net-pci\": {}}", OFFER | BIT(34), 256,
	  { "virtio-net-device.packed=off" }, 1, ABIBASE_CAUSE_BUILD, "packed is off" },
	{ TAP_ALL USO, V10, OFFER | BIT(58), 256, { NULL }, 1, ABIBASE_CAUSE_CATALOGUE,
	  "bit 58 is offered, which no row has" },
	/* queues */
	{ TAP_ALL USO, V10, OFFER, 1024, { NULL }, 1, ABIBASE_CAUSE_CATALOGUE,
	  "its largest queue has 1024 entries, and that of QEMU 10.0.2 has 256" },
	{ TAP_ALL USO, V10 ", \"package\": \"Own 1\"", OFFER, 1024, { NULL }, 1,
	  ABIBASE_CAUSE_BUILD, "its largest queue has 1024 entries" },
	/* what is started that should not exist */
	{ "\"tap.usable\": false", V10, OFFER, 256, { NULL }, 1, ABIBASE_CAUSE_HOST_FACT,
	  "it works, though tap.usable is recorded as missing" },
	{ TAP_ALL USO, V10 ", \"machines\": {\"pc-q35-9.2\": {}}", OFFER, 256, { NULL }, 1,
	  ABIBASE_CAUSE_BUILD, "this machine type, which its record does not list" },
};

struct told {
	int n;
	enum abibase_cause cause;
	struct buf text;
};

static void tell(void *data, enum abibase_cause cause, const char *id, const char *text)
{
	struct told *told = data;

	told->n++;
	told->cause = cause;
	buf_printf(&told->text, "%s %s\n", id, text);
}

/* An observation on a tap that nobody made. */
static struct qtest_device pretend(uint64_t offered, unsigned int size, unsigned int vectors)
{
	rq.qemu = "/q";
	rq.machine = "pc-q35-10.0";
	rq.backend = QTEST_TAP;
	return (struct qtest_device){ .offered = { offered, 0 }, .n_queues = 3,
				      .queue_size = { size, size, 64 }, .config_size = 8,
				      .vectors = vectors };
}

static struct abibase_profile *profile(const char *facts, const char *qemu)
{
	struct abibase_profile *p = NULL;
	char *text;

	ck_assert_int_gt(asprintf(&text, PROFILE("%s", "%s"), facts, qemu), 0);
	ck_assert_msg(profile_from_buffer(t.ctx, text, strlen(text), "p", &p) == 0, "%s",
		      abibase_context_error(t.ctx));
	free(text);
	return p;
}

START_TEST(test_differences)
{
	struct told told = { 0 };
	struct abibase_profile *p = profile(differences[_i].facts, differences[_i].qemu);
	struct qtest_device dev = pretend(differences[_i].offered, differences[_i].size, 4);

	rq.settings = differences[_i].settings;
	ck_assert_int_eq(observe_compare(t.ctx, t.cat, &rq, &dev, p, NULL, NULL),
			 observe_compare(t.ctx, t.cat, &rq, &dev, p, tell, &told));
	ck_assert_msg(told.n == differences[_i].n, "%s", told.n ? told.text.data : "nothing");
	if (told.n) {
		ck_assert_msg(told.cause == differences[_i].cause, "%s", told.text.data);
		ck_assert_msg(strstr(told.text.data, differences[_i].words), "%s", told.text.data);
	}
	buf_clear(&told.text);
	abibase_profile_unref(p);
}
END_TEST

static const struct {
	const char *qemu, *setting;
	unsigned int vectors;
	enum abibase_cause cause;
	const char *words; /* NULL: as predicted */
} tables[] = {
	{ V10, NULL, 3, ABIBASE_CAUSE_CATALOGUE,
	  "its MSI-X table has 3 entries, and virtio-net-pci-base.vectors says 4 by the catalogue" },
	{ RECORDED("\"virtio-net-pci-base.vectors\": 3"), NULL, 3, 0, NULL },
	{ RECORDED("\"virtio-net-pci-base.vectors\": 3"), NULL, 4, ABIBASE_CAUSE_BUILD,
	  "its MSI-X table has 4 entries" },
	{ V10, "virtio-net-pci-base.vectors=6", 6, 0, NULL },
	{ V10, "virtio-net-pci-base.vectors=6", 4, ABIBASE_CAUSE_BUILD,
	  "its MSI-X table has 4 entries, and virtio-net-pci-base.vectors says 6" },
};

START_TEST(test_vectors)
{
	struct told told = { 0 };
	struct abibase_profile *p = profile(TAP_ALL USO, tables[_i].qemu);
	const char *const settings[] = { tables[_i].setting, NULL };
	struct qtest_device dev = pretend(OFFER, 256, tables[_i].vectors);

	rq.settings = settings;
	ck_assert_int_eq(observe_compare(t.ctx, t.cat, &rq, &dev, p, tell, &told),
			 tables[_i].words ? 1 : 0);
	if (tables[_i].words) {
		ck_assert_msg(told.cause == tables[_i].cause, "%s", told.text.data);
		ck_assert_msg(strstr(told.text.data, tables[_i].words), "%s", told.text.data);
	}
	buf_clear(&told.text);
	abibase_profile_unref(p);
}
END_TEST

/* A machine type may be called by its alias. */
START_TEST(test_alias)
{
	struct abibase_profile *p = profile(
		TAP_ALL USO, V10 ", \"machines\": {\"pc-q35-10.0\": {\"alias\": \"q35\"}}");
	const struct qtest_device dev = { .offered = { OFFER, 0 }, .n_queues = 1,
					  .queue_size = { 256 }, .vectors = 4 };

	pretend(OFFER, 256, 4);
	rq.machine = "q35";
	ck_assert_int_eq(observe_compare(t.ctx, t.cat, &rq, &dev, p, NULL, NULL), 0);
	abibase_profile_unref(p);
}
END_TEST

START_TEST(test_no_prediction)
{
	struct abibase_profile *p = profile(TAP_ALL USO, V10);
	struct qtest_device dev = pretend(OFFER, 256, 4);

	rq.qemu = "/other";
	ck_assert_int_eq(observe_compare(t.ctx, t.cat, &rq, &dev, p, NULL, NULL), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "qemu-not-known");
	abibase_profile_unref(p);
}
END_TEST

/* ------------------------------------------------------------------ the record */

#define SHAPE(machine, sizes)                                                                      \
	"\"shape\": {\"" machine "\": {\"tap\": {\"bars\": [{\"index\": 4, \"kind\": \"mem64\", "   \
	"\"prefetch\": true, \"size\": 16384}], \"config_size\": 8, "                              \
	"\"offered\": \"0x00000000000000000000010130bfffa7\", \"queue_sizes\": " sizes "}}}"

static const char *const bad_shapes[] = {
	"\"shape\": []",
	"\"shape\": {\"m\": true}",
	"\"shape\": {\"m\": {\"tap\": 1}}",
	"\"shape\": {\"m\": {\"tap\": {}}}",
	SHAPE("m", "256"),
	SHAPE("m", "[\"256\"]"),
	SHAPE("m", "[-1]"),
	SHAPE("m", "[256], \"more\": 1"),
	"\"shape\": {\"m\": {\"tap\": {\"bars\": [], \"config_size\": 8, \"offered\": "
	"\"0x0000010130bfffa7\", \"queue_sizes\": []}}}",
	"\"shape\": {\"m\": {\"tap\": {\"bars\": [{\"index\": 1}], \"config_size\": 8, \"offered\": "
	"\"0x00000000000000000000010130bfffa7\", \"queue_sizes\": []}}}",
};

START_TEST(test_bad_shape)
{
	struct abibase_profile *p;
	char *text;

	ck_assert_int_gt(asprintf(&text, PROFILE("", "%s"), V10), 0);
	ck_assert_int_eq(profile_from_buffer(t.ctx, text, strlen(text), "p", &p), 0);
	abibase_profile_unref(p);
	free(text);
	ck_assert_int_gt(asprintf(&text, PROFILE("", V10 ", %s"), bad_shapes[_i]), 0);
	ck_assert_int_eq(profile_from_buffer(t.ctx, text, strlen(text), "p", &p), -EBADMSG);
	free(text);
}
END_TEST

/* What is observed can be recorded, and says the same when it is read. */
START_TEST(test_record)
{
	struct qtest_device dev = pretend(OFFER, 1024, 4);
	json_t *shape = observation_json(&dev), *entry, *root;
	struct abibase_profile *p;
	char *text;

	entry = json_pack("{s:s, s:s, s:{s:{s:o}}}", "version", "10.0.13", "target", "x86_64",
			  "shape", "pc-q35-10.0", "tap", shape);
	ck_assert_ptr_nonnull(entry);
	ck_assert_int_eq(qemu_recorded_size(entry, "pc-q35-10.0", "queue_sizes"), 1024);
	ck_assert_int_eq(qemu_recorded_size(entry, "pc-q35-9.2", "queue_sizes"), -1);
	ck_assert_int_eq(qemu_recorded_size(NULL, "pc-q35-9.2", "queue_sizes"), -1);
	root = json_pack("{s:s, s:s, s:s, s:s, s:{}, s:[o]}", "schema", "abibase-profile/1", "kind",
			 "host", "name", "h", "arch", "x86_64", "facts", "qemu", entry);
	p = test_profile_json(t.ctx, root);
	ck_assert_int_eq(abibase_value_to_json(abibase_profile_value(p), &text), 0);
	ck_assert_ptr_nonnull(strstr(text, "\"0x000000000000000001c0010130bfffa7\""));
	free(text);
	abibase_profile_unref(p);
	json_decref(root);
}
END_TEST

/* --------------------------------------------------------- what it does to an answer */

static json_t *host(const char *name, const char *qemu, const char *shape)
{
	json_t *root = test_host_json(name, "6.12", qemu), *v, *entry;
	char *text;

	if (!shape)
		return root;
	ck_assert_int_gt(asprintf(&text, "{%s}", shape), 0);
	v = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(v);
	entry = json_array_get(json_object_get(root, "qemu"), 0);
	ck_assert_int_eq(json_object_update(entry, v), 0);
	json_decref(v);
	free(text);
	return root;
}

static bool conflicts(const char *a_qemu, const char *a_shape, const char *b_qemu,
		      const char *b_shape)
{
	json_t *root[2] = { host("a", a_qemu, a_shape), host("b", b_qemu, b_shape) };
	struct abibase_intersection *is;
	struct abibase_baseline *b, *again;
	bool found = false;

	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &is), 0);
	ck_assert_int_eq(abibase_intersection_set_machine(is, "pc-q35-7.2"), 0);
	ck_assert_int_eq(abibase_intersection_add_backend(is, "tap"), 0);
	for (int i = 0; i < 2; i++) {
		struct abibase_profile *p = test_profile_json(t.ctx, root[i]);

		ck_assert_int_eq(abibase_intersection_add_profile(is, p), 0);
		abibase_profile_unref(p);
		json_decref(root[i]);
	}
	ck_assert_int_eq(abibase_intersection_finish(is, &b), 0);
	/* a baseline carries what it needs of it */
	again = test_reread(t.ctx, b);
	ck_assert_int_eq(abibase_baseline_verdict(b), abibase_baseline_verdict(again));
	for (size_t i = 0; i < baseline_finding_count(b); i++)
		if (streq(abibase_baseline_finding_get(b, i, "id"), "shape-differs"))
			found = true;
	ck_assert_int_eq(abibase_baseline_verdict(b),
			 found ? ABIBASE_VERDICT_NO : ABIBASE_VERDICT_YES);
	abibase_baseline_unref(again);
	abibase_baseline_unref(b);
	abibase_intersection_unref(is);
	return found;
}

START_TEST(test_answer)
{
	/* by version */
	ck_assert(!conflicts("7.2.22", NULL, "11.1.3", NULL));
	ck_assert(conflicts("10.0.13", NULL, "11.1.3", NULL));
	/* what was recorded wins, both ways, whichever queue is the largest */
	ck_assert(conflicts("7.2.22", SHAPE("pc-q35-7.2", "[64, 512]"), "11.1.3", NULL));
	ck_assert(!conflicts("10.0.13", SHAPE("pc-q35-7.2", "[256, 256, 64]"), "11.1.3", NULL));
	ck_assert(!conflicts("10.0.13", NULL, "11.1.3", SHAPE("pc-q35-7.2", "[1024, 1024]")));
	/* of another machine type it says nothing */
	ck_assert(conflicts("10.0.13", SHAPE("pc-q35-9.2", "[256]"), "11.1.3", NULL));
	/* two builds of one version are told apart */
	ck_assert(conflicts("11.1.3", SHAPE("pc-q35-7.2", "[1024]"), "11.1.3", NULL));
}
END_TEST

Suite *suite_observe(void)
{
	Suite *s = suite_create("observe");
	TCase *tc = tcase_create("observe");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_device);
	tcase_add_test(tc, test_command_line);
	tcase_add_loop_test(tc, test_failures, 0, ARRAY_SIZE(failures));
	tcase_add_test(tc, test_request);
	tcase_add_loop_test(tc, test_differences, 0, ARRAY_SIZE(differences));
	tcase_add_loop_test(tc, test_vectors, 0, ARRAY_SIZE(tables));
	tcase_add_test(tc, test_alias);
	tcase_add_test(tc, test_no_prediction);
	tcase_add_loop_test(tc, test_bad_shape, 0, ARRAY_SIZE(bad_shapes));
	tcase_add_test(tc, test_record);
	tcase_add_test(tc, test_answer);
	suite_add_tcase(s, tc);
	return s;
}
