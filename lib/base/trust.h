/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_TRUST_H
#define ABIBASE_TRUST_H

/* The programs are linked with their own copy of this. */

/*
 * trust_file - may the file decide what is started?
 * @ret_why: a sentence for free() where it may not; NULL for want of memory
 *
 * Refused is one that others than root and the caller can change, by its own mode or owner or those of a
 * directory or a symbolic link on its way.
 *
 * Returns: 0, -EPERM, or another negative errno: it cannot be looked at.
 */
int trust_file(const char *path, char **ret_why);

#endif
