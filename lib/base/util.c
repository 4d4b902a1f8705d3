/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

bool hex_valid(const char *s, size_t len)
{
	return strlen(s) == len && strspn(s, "0123456789abcdef") == len;
}

bool id_valid(const char *s)
{
	return strprefix(s, "b1-") && hex_valid(s + 3, ID_DIGITS);
}

int text_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && streq(a, b));
}

/* Has it a writer, or what one left? Not every shell starts it before the reader. */
static bool is_written(int fd)
{
	int to[2], tries = 100;
	ssize_t n = -1;

	if (pipe2(to, O_CLOEXEC | O_NONBLOCK) < 0)
		return true;
	while ((n = tee(fd, to[1], 1, SPLICE_F_NONBLOCK)) == 0 && tries--)
		usleep(10000);
	close(to[0]);
	close(to[1]);
	return n != 0;
}

int open_named(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), r = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && !is_written(fd))
		r = -ENODATA;
	else if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) < 0)
		r = -errno;
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

FILE *fopen_named(const char *path)
{
	int fd = open_named(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd < 0)
		errno = -fd;
	else if (!f)
		close(fd);
	return f;
}

const char *open_words(int err)
{
	return err == ENODATA ? "it is a pipe that nobody writes to" : strerror(err);
}

int write_fully(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = TEMP_FAILURE_RETRY(write(fd, text, len));

		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

bool buf_reserve(struct buf *b, size_t more)
{
	size_t size = b->size ? b->size : 256;
	char *data;

	if (b->failed)
		return false;
	if (b->data && more < b->size - b->len)
		return true;
	while (size - b->len <= more) {
		if (size > SIZE_MAX / 2) {
			b->failed = true;
			return false;
		}
		size *= 2;
	}
	data = realloc(b->data, size);
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->size = size;
	return true;
}

void buf_clear(struct buf *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	if (!len || !buf_reserve(b, len))
		return;
	memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	b->failed |= n < 0;
	if (!b->failed && buf_reserve(b, (size_t)n + 1))
		b->len += (size_t)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
	va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

char *buf_steal(struct buf *b)
{
	char *data;

	if (!buf_reserve(b, 0)) {
		buf_clear(b);
		return NULL;
	}
	data = b->data;
	data[b->len] = '\0';
	memset(b, 0, sizeof(*b));
	return data;
}

int buf_give(struct buf *b, char **ret)
{
	char *text = buf_steal(b);

	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

int array_grow(void *array, size_t n, size_t *cap, size_t elem)
{
	void **p = array;
	size_t want;
	void *data;

	if (n < *cap)
		return 0;
	want = *cap ? *cap * 2 : 8;
	if (want > SIZE_MAX / elem)
		return -ENOMEM;
	data = realloc(*p, want * elem);
	if (!data)
		return -ENOMEM;
	*p = data;
	*cap = want;
	return 0;
}

int strings_take(struct strings *t, char *s)
{
	if (!s || array_grow(&t->s, t->n + 1, &t->cap, sizeof(*t->s)) < 0) {
		free(s);
		return -ENOMEM;
	}
	t->s[t->n++] = s;
	t->s[t->n] = NULL;
	return 0;
}

int strings_add(struct strings *t, const char *s)
{
	return strings_take(t, strdup(s));
}

int strings_add_words(struct strings *t, const char *text)
{
	_autofree_ char *copy = strdup(text);
	char *rest = copy, *word;

	while (copy && (word = strsep(&rest, " ")))
		if (*word && strings_add(t, word) < 0)
			return -ENOMEM;
	return copy ? 0 : -ENOMEM;
}

int strings_set(struct strings *t, const char *const *list)
{
	struct strings copy = { .s = calloc(1, sizeof(*copy.s)), .cap = 1 };
	int r = copy.s ? 0 : -ENOMEM;

	for (; r == 0 && *list; list++)
		r = strings_add(&copy, *list);
	strings_clear(r < 0 ? &copy : t);
	if (r == 0)
		*t = copy;
	return r;
}

int strings_insert(struct strings *t, const char *s)
{
	size_t i = t->n;
	char *copy;

	if (strings_have(t, s))
		return 0;
	if (strings_add(t, s) < 0)
		return -ENOMEM;
	copy = t->s[i];
	for (; i && strcmp(t->s[i - 1], s) > 0; i--)
		t->s[i] = t->s[i - 1];
	t->s[i] = copy;
	return 0;
}

void strings_sort(struct strings *t)
{
	size_t n = t->n ? 1 : 0;

	if (!n)
		return;
	qsort(t->s, t->n, sizeof(*t->s), text_cmp);
	for (size_t i = 1; i < t->n; i++) {
		if (streq(t->s[i], t->s[n - 1]))
			free(t->s[i]);
		else
			t->s[n++] = t->s[i];
	}
	t->n = n;
	t->s[n] = NULL;
}

int strings_join(struct strings *t, const struct strings *from)
{
	for (size_t i = 0; i < from->n; i++)
		if (strings_add(t, from->s[i]) < 0)
			return -ENOMEM;
	strings_sort(t);
	return 0;
}

bool strings_have(const struct strings *t, const char *s)
{
	for (size_t i = 0; i < t->n; i++)
		if (streq(t->s[i], s))
			return true;
	return false;
}

bool strings_equal(const struct strings *a, const struct strings *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!streq(a->s[i], b->s[i]))
			return false;
	return true;
}

void strings_clear(struct strings *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->s[i]);
	free(t->s);
	memset(t, 0, sizeof(*t));
}

struct arena_block {
	struct arena_block *next;
	size_t size;
	_Alignas(max_align_t) unsigned char data[];
};
#define ARENA_BLOCK 4096

void arena_clear(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	memset(a, 0, sizeof(*a));
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b;
	size_t want;

	if (size > SIZE_MAX / 2) {
		a->failed = true;
		return NULL;
	}
	size = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	if (!a->blocks || size > a->left) {
		want = size > ARENA_BLOCK ? size : ARENA_BLOCK;
		b = calloc(1, sizeof(*b) + want);
		if (!b) {
			a->failed = true;
			return NULL;
		}
		b->size = want;
		b->next = a->blocks;
		a->blocks = b;
		a->left = want;
	}
	a->left -= size;
	return a->blocks->data + (a->blocks->size - a->left - size);
}

void *arena_grow(struct arena *a, void *array, size_t n, size_t size)
{
	void *more;

	if (n & (n - 1))
		return array;
	more = arena_alloc(a, (n ? 2 * n : 1) * size);
	return more && n ? memcpy(more, array, n * size) : more;
}

char *arena_strdup(struct arena *a, const char *s)
{
	size_t len = strlen(s) + 1;
	char *copy = arena_alloc(a, len);

	return copy ? memcpy(copy, s, len) : NULL;
}

const char *arena_words(struct arena *a, const struct buf *b)
{
	a->failed |= b->failed;
	return b->failed || !b->data ? "" : b->data;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	s = arena_alloc(a, n < 0 ? SIZE_MAX : (size_t)n + 1);
	if (!s)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

bool word_parse(const char *s, uint64_t ret[2])
{
	if (s[0] == '0' && (s[1] | 0x20) == 'x')
		s += 2;
	ret[0] = ret[1] = 0;
	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned int digit = (unsigned int)*s - '0';

		if (digit > 9)
			digit = ((unsigned int)*s | 0x20) - 'a' + 10;
		if (digit > 15 || ret[1] >> 60)
			return false;
		ret[1] = ret[1] << 4 | ret[0] >> 60;
		ret[0] = ret[0] << 4 | digit;
	}
	return true;
}
