/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_FINDING_H
#define ABIBASE_FINDING_H

#include <abibase/abibase.h>

#include "base/util.h"
#include "document/json.h"

/* What answers are made of: findings, and the verdict to which they amount. */

/* How much a finding weighs: a conflict makes the verdict "no", an unknown "cannot tell". */
enum abibase_finding_kind {
	ABIBASE_FINDING_CONFLICT,
	ABIBASE_FINDING_UNKNOWN,
	ABIBASE_FINDING_NOTE,
};
/* The words of documents, in the order of the public enumerations; they end with NULL. */
extern const char *const finding_words[];
extern const char *const verdict_words[];

/* Everything but id may be NULL. */
struct finding {
	enum abibase_finding_kind kind;
	const char *id, *text, *layer, *feature, *property, *remedy, *cause;
	const char *fact;   /* of a profile that it is about; not copied */
	const char *host;   /* that it is about, and with whose name the text begins; not copied */
	const char *device; /* of a command line: its own word, not copied */
	int bit;	    /* of the feature; -1: none */
	bool by_list;	    /* options of QEMU mend it */
	bool fixable;	    /* and they mend all that is in the way; said beside a layer */
	bool of_inputs; /* of what went in, and in no document: the same hosts give the same one */
};

/*
 * A list of them, in an arena with their words. Want of memory is the arena's: who makes an answer
 * looks at it once, at the end.
 */
struct findings {
	struct arena *arena;
	struct finding *f;
	size_t n;
};

/* @text, or nothing where it is NULL, is copied and emptied for the next; the words of @f are copied. */
void finding_add(struct findings *l, struct finding f, struct buf *text);
bool findings_have(const struct findings *l, enum abibase_finding_kind kind);
enum abibase_verdict findings_verdict(const struct findings *l);
/* NULL for want of memory */
json_t *finding_json(const struct finding *f);
json_t *findings_json(const struct findings *l);

#endif
