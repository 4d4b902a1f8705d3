/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_REFUSAL_H
#define ABIBASE_REFUSAL_H

#include "cli.h"

/* A member of a finding; "" where it has none. */
static inline const char *field(const struct abibase_value *f, const char *name)
{
	const char *s = cli_text(f, name);

	return s ? s : "";
}

/* A note keeps no guest from starting, and of a start that works nothing is said. */
static inline bool is_note(const struct abibase_value *f)
{
	return streq(field(f, "kind"), "note");
}

/* All of them on stderr, with what to do about each. */
void refusal_say(const struct abibase_result *res);

#endif
