/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_QTEST_H
#define ABIBASE_QTEST_H

/*
 * A throw-away QEMU with one virtio-net-pci, stopped before its first instruction, and what a guest
 * in it would see of that device: read over the qtest protocol as a guest's driver would, through
 * PCI configuration space and the modern common configuration. No x- command is ever sent.
 */

#include "qmp.h"

#define QTEST_MAX_QUEUES 64
#define QTEST_BARS 6

enum qtest_backend { QTEST_TAP, QTEST_TAP_VHOST, QTEST_USER, N_QTEST_BACKENDS };
/* "tap", "tap+vhost", "user"; ends with NULL */
extern const char *const qtest_backend_names[N_QTEST_BACKENDS + 1];

struct qtest_bar {
	uint64_t size; /* 0: there is none */
	bool io, wide, prefetch; /* wide: 64 bits, and takes the place of the next one too */
};

/* What a guest would be offered. */
struct qtest_device {
	uint64_t offered[2]; /* least significant word first */
	unsigned int n_queues, queue_size[QTEST_MAX_QUEUES];
	unsigned int config_size;
	struct qtest_bar bar[QTEST_BARS];
};

/*
 * The surroundings of another process: a child that goes there sees the libraries and firmware that
 * it has, and can do no more than it.
 */
struct surroundings {
	int root_fd; /* directory that becomes its root; -1: ours */
	uid_t uid;   /* taken on where the caller is root */
	gid_t gid;
};
int surroundings_enter(const struct surroundings *s);

/* A trial has a monitor beside qtest. */
struct qtest_trial {
	const struct surroundings *where;
	int monitor_fd; /* what is on the other side of its QMP monitor */
	int bios_fd;	/* a BIOS that does nothing, in memory; -1: it stays stopped */
};

struct qtest_request {
	const char *path, *machine;
	enum qtest_backend backend;
	const struct qtest_trial *trial; /* or NULL */
	/* NULL, or "class.property=value" as for -global; ends with NULL */
	const char *const *settings;
	int timeout_ms;
};

/*
 * Start it, read the device, kill it. 0, or a negative errno with the reason in words in @why. With
 * a tap, the tap is made in a network namespace of its own and goes with the process; the caller
 * is left as it is. -ETIMEDOUT: it hung; -ENOMEM: no memory here.
 */
int qtest_observe(const struct qtest_request *rq, struct qtest_device *ret, struct buf *why);

/*
 * Start it, drive its device as far as a guest's driver does (all features, all queues, DRIVER_OK; with
 * vhost that really starts), and ask over its monitor what @ask asks; then see whether it still lives,
 * and kill it. @q is its QMP monitor, before the greeting; what @rq->trial is, is made here. Returns what @ask returned, or a negative errno with the reason in @why.
 */
typedef int qtest_ask_fn(void *data, struct qmp *q);
int qtest_try(const struct qtest_request *rq, const struct surroundings *where, qtest_ask_fn *ask,
	      void *data, struct buf *why);

#endif
