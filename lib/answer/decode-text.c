/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer/decode.h"
#include "answer/show.h"

/*
 * What was found, for the person on call: what is missing, where, and what to do now. Everything
 * comes from the document, which holds printable text only.
 */

#define INDENT 2

/* "  label: text", indented below the text. */
static void put_labelled(struct buf *b, size_t indent, const char *label, const char *text)
{
	buf_printf(b, "%*s%s: ", (int)indent, "", label);
	show_wrapped(b, indent + strlen(label) + 2, indent + 2, text);
}

static void put_sentence(struct buf *b, const char *text)
{
	buf_printf(b, "%*s", INDENT, "");
	show_wrapped(b, INDENT, INDENT, text);
}

/* The only one is the verdict itself, for nothing stands before it on @page. */
static void put_place(const struct buf *page, struct buf *b, const json_t *f)
{
	json_int_t times = json_integer_value(json_object_get(f, "times"));

	buf_printf(b, "%sline %" JSON_INTEGER_FORMAT, page->len ? "" : "yes: ",
		   json_integer_value(json_object_get(f, "line")));
	if (times > 1)
		buf_printf(b, " and %" JSON_INTEGER_FORMAT " more", times - 1);
	buf_puts(b, ": ");
}

static void put_globals(struct buf *b, const json_t *globals)
{
	size_t i;
	json_t *v;

	json_array_foreach(globals, i, v)
		buf_printf(b, "    -global %s\n", json_string_value(v));
}

/* -------------------------------------------------------------------- one feature */

static void put_name(struct buf *b, const json_t *feature)
{
	const char *name = string_of(feature, "name"), *also = string_of(feature, "also");

	buf_puts(b, name ? name : "has no name in this class");
	if (also)
		buf_printf(b, " (%s)", also);
}

/* Property without its class, which stands in the heading of the list. */
static const char *short_property(const json_t *feature)
{
	const char *property = string_of(feature, "property");
	const char *dot = property ? strrchr(property, '.') : NULL;

	return dot ? dot + 1 : NULL;
}

static void put_qemu(struct buf *b, const json_t *feature)
{
	const char *since = string_of(feature, "since"), *removed = string_of(feature, "removed");
	const char *off = string_of(feature, "machine_off");
	_buf_ s = { 0 };

	if (since)
		buf_printf(&s, "%s or newer (older lack it)", since);
	if (removed)
		buf_printf(&s, "%solder than %s (newer do not start with the property)",
			   s.len ? ", " : "", removed);
	if (off)
		buf_printf(&s, "%smachine type newer than %s", s.len ? ", " : "", off);
	if (s.len)
		put_labelled(b, 6, "QEMU", s.data);
	if (buf_failed(&s))
		b->failed = true;
}

static bool same_members(const json_t *a, const json_t *b, const char *const *keys)
{
	for (; *keys; keys++) {
		const json_t *va = json_object_get(a, *keys), *vb = json_object_get(b, *keys);

		if (va != vb && !json_equal((json_t *)va, (json_t *)vb))
			return false;
	}
	return true;
}

/* Does the line about QEMU stand below an earlier feature? */
static bool is_qemu_told(const json_t *features, size_t n)
{
	static const char *const keys[] = { "machine_off", "removed", "since", NULL };
	const json_t *feature = json_array_get(features, n);

	for (size_t k = 0; k < n; k++)
		if (same_members(json_array_get(features, k), feature, keys))
			return json_object_get(feature, "since");
	return false;
}

static bool has_need(const json_t *feature, const json_t *need)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(feature, "needs"), i, v)
		if (json_equal(v, (json_t *)need))
			return true;
	return false;
}

/* What stands below one of the first @n features is not said again: "tap, macvtap: as above". */
static void put_layers(struct buf *b, const json_t *features, size_t n)
{
	const json_t *needs = json_object_get(json_array_get(features, n), "needs");
	_buf_ above = { 0 };
	size_t i;
	json_t *v;

	json_array_foreach(needs, i, v) {
		bool told = false;

		for (size_t k = 0; k < n; k++)
			told |= has_need(json_array_get(features, k), v);
		if (told)
			buf_printf(&above, "%s%s", above.len ? ", " : "", string_of(v, "layer"));
		else
			put_labelled(b, 6, string_of(v, "layer"), string_of(v, "remedy"));
	}
	if (is_qemu_told(features, n))
		buf_printf(&above, "%sQEMU", above.len ? ", " : "");
	else
		put_qemu(b, json_array_get(features, n));
	if (above.data)
		put_labelled(b, 6, above.data, "as above");
	if (buf_failed(&above))
		b->failed = true;
}

/* What a host must have to offer feature @n, or whose choice it is. */
static void put_needs(struct buf *b, const json_t *features, size_t n)
{
	const json_t *feature = json_array_get(features, n);
	const char *decider = string_of(feature, "decided_by");

	put_layers(b, features, n);
	if (!decider)
		return;
	if (streq(decider, "options"))
		put_labelled(b, 6, "not the host",
			     "it follows the machine type, the options of the device and the build "
			     "of QEMU. Where these are the same on both sides, no host offered it "
			     "and the guest acknowledged it all the same: a fault of the guest's "
			     "driver and not a difference of the hosts; update the driver");
	else if (streq(decider, "build"))
		put_labelled(b, 6, "not the host",
			     "it follows the machine type and the build of QEMU, which two hosts "
			     "can differ in under one machine type");
	else if (streq(decider, "nobody"))
		put_labelled(b, 6, "guest driver",
			     "no QEMU offers this bit on any host; the guest's driver acknowledged "
			     "what it was not offered, or these are masks of another device");
}

/* Do the same words stand below both? */
static bool same_needs(const json_t *a, const json_t *b)
{
	static const char *const keys[] = { "decided_by", "machine_off", "needs",
					    "removed",	  "since",	 NULL };

	return same_members(a, b, keys);
}

static void put_feature(struct buf *b, const json_t *feature, int width)
{
	const char *property = short_property(feature);
	_buf_ name = { 0 };

	put_name(&name, feature);
	buf_printf(b, "    %-3" JSON_INTEGER_FORMAT " ",
		   json_integer_value(json_object_get(feature, "bit")));
	buf_printf(b, property ? "%-*s  %s\n" : "%.0d%s\n", property ? width : 0,
		   name.data ? name.data : "", property);
	if (buf_failed(&name))
		b->failed = true;
}

static int name_width(const json_t *features)
{
	size_t i;
	json_t *v;
	int width = 0;

	json_array_foreach(features, i, v) {
		_buf_ name = { 0 };

		put_name(&name, v);
		if ((int)name.len > width)
			width = (int)name.len;
	}
	return width;
}

/* Features with the same explanation stand together above it, in the order of the first. */
static void put_features(struct buf *b, const json_t *features)
{
	size_t n = json_array_size(features);
	int width = name_width(features);

	for (size_t i = 0; i < n; i++) {
		const json_t *first = json_array_get(features, i);
		bool told = false;

		for (size_t k = 0; k < i; k++)
			told |= same_needs(json_array_get(features, k), first);
		if (told)
			continue;
		for (size_t k = i; k < n; k++)
			if (same_needs(json_array_get(features, k), first))
				put_feature(b, json_array_get(features, k), width);
		put_needs(b, features, i);
	}
}

/* ------------------------------------------------------------------------ the masks */

static void put_bits(struct buf *b, const json_t *bits)
{
	size_t i, n = json_array_size(bits);
	json_t *v;

	buf_printf(b, "bit%s", n == 1 ? "" : "s");
	json_array_foreach(bits, i, v)
		buf_printf(b, "%s%" JSON_INTEGER_FORMAT,
			   !i		? " " :
			   i + 1 == n	? " and " :
					  ", ",
			   json_integer_value(v));
}

static bool decided_by(const json_t *features, const char *who)
{
	size_t i;
	json_t *v;

	json_array_foreach(features, i, v) {
		const char *decider = string_of(v, "decided_by");

		if (decider && streq(decider, who))
			return true;
	}
	return false;
}

/* Which features a mask that QEMU had cleared before it printed it can have had. */
static void put_masked(struct buf *b, const json_t *f, const json_t *candidates)
{
	size_t i;
	json_t *v;

	if (json_is_true(json_object_get(f, "already_masked")))
		put_sentence(b, "QEMU from 10.2 on prints the guest's mask after it has taken out "
				"what it does not allow: something is missing here, and these masks "
				"cannot say what.");
	else
		put_sentence(b, "Nothing is missing in these masks, so they are not the reason, "
				"or were printed after QEMU had masked them.");
	if (json_array_size(candidates)) {
		_buf_ names = { 0 };

		buf_puts(&names, "It is to be looked for among what hosts differ in and this "
				 "destination does not offer:");
		json_array_foreach(candidates, i, v) {
			buf_printf(&names, "%s ", i ? "," : "");
			buf_puts(&names, short_property(v) ? short_property(v) :
							    string_of(v, "name"));
			buf_printf(&names, " (%" JSON_INTEGER_FORMAT ")",
				   json_integer_value(json_object_get(v, "bit")));
		}
		buf_putc(&names, '.');
		put_sentence(b, names.data ? names.data : "");
		if (buf_failed(&names))
			b->failed = true;
	}
	put_sentence(b, "To find it: abibase probe on both hosts, then abibase diff SOURCE DESTINATION; "
			"abibase intersect SOURCE DESTINATION prints the -global list for new "
			"starts.");
}

static void put_advice(struct buf *b, const json_t *features, const json_t *globals)
{
	if (!decided_by(features, "host") && !json_array_size(globals))
		return;
	if (decided_by(features, "host"))
		put_sentence(b, "Vendors backport, and a package update can change what one "
				"machine type name means. Do not guess from versions: abibase "
				"probe, then abibase diff.");
	if (!json_array_size(globals)) {
		put_sentence(b, "This guest keeps the features until it is powered off, and can move "
				"only to hosts that offer them. No property that each QEMU has "
				"turns them off.");
		return;
	}
	put_sentence(b, "It keeps them until it is powered off; start new guests with those QEMU knows:");
	put_globals(b, globals);
}

/* @where: the finding, or one of the classes that it fits. */
static void put_missing(struct buf *b, const json_t *f, const json_t *where)
{
	const json_t *features = json_object_get(where, "features");
	const json_t *globals = json_object_get(where, "globals");

	if (!json_array_size(features)) {
		put_masked(b, f, json_object_get(where, "candidates"));
		return;
	}
	buf_printf(b, "  bit, feature, property of %s; what it needs to be offered\n",
		   string_of(where, "class"));
	put_features(b, features);
	put_advice(b, features, globals);
}

static void put_class_line(struct buf *b, const json_t *class)
{
	const json_t *features = json_object_get(class, "features");
	_buf_ names = { 0 };
	size_t i;
	json_t *v;

	json_array_foreach(features, i, v) {
		const char *property = string_of(v, "property");

		buf_puts(&names, i ? ", " : "");
		put_name(&names, v);
		if (property && string_of(v, "off"))
			buf_printf(&names, " %s=%s", property, string_of(v, "off"));
	}
	if (buf_failed(&names))
		b->failed = true;
	buf_printf(b, "    %-14s ", string_of(class, "device"));
	if (names.data)
		show_wrapped(b, 19, 19, names.data);
	else
		buf_putc(b, '\n');
}

/* "The lines near it name hx7, whose features are not known here." */
static void put_stranger(struct buf *b, const char *path)
{
	_buf_ text = { 0 };

	buf_printf(&text,
		   "The lines near it name %s, whose features are not known here. A bit means "
		   "something else in each class; these have a meaning for all the bits, if it "
		   "is one of them:",
		   path);
	put_sentence(b, text.data ? text.data : "");
	b->failed |= buf_failed(&text);
}

static void put_classes(struct buf *b, const json_t *f)
{
	const json_t *classes = json_object_get(f, "classes");
	size_t i, n = json_array_size(classes);
	json_t *v;

	if (string_of(f, "path")) {
		put_stranger(b, string_of(f, "path"));
		json_array_foreach(classes, i, v)
			put_class_line(b, v);
		return;
	}

	if (!n) {
		put_sentence(b, "No line near it says which device this is, and no class has a "
				"meaning for all of the bits. Say which with --device=CLASS.");
		return;
	}
	if (n == 1) {
		_buf_ text = { 0 };

		v = json_array_get(classes, 0);
		buf_printf(&text,
			   "No line names the device; only %s has a meaning for all the bits.",
			   string_of(v, "device"));
		put_sentence(b, text.data ? text.data : "");
		b->failed |= buf_failed(&text);
		put_missing(b, f, v);
		return;
	}
	put_sentence(b, "No line near it says which device this is, and a bit means something else "
			"in each class. These have a meaning for all the bits:");
	json_array_foreach(classes, i, v)
		put_class_line(b, v);
	if (!json_array_size(json_object_get(f, "missing_bits")))
		put_masked(b, f, NULL);
	put_sentence(b, "Say which with --device=CLASS; QEMU's next line names it: \"Failed to load "
			"CLASS:virtio\".");
}

/* The class that was given, or found, does not have all the bits. */
static void put_implausible(struct buf *b, const json_t *f, const char *device)
{
	const json_t *unnamed = json_object_get(f, "unnamed");
	const json_t *classes = json_object_get(f, "classes");
	_buf_ text = { 0 };
	size_t i;
	json_t *v;

	buf_puts(&text, "Implausible: ");
	put_bits(&text, unnamed);
	buf_printf(&text, " of these masks %s no meaning in %s.",
		   json_array_size(unnamed) == 1 ? "has" : "have", device);
	put_sentence(b, text.data ? text.data : "");
	b->failed |= buf_failed(&text);
	if (!json_array_size(classes)) {
		put_sentence(b, "No class has a meaning for all the bits.");
		return;
	}
	put_sentence(b, "These have a meaning for all the bits; say --device=CLASS:");
	json_array_foreach(classes, i, v)
		put_class_line(b, v);
}

static void put_masks(struct buf *b, const json_t *f)
{
	const json_t *bits = json_object_get(f, "missing_bits");
	const char *device = string_of(f, "device");
	size_t n = json_array_size(bits);
	_buf_ text = { 0 };

	put_place(b, &text, f);
	if (device)
		buf_printf(&text, "%s: ", device);
	if (n) {
		buf_printf(&text, "the guest has %zu feature%s that this destination does not offer: ",
			   n, n == 1 ? "" : "s");
		put_bits(&text, bits);
	} else {
		buf_puts(&text, "the guest has a feature that this destination does not offer");
	}
	show_wrapped(b, 0, INDENT, text.data ? text.data : "");
	b->failed |= buf_failed(&text);
	if (!device)
		put_classes(b, f);
	else if (json_array_size(json_object_get(f, "unnamed")))
		put_implausible(b, f, device);
	else
		put_missing(b, f, f);
}

/* --------------------------------------------------------------------------- a word */

/* The features that @decider decides, or that nobody is known to: "csum (0), mac (5)". */
static void put_decided(struct buf *b, const json_t *features, const char *label, bool host)
{
	_buf_ names = { 0 };
	size_t i;
	json_t *v;

	json_array_foreach(features, i, v) {
		const char *decider = string_of(v, "decided_by"), *name = short_property(v);

		if ((decider && streq(decider, "host")) != host)
			continue;
		buf_puts(&names, names.len ? ", " : "");
		if (name)
			buf_puts(&names, name);
		else
			put_name(&names, v);
		buf_printf(&names, " (%" JSON_INTEGER_FORMAT ")",
			   json_integer_value(json_object_get(v, "bit")));
	}
	if (names.data)
		put_labelled(b, INDENT, label, names.data);
	if (buf_failed(&names))
		b->failed = true;
}

static void put_word_of(struct buf *b, const json_t *f, const json_t *where)
{
	const json_t *features = json_object_get(where, "features");
	size_t n = json_array_size(features);
	_buf_ text = { 0 };

	buf_printf(b, "%s: a word of %zu feature%s, as property (bit)\n",
		   string_of(where, "device"), n, n == 1 ? "" : "s");
	put_decided(b, features, "hosts decide", true);
	put_decided(b, features, "machine type, options, build and driver decide", false);
	buf_printf(&text, "Where a guest that took them can go: abibase targets %s HOST...",
		   string_of(f, "guest"));
	put_sentence(b, text.data ? text.data : "");
	b->failed |= buf_failed(&text);
}

static void put_word(struct buf *b, const json_t *f)
{
	const json_t *classes = json_object_get(f, "classes");
	size_t i;
	json_t *v;

	put_place(b, b, f);
	if (string_of(f, "device") || json_array_size(classes) == 1) {
		put_word_of(b, f, string_of(f, "device") ? f : json_array_get(classes, 0));
		return;
	}
	buf_puts(b, "a word of features\n");
	if (!json_array_size(classes)) {
		put_sentence(b, "No class has a meaning for all of the bits.");
		return;
	}
	put_sentence(b,
		     "A bit means something else in each class. These have a meaning for all the "
		     "bits; say --device=CLASS:");
	json_array_foreach(classes, i, v)
		put_class_line(b, v);
}

/* --------------------------------------------------------------------- other messages */

/* "pcie-root-port at 0000:00:12.0 (port or bridge of PCI Express): ", if a device is known. */
static void put_device(struct buf *b, const json_t *f)
{
	const char *device = string_of(f, "device"), *path = string_of(f, "path");
	const char *family = string_of(f, "family"), *layer = string_of(f, "layer");
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (!device)
		return;
	buf_puts(b, path ? decode_base(path) : device);
	if (slash && slash[1])
		buf_printf(b, " at %.*s", (int)(slash - path), path);
	if (family && (path || !layer) && !(layer && streq(family, layer)))
		buf_printf(b, " (%s)", family);
	buf_puts(b, ": ");
}

static const char *scope_words(const char *scope)
{
	if (streq(scope, "outside"))
		return ", which is outside of what abibase is about";
	if (streq(scope, "harmless"))
		return ", harmless";
	return streq(scope, "unknown") ? ", and which device it was is not said" : "";
}

static void put_heading(struct buf *b, const json_t *f)
{
	const char *layer = string_of(f, "layer");
	_buf_ text = { 0 };

	put_place(b, &text, f);
	put_device(&text, f);
	buf_printf(&text, "%s%s", layer ? layer : "device state",
		   scope_words(string_of(f, "scope")));
	show_wrapped(b, 0, INDENT, text.data ? text.data : "");
	b->failed |= buf_failed(&text);
}

static void put_defect(struct buf *b, const json_t *defect)
{
	_buf_ text = { 0 };

	if (!defect)
		return;
	buf_printf(&text, "%s: %s", string_of(defect, "text"), string_of(defect, "remedy"));
	put_labelled(b, INDENT, "note", text.data ? text.data : "");
	b->failed |= buf_failed(&text);
}

static void put_message(struct buf *b, const json_t *f)
{
	const char *since = string_of(f, "since"), *removed = string_of(f, "removed");

	put_heading(b, f);
	put_labelled(b, INDENT, "meaning", string_of(f, "meaning"));
	if (string_of(f, "part"))
		put_labelled(b, INDENT, "part", string_of(f, "part"));
	if (string_of(f, "detail"))
		put_labelled(b, INDENT, "here", string_of(f, "detail"));
	if (since)
		buf_printf(b, "  %s is in QEMU from %s on%s%s\n", string_of(f, "property"), since,
			   removed ? ", and no more from " : "", removed ? removed : "");
	put_labelled(b, INDENT, "remedy", string_of(f, "remedy"));
	put_defect(b, json_object_get(f, "known_defect"));
	if (string_of(f, "who"))
		put_labelled(b, INDENT, "who can help", string_of(f, "who"));
	put_globals(b, json_object_get(f, "globals"));
}

static void put_verdict(struct buf *b, size_t n)
{
	if (n > 1)
		show_printf(b, 0, 2, "yes: %zu messages are known", n);
	else if (!n)
		show_printf(b, 0, 2, "no: no message that is known is in the text");
}

int decode_show(const json_t *root, size_t width, char **ret)
{
	json_int_t dropped = json_integer_value(json_object_get(root, "dropped"));
	_buf_ b = { .width = width };
	size_t i;
	json_t *f;

	put_verdict(&b, json_array_size(json_object_get(root, "findings")));
	json_array_foreach(json_object_get(root, "findings"), i, f) {
		if (i)
			buf_putc(&b, '\n');
		if (json_object_get(f, "allowed"))
			put_masks(&b, f);
		else if (json_object_get(f, "guest"))
			put_word(&b, f);
		else
			put_message(&b, f);
	}
	if (dropped)
		buf_printf(&b, "\n%" JSON_INTEGER_FORMAT " more findings are left out\n", dropped);
	show_printf(&b, 0, 2, "Looked at: messages of QEMU and libvirt; not looked at: other messages");
	show_printf(&b, 0, 2, "See: abibase diff SOURCE DESTINATION, abibase targets GUEST HOST...");
	return buf_give(&b, ret);
}
