/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ask a macvtap or ipvtap, made for it in the child's own network namespace and seen by nobody
 * else. It lies on a tap and not on a dummy: loading the module dummy puts a dummy0 onto the host.
 * Its node is made in a /dev of the child's own, with the number that a sysfs of the child's own
 * tells, so that no /dev/tapN of the host is ever opened.
 */

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <sys/mount.h>

#include "host/child.h"

/*
 * Far from what a kernel counts up to: the kernel puts a node called after the index into the
 * devtmpfs of all, and it must not take the name of one that the host makes in that moment.
 */
#define LOWER_INDEX 1999999001
#define LINK_INDEX 1999999002
#define LINK_INDEX_TEXT "1999999002"

/* Only what all kinds of tap have. */
static const struct probe_fact macvtap_facts[TAP_COMMON] = { TAP_COMMON_FACTS("macvtap") };
static const struct probe_fact ipvtap_facts[TAP_COMMON] = { TAP_COMMON_FACTS("ipvtap") };

/* ------------------------------------------------------------- the devices */

/* The tap that the other one lies on: a descriptor, or a negative errno. */
static int make_lower(struct probe_child *c)
{
	unsigned int index = LOWER_INDEX;
	int fd = probe_open(c, c->surface->lower->node), r;

	if (fd < 0)
		return fd;
	r = probe_ioctl_p(c, fd, TUNSETIFINDEX, &index);
	if (r >= 0)
		r = probe_tap_attach(c, fd, IFF_TAP | IFF_NO_PI);
	if (r >= 0)
		return fd;
	probe_close(c, fd);
	return r;
}

/* One request to rtnetlink; all of its attributes are put behind one another. */
struct request {
	struct nlmsghdr header;
	struct ifinfomsg info;
	char attributes[64];
};

static void request_init(struct request *q, unsigned short type, unsigned short flags)
{
	memset(q, 0, sizeof(*q));
	q->header.nlmsg_len = NLMSG_LENGTH(sizeof(q->info));
	q->header.nlmsg_type = type;
	q->header.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags);
	q->info.ifi_index = LINK_INDEX;
}

static struct rtattr *request_add(struct request *q, unsigned short type, const void *data,
				  size_t len)
{
	struct rtattr *a = (struct rtattr *)((char *)q + NLMSG_ALIGN(q->header.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	q->header.nlmsg_len = NLMSG_ALIGN(q->header.nlmsg_len) + RTA_ALIGN(a->rta_len);
	return a;
}

static int make_link(struct probe_child *c)
{
	const char *kind = c->surface->name;
	const int lower = LOWER_INDEX;
	struct request q;
	struct rtattr *info;

	request_init(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	request_add(&q, IFLA_LINK, &lower, sizeof(lower));
	info = request_add(&q, IFLA_LINKINFO, NULL, 0);
	request_add(&q, IFLA_INFO_KIND, kind, strlen(kind) + 1);
	info->rta_len = (unsigned short)((char *)&q + q.header.nlmsg_len - (char *)info);
	return c->ops->rtnl(c->ops_data, &q, q.header.nlmsg_len);
}

/* At once: the end of the namespace would do it too, but some time later. */
static void remove_link(struct probe_child *c)
{
	struct request q;

	request_init(&q, RTM_DELLINK, 0);
	c->ops->rtnl(c->ops_data, &q, q.header.nlmsg_len);
}

/* ---------------------------------------------------------------- the node */

/* "241:1" and a newline */
static int parse_number(const char **p, char end, unsigned int *ret)
{
	unsigned int n = 0;
	const char *s = *p;

	for (; *s >= '0' && *s <= '9' && n < 1u << 20; s++)
		n = n * 10 + (unsigned int)(*s - '0');
	if (s == *p || *s != end)
		return -EINVAL;
	*ret = n;
	*p = s + 1;
	return 0;
}

static int device_number(struct probe_child *c, unsigned int *major, unsigned int *minor)
{
	bool ipvtap = c->surface == &probe_ipvtap;
	char text[32];
	const char *p = text;
	int r = c->ops->read_text(c->ops_data,
				  ipvtap ? "/sys/class/ipvtap/tap" LINK_INDEX_TEXT "/dev" :
					   "/sys/class/macvtap/tap" LINK_INDEX_TEXT "/dev",
				  text, sizeof(text));

	if (r >= 0)
		r = parse_number(&p, ':', major);
	return r < 0 ? r : parse_number(&p, '\n', minor);
}

/* The mount namespace is the child's own, and nothing in it spreads to where it was copied from. */
static int make_node(struct probe_child *c)
{
	const struct probe_ops *ops = c->ops;
	unsigned int major, minor;
	int r = ops->mount(c->ops_data, NULL, "/", MS_REC | MS_PRIVATE);

	if (r >= 0)
		r = ops->mount(c->ops_data, "sysfs", "/sys",
			       MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
	if (r >= 0)
		r = device_number(c, &major, &minor);
	if (r >= 0)
		r = ops->mount(c->ops_data, "tmpfs", "/dev", MS_NOSUID | MS_NOEXEC);
	if (r >= 0)
		r = ops->mknod(c->ops_data, PROBE_OWN_NODE, major, minor);
	return r;
}

/* ------------------------------------------------------------- the questions */

static void ask_link(struct probe_child *c)
{
	unsigned int features = 0, flags;
	int fd;

	c->node = PROBE_OWN_NODE;
	fd = probe_open(c, c->node);
	if (fd < 0) {
		probe_say_failed(c, STEP_NODE, -fd);
		return;
	}
	flags = probe_tap_begin(c, fd, &features);
	probe_close(c, fd);
	if (flags)
		probe_tap_offloads(c, flags);
}

int probe_macvtap_make(struct probe_child *c, enum probe_step *ret_step)
{
	int lower = make_lower(c), r;

	*ret_step = STEP_LOWER;
	if (lower < 0)
		return lower;
	*ret_step = STEP_LINK;
	r = make_link(c);
	if (r >= 0) {
		*ret_step = STEP_NODE;
		r = make_node(c);
		if (r >= 0)
			return lower;
		remove_link(c);
	}
	probe_close(c, lower);
	return r;
}

static void macvtap_run(struct probe_child *c)
{
	enum probe_step step;
	int lower = probe_macvtap_make(c, &step), r;

	if (lower < 0) {
		probe_say_failed(c, step, -lower);
		return;
	}
	r = c->ops->caps_keep(c->ops_data, PROBE_CAP_NET_ADMIN);
	if (r < 0)
		probe_say_failed(c, STEP_CAPABILITIES, -r);
	else
		ask_link(c);
	remove_link(c);
	probe_close(c, lower);
}

/* Its driver, its module and what it is called are one word. */
#define SURFACE(kind, its_facts, driver)                                              \
	{                                                                             \
		.name = kind, .option = kind, .node = kind, .module = kind,           \
		.chardev = kind, .netns = true, .mountns = true,                      \
		.caps = PROBE_CAP_NET_ADMIN | PROBE_CAP_SYS_ADMIN | PROBE_CAP_MKNOD,  \
		.lower = &probe_tap, .facts = its_facts, .n_facts = TAP_COMMON,       \
		.modules = (const char *const[]){ driver, kind, "tap", "tun", NULL }, \
		.run = macvtap_run                                                    \
	}
const struct probe_surface probe_macvtap = SURFACE("macvtap", macvtap_facts, "macvlan");
const struct probe_surface probe_ipvtap = SURFACE("ipvtap", ipvtap_facts, "ipvlan");
