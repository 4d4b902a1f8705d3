/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "decode.h"
#include "move.h"

/*
 * Devices of which devices.json says what QEMU offers: some features always, some never, and some
 * where the kernel has them. There is one such, vhost-vsock. For them there is no way back to judge.
 */

static const char *string_of(const json_t *obj, const char *key)
{
	return json_string_value(json_object_get(obj, key));
}

static const json_t *device_of(const struct abibase_targets *t, const struct guest_device *d)
{
	const char *name;
	json_t *v;

	json_object_foreach(json_object_get(t->devices, "devices"), name, v)
		if (json_object_get(v, "offers") && streq(string_of(v, "class"), d->class_name))
			return v;
	return NULL;
}

bool listed_is(const struct abibase_targets *t, const struct guest_device *d)
{
	return device_of(t, d) != NULL;
}

/* ------------------------------------------------------------------ what is offered */

/* One feature, by one QEMU under one machine type on one host. */
struct listed {
	enum abibase_tri offers;
	const char *name;
	enum { BY_NOBODY, BY_QEMU, BY_MACHINE, BY_HOST, BY_ALL } by; /* what decides that */
	const char *reason; /* by host: why it is not known */
};

static bool has_number(const json_t *list, int n)
{
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
		if (json_integer_value(v) == n)
			return true;
	return false;
}

static const json_t *feature_in(const json_t *owner, int bit)
{
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(owner, "features"), i, v)
		if (json_integer_value(json_object_get(v, "bit")) == bit)
			return v;
	return NULL;
}

static const json_t *feature_of(const struct abibase_targets *t, const json_t *device, int bit)
{
	const json_t *own = feature_in(device, bit);

	return own ? own : feature_in(json_object_get(t->devices, "transport"), bit);
}

static bool is_older(const struct version *v, const json_t *feature, const char *key)
{
	struct version than;
	const char *s = string_of(feature, key);

	return s && version_parse(s, &than) && version_cmp(v, &than) < 0;
}

/* The property came with a release, and machine types up to one have it off since. */
static bool is_off_by_machine(const struct qemu_view *view, const json_t *feature)
{
	struct version last;
	const char *s = string_of(feature, "machine_off");

	return s && view->name.upstream && version_parse(s, &last) &&
	       version_cmp(&view->name.version, &last) <= 0 &&
	       !is_older(&view->version, feature, "since");
}

static enum abibase_tri ask_host(const struct abibase_profile *p, const char *condition,
				 const char **reason)
{
	*reason = NULL;
	return condition ? abibase_profile_fact(p, condition, reason) : ABIBASE_YES;
}

static void listed_offer(const struct abibase_targets *t, const json_t *device,
			 const struct qemu_view *view, const struct abibase_profile *p, int bit,
			 struct listed *ret)
{
	const json_t *offers = json_object_get(device, "offers");
	const json_t *f = feature_of(t, device, bit);

	memset(ret, 0, sizeof(*ret));
	ret->name = f ? string_of(f, "name") : "a feature without a name";
	ret->by = BY_ALL;
	ret->offers = ABIBASE_YES;
	if (has_number(json_object_get(offers, "always"), bit))
		return;
	if (has_number(json_object_get(offers, "never"), bit)) {
		ret->offers = ABIBASE_NO;
		return;
	}
	ret->offers = ABIBASE_UNKNOWN;
	ret->by = BY_NOBODY;
	if (!f || !string_of(f, "condition"))
		return;
	ret->by = BY_HOST;
	ret->offers = ask_host(p, string_of(f, "condition"), &ret->reason);
	if (ret->offers == ABIBASE_NO)
		return;
	if (is_older(&view->version, f, "offered_since")) {
		ret->offers = ABIBASE_NO;
		ret->by = BY_QEMU;
	} else if (ret->offers == ABIBASE_YES && is_off_by_machine(view, f)) {
		ret->offers = ABIBASE_NO;
		ret->by = BY_MACHINE;
	}
}

/* --------------------------------------------------------------------- words */

static int say_off_by_machine(struct judging *j, const struct guest_device *d, const json_t *f,
			      const struct listed *l, int bit)
{
	_autofree_ char *setting = NULL, *remedy = NULL;
	_buf_ text = { 0 };
	int n = asprintf(&setting, "%s.%s=on", d->class_name, string_of(f, "property"));

	if (n < 0 || asprintf(&remedy, "start the target there with -global %s", setting) < 0) {
		remedy = NULL;
		return -ENOMEM;
	}
	buf_printf(&text, "%s: ", j->p->name);
	move_write_qemu(j, &text);
	buf_printf(&text, " has %s.%s off under %s, though kernel and QEMU can do it: %s (bit %d), "
			  "which the guest %s, is not offered there",
		   d->class_name, string_of(f, "property"), j->pr.view.machine, l->name, bit,
		   move_taken(d));
	return strings_insert(&j->m->rescue, setting) < 0 ?
		       -ENOMEM :
		       move_say(j, ABIBASE_FINDING_CONFLICT, "move-switched-off", "machine type",
				NULL, remedy, &text);
}

static int say_missing(struct judging *j, const struct guest_device *d, const json_t *device,
		       const struct listed *l, int bit)
{
	const json_t *f = feature_of(j->t, device, bit);
	const char *layer = l->by == BY_HOST ? string_of(device, "layer") : "QEMU";
	_autofree_ char *remedy = NULL;
	_buf_ text = { 0 };

	if (l->by == BY_MACHINE)
		return say_off_by_machine(j, d, f, l, bit);
	buf_printf(&text, "%s: ", j->p->name);
	if (l->by == BY_HOST)
		buf_puts(&text, layer);
	else
		move_write_qemu(j, &text);
	buf_printf(&text, " does not have %s (bit %d) for a %s, which the guest %s", l->name, bit,
		   d->class_name, move_taken(d));
	if (asprintf(&remedy, "%s" RESTART,
		     l->by == BY_HOST && string_of(f, "remedy") ? string_of(f, "remedy") :
								  "use another QEMU there") < 0) {
		remedy = NULL;
		return -ENOMEM;
	}
	return move_say(j, ABIBASE_FINDING_CONFLICT, "move-lacks", layer, NULL, remedy, &text);
}

static int judge_bit(struct judging *j, const struct guest_device *d, const json_t *device, int bit)
{
	struct listed l;
	_buf_ text = { 0 };

	listed_offer(j->t, device, &j->pr.view, j->p, bit, &l);
	if (l.offers == ABIBASE_YES)
		return 0;
	if (l.offers == ABIBASE_NO)
		return say_missing(j, d, device, &l, bit);
	buf_printf(&text, "%s: whether it offers %s (bit %d), which the guest %s, is unknown (%s)",
		   j->p->name, l.name, bit, move_taken(d), l.reason ? l.reason : "not described");
	return move_say(j, ABIBASE_FINDING_UNKNOWN, "move-unknown", string_of(device, "layer"),
			NULL, unknown_remedy(l.reason ? l.reason : ""), &text);
}

/* ------------------------------------------------------------------- one device */

/* All that the guest can have been offered where it runs. 1: that is not known. */
static int worst_case(struct judging *j, const json_t *device, uint64_t ret[2])
{
	const struct profile_qemu *q = move_source_qemu(j->t);
	struct qemu_view view;

	if (!q)
		return move_ask_word(j) < 0 ? -ENOMEM : 1;
	qemu_view_init(&view, q->json, j->t->guest->machine);
	for (int bit = 0; bit < 128; bit++) {
		struct listed l;

		listed_offer(j->t, device, &view, j->t->source, bit, &l);
		if (l.offers == ABIBASE_YES || (l.offers == ABIBASE_UNKNOWN && l.by == BY_HOST))
			ret[bit / 64] |= (uint64_t)1 << (bit % 64);
	}
	return move_say_worst_case(j);
}

static int judge_usable(struct judging *j, const json_t *device)
{
	const char *condition = string_of(json_object_get(device, "offers"), "usable"), *reason;
	enum abibase_tri a = ask_host(j->p, condition, &reason);
	_buf_ text = { 0 };

	if (a == ABIBASE_YES)
		return 0;
	buf_printf(&text, a == ABIBASE_NO ? "%s: the guest has a device of %s, which is absent there" :
					    "%s: whether %s is usable there is unknown (%s)",
		   j->p->name, string_of(device, "layer"), reason);
	return a == ABIBASE_NO ? move_say(j, ABIBASE_FINDING_CONFLICT, "backend-absent", "backend",
					  NULL, "load its module there", &text) :
				 move_say(j, ABIBASE_FINDING_UNKNOWN, "backend-unknown", "backend",
					  NULL, unknown_remedy(reason), &text);
}

int listed_judge(struct judging *j, const struct guest_device *d)
{
	const json_t *device = device_of(j->t, d);
	uint64_t word[2] = { d->negotiated[0], d->negotiated[1] };
	int r = judge_usable(j, device);

	if (r == 0 && !d->has_negotiated)
		r = worst_case(j, device, word);
	for (int bit = 0; r == 0 && bit < 128; bit++)
		if (word_has(word, bit))
			r = judge_bit(j, d, device, bit);
	return r < 0 ? r : 0;
}
