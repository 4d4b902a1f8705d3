/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_VALUE_H
#define ABIBASE_VALUE_H

#include <abibase/abibase.h>

#include "document/json.h"

static inline const struct abibase_value *as_value(const json_t *json)
{
	return (const struct abibase_value *)json;
}

#endif
