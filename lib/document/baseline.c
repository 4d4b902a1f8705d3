/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "document/baseline.h"
#include "document/value.h"
#include "base/blake2b.h"
#include "base/context.h"

const char *const why_words[] = {
	[WHY_HOST_LACKS] = "host-lacks",     [WHY_HOST_UNKNOWN] = "host-unknown",
	[WHY_QEMU_LACKS] = "qemu-lacks",     [WHY_MACHINE_OFF] = "machine-type-off",
	[WHY_QEMU_UNKNOWN] = "qemu-unknown", [WHY_DEPENDS] = "depends",
	[WHY_TOGETHER] = "together",	     [WHY_NEVER] = "qemu-never-offers",
	[WHY_DISABLED] = "disabled",	     [WHY_HOST_LEAST] = "host-least",
	[N_WHY] = NULL,
};

const char *const setting_words[] = { "off", "on", "unknown", "absent", NULL };

struct abibase_baseline *baseline_alloc(void)
{
	struct abibase_baseline *b = calloc(1, sizeof(*b));

	if (b) {
		b->refcount = 1;
		b->findings.arena = &b->arena;
	}
	return b;
}

ABIBASE_EXPORT struct abibase_baseline *abibase_baseline_ref(struct abibase_baseline *b)
{
	if (b)
		__atomic_add_fetch(&b->refcount, 1, __ATOMIC_RELAXED);
	return b;
}

ABIBASE_EXPORT struct abibase_baseline *abibase_baseline_unref(struct abibase_baseline *b)
{
	if (!b || __atomic_sub_fetch(&b->refcount, 1, __ATOMIC_ACQ_REL) > 0)
		return NULL;
	inputs_clear(&b->in);
	arena_clear(&b->arena);
	abibase_catalogue_unref(b->cat);
	json_decref(b->root);
	json_decref(b->document);
	free(b);
	return NULL;
}

ABIBASE_EXPORT enum abibase_verdict abibase_baseline_verdict(const struct abibase_baseline *b)
{
	return b ? b->verdict : ABIBASE_VERDICT_UNKNOWN;
}

ABIBASE_EXPORT const char *abibase_baseline_id(const struct abibase_baseline *b)
{
	return b ? b->id : NULL;
}

bool baseline_offered(const struct abibase_baseline *b, const char *backend, uint64_t ret[2])
{
	for (size_t i = 0; i < b->n_offers; i++)
		if (b->offers[i].known && streq(b->in.backends[b->offers[i].backend], backend)) {
			memcpy(ret, b->offers[i].word, sizeof(b->offers[i].word));
			return true;
		}
	return false;
}

const struct value *baseline_value(const struct abibase_baseline *b, const char *class_name,
				   const char *property)
{
	for (size_t i = 0; i < b->n_values; i++)
		if (streq(b->values[i].class_name, class_name) &&
		    streq(b->values[i].property, property))
			return &b->values[i];
	return NULL;
}

const char *baseline_property(const struct abibase_baseline *b, const char *class_name,
			      const char *property)
{
	const struct value *v = baseline_value(b, class_name, property);

	return v ? v->text : NULL;
}

size_t baseline_finding_count(const struct abibase_baseline *b)
{
	return b ? b->findings.n : 0;
}

ABIBASE_EXPORT const char *abibase_baseline_finding_get(const struct abibase_baseline *b, size_t i,
							const char *part)
{
	const struct finding *f = b && i < b->findings.n ? &b->findings.f[i] : NULL;

	if (!f || !part)
		return NULL;
	if (streq(part, "kind"))
		return finding_words[f->kind];
	if (streq(part, "id"))
		return f->id;
	if (streq(part, "text"))
		return f->text;
	return streq(part, "remedy") ? f->remedy : NULL;
}

size_t baseline_host_builds(const struct abibase_baseline *b, const struct host *h,
			    const char *path, unsigned int *ret, size_t max)
{
	size_t n = 0;

	for (unsigned int u = 0; u < b->n_used; u++) {
		bool uses = !b->used[u].build && inputs_assumes_qemu(&b->in, h) && !path;

		for (size_t i = 0; i < h->n_qemu && !uses; i++) {
			const char *p = host_path(&b->in, &h->qemu[i]);

			uses = (long)h->qemu[i].build == b->used[u].index &&
			       (!path || (p && streq(p, path)));
		}
		if (uses && n < max)
			ret[n] = u;
		n += uses;
	}
	return n;
}

const json_t *baseline_entry(const struct abibase_baseline *b, size_t used)
{
	return b->used[used].build ? b->used[used].build->entry : NULL;
}

/* DESIGN, rule 10, says what is left out of the identity, and why. */
const char *baseline_make_id(struct abibase_baseline *b)
{
	struct blake2b hash;
	_buf_ text = { 0 };
	char hex[65];

	buf_printf(&text, "abibase-guest-abi/1\narch %s\ntarget %s\nmachine %s\n", b->arch,
		   b->target, b->machine);
	for (size_t i = 0; i < b->n_offers; i++)
		buf_printf(&text, "backend %s\n", b->in.backends[b->offers[i].backend]);
	for (size_t i = 0; i < b->n_values; i++) {
		const struct value *v = &b->values[i];

		if (v->on && v->is_number)
			buf_printf(&text, "set %s.%s=%s\n", v->class_name, v->property, v->text);
		else if (v->on || v->off_counts)
			buf_printf(&text, "%s %s.%s\n", v->on ? "on" : "off", v->class_name,
				   v->property);
	}
	for (size_t i = 0; i < b->n_requirements; i++)
		buf_printf(&text, "%s %s\n",
			   b->requirements[i].met == ABIBASE_YES ? "requires" : "without",
			   b->requirements[i].name);
	if (buf_failed(&text))
		return NULL;
	blake2b_init(&hash);
	blake2b_update(&hash, text.data, text.len);
	blake2b_final_hex(&hash, hex);
	return arena_printf(&b->arena, "b1-%.32s", hex);
}

/* ---------------------------------------------------------------------- writing */

/*
 * The text is streamed and no tree is built, for a baseline can name tens of thousands of hosts.
 * Members are written in the order of their names: the canonical form.
 */
struct writer {
	struct buf *out;
	unsigned int depth;
	unsigned int about; /* backends, of those of the catalogue, whose conditions are written */
	struct member_of *cohorts; /* for each host */
	bool comma;
	bool inputs; /* and reasons */
};

static void w_next(struct writer *w)
{
	if (w->comma)
		buf_putc(w->out, ',');
	buf_putc(w->out, '\n');
	for (unsigned int i = 0; i < w->depth; i++)
		buf_puts(w->out, "  ");
	w->comma = true;
}

static void w_key(struct writer *w, const char *key)
{
	w_next(w);
	json_write_string(w->out, key);
	buf_puts(w->out, ": ");
}

static void w_open(struct writer *w, char c)
{
	buf_putc(w->out, c);
	w->depth++;
	w->comma = false;
}

static void w_close(struct writer *w, char c)
{
	w->depth--;
	if (w->comma) {
		w->comma = false;
		w_next(w);
	}
	buf_putc(w->out, c);
	w->comma = true;
}

static void w_string(struct writer *w, const char *key, const char *s)
{
	w_key(w, key);
	if (s)
		json_write_string(w->out, s);
	else
		buf_puts(w->out, "null");
}

static void w_bool(struct writer *w, const char *key, bool v)
{
	w_key(w, key);
	buf_puts(w->out, v ? "true" : "false");
}

static void w_int(struct writer *w, const char *key, int64_t v)
{
	w_key(w, key);
	buf_printf(w->out, "%lld", (long long)v);
}

static void w_item(struct writer *w, const char *s)
{
	w_next(w);
	json_write_string(w->out, s);
}

static void w_list(struct writer *w, const char *key, const char *const *s, size_t n)
{
	w_key(w, key);
	w_open(w, '[');
	for (size_t i = 0; i < n; i++)
		w_item(w, s[i]);
	w_close(w, ']');
}

/* What only a device is asked about that this baseline is not for is none of its business. */
static bool is_asked(const struct writer *w, const struct abibase_baseline *b, size_t condition)
{
	return !b->cat || b->cat->conditions[condition].backends & w->about;
}

/*
 * A cohort: hosts that answer alike, so that every reason is about all of them or none. It goes by
 * the name of its first host.
 */
struct member_of {
	unsigned int first; /* host of the cohort */
	unsigned int next;  /* one, or NO_HOST */
};
#define NO_HOST (~0u)

struct cohort_order {
	const struct writer *w;
	const struct abibase_baseline *b;
};

static int bytes_cmp(const void *x, size_t n_x, const void *y, size_t n_y)
{
	return n_x != n_y ? (n_x < n_y ? -1 : 1) : memcmp(x, y, n_x);
}

static int answers_cmp(const struct cohort_order *o, const struct host *x, const struct host *y)
{
	for (size_t i = 0; i < o->b->in.n_conditions; i++)
		if (x->answers[i] != y->answers[i] && is_asked(o->w, o->b, i))
			return x->answers[i] < y->answers[i] ? -1 : 1;
	return memcmp(x->numbers, y->numbers, o->b->in.n_numbers * sizeof(*x->numbers));
}

static int cohort_cmp(const struct cohort_order *o, const struct host *x, const struct host *y)
{
	const struct inputs *in = &o->b->in;
	const unsigned int a[] = { x->arch, x->platform, x->has_qemu, inputs_assumes_qemu(in, x),
				   inputs_is_dest(in, x) };
	const unsigned int b[] = { y->arch, y->platform, y->has_qemu, inputs_assumes_qemu(in, y),
				   inputs_is_dest(in, y) };
	int r = memcmp(a, b, sizeof(a));

	if (!r)
		r = bytes_cmp(x->qemu, x->n_qemu * sizeof(*x->qemu), y->qemu,
			      y->n_qemu * sizeof(*y->qemu));
	if (!r)
		r = bytes_cmp(x->unasked, x->n_unasked * sizeof(*x->unasked), y->unasked,
			      y->n_unasked * sizeof(*y->unasked));
	return r ? r : answers_cmp(o, x, y);
}

static int host_order(const void *x, const void *y, void *data)
{
	const struct cohort_order *o = data;
	unsigned int a = *(const unsigned int *)x, b = *(const unsigned int *)y;
	int r = cohort_cmp(o, o->b->in.hosts[a], o->b->in.hosts[b]);

	return r ? r : (a > b) - (a < b);
}

static void find_cohorts(struct writer *w, const struct abibase_baseline *b)
{
	size_t n = b->in.n_hosts;
	_autofree_ unsigned int *order = calloc(n + 1, sizeof(*order));
	struct cohort_order o = { w, b };

	w->cohorts = calloc(n + 1, sizeof(*w->cohorts));
	w->out->failed |= !order || !w->cohorts;
	if (!order || !w->cohorts)
		return;
	for (unsigned int i = 0; i < n; i++)
		order[i] = i;
	qsort_r(order, n, sizeof(*order), host_order, &o);
	for (size_t i = n; i-- > 0;) {
		bool last = i + 1 == n ||
			    cohort_cmp(&o, b->in.hosts[order[i]], b->in.hosts[order[i + 1]]);

		w->cohorts[order[i]].next = last ? NO_HOST : order[i + 1];
	}
	for (size_t i = 0, first = 0; i < n; i++) {
		w->cohorts[order[i]].first = order[first];
		if (w->cohorts[order[i]].next == NO_HOST)
			first = i + 1;
	}
}

/* The cohorts of some hosts. */
static void w_cohorts(struct writer *w, const struct abibase_baseline *b, const char *key,
		      const unsigned int *hosts, size_t n)
{
	w_key(w, key);
	w_open(w, '[');
	for (size_t i = 0; i < n; i++)
		if (w->cohorts[hosts[i]].first == hosts[i])
			w_item(w, b->in.hosts[hosts[i]]->name);
	w_close(w, ']');
}

static void w_used(struct writer *w, const struct abibase_baseline *b, size_t used)
{
	w_item(w, b->used[used].build ? b->used[used].build->digest : ANY_BUILD);
}

static void w_mask(struct writer *w, const struct abibase_baseline *b, const char *key,
		   unsigned int mask)
{
	w_key(w, key);
	w_open(w, '[');
	for (size_t i = 0; i < b->in.n_backends; i++)
		if (mask & (1u << i))
			w_item(w, b->in.backends[i]);
	w_close(w, ']');
}

static void write_offer(struct writer *w, const struct abibase_baseline *b, const struct offer *o)
{
	char word[40];

	w_next(w);
	w_open(w, '{');
	w_cohorts(w, b, "absent_on", o->absent_on, w->inputs ? o->n_absent_on : 0);
	w_list(w, "features", o->features, o->known ? o->n_features : 0);
	w_string(w, "name", b->in.backends[o->backend]);
	snprintf(word, sizeof(word), "0x%016llx%016llx", (unsigned long long)o->word[1],
		 (unsigned long long)o->word[0]);
	w_string(w, "offered", o->known ? word : NULL);
	w_close(w, '}');
}

static int build_order(const void *a, const void *b)
{
	return strcmp((*(struct build *const *)a)->digest, (*(struct build *const *)b)->digest);
}

/*
 * A build's record with what it has of this machine type only: the others are many and none of this
 * baseline's business. A build that does not list it keeps its list, which says so. The digest
 * stays that of the whole record, by which builds are told apart. A deep copy, for jansson counts
 * references without care for other threads that share the build.
 */
static json_t *own_part(const struct abibase_baseline *b, const struct build *build)
{
	json_t *part = json_object(), *v;
	const char *key;

	json_object_foreach(build->entry, key, v) {
		bool by_machine = streq(key, "values") || streq(key, "shape");
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

static void write_builds(struct writer *w, const struct abibase_baseline *b)
{
	struct build **sorted = calloc(b->in.n_builds + 1, sizeof(struct build *));

	if (!sorted) {
		w->out->failed = true;
		return;
	}
	if (b->in.n_builds)
		memcpy(sorted, b->in.builds, b->in.n_builds * sizeof(*sorted));
	qsort(sorted, b->in.n_builds, sizeof(*sorted), build_order);
	w_key(w, "builds");
	w_open(w, '{');
	for (size_t i = 0; i < b->in.n_builds; i++) {
		json_auto_t *part = NULL;

		if (!w->inputs && !is_used(b, sorted[i]))
			continue;
		part = own_part(b, sorted[i]);
		w_key(w, sorted[i]->digest);
		if (part)
			json_write_value(w->out, part, w->depth);
		else
			w->out->failed = true;
	}
	w_close(w, '}');
	free(sorted);
}

static void write_findings(struct writer *w, const struct abibase_baseline *b)
{
	w_key(w, "findings");
	w_open(w, '[');
	for (size_t i = 0; i < b->findings.n && w->inputs; i++) {
		if (b->findings.f[i].of_inputs)
			continue;
		w_next(w);
		w_open(w, '{');
		w_string(w, "id", b->findings.f[i].id);
		w_string(w, "kind", finding_words[b->findings.f[i].kind]);
		if (b->findings.f[i].remedy)
			w_string(w, "remedy", b->findings.f[i].remedy);
		w_string(w, "text", b->findings.f[i].text);
		w_close(w, '}');
	}
	w_close(w, ']');
}

static void write_host_qemu(struct writer *w, const struct abibase_baseline *b,
			    const struct host *h)
{
	w_key(w, "qemu");
	w_open(w, '[');
	for (size_t i = 0; i < h->n_qemu; i++) {
		const char *path = host_path(&b->in, &h->qemu[i]);

		w_next(w);
		w_open(w, '{');
		w_string(w, "build", b->in.builds[h->qemu[i].build]->digest);
		if (path)
			w_string(w, "path", path);
		w_close(w, '}');
	}
	w_close(w, ']');
}

static void write_unasked(struct writer *w, const struct abibase_baseline *b,
			  const struct host *h)
{
	w_key(w, "qemu_unasked");
	w_open(w, '[');
	for (size_t i = 0; i < h->n_unasked; i++) {
		w_next(w);
		w_open(w, '{');
		if (h->unasked[i].path != NO_PATH)
			w_string(w, "path", b->in.strings.s[h->unasked[i].path]);
		w_string(w, "unknown", b->in.strings.s[h->unasked[i].reason]);
		w_close(w, '}');
	}
	w_close(w, ']');
}

static void write_conditions(struct writer *w, const struct abibase_baseline *b)
{
	w_key(w, "conditions");
	w_open(w, '[');
	for (size_t i = 0; i < b->in.n_conditions; i++)
		if (is_asked(w, b, i))
			w_item(w, b->in.conditions[i]);
	w_close(w, ']');
}

static void write_answers(struct writer *w, const struct abibase_baseline *b, const struct host *h)
{
	w_key(w, "lacks");
	w_open(w, '[');
	for (size_t i = 0; i < b->in.n_conditions; i++)
		if (h->answers[i] == ABIBASE_NO && is_asked(w, b, i))
			w_item(w, b->in.conditions[i]);
	w_close(w, ']');
}

static void write_unknown(struct writer *w, const struct abibase_baseline *b, const struct host *h)
{
	w_key(w, "unknown");
	w_open(w, '{');
	for (size_t i = 0; i < b->in.n_conditions; i++)
		if (h->answers[i] >= ANSWER_UNKNOWN && is_asked(w, b, i))
			w_string(w, b->in.conditions[i],
				 answer_reason(&b->in, h->answers[i]));
	w_close(w, '}');
}

/* Only what the host states; most state nothing. */
static void write_numbers(struct writer *w, const struct abibase_baseline *b, const struct host *h)
{
	bool any = false;

	for (size_t i = 0; i < b->in.n_numbers; i++) {
		if (h->numbers[i] == NUMBER_UNSTATED)
			continue;
		if (!any) {
			w_key(w, "numbers");
			w_open(w, '{');
		}
		any = true;
		w_int(w, b->in.numbers[i], h->numbers[i]);
	}
	if (any)
		w_close(w, '}');
}

static void w_digest(struct writer *w, const char *key, const unsigned char *digest)
{
	static const char digits[] = "0123456789abcdef";
	char hex[DIGEST_HEX + 1] = "";

	for (size_t i = 0; i < DIGEST_HEX / 2; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	w_string(w, key, hex);
}

/* Each host of the cohort with the digest of its profile: a line each, for they are many. */
static void write_hosts(struct writer *w, const struct abibase_baseline *b, unsigned int first)
{
	w_key(w, "hosts");
	w_open(w, '{');
	for (unsigned int i = first; i != NO_HOST; i = w->cohorts[i].next)
		w_digest(w, b->in.hosts[i]->name, b->in.hosts[i]->digest);
	w_close(w, '}');
}

/* Most profiles of hosts have none. */
static void write_revisions(struct writer *w, const struct abibase_baseline *b, unsigned int first)
{
	bool any = false;

	for (unsigned int i = first; i != NO_HOST; i = w->cohorts[i].next) {
		if (!b->in.hosts[i]->revision)
			continue;
		if (!any) {
			w_key(w, "revisions");
			w_open(w, '{');
		}
		any = true;
		w_int(w, b->in.hosts[i]->name, b->in.hosts[i]->revision);
	}
	if (any)
		w_close(w, '}');
}

static void write_cohort(struct writer *w, const struct abibase_baseline *b, unsigned int first)
{
	const struct host *h = b->in.hosts[first];

	w_next(w);
	w_open(w, '{');
	w_string(w, "arch", b->in.strings.s[h->arch]);
	write_hosts(w, b, first);
	w_string(w, "kind", h->platform ? "platform" : "host");
	write_answers(w, b, h);
	write_numbers(w, b, h);
	write_host_qemu(w, b, h);
	/* without a word an empty list means that nothing was recorded, as it always did */
	if (h->has_qemu && !h->n_qemu && !h->n_unasked)
		w_bool(w, "qemu_none", true);
	if (h->n_unasked)
		write_unasked(w, b, h);
	write_revisions(w, b, first);
	write_unknown(w, b, h);
	w_close(w, '}');
}

static void write_inputs(struct writer *w, const struct abibase_baseline *b)
{
	w_key(w, "inputs");
	w_open(w, '[');
	for (unsigned int i = 0; i < b->in.n_hosts; i++)
		if (w->cohorts[i].first == i)
			write_cohort(w, b, i);
	w_close(w, ']');
}

static void write_policy(struct writer *w, const struct abibase_baseline *b)
{
	const struct policy *p = &b->in.policy;

	w_key(w, "policy");
	w_open(w, '{');
	if (p->assume.n && w->inputs)
		w_list(w, "assume_qemu", (const char *const *)p->assume.s, p->assume.n);
	w_mask(w, b, "backends", p->backends);
	w_bool(w, "backends_named", p->backends_named);
	w_list(w, "dest", (const char *const *)p->dest.s, p->dest.n);
	w_list(w, "disable", (const char *const *)p->disable.s, p->disable.n);
	w_list(w, "enable", (const char *const *)p->enable.s, p->enable.n);
	w_bool(w, "machine_chosen", b->machine_chosen);
	w_string(w, "on", p->all ? "all" : "compatible");
	w_string(w, "target", p->target);
	w_close(w, '}');
}

const char *const evidence_words[] = { "catalogue", "record", NULL };

static void write_scope(struct writer *w, const struct abibase_baseline *b)
{
	const struct scope *s = &b->scope;

	w_key(w, "scope");
	w_open(w, '{');
	w_list(w, "devices", s->devices.s, s->devices.n);
	w_key(w, "evidence");
	w_open(w, '{');
	for (size_t e = 0; e < N_EVIDENCE; e++) {
		w_key(w, evidence_words[e]);
		w_open(w, '[');
		for (size_t u = 0; u < b->n_used; u++)
			if (s->evidence && s->evidence[u] & (1u << e))
				w_used(w, b, u);
		w_close(w, ']');
	}
	w_close(w, '}');
	w_list(w, "layers", s->layers.s, s->layers.n);
	w_list(w, "not_compared", s->not_compared.s, s->not_compared.n);
	w_close(w, '}');
}

static void write_requirement(struct writer *w, const struct met *m)
{
	w_next(w);
	w_open(w, '{');
	w_list(w, "conditions", m->conditions, m->n_conditions);
	if (m->met == ABIBASE_UNKNOWN)
		w_string(w, "met", NULL);
	else
		w_bool(w, "met", m->met == ABIBASE_YES);
	w_string(w, "name", m->name);
	w_string(w, "text", m->text);
	w_close(w, '}');
}

static void write_why(struct writer *w, const struct abibase_baseline *b, const struct why *y)
{
	w_next(w);
	w_open(w, '{');
	if (y->backends)
		w_mask(w, b, "backends", y->backends);
	if (y->n_hosts)
		w_cohorts(w, b, "cohorts", y->hosts, y->n_hosts);
	if (y->layer)
		w_string(w, "layer", y->layer);
	if (y->missing)
		w_string(w, "missing", y->missing);
	w_string(w, "reason", why_words[y->kind]);
	if (y->remedy)
		w_string(w, "remedy", y->remedy);
	w_string(w, "what", y->what);
	w_close(w, '}');
}

/* A word where all builds agree, as they mostly do; else the builds of each word. */
static void write_defaults(struct writer *w, const struct abibase_baseline *b,
			   const struct value *v)
{
	static const enum setting order[] = { SETTING_ABSENT, SETTING_OFF, SETTING_ON,
					      SETTING_UNKNOWN };
	size_t same = 0;

	while (same < b->n_used && v->defaults[same] == v->defaults[0])
		same++;
	if (b->n_used && same == b->n_used) {
		w_string(w, "defaults", setting_words[v->defaults[0]]);
		return;
	}
	w_key(w, "defaults");
	w_open(w, '{');
	for (size_t s = 0; s < ARRAY_SIZE(order); s++) {
		bool any = false;

		for (size_t u = 0; u < b->n_used; u++) {
			if (v->defaults[u] != order[s])
				continue;
			if (!any) {
				w_key(w, setting_words[order[s]]);
				w_open(w, '[');
			}
			any = true;
			w_used(w, b, u);
		}
		if (any)
			w_close(w, ']');
	}
	w_close(w, '}');
}

static void write_value(struct writer *w, const struct abibase_baseline *b, const struct value *v)
{
	w_next(w);
	w_open(w, '{');
	if (v->bit >= 0)
		w_int(w, "bit", v->bit);
	w_string(w, "class", v->class_name);
	write_defaults(w, b, v);
	w_string(w, "feature", v->feature);
	if (v->group)
		w_string(w, "group", v->group);
	if (v->off_counts)
		w_bool(w, "off_counts", true);
	w_string(w, "property", v->property);
	w_list(w, "requires", v->requires, v->n_requires);
	if (v->is_number)
		w_int(w, "value", v->number);
	else
		w_string(w, "value", v->text);
	if (v->n_why && w->inputs) {
		w_key(w, "why");
		w_open(w, '[');
		for (size_t i = 0; i < v->n_why; i++)
			write_why(w, b, &v->why[i]);
		w_close(w, ']');
	}
	w_close(w, '}');
}

/* What QEMU is told, by the option that tells it. */
static void write_outputs(struct writer *w, const struct abibase_baseline *b)
{
	w_key(w, "outputs");
	w_open(w, '[');
	w_next(w);
	w_open(w, '{');
	w_string(w, "option", OPTION_GLOBAL);
	w_key(w, "values");
	w_open(w, '[');
	for (size_t i = 0; i < b->n_values; i++)
		write_value(w, b, &b->values[i]);
	w_close(w, ']');
	w_close(w, '}');
	w_close(w, ']');
}

static void write_used(struct writer *w, const struct abibase_baseline *b)
{
	w_key(w, "used");
	w_open(w, '[');
	for (size_t u = 0; u < b->n_used; u++)
		w_used(w, b, u);
	w_close(w, ']');
}

static void write_all(struct writer *w, const struct abibase_baseline *b)
{
	w_open(w, '{');
	w_string(w, "schema", "abibase-baseline/1");
	w_string(w, "arch", b->arch);
	w_key(w, "backends");
	w_open(w, '[');
	for (size_t i = 0; i < b->n_offers; i++)
		write_offer(w, b, &b->offers[i]);
	w_close(w, ']');
	write_builds(w, b);
	w_int(w, "catalogue", b->in.catalogue_revision);
	if (w->inputs)
		write_conditions(w, b);
	write_findings(w, b);
	w_string(w, "id", b->id);
	if (w->inputs)
		write_inputs(w, b);
	w_string(w, "machine", b->machine);
	write_outputs(w, b);
	write_policy(w, b);
	w_key(w, "requirements");
	w_open(w, '[');
	for (size_t i = 0; i < b->n_requirements; i++)
		write_requirement(w, &b->requirements[i]);
	w_close(w, ']');
	write_scope(w, b);
	w_string(w, "target", b->target);
	write_used(w, b);
	w_string(w, "verdict", verdict_words[b->verdict]);
	w_close(w, '}');
	buf_putc(w->out, '\n');
}

void baseline_write(const struct abibase_baseline *b, bool inputs, struct buf *out)
{
	struct writer w = { .out = out };

	/* they say why there is no answer, where there is none */
	w.inputs = (inputs && !b->no_inputs) || b->verdict != ABIBASE_VERDICT_YES;

	if (b->cat)
		w.about = b->in.policy.backends | catalogue_device(b->cat, NULL);
	find_cohorts(&w, b);
	if (!out->failed)
		write_all(&w, b);
	free(w.cohorts);
}

json_t *baseline_backends(const struct abibase_baseline *b)
{
	const char *names[MAX_BACKENDS];
	size_t n = 0;

	for (size_t i = 0; i < b->in.n_backends; i++)
		if (b->in.policy.backends & (1u << i))
			names[n++] = b->in.backends[i];
	return json_strings(names, n);
}

json_t *baseline_scope(const struct abibase_baseline *b)
{
	const struct scope *s = &b->scope;
	const char *evidence[N_EVIDENCE];
	size_t n = 0;

	for (size_t e = 0; e < N_EVIDENCE; e++)
		for (size_t u = 0; s->evidence && u < b->n_used; u++)
			if (s->evidence[u] & (1u << e)) {
				evidence[n++] = evidence_words[e];
				break;
			}
	return json_pack("{so so so so}", "devices", json_strings(s->devices.s, s->devices.n),
			 "layers", json_strings(s->layers.s, s->layers.n), "evidence",
			 json_strings(evidence, n), "not_compared",
			 json_strings(s->not_compared.s, s->not_compared.n));
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
