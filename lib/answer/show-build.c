/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A build record for people: how much it knows, and of what it says nothing. */

#include "answer/show.h"
#include "document/build.h"

#define LABEL 18

static void put_label(struct buf *b, const char *label)
{
	buf_printf(b, "%-*s", LABEL, label);
}

static void put_qemu(struct buf *b, const struct abibase_build *r)
{
	const char *package = string_of(r->root, "package"), *id = string_of(r->root, "build_id");

	put_label(b, "build record");
	buf_printf(b, "%s\n", r->digest);
	put_label(b, "QEMU");
	buf_puts(b, string_of(r->root, "version"));
	if (package && *package) {
		buf_puts(b, " (");
		show_text(b, package);
		buf_putc(b, ')');
	}
	buf_printf(b, ", %s\n", string_of(r->root, "target"));
	if (id) {
		put_label(b, "build id");
		show_text(b, id);
		buf_putc(b, '\n');
	}
}

static void put_names(struct buf *b, const char *label, const json_t *list)
{
	size_t i;
	json_t *v;

	put_label(b, label);
	json_array_foreach((json_t *)list, i, v) {
		buf_puts(b, i ? ", " : "");
		show_text(b, json_string_value(v));
	}
	buf_puts(b, json_array_size(list) ? "\n" : "none\n");
}

static void put_machines(struct buf *b, const json_t *root)
{
	const json_t *compat = json_object_get(root, "compat");
	const json_t *values = json_object_get(root, "values");

	put_label(b, "machine types");
	buf_printf(b, "%zu; ", json_object_size(json_object_get(root, "machines")));
	if (compat)
		buf_printf(b, "what each changes is recorded of %zu\n", json_object_size(compat));
	else
		buf_printf(b, "values were read of a device under %zu\n", json_object_size(values));
	if (!compat)
		put_names(b, "values of", json_object_get(root, "values_of"));
	put_label(b, "queue sizes");
	buf_printf(b, "of %zu machine types\n", json_object_size(json_object_get(root, "shape")));
}

int build_record_to_text(const struct abibase_build *r, char **ret)
{
	const json_t *properties = json_object_get(r->root, "properties");
	_buf_ b = { 0 };
	const char *key;
	size_t n = 0;
	json_t *v;

	json_object_foreach((json_t *)properties, key, v)
		n += json_object_size(v);
	put_qemu(&b, r);
	put_label(&b, "classes");
	buf_printf(&b, "%zu, with %zu properties of their own\n",
		   json_object_size(json_object_get(r->root, "classes")), n);
	put_names(&b, "classes not there", json_object_get(r->root, "absent"));
	put_machines(&b, r->root);
	return buf_give(&b, ret);
}
