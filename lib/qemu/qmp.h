/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_QMP_H
#define ABIBASE_QMP_H

/* A QEMU of our own, in bounded time, that is spoken to by QMP. */

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/process.h"

enum qmp_failure {
	QMP_OK,
	QMP_NO_PROCESS, /* fork(2) failed */
	QMP_NO_FD,	/* no pipe: errno in the returned value */
	QMP_NO_EXEC,	/* it cannot be executed */
	QMP_NO_SETUP,	/* what had to be made for it was not: @step says what */
	QMP_TIMEOUT,
	QMP_DIED,     /* it ended before it answered */
	QMP_JUNK,     /* what it says is not QMP */
	QMP_TOO_MUCH, /* it says more than can be meant */
	QMP_REFUSED,  /* an error answer; the QEMU goes on */
};

struct qmp {
	pid_t pid;  /* 0: none, or not ours */
	int fd;	    /* its stdin and stdout */
	int err_fd; /* its stderr */
	int64_t deadline;
	const struct process_stop *stop; /* or NULL */
	struct buf in;
	size_t total;
	char tail[8192]; /* the end of what it wrote to stderr */
	size_t tail_len;
	int status; /* wait status, -1: not known */
	enum qmp_failure failure;
	int step;
	char desc[256]; /* of QMP_REFUSED */
	/* NULL, or makes a line shorter in place before it is parsed, and returns its length */
	size_t (*shorten)(void *data, char *line, size_t len);
	void *shorten_data;
	/*
	 * Stop it as soon as its next answer is complete, until it is told something again: to free what
	 * a long answer was made of can take it as long as its start.
	 */
	bool hold, held;
};

/*
 * Start @path with @argv, which must put a QMP monitor on stdio. Everything up to qmp_stop() must be
 * over in @timeout_ms. Returns 0 or a negative errno, and the kind of failure in @q->failure.
 * qmp_stop() is due in either case. It is not waited for, so that two can start at the same time: spawn,
 * send commands ("qmp_capabilities" first), then take the greeting and the answers in the order of the
 * commands.
 *
 * @fn of @prep runs in the child right before the exec: 0, or a negative errno and the step at which it
 * failed. It may leave the @n_fds descriptors from QMP_FIRST_FD on open across the exec, and does only
 * what is safe after a fork() of a process with threads.
 */
#define QMP_FIRST_FD 3
struct qmp_preparation {
	int (*fn)(void *data, int *step); /* or NULL */
	void *data;
	unsigned int n_fds;
	const struct process_stop *stop; /* or NULL: ends every wait for it */
	/*
	 * NULL, or as @fn, behind it in the process namespace: starts what is to end with the process.
	 * It has the rights still, and the descriptors.
	 */
	int (*beside)(void *data, int *step);
	bool without_rights; /* drop every capability, and the right to gain one */
	int (*limit)(void *data, int *step); /* NULL, or as @fn, at last: no library needs memory then */
};
int qmp_spawn(struct qmp *q, const char *path, char *const argv[], int timeout_ms,
		   const struct qmp_preparation *prep);
/* Nothing is running; qmp_kill() and qmp_stop() may be called. */
void qmp_init(struct qmp *q);
/*
 * Speak to a QEMU that is not our child, over a socket that qmp_stop() closes; it is neither asked to
 * quit nor killed.
 */
void qmp_attach(struct qmp *q, int fd, int timeout_ms);
/* For another protocol of lines than QMP on the same descriptors. */
int qmp_send_text(struct qmp *q, const char *text);
/* The next line, without its end; a line that does not fit is QMP_JUNK. */
int qmp_receive_text(struct qmp *q, char *ret, size_t size);
/* @args and what follows: its arguments as json_pack() takes them; NULL: it has none. */
int qmp_send(struct qmp *q, const char *command, const char *args, ...);
int qmp_receive_greeting(struct qmp *q, json_t **ret); /* @ret: may be NULL */
int qmp_receive(struct qmp *q, json_t **ret);
/* Run a command. @ret: what it returned. */
int qmp_call(struct qmp *q, json_t **ret, const char *command, const char *args, ...);
/*
 * Hand over a descriptor under a name, on a monitor that is a socket. It is the caller's to close.
 */
int qmp_give_fd(struct qmp *q, int fd, const char *name);
/* Ask it to quit, kill it if it does not, reap it. */
void qmp_stop(struct qmp *q);
/* Kill it, without asking: of a QEMU that has nothing to lose. qmp_stop() is due all the same. */
void qmp_kill(struct qmp *q);
/* "; it said: " and the last line that it wrote to stderr, printable; "" when there is none. */
#define QMP_WORDS 280
const char *qmp_last_words(const struct qmp *q, char ret[QMP_WORDS]);

#endif
