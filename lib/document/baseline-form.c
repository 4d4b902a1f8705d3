/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "document/baseline.h"
#include "document/codec.h"
#include "document/cohorts.h"
#include "document/value.h"
#include "base/context.h"

/*
 * The form of a baseline: its tables, and for each member that no table can read or write both
 * ways as functions side by side.
 *
 * It is read as it was written: nothing is worked out again, so that it means under a newer
 * catalogue what it meant when guests were started with it. What is unknown here is refused.
 */

#define S J_STRING
#define SN (J_STRING | J_NULL)
#define WORDS(list) .words = list, .words_unsaid = true
#define HOOK(h) .as = AS_HOOK, .hook = &(h)

/* ------------------------------------------------------------- names resolved */

struct reader {
	struct schema_walk *c;
	struct abibase_baseline *b; /* its arena has failed when memory ran out */
	const char **cohorts;	 /* the first host of each, sorted */
	unsigned int *cohort_of; /* for each host, once they are sorted */
	size_t n_cohorts;
	struct index conditions, numbers, used; /* by name */
	size_t n_refs; /* hosts that were looked at for a reason */
};

/* A word of a reason stands for any number of hosts: so many that 64 MiB cannot ask for hours. */
#define MAX_REFS ((size_t)1 << 27)

static void *take(struct reader *r, size_t n, size_t size)
{
	return arena_alloc(&r->b->arena, (n + 1) * size);
}

static void oom(struct reader *r)
{
	r->b->arena.failed = true;
}

static void not_there(struct reader *r, const char *what, const char *name)
{
	schema_fault(r->c, "json-bad-value", "\"%s\" is not among the %s of this baseline", name,
		     what);
}

static void names_fill(struct reader *r, const json_t *list, char ***ret, size_t *ret_n)
{
	size_t i;
	json_t *v;

	*ret = calloc(json_array_size(list) + 1, sizeof(**ret));
	json_array_foreach(list, i, v) {
		if (*ret)
			(*ret)[i] = strdup(json_string_value(v));
		if (!*ret || !(*ret)[i]) {
			oom(r);
			return;
		}
		(*ret_n)++;
	}
	if (!*ret)
		oom(r);
}

static int name_cmp(const void *key, const void *name)
{
	return strcmp(key, *(const char *const *)name);
}

/* The hosts of some cohorts, sorted. */
static unsigned int *host_refs(struct reader *r, const json_t *list, size_t *ret_n)
{
	_autofree_ bool *wanted = NULL;
	unsigned int *hosts;
	size_t i, n = 0;
	json_t *v;

	if (!json_array_size(list))
		return take(r, 0, sizeof(*hosts));
	r->n_refs += r->b->in.n_hosts;
	if (r->n_refs > MAX_REFS) {
		schema_fault(r->c, "json-bad-value", "too many reasons for so many hosts");
		return NULL;
	}
	wanted = calloc(r->n_cohorts + 1, sizeof(*wanted));
	if (!wanted) {
		oom(r);
		return NULL;
	}
	json_array_foreach(list, i, v) {
		const char **at = bsearch(json_string_value(v), r->cohorts, r->n_cohorts,
					  sizeof(*r->cohorts), name_cmp);

		if (at)
			wanted[at - r->cohorts] = true;
		else
			not_there(r, "cohorts", json_string_value(v));
	}
	for (i = 0; i < r->b->in.n_hosts; i++)
		n += wanted[r->cohort_of[i]];
	hosts = take(r, n, sizeof(*hosts));
	for (i = 0; hosts && i < r->b->in.n_hosts; i++)
		if (wanted[r->cohort_of[i]])
			hosts[(*ret_n)++] = (unsigned int)i;
	return hosts;
}

/* --------------------------------------------------------------- cohorts, as written */

struct writing {
	const struct abibase_baseline *b;
	struct cohorts cohorts;
	unsigned int now; /* the first host of the cohort that is written */
};

/* What only a device is asked about that this baseline is not for is none of its business. */
static bool is_asked(const struct stream *w, size_t condition)
{
	return cohorts_ask(&((const struct writing *)w->data)->cohorts, condition);
}

static const struct abibase_baseline *baseline_of(const struct stream *w)
{
	return ((const struct writing *)w->data)->b;
}

/* ------------------------------------------------------------------- common members */

/* An index into the strings of the inputs; NO_PATH: not there. */
static void read_interned(const struct codec *k, const struct member *m, const json_t *v, void *to)
{
	struct reader *r = k->data;
	unsigned int *i = to;

	if (inputs_intern(&r->b->in, json_string_value(v), i) < 0)
		oom(r);
}

static void write_interned(struct stream *w, const struct member *m, const void *from)
{
	unsigned int i = *(const unsigned int *)from;

	if (i != NO_PATH)
		stream_text(w, m->key, baseline_of(w)->in.strings.s[i]);
}
static const struct codec_hook interned_hook = { read_interned, write_interned };
#define INTERNED(type, field) INTO(type, HOOK, field), .hook = &interned_hook

static long find_backend(const struct reader *r, const char *name)
{
	const struct inputs *in = &r->b->in;

	return index_find(&(const struct index){ 0 }, name, in->backends, in->n_backends,
			  index_text);
}

static long find_condition(const struct reader *r, const char *name)
{
	const struct inputs *in = &r->b->in;

	return index_find(&r->conditions, name, in->conditions, in->n_conditions, index_text);
}

static long find_number(const struct reader *r, const char *name)
{
	const struct inputs *in = &r->b->in;

	return index_find(&r->numbers, name, in->numbers, in->n_numbers, index_text);
}

/* A mask of backends. */
static void read_mask(const struct codec *k, const struct member *m, const json_t *list, void *to)
{
	struct reader *r = k->data;
	unsigned int *mask = to;
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v) {
		long be = find_backend(r, json_string_value(v));

		if (be >= 0)
			*mask |= 1u << be;
		else
			not_there(r, "backends", json_string_value(v));
	}
}

static void write_mask(struct stream *w, const struct member *m, const void *from)
{
	unsigned int mask = *(const unsigned int *)from;
	const struct inputs *in = &baseline_of(w)->in;

	if (!mask && !m->required)
		return;
	stream_begin(w, m->key, '[');
	for (size_t i = 0; i < in->n_backends; i++)
		if (mask & (1u << i))
			stream_item(w, in->backends[i]);
	stream_close(w, ']');
}
static const struct codec_hook mask_hook = { read_mask, write_mask };

/* The cohorts of some hosts. */
static void write_cohorts(struct stream *w, const struct member *m, const unsigned int *hosts,
			  size_t n)
{
	const struct writing *o = w->data;

	stream_begin(w, m->key, '[');
	for (size_t i = 0; i < n; i++)
		if (o->cohorts.of[hosts[i]].first == hosts[i])
			stream_item(w, o->b->in.hosts[hosts[i]]->name);
	stream_close(w, ']');
}

static void read_refs(const struct codec *k, const struct member *m, const json_t *v, void *to)
{
	struct why *w = to;

	w->hosts = host_refs(k->data, v, &w->n_hosts);
}

static void write_refs(struct stream *w, const struct member *m, const void *from)
{
	const struct why *why = from;

	if (why->n_hosts)
		write_cohorts(w, m, why->hosts, why->n_hosts);
}
static const struct codec_hook refs_hook = { read_refs, write_refs };

/* A sorted set of names that is the struct's own. */
static void read_set(const struct codec *k, const struct member *m, const json_t *list, void *to)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		if (strings_add(to, json_string_value(v)) < 0)
			oom(k->data);
	strings_sort(to);
}

static void write_set(struct stream *w, const struct member *m, const void *from)
{
	const struct strings *s = from;

	stream_list(w, m, s->s, s->n);
}
static const struct codec_hook set_hook = { read_set, write_set };
#define SET(field) INTO(struct abibase_baseline, HOOK, field), .hook = &set_hook

/* ------------------------------------------------------------------- hosts, by cohort */

/* All is yes, but what is lacked here, or unknown further down. */
static void read_lacks(const struct codec *k, const struct member *m, const json_t *list, void *to)
{
	struct reader *r = k->data;
	struct host *h = to;
	size_t i;
	json_t *item;

	for (i = 0; i < r->b->in.n_conditions; i++)
		h->answers[i] = ABIBASE_YES;
	json_array_foreach(list, i, item) {
		long c = find_condition(r, json_string_value(item));

		if (c >= 0)
			h->answers[c] = ABIBASE_NO;
		else
			not_there(r, "conditions", json_string_value(item));
	}
}

static void write_lacks(struct stream *w, const struct member *m, const void *from)
{
	const struct inputs *in = &baseline_of(w)->in;
	const struct host *h = from;

	stream_begin(w, m->key, '[');
	for (size_t i = 0; i < in->n_conditions; i++)
		if (h->answers[i] == ABIBASE_NO && is_asked(w, i))
			stream_item(w, in->conditions[i]);
	stream_close(w, ']');
}
static const struct codec_hook lacks_hook = { read_lacks, write_lacks };

static void read_unknown(const struct codec *k, const struct member *m, const json_t *map, void *to)
{
	struct reader *r = k->data;
	struct host *h = to;
	const char *key;
	json_t *item;

	json_object_foreach((json_t *)map, key, item) {
		long c = find_condition(r, key);
		unsigned int s;

		if (c < 0)
			not_there(r, "conditions", key);
		else if (inputs_intern(&r->b->in, json_string_value(item), &s) < 0)
			oom(r);
		else
			h->answers[c] = ANSWER_UNKNOWN + s;
	}
}

static void write_unknown(struct stream *w, const struct member *m, const void *from)
{
	const struct inputs *in = &baseline_of(w)->in;
	const struct host *h = from;

	stream_begin(w, m->key, '{');
	for (size_t i = 0; i < in->n_conditions; i++)
		if (h->answers[i] >= ANSWER_UNKNOWN && is_asked(w, i))
			stream_text(w, in->conditions[i], answer_reason(in, h->answers[i]));
	stream_close(w, '}');
}
static const struct codec_hook unknown_hook = { read_unknown, write_unknown };

/* Only what the host states; most state nothing. */
static void read_numbers(const struct codec *k, const struct member *m, const json_t *map, void *to)
{
	const char *key;
	json_t *item;

	json_object_foreach((json_t *)map, key, item)
		((struct host *)to)->numbers[find_number(k->data, key)] = json_integer_value(item);
}

static void open_once(struct stream *w, const char *key, char c, bool *any)
{
	if (!*any)
		stream_begin(w, key, c);
	*any = true;
}

static void write_numbers(struct stream *w, const struct member *m, const void *from)
{
	const struct inputs *in = &baseline_of(w)->in;
	const struct host *h = from;
	bool any = false;

	for (size_t i = 0; i < in->n_numbers; i++) {
		if (h->numbers[i] == NUMBER_UNSTATED)
			continue;
		open_once(w, m->key, '{', &any);
		stream_int(w, in->numbers[i], h->numbers[i]);
	}
	if (any)
		stream_close(w, '}');
}
static const struct codec_hook numbers_hook = { read_numbers, write_numbers };

static void read_build(const struct codec *k, const struct member *m, const json_t *v, void *to)
{
	struct reader *r = k->data;
	long i = inputs_build(&r->b->in, json_string_value(v));

	if (i < 0)
		not_there(r, "builds", json_string_value(v));
	else
		*(unsigned int *)to = (unsigned int)i;
}

static void write_build(struct stream *w, const struct member *m, const void *from)
{
	stream_text(w, m->key, baseline_of(w)->in.builds[*(const unsigned int *)from]->digest);
}
static const struct codec_hook build_hook = { read_build, write_build };

static const struct member host_qemu_members[] = {
	{ "build", S, .required = true, .check = schema_digest,
	  INTO(struct host_qemu, HOOK, build), .hook = &build_hook },
	{ "path", S, .check = schema_nonempty, INTERNED(struct host_qemu, path) },
	{ 0 },
};

static const struct member unasked_members[] = {
	{ "path", S, .check = schema_nonempty, INTERNED(struct host_unasked, path) },
	{ "unknown", S, .required = true, .check = schema_name,
	  INTERNED(struct host_unasked, reason) },
	{ 0 },
};

/* Without a word an empty list means that nothing was recorded, as it always did. */
static void read_none(const struct codec *k, const struct member *m, const json_t *v, void *to)
{
	struct host *h = to;

	h->has_qemu = h->n_qemu || h->n_unasked || json_is_true(v);
}

static void write_none(struct stream *w, const struct member *m, const void *from)
{
	const struct host *h = from;

	if (h->has_qemu && !h->n_qemu && !h->n_unasked)
		stream_bool(w, m->key, true);
}
static const struct codec_hook none_hook = { read_none, write_none };

static void write_digest(struct stream *w, const char *key, const unsigned char *digest)
{
	static const char digits[] = "0123456789abcdef";
	char hex[DIGEST_HEX + 1] = "";

	for (size_t i = 0; i < DIGEST_HEX / 2; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	stream_text(w, key, hex);
}

/*
 * Each host of the cohort with the digest of its profile: a line each, so that a host that comes or
 * goes is a line that does.
 */
static void write_names(struct stream *w, const struct member *m, const void *from)
{
	const struct writing *o = w->data;

	stream_begin(w, m->key, '{');
	for (unsigned int i = o->now; i != NO_HOST; i = o->cohorts.of[i].next) {
		buf_puts(w->out, w->comma ? ",\n" : "\n");
		w->comma = false;
		write_digest(w, o->b->in.hosts[i]->name, o->b->in.hosts[i]->digest);
	}
	stream_close(w, '}');
}
static const struct codec_hook names_hook = { NULL, write_names };

/* Most profiles of hosts have none. */
static void write_revisions(struct stream *w, const struct member *m, const void *from)
{
	const struct writing *o = w->data;
	bool any = false;

	for (unsigned int i = o->now; i != NO_HOST; i = o->cohorts.of[i].next) {
		const struct host *h = o->b->in.hosts[i];

		if (!h->revision)
			continue;
		open_once(w, m->key, '{', &any);
		stream_int(w, h->name, h->revision);
	}
	if (any)
		stream_close(w, '}');
}
static const struct codec_hook revisions_hook = { NULL, write_revisions };

static const char *const host_words[] = { "host", "platform", NULL };

/* A cohort, by its first host. */
static const struct member input_members[] = {
	{ "arch", S, .required = true, .check = schema_name, INTERNED(struct host, arch) },
	{ "hosts", J_OBJECT, .required = true, .keys = schema_key, AT_LEAST(1),
	  .each = EACH(S, .check = schema_digest), HOOK(names_hook) },
	{ "kind", S, .required = true, WORDS(host_words), INTO(struct host, CHOICE, platform) },
	{ "lacks", J_ARRAY, .required = true, .each = EACH(S), HOOK(lacks_hook) },
	{ "numbers", J_OBJECT, .each = EACH(J_INT, LIMITS(0, UINT32_MAX)), HOOK(numbers_hook) },
	/* these lists are in the host's own block of memory */
	{ "qemu", J_ARRAY, .required = true,
	  INTO_LIST(struct host, qemu, host_qemu_members, MORE_NONE) },
	{ "qemu_none", J_BOOL, HOOK(none_hook) },
	{ "qemu_unasked", J_ARRAY, INTO_LIST(struct host, unasked, unasked_members, MORE_NONE) },
	{ "revisions", J_OBJECT, .each = EACH(J_INT, LIMITS(0, UINT32_MAX)), HOOK(revisions_hook) },
	{ "unknown", J_OBJECT, .required = true, .each = EACH(S, .check = schema_name),
	  HOOK(unknown_hook) },
	{ 0 },
};

/* The names of all the numbers that some host states, each once. */
static void name_numbers(struct reader *r, const json_t *hosts)
{
	struct inputs *in = &r->b->in;
	size_t cap = 0, i;
	const char *key;
	json_t *v, *item;

	json_array_foreach(hosts, i, v)
		json_object_foreach(json_object_get(v, "numbers"), key, item) {
			if (find_number(r, key) >= 0)
				continue;
			if (array_grow(&in->numbers, in->n_numbers, &cap, sizeof(char *)) < 0 ||
			    !(in->numbers[in->n_numbers] = strdup(key)) ||
			    index_fill(&r->numbers, in->numbers, ++in->n_numbers, index_text) < 0) {
				oom(r);
				return;
			}
		}
}

/* The name that the cohort goes by. */
static const char *first_name(const json_t *hosts)
{
	const char *first = NULL, *key;
	json_t *v;

	json_object_foreach((json_t *)hosts, key, v)
		if (!first || strcmp(key, first) < 0)
			first = key;
	return first;
}

/* A host on its way into its place. */
struct placed {
	struct host *host;
	unsigned int cohort;
};

static void read_cohort(struct reader *r, const json_t *v, struct placed *placed)
{
	const json_t *hosts = json_object_get(v, "hosts");
	const json_t *revisions = json_object_get(v, "revisions");
	struct inputs *in = &r->b->in;
	struct host *like = NULL, *h;
	const char *name;
	json_t *digest;

	json_object_foreach((json_t *)hosts, name, digest) {
		if (like)
			h = host_like(like, name);
		else
			h = host_new(name, in->n_numbers, in->n_conditions,
				     json_array_size(json_object_get(v, "qemu")),
				     json_array_size(json_object_get(v, "qemu_unasked")));
		if (!h) {
			oom(r);
			return;
		}
		if (!like) {
			h->alike = ++in->n_alike;
			codec_read(&(struct codec){ NULL, r->c, r }, input_members, v, h);
		}
		like = h;
		host_set_digest(h, json_string_value(digest));
		h->revision = json_integer_value(json_object_get(revisions, name));
		placed[in->n_hosts] = (struct placed){ h, (unsigned int)r->n_cohorts };
		in->hosts[in->n_hosts++] = h;
	}
	r->cohorts[r->n_cohorts++] = first_name(hosts);
	if (r->n_cohorts > 1 &&
	    strcmp(r->cohorts[r->n_cohorts - 2], r->cohorts[r->n_cohorts - 1]) >= 0)
		schema_fault(r->c, "json-bad-value",
			     "cohorts must be sorted by their first hosts");
}

static int placed_cmp(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	return strcmp(x->host->name, y->host->name);
}

static void sort_hosts(struct reader *r, struct placed *placed)
{
	struct inputs *in = &r->b->in;

	qsort(placed, in->n_hosts, sizeof(*placed), placed_cmp);
	for (size_t i = 0; i < in->n_hosts; i++) {
		in->hosts[i] = placed[i].host;
		r->cohort_of[i] = placed[i].cohort;
		if (i && streq(in->hosts[i - 1]->name, in->hosts[i]->name))
			schema_fault(r->c, "json-bad-value",
				     "the host \"%s\" is in two cohorts", in->hosts[i]->name);
	}
}

/* @list NULL: see read_stand_ins() */
static void read_inputs(const struct codec *k, const struct member *m, const json_t *list, void *to)
{
	struct reader *r = k->data;
	_autofree_ struct placed *placed = NULL;
	struct inputs *in = &r->b->in;
	size_t n = 0, i;
	json_t *v;

	json_array_foreach(list, i, v)
		n += json_object_size(json_object_get(v, "hosts"));
	placed = calloc(n + 1, sizeof(*placed));
	in->hosts = calloc(n + 1, sizeof(struct host *));
	in->cap_hosts = n;
	r->cohorts = take(r, json_array_size(list), sizeof(*r->cohorts));
	r->cohort_of = take(r, n, sizeof(*r->cohort_of));
	if (!placed || !in->hosts)
		oom(r);
	name_numbers(r, list);
	json_array_foreach(list, i, v) {
		size_t mark2 = schema_enter_index(r->c, i);

		if (!r->b->arena.failed)
			read_cohort(r, v, placed);
		schema_leave(r->c, mark2);
	}
	if (!r->b->arena.failed)
		sort_hosts(r, placed);
}

static void write_inputs(struct stream *w, const struct member *m, const void *from)
{
	struct writing *o = w->data;

	stream_begin(w, m->key, '[');
	for (o->now = 0; o->now < o->b->in.n_hosts; o->now++)
		if (o->cohorts.of[o->now].first == o->now)
			stream_flat(w, input_members, o->b->in.hosts[o->now]);
	stream_close(w, ']');
}
static const struct codec_hook inputs_hook = { read_inputs, write_inputs };

static void read_conditions(const struct codec *k, const struct member *m,
			    const json_t *list, void *to)
{
	struct abibase_baseline *b = to;
	struct reader *r = k->data;

	names_fill(r, list, &b->in.conditions, &b->in.n_conditions);
	if (index_fill(&r->conditions, b->in.conditions, b->in.n_conditions, index_text) < 0)
		oom(r);
}

static void write_conditions(struct stream *w, const struct member *m, const void *from)
{
	const struct abibase_baseline *b = from;

	stream_begin(w, m->key, '[');
	for (size_t i = 0; i < b->in.n_conditions; i++)
		if (is_asked(w, i))
			stream_item(w, b->in.conditions[i]);
	stream_close(w, ']');
}
static const struct codec_hook conditions_hook = { read_conditions, write_conditions };

/* --------------------------------------------------------------- what was asked for */

/* All that there are in the document are asked for. */
static void read_backends(const struct codec *k, const struct member *m,
			  const json_t *list, void *to)
{
	struct inputs *in = &((struct reader *)k->data)->b->in;

	names_fill(k->data, list, &in->backends, &in->n_backends);
	*(unsigned int *)to = (1u << in->n_backends) - 1;
}
static const struct codec_hook backends_hook = { read_backends, write_mask };

#define OF_BASELINE(how, field) INTO(struct abibase_baseline, how, field)
static const char *const policy_words[] = { "compatible", "all", NULL };

static const struct member policy_members[] = {
	{ "assume_qemu", J_ARRAY, .each = EACH(S), SET(in.policy.assume), .detail = true },
	{ "backends", J_ARRAY, .required = true, LIMITS(1, MAX_BACKENDS), .each = EACH(S),
	  OF_BASELINE(HOOK, in.policy.backends), .hook = &backends_hook },
	{ "backends_named", J_BOOL, .required = true, OF_BASELINE(BOOL, in.policy.backends_named) },
	{ "dest", J_ARRAY, .required = true, .each = EACH(S), SET(in.policy.dest) },
	{ "disable", J_ARRAY, .required = true, .each = EACH(S), SET(in.policy.disable) },
	{ "enable", J_ARRAY, .required = true, .each = EACH(S), SET(in.policy.enable) },
	{ "machine_chosen", J_BOOL, .required = true, OF_BASELINE(BOOL, machine_chosen) },
	{ "on", S, .required = true, WORDS(policy_words), OF_BASELINE(CHOICE, in.policy.all) },
	{ "partial", J_BOOL, .check = schema_true, OF_BASELINE(BOOL, partial) },
	{ "target", SN, .required = true, OF_BASELINE(TEXT, in.policy.target) },
	{ 0 },
};

/* ------------------------------------------------------------------------ QEMU builds */

static void read_builds(const struct codec *k, const struct member *m, const json_t *map, void *to)
{
	struct inputs *in = &((struct abibase_baseline *)to)->in;
	const char *key;
	json_t *v;

	in->builds = calloc(json_object_size(map) + 1, sizeof(struct build *));
	if (!in->builds) {
		oom(k->data);
		return;
	}
	in->cap_builds = json_object_size(map);
	json_object_foreach((json_t *)map, key, v) {
		in->builds[in->n_builds] = build_new(key, json_incref(v));
		if (!in->builds[in->n_builds]) {
			oom(k->data);
			return;
		}
		in->n_builds++;
	}
	if (inputs_index_builds(in) < 0)
		oom(k->data);
}

static int build_order(const void *a, const void *b)
{
	return strcmp((*(struct build *const *)a)->digest, (*(struct build *const *)b)->digest);
}

/*
 * A build's record with what it has of this machine type only: the others are many and none of this
 * baseline's business, if it is not partial. A build that does not list it keeps its list, which says
 * so. The digest stays that of the whole record, by which builds are told apart. A deep copy, for
 * json_incref() reads a count that other threads, which share the build, may be changing.
 */
static json_t *own_part(const struct abibase_baseline *b, const struct build *build)
{
	json_t *part = json_object(), *v;
	const char *key;

	json_object_foreach(build->entry, key, v) {
		bool by_machine = !b->partial && (streq(key, "values") || streq(key, "shape"));
		json_t *own = b->machine ? json_object_get(v, b->machine) : NULL, *copy;

		if (own && (by_machine || streq(key, "machines")))
			copy = json_pack("{so}", b->machine, json_deep_copy(own));
		else if (!by_machine)
			copy = json_deep_copy(v);
		else
			continue;
		if (json_object_set_new(part, key, copy) < 0) {
			json_decref(part);
			return NULL;
		}
	}
	return part;
}

static bool is_used(const struct abibase_baseline *b, const struct build *build)
{
	for (size_t u = 0; u < b->n_used; u++)
		if (b->used[u].build == build)
			return true;
	return false;
}

static void write_builds(struct stream *w, const struct member *m, const void *from)
{
	const struct abibase_baseline *b = from;
	_autofree_ struct build **sorted = calloc(b->in.n_builds + 1, sizeof(struct build *));

	if (!sorted) {
		w->out->failed = true;
		return;
	}
	if (b->in.n_builds)
		memcpy(sorted, b->in.builds, b->in.n_builds * sizeof(*sorted));
	qsort(sorted, b->in.n_builds, sizeof(*sorted), build_order);
	stream_begin(w, m->key, '{');
	for (size_t i = 0; i < b->in.n_builds; i++) {
		json_auto_t *part = NULL;

		if (w->brief && !is_used(b, sorted[i]))
			continue;
		part = own_part(b, sorted[i]);
		stream_key(w, sorted[i]->digest);
		if (part)
			json_write_compact(w->out, part, NULL);
		else
			w->out->failed = true;
	}
	stream_close(w, '}');
}
static const struct codec_hook builds_hook = { read_builds, write_builds };

static const char *used_name(const void *used, size_t u)
{
	const struct build *build = ((const struct used_build *)used)[u].build;

	return build ? build->digest : ANY_BUILD;
}

/* A host with all builds that are used; without @builds the one whose QEMU was assumed. */
static void add_stand_in(struct reader *r, const char *name, size_t builds)
{
	struct host *h = host_new(name, 0, 0, builds, 0);
	struct inputs *in = &r->b->in;
	size_t n = 0;

	if (!h || inputs_intern(in, r->b->arch, &h->arch) < 0 ||
	    array_grow(&in->hosts, in->n_hosts, &in->cap_hosts, sizeof(struct host *)) < 0 ||
	    (!builds && strings_insert(&in->policy.assume, name) < 0)) {
		host_unref(h);
		oom(r);
		return;
	}
	for (size_t u = 0; builds && u < r->b->n_used; u++)
		if (r->b->used[u].build)
			h->qemu[n++] = (struct host_qemu){ (unsigned int)r->b->used[u].index,
							   NO_PATH };
	h->has_qemu = builds > 0;
	in->hosts[in->n_hosts++] = h;
}

/*
 * A baseline that was written without its hosts has the QEMUs of all of them: hosts that have these
 * stand in, for what is held against the QEMUs of the baseline.
 */
static void read_stand_ins(struct reader *r)
{
	static const char name[] = "the hosts of the baseline";
	static const char assumed[] = "the hosts of the baseline whose QEMU was assumed";
	struct abibase_baseline *b = r->b;
	size_t builds = 0;

	b->no_inputs = !json_object_get(b->root, "inputs");
	if (!b->no_inputs)
		return;
	if (b->in.n_conditions || b->in.policy.dest.n || b->in.policy.assume.n || !b->id ||
	    !b->arch) {
		schema_fault(r->c, "json-missing-key", "the key \"inputs\" is missing");
		return;
	}
	for (size_t u = 0; u < b->n_used; u++)
		builds += b->used[u].build != NULL;
	if (builds)
		add_stand_in(r, name, builds);
	if (builds < b->n_used)
		add_stand_in(r, assumed, 0);
}

static void read_used(const struct codec *k, const struct member *m, const json_t *list, void *to)
{
	struct abibase_baseline *b = to;
	struct reader *r = k->data;
	size_t i;
	json_t *v;

	b->used = take(r, json_array_size(list), sizeof(*b->used));
	json_array_foreach(list, i, v) {
		const char *s = json_string_value(v);
		long u = inputs_build(&b->in, s);

		if (!b->used)
			return;
		if (u < 0 && !streq(s, ANY_BUILD))
			not_there(r, "builds", s);
		else
			b->used[b->n_used++] = (struct used_build){
				u < 0 ? NULL : b->in.builds[u], u
			};
	}
	if (index_fill(&r->used, b->used, b->n_used, used_name) < 0)
		oom(r);
}

static void write_digest_of(struct stream *w, const struct abibase_baseline *b, size_t used)
{
	stream_item(w, b->used[used].build ? b->used[used].build->digest : ANY_BUILD);
}

static void write_used(struct stream *w, const struct member *m, const void *from)
{
	const struct abibase_baseline *b = from;

	stream_begin(w, m->key, '[');
	for (size_t u = 0; u < b->n_used; u++)
		write_digest_of(w, b, u);
	stream_close(w, ']');
}
static const struct codec_hook used_hook = { read_used, write_used };

/* Which builds: for each evidence, or for each setting of a value. */
static void read_used_of(struct reader *r, const json_t *list, size_t *seen, unsigned char *to,
			 unsigned int clear, unsigned int set_to)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item) {
		long u = index_find(&r->used, json_string_value(item), r->b->used, r->b->n_used,
				    used_name);

		if (u < 0)
			not_there(r, "builds used", json_string_value(item));
		else
			to[u] = (unsigned char)((to[u] & ~clear) | set_to);
		(*seen)++;
	}
}

static void read_evidence(const struct codec *k, const struct member *m, const json_t *v, void *to)
{
	struct scope *s = &((struct abibase_baseline *)to)->scope;
	struct reader *r = k->data;
	size_t seen = 0;

	if (!s->evidence)
		s->evidence = take(r, r->b->n_used, 1);
	if (s->evidence)
		read_used_of(r, v, &seen, s->evidence, 0, 1u << word_index(evidence_words, m->key));
}

static void write_evidence(struct stream *w, const struct member *m, const void *from)
{
	const struct abibase_baseline *b = from;
	unsigned int bit = 1u << word_index(evidence_words, m->key);

	stream_begin(w, m->key, '[');
	for (size_t u = 0; u < b->n_used; u++)
		if (b->scope.evidence && b->scope.evidence[u] & bit)
			write_digest_of(w, b, u);
	stream_close(w, ']');
}
static const struct codec_hook evidence_hook = { read_evidence, write_evidence };

static const struct member evidence_members[] = {
	{ "catalogue", J_ARRAY, .required = true, .each = EACH(S), HOOK(evidence_hook) },
	{ "record", J_ARRAY, .required = true, .each = EACH(S), HOOK(evidence_hook) },
	{ 0 },
};

static const struct member scope_members[] = {
	{ "devices", J_ARRAY, .required = true, .each = EACH(S, .check = schema_name),
	  OF_BASELINE(TEXTS, scope.devices) },
	{ "evidence", J_OBJECT, .required = true, .members = evidence_members, .as = AS_PART },
	{ "layers", J_ARRAY, .required = true, .each = EACH(S, .check = schema_nonempty),
	  OF_BASELINE(TEXTS, scope.layers) },
	{ "not_compared", J_ARRAY, .required = true, .each = EACH(S, .check = schema_name),
	  OF_BASELINE(TEXTS, scope.not_compared) },
	{ 0 },
};

/* ------------------------------------------------------------------ what follows from it */

/* A word where all builds agree, as they mostly do; else the builds of each word. */
static void read_defaults(const struct codec *k, const struct member *m, const json_t *v, void *to)
{
	struct value *value = to;
	struct reader *r = k->data;
	size_t seen = 0;

	value->defaults = take(r, r->b->n_used, 1);
	if (!value->defaults)
		return;
	if (json_is_string(v)) {
		memset(value->defaults, word_index(setting_words, json_string_value(v)),
		       r->b->n_used);
		return;
	}
	for (unsigned int s = SETTING_OFF; s <= SETTING_ABSENT; s++)
		read_used_of(r, json_object_get(v, setting_words[s]), &seen, value->defaults, ~0u,
			     s);
	if (seen != r->b->n_used)
		schema_fault(r->c, "json-bad-value",
			     "\"defaults\" must name each of the %zu builds used once",
			     r->b->n_used);
}

static void write_defaults(struct stream *w, const struct member *m, const void *from)
{
	static const enum setting order[] = { SETTING_ABSENT, SETTING_OFF, SETTING_ON,
					      SETTING_UNKNOWN };
	const struct abibase_baseline *b = baseline_of(w);
	const unsigned char *defaults = ((const struct value *)from)->defaults;
	size_t same = 0;

	while (same < b->n_used && defaults[same] == defaults[0])
		same++;
	if (b->n_used && same == b->n_used) {
		stream_text(w, m->key, setting_words[defaults[0]]);
		return;
	}
	stream_begin(w, m->key, '{');
	for (size_t s = 0; s < ARRAY_SIZE(order); s++) {
		bool any = false;

		for (size_t u = 0; u < b->n_used; u++) {
			if (defaults[u] != order[s])
				continue;
			open_once(w, setting_words[order[s]], '[', &any);
			write_digest_of(w, b, u);
		}
		if (any)
			stream_close(w, ']');
	}
	stream_close(w, '}');
}
static const struct codec_hook defaults_hook = { read_defaults, write_defaults };

static void read_value(const struct codec *k, const struct member *m, const json_t *v, void *to)
{
	struct reader *r = k->data;
	struct value *value = to;

	value->is_number = json_is_integer(v);
	value->number = json_integer_value(v);
	/* of a number that stands for a feature 0 is off; a size of 0 is one */
	value->on = value->is_number ? value->number > 0 || value->bit < 0 :
				       streq(json_string_value(v), "on");
	value->text = value->is_number ?
			      arena_printf(&r->b->arena, "%lld", (long long)value->number) :
			      json_string_value(v);
}

static void write_value(struct stream *w, const struct member *m, const void *from)
{
	const struct value *v = from;

	if (v->is_number)
		stream_int(w, m->key, v->number);
	else
		stream_text(w, m->key, v->text);
}
static const struct codec_hook value_hook = { read_value, write_value };

static const struct member defaults_members[] = {
	{ "absent", J_ARRAY, .each = EACH(S) },
	{ "off", J_ARRAY, .each = EACH(S) },
	{ "on", J_ARRAY, .each = EACH(S) },
	{ "unknown", J_ARRAY, .each = EACH(S) },
	{ 0 },
};

static const struct member why_members[] = {
	{ "backends", J_ARRAY, .each = EACH(S),
	  INTO(struct why, HOOK, backends), .hook = &mask_hook },
	{ "cohorts", J_ARRAY, .each = EACH(S), HOOK(refs_hook) },
	{ "layer", S, INTO(struct why, TEXT, layer) },
	{ "missing", S, INTO(struct why, TEXT, missing) },
	{ "reason", S, .required = true, WORDS(why_words), INTO(struct why, WORD, kind) },
	{ "remedy", S, INTO(struct why, TEXT, remedy) },
	{ "what", S, .required = true, INTO(struct why, TEXT, what) },
	{ 0 },
};

static const char *const value_words[] = { "off", "on", NULL };

static const struct member value_members[] = {
	{ "bit", J_INT, LIMITS(0, 127), INTO(struct value, SMALL, bit) },
	{ "class", S, .required = true, .check = schema_name,
	  INTO(struct value, TEXT, class_name) },
	{ "defaults", S | J_OBJECT, .required = true, WORDS(setting_words),
	  .members = defaults_members, HOOK(defaults_hook) },
	{ "feature", S, .required = true, .check = schema_nonempty,
	  INTO(struct value, TEXT, feature) },
	{ "group", S, INTO(struct value, TEXT, group) },
	{ "off_counts", J_BOOL, .check = schema_true, INTO(struct value, BOOL, off_counts) },
	{ "property", S, .required = true, .check = schema_name,
	  INTO(struct value, TEXT, property) },
	{ "requires", J_ARRAY, .required = true, .each = EACH(S),
	  INTO(struct value, TEXTS, requires) },
	{ "value", S | J_INT, .required = true, WORDS(value_words), LIMITS(0, UINT32_MAX),
	  HOOK(value_hook) },
	{ "why", J_ARRAY, INTO_LIST(struct value, why, why_members, MORE_NONE), .detail = true },
	{ 0 },
};

static const char *const option_words[] = { OPTION_GLOBAL, NULL };

/* What QEMU is told, by the option that tells it. */
static const struct member output_members[] = {
	{ "option", S, .required = true, .words = option_words, .as = AS_CONST },
	{ "values", J_ARRAY, .required = true,
	  INTO_LIST(struct abibase_baseline, values, value_members, MORE_NONE), .flat = true },
	{ 0 },
};

static const struct member requirement_members[] = {
	{ "conditions", J_ARRAY, .required = true, .each = EACH(S),
	  INTO(struct met, TEXTS, conditions) },
	{ "met", J_BOOL | J_NULL, .required = true, INTO(struct met, TRI, met) },
	{ "name", S, .required = true, .check = schema_name, INTO(struct met, TEXT, name) },
	{ "text", S, .required = true, INTO(struct met, TEXT, text) },
	{ 0 },
};

static void read_backend(const struct codec *k, const struct member *m, const json_t *v, void *to)
{
	struct reader *r = k->data;
	long be = find_backend(r, json_string_value(v));

	if (be < 0)
		not_there(r, "backends", json_string_value(v));
	else
		*(unsigned int *)to = (unsigned int)be;
}

static void write_backend(struct stream *w, const struct member *m, const void *from)
{
	stream_text(w, m->key, baseline_of(w)->in.backends[*(const unsigned int *)from]);
}
static const struct codec_hook backend_hook = { read_backend, write_backend };

static void read_offered(const struct codec *k, const struct member *m, const json_t *v, void *to)
{
	struct offer *o = to;

	o->known = json_is_string(v) && word_parse(json_string_value(v), o->word);
	o->n_features = o->known ? o->n_features : 0;
}

static void write_offered(struct stream *w, const struct member *m, const void *from)
{
	const struct offer *o = from;
	char word[40];

	snprintf(word, sizeof(word), "0x%016llx%016llx", (unsigned long long)o->word[1],
		 (unsigned long long)o->word[0]);
	stream_text(w, m->key, o->known ? word : NULL);
}
static const struct codec_hook offered_hook = { read_offered, write_offered };

static void read_absent(const struct codec *k, const struct member *m, const json_t *v, void *to)
{
	struct offer *o = to;

	o->absent_on = host_refs(k->data, v, &o->n_absent_on);
}

static void write_absent(struct stream *w, const struct member *m, const void *from)
{
	const struct offer *o = from;

	write_cohorts(w, m, o->absent_on, w->brief ? 0 : o->n_absent_on);
}
static const struct codec_hook absent_hook = { read_absent, write_absent };

static const struct member backend_members[] = {
	{ "absent_on", J_ARRAY, .required = true, .each = EACH(S), HOOK(absent_hook) },
	{ "features", J_ARRAY, .required = true, .each = EACH(S),
	  INTO(struct offer, TEXTS, features) },
	{ "name", S, .required = true, .check = schema_nonempty,
	  INTO(struct offer, HOOK, backend), .hook = &backend_hook },
	{ "offered", SN, .required = true, .check = schema_offered, HOOK(offered_hook) },
	{ 0 },
};

static const struct member finding_members[] = {
	{ "id", S, .required = true, .check = schema_nonempty, INTO(struct finding, TEXT, id) },
	{ "kind", S, .required = true, WORDS(finding_words), INTO(struct finding, WORD, kind) },
	{ "remedy", S, INTO(struct finding, TEXT, remedy) },
	{ "text", S, .required = true, INTO(struct finding, TEXT, text) },
	{ 0 },
};

static void read_findings(const struct codec *k, const struct member *m,
			  const json_t *list, void *to)
{
	struct abibase_baseline *b = to;
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v) {
		struct finding f = { 0 };
		_buf_ text = { 0 };

		codec_read(k, finding_members, v, &f);
		buf_puts(&text, f.text);
		finding_add(&b->findings, f, &text);
	}
}

static void write_findings(struct stream *w, const struct member *m, const void *from)
{
	const struct findings *l = &((const struct abibase_baseline *)from)->findings;

	stream_begin(w, m->key, '[');
	for (size_t i = 0; i < l->n && !w->brief; i++)
		if (!l->f[i].of_inputs)
			stream_object(w, finding_members, &l->f[i]);
	stream_close(w, ']');
}
static const struct codec_hook findings_hook = { read_findings, write_findings };

/* ------------------------------------------------------------------------- all of it */

static void check_id(struct schema_walk *c, const json_t *v)
{
	if (!id_valid(json_string_value(v)))
		schema_fault(c, "json-bad-value", "is not an id: \"b1-\" and 32 hex digits");
}

/* What a reader must know: of this version there is one. */
static const char partial[] = "partial";

static bool check_need(struct schema_walk *c, const char *key)
{
	return !streq(key, partial);
}

static void write_needs(struct stream *w, const struct member *m, const void *from)
{
	if (!((const struct abibase_baseline *)from)->partial)
		return;
	stream_begin(w, m->key, '{');
	stream_text(w, partial, "0.2");
	stream_close(w, '}');
}
static const struct codec_hook needs_hook = { NULL, write_needs };

static bool check_build_key(struct schema_walk *c, const char *key)
{
	if (!hex_valid(key, DIGEST_HEX))
		schema_fault(c, "json-bad-value", "is not a digest: %d hex digits", DIGEST_HEX);
	return true;
}

static void check_build(struct schema_walk *c, const json_t *v)
{
	schema_document(c, v, &qemu_form);
}

/* An entry of "builds" is a profile's: only the used part of the entry is looked at here. */
static const struct member baseline_members[] = {
	{ "arch", SN, .required = true, .check = schema_name, OF_BASELINE(TEXT, arch) },
	{ "backends", J_ARRAY, .required = true,
	  INTO_LIST(struct abibase_baseline, offers, backend_members, MORE_NONE) },
	{ "builds", J_OBJECT, .required = true, .keys = check_build_key,
	  .each = EACH(J_OBJECT, .check = check_build), HOOK(builds_hook) },
	{ "catalogue", J_INT, .required = true, AT_LEAST(1),
	  OF_BASELINE(INT, in.catalogue_revision) },
	{ "conditions", J_ARRAY, .each = EACH(S), HOOK(conditions_hook), .detail = true },
	{ "findings", J_ARRAY, .required = true, .each = EACH_OBJECT(finding_members, MORE_NONE),
	  HOOK(findings_hook) },
	{ "id", SN, .required = true, .check = check_id, OF_BASELINE(TEXT, id) },
	{ "inputs", J_ARRAY, AT_LEAST(1), .each = EACH_OBJECT(input_members, MORE_NONE),
	  HOOK(inputs_hook), .detail = true },
	{ "machine", SN, .required = true, .check = schema_name, OF_BASELINE(TEXT, machine) },
	{ "needs", J_OBJECT, .keys = check_need, .each = EACH(S, .check = schema_need_of_reader),
	  HOOK(needs_hook) },
	{ "outputs", J_ARRAY, .required = true, LIMITS(1, 1),
	  .each = EACH_OBJECT(output_members, MORE_NONE), .as = AS_ONE },
	{ "policy", J_OBJECT, .required = true, .members = policy_members, .as = AS_PART },
	{ "requirements", J_ARRAY, .required = true,
	  INTO_LIST(struct abibase_baseline, requirements, requirement_members, MORE_NONE) },
	{ "schema", S, .required = true },
	{ "scope", J_OBJECT, .required = true, .members = scope_members, .as = AS_PART },
	{ "target", SN, .required = true, .check = schema_name, OF_BASELINE(TEXT, target) },
	{ "used", J_ARRAY, .required = true, .each = EACH(S), HOOK(used_hook) },
	{ "verdict", S, .required = true, WORDS(verdict_words), OF_BASELINE(WORD, verdict) },
	{ 0 },
};

/* A document whose parts were changed by hand, or lost, must not pass for what it was. */
static void verify(struct reader *r)
{
	struct abibase_baseline *b = r->b;
	enum abibase_verdict verdict = findings_verdict(&b->findings);
	const char *id;

	if (verdict != b->verdict)
		schema_fault(r->c, "baseline-altered",
			     "the verdict is %s, but what the findings say is %s",
			     verdict_words[b->verdict], verdict_words[verdict]);
	else if (verdict == ABIBASE_VERDICT_YES && !(b->id && b->arch && b->target && b->machine))
		schema_fault(r->c, "baseline-altered",
			     "the verdict is yes, but there is no id, or nothing that it is of");
	else if (verdict != ABIBASE_VERDICT_YES && b->id)
		schema_fault(r->c, "baseline-altered",
			     "there is an id, but the verdict is not yes");
	if (r->c->faults || !b->id)
		return;
	id = baseline_make_id(b);
	if (!id)
		oom(r);
	else if (!streq(id, b->id))
		schema_fault(r->c, "baseline-altered",
			     "the id is %s, but what the document says has the id %s", b->id, id);
}

static void own_text(struct reader *r, char **ret, const char *s)
{
	*ret = s ? strdup(s) : NULL;
	if (s && !*ret)
		oom(r);
}

/* The policy has texts of its own. */
static void own_policy(struct reader *r)
{
	struct policy *p = &r->b->in.policy;

	p->machine_chosen = r->b->machine_chosen;
	own_text(r, &p->target, p->target);
	own_text(r, &p->machine, r->b->machine);
}

/* In the order in which they name one another. */
static void read_parts(struct reader *r, const json_t *root)
{
	static const char *const order[] = { "conditions", "machine", "policy",	  "arch",
					     "target",	   "id",      "verdict",  "builds",
					     "catalogue",  "inputs",  "used",	  "scope",
					     "outputs",	   "requirements", "backends", "findings" };
	const struct codec k = { &r->b->arena, r->c, r };

	for (size_t i = 0; i < ARRAY_SIZE(order) && !r->b->arena.failed && !r->c->faults; i++) {
		codec_read_one(&k, baseline_members, order[i], root, r->b);
		if (streq(order[i], "policy"))
			own_policy(r);
		if (streq(order[i], "used") && !r->c->faults)
			read_stand_ins(r);
	}
	if (!r->b->arena.failed && !r->c->faults)
		verify(r);
}

/* Of a document whose members were checked; takes the reference of @root, also on failure. */
static int baseline_make(struct schema_walk *c, json_t *root, struct abibase_baseline **ret)
{
	struct reader r = { .c = c };

	if (!c->faults)
		schema_strings_printable(c, root);
	if (!c->faults)
		r.b = baseline_alloc();
	if (!r.b) {
		json_decref(root);
		return c->faults ? schema_result(c) : context_oom(c->ctx);
	}
	r.b->root = root;
	read_parts(&r, root);
	index_clear(&r.conditions);
	index_clear(&r.numbers);
	index_clear(&r.used);
	if (r.b->arena.failed || c->faults) {
		int result = r.b->arena.failed ? context_oom(c->ctx) : schema_result(c);

		abibase_baseline_unref(r.b);
		return result;
	}
	*ret = r.b;
	return 0;
}

static void check_parts(struct schema_walk *c, const json_t *root)
{
	struct abibase_baseline *b;

	if (baseline_make(c, json_incref((json_t *)root), &b) == 0)
		abibase_baseline_unref(b);
}

const struct form baseline_form = { "baseline", .members = baseline_members,
				    .max = JSON_MAX_BASELINE, .check = check_parts };

int baseline_from_json(struct abibase_context *ctx, json_t *root, const char *source,
		       struct abibase_baseline **ret)
{
	struct schema_walk c;

	schema_init(&c, ctx, source);
	schema_root(&c, root, &baseline_form);
	return baseline_make(&c, root, ret);
}

void baseline_write(const struct abibase_baseline *b, bool inputs, struct buf *out)
{
	struct writing o = { .b = b };
	struct stream w = { .out = out, .data = &o };

	/* they say why there is no answer, where there is none */
	w.brief = (!inputs || b->no_inputs) && b->verdict == ABIBASE_VERDICT_YES;
	o.cohorts.cat = b->cat; /* of what is partial there is none: all that was asked counts */
	o.cohorts.about = b->in.policy.backends;
	out->failed |= cohorts_find(&o.cohorts, &b->in) < 0;
	if (!out->failed) {
		stream_document(&w, "abibase-baseline/1", baseline_members, b);
		buf_putc(out, '\n');
	}
	free(o.cohorts.of);
}

/* Two threads can make it at once: the first one's stays. */
ABIBASE_EXPORT const struct abibase_value *abibase_baseline_value(const struct abibase_baseline *b)
{
	json_t **place, *is, *made = NULL;
	_buf_ text = { 0 };

	if (!b || b->root)
		return as_value(b ? b->root : NULL);
	place = (json_t **)&b->document;
	is = __atomic_load_n(place, __ATOMIC_ACQUIRE);
	if (is)
		return as_value(is);
	baseline_write(b, true, &text);
	if (!buf_failed(&text))
		made = json_loadb(text.data, text.len, 0, NULL);
	if (!made || __atomic_compare_exchange_n(place, &is, made, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_ACQUIRE))
		return as_value(made);
	json_decref(made);
	return as_value(is);
}
