/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "start.h"


/*
 * Stands where a management application expects a QEMU binary, as the <emulator> of libvirt does. It
 * has no options of its own, because every argument is QEMU's.
 */

/* A wrapper that starts itself would do so for ever. */
static bool is_self(const char *path)
{
	_autofree_ char *self = realpath("/proc/self/exe", NULL), *real = realpath(path, NULL);

	return self && real && streq(self, real);
}

static int run(struct conf *c, char **argv)
{
	_autofree_ char *path = NULL;
	struct start s = { .argv = argv, .conf = c };
	int r = start_trust(conf_path());

	if (r == 0)
		r = conf_load(conf_path(), c);
	if (r)
		return STATUS_NOT_STARTED;
	r = start_find(conf_get(c, "qemu"), &path);
	if (r)
		return r;
	if (is_self(path)) {
		cli_error("%s:%u: qemu is this wrapper itself [emulator-conf]", c->path,
			  conf_find(c, "qemu", NULL)->line);
		return STATUS_NOT_STARTED;
	}
	argv[0] = path; /* QEMU names itself so in its messages */
	r = abibase_command_is_query((const char *const *)argv + 1);
	if (r > 0)
		return start_trust(path) == 0 ? start_exec(path, argv) : STATUS_NOT_STARTED;
	if (r < 0) {
		cli_oom();
		return STATUS_NOT_STARTED;
	}
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
	if (argc < 1)
		return STATUS_NOT_STARTED;
	status = run(&c, argv);
	conf_clear(&c);
	return status;
}
