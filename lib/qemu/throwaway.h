/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_THROWAWAY_H
#define ABIBASE_THROWAWAY_H

#include "qemu/command.h"
#include "qemu/qtest.h"

/*
 * A command line of QEMU, reduced to what decides what virtio-net offers a guest, so that a
 * throw-away QEMU can be started of it that touches nothing of its owner's: the machine type, -global
 * options, virtio-net devices with their properties, and for each an equal backend of its own.
 */

enum nic_kind {
	NIC_HOST,   /* on a tap or macvtap: what is offered depends on the host */
	NIC_PLAIN,  /* on a backend without a vnet header: it depends on no host */
	NIC_OPAQUE, /* it cannot be rebuilt */
};

struct nic {
	const char *name;   /* its id, or its driver and number */
	const char *driver; /* "virtio-net-pci" */
	const char *netdev; /* id of its backend, or NULL */
	struct params params;
	size_t n_own; /* of these come from -device, the others from -set */
	enum nic_kind kind;
	const char *backend; /* "tap+vhost"; what it is called if it is not NIC_HOST: "vhost-user" */
	const char *why; /* of NIC_OPAQUE: a sentence */
	struct qtest_nic throwaway;
};

struct netdev {
	const char *id, *option;
	struct params params; /* "type" among them */
};

struct global {
	const char *class_name, *property, *value;
};

/* Every text is in the arena, which has failed when memory ran out. */
struct throwaway {
	struct abibase_context *ctx;
	const struct abibase_baseline *b;
	struct arena arena;
	struct command cmd; /* as it was read, in the arena */
	const char *machine; /* NULL: none was named */
	bool confidential; /* the machine makes devices use the IOMMU */
	struct nic *nics;
	size_t n_nics;
	struct netdev *netdevs;
	size_t n_netdevs;
	struct global *globals;
	size_t n_globals;
	struct strings ports;	 /* ids of the PCI Express ports */
	struct strings words;	 /* for struct qtest_request */
	struct strings left_out; /* options */
	struct strings unseen;	 /* sentences about what may matter and is not understood */
	struct strings notes;	 /* sentences about what was taken for granted */
};

/* What a property of a device is set to, and by which option. */
struct setting_from {
	const char *option; /* "-device virtio-net-pci"; NULL: nothing sets it */
	const char *value;
	bool own;	  /* of this device alone, by -device or -set */
	bool behind_list; /* it comes after what is set on the class itself, where a list is */
};

/* @argv: the arguments behind the program's name. Reads files of -readconfig. 0 or -ENOMEM. */
int throwaway_parse(struct throwaway *t, const char *const *argv);
/* Instead: this list of settings, and one device on each backend of the baseline. */
int throwaway_default(struct throwaway *t, const char *const *list);
/*
 * The devices of these indices, at most QTEST_MAX_NICS, as they are started together; without @roms
 * where their file is not to be found. 0 or -ENOMEM.
 */
int throwaway_place(struct throwaway *t, const size_t *which, size_t n, bool roms,
		    struct qtest_nic *ret);
/* Has it the option ROM that every such card has, of a file of the host? */
bool throwaway_has_rom(const struct nic *nic);
void throwaway_clear(struct throwaway *t);
struct setting_from throwaway_setting(struct throwaway *t, const struct nic *nic,
				      const char *property);

#endif
