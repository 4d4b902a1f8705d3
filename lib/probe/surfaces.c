/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which surfaces are asked: those that were named, or all that are not left out. */

#include "base/context.h"
#include "document/baseline.h"
#include "document/catalogue.h"
#include "probe/probe.h"

static const char *const before[] = { "tap", "macvtap", "ipvtap" };
static const char *const after[] = { "vhost-vdpa", "params", "ebpf", "qemu" };

/* The @i-th surface, with every /dev/vhost-* in between; NULL: there is none. */
static const char *surface(size_t i)
{
	const struct probe_surface *s = probe_vhosts;

	if (i < ARRAY_SIZE(before))
		return before[i];
	for (i -= ARRAY_SIZE(before); s->name && i; i--)
		s++;
	if (s->name)
		return s->option;
	return i < ARRAY_SIZE(after) ? after[i] : NULL;
}

static int find(const char *name)
{
	for (int i = 0; surface((size_t)i); i++)
		if (streq(surface((size_t)i), name))
			return i;
	return -1;
}

/* It costs more than it is worth to most: a device is made for it. */
static bool is_on_request(const char *name)
{
	return streq(name, "macvtap") || streq(name, "ipvtap");
}

static int choose(struct abibase_probe *pr, const char *name, unsigned int *mask)
{
	_buf_ list = { 0 };
	int i = find(name);

	if (i >= 0) {
		*mask |= 1u << i;
		return 0;
	}
	for (size_t k = 0; surface(k); k++)
		buf_printf(&list, "%s%s", k ? ", " : "", surface(k));
	if (buf_failed(&list))
		return context_oom(pr->ctx);
	return context_fail(pr->ctx, EINVAL, "probe-no-surface", NULL,
			    "there is no surface \"%s\"; there are: %s", name, list.data);
}

ABIBASE_EXPORT int abibase_probe_only(struct abibase_probe *pr, const char *surface)
{
	return choose(pr, surface, &pr->only);
}

ABIBASE_EXPORT int abibase_probe_skip(struct abibase_probe *pr, const char *surface)
{
	return choose(pr, surface, &pr->skip);
}

static bool has_fact(const struct probe_surface *s, const char *fact, size_t len)
{
	for (size_t i = 0; i < s->n_facts; i++)
		if (strlen(s->facts[i].id) == len && !strncmp(s->facts[i].id, fact, len))
			return true;
	return false;
}

/* The surface that answers this condition, "vhost_net.features[40]", if any does */
static const struct probe_surface *answers(const char *condition)
{
	static const struct probe_surface *const others[] = { &probe_tap, &probe_macvtap,
							      &probe_ebpf };
	size_t len = strcspn(condition, "[");

	for (const struct probe_surface *s = probe_vhosts; s->name; s++)
		if (has_fact(s, condition, len))
			return s;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (has_fact(others[i], condition, len))
			return others[i];
	return NULL;
}

static void ask_for(struct abibase_probe *pr, const char *condition)
{
	const struct probe_surface *s = answers(condition);

	if (s)
		pr->only |= 1u << find(s->option);
}

void probe_choose(struct abibase_probe *pr, const struct abibase_catalogue *cat,
		  const struct abibase_baseline *b)
{
	uint64_t word[2];

	pr->only |= 1u << find("qemu");
	for (size_t i = 0; i < cat->n_backends; i++) {
		const struct backend *be = &cat->backends[i];

		for (size_t k = 0; baseline_offered(b, be->name, word) && k < be->n_usable; k++)
			ask_for(pr, cat->conditions[be->usable[k]].name);
	}
	for (size_t i = 0; i < b->n_values; i++)
		for (size_t k = 0; b->values[i].on && k < b->values[i].n_requires; k++)
			ask_for(pr, b->values[i].requires[k]);
}

bool probe_named(const struct abibase_probe *pr, const char *option)
{
	return (pr->only & 1u << find(option)) != 0;
}

bool probe_wants(const struct abibase_probe *pr, const char *option)
{
	int i = find(option);

	if (pr->skip & 1u << i)
		return false;
	return pr->only ? (pr->only & 1u << i) != 0 : !is_on_request(option);
}
