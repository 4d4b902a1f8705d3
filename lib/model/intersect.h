/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_INTERSECT_H
#define ABIBASE_INTERSECT_H

#include "document/baseline.h"
#include "document/cohorts.h"

/*
 * The pure half of the library: profiles × catalogue → baseline. Nothing here, nor in derive.c,
 * opens a file or asks the host; a test looks at the symbols to keep it so.
 */

/* What was rehearsed between builds: read before, for here nothing is. */
struct build_pair {
	unsigned int from, to; /* indices into inputs.builds */
	const struct rehearsal_result *result;
};
struct build_pairs {
	struct build_pair *pair;
	size_t n, cap;
	const json_t *specimens;
};

/*
 * What builds make of a machine type by themselves, which is worked out once where one answer after
 * another is derived of the same builds, and a host more: of each build of @in a list of all rows.
 */
struct effects {
	const struct inputs *in; /* the caller sets it; its first @n builds stay where they are */
	const char *machine;
	const struct effective **of;
	size_t n;
	struct arena arena; /* all of these, for arena_clear() */
};

/* Beside the hosts; each may be NULL. */
struct derive_with {
	const struct abibase_guest *guest; /* that it is for */
	const struct build_pairs *known;   /* what was rehearsed */
	struct abibase_baseline *const *earlier; /* what was widened to it */
	size_t n_earlier;
	struct effects *effects;
};

/* Work out everything that follows from b->in. 0 or -ENOMEM. */
int baseline_derive(struct abibase_baseline *b, struct abibase_catalogue *cat,
		    const struct derive_with *with);
/* Only the verdict, findings, and @list: the machine types that every QEMU of b->in has. */
int baseline_machines(struct abibase_baseline *b, struct abibase_catalogue *cat, json_t *list);

/*
 * The backends of another baseline, by name: a later catalogue may number them otherwise. Those of
 * the devices that were asked for by name are among them.
 */
void intersection_adopt_backends(struct abibase_intersection *ix, const struct inputs *from);

/* Of those only these; @named: a host must have each. */
void intersection_narrow_backends(struct abibase_intersection *ix, unsigned int mask, bool named);

/* Ask about a row of the catalogue as if its group had been enabled, and say nothing of it. */
int intersection_promise_row(struct abibase_intersection *ix, const struct row *row);

/* As abibase_intersection_finish(), with nothing but what it is given; @known may be NULL. */
int intersection_finish(struct abibase_intersection *ix, const struct build_pairs *known,
			struct abibase_baseline **ret) _must_check_;
/* The same with one host more, which is not added and has a name of its own. */
int intersection_finish_with(struct abibase_intersection *ix, const struct abibase_profile *p,
			     struct abibase_baseline **ret) _must_check_;
struct abibase_context *intersection_context(const struct abibase_intersection *ix);

/* What was asked for, and of which hosts, in the order in which they came. */
const struct inputs *intersection_inputs(const struct abibase_intersection *ix);

/* What that baseline was asked for, and none of its hosts. */
int intersection_adopt(struct abibase_intersection *ix, const struct abibase_baseline *b);

/* The baseline of some of the hosts, by their numbers; none is held against their names. */
int intersection_of_some(struct abibase_intersection *ix, const unsigned int *hosts, size_t n,
			 struct abibase_baseline **ret);

/*
 * The baseline with that host in it, in place of an older record of the same host. @cohorts: of its
 * hosts one a cohort is enough, which changes the names in the findings, and nothing else; NULL: all.
 * @p NULL: the baseline alone.
 */
int intersection_join(struct abibase_intersection *ix, const struct abibase_baseline *b,
		      const struct cohorts *cohorts, const struct abibase_profile *p);
/*
 * One host with the QEMUs of all stands for those that answer alike: names alone are lost where each of
 * their QEMUs has the machine type, and else nothing is done.
 */
int intersection_merge(struct abibase_intersection *ix);
/* Does this host, which is not added, answer as one of them does? 1, 0 or a negative errno. */
int intersection_is_alike(struct abibase_intersection *ix, const struct abibase_profile *p);

#endif
