/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_CHECK_KIND_H
#define ABIBASE_CHECK_KIND_H

#include "document/baseline.h"
#include "document/cohorts.h"

/*
 * Hosts that answer alike, held against one baseline, or asked about one guest: of what is the same
 * for all of them only the first is asked. What names a host is not kept.
 */
struct kind {
	struct host *host;
	/* of targets: how many there were; the first, NULL: it cannot stand for others; its answer */
	size_t n;
	struct abibase_profile *p;
	json_t *answer;
	struct abibase_baseline *alone; /* what such a host can do at most; NULL: not known */
	bool unrehearsed; /* nothing is known of its builds and the baseline's that do not load each other */
	/* with such a host in it, by whether it satisfies: was it looked at, is more to be said? */
	bool admitted[2], shapes[2];
	/* what that takes, of one that does not satisfy; no id: nothing admits it */
	bool admissible;
	char *admit_id;
	json_t *lost, *set;
};

struct kinds {
	bool paths;	    /* where a host has its QEMUs makes a kind of its own */
	struct inputs in;   /* builds and texts of the hosts of kinds */
	struct kind **kind; /* in the order of cohorts_cmp() */
	size_t n, cap;
};

/* The kind of this host, a new one if need be; NULL: there are too many. 0 or a negative errno. */
int kinds_find(struct abibase_context *ctx, struct kinds *l, const struct abibase_catalogue *cat,
	       const struct abibase_profile *p, struct kind **ret) _must_check_;
void kinds_clear(struct kinds *l);

#endif
