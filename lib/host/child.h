/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_CHILD_H
#define ABIBASE_CHILD_H

#include <errno.h>
#include <stdint.h>

#include "base/process.h"
#include "host/ops.h"

/* The process that asks one surface, and what it says. */

/* Why a fact is unknown; the words are in probe/warn.c. */
enum probe_reason {
	REASON_NONE,
	REASON_NO_NODE,
	REASON_NO_PERMISSION,
	REASON_NOT_LOADED,
	REASON_NO_DEVICE,
	REASON_NO_NAMESPACE,
	REASON_NO_DESCRIPTORS,
	REASON_REFUSED,
	REASON_NO_MODULE_INDEX,
	REASON_NOT_ASKED,
	REASON_ERROR, /* error-ERRNONAME */
};

enum fact_kind {
	FACT_NONE,
	FACT_FALSE,
	FACT_TRUE,
	FACT_WORD,
	FACT_INT, /* in word[0] */
	FACT_UNKNOWN,
};

struct probe_answer {
	enum fact_kind kind;
	enum probe_reason reason; /* of FACT_UNKNOWN */
	int err;		  /* the errno behind it, or 0 */
	uint64_t word[2];	  /* of FACT_WORD, low word first */
};

struct probe_fact {
	const char *id;
	unsigned int bits; /* of a word; 0: yes or no */
};

/* What the child was doing when a whole surface failed. */
enum probe_step {
	STEP_NONE,
	STEP_FORK,
	STEP_NAMESPACE,
	STEP_CAPABILITIES,
	STEP_RIGHTS, /* the caller lacks what takes more than a namespace of its own */
	STEP_LOWER,  /* the device that a macvtap lies on */
	STEP_LINK,   /* the macvtap itself */
	STEP_NODE,   /* a node for it: it is there, but cannot be opened */
	STEP_OPEN,
	STEP_FEATURES, /* the first question to the open device */
	STEP_ATTACH,   /* making the tap */
	STEP_CHILD,    /* the child itself died or did not come back */
};

/* The child's side: asks and writes records into a pipe. */
struct probe_child {
	const struct probe_ops *ops;
	void *ops_data;
	const struct probe_surface *surface;
	const char *node; /* what is opened: @surface->node, but for a device of our own */
	int fd;		  /* the pipe */
};

/* One thing to ask: mostly a kind of device node. */
struct probe_surface {
	const char *name;    /* "vhost_net": prefix of its facts */
	const char *option;  /* "vhost-net": for --only and --skip */
	const char *node;    /* "/dev/net/tun", or another name for people */
	const char *module;  /* "tun"; NULL: part of every kernel */
	const char *misc;    /* its name in /proc/misc, or NULL */
	const char *chardev; /* its name in /proc/devices, or NULL */
	bool netns;	     /* asking makes a network device: needs a namespace of its own */
	bool mountns;	     /* and a private /dev, which takes @caps in the initial namespaces */
	bool aside;	     /* no answer of today depends on it: its failures are told quietly */
	unsigned int caps;   /* enum probe_cap: kept of those that the caller has */
	const struct probe_surface *lower; /* what it uses besides its own module, or NULL */
	const struct probe_fact *facts;	   /* the first one is "usable" */
	size_t n_facts;
	const char *const *modules; /* what asking can load, NULL-terminated; or NULL */
	/* child: ask the open device; @fd goes with the child at the latest */
	void (*ask)(struct probe_child *c, int fd);
	/* child: instead of opening @node and @ask */
	void (*run)(struct probe_child *c);
};

#define PROBE_MAX_FACTS 32
extern const struct probe_surface probe_tap, probe_macvtap, probe_ipvtap, probe_ebpf;
/* Every /dev/vhost-*; the last one has no name. */
extern const struct probe_surface probe_vhosts[];
/* All devices of it; each one is a surface of its own, see probe_vdpa_device(). */
extern const struct probe_surface probe_vhost_vdpa;

/* child: report one fact, or that the surface failed as a whole */
void probe_say(struct probe_child *c, size_t fact, enum fact_kind kind, uint64_t low,
	       uint64_t high);
void probe_say_errno(struct probe_child *c, size_t fact, int err);
void probe_say_failed(struct probe_child *c, enum probe_step step, int err);
/* child: yes where the request succeeded, no where its failure (@no) means that; else unknown */
void probe_say_accepted(struct probe_child *c, size_t fact, int r, bool no);
static inline int probe_open(struct probe_child *c, const char *node)
{
	return c->ops->open(c->ops_data, node);
}
static inline void probe_close(struct probe_child *c, int fd)
{
	c->ops->close(c->ops_data, fd);
}
static inline int probe_ioctl(struct probe_child *c, int fd, unsigned long request,
			      unsigned long arg)
{
	return c->ops->ioctl(c->ops_data, fd, request, arg);
}
static inline int probe_ioctl_p(struct probe_child *c, int fd, unsigned long request, void *arg)
{
	return c->ops->ioctl(c->ops_data, fd, request, (unsigned long)arg);
}

/* "EINVAL" */
const char *probe_errno_name(int err);

/* Facts of every kind of tap come in this order (host/tap.c). */
enum {
	TAP_USABLE,
	TAP_FEATURES,
	TAP_CSUM,
	TAP_TSO4,
	TAP_TSO6,
	TAP_TSO_ECN,
	TAP_UFO,
	TAP_USO,
	TAP_UDP_TUNNEL,
	TAP_UDP_TUNNEL_CSUM,
	TAP_COMMON, /* how many all of them have */
};
#define TAP_COMMON_FACTS(kind)                                      \
	[TAP_USABLE] = { kind ".usable", 0 },                       \
	[TAP_FEATURES] = { kind ".features", 32 },                  \
	[TAP_CSUM] = { kind ".offload.csum", 0 },                   \
	[TAP_TSO4] = { kind ".offload.tso4", 0 },                   \
	[TAP_TSO6] = { kind ".offload.tso6", 0 },                   \
	[TAP_TSO_ECN] = { kind ".offload.tso_ecn", 0 },             \
	[TAP_UFO] = { kind ".offload.ufo", 0 },                     \
	[TAP_USO] = { kind ".offload.uso", 0 },                     \
	[TAP_UDP_TUNNEL] = { kind ".offload.udp_tunnel", 0 },       \
	[TAP_UDP_TUNNEL_CSUM] = { kind ".offload.udp_tunnel_csum", 0 }
/* child: TUNSETIFF on an open fd */
int probe_tap_attach(struct probe_child *c, int fd, unsigned int flags);
/* child: make a tap of an open fd, with a vnet header where it can have one; its flags, or 0 having said why */
unsigned int probe_tap_begin(struct probe_child *c, int fd, unsigned int *ret_features);
/* child: the questions of TUNSETOFFLOAD, each on an fd of its own for c->node */
void probe_tap_offloads(struct probe_child *c, unsigned int flags);

/*
 * child, in a network and a mount namespace of its own, as root: a macvtap whose node is
 * PROBE_OWN_NODE. The descriptor that it lies on, to be kept open as long as it is used; or a negative
 * errno with the step (host/macvtap.c). @c->surface is probe_macvtap or probe_ipvtap.
 */
#define PROBE_OWN_NODE "/dev/abibase-tap"
int probe_macvtap_make(struct probe_child *c, enum probe_step *ret_step);

/* One vhost-vdpa device as a surface; self-referential, so it stays where it is filled in. */
struct vdpa_device {
	struct probe_surface surface;
	struct probe_fact facts[2];
	char node[32], option[32], ids[2][40];
};
void probe_vdpa_device(struct vdpa_device *d, unsigned int number);
/* The numbers of the vhost-vdpa devices of this host, ascending; how many, or a negative errno. */
#define VDPA_MAX 64
int probe_vdpa_find(const struct probe_ops *ops, void *ops_data, unsigned int *ret, size_t max);

/* What one surface has said. */
struct probe_said {
	struct probe_answer facts[PROBE_MAX_FACTS];
	enum probe_step step; /* where the whole surface failed, or STEP_NONE */
	int err;
	bool done;
	bool sandboxed;
	unsigned int held, kept;
	bool user_ns, net_ns;
};
/* Let go of the caller's descriptors, enter the sandbox, ask, say all, and end. */
_Noreturn void child_run(struct probe_child *c, int timeout_ms);
/* Read records until the child has no more to say. 0, or -ETIMEDOUT. */
int child_read(const struct probe_surface *s, int fd, int64_t deadline,
	       const struct process_stop *stop, struct probe_said *f);
/* Why that makes a surface unknown. */
enum probe_reason child_reason(enum probe_step step, int err);

#endif
