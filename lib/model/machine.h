/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_MACHINE_H
#define ABIBASE_MACHINE_H

#include "document/catalogue.h"

/*
 * Can a host start a machine type? Asked here and nowhere else, so that no two verbs disagree about
 * a host of whose QEMUs there is no record, or none that has it.
 */

enum machine_use {
	MACHINE_USED,
	MACHINE_OTHER_TARGET,
	MACHINE_NOT_THERE,    /* that QEMU does not have it */
	MACHINE_NOT_RECORDED, /* of that QEMU it is not known */
};
/* One QEMU, by its entry in a profile. */
enum machine_use machine_use(const struct abibase_catalogue *cat, const json_t *entry,
			     const char *target, const char *machine);

/* A host, by what became of its QEMUs. */
struct machine_host {
	const char *name;
	bool looked_for;   /* its QEMUs were looked for, whether or not there are any */
	bool assumed;	   /* nothing of them counts: an upstream QEMU was assumed there */
	size_t n_unasked;  /* QEMUs that were there and could not be asked */
	size_t use[4];	   /* those that answered, by enum machine_use */
};
void machine_count(struct machine_host *h, enum machine_use use);
/*
 * What is to be said of the host as a whole. 0: nothing, one of its QEMUs is used or was spoken of;
 * else its text, which begins with the name, the id of the message in @ret_id and the remedy.
 */
enum machine_answer { MACHINE_FINE, MACHINE_CONFLICT, MACHINE_UNKNOWN, MACHINE_ASSUMED };
enum machine_answer machine_judge(const struct machine_host *h, const char *target,
				  const char *machine, struct buf *text, const char **ret_id,
				  const char **ret_remedy);
/* Behind the text of such an assumption */
#define MACHINE_ASSUMED_BY_BASELINE "; the baseline states it"
/* Of one QEMU that could not be asked, by the @reason of its entry. */
void machine_write_unasked(const char *host, const char *path, const char *reason,
			   struct buf *text);
/* Of a QEMU whose machine types were not recorded: that they are not, and why no version tells. */
void machine_write_unrecorded(const struct abibase_catalogue *cat, const json_t *entry,
			      const char *machine, struct buf *text);
extern const char machine_unasked_remedy[], machine_unrecorded_remedy[];

#endif
