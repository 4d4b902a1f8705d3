/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_REHEARSALS_H
#define ABIBASE_REHEARSALS_H

#include "document/rehearsal-result.h"

/*
 * Where the results of rehearsals are: each in a file whose name says of which two builds it is,
 * VERSION-KEY_VERSION-KEY.json, the source first. The key of a build is its build id, or without one
 * the digest of its record. A context lists them once, and reads each when its builds are asked about.
 */

struct rehearsed_pair {
	const struct rehearsal_result *result; /* of these builds; or NULL */
	/* where there is none: of other builds of the same versions, by which nothing is decided */
	const struct rehearsal_result *other;
	const char *from, *to; /* the versions, of the entries */
};

/*
 * Of what the entries of two QEMUs in profiles say. Sets the error of @ctx. 0, also without any; or
 * a negative errno.
 */
int rehearsals_find(struct abibase_context *ctx, const json_t *source, const json_t *destination,
		    struct rehearsed_pair *ret) _must_check_;
/* Is any of them about this build? */
int rehearsals_know(struct abibase_context *ctx, const json_t *entry, bool *ret) _must_check_;

/* The rows of data/specimens.json, once for a context. */
int specimens_load(struct abibase_context *ctx, const json_t **ret) _must_check_;

/*
 * Of which specimens is it, a class of QEMU, or what is said of an element of libvirt's XML? New, an
 * array of names, sorted; NULL: no memory.
 */
enum specimen_of { SPECIMEN_CLASS, SPECIMEN_DOMAIN };
json_t *specimens_of(const json_t *specimens, enum specimen_of of, const char *what);

/*
 * Which classes of QEMU are the devices of a guest: patterns; words of its domain for devices of which
 * classes are known, and for those of which none is. New; sets the error of @ctx. 0 or a negative errno.
 */
struct guest_classes {
	json_t *patterns, *known, *rest;
};
int guest_classes_find(struct abibase_context *ctx, const struct abibase_guest *g,
		       struct guest_classes *ret) _must_check_;
void guest_classes_clear(struct guest_classes *c);

/*
 * What a result says of devices: those that it has not, those that load, and those that do not, by
 * what became of them.
 */
#define N_REHEARSED (REHEARSED_ABSENT + 1)
struct rehearsed_devices {
	json_t *names[N_REHEARSED]; /* arrays of texts */
	const char *said[N_REHEARSED]; /* what QEMU said of the first */
};
/*
 * Of the devices of a guest; @cat: without those that the catalogue judges, or NULL. A guest's device
 * that is a specimen of several fails where all of them do. 0 or -ENOMEM; for
 * rehearsed_devices_clear(), also on failure.
 */
int rehearsed_of_guest(const json_t *specimens, const struct result_machine *m,
		       const struct abibase_catalogue *cat, const struct abibase_guest *g,
		       struct rehearsed_devices *ret) _must_check_;
/* The same of one class of devices */
int rehearsed_of_class(const json_t *specimens, const struct result_machine *m,
		       const char *class_name, struct rehearsed_devices *ret) _must_check_;
/* Of all the specimens: those that two builds do not agree about. */
int rehearsed_of_all(const struct result_machine *m, struct rehearsed_devices *ret) _must_check_;
void rehearsed_devices_clear(struct rehearsed_devices *r);
/* Does any of them fail? */
bool rehearsed_fails(const struct rehearsed_devices *r);
/* "blk and net are refused (...); crypto cannot be saved (...)" */
void rehearsed_write(const struct rehearsed_devices *r, struct buf *out);
#define REHEARSED_ADVICE "abibase rehearse tries a guest's own line"
#define REHEARSED_REMEDY                                                                     \
	"give both hosts QEMUs that load what the other saves, or take the devices out of " \
	"the guest; " REHEARSED_ADVICE

#endif
