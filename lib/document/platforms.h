/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_PLATFORMS_H
#define ABIBASE_PLATFORMS_H

#include <stdbool.h>

/* Is @base a file name for the platform @name: "NAME.json", or "NN-NAME.json" with digits NN? */
bool platform_file_fits(const char *base, const char *name);

#endif
