/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_CLI_GUEST_H
#define ABIBASE_CLI_GUEST_H

/* The options about a running guest, which targets and check share. */

#include "cli.h"

struct guest_options {
	const char *operand, *machine, *backend, *device, *from, *qemu;
	unsigned int queue_sizes[64];
	size_t n_queue_sizes;
	const char **assume; /* hosts; the caller makes room for as many as there are arguments */
	size_t n_assume;
};

#define GUEST_OPTIONS                                                     \
	{ "machine", required_argument, NULL, 'M' },                      \
		{ "backend", required_argument, NULL, OPT_BACKEND },      \
		{ "device", required_argument, NULL, OPT_DEVICE },        \
		{ "queue-size", required_argument, NULL, OPT_QUEUE_SIZE }, \
		{ "from", required_argument, NULL, OPT_FROM },            \
		{ "qemu", required_argument, NULL, OPT_QEMU },            \
		{ "assume-qemu", required_argument, NULL, OPT_ASSUME_QEMU }

/* Take one of them: 0, or the exit status + 1; -EINVAL: it is none of them. */
int guest_option(const char *verb, struct guest_options *o, int c, const char *arg);
/* At most one of all that is read may be standard input; 0, or a negative number, having said so. */
int guest_check_stdin(const char *verb, const struct guest_options *o, const char *baseline,
		      char *const *operands, int n);
/*
 * A request about the guest with what the options say; @b: NULL, or the list it was started with.
 * Returns 0 or STATUS_TROUBLE, having said why.
 */
int guest_targets(struct abibase_context *ctx, struct abibase_catalogue *cat,
		  const struct guest_options *o, struct abibase_baseline *b,
		  struct abibase_targets **ret);

#endif
