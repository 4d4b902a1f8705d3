/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "answer/move.h"
#include "answer/show.h"
#include "base/known.h"

/* One device of the guest on one QEMU: what it would miss there, and what does not fit. */

/* ----------------------------------------------------------------------- words */

/* A running guest keeps what it negotiated. */
#define RESTART "; or power the guest off and on with the list of a baseline that has this host"
/* A sentence that lives as long as the answer. */
#define words(j, ...) arena_printf(move_arena(j), __VA_ARGS__)
/* The lists are beside the findings. */
#define SWITCH_ON "start the target there with the -global options that turn it on"
#define SET_VALUE "start the target there with the -global option that sets it"

/* What is not known of a layer that is not there is told by that. */
static bool is_told(const struct judging *j, const struct finding *f)
{
	return f->kind == ABIBASE_FINDING_UNKNOWN && j->absent && same_text(j->absent, f->layer);
}

void move_say(struct judging *j, enum abibase_finding_kind kind, const char *id,
	      const char *layer, const struct row *row, const char *remedy, const char *fmt, ...)
{
	struct finding f = { .kind = kind, .id = id, .layer = layer, .remedy = remedy,
			     .property = row ? row->key : NULL,
			     .feature = row ? row->feature : NULL,
			     .bit = row ? row->bit : -1 };
	va_list ap;

	if (is_told(j, &f))
		return;
	va_start(ap, fmt);
	hostcheck_vsay(j->m->check, f, fmt, ap);
	va_end(ap);
}

const char *move_qemu(const struct judging *j)
{
	const struct move *m = j->m;

	if (!m->version)
		return "the QEMU there";
	if (!m->package || !*m->package)
		return words(j, "QEMU %s", m->version);
	return words(j, "QEMU %s (%s)", m->version, m->package);
}

/* A feature of the guest is in the way, or may be. What comes of one cause is shown as one. */
static void because(struct judging *j, const struct guest_device *d, struct finding f,
		    const struct row *row)
{
	bool unknown = f.kind == ABIBASE_FINDING_UNKNOWN;

	f.property = row->key;
	f.feature = row->feature;
	f.bit = row->bit;
	if (is_told(j, &f))
		return;
	hostcheck_say(j->m->check, f, "%s: %s: %s: %s%s (bit %d), which the guest %s, %s",
		      j->p->name, f.layer, f.cause, unknown ? "whether " : "", row->feature,
		      row->bit, d->has_negotiated ? "took" : "may have taken",
		      unknown ? "is offered there cannot be told" : "is not offered there");
}

static void lacks(struct judging *j, const struct guest_device *d, const struct row *row,
		  const char *layer, const char *remedy, const char *cause)
{
	because(j, d, (struct finding){ .kind = ABIBASE_FINDING_CONFLICT, .id = "move-lacks",
					.layer = layer, .remedy = remedy, .cause = cause },
		row);
}

static void may_lack(struct judging *j, const struct guest_device *d, const struct row *row,
		     const char *layer, const char *remedy, const char *cause)
{
	because(j, d, (struct finding){ .kind = ABIBASE_FINDING_UNKNOWN, .id = "move-unknown",
					.layer = layer, .remedy = remedy, .cause = cause },
		row);
}

/* ------------------------------------------------------------ a feature that is missing */

/* One of the two is not recorded. */
static void say_value_half_known(struct judging *j, const struct row *row, bool here)
{
	bool source = move_source_qemu(j->t);

	hostcheck_unrecorded(j->m->check, row,
			     here   ? move_qemu(j) :
			     source ? "the QEMU where the guest runs" :
				      "a QEMU of the baseline's hosts",
			     j->pr.view.machine,
			     here   ? "probe this host again" :
			     source ? "probe the host where the guest runs again" :
				      "probe the hosts of the baseline again, and make it anew");
}

/* Can a -global on the target bring it? */
bool move_is_switch(const struct row *row, const struct predicted *p)
{
	return row->boolean && row->bit_when == BIT_TRUE && p->knows == ABIBASE_YES;
}

/* A number that the guest has from its QEMU alone: the target is told the same. */
static bool is_number_there(const struct judging *j, const struct row *row,
			    const struct predicted *p)
{
	json_auto_t *there = move_source_value(j->t, row);

	return p->knows == ABIBASE_YES && json_is_integer(there) && row_bit_set(row, there);
}

static void say_switched_off(struct judging *j, const struct guest_device *d, const struct row *row,
			     const struct predicted *p)
{
	struct finding f = { .kind = ABIBASE_FINDING_CONFLICT, .id = "move-switched-off",
			     .layer = p->by_setting ? "baseline" : "machine type",
			     .remedy = SWITCH_ON, .by_list = true };
	json_auto_t *there = row->boolean ? json_true() : move_source_value(j->t, row);

	f.cause = p->by_setting ?
			  "its list turns it off" :
			  words(j, p->on == ABIBASE_NO ?
					   "%s has it off under %s, though kernel and QEMU can do it" :
					   "%s may have it off under %s, which is not recorded",
				move_qemu(j), j->pr.view.machine);
	move_list_value(j, &j->m->rescue, row, value_words(move_arena(j), there));
	because(j, d, f, row);
}

static void say_no_property(struct judging *j, const struct guest_device *d, const struct row *row)
{
	lacks(j, d, row, "QEMU", "install a QEMU there that has the property" RESTART,
	      words(j, "%s does not have the property", move_qemu(j)));
}

static void say_never(struct judging *j, const struct guest_device *d, const struct row *row)
{
	lacks(j, d, row, "QEMU", "use another backend or another QEMU there" RESTART,
	      words(j, "%s never offers it on %s", move_qemu(j),
		    j->pr.cat->backends[j->pr.backend].name));
}

/* Each fact that is in the way, not the first alone. */
void move_say_lacks(struct judging *j, const struct guest_device *d, const struct row *row,
		    const struct needs *needs)
{
	struct ask a = predictor_ask(&j->pr);

	for (struct asked w = { 0 }; ask_next_need(&a, needs, &w);)
		if (w.c && w.answer == ABIBASE_NO)
			lacks(j, d, row, w.c->layer, words(j, "%s" RESTART, w.c->remedy),
			      w.c->missing);
}

static void say_fact_unknown(struct judging *j, const struct guest_device *d, const struct row *row,
			     const struct predicted *p)
{
	may_lack(j, d, row, p->unknown->layer, unknown_remedy(p->reason),
		 words(j, "%s is unknown there (%s)", p->unknown->name, p->reason));
}

static void say_value_unknown(struct judging *j, const struct guest_device *d,
			      const struct row *row)
{
	may_lack(j, d, row, "QEMU", "probe this host again",
		 words(j, "what %s makes of the property under %s is not recorded", move_qemu(j),
		       j->pr.view.machine));
}

static void say_row(struct judging *j, const struct guest_device *d, const struct row *row,
		    const struct predicted *p)
{
	if (p->knows == ABIBASE_NO)
		return say_no_property(j, d, row);
	if (p->never)
		return say_never(j, d, row);
	if (p->can == ABIBASE_NO)
		return move_say_lacks(j, d, row, &row->needs[j->pr.backend]);
	if (p->can == ABIBASE_UNKNOWN)
		say_fact_unknown(j, d, row, p);
	if (p->on == ABIBASE_YES)
		return;
	if (move_is_switch(row, p) || is_number_there(j, row, p))
		return say_switched_off(j, d, row, p);
	if (!row->boolean && p->knows == ABIBASE_YES && move_source_qemu(j->t))
		return say_value_half_known(j, row, p->on == ABIBASE_UNKNOWN);
	return p->on == ABIBASE_NO ? say_no_property(j, d, row) : say_value_unknown(j, d, row);
}

/*
 * Is it on, what leaves nothing of the requirement? By the guest's own word, an option of -device
 * or a setting of its QEMU, else by the record of the host where it runs. Unknown: nobody says.
 */
static enum abibase_tri is_masked_at_source(const struct judging *j, const struct guest_device *d,
					    const struct row *row)
{
	const json_t *own = json_object_get(d->properties, row->key);
	json_auto_t *there = own ? json_incref((json_t *)own) : move_source_value(j->t, row);

	if (!there)
		there = move_value_by_version(j->t, row);
	return !json_is_boolean(there) ? ABIBASE_UNKNOWN : (enum abibase_tri)json_is_true(there);
}

/*
 * What masks it on one of the two alone is made alike, by the options of the guest or by the list:
 * see judge_value(). A guest that took it was not without it, whatever is recorded.
 */
static void predict_required(const struct judging *j, const struct guest_device *d,
			     const struct requirement *q, struct predicted *ret)
{
	const struct row *row = q->masked_by < 0 ? NULL : &j->pr.cat->rows[q->masked_by];
	enum abibase_tri masked;
	struct effective e;

	predict_requirement(&j->pr, q, ret);
	if (!row || !(row->backends & (1u << j->pr.backend)) || move_is_listed(&j->base, row))
		return;
	qemu_effective(&j->pr.view, row, &e);
	masked = is_masked_at_source(j, d, row);
	if (e.known != ABIBASE_YES || masked == ABIBASE_UNKNOWN ||
	    (masked == ABIBASE_YES && word_has(d->negotiated, q->bit)))
		return;
	memset(ret, 0, sizeof(*ret));
	if (masked == ABIBASE_YES)
		*ret = (struct predicted){ .can = ABIBASE_NO, .masked_by = row };
	else
		predict_needs(&j->pr, &q->needs[j->pr.backend], ret);
}

/* No property switches the bit of a requirement. */
static void judge_bit_required(struct judging *j, const struct guest_device *d,
			       const struct requirement *q)
{
	struct predicted p = { 0 };

	predict_required(j, d, q, &p);
	if (p.can == ABIBASE_YES)
		return;
	if (p.can == ABIBASE_UNKNOWN) {
		return move_unknown(
			j, "move-unknown", p.unknown->layer, NULL, unknown_remedy(p.reason),
			"%s: whether %s has %s, which the guest took, is unknown: %s (%s)",
			j->p->name, p.unknown->layer, q->feature, p.unknown->name, p.reason);
	}
	if (p.masked_by) {
		return move_conflict(j, "move-switched-off", "machine type", NULL,
				     "start the target there without it" RESTART,
				     "%s: the guest took %s (bit %d), and there %s is on",
				     j->p->name, q->feature, q->bit, p.masked_by->key);
	}
	move_conflict(j, "move-lacks", "backend", NULL, q->remedy,
		      "%s: the guest took %s (bit %d), and it does not hold there that %s",
		      j->p->name, q->feature, q->bit, q->text);
}

/*
 * Rows that share a bit: one of them is enough. With none of them on, what is said is of that which
 * comes nearest.
 */
static void judge_bit(struct judging *j, const struct guest_device *d, int bit,
		      const uint64_t negotiated[2])
{
	const struct abibase_catalogue *cat = j->pr.cat;
	const struct row *best = NULL;
	const struct requirement *q;
	struct predicted of_best = { 0 }, p;

	for (size_t i = 0; i < cat->n_rows; i++) {
		if (!move_row_is_of(&cat->rows[i], d) || cat->rows[i].bit != bit)
			continue;
		move_predict_row(j->t, &j->pr, &cat->rows[i], negotiated, &p);
		if (move_both(p.on, p.can) == ABIBASE_YES)
			return;
		if (!best || (move_both(of_best.on, of_best.can) == ABIBASE_NO &&
			      move_both(p.on, p.can) == ABIBASE_UNKNOWN)) {
			best = &cat->rows[i];
			of_best = p;
		}
	}
	if (best)
		return say_row(j, d, best, &of_best);
	q = catalogue_bit_required(cat, bit, 1u << j->pr.backend);
	if (q)
		return judge_bit_required(j, d, q);
	move_unknown(j, "move-unknown", "QEMU", NULL,
		     "look whether the word is of another class of device",
		     "%s: whether it offers bit %d, which the guest took, cannot be told: the "
		     "catalogue has no such feature of %s",
		     j->p->name, bit, d->class_name);
}

/* ------------------------------------------------------------ what the stream carries */

/* Does the QEMU where the guest runs surely look at this need? */
static bool source_looks_at(const struct judging *j, const struct need *need)
{
	struct version v;
	bool known = move_source_version(j->t, &v);

	if (need->without || !version_is_zero(&need->machine_until))
		return false;
	if (!version_is_zero(&need->since) && (!known || version_cmp(&v, &need->since) < 0))
		return false;
	return version_is_zero(&need->until) || (known && version_cmp(&v, &need->until) <= 0);
}

/* A feature that needs it was negotiated, so it was there. */
static bool follows_from_features(const struct judging *j, const struct guest_device *d, int be,
				  int condition)
{
	struct ask a = { .cat = j->pr.cat };

	for (size_t r = 0; d->has_negotiated && r < j->pr.cat->n_rows; r++) {
		const struct row *row = &j->pr.cat->rows[r];

		if (!move_row_is_of(row, d) || !word_has(d->negotiated, row->bit))
			continue;
		for (struct asked w = { 0 }; ask_next_need(&a, &row->needs[be], &w);)
			if (w.condition == condition && source_looks_at(j, w.need))
				return true;
	}
	return false;
}

/* Did the device where the guest runs meet this? What its host states comes before what follows. */
static enum abibase_tri source_meets(const struct judging *j, const struct guest_device *d,
				     const struct requirement *q)
{
	struct ask a = { .cat = j->pr.cat, .p = j->t->source };
	enum abibase_tri all = ABIBASE_YES;
	int be = move_source_backend(j->t, d);

	if (be < 0)
		return ABIBASE_UNKNOWN;
	for (struct asked w = { 0 }; ask_next_need(&a, &q->needs[be], &w);)
		if (w.answer == ABIBASE_NO || !follows_from_features(j, d, be, w.condition))
			all = move_both(all, w.answer);
	return all;
}

static enum abibase_tri source_has(const struct judging *j, const struct guest_device *d,
				   const struct requirement *q)
{
	enum abibase_tri has = q->stated_by ? guest_states(d, q->stated_by) : ABIBASE_UNKNOWN;

	return has == ABIBASE_UNKNOWN ? source_meets(j, d, q) : has;
}

/* QEMU asks a tap without a vnet header for no offload: virtio_net_get_features(). */
static bool is_moot(const struct judging *j, const struct guest_device *d, const struct requirement *q)
{
	return q->prerequisite && source_has(j, d, q->prerequisite) == ABIBASE_NO;
}

/* QEMU loads no stream that has what the backend there has not; the other way is harmless. */
static void judge_requirement(struct judging *j, const struct guest_device *d,
			      const struct requirement *q)
{
	enum abibase_tri has = is_moot(j, d, q) ? ABIBASE_NO : source_has(j, d, q);
	struct predicted p = { 0 };

	predict_needs(&j->pr, &q->needs[j->pr.backend], &p);
	if (p.can == ABIBASE_YES || has == ABIBASE_NO)
		return;
	if (p.can == ABIBASE_UNKNOWN) {
		return move_unknown(j, "move-unknown", p.unknown->layer, NULL,
				    unknown_remedy(p.reason),
				    "%s: whether \"%s\" holds there is unknown: %s (%s; "
				    "requirement %s)",
				    j->p->name, q->text, p.unknown->name, p.reason, q->name);
	}
	if (has == ABIBASE_YES)
		return move_conflict(j, "requirement-differs", "backend", NULL, q->remedy,
				     "%s: \"%s\" holds where the guest runs and not there, and no "
				     "property can mask it (requirement %s)",
				     j->p->name, q->text, q->name);
	move_unknown(j, "move-unknown", "backend", NULL,
		     j->t->source ? "probe the host where the guest runs again" :
				    "say where the guest runs: --from PROFILE",
		     "%s: \"%s\" does not hold there, and whether it does where the guest runs is "
		     "unknown (requirement %s)",
		     j->p->name, q->text, q->name);
}

/* Had the device the bit where the guest runs, whether it was taken or not? */
static enum abibase_tri source_has_bit(const struct judging *j, const struct guest_device *d,
				       const struct requirement *q)
{
	struct offered o;

	if (q->masked_by >= 0 &&
	    json_is_true(json_object_get(d->properties, j->pr.cat->rows[q->masked_by].key)))
		return ABIBASE_NO;
	move_offered_there(j, d, &o);
	return !o.known			 ? source_meets(j, d, q) :
	       word_has(o.yes, q->bit)	 ? ABIBASE_YES :
	       word_has(o.maybe, q->bit) ? ABIBASE_UNKNOWN :
					   ABIBASE_NO;
}

/*
 * Not offered although the backend has it: by an option of -device, such as disable-modern, which the
 * target has too. Nor is it to be had on the target where that lacks it as well.
 */
static bool is_taken_away(const struct judging *j, const struct guest_device *d,
			  const struct requirement *q, enum abibase_tri here)
{
	return d->has_offered && !word_has(d->offered, q->bit) &&
	       (here == ABIBASE_NO || source_meets(j, d, q) == ABIBASE_YES);
}

static void say_layout_unknown(struct judging *j, const struct requirement *q,
			       enum abibase_tri here, const struct predicted *p)
{
	const char *why;

	if (here == ABIBASE_UNKNOWN)
		why = words(j, "there is unknown: %s (%s)", p->unknown->name, p->reason);
	else
		why = words(j, "where the guest runs is unknown, and there it has it%s",
			    here == ABIBASE_YES ? "" : " not");
	move_unknown(j, "move-unknown", here == ABIBASE_UNKNOWN ? p->unknown->layer : "backend",
		     NULL,
		     here == ABIBASE_UNKNOWN ? unknown_remedy(p->reason) :
					       "say where the guest runs: --from PROFILE",
		     "%s: whether a device has %s (bit %d) %s; the guest did not take it, but its "
		     "device has another PCI layout without it (requirement %s)",
		     j->p->name, q->feature, q->bit, why, q->name);
}

/* The layer whose fact decides it, on the one side or on the other. */
static const char *layer_of(const struct judging *j, const struct guest_device *d,
			    const struct requirement *q)
{
	struct ask a = { .cat = j->pr.cat };
	int be = move_source_backend(j->t, d);
	struct asked w = { 0 };

	if (ask_next_need(&a, &q->needs[j->pr.backend], &w) ||
	    (be >= 0 && ask_next_need(&a, &q->needs[be], &w)))
		return w.c->layer;
	return "backend";
}

/*
 * A bit that no property masks, and that the guest did not take: QEMU gives a device without
 * VIRTIO_F_VERSION_1 no modern interface, and the stream of the one PCI device does not fit the other.
 */
static void judge_layout(struct judging *j, const struct guest_device *d,
			 const struct requirement *q)
{
	struct predicted p = { 0 };
	enum abibase_tri there = source_has_bit(j, d, q);
	const char *layer = layer_of(j, d, q);

	predict_required(j, d, q, &p);
	if (is_taken_away(j, d, q, p.can))
		return;
	if (there == ABIBASE_NO && d->has_offered)
		there = source_meets(j, d, q);
	if (p.can == ABIBASE_UNKNOWN || there == ABIBASE_UNKNOWN)
		return say_layout_unknown(j, q, p.can, &p);
	if (p.can == there)
		return;
	move_conflict(j, "requirement-differs", layer, NULL,
		      there == ABIBASE_YES ? q->remedy
					   : "move it to a host that is in this as that where it "
					     "runs" RESTART,
		      "%s: %s: a device has %s (bit %d) %s: the guest did not take it, but its "
		      "device has another PCI layout without it (requirement %s)",
		      j->p->name, layer, q->feature, q->bit,
		      there == ABIBASE_YES ? "where the guest runs and not there"
					   : "there and not where the guest runs",
		      q->name);
}

static void judge_layouts(struct judging *j, const struct guest_device *d, const uint64_t word[2])
{
	for (size_t i = 0; i < j->pr.cat->n_requirements; i++) {
		const struct requirement *q = &j->pr.cat->requirements[i];

		/* what was taken is judged with the other features */
		if (q->bit >= 0 && q->backends & (1u << j->pr.backend) && !word_has(word, q->bit))
			judge_layout(j, d, q);
	}
}

static void judge_requirements(struct judging *j, const struct guest_device *d)
{
	for (size_t i = 0; i < j->pr.cat->n_requirements; i++) {
		const struct requirement *q = &j->pr.cat->requirements[i];

		/* a bit is judged with the others, and the backend itself before */
		if (q->bit < 0 && !q->named_only && !q->to_leave && q->needs[j->pr.backend].n)
			judge_requirement(j, d, q);
	}
}

/* QEMU lets no guest go that has a device on a vhost without this, wherever it would go. */
static void judge_leave(struct judging *j, const struct guest_device *d)
{
	struct ask a = { .cat = j->pr.cat, .p = j->t->source };
	int be = move_source_backend(j->t, d);

	for (size_t i = 0; j->t->source && be >= 0 && i < j->pr.cat->n_requirements; i++) {
		const struct requirement *q = &j->pr.cat->requirements[i];
		struct stand s;

		ask_needs(&a, &q->needs[be], &s);
		if (!q->to_leave || s.can == ABIBASE_YES)
			continue;
		if (s.can == ABIBASE_NO)
			move_conflict(j, "leave-lacks", "backend", NULL,
				      "power the guest off, and start it on another host",
				      "%s, where the guest runs: the %s layer lacks what lets a "
				      "guest leave its host: %s (requirement %s)",
				      a.p->name, s.no.c->layer, s.no.c->missing, q->name);
		else
			move_unknown(j, "leave-unknown", "backend", NULL,
				     unknown_remedy(s.unknown.reason),
				     "%s, where the guest runs: whether \"%s\" holds is unknown: %s "
				     "(%s) (requirement %s)",
				     a.p->name, q->text, s.unknown.c->name, s.unknown.reason,
				     q->name);
	}
}

/* ------------------------------------------------------------------------ sizes */

/* What was observed of this QEMU under this machine type, on this backend or else another. */
static const json_t *shape_here(const struct judging *j, const char *member)
{
	const json_t *shapes = json_object_get(json_object_get(j->entry, "shape"),
					       j->pr.view.machine);
	const json_t *own = json_object_get(
		json_object_get(shapes, j->pr.cat->backends[j->pr.backend].name), member);
	const char *backend;
	json_t *v;

	if (own)
		return own;
	json_object_foreach((json_t *)shapes, backend, v)
		if (json_object_get(v, member))
			return json_object_get(v, member);
	return NULL;
}

static const json_t *recorded_sizes(const struct judging *j, const struct shape *s)
{
	return shape_here(j, s->recorded);
}

static int64_t largest(const json_t *sizes)
{
	int64_t most = -1;
	json_t *v;
	size_t i;

	json_array_foreach(sizes, i, v)
		if (json_integer_value(v) > most)
			most = json_integer_value(v);
	return most;
}

/* The QEMU of the guest by version; false: not known. */
bool move_source_version(const struct abibase_targets *t, struct version *ret)
{
	const struct profile_qemu *q = move_source_qemu(t);

	if (t->guest->qemu)
		return version_parse_prefix(t->guest->qemu, ret);
	return q && version_parse_prefix(q->version, ret);
}

/* What the QEMU where the guest runs makes of it when nobody says anything; -1: not known. */
int64_t move_source_size(const struct abibase_targets *t, const struct shape *s)
{
	const struct profile_qemu *q = move_source_qemu(t);
	int64_t size = q ? qemu_recorded_size(q->json, t->guest->machine, s->recorded) : -1;
	struct version v;

	if (size < 0 && move_source_version(t, &v))
		size = shape_value(s, &v);
	return size;
}

/* However many pairs a network card has, its control queue is the last. */
static bool is_control_queue(const json_t *sizes, size_t queue)
{
	size_t n = json_array_size(sizes);

	return n > 2 && n % 2 && queue == n - 1;
}

/* The queue of a record that stands for @queue of the guest's, which can have other pairs. */
static size_t recorded_queue(const json_t *sizes, const json_t *guest, size_t queue)
{
	size_t n = json_array_size(sizes);

	if (!is_control_queue(guest, queue))
		return queue % 2;
	return n && is_control_queue(sizes, n - 1) ? n - 1 : n;
}

int64_t move_target_size(const struct judging *j, const struct shape *s, const json_t *guest,
			 size_t queue)
{
	const json_t *sizes = recorded_sizes(j, s);
	size_t own = recorded_queue(sizes, guest, queue);

	/* what is recorded are the queues of a network card; of others only the longest tells */
	if (sizes && own < json_array_size(sizes) &&
	    !j->pr.cat->backends[j->pr.backend].device)
		return json_integer_value(json_array_get(sizes, own));
	if (j->assumed)
		return shape_least(s);
	return sizes ? largest(sizes) : shape_value(s, &j->pr.view.version);
}

/*
 * Receive queues are those with an option of -device that takes more than a QEMU makes by itself:
 * rx_queue_size. tx_queue_size does not on any of the backends here, and the control queue has none.
 */
static bool is_receive_queue(const struct guest_device *d, size_t queue)
{
	return queue % 2 == 0 && !is_control_queue(d->queue_sizes, queue);
}

/* Every device has three queues at least, and a network card a control queue behind its pairs. */
static bool has_all_sizes(const struct guest_device *d)
{
	size_t n = json_array_size(d->queue_sizes);

	return n > 2 && (n % 2 || !streq(d->class_name, NET_DEVICE));
}

/* Is every queue that is larger than its QEMU makes it one that an option made so? */
static bool is_by_options(const struct guest_device *d, int64_t by_default)
{
	json_t *v;
	size_t i;

	json_array_foreach(d->queue_sizes, i, v)
		if (json_integer_value(v) > by_default && !is_receive_queue(d, i) &&
		    streq(d->class_name, NET_DEVICE))
			return false;
	return true;
}

/* The first queue that does not fit, or -1; @ret: its size, and what there is for it. */
static long first_too_large(const struct judging *j, const struct shape *s,
			    const struct guest_device *d, int64_t ret[2])
{
	int64_t by_default = move_source_size(j->t, s);
	bool by_options = by_default >= 0 && is_by_options(d, by_default);
	json_t *v;
	size_t i;

	json_array_foreach(d->queue_sizes, i, v) {
		ret[0] = json_integer_value(v);
		ret[1] = move_target_size(j, s, d->queue_sizes, i);
		/* an option of -device the target has too; else the build is not what its version says */
		if (by_options && ret[0] > by_default)
			continue;
		if (ret[0] > ret[1])
			return (long)i;
	}
	if (has_all_sizes(d))
		return -1;
	/* those that are not stated are as its QEMU makes them */
	ret[0] = by_default;
	ret[1] = move_target_size(j, s, NULL, 0);
	return ret[0] < 0 || ret[0] > ret[1] ? (long)json_array_size(d->queue_sizes) : -1;
}

/* It fits, as far as versions tell; an update can change such a size. */
static void note_by_version(struct judging *j, const struct guest_device *d, const struct shape *s)
{
	const struct profile_qemu *q = move_source_qemu(j->t);
	bool there = has_all_sizes(d) ||
		     (q && qemu_recorded_size(q->json, j->t->guest->machine, s->recorded) >= 0);
	bool here = j->assumed || recorded_sizes(j, s);

	if (there && here)
		return;
	move_note(j, "shape-by-version", "QEMU", NULL, "abibase probe records them",
		  "%s: %s checks the %s, and %s taken from the version of QEMU (%s)", j->p->name,
		  move_qemu(j), s->text,
		  there ? "its own are" :
		  here	? "the guest's are" :
			  "the guest's and its own are",
		  s->name);
}

/* Is it about queues alone that rx_queue_size of -device makes as large? */
static bool is_by_receive_queues(const struct judging *j, const struct shape *s,
				 const struct guest_device *d, long queue)
{
	json_t *v;
	size_t i;

	json_array_foreach(d->queue_sizes, i, v)
		if (json_integer_value(v) > move_target_size(j, s, d->queue_sizes, i) &&
		    !is_receive_queue(d, i))
			return false;
	return queue < (long)json_array_size(d->queue_sizes) && streq(d->class_name, NET_DEVICE);
}

static void say_shape_differs(struct judging *j, const struct guest_device *d,
			      const struct shape *s, long queue, const int64_t size[2])
{
	const char *remedy = "install a QEMU there that makes its queues as the guest's does" RESTART;
	const struct row *row = catalogue_sizes(j->pr.cat, QUEUES_RECEIVE);
	const char *is = words(j, "%s: %s checks the %s: the %lld of the guest's queue %ld are more "
				  "than the %lld it has", j->p->name, move_qemu(j), s->text,
			       (long long)size[0], queue, (long long)size[1]);

	if (!row || !is_by_receive_queues(j, s, d, queue))
		return move_conflict(j, "shape-differs", "QEMU", NULL, remedy,
				     "%s, and no property can equalise them (%s)", is, s->name);
	is = words(j, "%s, and only %s on -device can equalise them (%s)", is, row->property,
		   s->name);
	remedy = words(j, "start the target with %s=%lld on that -device; or %s", row->property,
		       (long long)size[0], remedy);
	if (move_source_size(j->t, s) >= 0)
		return move_conflict(j, "shape-differs", "QEMU", NULL, remedy, "%s", is);
	/* the target has the options of the guest, whose QEMU may have made so large a queue by itself */
	move_unknown(j, "shape-unknown", "QEMU", NULL, remedy,
		     "%s; whether the guest's has it is not known", is);
}

static void judge_shape(struct judging *j, const struct guest_device *d, const struct shape *s)
{
	int64_t size[2];
	long queue;

	if (!j->assumed && version_cmp(&j->pr.view.version, &s->checked_since) < 0)
		return;
	queue = first_too_large(j, s, d, size);
	if (queue < 0)
		return note_by_version(j, d, s);
	if (size[0] >= 0 && size[1] >= 0 && !j->assumed)
		return say_shape_differs(j, d, s, queue, size);
	move_unknown(j, "shape-unknown", "QEMU", NULL,
		     size[0] < 0 ? "say what the guest has, with --queue-size, or in which QEMU it "
				   "runs, with --from PROFILE" :
				   "probe this host again: abibase probe records it",
		     "%s: %s%s the %s, and %s is not known (%s)", j->p->name, move_qemu(j),
		     j->assumed ? ", which is assumed, may check" : " checks", s->text,
		     size[0] < 0 ? "what the guest has" : "what it would have itself", s->name);
}

/* ------------------------------------------------- what else the machine type decides */

static const char *shown_with(const struct judging *j, const struct row *row)
{
	const struct row *other;

	if (!row->shown_with)
		return "";
	other = catalogue_find(j->pr.cat, row->class_name, row->shown_with);
	return words(j, "; a device shows it with %s%s alone", row->shown_with,
		     other && !other->boolean ? "" : "=on");
}

static void say_value_differs(struct judging *j, const struct row *row, const json_t *there,
			      const json_t *here, enum abibase_tri knows)
{
	const char *value = value_words(move_arena(j), there);
	struct finding f = { .kind = ABIBASE_FINDING_CONFLICT, .id = "move-value-differs",
			     .layer = "machine type", .feature = row->feature,
			     .property = row->key, .bit = -1 };

	f.by_list = !json_is_null(there) && knows == ABIBASE_YES;
	if (!f.by_list && row->shown_with)
		f.kind = ABIBASE_FINDING_UNKNOWN;
	f.remedy = f.by_list	   ? SET_VALUE :
		   row->shown_with ? "look whether the guest's -device has that on; if it has, move to a "
				     "QEMU that has the machine type as the guest does" :
				     "move to a QEMU that has the machine type as the guest does";
	if (f.by_list)
		move_list_value(j, &j->m->rescue, row, value);
	hostcheck_say(j->m->check, f,
		      "%s: %s has another %s (%s) under %s: %s, and where the guest runs it is %s%s",
		      j->p->name, move_qemu(j), row->key, row->feature, j->pr.view.machine,
		      value_words(move_arena(j), here), value, shown_with(j, row));
}

/* -------------------------------------------- sizes that come of files of the two hosts */

/* What a list sets it to; -1: nothing does. */
static int64_t listed_number(const struct strings *list, const struct row *row)
{
	const char *value;

	for (size_t i = 0; i < list->n; i++)
		if (setting_is(list->s[i], row, &value))
			return strtoll(value, NULL, 10);
	return -1;
}

/*
 * What the guest has: what it says itself; else what the list of its baseline sets, which it was
 * started with; else what its host's file makes. 0: nothing of the kind; -1: not known.
 */
static int64_t observed_there(const struct abibase_targets *t, const struct guest_device *d,
			      const struct row *row)
{
	const struct value *v = move_listed(t, row);
	json_auto_t *own = move_source_value(t, row);

	if (d->rom_size >= 0)
		return d->rom_size;
	if (t->baseline && baseline_leaves_out(t->baseline, row))
		return 0;
	return v ? v->number : own ? json_integer_value(own) : -1;
}

static void say_size_differs(struct judging *j, const struct row *row, int64_t there, int64_t here,
			     bool by_list)
{
	struct finding f = { .kind = ABIBASE_FINDING_CONFLICT, .id = "move-value-differs",
			     .layer = "QEMU", .feature = row->feature, .property = row->key,
			     .bit = -1, .by_list = by_list,
			     .remedy = by_list ? SET_VALUE :
						 "give the target the file of the host where the guest "
						 "runs, with romfile= of -device" RESTART };

	if (by_list)
		move_list_value(j, &j->m->rescue, row, words(j, "%lld", (long long)there));
	hostcheck_say(j->m->check, f, "%s: %s makes another %s (%s): %lld, and the guest has %lld",
		      j->p->name, move_qemu(j), row->key, row->feature, (long long)here,
		      (long long)there);
}

/* No property sets it there, so it is what the file makes it, and of that nothing is recorded. */
static void say_size_unknown(struct judging *j, const struct row *row, int64_t there)
{
	move_unknown(j, "size-unknown", "QEMU", row, "probe this host again",
		     "%s: %s does not have the property %s (%s), and what its guests see is not "
		     "recorded; the guest has %lld",
		     j->p->name, move_qemu(j), row->key, row->feature, (long long)there);
}

/* The property would set it, and no list does. */
static void note_size_not_recorded(struct judging *j, const struct row *row, int64_t there)
{
	move_note(j, "size-not-recorded", "QEMU", row, "probe this host again",
		  "%s: %s (%s) not recorded of %s, so not compared; the guest has %lld",
		  j->p->name, row->key, row->feature, move_qemu(j), (long long)there);
}

/* No property sets it where the guest runs, and of what its file made it nothing is recorded. */
static bool is_untold_there(const struct judging *j, const struct row *row)
{
	const struct profile_qemu *q = move_source_qemu(j->t);
	struct qemu_view view;
	struct effective e;

	if (!q)
		return false;
	qemu_view_init(&view, j->t->cat, q->json, j->t->guest->machine);
	qemu_effective(&view, row, &e);
	return e.known == ABIBASE_NO && !e.value;
}

static void say_untold(struct judging *j, const struct row *row, int64_t here)
{
	move_unknown(j, "size-unknown", "QEMU", row,
		     "probe the host where the guest runs again, or ask the guest: qmp:SOCKET",
		     "%s: %s (%s) is %lld of %s, and the QEMU where the guest runs does not have the "
		     "property, and is not recorded",
		     j->p->name, row->key, row->feature, (long long)here, move_qemu(j));
}

/* Only what is known of both is compared. */
static void judge_observed(struct judging *j, const struct guest_device *d, const struct row *row)
{
	int64_t there = observed_there(j->t, d, row), here, set = listed_number(&j->base, row);
	struct effective e;
	bool can;

	qemu_effective(&j->pr.view, row, &e);
	here = e.value ? json_integer_value(e.value) : -1;
	if (there > 0 && here < 0 && e.known == ABIBASE_NO)
		return say_size_unknown(j, row, there);
	if (there > 0 && here < 0 && set != there)
		note_size_not_recorded(j, row, there);
	if (there < 0 && here >= 0 && is_untold_there(j, row))
		return say_untold(j, row, here);
	if (there <= 0 || here < 0)
		return;
	/* a file that is larger than the property stops a start, and an incoming guest brings its own */
	can = e.known == ABIBASE_YES &&
	      (here <= there || (!version_is_zero(&row->incoming_since) &&
				 version_cmp(&j->pr.view.version, &row->incoming_since) >= 0));
	if ((set < 0 && here == there) || (set == there && can))
		return;
	say_size_differs(j, row, there, here, can);
}

const struct profile_qemu *move_own_qemu(const struct judging *j)
{
	for (size_t i = 0; i < j->p->n_qemu; i++)
		if (j->p->qemu[i].json == j->entry)
			return &j->p->qemu[i];
	return NULL;
}

/* What nobody recorded of the one is as in the other: told as where a baseline is made. */
static bool is_same_build(const struct judging *j)
{
	const struct profile_qemu *there = move_source_qemu(j->t), *here = move_own_qemu(j);
	struct version v, w;

	if (!there || !here)
		return false;
	if (j->pr.view.name.upstream)
		return version_parse_prefix(there->version, &v) &&
		       version_parse_prefix(here->version, &w) && !version_cmp(&v, &w);
	return streq(there->digest, here->digest) &&
	       (qemu_is_told_apart(here->json, j->pr.view.machine) ||
		streq(j->t->source->digest, j->p->digest));
}

/* A vendor's machine type of which nothing at all was recorded. */
static void judge_vendor_machine(struct judging *j)
{
	if (!j->entry || j->pr.view.name.upstream || j->pr.view.values || is_same_build(j))
		return;
	move_unknown(j, "vendor-machine-unknown", "machine type", NULL,
		     "record the values of that machine type in the profile",
		     "%s: what %s makes of %s, which is not an upstream machine type, is not recorded",
		     j->p->name, move_qemu(j), j->pr.view.machine);
}

/* What is decided when a device is made is not recorded of old QEMUs, and no list sets it. */
static void judge_value(struct judging *j, const struct guest_device *d, const struct row *row)
{
	const json_t *here, *own = json_object_get(d->properties, row->key);
	json_auto_t *there = move_source_value(j->t, row);
	struct effective e;

	if (row->observed)
		return judge_observed(j, d, row);
	qemu_effective(&j->pr.view, row, &e);
	here = effective_seen(&e, row);
	if (own && (!there || json_equal(own, there) || e.known != ABIBASE_YES)) {
		json_decref(there);
		there = json_incref((json_t *)own);
	} else if (own) {
		return; /* an option of -device, which the target has too */
	}
	if (!there)
		there = move_value_by_version(j->t, row);
	if (row->bit_when == BIT_ALWAYS || (!there && !here && is_same_build(j)))
		return;
	if (there && here)
		return json_equal(there, here) ? (void)0 :
						 say_value_differs(j, row, there, here, e.known);
	if (!own && !move_source_qemu(j->t) &&
	    (!j->t->baseline || !there == !here || (!row->boolean && !row->number)))
		return;
	if (!there && !here && e.known != ABIBASE_YES)
		return; /* nobody looked at the layout, here or there */
	say_value_half_known(j, row, !here);
}

/*
 * Two builds of one machine type: what stands for no feature and has another value would show the
 * guest another device, or not let it in. What the list of a baseline sets is the same.
 */
static void judge_values(struct judging *j, const struct guest_device *d)
{
	for (size_t i = 0; i < j->pr.cat->n_rows; i++) {
		const struct row *row = &j->pr.cat->rows[i];

		if (!row_is_silent(row) || !(row->backends & (1u << j->pr.backend)) ||
		    (move_is_listed(&j->base, row) && !row->observed) ||
		    move_is_listed(&j->m->rescue, row))
			continue;
		judge_value(j, d, row);
	}
}

/* The same name is a property of another class of the device: its own, or of one above that. */
static const struct row *of_another_class(const struct judging *j, const char *key)
{
	const char *property = strchr(key, '.') + 1;

	for (size_t i = 0; i < j->pr.cat->n_rows; i++) {
		const struct row *row = &j->pr.cat->rows[i];

		if (row->backends & (1u << j->pr.backend) && streq(row->property, property))
			return row;
	}
	return NULL;
}

/* What a guest says of its device and the catalogue does not know could be anything. */
static void judge_unknown_properties(struct judging *j, const struct guest_device *d)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)d->properties, key, v) {
		int r = catalogue_row(j->pr.cat, key);
		const struct row *other;

		if (r >= 0 && j->pr.cat->rows[r].backends & (1u << j->pr.backend))
			continue;
		other = of_another_class(j, key);
		move_unknown(j, "guest-unknown", "guest", NULL,
			     other ? words(j, "call it %s in the document of the guest", other->key) :
				     "leave it out of the document of the guest where it is the "
				     "same on the target, or changes nothing that a guest sees",
			     "the guest's %s is not compared: the catalogue has no such property "
			     "of a %s", key, d->class_name);
	}
}

/* A build can have another layout than its version tells. */
static void note_layout_by_version(struct judging *j)
{
	move_note(j, "layout-by-version", "guest", NULL,
		  "say where the guest runs, with --from PROFILE",
		  "the layout of the guest's PCI device is taken from the version of its QEMU, %s, "
		  "under %s (evidence: catalogue)",
		  j->t->guest->qemu, j->t->guest->machine);
}

/* With nothing to hold them against they pass unseen: that is said. */
static void note_not_compared(struct judging *j, const struct guest_device *d)
{
	bool layout = false, size = false, version = false;

	for (size_t i = 0; !j->t->source && !j->t->baseline && i < j->pr.cat->n_rows; i++) {
		const struct row *row = &j->pr.cat->rows[i];
		json_auto_t *there = move_value_by_version(j->t, row);
		struct effective e;

		if (!row_is_silent(row) || !(row->backends & (1u << j->pr.backend)))
			continue;
		qemu_effective(&j->pr.view, row, &e);
		if (row->observed)
			size |= d->rom_size < 0;
		else if (!json_object_get(d->properties, row->key) && there &&
			 effective_seen(&e, row))
			version = true;
		else
			layout |= !json_object_get(d->properties, row->key);
	}
	if (version)
		note_layout_by_version(j);
	if (!layout && !size)
		return;
	move_note(j, "layout-not-recorded", "guest", NULL,
		  "say where the guest runs, with --from PROFILE, or with which list it was "
		  "started, "
		  "with --baseline",
		  "not known of the guest, so not compared: %s%s%s",
		  layout ? "the layout of its PCI device" : "", layout && size ? ", " : "",
		  size ? "the size of its option ROM" : "");
}

static void judge_shapes(struct judging *j, const struct guest_device *d)
{
	for (size_t i = 0; i < j->pr.cat->n_shapes; i++)
		judge_shape(j, d, &j->pr.cat->shapes[i]);
}

/*
 * The stream does not say how large the configuration is, but it has the address of the BAR of the
 * legacy interface, which is as large as that takes: virtio 1.3, 4.1.4.10; 24 bytes come before it.
 */
static int64_t legacy_bar(int64_t config_size)
{
	int64_t size = 1;

	while (size < 24 + config_size)
		size *= 2;
	return size;
}

/* A guest's larger configuration is one that was asked for with -device, here as there. */
static void judge_config(struct judging *j, const struct guest_device *d)
{
	const json_t *size = shape_here(j, "config_size");
	int64_t here = json_integer_value(size);

	if (!size || d->config_size < 0 || here <= d->config_size ||
	    legacy_bar(here) == legacy_bar(d->config_size))
		return;
	move_unknown(j, "config-size-differs", "QEMU", NULL,
		     "a device without that interface (" DISABLE_LEGACY "=on) does not have this "
									"BAR",
		     "%s: the device there has a configuration of %lld bytes, and the guest's has "
		     "%lld: the BAR of its legacy interface has %lld bytes instead of %lld, and "
		     "whether the stream fits depends on where the guest has put it",
		     j->p->name, (long long)here, (long long)d->config_size,
		     (long long)legacy_bar(here), (long long)legacy_bar(d->config_size));
}

/* ------------------------------------------------------------------- values and limits */

/*
 * What the guest was told: what it states itself, what its list sets, or at most what the host has
 * where it runs; NUMBER_UNSTATED: nobody says.
 */
static int64_t told(const struct judging *j, const struct guest_device *d, const struct row *row)
{
	const struct value *v = move_listed(j->t, row);
	int64_t limit;

	if (d->mtu >= 0) /* of the values that have a limit a guest document has one, the MTU */
		return d->mtu;
	if (v && v->is_number && v->on)
		return v->number;
	/* 0 stands for "tell guests none", and the guest was told one all the same */
	limit = j->t->source ? profile_number(j->t->source, row->limit) : NUMBER_UNSTATED;
	return limit > 0 ? limit : NUMBER_UNSTATED;
}

static void say_limit_unknown(struct judging *j, const struct row *row, int64_t value)
{
	move_unknown(j, "move-limit", "network", row, "state the fact in the profile of that host",
		     "%s: whether %lld, which the guest was told (%s), is possible there is not "
		     "stated (%s)",
		     j->p->name, (long long)value, row->key, row->limit);
}

static void say_told_unknown(struct judging *j, const struct row *row)
{
	move_unknown(j, "move-limit", "network", row,
		     j->t->source ? "state it in a document of the guest, or in the profile of the "
				    "host "
				    "where the guest runs"
				  : "state it in a document of the guest, or say where the guest "
				    "runs: "
				    "--from PROFILE",
		     "%s: the guest took %s, and the number that it was told (%s) is not known: "
		     "the "
		     "network there must carry as much",
		     j->p->name, row->feature, row->key);
}

/*
 * QEMU loads the stream of a guest that was told more than there is, and nobody hears of it until
 * its packets are lost.
 */
static void judge_limit(struct judging *j, const struct row *row, int64_t value)
{
	bool known = value != NUMBER_UNSTATED;
	int64_t limit = profile_number(j->p, row->limit);
	enum abibase_tri can = ask_limit(limit, known ? value : GUEST_MTU_MAX);

	if (can == ABIBASE_YES)
		return;
	if (!known)
		return say_told_unknown(j, row);
	if (can == ABIBASE_UNKNOWN)
		return say_limit_unknown(j, row, value);
	move_conflict(j, "move-limit", "network", row, "raise it on that host" RESTART,
		      "%s: the guest was told %lld (%s), and there it is %lld (%s): QEMU takes the "
		      "guest all the same, and what it sends is lost",
		      j->p->name, (long long)value, row->key, (long long)limit, row->limit);
}

/* A driver that did not take the feature has not read the number. */
static bool took_number(const struct guest_device *d, const struct row *row)
{
	return d->has_negotiated ? word_has(d->negotiated, row->bit) : d->mtu >= 0;
}

static void judge_limits(struct judging *j, const struct guest_device *d)
{
	for (size_t i = 0; i < j->pr.cat->n_rows; i++) {
		const struct row *row = &j->pr.cat->rows[i];

		if (row->limit && move_row_is_of(row, d) && took_number(d, row))
			judge_limit(j, row, told(j, d, row));
	}
}

/* ----------------------------------------------------------------------- one device */

void move_judge_usable(struct judging *j)
{
	struct ask a = predictor_ask(&j->pr);

	j->absent = NULL;
	for (struct asked w = { 0 }; ask_next_usable(&a, j->pr.backend, &w);) {
		if (w.answer == ABIBASE_NO) {
			j->absent = w.c->layer;
			move_conflict(j, "backend-absent", "backend", NULL, w.c->remedy,
				      "%s: the guest's device is on %s, and %s", j->p->name,
				      j->pr.cat->backends[j->pr.backend].name, w.c->missing);
		} else if (w.answer == ABIBASE_UNKNOWN) {
			move_unknown(j, "backend-unknown", "backend", NULL,
				     unknown_remedy(w.reason),
				     "%s: whether %s is usable there is unknown (%s)", j->p->name,
				     w.c->layer, w.reason);
		}
	}
}

static void ask_word(struct judging *j)
{
	move_unknown(j, "guest-unknown", "guest", NULL,
		     "give its feature word, the guest mask of a log line of QEMU, or its QMP socket "
		     "as GUEST; or what it was offered, with --from PROFILE or --baseline",
		     "what the guest negotiated is not known, and neither is what it was offered");
}

static void say_worst_case(struct judging *j)
{
	move_note(j, "guest-worst-case", "guest", NULL,
		  "give its feature word, or its QMP socket, as GUEST",
		  "what the guest negotiated is not known: this is for one that took all it was "
		  "offered, and its feature word can only make it better");
}

/* The word that the target must offer: what was taken, or all that may have been. Is it known? */
static bool word_of(struct judging *j, const struct guest_device *d, uint64_t ret[2])
{
	struct offered source;

	memcpy(ret, d->negotiated, sizeof(d->negotiated));
	if (d->has_negotiated)
		return true;
	move_offered_there(j, d, &source);
	memcpy(ret, source.maybe, sizeof(source.maybe));
	(source.known ? say_worst_case : ask_word)(j);
	return source.known;
}

/* On, as far as is known, and not to be had: that QEMU ends before the guest is there. */
static void say_no_start(struct judging *j, const struct row *row, const struct predicted *p)
{
	struct finding f = { .kind = ABIBASE_FINDING_CONFLICT, .id = "qemu-would-not-start",
			     .layer = p->by_setting ? "baseline" : "machine type",
			     .remedy = "start the target there with the -global option that turns it "
				       "off",
			     .property = row->key, .feature = row->feature, .bit = row->bit,
			     .by_list = !p->by_setting && p->knows == ABIBASE_YES };

	if (!f.by_list && !p->by_setting)
		f.kind = ABIBASE_FINDING_UNKNOWN;
	if (f.by_list)
		move_list_row(j, &j->m->rescue, row, false);
	hostcheck_say(j->m->check, f,
		      "%s: %s %s %s on under %s, with which it does not start%s", j->p->name,
		      move_qemu(j), p->on == ABIBASE_YES ? "has" : "may have", row->key,
		      j->pr.view.machine,
		      p->can == ABIBASE_NO ? ", for this host lacks what that needs" :
					     " where a host lacks what that needs; whether this host "
					     "does is unknown");
}

/* What the guest took is judged as such. */
static void judge_start(struct judging *j, const struct guest_device *d, const uint64_t word[2])
{
	for (size_t i = 0; i < j->pr.cat->n_rows; i++) {
		const struct row *row = &j->pr.cat->rows[i];
		struct predicted p;

		if (!row->fatal || !move_row_is_of(row, d) || word_has(word, row->bit))
			continue;
		predict_row(&j->pr, row, &p);
		if (p.fatal)
			say_no_start(j, row, &p);
	}
}

static void judge_features(struct judging *j, const struct guest_device *d)
{
	uint64_t word[2];

	if (!word_of(j, d, word))
		return;
	for (int bit = 0; bit < 128; bit++)
		if (word_has(word, bit))
			judge_bit(j, d, bit, word);
	judge_layouts(j, d, word);
	judge_start(j, d, word);
}

static void say_no_backend(struct judging *j, const char *name)
{
	move_unknown(j, name ? "backend-unknown" : "guest-unknown", "guest", NULL,
		     "say what the device lies on, with --backend",
		     name ? "a device on %s cannot be judged: it is no backend of the catalogue" :
			    "the backend of the guest's device is not known", name);
}

/*
 * A device that libvirt gives vhost only where there is one has on the target what that host has.
 * What nobody knows is said, and the device is not judged.
 */
static bool choose_vhost(struct judging *j, const struct guest_device *d, int be)
{
	struct ask a = predictor_ask(&j->pr);
	unsigned int mask = 1u << be;

	if (!j->t->backend)
		mask = ask_lies_on(&a, (size_t)be,
				   guest_states(d, GUEST_VHOST_OPTIONAL) == ABIBASE_YES);
	for (size_t i = 0; i < j->pr.cat->n_backends; i++) {
		if (!(mask & (1u << i)))
			continue;
		j->pr.backend = i;
		if (mask & (mask - 1))
			move_judge_usable(j);
	}
	return !(mask & (mask - 1));
}

/* Point the predictor at the backend that the device gets on the target. Can it be judged? */
bool move_prepare_device(struct judging *j, const struct guest_device *d)
{
	const char *name = j->t->backend ? j->t->backend : d->backend;
	int be = move_choose_backend(j->pr.cat, d, name);

	if (!move_backends_of(j->pr.cat, d)) {
		move_unknown(j, "guest-unknown", "guest", NULL,
			     "compare what the two hosts have: abibase diff",
			     "a %s cannot be judged: it is no class of the catalogue",
			     d->class_name);
		return false;
	}
	if (be < 0)
		say_no_backend(j, name);
	return be >= 0 && choose_vhost(j, d, be);
}

void move_judge_device(struct judging *j, const struct guest_device *d)
{
	if (!move_prepare_device(j, d))
		return;
	move_judge_usable(j);
	judge_leave(j, d);
	judge_features(j, d);
	judge_requirements(j, d);
	judge_unknown_properties(j, d);
	judge_vendor_machine(j);
	judge_values(j, d);
	note_not_compared(j, d);
	judge_shapes(j, d);
	judge_config(j, d);
	judge_limits(j, d);
}

/* ---------------------------------------------------------- what is decided together */

/* One probe of QEMU decides them all, so a guest that has one of them was offered the others. */
void move_complete_groups(struct judging *j)
{
	const struct abibase_catalogue *cat = j->pr.cat;

	for (size_t i = 0; i < cat->n_rows; i++) {
		const struct row *row = &cat->rows[i];
		struct predicted p;
		bool with = false;

		if (row->group < 0 || !cat->groups[row->group].together ||
		    move_is_listed(&j->m->rescue, row))
			continue;
		for (size_t k = 0; k < cat->n_rows; k++)
			with |= cat->rows[k].group == row->group &&
				move_is_listed(&j->m->rescue, &cat->rows[k]);
		if (!with)
			continue;
		predict_row(&j->pr, row, &p);
		if (p.on != ABIBASE_YES && p.can == ABIBASE_YES &&
		    move_is_switch(row, &p))
			move_list_row(j, &j->m->rescue, row, true);
	}
}
