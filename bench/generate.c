/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes made-up host profiles for the benchmark:
 *
 *	generate DIRECTORY COUNT BUILDS FILE...
 *
 * or, where DIRECTORY is "-", to standard output, a line each.
 *
 * Each is what `abibase probe` writes on a host with one QEMU: the facts of a recorded kernel and a
 * recorded QEMU entry, in canonical bytes. The FILEs are both, in any order: see tests/data. All
 * profiles differ in name and boot id, and each 65,536 of them in their facts. BUILDS different QEMU
 * builds are among them: the recorded ones, told apart by package revision and build id, as rebuilds
 * of a distribution are. One that names its build record stays as it is, for the record says the same.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "document/json.h"

/* What a number's bits are written into, so that no two numbers give the same facts. */
static const char *const flags[] = {
	"tap.carrier", "tap.filter_ebpf", "tap.napi_frags", "tap.offload.tso_ecn",
	"tap.offload.uso", "tap.steering_ebpf", "tap.vnet_be", "tap.vnet_le",
};
/* Bits 33 to 40 of vhost's feature word: from ACCESS_PLATFORM to RING_RESET. */
#define WORD_SHIFT 33
#define WORD_MASK 0xffull

static void die(const char *what, const char *why)
{
	fprintf(stderr, "generate: %s: %s\n", what, why);
	exit(2);
}

static json_t *need(json_t *v)
{
	if (!v)
		die("jansson", "out of memory");
	return v;
}

static void set(json_t *obj, const char *key, json_t *value)
{
	if (json_object_set_new(obj, key, need(value)) < 0)
		die(key, "cannot be set");
}

static void load(const char *path, json_t *hosts, json_t *qemus)
{
	json_error_t e;
	json_t *v = json_load_file(path, 0, &e);

	if (!v)
		die(path, e.text);
	if (json_array_append_new(json_object_get(v, "facts") ? hosts : qemus, v) < 0)
		die(path, "out of memory");
}

static json_t *make_facts(const json_t *host, unsigned int i)
{
	json_t *facts = need(json_deep_copy(json_object_get(host, "facts")));
	json_t *word = json_object_get(facts, "vhost_net.features");
	const char *key;
	json_t *v;
	void *next;
	uint64_t bits;

	if (!json_is_string(word))
		die("vhost_net.features", "not recorded");
	bits = strtoull(json_string_value(word), NULL, 16) & ~(WORD_MASK << WORD_SHIFT);
	bits |= (uint64_t)(i >> ARRAY_SIZE(flags)) << WORD_SHIFT;
	set(facts, "vhost_net.features", json_sprintf("0x%016llx", (unsigned long long)bits));
	for (size_t k = 0; k < ARRAY_SIZE(flags); k++)
		set(facts, flags[k], json_boolean(i >> k & 1));
	/* the probe does not record macvtap, and the size is to be a probe's */
	json_object_foreach_safe(facts, next, key, v)
		if (strprefix(key, "macvtap."))
			json_object_del(facts, key);
	return facts;
}

static json_t *make_qemu(const json_t *recorded, unsigned int build)
{
	size_t n = json_array_size(recorded);
	json_t *v = need(json_deep_copy(json_array_get(recorded, build % n)));
	const char *package = json_string_value(json_object_get(v, "package"));

	if (json_object_get(v, "build"))
		return v;
	set(v, "package", json_sprintf("%s+b%u", package ? package : "", build));
	set(v, "build_id", json_sprintf("%040x", build + 1));
	set(v, "path", json_string("/usr/bin/qemu-system-x86_64"));
	return v;
}

static json_t *make_profile(const json_t *hosts, const json_t *qemus, unsigned int i,
			    unsigned int build)
{
	json_t *host = json_array_get(hosts, i % json_array_size(hosts));
	json_t *v = need(json_pack("{ss ss ss sO s{s[s] si s[s] s[] sb sb sb}}", "schema",
				   "abibase-profile/1", "kind", "host", "arch", "x86_64", "kernel",
				   json_object_get(host, "kernel"), "probe", "capabilities",
				   "net_admin", "euid", 0, "loaded_modules", "tun",
				   "missing_capabilities", "network_namespace", 1, "no_load", 0,
				   "user_namespace", 0));

	set(v, "name", json_sprintf("host-%05u", i));
	set(v, "boot_id", json_sprintf("%08x-0000-4000-8000-000000000000", i));
	set(v, "facts", make_facts(host, i));
	set(v, "qemu", json_pack("[o]", make_qemu(qemus, build)));
	return v;
}

static void write_file(const char *path, const json_t *root)
{
	FILE *f = fopen(path, "we");
	struct buf b = { 0 };

	json_write_canonical(&b, root);
	if (!f || buf_failed(&b) || fwrite(b.data, 1, b.len, f) != b.len || fclose(f) != 0)
		die(path, strerror(errno));
	buf_clear(&b);
}

static void write_profile(const char *directory, unsigned int i, const json_t *root)
{
	bool stream = streq(directory, "-");
	char *path = NULL;

	if (stream && (json_dumpf(root, stdout, JSON_COMPACT) < 0 || putchar('\n') < 0))
		die("standard output", strerror(errno));
	if (!stream && asprintf(&path, "%s/host-%05u.json", directory, i) < 0)
		die(directory, "out of memory");
	if (!stream)
		write_file(path, root);
	free(path);
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 5 ? (unsigned int)atoi(argv[2]) : 0;
	unsigned int builds = argc > 5 ? (unsigned int)atoi(argv[3]) : 0;
	json_t *hosts = need(json_array()), *qemus = need(json_array());

	if (!count || !builds) {
		fprintf(stderr, "usage: generate DIRECTORY COUNT BUILDS FILE...\n");
		return 2;
	}
	for (int i = 4; i < argc; i++)
		load(argv[i], hosts, qemus);
	if (!json_array_size(hosts) || !json_array_size(qemus))
		die("files", "a host profile and a QEMU entry are needed");
	for (unsigned int i = 0; i < count; i++) {
		json_t *root = make_profile(hosts, qemus, i, i % builds);

		write_profile(argv[1], i, root);
		json_decref(root);
	}
	if (fflush(stdout) != 0)
		die("standard output", strerror(errno));
	json_decref(hosts);
	json_decref(qemus);
	return 0;
}
