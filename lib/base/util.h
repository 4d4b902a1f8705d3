/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_UTIL_H
#define ABIBASE_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ABIBASE_EXPORT __attribute__((visibility("default")))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _must_check_ __attribute__((warn_unused_result))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Cleanup attributes: the variable is released at the end of its scope, steal() hands it over. */
static inline void freep(void *p)
{
	free(*(void **)p);
}
static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}
#define _autofree_ __attribute__((cleanup(freep)))
#define _autoclose_ __attribute__((cleanup(closep)))
#define _autofclose_ __attribute__((cleanup(fclosep)))

#define steal(pp)                            \
	__extension__({                      \
		__typeof__(*(pp)) _p = *(pp); \
		*(pp) = NULL;                \
		_p;                          \
	})

static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}
static inline bool strprefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}
static inline bool ends_with(const char *s, const char *suffix)
{
	size_t len = strlen(s), end = strlen(suffix);

	return len >= end && streq(s + len - end, suffix);
}
/* How long is it without that at its end, which it may not have? */
static inline size_t length_without(const char *s, const char *suffix)
{
	return strlen(s) - (ends_with(s, suffix) ? strlen(suffix) : 0);
}
/* @len lower-case hex digits, and nothing else */
bool hex_valid(const char *s, size_t len);
/* The id of a baseline: "b1-" and so many of them */
#define ID_DIGITS 32
bool id_valid(const char *s);
/* For qsort(3), of texts or of structs that begin with one: by their bytes */
int text_cmp(const void *a, const void *b);
/* Both may be NULL. */
bool same_text(const char *a, const char *b);

/*
 * Hex digits, "0x" before them or not, into 128 bits, least significant word first; false where they
 * do not fit. Everything after "0x" must be a hex digit.
 */
bool word_parse(const char *s, uint64_t ret[2]);
static inline bool word_has(const uint64_t word[2], int bit)
{
	return word[bit / 64] >> (bit % 64) & 1;
}

/*
 * Growing text. After an allocation failure every further call does nothing and buf_steal() and
 * buf_failed() tell, so that a writer checks once, at its end.
 */
struct buf {
	char *data;
	size_t len, size;
	size_t width; /* of lines for people, in columns; 0: 80 */
	bool failed;
};
void buf_clear(struct buf *b);
#define _buf_ __attribute__((cleanup(buf_clear))) struct buf
/* Make room for @more bytes and a NUL, at b->data + b->len; false: no memory, now or before. */
bool buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *s);
static inline void buf_putc(struct buf *b, char c)
{
	if (b->size - b->len < 2) {
		buf_add(b, &c, 1);
		return;
	}
	b->data[b->len++] = c;
	b->data[b->len] = '\0';
}
void buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) _printf_(2, 0);
/* The text, NUL-terminated, for free(); NULL after an allocation failure. @b is empty then. */
char *buf_steal(struct buf *b);
/* The same into @ret: 0, or -ENOMEM and @ret as it was. */
int buf_give(struct buf *b, char **ret);
static inline bool buf_failed(const struct buf *b)
{
	return b->failed;
}

/* The function that takes a reference to an object, or to none. */
#define DEFINE_REF(type, name)                                                 \
	struct type *name(struct type *p)                                      \
	{                                                                      \
		if (p)                                                         \
			__atomic_add_fetch(&p->refcount, 1, __ATOMIC_RELAXED); \
		return p;                                                      \
	}

/*
 * Memory that lives and dies together: a baseline's derived parts. Zeroed; NULL when there is none,
 * which @failed remembers, so that whoever fills it checks once, at the end.
 */
struct arena {
	struct arena_block *blocks;
	size_t left;
	bool failed; /* it had no memory to give, at least once */
};
void arena_clear(struct arena *a);
#define _arena_ __attribute__((cleanup(arena_clear))) struct arena
void *arena_alloc(struct arena *a, size_t size);
/*
 * An array of @n elements of @size with room for one more, all zero; its smaller predecessors stay
 * in the arena.
 */
void *arena_grow(struct arena *a, void *array, size_t n, size_t size);
char *arena_strdup(struct arena *a, const char *s);
/* What is in the buffer, until that changes; "" where it has failed, and then @a has. */
const char *arena_words(struct arena *a, const struct buf *b);
char *arena_printf(struct arena *a, const char *fmt, ...) _printf_(2, 3);

/* All of it, whatever a write(2) takes at once. 0 or a negative errno. */
int write_fully(int fd, const char *text, size_t len);
/*
 * To read what a user names, which can be a pipe, but not one that nobody writes to: its end would never
 * come. A descriptor or a negative errno, a file or NULL with errno; and that in words. For a writer that
 * has said nothing yet, poll(2) has the same answer as for none.
 */
int open_named(const char *path);
FILE *fopen_named(const char *path);
const char *open_words(int err);

/* Grow an array of @n elements so that one more fits; doubles. Returns 0 or -ENOMEM. */
int array_grow(void *array, size_t n, size_t *cap, size_t elem) _must_check_;

/* Copies of texts; where there are any, a NULL follows the last. Those that return int: 0 or -ENOMEM. */
struct strings {
	char **s;
	size_t n, cap;
};
int strings_add(struct strings *t, const char *s);
/* The same of one for free(), which is taken, also on failure; NULL is no memory. */
int strings_take(struct strings *t, char *s);
/* Each word of a text, between blanks. */
int strings_add_words(struct strings *t, const char *text);
/* These instead of what it has. Also of none, there is a NULL at the end. */
int strings_set(struct strings *t, const char *const *list);
/* Enter @s in its place of a sorted set; of many, add all and sort once. */
int strings_insert(struct strings *t, const char *s);
/* Make a sorted set of it. */
void strings_sort(struct strings *t);
/* Enter all of a sorted set in another. */
int strings_join(struct strings *t, const struct strings *from);
bool strings_have(const struct strings *t, const char *s);
bool strings_equal(const struct strings *a, const struct strings *b);
void strings_clear(struct strings *t);

#endif
