/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One surface is asked in a process of its own, which has no capability but those that its
 * questions take. It says what it found in records through a pipe.
 */

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include "base/process.h"
#include "host/child.h"

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
	if (TEMP_FAILURE_RETRY(write(c->fd, r, sizeof(*r))) != (ssize_t)sizeof(*r))
		_exit(2); /* the parent has gone */
}

void probe_say(struct probe_child *c, size_t fact, enum fact_kind kind, uint64_t low,
	       uint64_t high)
{
	struct record r;

	record_init(&r, RECORD_FACT, (uint32_t)fact);
	r.answer.kind = kind;
	r.answer.word[0] = low;
	r.answer.word[1] = high;
	send_record(c, &r);
}

enum probe_reason child_reason(enum probe_step step, int err)
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
	r.answer.kind = FACT_UNKNOWN;
	r.answer.reason = child_reason(STEP_NONE, err);
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

void probe_say_accepted(struct probe_child *c, size_t fact, int r, bool no)
{
	if (r < 0 && !no)
		probe_say_errno(c, fact, -r);
	else
		probe_say(c, fact, r < 0 ? FACT_FALSE : FACT_TRUE, 0, 0);
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
	int fd = probe_open(c, c->node);

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

_Noreturn void child_run(struct probe_child *c, int timeout_ms)
{
	/* Should the parent be unable to count: nothing here outlives this. */
	alarm((unsigned int)timeout_ms / 1000 + 2);
	process_close_others(3, c->fd); /* they may be all that the caller can have */
	child_main(c);
	_exit(0);
}

/* ------------------------------------------------------------- the parent */

static void take_record(const struct probe_surface *s, struct probe_said *f, const struct record *r)
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

int child_read(const struct probe_surface *s, int fd, int64_t deadline,
	       const struct process_stop *stop, struct probe_said *f)
{
	struct record r;
	size_t have = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int left = process_left(deadline, stop);
		ssize_t n;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, left) <= 0)
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
