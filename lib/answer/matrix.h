/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_MATRIX_H
#define ABIBASE_MATRIX_H

#include <abibase/abibase.h>

#include "answer/move.h"
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
	struct strings machines;    /* that are asked about */
};

static inline const char *cohort_name(const struct cohort *c)
{
	return c->p[0]->name;
}

/* What is said of a move, as the document has it. */
struct matrix_said {
	bool asked; /* false: no such guest runs there */
	enum move_kind kind;
	enum abibase_tri way_back;
	json_t *why, *door, *rescue; /* numbers of findings, of a door; options; or NULL */
};

static inline void matrix_said_clear(struct matrix_said *s)
{
	json_decref(s->why);
	json_decref(s->door);
	json_decref(s->rescue);
	*s = (struct matrix_said){ 0 };
}

static inline struct matrix_said matrix_said_copy(const struct matrix_said *s)
{
	json_incref(s->why);
	json_incref(s->door);
	json_incref(s->rescue);
	return *s;
}

/* One of the two that stand for a cohort. */
struct matrix_side {
	struct abibase_profile *p; /* NULL: there is none */
	struct host *host;	   /* what it answers */
	bool *asked;		   /* to which conditions, since matrix_known_begin() */
	size_t like; /* hosts with the same number differ in conditions and names at most */
};

/* matrix-known.c: what was answered of two hosts is the answer of others like them */
struct matrix_known {
	const struct abibase_catalogue *cat;
	struct inputs in;	  /* what the answers are of */
	struct matrix_side *side; /* two for each cohort, of which the second may be none */
	size_t n, n_likes;
	struct answer_list *list; /* of answers to one question */
	size_t n_kept;
};

/* To be cleared also on failure. 0 or a negative errno */
int matrix_known_init(struct matrix_known *k, const struct abibase_matrix *m);
void matrix_known_clear(struct matrix_known *k);
/* Another question is asked. */
void matrix_known_forget(struct matrix_known *k);
/* NULL: not known */
const struct matrix_said *matrix_known_find(const struct matrix_known *k,
					    const struct matrix_side *from,
					    const struct matrix_side *to);
/* The two are asked now, and this has come of it. 0 or -ENOMEM */
void matrix_known_begin(struct matrix_known *k, struct matrix_side *from, struct matrix_side *to);
int matrix_known_keep(struct matrix_known *k, const struct matrix_side *from,
		      const struct matrix_side *to, const struct matrix_said *said);

/* matrix-moves.c: is there a list for guests of this machine type? */
bool matrix_has_list(const struct abibase_matrix *m, const char *machine);
/* "moves" of the document, from each cohort to each. 0 or a negative errno */
int matrix_moves(struct matrix_answer *a);
/* matrix-split.c: "split", the best @groups groups of them */
int matrix_split(struct matrix_answer *a, unsigned int groups);
/* matrix-show.c */
int matrix_show(const json_t *root, size_t width, char **ret);

#endif
