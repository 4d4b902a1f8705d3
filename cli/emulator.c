/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "start.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>

/*
 * Stands where a management application expects a QEMU binary, as the <emulator> of libvirt does. It
 * has no options of its own, because every argument is QEMU's.
 */

#define CONF_PATH ABIBASE_SYSCONFDIR "/emulator.conf"

struct conf {
	char *baseline, *qemu, *profile, *verify;
};

static void conf_clear(struct conf *c)
{
	free(c->baseline);
	free(c->qemu);
	free(c->profile);
	free(c->verify);
}

static const char *conf_path(void)
{
	const char *path = secure_getenv("ABIBASE_EMULATOR_CONF");

	return path && *path ? path : CONF_PATH;
}

static char *trim(char *s)
{
	size_t len;

	s += strspn(s, " \t");
	len = strlen(s);
	while (len && isspace((unsigned char)s[len - 1]))
		s[--len] = '\0';
	return s;
}

static int conf_set(struct conf *c, const char *path, unsigned int line, const char *key,
		    const char *value)
{
	char **to = streq(key, "baseline") ? &c->baseline :
		    streq(key, "qemu")	   ? &c->qemu :
		    streq(key, "profile")  ? &c->profile :
		    streq(key, "verify")   ? &c->verify :
					     NULL;

	if (!to)
		return cli_error("%s:%u: \"%s\" is not a key; there are baseline, qemu, profile and "
				 "verify [emulator-conf]",
				 path, line, key);
	if (*to)
		return cli_error("%s:%u: %s is there twice [emulator-conf]", path, line, key);
	if (to == &c->verify && !streq(value, "yes") && !streq(value, "no"))
		return cli_error("%s:%u: verify must be yes or no [emulator-conf]", path, line);
	if (to != &c->verify && *value != '/')
		return cli_error("%s:%u: %s must be a path that begins with a slash [emulator-conf]",
				 path, line, key);
	*to = strdup(value);
	return *to ? 0 : cli_oom();
}

static int conf_line(struct conf *c, const char *path, unsigned int line, char *text)
{
	char *key = trim(text), *value;

	if (!*key || *key == '#')
		return 0;
	value = strchr(key, '=');
	if (!value)
		return cli_error("%s:%u: not \"key = value\" [emulator-conf]", path, line);
	*value++ = '\0';
	return conf_set(c, path, line, trim(key), trim(value));
}

static int conf_read(struct conf *c, const char *path)
{
	_autofclose_ FILE *f = fopen(path, "re");
	_autofree_ char *text = NULL;
	size_t size = 0;
	int r = 0;

	if (!f)
		return cli_error("%s: %s [io-error]", path, strerror(errno));
	errno = 0;
	for (unsigned int line = 1; r == 0 && getline(&text, &size, f) >= 0; line++)
		r = conf_line(c, path, line, text);
	if (r)
		return r;
	if (ferror(f) || !feof(f))
		return cli_error("%s: %s [io-error]", path, strerror(errno ? errno : EIO));
	if (!c->baseline || !c->qemu)
		return cli_error("%s: %s is not set [emulator-conf]", path,
				 c->qemu ? "baseline" : "qemu");
	return 0;
}

/* A wrapper that starts itself would do so for ever. */
static bool is_self(const char *path)
{
	_autofree_ char *self = realpath("/proc/self/exe", NULL), *real = realpath(path, NULL);

	return self && real && streq(self, real);
}

static int run(struct conf *c, char **argv)
{
	_autofree_ char *path = NULL;
	struct start s = { .argv = argv };
	int r = start_trust(conf_path());

	if (r == 0)
		r = conf_read(c, conf_path());
	if (r)
		return STATUS_NOT_STARTED;
	r = start_find(c->qemu, &path);
	if (r)
		return r;
	if (is_self(path)) {
		cli_error("%s: qemu is this wrapper itself [emulator-conf]", conf_path());
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
	s.baseline = c->baseline;
	s.profile = c->profile;
	s.verify = c->verify && streq(c->verify, "yes");
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
