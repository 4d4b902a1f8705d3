/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_BUILD_H
#define ABIBASE_BUILD_H

/* Build records: what one QEMU binary with its modules says of itself; see abibase-build(5). */

#include "document/catalogue.h"
#include "document/json.h"
#include "document/profile.h"

/* Shared by profiles, never changed. */
struct abibase_build {
	int refcount;
	json_t *root;
	char digest[DIGEST_HEX + 1];
};

/* What a machine type is in a profile and in a build record; what stands for a value that is not known. */
extern const struct member machine_members[], unknown_members[];
extern const struct form build_form;
/* Takes the reference of @root, also on failure. Sets the error of @ctx. */
int build_from_json(struct abibase_context *ctx, json_t *root, const char *source,
		    struct abibase_build **ret);

/* The members that a record has as the entry of a profile has them; ends with NULL. */
extern const char *const build_says[];
/* Give @to those of @from. 0 or -ENOMEM. */
int build_copy_says(json_t *to, const json_t *from);
/* What stands in a record, which has been checked. */
bool build_has_class(const json_t *root, const char *class_name);
bool build_is_a(const json_t *root, const char *class_name, const char *type);
/* "TYPE" or "TYPE=DEFAULT"; NULL: the class has no such property. */
const char *build_property(const json_t *root, const char *class_name, const char *property);
/* All properties of a class, new: each with its type, or null where one above has it and it has
 * not. */
json_t *build_properties(const json_t *root, const char *class_name);
/* What a machine type sets: "TYPE PROPERTY VALUE", where TYPE may be above many classes. */
struct build_setting {
	const char *type, *property, *value;
	size_t type_len, property_len;
};
/* Call @fn with each of them, in the order in which QEMU sets them. */
void build_each_setting(const json_t *root, const char *machine,
			void (*fn)(void *data, const struct build_setting *s), void *data);
/* The default that such a text states, new: JSON null is none, NULL not known. */
json_t *build_default(const char *type);
/*
 * The value that @machine gives to a property of @class_name, new: JSON null is none, NULL not
 * known. Of memory there may be none left: the same NULL. @mac: QEMU makes one up for each device.
 */
struct build_question {
	const char *class_name, *property;
	bool mac;
	const json_t *def, *realized; /* a default that reads as another on a device that exists */
};
json_t *build_value(const json_t *root, const char *machine, const struct build_question *q);
/*
 * What a device that was started with @machine read as, of a build that states no compat properties:
 * new; NULL: none was, or it could not be read. What a device decides for itself is in it.
 */
json_t *build_read(const json_t *root, const char *machine, const char *class_name,
		   const char *property);
/* Is a type, as records have it ("TYPE" or "TYPE=DEFAULT"), that one? */
bool type_is(const char *type, const char *word);
/* What a value of a property of such a type has to be and @v is not; NULL: it is. */
const char *build_value_wanted(const char *type, const json_t *v);
/* The same in a document: the value in the member @key; @type NULL: not known. */
void value_check(struct schema_walk *c, const char *type, const char *key, const json_t *v);

/* How QEMU's texts are read, for records and for a QEMU that is asked. */
bool word_is_bool(const char *word, bool on); /* is it a word for that boolean? */
bool value_is_number(const char *type); /* "TYPE", or as records have it */
bool number_from_text(const char *text, long long *ret);
/* As QEMU's own parsers read it, new; NULL: not a value of that type. */
json_t *value_from_text(const char *word, const char *text);
/* "virtio-net-device" is inside "virtio-net-pci", "vhost-scsi" inside "vhost-scsi-pci". */
void class_proxy(const char *class_name, struct buf *ret);

/*
 * Find the records that @p names (document/build-find.c): beside its file, @path or NULL, then
 * where @ctx looks. One that is nowhere is as if it were not named; one that is there and cannot be
 * used is an error.
 */
int builds_find(struct abibase_context *ctx, struct abibase_profile *p, const char *path);
/*
 * The record that states the compat properties of upstream's machine types for the older of these
 * two builds that states none: of those that ship with @ctx, the one of the oldest such QEMU of the
 * target. NULL: both state them, or there is none. For build_record_unref(). 0 or negative errno.
 */
int builds_newer(struct abibase_context *ctx, const json_t *a, const json_t *b,
		 struct abibase_build **ret);
/*
 * The record that an entry names, where @ctx looks, which keeps it. NULL: it names none, or it is
 * nowhere, or cannot be used. 0 or -ENOMEM.
 */
int builds_named(struct abibase_context *ctx, const json_t *entry,
		 const struct abibase_build **ret);
/* From now on @ctx knows this one. */
int builds_remember(struct abibase_context *ctx, struct abibase_build *r);

/*
 * What a profile says to a catalogue that is newer than it (document/build-fill.c): the same
 * profile with what its records have of rows that it was not asked for. For
 * abibase_profile_unref().
 */
int profile_current(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		    const struct abibase_profile *p, struct abibase_profile **ret);
/* The same in place of a reference that is the caller's own. */
int profile_make_current(struct abibase_context *ctx, const struct abibase_catalogue *cat,
			 struct abibase_profile **p);
/*
 * Dozens of machine types agree on most of dozens of properties: where all in "values" of this
 * entry have @key, what most of them have is said once, in "defaults". 0 or -ENOMEM.
 */
int values_say_once(json_t *entry, const char *key);
/* The same of one entry, new; NULL in @ret where there is nothing to add. 0 or -ENOMEM. */
int build_fill(const struct abibase_catalogue *cat, const struct profile_qemu *q, json_t **ret);

struct abibase_build *build_record_ref(struct abibase_build *b);
struct abibase_build *build_record_unref(struct abibase_build *b);

#endif
