/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document/baseline.h"
#include "document/build.h"
#include "document/catalogue.h"
#include "document/decode-data.h"
#include "document/errata.h"
#include "document/facts.h"
#include "document/guest.h"
#include "document/platforms.h"
#include "document/profile.h"
#include "document/rehearsal-result.h"
#include "document/rehearsal.h"

/* As JSON Schema calls them, in the order of enum jtype */
static const char *const type_words[] = { "string", "integer", "boolean",
					  "object", "array",   "null" };

/* Each document that the library reads, and each part of one that has a form of its own. */
static const struct form *const all_forms[] = {
	&baseline_form, &build_form,   &catalogue_form, &devices_form,  &errata_form,
	&facts_form,	&guest_form,   &messages_form,	&profile_form,	&qemu_form,
	&unasked_form,	&rehearsal_form, &rehearsal_result_form, &rehearse_form,
	&specimens_form, &codenames_form,
};
