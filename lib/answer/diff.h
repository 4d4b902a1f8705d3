/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_DIFF_H
#define ABIBASE_DIFF_H

#include <abibase/abibase.h>

#include "document/json.h"
#include "document/profile.h"

/* Who has less, where that can be said. */
enum diff_side { DIFF_NEITHER, DIFF_A_LACKS, DIFF_B_LACKS };

struct diff_item {
	enum abibase_diff_kind kind;
	enum diff_side side;
	bool guest_visible;
	bool counts;
	bool known;   /* both say what they have */
	size_t order; /* in which it was found: sorting keeps it among equals */
	const char *subject, *text;
	const char *a, *b; /* NULL: nothing is stated */
	const char *among, *name; /* several that differ in @name alone are said at once; or NULL */
};

struct abibase_diff {
	int refcount;
	struct arena arena; /* all the texts */
	struct {
		const char *name, *digest;
		int64_t revision;
		const char *id, *machine; /* of a baseline, which has no name; may be NULL */
	} of[2];
	bool baselines;
	/* what a migration does to a running guest: from A to B, from B to A */
	struct {
		enum abibase_verdict works;
		bool one_way_door;
		const char *text;
	} moves[2];
	struct diff_item *items;
	size_t n, cap;
};

#endif
