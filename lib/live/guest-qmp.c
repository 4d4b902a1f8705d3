/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/un.h>
#include <syslog.h>

#include "document/catalogue.h"
#include "base/context.h"
#include "answer/decode.h"
#include "document/guest.h"
#include "live/guest.h"
#include "qemu/command.h"
#include "qemu/qtest.h"
#include "base/known.h"

/*
 * A running QEMU is asked over its monitor what it is and what its guest negotiated. It must never die
 * of a question, and QEMU 11.1 does: it aborts on x-query-virtio-status. So that question goes to it
 * only after a throw-away process of a binary that the caller has named, of the same version and
 * package, with the same machine type and a device at work, has answered and outlived it.
 *
 * Nothing is started because of who listens there: which binary that is, the kernel could tell, but
 * whoever may listen on a socket chooses it.
 */

#define ANSWER_MS 10000
#define TRIAL_MS 30000
/* More descriptors than one QEMU has. */
#define DESCRIPTORS_MAX 65536

struct asking {
	struct abibase_context *ctx;
	const struct abibase_catalogue *cat;
	struct decode_data data;
	const char *socket_path;
	const char *qemu; /* the binary for the trial, or NULL */
	struct ucred peer;
	pid_t pid; /* the process that has to listen; 0: any */
	struct guest_descriptors fds; /* of the one that does: which kinds of backend it has */
};

/* What a QEMU answers, on trial or the guest's. */
struct answers {
	const struct asking *a;
	char number[32], package[128], machine[128], target[64], name[256];
	bool can_ask; /* it has the commands */
	bool asked;   /* what was negotiated */
	json_t *devices;
};

#define READ_IT_IN_THE_GUEST \
	"; read the word in the guest (Linux: /sys/bus/virtio/devices/*/features, lowest bit first) " \
	"and give that"

/* --------------------------------------------------------------------- who is it? */

int guest_connect(const char *path, struct ucred *ret_peer)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(*ret_peer);
	int fd, r = 0;

	if (!*path || strlen(path) >= sizeof(addr.sun_path))
		return -EINVAL;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_peer, &len) < 0) {
		r = -errno;
		closep(&fd);
	}
	return r < 0 ? r : fd;
}

static int connect_to(struct asking *a)
{
	int fd = guest_connect(a->socket_path, &a->peer);

	if (fd == -EINVAL)
		return context_fail(a->ctx, EINVAL, "io-error", a->socket_path,
				    "is no path of a socket");
	if (fd < 0)
		return context_fail(a->ctx, -fd, "io-error", a->socket_path, "cannot connect: %s",
				    strerror(-fd));
	if (a->pid && a->peer.pid != a->pid) {
		closep(&fd);
		return context_fail(a->ctx, EINVAL, "io-error", a->socket_path,
				    "another process listens there");
	}
	return fd;
}

static bool link_of(pid_t pid, const char *name, char *ret, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	n = readlink(path, ret, size - 1);
	if (n < 0)
		return false;
	ret[n] = '\0';
	return true;
}

struct guest_descriptors guest_descriptors(pid_t pid)
{
	struct guest_descriptors ret = { 0 };
	char path[64], to[PATH_MAX];
	const struct dirent *e;
	unsigned int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = pid > 0 ? opendir(path) : NULL;
	while (dir && n++ < DESCRIPTORS_MAX && (e = readdir(dir))) {
		char name[32];

		if (e->d_name[0] == '.' ||
		    snprintf(name, sizeof(name), "fd/%s", e->d_name) >= (int)sizeof(name) ||
		    !link_of(pid, name, to, sizeof(to)))
			continue;
		ret.known = true;
		ret.tap |= streq(to, "/dev/net/tun");
		ret.vhost |= streq(to, "/dev/vhost-net");
		ret.macvtap |= strprefix(to, "/dev/tap") && to[strlen("/dev/tap")] >= '0' &&
			       to[strlen("/dev/tap")] <= '9';
	}
	if (dir)
		closedir(dir);
	return ret;
}

/* ---------------------------------------------------------------------- questions */

static void copy_string(const json_t *v, char *ret, size_t size)
{
	snprintf(ret, size, "%s", json_is_string(v) ? json_string_value(v) : "");
}

static int call_string(struct qmp *q, const char *command, const char *member, char *ret,
		       size_t size)
{
	json_auto_t *v = NULL;
	int r = qmp_call(q, &v, command, NULL);

	copy_string(json_object_get(v, member), ret, size);
	return r;
}

static int greet(struct answers *n, struct qmp *q)
{
	json_auto_t *greeting = NULL;
	const json_t *version, *numbers;
	int r = qmp_receive_greeting(q, &greeting);

	if (r < 0)
		return r;
	version = json_object_get(json_object_get(greeting, "QMP"), "version");
	numbers = json_object_get(version, "qemu");
	snprintf(n->number, sizeof(n->number), "%d.%d.%d",
		 (int)json_integer_value(json_object_get(numbers, "major")),
		 (int)json_integer_value(json_object_get(numbers, "minor")),
		 (int)json_integer_value(json_object_get(numbers, "micro")));
	copy_string(json_object_get(version, "package"), n->package, sizeof(n->package));
	return 0;
}

/* NULL where QEMU does not say it. */
static int ask_property(struct qmp *q, const char *path, const char *property, json_t **ret)
{
	int r = qmp_call(q, ret, "qom-get", "{s:s, s:s}", "path", path, "property", property);

	return r == -EREMOTEIO ? 0 : r;
}

/* It says the first of this unasked, so what is no QEMU is not told anything. */
static int begin(struct answers *n, struct qmp *q)
{
	json_auto_t *nothing = NULL;
	int r = greet(n, q);

	return r < 0 ? r : qmp_call(q, &nothing, "qmp_capabilities", NULL);
}

static bool has_command(const json_t *commands, const char *name)
{
	json_t *v;
	size_t i;

	json_array_foreach(commands, i, v) {
		const char *s = string_of(v, "name");

		if (s && streq(s, name))
			return true;
	}
	return false;
}

/* What runs there; nothing of this is an x- command. */
static int ask_machine(struct answers *n, struct qmp *q)
{
	json_auto_t *commands = NULL, *machine = NULL;
	int r = begin(n, q);

	if (r == 0)
		r = qmp_call(q, &commands, "query-commands", NULL);
	if (r == 0)
		r = call_string(q, "query-target", "arch", n->target, sizeof(n->target));
	if (r == 0)
		r = call_string(q, "query-name", "name", n->name, sizeof(n->name));
	if (r == 0)
		r = qmp_call(q, &machine, "qom-get", "{s:s, s:s}", "path", "/machine", "property",
			     "type");
	if (r < 0)
		return r;
	copy_string(machine, n->machine, sizeof(n->machine));
	n->can_ask = has_command(commands, "x-query-virtio") &&
		     has_command(commands, "x-query-virtio-status") &&
		     has_command(commands, "x-query-virtio-queue-status");
	n->machine[length_without(n->machine, "-machine")] = '\0';
	return 0;
}

static int ask_queues(struct qmp *q, const char *path, json_int_t n, json_t *device)
{
	json_t *sizes = json_array();
	int r = sizes && json_object_set_new(device, "sizes", sizes) == 0 ? 0 : -ENOMEM;

	for (json_int_t i = 0; r == 0 && i < n && i < GUEST_MAX_QUEUES; i++) {
		json_auto_t *queue = NULL;

		r = qmp_call(q, &queue, "x-query-virtio-queue-status", "{s:s, s:I}", "path", path,
			     "queue", i);
		if (r == 0 &&
		    json_array_append(sizes, json_object_get(queue, "vring-num")) < 0)
			r = -EBADMSG;
	}
	return r;
}

/* The size of a ROM is left in the property also where there is none. */
static json_t *rom_of(const json_t *size, const json_t *file, const json_t *bar)
{
	json_int_t n = json_integer_value(size);

	if (!json_is_integer(size) || !json_is_string(file) || !bar)
		return NULL;
	if (n == UINT32_MAX || !json_string_length(file) ||
	    (json_is_integer(bar) && !json_integer_value(bar)))
		return json_integer(0);
	return n > 0 && n <= (json_int_t)1 << 31 && !(n & (n - 1)) ? json_integer(n) : NULL;
}

/* "/machine/peripheral/net0/virtio-backend" is inside of the PCI device. */
static int ask_rom(struct qmp *q, const char *path, json_t *device)
{
	json_auto_t *size = NULL, *file = NULL, *bar = NULL;
	const char *end = strrchr(path, '/');
	_autofree_ char *pci = end ? strndup(path, (size_t)(end - path)) : NULL;
	json_t *rom;
	int r;

	if (!pci)
		return end ? -ENOMEM : 0;
	r = ask_property(q, pci, ROMSIZE, &size);
	if (r == 0)
		r = ask_property(q, pci, "romfile", &file);
	if (r == 0)
		r = ask_property(q, pci, "rombar", &bar);
	rom = r == 0 ? rom_of(size, file, bar) : NULL;
	return rom && json_object_set_new(device, "rom", rom) < 0 ? -ENOMEM : r;
}

/* The number that the device tells its guest, where it tells one: of all the MTU alone has a limit. */
static int ask_told(const struct answers *n, struct qmp *q, const char *path, json_t *device)
{
	const struct abibase_catalogue *cat = n->a->cat;

	for (size_t i = 0; i < cat->n_rows; i++) {
		const struct row *row = &cat->rows[i];
		json_auto_t *value = NULL;
		int64_t told;
		int r;

		if (!row->limit || !streq(row->class_name, NET_DEVICE))
			continue;
		r = ask_property(q, path, row->property, &value);
		if (r < 0)
			return r;
		told = json_integer_value(value);
		if (told > 0 && told >= row->least && told <= GUEST_MTU_MAX &&
		    json_object_set(device, GUEST_MTU, value) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int ask_device(struct answers *n, struct qmp *q, const char *path)
{
	json_t *device = json_pack("{s:s}", "path", path), *status = NULL;
	int r = device && json_array_append_new(n->devices, device) == 0 ? 0 : -ENOMEM;

	if (r == 0)
		r = qmp_call(q, &status, "x-query-virtio-status", "{s:s}", "path", path);
	if (r == 0 && json_object_set_new(device, QMP_STATUS, status) < 0)
		r = -ENOMEM;
	if (r == 0)
		r = ask_queues(q, path, json_integer_value(json_object_get(status, "num-vqs")),
			       device);
	if (r == 0)
		r = ask_rom(q, path, device);
	if (r == 0)
		r = ask_told(n, q, path, device);
	return r;
}

/* The same words in the same order, whoever is asked. */
static int ask_devices(struct answers *n, struct qmp *q)
{
	json_auto_t *list = NULL;
	int r = qmp_call(q, &list, "x-query-virtio", NULL);
	json_t *v;
	size_t i;

	n->devices = json_array();
	if (!n->devices)
		return -ENOMEM;
	json_array_foreach(list, i, v) {
		const char *path = string_of(v, "path");
		const char *name = string_of(v, "name");

		if (r == 0 && path && name && streq(name, "virtio-net"))
			r = ask_device(n, q, path);
	}
	return r;
}

/* ------------------------------------------------------------ what its devices are set to */

/* More than a PCI guest has slots for. */
#define DEVICES_MAX 256

/* Whether each feature's property is on; one that it does not have says nothing. */
static int ask_properties(const struct answers *n, struct qmp *q, const char *path, json_t *ret)
{
	const struct abibase_catalogue *cat = n->a->cat;
	int r = 0;

	for (size_t i = 0; i < cat->n_rows; i++) {
		const struct row *row = &cat->rows[i];
		json_auto_t *value = NULL;

		if (row->bit < 0 || !streq(row->class_name, NET_DEVICE))
			continue;
		r = ask_property(q, path, row->property, &value);
		if (r < 0)
			return r;
		if (json_is_boolean(value) && json_object_set(ret, row->key, value) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* "child<virtio-net-pci>" */
static bool is_net_child(const char *type)
{
	char name[64] = "";

	return type && sscanf(type, "child<%63[^>]>", name) == 1 && is_net_driver(name);
}

static int ask_children(struct answers *n, struct qmp *q, const char *parent)
{
	json_auto_t *list = NULL;
	int r = qmp_call(q, &list, "qom-list", "{s:s}", "path", parent);
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v) {
		const char *name = string_of(v, "name");
		json_t *device, *properties = NULL;
		_buf_ path = { 0 };

		if (r < 0 || !name || !is_net_child(string_of(v, "type")) ||
		    json_array_size(n->devices) >= DEVICES_MAX)
			continue;
		buf_printf(&path, "%s/%s/virtio-backend", parent, name);
		device = buf_failed(&path) ? NULL : json_pack("{s:s, s:o}", "path", path.data,
							      "properties", properties = json_object());
		if (json_array_append_new(n->devices, device) < 0)
			return -ENOMEM;
		r = ask_properties(n, q, path.data, properties);
		if (r == 0)
			r = ask_told(n, q, path.data, device);
	}
	return r == -EREMOTEIO ? 0 : r;
}

/* By what libvirt asks, too, so that no QEMU dies of it. */
static int ask_settings(struct answers *n, struct qmp *q)
{
	static const char *const parents[] = { "/machine/peripheral", "/machine/peripheral-anon",
					       "/machine/unattached" };
	int r = 0;

	json_decref(n->devices);
	n->devices = json_array();
	if (!n->devices)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parents); i++)
		r = ask_children(n, q, parents[i]);
	return r;
}

/* ------------------------------------------------------------------- the throw-away one */

/* What its guest negotiated stays unknown; the rest of the answer does not. 1 */
static int leave_unasked(const struct asking *a, const struct answers *is, const char *why)
{
	context_log(a->ctx, LOG_WARNING, "guest-qmp-unsafe",
		    "%s: QEMU %s (%s): %s, so it was not asked what its guest negotiated"
		    READ_IT_IN_THE_GUEST,
		    a->socket_path, is->number, is->package, why);
	return 1;
}

static int ask_on_trial(void *data, struct qmp *q)
{
	int r = begin(data, q);

	return r < 0 ? r : ask_devices(data, q);
}

/* With vhost it is another way through QEMU, which has to be gone on trial too. */
static bool all_started_vhost(const struct answers *n)
{
	json_t *v;
	size_t i;

	json_array_foreach(n->devices, i, v)
		if (!json_is_true(json_object_get(json_object_get(v, QMP_STATUS), "vhost-started")))
			return false;
	return true;
}

/*
 * The questions of ask_devices(), with a device at work and, where the guest's has it, with vhost.
 * @no: nothing where it has outlived them; else why it was no good.
 */
static void try_devices(struct asking *a, const struct answers *is, struct buf *no)
{
	struct answers n = { .a = a };
	struct qtest_nic nic = { .device = QTEST_NO_ROM_NIC };
	const struct qtest_request rq = { .path = a->qemu, .machine = is->machine, .nics = &nic,
					  .n_nics = 1, .timeout_ms = TRIAL_MS };
	_buf_ why = { 0 };
	int r;

	/* what cannot be seen is taken to be there */
	nic.backend = a->fds.vhost || !a->fds.known ? QTEST_TAP_VHOST :
		      geteuid() == 0		? QTEST_TAP :
						  QTEST_USER;
	r = qtest_try(&rq, ask_on_trial, &n, &why);
	if (*n.number && (!streq(n.number, is->number) || !streq(n.package, is->package)))
		buf_printf(no, "%s is another QEMU, %s (%s)", a->qemu, n.number, n.package);
	else if (r < 0)
		buf_printf(no,
			   "a throw-away process of %s with the machine type %s and a device on "
			   "%s did not outlive the question: %s",
			   a->qemu, is->machine, qtest_backend_names[nic.backend],
			   why.data ? why.data : strerror(-r));
	else if (json_array_size(n.devices) == 0)
		buf_printf(no, "a throw-away process of %s does not name its device", a->qemu);
	else if (qtest_has_vhost(nic.backend) && !all_started_vhost(&n))
		buf_printf(no, "vhost did not start in a throw-away process of %s", a->qemu);
	json_decref(n.devices);
}

/* --------------------------------------------------------------------- the answers */

static int bit_in(const json_t *features, const char *name, size_t len)
{
	json_t *v;
	size_t i;

	json_array_foreach(features, i, v) {
		static const char *const keys[] = { "name", "also" };

		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			const char *s = string_of(v, keys[k]);

			if (s && strlen(s) == len && strncmp(s, name, len) == 0)
				return (int)json_integer_value(json_object_get(v, "bit"));
		}
	}
	return -1;
}

/* "VIRTIO_NET_F_HOST_USO: Device can receive USO" */
static int bit_of(const struct asking *a, const char *text)
{
	size_t len = strcspn(text, ":");
	const json_t *devices = json_object_get(a->data.devices, "devices");
	int bit;

	for (size_t i = 0; i < a->cat->n_rows; i++) {
		const struct row *row = &a->cat->rows[i];

		if (row->bit >= 0 && strlen(row->feature) == len &&
		    strncmp(row->feature, text, len) == 0)
			return row->bit;
	}
	bit = bit_in(json_object_get(json_object_get(a->data.devices, "transport"), "features"),
		     text, len);
	if (bit < 0)
		bit = bit_in(json_object_get(json_object_get(devices, "virtio-net"), "features"),
			     text, len);
	return bit;
}

static int add_named(struct asking *a, const json_t *names, uint64_t word[2])
{
	json_t *v;
	size_t i;

	json_array_foreach(names, i, v) {
		const char *text = json_string_value(v);
		int bit = text ? bit_of(a, text) : -1;

		if (bit < 0)
			return context_fail(a->ctx, ENOTSUP, "guest-qmp-unsafe", a->socket_path,
					    "it names a feature that the catalogue does not have: "
					    "\"%s\"" READ_IT_IN_THE_GUEST,
					    text ? text : "");
		word[bit / 64] |= (uint64_t)1 << (bit % 64);
	}
	return 0;
}

static int word_of(struct asking *a, const json_t *features, uint64_t word[2])
{
	int r = add_named(a, json_object_get(features, "dev-features"), word);

	if (r == 0)
		r = add_named(a, json_object_get(features, "transports"), word);
	word[0] |= (uint64_t)json_integer_value(json_object_get(features, "unknown-dev-features"));
	word[1] |= (uint64_t)json_integer_value(json_object_get(features, "unknown-dev-features2"));
	return r;
}

/* "/machine/peripheral/net0/virtio-backend": the device that was named net0 */
static json_t *id_of(const char *path)
{
	static const char prefix[] = "/machine/peripheral/";
	const char *name = strprefix(path, prefix) ? path + strlen(prefix) : "";

	return ends_with(name, "/virtio-backend") ?
		       json_stringn(name, length_without(name, "/virtio-backend")) :
		       json_string(path);
}

/* One kind of backend in the whole process tells for each device. */
static const char *backend_called(const struct asking *a, bool vhost)
{
	if (!a->fds.known || a->fds.tap == a->fds.macvtap)
		return NULL;
	return a->fds.tap ? (vhost ? "tap+vhost" : "tap") : (vhost ? "macvtap+vhost" : "macvtap");
}

/* Vhost tells for itself. */
static const char *backend_of(const struct asking *a, const json_t *status)
{
	bool vhost = json_is_true(json_object_get(status, "vhost-started"));
	bool running = json_is_true(json_object_get(status, "vm-running")) &&
		       json_is_true(json_object_get(status, "started"));

	return a->fds.vhost && !vhost && !running ? NULL : backend_called(a, vhost);
}

static int add_device(struct asking *a, const json_t *answer, json_t *list)
{
	const json_t *status = json_object_get(answer, QMP_STATUS);
	const char *backend = backend_of(a, status);
	uint64_t taken[2] = { 0, 0 }, offered[2] = { 0, 0 };
	json_t *device;
	int r = word_of(a, json_object_get(status, "guest-features"), taken);

	if (r == 0)
		r = word_of(a, json_object_get(status, "host-features"), offered);
	if (r < 0)
		return r;
	device = json_pack("{s:s, s:o, s:o, s:o, s:s*, s:O, s:O*, s:O*}", "class", NET_DEVICE, "id",
			   id_of(string_of(answer, "path")), "negotiated",
			   guest_word(taken), "offered", guest_word(offered), "backend", backend,
			   "queue_sizes", json_object_get(answer, "sizes"), "rom_size",
			   json_object_get(answer, "rom"), GUEST_MTU,
			   json_object_get(answer, GUEST_MTU));
	return json_array_append_new(list, device) < 0 ? context_oom(a->ctx) : 0;
}

/* @answer NULL: which devices it has is not known either; one there must be. */
static int add_unasked(struct asking *a, const json_t *answer, json_t *list)
{
	const char *path = string_of(answer, "path");
	json_t *device = json_pack("{s:s, s:o*, s:s*, s:O*, s:O*}", "class", NET_DEVICE, "id",
				   path ? id_of(path) : NULL, "backend",
				   backend_called(a, a->fds.vhost), "properties",
				   json_object_get(answer, "properties"), GUEST_MTU,
				   json_object_get(answer, GUEST_MTU));

	return json_array_append_new(list, device) < 0 ? context_oom(a->ctx) : 0;
}

static int make_guest(struct asking *a, const struct answers *n, struct abibase_guest **ret)
{
	json_t *list = json_array(), *root, *v;
	size_t i;
	int r = 0;

	json_array_foreach(n->devices, i, v)
		if (r == 0)
			r = n->asked ? add_device(a, v, list) : add_unasked(a, v, list);
	if (!n->asked && json_array_size(n->devices) == 0)
		r = add_unasked(a, NULL, list);
	if (r < 0) {
		json_decref(list);
		return r;
	}
	root = json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*, s:o}", "schema", "abibase-guest/1",
			 "machine", n->machine, "target", n->target, "qemu", n->number, "package",
			 *n->package ? n->package : NULL, "name",
			 name_valid(n->name) ? n->name : NULL, "devices", list);
	if (!root)
		return context_oom(a->ctx);
	if (json_array_size(json_object_get(root, "devices")) == 0) {
		json_decref(root);
		return context_fail(a->ctx, ENODATA, "guest-unknown", a->socket_path,
				    "this guest has no virtio-net device");
	}
	return guest_from_json(a->ctx, root, a->socket_path, ret);
}

/* ------------------------------------------------------------------------ all of it */

static int lost(struct asking *a, const struct qmp *q, int err)
{
	if (q->failure == QMP_TIMEOUT)
		return context_fail(a->ctx, ETIMEDOUT, "io-error", a->socket_path,
				    "no answer in time: a monitor serves one client at a time");
	return context_fail(a->ctx, -err, "io-error", a->socket_path, "%s",
			    q->failure == QMP_REFUSED ? q->desc : strerror(-err));
}

static int ask_negotiated(struct asking *a, struct answers *is, struct qmp *live)
{
	_buf_ no = { 0 };
	int r;

	if (!is->can_ask)
		return leave_unasked(a, is, "it has no command that says what a guest negotiated "
					    "(7.2 was the first with one)");
	if (!a->qemu)
		return leave_unasked(a, is, "there are QEMUs that die of the question, and no binary "
					    "of this one to try it with was named (--qemu=BINARY)");
	try_devices(a, is, &no);
	if (buf_failed(&no))
		return context_oom(a->ctx);
	if (no.len)
		return leave_unasked(a, is, no.data);
	live->deadline = process_now() + ANSWER_MS;
	r = ask_devices(is, live);
	is->asked = r == 0;
	return r < 0 ? lost(a, live, r) : 0;
}

static int ask(struct asking *a, struct qmp *live, struct abibase_guest **ret)
{
	struct answers is = { .a = a };
	int r = ask_machine(&is, live);

	if (r < 0)
		return lost(a, live, r);
	/* it becomes a word of the command line of the one on trial */
	if (!name_valid(is.machine))
		return context_fail(a->ctx, EBADMSG, "json-bad-value", a->socket_path,
				    "\"%s\" is not a name of a machine type", is.machine);
	a->fds = guest_descriptors(a->peer.pid);
	r = ask_negotiated(a, &is, live);
	if (r == 1) {
		live->deadline = process_now() + ANSWER_MS;
		r = ask_settings(&is, live);
		r = r < 0 ? lost(a, live, r) : 0;
	}
	if (r == 0)
		r = make_guest(a, &is, ret);
	json_decref(is.devices);
	return r;
}

int guest_from_qmp(struct abibase_context *ctx, struct abibase_catalogue *cat,
		   const char *socket_path, const char *qemu, pid_t pid,
		   struct abibase_guest **ret)
{
	struct asking a = { .ctx = ctx, .cat = cat, .socket_path = socket_path, .qemu = qemu,
			    .pid = pid };
	struct qmp live;
	int fd = connect_to(&a), r;

	if (fd < 0)
		return fd;
	qmp_attach(&live, fd, ANSWER_MS);
	r = decode_data_load(ctx, &a.data);
	if (r == 0)
		r = ask(&a, &live, ret);
	qmp_stop(&live);
	decode_data_clear(&a.data);
	return r;
}
