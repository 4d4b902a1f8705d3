/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two command lines, as a rehearsal holds them against each other: no QEMU is started. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "live/rehearse.h"
#include "suites.h"
#include "test-util.h"

/* Files whose content is that of their name's first letter */
static const char *const files[] = { "a", "a2", "b" };
static char dir[64];

static void make_files(void)
{
	snprintf(dir, sizeof(dir), "/tmp/abibase-lines-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char *path;
		FILE *f;

		ck_assert(asprintf(&path, "%s/%s", dir, files[i]) > 0);
		f = fopen(path, "w");
		ck_assert(f && fputc(*files[i], f) == *files[i] && fclose(f) == 0);
		free(path);
	}
}

static void remove_files(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char *path;

		ck_assert(asprintf(&path, "%s/%s", dir, files[i]) > 0);
		ck_assert_int_eq(unlink(path), 0);
		free(path);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}

/* Words with spaces between them, in which "@a" is the path of a file; for strings_clear() */
static void split(const char *words, struct strings *ret)
{
	char *copy = strdup(words), *save = NULL;

	ck_assert_ptr_nonnull(copy);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		struct buf word = { 0 };

		for (; *w; w++)
			buf_printf(&word, *w == '@' ? "%s/" : "%.1s", *w == '@' ? dir : w);
		ck_assert(!buf_failed(&word) && strings_add(ret, word.data) == 0);
		buf_clear(&word);
	}
	free(copy);
}

static void parse(struct abibase_context *ctx, const json_t *table, const char *words,
		  const json_t *source, struct rehearse_line *ret)
{
	struct strings argv = { 0 };

	*ret = (struct rehearse_line){ .ctx = ctx, .table = table, .source = source,
				       .means.no_taps = true };
	split(words, &argv);
	ck_assert(strings_add(&argv, "-nodefaults") == 0);
	ck_assert_int_eq(rehearse_line_parse(ret, (const char *const *)argv.s), 0);
	strings_clear(&argv);
}

/* The verdict about two lines, and what the second throw-away would be started with */
static enum abibase_verdict compare(struct abibase_context *ctx, const json_t *table,
				    const char *one, const char *other, struct buf *started)
{
	struct rehearsed out = { .findings.arena = &out.arena };
	struct rehearse_line source, line;
	enum abibase_verdict verdict;
	json_t *head;

	parse(ctx, table, one, NULL, &source);
	head = json_pack("{sO}", "declared", source.declared);
	ck_assert_ptr_nonnull(head);
	parse(ctx, table, other, source.declared, &line);
	rehearse_compare_lines(&(struct rehearse_comparison){ .out = &out, .source = head, .line = &line });
	ck_assert(!out.arena.failed);
	verdict = findings_verdict(&out.findings);
	if (verdict == ABIBASE_VERDICT_YES &&
	    json_array_size(source.left_out) + json_array_size(line.left_out))
		verdict = ABIBASE_VERDICT_UNKNOWN;
	for (size_t i = 0; started && i < line.words.n; i++)
		buf_printf(started, "%s ", line.words.s[i]);
	arena_clear(&out.arena);
	json_decref(head);
	rehearse_line_clear(&source);
	rehearse_line_clear(&line);
	return verdict;
}

#define NO ABIBASE_VERDICT_NO
#define YES ABIBASE_VERDICT_YES
#define OPEN ABIBASE_VERDICT_UNKNOWN
#define DRIVE "-drive if=none,id=d,file=/x"
#define NODE "-blockdev driver=file,filename=/x,node-name=d"
#define FLASH "-blockdev driver=file,filename=@a,node-name=d"
#define SCSI "-device scsi-hd,drive=d"
#define MEMFD "-object memory-backend-memfd,id=pc.ram,size=1G"
#define FS "-device virtio-9p-pci,fsdev=f -fsdev id=f,fsdriver="
#define SIZED "-blockdev driver=raw,file.driver=file,file.filename=/x,node-name=d,size="
#define CARD "-device e1000,netdev=u -netdev user,id=u"
#define DIMM "-m 1G -object memory-backend-ram,id=v,size=1G"

static const struct {
	const char *one, *other;
	enum abibase_verdict verdict;
} pairs[] = {
	/* the bytes that a file has, wherever it lies */
	{ "-fw_cfg name=opt/x,file=@a", "-fw_cfg name=opt/x,file=@b", NO },
	{ "-fw_cfg name=opt/x,file=@a", "-fw_cfg opt/x,file=@a2", YES },
	{ "-fw_cfg name=opt/x,string=a", "-fw_cfg name=opt/x,string=b", NO },
	{ "-fw_cfg name=opt/x,file=/none", "-fw_cfg name=opt/x,file=/none", OPEN },
	{ "-smbios file=@a", "-smbios file=@b", NO },
	{ "-smbios file=@a", "-smbios file=@a2", YES },
	{ "-smbios type=11,value=x,path=@a", "-smbios type=11,value=x,path=@b", NO },
	{ "-smbios type=11,value=x,value=y", "-smbios type=11,value=z,value=y", NO },
	{ "-acpitable sig=FOOO,data=@a:@a", "-acpitable sig=FOOO,data=@a:@b", NO },
	{ "-acpitable sig=FOOO,data=@a:@b", "-acpitable sig=FOOO,data=@a2:@b", YES },
	{ "-device loader,addr=0x1000,file=@a", "-device loader,addr=0x1000,file=@b", NO },
	{ "-device loader,addr=0x1000,file=@a", "-device loader,addr=0x1000,file=@a2", YES },
	{ "-option-rom @a", "", NO },
	{ "-option-rom @a", "-option-rom @b", NO },
	{ "-option-rom @a,bootindex=1", "-option-rom @a2", YES },
	{ "-kernel @a", "", NO },
	{ "-kernel @a", "-kernel @b", NO },
	{ "-kernel @a -initrd @a", "-kernel @a -initrd @b", NO },
	{ "-kernel @a -initrd @b -append x", "-kernel @a2 -initrd @b -append x", YES },
	{ "-machine kernel=@a", "-machine kernel=@b", NO },
	{ "-dtb @a", "-dtb @b", NO },
	{ "-boot splash=@a", "-boot splash=@b", NO },
	{ "-bios @a", "-bios @b", YES }, /* goes with the stream */
	/* disks that are not written, or not at once, and what they are called */
	{ NODE ",read-only=on " SCSI, NODE " " SCSI, NO },
	{ NODE ",read-only=on " SCSI, NODE ",read-only=true " SCSI, YES },
	{ NODE ",read-only=on -device scsi-cd,drive=d", NODE " -device scsi-cd,drive=d", YES },
	{ DRIVE ",readonly=on " SCSI, DRIVE " " SCSI, NO },
	{ DRIVE ",media=cdrom -device ide-cd,drive=d", NODE " -device ide-cd,drive=d", YES },
	{ DRIVE ",cache=writethrough " SCSI, DRIVE " " SCSI, NO },
	{ DRIVE ",cache=none " SCSI, DRIVE ",cache.writeback=on " SCSI, YES },
	{ DRIVE ",cache=directsync " SCSI ",write-cache=on", DRIVE " " SCSI ",write-cache=on", YES },
	{ "-drive file=/x,cache=writethrough", "-drive file=/x", NO },
	{ DRIVE " " SCSI, "-drive if=none,id=e,file=/x -device scsi-hd,drive=e", NO },
	{ DRIVE " " SCSI ",serial=s", "-drive if=none,id=e -device scsi-hd,drive=e,serial=s", YES },
	{ FLASH ",read-only=on -machine pflash0=d", FLASH " -machine pflash0=d", NO },
	{ "-fsdev local,id=f,path=/,readonly=on -device virtio-9p-pci,fsdev=f",
	  "-fsdev local,id=f,path=/ -device virtio-9p-pci,fsdev=f", NO },
	{ "-virtfs local,path=/,mount_tag=a", "-virtfs local,path=/,mount_tag=b", NO },
	{ "-virtfs local,path=/x,mount_tag=a", "-virtfs local,path=/y,mount_tag=a", YES },
	/* options of which a word alone is the host's */
	{ "-nographic", "", NO },
	{ "-nographic", "-machine graphics=off", YES },
	{ "-machine graphics=on", "", YES },
	{ "-rtc base=utc,driftfix=slew", "-rtc base=utc", NO },
	{ "-rtc clock=vm", "", NO },
	{ "-rtc base=localtime,driftfix=none,clock=host", "-rtc base=utc", YES },
	{ "-boot menu=on", "", NO },
	{ "-boot dc,menu=off,strict=off", "-boot c", YES },
	{ "-nic user,mac=52:54:00:00:00:01", "-nic user,mac=52:54:00:00:00:02", NO },
	{ "-nic tap,vhost=on", "-nic tap", NO },
	{ "-nic user,mac=52:54:00:00:00:01", "-nic user,mac=52:54:00:00:00:01", YES },
	{ "-nic passt", "-nic passt", OPEN },
	{ "-object acpi-generic-initiator,id=a,pci-dev=d,node=1", "", NO },
	{ DIMM ",align=2M", DIMM, NO },
	/* of a user network, what a guest is told there */
	{ CARD ",net=10.1.0.0/24", CARD, NO },
	{ CARD ",hostname=1", CARD ",hostname=0x1", NO },
	{ CARD ",ipv6=off,hostfwd=tcp::1-:1", CARD ",ipv6=no", YES },
	{ "-netdev user,id=u,net=10.1.0.0/24", "-netdev user,id=u", YES },
	{ "-nic user,net=10.1.0.0/24", "-nic user", NO },
	{ "-net nic -net user,net=10.1.0.0/24", "-net nic -net user", NO },
	/* memory: one block of it by the name that it has by itself, or by another */
	{ DIMM ",x-use-canonical-path-for-ramblock-id=on", DIMM, NO },
	{ DIMM ",x-use-canonical-path-for-ramblock-id=off", DIMM, YES },
	{ "-M pc-q35-3.1 " MEMFD ",x-use-canonical-path-for-ramblock-id=off", "-M pc-q35-3.1 " MEMFD, NO },
	{ "-M pc-q35-4.0 " MEMFD ",x-use-canonical-path-for-ramblock-id=off", "-M pc-q35-4.0 " MEMFD, YES },
	{ "-m 1G -M memory-backend=pc.ram -object memory-backend-ram,id=pc.ram,size=1G", "-m 1024", YES },
	{ "-m 1G -M memory-backend=pc.ram " MEMFD, "-m 1G", YES },
	{ "-m 2G -M memory-backend=pc.ram " MEMFD, "-m 2G", NO },
	{ "-m 1G -M memory-backend=pc.ram " MEMFD ",x-use-canonical-path-for-ramblock-id=on", "-m 1G", NO },
	{ "-m 1G " MEMFD, "-m 1G", NO },
	{ "-m 2G,slots=2 -m 1G,maxmem=2G", "-m 1G,slots=2,maxmem=2G", YES },
	{ "-m 2G -m 1G", "-m 1G -m 2G", NO },
	/* a disk in a USB stick is named by its -drive, too */
	{ DRIVE " -device usb-storage,drive=d", "-drive if=none,id=e -device usb-storage,drive=e", NO },
	{ DRIVE " -device usb-storage,drive=d,serial=s", "-drive if=none,id=e -device usb-storage,drive=e,serial=s", YES },
	{ "-drive if=scsi,id=d", "-drive if=scsi,id=e", NO },
	/* a ROM where there is none otherwise; the size of another is in the stream */
	{ "-device virtio-rng-pci,romfile=@a", "-device virtio-rng-pci", NO },
	{ "-device virtio-rng-pci,romfile=", "-device virtio-rng-pci,romfile=", YES },
	{ "-device e1000,romfile=@a", "-device e1000", YES },
	{ "-device e1000,romfile=", "-device e1000", NO },
	/* what a shared directory is like */
	{ FS "local,path=/,security_model=none", FS "synth", NO },
	{ FS "local,path=/,security_model=none", FS "local,path=/,security_model=passthrough", NO },
	{ FS "local,path=/x,security_model=none", FS "local,path=/y,security_model=none", YES },
	{ "-virtfs local,path=/,mount_tag=a,security_model=none", "-virtfs synth,mount_tag=a", NO },
	/* sizes that the line says */
	{ SIZED "1G " SCSI, SIZED "2G " SCSI, NO },
	{ SIZED "1G " SCSI, SIZED "1024M " SCSI, YES },
	{ "-drive if=none,id=d,driver=null-co,size=1G " SCSI, "-drive if=none,id=d,driver=null-co,size=2G " SCSI, NO },
	/* other spellings */
	{ "-uuid 6a0aa70e-0000-0000-0000-00000000000a", "-uuid 6A0AA70E-0000-0000-0000-00000000000A", YES },
	{ "-uuid 6a0aa70e-0000-0000-0000-00000000000a", "-uuid 6a0aa70e-0000-0000-0000-00000000000b", NO },
	{ "-device e1000,mac=52-54-00-AA-00-01", "-device e1000,mac=52:54:00:aa:00:01", YES },
	{ "-fw_cfg opt/x,string=a", "-fw_cfg name=opt/x,string=a", YES },
	{ "-fw_cfg opt/x,string=a", "-fw_cfg name=opt/y,string=a", NO },
	{ "-kernel @a -initrd @b -dtb @b", "-M kernel=@a2,initrd=@b,dtb=@b", YES },
	{ "-kernel @a", "-M kernel=@b", NO },
	/* the interrupt controller */
	{ "-accel kvm", "-accel kvm,kernel-irqchip=split", NO },
	{ "-accel kvm,kernel-irqchip=on", "-accel kvm,kernel-irqchip=split", NO },
	{ "-accel kvm,kernel_irqchip=split", "-M accel=kvm,kernel-irqchip=split", YES },
	{ "-accel kvm,xen-version=0x4000a", "-accel kvm", NO },
	{ "-accel kvm,dirty-ring-size=4096", "-accel kvm", YES },
	{ "-accel tcg,thread=multi", "-accel tcg", YES },
	{ DIMM " -device pc-dimm,memdev=v,addr=0x140000000",
	  DIMM " -device pc-dimm,memdev=v,addr=0x240000000", NO },
};

/* The source has more of what the stream has a section of; and the other way round. */
static const char *const networks[][2] = {
	{ "-netdev user,id=u", "" },
	{ "-netdev user,id=u", "-netdev socket,id=u,listen=:0" },
	{ "-netdev user,id=u -netdev user,id=v", "-netdev user,id=u" },
	{ "-net user", "" },
	{ "-nic user -netdev user,id=u", "-nic user" },
};

START_TEST(test_networks)
{
	struct test t;
	json_t *table;

	test_begin(&t);
	ck_assert_int_eq(data_load(t.ctx, &rehearse_form, &table), 0);
	for (size_t i = 0; i < ARRAY_SIZE(networks); i++) {
		ck_assert(compare(t.ctx, table, networks[i][0], networks[i][1], NULL) == NO);
		ck_assert(compare(t.ctx, table, networks[i][1], networks[i][0], NULL) == YES);
	}
	json_decref(table);
	test_end(&t);
}
END_TEST

START_TEST(test_pairs)
{
	struct test t;
	json_t *table;

	test_begin(&t);
	make_files();
	ck_assert_int_eq(data_load(t.ctx, &rehearse_form, &table), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		for (int way = 0; way < 2; way++) {
			const char *one = way ? pairs[i].other : pairs[i].one;
			const char *other = way ? pairs[i].one : pairs[i].other;
			enum abibase_verdict is = compare(t.ctx, table, one, other, NULL);

			ck_assert_msg(is == pairs[i].verdict, "\"%s\" and \"%s\": %d, not %d", one, other,
				      is, pairs[i].verdict);
		}
	json_decref(table);
	remove_files();
	test_end(&t);
}
END_TEST

/* A kernel on one side alone makes other lines, and no other RAM of the small guests. */
START_TEST(test_kernel)
{
	struct buf with = { 0 }, without = { 0 };
	struct test t;
	json_t *table;

	test_begin(&t);
	make_files();
	ck_assert_int_eq(data_load(t.ctx, &rehearse_form, &table), 0);
	ck_assert(compare(t.ctx, table, "-m 1G", "-m 1G -kernel @a -append x", &with) == NO);
	ck_assert(compare(t.ctx, table, "-m 1G", "-m 1G", &without) == YES);
	ck_assert_str_eq(with.data, without.data);
	buf_clear(&with);
	buf_clear(&without);
	ck_assert(compare(t.ctx, table, "-m 1G -kernel @a", "-m 1G", &without) == NO);
	ck_assert_ptr_nonnull(strstr(without.data, "size=268435456b"));
	buf_clear(&without);
	json_decref(table);
	remove_files();
	test_end(&t);
}
END_TEST

Suite *suite_rehearse(void)
{
	Suite *s = suite_create("rehearse");
	TCase *tc = tcase_create("lines");

	tcase_add_test(tc, test_pairs);
	tcase_add_test(tc, test_networks);
	tcase_add_test(tc, test_kernel);
	suite_add_tcase(s, tc);
	return s;
}
