/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "qemu", required_argument, NULL, OPT_QEMU },
	{ "no-qemu", no_argument, NULL, OPT_NO_QEMU },
	{ "machine", required_argument, NULL, 'M' },
	{ "no-values", no_argument, NULL, OPT_NO_VALUES },
	{ "observe", no_argument, NULL, OPT_OBSERVE },
	{ "no-observe", no_argument, NULL, OPT_NO_OBSERVE },
	{ "no-cache", no_argument, NULL, OPT_NO_CACHE },
	{ "no-load", no_argument, NULL, OPT_NO_LOAD },
	{ "only", required_argument, NULL, OPT_ONLY },
	{ "skip", required_argument, NULL, OPT_SKIP },
	{ "report", no_argument, NULL, OPT_REPORT },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct arguments {
	const char *output, *name;
	const char **qemu; /* as many as there are arguments is always enough */
	size_t n_qemu;
	const char **machine; /* the same */
	size_t n_machine;
	char **only, **skip; /* lists with commas; the same */
	size_t n_only, n_skip;
	bool report;
	bool no_values, no_cache, observe, no_observe;
	bool no_qemu, no_load;
	int verbose;
};

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
static bool leaves_out_qemu(const struct arguments *a)
{
	bool named = a->n_only == 0;

	for (size_t i = 0; i < a->n_skip; i++)
		if (list_has(a->skip[i], "qemu"))
			return true;
	for (size_t i = 0; i < a->n_only; i++)
		named = named || list_has(a->only[i], "qemu");
	return !named;
}

/* What the options say together. Returns 0 to go on, else the exit status + 1. */
static int check(const struct arguments *a)
{
	const char *qemu = a->n_qemu > 0    ? "--qemu" :
			   a->n_machine > 0 ? "--machine" :
			   a->observe	    ? "--observe" :
					      NULL;

	if (a->no_qemu && qemu)
		return 1 + cli_usage("probe", "%s and --no-qemu contradict each other", qemu);
	if (a->no_values && a->n_machine > 0)
		return 1 + cli_usage("probe", "--machine and --no-values contradict each other");
	if (a->no_values && a->observe)
		return 1 + cli_usage("probe", "--observe and --no-values contradict each other");
	if (a->no_observe && a->observe)
		return 1 + cli_usage("probe", "--observe and --no-observe contradict each other");
	if (qemu && leaves_out_qemu(a))
		return 1 + cli_usage("probe", "%s is given, but qemu is left out by --only or --skip",
				     qemu);
	if (a->report && a->output && strcmp(a->output, "-") == 0)
		return 1 + cli_usage("probe", "--report and --output=- both want stdout");
	return 0;
}

/* Returns 0 to go on, else the exit status + 1. */
static int parse(int argc, char **argv, struct arguments *a)
{
	int c;

	while ((c = cli_getopt(argc, argv, ":o:M:vh", options)) != -1) {
		switch (c) {
		case 'o':
			a->output = optarg;
			break;
		case OPT_NAME:
			a->name = optarg;
			break;
		case OPT_QEMU:
			a->qemu[a->n_qemu++] = optarg;
			break;
		case OPT_NO_QEMU:
			a->no_qemu = true;
			break;
		case 'M':
			a->machine[a->n_machine++] = optarg;
			break;
		case OPT_NO_VALUES:
			a->no_values = true;
			break;
		case OPT_OBSERVE:
			a->observe = true;
			break;
		case OPT_NO_OBSERVE:
			a->no_observe = true;
			break;
		case OPT_NO_CACHE:
			a->no_cache = true;
			break;
		case OPT_NO_LOAD:
			a->no_load = true;
			break;
		case OPT_ONLY:
			a->only[a->n_only++] = optarg;
			break;
		case OPT_SKIP:
			a->skip[a->n_skip++] = optarg;
			break;
		case OPT_REPORT:
			a->report = true;
			break;
		case 'v':
			a->verbose++;
			break;
		case 'h':
			return 1 + cli_help(&command_probe);
		default:
			return 1 + cli_usage("probe", NULL);
		}
	}
	if (optind < argc)
		return 1 + cli_usage("probe", "extra operand '%s'", argv[optind]);
	return check(a);
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

static int prepare(struct abibase_probe *probe, const struct arguments *a)
{
	int r = a->name ? abibase_probe_set_name(probe, a->name) : 0;

	for (size_t i = 0; r == 0 && i < a->n_qemu; i++)
		r = abibase_probe_add_qemu(probe, a->qemu[i]);
	for (size_t i = 0; r == 0 && i < a->n_only; i++)
		r = choose(probe, a->only[i], abibase_probe_only);
	for (size_t i = 0; r == 0 && i < a->n_skip; i++)
		r = choose(probe, a->skip[i], abibase_probe_skip);
	for (size_t i = 0; r == 0 && i < a->n_machine; i++)
		r = abibase_probe_add_machine(probe, a->machine[i]);
	if (r == 0 && a->no_cache)
		r = abibase_probe_set_cache_dir(probe, NULL);
	abibase_probe_set_flags(probe, (a->no_load ? ABIBASE_PROBE_NO_LOAD : 0) |
					       (a->no_qemu ? ABIBASE_PROBE_NO_QEMU : 0) |
					       (a->no_values ? ABIBASE_PROBE_NO_VALUES : 0) |
					       (a->no_observe ? 0 : ABIBASE_PROBE_SIZES) |
					       (a->observe ? ABIBASE_PROBE_OBSERVE : 0));
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
static int status_of(const struct arguments *a, const struct abibase_profile *p)
{
	return a->n_qemu && has_unasked(p) ? STATUS_TROUBLE : 0;
}

static int probe(const struct arguments *a)
{
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(probe) *pr = NULL;
	_unref_(profile) *profile = NULL;
	_autofree_ char *text = NULL, *report = NULL;
	int r;

	if (cli_context(a->verbose, &ctx) != 0)
		return STATUS_TROUBLE;
	r = abibase_catalogue_new(ctx, &cat);
	if (r == 0)
		r = abibase_probe_new(ctx, &pr);
	if (r == 0)
		r = prepare(pr, a);
	if (r == 0)
		r = abibase_probe_run(pr, cat, &profile);
	if (r == 0)
		r = abibase_profile_to_json(profile, &text);
	if (r == 0 && a->report)
		r = abibase_profile_to_report(profile, cat, &report);
	if (r < 0)
		return cli_context_error(ctx, r);
	r = a->output || !a->report ? cli_write(a->output, text) : 0;
	if (r == 0 && a->report)
		r = cli_write(NULL, report);
	return r ? r : status_of(a, profile);
}

static int run(int argc, char **argv)
{
	_autofree_ const char **qemu = calloc((size_t)argc, sizeof(*qemu));
	_autofree_ const char **machine = calloc((size_t)argc, sizeof(*machine));
	_autofree_ char **only = calloc((size_t)argc, sizeof(*only));
	_autofree_ char **skip = calloc((size_t)argc, sizeof(*skip));
	struct arguments a = { .qemu = qemu, .machine = machine, .only = only, .skip = skip };
	int r;

	if (!qemu || !machine || !only || !skip)
		return cli_error("out of memory [out-of-memory]");
	r = parse(argc, argv, &a);
	return r > 0 ? r - 1 : probe(&a);
}

const struct command command_probe = {
	.name = "probe",
	.run = run,
	.summary = "write the profile of this host",
	.help = "Usage: abibase probe [OPTION]...\n"
		"\n"
		"Ask the kernel and the QEMU binaries of this host what they can do, and write the\n"
		"answers as a profile. What could not be asked is said on stderr and is unknown in\n"
		"the profile, with the reason.\n"
		"\n"
		"  -o, --output=FILE  write to FILE, whole or not at all, instead of stdout\n"
		"      --name=NAME    name of the profile; default: the host name\n"
		"      --qemu=BINARY  ask this QEMU binary; may be repeated; default: those in the\n"
		"                     usual places\n"
		"      --no-qemu      ask no QEMU binary\n"
		"  -M, --machine=MACHINE\n"
		"                     record the effective values of this machine type; may be\n"
		"                     repeated; default: versioned pc and q35 types from 5.2 on\n"
		"      --no-values    record no effective values of machine types\n"
		"      --observe      start each of these machine types with a tap, and with vhost-net,\n"
		"                     record what a guest would be offered, and say where that is\n"
		"                     not what was predicted\n"
		"      --no-observe   start none of these machine types to read the sizes of queues\n"
		"                     and of the network card's ROM\n"
		"      --no-cache     ask each QEMU binary, whatever it answered before\n"
		"      --only=LIST    ask these surfaces alone, with commas: tap, macvtap, ipvtap,\n"
		"                     vhost-net, vhost-vsock, vhost-scsi, vhost-vdpa, params, ebpf,\n"
		"                     qemu; default: all but macvtap and ipvtap\n"
		"      --skip=LIST    leave these surfaces out\n"
		"      --report       print for people what the host has and lacks; the profile is\n"
		"                     written with --output only\n"
		"      --no-load      open nothing whose kernel module is not loaded\n"
		"  -v, --verbose      say more about what is done; twice: everything\n"
		"  -h, --help         show this help and exit\n"
		"\n"
		"Exit status: 0 a profile was written; 2 trouble.\n",
};
