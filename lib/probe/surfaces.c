/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which surfaces are asked: those that were named, or all that are not left out. */

#include "base/context.h"
#include "probe/probe.h"

static const struct {
	const char *name;
	bool on_request; /* costs more than it is worth to most: a device is made for it */
} surfaces[] = {
	{ "tap", false },	 { "macvtap", true },	   { "ipvtap", true },
	{ "vhost-net", false },	 { "vhost-vsock", false }, { "vhost-scsi", false },
	{ "vhost-vdpa", false }, { "params", false },	   { "ebpf", false },
	{ "qemu", false },
};

static int find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(surfaces); i++)
		if (streq(surfaces[i].name, name))
			return (int)i;
	return -1;
}

static int choose(struct abibase_probe *pr, const char *name, unsigned int *mask)
{
	_buf_ list = { 0 };
	int i = find(name);

	if (i >= 0) {
		*mask |= 1u << i;
		return 0;
	}
	for (size_t k = 0; k < ARRAY_SIZE(surfaces); k++)
		buf_printf(&list, "%s%s", k ? ", " : "", surfaces[k].name);
	if (buf_failed(&list))
		return context_oom(pr->ctx);
	return context_fail(pr->ctx, EINVAL, "probe-no-surface", NULL,
			    "there is no surface \"%s\"; there are: %s", name, list.data);
}

ABIBASE_EXPORT int abibase_probe_only(struct abibase_probe *pr, const char *surface)
{
	return choose(pr, surface, &pr->only);
}

ABIBASE_EXPORT int abibase_probe_skip(struct abibase_probe *pr, const char *surface)
{
	return choose(pr, surface, &pr->skip);
}

bool probe_named(const struct abibase_probe *pr, const char *option)
{
	return (pr->only & 1u << find(option)) != 0;
}

bool probe_wants(const struct abibase_probe *pr, const char *option)
{
	int i = find(option);

	if (pr->skip & 1u << i)
		return false;
	return pr->only ? (pr->only & 1u << i) != 0 : !surfaces[i].on_request;
}
