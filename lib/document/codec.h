/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_CODEC_H
#define ABIBASE_CODEC_H

/*
 * From documents into structs and back, by the tables that documents are checked with: `as` of a
 * member says what stands in the struct at `at`.
 */

#include <stddef.h>

#include "document/json.h"

struct codec {
	struct arena *arena; /* of lists, which fails; NULL: they have their places */
	struct schema_walk *walk; /* where the member is, for faults of hooks */
	void *data; /* for hooks */
};

struct stream;
/* @to, @from: the place in the struct, or the struct; @v is NULL where there is none. */
struct codec_hook {
	void (*read)(const struct codec *k, const struct member *m, const json_t *v, void *to);
	void (*write)(struct stream *w, const struct member *m, const void *from);
};

#define INTO(type, how, field) .as = AS_##how, .at = offsetof(type, field)
#define INTO_LIST(type, field, table, others)                                      \
	INTO(type, LIST, field), .size = sizeof(*((type *)0)->field),             \
		.each = EACH_OBJECT(table, others)

/* Of a document that was checked. */
void codec_read(const struct codec *k, const struct member *members, const json_t *obj, void *to);
/* The same where there are no hooks, and so no faults. */
void codec_fill(struct arena *arena, const struct member *members, const json_t *obj, void *to);
/* The same of one member. */
void codec_read_one(const struct codec *k, const struct member *members, const char *key,
		    const json_t *obj, void *to);

/*
 * A document that is written as it is walked, for it can be too large for a tree. Its members come
 * in the order of the table, which is that of their names: the canonical form.
 */
struct stream {
	struct buf *out;
	unsigned int depth;
	bool comma;
	bool brief; /* without the members that are a `detail` */
	bool flat;  /* within what stands on one line */
	void *data; /* for hooks */
};
void stream_key(struct stream *w, const char *key);
void stream_begin(struct stream *w, const char *key, char c); /* a member that is '{' or '[' */
void stream_close(struct stream *w, char c);
void stream_text(struct stream *w, const char *key, const char *s); /* NULL: null */
void stream_int(struct stream *w, const char *key, int64_t v);
void stream_bool(struct stream *w, const char *key, bool v);
void stream_item(struct stream *w, const char *s);
/* An element of a list. What is not there is left out, unless it has to be. */
void stream_object(struct stream *w, const struct member *members, const void *from);
/* The same on one line. */
void stream_flat(struct stream *w, const struct member *members, const void *from);
/* A member that is a list of structs, or of texts. */
void stream_list(struct stream *w, const struct member *m, const void *list, size_t n);
void stream_document(struct stream *w, const char *schema, const struct member *members,
		     const void *from);

#endif
