/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_REHEARSAL_H
#define ABIBASE_REHEARSAL_H

#include "document/json.h"

/*
 * A rehearsal in a file: a head, which is a document in one line, and behind its line feed the
 * stream as QEMU wrote it. The head says how long that is, and has its digest.
 */

#define REHEARSAL_HEAD_MAX (1u << 20)
#define REHEARSAL_STREAM_MAX (64u << 20)
#define REHEARSAL_VCPUS_MAX 4096
/* seconds that firmware is executed */
#define REHEARSAL_RUN_MAX 300

extern const struct form rehearsal_form;
/* What becomes of the options of a command line: data/rehearse.json */
extern const struct form rehearse_form;

struct rehearsal {
	json_t *head;
	struct buf stream;
};
void rehearsal_clear(struct rehearsal *r);
/* What a file must have, of bytes from anywhere. Sets the error of @ctx. */
int rehearsal_from_buffer(struct abibase_context *ctx, const char *text, size_t len,
			  const char *source, struct rehearsal *ret) _must_check_;
/* Its first line alone. */
int rehearsal_head(struct abibase_context *ctx, const char *text, size_t len, const char *source,
		   json_t **ret) _must_check_;
int rehearsal_read(struct abibase_context *ctx, const char *path,
		   struct rehearsal *ret) _must_check_;
/*
 * States the length and the digest of the stream in the head, and writes both: whole or not at all,
 * and for nobody but the caller to read. Sets the error of @ctx.
 */
int rehearsal_write(struct abibase_context *ctx, const char *path,
		    struct rehearsal *r) _must_check_;
/* A file of these two parts, in the same way. 0 or a negative errno. */
int rehearsal_put(const char *path, const struct buf *head, const struct buf *stream) _must_check_;

/* Of the content of a file; false: it cannot be read, or has more than 1 GiB. */
bool rehearse_digest(const char *path, char hex[DIGEST_HEX + 1]);

/* How the table calls what becomes of an option. */
enum rehearse_does { REHEARSE_KEEP, REHEARSE_DROP, REHEARSE_LEAVE_OUT, REHEARSE_REPLACE };
/* The row of a part of the table; a key may end with "*". NULL: there is none, or no name. */
const json_t *rehearse_row(const json_t *table, const char *part, const char *name);
enum rehearse_does rehearse_does(const json_t *row); /* without a row it is left out */
/* Is @param in the list of that part, for options of this name? */
bool rehearse_lists(const json_t *table, const char *part, const char *option, const char *param);

#endif
