/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Verification: what of a command line reaches the throw-away QEMU, what sets a property, and the
 * calls. What real QEMUs do with it is verify.sh's.
 */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "qtest-script.h"
#include "suites.h"
#include "test-util.h"
#include "live/verify.h"

#define MAX_WORDS 32

static struct test t;
static struct abibase_baseline *b;
static struct abibase_profile *host;
static struct throwaway tw;
static char dir[] = "/tmp/abibase-verify-XXXXXX";

static void setup(void)
{
	test_begin(&t);
	strcpy(dir, "/tmp/abibase-verify-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	host = test_host(t.ctx, "a", "6.12", "10.0.13");
	ck_assert_int_eq(intersect_profiles(t.ctx, t.cat, &host, 1, "pc-q35-10.0", &b), 0);
	tw = (struct throwaway){ .ctx = t.ctx, .b = b };
}

static void teardown(void)
{
	char command[PATH_MAX];

	throwaway_clear(&tw);
	abibase_baseline_unref(b);
	abibase_profile_unref(host);
	test_end(&t);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static const char *file(const char *name, const char *text, mode_t mode)
{
	static char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

/* A command line with blanks between its words. */
static void parse(const char *line)
{
	const char *argv[MAX_WORDS + 1] = { NULL };
	char *copy = strdup(line), *rest = copy;
	size_t n = 0;

	ck_assert_ptr_nonnull(copy);
	while (rest && *rest && n < MAX_WORDS)
		argv[n++] = strsep(&rest, " ");
	ck_assert_int_eq(throwaway_parse(&tw, argv), 0);
	free(copy);
}

static void list(struct buf *out, const char *what, const struct strings *words)
{
	for (size_t i = 0; i < words->n; i++)
		buf_printf(out, "%s%s", i ? "; " : what, words->s[i]);
	if (words->n)
		buf_putc(out, '\n');
}

static char *describe(void)
{
	static const char *const kinds[] = { "host", "plain", "opaque" };
	struct buf out = { 0 };

	buf_printf(&out, "machine %s\n", tw.machine ? tw.machine : "-");
	for (size_t i = 0; i < tw.n_nics; i++) {
		const struct nic *nic = &tw.nics[i];
		struct qtest_nic placed = { 0 };

		if (nic->kind != NIC_OPAQUE)
			ck_assert_int_eq(throwaway_place(&tw, &i, 1, true, &placed), 0);
		buf_printf(&out, "%s: %s %s%s x%u %s\n", nic->name, kinds[nic->kind], nic->backend,
			   placed.no_vnet_hdr ? " bare" : "", placed.queues,
			   placed.device ? placed.device : nic->why);
	}
	list(&out, "words ", &tw.words);
	list(&out, "out ", &tw.left_out);
	list(&out, "unseen ", &tw.unseen);
	ck_assert(!buf_failed(&out));
	return buf_steal(&out);
}

#define END ",netdev=abibase0,addr=0x5\n"

static const struct {
	const char *line, *want;
} lines[] = {
	{ "", "machine -\n" },
	{ "-M q35 -machine type=pc-q35-10.0,accel=kvm -m 1G -smp 4 disk.img",
	  "machine pc-q35-10.0\nout -m; -smp; disk.img\n" },
	{ "--machine accel=kvm -M pc-q35-10.0 -S -nographic -append -x -kernel",
	  "machine pc-q35-10.0\nout -S; -nographic; -append; -kernel\n" },
	/* what needs a value and has none is QEMU's to refuse */
	{ "-device", "machine -\nout -device\n" },
	{ "-netdev tap,id=n0 -device virtio-net-pci,netdev=n0,bus=pci.1,addr=0x2,id=d,,0,csum=off",
	  "machine -\nd,0: host tap x1 virtio-net-pci,id=d,,0,csum=off" END "out -netdev tap\n" },
	{ "-netdev tap,id=n0 -device virtio-net-pci,netdev=n0,nohost_uso,mq",
	  "machine -\nvirtio-net-pci number 1: host tap x1 virtio-net-pci,host_uso=off,mq=on" END
	  "out -netdev tap\n" },
	{ "-netdev tap,id=n0,vhost=on,queues=4 -device "
	  "{\"driver\":\"virtio-net-pci\",\"netdev\":\"n0\",\"id\":\"x\",\"vectors\":10,\"mq\":true,"
	  "\"ebpf-rss-fds\":[\"1\"],\"romfile\":\"a\"}",
	  "machine -\nx: host tap+vhost x4 virtio-net-pci,id=x,vectors=10,mq=on,netdev=abibase0,addr=0x5,"
	  "romfile=\n"
	  "out -netdev tap\n" },
	{ "-netdev tap,id=n0,vhostfd=9 -netdev tap,id=n1,fds=77:78:79,vhostfds=1:2:3,vhost=off "
	  "-device virtio-net,netdev=n0,id=a -device virtio-net-pci-transitional,id=b,netdev=n1",
	  "machine -\na: host tap+vhost x1 virtio-net,id=a" END
	  "b: host tap x3 virtio-net-pci-transitional,id=b" END "out -netdev tap\n" },
	{ "-netdev tap,id=n0,vnet_hdr=off,vhostforce=on -device virtio-net,netdev=n0,id=a",
	  "machine -\na: host tap+vhost bare x1 virtio-net,id=a" END "out -netdev tap\n" },
	{ "-netdev bridge,id=n0,br=br0 -device virtio-net,netdev=n0,id=a",
	  "machine -\na: host tap x1 virtio-net,id=a" END "out -netdev bridge\n" },
	{ "-netdev user,id=n0,hostfwd=tcp::22-:22 -device virtio-net-pci,netdev=n0,id=a",
	  "machine -\na: plain user x0 virtio-net-pci,id=a" END "out -netdev user\n" },
	{ "-device virtio-net-pci,id=a", "machine -\na: plain no backend x0 virtio-net-pci,id=a" END },
	{ "-netdev vhost-vdpa,id=n0,vhostdev=/dev/x -device virtio-net-pci,netdev=n0,id=a",
	  "machine -\na: opaque vhost-vdpa x0 what a guest is offered is decided by the other side of "
	  "vhost-vdpa, and no baseline is for that\nout -netdev vhost-vdpa\n" },
	{ "-device virtio-net-pci,netdev=n0,id=a",
	  "machine -\na: opaque no backend x0 its netdev n0 is not on the command line\n" },
	{ "-device virtio-net-device,id=a",
	  "machine -\na: opaque no backend x0 a device that is not on a PCI bus cannot be read\n" },
	/* -nic and -net */
	{ "-nic tap,model=virtio-net-pci,mac=52:54:00:12:34:56,ifname=t0,vhost=on,script=no",
	  "machine -\nvirtio-net-pci number 1: host tap+vhost x1 virtio-net-pci,mac=52:54:00:12:34:56" END
	  "out -nic tap\n" },
	{ "-nic user -nic user,model=e1000 -nic none", "machine -\nout -nic user; -nic none\n" },
	{ "-nic user,model=virtio,id=a", "machine -\na: plain user x0 virtio-net-pci" END
	  "out -nic user\n" },
	{ "-net nic,model=virtio -net tap,ifname=t0",
	  "machine -\nvirtio-net-pci number 1: plain a hub x0 virtio-net-pci" END "out -net\n" },
	{ "-netdev tap,id=n0 -net nic,model=virtio,netdev=n0",
	  "machine -\nvirtio-net-pci number 1: host tap x1 virtio-net-pci" END "out -netdev tap\n" },
	/* a port makes disable-legacy=auto mean on, a bridge does not */
	{ "-device pcie-root-port,id=p1 -device virtio-net-pci,bus=p1,id=a -device pcie-pci-bridge,id=p2",
	  "machine -\na: plain no backend x0 virtio-net-pci,id=a,disable-legacy=on" END
	  "out -device pcie-root-port; -device pcie-pci-bridge\n" },
	{ "-device pcie-root-port,id=p1 -device virtio-net-pci-transitional,bus=p1,id=a",
	  "machine -\na: plain no backend x0 virtio-net-pci-transitional,id=a" END
	  "out -device pcie-root-port\n" },
	{ "-device pcie-root-port,id=p1 -device virtio-net-pci,bus=p1,id=a,disable-legacy=off",
	  "machine -\na: plain no backend x0 virtio-net-pci,id=a,disable-legacy=off" END
	  "out -device pcie-root-port\n" },
	{ "-M pc-q35-10.0,confidential-guest-support=sev0 -global virtio-net-device.iommu_platform=off "
	  "-device virtio-net-pci,id=a",
	  "machine pc-q35-10.0\na: plain no backend x0 virtio-net-pci,id=a,disable-legacy=on" END
	  "words -global; virtio-device.iommu_platform=on; -global; "
	  "virtio-net-device.iommu_platform=off\n" },
	/* -global, -set, -L */
	{ "-global virtio-net-pci.csum=off -global driver=virtio-net-device,property=csum,value=on "
	  "-global e1000.x=y -L /firmware -global kvm-pit.a=b",
	  "machine -\nwords -L; /firmware; -global; virtio-net-pci.csum=off; -global; "
	  "virtio-net-device.csum=on\nout -global e1000.x; -global kvm-pit.a\n" },
	{ "-netdev tap,id=n0 -device virtio-net-pci,id=a,netdev=n0 -set device.a.csum=off "
	  "-set netdev.n0.vhost=on -set drive.d.x=y",
	  "machine -\na: host tap+vhost x1 virtio-net-pci,id=a,csum=off" END
	  "out -set drive.d; -netdev tap\n" },
	{ "-readconfig /nonexistent", "machine -\nunseen -readconfig /nonexistent cannot be looked into\n" },
};

/* ------------------------------------------------------------------ ROMs of cards */

static const struct {
	const char *line;
	int has;
} rom_lines[] = {
	{ "-device virtio-net-pci", 1 },
	{ "-device virtio-net-pci,romsize=524288", 1 },
	{ "-device virtio-net-pci,rombar=1", 1 },
	{ "-device virtio-net-pci,romfile=", 0 },
	{ "-device virtio-net,romfile=/a.rom", 0 },
	{ "-device virtio-net-pci-non-transitional,rombar=0", 0 },
	{ "-device {\"driver\":\"virtio-net-pci\",\"rombar\":0}", 0 },
	{ "-device virtio-net-pci,romfile= -device virtio-net-pci,id=b", 1 },
	{ "-device virtio-net-pci,romfile= -device virtio-net-pci,id=b,rombar=0", 0 },
	{ "-device virtio-net-pci,romfile= -nic tap,model=virtio-net-pci", 1 },
	{ "-device virtio-net-pci,romfile= -readconfig f", 1 },
	{ "-device e1000", 1 }, /* a card can be plugged in */
	{ "", 1 },
};

START_TEST(test_has_rom)
{
	char text[256], *words[16], *rest = text, *word;
	size_t n = 0;

	snprintf(text, sizeof(text), "%s", rom_lines[_i].line);
	while ((word = strsep(&rest, " ")) != NULL)
		if (*word)
			words[n++] = word;
	words[n] = NULL;
	ck_assert_int_eq(abibase_command_has_rom((const char *const *)words), rom_lines[_i].has);
}
END_TEST

START_TEST(test_lines)
{
	char *text;

	parse(lines[_i].line);
	text = describe();
	ck_assert_str_eq(text, lines[_i].want);
	free(text);
}
END_TEST

START_TEST(test_config)
{
	char *text, line[PATH_MAX + 64];

	snprintf(line, sizeof(line), "-readconfig %s",
		 file("guest.cfg",
		      "# a guest\n[machine]\n  type = \"pc-q35-10.0\"\n[netdev \"n0\"]\n  type = \"tap\"\n"
		      "[device \"a\"]\n  driver = \"virtio-net-pci\"\n  netdev = \"n0\"\n"
		      "[drive]\n  file = \"x\"\n[global]\n  driver = \"virtio-net-device\"\n"
		      "  property = \"csum\"\n  value = \"off\"\n",
		      0600));
	parse(line);
	text = describe();
	ck_assert_str_eq(text, "machine pc-q35-10.0\na: host tap x1 virtio-net-pci,id=a" END
			       "words -global; virtio-net-device.csum=off\nout [drive]; -netdev tap\n");
	free(text);
}
END_TEST

START_TEST(test_many)
{
	struct buf line = { 0 };
	char *text;

	for (int i = 0; i < 26; i++)
		buf_printf(&line, "-device virtio-net-pci,id=a%d ", i);
	for (char *p = line.data, *end; (end = strchr(p, ' ')); p = end + 1)
		*end = '\n';
	ck_assert(!buf_failed(&line));
	text = buf_steal(&line);
	{
		const char *argv[64] = { NULL };
		size_t n = 0;

		for (char *p = strtok(text, "\n"); p; p = strtok(NULL, "\n"))
			argv[n++] = p;
		ck_assert_int_eq(throwaway_parse(&tw, argv), 0);
	}
	ck_assert_uint_eq(tw.n_nics, 26);
	ck_assert_int_eq(tw.nics[QTEST_MAX_NICS - 1].kind, NIC_PLAIN);
	ck_assert_int_eq(tw.nics[QTEST_MAX_NICS].kind, NIC_OPAQUE);
	free(text);
}
END_TEST

/* Who wins: -set and -device, then the proxy classes, then the device's own; each time the last one. */
static const struct {
	const char *options, *option, *value;
} winners[] = {
	{ "", NULL, NULL },
	{ "-global virtio-net-device.csum=on -global virtio-device.csum=off", "-global virtio-device",
	  "off" },
	{ "-global virtio-net-pci.csum=on -global virtio-net-device.csum=off", "-global virtio-net-pci",
	  "on" },
	{ "-global virtio-net-pci.csum=on -global virtio-net-pci-base.csum=off",
	  "-global virtio-net-pci-base", "off" },
	{ "-global virtio-net-pci-transitional.csum=on", NULL, NULL },
	{ "-global virtio-net-pci.csum=on -set device.a.csum=off", "-set device.a", "off" },
	{ "-global virtio-pci.csum=on -global pci-device.csum=off", "-global pci-device", "off" },
};

START_TEST(test_winner)
{
	char line[512];
	struct setting_from s;

	snprintf(line, sizeof(line), "-device virtio-net-pci,id=a%s%s",
		 *winners[_i].options ? " " : "", winners[_i].options);
	parse(line);
	s = throwaway_setting(&tw, &tw.nics[0], "csum");
	ck_assert_pstr_eq(s.option, winners[_i].option);
	ck_assert_pstr_eq(s.value, winners[_i].value);
}
END_TEST

/* ---------------------------------------------------------------------------- calls */

START_TEST(test_calls)
{
	static const char *const argv[] = { "-M", "pc-q35-10.0", "-nic", "user,model=virtio,id=a",
					    "-drive", "x", NULL };
	struct abibase_result *vf = NULL, *again;
	const struct abibase_value *all;
	struct abibase_verify *v;
	char *text;

	ck_assert_int_eq(abibase_verify_new(t.ctx, t.cat, b, &v), 0);
	ck_assert_int_eq(abibase_verify_run(v, &vf), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "verify-incomplete");
	ck_assert_int_eq(abibase_verify_set_command(v, argv), 0);
	ck_assert_int_eq(abibase_verify_run(v, &vf), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "verify-incomplete");
	ck_assert_int_eq(abibase_verify_set_qemu(
				 v, file("qemu", QTEST_SCRIPT("", "", "", "3"), 0755)),
			 0);
	verify_set_timeout(v, 10000);
	ck_assert_int_eq(abibase_verify_run(v, &vf), 0);
	again = abibase_result_ref(vf);
	ck_assert_ptr_null(abibase_result_unref(vf));
	ck_assert_int_eq(abibase_result_verdict(again), ABIBASE_VERDICT_YES);
	all = abibase_result_value(again);
	ck_assert_uint_eq(abibase_value_count(abibase_value_get(all, "devices")), 1);
	ck_assert_str_eq(test_string(all, "devices/0/name"), "a");
	ck_assert_str_eq(test_string(all, "devices/0/backend"), "user");
	ck_assert_str_eq(test_string(all, "devices/0/verdict"), "yes");
	ck_assert_str_eq(test_string(all, "devices/0/offered"),
			 "0x000000000000001e0000010130bfffa7");
	ck_assert_uint_eq(result_finding_count(again), 1);
	ck_assert_str_eq(test_string(abibase_result_finding(again, 0), "kind"), "note");
	ck_assert_str_eq(test_string(abibase_result_finding(again, 0), "device"), "a");
	ck_assert_str_eq(test_string(abibase_result_finding(again, 0), "id"), "verify-own");
	ck_assert_ptr_null(test_string(abibase_result_finding(again, 0), "feature"));
	ck_assert_ptr_null(abibase_result_finding(again, 1));
	ck_assert_uint_eq(abibase_value_count(abibase_value_get(all, "left_out")), 2);
	ck_assert_str_eq(test_string(all, "left_out/0"), "-drive");
	ck_assert_int_eq(abibase_result_to_text(again, 0, &text), 0);
	ck_assert_ptr_nonnull(strstr(text, "left out or replaced: -drive, -nic user"));
	free(text);
	abibase_result_unref(again);
	abibase_verify_unref(v);
}
END_TEST

START_TEST(test_promises_nothing)
{
	struct abibase_profile *hosts[2] = { host, test_host(t.ctx, "b", "6.12", "7.2.22") };
	struct abibase_baseline *none;
	struct abibase_verify *v = NULL;

	ck_assert_int_eq(intersect_profiles(t.ctx, t.cat, hosts, 2, "pc-q35-10.0", &none), 0);
	ck_assert_int_eq(abibase_verify_new(t.ctx, t.cat, none, &v), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "baseline-not-yes");
	ck_assert_ptr_null(v);
	abibase_baseline_unref(none);
	abibase_profile_unref(hosts[1]);
}
END_TEST

/* A host without a QEMU that has the machine type. */
START_TEST(test_no_machine)
{
	struct abibase_profile *old = test_host(t.ctx, "old", "6.12", "7.2.22");
	struct abibase_result *vf;
	struct abibase_verify *v;

	ck_assert_int_eq(abibase_verify_new(t.ctx, t.cat, b, &v), 0);
	abibase_verify_set_profile(v, old);
	ck_assert_int_eq(abibase_verify_run(v, &vf), 0);
	ck_assert_int_eq(abibase_result_verdict(vf), ABIBASE_VERDICT_NO);
	ck_assert_str_eq(test_string(abibase_result_finding(vf, 0), "id"),
			 "host-without-machine");
	abibase_result_unref(vf);
	abibase_verify_unref(v);
	abibase_profile_unref(old);
}
END_TEST

Suite *suite_verify(void)
{
	Suite *s = suite_create("verify");
	TCase *tc = tcase_create("command");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_has_rom, 0, ARRAY_SIZE(rom_lines));
	tcase_add_loop_test(tc, test_lines, 0, ARRAY_SIZE(lines));
	tcase_add_test(tc, test_config);
	tcase_add_test(tc, test_many);
	tcase_add_loop_test(tc, test_winner, 0, ARRAY_SIZE(winners));
	suite_add_tcase(s, tc);
	tc = tcase_create("calls");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_calls);
	tcase_add_test(tc, test_promises_nothing);
	tcase_add_test(tc, test_no_machine);
	suite_add_tcase(s, tc);
	return s;
}
