/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_CLI_GUEST_H
#define ABIBASE_CLI_GUEST_H

/* The options about a running guest, which targets and check share. */

#include "cli.h"

struct guest_options {
	const struct options *o;
	const char *operand, *machine, *backend, *device, *from, *qemu;
	unsigned int queue_sizes[64];
	size_t n_queue_sizes;
};

/* What the options say of the guest @operand. 0 or STATUS_TROUBLE, having said why. */
int guest_options(const struct options *o, const char *operand, struct guest_options *ret);
/* At most one of all that is read may be standard input; 0, or a negative number, having said so. */
int guest_check_stdin(const struct guest_options *g, char *const *operands, int n);
/*
 * A request about the guest with what the options say; @b: NULL, or the list it was started with.
 * Returns 0 or STATUS_TROUBLE, having said why.
 */
int guest_targets(struct abibase_context *ctx, struct abibase_catalogue *cat,
		  const struct guest_options *g, struct abibase_baseline *b,
		  struct abibase_targets **ret);

#endif
