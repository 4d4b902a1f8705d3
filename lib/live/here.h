/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_HERE_H
#define ABIBASE_HERE_H

#include "document/baseline.h"

/* This host: what its guests start under, and what those that run were started under. */

struct here_baseline {
	char *file;
	struct abibase_baseline *b;
};

struct abibase_here {
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	/* NULL: not said */
	char *record, *directory, *emulator, *configuration, *trouble, *unread, *qemu;
	struct strings current, warns; /* ids */
	struct here_baseline *base;
	size_t n, cap;
	/* while it runs */
	struct arena arena;
	struct findings findings;
	json_t *root;
};

/* here-host.c. Add what the format says; @remedy may be NULL. */
void here_found(struct abibase_here *h, enum abibase_finding_kind kind, const char *id,
		const char *remedy, const char *fmt, ...) _printf_(5, 6);
/* The same with what failed last. */
void here_failed(struct abibase_here *h, enum abibase_finding_kind kind, const char *remedy);
/* A member of the document each, and what is found. 0 or -ENOMEM. */
int here_units(struct abibase_here *h);
int here_emulator(struct abibase_here *h);
int here_apparmor(struct abibase_here *h);
/* Beside "record": @ret is the profile to hold baselines against; NULL: none counts. */
int here_record(struct abibase_here *h, struct abibase_profile **ret);

/* here-guests.c: "guests", and "processes": does the caller see all of them? */
int here_guests(struct abibase_here *h);

/*
 * The command line of a process, ended by NULL. 1; 0: it has none, or has gone; or -ENOMEM. In any case
 * @words, each ended by a NUL, and @argv into them are for free().
 */
int here_command(pid_t pid, char **words, const char ***argv);
/* By the name of its program, as packages have it */
bool here_is_qemu(const char *path);

/* here-show.c */
json_t *here_guest_name(const json_t *guest); /* or "pid 123" */
int here_show(const json_t *root, size_t width, char **ret);

#define HERE_UNIT "abibase-profile.service"
#define HERE_TIMER "abibase-check.timer"

#endif
