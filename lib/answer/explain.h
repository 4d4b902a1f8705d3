/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_EXPLAIN_H
#define ABIBASE_EXPLAIN_H

#include <abibase/abibase.h>

#include "document/json.h"

/* The document of an explanation; belongs to it. */
const json_t *explanation_root(const struct abibase_explanation *x);

#endif
