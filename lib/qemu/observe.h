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

/* One QEMU under one machine type, with one virtio-net-pci on the root bus. */
struct observe_request {
	const char *qemu, *machine; /* a path; a name, or an alias */
	enum qtest_backend backend;
	const char *const *settings; /* "class.property=value"; ends with NULL; or NULL */
	int timeout_ms;		     /* 0: the usual */
	const struct process_stop *stop; /* or NULL */
};
/*
 * A throw-away QEMU is started, stopped before its first instruction, and the device is read as a
 * driver would read it. It takes bounded time. -ETIMEDOUT, -ENOMEM, or another negative errno when
 * it could not be started or read; the error of @ctx then says why.
 */
int observe_run(struct abibase_context *ctx, const struct observe_request *rq,
		struct qtest_device *ret);

/* Why an observation is not what was predicted. */
enum abibase_cause {
	ABIBASE_CAUSE_CATALOGUE, /* what the catalogue says is not so */
	ABIBASE_CAUSE_HOST_FACT, /* what the profile says of the host is not, or no longer, so */
	ABIBASE_CAUSE_BUILD,	 /* this QEMU does not do what its record or its version says */
};
/* Receives one difference, by the id of its message, and a line without a newline. */
typedef void (*observe_difference_fn)(void *data, enum abibase_cause cause, const char *id,
				      const char *text);
/*
 * Hold what was read against abibase_predict(). @p: the profile of the host on which it was; it
 * lists that QEMU by its path. @fn is called for each difference, or NULL. A feature of which a
 * fact or a value is unknown was not predicted and cannot differ.
 *
 * The number of differences, or -EINVAL (@p does not list the QEMU, or the catalogue does not have
 * the backend), -ENOMEM.
 */
int observe_compare(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		    const struct observe_request *rq, const struct qtest_device *dev,
		    const struct abibase_profile *p, observe_difference_fn fn, void *data);

/*
 * As qtest_observe(), of one plain network card: with the option ROM that every such card has, or
 * where that cannot be found, without one.
 */
int observe_plain(const struct qtest_request *rq, enum qtest_backend backend,
		  struct qtest_device *ret, struct buf *why);
/* As a profile records it; NULL for want of memory. */
json_t *observation_json(const struct qtest_device *dev);
json_t *queues_json(const struct qtest_device *dev);
/* Of that, the sizes that hang on no backend: of its queues, and of its ROM if it has one. */
json_t *sizes_json(const struct qtest_device *dev);

#endif
