/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_RESULT_H
#define ABIBASE_RESULT_H

#include "document/value.h"

#define FOLDED_NAMES "names"

/* The answer of a verb: a document, made once, and never changed. */
struct abibase_result {
	int refcount;
	enum abibase_verdict verdict;
	json_t *root;
	/*
	 * Where there is no document: one in which hosts that answer alike have one element of "hosts",
	 * the same one, and FOLDED_NAMES are beside them; and what makes of it the @i-th of "hosts".
	 */
	json_t *folded;
	json_t *(*unfold)(const json_t *folded, size_t i);
	/* for people: the text, or what makes it of the document; 0 or -ENOMEM */
	char *text;
	int (*show)(const json_t *root, size_t width, char **ret);
	const json_t **findings; /* of all parts of the document */
	size_t n_findings;
};

/*
 * Hand out a result with this verdict, document, and text or show(). Both are taken, also on
 * failure; a document or a text that is missing is one for which memory ran out.
 */
int result_give(struct abibase_context *ctx, const struct abibase_result *made,
		struct abibase_result **ret) _must_check_;

/* For tests: how many there are. */
size_t result_finding_count(const struct abibase_result *r);

#endif
