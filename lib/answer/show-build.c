/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A build record for people: how much it knows, and of what it says nothing. */

#include "answer/show.h"
#include "document/build.h"

#define LABEL 18

static void put_qemu(struct buf *b, const struct abibase_build *r)
{
	const char *package = string_of(r->root, "package"), *id = string_of(r->root, "build_id");
	bool packed = package && *package;

	show_labelled(b, LABEL, "record", "%s", r->digest);
	show_labelled(b, LABEL, "QEMU", "%s%s%s%s, %s", string_of(r->root, "version"),
		      packed ? " (" : "", packed ? package : "", packed ? ")" : "",
		      string_of(r->root, "target"));
	if (id)
		show_labelled(b, LABEL, "build id", "%s", id);
}

static void put_names(struct buf *b, const char *label, const json_t *list)
{
	_buf_ names = { 0 };
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)list, i, v)
		buf_printf(&names, "%s%s", i ? ", " : "", json_string_value(v));
	b->failed |= buf_failed(&names);
	show_labelled(b, LABEL, label, "%s", names.data ? names.data : "none");
}

static void put_unknown(struct buf *b, const json_t *unknown)
{
	const char *name;
	json_t *why;

	json_object_foreach((json_t *)unknown, name, why)
		show_labelled(b, LABEL, "not known", "%s: %s", name, json_string_value(why));
}

static void put_machines(struct buf *b, const json_t *root)
{
	const json_t *compat = json_object_get(root, "compat");
	size_t of = json_object_size(compat ? compat : json_object_get(root, "values"));

	show_labelled(b, LABEL, "machine types",
		 compat ? "%zu; what each changes is recorded of %zu" :
			  "%zu; values were read of a device under %zu",
		 json_object_size(json_object_get(root, "machines")), of);
	if (!compat)
		put_names(b, "values of", json_object_get(root, "values_of"));
	show_labelled(b, LABEL, "queue sizes", "of %zu machine types",
		 json_object_size(json_object_get(root, "shape")));
}

int build_record_to_text(const struct abibase_build *r, size_t width, char **ret)
{
	const json_t *properties = json_object_get(r->root, "properties");
	_buf_ b = { .width = width };
	const char *key;
	size_t n = 0;
	json_t *v;

	json_object_foreach((json_t *)properties, key, v)
		n += json_object_size(v);
	put_qemu(&b, r);
	show_labelled(&b, LABEL, "classes", "%zu, with %zu properties of their own",
		 json_object_size(json_object_get(r->root, "classes")), n);
	put_names(&b, "classes not there", json_object_get(r->root, "absent"));
	put_unknown(&b, json_object_get(r->root, "x-unknown"));
	put_names(&b, "modules", json_object_get(r->root, "x-modules"));
	put_machines(&b, r->root);
	show_printf(&b, 0, 2, "See: abibase validate, abibase intersect");
	return buf_give(&b, ret);
}
