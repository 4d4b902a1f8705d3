/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_SEEN_H
#define ABIBASE_SEEN_H

#include "document/profile.h"

/*
 * Lists of QEMUs that a context read and found right. Such a list is most of a profile, and a fleet
 * has few that differ: the same bytes are parsed, checked and written for a digest once.
 */
struct seen_list {
	char *text; /* as the document has it, from "[" to "]" */
	size_t len;
	json_t *list;
	char *compact; /* what digests are made of; NULL: not found right, yet */
	size_t n;      /* entries that have a digest */
	char (*digests)[DIGEST_HEX + 1];
};

/* json_parse() of what may be a profile: a list that is known is the very same value. */
int seen_parse(struct abibase_context *ctx, const char *buf, size_t len, size_t max,
		const char *source, json_t **ret) _must_check_;
/* What is known of a value; NULL: nothing. */
const struct seen_list *seen_find(const struct abibase_context *ctx, const json_t *list);
/*
 * The document with this list, parsed by seen_parse(), was found right, without a warning; its @n
 * QEMUs have their digests. Without memory nothing is known.
 */
void seen_keep(struct abibase_context *ctx, const json_t *list, const struct profile_qemu *qemu,
		size_t n);

#endif
