/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refusal.h"

/* Why a guest was not started: what a check of this host has found, each cause once. */

/* One fact that is missing keeps several properties from what they should be. */
static bool same_cause(const struct abibase_value *a, const struct abibase_value *b)
{
	return *field(a, "cause") && streq(field(a, "cause"), field(b, "cause")) &&
	       streq(field(a, "kind"), field(b, "kind")) &&
	       streq(field(a, "layer"), field(b, "layer"));
}

static bool said_before(const struct abibase_result *res, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same_cause(abibase_result_finding(res, k), abibase_result_finding(res, i)))
			return true;
	return false;
}

static void say_names(const struct abibase_result *res, size_t first, const char *name, FILE *out)
{
	const struct abibase_value *cause = abibase_result_finding(res, first);
	const char *separator = "";

	for (size_t i = first; abibase_result_finding(res, i); i++) {
		if (!same_cause(cause, abibase_result_finding(res, i)))
			continue;
		fprintf(out, "%s%s", separator, field(abibase_result_finding(res, i), name));
		separator = ", ";
	}
}

static const struct abibase_value *checked_host(const struct abibase_result *res)
{
	return abibase_value_get(abibase_result_value(res), "hosts/0");
}

static void say_cause(const struct abibase_result *res, size_t i, FILE *out)
{
	const struct abibase_value *f = abibase_result_finding(res, i);
	bool unknown = streq(field(f, "kind"), "unknown");

	fprintf(out, unknown ? "%s: whether %s has what the baseline promises is unknown (%s): " :
			       "%s: %s lacks what the baseline promises (%s): ",
		field(checked_host(res), "host"), field(f, "layer"), field(f, "cause"));
	say_names(res, i, "property", out);
	fputs(" (", out);
	say_names(res, i, "feature", out);
	fputs(")", out);
}

static void say_finding(const struct abibase_result *res, size_t i, FILE *out)
{
	const struct abibase_value *f = abibase_result_finding(res, i);

	if (is_note(f) || said_before(res, i))
		return;
	fprintf(out, "abibase: %s: ", field(f, "kind"));
	if (*field(f, "cause"))
		say_cause(res, i, out);
	else
		fputs(field(f, "text"), out);
	fprintf(out, " [%s]\n", field(f, "id"));
	if (*field(f, "remedy"))
		fprintf(out, "  remedy: %s\n", field(f, "remedy"));
}

/* What it would take to start guests here all the same. */
static void say_admission(const struct abibase_result *res, FILE *out)
{
	const struct abibase_value *loses = abibase_value_member(checked_host(res), "loses");
	const char *id = field(checked_host(res), "admit_id");
	size_t n = abibase_value_count(loses);

	if (!*id || !n)
		return;
	fputs("  or: new guests without ", out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%s", i ? ", " : "",
			abibase_value_string(abibase_value_item(loses, i)));
	fprintf(out, ", under the baseline %s: abibase intersect --json BASELINE PROFILE makes it of "
		     "this one and the profile of this host\n",
		id);
}

/* In one piece, so that other writers of the same log do not come in between. */
void refusal_say(const struct abibase_result *res)
{
	_autofree_ char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; out && abibase_result_finding(res, i); i++)
		say_finding(res, i, out);
	if (out)
		say_admission(res, out);
	if (out && fclose(out) == 0)
		cli_print(cli_stderr(), text);
	else
		cli_oom();
}
