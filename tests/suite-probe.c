/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The probe against a scripted host: every way in which asking can fail, what is called in which
 * order, and QEMUs that are not. The real /dev/net/tun is asked by probe-real.sh.
 */

#include <pthread.h>
#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>

#include "base/context.h"
#include "document/profile.h"
#include "document/catalogue.h"
#include "probe/probe.h"
#include "qemu/qmp.h"
#include "buffers.h"

Suite *suite_probe(void);

#define TUN "/dev/net/tun"
#define VHOST "/dev/vhost-net"

/* request numbers, spelled out: the code under test computes them */
enum {
	GETFEATURES = 0x800454cf,
	SETIFF = 0x400454ca,
	SETOFFLOAD = 0x400454d0,
	SETPERSIST = 0x400454cb,
	SETVNETBE = 0x400454de,
	VHOST_FEATURES = 0x8008af00,
	VHOST_SET_OWNER = 0xaf01,
	VHOST_BACKEND = 0x8008af26,
	VHOST_ARRAY = 0x8008af83,
	SETIFINDEX = 0x400454da,
	VDPA_DEVICE_ID = 0x8004af70,
};

/* descriptors of the scripted host */
enum { FD_TAP = 1000, FD_NET = 2000, FD_VSOCK = 3000, FD_SCSI, FD_VDPA = 4000, FD_LINK = 5000,
       FD_MAP = 6000, FD_PROGRAM };

/* ------------------------------------------------------- the scripted host */

enum call_kind {
	CALL_OPEN = 1,
	CALL_CLOSE,
	CALL_IOCTL,
	CALL_UNSHARE,
	CALL_KEEP,
	/* of the surfaces that are neither tap nor vhost-net */
	CALL_OTHER_OPEN,
	CALL_OTHER_CLOSE,
	CALL_LINK, /* request: the type of the message, arg: the index */
	CALL_MOUNT,
	CALL_NODE, /* request: major, arg: minor */
	CALL_BPF,
};
struct call {
	int kind, fd;
	bool vhost;
	unsigned long request, arg;
};

/* Shared with the child: what was called. */
struct calls {
	size_t n;
	struct call call[512];
};

struct script {
	/* the kernel */
	unsigned int tap_features;
	unsigned long offloads; /* the TUNSETOFFLOAD arguments below 0x200 that pass */
	uint64_t vhost_features, vhost_array[2];
	bool has_array;
	/* what fails, as errno */
	int open_tun, open_vhost, unshare, get_features, set_iff, napi_frags, vhost_get, keep;
	int emfile_after; /* the open of a tap that finds no descriptor, counted from 1 */
	int signal;	  /* kills the child at its third tap */
	bool hang;	  /* at its third tap */
	/* the other surfaces: what they have, and what fails */
	int open_vsock, open_scsi, backend;
	const char *dev; /* the names in /dev */
	uint64_t vdpa_features;
	int open_vdpa_0, vdpa_get, vdpa_id;
	int link, mount, node, number, open_link, link_features, link_iff, lower_index;
	const char *number_text;
	int bpf_map, bpf_program;
	const char *regions; /* the parameter; NULL: parameter_error */
	int parameter_error;
	bool has_sys_module;
	const char *devices; /* /proc/devices */
	/* the surroundings */
	const char *misc, *modules;		  /* NULL: cannot be read */
	const char *misc_opened, *modules_opened; /* after a node was opened; NULL: the same */
	bool has_proc_modules;			  /* the kernel has loadable modules */
	enum module_state tun_index, vhost_index;
	unsigned int caps;
	uid_t euid;
	const char *tun_numbers; /* in sysfs */
	const char *nodename;
	struct calls *calls;
};

static struct calls *shared;

static const struct script kernel_6_17 = {
	.tap_features = 0x7173,
	.offloads = 0x1ff,
	.vhost_features = 0x10b3d008000,
	.vhost_array = { 0x10b3d008000, 0xa },
	.has_array = true,
	.misc = "238 vhost-net\n200 tun\n",
	.modules = "vhost_net 40960 0 - Live 0x0\ntun 57344 2 vhost_net, Live 0x0\n",
	.has_proc_modules = true,
	.tun_index = MODULE_FILE,
	.vhost_index = MODULE_FILE,
	.caps = PROBE_CAP_NET_ADMIN | PROBE_CAP_SYS_ADMIN | PROBE_CAP_MKNOD | PROBE_CAP_BPF,
	.nodename = "scripted",
	.dev = "null\nvhost-vdpa-0\nvhost-vdpa-\nvhost-vdpa-x\nvhost-vdpa-12345678\n"
	       "vhost-vdpa-11\n",
	.vdpa_features = 0x300000000,
	.number_text = "241:7\n",
	.regions = "64\n",
	.has_sys_module = true,
	.devices = "Character devices:\n  1 mem\n241 macvtap\n242 ipvtap\n243 vhost-vdpa\n",
};

static void note(const struct script *s, struct call c)
{
	if (s->calls->n < ARRAY_SIZE(s->calls->call))
		s->calls->call[s->calls->n++] = c;
}

static size_t count(const struct calls *calls, int kind, bool vhost, unsigned long request)
{
	size_t n = 0;

	for (size_t i = 0; i < calls->n; i++)
		n += calls->call[i].kind == kind && calls->call[i].vhost == vhost &&
		     (kind != CALL_IOCTL || calls->call[i].request == request);
	return n;
}

static int fake_uname(void *data, struct utsname *un)
{
	const struct script *s = data;

	memset(un, 0, sizeof(*un));
	snprintf(un->nodename, sizeof(un->nodename), "%s", s->nodename);
	snprintf(un->release, sizeof(un->release), "6.17.13-test");
	snprintf(un->version, sizeof(un->version), "#1 SMP");
	snprintf(un->machine, sizeof(un->machine), "x86_64");
	return 0;
}

static uid_t fake_euid(void *data)
{
	return ((const struct script *)data)->euid;
}

static int fake_read_file(void *data, const char *path, struct buf *ret)
{
	const struct script *s = data;
	bool opened = count(s->calls, CALL_OPEN, false, 0) || count(s->calls, CALL_OPEN, true, 0);
	const char *text = NULL;

	if (strcmp(path, "/proc/misc") == 0)
		text = opened && s->misc_opened ? s->misc_opened : s->misc;
	else if (strcmp(path, "/proc/modules") == 0)
		text = opened && s->modules_opened ? s->modules_opened : s->modules;
	else if (strcmp(path, "/proc/devices") == 0)
		text = s->devices;
	else if (strcmp(path, "/sys/class/misc/tun/dev") == 0)
		text = s->tun_numbers;
	else if (strstr(path, "/vhost/parameters/max_mem_regions") && !s->regions)
		return -s->parameter_error;
	else if (strstr(path, "/vhost/parameters/max_mem_regions"))
		text = s->regions;
	else if (strstr(path, "/vhost/parameters/max_iotlb_entries"))
		text = "2048\n";
	else if (strcmp(path, "/proc/sys/kernel/random/boot_id") == 0)
		text = "11111111-2222-3333-4444-555555555555\n";
	if (!text)
		return -ENOENT;
	buf_puts(ret, text);
	return 0;
}

static int fake_exists(void *data, const char *path)
{
	const struct script *s = data;

	if (strcmp(path, "/proc/sys/kernel/ostype") == 0)
		return 0;
	if (strcmp(path, "/sys/module") == 0)
		return s->has_sys_module ? 0 : -ENOENT;
	return s->has_proc_modules ? 0 : -ENOENT;
}

static int fake_module_index(void *data, const char *release, const char *module)
{
	const struct script *s = data;

	ck_assert_str_eq(release, "6.17.13-test");
	return strcmp(module, "tun") == 0 ? (int)s->tun_index : (int)s->vhost_index;
}

static int open_other(struct script *s, const char *path)
{
	note(s, (struct call){ .kind = CALL_OTHER_OPEN });
	if (strcmp(path, "/dev/vhost-vsock") == 0)
		return s->open_vsock ? -s->open_vsock : FD_VSOCK;
	if (strcmp(path, "/dev/vhost-vdpa-0") == 0)
		return s->open_vdpa_0 ? -s->open_vdpa_0 : FD_VDPA;
	if (strcmp(path, "/dev/vhost-vdpa-11") == 0)
		return FD_VDPA + 11;
	if (strprefix(path, "/dev/vhost-")) /* vhost-scsi, and what else comes */
		return s->open_scsi ? -s->open_scsi : FD_SCSI;
	ck_assert_str_eq(path, "/dev/abibase-tap");
	return s->open_link ? -s->open_link : FD_LINK;
}

static int fake_open(void *data, const char *path)
{
	struct script *s = data;
	bool vhost = strcmp(path, VHOST) == 0;
	int err = vhost ? s->open_vhost : s->open_tun, nth;

	if (!vhost && strcmp(path, TUN) != 0)
		return open_other(s, path);
	note(s, (struct call){ .kind = CALL_OPEN, .vhost = vhost });
	if (err)
		return -err;
	nth = (int)count(s->calls, CALL_OPEN, false, 0);
	if (!vhost && s->emfile_after && nth >= s->emfile_after)
		return -EMFILE;
	if (!vhost && nth == 3 && s->hang)
		pause();
	if (!vhost && nth == 3 && s->signal)
		raise(s->signal);
	return vhost ? 2000 : 1000 + nth;
}

static int fake_close(void *data, int fd)
{
	note(data, (struct call){ .kind = fd > FD_NET ? CALL_OTHER_CLOSE : CALL_CLOSE,
				  .fd = fd,
				  .vhost = fd == FD_NET });
	return 0;
}

static int vhost_ioctl(const struct script *s, unsigned long request, uint64_t *arg)
{
	switch (request) {
	case VHOST_FEATURES:
		*arg = s->vhost_features;
		return -s->vhost_get;
	case VHOST_BACKEND:
		*arg = 2;
		return 0;
	case VHOST_ARRAY:
		if (!s->has_array)
			return -EPERM; /* what a kernel says that does not know it */
		if (arg[0] != 2)
			return -E2BIG; /* seen as an unknown fact: more than 2 meets a kernel bug */
		arg[1] = s->vhost_array[0];
		arg[2] = s->vhost_array[1];
		return 0;
	default:
		return -EPERM;
	}
}

/* A macvtap: its offloads are a plain mask, and it knows no tunnels. */
static int link_ioctl(const struct script *s, unsigned long request, unsigned long arg)
{
	switch (request) {
	case GETFEATURES:
		*(unsigned int *)arg = 0x5102;
		return -s->link_features;
	case SETIFF:
		return -s->link_iff;
	case SETOFFLOAD:
		return arg & ~0x7ful ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static int other_ioctl(const struct script *s, int fd, unsigned long request, unsigned long arg)
{
	uint64_t *word = (uint64_t *)arg;

	if (fd >= FD_LINK)
		return link_ioctl(s, request, arg);
	switch (request) {
	case VHOST_FEATURES:
		*word = fd == FD_VSOCK ? 0x33d000002 : fd == FD_SCSI ? 0x13d00000a :
								       s->vdpa_features;
		return fd >= FD_VDPA ? -s->vdpa_get : 0;
	case VHOST_BACKEND:
		*word = 2;
		return fd == FD_SCSI ? -EPERM : -s->backend;
	case VDPA_DEVICE_ID:
		*(uint32_t *)arg = 1;
		return -s->vdpa_id;
	default:
		return -EPERM;
	}
}

static int fake_ioctl(void *data, int fd, unsigned long request, unsigned long arg)
{
	struct script *s = data;

	note(s, (struct call){ .kind = CALL_IOCTL,
			       .fd = fd,
			       .vhost = fd == 2000,
			       .request = request,
			       .arg = arg });
	if (fd == 2000)
		return vhost_ioctl(s, request, (uint64_t *)arg);
	if (fd > 2000)
		return other_ioctl(s, fd, request, arg);
	switch (request) {
	case GETFEATURES:
		*(unsigned int *)arg = s->tap_features;
		return -s->get_features;
	case SETIFF: {
		/* struct ifreq: 16 bytes of name, then the flags */
		unsigned short flags = *(unsigned short *)(arg + 16);

		if (flags & 0x20 && s->napi_frags)
			return -s->napi_frags;
		return -s->set_iff;
	}
	case SETOFFLOAD:
		return arg & ~s->offloads ? -EINVAL : 0;
	case SETVNETBE:
		return -EINVAL;
	case SETIFINDEX:
		return -s->lower_index;
	default:
		return 0;
	}
}

static int fake_unshare(void *data, int flags)
{
	const struct script *s = data;

	note(s, (struct call){ .kind = CALL_UNSHARE, .arg = (unsigned long)flags });
	return -s->unshare;
}

static unsigned int fake_caps_held(void *data)
{
	return ((const struct script *)data)->caps;
}

static int fake_caps_keep(void *data, unsigned int caps)
{
	const struct script *s = data;

	note(s, (struct call){ .kind = CALL_KEEP, .arg = caps });
	return -s->keep;
}

static int fake_list(void *data, const char *path, struct buf *ret)
{
	const struct script *s = data;

	ck_assert_str_eq(path, "/dev");
	buf_puts(ret, s->dev ? s->dev : "");
	return s->dev ? 0 : -EACCES;
}

static int fake_read_text(void *data, const char *path, char *ret, size_t size)
{
	const struct script *s = data;

	ck_assert_ptr_nonnull(strstr(path, "tap/tap1999999002/dev"));
	if (s->number)
		return -s->number;
	return snprintf(ret, size, "%s", s->number_text);
}

/* The kind as it lies in the message: the last attribute of the last one. */
static int fake_rtnl(void *data, const void *message, size_t len)
{
	const struct script *s = data;
	const struct nlmsghdr *header = message;
	const struct ifinfomsg *info = NLMSG_DATA(header);

	ck_assert_uint_eq(header->nlmsg_len, len);
	note(s, (struct call){ .kind = CALL_LINK,
			       .request = header->nlmsg_type,
			       .arg = (unsigned long)info->ifi_index });
	if (header->nlmsg_type == RTM_NEWLINK) {
		const struct rtattr *a = IFLA_RTA(info);
		unsigned int left = (unsigned int)IFLA_PAYLOAD(header);
		const char *kind;

		ck_assert(RTA_OK(a, left));
		ck_assert_int_eq(a->rta_type, IFLA_LINK);
		a = RTA_NEXT(a, left);
		ck_assert(RTA_OK(a, left));
		ck_assert_int_eq(a->rta_type, IFLA_LINKINFO);
		a = RTA_DATA(a);
		ck_assert_int_eq(a->rta_type, IFLA_INFO_KIND);
		kind = RTA_DATA(a);
		ck_assert(strcmp(kind, "macvtap") == 0 || strcmp(kind, "ipvtap") == 0);
		ck_assert_uint_eq(RTA_PAYLOAD(a), strlen(kind) + 1);
	}
	return header->nlmsg_type == RTM_NEWLINK ? -s->link : 0;
}

static int fake_mount(void *data, const char *type, const char *target, unsigned long flags)
{
	const struct script *s = data;

	(void)target, (void)flags;
	note(s, (struct call){ .kind = CALL_MOUNT });
	return type ? -s->mount : 0;
}

static int fake_mknod(void *data, const char *path, unsigned int major, unsigned int minor)
{
	const struct script *s = data;

	(void)path;
	note(s, (struct call){ .kind = CALL_NODE, .request = major, .arg = minor });
	return -s->node;
}

static int fake_bpf(void *data, int command, void *attr, unsigned int size)
{
	const struct script *s = data;
	const union bpf_attr *a = attr;

	ck_assert_uint_eq(size, sizeof(*a));
	note(s, (struct call){ .kind = CALL_BPF, .request = (unsigned long)command });
	if (command == BPF_MAP_CREATE) {
		ck_assert_uint_eq(a->map_type, BPF_MAP_TYPE_ARRAY);
		return s->bpf_map ? -s->bpf_map : FD_MAP;
	}
	ck_assert_int_eq(command, BPF_PROG_LOAD);
	ck_assert_uint_eq(a->prog_type, BPF_PROG_TYPE_SOCKET_FILTER);
	return s->bpf_program ? -s->bpf_program : FD_PROGRAM;
}

static const struct probe_ops fake_ops = {
	.uname = fake_uname,
	.euid = fake_euid,
	.read_file = fake_read_file,
	.exists = fake_exists,
	.module_index = fake_module_index,
	.open = fake_open,
	.close = fake_close,
	.ioctl = fake_ioctl,
	.unshare = fake_unshare,
	.caps_held = fake_caps_held,
	.caps_keep = fake_caps_keep,
	.list = fake_list,
	.read_text = fake_read_text,
	.rtnl = fake_rtnl,
	.mount = fake_mount,
	.mknod = fake_mknod,
	.bpf = fake_bpf,
};

/* ---------------------------------------------------------------- one probe */

static struct abibase_context *ctx;
static struct abibase_catalogue *cat;
static struct buf logged; /* " <4>probe-no-device …" */
static char dir[] = "/tmp/abibase-probe.XXXXXX";

static void take_log(void *data, int priority, const char *id, const char *text)
{
	(void)data;
	if (!streq(id, "step"))
		buf_printf(&logged, " <%d>%s %s\n", priority, id, text);
}

static bool said(int priority, const char *id)
{
	char mark[128];

	snprintf(mark, sizeof(mark), " <%d>%s ", priority, id);
	return logged.data && strstr(logged.data, mark);
}

static void setup(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(abibase_context_new(0, &ctx), 0);
	abibase_context_set_log(ctx, take_log, NULL);
	ck_assert_int_eq(abibase_catalogue_new(ctx, &cat), 0);
}

static void teardown(void)
{
	char command[128];

	abibase_catalogue_unref(cat);
	abibase_context_unref(ctx);
	buf_clear(&logged);
	munmap(shared, sizeof(*shared));
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static struct abibase_probe *new_probe(struct script *s)
{
	struct abibase_probe *pr;

	buf_clear(&logged);
	ck_assert_int_eq(abibase_probe_new(ctx, &pr), 0);
	if (s) {
		memset(shared, 0, sizeof(*shared));
		s->calls = shared;
		pr->ops = &fake_ops;
		pr->ops_data = s;
	}
	pr->device_timeout_ms = 20000;
	return pr;
}

static struct abibase_profile *run(struct abibase_probe *pr)
{
	struct abibase_profile *p = NULL;
	int r = abibase_probe_run(pr, cat, &p);

	ck_assert_msg(r == 0, "%d: %s", r, abibase_context_error(ctx));
	/* no process is left behind */
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	abibase_probe_unref(pr);
	return p;
}

static struct abibase_profile *probe(struct script *s)
{
	struct abibase_probe *pr = new_probe(s);

	abibase_probe_set_flags(pr, ABIBASE_PROBE_NO_QEMU);
	return run(pr);
}

/* These surfaces alone; a list with spaces. */
static struct abibase_profile *probe_only(struct script *s, const char *list)
{
	struct abibase_probe *pr = new_probe(s);
	char copy[128], *p = copy, *name;

	snprintf(copy, sizeof(copy), "%s", list);
	while ((name = strsep(&p, " ")))
		ck_assert_int_eq(abibase_probe_only(pr, name), 0);
	return run(pr);
}

static void assert_unknown(const struct abibase_profile *p, const char *fact, const char *reason)
{
	const char *why = NULL;

	ck_assert_msg(profile_fact(p, fact, &why) == ABIBASE_UNKNOWN, "%s is known", fact);
	ck_assert_ptr_nonnull(why);
	ck_assert_msg(strcmp(why, reason) == 0, "%s: %s, not %s\n%s", fact, why, reason,
		      logged.data ? logged.data : "");
}

static void assert_fact(const struct abibase_profile *p, const char *fact, enum abibase_tri want)
{
	enum abibase_tri got = profile_fact(p, fact, NULL);

	ck_assert_msg(got == want, "%s: %d, not %d\n%s", fact, got, want,
		      logged.data ? logged.data : "");
}

static void assert_json(const struct abibase_profile *p, const char *text, bool has)
{
	char *json = NULL;

	ck_assert_int_eq(abibase_value_to_json(abibase_profile_value(p), &json), 0);
	ck_assert_msg((strstr(json, text) != NULL) == has, "%s: %s in\n%s", text,
		      has ? "not" : "it is", json);
	free(json);
}

/* --------------------------------------------------------------- the answers */

/* Whatever was asked has an answer. */
static void assert_all_told(const struct abibase_profile *p)
{
	static const char key[] = "\"unknown\": \"";
	char *json = NULL;

	ck_assert_int_eq(abibase_value_to_json(abibase_profile_value(p), &json), 0);
	for (const char *s = json; (s = strstr(s, key)); s += strlen(key))
		ck_assert_msg(strprefix(s + strlen(key), "not-asked"), "%.60s", s);
	free(json);
}

START_TEST(test_words)
{
	struct script s = kernel_6_17;
	struct abibase_profile *p = probe_only(
		&s, "tap vhost-net vhost-vsock vhost-scsi vhost-vdpa params ebpf macvtap ipvtap");

	assert_json(p, "\"vhost_vsock.features\": \"0x000000033d000002\"", true);
	assert_json(p, "\"vhost_vsock.backend_features\": \"0x0000000000000002\"", true);
	assert_json(p, "\"vhost_scsi.features\": \"0x000000013d00000a\"", true);
	assert_json(p, "\"vhost_scsi.backend_features\": false", true);
	assert_fact(p, "vhost_vdpa.usable", ABIBASE_YES);
	assert_json(p, "\"vhost_vdpa.0.features\": \"0x0000000300000000\"", true);
	assert_json(p, "\"vhost_vdpa.11.device_id\": 1,", true);
	assert_json(p, "\"vhost_vdpa.12", false);
	assert_json(p, "\"param.vhost.max_mem_regions\": 64,", true);
	assert_json(p, "\"param.vhost.max_iotlb_entries\": 2048,", true);
	assert_fact(p, "host.ebpf_rss", ABIBASE_YES);
	assert_json(p, "\"macvtap.features\": \"0x00005102\"", true);
	assert_json(p, "\"ipvtap.features\": \"0x00005102\"", true);
	assert_fact(p, "macvtap.offload.uso", ABIBASE_YES);
	assert_fact(p, "macvtap.offload.udp_tunnel", ABIBASE_NO);
	assert_json(p, "\"tap.features\": \"0x00007173\"", true);
	assert_json(p, "\"vhost_net.features\": \"0x0000010b3d008000\"", true);
	assert_json(p, "\"vhost_net.features_array\": \"0x000000000000000a0000010b3d008000\"",
		    true);
	assert_json(p, "\"vhost_net.backend_features\": \"0x0000000000000002\"", true);
	assert_json(p, "\"boot_id\": \"11111111-2222-3333-4444-555555555555\"", true);
	assert_json(p, "\"name\": \"scripted\"", true);
	assert_json(p, "\"qemu\"", false);
	assert_all_told(p);
	assert_fact(p, "tap.usable", ABIBASE_YES);
	assert_fact(p, "tap.napi_frags", ABIBASE_YES);
	assert_fact(p, "tap.vnet_le", ABIBASE_YES);
	assert_fact(p, "tap.vnet_be", ABIBASE_NO);
	assert_fact(p, "tap.offload.udp_tunnel_csum", ABIBASE_YES);
	assert_fact(p, "vhost_net.features_array[67]", ABIBASE_YES);
	assert_fact(p, "vhost_net.features_array[66]", ABIBASE_NO);
	ck_assert_ptr_null(logged.data);
	abibase_profile_unref(p);
}
END_TEST

/* The three classes of upstream kernels: to 6.1, to 6.16, from 6.17. */
START_TEST(test_kernels)
{
	static const struct {
		unsigned int features;
		unsigned long offloads;
		bool array;
		enum abibase_tri uso, tunnel, ring_reset;
		uint64_t vhost;
	} kernels[] = {
		{ 0x7133, 0x01f, false, ABIBASE_NO, ABIBASE_NO, ABIBASE_NO, 0x33d008000 },
		{ 0x7173, 0x07f, false, ABIBASE_YES, ABIBASE_NO, ABIBASE_YES, 0x1033d008000 },
		{ 0x7173, 0x1ff, true, ABIBASE_YES, ABIBASE_YES, ABIBASE_YES, 0x10b3d008000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct script s = kernel_6_17;
		struct abibase_profile *p;

		s.tap_features = kernels[i].features;
		s.offloads = kernels[i].offloads;
		s.has_array = kernels[i].array;
		s.vhost_features = kernels[i].vhost;
		p = probe(&s);
		assert_fact(p, "tap.offload.ufo", ABIBASE_YES);
		assert_fact(p, "tap.offload.tso_ecn", ABIBASE_YES);
		assert_fact(p, "tap.offload.uso", kernels[i].uso);
		assert_fact(p, "tap.offload.udp_tunnel", kernels[i].tunnel);
		assert_fact(p, "vhost_net.features[40]", kernels[i].ring_reset);
		assert_json(p, "\"vhost_net.features_array\": false", !kernels[i].array);
		abibase_profile_unref(p);
	}
}
END_TEST

/* What is called, in which order, and what is never called. */
START_TEST(test_calls)
{
	struct script s = kernel_6_17;
	struct abibase_profile *p = probe(&s);
	int unshared = -1, kept = -1, opened = -1;
	unsigned long offloads = 0;
	int last_fd = 0;

	for (int i = 0; i < (int)shared->n; i++) {
		const struct call *c = &shared->call[i];

		if (c->kind == CALL_UNSHARE && unshared < 0)
			unshared = i;
		if (c->kind == CALL_KEEP && kept < 0)
			kept = i;
		if (c->kind == CALL_OPEN && opened < 0)
			opened = i;
		if (c->kind != CALL_IOCTL || c->request != SETOFFLOAD)
			continue;
		ck_assert_int_ne(c->fd, last_fd); /* each on a fresh tap */
		last_fd = c->fd;
		offloads++;
	}
	ck_assert(unshared >= 0 && unshared < kept && kept < opened);
	ck_assert_uint_eq(shared->call[unshared].arg, CLONE_NEWNET);
	ck_assert_uint_eq(shared->call[kept].arg, PROBE_CAP_NET_ADMIN);
	ck_assert_uint_eq(offloads, 8);
	/* one tap for each offload, one for the rest, one for NAPI_FRAGS */
	ck_assert_uint_eq(count(shared, CALL_OPEN, false, 0), 10);
	ck_assert_uint_eq(count(shared, CALL_OPEN, true, 0), 1);
	/* which end with their namespace: to close one takes a grace period of the kernel */
	ck_assert_uint_eq(count(shared, CALL_IOCTL, false, SETPERSIST), 10);
	ck_assert_uint_eq(count(shared, CALL_CLOSE, false, 0), 0);
	ck_assert_uint_eq(count(shared, CALL_CLOSE, true, 0), 0);
	ck_assert_uint_eq(count(shared, CALL_IOCTL, true, VHOST_SET_OWNER), 0);
	ck_assert_uint_eq(count(shared, CALL_UNSHARE, false, 0), 1);
	assert_json(p, "\"user_namespace\": false", true);
	assert_json(p, "\"missing_capabilities\": []", true);
	abibase_profile_unref(p);
}
END_TEST

START_TEST(test_unprivileged)
{
	struct script s = kernel_6_17;
	struct abibase_profile *p;

	s.caps = 0;
	s.euid = 65534;
	s.napi_frags = EPERM;
	p = probe(&s);
	ck_assert_int_eq(shared->call[0].kind, CALL_UNSHARE);
	ck_assert_uint_eq(shared->call[0].arg, CLONE_NEWUSER | CLONE_NEWNET);
	assert_json(p, "\"euid\": 65534", true);
	assert_json(p, "\"user_namespace\": true", true);
	assert_json(p, "\"net_admin\",\n      \"sys_admin\"", true);
	assert_fact(p, "tap.usable", ABIBASE_YES);
	assert_unknown(p, "tap.napi_frags", "no-permission");
	ck_assert(said(LOG_INFO, "probe-napi-frags"));
	ck_assert(!strstr(logged.data, "<4>"));
	abibase_profile_unref(p);
	/* one of the two is not enough for a tap in a namespace of the initial user */
	s.caps = PROBE_CAP_SYS_ADMIN;
	abibase_profile_unref(probe(&s));
	ck_assert_uint_eq(shared->call[0].arg, CLONE_NEWUSER | CLONE_NEWNET);
}
END_TEST

/* A kernel without NAPI does not reject the flag, so it must not be tried. */
START_TEST(test_no_napi)
{
	struct script s = kernel_6_17;
	struct abibase_profile *p;

	s.tap_features = 0x7103;
	p = probe(&s);
	assert_fact(p, "tap.napi_frags", ABIBASE_NO);
	ck_assert_uint_eq(count(shared, CALL_OPEN, false, 0), 9);
	abibase_profile_unref(p);
}
END_TEST

/* -------------------------------------------------------------- the failures */

static const struct {
	int err;
	const char *reason, *id;
} open_failures[] = {
	{ ENOENT, "no-device-node", "probe-no-device-node" },
	{ ENODEV, "no-device", "probe-no-device" },
	{ ENXIO, "no-device", "probe-no-device" },
	{ EACCES, "no-permission", "probe-no-permission" },
	{ EPERM, "refused", "probe-device-refused" },
	{ ENOSYS, "refused", "probe-device-refused" },
	{ EMFILE, "no-file-descriptors", "probe-no-file-descriptors" },
	{ ENFILE, "no-file-descriptors", "probe-no-file-descriptors" },
	{ EIO, "error-EIO", "probe-open-failed" },
	{ EBUSY, "error-EBUSY", "probe-open-failed" },
};

START_TEST(test_open_fails)
{
	struct script s = kernel_6_17;
	struct abibase_profile *p;

	s.open_tun = open_failures[_i].err;
	p = probe(&s);
	assert_unknown(p, "tap.usable", open_failures[_i].reason);
	assert_unknown(p, "tap.features", open_failures[_i].reason);
	assert_unknown(p, "tap.offload.uso", open_failures[_i].reason);
	assert_fact(p, "vhost_net.usable", ABIBASE_YES);
	ck_assert(said(LOG_WARNING, open_failures[_i].id));
	abibase_profile_unref(p);

	s.open_tun = 0;
	s.open_vhost = open_failures[_i].err;
	p = probe(&s);
	assert_unknown(p, "vhost_net.usable", open_failures[_i].reason);
	assert_unknown(p, "vhost_net.features", open_failures[_i].reason);
	assert_fact(p, "tap.usable", ABIBASE_YES);
	ck_assert(said(LOG_WARNING, open_failures[_i].id));
	abibase_profile_unref(p);
}
END_TEST

START_TEST(test_namespace_fails)
{
	static const struct {
		int err;
		const char *reason, *id;
	} cases[] = {
		{ ENOSPC, "no-namespace", "probe-namespace-limit" },
		{ EUSERS, "no-namespace", "probe-namespace-limit" },
		{ EPERM, "no-namespace", "probe-namespace-refused" },
		{ EINVAL, "no-namespace", "probe-namespace-failed" },
		{ ENOSYS, "no-namespace", "probe-namespace-failed" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct script s = kernel_6_17;
		struct abibase_profile *p;

		s.unshare = cases[i].err;
		p = probe(&s);
		assert_unknown(p, "tap.usable", cases[i].reason);
		ck_assert(said(LOG_WARNING, cases[i].id));
		/* never a tap where others could see it; vhost needs no namespace */
		ck_assert_uint_eq(count(shared, CALL_OPEN, false, 0), 0);
		assert_fact(p, "vhost_net.usable", ABIBASE_YES);
		assert_json(p, "\"network_namespace\": false", true);
		abibase_profile_unref(p);
	}
}
END_TEST

/* The remedy is one that helps the one who reads it. */
START_TEST(test_remedies)
{
	struct script s = kernel_6_17;

	s.open_tun = ENOENT;
	abibase_profile_unref(probe(&s));
	ck_assert_ptr_nonnull(strstr(logged.data, "`modprobe tun`"));
	s.tun_numbers = "10:200\n";
	abibase_profile_unref(probe(&s));
	ck_assert_ptr_nonnull(strstr(logged.data, "`mknod /dev/net/tun c 10 200`"));
	ck_assert_ptr_null(strstr(logged.data, "`modprobe tun`"));

	for (int err = 0; err < 2; err++) {
		s = kernel_6_17;
		s.unshare = err ? EPERM : ENOSPC;
		s.euid = 0;
		abibase_profile_unref(probe(&s));
		ck_assert_ptr_null(strstr(logged.data, "as root"));
		s.euid = 65534;
		abibase_profile_unref(probe(&s));
		ck_assert_ptr_nonnull(strstr(logged.data, "probe as root"));
	}
}
END_TEST

static void check_failing(struct script *s, const char *fact, const char *reason, const char *id)
{
	struct abibase_profile *p = probe(s);

	assert_unknown(p, fact, reason);
	ck_assert_msg(said(LOG_WARNING, id), "no %s in\n%s", id, logged.data);
	abibase_profile_unref(p);
}

START_TEST(test_questions_fail)
{
	struct script s = kernel_6_17;

	s.set_iff = EPERM;
	check_failing(&s, "tap.usable", "no-permission", "probe-tap-refused");
	s.set_iff = ENOMEM;
	check_failing(&s, "tap.usable", "error-ENOMEM", "probe-tap-failed");
	s = kernel_6_17;
	s.get_features = ENOTTY;
	check_failing(&s, "tap.usable", "error-ENOTTY", "probe-no-answer");
	s.get_features = EPERM;
	check_failing(&s, "tap.usable", "refused", "probe-no-answer");
	s = kernel_6_17;
	s.vhost_get = EPERM;
	check_failing(&s, "vhost_net.usable", "refused", "probe-no-answer");
	s = kernel_6_17;
	s.keep = EPERM;
	check_failing(&s, "tap.usable", "no-permission", "probe-capabilities");
	ck_assert_uint_eq(count(shared, CALL_OPEN, false, 0), 0);
	s = kernel_6_17;
	s.emfile_after = 4;
	check_failing(&s, "tap.offload.udp_tunnel", "no-file-descriptors", "probe-fact-unknown");
	ck_assert_uint_eq(count(shared, CALL_IOCTL, false, SETOFFLOAD), 2);
}
END_TEST

/* What was answered before the child died stays; the rest is unknown. */
START_TEST(test_child_dies)
{
	struct script s = kernel_6_17;
	struct abibase_probe *pr;
	struct abibase_profile *p;

	s.signal = SIGSYS;
	check_failing(&s, "tap.offload.uso", "refused", "probe-killed-by-filter");
	s.signal = SIGKILL;
	check_failing(&s, "tap.offload.uso", "error-EIO", "probe-child-died");
	s.signal = 0;
	s.hang = true;
	pr = new_probe(&s);
	pr->device_timeout_ms = 300;
	abibase_probe_set_flags(pr, ABIBASE_PROBE_NO_QEMU);
	p = run(pr);
	assert_fact(p, "tap.usable", ABIBASE_YES);
	assert_fact(p, "tap.offload.csum", ABIBASE_YES);
	assert_unknown(p, "tap.offload.uso", "error-ETIMEDOUT");
	assert_fact(p, "vhost_net.usable", ABIBASE_YES);
	ck_assert(said(LOG_WARNING, "probe-timeout"));
	abibase_profile_unref(p);
}
END_TEST

static void *cancel_soon(void *data)
{
	usleep(300000);
	abibase_probe_cancel(data);
	return NULL;
}

static void count_steps(void *data, const char *what)
{
	ck_assert_ptr_nonnull(what);
	++*(int *)data;
}

/* A device that hangs keeps neither a cancelled probe nor one with a time limit. */
START_TEST(test_cancel)
{
	struct script s = kernel_6_17;
	struct abibase_probe *pr;
	struct abibase_profile *p = NULL;
	int64_t start = process_now();
	pthread_t thread;
	int steps = 0;

	s.hang = true;
	pr = new_probe(&s);
	abibase_probe_set_flags(pr, ABIBASE_PROBE_NO_QEMU);
	abibase_probe_set_progress(pr, count_steps, &steps);
	ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, pr), 0);
	ck_assert_int_eq(abibase_probe_run(pr, cat, &p), -ECANCELED);
	pthread_join(thread, NULL);
	ck_assert_str_eq(abibase_context_error_id(ctx), "probe-cancelled");
	ck_assert_int_lt(process_now() - start, 10000);
	ck_assert_int_ge(steps, 1);
	ck_assert_ptr_null(p);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	/* before it runs */
	abibase_probe_cancel(pr);
	ck_assert_int_eq(abibase_probe_run(pr, cat, &p), -ECANCELED);
	abibase_probe_unref(pr);
	pr = new_probe(&s);
	abibase_probe_set_flags(pr, ABIBASE_PROBE_NO_QEMU);
	abibase_probe_set_timeout(pr, 200);
	ck_assert_int_eq(abibase_probe_run(pr, cat, &p), -ETIMEDOUT);
	ck_assert_str_eq(abibase_context_error_id(ctx), "probe-too-long");
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_lt(process_now() - start, 15000);
	abibase_probe_cancel(NULL);
	abibase_probe_unref(pr);
}
END_TEST

/* ------------------------------------------------------------ other surfaces */

START_TEST(test_only_and_skip)
{
	struct script s = kernel_6_17;
	struct abibase_probe *pr = new_probe(&s);
	struct abibase_profile *p;

	ck_assert_int_eq(abibase_probe_only(pr, "vhost_net"), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(ctx), "probe-no-surface");
	ck_assert_ptr_nonnull(strstr(abibase_context_error(ctx), "vhost-net, vhost-vsock"));
	ck_assert_int_eq(abibase_probe_skip(pr, ""), -EINVAL);
	ck_assert_int_eq(abibase_probe_only(pr, "vhost-net"), 0);
	ck_assert_int_eq(abibase_probe_only(pr, "params"), 0);
	ck_assert_int_eq(abibase_probe_skip(pr, "params"), 0);
	p = run(pr);
	assert_fact(p, "vhost_net.usable", ABIBASE_YES);
	assert_unknown(p, "tap.usable", "not-asked");
	assert_unknown(p, "tap.offload.uso", "not-asked");
	assert_unknown(p, "macvtap.features", "not-asked");
	assert_unknown(p, "vhost_vdpa.usable", "not-asked");
	assert_unknown(p, "host.ebpf_rss", "not-asked");
	assert_unknown(p, "param.vhost.max_mem_regions", "not-asked");
	assert_json(p, "\"qemu\"", false);
	ck_assert_uint_eq(count(shared, CALL_OPEN, false, 0), 0);
	ck_assert_uint_eq(count(shared, CALL_OPEN, true, 0), 1);
	ck_assert_uint_eq(count(shared, CALL_OTHER_OPEN, false, 0), 0);
	ck_assert_uint_eq(count(shared, CALL_BPF, false, 0), 0);
	ck_assert_ptr_null(logged.data);
	abibase_profile_unref(p);

	/* on request only */
	p = probe(&s);
	assert_unknown(p, "macvtap.usable", "not-asked");
	assert_unknown(p, "ipvtap.usable", "not-asked");
	assert_fact(p, "vhost_scsi.usable", ABIBASE_YES);
	ck_assert_uint_eq(count(shared, CALL_LINK, false, 0), 0);
	abibase_profile_unref(p);
}
END_TEST

/* Quiet by default, for no answer depends on them; aloud when they were named. */
START_TEST(test_vhost_others)
{
	struct script s = kernel_6_17;
	struct abibase_profile *p;

	s.open_vsock = open_failures[_i].err;
	s.open_scsi = ENOENT;
	p = probe(&s);
	assert_unknown(p, "vhost_vsock.usable", open_failures[_i].err == ENOENT ?
							 "not-loaded" : open_failures[_i].reason);
	assert_unknown(p, "vhost_scsi.features", "not-loaded");
	assert_fact(p, "vhost_net.usable", ABIBASE_YES);
	ck_assert_ptr_null(strstr(logged.data, "<4>"));
	abibase_profile_unref(p);
	p = probe_only(&s, "vhost-vsock");
	ck_assert_ptr_nonnull(strstr(logged.data, "<4>"));
	abibase_profile_unref(p);

	s = kernel_6_17;
	s.backend = EPERM; /* what Linux 5.10 says */
	p = probe_only(&s, "vhost-vsock");
	assert_json(p, "\"vhost_vsock.backend_features\": false", true);
	abibase_profile_unref(p);
}
END_TEST

START_TEST(test_vdpa)
{
	static const struct {
		const char *dev, *devices;
		enum module_state index;
		const char *reason; /* NULL: absent */
	} none[] = {
		{ "null\n", "243 vhost-vdpa\n", MODULE_FILE, "no-device-node" },
		{ "null\n", "1 mem\n", MODULE_FILE, "not-loaded" },
		{ "null\n", "1 mem\n", MODULE_NO_INDEX, "no-module-index" },
		{ NULL, "1 mem\n", MODULE_NONE, NULL },
		{ NULL, "243 vhost-vdpa\n", MODULE_FILE, "no-permission" },
		{ "null\n", NULL, MODULE_NONE, "no-device-node" },
	};
	struct script s = kernel_6_17;
	struct abibase_profile *p;

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		s = kernel_6_17;
		s.dev = none[i].dev;
		s.devices = none[i].devices;
		s.vhost_index = none[i].index;
		p = probe_only(&s, "vhost-vdpa");
		if (none[i].reason)
			assert_unknown(p, "vhost_vdpa.usable", none[i].reason);
		else
			assert_fact(p, "vhost_vdpa.usable", ABIBASE_NO);
		ck_assert_int_eq(said(LOG_WARNING, none[i].dev ? "probe-no-vdpa-device" :
								 "probe-no-permission"),
				 none[i].reason != NULL);
		abibase_profile_unref(p);
	}
	/* one that a guest uses leaves the other standing */
	s = kernel_6_17;
	s.open_vdpa_0 = EBUSY;
	p = probe_only(&s, "vhost-vdpa");
	assert_unknown(p, "vhost_vdpa.0.features", "error-EBUSY");
	assert_unknown(p, "vhost_vdpa.0.device_id", "error-EBUSY");
	assert_fact(p, "vhost_vdpa.usable", ABIBASE_YES);
	assert_json(p, "\"vhost_vdpa.11.device_id\": 1,", true);
	abibase_profile_unref(p);

	s.vdpa_get = EIO;
	p = probe_only(&s, "vhost-vdpa");
	assert_unknown(p, "vhost_vdpa.11.features", "error-EIO");
	assert_unknown(p, "vhost_vdpa.usable", "error-EBUSY");
	abibase_profile_unref(p);

	s = kernel_6_17;
	s.vdpa_id = ENOTTY;
	p = probe_only(&s, "vhost-vdpa");
	assert_fact(p, "vhost_vdpa.usable", ABIBASE_YES);
	assert_unknown(p, "vhost_vdpa.11.device_id", "error-ENOTTY");
	ck_assert_uint_eq(count(shared, CALL_IOCTL, false, VHOST_SET_OWNER), 0);
	abibase_profile_unref(p);
}
END_TEST

START_TEST(test_macvtap_calls)
{
	const unsigned int all = PROBE_CAP_NET_ADMIN | PROBE_CAP_SYS_ADMIN | PROBE_CAP_MKNOD;
	static const int kinds[] = { CALL_UNSHARE, CALL_KEEP,  CALL_OPEN,  CALL_IOCTL, CALL_IOCTL,
				     CALL_LINK,	   CALL_MOUNT, CALL_MOUNT, CALL_MOUNT, CALL_NODE,
				     CALL_KEEP,	   CALL_OTHER_OPEN };
	struct script s = kernel_6_17;
	struct abibase_profile *p = probe_only(&s, "macvtap");
	const struct call *c = shared->call;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		ck_assert_int_eq(c[i].kind, kinds[i]);
	ck_assert_uint_eq(c[0].arg, CLONE_NEWNET | CLONE_NEWNS);
	ck_assert_uint_eq(c[1].arg, all);
	ck_assert_uint_eq(c[3].request, SETIFINDEX);
	ck_assert_uint_eq(c[5].request, RTM_NEWLINK);
	ck_assert_uint_eq(c[9].request, 241);
	ck_assert_uint_eq(c[9].arg, 7);
	ck_assert_uint_eq(c[10].arg, PROBE_CAP_NET_ADMIN);
	/* nothing is left: the link goes, then the tap below it */
	ck_assert_int_eq(c[shared->n - 2].kind, CALL_LINK);
	ck_assert_uint_eq(c[shared->n - 2].request, RTM_DELLINK);
	ck_assert_int_eq(c[shared->n - 1].kind, CALL_CLOSE);
	ck_assert_int_eq(c[shared->n - 1].fd, FD_TAP + 1);
	ck_assert_uint_eq(count(shared, CALL_OTHER_OPEN, false, 0), 9);
	abibase_profile_unref(p);
}
END_TEST

/* @field of a script set to @err: what becomes of macvtap */
static const struct {
	size_t field;
	int err;
	const char *reason, *id;
	bool link; /* it had been made */
} link_failures[] = {
#define FIELD(name) offsetof(struct script, name)
	{ FIELD(unshare), EPERM, "no-namespace", "probe-namespace-refused", false },
	{ FIELD(unshare), ENOSPC, "no-namespace", "probe-namespace-limit", false },
	{ FIELD(keep), EPERM, "no-permission", "probe-capabilities", false },
	{ FIELD(open_tun), EACCES, "no-permission", "probe-no-lower-device", false },
	{ FIELD(open_tun), ENOENT, "no-device-node", "probe-no-lower-device", false },
	{ FIELD(open_tun), EMFILE, "no-file-descriptors", "probe-no-file-descriptors", false },
	{ FIELD(lower_index), EINVAL, "error-EINVAL", "probe-no-lower-device", false },
	{ FIELD(set_iff), EPERM, "no-permission", "probe-no-lower-device", false },
	{ FIELD(link), EOPNOTSUPP, "no-device", "probe-link-failed", false },
	{ FIELD(link), EPERM, "no-permission", "probe-link-failed", false },
	{ FIELD(link), EEXIST, "error-EEXIST", "probe-link-failed", false },
	{ FIELD(mount), EPERM, "no-permission", "probe-node-failed", true },
	{ FIELD(mount), ENOENT, "no-device-node", "probe-node-failed", true },
	{ FIELD(number), ENOENT, "no-device-node", "probe-node-failed", true },
	{ FIELD(node), EPERM, "no-permission", "probe-node-failed", true },
	{ FIELD(open_link), EPERM, "no-permission", "probe-node-failed", true },
	{ FIELD(open_link), EMFILE, "no-file-descriptors", "probe-no-file-descriptors", true },
	{ FIELD(link_features), EIO, "error-EIO", "probe-no-answer", true },
	{ FIELD(link_iff), EINVAL, "error-EINVAL", "probe-tap-failed", true },
#undef FIELD
};

START_TEST(test_macvtap_fails)
{
	struct script s = kernel_6_17;
	struct abibase_profile *p;

	memcpy((char *)&s + link_failures[_i].field, &link_failures[_i].err, sizeof(int));
	p = probe_only(&s, "macvtap vhost-net");
	assert_unknown(p, "macvtap.usable", link_failures[_i].reason);
	assert_unknown(p, "macvtap.offload.uso", link_failures[_i].reason);
	ck_assert_msg(said(LOG_WARNING, link_failures[_i].id), "%s", logged.data);
	/* what was made is removed */
	ck_assert_uint_eq(count(shared, CALL_LINK, false, 0),
			  link_failures[_i].link ? 2u :
						   strstr(link_failures[_i].id, "link") != NULL);
	if (link_failures[_i].field != offsetof(struct script, keep))
		assert_fact(p, "vhost_net.usable", ABIBASE_YES);
	abibase_profile_unref(p);
}
END_TEST

START_TEST(test_macvtap_rights)
{
	struct script s = kernel_6_17;
	struct abibase_probe *pr;
	struct abibase_profile *p;

	s.caps = 0;
	p = probe_only(&s, "macvtap");
	assert_unknown(p, "macvtap.usable", "no-permission");
	ck_assert(said(LOG_WARNING, "probe-needs-root"));
	ck_assert_uint_eq(shared->n, 0); /* nothing was tried, nothing loaded */
	abibase_profile_unref(p);

	/* no such kind of link, and none to come: absent, whoever asks */
	s.devices = "1 mem\n";
	s.vhost_index = MODULE_NONE;
	p = probe_only(&s, "macvtap");
	assert_fact(p, "macvtap.usable", ABIBASE_NO);
	assert_json(p, "macvtap.features", false);
	abibase_profile_unref(p);
	s.caps = kernel_6_17.caps;
	s.link = EOPNOTSUPP;
	p = probe_only(&s, "macvtap");
	assert_fact(p, "macvtap.usable", ABIBASE_NO);
	abibase_profile_unref(p);

	/* numbers that are none */
	s = kernel_6_17;
	for (size_t i = 0; i < 5; i++) {
		static const char *const texts[] = { "", "241", "241:", "x:1\n", "241:7" };

		s.number_text = texts[i];
		p = probe_only(&s, "macvtap");
		assert_unknown(p, "macvtap.usable", "error-EINVAL");
		ck_assert_uint_eq(count(shared, CALL_NODE, false, 0), 0);
		abibase_profile_unref(p);
	}

	/* --no-load: its own module, and the one of the tap below */
	for (size_t i = 0; i < 2; i++) {
		s = kernel_6_17;
		if (i)
			s.misc = "237 loop-control\n", s.modules = "";
		else
			s.devices = "1 mem\n";
		pr = new_probe(&s);
		abibase_probe_set_flags(pr, ABIBASE_PROBE_NO_LOAD);
		abibase_probe_only(pr, "macvtap");
		p = run(pr);
		assert_unknown(p, "macvtap.usable", "not-loaded");
		ck_assert_uint_eq(shared->n, 0);
		abibase_profile_unref(p);
	}
}
END_TEST

START_TEST(test_ebpf)
{
	static const struct {
		int err;
		enum abibase_tri tri;
		const char *reason;
	} cases[] = {
		{ EPERM, ABIBASE_UNKNOWN, "no-permission" },
		{ EACCES, ABIBASE_UNKNOWN, "no-permission" },
		{ EMFILE, ABIBASE_UNKNOWN, "no-file-descriptors" },
		{ ENOMEM, ABIBASE_UNKNOWN, "error-ENOMEM" },
		{ ENOSYS, ABIBASE_NO, NULL },
		{ EINVAL, ABIBASE_NO, NULL },
	};
	struct abibase_profile *p;
	struct script s;

	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		size_t k = i / 2;

		s = kernel_6_17;
		*(i % 2 ? &s.bpf_map : &s.bpf_program) = cases[k].err;
		p = probe_only(&s, "ebpf");
		if (cases[k].reason)
			assert_unknown(p, "host.ebpf_rss", cases[k].reason);
		else
			assert_fact(p, "host.ebpf_rss", ABIBASE_NO);
		ck_assert_int_eq(said(LOG_WARNING, "probe-fact-unknown"), cases[k].reason != NULL);
		/* the array goes where the program does not come */
		ck_assert_uint_eq(count(shared, CALL_OTHER_CLOSE, false, 0), i % 2 ? 0 : 1);
		abibase_profile_unref(p);
	}
	/* an ordinary user is not told each time */
	s.bpf_map = EPERM;
	s.caps = 0;
	abibase_profile_unref(probe(&s));
	ck_assert(said(LOG_INFO, "probe-fact-unknown"));
	ck_assert_ptr_null(strstr(logged.data, "<4>"));
}
END_TEST

START_TEST(test_params)
{
	static const struct {
		const char *text;
		int err;
		const char *reason;
	} cases[] = {
		{ NULL, ENOENT, "not-loaded" },	   { NULL, EACCES, "no-permission" },
		{ NULL, EPERM, "no-permission" },  { NULL, EMFILE, "no-file-descriptors" },
		{ NULL, EIO, "error-EIO" },	   { "", 0, "error-EINVAL" },
		{ "many\n", 0, "error-EINVAL" },   { "-1\n", 0, "error-EINVAL" },
		{ "64 x\n", 0, "error-EINVAL" },   { "9999999999999999999\n", 0, "error-EINVAL" },
	};
	struct script s = kernel_6_17;
	struct abibase_profile *p;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		s.regions = cases[i].text;
		s.parameter_error = cases[i].err;
		p = probe_only(&s, "params");
		assert_unknown(p, "param.vhost.max_mem_regions", cases[i].reason);
		assert_json(p, "\"param.vhost.max_iotlb_entries\": 2048", true);
		ck_assert(said(LOG_WARNING, "probe-parameter-unknown"));
		abibase_profile_unref(p);
	}
	/* a kernel that provably has no vhost has no parameter of it */
	s.regions = NULL;
	s.parameter_error = ENOENT;
	s.modules = "";
	s.vhost_index = MODULE_NONE;
	p = probe_only(&s, "params");
	assert_json(p, "max_mem_regions", false);
	abibase_profile_unref(p);
	/* without /sys nothing is proved */
	s.has_sys_module = false;
	p = probe_only(&s, "params");
	assert_unknown(p, "param.vhost.max_mem_regions", "not-loaded");
	abibase_profile_unref(p);
}
END_TEST

/* What the probe writes is known to facts.json, numbered devices too. */
START_TEST(test_valid)
{
	struct script s = kernel_6_17;
	struct abibase_profile *p = probe_only(&s, "tap vhost-vdpa params ebpf macvtap ipvtap");
	char path[PATH_MAX], *json = NULL, *text;
	struct abibase_result *res;
	FILE *f;

	snprintf(path, sizeof(path), "%s/p.json", dir);
	ck_assert_int_eq(abibase_value_to_json(abibase_profile_value(p), &json), 0);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	fputs(json, f);
	fclose(f);
	ck_assert_int_eq(abibase_validate(ctx, path, &res), 0);
	ck_assert_int_eq(abibase_result_to_text(res, 0, &text), 0);
	ck_assert_str_eq(text, "");
	abibase_result_unref(res);
	free(text);
	free(json);
	abibase_profile_unref(p);
}
END_TEST

/* ------------------------------------------------------------------ --report */

static char *report(struct abibase_profile *p)
{
	char *text = NULL;

	ck_assert_int_eq(abibase_profile_to_report(p, cat, 1000, &text), 0);
	abibase_profile_unref(p);
	return text;
}

static void assert_line(const char *text, const char *line, bool has)
{
	ck_assert_msg((strstr(text, line) != NULL) == has, "%s: %s in\n%s", line,
		      has ? "not" : "it is", text);
}

START_TEST(test_report)
{
	struct script s = kernel_6_17;
	char *text = report(probe(&s));

	assert_line(text, "yes: scripted can run guests on tap, tap+vhost; 0 warnings, 0 unknown\n", true);
	assert_line(text, "PASS    tap: checksum, TSO, TSO with ECN, UFO, USO, UDP tunnels\n",
		    true);
	assert_line(text,
		    "PASS    vhost-net: mergeable buffers, indirect descriptors, event index, "
		    "virtio 1, in-order, queue reset, UDP tunnels\n",
		    true);
	assert_line(text, "PASS    vhost-vsock: usable, with SEQPACKET\n", true);
	assert_line(text, "PASS    vhost-scsi: usable\n", true);
	assert_line(text, "PASS    vhost-vdpa: device 11: virtio device id 1", true);
	assert_line(text, "PASS    params: vhost.max_mem_regions is 64: ", true);
	assert_line(text, "PASS    ebpf: ", true);
	/* neither what was not asked nor what guests do not miss */
	assert_line(text, "not looked at: macvtap, ", true);
	assert_line(text, "    macvtap", false);
	assert_line(text, "UNKNOWN", false);
	assert_line(text, "WARN", false);
	free(text);

	s.offloads = 0x1f;
	s.has_array = false;
	s.vhost_features = 0x33d008000;
	s.open_vsock = EACCES;
	s.open_scsi = ENODEV;
	s.vhost_index = MODULE_NONE;
	s.bpf_map = EPERM;
	text = report(probe(&s));
	assert_line(text, "PASS    tap: checksum, TSO, TSO with ECN, UFO\n", true);
	assert_line(text,
		    "WARN    tap: the kernel's tap does not accept TUN_F_USO4|TUN_F_USO6: guests "
		    "that shall come here need guest_uso4=off, guest_uso6=off, host_uso=off; "
		    "remedy: a kernel with tap USO (upstream 6.2)\n",
		    true);
	assert_line(text, "(bit 40): guests that shall come here need queue_reset=off", true);
	assert_line(text, "(bit 34)", false); /* on request only */
	assert_line(text, "WARN    vhost-vsock: this host has no vhost-vsock: guests with such a device", true);
	assert_line(text, "UNKNOWN ebpf: no-permission; remedy: probe as root", true);
	free(text);

	s = kernel_6_17;
	s.open_tun = EACCES;
	s.emfile_after = 0;
	s.open_vhost = EPERM;
	s.regions = NULL;
	s.parameter_error = ENOENT;
	text = report(probe(&s));
	assert_line(text, "UNKNOWN tap: no-permission; remedy: run the probe with the right", true);
	assert_line(text, "UNKNOWN vhost-net: refused; remedy: run the probe outside", true);
	assert_line(text, "UNKNOWN params: vhost.max_mem_regions: not-loaded; remedy: load the module",
		    true);
	free(text);

	s = kernel_6_17;
	s.emfile_after = 7;
	text = report(probe(&s));
	assert_line(text, "UNKNOWN tap: tap.offload.uso: no-file-descriptors; remedy: raise", true);
	assert_line(text, "PASS    tap: checksum, TSO, TSO with ECN, UFO\n", true);
	free(text);
}
END_TEST

/* ------------------------------------------------------------------- absence */

#define OTHERS "237 loop-control\n"

static const struct {
	const char *misc;
	bool modules; /* the kernel has loadable modules */
	enum module_state index;
	int open;
	enum abibase_tri usable;
	const char *reason, *no_load_reason; /* NULL: not unknown */
} presences[] = {
	/* the only two ways to be absent */
	{ OTHERS, true, MODULE_NONE, ENOENT, ABIBASE_NO, NULL, NULL },
	{ OTHERS, false, MODULE_NO_INDEX, ENOENT, ABIBASE_NO, NULL, NULL },
	/* a node of a driver that is not there, whoever may open it */
	{ OTHERS, false, MODULE_NO_INDEX, ENODEV, ABIBASE_NO, NULL, NULL },
	{ OTHERS, true, MODULE_NONE, EACCES, ABIBASE_NO, NULL, NULL },
	/* it could still come */
	{ OTHERS, true, MODULE_FILE, ENOENT, ABIBASE_UNKNOWN, "not-loaded", "not-loaded" },
	{ OTHERS, true, MODULE_FILE, ENODEV, ABIBASE_UNKNOWN, "no-device", "not-loaded" },
	{ OTHERS, true, MODULE_FILE, EACCES, ABIBASE_UNKNOWN, "no-permission", "not-loaded" },
	{ OTHERS, true, MODULE_NO_INDEX, ENOENT, ABIBASE_UNKNOWN, "no-module-index", "not-loaded" },
	{ OTHERS, true, MODULE_NO_INDEX, ENODEV, ABIBASE_UNKNOWN, "no-device", "not-loaded" },
	{ OTHERS, true, MODULE_BUILTIN, ENOENT, ABIBASE_UNKNOWN, "no-device-node",
	  "no-device-node" },
	/* registered: only the node is missing */
	{ OTHERS "238 vhost-net\n", true, MODULE_NONE, ENOENT, ABIBASE_UNKNOWN, "no-device-node",
	  "no-device-node" },
	{ OTHERS "238 vhost-net\n", false, MODULE_NO_INDEX, EACCES, ABIBASE_UNKNOWN,
	  "no-permission", "no-permission" },
	/* /proc says nothing: nothing is proved */
	{ NULL, false, MODULE_NO_INDEX, ENOENT, ABIBASE_UNKNOWN, "no-device-node", "not-loaded" },
	{ NULL, true, MODULE_NONE, ENOENT, ABIBASE_UNKNOWN, "no-device-node", "not-loaded" },
	{ "", false, MODULE_NO_INDEX, ENOENT, ABIBASE_UNKNOWN, "no-device-node", "not-loaded" },
	/* what answers is there, whatever the index and /proc say */
	{ OTHERS, true, MODULE_NONE, 0, ABIBASE_YES, NULL, NULL },
	{ NULL, false, MODULE_NO_INDEX, 0, ABIBASE_YES, NULL, "not-loaded" },
};

static void set_presence(struct script *s, int i)
{
	*s = kernel_6_17;
	s->open_tun = EACCES;
	s->misc = presences[i].misc;
	s->modules = presences[i].modules ? "" : NULL;
	s->has_proc_modules = presences[i].modules;
	s->vhost_index = presences[i].index;
	s->open_vhost = presences[i].open;
}

START_TEST(test_presence)
{
	struct script s;
	struct abibase_profile *p;

	set_presence(&s, _i);
	p = probe(&s);
	assert_fact(p, "vhost_net.usable", presences[_i].usable);
	if (presences[_i].reason)
		assert_unknown(p, "vhost_net.usable", presences[_i].reason);
	/* an absent device has no other facts, an unknown one has them all, unknown */
	assert_json(p, "vhost_net.features_array", presences[_i].usable != ABIBASE_NO);
	ck_assert_int_eq(strstr(logged.data ? logged.data : "", "<6>probe-absent " VHOST) != NULL,
			 presences[_i].usable == ABIBASE_NO);
	abibase_profile_unref(p);
}
END_TEST

START_TEST(test_no_load)
{
	struct abibase_probe *pr;
	struct abibase_profile *p;
	struct script s;
	const char *reason = presences[_i].no_load_reason;
	bool not_loaded = reason && strcmp(reason, "not-loaded") == 0;

	set_presence(&s, _i);
	pr = new_probe(&s);
	abibase_probe_set_flags(pr, ABIBASE_PROBE_NO_QEMU | ABIBASE_PROBE_NO_LOAD);
	p = run(pr);
	if (reason)
		assert_unknown(p, "vhost_net.usable", reason);
	else
		assert_fact(p, "vhost_net.usable", ABIBASE_NO);
	ck_assert_uint_eq(count(shared, CALL_OPEN, true, 0), reason && !not_loaded);
	if (not_loaded)
		ck_assert_ptr_nonnull(strstr(logged.data, "`modprobe vhost_net`"));
	assert_json(p, "\"no_load\": true", true);
	abibase_profile_unref(p);
}
END_TEST

START_TEST(test_loaded_modules)
{
	struct script s = kernel_6_17;
	struct abibase_profile *p;

	s.modules = "ext4 1 1 - Live 0x0\n";
	s.misc = OTHERS;
	s.modules_opened = "ext4 1 1 - Live 0x0\ntun 1 0 - Live 0x0\nnvme 1 0 - Live 0x0\n";
	p = probe(&s);
	assert_json(p, "\"loaded_modules\": [\n      \"tun\"\n    ]", true);
	ck_assert(said(LOG_NOTICE, "probe-module-loaded"));
	assert_fact(p, "tap.usable", ABIBASE_YES);
	abibase_profile_unref(p);

	/* /proc/modules is hidden, /proc/misc is not */
	s.modules = s.modules_opened = NULL;
	s.misc_opened = OTHERS "200 tun\n";
	p = probe(&s);
	assert_json(p, "\"loaded_modules\": [\n      \"tun\"\n    ]", true);
	abibase_profile_unref(p);
}
END_TEST

/* A module index as depmod writes it; see tests/data/modules. */
START_TEST(test_module_index)
{
	const char *src = getenv("top_srcdir");
	static const char *const files[] = { "modules.dep.bin", "modules.alias.bin",
					     "modules.symbols.bin", "modules.builtin.bin" };
	char root[PATH_MAX], index[PATH_MAX + 32], copy[PATH_MAX], from[PATH_MAX + 64];

	ck_assert_ptr_nonnull(realpath(src ? src : ".", root));
	snprintf(index, sizeof(index), "%s/tests/data/modules", root);
	ck_assert_int_eq(probe_module_index_at(index, "tun"), MODULE_BUILTIN);
	ck_assert_int_eq(probe_module_index_at(index, "vhost_net"), MODULE_FILE);
	ck_assert_int_eq(probe_module_index_at(index, "vhost_vsock"), MODULE_NONE);
	/* no index, one in parts, and one whose last file is none: nothing is proved */
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		ck_assert_int_eq(probe_module_index_at(dir, "vhost_vsock"), MODULE_NO_INDEX);
		snprintf(from, sizeof(from), "%s/%s", index, files[i]);
		snprintf(copy, sizeof(copy), "%s/%s", dir, files[i]);
		ck_assert_int_eq(symlink(from, copy), 0);
	}
	ck_assert_int_eq(probe_module_index_at(dir, "vhost_vsock"), MODULE_NONE);
	ck_assert_int_eq(unlink(copy), 0);
	ck_assert_int_eq(symlink("/dev/null", copy), 0);
	ck_assert_int_eq(probe_module_index_at(dir, "vhost_vsock"), MODULE_NO_INDEX);
}
END_TEST

/* ---------------------------------------------------------------- the caller */

START_TEST(test_names)
{
	struct script s = kernel_6_17;
	struct abibase_probe *pr = new_probe(&s);
	struct abibase_profile *p = NULL;

	ck_assert_int_eq(abibase_probe_set_name(pr, "-x"), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(ctx), "probe-bad-name");
	s.nodename = "(none)";
	abibase_probe_set_flags(pr, ABIBASE_PROBE_NO_QEMU);
	ck_assert_int_eq(abibase_probe_run(pr, cat, &p), -EINVAL);
	ck_assert_ptr_nonnull(strstr(abibase_context_error(ctx), "--name"));
	ck_assert_int_eq(abibase_probe_set_name(pr, "host-1"), 0);
	p = run(pr);
	ck_assert_str_eq(p->name, "host-1");
	abibase_profile_unref(p);
}
END_TEST

static size_t open_fds(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void on_signal(int sig)
{
	(void)sig;
}

/* The real system, whatever it has: the caller is as before. */
START_TEST(test_caller_unchanged)
{
	char net_before[64] = "", net_after[64] = "", user_before[64] = "", user_after[64] = "";
	struct sigaction sa = { .sa_handler = on_signal }, old;
	sigset_t mask, mask_after;
	size_t fds = open_fds();
	struct abibase_profile *p;

	ck_assert_int_gt(readlink("/proc/self/ns/net", net_before, 63), 0);
	ck_assert_int_gt(readlink("/proc/self/ns/user", user_before, 63), 0);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	p = probe(NULL);
	ck_assert_int_gt(readlink("/proc/self/ns/net", net_after, 63), 0);
	ck_assert_int_gt(readlink("/proc/self/ns/user", user_after, 63), 0);
	ck_assert_str_eq(net_before, net_after);
	ck_assert_str_eq(user_before, user_after);
	sigprocmask(SIG_SETMASK, NULL, &mask_after);
	ck_assert(sigismember(&mask_after, SIGUSR2) && !sigismember(&mask_after, SIGUSR1));
	sigaction(SIGUSR1, NULL, &old);
	ck_assert(old.sa_handler == on_signal);
	ck_assert_uint_eq(open_fds(), fds);
	abibase_profile_unref(p);
}
END_TEST

START_TEST(test_no_descriptors)
{
	struct rlimit old, none;
	struct script s = kernel_6_17;
	struct abibase_profile *p;
	struct abibase_probe *pr = new_probe(&s);

	ck_assert_int_eq(abibase_probe_add_qemu(pr, "/bin/sh"), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	p = run(pr);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_unknown(p, "tap.usable", "no-file-descriptors");
	assert_unknown(p, "vhost_net.usable", "no-file-descriptors");
	assert_json(p, "\"unknown\": \"no-file-descriptors\"", true);
	ck_assert_uint_eq(p->n_unasked, 1);
	ck_assert(said(LOG_WARNING, "probe-no-file-descriptors"));
	ck_assert(said(LOG_WARNING, "probe-qemu-no-descriptors"));
	abibase_profile_unref(p);
}
END_TEST

/* A caller that ignores SIGCHLD has its children reaped by the kernel. */
START_TEST(test_sigchld_ignored)
{
	struct script s = kernel_6_17;
	struct abibase_profile *p;

	signal(SIGCHLD, SIG_IGN);
	p = probe(&s);
	signal(SIGCHLD, SIG_DFL);
	assert_fact(p, "tap.offload.uso", ABIBASE_YES);
	abibase_profile_unref(p);
}
END_TEST

/* --------------------------------------------------------------------- QEMUs */

#define GREETING "echo '{\"QMP\": {\"version\": {}, \"capabilities\": []}}'\n"
#define QEMU_FOR(target)                                                                           \
	"#!/bin/sh\n" GREETING "while read -r line; do\n"                                          \
	"case $line in\n"                                                                          \
	"*qmp_capabilities*) echo '{\"event\": \"RESUME\"}'; echo '{\"return\": {}}' ;;\n"         \
	"*query-version*) echo '{\"return\": {\"qemu\": {\"micro\": 3, \"minor\": 1, \"major\": "  \
	"9}, \"package\": \"\"}}' ;;\n"                                                            \
	"*query-target*) echo '{\"return\": {\"arch\": \"" target "\"}}' ;;\n"                     \
	"*query-machines*) echo '{\"return\": [{\"name\": \"pc-q35-9.1\", \"alias\": \"q35\", "    \
	"\"deprecated\": false}, {\"name\": \"old\", \"deprecated\": true}]}' ;;\n"                \
	"*virtio-net-device*) echo '{\"return\": [{\"name\": \"host_uso\", \"type\": \"bool\"}, "  \
	"{\"name\": \"other\", \"type\": \"str\"}]}' ;;\n"                                         \
	"*device-list*) echo '{\"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"no\"}}' "    \
	";;\n"                                                                                     \
	"*quit*) exit 0 ;;\n"                                                                      \
	"esac\ndone\n"

static const char *program(const char *name, const char *text, mode_t mode)
{
	static char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

static struct abibase_probe *qemu_probe(void)
{
	static struct script s;
	struct abibase_probe *pr;

	s = kernel_6_17;
	pr = new_probe(&s);
	pr->qemu_timeout_ms = 10000;
	abibase_probe_set_flags(pr, ABIBASE_PROBE_NO_VALUES); /* see suite-qemu.c */
	abibase_probe_set_cache_dir(pr, NULL);
	return pr;
}

START_TEST(test_qemu)
{
	struct abibase_probe *pr = qemu_probe();
	struct abibase_profile *p;
	char link_path[PATH_MAX], text[512];
	const char *path = program("good", QEMU_FOR("x86_64"), 0755);

	snprintf(link_path, sizeof(link_path), "%s/link", dir);
	ck_assert_int_eq(symlink(path, link_path), 0);
	abibase_probe_add_qemu(pr, link_path);
	abibase_probe_add_qemu(pr, path);
	p = run(pr);
	snprintf(text, sizeof(text),
		 "{\n"
		 "      \"catalogue\": %d,\n"
		 "      \"machines\": {\n"
		 "        \"old\": {\n"
		 "          \"deprecated\": true\n"
		 "        },\n"
		 "        \"pc-q35-9.1\": {\n"
		 "          \"alias\": \"q35\"\n"
		 "        }\n"
		 "      },\n"
		 "      \"path\": \"/tmp/",
		 (int)cat->revision);
	assert_json(p, text, true);
	assert_json(p,
		    "/good\",\n"
		    "      \"properties\": {\n"
		    "        \"virtio-net-device\": {\n"
		    "          \"host_uso\": \"bool\"\n"
		    "        }\n"
		    "      },\n"
		    "      \"target\": \"x86_64\",\n"
		    "      \"version\": \"9.1.3\"\n"
		    "    }\n"
		    "  ]",
		    true);
	assert_json(p, "/link", false);
	abibase_profile_unref(p);
}
END_TEST

static const struct {
	const char *text;
	mode_t mode;
	const char *id, *words;
} bad_qemus[] = {
	{ "just text\n", 0644, "probe-qemu-not-executable", "Permission denied" },
	{ "just text\n", 0755, "probe-qemu-not-executable", "Exec format error" },
	{ "", 0755, "probe-qemu-not-executable", "Exec format error" },
	{ "#!/nonexistent/shell\n", 0755, "probe-qemu-not-executable", "No such file" },
	{ "#!/bin/sh\necho hello\nsleep 100\n", 0755, "probe-qemu-junk", "not QMP" },
	{ "#!/bin/sh\necho '{\"return\": {}}'\nsleep 100\n", 0755, "probe-qemu-junk", "not QMP" },
	{ "#!/bin/sh\necho '[1]'\nsleep 100\n", 0755, "probe-qemu-junk", "not QMP" },
	{ "#!/bin/sh\n" GREETING "echo '{}'\nsleep 100\n", 0755, "probe-qemu-junk", "not QMP" },
	{ "#!/bin/sh\n" GREETING "while read -r x; do echo '{\"return\": []}'; done\n", 0755,
	  "probe-qemu-junk", "not QMP" },
	{ "#!/bin/sh\necho first >&2\necho 'no such option' >&2\nexit 3\n", 0755, "probe-qemu-died",
	  "exited with status 3 before it had answered; it said: no such option" },
	{ "#!/bin/sh\nkill -SEGV $$\n", 0755, "probe-qemu-died", "killed by signal 11" },
	{ "#!/bin/sh\n" GREETING "read -r x\nkill -ABRT $$\n", 0755, "probe-qemu-died",
	  "killed by signal 6" },
	{ "#!/bin/sh\nexit 0\n", 0755, "probe-qemu-died", "exited with status 0" },
	{ "#!/bin/sh\nexec tr '\\0' x < /dev/zero\n", 0755, "probe-qemu-too-much", "says more" },
	{ "#!/bin/sh\n" GREETING
	  "read -r x\necho '{\"error\": {\"desc\": \"not now\"}}'\nread -r x\n",
	  0755, "probe-qemu-refused", "not now" },
};

START_TEST(test_bad_qemu)
{
	const char *preload = getenv("LD_PRELOAD");
	struct abibase_probe *pr;
	struct abibase_profile *p;

	/* valgrind runs a script whose interpreter is missing, and fails later */
	if (preload && strstr(preload, "vgpreload") && strstr(bad_qemus[_i].text, "nonexistent"))
		return;
	pr = qemu_probe();
	abibase_probe_add_qemu(pr, program("bad", bad_qemus[_i].text, bad_qemus[_i].mode));
	/* it does not keep the others from being asked */
	abibase_probe_add_qemu(pr, program("good", QEMU_FOR("x86_64"), 0755));
	p = run(pr);
	ck_assert_msg(said(LOG_WARNING, bad_qemus[_i].id), "not %s:\n%s", bad_qemus[_i].id,
		      logged.data);
	ck_assert_msg(strstr(logged.data, bad_qemus[_i].words) != NULL, "not \"%s\":\n%s",
		      bad_qemus[_i].words, logged.data);
	assert_json(p, "/good\"", true);
	/* what was there and did not answer is not "none" */
	assert_json(p, "/bad\",\n      \"unknown\": ", true);
	ck_assert_uint_eq(p->n_unasked, 1);
	abibase_profile_unref(p);
}
END_TEST

/* A hanging one is killed, and with it what it started. */
START_TEST(test_qemu_hangs)
{
	struct abibase_probe *pr = qemu_probe();
	struct abibase_profile *p;
	char text[PATH_MAX + 256], path[PATH_MAX];
	int64_t start = process_now();
	pid_t pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/pid", dir);
	/* $! would be a number of its namespace */
	snprintf(text, sizeof(text),
		 "#!/bin/sh\nsh -c 'while read -r key value; do [ $key = Pid: ] && echo $value >%s; "
		 "done </proc/self/status; exec sleep 1000' &\nwait\n",
		 path);
	abibase_probe_add_qemu(pr, program("hang", text, 0755));
	pr->qemu_timeout_ms = 1000;
	p = run(pr);
	ck_assert(said(LOG_WARNING, "probe-qemu-timeout"));
	ck_assert_int_lt(process_now() - start, 8000);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%d", &pid), 1);
	fclose(f);
	for (int i = 0; i < 200 && kill(pid, 0) == 0; i++)
		usleep(10000);
	ck_assert(kill(pid, 0) < 0 && errno == ESRCH);
	abibase_profile_unref(p);
}
END_TEST

/* Several that hang are waited for at once, and the one behind them is asked all the same. */
START_TEST(test_qemus_hang)
{
	struct abibase_probe *pr = qemu_probe();
	struct abibase_profile *p;
	char name[16];
	int64_t start = process_now();

	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "hang%d", i);
		abibase_probe_add_qemu(pr, program(name, "#!/bin/sh\nsleep 1000\n", 0755));
	}
	abibase_probe_add_qemu(pr, program("good", QEMU_FOR("x86_64"), 0755));
	pr->qemu_timeout_ms = 4000;
	p = run(pr);
	ck_assert_int_lt(process_now() - start, 9000);
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "/hang%d: ", i);
		ck_assert_msg(strstr(logged.data, name) != NULL, "not %s: %s", name, logged.data);
	}
	assert_json(p, "/good\"", true);
	abibase_profile_unref(p);
}
END_TEST

/* Where one that is slow has the others started ahead, what is behind a wrapper is told once. */
START_TEST(test_qemu_behind)
{
	struct abibase_probe *pr = qemu_probe();
	struct abibase_profile *p;
	char text[PATH_MAX + 16];

	snprintf(text, sizeof(text), "qemu = %s\n", program("good", QEMU_FOR("x86_64"), 0755));
	ck_assert_int_eq(setenv("ABIBASE_EMULATOR_CONF", program("conf", text, 0644), 1), 0);
	abibase_probe_add_qemu(pr, program("hang", "#!/bin/sh\nsleep 1000\n", 0755));
	abibase_probe_add_qemu(pr, program("abibase-emulator", "#!/bin/sh\nexit 1\n", 0755));
	pr->qemu_timeout_ms = 4000;
	p = run(pr);
	unsetenv("ABIBASE_EMULATOR_CONF");
	ck_assert(said(LOG_INFO, "probe-qemu-behind"));
	ck_assert_ptr_null(strstr(strstr(logged.data, "probe-qemu-behind") + 1,
				  "probe-qemu-behind"));
	assert_json(p, "/good\"", true);
	abibase_profile_unref(p);
}
END_TEST

START_TEST(test_qemu_other)
{
	struct abibase_probe *pr = qemu_probe();
	struct abibase_profile *p;

	abibase_probe_add_qemu(pr, program("riscv", QEMU_FOR("riscv64"), 0755));
	abibase_probe_add_qemu(pr, "/tmp");
	p = run(pr);
	ck_assert(said(LOG_WARNING, "probe-qemu-target"));
	ck_assert(said(LOG_WARNING, "probe-qemu-not-executable"));
	assert_json(p, "riscv", false);
	ck_assert_uint_eq(p->n_unasked, 1);
	abibase_profile_unref(p);

	pr = qemu_probe();
	abibase_probe_add_qemu(pr, "/nonexistent/qemu");
	ck_assert_int_eq(abibase_probe_run(pr, cat, &p), -ENOENT);
	ck_assert_str_eq(abibase_context_error_id(ctx), "probe-qemu-missing");
	ck_assert_uint_eq(shared->n, 0); /* before anything was opened */
	abibase_probe_unref(pr);
}
END_TEST

START_TEST(test_qemu_places)
{
	struct abibase_probe *pr = qemu_probe();
	struct abibase_profile *p;
	char pattern[PATH_MAX], wrapper[PATH_MAX], missing[PATH_MAX];
	const struct probe_place places[] = {
		{ missing, false },
		{ pattern, false },
		{ wrapper, true },
		{ NULL, false },
	};
	const struct probe_place nothing[] = { { missing, false }, { NULL, false } };

	snprintf(missing, sizeof(missing), "%s/missing", dir);
	snprintf(pattern, sizeof(pattern), "%s/qemu-%%s", dir);
	snprintf(wrapper, sizeof(wrapper), "%s", program("kvm", QEMU_FOR("x86_64"), 0755));
	program("qemu-x86_64", QEMU_FOR("x86_64"), 0755);
	pr->places = places;
	p = run(pr);
	assert_json(p, "/qemu-x86_64\"", true);
	assert_json(p, "/kvm\"", false);
	abibase_profile_unref(p);

	pr = qemu_probe();
	pr->places = nothing;
	p = run(pr);
	assert_json(p, "\"qemu\": []", true);
	ck_assert(said(LOG_NOTICE, "probe-qemu-none"));
	abibase_profile_unref(p);
}
END_TEST

/* A caller with closed stdio gets descriptors 0 to 2 for its pipes. */
START_TEST(test_closed_stdio)
{
	struct abibase_probe *pr = qemu_probe();
	struct abibase_profile *p;
	int saved[3];

	abibase_probe_add_qemu(pr, program("good", QEMU_FOR("x86_64"), 0755));
	for (int fd = 0; fd < 3; fd++) {
		saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
		close(fd);
	}
	p = run(pr);
	for (int fd = 0; fd < 3; fd++)
		if (saved[fd] >= 0) {
			dup2(saved[fd], fd);
			close(saved[fd]);
		}
	assert_json(p, "\"version\": \"9.1.3\"", true);
	assert_fact(p, "tap.usable", ABIBASE_YES);
	abibase_profile_unref(p);
}
END_TEST

START_TEST(test_build_id)
{
	static const unsigned char cut[] = "\177ELF\2\1\1";
	char *id;

	ck_assert_ptr_null(probe_build_id("/nonexistent"));
	ck_assert_ptr_null(probe_build_id("/dev/null"));
	ck_assert_ptr_null(probe_build_id(program("text", "text", 0644)));
	ck_assert_ptr_null(probe_build_id(program("cut", (const char *)cut, 0644)));
	id = probe_build_id("/proc/self/exe");
	/* compilers may be told to write none */
	for (const char *c = id; c && *c; c++)
		ck_assert_ptr_nonnull(strchr("0123456789abcdef", *c));
	free(id);
}
END_TEST

Suite *suite_probe(void)
{
	Suite *suite = suite_create("probe");
	TCase *t = tcase_create("devices");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_words);
	tcase_add_test(t, test_cancel);
	tcase_add_test(t, test_kernels);
	tcase_add_test(t, test_calls);
	tcase_add_test(t, test_unprivileged);
	tcase_add_test(t, test_no_napi);
	tcase_add_loop_test(t, test_open_fails, 0, ARRAY_SIZE(open_failures));
	tcase_add_test(t, test_namespace_fails);
	tcase_add_test(t, test_remedies);
	tcase_add_test(t, test_questions_fail);
	tcase_add_test(t, test_child_dies);
	tcase_add_test(t, test_only_and_skip);
	tcase_add_loop_test(t, test_vhost_others, 0, ARRAY_SIZE(open_failures));
	tcase_add_test(t, test_vdpa);
	tcase_add_test(t, test_macvtap_calls);
	tcase_add_loop_test(t, test_macvtap_fails, 0, ARRAY_SIZE(link_failures));
	tcase_add_test(t, test_macvtap_rights);
	tcase_add_test(t, test_ebpf);
	tcase_add_test(t, test_params);
	tcase_add_test(t, test_valid);
	tcase_add_test(t, test_report);
	tcase_add_loop_test(t, test_presence, 0, ARRAY_SIZE(presences));
	tcase_add_loop_test(t, test_no_load, 0, ARRAY_SIZE(presences));
	tcase_add_test(t, test_loaded_modules);
	tcase_add_test(t, test_module_index);
	tcase_add_test(t, test_names);
	tcase_add_test(t, test_caller_unchanged);
	tcase_add_test(t, test_no_descriptors);
	tcase_add_test(t, test_sigchld_ignored);
	suite_add_tcase(suite, t);

	t = tcase_create("qemu");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_qemu);
	tcase_add_loop_test(t, test_bad_qemu, 0, ARRAY_SIZE(bad_qemus));
	tcase_add_test(t, test_qemu_hangs);
	tcase_add_test(t, test_qemus_hang);
	tcase_add_test(t, test_qemu_behind);
	tcase_add_test(t, test_qemu_other);
	tcase_add_test(t, test_qemu_places);
	tcase_add_test(t, test_closed_stdio);
	tcase_add_test(t, test_build_id);
	suite_add_tcase(suite, t);
	return suite;
}
