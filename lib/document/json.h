/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_JSON_H
#define ABIBASE_JSON_H

/* Strict reading, canonical writing and digesting of JSON documents, on top of jansson. */

#include <errno.h>
#include <jansson.h>

#include "base/limits.h"
#include "base/util.h"

struct abibase_context;

#define DIGEST_HEX 64

/* Read all of @path ("-": standard input), at most @max bytes. Sets the error of @ctx. */
int file_read(struct abibase_context *ctx, const char *path, size_t max, char **ret,
	      size_t *ret_len) _must_check_;

/* Parse; refuses duplicate keys, invalid UTF-8, text after the document. Sets the error of @ctx. */
int json_parse(struct abibase_context *ctx, const char *buf, size_t len, size_t max,
	       const char *source, json_t **ret) _must_check_;

/* The same without a word; NULL: it is wrong, is large, or there is no memory. */
json_t *json_load_text(const char *buf, size_t len);

/*
 * A walk over a parsed document that checks it. Faults are counted and told to @report (all of
 * them, for `validate`); without @report the first becomes the last error of @ctx.
 */
#define SCHEMA_MAX_DEPTH 16
struct schema_walk {
	struct abibase_context *ctx;
	const char *source;
	/* the place under inspection; text is made of it only when there is something to say */
	struct {
		const char *key; /* NULL: @index counts */
		size_t index;
	} place[SCHEMA_MAX_DEPTH];
	size_t depth;
	const json_t *right; /* an array that was found right before, or NULL */
	bool warned;
	int faults;
	int err; /* errno of the first fault: EBADMSG, EPROTONOSUPPORT */
	void (*report)(void *data, int priority, const char *id, const char *where,
		       const char *text);
	void *data;
};
void schema_init(struct schema_walk *c, struct abibase_context *ctx, const char *source);
/* 0, or the negative errno of the first fault, or -ENOMEM. */
int schema_result(const struct schema_walk *c);
/* Go down into a member or an element, and up again to the returned mark. */
size_t schema_enter(struct schema_walk *c, const char *key);
size_t schema_enter_index(struct schema_walk *c, size_t index);
void schema_leave(struct schema_walk *c, size_t mark);
void schema_fault(struct schema_walk *c, const char *id, const char *fmt, ...) _printf_(3, 4);
void schema_warn(struct schema_walk *c, const char *id, const char *fmt, ...) _printf_(3, 4);

/* The text of a member; NULL: it has none. */
static inline const char *string_of(const json_t *obj, const char *key)
{
	return json_string_value(json_object_get(obj, key));
}
/* 128 bits as documents have them; NULL: no memory */
static inline json_t *json_word(const uint64_t word[2])
{
	return json_sprintf("0x%016llx%016llx", (unsigned long long)word[1],
			    (unsigned long long)word[0]);
}
/* Set a member, append an element: @v is taken, and NULL is no memory. 0 or -ENOMEM. */
static inline int json_put(json_t *object, const char *key, json_t *v)
{
	return json_object_set_new(object, key, v) < 0 ? -ENOMEM : 0;
}
static inline int json_add(json_t *array, json_t *v)
{
	return json_array_append_new(array, v) < 0 ? -ENOMEM : 0;
}
/* The object that is this member, made where it is not there; NULL: no memory */
static inline json_t *json_member(json_t *object, const char *key)
{
	json_t *v = json_object_get(object, key);

	return v || json_put(object, key, json_object()) < 0 ? v : json_object_get(object, key);
}
/* Words of others, which can be anything, as a document has them; NULL: no memory */
json_t *json_harmless(const char *words);
/* An array of texts; NULL: no memory */
json_t *json_strings(const char *const *s, size_t n);
/* The keys of an object, sorted, for free(); NULL: no memory, and @ret_n is 0 */
const char **json_keys(const json_t *object, size_t *ret_n);
/* Is it among the strings of an array? */
bool json_has(const json_t *strings, const char *s);
/* Is it as one of an array of patterns, fnmatch(3), says? */
bool json_matches(const json_t *patterns, const char *s);

enum jtype {
	J_STRING = 1 << 0,
	J_INT = 1 << 1,
	J_BOOL = 1 << 2,
	J_OBJECT = 1 << 3,
	J_ARRAY = 1 << 4,
	J_NULL = 1 << 5,
};
/* Is @v of one of @types? A fault otherwise. */
bool schema_type(struct schema_walk *c, const json_t *v, unsigned int types);

/* Other members of an object: none; description, tags and x-*; these, and a later version's. */
enum members_more { MORE_NONE, MORE_FREE, MORE_KEPT };

/* How a value stands in the struct of its object: document/codec.h */
enum codec_as {
	AS_NOTHING,
	AS_TEXT,     /* const char *, of the document; NULL: not there, or null */
	AS_BOOL,     /* bool */
	AS_INT,	     /* int64_t; 0: not there */
	AS_SMALL,    /* int, -1: not there */
	AS_STATED,   /* int64_t, -1: not there */
	AS_CHOICE,   /* bool: is it the second of two `words`? */
	AS_TRI,	     /* enum abibase_tri: true, false, or null */
	AS_CONST,    /* nothing: it is always the first of `words` */
	AS_WORD,     /* enum, index into `words`; 0: not there */
	AS_JSON,     /* const json_t *, of the document */
	AS_FEATURES, /* uint64_t[2], a feature word, and behind it a bool: is it there? */
	AS_VERSION,  /* struct version */
	AS_RANGE,    /* struct version_range */
	AS_RANGES,   /* struct version_range *, and behind it their number, size_t */
	AS_TEXTS,    /* const char **, and their number */
	AS_LIST,     /* as many structs of `size` bytes as there are elements, and their number */
	AS_KEY,	     /* of an element: const char *, the key that it has in its object */
	AS_PART,     /* the members of the object are in the same struct */
	AS_ONE,	     /* the members of the only element of the array are in the same struct */
	AS_HOOK,     /* as the functions of `hook` have it */
};

/*
 * One member that an object may have, or one element of an array or of an object with free keys.
 * Tables of these describe a document; code checks only what they cannot say. A value of the right
 * type that is not null is held against all that is given, in this order.
 */
struct member {
	const char *key;    /* NULL: an element, or the end of a list of members */
	unsigned int types; /* enum jtype */
	bool required;
	const char *const *words; /* a string is one of these: ends with NULL, and "" is no word */
	bool words_unsaid;	  /* the message about a wrong word does not list the right ones */
	const struct member *members; /* an object has these: ends with a NULL key */
	enum members_more more;
	const struct member *each; /* each element of an array or an object: EACH() */
	/* is the key of an element right? False: the value is not looked at */
	bool (*keys)(struct schema_walk *c, const char *key);
	bool limited; /* what an integer is, or how many elements there are: LIMITS() */
	int64_t least, most;
	void (*check)(struct schema_walk *c, const json_t *v); /* any other check */
	enum codec_as as; /* and where in the struct; the size of an element of a list */
	size_t at, size;
	const struct codec_hook *hook;
	bool detail; /* left out of a document that is written without its reasons */
	bool flat;   /* its elements are many, or long: each is written on one line */
};
#define LIMITS(a, z) .limited = true, .least = (a), .most = (z)
#define AT_LEAST(a) LIMITS(a, INT64_MAX)
/* An element: EACH(types, .FIELD = ...) */
#define EACH(...) (&(const struct member){ .types = __VA_ARGS__ })
#define EACH_TEXT EACH(J_STRING, .check = schema_nonempty)
#define EACH_NAME EACH(J_STRING, .check = schema_name)
#define EACH_OBJECT(table, others) EACH(J_OBJECT, .members = table, .more = others)

/*
 * The form of a document, or of a @part of it, which states no schema. The build makes the JSON
 * Schemas and the lists of the manual pages of these: data/forms/print.c.
 */
struct form {
	const char *kind; /* "schema": "abibase-KIND/1" */
	const char *part; /* NULL: all of it */
	const struct member *members;
	enum members_more more;
	size_t max; /* bytes of a document */
	void (*check)(struct schema_walk *c,
		      const json_t *root); /* what no table can say, or NULL */
};

/* Does the document state this kind, of whatever version? */
bool form_is_stated(const struct form *form, const json_t *root);
/*
 * Hold a document against the table of its form. False if the document is no object, or
 * states a newer schema, whose keys may mean something else: no member is looked at then.
 */
bool schema_root(struct schema_walk *c, const json_t *root, const struct form *form);
/* The same, and what no table can say. */
void schema_document(struct schema_walk *c, const json_t *root, const struct form *form);
/* Would a reader take it? */
bool form_accepts(const struct form *form, const json_t *root);
/* The same, on behalf of a reader: sets the error of @ctx, and drops @root where that is wrong. */
int document_check(struct abibase_context *ctx, json_t *root, const char *source,
		   const struct form *form) _must_check_;
/* Read and parse a file, and check nothing. Sets the error of @ctx. */
int document_read(struct abibase_context *ctx, const char *path, const struct form *form,
		  json_t **ret) _must_check_;
/* The same of the installed data: KIND.json. @ret_path is for free(), also on failure. */
int data_read(struct abibase_context *ctx, const struct form *form, char **ret_path,
	      json_t **ret) _must_check_;
/* The same, checked. */
int data_load(struct abibase_context *ctx, const struct form *form, json_t **ret) _must_check_;
/* The index of a word, or -1. */
int word_index(const char *const *words, const char *s);
/* Check an object against its members: types, required ones, unknown keys. */
void schema_object(struct schema_walk *c, const json_t *obj, const struct member *members,
		   enum members_more more);
/*
 * Refuse an element of "needs": a thing that a reader of the document must know, with the version
 * of abibase that does. This one knows none yet.
 */
void schema_need_of_reader(struct schema_walk *c, const json_t *v);
/* No string of the document has a control character in it; schema_root() looks at the keys. */
void schema_strings_printable(struct schema_walk *c, const json_t *root);
/* Ready-made value checks. */
void schema_name(struct schema_walk *c, const json_t *v); /* see name_valid() */
bool schema_key(struct schema_walk *c, const char *key);  /* such a name; always true */
void schema_nonempty(struct schema_walk *c, const json_t *v);
void schema_version(struct schema_walk *c, const json_t *v);
void schema_digest(struct schema_walk *c, const json_t *v);
void schema_offered(struct schema_walk *c, const json_t *v); /* a feature word of 128 bits */
void schema_power_of_two(struct schema_walk *c, const json_t *v); /* or 0 */
void schema_true(struct schema_walk *c, const json_t *v);
/* [A-Za-z0-9][A-Za-z0-9._+-]*, at most 255 bytes: usable as a label and never like an option or a path */
bool name_valid(const char *s);

/* Compact text with sorted keys, which digests are made of; without the member @skip (or NULL) of the
 * outermost object. @v holds integers only, as every checked document does. */
void json_write_compact(struct buf *b, const json_t *v, const char *skip);
/*
 * Where an object stands in such a text, and in it the member that its digest leaves out: the parts
 * of a document are digested without being written a second time.
 */
struct json_span {
	const json_t *object; /* the caller sets these two */
	const char *without;
	size_t start, cut_start, cut_end, end; /* no such member: nothing is cut */
};
/* All of @v; the objects of @spans must come in their order. */
void json_write_compact_spans(struct buf *b, const json_t *v, struct json_span *spans, size_t n);
/* All of @v, a part of which has this text. */
void json_write_compact_around(struct buf *b, const json_t *v, const json_t *part,
			       const char *text);
void json_span_digest(const struct buf *b, const struct json_span *span, char hex[65]);
/* BLAKE2b-256 of that text, as 64 hex digits. @scratch is overwritten. 0 or -ENOMEM. */
int json_digest(const json_t *v, const char *skip, struct buf *scratch, char hex[65]);
/* Canonical text: sorted keys with "schema" first, 2 spaces, final newline. */
void json_write_canonical(struct buf *b, const json_t *v);
/* That text, for free(): 0 or -ENOMEM. */
int json_give(const json_t *v, char **ret);
/* Pieces for streaming writers. */
void json_write_value(struct buf *b, const json_t *v, unsigned int depth);
void json_write_string(struct buf *b, const char *s);
/* The end of a line, behind a comma or not, and the indentation of the next. */
void json_write_line(struct buf *b, bool comma, unsigned int depth);
/* That, or all on one line. */
void json_write_next(struct buf *b, bool compact, bool comma, unsigned int depth);

#endif
