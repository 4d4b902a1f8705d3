/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_VERSION_H
#define ABIBASE_VERSION_H

#include <stdbool.h>

/* Versions of QEMU ("10.0.13") and of upstream machine types ("10.0"). */

struct version {
	unsigned int part[3];
};
struct version_range {
	struct version first, last; /* inclusive */
};

/* "X", "X.Y" or "X.Y.Z", nothing after. */
bool version_parse(const char *s, struct version *ret);
/* The number at the start of a version string as distributions write it: "10.0.13 (Debian …)". */
bool version_parse_prefix(const char *s, struct version *ret);
/* "A-B" or "A". */
bool version_range_parse(const char *s, struct version_range *ret);
int version_cmp(const struct version *a, const struct version *b);
bool version_is_zero(const struct version *v);
bool version_in(const struct version *v, const struct version_range *ranges, unsigned long n);

enum machine_family { MACHINE_OTHER, MACHINE_I440FX, MACHINE_Q35 };
struct machine_name {
	enum machine_family family;
	bool versioned; /* pc-q35-… or pc-i440fx-… with a digit after */
	bool upstream;	/* pc-q35-X.Y, pc-i440fx-X.Y, nothing after */
	struct version version; /* of an upstream name */
};
void machine_name_parse(const char *s, struct machine_name *ret);
/* Which of two versioned names is the newer: q35 first, upstream first, then by number. */
int machine_name_cmp(const char *a, const char *b);

#endif
