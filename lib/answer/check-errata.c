/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer/check.h"
#include "document/errata.h"

/* A host under check, or the target of a guest, with a known defect. */

void hostcheck_errata(struct abibase_check *c, const struct abibase_catalogue *cat, uint32_t errata,
		      bool (*is_on)(const void *of, size_t row), const void *of)
{
	for (size_t i = 0; i < cat->n_errata; i++) {
		const struct erratum *e = &cat->errata[i];
		_buf_ text = { 0 }, remedy = { 0 };
		struct finding f = { .kind = ABIBASE_FINDING_NOTE,
				     .id = "known-defect",
				     .layer = e->of == ERRATUM_OF_KERNEL ? "kernel" : "QEMU",
				     .bit = -1 };

		if (!(errata >> i & 1) || !erratum_matters(e, is_on, of))
			continue;
		erratum_write(e, &text);
		erratum_write_remedy(e, &remedy);
		f.cause = arena_words(&c->arena, &text);
		f.remedy = arena_words(&c->arena, &remedy);
		hostcheck_say(c, f, "%s: %s", c->host, f.cause);
	}
}
