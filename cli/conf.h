/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_CLI_CONF_H
#define ABIBASE_CLI_CONF_H

/* The configuration of abibase-emulator: see abibase-emulator(1). */

#include <stdbool.h>
#include <stddef.h>

#include "base/conf.h"

struct conf_line {
	char *key, *value;
	unsigned int line;
};

struct conf {
	const char *path;
	struct conf_line *lines;
	size_t n, cap;
};

/*
 * Read it. Each line that is bad is named and left out, so that @ret has what the others say, also where
 * this fails. 0 or STATUS_TROUBLE, having said why.
 */
int conf_load(const char *path, struct conf *ret);
void conf_clear(struct conf *c);
/* The line "KEY = ...", or with @name "KEY.NAME = ..."; NULL where there is none, and of NULL. */
const struct conf_line *conf_find(const struct conf *c, const char *key, const char *name);
const char *conf_get(const struct conf *c, const char *key);
/* Are guests started that should not be? Of a baseline before of a machine type before of all; NULL: not known. */
bool conf_warns(const struct conf *c, const char *machine, const char *id);

#endif
