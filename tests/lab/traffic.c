/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The host of a real guest (guest.c): start QEMU, answer what the guest sends, and migrate it to or
 * from a file.
 *
 *   traffic save FILE COUNT -- QEMU ARG...    when COUNT datagrams have come, migrate to FILE
 *   traffic load FILE COUNT -- QEMU ARG...    from FILE, and wait until COUNT have come
 *
 * QEMU inherits a monitor (QMP) on descriptor 10; -qmp and, to load, -incoming are added to the
 * arguments. The result is one line of JSON on stdout:
 *
 *   op          "save" or "load"
 *   status      "saved", "loaded" (and the guest goes on), "failed": the migration did not succeed;
 *               "silent": less than COUNT datagrams in time; "trouble": anything else
 *   first last  counters of the first and of the last datagram that came here
 *   datagrams   how many
 *   features    16 hexadecimal digits: what the guest's driver has taken; "" when nothing came
 *   answers     how many answers the guest has got in its life
 *   exit        status of QEMU, if it ended by itself
 *   stderr      of QEMU
 *   ms          from the start of QEMU to the end
 *
 * Exit status 0: saved or loaded; 1: any other result; 2: usage.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT 7777
#define QMP_FD 10
#define TIMEOUT_MS 1500000
#define MAX_ARGS 200

struct run {
	bool load;
	const char *file;
	unsigned long count;
	char **argv;

	int64_t start;
	pid_t pid;
	int qmp, error, udp;
	bool ended;
	int wait_status;
	char line[16384], text[4096];
	size_t line_used, text_used;

	unsigned long first, last, datagrams, answers;
	char features[17];
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ------------------------------------------------------------------- start */

static _Noreturn void become_qemu(const struct run *r, int qmp, int error)
{
	static const char *const more[] = { "-chardev", "socket,id=traffic,fd=10",
					    "-qmp", "chardev:traffic",
					    "-incoming", "defer" };
	const char *argv[MAX_ARGS + 8];
	size_t n = 0, n_more = r->load ? 6 : 4;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (n < MAX_ARGS && r->argv[n]) {
		argv[n] = r->argv[n];
		n++;
	}
	for (size_t i = 0; i < n_more; i++)
		argv[n++] = more[i];
	argv[n] = NULL;
	if (dup2(error, 2) < 0 || dup2(qmp, QMP_FD) < 0)
		_exit(127);
	execvp(argv[0], (char *const *)argv);
	perror(argv[0]);
	_exit(127);
}

static int start(struct run *r)
{
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int qmp[2], error[2];

	r->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (r->udp < 0 || bind(r->udp, (const struct sockaddr *)&any, sizeof(any)) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, qmp) < 0 ||
	    pipe2(error, O_CLOEXEC) < 0)
		return -1;
	r->start = now_ms();
	r->pid = fork();
	if (r->pid == 0)
		become_qemu(r, qmp[1], error[1]);
	close(qmp[1]);
	close(error[1]);
	r->qmp = qmp[0];
	r->error = error[0];
	return r->pid < 0 ? -1 : 0;
}

/* -------------------------------------------------------------------- input */

/* "1100...": bit 0 first */
static void take_features(struct run *r, const char *bits)
{
	uint64_t word = 0;

	for (size_t i = 0; i < 64 && bits[i]; i++)
		if (bits[i] == '1')
			word |= UINT64_C(1) << i;
	snprintf(r->features, sizeof(r->features), "%016llx", (unsigned long long)word);
}

/* It goes back as it came. */
static void take_datagram(struct run *r)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char text[512], bits[256];
	ssize_t n = recvfrom(r->udp, text, sizeof(text) - 1, 0, (struct sockaddr *)&from, &len);

	if (n < 0)
		return;
	text[n] = '\0';
	if (sscanf(text, "%lu %255s %lu", &r->last, bits, &r->answers) != 3)
		return;
	if (!r->datagrams++)
		r->first = r->last;
	take_features(r, bits);
	sendto(r->udp, text, (size_t)n, 0, (const struct sockaddr *)&from, len);
}

static void take_stderr(struct run *r)
{
	ssize_t n = read(r->error, r->text + r->text_used, sizeof(r->text) - r->text_used);

	if (n > 0) {
		r->text_used += (size_t)n;
		return;
	}
	close(r->error);
	r->error = -1;
}

static void take_monitor(struct run *r)
{
	ssize_t n = read(r->qmp, r->line + r->line_used, sizeof(r->line) - 1 - r->line_used);

	if (n > 0) {
		r->line_used += (size_t)n;
		return;
	}
	close(r->qmp);
	r->qmp = -1;
}

/* One round: false when the time is over. */
static bool pump(struct run *r)
{
	struct pollfd p[] = {
		{ .fd = r->udp, .events = POLLIN },
		{ .fd = r->error, .events = POLLIN },
		{ .fd = r->qmp, .events = POLLIN },
	};

	if (poll(p, 3, 50) > 0) {
		if (p[0].revents)
			take_datagram(r);
		if (p[1].revents)
			take_stderr(r);
		if (p[2].revents)
			take_monitor(r);
	}
	if (!r->ended)
		r->ended = waitpid(r->pid, &r->wait_status, WNOHANG) == r->pid;
	return now_ms() - r->start < TIMEOUT_MS;
}

/* The next line of the monitor, until the next call; NULL: there is none any more. */
static bool next_line(struct run *r, char *ret, size_t size)
{
	char *end;

	while (!(end = memchr(r->line, '\n', r->line_used)))
		if (r->qmp < 0 || !pump(r))
			return false;
	*end = '\0';
	snprintf(ret, size, "%s", r->line);
	r->line_used -= (size_t)(end + 1 - r->line);
	memmove(r->line, end + 1, r->line_used);
	return true;
}

/* Whether the answer is no error; it is left in @ret. */
static bool execute(struct run *r, const char *command, char *ret, size_t size)
{
	size_t len = strlen(command);

	if (r->qmp < 0 || send(r->qmp, command, len, MSG_NOSIGNAL) != (ssize_t)len)
		return false;
	do
		if (!next_line(r, ret, size))
			return false;
	while (strncmp(ret, "{\"return\"", 9) != 0 && strncmp(ret, "{\"error\"", 8) != 0);
	return ret[2] == 'r';
}

/* ---------------------------------------------------------------- migration */

static bool wait_for_datagrams(struct run *r)
{
	while (r->datagrams < r->count)
		if (r->ended || !pump(r))
			return false;
	return true;
}

static bool migrate(struct run *r)
{
	char command[512], answer[16384];

	snprintf(command, sizeof(command),
		 "{\"execute\":\"%s\",\"arguments\":{\"uri\":\"file:%s\"}}\n",
		 r->load ? "migrate-incoming" : "migrate", r->file);
	if (!execute(r, command, answer, sizeof(answer)))
		return false;
	do {
		pump(r);
		if (!execute(r, "{\"execute\":\"query-migrate\"}\n", answer, sizeof(answer)))
			return false;
		if (strstr(answer, "\"status\": \"failed\""))
			return false;
	} while (!strstr(answer, "\"status\": \"completed\""));
	return true;
}

/* What comes with -incoming may have been saved while it was stopped. */
static bool run_guest(struct run *r)
{
	char answer[16384];

	do {
		if (!pump(r) || !execute(r, "{\"execute\":\"cont\"}\n", answer, sizeof(answer)) ||
		    !execute(r, "{\"execute\":\"query-status\"}\n", answer, sizeof(answer)))
			return false;
	} while (!strstr(answer, "\"status\": \"running\""));
	return true;
}

static const char *run(struct run *r)
{
	char answer[16384];

	if (start(r) < 0 || !next_line(r, answer, sizeof(answer)) ||
	    !execute(r, "{\"execute\":\"qmp_capabilities\"}\n", answer, sizeof(answer)))
		return "trouble";
	if (!r->load && !run_guest(r))
		return "trouble";
	if (!r->load && !wait_for_datagrams(r))
		return "silent";
	if (!migrate(r))
		return "failed";
	if (r->load && !wait_for_datagrams(r))
		return "silent";
	return r->load ? "loaded" : "saved";
}

/* What it has to say before it is gone. */
static void finish(struct run *r)
{
	static const char command[] = "{\"execute\":\"quit\"}\n";

	if (r->pid <= 0)
		return;
	if (r->qmp >= 0)
		send(r->qmp, command, sizeof(command) - 1, MSG_NOSIGNAL);
	for (int i = 0; i < 200 && !r->ended; i++)
		pump(r);
	if (!r->ended) {
		kill(r->pid, SIGKILL);
		waitpid(r->pid, &r->wait_status, 0);
	}
	while (r->error >= 0)
		pump(r);
}

static void print_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
			printf("\\u%04x", c);
		else
			putchar(c);
	}
}

int main(int argc, char **argv)
{
	static struct run r;
	const char *status;

	if (argc < 6 || (strcmp(argv[1], "save") != 0 && strcmp(argv[1], "load") != 0) ||
	    strcmp(argv[4], "--") != 0) {
		fprintf(stderr, "usage: traffic save|load FILE COUNT -- QEMU ARG...\n");
		return 2;
	}
	r = (struct run){ .load = argv[1][0] == 'l', .file = argv[2],
			  .count = strtoul(argv[3], NULL, 10), .argv = argv + 5,
			  .qmp = -1, .error = -1, .udp = -1 };
	status = run(&r);
	finish(&r);
	printf("{\"op\":\"%s\",\"status\":\"%s\",\"first\":%lu,\"last\":%lu,\"datagrams\":%lu,"
	       "\"features\":\"%s\",\"answers\":%lu,",
	       argv[1], status, r.first, r.last, r.datagrams, r.features, r.answers);
	if (r.ended && WIFEXITED(r.wait_status))
		printf("\"exit\":%d,", WEXITSTATUS(r.wait_status));
	printf("\"stderr\":\"");
	print_text(r.text, r.text_used);
	printf("\",\"ms\":%lld}\n", (long long)(now_ms() - r.start));
	return strcmp(status, "saved") != 0 && strcmp(status, "loaded") != 0;
}
