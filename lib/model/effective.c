/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <limits.h>

#include "document/baseline.h"
#include "model/effective.h"

/*
 * Is what nobody recorded filled in by version? Under upstream machine types alone, and only where
 * the catalogue was held against releases such as these. A machine type that is newer than its QEMU
 * was brought into it by somebody else.
 */
static bool is_filled_in(const struct qemu_view *q, const struct abibase_catalogue *cat)
{
	if (!q->name.upstream || catalogue_is_older(cat, &q->name.version))
		return false;
	return !q->entry || (catalogue_release(cat, &q->version) &&
			     version_cmp(&q->version, &q->name.version) >= 0);
}

/* 9.0.90 is the first candidate of the release after 9.0, which has that one's machine types. */
static bool is_candidate_of(const struct version *v, const struct version *release)
{
	return v->part[2] >= 90 &&
	       (release->part[0] == v->part[0] ?
			release->part[1] == v->part[1] + 1 :
			release->part[0] == v->part[0] + 1 && !release->part[1]);
}

void qemu_view_init(struct qemu_view *q, const struct abibase_catalogue *cat, const json_t *entry,
		    const char *machine)
{
	const char *version = string_of(entry, "version");

	memset(q, 0, sizeof(*q));
	q->entry = entry;
	q->machine = machine;
	machine_name_parse(machine, &q->name);
	if (version)
		version_parse_prefix(version, &q->version);
	q->values = json_object_get(json_object_get(entry, "values"), machine);
	q->defaults = q->values ? json_object_get(entry, "defaults") : NULL;
	q->properties = json_object_get(entry, "properties");
	q->asked = profile_asked(entry);
	q->filled_in = cat && is_filled_in(q, cat);
}

/*
 * pve-qemu, debian/patches/pve/0024-PVE-Allow-version-code-in-machine-type.patch (0022 in older
 * releases); what qemu-server puts behind the "+" changes its own command line. The package is
 * named as debian/rules gives it to --with-pkgversion: "pve-qemu-kvm_10.1.2-7".
 */
size_t qemu_machine_len(const json_t *entry, const char *machine)
{
	const char *package = string_of(entry, "package");

	return package && strprefix(package, "pve-qemu-kvm") ? strcspn(machine, "+") :
							       strlen(machine);
}

bool qemu_cuts_machine(const json_t *entry, const char *machine)
{
	return machine[qemu_machine_len(entry, machine)];
}

bool qemu_takes_name(const json_t *entry, const char *name, const char *machine)
{
	const json_t *own = json_object_get(json_object_get(entry, "machines"), machine);
	const char *alias = string_of(own, "alias");
	size_t len = qemu_machine_len(entry, name);

	if (streq(name, machine))
		return true;
	if (!name[len])
		return false;
	return (strlen(machine) == len && !strncmp(machine, name, len)) ||
	       (alias && strlen(alias) == len && !strncmp(alias, name, len));
}

const char *qemu_machine_called(const json_t *machines, const char *name)
{
	const char *key;
	json_t *m;

	if (json_object_get(machines, name))
		return name;
	json_object_foreach((json_t *)machines, key, m)
		if (same_text(json_string_value(json_object_get(m, "alias")), name))
			return key;
	return NULL;
}

static const json_t *recorded_value(const struct qemu_view *q, const char *key)
{
	const json_t *own = json_object_get(q->values, key);

	return own ? own : json_object_get(q->defaults, key);
}

const json_t *qemu_recorded(const json_t *entry, const char *machine, const char *key)
{
	struct qemu_view q;

	qemu_view_init(&q, NULL, entry, machine);
	return recorded_value(&q, key);
}

static const json_t *larger(const json_t *most, const json_t *size)
{
	return json_is_integer(size) &&
			       (!most || json_integer_value(size) > json_integer_value(most)) ?
		       size :
		       most;
}

const json_t *qemu_observed(const json_t *entry, const char *machine, const char *member)
{
	const json_t *shape = json_object_get(json_object_get(entry, "shape"), machine);
	const json_t *most = NULL;
	const char *backend;
	json_t *v, *size;
	size_t i;

	json_object_foreach((json_t *)shape, backend, v) {
		most = larger(most, json_object_get(v, member));
		json_array_foreach(json_object_get(v, member), i, size)
			most = larger(most, size);
	}
	return most;
}

int64_t qemu_recorded_size(const json_t *entry, const char *machine, const char *member)
{
	const json_t *most = qemu_observed(entry, machine, member);

	return most ? json_integer_value(most) : -1;
}

/* "pc-q35-rhel*": a name that begins so. */
static bool has_pattern(const json_t *patterns, const char *machine)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)patterns, i, v) {
		const char *pattern = json_string_value(v);
		size_t len = strlen(pattern) - 1;

		if (strncmp(machine, pattern, len) == 0 && machine[len])
			return true;
	}
	return false;
}

/* Machine types are added with a release, and the oldest removed with a later one. */
static enum abibase_tri machine_by_version(const struct abibase_catalogue *cat,
					   const struct qemu_view *q, const char *package)
{
	const struct release *release = catalogue_release(cat, &q->version);

	if (!q->name.upstream || catalogue_has_own_machines(cat, package))
		return ABIBASE_UNKNOWN;
	if (version_cmp(&q->version, &q->name.version) < 0)
		return is_candidate_of(&q->version, &q->name.version) ? ABIBASE_UNKNOWN :
									ABIBASE_NO;
	return q->filled_in && version_cmp(&q->name.version, &release->machines_from) >= 0 ?
		       ABIBASE_YES :
		       ABIBASE_UNKNOWN;
}

enum abibase_tri qemu_has_machine(const struct abibase_catalogue *cat, const json_t *entry,
				  const char *machine)
{
	const json_t *machines = json_object_get(entry, "machines");
	const json_t *patterns = json_object_get(entry, "machine_patterns");
	struct qemu_view q;

	if (json_object_get(machines, machine))
		return ABIBASE_YES;
	if (patterns)
		return has_pattern(patterns, machine) ? ABIBASE_UNKNOWN : ABIBASE_NO;
	if (machines)
		return ABIBASE_NO;
	qemu_view_init(&q, cat, entry, machine);
	return machine_by_version(cat, &q, string_of(entry, "package"));
}

/* By since and removed: does every QEMU from the machine type's release on have it? */
static bool known_by_any(const struct qemu_view *q, const struct row *row)
{
	return version_cmp(&q->name.version, &row->since) >= 0 && version_is_zero(&row->removed);
}

/* Was the record made by a prober that knew this row? What it did not ask for is not absent. */
static bool was_asked(const struct qemu_view *q, const struct row *row)
{
	return json_object_get(q->properties, row->class_name) && q->asked >= row->added;
}

static enum abibase_tri known(const struct qemu_view *q, const struct row *row)
{
	const json_t *class_properties = json_object_get(q->properties, row->class_name);

	if (!q->entry)
		return q->filled_in ? (enum abibase_tri)known_by_any(q, row) : ABIBASE_UNKNOWN;
	if (json_object_get(class_properties, row->property))
		return ABIBASE_YES;
	if (was_asked(q, row))
		return ABIBASE_NO;
	if (recorded_value(q, row->key))
		return ABIBASE_YES;
	if (!q->filled_in)
		return ABIBASE_UNKNOWN;
	if (version_cmp(&q->version, &row->since) < 0)
		return ABIBASE_NO;
	return version_is_zero(&row->removed) || version_cmp(&q->version, &row->removed) < 0 ?
		       ABIBASE_YES :
		       ABIBASE_NO;
}

/* The compat entry of the oldest machine type that covers this one is applied last and wins. */
static const json_t *catalogue_value(const struct qemu_view *q, const struct row *row,
				     const struct compat **ret_exception)
{
	const struct compat *best = NULL;

	for (size_t i = 0; i < row->n_compat; i++) {
		const struct compat *e = &row->compat[i];

		if (version_cmp(&q->name.version, &e->machine) > 0)
			continue;
		if (q->entry && version_in(&q->version, e->not_in, e->n_not_in))
			continue;
		if (!best || version_cmp(&e->machine, &best->machine) < 0)
			best = e;
	}
	*ret_exception = best && !q->entry && best->n_not_in ? best : NULL;
	return best ? best->value : row->def;
}

void qemu_effective(const struct qemu_view *q, const struct row *row, struct effective *ret)
{
	const json_t *recorded = recorded_value(q, row->key), *filled = NULL;

	memset(ret, 0, sizeof(*ret));
	ret->known = known(q, row);
	if (row->observed) {
		ret->value = qemu_observed(q->entry, q->machine, row->observed);
		ret->recorded = ret->value != NULL;
		return;
	}
	if (q->filled_in)
		filled = catalogue_value(q, row, &ret->exception);
	if (ret->known == ABIBASE_NO) {
		/* of any upstream QEMU the oldest one with the machine type stands for all */
		const struct version *v = q->entry ? &q->version : &q->name.version;

		if (row->without &&
		    (!row->n_without_in || version_in(v, row->without_in, row->n_without_in)))
			ret->without = row->without;
		return;
	}
	ret->recorded = recorded != NULL;
	ret->value = recorded ? recorded : filled;
	ret->disagrees = recorded && filled && !json_equal(recorded, filled);
	if (ret->known == ABIBASE_UNKNOWN)
		ret->value = NULL;
}

bool qemu_is_told_apart(const json_t *entry, const char *machine)
{
	struct machine_name name;

	machine_name_parse(machine, &name);
	return name.upstream || json_object_get(entry, "build_id") ||
	       json_object_get(entry, "package");
}

bool row_is_silent(const struct row *row)
{
	return row->fact < 0 && (!(row->boolean && row->bit >= 0) || row->legacy);
}

int64_t row_realized(const struct row *row, int64_t number)
{
	return row->realized && number == json_integer_value(row->def) ?
		       json_integer_value(row->realized) :
		       number;
}

const json_t *effective_seen(const struct effective *e, const struct row *row)
{
	if (e->known != ABIBASE_NO || row->observed)
		return e->value;
	if (e->without)
		return e->without;
	return row->boolean ? json_false() : row->def;
}

void value_write(const json_t *value, struct buf *out)
{
	const char *word = json_string_value(value);

	if (json_is_boolean(value))
		buf_puts(out, json_is_true(value) ? "on" : "off");
	else if (json_is_integer(value))
		buf_printf(out, "%lld", (long long)json_integer_value(value));
	else if (!word)
		buf_puts(out, "not set");
	else
		buf_puts(out, *word ? word : "\"\"");
}

const char *value_words(struct arena *a, const json_t *value)
{
	_buf_ words = { 0 };
	const char *kept;

	value_write(value, &words);
	kept = arena_strdup(a, arena_words(a, &words));
	return kept ? kept : "";
}

bool value_is_on(const json_t *value)
{
	const char *word = json_string_value(value);

	return json_is_true(value) || (word && (streq(word, "on") || streq(word, "auto")));
}

bool row_bit_set(const struct row *row, const json_t *value)
{
	switch (row->bit_when) {
	case BIT_TRUE:
		return value_is_on(value);
	case BIT_ALWAYS:
		return true;
	case BIT_NONZERO:
		return json_integer_value(value) != 0;
	case BIT_NONNEGATIVE:
		return json_is_integer(value) && json_integer_value(value) >= 0;
	case BIT_SET:
		return json_string_length(value) > 0;
	case BIT_NEVER:
	default:
		return false;
	}
}

enum abibase_tri effective_bit(const struct effective *e, const struct row *row)
{
	if (row->bit_when == BIT_ALWAYS)
		return ABIBASE_YES;
	if (e->known == ABIBASE_NO)
		return ABIBASE_NO;
	if (!e->value)
		return ABIBASE_UNKNOWN;
	return row_bit_set(row, e->value) ? ABIBASE_YES : ABIBASE_NO;
}

bool need_applies(const struct qemu_view *q, const struct need *need)
{
	if (!version_is_zero(&need->machine_until) &&
	    (!q->name.upstream || version_cmp(&q->name.version, &need->machine_until) > 0))
		return false;
	if (need->without && !json_is_false(json_object_get(q->entry, need->without)))
		return false;
	/* An unnamed upstream QEMU may be any from the machine type's release on. */
	if (!q->entry)
		return version_is_zero(&need->until) ||
		       version_cmp(&q->name.version, &need->until) <= 0;
	if (!version_is_zero(&need->since) && version_cmp(&q->version, &need->since) < 0)
		return false;
	return version_is_zero(&need->until) || version_cmp(&q->version, &need->until) <= 0;
}

bool baseline_leaves_out(const struct abibase_baseline *b, const struct row *row)
{
	return row->observed && row->group_name &&
	       strings_have(&b->in.policy.disable, row->group_name);
}

void baseline_effective(const struct abibase_catalogue *cat, const struct abibase_baseline *b,
			size_t used, const struct row *row, struct effective *ret)
{
	struct qemu_view view;

	qemu_view_init(&view, cat, baseline_entry(b, used), b->machine);
	qemu_effective(&view, row, ret);
}

const json_t *baseline_seen(const struct abibase_catalogue *cat, const struct abibase_baseline *b,
			    const struct row *row)
{
	for (size_t u = 0; u < b->n_used; u++) {
		struct effective e;

		baseline_effective(cat, b, u, row, &e);
		if (effective_seen(&e, row))
			return effective_seen(&e, row);
	}
	return NULL;
}

void link_values(const struct abibase_catalogue *cat, const struct abibase_baseline *b,
		 struct arena *a, struct links *ret)
{
	ret->rows = arena_alloc(a, (b->n_values + 1) * sizeof(*ret->rows));
	ret->values = arena_alloc(a, (cat->n_rows + 1) * sizeof(*ret->values));
	for (size_t i = 0; ret->rows && ret->values && i < b->n_values; i++) {
		const struct value *v = &b->values[i];

		ret->rows[i] = catalogue_find(cat, v->class_name, v->property);
		if (ret->rows[i])
			ret->values[ret->rows[i] - cat->rows] = v;
	}
}

bool baseline_is_of_machine(const struct abibase_baseline *b, const char *machine)
{
	size_t len = strcspn(machine, "+");

	if (!b->machine || streq(b->machine, machine))
		return b->machine != NULL;
	for (size_t u = 0; u < b->n_used; u++)
		if (!qemu_cuts_machine(baseline_entry(b, u), machine))
			return false;
	return b->n_used && strlen(b->machine) == len && !strncmp(b->machine, machine, len);
}

size_t baseline_write_unknown(const struct abibase_catalogue *cat,
			      const struct abibase_baseline *b, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_values; i++) {
		const struct value *v = &b->values[i];

		if (catalogue_find(cat, v->class_name, v->property))
			continue;
		buf_printf(out, "%s%s.%s=%s (%s", n++ ? ", " : "", v->class_name, v->property,
			   v->text, v->feature);
		if (v->bit >= 0)
			buf_printf(out, ", bit %d", v->bit);
		buf_putc(out, ')');
	}
	for (size_t i = 0; i < b->n_requirements; i++)
		if (!catalogue_requirement(cat, b->requirements[i].name))
			buf_printf(out, "%s\"%s\" (requirement %s)", n++ ? ", " : "",
				   b->requirements[i].text, b->requirements[i].name);
	return n;
}
