/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_DECODE_READ_H
#define ABIBASE_DECODE_READ_H

/* From the text of a log to findings: one for each failure, with the device that it is about. */

#include "document/decode-data.h"

struct abibase_catalogue;
struct row;

#define MAX_CAPTURE 256 /* bytes; more are another one */

struct mask {
	uint64_t word[FEATURE_BITS / 64];
	size_t digits; /* as printed */
};

struct finding {
	const struct message *message;
	size_t line, times;
	const char *capture[MAX_CAPTURES];
	const char *path; /* the device, as this line or one near it has it; NULL: no line says */
	const char *part; /* of MESSAGE_ECHO: what did not load of the device */
	/* of MESSAGE_FEATURES and MESSAGE_WORD, whose word is the guest's: */
	struct mask guest, allowed;
	const char *device, *class_name; /* NULL: no line says; into the data */
	bool device_given;		 /* by the caller, not by a line */
};

/* The last line that named a device: which, and when. */
struct hint {
	const char *device, *class_name; /* in the table; NULL: not in it */
	char path[MAX_CAPTURE + 1];
	size_t seq;
};

/*
 * A load that failed: its cause, if a line gave one, and the lines with which QEMU left it. Those
 * say nothing new after a cause; alone, they are all there is.
 */
struct story {
	bool told;	    /* a line gave the cause */
	bool closed;	    /* QEMU has left the device: another one is another story */
	size_t seq;	    /* the last line of it */
	char path[MAX_CAPTURE + 1]; /* "": no line has named the device */
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
	struct finding pending; /* for whose device later lines are read */
	size_t pending_seq;
	bool is_pending, hinted;
	struct hint hint, before; /* @before: what was known when the pending one came */
	struct hint unfit;	  /* names a device whose masks the pending ones cannot be */
	struct finding held;	  /* the section that named the pending one; no message: none */
	size_t causes, sections, ends; /* of loads that are open, the last one since @load_seq */
	size_t load_seq, owed; /* @owed: ends that are to come of loads before those */
	bool ended; /* a load, by this line */
	bool mixed; /* lines of several loads stand in turn: none is known to belong to a cause */
	struct story story;
	struct finding run; /* lines that only say where a load ended */
	size_t run_seq;
	bool is_run;
	enum echo_place run_first, run_last;
	const char *device, *class_name; /* what the caller said */
	const json_t *cause; /* the row of the last cause, of line @cause_seq */
	size_t cause_seq;
	size_t line, seq;
	struct arena arena; /* all words, and whether memory ran out */
};

bool mask_parse(const char *s, struct mask *ret);
bool mask_bit(const struct mask *m, unsigned int bit);
bool mask_empty(const struct mask *m);

/* The bit in the catalogue; in the table of the device, else in that of the transport. Or NULL. */
const struct row *bit_row(const struct decoder *d, const char *class_name, unsigned int bit);
const json_t *bit_in_table(const struct decoder *d, const char *device, unsigned int bit);
bool bit_has_name(const struct decoder *d, const char *device, unsigned int bit);
/* Has every bit of both masks a name in the table of @device? */
bool finding_fits(const struct decoder *d, const char *device, const struct finding *f);
/* All findings of the text, into @d. */
void decode_lines(struct decoder *d, const char *text, size_t len);

#endif
