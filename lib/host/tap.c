/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ask /dev/net/tun. Everything here runs in the forked child. Each offload question is one
 * TUNSETOFFLOAD on a tap of its own, with exactly the argument that QEMU uses (net/tap-linux.c) or
 * the smallest one that holds the bit: the kernel accepts USO4 only together with USO6, and
 * UDP_TUNNEL_GSO only together with CSUM and a plain GSO, so single bits would mislead.
 */

#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include "host/child.h"

#ifndef TUNSETCARRIER
#define TUNSETCARRIER _IOW('T', 226, int)
#endif

enum {
	TAP_NAPI_FRAGS = TAP_COMMON,
	TAP_STEERING_EBPF,
	TAP_FILTER_EBPF,
	TAP_CARRIER,
	TAP_VNET_LE,
	TAP_VNET_BE,
};

static const struct probe_fact tap_facts[] = {
	[TAP_USABLE] = { "tap.usable", 0 },
	[TAP_FEATURES] = { "tap.features", 32 },
	[TAP_CSUM] = { "tap.offload.csum", 0 },
	[TAP_TSO4] = { "tap.offload.tso4", 0 },
	[TAP_TSO6] = { "tap.offload.tso6", 0 },
	[TAP_TSO_ECN] = { "tap.offload.tso_ecn", 0 },
	[TAP_UFO] = { "tap.offload.ufo", 0 },
	[TAP_USO] = { "tap.offload.uso", 0 },
	[TAP_UDP_TUNNEL] = { "tap.offload.udp_tunnel", 0 },
	[TAP_UDP_TUNNEL_CSUM] = { "tap.offload.udp_tunnel_csum", 0 },
	[TAP_NAPI_FRAGS] = { "tap.napi_frags", 0 },
	[TAP_STEERING_EBPF] = { "tap.steering_ebpf", 0 },
	[TAP_FILTER_EBPF] = { "tap.filter_ebpf", 0 },
	[TAP_CARRIER] = { "tap.carrier", 0 },
	[TAP_VNET_LE] = { "tap.vnet_le", 0 },
	[TAP_VNET_BE] = { "tap.vnet_be", 0 },
};

/* TUN_F_*: bits of TUNSETOFFLOAD, by number because older headers lack the newer names */
static const struct {
	unsigned int fact;
	unsigned long argument;
} offloads[] = {
	{ TAP_CSUM, 0x001 },	   { TAP_TSO4, 0x003 },
	{ TAP_TSO6, 0x005 },	   { TAP_TSO_ECN, 0x00f },
	{ TAP_UFO, 0x011 },	   { TAP_USO, 0x061 },
	{ TAP_UDP_TUNNEL, 0x083 }, { TAP_UDP_TUNNEL_CSUM, 0x183 },
};

/*
 * Turn the open fd into a tap. Without a name the kernel calls it tap0: the namespace is empty.
 * The tap is not persistent and goes with the fd.
 */
int probe_tap_attach(struct probe_child *c, int fd, unsigned int flags)
{
	struct ifreq ifr = { 0 };

	ifr.ifr_flags = (short)flags;
	return probe_ioctl_p(c, fd, TUNSETIFF, &ifr);
}

int probe_tap_fresh(struct probe_child *c, unsigned int flags)
{
	int fd, r;

	fd = c->ops->open(c->ops_data, c->node);
	if (fd < 0)
		return fd;
	r = probe_tap_attach(c, fd, flags);
	if (r < 0) {
		c->ops->close(c->ops_data, fd);
		return r;
	}
	return fd;
}

/* The kernel's tun says EINVAL to what it does not know; every other failure is not an answer. */
static void say_accepted(struct probe_child *c, size_t fact, int r)
{
	if (r >= 0)
		probe_say(c, fact, FACT_TRUE, 0, 0);
	else if (r == -EINVAL || r == -ENOTTY)
		probe_say(c, fact, FACT_FALSE, 0, 0);
	else
		probe_say_errno(c, fact, -r);
}

static void ask_offload(struct probe_child *c, size_t fact, unsigned long argument,
			unsigned int flags)
{
	int fd = probe_tap_fresh(c, flags);

	if (fd < 0) {
		probe_say_errno(c, fact, -fd);
		return;
	}
	say_accepted(c, fact, probe_ioctl(c, fd, TUNSETOFFLOAD, argument));
	c->ops->close(c->ops_data, fd);
}

void probe_tap_offloads(struct probe_child *c, unsigned int flags)
{
	for (size_t i = 0; i < ARRAY_SIZE(offloads); i++)
		ask_offload(c, offloads[i].fact, offloads[i].argument, flags);
}

/* TUNSETIFF ignores flags that it does not know, so the feature word is asked first. */
static void ask_napi_frags(struct probe_child *c, unsigned int features, unsigned int flags)
{
	int fd;

	if (!(features & IFF_NAPI) || !(features & IFF_NAPI_FRAGS)) {
		probe_say(c, TAP_NAPI_FRAGS, FACT_FALSE, 0, 0);
		return;
	}
	fd = probe_tap_fresh(c, flags | IFF_NAPI | IFF_NAPI_FRAGS);
	if (fd < 0) {
		probe_say_errno(c, TAP_NAPI_FRAGS, -fd);
		return;
	}
	probe_say(c, TAP_NAPI_FRAGS, FACT_TRUE, 0, 0);
	c->ops->close(c->ops_data, fd);
}

static void tap_ask(struct probe_child *c, int fd)
{
	unsigned int features = 0, flags;
	int r, one = 1, detach = -1;

	r = probe_ioctl_p(c, fd, TUNGETFEATURES, &features);
	if (r < 0) {
		probe_say_failed(c, STEP_FEATURES, -r);
		c->ops->close(c->ops_data, fd);
		return;
	}
	flags = IFF_TAP | IFF_NO_PI | (features & IFF_VNET_HDR);
	r = probe_tap_attach(c, fd, flags);
	if (r < 0) {
		probe_say_failed(c, STEP_ATTACH, -r);
		c->ops->close(c->ops_data, fd);
		return;
	}
	probe_say(c, TAP_USABLE, FACT_TRUE, 0, 0);
	probe_say(c, TAP_FEATURES, FACT_WORD, features, 0);

	say_accepted(c, TAP_STEERING_EBPF, probe_ioctl_p(c, fd, TUNSETSTEERINGEBPF, &detach));
	say_accepted(c, TAP_FILTER_EBPF, probe_ioctl_p(c, fd, TUNSETFILTEREBPF, &detach));
	say_accepted(c, TAP_CARRIER, probe_ioctl_p(c, fd, TUNSETCARRIER, &one));
	say_accepted(c, TAP_VNET_LE, probe_ioctl_p(c, fd, TUNSETVNETLE, &one));
	say_accepted(c, TAP_VNET_BE, probe_ioctl_p(c, fd, TUNSETVNETBE, &one));
	c->ops->close(c->ops_data, fd);

	probe_tap_offloads(c, flags);
	ask_napi_frags(c, features, flags);
}

static const char *const tap_modules[] = { "tun", NULL };

const struct probe_surface probe_tap = {
	.name = "tap",
	.option = "tap",
	.node = "/dev/net/tun",
	.module = "tun",
	.misc = "tun",
	.netns = true,
	.caps = PROBE_CAP_NET_ADMIN,
	.facts = tap_facts,
	.n_facts = ARRAY_SIZE(tap_facts),
	.modules = tap_modules,
	.ask = tap_ask,
};
