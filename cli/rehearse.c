/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "start.h"

/* A command line of one half, in the operands. */
struct half {
	const char *qemu;
	const char *const *argv; /* behind it */
};

struct rehearsal {
	const struct options *o;
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	struct abibase_baseline *b; /* or NULL */
	struct abibase_rehearse *rh;
};

/* The list of the baseline for this QEMU of this host. 0 or the exit status. */
static int add_list(struct rehearsal *k, enum abibase_rehearse_half half, const char *path,
		    const struct half *h)
{
	_unref_(profile) *p = NULL;
	_unref_(check_request) *q = NULL;
	_autofree_ char **list = NULL;
	int r = start_profile(k->ctx, k->cat, k->b, NULL, path, &p);

	if (r)
		return r;
	r = abibase_baseline_review(k->ctx, k->b, p, path, h->argv);
	if (r == 0)
		r = abibase_check_request_new(k->ctx, k->cat, k->b, &q);
	if (r == 0)
		r = abibase_check_request_add_profile(q, p);
	if (r < 0)
		return cli_context_error(k->ctx, r);
	r = abibase_check_request_args(q, path, &list);
	if (r < 0)
		return cli_error("%s: there is no list of the baseline for this QEMU "
				 "[rehearsal-failed]",
				 path);
	r = abibase_rehearse_set_list(k->rh, half, k->b, (const char *const *)list);
	return r < 0 ? cli_context_error(k->ctx, r) : 0;
}

static int set_half(struct rehearsal *k, enum abibase_rehearse_half half, const struct half *h)
{
	_autofree_ char *path = NULL;
	int r;

	if (start_find(h->qemu, &path) != 0)
		return STATUS_TROUBLE;
	r = abibase_rehearse_set_command(k->rh, half, path, h->argv);
	if (r < 0)
		return cli_context_error(k->ctx, r);
	return k->b ? add_list(k, half, path, h) : 0;
}

static int set_files(struct rehearsal *k, bool both)
{
	const char *save = options_arg(k->o, OPT_SAVE), *load = options_arg(k->o, OPT_LOAD);
	int r = save ? abibase_rehearse_set_file(k->rh, ABIBASE_REHEARSE_SAVE, save) : 0;

	if (r == 0 && load && !both)
		r = abibase_rehearse_set_file(k->rh, ABIBASE_REHEARSE_LOAD, load);
	return r < 0 ? cli_context_error(k->ctx, r) : 0;
}

static int set_run(struct rehearsal *k, bool saves)
{
	const char *text = options_arg(k->o, OPT_RUN);
	char *end;
	long n = text ? strtol(text, &end, 10) : 0;
	int r;

	if (!text)
		return 0;
	if (*end || end == text || n < 1 || n > 300)
		return cli_usage("rehearse", "--run=%s: from 1 to 300 seconds are meant", text);
	if (!saves)
		return cli_usage("rehearse", "--run is of the half that saves, and --load alone "
					     "loads what FILE has");
	r = abibase_rehearse_set_run(k->rh, (unsigned int)n);
	return r < 0 ? cli_context_error(k->ctx, r) : 0;
}

static int rehearse(struct rehearsal *k, const struct half *from, const struct half *to)
{
	_unref_(result) *res = NULL;
	int r = set_files(k, from && to);

	if (r == 0)
		r = set_run(k, from != NULL);
	if (r == 0 && from)
		r = set_half(k, ABIBASE_REHEARSE_SAVE, from);
	if (r == 0 && to)
		r = set_half(k, ABIBASE_REHEARSE_LOAD, to);
	if (r)
		return r;
	r = abibase_rehearse_run(k->rh, &res);
	return r < 0 ? cli_context_error(k->ctx, r) : cli_answer(res, k->o);
}

/* The words of a process, with the name of its program. 0 or the exit status. */
static int read_process(const char *pid, struct strings *ret)
{
	_autofree_ char *path = NULL, *word = NULL;
	size_t size = 0;
	FILE *f;
	int r = 0;

	if (asprintf(&path, "/proc/%s/cmdline", pid) < 0) {
		path = NULL;
		return cli_oom();
	}
	f = fopen(path, "re");
	if (!f)
		return cli_error("%s: %s [io-error]", path, strerror(errno));
	while (r == 0 && getdelim(&word, &size, '\0', f) > 0)
		r = strings_add(ret, word);
	fclose(f);
	if (r < 0)
		return cli_oom();
	return ret->n ? 0 : cli_error("%s: the process has no command line [io-error]", path);
}

/* The line of the guest that runs, of the QEMU that the caller names */
static int take_process(struct rehearsal *k, char **first, struct strings *ret)
{
	const char *pid = options_arg(k->o, OPT_PID);
	int r;

	if (!*pid || pid[strspn(pid, "0123456789")] || atoi(pid) < 1)
		return cli_usage("rehearse", "--pid=%s: the number of a process is meant", pid);
	if (first[1])
		return cli_usage("rehearse", "with --pid the arguments are those of the process: "
					     "extra argument '%s'", first[1]);
	r = read_process(pid, ret);
	if (r)
		return r;
	free(ret->s[0]);
	ret->s[0] = strdup(first[0]);
	abibase_rehearse_set_process(k->rh, atoi(pid));
	return ret->s[0] ? 0 : cli_oom();
}

/* -M is of specimens alone. 0 or the exit status. */
static int set_specimen(struct rehearsal *k)
{
	bool specimen = options_has(k->o, OPT_SPECIMEN);
	const char *machine;
	size_t i = 0;
	int r = specimen ? abibase_rehearse_add_specimen(k->rh, NULL) : 0;

	if (!specimen && options_has(k->o, 'M'))
		return cli_usage("rehearse",
				 "--machine is of --specimen: the machine type of a guest "
				 "stands in its command line");
	if (specimen && !options_has(k->o, 'M') &&
	    (options_has(k->o, OPT_SAVE) || !options_has(k->o, OPT_LOAD)))
		return cli_usage("rehearse", "--specimen takes a machine type: -M MACHINE");
	while (r == 0 && (machine = options_next(k->o, 'M', &i)))
		r = abibase_rehearse_add_specimen(k->rh, machine);
	return r < 0 ? cli_context_error(k->ctx, r) : 0;
}

/* The line behind the next "--", which ends the one before it; NULL: there is none. */
static char **next_line(char **words)
{
	for (; *words; words++)
		if (streq(*words, "--")) {
			*words = NULL;
			return start_command(words + 1);
		}
	return NULL;
}

/* One half, or both: of two lines, or of one. */
static int with_lines(struct rehearsal *k, char **first, char **second)
{
	const char *save = options_arg(k->o, OPT_SAVE), *load = options_arg(k->o, OPT_LOAD);
	bool both = !save == !load;
	struct half from = { first[0], (const char *const *)first + 1 }, to = from;

	if (second)
		to = (struct half){ second[0], (const char *const *)second + 1 };
	if (save && load && !streq(save, load))
		return cli_usage("rehearse",
				 "--save and --load name two files: what is saved is loaded "
				 "from the same one");
	if (second && !both)
		return cli_usage("rehearse", "--%s takes one command line", save ? "save" : "load");
	if (second && !*second)
		return cli_usage("rehearse", "missing operand: which QEMU behind the second --?");
	return rehearse(k, both || save ? &from : NULL, both || load ? &to : NULL);
}

static int with_process(struct rehearsal *k, char **first, char **second)
{
	struct strings words = { 0 };
	int r;

	if (!options_arg(k->o, OPT_PID))
		return with_lines(k, first, second);
	if (!options_arg(k->o, OPT_SAVE) && options_arg(k->o, OPT_LOAD))
		return cli_usage("rehearse", "--pid is of the half that saves");
	r = take_process(k, first, &words);
	if (r == 0)
		r = with_lines(k, words.s, second);
	strings_clear(&words);
	return r;
}

static int run(const struct options *o)
{
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(baseline) *b = NULL;
	_unref_(rehearse) *rh = NULL;
	struct rehearsal k = { .o = o };
	char **first, **second;
	int r;

	first = o->n_before < 0 ? NULL : start_command(o->operands + o->n_before);
	if (!first || !*first || streq(*first, "--"))
		return cli_usage("rehearse", "missing operand: which QEMU behind --?");
	if (o->n_before > 1)
		return cli_usage("rehearse", "extra operand '%s'", o->operands[1]);
	if (o->n_before == 1 && options_has(o, OPT_SPECIMEN))
		return cli_usage("rehearse", "--specimen takes no baseline");
	if ((options_has(o, OPT_RUN) || options_has(o, OPT_PID)) && options_has(o, OPT_SPECIMEN))
		return cli_usage("rehearse", "--specimen is of machines without a guest: it takes "
					     "neither --run nor --pid");
	second = next_line(first);
	r = cli_begin(o->verbose, &ctx, &cat);
	if (r == 0 && o->n_before == 1)
		r = cli_load_baseline(ctx, o->operands[0], &b);
	if (r)
		return r;
	r = abibase_rehearse_new(ctx, cat, &rh);
	if (r < 0)
		return cli_context_error(ctx, r);
	k = (struct rehearsal){ o, ctx, cat, b, rh };
	r = set_specimen(&k);
	return r ? r : with_process(&k, first, second);
}

const struct command command_rehearse = {
	.verb = VERB_REHEARSE,
	.name = "rehearse",
	.asks_host = true,
	.run = run,
	.summary = "does one QEMU load what another saves of this guest?",
	.usage = "[OPTION]... [BASELINE] -- QEMU [ARG]... -- QEMU [ARG]...\n"
		 "--save=FILE [BASELINE] -- QEMU [ARG]...\n"
		 "--load=FILE [BASELINE] -- QEMU [ARG]...\n"
		 "--pid=PID [--save=FILE] [BASELINE] -- QEMU\n"
		 "--specimen -M MACHINE [OPTION]... -- QEMU -- QEMU\n",
	.most = MANY,
	.operands = { "@files" },
	.about =
		"Start a throw-away QEMU as the arguments say, stopped before its first "
		"instruction, save it, and load that in another: on this host of two command "
		"lines, the second one's QEMU behind a further --, or of one; or with a FILE that "
		"is carried to the other host. Nothing of the arguments is touched: disks, "
		"networks, sockets and memory are replaced by small ones of its own, and still "
		"compared as they were declared. With BASELINE, its list stands behind the "
		"arguments. \"Loads idle\" is not \"can move\": what a guest has negotiated is the "
		"question of abibase targets. With --specimen, each common device alone "
		"instead of a guest.\n",
	.status = "Exit status: 0 loads idle, or is saved; 1 it does not, or cannot be saved; "
		  "2 trouble; 3 a part of the guest was not rehearsed.\n",
};
