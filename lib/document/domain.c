/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <syslog.h>

#include "base/context.h"
#include "base/harmless.h"
#include "base/known.h"
#include "document/catalogue.h"
#include "document/domain.h"
#include "document/xml.h"

#define PAIRS_MAX 1024 /* of queues: VIRTIO_QUEUE_MAX of QEMU */
#define WITH_VHOST "+vhost"
#define QEMU_NAMESPACE "http://libvirt.org/schemas/domain/qemu/1.0"

struct reading {
	struct abibase_context *ctx;
	const struct abibase_catalogue *cat;
	const char *source;
	const struct xml_element *domain;
	json_t *devices, *rest; /* what is judged; words for what is not */
	json_t *unjudged; /* words for what may change what is judged */
	const char *cpu; /* NULL: by a model */
	const char *baseline; /* id that its QEMU is started under; NULL: it names none */
	bool kvm, failed;
};

static void put(struct reading *d, json_t *obj, const char *key, json_t *v)
{
	d->failed |= json_object_set_new(obj, key, v) < 0;
}

/* "disk (virtio)": named, each once */
static void name_words(struct reading *d, json_t *list, const char *what, const char *kind)
{
	_autofree_ char *words = NULL;

	if (asprintf(&words, "%s%s%s%s", what, kind && *kind ? " (" : "", kind ? kind : "",
		     kind && *kind ? ")" : "") < 0) {
		words = NULL;
		d->failed = true;
		return;
	}
	text_harmless(words, "");
	if (!json_has(list, words))
		d->failed |= json_array_append_new(list, json_string(words)) < 0;
}

static void not_compared(struct reading *d, const char *what, const char *kind)
{
	name_words(d, d->rest, what, kind);
}

static void not_judged(struct reading *d, const char *what, const char *kind)
{
	name_words(d, d->unjudged, what, kind);
}

/* The namespace of a prefix, as the element or one around it declares it */
static const char *namespace_of(const struct xml_element *e, const char *prefix, size_t len)
{
	for (; e; e = e->parent)
		for (const struct xml_attribute *a = e->attributes; a; a = a->next)
			if (strprefix(a->name, "xmlns") &&
			    (len ? a->name[5] == ':' && strlen(a->name + 6) == len &&
					   !strncmp(a->name + 6, prefix, len) :
				   !a->name[5]))
				return a->value;
	return NULL;
}

/* Is it <qemu:NAME>, whatever the prefix is called? */
static bool is_qemu(const struct xml_element *e, const char *name)
{
	const char *colon = strchr(e->name, ':'), *uri;

	if (!streq(colon ? colon + 1 : e->name, name))
		return false;
	uri = namespace_of(e, e->name, colon ? (size_t)(colon - e->name) : 0);
	return uri ? streq(uri, QEMU_NAMESPACE) : strprefix(e->name, "qemu:");
}

/* The first of these from @e on */
static const struct xml_element *next_qemu(const struct xml_element *e, const char *name)
{
	while (e && !is_qemu(e, name))
		e = e->next;
	return e;
}

static int refuse(struct reading *d, const struct xml_element *e, const char *id, const char *what,
		  const char *value, const char *accepted)
{
	_autofree_ char *where = NULL;

	if (asprintf(&where, "%s:%u", d->source, e->line) < 0) {
		where = NULL;
		return context_oom(d->ctx);
	}
	return context_fail(d->ctx, EBADMSG, id, where, "%s is \"%s\"; accepted: %s", what, value,
			    accepted);
}

/* ----------------------------------------------------------------------- properties */

static bool is_on(const char *word)
{
	return streq(word, "on") || streq(word, "yes") || streq(word, "true");
}

static bool is_off(const char *word)
{
	return streq(word, "off") || streq(word, "no") || streq(word, "false");
}

/* A whole number up to @max; -1: it is none. */
static long number(const char *word, long max)
{
	char *end;
	long n;

	if (*word < '0' || *word > '9' || strlen(word) > 9)
		return -1;
	n = strtol(word, &end, 10);
	return *end || n > max ? -1 : n;
}

/* A switch of @e that the row is; of a number, several of what it counts turn the row on. */
static int take_switch(struct reading *d, const struct xml_element *e, const struct row *row,
		       const char *value, json_t *properties)
{
	long n = number(value, PAIRS_MAX);

	if (!is_on(value) && !is_off(value) && n < 0)
		return refuse(d, e, "domain-value", row->domain, value,
			      "on, off, yes, no, or a number");
	put(d, properties, row->key, json_boolean(n < 0 ? is_on(value) : n > 1));
	return 0;
}

/* What its own options say of an interface. */
static int take_driver(struct reading *d, const struct xml_element *e, json_t *properties,
		       long sizes[QUEUES_TRANSMIT + 1])
{
	for (size_t i = 0; i < d->cat->n_rows; i++) {
		const struct row *row = &d->cat->rows[i];
		const char *value = row->domain ? xml_find(e, row->domain) : NULL;
		int r = 0;

		if (!value)
			continue;
		if (!row->queues) {
			r = take_switch(d, e, row, value, properties);
		} else {
			sizes[row->queues] = number(value, GUEST_MAX_SIZE);
			if (sizes[row->queues] <= 0)
				r = refuse(d, e, "domain-value", row->domain, value,
					   "entries of a queue, at most 1024");
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Receive and transmit in turn; of queues that are not stated QEMU's default is not known here. */
static void put_sizes(struct reading *d, json_t *device, long pairs, const long sizes[])
{
	json_t *list;

	if (sizes[QUEUES_RECEIVE] <= 0)
		return;
	list = json_array();
	for (long i = 0; list && i < pairs; i++) {
		d->failed |= json_array_append_new(list, json_integer(sizes[QUEUES_RECEIVE])) < 0;
		if (sizes[QUEUES_TRANSMIT] <= 0)
			break;
		d->failed |= json_array_append_new(list, json_integer(sizes[QUEUES_TRANSMIT])) < 0;
	}
	put(d, device, "queue_sizes", list);
}

/* Which row of a device a name is that QEMU has for it; NULL: none that is known */
static const struct row *find_row(const struct abibase_catalogue *cat, const char *name)
{
	for (size_t i = 0; i < cat->n_rows; i++)
		if (streq(cat->rows[i].property, name) &&
		    strprefix(cat->rows[i].class_name, "virtio-net"))
			return &cat->rows[i];
	return NULL;
}

/* A property of <qemu:frontend>; what no row switches may change the device all the same. */
static void take_property(struct reading *d, const struct xml_element *p, json_t *device)
{
	const char *name = xml_attribute(p, "name"), *value = xml_attribute(p, "value");
	const struct row *row = name && value ? find_row(d->cat, name) : NULL;
	_buf_ words = { 0 };

	if (row && row->boolean && (is_on(value) || is_off(value)))
		put(d, json_object_get(device, "properties"), row->key, json_boolean(is_on(value)));
	/* of all numbers the MTU alone has a limit */
	else if (row && row->limit && number(value, GUEST_MTU_MAX) >= row->least)
		put(d, device, GUEST_MTU, json_integer(number(value, GUEST_MTU_MAX)));
	else {
		buf_printf(&words, value ? "%s=%s" : "%s", name ? name : "", value);
		d->failed |= buf_failed(&words);
		not_judged(d, "qemu:property", words.data);
	}
}

/* <qemu:override>, which goes before everything else that is said of a device */
static void take_override(struct reading *d, const char *alias, json_t *device)
{
	const struct xml_element *o = d->domain->first, *e, *f, *p;

	while (alias && (o = next_qemu(o, "override"))) {
		for (e = o->first; (e = next_qemu(e, "device")); e = e->next) {
			const char *of = xml_attribute(e, "alias");

			if (!of || !streq(of, alias))
				continue;
			for (f = e->first; (f = next_qemu(f, "frontend")); f = f->next)
				for (p = f->first; p; p = p->next)
					take_property(d, p, device);
		}
		o = o->next;
	}
}

/*
 * libvirt gives an interface without an alias its number at the start: among all of them, or among
 * those without an alias, as its version does. NULL: the two differ.
 */
static const char *alias_of(const struct xml_element *e, char (*room)[24])
{
	const struct xml_element *devices = e->parent;
	unsigned int all = 0, unnamed = 0;

	if (xml_find(e, "alias@name"))
		return xml_find(e, "alias@name");
	for (const struct xml_element *o = devices ? devices->first : NULL; o && o != e;
	     o = o->next) {
		const char *type = xml_attribute(o, "type");

		if (!streq(o->name, "interface"))
			continue;
		all++;
		unnamed += !xml_find(o, "alias@name") && !(type && streq(type, "hostdev"));
	}
	snprintf(*room, sizeof(*room), "net%u", all);
	return all == unnamed ? *room : NULL;
}

/* Whose alias it is among the devices; NULL: nobody's that is known */
static const struct xml_element *find_alias(const struct reading *d, const char *alias)
{
	const struct xml_element *e = xml_child(d->domain, "devices");
	char room[24];

	for (e = e ? e->first : NULL; e; e = e->next) {
		const char *is = streq(e->name, "interface") ? alias_of(e, &room) :
							       xml_find(e, "alias@name");

		if (is && streq(is, alias))
			return e;
	}
	return NULL;
}

/* An override of a device that is judged, but not here; and one of nobody knows what */
static void name_override(struct reading *d, const struct xml_element *e)
{
	static const char *const judged[] = { "net", "ua-", "vsock", "hostdev" };
	const char *alias = xml_attribute(e, "alias");
	const struct xml_element *of = alias ? find_alias(d, alias) : NULL;
	bool may = of && (streq(of->name, "vsock") || streq(of->name, "hostdev"));

	for (size_t i = 0; alias && !of && i < ARRAY_SIZE(judged); i++)
		may |= strprefix(alias, judged[i]);
	if (may)
		not_judged(d, "qemu:override", alias);
	else if (!of || !streq(of->name, "interface"))
		not_compared(d, "qemu:override", alias);
}

static void name_overrides(struct reading *d)
{
	const struct xml_element *o = d->domain->first, *e;

	for (; (o = next_qemu(o, "override")); o = o->next)
		for (e = o->first; (e = next_qemu(e, "device")); e = e->next)
			name_override(d, e);
}

/* "-global CLASS.PROPERTY=VALUE" of <qemu:commandline>: a default, for all devices of the class */
static bool take_global(struct reading *d, const char *word)
{
	const char *dot = strchr(word, '.'), *equals = strchr(word, '=');
	_autofree_ char *key = equals ? strndup(word, (size_t)(equals - word)) : NULL;
	int r = dot && key ? catalogue_row(d->cat, key) : -1;
	size_t i;
	json_t *v;

	if (r < 0 || !d->cat->rows[r].boolean || !(is_on(equals + 1) || is_off(equals + 1)))
		return false;
	json_array_foreach(d->devices, i, v) {
		json_t *properties = json_object_get(v, "properties");

		if (strprefix(string_of(v, "class"), "virtio-net") !=
			    strprefix(key, "virtio-net") ||
		    json_object_get(properties, key))
			continue;
		put(d, properties, key, json_boolean(is_on(equals + 1)));
	}
	return true;
}

/* An option that makes or changes a device which is judged, or may do so */
static bool may_change(const char *option, const char *value)
{
	static const char *const always[] = { "set", "readconfig", "net", "nic", "M", "machine" };
	static const char *const classes[] = { "virtio-", "vhost-vsock", "vhost-scsi",
					       "driver=", "pci-" };
	static const char *const devices[] = { "virtio-net", "vhost-vsock", "vhost-scsi" };

	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		if (streq(option, always[i]))
			return true;
	for (size_t i = 0; streq(option, "global") && i < ARRAY_SIZE(classes); i++)
		if (strprefix(value, classes[i]))
			return true;
	for (size_t i = 0; streq(option, "device") && i < ARRAY_SIZE(devices); i++)
		if (strstr(value, devices[i]))
			return true;
	return false;
}

static const struct xml_element *next_arg(const struct xml_element *e)
{
	for (e = next_qemu(e, "arg"); e && !xml_attribute(e, "value");)
		e = next_qemu(e->next, "arg");
	return e;
}

static void take_args(struct reading *d, const struct xml_element *e)
{
	while ((e = next_arg(e))) {
		const char *word = xml_attribute(e, "value");
		const struct xml_element *after = next_arg(e->next);
		const char *next = after ? xml_attribute(after, "value") : "";
		/* QEMU takes two dashes for one */
		const char *option = *word == '-' ? word + 1 + (word[1] == '-') : "";

		e = e->next;
		if (streq(option, "global") && take_global(d, next)) {
			e = after->next;
		} else if (may_change(option, next)) {
			not_judged(d, word, next);
			e = after ? after->next : NULL;
		} else {
			not_compared(d, "qemu:arg", word);
		}
	}
}

/* The baseline that the environment of its QEMU names: see abibase-emulator(1) */
static int take_env(struct reading *d, const struct xml_element *e)
{
	for (; (e = next_qemu(e, "env")); e = e->next) {
		const char *name = xml_attribute(e, "name"), *value = xml_attribute(e, "value");

		if (!name || !streq(name, "ABIBASE_BASELINE"))
			continue;
		if (!value || !id_valid(value) || (d->baseline && !streq(d->baseline, value)))
			return refuse(d, e, "domain-value", "qemu:env ABIBASE_BASELINE", value ? value : "",
				      "the id of one baseline, \"b1-\" and 32 hex digits");
		d->baseline = value;
	}
	return 0;
}

static int take_commandline(struct reading *d)
{
	const struct xml_element *e = d->domain->first;
	int r = 0;

	for (; r == 0 && (e = next_qemu(e, "commandline")); e = e->next) {
		take_args(d, e->first);
		r = take_env(d, e->first);
	}
	return r;
}

/* ------------------------------------------------------------------------ interfaces */

/* On which backend a type of interface is; NULL: on none that is compared. */
static const struct {
	const char *type, *backend;
} types[] = {
	{ "bridge", "tap" },  { "ethernet", "tap" }, { "network", "tap" },  { "direct", "macvtap" },
	{ "user", "user" },   { "hostdev", NULL },   { "vhostuser", NULL }, { "vdpa", NULL },
	{ "internal", NULL }, { "server", NULL },    { "client", NULL },    { "mcast", NULL },
	{ "udp", NULL },      { "null", NULL },
};

/* Of a network, and of a device that somebody else made, the XML may not say what it is. */
static bool is_told(const struct xml_element *e, const char *type, const char **backend)
{
	if (streq(type, "ethernet"))
		return !xml_find(e, "target@managed") || is_on(xml_find(e, "target@managed"));
	if (!streq(type, "network") || xml_find(e, "source@bridge"))
		return true;
	if (!xml_find(e, "source@dev") || !xml_find(e, "source@mode"))
		return false;
	*backend = "macvtap";
	return true;
}

/* The backend of the device, with or without vhost as its driver says */
static int put_backend(struct reading *d, const struct xml_element *e, const char *type,
		       const char *backend, json_t *device)
{
	const char *driver = xml_find(e, "driver@name");
	bool vhost = driver ? streq(driver, "vhost") : d->kvm;
	char name[32];

	if (driver && !streq(driver, "vhost") && !streq(driver, "qemu"))
		return refuse(d, e, "domain-value", "driver@name", driver, "vhost, qemu");
	if (!is_told(e, type, &backend))
		return 0;
	if (streq(backend, "user"))
		vhost = false;
	snprintf(name, sizeof(name), "%s%s", backend, vhost ? WITH_VHOST : "");
	put(d, device, "backend", json_string(name));
	/* libvirt does without where a host has none */
	if (vhost && !driver)
		put(d, device, GUEST_VHOST_OPTIONAL, json_true());
	return 0;
}

static const char *name_of(const struct xml_element *e)
{
	const char *alias = xml_find(e, "alias@name"), *mac = xml_find(e, "mac@address");

	return alias && *alias ? alias : mac && *mac ? mac : e->name;
}

static int fill_interface(struct reading *d, const struct xml_element *e, const char *type,
			  const char *backend, json_t *device)
{
	const char *mtu = xml_find(e, "mtu@size"), *rom = xml_find(e, "rom@enabled");
	const char *bar = xml_find(e, "rom@bar"), *pairs = xml_find(e, "driver@queues");
	json_t *properties = json_object();
	long sizes[QUEUES_TRANSMIT + 1] = { 0 };
	char alias[24];
	int r;

	put(d, device, "properties", properties);
	if (!properties)
		return -ENOMEM;
	r = put_backend(d, e, type, backend, device);
	if (r == 0)
		r = take_driver(d, e, properties, sizes);
	if (r == 0 && mtu && (number(mtu, GUEST_MTU_MAX) < 68))
		r = refuse(d, e, "domain-value", "mtu@size", mtu, "68 to 65535");
	if (r == 0 && mtu)
		put(d, device, GUEST_MTU, json_integer(number(mtu, GUEST_MTU_MAX)));
	put_sizes(d, device, pairs && number(pairs, PAIRS_MAX) > 0 ? number(pairs, PAIRS_MAX) : 1,
		  sizes);
	if ((rom && is_off(rom)) || (bar && is_off(bar)))
		put(d, device, "rom_size", json_integer(0));
	else if (xml_find(e, "rom@file"))
		not_compared(d, "rom", xml_find(e, "rom@file"));
	take_override(d, alias_of(e, &alias), device);
	return r;
}

static int add_interface(struct reading *d, const struct xml_element *e)
{
	const char *type = xml_attribute(e, "type"), *model = xml_find(e, "model@type");
	json_t *device;
	size_t i = 0;

	while (i < ARRAY_SIZE(types) && !(type && streq(types[i].type, type)))
		i++;
	if (i == ARRAY_SIZE(types))
		return refuse(
			d, e, "domain-value", "the type of an interface", type ? type : "",
			"bridge, direct, ethernet, network, user, vhostuser, vdpa, hostdev, and "
			"others that libvirt writes");
	if (model && strprefix(model, "virtio") && !types[i].backend && !streq(type, "hostdev")) {
		not_judged(d, "interface", type);
		return 0;
	}
	if (!model || !strprefix(model, "virtio") || !types[i].backend) {
		not_compared(d, "interface",
			     types[i].backend ? (model ? model : "no model") : type);
		return 0;
	}
	device = json_pack("{s:s, s:o}", "class", NET_DEVICE, "id", json_harmless(name_of(e)));
	if (!device || json_array_append_new(d->devices, device) < 0)
		return -ENOMEM;
	return fill_interface(d, e, type, types[i].backend, device);
}

/* -------------------------------------------------------------------- other devices */

/* A device of its own backend: what the catalogue calls its class */
static int add_device(struct reading *d, const struct xml_element *e, const char *backend)
{
	int be = catalogue_backend(d->cat, backend);

	for (size_t i = 0; be >= 0 && i < d->cat->n_rows; i++)
		if (d->cat->rows[i].backends & (1u << be))
			return json_array_append_new(
				       d->devices,
				       json_pack("{s:s, s:s, s:o}", "backend", backend, "class",
						 d->cat->rows[i].class_name, "id",
						 json_harmless(name_of(e)))) < 0 ?
				       -ENOMEM :
				       0;
	not_compared(d, e->name, backend);
	return 0;
}

static const char *kind_of(const struct xml_element *e)
{
	static const char *const places[] = { "@model", "target@bus", "model@type", "@bus", "@type",
					      "source@protocol" };
	const char *kind = NULL;

	for (size_t i = 0; !kind && i < ARRAY_SIZE(places); i++)
		kind = xml_find(e, places[i]);
	return kind;
}

static bool attribute_is(const struct xml_element *e, const char *path, const char *value)
{
	const char *is = xml_find(e, path);

	return is && streq(is, value);
}

static int add_any(struct reading *d, const struct xml_element *e)
{
	if (streq(e->name, "interface"))
		return add_interface(d, e);
	if (streq(e->name, "vsock") && (!xml_attribute(e, "model") ||
					strprefix(xml_attribute(e, "model"), "virtio")))
		return add_device(d, e, "vhost-vsock");
	if (streq(e->name, "hostdev") && attribute_is(e, "@type", "scsi_host") &&
	    attribute_is(e, "source@protocol", "vhost"))
		return add_device(d, e, "vhost-scsi");
	if (streq(e->name, "emulator") || attribute_is(e, "@model", "none"))
		return 0;
	not_compared(d, e->name, kind_of(e));
	return 0;
}

/* How the domain names its CPU, where that is not by a model; else NULL */
static const char *cpu_of(const struct xml_element *domain)
{
	const struct xml_element *cpu = xml_child(domain, "cpu"), *model = xml_child(cpu, "model");
	const char *mode = xml_attribute(cpu, "mode");

	/* XML has characters that no document has */
	if (mode && !streq(mode, "custom"))
		return text_is_harmless(mode) ? mode : NULL;
	return model && *model->text ? NULL : "";
}

/* A path that a shell takes for one word; else NULL */
static const char *emulator_of(const struct xml_element *domain)
{
	const struct xml_element *e = xml_child(xml_child(domain, "devices"), "emulator");

	return e && *e->text == '/' && !e->text[strspn(e->text, "abcdefghijklmnopqrstuvwxyz"
								"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
								"0123456789/._+-")] ?
		       e->text :
		       NULL;
}

static int read_devices(struct reading *d)
{
	const struct xml_element *e = xml_child(d->domain, "devices");
	int r = 0;

	for (e = e ? e->first : NULL; r == 0 && e; e = e->next)
		r = add_any(d, e);
	if (r < 0)
		return r;
	name_overrides(d);
	r = take_commandline(d);
	if (r < 0)
		return r;
	d->cpu = cpu_of(d->domain);
	if (xml_child(d->domain, "cpu"))
		not_compared(d, "cpu", xml_find(d->domain, "cpu@mode"));
	return d->failed ? -ENOMEM : 0;
}

/* ------------------------------------------------------------------------- the whole */

static int make_guest(struct reading *d, struct abibase_guest **ret)
{
	const char *name = xml_find(d->domain, "name"), *arch = xml_find(d->domain, "os/type@arch");
	const char *machine = xml_find(d->domain, "os/type@machine");
	json_t *root;
	int r = read_devices(d);

	if (r < 0)
		return r;
	if (!machine || !name_valid(machine))
		return refuse(d, d->domain, "domain-value", "os/type@machine",
			      machine ? machine : "", "the name of a machine type of QEMU");
	if (arch && !name_valid(arch))
		return refuse(d, d->domain, "domain-value", "os/type@arch", arch,
			      "an architecture");
	root = json_pack("{s:s, s:O, s:s, s:s*, s:s*, s:O, s:O, s:s*, s:s, s:s*, s:s*}", "schema",
			 "abibase-guest/1", "devices", d->devices, "machine", machine, "name",
			 name && name_valid(name) ? name : NULL, "target", arch,
			 DOMAIN_NOT_COMPARED, d->rest, DOMAIN_NOT_JUDGED, d->unjudged, GUEST_X_CPU,
			 d->cpu, GUEST_X_VIRTTYPE, d->kvm ? "kvm" : "qemu", GUEST_X_EMULATOR,
			 emulator_of(d->domain), GUEST_X_BASELINE, d->baseline);
	return root ? guest_make(d->ctx, root, d->source, ret) : -ENOMEM;
}

static int read_domain(struct reading *d, struct abibase_guest **ret)
{
	const char *type = xml_attribute(d->domain, "type");
	int r;

	if (!streq(d->domain->name, "domain"))
		return refuse(d, d->domain, "domain-value", "the outermost element",
			      d->domain->name, "domain, as virsh dumpxml writes it");
	if (!type || (!streq(type, "kvm") && !streq(type, "qemu") && !streq(type, "hvf")))
		return refuse(d, d->domain, "domain-value", "the type of the domain",
			      type ? type : "", "kvm, qemu");
	d->kvm = streq(type, "kvm");
	d->devices = json_array();
	d->rest = json_array();
	d->unjudged = json_array();
	r = d->devices && d->rest && d->unjudged ? make_guest(d, ret) : -ENOMEM;
	json_decref(d->devices);
	json_decref(d->rest);
	json_decref(d->unjudged);
	return r == -ENOMEM ? context_oom(d->ctx) : r;
}

ABIBASE_EXPORT int abibase_guest_from_domain(struct abibase_context *ctx,
					     const struct abibase_catalogue *cat, const char *xml,
					     size_t len, const char *source,
					     struct abibase_guest **ret)
{
	struct reading d = { .ctx = ctx, .cat = cat, .source = source };
	struct xml_element *domain = NULL;
	struct arena arena = { 0 };
	int r = xml_read(ctx, xml, len, source, &arena, &domain);

	d.domain = domain;
	if (r == 0)
		r = read_domain(&d, ret);
	arena_clear(&arena);
	return r;
}

/* ---------------------------------------------------------------- beside a running guest */

/* The one of the domain that the @i-th device of the guest is; NULL: none, or it cannot be told. */
static const json_t *same_device(const struct abibase_guest *g, size_t i,
				 const struct abibase_guest *domain)
{
	const struct guest_device *d = &g->devices[i];
	size_t ours = 0, theirs = 0, k = 0;
	const json_t *ret = NULL;

	for (size_t n = 0; n < g->n; n++)
		if (streq(g->devices[n].class_name, d->class_name)) {
			ours++;
			k += n < i;
		}
	for (size_t n = 0; n < domain->n; n++) {
		const struct guest_device *o = &domain->devices[n];

		if (!streq(o->class_name, d->class_name))
			continue;
		/* "/machine/peripheral/net0/virtio-backend" */
		if (d->id && o->id && (streq(d->id, o->id) || strstr(d->id, o->id)))
			return o->json;
		if (theirs++ == k)
			ret = o->json;
	}
	return ours == theirs ? ret : NULL;
}

/* What the guest does not say of a device its domain says. */
static int join_device(json_t *device, const json_t *from)
{
	static const char *const keys[] = { "backend", GUEST_MTU,     "queue_sizes",
					    "rom_size", GUEST_VHOST_OPTIONAL };
	json_t *own = json_object_get(device, "properties");
	json_t *more = json_object_get(from, "properties");
	json_auto_t *both = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (json_object_get(from, keys[i]) && !json_object_get(device, keys[i]) &&
		    json_object_set(device, keys[i], json_object_get(from, keys[i])) < 0)
			return -ENOMEM;
	if (!json_object_size(more))
		return 0;
	both = json_copy(more);
	if (!both || (own && json_object_update(both, own) < 0))
		return -ENOMEM;
	return json_object_set(device, "properties", both);
}

ABIBASE_EXPORT int abibase_guest_join(struct abibase_context *ctx, const struct abibase_guest *g,
				      const struct abibase_guest *domain,
				      struct abibase_guest **ret)
{
	static const char *const whole[] = { DOMAIN_NOT_JUDGED, DOMAIN_NOT_COMPARED, GUEST_X_CPU,
					     GUEST_X_VIRTTYPE, GUEST_X_EMULATOR };
	json_auto_t *root = json_deep_copy(g->root);
	json_t *list = json_object_get(root, "devices"), *v;
	size_t i;
	int r = root ? 0 : -ENOMEM;

	if (r == 0 && !g->machine)
		r = json_object_set_new(root, "machine", json_string(domain->machine));
	if (r == 0 && !g->target && domain->target)
		r = json_object_set_new(root, "target", json_string(domain->target));
	if (r == 0 && g->machine && !streq(g->machine, domain->machine))
		return context_fail(ctx, EINVAL, "guest-differs", NULL,
				    "the guest states the machine type %s, and its domain %s",
				    g->machine, domain->machine);
	for (size_t k = 0; r == 0 && k < ARRAY_SIZE(whole); k++)
		if (json_object_get(domain->root, whole[k]))
			r = json_object_set(root, whole[k],
					    json_object_get(domain->root, whole[k]));
	json_array_foreach(list, i, v) {
		const json_t *from = same_device(g, i, domain);

		if (!from)
			return context_fail(
				ctx, EINVAL, "guest-differs", NULL,
				"device %zu of the guest, %s, cannot be told among those of "
				"its domain",
				i + 1, g->devices[i].class_name);
		if (r == 0)
			r = join_device(v, from);
	}
	return r < 0 ? context_oom(ctx) : guest_from_json(ctx, steal(&root), g->source, ret);
}
