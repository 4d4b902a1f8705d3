/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/stat.h>
#include <syslog.h>

#include "qemu/command.h"
#include "base/context.h"
#include "document/profile.h"
#include "model/effective.h"

/*
 * How QEMU reads its command line, as far as it concerns a baseline: "-x" and "--x" are the same,
 * "," ends a parameter and ",," is a comma, a parameter without "=" is on, or off when it begins
 * with "no"; a section of a -readconfig file is the option of that name.
 */

/* -------------------------------------------------------------------- parameters */

const char *param(const struct params *ps, const char *key)
{
	for (size_t i = ps->n; i; i--)
		if (streq(ps->p[i - 1].key, key))
			return ps->p[i - 1].value;
	return NULL;
}

void param_add(struct arena *a, struct params *ps, const char *key, const char *value)
{
	struct param *p = arena_grow(a, ps->p, ps->n, sizeof(*p));
	const char *k = arena_strdup(a, key), *v = arena_strdup(a, value);

	if (!p || !k || !v)
		return;
	ps->p = p;
	p[ps->n++] = (struct param){ k, v };
}

void write_escaped(struct buf *out, const char *value)
{
	for (; *value; value++) {
		if (*value == ',')
			buf_putc(out, ',');
		buf_putc(out, *value);
	}
}

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

/* Nested values are passed over. What is not JSON, QEMU refuses itself. */
static void json_params(struct arena *a, struct params *ps, const char *text)
{
	json_auto_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const char *key;
	json_t *v;

	json_object_foreach(root, key, v) {
		char number[24];

		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
		if (json_is_string(v) || json_is_integer(v))
			param_add(a, ps, key, json_is_string(v) ? json_string_value(v) : number);
		else if (json_is_boolean(v))
			param_add(a, ps, key, json_is_true(v) ? "on" : "off");
	}
}

static const char *one_param(struct arena *a, struct params *ps, const char *p, const char *implied)
{
	size_t len = strcspn(p, "=,");
	_buf_ key = { 0 }, value = { 0 };

	if (p[len] == '=') {
		buf_add(&key, p, len);
		p = take_value(p + len + 1, &value);
	} else if (implied) {
		buf_puts(&key, implied);
		p = take_value(p, &value);
	} else {
		bool off = len > 2 && strprefix(p, "no");

		buf_add(&key, p + (off ? 2 : 0), len - (off ? 2 : 0));
		buf_puts(&value, off ? "off" : "on");
		p += len + (p[len] == ',');
	}
	param_add(a, ps, arena_words(a, &key), arena_words(a, &value));
	return p;
}

void take_params(struct arena *a, struct params *ps, const char *text, const char *implied)
{
	if (*text == '{') {
		json_params(a, ps, text);
		return;
	}
	for (; *text; implied = NULL)
		text = one_param(a, ps, text, implied);
}

/* "class.property=value", or these three as parameters */
static void take_global(struct arena *a, struct params *ps, const char *text)
{
	char driver[64], property[64];
	int end = 0;

	if (sscanf(text, "%63[^.=].%63[^=]%n", driver, property, &end) != 2 || text[end] != '=') {
		take_params(a, ps, text, NULL);
		return;
	}
	param_add(a, ps, "driver", driver);
	param_add(a, ps, "property", property);
	param_add(a, ps, "value", text + end + 1);
}

/* GROUP.ID.PROPERTY=VALUE; anything else QEMU refuses itself. */
static void take_set(struct arena *a, struct params *ps, const char *text)
{
	char group[16], id[64], property[64];
	int end = 0;

	if (sscanf(text, "%15[^.].%63[^.].%63[^=]%n", group, id, property, &end) != 3 ||
	    text[end] != '=')
		return;
	param_add(a, ps, "group", group);
	param_add(a, ps, "id", id);
	param_add(a, ps, "property", property);
	param_add(a, ps, "value", text + end + 1);
}

/* ------------------------------------------------------------------------ options */

static struct option *add_option(struct command *cmd)
{
	struct option *o = arena_grow(cmd->arena, cmd->options, cmd->n, sizeof(*o));

	if (!o)
		return NULL;
	cmd->options = o;
	return &o[cmd->n++];
}

/* [NAME], [NAME "ID"], or KEY = "VALUE"; everything else QEMU passes over, or refuses itself. */
static void config_line(struct command *cmd, bool section, char *line)
{
	char name[64], id[64] = "", key[64];
	struct option *o;
	int start = 0;

	if (sscanf(line, "[%63s \"%63[^\"]\"]", name, id) > 0) {
		o = add_option(cmd);
		if (!*id)
			name[strcspn(name, "]")] = '\0';
		if (!o)
			return;
		*o = (struct option){ .name = arena_strdup(cmd->arena, name), .value = "",
				      .known = true, .section = true };
		if (*id)
			param_add(cmd->arena, &o->params, "id", id);
	} else if (section && sscanf(line, " %63s = \"%n", key, &start) == 1 && start) {
		line[start + (int)strcspn(line + start, "\"")] = '\0';
		param_add(cmd->arena, &cmd->options[cmd->n - 1].params, key, line + start);
	}
}

/* Of a pipe or a passed descriptor nothing would be left for QEMU. */
static int read_config(struct command *cmd, struct abibase_context *ctx, const char *path)
{
	_autofree_ char *text = NULL;
	size_t len, first = cmd->n;
	char *line, *rest;
	struct stat st;
	int r;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	r = file_read(ctx, path, JSON_MAX_PROFILE, &text, &len);
	for (rest = text; r == 0 && (line = strsep(&rest, "\n"));)
		if (*line != '#' && !cmd->arena->failed)
			config_line(cmd, cmd->n > first, line);
	return r;
}

static void take_option(struct command *cmd, struct option *o)
{
	static const char *const names[] = { "machine", "device", "netdev", "nic",
					     "net",	"name",	  NULL };
	static const char *const implied[] = { "type", "driver", "type", "type", "type", "guest" };
	int i;

	if (streq(o->name, "M"))
		o->name = "machine";
	i = word_index(names, o->name);
	if (i >= 0)
		take_params(cmd->arena, &o->params, o->value, implied[i]);
	else if (streq(o->name, "global"))
		take_global(cmd->arena, &o->params, o->value);
	else if (streq(o->name, "set"))
		take_set(cmd->arena, &o->params, o->value);
}

void command_parse(struct command *cmd, struct abibase_context *ctx, const char *const *argv)
{
	struct option next, *o;
	size_t i = 0;

	while (!cmd->arena->failed && next_option(argv, &i, &next)) {
		if (next.name && next.value && ctx && streq(next.name, "readconfig")) {
			int r = read_config(cmd, ctx, next.value);

			cmd->arena->failed |= r == -ENOMEM;
			if (r == 0)
				continue;
		}
		if (next.name && next.value)
			take_option(cmd, &next);
		o = add_option(cmd);
		if (o)
			*o = next;
	}
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

struct review {
	struct abibase_context *ctx;
	const struct abibase_baseline *b;
	struct command cmd;
	const char *machine; /* the last that is named */
	bool backend_said;
};

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

bool nic_has_rom(const struct params *ps)
{
	const char *rombar = param(ps, "rombar");

	return !param(ps, "romfile") &&
	       (!rombar || (!streq(rombar, "0") && !word_is_bool(rombar, false)));
}

bool has_vhost(const struct params *ps)
{
	const char *vhost = param(ps, "vhost"), *force = param(ps, "vhostforce");

	if (vhost)
		return !word_is_bool(vhost, false);
	return param(ps, "vhostfd") || param(ps, "vhostfds") ||
	       (force && !word_is_bool(force, false));
}

bool has_vnet_hdr(const struct params *ps)
{
	const char *vnet_hdr = param(ps, "vnet_hdr");

	return !vnet_hdr || !word_is_bool(vnet_hdr, false);
}

unsigned int count_queues(const struct params *ps, unsigned int most)
{
	const char *queues = param(ps, "queues"), *fds = param(ps, "fds");
	unsigned long n = queues ? strtoul(queues, NULL, 10) : 1;

	for (; fds && *fds; fds++)
		n += *fds == ':';
	return n < 1 ? 1 : n > most ? most : (unsigned int)n;
}

static void judge_setting(struct review *rv, const char *option, const char *name,
			  const char *driver, const struct param *p)
{
	const struct value *v = promised(rv->b, driver, p->key);

	if (v && !is_within(v, p->value) && !is_free(v))
		defeats(rv, option, name, v, p->value);
}

static void review_device(struct review *rv, const struct params *ps)
{
	const char *driver = param(ps, "driver");

	if (!driver)
		return;
	for (size_t i = 0; i < ps->n; i++)
		judge_setting(rv, "-device ", driver, driver, &ps->p[i]);
	/* A baseline that leaves ROMs out is for guests without. */
	if (strings_have(&rv->b->in.policy.disable, OPTION_ROM) && is_net_driver(driver) &&
	    nic_has_rom(ps))
		context_log(rv->ctx, LOG_WARNING, "command-rom",
			    "-device %s has an option ROM, and the baseline was made for guests without: "
			    "add romfile= to it",
			    driver);
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

static void review_global(struct review *rv, const struct params *ps)
{
	const char *driver = param(ps, "driver"), *property = param(ps, "property");
	const char *value = param(ps, "value");

	for (size_t i = 0; driver && property && value && i < rv->b->n_values; i++)
		if (streq(rv->b->values[i].property, property))
			judge_value(rv, &rv->b->values[i], driver, value);
}

/* A tap that is passed as a descriptor may be a macvtap, so only vhost can be told. */
static void review_netdev(struct review *rv, const struct params *ps)
{
	const char *type = param(ps, "type");
	bool vhost = has_vhost(ps);

	if (!type || !streq(type, "tap") || rv->backend_said ||
	    baseline_offer(rv->b, vhost ? "tap+vhost" : "tap") ||
	    baseline_offer(rv->b, vhost ? "macvtap+vhost" : "macvtap"))
		return;
	rv->backend_said = true;
	context_log(rv->ctx, LOG_WARNING, "command-backend",
		    "a tap %s vhost is on the command line, and the baseline does not cover that "
		    "backend: make one with --backend",
		    vhost ? "with" : "without");
}

/* It changes the -device of that id. */
static void review_set(struct review *rv, const struct params *ps)
{
	const char *group = param(ps, "group"), *driver = NULL;

	if (!group || !streq(group, "device"))
		return;
	for (size_t i = 0; i < rv->cmd.n; i++) {
		const struct option *o = &rv->cmd.options[i];

		if (is_option(o, "device") && same_text(param(&o->params, "id"), param(ps, "id")) &&
		    param(&o->params, "driver"))
			driver = param(&o->params, "driver");
	}
	if (driver)
		judge_setting(rv, "-set device.", param(ps, "id"), driver,
			      &(struct param){ param(ps, "property"), param(ps, "value") });
}

static void review_option(struct review *rv, const struct option *o)
{
	const struct params *ps = &o->params;
	const char *type = param(ps, "type");

	if (is_option(o, "machine") && type)
		rv->machine = type;
	else if (is_option(o, "device"))
		review_device(rv, ps);
	else if (is_option(o, "global"))
		review_global(rv, ps);
	else if (is_option(o, "set"))
		review_set(rv, ps);
	else if (is_option(o, "netdev") || is_option(o, "nic") || is_option(o, "net"))
		review_netdev(rv, ps);
	else if (is_option(o, "readconfig"))
		context_log(rv->ctx, LOG_WARNING, "command-unseen",
			    "-readconfig %s: cannot be looked into, so what it says against the "
			    "baseline is not seen",
			    o->value);
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
	_arena_ arena = { 0 };
	struct review rv = { .ctx = ctx, .b = b, .cmd = { .arena = &arena } };
	const char *type;

	if (!b->machine)
		return baseline_refuse(ctx, b);
	command_parse(&rv.cmd, ctx, argv);
	if (arena.failed)
		return context_oom(ctx);
	for (size_t i = 0; i < rv.cmd.n; i++)
		review_option(&rv, &rv.cmd.options[i]);
	type = rv.machine;
	if (type && (streq(type, b->machine) || takes_name(p, qemu, type, b->machine)))
		return 0;
	return context_fail(ctx, EINVAL, "command-machine", NULL,
			    "the baseline is of machine type %s, and the command line %s%s: start the "
			    "guest with -machine %s",
			    b->machine, type ? "has " : "names none", type ? type : "", b->machine);
}

/* ------------------------------------------------------------------------ queries */

ABIBASE_EXPORT int abibase_command_has_rom(const char *const *argv)
{
	_arena_ arena = { 0 };
	struct command cmd = { .arena = &arena };
	size_t with = 0, without = 0;

	command_parse(&cmd, NULL, argv);
	for (size_t i = 0; i < cmd.n; i++) {
		const struct option *o = &cmd.options[i];
		const char *driver = param(&o->params, "driver");

		if (!o->known || (o->name && streq(o->name, "readconfig")))
			return 1;
		/* nothing in -nic and -net says that it has none */
		if (is_option(o, "nic") || is_option(o, "net"))
			with++;
		else if (is_option(o, "device") && driver && is_net_driver(driver))
			*(nic_has_rom(&o->params) ? &with : &without) += 1;
	}
	return arena.failed ? -ENOMEM : with || !without;
}

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
	static const char *const lists[] = { "device", "cpu",	 "machine", "accel",
					     "netdev", "object", "chardev", NULL };
	_arena_ arena = { 0 };
	struct command cmd = { .arena = &arena };
	const char *type = NULL;
	bool help = false;

	/* A file could name a machine type; those who only ask have none, and no new options. */
	command_parse(&cmd, NULL, argv);
	for (size_t i = 0; i < cmd.n; i++) {
		const struct option *o = &cmd.options[i];

		if (!o->known || (o->name && streq(o->name, "readconfig")))
			return 0;
		if (o->name && word_index(alone, o->name) >= 0 && !argv[1])
			return 1;
		help |= o->name && o->value && word_index(lists, o->name) >= 0 &&
			asks_for_help(o->value);
		if (is_option(o, "machine") && param(&o->params, "type"))
			type = param(&o->params, "type");
	}
	if (arena.failed)
		return -ENOMEM;
	return help || (type && streq(type, "none"));
}
