#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run a command as systemd would run it under the restrictions of a unit, without systemd.

    like-unit.py UNIT DIR -- COMMAND...

DIR is what stays writable, as the unit's state and cache directories do. Needs root, a C compiler (for the
numbers of system calls) and systemd-analyze (for their sets). Each setting of [Service] is applied here, is
in NOT_DONE with the reason, or ends the run: a new one is not passed over.

Two are done in another way than systemd does them: instead of a device policy, /dev has the allowed nodes
only; and what is to be inaccessible is covered by an empty file.
"""
import ctypes
import errno
import os
import platform
import re
import shlex
import stat
import struct
import subprocess
import sys

NOT_DONE = {
    "IPAddressDeny": "a program on the control group; the network namespace has no way out anyhow",
    "PrivateTmp": "the tests lie in /tmp",
    "ProtectClock": "its devices are not in /dev, its capability not in the bounding set",
    # of no consequence for what the process may do
    "Type": "", "RemainAfterExit": "", "StateDirectory": "", "CacheDirectory": "", "Environment": "",
    "ExecStart": "", "ExecStartPost": "", "ExecStartPre": "", "RuntimeDirectory": "", "UMask": "",
}
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
HOMES = ("/home", "/root", "/run/user")
NAMESPACES = {"cgroup": 0x02000000, "ipc": 0x08000000, "net": 0x40000000, "mnt": 0x00020000,
              "pid": 0x20000000, "user": 0x10000000, "uts": 0x04000000}
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16, "AF_PACKET": 17}
ARCHITECTURES = {"x86_64": 0xc000003e, "aarch64": 0xc00000b7}
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 22, 24, 38

libc = ctypes.CDLL(None, use_errno=True)


def call(function, *args):
    if function(*args) < 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s%r: %s" % (function.__name__, args, os.strerror(number)))


def mount(source, target, kind, flags, data=None):
    encoded = [s.encode() if isinstance(s, str) else s for s in (source, target, kind, data)]
    call(libc.mount, encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3])


def macros(header):
    compiler = shlex.split(os.environ.get("CC", "cc"))
    return subprocess.run(compiler + ["-E", "-dM", "-x", "c", "-"], input="#include <%s>\n" % header,
                          capture_output=True, text=True, check=True).stdout


def read_unit(path):
    settings, section = {}, ""
    for line in open(path, encoding="utf-8"):
        line = line.strip()
        if line.startswith("["):
            section = line
        elif line and not line.startswith("#") and section == "[Service]":
            key, value = line.split("=", 1)
            settings.setdefault(key, []).append(value)
    return settings


# ------------------------------------------------------------------------------- mounts

def mount_points():
    for line in open("/proc/self/mountinfo", encoding="utf-8"):
        fields = line.split()
        yield re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), fields[4]), fields[5].split(",")


def read_only(places, but=()):
    """What is mounted at or below one of PLACES, and not at or below one of BUT."""
    def below(path, directories):
        return any(d == "/" or path == d or path.startswith(d + "/") for d in directories)
    kept = {"nosuid": MS_NOSUID, "nodev": MS_NODEV, "noexec": MS_NOEXEC}
    for path, options in list(mount_points()):
        if below(path, places) and not below(path, but):
            flags = sum(kept[o] for o in options if o in kept)
            try:
                mount(None, path, None, MS_REMOUNT | MS_BIND | MS_RDONLY | flags)
            except OSError as e:
                # covered by another mount: it cannot be reached
                if e.errno not in (errno.EINVAL, errno.ENOENT):
                    raise


def cover(path, empty):
    if os.path.exists(path):
        mount(empty, path, None, MS_BIND)


def allowed_nodes(words):
    """(path, what it is) of each node that is there and in a DeviceAllow=."""
    numbers = dict(line.split()[::-1] for line in open("/proc/devices", encoding="utf-8")
                   if re.match(r" *\d", line))
    for word in words:
        name = word.split()[0]
        if name.startswith("/") and os.path.exists(name):
            yield name, os.stat(name)
        elif name.startswith("char-") and name[5:] in numbers:
            for directory, _, files in os.walk("/dev"):
                for f in files:
                    is_ = os.lstat(os.path.join(directory, f))
                    if stat.S_ISCHR(is_.st_mode) and \
                            os.major(is_.st_rdev) == int(numbers[name[5:]]):
                        yield os.path.join(directory, f), is_


def own_dev(words):
    nodes = [("/dev/" + n, os.stat("/dev/" + n)) for n in DEVICES] + list(allowed_nodes(words))
    mount("tmpfs", "/dev", "tmpfs", MS_NOSUID, "mode=755")
    for path, is_ in nodes:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.mknod(path, is_.st_mode, is_.st_rdev)
        os.chmod(path, stat.S_IMODE(is_.st_mode))
        os.chown(path, is_.st_uid, is_.st_gid)
    os.symlink("/proc/self/fd", "/dev/fd")
    for name in ("shm", "pts"):
        os.mkdir("/dev/" + name)
    mount("devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=666")
    os.symlink("pts/ptmx", "/dev/ptmx")


def enter_mounts(has, unit, writable, command):
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    empty = os.path.join(writable, ".empty")
    open(empty, "w", encoding="utf-8").close()
    os.chmod(empty, 0)
    mount(writable, writable, None, MS_BIND)
    if has("ProtectProc", "invisible"):
        mount("proc", "/proc", "proc", 0, "hidepid=invisible")
    if has("DevicePolicy", "closed"):
        own_dev(unit.get("DeviceAllow", []))
    words = command + [os.environ.get(n, "")
                       for n in ("LD_LIBRARY_PATH", "ABIBASE_DATADIR", "ABIBASE_QEMUS")]
    if has("ProtectHome", "yes"):
        for home in HOMES:
            if any(home + "/" in w for w in words):
                print("like-unit: %s is left: what runs lies there" % home, file=sys.stderr)
            elif os.path.isdir(home):
                mount("tmpfs", home, "tmpfs", MS_RDONLY, "mode=000")
    if has("ProtectKernelLogs", "yes"):
        cover("/proc/kmsg", empty)
        cover("/dev/kmsg", empty)
    if has("ProtectKernelTunables", "yes"):
        for path in ("/proc/kallsyms", "/proc/kcore"):
            cover(path, empty)
        tunables = ["/proc/" + n for n in ("sys", "sysrq-trigger", "irq", "bus", "fs")]
        for path in filter(os.path.exists, tunables):
            mount(path, path, None, MS_BIND)
        read_only(["/sys"] + tunables)
    if has("ProtectControlGroups", "yes"):
        read_only(["/sys/fs/cgroup"])
    if has("ProtectSystem", "strict"):
        read_only(["/"], but=["/dev", "/proc", "/sys", writable])


# -------------------------------------------------------------------------- capabilities

def drop_capabilities(names):
    numbers = dict(re.findall(r"#define (CAP_[A-Z0-9_]+)\s+(\d+)", macros("linux/capability.h")))
    keep = {int(numbers[n]) for n in names}
    last = int(open("/proc/sys/kernel/cap_last_cap", encoding="utf-8").read())
    for number in range(last + 1):
        if number not in keep:
            call(libc.prctl, PR_CAPBSET_DROP, number, 0, 0, 0)


# -------------------------------------------------------------------------- system calls

def syscall_numbers():
    return {name: int(n) for name, n in
            re.findall(r"#define __NR_(\w+) (\d+)", macros("asm/unistd.h"))}


def syscall_sets():
    plain = dict(os.environ, SYSTEMD_COLORS="0", SYSTEMD_PAGER="cat")
    text = subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True,
                          check=True, env=plain).stdout
    sets, members = {}, None
    for line in text.splitlines():
        word = line.strip()
        if line.startswith("@"):
            members = sets.setdefault(word, set())
        elif line.startswith("#"):
            members = None
        elif word and not word.startswith("#") and members is not None:
            members.add(word)
    return sets


def expand(words, sets):
    names = set()
    for word in words:
        names |= expand(sets[word], sets) if word.startswith("@") else {word}
    return names


def filter_names(lines, sets):
    """What SystemCallFilter= lines of an allow list come to."""
    allowed = expand(["@default"], sets)
    for line in lines:
        if line.startswith("~"):
            allowed -= expand(line[1:].split(), sets)
        else:
            allowed |= expand(line.split(), sets)
    return allowed


LOAD, AND, EQUAL, RETURN = 0x20, 0x54, 0x15, 0x06
ALLOW, KILL, ERRNO = 0x7fff0000, 0x80000000, 0x00050000


def install(instructions):
    program = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, ARCHITECTURES[platform.machine()]),
               (RETURN, 0, 0, KILL), (LOAD, 0, 0, 0)] + instructions
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *i) for i in program))

    class Program(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
    call(libc.prctl, PR_SET_SECCOMP, 2, ctypes.byref(Program(len(program), ctypes.addressof(code))))


def allow_only(numbers, err):
    install([i for n in sorted(numbers) for i in ((EQUAL, 0, 1, n), (RETURN, 0, 0, ALLOW))] +
            [(RETURN, 0, 0, ERRNO | err)])


def refuse_bits(number, argument, mask, err):
    """No bit of MASK in that argument."""
    install([(EQUAL, 0, 4, number), (LOAD, 0, 0, 16 + 8 * argument), (AND, 0, 0, mask),
             (EQUAL, 1, 0, 0), (RETURN, 0, 0, ERRNO | err), (RETURN, 0, 0, ALLOW)])


def refuse_others(number, argument, values, err):
    install([(EQUAL, 0, 2 + 2 * len(values), number), (LOAD, 0, 0, 16 + 8 * argument)] +
            [i for v in values for i in ((EQUAL, 0, 1, v), (RETURN, 0, 0, ALLOW))] +
            [(RETURN, 0, 0, ERRNO | err), (RETURN, 0, 0, ALLOW)])


def filter_calls(has, unit):
    numbers = syscall_numbers()
    sets = syscall_sets()
    if "RestrictNamespaces" in unit:
        kept = unit["RestrictNamespaces"][0].split()
        mask = sum(bit for name, bit in NAMESPACES.items() if name not in kept)
        refuse_bits(numbers["unshare"], 0, mask, errno.EPERM)
        refuse_bits(numbers["clone"], 0, mask, errno.EPERM)
        refuse_others(numbers["setns"], 1, [NAMESPACES[n] for n in kept], errno.EPERM)
        # its flags lie in memory
        install([(EQUAL, 0, 1, numbers["clone3"]), (RETURN, 0, 0, ERRNO | errno.ENOSYS),
                 (RETURN, 0, 0, ALLOW)])
    if "RestrictAddressFamilies" in unit:
        families = [FAMILIES[f] for f in unit["RestrictAddressFamilies"][0].split()]
        refuse_others(numbers["socket"], 0, families, errno.EAFNOSUPPORT)
    if has("LockPersonality", "yes"):
        refuse_others(numbers["personality"], 0, [0], errno.EPERM)
    if has("RestrictRealtime", "yes"):
        refuse_others(numbers["sched_setscheduler"], 1, [0, 3, 5], errno.EPERM)
    if has("RestrictSUIDSGID", "yes"):
        for name, argument in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mkdir", 1),
                               ("mkdirat", 2), ("mknod", 1), ("mknodat", 2)):
            if name in numbers:
                refuse_bits(numbers[name], argument, stat.S_ISUID | stat.S_ISGID, errno.EPERM)
    if "SystemCallFilter" in unit:
        names = filter_names(unit["SystemCallFilter"], sets)
        allow_only({numbers[n] for n in names if n in numbers},
                   getattr(errno, unit["SystemCallErrorNumber"][0]))


def main():
    unit = read_unit(sys.argv[1])
    writable = os.path.realpath(sys.argv[2])
    command = sys.argv[sys.argv.index("--") + 1:]
    done = set(NOT_DONE) | {"NoNewPrivileges", "CapabilityBoundingSet", "PrivateNetwork", "DeviceAllow",
                            "ProtectHostname", "SystemCallFilter", "SystemCallErrorNumber",
                            "SystemCallArchitectures", "RestrictNamespaces", "RestrictAddressFamilies"}

    def has(name, value):
        done.add(name)
        return unit.get(name, [""])[-1] == value

    flags = NAMESPACES["mnt"]
    flags |= NAMESPACES["net"] if has("PrivateNetwork", "yes") else 0
    flags |= NAMESPACES["uts"] if has("ProtectHostname", "yes") else 0
    call(libc.unshare, flags)
    enter_mounts(has, unit, writable, command)
    os.umask(int(unit.get("UMask", ["0022"])[0], 8))
    if has("NoNewPrivileges", "yes"):
        call(libc.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if "CapabilityBoundingSet" in unit:
        drop_capabilities(unit["CapabilityBoundingSet"][0].split())
    filter_calls(has, unit)
    unknown = set(unit) - done
    if unknown:
        sys.exit("like-unit: not known how to do: " + " ".join(sorted(unknown)))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
