/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_SHOW_H
#define ABIBASE_SHOW_H

#include "document/catalogue.h"

/* The words in which profiles are shown to people, shared by show, diff and match. */

/* Text from a document, with its control characters shown as "?". */
void show_text(struct buf *b, const char *s);
/* Like that, in lines of at most 96 columns: it begins in @column, later lines in @hang. */
void show_wrapped(struct buf *b, size_t column, size_t hang, const char *s);
/* Formatted text, without control characters, in @a; NULL when memory ran out. */
const char *show_keep(struct arena *a, const char *fmt, va_list ap) _printf_(2, 0);
/* The value of a fact: yes, no, a number, a text, "unknown (REASON)". */
void show_fact_value(struct buf *b, const json_t *v);
/* The name of one bit of a feature word, or NULL. */
const char *show_bit_name(const struct abibase_catalogue *cat, const char *fact, unsigned int bit);

#endif
