/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "base/blake2b.h"

#define DIGEST_BYTES 32

static const uint64_t iv[8] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static const unsigned char sigma[12][16] = {
	{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	{ 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
	{ 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
	{ 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
	{ 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
	{ 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
	{ 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
	{ 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
	{ 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
	{ 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
	{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	{ 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
};

static inline uint64_t ror(uint64_t x, unsigned int n)
{
	return x >> n | x << (64 - n);
}

#define G(a, b, c, d, x, y)              \
	do {                             \
		a += b + (x);            \
		d = ror(d ^ a, 32);      \
		c += d;                  \
		b = ror(b ^ c, 24);      \
		a += b + (y);            \
		d = ror(d ^ a, 16);      \
		c += d;                  \
		b = ror(b ^ c, 63);      \
	} while (0)

/* With a literal @r the compiler knows every place in m[], and keeps v[] in registers. */
#define MIX(r, i, a, b, c, d)      \
	G(v[a], v[b], v[c], v[d], \
	  m[sigma[r][2 * (i)]], m[sigma[r][2 * (i) + 1]])
#define ROUND(r)                         \
	do {                             \
		MIX(r, 0, 0, 4, 8, 12);  \
		MIX(r, 1, 1, 5, 9, 13);  \
		MIX(r, 2, 2, 6, 10, 14); \
		MIX(r, 3, 3, 7, 11, 15); \
		MIX(r, 4, 0, 5, 10, 15); \
		MIX(r, 5, 1, 6, 11, 12); \
		MIX(r, 6, 2, 7, 8, 13);  \
		MIX(r, 7, 3, 4, 9, 14);  \
	} while (0)

static void compress(struct blake2b *s, const unsigned char *block, bool last)
{
	uint64_t m[16], v[16];

	memcpy(m, block, sizeof(m));
	for (int i = 0; i < 16; i++)
		m[i] = le64toh(m[i]);
	memcpy(v, s->h, sizeof(s->h));
	memcpy(v + 8, iv, sizeof(iv));
	v[12] ^= s->count;
	if (last)
		v[14] = ~v[14];
	ROUND(0);
	ROUND(1);
	ROUND(2);
	ROUND(3);
	ROUND(4);
	ROUND(5);
	ROUND(6);
	ROUND(7);
	ROUND(8);
	ROUND(9);
	ROUND(10);
	ROUND(11);
	for (int i = 0; i < 8; i++)
		s->h[i] ^= v[i] ^ v[i + 8];
}

void blake2b_init(struct blake2b *s)
{
	memset(s, 0, sizeof(*s));
	memcpy(s->h, iv, sizeof(iv));
	s->h[0] ^= 0x01010000 ^ DIGEST_BYTES;
}

void blake2b_update(struct blake2b *s, const void *data, size_t len)
{
	const unsigned char *p = data;

	/* The last block is compressed by final() alone, so a full one waits for more input. */
	while (len) {
		size_t n = sizeof(s->block) - s->fill;

		if (n == 0) {
			s->count += sizeof(s->block);
			compress(s, s->block, false);
			s->fill = 0;
			continue;
		}
		if (n > len)
			n = len;
		memcpy(s->block + s->fill, p, n);
		s->fill += n;
		p += n;
		len -= n;
	}
}

void blake2b_final_hex(struct blake2b *s, char hex[65])
{
	static const char digits[] = "0123456789abcdef";

	s->count += s->fill;
	memset(s->block + s->fill, 0, sizeof(s->block) - s->fill);
	compress(s, s->block, true);
	for (int i = 0; i < DIGEST_BYTES; i++) {
		unsigned char byte = (unsigned char)(s->h[i / 8] >> (8 * (i % 8)));

		hex[2 * i] = digits[byte >> 4];
		hex[2 * i + 1] = digits[byte & 15];
	}
	hex[64] = '\0';
}
