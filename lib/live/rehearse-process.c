/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live/rehearse.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/context.h"
#include "base/text.h"
#include "live/guest.h"
#include "live/here.h"

/*
 * A guest that runs, against a throw-away of the line that it was started with: what was plugged in and
 * out since is in no line. It is asked over its own monitor, where it has one that is free, by what
 * libvirt asks too, and no process is started because of it: which QEMU that is, the caller says.
 */

#define ANSWER_MS 5000

#define keep(p, ...) show_keep(&(p)->out->arena, __VA_ARGS__)

/* A part of the guest that was not rehearsed, for this answer and for the file */
static void differs(const struct rehearse_process *p, const char *why)
{
	json_t *row = json_pack("{ss ss}", "option", keep(p, "process %d", p->pid), "why", why);

	if (json_add(p->line->left_out, row) < 0)
		p->out->arena.failed = true;
}

/* ------------------------------------------------------------------------ its monitor */

/* Below 0: nobody listens there, or another process */
static int connect_to(const struct rehearse_process *p, const char *path)
{
	struct ucred peer;
	int fd = guest_connect(path, &peer);

	if (fd >= 0 && peer.pid != p->pid) {
		close(fd);
		fd = -EPERM;
	}
	return fd;
}

/* ------------------------------------------------------------------------ comparison */

/* How many of @b are equal to element @i of @a, as far as that is not one of too many in @a */
static bool has_one_for(const json_t *b, const json_t *a, size_t i)
{
	const char *s = json_string_value(json_array_get(a, i));
	size_t before = 0, n = 0, k;
	json_t *v;

	for (k = 0; k < i; k++)
		before += streq(json_string_value(json_array_get(a, k)), s);
	json_array_foreach((json_t *)b, k, v)
		n += streq(json_string_value(v), s);
	return before < n;
}

/* @spare: of what the process alone has, so many are what is left out. */
static void compare(const struct rehearse_process *p, const json_t *live, const json_t *made,
		    size_t spare)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)live, i, v) {
		const char *s = json_string_value(v);
		size_t id = strcspn(s, " ");

		if (has_one_for(made, live, i) ||
		    strings_have(&p->line->absent, keep(p, "%.*s", (int)id, s)))
			continue;
		if (spare)
			spare--;
		else
			differs(p, keep(p, "it has %s, which the line that it was started with "
					   "does not make",
					s));
	}
	json_array_foreach((json_t *)made, i, v)
		if (!has_one_for(live, made, i))
			differs(p, keep(p, "it has not %s, which the line that it was started "
					   "with makes",
					json_string_value(v)));
}

static void compare_text(const struct rehearse_process *p, const char *what, const char *live,
			 const char *made)
{
	if (!same_text(live && *live ? live : NULL, made && *made ? made : NULL))
		differs(p, keep(p, "its %s is \"%s\", that of %s is \"%s\"", what,
				live ? live : "", p->half->qemu, made ? made : ""));
}

static void compare_all(const struct rehearse_process *p, const struct rehearse_half *live)
{
	const struct rehearse_half *made = p->half;
	size_t spare = p->line->n_absent_devices;

	compare_text(p, "version", live->version, made->version);
	compare_text(p, "package", live->package, made->package);
	compare_text(p, "machine type", live->machine, made->machine);
	compare_text(p, "list of vCPUs", live->cpus_possible, made->cpus_possible);
	compare(p, json_object_get(live->devices, "devices"),
		json_object_get(made->devices, "devices"), spare);
	compare(p, json_object_get(live->devices, "pci"), json_object_get(made->devices, "pci"),
		spare);
}

/* 1: asked; 0: it does not answer; or -ENOMEM */
static int ask_live(const struct rehearse_process *p, const char *path)
{
	/* it can have a root of its own, and the caller be one who cannot see that */
	int fd = connect_to(p, keep(p, "/proc/%d/root%s", p->pid, path)), r;
	struct rehearse_half live = { .line = p->line };
	struct qmp q;

	if (fd < 0)
		fd = connect_to(p, path);
	if (fd < 0)
		return 0;
	qmp_attach(&q, fd, ANSWER_MS);
	r = rehearse_ask_guest(&live, &q);
	if (r == 0)
		compare_all(p, &live);
	qmp_stop(&q);
	rehearse_half_clear(&live);
	return r == 0 ? 1 : r == -ENOMEM ? r : 0;
}

/* Is it the program that the throw-away is? */
static bool runs_file(int pid, const char *qemu)
{
	char path[64];
	struct stat a, b;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return stat(path, &a) == 0 && stat(qemu, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

int rehearse_check_process(struct abibase_context *ctx, int pid, const char *qemu)
{
	_autofree_ char *words = NULL;
	_autofree_ const char **argv = NULL;
	int r = here_command(pid, &words, &argv);

	if (r < 0)
		return context_oom(ctx);
	if (r > 0 && (here_is_qemu(argv[0]) || runs_file(pid, qemu)))
		return 0;
	return context_fail(ctx, EINVAL, "rehearsal-failed", NULL,
			    "process %d is no QEMU%s%s: its name begins with neither qemu-system- nor "
			    "qemu-kvm, and it does not run %s",
			    pid, r > 0 ? " but " : "", r > 0 ? argv[0] : "", qemu);
}

int rehearse_compare_process(const struct rehearse_process *p)
{
	struct command cmd = { .arena = &p->out->arena };
	struct strings sockets = { 0 };
	int r;

	rehearse_say(p->out, ABIBASE_FINDING_NOTE, "rehearsal-as-started", "command line", NULL,
		     "the line of the source is that of process %d, as started", p->pid);
	command_parse(&cmd, NULL, p->argv);
	r = guest_monitors(&cmd, p->pid, &sockets);
	for (size_t i = 0; r == 0 && i < sockets.n; i++)
		r = ask_live(p, sockets.s[i]);
	if (r == 0 && sockets.n)
		differs(p, keep(p, "what it has now cannot be asked: its monitor %s does not "
				   "answer, or another program has it",
				sockets.s[0]));
	if (r == 0 && !runs_file(p->pid, p->half->qemu))
		differs(p, keep(p, "whether it runs %s cannot be seen, or it does not",
				p->half->qemu));
	strings_clear(&sockets);
	return r < 0 ? r : 0;
}
