/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "base/context.h"
#include "document/operand.h"
#include "model/ask.h"
#include "answer/show.h"

/* A profile for people. Names of bits come from the catalogue; nothing here is ever read back. */

#define LABEL 12 /* columns of the labels at the left */

/* ---------------------------------------------------------------- where it comes from */

static void put_kernel(struct buf *b, const json_t *kernel)
{
	const char *release = string_of(kernel, "release"), *version = string_of(kernel, "version");

	if (kernel)
		show_labelled(b, LABEL, "kernel", version ? "%s (%s)" : "%s",
			      release ? release : "", version);
}

static void put_packages(struct buf *b, const json_t *packages)
{
	size_t i;
	json_t *v;

	json_array_foreach(packages, i, v)
		show_labelled(b, LABEL, i ? "" : "packages", "%s %s", string_of(v, "name"),
			 string_of(v, "version"));
}

static void put_lifecycle(struct buf *b, const json_t *lifecycle)
{
	static const struct {
		const char *key, *words;
	} dates[] = {
		{ "release", "released" },
		{ "standard_end", "standard support until" },
		{ "extended_end", "extended support until" },
	};
	_buf_ text = { 0 };

	if (!lifecycle)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(dates); i++)
		if (string_of(lifecycle, dates[i].key))
			buf_printf(&text, "%s %s, ", dates[i].words,
				   string_of(lifecycle, dates[i].key));
	buf_printf(&text, "says %s", string_of(lifecycle, "source"));
	b->failed |= buf_failed(&text);
	show_labelled(b, LABEL, "lifecycle", "%s", text.data ? text.data : "");
}

static void put_evidence(struct buf *b, const json_t *evidence)
{
	size_t n;
	_autofree_ const char **keys = json_keys(evidence, &n);

	b->failed |= !keys;
	for (size_t i = 0; i < n; i++)
		show_labelled(b, LABEL, i ? "" : "evidence", "%s%s %s", keys[i],
			 ends_with(keys[i], ".") ? "*" : "", string_of(evidence, keys[i]));
}

static void put_strings(struct buf *b, const char *label, const json_t *list)
{
	size_t i;
	json_t *v;

	if (!json_array_size(list))
		return;
	buf_printf(b, ", %s", label);
	json_array_foreach(list, i, v)
		buf_printf(b, " %s", json_string_value(v));
}

static void put_probe(struct buf *b, const json_t *probe)
{
	const json_t *euid = json_object_get(probe, "euid");
	_buf_ text = { 0 };

	if (!probe)
		return;
	if (euid)
		buf_printf(&text, "by uid %" JSON_INTEGER_FORMAT, json_integer_value(euid));
	else
		buf_puts(&text, "by a uid not recorded");
	if (json_is_true(json_object_get(probe, "user_namespace")))
		buf_puts(&text, ", in a user namespace");
	if (json_is_true(json_object_get(probe, "network_namespace")))
		buf_puts(&text, ", in a network namespace of its own");
	if (json_is_true(json_object_get(probe, "no_load")))
		buf_puts(&text, ", loading no module");
	put_strings(&text, "without the rights", json_object_get(probe, "missing_capabilities"));
	put_strings(&text, "which loaded", json_object_get(probe, "loaded_modules"));
	b->failed |= buf_failed(&text);
	show_labelled(b, LABEL, "probed", "%s", text.data ? text.data : "");
}

static void put_head(struct buf *b, const struct abibase_profile *p)
{
	show_labelled(b, LABEL, "name", "%s", p->name);
	show_labelled(b, LABEL, "kind", "%s", p->kind);
	if (p->revision)
		show_labelled(b, LABEL, "revision", "%" PRId64, p->revision);
	show_labelled(b, LABEL, "arch", "%s", p->arch);
	if (string_of(p->root, "description"))
		show_labelled(b, LABEL, "description", "%s", string_of(p->root, "description"));
	put_kernel(b, json_object_get(p->root, "kernel"));
	put_packages(b, json_object_get(p->root, "packages"));
	put_lifecycle(b, json_object_get(p->root, "lifecycle"));
	put_evidence(b, json_object_get(p->root, "evidence"));
	put_probe(b, json_object_get(p->root, "probe"));
	show_labelled(b, LABEL, "digest", "%s", p->digest);
}

/* ---------------------------------------------------------------------- backends */

static void put_backend(struct buf *b, const struct abibase_profile *p,
			const struct abibase_catalogue *cat, size_t backend)
{
	struct ask a = { .cat = cat, .p = p };
	enum abibase_tri all = ask_usable(&a, backend);
	_buf_ why = { 0 };

	for (struct asked w = { 0 }; ask_next_usable(&a, backend, &w);)
		if (w.answer != ABIBASE_YES)
			buf_printf(&why, "%s%s %s", why.len ? ", " : "", w.c->name,
				   w.answer == ABIBASE_NO ? "no" : w.reason);
	b->failed |= buf_failed(&why);
	buf_printf(b, "  %-15s ", cat->backends[backend].name);
	show_printf(b, 0, 18, why.len ? "%s: %s" : "%s",
		    all == ABIBASE_YES ? "usable" : all == ABIBASE_NO ? "absent" : "unknown",
		    why.data);
}

static void put_backends(struct buf *b, const struct abibase_profile *p,
			 const struct abibase_catalogue *cat)
{
	buf_puts(b, "\nbackends\n");
	for (size_t i = 0; i < cat->n_backends; i++)
		if (!cat->backends[i].predicted_only)
			put_backend(b, p, cat, i);
}

/* ------------------------------------------------------------------------- facts */

/*
 * The backends whose vhost answers with @fact, a word that has the bits of the virtio device: those
 * that need "vhost_net.usable" for "vhost_net.features"; 0 where it is another kind of word.
 */
static unsigned int answered_by(const struct abibase_catalogue *cat, const char *fact)
{
	struct ask a = { .cat = cat };
	size_t len = strcspn(fact, ".");
	unsigned int mask = 0;

	if (!strprefix(fact, "vhost_") ||
	    (!streq(fact + len, ".features") && !streq(fact + len, ".features_array")))
		return 0;
	for (size_t be = 0; be < cat->n_backends; be++)
		for (struct asked w = { 0 }; ask_next_usable(&a, be, &w);)
			if (!strncmp(w.c->fact, fact, len) && w.c->fact[len] == '.')
				mask |= 1u << be;
	return mask;
}

static const char *virtio_bit_name(const struct abibase_catalogue *cat, unsigned int backends,
				   int bit)
{
	for (size_t i = 0; i < cat->n_rows; i++)
		if (cat->rows[i].bit == bit && cat->rows[i].backends & backends)
			return cat->rows[i].feature;
	for (size_t i = 0; i < cat->n_requirements; i++)
		if (cat->requirements[i].bit == bit && cat->requirements[i].backends & backends)
			return cat->requirements[i].feature;
	return NULL;
}

/* What the catalogue's "x-bit-names" says comes first: vhost has bits of its own, 26 and 27. */
const char *show_bit_name(const struct abibase_catalogue *cat, const char *fact, unsigned int bit)
{
	const json_t *names = json_object_get(json_object_get(cat->root, "x-bit-names"), fact);
	const char *name;
	char key[16];

	snprintf(key, sizeof(key), "%u", bit);
	name = string_of(names, key);
	if (!name)
		name = virtio_bit_name(cat, answered_by(cat, fact), (int)bit);
	return name;
}

/* The names of the bits that are set, from the lowest, in lines of their own. */
static void put_bits(struct buf *b, const struct abibase_catalogue *cat, const char *fact,
		     const char *word)
{
	/* a word that says which bits of another are known has the bits of that */
	_autofree_ char *of = strndup(fact, length_without(fact, ".known"));
	_buf_ names = { .failed = !of };
	int set;

	for (unsigned int bit = 0; of && (set = word_bit(word, bit)) >= 0; bit++) {
		const char *name = set ? show_bit_name(cat, of, bit) : NULL;

		if (name)
			buf_printf(&names, " %s", name);
		else if (set)
			buf_printf(&names, " bit-%u", bit);
	}
	b->failed |= buf_failed(&names);
	if (names.len)
		show_printf(b, 6, 6, "%s", names.data + 1);
}

void show_fact_value(struct buf *b, const json_t *v)
{
	if (json_is_boolean(v)) {
		buf_puts(b, json_is_true(v) ? "yes" : "no");
	} else if (json_is_integer(v)) {
		buf_printf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	} else if (json_is_string(v)) {
		show_text(b, json_string_value(v));
	} else {
		buf_puts(b, "unknown (");
		show_text(b, string_of(v, "unknown"));
		buf_putc(b, ')');
	}
}

static size_t surface_len(const char *fact)
{
	return strcspn(fact, ".");
}

/* The facts of one surface, which stand together in @keys; the number of them. */
static size_t put_surface(struct buf *b, const struct abibase_catalogue *cat, const json_t *facts,
			  const char *const *keys, size_t n)
{
	size_t surface = surface_len(keys[0]) + 1, count = 0;
	int width = 0;

	for (; count < n && !strncmp(keys[count], keys[0], surface); count++)
		if ((int)strlen(keys[count] + surface) > width)
			width = (int)strlen(keys[count] + surface);
	buf_printf(b, "\nfacts: %.*s\n", (int)surface - 1, keys[0]);
	for (size_t i = 0; i < count; i++) {
		const json_t *v = json_object_get(facts, keys[i]);
		const char *s = json_string_value(v);
		_buf_ value = { 0 };

		show_fact_value(&value, v);
		b->failed |= buf_failed(&value);
		buf_printf(b, "  %-*s  ", width, keys[i] + surface);
		show_wrapped(b, (size_t)width + 4, (size_t)width + 4, value.data ? value.data : "");
		if (s && strprefix(s, "0x"))
			put_bits(b, cat, keys[i], s);
	}
	return count;
}

static void put_facts(struct buf *b, const struct abibase_profile *p,
		      const struct abibase_catalogue *cat)
{
	size_t n;
	_autofree_ const char **keys = json_keys(p->facts, &n);

	b->failed |= !keys;
	if (!n)
		buf_puts(b, "\nfacts: none\n");
	for (size_t i = 0; i < n;)
		i += put_surface(b, cat, p->facts, keys + i, n - i);
}

/* ------------------------------------------------------------------------- QEMUs */

const char *show_newest_machine(const json_t *machines)
{
	const char *best = NULL, *key;
	json_t *v;

	json_object_foreach((json_t *)machines, key, v) {
		struct machine_name name;

		machine_name_parse(key, &name);
		if (name.versioned && (!best || machine_name_cmp(key, best) > 0))
			best = key;
	}
	return best;
}

static void put_machines(struct buf *b, const json_t *machines)
{
	const char *newest = show_newest_machine(machines);

	buf_puts(b, "    machines  ");
	if (!machines) {
		buf_puts(b, "not recorded\n");
		return;
	}
	buf_printf(b, "%zu types", json_object_size(machines));
	if (newest) {
		buf_puts(b, ", the newest is ");
		show_text(b, newest);
	}
	buf_putc(b, '\n');
}

static void put_member(struct buf *b, const json_t *obj, const char *key, const char *label)
{
	const char *s = string_of(obj, key);

	if (!s)
		return;
	buf_printf(b, "    %-9s ", label);
	show_wrapped(b, 14, 14, s);
}

static void put_qemus(struct buf *b, const struct abibase_profile *p)
{
	if (!p->n_qemu && !p->n_unasked)
		buf_printf(b, "\nqemu: %s\n", p->has_qemu ? "none" : "not recorded");
	else
		buf_puts(b, "\nqemu\n");
	for (size_t i = 0; i < p->n_qemu; i++) {
		const struct profile_qemu *q = &p->qemu[i];

		buf_puts(b, "  ");
		show_text(b, q->version);
		buf_puts(b, " for ");
		show_text(b, q->target);
		buf_putc(b, '\n');
		put_member(b, q->json, "package", "package");
		put_member(b, q->json, "path", "path");
		put_member(b, q->json, "build_id", "build id");
		put_machines(b, json_object_get(q->json, "machines"));
	}
	for (size_t i = 0; i < p->n_unasked; i++) {
		const json_t *v = profile_unasked(p, i);

		buf_puts(b, "  not known (");
		show_text(b, json_string_value(json_object_get(v, "unknown")));
		buf_puts(b, ")\n");
		put_member(b, v, "path", "path");
		put_member(b, v, "build_id", "build id");
	}
}

int profile_to_text(const struct abibase_profile *p, const struct abibase_catalogue *cat,
		    size_t width, char **ret)
{
	_buf_ b = { .width = width };

	put_head(&b, p);
	put_backends(&b, p, cat);
	put_qemus(&b, p);
	put_facts(&b, p, cat);
	buf_putc(&b, '\n');
	show_printf(&b, 0, 2, "See: abibase intersect, abibase diff, abibase match");
	return buf_give(&b, ret);
}

/* ---------------------------------------------------------------------- operands */

static int show_baseline(struct abibase_context *ctx, const struct abibase_baseline *b,
			 const char *format, size_t width, char **ret)
{
	struct abibase_render *render = NULL;
	int r = abibase_render_new(ctx, &render);

	if (r == 0)
		r = abibase_render_set_format(render, format);
	/* the verdict was told when the baseline was made; to show it is a success either way */
	if (r == 0)
		r = abibase_render_run(render, b, width, ret, NULL);
	abibase_render_unref(render);
	return r < 0 ? r : 0;
}

static int show_loaded(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		       const struct loaded *l, bool json, size_t width, char **ret)
{
	int r;

	if (l->baseline)
		return show_baseline(ctx, l->baseline, json ? "json" : "text", width, ret);
	if (json)
		r = json_give(l->profile ? l->profile->root : l->build->root, ret);
	else if (l->profile)
		r = profile_to_text(l->profile, cat, width, ret);
	else
		r = build_record_to_text(l->build, width, ret);
	return r < 0 ? context_oom(ctx) : 0;
}

ABIBASE_EXPORT int abibase_operand_show(struct abibase_context *ctx,
					const struct abibase_catalogue *cat, const char *operand,
					const char *format, size_t width, char **ret)
{
	bool json = streq(format, "json");
	struct loaded l = { 0 };
	int r;

	if (!json && !streq(format, "text"))
		return context_fail(ctx, EINVAL, "format-not-known", NULL,
				    "\"%s\" is not a format; accepted: text, json", format);
	r = operand_load(ctx, operand, &l);
	if (r == 0)
		r = show_loaded(ctx, cat, &l, json, width, ret);
	loaded_clear(&l);
	return r;
}
