/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_DECODE_H
#define ABIBASE_DECODE_H

/* From the text of a log to findings, and the words for people. */

#include "document/decode-data.h"
#include "document/result.h"

struct abibase_catalogue;

/* abibase_decode() with data that is read already. */
int decode_with(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		const struct decode_data *data, const char *text, size_t len, const char *device,
		struct abibase_result **ret) _must_check_;

/* All findings for people. 0 or -ENOMEM. */
int decode_show(const json_t *root, size_t width, char **ret);

#endif
