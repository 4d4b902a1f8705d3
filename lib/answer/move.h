/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_MOVE_H
#define ABIBASE_MOVE_H

#include "document/baseline.h"
#include "answer/check.h"
#include "document/guest.h"
#include "model/predict.h"

/*
 * Can this host take this running guest? Measured in migrations: it can when what the guest
 * negotiated is a subset of what the device there would offer, and when what the stream carries
 * fits: machine type, queue sizes, and the backend's state that no property masks. The target is
 * taken to be started with the -device options of the source, which is where a feature comes from
 * that is off by default where the guest runs and was negotiated all the same.
 */

/* A host; of those that were let go of, one of each kind is kept: see move_fold(). */
struct target {
	struct abibase_profile *p; /* NULL: it was let go of, and */
	struct kind *kind;
	char *name;
	char digest[DIGEST_HEX + 1]; /* of the profile that was added */
};

static inline const char *target_name(const struct target *h)
{
	return h->p ? h->p->name : h->name;
}

struct abibase_targets {
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	struct abibase_guest *guest;
	struct abibase_baseline *baseline; /* NULL: no list of options */
	struct links links;		   /* of it */
	struct arena arena;		   /* where they are */
	struct abibase_profile *source;	   /* NULL: not known */
	char source_digest[DIGEST_HEX + 1]; /* of the profile that was set */
	struct guest_classes classes; /* its devices' */
	json_t *by_version; /* the record that follows from what the guest says of its QEMU; NULL:
			       it does not */
	char *backend;			   /* NULL: that of the guest */
	struct strings assume; /* hosts whose QEMU is taken to be an upstream one */
	/*
	 * Of a matrix: all are current, and of the types that the catalogue has; and nobody reads what
	 * the guest is to carry on with.
	 */
	bool brief;
	struct target *hosts;
	size_t n, cap;
	size_t looked_at;   /* those before it were let go of, or cannot be */
	bool folded;	    /* some were */
	struct kinds kinds; /* of these */
	json_t *answers;    /* while it runs: those of kinds, by their digest */
};

/* Can a host take the guest? */
enum move_kind {
	MOVE_NOW,
	MOVE_LIST, /* when its QEMU is started with the list "rescue" */
	MOVE_NO,
	MOVE_UNKNOWN,
};

struct move {
	enum move_kind kind;
	struct abibase_check *check;
	const char *version, *path, *package; /* of the QEMU that was judged; NULL: not stated */
	struct strings rescue;	 /* without these the guest does not get in */
	struct strings door;	 /* with these no feature shuts the way back */
	bool door_shut;		 /* something else shuts it */
	struct strings carry_on; /* the whole device, as explicit values */
	struct strings gains;	 /* features that come with the next reset */
	struct strings unseen;	 /* devices of the guest that no rehearsal was about */
	enum abibase_tri way_back;
	bool recorded; /* what that QEMU makes of the machine type */
	const char *way_back_text; /* or NULL */
	bool counts;	     /* that QEMU has the machine type, or may have it */
	struct move
		*others; /* with the other QEMUs of the host, the worst of those that count first */
	size_t n_others;
};

/* One QEMU of one host under judgement. */
struct judging {
	const struct abibase_targets *t;
	const struct abibase_profile *p;
	const json_t *entry; /* its record; NULL: none, or any upstream QEMU */
	bool assumed;	     /* any upstream QEMU */
	struct predictor pr;
	struct strings base; /* the settings that the target gets anyway */
	struct move *m;
	uint64_t negotiated[2]; /* of all devices */
	bool refused; /* by a rehearsal, for one of them */
	const char *absent; /* the layer that this device needs, and that is not there */
};

/* Where the words of the answer are, and where it stands that memory ran out. */
static inline struct arena *move_arena(const struct judging *j)
{
	return &j->m->check->arena;
}

struct moves {
	struct abibase_guest *guest;
	const char *baseline; /* the targets get its list anyway; or NULL */
	const char *backend;  /* what the device lies on there; NULL: what the guest says */
	json_t *hosts;	      /* the answers, as the document has them */
	json_t *names;	      /* of the hosts, which share answers; NULL: they do not */
	json_t *unseen;	      /* devices that no rehearsal was about */
	json_t *records;      /* what pairs of builds have otherwise, by its key */
	bool by_record, by_catalogue, rehearsed; /* some of them */
	enum abibase_verdict verdict;
};

/* move-offer.c: lists of settings, and what a device offers with them, here or there */
enum abibase_tri move_both(enum abibase_tri a, enum abibase_tri b);
void move_predict_row(const struct abibase_targets *t, const struct predictor *pr,
		      const struct row *row, const uint64_t negotiated[2], struct predicted *ret);
bool move_row_is_of(const struct row *row, const struct guest_device *d);
unsigned int move_backends_of(const struct abibase_catalogue *cat, const struct guest_device *d);
int move_choose_backend(const struct abibase_catalogue *cat, const struct guest_device *d,
			const char *name);
void move_offer(const struct abibase_targets *t, const struct predictor *pr,
		const uint64_t negotiated[2], struct offered *ret);
/* The same on the target, which has the -device options of the guest too. */
void move_target_offer(const struct judging *j, const struct guest_device *d,
		       const uint64_t negotiated[2], struct offered *ret);
int move_baseline_settings(const struct abibase_targets *t, const struct predictor *pr,
			   struct strings *ret);
/* What the list of the baseline sets it to; NULL: there is none, or it does not. */
const struct value *move_listed(const struct abibase_targets *t, const struct row *row);
void move_list_value(struct judging *j, struct strings *list, const struct row *row,
		     const char *value);
/* As strings_insert(); failure is the arena's. */
void move_insert(struct judging *j, struct strings *list, const char *s);
void move_list_row(struct judging *j, struct strings *list, const struct row *row, bool on);
bool move_is_listed(const struct strings *list, const struct row *row);
const char **move_join_lists(const struct strings *a, const struct strings *b,
			     const struct strings *c);
const struct profile_qemu *move_source_qemu(const struct abibase_targets *t);
/* Does the guest state a QEMU that the host where it runs does not have? Those that it has, in words. */
bool move_source_contradicts(const struct abibase_targets *t, struct buf *versions);
json_t *move_source_value(const struct abibase_targets *t, const struct row *row);
/* The same by the version of its QEMU alone, under an upstream machine type: rule 2 of the design. */
json_t *move_value_by_version(const struct abibase_targets *t, const struct row *row);
int move_source_backend(const struct abibase_targets *t, const struct guest_device *d);
/* What the device is offered where it runs. */
void move_offered_there(const struct judging *j, const struct guest_device *d, struct offered *ret);

/* move-judge.c: what is in the way of one device */
void move_say(struct judging *j, enum abibase_finding_kind kind, const char *id,
	      const char *layer, const struct row *row, const char *remedy, const char *fmt, ...)
	_printf_(7, 8);
#define move_conflict(j, ...) move_say(j, ABIBASE_FINDING_CONFLICT, __VA_ARGS__)
#define move_unknown(j, ...) move_say(j, ABIBASE_FINDING_UNKNOWN, __VA_ARGS__)
#define move_note(j, ...) move_say(j, ABIBASE_FINDING_NOTE, __VA_ARGS__)
/* The one under judgement, of the profile; NULL: none */
const struct profile_qemu *move_own_qemu(const struct judging *j);
/* "QEMU 9.1.0 (qemu-kvm-9.1.0-20.el9)" */
const char *move_qemu(const struct judging *j);
bool move_is_switch(const struct row *row, const struct predicted *p);
void move_say_lacks(struct judging *j, const struct guest_device *d, const struct row *row,
		    const struct needs *needs);
bool move_source_version(const struct abibase_targets *t, struct version *ret);
int64_t move_source_size(const struct abibase_targets *t, const struct shape *s);
/* @guest: the sizes of all of the guest's queues; NULL: @queue is of the first pair */
int64_t move_target_size(const struct judging *j, const struct shape *s, const json_t *guest,
			 size_t queue);
void move_judge_usable(struct judging *j);
bool move_prepare_device(struct judging *j, const struct guest_device *d);
void move_judge_device(struct judging *j, const struct guest_device *d);
void move_complete_groups(struct judging *j);

/* move-after.c: what becomes of the guest there */
void move_judge_way_back(struct judging *j);
void move_make_carry_on(struct judging *j);

/* move-rehearsed.c: what the two builds were seen to do with such devices */
/* before: all that it takes */
int move_read_rehearsed(const struct abibase_targets *t) _must_check_;
void move_judge_rehearsed(struct judging *j);

/* move-show.c: what was found of all hosts, and the words of a document for a move and a way back */
extern const char *const move_words[], *const way_words[];
/*
 * What was answered of hosts that are alike but for the name, which is ANY_HOST, no name of a host:
 * the answer as the document has it, and what else moves_add() looks at. NULL: no memory.
 */
#define ANY_HOST "/\\host/"
json_t *move_fold(const struct move *move);
/* One answer more, of which nothing else is kept. 0 or -ENOMEM. */
int moves_add(struct moves *m, const char *host, const json_t *folded);
/* Takes what it has. */
int moves_give(struct abibase_context *ctx, const struct abibase_catalogue *cat, struct moves *m,
	       struct abibase_result **ret);

/* move.c */
/* Ask about this host and no other that was added before. 0 or a negative errno. */
int targets_set_host(struct abibase_targets *t, struct abibase_profile *p, bool assume_qemu);
void move_clear(struct move *m);

#endif
