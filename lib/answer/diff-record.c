/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The records of two builds: what a machine type makes of the properties of all device classes. What
 * the catalogue has a row for is compared, and judged, elsewhere. A record can say that two builds
 * differ. It cannot say that they are the same, and nothing here does.
 */

#include "answer/diff-make.h"
#include "base/known.h"
#include "document/build.h"
#include "model/machine.h"

/* One of the two builds. All is class -> property -> something. */
struct side {
	const json_t *root;
	/* whose compat properties count: its own, or those of a newer build */
	const json_t *stated;
	bool newer;
	json_t *properties; /* "TYPE" or "TYPE=DEFAULT", null: it has not what is above it */
	json_t *kin;	    /* type -> what comes of it: class -> true */
	json_t *set;	    /* by the machine type: the text */
	json_t *through;    /* the same, on the device inside of a proxy */
};

struct two_records {
	struct comparison *c;
	const struct pair *q;
	struct side side[2];
	json_t *inner;	 /* proxy -> the class inside of it */
	json_t *proxies; /* that class -> proxy -> true */
	json_t *differing; /* class -> property -> true: defaults that are not the same */
	json_t *found;	 /* under one machine type: "class.property" -> "A\nB" */
	json_t *not_judged; /* rows: "class.property" -> true */
	size_t n_compared, n_open; /* properties; with a default stated by both, and without */
	bool failed;
};

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
		put(t, s->properties, name, build_properties(s->root, name));
}

/* "virtio-net-pci-transitional" has a "virtio-net-device" inside, "vhost-scsi-pci" a "vhost-scsi". */
static void find_inner(struct two_records *t, const char *name)
{
	const char *pci = strstr(name, "-pci");
	_buf_ inner = { 0 };

	if (!pci)
		return;
	buf_printf(&inner, "%.*s-device", (int)(pci - name), name);
	if (!buf_failed(&inner) && !build_has_class(t->side[0].root, inner.data))
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
	json_object_foreach(json_object_get(s->root, "classes"), name, up)
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
		return keep(t->c, "%lld", number);
	return is_number ? NULL : keep(t->c, "%s", text);
}

static const char *property_of(const struct side *s, const char *class_name, const char *property)
{
	return json_string_value(get_in(s->properties, class_name, property));
}

/* Of an older build that states nothing itself a newer one does, where it has the property, too. */
static const char *value_of(struct two_records *t, const struct side *s, const char *class_name,
			    const char *property)
{
	const char *type = property_of(s, class_name, property);
	const json_t *set = get_in(s->set, class_name, property);

	if (!type || (s->newer && !build_property(s->stated, class_name, property)))
		return NULL;
	if (!set)
		set = get_in(s->through, class_name, property);
	return value_text(t, type, json_string_value(set));
}

/* ------------------------------------------------------------------- under a machine type */

/* Has it a row, on its class, or on a class around it? "virtio-net-pci.csum" is virtio-net-device's. */
static bool has_row(const struct two_records *t, const char *class_name, const char *property)
{
	const char *inner = string_of(t->inner, class_name);

	for (size_t i = 0; i < t->c->cat->n_rows; i++) {
		const struct row *row = &t->c->cat->rows[i];

		if (streq(row->property, property) &&
		    (streq(row->asked, class_name) || (inner && streq(row->asked, inner)) ||
		     build_is_a(t->side[0].root, class_name, row->class_name) ||
		     build_is_a(t->side[0].root, row->asked, class_name)))
			return true;
	}
	return false;
}

static void compare(struct two_records *t, const char *class_name, const char *property)
{
	const char *a = value_of(t, &t->side[0], class_name, property);
	const char *b = value_of(t, &t->side[1], class_name, property);
	_buf_ key = { 0 }, values = { 0 };

	if (!a || !b || streq(a, b) || has_row(t, class_name, property))
		return;
	buf_printf(&key, "%s.%s", class_name, property);
	buf_printf(&values, "%s\n%s", a, b);
	if (buf_failed(&key) || buf_failed(&values))
		t->failed = true;
	else
		put(t, t->found, key.data, json_string(values.data));
}

static void compare_all(struct two_records *t, const json_t *which)
{
	const char *class_name, *property;
	json_t *of, *v;

	json_object_foreach((json_t *)which, class_name, of)
		json_object_foreach(of, property, v)
			compare(t, class_name, property);
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

static void tell(struct two_records *t, const char *machine, const char *key, const char *values)
{
	struct comparison *c = t->c;
	size_t len = strcspn(values, "\n");
	const char *newer = t->side[0].newer || t->side[1].newer ?
				    "; of an older build, by what a newer one states" : "";
	struct diff_item *item = diff_add(c, DIFF_VALUE, true,
					  keep(c, "%s.record.%s.%s", t->q->subject, machine, key));

	item->a = keep(c, "%.*s", (int)len, values);
	item->b = keep(c, "%s", values + len + 1);
	item->text = keep(c, "%s, %s: %s is %s in %s, %s in %s (not judged: rehearse%s)",
			  t->q->place, machine, key, item->a, c->label[0], item->b, c->label[1],
			  newer);
	diff_set_among(item,
		       keep(c, "%s: %s is %s in %s, %s in %s (not judged: rehearse%s), under",
			    t->q->place, key, item->a, c->label[0], item->b, c->label[1], newer),
		       keep(c, "%s", machine));
	put(t, t->not_judged, key, json_true());
}

static void under_machine(struct two_records *t, const char *machine)
{
	const char *key;
	json_t *v;

	json_object_clear(t->found);
	for (int i = 0; i < 2; i++)
		apply(t, &t->side[i], machine);
	compare_all(t, t->differing);
	for (int i = 0; i < 2; i++) {
		compare_all(t, t->side[i].set);
		compare_all(t, t->side[i].through);
	}
	json_object_foreach(t->found, key, v) {
		size_t len = strcspn(key, ".");
		_autofree_ char *class_name = strndup(key, len);

		if (!class_name)
			t->failed = true;
		else if (!is_said(t, class_name, key + len + 1, v))
			tell(t, machine, key, json_string_value(v));
	}
}

/* --------------------------------------------------------------- what one of them lacks */

static void lacks(struct two_records *t, int i, const char *one, const char *many,
		  const char *name)
{
	struct comparison *c = t->c;
	struct diff_item *item = diff_add_lack(
		c, DIFF_PROPERTY, false, keep(c, "%s.record.%s", t->q->subject, name), i,
		keep(c, "%s: only %s has the %s %s", t->q->place, c->label[!i], one, name));

	diff_set_among(item, keep(c, "%s: only %s has the %s", t->q->place, c->label[!i], many),
		       keep(c, "%s", name));
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
			lacks(t, i, "property", "properties",
			      keep(t->c, "%s.%s", class_name, property));
		return;
	}
	if (i)
		return;
	t->n_compared += strchr(mine, '=') && strchr(other, '=');
	t->n_open += !strchr(mine, '=') || !strchr(other, '=');
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
		lacks(t, i, "device class", "device classes", name);
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

static void say_scope(struct two_records *t)
{
	struct comparison *c = t->c;
	size_t n = json_object_size(t->not_judged);
	struct diff_item *item = diff_add(c, DIFF_CONTEXT, false,
					  keep(c, "%s.record", t->q->subject));

	item->counts = false;
	item->a = item->b = "recorded";
	item->text = keep(
		c,
		"%s: by the records of the builds, %zu properties of device classes have "
		"another value under a machine type of both; %zu were compared, and %zu "
		"have no value that both state. A record says what differs, and never that "
		"two builds are the same: for that, abibase rehearse",
		t->q->place, n, t->n_compared, t->n_open);
	c->d->records = true;
	c->d->newer |= t->side[0].newer || t->side[1].newer;
}

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
	const char *name;
	json_t *v;

	for (int i = 0; i < 2; i++)
		side_fill(t, &t->side[i]);
	json_object_foreach(json_object_get(t->side[0].root, "classes"), name, v)
		find_inner(t, name);
	for (int i = 0; i < 2; i++)
		find_lacking(t, i);
	if (find_stated(t, &t->side[0], newer) && find_stated(t, &t->side[1], newer))
		each_machine(t);
	say_scope(t);
}

void diff_records(struct comparison *c, const struct pair *q)
{
	json_auto_t *inner = json_object(), *proxies = json_object(), *differing = json_object();
	json_auto_t *found = json_object(), *not_judged = json_object();
	struct two_records t = { .c = c, .q = q, .inner = inner, .proxies = proxies,
				 .differing = differing, .found = found, .not_judged = not_judged };
	struct abibase_build *newer = NULL;

	if (!c->ctx || !q->a->record || !q->b->record || q->a->record == q->b->record)
		return;
	t.side[0].root = q->a->record->root;
	t.side[1].root = q->b->record->root;
	if (!inner || !proxies || !differing || !found || !not_judged ||
	    builds_newer(c->ctx, q->a->record->root, q->b->record->root, &newer) < 0)
		t.failed = true;
	else
		compare_records(&t, newer);
	build_record_unref(newer);
	for (int i = 0; i < 2; i++)
		side_clear(&t.side[i]);
	c->d->arena.failed |= t.failed;
}
