/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/derive.h"
#include "base/known.h"

/* The value of every row: what hosts lack, what QEMUs make of it, what was asked for by name. */

/* ------------------------------------------------- what hosts lack, class by class */

/* Two lists that are not seen to be the same are judged twice, no more. */
static bool same_needs(const struct needs *a, const struct needs *b)
{
	for (size_t i = 0; i < MAX_BACKENDS; i++)
		if (a[i].n != b[i].n ||
		    (a[i].n && memcmp(a[i].need, b[i].need, a[i].n * sizeof(*a[i].need)) != 0))
			return false;
	return true;
}

static void fail_add(const struct derive *d, struct class *k, unsigned int host, int condition,
		     size_t backend, bool unknown)
{
	for (size_t i = k->n; i && k->fails[i - 1].host == host; i--)
		if (k->fails[i - 1].condition == condition) {
			k->fails[i - 1].backends |= (uint16_t)(1u << backend);
			return;
		}
	if (array_grow(&k->fails, k->n, &k->cap, sizeof(*k->fails)) < 0) {
		d->b->arena.failed = true;
		return;
	}
	k->fails[k->n++] = (struct fail){ host, (short)condition,
					  (uint16_t)(1u << backend), unknown };
}

/* The same of another host */
static void fail_copy(const struct derive *d, struct class *k, size_t from, unsigned int host)
{
	if (array_grow(&k->fails, k->n, &k->cap, sizeof(*k->fails)) < 0) {
		d->b->arena.failed = true;
		return;
	}
	k->fails[k->n] = k->fails[from];
	k->fails[k->n++].host = host;
}

/* @sure: the host has the backend; of another nobody knows what QEMU would do there. */
static void judge_needs(const struct derive *d, struct class *k, unsigned int host, size_t backend,
			bool sure, const struct qemu_view *view)
{
	struct ask a = derive_ask(d, d->b->in.hosts[host]);

	a.view = view;
	for (struct asked w = { 0 }; ask_next_need(&a, &k->needs[backend], &w);)
		if (w.answer != ABIBASE_YES && (sure || w.c))
			fail_add(d, k, host, w.condition, backend, w.answer == ABIBASE_UNKNOWN);
}

/*
 * For each QEMU the first one that looks at the same needs of a class: what a host lacks for that one, it lacks
 * for this one. Of more needs than bits each looks for itself.
 */
static const unsigned int *find_like(struct derive *d, const struct class *k)
{
	uint64_t *looks = derive_alloc(d, d->b->n_used + 1, sizeof(*looks));
	unsigned int *like = derive_alloc(d, d->b->n_used + 1, sizeof(*like)), n = 0;

	for (unsigned int u = 0; looks && like && u < d->b->n_used; u++) {
		n = 0;
		for (size_t be = 0; be < d->cat->n_backends; be++)
			for (size_t i = 0; i < k->needs[be].n; i++, n++)
				if (n < 64 && need_applies(&d->views[u], &k->needs[be].need[i]))
					looks[u] |= (uint64_t)1 << n;
		while (n <= 64 && looks[like[u]] != looks[u])
			like[u]++;
		if (n > 64)
			like[u] = u;
	}
	return looks ? like : NULL;
}

static bool was_judged(const struct derive *d, const struct host *h, size_t q,
		       const unsigned int *like)
{
	unsigned int u = like[d->used_of[h->qemu[q].build]];

	for (size_t i = 0; i < q; i++)
		if (d->used_of[h->qemu[i].build] >= 0 &&
		    like[d->used_of[h->qemu[i].build]] == u)
			return true;
	return false;
}

static void judge_host(const struct derive *d, struct class *k, unsigned int i,
		       const unsigned int *like)
{
	const struct host *h = d->b->in.hosts[i];
	unsigned int sure = derive_usable_mask(d, i, ABIBASE_YES);
	unsigned int mask = sure | derive_usable_mask(d, i, ABIBASE_UNKNOWN);
	bool any = inputs_assumes_qemu(&d->b->in, h);

	for (size_t q = 0; q < (any ? 1 : h->n_qemu); q++) {
		long u = any ? d->any : d->used_of[h->qemu[q].build];

		if (!any && u >= 0 && was_judged(d, h, q, like))
			continue;
		for (size_t be = 0; u >= 0 && be < d->cat->n_backends; be++)
			if (mask & (1u << be))
				judge_needs(d, k, i, be, sure & (1u << be), &d->views[u]);
	}
}

/* What the first host of its cohort fails at, another one fails at. */
static void judge_class(struct derive *d, struct class *k)
{
	unsigned int *at = d->scratch[0]; /* of each host: where its fails begin */
	const unsigned int *looks = find_like(d, k);

	for (unsigned int i = 0; looks && i < d->b->in.n_hosts; i++) {
		unsigned int like = d->cohorts.of[i].first;

		at[i] = (unsigned int)k->n;
		if (like == i)
			judge_host(d, k, i, looks);
		for (size_t f = at[like]; like != i && f < k->n && k->fails[f].host == like; f++)
			fail_copy(d, k, f, i);
	}
}

/* Those of a class that fail so, if any: a reason with all its hosts. */
static void add_reason(struct derive *d, struct class *k, int c, bool unknown)
{
	const struct condition *cond = c == NEED_NEVER ? NULL : &d->cat->conditions[c];
	unsigned int backends = 0;
	struct why *w;
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++) {
		const struct fail *f = &k->fails[i];

		if (f->condition != c || f->unknown != unknown)
			continue;
		backends |= f->backends;
		d->scratch[0][n++] = f->host;
	}
	w = n ? arena_grow(&d->b->arena, k->why, k->n_why, sizeof(*w)) : NULL;
	if (!w)
		return;
	k->why = w;
	w += k->n_why++;
	*w = (struct why){ .kind = !cond    ? WHY_NEVER :
				   unknown ? WHY_HOST_UNKNOWN :
					     WHY_HOST_LACKS,
			   .what = cond ? cond->name : "",
			   .backends = backends };
	derive_keep_hosts(d, d->scratch[0], n, &w->hosts, &w->n_hosts);
	if (!cond)
		return;
	w->layer = cond->layer;
	w->missing = cond->missing;
	w->remedy = cond->remedy;
}

/* One reason for each condition and kind of answer. */
static void class_reasons(struct derive *d, struct class *k)
{
	bool *any[2] = { derive_alloc(d, d->cat->n_conditions + 1, sizeof(bool)),
			 derive_alloc(d, d->cat->n_conditions + 1, sizeof(bool)) };

	if (!any[0] || !any[1])
		return;
	for (size_t i = 0; i < k->n; i++)
		any[k->fails[i].unknown][k->fails[i].condition - NEED_NEVER] = true;
	for (int c = NEED_NEVER; c < (int)d->cat->n_conditions; c++)
		for (unsigned int unknown = 0; unknown < 2; unknown++)
			if (any[unknown][c - NEED_NEVER])
				add_reason(d, k, c, unknown);
}

static void compute_classes(struct derive *d)
{
	const struct abibase_catalogue *cat = d->cat;

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
		judge_class(d, &d->classes[k]);
		class_reasons(d, &d->classes[k]);
	}
}

/* ------------------------------------------------------------------ rows and values */

/*
 * A baseline sets what tap or vhost decides, and whatever the builds do not agree on: a property
 * that one of them has on and another has off, or lacks, shows its guests a different device.
 */
static bool is_included(const struct derive *d, size_t r)
{
	const struct row *row = &d->cat->rows[r];
	size_t absent = derive_count(d, r, SETTING_ABSENT);
	size_t on = derive_count_on(d, r), n = d->b->n_used;

	if (row->observed)
		return derive_observed_included(d, r);
	if (absent == n || !derive_is_about(d, row))
		return false;
	if (derive_is_set_off(d, row))
		return true;
	if (row->number)
		return derive_number_included(d, r);
	if (!row->boolean)
		return false;
	if (derive_is_enabled(d, row) || derive_is_disabled(d, row))
		return true;
	/* what is on by itself needs of the hosts what it needs where it was asked for */
	return row->pin == PIN_PINNED || (on && (on < n || row->pin == PIN_OPT_IN)) ||
	       derive_has_unrecorded(d, r) || derive_is_promised(d, row) ||
	       (row->without && derive_differs(d, r));
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
			met |= derive_row_is_on(d, (size_t)row->depends[i].any[k]);
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

static void qemu_reason(struct derive *d, size_t r, enum setting s, enum why_kind kind,
			struct value *v)
{
	bool *used = derive_alloc(d, d->b->n_used + 1, sizeof(*used));
	struct why *w = &v->why[v->n_why];
	size_t n = 0;

	if (!used)
		return;
	for (size_t u = 0; u < d->b->n_used; u++) {
		used[u] = derive_setting(derive_eff(d, r, u)) == s;
		n += used[u];
	}
	if (!n)
		return;
	w->kind = kind;
	w->what = d->b->machine;
	v->n_why++;
	/* off in all of them alike: the machine type is the reason, not a host */
	if (n < d->b->n_used)
		derive_hosts_of(d, used, &w->hosts, &w->n_hosts);
}

static void number_reasons(struct derive *d, size_t r, struct value *v)
{
	if (d->cat->rows[r].fact < 0)
		return;
	v->why = arena_alloc(&d->b->arena, sizeof(*v->why));
	if (!v->why)
		return;
	v->n_why = 1;
	derive_number_why(d, r, v->why);
}

static void value_reasons(struct derive *d, size_t r, struct value *v)
{
	const struct class *k = &d->classes[d->class_of[r]];

	v->why = arena_alloc(&d->b->arena, (k->n_why + 5) * sizeof(*v->why));
	if (!v->why)
		return;
	for (; v->n_why < k->n_why; v->n_why++)
		v->why[v->n_why] = k->why[v->n_why];
	if (derive_is_disabled(d, &d->cat->rows[r]) || derive_is_set_off(d, &d->cat->rows[r]))
		v->why[v->n_why++] = (struct why){ .kind = WHY_DISABLED,
						   .what = d->cat->rows[r].group_name };
	qemu_reason(d, r, SETTING_ABSENT, WHY_QEMU_LACKS, v);
	if (!v->is_number)
		qemu_reason(d, r, SETTING_OFF, WHY_MACHINE_OFF, v);
	qemu_reason(d, r, SETTING_UNKNOWN, WHY_QEMU_UNKNOWN, v);
	if (d->tie[r].kind != N_WHY)
		v->why[v->n_why++] = d->tie[r];
}

/* Is it on in a build that is not told, or is that not known of what is on nearly everywhere? */
static bool may_be_on(const struct derive *d, size_t r)
{
	return derive_count(d, r, SETTING_ON) ||
	       (json_is_true(d->cat->rows[r].def) && derive_has_unrecorded(d, r));
}

static void fill_value(struct derive *d, size_t r, struct value *v)
{
	const struct row *row = &d->cat->rows[r];

	v->class_name = row->class_name;
	v->property = row->property;
	v->feature = row->feature;
	v->group = row->group_name;
	v->bit = row->bit;
	v->on = d->on[r];
	v->off_counts = (row->boolean || row->disabled) && !v->on && row->pin != PIN_PINNED &&
			may_be_on(d, r);
	v->is_number = row->number;
	v->number = v->on ? d->number[r] : 0;
	v->text = row->number ? arena_printf(&d->b->arena, "%lld", (long long)v->number) :
				setting_words[v->on ? SETTING_ON : SETTING_OFF];
	v->defaults = arena_alloc(&d->b->arena, d->b->n_used + 1);
	if (!v->defaults)
		return;
	for (size_t u = 0; u < d->b->n_used; u++) {
		const struct effective *e = derive_eff(d, r, u);

		v->defaults[u] = (unsigned char)(row->number ?
							 derive_number_setting(e, v->number) :
							 derive_setting(e));
	}
	if (v->on && v->is_number)
		number_reasons(d, r, v);
	if (v->on)
		derive_condition_names(d, row->needs, &v->requires, &v->n_requires);
	else
		value_reasons(d, r, v);
}

/* A device that is masked as a modern one has no feature from bit 32 on, and needs nothing for it. */
static void mask_high_bits(struct derive *d)
{
	for (size_t i = 0; i < d->cat->n_requirements; i++) {
		const struct requirement *q = &d->cat->requirements[i];

		if (!q->legacy_without || !derive_is_masked(d, q, d->b->in.policy.backends))
			continue;
		for (size_t r = 0; r < d->cat->n_rows; r++)
			if (d->on[r] && d->cat->rows[r].bit >= LEGACY_BITS &&
			    d->cat->rows[r].backends & d->cat->rows[q->masked_by].backends)
				tie_off(d, r, WHY_DISABLED, d->cat->rows[q->masked_by].group_name);
	}
}

void derive_values(struct derive *d)
{
	struct abibase_baseline *b = d->b;
	size_t n = d->cat->n_rows;

	b->values = arena_alloc(&b->arena, (n + 1) * sizeof(*b->values));
	if (!b->values)
		return;
	for (size_t r = 0; r < n; r++) {
		d->included[r] = is_included(d, r);
		d->tie[r].kind = N_WHY;
	}
	if (cohorts_find(&d->cohorts, &b->in) < 0) {
		b->arena.failed = true;
		return;
	}
	compute_classes(d);
	for (size_t r = 0; r < n; r++) {
		d->number[r] = d->cat->rows[r].number ? derive_number(d, r) : NUMBER_NONE;
		d->on[r] = d->included[r] && !d->classes[d->class_of[r]].n && derive_wanted_on(d, r);
		if (d->included[r] && derive_is_set_off(d, &d->cat->rows[r]))
			d->on[r] = json_is_true(d->cat->rows[r].disabled);
	}
	mask_high_bits(d);
	close_dependencies(d);
	for (size_t r = 0; r < n; r++)
		if (d->included[r])
			fill_value(d, r, &b->values[b->n_values++]);
}

/* With a property that it perhaps does not know a QEMU does not surely start. */
void derive_doubts(struct derive *d)
{
	for (size_t u = 0; u < d->b->n_used; u++) {
		_buf_ text = { 0 };
		size_t n = 0;

		for (size_t r = 0; r < d->cat->n_rows; r++) {
			if (!d->included[r] || derive_eff(d, r, u)->known != ABIBASE_UNKNOWN)
				continue;
			if (!n++) {
				derive_write_build(d, u, &text);
				buf_puts(&text, ": it is not recorded whether it has the property");
			}
			buf_printf(&text, "%s %s", n > 1 ? "," : "", d->cat->rows[r].key);
		}
		if (n)
			derive_finding(d, ABIBASE_FINDING_UNKNOWN, "property-not-recorded",
				       "probe the host again: the probe records the properties",
				       &text);
	}
}

/* A QEMU that offers what the host can, and cannot be told not to: no list helps. */
void derive_unmasked(struct derive *d)
{
	for (size_t u = 0; u < d->b->n_used; u++)
		for (size_t r = 0; r < d->cat->n_rows; r++) {
			const struct row *row = &d->cat->rows[r];
			_buf_ text = { 0 };

			if (!d->views[u].entry || !derive_is_about(d, row) ||
			    !version_in(&d->views[u].version, row->unmasked, row->n_unmasked))
				continue;
			derive_write_build(d, u, &text);
			buf_printf(&text, ": it offers %s wherever the kernel has it, and has no "
					  "property %s to mask it",
				   row->feature, row->key);
			derive_finding(d, ABIBASE_FINDING_CONFLICT, "property-missing",
				       "update that QEMU, or do not give guests such a device",
				       &text);
		}
}

/* --------------------------------------------------------------- what was asked for by name */

/* Is it about a host that surely has the backend? One that perhaps has not is a finding itself. */
bool derive_is_sure(const struct derive *d, const struct why *w)
{
	for (size_t i = 0; i < w->n_hosts; i++)
		if (derive_usable_mask(d, w->hosts[i], ABIBASE_YES) & w->backends)
			return true;
	return false;
}

static void asked_host(struct derive *d, const struct row *row, const struct why *w)
{
	bool unknown = w->kind == WHY_HOST_UNKNOWN;
	_buf_ text = { 0 };

	if (!derive_is_sure(d, w))
		return;
	derive_write_hosts(d, w->hosts, w->n_hosts, &text);
	if (w->kind == WHY_NEVER)
		buf_printf(&text, ": a QEMU there never offers %s (%s) on ", row->key,
			   row->feature);
	else if (unknown)
		buf_printf(&text, ": whether %s holds is unknown, which %s (%s) needs on ", w->what,
			   row->key, row->feature);
	else
		buf_printf(&text, ": %s lacks what %s (%s) needs: %s, on ", w->layer, row->key,
			   row->feature, w->missing);
	derive_write_backends(d, w->backends, &text);
	buf_printf(&text, "; the group %s was enabled", row->group_name);
	/* an unknown is off and listed where nobody asked; who asked must not get less, quietly */
	derive_finding(d, unknown ? ABIBASE_FINDING_UNKNOWN : ABIBASE_FINDING_CONFLICT,
		       unknown ? "enabled-unknown" : "enabled-lacks",
		       w->remedy ? w->remedy :
				      "use another QEMU or another backend, or do not enable "
				      "the group",
		       &text);
}

static void asked_other(struct derive *d, const struct row *row, const struct why *w)
{
	_buf_ text = { 0 };

	if (w->n_hosts) {
		derive_write_hosts(d, w->hosts, w->n_hosts, &text);
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
	derive_finding(d,
		       w->kind == WHY_QEMU_UNKNOWN ? ABIBASE_FINDING_UNKNOWN :
						     ABIBASE_FINDING_CONFLICT,
		       w->kind == WHY_QEMU_UNKNOWN ? "enabled-unknown" : "enabled-lacks",
		       "use a QEMU that has it on every host, or do not enable the group",
		       &text);
}

static void caution(struct derive *d, const struct row *row)
{
	_buf_ text = { 0 };

	buf_printf(&text, "%s=on: %s", row->key, row->caution);
	derive_finding(d, ABIBASE_FINDING_NOTE, "enabled-caution", NULL, &text);
}

/* What was enabled by name and is off all the same is refused, never dropped quietly. */
void derive_asked(struct derive *d)
{
	for (size_t r = 0, i = 0; r < d->cat->n_rows; r++) {
		const struct row *row = &d->cat->rows[r];
		const struct value *v = &d->b->values[i];

		if (!d->included[r]) {
			_buf_ text = { 0 };

			if ((!row->boolean && !row->number) || !derive_is_enabled(d, row) ||
			    !d->b->n_used || !derive_is_about(d, row))
				continue;
			buf_printf(&text, "no QEMU of these hosts has the property %s (%s); the "
					  "group %s was enabled",
				   row->key, row->feature, row->group_name);
			derive_finding(d, ABIBASE_FINDING_CONFLICT, "enabled-lacks",
				       "use a newer QEMU, or do not enable the group", &text);
			continue;
		}
		i++;
		if (v->on && (derive_is_enabled(d, row) || derive_is_set_off(d, row)) &&
		    row->caution)
			caution(d, row);
		if (v->on || !derive_is_enabled(d, row))
			continue;
		for (size_t k = 0; k < v->n_why; k++) {
			const struct why *w = &v->why[k];
			bool host = w->kind == WHY_HOST_LACKS || w->kind == WHY_HOST_UNKNOWN ||
				    w->kind == WHY_NEVER;

			if (w->kind == WHY_MACHINE_OFF)
				continue; /* just what enabling is for */
			if (host)
				asked_host(d, row, w);
			else
				asked_other(d, row, w);
		}
	}
}
