/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/qmp.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "document/json.h"

#define LINE_MAX_BYTES (4u << 20)
#define TOTAL_MAX_BYTES (16u << 20)
#define QUIT_MS 2000
#define KILL_MS 2000

/* ------------------------------------------------------------------ start */

static int fail(struct qmp *q, enum qmp_failure failure, int err)
{
	q->failure = failure;
	return -err;
}

struct start {
	int io[2], err[2], exec[2]; /* the second of each is the child's */
};

static void start_close(struct start *s)
{
	int *fds[] = { s->io, s->err, s->exec };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		for (int k = 0; k < 2; k++)
			closep(&fds[i][k]);
}
#define _start_ __attribute__((cleanup(start_close))) struct start

static int start_open(struct start *s)
{
	/* A socket, so that writing to a QEMU that has gone raises no SIGPIPE in the caller. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->io) < 0)
		return -errno;
	if (pipe2(s->err, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(s->exec, O_CLOEXEC) < 0)
		return -errno;
	return 0;
}

/*
 * The caller's stdio may be closed, and these descriptors then be 0, 1 and 2: move them away, and
 * out of the way of what is handed over.
 */
static int move_away(int fd, const struct qmp_preparation *prep)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, QMP_FIRST_FD + (int)prep->n_fds);
}

/* What went wrong between fork() and exec: an errno, and the step of the preparation or 0. */
struct report {
	int err, step;
};

/* As far as it may; a root that has no capability left is still the owner of root's files. */
static void drop_rights(void)
{
	capng_clear(CAPNG_SELECT_ALL);
	capng_apply(CAPNG_SELECT_ALL);
}

static _Noreturn void exec_child(const struct start *s, const char *path, char *const argv[],
				 const struct qmp_preparation *prep)
{
	int io = move_away(s->io[1], prep), err = move_away(s->err[1], prep);
	int fd = move_away(s->exec[1], prep), r;
	struct report report = { 0 };
	pid_t parent = getppid();

	/* A group of its own, so that it can be stopped with what a wrapper script starts. */
	setpgid(0, 0);
	/* No program on its way gains a right by being set-user-ID. */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* Descriptors that the caller did not mark close-on-exec are none of QEMU's business. */
#ifdef SYS_close_range
	syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
#endif
	r = prep->fn && io >= 0 && err >= 0 && fd >= 0 ? prep->fn(prep->data, &report.step) : 0;
	if (r == 0)
		report.step = 0;
	if (r == 0)
		r = process_guard(parent);
	if (r == 0 && prep->beside)
		r = prep->beside(prep->data, &report.step);
	if (r == 0)
		report.step = 0;
	if (r == 0 && prep->without_rights)
		drop_rights();
	if (r == 0 && prep->limit)
		r = prep->limit(prep->data, &report.step);
	if (r == 0)
		report.step = 0;
	if (r == 0 && io >= 0 && err >= 0 && fd >= 0 && dup2(io, 0) == 0 && dup2(io, 1) == 1 &&
	    dup2(err, 2) == 2)
		execv(path, argv);
	report.err = r < 0 ? -r : errno;
	if (write(fd >= 0 ? fd : s->exec[1], &report, sizeof(report)) < 0)
		_exit(126);
	_exit(127);
}

/* Did the exec succeed? The descriptor is closed by it; else the errno comes. */
static int wait_exec(struct qmp *q, int fd)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int left = process_left(q->deadline, q->stop);
		struct report report;
		ssize_t n;

		if (left <= 0)
			return fail(q, QMP_TIMEOUT, ETIMEDOUT);
		if (poll(&p, 1, left) <= 0)
			continue;
		n = read(fd, &report, sizeof(report));
		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(report))
			return 0;
		q->step = report.step;
		return fail(q, report.step ? QMP_NO_SETUP : QMP_NO_EXEC, report.err);
	}
}

int qmp_spawn(struct qmp *q, const char *path, char *const argv[], int timeout_ms,
	      const struct qmp_preparation *prep)
{
	_start_ s = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	int r = start_open(&s);
	pid_t pid;

	qmp_init(q);
	q->deadline = process_now() + timeout_ms;
	q->stop = prep->stop;
	if (r < 0)
		return fail(q, QMP_NO_FD, -r);
	pid = process_fork();
	if (pid == 0)
		exec_child(&s, path, argv, prep);
	if (pid < 0)
		return fail(q, QMP_NO_PROCESS, errno);
	q->pid = pid;
	setpgid(pid, pid); /* whoever comes first */
	q->fd = s.io[0];
	q->err_fd = s.err[0];
	s.io[0] = s.err[0] = -1;
	closep(&s.io[1]);
	closep(&s.err[1]);
	closep(&s.exec[1]);
	s.io[1] = s.err[1] = s.exec[1] = -1;
	return wait_exec(q, s.exec[0]);
}

/* ------------------------------------------------------------------- talk */

/* Keep the end of what it writes to stderr. */
static void take_stderr(struct qmp *q)
{
	char chunk[512];
	ssize_t n = read(q->err_fd, chunk, sizeof(chunk));
	size_t add, keep;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		closep(&q->err_fd);
		q->err_fd = -1;
		return;
	}
	add = (size_t)n;
	keep = q->tail_len;
	if (keep + add > sizeof(q->tail))
		keep = sizeof(q->tail) - add;
	memmove(q->tail, q->tail + q->tail_len - keep, keep);
	memcpy(q->tail + keep, chunk, add);
	q->tail_len = keep + add;
}

/* Its end of the socket is closed: it is ending, so wait a moment for how. */
static int died(struct qmp *q)
{
	int64_t grace = process_now() + 1000;

	if (grace > q->deadline)
		grace = q->deadline;
	if (q->pid > 0)
		q->status = process_reap(q->pid, grace);
	if (q->status != -1)
		q->pid = 0;
	while (q->err_fd >= 0) {
		struct pollfd p = { .fd = q->err_fd, .events = POLLIN };

		if (poll(&p, 1, 0) <= 0)
			break;
		take_stderr(q);
	}
	return fail(q, QMP_DIED, EPIPE);
}

static int take_stdout(struct qmp *q)
{
	char chunk[16384];
	ssize_t n = read(q->fd, chunk, sizeof(chunk));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0)
		return died(q);
	q->total += (size_t)n;
	if (q->total > TOTAL_MAX_BYTES || q->in.len > LINE_MAX_BYTES)
		return fail(q, QMP_TOO_MUCH, EMSGSIZE);
	buf_add(&q->in, chunk, (size_t)n);
	return buf_failed(&q->in) ? -ENOMEM : 0;
}

static int wait_more(struct qmp *q)
{
	struct pollfd p[2] = { { .fd = q->fd, .events = POLLIN },
			       { .fd = q->err_fd, .events = POLLIN } };
	int left = process_left(q->deadline, q->stop);

	if (left <= 0)
		return fail(q, QMP_TIMEOUT, ETIMEDOUT);
	if (poll(p, 2, left) <= 0)
		return 0;
	if (p[1].revents)
		take_stderr(q);
	return p[0].revents ? take_stdout(q) : 0;
}

/* The length of the next line, without its end; one that is longer than @max is QMP_JUNK. */
static int wait_line(struct qmp *q, size_t max, size_t *ret_len)
{
	char *nl;

	while (!(nl = q->in.len ? memchr(q->in.data, '\n', q->in.len) : NULL)) {
		int r = q->in.len < max ? wait_more(q) : fail(q, QMP_JUNK, EBADMSG);

		if (r < 0)
			return r;
	}
	*ret_len = (size_t)(nl - q->in.data);
	return 0;
}

/* It was used. */
static void take_line(struct qmp *q, size_t len)
{
	q->in.len -= len + 1;
	memmove(q->in.data, q->in.data + len + 1, q->in.len);
}

/* The next line, parsed: QMP sends one object a line. */
static int next_object(struct qmp *q, json_t **ret)
{
	json_auto_t *object = NULL;
	size_t len;
	int r = wait_line(q, SIZE_MAX, &len);

	if (r < 0)
		return r;
	q->held = q->hold && q->pid > 0 && kill(-q->pid, SIGSTOP) == 0;
	q->hold = false;
	object = json_loadb(q->in.data,
			    q->shorten ? q->shorten(q->shorten_data, q->in.data, len) : len, 0,
			    NULL);
	take_line(q, len);
	if (!json_is_object(object))
		return fail(q, QMP_JUNK, EBADMSG);
	*ret = steal(&object);
	return 0;
}

int qmp_send_text(struct qmp *q, const char *text)
{
	size_t len = strlen(text);

	if (q->held && q->pid > 0)
		kill(-q->pid, SIGCONT);
	q->held = false;
	while (len) {
		struct pollfd p = { .fd = q->fd, .events = POLLOUT };
		int left = process_left(q->deadline, q->stop);
		ssize_t n;

		if (left <= 0)
			return fail(q, QMP_TIMEOUT, ETIMEDOUT);
		if (poll(&p, 1, left) <= 0)
			continue;
		n = send(q->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return died(q);
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int refused(struct qmp *q, const json_t *error)
{
	const char *desc = string_of(error, "desc");

	snprintf(q->desc, sizeof(q->desc), "%s", desc ? desc : "error without a description");
	return fail(q, QMP_REFUSED, EREMOTEIO);
}

static int send_command(struct qmp *q, const char *command, const char *args, va_list ap)
{
	json_auto_t *request = json_pack("{s:s}", "execute", command);
	_autofree_ char *text = NULL;
	_buf_ line = { 0 };

	if (args && json_object_set_new(request, "arguments", json_vpack_ex(NULL, 0, args, ap)) < 0)
		return -ENOMEM;
	text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	if (!text)
		return -ENOMEM;
	buf_puts(&line, text);
	buf_putc(&line, '\n');
	return buf_failed(&line) ? -ENOMEM : qmp_send_text(q, line.data);
}

int qmp_send(struct qmp *q, const char *command, const char *args, ...)
{
	va_list ap;
	int r;

	va_start(ap, args);
	r = send_command(q, command, args, ap);
	va_end(ap);
	return r;
}

int qmp_receive(struct qmp *q, json_t **ret)
{
	for (;;) {
		json_auto_t *answer = NULL;
		json_t *value;
		int r;

		r = next_object(q, &answer);
		if (r < 0)
			return r;
		value = json_object_get(answer, "return");
		if (value) {
			q->failure = QMP_OK; /* an earlier refusal is over */
			*ret = json_incref(value);
			return 0;
		}
		value = json_object_get(answer, "error");
		if (value)
			return refused(q, value);
		if (!json_object_get(answer, "event"))
			return fail(q, QMP_JUNK, EBADMSG);
	}
}

int qmp_call(struct qmp *q, json_t **ret, const char *command, const char *args, ...)
{
	va_list ap;
	int r;

	va_start(ap, args);
	r = send_command(q, command, args, ap);
	va_end(ap);
	return r < 0 ? r : qmp_receive(q, ret);
}

/* The descriptor goes with the first byte, the rest of the command is behind it. */
static int send_first_with_fd(struct qmp *q, char first, int fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec io = { &first, 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.space,
			    .msg_controllen = sizeof(control.space) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	do {
		n = sendmsg(q->fd, &m, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : died(q);
}

int qmp_give_fd(struct qmp *q, int fd, const char *name)
{
	json_auto_t *answer = NULL;
	char rest[128];
	int r = send_first_with_fd(q, '{', fd);

	snprintf(rest, sizeof(rest),
		 "\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"%s\"}}\n", name);
	if (r == 0)
		r = qmp_send_text(q, rest);
	return r < 0 ? r : qmp_receive(q, &answer);
}

int qmp_receive_greeting(struct qmp *q, json_t **ret)
{
	json_auto_t *greeting = NULL;
	int r = next_object(q, &greeting);

	if (r == 0 && !json_object_get(greeting, "QMP"))
		r = fail(q, QMP_JUNK, EBADMSG);
	if (r == 0 && ret)
		*ret = steal(&greeting);
	return r;
}

int qmp_receive_text(struct qmp *q, char *ret, size_t size)
{
	size_t len;
	int r = wait_line(q, size, &len);

	if (r < 0)
		return r;
	if (len >= size)
		return fail(q, QMP_JUNK, EBADMSG);
	memcpy(ret, q->in.data, len);
	ret[len] = '\0';
	take_line(q, len);
	return 0;
}

void qmp_init(struct qmp *q)
{
	memset(q, 0, sizeof(*q));
	q->fd = q->err_fd = -1;
	q->status = -1;
}

void qmp_attach(struct qmp *q, int fd, int timeout_ms)
{
	qmp_init(q);
	q->fd = fd;
	q->deadline = process_now() + timeout_ms;
}

/* ------------------------------------------------------------------- stop */

void qmp_kill(struct qmp *q)
{
	if (q->pid <= 0)
		return;
	q->status = process_end(q->pid, process_now() + KILL_MS);
	q->pid = 0;
}

void qmp_stop(struct qmp *q)
{
	enum qmp_failure failure = q->failure; /* how it quits is not why it failed */

	if (q->pid > 0 && (q->failure == QMP_OK || q->failure == QMP_REFUSED)) {
		int64_t quit = process_now() + QUIT_MS;

		if (q->deadline > quit)
			q->deadline = quit;
		if (qmp_send_text(q, "{\"execute\":\"quit\"}\n") == 0) {
			/* It must not block on output that nobody reads. */
			while (wait_more(q) == 0)
				q->in.len = 0;
		}
	}
	qmp_kill(q);
	closep(&q->fd);
	closep(&q->err_fd);
	q->fd = q->err_fd = -1;
	q->failure = failure;
	buf_clear(&q->in);
}

const char *qmp_last_words(const struct qmp *q, char ret[QMP_WORDS])
{
	static const char before[] = "; it said: ";
	size_t end = q->tail_len, start, n = strlen(before);

	while (end && (q->tail[end - 1] == '\n' || q->tail[end - 1] == '\r'))
		end--;
	for (start = end; start && q->tail[start - 1] != '\n';)
		start--;
	strcpy(ret, start < end ? before : "");
	for (; start < end && n < strlen(before) + 255; start++) {
		char c = q->tail[start];

		ret[n++] = c >= ' ' && c <= '~' ? c : '?';
		ret[n] = '\0';
	}
	return ret;
}

