/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "choose.h"
#include "here.h"
#include "start.h"

#include <errno.h>
#include <sys/stat.h>

/* check without operands: this host, as abibase-emulator is set up on it. */

#define BASELINES ABIBASE_SYSCONFDIR "/baselines"

struct look {
	const struct options *o;
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	struct abibase_here *here;
	struct conf conf;
	char *emulator;	    /* NULL: not known */
	struct strings met; /* keys current.MACHINE whose baseline is there */
	const char *dir;    /* of baselines; NULL: it is one file */
	bool denied;	    /* the caller may not read a baseline */
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

	if (!slash)
		return 0;
	if (asprintf(&l->emulator, "%.*s/abibase-emulator", (int)(slash - self), self) < 0) {
		l->emulator = NULL;
		return cli_oom();
	}
	return set(l, ABIBASE_HERE_EMULATOR, l->emulator);
}

/* A start finds out by being there again; a copy, under whatever name, has the same bytes. */
static bool is_wrapper(const struct look *l, const char *qemu)
{
	_autofree_ char *real = realpath(qemu, NULL);
	_autofclose_ FILE *a = fopen(qemu, "re"),
			  *b = l->emulator ? fopen(l->emulator, "re") : NULL;
	int c = EOF;

	if (real && ends_with(real, "/abibase-emulator"))
		return true;
	while (a && b && (c = getc(a)) == getc(b) && c != EOF)
		;
	return a && b && feof(a) && feof(b) && !ferror(a) && !ferror(b);
}

static const char *find_qemu_trouble(const struct look *l, const char *qemu)
{
	struct stat st;

	if (access(qemu, X_OK) < 0 || stat(qemu, &st) < 0 || !S_ISREG(st.st_mode))
		return "qemu: there is no such program";
	if (is_wrapper(l, qemu))
		return "qemu: is the wrapper itself";
	return start_trust(qemu) != 0 ? "qemu: is not acceptable, as was said" : NULL;
}

/* One that does not hold is told of with the record. */
static const char *find_profile_trouble(struct look *l, const char *profile, const char *qemu)
{
	_unref_(profile) *whole = NULL, *p = NULL;

	if (access(profile, F_OK) < 0)
		return "profile: there is no such file";
	if (start_trust(profile) != 0)
		return "profile: is not acceptable, as was said";
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
	trouble = find_qemu_trouble(l, qemu);
	if (!trouble && profile)
		trouble = find_profile_trouble(l, profile, qemu);
	if (!trouble && access(baseline, F_OK) < 0)
		trouble = "baseline: there is no such file or directory";
	if (!trouble && start_trust(baseline) != 0)
		trouble = "baseline: is not acceptable, as was said";
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

/* One file, as a start reads it */
static int add_baseline(void *data, const char *path)
{
	struct look *l = data;
	_unref_(baseline) *b = NULL;
	int r;

	if (access(path, R_OK) < 0 && errno == EACCES) {
		l->denied = true;
		r = set(l, ABIBASE_HERE_UNREAD, path);
		return r ? r : cli_error("%s: %s [io-error]", path, strerror(EACCES));
	}
	r = choose_read(l->ctx, l->dir, path, &b);
	if (r == 0 && conf_get(&l->conf, "baseline") && start_trust(path) != 0)
		r = set(l, ABIBASE_HERE_TROUBLE, "baseline: a file is not acceptable, as was said");
	if (r)
		return r;
	r = abibase_here_add_baseline(l->here, path, b);
	return r < 0 ? cli_context_error(l->ctx, r) : set_mode(l, b);
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
	const char *named = conf_get(&l->conf, "baseline"), *place = named ? named : BASELINES;
	int r = set(l, ABIBASE_HERE_DIRECTORY, place);

	if (r || (access(place, F_OK) < 0 && errno == ENOENT))
		return r;
	if (is_directory(place))
		l->dir = place;
	if (l->dir && access(place, R_OK | X_OK) < 0 && errno == EACCES) {
		cli_error("%s: %s [io-error]", place, strerror(EACCES));
		return 0;
	}
	l->status = l->dir ? choose_each(place, add_baseline, l) : add_baseline(l, place);
	if (l->denied)
		return 0;
	if (l->status && named)
		return set(l, ABIBASE_HERE_TROUBLE, "baseline: is not acceptable, as was said");
	return l->dir && named ? look_at_current(l) : 0;
}

/* --------------------------------------------------------------------------------- all */

static int set_places(struct look *l)
{
	const char *profile, *qemu;
	int r = abibase_here_new(l->ctx, l->cat, &l->here);

	r = r < 0 ? cli_context_error(l->ctx, r) : set_emulator(l);
	if (r == 0)
		r = look_at_conf(l);
	profile = conf_get(&l->conf, "profile");
	qemu = conf_get(&l->conf, "qemu");
	if (r == 0 && profile)
		r = set(l, ABIBASE_HERE_RECORD, profile);
	return r == 0 && qemu ? set(l, ABIBASE_HERE_QEMU, qemu) : r;
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
	free(l.emulator);
	conf_clear(&l.conf);
	abibase_here_unref(l.here);
	abibase_catalogue_unref(l.cat);
	abibase_context_unref(l.ctx);
	return r;
}
