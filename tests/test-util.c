/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "test-util.h"

static void die(const char *what, const char *detail) __attribute__((noreturn));
static void die(const char *what, const char *detail)
{
	fprintf(stderr, "test: %s: %s\n", what, detail ? detail : "no detail");
	abort();
}

char *test_path(const char *fmt, ...)
{
	const char *top = getenv("top_srcdir");
	char *name, *path;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&name, fmt, ap) < 0)
		die("memory", NULL);
	va_end(ap);
	if (asprintf(&path, "%s/%s", top ? top : ".", name) < 0)
		die("memory", NULL);
	free(name);
	return path;
}

char *test_read(const char *name, size_t *ret_len)
{
	_autofree_ char *path = test_path("%s", name);
	_autofclose_ FILE *f = fopen(path, "re");
	_buf_ b = { 0 };
	char chunk[4096];
	size_t n;

	if (!f)
		die(path, strerror(errno));
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&b, chunk, n);
	if (ret_len)
		*ret_len = b.len;
	return buf_steal(&b);
}

json_t *test_json(const char *name)
{
	_autofree_ char *path = test_path("%s", name);
	json_error_t e;
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &e);

	if (!root)
		die(path, e.text);
	return root;
}

static void keep(void *data, int priority, const char *id, const char *text)
{
	struct test *t = data;

	(void)priority;
	if (!streq(id, "step"))
		buf_printf(&t->log, "%s %s\n", id, text);
}

void test_begin(struct test *t)
{
	_autofree_ char *data = test_path("data"), *platforms = test_path("data/platforms");
	const char *const dirs[] = { platforms, NULL };

	memset(t, 0, sizeof(*t));
	if (abibase_context_new(ABIBASE_CONTEXT_NO_ENVIRONMENT, &t->ctx) < 0 ||
	    abibase_context_set_data_dir(t->ctx, data) < 0 ||
	    abibase_context_set_platform_path(t->ctx, dirs) < 0)
		die("context", NULL);
	abibase_context_set_log(t->ctx, keep, t);
	if (abibase_catalogue_new(t->ctx, &t->cat) < 0)
		die("catalogue", abibase_context_error(t->ctx));
}

void test_end(struct test *t)
{
	abibase_catalogue_unref(t->cat);
	abibase_context_unref(t->ctx);
	buf_clear(&t->log);
}

struct abibase_profile *test_profile_json(struct abibase_context *ctx, const json_t *root)
{
	_autofree_ char *text = json_dumps(root, JSON_COMPACT);
	struct abibase_profile *p;

	if (!text || profile_from_buffer(ctx, text, strlen(text), "test", &p) < 0)
		die(abibase_context_error(ctx), abibase_context_error_where(ctx));
	return p;
}

json_t *test_host_json(const char *name, const char *kernel, const char *qemus)
{
	_autofree_ char *path = NULL, *words = strdup(qemus);
	json_t *root, *list = json_array();

	if (asprintf(&path, "tests/data/hosts/linux-%s.json", kernel) < 0)
		die("memory", NULL);
	root = test_json(path);
	json_object_set_new(root, "name", json_string(name));
	for (char *rest = words, *word; (word = strsep(&rest, " "));) {
		_autofree_ char *file = NULL, *where = NULL;
		json_t *entry;

		if (!*word)
			continue;
		if (asprintf(&file, "tests/data/qemu/%s.json", word) < 0 ||
		    asprintf(&where, "/usr/lib/qemu-%s", word) < 0)
			die("memory", NULL);
		entry = test_json(file);
		json_object_set_new(entry, "path", json_string(where));
		json_array_append_new(list, entry);
	}
	if (json_array_size(list))
		json_object_set(root, "qemu", list);
	json_decref(list);
	return root;
}

struct abibase_profile *test_host(struct abibase_context *ctx, const char *name,
				  const char *kernel, const char *qemus)
{
	json_t *root = test_host_json(name, kernel, qemus);
	struct abibase_profile *p = test_profile_json(ctx, root);

	json_decref(root);
	return p;
}

char *test_baseline_json(struct abibase_context *ctx, const struct abibase_baseline *b)
{
	struct abibase_render *r;
	char *text = NULL;

	if (abibase_render_new(ctx, &r) < 0 || abibase_render_set_format(r, "json") < 0 ||
	    abibase_render_run(r, b, 0, &text, NULL) < 0 || !text)
		die("render", abibase_context_error(ctx));
	abibase_render_unref(r);
	return text;
}

struct abibase_baseline *test_reread(struct abibase_context *ctx,
				     const struct abibase_baseline *b)
{
	_autofree_ char *text = test_baseline_json(ctx, b);
	struct abibase_baseline *again;

	if (baseline_from_buffer(ctx, text, strlen(text), "baseline", &again) < 0) {
		fputs(text, stderr);
		die(abibase_context_error(ctx), abibase_context_error_where(ctx));
	}
	return again;
}

char **test_settings(const char *args)
{
	static const char option[] = "-global ";
	char **list = calloc(strlen(args) + 1, sizeof(*list));
	size_t n = 0;

	while (*args) {
		size_t len = strcspn(args, "\n");

		if (!strprefix(args, option))
			die("not a -global line", args);
		list[n++] = strndup(args + strlen(option), len - strlen(option));
		args += len + (args[len] == '\n');
	}
	return list;
}

void test_settings_free(char **settings)
{
	for (size_t i = 0; settings && settings[i]; i++)
		free(settings[i]);
	free(settings);
}

uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

unsigned int rng_below(struct rng *r, unsigned int n)
{
	return (unsigned int)(rng_next(r) % n);
}

bool rng_percent(struct rng *r, unsigned int percent)
{
	return rng_below(r, 100) < percent;
}

unsigned int test_rounds(unsigned int usual)
{
	const char *s = getenv("ABIBASE_TEST_ROUNDS");

	return s ? (unsigned int)strtoul(s, NULL, 10) : usual;
}

int test_patience(const char *expected)
{
	return getenv("ABIBASE_TEST_SLOW") && strstr(expected, "says more") ? 60000 : 1500;
}
