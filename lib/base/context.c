/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <syslog.h>

#include "base/context.h"
#include "base/harmless.h"

static void strvfree(char **v)
{
	if (!v)
		return;
	for (size_t i = 0; v[i]; i++)
		free(v[i]);
	free(v);
}

static char *path_join(const char *dir, const char *name)
{
	struct buf b = { 0 };

	buf_puts(&b, dir);
	buf_putc(&b, '/');
	buf_puts(&b, name);
	return buf_steal(&b);
}

/* Append an owned string to a NULL-terminated array; takes @s also on failure. */
static int strv_push(char ***v, char *s)
{
	size_t n = 0;
	char **bigger;

	if (!s)
		return -ENOMEM;
	while (*v && (*v)[n])
		n++;
	bigger = realloc(*v, (n + 2) * sizeof(**v));
	if (!bigger) {
		free(s);
		return -ENOMEM;
	}
	bigger[n] = s;
	bigger[n + 1] = NULL;
	*v = bigger;
	return 0;
}

static int path_from_list(const char *list, char ***ret)
{
	while (*list) {
		size_t len = strcspn(list, ":");

		if (len && strv_push(ret, strndup(list, len)) < 0)
			return -ENOMEM;
		list += len + (list[len] == ':');
	}
	return 0;
}

/* root's home is not searched: a system daemon must not depend on whose shell started it */
static int path_add_user(char ***ret)
{
	const char *config = secure_getenv("XDG_CONFIG_HOME");
	const char *home = secure_getenv("HOME");
	_autofree_ char *fallback = NULL;

	if (geteuid() == 0)
		return 0;
	if (!config || config[0] != '/') {
		if (!home || home[0] != '/')
			return 0;
		fallback = path_join(home, ".config");
		if (!fallback)
			return -ENOMEM;
		config = fallback;
	}
	return strv_push(ret, path_join(config, "abibase/platforms"));
}

static int default_platform_path(const struct abibase_context *ctx, bool env, char ***ret)
{
	const char *list = env ? secure_getenv("ABIBASE_PLATFORM_PATH") : NULL;
	int r;

	if (list)
		return path_from_list(list, ret);
	r = strv_push(ret, path_join(ctx->data_dir, "platforms"));
	if (r < 0)
		return r;
	r = strv_push(ret, strdup(ABIBASE_SYSCONFDIR "/platforms"));
	if (r < 0)
		return r;
	return env ? path_add_user(ret) : 0;
}

static int context_set_defaults(struct abibase_context *ctx, bool env)
{
	const char *dir = env ? secure_getenv("ABIBASE_DATADIR") : NULL;

	ctx->data_dir = strdup(dir && *dir ? dir : ABIBASE_PKGDATADIR);
	if (!ctx->data_dir)
		return -ENOMEM;
	return default_platform_path(ctx, env, &ctx->platform_path);
}

ABIBASE_EXPORT int abibase_context_new(unsigned int flags, struct abibase_context **ret)
{
	struct abibase_context *ctx;
	int r;

	if (flags & ~(unsigned int)ABIBASE_CONTEXT_NO_ENVIRONMENT)
		return -EINVAL;
	ctx = calloc(1, sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;
	ctx->refcount = 1;
	r = context_set_defaults(ctx, !(flags & ABIBASE_CONTEXT_NO_ENVIRONMENT));
	if (r < 0) {
		abibase_context_unref(ctx);
		return r;
	}
	*ret = ctx;
	return 0;
}

ABIBASE_EXPORT struct abibase_context *abibase_context_ref(struct abibase_context *ctx)
{
	if (ctx)
		__atomic_add_fetch(&ctx->refcount, 1, __ATOMIC_RELAXED);
	return ctx;
}

ABIBASE_EXPORT struct abibase_context *abibase_context_unref(struct abibase_context *ctx)
{
	if (!ctx || __atomic_sub_fetch(&ctx->refcount, 1, __ATOMIC_ACQ_REL) > 0)
		return NULL;
	free(ctx->data_dir);
	strvfree(ctx->platform_path);
	free(ctx->error);
	free(ctx->error_where);
	if (ctx->builds)
		ctx->builds_free(ctx->builds);
	free(ctx);
	return NULL;
}

ABIBASE_EXPORT void abibase_context_set_log(struct abibase_context *ctx, abibase_log_fn fn,
					    void *data)
{
	ctx->log = fn;
	ctx->log_data = data;
}

ABIBASE_EXPORT int abibase_context_set_data_dir(struct abibase_context *ctx, const char *dir)
{
	char *copy = strdup(dir);

	if (!copy)
		return context_oom(ctx);
	free(ctx->data_dir);
	ctx->data_dir = copy;
	return 0;
}

ABIBASE_EXPORT int abibase_context_set_platform_path(struct abibase_context *ctx,
						     const char *const *dirs)
{
	char **path = NULL;

	for (; *dirs; dirs++)
		if (strv_push(&path, strdup(*dirs)) < 0) {
			strvfree(path);
			return context_oom(ctx);
		}
	strvfree(ctx->platform_path);
	ctx->platform_path = path;
	return 0;
}

ABIBASE_EXPORT const char *abibase_context_error(const struct abibase_context *ctx)
{
	if (ctx && ctx->error_id && !ctx->error)
		return "out of memory";
	return ctx ? ctx->error : NULL;
}

ABIBASE_EXPORT const char *abibase_context_error_id(const struct abibase_context *ctx)
{
	return ctx ? ctx->error_id : NULL;
}

ABIBASE_EXPORT const char *abibase_context_error_where(const struct abibase_context *ctx)
{
	return ctx ? ctx->error_where : NULL;
}

ABIBASE_EXPORT const char *abibase_version(void)
{
	return PACKAGE_VERSION;
}

int context_oom(struct abibase_context *ctx)
{
	if (!ctx)
		return -ENOMEM;
	free(ctx->error);
	free(ctx->error_where);
	ctx->error = ctx->error_where = NULL; /* abibase_context_error() has the constant text */
	ctx->error_id = "out-of-memory";
	return -ENOMEM;
}

int context_fail(struct abibase_context *ctx, int err, const char *id, const char *where,
		 const char *fmt, ...)
{
	_autofree_ char *copy = NULL;
	char *text = NULL;
	va_list ap;
	int n;

	if (!ctx)
		return -err;
	if (where) {
		copy = strdup(where);
		if (!copy)
			return context_oom(ctx);
	}
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return context_oom(ctx);
	/* Documents and file names are quoted in sentences, which are promised to be one line. */
	text_sentence(text);
	if (copy)
		text_sentence(copy);
	free(ctx->error);
	free(ctx->error_where);
	ctx->error = text;
	ctx->error_where = steal(&copy);
	ctx->error_id = id;
	return -err;
}

void context_log(struct abibase_context *ctx, int priority, const char *id, const char *fmt, ...)
{
	_autofree_ char *text = NULL;
	va_list ap;
	int n;

	if (!ctx || !ctx->log)
		return;
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		ctx->log(ctx->log_data, LOG_WARNING, "out-of-memory", "out of memory");
		return;
	}
	text_sentence(text);
	ctx->log(ctx->log_data, priority, id, text);
}
