/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Module parameters that bound what a guest, or memory that is plugged into it, can have. */

#include <syslog.h>

#include "base/context.h"
#include "probe/probe.h"

static const struct {
	const char *id, *path;
} params[] = {
	{ "param.vhost.max_iotlb_entries", "/sys/module/vhost/parameters/max_iotlb_entries" },
	{ "param.vhost.max_mem_regions", "/sys/module/vhost/parameters/max_mem_regions" },
};

/* Not a device, but it comes and goes like one. */
static const struct probe_surface vhost = { .name = "vhost", .module = "vhost" };

/* "64" and a newline */
static int parse(const struct buf *text, json_int_t *ret)
{
	json_int_t n = 0;
	size_t i;

	for (i = 0; i < text->len && text->data[i] >= '0' && text->data[i] <= '9' && i < 18; i++)
		n = n * 10 + (text->data[i] - '0');
	if (i == 0 || (i < text->len && text->data[i] != '\n'))
		return -EINVAL;
	*ret = n;
	return 0;
}

static int read_param(struct abibase_probe *pr, const char *path, json_int_t *ret)
{
	_buf_ text = { 0 };
	int r = pr->ops->read_file(pr->ops_data, path, &text);

	return r < 0 ? r : parse(&text, ret);
}

/* The reason of a parameter that cannot be read; "" when the kernel provably lacks the module. */
static const char *reason(struct abibase_probe *pr, const struct probe_modules *m,
			  const char *release, int err, char *text, size_t size)
{
	switch (err) {
	case ENOENT:
		if (pr->ops->exists(pr->ops_data, "/sys/module") == 0 &&
		    probe_presence(pr, m, &vhost, release) == ABSENT)
			return "";
		return "not-loaded";
	case EACCES:
	case EPERM:
		return "no-permission";
	case EMFILE:
	case ENFILE:
		return "no-file-descriptors";
	default:
		snprintf(text, size, "error-%s", probe_errno_name(err));
		return text;
	}
}

/* One parameter as a fact; NULL: it has none. */
static int param_json(struct abibase_probe *pr, const struct probe_modules *m,
		      const char *release, const char *path, json_t **ret)
{
	int level = probe_named(pr, "params") ? LOG_WARNING : LOG_INFO;
	json_int_t value = 0;
	const char *why;
	char text[40];
	int r = read_param(pr, path, &value);

	if (r == -ENOMEM)
		return r;
	if (r == 0) {
		*ret = json_integer(value);
		return *ret ? 0 : -ENOMEM;
	}
	why = reason(pr, m, release, -r, text, sizeof(text));
	if (!*why)
		return 0;
	context_log(pr->ctx, level, "probe-parameter-unknown",
		    "%s: cannot be read: %s; it exists while the module vhost is loaded", path,
		    strerror(-r));
	*ret = json_pack("{s:s}", "unknown", why);
	return *ret ? 0 : -ENOMEM;
}

int probe_params(struct abibase_probe *pr, const struct probe_modules *m, const char *release,
		 json_t *facts)
{
	for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
		json_t *v = NULL;
		int r = 0;

		if (!probe_wants(pr, "params"))
			v = json_pack("{s:s}", "unknown", "not-asked");
		else
			r = param_json(pr, m, release, params[i].path, &v);
		if (r < 0)
			return r;
		if (v && json_object_set_new(facts, params[i].id, v) < 0)
			return -ENOMEM;
	}
	return 0;
}
