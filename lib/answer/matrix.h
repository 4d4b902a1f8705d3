/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_MATRIX_H
#define ABIBASE_MATRIX_H

#include <abibase/abibase.h>

#include "document/baseline.h"
#include "document/result.h"

/*
 * Which host can take whose guests: a guest that took all it was offered is judged from each cohort
 * to each other one, by the code of targets. What a cohort costs the rest is what explain says of
 * the baseline of all, and what a group of them gains is in the baseline of that group.
 */

#define COHORTS_MAX 500 /* a judgement for each two of them, and each machine type and backend */

/* Hosts that answer alike, by cohorts_cmp(). */
struct cohort {
	unsigned int host; /* one of them, in the inputs; the first by name when it runs */
	size_t n;
	/*
	 * The first two by name, the second where there is one: what nobody recorded of a host is as
	 * it is on that host, and perhaps not on another that answers alike.
	 */
	struct abibase_profile *p[2];
	json_t *names;	     /* of all, sorted; made when the hosts are all there */
	const char *machine; /* the newest that it has, or NULL */
};

struct abibase_matrix {
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	struct abibase_intersection *ix;   /* what is asked for, and the hosts */
	struct abibase_baseline *baseline; /* NULL: no list of options */
	struct strings assume;		   /* named by the caller */
	struct strings machines;	   /* sorted */
	/* names of hosts that stand for others; those that were met */
	struct strings instead, exchanged;
	struct cohort *cohort;		   /* sorted by name when it runs */
	size_t n, cap;
	unsigned int *cohort_of; /* for each host, as it came */
	size_t n_hosts, cap_hosts;
	unsigned int order[COHORTS_MAX]; /* the cohorts as cohorts_cmp() sorts them */
};

/* While it runs: the document, and what of it is looked up again. */
struct matrix_answer {
	struct abibase_matrix *m;
	struct abibase_baseline *all; /* of all cohorts */
	json_t *root;
	json_t *findings, *doors;   /* of the document, each once */
	json_t *numbers;	    /* by text: where it is in these */
	json_t *scope;
	json_t *by_name;	    /* the cohort of each profile that is asked */
	struct strings machines;    /* that are asked about */
};

static inline const char *cohort_name(const struct cohort *c)
{
	return c->p[0]->name;
}

/* matrix-moves.c: "moves" of the document, from each cohort to each. 0 or a negative errno */
int matrix_moves(struct matrix_answer *a);
/* matrix-split.c: "split", the best @groups groups of them */
int matrix_split(struct matrix_answer *a, unsigned int groups);
/* matrix-show.c */
int matrix_show(const json_t *root, size_t width, char **ret);

#endif
