/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_RENDER_H
#define ABIBASE_RENDER_H

#include "document/baseline.h"
#include "document/page.h"

/* Why a value is what it is, of whom. */
void render_reason(const struct abibase_baseline *b, const struct why *w, struct buf *out);

/*
 * The page of a baseline, or of a list of it, whose verdict may be another one for what
 * @own has, for @host or NULL; begin: all but the last lines.
 */
void render_page_begin(struct page *p, const struct abibase_baseline *b, const char *host,
		       enum abibase_verdict list, const struct findings *own);
/* What is off, and why; and how much is on. */
void render_page_values(struct page *p, const struct abibase_baseline *b);
/* @beside_list: the list is on stdout, and no document is written */
void render_page_end(struct page *p, const struct abibase_baseline *b, bool beside_list);

#endif
