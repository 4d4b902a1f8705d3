/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/util.h"

static char *trim(char *s)
{
	size_t len;

	s += strspn(s, " \t");
	len = strlen(s);
	while (len && isspace((unsigned char)s[len - 1]))
		s[--len] = '\0';
	return s;
}

static int one_line(unsigned int line, char *text, conf_fn fn, void *data)
{
	char *key = trim(text), *value;

	if (!*key || *key == '#')
		return 0;
	value = strchr(key, '=');
	if (!value)
		return fn(data, line, NULL, key);
	*value++ = '\0';
	return fn(data, line, trim(key), trim(value));
}

int conf_each(FILE *f, conf_fn fn, void *data)
{
	_autofree_ char *text = NULL;
	size_t size = 0;
	ssize_t len;
	int r = 0;

	errno = 0;
	for (unsigned int line = 1; r == 0 && (len = getline(&text, &size, f)) >= 0; line++)
		/* a NUL would hide the rest of a line */
		r = strlen(text) == (size_t)len ? one_line(line, text, fn, data) :
						  fn(data, line, NULL, text);
	if (r)
		return r;
	return ferror(f) || !feof(f) ? -(errno ? errno : EIO) : 0;
}

const char *conf_path(void)
{
	const char *path = secure_getenv("ABIBASE_EMULATOR_CONF");

	return path && *path ? path : ABIBASE_SYSCONFDIR "/emulator.conf";
}
