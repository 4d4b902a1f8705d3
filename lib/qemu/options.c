/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "qemu/command.h"
#include "base/known.h"

/* Which options of QEMU take a value, by what 5.2, 7.2, 10.0 and 11.1 say of themselves. */

static const char *const alone[] = {
	"?", "S", "alt-grab", "async-teardown", "audio-help", "ctrl-grab", "curses", "daemonize",
	"enable-fips", "enable-kvm", "enable-sync-profile", "full-screen", "h", "help", "jitdump",
	"mem-prealloc", "no-acpi", "no-fd-bootchk", "no-hpet", "no-quit", "no-reboot", "no-shutdown",
	"no-user-config", "nodefaults", "nographic", "old-param", "only-migratable", "perfmap",
	"portrait", "preconfig", "s", "sdl", "semihosting", "show-cursor", "singlestep", "snapshot",
	"usb", "version", "win2k-hack", "xen-attach", "xen-domid-restrict", NULL
};

static const char *const with_value[] = {
	"D", "L", "M", "accel", "acpitable", "action", "add-fd", "append", "audio", "audiodev", "bios",
	"blockdev", "boot", "cdrom", "chardev", "chroot", "compat", "cpu", "d", "debugcon", "device",
	"dfilter", "display", "drive", "dtb", "dump-vmstate", "echr", "fda", "fdb", "fsdev", "fw_cfg",
	"g", "gdb", "global", "hda", "hdb", "hdc", "hdd", "icount", "incoming", "initrd", "iscsi", "k",
	"kernel", "loadvm", "m", "machine", "mem-path", "mon", "monitor", "msg", "mtdblock", "name",
	"net", "netdev", "nic", "numa", "object", OPTION_ROM, "overcommit", "parallel", "pflash",
	"pidfile", "plugin", "prom-env", "qmp", "qmp-pretty", "qtest", "qtest-log", "readconfig",
	"realtime", "rotate", "rtc", "run-with", "runas", "sandbox", "sd", "seed", "semihosting-config",
	"serial", "set", "shim", "smbios", "smp", "soundhw", "spice", "tb-size", "tpmdev", "trace",
	"usbdevice", "uuid", "vga", "virtfs", "vnc", "watchdog", "watchdog-action", "writeconfig",
	"xen-domid", NULL
};

bool next_option(const char *const *argv, size_t *i, struct option *ret)
{
	const char *word = argv[*i], *next;

	memset(ret, 0, sizeof(*ret));
	if (!word)
		return false;
	next = argv[++*i];
	ret->word = word;
	ret->known = true;
	if (*word != '-') /* a disk */
		return true;
	word++;
	ret->name = word + (*word == '-');
	if (word_index(alone, ret->name) >= 0)
		return true;
	ret->known = word_index(with_value, ret->name) >= 0;
	/* what follows is the value, whatever it looks like; of an unknown option it is a guess */
	if (next && (ret->known || *next != '-' || !next[1])) {
		ret->value = next;
		++*i;
	}
	return true;
}
