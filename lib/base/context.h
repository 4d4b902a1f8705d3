/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_CONTEXT_H
#define ABIBASE_CONTEXT_H

#include <abibase/abibase.h>
#include <syslog.h>

#include "base/util.h"

/* What a part of the library keeps for as long as a context lives. */
enum kept {
	KEPT_BUILDS,	 /* document/build-find.c */
	KEPT_SEEN,	 /* document/seen.c */
	KEPT_REHEARSALS, /* document/rehearsals.c */
	KEPT_NOTES,	 /* answer/check-records.c */
	N_KEPT
};

struct abibase_context {
	int refcount;
	char *data_dir;
	struct strings platform_path; /* least specific first */
	bool path_of_data;	      /* its first is below data_dir */
	abibase_log_fn log;
	void *log_data;
	char *error, *error_where;
	const char *error_id;
	struct {
		void *data; /* NULL: nothing */
		void (*clear)(void *data);
	} kept[N_KEPT];
};
/* All zero when it is first asked for; @clear: of what it holds. NULL: no memory. */
void *context_keep(struct abibase_context *ctx, enum kept which, size_t size,
		   void (*clear)(void *data));
void context_forget(struct abibase_context *ctx, enum kept which);

/*
 * Remember the last error. @id is a string constant listed in messages.def; @where may be NULL.
 * Returns -@err, so that a caller can write `return context_fail(...)`; -ENOMEM when the sentence
 * did not fit into memory. @ctx may be NULL.
 */
int context_fail(struct abibase_context *ctx, int err, const char *id, const char *where,
		 const char *fmt, ...) _printf_(5, 6);
int context_oom(struct abibase_context *ctx);
/* What a call that takes a while does now, for whoever waits. */
#define context_step(ctx, ...) context_log(ctx, LOG_DEBUG, "step", __VA_ARGS__)
/* Put a copy of @s, which may be NULL, in the place of a text. 0 or context_oom(). */
int context_replace(struct abibase_context *ctx, char **place, const char *s);
/* Hand one line to the log callback. @priority as syslog(3). */
void context_log(struct abibase_context *ctx, int priority, const char *id, const char *fmt, ...)
	_printf_(4, 5);

#endif
