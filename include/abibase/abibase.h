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
 * - _ref() and _unref() take NULL; _unref() returns NULL. Functions that only tell something of an
 *   object take NULL too, and tell NULL, 0, false, or ABIBASE_VERDICT_UNKNOWN. No other pointer may
 *   be NULL unless it is said of it; compilers warn of a NULL for many of them.
 * - The library prints nothing, never exits, has no global state, and changes neither namespaces,
 *   capabilities, locale, signal handlers nor the working directory of its caller.
 */

/**
 * ABIBASE_VERSION_CHECK() - is this header of that version, or later?
 *
 * abibase_version() tells of the library that runs. Since: 0.1
 */
#define ABIBASE_VERSION_MAJOR 0
#define ABIBASE_VERSION_MINOR 2
#define ABIBASE_VERSION_PATCH 0
#define ABIBASE_VERSION_CHECK(major, minor, patch)                                                 \
	(ABIBASE_VERSION_MAJOR > (major) ||                                                        \
	 (ABIBASE_VERSION_MAJOR == (major) &&                                                      \
	  (ABIBASE_VERSION_MINOR > (minor) ||                                                      \
	   (ABIBASE_VERSION_MINOR == (minor) && ABIBASE_VERSION_PATCH >= (patch)))))

/* For compilers that warn of a NULL that is not allowed, and of a result that is not looked at. */
#if defined(__GNUC__)
#define ABIBASE_NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))
#define ABIBASE_MUST_CHECK __attribute__((warn_unused_result))
#else
#define ABIBASE_NONNULL(...)
#define ABIBASE_MUST_CHECK
#endif

struct abibase_context;
struct abibase_profile;
struct abibase_catalogue;
struct abibase_baseline;
struct abibase_platforms;
struct abibase_check_request;
struct abibase_here;
struct abibase_intersection;
struct abibase_matrix;
struct abibase_guest;
struct abibase_verify;
struct abibase_rehearse;
struct abibase_probe;
struct abibase_render;
struct abibase_targets;
struct abibase_result;
struct abibase_value;

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
int abibase_context_new(unsigned int flags, struct abibase_context **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(2);
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
 * Its platforms take the place of the default ones, but not of directories that
 * abibase_context_set_platform_path() or $ABIBASE_PLATFORM_PATH names.
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_context_set_data_dir(struct abibase_context *ctx, const char *dir);

/**
 * abibase_context_set_platform_path - replace the directories that are searched for platforms
 * @dirs: NULL-terminated, least specific first; a file name in a later directory hides the same
 *	name in an earlier one
 *
 * Default: platforms/ of the data directory, $(sysconfdir)/abibase/platforms,
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
 * abibase_version - version of the library that runs, "0.2.0"
 *
 * Since: 0.1
 */
const char *abibase_version(void);

/* ------------------------------------------------------ content and results */

/**
 * enum abibase_value_kind - a value of a document
 * @ABIBASE_VALUE_NONE: there is none: NULL of the document, or a NULL pointer
 * @ABIBASE_VALUE_OBJECT: members with names
 * @ABIBASE_VALUE_LIST: items
 * @ABIBASE_VALUE_STRING: text in UTF-8
 * @ABIBASE_VALUE_INTEGER: a whole number
 * @ABIBASE_VALUE_BOOLEAN: true or false
 *
 * Since: 0.1
 */
enum abibase_value_kind {
	ABIBASE_VALUE_NONE,
	ABIBASE_VALUE_OBJECT,
	ABIBASE_VALUE_LIST,
	ABIBASE_VALUE_STRING,
	ABIBASE_VALUE_INTEGER,
	ABIBASE_VALUE_BOOLEAN,
};
/**
 * abibase_value_kind - which kind of value is it?
 *
 * A value is a part of a document or a result and lives as long as that; it is never released. Each
 * function here takes NULL, and a value of another kind, and then returns NULL, 0 or false, so that
 * calls can be nested and asked once, at the end. The members of each document are in
 * data/schema/. Since: 0.1
 */
enum abibase_value_kind abibase_value_kind(const struct abibase_value *v);
/** abibase_value_member - the member @name of an object, or NULL. Since: 0.1 */
const struct abibase_value *abibase_value_member(const struct abibase_value *v, const char *name);
/**
 * abibase_value_get - what stands at a path
 * @path: names of members, and numbers of items from 0, with "/" between them: "qemu/0/version"
 *
 * Returns: the value, or NULL when one step does not exist. Since: 0.1
 */
const struct abibase_value *abibase_value_get(const struct abibase_value *v, const char *path);
/** abibase_value_count - how many items or members it has. Since: 0.1 */
size_t abibase_value_count(const struct abibase_value *v);
/** abibase_value_item - item @i of a list, or the value of member @i of an object. Since: 0.1 */
const struct abibase_value *abibase_value_item(const struct abibase_value *v, size_t i);
/** abibase_value_key - name of member @i; the order is that of the document. Since: 0.1 */
const char *abibase_value_key(const struct abibase_value *v, size_t i);
/** abibase_value_string - the text of a string, or NULL. Since: 0.1 */
const char *abibase_value_string(const struct abibase_value *v);
/** abibase_value_integer - the number, or 0. Since: 0.1 */
int64_t abibase_value_integer(const struct abibase_value *v);
/** abibase_value_boolean - is it true? Since: 0.1 */
bool abibase_value_boolean(const struct abibase_value *v);
/**
 * abibase_value_to_json - a value as a document, in canonical form
 * @ret: text with a final newline, for free()
 *
 * abibase_profile_value() gives the profile so, abibase_guest_value() the guest, and
 * abibase_result_value() the answer.
 *
 * Returns: 0, -EINVAL (NULL), -ENOMEM. Since: 0.1
 */
int abibase_value_to_json(const struct abibase_value *v, char **ret) ABIBASE_MUST_CHECK;

/**
 * abibase_result_ref - share a result
 *
 * A result is the answer of a question: a verdict, and a document that says everything; its form is
 * in data/schema/, under the name of the verb. Results never change. Since: 0.1
 */
struct abibase_result *abibase_result_ref(struct abibase_result *res);
/** Since: 0.1 */
struct abibase_result *abibase_result_unref(struct abibase_result *res);
/** abibase_result_verdict - the answer in a word; ABIBASE_VERDICT_UNKNOWN of NULL. Since: 0.1 */
enum abibase_verdict abibase_result_verdict(const struct abibase_result *res);
/**
 * abibase_result_value - the document, for abibase_value_to_json() and its like
 *
 * NULL where abibase_targets_run() let go of hosts. Since: 0.1
 */
const struct abibase_value *abibase_result_value(const struct abibase_result *res);
/**
 * abibase_result_to_json - all of it as a document, in canonical form
 * @ret: text with a final newline, for free()
 *
 * That of abibase_result_value(), and the same where abibase_targets_run() let go of hosts.
 *
 * Returns: 0, -EINVAL (NULL), -ENOMEM. Since: 0.2
 */
int abibase_result_to_json(const struct abibase_result *res, char **ret) ABIBASE_MUST_CHECK;
/**
 * abibase_host_fn - what is answered of a host
 * @data: as it was given
 * @host: its element of "hosts", which lives until the function returns
 * @alike: 1 and how many further hosts have the same answer but for the name, and are passed over
 *
 * Returns: 0 to go on. Since: 0.2
 */
typedef int (*abibase_host_fn)(void *data, const struct abibase_value *host, size_t alike);
/**
 * abibase_result_hosts - the hosts of the answer of check or targets, in its order
 * @fn: called with each; where abibase_targets_run() let go of hosts, once for those that answer alike
 * @data: passed on to it
 *
 * Of NULL, and of an answer without hosts, it is not called.
 *
 * Returns: 0, what @fn returned when that was not 0, -ENOMEM. Since: 0.2
 */
int abibase_result_hosts(const struct abibase_result *res, abibase_host_fn fn, void *data)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(2);
/**
 * abibase_result_finding - the findings of all hosts in turn
 * @i: from 0 on
 *
 * Returns: NULL behind the last. An object: "text" is a sentence, the other members are in the schema
 * of the verb. Since: 0.1
 */
const struct abibase_value *abibase_result_finding(const struct abibase_result *res, size_t i);
/**
 * abibase_result_to_text - all of it for people, a page
 * @width: of the lines, in columns; 0: 80
 * @ret: for free(); its form may change between releases
 *
 * Returns: 0, -EINVAL (NULL), -ENOMEM. Since: 0.1
 */
int abibase_result_to_text(const struct abibase_result *res, size_t width, char **ret)
	ABIBASE_MUST_CHECK;

/* --------------------------------------------------------------- profiles */

/**
 * abibase_profile_from_file - read a profile from a file
 * @path: the file
 *
 * A build record (since 0.2) gives the profile of a host that has this QEMU, and of which nothing else is
 * known, so that abibase_diff() can compare two of them.
 *
 * Returns: 0, -EBADMSG (not JSON, or no valid profile), -EPROTONOSUPPORT (a schema that this version does
 * not know), -EFBIG, -ENOMEM, and what open(2) and read(2) say. Since: 0.1
 */
int abibase_profile_from_file(struct abibase_context *ctx, const char *path,
			      struct abibase_profile **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 3);
/** Since: 0.1 */
struct abibase_profile *abibase_profile_ref(struct abibase_profile *p);
/** Since: 0.1 */
struct abibase_profile *abibase_profile_unref(struct abibase_profile *p);

/** abibase_profile_value - its content, see abibase-profile(5); "name" is how answers call it. Since: 0.1 */
const struct abibase_value *abibase_profile_value(const struct abibase_profile *p);
/**
 * abibase_profile_merge - one host of a node's kernel and the QEMUs of container images
 * @node: the profile of a host, with the facts of its kernel
 * @images: @n profiles of hosts, with the QEMUs of an image each
 * @ret: the node with all of these QEMUs; left alone where the verdict is not yes
 * @width: of the lines of @ret_why, in columns; 0: 80
 * @ret_why: NULL, or receives for free() a page with each thing in which they contradict each other, its
 *	id in brackets, and the remedy; left alone when nothing does
 *
 * The facts are those of the node, and of an image that was recorded in the same boot; what two know must
 * be the same. Two QEMUs of one path must be the same build. "x-merged" of the document has the names and
 * digests of what went in.
 *
 * Returns: ABIBASE_VERDICT_YES, ABIBASE_VERDICT_NO, or -EINVAL (no image; one is no host, or records no
 * QEMU: "merge-kind"), -ENOMEM. Since: 0.1
 */
int abibase_profile_merge(struct abibase_context *ctx, const struct abibase_profile *node,
			  struct abibase_profile *const *images, size_t n,
			  struct abibase_profile **ret, size_t width, char **ret_why)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2, 5);
/**
 * abibase_profile_to_report - for people: what the host has, lacks and keeps to itself
 * @cat: names what guests have to do without, and what would help
 * @width: of the lines, in columns; 0: 80
 * @ret: a page; release with free()
 *
 * The first line says whether guests can run there. A paragraph for each surface, or for each thing of
 * it that guests can miss, begins with "WARN" (known to be absent: what a baseline with this host turns
 * off, and the remedy), "UNKNOWN" (the reason, and the remedy), or "PASS". Nothing should parse it.
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_profile_to_report(const struct abibase_profile *p, const struct abibase_catalogue *cat,
			      size_t width, char **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 4);

/* -------------------------------------------------------------- platforms */

/**
 * abibase_platforms_new - read the platform profiles that can be named
 * @ret: release with abibase_platforms_unref()
 *
 * One bad file is one refused entry of the list, never a failure of all.
 *
 * Returns: 0, -ENOMEM, or what opendir(3) says of a directory other than that it is missing.
 * Since: 0.1
 */
int abibase_platforms_new(struct abibase_context *ctx, struct abibase_platforms **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2);
/** Since: 0.1 */
struct abibase_platforms *abibase_platforms_unref(struct abibase_platforms *l);
/**
 * abibase_platforms_profile - the profiles in turn, in the order of the list
 * @i: from 0 on
 *
 * Returns: the profile, which is @l's; NULL behind the last. Since: 0.1
 */
struct abibase_profile *abibase_platforms_profile(const struct abibase_platforms *l, size_t i);
/**
 * abibase_platforms_list - the platforms, and every file that was considered
 * @ret: its verdict is ABIBASE_VERDICT_NO when a file was refused; its text is a table of 80 columns.
 *	"platforms" of the document has those that can be named, "alias" is the bare name that stands
 *	for the newest of a moving track. "files" has all files, sorted by file name and then from the
 *	most to the least specific directory, each with "path" and "state": "used"; "hidden": the file
 *	"by" in a more specific directory has its name; "masks": it is empty, or a link to /dev/null,
 *	and hides others; "refused": it could not be read, and "text" says why; "duplicate": "by" is
 *	earlier in the order and declares the same name
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_platforms_list(struct abibase_context *ctx, const struct abibase_platforms *l,
			   struct abibase_result **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2, 3);

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
int abibase_catalogue_new(struct abibase_context *ctx, struct abibase_catalogue **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2);
/** Since: 0.1 */
struct abibase_catalogue *abibase_catalogue_ref(struct abibase_catalogue *cat);
/** Since: 0.1 */
struct abibase_catalogue *abibase_catalogue_unref(struct abibase_catalogue *cat);
/**
 * abibase_catalogue_value - its content; the members are in data/schema/catalogue.schema.json
 *
 * "groups" has the groups of features that can be enabled or disabled, by name; "features" the
 * properties. Since: 0.1
 */
const struct abibase_value *abibase_catalogue_value(const struct abibase_catalogue *cat);
/**
 * abibase_catalogue_to_text - the groups of features, as a table of 80 columns for people
 *
 * Its form may change between releases. Returns: 0, and the text in @ret for free(); -ENOMEM. Since: 0.1
 */
int abibase_catalogue_to_text(const struct abibase_catalogue *cat, char **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2);
/**
 * abibase_catalogue_list - the same as a result, whose document has for each of "groups" its "name",
 *	"description", the properties that are its "features", and the "switches" that it has: "on", "off"
 *
 * Returns: 0, -ENOMEM. Since: 0.2
 */
int abibase_catalogue_list(struct abibase_context *ctx, const struct abibase_catalogue *cat,
			   struct abibase_result **ret) ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2, 3);

/**
 * abibase_predict - the feature word that a guest of this host would be offered
 * @p: the host; its facts decide
 * @qemu: path, or version, of one of its QEMUs; a version that the profile does not list is taken
 *	as the upstream release of that number
 * @machine: versioned machine type
 * @backend: "tap", "tap+vhost", "macvtap", "macvtap+vhost"; "user", the one without the kernel;
 *	"vhost-vsock" and "vhost-scsi", which are devices of their own
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
			     struct abibase_intersection **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 3);
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
 * abibase_intersection_set_guest - the answer is for this guest
 * @g: a guest; a reference is taken
 *
 * The guest gives its machine type and target, unless these were set before, the backends and devices
 * that it has, and the groups of what it turns on itself. Each host must bear what the guest is told,
 * such as an MTU; a setting that abibase does not judge, or a device on a backend that is not in the
 * catalogue, makes the verdict "cannot tell". Backends for devices that state none are added before.
 *
 * Returns: 0, -EINVAL ("domain-backend": a device states no backend, and none was added), -EBUSY,
 * -ENOMEM. Since: 0.1
 */
int abibase_intersection_set_guest(struct abibase_intersection *ix, struct abibase_guest *g)
	ABIBASE_NONNULL(1, 2);
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
 * abibase_intersection_add_device - cover a device beside virtio-net
 * @device: "vhost-vsock" or "vhost-scsi"
 *
 * Every host must have it: one that provably has not is a conflict, one that cannot be asked makes
 * it "cannot tell". Its values and what it will offer are in the baseline then.
 *
 * Returns: 0, -EINVAL (not such a device), -EBUSY, -ENOMEM. Since: 0.1
 */
int abibase_intersection_add_device(struct abibase_intersection *ix, const char *device);
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
 * @group: a group of the catalogue, such as "ring-packed"; its boolean properties are turned on, and
 *	its numbers ("queue-sizes") are set to the least
 *
 * A host or a QEMU that lacks what was asked for is a conflict.
 *
 * Returns: 0, -EINVAL (not a group, or one without switches), -EBUSY, -ENOMEM. Since: 0.1
 */
int abibase_intersection_enable(struct abibase_intersection *ix, const char *group);
/**
 * abibase_intersection_disable - turn a named group of features off
 * @group: a group of the catalogue, such as "offload-uso"; numbers that can be none are set to 0
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
 * abibase_intersection_assume_qemu - take a host to have an upstream QEMU with the machine type
 * @host: the name of a host that is added, and of which no QEMU is recorded that has answered
 *
 * Without it such a host makes the verdict "cannot tell", or "no" where it provably has none. What
 * was assumed is part of the answer. May be called for several hosts.
 *
 * Returns: 0, -EBUSY, -ENOMEM. Since: 0.1
 */
int abibase_intersection_assume_qemu(struct abibase_intersection *ix, const char *host);
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
int abibase_intersection_finish(struct abibase_intersection *ix, struct abibase_baseline **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2);

/**
 * abibase_intersection_machines - the machine types that the QEMUs of all hosts share
 * @ret: "machines" of the document: the newest first, q35 before pc; the first is what
 *	abibase_intersection_finish() chooses. ABIBASE_VERDICT_NO: there is none;
 *	ABIBASE_VERDICT_UNKNOWN: of some host it is not recorded, which a finding says
 *
 * A machine type that was set is not looked at. Returns: as abibase_intersection_finish(). Since: 0.1
 */
int abibase_intersection_machines(struct abibase_intersection *ix, struct abibase_result **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2);

/* --------------------------------------------------------------- operands */

/**
 * abibase_operand_load - read what a person named on a command line, whatever it is
 * @operand: "-" (standard input), anything with a slash or ending in .json (a file), else the name
 *	of a platform; NAME=OPERAND renames a profile
 * @ret_profile: receives a profile, or NULL
 * @ret_baseline: receives a baseline, or NULL
 *
 * Neither of the two is set for a build record, which @ctx keeps: a profile that names it is answered
 * from it from then on.
 *
 * Returns: 0, -ENOENT (no such platform, or it is hidden), and as abibase_profile_from_file().
 * Since: 0.1
 */
int abibase_operand_load(struct abibase_context *ctx, const char *operand,
			 struct abibase_profile **ret_profile,
			 struct abibase_baseline **ret_baseline)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2, 3, 4);
/**
 * abibase_operand_from_buffer - the same of a document in memory
 * @source: how messages call it
 *
 * Returns: 0, and as abibase_profile_from_file(), but for files. Since: 0.1
 */
int abibase_operand_from_buffer(struct abibase_context *ctx, const char *buf, size_t len,
				const char *source, struct abibase_profile **ret_profile,
				struct abibase_baseline **ret_baseline)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 4, 5, 6);
/**
 * abibase_operand_show - what a profile, a baseline or a build record says
 * @cat: names the bits of facts
 * @operand: as abibase_operand_load()
 * @format: "text": for people, which may change between releases; "json": the canonical document
 * @width: of the lines of a text, in columns; 0: 80
 * @ret: for free()
 *
 * Returns: 0, -EINVAL (not a format), and as abibase_operand_load(). Since: 0.1
 */
int abibase_operand_show(struct abibase_context *ctx, const struct abibase_catalogue *cat,
			 const char *operand, const char *format, size_t width, char **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2, 3, 4, 6);

/* -------------------------------------------------------------- baselines */

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
/**
 * abibase_baseline_value - its content, see abibase-baseline(5)
 *
 * Made at the first call, which can take memory in the size of the document. Returns: NULL also when
 * memory ran out. Since: 0.1
 */
const struct abibase_value *abibase_baseline_value(const struct abibase_baseline *b);

/**
 * abibase_baseline_finding_get - the findings in turn: conflicts, unknowns and notes, in that order
 * @i: from 0 on
 * @part: "kind": "conflict", which makes the verdict "no", "unknown", which makes it "cannot tell", or
 *	"note"; "id": its stable id ("backend-absent"); "text": a sentence naming host, feature, layer
 *	and property; "remedy": what to do about it
 *
 * A baseline that was made of earlier ones also has findings about what it does not keep of these
 * ("widening-changes-id"); no document has those.
 *
 * Returns: NULL behind the last, and when there is no such part. Since: 0.1
 */
const char *abibase_baseline_finding_get(const struct abibase_baseline *b, size_t i,
					 const char *part);

/**
 * abibase_render_new - a request to show a baseline
 * @ret: release with abibase_render_unref()
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_render_new(struct abibase_context *ctx, struct abibase_render **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2);
/** Since: 0.1 */
struct abibase_render *abibase_render_unref(struct abibase_render *r);
/**
 * abibase_render_set_format - the form of the text
 * @format: "args" (the default), "readconfig", "json" or "text"; since 0.2 also "oneline", "argv-json",
 *	"libvirt-commandline" and "libvirt-override"
 *
 * Returns: 0, -EINVAL. Since: 0.1
 */
int abibase_render_set_format(struct abibase_render *r, const char *format);
/**
 * abibase_render_add_alias - a device of the guest of which the format "libvirt-override" sets properties
 * @device: NULL: a virtio-net one; else as for abibase_intersection_add_device()
 * @alias: its alias in the XML of libvirt, such as "net0"
 *
 * That format needs at least one of each kind of device of which the baseline sets something.
 *
 * Returns: 0, -EINVAL (libvirt takes no such alias), -ENOMEM. Since: 0.2
 */
int abibase_render_add_alias(struct abibase_render *r, const char *device, const char *alias);
/**
 * abibase_render_set_for - the list of one host instead of the one that suits all
 * @host: "NAME", or "NAME:PATH" for one of its QEMU binaries
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_render_set_for(struct abibase_render *r, const char *host);
/**
 * enum abibase_render_flags - which settings a list has, and what a document has
 * @ABIBASE_RENDER_MINIMAL: drop what every QEMU of the set defaults to
 * @ABIBASE_RENDER_WITH_MACHINE: begin the list with the machine type
 * @ABIBASE_RENDER_NO_INPUTS: of the format json, the baseline without its inputs and reasons. It has the
 *	same id, is small, and is what the start of a guest needs; it cannot be widened. A baseline that
 *	is no "yes" keeps its inputs
 * @ABIBASE_RENDER_PARTIAL: the hosts alone, as a document that abibase_intersection_add_baseline() takes
 *	together with others of them, in place of their profiles; whatever the format. -EINVAL where
 *	something was asked for: that is said to the intersection that they are added to. Since: 0.2
 * @ABIBASE_RENDER_HOTPLUG: of lists of -global options, all that any QEMU knows: one that does not know a
 *	property warns where the device is plugged in later, and does not start with it. Since: 0.2
 *
 * Since: 0.1
 */
enum abibase_render_flags {
	ABIBASE_RENDER_MINIMAL = 1 << 0,
	ABIBASE_RENDER_WITH_MACHINE = 1 << 1,
	ABIBASE_RENDER_NO_INPUTS = 1 << 2,
	ABIBASE_RENDER_PARTIAL = 1 << 3,
	ABIBASE_RENDER_HOTPLUG = 1 << 4,
};
/** abibase_render_set_flags - enum abibase_render_flags, in place of those before; default: 0. Since: 0.1 */
void abibase_render_set_flags(struct abibase_render *r, unsigned int flags);
/**
 * abibase_render_run - make the text
 * @ret: for free(); set to NULL when the verdict is not yes and the format is a list for QEMU
 * @width: of lines for people, in columns; 0: 80
 * @ret_page: NULL, or receives for free() a page for people: the verdict, all that is in the way of a list,
 *	with ids in brackets and remedies, what is off and why, and what was looked at
 *
 * Returns: an enum abibase_verdict (NO: the baseline is one, or no list exists that all the QEMUs
 * asked for start with), or -ENOENT (no such host or binary), -EINVAL (flags or aliases that do not suit the
 * format), -ENOMEM. Since: 0.1
 */
int abibase_render_run(struct abibase_render *r, const struct abibase_baseline *b, size_t width,
		       char **ret, char **ret_page);

/* ------------------------------------------------------------------- diff */

/**
 * enum abibase_diff_flags - how two profiles are compared
 * @ABIBASE_DIFF_ALL: what is only context counts too, and all of it is listed: kernel release,
 *	packages, build ids, paths, rights of the probe, evidence, lifecycle
 *
 * Since: 0.1
 */
enum abibase_diff_flags {
	ABIBASE_DIFF_ALL = 1 << 0,
};

/**
 * abibase_diff - compare two profiles by names
 * @cat: says which facts a guest can see, and how bits are called
 * @a: the one
 * @b: the other; neither is kept
 * @flags: 0 or enum abibase_diff_flags
 * @ret: the differences, and whether they are the same: ABIBASE_VERDICT_YES
 *
 * Name, revision and digest are not compared. A fact that is not stated is the same as one that is
 * unknown because it was not recorded; two facts that are unknown for different reasons are no
 * difference. Facts that an absent surface (X.usable is false) leaves out are not listed again.
 *
 * Returns: 0, also when they differ, -EINVAL (unknown flag), what reading a result of rehearsals between
 * their builds says (since 0.2), -ENOMEM. Since: 0.1
 */
int abibase_diff(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		 const struct abibase_profile *a, const struct abibase_profile *b,
		 unsigned int flags, struct abibase_result **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 6);
/**
 * abibase_diff_guest - the same, of what matters to a guest
 * @g: its machine type, and its devices on what they lie: of a domain all devices
 *
 * What was not compared is in the scope. Returns: as abibase_diff(); -EBADMSG, -ENOENT (the data files of
 * this library). Since: 0.2
 */
int abibase_diff_guest(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		       const struct abibase_guest *g, const struct abibase_profile *a,
		       const struct abibase_profile *b, unsigned int flags,
		       struct abibase_result **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2, 3, 4, 5, 7);
/**
 * abibase_diff_baselines - compare two baselines, and what it means to a running guest
 * @cat: names the bits
 * @a: the one, "A" in the texts
 * @b: the other, "B"
 * @flags: 0 or enum abibase_diff_flags: with ABIBASE_DIFF_ALL hosts and policy count too
 *
 * Two baselines are the same when a guest cannot tell them apart, that is when they have the same
 * id. "consequences" of the document says what a migration from the one to the other does to a
 * running guest, and whether the way there is a one-way door.
 *
 * Returns: 0, also when they differ, -EINVAL (unknown flag; "baseline-not-yes": one promises nothing),
 * -ENOMEM. Since: 0.1
 */
int abibase_diff_baselines(struct abibase_context *ctx, const struct abibase_catalogue *cat,
			   const struct abibase_baseline *a, const struct abibase_baseline *b,
			   unsigned int flags, struct abibase_result **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 6);
/* ------------------------------------------------------------------ match */

/**
 * abibase_match - which platforms does a host satisfy?
 * @cat: says which facts a guest can meet
 * @p: the host
 * @platforms: @n profiles to hold it against; none of them is kept
 * @backends: NULL-terminated names of the backends whose facts are compared, or NULL for those that
 *	the catalogue has by default, tap and tap+vhost
 * @ret: is any of the platforms satisfied? ABIBASE_VERDICT_UNKNOWN: none is, but of some it cannot be
 *	told. The document has a verdict and findings for each
 *
 * A host satisfies a platform when it has every fact that the platform states as present and that
 * the catalogue uses on one of the backends: feature words bit by bit, numbers at least as large,
 * texts and the architecture equal. A fact that the platform does not know is not asked; one
 * that the host does not know makes the answer "cannot tell" unless something else is missing; and so does a
 * platform of which nothing is known. QEMU is compared too, but decides nothing.
 *
 * Returns: 0, also when nothing is satisfied, -EINVAL (not a backend of the catalogue), -ENOMEM.
 * Since: 0.1
 */
int abibase_match(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		  const struct abibase_profile *p, struct abibase_profile *const *platforms,
		  size_t n, const char *const *backends, struct abibase_result **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 7);

/* ------------------------------------------------------------------ check */

/**
 * abibase_check_request_new - do hosts provide everything that a baseline promises?
 * @b: a baseline whose verdict is yes; a reference is taken
 * @ret: release with abibase_check_request_unref()
 *
 * Every property that is on must be within the reach of a host's kernel and of each of its QEMUs
 * that has the machine type, every requirement must hold, and what a guest would be offered with the
 * baseline's list must be what the baseline states. A host that satisfies keeps the id.
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_check_request_new(struct abibase_context *ctx, struct abibase_catalogue *cat,
			      struct abibase_baseline *b, struct abibase_check_request **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 4);
/** Since: 0.1 */
struct abibase_check_request *abibase_check_request_unref(struct abibase_check_request *q);
/**
 * abibase_check_request_assume_qemu - as abibase_intersection_assume_qemu(), for a host of this check
 * @host: the name of a host that is added afterwards
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_check_request_assume_qemu(struct abibase_check_request *q, const char *host);
/**
 * abibase_check_request_set_guest - for this guest alone
 * @g: a guest; a reference is taken. NULL, the default: for whatever guest is started with the baseline
 *
 * A host that is added afterwards is held to the backends and devices that the guest has, and to what it
 * sets of them itself. The guest has to have the machine type of the baseline; one that has no device
 * that the baseline is about is satisfied everywhere. Since: 0.1
 */
void abibase_check_request_set_guest(struct abibase_check_request *q, struct abibase_guest *g);
/**
 * abibase_check_request_add_profile - check this host
 * @p: read during the call, not kept; a record of the same name in the baseline is taken as replaced
 *	by it
 *
 * Returns: 0, -EINVAL (the baseline promises nothing), -ENOMEM. Since: 0.1
 */
int abibase_check_request_add_profile(struct abibase_check_request *q,
				      const struct abibase_profile *p);
/**
 * abibase_check_request_run - what was found of all the hosts that were added
 * @ret: ABIBASE_VERDICT_NO when one does not satisfy, else ABIBASE_VERDICT_UNKNOWN when one cannot be
 *	told; "fixable" of a finding says whether a baseline with the property off admits the host as
 *	it is, "admit_id" of a host names that baseline
 *
 * Returns: 0, -EINVAL (no host was added), -ENOENT (no host has the name of an assumed QEMU's), -ENOMEM.
 * Since: 0.1
 */
int abibase_check_request_run(struct abibase_check_request *q, struct abibase_result **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2);
/**
 * abibase_check_request_args - the part of the baseline that one QEMU of the last host is given
 * @qemu_path: a path as its profile lists it
 * @ret: the words "-global", "class.property=value" in turn, ended by NULL, in one block for free()
 *
 * Properties that this QEMU does not know are left out, for it would not start with them; such a
 * property is off in the baseline, or the check has a finding. The list is there whatever the verdict;
 * only with ABIBASE_VERDICT_YES does a guest get with it what the baseline promises. QEMU takes the
 * last -global of a class, so it belongs behind all other arguments.
 *
 * Returns: 0, -ENOENT (the host has no such QEMU, or it does not have the target and machine type of
 * the baseline), -ENOMEM. Since: 0.1
 */
int abibase_check_request_args(const struct abibase_check_request *q, const char *qemu_path,
			       char ***ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 3);

/* -------------------------------------------------------------- this host */

/**
 * enum abibase_here_place - what abibase_here_set() says
 * @ABIBASE_HERE_RECORD: path of the record of this host; /var/lib/abibase/host.json by default
 * @ABIBASE_HERE_DIRECTORY: the directory of the baselines, for words
 * @ABIBASE_HERE_EMULATOR: path of abibase-emulator
 * @ABIBASE_HERE_CONFIGURATION: path of its configuration
 * @ABIBASE_HERE_TROUBLE: why that is not acceptable, in a sentence
 * @ABIBASE_HERE_CURRENT: id of a baseline under which guests start that name none; each call adds one
 * @ABIBASE_HERE_WARNS: id of a baseline under which guests start also where they should not; the same
 * @ABIBASE_HERE_UNREAD: file of a baseline that the caller may not read
 * @ABIBASE_HERE_QEMU: path of the QEMU that abibase-emulator starts: baselines are held against that alone.
 *	Since: 0.2
 *
 * Since: 0.1
 */
enum abibase_here_place {
	ABIBASE_HERE_RECORD,
	ABIBASE_HERE_DIRECTORY,
	ABIBASE_HERE_EMULATOR,
	ABIBASE_HERE_CONFIGURATION,
	ABIBASE_HERE_TROUBLE,
	ABIBASE_HERE_CURRENT,
	ABIBASE_HERE_WARNS,
	ABIBASE_HERE_UNREAD,
	ABIBASE_HERE_QEMU,
};
/**
 * abibase_here_new - who runs under what on this host?
 * @ret: release with abibase_here_unref()
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_here_new(struct abibase_context *ctx, struct abibase_catalogue *cat,
		     struct abibase_here **ret) ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2, 3);
/** Since: 0.1 */
struct abibase_here *abibase_here_unref(struct abibase_here *h);
/**
 * abibase_here_set - where something is, or what is known of it
 * @value: copied; nothing is asked of what was not set
 *
 * Returns: 0, -EINVAL (no such place), -ENOMEM. Since: 0.1
 */
int abibase_here_set(struct abibase_here *h, enum abibase_here_place what, const char *value)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 3);
/**
 * abibase_here_add_baseline - one that guests of this host may start under
 * @file: where it was read; copied
 * @b: a reference is taken
 *
 * Returns: 0, -EINVAL (a value is of another type than the catalogue has), -ENOMEM. Since: 0.1
 */
int abibase_here_add_baseline(struct abibase_here *h, const char *file, struct abibase_baseline *b)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2, 3);
/**
 * abibase_here_run - look at this host, and answer
 * @ret: is every baseline satisfied, and what starts guests sound? An abibase-here/1 document: units,
 *	record, wrapper, AppArmor, baselines with their findings, and the QEMUs that run, with the id of
 *	the baseline that each has
 *
 * Read are the record, /proc, and the rules of AppArmor, as far as the caller may; systemctl is asked,
 * and where there is no record and a baseline, the host is probed. What cannot be read is a finding,
 * and never a failure. Nothing is written.
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_here_run(struct abibase_here *h, struct abibase_result **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2);

/* ----------------------------------------------------------------- running guests */

/**
 * abibase_guest_from_buffer - read what is known of a running guest
 * @buf: @len bytes of JSON, an abibase-guest/1 document, see abibase-guest(5); not kept
 * @source: what to call it in messages
 * @ret: the guest, immutable; release with abibase_guest_unref()
 *
 * The document states what the driver negotiated with each virtio device, and where the guest runs.
 * Everything that it does not state is unknown.
 *
 * Returns: 0, and as abibase_profile_from_file(), but for files. Since: 0.1
 */
int abibase_guest_from_buffer(struct abibase_context *ctx, const char *buf, size_t len,
			      const char *source, struct abibase_guest **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 5);
/**
 * abibase_guest_load - read what a person named as a guest on a command line
 * @cat: names features
 * @operand: "-" (standard input), anything with a slash or ending in .json, .log or .txt: a file, with
 *	an abibase-guest/1 document or a log of QEMU in it; hex digits with "0x": a feature word;
 *	"qmp:PATH": the QMP socket of a running QEMU
 * @device: class of the device of a word, or of the masks in a log, or NULL
 * @qemu: a binary of the same QEMU, or NULL; the caller's choice, for it is started
 *
 * Nothing is started because of who listens on a socket. QEMU is asked what a guest negotiated only
 * where a throw-away process of @qemu, which has the version and the package of the guest's, has just
 * answered and outlived that question: QEMU 11.1 aborts on it. Otherwise that is logged as a warning
 * ("guest-qmp-unsafe"), and what was negotiated stays unknown in the guest, which has its machine
 * type and its QEMU then.
 *
 * In a log the last line "Features 0x... unsupported" counts. QEMU from 10.2 on prints a mask there
 * that is no longer the guest's: it is refused ("guest-masked").
 *
 * Returns: 0, -EINVAL (not a guest), -ENODATA ("guest-masked", or "guest-unknown": it has no virtio-net
 * device), -EBADMSG and -ETIMEDOUT (what listens does not answer as a QEMU does), -ENOTSUP
 * ("guest-qmp-unsafe": it names a feature that the catalogue does not have), what socket(2),
 * connect(2) and fork(2) say, and as abibase_profile_from_file(). Since: 0.1
 */
int abibase_guest_load(struct abibase_context *ctx, struct abibase_catalogue *cat,
		       const char *operand, const char *device, const char *qemu,
		       struct abibase_guest **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 6);
/** Since: 0.1 */
struct abibase_guest *abibase_guest_unref(struct abibase_guest *g);
/**
 * abibase_guest_assume - the same guest with what the caller knows of it
 * @machine: its machine type, or NULL
 * @backend: what those of its devices lie on that do not say, or NULL
 * @queue_sizes: @n_queue_sizes sizes, that of the first queue first, of each device; one alone
 *	is that of every queue, a shorter control queue apart; 0: none
 * @ret: the guest; @g stays as it is
 *
 * Returns: 0, -EINVAL (the guest states another machine type or size itself), -ENOMEM; -EBADMSG (not
 * a name, not a size). Since: 0.1
 */
int abibase_guest_assume(struct abibase_context *ctx, const struct abibase_guest *g,
			 const char *machine, const char *backend, const unsigned int *queue_sizes,
			 size_t n_queue_sizes, struct abibase_guest **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 7);
/**
 * abibase_guest_from_domain - the guest that a domain of libvirt's describes
 * @cat: which attributes of an interface are which properties
 * @xml: @len bytes, at most 1 MiB, as virsh dumpxml writes them: no document type, and no processing
 *	instruction
 * @source: what to call it in messages
 * @ret: the guest: machine type, target, and the devices that are compared, with their backends and
 *	what the domain sets of them; a guest without such a device has an empty list
 *
 * "x-not-compared" lists what else the domain has, in words such as "disk (virtio)".
 * An interface on a network, or on a device that others manage, has no backend where the XML does not
 * say what that is. No domain says what was negotiated.
 *
 * Returns: 0, -EBADMSG ("xml-bad"; "domain-value": a value that libvirt does not write), -EFBIG,
 * -ENOMEM. Since: 0.1
 */
int abibase_guest_from_domain(struct abibase_context *ctx, const struct abibase_catalogue *cat,
			      const char *xml, size_t len, const char *source,
			      struct abibase_guest **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2, 5, 6);
/**
 * abibase_guest_from_command - the guest that a command line of QEMU starts
 * @cat: which devices there are that a host has a say in; NULL: none is looked at
 * @argv: the arguments behind the program's name, ended by NULL; a file that -readconfig names is read,
 *	and of a tap that is passed by its number, that descriptor of the caller is looked at
 * @ret: the guest: the devices that are compared, with what they lie on; a guest without such a
 *	device has an empty list
 *
 * "x-machine", "x-name" and "x-uuid" are the words of -machine, -name and -uuid. "x-incoming" is true
 * where the guest comes from elsewhere, or out of a snapshot, and "x-slots" where there is a port in which
 * a device can be plugged later on. "x-not-judged" lists what may change a device in a
 * way that nobody knows.
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_guest_from_command(struct abibase_context *ctx, const struct abibase_catalogue *cat,
			       const char *const *argv, struct abibase_guest **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 3, 4);
/**
 * abibase_guest_fn - receives a guest that runs
 * @data: what was given to abibase_guest_running()
 * @name: how it is called, or "pid 123"
 * @guest: released after the call, but for a reference that is taken
 *
 * Returns: 0 to go on. Since: 0.2
 */
typedef int (*abibase_guest_fn)(void *data, const char *name, struct abibase_guest *guest);
/**
 * abibase_guest_running - each guest that runs on this host, as far as the caller may ask
 * @cat: as in abibase_guest_load()
 * @qemu: the same, or NULL; where it is not the binary of a guest, that is not asked what it negotiated
 * @fn: called for each in turn
 *
 * A QEMU is asked over the QMP socket of its command line, where it listens there itself and answers;
 * else the command line says what there is to say, as in abibase_guest_from_command(). A guest without a
 * device in which a host has a say is passed over, and told to the log. Nothing is started but @qemu.
 *
 * Returns: 0, what @fn returned when that was not 0, -ENOMEM. Since: 0.2
 */
int abibase_guest_running(struct abibase_context *ctx, struct abibase_catalogue *cat,
			  const char *qemu, abibase_guest_fn fn, void *data)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2, 4);
/**
 * abibase_guest_join - a running guest with what its domain says of it
 * @g: what is known of it, such as what it negotiated; what it states itself stays
 * @domain: of abibase_guest_from_domain()
 *
 * A device is the one of its id, or the one at its place among those of its class.
 *
 * Returns: 0, -EINVAL (another machine type, or a device that is not in the domain: "guest-differs"),
 * -ENOMEM. Since: 0.1
 */
int abibase_guest_join(struct abibase_context *ctx, const struct abibase_guest *g,
		       const struct abibase_guest *domain, struct abibase_guest **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2, 3, 4);
/** abibase_guest_value - its content, see abibase-guest(5). Since: 0.1 */
const struct abibase_value *abibase_guest_value(const struct abibase_guest *g);

/* ---------------------------------------------------------------------- targets */

/**
 * abibase_targets_new - a request to find the hosts to which a running guest can move
 * @cat: what facts mean; a reference is taken
 * @guest: the guest; a reference is taken
 * @ret: release with abibase_targets_unref()
 *
 * A host can take a guest when what the guest negotiated is a subset of what its device would be
 * offered there, and when what the stream carries fits: machine type, sizes of queues, and what of
 * the backend no property masks. The target is taken to be started with the -device options of the
 * source.
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_targets_new(struct abibase_context *ctx, struct abibase_catalogue *cat,
			struct abibase_guest *guest, struct abibase_targets **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 4);
/** Since: 0.1 */
struct abibase_targets *abibase_targets_unref(struct abibase_targets *t);
/**
 * abibase_targets_set_backend - what the device lies on on the target
 * @backend: a backend of the catalogue; default: that of the guest's device
 *
 * Returns: 0, -EINVAL (no such backend), -ENOMEM. Since: 0.1
 */
int abibase_targets_set_backend(struct abibase_targets *t, const char *backend);
/**
 * abibase_targets_assume_qemu - as abibase_intersection_assume_qemu(), for a host among the targets
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_targets_assume_qemu(struct abibase_targets *t, const char *host);
/**
 * abibase_targets_set_guest - ask about another guest
 * @guest: the guest; a reference is taken
 *
 * All else stays as it is, hosts that were let go of too: thousands of guests can be asked about.
 *
 * Returns: 0, -EINVAL (its machine type is not that of the baseline), -ENOMEM. Since: 0.2
 */
int abibase_targets_set_guest(struct abibase_targets *t, struct abibase_guest *guest)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2);
/**
 * abibase_targets_set_baseline - the list with which the guest was started, and each target will be
 * @b: a baseline whose verdict is yes; a reference is taken
 *
 * A guest of which no machine type is known has that of the baseline.
 *
 * Returns: 0, -EINVAL (it promises nothing, or is for another machine type), -ENOMEM. Since: 0.1
 */
int abibase_targets_set_baseline(struct abibase_targets *t, struct abibase_baseline *b);
/**
 * abibase_targets_set_source - where the guest runs now
 * @p: its host; a reference is taken; NULL: it is not known any more
 *
 * It says what the guest was offered, and whether there is a way back. Since: 0.1
 */
void abibase_targets_set_source(struct abibase_targets *t, struct abibase_profile *p);
/**
 * abibase_targets_add_profile - ask about this host
 * @p: the host; a reference is taken
 *
 * The QEMU that can do most counts. Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_targets_add_profile(struct abibase_targets *t, struct abibase_profile *p);
/**
 * abibase_targets_run - the answer
 * @ret: ABIBASE_VERDICT_YES (each host takes it, some perhaps with a list), ABIBASE_VERDICT_NO (one does
 *	not), ABIBASE_VERDICT_UNKNOWN; NULL, since 0.2: for the answer about thousands of hosts, let go of
 *	the profiles that were added, but for one of those that answer alike. The answer, by a later call,
 *	is the same, and has no value and no findings then: abibase_result_value() is NULL. There are
 *	abibase_result_hosts(), abibase_result_to_json() and abibase_result_to_text().
 *
 * "hosts" has them in the order in which they were added, each with "verdict": "now"; "list", when its
 * QEMU is started with the settings "rescue", without which the guest does not get in; "no";
 * "unknown". "way_back" says whether the guest can return after a reset there, with the settings "list"
 * that keep it open; "carry_on" is its device from then on, in explicit values.
 *
 * Returns: 0; with @ret -EINVAL (no host was added), -EEXIST (two different ones have one name), -ENOENT
 * (no host has the name of an assumed QEMU's); -ENOMEM. Since: 0.1
 */
int abibase_targets_run(struct abibase_targets *t, struct abibase_result **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1);

/* ----------------------------------------------------------------- decode */

/**
 * abibase_decode - say what the messages of QEMU in a text mean
 * @cat: names and properties of the features of virtio-net
 * @text: @len bytes, one message or a whole log, at most 16 MiB; need not be text at all; not kept
 * @device: class whose feature masks are in the text ("virtio-blk", "vsock"), or NULL for what the
 *	lines around the masks say
 * @ret: what was found: ABIBASE_VERDICT_YES, or ABIBASE_VERDICT_NO, which is nothing. "scope" of a
 *	finding is "guest", "outside" (another device, CPU model, KVM or firmware), "harmless", or
 *	"unknown"
 *
 * The messages that are known, and the features of each device class, are in messages.json and
 * devices.json of the data directory. Other messages are left out. Equal messages are one
 * finding; at most 256 different ones are kept. The first 64 KiB of a line are looked at; prefixes
 * of logs do not matter, and the two characters \n in a line end it as a newline does.
 *
 * Returns: 0, -EINVAL (@device is not known), -EFBIG, -ENOMEM, and as abibase_profile_from_file()
 * of the two data files. Since: 0.1
 */
int abibase_decode(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		   const char *text, size_t len, const char *device, struct abibase_result **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 6);

/* -------------------------------------------------------- starting a guest */

/**
 * abibase_profile_current - what a recorded profile says, now, of the host and of one of its QEMUs
 * @p: a profile of kind host
 * @qemu: the binary that is to be started
 * @ret: the same profile with this binary alone, by the path @qemu
 *
 * A profile is a record. It holds for the boot in which it was made, for the kernel can be another
 * one after that, and for a binary that has not been replaced since.
 *
 * Returns: 0, -ESTALE (not of this boot, or not of this build: "profile-stale"), -ENOENT (it does
 * not have this binary: "profile-no-qemu"), -ENOMEM. Since: 0.1
 */
int abibase_profile_current(struct abibase_context *ctx, const struct abibase_profile *p,
			    const char *qemu, struct abibase_profile **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 4);

/**
 * abibase_baseline_review - hold a command line of QEMU against a baseline
 * @p, @qemu: NULL, or the profile of this host and the path of the QEMU that is started, which can
 *	read the name of a machine type in a way of its own
 * @argv: the arguments behind the program's name, ended by NULL; one that -readconfig names is read
 *
 * An argument that gets around the baseline is logged as a warning: -device, -set and -global on a proxy class
 * with another value than the baseline's ("command-defeats"), and a backend that the baseline does
 * not cover ("command-backend"); likewise a -global that loses to the baseline's list when that comes
 * last ("command-loses"), and a -readconfig that cannot be looked into ("command-unseen"). A device
 * that a monitor adds later is not seen.
 *
 * Returns: 0, -EINVAL (the machine type is another one than the baseline's, or none is named, or it
 * is an alias such as q35, which each QEMU reads otherwise: "command-machine"), -ENOMEM. Since: 0.1
 */
int abibase_baseline_review(struct abibase_context *ctx, const struct abibase_baseline *b,
			    const struct abibase_profile *p, const char *qemu,
			    const char *const *argv);

/**
 * abibase_command_is_query - does this command line only ask QEMU what it can do?
 * @argv: as for abibase_baseline_review(); no file is read
 *
 * It does with the machine type "none", with a help or version option and nothing else, and with
 * "help" as the value of an option such as -device. No guest runs then. With -readconfig it does
 * not, whatever else it says.
 *
 * Returns: 1, 0, -ENOMEM. Since: 0.1
 */
int abibase_command_is_query(const char *const *argv);
/**
 * abibase_command_has_rom - may a guest of this command line have the ROM of a network card?
 * @argv: the arguments behind the program's name, ended by NULL
 *
 * Returns: 0 where there are virtio network cards and each has romfile= or rombar=0, so that the size
 * of the file on the host is nothing to the guest; else 1; or -ENOMEM. Since: 0.1
 */
int abibase_command_has_rom(const char *const *argv);

/* ---------------------------------------------------------------- explain */

/**
 * enum abibase_explain_flags - what an explanation's text is about
 * @ABIBASE_EXPLAIN_COST: the features that are given up, and the fewest hosts to retire for each
 *
 * Since: 0.1
 */
enum abibase_explain_flags {
	ABIBASE_EXPLAIN_COST = 1 << 0,
};

/**
 * abibase_explain - why a baseline is what it is
 * @cat: describes groups, and what other machine types and QEMUs have
 * @b: any baseline, also one whose hosts cannot share it
 * @property: "class.property", "property" of whichever class, or NULL for all
 * @flags: 0 or enum abibase_explain_flags
 * @ret: the explanation; its verdict is ABIBASE_VERDICT_YES, also where that of @b is not
 *
 * The answer says for each value which hosts, facts, QEMUs or machine types forced it, what guests do
 * without, what would raise it, and the fewest hosts whose retirement is enough.
 *
 * Returns: 0, -EINVAL (unknown flag), -ENOENT (not a property), -ENOMEM. Since: 0.1
 */
int abibase_explain(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		    const struct abibase_baseline *b, const char *property, unsigned int flags,
		    struct abibase_result **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 6);

/* ------------------------------------------------------------------- plan */

/**
 * abibase_plan - when could a feature be on by default for everybody?
 * @what: a group of the catalogue ("offload-uso"), or "class.property", or "property"
 * @at: the day that counts as today, YYYY-MM-DD
 * @platforms: @n_platforms platform profiles with their lifecycle; none is kept
 * @hosts: @n_hosts profiles for which to say what a baseline gives at once; may be none
 * @ret: could it be on by default for everybody on that day? ABIBASE_VERDICT_NO (a platform that is
 *	supported lacks it), ABIBASE_VERDICT_UNKNOWN (none is known to, but of one it is not known),
 *	ABIBASE_VERDICT_YES; "standard/earliest" and "extended/earliest" say from which day on
 *
 * A platform has the feature when its kernel has what the feature needs on every backend that the
 * catalogue has by default, and its QEMU has the property. A fact that a platform does not know,
 * and an unknown lifecycle, are listed and never taken for a yes.
 *
 * Returns: 0, -EINVAL (no platforms; not a date), -ENOENT (not a group or switch of the catalogue),
 * -EEXIST (two hosts of one name), -ENOMEM. Since: 0.1
 */
int abibase_plan(struct abibase_context *ctx, struct abibase_catalogue *cat, const char *what,
		 const char *at, struct abibase_profile *const *platforms, size_t n_platforms,
		 struct abibase_profile *const *hosts, size_t n_hosts, struct abibase_result **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 9);

/* --------------------------------------------------------------- validate */

/**
 * abibase_validate - find all the faults of a document of any kind
 * @path: the file, or "-" for standard input
 * @ret: ABIBASE_VERDICT_NO when there is a fault; a finding has "kind", which is "fault", or "warning"
 *	for what is accepted but odd, "id", "where" (file and line, or file and JSON path) and "text"
 *
 * Returns: 0, also with faults, or a negative errno when the file could not be read. Since: 0.1
 */
int abibase_validate(struct abibase_context *ctx, const char *path, struct abibase_result **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 3);
/**
 * abibase_validate_buffer - the same of a document in memory
 * @source: how messages call it
 *
 * Its form, canonical or not, is no problem: it may be one of many, a line each.
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_validate_buffer(struct abibase_context *ctx, const char *buf, size_t len,
			    const char *source, struct abibase_result **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 5);

/* ------------------------------------------------------------------ probe */

/**
 * enum abibase_probe_flags - what a probe leaves out, or does beside the usual
 * @ABIBASE_PROBE_NO_LOAD: open nothing whose module is not loaded. Opening /dev/net/tun or
 *	/dev/vhost-net loads its module, as starting a guest would; with this such a surface is left
 *	alone and unknown, reason "not-loaded"
 * @ABIBASE_PROBE_NO_QEMU: ask no QEMU binary at all
 * @ABIBASE_PROBE_NO_VALUES: record no effective values of machine types
 * @ABIBASE_PROBE_SIZES: record the sizes that each QEMU decides by itself: start each machine type whose
 *	values are recorded, stopped, and read the sizes of its queues and of the option ROM of its
 *	network cards. They are kept with the other answers of a build. Takes no rights and no devices
 * @ABIBASE_PROBE_OBSERVE: record what each QEMU really offers. Each machine type whose effective values
 *	are recorded is started with a tap, and with tap and vhost-net, as far as they are usable, read
 *	as a driver would read it, and held against the prediction; differences are warnings
 * @ABIBASE_PROBE_ANONYMOUS: nothing in the profile tells which host it is: its name is "anonymous",
 *	where none is set, and it has no boot id and no paths. Since: 0.2
 *
 * Since: 0.1
 */
enum abibase_probe_flags {
	ABIBASE_PROBE_NO_LOAD = 1 << 0,
	ABIBASE_PROBE_NO_QEMU = 1 << 1,
	ABIBASE_PROBE_NO_VALUES = 1 << 2,
	ABIBASE_PROBE_SIZES = 1 << 3,
	ABIBASE_PROBE_OBSERVE = 1 << 4,
	ABIBASE_PROBE_ANONYMOUS = 1 << 5,
};
/**
 * abibase_probe_new - a request to ask this host what it has
 * @ret: release with abibase_probe_unref()
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_probe_new(struct abibase_context *ctx, struct abibase_probe **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2);
/** Since: 0.1 */
struct abibase_probe *abibase_probe_unref(struct abibase_probe *pr);
/** abibase_probe_set_name - name of the profile; default: the host name. Returns 0, -EINVAL, -ENOMEM. Since: 0.1 */
int abibase_probe_set_name(struct abibase_probe *pr, const char *name);
/** abibase_probe_set_flags - enum abibase_probe_flags, in place of those before; default: 0. Since: 0.1 */
void abibase_probe_set_flags(struct abibase_probe *pr, unsigned int flags);
/**
 * abibase_probe_add_qemu - ask this QEMU binary
 * @path: the binary. Without any, those in the usual places are asked, each file once
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_probe_add_qemu(struct abibase_probe *pr, const char *path);
/**
 * abibase_probe_only - ask this surface, and no other but those that are named too
 * @surface: "tap", "macvtap", "ipvtap", "vhost-net", "vhost-vsock", "vhost-scsi", "vhost-vdpa",
 *	"params", "ebpf" or "qemu"
 *
 * Without any call all are asked but macvtap and ipvtap: these are asked on request, because a
 * device has to be made for them, which takes root. May be called for several surfaces. The facts
 * of what is left out are unknown, reason "not-asked"; without "qemu" the profile says nothing of
 * QEMU. Each surface is asked in a process of its own: one that fails leaves the others standing.
 *
 * Returns: 0, -EINVAL (there is no such surface; the error lists them), -ENOMEM. Since: 0.1
 */
int abibase_probe_only(struct abibase_probe *pr, const char *surface);
/**
 * abibase_probe_skip - leave this surface out, even if abibase_probe_only() names it
 * @surface: as for abibase_probe_only()
 *
 * Returns: 0, -EINVAL (there is no such surface; the error lists them), -ENOMEM. Since: 0.1
 */
int abibase_probe_skip(struct abibase_probe *pr, const char *surface);
/**
 * abibase_probe_add_machine - record the effective values of this machine type
 * @machine: a name or alias that QEMU lists; copied
 *
 * May be called again for further ones. Without it: of each versioned pc and q35 type from 5.2 on,
 * and of those with a vendor's name. A QEMU that does not have it is logged.
 *
 * Returns: 0, -EINVAL (not a name), -ENOMEM. Since: 0.1
 */
int abibase_probe_add_machine(struct abibase_probe *pr, const char *machine);
/**
 * abibase_probe_for_baseline - ask no more than what a baseline is about
 *
 * @cat: what its backends are asked for
 *
 * That is its backends and devices, what its values need, and the QEMUs under its machine type. What
 * else abibase_probe_only() and abibase_probe_add_machine() name is asked too.
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_probe_for_baseline(struct abibase_probe *pr, const struct abibase_catalogue *cat,
			       const struct abibase_baseline *b)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2, 3);
/**
 * abibase_probe_set_builds_dir - write the record of each QEMU build
 * @dir: directory, made when it is missing; NULL, the default: none is written
 *
 * A record is called DIGEST.json, and the profile names it. It is whole where the probe records the
 * effective values of all machine types, and the sizes.
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_probe_set_builds_dir(struct abibase_probe *pr, const char *dir);
/**
 * abibase_probe_set_cache_dir - where to keep what QEMU binaries answered
 * @dir: directory, made when it is missing; NULL: keep nothing; default: abibase/qemu in
 *	$XDG_CACHE_HOME or $HOME/.cache
 *
 * An answer is found there by the build id of the binary, and is used only when the directory
 * and the file belong to the effective user and nobody else can write them.
 *
 * Returns: 0, -ENOMEM. Since: 0.1
 */
int abibase_probe_set_cache_dir(struct abibase_probe *pr, const char *dir);
/**
 * abibase_progress_fn - hears what a probe asks now
 * @data: what was given to abibase_probe_set_progress()
 * @what: a surface ("tap"), or the path of a QEMU binary; valid during the call
 *
 * Since: 0.1
 */
typedef void (*abibase_progress_fn)(void *data, const char *what);
/** abibase_probe_set_progress - call @fn in the thread of the probe, at each step; or NULL. Since: 0.1 */
void abibase_probe_set_progress(struct abibase_probe *pr, abibase_progress_fn fn, void *data);
/** abibase_probe_set_timeout - the most that a run may take, in ms; 0, the default: no limit. Since: 0.1 */
void abibase_probe_set_timeout(struct abibase_probe *pr, unsigned int timeout_ms);
/**
 * abibase_probe_cancel - end a run, or the next one
 *
 * The one call that any thread may make while another runs the probe. It returns at once; the run ends
 * soon after, with -ECANCELED, and leaves no process behind. Since: 0.1
 */
void abibase_probe_cancel(struct abibase_probe *pr);
/**
 * abibase_probe_run - ask
 * @cat: names the properties to ask each QEMU for
 * @ret: a profile of kind host
 *
 * A surface that cannot be asked is a fact that is unknown, with its reason, and a warning; never a
 * failure. Devices are opened in forked children, each network device is made in a namespace of its
 * own, so that none is ever visible on the host. The call takes bounded time.
 *
 * Returns: 0, -ENOENT (a QEMU that was named is not there), -ECANCELED ("probe-cancelled"),
 * -ETIMEDOUT ("probe-too-long"), -ENOMEM, or what fork(2) says.
 * Since: 0.1
 */
int abibase_probe_run(struct abibase_probe *pr, struct abibase_catalogue *cat,
		      struct abibase_profile **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 3);

/* ----------------------------------------------------------------- matrix */

/**
 * abibase_matrix_new - a request to say which hosts can take whose guests
 * @ix: what is asked for: machine type, target, backends and devices, and hosts whose QEMU is assumed.
 *	It has no host, gets those of the request, and has to live longer than that
 * @ret: release with abibase_matrix_unref()
 *
 * Returns: 0, -ENOMEM. Since: 0.2
 */
int abibase_matrix_new(struct abibase_context *ctx, struct abibase_catalogue *cat,
		       struct abibase_intersection *ix, struct abibase_matrix **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2, 3, 4);
/** Since: 0.2 */
struct abibase_matrix *abibase_matrix_unref(struct abibase_matrix *m);
/**
 * abibase_matrix_set_baseline - judge each move without a list, and with that of a baseline
 *
 * Before the first host. Returns: 0, -EINVAL (it promises nothing, or is for something else than what
 * was asked for), -EBUSY, -EPROTONOSUPPORT ("baseline-newer"), -ENOMEM. Since: 0.2
 */
int abibase_matrix_set_baseline(struct abibase_matrix *m, struct abibase_baseline *b)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2);
/**
 * abibase_matrix_add_machine - ask about guests of this machine type too
 *
 * Without any, and without a baseline, it is the newest that all hosts have; else the newest of each.
 *
 * Returns: 0, -ENOMEM. Since: 0.2
 */
int abibase_matrix_add_machine(struct abibase_matrix *m, const char *machine)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2);
/**
 * abibase_matrix_add_profile - one host more
 * @instead: it stands for the host of that name as it will be, which is passed over when it comes
 *
 * Hosts that answer alike are one cohort; of each two profiles are kept.
 *
 * Returns: 0, -EEXIST (another host has the name), -E2BIG ("matrix-too-large": more than 500 cohorts),
 * -EINVAL, -ENOMEM. Since: 0.2
 */
int abibase_matrix_add_profile(struct abibase_matrix *m, struct abibase_profile *p, bool instead)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2);
/**
 * abibase_matrix_run - from each cohort to each
 * @groups: the best so many groups, at most 3; 0: none is wanted
 * @ret: the verdict is yes where each takes the guests of each other
 *
 * Each answer is that of abibase_targets_run() about a guest that took all it was offered.
 *
 * Returns: 0, -EINVAL (there is no host), -ENOENT (a host whose QEMU is assumed is not there), -ENOMEM.
 * Since: 0.2
 */
int abibase_matrix_run(struct abibase_matrix *m, unsigned int groups, struct abibase_result **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 3);

/* ----------------------------------------------------------------- verify */

/**
 * abibase_verify_new - a request to see whether a guest is offered what a baseline promises
 * @b: a baseline whose verdict is yes
 * @ret: release with abibase_verify_unref()
 *
 * Returns: 0, -EINVAL (the baseline promises nothing), -ENOMEM. Since: 0.1
 */
int abibase_verify_new(struct abibase_context *ctx, struct abibase_catalogue *cat,
		       struct abibase_baseline *b, struct abibase_verify **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 4);
/** Since: 0.1 */
struct abibase_verify *abibase_verify_unref(struct abibase_verify *v);
/**
 * abibase_verify_set_qemu - path of the binary
 *
 * Needed with a command line. Without one it is by default the first of the profile that has the
 * machine type of the baseline. Returns 0, -ENOMEM. Since: 0.1
 */
int abibase_verify_set_qemu(struct abibase_verify *v, const char *path);
/**
 * abibase_verify_set_command - verify this command line
 * @argv: the arguments behind the program's name, ended by NULL; copied. A file that -readconfig
 *	names is read; a descriptor of a tap is looked at with TUNGETIFF, in the calling process, and
 *	not used
 *
 * Kept of it are the machine type, -global options of virtio-net, and its devices with their
 * properties, in each spelling of -device, -nic, -net, -set and -readconfig; each tap or macvtap is
 * replaced by an equal one in namespaces of its own, and everything else is left out. Without this
 * call it is a command line with the baseline's machine type, the list that the QEMU gets of it, and
 * a device on each backend of the baseline. Returns 0, -ENOMEM. Since: 0.1
 */
int abibase_verify_set_command(struct abibase_verify *v, const char *const *argv);
/**
 * abibase_verify_set_profile - what is known of this host
 *
 * It tells why a feature is masked. Needed without a command line. Since: 0.1
 */
void abibase_verify_set_profile(struct abibase_verify *v, struct abibase_profile *p);
/**
 * abibase_verify_run - start a throw-away QEMU, read its devices, kill it
 * @ret: is each device equal to the baseline?
 *
 * It is stopped before its first instruction. Takes bounded time. A QEMU that cannot be started or
 * read is a finding and the verdict ABIBASE_VERDICT_UNKNOWN, never a failure.
 *
 * Returns: 0, -EINVAL (no QEMU, or no profile where one is needed), -ENOMEM. Since: 0.1
 */
int abibase_verify_run(struct abibase_verify *v, struct abibase_result **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2);

/* --------------------------------------------------------------- rehearse */

/** enum abibase_rehearse_half - the two halves of a rehearsal. Since: 0.2 */
enum abibase_rehearse_half {
	ABIBASE_REHEARSE_SAVE, /* where the guest comes from */
	ABIBASE_REHEARSE_LOAD, /* where it is to go */
};
/**
 * abibase_rehearse_new - a request to see whether one QEMU loads what another saves of a guest
 * @cat: names the properties in what is said of a message of QEMU
 * @ret: release with abibase_rehearse_unref()
 *
 * Returns: 0 or -ENOMEM. Since: 0.2
 */
int abibase_rehearse_new(struct abibase_context *ctx, struct abibase_catalogue *cat,
			 struct abibase_rehearse **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2, 3);
/** Since: 0.2 */
struct abibase_rehearse *abibase_rehearse_unref(struct abibase_rehearse *rh);
/**
 * abibase_rehearse_set_file - the file that the half that saves writes, or from which the other reads
 * @path: NULL: none; only where a half is missing, the file is in its place
 *
 * Returns: 0 or -ENOMEM. Since: 0.2
 */
int abibase_rehearse_set_file(struct abibase_rehearse *rh, enum abibase_rehearse_half half,
			      const char *path) ABIBASE_MUST_CHECK ABIBASE_NONNULL(1);
/**
 * abibase_rehearse_set_command - the command line of one half
 * @qemu: path of the binary
 * @argv: its arguments, without the name, ended by NULL
 *
 * Disks, networks and sockets in them are not touched. Returns: 0 or -ENOMEM. Since: 0.2
 */
int abibase_rehearse_set_command(struct abibase_rehearse *rh, enum abibase_rehearse_half half,
				 const char *qemu, const char *const *argv)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 3, 4);
/**
 * abibase_rehearse_set_list - the list of a baseline, to stand behind the arguments
 * @list: as abibase_check_request_args() gives it, ended by NULL
 *
 * Returns: 0 or -ENOMEM. Since: 0.2
 */
int abibase_rehearse_set_list(struct abibase_rehearse *rh, enum abibase_rehearse_half half,
			      const struct abibase_baseline *b, const char *const *list)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 3, 4);
/**
 * abibase_rehearse_set_run - let the half that saves execute its firmware first
 * @seconds: so long, at most 300; 0, the default: it stays stopped before its first instruction
 *
 * Returns: 0 or -EINVAL ("rehearsal-incomplete"). Since: 0.2
 */
int abibase_rehearse_set_run(struct abibase_rehearse *rh, unsigned int seconds)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1);
/**
 * abibase_rehearse_set_process - the guest that runs with the command line of the half that saves
 * @pid: 0, the default: none
 *
 * Where that line names a QMP socket which is free, the guest is asked which devices it has now, and
 * what differs is a part that was not rehearsed. Nothing is started because of it. Since: 0.2
 */
void abibase_rehearse_set_process(struct abibase_rehearse *rh, int pid) ABIBASE_NONNULL(1);
/**
 * abibase_rehearse_add_specimen - each common device alone, instead of a guest
 * @machine: under this machine type; may be called for several. NULL: under those that were saved
 *
 * The command lines are then those of the two QEMUs without a guest, and a file is a directory. The
 * result is an abibase-rehearsal-result/1 document.
 *
 * Returns: 0 or -ENOMEM. Since: 0.2
 */
int abibase_rehearse_add_specimen(struct abibase_rehearse *rh, const char *machine)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1);
/**
 * abibase_rehearse_run - start the throw-away QEMUs, save, load, kill them
 * @ret: an answer, whose verdict yes means "loads idle", or, without a half that loads, "is saved"
 *
 * A QEMU of its own is started for each half, stopped before its first instruction, in namespaces of
 * its own, without rights. The call takes bounded time.
 *
 * Returns: 0; -EINVAL ("rehearsal-incomplete"); -EREMOTEIO or, where the source does not start with its
 * line, -ENOEXEC ("rehearsal-failed": a throw-away could not be made); what reading or writing the file
 * says ("io-error", "rehearsal-damaged", or that of a document); or -ENOMEM. Since: 0.2
 */
int abibase_rehearse_run(struct abibase_rehearse *rh, struct abibase_result **ret)
	ABIBASE_MUST_CHECK ABIBASE_NONNULL(1, 2);

#ifdef __cplusplus
}
#endif

#endif
