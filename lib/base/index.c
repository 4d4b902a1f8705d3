/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/index.h"

/*
 * Open addressing. Names are of documents that others write, who must not be able to have all in one slot: the
 * bytes are the coefficients of a polynomial over a prime, at a point that is this process's secret, and no
 * two names agree at more points than they have bytes.
 */

#define FEW 16 /* of so many the one is found as fast by looking */

uint32_t index_hash_point(void)
{
	/* bytes of the kernel, or nothing */
	const void *random = (const void *)getauxval(AT_RANDOM);
	uint32_t point = 0;

	if (random)
		memcpy(&point, random, sizeof(point));
	return point % (INDEX_PRIME - 1) + 1;
}

static size_t hash(const char *name, uint32_t point)
{
	uint32_t h = 1;

	for (; *name; name++)
		h = index_hash_add(h, (unsigned char)*name, point);
	return h;
}

static size_t find_slot(const struct index *x, const char *name, const void *array,
			index_name_fn name_of, uint32_t point)
{
	size_t i = hash(name, point) & (x->size - 1);

	while (x->slots[i] && !streq(name_of(array, x->slots[i] - 1), name))
		i = (i + 1) & (x->size - 1);
	return i;
}

long index_find(const struct index *x, const char *name, const void *array, size_t n,
		index_name_fn name_of)
{
	size_t slot = x->n ? find_slot(x, name, array, name_of, index_hash_point()) : 0;

	if (x->n && x->slots[slot])
		return (long)x->slots[slot] - 1;
	for (size_t i = x->n; i < n; i++)
		if (streq(name_of(array, i), name))
			return (long)i;
	return -1;
}

static int reserve(struct index *x, size_t n)
{
	size_t size = x->size ? x->size : 4 * FEW;

	while (size / 2 < n)
		size *= 2;
	if (size == x->size)
		return 0;
	free(x->slots);
	*x = (struct index){ .slots = calloc(size, sizeof(*x->slots)), .size = size };
	return x->slots ? 0 : -ENOMEM;
}

int index_fill(struct index *x, const void *array, size_t n, index_name_fn name_of)
{
	uint32_t point = index_hash_point();

	if (n <= FEW)
		return 0;
	if (reserve(x, n) < 0) {
		index_clear(x);
		return -ENOMEM;
	}
	for (; x->n < n; x->n++) {
		size_t slot = find_slot(x, name_of(array, x->n), array, name_of, point);

		/* of two with one name it is the first */
		if (!x->slots[slot])
			x->slots[slot] = (unsigned int)x->n + 1;
	}
	return 0;
}

void index_clear(struct index *x)
{
	free(x->slots);
	*x = (struct index){ 0 };
}

const char *index_text(const void *array, size_t i)
{
	return ((char *const *)array)[i];
}

int index_intern(struct index *x, struct strings *texts, const char *s, unsigned int *ret)
{
	long at = index_find(x, s, texts->s, texts->n, index_text);

	*ret = (unsigned int)(at < 0 ? (long)texts->n : at);
	if (at >= 0)
		return 0;
	return strings_add(texts, s) < 0 ? -ENOMEM :
					   index_fill(x, texts->s, texts->n, index_text);
}
