/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_MOVE_H
#define ABIBASE_MOVE_H

#include "baseline.h"
#include "check.h"
#include "guest.h"
#include "predict.h"

/* One guest, and one QEMU of one host that may take it. */

struct abibase_targets {
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	struct abibase_guest *guest;
	struct abibase_baseline *baseline; /* NULL: no list of options */
	struct abibase_profile *source;	   /* NULL: not known */
	char *backend;			   /* NULL: that of the guest */
	struct abibase_profile **hosts;
	size_t n, cap;
	json_t *devices; /* devices.json, where the guest has a device that it describes; or NULL */
};

struct move {
	enum abibase_move kind;
	struct abibase_check *check;
	char *version, *path, *package; /* of the QEMU that was judged; NULL: not stated */
	struct strings rescue;	 /* without these the guest does not get in */
	struct strings door;	 /* with these the way back stays open */
	struct strings carry_on; /* the whole device, as explicit values */
	struct strings gains;	 /* features that come with the next reset */
	enum abibase_tri way_back;
	char *way_back_text; /* or NULL */
};

/* One QEMU of one host under judgement. */
struct judging {
	const struct abibase_targets *t;
	const struct abibase_profile *p;
	const json_t *entry; /* its record; NULL: any upstream QEMU */
	struct predictor pr;
	struct strings base; /* the settings that the target gets anyway */
	struct move *m;
	uint64_t negotiated[2]; /* of all devices */
};

/* A running guest keeps what it negotiated. */
#define RESTART "; or power the guest off and on with the list of a baseline that has this host"

/* move.c: findings about the host; @row may be NULL; the text is taken. 0 or -ENOMEM. */
int move_say(struct judging *j, enum abibase_finding_kind kind, const char *id, const char *layer,
	     const struct row *row, const char *remedy, struct buf *text);
/* "QEMU 9.1.0 (qemu-kvm-9.1.0-20.el9)" */
void move_write_qemu(const struct judging *j, struct buf *out);
/* The QEMU in which the guest runs now; NULL: it cannot be told which. */
const struct profile_qemu *move_source_qemu(const struct abibase_targets *t);
const char *move_taken(const struct guest_device *d);
/* What the guest negotiated is not known, and all that it can have counts. */
int move_say_worst_case(struct judging *j);
int move_ask_word(struct judging *j);

/* move-listed.c: devices that devices.json describes, and the catalogue does not */
bool listed_is(const struct abibase_targets *t, const struct guest_device *d);
int listed_judge(struct judging *j, const struct guest_device *d);

#endif
