/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/context.h"
#include "base/harmless.h"
#include "base/known.h"
#include "document/guest.h"
#include "qemu/throwaway.h"

/* A command line of QEMU as a guest: what is started, and which of its devices a host has a say in. */

struct reading {
	const struct abibase_catalogue *cat; /* NULL: devices are not looked at */
	struct throwaway t;
	json_t *root, *devices;
	json_t *unjudged; /* words that may change a device */
	json_t *ports;	  /* where a device can be plugged in, and nothing is yet */
};

static int put_words(json_t *obj, const char *key, const char *words)
{
	return json_object_set_new(obj, key, json_harmless(words)) < 0 ? -ENOMEM : 0;
}

static int not_judged(struct reading *rd, const char *what, const char *detail)
{
	_autofree_ char *words = NULL;

	if (asprintf(&words, "%s%s%s%s", what, detail ? " (" : "", detail ? detail : "",
		     detail ? ")" : "") < 0) {
		words = NULL;
		return -ENOMEM;
	}
	return json_array_append_new(rd->unjudged, json_harmless(words)) < 0 ? -ENOMEM : 0;
}

/* ----------------------------------------------------------------------- devices */

static int add_device(struct reading *rd, const char *class_name, const char *id,
		      const char *backend, json_t **ret)
{
	json_t *device = json_pack("{s:s, s:s}", "class", class_name, "backend", backend);

	if (!device || json_array_append_new(rd->devices, device) < 0)
		return -ENOMEM;
	if (ret)
		*ret = device;
	return id && *id ? put_words(device, "id", id) : 0;
}

/* No host has a say in what passes frames without their headers: that is like "user". */
static int add_nic(struct reading *rd, const struct nic *nic)
{
	bool known = qtest_backend(nic->backend) >= 0;
	json_t *device = NULL;
	int r;

	if (!known && nic->kind != NIC_PLAIN)
		return not_judged(rd, nic->name, nic->backend);
	r = add_device(rd, NET_DEVICE, nic->name, known ? nic->backend : "user", &device);
	if (r == 0 && !throwaway_has_rom(nic))
		r = json_object_set_new(device, "rom_size", json_integer(0));
	return r < 0 ? -ENOMEM : 0;
}

static int add_nics(struct reading *rd)
{
	const struct throwaway *t = &rd->t;
	int r = 0;

	for (size_t i = 0; r == 0 && rd->cat && i < t->n_nics; i++)
		r = add_nic(rd, &t->nics[i]);
	for (size_t i = 0; r == 0 && i < t->unseen.n; i++)
		r = not_judged(rd, t->unseen.s[i], NULL);
	return r == 0 && t->machine ? put_words(rd->root, GUEST_X_MACHINE, t->machine) : r;
}

/* One that is a backend of its own, as the catalogue has it */
static int add_other(struct reading *rd, const char *driver, const char *id)
{
	for (size_t i = 0; i < rd->cat->n_rows; i++) {
		const struct row *row = &rd->cat->rows[i];

		if (!is_of(driver, row->class_name))
			continue;
		for (size_t be = 0; be < rd->cat->n_backends; be++) {
			if (!rd->cat->backends[be].device || !(row->backends & (1u << be)))
				continue;
			return add_device(rd, row->class_name, id, rd->cat->backends[be].name,
					  NULL);
		}
	}
	return 0;
}

/* Something can be plugged in where a port has nothing behind it, and on a bus of old PCI. */
static int note_port(struct reading *rd, const char *driver, const char *id)
{
	static const char *const ports[] = { "pcie-root-port", "ioh3420", "xio3130-downstream",
					     "pci-bridge", "pcie-pci-bridge", NULL };

	if (word_index(ports, driver) < 0)
		return 0;
	return json_object_set_new(rd->ports, id ? id : "", json_string(driver)) < 0 ? -ENOMEM : 0;
}

static void take_bus(struct reading *rd, const struct params *ps)
{
	const char *bus = param(ps, "bus"), *port = bus ? string_of(rd->ports, bus) : NULL;

	/* a bridge has many places */
	if (port && !strstr(port, "pci-bridge"))
		json_object_del(rd->ports, bus);
}

static int take_device(struct reading *rd, const struct params *ps)
{
	const char *driver = param(ps, "driver"), *id = param(ps, "id");
	int r = driver ? note_port(rd, driver, id) : 0;

	return r < 0 || !driver || !rd->cat ? r : add_other(rd, driver, id);
}

/* ------------------------------------------------------------------------ options */

/* Does -set make another device of one, or cannot be read? */
static bool changes_kind(const struct params *ps)
{
	static const char *const kinds[] = { "driver", "model", "type", NULL };
	const char *property = param(ps, "property");

	return !property || word_index(kinds, property) >= 0;
}

static int take_option(struct reading *rd, const struct option *o)
{
	const char *name = param(&o->params, "guest");

	if (!o->known || (is_option(o, "set") && changes_kind(&o->params)))
		return not_judged(rd, o->word, o->value);
	if (is_option(o, "name") && name)
		return put_words(rd->root, GUEST_X_NAME, name);
	if (is_option(o, "uuid"))
		return put_words(rd->root, GUEST_X_UUID, o->value);
	if (is_option(o, "incoming") || is_option(o, "loadvm"))
		return json_object_set_new(rd->root, GUEST_X_INCOMING, json_true());
	return is_option(o, "device") ? take_device(rd, &o->params) : 0;
}

/* Can something be plugged in? On the bus of an old PC it can, too. */
static int note_slots(struct reading *rd)
{
	const char *machine = string_of(rd->root, GUEST_X_MACHINE) ?: "";

	if (!json_object_size(rd->ports) && !streq(machine, "pc") &&
	    !strprefix(machine, "pc-i440fx"))
		return 0;
	return json_object_set_new(rd->root, GUEST_X_SLOTS, json_true());
}

static int read_command(struct reading *rd, const char *const *argv)
{
	int r = throwaway_parse(&rd->t, argv);
	const struct command *cmd = &rd->t.cmd;

	if (r == 0)
		r = add_nics(rd);
	for (size_t i = 0; r == 0 && i < cmd->n; i++)
		r = take_option(rd, &cmd->options[i]);
	for (size_t i = 0; r == 0 && i < cmd->n; i++)
		if (is_option(&cmd->options[i], "device"))
			take_bus(rd, &cmd->options[i].params);
	return r == 0 ? note_slots(rd) : r;
}

ABIBASE_EXPORT int abibase_guest_from_command(struct abibase_context *ctx,
					      const struct abibase_catalogue *cat,
					      const char *const *argv, struct abibase_guest **ret)
{
	struct reading rd = { .cat = cat, .t.ctx = ctx };
	json_auto_t *ports = json_object(), *root = json_pack("{s:s, s:[], s:[]}", "schema",
							      "abibase-guest/1", "devices",
							      DOMAIN_NOT_JUDGED);
	int r;

	rd.root = root;
	rd.devices = json_object_get(root, "devices");
	rd.unjudged = json_object_get(root, DOMAIN_NOT_JUDGED);
	rd.ports = ports;
	r = rd.unjudged && ports ? read_command(&rd, argv) : -ENOMEM;
	throwaway_clear(&rd.t);
	return r < 0 ? context_oom(ctx) : guest_make(ctx, steal(&root), "the command line", ret);
}
