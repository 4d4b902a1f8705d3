/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The index of a kernel's modules, by libkmod. */

#include <errno.h>
#include <libkmod.h>

#include "host/ops.h"

/* kmod writes to stderr by default; a library must not. */
static void kmod_quiet(void *data, int priority, const char *file, int line, const char *fn,
		       const char *format, va_list args)
{
}

static bool index_readable(const char *dir)
{
	static const char *const files[] = { "modules.dep.bin", "modules.builtin.bin" };
	char path[512];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int n = snprintf(path, sizeof(path), "%s/%s", dir, files[i]);

		if (n < 0 || (size_t)n >= sizeof(path) || access(path, R_OK) < 0)
			return false;
	}
	return true;
}

/* Both files are there but libkmod may still refuse them: then it says so here. */
static enum module_state look_up(struct kmod_ctx *kmod, const char *module)
{
	struct kmod_module *mod = NULL;
	enum module_state state = MODULE_NONE;

	if (kmod_load_resources(kmod) < 0)
		return MODULE_NO_INDEX;
	if (kmod_module_new_from_name(kmod, module, &mod) < 0)
		return MODULE_NO_INDEX;
	if (kmod_module_get_path(mod))
		state = MODULE_FILE;
	else if (kmod_module_get_initstate(mod) == KMOD_MODULE_BUILTIN)
		state = MODULE_BUILTIN;
	kmod_module_unref(mod);
	return state;
}

int probe_module_index_at(const char *dir, const char *module)
{
	static const char *const no_config = NULL;
	enum module_state state;
	struct kmod_ctx *kmod;

	if (!index_readable(dir))
		return MODULE_NO_INDEX;
	kmod = kmod_new(dir, &no_config);
	if (!kmod)
		return -ENOMEM;
	kmod_set_log_fn(kmod, kmod_quiet, NULL);
	state = look_up(kmod, module);
	kmod_unref(kmod);
	return (int)state;
}

int probe_module_index(void *data, const char *release, const char *module)
{
	char dir[256];
	int n = snprintf(dir, sizeof(dir), "/lib/modules/%s", release);

	return n < 0 || (size_t)n >= sizeof(dir) ? MODULE_NO_INDEX :
						   probe_module_index_at(dir, module);
}
