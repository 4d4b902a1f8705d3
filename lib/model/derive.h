/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_DERIVE_H
#define ABIBASE_DERIVE_H

#include "model/ask.h"
#include "model/intersect.h"

/*
 * From hosts and builds to the answer. Rows whose needs are the same share a class, so that what
 * thousands of hosts answer is looked at once for each class and not for each row.
 */

/* One host that does not do what the rows of a class need. */
struct fail {
	unsigned int host;
	short condition; /* or NEED_NEVER */
	uint16_t backends; /* of MAX_BACKENDS */
	bool unknown;
};

struct class {
	const struct needs *needs;
	struct fail *fails;
	size_t n, cap;
	struct why *why;
	size_t n_why;
};

/* The policy's backends, by what a host answers to "usable?", which each class of rows asks. */
struct usable {
	uint16_t by_answer[ABIBASE_UNKNOWN + 1]; /* of MAX_BACKENDS */
};

struct derive {
	struct abibase_baseline *b;
	const struct abibase_catalogue *cat;
	struct qemu_view *views; /* as b->used */
	long *used_of;		 /* for each of in.builds: index into b->used, or -1 */
	long any;		 /* index of "any upstream QEMU", or -1 */
	struct effective *eff;	 /* rows × used */
	struct effects *effects; /* those that were worked out before, or NULL */
	struct class *classes;
	size_t n_classes;
	unsigned int *class_of; /* for each row */
	bool *included, *on;	/* for each row */
	int64_t *number;	/* for each row */
	struct why *tie;	/* for each row: why a dependency turned it off, kind N_WHY: none */
	unsigned int *scratch[3]; /* room for every host */
	struct usable *usable;	  /* for each host */
	struct cohorts cohorts;	  /* hosts that answer alike, which are judged alike */
	struct arena arena;	  /* all of these */
	const char *of; /* the host that what is said now is about, or NULL */
	const struct abibase_guest *guest; /* that the answer is for, or NULL */
	const struct build_pairs *known;  /* what was rehearsed, or NULL */
	unsigned int net;	  /* the policy's backends that are of virtio-net */
};

/* derive-scope.c: what was compared, by which evidence, and what was not */
void derive_scope(struct derive *d);
/* derive-hosts.c: words, and what is asked of hosts and QEMUs */
struct ask derive_ask(const struct derive *d, const struct host *h);
/* "a", "a and b", "a, b and c" */
void derive_write_hosts(const struct derive *d, const unsigned int *hosts, size_t n,
			struct buf *out);
void derive_write_backends(const struct derive *d, unsigned int mask, struct buf *out);
/*
 * Memory that is given back with @d; NULL where there is none. The arena of the baseline remembers
 * that, as of all that goes into it, and derive_end() looks.
 */
void *derive_alloc(struct derive *d, size_t n, size_t size);
/* Enter a finding; @text is emptied for the next. */
void derive_finding(struct derive *d, enum abibase_finding_kind kind, const char *id,
		    const char *remedy, struct buf *text);
/* A list of hosts that stays, of the size that it needs; none where there is no memory. */
void derive_keep_hosts(struct derive *d, const unsigned int *hosts, size_t n, unsigned int **ret,
		       size_t *ret_n);
const struct effective *derive_eff(const struct derive *d, size_t row, size_t used);
/* Does this host use one of the builds marked in @used? */
bool derive_host_uses(const struct derive *d, const struct host *h, const bool *used);
void derive_hosts_of(struct derive *d, const bool *used, unsigned int **ret, size_t *ret_n);
/* Mark the builds of the hosts that are ever the destination of a migration. */
void derive_dests(const struct derive *d, bool *used);
/* The policy's backends of which the host of that number says @wanted to "usable?" */
unsigned int derive_usable_mask(const struct derive *d, size_t host, enum abibase_tri wanted);

/* Hosts that use the build @used, or one like it in @like; @dest: those ever a destination. */
size_t derive_write_users(const struct derive *d, size_t used, const struct shape *like, bool dest,
			  struct buf *out);
/* "QEMU 9.1.0 (qemu-kvm-9.1.0-19.el9) on node-a" */
void derive_write_build(const struct derive *d, size_t used, struct buf *out);
/* What a build makes of a size, -1: not known; and whether two builds make the same of it. */
int64_t derive_shape_of(const struct derive *d, const struct shape *s, size_t used);
bool derive_same_shape(const struct derive *d, const struct shape *s, size_t a, size_t b);
/* In this order: the architecture, the backends, the machine type, the builds and their values. */
void derive_arch(struct derive *d);
void derive_backends(struct derive *d);
/* Add the machine types that every QEMU has to @list, the best first; what keeps it empty is a
 * finding. */
void derive_common_machines(struct derive *d, json_t *list);
void derive_machine(struct derive *d);
void derive_used(struct derive *d);
void derive_newer(struct derive *d);
void derive_machine_values(struct derive *d);
void derive_effective(struct derive *d);

/* derive-values.c: the value of every row */
void derive_values(struct derive *d);
bool derive_is_sure(const struct derive *d, const struct why *w);
void derive_doubts(struct derive *d);
void derive_unmasked(struct derive *d);
void derive_asked(struct derive *d);

/* derive-rows.c: one row */
enum setting derive_setting(const struct effective *e);
size_t derive_count(const struct derive *d, size_t row, enum setting s);
/* In how many of the QEMUs is it on, also in those that have no property for it? */
size_t derive_count_on(const struct derive *d, size_t row);
bool derive_differs(const struct derive *d, size_t r);
/* Does a build have the property, and is what it makes of it not known? Does any? */
bool derive_is_unrecorded(const struct derive *d, size_t r, size_t used);
bool derive_has_unrecorded(const struct derive *d, size_t r);
/* Was the row's group named with --enable, or with --disable? */
/* Is a host asked about it because a baseline promises it? */
bool derive_is_promised(const struct derive *d, const struct row *row);
bool derive_is_enabled(const struct derive *d, const struct row *row);
bool derive_is_disabled(const struct derive *d, const struct row *row);
/* Set, without being a feature, because its group was named with --disable? */
bool derive_is_set_off(const struct derive *d, const struct row *row);
/* Does nothing of it remain, because of a row that masks it? On @backend, or anywhere. */
bool derive_is_masked(const struct derive *d, const struct requirement *q, unsigned int backends);
bool derive_is_about(const struct derive *d, const struct row *row);
bool derive_wanted_on(const struct derive *d, size_t r);
bool derive_row_is_on(const struct derive *d, size_t r);
void derive_condition_names(struct derive *d, const struct needs *needs, const char ***ret,
			    size_t *ret_n);

/* derive-numbers.c: the value of rows that are numbers */
#define NUMBER_NONE ((int64_t)-1) /* off: nobody states one, or it was disabled */
bool derive_number_included(const struct derive *d, size_t r);
int64_t derive_number(const struct derive *d, size_t r);
enum setting derive_number_setting(const struct effective *e, int64_t number);
void derive_number_why(struct derive *d, size_t r, struct why *w);
void derive_numbers(struct derive *d);

/* derive-errata.c: builds and kernels with a known defect that matters to the answer */
void derive_errata(struct derive *d);

/* derive-rehearsed.c: devices that one build of the hosts does not load of another */
void derive_rehearsed(struct derive *d);

/* derive-observed.c: sizes that come of the hosts' own files */
bool derive_observed_included(const struct derive *d, size_t r);
int64_t derive_observed_number(const struct derive *d, size_t r);
void derive_observed(struct derive *d);

/* derive-guest.c: what d->guest is told, and what it has that nobody judges */
void derive_guest(struct derive *d);

/* derive-widened.c: what of an earlier baseline does not stay, though no host lacks it */
void derive_widened(struct derive *d, const struct abibase_baseline *was);

/* derive-agree.c: what no property can equalise, notes, feature words */
void derive_requirements(struct derive *d);
void derive_shapes(struct derive *d);
void derive_notes(struct derive *d);
void derive_fill_offer(struct derive *d, struct offer *o);

#endif
