/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include "base/harmless.h"
#include "base/index.h"
#include "base/text.h"

#include <unistd.h>

#define HANG 11	     /* where the text behind a label begins */
#define MAX_NAMES 20 /* of documents, and of places */
#define IN_VERDICT 3

/* One cause, and the places where it is. */
struct problem {
	char *key; /* "KIND\nTEXT [ID]" */
	size_t order; /* in which it was found */
	struct strings places;
};

/* What is known of all documents. */
struct report {
	const struct options *o;
	FILE *to; /* JSON */
	struct abibase_context *ctx;
	size_t n_files;
	struct strings valid, faulty, unread;
	struct problem *problem;
	size_t n, cap;
	struct index by_key;
	bool failed;
};

static void report_clear(struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->problem[i].key);
		strings_clear(&r->problem[i].places);
	}
	free(r->problem);
	index_clear(&r->by_key);
	strings_clear(&r->valid);
	strings_clear(&r->faulty);
	strings_clear(&r->unread);
}

/* As a person would see it: a file name can be anything, and JSON is UTF-8. */
static void put_string(FILE *to, const char *s)
{
	_autofree_ char *text = strdup(s);

	if (text)
		text_harmless(text, "");
	fputc('"', to);
	for (const char *p = text ? text : "out of memory"; *p; p++)
		fprintf(to, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
	fputc('"', to);
}

static void put_member(FILE *to, const char *before, const char *name, const char *text)
{
	fprintf(to, "%s\"%s\": ", before, name);
	put_string(to, text);
}

static void put_problem(FILE *to, const struct abibase_value *f, size_t n)
{
	put_member(to, n ? ",\n        {\n          " : "\n        {\n          ", "id",
		   cli_text(f, "id"));
	put_member(to, ",\n          ", "kind", cli_text(f, "kind"));
	put_member(to, ",\n          ", "text", cli_text(f, "text"));
	put_member(to, ",\n          ", "where", cli_text(f, "where"));
	fputs("\n        }", to);
}

static void put_file(struct report *report, const char *name, const struct abibase_result *res,
		     const char *verdict)
{
	const struct abibase_value *f;
	size_t n = 0;

	put_member(report->to, report->n_files++ ? ",\n    {\n      " : "\n    {\n      ", "file",
		   name);
	fputs(",\n      \"problems\": [", report->to);
	for (; (f = abibase_result_finding(res, n)); n++)
		put_problem(report->to, f, n);
	fputs(n ? "\n      ]" : "]", report->to);
	put_member(report->to, ",\n      ", "verdict", verdict);
	fputs("\n    }", report->to);
}

/* ------------------------------------------------------------------------- the page */

static const char *problem_key(const void *problems, size_t i)
{
	return ((const struct problem *)problems)[i].key;
}

static struct problem *find_problem(struct report *report, const char *key)
{
	long at = index_find(&report->by_key, key, report->problem, report->n, problem_key);

	if (at >= 0)
		return &report->problem[at];
	if (array_grow(&report->problem, report->n, &report->cap, sizeof(*report->problem)) < 0)
		return NULL;
	report->problem[report->n] = (struct problem){ .key = strdup(key), .order = report->n };
	if (!report->problem[report->n].key ||
	    index_fill(&report->by_key, report->problem, ++report->n, problem_key) < 0)
		return NULL;
	return &report->problem[report->n - 1];
}

static void take_problem(struct report *report, const struct abibase_value *f)
{
	struct problem *p = NULL;
	_buf_ key = { 0 };

	buf_printf(&key, "%s\n%s [%s]", cli_text(f, "kind"), cli_text(f, "text"), cli_text(f, "id"));
	if (!buf_failed(&key))
		p = find_problem(report, key.data);
	report->failed |= !p || strings_add(&p->places, cli_text(f, "where")) < 0;
}

static void put_names(struct buf *out, const struct strings *names, size_t most)
{
	size_t shown = names->n <= most + 1 ? names->n : most;

	for (size_t i = 0; i < shown; i++)
		buf_printf(out, "%s%s", i ? ", " : "", names->s[i]);
	if (shown < names->n)
		buf_printf(out, " and %zu more", names->n - shown);
}

static void put_labelled(struct buf *out, const char *label, const struct strings *names, size_t most)
{
	_buf_ text = { 0 };

	put_names(&text, names, most);
	out->failed |= buf_failed(&text);
	if (names->n)
		show_labelled(out, HANG, label, "%s", text.data);
}

/* One that is in one place has it before the text, as compilers say it. */
static void put_cause(struct buf *out, const struct problem *p)
{
	const char *text = strchr(p->key, '\n') + 1;
	const char *label = strprefix(p->key, "fault") ? "  fault" : "  warning";

	if (p->places.n == 1) {
		show_labelled(out, HANG, label, "%s: %s", p->places.s[0], text);
		return;
	}
	show_labelled(out, HANG, label, "%s", text);
	put_labelled(out, "  at", &p->places, MAX_NAMES);
}

static void put_verdict(struct buf *out, const struct report *r)
{
	size_t n = r->valid.n + r->faulty.n + r->unread.n;
	const struct strings *whose = r->faulty.n ? &r->faulty : r->unread.n ? &r->unread : &r->valid;
	_buf_ text = { 0 };

	if (n == 1)
		buf_printf(&text, r->faulty.n ? "no: %s has faults" :
				  r->unread.n ? "cannot tell whether %s is valid" :
						"yes: %s is valid",
			   whose->s[0]);
	else if (r->faulty.n)
		buf_printf(&text, "no: %zu of %zu documents %s faults: ", r->faulty.n, n,
			   r->faulty.n == 1 ? "has" : "have");
	else if (r->unread.n)
		buf_printf(&text, "cannot tell whether %zu of %zu documents are valid: ", r->unread.n,
			   n);
	else
		buf_printf(&text, "yes: all %zu documents are valid", n);
	if (n > 1 && r->valid.n != n)
		put_names(&text, whose, IN_VERDICT);
	out->failed |= buf_failed(&text);
	show_printf(out, 0, 2, "%s", text.data ? text.data : "");
}

static int by_weight(const void *a, const void *b)
{
	const struct problem *x = a, *y = b;
	int kind = strncmp(x->key, y->key, 1); /* "fault" before "warning" */

	if (kind || x->places.n == y->places.n)
		return kind ? kind : x->order < y->order ? -1 : 1;
	return x->places.n < y->places.n ? 1 : -1;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int make_page(struct report *r, char **ret)
{
	_buf_ out = { .width = cli_width(STDOUT_FILENO) };
	struct strings *names[] = { &r->valid, &r->faulty, &r->unread };

	/* the same documents are the same bytes, in whatever order they came */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i]->n > 1)
			qsort(names[i]->s, names[i]->n, sizeof(char *), by_name);
	put_verdict(&out, r);
	if (r->n > 1)
		qsort(r->problem, r->n, sizeof(*r->problem), by_weight);
	for (size_t i = 0; i < r->n; i++)
		put_cause(&out, &r->problem[i]);
	if (r->o->verbose > 0)
		put_labelled(&out, "  valid", &r->valid, r->valid.n);
	show_printf(&out, 0, 2, "Looked at: form and content of documents; not looked at: hosts, QEMU");
	show_printf(&out, 0, 2, "See: abibase show FILE");
	out.failed |= r->failed;
	return buf_give(&out, ret);
}

/* ------------------------------------------------------------------------- documents */

static int validate_source(void *data, const struct cli_source *s)
{
	struct report *report = data;
	_unref_(result) *res = NULL;
	int r = s->text ? abibase_validate_buffer(report->ctx, s->text, s->len, s->name, &res) :
			  abibase_validate(report->ctx, s->name, &res);
	bool valid = abibase_result_verdict(res) == ABIBASE_VERDICT_YES;
	struct strings *to = r < 0 ? &report->unread : valid ? &report->valid : &report->faulty;
	const struct abibase_value *f;

	if (report->o->json)
		put_file(report, s->name, res, r < 0 ? "unreadable" : valid ? "yes" : "no");
	for (size_t i = 0; !report->o->json && (f = abibase_result_finding(res, i)); i++)
		take_problem(report, f);
	report->failed |= strings_add(to, s->name) < 0;
	/* a fault is no trouble: they are listed one and all */
	return r < 0 ? cli_context_error(report->ctx, r) : 0;
}

static int validate(struct report *report)
{
	const struct options *o = report->o;
	_autofree_ char *text = NULL;
	_unref_(context) *ctx = NULL;
	size_t size;
	int status;

	if (cli_context(o->verbose < 0 ? -1 : 0, &ctx) != 0)
		return STATUS_TROUBLE;
	report->ctx = ctx;
	report->to = o->json ? open_memstream(&text, &size) : NULL;
	if (o->json && !report->to)
		return cli_oom();
	if (o->json)
		fputs("{\n  \"schema\": \"abibase-validate/1\",\n  \"files\": [", report->to);
	/* trouble with one outweighs faults in another */
	status = cli_sources(o, 0, false, validate_source, report);
	if (status == 0 && report->faulty.n)
		status = STATUS_NO;
	if (o->json)
		fputs("\n  ]\n}\n", report->to);
	if (report->failed || (report->to && fclose(report->to) != 0))
		return cli_oom();
	if (!o->json && make_page(report, &text) < 0)
		return cli_oom();
	return cli_show(o, 0, text, status);
}

static int run(const struct options *o)
{
	struct report report = { .o = o };
	int r = cli_check_sources(o, 0, NULL) ? STATUS_TROUBLE : validate(&report);

	report_clear(&report);
	return r;
}

const struct command command_validate = {
	.verb = VERB_VALIDATE,
	.name = "validate",
	.run = run,
	.summary = "report all that is wrong with documents",
	.usage = "[OPTION]... FILE...\n",
	.most = MANY,
	.which = { "files" },
	.operands = { "@files" },
	.about = "Check profiles, baselines, build records and catalogues, and report every problem "
		"of every FILE (- is standard input), with its places and the id of the message.\n",
	.status = "Exit status: 0 all are valid, perhaps with warnings; 1 a fault was found; "
		"2 a file could not be read.\n",
};
