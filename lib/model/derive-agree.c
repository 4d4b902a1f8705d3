/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/derive.h"
#include "base/known.h"

/* What no property can equalise, what is worth a word, and the feature words that follow. */

/* --------------------------------------------------------- sizes that destinations check */

/* An assumed QEMU may be any: one that has the most as a source, the least as a destination that
 * checks. */
static void judge_assumed_pair(struct derive *d, const struct shape *s, size_t from, size_t to)
{
	bool src = d->views[from].entry, dst = d->views[to].entry;
	int64_t offers = src ? derive_shape_of(d, s, from) : shape_most(s);
	int64_t has = dst ? derive_shape_of(d, s, to) : shape_least(s);
	_buf_ text = { 0 };

	if ((dst && version_cmp(&d->views[to].version, &s->checked_since) < 0) ||
	    (offers >= 0 && has >= offers) || !derive_write_users(d, to, s, true, &text))
		return;
	if (dst)
		buf_printf(&text, " as a destination: QEMU %s there",
			   d->b->used[to].build->version);
	else
		buf_puts(&text, " as a destination: its QEMU is assumed, and one of upstream");
	buf_printf(&text, " %s the %s against its own", dst ? "checks" : "that checks", s->text);
	if (dst)
		buf_puts(&text, ", and the QEMU assumed on ");
	else
		buf_printf(&text, " can have less than QEMU %s on ",
			   d->b->used[from].build->version);
	derive_write_users(d, from, s, false, &text);
	buf_printf(&text, "%s (%s)", dst ? " can have more" : " has", s->name);
	derive_finding(d, ABIBASE_FINDING_UNKNOWN, "shape-unknown",
		       "abibase probe on the host whose QEMU is assumed records it; or say with "
		       "--dest which hosts are ever a destination",
		       &text);
}

static void judge_pair(struct derive *d, const struct shape *s, size_t from, size_t to)
{
	const struct qemu_view *dst = &d->views[to];
	int64_t offers = derive_shape_of(d, s, from), has = derive_shape_of(d, s, to);
	bool known = offers >= 0 && has >= 0;
	_buf_ text = { 0 };

	if (!dst->entry || !d->views[from].entry) {
		judge_assumed_pair(d, s, from, to);
		return;
	}
	if (version_cmp(&dst->version, &s->checked_since) < 0 || (offers >= 0 && has >= offers) ||
	    !derive_write_users(d, to, s, true, &text))
		return;
	buf_printf(&text, " as a destination: QEMU %s there checks the %s against its own ",
		   d->b->used[to].build->version, s->text);
	if (known)
		buf_printf(&text, "(%lld) and refuses the %lld of QEMU %s on ", (long long)has,
			   (long long)offers, d->b->used[from].build->version);
	else
		buf_printf(&text, "and what QEMU %s on ", d->b->used[from].build->version);
	derive_write_users(d, from, s, false, &text);
	buf_printf(&text, "%s (%s)", known ? "" : " has is not known", s->name);
	if (known && s->also)
		buf_printf(&text, "; %s", s->also);
	derive_finding(d, known ? ABIBASE_FINDING_CONFLICT : ABIBASE_FINDING_UNKNOWN,
		       known ? "shape-differs" : "shape-unknown",
		       known ? s->remedy :
			       "abibase probe on that host records it; or say with --dest which "
			       "hosts are ever a destination",
		       &text);
}

/* The builds that speak for all. */
struct firsts {
	unsigned int *used;
	size_t n;
};

/* What tells sizes apart; of builds of a kind the first one speaks for all. */
struct kind {
	const struct qemu_view *view;
	int64_t size;
	unsigned int used;
};

static int size_cmp(const struct kind *x, const struct kind *y)
{
	int r = version_cmp(&x->view->version, &y->view->version);

	return r ? r : (x->size > y->size) - (x->size < y->size);
}

static int kind_cmp(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;
	int r = size_cmp(x, y);

	return r ? r : (x->used > y->used) - (x->used < y->used);
}

static int number_cmp(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return (x > y) - (x < y);
}

/* One build for each version and size, for the catalogue tells sizes by version: in order. */
static void find_firsts(struct derive *d, const struct shape *s, struct firsts *f)
{
	size_t n = 0;
	_autofree_ struct kind *kinds = calloc(d->b->n_used + 1, sizeof(*kinds));

	f->used = derive_alloc(d, d->b->n_used + 1, sizeof(*f->used));
	d->b->arena.failed |= !kinds;
	for (unsigned int u = 0; kinds && f->used && u < d->b->n_used; u++) {
		if (d->views[u].entry)
			kinds[n++] = (struct kind){ &d->views[u], derive_shape_of(d, s, u), u };
		else
			f->used[f->n++] = u; /* an assumed one is like no other */
	}
	if (n)
		qsort(kinds, n, sizeof(*kinds), kind_cmp);
	for (size_t i = 0; i < n; i++)
		if (!i || size_cmp(&kinds[i - 1], &kinds[i]))
			f->used[f->n++] = kinds[i].used;
	if (f->n)
		qsort(f->used, f->n, sizeof(*f->used), number_cmp);
}

static bool is_shape_of(const struct derive *d, size_t r, const struct shape *s, int64_t offers)
{
	const struct row *row = &d->cat->rows[r];

	return d->on[r] && row->number && row->shape_name && streq(row->shape_name, s->name) &&
	       offers >= 0 && offers != d->number[r];
}

/* A build that makes its own of a size that the baseline sets: said, for no list can change it. */
static void note_ignored(struct derive *d, const struct shape *s, size_t used)
{
	int64_t offers = derive_shape_of(d, s, used);
	_buf_ text = { 0 };
	size_t n = 0;

	if (!d->views[used].entry)
		return;
	for (size_t r = 0; r < d->cat->n_rows; r++) {
		if (!is_shape_of(d, r, s, offers))
			continue;
		if (!n)
			buf_printf(&text, "QEMU %s on ", d->b->used[used].build->version);
		if (!n)
			derive_write_users(d, used, s, false, &text);
		buf_printf(&text, "%s %s=%lld", n++ ? "," : ": shows guests another size than",
			   d->cat->rows[r].key, (long long)d->number[r]);
	}
	if (!n)
		return;
	buf_printf(&text, ": %lld, whatever is set (%s)", (long long)offers, s->name);
	derive_finding(d, ABIBASE_FINDING_NOTE, "size-ignored", NULL, &text);
}

static bool is_by_version(const struct derive *d, const struct shape *s, size_t used)
{
	return qemu_recorded_size(d->views[used].entry, d->b->machine, s->recorded) < 0 &&
	       derive_shape_of(d, s, used) >= 0;
}

/* Which builds are ever a destination that checks it? The number of them. */
static size_t find_checking(struct derive *d, const struct shape *s, bool *checks)
{
	size_t n = 0;

	derive_dests(d, checks);
	for (size_t u = 0; u < d->b->n_used; u++) {
		checks[u] = checks[u] && (!d->views[u].entry ||
					  version_cmp(&d->views[u].version, &s->checked_since) >= 0);
		n += checks[u];
	}
	return n;
}

/* A stable update has changed such a size: what is only inferred is said, where it decides. */
static void note_by_version(struct derive *d, const struct shape *s)
{
	bool *used = derive_alloc(d, d->b->n_used + 1, sizeof(*used));
	_buf_ text = { 0 };
	unsigned int *hosts;
	size_t n = 0, n_checking;

	if (!used)
		return;
	n_checking = find_checking(d, s, used);
	/* is its size held against that of another one, here or there? */
	for (size_t u = 0; u < d->b->n_used; u++)
		used[u] = d->views[u].entry && is_by_version(d, s, u) &&
			  (used[u] ? d->b->n_used > 1 : n_checking > 0);
	derive_hosts_of(d, used, &hosts, &n);
	if (!n)
		return;
	derive_write_hosts(d, hosts, n, &text);
	buf_printf(&text,
		   ": the %s that a destination checks are taken from the version of QEMU, and an "
		   "update can change them (%s)",
		   s->text, s->name);
	derive_finding(d, ABIBASE_FINDING_NOTE, "shape-by-version",
		       "abibase probe on that host records them", &text);
}

static void judge_pairs(struct derive *d, const struct shape *s, const struct firsts *f)
{
	for (size_t from = 0; from < f->n; from++)
		for (size_t to = 0; to < f->n; to++)
			if (from != to)
				judge_pair(d, s, f->used[from], f->used[to]);
}

void derive_shapes(struct derive *d)
{
	size_t n = d->cat->n_shapes;
	struct firsts *firsts = derive_alloc(d, n + 1, sizeof(*firsts));

	for (size_t i = 0; firsts && i < n; i++) {
		find_firsts(d, &d->cat->shapes[i], &firsts[i]);
		judge_pairs(d, &d->cat->shapes[i], &firsts[i]);
	}
	for (size_t i = 0; firsts && i < n; i++)
		for (size_t k = 0; k < firsts[i].n; k++)
			note_ignored(d, &d->cat->shapes[i], firsts[i].used[k]);
	for (size_t i = 0; i < n; i++)
		note_by_version(d, &d->cat->shapes[i]);
}

/* -------------------------------------------------------------------- requirements */

/* Who has it and who has not, over every host and every backend that it can use. */
struct poll {
	unsigned int *lacks, *unknown, *unasked;
	size_t n_lacks, n_unknown, n_has;
	size_t n_unasked; /* of an earlier baseline, which was not asked this */
	const struct condition *missing;
	struct asked untold;
	bool untellable; /* of a host that perhaps does not have the backend, which is said
			    elsewhere */
};

static enum abibase_tri poll_host(const struct derive *d, size_t host,
				  const struct requirement *q, struct poll *p, bool *ret_has)
{
	unsigned int mask = derive_usable_mask(d, host, ABIBASE_YES);
	struct ask a = derive_ask(d, d->b->in.hosts[host]);
	enum abibase_tri worst = ABIBASE_YES;

	mask &= q->backends;
	for (size_t be = 0; mask >> be; be++) {
		struct stand s;

		if (!(mask & (1u << be)))
			continue;
		ask_needs(&a, &q->needs[be], &s);
		if (s.can == ABIBASE_NO)
			p->missing = s.no.c;
		else if (s.can == ABIBASE_UNKNOWN)
			p->untold = s.unknown;
		*ret_has |= s.can == ABIBASE_YES;
		if (s.can == ABIBASE_NO || worst == ABIBASE_YES)
			worst = s.can;
	}
	return worst;
}

/* Is it sure to hold on a backend that is perhaps not there, if it is? */
static bool holds_if_usable(const struct derive *d, size_t host, const struct requirement *q)
{
	unsigned int mask = derive_usable_mask(d, host, ABIBASE_UNKNOWN) & q->backends;
	struct ask a = derive_ask(d, d->b->in.hosts[host]);
	struct stand s = { .can = ABIBASE_YES };

	for (size_t be = 0; s.can == ABIBASE_YES && mask >> be; be++)
		if (mask & (1u << be))
			ask_needs(&a, &q->needs[be], &s);
	return s.can == ABIBASE_YES;
}

static void poll_hosts(struct derive *d, const struct requirement *q, struct poll *p)
{
	p->lacks = d->scratch[0];
	p->unknown = d->scratch[1];
	p->unasked = d->scratch[2];
	for (unsigned int i = 0; i < d->b->in.n_hosts; i++) {
		bool has = false;
		enum abibase_tri r = poll_host(d, i, q, p, &has);

		p->n_has += has;
		p->untellable |= !holds_if_usable(d, i, q);
		if (r == ABIBASE_NO)
			p->lacks[p->n_lacks++] = i;
		else if (r == ABIBASE_UNKNOWN && q->to_leave &&
			 streq(p->untold.reason, EARLIER_BASELINE))
			p->unasked[p->n_unasked++] = i;
		else if (r == ABIBASE_UNKNOWN)
			p->unknown[p->n_unknown++] = i;
	}
}

static void finding_requirement(struct derive *d, const struct requirement *q,
				const struct poll *p)
{
	_buf_ text = { 0 };

	if (p->n_lacks && p->n_has) {
		derive_write_hosts(d, p->lacks, p->n_lacks, &text);
		buf_printf(&text, ": the %s layer lacks what %s and no property can mask: "
				  "%s (%s; requirement %s)",
			   p->missing->layer,
			   p->n_lacks < d->b->in.n_hosts ? "others have" :
							   "the other backends of the same host have",
			   q->text, p->missing->missing, q->name);
		derive_finding(d, ABIBASE_FINDING_CONFLICT, "requirement-differs", q->remedy,
			       &text);
		return;
	}
	if (!p->n_unknown)
		return;
	derive_write_hosts(d, p->unknown, p->n_unknown, &text);
	buf_printf(&text, ": whether \"%s\" holds is unknown: %s (%s; requirement %s)", q->text,
		   p->untold.c->name, p->untold.reason, q->name);
	derive_finding(d, ABIBASE_FINDING_UNKNOWN, "requirement-unknown",
		       unknown_remedy(p->untold.reason), &text);
}

/* A guest gets in on a host that lacks it, and never away again. */
static void finding_leave(struct derive *d, const struct requirement *q, const struct poll *p)
{
	_buf_ text = { 0 };

	if (p->n_lacks) {
		derive_write_hosts(d, p->lacks, p->n_lacks, &text);
		buf_printf(&text, ": the %s layer lacks what lets a guest leave its host: %s "
				  "(requirement %s)",
			   p->missing->layer, p->missing->missing, q->name);
		derive_finding(d, ABIBASE_FINDING_CONFLICT, "leave-lacks", q->remedy, &text);
	}
	if (p->n_unknown) {
		derive_write_hosts(d, p->unknown, p->n_unknown, &text);
		buf_printf(&text, ": whether \"%s\" holds is unknown: %s (%s; requirement %s)",
			   q->text, p->untold.c->name, p->untold.reason, q->name);
		derive_finding(d, ABIBASE_FINDING_UNKNOWN, "leave-unknown",
			       unknown_remedy(p->untold.reason), &text);
	}
	if (!p->n_unasked)
		return;
	derive_write_hosts(d, p->unasked, p->n_unasked, &text);
	buf_printf(&text, ": whether \"%s\" holds was not asked when the earlier baseline was made "
			  "(requirement %s)",
		   q->text, q->name);
	derive_finding(d, ABIBASE_FINDING_NOTE, "leave-not-asked",
		       "make a baseline anew of the profiles of these hosts", &text);
}

static bool applies_at_all(const struct derive *d, const struct requirement *q)
{
	if ((q->named_only && !d->b->in.policy.backends_named) ||
	    derive_is_masked(d, q, d->b->in.policy.backends))
		return false;
	for (size_t be = 0; be < d->cat->n_backends; be++)
		if (d->b->in.policy.backends & (1u << be) && q->needs[be].n)
			return true;
	return false;
}

void derive_requirements(struct derive *d)
{
	struct abibase_baseline *b = d->b;

	b->requirements = arena_alloc(&b->arena,
				      (d->cat->n_requirements + 1) * sizeof(*b->requirements));
	if (!b->requirements)
		return;
	for (size_t i = 0; i < d->cat->n_requirements; i++) {
		const struct requirement *q = &d->cat->requirements[i];
		struct met *m = &b->requirements[b->n_requirements];
		struct poll p = { 0 };

		if (!applies_at_all(d, q))
			continue;
		poll_hosts(d, q, &p);
		if (q->to_leave) { /* each baseline has it, so it tells none from another */
			finding_leave(d, q, &p);
			continue;
		}
		finding_requirement(d, q, &p);
		derive_condition_names(d, q->needs, &m->conditions, &m->n_conditions);
		m->name = q->name;
		m->text = q->text;
		m->met = p.n_lacks		   ? ABIBASE_NO :
			 p.n_unknown || p.untellable ? ABIBASE_UNKNOWN :
						       ABIBASE_YES;
		b->n_requirements++;
	}
}

/* ------------------------------------------------------------------ words worth saying */

/* Mark the hosts of @w that surely have the backend: of another that is unknown itself. */
static bool mark_sure(const struct derive *d, const struct why *w, bool *hosts)
{
	bool any = false;

	for (size_t h = 0; h < w->n_hosts; h++) {
		if (!(derive_usable_mask(d, w->hosts[h], ABIBASE_YES) & w->backends))
			continue;
		hosts[w->hosts[h]] = true;
		any = true;
	}
	return any;
}

/* The hosts that forced something off because they could not tell @condition, and what it was. */
static size_t unknown_rows(struct derive *d, const char *condition, bool *hosts, struct buf *rows)
{
	size_t n = 0;

	for (size_t r = 0; r < d->cat->n_rows; r++) {
		const struct class *k;

		if (!d->included[r])
			continue;
		k = &d->classes[d->class_of[r]];
		for (size_t i = 0; i < k->n_why; i++) {
			/* what is not wanted would be off all the same */
			if (k->why[i].kind != WHY_HOST_UNKNOWN ||
			    !streq(k->why[i].what, condition) || !derive_wanted_on(d, r) ||
			    !mark_sure(d, &k->why[i], hosts))
				continue;
			buf_printf(rows, "%s %s", n++ ? "," : "", d->cat->rows[r].property);
		}
	}
	return n;
}

static void note_unknowns(struct derive *d)
{
	const struct inputs *in = &d->b->in;
	bool *hosts = derive_alloc(d, in->n_hosts + 1, sizeof(*hosts));

	if (!hosts)
		return;
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
		derive_write_hosts(d, d->scratch[0], n, &text);
		buf_printf(&text, ": %s is unknown (%s), so these are off for everybody:%s",
			   d->cat->conditions[c].name, reason, arena_words(&d->b->arena, &rows));
		derive_finding(d, ABIBASE_FINDING_NOTE, "forced-off-unknown",
			       unknown_remedy(reason), &text);
	}
}

/* What a build makes of a row, in words; false: not known, or it does not have the switch. */
static bool write_word(const struct derive *d, size_t r, size_t used, struct buf *word)
{
	const struct row *row = &d->cat->rows[r];
	const struct effective *e = derive_eff(d, r, used);
	const json_t *seen = effective_seen(e, row);

	word->len = 0;
	if (!seen || (row->boolean && e->known == ABIBASE_NO && !row->without))
		return false;
	if (row->boolean)
		buf_puts(word, setting_words[value_is_on(seen)]);
	else
		value_write(seen, word);
	return !buf_failed(word);
}

/* The builds whose word this is, if @used is the first of them. */
static bool write_builds_of_word(const struct derive *d, size_t r, size_t used, const char *word,
				 const char *before, struct buf *text)
{
	_buf_ other = { 0 };
	size_t n = 0;

	for (size_t u = 0; u < d->b->n_used; u++) {
		if (!write_word(d, r, u, &other) || !streq(other.data, word))
			continue;
		if (u < used)
			return false;
		if (n++)
			buf_puts(text, ", ");
		else
			buf_printf(text, "%s%s in ", before, word);
		derive_write_build(d, u, text);
	}
	text->failed |= buf_failed(&other);
	return true;
}

/* What the builds make of the row, each word with its builds; how many words these are. */
static size_t write_words(const struct derive *d, size_t r, struct buf *text)
{
	_buf_ word = { 0 };
	size_t n = 0;

	/* twice: "on" comes before "off" */
	for (size_t u = 0; u < 2 * d->b->n_used; u++) {
		size_t used = u % d->b->n_used;

		if (write_word(d, r, used, &word) &&
		    streq(word.data, "off") == (u >= d->b->n_used))
			n += write_builds_of_word(d, r, used, word.data, n ? " and " : "", text);
	}
	text->failed |= buf_failed(&word);
	return n;
}

/* Do two builds do otherwise of which no list can tell either? */
static bool is_fixed_apart(const struct derive *d, size_t r)
{
	const json_t *first = NULL;

	for (size_t u = 0; d->cat->rows[r].without && u < d->b->n_used; u++) {
		const json_t *v = effective_seen(derive_eff(d, r, u), &d->cat->rows[r]);

		if (derive_eff(d, r, u)->known != ABIBASE_NO)
			continue;
		if (first && !json_equal(v, first))
			return true;
		first = v;
	}
	return false;
}

/*
 * The same machine type name with another content: what KubeVirt issue 16386 was about. A list makes
 * it the same where it can; what is neither on or off nor a number it does not set.
 */
static void note_differences(struct derive *d)
{
	for (size_t r = 0; r < d->cat->n_rows; r++) {
		const struct row *row = &d->cat->rows[r];
		bool set = (row->boolean || d->included[r]) && !is_fixed_apart(d, r);
		_buf_ text = { 0 };

		if (!derive_is_about(d, row) || !derive_differs(d, r) ||
		    (row->observed && derive_is_disabled(d, row)))
			continue;
		if (row->observed)
			buf_printf(&text, "%s (%s) is not the same everywhere: ", row->key,
				   row->feature);
		else
			buf_printf(&text, "%s has not the same content everywhere: %s is ",
				   d->b->machine, row->key);
		if (write_words(d, r, &text) < 2 && !buf_failed(&text))
			continue; /* "auto" and "on" are the same */
		derive_finding(d, set ? ABIBASE_FINDING_NOTE : ABIBASE_FINDING_CONFLICT,
			       row->observed ? "size-set" :
			       set	       ? "machine-differs" :
					     "value-differs",
			       set ? NULL :
				     "use another machine type, or leave out the hosts that have "
				     "one of these builds",
			       &text);
	}
}

static size_t count_users(const struct derive *d, size_t used)
{
	size_t n = 0;

	for (size_t i = 0; i < d->b->in.n_hosts; i++)
		for (size_t k = 0; k < d->b->in.hosts[i]->n_qemu; k++)
			if (d->used_of[d->b->in.hosts[i]->qemu[k].build] == (long)used) {
				n++;
				break;
			}
	return n;
}

/*
 * May another host have another value of it? Under a machine type of upstream's a version means one
 * thing. Under a vendor's, two hosts with the same record have the same build where it says which
 * that is: a record that leaves it out can be of two.
 */
static bool may_differ(const struct derive *d, size_t r, size_t used)
{
	const struct qemu_view *q = &d->views[used];

	for (size_t u = 0; u < d->b->n_used; u++)
		if (u != used && !(q->name.upstream && d->views[u].entry &&
				   !version_cmp(&q->version, &d->views[u].version) &&
				   derive_is_unrecorded(d, r, u)))
			return true;
	return !qemu_is_told_apart(q->entry, q->machine) && count_users(d, used) > 1;
}

/* Each behind the one before; the first behind the build, and what becomes of them. */
static void list_unrecorded(const struct derive *d, size_t r, size_t used, const char *so,
			    struct buf *text)
{
	bool first = !text->len;

	if (first) {
		derive_write_build(d, used, text);
		buf_printf(text, ": what it makes of %s is not recorded, %s:", d->b->machine, so);
	}
	buf_printf(text, "%s %s", first ? "" : ",", d->cat->rows[r].key);
}

/* What no list sets and nobody recorded may be another value on each side. */
static void note_unset(struct derive *d, size_t used)
{
	_buf_ text = { 0 };

	for (size_t r = 0; r < d->cat->n_rows; r++) {
		const struct row *row = &d->cat->rows[r];

		if (!row->boolean && !row->observed && row->bit_when != BIT_ALWAYS &&
		    !d->included[r] && derive_is_about(d, row) &&
		    derive_is_unrecorded(d, r, used) && may_differ(d, r, used))
			list_unrecorded(d, r, used, "and no list sets it", &text);
	}
	if (text.len || buf_failed(&text))
		derive_finding(d, ABIBASE_FINDING_UNKNOWN, "value-unknown",
			       "probe the host again: the probe records the values of a machine "
			       "type that is named with --machine",
			       &text);
}

/* What nobody recorded is off for all, and listed. */
static void note_unrecorded(struct derive *d, size_t used)
{
	_buf_ text = { 0 };

	for (size_t r = 0; r < d->cat->n_rows; r++)
		if (d->included[r] && d->cat->rows[r].boolean &&
		    derive_is_unrecorded(d, r, used) && !d->on[r])
			list_unrecorded(d, r, used, "so these are off for everybody", &text);
	if (text.len || buf_failed(&text))
		derive_finding(d, ABIBASE_FINDING_NOTE, "forced-off-unknown",
			       "probe the host again", &text);
}

static void note_values(struct derive *d)
{
	for (size_t u = 0; u < d->b->n_used; u++) {
		note_unset(d, u);
		note_unrecorded(d, u);
	}
}

static void note_recorded(struct derive *d)
{
	for (size_t r = 0; r < d->cat->n_rows; r++)
		for (size_t u = 0; u < d->b->n_used; u++) {
			_buf_ text = { 0 };

			if (!derive_eff(d, r, u)->disagrees || !derive_is_about(d, &d->cat->rows[r]))
				continue;
			buf_printf(&text,
				   "QEMU %s was recorded with another value of %s under %s than "
				   "the catalogue has; the recorded one is used",
				   d->b->used[u].build->version, d->cat->rows[r].key,
				   d->b->machine);
			derive_finding(d, ABIBASE_FINDING_NOTE, "recorded-differs", NULL,
				       &text);
		}
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

/* Does nobody know whether this build has it, where another may differ? */
static bool is_unasked(const struct derive *d, size_t r, size_t used)
{
	return derive_eff(d, r, used)->known == ABIBASE_UNKNOWN &&
	       (d->b->n_used > 1 ||
		(!qemu_is_told_apart(d->views[used].entry, d->views[used].machine) &&
		 count_users(d, used) > 1));
}

/* Does nobody see it, for want of the property that shows it? */
static bool is_hidden(const struct derive *d, const struct row *row)
{
	const struct row *by = row->shown_with ? catalogue_find(d->cat, row->class_name,
								row->shown_with) :
						 NULL;

	return by && !d->included[by - d->cat->rows];
}

/*
 * Of a class that was not asked about, under a machine type that no version tells of, nothing can
 * be compared, as with ROM sizes.
 */
static void note_unasked(struct derive *d)
{
	_buf_ text = { 0 };
	size_t n = 0;

	for (size_t r = 0; r < d->cat->n_rows; r++) {
		const struct row *row = &d->cat->rows[r];

		if (!row_is_silent(row) || row->observed || d->included[r] ||
		    !derive_is_about(d, row) || is_hidden(d, row))
			continue;
		for (size_t u = 0; u < d->b->n_used; u++)
			if (d->views[u].entry && is_unasked(d, r, u)) {
				buf_printf(&text, "%s%s",
					   n++ ? ", " :
						 "not recorded of every QEMU, so not "
						 "compared: ",
					   row->key);
				break;
			}
	}
	if (n)
		derive_finding(d, ABIBASE_FINDING_NOTE, "layout-not-recorded",
			       "probe the hosts again with this version", &text);
}

/* A host without QEMU facts may have one of the few builds that are not like the rest. */
static void note_exceptions(struct derive *d)
{
	_buf_ text = { 0 };
	size_t n = 0;

	for (size_t r = 0; d->any >= 0 && r < d->cat->n_rows; r++) {
		const struct compat *e = derive_eff(d, r, (size_t)d->any)->exception;

		if (!e || !derive_is_about(d, &d->cat->rows[r]))
			continue;
		buf_printf(&text, "%s%s (in QEMU ", n++ ? ", " : "", d->cat->rows[r].key);
		write_ranges(e, &text);
		buf_putc(&text, ')');
	}
	if (!n)
		return;
	buf_printf(&text, ": another value under %s than in every other upstream build",
		   d->b->machine);
	derive_finding(d, ABIBASE_FINDING_NOTE, "known-exception",
		       "probe the QEMU of the hosts that have no QEMU facts", &text);
}

void derive_notes(struct derive *d)
{
	note_unknowns(d);
	note_values(d);
	note_differences(d);
	note_recorded(d);
	note_unasked(d);
	note_exceptions(d);
	derive_errata(d);
}

/* ------------------------------------------------------------------ the feature words */

static bool bit_is_on(const struct derive *d, size_t r)
{
	const struct row *row = &d->cat->rows[r];

	return row->bit >= 0 && !row->legacy && derive_row_is_on(d, r);
}

static void set_bit(struct offer *o, int bit, const char *feature)
{
	if (o->word[bit / 64] >> (bit % 64) & 1)
		return;
	o->word[bit / 64] |= (uint64_t)1 << (bit % 64);
	o->features[o->n_features++] = feature;
}

/* Does every host have it, or is it not asked for? */
static bool is_met(const struct derive *d, const struct requirement *q)
{
	for (size_t i = 0; i < d->b->n_requirements; i++)
		if (d->b->requirements[i].name == q->name)
			return d->b->requirements[i].met == ABIBASE_YES;
	return true;
}

/* A legacy device has no bits from 32 on. */
static bool is_legacy(const struct derive *d, unsigned int backend)
{
	for (size_t i = 0; i < d->cat->n_requirements; i++) {
		const struct requirement *q = &d->cat->requirements[i];

		if (q->legacy_without && (derive_is_masked(d, q, 1u << backend) ||
					  (q->needs[backend].n && !is_met(d, q))))
			return true;
	}
	return false;
}

void derive_fill_offer(struct derive *d, struct offer *o)
{
	int bits = is_legacy(d, o->backend) ? LEGACY_BITS : 128;

	o->known = true;
	o->features = arena_alloc(&d->b->arena,
				  (d->cat->n_rows + d->cat->n_requirements + 1) *
					  sizeof(*o->features));
	if (!o->features)
		return;
	for (int bit = 0; bit < bits; bit++) {
		for (size_t r = 0; r < d->cat->n_rows; r++)
			if (d->cat->rows[r].bit == bit && bit_is_on(d, r) &&
			    d->cat->rows[r].backends & (1u << o->backend))
				set_bit(o, bit, d->cat->rows[r].feature);
		for (size_t i = 0; i < d->cat->n_requirements; i++)
			if (d->cat->requirements[i].bit == bit &&
			    d->cat->requirements[i].backends & (1u << o->backend))
				set_bit(o, bit, d->cat->requirements[i].feature);
	}
}
