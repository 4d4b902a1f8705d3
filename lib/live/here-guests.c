/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <limits.h>

#include "base/context.h"
#include "base/harmless.h"
#include "document/page.h"
#include "live/here.h"
#include "qemu/command.h"
#include "qemu/qtest.h"

/*
 * The QEMUs that run on this host, as far as the caller may look into /proc. Under which baseline
 * one runs, its environment says, where abibase-emulator left it; else its command line can have
 * the list of one.
 */

#define PROC_TEXT_MAX (4u << 20)
#define BASELINE_VARIABLE "ABIBASE_BASELINE="

struct process {
	pid_t pid;
	char *words;	   /* of its command line, each ended by a NUL */
	const char **argv; /* into them, ended by NULL */
	char exe[PATH_MAX]; /* "": it is not to be seen */
	struct arena arena;
	struct command cmd; /* in the arena */
	const char *machine, *name; /* NULL: it does not say */
	char id[sizeof("b1-") + ID_DIGITS]; /* "": its environment has none */
	bool environment; /* it could be read */
};

static void process_clear(struct process *p)
{
	free(p->words);
	free(p->argv);
	arena_clear(&p->arena);
}

/* ---------------------------------------------------------------------- of one process */

/* Nothing of it where the process has gone, or is another's. No error: nobody asked for it. */
static char *read_of(pid_t pid, const char *name, size_t *ret_len)
{
	char path[64], *text = NULL;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return file_read(NULL, path, PROC_TEXT_MAX, &text, ret_len) == 0 ? text : NULL;
}

int here_command(pid_t pid, char **words, const char ***argv)
{
	size_t len = 0, n = 0;

	*argv = NULL;
	*words = read_of(pid, "cmdline", &len);
	if (!*words)
		return 0;
	for (size_t i = 0; i < len; i++)
		n += !(*words)[i];
	*argv = calloc(n + 2, sizeof(**argv));
	if (!*argv)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < len; i += strlen(*words + i) + 1)
		(*argv)[n++] = *words + i;
	return n > 0;
}

/* "/usr/bin/qemu-system-x86_64.distrib (deleted)" */
bool here_is_qemu(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = strcspn(name, " ");

	return strprefix(name, "qemu-system-") || (len == 3 && strprefix(name, "kvm")) ||
	       (len == 8 && strprefix(name, "qemu-kvm"));
}

static void read_exe(struct process *p)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)p->pid);
	n = readlink(path, p->exe, sizeof(p->exe) - 1);
	p->exe[n > 0 ? n : 0] = '\0';
	p->exe[length_without(p->exe, " (deleted)")] = '\0';
}

static void read_environment(struct process *p)
{
	size_t len = 0;
	_autofree_ char *text = read_of(p->pid, "environ", &len);

	p->environment = text;
	for (size_t i = 0; text && i < len; i += strlen(text + i) + 1) {
		const char *value = text + i + strlen(BASELINE_VARIABLE);

		if (strprefix(text + i, BASELINE_VARIABLE) && id_valid(value))
			strcpy(p->id, value);
	}
}

/* Of options the last one counts, as with QEMU. 1: a guest is asked for */
static int read_options(struct process *p)
{
	bool guest = true, tcg_first = false, stdio = false;

	if (abibase_command_is_query(p->argv + 1) != 0)
		return 0;
	p->cmd.arena = &p->arena;
	command_parse(&p->cmd, NULL, p->argv + 1);
	for (size_t i = 0; i < p->cmd.n; i++) {
		const struct option *o = &p->cmd.options[i];
		const char *type = is_option(o, "machine") ? param(&o->params, "type") : NULL;
		const char *name = is_option(o, "name") ? param(&o->params, "guest") : NULL;
		const char *accel = is_option(o, "machine") ? param(&o->params, "accel") : NULL;

		p->machine = type ? type : p->machine;
		p->name = name ? name : p->name;
		/* as a probe starts it: probe/qemu-start.c, probe/values.c */
		tcg_first |= accel && streq(accel, "tcg:kvm");
		stdio |= is_option(o, "qmp") && same_text(o->value, "stdio");
		/* a throw-away has none */
		guest &= !is_option(o, "qtest") &&
			 !(is_option(o, "mon") && same_text(o->value, QTEST_MONITOR));
	}
	if (p->machine)
		p->machine = arena_printf(&p->arena, "%.*s",
					  (int)length_without(p->machine, "-machine"), p->machine);
	return p->arena.failed ? -ENOMEM : guest && !(tcg_first && stdio);
}

/* 1: a guest runs in it; 0: none does, or it has gone; or -ENOMEM */
static int read_process(struct process *p)
{
	int r = here_command(p->pid, &p->words, &p->argv);

	if (r <= 0)
		return r;
	read_exe(p);
	if (!here_is_qemu(p->exe) && !here_is_qemu(p->argv[0]))
		return 0;
	r = read_options(p);
	if (r > 0)
		read_environment(p);
	return r;
}

/* ---------------------------------------------------------- the list of which baseline? */

/* What the command line says of each value of a baseline: 0 nothing, '=' the same, '!' another */
static void say_global(const struct abibase_baseline *b, const struct params *ps, char *said)
{
	const char *driver = param(ps, "driver"), *property = param(ps, "property");
	const char *value = param(ps, "value");

	for (size_t i = 0; driver && property && value && i < b->n_values; i++) {
		const struct value *v = &b->values[i];

		if (streq(v->property, property) && (is_device_class(driver, v->class_name) ||
						     is_proxy_class(driver, v->class_name)))
			said[i] = agrees(v, value) ? '=' : '!';
	}
}

/* A device that has less is no other's: the option goes before every list. */
static void say_device(const struct abibase_baseline *b, const struct params *ps, char *said)
{
	const char *driver = param(ps, "driver");

	for (size_t i = 0; driver && i < b->n_values; i++) {
		const struct value *v = &b->values[i];
		const char *value = is_of(driver, v->class_name) ? param(ps, v->property) : NULL;

		if (value && !is_within(v, value) && !is_free(v))
			said[i] = '!';
	}
}

/* Could it be so without an option: a QEMU has it so by itself, or does not know it? */
static bool is_default(const struct abibase_baseline *b, const struct value *v)
{
	unsigned char same = v->is_number || v->on ? SETTING_ON : SETTING_OFF;

	if (v->is_number && !v->on)
		return true;
	for (size_t u = 0; u < b->n_used; u++)
		if (v->defaults[u] == same || v->defaults[u] == SETTING_ABSENT)
			return true;
	return false;
}

/* How many values of the baseline the command line states, where it contradicts none; or -ENOMEM */
static int hold_list(const struct process *p, const struct abibase_baseline *b)
{
	_autofree_ char *said = calloc(b->n_values + 1, 1);
	int n = 0;

	if (!said)
		return -ENOMEM;
	for (size_t i = 0; i < p->cmd.n; i++) {
		const struct option *o = &p->cmd.options[i];

		if (is_option(o, "global"))
			say_global(b, &o->params, said);
		else if (is_option(o, "device"))
			say_device(b, &o->params, said);
	}
	for (size_t i = 0; i < b->n_values; i++) {
		if (said[i] == '!' || (!said[i] && !is_default(b, &b->values[i])))
			return 0;
		n += said[i] == '=';
	}
	return n;
}

/* QEMU of Proxmox cuts a name at "+" before it takes the machine type of it. */
static bool has_machine(const struct process *p, const struct abibase_baseline *b)
{
	size_t len = p->machine ? strcspn(p->machine, "+") : 0;

	return p->machine && b->machine &&
	       (streq(p->machine, b->machine) ||
		(strlen(b->machine) == len && strncmp(p->machine, b->machine, len) == 0));
}

/* The id of the one whose list it has most of; NULL: it has the list of none. 0 or -ENOMEM */
static int nearest(const struct abibase_here *h, const struct process *p, const char **ret)
{
	int best = 0;

	*ret = NULL;
	for (size_t i = 0; i < h->n; i++) {
		const struct abibase_baseline *b = h->base[i].b;
		int n = has_machine(p, b) ? hold_list(p, b) : 0;

		if (n < 0)
			return n;
		if (n > best) {
			best = n;
			*ret = b->id;
		}
	}
	return 0;
}

/* ---------------------------------------------------------------------------------- */

/* What stands in a document is UTF-8, and a command line need not be. */
static json_t *words_json(const char *s)
{
	_autofree_ char *copy = s ? strdup(s) : NULL;

	if (copy)
		text_sentence(copy);
	return copy ? json_string(copy) : NULL;
}

static int add_guest(struct abibase_here *h, const struct process *p, json_t *list)
{
	const char *id = *p->id ? p->id : NULL, *by = "environment";
	int r = 0;

	if (!id) {
		r = nearest(h, p, &id);
		by = id ? "command-line" : p->environment ? "none" : "unknown";
	}
	if (r < 0)
		return r;
	return json_add(list, json_pack("{s:i, s:s, s:s*, s:o*, s:o*, s:o*}", "pid", (int)p->pid,
					"by", by, "baseline", id, "machine",
					words_json(p->machine), "name", words_json(p->name),
					"qemu", words_json(here_is_qemu(p->exe) ? p->exe : p->argv[0])));
}

static int look_at(struct abibase_here *h, pid_t pid, json_t *list)
{
	struct process p = { .pid = pid };
	int r = read_process(&p);

	if (r > 0)
		r = add_guest(h, &p, list);
	process_clear(&p);
	return r;
}

static bool is_there(const struct abibase_here *h, const char *id)
{
	for (size_t i = 0; i < h->n; i++)
		if (same_text(h->base[i].b->id, id))
			return true;
	return false;
}

/* A baseline was taken away too early: once, with all guests that run under it. */
static void look_for_gone(struct abibase_here *h, const json_t *list)
{
	json_auto_t *gone = json_object();
	const char *id;
	json_t *names, *v;
	size_t i;

	json_array_foreach((json_t *)list, i, v) {
		id = string_of(v, "baseline");
		if (!id || is_there(h, id))
			continue;
		names = json_object_get(gone, id);
		if (!names && json_object_set_new(gone, id, names = json_array()) < 0)
			names = NULL;
		h->arena.failed |= json_add(names, here_guest_name(v)) < 0;
	}
	json_object_foreach(gone, id, names) {
		_buf_ text = { 0 };

		page_names(&text, names);
		here_found(h, ABIBASE_FINDING_CONFLICT, "guest-baseline-gone",
			   "put its file back until no guest runs under it",
			   "no file of the baseline %s is there, and guests run under it that can "
			   "neither be started again nor come back: %s",
			   id, text.data ? text.data : "");
	}
	h->arena.failed |= !gone;
}

static int by_pid(const struct dirent **a, const struct dirent **b)
{
	return atoi((*a)->d_name) - atoi((*b)->d_name);
}

static int is_process(const struct dirent *e)
{
	return e->d_name[0] >= '1' && e->d_name[0] <= '9';
}

int here_guests(struct abibase_here *h)
{
	struct dirent **entries = NULL;
	json_t *list = json_array();
	int n = scandir("/proc", &entries, is_process, by_pid), r = list ? 0 : -ENOMEM;
	size_t len;
	/* where processes of others are hidden, this one is */
	_autofree_ char *init = read_of(1, "cmdline", &len);

	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = look_at(h, atoi(entries[i]->d_name), list);
		free(entries[i]);
	}
	free(entries);
	if (r == 0)
		r = json_put(h->root, "processes", json_string(init ? "all" : "own"));
	if (r < 0) {
		json_decref(list);
		return r;
	}
	look_for_gone(h, list);
	return json_put(h->root, "guests", list);
}
