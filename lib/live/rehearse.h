/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_LIVE_REHEARSE_H
#define ABIBASE_LIVE_REHEARSE_H

#include "document/finding.h"
#include "document/result.h"
#include "qemu/rehearse.h"

/* What is asked for; the lines as they were given. */
struct rehearse_given {
	char *qemu; /* NULL: there is no such line */
	char *baseline;
	struct strings argv, list;
};

struct abibase_rehearse {
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	struct rehearse_given line[ABIBASE_REHEARSE_LOAD + 1];
	char *save, *load;
	bool specimen;
	struct strings machines; /* of specimens */
	unsigned int run;	 /* seconds */
	int pid;		 /* of the guest that runs with the first line; 0: none */
	const char *what;	 /* the specimen, for whoever waits; NULL: the guest */
};

/* Can a document have this word, or NULL? 0 or a negative errno with the error of @ctx. */
int rehearse_take(struct abibase_context *ctx, const char *word) _must_check_;
/* What QEMU says, of a sentence in which it stands, without who says it */
const char *rehearse_own_words(const char *said);
/* Of one guest. live/specimen.c has abibase_rehearse_run(), which is of many lines, too. */
int rehearse_request_run(struct abibase_rehearse *rh, struct abibase_result **ret) _must_check_;
/* live/specimen-show.c; does any device not load, or not even start? */
bool specimen_fails(const json_t *root);
int specimen_show(const json_t *root, size_t width, char **ret);

/* What one half says of itself in an answer. */
struct rehearse_side {
	const char *qemu; /* a path; of a file: where it was */
	const char *version, *package, *machine;
	bool known;
};

/* Everything that was found: for people, and as a document. */
struct rehearsed {
	struct arena arena;
	struct findings findings;
	enum abibase_verdict verdict;
	struct rehearse_side source, destination; /* the second, where it was to load */
	const char *file;			  /* that was written or read, or NULL */
	size_t bytes;				  /* of the stream */
	unsigned int run; /* seconds of the firmware; 0: it was not executed */
	bool saved, loaded;
	const char *said; /* QEMU's own words of what it refuses, or NULL */
	json_t *replaced; /* strings: "-netdev tap: a tap of its own" */
};

void rehearse_say(struct rehearsed *rd, enum abibase_finding_kind kind, const char *id,
		  const char *layer, const char *remedy, const char *fmt, ...) _printf_(6, 7);
/* live/rehearse-show.c: NULL for want of memory; and of that, for people: 0 or -ENOMEM */
json_t *rehearsed_document(const struct rehearsed *rd);
int rehearsed_show(const json_t *root, size_t width, char **ret);

/* live/rehearse-compare.c: what the two lines and hosts say against each other */
struct rehearse_comparison {
	struct rehearsed *out;
	const json_t *source;		  /* the head */
	const struct rehearse_line *line; /* of the destination */
	const struct rehearse_half *half; /* NULL: it was not started */
	const char *baseline;		  /* of the destination, or NULL */
};
/* live/rehearse-process.c: the guest that runs, against its line as started. */
struct rehearse_process {
	struct rehearsed *out;
	int pid;
	const char *const *argv;	  /* of its line */
	const struct rehearse_line *line; /* what differs becomes a part that is left out */
	const struct rehearse_half *half;
};
/* Does process @pid run a QEMU, under its usual name or as @qemu? 0 or a negative errno */
int rehearse_check_process(struct abibase_context *ctx, int pid, const char *qemu);
int rehearse_compare_process(const struct rehearse_process *p); /* 0 or -ENOMEM */
void rehearse_compare_lines(const struct rehearse_comparison *c);
void rehearse_compare_cpus(const struct rehearse_comparison *c);
/* Of devices, where the lines say the same */
void rehearse_compare_properties(const struct rehearse_comparison *c);
/* Of the same host: is it what it was? */
void rehearse_compare_host(const struct rehearse_comparison *c);
/* A word that stands for this host, in hex; false: it has none. */
bool rehearse_host(char hex[DIGEST_HEX + 1]);

#endif
