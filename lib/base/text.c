/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"

#include "base/harmless.h"

/* A document may come from anywhere, and this goes to a terminal. */
void show_text(struct buf *b, const char *s)
{
	size_t start = b->len;

	buf_puts(b, s);
	if (b->failed || b->len == start)
		return;
	text_harmless(b->data + start, "");
	b->len = start + strlen(b->data + start);
}

void show_wrapped(struct buf *b, size_t column, size_t hang, const char *s)
{
	show_wrapped_at(b, b->width ? b->width : TEXT_WIDTH, column, hang, s);
}

void show_wrapped_at(struct buf *b, size_t width, size_t column, size_t hang, const char *s)
{
	_buf_ safe = { 0 };
	const char *text;
	bool first = true;

	show_text(&safe, s);
	if (buf_failed(&safe))
		b->failed = true;
	for (text = safe.data ? safe.data : ""; *text; first = false) {
		size_t n = strcspn(text, " ");

		if (!first && column + 1 + n > width) {
			buf_printf(b, "\n%*s", (int)hang, "");
			column = hang;
		} else if (!first) {
			buf_putc(b, ' ');
			column++;
		}
		buf_add(b, text, n);
		column += n;
		text += n;
		text += strspn(text, " ");
	}
	buf_putc(b, '\n');
}

void show_vprintf(struct buf *b, size_t column, size_t hang, const char *fmt, va_list ap)
{
	_buf_ text = { 0 };

	buf_vprintf(&text, fmt, ap);
	b->failed |= buf_failed(&text);
	show_wrapped(b, column, hang, text.data ? text.data : "");
}

void show_printf(struct buf *b, size_t indent, size_t hang, const char *fmt, ...)
{
	va_list ap;

	buf_printf(b, "%*s", (int)indent, "");
	va_start(ap, fmt);
	show_vprintf(b, indent, hang, fmt, ap);
	va_end(ap);
}

void show_labelled(struct buf *b, size_t column, const char *label, const char *fmt, ...)
{
	va_list ap;

	buf_printf(b, "%-*s", (int)column, label);
	va_start(ap, fmt);
	show_vprintf(b, column, column, fmt, ap);
	va_end(ap);
}

void show_lines(struct buf *b, const char *s)
{
	for (; *s; s += *s == '\n') {
		size_t n = strcspn(s, "\n");

		buf_printf(b, "    %.*s\n", (int)n, s);
		s += n;
	}
}

const char *show_vkeep(struct arena *a, const char *fmt, va_list ap)
{
	_buf_ raw = { 0 }, b = { 0 };
	const char *kept;

	buf_vprintf(&raw, fmt, ap);
	show_text(&b, arena_words(a, &raw));
	kept = arena_strdup(a, arena_words(a, &b));
	return kept ? kept : "";
}

const char *show_keep(struct arena *a, const char *fmt, ...)
{
	const char *kept;
	va_list ap;

	va_start(ap, fmt);
	kept = show_vkeep(a, fmt, ap);
	va_end(ap);
	return kept;
}
