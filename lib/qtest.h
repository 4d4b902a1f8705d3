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

struct qtest_request {
	const char *path, *machine;
	enum qtest_backend backend;
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

#endif
