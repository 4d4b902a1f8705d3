/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/throwaway.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/text.h"

/*
 * Only the options in the table at the end are kept; every other one is left out with its value. So
 * nothing of the command line that could write, bind, connect or lock reaches the throw-away QEMU,
 * and an option of a future QEMU does not either.
 */

/* More queues are not offered anything else. */
#define QUEUES_MAX 8u

/* ---------------------------------------------------------------------- pieces */

#define keep(t, ...) show_keep(&(t)->arena, __VA_ARGS__)

/* As it is: a value that QEMU is given. */
static const char *copy(struct throwaway *t, const char *s)
{
	char *c = arena_strdup(&t->arena, s);

	return c ? c : "";
}

static void append(struct throwaway *t, struct strings *list, const char *s)
{
	if (strings_add(list, s) < 0)
		t->arena.failed = true;
}

static void append_once(struct throwaway *t, struct strings *list, const char *s)
{
	if (!strings_have(list, s))
		append(t, list, s);
}

static void leave_out(struct throwaway *t, const char *what)
{
	append_once(t, &t->left_out, what);
}

/* ------------------------------------------------------------------------ devices */

static struct nic *add_nic(struct throwaway *t)
{
	struct nic *nics = arena_grow(&t->arena, t->nics, t->n_nics, sizeof(*nics));

	if (!nics)
		return NULL;
	t->nics = nics;
	return &nics[t->n_nics++];
}

static struct netdev *add_netdev(struct throwaway *t, const char *option, const struct option *o)
{
	struct netdev *nd = arena_grow(&t->arena, t->netdevs, t->n_netdevs, sizeof(*nd));

	if (!nd)
		return NULL;
	t->netdevs = nd;
	nd += t->n_netdevs++;
	*nd = (struct netdev){ param(&o->params, "id"), option, o->params };
	return nd;
}

static void name_nic(struct throwaway *t, struct nic *nic, const char *driver, const char *id)
{
	nic->driver = driver;
	nic->name = id ? keep(t, "%s", id) : keep(t, "%s number %zu", driver, t->n_nics);
	nic->netdev = param(&nic->params, "netdev");
	nic->n_own = nic->params.n;
}

/* What makes a device's disable-legacy=auto mean on. */
static bool is_express_port(const char *driver)
{
	static const char *const ports[] = { "pcie-root-port", "ioh3420", "xio3130-downstream",
					     NULL };

	return word_index(ports, driver) >= 0;
}

static void on_device(struct throwaway *t, const struct option *o)
{
	const char *driver = param(&o->params, "driver"), *id = param(&o->params, "id");
	struct nic *nic;

	if (!driver || !is_net_driver(driver)) {
		leave_out(t, keep(t, "-device %s", driver ? driver : ""));
		if (driver && id && is_express_port(driver))
			append(t, &t->ports, id);
		return;
	}
	nic = add_nic(t);
	if (!nic)
		return;
	nic->params = o->params;
	name_nic(t, nic, driver, id);
}

static void on_netdev(struct throwaway *t, const struct option *o)
{
	add_netdev(t, "netdev", o);
}

/* Is this model of a network card, as -nic and -net name it, one of ours? */
static const char *model_driver(const char *model)
{
	if (!model)
		return NULL; /* the machine type's own, which is no virtio device on a PC */
	return streq(model, "virtio") ? "virtio-net-pci" : is_net_driver(model) ? model : NULL;
}

/* A device that the options make which know no properties but its address. */
static void plain_nic(struct throwaway *t, const char *driver, const struct params *ps,
		      const char *netdev)
{
	struct nic *nic = add_nic(t);

	if (!nic)
		return;
	if (param(ps, MAC))
		param_add(&t->arena, &nic->params, MAC, param(ps, MAC));
	name_nic(t, nic, driver, param(ps, "id"));
	nic->netdev = netdev;
}

/* -nic: a backend and a device in one */
static void on_nic(struct throwaway *t, const struct option *o)
{
	struct netdev *nd = add_netdev(t, "nic", o);
	const char *driver = model_driver(param(&o->params, "model"));

	if (!nd)
		return;
	nd->id = keep(t, "of -nic number %zu", t->n_netdevs); /* no netdev can be called so */
	if (driver)
		plain_nic(t, driver, &o->params, nd->id);
}

/* -net: what it makes is on a hub, which has no vnet header, unless a nic names a netdev */
static void on_net(struct throwaway *t, const struct option *o)
{
	const struct params *ps = &o->params;
	const char *type = param(ps, "type"), *driver = model_driver(param(ps, "model"));

	if (type && streq(type, "nic") && driver)
		plain_nic(t, driver, ps, param(ps, "netdev") ? param(ps, "netdev") : "");
	else
		leave_out(t, "-net");
}

/* ------------------------------------------------------------------ other options */

static void on_machine(struct throwaway *t, const struct option *o)
{
	const struct params *ps = &o->params;

	if (param(ps, "type"))
		t->machine = param(ps, "type");
	t->confidential |= param(ps, "confidential-guest-support") ||
			   param(ps, "memory-encryption");
}

static void on_global(struct throwaway *t, const struct option *o)
{
	const struct params *ps = &o->params;
	struct global g = { param(ps, "driver"), param(ps, "property"), param(ps, "value") }, *to;

	if (!g.class_name || !g.property || !g.value)
		return;
	if (!is_device_class(g.class_name, NET_DEVICE) &&
	    !is_proxy_class(g.class_name, NET_DEVICE)) {
		leave_out(t, keep(t, "-global %s.%s", g.class_name, g.property));
		return;
	}
	to = arena_grow(&t->arena, t->globals, t->n_globals, sizeof(*to));
	if (!to)
		return;
	t->globals = to;
	to[t->n_globals++] = g;
}

/* It changes what came before. */
static void on_set(struct throwaway *t, const struct option *o)
{
	const char *group = param(&o->params, "group"), *id = param(&o->params, "id");
	struct params *params = NULL;

	if (!group)
		return;
	for (size_t i = 0; i < t->n_nics && streq(group, "device"); i++)
		if (param(&t->nics[i].params, "id") && streq(t->nics[i].name, id))
			params = &t->nics[i].params;
	for (size_t i = 0; i < t->n_netdevs && streq(group, "netdev"); i++)
		if (t->netdevs[i].id && streq(t->netdevs[i].id, id))
			params = &t->netdevs[i].params;
	if (params)
		param_add(&t->arena, params, param(&o->params, "property"),
			  param(&o->params, "value"));
	else
		leave_out(t, keep(t, "-set %s.%s", group, id));
}

/* Where its firmware is: it is only read. */
static void on_data_dir(struct throwaway *t, const struct option *o)
{
	append(t, &t->words, "-L");
	append(t, &t->words, o->value);
}

static void on_config(struct throwaway *t, const struct option *o)
{
	append_once(t, &t->unseen, keep(t, "-readconfig %s cannot be looked into", o->value));
}

static const struct {
	const char *name;
	void (*fn)(struct throwaway *t, const struct option *o);
} handlers[] = {
	{ "machine", on_machine }, { "device", on_device }, { "netdev", on_netdev },
	{ "nic", on_nic },	   { "net", on_net },	    { "global", on_global },
	{ "set", on_set },	   { "L", on_data_dir },    { "readconfig", on_config },
};

/* ----------------------------------------------------------------------- backends */

enum fd_kind { FD_NOT_HERE, FD_TAP, FD_MACVTAP, FD_OTHER };

/* A tap that is passed is looked at, no more: neither used up nor changed. */
static enum fd_kind look_at_fd(const char *text, bool *ret_vnet_hdr)
{
	struct ifreq ifr = { 0 };
	struct stat st;
	char *end;
	long fd = strtol(text, &end, 10);

	if (end == text || (*end && *end != ':') || fd < 0 || fd > 1 << 20 ||
	    fstat((int)fd, &st) < 0)
		return FD_NOT_HERE;
	if (!S_ISCHR(st.st_mode) || ioctl((int)fd, TUNGETIFF, &ifr) < 0)
		return FD_OTHER;
	*ret_vnet_hdr = ifr.ifr_flags & IFF_VNET_HDR;
	/* TUN_MINOR of the misc devices */
	return major(st.st_rdev) == 10 && minor(st.st_rdev) == 200 ? FD_TAP : FD_MACVTAP;
}

static void opaque(struct throwaway *t, struct nic *nic, const char *backend, const char *why)
{
	nic->kind = NIC_OPAQUE;
	nic->backend = backend ? keep(t, "%s", backend) : "no backend";
	nic->why = why;
}

static void on_host(struct nic *nic, enum qtest_backend backend, unsigned int queues)
{
	nic->kind = NIC_HOST;
	nic->backend = qtest_backend_names[backend];
	nic->throwaway.backend = backend;
	nic->throwaway.queues = queues;
}

static void resolve_tap(struct throwaway *t, struct nic *nic, const struct params *ps)
{
	const char *fd = param(ps, "fd") ? param(ps, "fd") : param(ps, "fds");
	bool header = has_vnet_hdr(ps), vhost = has_vhost(ps);
	enum fd_kind kind = fd ? look_at_fd(fd, &header) : FD_TAP;
	bool macvtap = kind == FD_MACVTAP;

	if (kind == FD_NOT_HERE || kind == FD_OTHER) {
		macvtap = t->b && !baseline_offer(t->b, "tap") && !baseline_offer(t->b, "tap+vhost");
		append_once(t, &t->notes,
			    keep(t,
				 "%s: what descriptor %s is cannot be seen here, so it is taken "
				 "for that of a %s",
				 nic->name, fd, macvtap ? "macvtap" : "tap"));
	}
	on_host(nic,
		macvtap ? (vhost ? QTEST_MACVTAP_VHOST : QTEST_MACVTAP) :
			  (vhost ? QTEST_TAP_VHOST : QTEST_TAP),
		count_queues(ps, QUEUES_MAX));
	nic->throwaway.no_vnet_hdr = !header;
}

static void resolve_netdev(struct throwaway *t, struct nic *nic, const struct params *ps)
{
	const char *type = param(ps, "type");

	if (!type) {
		opaque(t, nic, NULL, "its backend has no type");
	} else if (streq(type, "tap")) {
		resolve_tap(t, nic, ps);
	} else if (streq(type, "bridge")) { /* a tap that a helper makes */
		on_host(nic, QTEST_TAP, 1);
	} else if (strprefix(type, "vhost-") || streq(type, "passt")) {
		opaque(t, nic, type,
		       keep(t, "what a guest is offered is decided by the other side of %s, and no "
			       "baseline is for that",
			    type));
	} else {
		nic->kind = NIC_PLAIN;
		nic->backend = keep(t, "%s", type);
		nic->throwaway.backend = QTEST_HUB;
	}
}

static void resolve(struct throwaway *t, struct nic *nic)
{
	if (streq(nic->driver, NET_DEVICE) || streq(nic->driver, "virtio-net-ccw")) {
		opaque(t, nic, NULL, "a device that is not on a PCI bus cannot be read");
		return;
	}
	nic->kind = NIC_PLAIN;
	nic->backend = "no backend";
	nic->throwaway.backend = QTEST_HUB;
	if (!nic->netdev)
		return;
	if (!*nic->netdev) {
		nic->backend = "a hub";
		return;
	}
	for (size_t i = 0; i < t->n_netdevs; i++)
		if (t->netdevs[i].id && streq(t->netdevs[i].id, nic->netdev)) {
			resolve_netdev(t, nic, &t->netdevs[i].params);
			return;
		}
	opaque(t, nic, NULL, keep(t, "its netdev %s is not on the command line", nic->netdev));
}

/* ------------------------------------------------------------- for the new QEMU */

/* What is of no consequence, and would need what is left out. */
static bool is_dropped(const char *key)
{
	static const char *const names[] = { "driver",	"netdev",    "vlan",	    "bus",
					     "addr",	"romfile",   "rombar",
					     "bootindex", "acpi-index", "multifunction",
					     "ebpf-rss-fds", NULL };

	return word_index(names, key) >= 0;
}

static bool on_express_port(const struct throwaway *t, const struct nic *nic)
{
	const char *bus = param(&nic->params, "bus");

	return bus && strings_have(&t->ports, bus);
}

bool throwaway_has_rom(const struct nic *nic)
{
	return nic_has_rom(&nic->params);
}

/* The other kinds have no such property. */
static bool takes_disable_legacy(const struct nic *nic)
{
	return (streq(nic->driver, "virtio-net-pci") || streq(nic->driver, "virtio-net")) &&
	       !param(&nic->params, DISABLE_LEGACY);
}

/*
 * @i: its place among those that are started. It lies on the root bus, where nothing but its legacy
 * interface could be other than behind a port. A ROM of its own is another package's.
 */
static void write_device(struct throwaway *t, struct nic *nic, size_t i, bool rom)
{
	_buf_ out = { 0 };

	buf_puts(&out, nic->driver);
	for (size_t k = 0; k < nic->params.n; k++) {
		const struct param *p = &nic->params.p[k];

		if (is_dropped(p->key))
			continue;
		buf_printf(&out, ",%s=", p->key);
		write_escaped(&out, p->value);
	}
	if (takes_disable_legacy(nic) && !throwaway_setting(t, nic, DISABLE_LEGACY).option &&
	    (t->confidential || on_express_port(t, nic)))
		buf_puts(&out, "," DISABLE_LEGACY "=on");
	buf_printf(&out, ",netdev=abibase%zu,addr=%#zx%s", i, QTEST_SLOT + i,
		   rom && throwaway_has_rom(nic) ? "" : ",romfile=");
	nic->throwaway.device = copy(t, arena_words(&t->arena, &out));
}

int throwaway_place(struct throwaway *t, const size_t *which, size_t n, bool roms,
		    struct qtest_nic *ret)
{
	for (size_t i = 0; i < n; i++) {
		write_device(t, &t->nics[which[i]], i, roms);
		ret[i] = t->nics[which[i]].throwaway;
	}
	return t->arena.failed ? -ENOMEM : 0;
}

static void write_global(struct throwaway *t, const char *text)
{
	append(t, &t->words, "-global");
	append(t, &t->words, text ? text : "");
}

static void write_words(struct throwaway *t)
{
	/* So does such a machine type, before any -global, and what follows wins over it. */
	if (t->confidential)
		write_global(t, IOMMU_PLATFORM "=on");
	for (size_t i = 0; i < t->n_globals; i++) {
		const struct global *g = &t->globals[i];

		write_global(t, arena_printf(&t->arena, "%s.%s=%s", g->class_name, g->property,
					     g->value));
	}
}

static void finish(struct throwaway *t)
{
	for (size_t i = 0; i < t->n_nics; i++) {
		resolve(t, &t->nics[i]);
		if (i >= QTEST_MAX_NICS)
			opaque(t, &t->nics[i], t->nics[i].backend,
			       "there are more devices than can be looked at");
	}
	for (size_t i = 0; i < t->n_netdevs; i++) {
		const char *type = param(&t->netdevs[i].params, "type");

		leave_out(t, keep(t, "-%s %s", t->netdevs[i].option, type ? type : ""));
	}
	write_words(t);
}

/* A section of a file is what the option of its name is; other ones are left out. */
static void take_option(struct throwaway *t, const struct option *o)
{
	if (!o->name) {
		leave_out(t, keep(t, "%s", o->word)); /* a disk */
		return;
	}
	for (size_t k = 0; k < ARRAY_SIZE(handlers); k++)
		if (is_option(o, handlers[k].name)) {
			handlers[k].fn(t, o);
			return;
		}
	if (*o->name)
		leave_out(t, o->section ? keep(t, "[%s]", o->name) : keep(t, "-%s", o->name));
}

int throwaway_parse(struct throwaway *t, const char *const *argv)
{
	t->cmd.arena = &t->arena;
	command_parse(&t->cmd, t->ctx, argv);
	for (size_t i = 0; i < t->cmd.n; i++)
		take_option(t, &t->cmd.options[i]);
	finish(t);
	return t->arena.failed ? -ENOMEM : 0;
}

int throwaway_default(struct throwaway *t, const char *const *list)
{
	struct command cmd = { .arena = &t->arena };
	const struct abibase_baseline *b = t->b;

	t->machine = b->machine;
	command_parse(&cmd, NULL, list);
	for (size_t i = 0; i < cmd.n; i++)
		on_global(t, &cmd.options[i]);
	for (size_t i = 0; i < b->n_offers; i++) {
		struct nic *nic = add_nic(t);
		const char *name = b->in.backends[b->offers[i].backend];
		int backend = qtest_backend(name);

		if (!nic)
			return -ENOMEM;
		nic->name = name;
		nic->driver = "virtio-net-pci";
		if (backend >= 0)
			on_host(nic, (enum qtest_backend)backend, 1);
		else
			opaque(t, nic, name, "this backend cannot be made");
	}
	write_words(t);
	return t->arena.failed ? -ENOMEM : 0;
}

void throwaway_clear(struct throwaway *t)
{
	strings_clear(&t->ports);
	strings_clear(&t->words);
	strings_clear(&t->left_out);
	strings_clear(&t->unseen);
	strings_clear(&t->notes);
	arena_clear(&t->arena);
}

/* ----------------------------------------------------------------- what sets what */

/* Does a -global on this proxy class reach this device? */
static bool is_of_class(const struct nic *nic, const char *class_name)
{
	const char *driver = streq(nic->driver, "virtio-net") ? "virtio-net-pci" : nic->driver;

	return streq(class_name, driver) || !strprefix(class_name, "virtio-net-pci") ||
	       streq(class_name, "virtio-net-pci-base");
}

/* From the strongest to the weakest; within each the last one. */
struct setting_from throwaway_setting(struct throwaway *t, const struct nic *nic,
				      const char *property)
{
	struct setting_from none = { 0 };

	for (size_t i = nic->params.n; i; i--)
		if (streq(nic->params.p[i - 1].key, property))
			return (struct setting_from){
				.option = i <= nic->n_own ?
						  keep(t, "-device %s", nic->driver) :
						  keep(t, "-set device.%s", nic->name),
				.value = nic->params.p[i - 1].value,
				.own = true,
				.behind_list = true,
			};
	for (int proxy = 1; proxy >= 0; proxy--)
		for (size_t i = t->n_globals; i; i--) {
			const struct global *g = &t->globals[i - 1];

			if (!streq(g->property, property) ||
			    is_proxy_class(g->class_name, NET_DEVICE) != (proxy == 1) ||
			    (proxy && !is_of_class(nic, g->class_name)))
				continue;
			return (struct setting_from){
				.option = keep(t, "-global %s", g->class_name),
				.value = g->value,
				.behind_list = proxy,
			};
		}
	return none;
}
