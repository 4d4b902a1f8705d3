/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/harmless.h"

#include <stdint.h>
#include <string.h>

#include "base/util.h"

/* Characters of one value that a sentence quotes, and of a sentence; the rest is "...". */
#define CUT_QUOTED 80
#define CUT_TEXT 4000

/* Bytes of the UTF-8 character that begins here; 0: none does. */
static size_t character(const unsigned char *u)
{
	size_t n = u[0] < 0x80 ? 1 : u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;

	if (u[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	/* longer than need be, a surrogate, and beyond U+10FFFF: jansson refuses these, too */
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
	    (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	return n;
}

/*
 * Control characters (C0, DEL, C1), what separates lines, what turns the direction of writing, and
 * what nobody sees, so that two names look alike.
 */
static bool is_control(const unsigned char *u, size_t n)
{
	static const struct { uint32_t from, to; } ranges[] = { /* sorted */
		{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0xad, 0xad },	    { 0x61c, 0x61c },
		{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
		{ 0xe0000, 0xe007f }
	};
	uint32_t c = n == 1 ? u[0] : u[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (u[i] & 0x3f);
	for (size_t i = 0; i < ARRAY_SIZE(ranges) && c >= ranges[i].from; i++)
		if (c <= ranges[i].to)
			return true;
	return false;
}

bool text_is_utf8(const char *s)
{
	size_t n = 1;

	for (; *s && n; s += n)
		n = character((const unsigned char *)s);
	return n != 0;
}

void text_harmless(char *text, const char *but)
{
	char *to = text;

	while (*text) {
		const unsigned char *u = (const unsigned char *)text;
		size_t n = character(u);

		if (strchr(but, *text)) {
			*to++ = *text++;
		} else if (!n || is_control(u, n)) {
			*to++ = '?';
			text += n ? n : 1;
		} else {
			memmove(to, text, n);
			to += n;
			text += n;
		}
	}
	*to = '\0';
}

/* The end of the first @max characters. */
static char *skip_characters(char *s, size_t max)
{
	for (; *s; s++)
		if (((unsigned char)*s & 0xc0) != 0x80 && !max--)
			break;
	return s;
}

static void cut(char *text)
{
	char *end, *most;

	for (char *quote = strchr(text, '"'); quote; quote = strchr(end + 1, '"')) {
		most = skip_characters(quote + 1, CUT_QUOTED);
		end = strchr(quote + 1, '"');
		if (!end)
			break;
		if (end > most && (size_t)(end - most) > strlen("...")) {
			memcpy(most, "...", strlen("..."));
			memmove(most + strlen("..."), end, strlen(end) + 1);
			end = most + strlen("...");
		}
	}
	/* a value may have quotes in it */
	most = skip_characters(text, CUT_TEXT);
	if (strlen(most) > strlen("..."))
		strcpy(most, "...");
}

void text_sentence(char *text)
{
	cut(text);
	text_harmless(text, "");
}

bool text_is_harmless(const char *s)
{
	for (;;) {
		size_t n;

		while (*s >= ' ' && *s <= '~') /* nearly every byte */
			s++;
		if (!*s)
			return true;
		n = character((const unsigned char *)s);
		if (!n || is_control((const unsigned char *)s, n))
			return false;
		s += n;
	}
}
