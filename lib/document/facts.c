/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/context.h"
#include "document/facts.h"
#include "base/version.h"

/* ------------------------------------------------------------- what is accepted */

static void check_bits(struct schema_walk *c, const json_t *v)
{
	json_int_t n = json_integer_value(v);

	if (n != 32 && n != 64 && n != 128)
		schema_fault(c, "json-bad-value",
			     "is %" JSON_INTEGER_FORMAT "; accepted: 32, 64, 128", n);
}

static void check_fact(struct schema_walk *c, const json_t *v)
{
	const char *kind = string_of(v, "kind");

	if (kind && streq(kind, "word") != !!json_object_get(v, "bits"))
		schema_fault(c, "json-bad-value", "a word has \"bits\", and nothing else has");
}

static const char *const kind_words[] = { "bool", "word", "int", "string", NULL };

static const struct member fact_members[] = {
	{ "bits", J_INT, .check = check_bits },
	{ "kind", J_STRING, .required = true, .words = kind_words },
	{ "since", J_STRING, .required = true, .check = schema_version },
	{ "source", J_STRING, .required = true, .check = schema_nonempty },
	{ 0 },
};

static const struct member facts_members[] = {
	{ "facts", J_OBJECT, .required = true,
	  .each = EACH(J_OBJECT, .members = fact_members, .more = MORE_FREE, .check = check_fact) },
	{ "schema", J_STRING, .required = true },
	{ 0 },
};

const struct form facts_form = { "facts", .members = facts_members, .more = MORE_FREE,
				 .max = JSON_MAX_CATALOGUE };

/* -------------------------------------------------------------------- the list */

/* What is no word at all, not just one of another width, is refused by the reader of profiles. */
static void check_width(struct schema_walk *c, const char *s, json_int_t bits)
{
	size_t digits;

	if (!strprefix(s, "0x")) {
		schema_fault(c, "json-bad-value",
			     "\"%s\" is not a feature word, and this fact is one of %d bits", s,
			     (int)bits);
		return;
	}
	digits = strspn(s + 2, "0123456789abcdef");
	if (!s[2 + digits] && digits && digits % 4 == 0 && digits * 4 != (size_t)bits)
		schema_fault(c, "json-bad-value", "has %zu bits; this fact is a word of %d",
			     digits * 4, (int)bits);
}

/* Of numbered devices the list has number 0: "vhost_vdpa.12.features" is "vhost_vdpa.0.features". */
static const json_t *find_fact(const json_t *facts, const char *id)
{
	const json_t *fact = json_object_get(facts, id);
	const char *dot = strchr(id, '.');
	size_t digits = dot ? strspn(dot + 1, "0123456789") : 0;
	char zeroed[64];
	int n;

	if (fact || !digits || dot[1 + digits] != '.')
		return fact;
	n = snprintf(zeroed, sizeof(zeroed), "%.*s.0%s", (int)(dot - id), id, dot + 1 + digits);
	return n > 0 && (size_t)n < sizeof(zeroed) ? json_object_get(facts, zeroed) : NULL;
}

void facts_check_value(struct schema_walk *c, const json_t *facts, const char *id, const json_t *v)
{
	const json_t *fact = find_fact(facts, id);
	const char *kind = string_of(fact, "kind");
	unsigned int type;

	if (!fact) {
		schema_warn(c, "fact-not-known",
			    "is not a fact that this version knows: it is kept, and changes no "
			    "answer");
		return;
	}
	/* a fact may be unknown; a word that is false is one that the kernel does not have */
	if (json_is_object(v) || (streq(kind, "word") && json_is_false(v)))
		return;
	if (!json_is_boolean(v) && !json_is_integer(v) && !json_is_string(v))
		return; /* refused for any fact, and told by the reader of profiles */
	type = streq(kind, "bool") ? J_BOOL : streq(kind, "int") ? J_INT : J_STRING;
	if (type == J_BOOL ? !json_is_boolean(v) :
	    type == J_INT  ? !json_is_integer(v) :
			     !json_is_string(v))
		schema_fault(c, "json-bad-value", "must be %s: facts.json lists this fact as such",
			     type == J_BOOL	   ? "true or false" :
			     type == J_INT	   ? "an integer" :
			     streq(kind, "word") ? "a feature word, or false" :
						  "a string");
	else if (streq(kind, "word"))
		check_width(c, json_string_value(v),
			    json_integer_value(json_object_get(fact, "bits")));
}
