/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/suggest.h"
#include "document/baseline.h"
#include "base/context.h"
#include "model/ask.h"
#include "document/page.h"
#include "document/result.h"
#include "answer/show.h"
#include "base/known.h"

/*
 * Why a baseline is what it is. The reasons were found when it was derived and stand in it; here
 * they become sentences, and what stands in the way of a feature is followed to its end: through
 * what is decided together, and through what it depends on. All of it is put into one document,
 * from which the text for people is made.
 */

struct explaining {
	const struct abibase_catalogue *cat;
	const struct abibase_baseline *b;
	struct links links; /* of @b */
	bool kernels; /* a kernel with a feature was named by upstream's number */
	struct arena arena; /* words, and whether memory ran out */
};

/* What keeps a feature off: hosts that would have to go, and what no host's going would change. */
struct barrier {
	bool *hosts, *seen; /* for each host; for each value */
	size_t n_hosts;
	bool machine; /* no QEMU here has it on under this machine type */
	bool qemu;    /* no QEMU here has the property */
	bool unrecorded; /* what the QEMUs make of it is not recorded */
	const char *disabled; /* the group that was asked to be off */
};

/* Does the machine type decide, or is it enough that every QEMU has the property? */
enum mode { MODE_AS_ASKED, MODE_ALL };

static const char power_cycle[] =
	"already-booted guests need a power cycle: a running guest keeps what it negotiated, and its "
	"QEMU what it was started with, until it is powered off and started anew";
static const char backports[] =
	"these are upstream's, and vendors backport: version numbers are not capabilities; a probe of "
	"the host tells";

/* ---------------------------------------------------------------------- pieces */

static const char *kept(const char *s)
{
	return s ? s : "";
}
/* A sentence, in the arena; "" where that has failed. */
#define words(e, ...) kept(arena_printf(&(e)->arena, __VA_ARGS__))

static void append(struct explaining *e, json_t *list, json_t *v)
{
	e->arena.failed |= json_array_append_new(list, v) < 0;
}

/* A sentence more in a list of them */
static _printf_(3, 4) void say(struct explaining *e, json_t *list, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(e, list, json_vsprintf(fmt, ap));
	va_end(ap);
}

/* What is in the buffer, which is released. */
static const char *take(struct explaining *e, struct buf *b)
{
	const char *text = arena_strdup(&e->arena, arena_words(&e->arena, b));

	buf_clear(b);
	return kept(text);
}

/* With commas; of very many their number. The list is released. */
static const char *names(struct explaining *e, json_t *list)
{
	struct buf text = { 0 };

	page_names(&text, list);
	json_decref(list);
	return take(e, &text);
}

static json_t *host_list(struct explaining *e, const bool *hosts)
{
	json_t *list = json_array();

	for (size_t i = 0; hosts && i < e->b->in.n_hosts; i++)
		if (hosts[i])
			append(e, list, json_string(e->b->in.hosts[i]->name));
	return list;
}

static json_t *why_hosts(struct explaining *e, const struct why *w)
{
	json_t *list = json_array();

	for (size_t i = 0; i < w->n_hosts; i++)
		append(e, list, json_string(e->b->in.hosts[w->hosts[i]]->name));
	return list;
}

static bool uses(const struct explaining *e, const struct host *h, size_t used)
{
	if (!e->b->used[used].build)
		return inputs_assumes_qemu(&e->b->in, h);
	for (size_t i = 0; i < h->n_qemu; i++)
		if ((long)h->qemu[i].build == e->b->used[used].index)
			return true;
	return false;
}

/* "QEMU 9.1.0 [qemu-kvm-9.1.0-19.el9] (A)" */
static void write_build(struct explaining *e, size_t used, struct buf *out)
{
	const struct build *build = e->b->used[used].build;
	const char *package = string_of(build ? build->entry : NULL, "package");
	json_t *users = json_array();

	for (size_t i = 0; i < e->b->in.n_hosts; i++)
		if (uses(e, e->b->in.hosts[i], used))
			append(e, users, json_string(e->b->in.hosts[i]->name));
	buf_printf(out, "QEMU %s", build ? build->version : "not probed");
	if (package && *package)
		buf_printf(out, " [%s]", package);
	buf_printf(out, " (%s)", names(e, users));
}

/* The builds with this default */
static const char *builds(struct explaining *e, const struct value *v, enum setting s)
{
	struct buf out = { 0 };

	for (size_t u = 0; u < e->b->n_used; u++) {
		if (v->defaults[u] != s)
			continue;
		buf_puts(&out, out.len ? ", " : "");
		write_build(e, u, &out);
	}
	return take(e, &out);
}

static size_t count(const struct explaining *e, const struct value *v, enum setting s)
{
	size_t n = 0;

	for (size_t u = 0; u < e->b->n_used; u++)
		n += v->defaults[u] == s;
	return n;
}

static const struct group *group_of(const struct explaining *e, const char *name)
{
	for (size_t i = 0; name && i < e->cat->n_groups; i++)
		if (streq(e->cat->groups[i].name, name))
			return &e->cat->groups[i];
	return NULL;
}

/* "UDP segmentation offload", of "UDP segmentation offload: one TUNSETOFFLOAD decides the three" */
static const char *group_words(struct explaining *e, const struct value *v)
{
	const struct group *g = group_of(e, v->group);
	const char *text = g && g->description ? g->description : v->feature;

	return words(e, "%.*s", (int)strcspn(text, ":"), text);
}

static const char *version_words(struct explaining *e, const struct version *v)
{
	return words(e, v->part[2] ? "%u.%u.%u" : "%u.%u", v->part[0], v->part[1], v->part[2]);
}

/* -------------------------------------------------------------------- what stands in the way */

static void add_hosts(struct barrier *bar, const struct why *w)
{
	for (size_t i = 0; i < w->n_hosts; i++) {
		bar->n_hosts += !bar->hosts[w->hosts[i]];
		bar->hosts[w->hosts[i]] = true;
	}
}

static const struct row *row_of(const struct explaining *e, const struct value *v)
{
	return e->links.rows[v - e->b->values];
}

static bool machine_counts(const struct explaining *e, const struct value *v, enum mode mode)
{
	const struct policy *p = &e->b->in.policy;
	const struct row *row = row_of(e, v);

	return mode != MODE_ALL && !(v->group && strings_have(&p->enable, v->group)) &&
	       !(p->all && (!row || row->pin == PIN_PINNED));
}

static void gather_why(const struct explaining *e, const struct value *v, const struct why *w,
		       enum mode mode, struct barrier *bar)
{
	bool machine = machine_counts(e, v, mode), some_on = count(e, v, SETTING_ON);

	switch (w->kind) {
	case WHY_HOST_LACKS:
	case WHY_HOST_UNKNOWN:
	case WHY_NEVER:
		add_hosts(bar, w);
		break;
	case WHY_QEMU_LACKS:
		if (machine && !some_on)
			bar->machine = true; /* too old for it, whatever host goes */
		else if (w->n_hosts)
			add_hosts(bar, w);
		else
			bar->qemu = true;
		break;
	case WHY_MACHINE_OFF:
		if (machine && some_on)
			add_hosts(bar, w);
		else if (machine)
			bar->machine = true;
		break;
	case WHY_QEMU_UNKNOWN:
		if (w->n_hosts)
			add_hosts(bar, w);
		else
			bar->unrecorded = true;
		break;
	case WHY_DISABLED:
		bar->disabled = w->what;
		break;
	case WHY_DEPENDS: /* both are followed by the catalogue */
	case WHY_TOGETHER:
	case WHY_HOST_LEAST:
	case N_WHY:
	default:
		break;
	}
}

static void gather(const struct explaining *e, size_t i, enum mode mode, struct barrier *bar);

/* The first of the alternatives stands for them; where one is on, or not set, nothing is missing. */
static void gather_depend(const struct explaining *e, const struct depend *d, enum mode mode,
			  struct barrier *bar)
{
	const struct value *first = d->n ? e->links.values[d->any[0]] : NULL;

	for (size_t i = 0; i < d->n; i++)
		if (!e->links.values[d->any[i]] || e->links.values[d->any[i]]->on)
			return;
	if (first)
		gather(e, (size_t)(first - e->b->values), mode, bar);
}

static void gather(const struct explaining *e, size_t i, enum mode mode, struct barrier *bar)
{
	const struct value *v = &e->b->values[i];
	const struct group *g = group_of(e, v->group);
	const struct row *row = row_of(e, v);

	if (v->on || bar->seen[i])
		return;
	bar->seen[i] = true;
	for (size_t k = 0; k < v->n_why; k++)
		gather_why(e, v, &v->why[k], mode, bar);
	for (size_t k = 0; g && g->together && k < e->b->n_values; k++)
		if (e->b->values[k].group && streq(e->b->values[k].group, v->group))
			gather(e, k, mode, bar);
	for (size_t k = 0; row && k < row->n_depends; k++)
		gather_depend(e, &row->depends[k], mode, bar);
}

static void barrier_init(struct explaining *e, size_t i, enum mode mode, struct barrier *bar)
{
	bar->hosts = arena_alloc(&e->arena, e->b->in.n_hosts + 1);
	bar->seen = arena_alloc(&e->arena, e->b->n_values + 1);
	if (bar->hosts && bar->seen)
		gather(e, i, mode, bar);
}

/* Is retiring some hosts, and leaving others, all that it takes? */
static bool only_hosts(const struct explaining *e, const struct barrier *bar)
{
	return bar->n_hosts && bar->n_hosts < e->b->in.n_hosts && !bar->machine && !bar->qemu &&
	       !bar->unrecorded && !bar->disabled;
}

static bool nothing_left(const struct barrier *bar)
{
	return !bar->n_hosts && !bar->qemu && !bar->unrecorded && !bar->disabled && !bar->machine;
}

/* ------------------------------------------------------------------------ why, in words */

static const char *backends_words(struct explaining *e, unsigned int mask)
{
	struct buf out = { 0 };

	inputs_write_backends(&e->b->in, mask, ", ", &out);
	return take(e, &out);
}

/* Why the first of these hosts cannot tell; the others of the same reason cannot either. */
static const char *unknown_reason(const struct explaining *e, const struct why *w)
{
	const struct inputs *in = &e->b->in;

	for (size_t c = 0; w->n_hosts && c < in->n_conditions; c++) {
		unsigned int answer = in->hosts[w->hosts[0]]->answers[c];

		if (streq(in->conditions[c], w->what) && answer >= ANSWER_UNKNOWN)
			return answer_reason(in, answer);
	}
	return "not-recorded";
}

static const char *machine_off(struct explaining *e, const struct value *v)
{
	if (!count(e, v, SETTING_ON))
		return words(e, "the machine type %s has it off in every QEMU here that knows it: %s",
			     e->b->machine, builds(e, v, SETTING_OFF));
	return words(e, "same machine type name, different content: %s has it on in %s and off in %s",
		     e->b->machine, builds(e, v, SETTING_ON), builds(e, v, SETTING_OFF));
}

static const char *qemu_lacks(struct explaining *e, const struct value *v)
{
	const struct row *row = row_of(e, v);
	const char *lacks = words(e, "the property does not exist on %s",
				  builds(e, v, SETTING_ABSENT));

	return row ? words(e, "%s; upstream QEMU has it from %s on", lacks,
			   version_words(e, &row->since)) :
		     lacks;
}

/* The call that answers a condition. */
static const char *source_of(const struct explaining *e, const char *condition)
{
	for (size_t i = 0; i < e->cat->n_conditions; i++)
		if (streq(e->cat->conditions[i].name, condition))
			return e->cat->conditions[i].source;
	return NULL;
}

static const char *host_why(struct explaining *e, const struct why *w)
{
	const char *source = source_of(e, w->what), *hosts = names(e, why_hosts(e, w)), *text;

	if (w->kind == WHY_NEVER)
		text = words(e, "%s: this QEMU never offers it there", hosts);
	else if (w->kind == WHY_HOST_UNKNOWN)
		text = words(e, "%s: %s is unknown (%s), and what is unknown is not promised",
			     hosts, w->what, unknown_reason(e, w));
	else
		text = words(e, "%s: %s (%s, asked of %s%s%s)", hosts,
			     w->missing ? w->missing : "lacks it", w->what,
			     w->layer ? w->layer : "the host", source ? " with " : "",
			     source ? source : "");
	return w->backends ? words(e, "%s, needed on %s", text, backends_words(e, w->backends)) :
			     text;
}

static const char *why_text(struct explaining *e, const struct value *v, const struct why *w)
{
	switch (w->kind) {
	case WHY_HOST_LACKS:
	case WHY_HOST_UNKNOWN:
	case WHY_NEVER:
		return host_why(e, w);
	case WHY_QEMU_LACKS:
		return qemu_lacks(e, v);
	case WHY_MACHINE_OFF:
		return machine_off(e, v);
	case WHY_QEMU_UNKNOWN:
		return words(e, "what %s is set to is not recorded for %s", v->property,
			     builds(e, v, SETTING_UNKNOWN));
	case WHY_DEPENDS:
		return words(e, "it depends on %s, which is off", w->what);
	case WHY_TOGETHER:
		return words(e, "it is decided together with %s, which is off", w->what);
	case WHY_DISABLED:
		return words(e, "it was asked to be off: --disable %s", w->what);
	case WHY_HOST_LEAST:
		return words(e, "%s the least that a host states: %s",
			     w->n_hosts ? words(e, "%s:", names(e, why_hosts(e, w))) : "it is",
			     w->what);
	case N_WHY:
	default:
		return "";
	}
}

/* A machine type's off is no reason where more was asked for than its defaults. */
static bool is_reason(const struct explaining *e, const struct value *v, const struct why *w)
{
	return w->kind != WHY_MACHINE_OFF || machine_counts(e, v, MODE_AS_ASKED);
}

static json_t *why_json(struct explaining *e, const struct value *v, const struct why *w)
{
	bool asked = w->kind == WHY_HOST_LACKS || w->kind == WHY_HOST_UNKNOWN;

	return json_pack("{s:o, s:s, s:s, s:s*, s:s*}", "hosts", why_hosts(e, w), "kind",
			 why_words[w->kind], "text", why_text(e, v, w), "condition",
			 asked ? w->what : NULL, "layer", w->layer);
}

/* A reason of a kind of its own, that no host is to blame for. */
static json_t *reason(const char *kind, const char *text)
{
	return json_pack("{s:[], s:s, s:s}", "hosts", "kind", kind, "text", text);
}

/* What an on rests on. */
static json_t *why_on(struct explaining *e, const struct value *v)
{
	const struct row *row = row_of(e, v);
	struct buf text = { 0 };

	if (row && row->observed)
		buf_puts(&text, "it holds what the file of every host here takes");
	else if (v->is_number)
		buf_puts(&text, "it is the least that a QEMU here has by itself");
	else if (count(e, v, SETTING_ON) == e->b->n_used)
		buf_printf(&text, "%s has it on in every QEMU here", e->b->machine);
	else
		buf_printf(&text, "every QEMU here has the property, and it was asked for (%s)",
			   v->group && strings_have(&e->b->in.policy.enable, v->group) ?
				   "--enable" :
				   "--policy all");
	for (size_t i = 0; i < v->n_requires; i++)
		buf_printf(&text, "%s %s", i ? "," : ", and every host has what it takes:",
			   v->requires[i]);
	return reason("everywhere", take(e, &text));
}

/* Is the answer for this backend? The order of the catalogue's is not that of a baseline's. */
static bool is_for(const struct explaining *e, const struct backend *backend)
{
	const struct inputs *in = &e->b->in;

	for (size_t i = 0; i < in->n_backends; i++)
		if (in->policy.backends & (1u << i) && streq(in->backends[i], backend->name))
			return true;
	return false;
}

/* The kernels are not to blame: worth saying where a build of QEMU or the machine type is. */
static const char *kernels_can(struct explaining *e, const struct value *v)
{
	const struct row *row = row_of(e, v);
	bool *done = arena_alloc(&e->arena, e->cat->n_conditions + 1);
	struct ask a = { .cat = e->cat };
	struct buf text = { 0 };

	for (size_t i = 0; i < v->n_why; i++)
		if (v->why[i].kind == WHY_HOST_LACKS || v->why[i].kind == WHY_HOST_UNKNOWN ||
		    v->why[i].kind == WHY_NEVER)
			return NULL;
	for (size_t be = 0; done && row && be < e->cat->n_backends; be++)
		for (struct asked w = { 0 };
		     is_for(e, &e->cat->backends[be]) && ask_next_need(&a, &row->needs[be], &w);) {
			if (!w.c || done[w.condition])
				continue;
			done[w.condition] = true;
			buf_printf(&text, "%s %s",
				   text.len ? "," : "the kernel on every host supports it:",
				   w.c->name);
		}
	return text.len ? take(e, &text) : NULL;
}

/* ------------------------------------------------------------------- what would raise it */

static void raise_host(struct explaining *e, json_t *list, const struct why *w)
{
	say(e, list, "on %s: %s", names(e, why_hosts(e, w)),
	    w->kind == WHY_HOST_UNKNOWN ? unknown_remedy(unknown_reason(e, w)) :
	    w->kind == WHY_NEVER	? "another QEMU, or another backend" :
	    w->remedy			? w->remedy :
					  "a kernel that has it");
	e->kernels |= w->remedy && strstr(w->remedy, "upstream");
}

static void raise_qemu(struct explaining *e, json_t *list, const struct value *v,
		       const struct why *w)
{
	const struct row *row = row_of(e, v);

	say(e, list, "on %s: a QEMU that has the property%s",
	    w->n_hosts ? names(e, why_hosts(e, w)) : "every host",
	    row ? words(e, " (upstream %s or newer)", version_words(e, &row->since)) : "");
}

/* The newest upstream machine type that still has the row off; NULL: none has. */
static const struct compat *newest_off(const struct row *row)
{
	const struct compat *best = NULL;

	for (size_t i = 0; i < row->n_compat; i++)
		if (json_is_false(row->compat[i].value) &&
		    (!best || version_cmp(&row->compat[i].machine, &best->machine) > 0))
			best = &row->compat[i];
	return best;
}

static void raise_machine(struct explaining *e, json_t *list, const struct value *v)
{
	const struct row *row = row_of(e, v);
	const struct compat *off = row ? newest_off(row) : NULL;
	struct machine_name name;
	const char *family;

	if (!row)
		return;
	machine_name_parse(e->b->machine, &name);
	family = name.family == MACHINE_I440FX ? "pc-i440fx" : "pc-q35";
	/* the first machine type after the newest that has it off is that of the release with the row */
	if (!json_is_true(row->def))
		say(e, list, "no machine type has it on: ask for it with --enable %s",
		    row->group_name ? row->group_name : "GROUP");
	else if (off && version_cmp(&row->since, &off->machine) <= 0)
		say(e, list, "a machine type newer than %s-%s; every host needs a QEMU with that "
			     "machine type", family, version_words(e, &off->machine));
	else
		say(e, list, "a newer machine type: %s-%s is the first upstream one that has it on; "
			     "every host needs a QEMU with that machine type", family,
		    version_words(e, &row->since));
}

/* Would --policy all have it on with the hosts as they are? */
static void raise_policy(struct explaining *e, json_t *list, size_t i, bool machine)
{
	const struct value *v = &e->b->values[i];
	const struct row *row = row_of(e, v);
	struct barrier bar = { 0 };

	if (!row || row->pin != PIN_PINNED || !machine_counts(e, v, MODE_AS_ASKED))
		return;
	barrier_init(e, i, MODE_ALL, &bar);
	if (nothing_left(&bar))
		say(e, list, "--policy all turns it on now: every QEMU here has the property and "
			     "every host's kernel can");
	else if (machine && only_hosts(e, &bar))
		say(e, list, "--policy all turns it on once these can, or are retired: %s",
		    names(e, host_list(e, bar.hosts)));
}

static void raise_value(struct explaining *e, json_t *list, size_t i, const struct barrier *bar)
{
	const struct value *v = &e->b->values[i];
	bool some_on = count(e, v, SETTING_ON), machine = machine_counts(e, v, MODE_AS_ASKED);

	for (size_t k = 0; k < v->n_why; k++) {
		const struct why *w = &v->why[k];

		if (w->kind == WHY_HOST_LACKS || w->kind == WHY_HOST_UNKNOWN ||
		    w->kind == WHY_NEVER)
			raise_host(e, list, w);
		else if (w->kind == WHY_QEMU_LACKS && (some_on || !machine))
			raise_qemu(e, list, v, w);
		else if (w->kind == WHY_QEMU_UNKNOWN)
			say(e, list, "probe the hosts again, so that the values of this machine type "
				     "are recorded");
		else if (w->kind == WHY_DISABLED)
			say(e, list, "leave out --disable %s", w->what);
		else if (w->kind == WHY_MACHINE_OFF && machine && some_on)
			say(e, list, "one build of QEMU on all hosts, or builds whose %s is the same",
			    e->b->machine);
	}
	if (bar->machine)
		raise_machine(e, list, v);
	if (bar->machine || (machine && some_on))
		raise_policy(e, list, i, bar->machine);
	if (only_hosts(e, bar))
		say(e, list, "retire %s, and it comes back", names(e, host_list(e, bar->hosts)));
}

/* ---------------------------------------------------------------------------- values */

/* A feature, or a part of the device, that a guest could have and has to do without. */
static bool is_given_up(const struct explaining *e, const struct value *v)
{
	const struct row *row = row_of(e, v);

	/* off, what takes a feature away leaves it */
	return !v->on && !(row && row->disabled) && (v->bit >= 0 || v->off_counts);
}

static const char *cost_text(struct explaining *e, const struct value *v)
{
	return is_given_up(e, v) ? words(e, "guests do without %s", group_words(e, v)) : NULL;
}

/* One -global list for all the hosts cannot say this value. */
static const char *list_text(struct explaining *e, const struct value *v)
{
	size_t absent = count(e, v, SETTING_ABSENT);
	size_t same = count(e, v, v->on ? SETTING_ON : SETTING_OFF);

	if (!absent || absent + same == e->b->n_used)
		return NULL;
	return words(e, "no one list of options serves all hosts: %s would refuse to start with the "
			"property, the others have to be told: use intersect --for HOST",
		     builds(e, v, SETTING_ABSENT));
}

/* Text that can be nothing is null. */
static json_t *value_json(struct explaining *e, size_t i)
{
	const struct value *v = &e->b->values[i];
	json_t *why = json_array(), *raise = json_array();
	struct barrier bar = { 0 };

	barrier_init(e, i, MODE_AS_ASKED, &bar);
	for (size_t k = 0; k < v->n_why; k++)
		if (is_reason(e, v, &v->why[k]))
			append(e, why, why_json(e, v, &v->why[k]));
	if (e->b->no_inputs && (!v->on || v->is_number))
		append(e, why, reason("left-out",
				      "the reasons are not in this baseline: it has no inputs"));
	else if (v->on && !v->n_why)
		append(e, why, why_on(e, v));
	else if (!v->on)
		raise_value(e, raise, i, &bar);
	return json_pack("{s:s, s:s?, s:o?, s:s?, s:o, s:o, s:s?, s:s?, s:s?, s:o, s:o?}",
			 "property", words(e, "%s.%s", v->class_name, v->property), "feature",
			 v->feature, "bit", v->bit >= 0 ? json_integer(v->bit) : NULL, "group",
			 v->group, "value",
			 v->is_number ? json_integer(v->number) : json_string(v->text), "why", why,
			 "kernels", v->on || e->b->no_inputs ? NULL : kernels_can(e, v), "cost",
			 cost_text(e, v), "list", list_text(e, v), "raise", raise, "retire",
			 only_hosts(e, &bar) ? host_list(e, bar.hosts) : NULL);
}

static const char unset_no_list[] =
	"no list sets it: it is the machine type's, or of -device, and where the QEMUs do not agree on it "
	"that is a conflict";

/* No host decides it: it is what the QEMUs have by themselves. */
static const char *unset_by_builds(struct explaining *e, const struct row *row)
{
	size_t absent = 0, unknown = 0;
	const char *text;

	if (row->observed)
		return baseline_leaves_out(e->b, row) ?
			       "the guests are to have none: its group was disabled" :
			       "it is not recorded of every host here";
	for (size_t u = 0; u < e->b->n_used; u++) {
		struct effective f;

		baseline_effective(e->cat, e->b, u, row, &f);
		absent += f.known == ABIBASE_NO;
		unknown += f.known == ABIBASE_UNKNOWN || (f.known == ABIBASE_YES && !f.value);
	}
	if (row->fact >= 0)
		return words(e, "no host states %s: write it into the profile of each",
			     e->cat->numbers[row->fact]);
	text = unknown			      ? "what a QEMU here makes of it is not recorded" :
	       absent			      ? "a QEMU here does not have the property" :
	       !row->boolean && !row->number ? unset_no_list :
					       "every QEMU here makes the same of the machine type";
	if (row->number && !absent && row->group_name)
		return words(e, "%s; --enable %s sets it", text, row->group_name);
	return text;
}

static const char *unset_text(struct explaining *e, const struct row *row)
{
	if (row->number || row->bit < 0)
		return unset_by_builds(e, row);
	if (!row->boolean)
		return unset_no_list;
	if (row->pin == PIN_FIXED)
		return "every QEMU offers it whatever the host is, so there is nothing to decide";
	if (row->pin == PIN_OPT_IN)
		return words(e, "no machine type turns it on; it stays off unless it is asked for with "
				"--enable %s", row->group_name ? row->group_name : "GROUP");
	return words(e, "no QEMU of these hosts has the property; upstream QEMU has it from %s on",
		     version_words(e, &row->since));
}

/* A property of the catalogue that the baseline does not set. */
static json_t *unset_json(struct explaining *e, const struct row *row)
{
	json_t *raise = json_array();

	if (!row->number && row->bit >= 0 && row->boolean && row->pin == PIN_PINNED)
		say(e, raise, "a QEMU that has the property on every host (upstream %s or newer)",
		    version_words(e, &row->since));
	return json_pack("{s:s, s:s?, s:o?, s:s?, s:s, s:[o], s:n, s:n, s:n, s:o, s:n}", "property",
			 row->key, "feature", row->feature, "bit",
			 row->bit >= 0 ? json_integer(row->bit) : NULL, "group", row->group_name,
			 "value", "not-set", "why", reason("not-set", unset_text(e, row)),
			 "kernels", "cost", "list", "raise", raise, "retire");
}

/* ----------------------------------------------------------------------------- costs */

static json_t *obstacles(struct explaining *e, size_t i, const struct barrier *bar)
{
	json_t *list = json_array();

	if (bar->machine) {
		say(e, list, "the machine type %s has it off, or is older than it", e->b->machine);
		raise_machine(e, list, &e->b->values[i]);
		raise_policy(e, list, i, true);
	}
	if (bar->qemu)
		say(e, list, "no QEMU here has the property");
	if (bar->unrecorded)
		say(e, list, "what the QEMUs make of it is not recorded");
	if (bar->disabled)
		say(e, list, "the group %s was asked to be off", bar->disabled);
	if (bar->n_hosts && bar->n_hosts == e->b->in.n_hosts)
		say(e, list, "every host stands in its way");
	return list;
}

/* The one of these that has the same members and values, and its features; or NULL. */
static json_t *same_cost(const json_t *costs, const json_t *o)
{
	size_t i;
	json_t *known, *v;
	const char *key;

	json_array_foreach((json_t *)costs, i, known) {
		bool same = true;

		json_object_foreach((json_t *)o, key, v)
			same &= json_equal(json_object_get(known, key), v);
		if (same)
			return known;
	}
	return NULL;
}

/* One line for the features of a group that the same hosts and things stand in the way of. */
static void add_cost(struct explaining *e, json_t *costs, size_t i)
{
	const struct value *v = &e->b->values[i];
	json_t *o, *known;
	struct barrier bar = { 0 };

	barrier_init(e, i, MODE_AS_ASKED, &bar);
	o = json_pack("{s:s, s:s?, s:o, s:o?, s:o}", "description", group_words(e, v), "group",
		      v->group, "in_the_way", host_list(e, bar.hosts), "retire",
		      only_hosts(e, &bar) ? host_list(e, bar.hosts) : NULL, "obstacles",
		      obstacles(e, i, &bar));
	if (!o) {
		e->arena.failed = true;
		return;
	}
	known = same_cost(costs, o);
	if (known) {
		json_decref(o);
	} else {
		json_object_set_new(o, "features", json_array());
		json_object_set_new(o, "properties", json_array());
		append(e, costs, o);
		known = o;
	}
	append(e, json_object_get(known, "features"), json_string(v->feature));
	append(e, json_object_get(known, "properties"),
	       json_sprintf("%s.%s", v->class_name, v->property));
}

static bool includes(const json_t *set_of, const json_t *subset)
{
	size_t i, k;
	json_t *x, *y;

	json_array_foreach(subset, i, x) {
		bool have = false;

		json_array_foreach(set_of, k, y)
			have |= json_equal(x, y);
		if (!have)
			return false;
	}
	return true;
}

/* "retire node-b": all that comes back when these hosts go. */
static void add_retirement(struct explaining *e, json_t *list, const json_t *costs,
			   json_t *hosts)
{
	json_t *back = json_array(), *known, *c;
	size_t i;

	json_array_foreach(list, i, known)
		if (json_equal(json_object_get(known, "retire"), hosts)) {
			json_decref(back);
			return;
		}
	json_array_foreach((json_t *)costs, i, c) {
		const json_t *retire = json_object_get(c, "retire");

		if (json_is_array(retire) && includes(hosts, retire))
			append(e, back, json_incref(json_object_get(c, "description")));
	}
	append(e, list, json_pack("{s:O, s:o}", "retire", hosts, "back", back));
}

static json_t *retirements(struct explaining *e, const json_t *costs)
{
	json_t *list = json_array(), *c;
	size_t i;

	json_array_foreach((json_t *)costs, i, c)
		if (json_is_array(json_object_get(c, "retire")))
			add_retirement(e, list, costs, json_object_get(c, "retire"));
	return list;
}

/* -------------------------------------------------------------------------- the document */

static const char *short_name(const char *property)
{
	const char *dot = strrchr(property, '.');

	return dot ? dot + 1 : property;
}

/* With one property named: what is against the whole baseline, and what is said of the property. */
static json_t *notes(struct explaining *e, const char *property)
{
	json_t *list = json_array();

	for (size_t i = 0; i < e->b->findings.n; i++) {
		const struct finding *f = &e->b->findings.f[i];

		/* a document does not have it, and is to be explained with the same words */
		if (f->of_inputs)
			continue;
		if (!property || f->kind != ABIBASE_FINDING_NOTE ||
		    strstr(f->text, short_name(property)))
			append(e, list, finding_json(f));
	}
	return list;
}

/* "virtio-net-device.host_uso", or "host_uso" of whichever class. */
static bool is_called(const char *property, const char *class_name, const char *name)
{
	size_t len = strlen(class_name);

	if (!strchr(property, '.'))
		return streq(property, name);
	return strprefix(property, class_name) && property[len] == '.' &&
	       streq(property + len + 1, name);
}

static json_t *values(struct explaining *e, const char *property)
{
	json_t *list = json_array();
	bool found = false;

	for (size_t i = 0; i < e->b->n_values; i++) {
		const struct value *v = &e->b->values[i];

		if (property && !is_called(property, v->class_name, v->property))
			continue;
		append(e, list, value_json(e, i));
		found = true;
	}
	for (size_t i = 0; property && !found && i < e->cat->n_rows; i++)
		if (is_called(property, e->cat->rows[i].class_name, e->cat->rows[i].property))
			append(e, list, unset_json(e, &e->cat->rows[i]));
	return list;
}

static json_t *document(struct explaining *e, const char *property)
{
	const struct inputs *in = &e->b->in;
	json_t *hosts = json_array(), *costs = json_array();
	json_t *list = values(e, property); /* it says whether kernels were named */

	for (size_t i = 0; i < in->n_hosts && !e->b->no_inputs; i++)
		append(e, hosts, json_string(in->hosts[i]->name));
	for (size_t i = 0; i < e->b->n_values && !e->b->no_inputs; i++)
		if (is_given_up(e, &e->b->values[i]))
			add_cost(e, costs, i);
	return json_pack("{s:s, s:s?, s:s?, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s?}",
			 "schema", "abibase-explain/1", "baseline", e->b->id, "machine",
			 e->b->machine, "verdict", verdict_words[e->b->verdict], "hosts", hosts,
			 "backends", baseline_backends(e->b), "values", list, "retirements",
			 retirements(e, costs), "costs", costs, "scope", baseline_scope(e->b),
			 "notes", notes(e, property), "running_guests", power_cycle,
			 "kernel_versions", e->kernels ? backports : NULL);
}

static bool knows(const struct explaining *e, const char *property)
{
	for (size_t i = 0; i < e->cat->n_rows; i++)
		if (is_called(property, e->cat->rows[i].class_name, e->cat->rows[i].property))
			return true;
	for (size_t i = 0; i < e->b->n_values; i++)
		if (is_called(property, e->b->values[i].class_name, e->b->values[i].property))
			return true;
	return false;
}

static int fail_property(struct abibase_context *ctx, const struct abibase_catalogue *cat,
			 const char *property)
{
	struct suggest s = { .word = property };
	char near[SUGGEST_TEXT];

	catalogue_suggest(cat, &s, false);
	suggest_text(&s, "\"", near);
	return context_fail(ctx, ENOENT, "property-not-known", NULL,
			    "\"%s\" is not a property of the catalogue, nor of this baseline%s",
			    property,
			    *near ? near : "; write PROPERTY or CLASS.PROPERTY, as in " A_PROPERTY);
}

/* ---------------------------------------------------------------------------- as text */

/* Behind a label: each of some sentences. */
static void show_sentences(struct page *p, const char *label, const json_t *list)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)list, i, v)
		page_item(p, i ? "" : label, "%s",
			  json_is_string(v) ? json_string_value(v) : string_of(v, "text"));
}

static void show_member(struct page *p, const char *label, const json_t *o, const char *key)
{
	if (string_of(o, key))
		page_item(p, label, "%s", string_of(o, key));
}

static bool is_word(const json_t *v, const char *word)
{
	return json_is_string(v) && streq(json_string_value(v), word);
}

/* Do these two differ in nothing but the names of property and feature? */
static bool same_story(const json_t *a, const json_t *b)
{
	static const char *const keys[] = { "group", "value", "why",   "kernels",
					    "cost",  "list",  "raise", "retire" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!json_equal(json_object_get(a, keys[i]), json_object_get(b, keys[i])) &&
		    !(streq(keys[i], "group") && is_word(json_object_get(a, "value"), "on")))
			return false;
	return true;
}

/* "virtio-net-device.host_uso=off (VIRTIO_NET_F_HOST_USO, bit 56)" */
static void show_name(struct page *p, const json_t *v)
{
	const json_t *bit = json_object_get(v, "bit"), *value = json_object_get(v, "value");
	_buf_ text = { 0 };

	buf_printf(&text, "%s=", string_of(v, "property"));
	value_write(value, &text);
	if (string_of(v, "feature"))
		buf_printf(&text, " (%s", string_of(v, "feature"));
	if (json_is_integer(bit))
		buf_printf(&text, ", bit %lld", (long long)json_integer_value(bit));
	page_say(p, 2, "%s%s", text.data ? text.data : "", string_of(v, "feature") ? ")" : "");
	p->failed |= buf_failed(&text);
}

static void show_story(struct page *p, const json_t *v)
{
	show_sentences(p, "why", json_object_get(v, "why"));
	show_member(p, "", v, "kernels");
	show_member(p, "cost", v, "cost");
	show_member(p, "note", v, "list");
	show_sentences(p, "raise", json_object_get(v, "raise"));
}

/* Those that tell the same story stand over it together, each of them once. */
static void show_values(struct page *p, const json_t *list, bool off)
{
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, i);
		bool told = is_word(json_object_get(v, "value"), "off") != off;

		for (size_t k = 0; k < i && !told; k++)
			told = same_story(json_array_get(list, k), v);
		if (told)
			continue;
		for (size_t k = i; k < n; k++)
			if (same_story(json_array_get(list, k), v))
				show_name(p, json_array_get(list, k));
		show_story(p, v);
	}
}

static void show_notes(struct page *p, const json_t *root)
{
	bool many = json_array_size(json_object_get(root, "hosts")) > 1;
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(root, "notes"), i, v) {
		const char *host = string_of(v, "host");

		page_found(p, host, many ? host : NULL, v);
	}
	page_causes(p);
}

/* Names behind a label, with what goes before and after them. */
static void show_list(struct page *p, const char *label, const char *before, const json_t *list,
		      const char *after)
{
	_buf_ text = { 0 };

	page_names(&text, list);
	p->failed |= buf_failed(&text);
	page_item(p, label, "%s%s%s", before, text.data ? text.data : "", after);
}

static void show_cost(struct page *p, const json_t *c)
{
	const json_t *retire = json_object_get(c, "retire");
	const json_t *hosts = json_object_get(c, "in_the_way");
	char count[32];

	page_say(p, 2, "%s", string_of(c, "description"));
	show_list(p, "off", "", json_object_get(c, "features"), "");
	snprintf(count, sizeof(count), "%zu: ", json_array_size(retire));
	if (json_is_array(retire))
		show_list(p, "retire", count, retire, "");
	else if (json_array_size(hosts))
		show_list(p, "hosts", "", hosts, " (retiring them is not enough)");
	show_sentences(p, "also", json_object_get(c, "obstacles"));
}

static void show_costs(struct page *p, const json_t *list)
{
	size_t i;
	json_t *v;

	if (!json_array_size(list))
		page_say(p, 2, "Nothing is given up: all that this machine type and these QEMUs can "
			       "switch is on.");
	json_array_foreach((json_t *)list, i, v)
		show_cost(p, v);
}

static void show_retirements(struct page *p, const json_t *list)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)list, i, v) {
		const json_t *back = json_object_get(v, "back");
		_buf_ text = { 0 };

		page_names(&text, json_object_get(v, "retire"));
		buf_puts(&text, " and ");
		page_names(&text, back);
		p->failed |= buf_failed(&text);
		page_say(p, 2, "Retire %s %s back.", text.data ? text.data : "",
			 json_array_size(back) > 1 ? "come" : "comes");
	}
}

static void show_head(struct page *p, const json_t *root)
{
	const char *id = string_of(root, "baseline"), *machine = string_of(root, "machine");
	const char *verdict = string_of(root, "verdict");
	const json_t *hosts = json_object_get(root, "hosts");
	_buf_ text = { 0 };

	page_names(&text, json_object_get(root, "backends"));
	buf_puts(&text, json_array_size(hosts) ? ", for " : "");
	page_some(&text, hosts, IN_VERDICT);
	p->failed |= buf_failed(&text);
	page_say(p, 2, "%s: %s%s: %s on %s", streq(verdict, "unknown") ? "cannot tell" : verdict,
		 id ? "baseline " : "no baseline", id ? id : "",
		 machine ? machine : "no machine type", text.data ? text.data : "");
}

static int show_foot(struct page *p, const json_t *root, bool kernels, char **ret)
{
	if (kernels && string_of(root, "kernel_versions"))
		page_say(p, 2, "Kernel versions: %s.", string_of(root, "kernel_versions"));
	page_say(p, 2, "Running guests: %s.", string_of(root, "running_guests"));
	page_end(p, json_object_get(root, "scope"), "plan GROUP, abibase diff BASELINE BASELINE");
	return page_give(p, ret);
}

static int show_what_it_costs(const json_t *root, size_t width, char **ret)
{
	struct page p;

	page_begin(&p, width);
	show_head(&p, root);
	show_costs(&p, json_object_get(root, "costs"));
	show_retirements(&p, json_object_get(root, "retirements"));
	return show_foot(&p, root, false, ret);
}

static int show(const json_t *root, size_t width, char **ret)
{
	const json_t *list = json_object_get(root, "values");
	bool yes = is_word(json_object_get(root, "verdict"), "yes");
	struct page p;

	page_begin(&p, width);
	show_head(&p, root);
	/* what keeps it from being a baseline comes first */
	if (!yes)
		show_notes(&p, root);
	show_values(&p, list, true);
	show_values(&p, list, false);
	if (yes)
		show_notes(&p, root);
	if (json_array_size(list) != 1)
		show_retirements(&p, json_object_get(root, "retirements"));
	return show_foot(&p, root, true, ret);
}

/* ---------------------------------------------------------------------------- the call */

ABIBASE_EXPORT int abibase_explain(struct abibase_context *ctx,
				   const struct abibase_catalogue *cat,
				   const struct abibase_baseline *b, const char *property,
				   unsigned int flags, struct abibase_result **ret)
{
	struct abibase_result made = { .verdict = ABIBASE_VERDICT_YES };
	struct explaining e = { .cat = cat, .b = b };
	int r;

	if (flags & ~(unsigned int)ABIBASE_EXPLAIN_COST)
		return context_fail(ctx, EINVAL, "usage", NULL, "unknown flags: 0x%x", flags);
	if (b->no_inputs && flags & ABIBASE_EXPLAIN_COST)
		return context_fail(ctx, EINVAL, "no-inputs", NULL,
				    "the baseline has no inputs, so that what was given up because "
				    "of whom is not in it: take the one that it was written from");
	if (property && !knows(&e, property))
		return fail_property(ctx, cat, property);
	link_values(cat, b, &e.arena, &e.links);
	made.root = e.arena.failed ? NULL : document(&e, property);
	made.show = flags & ABIBASE_EXPLAIN_COST ? show_what_it_costs : show;
	if (e.arena.failed) {
		json_decref(made.root);
		made.root = NULL;
	}
	r = result_give(ctx, &made, ret);
	arena_clear(&e.arena);
	return r;
}
