/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_CLI_HERE_H
#define ABIBASE_CLI_HERE_H

#include "cli.h"

/* check without operands: who runs under what on this host? The exit status. */
int here_check(const struct options *o);

#endif
