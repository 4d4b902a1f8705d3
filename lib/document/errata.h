/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_ERRATA_H
#define ABIBASE_ERRATA_H

#include "base/version.h"
#include "document/json.h"

struct abibase_catalogue;

/*
 * data/errata.json: builds of QEMU and kernels with a known defect. They are told by their versions,
 * which say nothing of what a vendor mended, so an erratum is a note beside an answer and never a
 * part of it.
 */
struct erratum {
	const char *id, *text, *avoid, *mended_by;
	enum { ERRATUM_OF_KERNEL, ERRATUM_OF_QEMU } of;
	struct version_range *versions;
	size_t n_versions;
	const json_t *fixed_in; /* patterns: packages of QEMU, or releases of a kernel, without it */
	const json_t *properties; /* patterns of "class.property": what of a record it judges */
	const char *machines;	/* a pattern, or NULL: under every machine type */
	const char **row_names; /* it matters where one of these is on; none: everywhere */
	size_t n_rows;
	size_t *rows; /* the same, as indices */
};
/* As bits of a mask. */
#define MAX_ERRATA 32

/* Read the file and link it to the rows. Sets the error of @ctx. 0 or negative errno. */
int errata_load(struct abibase_context *ctx, struct abibase_catalogue *cat) _must_check_;
/* Those of the kernel of a host, by its profile. */
uint32_t errata_of_kernel(const struct abibase_catalogue *cat, const json_t *profile);
/* Those of a QEMU build, by the version and the package of its record, under a machine type. */
uint32_t errata_of_qemu(const struct abibase_catalogue *cat, const json_t *entry,
			const char *machine);
/* Does it matter to an answer in which @is_on says whether a row of the catalogue is on? */
bool erratum_matters(const struct erratum *e, bool (*is_on)(const void *of, size_t row),
		     const void *of);
/* "linux-7.0-udp-gso: ...", without who has it. */
void erratum_write(const struct erratum *e, struct buf *out);
void erratum_write_remedy(const struct erratum *e, struct buf *out);

extern const struct form errata_form;

#endif
