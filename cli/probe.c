/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

/* Is one of the words of a list with commas @word? */
static bool list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; p; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, word, len) == 0 && (p[len] == ',' || !p[len]))
			return true;
	}
	return false;
}

/* --qemu and --machine are about what --only and --skip may leave out. */
static bool leaves_out_qemu(const struct options *o)
{
	bool named = !options_has(o, OPT_ONLY);
	const char *list;

	for (size_t i = 0; (list = options_next(o, OPT_SKIP, &i));)
		if (list_has(list, "qemu"))
			return true;
	for (size_t i = 0; (list = options_next(o, OPT_ONLY, &i));)
		named = named || list_has(list, "qemu");
	return !named;
}

/* What the options say together. 0 or STATUS_TROUBLE. */
static int check(const struct options *o)
{
	static const struct {
		int a, b;
		const char *names;
	} apart[] = {
		{ OPT_QEMU, OPT_NO_QEMU, "--qemu and --no-qemu" },
		{ 'M', OPT_NO_QEMU, "--machine and --no-qemu" },
		{ OPT_OBSERVE, OPT_NO_QEMU, "--observe and --no-qemu" },
		{ 'M', OPT_NO_VALUES, "--machine and --no-values" },
		{ OPT_OBSERVE, OPT_NO_VALUES, "--observe and --no-values" },
		{ OPT_OBSERVE, OPT_NO_OBSERVE, "--observe and --no-observe" },
		/* a record is whole */
		{ OPT_BUILDS, OPT_NO_QEMU, "--builds and --no-qemu" },
		{ OPT_BUILDS, OPT_NO_VALUES, "--builds and --no-values" },
		{ OPT_BUILDS, OPT_NO_OBSERVE, "--builds and --no-observe" },
		{ OPT_BUILDS, 'M', "--builds and --machine" },
	};
	const char *qemu = options_has(o, OPT_QEMU)    ? "--qemu" :
			   options_has(o, 'M')	       ? "--machine" :
			   options_has(o, OPT_OBSERVE) ? "--observe" :
			   options_has(o, OPT_BUILDS)  ? "--builds" :
							 NULL;

	for (size_t i = 0; i < ARRAY_SIZE(apart); i++)
		if (options_has(o, apart[i].a) && options_has(o, apart[i].b))
			return cli_usage("probe", "%s contradict each other", apart[i].names);
	if (qemu && leaves_out_qemu(o))
		return cli_usage("probe", "%s is given, but qemu is left out by --only or --skip",
				 qemu);
	if (options_has(o, OPT_REPORT) && o->output && streq(o->output, "-"))
		return cli_usage("probe", "--report and --output=- both want stdout");
	return 0;
}

/* A list, split at the commas in place */
static int choose(struct abibase_probe *probe, char *list,
		  int (*fn)(struct abibase_probe *, const char *))
{
	char *name;
	int r = 0;

	while (r == 0 && (name = strsep(&list, ",")))
		r = fn(probe, name);
	return r;
}

static int prepare(struct abibase_probe *probe, const struct options *o)
{
	int r = options_has(o, OPT_NAME) ? abibase_probe_set_name(probe, options_arg(o, OPT_NAME)) :
					   0;

	for (size_t i = 0; r == 0 && i < o->n_given; i++) {
		char *arg = o->given[i].arg;

		if (o->given[i].id == OPT_QEMU)
			r = abibase_probe_add_qemu(probe, arg);
		else if (o->given[i].id == 'M')
			r = abibase_probe_add_machine(probe, arg);
		else if (o->given[i].id == OPT_ONLY)
			r = choose(probe, arg, abibase_probe_only);
		else if (o->given[i].id == OPT_SKIP)
			r = choose(probe, arg, abibase_probe_skip);
	}
	if (r == 0)
		r = abibase_probe_set_builds_dir(probe, options_arg(o, OPT_BUILDS));
	if (r == 0 && options_has(o, OPT_NO_CACHE))
		r = abibase_probe_set_cache_dir(probe, NULL);
	abibase_probe_set_flags(probe,
				(options_has(o, OPT_NO_LOAD) ? ABIBASE_PROBE_NO_LOAD : 0) |
					(options_has(o, OPT_NO_QEMU) ? ABIBASE_PROBE_NO_QEMU : 0) |
					(options_has(o, OPT_NO_VALUES) ? ABIBASE_PROBE_NO_VALUES : 0) |
					(options_has(o, OPT_NO_OBSERVE) ? 0 : ABIBASE_PROBE_SIZES) |
					(options_has(o, OPT_ANONYMOUS) ? ABIBASE_PROBE_ANONYMOUS : 0) |
					(options_has(o, OPT_OBSERVE) ? ABIBASE_PROBE_OBSERVE : 0));
	return r;
}

/* Was there a QEMU that could not be asked? */
static bool has_unasked(const struct abibase_profile *p)
{
	const struct abibase_value *list = abibase_value_member(abibase_profile_value(p), "qemu");

	for (size_t i = 0; i < abibase_value_count(list); i++)
		if (abibase_value_member(abibase_value_item(list, i), "unknown"))
			return true;
	return false;
}

/* A QEMU that was named and could not be asked: what it says was said, and is in the profile. */
static int status_of(const struct options *o, const struct abibase_profile *p)
{
	return options_has(o, OPT_QEMU) && has_unasked(p) ? STATUS_TROUBLE : 0;
}

/* "tap", "no vhost-net", "vhost-net unknown (no-permission)"; nothing of what was not asked */
static void put_surface(FILE *to, const struct abibase_value *facts, const char *id, const char *name)
{
	const struct abibase_value *v = abibase_value_member(facts, id);
	const char *reason = cli_text(v, "unknown");

	if (reason && streq(reason, "not-asked"))
		return;
	if (reason)
		fprintf(to, ", %s unknown (%s)", name, reason);
	else if (v)
		fprintf(to, ", %s%s", abibase_value_boolean(v) ? "" : "no ", name);
}

static void put_qemus(FILE *to, const struct abibase_value *list)
{
	const struct abibase_value *qemu;
	size_t i = 0, unasked = 0;

	if (list && !abibase_value_count(list))
		fputs(", no QEMU", to);
	while ((qemu = abibase_value_item(list, i++))) {
		const char *version = cli_text(qemu, "version");
		size_t n = abibase_value_count(abibase_value_member(qemu, "machines"));

		unasked += !version;
		if (version)
			fprintf(to, ", QEMU %s, %zu machines", version, n);
	}
	if (unasked)
		fprintf(to, ", %zu QEMU%s without an answer", unasked, unasked > 1 ? "s" : "");
}

/* What was found, in a line beside a profile that went into a file */
static int say_found(const char *file, const struct abibase_profile *p)
{
	const struct abibase_value *root = abibase_profile_value(p);
	const struct abibase_value *facts = abibase_value_member(root, "facts");
	_autofree_ char *line = NULL;
	size_t size;
	FILE *to = open_memstream(&line, &size);

	if (!to)
		return cli_oom();
	fprintf(to, "%s: %s, Linux %s", file, cli_name(p), cli_text(root, "kernel/release"));
	put_surface(to, facts, "tap.usable", "tap");
	put_surface(to, facts, "vhost_net.usable", "vhost-net");
	put_qemus(to, abibase_value_member(root, "qemu"));
	if (fclose(to) != 0)
		return cli_oom();
	cli_line(stderr, "%s", line);
	return 0;
}

static int probe(const struct options *o)
{
	bool wants_report = options_has(o, OPT_REPORT);
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(probe) *pr = NULL;
	_unref_(profile) *profile = NULL;
	_autofree_ char *text = NULL, *report = NULL;
	int r;

	if (cli_begin(o->verbose, &ctx, &cat) != 0)
		return STATUS_TROUBLE;
	r = abibase_probe_new(ctx, &pr);
	if (r == 0)
		r = prepare(pr, o);
	if (r == 0)
		r = abibase_probe_run(pr, cat, &profile);
	if (r == 0)
		r = abibase_value_to_json(abibase_profile_value(profile), &text);
	if (r == 0 && wants_report)
		r = abibase_profile_to_report(profile, cat, cli_width(STDOUT_FILENO), &report);
	if (r < 0)
		return cli_context_error(ctx, r);
	r = o->output || !wants_report ? cli_write(o->output, text) : 0;
	if (r == 0 && o->output && !streq(o->output, "-") && !wants_report)
		r = say_found(o->output, profile);
	if (r == 0 && wants_report)
		r = cli_write(NULL, report);
	return r ? r : status_of(o, profile);
}

static int run(const struct options *o)
{
	return check(o) != 0 ? STATUS_TROUBLE : probe(o);
}

const struct command command_probe = {
	.verb = VERB_PROBE,
	.name = "probe",
	.asks_host = true,
	.run = run,
	.summary = "write the profile of this host",
	.usage = "[OPTION]...\n",
	.about = "Ask the kernel and the QEMU binaries of this host what they can do, and "
		"write the answers as a profile. What could not be asked is said on stderr "
		"and is unknown in the profile, with the reason.\n",
	.status = "Exit status: 0 a profile was written; 2 trouble.\n",
};
