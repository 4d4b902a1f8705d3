/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_CONF_H
#define ABIBASE_CONF_H

/*
 * Configuration files: lines "key = value"; empty lines and those that begin with # are passed over. The
 * programs are linked with their own copy of this.
 */

#include <stdio.h>

/* @key is NULL where the line has no "=", and then @value is the line. */
typedef int (*conf_fn)(void *data, unsigned int line, const char *key, const char *value);

/*
 * conf_each - call @fn for each line
 *
 * Returns: 0, what @fn returned where that is not 0, or what read(2) says.
 */
int conf_each(FILE *f, conf_fn fn, void *data);

/* That of abibase-emulator: the installed one, or what the environment says. */
const char *conf_path(void);

#endif
