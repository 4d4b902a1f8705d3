/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ask this host what it has. Each surface is asked in a forked child of its own that has no
 * capability but those that its questions take, and, where a network device is made, a network
 * namespace of its own; the caller is left as it is, and one failure leaves the others standing.
 *
 * What "usable" becomes, first row that fits:
 *
 *   the node opens and answers                                     true
 *   not registered, and the kernel cannot gain it (1)              false
 *   left out, or on request and not asked for                      unknown  not-asked
 *   --no-load, and not registered                                  unknown  not-loaded
 *   no pipe or no descriptor left (EMFILE, ENFILE)                 unknown  no-file-descriptors
 *   no namespace                                                   unknown  no-namespace
 *   open: ENOENT, not registered, the index has the module         unknown  not-loaded
 *   open: ENOENT, not registered, the index cannot be read         unknown  no-module-index
 *   open: ENOENT                                                   unknown  no-device-node
 *   open: ENODEV, ENXIO; making a macvtap: EOPNOTSUPP              unknown  no-device
 *   open: EACCES; TUNSETIFF, RTM_NEWLINK, mknod, bpf: EPERM        unknown  no-permission
 *   a macvtap, and not all rights in the initial namespaces        unknown  no-permission
 *   open or the first question: EPERM, ENOSYS; killed by SIGSYS    unknown  refused
 *   anything else                                                  unknown  error-ERRNONAME
 *
 * (1) /proc/misc can be read and does not list it (macvtap, ipvtap, vhost-vdpa: nor /proc/devices),
 *     and the module index of the running kernel can be read and has it neither as a file nor as
 *     built in, or the kernel has no loadable modules.
 *
 * host.ebpf_rss is no device: it is false where the kernel says ENOSYS or EINVAL.
 */

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <syslog.h>

#include "base/context.h"
#include "document/baseline.h"
#include "base/process.h"
#include "document/json.h"
#include "probe/probe.h"
#include "document/profile.h"

#define DEVICE_TIMEOUT_MS 30000
#define QEMU_TIMEOUT_MS 20000
#define REAP_MS 5000

/* -------------------------------------------------------------- one surface */

/*
 * A child closes what it has opened when it has answered. The kernel makes it wait for that, and meanwhile
 * other things are asked; but nobody who comes after this probe finds a child of it or a device in use.
 */
static void reap_answered(struct abibase_probe *pr)
{
	int64_t deadline = process_now() + REAP_MS;

	while (pr->n_answered)
		process_reap(pr->answered[--pr->n_answered], deadline);
}

static void reap_later(struct abibase_probe *pr, pid_t pid)
{
	if (pr->n_answered == ARRAY_SIZE(pr->answered))
		reap_answered(pr);
	pr->answered[pr->n_answered++] = pid;
}

/* 0, or what fork(2) says; all else is a finding. */
static int ask_surface(struct abibase_probe *pr, const struct probe_surface *s,
		       struct probe_said *f)
{
	struct probe_child c = {
		.ops = pr->ops, .ops_data = pr->ops_data, .surface = s, .node = s->node
	};
	_autoclose_ int in = -1, out = -1;
	int fds[2], r, status;
	int64_t deadline;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0) {
		f->step = STEP_FORK;
		f->err = errno;
		return 0;
	}
	in = fds[0];
	out = fds[1];
	c.fd = out;
	deadline = process_now() + pr->device_timeout_ms;
	pid = process_fork();
	if (pid == 0)
		child_run(&c, pr->device_timeout_ms);
	if (pid < 0)
		return context_fail(pr->ctx, errno, "probe-fork", s->node,
				    "cannot start the process that asks %s: %s", s->node,
				    strerror(errno));
	close(out);
	out = -1;
	r = child_read(s, in, deadline, &pr->stop, f);
	if (f->done) {
		reap_later(pr, pid);
		return 0;
	}
	if (r < 0)
		kill(pid, SIGKILL);
	status = process_reap(pid, process_now() + REAP_MS);
	f->step = STEP_CHILD;
	f->err = r < 0 ? ETIMEDOUT : EIO;
	if (r == 0 && status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		f->err = ENOSYS;
	return 0;
}

/* Why a surface that failed is unknown: the table at the top of this file. */
static enum probe_reason surface_reason(enum presence presence, enum probe_step step, int err)
{
	enum probe_reason reason = child_reason(step, err);

	if (step == STEP_OPEN && reason == REASON_NO_NODE && presence == LOADABLE)
		return REASON_NOT_LOADED;
	if (step == STEP_OPEN && reason == REASON_NO_NODE && presence == NO_INDEX)
		return REASON_NO_MODULE_INDEX;
	return reason;
}

static void set_all_unknown(const struct probe_surface *s, struct probe_said *f,
			    enum probe_reason reason, int err)
{
	for (size_t i = 0; i < s->n_facts; i++) {
		if (f->facts[i].kind != FACT_NONE)
			continue; /* it was answered before the rest failed */
		f->facts[i].kind = FACT_UNKNOWN;
		f->facts[i].reason = reason;
		f->facts[i].err = err;
	}
}

static void conclude(struct abibase_probe *pr, const struct probe_surface *s,
		     enum presence presence, struct probe_said *f)
{
	enum probe_reason reason;
	bool opened;

	if (f->done && f->step == STEP_NONE) {
		set_all_unknown(s, f, REASON_ERROR, EIO);
		warn_facts(pr, s, f);
		return;
	}
	/* A node that opened, whatever came of it, is there. */
	opened = f->step == STEP_FEATURES || f->step == STEP_ATTACH || f->step == STEP_CHILD ||
		 f->step == STEP_NODE;
	if (presence == ABSENT && !opened) {
		f->facts[0].kind = FACT_FALSE;
		context_log(pr->ctx, LOG_INFO, "probe-absent",
			    "%s: this kernel does not have it and cannot load it", s->node);
		return;
	}
	reason = surface_reason(presence, f->step, f->err);
	set_all_unknown(s, f, reason, f->err);
	warn_surface(pr, s, f->step, reason, f->err);
}

/*
 * Whether a module is loaded shows in /proc/misc; where that cannot be read nothing is opened
 * unless the index calls it built in.
 */
static int probe_one(struct abibase_probe *pr, const struct probe_surface *s,
		     const struct probe_modules *m, const char *release, struct probe_said *f)
{
	enum presence presence = probe_presence(pr, m, s, release);
	bool load = presence != PRESENT ||
		    (s->lower && probe_presence(pr, m, s->lower, release) != PRESENT);
	int r;

	if (pr->no_load && load) {
		if (presence == ABSENT) {
			f->step = STEP_OPEN;
			f->err = ENOENT;
			conclude(pr, s, presence, f);
			return 0;
		}
		set_all_unknown(s, f, REASON_NOT_LOADED, 0);
		warn_surface(pr, s, STEP_OPEN, REASON_NOT_LOADED, 0);
		return 0;
	}
	r = ask_surface(pr, s, f);
	if (r == 0)
		conclude(pr, s, presence, f);
	return r;
}

/* ------------------------------------------------------------- the profile */

static int add_facts(json_t *facts, const struct probe_surface *s, const struct probe_said *f)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_facts; i++)
		if (f->facts[i].kind != FACT_NONE)
			r = json_put(facts, s->facts[i].id,
				     probe_answer_json(&f->facts[i], s->facts[i].bits));
	return r;
}

static json_t *caps_json(unsigned int caps)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; i < N_PROBE_CAPS; i++)
		if (caps & probe_capabilities[i].bit &&
		    json_add(list, json_string(probe_capabilities[i].name)) < 0)
			return NULL;
	return steal(&list);
}

/* With which rights and in what sandbox the taps were made. */
static json_t *sandbox_json(struct abibase_probe *pr, const struct probe_said *tap,
			    const struct strings *loaded)
{
	json_auto_t *modules = json_array();
	unsigned int missing = 0;

	for (size_t i = 0; i < loaded->n; i++)
		if (json_add(modules, json_string(loaded->s[i])) < 0)
			return NULL;
	if (tap->sandboxed)
		missing = (PROBE_CAP_NET_ADMIN | PROBE_CAP_SYS_ADMIN) & ~tap->held;
	return json_pack("{s:I, s:b, s:b, s:o, s:o, s:b, s:O}", "euid",
			 (json_int_t)pr->ops->euid(pr->ops_data), "user_namespace", tap->user_ns,
			 "network_namespace", tap->net_ns, "capabilities", caps_json(tap->kept),
			 "missing_capabilities", caps_json(missing), "no_load", pr->no_load,
			 "loaded_modules", modules);
}

/*
 * What opening this surface's node loaded. The list of modules is compared, not who asked for
 * them: one that something else loads in the same instant is named too.
 */
static int find_loaded(struct abibase_probe *pr, const struct probe_surface *s,
		       const struct probe_modules *before, struct strings *loaded)
{
	_modules_ after = { 0 };
	int r;

	if (pr->no_load)
		return 0; /* nothing was opened whose module was not loaded */
	r = probe_modules_read(pr, &after);
	for (size_t i = 0; r == 0 && s->modules && s->modules[i]; i++) {
		const char *name = s->modules[i];
		bool is_new =
			probe_module_loaded(&after, name) && !probe_module_loaded(before, name);

		/* /proc/modules hidden: the device has appeared in /proc/misc */
		if (s->misc && streq(name, s->module) && before->have_misc &&
		    !before->have_loaded && !before->no_modules)
			is_new = probe_misc_lists(&after, s->misc) &&
				 !probe_misc_lists(before, s->misc);
		if (!is_new || strings_have(loaded, name))
			continue;
		r = strings_insert(loaded, name);
		if (r == 0)
			context_log(pr->ctx, LOG_NOTICE, "probe-module-loaded",
				    "%s %s loaded the module %s, as starting a guest would; "
				    "--no-load leaves it alone",
				    s->run ? "making a" : "opening", s->node, name);
	}
	return r;
}

/* Ask one surface and add what it said to @facts. */
static int probe_surface(struct abibase_probe *pr, const struct probe_surface *s,
			 const char *release, json_t *facts, struct strings *loaded,
			 struct probe_said *f)
{
	_modules_ before = { 0 };
	int r = probe_modules_read(pr, &before);

	if (r == 0)
		r = probe_one(pr, s, &before, release, f);
	if (r == 0)
		r = add_facts(facts, s, f);
	if (r == 0)
		r = find_loaded(pr, s, &before, loaded);
	return r;
}

/*
 * Without any device nothing is asked, and the kernel may still gain one at any time. @err: 0, or
 * why /dev cannot be searched.
 */
static int no_vdpa(struct abibase_probe *pr, const char *release, int err, struct probe_said *f)
{
	const struct probe_surface *s = &probe_vhost_vdpa;
	_modules_ m = { 0 };
	enum presence presence;
	int r = probe_modules_read(pr, &m);

	presence = r < 0 ? NOT_VISIBLE : probe_presence(pr, &m, s, release);
	if (presence == ABSENT) {
		f->step = STEP_OPEN;
		conclude(pr, s, presence, f);
		return r;
	}
	if (err) {
		set_all_unknown(s, f, child_reason(STEP_OPEN, err), err);
		warn_surface(pr, s, STEP_OPEN, child_reason(STEP_OPEN, err), err);
		return r;
	}
	set_all_unknown(s, f, surface_reason(presence, STEP_OPEN, ENOENT), ENOENT);
	context_log(pr->ctx, warn_level(pr, s), "probe-no-vdpa-device",
		    "%s: there is no such device now; one appears when a vDPA device is bound to "
		    "vhost_vdpa",
		    s->node);
	return r;
}

/* Usable when one device answers. Otherwise unknown, for the reason of the first. */
static int probe_vdpa(struct abibase_probe *pr, const char *release, json_t *facts,
		      struct strings *loaded)
{
	struct probe_said all = { 0 };
	unsigned int numbers[VDPA_MAX];
	int n = probe_vdpa_find(pr->ops, pr->ops_data, numbers, VDPA_MAX), r = n;

	if (n <= 0 && n != -ENOMEM)
		r = no_vdpa(pr, release, -n, &all);
	for (int i = 0; r >= 0 && i < n; i++) {
		struct probe_said f = { 0 };
		struct vdpa_device d;

		probe_vdpa_device(&d, numbers[i]);
		r = probe_surface(pr, &d.surface, release, facts, loaded, &f);
		if (all.facts[0].kind == FACT_NONE || f.facts[0].kind == FACT_WORD)
			all.facts[0] = f.facts[0];
	}
	if (all.facts[0].kind == FACT_WORD)
		all.facts[0].kind = FACT_TRUE;
	return r < 0 ? r : add_facts(facts, &probe_vhost_vdpa, &all);
}

static int probe_parameters(struct abibase_probe *pr, const char *release, json_t *facts)
{
	_modules_ m = { 0 };
	int r = probe_wants(pr, "params") ? probe_modules_read(pr, &m) : 0;

	return r == 0 ? probe_params(pr, &m, release, facts) : r;
}

/* One surface, if it is to be asked. */
static int probe_wanted(struct abibase_probe *pr, const struct probe_surface *s,
			const char *release, json_t *facts, struct strings *loaded,
			struct probe_said *f)
{
	memset(f, 0, sizeof(*f));
	if (!probe_wants(pr, s->option)) {
		set_all_unknown(s, f, REASON_NOT_ASKED, 0);
		return add_facts(facts, s, f);
	}
	if (process_stopped(&pr->stop))
		return -ECANCELED;
	probe_tell(pr, s->option);
	if (s == &probe_vhost_vdpa)
		return probe_vdpa(pr, release, facts, loaded);
	return probe_surface(pr, s, release, facts, loaded, f);
}

static int probe_devices(struct abibase_probe *pr, const char *release, json_t *facts,
			 json_t **ret_sandbox)
{
	static const struct probe_surface *const others[] = { &probe_vhost_vdpa, &probe_ebpf,
							      &probe_macvtap, &probe_ipvtap };
	struct strings loaded = { 0 };
	struct probe_said tap = { 0 }, f;
	int r = probe_wanted(pr, &probe_tap, release, facts, &loaded, &tap);

	for (const struct probe_surface *s = probe_vhosts; r == 0 && s->name; s++)
		r = probe_wanted(pr, s, release, facts, &loaded, &f);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(others); i++)
		r = probe_wanted(pr, others[i], release, facts, &loaded, &f);
	/* after what loads their module */
	if (r == 0)
		r = probe_parameters(pr, release, facts);
	*ret_sandbox = r == 0 ? sandbox_json(pr, &tap, &loaded) : NULL;
	strings_clear(&loaded);
	return r < 0 || *ret_sandbox ? r : -ENOMEM;
}

/* Left out when it cannot be read: it says only whether two profiles are of one boot. */
static int add_boot_id(struct abibase_probe *pr, json_t *root)
{
	_buf_ id = { 0 };
	int r = pr->ops->read_file(pr->ops_data, "/proc/sys/kernel/random/boot_id", &id);

	if (r == -ENOMEM)
		return r;
	while (r >= 0 && id.len && id.data[id.len - 1] == '\n')
		id.len--;
	if (r < 0 || !id.len || id.len > 64)
		return 0;
	return json_put(root, "boot_id", json_stringn(id.data, id.len));
}

static int build(struct abibase_probe *pr, const struct abibase_catalogue *cat,
		 const struct utsname *un, const char *name, json_t **ret)
{
	json_auto_t *root = NULL, *facts = json_object(), *sandbox = NULL;
	json_t *qemu = NULL;
	int r = facts ? probe_devices(pr, un->release, facts, &sandbox) : -ENOMEM;

	if (r < 0)
		return r;
	root = json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:O, s:O}", "schema",
			 "abibase-profile/1", "kind", "host", "name", name, "arch", un->machine,
			 "kernel", "release", un->release, "version", un->version, "facts", facts,
			 "probe", sandbox);
	if (!root)
		return -ENOMEM;
	r = add_boot_id(pr, root);
	if (r == 0 && !pr->no_qemu && probe_wants(pr, "qemu")) {
		r = probe_qemu_run(pr, cat, un->machine, &qemu);
		if (r == 0)
			r = json_put(root, "qemu", qemu);
	}
	if (r == 0)
		*ret = steal(&root);
	return r;
}

/* -------------------------------------------------------------- public API */

ABIBASE_EXPORT int abibase_probe_new(struct abibase_context *ctx, struct abibase_probe **ret)
{
	struct abibase_probe *pr = calloc(1, sizeof(*pr));

	if (!pr)
		return context_oom(ctx);
	pr->ctx = abibase_context_ref(ctx);
	pr->ops = &probe_real_ops;
	pr->device_timeout_ms = DEVICE_TIMEOUT_MS;
	pr->qemu_timeout_ms = QEMU_TIMEOUT_MS;
	pr->cache_dir = probe_cache_default();
	*ret = pr;
	return 0;
}

ABIBASE_EXPORT struct abibase_probe *abibase_probe_unref(struct abibase_probe *pr)
{
	if (!pr)
		return NULL;
	strings_clear(&pr->qemu);
	strings_clear(&pr->machine);
	free(pr->builds_dir);
	free(pr->cache_dir);
	free(pr->name);
	abibase_context_unref(pr->ctx);
	free(pr);
	return NULL;
}

ABIBASE_EXPORT int abibase_probe_set_name(struct abibase_probe *pr, const char *name)
{
	if (!name_valid(name))
		return context_fail(pr->ctx, EINVAL, "probe-bad-name", NULL,
				    "\"%s\" cannot be the name of a profile: up to 255 letters, "
				    "digits and . _ + -, the first a letter or digit",
				    name);
	return context_replace(pr->ctx, &pr->name, name);
}

ABIBASE_EXPORT void abibase_probe_set_flags(struct abibase_probe *pr, unsigned int flags)
{
	pr->no_load = flags & ABIBASE_PROBE_NO_LOAD;
	pr->no_qemu = flags & ABIBASE_PROBE_NO_QEMU;
	pr->no_values = flags & ABIBASE_PROBE_NO_VALUES;
	pr->sizes = flags & ABIBASE_PROBE_SIZES;
	pr->observe = flags & ABIBASE_PROBE_OBSERVE;
	pr->anonymous = flags & ABIBASE_PROBE_ANONYMOUS;
}

ABIBASE_EXPORT int abibase_probe_add_qemu(struct abibase_probe *pr, const char *path)
{
	return strings_add(&pr->qemu, path) < 0 ? context_oom(pr->ctx) : 0;
}

ABIBASE_EXPORT int abibase_probe_add_machine(struct abibase_probe *pr, const char *machine)
{
	if (!name_valid(machine))
		return context_fail(pr->ctx, EINVAL, "probe-bad-machine", NULL,
				    "\"%s\" cannot be the name of a machine type", machine);
	return strings_add(&pr->machine, machine) < 0 ? context_oom(pr->ctx) : 0;
}

ABIBASE_EXPORT int abibase_probe_set_builds_dir(struct abibase_probe *pr, const char *dir)
{
	return context_replace(pr->ctx, &pr->builds_dir, dir);
}

ABIBASE_EXPORT int abibase_probe_for_baseline(struct abibase_probe *pr,
					      const struct abibase_catalogue *cat,
					      const struct abibase_baseline *b)
{
	probe_choose(pr, cat, b);
	return b->machine ? abibase_probe_add_machine(pr, b->machine) : 0;
}

ABIBASE_EXPORT int abibase_probe_set_cache_dir(struct abibase_probe *pr, const char *dir)
{
	return context_replace(pr->ctx, &pr->cache_dir, dir);
}

ABIBASE_EXPORT void abibase_probe_set_progress(struct abibase_probe *pr, abibase_progress_fn fn,
					       void *data)
{
	pr->progress = fn;
	pr->progress_data = data;
}

ABIBASE_EXPORT void abibase_probe_set_timeout(struct abibase_probe *pr, unsigned int timeout_ms)
{
	pr->timeout_ms = timeout_ms;
}

ABIBASE_EXPORT void abibase_probe_cancel(struct abibase_probe *pr)
{
	if (pr)
		__atomic_store_n(&pr->stop.asked, true, __ATOMIC_RELEASE);
}

/* At the end, for the QEMUs are asked by their paths. */
static void make_anonymous(json_t *root)
{
	json_t *qemu;
	size_t i;

	json_object_del(root, "boot_id");
	json_array_foreach(json_object_get(root, "qemu"), i, qemu)
		json_object_del(qemu, "path");
}

static int ask_all(struct abibase_probe *pr, struct abibase_catalogue *cat,
		   const struct utsname *un, const char *name, json_t **ret)
{
	int r = build(pr, cat, un, name, ret);

	reap_answered(pr);
	if (r == 0 && pr->observe)
		r = probe_observe(pr, cat, name, *ret);
	if (r == -ENOMEM)
		return context_oom(pr->ctx);
	/* a profile with holes in it would be taken for the host */
	if (__atomic_exchange_n(&pr->stop.asked, false, __ATOMIC_ACQ_REL))
		return context_fail(pr->ctx, ECANCELED, "probe-cancelled", NULL,
				    "the probe was cancelled");
	if (process_stopped(&pr->stop))
		return context_fail(pr->ctx, ETIMEDOUT, "probe-too-long", NULL,
				    "the probe took more than the %u ms that it was given",
				    pr->timeout_ms);
	return r;
}

ABIBASE_EXPORT int abibase_probe_run(struct abibase_probe *pr, struct abibase_catalogue *cat,
				     struct abibase_profile **ret)
{
	const char *name = pr->name;
	json_t *root = NULL;
	struct utsname un;
	int r = pr->ops->uname(pr->ops_data, &un);

	if (r < 0)
		return context_fail(pr->ctx, -r, "probe-uname", NULL, "uname: %s", strerror(-r));
	if (!name)
		name = pr->anonymous ? "anonymous" : un.nodename;
	if (!name_valid(name))
		return context_fail(
			pr->ctx, EINVAL, "probe-bad-name", NULL,
			"the host name \"%s\" cannot be the name of a profile; give one "
			"with --name",
			name);
	if (!pr->no_qemu && probe_wants(pr, "qemu")) {
		r = probe_qemu_check(pr);
		if (r < 0)
			return r;
	}
	pr->stop.deadline = pr->timeout_ms ? process_now() + pr->timeout_ms : 0;
	r = ask_all(pr, cat, &un, name, &root);
	if (r < 0) {
		json_decref(root);
		return r;
	}
	if (pr->anonymous)
		make_anonymous(root);
	return profile_from_json(pr->ctx, root, name, ret);
}
