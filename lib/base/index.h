/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_INDEX_H
#define ABIBASE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

/*
 * Which element of an array goes by a name? The names stay where they are, and elements keep their places.
 * All zero, an index is one of no elements; what is not entered is looked for one after the other.
 */
struct index {
	unsigned int *slots; /* number of an element plus one, 0: free */
	size_t size, n;	     /* slots, a power of two; the elements that are entered */
};
typedef const char *(*index_name_fn)(const void *array, size_t i);

/* The number of one of @n elements that has the name, or -1. */
long index_find(const struct index *x, const char *name, const void *array, size_t n,
		index_name_fn name_of);
/* Enter all of @n elements, once they are so many that it pays. 0 or -ENOMEM. */
int index_fill(struct index *x, const void *array, size_t n, index_name_fn name_of);
void index_clear(struct index *x);

/* The hash of what else others write, from 1 on one number after the other; at this process's point. */
uint32_t index_hash_point(void);
#define INDEX_PRIME 0x7fffffffu
static inline uint32_t index_hash_add(uint32_t hash, uint32_t next, uint32_t point)
{
	uint64_t h = ((uint64_t)hash + next) * point;

	h = (h & INDEX_PRIME) + (h >> 31);
	h = (h & INDEX_PRIME) + (h >> 31);
	return (uint32_t)(h >= INDEX_PRIME ? h - INDEX_PRIME : h);
}

/* The name in an array of names */
const char *index_text(const void *array, size_t i);
/* The number of a text among others, each of which is there once; it is entered if need be. 0 or -ENOMEM. */
int index_intern(struct index *x, struct strings *texts, const char *s, unsigned int *ret);

#endif
