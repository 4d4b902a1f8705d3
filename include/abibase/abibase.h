/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_ABIBASE_H
#define ABIBASE_ABIBASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * DOC: libabibase
 *
 * Which settings let a QEMU guest that starts on one of these hosts migrate to all the others?
 * A profile says what a host has, the catalogue says what that means to QEMU, and a baseline is
 * the answer: `profiles × catalogue → baseline → -global list`.
 *
 * Conventions, for every function here:
 *
 * - Functions that can fail return 0 or a negative errno and leave the out-parameter untouched on
 *   failure; abibase_context_error() then has a sentence, a stable id and a place. A verdict
 *   ("these hosts cannot share a baseline") is a result, never an error.
 * - Objects are opaque, immutable and atomically reference counted. They do not borrow from the
 *   context that they were made with and may be used from any thread. The exceptions are the
 *   context and the request objects (intersection, probe, render): one thread at a time.
 * - A `const char *` that is returned belongs to the object that it was asked of and lives as long
 *   as it. A `char **ret` is the caller's, to be released with free().
 * - _ref() and _unref() take NULL; _unref() returns NULL.
 * - The library prints nothing, never exits, has no global state, and changes neither namespaces,
 *   capabilities, locale, signal handlers nor the working directory of its caller.
 */

struct abibase_context;
struct abibase_profile;
struct abibase_catalogue;
struct abibase_baseline;
struct abibase_platforms;
struct abibase_intersection;
struct abibase_probe;
struct abibase_render;

/**
 * enum abibase_tri - an answer that may be missing
 * @ABIBASE_NO: known to be absent
 * @ABIBASE_YES: known to be present
 * @ABIBASE_UNKNOWN: could not be asked, or was not; never the same as "no"
 *
 * Since: 0.1
 */
enum abibase_tri {
	ABIBASE_NO = 0,
	ABIBASE_YES = 1,
	ABIBASE_UNKNOWN = 2,
};

/**
 * enum abibase_verdict - what an operation found; the values are the command's exit statuses
 * @ABIBASE_VERDICT_YES: yes, or done
 * @ABIBASE_VERDICT_NO: no: a conflict, or no list that every QEMU takes
 * @ABIBASE_VERDICT_UNKNOWN: cannot tell: a needed machine type, backend or requirement is unknown
 *
 * Since: 0.1
 */
enum abibase_verdict {
	ABIBASE_VERDICT_YES = 0,
	ABIBASE_VERDICT_NO = 1,
	ABIBASE_VERDICT_UNKNOWN = 3,
};

/* ---------------------------------------------------------------- context */

/**
 * enum abibase_context_flags - what a new context takes from its surroundings
 * @ABIBASE_CONTEXT_NO_ENVIRONMENT: ignore ABIBASE_DATADIR, ABIBASE_PLATFORM_PATH and
 *	XDG_CONFIG_HOME (they are read with secure_getenv() otherwise)
 *
 * Since: 0.1
 */
enum abibase_context_flags {
	ABIBASE_CONTEXT_NO_ENVIRONMENT = 1 << 0,
};

/**
 * abibase_log_fn - receives the words that are not results
 * @data: what was given to abibase_context_set_log()
 * @priority: as syslog(3): LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG
 * @id: stable id of the message, never changes its meaning
 * @text: one line without a newline, valid during the call
 *
 * Since: 0.1
 */
typedef void (*abibase_log_fn)(void *data, int priority, const char *id, const char *text);

/**
 * abibase_context_new - make a context
 * @flags: 0 or enum abibase_context_flags
 * @ret: the new context; release with abibase_context_unref()
 *
 * The context holds the data directories, the log callback and the last error. It reads no file
 * until it is asked for something.
 *
 * Returns: 0, -EINVAL (unknown flag), -ENOMEM.
 * Since: 0.1
 */
int abibase_context_new(unsigned int flags, struct abibase_context **ret);
/** Since: 0.1 */
struct abibase_context *abibase_context_ref(struct abibase_context *ctx);
/** Since: 0.1 */
struct abibase_context *abibase_context_unref(struct abibase_context *ctx);

/**
 * abibase_context_set_log - say who receives warnings and notices
 * @fn: callback, or NULL (the default) for nobody; called in the thread that uses @ctx
 * @data: handed to @fn as it is
 *
 * Since: 0.1
 */
void abibase_context_set_log(struct abibase_context *ctx, abibase_log_fn fn, void *data);

/**
 * abibase_context_set_data_dir - where the catalogue and the packaged platform profiles are
 * @dir: directory that holds catalogue.json, facts.json and platforms/; default
 *	$(datadir)/abibase, or $ABIBASE_DATADIR
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_context_set_data_dir(struct abibase_context *ctx, const char *dir);

/**
 * abibase_context_set_platform_path - replace the directories that are searched for platforms
 * @dirs: NULL-terminated, least specific first; a file name in a later directory hides the same
 *	name in an earlier one
 *
 * Default: $(datadir)/abibase/platforms, $(sysconfdir)/abibase/platforms,
 * $XDG_CONFIG_HOME/abibase/platforms (not for euid 0), or the colon-separated
 * $ABIBASE_PLATFORM_PATH.
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_context_set_platform_path(struct abibase_context *ctx, const char *const *dirs);

/**
 * abibase_context_error - the sentence of the last call on @ctx that failed
 *
 * Returns: one line without a newline, or NULL when nothing failed yet; valid until the next call
 * on @ctx. Since: 0.1
 */
const char *abibase_context_error(const struct abibase_context *ctx);
/** abibase_context_error_id - stable id of that error ("json-unknown-key"), or NULL. Since: 0.1 */
const char *abibase_context_error_id(const struct abibase_context *ctx);
/** abibase_context_error_where - its place ("b.json:14", "b.json: /facts/x"), or NULL. Since: 0.1 */
const char *abibase_context_error_where(const struct abibase_context *ctx);

/**
 * abibase_version - version of the library that runs, "0.1.0"
 *
 * Since: 0.1
 */
const char *abibase_version(void);

/* --------------------------------------------------------------- profiles */

/**
 * abibase_profile_from_buffer - read a profile
 * @buf: @len bytes of JSON, an abibase-profile/1 document; at most 1 MiB; not kept
 * @source: what to call it in messages, normally the file name
 * @ret: the profile; release with abibase_profile_unref()
 *
 * The document is validated whole: unknown or duplicate keys, wrong types, a missing or newer
 * schema, invalid UTF-8 and truncated text are refused, see abibase-profile(5).
 *
 * Returns: 0, -EBADMSG (not a valid profile), -EPROTONOSUPPORT (a newer schema), -EFBIG, -ENOMEM.
 * Since: 0.1
 */
int abibase_profile_from_buffer(struct abibase_context *ctx, const char *buf, size_t len,
				const char *source, struct abibase_profile **ret);
/**
 * abibase_profile_from_file - read a profile from a file
 * @path: the file
 *
 * Returns: as abibase_profile_from_buffer(), and what open(2) and read(2) say. Since: 0.1
 */
int abibase_profile_from_file(struct abibase_context *ctx, const char *path,
			      struct abibase_profile **ret);
/**
 * abibase_profile_from_platform - read a platform profile by name from the data directories
 * @name: "debian-12", or an alias such as "debian-13-backports", which resolves to the newest
 *	dated profile of that track
 *
 * Returns: as abibase_profile_from_file(), and -ENOENT (no such platform, or it is hidden).
 * Since: 0.1
 */
int abibase_profile_from_platform(struct abibase_context *ctx, const char *name,
				  struct abibase_profile **ret);
/** Since: 0.1 */
struct abibase_profile *abibase_profile_ref(struct abibase_profile *p);
/** Since: 0.1 */
struct abibase_profile *abibase_profile_unref(struct abibase_profile *p);

/** abibase_profile_name - the name by which answers call this host. Since: 0.1 */
const char *abibase_profile_name(const struct abibase_profile *p);
/** abibase_profile_kind - "host" or "platform". Since: 0.1 */
const char *abibase_profile_kind(const struct abibase_profile *p);
/** abibase_profile_arch - "x86_64". Since: 0.1 */
const char *abibase_profile_arch(const struct abibase_profile *p);
/** abibase_profile_revision - revision of a platform's content, from 1; 0 when none is stated. Since: 0.1 */
int64_t abibase_profile_revision(const struct abibase_profile *p);
/**
 * abibase_profile_digest - what the content is, whatever its layout
 *
 * Returns: 64 hex digits: BLAKE2b-256 of the document in compact form with sorted keys, as
 * `jq -cS . FILE | tr -d '\n' | b2sum -l 256` prints it. Since: 0.1
 */
const char *abibase_profile_digest(const struct abibase_profile *p);
/**
 * abibase_profile_rename - the same profile under another name
 * @name: the new name; the content and the digest are those of a profile written with that name
 *
 * Returns: 0, -EINVAL (not a name: see abibase-profile(5)), -ENOMEM. Since: 0.1
 */
int abibase_profile_rename(struct abibase_context *ctx, const struct abibase_profile *p,
			   const char *name, struct abibase_profile **ret);
/**
 * abibase_profile_fact - does this host have it?
 * @fact: a fact id ("tap.offload.uso") or one bit of a feature word ("vhost_net.features[40]")
 * @ret_reason: NULL, or receives why it is unknown ("no-permission"), NULL when it is known;
 *	owned by @p
 *
 * A fact that the profile does not state is unknown, reason "not-recorded".
 *
 * Returns: the answer. Since: 0.1
 */
enum abibase_tri abibase_profile_fact(const struct abibase_profile *p, const char *fact,
				      const char **ret_reason);
/**
 * abibase_profile_to_json - the profile as a canonical document
 * @ret: text with a final newline, for free()
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_profile_to_json(const struct abibase_profile *p, char **ret);
/**
 * abibase_profile_to_table - the profile for people: facts with their names, QEMUs, provenance
 * @ret: text for free(); its form may change between releases
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_profile_to_table(const struct abibase_profile *p, const struct abibase_catalogue *cat,
			     char **ret);

/* -------------------------------------------------------------- platforms */

/**
 * enum abibase_platform_state - what became of one candidate file
 * @ABIBASE_PLATFORM_USED: it is the platform of its name
 * @ABIBASE_PLATFORM_HIDDEN: a file of the same name in a more specific directory takes its place
 * @ABIBASE_PLATFORM_MASKS: empty, or a link to /dev/null: it hides and offers nothing itself
 * @ABIBASE_PLATFORM_REFUSED: it could not be read; abibase_platforms_detail() says why
 * @ABIBASE_PLATFORM_DUPLICATE: another file, earlier in the order, declares the same name
 *
 * Since: 0.1
 */
enum abibase_platform_state {
	ABIBASE_PLATFORM_USED,
	ABIBASE_PLATFORM_HIDDEN,
	ABIBASE_PLATFORM_MASKS,
	ABIBASE_PLATFORM_REFUSED,
	ABIBASE_PLATFORM_DUPLICATE,
};

/**
 * abibase_platforms_new - list the platform profiles and every file that was considered
 * @ret: the list, sorted by file name and then from the most to the least specific directory;
 *	release with abibase_platforms_unref()
 *
 * One bad file is one refused entry, never a failure of the whole list.
 *
 * Returns: 0, -ENOMEM, or what opendir(3) says of a directory other than that it is missing.
 * Since: 0.1
 */
int abibase_platforms_new(struct abibase_context *ctx, struct abibase_platforms **ret);
/** Since: 0.1 */
struct abibase_platforms *abibase_platforms_ref(struct abibase_platforms *l);
/** Since: 0.1 */
struct abibase_platforms *abibase_platforms_unref(struct abibase_platforms *l);
/** abibase_platforms_count - number of candidates. Since: 0.1 */
size_t abibase_platforms_count(const struct abibase_platforms *l);
/** abibase_platforms_path - path of candidate @i, or NULL. Since: 0.1 */
const char *abibase_platforms_path(const struct abibase_platforms *l, size_t i);
/** abibase_platforms_state - what became of candidate @i. Since: 0.1 */
enum abibase_platform_state abibase_platforms_state(const struct abibase_platforms *l, size_t i);
/** abibase_platforms_detail - which file hides it, or why it is refused; NULL if neither. Since: 0.1 */
const char *abibase_platforms_detail(const struct abibase_platforms *l, size_t i);
/** abibase_platforms_profile - the profile of a used candidate, owned by @l, else NULL. Since: 0.1 */
struct abibase_profile *abibase_platforms_profile(const struct abibase_platforms *l, size_t i);
/**
 * abibase_platforms_alias - the bare name that stands for the newest profile of a moving track
 *
 * Returns: "debian-13-backports" for the newest of the profiles "debian-13-backports-YYYY.MM",
 * NULL for every other candidate. Since: 0.1
 */
const char *abibase_platforms_alias(const struct abibase_platforms *l, size_t i);

/* -------------------------------------------------------------- catalogue */

/**
 * abibase_catalogue_new - read the installed catalogue
 * @ret: the catalogue; release with abibase_catalogue_unref()
 *
 * The catalogue says, for each feature, its virtio bit, its qdev property and class, what it needs
 * on each backend, what it depends on and how values combine. It is not overridable locally.
 *
 * Returns: 0, and as abibase_profile_from_file(). Since: 0.1
 */
int abibase_catalogue_new(struct abibase_context *ctx, struct abibase_catalogue **ret);
/** Since: 0.1 */
struct abibase_catalogue *abibase_catalogue_ref(struct abibase_catalogue *cat);
/** Since: 0.1 */
struct abibase_catalogue *abibase_catalogue_unref(struct abibase_catalogue *cat);

/**
 * abibase_predict - the feature word that a guest of this host would be offered
 * @p: the host; its facts decide
 * @qemu: path, or version, of one of its QEMUs; a version that the profile does not list is taken
 *	as the upstream release of that number
 * @machine: versioned machine type
 * @backend: "tap", "tap+vhost", "macvtap", "macvtap+vhost"
 * @settings: NULL, or NULL-terminated "class.property=value" as given with -global
 * @ret: receives 128 bits, least significant word first, as the modern virtio-pci interface shows
 *	them (no legacy-only bit)
 * @ret_why: NULL, or receives for free() what is unknown when the verdict is unknown, or absent
 *	when it is no
 *
 * Returns: ABIBASE_VERDICT_YES, ABIBASE_VERDICT_NO (the backend is absent, or this QEMU would not
 * start: it does not know a property, or does not have the machine type),
 * ABIBASE_VERDICT_UNKNOWN, or -EINVAL, -ENOMEM. Since: 0.1
 */
int abibase_predict(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		    const struct abibase_profile *p, const char *qemu, const char *machine,
		    const char *backend, const char *const *settings, uint64_t ret[2],
		    char **ret_why);

/* ----------------------------------------------------------- intersection */

/**
 * abibase_intersection_new - start to compute a baseline
 * @cat: what facts mean; a reference is taken
 * @ret: an accumulator; release with abibase_intersection_unref()
 *
 * Set what is wanted first, then add hosts in any order, then finish. Nothing here opens a file.
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_intersection_new(struct abibase_context *ctx, struct abibase_catalogue *cat,
			     struct abibase_intersection **ret);
/** Since: 0.1 */
struct abibase_intersection *abibase_intersection_unref(struct abibase_intersection *ix);
/**
 * abibase_intersection_set_machine - the guests' machine type
 * @machine: a versioned type such as "pc-q35-7.2". Default: the newest that all QEMUs share,
 *	q35 family first
 *
 * Returns: 0, -EINVAL (an unversioned alias such as "q35"), -EBUSY (hosts were added), -ENOMEM.
 * Since: 0.1
 */
int abibase_intersection_set_machine(struct abibase_intersection *ix, const char *machine);
/**
 * abibase_intersection_set_target - the QEMU target whose binaries are used
 * @target: "x86_64"; default: the hosts' own architecture
 *
 * Returns: 0, -EBUSY, -ENOMEM. Since: 0.1
 */
int abibase_intersection_set_target(struct abibase_intersection *ix, const char *target);
/**
 * abibase_intersection_add_backend - require a backend
 * @backend: "tap", "tap+vhost", "macvtap" or "macvtap+vhost"
 *
 * A backend that is named is required of every host. With none named the answer is for tap and
 * tap+vhost, and a host that provably has no vhost-net constrains nothing there.
 *
 * Returns: 0, -EINVAL (not a backend of the catalogue), -EBUSY, -ENOMEM. Since: 0.1
 */
int abibase_intersection_add_backend(struct abibase_intersection *ix, const char *backend);
/**
 * abibase_intersection_set_policy - when a feature is on
 * @policy: "compatible" (the default): where the machine type has it on in every QEMU, and every
 *	host can; "all": wherever every host's kernel and every QEMU's property list has it, also
 *	on older machine types
 *
 * Returns: 0, -EINVAL, -EBUSY. Since: 0.1
 */
int abibase_intersection_set_policy(struct abibase_intersection *ix, const char *policy);
/**
 * abibase_intersection_enable - ask for a named group of features
 * @group: a group of the catalogue, such as "ring-packed"; its boolean properties are turned on
 *
 * A host or a QEMU that lacks what was asked for is a conflict.
 *
 * Returns: 0, -EINVAL (not a group, or one without switches), -EBUSY, -ENOMEM. Since: 0.1
 */
int abibase_intersection_enable(struct abibase_intersection *ix, const char *group);
/**
 * abibase_intersection_disable - turn a named group of features off
 * @group: a group of the catalogue, such as "offload-uso"
 *
 * Returns: 0, -EINVAL, -EBUSY, -ENOMEM. Since: 0.1
 */
int abibase_intersection_disable(struct abibase_intersection *ix, const char *group);
/**
 * abibase_intersection_add_dest - say which hosts are ever the destination of a migration
 * @host: the name of a host that is added; may be called for several. Default: every host
 *
 * Part of the policy, not of the identity of the baseline: it decides whether what only a
 * destination checks, such as the size of a queue, is a conflict.
 *
 * Returns: 0, -EBUSY, -ENOMEM. Since: 0.1
 */
int abibase_intersection_add_dest(struct abibase_intersection *ix, const char *host);
/**
 * abibase_intersection_add_profile - add a host
 * @p: read during the call, not kept
 *
 * The same name with the same content counts once.
 *
 * Returns: 0, -EEXIST (same name, other content), -ENOMEM. Since: 0.1
 */
int abibase_intersection_add_profile(struct abibase_intersection *ix,
				     const struct abibase_profile *p);
/**
 * abibase_intersection_add_baseline - add all the hosts of an earlier baseline, to widen it
 * @b: a baseline of the same machine type, target and backends; what is not set yet is taken
 *	from it
 *
 * Returns: 0, -EEXIST, -EINVAL (another machine type, target or policy), -ENOMEM. Since: 0.1
 */
int abibase_intersection_add_baseline(struct abibase_intersection *ix,
				      const struct abibase_baseline *b);
/**
 * abibase_intersection_finish - the answer
 * @ret: the baseline; release with abibase_baseline_unref(). That the hosts cannot share one is
 *	not a failure: the baseline's verdict and findings say so.
 *
 * More hosts may be added afterwards and the accumulator finished again.
 *
 * Returns: 0, -EINVAL (no host was added), -ENOENT (a destination that is no host), -ENOMEM.
 * Since: 0.1
 */
int abibase_intersection_finish(struct abibase_intersection *ix, struct abibase_baseline **ret);
/**
 * abibase_intersect - the baseline of an array of profiles
 * @machine: NULL for the newest common type
 *
 * The same as an intersection with default target and backends.
 *
 * Returns: as the calls that it wraps. Since: 0.1
 */
int abibase_intersect(struct abibase_context *ctx, struct abibase_catalogue *cat,
		      struct abibase_profile *const *profiles, size_t n, const char *machine,
		      struct abibase_baseline **ret);

/**
 * abibase_operand_load - read what a person named on a command line
 * @operand: "-" (standard input), anything with a slash or ending in .json (a file), else the name
 *	of a platform; NAME=OPERAND renames a profile
 * @ret_profile: receives a profile, or NULL
 * @ret_baseline: receives a baseline, or NULL; exactly one of the two is set
 *
 * Returns: 0, and as abibase_profile_from_file() and abibase_profile_from_platform(). Since: 0.1
 */
int abibase_operand_load(struct abibase_context *ctx, const char *operand,
			 struct abibase_profile **ret_profile,
			 struct abibase_baseline **ret_baseline);

/* -------------------------------------------------------------- baselines */

/**
 * abibase_baseline_from_buffer - read a baseline
 * @buf: @len bytes of JSON, an abibase-baseline/1 document; at most 64 MiB; not kept
 *
 * Returns: as abibase_profile_from_buffer(). Since: 0.1
 */
int abibase_baseline_from_buffer(struct abibase_context *ctx, const char *buf, size_t len,
				 const char *source, struct abibase_baseline **ret);
/** abibase_baseline_from_file - read a baseline from a file. Since: 0.1 */
int abibase_baseline_from_file(struct abibase_context *ctx, const char *path,
			       struct abibase_baseline **ret);
/** Since: 0.1 */
struct abibase_baseline *abibase_baseline_ref(struct abibase_baseline *b);
/** Since: 0.1 */
struct abibase_baseline *abibase_baseline_unref(struct abibase_baseline *b);

/** abibase_baseline_verdict - can these hosts share it? Since: 0.1 */
enum abibase_verdict abibase_baseline_verdict(const struct abibase_baseline *b);
/**
 * abibase_baseline_id - the identity of the guest ABI, "b1-" and 32 hex digits
 *
 * Equal ids mean the same to a guest. It fits a Kubernetes label. NULL when there is no answer.
 * Since: 0.1
 */
const char *abibase_baseline_id(const struct abibase_baseline *b);
/** abibase_baseline_machine - the machine type, or NULL when none could be chosen. Since: 0.1 */
const char *abibase_baseline_machine(const struct abibase_baseline *b);
/**
 * abibase_baseline_offered - the feature word that guests will be offered on a backend
 * @ret: 128 bits, least significant word first
 *
 * Returns: true, or false when the baseline has no such backend or no answer. Since: 0.1
 */
bool abibase_baseline_offered(const struct abibase_baseline *b, const char *backend,
			      uint64_t ret[2]);
/**
 * abibase_baseline_value - the value of one property
 *
 * Returns: "on", "off" or a number, or NULL when the baseline does not set it. Since: 0.1
 */
const char *abibase_baseline_value(const struct abibase_baseline *b, const char *class_name,
				   const char *property);

/**
 * enum abibase_finding_kind - how much a finding weighs
 * @ABIBASE_FINDING_CONFLICT: makes the verdict "no"
 * @ABIBASE_FINDING_UNKNOWN: makes the verdict "cannot tell"
 * @ABIBASE_FINDING_NOTE: worth knowing, does not change the verdict
 *
 * Since: 0.1
 */
enum abibase_finding_kind {
	ABIBASE_FINDING_CONFLICT,
	ABIBASE_FINDING_UNKNOWN,
	ABIBASE_FINDING_NOTE,
};
/** abibase_baseline_finding_count - conflicts, unknowns and notes together, in that order. Since: 0.1 */
size_t abibase_baseline_finding_count(const struct abibase_baseline *b);
/** abibase_baseline_finding_kind - what finding @i is. Since: 0.1 */
enum abibase_finding_kind abibase_baseline_finding_kind(const struct abibase_baseline *b, size_t i);
/** abibase_baseline_finding_id - its stable id ("backend-absent"). Since: 0.1 */
const char *abibase_baseline_finding_id(const struct abibase_baseline *b, size_t i);
/** abibase_baseline_finding_text - a sentence naming host, feature, layer and property. Since: 0.1 */
const char *abibase_baseline_finding_text(const struct abibase_baseline *b, size_t i);
/** abibase_baseline_finding_remedy - what to do about it, or NULL. Since: 0.1 */
const char *abibase_baseline_finding_remedy(const struct abibase_baseline *b, size_t i);

/**
 * abibase_render_new - a request to show a baseline
 * @ret: release with abibase_render_unref()
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_render_new(struct abibase_context *ctx, struct abibase_render **ret);
/** Since: 0.1 */
struct abibase_render *abibase_render_unref(struct abibase_render *r);
/**
 * abibase_render_set_format - the form of the text
 * @format: "args" (the default), "readconfig", "json" or "table"
 *
 * Returns: 0, -EINVAL. Since: 0.1
 */
int abibase_render_set_format(struct abibase_render *r, const char *format);
/**
 * abibase_render_set_for - the list of one host instead of the one that suits all
 * @host: "NAME", or "NAME:PATH" for one of its QEMU binaries
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_render_set_for(struct abibase_render *r, const char *host);
/** abibase_render_set_minimal - drop what every QEMU of the set defaults to. Since: 0.1 */
void abibase_render_set_minimal(struct abibase_render *r, bool minimal);
/** abibase_render_set_with_machine - begin the list with the machine type. Since: 0.1 */
void abibase_render_set_with_machine(struct abibase_render *r, bool with_machine);
/**
 * abibase_render_run - make the text
 * @ret: for free(); set to NULL when the verdict is not yes and the format is a list for QEMU
 * @ret_why: NULL, or receives for free() one line for each thing that stands in the way
 *
 * Returns: an enum abibase_verdict (NO: the baseline is one, or no list exists that all the QEMUs
 * asked for start with), or -ENOENT (no such host or binary), -ENOMEM. Since: 0.1
 */
int abibase_render_run(struct abibase_render *r, const struct abibase_baseline *b, char **ret,
		       char **ret_why);

/* --------------------------------------------------------------- validate */

/**
 * abibase_problem_fn - receives what is wrong with a document
 * @where: file and line, or file and JSON path
 * @priority: LOG_ERR for a fault, LOG_WARNING for what is accepted but odd
 *
 * Since: 0.1
 */
typedef void (*abibase_problem_fn)(void *data, int priority, const char *id, const char *where,
				   const char *text);
/**
 * abibase_validate_file - report all the problems of a document of any kind
 * @path: the file, or "-" for standard input
 *
 * Returns: the number of faults, or a negative errno when the file could not be read. Since: 0.1
 */
int abibase_validate_file(struct abibase_context *ctx, const char *path, abibase_problem_fn fn,
			  void *data);

/* ------------------------------------------------------------------ probe */

/**
 * abibase_probe_new - a request to ask this host what it has
 * @ret: release with abibase_probe_unref()
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_probe_new(struct abibase_context *ctx, struct abibase_probe **ret);
/** Since: 0.1 */
struct abibase_probe *abibase_probe_unref(struct abibase_probe *pr);
/** abibase_probe_set_name - name of the profile; default: the host name. Returns 0, -EINVAL, -ENOMEM. Since: 0.1 */
int abibase_probe_set_name(struct abibase_probe *pr, const char *name);
/**
 * abibase_probe_set_no_load - open nothing whose module is not loaded
 *
 * Opening /dev/net/tun or /dev/vhost-net loads its module, as starting a guest would. With this
 * set such a surface is left alone and unknown, reason "not-loaded". Since: 0.1
 */
void abibase_probe_set_no_load(struct abibase_probe *pr, bool no_load);
/**
 * abibase_probe_add_qemu - ask this QEMU binary
 * @path: the binary. Without any, those in the usual places are asked, each file once
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_probe_add_qemu(struct abibase_probe *pr, const char *path);
/** abibase_probe_set_no_qemu - ask no QEMU binary at all. Since: 0.1 */
void abibase_probe_set_no_qemu(struct abibase_probe *pr, bool no_qemu);
/**
 * abibase_probe_run - ask
 * @cat: names the properties to ask each QEMU for
 * @ret: a profile of kind host
 *
 * A surface that cannot be asked is a fact that is unknown, with its reason, and a warning; never a
 * failure. Devices are opened in a forked child with its own network namespace, so that no tap is
 * ever visible on the host. The call takes bounded time.
 *
 * Returns: 0, -ENOENT (a QEMU that was named is not there), -ENOMEM, or what fork(2) says.
 * Since: 0.1
 */
int abibase_probe_run(struct abibase_probe *pr, struct abibase_catalogue *cat,
		      struct abibase_profile **ret);

#ifdef __cplusplus
}
#endif

#endif
