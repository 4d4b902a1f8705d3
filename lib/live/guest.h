/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_LIVE_GUEST_H
#define ABIBASE_LIVE_GUEST_H

#include <sys/socket.h>

#include "document/guest.h"
#include "qemu/command.h"

/*
 * The guest of a QEMU that listens on the socket of this path. @qemu: a binary of the same QEMU,
 * or NULL; the caller's choice, for it is started. Nothing is started because of who listens
 * there. What a guest negotiated is asked only where a throw-away process of @qemu, which has the
 * version and the package of the guest's, has just answered and outlived that question: QEMU 11.1
 * aborts on it. Otherwise that is a warning ("guest-qmp-unsafe"), and it stays unknown in the
 * guest, which has its machine type and its QEMU then.
 *
 * @pid: the process that has to listen there; 0: whichever does.
 *
 * 0, -EINVAL, -EBADMSG and -ETIMEDOUT (what listens does not answer as a QEMU does), -ENODATA
 * ("guest-unknown": it has no virtio-net device), -ENOTSUP ("guest-qmp-unsafe": it names a
 * feature that the catalogue does not have), -ENOMEM, and what socket(2), connect(2) and fork(2)
 * say.
 */
int guest_from_qmp(struct abibase_context *ctx, struct abibase_catalogue *cat,
		   const char *socket_path, const char *qemu, pid_t pid,
		   struct abibase_guest **ret);

/*
 * The sockets on which a QEMU that was started with these options, as process @pid, serves QMP.
 * 0 or -ENOMEM.
 */
int guest_monitors(const struct command *cmd, pid_t pid, struct strings *ret) _must_check_;
/* Connects to one; @ret_peer: who listens there. -EINVAL: it is no path of a socket. */
int guest_connect(const char *path, struct ucred *ret_peer);

/* What a process has open of what a device can lie on, as far as the caller may see it. */
struct guest_descriptors {
	bool known, tap, vhost, macvtap;
};
struct guest_descriptors guest_descriptors(pid_t pid);

#endif
