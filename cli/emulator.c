/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "start.h"

#include <unistd.h>

/*
 * Stands where a management application expects a QEMU binary, as the <emulator> of libvirt does. It
 * has no options of its own, because every argument is QEMU's.
 */

/* In the environment: the process that was this wrapper, and its configuration */
#define BEFORE "ABIBASE_EMULATOR"

/* A process keeps its number when it becomes another program: is it here by a copy of this one? */
static bool is_here_again(void)
{
	_autofree_ char *now = NULL;
	const char *before = getenv(BEFORE);

	if (asprintf(&now, "%d %s", (int)getpid(), conf_path()) < 0) {
		now = NULL;
		return false;
	}
	if (before && streq(before, now))
		return true;
	setenv(BEFORE, now, 1);
	return false;
}

/* A wrapper that starts itself would do so for ever. */
static bool is_self(const char *path)
{
	_autofree_ char *self = realpath("/proc/self/exe", NULL), *real = realpath(path, NULL);

	return (self && real && streq(self, real)) || is_here_again();
}

/* The QEMU that the configuration names, as far as that can be read. 0 or the exit status, having said why. */
static int find_qemu(struct conf *c, char **ret)
{
	int r = access(conf_path(), F_OK) == 0 ? start_trust(conf_path()) : 0, found;

	if (r)
		return r;
	r = conf_load(conf_path(), c);
	if (!conf_get(c, "qemu"))
		return r;
	found = start_find(conf_get(c, "qemu"), ret);
	if (found)
		return found;
	if (!is_self(*ret))
		return r;
	free(steal(ret));
	return cli_error("%s:%u: qemu is this wrapper itself [emulator-conf]", c->path,
			 conf_find(c, "qemu", NULL)->line);
}

/* A question is no guest: nobody is told of it. */
static int answer(const struct conf *c, const struct start *s, const char *qemu)
{
	bool may = qemu && start_trust(qemu) == 0 && (!s->status || conf_warns(c, NULL, NULL));
	_autofree_ char *words = cli_held_words();

	cli_put(stderr, words ? words : "");
	if (may)
		return start_exec(qemu, s->argv);
	return s->status == STATUS_NO_COMMAND ? STATUS_NO_COMMAND : STATUS_NOT_STARTED;
}

static int run(struct conf *c, char **argv)
{
	_autofree_ char *path = NULL;
	struct start s = { .argv = argv, .conf = c };
	int r;

	cli_hold_words();
	s.status = find_qemu(c, &path);
	if (path)
		argv[0] = path; /* QEMU names itself so in its messages */
	r = abibase_command_is_query((const char *const *)argv + 1);
	if (r > 0)
		return answer(c, &s, path);
	s.qemu = path;
	s.baseline = conf_get(c, "baseline");
	s.profile = conf_get(c, "profile");
	s.verify = conf_get(c, "verify") && streq(conf_get(c, "verify"), "yes");
	return start_guest(&s);
}

int main(int argc, char **argv)
{
	struct conf c = { 0 };
	int status;

	cli_reserve_standard_streams();
	start_note_signals();
	if (argc < 1)
		return STATUS_NOT_STARTED;
	status = run(&c, argv);
	conf_clear(&c);
	return status;
}
