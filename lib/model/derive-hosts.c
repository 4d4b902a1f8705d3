/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/derive.h"
#include "model/machine.h"

void derive_write_hosts(const struct derive *d, const unsigned int *hosts, size_t n,
			struct buf *out)
{
	inputs_write_hosts(&d->b->in, hosts, n, " and ", out);
}

void derive_write_backends(const struct derive *d, unsigned int mask, struct buf *out)
{
	inputs_write_backends(&d->b->in, mask, ", ", out);
}

/* ---------------------------------------------------------------- findings */

void derive_finding(struct derive *d, enum abibase_finding_kind kind, const char *id,
		    const char *remedy, struct buf *text)
{
	finding_add(&d->b->findings, (struct finding){ .kind = kind, .id = id, .remedy = remedy,
							.host = d->of },
		    text);
}

void *derive_alloc(struct derive *d, size_t n, size_t size)
{
	void *p = arena_alloc(&d->arena, n * size);

	d->b->arena.failed |= !p;
	return p;
}

/* A list of hosts that stays, of the size that it needs. */
void derive_keep_hosts(struct derive *d, const unsigned int *hosts, size_t n, unsigned int **ret,
		       size_t *ret_n)
{
	*ret = arena_alloc(&d->b->arena, (n + 1) * sizeof(**ret));
	*ret_n = *ret ? n : 0;
	if (*ret)
		memcpy(*ret, hosts, n * sizeof(*hosts));
}

/* ------------------------------------------------- architecture, target, machine */

void derive_arch(struct derive *d)
{
	struct abibase_baseline *b = d->b;
	const struct inputs *in = &b->in;
	_buf_ text = { 0 };
	bool differ = false;

	for (size_t i = 1; i < in->n_hosts; i++)
		if (in->hosts[i]->arch != in->hosts[0]->arch)
			differ = true;
	if (differ) {
		buf_puts(&text, "the hosts are of different architectures:");
		for (size_t i = 0; i < in->n_hosts; i++)
			buf_printf(&text, "%s %s is %s", i ? "," : "", in->hosts[i]->name,
				   in->strings.s[in->hosts[i]->arch]);
		derive_finding(d, ABIBASE_FINDING_CONFLICT, "arch-differs",
			       "make one baseline for the hosts of each architecture", &text);
		return;
	}
	b->arch = in->strings.s[in->hosts[0]->arch];
	b->target = in->policy.target ? in->policy.target : b->arch;
	if (catalogue_has_target(d->cat, b->target))
		return;
	buf_printf(&text, "the catalogue has no data for the QEMU target %s", b->target);
	b->target = NULL;
	derive_finding(d, ABIBASE_FINDING_UNKNOWN, "target-not-covered",
		       "use a target that it has: x86_64", &text);
}

static void finding_unasked(struct derive *d, const struct host *h, const struct host_unasked *u)
{
	const struct strings *strings = &d->b->in.strings;
	_buf_ text = { 0 };

	machine_write_unasked(h->name, u->path == NO_PATH ? NULL : strings->s[u->path],
			      strings->s[u->reason], &text);
	derive_finding(d, ABIBASE_FINDING_UNKNOWN, "qemu-unasked", machine_unasked_remedy,
		       &text);
}

/* What is to be said of the host as a whole; @counted may be NULL where it has no QEMU. */
static void finding_host(struct derive *d, const struct host *h, const struct machine_host *counted)
{
	static const enum abibase_finding_kind kinds[] = {
		[MACHINE_CONFLICT] = ABIBASE_FINDING_CONFLICT,
		[MACHINE_UNKNOWN] = ABIBASE_FINDING_UNKNOWN,
		[MACHINE_ASSUMED] = ABIBASE_FINDING_NOTE,
	};
	const struct machine_host none = { .name = h->name, .looked_for = h->has_qemu };
	const char *id, *remedy;
	enum machine_answer answer;
	_buf_ text = { 0 };

	answer = machine_judge(counted ? counted : &none, d->b->target, d->b->machine, &text, &id,
			       &remedy);
	if (answer != MACHINE_FINE)
		derive_finding(d, kinds[answer], id, remedy, &text);
}

/* Hosts of whose QEMU there is no record, where that leaves a question open. */
static void finding_no_qemu(struct derive *d, const char *id, const char *remedy, const char *what)
{
	const struct inputs *in = &d->b->in;
	unsigned int *hosts = d->scratch[0];
	_buf_ text = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < in->n_hosts; i++)
		if (!in->hosts[i]->has_qemu)
			hosts[n++] = (unsigned int)i;
	if (!n)
		return;
	derive_write_hosts(d, hosts, n, &text);
	buf_printf(&text, ": no QEMU facts in the profile, %s", what);
	derive_finding(d, ABIBASE_FINDING_UNKNOWN, id, remedy, &text);
}

static bool is_versioned(const char *machine)
{
	struct machine_name name;

	machine_name_parse(machine, &name);
	return name.versioned;
}

/* Does this build count where no machine type was named? Unknown when it lists none. */
static enum abibase_tri has_any_versioned(const struct build *b)
{
	const json_t *machines = json_object_get(b->entry, "machines");
	const char *key;
	json_t *v;

	if (!machines)
		return ABIBASE_UNKNOWN;
	json_object_foreach((json_t *)machines, key, v)
		if (is_versioned(key))
			return ABIBASE_YES;
	return ABIBASE_NO;
}

static bool all_have(const struct derive *d, const bool *counts, const char *machine)
{
	const struct inputs *in = &d->b->in;

	for (size_t i = 0; i < in->n_builds; i++)
		if (counts[i] &&
		    !json_object_get(json_object_get(in->builds[i]->entry, "machines"), machine))
			return false;
	return true;
}

/* Hosts without any QEMU that answered are told first: nothing can be chosen for them. */
static void judge_qemuless(struct derive *d)
{
	const struct inputs *in = &d->b->in;
	bool unrecorded = false;

	for (size_t i = 0; i < in->n_hosts; i++) {
		const struct host *h = in->hosts[i];

		d->of = h->name;
		for (size_t k = 0; k < h->n_unasked; k++)
			finding_unasked(d, h, &h->unasked[k]);
		unrecorded |= !h->has_qemu;
		if (h->has_qemu && !h->n_qemu && !h->n_unasked)
			finding_host(d, h, NULL);
	}
	d->of = NULL;
	if (unrecorded)
		finding_no_qemu(d, "no-qemu-facts",
				"probe the host with its QEMU (abibase probe --qemu BINARY); or "
				"name an upstream machine type with -M pc-q35-X.Y, and take the "
				"host to have such a QEMU with --assume-qemu=HOST",
				"so that no machine type can be chosen");
}

/* The builds in an order that does not depend on that of the hosts. */
static unsigned int *builds_in_order(struct derive *d)
{
	const struct inputs *in = &d->b->in;
	unsigned int *order = derive_alloc(d, in->n_builds + 1, sizeof(*order));

	for (unsigned int i = 0; order && i < in->n_builds; i++) {
		unsigned int k = i;

		for (; k && strcmp(in->builds[order[k - 1]]->digest, in->builds[i]->digest) > 0;
		     k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
	return order;
}

/* " on a, b and c" */
static void write_hosts_of_build(struct derive *d, unsigned int build, struct buf *out)
{
	const struct inputs *in = &d->b->in;
	size_t n = 0;

	for (unsigned int i = 0; i < in->n_hosts; i++)
		for (size_t k = 0; k < in->hosts[i]->n_qemu; k++)
			if (in->hosts[i]->qemu[k].build == build && (!n || d->scratch[0][n - 1] != i))
				d->scratch[0][n++] = i;
	buf_puts(out, " on ");
	derive_write_hosts(d, d->scratch[0], n, out);
}

/* Which builds have a say in the choice? @ret_any: there is one. */
static void count_builds(struct derive *d, const unsigned int *order, bool *counts, bool *ret_any)
{
	const struct inputs *in = &d->b->in;

	for (size_t k = 0; k < in->n_builds; k++) {
		unsigned int i = order[k];
		enum abibase_tri r = has_any_versioned(in->builds[i]);
		_buf_ text = { 0 };

		if (!streq(in->builds[i]->target, d->b->target) || r == ABIBASE_NO)
			continue;
		if (r == ABIBASE_YES) {
			counts[i] = *ret_any = true;
			continue;
		}
		buf_printf(&text, "QEMU %s", in->builds[i]->version);
		write_hosts_of_build(d, i, &text);
		buf_puts(&text, ": its machine types are not recorded");
		derive_finding(d, ABIBASE_FINDING_UNKNOWN, "machines-not-recorded",
			       "name a machine type with -M, or probe the host again",
			       &text);
	}
}

/* The versioned machine types that all have: the newest first, q35 before pc. */
static void list_common(struct derive *d, const bool *counts, json_t *list)
{
	const struct inputs *in = &d->b->in;
	size_t first = 0, i;
	const char *key;
	json_t *v, *is;

	while (first < in->n_builds && !counts[first])
		first++;
	if (first == in->n_builds)
		return;
	json_object_foreach(json_object_get(in->builds[first]->entry, "machines"), key, v) {
		if (!is_versioned(key) || !all_have(d, counts, key))
			continue;
		json_array_foreach(list, i, is)
			if (machine_name_cmp(key, json_string_value(is)) > 0)
				break;
		d->b->arena.failed |= json_array_insert_new(list, i, json_string(key)) < 0;
	}
}

/* Which builds count? NULL: nothing is common, for what is in the way was said. */
static const bool *count_common(struct derive *d, bool *ret_any)
{
	bool *counts = derive_alloc(d, d->b->in.n_builds + 1, sizeof(*counts));
	unsigned int *order = builds_in_order(d);

	if (!counts || !order)
		return NULL;
	count_builds(d, order, counts, ret_any);
	judge_qemuless(d);
	return findings_verdict(&d->b->findings) == ABIBASE_VERDICT_YES ? counts : NULL;
}

static void finding_chosen(struct derive *d, bool any)
{
	struct abibase_baseline *b = d->b;
	_buf_ text = { 0 };

	if (b->machine) {
		buf_printf(&text, "machine type %s: the newest that every QEMU has", b->machine);
		derive_finding(d, ABIBASE_FINDING_NOTE, "machine-chosen", NULL, &text);
		return;
	}
	buf_printf(&text, any ? "no versioned pc or q35 machine type is common to every "
				"QEMU for %s" :
				"no host has a QEMU for %s with a versioned pc or q35 machine type",
		   b->target);
	derive_finding(d, ABIBASE_FINDING_CONFLICT, "no-common-machine",
		       "leave out the host whose QEMU is too old or too new, or "
		       "install a QEMU that shares a machine type",
		       &text);
}

void derive_common_machines(struct derive *d, json_t *list)
{
	bool any = false;
	const bool *counts = count_common(d, &any);

	if (!counts) /* a list of some hosts is none of all of them */
		return;
	list_common(d, counts, list);
	if (!json_array_size(list))
		finding_chosen(d, any);
}

static void choose_machine(struct derive *d)
{
	bool any = false;
	const bool *counts = count_common(d, &any);
	json_auto_t *list = json_array();
	const char *newest;

	if (!counts)
		return;
	list_common(d, counts, list);
	newest = json_string_value(json_array_get(list, 0));
	d->b->machine = newest ? arena_strdup(&d->b->arena, newest) : NULL;
	d->b->machine_chosen = true;
	finding_chosen(d, any);
}

/* Does each QEMU of each host cut this name? */
static bool all_cut(const struct derive *d, const char *machine)
{
	const struct inputs *in = &d->b->in;
	size_t n = 0;

	for (size_t i = 0; i < in->n_hosts; i++)
		if (!in->hosts[i]->n_qemu)
			return false;
	for (size_t i = 0; i < in->n_builds; i++) {
		if (!streq(in->builds[i]->target, d->b->target))
			continue;
		if (!qemu_cuts_machine(in->builds[i]->entry, machine))
			return false;
		n++;
	}
	return n > 0;
}

/* The name that counts is that of the machine, and of it the baseline is. */
static void cut_machine(struct derive *d)
{
	struct abibase_baseline *b = d->b;
	size_t len = strcspn(b->machine, "+");
	_buf_ text = { 0 };

	if (!b->machine[len] || !all_cut(d, b->machine))
		return;
	buf_printf(&text, "machine type %.*s: it is what every QEMU here makes of %s", (int)len,
		   b->machine, b->machine);
	b->machine = arena_printf(&b->arena, "%.*s", (int)len, b->machine);
	derive_finding(d, ABIBASE_FINDING_NOTE, "machine-cut", NULL, &text);
}

void derive_machine(struct derive *d)
{
	struct abibase_baseline *b = d->b;
	_buf_ text = { 0 };

	if (!b->in.policy.machine) {
		choose_machine(d);
		return;
	}
	b->machine = b->in.policy.machine;
	cut_machine(d);
	b->machine_chosen = b->in.policy.machine_chosen;
	if (!b->machine_chosen)
		return;
	buf_printf(&text, "machine type %s: the newest that every QEMU has", b->machine);
	derive_finding(d, ABIBASE_FINDING_NOTE, "machine-chosen", NULL, &text);
}

/* ------------------------------------------------------------------- QEMUs used */

static void write_qemu(const struct inputs *in, const struct host_qemu *q, struct buf *out)
{
	const struct build *b = in->builds[q->build];
	const char *path = host_path(in, q);

	buf_printf(out, "QEMU %s", b->version);
	if (path)
		buf_printf(out, ", %s,", path);
}

static void finding_unused(struct derive *d, const struct host *h, const struct host_qemu *q,
			   enum machine_use use)
{
	const struct build *b = d->b->in.builds[q->build];
	_buf_ text = { 0 };

	buf_printf(&text, "%s: %s", h->name, use == MACHINE_NOT_RECORDED ? "whether " : "");
	write_qemu(&d->b->in, q, &text);
	if (use == MACHINE_NOT_RECORDED) {
		machine_write_unrecorded(d->cat, b->entry, d->b->machine, &text);
		derive_finding(d, ABIBASE_FINDING_UNKNOWN, "machine-not-recorded",
			       machine_unrecorded_remedy, &text);
		return;
	}
	if (use == MACHINE_OTHER_TARGET)
		buf_printf(&text, " is not used: it is for the target %s", b->target);
	else
		buf_printf(&text, " is not used: it does not have the machine type %s",
			   d->b->machine);
	derive_finding(d, ABIBASE_FINDING_NOTE, "qemu-unused", NULL, &text);
}

/* Marks in @d->used_of (as 0) the builds that some host uses. */
static void mark_host(struct derive *d, const struct host *h, const enum machine_use *uses)
{
	struct machine_host counted = { .name = h->name,
					.looked_for = h->has_qemu,
					.assumed = inputs_assumes_qemu(&d->b->in, h),
					.n_unasked = h->n_unasked };

	for (size_t i = 0; i < h->n_qemu; i++) {
		enum machine_use use = uses[h->qemu[i].build];

		machine_count(&counted, use);
		if (use == MACHINE_USED)
			d->used_of[h->qemu[i].build] = 0;
		else
			finding_unused(d, h, &h->qemu[i], use);
	}
	for (size_t i = 0; !counted.assumed && i < h->n_unasked; i++)
		finding_unasked(d, h, &h->unasked[i]);
	finding_host(d, h, &counted);
}

static int build_cmp(const void *a, const void *b)
{
	const struct used_build *x = a, *y = b;

	if (!x->build || !y->build)
		return !x->build - !y->build;
	return strcmp(x->build->digest, y->build->digest);
}

/* A vendor's machine type is not any upstream QEMU's. */
static void finding_assumed(struct derive *d)
{
	const struct inputs *in = &d->b->in;
	_buf_ text = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < in->n_hosts; i++)
		if (inputs_assumes_qemu(in, in->hosts[i]))
			d->scratch[0][n++] = (unsigned int)i;
	derive_write_hosts(d, d->scratch[0], n, &text);
	buf_printf(&text, ": an upstream QEMU is assumed, and %s is not an upstream machine type: "
			  "what it means there cannot be told",
		   d->b->machine);
	derive_finding(d, ABIBASE_FINDING_UNKNOWN, "vendor-machine-unknown",
		       "probe the host with its QEMU, or use an upstream machine type "
		       "(-M pc-q35-X.Y)",
		       &text);
}

void derive_used(struct derive *d)
{
	struct abibase_baseline *b = d->b;
	struct inputs *in = &b->in;
	enum machine_use *uses = derive_alloc(d, in->n_builds + 1, sizeof(*uses));
	struct machine_name name;
	bool any = false;

	machine_name_parse(b->machine, &name);
	b->used = arena_alloc(&b->arena, (in->n_builds + 1) * sizeof(*b->used));
	if (!b->used || !uses)
		return;
	for (size_t i = 0; i < in->n_builds; i++) {
		d->used_of[i] = -1;
		uses[i] = machine_use(d->cat, in->builds[i]->entry, b->target, b->machine);
	}
	for (size_t i = 0; i < in->n_hosts; i++)
		any |= inputs_assumes_qemu(in, in->hosts[i]);
	if (any && !name.upstream) {
		finding_assumed(d);
		return;
	}
	for (size_t i = 0; i < in->n_hosts; i++) {
		d->of = in->hosts[i]->name;
		mark_host(d, in->hosts[i], uses);
	}
	d->of = NULL;
	for (size_t i = 0; i < in->n_builds; i++)
		if (d->used_of[i] == 0)
			b->used[b->n_used++] = (struct used_build){ in->builds[i], (long)i };
	if (any)
		b->used[b->n_used++] = (struct used_build){ NULL, -1 };
	qsort(b->used, b->n_used, sizeof(*b->used), build_cmp);
	d->any = any ? (long)b->n_used - 1 : -1;
	for (size_t i = 0; i < b->n_used; i++) {
		const struct build *build = b->used[i].build;

		if (build)
			d->used_of[b->used[i].index] = (long)i;
		qemu_view_init(&d->views[i], d->cat, build ? build->entry : NULL, b->machine);
	}
}

const struct effective *derive_eff(const struct derive *d, size_t row, size_t used)
{
	return &d->eff[row * d->b->n_used + used];
}

bool derive_host_uses(const struct derive *d, const struct host *h, const bool *used)
{
	if (inputs_assumes_qemu(&d->b->in, h))
		return d->any >= 0 && used[d->any];
	for (size_t i = 0; i < h->n_qemu; i++)
		if (d->used_of[h->qemu[i].build] >= 0 && used[d->used_of[h->qemu[i].build]])
			return true;
	return false;
}

/* The hosts that use one of the builds marked in @used. */
void derive_hosts_of(struct derive *d, const bool *used, unsigned int **ret, size_t *ret_n)
{
	unsigned int *hosts = d->scratch[0];
	size_t n = 0;

	for (size_t i = 0; i < d->b->in.n_hosts; i++)
		if (derive_host_uses(d, d->b->in.hosts[i], used))
			hosts[n++] = (unsigned int)i;
	derive_keep_hosts(d, hosts, n, ret, ret_n);
}

void derive_dests(const struct derive *d, bool *used)
{
	const struct inputs *in = &d->b->in;

	memset(used, 0, d->b->n_used * sizeof(*used));
	for (size_t i = 0; i < in->n_hosts; i++) {
		const struct host *h = in->hosts[i];

		if (!inputs_is_dest(in, h))
			continue;
		if (d->any >= 0 && inputs_assumes_qemu(in, h))
			used[d->any] = true;
		for (size_t k = 0; k < h->n_qemu; k++)
			if (d->used_of[h->qemu[k].build] >= 0)
				used[d->used_of[h->qemu[k].build]] = true;
	}
}

/*
 * What is newer than the catalogue is named, once: a feature that came with it is in no answer,
 * even where all that the catalogue asks for was recorded.
 */
void derive_newer(struct derive *d)
{
	const struct abibase_baseline *b = d->b;
	struct machine_name name;
	_buf_ text = { 0 };

	for (size_t u = 0; u < b->n_used; u++) {
		if (!b->used[u].build || !catalogue_is_older(d->cat, &d->views[u].version))
			continue;
		buf_puts(&text, text.len ? "; " : "");
		derive_write_build(d, u, &text);
	}
	machine_name_parse(b->machine, &name);
	if (name.upstream && catalogue_is_older(d->cat, &name.version))
		buf_printf(&text, "%sthe machine type %s", text.len ? "; " : "", b->machine);
	if (!text.len && !buf_failed(&text))
		return;
	buf_puts(&text, ": newer than the catalogue, which says nothing of what came with it");
	derive_finding(d, ABIBASE_FINDING_NOTE, "catalogue-older",
		       "use a version of abibase whose catalogue covers it", &text);
}

/* A vendor's machine type of which a profile recorded nothing: the machine is wholly unknown. */
void derive_machine_values(struct derive *d)
{
	struct abibase_baseline *b = d->b;
	_buf_ text = { 0 };

	for (size_t u = 0; u < b->n_used; u++) {
		unsigned int *hosts;
		bool *one;
		size_t n;

		if (d->views[u].name.upstream || d->views[u].values)
			continue;
		one = derive_alloc(d, b->n_used, sizeof(*one));
		if (!one)
			return;
		one[u] = true;
		derive_hosts_of(d, one, &hosts, &n);
		buf_printf(&text, "QEMU %s on ", b->used[u].build->version);
		derive_write_hosts(d, hosts, n, &text);
		buf_printf(&text, ": what it makes of %s, which is not an upstream machine type, is "
				  "not recorded",
			   b->machine);
		derive_finding(d, ABIBASE_FINDING_UNKNOWN, "vendor-machine-unknown",
			       "record the values of that machine type in the profile, or use an "
			       "upstream machine type",
			       &text);
	}
}

/* The first answer says of which machine type they are. */
static void begin_effects(struct effects *known, const char *machine)
{
	if (known->machine)
		return;
	known->n = known->in->n_builds;
	known->of = arena_alloc(&known->arena, (known->n + 1) * sizeof(*known->of));
	known->machine = arena_strdup(&known->arena, machine);
}

/* All rows of a build that is known from another answer, or will be; NULL: it is not, or no memory. */
static const struct effective *known_effect(const struct derive *d, size_t used)
{
	struct effects *known = d->effects;
	const struct used_build *u = &d->b->used[used];
	struct effective *rows;

	if (!known || !known->of || !u->build || (size_t)u->index >= known->n ||
	    known->in->builds[u->index] != u->build || !same_text(known->machine, d->b->machine))
		return NULL;
	if (known->of[u->index])
		return known->of[u->index];
	rows = arena_alloc(&known->arena, (d->cat->n_rows + 1) * sizeof(*rows));
	for (size_t r = 0; rows && r < d->cat->n_rows; r++)
		qemu_effective(&d->views[used], &d->cat->rows[r], &rows[r]);
	return known->of[u->index] = rows;
}

void derive_effective(struct derive *d)
{
	size_t n = d->b->n_used;
	const struct effective **known = derive_alloc(d, n + 1, sizeof(*known));

	d->eff = derive_alloc(d, d->cat->n_rows * n + 1, sizeof(*d->eff));
	if (!known || !d->eff)
		return;
	if (d->effects)
		begin_effects(d->effects, d->b->machine);
	for (size_t u = 0; u < n; u++)
		known[u] = known_effect(d, u);
	for (size_t r = 0; r < d->cat->n_rows; r++)
		for (size_t u = 0; u < n; u++)
			if (known[u])
				d->eff[r * n + u] = known[u][r];
			else
				qemu_effective(&d->views[u], &d->cat->rows[r], &d->eff[r * n + u]);
}

/* --------------------------------------------------------------------- backends */

struct ask derive_ask(const struct derive *d, const struct host *h)
{
	return (struct ask){ .cat = d->cat, .host = h, .in = &d->b->in };
}

unsigned int derive_usable_mask(const struct derive *d, size_t host, enum abibase_tri wanted)
{
	return d->usable[host].by_answer[wanted];
}

static void ask_backends(struct derive *d)
{
	d->usable = derive_alloc(d, d->b->in.n_hosts + 1, sizeof(*d->usable));
	for (size_t h = 0; d->usable && h < d->b->in.n_hosts; h++) {
		struct ask a = derive_ask(d, d->b->in.hosts[h]);

		for (size_t i = 0; i < d->cat->n_backends; i++)
			if (d->b->in.policy.backends & (1u << i))
				d->usable[h].by_answer[ask_usable(&a, i)] |=
					(uint16_t)(1u << i);
	}
}

/* Which of the policy's backends look at this condition to be usable. */
static unsigned int judged_by(const struct derive *d, size_t condition)
{
	struct ask a = { .cat = d->cat };
	unsigned int mask = 0;

	for (size_t i = 0; i < d->cat->n_backends; i++)
		if (d->b->in.policy.backends & (1u << i) &&
		    ask_is_usable_by(&a, i, (int)condition))
			mask |= 1u << i;
	return mask;
}

/*
 * Does an unnamed backend that is absent leave this host another one? A device that was asked for
 * by name has no other.
 */
static bool absence_is_fine(const struct derive *d, size_t host, size_t condition)
{
	return !d->b->in.policy.backends_named && judged_by(d, condition) & d->net &&
	       (derive_usable_mask(d, host, ABIBASE_NO) & d->net) != d->net;
}

/* How to ask without what is in the way; says nothing where nothing would be left. */
static void write_without(const struct derive *d, unsigned int judged, const char *lead,
			  struct buf *out)
{
	unsigned int left = d->net & ~judged;

	if (judged & d->net && left) {
		buf_printf(out, "; or %s: --backend ", lead);
		derive_write_backends(d, left, out);
	}
	for (size_t i = 0; i < d->cat->n_backends; i++)
		if (judged & ~d->net & (1u << i))
			buf_printf(out, "; or %s: no --with-device %s", lead,
				   d->cat->backends[i].device);
}

static void finding_absent(struct derive *d, size_t c, const unsigned int *hosts, size_t n,
			   bool fine)
{
	const struct condition *cond = &d->cat->conditions[c];
	_buf_ text = { 0 }, remedy = { 0 };

	derive_write_hosts(d, hosts, n, &text);
	buf_printf(&text, ": provably no %s: %s", cond->layer,
		   fine ? "constrains nothing on " : "no guest can run there with the backend ");
	derive_write_backends(d, judged_by(d, c), &text);
	if (fine) {
		derive_finding(d, ABIBASE_FINDING_NOTE, "backend-absent", NULL, &text);
		return;
	}
	buf_printf(&remedy, "run a kernel there that has %s, or leave that host out", cond->layer);
	write_without(d, judged_by(d, c),
		      judged_by(d, c) & d->net ? "ask for the backends without it" :
						 "ask without the device",
		      &remedy);
	derive_finding(d, ABIBASE_FINDING_CONFLICT, "backend-absent",
		       arena_words(&d->b->arena, &remedy), &text);
}

static void finding_backend_unknown(struct derive *d, size_t c, unsigned int answer,
				    const unsigned int *hosts, size_t n)
{
	const struct condition *cond = &d->cat->conditions[c];
	const char *reason = answer_reason(&d->b->in, answer);
	_buf_ text = { 0 }, remedy = { 0 };

	derive_write_hosts(d, hosts, n, &text);
	buf_printf(&text, ": whether %s is usable is unknown (%s), hence the backend ", cond->layer,
		   reason);
	derive_write_backends(d, judged_by(d, c), &text);
	buf_puts(&remedy, unknown_remedy(reason));
	write_without(d, judged_by(d, c), "answer without it", &remedy);
	derive_finding(d, ABIBASE_FINDING_UNKNOWN, "backend-unknown",
		       arena_words(&d->b->arena, &remedy), &text);
}

/* One finding for all the hosts that answer the same. */
static void judge_condition(struct derive *d, size_t c)
{
	const struct inputs *in = &d->b->in;
	unsigned int *hosts = d->scratch[0];
	bool *done = derive_alloc(d, in->n_hosts + 1, sizeof(*done));

	if (!done)
		return;
	for (size_t i = 0; i < in->n_hosts; i++) {
		unsigned int answer = in->hosts[i]->answers[c];
		bool fine;
		size_t n = 0;

		if (answer == ABIBASE_YES || done[i])
			continue;
		fine = absence_is_fine(d, i, c);
		for (size_t k = i; k < in->n_hosts; k++)
			if (in->hosts[k]->answers[c] == answer &&
			    (answer != ABIBASE_NO || absence_is_fine(d, k, c) == fine)) {
				done[k] = true;
				hosts[n++] = (unsigned int)k;
			}
		if (answer == ABIBASE_NO)
			finding_absent(d, c, hosts, n, fine);
		else
			finding_backend_unknown(d, c, answer, hosts, n);
	}
}

static void derive_offers(struct derive *d)
{
	struct abibase_baseline *b = d->b;

	b->offers = arena_alloc(&b->arena, (d->cat->n_backends + 1) * sizeof(*b->offers));
	if (!b->offers)
		return;
	for (size_t i = 0; i < d->cat->n_backends; i++) {
		struct offer *o;
		size_t n = 0;

		if (!(b->in.policy.backends & (1u << i)))
			continue;
		o = &b->offers[b->n_offers++];
		o->backend = (unsigned int)i;
		for (size_t h = 0; h < b->in.n_hosts; h++)
			if (derive_usable_mask(d, h, ABIBASE_NO) & (1u << i))
				d->scratch[0][n++] = (unsigned int)h;
		derive_keep_hosts(d, d->scratch[0], n, &o->absent_on, &o->n_absent_on);
	}
}

void derive_backends(struct derive *d)
{
	ask_backends(d);
	for (size_t c = 0; d->usable && c < d->cat->n_conditions; c++)
		if (judged_by(d, c))
			judge_condition(d, c);
	if (d->usable)
		derive_offers(d);
}

/* ------------------------------------------------------------------------ all of it */

/* What was recorded of this build under this machine type wins over the catalogue's versions. */
int64_t derive_shape_of(const struct derive *d, const struct shape *s, size_t used)
{
	const struct qemu_view *q = &d->views[used];
	int64_t recorded = qemu_recorded_size(q->entry, d->b->machine, s->recorded);

	return recorded >= 0 ? recorded : shape_value(s, &q->version);
}

bool derive_same_shape(const struct derive *d, const struct shape *s, size_t a, size_t b)
{
	return d->views[a].entry && d->views[b].entry &&
	       !version_cmp(&d->views[a].version, &d->views[b].version) &&
	       derive_shape_of(d, s, a) == derive_shape_of(d, s, b);
}

/*
 * The hosts that use the build @used, or with @like any of that version and that shape; dest: those
 * that are ever one.
 */
size_t derive_write_users(const struct derive *d, size_t used, const struct shape *like, bool dest,
			  struct buf *out)
{
	_autofree_ bool *wanted = calloc(d->b->n_used + 1, sizeof(*wanted));
	size_t n = 0;

	if (!wanted) {
		d->b->arena.failed = true;
		return 0;
	}
	for (size_t u = 0; u < d->b->n_used; u++)
		wanted[u] = u == used || (like && derive_same_shape(d, like, u, used));
	for (size_t i = 0; i < d->b->in.n_hosts; i++) {
		const struct host *h = d->b->in.hosts[i];

		if (!derive_host_uses(d, h, wanted) || (dest && !inputs_is_dest(&d->b->in, h)))
			continue;
		if (n < HOSTS_NAMED)
			buf_printf(out, "%s%s", n ? ", " : "", h->name);
		n++;
	}
	if (n > HOSTS_NAMED)
		buf_printf(out, " and %zu more", n - HOSTS_NAMED);
	return n;
}

void derive_write_build(const struct derive *d, size_t used, struct buf *out)
{
	const struct build *b = d->b->used[used].build;
	const char *package = b ? string_of(b->entry, "package") : NULL;

	buf_printf(out, b ? "QEMU %s" : "a QEMU that was not probed%s", b ? b->version : "");
	if (package && *package)
		buf_printf(out, " (%s)", package);
	buf_puts(out, " on ");
	derive_write_users(d, used, NULL, false, out);
}
