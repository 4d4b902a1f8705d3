/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "choose.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

/*
 * Which baseline of a directory a guest is started under. Of each file as much is read as it takes to
 * find its id and its machine type, which a canonical document has in lines of their own.
 */

#define FILES_MAX 4096 /* of which abibase-emulator(1) speaks */
#define NAMES_MAX 20 /* that are listed */

struct entry {
	char *path, *id, *machine;
};

struct listing {
	const char *dir;
	struct entry *e;
	size_t n, cap;
};

static void listing_clear(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->e[i].path);
		free(l->e[i].id);
		free(l->e[i].machine);
	}
	free(l->e);
}
#define _listing_ __attribute__((cleanup(listing_clear))) struct listing

/* ------------------------------------------------------------------------ one file */

/* The text of `  "KEY": "TEXT",`; only at this depth does a canonical document begin so. */
static int take_member(const char *line, const char *key, char **ret)
{
	char begin[32];
	const char *text;
	size_t len;

	snprintf(begin, sizeof(begin), "  \"%s\": \"", key);
	if (*ret || !strprefix(line, begin))
		return 0;
	text = line + strlen(begin);
	len = strcspn(text, "\"");
	if (text[len] != '"')
		return 0;
	*ret = strndup(text, len);
	return *ret ? 0 : cli_oom();
}

/* A pipe in its place would keep the start waiting, and so would a file without an end. */
static FILE *open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	FILE *f;

	if (fd >= 0 && fstat(fd, &st) == 0 && (!S_ISREG(st.st_mode) || st.st_size > JSON_MAX_BASELINE)) {
		close(fd);
		errno = S_ISDIR(st.st_mode) ? EISDIR : S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		return NULL;
	}
	f = fd < 0 ? NULL : fdopen(fd, "r");
	if (!f && fd >= 0)
		close(fd);
	return f;
}

static int peek(const char *path, struct entry *e)
{
	_autofclose_ FILE *f = open_file(path);
	bool begins = true;
	char line[512];
	int r = 0;

	if (!f)
		return cli_error("%s: %s [io-error]", path, strerror(errno));
	while (r == 0 && !(e->id && e->machine) && fgets(line, sizeof(line), f)) {
		if (begins)
			r = take_member(line, "id", &e->id);
		if (begins && r == 0)
			r = take_member(line, "machine", &e->machine);
		begins = strchr(line, '\n');
	}
	return ferror(f) ? cli_error("%s: %s [io-error]", path, strerror(errno)) : r;
}

static int not_mended(const char *dir)
{
	return start_remedy("mend it, or take it out of %s", dir);
}

/* Does the name of its file say that it is another one? */
static int check_name(const char *dir, const char *path, const char *id)
{
	const char *name = strrchr(path, '/') + 1;
	_autofree_ char *said = strndup(name, strlen(name) - strlen(".json"));

	if (!said)
		return cli_oom();
	if (!id_valid(said) || streq(said, id))
		return 0;
	cli_error("%s: is the baseline %s, and its name says another [baseline-not-there]", path,
		  id);
	return not_mended(dir);
}

static int check_regular(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 || S_ISREG(st.st_mode) ?
		       0 :
		       cli_error("%s: is no regular file [io-error]", path);
}

/* A document that is written otherwise, or of which more has to be known, is read as a whole. */
static int fill(struct abibase_context *ctx, struct entry *e)
{
	_unref_(baseline) *b = NULL;
	int r = check_regular(e->path);

	if (r == 0)
		r = cli_load_baseline(ctx, e->path, &b);
	if (r == 0)
		r = cli_check_promise(b, e->path);
	if (r)
		return r;
	free(e->id);
	free(e->machine);
	e->id = strdup(abibase_baseline_id(b));
	e->machine = strdup(cli_text(abibase_baseline_value(b), "machine"));
	return e->id && e->machine ? 0 : cli_oom();
}

static int add_file(struct abibase_context *ctx, struct listing *l, const char *path)
{
	struct entry *e;
	int r;

	if (array_grow(&l->e, l->n, &l->cap, sizeof(*l->e)) < 0)
		return cli_oom();
	e = &l->e[l->n++];
	memset(e, 0, sizeof(*e));
	e->path = strdup(path);
	if (!e->path)
		return cli_oom();
	r = peek(e->path, e);
	if (r == 0 && !(e->id && e->machine))
		r = fill(ctx, e);
	return r ? not_mended(l->dir) : check_name(l->dir, e->path, e->id);
}

/* ------------------------------------------------------------------- the directory */

static int cmp_entry(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = strverscmp(x->machine, y->machine);

	r = r ? r : strcmp(x->id, y->id);
	return r ? r : strcmp(x->path, y->path);
}

/* As many as are looked at. 0 or STATUS_TROUBLE, having said why. */
static int list_paths(const char *dir, struct strings *ret)
{
	int r = cli_documents(dir, ret);

	if (r < 0)
		return cli_error("%s: %s [io-error]", dir, strerror(-r));
	if (ret->n <= FILES_MAX)
		return 0;
	cli_error("%s: has %zu files *.json, more than %d, the most that are looked at "
		  "[baselines-too-many]",
		  dir, ret->n, FILES_MAX);
	return start_remedy("take out those that no guest runs under");
}

static int list_dir(struct abibase_context *ctx, struct listing *l)
{
	struct strings paths = { 0 };
	int r = list_paths(l->dir, &paths);

	for (size_t i = 0; r == 0 && i < paths.n; i++)
		r = add_file(ctx, l, paths.s[i]);
	strings_clear(&paths);
	if (r == 0 && l->n)
		qsort(l->e, l->n, sizeof(*l->e), cmp_entry);
	return r;
}

int choose_each(const char *dir, choose_fn fn, void *data)
{
	struct strings paths = { 0 };
	int status = list_paths(dir, &paths);
	size_t n = status ? 0 : paths.n;

	for (size_t i = 0; i < n; i++)
		if (fn(data, paths.s[i]) != 0)
			status = STATUS_TROUBLE;
	strings_clear(&paths);
	return status;
}

int choose_read(struct abibase_context *ctx, const char *dir, const char *path,
		struct abibase_baseline **ret)
{
	int r = check_regular(path);

	if (r == 0)
		r = cli_load_baseline(ctx, path, ret);
	return r || !dir || !abibase_baseline_id(*ret) ?
		       r :
		       check_name(dir, path, abibase_baseline_id(*ret));
}

/* Does the name on the command line name it? Proxmox puts "+pveN" behind, which its QEMU cuts off. */
static bool is_of_machine(const struct entry *e, const char *machine)
{
	size_t len = strcspn(machine, "+");

	return strlen(e->machine) == len && !strncmp(e->machine, machine, len);
}

/* Those of the machine type, or with one that is no version of its kind, or with NULL all: "ID (MACHINE)" */
static int names(const struct listing *l, const char *machine, const char *kind, char **ret)
{
	_buf_ text = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct entry *e = &l->e[i];

		if ((machine && !is_of_machine(e, machine)) || (kind && !strprefix(e->machine, kind)))
			continue;
		if (n++ < NAMES_MAX)
			buf_printf(&text, "%s%s (%s)", n > 1 ? ", " : "", e->id, e->machine);
	}
	if (n > NAMES_MAX)
		buf_printf(&text, " and %zu more", n - NAMES_MAX);
	if (!n)
		buf_puts(&text, "none");
	return buf_give(&text, ret) < 0 ? cli_oom() : 0;
}

/* ------------------------------------------------------------------------ refusals */

static int not_there(const struct listing *l, const char *id, const char *who)
{
	_autofree_ char *there = NULL;

	if (names(l, NULL, NULL, &there) != 0)
		return STATUS_TROUBLE;
	cli_error("%s: no baseline is %s, which %s asks for; there are: %s [baseline-not-there]",
		  l->dir, id, who, there);
	return start_remedy("copy the baseline %s to %s of this host, as it is where the guest was "
			  "started",
			  id, l->dir);
}

/* It differs between QEMUs. */
const char *choose_kind(const char *machine)
{
	return !machine			  ? "" :
	       strprefix(machine, "q35")  ? "pc-q35-" :
	       streq(machine, "pc") || strprefix(machine, "pc+") ? "pc-i440fx-" :
								   NULL;
}

static int no_machine(const struct listing *l, const char *machine)
{
	const char *kind = choose_kind(machine);
	_autofree_ char *there = NULL;
	const char *name = l->n ? l->e[l->n - 1].machine : "pc-q35-10.0";

	if (names(l, NULL, kind, &there) != 0)
		return STATUS_TROUBLE;
	for (size_t i = 0; kind && i < l->n; i++)
		if (strprefix(l->e[i].machine, kind))
			name = l->e[i].machine;
	if (!kind) {
		cli_error("%s: no baseline is of the machine type %s; there are: %s "
			  "[baseline-no-machine]",
			  l->dir, machine, there);
		start_remedy("make one with abibase intersect -M %s, or start the guest with a "
			     "machine type that has one: " START_SAY_MACHINE,
			     machine, name, name, name);
		return STATUS_NO;
	}
	cli_error("%s: the command line %s%s, which each QEMU reads otherwise; there are: %s "
		  "[command-machine]",
		  l->dir, machine ? "has the machine type " : "names no machine type",
		  machine ? machine : "", there);
	start_remedy("write the name with its version: " START_SAY_MACHINE, name, name, name);
	return STATUS_NO;
}

static int several(const struct listing *l, const struct choice *c)
{
	_autofree_ char *there = NULL;
	const char *conf = c->conf ? c->conf->path : NULL;

	if (names(l, c->machine, NULL, &there) != 0)
		return STATUS_TROUBLE;
	cli_error("%s: several baselines are of the machine type %s, and nothing says under which the "
		  "guest %s: %s [baseline-which]",
		  l->dir, c->machine, c->incoming ? "that comes in was started" : "is started",
		  there);
	if (c->incoming)
		start_remedy("ask where the guest runs: abibase targets tells where it can go, and the "
			     "environment of its QEMU has ABIBASE_BASELINE=ID; say so in its domain: "
			     "<qemu:env name='ABIBASE_BASELINE' value='ID'/>, in "
			     "<qemu:commandline>");
	else if (conf)
		start_remedy("name one in %s: current.%s = ID", conf, c->machine);
	else
		start_remedy("name one in the environment: ABIBASE_BASELINE=ID");
	return STATUS_NO;
}

/* ------------------------------------------------------------------------- choice */

static int take(const struct entry *e, char **ret)
{
	*ret = strdup(e->path);
	return *ret ? 0 : cli_oom();
}

/* Its file may be called after it: then no other is looked at. */
static int by_id(struct abibase_context *ctx, struct listing *l, const char *id, const char *who,
		 char **ret)
{
	_autofree_ char *path = NULL;
	struct stat st;
	int r;

	if (asprintf(&path, "%s/%s.json", l->dir, id) < 0) {
		path = NULL;
		return cli_oom();
	}
	if (stat(path, &st) == 0) {
		r = check_regular(path);
		*ret = r ? NULL : steal(&path);
		return r;
	}
	r = l->n ? 0 : list_dir(ctx, l);
	for (size_t i = 0; r == 0 && i < l->n; i++)
		if (streq(l->e[i].id, id))
			return take(&l->e[i], ret);
	return r ? r : not_there(l, id, who);
}

/*
 * Those of the machine type, each of which has a say: one more of them, and there is no choice. What only
 * begins like a baseline is none, so where there are several each is read to its end.
 */
static int weigh(struct abibase_context *ctx, struct listing *l, const char *machine,
		 const struct entry **ret, size_t *ret_ids)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += is_of_machine(&l->e[i], machine);
	for (size_t i = 0; i < l->n; i++) {
		struct entry *e = &l->e[i];
		int r;

		if (!is_of_machine(e, machine))
			continue;
		r = start_trust(e->path);
		if (r == 0 && n > 1 && fill(ctx, e) != 0)
			r = not_mended(l->dir);
		if (r)
			return r;
		/* one baseline can be there under two names */
		*ret_ids += !*ret || !streq((*ret)->id, e->id);
		*ret = e;
	}
	return 0;
}

static int by_machine(struct abibase_context *ctx, struct listing *l, struct choice *c, char **ret)
{
	const struct conf_line *current =
		c->machine && !c->incoming ? conf_find(c->conf, "current", c->machine) : NULL;
	const struct entry *found = NULL;
	_buf_ who = { 0 };
	size_t n = 0;
	int r;

	if (current) {
		c->named = current->value;
		buf_printf(&who, "%s:%u: %s", c->conf->path, current->line, current->key);
		return buf_failed(&who) ? cli_oom() : by_id(ctx, l, current->value, who.data, ret);
	}
	r = list_dir(ctx, l);
	if (r == 0 && c->machine)
		r = weigh(ctx, l, c->machine, &found, &n);
	if (r)
		return r;
	if (!found)
		return no_machine(l, c->machine);
	return n > 1 ? several(l, c) : take(found, ret);
}

int choose_baseline(struct abibase_context *ctx, struct choice *c, char **ret)
{
	_listing_ l = { .dir = c->place };
	struct stat st;

	c->named = c->id;
	if (stat(c->place, &st) < 0 || !S_ISDIR(st.st_mode)) {
		*ret = strdup(c->place);
		return *ret ? 0 : cli_oom();
	}
	if (start_trust(c->place) != 0)
		return STATUS_TROUBLE;
	return c->id ? by_id(ctx, &l, c->id, "ABIBASE_BASELINE", ret) :
		       by_machine(ctx, &l, c, ret);
}
