/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_FACTS_H
#define ABIBASE_FACTS_H

/* facts.json: the list of the fact ids that are known, each with its kind. */

#include "document/json.h"

/* Hold one fact of a profile, @v under @id, against the list: its kind, and a word's width. */
void facts_check_value(struct schema_walk *c, const json_t *facts, const char *id, const json_t *v);

extern const struct form facts_form;

#endif
