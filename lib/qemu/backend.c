/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/qtest.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "host/child.h"

/*
 * What the devices of a throw-away QEMU lie on: made between fork() and exec, in namespaces of the
 * child's own, and handed over as descriptors. QEMU needs no right to any of it.
 *
 * Device by device, the descriptors are those of its queues and then those of vhost-net for them.
 */

const char *const qtest_backend_names[N_QTEST_BACKENDS + 1] = {
	[QTEST_TAP] = "tap",
	[QTEST_TAP_VHOST] = "tap+vhost",
	[QTEST_MACVTAP] = "macvtap",
	[QTEST_MACVTAP_VHOST] = "macvtap+vhost",
	[QTEST_USER] = "user",
	[QTEST_HUB] = "hub",
	[N_QTEST_BACKENDS] = NULL,
};

int qtest_backend(const char *name)
{
	for (int i = 0; i < QTEST_HUB; i++)
		if (streq(qtest_backend_names[i], name))
			return i;
	return -1;
}

static bool is_tap(enum qtest_backend b)
{
	return b == QTEST_TAP || b == QTEST_TAP_VHOST;
}

static bool is_macvtap(enum qtest_backend b)
{
	return b == QTEST_MACVTAP || b == QTEST_MACVTAP_VHOST;
}

bool qtest_has_vhost(enum qtest_backend b)
{
	return b == QTEST_TAP_VHOST || b == QTEST_MACVTAP_VHOST;
}

static unsigned int queues_of(const struct qtest_nic *nic)
{
	if (!is_tap(nic->backend) && !is_macvtap(nic->backend))
		return 0;
	return nic->queues ? nic->queues : 1;
}

static unsigned int fds_of(const struct qtest_nic *nic)
{
	return queues_of(nic) * (qtest_has_vhost(nic->backend) ? 2 : 1);
}

unsigned int qtest_fds(const struct qtest_request *rq)
{
	unsigned int n = 0;

	for (size_t i = 0; i < rq->n_nics; i++)
		n += fds_of(&rq->nics[i]);
	return n;
}

/* The first descriptor of device @i. */
static unsigned int first_fd(const struct qtest_request *rq, size_t i)
{
	unsigned int fd = QMP_FIRST_FD + rq->first;

	for (size_t k = 0; k < i; k++)
		fd += fds_of(&rq->nics[k]);
	return fd;
}

/* ",fd=3", or ",fds=3:4" of several queues */
static void write_fds(const char *name, unsigned int fd, unsigned int n, struct buf *out)
{
	buf_printf(out, ",%s%s=%u", name, n > 1 ? "s" : "", fd);
	for (unsigned int k = 1; k < n; k++)
		buf_printf(out, ":%u", fd + k);
}

void qtest_netdev(const struct qtest_request *rq, size_t i, const char *id, struct buf *out)
{
	const struct qtest_nic *nic = &rq->nics[i];
	unsigned int fd = first_fd(rq, i), n = queues_of(nic);
	char own[32];

	snprintf(own, sizeof(own), "abibase%zu", i);
	if (!id)
		id = own;
	if (n) {
		buf_printf(out, "tap,id=%s", id);
		write_fds("fd", fd, n, out);
		buf_printf(out, ",vhost=%s", qtest_has_vhost(nic->backend) ? "on" : "off");
		if (qtest_has_vhost(nic->backend))
			write_fds("vhostfd", fd + n, n, out);
	} else if (nic->backend == QTEST_USER) {
		buf_printf(out, "user,id=%s", id);
	} else {
		buf_printf(out, "hubport,id=%s,hubid=%zu", id, i);
	}
}

/* ----------------------------------------------------------------- in the child */

enum {
	FAILED_RIGHTS = 1,
	FAILED_NETNS,
	FAILED_TUN,
	FAILED_TAP,
	FAILED_MACVTAP,
	FAILED_VHOST,
	FAILED_TRIAL,
};

const char *qtest_step_words(int step)
{
	static const char *const words[] = {
		[FAILED_RIGHTS] = "making a macvtap takes root",
		[FAILED_NETNS] = "making a network namespace",
		[FAILED_TUN] = "opening /dev/net/tun",
		[FAILED_TAP] = "making a tap",
		[FAILED_MACVTAP] = "making a macvtap",
		[FAILED_VHOST] = "opening /dev/vhost-net",
		[FAILED_TRIAL] = "handing over its monitor",
	};

	return step > 0 && (size_t)step < ARRAY_SIZE(words) ? words[step] : "preparing it";
}

static bool may_unshare(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	return capng_get_caps_process() == 0 &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
}

static void unshare_for_trial(int more)
{
	int r = may_unshare() ? unshare(CLONE_NEWIPC | CLONE_NEWUTS | more) : 0;

	(void)r; /* or it runs in those of the caller, as any program does that the caller starts */
}

/* Both, in one call: the user namespace comes first and owns the other one. */
static int enter_namespaces(const struct qtest_request *rq, int *step)
{
	int flags = 0;

	for (size_t i = 0; i < rq->n_nics; i++) {
		if (queues_of(&rq->nics[i]))
			flags |= CLONE_NEWNET;
		if (is_macvtap(rq->nics[i].backend))
			flags |= CLONE_NEWNS;
	}
	/* One on trial is alone where it may be, and gets on without where it may not. */
	if (rq->trial)
		unshare_for_trial(flags ? 0 : CLONE_NEWNET);
	if (!flags)
		return 0;
	if (!may_unshare()) {
		/* No user namespace gives the right to make a node. */
		*step = FAILED_RIGHTS;
		if (flags & CLONE_NEWNS)
			return -EPERM;
		flags |= CLONE_NEWUSER;
	}
	*step = FAILED_NETNS;
	return unshare(flags) < 0 ? -errno : 0;
}

/* Open a node and leave it, open across exec, under a number that QEMU is told. */
int qtest_open_as(const char *node, unsigned int number)
{
	int fd = open(node, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (fd == (int)number)
		return fcntl(fd, F_SETFD, 0) < 0 ? -errno : 0;
	if (dup2(fd, (int)number) < 0)
		return -errno;
	close(fd);
	return 0;
}

/* As QEMU makes it. Further queues join the interface by its name. */
static int open_queues(const struct qtest_nic *nic, const char *node, unsigned int fd, int *step)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	unsigned int n = queues_of(nic);

	if (!nic->no_vnet_hdr)
		ifr.ifr_flags |= IFF_VNET_HDR;
	if (n > 1)
		ifr.ifr_flags |= IFF_MULTI_QUEUE;
	for (unsigned int k = 0; k < n; k++) {
		int r = qtest_open_as(node, fd + k);

		if (r < 0)
			return r;
		if (is_tap(nic->backend))
			*step = FAILED_TAP;
		if (ioctl((int)(fd + k), TUNSETIFF, &ifr) < 0)
			return -errno;
	}
	return 0;
}

int qtest_open_taps(const struct qtest_request *rq, int *step)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rq->n_nics; i++) {
		*step = FAILED_TUN;
		if (is_tap(rq->nics[i].backend))
			r = open_queues(&rq->nics[i], "/dev/net/tun", first_fd(rq, i), step);
	}
	return r;
}

int qtest_open_vhost(const struct qtest_request *rq, int *step)
{
	*step = FAILED_VHOST;
	for (size_t i = 0; i < rq->n_nics; i++) {
		unsigned int n = queues_of(&rq->nics[i]);

		for (unsigned int k = n; k < fds_of(&rq->nics[i]); k++) {
			int r = qtest_open_as("/dev/vhost-net", first_fd(rq, i) + k);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* QEMU is to find the /dev and the /sys that it is used to. */
static int uncover(void)
{
	return umount2("/dev", MNT_DETACH) < 0 || umount2("/sys", MNT_DETACH) < 0 ? -errno : 0;
}

/* All devices share one macvtap, each by queues of its own: what is offered is the same. */
static int open_macvtaps(const struct qtest_request *rq, int *step)
{
	struct probe_child c = { .ops = &probe_real_ops, .surface = &probe_macvtap, .fd = -1 };
	enum probe_step failed;
	bool made = false;

	for (size_t i = 0; i < rq->n_nics; i++) {
		int r;

		if (!is_macvtap(rq->nics[i].backend))
			continue;
		*step = FAILED_MACVTAP;
		if (!made) {
			int lower = probe_macvtap_make(&c, &failed);

			/* It stays open across exec, for the macvtap goes with it. */
			if (lower < 0 || fcntl(lower, F_SETFD, 0) < 0)
				return lower < 0 ? lower : -errno;
		}
		made = true;
		r = open_queues(&rq->nics[i], PROBE_OWN_NODE, first_fd(rq, i), step);
		if (r < 0)
			return r;
	}
	return made ? uncover() : 0;
}

static int enter_trial(const struct qtest_request *rq, int *step)
{
	int fd = QMP_FIRST_FD + (int)qtest_fds(rq);

	*step = FAILED_TRIAL;
	if (dup2(rq->trial->monitor_fd, fd) < 0)
		return -errno;
	if (rq->trial->bios_fd >= 0 && dup2(rq->trial->bios_fd, fd + 1) < 0)
		return -errno;
	return 0;
}

int qtest_prepare(void *data, int *step)
{
	const struct qtest_request *rq = data;
	int r = enter_namespaces(rq, step);

	if (r == 0)
		r = qtest_open_taps(rq, step);
	if (r == 0)
		r = qtest_open_vhost(rq, step);
	if (r == 0)
		r = open_macvtaps(rq, step);
	return r < 0 || !rq->trial ? r : enter_trial(rq, step);
}
