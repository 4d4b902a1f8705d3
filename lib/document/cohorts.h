/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_COHORTS_H
#define ABIBASE_COHORTS_H

#include "document/hosts.h"

/*
 * A cohort: hosts that answer alike, so that every reason is about all of them or none. It goes by
 * the name of its first host.
 */
struct member_of {
	unsigned int first; /* host of the cohort */
	unsigned int next;  /* one, or NO_HOST */
};
#define NO_HOST (~0u)

struct cohorts {
	const struct abibase_catalogue *cat; /* NULL: each condition counts */
	unsigned int about;   /* backends, of those of @cat, whose conditions count */
	/*
	 * Nothing is written of them: where a host has its QEMUs and whether it is a platform is no
	 * difference, and the errata of its kernel are one.
	 */
	bool judged;
	bool paths; /* but where it has them is one */
	bool any_qemu; /* which QEMUs they have is no difference either */
	struct member_of *of; /* for each host; for free() */
};

/* Does an answer count? */
static inline bool cohorts_ask(const struct cohorts *o, size_t condition)
{
	return !o->cat || o->cat->conditions[condition].backends & o->about;
}
/* 0: both answer alike; an order otherwise. */
int cohorts_cmp(const struct cohorts *o, const struct inputs *in, const struct host *x,
		const struct host *y);
/* Where among @n hosts in that order is one that answers as @h does, or would @h be? true: it is there. */
typedef const struct host *(*cohorts_host_fn)(const void *of, size_t i);
bool cohorts_place(const struct cohorts *o, const struct inputs *in, const struct host *h,
		   const void *of, size_t n, cohorts_host_fn host_of, size_t *ret);
/* Sort out the hosts; @o->of is made. 0 or -ENOMEM. */
int cohorts_find(struct cohorts *o, const struct inputs *in) _must_check_;

#endif
