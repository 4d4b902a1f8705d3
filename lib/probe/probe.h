/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_PROBE_H
#define ABIBASE_PROBE_H

#include <abibase/abibase.h>
#include <errno.h>
#include <jansson.h>

#include "host/ops.h"

struct abibase_probe {
	struct abibase_context *ctx;
	char *name;
	bool no_load, no_qemu;
	char **qemu;
	size_t n_qemu, cap_qemu;
	char **machine; /* of which effective values are wanted; none: those that matter */
	size_t n_machine, cap_machine;
	bool no_values;
	bool observe; /* start each machine type and read what it offers */
	char *cache_dir; /* NULL: nothing is kept */
	unsigned int only, skip; /* bits of the surfaces in probe/surfaces.c */

	/* for tests; abibase_probe_new() sets the real ones */
	const struct probe_ops *ops;
	void *ops_data;
	const struct probe_place *places; /* ends with a NULL path; NULL: the usual ones */
	int device_timeout_ms, qemu_timeout_ms;
};

/* Why a fact is unknown; the words are in probe.c. */
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

enum answer_kind {
	ANSWER_NONE,
	ANSWER_FALSE,
	ANSWER_TRUE,
	ANSWER_WORD,
	ANSWER_INT, /* in word[0] */
	ANSWER_UNKNOWN,
};

struct probe_answer {
	enum answer_kind kind;
	enum probe_reason reason; /* of ANSWER_UNKNOWN */
	int err;		  /* the errno behind it, or 0 */
	uint64_t word[2];	  /* of ANSWER_WORD, low word first */
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
	const char *const *modules; /* what asking can load, NULL-terminated */
	/* child: ask the open device; @fd is closed by it */
	void (*ask)(struct probe_child *c, int fd);
	/* child: instead of opening @node and @ask */
	void (*run)(struct probe_child *c);
};

#define PROBE_MAX_FACTS 32
extern const struct probe_surface probe_tap, probe_macvtap, probe_ipvtap, probe_ebpf;
extern const struct probe_surface probe_vhost_net, probe_vhost_vsock, probe_vhost_scsi;
/* All devices of it; each one is a surface of its own, see probe_vdpa_device(). */
extern const struct probe_surface probe_vhost_vdpa;

/* child: report one fact, or that the surface failed as a whole */
void probe_say(struct probe_child *c, size_t fact, enum answer_kind kind, uint64_t low,
	       uint64_t high);
void probe_say_errno(struct probe_child *c, size_t fact, int err);
void probe_say_failed(struct probe_child *c, enum probe_step step, int err);
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
/* child: TUNSETIFF on an open fd */
int probe_tap_attach(struct probe_child *c, int fd, unsigned int flags);
/* child: another fd for c->node, attached */
int probe_tap_fresh(struct probe_child *c, unsigned int flags);
/* child: the questions of TUNSETOFFLOAD, each on a fresh fd */
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
int probe_vdpa_find(struct abibase_probe *pr, unsigned int *ret, size_t max);

/* Is this surface, by its option's name, to be asked (probe/surfaces.c)? */
bool probe_wants(const struct abibase_probe *pr, const char *option);
/* Was it named by --only? Then its failures are told aloud. */
bool probe_named(const struct abibase_probe *pr, const char *option);

/* What the running kernel has, read before anything is opened (probe/modules.c). */
struct probe_modules {
	struct buf misc, loaded; /* /proc/misc, /proc/modules */
	struct buf devices;	 /* /proc/devices */
	bool have_misc;		 /* /proc/misc was read: /proc is the real one */
	bool have_loaded;	 /* /proc/modules was read */
	bool no_modules;	 /* this kernel has no loadable modules at all */
};
int probe_modules_read(struct abibase_probe *pr, struct probe_modules *ret);
void probe_modules_clear(struct probe_modules *m);
bool probe_misc_lists(const struct probe_modules *m, const char *name);
bool probe_module_loaded(const struct probe_modules *m, const char *name);
/* Is the surface there as far as the kernel says, without opening anything? */
enum presence {
	PRESENT,     /* registered now: loaded or built in */
	LOADABLE,    /* not registered; the index has it */
	NO_INDEX,    /* not registered; what could be loaded cannot be read */
	NOT_VISIBLE, /* /proc/misc cannot be read: nothing is known */
	ABSENT,	     /* not registered, and this kernel cannot gain it */
};
enum presence probe_presence(struct abibase_probe *pr, const struct probe_modules *m,
			     const struct probe_surface *s, const char *release);
/* Add the module parameters to @facts (probe/params.c). */
int probe_params(struct abibase_probe *pr, const struct probe_modules *m, const char *release,
		 json_t *facts);

/* The QEMU binaries (probe/qemu.c). */
struct probe_place {
	const char *path; /* one %s: the machine's architecture */
	bool wrapper;	  /* a script here wraps a QEMU that is asked under its own name */
};
/* A named binary that does not exist is an error; before anything else is done. */
int probe_qemu_check(struct abibase_probe *pr);
/* Ask all of them; @ret is an array for the profile. */
int probe_qemu_run(struct abibase_probe *pr, const struct abibase_catalogue *cat, const char *arch,
		   json_t **ret);

/* Effective values (probe/values.c). */
struct qmp;
/*
 * Add the effective values to @entry, which has all else. @q is a QEMU on -machine none, and may
 * have been stopped on return. @defaults: class -> property -> default value, as QEMU states them.
 * @ret_complete: nothing was left out; what was left out has been warned of. Fails for want of
 * memory only.
 */
int probe_values_add(struct abibase_probe *pr, struct qmp *q, const char *path,
		     const struct abibase_catalogue *cat, const json_t *defaults, json_t *entry,
		     bool *ret_complete);

/*
 * Add what each QEMU of @root, a profile but for that, really offers (probe/observe.c). Fails for want
 * of memory only.
 */
int probe_observe(struct abibase_probe *pr, struct abibase_catalogue *cat, const char *name,
		  json_t *root);

/* What QEMUs answered before, by build id (probe/cache.c). These fail for want of memory only. */
char *probe_cache_default(void);
/* 1: @ret is an entry for the profile, without a path. */
int probe_cache_load(struct abibase_probe *pr, const struct abibase_catalogue *cat,
		     const char *build_id, json_t **ret);
int probe_cache_store(struct abibase_probe *pr, const struct abibase_catalogue *cat,
		      const char *build_id, const json_t *entry);
/* The GNU build id of an ELF file, in hex; NULL when there is none. For free(). */
char *probe_build_id(const char *path);

#endif
