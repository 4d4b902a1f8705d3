/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Effective values: what each machine type of a QEMU sets the catalogue's properties to when nobody
 * says anything. QEMU 9.1 and later list what a machine type changes (query-machines with
 * compat-props); of an older one each machine type is started, stopped before its first
 * instruction, and the device is read. It has no backend: with one, some properties read as what is
 * left of them. It is read from "info qtree", all at once: QEMU takes a turn of its main loop for each
 * byte that it is told, and to ask for the properties one by one is half of the time. What that leaves
 * open is asked for.
 *
 * Order of application, the last one wins: class default; entries of the machine type that match
 * the device's class or a parent of it, in list order; then those that match the proxy class (the
 * PCI device around it, whose properties of the same name are aliases), in list order.
 */

#include <limits.h>
#include <syslog.h>

#include "document/build.h"
#include "document/catalogue.h"
#include "base/context.h"
#include "model/effective.h"
#include "probe/probe.h"
#include "qemu/qmp.h"
#include "base/known.h"

/* In units of the time that one QEMU has; so many machine types take no longer than this. */
#define PHASE_TIMEOUTS 3
/* The oldest machine type that is asked for unnamed: that of the oldest QEMU that is supported. */
static const struct version oldest = { { 5, 2, 0 } };

/* What can be read of a device that needs no backend; the ROM would be a package of its own. */
static const char *const stand_in_classes[] = { NET_DEVICE, "virtio-net-pci", NULL };
#define STAND_IN "virtio-net-pci,id=abi0,romfile="
#define STAND_IN_PATH "abi0" /* a partial one, for short questions */

struct values {
	struct abibase_probe *pr;
	struct qmp *q; /* on -machine none */
	const char *path;
	const struct abibase_catalogue *cat;
	const json_t *properties, *defaults; /* class -> property -> type word, default value */
	json_t *wanted;			     /* names of machine types */
	json_t *result;			     /* machine type -> class.property -> value */
	json_t *kin;			     /* QOM type -> names of what is one */
	json_t *record; /* a build record, or NULL */
	json_t *read; /* for it: machine type -> class.property -> value that is not the default */
	json_t *missing; /* for it, too: machine type -> classes that were not there */
	struct probe_specimens specimens;
	int64_t deadline;
	size_t left_out;
	char first[128], why[640]; /* the first one that was left out */
	bool stop;		   /* ask no further machine type */
};

/* -------------------------------------------------------- which machine types */

static bool wanted_unasked(const char *name)
{
	struct machine_name m;

	machine_name_parse(name, &m);
	if (m.family == MACHINE_OTHER)
		return false;
	/* A vendor's name does not say how old it is. */
	return !m.upstream || version_cmp(&m.version, &oldest) >= 0;
}

static int choose_named(struct values *v, const json_t *machines)
{
	for (size_t i = 0; i < v->pr->machine.n; i++) {
		const char *name = qemu_machine_called(machines, v->pr->machine.s[i]);

		if (!name)
			context_log(v->pr->ctx, LOG_NOTICE, "probe-qemu-no-machine",
				    "%s: has no machine type %s", v->path, v->pr->machine.s[i]);
		else if (json_object_set_new(v->wanted, name, json_true()) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int choose(struct values *v, const json_t *machines)
{
	const char *name;
	json_t *m;

	if (v->pr->machine.n)
		return choose_named(v, machines);
	json_object_foreach((json_t *)machines, name, m)
		if (wanted_unasked(name) &&
		    json_object_set_new(v->wanted, name, json_true()) < 0)
			return -ENOMEM;
	return 0;
}

/* ------------------------------------------------------------------ one value */

/* "CLASS.PROPERTY"; NULL: no memory */
static const char *make_key(struct buf *key, const char *class_name, const char *property)
{
	key->len = 0;
	buf_printf(key, "%s.%s", class_name, property);
	return buf_failed(key) ? NULL : key->data;
}

static bool is_value(const json_t *v)
{
	return json_is_boolean(v) || json_is_integer(v) || json_is_string(v);
}

/* QEMU makes up an address for each device: it is not a value that a machine type has. */
static bool is_made_up(const struct values *v, const char *key)
{
	int row = catalogue_row(v->cat, key);

	return row >= 0 && streq(v->cat->rows[row].type, MAC);
}

/* The value where no machine type says anything; JSON null: none. NULL: not known. */
static json_t *class_default(const struct values *v, const char *class_name,
			     const char *property, const char *word, const char *key)
{
	json_t *def = json_object_get(json_object_get(v->defaults, class_name), property);

	if (is_made_up(v, key) || (!def && streq(word, "str")))
		return json_null();
	return is_value(def) ? json_incref(def) : NULL;
}

/* ----------------------------------------------------------- from compat-props */

/* Of an abstract class: the one that stands for it, of which there are objects. */
static const char *asked_of(const struct values *v, const char *class_name)
{
	for (size_t i = 0; i < v->cat->n_rows; i++)
		if (streq(v->cat->rows[i].class_name, class_name))
			return v->cat->rows[i].asked;
	return class_name;
}

/* The catalogue knows a parent of some classes: asking would make QEMU load all its modules. */
static bool known_parent(const struct values *v, const char *class_name, const char *type)
{
	for (size_t i = 0; i < v->cat->n_rows; i++) {
		const struct row *row = &v->cat->rows[i];

		if (streq(row->asked, class_name) &&
		    (streq(row->declared_on, type) || streq(row->class_name, type)))
			return true;
	}
	return false;
}

/* The catalogue knows a class that has the property too and is no parent, nor one of the proxy's. */
static bool known_sibling(const struct values *v, const char *class_name, const char *type)
{
	const json_t *row, *name;
	_buf_ proxy = { 0 };
	size_t i, k;

	json_array_foreach(json_object_get(v->cat->root, "features"), i, row) {
		const char *c = string_of(row, "class");
		const char *object = asked_of(v, c);

		json_array_foreach(json_object_get(row, "siblings"), k, name) {
			class_proxy(object, &proxy);
			if (streq(json_string_value(name), type) && !buf_failed(&proxy) &&
			    (streq(object, class_name) || streq(proxy.data, class_name)))
				return true;
		}
	}
	return false;
}

static int ask_kin(struct values *v, const char *type)
{
	json_auto_t *list = NULL, *names = json_object();
	int r = qmp_call(v->q, &list, "qom-list-types", "{s:s}", "implements", type);
	json_t *t;
	size_t i;

	json_array_foreach(list, i, t) {
		const char *name = string_of(t, "name");

		if (r == 0 && name)
			r = json_put(names, name, json_true());
	}
	return r < 0 ? r : json_put(v->kin, type, json_incref(names));
}

/* A proxy is not what the device inside of it is: all that both are is a device. */
static bool is_inside(const struct values *v, const char *class_name, const char *type)
{
	_buf_ proxy = { 0 };
	const char *other;
	json_t *known;

	json_object_foreach((json_t *)v->properties, other, known) {
		if (streq(other, class_name) || streq(type, "device") ||
		    (!streq(other, type) && !known_parent(v, other, type)))
			continue;
		class_proxy(asked_of(v, other), &proxy);
		if (!buf_failed(&proxy) && streq(proxy.data, class_name))
			return true;
	}
	return false;
}

/* Is an object of @class_name one of @type? 0, 1 or a negative errno. */
static int is_a(struct values *v, const char *class_name, const char *type)
{
	if (streq(class_name, type) || known_parent(v, class_name, type))
		return 1;
	if (is_inside(v, class_name, type) || known_sibling(v, class_name, type))
		return 0;
	if (!json_object_get(v->kin, type)) {
		int r = ask_kin(v, type);

		if (r < 0)
			return r;
	}
	return json_object_get(json_object_get(v->kin, type), class_name) != NULL;
}

static int set_compat(struct values *v, json_t *out, const char *key, const char *word,
		      const char *machine, const char *text)
{
	json_t *value = value_from_text(word, text);

	if (value)
		return json_put(out, key, value);
	/* What it is then is not known. */
	json_object_del(out, key);
	context_log(v->pr->ctx, LOG_NOTICE, "probe-qemu-value",
		    "%s: %s sets %s to \"%s\", which is no %s: left out", v->path, machine, key,
		    text, word);
	return 0;
}

/* One entry of the list, on the classes themselves or on the proxies around them. */
static int apply_entry(struct values *v, json_t *out, const char *machine, const json_t *entry,
		       bool proxies, struct buf *name)
{
	const char *type = string_of(entry, "qom-type");
	const char *property = string_of(entry, "property");
	const char *text = string_of(entry, "value");
	const char *class_name;
	json_t *known;

	if (!type || !property || !text)
		return -EBADMSG;
	json_object_foreach((json_t *)v->properties, class_name, known) {
		const char *word = string_of(known, property);
		const char *object = asked_of(v, class_name);
		int r;

		if (!word)
			continue;
		class_proxy(object, name);
		if (buf_failed(name))
			return -ENOMEM;
		if (proxies && streq(name->data, object))
			continue;
		r = is_a(v, proxies ? name->data : object, type);
		if (r > 0)
			r = make_key(name, class_name, property) ?
				    set_compat(v, out, name->data, word, machine, text) :
				    -ENOMEM;
		if (r < 0)
			return r;
	}
	return 0;
}

static int apply_entries(struct values *v, json_t *out, const char *machine,
			 const json_t *compat, bool proxies)
{
	_buf_ name = { 0 };
	json_t *entry;
	size_t i;
	int r = 0;

	json_array_foreach(compat, i, entry)
		if (r == 0)
			r = apply_entry(v, out, machine, entry, proxies, &name);
	return r;
}

static int set_defaults(const struct values *v, json_t *out)
{
	const char *class_name, *property;
	_buf_ key = { 0 };
	json_t *known, *word;

	json_object_foreach((json_t *)v->properties, class_name, known)
		json_object_foreach(known, property, word) {
			json_t *value;

			if (!make_key(&key, class_name, property))
				return -ENOMEM;
			value = class_default(v, class_name, property, json_string_value(word),
					      key.data);
			if (value && json_object_set_new(out, key.data, value) < 0)
				return -ENOMEM;
		}
	return 0;
}

static int compat_machine(struct values *v, const char *machine, const json_t *compat)
{
	json_auto_t *out = json_object();
	int r = set_defaults(v, out);

	if (r == 0)
		r = apply_entries(v, out, machine, compat, false);
	if (r == 0)
		r = apply_entries(v, out, machine, compat, true);
	return r < 0 ? r : json_put(v->result, machine, json_incref(out));
}

/*
 * The answer is half a megabyte, of which a few entries count, and parsing it all takes about as
 * long as QEMU takes to start. So what is an object without objects in it and has a "property" that
 * no row of the catalogue has is cut out of the text; whatever is not clear stays for the parser.
 */
static bool is_wanted(const struct values *v, const char *object, size_t len)
{
	static const char member[] = "\"property\"";
	const char *p = memmem(object, len, member, strlen(member));
	const char *end = object + len, *quote, *class_name;
	char name[64];
	json_t *known;

	if (!p)
		return true;
	for (p += strlen(member); p < end && (*p == ' ' || *p == ':'); p++)
		;
	quote = p < end && *p == '"' ? memchr(p + 1, '"', (size_t)(end - p - 1)) : NULL;
	if (!quote || (size_t)(quote - p) > sizeof(name))
		return true;
	snprintf(name, sizeof(name), "%.*s", (int)(quote - p - 1), p + 1);
	json_object_foreach((json_t *)v->properties, class_name, known)
		if (json_object_get(known, name))
			return true;
	return false;
}

/* The end of the string that begins at @p. */
static const char *end_of_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < end ? p + 1 : end;
}

/* Where the text ends without the element of an array that begins at @p; NULL: it is none. */
static char *without(char *line, char *p)
{
	char *q = p;

	while (q > line && q[-1] == ' ')
		q--;
	if (q > line && q[-1] == ',')
		return q - 1;
	return q > line && q[-1] == '[' ? q : NULL;
}

static size_t cut_unwanted(void *data, char *line, size_t len)
{
	const struct values *v = data;
	const char *p = line, *end = line + len, *next;
	char *out = line, *open = NULL; /* the innermost object, as long as it has none in it */

	for (; p < end; p = next) {
		const char c = *p;
		char *cut;

		next = c == '"' ? end_of_string(p, end) : p + 1;
		if (c == ',' && out > line && out[-1] == '[')
			continue; /* what stood before it was cut out */
		if (c == '{')
			open = out;
		memmove(out, p, (size_t)(next - p));
		out += next - p;
		if (c != '}')
			continue;
		cut = open && !is_wanted(v, open, (size_t)(out - open)) ? without(line, open) : NULL;
		if (cut)
			out = cut;
		open = NULL;
	}
	return (size_t)(out - line);
}

/* "CLASS PROPERTY VALUE", in the order in which they are applied; see lib/probe/record.c. */
static int record_compat(json_t *record, const json_t *list)
{
	json_auto_t *lists = json_object();
	json_t *m, *e;
	size_t i, k;

	json_array_foreach((json_t *)list, i, m) {
		const char *name = string_of(m, "name");
		json_t *settings;

		if (!name)
			return -EBADMSG;
		settings = json_array();
		if (json_put(lists, name, settings) < 0)
			return -ENOMEM;
		json_array_foreach(json_object_get(m, "compat-props"), k, e) {
			const char *type, *property, *value;

			if (json_unpack(e, "{s:s, s:s, s:s}", "qom-type", &type, "property",
					&property, "value", &value) < 0)
				return -EBADMSG;
			if (json_add(settings, json_sprintf("%s %s %s", type, property, value)) < 0)
				return -ENOMEM;
		}
	}
	/* whole or not at all: a list that is cut short says of what it lacks that nothing sets it */
	return json_put(record, "compat", json_incref(lists));
}

/* 1: this QEMU has no such list. */
static int from_compat(struct values *v)
{
	json_auto_t *list = NULL;
	json_t *m;
	size_t i;
	int r;

	v->q->deadline = process_now() + v->pr->qemu_timeout_ms;
	/* a record keeps it all */
	v->q->shorten = v->record ? NULL : cut_unwanted;
	v->q->shorten_data = v;
	v->q->hold = true;
	r = qmp_call(v->q, &list, "query-machines", "{s:b}", "compat-props", 1);
	v->q->shorten = NULL;
	v->q->hold = false;
	if (r < 0)
		return r == -EREMOTEIO ? 1 : r;
	if (v->record && json_object_get(json_array_get(list, 0), "compat-props"))
		r = record_compat(v->record, list);
	if (r < 0)
		return r;
	json_array_foreach(list, i, m) {
		const char *name = string_of(m, "name");
		const json_t *compat = json_object_get(m, "compat-props");

		if (!name)
			return -EBADMSG;
		if (!json_object_get(v->wanted, name))
			continue;
		if (!compat)
			return 1;
		r = json_is_array(compat) ? compat_machine(v, name, compat) : -EBADMSG;
		if (r < 0)
			return r;
	}
	return 0;
}

/* ----------------------------------------------------------- from a device */

/* A QEMU with one machine type, being asked. */
struct reading {
	struct qmp q;
	const char *machine;
	json_t *lines; /* of the specimens that are on its command line; NULL: none */
	json_t *tree; /* class -> property -> text, as "info qtree" has it */
	int r;
};

/* One property to read. */
struct item {
	const char *key, *class_name, *property, *word;
	const char *path, *inner; /* NULL: that of the stand-in; the class inside of a proxy, or NULL */
	const json_t *realized; /* what its default reads as, or NULL: as it is */
	json_t *def;
	bool none;	    /* not asked: a machine type has no value for it */
	bool empty_is_none; /* a string that nobody set reads as "" */
};
static int take_read(struct reading *rd, const struct item *item, json_t *out);

/* A device that exists has decided each "auto": what was the default is no longer there to read. */
static bool is_auto(const json_t *def)
{
	const char *s = json_string_value(def);

	return s && streq(s, "auto");
}

/* A device that exists has made a number of some defaults; which, the catalogue says. */
static const json_t *realized_of(const struct values *v, const char *key, const json_t *def)
{
	int row = catalogue_row(v->cat, key);

	return row >= 0 && json_equal(def, v->cat->rows[row].def) ? v->cat->rows[row].realized :
								    NULL;
}

static int each_of_class(const struct values *v, struct reading *rd, const char *class_name,
			 const json_t *known, json_t *out)
{
	struct item item = { .class_name = asked_of(v, class_name) };
	_buf_ key = { 0 };
	json_t *word;

	json_object_foreach((json_t *)known, item.property, word) {
		json_auto_t *def = NULL;
		int r;

		item.key = make_key(&key, class_name, item.property);
		if (!item.key)
			return -ENOMEM;
		item.word = json_string_value(word);
		def = class_default(v, class_name, item.property, item.word, item.key);
		if (is_auto(def))
			continue;
		item.def = def;
		item.realized = realized_of(v, item.key, def);
		item.none = is_made_up(v, item.key);
		item.empty_is_none = json_is_null(def);
		r = take_read(rd, &item, out);
		if (r < 0)
			return r;
	}
	return 0;
}

static int each_read(const struct values *v, struct reading *rd, json_t *out)
{
	const char *class_name;
	json_t *known;
	int r = 0;

	json_object_foreach((json_t *)v->properties, class_name, known)
		if (r == 0 && word_index(stand_in_classes, asked_of(v, class_name)) >= 0)
			r = each_of_class(v, rd, class_name, known, out);
	return r;
}

/* One line of a device, "name = value", whose class is @class_name. What is no text says nothing. */
static int take_tree_line(json_t *tree, const char *class_name, const char *line, size_t len)
{
	const char *equals = memmem(line, len, " = ", 3);
	json_t *text;
	_buf_ name = { 0 };

	if (!equals)
		return 0;
	text = json_stringn(equals + 3, len - (size_t)(equals + 3 - line));
	if (!text)
		return 0;
	buf_add(&name, line, (size_t)(equals - line));
	return json_put(json_object_get(tree, class_name), name.data, text);
}

/* Which line of the tree is read. */
struct place {
	const json_t *classes;
	const char *outer;	/* the device of the line's that it is in, or NULL */
	const char *class_name; /* it, or the device inside of it; NULL: one that is not read */
	size_t indent;		/* of @outer */
};

/* 'virtio-net-pci, id "abi0"', or of the one inside of that 'virtio-net-device, id ""' */
static void enter_device(struct place *at, const char *text, size_t indent)
{
	const char *key;
	json_t *how;

	at->class_name = NULL;
	json_object_foreach((json_t *)at->classes, key, how) {
		const char *id = string_of(how, "id"), *in = string_of(how, "in");
		_buf_ wanted = { 0 };

		buf_printf(&wanted, "%s, id \"%s\"", key, id ? id : "");
		if (buf_failed(&wanted) || !strprefix(text, wanted.data) ||
		    (in && !(at->outer && streq(in, at->outer))))
			continue;
		at->class_name = key;
		if (!in) {
			at->outer = key;
			at->indent = indent;
		}
	}
}

/*
 * The lines of each device, and of the one inside of it. A device ends where a line is not indented
 * further than its own; its buses and their devices are indented further still.
 */
static int take_tree(json_t *tree, const json_t *classes, const char *text)
{
	static const char begin[] = "dev: ";
	struct place at = { .classes = classes };
	const char *next;
	int r = 0;

	for (const char *line = text; r == 0 && *line; line = *next ? next + 1 : next) {
		size_t indent = strspn(line, " "), len = strcspn(line, "\r\n");

		next = strchr(line, '\n');
		next = next ? next : line + strlen(line);
		if (at.outer && indent <= at.indent)
			at.outer = at.class_name = NULL;
		if (strprefix(line + indent, begin))
			enter_device(&at, line + indent + strlen(begin), indent);
		else if (at.class_name)
			r = take_tree_line(tree, at.class_name, line + indent, len - indent);
	}
	return r;
}

/* "true"; "256 (0x100)"; "\"auto\"". NULL: not that. */
static json_t *from_tree(const struct reading *rd, const struct item *item)
{
	const char *own = string_of(json_object_get(rd->tree, item->class_name), item->property);
	/* the proxy's is another name of it */
	const char *text = own || !item->inner ?
				   own :
				   string_of(json_object_get(rd->tree, item->inner), item->property);
	size_t len = text ? strlen(text) : 0;
	long long number;
	char *end;

	if (!text)
		return NULL;
	if (streq(item->word, "bool"))
		return streq(text, "true") ? json_true() : streq(text, "false") ? json_false() : NULL;
	if (value_is_number(item->word)) {
		errno = 0;
		number = strtoll(text, &end, 10);
		return errno || end == text || !strprefix(end, " (") ? NULL : json_integer(number);
	}
	/* In a longer text a quotation mark could be of the text. */
	if (len < 2 || text[0] != '"' || strchr(text + 1, '"') != text + len - 1)
		return NULL;
	return json_stringn(text + 1, len - 2);
}

static int read_item(struct reading *rd, const struct item *item, json_t **ret)
{
	*ret = from_tree(rd, item);
	return *ret ? 0 : qmp_call(&rd->q, ret, "qom-get", "{s:s, s:s}", "path",
				   item->path ? item->path : STAND_IN_PATH, "property",
				   item->property);
}

static int take_read(struct reading *rd, const struct item *item, json_t *out)
{
	json_auto_t *value = NULL;
	int r = item->none ? 0 : read_item(rd, item, &value);

	if (r < 0)
		return r;
	if (item->none ||
	    (item->empty_is_none && json_is_string(value) && !json_string_length(value)))
		return json_put(out, item->key, json_null());
	if (!is_value(value)) {
		rd->q.failure = QMP_JUNK;
		return -EBADMSG;
	}
	if (item->realized && json_equal(item->realized, value))
		return json_put(out, item->key, json_incref(item->def));
	return json_put(out, item->key, json_incref(value));
}

static int put_not_read(const struct item *item, json_t *out)
{
	return json_put(out, item->key, json_pack("{s:s}", "unknown", "not-read"));
}

/* As nobody set it: a text that is empty for want of a default, a number that is a text for want of room. */
static bool is_default(const char *type, const json_t *value, const json_t *def)
{
	const char *equals = strchr(type, '='), *s = json_string_value(value);

	return json_equal(value, def) || (s && equals && streq(equals + 1, s)) ||
	       (s && !*s && json_is_null(def));
}

/* One property of a device for the record: what cannot be read is said to be so. */
static int record_item(struct reading *rd, const char *type, struct item *item, json_t *out)
{
	_autofree_ char *word = strndup(type, strcspn(type, "="));
	json_auto_t *value = NULL, *def = NULL;
	int r;

	if (!word)
		return -ENOMEM;
	item->word = word;
	def = build_default(type);
	r = read_item(rd, item, &value);
	if (r < 0 && r != -EREMOTEIO)
		return r;
	rd->q.failure = r < 0 ? QMP_OK : rd->q.failure;
	if (r == 0 && is_default(type, value, def))
		return 0;
	return is_value(value) && !build_value_wanted(type, value) ?
		       json_put(out, item->key, json_incref(value)) :
		       put_not_read(item, out);
}

/* What is on no bus is in no tree: is it there? 1, 0, or a negative errno. */
static int is_there(struct reading *rd, const char *class_name, const char *path)
{
	json_auto_t *type = NULL;
	int r;

	if (json_object_size(json_object_get(rd->tree, class_name)))
		return 1;
	r = qmp_call(&rd->q, &type, "qom-get", "{s:s, s:s}", "path", path, "property", "type");
	if (r != -EREMOTEIO)
		return r < 0 ? r : 1;
	rd->q.failure = QMP_OK;
	return 0;
}

static int record_class(struct values *v, struct reading *rd, const char *class_name, json_t *how,
			json_t *out)
{
	json_auto_t *properties = build_properties(v->record, class_name);
	_autofree_ char *inner = NULL;
	struct item item = { .class_name = class_name, .path = string_of(how, "path") };
	_buf_ key = { 0 };
	json_t *type;
	int r = 0;

	if (!properties || asprintf(&inner, "%.*s-device", (int)length_without(class_name, "-pci"),
				    class_name) < 0)
		return -ENOMEM;
	item.inner = inner;
	json_object_foreach(properties, item.property, type) {
		const json_t *set = json_object_get(json_object_get(how, "set"), item.property);

		if (r < 0 || json_is_null(type) || json_is_true(set))
			continue;
		item.key = make_key(&key, class_name, item.property);
		r = !item.key ? -ENOMEM :
		    rd && !set ? record_item(rd, json_string_value(type), &item, out) :
				put_not_read(&item, out);
	}
	return r < 0 ? r : json_put(how, "read", json_true());
}

/* Each class with all that it has, not only with what the catalogue asks for. */
static int record_reading(struct values *v, struct reading *rd)
{
	json_auto_t *out = json_object(), *missing = json_array();
	const char *class_name;
	json_t *how;
	int r = 0;

	json_object_foreach(v->specimens.classes, class_name, how) {
		if (r == 0)
			r = is_there(rd, class_name, string_of(how, "path"));
		if (r > 0)
			r = record_class(v, rd, class_name, how, out);
		else if (r == 0)
			r = json_add(missing, json_string(class_name));
	}
	if (r == 0)
		r = json_put(v->missing, rd->machine, json_incref(missing));
	return r < 0 ? r : json_put(v->read, rd->machine, json_incref(out));
}

/* Which classes were read; under a machine type that does not take one of them nothing of it is known. */
static int record_missing(struct values *v)
{
	json_t *all = v->specimens.classes, *list, *name, *how;
	json_auto_t *classes = json_array();
	const char *machine;
	size_t i, n;
	_autofree_ const char **names = json_keys(all, &n);
	int r = names ? 0 : -ENOMEM;

	json_object_foreach(v->missing, machine, list)
		json_array_foreach(list, i, name) {
			how = json_object_get(all, json_string_value(name));
			if (r == 0 && json_object_get(how, "read"))
				r = record_class(v, NULL, json_string_value(name), how,
						 json_object_get(v->read, machine));
		}
	for (i = 0; r == 0 && i < n; i++)
		if (json_object_get(json_object_get(all, names[i]), "read"))
			r = json_add(classes, json_string(names[i]));
	return r < 0 ? r : json_put(v->record, "values_of", json_incref(classes));
}

static int time_left(const struct values *v)
{
	int64_t left = v->deadline - process_now();

	if (left < 1)
		return 1;
	return left < v->pr->qemu_timeout_ms ? (int)left : v->pr->qemu_timeout_ms;
}

static int reading_argv(const struct values *v, const struct reading *rd, struct strings *argv)
{
	const char *const fixed[] = { v->path, "-nodefaults", "-no-user-config", "-display", "none",
				      "-S", "-machine", NULL };
	_buf_ option = { 0 };
	int r = strings_set(argv, fixed);

	buf_printf(&option, "%s,accel=tcg:kvm", rd->machine);
	if (buf_failed(&option) || r < 0)
		return -ENOMEM;
	r = strings_add(argv, option.data);
	if (r == 0)
		r = strings_add_words(argv, "-device " STAND_IN);
	if (r == 0)
		r = probe_specimens_argv(&v->specimens, rd->lines, argv);
	return r < 0 ? r : strings_add_words(argv, "-qmp stdio");
}

/* Start it and ask for all: it reads the question when it is ready. */
static void start_reading(struct values *v, struct reading *rd)
{
	struct strings argv = { 0 };

	qmp_init(&rd->q);
	rd->r = reading_argv(v, rd, &argv);
	if (rd->r == 0)
		rd->r = qmp_spawn(&rd->q, v->path, argv.s, time_left(v),
				  &(struct qmp_preparation){ .stop = &v->pr->stop });
	rd->q.shorten = v->record ? probe_rewrite_numbers : NULL;
	if (rd->r == 0)
		rd->r = qmp_send(&rd->q, "qmp_capabilities", NULL);
	if (rd->r == 0)
		rd->r = qmp_send(&rd->q, "human-monitor-command", "{s:s}", "command-line",
				 "info qtree");
	strings_clear(&argv);
}

static void begin_reading(struct values *v, struct reading *rd, const char *machine)
{
	*rd = (struct reading){ .machine = machine };
	if (v->specimens.lines)
		rd->lines = json_copy(v->specimens.lines);
	start_reading(v, rd);
}

/*
 * One that a device keeps from starting does so without it; without all of them where none is named.
 * false: there is nothing to take away.
 */
static bool start_with_fewer(struct values *v, struct reading *rd)
{
	if (rd->q.failure != QMP_DIED || !json_object_size(rd->lines))
		return false;
	if (!probe_specimens_refused(rd->lines, rd->q.tail, rd->q.tail_len))
		json_object_clear(rd->lines);
	qmp_stop(&rd->q);
	start_reading(v, rd);
	return true;
}

/* Where there is no such answer, each property is asked for. */
static int take_answer(const struct values *v, struct reading *rd)
{
	json_auto_t *text = NULL;
	int r = qmp_receive(&rd->q, &text);

	if (r == -EREMOTEIO)
		return 0;
	return r == 0 && json_is_string(text) ?
		       take_tree(rd->tree, v->specimens.classes, json_string_value(text)) :
		       r;
}

static void how_it_failed(const struct qmp *q, int err, char *ret, size_t size)
{
	char words[QMP_WORDS], end[128] = "";

	switch (q->failure) {
	case QMP_TIMEOUT:
		snprintf(end, sizeof(end), "no answer to QMP in time");
		break;
	case QMP_DIED:
		process_how_it_ended(q->status, end, sizeof(end));
		break;
	case QMP_REFUSED:
		snprintf(ret, size, "%s", q->desc);
		return;
	case QMP_NO_PROCESS:
	case QMP_NO_FD:
	case QMP_NO_EXEC:
		snprintf(end, sizeof(end), "%s", strerror(err));
		break;
	case QMP_TOO_MUCH:
		snprintf(end, sizeof(end), "it says more than a QEMU can mean");
		break;
	default:
		snprintf(end, sizeof(end), "what it answers cannot be made out");
	}
	snprintf(ret, size, "%s%s", end, qmp_last_words(q, words));
}

static void leave_out(struct values *v, const struct qmp *q, const char *machine, int err)
{
	if (v->left_out++ == 0) {
		snprintf(v->first, sizeof(v->first), "%s", machine);
		how_it_failed(q, err, v->why, sizeof(v->why));
	}
}

/* All classes that are read, each empty. */
static json_t *new_tree(const struct values *v)
{
	json_t *tree = json_object(), *how;
	const char *class_name;

	json_object_foreach(v->specimens.classes, class_name, how)
		if (tree && json_object_set_new(tree, class_name, json_object()) < 0) {
			json_decref(tree);
			tree = NULL;
		}
	return tree;
}

static int take_reading(struct values *v, struct reading *rd)
{
	json_auto_t *out = json_object(), *nothing = NULL, *tree = new_tree(v);

	if (!tree || !out)
		return -ENOMEM;
	rd->tree = tree;
	if (rd->r == 0)
		rd->r = qmp_receive_greeting(&rd->q, NULL);
	if (rd->r == 0)
		rd->r = qmp_receive(&rd->q, &nothing);
	if (rd->r == 0)
		rd->r = take_answer(v, rd);
	if (rd->r == 0)
		rd->r = each_read(v, rd, out);
	if (rd->r == 0 && v->record)
		rd->r = record_reading(v, rd);
	return rd->r < 0 ? rd->r : json_put(v->result, rd->machine, json_incref(out));
}

static int finish_reading(struct values *v, struct reading *rd)
{
	int r;

	do
		r = v->stop ? -ECANCELED : take_reading(v, rd);
	while (r < 0 && !v->stop && start_with_fewer(v, rd));
	/* It has no guest and nothing to save. */
	qmp_kill(&rd->q);
	qmp_stop(&rd->q);
	json_decref(rd->lines);
	if (r == -ENOMEM && rd->q.failure == QMP_OK)
		return r;
	if (r < 0) {
		leave_out(v, &rd->q, rd->machine, -r);
		/* One that hangs would cost as much for every machine type. */
		if (rd->q.failure == QMP_TIMEOUT)
			v->stop = true;
	}
	return 0;
}

/* Two at a time: while one answers the next one starts. */
static int from_devices(struct values *v)
{
	struct reading slot[2];
	size_t started = 0, finished = 0;
	const char *name;
	json_t *one;
	int r = 0;

	/* for a record there is more to read, and some start twice */
	v->deadline = process_now() + (int64_t)v->pr->qemu_timeout_ms * PHASE_TIMEOUTS *
					      (v->record ? 2 : 1);
	json_object_foreach(v->wanted, name, one) {
		if (json_object_get(v->result, name))
			continue;
		if (started - finished == 2) {
			r = finish_reading(v, &slot[finished++ % 2]);
			if (r < 0)
				break;
		}
		if (v->stop) {
			v->left_out++;
			continue;
		}
		begin_reading(v, &slot[started++ % 2], name);
	}
	while (finished < started) {
		int r2;

		v->stop = v->stop || r < 0;
		r2 = finish_reading(v, &slot[finished++ % 2]);
		if (r == 0)
			r = r2;
	}
	return r;
}

/* ------------------------------------------------------------------- both */

static void warn(struct values *v)
{
	size_t total = json_object_size(v->wanted);
	char which[320];

	if (v->left_out >= total)
		snprintf(which, sizeof(which), "the effective values are left out");
	else
		snprintf(which, sizeof(which),
			 "the effective values of %zu of %zu machine types are left out (%s%s)",
			 v->left_out, total, v->first, v->left_out > 1 ? " and others" : "");
	context_log(v->pr->ctx, LOG_WARNING, "probe-qemu-values", "%s: %s: %s", v->path, which,
		    v->why);
}

static int record_devices(struct values *v)
{
	json_auto_t *missing = json_object();
	int r = missing ? probe_specimens_load(v->pr->ctx, v->record, &v->specimens) : -ENOMEM;

	v->missing = missing;
	v->read = json_object();
	if (json_put(v->record, "values", v->read) < 0)
		return -ENOMEM;
	if (r == 0)
		r = from_devices(v);
	return r < 0 ? r : record_missing(v);
}

static int read_devices(struct values *v)
{
	v->specimens.classes = json_object();
	if (!v->specimens.classes ||
	    probe_specimens_add(&v->specimens, v->record, STAND_IN) < 0)
		return -ENOMEM;
	return v->record ? record_devices(v) : from_devices(v);
}

static int collect(struct values *v)
{
	int r = from_compat(v);

	if (r == 1) {
		/* There are never more than two. */
		qmp_kill(v->q);
		qmp_stop(v->q);
		return read_devices(v);
	}
	if (r == -ENOMEM && v->q->failure == QMP_OK)
		return r;
	if (r < 0) {
		json_object_clear(v->result);
		leave_out(v, v->q, "", -r);
		v->left_out = json_object_size(v->wanted);
	}
	return 0;
}

static int say_once(json_t *entry, json_t *values)
{
	json_auto_t *keys = json_copy(json_object_iter_value(json_object_iter(values)));
	const char *key;
	json_t *v;

	if (!keys || json_put(entry, "defaults", json_object()) < 0 ||
	    json_put(entry, "values", json_incref(values)) < 0)
		return -ENOMEM;
	json_object_foreach(keys, key, v)
		if (values_say_once(entry, key) < 0)
			return -ENOMEM;
	return 0;
}

int probe_values_add(struct abibase_probe *pr, struct qmp *q, const char *path,
		     const struct abibase_catalogue *cat, const json_t *defaults, json_t *entry,
		     json_t *record, bool *ret_complete)
{
	json_auto_t *wanted = json_object(), *result = json_object(), *kin = json_object();
	struct values v = { .pr = pr, .q = q, .path = path, .cat = cat, .defaults = defaults,
			    .properties = json_object_get(entry, "properties"),
			    .wanted = wanted, .result = result, .kin = kin, .record = record };
	int r;

	*ret_complete = true;
	if (pr->no_values)
		return 0;
	if (!wanted || !result || !kin)
		return -ENOMEM;
	r = choose(&v, json_object_get(entry, "machines"));
	if (r == 0 && (json_object_size(wanted) || record))
		r = collect(&v);
	probe_specimens_clear(&v.specimens);
	if (r < 0)
		return r;
	if (v.left_out) {
		*ret_complete = false;
		warn(&v);
	}
	return json_object_size(result) ? say_once(entry, result) : 0;
}
