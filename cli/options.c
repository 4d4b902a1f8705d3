/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include "base/suggest.h"

#define SURFACES "tap macvtap ipvtap vhost-net vhost-vsock vhost-scsi vhost-vdpa params ebpf qemu"
#define CLASSES                                                                                   \
	"virtio-9p virtio-balloon virtio-blk virtio-console virtio-crypto virtio-fs virtio-gpu " \
	"virtio-input virtio-iommu virtio-mem virtio-net virtio-pmem virtio-rng virtio-scsi "    \
	"virtio-vsock"
#define VERDICTS                                                                             \
	(VERB_VALIDATE | VERB_CHECK | VERB_TARGETS | VERB_MATRIX | VERB_VERIFY | VERB_REHEARSE | \
	 VERB_DIFF | VERB_MATCH | VERB_PLAN | VERB_DECODE)
#define ANSWERS (VERDICTS | VERB_LIST | VERB_SHOW | VERB_EXPLAIN)

static const struct cli_option options[] = {
	/* probe */
	{ VERB_PROBE, OPT_NAME, "name", "NAME", NULL,
	  "name of the profile (default: the host name)" },
	{ VERB_PROBE, OPT_ANONYMOUS, "anonymous", NULL, NULL,
	  "leave out what tells which host it is, for a report of a fault: its name, the boot id, paths" },
	{ VERB_PROBE, OPT_QEMU, "qemu", "BINARY", "@files",
	  "ask this QEMU binary; may be repeated (default: those in the usual places)" },
	{ VERB_PROBE, OPT_NO_QEMU, "no-qemu", NULL, NULL, "ask no QEMU binary" },
	{ VERB_PROBE, 'M', "machine", "MACHINE", "@machines",
	  "record the effective values of this machine type; may be repeated (default: versioned pc "
	  "and q35 types from 5.2 on)" },
	{ VERB_PROBE, OPT_NO_VALUES, "no-values", NULL, NULL,
	  "record no effective values of machine types" },
	{ VERB_PROBE, OPT_OBSERVE, "observe", NULL, NULL,
	  "start each of these machine types with a tap, and with vhost-net, record what a guest would "
	  "be offered, and say where that is not what was predicted" },
	{ VERB_PROBE, OPT_NO_OBSERVE, "no-observe", NULL, NULL,
	  "start none of these machine types to read the sizes of queues and of the network card's "
	  "ROM" },
	{ VERB_PROBE, OPT_BUILDS, "builds", "DIR", "@files",
	  "write into DIR the record of each QEMU build, which the profile then names: what a later "
	  "catalogue asks for is taken of it" },
	{ VERB_PROBE, OPT_NO_CACHE, "no-cache", NULL, NULL,
	  "ask each QEMU binary, whatever it answered before" },
	{ VERB_PROBE, OPT_ONLY, "only", "LIST", SURFACES,
	  "ask these surfaces alone, with commas: tap, macvtap, ipvtap, vhost-net, vhost-vsock, "
	  "vhost-scsi, vhost-vdpa, params, ebpf, qemu (default: all but macvtap and ipvtap)" },
	{ VERB_PROBE, OPT_SKIP, "skip", "LIST", SURFACES, "leave these surfaces out" },
	{ VERB_PROBE, OPT_REPORT, "report", NULL, NULL,
	  "print for people what the host has and lacks; the profile is written with --output only" },
	{ VERB_PROBE, OPT_NO_LOAD, "no-load", NULL, NULL,
	  "open nothing whose kernel module is not loaded" },

	/* intersect */
	{ VERB_INTERSECT, 'M', "machine", "MACHINE", "@machines",
	  "versioned machine type (default: the newest that all have)" },
	{ VERB_INTERSECT, OPT_BACKEND, "backend", "LIST", "@backends",
	  "backends that every host must have, with commas: tap, tap+vhost, macvtap ... (default: tap "
	  "and, on the hosts that have it, tap+vhost)" },
	{ VERB_INTERSECT, OPT_WITH_DEVICE, "with-device", "NAME", "@devices",
	  "cover that device beside virtio-net too, such as vhost-vsock" },
	{ VERB_INTERSECT, OPT_TARGET, "target", "ARCH", "x86_64",
	  "QEMU target (default: the architecture of the hosts)" },
	{ VERB_INTERSECT, OPT_POLICY, "policy", "POLICY", "compatible all",
	  "compatible (default): on where the machine type has it on; all: on wherever every host and "
	  "every QEMU can" },
	{ VERB_INTERSECT, OPT_ENABLE, "enable", "GROUP", "@groups",
	  "turn an opt-in group of features on, or refuse" },
	{ VERB_INTERSECT, OPT_DISABLE, "disable", "GROUP", "@groups",
	  "turn a group of features off" },
	{ VERB_INTERSECT, OPT_DEST, "dest", "NAME", "@hosts",
	  "a host that is ever a destination (default: every host)" },
	{ VERB_INTERSECT, OPT_NO_INPUTS, "no-inputs", NULL, NULL,
	  "of json: without hosts and reasons, for the start of guests" },
	{ VERB_INTERSECT, OPT_PARTIAL, "partial", NULL, NULL,
	  "of json: the hosts alone, to be given to intersect with others of them" },
	{ VERB_INTERSECT, OPT_MINIMAL, "minimal", NULL, NULL,
	  "leave out what every QEMU has by default" },
	{ VERB_INTERSECT, OPT_FOR, "for", "NAME[:PATH]", "@hosts",
	  "the list for this host, or for one of its QEMU binaries" },
	{ VERB_INTERSECT, OPT_WITH_MACHINE, "with-machine", NULL, NULL,
	  "begin the list with the machine type" },
	{ VERB_INTERSECT, OPT_HOTPLUG, "hotplug", NULL, NULL,
	  "the list for devices that are plugged in later: all that any QEMU knows; a cold start with "
	  "it can fail" },
	{ VERB_INTERSECT, OPT_ALIAS, "alias", "LIST", "net0",
	  "of libvirt-override: the aliases of the guest's network cards, with commas, and of other "
	  "devices, such as vhost-vsock:vsock0" },

	/* targets */
	{ VERB_TARGETS, 'M', "machine", "MACHINE", "@machines",
	  "machine type of the guest, where GUEST does not say" },
	{ VERB_TARGETS, OPT_BACKEND, "backend", "BACKEND", "@backends",
	  "what its device lies on there: tap, tap+vhost, macvtap ... (default: as where it runs)" },
	{ VERB_CHECK, OPT_BACKEND, "backend", "BACKEND", "@backends",
	  "the backend of each interface of --domain that the XML leaves open" },
	{ VERB_CHECK, OPT_START, "start", "FILE", "@files",
	  "may the guest of --domain start on this host, whose profile FILE is, recorded since it was "
	  "booted? Of the baselines its own are asked, and one that the host satisfies is enough" },
	{ VERB_TARGETS, OPT_DEVICE, "device", "CLASS", CLASSES,
	  "class of the device of a feature word or of a log" },
	{ VERB_TARGETS, OPT_QUEUE_SIZE, "queue-size", "LIST", NULL,
	  "entries of its queues: one size, or one for each queue" },
	{ VERB_TARGETS, OPT_FROM, "from", "PROFILE", "@hosts",
	  "the host where it runs: is there a way back?" },
	{ VERB_TARGETS, OPT_QEMU, "qemu", "BINARY", "@files",
	  "the QEMU in which it runs, started to try on it the question what the guest of qmp:SOCKET "
	  "negotiated" },
	{ VERB_TARGETS, OPT_BASELINE, "baseline", "FILE", "@files",
	  "the list with which it was started, and will be there" },
	{ VERB_TARGETS, OPT_NOW, "now", NULL, NULL,
	  "a host that takes it only with further options does not take it: exit status 1" },
	{ VERB_TARGETS, OPT_ALL, "all", NULL, NULL,
	  "ask for each guest that runs on this host, as far as the caller may ask, whether it could "
	  "leave: one host that takes it is enough" },
	{ VERB_INTERSECT | VERB_CHECK | VERB_TARGETS | VERB_MATRIX, OPT_ASSUME_QEMU, "assume-qemu",
	  "HOST", "@hosts",
	  "take HOST to have an upstream QEMU with the machine type, where none is recorded" },

	/* matrix */
	{ VERB_MATRIX, 'M', "machine", "MACHINE", "@machines",
	  "machine type of the guests; may be repeated (default: that of BASELINE, else the newest that "
	  "all have, else the newest of each)" },
	{ VERB_MATRIX, OPT_BACKEND, "backend", "LIST", "@backends",
	  "what their devices lie on, with commas: tap, tap+vhost, macvtap ... (default: tap and "
	  "tap+vhost)" },
	{ VERB_MATRIX, OPT_WITH_DEVICE, "with-device", "NAME", "@devices",
	  "guests with that device beside virtio-net too, such as vhost-vsock" },
	{ VERB_MATRIX, OPT_SPLIT, "split", "N", "1 2 3",
	  "the best N groups of cohorts, and what each gains: exact up to 12 cohorts" },

	/* rehearse */
	{ VERB_REHEARSE, OPT_SAVE, "save", "FILE", "@files",
	  "write to FILE, whole or not at all and for nobody else to read, what the first command line saves" },
	{ VERB_REHEARSE, OPT_LOAD, "load", "FILE", "@files",
	  "load what stands in FILE; with --save of the same FILE, what the first command line saves "
	  "goes to the second, or to the first again" },
	{ VERB_REHEARSE, OPT_PID, "pid", "PID", NULL,
	  "the first command line is that of the guest which runs in this process, as started; takes "
	  "its QEMU alone" },
	{ VERB_REHEARSE, OPT_RUN, "run", "SECONDS", NULL,
	  "execute the firmware so long, at most 300, before the guest is saved" },

	{ VERB_REHEARSE, OPT_SPECIMEN, "specimen", NULL, NULL,
	  "rehearse each common device alone; --save and --load name a directory" },
	{ VERB_REHEARSE, 'M', "machine", "MACHINE", "@machines",
	  "machine type of the specimens; may be repeated" },

	/* verify, exec */
	{ VERB_VERIFY, OPT_PROFILE, "profile", "FILE", "@files",
	  "do not ask this host: FILE is its profile, recorded since it was booted; takes a QEMU" },
	{ VERB_EXEC, OPT_PROFILE, "profile", "FILE", "@files",
	  "do not ask this host: FILE is its profile, recorded since it was booted" },
	{ VERB_EXEC, OPT_VERIFY, "verify", NULL, NULL,
	  "read first of a throw-away QEMU what the guest would be offered, as abibase verify does" },

	/* diff, match, explain, plan, decode */
	{ VERB_DIFF, 'a', "all", NULL, NULL,
	  "let the context count too, and show all of it: kernel release, packages, build ids, paths, "
	  "rights of the probe, evidence" },
	{ VERB_MATCH, OPT_PLATFORM, "platform", "NAME", "@hosts",
	  "compare with this platform, or the profile in a file; may be repeated (default: all that "
	  "abibase list shows)" },
	{ VERB_MATCH, OPT_BACKEND, "backend", "LIST", "@backends",
	  "compare what these backends use, with commas: tap, tap+vhost, macvtap ... (default: "
	  "tap,tap+vhost)" },
	{ VERB_MATCH, OPT_NO_LOAD, "no-load", NULL, NULL,
	  "probe without opening anything whose module is not loaded" },
	{ VERB_EXPLAIN, OPT_COST, "cost", NULL, NULL,
	  "only the features that are given up, and for each the fewest hosts to retire for it" },
	{ VERB_PLAN, OPT_PLATFORMS, "platforms", "LIST", "@hosts",
	  "these platforms, separated by commas, instead of all; may be repeated" },
	{ VERB_PLAN, OPT_AT, "at", "DATE", NULL,
	  "the day that counts as today, YYYY-MM-DD (default: today)" },
	{ VERB_PLAN, OPT_HOSTS, "hosts", "LIST", "@hosts",
	  "beside it, what a baseline of these hosts gives at once; may be repeated" },
	{ VERB_DECODE, OPT_DEVICE, "device", "CLASS", CLASSES,
	  "whose feature masks they are: virtio-net, virtio-vsock, virtio-blk ... (default: what the "
	  "lines around them say)" },

	/* what is the same in all that have it */
	{ VERB_INTERSECT | VERB_CHECK | VERB_TARGETS | VERB_DIFF, OPT_DOMAIN, "domain", "FILE", "@files",
	  "take machine type, backends and devices of the guest from this XML of libvirt's, as virsh "
	  "dumpxml writes it" },
	{ VERB_INTERSECT | VERB_CHECK | VERB_TARGETS | VERB_MATRIX | VERB_VALIDATE | VERB_MATCH |
		  VERB_PLAN | VERB_MERGE,
	  OPT_FILES0_FROM, "files0-from", "FILE", "@files",
	  "read more operands from FILE, each ended by a NUL byte" },
	{ VERB_INTERSECT, 'f', "format", "FORMAT",
	  "args oneline argv-json readconfig libvirt-commandline libvirt-override json text",
	  "args (default), oneline, argv-json, readconfig, libvirt-commandline, libvirt-override, json "
	  "(the baseline) or text (for people)" },
	{ VERB_LIST, OPT_GROUPS, "groups", NULL, NULL,
	  "list the groups of features that --enable and --disable take" },
	{ ANSWERS, 'f', "format", "FORMAT", "text json", "text (default, for people) or json" },
	{ VERB_INTERSECT | ANSWERS, OPT_JSON, "json", NULL, NULL, "the same as --format=json" },
	{ VERB_PROBE | VERB_MERGE | VERB_INTERSECT | ANSWERS, 'o', "output", "FILE", "@files",
	  "write to FILE, whole or not at all, instead of stdout" },
	{ VERB_PROBE, 'v', "verbose", NULL, NULL,
	  "say more about what is done; twice: everything" },
	{ VERB_LIST, 'v', "verbose", NULL, NULL,
	  "also list every file that was considered, and what became of it: used, hidden by another, masking "
	  "others, refused, or a duplicate" },
	{ VERB_VALIDATE, 'v', "verbose", NULL, NULL, "also name the files that are valid" },
	{ VERB_MERGE | VERB_INTERSECT | (ANSWERS & ~(VERB_LIST | VERB_VALIDATE)), 'v', "verbose",
	  NULL, NULL,
	  "all of the answer, also where a terminal does not hold it, and all remarks" },
	{ VERB_INTERSECT, 'q', "quiet", NULL, NULL,
	  "no remarks beside the list; what keeps it from being made is said" },
	{ VERDICTS, 'q', "quiet", NULL, NULL,
	  "no answer for people and no remarks: the exit status is the answer" },
	{ VERDICTS & ~VERB_VALIDATE, OPT_COLOR, "color", "WHEN", "auto always never",
	  "colour the verdicts: auto (default: on a terminal, unless NO_COLOR is set), always, never" },
	{ ~0U, 'h', "help", NULL, NULL, "show this help and exit" },
	{ VERB_NONE, 'V', "version", NULL, NULL, "show the version and exit" },
};

const struct cli_option *options_row(enum verb verb, size_t *i)
{
	while (*i < ARRAY_SIZE(options)) {
		const struct cli_option *row = &options[(*i)++];

		if (row->verbs & (unsigned int)verb)
			return row;
	}
	return NULL;
}

/* ---------------------------------------------------------------------- parsing */

void options_clear(struct options *o)
{
	free(o->given);
	free(o->operands);
}

const struct cli_option *options_find(enum verb verb, int letter, const char *name, size_t len)
{
	const struct cli_option *row;

	for (size_t i = 0; (row = options_row(verb, &i));)
		if (name ? strlen(row->name) == len && !strncmp(row->name, name, len) :
			   row->id == letter)
			return row;
	return NULL;
}

/* "--form" is not taken for --format: what it is short for would change with the next option. */
static int unknown(const struct command *command, const char *word)
{
	size_t len = strcspn(word + 2, "=");
	_autofree_ char *name = strndup(word + 2, len);
	struct suggest s = { .word = name };
	const struct cli_option *row;
	char near[SUGGEST_TEXT];

	for (size_t i = 0; name && *name && (row = options_row(command->verb, &i));)
		suggest_offer(&s, row->name);
	suggest_text(&s, "'--", near);
	return cli_error("unrecognized option '%.*s'%s", (int)len + 2, word, near);
}

/* "--name", "--name=ARG" or "--name ARG"; @next: the word behind. 0, or STATUS_TROUBLE. */
static int parse_long(struct options *o, char *word, char *next, bool *ret_took_next)
{
	size_t len = strcspn(word + 2, "=");
	const struct cli_option *row = options_find(o->command->verb, 0, word + 2, len);
	char *arg = word[len + 2] ? word + len + 3 : NULL;

	if (!row)
		return unknown(o->command, word);
	if (arg && !row->arg)
		return cli_error("option '--%s' doesn't allow an argument", row->name);
	if (row->arg && !arg) {
		if (!next)
			return cli_error("option '--%s' requires an argument", row->name);
		arg = next;
		*ret_took_next = true;
	}
	o->given[o->n_given++] = (struct given){ row->id, arg };
	return 0;
}

/* "-v", "-vv", "-oFILE", "-o FILE" */
static int parse_letters(struct options *o, char *word, char *next, bool *ret_took_next)
{
	for (char *p = word + 1; *p; p++) {
		const struct cli_option *row =
			options_find(o->command->verb, (unsigned char)*p, NULL, 0);
		char *arg = p[1] ? p + 1 : next;

		if (!row)
			return cli_error("invalid option -- '%c'", *p);
		if (row->arg && !arg)
			return cli_error("option requires an argument -- '%c'", *p);
		o->given[o->n_given++] = (struct given){ row->id, row->arg ? arg : NULL };
		if (!row->arg)
			continue;
		*ret_took_next = !p[1];
		break;
	}
	return 0;
}

static int parse_words(struct options *o, int argc, char **argv)
{
	bool ended = false;

	for (int i = 1; i < argc; i++) {
		char *word = argv[i];
		bool took_next = false;
		int r = 0;

		if (ended || *word != '-' || !word[1]) {
			o->operands[o->n_operands++] = word;
			ended |= o->command->verb == VERB_NONE;
			continue;
		}
		if (streq(word, "--")) {
			ended = true;
			o->n_before = o->n_operands;
		} else {
			r = (word[1] == '-' ? parse_long : parse_letters)(o, word, argv[i + 1],
									  &took_next);
		}
		if (r)
			return r;
		i += took_next;
	}
	return 0;
}

static bool is_word_of(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; *list; list += strspn(list, " ")) {
		size_t n = strcspn(list, " ");

		if (n == len && !strncmp(list, word, n))
			return true;
		list += n;
	}
	return false;
}

/* An argument that is none of the few words that the table has for it */
static int bad_word(const struct options *o, const struct cli_option *row, const char *word)
{
	_autofree_ char *list = NULL;
	size_t size;
	FILE *f = open_memstream(&list, &size);

	for (const char *p = row->values; f && *p; p++)
		fprintf(f, *p == ' ' ? ", " : "%c", *p);
	if (!f || fclose(f) != 0)
		return cli_oom();
	if (row->id == 'f')
		return cli_usage(o->command->name, "\"%s\" is not a format; accepted: %s", word,
				 list);
	return cli_usage(o->command->name, "\"%s\" is not known to --%s; accepted: %s", word,
			 row->name, list);
}

/* What means the same in every verb. */
static int take_common(struct options *o)
{
	const struct cli_option *format = options_find(o->command->verb, 'f', NULL, 0);
	const struct cli_option *color = options_find(o->command->verb, OPT_COLOR, NULL, 0);
	const char *when = options_arg(o, OPT_COLOR);

	for (size_t i = 0; i < o->n_given; i++) {
		if (o->given[i].id == 'h')
			return 1 + cli_help(o->command);
		if (o->given[i].id == 'f')
			o->format = o->given[i].arg;
		if (o->given[i].id == OPT_JSON)
			o->format = "json";
		o->verbose += o->given[i].id == 'v';
	}
	o->output = options_arg(o, 'o');
	if (format && o->format && !is_word_of(format->values, o->format))
		return 1 + bad_word(o, format, o->format);
	if (when && !is_word_of(color->values, when))
		return 1 + bad_word(o, color, when);
	o->json = o->format && streq(o->format, "json");
	o->words = format &&
		   (o->format ? streq(o->format, "text") : strprefix(format->values, "text"));
	if (options_has(o, 'q'))
		o->verbose = -1;
	return 0;
}

int options_parse(const struct command *command, int argc, char **argv, struct options *ret)
{
	size_t letters = 0;

	for (int i = 1; i < argc; i++)
		letters += strlen(argv[i]) + 1; /* -vvv is three options */
	ret->command = command;
	ret->n_before = -1;
	ret->operands = calloc((size_t)argc + 1, sizeof(*ret->operands));
	ret->given = calloc(letters + 1, sizeof(*ret->given));
	if (!ret->operands || !ret->given)
		return 1 + cli_oom();
	if (parse_words(ret, argc, argv) != 0) {
		if (command->hint)
			cli_error("%s", command->hint);
		return 1 + cli_usage(command->name, NULL);
	}
	return take_common(ret);
}

char *options_next(const struct options *o, int id, size_t *i)
{
	while (*i < o->n_given) {
		const struct given *g = &o->given[(*i)++];

		if (g->id == id)
			return g->arg;
	}
	return NULL;
}

char *options_arg(const struct options *o, int id)
{
	char *ret = NULL, *arg;

	for (size_t i = 0; (arg = options_next(o, id, &i));)
		ret = arg;
	return ret;
}

size_t options_count(const struct options *o, int id)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n_given; i++)
		n += o->given[i].id == id;
	return n;
}

bool options_has(const struct options *o, int id)
{
	return options_count(o, id) > 0;
}

/* ------------------------------------------------------------------------- help */

#define WIDTH 80
#define INDENT_MAX 26

/* Words from @column on, further lines from @indent on. */
static void put_words(FILE *to, const char *text, size_t len, size_t column, size_t indent)
{
	const char *end = text + len;
	bool first = true;

	while (text < end) {
		size_t n = strcspn(text, " \n");

		if (n > (size_t)(end - text))
			n = (size_t)(end - text);
		if (!first && column + 1 + n > WIDTH) {
			fprintf(to, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			fputc(' ', to);
			column++;
		}
		fwrite(text, 1, n, to);
		column += n;
		first = false;
		text += n + (text + n < end);
	}
	fputc('\n', to);
}

/* "  -o, --output=FILE" */
static size_t put_name(char ret[], size_t size, const struct cli_option *row)
{
	char letter[8] = "    ";

	if (row->id < 0x100)
		snprintf(letter, sizeof(letter), "-%c, ", row->id);
	return (size_t)snprintf(ret, size, "  %s--%s%s%s", letter, row->name, row->arg ? "=" : "",
				row->arg ? row->arg : "");
}

void options_help(FILE *to, enum verb verb)
{
	const struct cli_option *row;
	char name[64];
	size_t indent = 0;

	for (size_t i = 0; (row = options_row(verb, &i));) {
		size_t n = put_name(name, sizeof(name), row) + 2;

		if (n > indent && n <= INDENT_MAX)
			indent = n;
	}
	for (size_t i = 0; (row = options_row(verb, &i));) {
		size_t n = put_name(name, sizeof(name), row);

		fputs(name, to);
		if (n + 2 > indent)
			fputc('\n', to);
		fprintf(to, "%*s", (int)(n + 2 > indent ? indent : indent - n), "");
		put_words(to, row->help, strlen(row->help), indent, indent);
	}
}

/* A paragraph ends with a line feed; one that begins with a blank is printed as it is. */
void options_wrap(FILE *to, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (*text == ' ' || n == 0)
			fprintf(to, "%.*s\n", (int)n, text);
		else
			put_words(to, text, n, 0, 0);
		text += n + (text[n] == '\n');
	}
}
