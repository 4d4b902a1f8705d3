/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "start.h"

#include "base/trust.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------------------ programs */

static int not_found(const char *program, int err)
{
	cli_error("%s: %s [exec-not-found]", program, strerror(err));
	return err == ENOENT || err == ENOTDIR ? STATUS_NO_COMMAND : STATUS_NOT_STARTED;
}

int start_find(const char *program, char **ret)
{
	const char *dirs = getenv("PATH");
	_autofree_ char *list = strdup(dirs ? dirs : "/usr/local/bin:/usr/bin:/bin");
	char *rest = list, *dir;
	struct stat st;
	int err = ENOENT;

	if (strchr(program, '/')) {
		if (stat(program, &st) == 0 && S_ISDIR(st.st_mode))
			return not_found(program, EISDIR);
		*ret = access(program, X_OK) == 0 ? strdup(program) : NULL;
		return *ret ? 0 : not_found(program, errno);
	}
	while (*program && (dir = strsep(&rest, ":"))) {
		_buf_ path = { 0 };

		buf_printf(&path, "%s/%s", *dir ? dir : ".", program);
		if (buf_failed(&path))
			return not_found(program, ENOMEM);
		if (access(path.data, X_OK) == 0)
			return buf_give(&path, ret) < 0 ? not_found(program, ENOMEM) : 0;
		if (errno == EACCES)
			err = EACCES;
	}
	return not_found(program, err);
}

char **start_command(char **words)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

	while (*words && (*words)[strspn(*words, letters)] == '=' && **words != '=')
		words++;
	return words;
}

static sigset_t pending_before;

void start_note_signals(void)
{
	sigpending(&pending_before);
}

/*
 * What of this process' own children and words came while its caller has it blocked: the program
 * would find it pending.
 */
static void take_own_signals(void)
{
	static const int own[] = { SIGCHLD, SIGPIPE };
	static const struct timespec now;
	siginfo_t child = { 0 };
	sigset_t pending, one;

	/* one that has ended and that nobody has waited for is not this process' */
	waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT);
	for (size_t i = 0; sigpending(&pending) == 0 && i < ARRAY_SIZE(own); i++) {
		if (!sigismember(&pending, own[i]) || sigismember(&pending_before, own[i]) ||
		    (own[i] == SIGCHLD && child.si_pid))
			continue;
		sigemptyset(&one);
		sigaddset(&one, own[i]);
		sigtimedwait(&one, NULL, &now);
	}
}

int start_exec(const char *path, char *const *argv)
{
	take_own_signals();
	execv(path, argv);
	return not_found(path, errno);
}

int start_trust(const char *path)
{
	_autofree_ char *why = NULL;
	int r = trust_file(path, &why);

	return r == 0 ? 0 :
			cli_error("%s [%s]", why ? why : strerror(-r),
				  r == -EPERM ? "not-trusted" : "io-error");
}

int start_remedy(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cli_vline(cli_stderr(), "  remedy: ", fmt, ap);
	va_end(ap);
	return STATUS_TROUBLE;
}

/* ------------------------------------------------------------------------ this host */

/* What the baseline is about, and no more: a guest waits for the answer. */
static int probe_host(struct abibase_context *ctx, struct abibase_catalogue *cat,
		      const struct abibase_baseline *b, const char *qemu,
		      struct abibase_profile **ret)
{
	_unref_(probe) *pr = NULL;
	int r = abibase_probe_new(ctx, &pr);

	if (r == 0)
		r = abibase_probe_for_baseline(pr, cat, b);
	if (r == 0 && qemu)
		r = abibase_probe_add_qemu(pr, qemu);
	return r < 0 ? r : abibase_probe_run(pr, cat, ret);
}

int start_profile(struct abibase_context *ctx, struct abibase_catalogue *cat,
		  const struct abibase_baseline *b, const char *profile, const char *qemu,
		  struct abibase_profile **ret)
{
	_unref_(profile) *whole = NULL;
	int r = profile ? abibase_profile_from_file(ctx, profile, &whole) :
			  probe_host(ctx, cat, b, qemu, &whole);

	if (r == 0 && qemu)
		r = abibase_profile_current(ctx, whole, qemu, ret);
	/* One that did not answer was warned of; what that means, the caller finds. */
	if ((r == 0 && !qemu) || (r == -ENOENT && whole && !profile)) {
		*ret = steal(&whole);
		r = 0;
	}
	return r < 0 ? cli_context_error(ctx, r) : 0;
}

/* --------------------------------------------------------------------- a throw-away QEMU */

int start_verify(struct abibase_context *ctx, struct abibase_catalogue *cat,
		 struct abibase_baseline *b, struct abibase_profile *p, const char *qemu,
		 const char *const *argv, struct abibase_result **ret)
{
	_unref_(verify) *v = NULL;
	int r = abibase_verify_new(ctx, cat, b, &v);

	if (r == 0 && qemu)
		r = abibase_verify_set_qemu(v, qemu);
	if (r == 0 && argv)
		r = abibase_verify_set_command(v, argv);
	if (r < 0)
		return r;
	abibase_verify_set_profile(v, p);
	return abibase_verify_run(v, ret);
}
