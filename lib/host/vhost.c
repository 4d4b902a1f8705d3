/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ask the vhost devices, in the forked child. VHOST_SET_OWNER is never called: it starts a worker
 * and takes a reference to the memory map, and no question here needs it. Without an owner the
 * kernel says EPERM, not ENOTTY, to a request that it does not know.
 */

#include <linux/ioctl.h>
#include <linux/types.h>

#include "host/child.h"

/* By number: <linux/vhost.h> of older systems lacks the array. */
#define VHOST_GET_FEATURES_IOCTL _IOR(0xaf, 0x00, __u64)
#define VHOST_GET_BACKEND_FEATURES_IOCTL _IOR(0xaf, 0x26, __u64)
#define VHOST_GET_FEATURES_ARRAY_IOCTL _IOR(0xaf, 0x83, __u64)

/* The array is vhost-net's alone. */
enum { VHOST_USABLE, VHOST_FEATURES, VHOST_BACKEND_FEATURES, VHOST_FEATURES_ARRAY };

static const struct probe_fact net_facts[] = {
	[VHOST_USABLE] = { "vhost_net.usable", 0 },
	[VHOST_FEATURES] = { "vhost_net.features", 64 },
	[VHOST_BACKEND_FEATURES] = { "vhost_net.backend_features", 64 },
	[VHOST_FEATURES_ARRAY] = { "vhost_net.features_array", 128 },
};

static const struct probe_fact vsock_facts[] = {
	[VHOST_USABLE] = { "vhost_vsock.usable", 0 },
	[VHOST_FEATURES] = { "vhost_vsock.features", 64 },
	[VHOST_BACKEND_FEATURES] = { "vhost_vsock.backend_features", 64 },
};

static const struct probe_fact scsi_facts[] = {
	[VHOST_USABLE] = { "vhost_scsi.usable", 0 },
	[VHOST_FEATURES] = { "vhost_scsi.features", 64 },
	[VHOST_BACKEND_FEATURES] = { "vhost_scsi.backend_features", 64 },
};

static bool not_known(int r)
{
	return r == -EPERM || r == -ENOTTY || r == -EINVAL;
}

/*
 * Exactly two words: asked for more, Linux 6.17 and 6.18 clear the start of the array instead of
 * its end.
 */
static void ask_array(struct probe_child *c, int fd)
{
	struct {
		__u64 count, features[2];
	} array = { .count = 2 };
	int r = probe_ioctl_p(c, fd, VHOST_GET_FEATURES_ARRAY_IOCTL, &array);

	if (r >= 0)
		probe_say(c, VHOST_FEATURES_ARRAY, FACT_WORD, array.features[0],
			  array.features[1]);
	else if (not_known(r))
		probe_say(c, VHOST_FEATURES_ARRAY, FACT_FALSE, 0, 0);
	else
		probe_say_errno(c, VHOST_FEATURES_ARRAY, -r);
}

static void ask_backend(struct probe_child *c, int fd)
{
	__u64 word = 0;
	int r = probe_ioctl_p(c, fd, VHOST_GET_BACKEND_FEATURES_IOCTL, &word);

	if (r >= 0)
		probe_say(c, VHOST_BACKEND_FEATURES, FACT_WORD, word, 0);
	else if (not_known(r))
		probe_say(c, VHOST_BACKEND_FEATURES, FACT_FALSE, 0, 0);
	else
		probe_say_errno(c, VHOST_BACKEND_FEATURES, -r);
}

static void vhost_ask(struct probe_child *c, int fd)
{
	__u64 word = 0;
	int r = probe_ioctl_p(c, fd, VHOST_GET_FEATURES_IOCTL, &word);

	if (r < 0) {
		probe_say_failed(c, STEP_FEATURES, -r);
	} else {
		probe_say(c, VHOST_USABLE, FACT_TRUE, 0, 0);
		probe_say(c, VHOST_FEATURES, FACT_WORD, word, 0);
		ask_backend(c, fd);
		if (c->surface->n_facts > VHOST_FEATURES_ARRAY)
			ask_array(c, fd);
	}
	c->ops->close(c->ops_data, fd);
}

static const char *const net_modules[] = {
	"tap", "tun", "vhost", "vhost_iotlb", "vhost_net", NULL
};
static const char *const vsock_modules[] = {
	"vhost", "vhost_iotlb", "vhost_vsock", "vmw_vsock_virtio_transport_common", "vsock", NULL
};
static const char *const scsi_modules[] = {
	"target_core_mod", "vhost", "vhost_iotlb", "vhost_scsi", NULL
};

const struct probe_surface probe_vhosts[] = { {
	.name = "vhost_net",
	.option = "vhost-net",
	.node = "/dev/vhost-net",
	.module = "vhost_net",
	.misc = "vhost-net",
	.facts = net_facts,
	.n_facts = ARRAY_SIZE(net_facts),
	.modules = net_modules,
	.ask = vhost_ask,
}, {
	.name = "vhost_vsock",
	.option = "vhost-vsock",
	.node = "/dev/vhost-vsock",
	.module = "vhost_vsock",
	.misc = "vhost-vsock",
	.aside = true,
	.facts = vsock_facts,
	.n_facts = ARRAY_SIZE(vsock_facts),
	.modules = vsock_modules,
	.ask = vhost_ask,
}, {
	/* its minor is dynamic: before the module is loaded there is no node, and opening loads nothing */
	.name = "vhost_scsi",
	.option = "vhost-scsi",
	.node = "/dev/vhost-scsi",
	.module = "vhost_scsi",
	.misc = "vhost-scsi",
	.aside = true,
	.facts = scsi_facts,
	.n_facts = ARRAY_SIZE(scsi_facts),
	.modules = scsi_modules,
	.ask = vhost_ask,
}, { 0 } };
