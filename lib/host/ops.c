/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The system itself, as struct probe_ops has it. */

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "host/ops.h"

#define PROC_FILE_MAX (4u << 20)

static int real_uname(void *data, struct utsname *ret)
{
	(void)data;
	return uname(ret) < 0 ? -errno : 0;
}

static uid_t real_euid(void *data)
{
	(void)data;
	return geteuid();
}

static int real_read_file(void *data, const char *path, struct buf *ret)
{
	_autoclose_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[4096];

	(void)data;
	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
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
	(void)data;
	return access(path, F_OK) < 0 ? -errno : 0;
}

static int real_open(void *data, const char *path)
{
	int fd;

	(void)data;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

static int real_close(void *data, int fd)
{
	(void)data;
	return close(fd) < 0 ? -errno : 0;
}

static int real_ioctl(void *data, int fd, unsigned long request, unsigned long arg)
{
	int r;

	(void)data;
	r = ioctl(fd, request, arg);
	return r < 0 ? -errno : r;
}

static int real_unshare(void *data, int flags)
{
	(void)data;
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

	(void)data;
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
	(void)data;
	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; i < N_PROBE_CAPS; i++)
		if (caps & probe_capabilities[i].bit &&
		    capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
				 probe_capabilities[i].cap) < 0)
			return -EINVAL;
	return capng_apply(CAPNG_SELECT_CAPS) < 0 ? -EPERM : 0;
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
	.list = probe_sys_list,
	.read_text = probe_sys_read_text,
	.rtnl = probe_sys_rtnl,
	.mount = probe_sys_mount,
	.mknod = probe_sys_mknod,
	.bpf = probe_sys_bpf,
};
