/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the catalogue has a row for is left out: that is compared, and judged, elsewhere. */

#include <errno.h>

#include "answer/records.h"
#include "base/known.h"
#include "document/build.h"
#include "model/machine.h"

/* One of the two builds. All is class -> property -> something. */
struct side {
	const json_t *root;
	/* whose compat properties count: its own, or those of a newer build */
	const json_t *stated;
	bool newer;
	const char *own; /* of such a one, what devices read under is newest: it changes nothing there */
	json_t *properties; /* "TYPE" or "TYPE=DEFAULT", null: it has not what is above it */
	json_t *kin;	    /* type -> what comes of it: class -> true */
	json_t *set;	    /* by the machine type: the text */
	json_t *through;    /* the same, on the device inside of a proxy */
};

struct two_records {
	const struct records *q;
	struct records_found *ret;
	struct arena arena;
	struct side side[2];
	json_t *inner;	 /* proxy -> the class inside of it */
	json_t *proxies; /* that class -> proxy -> true */
	json_t *differing; /* class -> property -> true: defaults that are not the same */
	const char *machine;
	json_t *found;	 /* under it: "class.property" -> "A\nB" */
	json_t *read;	 /* those of them that a device of an older build reads: -> true */
	bool failed;
};

static bool is_asked(const struct two_records *t, const char *class_name)
{
	return !t->q->classes || json_matches(t->q->classes, class_name);
}

static void put(struct two_records *t, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		t->failed = true;
}

/* object[a][b] = value */
static void put_in(struct two_records *t, json_t *object, const char *a, const char *b,
		   json_t *value)
{
	json_t *in = json_member(object, a);

	if (!in)
		t->failed = true;
	if (in)
		put(t, in, b, value);
	else
		json_decref(value);
}

static const json_t *get_in(const json_t *object, const char *a, const char *b)
{
	return json_object_get(json_object_get(object, a), b);
}

/* ------------------------------------------------------------------- what a build has */

static void side_clear(struct side *s)
{
	json_decref(s->properties);
	json_decref(s->kin);
	json_decref(s->set);
	json_decref(s->through);
}

static void side_fill(struct two_records *t, struct side *s)
{
	const char *name;
	json_t *up;

	s->properties = json_object();
	s->kin = json_object();
	json_object_foreach(json_object_get(s->root, "classes"), name, up)
		if (is_asked(t, name))
			put(t, s->properties, name, build_properties(s->root, name));
}

/*
 * "virtio-net-pci-transitional" has a "virtio-net-device" inside, "vhost-scsi-pci" a "vhost-scsi", and
 * "virtio-vga-gl" a "virtio-gpu-gl-device".
 */
static void find_inner(struct two_records *t, const char *name)
{
	static const char vga[] = "virtio-vga";
	const char *pci = strstr(name, "-pci");
	_buf_ inner = { 0 };

	if (strprefix(name, vga))
		buf_printf(&inner, "virtio-gpu%s-device", name + strlen(vga));
	else if (pci)
		buf_printf(&inner, "%.*s-device", (int)(pci - name), name);
	else
		return;
	if (pci && !buf_failed(&inner) && !build_has_class(t->side[0].root, inner.data))
		inner.data[pci - name] = '\0';
	if (buf_failed(&inner) || !build_has_class(t->side[0].root, inner.data))
		return;
	put(t, t->inner, name, json_string(inner.data));
	put_in(t, t->proxies, inner.data, name, json_true());
}

static const json_t *kin_of(struct two_records *t, struct side *s, const char *type)
{
	json_t *kin = json_object_get(s->kin, type), *up;
	const char *name;

	if (kin)
		return kin;
	kin = json_object();
	json_object_foreach(s->properties, name, up)
		if (build_is_a(s->root, name, type))
			put(t, kin, name, json_true());
	put(t, s->kin, type, kin);
	return kin;
}

struct applying {
	struct two_records *t;
	struct side *s;
};

static void apply_setting(void *data, const struct build_setting *setting)
{
	const struct applying *a = data;
	_autofree_ char *type = strndup(setting->type, setting->type_len);
	_autofree_ char *property = strndup(setting->property, setting->property_len);
	const char *name, *proxy;
	json_t *one, *two;

	if (!type || !property) {
		a->t->failed = true;
		return;
	}
	json_object_foreach((json_t *)kin_of(a->t, a->s, type), name, one) {
		put_in(a->t, a->s->set, name, property, json_string(setting->value));
		json_object_foreach(json_object_get(a->t->proxies, name), proxy, two)
			put_in(a->t, a->s->through, proxy, property, json_string(setting->value));
	}
}

static void apply(struct two_records *t, struct side *s, const char *machine)
{
	json_decref(s->set);
	json_decref(s->through);
	s->set = json_object();
	s->through = json_object();
	build_each_setting(s->stated, machine, apply_setting, &(struct applying){ t, s });
}

/* ----------------------------------------------------------------------------- a value */

/* "on", "7", as two builds can be compared in it; NULL: not known. */
static const char *value_text(struct two_records *t, const char *type, const char *set)
{
	const char *equals = strchr(type, '=');
	const char *text = set ? set : equals ? equals + 1 : NULL;
	bool is_number = value_is_number(type);
	long long number;

	if (!text)
		return NULL;
	if (!is_number && word_is_bool(text, true))
		return "on";
	if (!is_number && word_is_bool(text, false))
		return "off";
	if (number_from_text(text, &number))
		return arena_printf(&t->arena, "%lld", number);
	return is_number ? NULL : text;
}

static const char *property_of(const struct side *s, const char *class_name, const char *property)
{
	return json_string_value(get_in(s->properties, class_name, property));
}

/* As the text that a command line would have; NULL: it was not read, or is none of the machine type. */
static const char *read_text(struct two_records *t, const struct side *s, const char *class_name,
			     const char *property, const char *type)
{
	json_auto_t *v = build_read(s->root, t->machine, class_name, property);
	json_auto_t *own = s->own ? build_read(s->root, s->own, class_name, property) : NULL;
	json_auto_t *def = build_default(type);

	/* what reads so, too, under a machine type that changes nothing, the device has decided */
	if (!v || (!json_equal(v, def) && (!own || json_equal(v, own))))
		return NULL;
	if (json_is_integer(v))
		return arena_printf(&t->arena, "%lld", (long long)json_integer_value(v));
	return json_is_boolean(v) ? (json_is_true(v) ? "on" : "off") :
				    arena_strdup(&t->arena,
						 value_text(t, type, json_string_value(v)) ?: "");
}

static void disagree(struct two_records *t, const struct side *s, const char *class_name,
		     const char *property, const char *read, const char *stated)
{
	const struct record_value v = { t->machine,
					arena_printf(&t->arena, "%s.%s", class_name, property),
					{ read, stated },
					.read = true };

	if (t->ret->disagrees && v.key)
		t->ret->disagrees(t->ret->data, s != t->side, &v);
}

/*
 * Of an older build that states nothing itself a newer one does, where it has the property, too; what
 * was read of its own devices counts more.
 */
static const char *value_of(struct two_records *t, const struct side *s, const char *class_name,
			    const char *property, bool *ret_read)
{
	const char *type = property_of(s, class_name, property), *read, *stated;
	const json_t *set = get_in(s->set, class_name, property);

	if (!type)
		return NULL;
	if (!set)
		set = get_in(s->through, class_name, property);
	stated = s->newer && !build_property(s->stated, class_name, property) ?
			 NULL :
			 value_text(t, type, json_string_value(set));
	read = s->newer ? read_text(t, s, class_name, property, type) : NULL;
	if (read && stated && !streq(read, stated))
		disagree(t, s, class_name, property, read, stated);
	*ret_read |= read != NULL;
	return read ? read : stated;
}

/* ------------------------------------------------------------------- under a machine type */

/* Has it a row, on its class, or on a class around it? "virtio-net-pci.csum" is virtio-net-device's. */
static bool has_row(const struct two_records *t, const char *class_name, const char *property)
{
	const char *inner = string_of(t->inner, class_name);

	for (size_t i = 0; i < t->q->cat->n_rows; i++) {
		const struct row *row = &t->q->cat->rows[i];

		if (streq(row->property, property) &&
		    (streq(row->asked, class_name) || (inner && streq(row->asked, inner)) ||
		     build_is_a(t->side[0].root, class_name, row->class_name) ||
		     build_is_a(t->side[0].root, row->asked, class_name)))
			return true;
	}
	return false;
}

/* Are they two of those that no guest can tell from each other? */
static bool is_same(const struct two_records *t, const char *class_name, const char *property,
		    const char *a, const char *b)
{
	const json_t *rows = json_object_get(t->q->cat->root, "same_values"), *values;
	size_t i;
	json_t *row;

	json_array_foreach((json_t *)rows, i, row) {
		values = json_object_get(row, "values");
		if (streq(string_of(row, "property"), property) && json_has(values, a) &&
		    json_has(values, b) &&
		    build_is_a(t->side[0].root, class_name, string_of(row, "class")))
			return true;
	}
	return false;
}

static void compare(struct two_records *t, const char *class_name, const char *property)
{
	bool read = false;
	const char *a = value_of(t, &t->side[0], class_name, property, &read);
	const char *b = value_of(t, &t->side[1], class_name, property, &read);
	_buf_ key = { 0 }, values = { 0 };

	if (!a || !b || streq(a, b) || has_row(t, class_name, property) ||
	    is_same(t, class_name, property, a, b))
		return;
	buf_printf(&key, "%s.%s", class_name, property);
	buf_printf(&values, "%s\n%s", a, b);
	if (buf_failed(&key) || buf_failed(&values)) {
		t->failed = true;
		return;
	}
	put(t, t->found, key.data, json_string(values.data));
	if (read)
		put(t, t->read, key.data, json_true());
}

static void compare_all(struct two_records *t, const json_t *which)
{
	const char *class_name, *property;
	json_t *of, *v;

	json_object_foreach((json_t *)which, class_name, of)
		json_object_foreach(of, property, v)
			compare(t, class_name, property);
}

/* What a device was read of, whatever its machine type is said to change. */
static void compare_read(struct two_records *t, const struct side *s)
{
	const json_t *classes = s->newer ? json_object_get(s->root, "values_of") : NULL;
	const char *property;
	json_t *name, *v;
	size_t i;

	json_array_foreach((json_t *)classes, i, name)
		json_object_foreach(json_object_get(s->properties, json_string_value(name)),
				    property, v)
			compare(t, json_string_value(name), property);
}

static const json_t *find_values(const struct two_records *t, const char *class_name,
				 const char *property)
{
	_buf_ key = { 0 };

	buf_printf(&key, "%s.%s", class_name, property);
	return buf_failed(&key) ? NULL : json_object_get(t->found, key.data);
}

/* Of the device inside of proxies that have it, too: do they all set it to the same in both? */
static bool is_hidden(const struct two_records *t, const char *class_name, const char *property)
{
	bool any = false;
	const char *proxy;
	json_t *v;

	json_object_foreach(json_object_get(t->proxies, class_name), proxy, v) {
		if (find_values(t, proxy, property))
			return false;
		any |= property_of(&t->side[0], proxy, property) != NULL;
	}
	return any;
}

/* Is the same said of a class above it, or of the device inside of it? */
static bool is_said(const struct two_records *t, const char *class_name, const char *property,
		    const json_t *values)
{
	const json_t *classes = json_object_get(t->side[0].root, "classes");
	const char *above[] = { string_of(classes, class_name), string_of(t->inner, class_name) };

	for (size_t i = 0; i < ARRAY_SIZE(above); i++)
		if (above[i] && json_equal(values, find_values(t, above[i], property)))
			return true;
	return is_hidden(t, class_name, property);
}

static void tell(struct two_records *t, const char *key, const char *values)
{
	size_t len = strcspn(values, "\n");
	_autofree_ char *first = strndup(values, len);
	const struct record_value v = { t->machine, key, { first, values + len + 1 },
					.read = json_object_get(t->read, key) };

	if (first)
		t->ret->differs(t->ret->data, &v);
	else
		t->failed = true;
}

/* The newest of its family, under which the devices of a build were read. */
static const char *own_machine(const json_t *root, const char *machine)
{
	struct machine_name like, best = { 0 }, m;
	const char *ret = NULL, *name;
	json_t *v;

	machine_name_parse(machine, &like);
	json_object_foreach(json_object_get(root, "values"), name, v) {
		machine_name_parse(name, &m);
		if (!m.upstream || m.family != like.family ||
		    (ret && version_cmp(&m.version, &best.version) < 0))
			continue;
		best = m;
		ret = name;
	}
	return ret;
}

static void under_machine(struct two_records *t, const char *machine)
{
	const char *key;
	json_t *v;

	json_object_clear(t->found);
	json_object_clear(t->read);
	t->machine = machine;
	for (int i = 0; i < 2; i++) {
		apply(t, &t->side[i], machine);
		t->side[i].own = t->side[i].newer ? own_machine(t->side[i].root, machine) : NULL;
	}
	compare_all(t, t->differing);
	for (int i = 0; i < 2; i++) {
		compare_read(t, &t->side[i]);
		compare_all(t, t->side[i].set);
		compare_all(t, t->side[i].through);
	}
	json_object_foreach(t->found, key, v) {
		size_t len = strcspn(key, ".");
		_autofree_ char *class_name = strndup(key, len);

		if (!class_name)
			t->failed = true;
		else if (!is_said(t, class_name, key + len + 1, v))
			tell(t, key, json_string_value(v));
	}
}

/* --------------------------------------------------------------- what one of them lacks */

static void lacks_property(struct two_records *t, int i, const char *class_name, const char *property)
{
	_buf_ name = { 0 };

	buf_printf(&name, "%s.%s", class_name, property);
	if (buf_failed(&name))
		t->failed = true;
	else if (t->ret->lacks)
		t->ret->lacks(t->ret->data, i, false, name.data);
}

/* The defaults that are not the same, and what only one of them has; side @i is the one that may lack it. */
static void one_property(struct two_records *t, int i, const char *class_name, const char *property)
{
	const char *mine = property_of(&t->side[i], class_name, property);
	const char *other = property_of(&t->side[!i], class_name, property);
	const char *up = string_of(json_object_get(t->side[!i].root, "classes"), class_name);

	if (!other)
		return;
	if (!mine) {
		/* said of the class above, or judged elsewhere */
		if (!property_of(&t->side[!i], up ? up : "", property) &&
		    !has_row(t, class_name, property))
			lacks_property(t, i, class_name, property);
		return;
	}
	if (i)
		return;
	t->ret->n_compared += strchr(mine, '=') && strchr(other, '=');
	t->ret->n_open += !strchr(mine, '=') || !strchr(other, '=');
	if (!streq(mine, other))
		put_in(t, t->differing, class_name, property, json_true());
}

static void one_class(struct two_records *t, int i, const char *name, const json_t *properties)
{
	const char *property;
	json_t *v;

	if (json_object_get(json_object_get(t->side[i].root, "x-unknown"), name))
		return;
	if (!build_has_class(t->side[i].root, name)) {
		if (t->ret->lacks)
			t->ret->lacks(t->ret->data, i, true, name);
		return;
	}
	json_object_foreach((json_t *)properties, property, v)
		one_property(t, i, name, property);
}

static void find_lacking(struct two_records *t, int i)
{
	const char *name;
	json_t *properties;

	json_object_foreach(t->side[!i].properties, name, properties)
		one_class(t, i, name, properties);
}

/* ------------------------------------------------------------------------------ both */

/* Whose compat properties count for a build that states none. */
static bool find_stated(struct two_records *t, struct side *s, struct abibase_build *newer)
{
	s->newer = !json_object_get(s->root, "compat");
	s->stated = s->newer ? newer ? newer->root : NULL : s->root;
	return s->stated;
}

static void each_machine(struct two_records *t)
{
	const json_t *machines = json_object_get(t->side[0].root, "machines");
	const char *machine;
	json_t *v;

	json_object_foreach((json_t *)machines, machine, v) {
		struct machine_name m;

		machine_name_parse(machine, &m);
		if (t->q->machine && !streq(t->q->machine, machine))
			continue;
		if (!json_object_get(json_object_get(t->side[1].root, "machines"), machine) ||
		    !json_object_get(json_object_get(t->side[0].stated, "compat"), machine) ||
		    !json_object_get(json_object_get(t->side[1].stated, "compat"), machine))
			continue;
		if (streq(machine, "none"))
			continue;
		/* a vendor's names are not those of another build */
		if (m.upstream || !(t->side[0].newer || t->side[1].newer))
			under_machine(t, machine);
	}
}

static void compare_records(struct two_records *t, struct abibase_build *newer)
{
	bool stated;
	const char *name;
	json_t *v;

	for (int i = 0; i < 2; i++)
		side_fill(t, &t->side[i]);
	json_object_foreach(json_object_get(t->side[0].root, "classes"), name, v)
		if (is_asked(t, name))
			find_inner(t, name);
	for (int i = 0; i < 2; i++)
		find_lacking(t, i);
	stated = find_stated(t, &t->side[0], newer) && find_stated(t, &t->side[1], newer);
	t->ret->newer = t->side[0].newer || t->side[1].newer;
	if (stated)
		each_machine(t);
}

int records_compare(const struct records *q, struct records_found *ret)
{
	json_auto_t *inner = json_object(), *proxies = json_object(), *differing = json_object();
	json_auto_t *found = json_object(), *read = json_object();
	struct two_records t = { .q = q, .ret = ret, .inner = inner, .proxies = proxies,
				 .differing = differing, .found = found, .read = read };
	struct abibase_build *newer = NULL;

	for (int i = 0; i < 2; i++)
		t.side[i].root = q->record[i];
	if (!inner || !proxies || !differing || !found || !read ||
	    builds_newer(q->ctx, q->record[0], q->record[1], &newer) < 0)
		t.failed = true;
	else
		compare_records(&t, newer);
	build_record_unref(newer);
	for (int i = 0; i < 2; i++)
		side_clear(&t.side[i]);
	t.failed |= t.arena.failed;
	arena_clear(&t.arena);
	return t.failed ? -ENOMEM : 0;
}
