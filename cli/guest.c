/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "choose.h"
#include "journal.h"
#include "refusal.h"
#include "start.h"

#include <errno.h>
#include <unistd.h>

/*
 * The start of a guest: which baseline it is under, whether this host provides what that promises, and QEMU
 * with the list. What is said on the way is kept back until it is known whether the guest starts.
 */

struct attempt {
	const struct start *s;
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	struct abibase_guest *guest;
	const struct abibase_value *g; /* its content */
	const char *asked;	       /* id, or NULL */
	struct abibase_baseline *b;
	struct abibase_profile *p;
	struct abibase_check_request *q;
	char **list;	   /* of the baseline for this QEMU, which starts with it */
	char machine[128]; /* of the command line, without what Proxmox puts behind; "" */
};

static void attempt_clear(struct attempt *a)
{
	free(a->list);
	abibase_check_request_unref(a->q);
	abibase_profile_unref(a->p);
	abibase_baseline_unref(a->b);
	abibase_guest_unref(a->guest);
	abibase_catalogue_unref(a->cat);
	abibase_context_unref(a->ctx);
}

/* The line of the configuration that decided, below what went wrong with it. @r */
static int see(const struct attempt *a, const char *key, int r)
{
	const struct conf_line *l = r ? conf_find(a->s->conf, key, NULL) : NULL;

	if (l)
		cli_line(cli_stderr(), "  see: %s:%u: %s = %s", a->s->conf->path, l->line, key,
			 l->value);
	return r;
}

/* ----------------------------------------------------------------------- the guest */

static const char *const *arguments(const struct attempt *a)
{
	return (const char *const *)a->s->argv + 1;
}

/* What is started is known without data too, so that who asks for it can have it all the same. */
static int read_guest(struct attempt *a)
{
	int r = cli_context(0, &a->ctx), data;

	if (r)
		return r;
	data = abibase_catalogue_new(a->ctx, &a->cat);
	if (data < 0)
		cli_context_error(a->ctx, data);
	r = abibase_guest_from_command(a->ctx, a->cat, arguments(a), &a->guest);
	if (r < 0)
		return cli_context_error(a->ctx, r);
	a->g = abibase_guest_value(a->guest);
	snprintf(a->machine, sizeof(a->machine), "%s", cli_text(a->g, "x-machine") ?: "");
	a->machine[strcspn(a->machine, "+")] = '\0';
	return data < 0 ? STATUS_TROUBLE : 0;
}

static bool is_net(const struct abibase_value *device)
{
	return streq(cli_text(device, "class") ?: "", "virtio-net-device");
}

/* Has it a device that a baseline can be about? Of what cannot be read it has to be thought. */
static bool is_concerned(const struct attempt *a)
{
	const struct abibase_value *devices = abibase_value_member(a->g, "devices");

	if (!a->cat || abibase_value_count(abibase_value_member(a->g, "x-not-judged")))
		return true;
	for (size_t i = 0; i < abibase_value_count(devices); i++)
		if (a->b || is_net(abibase_value_item(devices, i)))
			return true;
	return false;
}

static bool may_have_rom(const struct attempt *a)
{
	const struct abibase_value *devices = abibase_value_member(a->g, "devices"), *d;

	for (size_t i = 0; (d = abibase_value_item(devices, i)); i++)
		if (is_net(d) && !abibase_value_member(d, "rom_size"))
			return true;
	return false;
}

/* -------------------------------------------------------------------- its baseline */

/* Other operands are names of platforms, which no baseline is. */
static bool is_file(const char *operand)
{
	return strchr(operand, '/') || ends_with(operand, ".json");
}

static int read_asked(struct attempt *a)
{
	const char *id = getenv(START_BASELINE);

	a->asked = id && *id ? id : NULL;
	if (!a->asked || id_valid(id))
		return 0;
	return cli_error(START_BASELINE " is \"%s\", and must be the id of a baseline, \"b1-\" and 32 "
					"hex digits [baseline-not-there]",
			 id);
}

/* The one that the guest, or who starts it, asks for */
static int load(struct attempt *a)
{
	struct choice c = { .place = a->s->baseline,
			    .conf = a->s->conf,
			    .id = a->asked,
			    .machine = cli_text(a->g, "x-machine"),
			    .incoming = abibase_value_member(a->g, "x-incoming") };
	_autofree_ char *path = NULL;
	int r = choose_baseline(a->ctx, &c, &path);

	if (r == 0 && is_file(path))
		r = start_trust(path);
	if (r == 0)
		r = cli_load_baseline(a->ctx, path, &a->b);
	if (r || !c.named || streq(abibase_baseline_id(a->b) ?: "", c.named))
		return r;
	cli_error("%s: is the baseline %s, and %s asks for %s [baseline-not-there]", path,
		  abibase_baseline_id(a->b) ?: "without an id",
		  c.id ? START_BASELINE : c.conf->path, c.named);
	return start_remedy("let the configuration name a directory with both, or put that one there");
}

/* -------------------------------------------------------------------------- check */

static int ask(struct attempt *a, struct abibase_guest *g, struct abibase_check_request **ret_q,
	       struct abibase_result **ret)
{
	int r = abibase_check_request_new(a->ctx, a->cat, a->b, ret_q);

	if (r == 0)
		abibase_check_request_set_guest(*ret_q, g);
	if (r == 0)
		r = abibase_check_request_add_profile(*ret_q, a->p);
	return r < 0 ? r : abibase_check_request_run(*ret_q, ret);
}

/* Something of QEMU itself: with the list it might not start. */
static bool is_about_list(const struct abibase_value *f)
{
	return strprefix(field(f, "id"), "size-") || streq(field(f, "id"), "qemu-would-not-start") ||
	       (streq(field(f, "kind"), "unknown") && streq(field(f, "layer"), "QEMU"));
}

static int take_list(struct attempt *a)
{
	int r = abibase_check_request_args(a->q, a->s->qemu, &a->list);

	if (r == -ENOENT)
		return cli_error("%s: did not answer as a QEMU with the machine type of the baseline "
				 "does [exec-refused]",
				 a->s->qemu);
	return r < 0 ? cli_error("%s: %s [exec-refused]", a->s->qemu, strerror(-r)) : 0;
}

/* The host lacks something that this guest does not use; what is plugged in later could. */
static void warn_of_slots(const struct attempt *a, const struct abibase_result *whole)
{
	const struct abibase_value *f;
	size_t i = 0;

	while ((f = abibase_result_finding(whole, i)) && is_note(f))
		i++;
	if (f && abibase_value_member(a->g, "x-slots"))
		cli_line(cli_stderr(),
			 "abibase: warning: do not plug a network card in later on another backend "
			 "than the guest has now: %s [command-hotplug]",
			 field(f, "text"));
}

/*
 * This host provides all of the baseline, or else what this guest uses of it. @ret_dies: with the list
 * QEMU might not start.
 */
static int check_host(struct attempt *a, bool *ret_dies)
{
	_unref_(check_request) *narrow = NULL;
	_unref_(result) *whole = NULL, *res = NULL;
	const struct abibase_value *f;
	bool rom = false;
	int r = ask(a, NULL, &a->q, &whole);

	if (r == 0 && abibase_result_verdict(whole) == ABIBASE_VERDICT_YES)
		return 0;
	if (r == 0)
		r = ask(a, a->guest, &narrow, &res);
	if (r < 0)
		return cli_context_error(a->ctx, r);
	for (size_t i = 0; (f = abibase_result_finding(whole, i)); i++) {
		if (is_note(f) || !is_about_list(f))
			continue;
		*ret_dies = true;
		rom |= strprefix(field(f, "id"), "size-");
	}
	r = (int)abibase_result_verdict(res);
	if (r == ABIBASE_VERDICT_YES && rom && may_have_rom(a)) {
		refusal_say(whole);
		return (int)abibase_result_verdict(whole);
	}
	if (r == ABIBASE_VERDICT_YES)
		warn_of_slots(a, whole);
	else
		refusal_say(res);
	return r;
}

/* Other machine type and missing features are told together: they are found independently. */
static int check(struct attempt *a)
{
	bool dies = false;
	int r, refused;

	r = abibase_baseline_review(a->ctx, a->b, a->p, a->s->qemu, arguments(a));
	if (r < 0)
		cli_context_error(a->ctx, r);
	refused = r == -EINVAL ? STATUS_NO : r < 0 ? STATUS_TROUBLE : 0;
	r = check_host(a, &dies);
	if (refused || !a->q || (r && dies))
		return refused ? refused : r;
	return take_list(a) != 0 ? STATUS_TROUBLE : r;
}

/* The list behind the arguments; in one block with nothing of its own but the pointers. */
static char **with_list(const struct attempt *a)
{
	size_t n = 0, more = 0;
	char **all;

	while (a->s->argv[n])
		n++;
	while (a->list && a->list[more])
		more++;
	all = calloc(n + more + 1, sizeof(*all));
	if (!all)
		return NULL;
	memcpy(all, a->s->argv, n * sizeof(*all));
	if (more)
		memcpy(all + n, a->list, more * sizeof(*all));
	return all;
}

static int verify(struct attempt *a)
{
	_unref_(result) *res = NULL;
	_autofree_ char *text = NULL;
	_autofree_ char **all = with_list(a);
	int r = all ? start_verify(a->ctx, a->cat, a->b, a->p, a->s->qemu,
				   (const char *const *)all + 1, &res) :
		      -ENOMEM;

	if (r < 0)
		return cli_context_error(a->ctx, r);
	r = (int)abibase_result_verdict(res);
	if (r == ABIBASE_VERDICT_YES)
		return 0;
	if (abibase_result_to_text(res, 0, &text) < 0)
		return cli_oom();
	cli_print(cli_stderr(), text);
	return r;
}

static int try(struct attempt *a)
{
	const struct start *s = a->s;
	int r = read_guest(a);

	if (s->status)
		return s->status;
	if (r == 0)
		r = read_asked(a);
	if (r == 0)
		r = see(a, "baseline", load(a));
	if (r == 0 && s->profile)
		r = see(a, "profile", start_trust(s->profile));
	if (r == 0)
		r = see(a, "profile", start_profile(a->ctx, a->cat, a->b, s->profile, s->qemu, &a->p));
	if (r == 0)
		r = check(a);
	if (r || !s->verify)
		return r;
	r = verify(a);
	/* there it did not start with the list, or who knows */
	if (r && r != STATUS_NO)
		free(steal(&a->list));
	return r;
}

/* ------------------------------------------------------------------------- the end */

/* Of the one that was asked for, or was chosen, or NULL */
static const char *its_id(const struct attempt *a)
{
	return a->asked ? a->asked : a->b ? abibase_baseline_id(a->b) : NULL;
}

static void tell(const struct attempt *a, enum verdict verdict, const char *words)
{
	struct journal_line l = { .verdict = verdict,
				  .name = cli_text(a->g, "x-name"),
				  .uuid = cli_text(a->g, "x-uuid"),
				  .machine = a->machine,
				  .host = cli_text(abibase_profile_value(a->p), "name"),
				  .qemu = a->s->qemu,
				  .words = words };
	char host[256] = "";

	if (verdict == GUEST_REFUSED || a->list)
		l.baseline = its_id(a);
	if (!l.host && gethostname(host, sizeof(host) - 1) == 0)
		l.host = host;
	journal_send(&l);
}

static int become(struct attempt *a)
{
	_autofree_ char **all = with_list(a);
	int r = a->list ? setenv(START_BASELINE, abibase_baseline_id(a->b), 1) :
			  unsetenv(START_BASELINE);

	return !all || r < 0 ? cli_oom() : start_exec(a->s->qemu, all);
}

static bool warns(const struct attempt *a)
{
	return conf_warns(a->s->conf, *a->machine ? a->machine : NULL, its_id(a));
}

/* The way round, for who has to have the guest now; there is none to a QEMU that is not to be trusted. */
static void say_way_round(const struct attempt *a, bool trusted)
{
	const struct conf *c = a->s->conf;
	const char *machine = a->s->status ? "" : a->machine;

	if (!c || !c->path)
		return;
	if (!conf_get(c, "qemu"))
		cli_line(cli_stderr(),
			 "  or, to start guests without a baseline: printf 'qemu = "
			 "/usr/bin/qemu-system-x86_64\\nmode = warn\\n' >> %s",
			 c->path);
	else if (trusted)
		cli_line(cli_stderr(), "  or, to start it all the same: \"mode%s%s = warn\" in %s",
			 *machine ? "." : "", machine, c->path);
}

static int refuse(const struct attempt *a, int r, bool trusted)
{
	_autofree_ char *words = NULL;

	if (r != STATUS_NO_COMMAND)
		cli_error("%s was not started [exec-refused]", a->s->qemu ? a->s->qemu : "QEMU");
	say_way_round(a, trusted);
	words = cli_held_words();
	cli_put(stderr, words ?: "");
	tell(a, GUEST_REFUSED, words ?: "");
	return r == STATUS_NO_COMMAND ? r : STATUS_NOT_STARTED;
}

static void say_mode(const struct attempt *a)
{
	cli_error("%s is started all the same, %s the list of the baseline: mode is warn in %s "
		  "[exec-warned]",
		  a->s->qemu, a->list ? "with" : "without", a->s->conf->path);
}

/* A guest in whose devices no host has a say is kept from starting by what is broken alone. */
static bool is_spared(const struct attempt *a, int r)
{
	return (r == STATUS_NO || r == STATUS_UNKNOWN) && !is_concerned(a);
}

static int begin(struct attempt *a)
{
	_autofree_ char *words = NULL;
	int r = try(a);

	/* no mode lends a QEMU that others can change */
	if (!a->s->qemu || start_trust(a->s->qemu) != 0)
		return refuse(a, r ? r : STATUS_TROUBLE, false);
	if (r && !is_spared(a, r) && !warns(a))
		return refuse(a, r, true);
	if (r && !is_spared(a, r))
		say_mode(a);
	words = cli_held_words();
	/* of a start that nothing is against, nothing is said but what gets around the baseline */
	if (!is_spared(a, r))
		cli_put(stderr, words ?: "");
	tell(a, r && !is_spared(a, r) ? GUEST_WARNED : GUEST_STARTED, words ?: "");
	return become(a);
}

int start_guest(const struct start *s)
{
	struct attempt a = { .s = s };
	int r;

	cli_hold_words();
	r = begin(&a);
	attempt_clear(&a);
	return r == STATUS_NO_COMMAND ? r : STATUS_NOT_STARTED;
}
