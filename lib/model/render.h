/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_RENDER_H
#define ABIBASE_RENDER_H

#include "document/baseline.h"
#include "document/page.h"

/* A device of the guest, as libvirt calls it. */
struct alias {
	char *device; /* NULL: virtio-net */
	char *name;
};

/*
 * The list for some of the builds: what they all know is set. A property that one of them does not
 * know would stop it from starting; it may be left out only when those that know it have the
 * baseline's value anyway.
 */
struct list {
	unsigned int *builds; /* indices into b->used */
	size_t n;
	const char *machine; /* NULL: the list does not begin with it */
	const struct value **values; /* that it sets */
	size_t n_values;
	const struct abibase_catalogue *cat; /* these two: of RENDER_OVERRIDE */
	const struct alias *aliases;
	size_t n_aliases;
	enum abibase_verdict verdict;
	struct arena arena;
	struct findings own; /* what keeps the list from being made, or is to be said of it */
};

/* The forms of a list: a name, NULL behind the last; and such a text. */
const char *render_list_form(size_t i);
void render_list(const struct list *l, size_t form, struct buf *out);
/* That which needs aliases. */
#define RENDER_OVERRIDE "libvirt-override"
/* The device that this is a property of; NULL: virtio-net. */
const char *render_device(const struct list *l, const struct value *v);

/* Why a value is what it is, of whom. */
void render_reason(const struct abibase_baseline *b, const struct why *w, struct buf *out);

/*
 * The page of a baseline, or of a list of it, whose verdict may be another one for what
 * @own has, for @host or NULL; begin: all but the last lines.
 */
void render_page_begin(struct page *p, const struct abibase_baseline *b, const char *host,
		       enum abibase_verdict list, const struct findings *own);
/* What is off, and why; and how much is on; @all: what that is, too, and of which numbers why. */
void render_page_values(struct page *p, const struct abibase_baseline *b, bool all);
/* @beside_list: the list is on stdout, and no document is written */
void render_page_end(struct page *p, const struct abibase_baseline *b, bool beside_list);

#endif
