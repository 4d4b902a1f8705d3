/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live/rehearse.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/utsname.h>

#include "answer/decode.h"
#include "base/context.h"
#include "base/harmless.h"
#include "base/text.h"
#include "document/cpu.h"

/*
 * Does one QEMU take what another saves of this guest? Two throw-aways tell (qemu/rehearse.c), one
 * that saves and one that loads: on one host, or with a file between two.
 */

#define TIMEOUT_MS 60000
#define LAYER_COMMAND "command line"
#define LAYER_QEMU "QEMU"

struct rehearsing {
	const struct abibase_rehearse *rh;
	struct rehearsed *out;
	json_t *table;
	struct rehearsal rehearsal; /* between the halves */
};

/* ------------------------------------------------------------------------ request */

ABIBASE_EXPORT int abibase_rehearse_new(struct abibase_context *ctx, struct abibase_catalogue *cat,
					struct abibase_rehearse **ret)
{
	struct abibase_rehearse *rh = calloc(1, sizeof(*rh));

	if (!rh)
		return context_oom(ctx);
	rh->ctx = abibase_context_ref(ctx);
	rh->cat = abibase_catalogue_ref(cat);
	*ret = rh;
	return 0;
}

ABIBASE_EXPORT struct abibase_rehearse *abibase_rehearse_unref(struct abibase_rehearse *rh)
{
	if (!rh)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(rh->line); i++) {
		free(rh->line[i].qemu);
		free(rh->line[i].baseline);
		strings_clear(&rh->line[i].argv);
		strings_clear(&rh->line[i].list);
	}
	strings_clear(&rh->machines);
	free(rh->save);
	free(rh->load);
	abibase_catalogue_unref(rh->cat);
	abibase_context_unref(rh->ctx);
	free(rh);
	return NULL;
}

int rehearse_take(struct abibase_context *ctx, const char *word)
{
	return !word || text_is_utf8(word) ?
		       0 :
		       context_fail(ctx, EILSEQ, "rehearsal-failed", NULL,
				    "\"%s\" is not UTF-8, which documents are in", word);
}

ABIBASE_EXPORT int abibase_rehearse_set_file(struct abibase_rehearse *rh,
					     enum abibase_rehearse_half half, const char *path)
{
	int r = rehearse_take(rh->ctx, path);

	return r < 0 ? r : context_replace(rh->ctx, half == ABIBASE_REHEARSE_SAVE ? &rh->save : &rh->load,
					   path);
}

ABIBASE_EXPORT int abibase_rehearse_set_run(struct abibase_rehearse *rh, unsigned int seconds)
{
	if (seconds > REHEARSAL_RUN_MAX)
		return context_fail(rh->ctx, EINVAL, "rehearsal-incomplete", NULL,
				    "firmware is executed for at most %d seconds",
				    REHEARSAL_RUN_MAX);
	rh->run = seconds;
	return 0;
}

ABIBASE_EXPORT void abibase_rehearse_set_process(struct abibase_rehearse *rh, int pid)
{
	rh->pid = pid;
}

ABIBASE_EXPORT int abibase_rehearse_set_command(struct abibase_rehearse *rh,
						enum abibase_rehearse_half half, const char *qemu,
						const char *const *argv)
{
	struct rehearse_given *line = &rh->line[half];
	int r = rehearse_take(rh->ctx, qemu);

	for (size_t i = 0; r == 0 && argv[i]; i++)
		r = rehearse_take(rh->ctx, argv[i]);
	if (r == 0)
		r = context_replace(rh->ctx, &line->qemu, qemu);
	return r < 0 || strings_set(&line->argv, argv) == 0 ? r : context_oom(rh->ctx);
}

ABIBASE_EXPORT int abibase_rehearse_set_list(struct abibase_rehearse *rh,
					     enum abibase_rehearse_half half,
					     const struct abibase_baseline *b,
					     const char *const *list)
{
	struct rehearse_given *line = &rh->line[half];
	int r = context_replace(rh->ctx, &line->baseline, abibase_baseline_id(b));

	return r < 0 || strings_set(&line->list, list) == 0 ? r : context_oom(rh->ctx);
}

/* ----------------------------------------------------------------------- findings */

#define keep(k, ...) show_keep(&(k)->out->arena, __VA_ARGS__)

/* Rows of what is replaced or left out: of both sides, each once. */
static void add_replaced(struct rehearsing *k, const json_t *rows)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)rows, i, v) {
		const char *text = keep(k, "%s: %s", string_of(v, "option"), string_of(v, "why"));

		if (!json_has(k->out->replaced, text) &&
		    json_add(k->out->replaced, json_string(text)) < 0)
			k->out->arena.failed = true;
	}
}

static void say_left_out(struct rehearsing *k, const json_t *rows, const char *side)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)rows, i, v)
		rehearse_say(k->out, ABIBASE_FINDING_UNKNOWN, "rehearsal-left-out", LAYER_COMMAND,
			     NULL, "%s of the %s is not rehearsed: %s", string_of(v, "option"),
			     side, string_of(v, "why"));
}

/* What QEMU says a processor of its own lacks */
static void say_requested(struct rehearsing *k, const char *text, const char *side)
{
	static const char mark[] = "doesn't support requested feature";
	size_t n = 0;

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		n += strcspn(line, "\n") > strlen(mark) &&
		     memmem(line, strcspn(line, "\n"), mark, strlen(mark)) != NULL;
	}
	if (n)
		rehearse_say(k->out, ABIBASE_FINDING_NOTE, "rehearsal-cpu-filtered", "CPU",
			     "name a CPU model that the host has, with enforce",
			     "the %s starts without %zu features of the CPU that its line asks for",
			     side, n);
}

/* What the line of the source makes of the processor of its host */
static void say_named(struct rehearsing *k, const struct rehearse_line *l,
		      const struct rehearse_half *h)
{
	static const char prefix[] = "qemu-system-";
	const char *target = strrchr(h->qemu, '/');
	_buf_ text = { 0 }, remedy = { 0 };
	struct cpu_named n = { .word = l->cpu, .machine = h->machine, .tcg = !l->takes_kvm };

	target = target ? target + 1 : h->qemu;
	if (strprefix(target, prefix))
		n.target = target + strlen(prefix);
	if (cpu_write(&n, &text, &remedy))
		rehearse_say(k->out, ABIBASE_FINDING_NOTE, "guest-cpu", "CPU",
			     keep(k, "%s", arena_words(&k->out->arena, &remedy)), "%s",
			     arena_words(&k->out->arena, &text));
}

/* --------------------------------------------------------------------------- lines */

static bool may_open(const char *node)
{
	return access(node, R_OK | W_OK) == 0;
}

static struct rehearse_means means_of(void)
{
	return (struct rehearse_means){ .no_taps = !may_open("/dev/net/tun"),
					.no_vhost = !may_open("/dev/vhost-net"),
					.no_vsock = !may_open("/dev/vhost-vsock"),
					.swtpm = rehearse_find_swtpm() };
}

/* The list stands behind the arguments: it is no part of what two lines are compared by. */
static int parse_line(struct rehearsing *k, const struct rehearse_given *line,
		      struct rehearse_line *ret)
{
	int r;

	ret->ctx = k->rh->ctx;
	ret->table = k->table;
	r = rehearse_line_parse(ret, (const char *const *)line->argv.s);
	for (size_t i = 0; r == 0 && i < line->list.n; i++)
		if (strings_add(&ret->words, line->list.s[i]) < 0)
			r = context_oom(k->rh->ctx);
	return r;
}

static void take_side(struct rehearsing *k, const struct rehearse_half *h,
		      struct rehearse_side *side)
{
	side->qemu = keep(k, "%s", h->qemu);
	side->known = h->version != NULL;
	if (!side->known)
		return;
	side->version = keep(k, "%s", h->version);
	side->machine = keep(k, "%s", h->machine ? h->machine : "");
	side->package = h->package && *h->package ? keep(k, "%s", h->package) : NULL;
}

/* ---------------------------------------------------------------------------- save */

static json_t *list_of_files(const struct strings *paths)
{
	json_auto_t *files = json_array();
	char hex[DIGEST_HEX + 1];

	for (size_t i = 0; files && i < paths->n && i < REHEARSE_FILES_MAX; i++)
		if (rehearse_digest(paths->s[i], hex) &&
		    json_add(files, json_pack("{ss ss}", "digest", hex, "path", paths->s[i])) < 0)
			return NULL;
	return steal(&files);
}

static json_t *build_of(const struct rehearse_half *h)
{
	char hex[DIGEST_HEX + 1];

	rehearse_digest(h->qemu, hex);
	return json_pack("{ss ss ss ss*}", "digest", hex, "path", h->qemu, "version", h->version,
			 "package", h->package && *h->package ? h->package : NULL);
}

/* What a destination is held against */
static int make_head(struct rehearsing *k, const struct rehearse_given *line,
		     const struct rehearse_line *l, const struct rehearse_half *h)
{
	k->rehearsal.head = json_pack(
		"{ss ss* sO ss* sO sO so ss sO* sO so* so* so*}", "schema", "abibase-rehearsal/1",
		"baseline", line->baseline, "cpus", h->cpus, "cpus_possible", h->cpus_possible,
		"declared", l->declared, "left_out", l->left_out, "list",
		json_strings((const char *const *)line->list.s, line->list.n), "machine",
		h->machine, "properties", h->properties, "replaced", l->replaced, "run",
		k->rh->run ? json_integer(k->rh->run) : NULL, "without_taps",
		l->means.no_taps ? json_true() : NULL, "without_tpm",
		l->without_tpm ? json_true() : NULL);
	return k->rehearsal.head ? 0 : context_oom(k->rh->ctx);
}

/* And what has changed here when a file is loaded later: whole programs are read for it. */
static int state_host(struct rehearsing *k, const struct rehearse_line *l,
		      const struct rehearse_half *h)
{
	char host[DIGEST_HEX + 1];
	bool have_host = rehearse_host(host);
	json_auto_t *of = NULL;
	struct utsname u;

	if (uname(&u) < 0)
		return context_fail(k->rh->ctx, errno, "rehearsal-failed", NULL, "uname: %s",
				    strerror(errno));
	of = json_pack("{so so ss* ss}", "build", build_of(h), "files", list_of_files(&l->files),
		       "host", have_host ? host : NULL, "kernel", u.release);
	return of && json_object_update(k->rehearsal.head, of) == 0 ? 0 : context_oom(k->rh->ctx);
}

const char *rehearse_own_words(const char *said)
{
	static const char mark[] = "it said: ";
	const char *own = strstr(said, mark), *program;

	said = own ? own + strlen(mark) : said;
	program = strstr(said, "qemu-system-");
	own = program ? strstr(program, ": ") : NULL;
	return own ? own + 2 : said;
}

/* The first counts. */
static void note_said(struct rehearsing *k, const char *said)
{
	if (!k->out->said)
		k->out->said = keep(k, "%s", rehearse_own_words(said));
}

/* A QEMU that does not start is no answer about a guest: of the source it runs. */
static int say_not_saved(struct rehearsing *k, const struct rehearse_half *h)
{
	const char *why = arena_words(&k->out->arena, &h->why);

	if (h->end == REHEARSE_LOST) {
		rehearse_say(k->out, ABIBASE_FINDING_UNKNOWN, "rehearsal-lost", LAYER_QEMU,
			     "rehearse it idle, without --run",
			     "the throw-away of the source ended while it executed its firmware: %s",
			     why);
		return 0;
	}
	if (h->end != REHEARSE_REFUSED)
		return context_fail(k->rh->ctx, h->end == REHEARSE_NO_START ? ENOEXEC : EREMOTEIO,
				    "rehearsal-failed", h->qemu,
				    "the throw-away QEMU of the source could not be made: %s", why);
	note_said(k, why);
	rehearse_say(k->out, ABIBASE_FINDING_CONFLICT, "rehearsal-blocked", LAYER_QEMU,
		     "start the guest without that device; it cannot be migrated to any host",
		     "this guest cannot be saved: %s", why);
	return 0;
}

static int keep_saved(struct rehearsing *k, const struct rehearse_given *line,
		      const struct rehearse_line *l, struct rehearse_half *h)
{
	int r = make_head(k, line, l, h);

	k->rehearsal.stream = h->stream;
	h->stream = (struct buf){ 0 };
	k->out->bytes = k->rehearsal.stream.len;
	k->out->saved = r == 0;
	k->out->run = k->rh->run;
	if (r == 0 && k->rh->save)
		r = state_host(k, l, h);
	if (r == 0 && k->rh->save)
		r = rehearsal_write(k->rh->ctx, k->rh->save, &k->rehearsal);
	return r;
}

static int compare_process(struct rehearsing *k, const struct rehearse_given *line,
			   const struct rehearse_line *l, const struct rehearse_half *h)
{
	const struct rehearse_process p = { .out = k->out,
					    .pid = k->rh->pid,
					    .argv = (const char *const *)line->argv.s,
					    .line = l,
					    .half = h };

	return rehearse_compare_process(&p) < 0 ? context_oom(k->rh->ctx) : 0;
}

static void tell(const struct rehearsing *k, const struct rehearse_given *line, const char *does)
{
	context_step(k->rh->ctx, "%s %s %s", line->qemu, does,
		     k->rh->what ? k->rh->what : "the guest");
}

static int save(struct rehearsing *k)
{
	const struct rehearse_given *line = &k->rh->line[ABIBASE_REHEARSE_SAVE];
	struct rehearse_line l = { .means = means_of(),
				   .executes = k->rh->run > 0,
				   .saves = true };
	struct rehearse_half h = { .qemu = line->qemu,
				   .line = &l,
				   .timeout_ms = TIMEOUT_MS,
				   .run_s = k->rh->run,
				   .lists_devices = k->rh->pid != 0 };
	int r = k->rh->pid ? rehearse_check_process(k->rh->ctx, k->rh->pid, line->qemu) : 0;

	if (r == 0)
		r = parse_line(k, line, &l);
	tell(k, line, "saves");
	if (r == 0)
		r = rehearse_run(&h) < 0 ? context_oom(k->rh->ctx) : 0;
	if (r == 0 && k->rh->pid && h.devices)
		r = compare_process(k, line, &l, &h);
	if (r == 0) {
		take_side(k, &h, &k->out->source);
		add_replaced(k, l.replaced);
		say_left_out(k, l.left_out, "source");
		say_requested(k, h.stderr.data, "source");
		say_named(k, &l, &h);
		r = h.end == REHEARSE_DONE ? keep_saved(k, line, &l, &h) : say_not_saved(k, &h);
	}
	rehearse_half_clear(&h);
	rehearse_line_clear(&l);
	free(l.means.swtpm);
	return r;
}

/* ---------------------------------------------------------------------------- load */

/* Line @n of a text, without what could harm a terminal */
static const char *line_of(struct rehearsing *k, const char *text, json_int_t n)
{
	for (; text && n > 1; n--) {
		text = strchr(text, '\n');
		text += text != NULL;
	}
	return text ? keep(k, "%.*s", (int)strcspn(text, "\n"), text) : "";
}

static void say_decoded(struct rehearsing *k, const json_t *f, const char *said)
{
	const char *meaning = string_of(f, "meaning"), *path = string_of(f, "path");
	const char *remedy = string_of(f, "remedy"), *layer = string_of(f, "layer");
	const char *line = line_of(k, said, json_integer_value(json_object_get(f, "line")));

	note_said(k, line);
	if (meaning)
		rehearse_say(k->out, ABIBASE_FINDING_CONFLICT, "rehearsal-refused",
			     layer ? keep(k, "%s", layer) : LAYER_QEMU,
			     remedy ? keep(k, "%s", remedy) : NULL, "%s%s%s: %s", path ? path : "",
			     path ? ": " : "", line, meaning);
	else
		rehearse_say(k->out, ABIBASE_FINDING_CONFLICT, "rehearsal-refused", LAYER_QEMU,
			     "abibase decode says what the line means", "%s", line);
}

/* Why it did not load, in the words of abibase decode; without any, in those of QEMU. */
static int say_refused(struct rehearsing *k, const struct rehearse_half *h)
{
	struct abibase_result *res = NULL;
	const char *said = arena_words(&k->out->arena, &h->stderr);
	struct decode_data data = { 0 };
	const json_t *list;
	size_t i;
	json_t *v;
	int r = decode_data_load(k->rh->ctx, &data);

	if (r == 0)
		r = decode_with(k->rh->ctx, k->rh->cat, &data, said, strlen(said), NULL, &res);
	decode_data_clear(&data);
	if (r < 0)
		return r;
	list = json_object_get(res->root, "findings");
	json_array_foreach((json_t *)list, i, v)
		say_decoded(k, v, said);
	if (!json_array_size(list)) {
		said = arena_words(&k->out->arena, &h->why);
		note_said(k, said);
		rehearse_say(k->out, ABIBASE_FINDING_CONFLICT, "rehearsal-refused", LAYER_QEMU,
			     NULL, "%s does not load it: %s", h->qemu, said);
	}
	abibase_result_unref(res);
	return 0;
}

/* A guest cannot go where its line does not start. */
static int say_not_loaded(struct rehearsing *k, const struct rehearse_half *h)
{
	const char *why = arena_words(&k->out->arena, &h->why);

	if (h->end == REHEARSE_REFUSED)
		return say_refused(k, h);
	if (h->end == REHEARSE_TROUBLE)
		return context_fail(k->rh->ctx, EREMOTEIO, "rehearsal-failed", h->qemu,
				    "the throw-away QEMU of the destination could not be made: %s",
				    why);
	if (h->end == REHEARSE_LOST) {
		rehearse_say(k->out, ABIBASE_FINDING_UNKNOWN, "rehearsal-lost", LAYER_QEMU,
			     "save it again, and rehearse it on a host with less load",
			     "the destination neither loads nor refuses it: %s", why);
		return 0;
	}
	note_said(k, why);
	rehearse_say(k->out, ABIBASE_FINDING_CONFLICT, "rehearsal-no-start", LAYER_QEMU,
		     "start the destination with a line that this QEMU takes",
		     "the destination does not start with this line: %s", why);
	return 0;
}

static void compare_machines(struct rehearsing *k, const struct rehearse_half *h)
{
	const char *source = string_of(k->rehearsal.head, "machine");

	if (h->machine && !streq(source, h->machine))
		rehearse_say(k->out, ABIBASE_FINDING_CONFLICT, "rehearsal-machine", LAYER_COMMAND,
			     keep(k, "start the destination with -machine %s", source),
			     "the machine type of the source is %s, that of the destination %s",
			     source, h->machine);
}

static int load_with(struct rehearsing *k, const struct rehearse_given *line,
		     struct rehearse_line *l)
{
	struct rehearse_half h = { .qemu = line->qemu,
				   .line = l,
				   .timeout_ms = TIMEOUT_MS,
				   .load = &k->rehearsal.stream };
	struct rehearse_comparison c = { .out = k->out,
					 .source = k->rehearsal.head,
					 .line = l,
					 .half = &h,
					 .baseline = line->baseline };
	int r = rehearse_run(&h) < 0 ? context_oom(k->rh->ctx) : 0;

	if (r == 0) {
		take_side(k, &h, &k->out->destination);
		say_left_out(k, l->left_out, "destination");
		add_replaced(k, l->replaced);
		compare_machines(k, &h);
		rehearse_compare_lines(&c);
		if (h.cpus)
			rehearse_compare_cpus(&c);
		if (h.properties)
			rehearse_compare_properties(&c);
		say_requested(k, h.stderr.data, "destination");
		k->out->loaded = h.end == REHEARSE_DONE;
		r = k->out->loaded ? 0 : say_not_loaded(k, &h);
	}
	rehearse_half_clear(&h);
	return r;
}

/* What the source was rehearsed on, and cannot be made here. */
static int check_means(struct rehearsing *k, const struct rehearse_line *l, bool no_taps,
		       bool no_swtpm)
{
	if (no_taps && !json_object_get(k->rehearsal.head, "without_taps") && l->hubs)
		return context_fail(k->rh->ctx, EACCES, "rehearsal-failed", "/dev/net/tun",
				    "the source was rehearsed on taps, and none can be made here");
	if (no_swtpm && !json_object_get(k->rehearsal.head, "without_tpm") && l->without_tpm)
		return context_fail(k->rh->ctx, ENOENT, "rehearsal-failed", "swtpm",
				    "the source was rehearsed with a TPM, and swtpm is not "
				    "installed here");
	return 0;
}

/* On both sides, or what is in the stream of one the other has not. */
static void limit_means(const struct rehearsing *k, struct rehearse_means *means)
{
	const json_t *head = k->rehearsal.head;

	means->no_taps |= json_object_get(head, "without_taps") != NULL;
	if (!json_object_get(head, "without_tpm"))
		return;
	free(means->swtpm);
	means->swtpm = NULL;
}

static int load(struct rehearsing *k)
{
	const struct rehearse_given *line = &k->rh->line[ABIBASE_REHEARSE_LOAD];
	struct rehearse_line l = { .means = means_of() };
	bool no_taps = l.means.no_taps, no_swtpm = !l.means.swtpm;
	int r;

	tell(k, line, "loads");
	/* it has the RAM of the source */
	k->out->run = (unsigned int)json_integer_value(json_object_get(k->rehearsal.head, "run"));
	l.executes = k->out->run > 0;
	l.source = json_object_get(k->rehearsal.head, "declared");
	limit_means(k, &l.means);
	r = parse_line(k, line, &l);
	if (r == 0)
		r = check_means(k, &l, no_taps, no_swtpm);
	if (r == 0)
		r = load_with(k, line, &l);
	if (r == 0 && k->out->loaded && k->out->run && k->rh->load)
		rehearse_say(k->out, ABIBASE_FINDING_UNKNOWN, "rehearsal-executed", LAYER_QEMU,
			     "save it without --run as well, and load that",
			     "the guest was saved behind its firmware, which can make a queue "
			     "smaller than a driver of the guest's does");
	rehearse_line_clear(&l);
	free(l.means.swtpm);
	return r;
}

static int read_saved(struct rehearsing *k)
{
	const json_t *head, *build;
	int r = rehearsal_read(k->rh->ctx, k->rh->load, &k->rehearsal);

	if (r < 0)
		return r;
	head = k->rehearsal.head;
	build = json_object_get(head, "build");
	k->out->source = (struct rehearse_side){ .qemu = string_of(build, "path"),
						 .version = string_of(build, "version"),
						 .package = string_of(build, "package"),
						 .machine = string_of(head, "machine"),
						 .known = true };
	k->out->saved = true;
	k->out->bytes = k->rehearsal.stream.len;
	add_replaced(k, json_object_get(head, "replaced"));
	say_left_out(k, json_object_get(head, "left_out"), "source");
	rehearse_compare_host(&(struct rehearse_comparison){ .out = k->out, .source = head });
	return 0;
}

/* --------------------------------------------------------------------------- all of it */

static int run(struct rehearsing *k)
{
	const struct abibase_rehearse *rh = k->rh;
	int r = data_load(rh->ctx, &rehearse_form, &k->table);

	if (r == 0)
		r = rh->line[ABIBASE_REHEARSE_SAVE].qemu ? save(k) : read_saved(k);
	if (r == 0 && k->out->saved && rh->line[ABIBASE_REHEARSE_LOAD].qemu)
		r = load(k);
	return r;
}

static int finish(struct rehearsing *k, struct abibase_result **ret)
{
	const struct abibase_rehearse *rh = k->rh;

	k->out->file = rh->save && k->out->saved ? rh->save : rh->load;
	k->out->verdict = findings_verdict(&k->out->findings);
	return result_give(rh->ctx,
			   &(struct abibase_result){ .verdict = k->out->verdict,
						     .root = rehearsed_document(k->out),
						     .show = rehearsed_show },
			   ret);
}

static int run_once(const struct abibase_rehearse *rh, struct abibase_result **ret)
{
	struct rehearsed out = { .findings.arena = &out.arena, .replaced = json_array() };
	struct rehearsing k = { .rh = rh, .out = &out };
	bool saves = rh->line[ABIBASE_REHEARSE_SAVE].qemu,
	     loads = rh->line[ABIBASE_REHEARSE_LOAD].qemu;
	int r = 0;

	if ((!saves && !loads) || saves == (loads && rh->load))
		r = context_fail(
			rh->ctx, EINVAL, "rehearsal-incomplete", NULL,
			"a rehearsal takes a command line that saves, and one that loads, or a "
			"file in the place of one of them");
	if (r == 0)
		r = run(&k);
	if (r == 0 && (out.arena.failed || !out.replaced))
		r = context_oom(rh->ctx);
	if (r == 0)
		r = finish(&k, ret);
	rehearsal_clear(&k.rehearsal);
	json_decref(k.table);
	json_decref(out.replaced);
	arena_clear(&out.arena);
	return r;
}

static bool is_worse(enum abibase_verdict verdict, enum abibase_verdict than)
{
	return verdict != ABIBASE_VERDICT_YES && than != ABIBASE_VERDICT_NO && verdict != than;
}

int rehearse_request_run(struct abibase_rehearse *rh, struct abibase_result **ret)
{
	struct abibase_rehearse idle = *rh;
	struct abibase_result *stopped;
	int r = run_once(rh, ret);

	/* firmware can make a queue smaller than a driver does later: what loads does so idle, too */
	if (r < 0 || !rh->run || !rh->line[ABIBASE_REHEARSE_SAVE].qemu ||
	    !rh->line[ABIBASE_REHEARSE_LOAD].qemu ||
	    abibase_result_verdict(*ret) == ABIBASE_VERDICT_NO)
		return r;
	idle.run = 0;
	idle.save = idle.load = NULL;
	r = run_once(&idle, &stopped);
	if (r < 0) {
		abibase_result_unref(steal(ret));
		return r;
	}
	if (is_worse(abibase_result_verdict(stopped), abibase_result_verdict(*ret))) {
		abibase_result_unref(*ret);
		*ret = steal(&stopped);
	}
	abibase_result_unref(stopped);
	return 0;
}
