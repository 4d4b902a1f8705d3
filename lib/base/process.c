/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define STOP_TICK_MS 50 /* how late a wait notices that it is to end */

int64_t process_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool process_stopped(const struct process_stop *stop)
{
	return stop && (__atomic_load_n(&stop->asked, __ATOMIC_ACQUIRE) ||
			(stop->deadline && process_now() >= stop->deadline));
}

int process_left(int64_t deadline, const struct process_stop *stop)
{
	int64_t left = deadline - process_now();

	if (left <= 0 || process_stopped(stop))
		return 0;
	return (int)(stop && left > STOP_TICK_MS ? STOP_TICK_MS : left);
}

static void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void default_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
	unblock_signals();
}

pid_t process_fork(void)
{
	pid_t parent = getpid(), pid;
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* The parent may have gone before that took effect. */
		if (getppid() != parent)
			_exit(127);
		default_signals();
		return 0;
	}
	err = errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = err;
	return pid;
}

/* More descriptors than anyone has, where the kernel cannot close a range of them. */
#define MAX_FDS 65536

static void close_range_of(unsigned int first, unsigned int last)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, last, 0U) == 0)
		return;
#endif
	for (unsigned int fd = first; fd <= last && fd < MAX_FDS; fd++)
		close((int)fd);
}

void process_close_others(int first, int fd)
{
	if (fd > first)
		close_range_of((unsigned int)first, (unsigned int)fd - 1);
	close_range_of((unsigned int)(fd < first ? first : fd + 1), ~0U);
}

/* ------------------------------------------------------------------------ a guard */

/* What is killed and does not end in this time hangs in the kernel. */
#define GUARD_END_MS 1000

/* The first process of the namespace, with which all others of it end: lives as long as the guard. */
static _Noreturn void guard_be_init(int lifeline)
{
	char c;

	process_close_others(0, lifeline);
	while (read(lifeline, &c, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

/*
 * What is forked from here on is in a process namespace of its own, where the caller may have one.
 * Its first process is none of those that are executed: signals do not reach it as they reach
 * others. Returns that, or 0 where there is no namespace; @ret is what keeps it alive.
 */
static pid_t guard_make_namespace(int *ret)
{
	pid_t init;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	if (unshare(CLONE_NEWPID) < 0) {
		close(fds[0]);
		close(fds[1]);
		return 0;
	}
	init = fork();
	if (init == 0) {
		close(fds[1]);
		guard_be_init(fds[0]);
	}
	if (init < 0)
		return -errno;
	close(fds[0]);
	*ret = fds[1];
	return init;
}

/* The numbers in the kernel's list of a thread's children. */
static void guard_kill_listed(void)
{
	_autoclose_ int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	char text[4096];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	pid_t pid = 0;

	for (ssize_t i = 0; i < n; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			pid = pid * 10 + (text[i] - '0');
		} else if (pid > 1) {
			kill(pid, SIGKILL);
			pid = 0;
		}
	}
}

/* What has lost its parent is the guard's, wherever it went. */
static void guard_kill_all(pid_t child, pid_t init)
{
	int64_t deadline = process_now() + GUARD_END_MS;

	if (init)
		kill(init, SIGKILL);
	if (child)
		kill(child, SIGKILL);
	do {
		struct timespec nap = { .tv_nsec = 1000000 };
		pid_t r;

		guard_kill_listed();
		do {
			r = waitpid(-1, NULL, WNOHANG);
		} while (r > 0);
		if (r < 0 && errno == ECHILD)
			return;
		nanosleep(&nap, NULL);
	} while (process_now() < deadline);
}

/* The status of @child once it has ended; -1: the guard was told to end. */
static int guard_wait(pid_t child, const sigset_t *signals)
{
	for (;;) {
		int status;
		pid_t r = waitpid(-1, &status, WNOHANG);

		if (r == child)
			return status;
		if (r < 0 && errno != EINTR)
			return -1;
		if (r == 0 && sigwaitinfo(signals, NULL) == SIGTERM)
			return -1;
	}
}

static _Noreturn void guard_end(int status)
{
	if (status != -1 && WIFSIGNALED(status)) {
		prctl(PR_SET_DUMPABLE, 0); /* the core is not the guard's */
		unblock_signals();
		kill(getpid(), WTERMSIG(status));
	}
	_exit(status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : 127);
}

static _Noreturn void guard(pid_t child, pid_t init, int lifeline, const sigset_t *signals)
{
	int status;

	process_close_others(0, lifeline);
	status = guard_wait(child, signals);
	guard_kill_all(status == -1 ? child : 0, init);
	guard_end(status);
}

int process_guard(pid_t parent)
{
	int lifeline = MAX_FDS;
	pid_t init, child, self = getpid();
	sigset_t signals, old;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, &old);
	/* A new user namespace has reset it, and there is something to do now before the end. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	init = guard_make_namespace(&lifeline);
	if (init < 0)
		return init;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	child = fork();
	if (child < 0)
		return -errno;
	if (child > 0)
		guard(child, init, lifeline, &signals);
	sigprocmask(SIG_SETMASK, &old, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Of another namespace it would be 0: there it ends with that. */
	if (!init && getppid() != self)
		_exit(127);
	return 0;
}

int process_end(pid_t pid, int64_t deadline)
{
	int status;

	/* It may have been stopped with what it guards. */
	kill(pid, SIGTERM);
	kill(pid, SIGCONT);
	status = process_reap(pid, deadline);
	if (status != -1 || process_now() < deadline)
		return status;
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	return process_reap(pid, deadline + GUARD_END_MS);
}

int process_reap(pid_t pid, int64_t deadline)
{
	for (;;) {
		struct timespec nap = { .tv_nsec = 1000000 };
		int status;
		pid_t r = waitpid(pid, &status, WNOHANG);

		if (r == pid)
			return status;
		if (r < 0 && errno != EINTR)
			return -1;
		if (process_now() >= deadline)
			return -1;
		nanosleep(&nap, NULL);
	}
}

void process_how_it_ended(int status, char *ret, size_t size)
{
	if (status != -1 && WIFSIGNALED(status))
		snprintf(ret, size, "was killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else if (status != -1 && WIFEXITED(status))
		snprintf(ret, size, "exited with status %d", WEXITSTATUS(status));
	else
		snprintf(ret, size, "stopped answering");
}
