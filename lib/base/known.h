/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_KNOWN_H
#define ABIBASE_KNOWN_H

/*
 * Properties, feature groups, requirements and virtio bits are the catalogue's, and no code knows
 * one of them. Those below are the design's own, each for its reason; tests/knowledge.sh holds lib/
 * to this list.
 */

/* A legacy device has one word of feature bits: virtio 1.3, 4.1.4.8. */
#define LEGACY_BITS 32
/* VIRTIO_F_BAD_FEATURE: QEMU offers it to catch drivers that take what they do not know. */
#define BAD_FEATURE_BIT 30

/* A packed ring has any number of entries, a split one a power of two: virtio 1.3, 2.7 and 2.8. */
#define PACKED_BIT 34

/* The device of which a guest without another word is. */
#define NET_DEVICE "virtio-net-device"

/* A throw-away QEMU is started as the guest's own would be: behind a port it is no legacy device, */
#define DISABLE_LEGACY "disable-legacy"
/* and of a confidential guest each device is behind an IOMMU. */
#define IOMMU_PLATFORM "virtio-device.iommu_platform"
/* A card that -nic makes takes its address from it, and one without it the next that is free. */
#define MAC "mac"
/* Command lines with a ROM are held against baselines without. QEMU has an option of this name too. */
#define OPTION_ROM "option-rom"
/* The size of a ROM is read of a guest that runs, beside romfile and rombar, which no row has. */
#define ROMSIZE "romsize"

/* Members of QEMU's answers and of documents that have the name of a property or a group by chance. */
#define QMP_STATUS "status"
#define GUEST_MTU "mtu"
#define SHAPE_VECTORS "vectors"

/* What a message shows where a name was not known. */
#define A_PROPERTY "virtio-net-device.host_uso"
#define A_GROUP "offload-uso"

#endif
