/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live/rehearse.h"

#include <fcntl.h>
#include <sys/utsname.h>

#include "base/blake2b.h"
#include "base/known.h"
#include "base/text.h"

/*
 * What two throw-away QEMUs cannot tell, since both are made smaller: whether the lines mean the
 * same guest, and whether the destination has the processor of the source. A stream carries
 * neither.
 */

#define LAYER_COMMAND "command line"
#define LAYER_CPU "CPU"
#define LAYER_QEMU "QEMU"

/* ------------------------------------------------------------------------- lines */

static size_t count_of(const json_t *list, const char *s)
{
	size_t n = 0, i;
	json_t *v;

	json_array_foreach((json_t *)list, i, v)
		n += streq(json_string_value(v), s);
	return n;
}

/* Is it the first of those that are equal? */
static bool is_first(const json_t *list, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (json_equal(json_array_get(list, i), json_array_get(list, at)))
			return false;
	return true;
}

/* A build can lack the property that the other must have off: no word about such a pair is a
 * verdict. */
static bool is_open(const char *words)
{
	return strprefix(words, "-global ");
}

/* A destination that has more of it loads all the same. */
static bool is_spare(const char *words)
{
	return strprefix(words, REHEARSE_NETWORK);
}

static void say_one_sided(const struct rehearse_comparison *c, const char *words, bool of_source)
{
	if (is_open(words))
		rehearse_say(
			c->out, ABIBASE_FINDING_UNKNOWN, "rehearsal-global", LAYER_COMMAND,
			"make both lines of one baseline: abibase rehearse BASELINE adds the list",
			"only the %s has %s, and an idle rehearsal does not see what it changes",
			of_source ? "source" : "destination", words);
	else
		rehearse_say(c->out, ABIBASE_FINDING_CONFLICT, "rehearsal-line", LAYER_COMMAND,
			     "give both the same line, but for what belongs to the host",
			     "only the %s has %s", of_source ? "source" : "destination", words);
}

static void compare_words(const struct rehearse_comparison *c, const json_t *have,
			  const json_t *other, bool of_source)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)have, i, v) {
		const char *s = json_string_value(v);

		if (is_first(have, i) && count_of(have, s) > count_of(other, s) &&
		    (of_source || !is_spare(s)))
			say_one_sided(c, s, of_source);
	}
}

/* The value of parameter @key of a device, with its length in @len; NULL: it is not there. */
static const char *param_of(const char *words, const char *key, int *len)
{
	size_t n = strlen(key);

	for (const char *p = words + strcspn(words, ","); *p; p += 1 + strcspn(p + 1, ","))
		if (!strncmp(p + 1, key, n) && p[1 + n] == '=') {
			*len = (int)strcspn(p + n + 2, ",");
			return p + n + 2;
		}
	return NULL;
}

static bool has_all(const char *words, const json_t *keys)
{
	size_t i;
	json_t *v;
	int len;

	json_array_foreach((json_t *)keys, i, v)
		if (!param_of(words, json_string_value(v), &len))
			return false;
	return true;
}

/* Does it say itself where it lies, and which MAC address it has? */
static bool is_placed(const struct rehearse_comparison *c, const char *words)
{
	const json_t *places = json_object_get(c->line->table, "placing_params");
	const char *key;
	bool on_bus;
	json_t *v;
	int len;

	if (param_of(words, "netdev", &len) && !param_of(words, MAC, &len))
		return false;
	if (param_of(words, "addr", &len))
		return true;
	on_bus = param_of(words, "bus", &len);
	json_object_foreach((json_t *)places, key, v)
		if (on_bus && param_of(words, key, &len) && has_all(words, v))
			return true;
	return false;
}

/* Is it one whose buses are called by the order in which they are made? No stream has which it was. */
static bool has_buses(const struct rehearse_comparison *c, const char *words)
{
	const char *driver = words + strlen("-device ");

	return rehearse_lists(c->line->table, "bus_drivers", "device",
			      show_keep(&c->out->arena, "%.*s", (int)strcspn(driver, ","), driver));
}

/*
 * Among which words the order counts: devices that do not say where they lie, on their bus; what sets
 * one parameter, of which the last counts; and all of an option that can be given several times. NULL:
 * for this it does not.
 */
static const char *group_of(const struct rehearse_comparison *c, const char *words)
{
	static const char *const named[] = { "-object ", "-netdev ", "-chardev ", "-blockdev " };
	struct arena *arena = &c->out->arena;
	int key = (int)strcspn(words, "="), option = (int)strcspn(words, " "), len = 0;
	const char *bus, *dot;

	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		if (strprefix(words, named[i]))
			return NULL;
	if (strprefix(words, "-device ")) {
		bus = param_of(words, "bus", &len);
		if (!is_placed(c, words))
			return show_keep(arena, "-device %.*s", len, bus ? bus : "");
		return has_buses(c, words) ? "-device with buses" : NULL;
	}
	dot = memrchr(words, '.', (size_t)key);
	if (strprefix(words, "-global ") && dot)
		return show_keep(arena, "-global %.*s", (int)(words + key - dot), dot);
	return show_keep(arena, "%.*s", strprefix(words, "-machine ") ? key : option, words);
}

/* Those of @list, for free(); NULL: no memory. */
static const char **groups_of(const struct rehearse_comparison *c, const json_t *list)
{
	const char **groups = calloc(json_array_size(list) + 1, sizeof(*groups));
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)list, i, v)
		if (groups)
			groups[i] = group_of(c, json_string_value(v));
	return groups;
}

/* Where in @list its word number @n of this group is. */
static size_t nth_of(const json_t *list, const char **groups, const char *group, size_t n)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (groups[i] && streq(groups[i], group) && n-- == 0)
			break;
	return i;
}

static void say_order(const struct rehearse_comparison *c, const char *here, const char *there)
{
	size_t kind = strcspn(here, ",");

	if (strprefix(here, "-device ") && strcspn(there, ",") == kind &&
	    !strncmp(here, there, kind) && !is_placed(c, here))
		return rehearse_say(
			c->out, ABIBASE_FINDING_CONFLICT, "rehearsal-line", LAYER_COMMAND,
			"give both lines the same order, or each device its address",
			"where the source has %s the destination has %s: the order of devices that "
			"name no address gives them one",
			here, there);
	rehearse_say(c->out, ABIBASE_FINDING_UNKNOWN, "rehearsal-line", LAYER_COMMAND,
		     "give both lines the same order",
		     "where the source has %s the destination has %s: whether another order makes "
		     "another guest is not judged",
		     here, there);
}

/* Two lines of the same words: two cards of one kind, the other way round, are two other cards. */
static void compare_order(const struct rehearse_comparison *c, const json_t *have,
			  const json_t *other)
{
	_autofree_ const char **mine = groups_of(c, have), **its = groups_of(c, other);
	size_t i, k, n;
	json_t *v;

	c->out->arena.failed |= !mine || !its;
	json_array_foreach((json_t *)have, i, v) {
		if (c->out->arena.failed)
			return;
		if (!mine[i])
			continue;
		for (n = 0, k = 0; k < i; k++)
			n += mine[k] && streq(mine[k], mine[i]);
		k = nth_of(other, its, mine[i], n);
		if (k == json_array_size(other) || json_equal(v, json_array_get(other, k)))
			continue;
		say_order(c, json_string_value(v), json_string_value(json_array_get(other, k)));
		return;
	}
}

static bool has_all_of(const json_t *have, const json_t *other)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)other, i, v)
		if (!is_spare(json_string_value(v)) &&
		    count_of(have, json_string_value(v)) != count_of(other, json_string_value(v)))
			return false;
	return true;
}

/* Does each have all that the other has, but for what it may have more of? */
static bool same_words(const json_t *have, const json_t *other)
{
	return has_all_of(have, other) && has_all_of(other, have);
}

static void compare_baselines(const struct rehearse_comparison *c)
{
	const char *source = string_of(c->source, "baseline");

	if (!same_text(source, c->baseline))
		rehearse_say(
			c->out, ABIBASE_FINDING_UNKNOWN, "rehearsal-baseline", LAYER_COMMAND,
			"rehearse both under one baseline",
			"the source was started %s%s and the destination %s%s: an idle rehearsal "
			"does not see what the lists change",
			source ? "under the baseline " : "without a baseline", source ? source : "",
			c->baseline ? "under " : "without one", c->baseline ? c->baseline : "");
}

void rehearse_compare_lines(const struct rehearse_comparison *c)
{
	const json_t *source = json_object_get(c->source, "declared");

	compare_words(c, source, c->line->declared, true);
	compare_words(c, c->line->declared, source, false);
	if (same_words(source, c->line->declared))
		compare_order(c, source, c->line->declared);
	compare_baselines(c);
}

/* -------------------------------------------------------------------------- CPUs */

static uint32_t word_of(const json_t *list, const char *name)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)list, i, v)
		if (streq(string_of(v, "register"), name))
			return (uint32_t)json_integer_value(json_object_get(v, "word"));
	return 0;
}

static void name_bits(struct buf *out, const char *name, uint32_t bits)
{
	for (unsigned int i = 0; i < 32; i++)
		if (bits >> i & 1)
			buf_printf(out, "%s%s bit %u", out->len ? ", " : "", name, i);
}

/* As QEMU calls what the destination lacks; nothing where one of them did not say it. */
static void name_lacking(struct buf *out, const json_t *source, const json_t *destination)
{
	const json_t *have = json_object_get(destination, "names");
	size_t i;
	json_t *v;

	if (!have)
		return;
	json_array_foreach(json_object_get(source, "names"), i, v)
		if (!json_has(have, json_string_value(v)))
			buf_printf(out, "%s%s", out->len ? ", " : "", json_string_value(v));
}

static void write_value(struct buf *out, const char *name, const json_t *v)
{
	buf_printf(out, "%s%s=", out->len ? ", " : "", name);
	if (json_is_integer(v))
		buf_printf(out, json_integer_value(v) >> 16 ? "0x%llx" : "%lld",
			   (long long)json_integer_value(v));
	else
		buf_puts(out, json_is_string(v) ? json_string_value(v) :
			      json_is_true(v)	? "on" :
						  "off");
}

/* Of one that a build has not, or leaves empty, nothing is known. */
static bool is_other(const char *how, const json_t *source, const json_t *destination)
{
	const char *a = json_string_value(source), *b = json_string_value(destination);

	if (!source || !destination || (a && !*a) || (b && !*b))
		return false;
	if (streq(how, "no-less"))
		return json_integer_value(source) > json_integer_value(destination);
	return !json_equal(source, destination);
}

/* What CPUID says beside its features; a guest may have placed something where there is no address. */
static void compare_properties(const struct rehearse_comparison *c, const json_t *source,
			       const json_t *destination)
{
	const json_t *rows = json_object_get(c->line->table, "vcpu_properties");
	const json_t *mine = json_object_get(source, "properties");
	const json_t *its = json_object_get(destination, "properties");
	_buf_ here = { 0 }, there = { 0 };
	const char *name;
	json_t *how;

	if (!json_object_size(mine) && (!mine || json_object_size(its)))
		return rehearse_say(c->out, ABIBASE_FINDING_UNKNOWN, "rehearsal-cpu-model", LAYER_CPU,
				    "save it again",
				    "the file does not have the model and the levels of the vCPUs");
	json_object_foreach((json_t *)rows, name, how) {
		const json_t *a = json_object_get(mine, name), *b = json_object_get(its, name);

		if (!is_other(json_string_value(how), a, b))
			continue;
		write_value(&here, name, a);
		write_value(&there, name, b);
	}
	if (here.len)
		rehearse_say(c->out, ABIBASE_FINDING_CONFLICT, "rehearsal-cpu-model", LAYER_CPU,
			     "start both with one CPU model that is named, with the same words behind "
			     "it, phys-bits=N among them where it is about that",
			     "the guest would see other vCPUs: the source has %s, the destination %s; "
			     "the stream carries none of it, and QEMU loads it all the same",
			     here.data, there.data);
	c->out->arena.failed |= buf_failed(&here) || buf_failed(&there);
}

static void compare_vcpu(const struct rehearse_comparison *c, const json_t *source,
			 const json_t *destination)
{
	const json_t *have = json_object_get(destination, "features");
	_buf_ lacking = { 0 }, names = { 0 };
	size_t i;
	json_t *v;

	if (json_array_size(have) && !json_array_size(json_object_get(source, "features")))
		rehearse_say(c->out, ABIBASE_FINDING_UNKNOWN, "rehearsal-cpu", LAYER_CPU, "save it again",
			     "the file does not have the features of the vCPUs");
	json_array_foreach(json_object_get(source, "features"), i, v) {
		const char *name = string_of(v, "register");

		name_bits(&lacking, name,
			  (uint32_t)json_integer_value(json_object_get(v, "word")) &
				  ~word_of(have, name));
	}
	name_lacking(&names, source, destination);
	if (names.len && !lacking.len)
		rehearse_say(c->out, ABIBASE_FINDING_CONFLICT, "rehearsal-cpu", LAYER_CPU,
			     "start both with a CPU model that both hosts have in full, with "
			     "-cpu MODEL,enforce",
			     "the vCPUs of the source have features, of MSRs, that those of the "
			     "destination lack: %s",
			     names.data);
	if (lacking.len)
		rehearse_say(
			c->out, ABIBASE_FINDING_CONFLICT, "rehearsal-cpu", LAYER_CPU,
			"start both with a CPU model that both hosts have in full, with "
			"-cpu MODEL,enforce",
			"the vCPUs of the source have features that those of the destination lack: "
			"%s%sCPUID %s%s; the stream carries none of them, and QEMU loads it all "
			"the same",
			names.len ? names.data : "", names.len ? " (" : "", lacking.data,
			names.len ? ")" : "");
	compare_properties(c, source, destination);
	c->out->arena.failed |= buf_failed(&lacking) || buf_failed(&names);
}

/* The record of vCPU @index, of which the same ones are counted */
static const json_t *vcpu_at(const json_t *cpus, json_int_t index)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)cpus, i, v) {
		json_int_t n = json_integer_value(json_object_get(v, "vcpus"));

		if (index < n)
			return v;
		index -= n;
	}
	return NULL;
}

void rehearse_compare_cpus(const struct rehearse_comparison *c)
{
	const json_t *cpus = json_object_get(c->source, "cpus"), *last = NULL, *was = NULL;
	const char *possible = string_of(c->source, "cpus_possible");
	const json_t *source, *destination;
	json_int_t n;

	for (n = 0; (source = vcpu_at(cpus, n)); n++) {
		destination = vcpu_at(c->half->cpus, n);
		if (!destination)
			break; /* their number differs, which is in "cpus_possible", and in the
				  stream */
		if (source != last || destination != was)
			compare_vcpu(c, source, destination);
		last = source;
		was = destination;
	}
	/* one that the file has fewer of is a vCPU that was not held against it */
	if (!same_text(possible, c->half->cpus_possible) || (!source && vcpu_at(c->half->cpus, n)))
		rehearse_say(
			c->out, ABIBASE_FINDING_CONFLICT, "rehearsal-line", LAYER_COMMAND,
			"give both the same -smp",
			"the vCPUs, or the sockets, cores and threads that they are of, differ");
}

/* -------------------------------------------------------------------- properties */

#define PROPERTIES_SAID 8 /* of devices, in a finding */

struct telling {
	const struct rehearse_comparison *c;
	struct buf kinds, open, noted;
	size_t n_open;
};

static void write_values(struct buf *out, const json_t *values)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)values, i, v)
		buf_printf(out, "%s%s", i ? " " : "", json_string_value(v));
}

static void tell(struct telling *t, const char *class_name, const char *name, const json_t *source,
		 const json_t *destination)
{
	const json_t *table = t->c->line->table;
	const char *how = string_of(json_object_get(table, "device_properties"), name);
	bool noted = same_text(how, "note");
	struct buf *out = noted ? &t->noted : &t->open;

	if (same_words(source, destination) || same_text(how, "carried") ||
	    (same_text(how, "auto") && (json_has(source, "0") || json_has(destination, "0"))) ||
	    rehearse_lists(table, "host_params", "device", name))
		return;
	if (!noted && t->n_open++ >= PROPERTIES_SAID)
		return;
	buf_printf(out, "%s%s.%s (", out->len ? ", " : "", class_name, name);
	write_values(out, source);
	buf_puts(out, ", there ");
	write_values(out, destination);
	buf_puts(out, ")");
}

/* Kinds that this side alone has: an interrupt controller of the kernel's, say. One without properties
 * of its own is a part of another. */
static void tell_kinds(struct telling *t, const json_t *have, const json_t *other, const char *side)
{
	const char *class_name;
	json_t *of;

	json_object_foreach((json_t *)have, class_name, of)
		if (json_object_size(of) && !json_object_get(other, class_name))
			buf_printf(&t->kinds, "%s%s (%s)", t->kinds.len ? ", " : "", class_name,
				   side);
}

static void say_properties(const struct telling *t)
{
	struct rehearsed *out = t->c->out;

	if (t->kinds.len)
		rehearse_say(out, ABIBASE_FINDING_UNKNOWN, "rehearsal-property", LAYER_QEMU, NULL,
			     "one of the two alone makes devices of these kinds: %s; whether the "
			     "guest sees it is not judged",
			     t->kinds.data);
	if (t->n_open)
		rehearse_say(out, ABIBASE_FINDING_UNKNOWN, "rehearsal-property", LAYER_QEMU,
			     "set them alike on both lines, if the guest is to see no other",
			     "properties have another value by default, which no stream is known to "
			     "carry: %s%s; whether the guest sees it is not judged",
			     t->open.data, t->n_open > PROPERTIES_SAID ? " and more" : "");
	if (t->noted.len)
		rehearse_say(out, ABIBASE_FINDING_NOTE, "rehearsal-property", LAYER_QEMU, NULL,
			     "properties that a guest asks for as it starts have another value by "
			     "default: %s",
			     t->noted.data);
	out->arena.failed |= buf_failed(&t->kinds) || buf_failed(&t->open) || buf_failed(&t->noted);
}

void rehearse_compare_properties(const struct rehearse_comparison *c)
{
	const json_t *mine = json_object_get(c->source, "properties"), *its;
	struct telling t = { .c = c };
	const char *class_name, *name;
	json_t *of, *values;

	if (!same_words(json_object_get(c->source, "declared"), c->line->declared) ||
	    !same_text(string_of(c->source, "machine"), c->half->machine))
		return; /* then it is said already */
	if (!json_object_size(mine))
		return rehearse_say(c->out, ABIBASE_FINDING_UNKNOWN, "rehearsal-property", LAYER_QEMU,
				    "save it again", "the file does not have the properties of devices");
	tell_kinds(&t, mine, c->half->properties, "source");
	tell_kinds(&t, c->half->properties, mine, "destination");
	json_object_foreach((json_t *)mine, class_name, of)
		json_object_foreach(of, name, values) {
			its = json_object_get(json_object_get(c->half->properties, class_name), name);
			if (its)
				tell(&t, class_name, name, values, its);
		}
	say_properties(&t);
	buf_clear(&t.kinds);
	buf_clear(&t.open);
	buf_clear(&t.noted);
}

/* -------------------------------------------------------------------------- host */

bool rehearse_host(char hex[DIGEST_HEX + 1])
{
	static const char purpose[] = "abibase rehearsal ";
	_autoclose_ int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);
	struct blake2b sum;
	char id[64];
	ssize_t n = fd < 0 ? -1 : read(fd, id, sizeof(id));

	if (n < 32) /* "uninitialized" */
		return false;
	blake2b_init(&sum);
	blake2b_update(&sum, purpose, strlen(purpose));
	blake2b_update(&sum, id, 32);
	blake2b_final_hex(&sum, hex);
	return true;
}

static void say_stale(const struct rehearse_comparison *c, const char *what)
{
	rehearse_say(
		c->out, ABIBASE_FINDING_UNKNOWN, "rehearsal-stale", "host", "save it again",
		"it was saved on this host, and since then %s has changed: a guest that is started "
		"now may save otherwise",
		what);
}

void rehearse_compare_host(const struct rehearse_comparison *c)
{
	const json_t *build = json_object_get(c->source, "build");
	const char *host = string_of(c->source, "host"), *path = string_of(build, "path");
	char hex[DIGEST_HEX + 1];
	struct utsname u;
	size_t i;
	json_t *v;

	if (!host || !rehearse_host(hex) || !streq(host, hex))
		return;
	if (uname(&u) == 0 && !streq(u.release, string_of(c->source, "kernel")))
		say_stale(c, "the kernel");
	if (!rehearse_digest(path, hex) || !streq(hex, string_of(build, "digest")))
		say_stale(c, path);
	json_array_foreach(json_object_get(c->source, "files"), i, v)
		if (!rehearse_digest(string_of(v, "path"), hex) ||
		    !streq(hex, string_of(v, "digest")))
			say_stale(c, string_of(v, "path"));
}
