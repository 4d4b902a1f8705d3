/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_SHOW_H
#define ABIBASE_SHOW_H

#include "base/text.h"
#include "document/build.h"
#include "document/catalogue.h"

/* The words in which profiles are shown to people, shared by show, diff and match. */

/* The value of a fact: yes, no, a number, a text, "unknown (REASON)". */
void show_fact_value(struct buf *b, const json_t *v);
/* The name of one bit of a feature word, or NULL. */
const char *show_bit_name(const struct abibase_catalogue *cat, const char *fact, unsigned int bit);
/* Profiles and build records for people. 0 or -ENOMEM. */
int profile_to_text(const struct abibase_profile *p, const struct abibase_catalogue *cat,
		    size_t width, char **ret);
int build_record_to_text(const struct abibase_build *r, size_t width, char **ret);
/* The newest versioned type of the q35 family, else of any; NULL when there is none. */
const char *show_newest_machine(const json_t *machines);

#endif
