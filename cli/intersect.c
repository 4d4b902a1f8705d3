/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <errno.h>
#include <limits.h>

static const struct option options[] = {
	{ "machine", required_argument, NULL, 'M' },
	{ "backend", required_argument, NULL, OPT_BACKEND },
	{ "with-device", required_argument, NULL, OPT_WITH_DEVICE },
	{ "target", required_argument, NULL, OPT_TARGET },
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "enable", required_argument, NULL, OPT_ENABLE },
	{ "disable", required_argument, NULL, OPT_DISABLE },
	{ "dest", required_argument, NULL, OPT_DEST },
	{ "assume-qemu", required_argument, NULL, OPT_ASSUME_QEMU },
	{ "format", required_argument, NULL, 'f' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "minimal", no_argument, NULL, OPT_MINIMAL },
	{ "for", required_argument, NULL, OPT_FOR },
	{ "with-machine", no_argument, NULL, OPT_WITH_MACHINE },
	{ "files0-from", required_argument, NULL, OPT_FILES0_FROM },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* An option that is handed to the intersection as it is, in the order of the command line. */
struct wish {
	int (*set)(struct abibase_intersection *ix, const char *arg);
	const char *arg;
};

/* In a list of operands: bytes of one, which is a path or NAME=PATH; bad ones that are named. */
#define OPERAND_MAX (2 * PATH_MAX)
#define BAD_MAX 256

struct arguments {
	struct wish *wishes; /* as many as there are arguments is always enough */
	size_t n_wishes;
	const char *format, *host, *files0, *output;
	char **backends; /* the lists, as many as there are arguments is always enough */
	size_t n_backends;
	bool minimal, with_machine;
	char **operands;
	int n_operands;
};

static void wish(struct arguments *a, int (*set)(struct abibase_intersection *, const char *))
{
	a->wishes[a->n_wishes++] = (struct wish){ set, optarg };
}

static int check_operands(const struct arguments *a)
{
	bool names_on_stdin = a->files0 && streq(a->files0, "-");

	if (a->n_operands == 0 && !a->files0)
		return 1 + cli_usage("intersect", "missing operand: which profiles?");
	if (cli_check_stdin_once("intersect", a->operands, a->n_operands, names_on_stdin) < 0)
		return 1 + STATUS_TROUBLE;
	return 0;
}

/* Returns 0 to go on, else the exit status + 1. */
static int parse(int argc, char **argv, struct arguments *a)
{
	int c;

	while ((c = cli_getopt(argc, argv, ":M:f:o:h", options)) != -1) {
		switch (c) {
		case 'M':
			wish(a, abibase_intersection_set_machine);
			break;
		case OPT_BACKEND:
			a->backends[a->n_backends++] = optarg;
			break;
		case OPT_WITH_DEVICE:
			wish(a, abibase_intersection_add_device);
			break;
		case OPT_TARGET:
			wish(a, abibase_intersection_set_target);
			break;
		case OPT_POLICY:
			wish(a, abibase_intersection_set_policy);
			break;
		case OPT_ENABLE:
			wish(a, abibase_intersection_enable);
			break;
		case OPT_DISABLE:
			wish(a, abibase_intersection_disable);
			break;
		case OPT_DEST:
			wish(a, abibase_intersection_add_dest);
			break;
		case OPT_ASSUME_QEMU:
			wish(a, abibase_intersection_assume_qemu);
			break;
		case 'f':
			a->format = optarg;
			break;
		case OPT_JSON:
			a->format = "json";
			break;
		case OPT_MINIMAL:
			a->minimal = true;
			break;
		case OPT_FOR:
			a->host = optarg;
			break;
		case OPT_WITH_MACHINE:
			a->with_machine = true;
			break;
		case OPT_FILES0_FROM:
			a->files0 = optarg;
			break;
		case 'o':
			a->output = optarg;
			break;
		case 'h':
			return 1 + cli_help(&command_intersect);
		default:
			return 1 + cli_usage("intersect", NULL);
		}
	}
	a->operands = argv + optind;
	a->n_operands = argc - optind;
	return check_operands(a);
}

/* --backend LIST, split at the commas in place */
static int add_backends(struct abibase_intersection *ix, char *list)
{
	char *name;
	int r = 0;

	while (r == 0 && (name = strsep(&list, ",")))
		r = abibase_intersection_add_backend(ix, name);
	return r;
}

static int prepare_intersection(struct abibase_intersection *ix, const struct arguments *a)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n_wishes; i++)
		r = a->wishes[i].set(ix, a->wishes[i].arg);
	for (size_t i = 0; r == 0 && i < a->n_backends; i++)
		r = add_backends(ix, a->backends[i]);
	return r;
}

/* Done before any operand is read: a wrong --format must not cost 10,000 files first. */
static int prepare_render(struct abibase_render *render, const struct arguments *a)
{
	int r = a->format ? abibase_render_set_format(render, a->format) : 0;

	if (r == 0 && a->host)
		r = abibase_render_set_for(render, a->host);
	abibase_render_set_flags(render, (a->minimal ? ABIBASE_RENDER_MINIMAL : 0) |
						 (a->with_machine ? ABIBASE_RENDER_WITH_MACHINE : 0));
	return r;
}

/* Does this operand load as a profile of that name? */
static bool is_named(const char *operand, const char *name)
{
	_unref_(context) *ctx = NULL; /* its own, so that nothing is said twice */
	_unref_(profile) *profile = NULL;
	_unref_(baseline) *baseline = NULL;

	return !cli_operand_is_stdin(operand) && abibase_context_new(0, &ctx) == 0 &&
	       abibase_operand_load(ctx, operand, &profile, &baseline) == 0 && profile &&
	       streq(abibase_profile_name(profile), name);
}

/*
 * Which operand before this one has its name? They are read again to find out: that costs time
 * where it has gone wrong anyway, and to remember all the names would cost memory always.
 */
static const char *find_namesake(const struct arguments *a, const char *operand,
				 const struct abibase_profile *profile)
{
	const char *name = abibase_profile_name(profile);

	for (int i = 0; i < a->n_operands && a->operands[i] != operand; i++)
		if (is_named(a->operands[i], name))
			return a->operands[i];
	return NULL;
}

/* What was read and could not be added: the library does not know from where it came. */
static int refuse(const struct abibase_context *ctx, const struct arguments *a,
		  const char *operand, const struct abibase_profile *profile, int r)
{
	const char *sentence = abibase_context_error(ctx);
	const char *id = abibase_context_error_id(ctx);
	const char *other = r == -EEXIST && profile ? find_namesake(a, operand, profile) : NULL;

	return cli_error("%s: %s%s%s%s%s%s", operand, sentence ? sentence : strerror(-r),
			 other ? "; the other is " : "", other ? other : "", id ? " [" : "",
			 id ? id : "", id ? "]" : "");
}

/* One at a time: what is added is not kept, so that memory does not grow with the hosts. */
static int add_operand(struct abibase_context *ctx, struct abibase_intersection *ix,
		       const struct arguments *a, const char *operand)
{
	_unref_(profile) *profile = NULL;
	_unref_(baseline) *baseline = NULL;
	int r = abibase_operand_load(ctx, operand, &profile, &baseline);

	if (r < 0)
		return cli_context_error(ctx, r);
	if (profile)
		r = abibase_intersection_add_profile(ix, profile);
	else
		r = abibase_intersection_add_baseline(ix, baseline);
	return r < 0 ? refuse(ctx, a, operand, profile, r) : 0;
}

/* The next operand of the list, up to a NUL or the end. False: there is none. */
static bool next_operand(FILE *f, char operand[OPERAND_MAX + 1], size_t *ret_len)
{
	size_t n = 0;
	int c;

	while ((c = getc(f)) != EOF && c != '\0' && n < OPERAND_MAX)
		operand[n++] = (char)c;
	operand[n] = '\0';
	/* one that did not end here is longer than all that are accepted */
	*ret_len = n + (n == OPERAND_MAX && c != '\0' && c != EOF);
	return c != EOF || (n && !ferror(f));
}

/* Is it what a list can name? A list that is none, such as /dev/zero, is not read on. */
static int check_operand(const char *path, size_t n, const char *operand, size_t len)
{
	if (!len)
		return cli_error("%s: operand %zu is empty [usage]", path, n);
	if (len > OPERAND_MAX)
		return cli_error("%s: operand %zu has more than %d bytes before a NUL byte ends it "
				 "[usage]", path, n, OPERAND_MAX);
	if (cli_operand_is_stdin(operand))
		return cli_error("%s: operand %zu is standard input, '%s', which a list of operands "
				 "cannot name [usage]", path, n, operand);
	return 0;
}

/* The operands in a file, each ended by a NUL. */
static int add_files0(struct abibase_context *ctx, struct abibase_intersection *ix,
		      const struct arguments *a)
{
	const char *path = a->files0;
	bool from_stdin = streq(path, "-");
	_autofclose_ FILE *opened = from_stdin ? NULL : fopen(path, "re");
	FILE *f = from_stdin ? stdin : opened;
	char operand[OPERAND_MAX + 1];
	size_t len, n = 0, bad = 0;
	int status = 0;

	if (!f)
		return cli_error("%s: %s [io-error]", path, strerror(errno));
	errno = 0;
	while (bad < BAD_MAX && next_operand(f, operand, &len)) {
		if (check_operand(path, ++n, operand, len) != 0)
			return STATUS_TROUBLE;
		if (add_operand(ctx, ix, a, operand) != 0) {
			status = STATUS_TROUBLE;
			bad++;
		}
		errno = 0;
	}
	if (bad == BAD_MAX)
		return cli_error("%s: not read on after %d bad operands [usage]", path, BAD_MAX);
	if (!feof(f) || ferror(f))
		return cli_error("%s: %s [io-error]", path, strerror(errno ? errno : EIO));
	if (n == 0)
		return cli_error("%s: no operand in it [usage]", path);
	return status;
}

/* Every operand is tried, so that one run names all the bad ones. */
static int add_all(struct abibase_context *ctx, struct abibase_intersection *ix,
		   const struct arguments *a)
{
	int status = 0;

	for (int i = 0; i < a->n_operands; i++)
		if (add_operand(ctx, ix, a, a->operands[i]) != 0)
			status = STATUS_TROUBLE;
	if (a->files0 && add_files0(ctx, ix, a) != 0)
		status = STATUS_TROUBLE;
	return status;
}

static void print_findings(const struct abibase_baseline *b)
{
	for (size_t i = 0; i < abibase_baseline_finding_count(b); i++) {
		const char *kind = abibase_baseline_finding_get(b, i, "kind");
		const char *remedy = abibase_baseline_finding_get(b, i, "remedy");
		bool note = streq(kind, "note");

		cli_line(stderr, "abibase: %s%s%s [%s]", note ? "" : kind, note ? "" : ": ",
			 abibase_baseline_finding_get(b, i, "text"),
			 abibase_baseline_finding_get(b, i, "id"));
		if (remedy)
			cli_line(stderr, "  remedy: %s", remedy);
	}
}

/* What keeps the list from being made, beside the findings of the baseline itself. */
static void print_why(const char *why)
{
	size_t len;

	for (; *why; why += len + (why[len] == '\n')) {
		len = strcspn(why, "\n");
		if (len > 0)
			cli_line(stderr, "%s%.*s",
				 strncmp(why, "remedy: ", 8) == 0 ? "  " : "abibase: conflict: ",
				 (int)len, why);
	}
}

static int show(struct abibase_context *ctx, struct abibase_render *render,
		const struct abibase_baseline *b, const struct arguments *a)
{
	_autofree_ char *text = NULL, *why = NULL;
	int verdict;

	print_findings(b);
	verdict = abibase_render_run(render, b, &text, &why);
	if (verdict < 0)
		return cli_context_error(ctx, verdict);
	/* When the baseline itself is not a yes, its findings have said all of it. */
	if (why && abibase_baseline_verdict(b) == ABIBASE_VERDICT_YES)
		print_why(why);
	if (!text) {
		if (a->output)
			cli_error("%s: not written: there is no list to write", a->output);
		return verdict;
	}
	return cli_write(a->output, text) == 0 ? verdict : STATUS_TROUBLE;
}

static int intersect(const struct arguments *a)
{
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(render) *render = NULL;
	_unref_(intersection) *ix = NULL;
	_unref_(baseline) *baseline = NULL;
	int r;

	if (cli_context(0, &ctx) != 0)
		return STATUS_TROUBLE;
	r = abibase_render_new(ctx, &render);
	if (r == 0)
		r = prepare_render(render, a);
	if (r == 0)
		r = abibase_catalogue_new(ctx, &cat);
	if (r == 0)
		r = abibase_intersection_new(ctx, cat, &ix);
	if (r == 0)
		r = prepare_intersection(ix, a);
	if (r < 0)
		return cli_context_error(ctx, r);
	if (add_all(ctx, ix, a) != 0)
		return STATUS_TROUBLE;
	r = abibase_intersection_finish(ix, &baseline);
	return r < 0 ? cli_context_error(ctx, r) : show(ctx, render, baseline, a);
}

static int run(int argc, char **argv)
{
	_autofree_ char **backends = calloc((size_t)argc, sizeof(*backends));
	_autofree_ struct wish *wishes = calloc((size_t)argc, sizeof(*wishes));
	struct arguments a = { .backends = backends, .wishes = wishes };
	int r;

	if (!backends || !wishes)
		return cli_error("out of memory [out-of-memory]");
	r = parse(argc, argv, &a);
	return r > 0 ? r - 1 : intersect(&a);
}

const struct command command_intersect = {
	.name = "intersect",
	.run = run,
	.summary = "print the settings that suit all of some hosts",
	.help = "Usage: abibase intersect [OPTION]... PROFILE...\n"
		"\n"
		"Print the -global options with which a guest sees the same virtio features on every\n"
		"host. PROFILE is a file (it has a slash or ends in .json), - for standard input, the\n"
		"name of a platform, or an earlier baseline, which is widened; NAME=PROFILE renames.\n"
		"\n"
		"  -M, --machine=MACHINE   versioned machine type; default: the newest that all have\n"
		"      --backend=LIST      backends that every host must have, with commas: tap,\n"
		"                          tap+vhost, macvtap, macvtap+vhost; default: tap and, on\n"
		"                          the hosts that have it, tap+vhost\n"
		"      --with-device=NAME  cover that device too: vhost-vsock or vhost-scsi\n"
		"      --target=ARCH       QEMU target; default: the architecture of the hosts\n"
		"      --policy=POLICY     compatible (default): on where the machine type has it on;\n"
		"                          all: on wherever every host and every QEMU can\n"
		"      --enable=GROUP      turn an opt-in group of features on, or refuse\n"
		"      --disable=GROUP     turn a group of features off\n"
		"      --assume-qemu=HOST  take HOST to have an upstream QEMU with the machine type\n"
		"      --dest=NAME         a host that is ever a destination; default: every host\n"
		"  -f, --format=FORMAT     args (default), readconfig, json (the baseline) or table\n"
		"      --json              the same as --format=json\n"
		"      --minimal           leave out what every QEMU has by default\n"
		"      --for=NAME[:PATH]   the list for this host, or for one of its QEMU binaries\n"
		"      --with-machine      begin the list with the machine type\n"
		"      --files0-from=FILE  read more operands from FILE, each ended by a NUL byte\n"
		"  -o, --output=FILE       write to FILE, whole or not at all, instead of stdout\n"
		"  -h, --help              show this help and exit\n"
		"\n"
		"Use it as\n"
		"  args=$(abibase intersect a.json b.json) && qemu-system-x86_64 $args ...\n"
		"\n"
		"Exit status: 0 yes; 1 no: the hosts have no common list; 2 trouble; 3 cannot tell.\n",
};
