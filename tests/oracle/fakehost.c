/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An LD_PRELOAD library that answers for /dev/net/tun and /dev/vhost-net as a recorded kernel does,
 * so that a real QEMU can be watched on any kernel without a VM, without rights, without a device.
 *
 * $ABIBASE_FAKEHOST is one line of NAME=NUMBER words, all hexadecimal without 0x; oracle.py makes
 * it from the facts of a profile. What is missing is 0: the kernel does not have it.
 *
 *   macvtap         1: the tap is a macvtap
 *   tap             what TUNGETFEATURES says
 *   offload         mask of TUN_F_*: what TUNSETOFFLOAD accepts, each with what must come with it
 *   steering_ebpf   1: TUNSETSTEERINGEBPF works
 *   vhost           what VHOST_GET_FEATURES says
 *   backend         what VHOST_GET_BACKEND_FEATURES says
 *   array           1: VHOST_GET_FEATURES_ARRAY is known, and says array1:array0
 *   array0, array1
 *
 * It is loaded into programs of other releases, older ones too. So it is linked with nothing, which
 * leaves its symbols without a version, and it calls only what every C library has.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_FD 1024

char *getenv(const char *name);

/* The values of newer kernels, where the headers are older. */
#define F_CSUM 0x001
#define F_TSO (0x002 | 0x004)
#define F_ECN 0x008
#define F_UFO 0x010
#define F_USO (0x020 | 0x040)
#define F_TUNNEL 0x080
#define F_TUNNEL_CSUM 0x100

struct features_array {
	uint64_t count;
	uint64_t features[2];
};
#define GET_FEATURES_ARRAY _IOR(VHOST_VIRTIO, 0x83, uint64_t)

/* What is called before VHOST_SET_OWNER and not known is EPERM, and ENOIOCTLCMD later. */
static bool owned[MAX_FD];

static int fail(int error)
{
	errno = error;
	return -1;
}

/* NAME=: the text behind it in the environment variable, or NULL */
static const char *find(const char *name)
{
	const char *s = getenv("ABIBASE_FAKEHOST");

	while (s && *s) {
		size_t i = 0;

		while (name[i] && s[i] == name[i])
			i++;
		if (!name[i] && s[i] == '=')
			return s + i + 1;
		while (*s && *s != ' ')
			s++;
		while (*s == ' ')
			s++;
	}
	return NULL;
}

static uint64_t number(const char *name)
{
	const char *s = find(name);
	uint64_t n = 0;

	for (; s && *s && *s != ' '; s++)
		n = n << 4 | (uint64_t)(*s <= '9' ? *s - '0' : *s - 'a' + 10);
	return n;
}

/* ------------------------------------------------------------------- tap */

/* As set_offload() of drivers/net/tun.c */
static bool tap_accepts(unsigned long arg, unsigned long known)
{
	bool tso = arg & F_TSO;

	if (!(arg & F_CSUM))
		return arg == 0;
	if (arg & ~known)
		return false;
	if ((arg & F_ECN) && !tso)
		return false;
	if ((arg & F_USO) && (arg & F_USO) != F_USO)
		return false;
	if ((arg & F_TUNNEL) && !tso && !(arg & F_USO))
		return false;
	return !(arg & F_TUNNEL_CSUM) || (arg & F_TUNNEL);
}

static int set_offload(unsigned long arg)
{
	unsigned long known = number("offload");

	/* drivers/net/tap.c looks for bits that it does not know, and no further */
	if (number("macvtap") ? arg & ~known : !tap_accepts(arg, known))
		return fail(EINVAL);
	return 0;
}

static int get_iff(struct ifreq *ifr)
{
	__builtin_memset(ifr, 0, sizeof(*ifr));
	__builtin_memcpy(ifr->ifr_name, "fake0", 6);
	ifr->ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	return 0;
}

static int tap_ioctl(unsigned long request, void *arg)
{
	switch (request) {
	case TUNGETFEATURES:
		*(unsigned int *)arg = (unsigned int)number("tap");
		return 0;
	case TUNGETIFF:
		return get_iff(arg);
	case TUNSETIFF:
		/* a name, as the kernel would choose it */
		__builtin_memcpy(((struct ifreq *)arg)->ifr_name, "fake0", 6);
		return 0;
	case TUNSETOFFLOAD:
		return set_offload((unsigned long)arg);
	case TUNSETSTEERINGEBPF:
		return number("steering_ebpf") ? 0 : fail(EINVAL);
	case TUNGETVNETHDRSZ:
		*(int *)arg = 10; /* of a fresh tap, everywhere */
		return 0;
	case TUNSETSNDBUF:
	case TUNSETVNETHDRSZ:
	case TUNSETVNETLE:
	case TUNSETVNETBE:
	case TUNSETQUEUE:
		return 0;
	default:
		return fail(EINVAL);
	}
}

/* ----------------------------------------------------------------- vhost */

static int get_features_array(struct features_array *arg)
{
	arg->features[0] = number("array0");
	if (arg->count > 1)
		arg->features[1] = number("array1");
	return 0;
}

static int vhost_ioctl(int fd, unsigned long request, void *arg)
{
	bool *owner = &owned[(unsigned int)fd % MAX_FD];

	switch (request) {
	case VHOST_SET_OWNER:
		*owner = true;
		return 0;
	case VHOST_GET_FEATURES:
		*(uint64_t *)arg = number("vhost");
		return 0;
	case VHOST_GET_BACKEND_FEATURES:
		*(uint64_t *)arg = number("backend");
		return 0;
	case VHOST_SET_FEATURES:
		return *(uint64_t *)arg & ~number("vhost") ? fail(EOPNOTSUPP) : 0;
	case VHOST_SET_BACKEND_FEATURES:
		return *(uint64_t *)arg & ~number("backend") ? fail(EOPNOTSUPP) : 0;
	case VHOST_SET_VRING_CALL:
	case VHOST_SET_VRING_ERR:
	case VHOST_SET_VRING_BUSYLOOP_TIMEOUT:
		return 0;
	default:
		if (request == GET_FEATURES_ARRAY && number("array"))
			return get_features_array(arg);
		return fail(*owner ? ENOTTY : EPERM);
	}
}

/* ------------------------------------------------------------- interposed */

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	/* Nothing else in QEMU has these types: those of a terminal are 'T' too, but below 0x80. */
	if (_IOC_TYPE(request) == 'T' && _IOC_NR(request) >= 200)
		return tap_ioctl(request, arg);
	if (_IOC_TYPE(request) == VHOST_VIRTIO)
		return vhost_ioctl(fd, request, arg);
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* An eventfd is never readable until somebody writes to it: no packet arrives. */
static int open_any(const char *path, int flags, mode_t mode)
{
	int fd;

	if (!getenv("ABIBASE_FAKEHOST") ||
	    (!same(path, "/dev/net/tun") && !same(path, "/dev/vhost-net")))
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	if (same(path, "/dev/vhost-net") && !find("vhost"))
		return fail(ENOENT);
	fd = (int)syscall(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd >= 0)
		owned[fd % MAX_FD] = false;
	return fd;
}

static mode_t mode_of(int flags, va_list ap)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ?
		       (mode_t)va_arg(ap, unsigned int) :
		       0;
}

#define DEFINE_OPEN(name)                                  \
	EXPORT int name(const char *path, int flags, ...); \
	EXPORT int name(const char *path, int flags, ...)  \
	{                                                  \
		va_list ap;                                \
		mode_t mode;                               \
                                                           \
		va_start(ap, flags);                       \
		mode = mode_of(flags, ap);                 \
		va_end(ap);                                \
		return open_any(path, flags, mode);        \
	}

DEFINE_OPEN(open)
DEFINE_OPEN(open64)

/* What the headers make of an open() without a mode where a program is built with fortification. */
EXPORT int __open_2(const char *path, int flags);
EXPORT int __open_2(const char *path, int flags)
{
	return open_any(path, flags, 0);
}

EXPORT int __open64_2(const char *path, int flags);
EXPORT int __open64_2(const char *path, int flags)
{
	return open_any(path, flags, 0);
}
