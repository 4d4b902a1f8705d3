/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_REHEARSAL_RESULT_H
#define ABIBASE_REHEARSAL_RESULT_H

#include "document/guest.h"
#include "document/json.h"

/*
 * What became of each common device alone that one build of QEMU saved and another loaded: a document,
 * kept by the two builds. It says so of these two builds and of nothing else: a device that is not in
 * it was not looked at.
 */

extern const struct form rehearsal_result_form;
/* The devices, as rows: data/specimens.json */
extern const struct form specimens_form;

/* One of the two builds; NULL: not stated. */
struct result_build {
	const char *build, *build_id, *package, *version;
};

enum rehearsed_how {
	REHEARSED_NOT, /* not looked at, or not tried */
	REHEARSED_LOADS,
	REHEARSED_REFUSED,
	REHEARSED_NO_START, /* the destination does not start with it */
	REHEARSED_BLOCKED,  /* the source cannot save it */
	REHEARSED_ABSENT,   /* the source does not start with it */
};

struct result_machine {
	const char *name;
	/* or NULL */
	const json_t *absent, *blocked, *loads, *no_start, *not_tried, *refused, *saved;
};

/* Read once and kept, its words are the document's. */
struct rehearsal_result {
	json_t *root;
	struct arena arena;
	struct result_build source, destination;
	struct result_machine *machines;
	size_t n_machines;
};
/* Takes the reference of @root, which was checked. 0 or -ENOMEM. */
int rehearsal_result_take(struct rehearsal_result *r, json_t *root) _must_check_;
void rehearsal_result_clear(struct rehearsal_result *r);
/* NULL: nothing was tried under this machine type. */
const struct result_machine *rehearsal_result_machine(const struct rehearsal_result *r,
						      const char *machine);
/* @ret_said: what QEMU said, or NULL */
enum rehearsed_how rehearsed_how(const struct result_machine *m, const char *specimen,
				 const char **ret_said);

#endif
