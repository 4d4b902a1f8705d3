/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_PROCESS_H
#define ABIBASE_PROCESS_H

/* Child processes that end in bounded time. */

#include <stdint.h>
#include <sys/types.h>

#include "base/util.h"

/* Milliseconds of the monotonic clock. */
int64_t process_now(void);
/* What ends waits before their time: another thread asks for it, or the time of the whole is over. */
struct process_stop {
	bool asked;	  /* set and read atomically */
	int64_t deadline; /* 0: none */
};
bool process_stopped(const struct process_stop *stop);
/* Milliseconds to wait for at once; 0: @deadline is over, or @stop (NULL: nothing) ends it. */
int process_left(int64_t deadline, const struct process_stop *stop);
/*
 * fork() with every signal blocked around it, so that no handler of the caller runs in the child.
 * In the child all signals have their default action, SIGPIPE is ignored, nothing is blocked, and
 * the kernel kills it when the calling thread ends. The child may call only what is safe after a
 * fork() of a process with threads, and ends by _exit() or exec.
 */
pid_t process_fork(void);
/* In a child: close all descriptors from @first on but @fd. */
void process_close_others(int first, int fd);
/*
 * In a child of process_fork() by @parent, which leads a process group: returns in a child of that,
 * while the process itself stays as its guard, holds no descriptor and ends as the child ends. All
 * that the child has started ends before that, with a session of its own or without: by a process
 * namespace where the caller may make one, else as far as the kernel lists children. 0, or a
 * negative errno in the process itself.
 */
int process_guard(pid_t parent);
/* End what process_guard() guards, and reap the guard. The status, or -1 as process_reap(). */
int process_end(pid_t pid, int64_t deadline);
/*
 * Wait until @deadline, not forever: a process that hangs in the kernel cannot be killed. Returns
 * the status, or -1 when there is none (also when the caller ignores SIGCHLD).
 */
int process_reap(pid_t pid, int64_t deadline);
/* How a process ended, in words, by its wait status. */
void process_how_it_ended(int status, char *ret, size_t size);

#endif
