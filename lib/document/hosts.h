/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_HOSTS_H
#define ABIBASE_HOSTS_H

#include "base/index.h"
#include "document/catalogue.h"
#include "document/profile.h"

/* The middle noun: what was asked of which hosts, their answers, and their distinct QEMU builds. */

/* One distinct QEMU binary: a profile's record of it without the path. Shared, immutable. */
struct build {
	int refcount;
	char digest[DIGEST_HEX + 1];
	json_t *entry;
	const char *version, *target;
};

/* Where a host has a build. */
struct host_qemu {
	unsigned int build; /* index into inputs.builds */
	unsigned int path;  /* index into inputs.strings; NO_PATH: not stated */
};
#define NO_PATH (~0u)

/* A QEMU that was there and could not be asked; both are indices into inputs.strings. */
struct host_unasked {
	unsigned int path; /* or NO_PATH */
	unsigned int reason;
};

/*
 * A host: what every condition of the catalogue answers. 0 no, 1 yes, from 2 on unknown with the
 * reason inputs.strings[answer - ANSWER_UNKNOWN]. Small, for there may be tens of thousands.
 */
struct host {
	int refcount;
	unsigned int arch; /* index into inputs.strings */
	int64_t revision;
	bool platform;
	bool has_qemu; /* its QEMUs were looked for: none in the list is none there */
	uint32_t errata; /* those of its kernel: errata.h; 0 of a host of an earlier baseline */
	unsigned char digest[DIGEST_HEX / 2];
	char *name;
	int64_t *numbers; /* what it states of inputs.numbers, or NUMBER_UNSTATED */
	unsigned int *answers;
	struct host_qemu *qemu;
	size_t n_qemu;
	struct host_unasked *unasked;
	size_t n_unasked;
	struct host *like;  /* whose all these lists are; NULL: its own */
	unsigned int alike; /* the number of those hosts of the inputs whose lists are one; 0: of none */
};
#define ANSWER_UNKNOWN 2
/* The reason where a host is of a baseline whose catalogue did not ask for it. */
#define EARLIER_BASELINE "earlier-baseline"
static inline enum abibase_tri answer_tri(unsigned int answer)
{
	return answer < ANSWER_UNKNOWN ? (enum abibase_tri)answer : ABIBASE_UNKNOWN;
}

#define NUMBER_UNSTATED (-1)

/* What was asked for. */
struct policy {
	char *machine; /* NULL: the newest that all QEMUs share */
	bool machine_chosen; /* it was chosen by us for an earlier baseline */
	char *target;	     /* NULL: the hosts' own */
	unsigned int backends; /* mask over inputs.backends */
	bool backends_named;
	bool all; /* on wherever it can be */
	struct strings enable, disable; /* groups, sorted */
	struct strings rows; /* on wherever they can be: of check alone, in no document */
	struct strings assume; /* hosts whose QEMU is taken to be an upstream one, sorted */
	struct strings dest; /* hosts that are ever a destination, sorted; none: all */
};

struct inputs {
	struct policy policy;
	char **backends; /* all that the catalogue knows, sorted */
	size_t n_backends;
	char **conditions; /* what was asked, in the order of the answers */
	size_t n_conditions;
	char **numbers; /* facts that are numbers */
	size_t n_numbers;
	int64_t catalogue_revision;
	struct host **hosts; /* sorted by name */
	size_t n_hosts, cap_hosts;
	unsigned int n_alike; /* numbers of hosts that are alike */
	struct build **builds;
	size_t n_builds, cap_builds;
	struct strings strings;
	/* of hosts, builds and strings, while they are added */
	struct index by_name, by_digest, by_text;
};

/* Why an answer is unknown; NULL: it is not. */
static inline const char *answer_reason(const struct inputs *in, unsigned int answer)
{
	return answer < ANSWER_UNKNOWN ? NULL : in->strings.s[answer - ANSWER_UNKNOWN];
}

/* A host with room for its parts in the same block of memory; NULL when there is none. */
struct host *host_new(const char *name, size_t n_numbers, size_t n_answers, size_t n_qemu,
		      size_t n_unasked);
/* Another host that answers as @h does, with the lists of that; NULL: no memory. */
struct host *host_like(struct host *h, const char *name);
struct host *host_unref(struct host *h);
/* Takes the reference of @entry, also on failure. NULL: no memory. */
struct build *build_new(const char *digest, json_t *entry);
/* The index of a text among inputs.strings, NO_PATH of NULL. 0 or -ENOMEM. */
int inputs_intern(struct inputs *in, const char *s, unsigned int *ret);
/*
 * Is this host called @name? A dated platform ("debian-13-backports-2026.11") also goes by the bare
 * name of its track, by which it may have been asked for.
 */
bool host_is(const struct host *h, const char *name, size_t len);
/* Are the values of all builds of a baseline of the types that the catalogue has? */
int inputs_check_builds(struct abibase_context *ctx, const struct inputs *in,
			const struct abibase_catalogue *cat);
/* Is nothing recorded of a QEMU of this host, and was one assumed? */
bool inputs_assumes_qemu(const struct inputs *in, const struct host *h);
/* By its name the number of a host of a baseline, which has them sorted; or -1. */
long inputs_host(const struct inputs *in, const char *name);
/* Of a baseline the same by the name of the host; one that is not among them is not. */
bool inputs_assume_qemu_of(const struct inputs *in, const char *name);
/* Is this host ever the destination of a migration? */
bool inputs_is_dest(const struct inputs *in, const struct host *h);
void host_set_digest(struct host *h, const char *hex);
/* What is asked of hosts: the backends, conditions and numbers of the catalogue. 0 or -ENOMEM. */
int inputs_from_catalogue(struct inputs *in, const struct abibase_catalogue *cat);
/*
 * Are these two of one name? 0; 1: they are the same; or a negative errno: nobody could tell which of
 * them an answer is about.
 */
int hosts_twin(struct abibase_context *ctx, const char *name, const char *digest, const char *other,
	       const char *other_digest);
/* Those of @list, of which @n are there, each once; @ret is for free() in any case. 0 or a negative errno. */
int profiles_once(struct abibase_context *ctx, struct abibase_profile *const *list, size_t *n,
		  struct abibase_profile ***ret);

/*
 * Is each of @names that of one of the hosts that were given? A name that is none of theirs is a slip of
 * the pen that would go unseen. @what: how the error calls it. 0, or -ENOENT.
 */
#define ASSUMED_HOST "the host of an assumed QEMU,"
int hosts_check_names(struct abibase_context *ctx, const struct strings *names, const char *what,
		      bool (*is_host)(const void *hosts, const char *name), const void *hosts);
/* For that: is it the name of one of these hosts, as host_is() takes it? */
bool inputs_have(const void *inputs, const char *name);
/*
 * Is each fact and each value that the catalogue asks for of the type that it asks for? Asked before
 * a profile is used, whatever for: one of another type answers nothing. Sets the error of @ctx.
 * 0 or -EINVAL.
 */
int profile_check_types(struct abibase_context *ctx, const struct abibase_catalogue *cat,
			const struct abibase_profile *p);
/*
 * A profile becomes a host here and nowhere else: for host_unref(), or added to @in. Another one of
 * the same name is -EEXIST, the same one counts once. Sets the error of @ctx.
 */
int inputs_host_of_profile(struct abibase_context *ctx, struct inputs *in,
			   const struct abibase_catalogue *cat, const struct abibase_profile *p,
			   struct host **ret);
int inputs_add_profile(struct abibase_context *ctx, struct inputs *in,
		       const struct abibase_catalogue *cat, const struct abibase_profile *p);
/* Where the inputs of an earlier baseline have what is asked here, and their texts are here. */
struct relation {
	unsigned int *condition; /* of each here: its number there, or n_conditions */
	unsigned int *string;	 /* of each text there: its number here */
	unsigned int unasked;	 /* the reason where it was not asked there */
	struct host **alike;	 /* of each number of those that are alike there: one of them here */
	size_t n_alike;
};
/* For relation_clear(), also on failure. 0 or -ENOMEM. */
int inputs_relate(struct inputs *in, const struct inputs *from, struct relation *ret) _must_check_;
void relation_clear(struct relation *r);
/*
 * The same for a host of an earlier baseline, which may have been asked other questions; one that
 * stands in for others, see baseline.no_inputs, answers as @like does, a host of @in.
 */
int inputs_add_host_of(struct abibase_context *ctx, struct inputs *in, const struct inputs *from,
		       struct relation *r, const struct host *h, const struct host *like);
/* A copy that shares hosts and builds. */
int inputs_copy(const struct inputs *from, struct inputs *to);
/* A copy with @n of the hosts alone, in this order, and with the builds that these have. */
int inputs_pick(const struct inputs *from, const unsigned int *hosts, size_t n, struct inputs *to);
void inputs_clear(struct inputs *in);
/*
 * Names of hosts, of the first @n where @hosts is NULL, each behind ", " but the last, which is
 * behind @last: all, or 20 of more than 21. And those of the backends of a mask.
 */
#define HOSTS_NAMED 20
void inputs_write_hosts(const struct inputs *in, const unsigned int *hosts, size_t n,
			const char *last, struct buf *out);
void inputs_write_backends(const struct inputs *in, unsigned int mask, const char *separator,
			   struct buf *out);
const char *host_path(const struct inputs *in, const struct host_qemu *q);
/* The build by digest, or -1. */
long inputs_build(const struct inputs *in, const char *digest);
/* For those that were put into @in->builds by hand. 0 or -ENOMEM. */
int inputs_index_builds(struct inputs *in);

#endif
