/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_LIMITS_H
#define ABIBASE_LIMITS_H

/* Bytes of a document: more are not read, and no baseline with more is written. */
#define JSON_MAX_PROFILE (4u << 20)
#define JSON_MAX_BUILD (1u << 20)
#define JSON_MAX_CATALOGUE (4u << 20)
#define JSON_MAX_BASELINE (64u << 20)
#define JSON_MAX_RESULT (64u << 10) /* of rehearsals between two builds */

#endif
