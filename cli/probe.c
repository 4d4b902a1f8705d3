/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "qemu", required_argument, NULL, OPT_QEMU },
	{ "no-qemu", no_argument, NULL, OPT_NO_QEMU },
	{ "no-load", no_argument, NULL, OPT_NO_LOAD },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct arguments {
	const char *output, *name;
	const char **qemu; /* as many as there are arguments is always enough */
	size_t n_qemu;
	bool no_qemu, no_load;
	int verbose;
};

/* Returns 0 to go on, else the exit status + 1. */
static int parse(int argc, char **argv, struct arguments *a)
{
	int c;

	while ((c = getopt_long(argc, argv, "o:vh", options, NULL)) != -1) {
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
		case OPT_NO_LOAD:
			a->no_load = true;
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
	if (a->no_qemu && a->n_qemu > 0)
		return 1 + cli_usage("probe", "--qemu and --no-qemu contradict each other");
	return 0;
}

static int prepare(struct abibase_probe *probe, const struct arguments *a)
{
	int r = a->name ? abibase_probe_set_name(probe, a->name) : 0;

	for (size_t i = 0; r == 0 && i < a->n_qemu; i++)
		r = abibase_probe_add_qemu(probe, a->qemu[i]);
	abibase_probe_set_no_qemu(probe, a->no_qemu);
	abibase_probe_set_no_load(probe, a->no_load);
	return r;
}

static int probe(const struct arguments *a)
{
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(probe) *pr = NULL;
	_unref_(profile) *profile = NULL;
	_autofree_ char *text = NULL;
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
	if (r < 0)
		return cli_context_error(ctx, r);
	return cli_write(a->output, text);
}

static int run(int argc, char **argv)
{
	_autofree_ const char **qemu = calloc((size_t)argc, sizeof(*qemu));
	struct arguments a = { .qemu = qemu };
	int r;

	if (!qemu)
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
		"      --no-load      open nothing whose kernel module is not loaded\n"
		"  -v, --verbose      say more about what is done; twice: everything\n"
		"  -h, --help         show this help and exit\n"
		"\n"
		"Exit status: 0 a profile was written; 2 trouble.\n",
};
