/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_OPERAND_H
#define ABIBASE_OPERAND_H

#include "document/build.h"

/* What a person named: one of them. */
struct loaded {
	struct abibase_profile *profile;
	struct abibase_baseline *baseline;
	struct abibase_build *build;
};
/* What is in @ret, also on failure, is for loaded_clear(). 0 or an errno, with the error set. */
int operand_load(struct abibase_context *ctx, const char *operand, struct loaded *ret);
void loaded_clear(struct loaded *l);

#endif
