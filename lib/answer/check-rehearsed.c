/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer/check.h"
#include "document/rehearsals.h"

/* Devices that the QEMU of a host under check does not load of those of the baseline, or they of it. */

struct asking {
	struct abibase_context *ctx;
	struct abibase_check *out;
	const struct abibase_catalogue *cat;
	const char *machine;
	const struct abibase_guest *guest; /* or NULL */
};

static void say(const struct asking *a, const struct rehearsed_pair *p, bool there,
		const struct rehearsed_devices *found)
{
	struct finding f = { .kind = a->guest ? ABIBASE_FINDING_CONFLICT : ABIBASE_FINDING_NOTE,
			     .id = "rehearsed-refused",
			     .layer = "QEMU",
			     .remedy = a->guest ? REHEARSED_REMEDY : REHEARSED_ADVICE,
			     .bit = -1 };
	_buf_ text = { 0 };

	if (!rehearsed_fails(found))
		return;
	rehearsed_write(found, &text);
	hostcheck_say(a->out, f, "%s: %s -> %s, %s this host: of %s %s", a->out->host, p->from,
		      p->to, there ? "to" : "from",
		      a->guest ? "this guest's devices" : "the common devices, each alone,",
		      arena_words(&a->out->arena, &text));
}

static int judge(const struct asking *a, const struct rehearsed_pair *p, bool there)
{
	const struct result_machine *m = rehearsal_result_machine(p->result, a->machine);
	struct rehearsed_devices found = { 0 };
	const json_t *specimens;
	int r = m ? specimens_load(a->ctx, &specimens) : 0;

	if (!m || r < 0)
		return r;
	r = a->guest ? rehearsed_of_guest(specimens, m, a->cat, a->guest, &found) :
		       rehearsed_of_all(m, &found);
	if (r == 0)
		say(a, p, there, &found);
	rehearsed_devices_clear(&found);
	return r;
}

static int ask(const struct asking *a, const json_t *from, const json_t *to, bool there)
{
	struct rehearsed_pair p;
	int r = rehearsals_find(a->ctx, from, to, &p);

	return r == 0 && p.result ? judge(a, &p, there) : r;
}

int hostcheck_rehearsed(struct abibase_context *ctx, struct abibase_check *c,
			const struct abibase_catalogue *cat, const struct abibase_baseline *b,
			const struct abibase_profile *p, const struct abibase_guest *g)
{
	const struct asking a = { ctx, c, cat, b->machine, g };
	int r = 0;

	for (size_t u = 0; u < b->n_used; u++)
		for (size_t k = 0; r == 0 && k < p->n_qemu; k++) {
			const json_t *other = baseline_entry(b, u), *own = p->qemu[k].json;

			if (!other)
				break;
			r = ask(&a, other, own, true);
			if (r == 0)
				r = ask(&a, own, other, false);
		}
	return r;
}
