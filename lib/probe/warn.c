/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Why a surface is unknown, in words for people, and what to do about it. */

#include <string.h>
#include <syslog.h>

#include "base/context.h"
#include "probe/probe.h"

/* What no answer depends on is told to those who asked for it, or who want to know everything. */
int warn_level(const struct abibase_probe *pr, const struct probe_surface *s)
{
	return s->aside && !probe_named(pr, s->option) ? LOG_INFO : LOG_WARNING;
}

/* A driver that is there has numbers: then only the node is missing, and modprobe makes none. */
static bool driver_numbers(struct abibase_probe *pr, const struct probe_surface *s,
			   unsigned int *major, unsigned int *minor)
{
	_buf_ path = { 0 }, text = { 0 };

	if (!s->misc)
		return false;
	buf_printf(&path, "/sys/class/misc/%s/dev", s->misc);
	return !buf_failed(&path) &&
	       pr->ops->read_file(pr->ops_data, path.data, &text) == 0 && text.data &&
	       sscanf(text.data, "%u:%u", major, minor) == 2;
}

static void warn_no_node(struct abibase_probe *pr, const struct probe_surface *s)
{
	unsigned int major, minor;

	if (driver_numbers(pr, s, &major, &minor))
		context_log(pr->ctx, warn_level(pr, s), "probe-no-device-node",
			    "%s: there is no such node here, although the kernel has the driver; "
			    "in a container, pass the node in; on a host, create it with "
			    "`mknod %s c %u %u`",
			    s->node, s->node, major, minor);
	else
		context_log(pr->ctx, warn_level(pr, s), "probe-no-device-node",
			    "%s: there is no such node here, although the kernel may have the "
			    "device; in a container, pass the node in; on a host, create it with "
			    "`modprobe %s`",
			    s->node, s->module);
}

void warn_open(struct abibase_probe *pr, const struct probe_surface *s,
	       enum probe_reason reason, int err)
{
	const char *node = s->node, *module = s->module;

	switch (reason) {
	case REASON_NOT_LOADED:
		context_log(pr->ctx, warn_level(pr, s), "probe-not-loaded",
			    "%s: its module is not loaded, so %s is unknown; load it with "
			    "`modprobe %s` and probe again",
			    node, s->name, module);
		break;
	case REASON_NO_MODULE_INDEX:
		context_log(pr->ctx, warn_level(pr, s), "probe-no-module-index",
			"%s: there is no such node, and the module index of the running kernel "
			"cannot be read, so nothing tells whether it can have %s; load the module "
			"with `modprobe %s`, or probe where /lib/modules of this kernel can be "
			"read",
			node, s->name, module);
		break;
	case REASON_NO_NODE:
		warn_no_node(pr, s);
		break;
	case REASON_NO_DEVICE:
		context_log(pr->ctx, warn_level(pr, s), "probe-no-device",
			    "%s: the node exists but no driver answers (%s): the module cannot be "
			    "loaded; see what `modprobe %s` says",
			    node, strerror(err), module);
		break;
	case REASON_NO_PERMISSION:
		context_log(pr->ctx, warn_level(pr, s), "probe-no-permission",
			    "%s: no permission to open it; probe as root, or as a user whom the "
			    "mode and group of the node admit",
			    node);
		break;
	case REASON_REFUSED:
		context_log(pr->ctx, warn_level(pr, s), "probe-device-refused",
			"%s: opening it is refused (%s) whatever its mode is: the device cgroup "
			"or a seccomp filter of this container denies it; allow the device there "
			"or probe outside",
			node, strerror(err));
		break;
	default:
		context_log(pr->ctx, warn_level(pr, s), "probe-open-failed",
			    "%s: cannot open it: %s", node, strerror(err));
	}
}

/* Root needs no user namespace: what helps others is no help to him. */
static void warn_namespace(struct abibase_probe *pr, const struct probe_surface *s, int err)
{
	bool root = pr->ops->euid(pr->ops_data) == 0;

	if (err == ENOSPC || err == EUSERS)
		context_log(pr->ctx, warn_level(pr, s), "probe-namespace-limit",
			"%s: the limit of namespaces is reached (%s), so no throw-away tap can be "
			"made; raise the sysctl%s",
			s->node, strerror(err),
			root ? " user.max_net_namespaces" :
			       "s user.max_net_namespaces and user.max_user_namespaces, or probe "
			       "as root");
	else if (err == EPERM)
		context_log(pr->ctx, warn_level(pr, s), "probe-namespace-refused",
			"%s: a new namespace is refused, so no throw-away tap can be made; %s",
			s->node,
			root ? "give the container CAP_SYS_ADMIN and CAP_NET_ADMIN and allow "
			       "unshare(2) in its seccomp filter, or probe outside" :
			       "probe as root, or set the sysctl "
			       "kernel.unprivileged_userns_clone=1; in a container its seccomp "
			       "filter refuses it");
	else
		context_log(pr->ctx, warn_level(pr, s), "probe-namespace-failed",
			"%s: cannot make a namespace for a throw-away tap: %s; probe %son a kernel "
			"with network namespaces",
			s->node, strerror(err), root ? "" : "as root, ");
}

/* What a macvtap takes that a tap does not. */
static void warn_link(struct abibase_probe *pr, const struct probe_surface *s, enum probe_step step,
		      int err)
{
	switch (step) {
	case STEP_RIGHTS:
		context_log(pr->ctx, warn_level(pr, s), "probe-needs-root",
			    "%s: to make one and a node for it takes root outside of any user "
			    "namespace (CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_MKNOD); probe as root",
			    s->name);
		break;
	case STEP_LOWER:
		context_log(pr->ctx, warn_level(pr, s), "probe-no-lower-device",
			    "%s: the tap that it would lie on cannot be made (%s: %s); see what is "
			    "said of tap",
			    s->name, s->lower->node, strerror(err));
		break;
	case STEP_LINK:
		context_log(pr->ctx, warn_level(pr, s), "probe-link-failed",
			    "%s: none can be made: %s; see what `modprobe %s` says", s->name,
			    strerror(err), s->module);
		break;
	default:
		context_log(pr->ctx, warn_level(pr, s), "probe-node-failed",
			    "%s: one can be made but not opened, for a node in a private /dev: "
			    "%s; probe as root, outside of containers",
			    s->name, strerror(err));
	}
}

void warn_surface(struct abibase_probe *pr, const struct probe_surface *s,
		  enum probe_step step, enum probe_reason reason, int err)
{
	if (reason == REASON_NO_DESCRIPTORS) {
		context_log(pr->ctx, warn_level(pr, s), "probe-no-file-descriptors",
			    "%s: no file descriptor is left (%s); raise the limit (ulimit -n, or "
			    "fs.file-max) and probe again",
			    s->node, strerror(err));
		return;
	}
	switch (step) {
	case STEP_NAMESPACE:
		warn_namespace(pr, s, err);
		break;
	case STEP_CAPABILITIES:
		context_log(pr->ctx, warn_level(pr, s), "probe-capabilities",
			"%s: not asked, because the asking process cannot give up its rights: %s",
			s->node, strerror(err));
		break;
	case STEP_RIGHTS:
	case STEP_LOWER:
	case STEP_LINK:
	case STEP_NODE:
		warn_link(pr, s, step, err);
		break;
	case STEP_NONE:
	case STEP_OPEN:
		warn_open(pr, s, reason, err);
		break;
	case STEP_FEATURES:
		context_log(pr->ctx, warn_level(pr, s), "probe-no-answer",
			    "%s: it opens but does not answer (%s): it is another device, or a "
			    "seccomp filter refuses to ask; probe outside of the container",
			    s->node, strerror(err));
		break;
	case STEP_ATTACH:
		if (err == EPERM)
			context_log(pr->ctx, warn_level(pr, s), "probe-tap-refused",
				"%s: making a tap is refused even in a user namespace of its own; "
				"probe as root, or allow it with the sysctl "
				"kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu)",
				s->node);
		else
			context_log(pr->ctx, warn_level(pr, s), "probe-tap-failed",
				    "%s: cannot make a tap: %s", s->node, strerror(err));
		break;
	case STEP_FORK:
	case STEP_CHILD:
		if (err == ETIMEDOUT)
			context_log(pr->ctx, warn_level(pr, s), "probe-timeout",
				    "%s: no answer in time; the process that asked was killed; see "
				    "the kernel's log and probe again",
				    s->node);
		else if (err == ENOSYS)
			context_log(pr->ctx, warn_level(pr, s), "probe-killed-by-filter",
				"%s: the process that asked was killed by a seccomp filter; probe "
				"outside of this container",
				s->node);
		else
			context_log(pr->ctx, warn_level(pr, s), "probe-child-died",
				"%s: the process that asked died before it was done (%s); probe "
				"again",
				s->node, strerror(err));
		break;
	}
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
