/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What messages of QEMU mean: patterns, masks, whose masks they are, and the data behind it. */
#include <errno.h>

#include "document/errata.h"
#include "document/catalogue.h"
#include "base/context.h"
#include "answer/decode.h"
#include "base/version.h"
#include "suites.h"
#include "test-util.h"

static struct test t;
static struct abibase_result *d;

static void setup(void)
{
	test_begin(&t);
}

static void teardown(void)
{
	d = abibase_result_unref(d);
	test_end(&t);
}

/* Decode a copy of just the length: a byte read too far is seen by valgrind and ASan. */
static void decode_bytes(const char *text, size_t len, const char *device)
{
	char *copy = malloc(len ? len : 1);
	int r;

	memcpy(copy, text, len);
	d = abibase_result_unref(d);
	r = abibase_decode(t.ctx, t.cat, copy, len, device, &d);
	free(copy);
	ck_assert_msg(r == 0, "%.200s: %s", text, abibase_context_error(t.ctx));
}

static void decode(const char *text)
{
	decode_bytes(text, strlen(text), NULL);
}

/* What finding @i of @res says. */
static const char *found(const struct abibase_result *res, size_t i, const char *member)
{
	return test_string(abibase_result_finding(res, i), member);
}

static size_t n_globals(const struct abibase_result *res, size_t i)
{
	return abibase_value_count(abibase_value_member(abibase_result_finding(res, i), "globals"));
}

static const char *global(const struct abibase_result *res, size_t i, size_t k)
{
	return abibase_value_string(abibase_value_item(
		abibase_value_member(abibase_result_finding(res, i), "globals"), k));
}

static int64_t line_of(const struct abibase_result *res, size_t i)
{
	return abibase_value_integer(abibase_value_member(abibase_result_finding(res, i), "line"));
}

static bool missing(const struct abibase_result *res, size_t i, uint64_t ret[2])
{
	const char *word = found(res, i, "missing");

	return word && word_parse(word, ret);
}

static void assert_missing(size_t i, uint64_t low, uint64_t high)
{
	uint64_t word[2] = { 1, 1 };

	ck_assert(missing(d, i, word));
	ck_assert_uint_eq(word[0], low);
	ck_assert_uint_eq(word[1], high);
}

static void assert_text(const char *words, bool there)
{
	char *text;

	ck_assert_int_eq(abibase_result_to_text(d, 0, &text), 0);
	ck_assert_msg(!strstr(text, words) == !there, "\"%s\" is %s:\n%s", words,
		      there ? "missing" : "there", text);
	free(text);
}

#define MASKS "Features 0x1c0010130afffa7 unsupported. Allowed features: 0x179bfffe7"
#define VSOCK "Features 0x130000002 unsupported. Allowed features: 0x179000000"

START_TEST(masks)
{
	static const char *const globals[] = {
		"virtio-net-device.queue_reset=off", "virtio-net-device.guest_uso4=off",
		"virtio-net-device.guest_uso6=off", "virtio-net-device.host_uso=off",
	};

	decode("qemu-8.2: " MASKS "\nqemu-8.2: Failed to load virtio-net:virtio\n");
	ck_assert_uint_eq(result_finding_count(d), 1);
	ck_assert_int_eq(abibase_result_verdict(d), ABIBASE_VERDICT_YES);
	ck_assert_str_eq(found(d, 0, "id"), "features");
	ck_assert_str_eq(found(d, 0, "device"), "virtio-net");
	ck_assert_str_eq(found(d, 0, "scope"), "guest");
	assert_missing(0, 0x1c0010000000000, 0);
	ck_assert_uint_eq(n_globals(d, 0), 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_eq(global(d, 0, i), globals[i]);
	ck_assert_ptr_null(global(d, 0, 4));
	assert_text("upstream 6.2", true);
}
END_TEST

/* With one blank for blanks and line ends: where lines are broken does not matter. */
static char *squeezed(const char *text)
{
	char *copy = malloc(strlen(text) + 1), *to = copy;

	for (; *text; text++)
		if (*text != ' ' && *text != '\n')
			*to++ = *text;
		else if (to == copy || to[-1] != ' ')
			*to++ = ' ';
	*to = '\0';
	return copy;
}

/* Messages of the field as they were reported: bits, property, layer and fix on one screen. */
START_TEST(one_screen)
{
#define MASKED(guest, allowed) "Features " guest " unsupported. Allowed features: " allowed
#define USO "54 ", "55 ", "56 ", "guest_uso4", "guest_uso6", "host_uso", "tap:", "upstream 6.2", \
	    "-global virtio-net-device.host_uso=off"
	static const struct {
		const char *text, *words[12];
	} texts[] = {
		{ "0x1c0010130afffa7 / 0x10179bfffe7", { USO } },
		{ MASKED("0x1c0010130afffa7", "0x10179bfffe7") "\nFailed to load virtio-net:virtio",
		  { USO } },
		{ "0x1c0010130afffa7 / 0x179bfffe7, then 0x10130afffa7", { USO, "queue_reset" } },
		{ MASKED("0x1c0010130afffa7", "0x179bfffe7"), { USO, "vhost-net:" } },
		{ MASKED("0x10130afffa7", "0x179bfffe7"),
		  { "40 ", "queue_reset", "vhost-net:", "=off" } },
		{ "0x1c0010130afffaf / 0x10179bfffef", { USO } },
		{ "0x130000002 / 0x179000000", { "VIRTIO_VSOCK_F_SEQPACKET", "--device=CLASS" } },
		{ VSOCK "\nFailed to load virtio-vhost_vsock:virtio",
		  { "1 ", "SEQPACKET", "vhost-vsock:", "vhost-vsock-device.seqpacket=off" } },
		{ "Bad config data: i=0x20 read: 0 device: c",
		  { "BAR 4", "VIRTIO_F_VERSION_1 (bit 32)", "disable-modern", "vhost" } },
		{ "target node pve2 is too old for preserving VirtIO-net MTU, please upgrade",
		  { "host_mtu", "smallest MTU" } },
		{ "unsupported machine type", { "QEMU build", "that every host has" } },
		{ "saved image requires vnet_hdr=on", { "tap", "IFF_VNET_HDR", "no property" } },
		{ "saved image requires TUN_F_UFO support", { "tap", "guest_ufo=off", "4.14" } },
		{ MASKED("0x1e01c0010130afffa7", "0x1c0010179bfffe7"),
		  { "65 ", "66 ", "67 ", "68 ", "tap:", "vhost-net:", "upstream 6.17",
		    "-global virtio-net-device.host_tunnel_csum=off" } },
		{ "extra features: ht", { "CPU, which is outside", "who can help" } },
		{ "missing features: sbpb,ibpb-brtype", { "sbpb,ibpb-brtype", "who can help" } },
		{ "0x20000250 / 0x71000454", { "9 ", "FLUSH/WCE", "fault of the guest's driver" } },
		{ "state for 'ram'", { "ROM files", "who can help" } },
		{ "Can't load eBPF RSS for vhost",
		  { "VIRTIO_NET_F_RSS (bit 60)", "CAP_BPF", "-global virtio-net-device.rss=off" } },
		{ "missing features: pcid", { "pcid", "who can help" } },
		{ "Bad config data: i=0x10 read: 41 device: 1", { "BAR 0", "remedy" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_autofree_ char *text = NULL, *words = NULL;
		size_t lines = 0;

		decode(texts[i].text);
		ck_assert_int_eq(abibase_result_to_text(d, 0, &text), 0);
		words = squeezed(text);
		for (size_t k = 0; k < 12 && texts[i].words[k]; k++)
			ck_assert_msg(strstr(words, texts[i].words[k]), "no \"%s\" in:\n%s",
				      texts[i].words[k], text);
		for (const char *s = text; *s; s += strcspn(s, "\n") + 1, lines++)
			ck_assert_msg(strcspn(s, "\n") <= 80, "%s: wider:\n%s", texts[i].text, s);
		ck_assert_msg(lines <= 24, "%s: %zu lines:\n%s", texts[i].text, lines, text);
	}
}
END_TEST

START_TEST(wide_masks)
{
	decode("Features 0x000000000000000201c0010130bfffa7 unsupported. Allowed features: "
	       "0x000000000000000001c0010179bfffe7\nFailed to load virtio-net:virtio");
	assert_missing(0, 0, 2);
	ck_assert_str_eq(global(d, 0, 0), "virtio-net-device.guest_tunnel=off");

	/* QEMU 10.2 and later: masked before it is printed */
	decode("Features 0x00000000000000000000010130bfffa7 unsupported. Allowed features: "
	       "0x00000000000000000000010179bfffe7\nFailed to load virtio-net:virtio");
	assert_missing(0, 0, 0);
	assert_text("cannot say what", true);
	assert_text("guest_uso4 (54)", true);
	assert_text("host_tunnel_csum (68)", true);
	assert_text("abibase diff", true);
	ck_assert_uint_eq(n_globals(d, 0), 0);
	/* an older one that prints such masks has another reason */
	decode("Features 0x10130bfffa7 unsupported. Allowed features: 0x10179bfffe7\n"
	       "Failed to load virtio-net:virtio");
	assert_text("cannot say what", false);

	/* more than 128 bits are no masks, and that is said */
	decode("Features 0x100000000000000000000000000000000 unsupported. Allowed features: 0x1");
	ck_assert_uint_eq(result_finding_count(d), 1);
	ck_assert_str_eq(found(d, 0, "id"), "mask-too-wide");
	assert_text("which have 128 bits at most", true);
}
END_TEST

/* Whatever stands before the words, and however lines end. */
START_TEST(prefixes)
{
	static const char *const logs[] = {
		"2026-04-01T10:00:00.123456Z qemu-kvm: " VSOCK "\r\n"
		"2026-04-01T10:00:00.123457Z qemu-kvm: Failed to load virtio-vhost_vsock:virtio\r\n",
		"Nov 23 10:00:00 node-a virtqemud[812]: internal error: QEMU unexpectedly closed the "
		"monitor (vm='x'): " VSOCK "\n"
		"Nov 23 10:00:00 node-a virtqemud[812]: error while loading state for instance 0x0 of "
		"device '0000:00:05.0/virtio-vhost_vsock'\n",
		"{\"component\":\"virt-launcher\",\"level\":\"error\",\"msg\":\"qemu: " VSOCK
		"\\nqemu: Failed to load virtio-vhost_vsock:virtio\\n\",\"pos\":\"x.go:1\"}\n",
		/* QEMU 11.1 */
		VSOCK "\nload of migration failed: Invalid argument: error while loading state for "
		"instance 0x0 of device '0000:00:05.0/virtio-vhost_vsock': Failed to load element of "
		"type virtio for virtio",
		/* the newest line first */
		"Failed to load virtio-vhost_vsock:virtio\n" VSOCK "\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		decode(logs[i]);
		ck_assert_uint_eq(result_finding_count(d), 1);
		ck_assert_str_eq(found(d, 0, "device"), "virtio-vsock");
		ck_assert_str_eq(global(d, 0, 0),
				 "vhost-vsock-device.seqpacket=off");
		assert_text("GUEST_CSUM", false);
	}
}
END_TEST

START_TEST(whose)
{
	/* two incidents in a row, forwards and backwards */
	decode(MASKS "\nFailed to load virtio-net:virtio\n" VSOCK
		     "\nFailed to load virtio-vhost_vsock:virtio\n");
	ck_assert_uint_eq(result_finding_count(d), 2);
	ck_assert_str_eq(found(d, 0, "device"), "virtio-net");
	ck_assert_str_eq(found(d, 1, "device"), "virtio-vsock");
	decode("load of migration failed\nFailed to load virtio-net:virtio\n" MASKS
	       "\nload of migration failed\nFailed to load virtio-vhost_vsock:virtio\n" VSOCK "\n");
	ck_assert_str_eq(found(d, 0, "device"), "virtio-net");
	ck_assert_str_eq(found(d, 1, "device"), "virtio-vsock");
	ck_assert_uint_eq(line_of(d, 0), 3);
	ck_assert_uint_eq(line_of(d, 1), 6);

	/* too far away, or of a device that has no features */
	decode(MASKS "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\nFailed to load virtio-net:virtio\n");
	ck_assert_ptr_null(found(d, 0, "device"));
	decode(VSOCK "\nFailed to load hx7:virtio\n" VSOCK "\nFailed to load hx8:virtio\n");
	ck_assert_uint_eq(result_finding_count(d), 2);
	decode(VSOCK);
	assert_text("--device=CLASS", true);
	decode(VSOCK "\nFailed to load cpu:virtio\n");
	ck_assert_uint_eq(result_finding_count(d), 1);
	ck_assert_ptr_null(found(d, 0, "device"));
	assert_text("name cpu, whose features are not known here", true);
	/* none is chosen, and so there is no list */
	ck_assert_uint_eq(n_globals(d, 0), 0);
	assert_text("VIRTIO_NET_F_GUEST_CSUM", true);
	assert_text("VIRTIO_VSOCK_F_SEQPACKET", true);

	/* what the caller says counts; a class without such bits is marked */
	decode_bytes(MASKS, strlen(MASKS), "virtio-net-pci-non-transitional");
	ck_assert_str_eq(found(d, 0, "device"), "virtio-net");
	assert_text("Implausible", false);
	decode_bytes(MASKS, strlen(MASKS), "blk");
	ck_assert_str_eq(found(d, 0, "device"), "virtio-blk");
	assert_text("Implausible: bits 8, 18, 19, 20, 21, 23, 54, 55 and 56 ", true);
	assert_text("    virtio-net ", true);
	ck_assert_uint_eq(n_globals(d, 0), 0);
}
END_TEST

/* Lines with which QEMU leaves a load: nothing new after a cause, all there is without one. */
START_TEST(stories)
{
#define SECTION(path) "error while loading state for instance 0x0 of device '" path "'\n"
#define END "load of migration failed: Invalid argument\n"
	static const struct {
		const char *log, *ids, *devices;
	} logs[] = {
		{ END, "load-failed", "guest on the destination" },
		{ SECTION("0000:00:07.0/hx7") END, "state", "hx7" },
		{ "Failed to load hx7-core:a\nFailed to load hx7:b\n" SECTION("0000:00:07.0/hx7") END,
		  "state", "hx7" },
		/* the state of a PCI device is a part of many devices, and names none */
		{ "Failed to load PCIDevice:config\nFailed to load hx7:b\n", "state-part", "hx7" },
		{ "Bad config data...\nFailed to load PCIDevice:config\nFailed to load hx7:b\n"
		  SECTION("0000:00:07.0/hx7") END, "pci-config-short", "hx7" },
		/* each has its own device, also without a cause, and also when it comes twice */
		{ MASKS "\nFailed to load virtio-net:virtio\n" SECTION("0000:00:03.0/virtio-net") END
		  SECTION("hx7") END SECTION("hx8") END, "features state state",
		  "virtio-net hx7 hx8" },
		{ SECTION("hx7") END "Missing section footer for hx8\n" END, "state section-footer",
		  "hx7 hx8" },
		{ SECTION("hx7") END SECTION("hx7") END, "state", "hx7" },
		/* the newest line first */
		{ END SECTION("0000:00:07.0/hx7") "Failed to load hx7:b\nBad config data...\n",
		  "pci-config-short", "hx7" },
		{ END SECTION("ram") "Size mismatch: 0000:00:03.0/hx7.rom: 0x1 != 0x2\n", "rom-size",
		  "hx7" },
		/* of the table: "serial" is a port of the board and no virtio-serial */
		{ SECTION("serial") END, "state", "serial" },
		{ SECTION("0000:00:05.0/virtio-serial") END, "state", "virtio-console" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		_buf_ ids = { 0 }, devices = { 0 };

		decode(logs[i].log);
		for (size_t k = 0; k < result_finding_count(d); k++) {
			buf_printf(&ids, "%s%s", k ? " " : "", found(d, k, "id"));
			buf_printf(&devices, "%s%s", k ? " " : "", found(d, k, "device"));
		}
		ck_assert_msg(ids.data && streq(ids.data, logs[i].ids), "%s: %s", logs[i].log,
			      ids.data);
		ck_assert_str_eq(devices.data, logs[i].devices);
	}
	decode(END);
	ck_assert_str_eq(found(d, 0, "scope"), "unknown");
	decode(SECTION("hx7"));
	ck_assert_str_eq(found(d, 0, "scope"), "outside");
	decode(SECTION("0000:00:05.0/virtio-vhost_vsock"));
	ck_assert_str_eq(found(d, 0, "scope"), "guest");
}
END_TEST

/* Sizes and kinds of a BAR, and numbers of vectors, from the bytes of the message. */
START_TEST(layout)
{
	static const struct {
		const char *bytes, *words;
	} texts[] = {
		{ "i=0x10 read: a1 device: 1 cmask: ff wmask: c0 w1cmask:0",
		  "It is 64 bytes long here and 32 in the stream" },
		{ "i=0x10 read: 41 device: 1 cmask: ff wmask: 80 w1cmask:0",
		  "It is 128 bytes long here and 64 in the stream" },
		{ "i=0x15 read: 10 device: 0 cmask: ff wmask: e0 w1cmask:0",
		  "It is 8192 bytes long here and 4096 in the stream" },
		{ "i=0x20 read: 0 device: c cmask: ff wmask: 0 w1cmask:0",
		  "In the stream it is missing, or 32 bits of memory, here 64 bits of memory" },
		{ "i=0x10 read: 1 device: 0 cmask: ff wmask: 0 w1cmask:0",
		  "In the stream it is I/O, here missing" },
		{ "i=0x9a read: 4 device: 5", "5 vectors in the stream and 6 here" },
		{ "i=0x104 read: 0 device: 20", "x-ats-page-aligned" },
		{ "i=0x104 read: 0 device: 1", "extended capabilities" },
		{ "i=0x10a read: 0 device: 40", "x-pcie-err-unc-mask" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_autofree_ char *text = NULL, *words = NULL;
		char line[256];

		snprintf(line, sizeof(line), "Bad config data: %s", texts[i].bytes);
		decode(line);
		ck_assert_int_eq(abibase_result_to_text(d, 0, &text), 0);
		words = squeezed(text);
		ck_assert_msg(strstr(words, texts[i].words), "no \"%s\" in:\n%s", texts[i].words,
			      text);
	}
	/* a port has other registers there */
	decode("Bad config data: i=0x9a read: 4 device: 5\nFailed to load pcie-root-port:x\n");
	assert_text("vectors", false);
}
END_TEST

START_TEST(words)
{
	decode_bytes("0x10130afffa7", 13, NULL);
	ck_assert_uint_eq(result_finding_count(d), 1);
	ck_assert_str_eq(found(d, 0, "id"), "word");
	assert_text("virtio-net: a word of 23 features", true);
	assert_text("queue_reset (40)", true);
	assert_text("abibase targets 0x10130afffa7", true);
	ck_assert(!missing(d, 0, (uint64_t[2]){ 0 }));
	decode_bytes("0x100000002", 11, NULL);
	assert_text("say --device=CLASS", true);
	decode_bytes("0x100000002", 11, "vsock");
	ck_assert_str_eq(found(d, 0, "device"), "virtio-vsock");
	decode("0x80000000000000000000000000000000");
	assert_text("No class has a meaning", true);
}
END_TEST

START_TEST(repeated)
{
	char *text = NULL, line[64];
	_buf_ b = { 0 };

	decode(MASKS "\n" MASKS "\nx\n" MASKS);
	ck_assert_uint_eq(result_finding_count(d), 1);
	assert_text("line 1 and 2 more", true);

	for (int i = 0; i < 300; i++) {
		snprintf(line, sizeof(line), "failed to set MSR 0x%x to 0x1\n", i);
		buf_puts(&b, line);
	}
	decode_bytes(b.data, b.len, NULL);
	ck_assert_uint_eq(result_finding_count(d), 256);
	ck_assert_int_eq(test_result_json(d, &text), 0);
	ck_assert(strstr(text, "\"dropped\": 44"));
	free(text);
}
END_TEST

/* Lines that are nearly a message say nothing. */
START_TEST(unknown)
{
	static const char *const texts[] = {
		"",
		"\n\n\n",
		"Features 0x unsupported. Allowed features: 0x1",
		"Features 0x1 unsupported. Allowed features: ",
		"Features 0x1 unsupported. Allowed features: zz",
		"Features 0x1  unsupported. Allowed features: 0x1",
		"VQ x vring.num 1024 exceeds allocated max 256",
		"Failed to load virtio-net",
		"0x1234567",
		"12345678",
		"a 0x1 / 0x2",
		"0x1 / 0x2 b",
		"can't apply global",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		decode(texts[i]);
		ck_assert_msg(result_finding_count(d) == 0, "\"%s\" is decoded", texts[i]);
		assert_text("line", false);
	}
	ck_assert_ptr_null(found(d, 0, "id"));
	ck_assert_ptr_null(found(d, 0, "device"));
	ck_assert_uint_eq(line_of(d, 0), 0);
	ck_assert(!missing(d, 0, (uint64_t[2]){ 0 }));
}
END_TEST

/* Nothing of a log reaches a terminal that could move its cursor. */
START_TEST(bytes)
{
	static const char log[] = "\0\0host doesn't support requested feature: \x1b[2J\xff\xc2\x9b.\n"
				  "missing features: \x01\x02,\"\n\0";

	decode_bytes(log, sizeof(log), NULL);
	ck_assert_uint_eq(result_finding_count(d), 2);
	assert_text("\x1b", false);
	assert_text("\xff", false);
	assert_text("?[2J???.", true);
	ck_assert_str_eq(found(d, 0, "scope"), "outside");
}
END_TEST

START_TEST(refused)
{
	struct abibase_result *const untouched = (void *)&t;
	struct abibase_result *ret = untouched;
	char *large = calloc(1, (16u << 20) + 1);

	ck_assert_int_eq(abibase_decode(t.ctx, t.cat, "x", 1, "virtio-nosuch", &ret), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "device-not-known");
	ck_assert(strstr(abibase_context_error(t.ctx), "virtio-vsock"));
	ck_assert_int_eq(abibase_decode(t.ctx, t.cat, "x", 1, "", &ret), -EINVAL);
	ck_assert_int_eq(abibase_decode(t.ctx, t.cat, large, (16u << 20) + 1, NULL, &ret), -EFBIG);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "text-too-large");
	ck_assert_ptr_eq(ret, untouched);
	ck_assert_int_eq(abibase_decode(t.ctx, t.cat, large, 16u << 20, NULL, &ret), 0);
	ck_assert_uint_eq(result_finding_count(ret), 0);
	ck_assert_ptr_eq(abibase_result_ref(ret), ret);
	abibase_result_unref(ret);
	abibase_result_unref(ret);
	ck_assert_ptr_null(abibase_result_unref(NULL));
	free(large);
}
END_TEST

/* ------------------------------------------------------------------------ the data */

/* Each row finds its own example, and says a sentence without a hole. */
START_TEST(examples)
{
	struct decode_data data = { 0 };

	ck_assert_int_eq(decode_data_load(t.ctx, &data), 0);
	ck_assert_uint_gt(data.n_messages, 20);
	for (size_t i = 0; i < data.n_messages; i++) {
		const json_t *row = data.message[i].row;
		const char *id = json_string_value(json_object_get(row, "id"));
		const char *device = json_string_value(json_object_get(row, "device"));
		const char *example = json_string_value(json_object_get(row, "example"));

		ck_assert_msg(!device || decode_device_row(&data, device), "%s: %s", id, device);
		decode(example);
		ck_assert_msg(result_finding_count(d) == 1, "%s: %zu findings", example,
			      result_finding_count(d));
		ck_assert_str_eq(found(d, 0, "id"), id);
		assert_text("{", false);
		assert_text("}", false);
	}
	decode_data_clear(&data);
}
END_TEST

/* Does each finding name a device, or the part of QEMU that failed, and its kind? */
static bool is_named(const struct decode_data *data, const char *text)
{
	const json_t *findings;
	size_t i;
	json_t *v;

	d = abibase_result_unref(d);
	ck_assert_int_eq(decode_with(t.ctx, t.cat, data, text, strlen(text), NULL, &d), 0);
	findings = json_object_get(d->root, "findings");
	json_array_foreach(findings, i, v) {
		const char *family = json_string_value(json_object_get(v, "family"));

		if (!json_object_get(v, "device") || !family || strstr(family, "does not know"))
			return false;
	}
	return i > 0;
}

/* Of the messages of two QEMUs that can end a load, 90 of 100 say what failed. */
START_TEST(load_messages)
{
	static const char *const qemus[] = { "7.2.0", "10.0.13" };
	json_t *root = test_json("tests/data/load-messages.json"), *message, *line, *v;
	struct decode_data data = { 0 };
	size_t n[2] = { 0 }, named[2] = { 0 }, i, k;

	ck_assert_int_eq(decode_data_load(t.ctx, &data), 0);
	json_array_foreach(json_object_get(root, "messages"), i, message) {
		_buf_ text = { 0 };
		bool is;

		buf_puts(&text, json_string_value(json_object_get(message, "example")));
		json_array_foreach(json_object_get(message, "then"), k, line)
			buf_printf(&text, "\n%s", json_string_value(line));
		is = is_named(&data, text.data);
		json_array_foreach(json_object_get(message, "qemu"), k, v) {
			size_t q = streq(json_string_value(v), qemus[1]);

			ck_assert_str_eq(json_string_value(v), qemus[q]);
			n[q]++;
			named[q] += is;
		}
	}
	for (size_t q = 0; q < 2; q++) {
		ck_assert_uint_gt(n[q], 300);
		ck_assert_msg(named[q] * 10 >= n[q] * 9, "QEMU %s: %zu of %zu", qemus[q], named[q],
			      n[q]);
	}
	decode_data_clear(&data);
	json_decref(root);
}
END_TEST

static bool is_between(const char *qemu, const json_t *feature)
{
	const char *since = json_string_value(json_object_get(feature, "since"));
	const char *removed = json_string_value(json_object_get(feature, "removed"));
	struct version v, s, r;

	ck_assert(version_parse(qemu, &v));
	ck_assert(!since || version_parse(since, &s));
	ck_assert(!removed || version_parse(removed, &r));
	return (!since || version_cmp(&v, &s) >= 0) && (!removed || version_cmp(&v, &r) < 0);
}

static bool has_string(const json_t *list, const char *s)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		if (streq(json_string_value(v), s))
			return true;
	return false;
}

/* A property is named of a class only if each QEMU of its versions that has the class has it. */
static void check_property(const char *qemu, const json_t *classes, const char *class_name,
			   const json_t *feature)
{
	const json_t *only = json_object_get(feature, "classes");
	const json_t *known = json_object_get(classes, class_name);
	const char *property = json_string_value(json_object_get(feature, "property"));

	if (!property || !known || (only && !has_string(only, class_name)))
		return;
	ck_assert_msg(!is_between(qemu, feature) || has_string(known, property),
		      "QEMU %s: %s has no %s", qemu, class_name, property);
}

START_TEST(properties)
{
	json_t *root = test_json("tests/data/device-properties.json"), *classes, *row, *v;
	json_t *qemus = json_object_get(root, "qemus"), *transport;
	struct decode_data data = { 0 };
	const char *qemu, *device, *section;
	size_t i;

	ck_assert_int_eq(decode_data_load(t.ctx, &data), 0);
	ck_assert_uint_eq(json_object_size(qemus), 4);
	transport = json_object_get(json_object_get(data.devices, "transport"), "features");
	json_object_foreach(qemus, qemu, classes)
		json_object_foreach(json_object_get(data.devices, "devices"), device, row)
			json_object_foreach(json_object_get(row, "sections"), section, v) {
				const char *class_name = json_string_value(v);
				json_t *f;

				json_array_foreach(json_object_get(row, "features"), i, f)
					check_property(qemu, classes, class_name, f);
				json_array_foreach(transport, i, f)
					check_property(qemu, classes, class_name, f);
			}
	decode_data_clear(&data);
	json_decref(root);
}
END_TEST

static bool has_erratum(const char *id)
{
	for (size_t i = 0; i < t.cat->n_errata; i++)
		if (streq(t.cat->errata[i].id, id))
			return true;
	return false;
}

/* What a detail says of a defect is looked up there. */
START_TEST(errata)
{
	json_t *root = test_json("data/messages.json"), *row, *detail;
	size_t i, k, n = 0;

	json_array_foreach(json_object_get(root, "messages"), i, row)
		json_array_foreach(json_object_get(row, "details"), k, detail) {
			const char *id = string_of(detail, "erratum");

			n += id != NULL;
			ck_assert_msg(!id || has_erratum(id), "%s", id);
		}
	ck_assert_uint_gt(n, 0);
	json_decref(root);
}
END_TEST

/* A bit of the transport is no bit of a device, and no name stands for two classes. */
START_TEST(tables)
{
	struct decode_data data = { 0 };
	const char *device, *section, *class_name;
	json_t *row, *v, *f;
	size_t i;

	ck_assert_int_eq(decode_data_load(t.ctx, &data), 0);
	json_object_foreach(json_object_get(data.devices, "devices"), device, row) {
		json_int_t last = -1;

		json_object_foreach(json_object_get(row, "sections"), section, v)
			ck_assert_str_eq(decode_device(&data, section, strlen(section),
						       &class_name),
					 device);
		json_array_foreach(json_object_get(row, "aliases"), i, v)
			ck_assert_str_eq(decode_device(&data, json_string_value(v),
						       strlen(json_string_value(v)), &class_name),
					 device);
		json_array_foreach(json_object_get(row, "features"), i, f) {
			json_int_t bit = json_integer_value(json_object_get(f, "bit"));

			ck_assert_msg(bit > last && (bit < 24 || bit > 41), "%s: bit %d", device,
				      (int)bit);
			last = bit;
		}
	}
	decode_data_clear(&data);
}
END_TEST

static const struct {
	const char *file, *text, *id;
} faults[] = {
	{ "messages.json", "{}", "schema-missing" },
	{ "messages.json", "{\"schema\":\"abibase-messages/2\",\"messages\":[]}", "schema-newer" },
	{ "messages.json", "{\"schema\":\"abibase-messages/1\",\"messages\":{}}",
	  "json-wrong-type" },
	{ "messages.json",
	  "{\"schema\":\"abibase-messages/1\",\"messages\":[{\"id\":\"a\",\"kind\":\"device\","
	  "\"pattern\":\"some words\",\"example\":\"x\",\"source\":\"x\"}]}",
	  "json-bad-value" },
	{ "messages.json",
	  "{\"schema\":\"abibase-messages/1\",\"messages\":[{\"id\":\"a\",\"kind\":\"word\","
	  "\"pattern\":\"some words\",\"example\":\"x\",\"source\":\"x\"}]}",
	  "json-bad-value" },
	{ "messages.json",
	  "{\"schema\":\"abibase-messages/1\",\"messages\":[{\"id\":\"a\",\"kind\":\"echo\","
	  "\"pattern\":\"some words\",\"example\":\"x\",\"source\":\"x\","
	  "\"meaning\":\"x\",\"remedy\":\"x\",\"scope\":\"guest\"}]}",
	  "json-missing-key" },
	{ "messages.json",
	  "{\"schema\":\"abibase-messages/1\",\"messages\":[{\"id\":\"a\",\"kind\":\"message\","
	  "\"pattern\":\"some words\",\"example\":\"x\",\"source\":\"x\","
	  "\"meaning\":\"x\",\"remedy\":\"x\",\"scope\":\"guest\","
	  "\"also\":[\"x\"]}]}",
	  "json-bad-value" },
	{ "messages.json",
	  "{\"schema\":\"abibase-messages/1\",\"messages\":[{\"id\":\"a\",\"kind\":\"message\","
	  "\"pattern\":\"{a:hex} x\",\"example\":\"x\",\"source\":\"x\"}]}",
	  "json-bad-value" },
	{ "messages.json",
	  "{\"schema\":\"abibase-messages/1\",\"messages\":[{\"id\":\"a\",\"kind\":\"message\","
	  "\"pattern\":\"some words\",\"example\":\"x\",\"source\":\"x\","
	  "\"meaning\":\"x\",\"remedy\":\"x\",\"scope\":\"guest\","
	  "\"details\":[{\"text\":\"x\",\"bar\":6}]}]}",
	  "json-bad-value" },
	{ "messages.json",
	  "{\"schema\":\"abibase-messages/1\",\"messages\":[{\"id\":\"a\",\"kind\":\"message\","
	  "\"pattern\":\"some words\",\"example\":\"x\",\"source\":\"x\","
	  "\"meaning\":\"x\",\"remedy\":\"x\",\"scope\":\"guest\","
	  "\"details\":[{\"text\":\"x\",\"first\":6}]}]}",
	  "json-bad-value" },
	{ "messages.json",
	  "{\"schema\":\"abibase-messages/1\",\"messages\":[{\"id\":\"a\",\"kind\":\"features\","
	  "\"pattern\":\"words {a:hex}{b:hex}\",\"example\":\"x\",\"source\":\"x\"}]}",
	  "json-bad-value" },
	{ "messages.json",
	  "{\"schema\":\"abibase-messages/1\",\"messages\":[{\"id\":\"a\",\"kind\":\"message\","
	  "\"pattern\":\"words\",\"example\":\"x\",\"source\":\"x\"}]}",
	  "json-missing-key" },
	{ "devices.json", "{\"schema\":\"abibase-devices/1\",\"devices\":{}}",
	  "json-missing-key" },
	{ "devices.json",
	  "{\"schema\":\"abibase-devices/1\",\"devices\":{},\"families\":[],\"transport\":{"
	  "\"source\":\"x\",\"features\":[{\"bit\":128,\"name\":\"X\"}]}}",
	  "json-bad-value" },
	{ "devices.json",
	  "{\"schema\":\"abibase-devices/1\",\"devices\":{},\"families\":[],\"transport\":{"
	  "\"source\":\"x\",\"features\":[{\"bit\":1,\"name\":\"X\",\"property\":\"x\"}]}}",
	  "json-bad-value" },
};

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static void remove_dir(const char *dir)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/devices.json", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/messages.json", dir);
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

START_TEST(faulty_data)
{
	static const char *const good[] = {
		"{\"schema\":\"abibase-devices/1\",\"devices\":{},\"families\":[],\"transport\":{"
		"\"source\":\"x\",\"features\":[]}}",
		"{\"schema\":\"abibase-messages/1\",\"messages\":[]}",
	};
	struct abibase_result *ret = NULL;
	char dir[] = "/tmp/abibase-decode-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(dir));
	abibase_context_set_data_dir(t.ctx, dir);
	ck_assert_int_eq(abibase_decode(t.ctx, t.cat, "x", 1, NULL, &ret), -ENOENT);
	write_file(dir, "devices.json", good[0]);
	write_file(dir, "messages.json", good[1]);
	ck_assert_int_eq(abibase_decode(t.ctx, t.cat, MASKS, strlen(MASKS), NULL, &ret), 0);
	ck_assert_uint_eq(result_finding_count(ret), 0);
	ret = abibase_result_unref(ret);
	write_file(dir, faults[_i].file, faults[_i].text);
	ck_assert_int_lt(abibase_decode(t.ctx, t.cat, "x", 1, NULL, &ret), 0);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), faults[_i].id);
	remove_dir(dir);
}
END_TEST

Suite *suite_decode(void)
{
	Suite *s = suite_create("decode");
	TCase *tc = tcase_create("messages");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, masks);
	tcase_add_test(tc, one_screen);
	tcase_add_test(tc, wide_masks);
	tcase_add_test(tc, prefixes);
	tcase_add_test(tc, whose);
	tcase_add_test(tc, stories);
	tcase_add_test(tc, layout);
	tcase_add_test(tc, words);
	tcase_add_test(tc, repeated);
	tcase_add_test(tc, unknown);
	tcase_add_test(tc, bytes);
	tcase_add_test(tc, refused);
	suite_add_tcase(s, tc);
	tc = tcase_create("data");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, examples);
	tcase_add_test(tc, load_messages);
	tcase_add_test(tc, properties);
	tcase_add_test(tc, tables);
	tcase_add_test(tc, errata);
	tcase_add_loop_test(tc, faulty_data, 0, ARRAY_SIZE(faults));
	suite_add_tcase(s, tc);
	return s;
}
