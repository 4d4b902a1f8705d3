/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/context.h"
#include "answer/move.h"
#include "answer/records.h"
#include "document/build.h"
#include "document/errata.h"
#include "model/machine.h"

/* Which host can take the guest: all devices, on each QEMU of each host. */

/* ----------------------------------------------------------------------- one QEMU */

static enum move_kind kind_of(const struct abibase_check *c)
{
	enum move_kind kind = MOVE_NOW;

	for (size_t i = 0; i < c->findings.n; i++) {
		const struct finding *f = &c->findings.f[i];

		if (f->kind == ABIBASE_FINDING_CONFLICT && !f->by_list)
			return MOVE_NO;
		if (f->kind == ABIBASE_FINDING_UNKNOWN)
			kind = MOVE_UNKNOWN;
		else if (f->kind == ABIBASE_FINDING_CONFLICT && kind == MOVE_NOW)
			kind = MOVE_LIST;
	}
	return kind;
}

static const char *target_of(const struct judging *j)
{
	return j->t->guest->target ? j->t->guest->target : j->p->arch;
}

static bool baseline_assumes(const struct abibase_targets *t, const struct abibase_profile *p)
{
	return t->baseline && inputs_assume_qemu_of(&t->baseline->in, p->name);
}

/* What is to be said of the host: it has no QEMU that could be judged, or one is assumed. */
static void judge_qemuless(struct judging *j)
{
	struct machine_host h = { .name = j->p->name,
				  .looked_for = j->p->has_qemu,
				  .assumed = j->assumed,
				  .n_unasked = j->p->n_unasked };
	const char *id, *remedy;
	enum machine_answer answer;
	_buf_ text = { 0 };

	for (size_t i = 0; i < j->p->n_qemu; i++)
		machine_count(&h, machine_use(j->t->cat, j->p->qemu[i].json, target_of(j),
					      j->t->guest->machine));
	answer = machine_judge(&h, target_of(j), j->t->guest->machine, &text, &id, &remedy);
	if (answer == MACHINE_ASSUMED && baseline_assumes(j->t, j->p))
		buf_puts(&text, MACHINE_ASSUMED_BY_BASELINE);
	if (answer != MACHINE_FINE)
		move_say(j,
			 answer == MACHINE_CONFLICT ? ABIBASE_FINDING_CONFLICT :
			 answer == MACHINE_UNKNOWN  ? ABIBASE_FINDING_UNKNOWN :
						      ABIBASE_FINDING_NOTE,
			 id, "machine type", NULL, remedy, "%s", arena_words(move_arena(j), &text));
}

static void say_unasked(struct judging *j)
{
	for (size_t i = 0; i < j->p->n_unasked; i++) {
		const json_t *v = profile_unasked(j->p, i);
		_buf_ text = { 0 };

		machine_write_unasked(j->p->name, json_string_value(json_object_get(v, "path")),
				      json_string_value(json_object_get(v, "unknown")), &text);
		move_unknown(j, "qemu-unasked", "machine type", NULL, machine_unasked_remedy, "%s",
			     arena_words(move_arena(j), &text));
	}
}

/* All that has to be said is asked for at once. */
static const char *machine_remedy(const struct abibase_targets *t)
{
	for (size_t i = 0; !t->backend && i < t->guest->n; i++)
		if (!t->guest->devices[i].backend)
			return "say it with -M MACHINE, and with --backend what the device lies on";
	return "say it with -M MACHINE";
}

static void say_no_machine(struct judging *j)
{
	const char *machine = j->t->guest->machine;
	_buf_ text = { 0 };

	if (!machine)
		return move_unknown(j, "guest-unknown", "guest", NULL, machine_remedy(j->t),
				    "the machine type of the guest is not known");
	if (!j->entry) {
		say_unasked(j);
		return judge_qemuless(j);
	}
	if (machine_use(j->t->cat, j->entry, target_of(j), machine) == MACHINE_NOT_RECORDED) {
		machine_write_unrecorded(j->t->cat, j->entry, machine, &text);
		return move_unknown(j, "machine-not-recorded", "machine type", NULL,
				    machine_unrecorded_remedy, "%s: whether %s%s", j->p->name,
				    move_qemu(j), arena_words(move_arena(j), &text));
	}
	move_conflict(j, "host-without-machine", "machine type", NULL,
		      "install a QEMU there that has it: a running guest keeps its machine type",
		      "%s: %s does not have the machine type %s", j->p->name, move_qemu(j), machine);
}

static bool has_machine(const struct judging *j)
{
	const char *machine = j->t->guest->machine;

	if (!machine || j->assumed)
		return machine;
	return j->entry && machine_use(j->t->cat, j->entry, target_of(j), machine) == MACHINE_USED;
}

static void with_settings(struct judging *j, void (*fn)(struct judging *j))
{
	const char **all = move_join_lists(&j->base, &j->m->rescue, &j->m->door);

	move_arena(j)->failed |= !all;
	if (move_arena(j)->failed)
		return;
	j->pr.settings = all;
	fn(j);
	j->pr.settings = NULL;
	free(all);
}

/* The list would set what nobody here knows: whether the QEMU starts with it cannot be told. */
static void judge_list(struct judging *j)
{
	_buf_ names = { 0 };

	if (!j->t->baseline || !baseline_write_unknown(j->t->cat, j->t->baseline, &names))
		return;
	move_unknown(j, "catalogue-older", "catalogue", NULL,
		     "ask a version of abibase whose catalogue has it",
		     "%s: the catalogue of this version (revision %lld; the baseline's is %lld) "
		     "does not know what the list sets: %s",
		     j->p->name, (long long)j->t->cat->revision,
		     (long long)j->t->baseline->in.catalogue_revision,
		     arena_words(move_arena(j), &names));
}

static void note_source(struct judging *j)
{
	_buf_ versions = { 0 };

	if (move_source_contradicts(j->t, &versions))
		move_note(j, "guest-differs", "guest", NULL,
			  "name with --from the host where the guest runs, as it is now",
			  "the guest runs in QEMU %s by its own word, and %s, where it runs, has "
			  "QEMU %s: what is recorded of that does not count",
			  j->t->guest->qemu, j->t->source->name,
			  arena_words(move_arena(j), &versions));
}

static bool guest_has(const void *of, size_t row)
{
	const struct judging *j = of;
	const struct row *r = &j->pr.cat->rows[row];
	const struct abibase_guest *g = j->t->guest;

	if (r->bit >= 0 && word_has(j->negotiated, r->bit))
		return true;
	for (size_t i = 0; i < g->n; i++)
		if (json_is_true(json_object_get(g->devices[i].properties, r->key)))
			return true;
	return false;
}

static void note_errata(struct judging *j)
{
	uint32_t mask = errata_of_kernel(j->pr.cat, j->p->root);

	if (j->entry)
		mask |= errata_of_qemu(j->pr.cat, j->entry, j->pr.view.machine);
	hostcheck_errata(j->m->check, j->pr.cat, mask, guest_has, j);
}

/* What the two QEMUs give another value, of the guest's devices, and nobody judges */
static void note_records(struct judging *j)
{
	const struct abibase_targets *t = j->t;
	const struct profile_qemu *here = move_own_qemu(j), *there = move_source_qemu(t);
	struct records q = { .ctx = t->ctx, .cat = t->cat, .machine = t->guest->machine,
			     .classes = t->classes.patterns };

	if (!here || !here->record || !there || !there->record || !q.classes)
		return;
	q.entry[0] = there->json;
	q.entry[1] = here->json;
	move_arena(j)->failed |= hostcheck_record(j->m->check, &q) < 0;
}

static void judge_devices(struct judging *j)
{
	const struct abibase_guest *g = j->t->guest;

	hostcheck_unjudged(j->m->check, j->t->baseline, g);
	hostcheck_cpu(j->m->check, g);
	note_errata(j);
	judge_list(j);
	note_source(j);
	move_judge_rehearsed(j);
	note_records(j);
	/* of one that is no device of the catalogue no more than that can be said */
	for (size_t i = 0; i < g->n; i++)
		if (!j->refused || move_backends_of(j->pr.cat, &g->devices[i]))
			move_judge_device(j, &g->devices[i]);
	move_complete_groups(j);
}

static void judge_arch(struct judging *j)
{
	const char *arch = j->t->source ? j->t->source->arch : NULL;

	if (!arch || streq(arch, j->p->arch))
		return;
	move_conflict(j, "arch-differs", "host", NULL, "migrate between hosts of one architecture",
		      "%s: it is %s, and the guest runs on %s", j->p->name, j->p->arch, arch);
}

/* Whoever installs another QEMU wants to know what else is missing: the kernel can be asked. */
static void judge_kernel(struct judging *j)
{
	const struct abibase_guest *g = j->t->guest;
	const struct abibase_catalogue *cat = j->pr.cat;

	for (size_t i = 0; i < g->n; i++) {
		const struct guest_device *d = &g->devices[i];

		if (!move_backends_of(cat, d) || !move_prepare_device(j, d))
			break;
		move_judge_usable(j);
		for (size_t k = 0; k < cat->n_rows; k++)
			if (move_row_is_of(&cat->rows[k], d) &&
			    word_has(d->negotiated, cat->rows[k].bit))
				move_say_lacks(j, d, &cat->rows[k],
					       &cat->rows[k].needs[j->pr.backend]);
	}
}

static void judge(struct judging *j)
{
	const struct abibase_guest *g = j->t->guest;

	judge_arch(j);
	for (size_t i = 0; i < g->n; i++)
		for (int k = 0; k < 2; k++)
			j->negotiated[k] |= g->devices[i].negotiated[k];
	if (!has_machine(j)) {
		say_no_machine(j);
		if (g->machine)
			judge_kernel(j);
		return;
	}
	if (j->assumed)
		judge_qemuless(j);
	if (move_baseline_settings(j->t, &j->pr, &j->base) < 0)
		move_arena(j)->failed = true;
	with_settings(j, judge_devices);
	j->m->kind = kind_of(j->m->check);
	if (j->m->kind == MOVE_NO || j->m->kind == MOVE_UNKNOWN) {
		strings_clear(&j->m->rescue);
		return;
	}
	with_settings(j, move_judge_way_back);
	if (!j->t->brief)
		with_settings(j, move_make_carry_on);
}

static int judge_qemu(const struct abibase_targets *t, const struct abibase_profile *p,
		      const json_t *entry, struct move *m)
{
	struct judging j = { .t = t, .p = p, .entry = entry, .m = m };

	j.assumed = !p->n_qemu && (strings_have(&t->assume, p->name) || baseline_assumes(t, p));
	j.pr.cat = t->cat;
	j.pr.p = p;
	qemu_view_init(&j.pr.view, t->cat, entry, t->guest->machine ? t->guest->machine : "");
	m->way_back = ABIBASE_UNKNOWN;
	m->check = hostcheck_new(p->name);
	if (!m->check)
		return -ENOMEM;
	m->version = json_string_value(json_object_get(entry, "version"));
	m->package = json_string_value(json_object_get(entry, "package"));
	m->path = json_string_value(json_object_get(entry, "path"));
	m->recorded = j.pr.view.values;
	judge(&j);
	strings_clear(&j.base);
	m->kind = kind_of(m->check);
	for (size_t i = 0; i < m->check->findings.n; i++)
		m->check->findings.f[i].fixable = m->kind == MOVE_LIST &&
						m->check->findings.f[i].property;
	m->check->verdict = findings_verdict(&m->check->findings);
	return m->check->arena.failed ? -ENOMEM : 0;
}

/* ----------------------------------------------------------------------- one host */

static void moves_clear(struct move *m, size_t n);

void move_clear(struct move *m)
{
	hostcheck_free(m->check);
	strings_clear(&m->rescue);
	strings_clear(&m->door);
	strings_clear(&m->carry_on);
	strings_clear(&m->gains);
	strings_clear(&m->unseen);
	moves_clear(m->others, m->n_others);
	memset(m, 0, sizeof(*m));
}

static void moves_clear(struct move *m, size_t n)
{
	for (size_t i = 0; m && i < n; i++)
		move_clear(&m[i]);
	free(m);
}

/* Anybody may start any of the QEMUs there: those that count come first, and of these the worst. */
static int cmp_answer(const void *a, const void *b)
{
	static const int rank[] = { [MOVE_NO] = 0,
				    [MOVE_UNKNOWN] = 1,
				    [MOVE_LIST] = 2,
				    [MOVE_NOW] = 3 };
	const struct move *x = a, *y = b;
	int r;

	if (x->counts != y->counts)
		return x->counts ? -1 : 1;
	if (rank[x->kind] != rank[y->kind])
		return rank[x->kind] - rank[y->kind];
	if (x->check->findings.n != y->check->findings.n)
		return x->check->findings.n < y->check->findings.n ? -1 : 1;
	r = strcmp(x->version ? x->version : "", y->version ? y->version : "");
	return r ? r : strcmp(x->path ? x->path : "", y->path ? y->path : "");
}

/*
 * The same guest with the name of its machine as a host reads it whose QEMUs cut such a name; where
 * it has nothing to cut, the guest itself.
 */
static struct abibase_guest *cut_guest(const struct abibase_targets *t)
{
	const char *machine = t->guest->machine;
	struct abibase_guest *cut;
	json_t *root;

	if (!machine || !strchr(machine, '+'))
		return guest_ref(t->guest);
	root = json_deep_copy(t->guest->root);
	if (!root || json_object_set_new(root, "machine",
					 json_stringn(machine, strcspn(machine, "+"))) < 0) {
		json_decref(root);
		return NULL;
	}
	return guest_from_json(t->ctx, root, t->guest->source, &cut) < 0 ? NULL : cut;
}

static bool host_cuts(const struct abibase_targets *t, const struct abibase_profile *p)
{
	const char *target = t->guest->target ? t->guest->target : p->arch;
	size_t n = 0;

	for (size_t i = 0; t->guest->machine && i < p->n_qemu; i++) {
		if (!streq(p->qemu[i].target, target))
			continue;
		if (!qemu_cuts_machine(p->qemu[i].json, t->guest->machine))
			return false;
		n++;
	}
	return n > 0;
}

/* One answer a QEMU; those that could not be asked are one more. */
static int judge_qemus(const struct abibase_targets *t, const struct abibase_profile *p,
		       struct move *m, size_t *ret_n)
{
	const char *target = t->guest->target ? t->guest->target : p->arch;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n_qemu; i++) {
		const json_t *entry = p->qemu[i].json;

		if (!streq(p->qemu[i].target, target))
			continue;
		m[n].counts = !t->guest->machine || machine_use(t->cat, entry, target,
								t->guest->machine) !=
							    MACHINE_NOT_THERE;
		r = judge_qemu(t, p, entry, &m[n++]);
	}
	if (r == 0 && (!n || p->n_unasked)) {
		m[n].counts = true;
		r = judge_qemu(t, p, NULL, &m[n++]);
	}
	*ret_n = n;
	return r;
}

static int judge_host(const struct abibase_targets *t, const struct abibase_profile *p,
		      struct move *ret)
{
	struct move *m = calloc(p->n_qemu + 1, sizeof(*m));
	size_t n = 0;
	int r = m ? judge_qemus(t, p, m, &n) : -ENOMEM;

	if (r < 0) {
		moves_clear(m, n);
		return r;
	}
	qsort(m, n, sizeof(*m), cmp_answer);
	*ret = m[0];
	memmove(m, m + 1, --n * sizeof(*m));
	ret->others = m;
	ret->n_others = n;
	return 0;
}

/* ------------------------------------------------------------------------ request */

static int check_sense(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		       const struct abibase_guest *guest)
{
	struct schema_walk c;

	schema_init(&c, ctx, guest->source);
	guest_check_sense(&c, cat, guest->root);
	return schema_result(&c);
}

ABIBASE_EXPORT int abibase_targets_new(struct abibase_context *ctx, struct abibase_catalogue *cat,
				       struct abibase_guest *guest, struct abibase_targets **ret)
{
	struct abibase_targets *t;
	int r = check_sense(ctx, cat, guest);

	if (r < 0)
		return r;
	t = calloc(1, sizeof(*t));
	if (!t)
		return context_oom(ctx);
	t->ctx = abibase_context_ref(ctx);
	t->cat = abibase_catalogue_ref(cat);
	t->guest = guest_ref(guest);
	t->kinds.paths = true;
	*ret = t;
	return 0;
}

/* The guest is started with its list, and so has its machine type. */
static int check_machine(struct abibase_context *ctx, const struct abibase_guest *guest,
			 const struct abibase_baseline *b)
{
	if (!guest->machine || !b || !b->machine || baseline_is_of_machine(b, guest->machine))
		return 0;
	return context_fail(ctx, EINVAL, "guest-differs", NULL,
			    "the guest has the machine type %s, and the baseline is for %s",
			    guest->machine, b->machine);
}

ABIBASE_EXPORT int abibase_targets_set_guest(struct abibase_targets *t, struct abibase_guest *guest)
{
	int r = check_sense(t->ctx, t->cat, guest);

	if (r == 0)
		r = check_machine(t->ctx, guest, t->baseline);
	if (r < 0)
		return r;
	abibase_guest_unref(t->guest);
	t->guest = guest_ref(guest);
	json_decref(steal(&t->by_version));
	guest_classes_clear(&t->classes);
	return 0;
}

static void target_clear(struct target *h)
{
	abibase_profile_unref(h->p);
	free(h->name);
}

static void forget_hosts(struct abibase_targets *t)
{
	for (size_t i = 0; i < t->n; i++)
		target_clear(&t->hosts[i]);
	t->n = t->looked_at = 0;
	strings_clear(&t->assume);
}

ABIBASE_EXPORT struct abibase_targets *abibase_targets_unref(struct abibase_targets *t)
{
	if (!t)
		return NULL;
	forget_hosts(t);
	free(t->hosts);
	kinds_clear(&t->kinds);
	json_decref(t->answers);
	abibase_profile_unref(t->source);
	json_decref(t->by_version);
	guest_classes_clear(&t->classes);
	arena_clear(&t->arena);
	abibase_baseline_unref(t->baseline);
	abibase_guest_unref(t->guest);
	abibase_catalogue_unref(t->cat);
	abibase_context_unref(t->ctx);
	free(t->backend);
	free(t);
	return NULL;
}

ABIBASE_EXPORT int abibase_targets_set_backend(struct abibase_targets *t, const char *backend)
{
	if (catalogue_backend(t->cat, backend) < 0)
		return catalogue_no_backend(t->ctx, t->cat, backend, true,
					    "backend-not-known");
	return context_replace(t->ctx, &t->backend, backend);
}

ABIBASE_EXPORT int abibase_targets_assume_qemu(struct abibase_targets *t, const char *host)
{
	return strings_insert(&t->assume, host) < 0 ? context_oom(t->ctx) : 0;
}

/* The guest runs under the list of the baseline, and so under its machine type. */
static int take_machine(struct abibase_targets *t)
{
	struct abibase_guest *g;
	int r;

	if (t->guest->machine || !t->baseline || !t->baseline->machine)
		return 0;
	r = abibase_guest_assume(t->ctx, t->guest, t->baseline->machine, NULL, NULL, 0, &g);
	if (r < 0)
		return r;
	abibase_guest_unref(t->guest);
	t->guest = g;
	return 0;
}

ABIBASE_EXPORT int abibase_targets_set_baseline(struct abibase_targets *t,
						struct abibase_baseline *b)
{
	int r;

	if (b->verdict != ABIBASE_VERDICT_YES)
		return baseline_refuse(t->ctx, b);
	r = check_machine(t->ctx, t->guest, b);
	if (r == 0)
		r = inputs_check_builds(t->ctx, &b->in, t->cat);
	if (r < 0)
		return r;
	abibase_baseline_unref(t->baseline);
	t->baseline = abibase_baseline_ref(b);
	arena_clear(&t->arena);
	link_values(t->cat, b, &t->arena, &t->links);
	if (!t->arena.failed)
		return 0;
	t->baseline = abibase_baseline_unref(t->baseline); /* without its links it is no use */
	return context_oom(t->ctx);
}

ABIBASE_EXPORT void abibase_targets_set_source(struct abibase_targets *t, struct abibase_profile *p)
{
	abibase_profile_unref(t->source);
	t->source = p ? abibase_profile_ref(p) : NULL;
	memcpy(t->source_digest, p ? p->digest : "", p ? sizeof(t->source_digest) : 1);
}

ABIBASE_EXPORT int abibase_targets_add_profile(struct abibase_targets *t, struct abibase_profile *p)
{
	if (array_grow(&t->hosts, t->n, &t->cap, sizeof(*t->hosts)) < 0)
		return context_oom(t->ctx);
	t->hosts[t->n] = (struct target){ .p = abibase_profile_ref(p) };
	memcpy(t->hosts[t->n++].digest, p->digest, sizeof(p->digest));
	return 0;
}

int targets_set_host(struct abibase_targets *t, struct abibase_profile *p, bool assume_qemu)
{
	int r;

	forget_hosts(t);
	r = assume_qemu ? abibase_targets_assume_qemu(t, p->name) : 0;
	return r < 0 ? r : abibase_targets_add_profile(t, p);
}

static int judge_target(const struct abibase_targets *t, const struct abibase_profile *p,
			json_t **ret)
{
	struct abibase_targets cut = *t;
	struct move move = { 0 };
	int r;

	cut.guest = host_cuts(t, p) ? cut_guest(t) : guest_ref(t->guest);
	if (!cut.guest)
		return -ENOMEM;
	r = judge_host(&cut, p, &move);
	if (r == 0) {
		*ret = move_fold(&move);
		r = *ret ? 0 : -ENOMEM;
	}
	move_clear(&move);
	abibase_guest_unref(cut.guest);
	return r;
}

/* The same answer as that of others, where there is one; the reference of @answer is taken. */
static int share_answer(struct abibase_targets *t, json_t *answer, json_t **ret)
{
	char digest[DIGEST_HEX + 1];
	_buf_ scratch = { 0 };
	int r = json_digest(answer, NULL, &scratch, digest);
	json_t *same = r < 0 ? NULL : json_object_get(t->answers, digest);

	if (r == 0 && !same)
		r = json_object_set(t->answers, digest, answer) < 0 ? -ENOMEM : 0;
	if (r == 0)
		*ret = json_incref(same ? same : answer);
	json_decref(answer);
	return r;
}

/* Under no name, and not as the host where the guest runs. */
static int judge_kind(struct abibase_targets *t, struct kind *k)
{
	struct abibase_profile any = *k->p;
	json_t *answer;
	int r;

	any.name = ANY_HOST;
	any.digest[0] = '\0';
	r = judge_target(t, &any, &answer);
	return r < 0 ? r : share_answer(t, answer, &k->answer);
}

static int judge_one(struct abibase_targets *t, const struct target *h, json_t **ret)
{
	int r = 0;

	if (h->p)
		return judge_target(t, h->p, ret);
	if (t->source && streq(h->digest, t->source_digest))
		return judge_target(t, t->source, ret);
	if (!h->kind->answer)
		r = judge_kind(t, h->kind);
	*ret = json_incref(h->kind->answer);
	return r;
}

static int judge_hosts(struct abibase_targets *t, struct moves *m)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->n; i++) {
		json_t *answer = NULL;

		r = judge_one(t, &t->hosts[i], &answer);
		if (r == 0)
			r = moves_add(m, target_name(&t->hosts[i]), answer);
		json_decref(answer);
	}
	return r;
}

static bool is_host(const void *of, const char *name)
{
	const struct abibase_targets *t = of;

	for (size_t i = 0; i < t->n; i++)
		if (streq(target_name(&t->hosts[i]), name))
			return true;
	return false;
}

/* A row that is newer than the profile is answered from its build records. */
static int make_current(const struct abibase_targets *t, struct abibase_profile **p)
{
	int r = profile_check_types(t->ctx, t->cat, *p);

	return r < 0 ? r : profile_make_current(t->ctx, t->cat, p);
}

/* What the guest says of its QEMU is as a record that says no more than that. */
static int take_version(struct abibase_targets *t)
{
	if (!t->guest->qemu || t->by_version)
		return 0;
	t->by_version = json_pack("{s:s, s:s*}", "version", t->guest->qemu, "package",
				  t->guest->package);
	return t->by_version ? 0 : context_oom(t->ctx);
}

/* All but that each assumed QEMU is one of a host. */
static int prepare(struct abibase_targets *t)
{
	int r = take_machine(t);

	if (r == 0)
		r = take_version(t);
	for (size_t i = 0; r == 0 && !t->brief && i < t->n; i++)
		if (t->hosts[i].p)
			r = make_current(t, &t->hosts[i].p);
	if (r == 0 && !t->brief && t->source)
		r = make_current(t, &t->source);
	if (r == 0)
		r = move_read_rehearsed(t);
	if (r == 0 && !t->classes.patterns && move_source_qemu(t) && move_source_qemu(t)->record)
		r = guest_classes_find(t->ctx, t->guest, &t->classes);
	return r;
}

/* The answers are to be released also on failure. */
static int judge_all(struct abibase_targets *t, struct moves *m)
{
	int r = hosts_check_names(t->ctx, &t->assume, ASSUMED_HOST, is_host, t);

	if (r == 0)
		r = prepare(t);
	if (r < 0)
		return r;
	m->guest = t->guest;
	m->baseline = t->baseline ? t->baseline->id : NULL;
	m->hosts = json_array();
	m->names = t->folded ? json_array() : NULL;
	m->unseen = json_array();
	m->records = json_object();
	t->answers = json_object();
	if (!m->hosts || (t->folded && !m->names) || !m->unseen || !m->records || !t->answers ||
	    judge_hosts(t, m) < 0)
		return context_oom(t->ctx);
	return 0;
}

/* They are the result's now, of which others may be looking at the counts of references. */
static void forget_answers(struct abibase_targets *t)
{
	for (size_t i = 0; i < t->kinds.n; i++)
		json_decref(steal(&t->kinds.kind[i]->answer));
	json_decref(steal(&t->answers));
}

/* ---------------------------------------------------------------- hosts that are let go of */

/* Can a host of this kind stand for others? One without a QEMU is asked for more by its name. */
static bool has_kind(const struct abibase_profile *p)
{
	for (size_t i = 0; i < p->n_qemu; i++)
		if (p->qemu[i].build && !p->qemu[i].record)
			return false;
	return p->n_qemu;
}

/* Is there the text that stands for the name of a host, which is to be put in its place? */
static bool has_placeholder(const json_t *v)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_string(v))
		return strstr(json_string_value(v), ANY_HOST);
	json_object_foreach((json_t *)v, key, item)
		if (strstr(key, ANY_HOST) || has_placeholder(item))
			return true;
	json_array_foreach((json_t *)v, i, item)
		if (has_placeholder(item))
			return true;
	return false;
}

/* One that cannot be judged is kept, and told by the run. */
static int let_go(struct abibase_targets *t, struct target *h)
{
	struct kind *k;
	int r = has_kind(h->p) ? kinds_find(t->ctx, &t->kinds, t->cat, h->p, &k) : -ENOENT;

	if (r < 0 || !k)
		return r == -ENOMEM ? r : 0;
	if (!k->n++ && !has_placeholder(h->p->root)) {
		k->p = abibase_profile_ref(h->p);
		r = make_current(t, &k->p);
		if (r < 0)
			k->p = abibase_profile_unref(k->p);
	}
	if (!k->p)
		return r == -ENOMEM ? r : 0;
	h->name = strdup(h->p->name);
	if (!h->name)
		return context_oom(t->ctx);
	h->p = abibase_profile_unref(h->p);
	h->kind = k;
	t->folded = true;
	return 0;
}

static int let_go_all(struct abibase_targets *t)
{
	int r = 0;

	for (; r == 0 && t->looked_at < t->n; t->looked_at += r == 0)
		if (t->hosts[t->looked_at].p)
			r = let_go(t, &t->hosts[t->looked_at]);
	return r;
}

/* ------------------------------------------------------------------------------ the run */

static int cmp_host(const void *a, const void *b)
{
	return strcmp(target_name(a), target_name(b));
}

/* Of the sorted hosts: one that is given again counts once. */
static int drop_twins(struct abibase_targets *t)
{
	size_t n = 0;
	int twin = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct target *h = &t->hosts[i], *last = n ? &t->hosts[n - 1] : NULL;

		if (last && twin >= 0)
			twin = hosts_twin(t->ctx, target_name(last), last->digest, target_name(h),
					  h->digest);
		if (twin > 0)
			target_clear(h);
		else
			t->hosts[n++] = *h;
	}
	t->n = n;
	return twin < 0 ? twin : 0;
}

ABIBASE_EXPORT int abibase_targets_run(struct abibase_targets *t, struct abibase_result **ret)
{
	struct moves m = { .backend = t->backend };
	int r;

	if (!ret)
		return let_go_all(t);
	if (!t->n)
		return context_fail(t->ctx, EINVAL, "no-hosts", NULL, "there is no host to ask");
	t->looked_at = 0;
	/* the same hosts are the same bytes, in whatever order they came */
	if (t->n > 1)
		qsort(t->hosts, t->n, sizeof(*t->hosts), cmp_host);
	r = drop_twins(t);
	if (r == 0)
		r = judge_all(t, &m);
	if (r == 0)
		r = moves_give(t->ctx, t->cat, &m, ret);
	json_decref(m.hosts);
	json_decref(m.names);
	json_decref(m.unseen);
	json_decref(m.records);
	forget_answers(t);
	return r;
}
