/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs commands in turn, round after round, so that whatever else the machine does falls on all of
 * them alike:
 *
 *	runner ROUNDS NAME COMMAND [ARGUMENT]... [+ NAME COMMAND [ARGUMENT]...]...
 *
 * A round before the first fills the page cache and is not counted. For each command a line with
 * tabs comes out: its name, the medians of wall and CPU time in microseconds, the peak resident
 * memory in KiB, and the medians over the rounds of its wall and of its CPU time divided by those
 * of the first command in the same round.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ROUNDS 99
#define MAX_COMMANDS 8

struct command {
	const char *name;
	char **argv; /* ends with NULL */
	double wall[MAX_ROUNDS], cpu[MAX_ROUNDS];
	long peak;
};

static double seconds(const struct timeval *tv)
{
	return (double)tv->tv_sec + (double)tv->tv_usec / 1e6;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void exec_quietly(char **argv, int err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(err, 2) < 0)
		_exit(127);
	execvp(argv[0], argv);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static void show_stderr(FILE *f)
{
	char line[512];

	rewind(f);
	while (fgets(line, sizeof(line), f))
		fputs(line, stderr);
}

/* Run once; @round below 0: not counted. What it says on stderr is shown when it fails. */
static int run(struct command *c, int round)
{
	FILE *err = tmpfile();
	struct rusage use;
	double start;
	int status;
	pid_t pid;

	if (!err)
		return -1;
	start = now();
	pid = fork();
	if (pid == 0)
		exec_quietly(c->argv, fileno(err));
	if (pid < 0 || wait4(pid, &status, 0, &use) != pid) {
		perror("runner");
		fclose(err);
		return -1;
	}
	if (round >= 0) {
		c->wall[round] = now() - start;
		c->cpu[round] = seconds(&use.ru_utime) + seconds(&use.ru_stime);
	}
	if (use.ru_maxrss > c->peak)
		c->peak = use.ru_maxrss;
	if (status != 0) {
		show_stderr(err);
		fprintf(stderr, "runner: %s: wait status 0x%x\n", c->name, (unsigned int)status);
	}
	fclose(err);
	return status == 0 ? 0 : -1;
}

static int number_cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(const double *v, int n)
{
	double sorted[MAX_ROUNDS];

	memcpy(sorted, v, (size_t)n * sizeof(*v));
	qsort(sorted, (size_t)n, sizeof(*sorted), number_cmp);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static double median_ratio(const double *v, const double *to, int n)
{
	double ratio[MAX_ROUNDS];

	for (int i = 0; i < n; i++)
		ratio[i] = to[i] > 0 ? v[i] / to[i] : 0;
	return median(ratio, n);
}

static void report(const struct command *c, const struct command *first, int rounds)
{
	printf("%s\t%.0f\t%.0f\t%ld\t%.4f\t%.4f\n", c->name, median(c->wall, rounds) * 1e6,
	       median(c->cpu, rounds) * 1e6, c->peak, median_ratio(c->wall, first->wall, rounds),
	       median_ratio(c->cpu, first->cpu, rounds));
}

/* Cut the arguments at each "+". The number of commands, or -1. */
static int parse(char **argv, struct command *commands)
{
	int n = 0;

	while (*argv) {
		if (n == MAX_COMMANDS || !argv[1])
			return -1;
		commands[n].name = *argv++;
		commands[n++].argv = argv;
		while (*argv && strcmp(*argv, "+") != 0)
			argv++;
		if (*argv)
			*argv++ = NULL;
	}
	return n;
}

int main(int argc, char **argv)
{
	static struct command commands[MAX_COMMANDS];
	int rounds = argc > 1 ? atoi(argv[1]) : 0;
	int n = rounds > 0 && rounds <= MAX_ROUNDS ? parse(argv + 2, commands) : -1;

	if (n <= 0) {
		fprintf(stderr, "usage: runner ROUNDS NAME COMMAND... [+ NAME COMMAND...]...\n");
		return 2;
	}
	for (int round = -1; round < rounds; round++)
		for (int i = 0; i < n; i++)
			if (run(&commands[i], round) < 0)
				return 2;
	for (int i = 0; i < n; i++)
		report(&commands[i], &commands[0], rounds);
	return fflush(stdout) == 0 ? 0 : 2;
}
