/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "document/baseline.h"
#include "base/context.h"

/*
 * A baseline is read as it was written: nothing is worked out again, so that it means under a newer
 * catalogue what it meant when guests were started with it. What is unknown here is refused.
 */

/* ------------------------------------------------------------- what is accepted */

#define S J_STRING
#define SN (J_STRING | J_NULL)

static const char *const value_words[] = { "off", "on", NULL };
static const char *const option_words[] = { OPTION_GLOBAL, NULL };
static const char *const host_words[] = { "host", "platform", NULL };
static const char *const policy_words[] = { "all", "compatible", NULL };

#define WORDS(list) .words = list, .words_unsaid = true

static void check_id(struct schema_walk *c, const json_t *v)
{
	const char *s = json_string_value(v);

	if (!strprefix(s, "b1-") || !hex_valid(s + 3, 32))
		schema_fault(c, "json-bad-value", "is not an id: \"b1-\" and 32 hex digits");
}

static bool check_build_key(struct schema_walk *c, const char *key)
{
	if (!hex_valid(key, DIGEST_HEX))
		schema_fault(c, "json-bad-value", "is not a digest: %d hex digits", DIGEST_HEX);
	return true;
}

static const struct member backend_members[] = {
	{ "absent_on", J_ARRAY, .required = true, .each = EACH(S) },
	{ "features", J_ARRAY, .required = true, .each = EACH(S) },
	{ "name", S, .required = true, .check = schema_nonempty },
	{ "offered", SN, .required = true, .check = schema_offered },
	{ 0 },
};

static const struct member finding_members[] = {
	{ "id", S, .required = true, .check = schema_nonempty },
	{ "kind", S, .required = true, WORDS(finding_words) },
	{ "remedy", S, .required = false },
	{ "text", S, .required = true },
	{ 0 },
};

static const struct member host_qemu_members[] = {
	{ "build", S, .required = true, .check = schema_digest },
	{ "path", S, .check = schema_nonempty },
	{ 0 },
};

static const struct member unasked_members[] = {
	{ "path", S, .check = schema_nonempty },
	{ "unknown", S, .required = true, .check = schema_name },
	{ 0 },
};

/* A cohort. */
static const struct member input_members[] = {
	{ "arch", S, .required = true, .check = schema_name },
	{ "hosts", J_OBJECT, .required = true, .keys = schema_key, AT_LEAST(1),
	  .each = EACH(S, .check = schema_digest) },
	{ "kind", S, .required = true, WORDS(host_words) },
	{ "lacks", J_ARRAY, .required = true, .each = EACH(S) },
	{ "numbers", J_OBJECT, .each = EACH(J_INT, LIMITS(0, UINT32_MAX)) },
	{ "qemu", J_ARRAY, .required = true, .each = EACH_OBJECT(host_qemu_members, MORE_NONE) },
	{ "qemu_none", J_BOOL, .required = false },
	{ "qemu_unasked", J_ARRAY, .each = EACH_OBJECT(unasked_members, MORE_NONE) },
	{ "revisions", J_OBJECT, .each = EACH(J_INT, LIMITS(0, UINT32_MAX)) },
	{ "unknown", J_OBJECT, .required = true, .each = EACH(S, .check = schema_name) },
	{ 0 },
};

static const struct member policy_members[] = {
	{ "assume_qemu", J_ARRAY, .each = EACH(S) },
	{ "backends", J_ARRAY, .required = true, LIMITS(1, MAX_BACKENDS), .each = EACH(S) },
	{ "backends_named", J_BOOL, .required = true },
	{ "dest", J_ARRAY, .required = true, .each = EACH(S) },
	{ "disable", J_ARRAY, .required = true, .each = EACH(S) },
	{ "enable", J_ARRAY, .required = true, .each = EACH(S) },
	{ "machine_chosen", J_BOOL, .required = true },
	{ "on", S, .required = true, WORDS(policy_words) },
	{ "target", SN, .required = true },
	{ 0 },
};

static const struct member requirement_members[] = {
	{ "conditions", J_ARRAY, .required = true, .each = EACH(S) },
	{ "met", J_BOOL | J_NULL, .required = true },
	{ "name", S, .required = true, .check = schema_name },
	{ "text", S, .required = true },
	{ 0 },
};

static const struct member defaults_members[] = {
	{ "absent", J_ARRAY, .each = EACH(S) },
	{ "off", J_ARRAY, .each = EACH(S) },
	{ "on", J_ARRAY, .each = EACH(S) },
	{ "unknown", J_ARRAY, .each = EACH(S) },
	{ 0 },
};

static const struct member why_members[] = {
	{ "backends", J_ARRAY, .each = EACH(S) },
	{ "cohorts", J_ARRAY, .each = EACH(S) },
	{ "layer", S, .required = false },
	{ "missing", S, .required = false },
	{ "reason", S, .required = true, WORDS(why_words) },
	{ "remedy", S, .required = false },
	{ "what", S, .required = true },
	{ 0 },
};

static const struct member value_members[] = {
	{ "bit", J_INT, LIMITS(0, 127) },
	{ "class", S, .required = true, .check = schema_name },
	{ "defaults", S | J_OBJECT, .required = true, WORDS(setting_words),
	  .members = defaults_members },
	{ "feature", S, .required = true, .check = schema_nonempty },
	{ "group", S, .required = false },
	{ "off_counts", J_BOOL, .check = schema_true },
	{ "property", S, .required = true, .check = schema_name },
	{ "requires", J_ARRAY, .required = true, .each = EACH(S) },
	{ "value", S | J_INT, .required = true, WORDS(value_words), LIMITS(0, UINT32_MAX) },
	{ "why", J_ARRAY, .each = EACH_OBJECT(why_members, MORE_NONE) },
	{ 0 },
};

static const struct member output_members[] = {
	{ "option", S, .required = true, .words = option_words },
	{ "values", J_ARRAY, .required = true, .each = EACH_OBJECT(value_members, MORE_NONE) },
	{ 0 },
};

static const struct member evidence_members[] = {
	{ "catalogue", J_ARRAY, .required = true, .each = EACH(S) },
	{ "record", J_ARRAY, .required = true, .each = EACH(S) },
	{ 0 },
};

static const struct member scope_members[] = {
	{ "devices", J_ARRAY, .required = true, .each = EACH(S, .check = schema_name) },
	{ "evidence", J_OBJECT, .required = true, .members = evidence_members },
	{ "layers", J_ARRAY, .required = true, .each = EACH(S, .check = schema_nonempty) },
	{ "not_compared", J_ARRAY, .required = true, .each = EACH(S, .check = schema_name) },
	{ 0 },
};

static void check_build(struct schema_walk *c, const json_t *v)
{
	schema_document(c, v, &qemu_form);
}

/* An entry of "builds" is a profile's: only the used part of the entry is looked at here. */
static const struct member baseline_members[] = {
	{ "arch", SN, .required = true, .check = schema_name },
	{ "backends", J_ARRAY, .required = true, .each = EACH_OBJECT(backend_members, MORE_NONE) },
	{ "builds", J_OBJECT, .required = true, .keys = check_build_key,
	  .each = EACH(J_OBJECT, .check = check_build) },
	{ "catalogue", J_INT, .required = true, AT_LEAST(1) },
	{ "conditions", J_ARRAY, .each = EACH(S) },
	{ "findings", J_ARRAY, .required = true, .each = EACH_OBJECT(finding_members, MORE_NONE) },
	{ "id", SN, .required = true, .check = check_id },
	{ "inputs", J_ARRAY, AT_LEAST(1), .each = EACH_OBJECT(input_members, MORE_NONE) },
	{ "machine", SN, .required = true, .check = schema_name },
	{ "needs", J_OBJECT, .each = EACH(S, .check = schema_need_of_reader) },
	{ "outputs", J_ARRAY, .required = true, LIMITS(1, 1),
	  .each = EACH_OBJECT(output_members, MORE_NONE) },
	{ "policy", J_OBJECT, .required = true, .members = policy_members },
	{ "requirements", J_ARRAY, .required = true,
	  .each = EACH_OBJECT(requirement_members, MORE_NONE) },
	{ "schema", S, .required = true },
	{ "scope", J_OBJECT, .required = true, .members = scope_members },
	{ "target", SN, .required = true, .check = schema_name },
	{ "used", J_ARRAY, .required = true, .each = EACH(S) },
	{ "verdict", S, .required = true, WORDS(verdict_words) },
	{ 0 },
};

/* ------------------------------------------------------------- names resolved */

struct reader {
	struct schema_walk *c;
	struct abibase_baseline *b;
	const char **cohorts;	 /* the first host of each, sorted */
	unsigned int *cohort_of; /* for each host, once they are sorted */
	size_t n_cohorts;
	size_t n_refs; /* hosts that were looked at for a reason */
	bool oom;
};

/* A word of a reason stands for any number of hosts: so many that 64 MiB cannot ask for hours. */
#define MAX_REFS ((size_t)1 << 27)

static void *take(struct reader *r, size_t n, size_t size)
{
	void *p = arena_alloc(&r->b->arena, (n + 1) * size);

	if (!p)
		r->oom = true;
	return p;
}

static void not_there(struct reader *r, const char *what, const char *name)
{
	schema_fault(r->c, "json-bad-value", "\"%s\" is not among the %s of this baseline", name,
		     what);
}

static bool names_fill(struct reader *r, const json_t *list, char ***ret, size_t *ret_n)
{
	size_t i;
	json_t *v;

	*ret = calloc(json_array_size(list) + 1, sizeof(**ret));
	if (!*ret)
		return !(r->oom = true);
	json_array_foreach(list, i, v) {
		(*ret)[i] = strdup(json_string_value(v));
		if (!(*ret)[i])
			return !(r->oom = true);
		(*ret_n)++;
	}
	return true;
}

static const char **name_refs(struct reader *r, const json_t *list, size_t *ret_n)
{
	const char **names = take(r, json_array_size(list), sizeof(*names));
	size_t i;
	json_t *v;

	if (!names)
		return NULL;
	json_array_foreach(list, i, v)
		names[(*ret_n)++] = json_string_value(v);
	return names;
}

static long find_name(char *const *names, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (streq(names[i], s))
			return (long)i;
	return -1;
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
		r->oom = true;
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

static unsigned int backend_mask(struct reader *r, const json_t *list)
{
	unsigned int mask = 0;
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v) {
		long k = find_name(r->b->in.backends, r->b->in.n_backends, json_string_value(v));

		if (k >= 0)
			mask |= 1u << k;
		else
			not_there(r, "backends", json_string_value(v));
	}
	return mask;
}

static void read_set(struct reader *r, const json_t *list, struct strings *to)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		if (strings_insert(to, json_string_value(v)) < 0)
			r->oom = true;
}

static void read_policy(struct reader *r, const json_t *root)
{
	const json_t *p = json_object_get(root, "policy");
	struct policy *policy = &r->b->in.policy;

	if (!names_fill(r, json_object_get(p, "backends"), &r->b->in.backends,
			&r->b->in.n_backends))
		return;
	policy->backends = (1u << r->b->in.n_backends) - 1;
	policy->backends_named = json_is_true(json_object_get(p, "backends_named"));
	policy->all = streq(string_of(p, "on"), "all");
	read_set(r, json_object_get(p, "enable"), &policy->enable);
	read_set(r, json_object_get(p, "disable"), &policy->disable);
	read_set(r, json_object_get(p, "dest"), &policy->dest);
	read_set(r, json_object_get(p, "assume_qemu"), &policy->assume);
	r->b->machine_chosen = policy->machine_chosen =
		json_is_true(json_object_get(p, "machine_chosen"));
	r->b->arch = string_of(root, "arch");
	r->b->target = string_of(root, "target");
	r->b->machine = string_of(root, "machine");
	r->b->id = string_of(root, "id");
	policy->target = string_of(p, "target") ? strdup(string_of(p, "target")) : NULL;
	policy->machine = r->b->machine ? strdup(r->b->machine) : NULL;
	if ((string_of(p, "target") && !policy->target) || (r->b->machine && !policy->machine))
		r->oom = true;
}

static void read_builds(struct reader *r, const json_t *root)
{
	const json_t *map = json_object_get(root, "builds");
	struct inputs *in = &r->b->in;
	const char *key;
	json_t *v;

	in->builds = calloc(json_object_size(map) + 1, sizeof(struct build *));
	if (!in->builds) {
		r->oom = true;
		return;
	}
	in->cap_builds = json_object_size(map);
	json_object_foreach((json_t *)map, key, v) {
		struct build *b = calloc(1, sizeof(*b));

		if (!b) {
			r->oom = true;
			return;
		}
		b->refcount = 1;
		strcpy(b->digest, key);
		b->entry = json_incref(v);
		b->version = string_of(v, "version");
		b->target = string_of(v, "target");
		in->builds[in->n_builds++] = b;
	}
}

static void read_answers(struct reader *r, const json_t *v, struct host *h)
{
	struct inputs *in = &r->b->in;
	const char *key;
	json_t *item;
	size_t i;

	for (i = 0; i < in->n_conditions; i++)
		h->answers[i] = ABIBASE_YES;
	json_array_foreach(json_object_get(v, "lacks"), i, item) {
		long k = find_name(in->conditions, in->n_conditions, json_string_value(item));

		if (k >= 0)
			h->answers[k] = ABIBASE_NO;
		else
			not_there(r, "conditions", json_string_value(item));
	}
	json_object_foreach(json_object_get(v, "unknown"), key, item) {
		long k = find_name(in->conditions, in->n_conditions, key);
		unsigned int s;

		if (k < 0)
			not_there(r, "conditions", key);
		else if (strings_intern(&in->strings, json_string_value(item), &s) < 0)
			r->oom = true;
		else
			h->answers[k] = ANSWER_UNKNOWN + s;
	}
}

/* The names of all the numbers that some host states, each once. */
static void name_numbers(struct reader *r, const json_t *hosts)
{
	struct inputs *in = &r->b->in;
	size_t cap = 0, i;
	const char *key;
	json_t *v, *item;

	json_array_foreach(hosts, i, v)
		json_object_foreach(json_object_get(v, "numbers"), key, item) {
			if (find_name(in->numbers, in->n_numbers, key) >= 0)
				continue;
			if (array_grow(&in->numbers, in->n_numbers, &cap, sizeof(char *)) < 0 ||
			    !(in->numbers[in->n_numbers] = strdup(key))) {
				r->oom = true;
				return;
			}
			in->n_numbers++;
		}
}

static void read_numbers(const struct inputs *in, const json_t *v, struct host *h)
{
	const char *key;
	json_t *item;

	json_object_foreach(json_object_get(v, "numbers"), key, item)
		h->numbers[find_name(in->numbers, in->n_numbers, key)] = json_integer_value(item);
}

static void read_unasked(struct reader *r, const json_t *v, struct host *h)
{
	struct inputs *in = &r->b->in;
	size_t i;
	json_t *q;

	json_array_foreach(json_object_get(v, "qemu_unasked"), i, q) {
		h->unasked[i].path = NO_PATH;
		if ((string_of(q, "path") &&
		     strings_intern(&in->strings, string_of(q, "path"), &h->unasked[i].path) < 0) ||
		    strings_intern(&in->strings, string_of(q, "unknown"), &h->unasked[i].reason) <
			    0)
			r->oom = true;
	}
}

/* What all hosts of a cohort have. */
static void read_answering(struct reader *r, const json_t *v, struct host *h)
{
	const json_t *list = json_object_get(v, "qemu");
	struct inputs *in = &r->b->in;
	size_t i;
	json_t *q;

	if (strings_intern(&in->strings, string_of(v, "arch"), &h->arch) < 0)
		r->oom = true;
	h->platform = streq(string_of(v, "kind"), "platform");
	h->has_qemu = h->n_qemu || h->n_unasked || json_is_true(json_object_get(v, "qemu_none"));
	read_unasked(r, v, h);
	read_answers(r, v, h);
	read_numbers(in, v, h);
	json_array_foreach(list, i, q) {
		long k = inputs_build(in, string_of(q, "build"));

		h->qemu[i].path = NO_PATH;
		if (k < 0)
			not_there(r, "builds", string_of(q, "build"));
		else
			h->qemu[i].build = (unsigned int)k;
		if (string_of(q, "path") &&
		    strings_intern(&in->strings, string_of(q, "path"), &h->qemu[i].path) < 0)
			r->oom = true;
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
			h = host_like(like, in->n_numbers, in->n_conditions, name);
		else
			h = host_new(name, in->n_numbers, in->n_conditions,
				     json_array_size(json_object_get(v, "qemu")),
				     json_array_size(json_object_get(v, "qemu_unasked")));
		if (!h) {
			r->oom = true;
			return;
		}
		if (!like)
			read_answering(r, v, h);
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

static void read_hosts(struct reader *r, const json_t *root)
{
	const json_t *list = json_object_get(root, "inputs"); /* NULL: see read_stand_ins() */
	_autofree_ struct placed *placed = NULL;
	struct inputs *in = &r->b->in;
	size_t mark = schema_enter(r->c, "inputs"), n = 0, i;
	json_t *v;

	in->catalogue_revision = json_integer_value(json_object_get(root, "catalogue"));
	json_array_foreach(list, i, v)
		n += json_object_size(json_object_get(v, "hosts"));
	placed = calloc(n + 1, sizeof(*placed));
	in->hosts = calloc(n + 1, sizeof(struct host *));
	in->cap_hosts = n;
	r->cohorts = take(r, json_array_size(list), sizeof(*r->cohorts));
	r->cohort_of = take(r, n, sizeof(*r->cohort_of));
	r->oom |= !placed || !in->hosts;
	name_numbers(r, list);
	json_array_foreach(list, i, v) {
		size_t mark2 = schema_enter_index(r->c, i);

		if (!r->oom)
			read_cohort(r, v, placed);
		schema_leave(r->c, mark2);
	}
	if (!r->oom)
		sort_hosts(r, placed);
	schema_leave(r->c, mark);
}

static long used_index(const struct abibase_baseline *b, const char *digest)
{
	for (size_t u = 0; u < b->n_used; u++)
		if (streq(b->used[u].build ? b->used[u].build->digest : ANY_BUILD, digest))
			return (long)u;
	return -1;
}

static void read_used(struct reader *r, const json_t *root)
{
	const json_t *list = json_object_get(root, "used");
	struct abibase_baseline *b = r->b;
	size_t i;
	json_t *v;

	b->used = take(r, json_array_size(list), sizeof(*b->used));
	json_array_foreach(list, i, v) {
		const char *s = json_string_value(v);
		long k = inputs_build(&b->in, s);

		if (!b->used)
			return;
		if (k < 0 && !streq(s, ANY_BUILD))
			not_there(r, "builds", s);
		else
			b->used[b->n_used++] = (struct used_build){
				k < 0 ? NULL : b->in.builds[k], k
			};
	}
}

/* A host with all builds that are used; without @builds the one whose QEMU was assumed. */
static void add_stand_in(struct reader *r, const char *name, size_t builds)
{
	struct host *h = host_new(name, 0, 0, builds, 0);
	struct inputs *in = &r->b->in;
	size_t n = 0;

	if (!h || strings_intern(&in->strings, r->b->arch, &h->arch) < 0 ||
	    array_grow(&in->hosts, in->n_hosts, &in->cap_hosts, sizeof(struct host *)) < 0 ||
	    (!builds && strings_insert(&in->policy.assume, name) < 0)) {
		host_unref(h);
		r->oom = true;
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
static void read_stand_ins(struct reader *r, const json_t *root)
{
	static const char name[] = "the hosts of the baseline";
	static const char assumed[] = "the hosts of the baseline whose QEMU was assumed";
	struct abibase_baseline *b = r->b;
	size_t builds = 0;

	b->no_inputs = !json_object_get(root, "inputs");
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

static void read_defaults(struct reader *r, const json_t *v, struct value *value)
{
	const json_t *map = json_object_get(v, "defaults");
	size_t seen = 0, i;
	json_t *item;

	value->defaults = take(r, r->b->n_used, 1);
	if (!value->defaults)
		return;
	if (json_is_string(map)) {
		memset(value->defaults, word_index(setting_words, json_string_value(map)),
		       r->b->n_used);
		return;
	}
	for (int s = SETTING_OFF; s <= SETTING_ABSENT; s++)
		json_array_foreach(json_object_get(map, setting_words[s]), i, item) {
			long u = used_index(r->b, json_string_value(item));

			if (u < 0)
				not_there(r, "builds used", json_string_value(item));
			else
				value->defaults[u] = (unsigned char)s;
			seen++;
		}
	if (seen != r->b->n_used)
		schema_fault(r->c, "json-bad-value",
			     "\"defaults\" must name each of the %zu builds used once",
			     r->b->n_used);
}

static void read_why(struct reader *r, const json_t *v, struct value *value)
{
	const json_t *list = json_object_get(v, "why");
	size_t i;
	json_t *item;

	value->why = take(r, json_array_size(list), sizeof(*value->why));
	json_array_foreach(list, i, item) {
		struct why *w;

		if (!value->why)
			return;
		w = &value->why[value->n_why++];
		w->kind = (enum why_kind)word_index(why_words, string_of(item, "reason"));
		w->what = string_of(item, "what");
		w->layer = string_of(item, "layer");
		w->missing = string_of(item, "missing");
		w->remedy = string_of(item, "remedy");
		w->backends = backend_mask(r, json_object_get(item, "backends"));
		w->hosts = host_refs(r, json_object_get(item, "cohorts"), &w->n_hosts);
	}
}

static void read_value(struct reader *r, const json_t *v, struct value *value)
{
	value->is_number = json_is_integer(v);
	value->number = json_integer_value(v);
	/* of a number that stands for a feature 0 is off; a size of 0 is one */
	value->on = value->is_number ? value->number > 0 || value->bit < 0 :
				       streq(json_string_value(v), "on");
	value->text = value->is_number ?
			      arena_printf(&r->b->arena, "%lld", (long long)value->number) :
			      json_string_value(v);
	if (!value->text)
		r->oom = true;
}

static void read_values(struct reader *r, const json_t *root)
{
	const json_t *output = json_array_get(json_object_get(root, "outputs"), 0);
	const json_t *list = json_object_get(output, "values");
	struct abibase_baseline *b = r->b;
	size_t mark = schema_enter(r->c, "outputs"), i;
	json_t *v;

	schema_enter_index(r->c, 0);
	schema_enter(r->c, "values");
	b->values = take(r, json_array_size(list), sizeof(*b->values));
	json_array_foreach(list, i, v) {
		size_t mark2 = schema_enter_index(r->c, i);
		const json_t *bit = json_object_get(v, "bit");
		struct value *value;

		if (!b->values)
			break;
		value = &b->values[b->n_values++];
		value->class_name = string_of(v, "class");
		value->property = string_of(v, "property");
		value->feature = string_of(v, "feature");
		value->group = string_of(v, "group");
		value->bit = bit ? (int)json_integer_value(bit) : -1;
		value->off_counts = json_is_true(json_object_get(v, "off_counts"));
		read_value(r, json_object_get(v, "value"), value);
		value->requires = name_refs(r, json_object_get(v, "requires"), &value->n_requires);
		read_defaults(r, v, value);
		read_why(r, v, value);
		schema_leave(r->c, mark2);
	}
	schema_leave(r->c, mark);
}

static void read_scope(struct reader *r, const json_t *root)
{
	const json_t *v = json_object_get(root, "scope");
	const json_t *evidence = json_object_get(v, "evidence");
	struct scope *s = &r->b->scope;
	size_t i;
	json_t *item;

	s->devices.s = name_refs(r, json_object_get(v, "devices"), &s->devices.n);
	s->layers.s = name_refs(r, json_object_get(v, "layers"), &s->layers.n);
	s->not_compared.s = name_refs(r, json_object_get(v, "not_compared"), &s->not_compared.n);
	s->evidence = take(r, r->b->n_used, 1);
	for (size_t e = 0; s->evidence && e < N_EVIDENCE; e++)
		json_array_foreach(json_object_get(evidence, evidence_words[e]), i, item) {
			long u = used_index(r->b, json_string_value(item));

			if (u < 0)
				not_there(r, "builds used", json_string_value(item));
			else
				s->evidence[u] |= (unsigned char)(1u << e);
		}
}

static void read_requirements(struct reader *r, const json_t *root)
{
	const json_t *list = json_object_get(root, "requirements");
	struct abibase_baseline *b = r->b;
	size_t i;
	json_t *v;

	b->requirements = take(r, json_array_size(list), sizeof(*b->requirements));
	json_array_foreach(list, i, v) {
		struct met *m;

		if (!b->requirements)
			return;
		m = &b->requirements[b->n_requirements++];
		m->name = string_of(v, "name");
		m->text = string_of(v, "text");
		m->met = json_is_null(json_object_get(v, "met")) ?
				 ABIBASE_UNKNOWN :
				 (enum abibase_tri)json_is_true(json_object_get(v, "met"));
		m->conditions = name_refs(r, json_object_get(v, "conditions"), &m->n_conditions);
	}
}

static void read_offers(struct reader *r, const json_t *root)
{
	const json_t *list = json_object_get(root, "backends");
	struct abibase_baseline *b = r->b;
	size_t i;
	json_t *v;

	b->offers = take(r, json_array_size(list), sizeof(*b->offers));
	json_array_foreach(list, i, v) {
		long k = find_name(b->in.backends, b->in.n_backends, string_of(v, "name"));
		const char *word = string_of(v, "offered");
		struct offer *o;

		if (!b->offers)
			return;
		if (k < 0) {
			not_there(r, "backends", string_of(v, "name"));
			continue;
		}
		o = &b->offers[b->n_offers++];
		o->backend = (unsigned int)k;
		o->known = word && word_parse(word, o->word);
		o->features = name_refs(r, json_object_get(v, "features"), &o->n_features);
		o->absent_on = host_refs(r, json_object_get(v, "absent_on"), &o->n_absent_on);
	}
}

static void read_findings(struct reader *r, const json_t *root)
{
	const json_t *list = json_object_get(root, "findings");
	struct abibase_baseline *b = r->b;
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v) {
		_buf_ text = { 0 };

		buf_puts(&text, string_of(v, "text"));
		finding_add(&b->findings,
			    (struct finding){ .kind = (enum abibase_finding_kind)word_index(
						      finding_words, string_of(v, "kind")),
					      .id = string_of(v, "id"),
					      .remedy = string_of(v, "remedy") },
			    &text);
	}
	r->oom |= b->arena.failed;
	b->verdict = (enum abibase_verdict)word_index(verdict_words, string_of(root, "verdict"));
}

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
		r->oom = true;
	else if (!streq(id, b->id))
		schema_fault(r->c, "baseline-altered",
			     "the id is %s, but what the document says has the id %s", b->id, id);
}

static void read_parts(struct reader *r, const json_t *root)
{
	static void (*const parts[])(struct reader *, const json_t *) = {
		read_policy, read_builds,	read_hosts,  read_used, read_stand_ins, read_scope,
		read_values, read_requirements, read_offers, read_findings,
	};

	names_fill(r, json_object_get(root, "conditions"), &r->b->in.conditions,
		   &r->b->in.n_conditions);
	for (size_t i = 0; i < ARRAY_SIZE(parts) && !r->oom && !r->c->faults; i++)
		parts[i](r, root);
	if (!r->oom && !r->c->faults)
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
	if (r.oom || c->faults) {
		abibase_baseline_unref(r.b);
		return r.oom ? context_oom(c->ctx) : schema_result(c);
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

int baseline_from_buffer(struct abibase_context *ctx, const char *buf,
						size_t len, const char *source,
						struct abibase_baseline **ret)
{
	json_t *root;
	int r = json_parse(ctx, buf, len, JSON_MAX_BASELINE, source, &root);

	return r < 0 ? r : baseline_from_json(ctx, root, source, ret);
}
