/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/rehearse.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/*
 * A TPM for a throw-away: swtpm, with an empty state in memory, in the namespaces of its QEMU, with
 * which it ends. They speak over a pair of sockets.
 */

#define SWTPM "swtpm"
#define CONTROL_FD 3
#define STATE_FD 4

char *rehearse_find_swtpm(void)
{
	const char *dirs = getenv("PATH"), *end;
	char *path = NULL;

	for (; dirs; dirs = *end ? end + 1 : NULL) {
		end = strchrnul(dirs, ':');
		if (asprintf(&path, "%.*s/" SWTPM, (int)(end - dirs), dirs) < 0)
			return NULL;
		if (*path == '/' && access(path, X_OK) == 0)
			return path;
		free(path);
		path = NULL;
	}
	return NULL;
}

unsigned int rehearse_fds(const struct rehearse_line *l)
{
	const struct qtest_request rq = rehearse_taps(l);

	return rq.first + qtest_fds(&rq) + l->has_tpm;
}

void rehearse_tpm_chardev(const struct rehearse_line *l, struct buf *out)
{
	buf_printf(out, "socket,id=" REHEARSE_TPM ",fd=%u", QMP_FIRST_FD + rehearse_fds(l) - 1);
}

/* ------------------------------------------------------------------------ in its child */

/* @report: closed by the exec. */
static _Noreturn void be_swtpm(const char *path, int control, int state, int report)
{
	static const char *const argv[] = { SWTPM,
					    "socket",
					    "--tpm2",
					    "--tpmstate",
					    "backend-uri=file:///proc/self/fd/4",
					    "--ctrl",
					    "type=unixio,clientfd=3",
					    NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), err;

	/* out of the way of the numbers that they are to have */
	control = fcntl(control, F_DUPFD_CLOEXEC, STATE_FD + 1);
	state = fcntl(state, F_DUPFD_CLOEXEC, STATE_FD + 1);
	report = fcntl(report, F_DUPFD_CLOEXEC, STATE_FD + 1);
#ifdef SYS_close_range
	syscall(SYS_close_range, STATE_FD + 1U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
#endif
	capng_clear(CAPNG_SELECT_ALL);
	capng_apply(CAPNG_SELECT_ALL);
	if (null >= 0 && control >= 0 && state >= 0 && report >= 0 && dup2(null, 0) == 0 &&
	    dup2(null, 1) == 1 && dup2(null, 2) == 2 && dup2(control, CONTROL_FD) == CONTROL_FD &&
	    dup2(state, STATE_FD) == STATE_FD)
		execv(path, (char *const *)argv);
	err = errno;
	_exit(write(report, &err, sizeof(err)) < 0 ? 126 : 127);
}

/* 0 once it is executed; else the negative errno of that. */
static int start(const char *path, int control, int state)
{
	int fds[2], err = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		be_swtpm(path, control, state, fds[1]);
	err = pid < 0 ? errno : 0;
	close(fds[1]);
	do {
		n = pid < 0 ? 0 : read(fds[0], &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	close(fds[0]);
	return -err;
}

int rehearse_beside(void *data, int *step)
{
	const struct rehearse_half *h = data;
	int own = QMP_FIRST_FD + (int)rehearse_fds(h->line) - 1, fds[2], state, r;

	if (!h->line->has_tpm)
		return 0;
	r = rehearse_limit(data, step);
	if (r < 0)
		return r;
	*step = REHEARSE_FAILED_TPM;
	state = memfd_create("abibase-tpm", MFD_CLOEXEC);
	if (state < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	r = start(h->line->means.swtpm, fds[1], state);
	/* it is open across the exec of QEMU */
	if (r == 0 && dup2(fds[0], own) < 0)
		r = -errno;
	if (r == 0 && fds[0] == own && fcntl(own, F_SETFD, 0) < 0)
		r = -errno;
	if (fds[0] != own)
		close(fds[0]);
	if (fds[1] != own)
		close(fds[1]);
	close(state);
	return r;
}
