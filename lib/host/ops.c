/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The system itself, as struct probe_ops has it. */

#include <cap-ng.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "host/ops.h"

#define PROC_FILE_MAX (4u << 20)

static int real_uname(void *data, struct utsname *ret)
{
	return uname(ret) < 0 ? -errno : 0;
}

static uid_t real_euid(void *data)
{
	return geteuid();
}

static int real_read_file(void *data, const char *path, struct buf *ret)
{
	_autoclose_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[4096];

	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n = TEMP_FAILURE_RETRY(read(fd, chunk, sizeof(chunk)));

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		buf_add(ret, chunk, (size_t)n);
		if (ret->len > PROC_FILE_MAX)
			return -EFBIG;
	}
	return buf_failed(ret) ? -ENOMEM : 0;
}

static int real_exists(void *data, const char *path)
{
	return access(path, F_OK) < 0 ? -errno : 0;
}

static int real_open(void *data, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

static int real_close(void *data, int fd)
{
	return close(fd) < 0 ? -errno : 0;
}

static int real_ioctl(void *data, int fd, unsigned long request, unsigned long arg)
{
	int r = ioctl(fd, request, arg);

	return r < 0 ? -errno : r;
}

static int real_unshare(void *data, int flags)
{
	return unshare(flags) < 0 ? -errno : 0;
}

#ifndef CAP_BPF
#define CAP_BPF 39
#endif

const struct probe_capability probe_capabilities[N_PROBE_CAPS] = {
	{ PROBE_CAP_NET_ADMIN, CAP_NET_ADMIN, "net_admin" },
	{ PROBE_CAP_SYS_ADMIN, CAP_SYS_ADMIN, "sys_admin" },
	{ PROBE_CAP_MKNOD, CAP_MKNOD, "mknod" },
	{ PROBE_CAP_BPF, CAP_BPF, "bpf" },
};

static unsigned int real_caps_held(void *data)
{
	unsigned int held = 0;

	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_get_caps_process() < 0)
		return 0;
	for (size_t i = 0; i < N_PROBE_CAPS; i++)
		if (capng_have_capability(CAPNG_EFFECTIVE, probe_capabilities[i].cap))
			held |= probe_capabilities[i].bit;
	return held;
}

static int real_caps_keep(void *data, unsigned int caps)
{
	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; i < N_PROBE_CAPS; i++)
		if (caps & probe_capabilities[i].bit &&
		    capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
				 probe_capabilities[i].cap) < 0)
			return -EINVAL;
	return capng_apply(CAPNG_SELECT_CAPS) < 0 ? -EPERM : 0;
}

static int real_list(void *data, const char *path, struct buf *ret)
{
	DIR *dir = opendir(path);
	struct dirent *d;

	if (!dir)
		return -errno;
	while ((d = readdir(dir))) {
		buf_puts(ret, d->d_name);
		buf_putc(ret, '\n');
	}
	closedir(dir);
	return buf_failed(ret) ? -ENOMEM : 0;
}

static int real_read_text(void *data, const char *path, char *ret, size_t size)
{
	_autoclose_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = TEMP_FAILURE_RETRY(read(fd, ret, size - 1));
	if (n < 0)
		return -errno;
	ret[n] = '\0';
	return (int)n;
}

/* The request asks for an acknowledgement, and nothing else comes to a socket that just sends. */
static int real_rtnl(void *data, const void *message, size_t len)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[512]; /* newer kernels add words */
	} answer;
	_autoclose_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (send(fd, message, len, 0) < 0)
		return -errno;
	n = TEMP_FAILURE_RETRY(recv(fd, &answer, sizeof(answer), 0));
	if (n < 0)
		return -errno;
	if ((size_t)n < NLMSG_LENGTH(sizeof(answer.error)) ||
	    answer.header.nlmsg_type != NLMSG_ERROR)
		return -EBADMSG;
	return answer.error.error;
}

static int real_mount(void *data, const char *type, const char *target, unsigned long flags)
{
	return mount(type, target, type, flags, NULL) < 0 ? -errno : 0;
}

static int real_mknod(void *data, const char *path, unsigned int major, unsigned int minor)
{
	return mknod(path, S_IFCHR | 0600, makedev(major, minor)) < 0 ? -errno : 0;
}

static int real_bpf(void *data, int command, void *attr, unsigned int size)
{
	long fd = syscall(SYS_bpf, command, attr, size);

	return fd < 0 ? -errno : (int)fd;
}

const struct probe_ops probe_real_ops = {
	.uname = real_uname,
	.euid = real_euid,
	.read_file = real_read_file,
	.exists = real_exists,
	.module_index = probe_module_index,
	.open = real_open,
	.close = real_close,
	.ioctl = real_ioctl,
	.unshare = real_unshare,
	.caps_held = real_caps_held,
	.caps_keep = real_caps_keep,
	.list = real_list,
	.read_text = real_read_text,
	.rtnl = real_rtnl,
	.mount = real_mount,
	.mknod = real_mknod,
	.bpf = real_bpf,
};
