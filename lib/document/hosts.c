/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/context.h"
#include "document/build.h"
#include "document/errata.h"
#include "document/hosts.h"

struct host *host_new(const char *name, size_t n_numbers, size_t n_answers, size_t n_qemu,
		      size_t n_unasked)
{
	size_t unasked_bytes = n_unasked * sizeof(struct host_unasked);
	size_t number_bytes = n_numbers * sizeof(int64_t);
	size_t qemu_bytes = n_qemu * sizeof(struct host_qemu);
	size_t answer_bytes = n_answers * sizeof(unsigned int);
	struct host *h = calloc(1, sizeof(*h) + number_bytes + qemu_bytes + unasked_bytes +
					   answer_bytes + strlen(name) + 1);

	if (!h)
		return NULL;
	h->refcount = 1;
	h->n_qemu = n_qemu;
	/* the widest first */
	h->numbers = (int64_t *)(void *)(h + 1);
	h->qemu = (struct host_qemu *)(void *)((char *)h->numbers + number_bytes);
	h->n_unasked = n_unasked;
	h->unasked = (struct host_unasked *)(void *)((char *)h->qemu + qemu_bytes);
	h->answers = (unsigned int *)(void *)((char *)h->unasked + unasked_bytes);
	for (size_t i = 0; i < n_numbers; i++)
		h->numbers[i] = NUMBER_UNSTATED;
	h->name = (char *)h->answers + answer_bytes;
	strcpy(h->name, name);
	return h;
}

static DEFINE_REF(host, host_ref)

struct host *host_like(struct host *h, const char *name)
{
	struct host *to = malloc(sizeof(*to) + strlen(name) + 1);

	if (!to)
		return NULL;
	*to = *h;
	to->refcount = 1;
	to->like = host_ref(h->like ? h->like : h);
	to->name = (char *)(to + 1);
	strcpy(to->name, name);
	return to;
}

struct host *host_unref(struct host *h)
{
	struct host *like;

	if (!h || __atomic_sub_fetch(&h->refcount, 1, __ATOMIC_ACQ_REL) > 0)
		return NULL;
	like = h->like;
	free(h); /* one block: see host_new() */
	return like ? host_unref(like) : NULL;
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

/* The beginning of a name */
struct part {
	const char *s;
	size_t len;
};

static int part_cmp(const void *part, const void *name)
{
	const struct part *p = part;
	const char *s = *(char *const *)name;
	int r = strncmp(p->s, s, p->len);

	return r ? r : -(s[p->len] != '\0');
}

/* In a sorted set, under one of the names that host_is() takes */
static bool is_listed(const struct strings *names, const struct host *h)
{
	struct part p = { h->name, strlen(h->name) };
	size_t dated = sizeof("-2026.11") - 1;

	if (!names->n || bsearch(&p, names->s, names->n, sizeof(*names->s), part_cmp))
		return names->n;
	p.len = p.len > dated ? p.len - dated : 0;
	return host_is(h, h->name, p.len) &&
	       bsearch(&p, names->s, names->n, sizeof(*names->s), part_cmp);
}

bool inputs_assumes_qemu(const struct inputs *in, const struct host *h)
{
	return !h->n_qemu && is_listed(&in->policy.assume, h);
}

static int name_cmp(const void *name, const void *host)
{
	return strcmp(name, (*(struct host *const *)host)->name);
}

long inputs_host(const struct inputs *in, const char *name)
{
	struct host **at = in->n_hosts ? bsearch(name, in->hosts, in->n_hosts, sizeof(*in->hosts),
						 name_cmp) :
					 NULL;

	return at ? at - in->hosts : -1;
}

bool inputs_assume_qemu_of(const struct inputs *in, const char *name)
{
	long i = inputs_host(in, name);

	return i >= 0 && inputs_assumes_qemu(in, in->hosts[i]);
}

bool inputs_is_dest(const struct inputs *in, const struct host *h)
{
	return !in->policy.dest.n || is_listed(&in->policy.dest, h);
}

struct build *build_new(const char *digest, json_t *entry)
{
	struct build *b = entry ? calloc(1, sizeof(*b)) : NULL;

	if (!b) {
		json_decref(entry);
		return NULL;
	}
	b->refcount = 1;
	strcpy(b->digest, digest);
	b->entry = entry;
	b->version = string_of(entry, "version");
	b->target = string_of(entry, "target");
	return b;
}

static DEFINE_REF(build, build_ref)

static void build_unref(struct build *b)
{
	if (b && __atomic_sub_fetch(&b->refcount, 1, __ATOMIC_ACQ_REL) == 0) {
		json_decref(b->entry);
		free(b);
	}
}

static const char *interned(const struct inputs *in, unsigned int i)
{
	return i == NO_PATH ? NULL : in->strings.s[i];
}

const char *host_path(const struct inputs *in, const struct host_qemu *q)
{
	return interned(in, q->path);
}

static const char *build_digest(const void *builds, size_t i)
{
	return ((struct build *const *)builds)[i]->digest;
}

long inputs_build(const struct inputs *in, const char *digest)
{
	return index_find(&in->by_digest, digest, in->builds, in->n_builds, build_digest);
}

int inputs_index_builds(struct inputs *in)
{
	return index_fill(&in->by_digest, in->builds, in->n_builds, build_digest);
}

static void names_clear(char **names, size_t n)
{
	for (size_t i = 0; names && i < n; i++)
		free(names[i]);
	free(names);
}

/* Each set of names that a policy has; NULL: no more. */
static struct strings *set_of(struct policy *p, size_t i)
{
	struct strings *const sets[] = { &p->enable, &p->disable, &p->rows,
					 &p->assume, &p->dest,	  NULL };

	return sets[i];
}

void inputs_clear(struct inputs *in)
{
	free(in->policy.machine);
	free(in->policy.target);
	for (size_t i = 0; set_of(&in->policy, i); i++)
		strings_clear(set_of(&in->policy, i));
	names_clear(in->backends, in->n_backends);
	names_clear(in->conditions, in->n_conditions);
	names_clear(in->numbers, in->n_numbers);
	for (size_t i = 0; i < in->n_hosts; i++)
		host_unref(in->hosts[i]);
	free(in->hosts);
	index_clear(&in->by_name);
	index_clear(&in->by_digest);
	index_clear(&in->by_text);
	for (size_t i = 0; i < in->n_builds; i++)
		build_unref(in->builds[i]);
	free(in->builds);
	strings_clear(&in->strings);
	memset(in, 0, sizeof(*in));
}

/* Copies of the names that begin structs of @size bytes, or of names alone. */
static int names_copy(const void *from, size_t size, size_t n, char ***to, size_t *to_n)
{
	*to = calloc(n + 1, sizeof(**to));
	for (const char *p = from; *to && *to_n < n; p += size) {
		(*to)[*to_n] = strdup(*(const char *const *)(const void *)p);
		if (!(*to)[(*to_n)++])
			return -ENOMEM;
	}
	return *to ? 0 : -ENOMEM;
}

static int strings_copy(const struct strings *from, struct strings *to)
{
	to->cap = from->n;
	return names_copy(from->s, sizeof(*from->s), from->n, &to->s, &to->n);
}

static int policy_copy(struct policy *from, struct policy *to)
{
	*to = *from;
	to->machine = to->target = NULL;
	for (size_t i = 0; set_of(to, i); i++)
		memset(set_of(to, i), 0, sizeof(struct strings));
	for (size_t i = 0; set_of(to, i); i++)
		if (strings_copy(set_of(from, i), set_of(to, i)) < 0)
			return -ENOMEM;
	return context_replace(NULL, &to->machine, from->machine) < 0 ?
		       -ENOMEM :
		       context_replace(NULL, &to->target, from->target);
}

static int copy_parts(const struct inputs *from, struct inputs *to)
{
	if (policy_copy((struct policy *)&from->policy, &to->policy) < 0 ||
	    names_copy(from->backends, sizeof(char *), from->n_backends, &to->backends,
		       &to->n_backends) < 0 ||
	    names_copy(from->conditions, sizeof(char *), from->n_conditions, &to->conditions,
		       &to->n_conditions) < 0 ||
	    names_copy(from->numbers, sizeof(char *), from->n_numbers, &to->numbers,
		       &to->n_numbers) < 0 ||
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
	to->n_alike = from->n_alike;
	if (copy_parts(from, to) < 0) {
		inputs_clear(to);
		return -ENOMEM;
	}
	return 0;
}

static int share_build(struct inputs *to, struct build *b, unsigned int *ret)
{
	long i = inputs_build(to, b->digest);

	if (i < 0) {
		if (array_grow(&to->builds, to->n_builds, &to->cap_builds,
			       sizeof(struct build *)) < 0)
			return -ENOMEM;
		i = (long)to->n_builds;
		to->builds[to->n_builds++] = build_ref(b);
	}
	*ret = (unsigned int)i;
	return 0;
}

/* A host of @in of this name, with lists of its own that are as long; NULL: no memory. */
static struct host *host_beside(const struct inputs *in, const struct host *h)
{
	struct host *to = host_new(h->name, in->n_numbers, in->n_conditions, h->n_qemu,
				   h->n_unasked);

	if (!to)
		return NULL;
	to->platform = h->platform;
	to->has_qemu = h->has_qemu;
	return to;
}

static void answer_like(const struct inputs *in, const struct host *like, struct host *to)
{
	memcpy(to->answers, like->answers, in->n_conditions * sizeof(*to->answers));
	memcpy(to->numbers, like->numbers, in->n_numbers * sizeof(*to->numbers));
}

/* The same answers in lists of its own; NULL: no memory. */
static struct host *host_copy(const struct inputs *in, const struct host *h)
{
	struct host *to = host_beside(in, h);

	if (!to)
		return NULL;
	to->arch = h->arch;
	answer_like(in, h, to);
	memcpy(to->qemu, h->qemu, h->n_qemu * sizeof(*to->qemu));
	memcpy(to->unasked, h->unasked, h->n_unasked * sizeof(*to->unasked));
	return to;
}

/* The same host, whose builds have other numbers. */
static int pick_host(const struct inputs *from, const struct host *h, struct inputs *to)
{
	struct host *copy = host_copy(from, h);
	int r = copy ? array_grow(&to->hosts, to->n_hosts, &to->cap_hosts,
				  sizeof(struct host *)) :
		       -ENOMEM;

	for (size_t i = 0; r == 0 && i < h->n_qemu; i++)
		r = share_build(to, from->builds[h->qemu[i].build], &copy->qemu[i].build);
	if (r < 0) {
		host_unref(copy);
		return r;
	}
	copy->revision = h->revision;
	copy->errata = h->errata;
	memcpy(copy->digest, h->digest, sizeof(h->digest));
	to->hosts[to->n_hosts++] = copy;
	return 0;
}

int inputs_pick(const struct inputs *from, const unsigned int *hosts, size_t n, struct inputs *to)
{
	struct inputs all = *from;
	int r;

	all.n_hosts = all.n_builds = 0;
	r = inputs_copy(&all, to);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = pick_host(from, from->hosts[hosts[i]], to);
	if (r < 0)
		inputs_clear(to);
	return r;
}

int inputs_from_catalogue(struct inputs *in, const struct abibase_catalogue *cat)
{
	in->catalogue_revision = cat->revision;
	for (size_t i = 0; i < cat->n_backends; i++)
		if (cat->backends[i].by_default)
			in->policy.backends |= 1u << i;
	if (names_copy(cat->numbers, sizeof(*cat->numbers), cat->n_numbers, &in->numbers,
		       &in->n_numbers) < 0 ||
	    names_copy(cat->backends, sizeof(*cat->backends), cat->n_backends, &in->backends,
		       &in->n_backends) < 0)
		return -ENOMEM;
	return names_copy(cat->conditions, sizeof(*cat->conditions), cat->n_conditions,
			  &in->conditions, &in->n_conditions);
}

/* ------------------------------------------------------- hosts, by name */

static const char *host_name(const void *hosts, size_t i)
{
	return ((struct host *const *)hosts)[i]->name;
}

static int fail_twice(struct abibase_context *ctx, const char *name)
{
	return context_fail(ctx, EEXIST, "name-twice", NULL,
			    "two different profiles are called \"%s\": call one otherwise, NAME=FILE",
			    name);
}

int hosts_twin(struct abibase_context *ctx, const char *name, const char *digest, const char *other,
	       const char *other_digest)
{
	if (!streq(name, other))
		return 0;
	return streq(digest, other_digest) ? 1 : fail_twice(ctx, name);
}

static const char *profile_name(const void *profiles, size_t i)
{
	return ((struct abibase_profile *const *)profiles)[i]->name;
}

int profiles_once(struct abibase_context *ctx, struct abibase_profile *const *list, size_t *n,
		  struct abibase_profile ***ret)
{
	struct abibase_profile **kept = calloc(*n + 1, sizeof(struct abibase_profile *));
	struct index by_name = { 0 };
	size_t n_kept = 0;
	int r = kept ? 0 : context_oom(ctx);

	for (size_t i = 0; r == 0 && i < *n; i++) {
		long at = index_find(&by_name, list[i]->name, kept, n_kept, profile_name);

		if (at >= 0)
			r = hosts_twin(ctx, kept[at]->name, kept[at]->digest, list[i]->name,
				       list[i]->digest);
		else
			kept[n_kept++] = list[i];
		r = r < 0 ? r : index_fill(&by_name, kept, n_kept, profile_name);
	}
	index_clear(&by_name);
	*n = n_kept;
	*ret = kept;
	return r == -ENOMEM ? context_oom(ctx) : r;
}

/* Enter @h unless the same host is there already. Takes the reference. */
static int add_host(struct abibase_context *ctx, struct inputs *in, struct host *h)
{
	long at = index_find(&in->by_name, h->name, in->hosts, in->n_hosts, host_name);

	if (at >= 0) {
		int r = 0;

		if (memcmp(in->hosts[at]->digest, h->digest, sizeof(h->digest)) != 0)
			r = fail_twice(ctx, h->name);
		host_unref(h);
		return r;
	}
	if (array_grow(&in->hosts, in->n_hosts, &in->cap_hosts, sizeof(struct host *)) < 0) {
		host_unref(h);
		return context_oom(ctx);
	}
	in->hosts[in->n_hosts++] = h;
	if (index_fill(&in->by_name, in->hosts, in->n_hosts, host_name) < 0)
		return context_oom(ctx);
	return 0;
}

/* ------------------------------------------------- a profile becomes a host */

/* Rebuilds of a QEMU say nearly all alike: what is equal is in memory once. */
#define LOOKED_AT 64 /* builds, of the last */
static void share_members(const struct inputs *in, json_t *entry)
{
	size_t last = in->n_builds > LOOKED_AT ? in->n_builds - LOOKED_AT : 0;
	const char *key;
	json_t *v;

	json_object_foreach(entry, key, v)
		for (size_t i = in->n_builds; i > last && (json_is_object(v) || json_is_array(v)); i--) {
			json_t *like = json_object_get(in->builds[i - 1]->entry, key);

			if (!json_equal(like, v))
				continue;
			json_object_set(entry, key, like);
			break;
		}
}

static int add_build(struct inputs *in, const char *digest, const json_t *entry,
		     unsigned int *ret)
{
	long i = inputs_build(in, digest);
	struct build *b;

	if (i >= 0) {
		*ret = (unsigned int)i;
		return 0;
	}
	if (array_grow(&in->builds, in->n_builds, &in->cap_builds, sizeof(struct build *)) < 0)
		return -ENOMEM;
	/* what is in it is never changed, and can be the profile's as well */
	b = build_new(digest, json_copy((json_t *)entry));
	if (!b)
		return -ENOMEM;
	json_object_del(b->entry, "path");
	share_members(in, b->entry);
	in->builds[in->n_builds] = b;
	*ret = (unsigned int)in->n_builds++;
	return inputs_index_builds(in);
}

int inputs_intern(struct inputs *in, const char *s, unsigned int *ret)
{
	*ret = NO_PATH;
	return s ? index_intern(&in->by_text, &in->strings, s, ret) : 0;
}

static int set_answer(struct inputs *in, struct host *h, size_t i, enum abibase_tri tri,
		      const char *reason)
{
	unsigned int index;

	h->answers[i] = (unsigned int)tri;
	if (tri != ABIBASE_UNKNOWN)
		return 0;
	if (inputs_intern(in, reason, &index) < 0)
		return -ENOMEM;
	h->answers[i] = ANSWER_UNKNOWN + index;
	return 0;
}

static int fill_qemu(struct inputs *in, const struct abibase_catalogue *cat, struct host_qemu *to,
		     const struct profile_qemu *from)
{
	json_auto_t *filled = NULL;

	if (inputs_build(in, from->digest) < 0 && build_fill(cat, from, &filled) < 0)
		return -ENOMEM;
	if (add_build(in, from->digest, filled ? filled : from->json, &to->build) < 0)
		return -ENOMEM;
	return inputs_intern(in, from->path, &to->path);
}

static int fill_unasked(struct inputs *in, struct host_unasked *to, const char *path,
			const char *reason)
{
	int r = inputs_intern(in, path, &to->path);

	return r < 0 ? r : inputs_intern(in, reason, &to->reason);
}

/* By digest and path: in which order a profile lists its QEMUs means nothing. */
static int host_qemu_order(const void *a, const void *b, void *data)
{
	const struct inputs *in = data;
	const struct host_qemu *x = a, *y = b;
	const char *p = host_path(in, x), *q = host_path(in, y);
	int r = strcmp(in->builds[x->build]->digest, in->builds[y->build]->digest);

	return r ? r : strcmp(p ? p : "", q ? q : "");
}

static int host_unasked_order(const void *a, const void *b, void *data)
{
	const struct inputs *in = data;
	const struct host_unasked *x = a, *y = b;
	int r = strcmp(x->path == NO_PATH ? "" : in->strings.s[x->path],
		       y->path == NO_PATH ? "" : in->strings.s[y->path]);

	return r ? r : strcmp(in->strings.s[x->reason], in->strings.s[y->reason]);
}

static void sort_qemu(struct inputs *in, struct host *h)
{
	if (h->n_unasked > 1)
		qsort_r(h->unasked, h->n_unasked, sizeof(*h->unasked), host_unasked_order, in);
	if (h->n_qemu > 1)
		qsort_r(h->qemu, h->n_qemu, sizeof(*h->qemu), host_qemu_order, in);
}

static unsigned int hex_digit(char c)
{
	return (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);
}

void host_set_digest(struct host *h, const char *hex)
{
	for (size_t i = 0; i < sizeof(h->digest); i++)
		h->digest[i] = (unsigned char)(hex_digit(hex[2 * i]) << 4 |
					       hex_digit(hex[2 * i + 1]));
}

static int fill_host(struct inputs *in, const struct abibase_catalogue *cat, struct host *h,
		     const struct abibase_profile *p)
{
	h->revision = p->revision;
	h->platform = streq(p->kind, "platform");
	h->has_qemu = p->has_qemu;
	h->errata = errata_of_kernel(cat, p->root);
	host_set_digest(h, p->digest);
	if (inputs_intern(in, p->arch, &h->arch) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < cat->n_conditions; i++) {
		const char *reason = NULL;
		enum abibase_tri tri = profile_ask(p, cat->conditions[i].fact,
						   cat->conditions[i].bit, &reason);

		if (set_answer(in, h, i, tri, reason) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < cat->n_numbers; i++)
		h->numbers[i] = profile_number(p, cat->numbers[i]);
	for (size_t i = 0; i < p->n_qemu; i++)
		if (fill_qemu(in, cat, &h->qemu[i], &p->qemu[i]) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < p->n_unasked; i++) {
		const json_t *u = profile_unasked(p, i);

		if (fill_unasked(in, &h->unasked[i], string_of(u, "path"),
				 string_of(u, "unknown")) < 0)
			return -ENOMEM;
	}
	sort_qemu(in, h);
	return 0;
}

/* What nobody can mean would be given to guests. */
static int check_numbers(struct abibase_context *ctx, const struct abibase_catalogue *cat,
			 const struct abibase_profile *p)
{
	for (size_t r = 0; r < cat->n_rows; r++) {
		const struct row *row = &cat->rows[r];
		const char *fact = row->fact < 0 ? NULL : cat->numbers[row->fact];
		int64_t n = fact ? profile_number(p, fact) : NUMBER_UNSTATED;

		if (!fact || !json_is_integer(json_object_get(p->facts, fact)) || n == 0 ||
		    (n >= row->least && n <= UINT16_MAX))
			continue;
		return context_fail(ctx, EINVAL, "fact-out-of-range", NULL,
				    "%s: the fact %s is %lld; accepted: 0, and %lld to %d", p->name,
				    fact, (long long)n, (long long)row->least, UINT16_MAX);
	}
	return 0;
}

/* What is asked of a fact decides what it can be; unknown it can always be. */
static const char *wanted_type(const json_t *v, int bit)
{
	const char *word = json_string_value(v);

	if (!v || json_is_object(v))
		return NULL;
	if (bit < 0)
		return json_is_boolean(v) ? NULL : "true or false";
	return json_is_false(v) || (word && strprefix(word, "0x")) ? NULL :
								      "a feature word, or false";
}

static int wrong_type(struct abibase_context *ctx, const struct abibase_profile *p,
		      const char *fact, const char *type)
{
	return context_fail(ctx, EINVAL, "json-bad-value", NULL, "%s: /facts/%s must be %s",
			    p->name, fact, type);
}

/* Of the values of a QEMU, @machine NULL: its defaults. A type that it recorded was looked at. */
static int check_values(struct abibase_context *ctx, const struct abibase_catalogue *cat,
			const json_t *entry, const char *where, const char *machine,
			const json_t *values)
{
	const json_t *properties = json_object_get(entry, "properties");

	for (size_t i = 0; i < cat->n_rows; i++) {
		const struct row *row = &cat->rows[i];
		const json_t *v = json_object_get(values, row->key);
		const json_t *types = v ? json_object_get(properties, row->class_name) : NULL;
		const char *wanted = v && !json_object_get(types, row->property) ?
					     build_value_wanted(row->type, v) :
					     NULL;

		if (wanted)
			return context_fail(ctx, EINVAL, "json-bad-value", NULL,
					    "%s/%s%s/%s must be %s", where,
					    machine ? "values/" : "defaults", machine ? machine : "",
					    row->key, wanted);
	}
	return 0;
}

/* @where: the entry, in words */
static int check_entry(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		       const json_t *entry, struct buf *where)
{
	const char *machine;
	json_t *values;
	int r;

	if (buf_failed(where))
		return context_oom(ctx);
	r = check_values(ctx, cat, entry, where->data, NULL, json_object_get(entry, "defaults"));
	json_object_foreach(json_object_get(entry, "values"), machine, values)
		if (r == 0)
			r = check_values(ctx, cat, entry, where->data, machine, values);
	return r;
}

/* @in: has builds that were looked at before, of which there are few; or NULL. */
static int check_qemus(struct abibase_context *ctx, const struct inputs *in,
		       const struct abibase_catalogue *cat, const struct abibase_profile *p)
{
	int r = 0;

	for (size_t n = 0; r == 0 && n < p->n_qemu; n++) {
		_buf_ where = { 0 };

		if (in && inputs_build(in, p->qemu[n].digest) >= 0)
			continue;
		buf_printf(&where, "%s: /qemu/%zu", p->name, n);
		r = check_entry(ctx, cat, p->qemu[n].json, &where);
	}
	return r;
}

int inputs_check_builds(struct abibase_context *ctx, const struct inputs *in,
			const struct abibase_catalogue *cat)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < in->n_builds; i++) {
		_buf_ where = { 0 };

		buf_printf(&where, "the baseline: /builds/%s", in->builds[i]->digest);
		r = check_entry(ctx, cat, in->builds[i]->entry, &where);
	}
	return r;
}

static int check_facts(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		       const struct abibase_profile *p)
{
	for (size_t i = 0; i < cat->n_conditions; i++) {
		const struct condition *c = &cat->conditions[i];
		const char *type = wanted_type(json_object_get(p->facts, c->fact), c->bit);

		if (type)
			return wrong_type(ctx, p, c->fact, type);
	}
	for (size_t i = 0; i < cat->n_numbers; i++) {
		const json_t *v = json_object_get(p->facts, cat->numbers[i]);

		if (v && !json_is_integer(v) && !json_is_object(v))
			return wrong_type(ctx, p, cat->numbers[i], "an integer");
	}
	return 0;
}

int profile_check_types(struct abibase_context *ctx, const struct abibase_catalogue *cat,
			const struct abibase_profile *p)
{
	int r = check_facts(ctx, cat, p);

	return r < 0 ? r : check_qemus(ctx, NULL, cat, p);
}

int inputs_host_of_profile(struct abibase_context *ctx, struct inputs *in,
			   const struct abibase_catalogue *cat, const struct abibase_profile *p,
			   struct host **ret)
{
	struct host *h = host_new(p->name, cat->n_numbers, cat->n_conditions, p->n_qemu,
				  p->n_unasked);
	int r = check_facts(ctx, cat, p);

	if (r == 0)
		r = check_qemus(ctx, in, cat, p);
	if (r == 0)
		r = check_numbers(ctx, cat, p);
	if (r == 0 && (!h || fill_host(in, cat, h, p) < 0))
		r = context_oom(ctx);
	if (r < 0) {
		host_unref(h);
		return r;
	}
	*ret = h;
	return 0;
}

int inputs_add_profile(struct abibase_context *ctx, struct inputs *in,
		       const struct abibase_catalogue *cat, const struct abibase_profile *p)
{
	struct host *h;
	int r = inputs_host_of_profile(ctx, in, cat, p, &h);

	return r < 0 ? r : add_host(ctx, in, h);
}

/* ------------------------------------------ a host of an earlier baseline */

/* Where the earlier baseline has this question, nearly always at the same place; or n_conditions. */
static unsigned int same_condition(const struct inputs *in, const struct inputs *from, size_t i)
{
	size_t k;

	if (i < from->n_conditions && streq(from->conditions[i], in->conditions[i]))
		return (unsigned int)i;
	for (k = 0; k < from->n_conditions; k++)
		if (streq(from->conditions[k], in->conditions[i]))
			break;
	return (unsigned int)k;
}

int inputs_relate(struct inputs *in, const struct inputs *from, struct relation *ret)
{
	*ret = (struct relation){ .condition = calloc(in->n_conditions + 1, sizeof(unsigned int)),
				  .string = calloc(from->strings.n + 1, sizeof(unsigned int)),
				  .alike = calloc(from->n_alike + 1, sizeof(struct host *)) };
	ret->n_alike = ret->alike ? from->n_alike + 1 : 0;
	if (!ret->condition || !ret->string || !ret->alike ||
	    inputs_intern(in, EARLIER_BASELINE, &ret->unasked) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < in->n_conditions; i++)
		ret->condition[i] = same_condition(in, from, i);
	for (size_t i = 0; i < from->strings.n; i++)
		if (inputs_intern(in, from->strings.s[i], &ret->string[i]) < 0)
			return -ENOMEM;
	return 0;
}

void relation_clear(struct relation *r)
{
	for (size_t i = 0; i < r->n_alike; i++)
		host_unref(r->alike[i]);
	free(r->alike);
	free(r->condition);
	free(r->string);
	*r = (struct relation){ 0 };
}

static unsigned int related(const struct relation *r, unsigned int string)
{
	return string == NO_PATH ? NO_PATH : r->string[string];
}

static void widen_answers(const struct inputs *in, const struct inputs *from,
			  const struct relation *r, const struct host *h, struct host *to)
{
	for (size_t i = 0; i < in->n_conditions; i++) {
		unsigned int k = r->condition[i];
		unsigned int answer = k < from->n_conditions ? h->answers[k] : 0;

		if (k == from->n_conditions)
			answer = ANSWER_UNKNOWN + r->unasked;
		else if (answer >= ANSWER_UNKNOWN)
			answer = ANSWER_UNKNOWN + r->string[answer - ANSWER_UNKNOWN];
		to->answers[i] = answer;
	}
	for (size_t i = 0; i < in->n_numbers; i++)
		for (size_t k = 0; k < from->n_numbers; k++)
			if (streq(from->numbers[k], in->numbers[i]))
				to->numbers[i] = h->numbers[k];
}

/* ------------------------------------------------------------------- in words */

void inputs_write_hosts(const struct inputs *in, const unsigned int *hosts, size_t n,
			const char *last, struct buf *out)
{
	size_t shown = n > HOSTS_NAMED + 1 ? HOSTS_NAMED : n;

	for (size_t i = 0; i < shown; i++)
		buf_printf(out, "%s%s", !i ? "" : i + 1 == n ? last : ", ",
			   in->hosts[hosts ? hosts[i] : i]->name);
	if (shown < n)
		buf_printf(out, " and %zu more", n - shown);
}

void inputs_write_backends(const struct inputs *in, unsigned int mask, const char *separator,
			   struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < in->n_backends; i++)
		if (mask & (1u << i))
			buf_printf(out, "%s%s", n++ ? separator : "", in->backends[i]);
}

/* A host with lists of its own; NULL: no memory. */
static struct host *relate_host(struct inputs *in, const struct inputs *from,
				const struct relation *r, const struct host *h,
				const struct host *like)
{
	struct host *to = host_beside(in, h);

	if (!to)
		return NULL;
	to->arch = related(r, h->arch);
	if (like)
		answer_like(in, like, to);
	else
		widen_answers(in, from, r, h, to);
	for (size_t i = 0; i < h->n_qemu; i++) {
		if (share_build(in, from->builds[h->qemu[i].build], &to->qemu[i].build) < 0)
			return host_unref(to);
		to->qemu[i].path = related(r, h->qemu[i].path);
	}
	for (size_t i = 0; i < h->n_unasked; i++)
		to->unasked[i] = (struct host_unasked){ related(r, h->unasked[i].path),
							related(r, h->unasked[i].reason) };
	return to;
}

int inputs_add_host_of(struct abibase_context *ctx, struct inputs *in, const struct inputs *from,
		       struct relation *r, const struct host *h, const struct host *like)
{
	struct host **one = h->alike ? &r->alike[h->alike] : NULL;
	struct host *to = one && *one ? host_like(*one, h->name) :
					relate_host(in, from, r, h, like);

	if (!to)
		return context_oom(ctx);
	if (one && !*one) {
		to->alike = ++in->n_alike;
		*one = host_ref(to);
	}
	to->revision = h->revision;
	memcpy(to->digest, h->digest, sizeof(h->digest));
	return add_host(ctx, in, to);
}

bool inputs_have(const void *inputs, const char *name)
{
	const struct inputs *in = inputs;

	for (size_t i = 0; i < in->n_hosts; i++)
		if (host_is(in->hosts[i], name, strlen(name)))
			return true;
	return false;
}

int hosts_check_names(struct abibase_context *ctx, const struct strings *names, const char *what,
		      bool (*is_host)(const void *hosts, const char *name), const void *hosts)
{
	for (size_t i = 0; i < names->n; i++)
		if (!is_host(hosts, names->s[i]))
			return context_fail(ctx, ENOENT, "no-such-host", NULL,
					    "%s \"%s\" is not among the hosts", what, names->s[i]);
	return 0;
}
