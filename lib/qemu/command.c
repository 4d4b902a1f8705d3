/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/stat.h>
#include <syslog.h>

#include "qemu/command.h"
#include "base/context.h"
#include "document/profile.h"
#include "model/effective.h"

/*
 * What a command line of QEMU says about that which a baseline decides. Only the options that can
 * concern it are looked at; each is read as QEMU reads it: "-x" and "--x" are the same, "," ends a
 * parameter and ",," is a comma, a parameter without "=" is on, or off when it begins with "no".
 */

struct review {
	struct abibase_context *ctx;
	const struct abibase_baseline *b;
	const char *const *argv;
	char *machine; /* the last that is named */
	bool backend_said;
};

/* -------------------------------------------------------------------- parameters */

/* Up to the end of a parameter's value; ",," stands for one comma. */
static const char *take_value(const char *p, struct buf *value)
{
	for (; *p; p++) {
		if (*p == ',' && *++p != ',')
			return p;
		buf_putc(value, *p);
	}
	return p;
}

static int json_params(const char *text, param_fn fn, void *data)
{
	json_auto_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const char *key;
	json_t *v;
	int r = 0;

	/* What is not JSON, QEMU refuses itself. */
	json_object_foreach(root, key, v) {
		if (json_is_string(v)) {
			r = fn(data, key, json_string_value(v));
		} else if (json_is_boolean(v)) {
			r = fn(data, key, json_is_true(v) ? "on" : "off");
		} else if (json_is_integer(v)) {
			char number[24];

			snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
			r = fn(data, key, number);
		}
		if (r)
			return r;
	}
	return 0;
}

static int one_param(const char **p, const char *implied, param_fn fn, void *data)
{
	size_t len = strcspn(*p, "=,");
	_buf_ key = { 0 }, value = { 0 };

	if ((*p)[len] == '=') {
		buf_add(&key, *p, len);
		*p = take_value(*p + len + 1, &value);
	} else if (implied) {
		buf_puts(&key, implied);
		*p = take_value(*p, &value);
	} else {
		bool off = len > 2 && strprefix(*p, "no");

		buf_add(&key, *p + (off ? 2 : 0), len - (off ? 2 : 0));
		buf_puts(&value, off ? "off" : "on");
		*p += len + ((*p)[len] == ',');
	}
	if (buf_failed(&key) || buf_failed(&value))
		return -ENOMEM;
	return fn(data, key.data ? key.data : "", value.data ? value.data : "");
}

int each_param(const char *text, const char *implied, param_fn fn, void *data)
{
	const char *p = text;
	int r = 0;

	if (*text == '{')
		return json_params(text, fn, data);
	while (r == 0 && *p) {
		r = one_param(&p, implied, fn, data);
		implied = NULL;
	}
	return r;
}

struct wanted {
	const char *key;
	char *value; /* the last one, as QEMU takes it */
};

static int want_param(void *data, const char *key, const char *value)
{
	struct wanted *w = data;

	return streq(key, w->key) ? context_replace(NULL, &w->value, value) : 0;
}

int get_param(const char *text, const char *implied, const char *key, char **ret)
{
	struct wanted w = { .key = key };
	int r = each_param(text, implied, want_param, &w);

	if (r < 0) {
		free(w.value);
		return r;
	}
	*ret = w.value;
	return 0;
}

/* --------------------------------------------------------------------- judgement */

/* "virtio-net-pci-base" is what all proxies of "virtio-net-device" are. */
static const char proxy_suffix[] = "-pci-base";

static bool is_proxy(const char *class_name)
{
	return ends_with(class_name, proxy_suffix);
}

/*
 * Is @name the device whose class is @class_name, or one of its proxies? "virtio-net-pci" is of
 * "virtio-net-device", and so is the alias "virtio-net"; "vhost-scsi-pci" is of "vhost-scsi".
 */
bool is_of(const char *name, const char *class_name)
{
	size_t len = length_without(class_name, is_proxy(class_name) ? proxy_suffix : "-device");

	return !strncmp(name, class_name, len) && (!name[len] || name[len] == '-');
}

static const struct value *promised(const struct abibase_baseline *b, const char *driver,
				    const char *property)
{
	for (size_t i = 0; i < b->n_values; i++)
		if (streq(b->values[i].property, property) &&
		    is_of(driver, b->values[i].class_name))
			return &b->values[i];
	return NULL;
}

bool word_is_bool(const char *word, bool on)
{
	static const char *const words[2][5] = { { "off", "no", "false", "n", NULL },
						 { "on", "yes", "true", "y", NULL } };

	return word_index(words[on], word) >= 0;
}

bool is_free(const struct value *v)
{
	return v->is_number && !v->n_requires && !v->n_why;
}

/* Hexadecimal and octal ones too. */
static bool read_number(const char *value, long long *ret)
{
	char *end;

	*ret = strtoll(value, &end, 0);
	return *value && !*end;
}

bool agrees(const struct value *v, const char *value)
{
	long long n;

	if (v->is_number)
		return read_number(value, &n) && n == v->number;
	return word_is_bool(value, v->on);
}

bool is_within(const struct value *v, const char *value)
{
	long long n;

	if (agrees(v, value))
		return true;
	if (v->is_number)
		return read_number(value, &n) && n >= 0 && n <= v->number;
	/* without a bit it is layout, where off is not less */
	return v->bit >= 0 && v->on && word_is_bool(value, false);
}

/* @option on @name */
static void defeats(const struct review *rv, const char *option, const char *name,
		    const struct value *v, const char *value)
{
	context_log(rv->ctx, LOG_WARNING, "command-defeats",
		    "%s%s with %s=%s defeats the baseline, which has %s.%s=%s (%s): leave it out",
		    option, name, v->property, value, v->class_name, v->property, v->text,
		    v->feature);
}

/* Classes that the proxy is of, so that a -global there comes after those on the device itself. */
bool is_proxy_class(const char *name, const char *class_name)
{
	return (is_of(name, class_name) && !streq(name, class_name)) || streq(name, "virtio-pci") ||
	       streq(name, "pci-device") || streq(name, "device");
}

/* Classes that the object is of that the list is about: there the last -global wins. */
bool is_device_class(const char *name, const char *class_name)
{
	if (is_proxy(class_name))
		return is_proxy_class(name, class_name) || streq(name, class_name);
	return streq(name, class_name) || streq(name, "virtio-device");
}

bool is_net_driver(const char *driver)
{
	return is_of(driver, NET_DEVICE);
}

bool nic_has_rom(const char *romfile, const char *rombar)
{
	return !romfile && (!rombar || (!streq(rombar, "0") && !word_is_bool(rombar, false)));
}

/* 1: it is one with such a ROM, 0: it is none, or has none. */
static int device_has_rom(const char *text, bool *ret_net)
{
	_autofree_ char *driver = NULL, *file = NULL, *bar = NULL;
	int r = get_param(text, "driver", "driver", &driver);

	*ret_net = r == 0 && driver && is_net_driver(driver);
	if (r == 0 && *ret_net)
		r = get_param(text, "driver", "romfile", &file);
	if (r == 0 && *ret_net)
		r = get_param(text, "driver", "rombar", &bar);
	return r < 0 ? r : *ret_net && nic_has_rom(file, bar);
}

struct device {
	struct review *rv;
	const char *driver;
};

static int device_param(void *data, const char *key, const char *value)
{
	struct device *d = data;
	const struct value *v = promised(d->rv->b, d->driver, key);

	if (v && !is_within(v, value) && !is_free(v))
		defeats(d->rv, "-device ", d->driver, v, value);
	return 0;
}

/* A baseline that leaves ROMs out is for guests without. */
static int review_rom(struct review *rv, const char *driver, const char *text)
{
	bool net;
	int r = strings_have(&rv->b->in.policy.disable, OPTION_ROM) ? device_has_rom(text, &net) : 0;

	if (r > 0)
		context_log(rv->ctx, LOG_WARNING, "command-rom",
			    "-device %s has an option ROM, and the baseline was made for guests without: "
			    "add romfile= to it",
			    driver);
	return r < 0 ? r : 0;
}

static int review_device(struct review *rv, const char *text)
{
	_autofree_ char *driver = NULL;
	struct device d = { .rv = rv };
	int r = get_param(text, "driver", "driver", &driver);

	if (r < 0 || !driver)
		return r;
	d.driver = driver;
	r = each_param(text, "driver", device_param, &d);
	return r < 0 ? r : review_rom(rv, driver, text);
}

static void judge_value(struct review *rv, const struct value *v, const char *name,
			const char *value)
{
	if (agrees(v, value))
		return;
	if (is_device_class(name, v->class_name))
		context_log(rv->ctx, LOG_WARNING, "command-loses",
			    "-global %s.%s=%s has no effect: the baseline has %s, and its list comes "
			    "last",
			    name, v->property, value, v->text);
	else if ((v->bit < 0 || !is_within(v, value)) && is_proxy_class(name, v->class_name))
		defeats(rv, "-global on ", name, v, value);
}

static int judge_global(void *data, const char *name, const char *property, const char *value)
{
	struct review *rv = data;

	for (size_t i = 0; i < rv->b->n_values; i++)
		if (streq(rv->b->values[i].property, property))
			judge_value(rv, &rv->b->values[i], name, value);
	return 0;
}

int parse_global(const char *text, global_fn fn, void *data)
{
	_autofree_ char *driver = NULL, *property = NULL, *value = NULL;
	char name[64], prop[64];
	int end = 0, r;

	if (sscanf(text, "%63[^.=].%63[^=]%n", name, prop, &end) == 2 && text[end] == '=')
		return fn(data, name, prop, text + end + 1);
	r = get_param(text, NULL, "driver", &driver);
	if (r == 0)
		r = get_param(text, NULL, "property", &property);
	if (r == 0)
		r = get_param(text, NULL, "value", &value);
	return r == 0 && driver && property && value ? fn(data, driver, property, value) : r;
}

const struct offer *offer_on(const struct abibase_baseline *b, const char *backend)
{
	for (size_t i = 0; i < b->n_offers; i++)
		if (streq(b->in.backends[b->offers[i].backend], backend))
			return &b->offers[i];
	return NULL;
}

static int vhost_param(void *data, const char *key, const char *value)
{
	return (streq(key, "vhost") && !streq(value, "off")) || streq(key, "vhostfd") ||
	       streq(key, "vhostfds");
}

/* A tap that is passed as a descriptor may be a macvtap, so only vhost can be told. */
static int review_netdev(struct review *rv, const char *text)
{
	_autofree_ char *type = NULL;
	int r = get_param(text, "type", "type", &type);

	if (r < 0 || !type || !streq(type, "tap") || rv->backend_said)
		return r;
	r = each_param(text, "type", vhost_param, NULL);
	if (r < 0)
		return r;
	if (offer_on(rv->b, r ? "tap+vhost" : "tap") ||
	    offer_on(rv->b, r ? "macvtap+vhost" : "macvtap"))
		return 0;
	rv->backend_said = true;
	context_log(rv->ctx, LOG_WARNING, "command-backend",
		    "a tap %s vhost is on the command line, and the baseline does not cover that "
		    "backend: make one with --backend",
		    r ? "with" : "without");
	return 0;
}

/* --------------------------------------------------------------------- -readconfig */

/* The lines of a section as the parameters of the option that it stands for. */
struct section {
	char name[64];
	struct buf params;
};

static int end_section(struct section *s, option_fn fn, void *data)
{
	int r = buf_failed(&s->params) ? -ENOMEM : 0;

	if (r == 0 && *s->name)
		r = fn(data, s->name, s->params.data ? s->params.data : "");
	buf_clear(&s->params);
	*s->name = '\0';
	return r;
}

static void add_quoted(struct section *s, const char *key, const char *value, size_t len)
{
	if (s->params.len)
		buf_putc(&s->params, ',');
	buf_puts(&s->params, key);
	buf_putc(&s->params, '=');
	for (size_t i = 0; i < len; i++) {
		if (value[i] == ',')
			buf_putc(&s->params, ',');
		buf_putc(&s->params, value[i]);
	}
}

/* [NAME], [NAME "ID"], or KEY = "VALUE"; everything else QEMU passes over, or refuses itself. */
static int config_line(struct section *s, const char *line, option_fn fn, void *data)
{
	char name[64], id[64] = "", key[64];
	int start = 0, r;

	if (sscanf(line, "[%63s \"%63[^\"]\"]", name, id) > 0) {
		r = end_section(s, fn, data);
		if (*id)
			add_quoted(s, "id", id, strlen(id));
		else
			name[strcspn(name, "]")] = '\0';
		strcpy(s->name, name);
		return r;
	}
	if (sscanf(line, " %63s = \"%n", key, &start) == 1 && start)
		add_quoted(s, key, line + start, strcspn(line + start, "\""));
	return 0;
}

static int config_lines(char *text, option_fn fn, void *data)
{
	struct section s = { 0 };
	char *line;
	int r = 0;

	while (r == 0 && (line = strsep(&text, "\n")))
		if (*line != '#')
			r = config_line(&s, line, fn, data);
	if (r == 0)
		r = end_section(&s, fn, data);
	buf_clear(&s.params);
	return r;
}

/* Of a pipe or a passed descriptor nothing would be left for QEMU. */
int read_config(struct abibase_context *ctx, const char *path, option_fn fn, void *data)
{
	_autofree_ char *text = NULL;
	struct stat st;
	size_t len;
	int r;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	r = file_read(ctx, path, JSON_MAX_PROFILE, &text, &len);
	return r < 0 ? r : config_lines(text, fn, data);
}

static int review_config(struct abibase_context *ctx, const char *path, option_fn fn, void *data)
{
	int r = read_config(ctx, path, fn, data);

	if (r >= 0 || r == -ENOMEM)
		return r;
	context_log(ctx, LOG_WARNING, "command-unseen",
		    "-readconfig %s: cannot be looked into, so what it says against the baseline is "
		    "not seen",
		    path);
	return 0;
}

/* ------------------------------------------------------------------------ options */

/*
 * Calls @fn for each option with a value that can matter; with a context, those of -readconfig files
 * too.
 */
static int each_option(struct abibase_context *ctx, const char *const *argv, option_fn fn,
		       void *data)
{
	struct option_word o;
	size_t i = 0;
	int r = 0;

	while (r == 0 && next_option(argv, &i, &o)) {
		if (!o.name || !o.value)
			continue;
		if (!streq(o.name, "readconfig"))
			r = fn(data, streq(o.name, "M") ? "machine" : o.name, o.value);
		else if (ctx)
			r = review_config(ctx, o.value, fn, data);
	}
	return r;
}

int take_machine(void *data, const char *name, const char *value)
{
	char **type = data, *given = NULL;
	int r;

	if (!streq(name, "machine"))
		return 0;
	r = get_param(value, "type", "type", &given);
	if (r < 0 || !given)
		return r;
	free(*type);
	*type = given;
	return 0;
}

struct sought {
	const char *id;
	char *driver; /* of the device that has it */
};

static int seek_device(void *data, const char *name, const char *value)
{
	_autofree_ char *driver = NULL, *id = NULL;
	struct sought *s = data;
	int r;

	if (!streq(name, "device"))
		return 0;
	r = get_param(value, "driver", "driver", &driver);
	if (r == 0)
		r = get_param(value, "driver", "id", &id);
	if (r < 0 || !driver || !id || !streq(id, s->id))
		return r;
	free(s->driver);
	s->driver = steal(&driver);
	return 0;
}

/* -set device.ID.PROPERTY=VALUE changes a -device that came before */
static int review_set(struct review *rv, const char *text)
{
	char id[64], property[64];
	struct sought s = { .id = id };
	const struct value *v;
	int end = 0, r;

	if (sscanf(text, "device.%63[^.].%63[^=]%n", id, property, &end) != 2 || text[end] != '=')
		return 0;
	r = each_option(NULL, rv->argv, seek_device, &s);
	v = r < 0 || !s.driver ? NULL : promised(rv->b, s.driver, property);
	free(s.driver);
	if (v && !is_within(v, text + end + 1) && !is_free(v))
		defeats(rv, "-set device.", id, v, text + end + 1);
	return r;
}

static int review_option(void *data, const char *name, const char *value)
{
	struct review *rv = data;

	if (streq(name, "machine"))
		return take_machine(&rv->machine, name, value);
	if (streq(name, "device"))
		return review_device(rv, value);
	if (streq(name, "global"))
		return parse_global(value, judge_global, rv);
	if (streq(name, "set"))
		return review_set(rv, value);
	if (streq(name, "netdev") || streq(name, "nic") || streq(name, "net"))
		return review_netdev(rv, value);
	return 0;
}

/* Does this QEMU of the host make the baseline's machine of the name? */
static bool takes_name(const struct abibase_profile *p, const char *qemu, const char *name,
		       const char *machine)
{
	const struct profile_qemu *q = p && qemu ? profile_qemu_at(p, qemu) : NULL;

	return q && qemu_takes_name(q->json, name, machine);
}

ABIBASE_EXPORT int abibase_baseline_review(struct abibase_context *ctx,
					   const struct abibase_baseline *b,
					   const struct abibase_profile *p, const char *qemu,
					   const char *const *argv)
{
	struct review rv = { .ctx = ctx, .b = b, .argv = argv };
	_autofree_ char *type = NULL;
	int r;

	if (!b->machine)
		return context_fail(ctx, EINVAL, "baseline-not-yes", NULL,
				    "this baseline promises nothing: its hosts could not share one");
	r = each_option(ctx, argv, review_option, &rv);
	type = rv.machine;
	if (r < 0)
		return context_oom(ctx);
	if (type && (streq(type, b->machine) || takes_name(p, qemu, type, b->machine)))
		return 0;
	return context_fail(ctx, EINVAL, "command-machine", NULL,
			    "the baseline is of machine type %s, and the command line %s%s: start the "
			    "guest with -machine %s",
			    b->machine, type ? "has " : "names none", type ? type : "", b->machine);
}

/* ---------------------------------------------------------------------------- ROMs */

struct roms {
	size_t with, without;
};

static int count_rom(void *data, const char *name, const char *value)
{
	struct roms *n = data;
	bool net;
	int r;

	if (streq(name, "nic") || streq(name, "net"))
		n->with++; /* nothing there says that it has none */
	if (!streq(name, "device"))
		return 0;
	r = device_has_rom(value, &net);
	if (r < 0)
		return r;
	n->with += r > 0;
	n->without += net && !r;
	return 0;
}

ABIBASE_EXPORT int abibase_command_has_rom(const char *const *argv)
{
	struct option_word o;
	struct roms n = { 0 };
	size_t i = 0;

	while (next_option(argv, &i, &o))
		if (!o.known || (o.name && streq(o.name, "readconfig")))
			return 1;
	if (each_option(NULL, argv, count_rom, &n) < 0)
		return -ENOMEM;
	return n.with || !n.without;
}

/* ------------------------------------------------------------------------ queries */

/* One of the parameters, as QEMU takes them apart, is the word for it. */
static bool asks_for_help(const char *value)
{
	bool help = false;

	while (*value && !help) {
		_buf_ one = { 0 };

		value = take_value(value, &one);
		help = one.data && !one.failed && (streq(one.data, "help") || streq(one.data, "?"));
	}
	return help;
}

ABIBASE_EXPORT int abibase_command_is_query(const char *const *argv)
{
	static const char *const alone[] = { "help", "h", "version", NULL };
	/* options that print a list and end when they are given "help" */
	static const char *const lists[] = { "device", "cpu",	 "machine", "M",   "accel",
					     "netdev", "object", "chardev", NULL };
	_autofree_ char *type = NULL;
	struct option_word o;
	bool help = false;

	/* A file could name a machine type; those who only ask have none, and no new options. */
	for (size_t i = 0; next_option(argv, &i, &o);) {
		if (!o.known || (o.name && streq(o.name, "readconfig")))
			return 0;
		if (o.name && word_index(alone, o.name) >= 0 && !argv[1])
			return 1;
		help |= o.name && o.value && word_index(lists, o.name) >= 0 &&
			asks_for_help(o.value);
	}
	if (help)
		return 1;
	if (each_option(NULL, argv, take_machine, &type) < 0)
		return -ENOMEM;
	return type && streq(type, "none");
}
