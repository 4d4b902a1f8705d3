/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An LD_PRELOAD library that answers for /dev/net/tun and /dev/vhost-* as a recorded kernel does,
 * so that a real QEMU can be watched on any kernel without a VM, without rights, without a device.
 *
 * $ABIBASE_FAKEHOST is one line of NAME=NUMBER words, all hexadecimal without 0x; fakehost.py makes
 * it from the facts of a profile. What is missing is 0: the kernel does not have it.
 *
 *   tap             what TUNGETFEATURES says
 *   subsets         512 bits: which arguments TUNSETOFFLOAD accepts; the lowest is argument 0
 *   steering_ebpf   1: TUNSETSTEERINGEBPF works
 *   vhost           what VHOST_GET_FEATURES of vhost-net says; without it there is none
 *   backend         what VHOST_GET_BACKEND_FEATURES says
 *   array           1: VHOST_GET_FEATURES_ARRAY is known, and says array1:array0
 *   array0, array1
 *   vsock           what VHOST_GET_FEATURES of vhost-vsock says; without it there is none
 *   scsi            what VHOST_GET_FEATURES of vhost-scsi says; without it there is none
 *   no_start        1: vhost-net does not take a backend, as if it could not start
 *
 * vhost can be started, which moves no packet, and what the kernel checks on the way is checked:
 * the order of the calls, the features, the size of a queue, that the backend is a tap.
 *
 * Built with -DFAKEHOST="WORDS" it needs no environment, and can be in /etc/ld.so.preload of a root:
 * libvirtd, which makes real taps and hands them to QEMU, is left alone then. See tests/libvirt.
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
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_FD 1024

/* TUN_F_*, up to TUN_F_UDP_TUNNEL_GSO_CSUM */
#define OFFLOAD_BITS 9

/* Of newer kernels, where the headers are older. */
struct features_array {
	uint64_t count;
	uint64_t features[2];
};
#define GET_FEATURES_ARRAY _IOR(VHOST_VIRTIO, 0x83, uint64_t)
#define SET_FEATURES_ARRAY _IOW(VHOST_VIRTIO, 0x83, uint64_t)

enum kind { OTHER, NONE, TAP, VHOST_NET, VHOST_VSOCK, VHOST_SCSI };
/* By kind: the word with the features. */
static const char *const feature_words[] = { [VHOST_NET] = "vhost", [VHOST_VSOCK] = "vsock",
					     [VHOST_SCSI] = "scsi" };

/* The files that were opened, by descriptor. */
#define MAX_VRINGS 8 /* as many as a SCSI device of a small guest; the others have 2 */
static struct file {
	enum kind kind;
	bool owned, memory;
	bool started[MAX_VRINGS];
	unsigned int base[MAX_VRINGS];
} files[MAX_FD];

static int fail(int error)
{
	errno = error;
	return -1;
}

/* What the kernel answers; NULL: this program asks the kernel that runs. */
static const char *words(void)
{
#ifdef FAKEHOST
	static const char manager[] = "/usr/sbin/libvirtd";
	static bool known, is_manager;
	char path[sizeof(manager)];

	if (!known) {
		long n = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path, sizeof(path));

		is_manager = n == sizeof(manager) - 1 &&
			     !__builtin_memcmp(path, manager, sizeof(manager) - 1);
		known = true;
	}
	return is_manager ? NULL : FAKEHOST;
#else
	char *getenv(const char *name);

	return getenv("ABIBASE_FAKEHOST");
#endif
}

/* NAME=: the text behind it among the words, or NULL */
static const char *find(const char *name)
{
	const char *s = words();

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

static int set_offload(unsigned long arg)
{
	const char *s = find("subsets");
	size_t digits = 0;
	int digit;

	while (s && s[digits] && s[digits] != ' ')
		digits++;
	/* the last digit has the arguments 0 to 3 */
	if (arg >> OFFLOAD_BITS || digits <= arg / 4)
		return fail(EINVAL);
	digit = s[digits - 1 - arg / 4];
	digit -= digit <= '9' ? '0' : 'a' - 10;
	return digit >> (arg % 4) & 1 ? 0 : fail(EINVAL);
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

static int set_features_array(const struct features_array *arg)
{
	uint64_t high = arg->count > 1 ? arg->features[1] : 0;

	return (arg->features[0] & ~number("array0")) || (high & ~number("array1")) ?
		       fail(EOPNOTSUPP) :
		       0;
}

/* As vhost_vring_ioctl() of drivers/vhost/vhost.c */
static int vring_ioctl(struct file *f, unsigned long request, void *arg)
{
	struct vhost_vring_state *state = arg;
	unsigned int queue = state->index; /* it comes first in all of them */

	if (queue >= (f->kind == VHOST_SCSI ? MAX_VRINGS : 2))
		return fail(ENOBUFS);
	switch (request) {
	case VHOST_SET_VRING_NUM:
		if (f->started[queue])
			return fail(EBUSY);
		return !state->num || state->num > 0xffff || (state->num & (state->num - 1)) ?
			       fail(EINVAL) :
			       0;
	case VHOST_SET_VRING_BASE:
		if (f->started[queue])
			return fail(EBUSY);
		f->base[queue] = state->num;
		return 0;
	case VHOST_GET_VRING_BASE:
		state->num = f->base[queue];
		return 0;
	default: /* VHOST_SET_VRING_ADDR, _KICK, _CALL, _ERR, _BUSYLOOP_TIMEOUT, _ENDIAN */
		return 0;
	}
}

/* As vhost_net_set_backend() of drivers/vhost/net.c */
static int set_backend(struct file *f, const struct vhost_vring_file *arg)
{
	if (arg->index >= 2)
		return fail(ENOBUFS);
	if (arg->fd >= 0 && (!f->memory || number("no_start")))
		return fail(EFAULT);
	if (arg->fd >= 0 && (arg->fd >= MAX_FD || files[arg->fd].kind != TAP))
		return fail(ENOTSOCK);
	f->started[arg->index] = arg->fd >= 0;
	return 0;
}

static int owner_ioctl(struct file *f, unsigned long request, void *arg)
{
	switch (request) {
	case VHOST_SET_MEM_TABLE:
		f->memory = true;
		return 0;
	case VHOST_SET_LOG_BASE:
	case VHOST_SET_LOG_FD:
		return 0;
	case VHOST_NET_SET_BACKEND:
		return f->kind == VHOST_NET ? set_backend(f, arg) : fail(ENOTTY);
	case VHOST_VSOCK_SET_GUEST_CID:
	case VHOST_VSOCK_SET_RUNNING:
		return f->kind == VHOST_VSOCK ? 0 : fail(ENOTTY);
	case VHOST_SET_VRING_NUM:
	case VHOST_SET_VRING_BASE:
	case VHOST_GET_VRING_BASE:
	case VHOST_SET_VRING_ADDR:
	case VHOST_SET_VRING_KICK:
	case VHOST_SET_VRING_CALL:
	case VHOST_SET_VRING_ERR:
	case VHOST_SET_VRING_BUSYLOOP_TIMEOUT:
		return vring_ioctl(f, request, arg);
	default:
		return fail(ENOTTY);
	}
}

static int vhost_ioctl(struct file *f, unsigned long request, void *arg)
{
	uint64_t features = f->kind >= VHOST_NET ? number(feature_words[f->kind]) : 0;

	switch (request) {
	case VHOST_SET_OWNER:
		f->owned = true;
		return 0;
	case VHOST_GET_FEATURES:
		*(uint64_t *)arg = features;
		return 0;
	case VHOST_GET_BACKEND_FEATURES:
		*(uint64_t *)arg = number("backend");
		return 0;
	case VHOST_SET_FEATURES:
		return *(uint64_t *)arg & ~features ? fail(EOPNOTSUPP) : 0;
	case VHOST_SET_BACKEND_FEATURES:
		return *(uint64_t *)arg & ~number("backend") ? fail(EOPNOTSUPP) : 0;
	}
	if (f->kind == VHOST_NET && number("array") && request == GET_FEATURES_ARRAY)
		return get_features_array(arg);
	if (f->kind == VHOST_NET && number("array") && request == SET_FEATURES_ARRAY)
		return set_features_array(arg);
	/* What is called too early, known or not, is EPERM. */
	return f->owned ? owner_ioctl(f, request, arg) : fail(EPERM);
}

/* ------------------------------------------------------------- interposed */

/* What was opened before this program began, and handed to it, is known by how it is used. */
static bool inherit(int fd, enum kind kind)
{
	if (fd < 0 || fd >= MAX_FD)
		return false;
	if (files[fd].kind == OTHER)
		files[fd].kind = kind;
	return true;
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
#ifdef FAKEHOST
	if (!words())
		return (int)syscall(SYS_ioctl, fd, request, arg);
#endif
	/* Nothing else in QEMU has these types: those of a terminal are 'T' too, but below 0x80. */
	if (_IOC_TYPE(request) == 'T' && _IOC_NR(request) >= 200)
		return inherit(fd, TAP) ? tap_ioctl(request, arg) : fail(EBADF);
	if (_IOC_TYPE(request) == VHOST_VIRTIO)
		return inherit(fd, VHOST_NET) ? vhost_ioctl(&files[fd], request, arg) : fail(EBADF);
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

static enum kind kind_of(const char *path)
{
	static const struct {
		const char *path, *word;
		enum kind kind;
	} nodes[] = {
		{ "/dev/net/tun", NULL, TAP },
		{ "/dev/vhost-net", "vhost", VHOST_NET },
		{ "/dev/vhost-vsock", "vsock", VHOST_VSOCK },
		{ "/dev/vhost-scsi", "scsi", VHOST_SCSI },
	};

	for (size_t i = 0; words() && i < sizeof(nodes) / sizeof(*nodes); i++)
		if (same(path, nodes[i].path))
			return !nodes[i].word || find(nodes[i].word) ? nodes[i].kind : NONE;
	return OTHER;
}

/* A timer that is never set is never readable: no packet arrives. Writing to it is an error. */
static int open_any(const char *path, int flags, mode_t mode)
{
	enum kind kind = kind_of(path);
	int fd;

	if (kind == OTHER)
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	if (kind == NONE)
		return fail(ENOENT);
	fd = (int)syscall(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd >= MAX_FD) {
		syscall(SYS_close, fd);
		return fail(EMFILE);
	}
	if (fd >= 0)
		files[fd] = (struct file){ .kind = kind };
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
