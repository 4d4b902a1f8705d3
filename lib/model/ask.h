/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_ASK_H
#define ABIBASE_ASK_H

#include "document/hosts.h"
#include "model/effective.h"

/*
 * What is asked of a host: is this backend usable, and what is missing there of what a row or a
 * requirement needs? Every verb asks here, so that no two disagree about one host.
 */

/* Whom to ask. Of neither a profile nor a host nothing is known, but what would be asked is told. */
struct ask {
	const struct abibase_catalogue *cat;
	const struct abibase_profile *p; /* or */
	const struct host *host;	 /* of the inputs below */
	const struct inputs *in;
	const struct qemu_view *view;	 /* a QEMU: only what it looks at counts; NULL: all */
	const struct requirement *lacks; /* this device is made without it, whatever its host has */
};

/* One question and its answer. A walk begins with { 0 }. */
struct asked {
	size_t next; /* position of the one after it */
	const struct need *need;   /* NULL: what a backend needs to be usable */
	const struct condition *c; /* NULL: these QEMUs never offer it there, which is a "no" */
	int condition;		   /* its index, or NEED_NEVER */
	enum abibase_tri answer;
	const char *reason; /* why it is unknown, or NULL */
};

/* How all of it stands: one "no" is enough, whatever else is unknown. */
struct stand {
	enum abibase_tri can;
	bool never;		  /* this QEMU never offers it on this backend */
	struct asked no, unknown; /* the first that is missing, the last that is not known */
};

enum abibase_tri ask_condition(const struct ask *a, int condition, const char **ret_reason);
/* Go on to the next question; false: that was all. */
bool ask_next_usable(const struct ask *a, size_t backend, struct asked *w);
bool ask_next_need(const struct ask *a, const struct needs *needs, struct asked *w);
/* All of them at once. */
enum abibase_tri ask_usable(const struct ask *a, size_t backend);
void ask_needs(const struct ask *a, const struct needs *needs, struct stand *ret);
/*
 * The backends, a mask, on which a device of @backend lies on this host. One that is @optional has
 * vhost where the host has it, and else none; where nobody knows it may be either.
 */
unsigned int ask_lies_on(const struct ask *a, size_t backend, bool optional);
/* Can a host that states @limit, or NUMBER_UNSTATED, do as much as a device was told, an MTU? */
enum abibase_tri ask_limit(int64_t limit, int64_t told);
/* Is that condition, an index, among what is asked? */
bool ask_is_usable_by(const struct ask *a, size_t backend, int condition);
bool ask_is_need(const struct ask *a, const struct needs *needs, int condition);
/* Is it among the needs, one list a backend, of any of these backends? */
bool ask_needed(const struct abibase_catalogue *cat, const struct needs *needs,
		unsigned int backends, int condition);

#endif
