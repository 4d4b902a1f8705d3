/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "context.h"
#include "guest.h"

ABIBASE_EXPORT int abibase_guest_from_qmp(struct abibase_context *ctx,
					  struct abibase_catalogue *cat, const char *socket_path,
					  struct abibase_guest **ret)
{
	(void)cat;
	(void)ret;
	return context_fail(ctx, ENOTSUP, "guest-qmp-unsafe", socket_path, "there is no way yet to ask a running QEMU; give the feature word, or a log");
}
