/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_INDEX_H
#define ABIBASE_INDEX_H

#include <stddef.h>

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

/* The name in an array of names */
const char *index_text(const void *array, size_t i);

#endif
