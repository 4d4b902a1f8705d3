/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/rehearse.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/*
 * What a throw-away may do, whoever calls: nothing but read what everyone may. It loads a stream
 * that somebody else can have written, and with it come the faults of QEMU's device models.
 *
 * All of this is done between fork() and exec.
 */

/* The id that the kernel shows for those without one: no service runs under it. */
#define NOBODY 65534u
#ifndef SYS_setgroups32 /* the other one knows ids of 16 bits alone, where it is */
#define SYS_setgroups32 SYS_setgroups
#endif
/* What the program and all of its memory may take. */
#define ADDRESS_SPACE (8ull << 30)
/* No file can be written; of memory in descriptors, displays take some. */
#define FILE_SIZE (64ull << 20)

enum {
	FAILED_NOBODY = REHEARSE_FAILED_TPM + 1, /* above those of qtest.h */
	FAILED_CONFINE,
	FAILED_CALLS,
	FAILED_LIMITS,
	FAILED_VSOCK,
	FAILED_KVM,
	FAILED_READ, /* of the first file; the next ones follow */
};

void rehearse_step_words(const struct rehearse_half *h, int step, struct buf *out)
{
	static const char *const words[] = {
		[FAILED_NOBODY - FAILED_NOBODY] = "giving up root's id",
		[FAILED_CONFINE - FAILED_NOBODY] = "making namespaces of its own",
		[FAILED_CALLS - FAILED_NOBODY] = "taking system calls away",
		[FAILED_LIMITS - FAILED_NOBODY] = "setting its limits",
		[FAILED_VSOCK - FAILED_NOBODY] = "opening /dev/vhost-vsock",
		[FAILED_KVM - FAILED_NOBODY] = "opening /dev/kvm, as a user without rights",
	};

	if (step == REHEARSE_FAILED_TPM)
		buf_puts(out, "starting swtpm");
	else if (step >= FAILED_READ)
		buf_printf(out, "reading %s, as a user without rights",
			   h->line->reads.s[step - FAILED_READ]);
	else
		buf_puts(out, step >= FAILED_NOBODY ? words[step - FAILED_NOBODY] :
						      qtest_step_words(step));
}

/* ----------------------------------------------------------------------------- who */

/* Groups that open these nodes, and are not root's own: a guest's QEMU has them too. */
static size_t groups_of_nodes(gid_t groups[2])
{
	static const char *const nodes[] = { "/dev/kvm", "/dev/net/tun" };
	size_t n = 0;
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		if (stat(nodes[i], &st) == 0 && S_ISCHR(st.st_mode) && st.st_gid &&
		    (st.st_mode & 060) == 060)
			groups[n++] = st.st_gid;
	return n;
}

/* Could it be opened by the throw-away, too? */
static bool may_all_open(const char *node)
{
	struct stat st;

	return geteuid() || (stat(node, &st) == 0 &&
			     ((st.st_mode & 06) == 06 || (st.st_gid && (st.st_mode & 060) == 060)));
}

/* Some kernels give namespaces to root alone: that right lives until they are made. */
static void keep_right_to_namespaces(void)
{
	capng_get_caps_process();
	capng_update(CAPNG_ADD, CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
	capng_apply(CAPNG_SELECT_CAPS);
}

/* A root without capabilities would still be the owner of root's files. */
static int become_nobody(int *step)
{
	gid_t groups[2];
	size_t n = groups_of_nodes(groups);

	*step = FAILED_NOBODY;
	if (geteuid() && getuid())
		return 0;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || syscall(SYS_setgroups32, n, groups) < 0 ||
	    setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return -errno;
	keep_right_to_namespaces();
	return 0;
}

/* --------------------------------------------------------------------------- where */

/* Nothing below the root can be written; an older kernel has the limits alone. */
static int make_read_only(void)
{
#if defined(SYS_mount_setattr)
	struct {
		uint64_t attr_set, attr_clr, propagation, userns_fd;
	} attr = { .attr_set = 1 /* MOUNT_ATTR_RDONLY */, .propagation = MS_PRIVATE };

	/* AT_RECURSIVE */
	if (syscall(SYS_mount_setattr, -1, "/", 0x8000U, &attr, sizeof(attr)) == 0)
		return 0;
	if (errno != ENOSYS)
		return -errno;
#endif
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

/* In a user namespace of its own it has no rights in any other. */
static int leave_namespaces(int *step)
{
	*step = FAILED_CONFINE;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		return -errno;
	return make_read_only();
}

/* -------------------------------------------------------------------------- limits */

/* Is it this system call? The next @skip instructions are for one that is not. */
#define IS(nr, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, (skip))
#define FIRST_ARGUMENT                                      \
	(offsetof(struct seccomp_data, args) +               \
	 (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0))
#define DENY BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES)

/*
 * A socket in the file system belongs to no network namespace, and a daemon that listens there would
 * do more than the throw-away may. QEMU's own sandbox ends a program that calls the kernel as one of
 * another architecture.
 */
static int take_calls_away(int *step)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		IS(SYS_socket, 1),
		DENY,
		IS(SYS_connect, 1),
		DENY,
#ifdef SYS_io_uring_setup
		IS(SYS_io_uring_setup, 1),
		DENY,
#endif
#ifdef SYS_socketcall
		IS(SYS_socketcall, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIRST_ARGUMENT),
		IS(1 /* socket */, 1),
		DENY,
		IS(3 /* connect */, 1),
		DENY,
#endif
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(filter), filter };

	*step = FAILED_CALLS;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0 ? -errno : 0;
}

int rehearse_limit(void *data, int *step)
{
	const struct rehearse_half *h = data;
	/* of all of its threads together */
	rlim_t seconds = (rlim_t)h->timeout_ms / 1000 + 1 + 8 * (rlim_t)h->run_s;
	const struct {
		__rlimit_resource_t what;
		rlim_t limit;
	} limits[] = { { RLIMIT_AS, ADDRESS_SPACE },
		       { RLIMIT_CPU, seconds },
		       { RLIMIT_FSIZE, FILE_SIZE },
		       { RLIMIT_CORE, 0 } };

	*step = FAILED_LIMITS;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit l = { limits[i].limit, limits[i].limit };

		if (setrlimit(limits[i].what, &l) < 0)
			return -errno;
	}
	return 0;
}

/* ---------------------------------------------------------------------- what it needs */

/*
 * A QEMU that lacks one of these would say that it does not start with such a line, which is an
 * answer about a guest; and this is none.
 */
static int see_needs(const struct rehearse_half *h, int *step)
{
	const struct rehearse_line *l = h->line;

	*step = FAILED_KVM;
	if (l->takes_kvm && access("/dev/kvm", F_OK) == 0 &&
	    access("/dev/kvm", R_OK | W_OK) < 0)
		return -errno;
	for (size_t i = 0; i < l->reads.n; i++) {
		*step = FAILED_READ + (int)i;
		if (access(l->reads.s[i], R_OK) < 0 && errno == EACCES)
			return -errno;
	}
	return 0;
}

/* As the caller: these are handed over, and no namespace is theirs. */
static int open_vhost(const struct rehearse_half *h, const struct qtest_request *rq, int *step)
{
	int r = 0;

	*step = FAILED_VSOCK;
	if (h->line->has_vsock)
		r = qtest_open_as("/dev/vhost-vsock", QMP_FIRST_FD);
	return r < 0 ? r : qtest_open_vhost(rq, step);
}

/* A tap is in the network namespace that was there as it was opened: none of these is seen again. */
static int open_taps_as_root(const struct qtest_request *rq, int *step)
{
	*step = FAILED_CONFINE;
	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	return qtest_open_taps(rq, step);
}

int rehearse_prepare(void *data, int *step)
{
	const struct rehearse_half *h = data;
	const struct qtest_request rq = rehearse_taps(h->line);
	bool early = rq.n_nics && !may_all_open("/dev/net/tun");
	int r = open_vhost(h, &rq, step);

	if (r == 0 && early)
		r = open_taps_as_root(&rq, step);
	if (r == 0)
		r = become_nobody(step);
	if (r == 0)
		r = leave_namespaces(step);
	if (r == 0 && !early)
		r = qtest_open_taps(&rq, step);
	if (r == 0)
		r = see_needs(h, step);
	return r < 0 ? r : take_calls_away(step);
}
