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

struct taking {
	struct throwaway *t;
	struct params *params;
};

static int take_param(void *data, const char *key, const char *value)
{
	struct taking *k = data;
	struct params *ps = k->params;

	if (array_grow(&ps->p, ps->n, &ps->cap, sizeof(*ps->p)) < 0)
		return -ENOMEM;
	ps->p[ps->n].key = copy(k->t, key);
	ps->p[ps->n++].value = copy(k->t, value);
	return 0;
}

static int take_params(struct throwaway *t, const char *text, const char *implied,
		       struct params *ret)
{
	struct taking k = { .t = t, .params = ret };

	return each_param(text, implied, take_param, &k);
}

/* The last one counts. */
static const char *param(const struct params *ps, const char *key)
{
	for (size_t i = ps->n; i; i--)
		if (streq(ps->p[i - 1].key, key))
			return ps->p[i - 1].value;
	return NULL;
}

/* ------------------------------------------------------------------------ devices */

/* A new element, all zero; NULL: no memory */
static void *add(void *array, size_t *n, size_t *cap, size_t size)
{
	char **p = array;

	return array_grow(array, *n, cap, size) < 0 ? NULL : memset(*p + (*n)++ * size, 0, size);
}

static struct nic *add_nic(struct throwaway *t)
{
	return add(&t->nics, &t->n_nics, &t->cap_nics, sizeof(*t->nics));
}

static struct netdev *add_netdev(struct throwaway *t, const char *option)
{
	struct netdev *nd = add(&t->netdevs, &t->n_netdevs, &t->cap_netdevs, sizeof(*nd));

	if (nd)
		nd->option = option;
	return nd;
}

static void name_nic(struct throwaway *t, struct nic *nic, const char *driver, const char *id)
{
	nic->driver = copy(t, driver);
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

static int on_device(struct throwaway *t, const char *text)
{
	struct params params = { 0 };
	int r = take_params(t, text, "driver", &params);
	const char *driver = param(&params, "driver"), *id = param(&params, "id");
	struct nic *nic;

	if (r < 0 || !driver || !is_net_driver(driver)) {
		leave_out(t, keep(t, "-device %s", driver ? driver : ""));
		if (driver && id && is_express_port(driver))
			append(t, &t->ports, id);
		free(params.p);
		return r;
	}
	nic = add_nic(t);
	if (!nic) {
		free(params.p);
		return -ENOMEM;
	}
	nic->params = params;
	name_nic(t, nic, driver, id);
	return 0;
}

static int on_netdev(struct throwaway *t, const char *text)
{
	struct netdev *nd = add_netdev(t, "netdev");
	int r = nd ? take_params(t, text, "type", &nd->params) : -ENOMEM;

	if (r == 0)
		nd->id = param(&nd->params, "id");
	return r;
}

/* Is this model of a network card, as -nic and -net name it, one of ours? */
static const char *model_driver(const char *model)
{
	if (!model)
		return NULL; /* the machine type's own, which is no virtio device on a PC */
	return streq(model, "virtio") ? "virtio-net-pci" : is_net_driver(model) ? model : NULL;
}

/* A device that the options make which know no properties but its address. */
static int plain_nic(struct throwaway *t, const char *driver, const struct params *ps,
		     const char *netdev)
{
	struct nic *nic = add_nic(t);
	struct taking k = { .t = t, .params = nic ? &nic->params : NULL };

	if (!nic || (param(ps, MAC) && take_param(&k, MAC, param(ps, MAC)) < 0))
		return -ENOMEM;
	name_nic(t, nic, driver, param(ps, "id"));
	nic->netdev = netdev;
	return 0;
}

/* -nic: a backend and a device in one */
static int on_nic(struct throwaway *t, const char *text)
{
	struct netdev *nd = add_netdev(t, "nic");
	int r = nd ? take_params(t, text, "type", &nd->params) : -ENOMEM;
	const char *driver;

	if (r < 0)
		return r;
	nd->id = keep(t, "of -nic number %zu", t->n_netdevs); /* no netdev can be called so */
	driver = model_driver(param(&nd->params, "model"));
	return driver ? plain_nic(t, driver, &nd->params, nd->id) : 0;
}

/* -net: what it makes is on a hub, which has no vnet header, unless a nic names a netdev */
static int on_net(struct throwaway *t, const char *text)
{
	struct params params = { 0 };
	int r = take_params(t, text, "type", &params);
	const char *type = param(&params, "type");
	const char *driver = model_driver(param(&params, "model"));

	if (r == 0 && type && streq(type, "nic") && driver)
		r = plain_nic(t, driver, &params,
			      param(&params, "netdev") ? param(&params, "netdev") : "");
	else
		leave_out(t, "-net");
	free(params.p);
	return r;
}

/* ------------------------------------------------------------------ other options */

static int machine_param(void *data, const char *key, const char *value)
{
	struct throwaway *t = data;

	if (streq(key, "type"))
		t->machine = copy(t, value);
	if (streq(key, "confidential-guest-support") || streq(key, "memory-encryption"))
		t->confidential = true;
	return 0;
}

static int on_machine(struct throwaway *t, const char *text)
{
	return each_param(text, "type", machine_param, t);
}

static int take_global(void *data, const char *class_name, const char *property,
		       const char *value)
{
	struct throwaway *t = data;
	struct global *g;

	if (!is_device_class(class_name, NET_DEVICE) &&
	    !is_proxy_class(class_name, NET_DEVICE)) {
		leave_out(t, keep(t, "-global %s.%s", class_name, property));
		return 0;
	}
	g = add(&t->globals, &t->n_globals, &t->cap_globals, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->class_name = copy(t, class_name);
	g->property = copy(t, property);
	g->value = copy(t, value);
	return 0;
}

static int on_global(struct throwaway *t, const char *text)
{
	return parse_global(text, take_global, t);
}

/* -set GROUP.ID.PROPERTY=VALUE changes what came before */
static int on_set(struct throwaway *t, const char *text)
{
	struct taking k = { .t = t };
	char group[16], id[64], property[64];
	int end = 0;

	if (sscanf(text, "%15[^.].%63[^.].%63[^=]%n", group, id, property, &end) != 3 ||
	    text[end] != '=')
		return 0; /* QEMU refuses it itself */
	for (size_t i = 0; i < t->n_nics && streq(group, "device"); i++)
		if (param(&t->nics[i].params, "id") && streq(t->nics[i].name, id))
			k.params = &t->nics[i].params;
	for (size_t i = 0; i < t->n_netdevs && streq(group, "netdev"); i++)
		if (t->netdevs[i].id && streq(t->netdevs[i].id, id))
			k.params = &t->netdevs[i].params;
	if (k.params)
		return take_param(&k, property, text + end + 1);
	leave_out(t, keep(t, "-set %s.%s", group, id));
	return 0;
}

/* Where its firmware is: it is only read. */
static int on_data_dir(struct throwaway *t, const char *text)
{
	append(t, &t->words, "-L");
	append(t, &t->words, text);
	return 0;
}

static int on_option(void *data, const char *name, const char *value);

static int on_config(struct throwaway *t, const char *path)
{
	int r = read_config(t->ctx, path, on_option, t);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		append_once(t, &t->unseen, keep(t, "-readconfig %s cannot be looked into", path));
	return 0;
}

static const struct {
	const char *name;
	int (*fn)(struct throwaway *t, const char *value);
} handlers[] = {
	{ "machine", on_machine }, { "M", on_machine }, { "device", on_device },
	{ "netdev", on_netdev },   { "nic", on_nic },   { "net", on_net },
	{ "global", on_global },   { "set", on_set },   { "readconfig", on_config },
	{ "L", on_data_dir },
};

/* A section of a file is what the option of its name is; other ones are left out. */
static int on_option(void *data, const char *name, const char *value)
{
	struct throwaway *t = data;

	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
		if (streq(handlers[i].name, name))
			return handlers[i].fn(t, value);
	leave_out(t, keep(t, "[%s]", name));
	return 0;
}

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

static bool has_vhost(const struct params *ps)
{
	const char *vhost = param(ps, "vhost"), *force = param(ps, "vhostforce");

	if (vhost)
		return !word_is_bool(vhost, false);
	return param(ps, "vhostfd") || param(ps, "vhostfds") ||
	       (force && !word_is_bool(force, false));
}

static unsigned int count_queues(const struct params *ps)
{
	const char *queues = param(ps, "queues"), *fds = param(ps, "fds");
	unsigned int n = queues ? (unsigned int)strtoul(queues, NULL, 10) : 1;

	for (; fds && *fds; fds++)
		n += *fds == ':';
	return n < 1 ? 1 : n > QUEUES_MAX ? QUEUES_MAX : n;
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
	const char *vnet_hdr = param(ps, "vnet_hdr");
	bool header = !vnet_hdr || !word_is_bool(vnet_hdr, false), vhost = has_vhost(ps);
	enum fd_kind kind = fd ? look_at_fd(fd, &header) : FD_TAP;
	bool macvtap = kind == FD_MACVTAP;

	if (kind == FD_NOT_HERE || kind == FD_OTHER) {
		macvtap = !offer_on(t->b, "tap") && !offer_on(t->b, "tap+vhost");
		append_once(t, &t->notes,
			    keep(t,
				 "%s: what descriptor %s is cannot be seen here, so it is taken "
				 "for that of a %s",
				 nic->name, fd, macvtap ? "macvtap" : "tap"));
	}
	on_host(nic,
		macvtap ? (vhost ? QTEST_MACVTAP_VHOST : QTEST_MACVTAP) :
			  (vhost ? QTEST_TAP_VHOST : QTEST_TAP),
		count_queues(ps));
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
	return nic_has_rom(param(&nic->params, "romfile"), param(&nic->params, "rombar"));
}

static void write_escaped(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == ',')
			buf_putc(out, ',');
		buf_putc(out, *s);
	}
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

static int finish(struct throwaway *t)
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
	return t->arena.failed ? -ENOMEM : 0;
}

static int take_option(struct throwaway *t, const struct option_word *o)
{
	if (!o->name) {
		leave_out(t, keep(t, "%s", o->word)); /* a disk */
		return 0;
	}
	for (size_t k = 0; k < ARRAY_SIZE(handlers); k++)
		if (streq(o->name, handlers[k].name) && o->value)
			return handlers[k].fn(t, o->value);
	if (*o->name)
		leave_out(t, keep(t, "-%s", o->name));
	return 0;
}

int throwaway_parse(struct throwaway *t, const char *const *argv)
{
	struct option_word o;
	size_t i = 0;
	int r = 0;

	while (r == 0 && next_option(argv, &i, &o))
		r = take_option(t, &o);
	return r < 0 ? r : finish(t);
}

int throwaway_default(struct throwaway *t, const char *const *list)
{
	const struct abibase_baseline *b = t->b;
	int r = 0;

	t->machine = b->machine;
	for (size_t i = 0; r == 0 && list[i] && list[i + 1]; i += 2)
		r = on_global(t, list[i + 1]);
	for (size_t i = 0; r == 0 && i < b->n_offers; i++) {
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
	if (r < 0)
		return r;
	write_words(t);
	return t->arena.failed ? -ENOMEM : 0;
}

void throwaway_clear(struct throwaway *t)
{
	for (size_t i = 0; i < t->n_nics; i++)
		free(t->nics[i].params.p);
	for (size_t i = 0; i < t->n_netdevs; i++)
		free(t->netdevs[i].params.p);
	free(t->nics);
	free(t->netdevs);
	free(t->globals);
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
