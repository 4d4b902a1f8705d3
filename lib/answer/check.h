/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_CHECK_H
#define ABIBASE_CHECK_H

#include <abibase/abibase.h>

#include "answer/check-kind.h"
#include "document/baseline.h"
#include "document/catalogue.h"
#include "document/cohorts.h"
#include "document/result.h"
#include "document/guest.h"
#include "document/rehearsals.h"

/* What of the baseline one QEMU of the host gets. */
struct check_list {
	const char *path;
	const char **settings; /* "class.property=value", ended by NULL */
};

struct abibase_check {
	struct arena arena;
	const char *host;
	char digest[DIGEST_HEX + 1]; /* of its profile */
	enum abibase_verdict verdict;
	bool asked, admissible; /* is there a baseline that has this host too? */
	bool cost_unknown;	/* nobody can tell what admitting it takes */
	struct findings findings;
	json_t *lost; /* properties that go off when the host is admitted */
	json_t *set;  /* numbers that are set then, "class.property=value" */
	json_t *records; /* what differs between two builds and is not judged, by their digests */
	const char *admit_id; /* identity of the baseline that would admit it, or NULL */
	struct check_list *lists;
	size_t n_lists;
};

/* NULL for want of memory. */
struct abibase_check *hostcheck_new(const char *host);
void hostcheck_free(struct abibase_check *c);
/* What the QEMUs of a baseline make of a row that it does not set. */
struct seen_row {
	bool asked;
	const json_t *value; /* NULL: not known */
};

/* What is the same for each host that is held against a baseline, worked out when it is needed. */
struct admission {
	struct cohorts cohorts;	       /* of the hosts of the baseline */
	struct abibase_intersection *ix; /* one host a cohort */
	struct abibase_intersection *merged; /* of these one for those that differ by their QEMUs */
	struct abibase_baseline *self;	 /* the baseline that follows from these */
	struct seen_row *seen;		 /* of each row of the catalogue */
	struct kinds kinds;		 /* of the hosts that were held against it */
	struct guest_classes classes;	 /* of the guest */
};
void admission_clear(struct admission *a);

/* Hold one host against a baseline; @assume as in a request, or NULL; @admission: or NULL. */
int hostcheck_make(struct abibase_context *ctx, struct abibase_catalogue *cat,
		   const struct abibase_baseline *b, const struct abibase_profile *p,
		   const struct strings *assume, const struct abibase_guest *guest,
		   struct admission *admission, struct abibase_check **ret) _must_check_;
/* As abibase_check_request_args(). */
int hostcheck_args(const struct abibase_check *c, const char *qemu_path, char ***ret);
/* A finding with a text; what is said already is not said twice. */
void hostcheck_say(struct abibase_check *c, struct finding f, const char *fmt, ...)
	_printf_(3, 4);
void hostcheck_vsay(struct abibase_check *c, struct finding f, const char *fmt, va_list ap)
	_printf_(3, 0);
/*
 * What the QEMU @who makes of the row under this machine type is not recorded; of several rows it is
 * shown as one.
 */
void hostcheck_unrecorded(struct abibase_check *c, const struct row *row, const char *who,
			  const char *machine, const char *remedy);
/* check-errata.c: of a host, those of these errata that matter, each a note */
void hostcheck_errata(struct abibase_check *c, const struct abibase_catalogue *cat, uint32_t errata,
		      bool (*is_on)(const void *of, size_t row), const void *of);
/* check-guest.c: what a guest says of itself, held against the baseline; false: it is not about it. */
bool hostcheck_guest(struct abibase_check *c, const struct abibase_catalogue *cat,
		     const struct abibase_baseline *b, const struct abibase_guest *g);
/*
 * What may change its devices and nobody judges, each a finding; false: there is none. @b: what its
 * list sets is no such thing; or NULL.
 */
bool hostcheck_unjudged(struct abibase_check *c, const struct abibase_baseline *b,
			const struct abibase_guest *g);
void hostcheck_cpu(struct abibase_check *c, const struct abibase_guest *g);
/* What it turns on itself beside the baseline, asked of the host: @alone is what that can do at most. */
void hostcheck_guest_sets(struct abibase_check *c, const struct abibase_catalogue *cat,
			  const struct abibase_baseline *b, const struct abibase_profile *p,
			  const struct abibase_baseline *alone, const struct abibase_guest *g);
/* check-rehearsed.c: what was rehearsed of its builds, @p's, and those of the baseline */
int hostcheck_rehearsed(struct abibase_context *ctx, struct abibase_check *c,
			const struct abibase_catalogue *cat, const struct abibase_baseline *b,
			const struct abibase_profile *p, const struct abibase_guest *g)
	_must_check_;
/* check-records.c: what two builds have otherwise under a machine type, a note. @q: without the records */
struct records;
int hostcheck_record(struct abibase_check *c, struct records *q) _must_check_;
/* The same of @p's builds, and those of the baseline; @classes: of a guest's devices, or NULL */
int hostcheck_records(struct abibase_context *ctx, struct abibase_check *c,
		      const struct abibase_catalogue *cat, const struct abibase_baseline *b,
		      const struct abibase_profile *p, const json_t *classes) _must_check_;
/* "not_judged" of a document, where there is any: the records of all checks. 0 or -ENOMEM. */
int hostchecks_put_records(json_t *all, json_t *root) _must_check_;
/* May one of its network cards have an option ROM? */
bool guest_has_rom(const struct abibase_guest *g);

/* check-show.c: the result of several hosts against the baseline */
int hostchecks_give(struct abibase_context *ctx, const struct abibase_baseline *b,
		    struct abibase_check *const *checks, size_t n, struct abibase_result **ret)
	_must_check_;

#endif
