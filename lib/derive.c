/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "effective.h"
#include "intersect.h"
#include "observe.h"

/*
 * From hosts and builds to the answer. Rows whose needs are the same share a class, so that what
 * thousands of hosts answer is looked at once for each class and not for each row.
 */

/* One host that does not do what the rows of a class need. */
struct fail {
	unsigned int host;
	short condition; /* or NEED_NEVER */
	unsigned char backends;
	bool unknown;
};

struct class {
	const struct needs *needs;
	struct fail *fails;
	size_t n, cap;
	struct why *why;
	size_t n_why;
};

struct derive {
	struct abibase_baseline *b;
	const struct abibase_catalogue *cat;
	struct qemu_view *views; /* as b->used */
	long *used_of;		 /* for each of in.builds: index into b->used, or -1 */
	long any;		 /* index of "any upstream QEMU", or -1 */
	struct effective *eff;	 /* rows × used */
	struct class *classes;
	size_t n_classes;
	unsigned int *class_of; /* for each row */
	bool *included, *on;	/* for each row */
	struct why *tie;	/* for each row: why a dependency turned it off, kind N_WHY: none */
	unsigned int *scratch[2]; /* room for every host */
};

/* ------------------------------------------------------------------ words */

const char *const why_words[] = {
	[WHY_HOST_LACKS] = "host-lacks",     [WHY_HOST_UNKNOWN] = "host-unknown",
	[WHY_QEMU_LACKS] = "qemu-lacks",     [WHY_MACHINE_OFF] = "machine-type-off",
	[WHY_QEMU_UNKNOWN] = "qemu-unknown", [WHY_DEPENDS] = "depends",
	[WHY_TOGETHER] = "together",	     [WHY_NEVER] = "qemu-never-offers",
	[WHY_DISABLED] = "disabled",	     [N_WHY] = NULL,
};

const char *const setting_words[] = { "off", "on", "unknown", "absent" };

/* What to do about a fact that is unknown, by its reason. */
const char *unknown_remedy(const char *reason)
{
	static const struct {
		const char *reason, *remedy;
	} table[] = {
		{ "no-permission", "run the probe with the right to open the device node: as root, "
				   "or as a member of the group that owns it" },
		{ "no-device-node", "run the probe where the device node is visible, or create it "
				    "(load the module, or pass it into the container)" },
		{ "not-loaded", "load the module, or run the probe without --no-load" },
		{ "no-device", "load the module that serves the device node" },
		{ "no-namespace", "let the probe make a network namespace: run it as root, or "
				  "allow user namespaces" },
		{ "no-file-descriptors", "raise the limit on open files for the probe" },
		{ "no-module-index", "install the module index of the running kernel "
				     "(/lib/modules), or load the module" },
		{ "refused", "run the probe outside of the container, or let its device cgroup and "
			     "its seccomp filter pass the device" },
		{ "not-asked", "run the probe without leaving this out: name it with --only" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (streq(table[i].reason, reason))
			return table[i].remedy;
	return "probe this host again with this version of abibase";
}

static const char *answer_reason(const struct inputs *in, unsigned int answer)
{
	return in->strings.s[answer - ANSWER_UNKNOWN];
}

/* "a", "a and b", "a, b and c" */
static void write_hosts(const struct derive *d, const unsigned int *hosts, size_t n,
			struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_puts(out, i + 1 == n ? " and " : ", ");
		buf_puts(out, d->b->in.hosts[hosts[i]]->name);
	}
}

static void write_backends(const struct derive *d, unsigned int mask, struct buf *out)
{
	size_t before = out->len;

	for (size_t i = 0; i < d->b->in.n_backends; i++)
		if (mask & (1u << i))
			buf_printf(out, "%s%s", out->len > before ? ", " : "",
				   d->b->in.backends[i]);
}

/* ---------------------------------------------------------------- findings */

static int add_finding(struct derive *d, enum abibase_finding_kind kind, const char *id,
		       const char *remedy, struct buf *text)
{
	struct abibase_baseline *b = d->b;
	struct finding *f;

	if (buf_failed(text) || array_grow(&b->findings, b->n_findings, &b->cap_findings,
					   sizeof(*b->findings)) < 0)
		return -ENOMEM;
	f = &b->findings[b->n_findings];
	f->kind = kind;
	f->id = id;
	f->text = arena_strdup(&b->arena, text->data ? text->data : "");
	f->remedy = remedy ? arena_strdup(&b->arena, remedy) : NULL;
	if (!f->text || (remedy && !f->remedy))
		return -ENOMEM;
	b->n_findings++;
	text->len = 0;
	return 0;
}

static void order_findings(struct abibase_baseline *b)
{
	struct finding *f = b->findings;

	/* a stable insertion: few, and their order within a kind is already the hosts' */
	for (size_t i = 1; i < b->n_findings; i++)
		for (size_t k = i; k && f[k - 1].kind > f[k].kind; k--) {
			struct finding t = f[k];

			f[k] = f[k - 1];
			f[k - 1] = t;
		}
}

static bool has_finding(const struct abibase_baseline *b, enum abibase_finding_kind kind)
{
	for (size_t i = 0; i < b->n_findings; i++)
		if (b->findings[i].kind == kind)
			return true;
	return false;
}

/* A list of hosts that stays, of the size that it needs. */
static int keep_hosts(struct derive *d, const unsigned int *hosts, size_t n, unsigned int **ret,
		      size_t *ret_n)
{
	*ret = arena_alloc(&d->b->arena, (n + 1) * sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, hosts, n * sizeof(*hosts));
	*ret_n = n;
	return 0;
}

/* ------------------------------------------------- architecture, target, machine */

static int derive_arch(struct derive *d)
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
		return add_finding(d, ABIBASE_FINDING_CONFLICT, "arch-differs",
				   "make one baseline for the hosts of each architecture", &text);
	}
	b->arch = in->strings.s[in->hosts[0]->arch];
	b->target = in->policy.target ? in->policy.target : b->arch;
	if (catalogue_has_target(d->cat, b->target))
		return 0;
	buf_printf(&text, "the catalogue has no data for the QEMU target %s", b->target);
	b->target = NULL;
	return add_finding(d, ABIBASE_FINDING_UNKNOWN, "target-not-covered",
			   "use a target that it has: x86_64", &text);
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

static const char *newest_common(const struct derive *d, const bool *counts)
{
	const struct inputs *in = &d->b->in;
	const char *best = NULL, *key;
	size_t first = 0;
	json_t *v;

	while (first < in->n_builds && !counts[first])
		first++;
	if (first == in->n_builds)
		return NULL;
	json_object_foreach(json_object_get(in->builds[first]->entry, "machines"), key, v)
		if (is_versioned(key) && (!best || machine_name_cmp(key, best) > 0) &&
		    all_have(d, counts, key))
			best = key;
	return best;
}

/* Hosts without QEMU facts, where that leaves a question open. */
static int finding_no_qemu(struct derive *d, const char *id, const char *remedy, const char *what)
{
	const struct inputs *in = &d->b->in;
	unsigned int *hosts = d->scratch[0];
	_buf_ text = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < in->n_hosts; i++)
		if (!in->hosts[i]->has_qemu)
			hosts[n++] = (unsigned int)i;
	if (!n)
		return 0;
	write_hosts(d, hosts, n, &text);
	buf_printf(&text, ": no QEMU facts in the profile, %s", what);
	return add_finding(d, ABIBASE_FINDING_UNKNOWN, id, remedy, &text);
}

static int choose_machine(struct derive *d)
{
	struct abibase_baseline *b = d->b;
	const struct inputs *in = &b->in;
	_autofree_ bool *counts = calloc(in->n_builds + 1, sizeof(*counts));
	_buf_ text = { 0 };
	bool any = false;

	if (!counts)
		return -ENOMEM;
	for (size_t i = 0; i < in->n_builds; i++) {
		enum abibase_tri r = has_any_versioned(in->builds[i]);

		if (!streq(in->builds[i]->target, b->target) || r == ABIBASE_NO)
			continue;
		if (r == ABIBASE_UNKNOWN) {
			buf_printf(&text, "QEMU %s: its machine types are not recorded",
				   in->builds[i]->version);
			if (add_finding(d, ABIBASE_FINDING_UNKNOWN, "machines-not-recorded",
					"name a machine type with -M, or probe the host again",
					&text) < 0)
				return -ENOMEM;
			continue;
		}
		counts[i] = true;
		any = true;
	}
	if (finding_no_qemu(d, "no-qemu-facts",
			    "name an upstream machine type with -M pc-q35-X.Y, or probe the host "
			    "with its QEMU (abibase probe --qemu BINARY)",
			    "so that no machine type can be chosen") < 0)
		return -ENOMEM;
	if (has_finding(b, ABIBASE_FINDING_UNKNOWN))
		return 0;
	b->machine = newest_common(d, counts);
	b->machine_chosen = true;
	if (b->machine)
		buf_printf(&text, "machine type %s: the newest that every QEMU has", b->machine);
	else
		buf_printf(&text, any ? "no versioned pc or q35 machine type is common to every "
					"QEMU for %s" :
					"no host has a QEMU for %s with a versioned pc or q35 "
					"machine type",
			   b->target);
	return add_finding(d, b->machine ? ABIBASE_FINDING_NOTE : ABIBASE_FINDING_CONFLICT,
			   b->machine ? "machine-chosen" : "no-common-machine",
			   b->machine ? NULL :
					"leave out the host whose QEMU is too old or too new, or "
					"install a QEMU that shares a machine type",
			   &text);
}

static int derive_machine(struct derive *d)
{
	struct abibase_baseline *b = d->b;
	_buf_ text = { 0 };

	if (!b->in.policy.machine)
		return choose_machine(d);
	b->machine = b->in.policy.machine;
	b->machine_chosen = b->in.policy.machine_chosen;
	if (!b->machine_chosen)
		return 0;
	buf_printf(&text, "machine type %s: the newest that every QEMU has", b->machine);
	return add_finding(d, ABIBASE_FINDING_NOTE, "machine-chosen", NULL, &text);
}

/* ------------------------------------------------------------------- QEMUs used */

static void write_qemu(const struct inputs *in, const struct host *h, const struct host_qemu *q,
		       struct buf *out)
{
	const struct build *b = in->builds[q->build];
	const char *path = host_path(in, q);

	buf_printf(out, "QEMU %s on %s", b->version, h->name);
	if (path)
		buf_printf(out, " (%s)", path);
}

enum use { USE_YES, USE_TARGET, USE_NO_MACHINE, USE_UNKNOWN };

static enum use how_used(const struct derive *d, const struct build *b)
{
	if (!streq(b->target, d->b->target))
		return USE_TARGET;
	switch (qemu_has_machine(b->entry, d->b->machine)) {
	case ABIBASE_YES:
		return USE_YES;
	case ABIBASE_NO:
		return USE_NO_MACHINE;
	case ABIBASE_UNKNOWN:
	default:
		return USE_UNKNOWN;
	}
}

static int finding_unused(struct derive *d, const struct host *h, const struct host_qemu *q,
			  enum use use)
{
	const struct build *b = d->b->in.builds[q->build];
	_buf_ text = { 0 };

	write_qemu(&d->b->in, h, q, &text);
	if (use == USE_UNKNOWN) {
		buf_printf(&text, ": whether it has the machine type %s is not recorded",
			   d->b->machine);
		return add_finding(d, ABIBASE_FINDING_UNKNOWN, "machine-not-recorded",
				   "probe the host again", &text);
	}
	if (use == USE_TARGET)
		buf_printf(&text, " is not used: it is for the target %s", b->target);
	else
		buf_printf(&text, " is not used: it does not have the machine type %s",
			   d->b->machine);
	return add_finding(d, ABIBASE_FINDING_NOTE, "qemu-unused", NULL, &text);
}

static int finding_no_machine(struct derive *d, const struct host *h)
{
	_buf_ text = { 0 };

	buf_printf(&text, "%s: none of its QEMUs is for the target %s and has the machine type %s",
		   h->name, d->b->target, d->b->machine);
	return add_finding(d, ABIBASE_FINDING_CONFLICT, "host-without-machine",
			   "choose a machine type that every host has (omit -M to be told), or "
			   "install a QEMU that has it there",
			   &text);
}

/* Marks in @d->used_of (as 0) the builds that some host uses. */
static int mark_host(struct derive *d, const struct host *h)
{
	size_t yes = 0, unknown = 0;

	for (size_t i = 0; i < h->n_qemu; i++) {
		enum use use = how_used(d, d->b->in.builds[h->qemu[i].build]);

		yes += use == USE_YES;
		unknown += use == USE_UNKNOWN;
		if (use == USE_YES)
			d->used_of[h->qemu[i].build] = 0;
		else if (finding_unused(d, h, &h->qemu[i], use) < 0)
			return -ENOMEM;
	}
	return yes || unknown ? 0 : finding_no_machine(d, h);
}

static int build_cmp(const void *a, const void *b)
{
	const struct used_build *x = a, *y = b;

	if (!x->build || !y->build)
		return !x->build - !y->build;
	return strcmp(x->build->digest, y->build->digest);
}

static int derive_used(struct derive *d)
{
	struct abibase_baseline *b = d->b;
	struct inputs *in = &b->in;
	struct machine_name name;
	bool any = false;

	machine_name_parse(b->machine, &name);
	d->used_of = calloc(in->n_builds + 1, sizeof(*d->used_of));
	b->used = arena_alloc(&b->arena, (in->n_builds + 1) * sizeof(*b->used));
	d->views = calloc(in->n_builds + 1, sizeof(*d->views));
	if (!d->used_of || !b->used || !d->views)
		return -ENOMEM;
	for (size_t i = 0; i < in->n_builds; i++)
		d->used_of[i] = -1;
	for (size_t i = 0; i < in->n_hosts; i++)
		if (!in->hosts[i]->has_qemu)
			any = true;
		else if (mark_host(d, in->hosts[i]) < 0)
			return -ENOMEM;
	if (any && !name.upstream)
		return finding_no_qemu(d, "vendor-machine-unknown",
				       "probe the host with its QEMU, or use an upstream machine "
				       "type (-M pc-q35-X.Y)",
				       "and the machine type is not an upstream one: what it "
				       "means there cannot be told");
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
		qemu_view_init(&d->views[i], build ? build->entry : NULL, b->machine);
	}
	return 0;
}

static const struct effective *eff(const struct derive *d, size_t row, size_t used)
{
	return &d->eff[row * d->b->n_used + used];
}

/* Does this host use one of the builds marked in @used? */
static bool host_uses(const struct derive *d, const struct host *h, const bool *used)
{
	if (!h->has_qemu)
		return d->any >= 0 && used[d->any];
	for (size_t i = 0; i < h->n_qemu; i++)
		if (d->used_of[h->qemu[i].build] >= 0 && used[d->used_of[h->qemu[i].build]])
			return true;
	return false;
}

/* The hosts that use one of the builds marked in @used. */
static int hosts_of(struct derive *d, const bool *used, unsigned int **ret, size_t *ret_n)
{
	unsigned int *hosts = d->scratch[0];
	size_t n = 0;

	for (size_t i = 0; i < d->b->in.n_hosts; i++)
		if (host_uses(d, d->b->in.hosts[i], used))
			hosts[n++] = (unsigned int)i;
	return keep_hosts(d, hosts, n, ret, ret_n);
}

/* A vendor's machine type of which a profile recorded nothing: the machine is wholly unknown. */
static int check_machine_values(struct derive *d)
{
	struct abibase_baseline *b = d->b;
	_buf_ text = { 0 };

	for (size_t u = 0; u < b->n_used; u++) {
		_autofree_ bool *one = NULL;
		unsigned int *hosts;
		size_t n;

		if (d->views[u].name.upstream || d->views[u].values)
			continue;
		one = calloc(b->n_used, sizeof(*one));
		if (!one)
			return -ENOMEM;
		one[u] = true;
		if (hosts_of(d, one, &hosts, &n) < 0)
			return -ENOMEM;
		buf_printf(&text, "QEMU %s on ", b->used[u].build->version);
		write_hosts(d, hosts, n, &text);
		buf_printf(&text, ": what it makes of %s, which is not an upstream machine type, is "
				  "not recorded",
			   b->machine);
		if (add_finding(d, ABIBASE_FINDING_UNKNOWN, "vendor-machine-unknown",
				"record the values of that machine type in the profile, or use an "
				"upstream machine type",
				&text) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int compute_effective(struct derive *d)
{
	d->eff = calloc(d->cat->n_rows * d->b->n_used + 1, sizeof(*d->eff));
	if (!d->eff)
		return -ENOMEM;
	for (size_t r = 0; r < d->cat->n_rows; r++)
		for (size_t u = 0; u < d->b->n_used; u++)
			qemu_effective(&d->views[u], &d->cat->rows[r],
				       &d->eff[r * d->b->n_used + u]);
	return 0;
}

/* --------------------------------------------------------------------- backends */

static enum abibase_tri answer_tri(unsigned int answer)
{
	return answer < ANSWER_UNKNOWN ? (enum abibase_tri)answer : ABIBASE_UNKNOWN;
}

static enum abibase_tri usable(const struct derive *d, const struct host *h, size_t backend)
{
	const struct backend *b = &d->cat->backends[backend];
	enum abibase_tri r = ABIBASE_YES;

	for (size_t i = 0; i < b->n_usable; i++) {
		enum abibase_tri a = answer_tri(h->answers[b->usable[i]]);

		if (a == ABIBASE_NO)
			return ABIBASE_NO;
		if (a == ABIBASE_UNKNOWN)
			r = ABIBASE_UNKNOWN;
	}
	return r;
}

static unsigned int usable_mask(const struct derive *d, const struct host *h,
				enum abibase_tri wanted)
{
	unsigned int mask = 0;

	for (size_t i = 0; i < d->cat->n_backends; i++)
		if (d->b->in.policy.backends & (1u << i) && usable(d, h, i) == wanted)
			mask |= 1u << i;
	return mask;
}

/* Which of the policy's backends look at this condition to be usable. */
static unsigned int judged_by(const struct derive *d, size_t condition)
{
	unsigned int mask = 0;

	for (size_t i = 0; i < d->cat->n_backends; i++)
		for (size_t k = 0; k < d->cat->backends[i].n_usable; k++)
			if (d->b->in.policy.backends & (1u << i) &&
			    d->cat->backends[i].usable[k] == (int)condition)
				mask |= 1u << i;
	return mask;
}

/* Does an unnamed backend that is absent leave this host another one? */
static bool absence_is_fine(const struct derive *d, const struct host *h)
{
	return !d->b->in.policy.backends_named &&
	       usable_mask(d, h, ABIBASE_NO) != d->b->in.policy.backends;
}

static int finding_absent(struct derive *d, size_t c, const unsigned int *hosts, size_t n,
			  bool fine)
{
	const struct condition *cond = &d->cat->conditions[c];
	_buf_ text = { 0 }, remedy = { 0 };

	write_hosts(d, hosts, n, &text);
	buf_printf(&text, ": provably no %s: %s", cond->layer,
		   fine ? "constrains nothing on " : "no guest can run there with the backend ");
	write_backends(d, judged_by(d, c), &text);
	if (fine)
		return add_finding(d, ABIBASE_FINDING_NOTE, "backend-absent", NULL, &text);
	buf_printf(&remedy, "run a kernel there that has %s, or leave that host out%s", cond->layer,
		   d->b->in.policy.backends & ~judged_by(d, c) ?
			   "; or ask for the backends without it: --backend " :
			   "");
	write_backends(d, d->b->in.policy.backends & ~judged_by(d, c), &remedy);
	if (buf_failed(&remedy))
		return -ENOMEM;
	return add_finding(d, ABIBASE_FINDING_CONFLICT, "backend-absent", remedy.data, &text);
}

static int finding_backend_unknown(struct derive *d, size_t c, unsigned int answer,
				   const unsigned int *hosts, size_t n)
{
	const struct condition *cond = &d->cat->conditions[c];
	const char *reason = answer_reason(&d->b->in, answer);
	_buf_ text = { 0 }, remedy = { 0 };
	unsigned int left = d->b->in.policy.backends & ~judged_by(d, c);

	write_hosts(d, hosts, n, &text);
	buf_printf(&text, ": whether %s is usable is unknown (%s), hence the backend ", cond->layer,
		   reason);
	write_backends(d, judged_by(d, c), &text);
	buf_puts(&remedy, unknown_remedy(reason));
	if (left) {
		buf_puts(&remedy, "; or answer without it: --backend ");
		write_backends(d, left, &remedy);
	}
	if (buf_failed(&remedy))
		return -ENOMEM;
	return add_finding(d, ABIBASE_FINDING_UNKNOWN, "backend-unknown", remedy.data, &text);
}

/* One finding for all the hosts that answer the same. */
static int judge_condition(struct derive *d, size_t c)
{
	const struct inputs *in = &d->b->in;
	_autofree_ bool *done = calloc(in->n_hosts + 1, sizeof(*done));
	unsigned int *hosts = d->scratch[0];

	if (!done)
		return -ENOMEM;
	for (size_t i = 0; i < in->n_hosts; i++) {
		unsigned int answer = in->hosts[i]->answers[c];
		bool fine = absence_is_fine(d, in->hosts[i]);
		size_t n = 0;
		int r;

		if (answer == ABIBASE_YES || done[i])
			continue;
		for (size_t k = i; k < in->n_hosts; k++)
			if (in->hosts[k]->answers[c] == answer &&
			    (answer != ABIBASE_NO || absence_is_fine(d, in->hosts[k]) == fine)) {
				done[k] = true;
				hosts[n++] = (unsigned int)k;
			}
		r = answer == ABIBASE_NO ? finding_absent(d, c, hosts, n, fine) :
					   finding_backend_unknown(d, c, answer, hosts, n);
		if (r < 0)
			return r;
	}
	return 0;
}

static int derive_offers(struct derive *d)
{
	struct abibase_baseline *b = d->b;

	b->offers = arena_alloc(&b->arena, (d->cat->n_backends + 1) * sizeof(*b->offers));
	if (!b->offers)
		return -ENOMEM;
	for (size_t i = 0; i < d->cat->n_backends; i++) {
		struct offer *o;
		size_t n = 0;

		if (!(b->in.policy.backends & (1u << i)))
			continue;
		o = &b->offers[b->n_offers++];
		o->backend = (unsigned int)i;
		for (size_t h = 0; h < b->in.n_hosts; h++)
			if (usable(d, b->in.hosts[h], i) == ABIBASE_NO)
				d->scratch[0][n++] = (unsigned int)h;
		if (keep_hosts(d, d->scratch[0], n, &o->absent_on, &o->n_absent_on) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int derive_backends(struct derive *d)
{
	for (size_t c = 0; c < d->cat->n_conditions; c++)
		if (judged_by(d, c) && judge_condition(d, c) < 0)
			return -ENOMEM;
	return derive_offers(d);
}

/* ------------------------------------------------- what hosts lack, class by class */

static bool same_needs(const struct needs *a, const struct needs *b)
{
	for (size_t i = 0; i < MAX_BACKENDS; i++)
		if (a[i].n != b[i].n ||
		    (a[i].n && memcmp(a[i].need, b[i].need, a[i].n * sizeof(*a[i].need)) != 0))
			return false;
	return true;
}

static int fail_add(struct class *k, unsigned int host, int condition, size_t backend,
		    bool unknown)
{
	for (size_t i = k->n; i && k->fails[i - 1].host == host; i--)
		if (k->fails[i - 1].condition == condition) {
			k->fails[i - 1].backends |= (unsigned char)(1u << backend);
			return 0;
		}
	if (array_grow(&k->fails, k->n, &k->cap, sizeof(*k->fails)) < 0)
		return -ENOMEM;
	k->fails[k->n++] = (struct fail){ host, (short)condition,
					  (unsigned char)(1u << backend), unknown };
	return 0;
}

static int judge_needs(const struct derive *d, struct class *k, unsigned int host, size_t backend,
		       const struct qemu_view *view)
{
	const struct host *h = d->b->in.hosts[host];
	const struct needs *needs = &k->needs[backend];

	for (size_t i = 0; i < needs->n; i++) {
		const struct need *need = &needs->need[i];
		enum abibase_tri a = ABIBASE_NO;

		if (!need_applies(view, need))
			continue;
		if (need->condition != NEED_NEVER)
			a = answer_tri(h->answers[need->condition]);
		if (a != ABIBASE_YES &&
		    fail_add(k, host, need->condition, backend, a == ABIBASE_UNKNOWN) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int judge_class(const struct derive *d, struct class *k)
{
	const struct inputs *in = &d->b->in;

	for (unsigned int i = 0; i < in->n_hosts; i++) {
		const struct host *h = in->hosts[i];
		unsigned int mask = usable_mask(d, h, ABIBASE_YES);

		for (size_t q = 0; q < (h->has_qemu ? h->n_qemu : 1); q++) {
			long u = h->has_qemu ? d->used_of[h->qemu[q].build] : d->any;

			for (size_t be = 0; u >= 0 && be < d->cat->n_backends; be++)
				if (mask & (1u << be) &&
				    judge_needs(d, k, i, be, &d->views[u]) < 0)
					return -ENOMEM;
		}
	}
	return 0;
}

/* One reason for each condition and kind of answer, with all its hosts. */
static int class_reasons(struct derive *d, struct class *k)
{
	const struct abibase_catalogue *cat = d->cat;

	k->why = arena_alloc(&d->b->arena, (2 * cat->n_conditions + 3) * sizeof(*k->why));
	if (!k->why)
		return -ENOMEM;
	for (int c = NEED_NEVER; c < (int)cat->n_conditions; c++)
		for (int unknown = 0; unknown < 2; unknown++) {
			struct why *w = &k->why[k->n_why];
			size_t n = 0;

			for (size_t i = 0; i < k->n; i++) {
				const struct fail *f = &k->fails[i];

				if (f->condition != c || f->unknown != unknown)
					continue;
				w->backends |= f->backends;
				d->scratch[0][n++] = f->host;
			}
			if (!n)
				continue;
			if (keep_hosts(d, d->scratch[0], n, &w->hosts, &w->n_hosts) < 0)
				return -ENOMEM;
			w->kind = c == NEED_NEVER ? WHY_NEVER :
				  unknown	  ? WHY_HOST_UNKNOWN :
						    WHY_HOST_LACKS;
			w->what = c == NEED_NEVER ? "" : cat->conditions[c].name;
			if (c != NEED_NEVER) {
				w->layer = cat->conditions[c].layer;
				w->missing = cat->conditions[c].missing;
				w->remedy = cat->conditions[c].remedy;
			}
			k->n_why++;
		}
	return 0;
}

static int compute_classes(struct derive *d)
{
	const struct abibase_catalogue *cat = d->cat;

	d->classes = calloc(cat->n_rows + 1, sizeof(*d->classes));
	d->class_of = calloc(cat->n_rows + 1, sizeof(*d->class_of));
	if (!d->classes || !d->class_of)
		return -ENOMEM;
	for (size_t r = 0; r < cat->n_rows; r++) {
		size_t k = 0;

		if (!d->included[r])
			continue;
		while (k < d->n_classes && !same_needs(d->classes[k].needs, cat->rows[r].needs))
			k++;
		d->class_of[r] = (unsigned int)k;
		if (k < d->n_classes)
			continue;
		d->classes[d->n_classes++].needs = cat->rows[r].needs;
		if (judge_class(d, &d->classes[k]) < 0 || class_reasons(d, &d->classes[k]) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ------------------------------------------------------------------ rows and values */

static enum setting setting_of(const struct effective *e)
{
	if (e->known == ABIBASE_NO)
		return SETTING_ABSENT;
	if (e->known == ABIBASE_UNKNOWN || !e->value)
		return SETTING_UNKNOWN;
	return json_is_true(e->value) ? SETTING_ON : SETTING_OFF;
}

static size_t count_setting(const struct derive *d, size_t row, enum setting s)
{
	size_t n = 0;

	for (size_t u = 0; u < d->b->n_used; u++)
		n += setting_of(eff(d, row, u)) == s;
	return n;
}

/* What stands for no feature, such as disable-modern, is not switched with its group. */
static bool is_enabled(const struct derive *d, const struct row *row)
{
	return row->group_name && row->bit >= 0 &&
	       strings_have(&d->b->in.policy.enable, row->group_name);
}

static bool is_disabled(const struct derive *d, const struct row *row)
{
	return row->group_name && row->bit >= 0 &&
	       strings_have(&d->b->in.policy.disable, row->group_name);
}

/*
 * A baseline sets what tap or vhost decides, and whatever the builds do not agree on: a property
 * that one of them has on and another has off, or lacks, shows its guests a different device.
 */
static bool is_included(const struct derive *d, size_t r)
{
	const struct row *row = &d->cat->rows[r];
	size_t absent = count_setting(d, r, SETTING_ABSENT);
	size_t on = count_setting(d, r, SETTING_ON), n = d->b->n_used;

	if (!row->boolean || absent == n)
		return false;
	if (is_enabled(d, row) || is_disabled(d, row))
		return true;
	return row->pin == PIN_PINNED || (on && on < n);
}

/* What a row that the baseline does not set is in every QEMU: on, off, or they differ. */
static bool default_on(const struct derive *d, size_t r)
{
	const struct row *row = &d->cat->rows[r];

	for (size_t u = 0; u < d->b->n_used; u++) {
		const struct effective *e = eff(d, r, u);

		if (e->known != ABIBASE_YES || !e->value)
			return false;
		if (row->boolean ? !json_is_true(e->value) : !row_bit_set(row, e->value))
			return false;
	}
	return d->b->n_used > 0;
}

/* Is it to be on as far as the QEMUs go? Where a policy asks for more than defaults, knowing it is enough. */
static bool wanted_on(const struct derive *d, size_t r)
{
	const struct row *row = &d->cat->rows[r];
	bool more = is_enabled(d, row) || (d->b->in.policy.all && row->pin == PIN_PINNED);

	if (is_disabled(d, row))
		return false;
	if (!more)
		return default_on(d, r);
	for (size_t u = 0; u < d->b->n_used; u++)
		if (eff(d, r, u)->known != ABIBASE_YES)
			return false;
	return d->b->n_used > 0;
}

static bool row_is_on(const struct derive *d, size_t r)
{
	return d->included[r] ? d->on[r] : default_on(d, r);
}

static void tie_off(struct derive *d, size_t r, enum why_kind kind, const char *what)
{
	d->on[r] = false;
	d->tie[r].kind = kind;
	d->tie[r].what = what;
}

/* The row of the same group that is off, or -1. */
static long off_in_group(const struct derive *d, size_t r)
{
	int g = d->cat->rows[r].group;

	if (g < 0 || !d->cat->groups[g].together)
		return -1;
	for (size_t k = 0; k < d->cat->n_rows; k++)
		if (d->cat->rows[k].group == g && d->included[k] && !d->on[k])
			return (long)k;
	return -1;
}

/* The first dependency of the row that nothing satisfies, or NULL. */
static const struct depend *unmet(const struct derive *d, size_t r)
{
	const struct row *row = &d->cat->rows[r];

	for (size_t i = 0; i < row->n_depends; i++) {
		bool met = false;

		for (size_t k = 0; k < row->depends[i].n; k++)
			met |= row_is_on(d, (size_t)row->depends[i].any[k]);
		if (!met)
			return &row->depends[i];
	}
	return NULL;
}

/* virtio 1.3, 5.1.3.1: QEMU does not turn off what depends on a feature that is off. */
static void close_dependencies(struct derive *d)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t r = 0; r < d->cat->n_rows; r++) {
			const struct depend *dep;
			long with;

			if (!d->included[r] || !d->on[r])
				continue;
			with = off_in_group(d, r);
			dep = with < 0 ? unmet(d, r) : NULL;
			if (with >= 0)
				tie_off(d, r, WHY_TOGETHER, d->cat->rows[with].property);
			else if (dep)
				tie_off(d, r, WHY_DEPENDS, d->cat->rows[dep->any[0]].property);
			changed |= with >= 0 || dep;
		}
	}
}

static int qemu_reason(struct derive *d, size_t r, enum setting s, enum why_kind kind,
		       struct value *v)
{
	_autofree_ bool *used = calloc(d->b->n_used + 1, sizeof(*used));
	struct why *w = &v->why[v->n_why];
	size_t n = 0;

	if (!used)
		return -ENOMEM;
	for (size_t u = 0; u < d->b->n_used; u++) {
		used[u] = setting_of(eff(d, r, u)) == s;
		n += used[u];
	}
	if (!n)
		return 0;
	w->kind = kind;
	w->what = d->b->machine;
	v->n_why++;
	/* off in all of them alike: the machine type is the reason, not a host */
	if (n == d->b->n_used)
		return 0;
	return hosts_of(d, used, &w->hosts, &w->n_hosts);
}

static int value_reasons(struct derive *d, size_t r, struct value *v)
{
	const struct class *k = &d->classes[d->class_of[r]];

	v->why = arena_alloc(&d->b->arena, (k->n_why + 5) * sizeof(*v->why));
	if (!v->why)
		return -ENOMEM;
	for (; v->n_why < k->n_why; v->n_why++)
		v->why[v->n_why] = k->why[v->n_why];
	if (is_disabled(d, &d->cat->rows[r]))
		v->why[v->n_why++] = (struct why){ .kind = WHY_DISABLED,
						   .what = d->cat->rows[r].group_name };
	if (qemu_reason(d, r, SETTING_ABSENT, WHY_QEMU_LACKS, v) < 0 ||
	    qemu_reason(d, r, SETTING_OFF, WHY_MACHINE_OFF, v) < 0 ||
	    qemu_reason(d, r, SETTING_UNKNOWN, WHY_QEMU_UNKNOWN, v) < 0)
		return -ENOMEM;
	if (d->tie[r].kind != N_WHY)
		v->why[v->n_why++] = d->tie[r];
	return 0;
}

static int condition_names(struct derive *d, const struct needs *needs, const char ***ret,
			   size_t *ret_n)
{
	const struct abibase_catalogue *cat = d->cat;
	_autofree_ bool *wanted = calloc(cat->n_conditions + 1, sizeof(*wanted));
	const char **names = arena_alloc(&d->b->arena,
					 (cat->n_conditions + 1) * sizeof(*names));

	if (!wanted || !names)
		return -ENOMEM;
	for (size_t be = 0; be < cat->n_backends; be++)
		for (size_t i = 0; i < needs[be].n; i++)
			for (size_t u = 0; u < d->b->n_used; u++)
				if (d->b->in.policy.backends & (1u << be) &&
				    needs[be].need[i].condition >= 0 &&
				    need_applies(&d->views[u], &needs[be].need[i]))
					wanted[needs[be].need[i].condition] = true;
	for (size_t c = 0; c < cat->n_conditions; c++)
		if (wanted[c])
			names[(*ret_n)++] = cat->conditions[c].name;
	*ret = names;
	return 0;
}

static int fill_value(struct derive *d, size_t r, struct value *v)
{
	const struct row *row = &d->cat->rows[r];

	v->class_name = row->class_name;
	v->property = row->property;
	v->feature = row->feature;
	v->group = row->group_name;
	v->bit = row->bit;
	v->on = d->on[r];
	v->defaults = arena_alloc(&d->b->arena, d->b->n_used + 1);
	if (!v->defaults)
		return -ENOMEM;
	for (size_t u = 0; u < d->b->n_used; u++)
		v->defaults[u] = (unsigned char)setting_of(eff(d, r, u));
	if (v->on)
		return condition_names(d, row->needs, &v->requires, &v->n_requires);
	return value_reasons(d, r, v);
}

static int derive_values(struct derive *d)
{
	struct abibase_baseline *b = d->b;
	size_t n = d->cat->n_rows;

	d->included = calloc(n + 1, sizeof(*d->included));
	d->on = calloc(n + 1, sizeof(*d->on));
	d->tie = calloc(n + 1, sizeof(*d->tie));
	b->values = arena_alloc(&b->arena, (n + 1) * sizeof(*b->values));
	if (!d->included || !d->on || !d->tie || !b->values)
		return -ENOMEM;
	for (size_t r = 0; r < n; r++) {
		d->included[r] = is_included(d, r);
		d->tie[r].kind = N_WHY;
	}
	if (compute_classes(d) < 0)
		return -ENOMEM;
	for (size_t r = 0; r < n; r++)
		d->on[r] = d->included[r] && !d->classes[d->class_of[r]].n && wanted_on(d, r);
	close_dependencies(d);
	for (size_t r = 0; r < n; r++)
		if (d->included[r] && fill_value(d, r, &b->values[b->n_values++]) < 0)
			return -ENOMEM;
	return 0;
}

static bool is_dest(const struct derive *d, const struct host *h)
{
	const struct strings *dest = &d->b->in.policy.dest;

	for (size_t i = 0; i < dest->n; i++)
		if (host_is(h, dest->s[i], strlen(dest->s[i])))
			return true;
	return !dest->n;
}

/* What was recorded of this build under this machine type wins over the catalogue's versions. */
static int64_t shape_of(const struct derive *d, const struct shape *s, size_t used)
{
	const struct qemu_view *q = &d->views[used];
	int64_t recorded = streq(s->name, "queue-size") ?
				   observation_queue_size(q->entry, d->b->machine) :
				   -1;

	return recorded >= 0 ? recorded : shape_value(s, &q->version);
}

static bool same_shape(const struct derive *d, const struct shape *s, size_t a, size_t b)
{
	return d->views[a].entry && d->views[b].entry &&
	       !version_cmp(&d->views[a].version, &d->views[b].version) &&
	       shape_of(d, s, a) == shape_of(d, s, b);
}

/*
 * The hosts that use the build @used, or with @like any of that version and that shape; dest: those
 * that are ever one.
 */
static size_t write_users(const struct derive *d, size_t used, const struct shape *like, bool dest,
			  struct buf *out)
{
	_autofree_ bool *wanted = calloc(d->b->n_used + 1, sizeof(*wanted));
	size_t n = 0;

	if (!wanted) {
		out->failed = true;
		return 0;
	}
	for (size_t u = 0; u < d->b->n_used; u++)
		wanted[u] = u == used || (like && same_shape(d, like, u, used));
	for (size_t i = 0; i < d->b->in.n_hosts; i++) {
		const struct host *h = d->b->in.hosts[i];

		if (host_uses(d, h, wanted) && (!dest || is_dest(d, h)))
			buf_printf(out, "%s%s", n++ ? ", " : "", h->name);
	}
	return n;
}

/* "QEMU 9.1.0 (qemu-kvm-9.1.0-19.el9) on node-a" */
static void write_build(const struct derive *d, size_t used, struct buf *out)
{
	const struct build *b = d->b->used[used].build;
	const char *package = b ? json_string_value(json_object_get(b->entry, "package")) : NULL;

	buf_printf(out, b ? "QEMU %s" : "a QEMU that was not probed%s", b ? b->version : "");
	if (package && *package)
		buf_printf(out, " (%s)", package);
	buf_puts(out, " on ");
	write_users(d, used, NULL, false, out);
}

/* A list with a property that a QEMU perhaps does not know is no list with which it surely starts. */
static int derive_doubts(struct derive *d)
{
	for (size_t u = 0; u < d->b->n_used; u++) {
		_buf_ text = { 0 };
		size_t n = 0;

		for (size_t r = 0; r < d->cat->n_rows; r++) {
			if (!d->included[r] || eff(d, r, u)->known != ABIBASE_UNKNOWN)
				continue;
			if (!n++) {
				write_build(d, u, &text);
				buf_puts(&text, ": it is not recorded whether it has the property");
			}
			buf_printf(&text, "%s %s", n > 1 ? "," : "", d->cat->rows[r].key);
		}
		if (n && add_finding(d, ABIBASE_FINDING_UNKNOWN, "property-not-recorded",
				     "probe the host again: the probe records the properties",
				     &text) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* --------------------------------------------------------------- what was asked for by name */

static int asked_host(struct derive *d, const struct row *row, const struct why *w)
{
	bool unknown = w->kind == WHY_HOST_UNKNOWN;
	_buf_ text = { 0 };

	write_hosts(d, w->hosts, w->n_hosts, &text);
	if (w->kind == WHY_NEVER)
		buf_printf(&text, ": a QEMU there never offers %s (%s) on ", row->key,
			   row->feature);
	else if (unknown)
		buf_printf(&text, ": whether %s holds is unknown, which %s (%s) needs on ", w->what,
			   row->key, row->feature);
	else
		buf_printf(&text, ": %s lacks what %s (%s) needs: %s, on ", w->layer, row->key,
			   row->feature, w->missing);
	write_backends(d, w->backends, &text);
	buf_printf(&text, "; the group %s was enabled", row->group_name);
	/* an unknown is off and listed, unless QEMU would not start with it */
	if (unknown && !row->fatal)
		return add_finding(d, ABIBASE_FINDING_NOTE, "enabled-unknown", w->remedy, &text);
	return add_finding(d, unknown ? ABIBASE_FINDING_UNKNOWN : ABIBASE_FINDING_CONFLICT,
			   unknown ? "enabled-unknown" : "enabled-lacks",
			   w->remedy ? w->remedy : "do not enable the group", &text);
}

static int asked_other(struct derive *d, const struct row *row, const struct why *w)
{
	_buf_ text = { 0 };

	if (w->n_hosts) {
		write_hosts(d, w->hosts, w->n_hosts, &text);
		buf_puts(&text, ": ");
	}
	if (w->kind == WHY_QEMU_LACKS)
		buf_printf(&text, "a QEMU does not have the property %s (%s)", row->key,
			   row->feature);
	else if (w->kind == WHY_QEMU_UNKNOWN)
		buf_printf(&text, "whether a QEMU has the property %s is not recorded", row->key);
	else
		buf_printf(&text, "%s (%s) cannot be on: %s is off", row->key, row->feature,
			   w->what);
	buf_printf(&text, "; the group %s was enabled", row->group_name);
	return add_finding(d,
			   w->kind == WHY_QEMU_UNKNOWN ? ABIBASE_FINDING_UNKNOWN :
							 ABIBASE_FINDING_CONFLICT,
			   w->kind == WHY_QEMU_UNKNOWN ? "enabled-unknown" : "enabled-lacks",
			   "use a QEMU that has it on every host, or do not enable the group",
			   &text);
}

/* What was enabled by name and is off all the same is refused, never dropped quietly. */
static int derive_asked(struct derive *d)
{
	for (size_t r = 0, i = 0; r < d->cat->n_rows; r++) {
		const struct row *row = &d->cat->rows[r];
		const struct value *v = &d->b->values[i];

		if (!d->included[r]) {
			_buf_ text = { 0 };

			if (!row->boolean || !is_enabled(d, row) || !d->b->n_used)
				continue;
			buf_printf(&text, "no QEMU of these hosts has the property %s (%s); the "
					  "group %s was enabled",
				   row->key, row->feature, row->group_name);
			if (add_finding(d, ABIBASE_FINDING_CONFLICT, "enabled-lacks",
					"use a newer QEMU, or do not enable the group", &text) < 0)
				return -ENOMEM;
			continue;
		}
		i++;
		if (v->on || !is_enabled(d, row))
			continue;
		for (size_t k = 0; k < v->n_why; k++) {
			const struct why *w = &v->why[k];
			bool host = w->kind == WHY_HOST_LACKS || w->kind == WHY_HOST_UNKNOWN ||
				    w->kind == WHY_NEVER;

			if (w->kind == WHY_MACHINE_OFF)
				continue; /* just what enabling is for */
			if ((host ? asked_host(d, row, w) : asked_other(d, row, w)) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

/* --------------------------------------------------------- sizes that destinations check */

static int judge_pair(struct derive *d, const struct shape *s, size_t from, size_t to)
{
	const struct qemu_view *dst = &d->views[to];
	int64_t offers = shape_of(d, s, from), has = shape_of(d, s, to);
	_buf_ text = { 0 }, hosts = { 0 };

	if (version_cmp(&dst->version, &s->checked_since) < 0 || (offers >= 0 && has >= offers))
		return 0;
	if (!write_users(d, to, s, true, &hosts))
		return buf_failed(&hosts) ? -ENOMEM : 0;
	buf_printf(&text, "%s as a destination: QEMU %s there checks the %s against its own ",
		   hosts.data, d->b->used[to].build->version, s->text);
	hosts.len = 0;
	write_users(d, from, s, false, &hosts);
	if (buf_failed(&hosts))
		return -ENOMEM;
	if (offers >= 0 && has >= 0)
		buf_printf(&text, "(%lld) and refuses the %lld of QEMU %s on %s", (long long)has,
			   (long long)offers, d->b->used[from].build->version, hosts.data);
	else
		buf_printf(&text, "and what QEMU %s on %s has is not known",
			   d->b->used[from].build->version, hosts.data);
	buf_printf(&text, " (%s)", s->name);
	if (offers >= 0 && has >= 0)
		return add_finding(d, ABIBASE_FINDING_CONFLICT, "shape-differs", s->remedy, &text);
	return add_finding(d, ABIBASE_FINDING_UNKNOWN, "shape-unknown",
			   "use a QEMU release whose sizes the catalogue knows, or say with --dest "
			   "which hosts are ever a destination",
			   &text);
}

/*
 * One build for each version and size: the catalogue tells sizes by version. An unnamed upstream
 * QEMU is taken to be like the most; the exceptions are a note's.
 */
static bool first_of_version(const struct derive *d, const struct shape *s, size_t used)
{
	if (!d->views[used].entry)
		return false;
	for (size_t u = 0; u < used; u++)
		if (d->views[u].entry && same_shape(d, s, u, used))
			return false;
	return true;
}

static int derive_shapes(struct derive *d)
{
	for (size_t i = 0; i < d->cat->n_shapes; i++)
		for (size_t from = 0; from < d->b->n_used; from++)
			for (size_t to = 0; to < d->b->n_used; to++)
				if (from != to && first_of_version(d, &d->cat->shapes[i], from) &&
				    first_of_version(d, &d->cat->shapes[i], to) &&
				    judge_pair(d, &d->cat->shapes[i], from, to) < 0)
					return -ENOMEM;
	return 0;
}

/* -------------------------------------------------------------------- requirements */

/* Who has it and who has not, over every host and every backend that it can use. */
struct poll {
	unsigned int *lacks, *unknown;
	size_t n_lacks, n_unknown, n_has;
	const struct condition *missing, *untold;
	unsigned int answer;
};

static enum abibase_tri poll_host(const struct derive *d, const struct host *h,
				  const struct requirement *q, struct poll *p, bool *ret_has)
{
	unsigned int mask = usable_mask(d, h, ABIBASE_YES);
	enum abibase_tri worst = ABIBASE_YES;

	for (size_t be = 0; be < d->cat->n_backends; be++) {
		enum abibase_tri all = ABIBASE_YES;

		if (!(mask & (1u << be)))
			continue;
		for (size_t i = 0; i < q->needs[be].n; i++) {
			int c = q->needs[be].need[i].condition;
			enum abibase_tri a = answer_tri(h->answers[c]);

			if (a == ABIBASE_NO) {
				p->missing = &d->cat->conditions[c];
				all = ABIBASE_NO;
			} else if (a == ABIBASE_UNKNOWN && all == ABIBASE_YES) {
				p->untold = &d->cat->conditions[c];
				p->answer = h->answers[c];
				all = ABIBASE_UNKNOWN;
			}
		}
		*ret_has |= all == ABIBASE_YES;
		if (all == ABIBASE_NO || (all == ABIBASE_UNKNOWN && worst == ABIBASE_YES))
			worst = all;
	}
	return worst;
}

static void poll_hosts(struct derive *d, const struct requirement *q, struct poll *p)
{
	p->lacks = d->scratch[0];
	p->unknown = d->scratch[1];
	for (unsigned int i = 0; i < d->b->in.n_hosts; i++) {
		bool has = false;
		enum abibase_tri r = poll_host(d, d->b->in.hosts[i], q, p, &has);

		p->n_has += has;
		if (r == ABIBASE_NO)
			p->lacks[p->n_lacks++] = i;
		else if (r == ABIBASE_UNKNOWN)
			p->unknown[p->n_unknown++] = i;
	}
}

static int finding_requirement(struct derive *d, const struct requirement *q,
			       const struct poll *p)
{
	_buf_ text = { 0 };

	if (p->n_lacks && p->n_has) {
		write_hosts(d, p->lacks, p->n_lacks, &text);
		buf_printf(&text, ": the %s layer lacks what others have and no property can mask: "
				  "%s (%s; requirement %s)",
			   p->missing->layer, q->text, p->missing->missing, q->name);
		return add_finding(d, ABIBASE_FINDING_CONFLICT, "requirement-differs", q->remedy,
				   &text);
	}
	if (!p->n_unknown)
		return 0;
	write_hosts(d, p->unknown, p->n_unknown, &text);
	buf_printf(&text, ": whether \"%s\" holds is unknown: %s (%s; requirement %s)", q->text,
		   p->untold->name, answer_reason(&d->b->in, p->answer), q->name);
	return add_finding(d, ABIBASE_FINDING_UNKNOWN, "requirement-unknown",
			   unknown_remedy(answer_reason(&d->b->in, p->answer)), &text);
}

static bool applies_at_all(const struct derive *d, const struct requirement *q)
{
	if (q->named_only && !d->b->in.policy.backends_named)
		return false;
	for (size_t be = 0; be < d->cat->n_backends; be++)
		if (d->b->in.policy.backends & (1u << be) && q->needs[be].n)
			return true;
	return false;
}

static int derive_requirements(struct derive *d)
{
	struct abibase_baseline *b = d->b;

	b->requirements = arena_alloc(&b->arena,
				      (d->cat->n_requirements + 1) * sizeof(*b->requirements));
	if (!b->requirements)
		return -ENOMEM;
	for (size_t i = 0; i < d->cat->n_requirements; i++) {
		const struct requirement *q = &d->cat->requirements[i];
		struct met *m = &b->requirements[b->n_requirements];
		struct poll p = { 0 };

		if (!applies_at_all(d, q))
			continue;
		poll_hosts(d, q, &p);
		if (finding_requirement(d, q, &p) < 0 ||
		    condition_names(d, q->needs, &m->conditions, &m->n_conditions) < 0)
			return -ENOMEM;
		m->name = q->name;
		m->text = q->text;
		m->met = !p.n_lacks && !p.n_unknown;
		b->n_requirements++;
	}
	return 0;
}

/* ------------------------------------------------------------------ words worth saying */

/* The hosts that forced something off because they could not tell @condition, and what it was. */
static size_t unknown_rows(struct derive *d, const char *condition, bool *hosts, struct buf *rows)
{
	size_t n = 0;

	for (size_t r = 0; r < d->cat->n_rows; r++) {
		const struct class *k;

		if (!d->included[r] || !wanted_on(d, r))
			continue; /* it would be off all the same */
		k = &d->classes[d->class_of[r]];
		for (size_t i = 0; i < k->n_why; i++) {
			if (k->why[i].kind != WHY_HOST_UNKNOWN ||
			    !streq(k->why[i].what, condition))
				continue;
			buf_printf(rows, "%s %s", n++ ? "," : "", d->cat->rows[r].property);
			for (size_t h = 0; h < k->why[i].n_hosts; h++)
				hosts[k->why[i].hosts[h]] = true;
		}
	}
	return n;
}

static int note_unknowns(struct derive *d)
{
	const struct inputs *in = &d->b->in;
	_autofree_ bool *hosts = calloc(in->n_hosts + 1, sizeof(*hosts));

	if (!hosts)
		return -ENOMEM;
	for (size_t c = 0; c < d->cat->n_conditions; c++) {
		_buf_ text = { 0 }, rows = { 0 };
		const char *reason;
		size_t n = 0;

		memset(hosts, 0, in->n_hosts * sizeof(*hosts));
		if (!unknown_rows(d, d->cat->conditions[c].name, hosts, &rows))
			continue;
		for (unsigned int h = 0; h < in->n_hosts; h++)
			if (hosts[h])
				d->scratch[0][n++] = h;
		reason = answer_reason(in, in->hosts[d->scratch[0][0]]->answers[c]);
		write_hosts(d, d->scratch[0], n, &text);
		buf_printf(&text, ": %s is unknown (%s), so these are off for everybody:%s",
			   d->cat->conditions[c].name, reason, rows.data ? rows.data : "");
		if (buf_failed(&rows) || add_finding(d, ABIBASE_FINDING_NOTE, "forced-off-unknown",
						     unknown_remedy(reason), &text) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The same machine type name with another content: what KubeVirt issue 16386 was about. */
static int note_differences(struct derive *d)
{
	struct abibase_baseline *b = d->b;

	for (size_t r = 0; r < d->cat->n_rows; r++) {
		static const char *const words[] = { "off", "on" };
		_buf_ text = { 0 };

		if (!d->cat->rows[r].boolean || !count_setting(d, r, SETTING_ON) ||
		    !count_setting(d, r, SETTING_OFF))
			continue;
		buf_printf(&text, "%s has not the same content everywhere: %s is ", b->machine,
			   d->cat->rows[r].key);
		for (int s = SETTING_ON; s >= SETTING_OFF; s--) {
			size_t n = 0;

			buf_printf(&text, "%s%s in ", s == SETTING_OFF ? " and " : "", words[s]);
			for (size_t u = 0; u < b->n_used; u++) {
				if (setting_of(eff(d, r, u)) != (enum setting)s)
					continue;
				buf_puts(&text, n++ ? ", " : "");
				write_build(d, u, &text);
			}
		}
		if (add_finding(d, ABIBASE_FINDING_NOTE, "machine-differs", NULL, &text) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int note_recorded(struct derive *d)
{
	for (size_t r = 0; r < d->cat->n_rows; r++)
		for (size_t u = 0; u < d->b->n_used; u++) {
			_buf_ text = { 0 };

			if (!eff(d, r, u)->disagrees)
				continue;
			buf_printf(&text,
				   "QEMU %s was recorded with another value of %s under %s than "
				   "the catalogue has; the recorded one is used",
				   d->b->used[u].build->version, d->cat->rows[r].key,
				   d->b->machine);
			if (add_finding(d, ABIBASE_FINDING_NOTE, "recorded-differs", NULL,
					&text) < 0)
				return -ENOMEM;
		}
	return 0;
}

static void write_ranges(const struct compat *e, struct buf *out)
{
	for (size_t i = 0; i < e->n_not_in; i++) {
		const struct version_range *v = &e->not_in[i];

		buf_printf(out, "%s%u.%u.%u", i ? ", " : "", v->first.part[0], v->first.part[1],
			   v->first.part[2]);
		if (version_cmp(&v->first, &v->last))
			buf_printf(out, " to %u.%u.%u", v->last.part[0], v->last.part[1],
				   v->last.part[2]);
	}
}

/* A host without QEMU facts may have one of the few builds that are not like the rest. */
static int note_exceptions(struct derive *d)
{
	_buf_ text = { 0 };
	size_t n = 0;

	for (size_t r = 0; d->any >= 0 && r < d->cat->n_rows; r++) {
		const struct compat *e = eff(d, r, (size_t)d->any)->exception;

		if (!e)
			continue;
		buf_printf(&text, "%s%s (in QEMU ", n++ ? ", " : "", d->cat->rows[r].key);
		write_ranges(e, &text);
		buf_putc(&text, ')');
	}
	if (!n)
		return 0;
	buf_printf(&text, ": another value under %s than in every other upstream build",
		   d->b->machine);
	return add_finding(d, ABIBASE_FINDING_NOTE, "known-exception",
			   "probe the QEMU of the hosts that have no QEMU facts", &text);
}

/* ------------------------------------------------------------------ the feature words */

static bool bit_is_on(const struct derive *d, size_t r)
{
	const struct row *row = &d->cat->rows[r];

	return row->bit >= 0 && !row->legacy && row_is_on(d, r);
}

static void set_bit(struct offer *o, int bit, const char *feature)
{
	if (o->word[bit / 64] >> (bit % 64) & 1)
		return;
	o->word[bit / 64] |= (uint64_t)1 << (bit % 64);
	o->features[o->n_features++] = feature;
}

/* A device that cannot be a modern one has no bits from 32 on. */
static bool is_modern(const struct derive *d, unsigned int backend)
{
	for (size_t i = 0, k = 0; i < d->cat->n_requirements; i++) {
		const struct requirement *q = &d->cat->requirements[i];

		if (!applies_at_all(d, q))
			continue;
		if (q->bit == 32 && q->needs[backend].n && !d->b->requirements[k].met)
			return false;
		k++;
	}
	return true;
}

static int fill_offer(struct derive *d, struct offer *o)
{
	bool modern = is_modern(d, o->backend);

	o->known = true;
	o->features = arena_alloc(&d->b->arena,
				  (d->cat->n_rows + d->cat->n_requirements + 1) *
					  sizeof(*o->features));
	if (!o->features)
		return -ENOMEM;
	for (int bit = 0; bit < (modern ? 128 : 32); bit++) {
		for (size_t r = 0; r < d->cat->n_rows; r++)
			if (d->cat->rows[r].bit == bit && bit_is_on(d, r))
				set_bit(o, bit, d->cat->rows[r].feature);
		for (size_t i = 0; i < d->cat->n_requirements; i++)
			if (d->cat->requirements[i].bit == bit)
				set_bit(o, bit, d->cat->requirements[i].feature);
	}
	return 0;
}

/* ------------------------------------------------------------------------ all of it */

static int derive_answer(struct derive *d)
{
	if (derive_used(d) < 0 || check_machine_values(d) < 0 || compute_effective(d) < 0 ||
	    derive_values(d) < 0 || derive_doubts(d) < 0 || derive_asked(d) < 0 ||
	    derive_requirements(d) < 0 || derive_shapes(d) < 0 || note_unknowns(d) < 0 ||
	    note_differences(d) < 0 || note_recorded(d) < 0 || note_exceptions(d) < 0)
		return -ENOMEM;
	return 0;
}

static int derive_verdict(struct derive *d)
{
	struct abibase_baseline *b = d->b;

	order_findings(b);
	b->verdict = has_finding(b, ABIBASE_FINDING_CONFLICT) ? ABIBASE_VERDICT_NO :
		     has_finding(b, ABIBASE_FINDING_UNKNOWN)  ? ABIBASE_VERDICT_UNKNOWN :
								ABIBASE_VERDICT_YES;
	if (b->verdict != ABIBASE_VERDICT_YES)
		return 0;
	for (size_t i = 0; i < b->n_offers; i++)
		if (fill_offer(d, &b->offers[i]) < 0)
			return -ENOMEM;
	b->id = baseline_make_id(b);
	return b->id ? 0 : -ENOMEM;
}

static void derive_clear(struct derive *d)
{
	for (size_t i = 0; d->classes && i < d->n_classes; i++)
		free(d->classes[i].fails);
	free(d->classes);
	free(d->class_of);
	free(d->views);
	free(d->used_of);
	free(d->eff);
	free(d->included);
	free(d->on);
	free(d->tie);
	free(d->scratch[0]);
	free(d->scratch[1]);
}

int baseline_derive(struct abibase_baseline *b, struct abibase_catalogue *cat)
{
	struct derive d = { .b = b, .cat = cat, .any = -1 };
	int r = 0;

	b->cat = abibase_catalogue_ref(cat); /* its strings are used in the answer */
	for (int i = 0; i < 2; i++) {
		d.scratch[i] = calloc(b->in.n_hosts + 1, sizeof(*d.scratch[i]));
		if (!d.scratch[i])
			r = -ENOMEM;
	}
	if (r == 0)
		r = derive_arch(&d);
	if (r == 0)
		r = derive_backends(&d);
	if (r == 0 && b->target)
		r = derive_machine(&d);
	if (r == 0 && b->target && b->machine)
		r = derive_answer(&d);
	if (r == 0)
		r = derive_verdict(&d);
	derive_clear(&d);
	return r;
}
