/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_PAGE_H
#define ABIBASE_PAGE_H

#include "document/catalogue.h"
#include "document/finding.h"

/*
 * An answer for people, one page: the verdict in the first line; what is in the way, by cause, the
 * worst first, each cause once with its hosts; what is off; what is on; and at the end what was
 * looked at, what was not, and where more is to be had.
 */
struct page {
	struct buf out;
	json_t *found; /* by cause, until page_causes() */
	json_t *notes; /* by what is said, until page_notes() */
	const char *whose; /* the label of the names that a cause has; NULL: "hosts" */
	bool failed;
};

/* @width: columns, 0: not known */
void page_begin(struct page *p, size_t width);
/* A paragraph: in column 0, further lines in @hang. */
void page_say(struct page *p, size_t hang, const char *fmt, ...) _printf_(3, 4);
/* The same behind a label. */
void page_item(struct page *p, const char *label, const char *fmt, ...) _printf_(3, 4);
/* "A, B and 9,998 more": the first 20 of some strings. */
void page_names(struct buf *out, const json_t *names);
/* The first @most; a verdict has few of them. */
void page_some(struct buf *out, const json_t *names, size_t most);
#define IN_VERDICT 3
/* "1 host", "2 hosts" */
void page_count(struct buf *out, size_t n, const char *one, const char *many);
/* The verdict of many hosts in a line: how a sentence has it of one, and of several. */
struct page_words {
	const char *does, *many_do;	    /* "satisfies", "satisfy" */
	const char *does_not, *many_do_not; /* "does not satisfy", "do not satisfy" */
	const char *whom; /* "the baseline"; what more is to be said of one host */
	const char *more;
	const json_t *names; /* of the hosts, which have none of their own; or NULL */
};
void page_verdict(struct page *p, const json_t *hosts, const struct page_words *w);
/* The names of hosts, or platforms, with that verdict; NULL: of all but those with "no" and "unknown". */
json_t *page_hosts(const json_t *hosts, const char *verdict);
/* A finding of @host; @shown is how it is called, NULL: there is but one. */
void page_found(struct page *p, const char *host, const char *shown, json_t *finding);
/* Several of them. */
void page_find(struct page *p, const char *host, const char *shown, const json_t *findings);
/* All of them, by cause, the worst first. */
void page_causes(struct page *p);
/*
 * What is to be said of a host behind a label: of hosts of which the same is said it is said once,
 * by page_notes(). Lines of @text behind the first stay as they are.
 */
void page_note(struct page *p, const char *label, const char *shown, const char *text);
void page_notes(struct page *p);
/* "CLASS.PROPERTY" behind others, of which @last is the last; the class stands before the first of it. */
void page_property(struct buf *out, const char *property, const char **last);
/*
 * What an answer looked at, for a document: which devices and layers, by which evidence; and what
 * nothing here looks at. Each word is there once. Want of memory makes NULL of a scope.
 */
json_t *scope_new(void);
void scope_add(json_t **scope, const char *key, const char *word);
/* Was any of the findings rehearsed, or read of the records of two builds? Then that is evidence. */
bool scope_found(const struct findings *l, const char *evidence);
void scope_add_found(json_t **scope, const struct findings *l);
/* The devices of these backends of the catalogue. */
void scope_add_devices(json_t **scope, const struct abibase_catalogue *cat, unsigned int backends);
/* Of one that looks at all layers of devices on these backends; there is no evidence yet. */
json_t *scope_json(const struct abibase_catalogue *cat, unsigned int backends);
/* "Looked at: ...; not looked at: ..." */
void page_scope(struct buf *out, const json_t *scope);
/* The two last lines; @scope as a document has it, @see after "abibase ". */
void page_end(struct page *p, const json_t *scope, const char *see);
/* All of it to @out; @p is empty then. */
void page_put(struct page *p, struct buf *out);
/* The same: 0 or -ENOMEM. */
int page_give(struct page *p, char **ret);

#endif
