/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_CODEC_H
#define ABIBASE_CODEC_H

/*
 * From documents into structs and back, by the tables that documents are checked with: `as` of a
 * member says what stands in the struct at `at`.
 */

#include <stddef.h>

#include "document/json.h"

struct stream;
/* @to, @from: the struct that the member is of. */
struct codec_hook {
	void (*read)(void *data, const struct member *m, const json_t *v, void *to);
	void (*write)(struct stream *w, const struct member *m, const void *from);
};

#define INTO(type, how, field) .as = AS_##how, .at = offsetof(type, field)
#define INTO_LIST(type, field, table, others)                                      \
	INTO(type, LIST, field), .size = sizeof(*((type *)0)->field),             \
		.each = EACH_OBJECT(table, others)

/* Of a document that was checked. Memory is @a's, which fails; @data is for hooks. */
void codec_read(struct arena *a, void *data, const struct member *members, const json_t *obj,
		void *to);

/*
 * A document that is written as it is walked, for it can be too large for a tree. Its members come
 * in the order of the table, which is that of their names: the canonical form.
 */
struct stream {
	struct buf *out;
	unsigned int depth;
	bool comma;
	bool brief; /* without the members that are a `detail` */
	void *data; /* for hooks */
};
void stream_next(struct stream *w);
void stream_key(struct stream *w, const char *key);
void stream_open(struct stream *w, char c);
void stream_close(struct stream *w, char c);
void stream_text(struct stream *w, const char *key, const char *s); /* NULL: null */
void stream_int(struct stream *w, const char *key, int64_t v);
void stream_item(struct stream *w, const char *s);
/* What is not there is left out, unless it has to be. */
void stream_members(struct stream *w, const struct member *members, const void *from);

#endif
