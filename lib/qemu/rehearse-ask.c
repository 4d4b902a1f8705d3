/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/rehearse.h"

#include <errno.h>

#include "base/known.h"

/* What a throw-away says of itself, and of its processors, which no stream carries. */

#define VCPUS_ASKED 1024

static int take_text(json_t *v, char **ret)
{
	const char *s = json_string_value(v);

	*ret = s ? strdup(s) : NULL;
	return s && !*ret ? -ENOMEM : 0;
}

static int ask_version(struct rehearse_half *h, struct qmp *q)
{
	json_auto_t *v = NULL;
	json_t *of;
	int r = qmp_call(q, &v, "query-version", NULL);

	if (r < 0)
		return r;
	of = json_object_get(v, "qemu");
	if (asprintf(&h->version, "%d.%d.%d", (int)json_integer_value(json_object_get(of, "major")),
		     (int)json_integer_value(json_object_get(of, "minor")),
		     (int)json_integer_value(json_object_get(of, "micro"))) < 0) {
		h->version = NULL;
		return -ENOMEM;
	}
	return take_text(json_object_get(v, "package"), &h->package);
}

/* "pc-q35-10.0-machine" */
static int ask_machine(struct rehearse_half *h, struct qmp *q)
{
	json_auto_t *v = NULL;
	int r = qmp_call(q, &v, "qom-get", "{ss ss}", "path", "/machine", "property", "type");

	if (r == 0)
		r = take_text(v, &h->machine);
	if (r == 0 && h->machine)
		h->machine[length_without(h->machine, "-machine")] = '\0';
	return r;
}

/* The words that are not 0, of the answer about "feature-words" or "filtered-features" */
static json_t *words_of(const json_t *list)
{
	json_auto_t *words = json_array();
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)list, i, v) {
		json_t *ecx = json_object_get(v, "cpuid-input-ecx");
		json_int_t word = json_integer_value(json_object_get(v, "features"));
		const char *name = string_of(v, "cpuid-register");
		char where[64];

		if (!word || !name)
			continue;
		snprintf(where, sizeof(where), "%llX.%llX.%.8s",
			 (unsigned long long)json_integer_value(
				 json_object_get(v, "cpuid-input-eax")),
			 (unsigned long long)json_integer_value(ecx), name);
		if (json_add(words, json_pack("{ss sI}", "register", where, "word",
					      (json_int_t)(uint32_t)word)) < 0)
			return NULL;
	}
	return steal(&words);
}

/* What such a processor has not, is no trouble: the answer is without it. */
static int ask_property(struct qmp *q, const char *path, const char *property, json_t **ret)
{
	int r = qmp_call(q, ret, "qom-get", "{ss ss}", "path", path, "property", property);

	return q->failure == QMP_REFUSED ? 0 : r;
}

static int ask_words(struct qmp *q, const char *path, const char *property, json_t **ret)
{
	json_auto_t *list = NULL;
	int r = ask_property(q, path, property, &list);

	if (r < 0)
		return r;
	*ret = words_of(list);
	return *ret ? 0 : -ENOMEM;
}

/* Asks for all at once; the answers come in this order. */
static int send_names(struct qmp *q, const char *path, const json_t *props)
{
	_buf_ out = { 0 };
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)props, name, v) {
		json_auto_t *ask = json_pack("{ss s{ss ss}}", "execute", "qom-get", "arguments",
					     "path", path, "property", name);
		_autofree_ char *text = ask ? json_dumps(ask, JSON_COMPACT) : NULL;

		if (!text)
			return -ENOMEM;
		buf_printf(&out, "%s\n", text);
	}
	if (buf_failed(&out))
		return -ENOMEM;
	return out.len ? qmp_send_text(q, out.data) : 0;
}

/* Numbers, words and truths; what it has not, or cannot say, is not among them. */
static int ask_values(struct qmp *q, const char *path, const json_t *props, json_t **ret)
{
	json_auto_t *values = json_object();
	int r = values ? send_names(q, path, props) : -ENOMEM;
	const char *name;
	json_t *v;

	if (r < 0)
		return r;
	json_object_foreach((json_t *)props, name, v) {
		json_auto_t *has = NULL;

		r = qmp_receive(q, &has);
		if (r < 0 && q->failure != QMP_REFUSED)
			return r;
		if ((json_is_integer(has) || json_is_string(has) || json_is_boolean(has)) &&
		    json_object_set(values, name, has) < 0)
			return -ENOMEM;
	}
	*ret = steal(&values);
	return 0;
}

static int ask_vcpu(struct qmp *q, const char *path, const json_t *props, json_t **ret)
{
	json_auto_t *cpu = json_object();
	json_t *words = NULL, *filtered = NULL, *values = NULL;
	int r = cpu ? ask_words(q, path, "feature-words", &words) : -ENOMEM;

	if (r == 0)
		r = json_put(cpu, "features", words);
	if (r == 0)
		r = ask_words(q, path, "filtered-features", &filtered);
	if (r == 0)
		r = json_put(cpu, "filtered", filtered);
	if (r == 0)
		r = ask_values(q, path, props, &values);
	if (r == 0)
		r = json_put(cpu, "properties", values);
	if (r == 0)
		*ret = steal(&cpu);
	return r;
}

static int names_of(const json_t *values, struct strings *ret)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)values, name, v)
		if (json_is_true(v) && strings_insert(ret, name) < 0)
			return -ENOMEM;
	return 0;
}

/*
 * The features that it has, as QEMU calls them. Which these names are it says of a model; of this
 * processor, with all that the line and the machine type make of it, it says each alone.
 */
static int ask_names(struct qmp *q, const char *path, json_t *cpu)
{
	json_auto_t *model = NULL, *values = NULL;
	struct strings names = { 0 }; /* sorted */
	int r = qmp_call(q, &model, "query-cpu-model-expansion", "{ss s{ss}}", "type", "static",
			 "model", "name", "max");

	if (r < 0)
		return q->failure == QMP_REFUSED ? 0 : r;
	r = ask_values(q, path, json_object_get(json_object_get(model, "model"), "props"), &values);
	if (r == 0)
		r = names_of(values, &names);
	if (r == 0)
		r = json_put(cpu, "names", json_strings((const char *const *)names.s, names.n));
	strings_clear(&names);
	return r;
}

/* Is it but for what is told once of all that are the same? */
static bool is_like(const json_t *last, const json_t *cpu)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)cpu, key, v)
		if (!json_equal(v, json_object_get(last, key)))
			return false;
	return true;
}

/* The same again is counted, not said again. */
static int add_vcpu(struct qmp *q, const char *path, json_t *cpus, json_t *cpu)
{
	json_t *last = json_array_get(cpus, json_array_size(cpus) - 1);
	json_int_t n = json_integer_value(json_object_get(last, "vcpus"));
	int r;

	if (last && is_like(last, cpu))
		return json_put(last, "vcpus", json_integer(n + 1));
	r = ask_names(q, path, cpu);
	if (r == 0)
		r = json_put(cpu, "vcpus", json_integer(1));
	return r < 0 ? r : json_add(cpus, json_incref(cpu));
}

static int ask_vcpus(struct rehearse_half *h, struct qmp *q)
{
	const json_t *props = json_object_get(h->line->table, "vcpu_properties");
	json_auto_t *list = NULL;
	int r = qmp_call(q, &list, "query-cpus-fast", NULL);
	size_t i;
	json_t *v;

	h->cpus = json_array();
	if (r < 0 || !h->cpus)
		return r < 0 ? r : -ENOMEM;
	json_array_foreach(list, i, v) {
		json_auto_t *cpu = NULL;
		const char *path = string_of(v, "qom-path");

		if (!path || i == VCPUS_ASKED)
			break;
		r = ask_vcpu(q, path, props, &cpu);
		if (r == 0)
			r = add_vcpu(q, path, h->cpus, cpu);
		if (r < 0)
			return r;
		q->total = 0; /* what many processors say is bounded by their number */
	}
	return 0;
}

/* Its place, in numbers that are not 0: not every build has each of them. */
static json_t *place_of(const json_t *cpu)
{
	json_t *place = json_pack("{sb}", "plugged", json_object_get(cpu, "qom-path") != NULL);
	const char *key;
	json_t *v;

	json_object_foreach(json_object_get(cpu, "props"), key, v)
		if (json_integer_value(v) && json_object_set(place, key, v) < 0) {
			json_decref(place);
			return NULL;
		}
	return place;
}

/* Where each processor is, plugged in or not */
static int ask_topology(struct rehearse_half *h, struct qmp *q)
{
	json_auto_t *list = NULL, *places = json_array();
	int r = qmp_call(q, &list, "query-hotpluggable-cpus", NULL);
	_buf_ text = { 0 };
	char hex[DIGEST_HEX + 1];
	size_t i;
	json_t *v;

	if (r < 0)
		return q->failure == QMP_REFUSED ? 0 : r;
	json_array_foreach(list, i, v)
		if (json_add(places, place_of(v)) < 0)
			return -ENOMEM;
	r = json_digest(places, NULL, &text, hex);
	if (r == 0 &&
	    asprintf(&h->cpus_possible, "%zu of %.16s", json_array_size(places), hex) < 0) {
		h->cpus_possible = NULL;
		return -ENOMEM;
	}
	return r;
}

/* ------------------------------------------------------------------------ devices */

/* A place on a PCI bus is one number. */
static void add_key(struct buf *out, const char *key, const json_t *v)
{
	long long n = (long long)json_integer_value(v);

	if (json_is_integer(v) && streq(key, "addr"))
		buf_printf(out, " addr=%llx.%llx", n >> 3, n & 7);
	else if (json_is_integer(v))
		buf_printf(out, " %s=%lld", key, n);
	else if (json_is_string(v) && *json_string_value(v))
		buf_printf(out, " %s=%.32s", key, json_string_value(v));
}

/* " at xhci.0 port=3": the bus that it is on, and what it shows of its address there. */
static int add_address(struct rehearse_half *h, struct qmp *q, const char *path, struct buf *out)
{
	const json_t *keys = json_object_get(json_object_get(h->line->table, "address_params"),
					     "device");
	json_auto_t *bus = NULL;
	const char *name;
	int r = ask_property(q, path, "parent_bus", &bus);
	size_t i;
	json_t *key;

	name = json_string_value(bus) ? strrchr(json_string_value(bus), '/') : NULL;
	if (r < 0 || !name)
		return r;
	buf_printf(out, " at %.64s", name + 1);
	json_array_foreach((json_t *)keys, i, key) {
		json_auto_t *v = NULL;

		r = ask_property(q, path, json_string_value(key), &v);
		if (r < 0)
			return r;
		add_key(out, json_string_value(key), v);
	}
	return 0;
}

/* Its address, and whether it was plugged in: then its properties and its backend are of no line. */
static int add_place(struct rehearse_half *h, struct qmp *q, const char *path, struct buf *out)
{
	json_auto_t *plugged = NULL;
	int r = add_address(h, q, path, out);

	if (r == 0)
		r = ask_property(q, path, "hotplugged", &plugged);
	if (json_is_true(plugged))
		buf_puts(out, " (plugged in later)");
	return r;
}

/* Of what the machine made itself it is only its kind that one could have unplugged. */
static int list_device(struct rehearse_half *h, struct qmp *q, const char *parent, const json_t *child,
		       struct strings *ret)
{
	const char *name = string_of(child, "name"), *type = string_of(child, "type");
	char kind[96], path[256];
	_buf_ text = { 0 };
	int r = 0;

	if (!name || !type || sscanf(type, "child<%95[^>]>", kind) != 1)
		return 0;
	q->total = 0; /* what many devices say is bounded by their number */
	snprintf(path, sizeof(path), "%s/%s", parent, name);
	buf_printf(&text, "%.128s %s", ends_with(parent, "/peripheral") ? name : "-", kind);
	if (!ends_with(parent, "/unattached"))
		r = add_place(h, q, path, &text);
	else if (!strprefix(name, "device["))
		return 0; /* a part of one */
	if (r == 0)
		r = buf_failed(&text) ? -ENOMEM : strings_add(ret, text.data);
	return r;
}

/* "net0 virtio-net-pci at pcie.0 addr=8" of each; one without an id is called "-". */
static int list_devices(struct rehearse_half *h, struct qmp *q, const char *parent,
			struct strings *ret)
{
	json_auto_t *list = NULL;
	int r = qmp_call(q, &list, "qom-list", "{ss}", "path", parent);
	size_t i;
	json_t *v;

	if (r < 0)
		return q->failure == QMP_REFUSED ? 0 : r;
	json_array_foreach(list, i, v) {
		r = list_device(h, q, parent, v, ret);
		if (r < 0)
			return r;
	}
	return 0;
}

static json_int_t number_of(const json_t *v, const char *key)
{
	return json_integer_value(json_object_get(v, key));
}

/* On the root bus: behind a bridge, firmware says where things are, and a throw-away has executed none. */
static int list_pci(struct qmp *q, struct strings *ret)
{
	json_auto_t *buses = NULL;
	int r = qmp_call(q, &buses, "query-pci", NULL);
	size_t i, k;
	json_t *bus, *v;

	if (r < 0)
		return q->failure == QMP_REFUSED ? 0 : r;
	json_array_foreach(buses, i, bus) {
		if (number_of(bus, "bus"))
			continue;
		json_array_foreach(json_object_get(bus, "devices"), k, v) {
			const json_t *id = json_object_get(v, "id");
			char text[96];

			snprintf(text, sizeof(text), "%02llx.%llx %04llx:%04llx",
				 (unsigned long long)number_of(v, "slot"),
				 (unsigned long long)number_of(v, "function"),
				 (unsigned long long)number_of(id, "vendor"),
				 (unsigned long long)number_of(id, "device"));
			if (strings_add(ret, text) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

static int ask_devices(struct rehearse_half *h, struct qmp *q)
{
	struct strings devices = { 0 }, pci = { 0 };
	int r = list_devices(h, q, "/machine/peripheral", &devices);

	if (r == 0)
		r = list_devices(h, q, "/machine/peripheral-anon", &devices);
	if (r == 0)
		r = list_devices(h, q, "/machine/unattached", &devices);
	if (r == 0)
		r = list_pci(q, &pci);
	if (r == 0)
		h->devices = json_pack(
			"{so so}", "devices",
			json_strings((const char *const *)devices.s, devices.n), "pci",
			json_strings((const char *const *)pci.s, pci.n));
	strings_clear(&devices);
	strings_clear(&pci);
	return r == 0 && !h->devices ? -ENOMEM : r;
}

/* "  events = 3 (0x3)": the number alone. What stands in quotes names something, or is a text. */
static int take_property(json_t *properties, const char *class_name, const char *line)
{
	char key[64], value[64];
	json_t *values;

	if (sscanf(line, " %63[^ =] = %63[^ \r\n]", key, value) != 2 || *value == '"')
		return 0;
	values = json_member(properties, class_name);
	values = values ? json_object_get(values, key) : NULL;
	if (json_has(values, value))
		return 0;
	if (!values) {
		values = json_array();
		if (json_put(json_object_get(properties, class_name), key, values) < 0)
			return -ENOMEM;
	}
	return json_add(values, json_string(value));
}

/* As later builds call it */
static const char *class_now(const struct rehearse_half *h, const char *class_name)
{
	const char *now = string_of(json_object_get(h->line->table, "same_drivers"), class_name);

	return now ? now : class_name;
}

/* A line at a time: sscanf(3) counts all that lies behind, too. */
static int take_tree(struct rehearse_half *h, char *text)
{
	char class_name[96] = "", *line;
	int r = 0;

	while (r == 0 && (line = strsep(&text, "\n")))
		if (sscanf(line, " dev: %95[^, \r\n]", class_name) == 1)
			r = json_member(h->properties, class_now(h, class_name)) ? 0 : -ENOMEM;
		else if (*class_name)
			r = take_property(h->properties, class_now(h, class_name), line);
	return r;
}

/* What its devices have, as it shows it to people: all at once. */
static int ask_properties(struct rehearse_half *h, struct qmp *q)
{
	json_auto_t *tree = NULL;
	_autofree_ char *text = NULL;
	int r = qmp_call(q, &tree, "human-monitor-command", "{ss}", "command-line", "info qtree");

	if (r < 0 || !json_is_string(tree))
		return r < 0 && q->failure != QMP_REFUSED ? r : 0;
	text = strdup(json_string_value(tree));
	h->properties = text ? json_object() : NULL;
	return h->properties ? take_tree(h, text) : -ENOMEM;
}

static int greet(struct rehearse_half *h, struct qmp *q)
{
	json_auto_t *answer = NULL;
	int r = qmp_receive_greeting(q, NULL);

	if (r == 0)
		r = qmp_call(q, &answer, "qmp_capabilities", NULL);
	if (r == 0)
		r = ask_version(h, q);
	return r == 0 ? ask_machine(h, q) : r;
}

int rehearse_ask_guest(struct rehearse_half *h, struct qmp *q)
{
	int r = greet(h, q);

	if (r == 0)
		r = ask_topology(h, q);
	return r == 0 ? ask_devices(h, q) : r;
}

int rehearse_ask(struct rehearse_half *h, struct qmp *q)
{
	int r = greet(h, q);

	if (r == 0)
		r = ask_vcpus(h, q);
	if (r == 0)
		r = ask_topology(h, q);
	if (r == 0)
		r = ask_properties(h, q);
	return r == 0 && h->lists_devices ? ask_devices(h, q) : r;
}
