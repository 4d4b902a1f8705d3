/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/context.h"
#include "document/json.h"
#include "document/xml.h"

struct reader {
	struct abibase_context *ctx;
	const char *source;
	struct arena *arena;
	const char *p, *end;
	unsigned int line, depth;
	struct xml_element *root, *open; /* the innermost that has not ended */
};

static _printf_(2, 3) int refuse(struct reader *x, const char *fmt, ...)
{
	_buf_ where = { 0 }, what = { 0 };
	va_list ap;

	buf_printf(&where, "%s:%u", x->source, x->line);
	va_start(ap, fmt);
	buf_vprintf(&what, fmt, ap);
	va_end(ap);
	if (buf_failed(&where) || buf_failed(&what))
		return context_oom(x->ctx);
	return context_fail(x->ctx, EBADMSG, "xml-bad", where.data, "%s", what.data);
}

static int oom(struct reader *x)
{
	return context_oom(x->ctx);
}

static bool at(const struct reader *x, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(x->end - x->p) >= len && !memcmp(x->p, word, len);
}

static void step(struct reader *x, size_t n)
{
	for (; n; n--)
		x->line += *x->p++ == '\n';
}

static bool take(struct reader *x, const char *word)
{
	if (!at(x, word))
		return false;
	step(x, strlen(word));
	return true;
}

static void skip_space(struct reader *x)
{
	while (x->p < x->end && strchr(" \t\r\n", *x->p) && *x->p)
		step(x, 1);
}

/* Go behind @word. What stands before it is in @ret. */
static int until(struct reader *x, const char *word, const char *what, const char **ret,
		 size_t *ret_len)
{
	const char *found = memmem(x->p, (size_t)(x->end - x->p), word, strlen(word));

	if (!found)
		return refuse(x, "%s is not ended by \"%s\"", what, word);
	*ret = x->p;
	*ret_len = (size_t)(found - x->p);
	step(x, *ret_len + strlen(word));
	return 0;
}

static bool is_name_byte(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
	       (!first && ((c >= '0' && c <= '9') || c == '-' || c == '.'));
}

static int name(struct reader *x, const char *what, const char **ret)
{
	const char *from = x->p;
	char *copy;

	while (x->p < x->end && is_name_byte(*x->p, x->p == from))
		x->p++;
	if (x->p == from)
		return refuse(x, "the name of %s was expected", what);
	copy = arena_alloc(x->arena, (size_t)(x->p - from) + 1);
	if (!copy)
		return oom(x);
	memcpy(copy, from, (size_t)(x->p - from));
	*ret = copy;
	return 0;
}

/* ---------------------------------------------------------------------- characters */

static void put_utf8(struct buf *to, unsigned long c)
{
	if (c < 0x80) {
		buf_putc(to, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_putc(to, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_putc(to, (char)(0xe0 | c >> 12));
		} else {
			buf_putc(to, (char)(0xf0 | c >> 18));
			buf_putc(to, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_putc(to, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_putc(to, (char)(0x80 | (c & 0x3f)));
}

/* XML 1.0, 2.2 */
static bool is_character(unsigned long c)
{
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0xd800) ||
	       (c >= 0xe000 && c <= 0x10ffff && c != 0xfffe && c != 0xffff);
}

/* "#65" or "#x41" */
static bool numbered(const char *word, struct buf *to)
{
	bool hex = word[1] == 'x';
	const char *digits = word + 1 + hex;
	unsigned long c;
	char *end;

	if (!*digits || !strchr("0123456789abcdefABCDEF", *digits))
		return false;
	c = strtoul(digits, &end, hex ? 16 : 10);
	if (*end || !is_character(c))
		return false;
	put_utf8(to, c);
	return true;
}

/* Behind the "&" */
static int entity(struct reader *x, struct buf *to)
{
	static const struct {
		const char *name;
		char character;
	} known[] = {
		{ "lt", '<' }, { "gt", '>' }, { "amp", '&' }, { "quot", '"' }, { "apos", '\'' }
	};
	char word[12] = "";
	size_t n = 0;

	while (x->p + n < x->end && n + 1 < sizeof(word) && x->p[n] != ';') {
		word[n] = x->p[n];
		n++;
	}
	if (x->p + n >= x->end || x->p[n] != ';')
		return refuse(x, "an \"&\" begins no entity that ends with \";\"");
	step(x, n + 1);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (streq(known[i].name, word)) {
			buf_putc(to, known[i].character);
			return 0;
		}
	if (*word == '#' && numbered(word, to))
		return 0;
	return refuse(x,
		      "\"&%s;\" is not known; accepted: lt, gt, amp, quot, apos, and the number of "
		      "a character",
		      word);
}

/* Up to one of the bytes @stop, or the end. Text of several pieces is one. */
static int characters(struct reader *x, const char *stop, struct buf *to)
{
	while (x->p < x->end && !strchr(stop, *x->p)) {
		if (*x->p == '&') {
			int r;

			step(x, 1);
			r = entity(x, to);
			if (r < 0)
				return r;
			continue;
		}
		buf_putc(to, *x->p);
		step(x, 1);
	}
	return 0;
}

static int keep(struct reader *x, struct buf *text, const char **ret)
{
	if (buf_failed(text))
		return oom(x);
	*ret = text->len ? arena_strdup(x->arena, text->data) : "";
	return *ret ? 0 : oom(x);
}

/* ------------------------------------------------------------------------- elements */

static int attribute(struct reader *x, struct xml_element *e)
{
	struct xml_attribute *a = arena_alloc(x->arena, sizeof(*a)), **last = &e->attributes;
	unsigned int n = 0;
	char quote[3] = "";
	_buf_ value = { 0 };
	int r;

	if (!a)
		return oom(x);
	for (; *last; last = &(*last)->next)
		n++;
	if (n == XML_MAX_ATTRIBUTES)
		return refuse(x, "<%s> has more than %d attributes, the most that are accepted",
			      e->name, XML_MAX_ATTRIBUTES);
	r = name(x, "an attribute", &a->name);
	if (r < 0)
		return r;
	if (xml_attribute(e, a->name))
		return refuse(x, "<%s> has the attribute \"%s\" twice", e->name, a->name);
	skip_space(x);
	if (!take(x, "="))
		return refuse(x, "the attribute \"%s\" has no value", a->name);
	skip_space(x);
	if (!at(x, "\"") && !at(x, "'"))
		return refuse(x, "the value of \"%s\" is not in quotes", a->name);
	quote[0] = *x->p;
	quote[1] = '<';
	step(x, 1);
	r = characters(x, quote, &value);
	if (r == 0 && (x->p == x->end || *x->p != quote[0]))
		r = refuse(x, "the value of \"%s\" does not end with its quote", a->name);
	if (r < 0)
		return r;
	step(x, 1);
	*last = a;
	return keep(x, &value, &a->value);
}

static int add_element(struct reader *x, struct xml_element *e)
{
	e->parent = x->open;
	if (!x->open && x->root)
		return refuse(x, "there is a second element <%s> beside <%s>", e->name,
			      x->root->name);
	if (!x->open)
		x->root = e;
	else if (x->open->last)
		x->open->last->next = e;
	else
		x->open->first = e;
	if (x->open)
		x->open->last = e;
	return 0;
}

/* Behind the "<" */
static int begin_element(struct reader *x)
{
	struct xml_element *e = arena_alloc(x->arena, sizeof(*e));
	bool spaced;
	int r;

	if (!e)
		return oom(x);
	e->line = x->line;
	e->text = "";
	r = name(x, "an element", &e->name);
	if (r == 0)
		r = add_element(x, e);
	while (r == 0) {
		spaced = x->p < x->end && strchr(" \t\r\n", *x->p);
		skip_space(x);
		if (take(x, "/>"))
			return 0;
		if (take(x, ">"))
			break;
		if (!spaced)
			return refuse(x, "<%s> does not end with \">\"", e->name);
		r = attribute(x, e);
	}
	if (r == 0 && ++x->depth > XML_MAX_DEPTH)
		return refuse(x, "<%s> is more than %d elements deep, the most that is accepted",
			      e->name, XML_MAX_DEPTH);
	x->open = e;
	return r;
}

/* Behind the "</" */
static int end_element(struct reader *x)
{
	const char *ended = NULL;
	int r = name(x, "an element", &ended);

	if (r < 0)
		return r;
	skip_space(x);
	if (!take(x, ">"))
		return refuse(x, "</%s does not end with \">\"", ended);
	if (!x->open || !streq(x->open->name, ended))
		return refuse(x, "</%s> ends no element: <%s> is the last that began", ended,
			      x->open ? x->open->name : "none");
	x->open = x->open->parent;
	x->depth--;
	return 0;
}

static int text(struct reader *x)
{
	_buf_ b = { 0 };
	int r = 0;
	const char *from;
	size_t len;

	if (take(x, "<![CDATA[")) {
		r = until(x, "]]>", "a CDATA section", &from, &len);
		if (r == 0)
			buf_add(&b, from, len);
	} else {
		r = characters(x, "<", &b);
	}
	if (r < 0 || !x->open) {
		for (size_t i = 0; r == 0 && i < b.len; i++)
			if (!strchr(" \t\r\n", b.data[i]))
				return refuse(x, "there is text outside of the elements");
		return r;
	}
	/* text behind a child says nothing in any document of libvirt's */
	return x->open->first || *x->open->text ? 0 : keep(x, &b, &x->open->text);
}

static int piece(struct reader *x)
{
	const char *from;
	size_t len;

	if (!at(x, "<") || at(x, "<![CDATA["))
		return text(x);
	if (take(x, "<!--"))
		return until(x, "-->", "a comment", &from, &len);
	if (at(x, "<!"))
		return refuse(x, "a document type, or another declaration, is not accepted");
	if (at(x, "<?"))
		return refuse(x, "a processing instruction is not accepted");
	if (take(x, "</"))
		return end_element(x);
	step(x, 1);
	return begin_element(x);
}

/* NUL, or what is no UTF-8, or no character of XML. */
static int check_bytes(struct reader *x)
{
	json_auto_t *text = NULL;

	for (const char *p = x->p; p < x->end; p++) {
		unsigned char c = (unsigned char)*p;

		x->line += c == '\n';
		if (c < 0x20 && !strchr("\t\n\r", c ? c : 1))
			return refuse(x, "a byte is 0x%02x, which is no character of XML", c);
	}
	x->line = 1;
	text = json_stringn(x->p, (size_t)(x->end - x->p));
	return text ? 0 : refuse(x, "the text is not UTF-8");
}

int xml_read(struct abibase_context *ctx, const char *buf, size_t len, const char *source,
	     struct arena *arena, struct xml_element **ret)
{
	struct reader x = { .ctx = ctx, .source = source, .arena = arena, .line = 1 };
	const char *from;
	size_t n;
	int r = 0;

	if (len > XML_MAX)
		return context_fail(ctx, EFBIG, "file-too-large", source,
				    "the XML is larger than %u bytes, the most that is accepted",
				    XML_MAX);
	x.p = buf;
	x.end = buf + len;
	r = check_bytes(&x);
	if (r == 0 && take(&x, "<?xml "))
		r = until(&x, "?>", "the declaration", &from, &n);
	while (r == 0 && x.p < x.end)
		r = piece(&x);
	if (r == 0 && x.open)
		r = refuse(&x, "<%s> of line %u is not ended", x.open->name, x.open->line);
	if (r == 0 && !x.root)
		r = refuse(&x, "there is no element");
	*ret = x.root;
	return r;
}

/* -------------------------------------------------------------------------- finding */

const char *xml_attribute(const struct xml_element *e, const char *name)
{
	for (const struct xml_attribute *a = e ? e->attributes : NULL; a; a = a->next)
		if (a->value && streq(a->name, name))
			return a->value;
	return NULL;
}

static const struct xml_element *child(const struct xml_element *e, const char *name, size_t len)
{
	for (e = e ? e->first : NULL; e; e = e->next)
		if (strlen(e->name) == len && !strncmp(e->name, name, len))
			return e;
	return NULL;
}

const struct xml_element *xml_child(const struct xml_element *e, const char *name)
{
	return child(e, name, strlen(name));
}

const char *xml_find(const struct xml_element *e, const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "/@");

		if (len)
			e = child(e, path, len);
		if (path[len] == '@')
			return xml_attribute(e, path + len + 1);
		if (!path[len])
			return e ? e->text : NULL;
		path += len + 1;
	}
}
