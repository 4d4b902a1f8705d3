/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

struct asking {
	const struct options *o;
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	struct abibase_matrix *m;
	const char *baseline; /* the operand that is one; NULL: none */
};

/* The machine type that baselines are for is the first one. */
static int prepare(struct abibase_intersection *ix, const struct options *o)
{
	char *word;
	size_t i = 0;
	int r = 0;

	word = options_next(o, 'M', &i);
	if (word)
		r = abibase_intersection_set_machine(ix, word);
	for (i = 0; r == 0 && (word = options_next(o, OPT_WITH_DEVICE, &i));)
		r = abibase_intersection_add_device(ix, word);
	if (r == 0)
		r = cli_add_backends(ix, o);
	for (i = 0; r == 0 && (word = options_next(o, OPT_ASSUME_QEMU, &i));)
		r = abibase_intersection_assume_qemu(ix, word);
	return r;
}

/* "node-a=debian-13": that host as it will be, in the place of the one that it is */
static bool is_exchange(const char *operand)
{
	const char *equal = strchr(operand, '=');

	return equal && !memchr(operand, '/', (size_t)(equal - operand));
}

static int add(void *data, const struct cli_source *s)
{
	struct asking *a = data;
	_unref_(profile) *p = NULL;
	_unref_(baseline) *b = NULL;
	int r;

	if (!s->text && (is_exchange(s->name) || (a->baseline && streq(s->name, a->baseline))))
		return 0;
	r = cli_source_load(a->ctx, s, &p, &b);
	if (r < 0)
		return cli_source_error(a->ctx, s, r);
	if (b)
		return cli_error("%s: is a baseline; it stands before the hosts or behind them "
				 "[usage]", s->name);
	r = p ? abibase_matrix_add_profile(a->m, p, false) : 0;
	return r < 0 ? cli_refused(a->ctx, s->name, NULL, r) : 0;
}

/* The name of the platform that a word is; NULL: it is none. */
static char *platform_of(const char *word)
{
	_unref_(context) *silent = NULL;
	_unref_(profile) *p = NULL;
	_unref_(baseline) *b = NULL;

	if (strpbrk(word, "/=") || ends_with(word, ".json") || ends_with(word, ".ndjson") ||
	    cli_operand_is_stdin(word) || abibase_context_new(0, &silent) < 0 ||
	    abibase_operand_load(silent, word, &p, &b) < 0 || !p)
		return NULL;
	return strdup(cli_name(p));
}

/* A host of the command line can be named as its document does not name it: "bookworm" is debian-12. */
static int rename_exchange(const struct asking *a, const char *operand, char **ret)
{
	const char *equal = strchr(operand, '=');
	_autofree_ char *name = strndup(operand, (size_t)(equal - operand));
	_autofree_ char *is = name ? platform_of(name) : NULL;
	bool there = false;

	for (int i = 0; is && i < a->o->n_operands && !there; i++) {
		_autofree_ char *other = platform_of(a->o->operands[i]);

		there = other && streq(other, is);
	}
	if (asprintf(ret, "%s%s", there ? is : name ? name : "", equal) < 0)
		*ret = NULL;
	return name && *ret ? 0 : cli_oom();
}

/* What stands in the place of others comes before them. */
static int add_exchanges(struct asking *a)
{
	int status = 0;

	for (int i = 0; i < a->o->n_operands; i++) {
		const char *operand = a->o->operands[i];
		_autofree_ char *renamed = NULL;
		_unref_(profile) *p = NULL;
		int r;

		if (!is_exchange(operand))
			continue;
		r = rename_exchange(a, operand, &renamed);
		if (r == 0)
			r = cli_load_profile(a->ctx, renamed, &p);
		if (r == 0)
			r = abibase_matrix_add_profile(a->m, p, true);
		if (r < 0)
			cli_refused(a->ctx, operand, NULL, r);
		if (r)
			status = STATUS_TROUBLE;
	}
	return status;
}

/* Is the operand one? What is wrong with it is told when it is read as a host. */
static int try_baseline(struct asking *a, const char *operand)
{
	_unref_(context) *silent = NULL;
	_unref_(profile) *p = NULL;
	_unref_(baseline) *b = NULL;
	int r;

	if (a->baseline || cli_operand_is_stdin(operand) ||
	    cli_operand_is_several(a->o, operand) || is_exchange(operand) ||
	    abibase_context_new(0, &silent) < 0 ||
	    abibase_operand_load(silent, operand, &p, &b) < 0 || !b)
		return 0;
	a->baseline = operand;
	r = abibase_matrix_set_baseline(a->m, b);
	return r < 0 ? cli_context_error(a->ctx, r) : 0;
}

static int add_machines(struct asking *a)
{
	char *machine;
	int r = 0;

	for (size_t i = 0; r == 0 && (machine = options_next(a->o, 'M', &i));)
		r = abibase_matrix_add_machine(a->m, machine);
	return r < 0 ? cli_context_error(a->ctx, r) : 0;
}

static int load(struct asking *a)
{
	int n = a->o->n_operands, r = add_machines(a);

	if (r == 0 && n)
		r = try_baseline(a, a->o->operands[n - 1]);
	if (r == 0 && n > 1)
		r = try_baseline(a, a->o->operands[0]);
	if (r == 0)
		r = add_exchanges(a);
	return cli_sources(a->o, 0, false, add, a) || r ? STATUS_TROUBLE : 0;
}

static int ask(struct asking *a, struct abibase_intersection *ix, unsigned int groups)
{
	_unref_(result) *res = NULL;
	int r = abibase_matrix_new(a->ctx, a->cat, ix, &a->m);

	if (r < 0)
		return cli_context_error(a->ctx, r);
	r = load(a);
	if (r)
		return r;
	r = abibase_matrix_run(a->m, groups, &res);
	return r < 0 ? cli_context_error(a->ctx, r) : cli_answer(res, a->o);
}

static int matrix(const struct options *o, unsigned int groups)
{
	struct asking a = { .o = o };
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(intersection) *ix = NULL;
	int r = cli_begin(o->verbose, &ctx, &cat);

	if (r)
		return r;
	a.ctx = ctx;
	a.cat = cat;
	r = abibase_intersection_new(ctx, cat, &ix);
	if (r == 0)
		r = prepare(ix, o);
	r = r < 0 ? cli_context_error(ctx, r) : ask(&a, ix, groups);
	abibase_matrix_unref(a.m);
	return r;
}

static int run(const struct options *o)
{
	const char *split = options_arg(o, OPT_SPLIT);

	if (!o->n_operands && !options_has(o, OPT_FILES0_FROM))
		return cli_usage("matrix", "missing operand: which hosts?");
	if (split && (*split < '1' || *split > '3' || split[1]))
		return cli_usage("matrix", "\"%s\" is not a number of groups; accepted: 1, 2, 3",
				 split);
	if (cli_check_sources(o, 0, NULL) != 0)
		return STATUS_TROUBLE;
	return matrix(o, split ? (unsigned int)(*split - '0') : 0);
}

const struct command command_matrix = {
	.verb = VERB_MATRIX,
	.name = "matrix",
	.run = run,
	.summary = "which hosts can take whose guests?",
	.usage = "[OPTION]... PROFILE... [BASELINE]\n",
	.most = MANY,
	.operands = { "@files", "@hosts" },
	.about = "Say of each two cohorts, which are hosts that answer alike, whether the one can "
		 "take the guests of the other: ok; with a list of options; through a one-way "
		 "door; no, and all of the reasons; or that it cannot be told. With BASELINE, as "
		 "abibase intersect --json has written it, each move is judged without its list "
		 "and with it. A guest is taken to have all that it was offered. What a cohort "
		 "costs the others is said, and with --split what groups of them would gain.\n"
		 "\n"
		 "NAME=PROFILE puts PROFILE in the place of the host NAME among the others, as it "
		 "will be after an upgrade.\n",
	.status = "Exit status: 0 each cohort takes the guests of each other, with the list of "
		  "BASELINE where there is one; 1 one does not; 2 trouble; 3 cannot tell.\n",
};
