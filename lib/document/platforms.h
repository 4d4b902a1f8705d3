/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_PLATFORMS_H
#define ABIBASE_PLATFORMS_H

#include <stdbool.h>

#include <abibase/abibase.h>

#include "document/json.h"

/* data/codenames.json: what people call a platform, or the series of one */
extern const struct form codenames_form;

/* Is @base a file name for the platform @name: "NAME.json", or "NN-NAME.json" with digits NN? */
bool platform_file_fits(const char *base, const char *name);

/* Each file that was considered: what became of it, and its profile, where that is used. */
size_t platforms_count(const struct abibase_platforms *l);
/* "path", "state", "detail" (which file is in its place, or why it is refused), "alias"; or NULL. */
const char *platforms_get(const struct abibase_platforms *l, size_t i, const char *part);
/* What of data/codenames.json means it, sorted */
const struct strings *platforms_codenames(const struct abibase_platforms *l, size_t i);
struct abibase_profile *platforms_at(const struct abibase_platforms *l, size_t i);

/*
 * profile_from_platform - read a platform profile by name from the data directories
 * @name: "debian-12", or an alias: "debian-13-backports", which resolves to the newest dated
 *	profile of that track, or a codename such as "bookworm"
 *
 * Returns: as abibase_profile_from_file(), and -ENOENT (no such platform, or it is hidden).
 *
 */
int profile_from_platform(struct abibase_context *ctx, const char *name,
				  struct abibase_profile **ret);

#endif
