/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifndef ABIBASE_LAB_INIT_H
#define ABIBASE_LAB_INIT_H

#include <stddef.h>
#include <stdio.h>

/* The second serial port, on which results go out. */
extern FILE *port;

/* What failed with errno, on the console. */
void complain(const char *what);

/* The value of the word NAME= of that number, from 0, on the kernel command line, or NULL. */
const char *option(const char *name, size_t number, char *ret, size_t size);

/* Load a module and what it needs; the exit status of modprobe. */
int load(const char *module);

/* The plan "run", see init-run.c. */
void run_lines(void);

#endif
