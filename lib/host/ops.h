/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_PROBE_OPS_H
#define ABIBASE_PROBE_OPS_H

/*
 * What the probe asks the system for. The real one is probe_real_ops; tests bring a script. All
 * functions return 0 or more, or a negative errno. Those marked "child" run between fork() and
 * _exit() and must do only what is safe there.
 */

#include <sys/types.h>
#include <sys/utsname.h>

#include "base/util.h"

/* What the index of a kernel's modules says of one module. */
enum module_state {
	MODULE_NO_INDEX, /* there is no index that can be read: it says nothing */
	MODULE_NONE,	 /* neither as a file nor built in */
	MODULE_FILE,
	MODULE_BUILTIN,
};

/* The capabilities that matter here, as a mask. */
enum probe_cap {
	PROBE_CAP_NET_ADMIN = 1 << 0,
	PROBE_CAP_SYS_ADMIN = 1 << 1,
	PROBE_CAP_MKNOD = 1 << 2,
	PROBE_CAP_BPF = 1 << 3,
};
#define N_PROBE_CAPS 4

/* Each of them by its names. */
struct probe_capability {
	enum probe_cap bit;
	unsigned int cap;
	const char *name;
};
extern const struct probe_capability probe_capabilities[N_PROBE_CAPS];

struct probe_ops {
	int (*uname)(void *data, struct utsname *ret);
	uid_t (*euid)(void *data);
	/* all of a small file of /proc or /sys */
	int (*read_file)(void *data, const char *path, struct buf *ret);
	/* 0: it exists; -ENOENT: it does not */
	int (*exists)(void *data, const char *path);
	/* enum module_state */
	int (*module_index)(void *data, const char *release, const char *module);
	/* child: for reading and writing, close-on-exec */
	int (*open)(void *data, const char *path);
	/* child */
	int (*close)(void *data, int fd);
	/* child; @arg is an integer or a pointer, as the request wants */
	int (*ioctl)(void *data, int fd, unsigned long request, unsigned long arg);
	/* child */
	int (*unshare)(void *data, int flags);
	/* child: which of enum probe_cap are effective */
	unsigned int (*caps_held)(void *data);
	/* child: give up all capabilities but these */
	int (*caps_keep)(void *data, unsigned int caps);
	/* the names in a directory, a newline after each */
	int (*list)(void *data, const char *path, struct buf *ret);
	/* child: the beginning of a file, ended by NUL; how much it is */
	int (*read_text)(void *data, const char *path, char *ret, size_t size);
	/* child: one request to rtnetlink; what the kernel answers to it */
	int (*rtnl)(void *data, const void *message, size_t len);
	/* child */
	int (*mount)(void *data, const char *type, const char *target, unsigned long flags);
	/* child: a character device for its owner alone */
	int (*mknod)(void *data, const char *path, unsigned int major, unsigned int minor);
	/* child: bpf(2) */
	int (*bpf)(void *data, int command, void *attr, unsigned int size);
};

extern const struct probe_ops probe_real_ops;
/* probe_real_ops.module_index, by libkmod (host/index.c) */
int probe_module_index(void *data, const char *release, const char *module);
/* The same for the index in @dir. */
int probe_module_index_at(const char *dir, const char *module);

#endif
