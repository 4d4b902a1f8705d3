/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_START_H
#define ABIBASE_START_H

/* What exec, verify and abibase-emulator share: QEMU in the place of this process, or before it. */

#include "cli.h"
#include "conf.h"

/* In the environment, and put into that of QEMU: the id of the baseline */
#define START_BASELINE "ABIBASE_BASELINE"

/* Not one of QEMU, which ends with 1 when it cannot start; the numbers are those of env(1). */
enum {
	STATUS_NOT_STARTED = 126,
	STATUS_NO_COMMAND = 127,
};

struct start {
	const char *baseline; /* operand: a baseline, or a directory of them */
	const char *profile;  /* file of a recorded profile, NULL: ask this host */
	const char *qemu;     /* the binary, as start_find() has found it */
	char **argv;	      /* with the program's name, ended by NULL */
	bool verify;	      /* read first what a guest would be offered */
	const struct conf *conf; /* of the emulator, or NULL */
	int status;		 /* what went wrong before, and was said; 0: nothing */
};

/* How a machine type is written; its name is to be given three times. */
#define START_SAY_MACHINE "-machine %s (libvirt: <type machine='%s'>; virt-install --machine %s)"
/* A line below an error: what to do about it. STATUS_TROUBLE. */
int start_remedy(const char *fmt, ...) _printf_(1, 2);

/*
 * May the file decide what is started? Refused is one that others than root and the caller can
 * change, by its own mode or owner or those of a directory on its way. 0 or STATUS_TROUBLE, having
 * said why.
 */
int start_trust(const char *path);
/* Find a program as a shell does; @ret is for free(). Returns 0 or the exit status, having said why. */
int start_find(const char *program, char **ret);
/*
 * What is behind words like "PATH=/bin", which libvirt writes before the program. A throw-away has an
 * environment of its own.
 */
char **start_command(char **words);
/* Which signals are pending now, at the start, are the program's to find. */
void start_note_signals(void);
/* Become the program. Returns only when that fails: the exit status, having said why. */
int start_exec(const char *path, char *const *argv);
/*
 * Become the QEMU with the list of the baseline behind its arguments, when this host provides what
 * the baseline promises to such a guest, or when the configuration says to start it all the same.
 * Returns only when it did not start: the exit status, having said why.
 */
int start_guest(const struct start *s);

/*
 * What of this host a baseline is about: from the file @profile with the QEMU @qemu; or, where that is
 * NULL, by a probe, with all QEMUs where @qemu is NULL. 0 or STATUS_TROUBLE, having said why.
 */
int start_profile(struct abibase_context *ctx, struct abibase_catalogue *cat,
		  const struct abibase_baseline *b, const char *profile, const char *qemu,
		  struct abibase_profile **ret);
/* @argv: QEMU's arguments, NULL for the baseline's own. 0 or an errno. */
int start_verify(struct abibase_context *ctx, struct abibase_catalogue *cat,
		 struct abibase_baseline *b, struct abibase_profile *p, const char *qemu,
		 const char *const *argv, struct abibase_result **ret);

#endif
