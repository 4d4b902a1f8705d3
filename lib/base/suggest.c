/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/suggest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_NAME 255
#define FAR 1000

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Changes of one character each that make @b of @a (Levenshtein). */
static unsigned int changes(const char *a, const char *b)
{
	size_t n = strlen(b);
	unsigned int row[MAX_NAME + 1];

	if (n > MAX_NAME || strlen(a) > MAX_NAME)
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

/* Letters in another case, the beginning of it, a slip of the pen or two, a part of it ("uso"). */
static unsigned int distance(const char *word, const char *name)
{
	size_t len = strlen(word);
	unsigned int d;

	if (!len)
		return FAR;
	if (!strcasecmp(word, name))
		return 0;
	if (!strncasecmp(word, name, len))
		return 1;
	/* a name of three letters is two changes from everything */
	d = changes(word, name);
	if (d <= (len > 3 ? 2 : 1))
		return 1 + d;
	return len > 2 && strstr(name, word) ? 4 : FAR;
}

void suggest_offer(struct suggest *s, const char *name)
{
	unsigned int d = name ? distance(s->word, name) : FAR;
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
		s->near[i] = s->near[i - 1];
		s->distance[i] = s->distance[i - 1];
	}
	s->near[at] = name;
	s->distance[at] = d;
}

void suggest_text(const struct suggest *s, char quote, char ret[SUGGEST_TEXT])
{
	size_t at = 0;

	*ret = '\0';
	for (size_t i = 0; i < s->n && at < SUGGEST_TEXT; i++)
		at += (size_t)snprintf(ret + at, SUGGEST_TEXT - at, "%s%c%s%c",
				       i ? " or " : "; did you mean ", quote, s->near[i], quote);
	if (s->n && at < SUGGEST_TEXT - 1)
		strcpy(ret + at, "?");
}
