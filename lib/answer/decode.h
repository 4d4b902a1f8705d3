/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_DECODE_H
#define ABIBASE_DECODE_H

/* From the text of a log to findings, and the words for people. */

#include "document/decode-data.h"

struct abibase_catalogue;
struct abibase_decode;

/* The document, owned by @d. */
const json_t *decode_document(const struct abibase_decode *d);
/* abibase_decode() with data that is read already. */
int decode_with(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		const struct decode_data *data, const char *text, size_t len, const char *device,
		struct abibase_decode **ret) _must_check_;

/* All findings for people. Returns NULL when memory ran out; for free(). */
char *decode_text(const json_t *root);

#endif
