/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A catalogue asks for more than a profile was asked when it was recorded. What its build records
 * say of the rows that are new is added to its entries, as a probe with this catalogue would have
 * written them.
 */

#include <errno.h>

#include "base/context.h"
#include "base/known.h"
#include "document/build.h"

/* The value that most machine types have, of a property that all of them have; borrowed. */
static json_t *most_common(const json_t *values, const char *key)
{
	const char *machine, *other;
	json_t *best = NULL, *v, *w;
	size_t most = 0;

	json_object_foreach((json_t *)values, machine, v) {
		json_t *candidate = json_object_get(v, key);
		size_t n = 0;

		if (!candidate)
			return NULL;
		json_object_foreach((json_t *)values, other, w)
			n += json_equal(json_object_get(w, key), candidate);
		if (n > most) {
			most = n;
			best = candidate;
		}
	}
	return best;
}

int values_say_once(json_t *entry, const char *key)
{
	json_t *values = json_object_get(entry, "values"), *common = most_common(values, key), *v;
	json_t *defaults = common ? json_member(entry, "defaults") : NULL;
	const char *machine;

	if (!common)
		return 0;
	if (!defaults || json_object_set(defaults, key, common) < 0)
		return -ENOMEM;
	json_object_foreach(values, machine, v)
		if (json_equal(json_object_get(v, key), common))
			json_object_del(v, key);
	return 0;
}

static int fill_values(json_t *entry, const struct row *row, const json_t *root)
{
	const struct build_question question = { .class_name = row->asked,
						 .property = row->property,
						 .mac = streq(row->type, MAC),
						 .def = row->def,
						 .realized = row->realized };
	const char *machine;
	json_t *v;

	json_object_foreach(json_object_get(entry, "values"), machine, v) {
		json_t *value = build_value(root, machine, &question);

		if (value && json_object_set_new(v, row->key, value) < 0)
			return -ENOMEM;
	}
	return values_say_once(entry, row->key);
}

static int fill_row(json_t *entry, const struct row *row, const json_t *root)
{
	const char *type = build_property(root, row->asked, row->property);
	json_t *properties = json_member(entry, "properties"), *known;

	known = properties ? json_member(properties, row->class_name) : NULL;
	if (!known)
		return -ENOMEM;
	if (!type)
		return 0;
	if (json_object_set_new(known, row->property,
				json_stringn(type, strcspn(type, "="))) < 0)
		return -ENOMEM;
	return fill_values(entry, row, root);
}

/*
 * Does the record have the class of each new row? Of one that it was not made of nothing is known;
 * where the entry has that class the row would be taken for a property that QEMU does not have.
 */
static bool can_fill(const struct abibase_catalogue *cat, const json_t *entry, const json_t *root)
{
	bool any = false;

	for (size_t i = 0; i < cat->n_rows; i++) {
		const struct row *row = &cat->rows[i];

		if (row->added <= profile_asked(entry))
			continue;
		if (build_has_class(root, row->asked))
			any = true;
		else if (json_object_get(json_object_get(entry, "properties"), row->class_name))
			return false;
	}
	return any;
}

int build_fill(const struct abibase_catalogue *cat, const struct profile_qemu *q, json_t **ret)
{
	json_auto_t *entry = NULL;

	*ret = NULL;
	if (!q->record || !can_fill(cat, q->json, q->record->root))
		return 0;
	entry = json_deep_copy(q->json);
	if (!entry)
		return -ENOMEM;
	for (size_t i = 0; i < cat->n_rows; i++) {
		const struct row *row = &cat->rows[i];

		if (row->added > profile_asked(q->json) &&
		    build_has_class(q->record->root, row->asked) &&
		    fill_row(entry, row, q->record->root) < 0)
			return -ENOMEM;
	}
	if (json_object_set_new(entry, "catalogue", json_integer(cat->revision)) < 0)
		return -ENOMEM;
	/* what no reader would take must not get into a baseline */
	if (form_accepts(&qemu_form, entry))
		*ret = json_incref(entry);
	return 0;
}

static int fill_all(const struct abibase_catalogue *cat, struct abibase_profile *to)
{
	for (size_t i = 0; i < to->n_qemu; i++) {
		if (build_fill(cat, &to->qemu[i], &to->qemu[i].filled) < 0)
			return -ENOMEM;
		if (to->qemu[i].filled)
			to->qemu[i].json = to->qemu[i].filled;
	}
	return 0;
}

static bool is_old(const struct abibase_catalogue *cat, const struct abibase_profile *p)
{
	for (size_t i = 0; i < p->n_qemu; i++)
		if (p->qemu[i].record && can_fill(cat, p->qemu[i].json, p->qemu[i].record->root))
			return true;
	return false;
}

int profile_current(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		    const struct abibase_profile *p, struct abibase_profile **ret)
{
	struct abibase_profile *to;

	if (!is_old(cat, p)) {
		*ret = abibase_profile_ref((struct abibase_profile *)p);
		return 0;
	}
	to = profile_share((struct abibase_profile *)p);
	if (!to || fill_all(cat, to) < 0) {
		abibase_profile_unref(to);
		return context_oom(ctx);
	}
	*ret = to;
	return 0;
}

int profile_make_current(struct abibase_context *ctx, const struct abibase_catalogue *cat,
			 struct abibase_profile **p)
{
	struct abibase_profile *current;
	int r = profile_current(ctx, cat, *p, &current);

	if (r < 0)
		return r;
	abibase_profile_unref(*p);
	*p = current;
	return 0;
}
