/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <syslog.h>

#include "base/context.h"
#include "live/guest.h"
#include "live/here.h"
#include "qemu/command.h"

/*
 * Each guest that runs on this host. Its QEMU is asked over a QMP socket of its command line, where
 * it is that QEMU that listens there and it answers; a monitor that another program holds does not,
 * and then the command line says what there is to say.
 */

struct running {
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	const char *qemu;   /* to try the question on; NULL: it is not asked */
	const json_t *entry; /* as here_guests() has it */
	pid_t pid;
	char *words; /* of its command line, each ended by a NUL */
	const char **argv;
	struct arena arena;
	struct strings sockets;
};

/* ------------------------------------------------------------------- its command line */

/* As the QEMU has it, which may have started elsewhere. */
static int add_socket(struct arena *a, pid_t pid, const char *path, size_t len, struct strings *ret)
{
	const char *socket = *path == '/' ?
				     arena_printf(a, "%.*s", (int)len, path) :
				     arena_printf(a, "/proc/%d/cwd/%.*s", (int)pid, (int)len, path);

	return socket && strings_add(ret, socket) == 0 ? 0 : -ENOMEM;
}

/* The socket of the chardev of this id, or none. */
static int add_chardev(const struct command *cmd, pid_t pid, const char *id, struct strings *ret)
{
	for (size_t i = 0; id && i < cmd->n; i++) {
		struct params ps = { 0 };

		if (!is_option(&cmd->options[i], "chardev"))
			continue;
		take_params(cmd->arena, &ps, cmd->options[i].value, "backend");
		if (same_text(param(&ps, "id"), id) && same_text(param(&ps, "backend"), "socket") &&
		    param(&ps, "path"))
			return add_socket(cmd->arena, pid, param(&ps, "path"),
					  strlen(param(&ps, "path")), ret);
	}
	return 0;
}

/* "-qmp unix:/run/a.qmp,server=on", and "-mon chardev=a,mode=control" */
static int add_monitor(const struct command *cmd, pid_t pid, const struct option *o,
		       struct strings *ret)
{
	struct params ps = { 0 };

	if ((is_option(o, "qmp") || is_option(o, "qmp-pretty")) && strprefix(o->value, "unix:"))
		return add_socket(cmd->arena, pid, o->value + strlen("unix:"),
				  strcspn(o->value + strlen("unix:"), ","), ret);
	if (!is_option(o, "mon"))
		return 0;
	take_params(cmd->arena, &ps, o->value, "chardev");
	return same_text(param(&ps, "mode"), "control") ?
		       add_chardev(cmd, pid, param(&ps, "chardev"), ret) :
		       0;
}

int guest_monitors(const struct command *cmd, pid_t pid, struct strings *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < cmd->n; i++)
		r = add_monitor(cmd, pid, &cmd->options[i], ret);
	return r < 0 || cmd->arena->failed ? -ENOMEM : 0;
}

static int find_sockets(struct running *g)
{
	struct command cmd = { .arena = &g->arena };

	command_parse(&cmd, NULL, g->argv + 1);
	return guest_monitors(&cmd, g->pid, &g->sockets);
}

/* ---------------------------------------------------------------------- what it is */

/* What no host has a say in is not asked about. */
static int drop_others(const struct running *g, json_t *devices)
{
	size_t i = json_array_size(devices);

	while (i--) {
		const char *backend = string_of(json_array_get(devices, i), "backend");

		if (backend && catalogue_backend(g->cat, backend) < 0 &&
		    json_array_remove(devices, i) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* A tap that is passed by its number is one of that process, and not of this. */
static bool has_descriptors(const struct running *g)
{
	for (size_t i = 1; g->argv[i]; i++)
		if (strstr(g->argv[i], ",fd=") || strstr(g->argv[i], ",fds=") ||
		    strstr(g->argv[i], "\"fd\"") || strstr(g->argv[i], "\"fds\""))
			return true;
	return false;
}

/* With those of macvtap beside them nobody knows here which device has which. */
static void correct_backends(const struct running *g, json_t *devices)
{
	struct guest_descriptors d = guest_descriptors(g->pid);
	size_t i;
	json_t *v;

	json_array_foreach(devices, i, v) {
		const char *backend = string_of(v, "backend");
		const char *end = backend ? strchr(backend, '+') : NULL;

		if (!backend || !strprefix(backend, "tap") || !has_descriptors(g))
			continue;
		if (!d.known || (d.macvtap && d.tap))
			json_object_del(v, "backend");
		else if (d.macvtap)
			json_object_set_new(v, "backend",
					    json_sprintf("macvtap%s", end ? end : ""));
	}
}

/* Only a name that means one thing is taken of it. */
static const char *machine_of(const struct running *g)
{
	const char *machine = string_of(g->entry, "machine");

	return machine && name_valid(machine) && strpbrk(machine, "0123456789") &&
			       strchr(machine, '-') ?
		       machine :
		       NULL;
}

static int from_command(const struct running *g, struct abibase_guest **ret)
{
	const char *name = string_of(g->entry, "name"), *machine = machine_of(g);
	struct abibase_guest *read;
	json_t *root;
	int r = abibase_guest_from_command(g->ctx, g->cat, g->argv + 1, &read);

	if (r < 0)
		return r;
	root = json_deep_copy(read->root);
	abibase_guest_unref(read);
	if (!root || drop_others(g, json_object_get(root, "devices")) < 0 ||
	    (machine && json_put(root, "machine", json_string(machine)) < 0) ||
	    (name && name_valid(name) && json_put(root, "name", json_string(name)) < 0)) {
		json_decref(root);
		return context_oom(g->ctx);
	}
	correct_backends(g, json_object_get(root, "devices"));
	if (json_array_size(json_object_get(root, "devices")))
		return guest_from_json(g->ctx, root, "the command line", ret);
	json_decref(root);
	return -ENODATA;
}

/* 1: it answered */
static int from_sockets(const struct running *g, struct abibase_guest **ret)
{
	for (size_t i = 0; i < g->sockets.n; i++) {
		int r = guest_from_qmp(g->ctx, g->cat, g->sockets.s[i], g->qemu, g->pid, ret);

		if (r == 0)
			return 1;
		if (r == -ENOMEM)
			return r;
	}
	return 0;
}

/* 1: there is one; 0: it has ended; -ENODATA: no host has a say in its devices */
static int find_guest(struct running *g, struct abibase_guest **ret)
{
	int r = here_command(g->pid, &g->words, &g->argv);

	if (r <= 0)
		return r < 0 ? context_oom(g->ctx) : r;
	if (find_sockets(g) < 0)
		return context_oom(g->ctx);
	r = from_sockets(g, ret);
	if (r == 0)
		r = from_command(g, ret);
	return r < 0 ? r : 1;
}

static int tell_of(struct abibase_context *ctx, struct abibase_catalogue *cat, const char *qemu,
		   const json_t *entry, abibase_guest_fn fn, void *data)
{
	struct running g = { .ctx = ctx, .cat = cat, .qemu = qemu, .entry = entry };
	json_auto_t *name = here_guest_name(entry);
	struct abibase_guest *guest = NULL;
	int r;

	g.pid = (pid_t)json_integer_value(json_object_get(entry, "pid"));
	r = name ? find_guest(&g, &guest) : context_oom(ctx);
	if (r == -ENODATA) {
		context_log(ctx, LOG_NOTICE, "guest-without",
			    "%s has no device in which a host has a say, and is not asked about",
			    json_string_value(name));
		r = 0;
	}
	if (r > 0)
		r = fn(data, json_string_value(name), guest);
	abibase_guest_unref(guest);
	strings_clear(&g.sockets);
	arena_clear(&g.arena);
	free(g.words);
	free(g.argv);
	return r;
}

ABIBASE_EXPORT int abibase_guest_running(struct abibase_context *ctx, struct abibase_catalogue *cat,
					 const char *qemu, abibase_guest_fn fn, void *data)
{
	struct abibase_here h = { .ctx = ctx, .cat = cat, .root = json_object() };
	size_t i;
	json_t *v;
	int r;

	h.findings.arena = &h.arena;
	r = h.root && here_guests(&h) == 0 && !h.arena.failed ? 0 : context_oom(ctx);
	if (r == 0 && !streq(string_of(h.root, "processes"), "all"))
		context_log(ctx, LOG_WARNING, "guests-hidden",
			    "the processes of others are hidden here: only guests of this user are "
			    "asked");
	json_array_foreach(json_object_get(h.root, "guests"), i, v)
		if (r == 0)
			r = tell_of(ctx, cat, qemu, v, fn, data);
	json_decref(h.root);
	arena_clear(&h.arena);
	return r;
}
