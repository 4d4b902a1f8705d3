/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "document/catalogue.h"
#include "document/errata.h"
#include "base/context.h"
#include "answer/decode-read.h"
#include "answer/decode.h"
#include "model/ask.h"

/*
 * From findings to the answer: one document, from which all else is read. Only feature masks and
 * the registers of a PCI device are understood here.
 */

#define MAX_TEXT (16u << 20)
#define MASK_DIGITS (FEATURE_BITS / 4)

/* -------------------------------------------------------------------- making the document */

static void set(struct decoder *d, json_t *obj, const char *key, json_t *value)
{
	if (json_object_set_new(obj, key, value) < 0)
		d->arena.failed = true;
}

static void set_string(struct decoder *d, json_t *obj, const char *key, const char *s)
{
	if (s)
		set(d, obj, key, json_string(s));
}

static void append(struct decoder *d, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) < 0)
		d->arena.failed = true;
}

/* A sentence, as long as the answer is made. */
#define words(d, ...) arena_printf(&(d)->arena, __VA_ARGS__)

/* NULL: it is zero */
static const char *version_words(struct decoder *d, const struct version *v)
{
	return version_is_zero(v) ? NULL : words(d, "%u.%u", v->part[0], v->part[1]);
}

/* ------------------------------------------------------------- what a bit is in a class */

static void add_need(struct decoder *d, json_t *needs, const char *layer, const char *remedy)
{
	append(d, needs, json_pack("{s:s*, s:s*}", "layer", layer, "remedy", remedy));
}

/* Of an object that is being made: a member can be missing for want of memory. */
static bool is(const json_t *obj, const char *key, const char *value)
{
	const char *s = string_of(obj, key);

	return s && streq(s, value);
}

static bool has_layer(const json_t *needs, const char *layer)
{
	size_t i;
	json_t *v;

	json_array_foreach(needs, i, v)
		if (is(v, "layer", layer))
			return true;
	return false;
}

/* One entry a layer: the last condition on it is the one that is special to the feature. */
static void backend_needs(struct decoder *d, const struct needs *n, json_t *needs)
{
	struct ask a = { .cat = d->cat };

	for (struct asked w = { 0 }; ask_next_need(&a, n, &w);) {
		bool later = !w.c;

		for (struct asked k = w; w.c && ask_next_need(&a, n, &k);)
			later |= k.c && streq(k.c->layer, w.c->layer);
		if (!later && !has_layer(needs, w.c->layer))
			add_need(d, needs, w.c->layer, w.c->remedy);
	}
}

/* The usual backends first. */
static void row_needs(struct decoder *d, const struct row *row, json_t *needs)
{
	for (size_t b = 0; b < d->cat->n_backends; b++)
		if (d->cat->backends[b].by_default)
			backend_needs(d, &row->needs[b], needs);
	for (size_t b = 0; b < d->cat->n_backends; b++)
		if (!d->cat->backends[b].by_default)
			backend_needs(d, &row->needs[b], needs);
}

/* The value that turns it off; NULL: no property does. */
static const char *off_value(const struct row *row)
{
	if (row->boolean)
		return "off";
	return row->bit_when == BIT_NONZERO ? "0" : NULL;
}

/* Up to which machine type it is off by default. */
static const char *machine_off(struct decoder *d, const struct row *row)
{
	const struct compat *newest = NULL;

	for (size_t i = 0; i < row->n_compat; i++)
		if (row->boolean && !value_is_on(row->compat[i].value) &&
		    (!newest || version_cmp(&row->compat[i].machine, &newest->machine) > 0))
			newest = &row->compat[i];
	return newest ? version_words(d, &newest->machine) : NULL;
}

static json_t *from_row(struct decoder *d, const struct row *row)
{
	json_t *needs = json_array();

	row_needs(d, row, needs);
	return json_pack("{s:s*, s:s, s:s*, s:s*, s:s*, s:s*, s:s, s:o}", "name", row->feature,
			 "property", row->key, "off", off_value(row), "since",
			 version_words(d, &row->since), "removed", version_words(d, &row->removed),
			 "machine_off", machine_off(d, row), "decided_by",
			 json_array_size(needs) ? "host" : "options", "needs", needs);
}

/* Does the class have the property that masks the feature? A QEMU does not start with it if not. */
static bool has_property(const json_t *feature, const char *class_name)
{
	const json_t *classes = json_object_get(feature, "classes");

	return classes ? json_has(classes, class_name) : string_of(feature, "property") != NULL;
}

static json_t *from_table(struct decoder *d, const char *device, const char *class_name,
			  const json_t *feature)
{
	static const char *const copied[] = { "also", "machine_off", "name", "removed", "since" };
	const json_t *device_row = decode_device_row(d->data, device);
	const char *decider = string_of(feature, "decided_by"), *remedy, *layer;
	json_t *obj = json_object(), *needs = json_array();

	/* who decides the features of the rings is different for each device */
	remedy = string_of(feature, "remedy");
	layer = string_of(feature, "layer");
	if (!decider) {
		decider = string_of(device_row, "layer") ? "host" : "options";
		layer = string_of(device_row, "layer");
		remedy = string_of(device_row, "remedy");
	}
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++)
		set_string(d, obj, copied[i], string_of(feature, copied[i]));
	if (has_property(feature, class_name)) {
		set_string(d, obj, "property",
			   words(d, "%s.%s", class_name, string_of(feature, "property")));
		set_string(d, obj, "off", string_of(feature, "off"));
	}
	set_string(d, obj, "decided_by", decider);
	if (remedy)
		add_need(d, needs,
			 layer			     ? layer :
			 streq(decider, "options")   ? "options" :
			 streq(decider, "build")     ? "QEMU build" :
						       "QEMU",
			 remedy);
	set(d, obj, "needs", needs);
	return obj;
}

/* What is known of a bit in a class: name, property, who decides it and what has it. */
static json_t *feature_of(struct decoder *d, const char *device, const char *class_name,
			  unsigned int bit)
{
	const struct row *row = bit_row(d, class_name, bit);
	const json_t *feature = row ? NULL : bit_in_table(d, device, bit);
	json_t *obj;

	if (row)
		obj = from_row(d, row);
	else if (feature)
		obj = from_table(d, device, class_name, feature);
	else
		obj = json_object();
	set(d, obj, "bit", json_integer(bit));
	return obj;
}

/* ---------------------------------------------------------------------- the two masks */

static void mask_missing(const struct finding *f, struct mask *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < ARRAY_SIZE(ret->word); i++)
		ret->word[i] = f->guest.word[i] & ~f->allowed.word[i];
}

static void set_mask(struct decoder *d, json_t *obj, const char *key, const struct mask *m)
{
	set_string(d, obj, key,
		   m->word[1] ? words(d, "0x%" PRIx64 "%016" PRIx64, m->word[1], m->word[0]) :
				words(d, "0x%" PRIx64, m->word[0]));
}

static json_t *features_of(struct decoder *d, const char *device, const char *class_name,
			   const struct mask *m)
{
	json_t *list = json_array();

	for (unsigned int bit = 0; bit < FEATURE_BITS; bit++)
		if (mask_bit(m, bit))
			append(d, list, feature_of(d, device, class_name, bit));
	return list;
}

/*
 * The -global list for a new start, without what no property turns off, and without what newer
 * QEMUs lack: they would not start with it, and no line says which QEMU this is.
 */
static json_t *globals_of(struct decoder *d, const json_t *features)
{
	json_t *list = json_array(), *v;
	size_t i;

	json_array_foreach(features, i, v) {
		const char *property = string_of(v, "property"), *off = string_of(v, "off");

		if (property && off && !is(v, "decided_by", "nobody") &&
		    !json_object_get(v, "removed"))
			append(d, list, json_sprintf("%s=%s", property, off));
	}
	return list;
}

/* Features that hosts have or have not, and that this destination does not offer. */
static json_t *candidates_of(struct decoder *d, const char *device, const char *class_name,
			     const struct mask *allowed)
{
	json_t *list = json_array();

	for (unsigned int bit = 0; bit < FEATURE_BITS; bit++) {
		const struct row *row = bit_row(d, class_name, bit);
		const json_t *own = row ? NULL : bit_in_table(d, device, bit);
		const char *decider = string_of(own, "decided_by");
		bool host = row ? row->pin == PIN_PINNED :
				  own && (!decider || streq(decider, "host"));

		if (host && !mask_bit(allowed, bit) && (row || string_of(own, "property")))
			append(d, list, feature_of(d, device, class_name, bit));
	}
	return list;
}

/* What the bits would be in each class that has names for all of them. */
static void set_classes(struct decoder *d, json_t *obj, const struct finding *f,
			const struct mask *missing)
{
	json_t *classes = json_array(), *row;
	const char *device;

	json_object_foreach(json_object_get(d->data->devices, "devices"), device, row) {
		const char *class_name = string_of(row, "class");
		json_t *item, *features;

		if (!finding_fits(d, device, f))
			continue;
		features = features_of(d, device, class_name, missing);
		item = json_pack("{s:s, s:s, s:o, s:o}", "device", device, "class", class_name,
				 "globals", globals_of(d, features), "features", features);
		if (mask_empty(missing))
			set(d, item, "candidates",
			    candidates_of(d, device, class_name, &f->allowed));
		append(d, classes, item);
	}
	set(d, obj, "classes", classes);
}

static bool has_bits(const json_t *bits, const struct mask *m, bool all)
{
	size_t i;
	json_t *v;

	json_array_foreach(bits, i, v)
		if (mask_bit(m, (unsigned int)json_integer_value(v)) != all)
			return !all;
	return all;
}

/* Where the masks are such as no tap makes, the layer that makes such is what they need. */
static void set_otherwise(struct decoder *d, json_t *features, const struct finding *f,
			  const struct mask *missing)
{
	size_t i, k;
	json_t *other, *v;

	json_array_foreach(json_object_get(decode_device_row(d->data, f->device), "otherwise"), i,
			   other) {
		if (!has_bits(json_object_get(other, "missing"), missing, false) ||
		    !has_bits(json_object_get(other, "allowed"), &f->allowed, true))
			continue;
		json_array_foreach(features, k, v) {
			json_t *needs = json_array();

			add_need(d, needs, string_of(other, "layer"), string_of(other, "remedy"));
			if (is(v, "decided_by", "host"))
				set(d, v, "needs", needs);
			else
				json_decref(needs);
		}
	}
}

/* Masks with bits that the class does not have are another device's: there is no list then. */
static void set_device(struct decoder *d, json_t *obj, const struct finding *f,
		       const struct mask *missing)
{
	json_t *features = features_of(d, f->device, f->class_name, missing), *unnamed = json_array();
	bool plausible = finding_fits(d, f->device, f);

	set_otherwise(d, features, f, missing);
	set_string(d, obj, "device", f->device);
	set_string(d, obj, "family", string_of(decode_device_row(d->data, f->device), "family"));
	set_string(d, obj, "class", f->class_name);
	set_string(d, obj, "device_from", f->device_given ? "option" : "text");
	set(d, obj, "globals", plausible ? globals_of(d, features) : json_array());
	set(d, obj, "features", features);
	for (unsigned int bit = 0; bit < FEATURE_BITS; bit++)
		if ((mask_bit(&f->guest, bit) || mask_bit(&f->allowed, bit)) &&
		    !bit_has_name(d, f->device, bit))
			append(d, unnamed, json_integer(bit));
	set(d, obj, "unnamed", unnamed);
	if (!plausible)
		set_classes(d, obj, f, missing);
	else if (mask_empty(missing))
		set(d, obj, "candidates",
		    candidates_of(d, f->device, f->class_name, &f->allowed));
}

static void set_masks(struct decoder *d, json_t *obj, const struct finding *f)
{
	struct mask missing;
	json_t *bits = json_array();

	mask_missing(f, &missing);
	set_mask(d, obj, "guest", &f->guest);
	set_mask(d, obj, "allowed", &f->allowed);
	set_mask(d, obj, "missing", &missing);
	for (unsigned int bit = 0; bit < FEATURE_BITS; bit++)
		if (mask_bit(&missing, bit))
			append(d, bits, json_integer(bit));
	set(d, obj, "missing_bits", bits);
	/* QEMU from 10.2 on always prints all digits, and it alone */
	set(d, obj, "already_masked",
	    json_boolean(mask_empty(&missing) && f->guest.digits == MASK_DIGITS));
	if (f->device) {
		set_device(d, obj, f, &missing);
		return;
	}
	set_string(d, obj, "path", f->path);
	set_classes(d, obj, f, &missing);
}

/* ------------------------------------------------------------------- the other messages */

/* "{name}" in a sentence stands for what was captured, "{name+1}" for the number after it. */
static void put_capture(struct buf *b, const struct finding *f, const char *name, size_t len)
{
	char plain[32];
	bool next = len > 2 && len < sizeof(plain) && memcmp(name + len - 2, "+1", 2) == 0;
	int i;

	snprintf(plain, sizeof(plain), "%.*s", (int)(next ? len - 2 : len), name);
	i = message_capture(f->message, plain);
	if (i < 0)
		buf_printf(b, "{%.*s}", (int)len, name);
	else if (next)
		buf_printf(b, "%lu", strtoul(f->capture[i], NULL, 16) + 1);
	else
		buf_puts(b, f->capture[i]);
}

static void put_filled(struct buf *b, const char *sentence, const struct finding *f)
{
	while (sentence && *sentence) {
		size_t n = strcspn(sentence, "{"), len;

		buf_add(b, sentence, n);
		sentence += n;
		if (!*sentence)
			return;
		len = strcspn(sentence, "}");
		put_capture(b, f, sentence + 1, len ? len - 1 : 0);
		sentence += sentence[len] ? len + 1 : len;
	}
}

static void set_sentence(struct decoder *d, json_t *obj, const char *key, const char *sentence,
			 const struct finding *f)
{
	_buf_ b = { 0 };

	put_filled(&b, sentence, f);
	if (buf_failed(&b))
		d->arena.failed = true;
	else if (b.data)
		set(d, obj, key, json_string(b.data));
}

static enum capture_type type_of(const struct message *m, int capture)
{
	size_t i = 0;

	while (m->pieces[i].type == CAPTURE_NONE || capture--)
		i++;
	return m->pieces[i].type;
}

/* What was captured as a number; -1: the pattern does not have it. */
static long number(const struct finding *f, const char *name)
{
	int i = message_capture(f->message, name);

	if (i < 0)
		return -1;
	return strtol(f->capture[i], NULL, type_of(f->message, i) == CAPTURE_HEX ? 16 : 10);
}

/* The name by which data knows the device: its key in the table, or what the log says. */
static const char *known_as(const struct finding *f)
{
	if (f->device)
		return f->device;
	return f->path ? decode_base(f->path) : NULL;
}

static bool detail_fits(const json_t *v, const struct finding *f)
{
	const json_t *devices = json_object_get(v, "devices");
	const json_t *differs = json_object_get(v, "differs");
	const char *capture = string_of(v, "capture");
	long n = capture ? number(f, capture) : 0;

	if (!decode_is_one_of(devices, known_as(f)) &&
	    !(f->path && decode_is_one_of(devices, decode_base(f->path))))
		return false;
	if (differs && !((number(f, "read") ^ number(f, "device")) & json_integer_value(differs)))
		return false;
	return !capture || (n >= json_integer_value(json_object_get(v, "first")) &&
			    n <= json_integer_value(json_object_get(v, "last")));
}

static const json_t *detail_of(const struct finding *f)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(f->message->row, "details"), i, v)
		if (detail_fits(v, f))
			return v;
	return NULL;
}

static const char *bar_kind(unsigned int low)
{
	if (!low)
		return "missing, or 32 bits of memory";
	return low & 1 ? "I/O" : low & 4 ? "64 bits of memory" : "32 bits of memory";
}

/*
 * The size of a BAR is the lowest bit of its address that can be written: those of wmask here. An
 * address in the stream with a lower bit is that of a smaller BAR there. The bits below say what
 * kind of BAR it is; none of them, and none that can be written, is no BAR.
 */
static void put_bar(struct buf *b, const json_t *detail, const struct finding *f)
{
	json_int_t bar = json_integer_value(json_object_get(detail, "bar"));
	long byte = number(f, "offset") - 0x10 - 4 * bar;
	unsigned int read = (unsigned int)number(f, "read");
	unsigned int here = (unsigned int)number(f, "device");
	long wmask = number(f, "wmask");
	unsigned int type = byte ? 0 : (read | here) & 1 ? 3 : 15, address;

	if (byte < 0 || byte > 3)
		return;
	if (!byte && ((read ^ here) & type)) {
		buf_printf(b, ". In the stream it is %s, here %s", bar_kind(read), bar_kind(here));
		return;
	}
	address = read & ~type & ~(unsigned int)(wmask < 0 ? 0 : wmask) & 0xff;
	if (wmask > 0 && wmask <= 0xff)
		buf_printf(b, ". It is %ld bytes long here", (wmask & -wmask) << (8 * byte));
	if (wmask > 0 && wmask <= 0xff && address)
		buf_printf(b, " and %lu in the stream",
			   (unsigned long)(address & -address) << (8 * byte));
}

static void set_detail(struct decoder *d, json_t *obj, const json_t *detail,
		       const struct finding *f)
{
	_buf_ b = { 0 };

	if (!detail)
		return;
	put_filled(&b, string_of(detail, "text"), f);
	if (json_object_get(detail, "bar"))
		put_bar(&b, detail, f);
	if (buf_failed(&b))
		d->arena.failed = true;
	else
		set(d, obj, "detail", json_string(b.data));
}

/* Builds with a known defect write, or refuse, such a stream. */
static void set_erratum(struct decoder *d, json_t *obj, const char *id)
{
	for (size_t i = 0; id && i < d->cat->n_errata; i++) {
		const struct erratum *e = &d->cat->errata[i];
		_buf_ text = { 0 }, remedy = { 0 };

		if (!streq(e->id, id))
			continue;
		erratum_write(e, &text);
		erratum_write_remedy(e, &remedy);
		set(d, obj, "known_defect",
		    json_pack("{s:s, s:s, s:s}", "id", id, "text",
			      arena_words(&d->arena, &text), "remedy",
			      arena_words(&d->arena, &remedy)));
	}
}

static const char *captured(const struct finding *f, const char *name)
{
	int i = message_capture(f->message, name);

	return i < 0 ? NULL : f->capture[i];
}

/*
 * The property that the text names: with its class, or with that of the device. Options of
 * virtio-net-pci can be those of virtio-net-device, for which the catalogue has the row. NULL: none.
 */
static const char *property_of(struct decoder *d, const struct finding *f)
{
	const char *whole = captured(f, "property"), *option = captured(f, "option"), *name = NULL;

	if (!whole)
		whole = captured(f, "device_property");
	if (!option && whole && strrchr(whole, '.'))
		option = strrchr(whole, '.') + 1;
	if (option && f->class_name)
		name = words(d, "%s.%s", f->class_name, option);
	if (name && ((!whole && !f->path) || catalogue_row(d->cat, name) >= 0))
		return name;
	if (whole || !option)
		return whole;
	return words(d, "%s%s%s", f->path ? f->path : "", f->path ? "." : "", option);
}

/* The row of the property; a text names the class of a device, the catalogue can have its base. */
static int row_of(const struct decoder *d, const char *property)
{
	const char *dot = property ? strrchr(property, '.') : NULL;
	int i = property ? catalogue_row(d->cat, property) : -1;

	for (size_t k = 0; i < 0 && dot && k < d->cat->n_rows; k++) {
		const struct row *row = &d->cat->rows[k];

		if (streq(row->property, dot + 1) &&
		    strlen(row->asked) == (size_t)(dot - property) &&
		    strprefix(property, row->asked))
			i = (int)k;
	}
	return i;
}

/* A message about a property of the catalogue, or whose list has one: which QEMUs have it. */
static void set_property(struct decoder *d, json_t *obj, const struct finding *f)
{
	const char *off = string_of(f->message->row, "off"), *said = property_of(d, f);
	const char *property = said ? said :
			       off  ? words(d, "%.*s", (int)strcspn(off, "="), off) :
				      NULL;
	int i = row_of(d, property);

	if (said || i >= 0)
		set_string(d, obj, "property", property);
	if (i < 0)
		return;
	set_string(d, obj, "feature", d->cat->rows[i].feature);
	set_string(d, obj, "since", version_words(d, &d->cat->rows[i].since));
	set_string(d, obj, "removed", version_words(d, &d->cat->rows[i].removed));
}

/* Does the catalogue have the class of the device? */
static bool is_covered(const struct decoder *d, const char *class_name)
{
	for (size_t i = 0; class_name && i < d->cat->n_rows; i++)
		if (streq(d->cat->rows[i].class_name, class_name))
			return true;
	return false;
}

/* Which device it is, of what kind, whether abibase is about it, and who can help if not. */
static void set_who(struct decoder *d, json_t *obj, struct finding *f)
{
	const json_t *row = f->message->row, *family = NULL;
	const char *given = string_of(row, "device"), *scope = string_of(row, "scope");
	const char *subject = string_of(row, "subject"), *who = string_of(row, "who");

	if (f->path && !given)
		f->device = decode_device_in(d->data, f->path, &f->class_name);
	if (given)
		decode_device(d->data, given, strlen(given), &f->class_name);
	if (given || f->path || subject)
		family = decode_family(d->data, given ? given : f->path ? f->path : subject);
	set_string(d, obj, "device", given	? given :
				     f->path	? known_as(f) :
						  subject);
	set_string(d, obj, "path", given ? NULL : f->path);
	set_string(d, obj, "family", !f->path && !given && string_of(row, "layer") ?
					     string_of(row, "layer") :
					     string_of(family, "family"));
	if (streq(scope, "guest") && f->path && !is_covered(d, f->class_name))
		scope = "outside";
	set_string(d, obj, "scope", scope);
	if (!who && streq(scope, "outside"))
		who = string_of(family, "who");
	if (!who && streq(scope, "outside"))
		who = string_of(decode_family(d->data, "?"), "who");
	set_string(d, obj, "who", who);
}

static void set_message(struct decoder *d, json_t *obj, struct finding *f)
{
	const json_t *row = f->message->row, *detail;
	const char *remedy;
	json_t *globals = json_array();

	set_who(d, obj, f);
	detail = detail_of(f);
	remedy = string_of(detail, "remedy");
	set_string(d, obj, "layer", string_of(row, "layer"));
	set_string(d, obj, "part", f->part);
	set_sentence(d, obj, "meaning", string_of(row, "meaning"), f);
	set_detail(d, obj, detail, f);
	set_erratum(d, obj, string_of(detail, "erratum"));
	set_sentence(d, obj, "remedy", remedy ? remedy : string_of(row, "remedy"), f);
	set_property(d, obj, f);
	if (string_of(row, "off"))
		append(d, globals, json_string(string_of(row, "off")));
	set(d, obj, "globals", globals);
}

/* --------------------------------------------------------------------------- a word */

/* A feature word alone: what its bits are, in the device that is given or in those it fits. */
static void set_word(struct decoder *d, json_t *obj, const struct finding *f)
{
	set_mask(d, obj, "guest", &f->guest);
	if (!f->device || !finding_fits(d, f->device, f)) {
		set_classes(d, obj, f, &f->guest);
		return;
	}
	set_string(d, obj, "device", f->device);
	set_string(d, obj, "class", f->class_name);
	set_string(d, obj, "family", string_of(decode_device_row(d->data, f->device), "family"));
	set(d, obj, "features", features_of(d, f->device, f->class_name, &f->guest));
}

static int cmp_line(const void *a, const void *b)
{
	const struct finding *fa = a, *fb = b;

	return fa->line < fb->line ? -1 : fa->line > fb->line;
}

static json_t *make_finding(struct decoder *d, struct finding *f)
{
	json_t *obj = json_pack("{s:s*, s:I, s:I}", "id", string_of(f->message->row, "id"), "line",
				(json_int_t)f->line, "times", (json_int_t)f->times);

	if (f->message->kind == MESSAGE_CAUSE || f->message->kind == MESSAGE_ECHO) {
		set_message(d, obj, f);
		return obj;
	}
	set_string(d, obj, "scope", "guest");
	if (f->message->kind == MESSAGE_WORD)
		set_word(d, obj, f);
	else
		set_masks(d, obj, f);
	return obj;
}

static json_t *make_document(struct decoder *d)
{
	json_t *list = json_array();

	/* masks are settled late; two findings of one line stay as they are */
	for (size_t i = 1; i < d->n; i++)
		for (size_t k = i; k && cmp_line(&d->findings[k - 1], &d->findings[k]) > 0; k--) {
			struct finding f = d->findings[k];

			d->findings[k] = d->findings[k - 1];
			d->findings[k - 1] = f;
		}
	for (size_t i = 0; i < d->n && !d->arena.failed; i++)
		append(d, list, make_finding(d, &d->findings[i]));
	return json_pack("{s:s, s:I, s:o}", "schema", "abibase-decode/1", "dropped",
			 (json_int_t)d->dropped, "findings", list);
}

/* ------------------------------------------------------------------------- public calls */

static void decoder_clear(struct decoder *d)
{
	free(d->findings);
	arena_clear(&d->arena);
}

static int fail_device(struct decoder *d, const char *device)
{
	_buf_ names = { 0 };
	const char *name;
	json_t *row;

	json_object_foreach(json_object_get(d->data->devices, "devices"), name, row)
		buf_printf(&names, "%s%s", names.len ? ", " : "", name);
	if (buf_failed(&names))
		return context_oom(d->ctx);
	return context_fail(d->ctx, EINVAL, "device-not-known", NULL,
			    "'%s' is not a device class; known: %s", device,
			    names.data ? names.data : "none");
}

static int decode(struct decoder *d, const char *text, size_t len, const char *device)
{
	if (device) {
		d->device = decode_device(d->data, device, strlen(device), &d->class_name);
		if (!d->device)
			return fail_device(d, device);
	}
	d->next = arena_alloc(&d->arena, (d->data->n_messages + 1) * sizeof(*d->next));
	if (!d->next)
		return context_oom(d->ctx);
	decode_lines(d, text, len);
	return d->arena.failed ? context_oom(d->ctx) : 0;
}

static int finish(struct decoder *d, struct abibase_result **ret)
{
	struct abibase_result made = { .root = make_document(d), .show = decode_show };

	if (d->arena.failed) {
		json_decref(made.root);
		return context_oom(d->ctx);
	}
	made.verdict = d->n ? ABIBASE_VERDICT_YES : ABIBASE_VERDICT_NO;
	return result_give(d->ctx, &made, ret);
}

int decode_with(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		const struct decode_data *data, const char *text, size_t len, const char *device,
		struct abibase_result **ret)
{
	struct decoder d = { .ctx = ctx, .cat = cat, .data = data };
	int r = decode(&d, text, len, device);

	if (r == 0)
		r = finish(&d, ret);
	decoder_clear(&d);
	return r;
}

ABIBASE_EXPORT int abibase_decode(struct abibase_context *ctx,
				  const struct abibase_catalogue *cat, const char *text,
				  size_t len, const char *device, struct abibase_result **ret)
{
	struct decode_data data = { 0 };
	int r;

	if (len > MAX_TEXT)
		return context_fail(ctx, EFBIG, "text-too-large", NULL,
				    "the text is larger than %u MiB, the most that is read; give "
				    "the part with the failure",
				    MAX_TEXT >> 20);
	r = decode_data_load(ctx, &data);
	if (r == 0)
		r = decode_with(ctx, cat, &data, text, len, device, ret);
	decode_data_clear(&data);
	return r;
}
