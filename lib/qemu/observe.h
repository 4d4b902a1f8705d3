/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_OBSERVE_H
#define ABIBASE_OBSERVE_H

#include <abibase/abibase.h>

#include "document/json.h"

/*
 * What a QEMU really offered, and how that is recorded: in a profile, "shape" of a qemu entry, by
 * machine type and backend.
 */

struct qtest_device;

/* What was asked for, and what came of it. NULL for want of memory. */
struct abibase_observation *observation_new(const struct abibase_observe *o,
					    const struct qtest_device *dev);
/* How long a QEMU may take, instead of the usual. */
void observe_set_timeout(struct abibase_observe *o, int timeout_ms);
/* The record as JSON, or NULL for want of memory. */
json_t *observation_json(const struct abibase_observation *obs);

#endif
