/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <syslog.h>

#include "base/context.h"
#include "base/harmless.h"

/* @name below the directory @dir */
static int add_below(struct strings *path, const char *dir, const char *name)
{
	_buf_ text = { 0 };

	buf_printf(&text, "%s/%s", dir, name);
	return buf_failed(&text) ? -ENOMEM : strings_add(path, text.data);
}

static int add_list(struct strings *path, const char *list)
{
	_autofree_ char *copy = strdup(list);
	char *rest = copy, *dir;
	int r = copy ? 0 : -ENOMEM;

	while (r == 0 && (dir = strsep(&rest, ":")))
		r = *dir ? strings_add(path, dir) : 0;
	return r;
}

/* root's home is not searched: a system daemon must not depend on whose shell started it */
static int add_user(struct strings *path)
{
	const char *config = secure_getenv("XDG_CONFIG_HOME");
	const char *home = secure_getenv("HOME");

	if (geteuid() == 0)
		return 0;
	if (config && config[0] == '/')
		return add_below(path, config, "abibase/platforms");
	return home && home[0] == '/' ? add_below(path, home, ".config/abibase/platforms") : 0;
}

static int default_platform_path(struct abibase_context *ctx, bool env)
{
	const char *list = env ? secure_getenv("ABIBASE_PLATFORM_PATH") : NULL;
	struct strings *path = &ctx->platform_path;
	int r;

	if (list)
		return add_list(path, list);
	ctx->path_of_data = true;
	r = add_below(path, ctx->data_dir, "platforms");
	if (r == 0)
		r = strings_add(path, ABIBASE_SYSCONFDIR "/platforms");
	return r == 0 && env ? add_user(path) : r;
}

static int context_set_defaults(struct abibase_context *ctx, bool env)
{
	const char *dir = env ? secure_getenv("ABIBASE_DATADIR") : NULL;

	ctx->data_dir = strdup(dir && *dir ? dir : ABIBASE_PKGDATADIR);
	if (!ctx->data_dir)
		return -ENOMEM;
	return default_platform_path(ctx, env);
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

ABIBASE_EXPORT DEFINE_REF(abibase_context, abibase_context_ref)

ABIBASE_EXPORT struct abibase_context *abibase_context_unref(struct abibase_context *ctx)
{
	if (!ctx || __atomic_sub_fetch(&ctx->refcount, 1, __ATOMIC_ACQ_REL) > 0)
		return NULL;
	free(ctx->data_dir);
	strings_clear(&ctx->platform_path);
	free(ctx->error);
	free(ctx->error_where);
	for (int i = 0; i < N_KEPT; i++)
		context_forget(ctx, i);
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
	_buf_ platforms = { 0 };
	int r = 0;

	buf_printf(&platforms, "%s/platforms", dir);
	if (buf_failed(&platforms))
		return context_oom(ctx);
	if (ctx->path_of_data)
		r = context_replace(ctx, &ctx->platform_path.s[0], platforms.data);
	return r < 0 ? r : context_replace(ctx, &ctx->data_dir, dir);
}

ABIBASE_EXPORT int abibase_context_set_platform_path(struct abibase_context *ctx,
						     const char *const *dirs)
{
	if (strings_set(&ctx->platform_path, dirs) < 0)
		return context_oom(ctx);
	ctx->path_of_data = false;
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

void *context_keep(struct abibase_context *ctx, enum kept which, size_t size,
		   void (*clear)(void *data))
{
	if (!ctx->kept[which].data) {
		ctx->kept[which].data = calloc(1, size);
		ctx->kept[which].clear = clear;
	}
	return ctx->kept[which].data;
}

void context_forget(struct abibase_context *ctx, enum kept which)
{
	if (ctx->kept[which].data)
		ctx->kept[which].clear(ctx->kept[which].data);
	free(steal(&ctx->kept[which].data));
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

int context_replace(struct abibase_context *ctx, char **place, const char *s)
{
	char *copy = s ? strdup(s) : NULL;

	if (s && !copy)
		return context_oom(ctx);
	free(*place);
	*place = copy;
	return 0;
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
