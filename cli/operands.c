/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/limits.h"

/* Bytes of one operand in a list, which is a path or NAME=PATH; bad ones that are named; files of a
 * directory. */
#define OPERAND_MAX (2 * PATH_MAX)
#define BAD_MAX 256
#define FILES_MAX 65536

struct walk {
	const struct options *o;
	bool again; /* to find out more: what can be read only once is left out */
	cli_source_fn fn;
	void *data;
	size_t bad; /* of those that no word of the command line names alone */
};

/* Hand on one that a directory, a list or a file with several has. 0: go on. */
static int hand_on(struct walk *w, const char *from, const struct cli_source *s, int *status)
{
	int r = w->fn(w->data, s);

	if (r == 0)
		return 0;
	*status = r;
	if (++w->bad < BAD_MAX)
		return 0;
	return cli_error("%s: not read on after %d bad operands [usage]", from, BAD_MAX);
}

/* ------------------------------------------------------------------ a document a line */

#define BLOCK 65536

struct lines {
	const char *name;
	int fd;
	char *block; /* what was read, and of it handed on */
	size_t read, taken;
	char *text; /* the line */
	size_t len, size, line;
};

static void lines_clear(struct lines *l)
{
	free(l->block);
	free(l->text);
}

/* 1, 0 at the end, or a negative number having said why. */
static int read_block(struct lines *l)
{
	ssize_t n;

	l->block = l->block ? l->block : malloc(BLOCK);
	if (!l->block)
		return -cli_oom();
	n = TEMP_FAILURE_RETRY(read(l->fd, l->block, BLOCK));
	if (n < 0)
		return -cli_error("%s: cannot read: %s [io-error]", l->name, strerror(errno));
	l->read = (size_t)n;
	l->taken = 0;
	return n > 0;
}

static int append(struct lines *l, const char *from, size_t n)
{
	size_t size = l->size ? l->size : BLOCK;
	char *grown;

	if (l->len + n > JSON_MAX_BASELINE)
		return -cli_error("%s:%zu: the document has more than %u bytes, the most that is "
				  "accepted [file-too-large]",
				  l->name, l->line + 1, JSON_MAX_BASELINE);
	while (size < l->len + n)
		size *= 2;
	if (size > l->size) {
		grown = realloc(l->text, size);
		if (!grown)
			return -cli_oom();
		l->text = grown;
		l->size = size;
	}
	memcpy(l->text + l->len, from, n);
	l->len += n;
	return 0;
}

/* One line more behind what is there. 1, 0 at the end, or a negative number having said why. */
static int add_line(struct lines *l)
{
	const char *end = NULL;
	int r = 1;

	while (!end && r > 0) {
		const char *from;
		size_t n;

		r = l->taken < l->read ? 1 : read_block(l);
		if (r <= 0)
			break;
		from = l->block + l->taken;
		n = l->read - l->taken;
		end = memchr(from, '\n', n);
		if (end)
			n = (size_t)(end + 1 - from);
		l->taken += n;
		r = append(l, from, n) < 0 ? -STATUS_TROUBLE : 1;
	}
	if (r < 0)
		return r;
	l->line += l->len > 0;
	return r || l->len > 0;
}

/* A byte that is 0 is none of them: what a write left torn is no end of the list. */
static bool is_space(char c)
{
	return c && strchr(" \t\r\n", c);
}

static bool is_blank(const struct lines *l)
{
	for (size_t i = 0; i < l->len; i++)
		if (!is_space(l->text[i]))
			return false;
	return true;
}

/* Does a line end a document that begins in it? Of one that is written over several it does not. */
static bool is_whole(const struct lines *l)
{
	size_t n = l->len;

	while (n > 0 && is_space(l->text[n - 1]))
		n--;
	return n > 0 && l->text[n - 1] == '}';
}

static int each_line(struct walk *w, struct lines *l)
{
	int status = 0, r = 1;
	size_t n = 0;

	for (; r > 0; l->len = 0, r = add_line(l)) {
		_autofree_ char *name = NULL;
		struct cli_source s = { .text = l->text, .len = l->len };

		if (is_blank(l))
			continue;
		if (asprintf(&name, "%s:%zu", l->name, l->line) < 0) {
			name = NULL;
			return cli_oom();
		}
		s.name = name;
		n++;
		r = hand_on(w, l->name, &s, &status);
		if (r)
			return r;
	}
	if (r < 0)
		return STATUS_TROUBLE;
	return n ? status : cli_error("%s: no document in it [usage]", l->name);
}

/* What can be read only once has a document a line, or one that is written over all of its lines. */
static int read_once(struct walk *w, struct lines *l)
{
	struct cli_source s = { .name = l->name };
	size_t before;
	int r = add_line(l);

	if (r > 0 && is_whole(l))
		return each_line(w, l);
	for (before = 0; r > 0 && l->len > before; r = add_line(l))
		before = l->len;
	if (r < 0)
		return STATUS_TROUBLE;
	s.text = l->text ? l->text : "";
	s.len = l->len;
	return w->fn(w->data, &s);
}

/* @once: it is standard input or a pipe */
static int read_lines(struct walk *w, const char *path, bool once)
{
	bool from_stdin = streq(path, "-");
	_autofclose_ FILE *opened = from_stdin ? NULL : fopen_named(path);
	struct lines l = { .name = from_stdin ? "standard input" : path };
	int r;

	if (!from_stdin && !opened)
		return cli_error("%s: cannot open: %s [io-error]", path, open_words(errno));
	l.fd = from_stdin ? STDIN_FILENO : fileno(opened);
	if (once) {
		r = read_once(w, &l);
	} else {
		r = add_line(&l);
		r = r < 0 ? STATUS_TROUBLE : each_line(w, &l);
	}
	lines_clear(&l);
	return r;
}

/* ------------------------------------------------------------------------ directories */

static int read_entry(struct walk *w, const char *dir, const char *path, size_t *n, int *status)
{
	struct cli_source s = { .name = path };
	struct stat st;

	/*
	 * A directory in it is not gone into, and of a pipe or a device no end may come; what
	 * cannot be looked at is told by its reader.
	 */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return 0;
	++*n;
	return hand_on(w, dir, &s, status);
}

static int read_directory(struct walk *w, const char *dir)
{
	struct strings paths = { 0 };
	int status = 0, r = cli_documents(dir, &paths);
	size_t files = 0;

	if (r < 0)
		r = cli_error("%s: cannot read: %s [io-error]", dir, strerror(-r));
	else if (paths.n > FILES_MAX)
		r = cli_error("%s: has more than %d files, the most that is accepted [usage]", dir,
			      FILES_MAX);
	for (size_t i = 0; r == 0 && i < paths.n; i++)
		r = read_entry(w, dir, paths.s[i], &files, &status);
	strings_clear(&paths);
	if (r == 0 && files == 0)
		return cli_error("%s: no regular file in it has a name that ends in .json [usage]",
				 dir);
	return r ? r : status;
}

/* ------------------------------------------------------------------------------ all */

/* S_IFREG and the like; 0: there is none, or it cannot be looked at. */
static mode_t type_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mode & S_IFMT : 0;
}

/* Never one of the working directory by a name that a platform could have. */
static bool is_directory(const struct options *o, const char *operand, mode_t type)
{
	return type == S_IFDIR && (o->command->verb == VERB_VALIDATE || strchr(operand, '/') ||
				   streq(operand, ".") || streq(operand, ".."));
}

bool cli_operand_is_several(const struct options *o, const char *operand)
{
	return ends_with(operand, ".ndjson") || is_directory(o, operand, type_of(operand));
}

static int read_operand(struct walk *w, const char *operand)
{
	mode_t type = streq(operand, "-") ? S_IFIFO : type_of(operand);
	struct cli_source s = { .name = operand };
	bool once = type == S_IFIFO;

	if (w->again && (once || cli_operand_is_stdin(operand)))
		return 0;
	if (once || ends_with(operand, ".ndjson"))
		return read_lines(w, operand, once);
	return is_directory(w->o, operand, type) ? read_directory(w, operand) : w->fn(w->data, &s);
}

/* The next operand of the list, up to a NUL or the end. False: there is none. */
static bool next_operand(FILE *f, char operand[OPERAND_MAX + 1], size_t *ret_len)
{
	size_t n = 0;
	int c;

	while ((c = getc(f)) != EOF && c != '\0' && n < OPERAND_MAX)
		operand[n++] = (char)c;
	operand[n] = '\0';
	/* one that did not end here is longer than all that are accepted */
	*ret_len = n + (n == OPERAND_MAX && c != '\0' && c != EOF);
	return c != EOF || (n && !ferror(f));
}

/* Is it what a list can name? A list that is none, such as /dev/zero, is not read on. */
static int check_operand(const char *path, size_t n, const char *operand, size_t len)
{
	if (!len)
		return cli_error("%s: operand %zu is empty [usage]", path, n);
	if (len > OPERAND_MAX)
		return cli_error("%s: operand %zu has more than %d bytes before a NUL byte ends it "
				 "[usage]", path, n, OPERAND_MAX);
	if (cli_operand_is_stdin(operand))
		return cli_error("%s: operand %zu is standard input, '%s', which a list of operands "
				 "cannot name [usage]", path, n, operand);
	return 0;
}

/* The operands in a file, each ended by a NUL. */
static int read_list(struct walk *w, const char *path)
{
	bool from_stdin = streq(path, "-");
	_autofclose_ FILE *opened = from_stdin ? NULL : fopen_named(path);
	FILE *f = from_stdin ? stdin : opened;
	char operand[OPERAND_MAX + 1];
	size_t len, n = 0;
	int status = 0;

	if (from_stdin && w->again)
		return 0;
	if (!f)
		return cli_error("%s: %s [io-error]", path, open_words(errno));
	errno = 0;
	while (next_operand(f, operand, &len)) {
		if (check_operand(path, ++n, operand, len) != 0)
			return STATUS_TROUBLE;
		if (read_operand(w, operand) != 0) {
			status = STATUS_TROUBLE;
			if (++w->bad >= BAD_MAX)
				return cli_error("%s: not read on after %d bad operands [usage]", path,
						 BAD_MAX);
		}
		errno = 0;
	}
	if (!feof(f) || ferror(f))
		return cli_error("%s: %s [io-error]", path, strerror(errno ? errno : EIO));
	if (n == 0)
		return cli_error("%s: no operand in it [usage]", path);
	return status;
}

int cli_sources(const struct options *o, int first, bool again, cli_source_fn fn, void *data)
{
	struct walk w = { .o = o, .again = again, .fn = fn, .data = data };
	const char *list = options_arg(o, OPT_FILES0_FROM);
	int status = 0;

	for (int i = first; i < o->n_operands; i++)
		if (read_operand(&w, o->operands[i]) != 0)
			status = STATUS_TROUBLE;
	if (list && read_list(&w, list) != 0)
		status = STATUS_TROUBLE;
	return status;
}

int cli_check_sources(const struct options *o, int first, char *taken)
{
	char *list = options_arg(o, OPT_FILES0_FROM);
	char *found = list && streq(list, "-") ? list : NULL;
	const char *verb = o->command->name;

	if (cli_check_stdin_once(verb, &taken, 1, &found) != 0)
		return STATUS_TROUBLE;
	return cli_check_stdin_once(verb, o->operands + first, o->n_operands - first, &found);
}

int cli_source_load(struct abibase_context *ctx, const struct cli_source *s,
		    struct abibase_profile **ret_profile, struct abibase_baseline **ret_baseline)
{
	if (s->text)
		return abibase_operand_from_buffer(ctx, s->text, s->len, s->name, ret_profile,
						   ret_baseline);
	return abibase_operand_load(ctx, s->name, ret_profile, ret_baseline);
}

/* Was this said before? Of no more than are told at all: a record that many profiles name. */
static bool said_before(const char *where, const char *sentence)
{
	static char *said[BAD_MAX];
	static size_t n;
	char *line;
	bool before = false;

	if (asprintf(&line, "%s: %s", where, sentence) < 0)
		return false;
	for (size_t i = 0; i < n && !before; i++)
		before = streq(said[i], line);
	if (before || n == BAD_MAX)
		free(line);
	else
		said[n++] = line;
	return before;
}

int cli_source_error(struct abibase_context *ctx, const struct cli_source *s, int err)
{
	const char *where = abibase_context_error_where(ctx);
	bool own = !where || strncmp(where, s->name, strlen(s->name)) == 0;
	bool before = where && said_before(where, abibase_context_error(ctx));

	return before && !own ? STATUS_TROUBLE : cli_context_error(ctx, err);
}

/* ----------------------------------------------------------------------------- hosts */

struct hosts {
	struct abibase_context *ctx;
	cli_profile_fn fn;
	void *data;
};

static int take_host(void *data, const struct cli_source *s)
{
	const struct hosts *h = data;
	_unref_(profile) *p = NULL;
	_unref_(baseline) *b = NULL;
	int r = cli_source_load(h->ctx, s, &p, &b);

	if (r < 0)
		return cli_source_error(h->ctx, s, r);
	if (b)
		return cli_error("%s: is a baseline, not a profile [schema-other]", s->name);
	return p ? h->fn(h->data, p) : 0;
}

int cli_profiles(struct abibase_context *ctx, const struct options *o, int first, cli_profile_fn fn,
		 void *data)
{
	struct hosts h = { .ctx = ctx, .fn = fn, .data = data };

	return cli_sources(o, first, false, take_host, &h);
}

int cli_probe_here(struct abibase_context *ctx, struct abibase_catalogue *cat,
		   struct abibase_profile **ret)
{
	_unref_(probe) *probe = NULL;
	int r = abibase_probe_new(ctx, &probe);

	if (r == 0)
		r = abibase_probe_run(probe, cat, ret);
	return r < 0 ? cli_context_error(ctx, r) : 0;
}

/* All that have a name; a file that is refused is said, and left out. */
static int platforms(struct abibase_context *ctx, struct abibase_platforms **ret)
{
	_unref_(result) *res = NULL;
	const struct abibase_value *files, *f;
	size_t i = 0;
	int r = abibase_platforms_new(ctx, ret);

	if (r == 0)
		r = abibase_platforms_list(ctx, *ret, &res);
	if (r < 0)
		return cli_context_error(ctx, r);
	files = abibase_value_member(abibase_result_value(res), "files");
	while ((f = abibase_value_item(files, i++))) {
		const char *why = cli_text(f, "text");

		if (why)
			cli_error("warning: %s: refused: %s", cli_text(f, "path"), why);
	}
	return 0;
}

void cli_list_clear(struct cli_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		abibase_profile_unref(l->profile[i]);
	free(l->profile);
	strings_clear(&l->names);
}

int cli_add_names(struct strings *names, const struct options *o, int id, bool several)
{
	char *list, *name;

	for (size_t i = 0; (list = options_next(o, id, &i));)
		while ((name = several ? strsep(&list, ",") : steal(&list)))
			if (strings_add(names, name) < 0)
				return cli_oom();
	return 0;
}

int cli_add_backends(struct abibase_intersection *ix, const struct options *o)
{
	char *list, *name;
	int r = 0;

	for (size_t i = 0; r == 0 && (list = options_next(o, OPT_BACKEND, &i));)
		while (r == 0 && (name = strsep(&list, ",")))
			r = abibase_intersection_add_backend(ix, name);
	return r;
}

int cli_list_add(struct cli_list *l, struct abibase_profile *p)
{
	if (array_grow(&l->profile, l->n, &l->cap, sizeof(*l->profile)) < 0)
		return cli_oom();
	l->profile[l->n++] = abibase_profile_ref(p);
	return 0;
}

int cli_list_take(void *list, struct abibase_profile *p)
{
	return cli_list_add(list, p);
}

int cli_list_load(struct abibase_context *ctx, const struct options *o, struct cli_list *l)
{
	struct hosts h = { .ctx = ctx, .fn = cli_list_take, .data = l };
	struct walk w = { .o = o, .fn = take_host, .data = &h };
	int status = 0;

	for (size_t i = 0; i < l->names.n; i++)
		if (read_operand(&w, l->names.s[i]) != 0)
			status = STATUS_TROUBLE;
	return status;
}

int cli_list_platforms(struct abibase_context *ctx, struct cli_list *l)
{
	_unref_(platforms) *list = NULL;
	struct abibase_profile *p;
	int r = platforms(ctx, &list);

	for (size_t i = 0; r == 0 && (p = abibase_platforms_profile(list, i)); i++)
		r = cli_list_add(l, p);
	return r;
}

/* -------------------------------------------------------------------------- machines */

const char *cli_next_machine(const struct abibase_profile *p, struct cli_machines *at)
{
	const struct abibase_value *qemus = abibase_value_member(abibase_profile_value(p), "qemu");
	const struct abibase_value *qemu;
	const char *name;

	for (; (qemu = abibase_value_item(qemus, at->qemu)); at->qemu++, at->machine = 0) {
		const struct abibase_value *list = abibase_value_member(qemu, "machines");

		while ((name = abibase_value_key(list, at->machine++)))
			if (strchr(name, '.'))
				return name;
	}
	return NULL;
}

/* Of a name that upstream's QEMU has, or will have, nobody knows better what was meant. */
bool cli_machine_begin(const struct options *o, struct cli_machine *ret)
{
	const char *name = options_arg(o, 'M');
	unsigned int major, minor;
	char rest;

	*ret = (struct cli_machine){ .suggest.word = name };
	return name && sscanf(name, "pc-q35-%2u.%2u%c", &major, &minor, &rest) != 2 &&
	       sscanf(name, "pc-i440fx-%2u.%2u%c", &major, &minor, &rest) != 2;
}

void cli_offer_machines(struct cli_machine *m, const struct abibase_profile *p)
{
	struct cli_machines at = { 0 };
	const char *machine;

	while (!m->exists && (machine = cli_next_machine(p, &at))) {
		m->exists = streq(machine, m->suggest.word);
		suggest_offer(&m->suggest, machine);
	}
}

void cli_suggest_machine(const struct cli_machine *m)
{
	char near[SUGGEST_TEXT];

	if (m->exists || !m->suggest.n)
		return;
	suggest_text(&m->suggest, "\"", near);
	cli_error("no QEMU of these hosts is known to have the machine type \"%s\"%s",
		  m->suggest.word, near);
}
