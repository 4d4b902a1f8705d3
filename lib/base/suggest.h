/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_SUGGEST_H
#define ABIBASE_SUGGEST_H

/* Which name was meant by one that does not exist. The command is linked with its own copy of this. */

#include <stddef.h>

#define SUGGEST_MAX 3
#define SUGGEST_NAME 255
#define SUGGEST_TEXT 1024

struct suggest {
	const char *word; /* that does not exist */
	char near[SUGGEST_MAX][SUGGEST_NAME + 1]; /* the nearest first */
	unsigned int distance[SUGGEST_MAX];
	size_t n;
};

/* Offer a name that exists; NULL is none. */
void suggest_offer(struct suggest *s, const char *name);
/*
 * "; did you mean "a" or "b"?" with @quote before each name, and its first character behind; "" where
 * nothing is near.
 */
void suggest_text(const struct suggest *s, const char *quote, char ret[SUGGEST_TEXT]);

#endif
