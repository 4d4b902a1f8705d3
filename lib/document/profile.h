/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_PROFILE_H
#define ABIBASE_PROFILE_H

#include <abibase/abibase.h>

#include "document/json.h"
#include "base/version.h"

/* One QEMU binary as a profile lists it; points into the profile's document. */
struct profile_qemu {
	const json_t *json;
	const char *version, *target, *path; /* path: NULL when not stated */
	char digest[DIGEST_HEX + 1];	     /* of everything but the path: the same build */
	const char *build;	     /* the digest of its record, or NULL */
	struct abibase_build *record; /* that record, or NULL: see document/build.h */
	json_t *filled;		     /* what @json is then, with what the record adds; or NULL */
};

struct abibase_build;
struct abibase_profile {
	int refcount;
	json_t *root; /* validated, never changed */
	struct abibase_profile *shared; /* @root is this one's, or NULL */
	const char *name, *kind, *arch;
	int64_t revision;
	const json_t *facts;
	struct profile_qemu *qemu;
	size_t n_qemu;
	size_t n_unasked; /* entries of binaries that could not be asked, see profile_unasked() */
	bool has_qemu; /* the profile has a "qemu" list, be it empty */
	bool *asked;   /* who wants to know which conditions were asked of it: see ask_condition() */
	char digest[DIGEST_HEX + 1];
};

/* Make a profile of a document; takes the reference of @root, also on failure. */
int profile_from_json(struct abibase_context *ctx, json_t *root, const char *source,
		      struct abibase_profile **ret);
/* A file, without the build records that it names. */
int profile_read(struct abibase_context *ctx, const char *path, struct abibase_profile **ret);
/* The same as profile_from_json() of a document in the file @path, or NULL; its build records are
 * looked for there, too. */
int profile_from_document(struct abibase_context *ctx, json_t *root, const char *source,
			  const char *path, struct abibase_profile **ret);
/* Another profile of the same document; NULL when there is no memory. */
struct abibase_profile *profile_share(struct abibase_profile *p);
/* The QEMU that the profile has under this path, or NULL. */
const struct profile_qemu *profile_qemu_at(const struct abibase_profile *p, const char *path);
/* The entry of the @i-th QEMU that was there and could not be asked: "unknown", and often "path". */
const json_t *profile_unasked(const struct abibase_profile *p, size_t i);
/* A condition as the catalogue writes it: "FACT" (@ret_bit is -1) or "FACT[BIT]". The length of
 * FACT; 0: it is none. */
size_t condition_parse(const char *s, int *ret_bit);
/* Does the fact say which bits of a word are known ("vhost_net.features.known")? */
bool fact_is_mask(const char *fact);
/* A fact, or one bit of it (@bit >= 0); the reason is set when the answer is unknown. */
enum abibase_tri profile_ask(const struct abibase_profile *p, const char *fact, int bit,
			     const char **ret_reason);
/* A fact that is a number; -1 where none is stated. */
int64_t profile_number(const struct abibase_profile *p, const char *fact);
/* What to do about a fact that is unknown for @reason. */
const char *unknown_remedy(const char *reason);
/* One bit of a word in "0x…" form: 0, 1, or -1 when the word has fewer bits. */
int word_bit(const char *hex, unsigned int bit);

/*
 * profile_rename - the same profile under another name
 * @name: the new name; the content and the digest are those of a profile written with that name
 *
 * Returns: 0, -EINVAL (not a name: see abibase-profile(5)), -ENOMEM.
 */
int profile_rename(struct abibase_context *ctx, const struct abibase_profile *p,
			   const char *name, struct abibase_profile **ret);
/*
 * The host as if it had no other QEMU than the one of this entry of "qemu"; NULL: than none. Nothing
 * of the document is shared, for json_incref() reads a count that other threads may be changing.
 */
int profile_with_qemu(struct abibase_context *ctx, const struct abibase_profile *p,
		      const json_t *entry, struct abibase_profile **ret);
/* The revision of the catalogue by which this entry of "qemu" was recorded. */
int64_t profile_asked(const json_t *entry);
extern const struct form profile_form;
/* One entry of a profile's "qemu" list. */
extern const struct form qemu_form;
extern const struct form unasked_form;

#endif
