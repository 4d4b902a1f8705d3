/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Answers as JSON; why a surface is unknown, in words for people, and what to do about it. */

#include <string.h>
#include <syslog.h>

#include "base/context.h"
#include "document/json.h"
#include "probe/probe.h"

static const char *const reason_words[] = {
	[REASON_NO_NODE] = "no-device-node",
	[REASON_NO_PERMISSION] = "no-permission",
	[REASON_NOT_LOADED] = "not-loaded",
	[REASON_NO_DEVICE] = "no-device",
	[REASON_NO_NAMESPACE] = "no-namespace",
	[REASON_NO_DESCRIPTORS] = "no-file-descriptors",
	[REASON_REFUSED] = "refused",
	[REASON_NO_MODULE_INDEX] = "no-module-index",
	[REASON_NOT_ASKED] = "not-asked",
};

static json_t *word_json(const struct probe_answer *a, unsigned int bits)
{
	return bits == 128 ? json_word(a->word) :
			     json_sprintf("0x%0*llx", (int)bits / 4,
					  (unsigned long long)a->word[0]);
}

json_t *probe_answer_json(const struct probe_answer *a, unsigned int bits)
{
	switch (a->kind) {
	case FACT_FALSE:
		return json_false();
	case FACT_TRUE:
		return json_true();
	case FACT_WORD:
		return word_json(a, bits);
	case FACT_INT:
		return json_integer((json_int_t)a->word[0]);
	default:
		if (a->reason != REASON_ERROR)
			return json_pack("{s:s}", "unknown", reason_words[a->reason]);
		return json_pack("{s:o}", "unknown",
				 json_sprintf("error-%s", probe_errno_name(a->err)));
	}
}

/* What no answer depends on is told to those who asked for it, or who want to know everything. */
int warn_level(const struct abibase_probe *pr, const struct probe_surface *s)
{
	return s->aside && !probe_named(pr, s->option) ? LOG_INFO : LOG_WARNING;
}

/*
 * The first row that fits is said; what is 0 fits always. In a text, %s is the surface, %n its
 * node, %m its module, %l the node that it lies on, %e the error, %d the numbers of its driver.
 */
static const struct words {
	enum probe_step step;
	enum probe_reason reason;
	const char *id, *text;
	int err[2];
	bool root, driver; /* asked by root; the driver is there */
} table[] = {
	{ .reason = REASON_NO_DESCRIPTORS, .id = "probe-no-file-descriptors",
	  "%n: no file descriptor is left (%e); raise the limit (ulimit -n, or fs.file-max) and "
	  "probe again" },
	/* root needs no user namespace: what helps others is no help to him */
	{ STEP_NAMESPACE, .id = "probe-namespace-limit",
	  "%n: the limit of namespaces is reached (%e), so no throw-away tap can be made; raise "
	  "the sysctl user.max_net_namespaces",
	  .err = { ENOSPC, EUSERS }, .root = true },
	{ STEP_NAMESPACE, .id = "probe-namespace-limit",
	  "%n: the limit of namespaces is reached (%e), so no throw-away tap can be made; raise "
	  "the sysctls user.max_net_namespaces and user.max_user_namespaces, or probe as root",
	  .err = { ENOSPC, EUSERS } },
	{ STEP_NAMESPACE, .id = "probe-namespace-refused",
	  "%n: a new namespace is refused, so no throw-away tap can be made; give the container "
	  "CAP_SYS_ADMIN and CAP_NET_ADMIN and allow unshare(2) in its seccomp filter, or probe "
	  "outside",
	  .err = { EPERM }, .root = true },
	{ STEP_NAMESPACE, .id = "probe-namespace-refused",
	  "%n: a new namespace is refused, so no throw-away tap can be made; probe as root, or "
	  "set the sysctl kernel.unprivileged_userns_clone=1; in a container its seccomp filter "
	  "refuses it",
	  .err = { EPERM } },
	{ STEP_NAMESPACE, .id = "probe-namespace-failed",
	  "%n: cannot make a namespace for a throw-away tap: %e; probe on a kernel with network "
	  "namespaces",
	  .root = true },
	{ STEP_NAMESPACE, .id = "probe-namespace-failed",
	  "%n: cannot make a namespace for a throw-away tap: %e; probe as root, on a kernel "
	  "with network namespaces" },
	{ STEP_CAPABILITIES, .id = "probe-capabilities",
	  "%n: not asked, because the asking process cannot give up its rights: %e" },
	{ STEP_RIGHTS, .id = "probe-needs-root",
	  "%s: to make one and a node for it takes root outside of any user namespace "
	  "(CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_MKNOD); probe as root" },
	{ STEP_LOWER, .id = "probe-no-lower-device",
	  "%s: the tap that it would lie on cannot be made (%l: %e); see what is said of tap" },
	{ STEP_LINK, .id = "probe-link-failed",
	  "%s: none can be made: %e; see what `modprobe %m` says" },
	{ STEP_NODE, .id = "probe-node-failed",
	  "%s: one can be made but not opened, for a node in a private /dev: %e; probe as root, "
	  "outside of containers" },
	{ STEP_OPEN, REASON_NOT_LOADED, .id = "probe-not-loaded",
	  "%n: its module is not loaded, so %s is unknown; load it with `modprobe %m` and probe "
	  "again" },
	{ STEP_OPEN, REASON_NO_MODULE_INDEX, .id = "probe-no-module-index",
	  "%n: there is no such node, and the module index of the running kernel cannot be "
	  "read, so nothing tells whether it can have %s; load the module with `modprobe %m`, "
	  "or probe where /lib/modules of this kernel can be read" },
	/* then only the node is missing, and modprobe makes none */
	{ STEP_OPEN, REASON_NO_NODE, .id = "probe-no-device-node",
	  "%n: there is no such node here, although the kernel has the driver; in a container, "
	  "pass the node in; on a host, create it with `mknod %n c %d`",
	  .driver = true },
	{ STEP_OPEN, REASON_NO_NODE, .id = "probe-no-device-node",
	  "%n: there is no such node here, although the kernel may have the device; in a "
	  "container, pass the node in; on a host, create it with `modprobe %m`" },
	{ STEP_OPEN, REASON_NO_DEVICE, .id = "probe-no-device",
	  "%n: the node exists but no driver answers (%e): the module cannot be loaded; see "
	  "what `modprobe %m` says" },
	{ STEP_OPEN, REASON_NO_PERMISSION, .id = "probe-no-permission",
	  "%n: no permission to open it; probe as root, or as a user whom the mode and group of "
	  "the node admit" },
	{ STEP_OPEN, REASON_REFUSED, .id = "probe-device-refused",
	  "%n: opening it is refused (%e) whatever its mode is: the device cgroup or a seccomp "
	  "filter of this container denies it; allow the device there or probe outside" },
	{ STEP_OPEN, .id = "probe-open-failed",
	  "%n: cannot open it: %e" },
	{ STEP_FEATURES, .id = "probe-no-answer",
	  "%n: it opens but does not answer (%e): it is another device, or a seccomp filter "
	  "refuses to ask; probe outside of the container" },
	{ STEP_ATTACH, .id = "probe-tap-refused",
	  "%n: making a tap is refused even in a user namespace of its own; probe as root, or "
	  "allow it with the sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu)",
	  .err = { EPERM } },
	{ STEP_ATTACH, .id = "probe-tap-failed",
	  "%n: cannot make a tap: %e" },
	{ STEP_CHILD, .id = "probe-timeout",
	  "%n: no answer in time; the process that asked was killed; see the kernel's log and "
	  "probe again",
	  .err = { ETIMEDOUT } },
	{ STEP_CHILD, .id = "probe-killed-by-filter",
	  "%n: the process that asked was killed by a seccomp filter; probe outside of this "
	  "container",
	  .err = { ENOSYS } },
	{ STEP_CHILD, .id = "probe-child-died",
	  "%n: the process that asked died before it was done (%e); probe again" },
};

/* "10 200", of a driver that is there; "": of none */
static void driver_numbers(struct abibase_probe *pr, const struct probe_surface *s, char ret[32])
{
	_buf_ path = { 0 }, text = { 0 };
	unsigned int major, minor;

	*ret = '\0';
	buf_printf(&path, "/sys/class/misc/%s/dev", s->misc ? s->misc : "");
	if (s->misc && !buf_failed(&path) &&
	    pr->ops->read_file(pr->ops_data, path.data, &text) == 0 && text.data &&
	    sscanf(text.data, "%u:%u", &major, &minor) == 2)
		snprintf(ret, 32, "%u %u", major, minor);
}

static bool fits(const struct words *w, enum probe_step step, enum probe_reason reason, int err,
		 bool root, bool driver)
{
	return (!w->step || w->step == step) && (!w->reason || w->reason == reason) &&
	       (!w->err[0] || w->err[0] == err || (err && w->err[1] == err)) &&
	       (!w->root || root) && (!w->driver || driver);
}

static const char *word(const struct probe_surface *s, char letter, int err, const char *numbers)
{
	switch (letter) {
	case 's':
		return s->name;
	case 'n':
		return s->node;
	case 'm':
		return s->module;
	case 'l':
		return s->lower->node;
	case 'd':
		return numbers;
	default:
		return strerror(err);
	}
}

void warn_surface(struct abibase_probe *pr, const struct probe_surface *s, enum probe_step step,
		  enum probe_reason reason, int err)
{
	bool root = pr->ops->euid(pr->ops_data) == 0;
	const struct words *w = table;
	char numbers[32] = "";
	_buf_ out = { 0 };

	step = step == STEP_NONE ? STEP_OPEN : step == STEP_FORK ? STEP_CHILD : step;
	if (step == STEP_OPEN && reason == REASON_NO_NODE)
		driver_numbers(pr, s, numbers);
	while (!fits(w, step, reason, err, root, *numbers))
		w++;
	for (const char *p = w->text; *p; p++)
		if (*p == '%')
			buf_puts(&out, word(s, *++p, err, numbers));
		else
			buf_putc(&out, *p);
	if (!buf_failed(&out))
		context_log(pr->ctx, warn_level(pr, s), w->id, "%s", out.data);
}

void warn_facts(struct abibase_probe *pr, const struct probe_surface *s,
		const struct probe_said *f)
{
	struct abibase_context *ctx = pr->ctx;

	for (size_t i = 0; i < s->n_facts; i++) {
		const struct probe_answer *a = &f->facts[i];

		if (a->kind != FACT_UNKNOWN)
			continue;
		/* The one that an ordinary user can never have; no answer depends on it. */
		if (a->reason == REASON_NO_PERMISSION && streq(s->facts[i].id, "tap.napi_frags"))
			context_log(ctx, LOG_INFO, "probe-napi-frags",
				    "%s: %s is unknown: it takes CAP_NET_ADMIN in the initial user "
				    "namespace; probe as root for it",
				    s->node, s->facts[i].id);
		else
			context_log(ctx, warn_level(pr, s), "probe-fact-unknown",
				    "%s: %s is unknown: asking failed with %s; probe again%s",
				    s->node, s->facts[i].id, strerror(a->err),
				    a->reason == REASON_NO_DESCRIPTORS ?
					    " with a higher limit of open files (ulimit -n)" :
				    a->reason == REASON_NO_PERMISSION ? " as root" :
									"");
	}
}

void probe_tell(const struct abibase_probe *pr, const char *what)
{
	context_step(pr->ctx, "asking %s", what);
	if (pr->progress)
		pr->progress(pr->progress_data, what);
}
