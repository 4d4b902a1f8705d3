/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conf.h"
#include "here.h"
#include "start.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

/* check without operands: this host, as abibase-emulator is set up on it. */

#define BASELINES ABIBASE_SYSCONFDIR "/baselines"

struct look {
	const struct options *o;
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	struct abibase_here *here;
	struct conf conf;
	struct strings met; /* keys current.MACHINE whose baseline is there */
	bool denied; /* the caller may not read a baseline */
	int status;
};

static int set(struct look *l, enum abibase_here_place what, const char *value)
{
	return abibase_here_set(l->here, what, value) < 0 ? cli_oom() : 0;
}

/* -------------------------------------------------------------------------- the wrapper */

/* It is beside this command. */
static int set_emulator(struct look *l)
{
	_autofree_ char *self = realpath("/proc/self/exe", NULL);
	const char *slash = self ? strrchr(self, '/') : NULL;
	_buf_ path = { 0 };

	if (!slash)
		return 0;
	buf_add(&path, self, (size_t)(slash - self));
	buf_puts(&path, "/abibase-emulator");
	return buf_failed(&path) ? cli_oom() : set(l, ABIBASE_HERE_EMULATOR, path.data);
}

static const char *find_qemu_trouble(const char *qemu)
{
	_autofree_ char *real = realpath(qemu, NULL);
	struct stat st;

	if (access(qemu, X_OK) < 0 || stat(qemu, &st) < 0 || !S_ISREG(st.st_mode))
		return "qemu: there is no such program";
	if (real && ends_with(real, "/abibase-emulator"))
		return "qemu: is the wrapper itself";
	return start_trust(qemu) != 0 ? "qemu: others can change it, as was said" : NULL;
}

/* One that does not hold is told of with the record. */
static const char *find_profile_trouble(struct look *l, const char *profile, const char *qemu)
{
	_unref_(profile) *whole = NULL, *p = NULL;

	if (access(profile, F_OK) < 0)
		return "profile: there is no such file";
	if (start_trust(profile) != 0)
		return "profile: others can change it, as was said";
	if (abibase_profile_from_file(l->ctx, profile, &whole) == 0 &&
	    abibase_profile_current(l->ctx, whole, qemu, &p) == -ENOENT)
		return "profile: does not have the QEMU that is configured";
	return NULL;
}

/* Why it starts nothing, as far as this can be seen now; NULL: it does. */
static const char *find_trouble(struct look *l)
{
	const char *qemu, *profile, *baseline, *trouble;

	if (start_trust(conf_path()) != 0 || conf_load(conf_path(), &l->conf) != 0)
		return "is not acceptable, as was said";
	qemu = conf_get(&l->conf, "qemu");
	profile = conf_get(&l->conf, "profile");
	baseline = conf_get(&l->conf, "baseline");
	trouble = find_qemu_trouble(qemu);
	if (!trouble && profile)
		trouble = find_profile_trouble(l, profile, qemu);
	if (!trouble && access(baseline, F_OK) < 0)
		trouble = "baseline: there is no such file or directory";
	if (!trouble && start_trust(baseline) != 0)
		trouble = "baseline: others can change it, as was said";
	return trouble;
}

static int look_at_conf(struct look *l)
{
	const char *path = conf_path(), *trouble = NULL;
	int r = set(l, ABIBASE_HERE_CONFIGURATION, path);

	if (r == 0 && access(path, R_OK) == 0)
		trouble = find_trouble(l);
	return r == 0 && trouble ? set(l, ABIBASE_HERE_TROUBLE, trouble) : r;
}

/* ------------------------------------------------------------------------ the baselines */

/* What the configuration says of it: is it the one for guests that name none, or not enforced? */
static int set_mode(struct look *l, const struct abibase_baseline *b)
{
	const struct abibase_value *v = abibase_baseline_value(b);
	const char *machine = cli_text(v, "machine"), *id = cli_text(v, "id");
	const struct conf_line *line = machine ? conf_find(&l->conf, "current", machine) : NULL;
	int r = 0;

	if (line && id && streq(line->value, id))
		r = strings_insert(&l->met, line->key) < 0 ? cli_oom() :
							     set(l, ABIBASE_HERE_CURRENT, id);
	if (r == 0 && id && conf_warns(&l->conf, machine, id))
		r = set(l, ABIBASE_HERE_WARNS, id);
	return r;
}

static int add_baseline(void *data, const struct cli_source *s)
{
	struct look *l = data;
	_unref_(profile) *p = NULL;
	_unref_(baseline) *b = NULL;
	int r = cli_source_load(l->ctx, s, &p, &b);

	if (r == -EACCES) {
		l->denied = true;
		if (set(l, ABIBASE_HERE_UNREAD, s->name) != 0)
			return STATUS_TROUBLE;
	}
	if (r < 0)
		return cli_source_error(l->ctx, s, r);
	if (!b)
		return p ? cli_no_baseline(s->name) : 0;
	if (conf_get(&l->conf, "baseline") && start_trust(s->name) != 0 &&
	    set(l, ABIBASE_HERE_TROUBLE, "baseline: others can change a file, as was said") != 0)
		return STATUS_TROUBLE;
	r = abibase_here_add_baseline(l->here, s->name, b);
	return r < 0 ? cli_context_error(l->ctx, r) : set_mode(l, b);
}

/* Or is it a file itself? */
static bool has_documents(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *e;
	bool found = !dir && errno == ENOTDIR;

	if (!dir && errno != ENOTDIR && errno != ENOENT)
		cli_error("%s: cannot read: %s [io-error]", path, strerror(errno));
	while (dir && !found && (e = readdir(dir)))
		found = e->d_name[0] != '.' && ends_with(e->d_name, ".json");
	if (dir)
		closedir(dir);
	return found;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Guests that name none are not started under one that is not there. */
static int look_at_current(struct look *l)
{
	for (size_t i = 0; i < l->conf.n; i++) {
		const struct conf_line *line = &l->conf.lines[i];
		_buf_ text = { 0 };

		if (!strprefix(line->key, "current.") || strings_have(&l->met, line->key))
			continue;
		buf_printf(&text, "%s: %s is no baseline that is there for that machine type",
			   line->key, line->value);
		return buf_failed(&text) ? cli_oom() : set(l, ABIBASE_HERE_TROUBLE, text.data);
	}
	return 0;
}

/* A directory that is empty, or not there, has no baselines; a bad file leaves the others. */
static int add_baselines(struct look *l)
{
	const char *named = conf_get(&l->conf, "baseline");
	_autofree_ char *place = strdup(named ? named : BASELINES);
	char *operands[] = { place, NULL };
	struct options o = *l->o;
	int r = place ? set(l, ABIBASE_HERE_DIRECTORY, place) : cli_oom();

	o.operands = operands;
	o.n_operands = 1;
	if (r == 0 && has_documents(place))
		l->status = cli_sources(&o, 0, false, add_baseline, l);
	if (l->denied || (r == 0 && access(place, R_OK | X_OK) < 0 && errno == EACCES))
		return r;
	if (r == 0 && l->status && named)
		return set(l, ABIBASE_HERE_TROUBLE, "baseline: has what is none, as was said");
	return r == 0 && named && is_directory(named) ? look_at_current(l) : r;
}

/* --------------------------------------------------------------------------------- all */

static int set_places(struct look *l)
{
	const char *profile;
	int r = abibase_here_new(l->ctx, l->cat, &l->here);

	r = r < 0 ? cli_context_error(l->ctx, r) : set_emulator(l);
	if (r == 0)
		r = look_at_conf(l);
	profile = conf_get(&l->conf, "profile");
	return r == 0 && profile ? set(l, ABIBASE_HERE_RECORD, profile) : r;
}

static int look(struct look *l)
{
	_unref_(result) *res = NULL;
	int r = cli_begin(l->o->verbose, &l->ctx, &l->cat);

	if (r == 0)
		r = set_places(l);
	if (r == 0)
		r = add_baselines(l);
	if (r)
		return r;
	r = abibase_here_run(l->here, &res);
	r = r < 0 ? cli_context_error(l->ctx, r) : cli_answer(res, l->o);
	return l->status ? l->status : r;
}

int here_check(const struct options *o)
{
	struct look l = { .o = o };
	int r = look(&l);

	strings_clear(&l.met);
	conf_clear(&l.conf);
	abibase_here_unref(l.here);
	abibase_catalogue_unref(l.cat);
	abibase_context_unref(l.ctx);
	return r;
}
