/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <syslog.h>

#include "base/context.h"
#include "base/suggest.h"
#include "document/build.h"
#include "document/json.h"
#include "document/platforms.h"
#include "document/profile.h"

enum platform_state {
	PLATFORM_USED,
	PLATFORM_HIDDEN,
	PLATFORM_MASKS,
	PLATFORM_REFUSED,
	PLATFORM_DUPLICATE,
};

struct candidate {
	char *path;
	const char *base; /* in path */
	size_t dir;	  /* index into the search path: the higher, the more specific */
	enum platform_state state;
	char *detail, *alias;
	struct strings codenames;
	struct abibase_profile *profile; /* when used */
};

struct abibase_platforms {
	int refcount;
	struct candidate *c;
	size_t n, cap;
};

/* ------------------------------------------------------------- what is accepted */

static const struct member codenames_members[] = {
	{ "codenames", J_OBJECT, .required = true, .keys = schema_key, .each = EACH_NAME },
	{ "schema", J_STRING, .required = true },
	{ 0 },
};

const struct form codenames_form = { "codenames", .members = codenames_members,
				     .more = MORE_FREE, .max = JSON_MAX_PROFILE };

/* ------------------------------------------------------------------- file names */

static size_t prefix_len(const char *base)
{
	size_t digits = strspn(base, "0123456789");

	return digits && base[digits] == '-' ? digits + 1 : 0;
}

static bool is_stem(const char *base, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(base, name, len) && streq(base + len, ".json");
}

bool platform_file_fits(const char *base, const char *name)
{
	return is_stem(base, name) || is_stem(base + prefix_len(base), name);
}

/* Length of the "-YYYY.MM" at the end of the @len bytes of a name of a moving track, else 0. */
static size_t date_len(const char *s, size_t len)
{
	static const char form[] = "-0000.00";

	if (len <= strlen(form))
		return 0;
	s += len - strlen(form);
	for (size_t i = 0; form[i]; i++)
		if (form[i] == '0' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return 0;
	return strlen(form);
}

/* The "-YYYY.MM" when these @len bytes are a name of this track, else NULL. */
static const char *date_in_track(const char *s, size_t len, const char *track, size_t track_len)
{
	size_t date = date_len(s, len);

	return date && len - date == track_len && !strncmp(s, track, track_len) ? s + track_len :
										  NULL;
}

/* ---------------------------------------------------------------- what there is */

static int add_candidate(struct abibase_platforms *l, const char *dir, size_t dir_index,
			 const char *base)
{
	struct candidate *c;

	if (array_grow(&l->c, l->n, &l->cap, sizeof(*l->c)) < 0)
		return -ENOMEM;
	c = &l->c[l->n];
	memset(c, 0, sizeof(*c));
	c->dir = dir_index;
	if (asprintf(&c->path, "%s/%s", dir, base) < 0)
		return -ENOMEM;
	c->base = c->path + strlen(dir) + 1;
	l->n++;
	return 0;
}

static int read_entries(struct abibase_context *ctx, struct abibase_platforms *l, DIR *d,
			const char *dir, size_t dir_index)
{
	const struct dirent *e;

	for (errno = 0; (e = readdir(d)); errno = 0) {
		if (e->d_name[0] == '.' || !ends_with(e->d_name, ".json"))
			continue;
		if (add_candidate(l, dir, dir_index, e->d_name) < 0)
			return context_oom(ctx);
	}
	return errno ? context_fail(ctx, errno, "io-error", dir, "cannot read the directory: %s",
				    strerror(errno)) :
		       0;
}

static int read_directory(struct abibase_context *ctx, struct abibase_platforms *l,
			  const char *dir, size_t dir_index)
{
	DIR *d = opendir(dir);
	int r;

	if (!d && errno == ENOENT)
		return 0;
	if (!d)
		return context_fail(ctx, errno, "io-error", dir, "cannot open the directory: %s",
				    strerror(errno));
	r = read_entries(ctx, l, d, dir, dir_index);
	closedir(d);
	return r;
}

/* By file name, then the most specific directory first. */
static int cmp_candidate(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int r = strcmp(x->base, y->base);

	return r ? r : (x->dir < y->dir) - (x->dir > y->dir);
}

/* ------------------------------------------------------- what becomes of each of it */

static _printf_(2, 3) int refuse(struct candidate *c, const char *fmt, ...)
{
	_buf_ text = { 0 };
	va_list ap;

	c->state = PLATFORM_REFUSED;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	return buf_give(&text, &c->detail);
}

/* The place within the file: its name stands before it anyway. */
static const char *place_within(const char *path, const char *where)
{
	if (!where || !strprefix(where, path))
		return "";
	where += strlen(path);
	return where + strspn(where, ": ");
}

static int refuse_unreadable(struct candidate *c, const struct abibase_context *failed)
{
	const char *place = place_within(c->path, failed->error_where);
	const char *sentence = abibase_context_error(failed);

	return refuse(c, "%s%s%s", place, *place ? ": " : "", sentence);
}

static int read_candidate(struct abibase_context *ctx, struct candidate *c)
{
	/* one bad file is no failure of the call: it must not become the last error of @ctx */
	struct abibase_context inner = { .log = ctx->log, .log_data = ctx->log_data };
	int r = profile_read(&inner, c->path, &c->profile);

	if (r < 0 && r != -ENOMEM)
		r = refuse_unreadable(c, &inner);
	free(inner.error);
	free(inner.error_where);
	if (r < 0 || !c->profile || streq(c->profile->kind, "platform"))
		return r;
	c->profile = abibase_profile_unref(c->profile);
	return refuse(c, "/kind: is \"host\", and only platforms are looked for here: name a host's "
			 "profile by its path");
}

static bool is_null_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static int judge(struct abibase_context *ctx, struct candidate *c)
{
	struct stat st;

	if (stat(c->path, &st) < 0)
		return refuse(c, "cannot be read: %s", strerror(errno));
	if (is_null_device(&st) || (S_ISREG(st.st_mode) && st.st_size == 0)) {
		c->state = PLATFORM_MASKS;
		return 0;
	}
	/* a pipe or a device is never opened: that could block, or do something */
	if (!S_ISREG(st.st_mode))
		return refuse(c, "is %s, not a regular file",
			      S_ISDIR(st.st_mode) ? "a directory" : "a special file");
	return read_candidate(ctx, c);
}

/* A broken override does not bring back what it was to replace: whoever wrote it meant to. */
static int say_what_is_hidden(struct candidate *head, const struct candidate *hidden, size_t n)
{
	_buf_ b = { 0 };

	buf_printf(&b, "%s; it still hides ", head->detail);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", hidden[i].path);
	free(head->detail);
	head->detail = NULL;
	return buf_give(&b, &head->detail);
}

/* The @n candidates of one file name, the most specific first. */
static int resolve_group(struct abibase_context *ctx, struct candidate *group, size_t n)
{
	int r = judge(ctx, &group[0]);

	for (size_t i = 1; r == 0 && i < n; i++) {
		group[i].state = PLATFORM_HIDDEN;
		r = context_replace(NULL, &group[i].detail, group[0].path);
	}
	if (r == 0 && n > 1 && group[0].state == PLATFORM_REFUSED)
		r = say_what_is_hidden(&group[0], &group[1], n - 1);
	return r;
}

static int resolve_all(struct abibase_context *ctx, struct abibase_platforms *l)
{
	for (size_t i = 0, n; i < l->n; i += n) {
		for (n = 1; i + n < l->n && streq(l->c[i].base, l->c[i + n].base);)
			n++;
		if (resolve_group(ctx, &l->c[i], n) < 0)
			return context_oom(ctx);
	}
	return 0;
}

/* The used candidate of this name among the first @n, or NULL. */
static struct candidate *find_used(const struct abibase_platforms *l, size_t n, const char *name,
				   size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (l->c[i].profile && strlen(l->c[i].profile->name) == len &&
		    !strncmp(l->c[i].profile->name, name, len))
			return &l->c[i];
	return NULL;
}

static int drop_duplicates(struct abibase_context *ctx, struct abibase_platforms *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct candidate *c = &l->c[i];
		const struct candidate *first;

		if (!c->profile)
			continue;
		first = find_used(l, i, c->profile->name, strlen(c->profile->name));
		if (!first)
			continue;
		c->state = PLATFORM_DUPLICATE;
		if (context_replace(ctx, &c->detail, first->path) < 0)
			return -ENOMEM;
		c->profile = abibase_profile_unref(c->profile);
	}
	return 0;
}

/* Is there another of this track with a later date? The dates sort as text. */
static bool is_superseded(const struct abibase_platforms *l, const char *name, size_t track_len)
{
	for (size_t i = 0; i < l->n; i++) {
		const char *other = l->c[i].profile ? l->c[i].profile->name : "";
		const char *date = date_in_track(other, strlen(other), name, track_len);

		if (date && strcmp(date, name + track_len) > 0)
			return true;
	}
	return false;
}

static int name_tracks(struct abibase_context *ctx, struct abibase_platforms *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const char *name = l->c[i].profile ? l->c[i].profile->name : "";
		size_t date = date_len(name, strlen(name));
		size_t len = strlen(name) - date;

		if (!date || find_used(l, l->n, name, len) || is_superseded(l, name, len))
			continue;
		l->c[i].alias = strndup(name, len);
		if (!l->c[i].alias)
			return context_oom(ctx);
	}
	return 0;
}

static struct candidate *find_alias(const struct abibase_platforms *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if ((l->c[i].alias && streq(l->c[i].alias, name)) ||
		    strings_have(&l->c[i].codenames, name))
			return &l->c[i];
	return NULL;
}

static struct candidate *find_named(const struct abibase_platforms *l, const char *name)
{
	struct candidate *c = find_used(l, l->n, name, strlen(name));

	return c ? c : find_alias(l, name);
}

/* data/codenames.json. A platform of that name comes first. Data without the file has none. */
static int name_codenames(struct abibase_context *ctx, struct abibase_platforms *l)
{
	struct abibase_context inner = { .data_dir = ctx->data_dir };
	json_auto_t *root = NULL;
	const char *name;
	json_t *of;
	int r = data_load(&inner, &codenames_form, &root);

	if (r < 0 && r != -ENOENT)
		context_fail(ctx, -r, inner.error_id, inner.error_where, "%s",
			     abibase_context_error(&inner));
	free(inner.error);
	free(inner.error_where);
	json_object_foreach(json_object_get(root, "codenames"), name, of) {
		struct candidate *c = find_named(l, json_string_value(of));

		if (c && !find_named(l, name) && strings_insert(&c->codenames, name) < 0)
			return context_oom(ctx);
	}
	return r == -ENOENT ? 0 : r;
}

static int platforms_fill(struct abibase_context *ctx, struct abibase_platforms *l)
{
	int r;

	for (size_t i = 0; i < ctx->platform_path.n; i++) {
		r = read_directory(ctx, l, ctx->platform_path.s[i], i);
		if (r < 0)
			return r;
	}
	if (l->n)
		qsort(l->c, l->n, sizeof(*l->c), cmp_candidate);
	r = resolve_all(ctx, l);
	if (r == 0)
		r = drop_duplicates(ctx, l);
	if (r == 0)
		r = name_tracks(ctx, l);
	return r < 0 ? r : name_codenames(ctx, l);
}

ABIBASE_EXPORT int abibase_platforms_new(struct abibase_context *ctx,
					 struct abibase_platforms **ret)
{
	struct abibase_platforms *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return context_oom(ctx);
	l->refcount = 1;
	r = platforms_fill(ctx, l);
	if (r < 0) {
		abibase_platforms_unref(l);
		return r;
	}
	*ret = l;
	return 0;
}

ABIBASE_EXPORT struct abibase_platforms *abibase_platforms_unref(struct abibase_platforms *l)
{
	if (!l || __atomic_sub_fetch(&l->refcount, 1, __ATOMIC_ACQ_REL) > 0)
		return NULL;
	for (size_t i = 0; i < l->n; i++) {
		free(l->c[i].path);
		free(l->c[i].detail);
		free(l->c[i].alias);
		strings_clear(&l->c[i].codenames);
		abibase_profile_unref(l->c[i].profile);
	}
	free(l->c);
	free(l);
	return NULL;
}

size_t platforms_count(const struct abibase_platforms *l)
{
	return l->n;
}

const char *platforms_get(const struct abibase_platforms *l, size_t i, const char *part)
{
	static const char *const states[] = {
		[PLATFORM_USED] = "used",	[PLATFORM_HIDDEN] = "hidden",
		[PLATFORM_MASKS] = "masks",	[PLATFORM_REFUSED] = "refused",
		[PLATFORM_DUPLICATE] = "duplicate",
	};

	if (streq(part, "path"))
		return l->c[i].path;
	if (streq(part, "state"))
		return states[l->c[i].state];
	if (streq(part, "detail"))
		return l->c[i].detail;
	return streq(part, "alias") ? l->c[i].alias : NULL;
}

const struct strings *platforms_codenames(const struct abibase_platforms *l, size_t i)
{
	return &l->c[i].codenames;
}

struct abibase_profile *platforms_at(const struct abibase_platforms *l, size_t i)
{
	return l->c[i].profile;
}

ABIBASE_EXPORT struct abibase_profile *
abibase_platforms_profile(const struct abibase_platforms *l, size_t i)
{
	for (size_t k = 0; l && k < l->n; k++)
		if (l->c[k].profile && i-- == 0)
			return l->c[k].profile;
	return NULL;
}

/* ---------------------------------------------------------------------- by name */

static void add_names(struct buf *b, const struct abibase_platforms *l)
{
	size_t start = b->len;

	for (size_t i = 0; i < l->n; i++) {
		if (!l->c[i].profile)
			continue;
		buf_printf(b, "%s%s", b->len > start ? ", " : "", l->c[i].profile->name);
		if (l->c[i].alias)
			buf_printf(b, ", %s", l->c[i].alias);
	}
	if (b->len == start)
		buf_puts(b, "none");
}

/* The one that was meant, or all. */
static void add_near(struct buf *b, const struct abibase_platforms *l, const char *name)
{
	struct suggest s = { .word = name };
	char near[SUGGEST_TEXT];

	for (size_t i = 0; i < l->n; i++) {
		if (!l->c[i].profile)
			continue;
		suggest_offer(&s, l->c[i].alias);
		suggest_offer(&s, l->c[i].profile->name);
		for (size_t k = 0; k < l->c[i].codenames.n; k++)
			suggest_offer(&s, l->c[i].codenames.s[k]);
	}
	suggest_text(&s, "\"", near);
	buf_puts(b, *near ? near : "; there are: ");
	if (*near)
		buf_puts(b, " abibase list has all");
	else
		add_names(b, l);
}

static int fail_not_found(struct abibase_context *ctx, const struct abibase_platforms *l,
			  const char *name)
{
	_buf_ b = { 0 };

	buf_printf(&b, "there is no platform \"%s\"", name);
	for (size_t i = 0; i < l->n; i++)
		if (l->c[i].state == PLATFORM_MASKS && platform_file_fits(l->c[i].base, name))
			buf_printf(&b, ", it is hidden by %s", l->c[i].path);
	add_near(&b, l, name);
	buf_puts(&b, "; looked in: ");
	for (size_t i = 0; i < ctx->platform_path.n; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", ctx->platform_path.s[i]);
	if (buf_failed(&b))
		return context_oom(ctx);
	return context_fail(ctx, ENOENT, "platform-not-found", NULL, "%s", b.data);
}

/* By its file name, for what it declares could not be read: would it be @name, or newer there? */
static bool could_be(const struct candidate *c, const char *name, const struct candidate *newest)
{
	const char *stem = c->base + prefix_len(c->base);
	size_t len = strlen(stem) - strlen(".json"), track_len = strlen(name);
	const char *date = date_in_track(stem, len, name, track_len);

	if (platform_file_fits(c->base, name))
		return true;
	if (!date)
		return false;
	return !newest || strncmp(date, newest->profile->name + track_len, strlen("-0000.00")) >= 0;
}

static int fail_refused(struct abibase_context *ctx, const struct candidate *c, const char *name)
{
	return context_fail(ctx, EBADMSG, "platform-refused", c->path,
			    "the file for the platform \"%s\" is refused: %s", name, c->detail);
}

static void warn_refused(struct abibase_context *ctx, const struct abibase_platforms *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->c[i].state == PLATFORM_REFUSED)
			context_log(ctx, LOG_WARNING, "platform-refused", "%s: refused: %s",
				    l->c[i].path, l->c[i].detail);
}

static void warn_duplicates(struct abibase_context *ctx, const struct abibase_platforms *l,
			    const struct candidate *used)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->c[i].state == PLATFORM_DUPLICATE &&
		    streq(l->c[i].detail, used->path))
			context_log(ctx, LOG_WARNING, "platform-duplicate",
				    "%s: not used: %s declares the same name \"%s\"", l->c[i].path,
				    used->path, used->profile->name);
}

static int find_platform(struct abibase_context *ctx, const struct abibase_platforms *l,
			 const char *name, const struct candidate **ret)
{
	const struct candidate *c = find_used(l, l->n, name, strlen(name));

	if (c) {
		*ret = c;
		return 0;
	}
	c = find_alias(l, name);
	for (size_t i = 0; i < l->n; i++)
		if (l->c[i].state == PLATFORM_REFUSED && could_be(&l->c[i], name, c))
			return fail_refused(ctx, &l->c[i], name);
	if (!c)
		return fail_not_found(ctx, l, name);
	/* which of a track is the newest changes, what a codename means does not */
	context_log(ctx, strings_have(&c->codenames, name) ? LOG_INFO : LOG_NOTICE, "alias-resolved",
		    "%s is %s", name, c->profile->name);
	*ret = c;
	return 0;
}

int profile_from_platform(struct abibase_context *ctx, const char *name,
						 struct abibase_profile **ret)
{
	struct abibase_platforms *l;
	const struct candidate *c = NULL;
	int r = abibase_platforms_new(ctx, &l);

	if (r < 0)
		return r;
	r = find_platform(ctx, l, name, &c);
	if (r == 0)
		r = builds_find(ctx, c->profile, c->path);
	if (r == 0) {
		warn_refused(ctx, l);
		warn_duplicates(ctx, l, c);
		*ret = abibase_profile_ref(c->profile);
	}
	abibase_platforms_unref(l);
	return r;
}
