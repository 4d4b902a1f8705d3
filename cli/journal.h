/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_JOURNAL_H
#define ABIBASE_JOURNAL_H

/* One line in the journal for each guest that was started or refused: see abibase-emulator(1). */

enum verdict { GUEST_STARTED, GUEST_WARNED, GUEST_REFUSED };

struct journal_line {
	enum verdict verdict;
	/* NULL: not known */
	const char *name, *uuid, *machine, *baseline, *host, *qemu;
	const char *words; /* that were said of it, each with the id of its message in brackets */
};

/* It waits for no one that is slow, and what cannot be told is not told. */
void journal_send(const struct journal_line *l);

#endif
