/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* System calls of the probe that few surfaces use; all but the first run in the forked child. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "host/ops.h"

int probe_sys_list(void *data, const char *path, struct buf *ret)
{
	DIR *dir = opendir(path);
	struct dirent *d;

	(void)data;
	if (!dir)
		return -errno;
	while ((d = readdir(dir))) {
		buf_puts(ret, d->d_name);
		buf_putc(ret, '\n');
	}
	closedir(dir);
	return buf_failed(ret) ? -ENOMEM : 0;
}

int probe_sys_read_text(void *data, const char *path, char *ret, size_t size)
{
	_autoclose_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	(void)data;
	if (fd < 0)
		return -errno;
	do
		n = read(fd, ret, size - 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	ret[n] = '\0';
	return (int)n;
}

/* The request asks for an acknowledgement, and nothing else comes to a socket that just sends. */
int probe_sys_rtnl(void *data, const void *message, size_t len)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[512]; /* newer kernels add words */
	} answer;
	_autoclose_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t n;

	(void)data;
	if (fd < 0)
		return -errno;
	if (send(fd, message, len, 0) < 0)
		return -errno;
	do
		n = recv(fd, &answer, sizeof(answer), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((size_t)n < NLMSG_LENGTH(sizeof(answer.error)) ||
	    answer.header.nlmsg_type != NLMSG_ERROR)
		return -EBADMSG;
	return answer.error.error;
}

int probe_sys_mount(void *data, const char *type, const char *target, unsigned long flags)
{
	(void)data;
	return mount(type, target, type, flags, NULL) < 0 ? -errno : 0;
}

int probe_sys_mknod(void *data, const char *path, unsigned int major, unsigned int minor)
{
	(void)data;
	return mknod(path, S_IFCHR | 0600, makedev(major, minor)) < 0 ? -errno : 0;
}

int probe_sys_bpf(void *data, int command, void *attr, unsigned int size)
{
	long fd = syscall(SYS_bpf, command, attr, size);

	(void)data;
	return fd < 0 ? -errno : (int)fd;
}
