/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_CHOOSE_H
#define ABIBASE_CHOOSE_H

#include "conf.h"
#include "start.h"

struct choice {
	const char *place;	 /* a file, or a directory of baselines */
	const char *id;		 /* that was asked for, or NULL */
	const char *machine;	 /* of the command line, or NULL */
	bool incoming;		 /* the guest was started elsewhere */
	const struct conf *conf; /* or NULL */
	const char *named;	 /* the id that the file must have, once it is chosen; NULL: any */
};

/*
 * Which file has the baseline that a guest is started under: @ret is for free(). 0, STATUS_NO where none
 * is its own, or nothing says which, or STATUS_TROUBLE; having said why.
 */
int choose_baseline(struct abibase_context *ctx, struct choice *c, char **ret);

/* How the names begin that an alias of machine types, or NULL, can stand for; NULL: it is no alias. */
const char *choose_kind(const char *machine);

/* Call @fn for each file of a directory that choose_baseline() looks at, in order. 0 or STATUS_TROUBLE. */
typedef int (*choose_fn)(void *data, const char *path);
int choose_each(const char *dir, choose_fn fn, void *data);
/*
 * What a start reads in that file; @dir is NULL where it is not one of a directory. 0 or STATUS_TROUBLE,
 * having said why.
 */
int choose_read(struct abibase_context *ctx, const char *dir, const char *path,
		struct abibase_baseline **ret);

#endif
