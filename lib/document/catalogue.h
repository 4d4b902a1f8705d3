/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_CATALOGUE_H
#define ABIBASE_CATALOGUE_H

#include <abibase/abibase.h>

#include "document/json.h"
#include "base/version.h"

/* The backends are few and fixed in number; which there are is said by the catalogue. */
#define MAX_BACKENDS 16
/* "sometimes offered when" of properties that are not booleans */
enum bit_when { BIT_NEVER, BIT_TRUE, BIT_ALWAYS, BIT_NONZERO, BIT_NONNEGATIVE, BIT_SET };
enum row_pin { PIN_PINNED, PIN_OPT_IN, PIN_FIXED };
enum row_combine {
	COMBINE_AND,
	COMBINE_MIN,
	COMBINE_EQUAL,
	COMBINE_DIRECTIONAL,
	COMBINE_POWER_OF_TWO, /* the least that holds every host's */
};

enum row_queues { QUEUES_NONE, QUEUES_RECEIVE, QUEUES_TRANSMIT };

/* A question to a host: a fact, or one bit of a word ("vhost_net.features[40]"). */
struct condition {
	const char *name; /* as written in the catalogue */
	const char *fact;
	int bit; /* -1: the fact is a boolean */
	const char *layer, *missing, *remedy, *source;
	const char *label; /* a word for it where it is there, or NULL */
	unsigned int backends; /* mask: where anything looks at it */
};

/* One thing a row needs on a backend, and the QEMU versions that look at it. */
struct need {
	int condition; /* index, or NEED_NEVER: these QEMUs never offer it there */
	struct version since, until; /* inclusive, "10.1" with all its stable releases; zero: unbounded */
	const char *without; /* by QEMUs that were recorded without it ("ebpf"); NULL: by all */
	struct version machine_until; /* under this machine version and older; zero: under any */
};
#define NEED_NEVER (-1)

struct needs {
	struct need *need;
	size_t n;
};

struct compat {
	struct version machine; /* holds for this machine version and older */
	const json_t *value;
	struct version_range *not_in; /* QEMU builds that lack the entry */
	size_t n_not_in;
};

/* What a feature depends on: any of @any. */
struct depend {
	int *any; /* row indices */
	size_t n;
};

struct row {
	const char *feature, *class_name, *property, *type, *group_name;
	const char *caution; /* what whoever turns it on must know, or NULL */
	const char *limit;   /* a fact, a number that no value may exceed on the host, or NULL */
	const char *declared_on; /* the parent that has the property, for all that are of it */
	const char *asked;   /* the class that a QEMU is asked about: its own, unless that is abstract */
	const char *domain;  /* what states it in an <interface> of libvirt: "driver/host@csum"; or
				NULL */
	const json_t *without; /* what a QEMU without the property does as if it were set to; or NULL */
	struct version_range *without_in; /* in these builds; none: in all */
	size_t n_without_in;
	const char *shown_with; /* a property of the same class without which nobody sees it; or NULL */
	const json_t *disabled; /* what it is set to where its group is disabled, or NULL */
	const json_t *realized; /* what the default reads as on a device that exists, or NULL */
	const char *key; /* class.property */
	int bit;   /* -1: none */
	enum bit_when bit_when;
	enum row_pin pin;
	enum row_combine combine;
	unsigned int backends; /* mask: those of its device */
	bool legacy;  /* shown by the legacy interface only */
	bool boolean; /* on or off; "auto" is what the host can do */
	bool number;  /* set to the least: of what hosts state in @fact, or of the QEMUs' defaults */
	int fact;     /* index into numbers, or -1 */
	int64_t least; /* less than this, but for 0, no host may state */
	const char *shape_name; /* the shape that some builds make of it, or NULL */
	enum row_queues queues; /* whose size it sets */
	const char *shown_as;   /* the member of an observed shape that shows it, or NULL */
	/*
	 * The member of an observed shape that is the value, for it comes of a file of the host and
	 * no record of properties has it; or NULL. What to do where no property sets it; since
	 * which version an incoming guest may be given less than the file takes, zero: never.
	 */
	const char *observed, *remedy;
	struct version incoming_since;
	bool fatal;   /* QEMU does not start where it is on and missing */
	int group;    /* index, or -1 */
	const json_t *def;
	struct version since, removed; /* zero: always, never */
	int64_t added; /* the revision of the catalogue that asked for it first; 0: the first */
	struct version_range *unmasked; /* builds that offer it and have no property for it */
	size_t n_unmasked;
	struct compat *compat;
	size_t n_compat;
	struct needs needs[MAX_BACKENDS];
	struct depend *depends;
	size_t n_depends;
};

struct group {
	const char *name, *description;
	bool together; /* one probe decides them all: they are on together or off together */
};

/* What no property can mask: every host has it on every backend, or none has it. */
struct requirement {
	const char *name, *text, *remedy;
	const char *feature; /* NULL without a bit */
	int bit; /* feature bit that it stands for, or -1 */
	int masked_by; /* the row with which, on, nothing is left of it; or -1 */
	const char *stated_by; /* the member of a guest's device that says whether it holds, or NULL */
	const struct requirement *prerequisite; /* it means nothing where this does not hold; or NULL */
	bool legacy_without; /* a device that lacks it is a legacy one */
	bool named_only; /* holds only where a backend was named by --backend */
	bool to_leave; /* no guest leaves a host that lacks it: no baseline has such a host */
	unsigned int backends; /* mask: which it is about */
	struct needs needs[MAX_BACKENDS];
};

/* What some QEMU builds make of a size that no property can equalise. */
struct shape_offer {
	struct version_range *versions;
	size_t n;
	int64_t value;
};

/*
 * A size that the stream carries and that some destinations hold against their own: directional,
 * for it is in the way only where a destination checks it and has less than a source offers.
 */
struct shape {
	const char *name, *text, *remedy;
	const char *also;     /* what else of such a QEMU is so, or NULL */
	const char *recorded; /* the member of an observed shape that has the sizes */
	struct shape_offer *offers;
	size_t n_offers;
	struct version checked_since;
};

/* What stands behind a device. The first device is virtio-net; others are asked for by name. */
struct backend {
	const char *name;
	const char *device; /* NULL: virtio-net */
	bool by_default;
	bool predicted_only; /* nobody makes a baseline of it */
	int *usable; /* conditions */
	size_t n_usable;
};

/* Releases of QEMU that somebody looked at: outside of them nothing is filled in by version. */
struct release {
	struct version_range versions;
	struct version machines_from; /* machine types from this one on were not removed there */
};

struct erratum;
struct abibase_catalogue {
	int refcount;
	json_t *root;
	struct arena arena; /* all the tables, and the words that are not those of @root */
	int64_t revision;
	struct backend *backends; /* sorted */
	size_t n_backends;
	struct condition *conditions;
	size_t n_conditions;
	const char **numbers; /* facts that are numbers */
	size_t n_numbers;
	struct group *groups;
	size_t n_groups;
	struct row *rows; /* sorted by class, then property */
	size_t n_rows;
	struct requirement *requirements;
	size_t n_requirements;
	struct shape *shapes;
	size_t n_shapes;
	struct release *releases;
	size_t n_releases;
	json_t *errata_root;
	struct erratum *errata; /* errata.h */
	size_t n_errata;
};

int catalogue_from_json(struct abibase_context *ctx, json_t *root, const char *source,
			struct abibase_catalogue **ret);
/* "8.2.0-8.2.4", or one version */
void schema_version_range(struct schema_walk *c, const json_t *v);
int catalogue_backend(const struct abibase_catalogue *cat, const char *name);
/* Fail with this id, for there is no such backend; with those @predicted only? Like ones are named. */
int catalogue_no_backend(struct abibase_context *ctx, const struct abibase_catalogue *cat,
			 const char *name, bool predicted, const char *id);
/* The backends of a device, NULL for virtio-net, that a baseline can be made of; 0: none such. */
unsigned int catalogue_device(const struct abibase_catalogue *cat, const char *device);
/* All backends of the device that this backend is of. */
unsigned int catalogue_device_of(const struct abibase_catalogue *cat, size_t backend);
/* Has the group a row that can be enabled, or with @off disabled, on one of these backends? */
bool catalogue_group_has_switch(const struct abibase_catalogue *cat, const char *group, bool off,
				unsigned int backends);
/* What a QEMU of this version offers: a size, or -1 when it is not known. */
int64_t shape_value(const struct shape *s, const struct version *v);
/* The least and the most that any QEMU makes of it. */
int64_t shape_least(const struct shape *s);
int64_t shape_most(const struct shape *s);
struct suggest;
/* The names of properties, with their class where the word has one; with @groups those of groups
 * too. */
void catalogue_suggest(const struct abibase_catalogue *cat, struct suggest *s, bool groups);
/* Row by "class.property", or -1. */
int catalogue_row(const struct abibase_catalogue *cat, const char *key);
/* The same by its parts, or NULL. */
const struct row *catalogue_find(const struct abibase_catalogue *cat, const char *class_name,
				 const char *property);
/* The requirement of that name, or NULL. */
const struct requirement *catalogue_requirement(const struct abibase_catalogue *cat,
						const char *name);
/* The requirement that a guest states by that member of its device, or NULL. */
const struct requirement *catalogue_stated_by(const struct abibase_catalogue *cat,
					      const char *member);
/* The row that sizes these queues, or NULL. */
const struct row *catalogue_sizes(const struct abibase_catalogue *cat, enum row_queues queues);
/* The row whose value that member of an observed shape shows, or NULL. */
const struct row *catalogue_shown_as(const struct abibase_catalogue *cat, const char *member);
/* What has this bit in a device on one of these backends, legacy rows last; or NULL. */
const struct row *catalogue_bit(const struct abibase_catalogue *cat, int bit,
				unsigned int backends);
const struct requirement *catalogue_bit_required(const struct abibase_catalogue *cat, int bit,
						 unsigned int backends);
/* The releases that this version is one of; NULL: nobody looked. */
const struct release *catalogue_release(const struct abibase_catalogue *cat,
					const struct version *v);
/* Is this version, of a QEMU or a machine type, newer than all that the catalogue covers? */
bool catalogue_is_older(const struct abibase_catalogue *cat, const struct version *v);
/* A package of a QEMU that has machine types of its maker's own instead of upstream's; NULL: not known. */
bool catalogue_has_own_machines(const struct abibase_catalogue *cat, const char *package);
bool catalogue_has_target(const struct abibase_catalogue *cat, const char *target);

extern const struct form catalogue_form;

#endif
