/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "base/version.h"

/* Reads up to three numbers; returns what follows them, or NULL when there is none at all. */
static const char *parse(const char *s, struct version *ret)
{
	struct version v = { 0 };
	const char *end = NULL;

	for (int i = 0; i < 3; i++) {
		unsigned int n = 0;

		if (*s < '0' || *s > '9')
			break;
		for (; *s >= '0' && *s <= '9'; s++) {
			if (n > (UINT_MAX - 9) / 10)
				return NULL;
			n = n * 10 + (unsigned int)(*s - '0');
		}
		v.part[i] = n;
		end = s;
		if (*s != '.')
			break;
		s++;
	}
	if (end)
		*ret = v;
	return end;
}

bool version_parse(const char *s, struct version *ret)
{
	struct version v;
	const char *end = parse(s, &v);

	if (!end || *end)
		return false;
	*ret = v;
	return true;
}

bool version_parse_prefix(const char *s, struct version *ret)
{
	return parse(s, ret) != NULL;
}

bool version_range_parse(const char *s, struct version_range *ret)
{
	struct version first, last;
	const char *end = parse(s, &first);

	if (!end)
		return false;
	last = first;
	if (*end == '-' && !version_parse(end + 1, &last))
		return false;
	if (*end && *end != '-')
		return false;
	ret->first = first;
	ret->last = last;
	return true;
}

int version_cmp(const struct version *a, const struct version *b)
{
	for (int i = 0; i < 3; i++)
		if (a->part[i] != b->part[i])
			return a->part[i] < b->part[i] ? -1 : 1;
	return 0;
}

bool version_is_zero(const struct version *v)
{
	return !v->part[0] && !v->part[1] && !v->part[2];
}

bool version_in(const struct version *v, const struct version_range *ranges, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		if (version_cmp(v, &ranges[i].first) >= 0 && version_cmp(v, &ranges[i].last) <= 0)
			return true;
	return false;
}

/*
 * Upstream's releases have two numbers, without zeros before them, and from 4.0 on 0 to 2 as the
 * second; one machine type is of three.
 */
static bool is_release(const char *s, enum machine_family family, const struct version *v)
{
	unsigned int last = v->part[0] > 3 ? 2 : v->part[0] > 2 ? 1 : 12;
	char text[32];

	if (streq(s, "4.0.1"))
		return family == MACHINE_Q35;
	snprintf(text, sizeof(text), "%u.%u", v->part[0], v->part[1]);
	return streq(s, text) && v->part[1] <= last;
}

void machine_name_parse(const char *s, struct machine_name *ret)
{
	static const struct {
		const char *prefix;
		enum machine_family family;
	} families[] = {
		{ "pc-q35-", MACHINE_Q35 },
		{ "pc-i440fx-", MACHINE_I440FX },
	};

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const char *rest = s + strlen(families[i].prefix);
		const char *end;

		if (!strprefix(s, families[i].prefix))
			continue;
		ret->family = families[i].family;
		ret->versioned = strpbrk(rest, "0123456789") != NULL;
		end = parse(rest, &ret->version);
		ret->upstream = end && is_release(rest, ret->family, &ret->version);
		if (!ret->upstream)
			memset(&ret->version, 0, sizeof(ret->version));
		return;
	}
}

int machine_name_cmp(const char *a, const char *b)
{
	struct machine_name x, y;
	int r;

	machine_name_parse(a, &x);
	machine_name_parse(b, &y);
	if (x.family != y.family)
		return x.family < y.family ? -1 : 1;
	if (x.upstream != y.upstream)
		return x.upstream ? 1 : -1;
	r = version_cmp(&x.version, &y.version);
	return r ? r : strverscmp(a, b);
}
