/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_COMMAND_H
#define ABIBASE_COMMAND_H

#include "base/known.h"
#include "document/baseline.h"

/* How QEMU reads its command line, as far as it concerns a baseline (command.c). */

/* These callbacks end a walk, with its result, when they return other than 0. */
typedef int (*param_fn)(void *data, const char *key, const char *value);
typedef int (*option_fn)(void *data, const char *name, const char *value);
typedef int (*global_fn)(void *data, const char *class_name, const char *property,
			 const char *value);

/*
 * Calls @fn for each parameter of an option's value: text, or a JSON object, of which nested values
 * are passed over. @implied names a bare first one.
 */
int each_param(const char *text, const char *implied, param_fn fn, void *data);
/* The value of one parameter, for free(); NULL when it is not there. */
int get_param(const char *text, const char *implied, const char *key, char **ret);
/* "class.property=value", or driver=, property= and value= as parameters */
int parse_global(const char *text, global_fn fn, void *data);
/* An option_fn: the type in -machine, for free(), goes to *(char **)data. */
int take_machine(void *data, const char *name, const char *value);
/* Calls @fn for each section of a file for -readconfig. Negative: it cannot be looked into. */
int read_config(struct abibase_context *ctx, const char *path, option_fn fn, void *data);

/* An option as QEMU takes it, "-x" and "--x" are the same; what no option is, is a disk. */
struct option_word {
	const char *word;  /* as it is there */
	const char *name;  /* without the dashes; NULL: it is a disk */
	const char *value; /* the argument behind it, or NULL */
	bool known;	   /* false: whether it takes a value is a guess */
};
/* The one at @i, which then is that of the next one; false at the end of @argv (options.c). */
bool next_option(const char *const *argv, size_t *i, struct option_word *ret);
/* Does QEMU read this word as that boolean? */
bool word_is_bool(const char *word, bool on);
/*
 * Does a device with this value offer what the baseline promises, or less? QEMU obeys an "off", so
 * what every start of the guest takes from it keeps it from no host.
 */
bool is_within(const struct value *v, const char *value);
/* Is it the very value that the baseline has? */
bool agrees(const struct value *v, const char *value);
/* No host has a say in it: a device that has it by -device has it on all hosts. */
bool is_free(const struct value *v);
/* Is @name the device whose class is @class_name, or one of its proxies? */
bool is_of(const char *name, const char *class_name);
/* "virtio-net" is the alias of the PCI device, the others are its classes. */
bool is_net_driver(const char *driver);
/* Classes that the proxy of a device of @class_name is of: a -global there is applied later. */
bool is_proxy_class(const char *name, const char *class_name);
bool is_device_class(const char *name, const char *class_name);
/* Has a network card with these options, NULL: not given, the ROM of the host's file? */
bool nic_has_rom(const char *romfile, const char *rombar);
/* What the baseline states to be offered on this backend; NULL: nothing. */
const struct offer *offer_on(const struct abibase_baseline *b, const char *backend);

#endif
