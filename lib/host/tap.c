/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ask /dev/net/tun. Everything here runs in the forked child. Each offload question is one
 * TUNSETOFFLOAD on a tap of its own, with exactly the argument that QEMU uses (net/tap-linux.c) or
 * the smallest one that holds the bit: the kernel accepts USO4 only together with USO6, and
 * UDP_TUNNEL_GSO only together with CSUM and a plain GSO, so single bits would mislead.
 *
 * No tap is closed before the answer: its end takes a grace period of the kernel, of each another one.
 * It is made persistent instead, so that the end of the process does not wait for that of the tap. The
 * namespace has no other process, and when it goes the kernel removes all taps in it at once.
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
	TAP_COMMON_FACTS("tap"),
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

/* Turn the open fd into a tap. Without a name the kernel calls it tap0, or what is free. */
int probe_tap_attach(struct probe_child *c, int fd, unsigned int flags)
{
	struct ifreq ifr = { 0 };

	ifr.ifr_flags = (short)flags;
	return probe_ioctl_p(c, fd, TUNSETIFF, &ifr);
}

/* Another fd for c->node, attached */
static int open_fresh(struct probe_child *c, unsigned int flags)
{
	int fd = probe_open(c, c->node), r = fd < 0 ? fd : probe_tap_attach(c, fd, flags);

	if (fd >= 0 && r < 0)
		probe_close(c, fd);
	return r < 0 ? r : fd;
}

/* It is left to the namespace. Where that fails, which a macvtap does, its end takes longer. */
static void leave_tap(struct probe_child *c, int fd)
{
	probe_ioctl(c, fd, TUNSETPERSIST, 1);
}

/* The kernel's tun says EINVAL to what it does not know; every other failure is not an answer. */
static void say_accepted(struct probe_child *c, size_t fact, int r)
{
	probe_say_accepted(c, fact, r, r == -EINVAL || r == -ENOTTY);
}

static void ask_offload(struct probe_child *c, size_t fact, unsigned long argument,
			unsigned int flags)
{
	int fd = open_fresh(c, flags);

	if (fd < 0) {
		probe_say_errno(c, fact, -fd);
		return;
	}
	say_accepted(c, fact, probe_ioctl(c, fd, TUNSETOFFLOAD, argument));
	leave_tap(c, fd);
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
	fd = open_fresh(c, flags | IFF_NAPI | IFF_NAPI_FRAGS);
	probe_say_accepted(c, TAP_NAPI_FRAGS, fd, false);
	if (fd >= 0)
		leave_tap(c, fd);
}

unsigned int probe_tap_begin(struct probe_child *c, int fd, unsigned int *ret_features)
{
	unsigned int flags = IFF_TAP | IFF_NO_PI;
	int r = probe_ioctl_p(c, fd, TUNGETFEATURES, ret_features);

	if (r < 0) {
		probe_say_failed(c, STEP_FEATURES, -r);
		return 0;
	}
	flags |= *ret_features & IFF_VNET_HDR;
	r = probe_tap_attach(c, fd, flags);
	if (r < 0) {
		probe_say_failed(c, STEP_ATTACH, -r);
		return 0;
	}
	probe_say(c, TAP_USABLE, FACT_TRUE, 0, 0);
	probe_say(c, TAP_FEATURES, FACT_WORD, *ret_features, 0);
	return flags;
}

static void tap_ask(struct probe_child *c, int fd)
{
	unsigned int features = 0, flags = probe_tap_begin(c, fd, &features);
	int one = 1, detach = -1;

	if (!flags)
		return;
	say_accepted(c, TAP_STEERING_EBPF, probe_ioctl_p(c, fd, TUNSETSTEERINGEBPF, &detach));
	say_accepted(c, TAP_FILTER_EBPF, probe_ioctl_p(c, fd, TUNSETFILTEREBPF, &detach));
	say_accepted(c, TAP_CARRIER, probe_ioctl_p(c, fd, TUNSETCARRIER, &one));
	say_accepted(c, TAP_VNET_LE, probe_ioctl_p(c, fd, TUNSETVNETLE, &one));
	say_accepted(c, TAP_VNET_BE, probe_ioctl_p(c, fd, TUNSETVNETBE, &one));
	leave_tap(c, fd);

	probe_tap_offloads(c, flags);
	ask_napi_frags(c, features, flags);
}

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
	.modules = (const char *const[]){ "tun", NULL },
	.ask = tap_ask,
};
