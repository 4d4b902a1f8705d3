/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_CHECK_H
#define ABIBASE_CHECK_H

#include <abibase/abibase.h>

#include "json.h"

/* What was found about one host, by check.c against a baseline and by move.c for one guest. */

struct check_finding {
	enum abibase_finding_kind kind;
	char *id, *text, *layer, *feature, *property, *remedy, *cause;
	int bit; /* -1: none */
	bool by_list; /* options of QEMU mend it */
	bool fixable; /* and they mend all that is in the way */
};

/* What of the baseline one QEMU of the host gets. */
struct check_list {
	char *path;
	char **settings; /* "class.property=value", ended by NULL */
};

struct abibase_check {
	int refcount;
	char *host, *baseline; /* the second for people, or NULL */
	enum abibase_verdict verdict;
	bool asked, admissible; /* is there a baseline that has this host too? */
	struct check_finding *findings;
	size_t n, cap;
	char **lost; /* properties that go off when the host is admitted */
	size_t n_lost, cap_lost;
	char *admit_id; /* identity of the baseline that would admit it, or NULL */
	struct check_list *lists;
	size_t n_lists, cap_lists;
};

/* NULL for want of memory. */
struct abibase_check *hostcheck_new(const char *host);
/*
 * Takes the text; what is said already is not said twice. Everything of @f but id may be NULL; its
 * strings are copied. 0 or -ENOMEM.
 */
int hostcheck_add(struct abibase_check *c, const struct check_finding *f, struct buf *text);
/* What the findings amount to. */
enum abibase_verdict hostcheck_verdict(const struct abibase_check *c);
int dup_to(char **to, const char *s);
/* "class.property=value" lists, ended by NULL */
void settings_free(char **s);
json_t *hostcheck_strings(char *const *s, size_t n);
/* The findings for people, a block each; what comes of one cause is one. */
void hostcheck_text(const struct abibase_check *c, struct buf *out);
/* A line of such a block. */
void text_labelled(const char *label, const char *text, struct buf *out);
json_t *hostcheck_findings_json(const struct abibase_check *c);

#endif
