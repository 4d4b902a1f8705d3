/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <syslog.h>

#include "base/blake2b.h"
#include "base/context.h"
#include "base/harmless.h"
#include "document/json.h"
#include "base/version.h"

/* ---------------------------------------------------------------- reading */

#define READ_STEP 16000

static int read_fd(int fd, size_t max, struct buf *b)
{
	for (;;) {
		ssize_t n;

		if (b->size - b->len < 2 && !buf_reserve(b, READ_STEP))
			return -ENOMEM;
		n = read(fd, b->data + b->len, b->size - b->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if ((size_t)n > max - b->len)
			return -EFBIG;
		b->len += (size_t)n;
	}
}

static int fail_too_large(struct abibase_context *ctx, const char *source, size_t max)
{
	return context_fail(ctx, EFBIG, "file-too-large", source,
			    "the document is larger than %zu bytes, the most that is accepted",
			    max);
}

int file_read(struct abibase_context *ctx, const char *path, size_t max, char **ret,
	      size_t *ret_len)
{
	bool standard_input = streq(path, "-");
	const char *where = standard_input ? "standard input" : path;
	_autoclose_ int fd = -1;
	_buf_ b = { 0 };
	int r;

	if (!standard_input) {
		fd = open_named(path);
		if (fd < 0)
			return context_fail(ctx, -fd, "io-error", where, "cannot open: %s",
					    open_words(-fd));
	}
	r = read_fd(standard_input ? STDIN_FILENO : fd, max, &b);
	if (r == -ENOMEM)
		return context_oom(ctx);
	if (r == -EFBIG)
		return fail_too_large(ctx, where, max);
	if (r < 0)
		return context_fail(ctx, -r, "io-error", where, "cannot read: %s", strerror(-r));
	*ret_len = b.len;
	*ret = buf_steal(&b);
	return *ret ? 0 : context_oom(ctx);
}

static const char *syntax_id(const json_error_t *e)
{
	return json_error_code(e) == json_error_duplicate_key ? "json-duplicate-key" :
								"json-syntax";
}

/* jansson overlooks one behind a number or a word. */
static int fail_nul(struct abibase_context *ctx, const char *buf, const char *nul,
		    const char *source)
{
	_autofree_ char *where = NULL;
	const char *start = buf;
	int line = 1;

	for (const char *p = buf; p < nul; p++)
		if (*p == '\n') {
			line++;
			start = p + 1;
		}
	if (asprintf(&where, "%s:%d:%zu", source, line, (size_t)(nul - start) + 1) < 0) {
		where = NULL;
		return context_oom(ctx);
	}
	return context_fail(ctx, EBADMSG, "json-syntax", where,
			    "not valid JSON: there is a byte that is 0");
}

/*
 * Indentation is up to a third of a document, and jansson takes some 80 instructions for each of its
 * bytes. The line feeds stay, for within a text they are an error.
 */
static size_t unindent(const char *buf, const char *end, char *to)
{
	const char *from = to;

	while (buf < end) {
		const char *line = memchr(buf, '\n', (size_t)(end - buf));
		size_t n = line ? (size_t)(line + 1 - buf) : (size_t)(end - buf);

		memcpy(to, buf, n);
		to += n;
		buf += n;
		while (line && buf < end && *buf == ' ')
			buf++;
	}
	return (size_t)(to - from);
}

/* Of a larger one the copy would take more room than it saves time. */
#define UNINDENT_MOST (1u << 20)

json_t *json_load_text(const char *buf, size_t len)
{
	_autofree_ char *copy = len && len <= UNINDENT_MOST ? malloc(len) : NULL;

	return copy ? json_loadb(copy, unindent(buf, buf + len, copy), JSON_REJECT_DUPLICATES, NULL) :
		      NULL;
}

int json_parse(struct abibase_context *ctx, const char *buf, size_t len, size_t max,
	       const char *source, json_t **ret)
{
	_autofree_ char *where = NULL;
	const char *nul = len ? memchr(buf, 0, len) : NULL;
	json_error_t e;
	json_t *root;

	if (len > max)
		return fail_too_large(ctx, source, max);
	if (nul)
		return fail_nul(ctx, buf, nul, source);
	root = json_load_text(buf, len);
	/* where it is wrong is told by the text as it is */
	if (!root)
		root = json_loadb(buf, len, JSON_REJECT_DUPLICATES, &e);
	if (root) {
		*ret = root;
		return 0;
	}
	if (json_error_code(&e) == json_error_out_of_memory)
		return context_oom(ctx);
	if (asprintf(&where, "%s:%d:%d", source, e.line > 0 ? e.line : 1,
		     e.column > 0 ? e.column : 1) < 0) {
		where = NULL;
		return context_oom(ctx);
	}
	return context_fail(ctx, EBADMSG, syntax_id(&e), where, "not valid JSON: %s",
			    len ? e.text : "it is empty");
}

/* --------------------------------------------------------------- checking */

void schema_init(struct schema_walk *c, struct abibase_context *ctx, const char *source)
{
	memset(c, 0, sizeof(*c));
	c->ctx = ctx;
	c->source = source;
}

int schema_result(const struct schema_walk *c)
{
	return c->faults ? -c->err : 0;
}

static size_t enter(struct schema_walk *c, const char *key, size_t index)
{
	size_t mark = c->depth;

	if (c->depth < SCHEMA_MAX_DEPTH) {
		c->place[c->depth].key = key;
		c->place[c->depth].index = index;
		c->depth++;
	}
	return mark;
}

size_t schema_enter(struct schema_walk *c, const char *key)
{
	return enter(c, key, 0);
}

size_t schema_enter_index(struct schema_walk *c, size_t index)
{
	return enter(c, NULL, index);
}

void schema_leave(struct schema_walk *c, size_t mark)
{
	c->depth = mark;
}

/* "FILE: /facts/tap.usable": a JSON pointer (RFC 6901) */
static char *schema_where(const struct schema_walk *c)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s: /", c->source);
	for (size_t i = 0; i < c->depth; i++) {
		if (i)
			buf_putc(&b, '/');
		if (!c->place[i].key) {
			buf_printf(&b, "%zu", c->place[i].index);
			continue;
		}
		for (const char *s = c->place[i].key; *s; s++)
			if (*s == '~')
				buf_puts(&b, "~0");
			else if (*s == '/')
				buf_puts(&b, "~1");
			else
				buf_putc(&b, *s);
	}
	return buf_steal(&b);
}

static _printf_(4, 0) void schema_say(struct schema_walk *c, int err, const char *id,
				      const char *fmt, va_list ap)
{
	_autofree_ char *where = schema_where(c);
	_autofree_ char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	if (!where || !text) {
		c->faults++;
		c->err = ENOMEM;
		context_oom(c->ctx);
		return;
	}
	text_sentence(where);
	text_sentence(text);
	if (c->report)
		c->report(c->data, err ? LOG_ERR : LOG_WARNING, id, where, text);
	else if (err && !c->faults)
		err = -context_fail(c->ctx, err, id, where, "%s", text);
	else if (!err)
		context_log(c->ctx, LOG_INFO, id, "%s: %s", where, text);
	if (err && !c->faults++)
		c->err = err;
}

void schema_fault(struct schema_walk *c, const char *id, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	schema_say(c, EBADMSG, id, fmt, ap);
	va_end(ap);
}

static _printf_(3, 4) void schema_newer(struct schema_walk *c, const char *id, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	schema_say(c, EPROTONOSUPPORT, id, fmt, ap);
	va_end(ap);
}

void schema_warn(struct schema_walk *c, const char *id, const char *fmt, ...)
{
	va_list ap;

	c->warned = true;
	if (!c->report && !(c->ctx && c->ctx->log))
		return;
	va_start(ap, fmt);
	schema_say(c, 0, id, fmt, ap);
	va_end(ap);
}

static unsigned int type_of(const json_t *v)
{
	static const unsigned int types[] = {
		[JSON_STRING] = J_STRING, [JSON_INTEGER] = J_INT, [JSON_TRUE] = J_BOOL,
		[JSON_FALSE] = J_BOOL,	  [JSON_OBJECT] = J_OBJECT, [JSON_ARRAY] = J_ARRAY,
		[JSON_NULL] = J_NULL,	  [JSON_REAL] = 0,
	};

	return types[json_typeof(v)];
}

static void type_names(unsigned int types, struct buf *b)
{
	static const char *const names[] = { "a string", "an integer", "true or false",
					     "an object", "an array", "null" };

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (types & (1u << i)) {
			if (b->len)
				buf_puts(b, " or ");
			buf_puts(b, names[i]);
		}
}

static void wrong_type(struct schema_walk *c, const json_t *v, unsigned int types)
{
	_buf_ want = { 0 }, is = { 0 };

	type_names(types, &want);
	type_names(type_of(v), &is);
	schema_fault(c, "json-wrong-type", "is %s, must be %s",
		     is.data ? is.data : "a number that is not an integer",
		     want.data ? want.data : "something else");
}

bool schema_type(struct schema_walk *c, const json_t *v, unsigned int types)
{
	if (type_of(v) & types)
		return true;
	wrong_type(c, v, types);
	return false;
}

/* Calls @fn for each element of an object or an array, at its place; @key: of an object. */
static void each_element(struct schema_walk *c, const json_t *v,
			 void (*fn)(struct schema_walk *c, const char *key, const json_t *item,
				    const void *data),
			 const void *data)
{
	size_t i, mark;
	const char *key;
	json_t *item;

	if (v == c->right)
		return;
	json_object_foreach((json_t *)v, key, item) {
		mark = schema_enter(c, key);
		fn(c, key, item, data);
		schema_leave(c, mark);
	}
	json_array_foreach(v, i, item) {
		mark = schema_enter_index(c, i);
		fn(c, NULL, item, data);
		schema_leave(c, mark);
	}
}

/* Free-form members are kept and written again, and the canonical form knows integers only. */
static void schema_no_reals(struct schema_walk *c, const char *key, const json_t *v,
			    const void *data)
{
	if (json_is_real(v))
		schema_fault(c, "json-wrong-type", "is not an integer; other numbers are refused");
	each_element(c, v, schema_no_reals, data);
}

static bool is_free_key(const char *key)
{
	return strprefix(key, "x-") || streq(key, "description") || streq(key, "tags");
}

static void unknown_key(struct schema_walk *c, const struct member *members)
{
	_buf_ b = { 0 };

	for (; members->key; members++)
		buf_printf(&b, "%s%s", b.len ? ", " : "", members->key);
	schema_fault(c, "json-unknown-key", "is not a key that is known here; accepted: %s",
		     b.data ? b.data : "none");
}

int word_index(const char *const *words, const char *s)
{
	for (int i = 0; words[i]; i++)
		if (*words[i] && streq(words[i], s))
			return i;
	return -1;
}

json_t *json_harmless(const char *words)
{
	_autofree_ char *copy = strdup(words);

	if (copy)
		text_harmless(copy, "");
	return copy ? json_string(copy) : NULL;
}

json_t *json_strings(const char *const *s, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++)
		if (json_add(list, json_string(s[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

const char **json_keys(const json_t *object, size_t *ret_n)
{
	const char **keys = calloc(json_object_size(object) + 1, sizeof(*keys)), *key;
	size_t n = 0;
	json_t *v;

	json_object_foreach((json_t *)object, key, v)
		if (keys)
			keys[n++] = key;
	if (keys)
		qsort(keys, n, sizeof(*keys), text_cmp);
	*ret_n = n;
	return keys;
}

bool json_has(const json_t *strings, const char *s)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)strings, i, v)
		if (streq(json_string_value(v), s))
			return true;
	return false;
}

bool json_matches(const json_t *patterns, const char *s)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)patterns, i, v)
		if (fnmatch(json_string_value(v), s, 0) == 0)
			return true;
	return false;
}

static void schema_word(struct schema_walk *c, const char *s, const struct member *m)
{
	_buf_ b = { 0 };

	if (word_index(m->words, s) >= 0)
		return;
	if (m->words_unsaid) {
		schema_fault(c, "json-bad-value", "\"%s\" is not a word that is known here", s);
		return;
	}
	for (const char *const *word = m->words; *word; word++)
		if (**word)
			buf_printf(&b, "%s\"%s\"", b.len ? ", " : "", *word);
	schema_fault(c, "json-bad-value", "is \"%s\"; accepted: %s", s, b.data ? b.data : "");
}

static void schema_limits(struct schema_walk *c, const json_t *v, const struct member *m)
{
	bool is_int = json_is_integer(v);
	int64_t n = is_int	       ? json_integer_value(v) :
		    json_is_object(v) ? (int64_t)json_object_size(v) :
					 (int64_t)json_array_size(v);

	if ((n >= m->least && n <= m->most) || !(is_int || json_is_object(v) || json_is_array(v)))
		return;
	if (m->most == INT64_MAX)
		schema_fault(c, "json-bad-value",
			     is_int ? "is %" PRId64 ", must be at least %" PRId64 :
				      "has %" PRId64 " elements, must have at least %" PRId64,
			     n, m->least);
	else
		schema_fault(c, "json-bad-value",
			     is_int ? "is %" PRId64 ", must be from %" PRId64 " to %" PRId64 :
				      "has %" PRId64 " elements, must have from %" PRId64
				      " to %" PRId64,
			     n, m->least, m->most);
}

static void schema_value(struct schema_walk *c, const json_t *v, const struct member *m);

static void schema_element(struct schema_walk *c, const char *key, const json_t *item,
			   const void *of)
{
	const struct member *m = of;

	if (!key || !m->keys || m->keys(c, key))
		schema_value(c, item, m->each);
}

static void schema_value(struct schema_walk *c, const json_t *v, const struct member *m)
{
	if (!schema_type(c, v, m->types) || json_is_null(v))
		return;
	if (m->words && json_is_string(v))
		schema_word(c, json_string_value(v), m);
	if (m->members && json_is_object(v))
		schema_object(c, v, m->members, m->more);
	if (m->each)
		each_element(c, v, schema_element, m);
	if (m->limited)
		schema_limits(c, v, m);
	if (m->check)
		m->check(c, v);
}

static void schema_member(struct schema_walk *c, const char *key, const json_t *v,
			  const struct member *members, enum members_more more)
{
	for (const struct member *m = members; m->key; m++)
		if (streq(m->key, key)) {
			schema_value(c, v, m);
			return;
		}
	if (more != MORE_NONE && is_free_key(key)) {
		schema_no_reals(c, NULL, v, NULL);
	} else if (more == MORE_KEPT) {
		schema_no_reals(c, NULL, v, NULL);
		schema_warn(c, "member-not-known",
			    "is not a member that this version knows: it is kept, and changes no "
			    "answer");
	} else {
		unknown_key(c, members);
	}
}

void schema_object(struct schema_walk *c, const json_t *obj, const struct member *members,
		       enum members_more more)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)obj, key, v) {
		size_t mark = schema_enter(c, key);

		schema_member(c, key, v, members, more);
		schema_leave(c, mark);
	}
	for (const struct member *m = members; m->key; m++)
		if (m->required && !json_object_get(obj, m->key))
			schema_fault(c, "json-missing-key", "the key \"%s\" is missing", m->key);
}

void schema_need_of_reader(struct schema_walk *c, const json_t *v)
{
	schema_fault(c, "document-needs",
		     "must be known to whoever reads this document: abibase %s and newer read it",
		     json_string_value(v));
}

/* No text of a document forges a line, or hides what it is, wherever it is shown. */
static void schema_string(struct schema_walk *c, const char *key, const json_t *v, const void *data)
{
	if (json_is_string(v) && !text_is_harmless(json_string_value(v)))
		schema_fault(c, "json-bad-value", "has a control character in it");
	each_element(c, v, schema_string, data);
}

void schema_strings_printable(struct schema_walk *c, const json_t *root)
{
	schema_string(c, NULL, root, NULL);
}

static void schema_keys(struct schema_walk *c, const char *key, const json_t *v, const void *data)
{
	if (key && !text_is_harmless(key))
		schema_fault(c, "json-bad-value", "is a key with a control character in it");
	each_element(c, v, schema_keys, data);
}

bool form_is_stated(const struct form *form, const json_t *root)
{
	const char *s = string_of(root, "schema");
	size_t len = strlen(form->kind);

	return s && strprefix(s, "abibase-") && !strncmp(s + 8, form->kind, len) &&
	       s[8 + len] == '/';
}

static void schema_kind(struct schema_walk *c, const json_t *root, const struct form *form)
{
	const json_t *v = json_object_get(root, "schema");
	const char *s = json_string_value(v), *kind = form->kind;
	const char *version = form_is_stated(form, root) ? strchr(s, '/') + 1 : "";
	size_t mark = schema_enter(c, "schema");
	char *end;

	if (!v) {
		schema_fault(c, "schema-missing",
			     "the document does not state its schema; wanted: \"abibase-%s/1\"",
			     kind);
	} else if (schema_type(c, v, J_STRING)) {
		unsigned long major = strtoul(version, &end, 10);

		if (*version < '1' || *version > '9' || *end)
			schema_fault(c, "schema-other", "is \"%s\", wanted: \"abibase-%s/1\"", s,
				     kind);
		else if (major > 1)
			schema_newer(c, "schema-newer",
				     "is \"%s\"; this library reads up to \"abibase-%s/1\": a "
				     "newer abibase is needed",
				     s, kind);
	}
	schema_leave(c, mark);
	schema_keys(c, NULL, root, NULL);
}

bool schema_root(struct schema_walk *c, const json_t *root, const struct form *form)
{
	if (!schema_type(c, root, J_OBJECT))
		return false;
	if (!form->part)
		schema_kind(c, root, form);
	if (c->err == EPROTONOSUPPORT)
		return false;
	schema_object(c, root, form->members, form->more);
	return true;
}

void schema_document(struct schema_walk *c, const json_t *root, const struct form *form)
{
	if (schema_root(c, root, form) && form->check)
		form->check(c, root);
}

bool form_accepts(const struct form *form, const json_t *root)
{
	struct schema_walk c;

	schema_init(&c, NULL, "");
	schema_document(&c, root, form);
	return !c.faults;
}

int document_check(struct abibase_context *ctx, json_t *root, const char *source,
		   const struct form *form)
{
	struct schema_walk c;

	schema_init(&c, ctx, source);
	schema_document(&c, root, form);
	if (c.faults)
		json_decref(root);
	return schema_result(&c);
}

int document_read(struct abibase_context *ctx, const char *path, const struct form *form,
		  json_t **ret)
{
	_autofree_ char *buf = NULL;
	size_t len;
	int r = file_read(ctx, path, form->max, &buf, &len);

	return r < 0 ? r : json_parse(ctx, buf, len, form->max, path, ret);
}

int data_read(struct abibase_context *ctx, const struct form *form, char **ret_path, json_t **ret)
{
	if (asprintf(ret_path, "%s/%s.json", ctx->data_dir, form->kind) < 0) {
		*ret_path = NULL;
		return context_oom(ctx);
	}
	return document_read(ctx, *ret_path, form, ret);
}

int data_load(struct abibase_context *ctx, const struct form *form, json_t **ret)
{
	_autofree_ char *path = NULL;
	json_t *root;
	int r = data_read(ctx, form, &path, &root);

	if (r == 0)
		r = document_check(ctx, root, path, form);
	if (r == 0)
		*ret = root;
	return r;
}

bool name_valid(const char *s)
{
	/* a table, as each key of each profile passes here */
	static const bool inner[256] = {
		['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
		['.'] = true,	      ['_'] = true,	    ['+'] = true,
		['-'] = true,
	};
	size_t len = 0;

	while (inner[(unsigned char)s[len]])
		len++;
	return len && len <= 255 && !s[len] && !strchr("._+-", s[0]);
}

void schema_name(struct schema_walk *c, const json_t *v)
{
	if (!name_valid(json_string_value(v)))
		schema_fault(c, "json-bad-value",
			     "\"%s\" is not a name: a letter or digit, then letters, digits, "
			     "\".\", \"_\", \"+\", \"-\", at most 255 bytes",
			     json_string_value(v));
}

bool schema_key(struct schema_walk *c, const char *key)
{
	if (!name_valid(key))
		schema_fault(c, "json-bad-value",
			     "is not a name: a letter or digit, then letters, digits, \".\", "
			     "\"_\", \"+\", \"-\", at most 255 bytes");
	return true;
}

void schema_nonempty(struct schema_walk *c, const json_t *v)
{
	if (json_is_string(v) && !json_string_length(v))
		schema_fault(c, "json-bad-value", "is empty");
}

void schema_version(struct schema_walk *c, const json_t *v)
{
	struct version ver;

	if (!version_parse(json_string_value(v), &ver))
		schema_fault(c, "json-bad-value",
			     "\"%s\" is not a version: up to three numbers, such as \"10.0.13\"",
			     json_string_value(v));
}

void schema_digest(struct schema_walk *c, const json_t *v)
{
	if (!hex_valid(json_string_value(v), DIGEST_HEX))
		schema_fault(c, "json-bad-value", "is not a digest: %d lower-case hex digits",
			     DIGEST_HEX);
}

void schema_offered(struct schema_walk *c, const json_t *v)
{
	const char *s = json_string_value(v);

	if (!strprefix(s, "0x") || !hex_valid(s + 2, 32))
		schema_fault(c, "json-bad-value",
			     "\"%s\" is not a feature word of 128 bits: \"0x\" and 32 "
			     "lower-case hex digits",
			     s);
}

void schema_power_of_two(struct schema_walk *c, const json_t *v)
{
	int64_t n = json_integer_value(v);

	if (n > 0 && n & (n - 1))
		schema_fault(c, "json-bad-value", "is %" PRId64 ", which is no power of two", n);
}

void schema_true(struct schema_walk *c, const json_t *v)
{
	if (!json_is_true(v))
		schema_fault(c, "json-bad-value", "must be true where it is given");
}

/* ---------------------------------------------------------------- writing */

struct pair {
	const char *key;
	json_t *value;
};

/* The members in the order of their keys' bytes; @few saves the allocation for small objects. */
static struct pair *sorted_members(const json_t *obj, struct pair *few, size_t n_few)
{
	size_t n = json_object_size(obj), i = 0;
	struct pair *p = n <= n_few ? few : malloc(n * sizeof(*p));
	bool sorted = true;
	void *iter;

	if (!p)
		return NULL;
	for (iter = json_object_iter((json_t *)obj); iter;
	     iter = json_object_iter_next((json_t *)obj, iter), i++) {
		p[i].key = json_object_iter_key(iter);
		p[i].value = json_object_iter_value(iter);
		if (i && sorted && strcmp(p[i - 1].key, p[i].key) > 0)
			sorted = false;
	}
	if (!sorted)
		qsort(p, n, sizeof(*p), text_cmp);
	return p;
}

/* The bytes that stand for themselves: a table, as every byte of every digest passes here. */
static const bool plain[256] = {
	[0x20 ... '"' - 1] = true,
	['"' + 1 ... '\\' - 1] = true,
	['\\' + 1 ... 0xff] = true,
};

static void write_escape(struct buf *b, char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = strchr(from, c);

	if (at)
		buf_printf(b, "\\%c", to[at - from]);
	else
		buf_printf(b, "\\u%04x", (unsigned char)c);
}

void json_write_string(struct buf *b, const char *s)
{
	const char *end = s + strlen(s);
	char *to;

	/* nearly every string is plain throughout and passes in one go */
	if (!buf_reserve(b, (size_t)(end - s) + 2))
		return;
	to = b->data + b->len;
	*to++ = '"';
	for (;;) {
		while (plain[(unsigned char)*s])
			*to++ = *s++;
		b->len = (size_t)(to - b->data);
		if (s == end)
			break;
		write_escape(b, *s++);
		if (!buf_reserve(b, (size_t)(end - s) + 1))
			return;
		to = b->data + b->len;
	}
	buf_putc(b, '"');
}

static void write_scalar(struct buf *b, const json_t *v)
{
	if (json_is_string(v))
		json_write_string(b, json_string_value(v));
	else if (json_is_integer(v))
		buf_printf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_boolean(v))
		buf_puts(b, json_is_true(v) ? "true" : "false");
	else
		buf_puts(b, "null"); /* other numbers are refused by every reader */
}

struct out {
	struct buf *b;
	bool compact;
	/* what is still to be found, in the order in which their objects come */
	struct json_span *span, *end;
	const json_t *part; /* its text is known */
	const char *text;
};

static void write_any(struct out *w, const json_t *v, unsigned int depth);

void json_write_line(struct buf *b, bool comma, unsigned int depth)
{
	if (comma)
		buf_putc(b, ',');
	buf_putc(b, '\n');
	while (depth--)
		buf_puts(b, "  ");
}

void json_write_next(struct buf *b, bool compact, bool comma, unsigned int depth)
{
	if (!compact)
		json_write_line(b, comma, depth);
	else if (comma)
		buf_putc(b, ',');
}

static void separate(struct out *w, bool comma, unsigned int depth)
{
	json_write_next(w->b, w->compact, comma, depth);
}

static void write_member(struct out *w, const struct pair *p, bool comma, unsigned int depth)
{
	separate(w, comma, depth);
	json_write_string(w->b, p->key);
	buf_putc(w->b, ':');
	if (!w->compact)
		buf_putc(w->b, ' ');
	write_any(w, p->value, depth);
}

/* The cut takes one comma along, so that what is left is the text of the object without it. */
static void write_members(struct out *w, struct json_span *span, const struct pair *p, size_t n,
			  unsigned int depth)
{
	if (span)
		span->start = span->cut_start = span->cut_end = w->b->len;
	buf_putc(w->b, '{');
	for (size_t i = 0; i < n; i++) {
		size_t before = w->b->len;

		write_member(w, &p[i], i > 0, depth + 1);
		if (span && streq(p[i].key, span->without)) {
			span->cut_start = before;
			span->cut_end = w->b->len + (i == 0 && n > 1);
		}
	}
	if (n)
		separate(w, false, depth);
	buf_putc(w->b, '}');
	if (span)
		span->end = w->b->len;
}

static void write_object(struct out *w, const json_t *v, unsigned int depth)
{
	struct pair few[32], *p = sorted_members(v, few, ARRAY_SIZE(few));
	size_t n = json_object_size(v);
	struct json_span *span = w->span < w->end && w->span->object == v ? w->span++ : NULL;

	if (!p) {
		w->b->failed = true;
		return;
	}
	/* what a document is stands at its top, for people and for file(1) */
	for (size_t i = 1; depth == 0 && !w->compact && i < n; i++)
		if (streq(p[i].key, "schema")) {
			struct pair schema = p[i];

			memmove(p + 1, p, i * sizeof(*p));
			p[0] = schema;
		}
	write_members(w, span, p, n, depth);
	if (p != few)
		free(p);
}

static void write_any(struct out *w, const json_t *v, unsigned int depth)
{
	size_t i;
	json_t *item;

	if (json_is_object(v)) {
		write_object(w, v, depth);
		return;
	}
	if (!json_is_array(v)) {
		write_scalar(w->b, v);
		return;
	}
	if (v == w->part) {
		buf_puts(w->b, w->text);
		return;
	}
	buf_putc(w->b, '[');
	json_array_foreach(v, i, item) {
		separate(w, i > 0, depth + 1);
		write_any(w, item, depth + 1);
	}
	if (json_array_size(v))
		separate(w, false, depth);
	buf_putc(w->b, ']');
}

void json_write_compact_spans(struct buf *b, const json_t *v, struct json_span *spans, size_t n)
{
	write_any(&(struct out){ b, true, spans, spans + n, NULL, NULL }, v, 0);
}

void json_write_compact_around(struct buf *b, const json_t *v, const json_t *part, const char *text)
{
	write_any(&(struct out){ .b = b, .compact = true, .part = part, .text = text }, v, 0);
}

void json_write_compact(struct buf *b, const json_t *v, const char *skip)
{
	struct json_span span = { .object = v, .without = skip };

	json_write_compact_spans(b, v, &span, skip ? 1 : 0);
	if (b->failed || span.cut_start == span.cut_end)
		return;
	memmove(b->data + span.cut_start, b->data + span.cut_end, b->len + 1 - span.cut_end);
	b->len -= span.cut_end - span.cut_start;
}

void json_span_digest(const struct buf *b, const struct json_span *span, char hex[65])
{
	struct blake2b s;

	blake2b_init(&s);
	blake2b_update(&s, b->data + span->start, span->cut_start - span->start);
	blake2b_update(&s, b->data + span->cut_end, span->end - span->cut_end);
	blake2b_final_hex(&s, hex);
}

int json_digest(const json_t *v, const char *skip, struct buf *scratch, char hex[65])
{
	struct json_span span = { 0 };

	scratch->len = 0;
	json_write_compact(scratch, v, skip);
	if (buf_failed(scratch))
		return -ENOMEM;
	span.end = scratch->len;
	json_span_digest(scratch, &span, hex);
	return 0;
}

void json_write_value(struct buf *b, const json_t *v, unsigned int depth)
{
	write_any(&(struct out){ .b = b }, v, depth);
}

void json_write_canonical(struct buf *b, const json_t *v)
{
	json_write_value(b, v, 0);
	buf_putc(b, '\n');
}

int json_give(const json_t *v, char **ret)
{
	_buf_ out = { 0 };

	json_write_canonical(&out, v);
	return buf_give(&out, ret);
}
