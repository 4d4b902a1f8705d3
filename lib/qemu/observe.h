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

struct abibase_observe;
struct abibase_observation;

/*
 * abibase_observe_new - a request to read what a guest would really be offered
 * @ret: release with abibase_observe_unref()
 *
 * A throw-away QEMU is started, stopped before its first instruction, with one virtio-net-pci on
 * the root bus, and the device is read as a driver would read it. The backend is tap unless
 * another one is set.
 *
 * Returns: 0, -ENOMEM.
 */
int abibase_observe_new(struct abibase_context *ctx, struct abibase_observe **ret);
struct abibase_observe *abibase_observe_unref(struct abibase_observe *o);
/* abibase_observe_set_qemu - path of the binary; required. Returns 0, -ENOMEM. */
int abibase_observe_set_qemu(struct abibase_observe *o, const char *path);
/* abibase_observe_set_machine - machine type; required. Returns 0, -EINVAL, -ENOMEM. */
int abibase_observe_set_machine(struct abibase_observe *o, const char *machine);
/*
 * abibase_observe_set_backend - what the device lies on
 * @backend: "tap", "tap+vhost", "macvtap", "macvtap+vhost" or "user"
 *
 * A tap is made in a network namespace of its own in a child process, and its descriptor and that
 * of /dev/vhost-net are handed to QEMU, which needs no right to either. A macvtap takes root.
 * "user" asks the kernel for nothing: what is offered there is what QEMU offers alone.
 *
 * Returns: 0, -EINVAL (no such backend), -ENOMEM.
 */
int abibase_observe_set_backend(struct abibase_observe *o, const char *backend);
/*
 * abibase_observe_add_setting - give QEMU a -global option
 * @setting: "class.property=value"; may be called again for further ones
 *
 * Returns: 0, -ENOMEM.
 */
int abibase_observe_add_setting(struct abibase_observe *o, const char *setting);
/*
 * abibase_observe_run - start it, read the device, kill it
 * @ret: what was seen, immutable; release with abibase_observation_unref()
 *
 * Takes bounded time. Never sends a command whose name begins with "x-".
 *
 * Returns: 0, -EINVAL (no QEMU or no machine type was set), -ETIMEDOUT, -ENOMEM, another negative
 * errno when it could not be started or read; the error then says why.
 */
int abibase_observe_run(struct abibase_observe *o, struct abibase_observation **ret);
struct abibase_observation *abibase_observation_ref(struct abibase_observation *obs);
struct abibase_observation *abibase_observation_unref(struct abibase_observation *obs);
/* abibase_observation_offered - the feature word, as abibase_predict() returns it. */
void abibase_observation_offered(const struct abibase_observation *obs, uint64_t ret[2]);
/* abibase_observation_queue_count - number of virtqueues. */
size_t abibase_observation_queue_count(const struct abibase_observation *obs);
/* abibase_observation_queue_size - entries of queue @i; 0: there is none. */
unsigned int abibase_observation_queue_size(const struct abibase_observation *obs, size_t i);
/* abibase_observation_config_size - bytes of the device's configuration. */
unsigned int abibase_observation_config_size(const struct abibase_observation *obs);
/* abibase_observation_vectors - entries of the MSI-X table; 0: there is none. */
unsigned int abibase_observation_vectors(const struct abibase_observation *obs);
/* abibase_observation_bar_size - bytes of PCI BAR @bar, 0 to 5; 0: there is none. */
uint64_t abibase_observation_bar_size(const struct abibase_observation *obs, unsigned int bar);
/*
 * abibase_observation_to_json - all of it, as a profile records it, see abibase-profile(5)
 * @ret: canonical text with a final newline, for free()
 *
 * Returns: 0, -ENOMEM.
 */
int abibase_observation_to_json(const struct abibase_observation *obs, char **ret);

/*
 * enum abibase_cause - why an observation is not what was predicted
 * @ABIBASE_CAUSE_CATALOGUE: what the catalogue says is not so
 * @ABIBASE_CAUSE_HOST_FACT: what the profile says of the host is not, or no longer, so
 * @ABIBASE_CAUSE_BUILD: this QEMU does not do what its own record or its version says
 *
 */
enum abibase_cause {
	ABIBASE_CAUSE_CATALOGUE = 0,
	ABIBASE_CAUSE_HOST_FACT = 1,
	ABIBASE_CAUSE_BUILD = 2,
};
/*
 * abibase_difference_fn - receives one difference
 * @data: what was given to abibase_observation_compare()
 * @id: stable id of the message, one for each cause
 * @text: one line without a newline, valid during the call
 *
 */
typedef void (*abibase_difference_fn)(void *data, enum abibase_cause cause, const char *id,
				      const char *text);
/*
 * abibase_observation_compare - hold an observation against abibase_predict()
 * @p: the profile of the host on which @obs was made; it lists that QEMU by its path
 * @fn: called for each difference; or NULL
 *
 * A feature of which a fact or a value is unknown was not predicted and cannot differ.
 *
 * Returns: the number of differences, or -EINVAL (@p does not list the QEMU, or the catalogue does
 * not have the backend), -ENOMEM.
 */
int abibase_observation_compare(struct abibase_context *ctx, const struct abibase_catalogue *cat,
				const struct abibase_observation *obs,
				const struct abibase_profile *p, abibase_difference_fn fn,
				void *data);

/* What was asked for, and what came of it. NULL for want of memory. */
struct abibase_observation *observation_new(const struct abibase_observe *o,
					    const struct qtest_device *dev);
/* How long a QEMU may take, instead of the usual. */
void observe_set_timeout(struct abibase_observe *o, int timeout_ms);
/* What ends it before its time; not copied. */
void observe_set_stop(struct abibase_observe *o, const struct process_stop *stop);
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
