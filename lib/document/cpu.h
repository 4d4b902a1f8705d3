/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_CPU_H
#define ABIBASE_CPU_H

#include "document/guest.h"

/*
 * No stream carries a CPU, so nothing refuses a guest whose processor has less where it comes to.
 * Whether that can be depends on how its line or domain names the CPU.
 */
struct cpu_named {
	const char *word; /* "host", "max", a mode of libvirt's; "": none is named */
	const char *target, *machine, *emulator; /* NULL: not known */
	bool of_libvirt, tcg;
};

/* What that means for a migration, and what to do; false: a model is named, there is nothing to say. */
bool cpu_write(const struct cpu_named *n, struct buf *text, struct buf *remedy);
/* Of a guest that was read from a domain. */
bool cpu_write_guest(const struct abibase_guest *g, struct buf *text, struct buf *remedy);

#endif
