/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <limits.h>
#include <syslog.h>

#include "document/baseline.h"
#include "document/build.h"
#include "document/catalogue.h"
#include "base/context.h"
#include "answer/decode.h"
#include "document/errata.h"
#include "document/rehearsal-result.h"
#include "document/facts.h"
#include "document/guest.h"
#include "document/platforms.h"
#include "document/profile.h"
#include "document/result.h"
#include "base/text.h"

/* One document under inspection. */
struct subject {
	const char *source; /* what to call it */
	const char *base;   /* its file name without directory; NULL: standard input */
	bool one_of_many;   /* its form is that of a list */
	char *text;
	size_t len;
	json_t *root;
};

/* -------------------------------------------------------- profiles: more than a reader wants */

static void check_facts(struct schema_walk *c, const json_t *root, const json_t *known)
{
	const json_t *facts = json_object_get(root, "facts");
	size_t mark = schema_enter(c, "facts"), mark2;
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)facts, key, v) {
		mark2 = schema_enter(c, key);
		facts_check_value(c, known, key, v);
		schema_leave(c, mark2);
	}
	schema_leave(c, mark);
}

/* By its own name, or by the beginning of it that ends with a dot; names are short. */
static bool is_covered(const json_t *evidence, const char *fact)
{
	char key[NAME_MAX + 1];

	if (json_object_get(evidence, fact))
		return true;
	for (size_t i = 0; fact[i] && i < sizeof(key) - 1; i++) {
		key[i] = fact[i];
		key[i + 1] = '\0';
		if (fact[i] == '.' && json_object_get(evidence, key))
			return true;
	}
	return false;
}

/* What is absent or unknown may be so without a witness: it can only cost speed. */
static void check_evidence(struct schema_walk *c, const json_t *root)
{
	const json_t *facts = json_object_get(root, "facts");
	const json_t *evidence = json_object_get(root, "evidence");
	size_t mark = schema_enter(c, "facts"), mark2;
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)facts, key, v) {
		if (json_is_false(v) || json_is_object(v) || is_covered(evidence, key))
			continue;
		mark2 = schema_enter(c, key);
		schema_fault(c, "evidence-missing",
			     "no key of \"evidence\" covers this fact: say how it is known");
		schema_leave(c, mark2);
	}
	schema_leave(c, mark);
}

static void check_file_name(struct schema_walk *c, const json_t *root, const char *base)
{
	const char *name = json_string_value(json_object_get(root, "name"));
	size_t mark;

	if (!name || !name_valid(name) || platform_file_fits(base, name))
		return;
	mark = schema_enter(c, "name");
	schema_warn(c, "platform-file-name",
		    "the file should be called %s.json or NN-%s.json: files hide one another by "
		    "their names",
		    name, name);
	schema_leave(c, mark);
}

static int check_profile(struct schema_walk *c, const struct subject *s,
			 struct abibase_context *ctx)
{
	json_t *known;
	int r = data_load(ctx, &facts_form, &known);

	if (r < 0)
		return r;
	check_facts(c, s->root, json_object_get(known, "facts"));
	json_decref(known);
	if (!same_text(string_of(s->root, "kind"), "platform"))
		return 0;
	check_evidence(c, s->root);
	if (s->base)
		check_file_name(c, s->root, s->base);
	return 0;
}

static int check_guest(struct schema_walk *c, const struct subject *s, struct abibase_context *ctx)
{
	struct abibase_catalogue *cat;
	int r = abibase_catalogue_new(ctx, &cat);

	if (r < 0)
		return r;
	guest_check_sense(c, cat, s->root);
	abibase_catalogue_unref(cat);
	return 0;
}

/* ---------------------------------------------------------------------- all kinds */

static const struct form *const forms[] = {
	&profile_form, &catalogue_form, &baseline_form, &guest_form,	&build_form,
	&facts_form,   &devices_form,	&messages_form, &errata_form,
	&rehearsal_result_form, &specimens_form,
};

static void schema_not_known(struct schema_walk *c, const json_t *v)
{
	_buf_ known = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		buf_printf(&known, "%s\"abibase-%s/1\"", i ? ", " : "", forms[i]->kind);
	if (buf_failed(&known))
		context_oom(c->ctx);
	else if (!v)
		schema_fault(c, "schema-missing",
			     "the document does not state its schema; known: %s", known.data);
	else
		schema_fault(c, "schema-other", "is \"%s\"; known: %s", json_string_value(v),
			     known.data);
}

static const struct form *form_of(struct schema_walk *c, const json_t *root)
{
	const json_t *v = json_object_get(root, "schema");
	size_t mark;

	if (!schema_type(c, root, J_OBJECT))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (form_is_stated(forms[i], root))
			return forms[i];
	mark = schema_enter(c, "schema");
	if (!v || schema_type(c, v, J_STRING))
		schema_not_known(c, v);
	schema_leave(c, mark);
	return NULL;
}

/* The line of the first byte in which two texts differ, from 1. */
static unsigned int first_difference(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned int line = 1;

	for (size_t i = 0; i < a_len && i < b_len && a[i] == b[i]; i++)
		line += a[i] == '\n';
	return line;
}

static bool is_text_of(const struct subject *s, const struct buf *b)
{
	return b->len == s->len && memcmp(b->data, s->text, b->len) == 0;
}

/* A baseline's own form has its hosts a line each; 0.1 wrote the one of all documents. */
static int write_baseline(const struct subject *s, struct abibase_context *ctx, struct buf *to)
{
	struct abibase_baseline *b;
	int r = baseline_from_json(ctx, json_incref(s->root), s->source, &b);

	if (r < 0)
		return r;
	buf_clear(to);
	baseline_write(b, !b->no_inputs, to);
	abibase_baseline_unref(b);
	return 0;
}

static int check_canonical(struct schema_walk *c, const struct subject *s,
			   struct abibase_context *ctx, bool is_baseline)
{
	_buf_ b = { 0 };
	int r = 0;

	json_write_canonical(&b, s->root);
	if (is_baseline && !buf_failed(&b) && !is_text_of(s, &b))
		r = write_baseline(s, ctx, &b);
	if (r < 0 || buf_failed(&b))
		return r < 0 ? r : -ENOMEM;
	if (!is_text_of(s, &b))
		schema_warn(c, "not-canonical",
			    "the text is not in the canonical form, from line %u on; it means the same",
			    first_difference(b.data, b.len, s->text, s->len));
	return 0;
}

/* Checks that cannot be finished return a negative errno; faults are counted in @c. */
static int check_document(struct schema_walk *c, const struct subject *s,
			  struct abibase_context *ctx)
{
	const struct form *form = form_of(c, s->root);
	int r = 0;

	if (!form)
		return 0;
	if (s->len > form->max) {
		schema_fault(c, "file-too-large",
			     "the document is larger than %zu bytes, the most that is accepted",
			     form->max);
		return 0;
	}
	schema_document(c, s->root, form);
	if (form == &profile_form && c->err != EPROTONOSUPPORT)
		r = check_profile(c, s, ctx);
	else if (form == &guest_form && !c->faults)
		r = check_guest(c, s, ctx);
	/* a faulty document may have values that the canonical form does not know */
	return r < 0 || c->faults || s->one_of_many ?
		       r :
		       check_canonical(c, s, ctx, form == &baseline_form);
}

/* ------------------------------------------------------------------------ the file */

static bool out_of_memory(const struct abibase_context *ctx)
{
	return ctx->error_id && streq(ctx->error_id, "out-of-memory");
}

/* The findings of a document. */
struct report {
	json_t *list;
	bool failed; /* memory ran out */
};

/* Without control characters, and in UTF-8 whatever the file has in it. */
static void set_text(struct report *r, json_t *o, const char *key, const char *s)
{
	_buf_ b = { 0 };

	show_text(&b, s);
	if (buf_failed(&b) || json_object_set_new(o, key, json_string(b.data ? b.data : "")) < 0)
		r->failed = true;
}

static void report_problem(void *data, int priority, const char *id, const char *where,
			   const char *text)
{
	struct report *r = data;
	json_t *o = json_pack("{s:s, s:s}", "kind", priority == LOG_ERR ? "fault" : "warning", "id",
			      id);

	set_text(r, o, "where", where);
	set_text(r, o, "text", text);
	if (json_array_append_new(r->list, o) < 0)
		r->failed = true;
}

/*
 * @inner collects the errors of readers that stop at the first; here they are problems as all
 * others are, and no last error of the caller's context. The number of faults, or a negative errno.
 */
static int validate(struct abibase_context *ctx, struct abibase_context *inner,
		    struct subject *s, struct report *report)
{
	struct schema_walk c;
	int r;

	if (json_parse(inner, s->text, s->len, JSON_MAX_BASELINE, s->source, &s->root) < 0) {
		if (out_of_memory(inner))
			return context_oom(ctx);
		report_problem(report, LOG_ERR, inner->error_id, inner->error_where, inner->error);
		return 1;
	}
	schema_init(&c, inner, s->source);
	c.report = report_problem;
	c.data = report;
	r = check_document(&c, s, ctx);
	if (r == -ENOMEM || out_of_memory(inner))
		return context_oom(ctx);
	return r < 0 ? r : c.faults;
}

static int read_subject(struct abibase_context *ctx, const char *path, struct subject *s)
{
	const char *slash = strrchr(path, '/');

	s->source = streq(path, "-") ? "standard input" : path;
	s->base = streq(path, "-") ? NULL : slash ? slash + 1 : path;
	return file_read(ctx, path, JSON_MAX_BASELINE, &s->text, &s->len);
}

/* As compilers say it, so that an editor finds the place. */
static int show(const json_t *root, size_t width, char **ret)
{
	const json_t *file = json_array_get(json_object_get(root, "files"), 0);
	_buf_ b = { .width = width };
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(file, "problems"), i, v)
		buf_printf(&b, "%s: %s%s [%s]\n", json_string_value(json_object_get(v, "where")),
			   streq(json_string_value(json_object_get(v, "kind")), "fault") ?
				   "" :
				   "warning: ",
			   json_string_value(json_object_get(v, "text")),
			   json_string_value(json_object_get(v, "id")));
	return buf_give(&b, ret);
}

/* Takes @list of the report. */
static int finish(struct abibase_context *ctx, const char *source, struct report *report,
		  bool valid, struct abibase_result **ret)
{
	json_t *file = json_pack("{s:s, s:o}", "verdict", valid ? "yes" : "no", "problems",
				 report->list);
	struct abibase_result made = {
		.verdict = valid ? ABIBASE_VERDICT_YES : ABIBASE_VERDICT_NO, .show = show
	};

	set_text(report, file, "file", source);
	made.root = json_pack("{s:s, s:[o]}", "schema", "abibase-validate/1", "files", file);
	if (!report->failed)
		return result_give(ctx, &made, ret);
	json_decref(made.root);
	return context_oom(ctx);
}

/* @r: what the reading of it returned; frees what is in @s. */
static int validate_subject(struct abibase_context *ctx, struct subject *s, int r,
			    struct abibase_result **ret)
{
	struct abibase_context inner = { 0 };
	struct report report = { .list = json_array() };

	if (r == -EFBIG) { /* it could be read, and no document is so large */
		report_problem(&report, LOG_ERR, ctx->error_id, ctx->error_where, ctx->error);
		r = 1;
	} else if (r == 0) {
		r = validate(ctx, &inner, s, &report);
	}
	json_decref(s->root);
	free(s->text);
	free(inner.error);
	free(inner.error_where);
	if (r >= 0)
		return finish(ctx, s->source, &report, r == 0, ret);
	json_decref(report.list);
	return r;
}

ABIBASE_EXPORT int abibase_validate(struct abibase_context *ctx, const char *path,
				    struct abibase_result **ret)
{
	struct subject s = { 0 };
	int r = read_subject(ctx, path, &s);

	return validate_subject(ctx, &s, r, ret);
}

ABIBASE_EXPORT int abibase_validate_buffer(struct abibase_context *ctx, const char *buf, size_t len,
					   const char *source, struct abibase_result **ret)
{
	struct subject s = { .source = source, .one_of_many = true, .len = len };

	s.text = malloc(len + 1);
	if (!s.text)
		return context_oom(ctx);
	memcpy(s.text, buf, len);
	s.text[len] = '\0';
	return validate_subject(ctx, &s, 0, ret);
}
