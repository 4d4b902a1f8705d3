/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <errno.h>

#define XML_MAX (1u << 20) /* one byte more is read, and the library says that it is too much */
#define NAMES_MAX 20

static int read_text(const char *path, char **ret, size_t *ret_len)
{
	bool from_stdin = streq(path, "-");
	_autofclose_ FILE *opened = from_stdin ? NULL : fopen_named(path);
	FILE *f = from_stdin ? stdin : opened;
	_autofree_ char *text = malloc(XML_MAX + 1);

	if (!text)
		return cli_oom();
	if (!f)
		return cli_error("%s: cannot open: %s [io-error]", path, open_words(errno));
	errno = 0;
	*ret_len = fread(text, 1, XML_MAX + 1, f);
	if (ferror(f))
		return cli_error("%s: cannot read: %s [io-error]",
				 from_stdin ? "standard input" : path, strerror(errno));
	*ret = steal(&text);
	return 0;
}

/* What of it no answer is about, in one line */
static void say_rest(const char *name, const struct abibase_guest *g)
{
	const struct abibase_value *list =
		abibase_value_member(abibase_guest_value(g), "x-not-compared");
	size_t n = abibase_value_count(list), size;
	_autofree_ char *names = NULL;
	FILE *to = n ? open_memstream(&names, &size) : NULL;

	for (size_t i = 0; to && i < n && i < NAMES_MAX; i++)
		fprintf(to, "%s%s", i ? ", " : "",
			abibase_value_string(abibase_value_item(list, i)));
	if (to && n > NAMES_MAX)
		fprintf(to, " and %zu more", n - NAMES_MAX);
	if (to && fclose(to) == 0)
		cli_line(stderr, "abibase: %s: not compared: %s [domain-not-compared]", name,
			 names);
}

static int add_backend(struct abibase_context *ctx, const char *backend, struct abibase_guest **g)
{
	_unref_(guest) *more = NULL;
	int r;

	if (!backend ||
	    !abibase_value_count(abibase_value_member(abibase_guest_value(*g), "devices")))
		return 0;
	r = abibase_guest_assume(ctx, *g, NULL, backend, NULL, 0, &more);
	if (r < 0)
		return cli_context_error(ctx, r);
	abibase_guest_unref(*g);
	*g = steal(&more);
	return 0;
}

int cli_domain(struct abibase_context *ctx, const struct abibase_catalogue *cat,
	       const struct options *o, const char *backend, struct abibase_guest **ret)
{
	const char *path = options_arg(o, OPT_DOMAIN);
	const char *name = path && streq(path, "-") ? "standard input" : path;
	_autofree_ char *text = NULL;
	size_t len = 0;
	int r;

	if (!path)
		return 0;
	if (read_text(path, &text, &len) != 0)
		return STATUS_TROUBLE;
	r = abibase_guest_from_domain(ctx, cat, text, len, name, ret);
	if (r < 0)
		return cli_context_error(ctx, r);
	if (o->verbose >= 0)
		say_rest(name, *ret);
	return add_backend(ctx, backend, ret);
}
