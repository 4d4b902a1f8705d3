/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_XML_H
#define ABIBASE_XML_H

#include <abibase/abibase.h>

#include "base/util.h"

/*
 * The part of XML that libvirt writes: elements, attributes, text, the five entities and characters
 * by number, CDATA, comments, and a declaration at the head. Everything else is refused: a document
 * type can name files and expand without end.
 */
#define XML_MAX (1u << 20)
#define XML_MAX_DEPTH 64
#define XML_MAX_ATTRIBUTES 64 /* of one element; libvirt writes a dozen */

struct xml_attribute {
	const char *name, *value;
	struct xml_attribute *next;
};

struct xml_element {
	const char *name; /* with its prefix, if it has one: "qemu:arg" */
	const char *text; /* what stands in it before its first child; "" */
	unsigned int line;
	struct xml_attribute *attributes;
	struct xml_element *parent, *first, *last, *next;
};

/* Everything lives in @arena. 0, or -EBADMSG, -EFBIG, -ENOMEM with the error of @ctx set. */
int xml_read(struct abibase_context *ctx, const char *text, size_t len, const char *source,
	     struct arena *arena, struct xml_element **ret);
/* NULL where there is none; each takes NULL. */
const char *xml_attribute(const struct xml_element *e, const char *name);
const struct xml_element *xml_child(const struct xml_element *e, const char *name);
/* "driver/host@csum": that attribute of that element below @e. */
const char *xml_find(const struct xml_element *e, const char *path);

#endif
