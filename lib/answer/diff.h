/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_DIFF_H
#define ABIBASE_DIFF_H

#include <abibase/abibase.h>

#include "document/json.h"
#include "document/profile.h"

/* The thing that a difference is about; "kind" of the document. */
enum diff_kind {
	DIFF_ARCH,
	DIFF_FACT, /* or one bit of a feature word */
	DIFF_VALUE, /* that a machine type of a QEMU gives to a property */
	DIFF_QEMU, /* a binary that only one of the two has, or its version */
	DIFF_MACHINE,
	DIFF_PROPERTY, /* that a QEMU knows, or its type */
	DIFF_CONTEXT, /* where the rest comes from: kernel release, packages and the like */
	DIFF_REQUIREMENT, /* that every host of a baseline has to have */
	DIFF_BACKEND, /* that only one of two baselines is for */
};

/* Who has less, where that can be said. */
enum diff_side { DIFF_NEITHER, DIFF_A_LACKS, DIFF_B_LACKS };

struct diff_item {
	enum diff_kind kind;
	enum diff_side side;
	bool guest_visible;
	bool counts;
	bool known;   /* both say what they have */
	size_t order; /* in which it was found: sorting keeps it among equals */
	const char *subject, *text;
	const char *a, *b; /* NULL: nothing is stated */
	/* of a difference of two records: by what it is judged, and the ways that nothing judges */
	const char **judged;
	size_t n_judged;
	unsigned int open;
	const char *among, *name; /* several that differ in @name alone are said at once; or NULL */
};

struct diff {
	struct arena arena; /* all the texts */
	struct {
		const char *name, *digest;
		int64_t revision;
		const char *id, *machine; /* of a baseline, which has no name; may be NULL */
	} of[2];
	bool baselines;
	bool records; /* of builds were compared */
	bool rehearsed; /* and some of what differs, by itself */
	bool newer;   /* of an older one by what a newer one states */
	/* what a migration does to a running guest: from A to B, from B to A */
	struct {
		enum abibase_verdict works;
		bool one_way_door;
		const char *text;
	} moves[2];
	struct diff_item *items;
	size_t n, cap;
};

/*
 * Compare two profiles, as abibase_diff(): sorted differences, for diff_clear(). 0 or a negative errno:
 * of all but -ENOMEM the error of @ctx says it. @ctx NULL: without the records of their builds.
 */
int diff_profiles(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		  const struct abibase_profile *a, const struct abibase_profile *b,
		  unsigned int flags, struct diff *ret);
void diff_clear(struct diff *d);
/* Is there the device at all that this fact is of? NULL when nothing is said about it. */
const json_t *surface_usable(const struct abibase_profile *p, const char *fact);

#endif
