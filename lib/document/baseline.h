/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_BASELINE_H
#define ABIBASE_BASELINE_H

#include <abibase/abibase.h>

#include "document/finding.h"
#include "document/hosts.h"

/*
 * A baseline has two halves. What was put in (struct inputs): the hosts with their answers, and the
 * distinct QEMU builds. What follows from it (the rest of struct abibase_baseline), made by
 * intersect.c or read from a document, so that a baseline means the same under a newer catalogue.
 */

/* ------------------------------------------------------------------ derived parts */

enum why_kind {
	WHY_HOST_LACKS,	     /* a condition is answered no */
	WHY_HOST_UNKNOWN,    /* a condition has no answer */
	WHY_QEMU_LACKS,	     /* the property does not exist in a QEMU */
	WHY_MACHINE_OFF,     /* the machine type has it off in a QEMU */
	WHY_QEMU_UNKNOWN,    /* what a QEMU makes of it is not recorded */
	WHY_DEPENDS,	     /* a feature that it depends on is off */
	WHY_TOGETHER,	     /* decided together with one that is off */
	WHY_NEVER,	     /* a QEMU never offers it on this backend */
	WHY_DISABLED,	     /* it was asked to be off */
	WHY_HOST_LEAST,	     /* a number: no host states less */
	N_WHY,
};
extern const char *const why_words[];

struct why {
	enum why_kind kind;
	const char *what; /* condition, property, or "" */
	const char *layer, *missing, *remedy; /* NULL but for conditions */
	unsigned int backends; /* mask, 0 where it does not matter */
	unsigned int *hosts;   /* sorted indices; none: all of them alike */
	size_t n_hosts;
};

enum setting { SETTING_OFF, SETTING_ON, SETTING_UNKNOWN, SETTING_ABSENT };
extern const char *const setting_words[];

struct value {
	const char *class_name, *property, *feature, *group;
	int bit;
	bool on;	   /* of a number: it is set */
	bool off_counts;   /* off, and on where it is not set: off is part of the identity */
	const char *text;  /* as QEMU takes it: "on", "off", "1500" */
	bool is_number;
	int64_t number;
	/* enum setting for each used build, see baseline.used; of a number: on where it is the same */
	unsigned char *defaults;
	const char **requires;	 /* condition names that hosts must answer yes, when on */
	size_t n_requires;
	struct why *why;
	size_t n_why;
};

struct met {
	const char *name, *text;
	enum abibase_tri met; /* unknown: only where the verdict is no yes */
	const char **conditions;
	size_t n_conditions;
};

struct offer {
	unsigned int backend;
	bool known;
	uint64_t word[2];
	const char **features;
	size_t n_features;
	unsigned int *absent_on; /* hosts */
	size_t n_absent_on;
};

/* The option that the values of a baseline are for; other options will have values of their own. */
#define OPTION_GLOBAL "-global"
struct names {
	const char **s;
	size_t n;
};

/* What was compared, by which evidence, and what was not. */
struct scope {
	struct names devices, layers, not_compared;
	unsigned char *evidence; /* for each used build: a mask of these */
};
enum evidence { EVIDENCE_CATALOGUE, EVIDENCE_RECORD, N_EVIDENCE };
extern const char *const evidence_words[];

/* What stands for NULL below in documents: the name that no digest has. */
#define ANY_BUILD "any-upstream"

/* A build as it is used by this answer; NULL build: any upstream QEMU with the machine type. */
struct used_build {
	const struct build *build;
	long index; /* into inputs.builds, -1 for any */
};

struct abibase_baseline {
	int refcount;
	json_t *document; /* made when it is asked for; NULL: not yet. Set once, atomically */
	struct inputs in;
	/* the derived parts are in the arena; their words belong to what they came from */
	struct abibase_catalogue *cat; /* or */
	json_t *root;
	struct arena arena;
	const char *arch, *target, *machine, *id; /* NULL where there is no answer */
	bool machine_chosen;
	bool partial;	/* hosts for another intersection alone, with all of their QEMUs */
	bool no_inputs; /* read without them: in.hosts stand in, with the builds and no answers */
	enum abibase_verdict verdict;
	struct used_build *used;
	size_t n_used;
	struct value *values; /* sorted by class, property */
	size_t n_values;
	struct met *requirements;
	size_t n_requirements;
	struct offer *offers;
	size_t n_offers;
	struct scope scope;
	struct findings findings; /* in the arena, conflicts first */
};

struct abibase_baseline *baseline_alloc(void);
/* The identity of the guest ABI, in the arena; NULL when memory ran out. */
const char *baseline_make_id(struct abibase_baseline *b);
int baseline_from_json(struct abibase_context *ctx, json_t *root, const char *source,
		       struct abibase_baseline **ret);
/*
 * The document, canonical. Without its inputs and reasons, if so wanted and if there is an answer:
 * what the start of a guest needs, under the same id.
 */
void baseline_write(const struct abibase_baseline *b, bool inputs, struct buf *out);
/* Which of b->used this host uses: indices appended; the number of them. */
size_t baseline_host_builds(const struct abibase_baseline *b, const struct host *h,
			    const char *path, unsigned int *ret, size_t max);

/* What the baseline sets that property to; NULL: it does not. */
const struct value *baseline_value(const struct abibase_baseline *b, const char *class_name,
				   const char *property);
/* As QEMU takes it, or NULL: the baseline does not set it. */
const char *baseline_property(const struct abibase_baseline *b, const char *class_name,
			      const char *property);
/* Is that, which guest_unjudged() has, the same as what the list of the baseline sets? */
bool baseline_sets(const struct abibase_baseline *b, const char *word);
/* What guests are offered on a backend; NULL: the baseline has no such backend, or no answer. */
const struct offer *baseline_offer(const struct abibase_baseline *b, const char *backend);
/* The feature word that guests get on a backend; false: the baseline has no such backend, or no answer. */
bool baseline_offered(const struct abibase_baseline *b, const char *backend, uint64_t ret[2]);
/* The record of a QEMU that the baseline uses; NULL: any upstream QEMU that has the machine type. */
const json_t *baseline_entry(const struct abibase_baseline *b, size_t used);
/* It promises nothing to a guest; sets the error of @ctx, -EINVAL. */
int baseline_refuse(struct abibase_context *ctx, const struct abibase_baseline *b);

/* Of the same hosts, with nothing decided; NULL: no memory. */
struct abibase_baseline *baseline_partial(const struct abibase_baseline *b);

/* For other documents: the names of its backends, and its scope with kinds of evidence. */
json_t *baseline_backends(const struct abibase_baseline *b);
json_t *baseline_scope(const struct abibase_baseline *b);
extern const struct form baseline_form;

#endif
