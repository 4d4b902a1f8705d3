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

#define COMMON_FACTS(kind)                           \
	[VHOST_USABLE] = { kind ".usable", 0 },      \
	[VHOST_FEATURES] = { kind ".features", 64 }, \
	[VHOST_BACKEND_FEATURES] = { kind ".backend_features", 64 }

static const struct probe_fact net_facts[] = {
	COMMON_FACTS("vhost_net"),
	[VHOST_FEATURES_ARRAY] = { "vhost_net.features_array", 128 },
};
static const struct probe_fact vsock_facts[] = { COMMON_FACTS("vhost_vsock") };
static const struct probe_fact scsi_facts[] = { COMMON_FACTS("vhost_scsi") };

static void say_word(struct probe_child *c, size_t fact, int r, __u64 low, __u64 high)
{
	if (r >= 0)
		probe_say(c, fact, FACT_WORD, low, high);
	else
		probe_say_accepted(c, fact, r, r == -EPERM || r == -ENOTTY || r == -EINVAL);
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

	say_word(c, VHOST_FEATURES_ARRAY, r, array.features[0], array.features[1]);
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
		r = probe_ioctl_p(c, fd, VHOST_GET_BACKEND_FEATURES_IOCTL, &word);
		say_word(c, VHOST_BACKEND_FEATURES, r, word, 0);
		if (c->surface->n_facts > VHOST_FEATURES_ARRAY)
			ask_array(c, fd);
	}
	/* Closed by the end of the process, after the answer: it takes a grace period of the kernel. */
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

#define SURFACE(kind, quiet)                                                           \
	{                                                                              \
		.name = "vhost_" #kind, .option = "vhost-" #kind,                      \
		.node = "/dev/vhost-" #kind, .module = "vhost_" #kind,                 \
		.misc = "vhost-" #kind, .aside = quiet, .facts = kind##_facts,         \
		.n_facts = ARRAY_SIZE(kind##_facts), .modules = kind##_modules,        \
		.ask = vhost_ask                                                       \
	}
const struct probe_surface probe_vhosts[] = {
	SURFACE(net, false),
	SURFACE(vsock, true),
	/* its minor is dynamic: before the module is loaded there is no node, opening loads nothing */
	SURFACE(scsi, true),
	{ 0 },
};
