/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_CLI_GUESTS_H
#define ABIBASE_CLI_GUESTS_H

#include "cli.h"

#include "base/index.h"

/* Many guests, each asked of many hosts: a line a guest. */
struct guests {
	const struct options *o;
	bool all;   /* those that run here: one host that takes a guest is enough for it */
	bool lists; /* a host that needs further options takes a guest */
	size_t n, hosts;
	size_t bad, unknown, list; /* of the guests */
	size_t width; /* of the names */
	struct strings names, counts, because; /* of each line; the last are numbers of causes */
	struct strings causes, remedies;       /* each once */
	struct index by_cause;
	struct strings worst; /* names for the verdict: of those that are bad, or not told */
	char *closing;			  /* what was looked at, by the last of them */
};
void guests_clear(struct guests *g);
/*
 * What is answered of one guest: how many hosts, and of these by the word of their verdict; and the status
 * where a host that needs further options is none that takes it.
 */
#define GUESTS_WORDS 4
struct guests_one {
	size_t hosts, n[GUESTS_WORDS];
	int now;
};
int guests_look(const struct abibase_result *res, struct guests_one *ret); /* 0 or -ENOMEM */
/*
 * Of those that run here: STATUS_LIST where it can go to a host, and only with further options. With
 * --now that is STATUS_NO.
 */
int guests_status_of(const struct guests *g, const struct guests_one *one);
#define STATUS_LIST 4
/* One with this status counts; and it gets a line: 0 or STATUS_TROUBLE, having said why. */
void guests_count(struct guests *g, const struct guests_one *one, int status);
int guests_add(struct guests *g, const char *name, const struct abibase_result *res,
	       const struct guests_one *one, int status);
/* The exit status of all; and the page is printed, too. */
int guests_status(const struct guests *g);
int guests_show(struct guests *g);

#endif
