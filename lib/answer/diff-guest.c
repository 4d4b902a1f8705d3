/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What of two profiles matters to a guest: its machine type, and its devices on what they lie. */

#include "answer/diff-make.h"
#include "document/page.h"

bool diff_wants_fact(const struct comparison *c, const char *fact)
{
	for (size_t i = 0; c->guest && i < c->cat->n_conditions; i++)
		if (c->cat->conditions[i].backends & c->backends &&
		    streq(c->cat->conditions[i].fact, fact))
			return true;
	for (size_t i = 0; c->guest && i < c->cat->n_rows; i++)
		if (c->cat->rows[i].limit && streq(c->cat->rows[i].limit, fact) &&
		    diff_wants_class(c, c->cat->rows[i].class_name))
			return true;
	return !c->guest;
}

bool diff_wants_machine(const struct comparison *c, const char *machine)
{
	return !c->guest || !c->guest->machine || streq(c->guest->machine, machine);
}

bool diff_wants_class(const struct comparison *c, const char *class_name)
{
	return !c->guest || json_matches(c->classes->patterns, class_name);
}

bool diff_wants_key(const struct comparison *c, const char *key)
{
	_autofree_ char *class_name = strndup(key, strcspn(key, "."));

	c->d->arena.failed |= !class_name;
	return class_name && diff_wants_class(c, class_name);
}

void diff_guest_scope(const struct abibase_guest *g, const struct guest_classes *classes,
		      bool records, json_t **scope)
{
	const char *device;
	size_t i;
	json_t *v;

	json_array_foreach(classes->known, i, v)
		scope_add(scope, records ? "devices" : "not_compared", json_string_value(v));
	json_array_foreach(classes->rest, i, v)
		scope_add(scope, "not_compared", json_string_value(v));
	for (i = 0; (device = guest_unjudged(g, i)); i++)
		scope_add(scope, "not_compared", device);
}
