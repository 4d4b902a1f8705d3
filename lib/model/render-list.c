/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/render.h"

/*
 * The forms of a list. Names of machine types, classes and properties have letters, digits and ".",
 * "_", "+" and "-" alone, see name_valid(), and values are words or numbers: nothing of them has to be
 * quoted for a shell, in JSON or in XML.
 */

/* What stands around the options of a command line, which are two words each. */
struct skin {
	const char *begin, *between, *open, *middle, *close, *end;
};

#define OF_LIBVIRT "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"
static const struct skin args = { "", "", "", " ", "\n", "" };
static const struct skin oneline = { "", " ", "", " ", "", "\n" };
static const struct skin argv_json = { "[", ",", "\"", "\",\"", "\"", "]\n" };
static const struct skin libvirt_commandline = {
	"<qemu:commandline " OF_LIBVIRT ">\n", "", "  <qemu:arg value='",
	"'/>\n  <qemu:arg value='", "'/>\n", "</qemu:commandline>\n",
};

static void write_words(const struct list *l, const struct skin *s, struct buf *out)
{
	const char *between = "";

	buf_puts(out, s->begin);
	if (l->machine) {
		buf_printf(out, "%s-machine%s%s%s", s->open, s->middle, l->machine, s->close);
		between = s->between;
	}
	for (size_t i = 0; i < l->n_values; i++) {
		const struct value *v = l->values[i];

		buf_printf(out, "%s%s" OPTION_GLOBAL "%s%s.%s=%s%s", between, s->open, s->middle,
			   v->class_name, v->property, v->text, s->close);
		between = s->between;
	}
	buf_puts(out, s->end);
}

static void write_readconfig(const struct list *l, struct buf *out)
{
	const char *sep = "";

	if (l->machine) {
		buf_printf(out, "[machine]\n  type = \"%s\"\n", l->machine);
		sep = "\n";
	}
	for (size_t i = 0; i < l->n_values; i++) {
		const struct value *v = l->values[i];

		buf_printf(out,
			   "%s[global]\n  driver = \"%s\"\n  property = \"%s\"\n  value = \"%s\"\n",
			   sep, v->class_name, v->property, v->text);
		sep = "\n";
	}
}

/* ---------------------------------------------------- what libvirt sets on devices */

const char *render_device(const struct list *l, const struct value *v)
{
	const struct row *row = catalogue_find(l->cat, v->class_name, v->property);

	return row && row->backends ? l->cat->backends[__builtin_ctz(row->backends)].device : NULL;
}

/* QEMU takes a member of JSON only of the type that the property has. */
static void write_property(const struct list *l, const struct value *v, struct buf *out)
{
	const struct row *row = catalogue_find(l->cat, v->class_name, v->property);
	bool boolean = !v->is_number && row && streq(row->type, "bool");

	buf_printf(out, "      <qemu:property name='%s' type='%s' value='%s'/>\n", v->property,
		   v->is_number ? "unsigned" : boolean ? "bool" : "string",
		   !boolean ? v->text : v->on ? "true" : "false");
}

/* An element without properties is one of which some versions of libvirt die. */
static void write_device(const struct list *l, const struct alias *a, struct buf *out)
{
	_buf_ properties = { 0 };

	for (size_t i = 0; i < l->n_values; i++)
		if (same_text(render_device(l, l->values[i]), a->device))
			write_property(l, l->values[i], &properties);
	if (properties.len)
		buf_printf(out,
			   "  <qemu:device alias='%s'>\n    <qemu:frontend>\n%s"
			   "    </qemu:frontend>\n  </qemu:device>\n",
			   a->name, properties.data);
	out->failed |= buf_failed(&properties);
}

static void write_override(const struct list *l, struct buf *out)
{
	buf_puts(out, "<qemu:override " OF_LIBVIRT ">\n");
	for (size_t i = 0; i < l->n_aliases; i++)
		write_device(l, &l->aliases[i], out);
	buf_puts(out, "</qemu:override>\n");
}

static const struct {
	const char *name;
	const struct skin *skin; /* or */
	void (*write)(const struct list *l, struct buf *out);
} forms[] = {
	{ "args", &args, NULL },
	{ "oneline", &oneline, NULL },
	{ "argv-json", &argv_json, NULL },
	{ "readconfig", NULL, write_readconfig },
	{ "libvirt-commandline", &libvirt_commandline, NULL },
	{ RENDER_OVERRIDE, NULL, write_override },
};

const char *render_list_form(size_t i)
{
	return i < ARRAY_SIZE(forms) ? forms[i].name : NULL;
}

void render_list(const struct list *l, size_t form, struct buf *out)
{
	if (forms[form].skin)
		write_words(l, forms[form].skin, out);
	else
		forms[form].write(l, out);
}
