/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_PROBE_H
#define ABIBASE_PROBE_H

#include <abibase/abibase.h>
#include <errno.h>
#include <jansson.h>

#include "document/profile.h"
#include "host/child.h"

struct abibase_probe {
	struct abibase_context *ctx;
	char *name;
	bool no_load, no_qemu;
	struct strings qemu;    /* that were named; none: those in the usual places */
	struct strings machine; /* of which effective values are wanted; none: those that matter */
	bool no_values;
	bool anonymous; /* nothing in it tells which host it is */
	bool observe; /* start each machine type and read what it offers */
	bool sizes;   /* the same of sizes that hang on no backend, once a build */
	char *builds_dir; /* where build records are written; NULL: none is made */
	char *cache_dir; /* NULL: nothing is kept */
	abibase_progress_fn progress; /* or NULL */
	void *progress_data;
	unsigned int timeout_ms; /* of all; 0: none */
	struct process_stop stop;
	unsigned int only, skip; /* bits of the surfaces in probe/surfaces.c */
	pid_t answered[8]; /* children that have said all, and are about to end */
	size_t n_answered;

	/* for tests; abibase_probe_new() sets the real ones */
	const struct probe_ops *ops;
	void *ops_data;
	const struct probe_place *places; /* ends with a NULL path; NULL: the usual ones */
	int device_timeout_ms, qemu_timeout_ms;
};

/* Is this surface, by its option's name, to be asked (probe/surfaces.c)? */
bool probe_wants(const struct abibase_probe *pr, const char *option);
/* Ask what this baseline is about, and no more. */
void probe_choose(struct abibase_probe *pr, const struct abibase_catalogue *cat,
		  const struct abibase_baseline *b);
/* Was it named by --only? Then its failures are told aloud. */
bool probe_named(const struct abibase_probe *pr, const char *option);

/* What the running kernel has, read before anything is opened (probe/modules.c). */
struct probe_modules {
	struct buf misc, loaded; /* /proc/misc, /proc/modules */
	struct buf devices;	 /* /proc/devices */
	bool have_misc;		 /* /proc/misc was read: /proc is the real one */
	bool have_loaded;	 /* /proc/modules was read */
	bool no_modules;	 /* this kernel has no loadable modules at all */
};
int probe_modules_read(struct abibase_probe *pr, struct probe_modules *ret);
void probe_modules_clear(struct probe_modules *m);
#define _modules_ __attribute__((cleanup(probe_modules_clear))) struct probe_modules
bool probe_misc_lists(const struct probe_modules *m, const char *name);
bool probe_module_loaded(const struct probe_modules *m, const char *name);
/* Is the surface there as far as the kernel says, without opening anything? */
enum presence {
	PRESENT,     /* registered now: loaded or built in */
	LOADABLE,    /* not registered; the index has it */
	NO_INDEX,    /* not registered; what could be loaded cannot be read */
	NOT_VISIBLE, /* /proc/misc cannot be read: nothing is known */
	ABSENT,	     /* not registered, and this kernel cannot gain it */
};
enum presence probe_presence(struct abibase_probe *pr, const struct probe_modules *m,
			     const struct probe_surface *s, const char *release);
/* Add the module parameters to @facts (probe/params.c). */
int probe_params(struct abibase_probe *pr, const struct probe_modules *m, const char *release,
		 json_t *facts);

/* Say what is asked now (probe/warn.c). */
void probe_tell(const struct abibase_probe *pr, const char *what);
/* What an answer is in a profile; a word has so many @bits (probe/warn.c). */
json_t *probe_answer_json(const struct probe_answer *a, unsigned int bits);
/* What people are told of a surface that failed, and what to do (probe/warn.c). */
int warn_level(const struct abibase_probe *pr, const struct probe_surface *s);
void warn_surface(struct abibase_probe *pr, const struct probe_surface *s, enum probe_step step,
		  enum probe_reason reason, int err);
/* Of one that answered: the facts that it left unknown. */
void warn_facts(struct abibase_probe *pr, const struct probe_surface *s,
		const struct probe_said *f);

/* The QEMU binaries (probe/qemu.c). */
struct probe_place {
	const char *path; /* one %s: the machine's architecture */
	bool wrapper;	  /* a script here wraps a QEMU that is asked under its own name */
};
/* A named binary that does not exist is an error; before anything else is done. */
int probe_qemu_check(struct abibase_probe *pr);
/* Ask all of them; @ret is an array for the profile. */
int probe_qemu_run(struct abibase_probe *pr, const struct abibase_catalogue *cat, const char *arch,
		   json_t **ret);

struct qmp;
/* Start one on -machine none; as qmp_spawn() (probe/qemu-start.c). */
int probe_qemu_spawn(struct abibase_probe *pr, struct qmp *q, const char *path);
/* The same, and wait until it takes questions; as qmp_call(). */
int probe_qemu_start(struct abibase_probe *pr, struct qmp *q, const char *path);

/* Effective values (probe/values.c). */
/*
 * Add the effective values to @entry, which has all else. @q is a QEMU on -machine none, and may
 * have been stopped on return. @defaults: class -> property -> default value, as QEMU states them.
 * @ret_complete: nothing was left out; what was left out has been warned of. Fails for want of
 * memory, or of the installed data, only. @record, or NULL: a build record, to which is added what machine types change.
 */
int probe_values_add(struct abibase_probe *pr, struct qmp *q, const char *path,
		     const struct abibase_catalogue *cat, const json_t *defaults, json_t *entry,
		     json_t *record, bool *ret_complete);

/*
 * The devices that are started with a machine type to record what that makes of them, of a QEMU that
 * does not state it (probe/specimens.c).
 */
struct probe_specimens {
	json_t *table;	 /* data/specimens.json */
	json_t *lines;	 /* name -> words of a command line, of those that this QEMU has */
	/*
	 * Each class that is read: {"path": PATH, "id": ID, "set": KEYS}, of what is inside of another
	 * "in" in the place of "id". Of the keys that its line sets one is false where that hides what
	 * it would be. Where one was there it gets "read".
	 */
	json_t *classes;
};
/* @s->classes: an object, with what is there without them. Sets the error of @ctx. */
int probe_specimens_load(struct abibase_context *ctx, const json_t *record,
			 struct probe_specimens *s) _must_check_;
/* The same of one device, "CLASS,KEY=VALUE,...", and of what is inside of it; @record: what classes
 * there are, or NULL. 0 or -ENOMEM. */
int probe_specimens_add(struct probe_specimens *s, const json_t *record, const char *word);
void probe_specimens_clear(struct probe_specimens *s);
/* Those of @lines as words of a command line. 0 or -ENOMEM. */
int probe_specimens_argv(const struct probe_specimens *s, const json_t *lines,
			 struct strings *argv);
/* Take the one away that a QEMU does not start with, by what it has said; false: it named none. */
bool probe_specimens_refused(json_t *lines, const char *said, size_t len);

/*
 * The record of a QEMU build (probe/record.c). Begin with a QEMU on -machine none whose @entry has
 * all that it says of itself; it fails as a question does. End when its machine types have been
 * looked at.
 */
int probe_record_begin(struct abibase_probe *pr, struct qmp *q, const char *path,
		       const struct abibase_catalogue *cat, const json_t *entry, json_t **ret);
/* The shorten of struct qmp: a number that the reader of JSON has no room for becomes a text. */
size_t probe_rewrite_numbers(void *data, char *line, size_t len);
int probe_record_end(json_t *record, const json_t *entry);
/* As it is written and kept. */
struct record_text {
	char digest[DIGEST_HEX + 1]; /* of its content, which is its name; "": there is no record */
	struct buf text;
};
void record_text_clear(struct record_text *t);
#define _record_text_ __attribute__((cleanup(record_text_clear))) struct record_text
int probe_record_text(const json_t *record, struct record_text *ret);
/* Into its directory; @entry gets its digest. Sets the error of the probe's context. */
int probe_record_write(struct abibase_probe *pr, const struct record_text *record, json_t *entry);

/*
 * Add what each QEMU of @root, a profile but for that, really offers (probe/observe.c). Fails for
 * want of memory only.
 */
int probe_observe(struct abibase_probe *pr, struct abibase_catalogue *cat, const char *name,
		  json_t *root);

/*
 * Add the sizes that a QEMU shows on no backend in particular, of each machine type whose values
 * are recorded (probe/sizes.c). @ret_added: there is more to keep. Fails for want of memory only.
 */
int probe_sizes_add(struct abibase_probe *pr, const char *path, json_t *entry, bool *ret_added);

/* What QEMUs answered before, by build id (probe/cache.c). These fail for want of memory only. */
char *probe_cache_default(void);
/*
 * 1: @ret is an entry for the profile, without a path, and @ret_record its record, if one is wanted:
 * its text is what was written, and is not parsed.
 */
int probe_cache_load(struct abibase_probe *pr, const struct abibase_catalogue *cat,
		     const char *path, const char *build_id, json_t **ret,
		     struct record_text *ret_record);
int probe_cache_store(struct abibase_probe *pr, const struct abibase_catalogue *cat,
		      const char *path, const char *build_id, const json_t *entry,
		      const struct record_text *record);
/* Write a file, whole or not at all. */
int probe_file_replace(int dir, const char *name, const char *text, size_t len, mode_t mode);
/*
 * Does a record still hold (probe/current.c): is it of this boot, and is the QEMU at this path the one
 * that was asked? 0, or -ESTALE with the error set.
 */
int profile_check_boot(struct abibase_context *ctx, const struct abibase_profile *p);
int profile_check_build(struct abibase_context *ctx, const struct abibase_profile *p,
			const struct profile_qemu *q, const char *qemu);
/* The GNU build id of an ELF file, in hex; NULL when there is none. For free(). */
char *probe_build_id(const char *path);

#endif
