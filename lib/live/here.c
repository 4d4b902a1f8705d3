/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <limits.h>

#include "answer/check.h"
#include "base/context.h"
#include "document/page.h"
#include "document/result.h"
#include "live/here.h"

/* Who runs under what: this host, the baselines that its guests start under, and those that run. */

/* -------------------------------------------------------------------------- baselines */

static const char *const taken[] = { "verdict", "findings", "loses", "sets", "admit_id" };

/* What was found of this host, beside what the baseline is. */
static int take_check(struct abibase_here *h, const struct abibase_baseline *b,
		      const struct abibase_profile *p, json_t *to)
{
	struct abibase_check *c;
	struct abibase_result *res;
	const json_t *host;
	int r = hostcheck_make(h->ctx, h->cat, b, p, NULL, NULL, NULL, &c);

	if (r < 0)
		return r;
	r = hostchecks_give(h->ctx, b, &c, 1, &res);
	hostcheck_free(c);
	if (r < 0)
		return r;
	if (json_object_set(to, "scope", json_object_get(res->root, "scope")) < 0)
		r = -ENOMEM;
	host = json_array_get(json_object_get(res->root, "hosts"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		json_t *v = json_object_get(host, taken[i]);

		if (v && json_object_set(to, taken[i], v) < 0)
			r = -ENOMEM;
	}
	abibase_result_unref(res);
	return r;
}

static int promises_nothing(struct abibase_here *h, json_t *to)
{
	const struct finding f = { .kind = ABIBASE_FINDING_CONFLICT,
				   .id = abibase_context_error_id(h->ctx),
				   .text = abibase_context_error(h->ctx) };
	int r = json_put(to, "findings", json_pack("[o]", finding_json(&f)));

	return r == 0 ? json_put(to, "verdict", json_string("no")) : r;
}

static int add_baseline(struct abibase_here *h, const struct here_baseline *base,
			const struct abibase_profile *p, json_t *list)
{
	const struct abibase_baseline *b = base->b;
	json_t *to = json_pack("{so ss* ss* so so ss s[] sb sb}", "file", json_harmless(base->file),
			       "baseline", b->id, "machine", b->machine, "backends",
			       baseline_backends(b), "scope", baseline_scope(b), "verdict",
			       "unknown", "findings", "current",
			       b->id && strings_have(&h->current, b->id), "warns",
			       b->id && strings_have(&h->warns, b->id));
	int r = json_add(list, to);

	/* without a record that holds it is unknown */
	if (r == 0 && p)
		r = take_check(h, b, p, to);
	return r == -EINVAL ? promises_nothing(h, to) : r;
}

static int add_baselines(struct abibase_here *h)
{
	struct abibase_profile *p;
	json_t *list = json_array();
	int r = json_put(h->root, "baselines", list);

	if (r == 0)
		r = here_record(h, &p);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < h->n; i++)
		r = add_baseline(h, &h->base[i], p, list);
	abibase_profile_unref(p);
	return r;
}

/* ------------------------------------------------------------------ who uses which one */

/* How many use it; and can it be told, or may one that nobody can look at use it, too? */
static int count_guests(const struct abibase_here *h, json_t *base)
{
	const char *id = string_of(base, "baseline"), *machine = string_of(base, "machine");
	bool all = streq(string_of(h->root, "processes"), "all");
	json_t *guest;
	size_t i, n = 0;
	int r;

	json_array_foreach(json_object_get(h->root, "guests"), i, guest) {
		n += same_text(string_of(guest, "baseline"), id);
		if (streq(string_of(guest, "by"), "unknown") &&
		    same_text(string_of(guest, "machine"), machine))
			all = false;
	}
	r = json_put(base, "guests", json_integer((json_int_t)n));
	return r == 0 ? json_put(base, "used", json_string(n ? "yes" : all ? "no" : "unknown")) : r;
}

static int count_all(struct abibase_here *h)
{
	json_t *v;
	size_t i;
	int r = 0;

	json_array_foreach(json_object_get(h->root, "baselines"), i, v)
		if (r == 0)
			r = count_guests(h, v);
	return r;
}

/* ---------------------------------------------------------------- guests that name none */

/* Ids by machine type */
static json_t *ids_by_machine(const struct abibase_here *h)
{
	json_t *all = json_object();
	int r = all ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < h->n; i++) {
		const struct abibase_baseline *b = h->base[i].b;
		json_t *ids = b->id ? json_object_get(all, b->machine) : NULL;

		if (!b->id)
			continue;
		if (!ids)
			r = json_put(all, b->machine, ids = json_object());
		if (r == 0)
			r = json_put(ids, b->id, json_true());
	}
	if (r == 0)
		return all;
	json_decref(all);
	return NULL;
}

static bool is_current(const struct abibase_here *h, const json_t *ids)
{
	const char *id;
	json_t *v;

	json_object_foreach((json_t *)ids, id, v)
		if (strings_have(&h->current, id))
			return true;
	return false;
}

/* Where there are several of a machine type a start can ask under which: who is not told is told here. */
static int look_for_several(struct abibase_here *h)
{
	json_auto_t *all = ids_by_machine(h);
	const char *state = string_of(json_object_get(h->root, "emulator"), "state"), *machine;
	json_t *ids;

	if (!streq(state, "sound") && !streq(state, "unsound"))
		return all ? 0 : -ENOMEM;
	json_object_foreach(all, machine, ids) {
		bool current = is_current(h, ids);

		if (json_object_size(ids) < 2)
			continue;
		here_found(h, ABIBASE_FINDING_NOTE, "baseline-which",
			   current ? "let its domain have its ABIBASE_BASELINE" :
				     "name the current one in the configuration, or let each domain "
				     "have its ABIBASE_BASELINE",
			   "%zu baselines are of the machine type %s: a guest that %s and names none "
			   "is not started",
			   json_object_size(ids), machine,
			   current ? "comes from elsewhere" : "has a network card of virtio");
	}
	return all ? 0 : -ENOMEM;
}

/* ---------------------------------------------------------------------------- verdict */

static enum abibase_verdict judge(const struct abibase_here *h)
{
	enum abibase_verdict worst = findings_verdict(&h->findings);
	json_t *v;
	size_t i;

	/* no baseline is none that is satisfied */
	if (!h->n && worst == ABIBASE_VERDICT_YES)
		worst = ABIBASE_VERDICT_UNKNOWN;
	json_array_foreach(json_object_get(h->root, "baselines"), i, v) {
		const char *is = string_of(v, "verdict");

		if (worst != ABIBASE_VERDICT_NO && !streq(is, "yes"))
			worst = (enum abibase_verdict)word_index(verdict_words, is);
	}
	return worst;
}

static int run(struct abibase_here *h)
{
	char name[HOST_NAME_MAX + 1] = "this-host";
	int r;

	gethostname(name, sizeof(name) - 1);
	h->root = json_pack("{s:s, s:s, s:s*}", "schema", "abibase-here/1", "host",
			    name_valid(name) ? name : "this-host", "directory", h->directory);
	r = h->root ? add_baselines(h) : -ENOMEM;
	if (r == 0)
		r = here_units(h);
	if (r == 0)
		r = here_emulator(h);
	if (r == 0)
		r = here_apparmor(h);
	if (r == 0)
		r = here_guests(h);
	if (r == 0)
		r = count_all(h);
	if (r == 0)
		r = look_for_several(h);
	if (r == 0)
		r = json_put(h->root, "findings", findings_json(&h->findings));
	return r < 0 || !h->arena.failed ? r : -ENOMEM;
}

ABIBASE_EXPORT int abibase_here_run(struct abibase_here *h, struct abibase_result **ret)
{
	struct abibase_result made = { .show = here_show };
	int r;

	h->findings = (struct findings){ .arena = &h->arena };
	r = run(h);
	made.verdict = judge(h);
	if (r == 0)
		r = json_put(h->root, "verdict", json_string(verdict_words[made.verdict]));
	made.root = steal(&h->root);
	arena_clear(&h->arena);
	if (r == 0)
		return result_give(h->ctx, &made, ret);
	json_decref(made.root);
	return r == -ENOMEM ? context_oom(h->ctx) : r;
}

/* ---------------------------------------------------------------------------- request */

ABIBASE_EXPORT int abibase_here_new(struct abibase_context *ctx, struct abibase_catalogue *cat,
				    struct abibase_here **ret)
{
	struct abibase_here *h = calloc(1, sizeof(*h));

	if (!h)
		return context_oom(ctx);
	h->ctx = abibase_context_ref(ctx);
	h->cat = abibase_catalogue_ref(cat);
	*ret = h;
	return abibase_here_set(h, ABIBASE_HERE_RECORD, "/var/lib/abibase/host.json");
}

ABIBASE_EXPORT struct abibase_here *abibase_here_unref(struct abibase_here *h)
{
	if (!h)
		return NULL;
	for (size_t i = 0; i < h->n; i++) {
		free(h->base[i].file);
		abibase_baseline_unref(h->base[i].b);
	}
	free(h->base);
	free(h->record);
	free(h->directory);
	free(h->emulator);
	free(h->configuration);
	free(h->trouble);
	free(h->unread);
	free(h->qemu);
	strings_clear(&h->current);
	strings_clear(&h->warns);
	abibase_catalogue_unref(h->cat);
	abibase_context_unref(h->ctx);
	free(h);
	return NULL;
}

ABIBASE_EXPORT int abibase_here_set(struct abibase_here *h, enum abibase_here_place what,
				    const char *value)
{
	switch (what) {
	case ABIBASE_HERE_RECORD:
		return context_replace(h->ctx, &h->record, value);
	case ABIBASE_HERE_DIRECTORY:
		return context_replace(h->ctx, &h->directory, value);
	case ABIBASE_HERE_EMULATOR:
		return context_replace(h->ctx, &h->emulator, value);
	case ABIBASE_HERE_CONFIGURATION:
		return context_replace(h->ctx, &h->configuration, value);
	case ABIBASE_HERE_TROUBLE:
		return context_replace(h->ctx, &h->trouble, value);
	case ABIBASE_HERE_UNREAD:
		return context_replace(h->ctx, &h->unread, value);
	case ABIBASE_HERE_QEMU:
		return context_replace(h->ctx, &h->qemu, value);
	case ABIBASE_HERE_CURRENT:
		return strings_insert(&h->current, value) < 0 ? context_oom(h->ctx) : 0;
	case ABIBASE_HERE_WARNS:
		return strings_insert(&h->warns, value) < 0 ? context_oom(h->ctx) : 0;
	default:
		return -EINVAL;
	}
}

ABIBASE_EXPORT int abibase_here_add_baseline(struct abibase_here *h, const char *file,
					     struct abibase_baseline *b)
{
	int r = inputs_check_builds(h->ctx, &b->in, h->cat);
	struct here_baseline *base;

	if (r < 0)
		return r;
	if (array_grow(&h->base, h->n, &h->cap, sizeof(*h->base)) < 0)
		return context_oom(h->ctx);
	base = &h->base[h->n];
	*base = (struct here_baseline){ .file = strdup(file) };
	if (!base->file)
		return context_oom(h->ctx);
	base->b = abibase_baseline_ref(b);
	h->n++;
	return 0;
}
