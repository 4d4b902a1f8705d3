/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document/rehearsals.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>

#include "base/context.h"
#include "document/domain.h"

#define ADMIN_DIR ABIBASE_SYSCONFDIR "/rehearsals"
#define HOST_DIR "/var/lib/abibase/rehearsals"
#define KEY_MIN 8

/* One side of the name of a file */
struct side {
	const char *version, *key;
};

struct file {
	char *path, *name; /* @name is cut into the words of the sides */
	struct side from, to;
	struct rehearsal_result result;
};

struct rehearsals {
	struct file *files;
	size_t n, cap;
	bool listed;
	json_t *specimens;
};

static void file_clear(struct file *f)
{
	free(f->path);
	free(f->name);
	rehearsal_result_clear(&f->result);
}

static void rehearsals_clear(void *data)
{
	struct rehearsals *all = data;

	for (size_t i = 0; i < all->n; i++)
		file_clear(&all->files[i]);
	free(all->files);
	json_decref(all->specimens);
}

static struct rehearsals *of_context(struct abibase_context *ctx)
{
	struct rehearsals *all =
		context_keep(ctx, KEPT_REHEARSALS, sizeof(*all), rehearsals_clear);

	if (!all)
		context_oom(ctx);
	return all;
}

/* ------------------------------------------------------------------------- the files */

/* "10.0.13-KEY"; false: it is no such word */
static bool cut_side(char *word, struct side *ret)
{
	char *dash = word ? strchr(word, '-') : NULL;

	if (!dash || strlen(dash + 1) < KEY_MIN)
		return false;
	*dash = '\0';
	*ret = (struct side){ word, dash + 1 };
	return true;
}

static bool cut_name(struct file *f)
{
	char *middle = strchr(f->name, '_');

	if (!middle)
		return false;
	*middle = '\0';
	return cut_side(f->name, &f->from) && cut_side(middle + 1, &f->to);
}

/* 1: it is no result by its name, or one before it has the name. */
static int add_file(struct rehearsals *all, const char *dir, const char *name)
{
	struct file f = { .name = strndup(name, length_without(name, ".json")) };

	if (!f.name || asprintf(&f.path, "%s/%s", dir, name) < 0) {
		free(f.name);
		return -ENOMEM;
	}
	if (!cut_name(&f)) {
		file_clear(&f);
		return 0;
	}
	for (size_t i = 0; i < all->n; i++)
		if (streq(strrchr(all->files[i].path, '/') + 1, name)) {
			file_clear(&f);
			return 0;
		}
	if (array_grow(&all->files, all->n, &all->cap, sizeof(*all->files)) < 0) {
		file_clear(&f);
		return -ENOMEM;
	}
	all->files[all->n++] = f;
	return 0;
}

/* A directory that is not there has none. */
static int list_dir(struct abibase_context *ctx, struct rehearsals *all, const char *dir)
{
	DIR *d = dir ? opendir(dir) : NULL;
	struct dirent *e;
	int r = 0;

	if (!d)
		return !dir || errno == ENOENT || errno == ENOTDIR ?
			       0 :
			       context_fail(ctx, errno, "io-error", dir, "cannot read: %s",
					    strerror(errno));
	while (r == 0 && (e = readdir(d)))
		if (ends_with(e->d_name, ".json") && *e->d_name != '.')
			r = add_file(all, dir, e->d_name);
	closedir(d);
	return r < 0 ? context_oom(ctx) : 0;
}

static int cmp_file(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int list_all(struct abibase_context *ctx, struct rehearsals *all)
{
	_buf_ dir = { 0 };
	int r;

	if (all->listed)
		return 0;
	if (ctx->data_dir)
		buf_printf(&dir, "%s/rehearsals", ctx->data_dir);
	if (buf_failed(&dir))
		return context_oom(ctx);
	r = list_dir(ctx, all, ADMIN_DIR);
	if (r == 0)
		r = list_dir(ctx, all, HOST_DIR);
	if (r == 0)
		r = list_dir(ctx, all, dir.data);
	/* the same answer in whatever order a directory has them */
	if (r == 0 && all->n > 1)
		qsort(all->files, all->n, sizeof(*all->files), cmp_file);
	all->listed = r == 0;
	return r;
}

/* ---------------------------------------------------------------------- which of them */

/* What an entry says of its build: looked up once, for there are many files. */
struct entry {
	const char *build_id, *build, *version;
};

static struct entry entry_of(const json_t *entry)
{
	return (struct entry){ string_of(entry, "build_id"), string_of(entry, "build"),
			       string_of(entry, "version") };
}

static bool is_key(const struct side *s, const struct entry *e)
{
	return (e->build_id && streq(s->key, e->build_id)) || (e->build && streq(s->key, e->build));
}

static bool is_version(const struct side *s, const struct entry *e)
{
	return e->version && streq(s->version, e->version);
}

static bool names(const struct side *s, const struct result_build *b)
{
	return streq(s->version, b->version) &&
	       (same_text(s->key, b->build_id) || same_text(s->key, b->build));
}

static int read_result(struct abibase_context *ctx, struct file *f)
{
	json_t *root;
	int r;

	if (f->result.root)
		return 0;
	r = document_read(ctx, f->path, &rehearsal_result_form, &root);
	if (r == 0)
		r = document_check(ctx, root, f->path, &rehearsal_result_form);
	if (r < 0)
		return r;
	if (rehearsal_result_take(&f->result, root) < 0)
		return context_oom(ctx);
	if (f->result.destination.version && names(&f->from, &f->result.source) &&
	    names(&f->to, &f->result.destination))
		return 0;
	rehearsal_result_clear(&f->result);
	return context_fail(ctx, EBADMSG, "rehearsal-other-build", f->path,
			    "the name says of which builds it is, and the document has others; call "
			    "it VERSION-BUILDID_VERSION-BUILDID.json, the source first");
}

/* Does the entry say more of its build than the version? */
static bool is_of_a_build(const json_t *entry)
{
	return string_of(entry, "build") || string_of(entry, "build_id") ||
	       string_of(entry, "package");
}

int rehearsals_find(struct abibase_context *ctx, const json_t *source, const json_t *destination,
		    struct rehearsed_pair *ret)
{
	const struct entry from = entry_of(source), to = entry_of(destination);
	struct rehearsals *all = of_context(ctx);
	int r = all ? list_all(ctx, all) : -ENOMEM;
	struct file *other = NULL;

	*ret = (struct rehearsed_pair){ .from = from.version, .to = to.version };
	for (size_t i = 0; r == 0 && i < all->n; i++) {
		struct file *f = &all->files[i];

		if (is_key(&f->from, &from) && is_key(&f->to, &to)) {
			r = read_result(ctx, f);
			ret->result = r < 0 ? NULL : &f->result;
			return r;
		}
		if (!other && is_version(&f->from, &from) && is_version(&f->to, &to))
			other = f;
	}
	if (r < 0 || !other || !is_of_a_build(source) || !is_of_a_build(destination))
		return r;
	r = read_result(ctx, other);
	ret->other = r < 0 ? NULL : &other->result;
	return r;
}

int rehearsals_know(struct abibase_context *ctx, const json_t *entry, bool *ret)
{
	const struct entry e = entry_of(entry);
	struct rehearsals *all = of_context(ctx);
	int r = all ? list_all(ctx, all) : -ENOMEM;

	*ret = false;
	for (size_t i = 0; r == 0 && !*ret && i < all->n; i++)
		*ret = is_key(&all->files[i].from, &e) || is_key(&all->files[i].to, &e);
	return r;
}

/* ------------------------------------------------------------------------- specimens */

int specimens_load(struct abibase_context *ctx, const json_t **ret)
{
	struct rehearsals *all = of_context(ctx);
	int r = all ? 0 : -ENOMEM;

	if (r == 0 && !all->specimens)
		r = data_load(ctx, &specimens_form, &all->specimens);
	if (r == 0)
		*ret = json_object_get(all->specimens, "specimens");
	return r;
}

json_t *specimens_of(const json_t *specimens, enum specimen_of of, const char *what)
{
	const char *key = of == SPECIMEN_CLASS ? "classes" : "domain", *name;
	json_t *list = json_array(), *v;

	json_object_foreach((json_t *)specimens, name, v)
		if (list && json_matches(json_object_get(v, key), what) &&
		    json_add(list, json_string(name)) < 0) {
			json_decref(list);
			list = NULL;
		}
	return list;
}

/* ------------------------------------------------------------------- a guest's classes */

static int add_patterns(json_t *list, const json_t *patterns)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)patterns, i, v)
		if (!json_has(list, json_string_value(v)) && json_array_append(list, v) < 0)
			return -ENOMEM;
	return 0;
}

/* Those of the specimens that it is one of; @any: is there one? */
static int add_specimens(const json_t *root, enum specimen_of of, const char *what, json_t *list,
			 bool *any)
{
	const json_t *specimens = json_object_get(root, "specimens");
	json_auto_t *names = specimens_of(specimens, of, what);
	int r = names ? 0 : -ENOMEM;
	size_t i;
	json_t *v;

	*any = json_array_size(names);
	json_array_foreach(names, i, v)
		if (r == 0)
			r = add_patterns(list, json_object_get(json_object_get(specimens,
									       json_string_value(v)),
							       "classes"));
	return r;
}

static int add_word(const json_t *root, const char *word, struct guest_classes *c)
{
	bool any;
	int r = add_specimens(root, SPECIMEN_DOMAIN, word, c->patterns, &any);
	const char *pattern;
	json_t *v;

	json_object_foreach(json_object_get(root, "others"), pattern, v)
		if (r == 0 && fnmatch(pattern, word, 0) == 0) {
			r = add_patterns(c->patterns, v);
			any = true;
		}
	return r == 0 ? json_add(any ? c->known : c->rest, json_string(word)) : r;
}

static int add_class(const json_t *root, const char *class_name, json_t *list)
{
	bool any;

	if (!json_has(list, class_name) && json_add(list, json_string(class_name)) < 0)
		return -ENOMEM;
	return add_specimens(root, SPECIMEN_CLASS, class_name, list, &any);
}

int guest_classes_find(struct abibase_context *ctx, const struct abibase_guest *g,
		       struct guest_classes *ret)
{
	const json_t *words = json_object_get(g->root, DOMAIN_NOT_COMPARED), *specimens, *root;
	int r = specimens_load(ctx, &specimens);
	size_t i;
	json_t *v;

	if (r < 0)
		return r;
	root = of_context(ctx)->specimens;
	*ret = (struct guest_classes){ json_array(), json_array(), json_array() };
	r = ret->patterns && ret->known && ret->rest ? 0 : -ENOMEM;
	for (size_t k = 0; r == 0 && k < g->n; k++)
		r = add_class(root, g->devices[k].class_name, ret->patterns);
	json_array_foreach((json_t *)words, i, v)
		if (r == 0)
			r = add_word(root, json_string_value(v), ret);
	if (r == 0)
		return 0;
	guest_classes_clear(ret);
	return context_oom(ctx);
}

void guest_classes_clear(struct guest_classes *c)
{
	json_decref(steal(&c->patterns));
	json_decref(steal(&c->known));
	json_decref(steal(&c->rest));
}

/* ------------------------------------------------------------------- a guest's devices */

static int put_device(struct rehearsed_devices *r, enum rehearsed_how how, const char *name,
		      const char *said)
{
	if (json_has(r->names[how], name))
		return 0;
	if (!json_array_size(r->names[how]))
		r->said[how] = said;
	return json_add(r->names[how], json_harmless(name));
}

/* Of several specimens: the first fate, where all fail; all load; else it is not known. */
static int judge_names(const struct result_machine *m, const json_t *names, const char *what,
		       struct rehearsed_devices *ret)
{
	enum rehearsed_how worst = REHEARSED_NOT, how;
	const char *said = NULL, *name = what, *word;
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)names, i, v) {
		how = rehearsed_how(m, json_string_value(v), &word);
		if (i && (how > REHEARSED_LOADS) != (worst > REHEARSED_LOADS))
			how = REHEARSED_NOT;
		if (i && how != REHEARSED_NOT)
			continue;
		worst = how;
		said = word;
		name = how == REHEARSED_NOT ? what : json_string_value(v);
		if (i)
			break;
	}
	return put_device(ret, worst, name, said);
}

static int judge_word(const json_t *specimens, const struct result_machine *m, enum specimen_of of,
		      const char *what, struct rehearsed_devices *ret)
{
	json_auto_t *names = specimens_of(specimens, of, what);

	return names ? judge_names(m, names, what, ret) : -ENOMEM;
}

static int begin(struct rehearsed_devices *r)
{
	*r = (struct rehearsed_devices){ 0 };
	for (size_t i = 0; i < N_REHEARSED; i++) {
		r->names[i] = json_array();
		if (!r->names[i])
			return -ENOMEM;
	}
	return 0;
}

static bool is_judged(const struct abibase_catalogue *cat, const char *class_name)
{
	for (size_t i = 0; cat && i < cat->n_rows; i++)
		if (streq(cat->rows[i].class_name, class_name))
			return true;
	return false;
}

int rehearsed_of_guest(const json_t *specimens, const struct result_machine *m,
		       const struct abibase_catalogue *cat, const struct abibase_guest *g,
		       struct rehearsed_devices *ret)
{
	const json_t *words = json_object_get(g->root, DOMAIN_NOT_COMPARED);
	int r = begin(ret);
	size_t i;
	json_t *v;

	for (size_t k = 0; r == 0 && k < g->n; k++)
		if (!is_judged(cat, g->devices[k].class_name))
			r = judge_word(specimens, m, SPECIMEN_CLASS, g->devices[k].class_name, ret);
	json_array_foreach((json_t *)words, i, v)
		if (r == 0)
			r = judge_word(specimens, m, SPECIMEN_DOMAIN, json_string_value(v), ret);
	return r;
}

int rehearsed_of_class(const json_t *specimens, const struct result_machine *m,
		       const char *class_name, struct rehearsed_devices *ret)
{
	int r = begin(ret);

	return r == 0 ? judge_word(specimens, m, SPECIMEN_CLASS, class_name, ret) : r;
}

static int put_all(struct rehearsed_devices *r, enum rehearsed_how how, const json_t *of)
{
	const char *name;
	json_t *said;

	json_object_foreach((json_t *)of, name, said)
		if (put_device(r, how, name, json_string_value(said)) < 0)
			return -ENOMEM;
	return 0;
}

int rehearsed_of_all(const struct result_machine *m, struct rehearsed_devices *ret)
{
	int r = begin(ret);

	if (r == 0)
		r = put_all(ret, REHEARSED_REFUSED, m->refused);
	return r == 0 ? put_all(ret, REHEARSED_NO_START, m->no_start) : r;
}

void rehearsed_devices_clear(struct rehearsed_devices *r)
{
	for (size_t i = 0; i < N_REHEARSED; i++)
		json_decref(r->names[i]);
}

bool rehearsed_fails(const struct rehearsed_devices *r)
{
	for (size_t i = REHEARSED_REFUSED; i < N_REHEARSED; i++)
		if (json_array_size(r->names[i]))
			return true;
	return false;
}

/* "a", "a and b", "a, b and c" */
static void write_names(const json_t *names, struct buf *out)
{
	size_t n = json_array_size(names), i;
	json_t *v;

	json_array_foreach((json_t *)names, i, v)
		buf_printf(out, "%s%s", !i ? "" : i + 1 == n ? " and " : ", ",
			   json_string_value(v));
}

void rehearsed_write(const struct rehearsed_devices *r, struct buf *out)
{
	static const char *const words[N_REHEARSED][2] = {
		[REHEARSED_REFUSED] = { "is refused", "are refused" },
		[REHEARSED_NO_START] = { "does not start there", "do not start there" },
		[REHEARSED_BLOCKED] = { "cannot be saved", "cannot be saved" },
		[REHEARSED_ABSENT] = { "is none that the source has",
				       "are none that the source has" },
	};
	size_t start = out->len;

	for (size_t i = REHEARSED_REFUSED; i < N_REHEARSED; i++) {
		size_t n = json_array_size(r->names[i]);

		if (!n)
			continue;
		if (out->len > start)
			buf_puts(out, "; ");
		write_names(r->names[i], out);
		buf_printf(out, " %s (%s%s%s)", words[i][n > 1],
			   n > 1 ? json_string_value(json_array_get(r->names[i], 0)) : "",
			   n > 1 ? ": " : "", r->said[i]);
	}
}
