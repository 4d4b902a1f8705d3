/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_DIFF_MAKE_H
#define ABIBASE_DIFF_MAKE_H

/* What makes the items of a diff: diff.c, and diff-record.c for the records of two builds. */

#include "answer/diff.h"
#include "answer/show.h"
#include "document/catalogue.h"
#include "document/rehearsals.h"

struct comparison {
	struct abibase_context *ctx;
	struct diff *d;
	const struct abibase_catalogue *cat;
	const struct abibase_profile *p[2];
	const char *label[2];
	bool all;
	const struct abibase_guest *guest; /* only what matters to it; NULL: all */
	const struct guest_classes *classes; /* with it: of its devices */
	unsigned int backends;		     /* and on what they lie */
	int error;		/* what diff_profiles() returns; 0: none so far */
	struct diff_item spare; /* stands for one for which there is no memory */
};

/* Two binaries that are compared, and how lines about them begin. */
struct pair {
	const struct profile_qemu *a, *b;
	const char *place, *subject;
	const char *in; /* the class, machine type or member whose members are compared */
};

/* Formatted text without control characters, which a profile may contain; lives in the result. */
#define keep(c, ...) show_keep(&(c)->d->arena, __VA_ARGS__)

/* A new item; text and values are the caller's to fill in. */
struct diff_item *diff_add(struct comparison *c, enum diff_kind kind, bool guest_visible,
			   const char *subject);
/* The same of what one has and the other (@lacks: 0 or 1) has not. */
struct diff_item *diff_add_lack(struct comparison *c, enum diff_kind kind, bool guest_visible,
				const char *subject, int lacks, const char *text);
/* People are told it together with all the others of which @among is said. */
void diff_set_among(struct diff_item *item, const char *among, const char *name);

/* diff-guest.c: does it matter to the guest? Of everything, where there is none. */
bool diff_wants_fact(const struct comparison *c, const char *fact);
bool diff_wants_machine(const struct comparison *c, const char *machine);
bool diff_wants_class(const struct comparison *c, const char *class_name);
bool diff_wants_key(const struct comparison *c, const char *key); /* "class.property" */
/* Narrow the scope, as a document has it, to the guest. */
void diff_guest_scope(const struct abibase_guest *g, const struct guest_classes *classes,
		      bool records, json_t **scope);

/* Two binaries with records: what their device classes have otherwise (diff-record.c). */
void diff_records(struct comparison *c, const struct pair *q);

#endif
