/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live/rehearse.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/context.h"
#include "document/rehearsal-result.h"
#include "document/result.h"
#include "probe/probe.h"

/*
 * Each common device alone, rehearsed: what two builds of QEMU do with it. Of the lines, each is a
 * rehearsal of its own (live/rehearse.c); between two hosts they are in a directory, a file each, and
 * beside them what could not be saved.
 */

#define NOTHING "nothing" /* a machine without any of the devices */
#define SAVED_NAME "specimen.json"
#define SAID_MAX 120

struct specimen {
	const struct abibase_rehearse *rh;
	json_t *table, *root;
	json_t *saved; /* what was read of the directory, or NULL */
	bool loads, saves;
	/* the machine type that is tried */
	const char *machine;
	json_t *out;
};

static const char *dir_of(const struct specimen *s)
{
	return s->saves ? s->rh->save : s->rh->load;
}

/* ------------------------------------------------------------------- one command line */

/* The words of the caller, the machine, and the device. */
static int make_line(const struct specimen *s, const struct rehearse_given *given, const char *line,
		     struct strings *argv)
{
	int r = strings_set(argv, (const char *const *)given->argv.s);

	if (r == 0)
		r = strings_add_words(argv, string_of(s->table, "base"));
	if (r == 0)
		r = strings_add(argv, "-machine");
	if (r == 0)
		r = strings_add(argv, s->machine);
	return r < 0 ? r : strings_add_words(argv, line);
}

static int set_half(const struct specimen *s, struct abibase_rehearse *one,
		    enum abibase_rehearse_half half, const char *line)
{
	const struct rehearse_given *given = &s->rh->line[half];
	struct strings argv = { 0 };
	int r;

	if (!given->qemu)
		return 0;
	r = make_line(s, given, line, &argv);
	if (r < 0)
		r = context_oom(s->rh->ctx);
	else
		r = abibase_rehearse_set_command(one, half, given->qemu,
						 (const char *const *)argv.s);
	strings_clear(&argv);
	return r;
}

static int set_file(const struct specimen *s, struct abibase_rehearse *one, const char *name)
{
	const char *dir = dir_of(s);
	_buf_ path = { 0 };

	if (!dir)
		return 0;
	buf_printf(&path, "%s/%s.%s", dir, s->machine, name);
	if (buf_failed(&path))
		return context_oom(s->rh->ctx);
	return abibase_rehearse_set_file(
		one, s->saves ? ABIBASE_REHEARSE_SAVE : ABIBASE_REHEARSE_LOAD, path.data);
}

/* ---------------------------------------------------------------------- what it found */

/* One line at most, and no half of a word */
static int put_said(struct specimen *s, const char *how, const char *name, const char *said)
{
	json_t *of = json_member(s->out, how);
	_autofree_ char *words = strndup(said && *said ? said : "it does not say why", SAID_MAX);
	char *end = words && strlen(words) == SAID_MAX ? strrchr(words, ' ') : NULL;

	if (!of || !words)
		return -ENOMEM;
	if (end)
		*end = '\0';
	return json_put(of, name, json_harmless(words));
}

static int put_name(struct specimen *s, const char *how, const char *name)
{
	json_t *of = json_object_get(s->out, how);

	if (!of && json_put(s->out, how, of = json_array()) < 0)
		return -ENOMEM;
	return json_add(of, json_string(name));
}

static const char *text_of(const json_t *findings, const char *id)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)findings, i, v)
		if (streq(string_of(v, "id"), id))
			return string_of(v, "text");
	return NULL;
}

/* Under which member it stands, and what QEMU said, or what kept it from being asked. */
static int put_outcome(struct specimen *s, const char *name, const json_t *answer)
{
	static const char *const ends[][2] = { { "rehearsal-left-out", "not_tried" },
					       { "rehearsal-blocked", "blocked" },
					       { "rehearsal-no-start", "no_start" },
					       { "rehearsal-refused", "refused" } };
	const json_t *findings = json_object_get(answer, "findings");
	const char *own = string_of(answer, "said");

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		const char *said = text_of(findings, ends[i][0]);

		if (said)
			return put_said(s, ends[i][1], name, i && own ? own : said);
	}
	return put_name(s, s->loads ? "loads" : "saved", name);
}

static json_t *build_of(const json_t *side, const char *qemu)
{
	_autofree_ char *id = probe_build_id(qemu);

	return json_pack("{ss* ss* ss*}", "build_id", id, "package", string_of(side, "package"),
			 "version", string_of(side, "version"));
}

/* Who they are, as the first that answered says it. */
static int note_builds(struct specimen *s, const json_t *answer)
{
	static const char *const sides[] = { "source", "destination" };

	for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
		const struct rehearse_given *given = &s->rh->line[i];
		const json_t *side = json_object_get(answer, sides[i]);

		if (given->qemu && string_of(side, "version") &&
		    !json_object_get(s->root, sides[i]) &&
		    json_put(s->root, sides[i], build_of(side, given->qemu)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int take_answer(struct specimen *s, const char *name, const struct abibase_result *res)
{
	int r = note_builds(s, res->root);

	if (r == 0)
		r = put_outcome(s, name, res->root);
	return r < 0 ? context_oom(s->rh->ctx) : 0;
}

/* A line that the source does not start with is no trouble, unless there is nothing on it. */
static int take_failure(struct specimen *s, const char *name, int err)
{
	const char *said = abibase_context_error(s->rh->ctx) ?: "";
	int r;

	if ((err != -ENOEXEC && err != -EREMOTEIO) || streq(name, NOTHING))
		return err;
	r = put_said(s, err == -ENOEXEC ? "absent" : "not_tried", name, rehearse_own_words(said));
	return r < 0 ? context_oom(s->rh->ctx) : 0;
}

/* ------------------------------------------------------------------------- all of them */

static int try_device(struct specimen *s, const char *name, const char *line)
{
	struct abibase_rehearse *one;
	struct abibase_result *res = NULL;
	int r = abibase_rehearse_new(s->rh->ctx, s->rh->cat, &one);

	if (r < 0)
		return r;
	one->what = name;
	r = set_file(s, one, name);
	if (r == 0)
		r = set_half(s, one, ABIBASE_REHEARSE_SAVE, line);
	if (r == 0)
		r = set_half(s, one, ABIBASE_REHEARSE_LOAD, line);
	if (r == 0)
		r = rehearse_request_run(one, &res);
	r = r < 0 ? take_failure(s, name, r) : take_answer(s, name, res);
	abibase_result_unref(res);
	abibase_rehearse_unref(one);
	return r;
}

/* Of a directory: was it saved, and if it was not, why? */
static int from_saved(struct specimen *s, const json_t *of, const char *name, const char *line)
{
	static const char *const ends[] = { "absent", "blocked", "not_tried" };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		const char *said = string_of(json_object_get(of, ends[i]), name);

		if (said)
			return put_said(s, ends[i], name, said) < 0 ? context_oom(s->rh->ctx) : 0;
	}
	return json_has(json_object_get(of, "saved"), name) ? try_device(s, name, line) : 0;
}

static int try_all(struct specimen *s, const json_t *of)
{
	json_t *specimens = json_object_get(s->table, "specimens"), *v;
	int r = of ? from_saved(s, of, NOTHING, "") : try_device(s, NOTHING, "");
	const char *name;

	json_object_foreach(specimens, name, v) {
		if (r < 0)
			return r;
		r = of ? from_saved(s, of, name, string_of(v, "line")) :
			 try_device(s, name, string_of(v, "line"));
	}
	return r;
}

/* A destination that does not even start the machine says nothing about devices. */
static int check_machine(struct specimen *s)
{
	const char *said = string_of(json_object_get(s->out, "no_start"), NOTHING);

	return said ? context_fail(s->rh->ctx, EREMOTEIO, "rehearsal-failed",
				   s->rh->line[ABIBASE_REHEARSE_LOAD].qemu, "%s: %s", s->machine,
				   said) :
		      0;
}

static int try_machine(struct specimen *s, const char *machine, const json_t *of)
{
	int r;

	s->machine = machine;
	s->out = json_object();
	if (!s->out || json_put(json_member(s->root, "machines"), machine, s->out) < 0)
		return context_oom(s->rh->ctx);
	r = try_all(s, of);
	return r < 0 ? r : check_machine(s);
}

static int try_machines(struct specimen *s)
{
	const struct strings *machines = &s->rh->machines;
	const json_t *saved = json_object_get(s->saved, "machines");
	const char *machine;
	json_t *of;
	int r = 0;

	for (size_t i = 0; r == 0 && !saved && i < machines->n; i++)
		r = try_machine(s, machines->s[i], NULL);
	json_object_foreach((json_t *)saved, machine, of)
		if (r == 0 && (!machines->n || strings_have(machines, machine)))
			r = try_machine(s, machine, of);
	if (r == 0 && !json_object_size(json_object_get(s->root, "machines")))
		r = context_fail(s->rh->ctx, EINVAL, "rehearsal-incomplete", dir_of(s),
				 "specimens take a machine type, or a directory with those that "
				 "were saved under one");
	return r;
}

/* -------------------------------------------------------------------- the directory */

static int read_saved(struct specimen *s)
{
	_buf_ path = { 0 };
	int r;

	buf_printf(&path, "%s/%s", s->rh->load, SAVED_NAME);
	if (buf_failed(&path))
		return context_oom(s->rh->ctx);
	r = document_read(s->rh->ctx, path.data, &rehearsal_result_form, &s->saved);
	if (r == 0 && document_check(s->rh->ctx, s->saved, path.data, &rehearsal_result_form) < 0) {
		s->saved = NULL;
		return -EBADMSG;
	}
	if (r == 0 && json_object_set(s->root, "source", json_object_get(s->saved, "source")) < 0)
		r = context_oom(s->rh->ctx);
	return r;
}

static int make_dir(struct specimen *s)
{
	const char *dir = s->rh->save;

	return mkdir(dir, 0700) == 0 || errno == EEXIST ?
		       0 :
		       context_fail(s->rh->ctx, errno, "io-error", dir, "cannot make it: %s",
				    strerror(errno));
}

/* Last: a directory without it is none. */
static int write_saved(struct specimen *s)
{
	_buf_ path = { 0 }, text = { 0 };
	int r;

	buf_printf(&path, "%s/%s", s->rh->save, SAVED_NAME);
	json_write_canonical(&text, s->root);
	if (buf_failed(&path) || buf_failed(&text))
		return context_oom(s->rh->ctx);
	r = rehearsal_put(path.data, &text, &(struct buf){ 0 });
	return r < 0 ? context_fail(s->rh->ctx, -r, "io-error", path.data, "cannot write: %s",
				    strerror(-r)) :
		       0;
}

/* ------------------------------------------------------------------------------- all */

static int run(struct specimen *s)
{
	int r = data_load(s->rh->ctx, &specimens_form, &s->table);

	if (r == 0 && !s->rh->line[ABIBASE_REHEARSE_SAVE].qemu)
		r = read_saved(s);
	if (r == 0 && s->saves)
		r = make_dir(s);
	if (r == 0)
		r = try_machines(s);
	return r == 0 && s->saves ? write_saved(s) : r;
}

static int run_specimens(const struct abibase_rehearse *rh, struct abibase_result **ret)
{
	struct specimen s = { .rh = rh,
			      .loads = rh->line[ABIBASE_REHEARSE_LOAD].qemu,
			      .saves = rh->save && rh->line[ABIBASE_REHEARSE_SAVE].qemu };
	int r;

	s.root = json_pack("{ss s{}}", "schema", "abibase-rehearsal-result/1", "machines");
	r = s.root ? run(&s) : context_oom(rh->ctx);
	if (r == 0)
		r = result_give(rh->ctx,
				&(struct abibase_result){ .verdict = specimen_fails(s.root) ?
									     ABIBASE_VERDICT_NO :
									     ABIBASE_VERDICT_YES,
							  .root = json_incref(s.root),
							  .show = specimen_show },
				ret);
	json_decref(s.table);
	json_decref(s.root);
	json_decref(s.saved);
	return r;
}

ABIBASE_EXPORT int abibase_rehearse_add_specimen(struct abibase_rehearse *rh, const char *machine)
{
	int r = rehearse_take(rh->ctx, machine);

	rh->specimen = true;
	if (r == 0 && machine && strings_insert(&rh->machines, machine) < 0)
		r = context_oom(rh->ctx);
	return r;
}

ABIBASE_EXPORT int abibase_rehearse_run(struct abibase_rehearse *rh, struct abibase_result **ret)
{
	bool any = rh->line[ABIBASE_REHEARSE_SAVE].qemu ||
		   (rh->line[ABIBASE_REHEARSE_LOAD].qemu && rh->load);

	/* what is missing is said there */
	return rh->specimen && any ? run_specimens(rh, ret) : rehearse_request_run(rh, ret);
}
