/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guests as they are read, and where they can go. */
#include <errno.h>

#include "suites.h"
#include "test-util.h"

#define ROUNDS 400

static struct test t;

/* What the driver took of device @i; false: it is not known. */
static bool negotiated(const struct abibase_guest *g, size_t i, uint64_t ret[2])
{
	if (i >= g->n || !g->devices[i].has_negotiated)
		return false;
	memcpy(ret, g->devices[i].negotiated, sizeof(g->devices[i].negotiated));
	return true;
}

static void setup(void)
{
	test_begin(&t);
}

static void teardown(void)
{
	test_end(&t);
}

/* --------------------------------------------------------------------- reading */

#define DEVICE "\"class\": \"virtio-net-device\""

static int read_guest(const char *text, struct abibase_guest **ret)
{
	return abibase_guest_from_buffer(t.ctx, text, strlen(text), "g.json", ret);
}

/* Each refusal names its place and has its id. */
START_TEST(test_refused)
{
	static const struct {
		const char *text, *id, *where;
		int err;
	} docs[] = {
		{ "{", "json-syntax", "g.json:1", -EBADMSG },
		{ "[]", "json-wrong-type", "g.json: /", -EBADMSG },
		{ "{}", "schema-missing", "g.json: /schema", -EBADMSG },
		{ "{\"schema\": \"abibase-guest/2\", \"devices\": []}", "schema-newer",
		  "g.json: /schema", -EPROTONOSUPPORT },
		{ "{\"schema\": \"abibase-profile/1\"}", "schema-other", "g.json: /schema",
		  -EBADMSG },
		{ "{\"schema\": \"abibase-guest/1\"}", "json-missing-key", "g.json: /", -EBADMSG },
		{ "{\"schema\": \"abibase-guest/1\", \"devices\": []}", "json-bad-value",
		  "g.json: /devices", -EBADMSG },
		{ "{\"schema\": \"abibase-guest/1\", \"devices\": [{}]}", "json-missing-key",
		  "g.json: /devices/0", -EBADMSG },
		{ "{\"schema\": \"abibase-guest/1\", \"devices\": [{" DEVICE "}], \"mashine\": \"x\"}",
		  "json-unknown-key", "g.json: /mashine", -EBADMSG },
		{ "{\"schema\": \"abibase-guest/1\", \"devices\": [{" DEVICE "}, {" DEVICE
		  ", \"negotiated\": \"1c0\"}]}",
		  "json-bad-value", "g.json: /devices/1/negotiated", -EBADMSG },
		{ "{\"schema\": \"abibase-guest/1\", \"devices\": [{" DEVICE
		  ", \"negotiated\": \"0x\"}]}",
		  "json-bad-value", "g.json: /devices/0/negotiated", -EBADMSG },
		{ "{\"schema\": \"abibase-guest/1\", \"devices\": [{" DEVICE
		  ", \"negotiated\": \"0x100000000000000000000000000000000\"}]}",
		  "json-bad-value", "g.json: /devices/0/negotiated", -EBADMSG },
		{ "{\"schema\": \"abibase-guest/1\", \"devices\": [{" DEVICE
		  ", \"queue_sizes\": [256, \"256\"]}]}",
		  "json-wrong-type", "g.json: /devices/0/queue_sizes/1", -EBADMSG },
		{ "{\"schema\": \"abibase-guest/1\", \"devices\": [{" DEVICE
		  ", \"queue_sizes\": [65536]}]}",
		  "json-bad-value", "g.json: /devices/0/queue_sizes/0", -EBADMSG },
		{ "{\"schema\": \"abibase-guest/1\", \"devices\": [{" DEVICE ", \"mtu\": 7}]}",
		  "json-bad-value", "g.json: /devices/0/mtu", -EBADMSG },
		{ "{\"schema\": \"abibase-guest/1\", \"qemu\": \"ten\", \"devices\": [{" DEVICE "}]}",
		  "json-bad-value", "g.json: /qemu", -EBADMSG },
		{ "{\"schema\": \"abibase-guest/1\", \"devices\": [{" DEVICE "," DEVICE "}]}",
		  "json-duplicate-key", "g.json:1", -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(docs); i++) {
		struct abibase_guest *g = NULL;

		ck_assert_msg(read_guest(docs[i].text, &g) == docs[i].err, "%s", docs[i].text);
		ck_assert_ptr_null(g);
		ck_assert_str_eq(abibase_context_error_id(t.ctx), docs[i].id);
		ck_assert_msg(strprefix(abibase_context_error_where(t.ctx), docs[i].where),
			      "%s: %s", docs[i].text, abibase_context_error_where(t.ctx));
	}
}
END_TEST

START_TEST(test_accepted)
{
	static const char text[] =
		"{\"schema\": \"abibase-guest/1\", \"description\": 1, \"x-y\": {}, \"devices\": [{" DEVICE
		", \"tags\": [], \"negotiated\": \"0xF00000000000000010000000000000002\"}, {" DEVICE "}]}";
	struct abibase_guest *g, *again;
	_autofree_ char *json = NULL, *same = NULL;
	uint64_t word[2] = { 7, 7 };

	ck_assert_int_eq(read_guest("{\"schema\": \"abibase-guest/1\", \"devices\": [{" DEVICE
				    ", \"negotiated\": \"0xF0000000000000001000000000000002\"}]}",
				    &g),
			 0);
	ck_assert(negotiated(g, 0, word));
	ck_assert(word[0] == 0x1000000000000002 && word[1] == 0xf000000000000000);
	ck_assert(!negotiated(g, 1, word));
	abibase_guest_unref(g);
	ck_assert_int_eq(read_guest(text, &g), -EBADMSG); /* one digit too many */
	ck_assert_int_eq(read_guest("{\"schema\": \"abibase-guest/1\", \"description\": 1, "
				    "\"devices\": [{" DEVICE ", \"x-y\": {}}]}",
				    &g),
			 0);
	ck_assert(!negotiated(g, 0, word));
	ck_assert_ptr_null(g->machine);
	ck_assert_uint_eq(g->n, 1);
	ck_assert_int_eq(abibase_value_to_json(abibase_guest_value(g), &json), 0);
	ck_assert_int_eq(read_guest(json, &again), 0);
	ck_assert_int_eq(abibase_value_to_json(abibase_guest_value(again), &same), 0);
	ck_assert_str_eq(json, same);
	abibase_guest_unref(again);
	abibase_guest_unref(g);
}
END_TEST

START_TEST(test_assume)
{
	const unsigned int sizes[] = { 256, 256, 64 }, others[] = { 128 };
	struct abibase_guest *g, *more, *again;
	_autofree_ char *json = NULL;

	ck_assert_int_eq(guest_from_word(t.ctx, "0x20", NULL, &g), 0);
	ck_assert_int_eq(abibase_guest_assume(t.ctx, g, "pc-q35-8.2", "tap", sizes, 3, &more), 0);
	ck_assert_ptr_null(g->machine);
	ck_assert_str_eq(more->machine, "pc-q35-8.2");
	/* the same again is no contradiction; another backend is the target's affair */
	ck_assert_int_eq(abibase_guest_assume(t.ctx, more, "pc-q35-8.2", "macvtap", sizes, 3, &again),
			 0);
	ck_assert_int_eq(abibase_value_to_json(abibase_guest_value(again), &json), 0);
	ck_assert_ptr_nonnull(strstr(json, "\"backend\": \"tap\""));
	abibase_guest_unref(again);
	ck_assert_int_eq(abibase_guest_assume(t.ctx, more, "pc-q35-9.0", NULL, NULL, 0, &again),
			 -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "guest-differs");
	ck_assert_int_eq(abibase_guest_assume(t.ctx, more, NULL, NULL, others, 1, &again), -EINVAL);
	ck_assert_int_eq(abibase_guest_assume(t.ctx, g, "a machine", NULL, NULL, 0, &again),
			 -EBADMSG);
	ck_assert_int_eq(guest_from_word(t.ctx, "0x2g", NULL, &again), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "not-a-guest");
	abibase_guest_unref(more);
	abibase_guest_unref(g);
}
END_TEST

static int load_text(const char *text, const char *device, struct abibase_guest **ret)
{
	char path[] = "/tmp/abibase-suite.XXXXXX";
	int fd = mkstemp(path), r;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	r = abibase_guest_load(t.ctx, t.cat, path, device, NULL, ret);
	unlink(path);
	return r;
}

#define MASKS(guest, allowed) "kvm: Features 0x" guest " unsupported. Allowed features: 0x" allowed "\n"
#define NET "kvm: Failed to load virtio-net:virtio\n"
#define ZEROES "0000000000000000"

START_TEST(test_load)
{
	static const struct {
		const char *text, *device, *id; /* id: of the error, or NULL */
		uint64_t word;
	} logs[] = {
		{ MASKS("1c0010130afffa7", "179bfffe7") NET, NULL, NULL, 0x1c0010130afffa7 },
		/* the last attempt counts, and what is before each line does not */
		{ "2025-09-23 " MASKS("1c0010130afffa7", "179bfffe7") NET "x\nx\n" MASKS(
			  "10130afffa7", "179bfffe7") NET,
		  NULL, NULL, 0x10130afffa7 },
		{ MASKS("10130afffa7", "179bfffe7"), "net", NULL, 0x10130afffa7 },
		/* no line says of which class they are, and no bit that is not the class's */
		{ MASKS("10130afffa7", "179bfffe7"), NULL, "not-a-guest", 0 },
		/* QEMU 11.1 masks first: nothing is missing, and that cannot be */
		{ MASKS(ZEROES "0000010130bfffa7", ZEROES "0000010179bfffe7") NET, NULL,
		  "guest-masked", 0 },
		/* 128 bits of a QEMU that does not mask */
		{ MASKS(ZEROES "0100010130bfffa7", ZEROES "0000010179bfffe7") NET, NULL, NULL,
		  0x100010130bfffa7 },
		{ "nothing of the kind\n", NULL, "not-a-guest", 0 },
		{ "", NULL, "not-a-guest", 0 },
		{ "  {\"schema\": 1}", NULL, "json-wrong-type", 0 },
		{ MASKS("10130afffa7", "179bfffe7"), "nonsense", "device-not-known", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		struct abibase_guest *g = NULL;
		uint64_t word[2];
		int r = load_text(logs[i].text, logs[i].device, &g);

		ck_assert_msg((r == 0) == !logs[i].id, "%s: %d %s", logs[i].text, r,
			      r < 0 ? abibase_context_error(t.ctx) : "");
		if (r < 0) {
			ck_assert_str_eq(abibase_context_error_id(t.ctx), logs[i].id);
			continue;
		}
		ck_assert(negotiated(g, 0, word));
		ck_assert(word[0] == logs[i].word && word[1] == 0);
		abibase_guest_unref(g);
	}
}
END_TEST

START_TEST(test_operands)
{
	static const char *const none[] = { "", "x", "0x", "0xfg", "1c0010130afffa7", "debian-12",
					    "0x100000000000000000000000000000000" };
	struct abibase_guest *g = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		ck_assert_int_eq(abibase_guest_load(t.ctx, t.cat, none[i], NULL, NULL, &g), -EINVAL);
		ck_assert_str_eq(abibase_context_error_id(t.ctx), "not-a-guest");
	}
	ck_assert_int_eq(abibase_guest_load(t.ctx, t.cat, "./nosuch.json", NULL, NULL, &g), -ENOENT);
	ck_assert_int_eq(abibase_guest_load(t.ctx, t.cat, "qmp:/nosuch", NULL, NULL, &g), -ENOENT);
	ck_assert_int_eq(abibase_guest_load(t.ctx, t.cat, "qmp:", NULL, NULL, &g), -EINVAL);
	ck_assert_int_eq(abibase_guest_load(t.ctx, t.cat, "0x2", "vsock", NULL, &g), 0);
	abibase_guest_unref(g);
}
END_TEST

/* ---------------------------------------------------------------------- moving */

struct question {
	const char *machine, *qemu, *backend, *negotiated, *extra; /* extra: members of the device */
	struct abibase_profile *from;
};

static struct abibase_guest *guest_of(const struct question *q)
{
	struct abibase_guest *g;
	_buf_ b = { 0 };

	buf_puts(&b, "{\"schema\": \"abibase-guest/1\"");
	if (q->machine)
		buf_printf(&b, ", \"machine\": \"%s\"", q->machine);
	if (q->qemu)
		buf_printf(&b, ", \"qemu\": \"%s\"", q->qemu);
	buf_puts(&b, ", \"devices\": [{" DEVICE);
	if (q->backend)
		buf_printf(&b, ", \"backend\": \"%s\"", q->backend);
	if (q->negotiated)
		buf_printf(&b, ", \"negotiated\": \"%s\"", q->negotiated);
	if (q->extra)
		buf_printf(&b, ", %s", q->extra);
	buf_puts(&b, "}]}");
	ck_assert_msg(read_guest(b.data, &g) == 0, "%s", b.data);
	return g;
}

static struct abibase_result *ask(const struct question *q, struct abibase_profile *p)
{
	struct abibase_guest *g = guest_of(q);
	struct abibase_targets *req;
	struct abibase_result *moves;

	ck_assert_int_eq(abibase_targets_new(t.ctx, t.cat, g, &req), 0);
	if (q->from)
		abibase_targets_set_source(req, q->from);
	ck_assert_int_eq(abibase_targets_add_profile(req, p), 0);
	ck_assert_int_eq(abibase_targets_run(req, &moves), 0);
	abibase_targets_unref(req);
	abibase_guest_unref(g);
	return moves;
}

static bool found(const struct abibase_result *m, const char *id)
{
	for (size_t i = 0; i < result_finding_count(m); i++)
		if (streq(test_string(abibase_result_finding(m, i), "id"), id))
			return true;
	return false;
}

/* What the answer says of its first host. */
static const struct abibase_value *first(const struct abibase_result *m)
{
	return abibase_value_get(abibase_result_value(m), "hosts/0");
}

static void expect(const struct question *q, struct abibase_profile *p, const char *verdict,
		   const char *id)
{
	struct abibase_result *m = ask(q, p);
	_autofree_ char *text = NULL;

	ck_assert_int_eq(abibase_result_to_text(m, 0, &text), 0);
	ck_assert_msg(streq(test_string(first(m), "verdict"), verdict), "not %s: %s", verdict, text);
	ck_assert_msg(!id || found(m, id), "no %s: %s", id, text);
	abibase_result_unref(m);
}

/* A recorded kernel with one fact changed; @value is taken. */
static struct abibase_profile *with_fact(const char *kernel, const char *qemus, const char *fact,
					 json_t *value)
{
	json_t *root = test_host_json("b", kernel, qemus);
	struct abibase_profile *p;

	json_object_set_new(json_object_get(root, "facts"), fact, value);
	p = test_profile_json(t.ctx, root);
	json_decref(root);
	return p;
}

/* What is in the stream and no feature says it: only where the source has it and the target has not. */
START_TEST(test_requirements)
{
	struct question q = { "pc-q35-7.2", "7.2.22", "tap", "0x20", NULL, NULL };
	struct abibase_profile *no_ufo = with_fact("6.1", "7.2.22", "tap.offload.ufo", json_false());
	struct abibase_profile *untold = with_fact("6.1", "7.2.22", "tap.offload.ufo",
						   json_pack("{s:s}", "unknown", "not-asked"));
	struct abibase_profile *all = test_host(t.ctx, "a", "6.1", "7.2.22");

	expect(&q, no_ufo, "unknown", "move-unknown");
	expect(&q, untold, "unknown", "move-unknown");
	expect(&q, all, "now", NULL);
	q.extra = "\"ufo\": false";
	expect(&q, no_ufo, "now", NULL);
	expect(&q, untold, "now", NULL);
	q.extra = "\"ufo\": true";
	expect(&q, no_ufo, "no", "requirement-differs");
	q.extra = NULL;
	/* the profile of the source says it, and so does a feature that was negotiated */
	q.from = all;
	expect(&q, no_ufo, "no", "requirement-differs");
	q.from = NULL;
	q.negotiated = "0x400";
	expect(&q, no_ufo, "no", "requirement-differs");
	/* there, without it here: no way back from the first moment */
	q.negotiated = "0x20";
	q.from = no_ufo;
	{
		struct abibase_result *m = ask(&q, all);
		_autofree_ char *text = NULL;

		ck_assert_str_eq(test_string(first(m), "verdict"), "now");
		ck_assert_str_eq(test_string(first(m), "way_back/verdict"), "shut");
		ck_assert_int_eq(abibase_result_to_text(m, 0, &text), 0);
		ck_assert_ptr_nonnull(strstr(text, "from the moment it is there"));
		abibase_result_unref(m);
	}
	abibase_profile_unref(no_ufo);
	abibase_profile_unref(untold);
	abibase_profile_unref(all);
}
END_TEST

static enum abibase_verdict intersect_for(struct abibase_profile *p, const char *devices)
{
	_autofree_ char *text = NULL;
	struct abibase_intersection *ix;
	struct abibase_baseline *b;
	struct abibase_guest *g;
	enum abibase_verdict verdict;

	ck_assert_int_ge(asprintf(&text,
				  "{\"schema\": \"abibase-guest/1\", \"machine\": \"pc-q35-7.2\", "
				  "\"devices\": [%s]}",
				  devices),
			 0);
	ck_assert_int_eq(abibase_guest_from_buffer(t.ctx, text, strlen(text), "g.json", &g), 0);
	ck_assert_int_eq(abibase_intersection_new(t.ctx, t.cat, &ix), 0);
	ck_assert_int_eq(abibase_intersection_set_guest(ix, g), 0);
	ck_assert_int_eq(abibase_intersection_add_profile(ix, p), 0);
	ck_assert_int_eq(abibase_intersection_finish(ix, &b), 0);
	verdict = b->verdict;
	abibase_baseline_unref(b);
	abibase_intersection_unref(ix);
	abibase_guest_unref(g);
	return verdict;
}

/* A list for a guest of which one device lies on what the catalogue does not know is no yes. */
START_TEST(test_list_unknown_backend)
{
	struct abibase_profile *p = test_host(t.ctx, "a", "6.1", "7.2.22");

#define NET_ON(backend) "{\"class\": \"virtio-net-device\", \"backend\": \"" backend "\"}"
	ck_assert_int_eq(intersect_for(p, NET_ON("tap")), ABIBASE_VERDICT_YES);
	ck_assert_int_eq(intersect_for(p, NET_ON("tap") ", " NET_ON("user")), ABIBASE_VERDICT_YES);
	ck_assert_int_eq(intersect_for(p, NET_ON("tap") ", " NET_ON("vhost-user")),
			 ABIBASE_VERDICT_UNKNOWN);
	abibase_profile_unref(p);
}
END_TEST

START_TEST(test_unknown)
{
	struct abibase_profile *p = test_host(t.ctx, "a", "6.12", "11.1.3");
	struct abibase_profile *plain = test_host(t.ctx, "a", "6.12", "10.0.13");
	struct abibase_profile *no_qemu;
	struct question q = { NULL, NULL, "tap", "0x20", NULL, NULL };
	json_t *root = test_host_json("a", "6.1", "");

	json_object_del(root, "qemu");
	no_qemu = test_profile_json(t.ctx, root);
	json_decref(root);
	expect(&q, plain, "unknown", "guest-unknown"); /* the machine type */
	q.machine = "pc-q35-10.0";
	expect(&q, plain, "now", NULL);
	/* a host of whose QEMU nothing is recorded: what its kernel lacks is known all the same */
	expect(&q, no_qemu, "unknown", "no-qemu-facts");
	q.negotiated = "0x40000000000000";
	expect(&q, no_qemu, "no", "move-lacks");
	q.negotiated = "0x20";
	expect(&q, p, "unknown", "shape-unknown"); /* 11.1 looks at queues */
	q.qemu = "10.0.13";
	expect(&q, p, "no", "shape-differs");
	q.qemu = "10.2.2";
	expect(&q, p, "now", NULL);
	q.qemu = NULL;
	q.extra = "\"queue_sizes\": [256, 256, 64]";
	expect(&q, p, "now", NULL);
	q.extra = "\"queue_sizes\": [256, 512, 64]";
	expect(&q, p, "no", "shape-differs");
	q.extra = NULL;
	q.backend = NULL;
	expect(&q, plain, "unknown", "guest-unknown");
	q.backend = "vhost-user";
	expect(&q, plain, "unknown", "backend-unknown");
	q.backend = "tap";
	q.negotiated = NULL;
	expect(&q, plain, "unknown", "guest-unknown");
	q.extra = "\"offered\": \"0x20\"";
	expect(&q, plain, "now", "guest-worst-case");
	q.extra = NULL;
	q.negotiated = "0x10000000000000020"; /* bit 64 has no name */
	expect(&q, plain, "unknown", "move-unknown");
	abibase_profile_unref(no_qemu);
	abibase_profile_unref(p);
	abibase_profile_unref(plain);
}
END_TEST

/* Without VIRTIO_F_VERSION_1 it is another PCI device, which -device can bring about alone. */
START_TEST(test_version_1)
{
	struct question q = { "pc-q35-7.2", "7.2.22", "tap+vhost", "0x20", NULL, NULL };
	struct abibase_profile *without = with_fact("6.1", "7.2.22", "vhost_net.features",
						    json_string("0x000000023d008000"));
	struct abibase_profile *with = with_fact("6.1", "7.2.22", "vhost_net.features",
						 json_string("0x000000033d008000"));

	expect(&q, with, "unknown", "move-unknown");
	expect(&q, without, "unknown", "move-unknown");
	q.extra = "\"offered\": \"0x100000020\"";
	expect(&q, with, "now", NULL);
	expect(&q, without, "no", "requirement-differs");
	q.extra = "\"offered\": \"0x20\"";
	expect(&q, with, "unknown", "move-unknown");
	expect(&q, without, "now", NULL);
	q.from = with; /* disable-modern=on */
	expect(&q, with, "now", NULL);
	expect(&q, without, "now", NULL);
	q.from = without;
	expect(&q, with, "no", "requirement-differs");
	q.backend = "tap";
	expect(&q, with, "now", NULL);
	abibase_profile_unref(with);
	abibase_profile_unref(without);
}
END_TEST

/* What was observed of the QEMU there tells how large its configuration is. */
START_TEST(test_config_size)
{
	struct question q = { "pc-q35-10.0", "10.0.13", "tap", "0x20", NULL, NULL };
	json_t *root = test_host_json("a", "6.12", "10.0.13");
	json_t *qemu = json_array_get(json_object_get(root, "qemu"), 0);
	struct abibase_profile *p;

	json_object_set_new(qemu, "shape",
			    json_pack("{s:{s:{s:[], s:i, s:s, s:[i,i,i]}}}", "pc-q35-10.0", "tap",
				      "bars", "config_size", 24, "offered",
				      "0x00000000000000000000000130bfffa7", "queue_sizes", 1024, 1024,
				      1024));
	p = test_profile_json(t.ctx, root);
	json_decref(root);
	expect(&q, p, "now", NULL); /* it is not said */
	q.extra = "\"config_size\": 8";
	expect(&q, p, "unknown", "config-size-differs");
	q.extra = "\"config_size\": 12"; /* 64 bytes both */
	expect(&q, p, "now", NULL);
	q.extra = "\"config_size\": 60"; /* an option of -device */
	expect(&q, p, "now", NULL);
	abibase_profile_unref(p);
}
END_TEST

START_TEST(test_backend)
{
	struct question q = { "pc-q35-10.0", "10.0.13", "tap+vhost", "0x20", NULL, NULL };
	struct abibase_profile *none = with_fact("6.12", "10.0.13", "vhost_net.usable", json_false());
	struct abibase_profile *untold = with_fact("6.12", "10.0.13", "vhost_net.usable",
						   json_pack("{s:s}", "unknown", "no-permission"));

	expect(&q, none, "no", "backend-absent");
	expect(&q, untold, "unknown", "backend-unknown");
	q.backend = "tap";
	expect(&q, none, "now", NULL);
	abibase_profile_unref(none);
	abibase_profile_unref(untold);
}
END_TEST

/* Of several QEMUs that have the machine type the worst counts, and each is named. */
START_TEST(test_several_qemus)
{
	struct question q = { "pc-q35-7.2", "7.2.22", "tap", "0x20", NULL, NULL };
	struct abibase_profile *p = test_host(t.ctx, "a", "6.12", "5.2.0 11.1.3 7.2.22");
	struct abibase_result *m;
	_autofree_ char *text = NULL;

	q.extra = "\"queue_sizes\": [1024, 1024, 1024]";
	q.qemu = NULL;
	m = ask(&q, p);
	ck_assert_str_eq(test_string(first(m), "verdict"), "no");
	ck_assert_int_eq(abibase_result_to_text(m, 0, &text), 0);
	ck_assert_ptr_nonnull(strstr(text, "no: a does not take the guest (QEMU 11.1.3"));
	ck_assert_ptr_nonnull(strstr(text, "now      a with QEMU 7.2.22"));
	ck_assert_int_eq(abibase_result_verdict(m), ABIBASE_VERDICT_NO);
	abibase_result_unref(m);
	abibase_profile_unref(p);
}
END_TEST

/* ------------------------------------------------------------------- lists that hold */

static const char *const kernels[] = { "5.10", "6.1", "6.12", "6.17", "7.2" };
static const char *const qemus[] = { "7.2.22", "10.0.2", "10.0.13", "11.1.3" };
static const char *const machines[] = { "pc-q35-7.1", "pc-q35-7.2", "pc-q35-8.1",
					"pc-q35-8.2", "pc-q35-10.0", "pc-q35-11.1" };
static const char *const backends[] = { "tap", "tap+vhost" };

static void predict(struct abibase_profile *p, const char *qemu, const char *machine,
		    const char *backend, char *const *settings, uint64_t ret[2])
{
	_autofree_ char *why = NULL;
	int r = abibase_predict(t.ctx, t.cat, p, qemu, machine, backend,
				(const char *const *)settings, ret, &why);

	ck_assert_msg(r == ABIBASE_VERDICT_YES, "%d: %s", r, why ? why : "");
}

/* What two of the lists of a move are together, the second may be NULL; for free(), the words are not. */
static char **both_lists(const struct abibase_result *m, const char *a, const char *b)
{
	const struct abibase_value *lists[] = { abibase_value_get(first(m), a),
						b ? abibase_value_get(first(m), b) : NULL };
	char **all = calloc(64, sizeof(*all));
	size_t n = 0;

	ck_assert_ptr_nonnull(all);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (size_t k = 0; k < abibase_value_count(lists[i]); k++) {
			ck_assert_uint_lt(n, 63);
			all[n++] = (char *)abibase_value_string(abibase_value_item(lists[i], k));
		}
	return all;
}

static struct abibase_profile *hosts[ARRAY_SIZE(kernels)][ARRAY_SIZE(qemus)];

/* A guest that took some of what a random host offers it, moves to a random one. */
static bool one_move(struct rng *rng)
{
	const char *machine = machines[rng_below(rng, ARRAY_SIZE(machines))];
	const char *backend = backends[rng_below(rng, 2)];
	unsigned int i1 = rng_below(rng, ARRAY_SIZE(qemus)), i2 = rng_below(rng, ARRAY_SIZE(qemus));
	const char *q1 = qemus[i1], *q2 = qemus[i2];
	struct abibase_profile *a = hosts[rng_below(rng, ARRAY_SIZE(kernels))][i1];
	struct abibase_profile *b = hosts[rng_below(rng, ARRAY_SIZE(kernels))][i2];
	uint64_t there[2], here[2], word[2], with[2];
	_autofree_ char *why = NULL;
	struct abibase_result *m;
	const char *verdict;
	char negotiated[40];
	bool done = false;
	char **list;
	const struct question q = { machine, q1, backend, negotiated,
				    "\"queue_sizes\": [64, 64, 64]", a };

	if (abibase_predict(t.ctx, t.cat, a, q1, machine, backend, NULL, there, &why) ||
	    abibase_predict(t.ctx, t.cat, b, q2, machine, backend, NULL, here, NULL))
		return false; /* not a machine type of both */
	/* VERSION_1 and most others */
	for (int i = 0; i < 2; i++)
		word[i] = there[i] & (rng_next(rng) | rng_next(rng) | (i ? 0 : 1ull << 32));
	snprintf(negotiated, sizeof(negotiated), "0x%016llx%016llx", (unsigned long long)word[1],
		 (unsigned long long)word[0]);
	m = ask(&q, b);
	verdict = test_string(first(m), "verdict");
	ck_assert_int_eq(streq(verdict, "now"),
			 !(word[0] & ~here[0]) && !(word[1] & ~here[1]));
	if (streq(verdict, "now") || streq(verdict, "list")) {
		/* taken with the lists, and after a reset there it has nothing that is not here */
		list = both_lists(m, "rescue", "way_back/list");
		predict(b, q2, machine, backend, list, with);
		free(list);
		ck_assert(!(word[0] & ~with[0]) && !(word[1] & ~with[1]));
		ck_assert(!(with[0] & ~there[0]) && !(with[1] & ~there[1]));
		/* the list to carry on with is the same device */
		list = both_lists(m, "carry_on", NULL);
		predict(b, q2, machine, backend, list, here);
		free(list);
		ck_assert(here[0] == with[0] && here[1] == with[1]);
		done = true;
	}
	abibase_result_unref(m);
	return done;
}

START_TEST(test_lists_hold)
{
	struct rng rng = { 20261126 };
	unsigned int done = 0;

	for (size_t k = 0; k < ARRAY_SIZE(kernels); k++)
		for (size_t q = 0; q < ARRAY_SIZE(qemus); q++)
			hosts[k][q] = test_host(t.ctx, "h", kernels[k], qemus[q]);
	for (int i = 0; i < ROUNDS; i++)
		done += one_move(&rng);
	for (size_t k = 0; k < ARRAY_SIZE(kernels); k++)
		for (size_t q = 0; q < ARRAY_SIZE(qemus); q++)
			abibase_profile_unref(hosts[k][q]);
	ck_assert_msg(done > ROUNDS / 8, "only %u moves were possible", done);
}
END_TEST

/* A guest with a list of no sizes is one of whose sizes nothing is known: what was tried counts. */
START_TEST(test_no_sizes)
{
	struct question q = { "pc-q35-10.0", "10.0.13", "tap", "0x20", NULL, NULL };
	static const char *const sizes[] = { NULL, "\"queue_sizes\": []" };
	struct abibase_profile *to;

	ck_assert_int_eq(profile_from_platform(t.ctx, "debian-13", &q.from), 0);
	ck_assert_int_eq(profile_from_platform(t.ctx, "debian-13-backports-2026.11", &to), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		q.extra = sizes[i];
		expect(&q, to, "no", "rehearsed-refused");
	}
	abibase_profile_unref(q.from);
	abibase_profile_unref(to);
}
END_TEST

static struct abibase_baseline *baseline_of(struct abibase_profile *p, const char *machine)
{
	struct abibase_baseline *b;

	ck_assert_int_eq(intersect_profiles(t.ctx, t.cat, &p, 1, machine, &b), 0);
	ck_assert_int_eq(abibase_baseline_verdict(b), ABIBASE_VERDICT_YES);
	return b;
}

/* The list that counts is the last one that was set: the guest itself has no machine type. */
START_TEST(test_other_baseline)
{
	struct abibase_profile *p = test_host(t.ctx, "h", "6.12", "7.2.22");
	struct abibase_baseline *b[] = { baseline_of(p, "pc-q35-7.1"), baseline_of(p, "pc-q35-7.2") };
	struct question q = { .negotiated = "0x20", .backend = "tap" };
	struct abibase_guest *g = guest_of(&q);
	struct abibase_targets *req;

	ck_assert_int_eq(abibase_targets_new(t.ctx, t.cat, g, &req), 0);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(abibase_targets_set_baseline(req, b[i]), 0);
		abibase_baseline_unref(b[i]);
	}
	abibase_targets_unref(req);
	abibase_guest_unref(g);
	abibase_profile_unref(p);
}
END_TEST

/* "The last host" is the one that was added last, whatever its name. */
START_TEST(test_args_of_last_host)
{
	struct abibase_profile *z = test_host(t.ctx, "z", "6.12", "7.2.22");
	struct abibase_profile *a = test_host(t.ctx, "a", "6.12", "10.0.13");
	struct abibase_baseline *b = baseline_of(z, "pc-q35-7.2");
	struct abibase_check_request *req;
	struct abibase_result *res;
	_autofree_ char **args = NULL;

	ck_assert_int_eq(abibase_check_request_new(t.ctx, t.cat, b, &req), 0);
	ck_assert_int_eq(abibase_check_request_add_profile(req, z), 0);
	ck_assert_int_eq(abibase_check_request_add_profile(req, a), 0);
	ck_assert_int_eq(abibase_check_request_run(req, &res), 0);
	ck_assert_int_eq(abibase_check_request_args(req, "/usr/lib/qemu-10.0.13", &args), 0);
	ck_assert_str_eq(args[0], "-global");
	abibase_result_unref(res);
	abibase_check_request_unref(req);
	abibase_baseline_unref(b);
	abibase_profile_unref(a);
	abibase_profile_unref(z);
}
END_TEST

/* "a1 b2 d1": each host that is told, and how many answer as it does */
static int note_host(void *data, const struct abibase_value *host, size_t alike)
{
	struct buf *b = data;

	buf_printf(b, "%s%s%zu", b->len ? " " : "",
		   abibase_value_string(abibase_value_member(host, "host")), alike);
	return b->len > 20 ? 7 : 0;
}

/* Hosts that are let go of are answered in the same words, in whatever order they come. */
START_TEST(test_let_go)
{
	static const char *const kernel[] = { "6.12", "5.10", "6.12", "6.1", "6.1" };
	static const char *const qemu[] = { "5.2.0", "7.2.22", "10.0.13", "7.2.22", "7.2.22" };
	struct question q = { .machine = "pc-q35-9.9" }, other = { .machine = "pc-q35-5.2" };
	struct abibase_guest *g[] = { guest_of(&q), guest_of(&other) };
	struct abibase_targets *req;
	struct abibase_result *res;
	char *text[2], *json[2];

	for (int gone = 0; gone < 2; gone++) {
		_buf_ told = { 0 };
		int r = 0;

		/* another guest than that of which they are asked */
		ck_assert_int_eq(abibase_targets_new(t.ctx, t.cat, g[0], &req), 0);
		for (int i = 0; i < 5; i++) {
			const char name[] = { (char)('e' - i), '\0' };
			struct abibase_profile *p =
				test_host(t.ctx, name, kernel[i], qemu[i]);

			ck_assert_int_eq(abibase_targets_add_profile(req, p), 0);
			/* two at once, among them the fourth */
			if (gone && i != 3)
				ck_assert_int_eq(abibase_targets_run(req, NULL), 0);
			/* it came back from there */
			if (i == 4)
				abibase_targets_set_source(req, p);
			abibase_profile_unref(p);
		}
		ck_assert_int_eq(abibase_targets_run(req, &res), 0);
		abibase_result_unref(res);
		ck_assert_int_eq(abibase_targets_set_guest(req, g[1]), 0);
		ck_assert_int_eq(abibase_targets_run(req, &res), 0);
		ck_assert_int_eq(!abibase_result_value(res), gone);
		ck_assert_ptr_null(gone ? abibase_result_finding(res, 0) : NULL);
		ck_assert_int_eq(abibase_result_to_text(res, 0, &text[gone]), 0);
		ck_assert_int_eq(abibase_result_to_json(res, &json[gone]), 0);
		ck_assert_int_eq(abibase_result_hosts(res, note_host, &told), 0);
		ck_assert_str_eq(told.data, gone ? "a1 b2 c1 e1" : "a1 b1 c1 d1 e1");
		for (int n = 0; n < 2; n++)
			r = abibase_result_hosts(res, note_host, &told);
		ck_assert_int_eq(r, 7);
		abibase_result_unref(res);
		abibase_targets_unref(req);
	}
	ck_assert_str_eq(text[0], text[1]);
	ck_assert_str_eq(json[0], json[1]);
	ck_assert_ptr_nonnull(strstr(text[0], "hosts    a, b"));
	for (int i = 0; i < 2; i++) {
		free(text[i]);
		free(json[i]);
		abibase_guest_unref(g[i]);
	}
}
END_TEST

/* Those that answer alike are told once, and the first is named. */
START_TEST(test_alike)
{
	struct question q = { .machine = "pc-q35-5.2" };
	struct abibase_guest *g = guest_of(&q);
	struct abibase_targets *req;
	struct abibase_result *res;
	_buf_ told = { 0 };

	ck_assert_int_eq(abibase_targets_new(t.ctx, t.cat, g, &req), 0);
	abibase_targets_set_source(req, NULL);
	for (int i = 0; i < 6; i++) {
		const char name[] = { (char)('f' - i), '\0' };
		struct abibase_profile *p = test_host(t.ctx, name, "6.1", i % 3 ? "7.2.22" : "5.2.0");

		ck_assert_int_eq(abibase_targets_add_profile(req, p), 0);
		ck_assert_int_eq(abibase_targets_run(req, NULL), 0);
		abibase_profile_unref(p);
	}
	ck_assert_int_eq(abibase_targets_run(req, &res), 0);
	ck_assert_int_eq(abibase_result_hosts(res, note_host, &told), 0);
	ck_assert_str_eq(told.data, "a4 c2");
	ck_assert_int_eq(abibase_result_hosts(NULL, note_host, &told), 0);
	ck_assert_int_eq(abibase_result_to_json(NULL, NULL), -EINVAL);
	abibase_result_unref(res);
	abibase_targets_unref(req);
	abibase_guest_unref(g);
}
END_TEST

/* A yes of nobody would start a guest nowhere, or send it there. */
START_TEST(test_no_hosts)
{
	struct question q = { .machine = "pc-q35-7.2" };
	struct abibase_profile *p = test_host(t.ctx, "a", "6.12", "7.2.22");
	struct abibase_baseline *b = baseline_of(p, "pc-q35-7.2");
	struct abibase_guest *g = guest_of(&q);
	struct abibase_check_request *check;
	struct abibase_targets *targets;
	struct abibase_result *res = NULL;

	ck_assert_int_eq(abibase_check_request_new(t.ctx, t.cat, b, &check), 0);
	ck_assert_int_eq(abibase_check_request_run(check, &res), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "no-hosts");
	ck_assert_str_eq(abibase_context_error(t.ctx), "there is no host to check");
	ck_assert_int_eq(abibase_targets_new(t.ctx, t.cat, g, &targets), 0);
	ck_assert_int_eq(abibase_targets_run(targets, &res), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "no-hosts");
	ck_assert_str_eq(abibase_context_error(t.ctx), "there is no host to ask");
	ck_assert_ptr_null(res);
	abibase_check_request_unref(check);
	abibase_targets_unref(targets);
	abibase_guest_unref(g);
	abibase_baseline_unref(b);
	abibase_profile_unref(p);
}
END_TEST

/* ---------------------------------------------------------------- command lines */

static const struct {
	const char *line, *want; /* "class id backend rom; ... | words that are true | not judged" */
} commands[] = {
	{ "", "||" },
	{ "-M pc-q35-10.0 -device e1000,netdev=n -netdev tap,id=n,vhost=on", "|pc-q35-10.0|" },
	{ "-M q35 -machine accel=tcg -name guest=vm,debug-threads=on -uuid c0 -incoming defer",
	  "|q35 vm c0 incoming|" },
	{ "--name vm -loadvm s1", "|vm incoming|" },
	{ "-netdev tap,id=n -device virtio-net-pci,netdev=n,id=net0", "net net0 tap;||" },
	{ "-netdev tap,id=n,fd=33,vhost=on,vhostfd=34 "
	  "-device {\"driver\":\"virtio-net-pci\",\"netdev\":\"n\",\"rombar\":0}",
	  "net virtio-net-pci number 1 tap+vhost none;||" },
	{ "-device virtio-net-pci,netdev=n,id=a,romfile= -netdev user,id=n -device virtio-net,id=b",
	  "net a user none;net b user;||" },
	{ "-netdev vhost-user,id=n,chardev=c -device virtio-net-pci,netdev=n,id=a",
	  "||a (vhost-user);" },
	{ "-nic tap,model=virtio-net-pci,vhost=on -nic user -nic none",
	  "net virtio-net-pci number 1 tap+vhost;||" },
	{ "-netdev tap,id=n -device virtio-net-pci,netdev=n,id=a -set netdev.n.vhost=on",
	  "net a tap+vhost;||" },
	{ "-device vhost-vsock-pci,guest-cid=3,id=v -device vhost-scsi-pci,wwpn=naa.1",
	  "vhost-vsock-device v vhost-vsock;vhost-scsi  vhost-scsi;||" },
	{ "-readconfig /nonexistent", "||-readconfig /nonexistent cannot be looked into;" },
	{ "-nosuchoption a", "||-nosuchoption (a);" },
	/* where something can be plugged in */
	{ "-M pc-i440fx-9.0", "|pc-i440fx-9.0 slots|" },
	{ "-M pc-q35-9.0 -device pcie-root-port,id=p1 -device virtio-blk-pci,bus=p1", "|pc-q35-9.0|" },
	{ "-M pc-q35-9.0 -device pcie-root-port,id=p1 -device pcie-root-port,id=p2 "
	  "-device virtio-blk-pci,bus=p2", "|pc-q35-9.0 slots|" },
};

static void describe_device(const struct abibase_value *d, struct buf *out)
{
	const struct abibase_value *rom = abibase_value_member(d, "rom_size");
	const char *class_name = test_string(d, "class"), *id = test_string(d, "id");

	buf_printf(out, "%s %s %s%s;", streq(class_name, "virtio-net-device") ? "net" : class_name,
		   id ? id : "", test_string(d, "backend"), rom ? " none" : "");
}

static void describe_guest(const struct abibase_value *g, struct buf *out)
{
	static const char *const names[] = { "machine", "name", "uuid", "incoming", "slots" };
	const struct abibase_value *list = abibase_value_member(g, "devices");
	const char *separator = "|";

	for (size_t i = 0; i < abibase_value_count(list); i++)
		describe_device(abibase_value_item(list, i), out);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_autofree_ char *key = NULL;
		const struct abibase_value *v;

		ck_assert_int_gt(asprintf(&key, "x-%s", names[i]), 0);
		v = abibase_value_member(g, key);
		if (!v)
			continue;
		buf_printf(out, "%s%s", separator,
			   abibase_value_string(v) ? abibase_value_string(v) : names[i]);
		separator = " ";
	}
	buf_puts(out, *separator == '|' ? "||" : "|");
	list = abibase_value_member(g, "x-not-judged");
	for (size_t i = 0; i < abibase_value_count(list); i++)
		buf_printf(out, "%s;", abibase_value_string(abibase_value_item(list, i)));
}

START_TEST(test_command)
{
	_autofree_ char *copy = strdup(commands[_i].line);
	const char *argv[32] = { NULL };
	struct abibase_guest *g;
	_buf_ text = { 0 };
	char *rest = copy;

	for (size_t n = 0; rest && *rest; n++)
		argv[n] = strsep(&rest, " ");
	ck_assert_int_eq(abibase_guest_from_command(t.ctx, t.cat, argv, &g), 0);
	describe_guest(abibase_guest_value(g), &text);
	ck_assert(!buf_failed(&text));
	ck_assert_str_eq(text.data, commands[_i].want);
	abibase_guest_unref(g);
	/* what is started is told without the catalogue too, and no device */
	ck_assert_int_eq(abibase_guest_from_command(t.ctx, NULL, argv, &g), 0);
	ck_assert_uint_eq(g->n, 0);
	abibase_guest_unref(g);
}
END_TEST

Suite *suite_guest(void)
{
	Suite *s = suite_create("guest");
	TCase *reading = tcase_create("reading"), *moving = tcase_create("moving");

	tcase_add_checked_fixture(reading, setup, teardown);
	tcase_add_test(reading, test_refused);
	tcase_add_test(reading, test_accepted);
	tcase_add_test(reading, test_assume);
	tcase_add_test(reading, test_load);
	tcase_add_test(reading, test_operands);
	tcase_add_loop_test(reading, test_command, 0, ARRAY_SIZE(commands));
	suite_add_tcase(s, reading);
	tcase_add_checked_fixture(moving, setup, teardown);
	tcase_add_test(moving, test_no_sizes);
	tcase_add_test(moving, test_other_baseline);
	tcase_add_test(moving, test_args_of_last_host);
	tcase_add_test(moving, test_no_hosts);
	tcase_add_test(moving, test_let_go);
	tcase_add_test(moving, test_alike);
	tcase_add_test(moving, test_requirements);
	tcase_add_test(moving, test_unknown);
	tcase_add_test(moving, test_version_1);
	tcase_add_test(moving, test_config_size);
	tcase_add_test(moving, test_backend);
	tcase_add_test(moving, test_list_unknown_backend);
	tcase_add_test(moving, test_several_qemus);
	tcase_add_test(moving, test_lists_hold);
	suite_add_tcase(s, moving);
	return s;
}
