# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts with a real libvirtd each, on one machine.

A host is a root of its own (a fetched Debian suite below what `make install` made of abibase, with what is
written in a file system in memory above both), in namespaces of its own for mounts, the network, names,
IPC and processes. All of them see /share, where the sockets of the libvirtds and the consoles are.
"""
import contextlib
import functools
import itertools
import os
import shutil
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(SRC, "tests", "oracle"))
import fakehost  # noqa: E402

QEMU = "/usr/bin/qemu-system-x86_64"
PROFILE = "/var/lib/abibase/host.json"
BASELINES = "/etc/abibase/baselines"
CONF = "/etc/abibase/emulator.conf"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

INIT = r"""
root=$1 share=$2 lower=$3 layers=$4
mount -t overlay -o "lowerdir=$lower,upperdir=$layers/upper,workdir=$layers/work" overlay "$root"
for directory in proc sys run dev tmp share root; do mkdir -p "$root/$directory"; done
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir "$root/dev/net" "$root/dev/pts" "$root/dev/shm"
node() { mknod -m 666 "$root/dev/$1" c "$2" "$3"; }
node null 1 3
node zero 1 5
node full 1 7
node random 1 8
node urandom 1 9
node net/tun 10 200
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount --bind "$share" "$root/share"
hostname "${layers##*/}"
ip link set lo up
# not by chroot: who is in one can make no user namespace
mkdir -p "$root/mnt"
cd "$root"
pivot_root . mnt
chroot mnt umount -l /
echo ready
# what libvirtd forks off and leaves to the first process is nobody's zombie then
exec env --ignore-signal=CHLD sleep infinity
"""


class Failed(Exception):
    """What a case found wrong."""


class Missing(Exception):
    """Something that the tests need cannot be had here."""


def wait_for(what, seconds, condition):
    """The first true value of condition(). Machines are slow; waits are bounded."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed("%s: not within %d s" % (what, seconds))
        time.sleep(0.05)


def run(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True,
                          stdin=subprocess.DEVNULL, **more).stdout


def build(work):
    """abibase, the guest and the kernels that are replayed; below @work"""
    cc = os.environ.get("CC", "cc").split()
    make = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES")}
    run("make", "-s", "-C", os.environ.get("top_builddir", "."), "install", "DESTDIR=%s/abibase" % work,
        env=make)
    os.mkdir(work + "/share")
    os.chmod(work + "/share", 0o1777)
    run(*cc, "-m32", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-pic", "-no-pie",
        "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-mgeneral-regs-only", "-static",
        "-nostdlib", "-Wl,-N,-Ttext=0x100000,--build-id=none,--no-warn-rwx-segments", "-o", work + "/share/guest",
        HERE + "/guest.c")
    for kernel in ("6.1", "6.12"):
        words = fakehost.environment(kernel, "tap", "")["ABIBASE_FAKEHOST"]
        run(*cc, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-ffreestanding",
            "-fno-stack-protector", "-U_FORTIFY_SOURCE", "-fvisibility=hidden", "-shared", "-nostdlib",
            '-DFAKEHOST="%s"' % words, "-o", "%s/kernel-%s.so" % (work, kernel),
            SRC + "/tests/oracle/fakehost.c")


@functools.cache
def directory(variable):
    """As the Makefile of the build has it"""
    return subprocess.run(
        ["make", "-s", "-f", "Makefile", "-f", "-", "show"], text=True, check=True, stdout=subprocess.PIPE,
        input="show:\n\t@echo $(%s)\n" % variable, cwd=os.environ.get("top_builddir", "."),
        env={"PATH": os.environ["PATH"]}).stdout.strip()


class Host:
    def __init__(self, work, tree, name, suite, kernel, above=None):
        """@above: a tree whose files stand before those of the suite"""
        self.name, self.suite, self.kernel, self.above = name, suite, kernel, above
        self.work, self.share = work, work + "/share"
        self.layers = "%s/%s" % (work, name)
        self.uri = "qemu+unix:///system?socket=/share/%s/libvirt-sock" % name
        self.qemu = QEMU
        self.daemon = None
        for d in ("upper", "work", "root"):
            os.makedirs("%s/%s" % (self.layers, d))
        os.makedirs("%s/%s" % (self.share, name))
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--propagation",
             "private", "sh", "-euc", INIT, "init", self.layers + "/root", self.share,
             ":".join([work + "/abibase", *([above] if above else []), "%s/%s" % (tree, suite)]), self.layers],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "ready\n":
            raise Missing("no host of namespaces can be made here")
        with open("/proc/%d/task/%d/children" % (self.holder.pid, self.holder.pid), encoding="ascii") as f:
            self.pid = int(f.read())
        self.inside = "/proc/%d/root" % self.pid
        self.settle()
        self.journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        os.makedirs(self.inside + "/run/systemd/journal")
        self.journal.bind(self.inside + "/run/systemd/journal/socket")
        os.chmod(self.inside + "/run/systemd/journal/socket", 0o666)
        self.journal.setblocking(False)

    # ------------------------------------------------------------------ files and programs

    def write(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(self.inside + path), exist_ok=True)
        # a link to an absolute path would lead out of the host
        for part in itertools.accumulate(path.split("/"), os.path.join):
            if os.path.islink(self.inside + "/" + part) and os.readlink(self.inside + "/" + part).startswith("/"):
                raise AssertionError(path)
        with open(self.inside + path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.inside + path, mode)

    def read(self, path):
        try:
            with open(self.inside + path, encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def command(self, *words):
        return ["nsenter", "--target", str(self.pid), "--mount", "--net", "--uts", "--ipc", "--pid", "env", "-i",
                "PATH=" + PATH, "HOME=/root", "LC_ALL=C", *words]

    def ask(self, *words):
        """Its exit status, and what it says"""
        try:
            p = subprocess.run(self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", timeout=90,
                               check=False)
        except subprocess.TimeoutExpired as e:
            raise Failed("%s: %s: not within 90 s: %s" % (self.name, " ".join(words), e.output)) from e
        return p.returncode, p.stdout

    def run(self, *words, status=0):
        """What the command says; @status: what it has to end with, None: whatever that is"""
        ended, said = self.ask(*words)
        if status is not None and ended != status:
            raise Failed("%s: %s: exit status %d, not %d:\n%s" % (self.name, " ".join(words), ended, status, said))
        return said

    def virsh(self, *words, **more):
        return self.run("virsh", "-q", "-c", self.uri, *words, **more)

    # ---------------------------------------------------------------------------- to set up

    def settle(self):
        """What the packages' scripts would have done, and what libvirtd needs to know of a host like this"""
        self.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"
                   "libvirt-qemu:x:64055:64055::/var/lib/libvirt:/bin/false\n")
        self.write("/etc/group", "root:x:0:\nkvm:x:64055:\nlibvirt:x:64056:\nlibvirt-qemu:x:64057:\nnogroup:x:65534:\n"
                   "tty:x:5:\n")
        self.write("/etc/machine-id", (self.name.encode().hex() + "0" * 32)[:32] + "\n")
        shutil.copy("%s/kernel-%s.so" % (self.work, self.kernel), self.inside + "/usr/lib/kernel.so")
        self.write("/etc/ld.so.preload", "/usr/lib/kernel.so\n")
        self.run("ldconfig")
        os.makedirs(self.inside + os.path.dirname(PROFILE), exist_ok=True)
        # a build with another prefix than the packages'; who asks for /etc/abibase gets what it reads
        for variable, place, name in (("sysconfdir", "/etc", "abibase"), ("bindir", "/usr/bin", "abibase"),
                                      ("bindir", "/usr/bin", "abibase-emulator")):
            if directory(variable) != place:
                os.symlink(os.path.relpath(directory(variable), place) + "/" + name,
                           "%s%s/%s" % (self.inside, place, name))
        digits = "%02x" % (sum(map(ord, self.name)) & 0xff)
        self.write("/etc/libvirt/libvirtd.conf", """
host_uuid = "00112233-4455-6677-8899-aabbccddee%s"
auth_unix_rw = "none"
unix_sock_dir = "/share/%s"
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
""" % (digits, self.name))
        self.write("/etc/libvirt/qemu.conf", """
stdio_handler = "file"
remember_owner = 0
user = "libvirt-qemu"
group = "kvm"
swtpm_user = "libvirt-qemu"
swtpm_group = "kvm"
""")
        # certificates of a TPM that nobody reads, without an authority that takes seconds to make
        self.write("/usr/local/bin/certificates", """#!/bin/sh
while [ "$1" != --dir ]; do shift; done
echo none | tee "$2/ek.cert" > "$2/platform.cert"
""", 0o755)
        self.write("/etc/swtpm_setup.conf", "create_certs_tool = /usr/local/bin/certificates\n")

    def start_libvirtd(self, path=PATH):
        os.makedirs(self.inside + "/var/log/libvirt", exist_ok=True)
        self.daemon = subprocess.Popen(self.command("env", "PATH=" + path, "libvirtd"), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def libvirtd_is_up(self):
        def answers():
            if self.daemon.poll() is not None:
                raise Missing("libvirtd of %s ended: %s" % (self.suite, self.read("/var/log/libvirt/libvirtd.log")))
            return "Running against daemon" in self.virsh("version", "--daemon", status=None)
        wait_for("libvirtd of " + self.suite, 60, answers)

    def stop_libvirtd(self):
        """Its guests live on."""
        self.run("sh", "-c", "kill $(cat /run/libvirtd.pid)")
        self.daemon.wait(30)

    def restart_libvirtd(self, path=PATH):
        self.stop_libvirtd()
        self.start_libvirtd(path)
        self.libvirtd_is_up()

    # ------------------------------------------------------------------------------ abibase

    def record(self):
        self.run("abibase", "probe", "--name=" + self.name, "--no-observe", "-o", PROFILE)

    def conf(self, text):
        self.write(CONF, "%sqemu = %s\nprofile = %s\n" % (text, self.qemu, PROFILE))

    def log(self, guest):
        """Of the last QEMU of that name"""
        text = self.read("/var/log/libvirt/qemu/%s.log" % guest)
        return text[text.rfind("starting up libvirt version"):]

    def logs(self, guest, word):
        """What QEMU says there, which it may do after virsh has ended"""
        wait_for("%s in the log of %s" % (word, guest), 10, lambda: word in self.log(guest))
        return self.log(guest)

    def processes(self, guest):
        """The QEMUs of that name: arguments and environment of each"""
        found = []
        for pid in self.run("sh", "-c", "cd /proc; echo [1-9]*").split():
            words = self.read("/proc/%s/cmdline" % pid).split("\0")
            if "guest=%s,debug-threads=on" % guest in words:
                found.append((words, self.read("/proc/%s/environ" % pid).split("\0")))
        return found

    def said(self):
        """What came to the journal since this was asked last: a dictionary a message"""
        messages = []
        with contextlib.suppress(BlockingIOError):
            while True:
                lines = self.journal.recv(65536).decode(errors="replace").splitlines()
                messages.append(dict(line.split("=", 1) for line in lines if "=" in line))
        return messages

    def clear(self):
        """As it was before the case"""
        for name in self.virsh("list", "--name").split():
            self.virsh("destroy", name)
        for name in self.virsh("list", "--name", "--all").split():
            self.virsh("undefine", name)
        self.run("sh", "-c", "rm -rf /etc/libvirt/hooks /etc/abibase/* /var/log/libvirt/qemu/*; mkdir -p " + BASELINES)
        self.said()

    def end(self):
        self.journal.close()
        self.holder.kill()
        self.holder.wait()
