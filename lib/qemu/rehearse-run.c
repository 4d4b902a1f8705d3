/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/rehearse.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "qemu/qmp.h"

/*
 * One half of a rehearsal: a stopped QEMU that saves, or that loads. The stream goes through a pair
 * of sockets of which QEMU is given one over its monitor: the one way that every QEMU from 5.2 to
 * 11.1 takes under a sandbox.
 */

#define STREAM_NAME "abibase-stream"
#define STREAM_URI "fd:" STREAM_NAME
#define POLL_MS 20
/* How soon it is noticed that a guest has ended by itself */
#define RUN_TICK_MS 200

/* ------------------------------------------------------------------------- start */

static int add_tpm(const struct rehearse_half *h, struct strings *argv)
{
	_buf_ value = { 0 };

	rehearse_tpm_chardev(h->line, &value);
	if (buf_failed(&value) || strings_add(argv, "-chardev") < 0)
		return -ENOMEM;
	return strings_add(argv, value.data);
}

static int make_argv(const struct rehearse_half *h, struct strings *argv)
{
	/* the monitor is on its stdin, which is a socket */
	const char *const fixed[] = { h->qemu,
				      "-S",
				      "-display",
				      "none",
				      "-chardev",
				      "socket,id=abibase-monitor,fd=0",
				      "-mon",
				      QTEST_MONITOR,
				      "-sandbox",
				      "on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
				      "resourcecontrol=deny",
				      /* a guest that powers itself off can still be saved */
				      h->run_s ? "-no-shutdown" : NULL,
				      NULL };
	const char *const incoming[] = { h->load ? "-incoming" : NULL, "defer", NULL };
	int r = 0;

	for (size_t i = 0; r == 0 && fixed[i]; i++)
		r = strings_add(argv, fixed[i]);
	if (r == 0 && h->line->has_tpm)
		r = add_tpm(h, argv);
	for (size_t i = 0; r == 0 && i < h->line->words.n; i++)
		r = strings_add(argv, h->line->words.s[i]);
	for (size_t i = 0; r == 0 && incoming[i]; i++)
		r = strings_add(argv, incoming[i]);
	return r;
}

static int start(struct rehearse_half *h, struct qmp *q)
{
	const struct qmp_preparation prep = { .fn = rehearse_prepare,
					      .beside = rehearse_beside,
					      .limit = rehearse_limit,
					      .data = h,
					      .n_fds = rehearse_fds(h->line),
					      .without_rights = true };
	struct strings argv = { 0 };
	int r = make_argv(h, &argv);

	if (r == 0)
		r = qmp_spawn(q, h->qemu, argv.s, h->timeout_ms + (int)h->run_s * 1000, &prep);
	strings_clear(&argv);
	return r;
}

/* ---------------------------------------------------------------------- firmware */

/* Lets the machine go, and stops it. One that stops by itself before is saved as it stands. */
static int execute(struct rehearse_half *h, struct qmp *q)
{
	int64_t end = process_now() + (int64_t)h->run_s * 1000;
	bool runs = true;
	json_auto_t *answer = NULL, *stopped = NULL;
	int r = qmp_call(q, &answer, "cont", NULL);

	while (r == 0 && runs && process_now() < end) {
		json_auto_t *v = NULL;

		poll(NULL, 0, RUN_TICK_MS);
		r = qmp_call(q, &v, "query-status", NULL);
		runs = json_is_true(json_object_get(v, "running"));
	}
	return r < 0 ? r : qmp_call(q, &stopped, "stop", NULL);
}

/* ------------------------------------------------------------------------ stream */

/* How the migration stands: "completed", "failed", ...; waits for one of these two. */
static int wait_for_end(struct rehearse_half *h, struct qmp *q)
{
	for (;;) {
		json_auto_t *v = NULL;
		int r = qmp_call(q, &v, "query-migrate", NULL);
		const char *status = string_of(v, QMP_STATUS), *desc = string_of(v, "error-desc");

		if (r < 0)
			return r;
		if (status && streq(status, "completed"))
			return 0;
		if (status && (streq(status, "failed") || streq(status, "cancelled"))) {
			buf_puts(&h->why, desc ? desc : "");
			return -ECANCELED;
		}
		if (process_left(q->deadline, NULL) <= 0) {
			q->failure = QMP_TIMEOUT;
			return -ETIMEDOUT;
		}
		poll(NULL, 0, POLL_MS);
	}
}

static int wait_for(struct qmp *q, int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int left;

	while ((left = process_left(q->deadline, NULL)) > 0)
		if (poll(&p, 1, left) > 0)
			return 0;
	q->failure = QMP_TIMEOUT;
	return -ETIMEDOUT;
}

static int receive_stream(struct rehearse_half *h, struct qmp *q, int fd)
{
	_autofree_ char *chunk = malloc(65536);

	while (chunk) {
		int r = wait_for(q, fd, POLLIN);
		ssize_t n;

		if (r < 0)
			return r;
		n = recv(fd, chunk, 65536, MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return 0;
		if (h->stream.len + (size_t)n > REHEARSAL_STREAM_MAX) {
			q->failure = QMP_TOO_MUCH;
			return -EMSGSIZE;
		}
		buf_add(&h->stream, chunk, (size_t)n);
		if (buf_failed(&h->stream))
			break;
	}
	return -ENOMEM;
}

/* It may end before it has read all: that it says itself. */
static int send_stream(struct rehearse_half *h, struct qmp *q, int fd)
{
	const char *at = h->load->data;
	size_t left_over = h->load->len;

	while (left_over) {
		int r = wait_for(q, fd, POLLOUT);
		ssize_t n;

		if (r < 0)
			return r;
		n = send(fd, at, left_over, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return 0;
		at += n;
		left_over -= (size_t)n;
	}
	shutdown(fd, SHUT_WR);
	return 0;
}

static int migrate(struct rehearse_half *h, struct qmp *q)
{
	_autoclose_ int ours = -1, theirs = -1;
	json_auto_t *answer = NULL;
	int fds[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	ours = fds[0];
	theirs = fds[1];
	r = qmp_give_fd(q, theirs, STREAM_NAME);
	close(theirs);
	theirs = -1;
	if (r == 0)
		r = qmp_call(q, &answer, h->load ? "migrate-incoming" : "migrate", "{ss}", "uri",
			     STREAM_URI);
	if (r == 0)
		r = h->load ? send_stream(h, q, ours) : receive_stream(h, q, ours);
	return r == 0 ? wait_for_end(h, q) : r;
}

/* -------------------------------------------------------------------- all of it */

static void say_failure(struct rehearse_half *h, const struct qmp *q, int err)
{
	char words[QMP_WORDS], end[128];

	if (h->why.len)
		return;
	switch (q->failure) {
	case QMP_TIMEOUT:
		buf_printf(&h->why, "it did not end in %d s, and was killed",
			   h->timeout_ms / 1000 + (int)h->run_s);
		break;
	case QMP_DIED:
		process_how_it_ended(q->status, end, sizeof(end));
		buf_printf(&h->why, "%s %s",
			   !h->load && h->end == REHEARSE_REFUSED ? "QEMU ends as it saves it, it" : "it",
			   end);
		break;
	case QMP_NO_SETUP:
		rehearse_step_words(h, q->step, &h->why);
		buf_printf(&h->why, ": %s", strerror(err));
		break;
	case QMP_TOO_MUCH:
		buf_printf(&h->why, "its stream has more than %u MiB", REHEARSAL_STREAM_MAX >> 20);
		break;
	case QMP_JUNK:
		buf_puts(&h->why, "what it answers is not QMP");
		break;
	case QMP_REFUSED:
		buf_puts(&h->why, q->desc);
		return;
	default:
		buf_puts(&h->why, strerror(err));
	}
	buf_puts(&h->why, qmp_last_words(q, words));
}

enum doing { STARTING, EXECUTING, MOVING };

/* A QEMU that ends by itself, with a status, has said why. */
static bool ended_by_itself(const struct qmp *q)
{
	return q->failure == QMP_DIED && q->status != -1 && WIFEXITED(q->status) &&
	       WEXITSTATUS(q->status) != 127;
}

/* By a fault of its own. What its limits or its sandbox end, it is killed by other signals. */
static bool crashed(const struct qmp *q)
{
	int sig = q->failure == QMP_DIED && q->status != -1 && WIFSIGNALED(q->status) ?
			  WTERMSIG(q->status) :
			  0;

	return sig == SIGABRT || sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL;
}

static bool said(const struct qmp *q, const char *words)
{
	return memmem(q->tail, q->tail_len, words, strlen(words)) != NULL;
}

/* A swtpm that does not do its work is no fault of the line. */
static bool tpm_failed(const struct rehearse_half *h, const struct qmp *q)
{
	return h->line->has_tpm && said(q, "tpm-emulator:");
}

/* Nor is one that has gone, in which case QEMU hands on no error of the TPM's own. */
static bool tpm_lost(const struct rehearse_half *h, const struct qmp *q)
{
	return tpm_failed(h, q) && !said(q, " TPM error ") && !said(q, "TPM result ");
}

/* @r: of what was done last, which is @doing */
static enum rehearse_end end_of(const struct rehearse_half *h, const struct qmp *q,
				enum doing doing, int r)
{
	bool loads = h->load;

	if (r == 0)
		return REHEARSE_DONE;
	if (doing == STARTING)
		return h->lacks || (ended_by_itself(q) && !tpm_failed(h, q)) ? REHEARSE_NO_START :
										REHEARSE_TROUBLE;
	if (doing == EXECUTING)
		return q->failure == QMP_OK ? REHEARSE_TROUBLE : REHEARSE_LOST;
	if (loads && tpm_lost(h, q))
		return REHEARSE_LOST;
	/* its own is no state that could not be saved */
	if (!loads && h->line->has_tpm && h->why.len && strstr(h->why.data, "tpm-emulator"))
		return REHEARSE_TROUBLE;
	if (r == -ECANCELED || q->failure == QMP_REFUSED || ended_by_itself(q) || crashed(q))
		return REHEARSE_REFUSED;
	return loads && q->failure != QMP_OK ? REHEARSE_LOST : REHEARSE_TROUBLE;
}

int rehearse_run(struct rehearse_half *h)
{
	struct qmp q;
	enum doing doing = STARTING;
	int r;

	qmp_init(&q);
	r = start(h, &q);
	if (r == 0)
		r = rehearse_ask(h, &q);
	if (r == 0)
		r = rehearse_ask_backends(h, &q);
	if (r == 0 && h->run_s) {
		doing = EXECUTING;
		r = execute(h, &q);
	}
	if (r == 0) {
		doing = MOVING;
		r = migrate(h, &q);
	}
	h->end = end_of(h, &q, doing, r);
	/* It has no guest, and nothing to save. */
	qmp_kill(&q);
	qmp_stop(&q);
	if (r < 0 && (r != -ENOMEM || q.failure != QMP_OK))
		say_failure(h, &q, -r);
	buf_add(&h->stderr, q.tail, q.tail_len);
	return (r == -ENOMEM && q.failure == QMP_OK) || buf_failed(&h->why) ||
			       buf_failed(&h->stderr) ?
		       -ENOMEM :
		       0;
}

void rehearse_half_clear(struct rehearse_half *h)
{
	buf_clear(&h->why);
	buf_clear(&h->stderr);
	buf_clear(&h->stream);
	json_decref(h->cpus);
	json_decref(h->properties);
	json_decref(h->devices);
	free(h->machine);
	free(h->version);
	free(h->package);
	free(h->cpus_possible);
}
