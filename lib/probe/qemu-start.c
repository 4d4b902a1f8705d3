/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "probe/probe.h"
#include "qemu/qmp.h"

int probe_qemu_spawn(struct abibase_probe *pr, struct qmp *q, const char *path)
{
	const char *const argv[] = { path, "-nodefaults", "-no-user-config", "-display", "none",
				     /* first TCG: nothing here needs a device of the host */
				     "-machine", "none,accel=tcg:kvm", "-qmp", "stdio", NULL };

	return qmp_spawn(q, path, (char *const *)argv, pr->qemu_timeout_ms,
			 &(struct qmp_preparation){ .stop = &pr->stop });
}

int probe_qemu_start(struct abibase_probe *pr, struct qmp *q, const char *path)
{
	json_auto_t *nothing = NULL;
	int r = probe_qemu_spawn(pr, q, path);

	if (r == 0)
		r = qmp_receive_greeting(q, NULL);
	return r == 0 ? qmp_call(q, &nothing, "qmp_capabilities", NULL) : r;
}
