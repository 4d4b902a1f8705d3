/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * kill-at WHO N COMMAND...: runs it, and kills a process of it by SIGKILL as it enters its system call
 * N: the command itself, WHO 0, or the one that is forked as number WHO. N 0: none is killed, and the
 * calls of that process are counted.
 *
 * All that the command leaves becomes a child of this program: whether there is any after a second is
 * what it is for. Says "CALLS STATUS MILLISECONDS"; exit status 1: something was left, which it ends.
 */

#define LEFT_MS 1000
#define HANGS_S 120
#define PROCESSES 64

static struct {
	pid_t pid;
	int number;
	bool entering; /* its next stop at a system call is the way in */
	bool waits;    /* it was seen before its parent told of it */
} known[PROCESSES];
static int n_known;

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int index_of(pid_t pid)
{
	for (int i = 0; i < n_known; i++)
		if (known[i].pid == pid)
			return i;
	if (n_known == PROCESSES)
		exit(99);
	known[n_known].pid = pid;
	known[n_known].number = -1;
	known[n_known].entering = true;
	return n_known++;
}

static int status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A signal that the process is to have; those of the tracer are none. */
static int signal_of(int status)
{
	int sig = WSTOPSIG(status);

	return sig == SIGTRAP || sig == (SIGTRAP | 0x80) || sig == SIGSTOP || status >> 16 ? 0 : sig;
}

/* The children of the processes on the way to number @who are followed, and of that one the calls. */
static void trace(pid_t command, int who, long n, long *calls, int *ret_status)
{
	int numbers = 0, status;
	bool killed = false;
	pid_t pid;

	known[index_of(command)].number = 0;
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int i = index_of(pid);

		if (!WIFSTOPPED(status)) {
			known[i].pid = 0;
			if (pid != command)
				continue;
			*ret_status = status_of(status);
			return;
		}
		if (status >> 16 == PTRACE_EVENT_FORK || status >> 16 == PTRACE_EVENT_VFORK) {
			unsigned long child;

			ptrace(PTRACE_GETEVENTMSG, pid, 0, &child);
			i = index_of((pid_t)child);
			known[i].number = ++numbers;
			if (known[i].waits)
				ptrace(numbers == who ? PTRACE_SYSCALL : PTRACE_CONT, child, 0, 0);
			i = index_of(pid);
		}
		if (known[i].number < 0) {
			known[i].waits = true;
			continue;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80) && known[i].number == who && !killed) {
			*calls += known[i].entering;
			if (known[i].entering && n && *calls == n) {
				killed = true;
				kill(pid, SIGKILL);
				continue;
			}
			known[i].entering = !known[i].entering;
		}
		ptrace(known[i].number == who && !killed ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0,
		       signal_of(status));
	}
}

static void be_command(char **argv)
{
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	execv(argv[0], argv);
	perror(argv[0]);
	_exit(99);
}

/* How long it takes until there is no child; -1: too long */
static long wait_for_none(void)
{
	long begin = now();

	while (waitpid(-1, NULL, WNOHANG | __WALL) >= 0 || errno == EINTR) {
		struct timespec nap = { .tv_nsec = 1000000 };

		if (now() - begin > LEFT_MS)
			return -1;
		nanosleep(&nap, NULL);
	}
	return now() - begin;
}

/* Whoever is a child here */
static void end_all(void)
{
	char line[256];
	FILE *f = popen("ps -o pid,stat,args --ppid $PPID", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strstr(line, "ps -o")) {
			fputs(line, stderr);
			if (atoi(line) > 1)
				kill(atoi(line), SIGKILL);
		}
	if (f)
		pclose(f);
}

int main(int argc, char **argv)
{
	long calls = 0, n, left;
	int who, status = 0;
	pid_t pid;

	if (argc < 4)
		return 99;
	who = atoi(argv[1]);
	n = atol(argv[2]);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	alarm(HANGS_S);
	pid = fork();
	if (pid == 0)
		be_command(argv + 3);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return 99;
	ptrace(PTRACE_SETOPTIONS, pid, 0,
	       PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL |
		       (who ? PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK : 0));
	ptrace(who ? PTRACE_CONT : PTRACE_SYSCALL, pid, 0, 0);
	trace(pid, who, n, &calls, &status);
	left = wait_for_none();
	printf("%ld %d %ld\n", calls, status, left);
	if (left < 0)
		end_all();
	return left < 0;
}
