/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/context.h"
#include "base/text.h"
#include "model/render.h"

#define NAME_WIDTH 24

/* A list in one of the forms of render_list(), or one of these two. */
enum format { FORMAT_JSON, FORMAT_TEXT, FORMAT_LIST };
static const char *const format_words[] = { "json", "text" };

struct abibase_render {
	struct abibase_context *ctx;
	enum format format;
	size_t form; /* of a list */
	char *host; /* as given: NAME or NAME:PATH; NULL: one list for all */
	struct alias *aliases;
	size_t n_aliases, cap_aliases;
	bool minimal, with_machine, no_inputs, partial, hotplug;
	size_t width; /* of the lines for people */
};

ABIBASE_EXPORT int abibase_render_new(struct abibase_context *ctx, struct abibase_render **ret)
{
	struct abibase_render *r = calloc(1, sizeof(*r));

	if (!r)
		return context_oom(ctx);
	r->ctx = abibase_context_ref(ctx);
	r->format = FORMAT_LIST;
	*ret = r;
	return 0;
}

ABIBASE_EXPORT struct abibase_render *abibase_render_unref(struct abibase_render *r)
{
	if (!r)
		return NULL;
	abibase_context_unref(r->ctx);
	for (size_t i = 0; i < r->n_aliases; i++) {
		free(r->aliases[i].device);
		free(r->aliases[i].name);
	}
	free(r->aliases);
	free(r->host);
	free(r);
	return NULL;
}

ABIBASE_EXPORT int abibase_render_set_format(struct abibase_render *r, const char *format)
{
	const char *form;
	_buf_ forms = { 0 };

	for (size_t i = 0; (form = render_list_form(i)); i++) {
		if (streq(format, form)) {
			r->format = FORMAT_LIST;
			r->form = i;
			return 0;
		}
		buf_printf(&forms, "%s, ", form);
	}
	for (size_t i = 0; i < ARRAY_SIZE(format_words); i++)
		if (streq(format, format_words[i])) {
			r->format = (enum format)i;
			return 0;
		}
	if (buf_failed(&forms))
		return context_oom(r->ctx);
	return context_fail(r->ctx, EINVAL, "format-not-known", NULL,
			    "\"%s\" is not a format; accepted: %sjson, text", format, forms.data);
}

ABIBASE_EXPORT int abibase_render_set_for(struct abibase_render *r, const char *host)
{
	return context_replace(r->ctx, &r->host, host);
}

#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* One that libvirt gives, or keeps where a domain has it; another one it drops, and what is said of it. */
static bool is_alias(const char *s)
{
	size_t word = strspn(s, SMALL), end = word + strspn(s + word, DIGITS);

	if (strprefix(s, "ua-"))
		return !s[strspn(s, SMALL "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "_-")];
	return word && end > word && !s[end];
}

ABIBASE_EXPORT int abibase_render_add_alias(struct abibase_render *r, const char *device,
					    const char *alias)
{
	struct alias *a;

	if (!is_alias(alias))
		return context_fail(r->ctx, EINVAL, "list-alias", NULL,
				    "\"%s\" is not an alias of libvirt's; accepted: its own, such as "
				    "net0, or ua- and letters, digits, _ and -",
				    alias);
	for (size_t i = 0; i < r->n_aliases; i++)
		if (streq(r->aliases[i].name, alias))
			return context_fail(r->ctx, EINVAL, "list-alias", NULL,
					    "the alias %s is there twice: a guest has one device of it",
					    alias);
	if (array_grow(&r->aliases, r->n_aliases, &r->cap_aliases, sizeof(*a)) < 0)
		return context_oom(r->ctx);
	a = &r->aliases[r->n_aliases++];
	*a = (struct alias){ .device = device ? strdup(device) : NULL, .name = strdup(alias) };
	return a->name && (a->device || !device) ? 0 : context_oom(r->ctx);
}

ABIBASE_EXPORT void abibase_render_set_flags(struct abibase_render *r, unsigned int flags)
{
	r->minimal = flags & ABIBASE_RENDER_MINIMAL;
	r->with_machine = flags & ABIBASE_RENDER_WITH_MACHINE;
	r->no_inputs = flags & ABIBASE_RENDER_NO_INPUTS;
	r->partial = flags & ABIBASE_RENDER_PARTIAL;
	r->hotplug = flags & ABIBASE_RENDER_HOTPLUG;
}

/* ------------------------------------------------------------- which list */

static void list_clear(struct list *l)
{
	free(l->builds);
	free(l->values);
	arena_clear(&l->arena);
}

/* The default that is the same; of a number, also of 0, the builds that have it are the on ones. */
static enum setting wanted(const struct value *v)
{
	return v->on || v->is_number ? SETTING_ON : SETTING_OFF;
}

static size_t count(const struct list *l, const struct value *v, enum setting s)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += v->defaults[l->builds[i]] == s;
	return n;
}

static void write_hosts_of(const struct abibase_baseline *b, unsigned int used, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < b->in.n_hosts; i++) {
		const struct host *h = b->in.hosts[i];
		bool uses = !b->used[used].build && inputs_assumes_qemu(&b->in, h);

		for (size_t k = 0; k < h->n_qemu; k++)
			uses |= (long)h->qemu[k].build == b->used[used].index;
		if (uses)
			buf_printf(out, "%s%s", n++ ? ", " : "", h->name);
	}
}

/* "QEMU 8.1.5 (node-b), QEMU 9.0.0 (node-a, node-c)" */
static void write_builds(const struct abibase_baseline *b, const struct list *l,
			 const struct value *v, enum setting s, struct buf *out)
{
	size_t k = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct build *build = b->used[l->builds[i]].build;

		if (v->defaults[l->builds[i]] != s)
			continue;
		buf_printf(out, "%sQEMU %s (", k++ ? ", " : "", build ? build->version : "not probed");
		write_hosts_of(b, l->builds[i], out);
		buf_putc(out, ')');
	}
}

static const char other_host[] =
	"ask for each host's own list with --for NAME; what a guest sees is the "
	"same with all of them";
static const char other_path[] = "the QEMUs of this host need different lists; ask for each with "
				 "--for NAME:PATH";

static void block(const struct abibase_render *r, const struct abibase_baseline *b, struct list *l,
		  const struct value *v)
{
	enum setting other = wanted(v) == SETTING_ON ? SETTING_OFF : SETTING_ON;
	bool unknown = !count(l, v, other);
	_buf_ text = { 0 };

	buf_printf(&text, "%s.%s=%s (%s) cannot be in one list: ", v->class_name, v->property,
		   v->text, v->feature);
	write_builds(b, l, v, SETTING_ABSENT, &text);
	buf_puts(&text, " does not know the property and would not start, and ");
	write_builds(b, l, v, unknown ? SETTING_UNKNOWN : other, &text);
	if (unknown)
		buf_printf(&text, " has an unknown value under %s", b->machine);
	else
		buf_printf(&text, " has to be told: there it is %s under %s",
			   v->is_number ? "another number" : setting_words[other], b->machine);
	finding_add(&l->own,
		    (struct finding){ .kind = unknown ? ABIBASE_FINDING_UNKNOWN :
							ABIBASE_FINDING_CONFLICT,
				      .id = "no-common-list",
				      .remedy = r->host ? other_path : other_host },
		    &text);
	l->verdict = findings_verdict(&l->own);
}

static bool is_default_everywhere(const struct abibase_baseline *b, const struct value *v)
{
	for (size_t u = 0; u < b->n_used; u++)
		if (v->defaults[u] != wanted(v))
			return false;
	return true;
}

static void judge(const struct abibase_render *r, const struct abibase_baseline *b, struct list *l,
		  const struct value *v)
{
	size_t absent = count(l, v, SETTING_ABSENT), same = count(l, v, wanted(v));

	if (absent == l->n)
		return;
	if (absent && !r->hotplug) {
		if (absent + same < l->n)
			block(r, b, l, v);
	} else if (!(r->minimal && is_default_everywhere(b, v))) {
		l->values[l->n_values++] = v;
	}
}

static const char other_guest[] = "give a guest that starts with such a device the list without "
				  "--hotplug, or the host's by --for";

/* What a build does not know it refuses on its command line, and warns of later. */
static void note_hotplug(const struct abibase_baseline *b, struct list *l, unsigned int used)
{
	const struct build *build = b->used[used].build;
	_buf_ text = { 0 };
	size_t n = 0;

	buf_printf(&text, "QEMU %s (", build ? build->version : "not probed");
	write_hosts_of(b, used, &text);
	for (size_t i = 0; i < l->n_values; i++)
		if (l->values[i]->defaults[used] == SETTING_ABSENT)
			buf_printf(&text, "%s%s.%s", n++ ? ", " : ") does not know ",
				   l->values[i]->class_name, l->values[i]->property);
	buf_puts(&text, ": it warns where such a device is plugged in, and does not start with "
			"one, also as a migration's destination");
	if (n)
		finding_add(&l->own,
			    (struct finding){ .kind = ABIBASE_FINDING_NOTE,
					      .id = "list-hotplug",
					      .remedy = other_guest },
			    &text);
}

static int list_make(const struct abibase_render *r, const struct abibase_baseline *b,
		     struct list *l)
{
	l->machine = r->with_machine ? b->machine : NULL;
	l->values = calloc(b->n_values + 1, sizeof(*l->values));
	if (!l->values)
		return -ENOMEM;
	for (size_t i = 0; i < b->n_values; i++)
		judge(r, b, l, &b->values[i]);
	for (size_t i = 0; r->hotplug && i < l->n; i++)
		note_hotplug(b, l, l->builds[i]);
	return l->arena.failed ? -ENOMEM : 0;
}

/* ------------------------------------------------------------- libvirt's devices */

static const char *device_word(const char *device)
{
	return device ? device : "virtio-net";
}

static bool has_alias(const struct list *l, const char *device)
{
	for (size_t i = 0; i < l->n_aliases; i++)
		if (same_text(l->aliases[i].device, device))
			return true;
	return false;
}

static bool is_set(const struct abibase_baseline *b, const struct list *l, const char *device)
{
	for (size_t i = 0; i < b->n_values; i++)
		if (same_text(render_device(l, &b->values[i]), device))
			return true;
	return false;
}

/* Each device of which something is set has an alias, and of each that has one something is set. */
static int match_aliases(const struct abibase_render *r, const struct abibase_baseline *b,
			 const struct list *l)
{
	for (size_t i = 0; i < b->n_values; i++) {
		const struct value *v = &b->values[i];
		const char *device = render_device(l, v);

		if (!catalogue_find(l->cat, v->class_name, v->property))
			return context_fail(r->ctx, EINVAL, "baseline-newer", NULL,
					    "the type of %s.%s is not in this catalogue",
					    v->class_name, v->property);
		if (!has_alias(l, device))
			return context_fail(r->ctx, EINVAL, "list-alias", NULL,
					    "the baseline sets %s of the guest's %s, of which no "
					    "alias was given",
					    v->property, device_word(device));
	}
	for (size_t i = 0; i < l->n_aliases; i++)
		if (b->n_values && !is_set(b, l, l->aliases[i].device))
			return context_fail(r->ctx, EINVAL, "list-alias", NULL,
					    "%s is the alias of a %s, of which the baseline sets "
					    "nothing",
					    l->aliases[i].name, device_word(l->aliases[i].device));
	return 0;
}

/* Properties of a device are no -global options: one that is unknown is refused, whenever. */
static int list_override(const struct abibase_render *r, const struct abibase_baseline *b,
			 struct list *l, struct abibase_catalogue **ret_cat)
{
	int result = 0;

	if (r->format != FORMAT_LIST || !streq(render_list_form(r->form), RENDER_OVERRIDE))
		return 0;
	if (r->hotplug)
		return context_fail(r->ctx, EINVAL, "list-hotplug", NULL,
				    RENDER_OVERRIDE " has nothing for what is plugged in later");
	l->aliases = r->aliases;
	l->n_aliases = r->n_aliases;
	l->cat = b->cat;
	if (!l->cat)
		result = abibase_catalogue_new(r->ctx, ret_cat);
	if (result == 0 && !l->cat)
		l->cat = *ret_cat;
	return result == 0 ? match_aliases(r, b, l) : result;
}

/* "NAME" or "NAME:PATH"; a name has no colon in it. */
static const struct host *find_host(const struct abibase_baseline *b, const char *spec,
				    const char **ret_path)
{
	size_t len = strcspn(spec, ":");

	*ret_path = spec[len] ? spec + len + 1 : NULL;
	for (size_t i = 0; i < b->in.n_hosts; i++)
		if (host_is(b->in.hosts[i], spec, len))
			return b->in.hosts[i];
	return NULL;
}

static int no_such_host(const struct abibase_render *r, const struct abibase_baseline *b)
{
	_buf_ names = { 0 };

	for (size_t i = 0; i < b->in.n_hosts && i < 20; i++)
		buf_printf(&names, "%s%s", i ? ", " : "", b->in.hosts[i]->name);
	if (b->in.n_hosts > 20)
		buf_printf(&names, " and %zu more", b->in.n_hosts - 20);
	return context_fail(r->ctx, ENOENT, "no-such-host", NULL,
			    "\"%s\" is not a host of this baseline, nor HOST:PATH; it has %s",
			    r->host, names.data ? names.data : "none");
}

static int no_such_qemu(const struct abibase_render *r, const struct abibase_baseline *b,
			const struct host *h)
{
	_buf_ paths = { 0 };

	for (size_t i = 0; i < h->n_qemu; i++) {
		const char *path = host_path(&b->in, &h->qemu[i]);

		if (path)
			buf_printf(&paths, "%s%s", paths.len ? ", " : "", path);
	}
	return context_fail(r->ctx, ENOENT, "no-such-qemu", NULL,
			    "\"%s\" is not a QEMU that this baseline uses; %s has %s", r->host,
			    h->name, paths.data ? paths.data : "none with a path");
}

static int list_builds(const struct abibase_render *r, const struct abibase_baseline *b,
		       struct list *l)
{
	const struct host *h;
	const char *path;

	l->builds = calloc(b->n_used + 1, sizeof(*l->builds));
	if (!l->builds)
		return context_oom(r->ctx);
	if (!r->host) {
		for (; l->n < b->n_used; l->n++)
			l->builds[l->n] = (unsigned int)l->n;
		return 0;
	}
	h = find_host(b, r->host, &path);
	if (!h)
		return no_such_host(r, b);
	l->n = baseline_host_builds(b, h, path, l->builds, b->n_used);
	return l->n || !path ? 0 : no_such_qemu(r, b, h);
}

/* ------------------------------------------------------------------ for people */

static bool same_offer(const struct offer *x, const struct offer *y)
{
	if (x->known != y->known || x->word[0] != y->word[0] || x->word[1] != y->word[1] ||
	    x->n_features != y->n_features || x->n_absent_on != y->n_absent_on)
		return false;
	for (size_t i = 0; i < x->n_features; i++)
		if (!streq(x->features[i], y->features[i]))
			return false;
	for (size_t i = 0; i < x->n_absent_on; i++)
		if (x->absent_on[i] != y->absent_on[i])
			return false;
	return true;
}

/* The same on several backends is said once. */
static void write_offer(const struct abibase_baseline *b, size_t at, struct buf *out)
{
	const struct offer *o = &b->offers[at];
	_buf_ text = { 0 };

	buf_printf(&text, "A guest on %s", b->in.backends[o->backend]);
	for (size_t i = 0; i < b->n_offers; i++) {
		if (i == at || !same_offer(&b->offers[i], o))
			continue;
		if (i < at)
			return;
		buf_printf(&text, ", %s", b->in.backends[b->offers[i].backend]);
	}
	buf_puts(&text, " will be offered ");
	if (!o->known)
		buf_puts(&text, "what is not known.");
	else
		buf_printf(&text, "0x%016llx%016llx:", (unsigned long long)o->word[1],
			   (unsigned long long)o->word[0]);
	for (size_t i = 0; o->known && i < o->n_features; i++)
		buf_printf(&text, " %s", o->features[i]);
	if (o->n_absent_on) {
		buf_puts(&text, "; not there on: ");
		inputs_write_hosts(&b->in, o->absent_on, o->n_absent_on, ", ", &text);
	}
	buf_putc(out, '\n');
	show_wrapped(out, 0, 2, text.data ? text.data : "");
	out->failed |= buf_failed(&text);
}

/* Does a host answer yes to what is required? Where nobody has the backend it holds of none. */
static bool holds_of_any(const struct abibase_baseline *b, const struct met *m)
{
	for (size_t i = 0; i < m->n_conditions; i++)
		for (size_t c = 0; c < b->in.n_conditions; c++)
			for (size_t h = 0;
			     streq(b->in.conditions[c], m->conditions[i]) && h < b->in.n_hosts; h++)
				if (b->in.hosts[h]->answers[c] == ABIBASE_YES)
					return true;
	return !m->n_conditions;
}

static const char *requirement_word(const struct abibase_baseline *b, const struct met *m)
{
	if (m->met == ABIBASE_YES)
		return holds_of_any(b, m) ? "yes" : "not asked";
	return m->met == ABIBASE_NO ? "no" : "not known";
}

static void write_requirements(const struct abibase_baseline *b, struct buf *out)
{
	size_t width = 5;

	for (size_t i = 0; i < b->n_requirements; i++)
		if (strlen(requirement_word(b, &b->requirements[i])) > width)
			width = strlen(requirement_word(b, &b->requirements[i]));
	buf_puts(out, "\nREQUIRED OF EVERY HOST\n");
	for (size_t i = 0; i < b->n_requirements; i++) {
		size_t column = NAME_WIDTH + 2 + width + 2;

		buf_printf(out, "%-*s  %-*s  ", NAME_WIDTH, b->requirements[i].name, (int)width,
			   requirement_word(b, &b->requirements[i]));
		show_wrapped(out, column, column, b->requirements[i].text);
	}
}

static json_t *host_names(const struct abibase_baseline *b)
{
	json_t *names = json_array();

	for (size_t i = 0; names && i < b->in.n_hosts; i++)
		if (json_add(names, json_string(b->in.hosts[i]->name)) < 0) {
			json_decref(names);
			return NULL;
		}
	return names;
}

static void write_table(const struct abibase_render *r, const struct abibase_baseline *b,
			const struct list *l, struct buf *out)
{
	json_auto_t *backends = baseline_backends(b), *all = host_names(b);
	_buf_ names = { 0 }, hosts = { 0 };
	struct page p;

	page_begin(&p, r->width);
	render_page_begin(&p, b, r->host, l->verdict, &l->own);
	page_names(&names, backends);
	page_names(&hosts, all);
	page_item(&p, "machine", "%s", b->machine ? b->machine : "unknown");
	page_item(&p, "backends", "%s", names.data ? names.data : "");
	page_item(&p, "hosts", "%s", hosts.data ? hosts.data : "");
	render_page_values(&p, b, true);
	write_requirements(b, &p.out);
	for (size_t i = 0; i < b->n_offers; i++)
		write_offer(b, i, &p.out);
	buf_putc(&p.out, '\n');
	render_page_end(&p, b, false);
	p.failed |= !backends || !all || buf_failed(&names) || buf_failed(&hosts);
	page_put(&p, out);
}

/* ---------------------------------------------------------------------------- */

static void write_text(const struct abibase_render *r, const struct abibase_baseline *b,
		       const struct list *l, struct buf *out)
{
	if (r->format == FORMAT_JSON)
		baseline_write(b, !r->no_inputs, out);
	else if (r->format == FORMAT_TEXT)
		write_table(r, b, l, out);
	else
		render_list(l, r->form, out);
}

static char *make_page(const struct abibase_render *r, const struct abibase_baseline *b,
		       const struct list *l)
{
	char *text = NULL;
	struct page p;

	page_begin(&p, r->width);
	render_page_begin(&p, b, r->host, l->verdict, &l->own);
	if (l->verdict == ABIBASE_VERDICT_YES)
		render_page_values(&p, b, false);
	render_page_end(&p, b, r->format == FORMAT_LIST && l->verdict == ABIBASE_VERDICT_YES);
	return page_give(&p, &text) < 0 ? NULL : text;
}

/* Nothing is written that is not read again. */
static int give(struct abibase_render *r, struct buf *out, const char *instead, char **ret)
{
	size_t len = out->len;
	bool document = r->format == FORMAT_JSON || r->partial;

	if (document && !out->failed && len > JSON_MAX_BASELINE)
		return context_fail(r->ctx, EFBIG, "file-too-large", NULL,
				    "the document has %zu bytes, and of more than %u none is read "
				    "again: %s",
				    len, JSON_MAX_BASELINE, instead);
	*ret = buf_steal(out);
	return *ret ? 0 : context_oom(r->ctx);
}

static int finish(struct abibase_render *r, const struct abibase_baseline *b, struct list *l,
		  char **ret, char **ret_page)
{
	_autofree_ char *page = ret_page ? make_page(r, b, l) : NULL;
	_buf_ out = { .width = r->width };
	int result = 0;

	*ret = NULL;
	if (ret_page && !page)
		return context_oom(r->ctx);
	if (l->verdict == ABIBASE_VERDICT_YES || r->format != FORMAT_LIST) {
		write_text(r, b, l, &out);
		result = give(r, &out, "--no-inputs leaves its hosts out", ret);
	}
	if (result < 0)
		return result;
	if (ret_page)
		*ret_page = steal(&page);
	return (int)l->verdict;
}

/* Was nothing asked for? */
static bool is_open(const struct abibase_baseline *b)
{
	const struct policy *p = &b->in.policy;
	unsigned int backends = 0;

	for (size_t i = 0; b->cat && i < b->cat->n_backends; i++)
		backends |= b->cat->backends[i].by_default ? 1u << i : 0;
	return b->partial || (!p->machine && !p->target && !p->all && !p->backends_named &&
			      p->backends == backends && !p->enable.n && !p->disable.n &&
			      !p->assume.n && !p->dest.n);
}

/* Nothing is decided in it, so that what was asked for would be lost. */
static int render_partial(struct abibase_render *r, const struct abibase_baseline *b, char **ret,
			  char **ret_page)
{
	struct abibase_baseline *part;
	_buf_ out = { 0 };
	int result;

	if (ret_page)
		*ret_page = NULL;
	if (!is_open(b) || r->no_inputs || r->host || r->minimal || r->with_machine || r->hotplug ||
	    r->n_aliases)
		return context_fail(r->ctx, EINVAL, "baseline-partial", NULL,
				    "a partial baseline is of hosts alone, before anything is asked "
				    "of them: say that where it is made a whole one with others; an "
				    "earlier baseline that is not partial cannot be a part");
	part = baseline_partial(b);
	if (!part)
		return context_oom(r->ctx);
	baseline_write(part, true, &out);
	abibase_baseline_unref(part);
	result = give(r, &out, "make two parts of these hosts", ret);
	return result < 0 ? result : ABIBASE_VERDICT_YES;
}

ABIBASE_EXPORT int abibase_render_run(struct abibase_render *r, const struct abibase_baseline *b,
				      size_t width, char **ret, char **ret_page)
{
	struct list l = { .verdict = b->verdict, .own.arena = &l.arena };
	struct abibase_catalogue *cat = NULL;
	int result;

	if (r->partial)
		return render_partial(r, b, ret, ret_page);
	result = list_builds(r, b, &l);
	r->width = width;
	if (r->no_inputs && b->in.policy.dest.n)
		result = context_fail(
			r->ctx, EINVAL, "no-inputs", NULL,
			"which hosts are ever a destination is a part of the inputs: a "
			"baseline with destinations cannot be written without them");
	if (result == 0)
		result = list_override(r, b, &l, &cat);
	if (b->verdict == ABIBASE_VERDICT_YES && result == 0 && list_make(r, b, &l) < 0)
		result = context_oom(r->ctx);
	if (result == 0)
		result = finish(r, b, &l, ret, ret_page);
	list_clear(&l);
	abibase_catalogue_unref(cat);
	return result;
}
