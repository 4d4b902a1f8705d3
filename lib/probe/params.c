/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Module parameters that bound what a guest, or memory that is plugged into it, can have. */

#include <syslog.h>

#include "base/context.h"
#include "document/json.h"
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
static int parse(const struct buf *text, uint64_t *ret)
{
	size_t i;

	*ret = 0;
	for (i = 0; i < text->len && text->data[i] >= '0' && text->data[i] <= '9' && i < 18; i++)
		*ret = *ret * 10 + (uint64_t)(text->data[i] - '0');
	return i == 0 || (i < text->len && text->data[i] != '\n') ? -EINVAL : 0;
}

/* Why a parameter cannot be read. */
static enum probe_reason reason(int err)
{
	switch (err) {
	case ENOENT:
		return REASON_NOT_LOADED;
	case EACCES:
	case EPERM:
		return REASON_NO_PERMISSION;
	case EMFILE:
	case ENFILE:
		return REASON_NO_DESCRIPTORS;
	default:
		return REASON_ERROR;
	}
}

/* One parameter; FACT_NONE: the kernel provably lacks the module. */
static int read_param(struct abibase_probe *pr, const struct probe_modules *m, const char *release,
		      const char *path, struct probe_answer *ret)
{
	int level = probe_named(pr, "params") ? LOG_WARNING : LOG_INFO;
	_buf_ text = { 0 };
	int r = pr->ops->read_file(pr->ops_data, path, &text);

	if (r >= 0)
		r = parse(&text, &ret->word[0]);
	if (r == 0)
		ret->kind = FACT_INT;
	if (r == 0 || r == -ENOMEM)
		return r;
	if (r == -ENOENT && pr->ops->exists(pr->ops_data, "/sys/module") == 0 &&
	    probe_presence(pr, m, &vhost, release) == ABSENT)
		return 0;
	*ret = (struct probe_answer){ .kind = FACT_UNKNOWN, .reason = reason(-r), .err = -r };
	context_log(pr->ctx, level, "probe-parameter-unknown",
		    "%s: cannot be read: %s; it exists while the module vhost is loaded", path,
		    strerror(-r));
	return 0;
}

int probe_params(struct abibase_probe *pr, const struct probe_modules *m, const char *release,
		 json_t *facts)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(params); i++) {
		struct probe_answer a = { .kind = FACT_UNKNOWN, .reason = REASON_NOT_ASKED };

		if (probe_wants(pr, "params")) {
			a.kind = FACT_NONE;
			r = read_param(pr, m, release, params[i].path, &a);
		}
		if (r == 0 && a.kind != FACT_NONE)
			r = json_put(facts, params[i].id, probe_answer_json(&a, 0));
	}
	return r;
}
