/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_COMMAND_H
#define ABIBASE_COMMAND_H

#include "base/known.h"
#include "document/baseline.h"
#include "document/build.h"

struct param {
	const char *key, *value;
};

struct params {
	struct param *p;
	size_t n;
};

/* An option as QEMU takes it, "-x" and "--x" are the same; what no option is, is a disk. */
struct option {
	const char *word;     /* as it is there */
	const char *name;     /* without the dashes; NULL: it is a disk */
	const char *value;    /* the argument behind it, or NULL */
	struct params params; /* of those options that can concern a baseline */
	bool known;	      /* false: whether it takes a value is a guess */
	bool section;	      /* of a -readconfig file */
};

struct command {
	struct arena *arena; /* of its words, but those of argv; fails when memory runs out */
	struct option *options;
	size_t n;
};

/*
 * Take a command line apart, of which @argv is what follows the program's name. With a context,
 * what a -readconfig file says is in its place; the option stays where it cannot be looked into.
 */
void command_parse(struct command *cmd, struct abibase_context *ctx, const char *const *argv);
/* The option at @i, which then is that of the next one; false at the end of @argv (options.c). */
bool next_option(const char *const *argv, size_t *i, struct option *ret);
/* Is it this one, with a value? "-M" is "machine". */
static inline bool is_option(const struct option *o, const char *name)
{
	return o->name && o->value && streq(o->name, name);
}
/* The value of a parameter, of which the last one counts; NULL: it is not there. */
const char *param(const struct params *ps, const char *key);
/* Those of a text or of JSON, of which nested values are passed over; @implied names a bare first one. */
void take_params(struct arena *a, struct params *ps, const char *text, const char *implied);
void param_add(struct arena *a, struct params *ps, const char *key, const char *value);
/* A value as it stands between commas */
void write_escaped(struct buf *out, const char *value);
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
/* Has a network card with these parameters the ROM of the host's file? */
bool nic_has_rom(const struct params *ps);
/* Does a tap with these parameters use vhost? */
bool has_vhost(const struct params *ps);
/* Has it a vnet header, as far as they say? */
bool has_vnet_hdr(const struct params *ps);
/* How many queues has it? At least one, and no more than @most. */
unsigned int count_queues(const struct params *ps, unsigned int most);

#endif
