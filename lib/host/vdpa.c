/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ask the devices /dev/vhost-vdpa-N, in forked children. Only one process can have such a device
 * open, and opening resets it: one that a guest uses says EBUSY and is left as it is.
 */

#include <linux/ioctl.h>
#include <linux/types.h>

#include "host/child.h"

#define VHOST_GET_FEATURES_IOCTL _IOR(0xaf, 0x00, __u64)
#define VHOST_VDPA_GET_DEVICE_ID_IOCTL _IOR(0xaf, 0x70, __u32)

#define NODE_PREFIX "vhost-vdpa-"

enum { VDPA_FEATURES, VDPA_DEVICE_ID };

static void vdpa_ask(struct probe_child *c, int fd)
{
	__u64 word = 0;
	__u32 id = 0;
	int r = probe_ioctl_p(c, fd, VHOST_GET_FEATURES_IOCTL, &word);

	if (r < 0) {
		probe_say_failed(c, STEP_FEATURES, -r);
	} else {
		probe_say(c, VDPA_FEATURES, FACT_WORD, word, 0);
		r = probe_ioctl_p(c, fd, VHOST_VDPA_GET_DEVICE_ID_IOCTL, &id);
		if (r < 0)
			probe_say_errno(c, VDPA_DEVICE_ID, -r);
		else
			probe_say(c, VDPA_DEVICE_ID, FACT_INT, id, 0);
	}
	probe_close(c, fd);
}

static const struct probe_fact vdpa_facts[] = { { "vhost_vdpa.usable", 0 } };

/* Nothing makes a device by being opened: its driver does, or `vdpa dev add`. */
const struct probe_surface probe_vhost_vdpa = {
	.name = "vhost_vdpa",
	.option = "vhost-vdpa",
	.node = "/dev/vhost-vdpa-N",
	.module = "vhost_vdpa",
	.chardev = "vhost-vdpa",
	.aside = true,
	.facts = vdpa_facts,
	.n_facts = ARRAY_SIZE(vdpa_facts),
};

void probe_vdpa_device(struct vdpa_device *d, unsigned int number)
{
	static const char *const names[] = { "features", "device_id" };

	snprintf(d->node, sizeof(d->node), "/dev/" NODE_PREFIX "%u", number);
	for (size_t i = 0; i < ARRAY_SIZE(d->facts); i++) {
		snprintf(d->ids[i], sizeof(d->ids[i]), "vhost_vdpa.%u.%s", number, names[i]);
		d->facts[i].id = d->ids[i];
		d->facts[i].bits = i == VDPA_FEATURES ? 64 : 0;
	}
	d->surface = probe_vhost_vdpa;
	d->surface.node = d->node;
	d->surface.facts = d->facts;
	d->surface.n_facts = ARRAY_SIZE(d->facts);
	d->surface.ask = vdpa_ask;
}

static int by_number(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return x < y ? -1 : x > y;
}

/* "vhost-vdpa-12": the number, or -1 */
static long device_number(const char *name, size_t len)
{
	size_t prefix = strlen(NODE_PREFIX), digits = len - prefix;
	long n = 0;

	if (len <= prefix || digits > 6 || memcmp(name, NODE_PREFIX, prefix) != 0)
		return -1;
	for (size_t i = prefix; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -1;
		n = n * 10 + (name[i] - '0');
	}
	return n;
}

int probe_vdpa_find(const struct probe_ops *ops, void *ops_data, unsigned int *ret, size_t max)
{
	_buf_ names = { 0 };
	const char *p, *nl;
	size_t n = 0;
	int r = ops->list(ops_data, "/dev", &names);

	if (r < 0)
		return r;
	for (p = names.data; p && (nl = strchr(p, '\n')); p = nl + 1) {
		long number = device_number(p, (size_t)(nl - p));

		if (number >= 0 && n < max)
			ret[n++] = (unsigned int)number;
	}
	qsort(ret, n, sizeof(*ret), by_number);
	return (int)n;
}
