/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include "base/harmless.h"

/* What is known of one file. */
struct report {
	const struct options *o;
	FILE *to; /* the answer */
	struct abibase_context *ctx;
	size_t n_files;
	bool faulty;
};

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

/* As compilers say it, so that an editor finds the place. */
static void put_problem(struct report *report, const struct abibase_value *f, size_t n)
{
	const char *id = cli_text(f, "id");
	const char *kind = cli_text(f, "kind");
	const char *text = cli_text(f, "text");
	const char *where = cli_text(f, "where");

	if (!report->o->json && report->o->verbose >= 0)
		cli_line(stderr, "%s: %s%s [%s]", where,
			 streq(kind, "fault") ? "" : "warning: ", text, id);
	if (!report->o->json)
		return;
	put_member(report->to, n ? ",\n        {\n          " : "\n        {\n          ", "id",
		   id);
	put_member(report->to, ",\n          ", "kind", kind);
	put_member(report->to, ",\n          ", "text", text);
	put_member(report->to, ",\n          ", "where", where);
	fputs("\n        }", report->to);
}

static int validate_source(void *data, const struct cli_source *s)
{
	struct report *report = data;
	const struct options *o = report->o;
	_unref_(result) *res = NULL;
	int r = s->text ? abibase_validate_buffer(report->ctx, s->text, s->len, s->name, &res) :
			  abibase_validate(report->ctx, s->name, &res);
	const struct abibase_value *problem;
	size_t n = 0;
	bool valid = abibase_result_verdict(res) == ABIBASE_VERDICT_YES;

	if (o->json) {
		put_member(report->to, report->n_files++ ? ",\n    {\n      " : "\n    {\n      ",
			   "file", s->name);
		fputs(",\n      \"problems\": [", report->to);
	}
	for (; (problem = abibase_result_finding(res, n)); n++)
		put_problem(report, problem, n);
	if (o->json) {
		fputs(n ? "\n      ]" : "]", report->to);
		put_member(report->to, ",\n      ", "verdict",
			   r < 0 ? "unreadable" : valid ? "yes" : "no");
		fputs("\n    }", report->to);
	} else if (r == 0 && valid && o->verbose > 0) {
		fprintf(report->to, "%s: valid\n", s->name);
	}
	report->faulty |= r == 0 && !valid;
	/* a fault is no trouble: they are listed one and all */
	return r < 0 ? cli_context_error(report->ctx, r) : 0;
}

static int validate(const struct options *o)
{
	_autofree_ char *text = NULL;
	_unref_(context) *ctx = NULL;
	struct report report = { .o = o };
	size_t size;
	int status;

	if (cli_context(o->verbose < 0 ? -1 : 0, &ctx) != 0)
		return STATUS_TROUBLE;
	report.ctx = ctx;
	report.to = open_memstream(&text, &size);
	if (!report.to)
		return cli_oom();
	if (o->json)
		fputs("{\n  \"schema\": \"abibase-validate/1\",\n  \"files\": [", report.to);
	/* trouble with one outweighs faults in another */
	status = cli_sources(o, 0, false, validate_source, &report);
	if (status == 0 && report.faulty)
		status = STATUS_NO;
	if (o->json)
		fputs("\n  ]\n}\n", report.to);
	if (fclose(report.to) != 0)
		return cli_oom();
	return o->json || *text || o->output ? cli_show(o, 0, text, status) : status;
}

static int run(const struct options *o)
{
	return cli_check_sources(o, 0, NULL) ? STATUS_TROUBLE : validate(o);
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
	.about = "Check profiles, baselines, build records and catalogues, and report on stderr every "
		"problem of every FILE (- is standard input), with its place and the id of "
		"the message.\n",
	.status = "Exit status: 0 all are valid, perhaps with warnings; 1 a fault was found; "
		"2 a file could not be read.\n",
};
