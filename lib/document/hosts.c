/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "document/baseline.h"

int strings_intern(struct strings *t, const char *s, unsigned int *ret)
{
	for (size_t i = 0; i < t->n; i++)
		if (streq(t->s[i], s)) {
			*ret = (unsigned int)i;
			return 0;
		}
	if (array_grow(&t->s, t->n, &t->cap, sizeof(*t->s)) < 0)
		return -ENOMEM;
	t->s[t->n] = strdup(s);
	if (!t->s[t->n])
		return -ENOMEM;
	*ret = (unsigned int)t->n++;
	return 0;
}

int strings_insert(struct strings *t, const char *s)
{
	size_t i = t->n;
	char *copy;

	if (strings_have(t, s))
		return 0;
	if (array_grow(&t->s, t->n, &t->cap, sizeof(*t->s)) < 0)
		return -ENOMEM;
	copy = strdup(s);
	if (!copy)
		return -ENOMEM;
	for (; i && strcmp(t->s[i - 1], s) > 0; i--)
		t->s[i] = t->s[i - 1];
	t->s[i] = copy;
	t->n++;
	return 0;
}

bool strings_have(const struct strings *t, const char *s)
{
	for (size_t i = 0; i < t->n; i++)
		if (streq(t->s[i], s))
			return true;
	return false;
}

bool strings_equal(const struct strings *a, const struct strings *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!streq(a->s[i], b->s[i]))
			return false;
	return true;
}

void strings_clear(struct strings *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->s[i]);
	free(t->s);
	memset(t, 0, sizeof(*t));
}

struct host *host_new(const char *name, size_t n_numbers, size_t n_answers, size_t n_qemu)
{
	size_t number_bytes = n_numbers * sizeof(int64_t);
	size_t qemu_bytes = n_qemu * sizeof(struct host_qemu);
	size_t answer_bytes = n_answers * sizeof(unsigned int);
	struct host *h = calloc(1, sizeof(*h) + number_bytes + qemu_bytes + answer_bytes +
					   strlen(name) + 1);

	if (!h)
		return NULL;
	h->refcount = 1;
	h->n_qemu = (unsigned int)n_qemu;
	/* the widest first */
	h->numbers = (int64_t *)(void *)(h + 1);
	h->qemu = (struct host_qemu *)(void *)((char *)h->numbers + number_bytes);
	h->answers = (unsigned int *)(void *)((char *)h->qemu + qemu_bytes);
	for (size_t i = 0; i < n_numbers; i++)
		h->numbers[i] = NUMBER_UNSTATED;
	h->name = (char *)h->answers + answer_bytes;
	strcpy(h->name, name);
	return h;
}

struct host *host_ref(struct host *h)
{
	__atomic_add_fetch(&h->refcount, 1, __ATOMIC_RELAXED);
	return h;
}

struct host *host_unref(struct host *h)
{
	if (h && __atomic_sub_fetch(&h->refcount, 1, __ATOMIC_ACQ_REL) == 0)
		free(h); /* one block: see host_new() */
	return NULL;
}

bool host_is(const struct host *h, const char *name, size_t len)
{
	const char *rest = h->name + len;
	int end = 0;

	if (strncmp(h->name, name, len) != 0)
		return false;
	if (!*rest)
		return true;
	return h->platform && sscanf(rest, "-%*4[0-9].%*2[0-9]%n", &end) == 0 && end == 8 &&
	       !rest[end];
}

bool inputs_is_dest(const struct inputs *in, const struct host *h)
{
	const struct strings *dest = &in->policy.dest;

	for (size_t i = 0; i < dest->n; i++)
		if (host_is(h, dest->s[i], strlen(dest->s[i])))
			return true;
	return !dest->n;
}

struct build *build_ref(struct build *b)
{
	__atomic_add_fetch(&b->refcount, 1, __ATOMIC_RELAXED);
	return b;
}

struct build *build_unref(struct build *b)
{
	if (b && __atomic_sub_fetch(&b->refcount, 1, __ATOMIC_ACQ_REL) == 0) {
		json_decref(b->entry);
		free(b);
	}
	return NULL;
}

const char *host_path(const struct inputs *in, const struct host_qemu *q)
{
	return q->path == NO_PATH ? NULL : in->strings.s[q->path];
}

long inputs_build(const struct inputs *in, const char *digest)
{
	for (size_t i = 0; i < in->n_builds; i++)
		if (streq(in->builds[i]->digest, digest))
			return (long)i;
	return -1;
}

static void names_clear(char **names, size_t n)
{
	for (size_t i = 0; names && i < n; i++)
		free(names[i]);
	free(names);
}

void inputs_clear(struct inputs *in)
{
	free(in->policy.machine);
	free(in->policy.target);
	strings_clear(&in->policy.enable);
	strings_clear(&in->policy.disable);
	strings_clear(&in->policy.dest);
	names_clear(in->backends, in->n_backends);
	names_clear(in->conditions, in->n_conditions);
	names_clear(in->numbers, in->n_numbers);
	for (size_t i = 0; i < in->n_hosts; i++)
		host_unref(in->hosts[i]);
	free(in->hosts);
	for (size_t i = 0; i < in->n_builds; i++)
		build_unref(in->builds[i]);
	free(in->builds);
	strings_clear(&in->strings);
	memset(in, 0, sizeof(*in));
}

static int names_copy(char *const *from, size_t n, char ***to, size_t *to_n)
{
	*to = calloc(n + 1, sizeof(**to));
	if (!*to)
		return -ENOMEM;
	for (; *to_n < n; (*to_n)++) {
		(*to)[*to_n] = strdup(from[*to_n]);
		if (!(*to)[*to_n])
			return -ENOMEM;
	}
	return 0;
}

static int strings_copy(const struct strings *from, struct strings *to)
{
	memset(to, 0, sizeof(*to));
	if (names_copy(from->s, from->n, &to->s, &to->n) < 0)
		return -ENOMEM;
	to->cap = to->n;
	return 0;
}

static int policy_copy(const struct policy *from, struct policy *to)
{
	*to = *from;
	to->machine = to->target = NULL;
	memset(&to->enable, 0, sizeof(to->enable));
	memset(&to->disable, 0, sizeof(to->disable));
	memset(&to->dest, 0, sizeof(to->dest));
	if (strings_copy(&from->enable, &to->enable) < 0 ||
	    strings_copy(&from->disable, &to->disable) < 0 ||
	    strings_copy(&from->dest, &to->dest) < 0)
		return -ENOMEM;
	if (from->machine && !(to->machine = strdup(from->machine)))
		return -ENOMEM;
	if (from->target && !(to->target = strdup(from->target)))
		return -ENOMEM;
	return 0;
}

static int copy_parts(const struct inputs *from, struct inputs *to)
{
	if (policy_copy(&from->policy, &to->policy) < 0 ||
	    names_copy(from->backends, from->n_backends, &to->backends, &to->n_backends) < 0 ||
	    names_copy(from->conditions, from->n_conditions, &to->conditions,
		       &to->n_conditions) < 0 ||
	    names_copy(from->numbers, from->n_numbers, &to->numbers, &to->n_numbers) < 0 ||
	    strings_copy(&from->strings, &to->strings) < 0)
		return -ENOMEM;
	to->hosts = calloc(from->n_hosts + 1, sizeof(struct host *));
	to->builds = calloc(from->n_builds + 1, sizeof(struct build *));
	if (!to->hosts || !to->builds)
		return -ENOMEM;
	to->cap_hosts = from->n_hosts;
	for (; to->n_hosts < from->n_hosts; to->n_hosts++)
		to->hosts[to->n_hosts] = host_ref(from->hosts[to->n_hosts]);
	to->cap_builds = from->n_builds;
	for (; to->n_builds < from->n_builds; to->n_builds++)
		to->builds[to->n_builds] = build_ref(from->builds[to->n_builds]);
	return 0;
}

int inputs_copy(const struct inputs *from, struct inputs *to)
{
	memset(to, 0, sizeof(*to));
	to->catalogue_revision = from->catalogue_revision;
	if (copy_parts(from, to) < 0) {
		inputs_clear(to);
		return -ENOMEM;
	}
	return 0;
}
