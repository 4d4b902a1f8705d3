/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_QTEST_H
#define ABIBASE_QTEST_H

/*
 * A throw-away QEMU with virtio-net devices, stopped before its first instruction, and what a guest
 * in it would see of them: read over the qtest protocol as a guest's driver would, through PCI
 * configuration space and the common configuration. No x- command is ever sent.
 */

#include "qemu/qmp.h"

#define QTEST_MAX_QUEUES 64
#define QTEST_BARS 6
/* Device @i has the netdev abibase@i and the PCI slot QTEST_SLOT + @i: free on every PC. */
#define QTEST_SLOT 5u
#define QTEST_MAX_NICS 24
/* The first device, as a user has it; and without the ROM, which is a package of its own. */
#define QTEST_PLAIN_NIC "virtio-net-pci,netdev=abibase0,addr=5"
#define QTEST_NO_ROM_NIC QTEST_PLAIN_NIC ",romfile="
/* The monitor of a throw-away: by it one is told from a guest. */
#define QTEST_MONITOR "chardev=abibase-monitor,mode=control"

enum qtest_backend {
	QTEST_TAP,
	QTEST_TAP_VHOST,
	QTEST_MACVTAP,
	QTEST_MACVTAP_VHOST,
	QTEST_USER,
	QTEST_HUB, /* a hub with nothing else on it: as every backend without a vnet header */
	N_QTEST_BACKENDS
};
/* "tap", "tap+vhost", ...; ends with NULL */
extern const char *const qtest_backend_names[N_QTEST_BACKENDS + 1];
/* The one of this name that a guest can be on, or -1. */
int qtest_backend(const char *name);

struct qtest_bar {
	uint64_t size; /* 0: there is none */
	bool io, wide, prefetch; /* wide: 64 bits, and takes the place of the next one too */
};

/* What a guest would be offered. */
struct qtest_device {
	uint64_t offered[2]; /* least significant word first */
	unsigned int n_queues, queue_size[QTEST_MAX_QUEUES];
	unsigned int config_size;
	unsigned int vectors; /* entries of the MSI-X table; 0: there is none */
	struct qtest_bar bar[QTEST_BARS];
	uint64_t rom_size; /* of the BAR of the option ROM; 0: there is none */
	bool legacy; /* it has the legacy interface alone, whose word has 32 bits */
};

struct qtest_nic {
	enum qtest_backend backend;
	unsigned int queues; /* pairs of a tap; 0 is 1 */
	bool no_vnet_hdr;    /* a tap without IFF_VNET_HDR */
	const char *device;  /* the value of -device, with its netdev and addr */
};

/* A trial has a monitor beside qtest. */
struct qtest_trial {
	int monitor_fd; /* what is on the other side of its QMP monitor */
	int bios_fd;	/* a BIOS that does nothing, in memory; -1: it stays stopped */
};

struct qtest_request {
	const char *path, *machine;
	const struct qtest_nic *nics;
	size_t n_nics;
	unsigned int first; /* so many descriptors are the caller's, before those of the devices */
	const struct qtest_trial *trial; /* or NULL */
	/* NULL, or further words of the command line; ends with NULL */
	const char *const *words;
	int timeout_ms;
	const struct process_stop *stop; /* or NULL */
};

/*
 * Start it, read its @n_nics devices, kill it. 0, or a negative errno with the reason in words in
 * @why. Taps are made in namespaces of their own and go with the process; the caller is left as it
 * is. -ETIMEDOUT: it hung; -ENOMEM: no memory here.
 */
int qtest_observe(const struct qtest_request *rq, struct qtest_device *ret, struct buf *why);

/*
 * Start it, drive its one device as far as a guest's driver does (all features, all queues,
 * DRIVER_OK; with vhost that really starts), and ask over its monitor what @ask asks; then see
 * whether it still lives, and kill it. @q is its QMP monitor, before the greeting; what @rq->trial
 * is, is made here. It has no capability and, where that may be, no namespace of the host that it
 * does not need. Returns what @ask returned, or a negative errno with the reason in @why.
 */
typedef int qtest_ask_fn(void *data, struct qmp *q);
int qtest_try(const struct qtest_request *rq, qtest_ask_fn *ask, void *data, struct buf *why);

/* ---------------------------------------------------------- qemu/backend.c */

bool qtest_has_vhost(enum qtest_backend b);
/* Descriptors that its backends take; those of a trial, its monitor and its BIOS, come next. */
unsigned int qtest_fds(const struct qtest_request *rq);
/* The value of -netdev for device @i; @id NULL: it is called abibase@i. */
void qtest_netdev(const struct qtest_request *rq, size_t i, const char *id, struct buf *out);
/* The fn of struct qmp_preparation; @data is the request. */
int qtest_prepare(void *data, int *step);
/* Of that, in a child in namespaces of its own: open taps, and vhost-net, which is in none. */
int qtest_open_taps(const struct qtest_request *rq, int *step);
int qtest_open_vhost(const struct qtest_request *rq, int *step);
/* Open a node and leave it open across exec under a number. 0 or a negative errno. */
int qtest_open_as(const char *node, unsigned int number);
const char *qtest_step_words(int step);

#endif
