/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ask this host what it has. Each surface is asked in a forked child of its own that has no
 * capability but those that its questions take, and, where a network device is made, a network
 * namespace of its own; the caller is left as it is, and one failure leaves the others standing.
 *
 * What "usable" becomes, first row that fits:
 *
 *   the node opens and answers                                     true
 *   not registered, and the kernel cannot gain it (1)              false
 *   left out, or on request and not asked for                      unknown  not-asked
 *   --no-load, and not registered                                  unknown  not-loaded
 *   no pipe or no descriptor left (EMFILE, ENFILE)                 unknown  no-file-descriptors
 *   no namespace                                                   unknown  no-namespace
 *   open: ENOENT, not registered, the index has the module         unknown  not-loaded
 *   open: ENOENT, not registered, the index cannot be read         unknown  no-module-index
 *   open: ENOENT                                                   unknown  no-device-node
 *   open: ENODEV, ENXIO; making a macvtap: EOPNOTSUPP              unknown  no-device
 *   open: EACCES; TUNSETIFF, RTM_NEWLINK, mknod, bpf: EPERM        unknown  no-permission
 *   a macvtap, and not all rights in the initial namespaces        unknown  no-permission
 *   open or the first question: EPERM, ENOSYS; killed by SIGSYS    unknown  refused
 *   anything else                                                  unknown  error-ERRNONAME
 *
 * (1) /proc/misc can be read and does not list it (macvtap, ipvtap, vhost-vdpa: nor /proc/devices),
 *     and the module index of the running kernel can be read and has it neither as a file nor as
 *     built in, or the kernel has no loadable modules.
 *
 * host.ebpf_rss is no device: it is false where the kernel says ENOSYS or EINVAL.
 */

#include <cap-ng.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <syslog.h>

#include "base/context.h"
#include "document/json.h"
#include "probe/probe.h"
#include "document/profile.h"
#include "qemu/qmp.h"

#define DEVICE_TIMEOUT_MS 30000
#define QEMU_TIMEOUT_MS 20000
#define REAP_MS 5000
#define PROC_FILE_MAX (4u << 20)

static const char *const reason_words[] = {
	[REASON_NO_NODE] = "no-device-node",
	[REASON_NO_PERMISSION] = "no-permission",
	[REASON_NOT_LOADED] = "not-loaded",
	[REASON_NO_DEVICE] = "no-device",
	[REASON_NO_NAMESPACE] = "no-namespace",
	[REASON_NO_DESCRIPTORS] = "no-file-descriptors",
	[REASON_REFUSED] = "refused",
	[REASON_NO_MODULE_INDEX] = "no-module-index",
	[REASON_NOT_ASKED] = "not-asked",
};

static const struct probe_surface *const surfaces[] = {
	&probe_tap,	   &probe_vhost_net, &probe_vhost_vsock, &probe_vhost_scsi,
	&probe_vhost_vdpa, &probe_ebpf,	     &probe_macvtap,	 &probe_ipvtap,
};

/* ------------------------------------------------------------- the system */

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

static const struct {
	enum probe_cap bit;
	unsigned int cap;
	const char *name;
} capabilities[] = {
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
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (capng_have_capability(CAPNG_EFFECTIVE, capabilities[i].cap))
			held |= capabilities[i].bit;
	return held;
}

static int real_caps_keep(void *data, unsigned int caps)
{
	(void)data;
	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (caps & capabilities[i].bit &&
		    capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
				 capabilities[i].cap) < 0)
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

/* -------------------------------------------------------------- the child */

/* What goes through the pipe; far below PIPE_BUF, so that each is written whole. */
enum record_type { RECORD_FACT, RECORD_SANDBOX, RECORD_FAILED, RECORD_DONE };
struct record {
	enum record_type type;
	uint32_t index; /* fact, or enum probe_step */
	struct probe_answer answer;
	uint32_t held, kept;
	bool user_ns, net_ns;
};

/* The padding is written too. */
static void record_init(struct record *r, enum record_type type, uint32_t index)
{
	memset(r, 0, sizeof(*r));
	r->type = type;
	r->index = index;
}

static void send_record(struct probe_child *c, const struct record *r)
{
	ssize_t n;

	do
		n = write(c->fd, r, sizeof(*r));
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*r))
		_exit(2); /* the parent has gone */
}

void probe_say(struct probe_child *c, size_t fact, enum answer_kind kind, uint64_t low,
	       uint64_t high)
{
	struct record r;

	record_init(&r, RECORD_FACT, (uint32_t)fact);
	r.answer.kind = kind;
	r.answer.word[0] = low;
	r.answer.word[1] = high;
	send_record(c, &r);
}

static enum probe_reason reason_of(enum probe_step step, int err)
{
	if (err == EMFILE || err == ENFILE)
		return REASON_NO_DESCRIPTORS;
	if (step == STEP_NAMESPACE)
		return REASON_NO_NAMESPACE;
	/* the kernel has no such kind of link, and did not find the module */
	if (step == STEP_LINK && err == EOPNOTSUPP)
		return REASON_NO_DEVICE;
	switch (err) {
	case ENOENT:
		return REASON_NO_NODE;
	case ENODEV:
	case ENXIO:
		return REASON_NO_DEVICE;
	case EACCES:
		return REASON_NO_PERMISSION;
	case EPERM:
		return step == STEP_OPEN || step == STEP_FEATURES ? REASON_REFUSED
								  : REASON_NO_PERMISSION;
	case ENOSYS:
		return REASON_REFUSED;
	default:
		return REASON_ERROR;
	}
}

void probe_say_errno(struct probe_child *c, size_t fact, int err)
{
	struct record r;

	record_init(&r, RECORD_FACT, (uint32_t)fact);
	r.answer.kind = ANSWER_UNKNOWN;
	r.answer.reason = reason_of(STEP_NONE, err);
	r.answer.err = err;
	send_record(c, &r);
}

void probe_say_failed(struct probe_child *c, enum probe_step step, int err)
{
	struct record r;

	record_init(&r, RECORD_FAILED, step);
	r.answer.err = err;
	send_record(c, &r);
}

/* The namespaces that asking takes. 0, or a negative errno with the step at which it failed. */
static int enter_namespaces(struct probe_child *c, struct record *r, enum probe_step *step)
{
	const unsigned int needed = PROBE_CAP_NET_ADMIN | PROBE_CAP_SYS_ADMIN;
	int flags = CLONE_NEWNET, failed;

	*step = STEP_RIGHTS;
	if (c->surface->mountns) {
		/* No user namespace gives the right to make a node. */
		if ((r->held & c->surface->caps) != c->surface->caps)
			return -EPERM;
		flags |= CLONE_NEWNS;
	} else if ((r->held & needed) != needed) {
		/* Both, in one call: the user namespace comes first and owns the other one. */
		flags |= CLONE_NEWUSER;
	}
	*step = STEP_NAMESPACE;
	failed = c->ops->unshare(c->ops_data, flags);
	if (failed < 0)
		return failed;
	r->net_ns = true;
	r->user_ns = (flags & CLONE_NEWUSER) != 0;
	r->kept = c->surface->caps;
	return 0;
}

/* A namespace of its own where one is needed, then nothing but the rights that asking takes. */
static int enter_sandbox(struct probe_child *c)
{
	enum probe_step step;
	struct record r;
	int failed = 0;

	record_init(&r, RECORD_SANDBOX, 0);
	if (c->surface->caps)
		r.held = c->ops->caps_held(c->ops_data);
	r.kept = r.held & c->surface->caps;
	if (c->surface->netns) {
		r.kept = 0;
		failed = enter_namespaces(c, &r, &step);
	}
	if (failed < 0) {
		send_record(c, &r);
		probe_say_failed(c, step, -failed);
		return failed;
	}
	failed = c->ops->caps_keep(c->ops_data, r.kept);
	if (failed < 0)
		probe_say_failed(c, STEP_CAPABILITIES, -failed);
	else
		send_record(c, &r);
	return failed;
}

static void ask_node(struct probe_child *c)
{
	int fd = c->ops->open(c->ops_data, c->node);

	if (fd < 0)
		probe_say_failed(c, STEP_OPEN, -fd);
	else
		c->surface->ask(c, fd);
}

static void child_main(struct probe_child *c)
{
	static const struct record done = { .type = RECORD_DONE };

	if (enter_sandbox(c) == 0) {
		/* Gaining a user namespace's capabilities resets it, so here and not before. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (c->surface->run)
			c->surface->run(c);
		else
			ask_node(c);
	}
	send_record(c, &done);
}

static _Noreturn void run_child(struct probe_child *c, int timeout_ms)
{
	/* Should the parent be unable to count: nothing here outlives this. */
	alarm((unsigned int)timeout_ms / 1000 + 2);
	child_main(c);
	_exit(0);
}

/* ------------------------------------------------------------- the parent */

/* What one surface has said. */
struct findings {
	struct probe_answer facts[PROBE_MAX_FACTS];
	enum probe_step step; /* where the whole surface failed, or STEP_NONE */
	int err;
	bool done;
	bool sandboxed;
	unsigned int held, kept;
	bool user_ns, net_ns;
};

static void take_record(const struct probe_surface *s, struct findings *f, const struct record *r)
{
	switch (r->type) {
	case RECORD_FACT:
		if (r->index < s->n_facts)
			f->facts[r->index] = r->answer;
		break;
	case RECORD_SANDBOX:
		f->sandboxed = true;
		f->held = r->held;
		f->kept = r->kept;
		f->user_ns = r->user_ns;
		f->net_ns = r->net_ns;
		break;
	case RECORD_FAILED:
		f->step = (enum probe_step)r->index;
		f->err = r->answer.err;
		break;
	case RECORD_DONE:
		f->done = true;
		break;
	}
}

/* Read records until the child has no more to say. 0, or -ETIMEDOUT. */
static int read_records(const struct probe_surface *s, int fd, int64_t deadline, struct findings *f)
{
	struct record r;
	size_t have = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - process_now();
		ssize_t n;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, (char *)&r + have, sizeof(r) - have);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return 0;
		have += (size_t)n;
		if (have < sizeof(r))
			continue;
		take_record(s, f, &r);
		have = 0;
		/* Not until the end of file: another thread's child may hold the pipe too. */
		if (f->done)
			return 0;
	}
}

/* 0, or what fork(2) says; all else is a finding. */
static int ask_surface(struct abibase_probe *pr, const struct probe_surface *s, struct findings *f)
{
	struct probe_child c = {
		.ops = pr->ops, .ops_data = pr->ops_data, .surface = s, .node = s->node
	};
	_autoclose_ int in = -1, out = -1;
	int fds[2], r, status;
	int64_t deadline;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0) {
		f->step = STEP_FORK;
		f->err = errno;
		return 0;
	}
	in = fds[0];
	out = fds[1];
	c.fd = out;
	deadline = process_now() + pr->device_timeout_ms;
	pid = process_fork();
	if (pid == 0)
		run_child(&c, pr->device_timeout_ms);
	if (pid < 0)
		return context_fail(pr->ctx, errno, "probe-fork", s->node,
				    "cannot start the process that asks %s: %s", s->node,
				    strerror(errno));
	close(out);
	out = -1;
	r = read_records(s, in, deadline, f);
	if (r < 0)
		kill(pid, SIGKILL);
	status = process_reap(pid, process_now() + REAP_MS);
	if (f->done)
		return 0;
	f->step = STEP_CHILD;
	f->err = r < 0 ? ETIMEDOUT : EIO;
	if (r == 0 && status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		f->err = ENOSYS;
	return 0;
}

/* ------------------------------------------------------- words for people */

const char *probe_errno_name(int err)
{
	static const struct {
		int err;
		const char *name;
	} names[] = {
		{ EPERM, "EPERM" },	      { ENOENT, "ENOENT" },
		{ EINTR, "EINTR" },	      { EIO, "EIO" },
		{ ENXIO, "ENXIO" },	      { EBADF, "EBADF" },
		{ EAGAIN, "EAGAIN" },	      { ENOMEM, "ENOMEM" },
		{ EACCES, "EACCES" },	      { EFAULT, "EFAULT" },
		{ EBUSY, "EBUSY" },	      { EEXIST, "EEXIST" },
		{ ENODEV, "ENODEV" },	      { ENOTDIR, "ENOTDIR" },
		{ EISDIR, "EISDIR" },	      { EINVAL, "EINVAL" },
		{ ENFILE, "ENFILE" },	      { EMFILE, "EMFILE" },
		{ ENOTTY, "ENOTTY" },	      { ENOSPC, "ENOSPC" },
		{ EROFS, "EROFS" },	      { ELOOP, "ELOOP" },
		{ ENOSYS, "ENOSYS" },	      { EBADFD, "EBADFD" },
		{ EUSERS, "EUSERS" },	      { ENOBUFS, "ENOBUFS" },
		{ EOPNOTSUPP, "EOPNOTSUPP" }, { ETIMEDOUT, "ETIMEDOUT" },
		{ ENOLINK, "ENOLINK" },	      { EOVERFLOW, "EOVERFLOW" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].err == err)
			return names[i].name;
	return "EOTHER";
}

/* What no answer depends on is told to those who asked for it, or who want to know everything. */
static int level(const struct abibase_probe *pr, const struct probe_surface *s)
{
	return s->aside && !probe_named(pr, s->option) ? LOG_INFO : LOG_WARNING;
}

/* A driver that is there has numbers: then only the node is missing, and modprobe makes none. */
static bool driver_numbers(struct abibase_probe *pr, const struct probe_surface *s,
			   unsigned int *major, unsigned int *minor)
{
	_buf_ path = { 0 }, text = { 0 };

	if (!s->misc)
		return false;
	buf_printf(&path, "/sys/class/misc/%s/dev", s->misc);
	return !buf_failed(&path) &&
	       pr->ops->read_file(pr->ops_data, path.data, &text) == 0 && text.data &&
	       sscanf(text.data, "%u:%u", major, minor) == 2;
}

static void warn_no_node(struct abibase_probe *pr, const struct probe_surface *s)
{
	unsigned int major, minor;

	if (driver_numbers(pr, s, &major, &minor))
		context_log(pr->ctx, level(pr, s), "probe-no-device-node",
			    "%s: there is no such node here, although the kernel has the driver; "
			    "in a container, pass the node in; on a host, create it with "
			    "`mknod %s c %u %u`",
			    s->node, s->node, major, minor);
	else
		context_log(pr->ctx, level(pr, s), "probe-no-device-node",
			    "%s: there is no such node here, although the kernel may have the "
			    "device; in a container, pass the node in; on a host, create it with "
			    "`modprobe %s`",
			    s->node, s->module);
}

static void warn_open(struct abibase_probe *pr, const struct probe_surface *s,
		      enum probe_reason reason, int err)
{
	const char *node = s->node, *module = s->module;

	switch (reason) {
	case REASON_NOT_LOADED:
		context_log(pr->ctx, level(pr, s), "probe-not-loaded",
			    "%s: its module is not loaded, so %s is unknown; load it with "
			    "`modprobe %s` and probe again",
			    node, s->name, module);
		break;
	case REASON_NO_MODULE_INDEX:
		context_log(pr->ctx, level(pr, s), "probe-no-module-index",
			"%s: there is no such node, and the module index of the running kernel "
			"cannot be read, so nothing tells whether it can have %s; load the module "
			"with `modprobe %s`, or probe where /lib/modules of this kernel can be "
			"read",
			node, s->name, module);
		break;
	case REASON_NO_NODE:
		warn_no_node(pr, s);
		break;
	case REASON_NO_DEVICE:
		context_log(pr->ctx, level(pr, s), "probe-no-device",
			    "%s: the node exists but no driver answers (%s): the module cannot be "
			    "loaded; see what `modprobe %s` says",
			    node, strerror(err), module);
		break;
	case REASON_NO_PERMISSION:
		context_log(pr->ctx, level(pr, s), "probe-no-permission",
			    "%s: no permission to open it; probe as root, or as a user whom the "
			    "mode and group of the node admit",
			    node);
		break;
	case REASON_REFUSED:
		context_log(pr->ctx, level(pr, s), "probe-device-refused",
			"%s: opening it is refused (%s) whatever its mode is: the device cgroup "
			"or a seccomp filter of this container denies it; allow the device there "
			"or probe outside",
			node, strerror(err));
		break;
	default:
		context_log(pr->ctx, level(pr, s), "probe-open-failed", "%s: cannot open it: %s",
			    node, strerror(err));
	}
}

/* Root needs no user namespace: what helps others is no help to him. */
static void warn_namespace(struct abibase_probe *pr, const struct probe_surface *s, int err)
{
	bool root = pr->ops->euid(pr->ops_data) == 0;

	if (err == ENOSPC || err == EUSERS)
		context_log(pr->ctx, level(pr, s), "probe-namespace-limit",
			"%s: the limit of namespaces is reached (%s), so no throw-away tap can be "
			"made; raise the sysctl%s",
			s->node, strerror(err),
			root ? " user.max_net_namespaces" :
			       "s user.max_net_namespaces and user.max_user_namespaces, or probe "
			       "as root");
	else if (err == EPERM)
		context_log(pr->ctx, level(pr, s), "probe-namespace-refused",
			"%s: a new namespace is refused, so no throw-away tap can be made; %s",
			s->node,
			root ? "give the container CAP_SYS_ADMIN and CAP_NET_ADMIN and allow "
			       "unshare(2) in its seccomp filter, or probe outside" :
			       "probe as root, or set the sysctl "
			       "kernel.unprivileged_userns_clone=1; in a container its seccomp "
			       "filter refuses it");
	else
		context_log(pr->ctx, level(pr, s), "probe-namespace-failed",
			"%s: cannot make a namespace for a throw-away tap: %s; probe %son a kernel "
			"with network namespaces",
			s->node, strerror(err), root ? "" : "as root, ");
}

/* What a macvtap takes that a tap does not. */
static void warn_link(struct abibase_probe *pr, const struct probe_surface *s, enum probe_step step,
		      int err)
{
	switch (step) {
	case STEP_RIGHTS:
		context_log(pr->ctx, level(pr, s), "probe-needs-root",
			    "%s: to make one and a node for it takes root outside of any user "
			    "namespace (CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_MKNOD); probe as root",
			    s->name);
		break;
	case STEP_LOWER:
		context_log(pr->ctx, level(pr, s), "probe-no-lower-device",
			    "%s: the tap that it would lie on cannot be made (%s: %s); see what is "
			    "said of tap",
			    s->name, s->lower->node, strerror(err));
		break;
	case STEP_LINK:
		context_log(pr->ctx, level(pr, s), "probe-link-failed",
			    "%s: none can be made: %s; see what `modprobe %s` says", s->name,
			    strerror(err), s->module);
		break;
	default:
		context_log(pr->ctx, level(pr, s), "probe-node-failed",
			    "%s: one can be made but not opened, for a node in a private /dev: "
			    "%s; probe as root, outside of containers",
			    s->name, strerror(err));
	}
}

static void warn_surface(struct abibase_probe *pr, const struct probe_surface *s,
			 enum probe_step step, enum probe_reason reason, int err)
{
	if (reason == REASON_NO_DESCRIPTORS) {
		context_log(pr->ctx, level(pr, s), "probe-no-file-descriptors",
			    "%s: no file descriptor is left (%s); raise the limit (ulimit -n, or "
			    "fs.file-max) and probe again",
			    s->node, strerror(err));
		return;
	}
	switch (step) {
	case STEP_NAMESPACE:
		warn_namespace(pr, s, err);
		break;
	case STEP_CAPABILITIES:
		context_log(pr->ctx, level(pr, s), "probe-capabilities",
			"%s: not asked, because the asking process cannot give up its rights: %s",
			s->node, strerror(err));
		break;
	case STEP_RIGHTS:
	case STEP_LOWER:
	case STEP_LINK:
	case STEP_NODE:
		warn_link(pr, s, step, err);
		break;
	case STEP_NONE:
	case STEP_OPEN:
		warn_open(pr, s, reason, err);
		break;
	case STEP_FEATURES:
		context_log(pr->ctx, level(pr, s), "probe-no-answer",
			    "%s: it opens but does not answer (%s): it is another device, or a "
			    "seccomp filter refuses to ask; probe outside of the container",
			    s->node, strerror(err));
		break;
	case STEP_ATTACH:
		if (err == EPERM)
			context_log(pr->ctx, level(pr, s), "probe-tap-refused",
				"%s: making a tap is refused even in a user namespace of its own; "
				"probe as root, or allow it with the sysctl "
				"kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu)",
				s->node);
		else
			context_log(pr->ctx, level(pr, s), "probe-tap-failed",
				    "%s: cannot make a tap: %s", s->node, strerror(err));
		break;
	case STEP_FORK:
	case STEP_CHILD:
		if (err == ETIMEDOUT)
			context_log(pr->ctx, level(pr, s), "probe-timeout",
				    "%s: no answer in time; the process that asked was killed; see "
				    "the kernel's log and probe again",
				    s->node);
		else if (err == ENOSYS)
			context_log(pr->ctx, level(pr, s), "probe-killed-by-filter",
				"%s: the process that asked was killed by a seccomp filter; probe "
				"outside of this container",
				s->node);
		else
			context_log(pr->ctx, level(pr, s), "probe-child-died",
				"%s: the process that asked died before it was done (%s); probe "
				"again",
				s->node, strerror(err));
		break;
	}
}

/* ------------------------------------------------------------- conclusions */

/* Why a surface that failed is unknown: the table at the top of this file. */
static enum probe_reason surface_reason(enum presence presence, enum probe_step step, int err)
{
	enum probe_reason reason = reason_of(step, err);

	if (step == STEP_OPEN && reason == REASON_NO_NODE && presence == LOADABLE)
		return REASON_NOT_LOADED;
	if (step == STEP_OPEN && reason == REASON_NO_NODE && presence == NO_INDEX)
		return REASON_NO_MODULE_INDEX;
	return reason;
}

static void set_all_unknown(const struct probe_surface *s, struct findings *f,
			    enum probe_reason reason, int err)
{
	for (size_t i = 0; i < s->n_facts; i++) {
		if (f->facts[i].kind != ANSWER_NONE)
			continue; /* it was answered before the rest failed */
		f->facts[i].kind = ANSWER_UNKNOWN;
		f->facts[i].reason = reason;
		f->facts[i].err = err;
	}
}

static void tell_facts(struct abibase_probe *pr, const struct probe_surface *s,
		       const struct findings *f)
{
	struct abibase_context *ctx = pr->ctx;

	for (size_t i = 0; i < s->n_facts; i++) {
		const struct probe_answer *a = &f->facts[i];

		if (a->kind != ANSWER_UNKNOWN)
			continue;
		/* The one that an ordinary user can never have; no answer depends on it. */
		if (a->reason == REASON_NO_PERMISSION && streq(s->facts[i].id, "tap.napi_frags"))
			context_log(ctx, LOG_INFO, "probe-napi-frags",
				    "%s: %s is unknown: it takes CAP_NET_ADMIN in the initial user "
				    "namespace; probe as root for it",
				    s->node, s->facts[i].id);
		else
			context_log(ctx, level(pr, s), "probe-fact-unknown",
				    "%s: %s is unknown: asking failed with %s; probe again%s",
				    s->node, s->facts[i].id, strerror(a->err),
				    a->reason == REASON_NO_DESCRIPTORS ?
					    " with a higher limit of open files (ulimit -n)" :
				    a->reason == REASON_NO_PERMISSION ? " as root" :
									"");
	}
}

static void conclude(struct abibase_probe *pr, const struct probe_surface *s,
		     enum presence presence, struct findings *f)
{
	enum probe_reason reason;
	bool opened;

	if (f->done && f->step == STEP_NONE) {
		set_all_unknown(s, f, REASON_ERROR, EIO);
		tell_facts(pr, s, f);
		return;
	}
	/* A node that opened, whatever came of it, is there. */
	opened = f->step == STEP_FEATURES || f->step == STEP_ATTACH || f->step == STEP_CHILD ||
		 f->step == STEP_NODE;
	if (presence == ABSENT && !opened) {
		f->facts[0].kind = ANSWER_FALSE;
		context_log(pr->ctx, LOG_INFO, "probe-absent",
			    "%s: this kernel does not have it and cannot load it", s->node);
		return;
	}
	reason = surface_reason(presence, f->step, f->err);
	set_all_unknown(s, f, reason, f->err);
	warn_surface(pr, s, f->step, reason, f->err);
}

/*
 * Whether a module is loaded shows in /proc/misc; where that cannot be read nothing is opened
 * unless the index calls it built in.
 */
static int probe_one(struct abibase_probe *pr, const struct probe_surface *s,
		     const struct probe_modules *m, const char *release, struct findings *f)
{
	enum presence presence = probe_presence(pr, m, s, release);
	bool load = presence != PRESENT ||
		    (s->lower && probe_presence(pr, m, s->lower, release) != PRESENT);
	int r;

	if (pr->no_load && load) {
		if (presence == ABSENT) {
			f->step = STEP_OPEN;
			f->err = ENOENT;
			conclude(pr, s, presence, f);
			return 0;
		}
		set_all_unknown(s, f, REASON_NOT_LOADED, 0);
		warn_open(pr, s, REASON_NOT_LOADED, 0);
		return 0;
	}
	r = ask_surface(pr, s, f);
	if (r < 0)
		return r;
	conclude(pr, s, presence, f);
	return 0;
}

/* ------------------------------------------------------------- the profile */

static json_t *word_json(const struct probe_answer *a, unsigned int bits)
{
	char text[40];

	if (bits == 128)
		snprintf(text, sizeof(text), "0x%016llx%016llx", (unsigned long long)a->word[1],
			 (unsigned long long)a->word[0]);
	else
		snprintf(text, sizeof(text), "0x%0*llx", (int)bits / 4,
			 (unsigned long long)a->word[0]);
	return json_string(text);
}

static json_t *answer_json(const struct probe_answer *a, unsigned int bits)
{
	char text[40];

	switch (a->kind) {
	case ANSWER_FALSE:
		return json_false();
	case ANSWER_TRUE:
		return json_true();
	case ANSWER_WORD:
		return word_json(a, bits);
	case ANSWER_INT:
		return json_integer((json_int_t)a->word[0]);
	default:
		if (a->reason != REASON_ERROR)
			return json_pack("{s:s}", "unknown", reason_words[a->reason]);
		snprintf(text, sizeof(text), "error-%s", probe_errno_name(a->err));
		return json_pack("{s:s}", "unknown", text);
	}
}

static int add_facts(json_t *facts, const struct probe_surface *s, const struct findings *f)
{
	for (size_t i = 0; i < s->n_facts; i++) {
		if (f->facts[i].kind == ANSWER_NONE)
			continue;
		if (json_object_set_new(facts, s->facts[i].id,
					answer_json(&f->facts[i], s->facts[i].bits)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static json_t *caps_json(unsigned int caps)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < ARRAY_SIZE(capabilities); i++)
		if (caps & capabilities[i].bit &&
		    json_array_append_new(list, json_string(capabilities[i].name)) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

/* With which rights and in what sandbox the taps were made. */
static json_t *sandbox_json(struct abibase_probe *pr, const struct findings *tap, json_t *loaded)
{
	unsigned int missing = 0;

	if (tap->sandboxed)
		missing = (PROBE_CAP_NET_ADMIN | PROBE_CAP_SYS_ADMIN) & ~tap->held;
	return json_pack("{s:I, s:b, s:b, s:o, s:o, s:b, s:o}", "euid",
			 (json_int_t)pr->ops->euid(pr->ops_data), "user_namespace", tap->user_ns,
			 "network_namespace", tap->net_ns, "capabilities", caps_json(tap->kept),
			 "missing_capabilities", caps_json(missing), "no_load", pr->no_load,
			 "loaded_modules", loaded);
}

static bool in_array(const json_t *array, const char *s)
{
	const json_t *v;
	size_t i;

	json_array_foreach((json_t *)array, i, v)
		if (streq(json_string_value(v), s))
			return true;
	return false;
}

/*
 * What opening this surface's node loaded. The list of modules is compared, not who asked for
 * them: one that something else loads in the same instant is named too.
 */
static int find_loaded(struct abibase_probe *pr, const struct probe_surface *s,
		       const struct probe_modules *before, json_t *loaded)
{
	struct probe_modules after = { 0 };
	int r;

	if (pr->no_load)
		return 0; /* nothing was opened whose module was not loaded */
	r = probe_modules_read(pr, &after);
	for (size_t i = 0; r == 0 && s->modules[i]; i++) {
		const char *name = s->modules[i];
		bool is_new =
			probe_module_loaded(&after, name) && !probe_module_loaded(before, name);

		/* /proc/modules hidden: the device has appeared in /proc/misc */
		if (s->misc && streq(name, s->module) && before->have_misc &&
		    !before->have_loaded && !before->no_modules)
			is_new = probe_misc_lists(&after, s->misc) &&
				 !probe_misc_lists(before, s->misc);
		if (!is_new || in_array(loaded, name))
			continue;
		if (json_array_append_new(loaded, json_string(name)) < 0)
			r = -ENOMEM;
		else
			context_log(pr->ctx, LOG_NOTICE, "probe-module-loaded",
				    "%s %s loaded the module %s, as starting a guest would; "
				    "--no-load leaves it alone",
				    s->run ? "making a" : "opening", s->node, name);
	}
	probe_modules_clear(&after);
	return r;
}

static int by_string(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *sorted(const json_t *array)
{
	size_t n = json_array_size(array);
	const char *names[PROBE_MAX_FACTS];
	json_t *ret = json_array();

	for (size_t i = 0; i < n && i < ARRAY_SIZE(names); i++)
		names[i] = json_string_value(json_array_get(array, i));
	qsort(names, n, sizeof(*names), by_string);
	for (size_t i = 0; ret && i < n; i++)
		if (json_array_append_new(ret, json_string(names[i])) < 0) {
			json_decref(ret);
			return NULL;
		}
	return ret;
}

/* Ask one surface and add what it said to @facts. */
static int probe_surface(struct abibase_probe *pr, const struct probe_surface *s,
			 const char *release, json_t *facts, json_t *loaded, struct findings *f)
{
	struct probe_modules before = { 0 };
	int r;

	r = probe_modules_read(pr, &before);
	if (r == 0)
		r = probe_one(pr, s, &before, release, f);
	if (r == 0)
		r = add_facts(facts, s, f);
	if (r == 0)
		r = find_loaded(pr, s, &before, loaded);
	probe_modules_clear(&before);
	return r;
}

/*
 * Without any device nothing is asked, and the kernel may still gain one at any time. @err: 0, or
 * why /dev cannot be searched.
 */
static int no_vdpa(struct abibase_probe *pr, const char *release, int err, struct findings *f)
{
	const struct probe_surface *s = &probe_vhost_vdpa;
	struct probe_modules m = { 0 };
	enum presence presence;
	int r = probe_modules_read(pr, &m);

	presence = r < 0 ? NOT_VISIBLE : probe_presence(pr, &m, s, release);
	probe_modules_clear(&m);
	if (presence == ABSENT) {
		f->step = STEP_OPEN;
		conclude(pr, s, presence, f);
		return r;
	}
	if (err) {
		set_all_unknown(s, f, reason_of(STEP_OPEN, err), err);
		warn_surface(pr, s, STEP_OPEN, reason_of(STEP_OPEN, err), err);
		return r;
	}
	set_all_unknown(s, f, surface_reason(presence, STEP_OPEN, ENOENT), ENOENT);
	context_log(pr->ctx, level(pr, s), "probe-no-vdpa-device",
		    "%s: there is no such device now; one appears when a vDPA device is bound to "
		    "vhost_vdpa",
		    s->node);
	return r;
}

/* Usable when one device answers. Otherwise unknown, for the reason of the first. */
static int probe_vdpa(struct abibase_probe *pr, const char *release, json_t *facts, json_t *loaded)
{
	struct findings all = { 0 };
	unsigned int numbers[VDPA_MAX];
	int n = probe_vdpa_find(pr, numbers, VDPA_MAX), r = n;

	if (n <= 0 && n != -ENOMEM)
		r = no_vdpa(pr, release, -n, &all);
	for (int i = 0; r >= 0 && i < n; i++) {
		struct findings f = { 0 };
		struct vdpa_device d;

		probe_vdpa_device(&d, numbers[i]);
		r = probe_surface(pr, &d.surface, release, facts, loaded, &f);
		if (all.facts[0].kind == ANSWER_NONE || f.facts[0].kind == ANSWER_WORD)
			all.facts[0] = f.facts[0];
	}
	if (all.facts[0].kind == ANSWER_WORD)
		all.facts[0].kind = ANSWER_TRUE;
	return r < 0 ? r : add_facts(facts, &probe_vhost_vdpa, &all);
}

static int probe_parameters(struct abibase_probe *pr, const char *release, json_t *facts)
{
	struct probe_modules m = { 0 };
	int r = probe_modules_read(pr, &m);

	if (r == 0)
		r = probe_params(pr, &m, release, facts);
	probe_modules_clear(&m);
	return r;
}

static int probe_devices(struct abibase_probe *pr, const char *release, json_t *facts,
			 json_t **ret_sandbox)
{
	json_auto_t *loaded = json_array();
	struct findings tap = { 0 };
	int r = 0;

	if (!loaded)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(surfaces); i++) {
		const struct probe_surface *s = surfaces[i];
		struct findings f = { 0 };

		if (!probe_wants(pr, s->option)) {
			set_all_unknown(s, &f, REASON_NOT_ASKED, 0);
			r = add_facts(facts, s, &f);
		} else if (s == &probe_vhost_vdpa) {
			r = probe_vdpa(pr, release, facts, loaded);
		} else {
			r = probe_surface(pr, s, release, facts, loaded, &f);
		}
		if (s == &probe_tap)
			tap = f;
	}
	/* after what loads their module */
	if (r == 0)
		r = probe_parameters(pr, release, facts);
	if (r < 0)
		return r;
	*ret_sandbox = sandbox_json(pr, &tap, sorted(loaded));
	return *ret_sandbox ? 0 : -ENOMEM;
}

/* Left out when it cannot be read: it says only whether two profiles are of one boot. */
static int add_boot_id(struct abibase_probe *pr, json_t *root)
{
	_buf_ id = { 0 };
	int r;

	r = pr->ops->read_file(pr->ops_data, "/proc/sys/kernel/random/boot_id", &id);
	if (r == -ENOMEM)
		return r;
	while (r >= 0 && id.len && id.data[id.len - 1] == '\n')
		id.len--;
	if (r < 0 || !id.len || id.len > 64)
		return 0;
	return json_object_set_new(root, "boot_id", json_stringn(id.data, id.len)) < 0 ? -ENOMEM
										       : 0;
}

static int build(struct abibase_probe *pr, const struct abibase_catalogue *cat,
		 const struct utsname *un, const char *name, json_t **ret)
{
	json_auto_t *root = NULL, *facts = json_object(), *sandbox = NULL, *qemu = NULL;
	int r;

	if (!facts)
		return -ENOMEM;
	r = probe_devices(pr, un->release, facts, &sandbox);
	if (r < 0)
		return r;
	root = json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:O, s:O}", "schema",
			 "abibase-profile/1", "kind", "host", "name", name, "arch", un->machine,
			 "kernel", "release", un->release, "version", un->version, "facts", facts,
			 "probe", sandbox);
	if (!root)
		return -ENOMEM;
	r = add_boot_id(pr, root);
	if (r < 0)
		return r;
	if (!pr->no_qemu && probe_wants(pr, "qemu")) {
		r = probe_qemu_run(pr, cat, un->machine, &qemu);
		if (r < 0)
			return r;
		if (json_object_set(root, "qemu", qemu) < 0)
			return -ENOMEM;
	}
	*ret = steal(&root);
	return 0;
}

/* -------------------------------------------------------------- public API */

ABIBASE_EXPORT int abibase_probe_new(struct abibase_context *ctx, struct abibase_probe **ret)
{
	struct abibase_probe *pr = calloc(1, sizeof(*pr));

	if (!pr)
		return context_oom(ctx);
	pr->ctx = abibase_context_ref(ctx);
	pr->ops = &probe_real_ops;
	pr->device_timeout_ms = DEVICE_TIMEOUT_MS;
	pr->qemu_timeout_ms = QEMU_TIMEOUT_MS;
	pr->cache_dir = probe_cache_default();
	*ret = pr;
	return 0;
}

ABIBASE_EXPORT struct abibase_probe *abibase_probe_unref(struct abibase_probe *pr)
{
	if (!pr)
		return NULL;
	for (size_t i = 0; i < pr->n_qemu; i++)
		free(pr->qemu[i]);
	free(pr->qemu);
	for (size_t i = 0; i < pr->n_machine; i++)
		free(pr->machine[i]);
	free(pr->machine);
	free(pr->cache_dir);
	free(pr->name);
	abibase_context_unref(pr->ctx);
	free(pr);
	return NULL;
}

ABIBASE_EXPORT int abibase_probe_set_name(struct abibase_probe *pr, const char *name)
{
	char *copy;

	if (!name_valid(name))
		return context_fail(pr->ctx, EINVAL, "probe-bad-name", NULL,
				    "\"%s\" cannot be the name of a profile: up to 255 letters, "
				    "digits and . _ + -, the first a letter or digit",
				    name);
	copy = strdup(name);
	if (!copy)
		return context_oom(pr->ctx);
	free(pr->name);
	pr->name = copy;
	return 0;
}

ABIBASE_EXPORT void abibase_probe_set_no_load(struct abibase_probe *pr, bool no_load)
{
	pr->no_load = no_load;
}

ABIBASE_EXPORT int abibase_probe_add_qemu(struct abibase_probe *pr, const char *path)
{
	char *copy;

	if (array_grow(&pr->qemu, pr->n_qemu, &pr->cap_qemu, sizeof(*pr->qemu)) < 0)
		return context_oom(pr->ctx);
	copy = strdup(path);
	if (!copy)
		return context_oom(pr->ctx);
	pr->qemu[pr->n_qemu++] = copy;
	return 0;
}

ABIBASE_EXPORT void abibase_probe_set_no_qemu(struct abibase_probe *pr, bool no_qemu)
{
	pr->no_qemu = no_qemu;
}

ABIBASE_EXPORT int abibase_probe_add_machine(struct abibase_probe *pr, const char *machine)
{
	char *copy;

	if (!name_valid(machine))
		return context_fail(pr->ctx, EINVAL, "probe-bad-machine", NULL,
				    "\"%s\" cannot be the name of a machine type", machine);
	if (array_grow(&pr->machine, pr->n_machine, &pr->cap_machine, sizeof(*pr->machine)) < 0)
		return context_oom(pr->ctx);
	copy = strdup(machine);
	if (!copy)
		return context_oom(pr->ctx);
	pr->machine[pr->n_machine++] = copy;
	return 0;
}

ABIBASE_EXPORT void abibase_probe_set_no_values(struct abibase_probe *pr, bool no_values)
{
	pr->no_values = no_values;
}

ABIBASE_EXPORT void abibase_probe_set_observe(struct abibase_probe *pr, bool observe)
{
	pr->observe = observe;
}

ABIBASE_EXPORT int abibase_probe_set_cache_dir(struct abibase_probe *pr, const char *dir)
{
	char *copy = dir ? strdup(dir) : NULL;

	if (dir && !copy)
		return context_oom(pr->ctx);
	free(pr->cache_dir);
	pr->cache_dir = copy;
	return 0;
}

ABIBASE_EXPORT int abibase_probe_run(struct abibase_probe *pr, struct abibase_catalogue *cat,
				     struct abibase_profile **ret)
{
	const char *name = pr->name;
	json_t *root = NULL;
	struct utsname un;
	int r;

	r = pr->ops->uname(pr->ops_data, &un);
	if (r < 0)
		return context_fail(pr->ctx, -r, "probe-uname", NULL, "uname: %s", strerror(-r));
	if (!name)
		name = un.nodename;
	if (!name_valid(name))
		return context_fail(
			pr->ctx, EINVAL, "probe-bad-name", NULL,
			"the host name \"%s\" cannot be the name of a profile; give one "
			"with --name",
			name);
	if (!pr->no_qemu && probe_wants(pr, "qemu")) {
		r = probe_qemu_check(pr);
		if (r < 0)
			return r;
	}
	r = build(pr, cat, &un, name, &root);
	if (r == 0 && pr->observe)
		r = probe_observe(pr, cat, name, root);
	if (r < 0) {
		json_decref(root);
		return r == -ENOMEM ? context_oom(pr->ctx) : r;
	}
	return profile_from_json(pr->ctx, root, name, ret);
}
