/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Not there, or only not loaded? A built-in driver has no /sys/module entry, so /proc/misc is what
 * tells that a device is registered; the index of modules tells what could still be loaded.
 */

#include "probe/probe.h"

/*
 * A kernel built without CONFIG_MODULES has none of these three. All must be missing, and
 * /proc/misc must be there: a restricted /proc (subset=pid) hides much else.
 */
static bool kernel_without_modules(struct abibase_probe *pr)
{
	static const char *const files[] = {
		"/proc/modules",
		"/proc/sys/kernel/modprobe",
		"/proc/sys/kernel/modules_disabled",
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (pr->ops->exists(pr->ops_data, files[i]) != -ENOENT)
			return false;
	/* /proc/sys is mounted at all */
	return pr->ops->exists(pr->ops_data, "/proc/sys/kernel/ostype") == 0;
}

int probe_modules_read(struct abibase_probe *pr, struct probe_modules *ret)
{
	int r = pr->ops->read_file(pr->ops_data, "/proc/misc", &ret->misc);

	if (r == -ENOMEM)
		return r;
	/* An empty or masked file says nothing: every kernel registers something there. */
	ret->have_misc = r >= 0 && ret->misc.len > 0;
	if (pr->ops->read_file(pr->ops_data, "/proc/devices", &ret->devices) == -ENOMEM)
		return -ENOMEM;
	r = pr->ops->read_file(pr->ops_data, "/proc/modules", &ret->loaded);
	if (r == -ENOMEM)
		return r;
	ret->have_loaded = r >= 0;
	ret->no_modules = ret->have_misc && kernel_without_modules(pr);
	return 0;
}

void probe_modules_clear(struct probe_modules *m)
{
	buf_clear(&m->misc);
	buf_clear(&m->devices);
	buf_clear(&m->loaded);
}

/* Does some line of @text have @word as its field number @field, counted from 0? */
static bool has_line(const struct buf *text, int field, const char *word)
{
	const char *end, *p = text->data;

	for (; p && *p; p = *end ? end + 1 : end) {
		end = strchrnul(p, '\n');
		p += strspn(p, " ");
		for (int i = 0; i < field; i++) {
			p += strcspn(p, " \n");
			p += strspn(p, " ");
		}
		if (strprefix(p, word) && strchr(" \n", p[strlen(word)]))
			return true;
	}
	return false;
}

/* "200 tun" */
bool probe_misc_lists(const struct probe_modules *m, const char *name)
{
	return m->have_misc && has_line(&m->misc, 1, name);
}

/* "tun 57344 2 vhost_net, Live 0x0000000000000000" */
bool probe_module_loaded(const struct probe_modules *m, const char *name)
{
	return m->have_loaded && has_line(&m->loaded, 0, name);
}

enum presence probe_presence(struct abibase_probe *pr, const struct probe_modules *m,
			     const struct probe_surface *s, const char *release)
{
	if (!s->module)
		return PRESENT;
	if ((s->misc && probe_misc_lists(m, s->misc)) || probe_module_loaded(m, s->module))
		return PRESENT;
	/* "241 macvtap" */
	if (s->chardev && has_line(&m->devices, 1, s->chardev))
		return PRESENT;
	if (s->chardev && !m->devices.len)
		return NOT_VISIBLE;
	if (m->no_modules)
		return ABSENT;
	switch (pr->ops->module_index(pr->ops_data, release, s->module)) {
	case MODULE_BUILTIN:
		return PRESENT;
	case MODULE_FILE:
		return LOADABLE;
	case MODULE_NONE:
		/* without /proc/misc it could be there from a module that the index forgot */
		return m->have_misc ? ABSENT : NOT_VISIBLE;
	default:
		return m->have_misc ? NO_INDEX : NOT_VISIBLE;
	}
}
