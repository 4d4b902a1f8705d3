/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_OBSERVE_H
#define ABIBASE_OBSERVE_H

#include <abibase/abibase.h>

#include "document/json.h"
#include "qemu/qtest.h"

/*
 * What a QEMU really offered, and how that is recorded: in a profile, "shape" of a qemu entry, by
 * machine type and backend.
 */

/* What was asked for, and what came of it. NULL for want of memory. */
struct abibase_observation *observation_new(const struct abibase_observe *o,
					    const struct qtest_device *dev);
/* How long a QEMU may take, instead of the usual. */
void observe_set_timeout(struct abibase_observe *o, int timeout_ms);
/*
 * As qtest_observe(), of one plain network card: with the option ROM that every such card has, or
 * where that cannot be found, without one.
 */
int observe_plain(const struct qtest_request *rq, enum qtest_backend backend,
		  struct qtest_device *ret, struct buf *why);
/* Of a record, the sizes that hang on no backend: of its queues, and of its ROM if it has one. */
json_t *sizes_json(const struct qtest_device *dev);
/* The record as JSON, or NULL for want of memory. */
json_t *observation_json(const struct abibase_observation *obs);

#endif
