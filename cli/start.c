/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "start.h"
#include "choose.h"

#include <errno.h>
#include <unistd.h>

/* ------------------------------------------------------------------------ programs */

static int not_found(const char *program, int err)
{
	cli_error("%s: %s [exec-not-found]", program, strerror(err));
	return err == ENOENT || err == ENOTDIR ? STATUS_NO_COMMAND : STATUS_NOT_STARTED;
}

int start_find(const char *program, char **ret)
{
	const char *dirs = getenv("PATH");
	_autofree_ char *list = strdup(dirs ? dirs : "/usr/local/bin:/usr/bin:/bin");
	char *rest = list, *dir;
	int err = ENOENT;

	if (strchr(program, '/')) {
		*ret = access(program, X_OK) == 0 ? strdup(program) : NULL;
		return *ret ? 0 : not_found(program, errno);
	}
	while (*program && (dir = strsep(&rest, ":"))) {
		_buf_ path = { 0 };

		buf_printf(&path, "%s/%s", *dir ? dir : ".", program);
		if (buf_failed(&path))
			return not_found(program, ENOMEM);
		if (access(path.data, X_OK) == 0)
			return buf_give(&path, ret) < 0 ? not_found(program, ENOMEM) : 0;
		if (errno == EACCES)
			err = EACCES;
	}
	return not_found(program, err);
}

int start_exec(const char *path, char *const *argv)
{
	execv(path, argv);
	return not_found(path, errno);
}

/* ------------------------------------------------------------------------ refusals */

int start_remedy(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cli_vline(stderr, "  remedy: ", fmt, ap);
	va_end(ap);
	return STATUS_TROUBLE;
}

/* A member of a finding; "" where it has none. */
static const char *field(const struct abibase_value *f, const char *name)
{
	const char *s = cli_text(f, name);

	return s ? s : "";
}

/* One fact that is missing keeps several properties from what they should be. */
static bool same_cause(const struct abibase_value *a, const struct abibase_value *b)
{
	return *field(a, "cause") && streq(field(a, "cause"), field(b, "cause")) &&
	       streq(field(a, "kind"), field(b, "kind")) &&
	       streq(field(a, "layer"), field(b, "layer"));
}

static bool said_before(const struct abibase_result *res, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same_cause(abibase_result_finding(res, k), abibase_result_finding(res, i)))
			return true;
	return false;
}

static void say_names(const struct abibase_result *res, size_t first, const char *name, FILE *out)
{
	const struct abibase_value *cause = abibase_result_finding(res, first);
	const char *separator = "";

	for (size_t i = first; abibase_result_finding(res, i); i++) {
		if (!same_cause(cause, abibase_result_finding(res, i)))
			continue;
		fprintf(out, "%s%s", separator, field(abibase_result_finding(res, i), name));
		separator = ", ";
	}
}

static const struct abibase_value *checked_host(const struct abibase_result *res)
{
	return abibase_value_get(abibase_result_value(res), "hosts/0");
}

static void say_cause(const struct abibase_result *res, size_t i, FILE *out)
{
	const struct abibase_value *f = abibase_result_finding(res, i);
	bool unknown = streq(field(f, "kind"), "unknown");

	fprintf(out, unknown ? "%s: whether %s has what the baseline promises is unknown (%s): " :
			       "%s: %s lacks what the baseline promises (%s): ",
		field(checked_host(res), "host"), field(f, "layer"), field(f, "cause"));
	say_names(res, i, "property", out);
	fputs(" (", out);
	say_names(res, i, "feature", out);
	fputs(")", out);
}

/* A note keeps no guest from starting, and of a start that works nothing is said. */
static bool is_note(const struct abibase_value *f)
{
	return streq(field(f, "kind"), "note");
}

static void say_finding(const struct abibase_result *res, size_t i, FILE *out)
{
	const struct abibase_value *f = abibase_result_finding(res, i);

	if (is_note(f) || said_before(res, i))
		return;
	fprintf(out, "abibase: %s: ", field(f, "kind"));
	if (*field(f, "cause"))
		say_cause(res, i, out);
	else
		fputs(field(f, "text"), out);
	fprintf(out, " [%s]\n", field(f, "id"));
	if (*field(f, "remedy"))
		fprintf(out, "  remedy: %s\n", field(f, "remedy"));
}

/* What it would take to start guests here all the same. */
static void say_admission(const struct abibase_result *res, FILE *out)
{
	const struct abibase_value *loses = abibase_value_member(checked_host(res), "loses");
	const char *id = field(checked_host(res), "admit_id");
	size_t n = abibase_value_count(loses);

	if (!*id || !n)
		return;
	fputs("  or: new guests without ", out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%s", i ? ", " : "",
			abibase_value_string(abibase_value_item(loses, i)));
	fprintf(out, ", under the baseline %s: abibase intersect --json BASELINE PROFILE makes it of "
		     "this one and the profile of this host\n",
		id);
}

/* In one piece, so that other writers of the same log do not come in between. */
static void say_findings(const struct abibase_result *res)
{
	_autofree_ char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; out && abibase_result_finding(res, i); i++)
		say_finding(res, i, out);
	if (out)
		say_admission(res, out);
	if (out && fclose(out) == 0)
		cli_print(stderr, text);
	else
		cli_oom();
}

/* ------------------------------------------------------------------------ this host */

/* What the baseline is about, and no more: a guest waits for the answer. */
static int probe_host(struct abibase_context *ctx, struct abibase_catalogue *cat,
		      const struct abibase_baseline *b, const char *qemu,
		      struct abibase_profile **ret)
{
	_unref_(probe) *pr = NULL;
	int r = abibase_probe_new(ctx, &pr);

	if (r == 0)
		r = abibase_probe_for_baseline(pr, cat, b);
	if (r == 0 && qemu)
		r = abibase_probe_add_qemu(pr, qemu);
	return r < 0 ? r : abibase_probe_run(pr, cat, ret);
}

int start_profile(struct abibase_context *ctx, struct abibase_catalogue *cat,
		  const struct abibase_baseline *b, const char *profile, const char *qemu,
		  struct abibase_profile **ret)
{
	_unref_(profile) *whole = NULL;
	int r = profile ? abibase_profile_from_file(ctx, profile, &whole) :
			  probe_host(ctx, cat, b, qemu, &whole);

	if (r == 0 && qemu)
		r = abibase_profile_current(ctx, whole, qemu, ret);
	/* One that did not answer was warned of; what that means, the caller finds. */
	if ((r == 0 && !qemu) || (r == -ENOENT && whole && !profile)) {
		*ret = steal(&whole);
		r = 0;
	}
	return r < 0 ? cli_context_error(ctx, r) : 0;
}

/* --------------------------------------------------------------------- a throw-away QEMU */

int start_verify(struct abibase_context *ctx, struct abibase_catalogue *cat,
		 struct abibase_baseline *b, struct abibase_profile *p, const char *qemu,
		 const char *const *argv, struct abibase_result **ret)
{
	_unref_(verify) *v = NULL;
	int r = abibase_verify_new(ctx, cat, b, &v);

	if (r == 0 && qemu)
		r = abibase_verify_set_qemu(v, qemu);
	if (r == 0 && argv)
		r = abibase_verify_set_command(v, argv);
	if (r < 0)
		return r;
	abibase_verify_set_profile(v, p);
	return abibase_verify_run(v, ret);
}

/* ---------------------------------------------------------------------------- start */

/* The list behind the arguments; in one block with nothing of its own but the pointers. */
static char **with_list(const struct start *s, char *const *list)
{
	size_t n = 0, more = 0;
	char **all;

	while (s->argv[n])
		n++;
	while (list[more])
		more++;
	all = calloc(n + more + 1, sizeof(*all));
	if (!all)
		return NULL;
	memcpy(all, s->argv, n * sizeof(*all));
	memcpy(all + n, list, more * sizeof(*all));
	return all;
}

/* Is the size of the ROM all that is in the way, and nothing to this guest? */
static bool is_about_roms(const struct abibase_result *res, char *const *argv)
{
	for (size_t i = 0; abibase_result_finding(res, i); i++) {
		const struct abibase_value *f = abibase_result_finding(res, i);

		if (!is_note(f) && !streq(field(f, "id"), "size-differs"))
			return false;
	}
	return abibase_command_has_rom((const char *const *)argv + 1) == 0;
}

/* Other machine type and missing features are told together: they are found independently. */
static int check_start(struct abibase_context *ctx, struct abibase_catalogue *cat,
		       struct abibase_baseline *b, const struct start *s,
		       struct abibase_profile **ret_p, struct abibase_check_request **ret)
{
	_unref_(result) *res = NULL;
	int r = start_profile(ctx, cat, b, s->profile, s->qemu, ret_p);
	int refused;

	if (r)
		return r;
	r = abibase_baseline_review(ctx, b, *ret_p, s->qemu, (const char *const *)s->argv + 1);
	refused = r < 0 ? cli_context_error(ctx, r) : 0;
	r = abibase_check_request_new(ctx, cat, b, ret);
	if (r == 0)
		r = abibase_check_request_add_profile(*ret, *ret_p);
	if (r == 0)
		r = abibase_check_request_run(*ret, &res);
	if (r < 0)
		return cli_context_error(ctx, r);
	if (is_about_roms(res, s->argv))
		return refused;
	say_findings(res);
	return refused ? refused : (int)abibase_result_verdict(res);
}

static int verify_start(struct abibase_context *ctx, struct abibase_catalogue *cat,
			struct abibase_baseline *b, struct abibase_profile *p,
			const struct start *s, char *const *argv)
{
	_unref_(result) *res = NULL;
	_autofree_ char *text = NULL;
	int r = start_verify(ctx, cat, b, p, s->qemu, (const char *const *)argv + 1, &res);

	if (r < 0)
		return cli_context_error(ctx, r);
	r = (int)abibase_result_verdict(res);
	if (r == ABIBASE_VERDICT_YES)
		return 0;
	if (abibase_result_to_text(res, 0, &text) < 0)
		return cli_oom();
	cli_print(stderr, text);
	return r;
}

/* Other operands are names of platforms, which no baseline is. */
static bool is_file(const char *operand)
{
	return strchr(operand, '/') || ends_with(operand, ".json");
}

static int trust(const struct start *s, const char *baseline)
{
	int r = is_file(baseline) ? start_trust(baseline) : 0;

	if (r == 0 && s->profile)
		r = start_trust(s->profile);
	return r == 0 ? start_trust(s->qemu) : r;
}

/* The id that the guest is said to be started under, or NULL */
static int asked_id(const char **ret)
{
	const char *id = getenv(START_BASELINE);

	*ret = id && *id ? id : NULL;
	if (!*ret || conf_is_id(id))
		return 0;
	return cli_error(START_BASELINE " is \"%s\", and must be the id of a baseline, \"b1-\" and 32 "
					"hex digits [baseline-not-there]",
			 id);
}

/* The one that the guest, or who starts it, asks for */
static int load(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		const struct start *s, struct abibase_baseline **ret)
{
	struct choice c = { .place = s->baseline, .conf = s->conf };
	_unref_(guest) *guest = NULL;
	_autofree_ char *path = NULL;
	const struct abibase_value *g;
	int r = abibase_guest_from_command(ctx, cat, (const char *const *)s->argv + 1, &guest);

	if (r < 0)
		return cli_context_error(ctx, r);
	g = abibase_guest_value(guest);
	c.machine = cli_text(g, "x-machine");
	c.incoming = abibase_value_boolean(abibase_value_member(g, "x-incoming"));
	r = asked_id(&c.id);
	if (r == 0)
		r = choose_baseline(ctx, &c, &path);
	if (r == 0)
		r = trust(s, path);
	if (r == 0)
		r = cli_load_baseline(ctx, path, ret);
	if (r || !c.id || streq(abibase_baseline_id(*ret) ?: "", c.id))
		return r;
	cli_error("%s: is the baseline %s, and " START_BASELINE " asks for %s [baseline-not-there]",
		  path, abibase_baseline_id(*ret) ?: "without an id", c.id);
	return start_remedy("let the configuration name a directory with both, or put that one there");
}

static int start(const struct start *s)
{
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(baseline) *b = NULL;
	_unref_(profile) *p = NULL;
	_unref_(check_request) *q = NULL;
	_autofree_ char **list = NULL, **all = NULL;
	int r;

	r = cli_begin(0, &ctx, &cat);
	if (r == 0)
		r = load(ctx, cat, s, &b);
	if (r == 0)
		r = check_start(ctx, cat, b, s, &p, &q);
	if (r)
		return r;
	r = abibase_check_request_args(q, s->qemu, &list);
	if (r == -ENOENT)
		return cli_error("%s: did not answer as a QEMU with the machine type of the baseline "
				 "does [exec-refused]",
				 s->qemu);
	if (r < 0)
		return cli_error("%s: %s [exec-refused]", s->qemu, strerror(-r));
	all = with_list(s, list);
	if (!all)
		return cli_oom();
	if (s->verify)
		r = verify_start(ctx, cat, b, p, s, all);
	if (r == 0 && setenv(START_BASELINE, abibase_baseline_id(b), 1) < 0)
		r = cli_oom();
	return r ? r : start_exec(s->qemu, all);
}

int start_guest(const struct start *s)
{
	int r = start(s);

	/* Whatever it was: the guest does not run, and the cause was said. */
	if (r != STATUS_NO_COMMAND && r != STATUS_NOT_STARTED)
		cli_error("%s was not started [exec-refused]", s->qemu);
	return r == STATUS_NO_COMMAND ? r : STATUS_NOT_STARTED;
}
