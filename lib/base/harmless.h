/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_HARMLESS_H
#define ABIBASE_HARMLESS_H

/* Text from elsewhere, before it goes to a terminal. The command is linked with its own copy of
 * this. */

#include <stdbool.h>

/*
 * Put "?" for each character that could move the cursor, forge a line or turn the direction of
 * writing, for one that nobody sees, and for what is not UTF-8; but for the characters of @but,
 * such as "\n".
 */
void text_harmless(char *text, const char *but);
/* So a sentence of one line; what it quotes of a document, which can have megabytes, is cut. */
void text_sentence(char *text);
bool text_is_harmless(const char *s);
bool text_is_utf8(const char *s);

#endif
