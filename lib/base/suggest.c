/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/suggest.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FAR 1000

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Changes of one character each that make @b of @a (Levenshtein). */
static unsigned int changes(const char *a, const char *b)
{
	size_t n = strlen(b);
	unsigned int row[SUGGEST_NAME + 1];

	if (n > SUGGEST_NAME || strlen(a) > SUGGEST_NAME)
		return FAR;
	for (size_t k = 0; k <= n; k++)
		row[k] = (unsigned int)k;
	for (size_t i = 0; a[i]; i++) {
		unsigned int diagonal = row[0]++;

		for (size_t k = 0; k < n; k++) {
			unsigned int best = diagonal + (a[i] != b[k]);

			diagonal = row[k + 1];
			row[k + 1] = least(best, least(row[k], diagonal) + 1);
		}
	}
	return row[n];
}

/* A part of it, from one of its words on: "uso" of "offload-uso" */
static bool is_part(const char *word, const char *name)
{
	size_t len = strlen(word);

	for (const char *p = name; p; p = strpbrk(p + 1, "-_+"))
		if (!strncasecmp(p + (p > name), word, len))
			return true;
	return false;
}

/* Letters in another case, a part of it, a slip of the pen or two, or anything that has it. */
static unsigned int distance(const char *word, const char *name)
{
	size_t len = strlen(word);
	unsigned int d;

	if (!len)
		return FAR;
	if (!strcasecmp(word, name))
		return 0;
	if (is_part(word, name))
		return 1;
	/* a name of three letters is two changes from everything */
	d = changes(word, name);
	if (d <= (len > 3 ? 2 : 1))
		return 1 + d;
	return len > 2 && strstr(name, word) ? 4 : FAR;
}

void suggest_offer(struct suggest *s, const char *name)
{
	unsigned int d = name && strlen(name) <= SUGGEST_NAME ? distance(s->word, name) : FAR;
	size_t at = s->n;

	if (d == FAR)
		return;
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->near[i], name))
			return;
	while (at > 0 && s->distance[at - 1] > d)
		at--;
	if (at == SUGGEST_MAX)
		return;
	if (s->n < SUGGEST_MAX)
		s->n++;
	for (size_t i = s->n - 1; i > at; i--) {
		memcpy(s->near[i], s->near[i - 1], sizeof(s->near[i]));
		s->distance[i] = s->distance[i - 1];
	}
	strcpy(s->near[at], name);
	s->distance[at] = d;
}

/* Beside what is very near, what is further is not said. */
static size_t suggest_count(const struct suggest *s)
{
	size_t n = 0;

	while (n < s->n && (s->distance[0] > 2 || s->distance[n] <= 2) &&
	       (s->distance[0] > 0 || s->distance[n] == 0))
		n++;
	return n;
}

void suggest_text(const struct suggest *s, const char *quote, char ret[SUGGEST_TEXT])
{
	size_t at = 0, n = suggest_count(s);

	*ret = '\0';
	for (size_t i = 0; i < n && at < SUGGEST_TEXT; i++)
		at += (size_t)snprintf(ret + at, SUGGEST_TEXT - at, "%s%s%s%c",
				       i ? " or " : "; did you mean ", quote, s->near[i], *quote);
	if (n && at < SUGGEST_TEXT - 1)
		strcpy(ret + at, "?");
}
