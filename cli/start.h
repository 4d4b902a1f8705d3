/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_START_H
#define ABIBASE_START_H

/* Start a QEMU in the place of this process: what abibase exec and abibase-emulator share. */

#include "cli.h"

/* Not one of QEMU, which ends with 1 when it cannot start; the numbers are those of env(1). */
enum {
	STATUS_NOT_STARTED = 126,
	STATUS_NO_COMMAND = 127,
};

struct start {
	const char *baseline; /* operand */
	const char *profile;  /* file of a recorded profile, NULL: ask this host */
	const char *qemu;     /* the binary, as start_find() has found it */
	char **argv;	      /* with the program's name, ended by NULL */
};

/* Find a program as a shell does; @ret is for free(). Returns 0 or the exit status, having said why. */
int start_find(const char *program, char **ret);
/* Become the program. Returns only when that fails: the exit status, having said why. */
int start_exec(const char *path, char *const *argv);
/*
 * Become the QEMU with the list of the baseline behind its arguments, when this host provides what
 * the baseline promises. Returns only when it did not start: the exit status, having said why.
 */
int start_guest(const struct start *s);

#endif
