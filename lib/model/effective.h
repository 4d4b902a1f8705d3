/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_EFFECTIVE_H
#define ABIBASE_EFFECTIVE_H

#include "document/catalogue.h"
#include "base/version.h"

struct abibase_baseline;
struct value;

/*
 * What one QEMU binary makes of one machine type: which properties it knows and what they are set
 * to when nobody says anything. What a profile recorded decides; the catalogue fills in the rest,
 * by version, under upstream machine type names only, since a vendor's name can mean anything.
 */

struct qemu_view {
	const json_t *entry; /* the profile's record; NULL: any upstream QEMU that has the machine */
	struct version version;
	const char *machine;
	struct machine_name name;
	const json_t *values; /* recorded values of this machine type, or NULL; what it leaves out */
	const json_t *defaults; /* is as under every recorded machine type */
	const json_t *properties;
	int64_t asked;	/* the revision of the catalogue by which the record was made */
	bool filled_in; /* what nobody recorded follows from the version */
};

struct effective {
	enum abibase_tri known;
	/* NULL: unknown, or the property is not known; what is observed is there without a property
	 * too */
	const json_t *value;
	const json_t *without; /* not known, and it does as if it were set to this; or NULL */
	bool recorded;	     /* the value was recorded, not filled in */
	bool disagrees;	     /* recorded, and the catalogue says otherwise */
	const struct compat *exception; /* of any upstream QEMU: builds without this entry differ */
};

/*
 * @entry: a qemu entry of a profile, or NULL for any upstream QEMU with that machine type. @cat may
 * be NULL where only what was recorded is looked at.
 */
void qemu_view_init(struct qemu_view *q, const struct abibase_catalogue *cat, const json_t *entry,
		    const char *machine);
/*
 * What this binary makes of the name of a machine type: Proxmox' build cuts it at "+" before it
 * looks for the machine. The length of what counts; that of the whole name where nothing is cut.
 */
size_t qemu_machine_len(const json_t *entry, const char *machine);
bool qemu_cuts_machine(const json_t *entry, const char *machine);
/*
 * Does it take this name for the machine type? What is left of a name that it cuts can be an alias,
 * which stands beside the machine type in its record.
 */
bool qemu_takes_name(const json_t *entry, const char *name, const char *machine);
/* The machine type of a QEMU that has this name or alias; NULL: there is none. */
const char *qemu_machine_called(const json_t *machines, const char *name);
/* A recorded value, or NULL when none was recorded under this machine type. */
const json_t *qemu_recorded(const json_t *entry, const char *machine, const char *key);
/*
 * The largest size observed under this machine type on any backend: what @member of the
 * recorded shape ("queue_sizes") holds; -1: nothing.
 */
int64_t qemu_recorded_size(const json_t *entry, const char *machine, const char *member);
/* The largest number that @member of the recorded shape is on any backend, or NULL. */
const json_t *qemu_observed(const json_t *entry, const char *machine, const char *member);
/*
 * Does this binary have this machine type? By its list, or the patterns of its names, else by
 * version for upstream names.
 */
enum abibase_tri qemu_has_machine(const struct abibase_catalogue *cat, const json_t *entry,
				  const char *machine);
void qemu_effective(const struct qemu_view *q, const struct row *row, struct effective *ret);
/*
 * Are two builds with the same record the same build under this machine type? Under one of
 * upstream's a version means one thing; under a vendor's the record has to say which build it is
 * of.
 */
bool qemu_is_told_apart(const json_t *entry, const char *machine);
/* Does no feature word show it when it has another value? Layout, sizes, texts. */
bool row_is_silent(const struct row *row);
/* What a device with one pair of queues makes of a number. */
int64_t row_realized(const struct row *row, int64_t number);
/*
 * What a guest sees of a row that stands for no feature: a QEMU without the property does as with it
 * off, or as its default, or as was observed. NULL: not known.
 */
const json_t *effective_seen(const struct effective *e, const struct row *row);
/* As QEMU takes it: on, off, 256, auto; "not set" for what no option says. At least one character. */
void value_write(const json_t *value, struct buf *out);
/* The same words, in an arena; "" where that has failed. */
const char *value_words(struct arena *a, const json_t *value);
/* On, or "auto": on where the host can. */
bool value_is_on(const json_t *value);
/* Would the bit of @row be offered with this value, if the backend agrees? */
bool row_bit_set(const struct row *row, const json_t *value);
/* The same of what a QEMU makes of it by itself; a bit that is always there needs no record. */
enum abibase_tri effective_bit(const struct effective *e, const struct row *row);
/* Does this QEMU look at this need? */
bool need_applies(const struct qemu_view *q, const struct need *need);

/*
 * What the baseline sets or requires and the catalogue does not have, in words: nothing can be said
 * of it here. How many they are.
 */
size_t baseline_write_unknown(const struct abibase_catalogue *cat,
			      const struct abibase_baseline *b, struct buf *out);
/* A value knows its row, and a row its value: found once. Want of memory is the arena's. */
struct links {
	const struct row **rows;     /* of each value; NULL: the catalogue has none */
	const struct value **values; /* of each row; NULL: the baseline does not set it */
};
void link_values(const struct abibase_catalogue *cat, const struct abibase_baseline *b,
		 struct arena *a, struct links *ret);
/* Is this the machine type of the baseline, as every QEMU of it reads the name? */
bool baseline_is_of_machine(const struct abibase_baseline *b, const char *machine);
/* What that QEMU of the baseline makes of the row under its machine type. */
void baseline_effective(const struct abibase_catalogue *cat, const struct abibase_baseline *b,
			size_t used, const struct row *row, struct effective *ret);
/* What its QEMUs make of a row that it does not set, which is the same in all; NULL: not known. */
const json_t *baseline_seen(const struct abibase_catalogue *cat, const struct abibase_baseline *b,
			    const struct row *row);
/* Was the baseline asked to leave out a row that is observed? Its guests have nothing of the kind. */
bool baseline_leaves_out(const struct abibase_baseline *b, const struct row *row);

#endif
