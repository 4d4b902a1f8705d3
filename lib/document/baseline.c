/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "document/baseline.h"
#include "base/blake2b.h"
#include "base/context.h"

const char *const why_words[] = {
	[WHY_HOST_LACKS] = "host-lacks",     [WHY_HOST_UNKNOWN] = "host-unknown",
	[WHY_QEMU_LACKS] = "qemu-lacks",     [WHY_MACHINE_OFF] = "machine-type-off",
	[WHY_QEMU_UNKNOWN] = "qemu-unknown", [WHY_DEPENDS] = "depends",
	[WHY_TOGETHER] = "together",	     [WHY_NEVER] = "qemu-never-offers",
	[WHY_DISABLED] = "disabled",	     [WHY_HOST_LEAST] = "host-least",
	[N_WHY] = NULL,
};
const char *const setting_words[] = { "off", "on", "unknown", "absent", NULL };
const char *const evidence_words[] = { "catalogue", "record", NULL };

struct abibase_baseline *baseline_alloc(void)
{
	struct abibase_baseline *b = calloc(1, sizeof(*b));

	if (b) {
		b->refcount = 1;
		b->findings.arena = &b->arena;
	}
	return b;
}

ABIBASE_EXPORT DEFINE_REF(abibase_baseline, abibase_baseline_ref)

ABIBASE_EXPORT struct abibase_baseline *abibase_baseline_unref(struct abibase_baseline *b)
{
	if (!b || __atomic_sub_fetch(&b->refcount, 1, __ATOMIC_ACQ_REL) > 0)
		return NULL;
	inputs_clear(&b->in);
	arena_clear(&b->arena);
	abibase_catalogue_unref(b->cat);
	json_decref(b->root);
	json_decref(b->document);
	free(b);
	return NULL;
}

ABIBASE_EXPORT enum abibase_verdict abibase_baseline_verdict(const struct abibase_baseline *b)
{
	return b ? b->verdict : ABIBASE_VERDICT_UNKNOWN;
}

ABIBASE_EXPORT const char *abibase_baseline_id(const struct abibase_baseline *b)
{
	return b ? b->id : NULL;
}

const struct offer *baseline_offer(const struct abibase_baseline *b, const char *backend)
{
	for (size_t i = 0; i < b->n_offers; i++)
		if (streq(b->in.backends[b->offers[i].backend], backend))
			return &b->offers[i];
	return NULL;
}

bool baseline_offered(const struct abibase_baseline *b, const char *backend, uint64_t ret[2])
{
	const struct offer *o = baseline_offer(b, backend);

	if (!o || !o->known)
		return false;
	memcpy(ret, o->word, sizeof(o->word));
	return true;
}

const struct value *baseline_value(const struct abibase_baseline *b, const char *class_name,
				   const char *property)
{
	for (size_t i = 0; i < b->n_values; i++)
		if (streq(b->values[i].class_name, class_name) &&
		    streq(b->values[i].property, property))
			return &b->values[i];
	return NULL;
}

const char *baseline_property(const struct abibase_baseline *b, const char *class_name,
			      const char *property)
{
	const struct value *v = baseline_value(b, class_name, property);

	return v ? v->text : NULL;
}

bool baseline_sets(const struct abibase_baseline *b, const char *word)
{
	for (size_t i = 0; b && i < b->n_values; i++) {
		const struct value *v = &b->values[i];
		_buf_ global = { 0 }, property = { 0 };

		buf_printf(&global, OPTION_GLOBAL " (%s.%s=%s)", v->class_name, v->property,
			   v->text);
		buf_printf(&property, "qemu:property (%s=%s)", v->property, v->text);
		if (same_text(global.data, word) || same_text(property.data, word))
			return true;
	}
	return false;
}

ABIBASE_EXPORT const char *abibase_baseline_finding_get(const struct abibase_baseline *b, size_t i,
							const char *part)
{
	const struct finding *f = b && i < b->findings.n ? &b->findings.f[i] : NULL;

	if (!f || !part)
		return NULL;
	if (streq(part, "kind"))
		return finding_words[f->kind];
	if (streq(part, "id"))
		return f->id;
	if (streq(part, "text"))
		return f->text;
	return streq(part, "remedy") ? f->remedy : NULL;
}

size_t baseline_host_builds(const struct abibase_baseline *b, const struct host *h,
			    const char *path, unsigned int *ret, size_t max)
{
	size_t n = 0;

	for (unsigned int u = 0; u < b->n_used; u++) {
		bool uses = !b->used[u].build && inputs_assumes_qemu(&b->in, h) && !path;

		for (size_t i = 0; i < h->n_qemu && !uses; i++) {
			const char *p = host_path(&b->in, &h->qemu[i]);

			uses = (long)h->qemu[i].build == b->used[u].index &&
			       (!path || (p && streq(p, path)));
		}
		if (uses && n < max)
			ret[n] = u;
		n += uses;
	}
	return n;
}

const json_t *baseline_entry(const struct abibase_baseline *b, size_t used)
{
	return b->used[used].build ? b->used[used].build->entry : NULL;
}

int baseline_refuse(struct abibase_context *ctx, const struct abibase_baseline *b)
{
	return context_fail(ctx, EINVAL, "baseline-not-yes", NULL,
			    b->partial ? "this baseline is partial: abibase intersect makes one of "
					 "it, and of others" :
					 "this baseline promises nothing: its hosts could not share "
					 "one");
}

struct abibase_baseline *baseline_partial(const struct abibase_baseline *b)
{
	struct abibase_baseline *to = baseline_alloc();
	struct finding f = { .kind = ABIBASE_FINDING_UNKNOWN, .id = "baseline-partial" };
	_buf_ text = { 0 };

	if (!to || inputs_copy(&b->in, &to->in) < 0)
		return abibase_baseline_unref(to);
	to->partial = true;
	to->verdict = ABIBASE_VERDICT_UNKNOWN;
	f.remedy = "abibase intersect makes a baseline of it, and of others";
	buf_puts(&text, "the baseline is partial: it has hosts, and no machine type yet");
	finding_add(&to->findings, f, &text);
	return to->arena.failed ? abibase_baseline_unref(to) : to;
}

/* DESIGN, rule 10, says what is left out of the identity, and why. */
const char *baseline_make_id(struct abibase_baseline *b)
{
	struct blake2b hash;
	_buf_ text = { 0 };
	char hex[65];

	buf_printf(&text, "abibase-guest-abi/1\narch %s\ntarget %s\nmachine %s\n", b->arch,
		   b->target, b->machine);
	for (size_t i = 0; i < b->n_offers; i++)
		buf_printf(&text, "backend %s\n", b->in.backends[b->offers[i].backend]);
	for (size_t i = 0; i < b->n_values; i++) {
		const struct value *v = &b->values[i];

		if (v->on && v->is_number)
			buf_printf(&text, "set %s.%s=%s\n", v->class_name, v->property, v->text);
		else if (v->on || v->off_counts)
			buf_printf(&text, "%s %s.%s\n", v->on ? "on" : "off", v->class_name,
				   v->property);
	}
	for (size_t i = 0; i < b->n_requirements; i++)
		buf_printf(&text, "%s %s\n",
			   b->requirements[i].met == ABIBASE_YES ? "requires" : "without",
			   b->requirements[i].name);
	if (buf_failed(&text))
		return NULL;
	blake2b_init(&hash);
	blake2b_update(&hash, text.data, text.len);
	blake2b_final_hex(&hash, hex);
	return arena_printf(&b->arena, "b1-%.32s", hex);
}

/* ------------------------------------------------------------------- for others */

json_t *baseline_backends(const struct abibase_baseline *b)
{
	const char *names[MAX_BACKENDS];
	size_t n = 0;

	for (size_t i = 0; i < b->in.n_backends; i++)
		if (b->in.policy.backends & (1u << i))
			names[n++] = b->in.backends[i];
	return json_strings(names, n);
}

json_t *baseline_scope(const struct abibase_baseline *b)
{
	const struct scope *s = &b->scope;
	const char *evidence[N_EVIDENCE];
	size_t n = 0;

	for (size_t e = 0; e < N_EVIDENCE; e++)
		for (size_t u = 0; s->evidence && u < b->n_used; u++)
			if (s->evidence[u] & (1u << e)) {
				evidence[n++] = evidence_words[e];
				break;
			}
	return json_pack("{so so so so}", "devices", json_strings(s->devices.s, s->devices.n),
			 "layers", json_strings(s->layers.s, s->layers.n), "evidence",
			 json_strings(evidence, n), "not_compared",
			 json_strings(s->not_compared.s, s->not_compared.n));
}
