/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_TEXT_H
#define ABIBASE_TEXT_H

/* Text for people, who read it on a terminal. */

#include "base/util.h"

#define TEXT_WIDTH 80 /* columns, where nobody says how many there are */

/* Text from a document, with its control characters shown as "?". */
void show_text(struct buf *b, const char *s);
/* Like that, in lines of the width of @b: it begins in @column, later lines in @hang. */
void show_wrapped(struct buf *b, size_t column, size_t hang, const char *s);
void show_wrapped_at(struct buf *b, size_t width, size_t column, size_t hang, const char *s);
/* The same of formatted text. */
void show_vprintf(struct buf *b, size_t column, size_t hang, const char *fmt, va_list ap)
	_printf_(4, 0);
/* A paragraph: behind @indent blanks, later lines behind @hang. */
void show_printf(struct buf *b, size_t indent, size_t hang, const char *fmt, ...) _printf_(4, 5);
/* A label in the first @column columns, and text beside it. */
void show_labelled(struct buf *b, size_t column, const char *label, const char *fmt, ...)
	_printf_(4, 5);
/* Lines as they are, each behind four blanks. */
void show_lines(struct buf *b, const char *s);
/* Formatted text, without control characters, in @a; "" where @a has failed. */
const char *show_keep(struct arena *a, const char *fmt, ...) _printf_(2, 3);
const char *show_vkeep(struct arena *a, const char *fmt, va_list ap) _printf_(2, 0);

#endif
