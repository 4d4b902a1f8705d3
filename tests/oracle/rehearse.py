#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""usage: rehearse.py QEMUS [KIND...] > tests/data/rehearsal/matrix

What real QEMUs do with each device alone: each build of tests/fetch-qemus (in the directory QEMUS) saves
a stopped machine, and each other one loads that. One line a cell:

    KIND MACHINE FROM TO loads|refuses|blocked|no-start|source-no-start [what QEMU said]

This is what tests/rehearse.sh holds abibase rehearse to. Nothing here knows abibase, and the machines
are others than those that it makes: 64 MiB, hubs, no sandbox, the stream through a file descriptor."""

import array
import json
import os
import re
import socket
import subprocess
import sys

BUILDS = {"bullseye": "5.2.0", "bookworm": "7.2.22", "trixie": "10.0.13", "trixie-backports": "11.1.3"}
MACHINES = {"pc-q35-5.2": list(BUILDS), "pc-q35-7.2": list(BUILDS)[1:], "pc-q35-10.0": list(BUILDS)[2:]}
KINDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "rehearsal", "kinds")
DISK = "driver=null-co,size=1073741824,read-zeroes=on"


def kinds():
    """{kind: words of a command line}, of the file that the test reads too."""
    with open(KINDS, encoding="ascii") as f:
        lines = [line.split() for line in f if line.strip() and line[0] != "#"]
    return {words[0]: [w.replace("file=DISK", DISK) for w in words[1:]] for words in lines}


class Qemu:
    def __init__(self, root, words):
        lib = root + "/usr/lib/x86_64-linux-gnu"
        ours, theirs = socket.socketpair()
        self.p = subprocess.Popen(
            [lib + "/ld-linux-x86-64.so.2", "--library-path", lib, root + "/usr/bin/qemu-system-x86_64",
             "-L", root + "/usr/share/seabios", "-L", root + "/usr/share/qemu", "-L", root + "/usr/lib/ipxe/qemu",
             "-nodefaults", "-S", "-display", "none", "-accel", "tcg", "-m", "64,maxmem=1G,slots=2",
             "-chardev", "socket,id=monitor,fd=0", "-mon", "chardev=monitor,mode=control"] + words,
            stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=dict(os.environ, QEMU_MODULE_DIR=lib + "/qemu"))
        theirs.close()
        self.s, self.f = ours, ours.makefile("rb")
        ours.settimeout(60)

    def call(self, command, fd=None, **args):
        """The answer; None: it has ended."""
        text = json.dumps({"execute": command, "arguments": args}).encode()
        try:
            if fd is None:
                self.s.sendall(text)
            else:
                self.s.sendmsg([text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
            while True:
                answer = json.loads(self.f.readline() or "null")
                if answer is None or "return" in answer or "error" in answer:
                    return answer
        except OSError:
            return None

    def begin(self, command):
        """Its end of a stream; None: it has ended. And the error."""
        if not self.call("qmp_capabilities"):
            return None, None
        ours, theirs = socket.socketpair()
        self.call("getfd", fd=theirs.fileno(), fdname="stream")
        theirs.close()
        return ours, (self.call(command, uri="fd:stream") or {}).get("error", {}).get("desc")

    def end(self):
        """What it said."""
        self.p.kill()
        said = self.p.communicate()[1].decode(errors="replace").splitlines()
        said = [re.sub(r"^\S*qemu-system-x86_64: ", "", s) for s in said if "warning:" not in s]
        return said[0] if said else ""


def save(root, words):
    """The stream; None: and which of blocked and source-no-start it is, and why."""
    q = Qemu(root, words)
    s, blocked = q.begin("migrate")
    stream = b""
    while s and not blocked:
        chunk = s.recv(1 << 20)
        if not chunk:
            break
        stream += chunk
    if s and not blocked:
        status = (q.call("query-migrate") or {}).get("return", {})
        if status.get("status") != "completed":
            blocked = status.get("error-desc", "failed")
    said = q.end()
    return (stream, "", "") if s and not blocked else (None, "blocked" if s else "source-no-start", blocked or said)


def load(root, words, stream):
    q = Qemu(root, words + ["-incoming", "defer"])
    s, _ = q.begin("migrate-incoming")
    answer = {}
    if not s:
        return "no-start", q.end()
    try:
        s.sendall(stream)
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    while answer is not None and answer.get("return", {}).get("status") not in ("completed", "failed"):
        answer = q.call("query-migrate")
    done = answer is not None and answer["return"]["status"] == "completed"
    said = q.end()
    return ("loads", "") if done else ("refuses", said)


def main():
    chosen = {k: w for k, w in kinds().items() if k in (sys.argv[2:] or kinds())}
    for kind, words in chosen.items():
        for machine, builds in MACHINES.items():
            line = ["-M", machine] + words
            for source in builds:
                stream, why, said = save(os.path.join(sys.argv[1], source), line)
                for destination in builds:
                    if destination == source and stream is not None:
                        continue
                    if stream is not None:
                        why, said = load(os.path.join(sys.argv[1], destination), line, stream)
                    print(kind, machine, BUILDS[source], BUILDS[destination], why, said, flush=True)
                    if stream is None:
                        break


main()
