/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_RECORDS_H
#define ABIBASE_RECORDS_H

#include "document/catalogue.h"
#include "document/json.h"
#include "document/rehearsals.h"

/*
 * The records of two builds: what a machine type makes of the properties of their device classes. A
 * record can say that two builds differ. It cannot say that they are the same, and nothing here does.
 */

struct records {
	struct abibase_context *ctx;
	const struct abibase_catalogue *cat;
	const json_t *entry[2], *record[2]; /* what profiles say of the two builds, and they themselves */
	const json_t *classes; /* patterns: of the devices that count; NULL: of all */
	const char *machine;   /* under this one alone; NULL: under each that both have */
};

/* A property that has another value in the other. */
struct record_value {
	const char *machine, *key; /* "class.property" */
	const char *value[2];
	bool read; /* by what a device of an older build reads, not by what a newer one states */
};

struct records_found {
	void *data;
	void (*differs)(void *data, const struct record_value *v);
	/* Of an older build, the values are what its device reads, and what a newer one states; NULL: not
	 * asked. A property is come to more than once. */
	void (*disagrees)(void *data, int side, const struct record_value *v);
	/* The class, or the property, that @side alone has not; NULL: not asked */
	void (*lacks)(void *data, int side, bool is_class, const char *name);
	size_t n_compared, n_open; /* properties; with a default stated by both, and without */
	bool newer;		   /* is one older, and by what a newer one states? */
};

/* Call the functions of @ret with what differs. 0 or negative errno. */
int records_compare(const struct records *q, struct records_found *ret) _must_check_;

/* judged.c: what judges such a difference. */
struct judges {
	const struct records *q;
	struct rehearsed_pair way[2]; /* from the first to the second, and back */
	const json_t *specimens;
};
/* The ways of a guest that count, a bit for each: to the second; and back, too */
#define RECORDS_THERE 1u
#define RECORDS_BOTH_WAYS 3u
/* Of other ways than these nothing is read. 0 or a negative errno, with the error of q->ctx. */
int judges_find(struct judges *j, const struct records *q, unsigned int ways) _must_check_;
/*
 * "refused by rehearsal 10.0.13 -> 11.1.3": by what the property is judged, new; NULL: no memory.
 * @open: a bit for each way that nothing judges.
 */
json_t *judges_say(const struct judges *j, const char *machine, const char *key,
		   unsigned int *open);

#endif
