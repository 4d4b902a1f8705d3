# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Where the QEMUs of the matrix run. A place takes jobs, in two turns (all that are saved, then all
that are loaded), and yields a result for each, in any order; what they are is in drive.c: a job is
a line of its plan, as a list of words, a result is its line of JSON, as a dictionary.

The streams of one call of the matrix are in one directory, by the name of the line.
"""
import concurrent.futures
import json
import os
import subprocess
import sys

import fakehost

KERNEL, ID, OP, STREAM, QEMU, MACHINE, BACKEND, REFUSE = range(8)
ARGS = 8


def line_of(job):
    return "\t".join(job) + "\n"


class Fast:
    """This machine, with fakehost.c as each recorded kernel; KERNEL is one of fakehost.kernels()."""

    tier = "fast"
    sources = [os.path.join(os.path.dirname(fakehost.__file__), "fakehost.c")]

    def __init__(self, drive, library, qemus, streams, jobs):
        self.command = [drive, "batch", "--qemus=" + qemus, "--streams=" + streams, "--tap=fake0",
                        "--timeout=60"]
        self.surroundings = {(k, s): fakehost.environment(k, s, os.path.abspath(library))
                             for k in fakehost.kernels() for s in ("tap", "macvtap")}
        self.jobs = jobs

    def one(self, job):
        surface = "macvtap" if job[BACKEND].startswith("macvtap") else "tap"
        host = self.surroundings[job[KERNEL], surface]
        p = subprocess.run(self.command, input=line_of(job), stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, env=dict(os.environ, **host))
        if p.returncode != 0 or not p.stdout:
            raise RuntimeError("%s: %s" % (line_of(job), p.stderr))
        return json.loads(p.stdout)

    def run(self, jobs):
        pool = concurrent.futures.ThreadPoolExecutor(self.jobs)
        try:
            for future in concurrent.futures.as_completed([pool.submit(self.one, j)
                                                           for j in jobs]):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


class Elsewhere:
    """
    A command, which is called once a turn as

        COMMAND PLAN STREAMS

    with a file that is a plan and the directory of the streams. It runs each line of the plan on
    the KERNEL that it names, takes what is loaded from the directory and puts there what is saved,
    and prints the result of each line, in any order, when it has it. Exit status 0: there is one
    for each line.
    """

    tier = "vm"
    sources = []

    def __init__(self, command, streams):
        self.command = command
        self.streams = streams

    def run(self, jobs):
        if not jobs:
            return
        plan = os.path.join(self.streams, ".plan")
        with open(plan, "w", encoding="utf-8") as f:
            f.writelines(line_of(j) for j in jobs)
        with subprocess.Popen([self.command, plan, self.streams], stdout=subprocess.PIPE,
                              text=True) as process:
            for line in process.stdout:
                yield json.loads(line)
        os.unlink(plan)
        if process.returncode != 0:
            sys.exit("matrix: %s: exit status %d" % (self.command, process.returncode))
