/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_PREDICT_H
#define ABIBASE_PREDICT_H

#include "model/ask.h"

/*
 * What QEMU would do, bit for bit: properties as set, then masked by what the backend has. It closes
 * no dependencies and keeps no groups together, because QEMU does neither.
 */

struct predictor {
	const struct abibase_catalogue *cat;
	const struct abibase_profile *p;
	struct qemu_view view;
	size_t backend;
	/* NULL, or "class.property=value" as given with -global; the last of a property wins */
	const char *const *settings;
};

/* One row, under one QEMU on one backend. */
struct predicted {
	enum abibase_tri knows; /* does this QEMU have the property? */
	enum abibase_tri on;	/* is it switched on? */
	bool by_setting;	/* a setting says so, not the machine type */
	bool bad;		/* that setting has a value that QEMU refuses */
	enum abibase_tri can;	/* does the backend have what it needs? asked only unless it is off */
	bool never;		/* this QEMU never offers it on this backend */
	const struct condition *unknown; /* can: the condition that has no answer */
	const char *reason;	/* why it has none */
	bool fatal;		/* on, as it may be, and missing: this QEMU does not start */
	const struct row *masked_by; /* of a requirement: what leaves nothing of it; or NULL */
};

/* Does @setting set the property of @row? The value is in @ret_value. */
bool setting_is(const char *setting, const struct row *row, const char **ret_value);
/* The value of the last of several, which end with NULL, or are NULL; or NULL. */
const char *setting_of(const char *const *settings, const struct row *row);
/* Its host, of which only what its QEMU looks at is asked. */
struct ask predictor_ask(const struct predictor *pr);
/* All of what a row or a requirement needs; one "no" is enough, whatever else is unknown. */
void predict_needs(const struct predictor *pr, const struct needs *needs, struct predicted *ret);
/* The same of a requirement; one that an option of the device masks is "no". */
void predict_requirement(const struct predictor *pr, const struct requirement *q,
			 struct predicted *ret);
void predict_row(const struct predictor *pr, const struct row *row, struct predicted *ret);

/* What a device offers: for sure, and as far as is known. */
struct offered {
	bool known;
	uint64_t yes[2], maybe[2];
};

/* Told of each row (or else requirement) and what becomes of it, which it may correct. */
typedef void (*predict_fn)(void *data, const struct row *row, const struct requirement *q,
			   struct predicted *p);
/* All of it, the legacy bits too: a guest may have taken them. */
void predict_offer(const struct predictor *pr, predict_fn fn, void *data, struct offered *ret);
/* abibase_predict() for one entry of a profile, whatever else the host has; the view of @core is not read. */
int predict_entry(struct abibase_context *ctx, struct predictor *core, const json_t *entry,
		  const char *machine, uint64_t ret[2], char **ret_why);

#endif
