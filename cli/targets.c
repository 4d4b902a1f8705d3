/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guests.h"

#include <errno.h>
#include <sys/stat.h>

#define WORD_PREFIX "0x"
#define QMP_PREFIX "qmp:"
#define MAX_ENTRIES 1024 /* of a queue: no QEMU takes more from a driver */

/*
 * What was read is not kept, for there may be thousands: of a line its text is, and a file is read
 * again. What can be asked only once is kept as it is.
 */
struct guest {
	char *name; /* how it was called */
	char *text; /* a document, or NULL */
	struct abibase_guest *guest; /* or NULL */
};

/* What is asked: each of the guests of each of the hosts. */
struct asked {
	const struct options *o;
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	struct abibase_baseline *baseline; /* NULL: none */
	struct abibase_profile *from;	   /* the same */
	struct abibase_guest *domain;	   /* the same */
	struct guest *guest;
	size_t n_guests, cap_guests;
	struct abibase_targets *targets; /* the hosts, and one guest after the other */
	size_t n_hosts;
	struct cli_machine machine; /* of -M, where it may be a slip; the hosts say which there are */
	bool offers;
	struct cli_answers answers;
	struct guests table;
	unsigned int queue_sizes[64];
	size_t n_queue_sizes;
};

static void asked_clear(struct asked *a)
{
	for (size_t i = 0; i < a->n_guests; i++) {
		free(a->guest[i].name);
		free(a->guest[i].text);
		abibase_guest_unref(a->guest[i].guest);
	}
	free(a->guest);
	abibase_targets_unref(a->targets);
	guests_clear(&a->table);
	abibase_profile_unref(a->from);
	abibase_guest_unref(a->domain);
	abibase_baseline_unref(a->baseline);
	abibase_catalogue_unref(a->cat);
	abibase_context_unref(a->ctx);
}

/* "256", or "1024,1024,64" with that of the first queue first */
static int parse_sizes(struct asked *a, const char *list)
{
	const char *verb = a->o->command->name;

	for (;;) {
		char *end;
		unsigned long n = strtoul(list, &end, 10);

		if (*list < '0' || *list > '9' || n > MAX_ENTRIES || (*end && *end != ',') ||
		    a->n_queue_sizes == ARRAY_SIZE(a->queue_sizes))
			return cli_usage(verb, "\"%s\" is not a size of a queue, at most %d, or a "
					       "list of them with commas between",
					 list, MAX_ENTRIES);
		a->queue_sizes[a->n_queue_sizes++] = (unsigned int)n;
		if (!*end)
			return 0;
		list = end + 1;
	}
}

/* ------------------------------------------------------------------------- operands */

/* A guest of which nothing is known */
static int load_nothing(struct abibase_context *ctx, struct abibase_guest **ret)
{
	static const char text[] = "{\"schema\": \"abibase-guest/1\", \"devices\": "
				   "[{\"class\": \"virtio-net-device\"}]}";

	return abibase_guest_from_buffer(ctx, text, strlen(text), "nothing", ret);
}

static int join_domain(const struct asked *a, struct abibase_guest **guest)
{
	_unref_(guest) *alone = steal(guest);

	return abibase_guest_join(a->ctx, alone, a->domain, guest);
}

static int load_guest(struct asked *a, const struct cli_source *s, struct abibase_guest **ret)
{
	const struct options *o = a->o;
	_unref_(guest) *guest = NULL;
	int r;

	if (s->text)
		r = abibase_guest_from_buffer(a->ctx, s->text, s->len, s->name, &guest);
	else
		r = abibase_guest_load(a->ctx, a->cat, s->name, options_arg(o, OPT_DEVICE),
				       options_arg(o, OPT_QEMU), &guest);
	/* what cannot be found out is no trouble of ours: it is said, and answered with what is left */
	if (r == -ENODATA || r == -ENOTSUP) {
		cli_context_error(a->ctx, r);
		r = load_nothing(a->ctx, &guest);
	}
	if (r == 0 && a->domain)
		r = join_domain(a, &guest);
	return r < 0 ? r : abibase_guest_assume(a->ctx, guest, options_arg(o, 'M'),
						options_arg(o, OPT_BACKEND), a->queue_sizes,
						a->n_queue_sizes, ret);
}

/* A file that is there for sure when it is read again. */
static bool is_read_again(const struct cli_source *s)
{
	struct stat st;

	return !s->text && !cli_operand_is_stdin(s->name) && !strprefix(s->name, QMP_PREFIX) &&
	       stat(s->name, &st) == 0 && S_ISREG(st.st_mode);
}

/* What is said of a guest that was read says not where that was. */
static int refuse_guest(const struct asked *a, const char *name, int r)
{
	const char *where = abibase_context_error_where(a->ctx);

	return cli_refused(a->ctx, where ? where : name, NULL, r);
}

static int add_guest(struct asked *a, const struct cli_source *s)
{
	struct guest *g;
	int r;

	if (array_grow(&a->guest, a->n_guests, &a->cap_guests, sizeof(*a->guest)) < 0)
		return cli_oom();
	g = &a->guest[a->n_guests++];
	*g = (struct guest){ .name = strdup(s->name),
			     .text = s->text ? strndup(s->text, s->len) : NULL };
	if (!g->name || !g->text != !s->text)
		return cli_oom();
	r = load_guest(a, s, &g->guest);
	/* but for the first, which most often is the only one */
	if (r == 0 && a->n_guests > 1 && (s->text || is_read_again(s)))
		g->guest = abibase_guest_unref(g->guest);
	return r < 0 ? refuse_guest(a, s->name, r) : 0;
}

/* ----------------------------------------------------------------------------- hosts */

static int begin(struct asked *a)
{
	const char *backend = options_arg(a->o, OPT_BACKEND), *host;
	_unref_(guest) *nothing = NULL;
	int r = load_nothing(a->ctx, &nothing);

	if (r == 0)
		r = abibase_targets_new(a->ctx, a->cat, nothing, &a->targets);
	if (r == 0 && backend)
		r = abibase_targets_set_backend(a->targets, backend);
	if (r == 0 && a->baseline)
		r = abibase_targets_set_baseline(a->targets, a->baseline);
	for (size_t i = 0; r == 0 && (host = options_next(a->o, OPT_ASSUME_QEMU, &i));)
		r = abibase_targets_assume_qemu(a->targets, host);
	a->offers = cli_machine_begin(a->o, &a->machine);
	return r < 0 ? cli_context_error(a->ctx, r) : 0;
}

/* There may be thousands: of those that are alike one is kept. */
static int add_host(struct asked *a, struct abibase_profile *p)
{
	int r = abibase_targets_add_profile(a->targets, p);

	if (r == 0)
		r = abibase_targets_run(a->targets, NULL);
	if (a->offers)
		cli_offer_machines(&a->machine, p);
	a->n_hosts++;
	return r < 0 ? cli_context_error(a->ctx, r) : 0;
}

/* By its name alone: no file has it that could be a host. */
static bool names_guest(const char *name)
{
	return strprefix(name, WORD_PREFIX) || strprefix(name, QMP_PREFIX) ||
	       ends_with(name, ".log") || ends_with(name, ".txt");
}

/* A guest or a host, as it says itself */
static int add_document(void *data, const struct cli_source *s)
{
	struct asked *a = data;
	_unref_(profile) *p = NULL;
	_unref_(baseline) *b = NULL;
	int r;

	if (!s->text && names_guest(s->name))
		return add_guest(a, s);
	r = cli_source_load(a->ctx, s, &p, &b);
	if (r < 0 && streq(abibase_context_error_id(a->ctx) ?: "", "schema-guest"))
		return add_guest(a, s);
	if (r < 0)
		return cli_source_error(a->ctx, s, r);
	if (b)
		return cli_error("%s: is a baseline, which --baseline takes [schema-other]",
				 s->name);
	return p ? add_host(a, p) : 0;
}

/* The first operand is a guest, whatever it looks like, unless it stands for several. */
static int add_operands(struct asked *a)
{
	struct cli_source s = { .name = a->o->operands[0] };
	bool all = options_has(a->o, OPT_ALL);
	bool several = all || cli_operand_is_several(a->o, s.name);
	_unref_(profile) *here = NULL;
	int r = several ? 0 : add_guest(a, &s);

	if (cli_sources(a->o, !several, false, add_document, a) != 0 || r != 0)
		return STATUS_TROUBLE;
	if (a->n_guests == 0 && !all)
		return cli_usage("targets", "missing operand: which guest?");
	if (all && a->n_hosts == 0)
		return cli_usage("targets", "missing operand: which hosts could take the guests?");
	if (a->n_hosts > 0)
		return 0;
	r = cli_probe_here(a->ctx, a->cat, &here);
	return r ? r : add_host(a, here);
}

/* At most one of all that is read may be standard input. */
static int check_stdin(const struct options *o)
{
	char *named[] = { options_arg(o, OPT_FROM), options_arg(o, OPT_BASELINE),
			  options_arg(o, OPT_DOMAIN) };
	char *taken = NULL;

	if (cli_check_stdin_once("targets", named, ARRAY_SIZE(named), &taken) != 0)
		return STATUS_TROUBLE;
	return cli_check_sources(o, 0, taken);
}

static int load(struct asked *a)
{
	const char *baseline = options_arg(a->o, OPT_BASELINE), *from = options_arg(a->o, OPT_FROM);
	const char *sizes = options_arg(a->o, OPT_QUEUE_SIZE);

	if (sizes && parse_sizes(a, sizes) != 0)
		return STATUS_TROUBLE;
	if (check_stdin(a->o) != 0 || cli_begin(a->o->verbose, &a->ctx, &a->cat) != 0)
		return STATUS_TROUBLE;
	if (baseline && cli_load_baseline(a->ctx, baseline, &a->baseline) != 0)
		return STATUS_TROUBLE;
	if (from && cli_load_profile(a->ctx, from, &a->from) != 0)
		return STATUS_TROUBLE;
	if (cli_domain(a->ctx, a->cat, a->o, NULL, &a->domain) != 0 || begin(a) != 0)
		return STATUS_TROUBLE;
	return add_operands(a);
}

/* Those that run here come from here. */
static int find_source(struct asked *a)
{
	int r = a->from || !options_has(a->o, OPT_ALL) ? 0 :
							 cli_probe_here(a->ctx, a->cat, &a->from);

	if (r == 0 && a->from)
		abibase_targets_set_source(a->targets, a->from);
	return r;
}

/* -------------------------------------------------------------------------- answers */

/* Several guests are a line each, unless all is to be told of them. */
static bool is_table(const struct asked *a)
{
	return a->answers.lines && !a->o->json && a->o->verbose <= 0;
}

static int answer_guest(struct asked *a, const char *name, struct abibase_guest *guest)
{
	const char *own = cli_text(abibase_guest_value(guest), "name");
	struct guests *table = &a->table;
	_unref_(result) *res = NULL;
	struct guests_one one;
	int status, r = abibase_targets_set_guest(a->targets, guest);

	if (r < 0)
		return refuse_guest(a, name, r);
	r = abibase_targets_run(a->targets, &res);
	if (r < 0)
		return cli_context_error(a->ctx, r);
	if (guests_look(res, &one) < 0)
		return cli_oom();
	status = table->all		      ? guests_status_of(table, &one) :
		 options_has(a->o, OPT_NOW) ? one.now :
						(int)abibase_result_verdict(res);
	if (is_table(a))
		return guests_add(table, own ? own : name, res, &one, status);
	guests_count(table, &one, status);
	return cli_answers_add(&a->answers, name, res, status);
}

static int answer_one(struct asked *a, struct guest *g)
{
	struct cli_source s = { .name = g->name, .text = g->text,
				.len = g->text ? strlen(g->text) : 0 };
	_unref_(guest) *guest = steal(&g->guest);
	int r = guest ? 0 : load_guest(a, &s, &guest);

	return r < 0 ? refuse_guest(a, g->name, r) : answer_guest(a, g->name, guest);
}

/* One that runs here: as the options say it is, where it does not say so itself. */
static int take_running(void *data, const char *name, struct abibase_guest *guest)
{
	struct asked *a = data;
	_unref_(guest) *g = NULL;
	int r = abibase_guest_assume(a->ctx, guest, options_arg(a->o, 'M'),
				     options_arg(a->o, OPT_BACKEND), a->queue_sizes,
				     a->n_queue_sizes, &g);

	return r < 0 ? refuse_guest(a, name, r) : answer_guest(a, name, g);
}

static int answer_running(struct asked *a)
{
	int r = abibase_guest_running(a->ctx, a->cat, options_arg(a->o, OPT_QEMU), take_running, a);

	return r < 0 ? cli_context_error(a->ctx, r) : r;
}

static int answer(struct asked *a)
{
	bool all = options_has(a->o, OPT_ALL);
	int r = find_source(a);

	a->answers = (struct cli_answers){ .o = a->o, .lines = all || a->n_guests > 1 };
	a->table = (struct guests){ .o = a->o, .all = all, .lists = !options_has(a->o, OPT_NOW) };
	for (size_t i = 0; r == 0 && i < a->n_guests; i++)
		r = answer_one(a, &a->guest[i]);
	if (r == 0 && all)
		r = answer_running(a);
	a->answers.status = guests_status(&a->table);
	if (r == 0 && a->answers.status != ABIBASE_VERDICT_YES && a->o->verbose >= 0 && a->offers)
		cli_suggest_machine(&a->machine);
	if (r == 0 && is_table(a))
		return guests_show(&a->table);
	return cli_answers_end(&a->answers, r);
}

static int run(const struct options *o)
{
	struct asked a = { .o = o };
	int r;

	/* also with --files0-from */
	if (o->n_operands == 0 && !(options_has(o, OPT_ALL) && options_has(o, OPT_FILES0_FROM)))
		return cli_usage("targets", options_has(o, OPT_ALL) ?
						    "missing operand: which hosts could take the "
						    "guests?" :
						    "missing operand: which guest?");
	r = load(&a);
	if (r == 0)
		r = answer(&a);
	asked_clear(&a);
	return r;
}

const struct command command_targets = {
	.verb = VERB_TARGETS,
	.name = "targets",
	.run = run,
	.summary = "where can this running guest go?",
	.usage = "[OPTION]... GUEST... [PROFILE]...\n"
		 "[OPTION]... --all PROFILE...\n",
	.most = MANY,
	.operands = { "@files", "@hosts" },
	.about = "Say of each host whether it can take the running guest: now; now, with "
		"options for the QEMU there that let it in without a restart; not, and all "
		"of the reasons; or that it cannot be told. What the guest negotiated "
		"decides, not what its device offers. Where the guest could not return "
		"after its next reset there, that is said, with the options that keep the "
		"way back open.\n"
		"\n"
		"GUEST is a file or - with an abibase-guest/1 document or a log with "
		"QEMU's line \"Features 0x... unsupported\"; a feature word such as "
		"0x1c0010130afffa7; or qmp:SOCKET, the QMP socket of a running QEMU. The "
		"first operand is one. Without PROFILE this host is probed. Of several guests "
		"there is a line each, with -v all of each answer.\n"
		"With --all the guests are those that run on this host, and one host that takes a "
		"guest is enough for it.\n",
	.status = "Exit status: 0 every host takes it, now or with the list that is printed; "
		"1 one does not; 2 trouble; 3 cannot tell. With --all: 0 each guest can go to a "
		"host now; 4 each can, some only with further options; 1 one cannot, or with --now "
		"only so; 2 trouble; 3 cannot tell.\n",
};
