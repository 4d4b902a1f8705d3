/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_BLAKE2B_H
#define ABIBASE_BLAKE2B_H

#include <stddef.h>
#include <stdint.h>

/*
 * BLAKE2b-256 (RFC 7693), unkeyed: `b2sum -l 256` gives the same. Chosen over SHA-256 because a
 * digest must cost little beside parsing the document, and none of our libraries offers one.
 */
struct blake2b {
	uint64_t h[8];
	uint64_t count;
	unsigned char block[128];
	size_t fill;
};
void blake2b_init(struct blake2b *s);
void blake2b_update(struct blake2b *s, const void *data, size_t len);
/* 64 hex digits and a NUL. */
void blake2b_final_hex(struct blake2b *s, char hex[65]);

#endif
