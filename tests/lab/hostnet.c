/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Network devices of a lab VM, for the QEMUs in it.
 *
 *   hostnet macvtap NAME        a macvtap over the interface dummy0 (the module dummy makes it), both
 *                               up; /dev/NAME leads to its node
 *   hostnet tap NAME ADDRESS    a tap that stays, up, with an IPv4 address /24
 *
 * Exit status 0, or 1 with a sentence on stderr.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOWER "dummy0"

static int fail(const char *what)
{
	fprintf(stderr, "hostnet: %s: %s\n", what, strerror(errno));
	return -1;
}

/* ---------------------------------------------------------------- netlink */

struct request {
	struct nlmsghdr header;
	struct ifinfomsg info;
	char attributes[256];
};

/* With @len 0 a nest: it ends where request_end() is called. */
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

static void request_end(struct request *q, struct rtattr *nest)
{
	nest->rta_len = (unsigned short)((char *)q + q->header.nlmsg_len - (char *)nest);
}

/* The answer to a request is an error message; 0 is none. */
static int request_send(struct request *q)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[512];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = send(fd, q, q->header.nlmsg_len, 0);
	if (n >= 0)
		n = recv(fd, &answer, sizeof(answer), 0);
	close(fd);
	if (n < 0)
		return -1;
	errno = n < (ssize_t)NLMSG_LENGTH(sizeof(answer.error)) ||
				answer.header.nlmsg_type != NLMSG_ERROR ?
			EPROTO :
			-answer.error.error;
	return errno ? -1 : 0;
}

/* --------------------------------------------------------------- interfaces */

static int set_up(const char *name)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	r = ioctl(fd, SIOCGIFFLAGS, &ifr);
	ifr.ifr_flags |= IFF_UP;
	if (r == 0)
		r = ioctl(fd, SIOCSIFFLAGS, &ifr);
	if (r < 0)
		fail(name);
	close(fd);
	return r;
}

static int make_macvtap(const char *name)
{
	struct request q = { .header = { .nlmsg_len = NLMSG_LENGTH(sizeof(q.info)),
					 .nlmsg_type = RTM_NEWLINK,
					 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE |
							NLM_F_EXCL } };
	const unsigned int lower = if_nametoindex(LOWER), mode = MACVLAN_MODE_BRIDGE;
	struct rtattr *info, *data;

	if (!lower)
		return fail(LOWER);
	request_add(&q, IFLA_LINK, &lower, sizeof(lower));
	request_add(&q, IFLA_IFNAME, name, strlen(name) + 1);
	info = request_add(&q, IFLA_LINKINFO, NULL, 0);
	request_add(&q, IFLA_INFO_KIND, "macvtap", sizeof("macvtap"));
	data = request_add(&q, IFLA_INFO_DATA, NULL, 0);
	request_add(&q, IFLA_MACVLAN_MODE, &mode, sizeof(mode));
	request_end(&q, data);
	request_end(&q, info);
	return request_send(&q) < 0 ? fail(name) : 0;
}

/* devtmpfs has made /dev/tapN. */
static int link_node(const char *name)
{
	char node[32], path[64];

	snprintf(node, sizeof(node), "tap%u", if_nametoindex(name));
	snprintf(path, sizeof(path), "/dev/%s", node);
	if (access(path, R_OK | W_OK) < 0)
		return fail(path);
	snprintf(path, sizeof(path), "/dev/%.32s", name);
	return symlink(node, path) < 0 ? fail(path) : 0;
}

static int macvtap(const char *name)
{
	return make_macvtap(name) < 0 || set_up(LOWER) < 0 || set_up(name) < 0 ||
			       link_node(name) < 0 ?
		       -1 :
		       0;
}

static int make_tap(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0 || ioctl(fd, TUNSETPERSIST, 1) < 0)
		return fail(name);
	return close(fd);
}

/* The same MAC on every host: a guest that has moved goes on sending to it. */
static int set_address(const char *name, const char *address)
{
	static const unsigned char mac[] = { 0x52, 0x54, 0x00, 0xab, 0x1b, 0x01 };
	struct ifreq ifr = { .ifr_addr.sa_family = AF_INET };
	struct sockaddr_in *sin = (struct sockaddr_in *)&ifr.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (inet_pton(AF_INET, address, &sin->sin_addr) != 1) {
		errno = EINVAL;
		return fail(address);
	}
	r = ioctl(fd, SIOCSIFADDR, &ifr);
	if (r == 0) {
		inet_pton(AF_INET, "255.255.255.0", &sin->sin_addr);
		r = ioctl(fd, SIOCSIFNETMASK, &ifr);
	}
	if (r == 0) {
		ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
		memcpy(ifr.ifr_hwaddr.sa_data, mac, sizeof(mac));
		r = ioctl(fd, SIOCSIFHWADDR, &ifr);
	}
	close(fd);
	return r < 0 ? fail(address) : 0;
}

static int tap(const char *name, const char *address)
{
	return make_tap(name) < 0 || set_address(name, address) < 0 || set_up(name) < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "macvtap") == 0)
		return macvtap(argv[2]) < 0;
	if (argc == 4 && strcmp(argv[1], "tap") == 0)
		return tap(argv[2], argv[3]) < 0;
	fprintf(stderr, "usage: hostnet macvtap NAME | hostnet tap NAME ADDRESS\n");
	return 1;
}
