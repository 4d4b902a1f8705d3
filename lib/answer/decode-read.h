/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_DECODE_READ_H
#define ABIBASE_DECODE_READ_H

/* From the text of a log to findings: what was said, where, and of which device. */

#include "document/decode-data.h"

struct abibase_catalogue;

#define MAX_CAPTURE 256 /* bytes; more are another one */

struct mask {
	uint64_t word[FEATURE_BITS / 64];
	size_t digits; /* as printed */
};

struct finding {
	const struct message *message;
	size_t line, times;
	char *capture[MAX_CAPTURES];
	/* of MESSAGE_FEATURES: */
	struct mask guest, allowed;
	const char *device, *class_name; /* NULL: no line says; into the data */
	bool device_given;		 /* by the caller, not by a line */
};

/* The last line that named a device: which, and when. */
struct hint {
	const char *device, *class_name;
	size_t seq;
};

/* The next place of the line where a message stands; looked for once. */
struct next {
	size_t start, end;
	struct span capture[MAX_CAPTURES];
	bool known, none;
};

struct decoder {
	struct abibase_context *ctx;
	const struct abibase_catalogue *cat;
	const struct decode_data *data;
	struct next *next;
	struct finding *findings;
	size_t n, cap, dropped;
	struct finding pending; /* masks, for whose device later lines are read */
	size_t pending_seq;
	bool is_pending, hinted;
	struct hint hint, before; /* @before: what was known when the masks came */
	const char *device, *class_name; /* what the caller said */
	size_t line, seq;
	bool failed; /* no memory */
};

bool mask_parse(const char *s, struct mask *ret);
bool mask_bit(const struct mask *m, unsigned int bit);
bool mask_empty(const struct mask *m);

void finding_clear(struct finding *f);
/* All findings of the text, into @d; d->failed when memory ran out. */
void decode_lines(struct decoder *d, const char *text, size_t len);

#endif
