/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_GUEST_H
#define ABIBASE_GUEST_H

#include <abibase/abibase.h>

#include "document/catalogue.h"

/* A running guest: what its driver took of each virtio device, and where it runs. */

#define GUEST_MTU_MAX 65535 /* virtio 1.3, 5.1.4.1, which has the least, 68, too */
#define GUEST_MAX_SIZE 1024 /* of a queue: QEMU takes no more from a driver, VIRTQUEUE_MAX_SIZE */
#define GUEST_VHOST_OPTIONAL "vhost_optional"
#define DOMAIN_NOT_JUDGED                                                                          \
	"x-not-judged" /* of a domain: words that may change a device, nobody knows how */
#define GUEST_UNJUDGED_REMEDY \
	"say it with the elements that libvirt has for it, or take it out of the guest"
/* Of one that is read from a command line: these words, and what else is true of it. */
#define GUEST_X_MACHINE "x-machine"
#define GUEST_X_NAME "x-name"
#define GUEST_X_UUID "x-uuid"
#define GUEST_X_INCOMING "x-incoming"
#define GUEST_X_SLOTS "x-slots"
/* Of one that is read from a domain: see document/cpu.h; "kvm" or "qemu" */
#define GUEST_X_CPU "x-cpu"
#define GUEST_X_VIRTTYPE "x-virttype"
#define GUEST_X_EMULATOR "x-emulator"
#define GUEST_X_BASELINE "x-baseline" /* the id that a domain asks for */
#define GUEST_MAX_QUEUES 4096 /* no QEMU has more than 1024, VIRTIO_QUEUE_MAX */

/* Points into the document of the guest. */
struct guest_device {
	const char *class_name, *id, *backend; /* id, backend: NULL when not stated */
	uint64_t negotiated[2];
	bool has_negotiated; /* stands behind the word, as AS_FEATURES has it */
	uint64_t offered[2];
	bool has_offered;
	const json_t *queue_sizes; /* NULL, or of none: not stated */
	const json_t *properties;  /* "class.property" to whether it is on, or NULL */
	int64_t config_size, mtu;  /* -1: not stated */
	int64_t rom_size;	   /* of its option ROM; 0: it has none; -1: not stated */
	const json_t *json;
};

struct abibase_guest {
	int refcount;
	json_t *root; /* validated, never changed */
	struct arena arena;
	const char *name, *machine, *target, *qemu, *package, *build_id; /* NULL: not stated */
	struct guest_device *devices;
	size_t n;
	const char *source; /* where it was read, for messages */
};

/* The @i-th of what may change a device of the guest and is not judged; NULL: there are no more. */
const char *guest_unjudged(const struct abibase_guest *g, size_t i);
/* What a member of the device's says that is true or false; unknown: it is not stated. */
enum abibase_tri guest_states(const struct guest_device *d, const char *member);
/* On which backend the device is; -1: it is not stated; else the number of one of @cat, or more. */
int guest_device_backend(const struct abibase_catalogue *cat, const struct guest_device *d);
/* "tap+vhost" is "tap" on a host that has no vhost: a mask, 0 where there is no such backend. */
unsigned int guest_without_vhost(const struct abibase_catalogue *cat, int backend);
/* The backends that the guest needs; must a host have all of them? */
unsigned int guest_backends(const struct abibase_catalogue *cat, const struct abibase_guest *g,
			    bool *ret_named);
/* Takes the reference of @root, also on failure. The first is for a document that is known to be valid. */
int guest_make(struct abibase_context *ctx, json_t *root, const char *source,
	       struct abibase_guest **ret);
int guest_from_json(struct abibase_context *ctx, json_t *root, const char *source,
		    struct abibase_guest **ret);
/* Can there be such a guest? Of its properties and bits only the catalogue knows. */
void guest_check_sense(struct schema_walk *c, const struct abibase_catalogue *cat,
		       const json_t *root);
/* "0x1c0010130afffa7" as a document has it; NULL for want of memory. */
json_t *guest_word(const uint64_t word[2]);

/*
 * guest_from_word - a guest of which nothing is known but a feature word
 * @word: hex digits, with "0x" or without, of at most 128 bits: what the driver negotiated
 * @class_name: class of the device in QEMU; NULL: "virtio-net-device"
 *
 * Returns: 0, -EINVAL (not a word), -ENOMEM.
 */
int guest_from_word(struct abibase_context *ctx, const char *word, const char *class_name,
			    struct abibase_guest **ret);
struct abibase_guest *guest_ref(struct abibase_guest *g);
extern const struct form guest_form;

#endif
