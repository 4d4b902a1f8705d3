/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live/verify.h"
#include "document/page.h"
#include "document/result.h"

#include <errno.h>

#include "base/context.h"
#include "document/build.h"
#include "model/ask.h"
#include "answer/show.h"

/*
 * Is a guest really offered what a baseline promises? A throw-away QEMU is started of the command
 * line (throwaway.c) and its devices are read (qtest.c). A bit that differs has one of these causes,
 * looked for in this order:
 *
 *   offered:      an option turns it on           the command line
 *                 no option turns it off          the command line: it lacks the list
 *                 it is off all the same          QEMU
 *   not offered:  an option turns it off          the command line
 *                 the QEMU does not know it       QEMU
 *                 no option turns it on           the command line: it lacks the list
 *                 a fact that it needs is no      that of the fact: tap, vhost-net
 *                 nothing is missing              QEMU
 *
 * A bit that no host and no QEMU decides, but an option of the command line alone (mq, mac), is the
 * same on every host that is given this command line: it is told and decides nothing.
 */

#define TIMEOUT_MS 20000
#define LAYER_QEMU "QEMU"

struct abibase_verify {
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	struct abibase_baseline *b;
	struct abibase_profile *p;
	char *qemu;
	struct strings argv; /* none, without a NULL: the baseline's own */
	int timeout_ms;
};

struct verifying {
	const struct abibase_verify *v;
	struct verification *out;
	struct throwaway t;
	struct qemu_view view; /* of what the profile says of this QEMU */
	bool have_view;
	struct links links; /* of the baseline */
	bool no_roms; /* the file is not to be found: they are left out */
};

/* ------------------------------------------------------------------------ request */

ABIBASE_EXPORT int abibase_verify_new(struct abibase_context *ctx, struct abibase_catalogue *cat,
				      struct abibase_baseline *b, struct abibase_verify **ret)
{
	struct abibase_verify *v;

	if (b->verdict != ABIBASE_VERDICT_YES)
		return baseline_refuse(ctx, b);
	v = calloc(1, sizeof(*v));
	if (!v)
		return context_oom(ctx);
	v->ctx = abibase_context_ref(ctx);
	v->cat = abibase_catalogue_ref(cat);
	v->b = abibase_baseline_ref(b);
	v->timeout_ms = TIMEOUT_MS;
	*ret = v;
	return 0;
}

ABIBASE_EXPORT struct abibase_verify *abibase_verify_unref(struct abibase_verify *v)
{
	if (!v)
		return NULL;
	abibase_profile_unref(v->p);
	abibase_baseline_unref(v->b);
	abibase_catalogue_unref(v->cat);
	abibase_context_unref(v->ctx);
	strings_clear(&v->argv);
	free(v->qemu);
	free(v);
	return NULL;
}

ABIBASE_EXPORT int abibase_verify_set_qemu(struct abibase_verify *v, const char *path)
{
	return context_replace(v->ctx, &v->qemu, path);
}

ABIBASE_EXPORT int abibase_verify_set_command(struct abibase_verify *v, const char *const *argv)
{
	return strings_set(&v->argv, argv) < 0 ? context_oom(v->ctx) : 0;
}

ABIBASE_EXPORT void abibase_verify_set_profile(struct abibase_verify *v, struct abibase_profile *p)
{
	abibase_profile_ref(p);
	abibase_profile_unref(v->p);
	v->p = p;
}

void verify_set_timeout(struct abibase_verify *v, int timeout_ms)
{
	v->timeout_ms = timeout_ms;
}

/* ----------------------------------------------------------------------- findings */

#define keep(k, ...) show_keep(&(k)->out->arena, __VA_ARGS__)

/* For what is kept of the command line's own words. */
static const char *keep_text(struct verifying *k, const char *s)
{
	return s ? keep(k, "%s", s) : NULL;
}

static const char *device_called(const struct verifying *k, size_t device)
{
	return device == NO_DEVICE ? NULL : k->out->devices[device].name;
}

/* A finding that is not about one feature. */
static _printf_(7, 8) void say(struct verifying *k, enum abibase_finding_kind kind, size_t device,
			       const char *id, const char *layer, const char *remedy,
			       const char *fmt, ...)
{
	_buf_ text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_puts(&text, show_vkeep(&k->out->arena, fmt, ap));
	va_end(ap);
	finding_add(&k->out->findings,
		    (struct finding){ .kind = kind, .device = device_called(k, device), .bit = -1,
				      .id = id, .layer = layer, .remedy = keep_text(k, remedy) },
		    &text);
}

/* A device under judgement; and one bit that differs, or would if it mattered. */
struct difference {
	struct verifying *k;
	size_t device;
	const struct nic *nic;
	int backend; /* of the catalogue */
	int bit;
	bool offered;
	const struct row *row; /* NULL: no row has the bit */
	const struct requirement *q; /* the bit is a requirement's */
};

/* Something of the device, whose name is put before it. */
static _printf_(6, 7) void say_of(const struct difference *d, enum abibase_finding_kind kind,
				  const char *id, const char *layer, const char *remedy,
				  const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(d->k, kind, d->device, id, layer, remedy, "%s: %s", device_called(d->k, d->device),
	    show_vkeep(&d->k->out->arena, fmt, ap));
	va_end(ap);
}

/* What is formatted is why. */
static _printf_(4, 5) void differ(const struct difference *d, const char *layer, const char *remedy,
				  const char *fmt, ...)
{
	struct verifying *k = d->k;
	const char *feature = d->row ? d->row->feature : d->q ? d->q->feature : NULL;
	struct finding f = { .kind = ABIBASE_FINDING_CONFLICT, .bit = d->bit,
			     .device = device_called(k, d->device),
			     .layer = layer, .remedy = remedy,
			     .id = d->offered ? "verify-offered" : "verify-missing",
			     .property = d->row ? keep_text(k, d->row->key) : NULL };
	_buf_ text = { 0 };
	va_list ap;

	f.feature = keep_text(k, feature ? feature : "a feature without a name");
	va_start(ap, fmt);
	f.cause = keep(k, "%s: %s", d->offered ? "offered, and off in the baseline" :
						 "not offered, and on in the baseline",
		       show_vkeep(&k->out->arena, fmt, ap));
	va_end(ap);
	buf_printf(&text, "%s: %s (bit %d) is %s", f.device, f.feature, d->bit, f.cause);
	finding_add(&k->out->findings, f, &text);
}

/* -------------------------------------------------------------------------- causes */

static const struct value *promised(const struct verifying *k, const struct row *row)
{
	return row ? k->links.values[row - k->v->cat->rows] : NULL;
}

static const char list_remedy[] =
	"put the list of the baseline behind the arguments, as abibase exec does";
static const char build_remedy[] =
	"this build makes something else of the machine type than those of the baseline: make a "
	"new baseline with this host";
static const char own_remedy[] = "leave that out: it wins over the list of the baseline";

/* Would the bit be offered with this value of the property, if the backend agreed? */
static bool turns_on(const struct row *row, const char *value)
{
	json_auto_t *v = NULL;

	if (row->boolean)
		return word_is_bool(value, true);
	v = json_integer(strtoll(value, NULL, 0));
	return row_bit_set(row, v);
}

/* How a QEMU itself has the property; the reason is empty where that is not known. */
static struct effective own_value(const struct difference *d)
{
	struct effective e = { .known = ABIBASE_UNKNOWN };

	if (d->k->have_view && d->row)
		qemu_effective(&d->k->view, d->row, &e);
	return e;
}

static void because_offered(const struct difference *d, const struct setting_from *s)
{
	struct effective e = own_value(d);

	if (d->q && d->q->masked_by >= 0) {
		differ(d, LAYER_COMMAND, list_remedy, "no option turns it off");
	} else if (!d->row) {
		differ(d, LAYER_QEMU, build_remedy, "the catalogue does not know the bit");
	} else if (s->option && turns_on(d->row, s->value)) {
		differ(d, LAYER_COMMAND, own_remedy, "%s has %s=%s", s->option, d->row->property,
		       s->value);
	} else if (s->option || e.known == ABIBASE_NO) {
		differ(d, LAYER_QEMU, build_remedy,
		       s->option ? "the QEMU does not honour %s" :
				   "the QEMU is not known to have the property of %s",
		       s->option ? s->option : d->row->feature);
	} else if (promised(d->k, d->row)) {
		differ(d, LAYER_COMMAND, list_remedy, "no option turns its property off");
	} else {
		differ(d, LAYER_QEMU, build_remedy, "no QEMU of the baseline has its property");
	}
}

/* The host, of which only what this QEMU looks at is asked; a tap can lack the vnet header it has. */
static struct ask ask_for(const struct difference *d)
{
	const struct verifying *k = d->k;

	return (struct ask){ .cat = k->v->cat, .p = k->v->p,
			     .view = k->have_view ? &k->view : NULL,
			     .lacks = d->nic->throwaway.no_vnet_hdr ? catalogue_stated_by(k->v->cat, "vnet_hdr") : NULL };
}

static void because_masked(const struct difference *d)
{
	struct verifying *k = d->k;
	struct ask a = ask_for(d);
	const struct condition *c;
	struct stand s;

	ask_needs(&a, &(d->row ? d->row->needs : d->q->needs)[d->backend], &s);
	c = s.no.c ? s.no.c : s.unknown.c;
	if (!c)
		differ(d, LAYER_QEMU, build_remedy,
		       "nothing is missing, and the QEMU does not offer it");
	else if (s.no.c && a.lacks &&
		 ask_is_need(&a, &a.lacks->needs[d->backend], s.no.condition))
		differ(d, keep_text(k, c->layer),
		       "open the tap with IFF_VNET_HDR, and leave out vnet_hdr=off",
		       "the tap of this command line has no vnet header");
	else
		differ(d, keep_text(k, c->layer), keep_text(k, c->remedy),
		       s.no.c ? "%s" : "it is not known whether not: %s", c->missing);
}

static void because_missing(const struct difference *d, const struct setting_from *s)
{
	struct effective e = own_value(d);

	if (!d->row && !d->q) {
		differ(d, LAYER_QEMU, build_remedy, "the catalogue does not know the bit");
	} else if (s->option && !turns_on(d->row, s->value)) {
		differ(d, LAYER_COMMAND, own_remedy, "%s has %s=%s", s->option, d->row->property,
		       s->value);
	} else if (e.known == ABIBASE_NO) {
		differ(d, LAYER_QEMU, "install a QEMU that has the property",
		       "the QEMU does not have its property");
	} else if (d->row && !s->option && e.value && !row_bit_set(d->row, e.value)) {
		differ(d, LAYER_COMMAND, list_remedy, "no option turns its property on");
	} else {
		because_masked(d);
	}
}

/* --------------------------------------------------------------------- one device */

/* The row whose option is there, for two can have one bit; else the first. */
static const struct row *row_of_bit(struct verifying *k, const struct nic *nic, int backend,
				    int bit)
{
	const struct abibase_catalogue *cat = k->v->cat;
	const struct row *first = NULL;

	for (size_t r = 0; r < cat->n_rows; r++) {
		if (cat->rows[r].bit != bit || cat->rows[r].legacy ||
		    !(cat->rows[r].backends & (1u << backend)))
			continue;
		if (!first || throwaway_setting(&k->t, nic, cat->rows[r].property).option)
			first = &cat->rows[r];
	}
	return first;
}

/* Does any backend of the baseline have a say in it, under its machine type? */
static bool is_needed(const struct verifying *k, const struct row *row)
{
	struct ask a = { .cat = k->v->cat, .view = &k->view };
	const struct abibase_baseline *b = k->v->b;

	for (size_t i = 0; i < b->n_offers; i++) {
		int be = catalogue_backend(k->v->cat, b->in.backends[b->offers[i].backend]);
		struct asked w = { 0 };

		if (be >= 0 && ask_next_need(&a, &row->needs[be], &w))
			return true;
	}
	return false;
}

/*
 * Is it the command line's own, alike wherever the guest is started? What no host decides; and what
 * the command line takes from the device behind the list, since QEMU obeys an "off".
 */
static bool is_own(const struct difference *d, const struct setting_from *s)
{
	const struct value *v;

	if (!d->row)
		return false;
	v = promised(d->k, d->row);
	if (v)
		return !d->offered && s->behind_list && is_within(v, s->value);
	return !is_needed(d->k, d->row) || (!d->offered && !turns_on(d->row, s->value));
}

static void say_own(const struct difference *d, const struct setting_from *s)
{
	struct verifying *k = d->k;
	const char *more = promised(k, d->row) ?
				   keep(k, "; the baseline has it, and a guest without it can move all the "
					   "same") :
			   d->offered && d->row->limit ?
				   keep(k, "; the hosts of the baseline do not state %s, so whether "
					   "their networks carry %s is not known",
					d->row->limit, s->value) :
				   "";

	say_of(d, ABIBASE_FINDING_NOTE, "verify-own", LAYER_COMMAND, NULL,
	       "%s (bit %d) is %s by %s, which every guest of this command line has alike%s",
	       d->row->feature, d->bit, d->offered ? "on" : "off", s->option, more);
}

static void compare_bit(struct difference *d)
{
	struct verifying *k = d->k;
	const struct abibase_catalogue *cat = k->v->cat;
	struct setting_from s = { 0 };

	d->row = row_of_bit(k, d->nic, d->backend, d->bit);
	d->q = NULL;
	if (!d->row)
		d->q = catalogue_bit_required(cat, d->bit, 1u << d->backend);
	if (d->row)
		s = throwaway_setting(&k->t, d->nic, d->row->property);
	else if (d->q && d->q->masked_by >= 0)
		s = throwaway_setting(&k->t, d->nic, cat->rows[d->q->masked_by].property);
	if (d->q && s.option && word_is_bool(s.value, true))
		differ(d, LAYER_COMMAND,
		       "leave that out: a legacy device has none of the newer features",
		       "%s has %s=%s", s.option, cat->rows[d->q->masked_by].property, s.value);
	else if (s.option && is_own(d, &s))
		say_own(d, &s);
	else
		(d->offered ? because_offered : because_missing)(d, d->q ? &(struct setting_from){ 0 } :
									   &s);
}

static uint64_t legacy_bits(const struct abibase_catalogue *cat)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < cat->n_rows; i++)
		if (cat->rows[i].legacy && cat->rows[i].bit >= 0 && cat->rows[i].bit < 64)
			bits |= (uint64_t)1 << cat->rows[i].bit;
	return bits;
}

static void compare_words(struct difference *d)
{
	const struct verify_device *dev = &d->k->out->devices[d->device];

	for (d->bit = 0; d->bit < 128; d->bit++) {
		d->offered = word_has(dev->dev.offered, d->bit);
		if (d->offered != word_has(dev->want, d->bit))
			compare_bit(d);
	}
}

/* What no bit shows: whether the tap has a vnet header, and what it accepts. */
static void check_requirements(const struct difference *d)
{
	const struct abibase_baseline *b = d->k->v->b;

	for (size_t r = 0; r < b->n_requirements; r++) {
		const struct met *want = &b->requirements[r];
		const struct requirement *q = catalogue_requirement(d->k->v->cat, want->name);
		struct ask a = ask_for(d);
		struct stand s;

		if (!q || q->bit >= 0)
			continue;
		ask_needs(&a, &q->needs[d->backend], &s);
		if (s.can == ABIBASE_UNKNOWN || /* nothing was asked, or it has no answer */
		    (want->met == ABIBASE_YES) == (s.can == ABIBASE_YES))
			continue;
		say_of(d, ABIBASE_FINDING_CONFLICT, "verify-requirement",
		       s.no.c ? s.no.c->layer : "backend", q->remedy,
		       "\"%s\" %s (requirement %s), and no property can mask it", want->text,
		       s.no.c ? "does not hold" : "holds, and did not on the hosts of the baseline",
		       want->name);
	}
}

/* ------------------------------------------------------------ sizes of destinations */

/* The least that a QEMU of this host has and holds what comes in against; -1: none does. */
static int64_t host_limit(const struct verifying *k, const struct shape *s, const struct host *h)
{
	const struct inputs *in = &k->v->b->in;
	int64_t least = -1;

	for (unsigned int i = 0; i < h->n_qemu; i++) {
		const json_t *entry = in->builds[h->qemu[i].build]->entry;
		struct qemu_view view;
		int64_t size;

		qemu_view_init(&view, k->v->cat, entry, k->v->b->machine);
		if (version_cmp(&view.version, &s->checked_since) < 0 ||
		    qemu_has_machine(k->v->cat, entry, k->v->b->machine) != ABIBASE_YES)
			continue;
		size = qemu_recorded_size(entry, k->v->b->machine, s->recorded);
		if (size < 0)
			size = shape_value(s, &view.version);
		if (size >= 0 && (least < 0 || size < least))
			least = size;
	}
	return least;
}

/*
 * What a destination that has @limit by itself makes of the queue under this command line, which it is
 * given too: receive queues become as large as is said, transmit queues of a tap no larger than by
 * themselves, and of the last of an odd number, the control queue, nothing is said.
 */
static int64_t limit_of(struct verifying *k, const struct nic *nic, const struct verify_device *dev,
			unsigned int q, int64_t limit)
{
	enum row_queues queues = q % 2 ? QUEUES_TRANSMIT : QUEUES_RECEIVE;
	const struct row *row = catalogue_sizes(k->v->cat, queues);
	struct setting_from s = { 0 };
	int64_t n;

	if (row && !(dev->dev.n_queues % 2 && q + 1 == dev->dev.n_queues))
		s = throwaway_setting(&k->t, nic, row->property);
	if (!s.option)
		return limit;
	n = strtoll(s.value, NULL, 0);
	return q % 2 && n > limit ? limit : n;
}

static void check_queue(const struct difference *d, const struct shape *s, const struct host *h)
{
	const struct verify_device *dev = &d->k->out->devices[d->device];
	int64_t own = host_limit(d->k, s, h);

	for (unsigned int q = 0; own >= 0 && q < dev->dev.n_queues; q++) {
		int64_t limit = limit_of(d->k, d->nic, dev, q, own);

		if (dev->dev.queue_size[q] <= limit)
			continue;
		say_of(d, ABIBASE_FINDING_CONFLICT, "verify-queue-size", LAYER_QEMU, s->remedy,
		       "queue %u has %u entries, and the QEMU of %s, a destination of the baseline, "
		       "refuses more than %lld",
		       q, dev->dev.queue_size[q], h->name, (long long)limit);
		return;
	}
}

static void check_queues(const struct difference *d)
{
	const struct abibase_baseline *b = d->k->v->b;
	const struct abibase_catalogue *cat = d->k->v->cat;

	for (size_t s = 0; s < cat->n_shapes; s++)
		for (size_t h = 0; h < b->in.n_hosts; h++)
			if (streq(cat->shapes[s].recorded, "queue_sizes") &&
			    inputs_is_dest(&b->in, b->in.hosts[h]))
				check_queue(d, &cat->shapes[s], b->in.hosts[h]);
}

/* ------------------------------------------------------------------- the MSI-X table */

/* What the list sets, or what the QEMUs of the baseline have by themselves; -1: not known. */
static int64_t promised_number(const struct verifying *k, const struct row *row)
{
	const struct abibase_baseline *b = k->v->b;
	const struct value *v = promised(k, row);

	if (v)
		return v->number;
	for (size_t u = 0; u < b->n_used; u++) {
		struct effective e;

		baseline_effective(k->v->cat, b, u, row, &e);
		if (json_is_integer(e.value))
			return json_integer_value(e.value);
	}
	return -1;
}

/* What the command line sets is the guest's wherever it goes, and so is the number of its queues. */
static void check_vectors(const struct difference *d, unsigned int vectors)
{
	struct verifying *k = d->k;
	const struct row *row = catalogue_shown_as(k->v->cat, SHAPE_VECTORS);
	int64_t want = row ? promised_number(k, row) : -1;

	if (want < 0 || d->nic->throwaway.queues > 1 ||
	    throwaway_setting(&k->t, d->nic, row->property).option)
		return;
	want = row_realized(row, want);
	if (want != (int64_t)vectors)
		say_of(d, ABIBASE_FINDING_CONFLICT, "verify-vectors", LAYER_QEMU,
		       "make a new baseline with this host: its list sets the property",
		       "its MSI-X table has %u entries, and those of the baseline have %lld: this "
		       "QEMU makes something else of the machine type",
		       vectors, (long long)want);
}

/* --------------------------------------------- what no bit shows that an option sets */

static const struct row *rom_row(const struct abibase_catalogue *cat)
{
	for (size_t i = 0; i < cat->n_rows; i++)
		if (cat->rows[i].observed && streq(cat->rows[i].observed, "rom_size"))
			return &cat->rows[i];
	return NULL;
}

static void say_value(const struct difference *d, const struct value *v,
		      const struct setting_from *s)
{
	bool most = v->is_number && v->bit >= 0 && !is_within(v, s->value);

	if (s->own && is_free(v))
		say_of(d, ABIBASE_FINDING_NOTE, "verify-own", LAYER_COMMAND, NULL,
		       "%s is %s by %s, which every guest of this command line has alike; the "
		       "baseline has %s",
		       v->feature, s->value, s->option, v->text);
	else
		say_of(d, ABIBASE_FINDING_CONFLICT, "verify-number", LAYER_COMMAND, own_remedy,
		       "%s has %s=%s, and %s %s (%s)", s->option, v->property, s->value,
		       most ? "every host of the baseline can do no more than" :
			      "the baseline has",
		       v->text, v->feature);
}

/* As a QEMU that is left to itself has it; the vectors and the ROM are read. */
static void check_unset(const struct difference *d, const struct value *v)
{
	struct verifying *k = d->k;
	const struct row *row = k->links.rows[v - k->v->b->values];
	struct effective e = { .known = ABIBASE_UNKNOWN };
	const char *own;

	if (row && k->have_view && v->bit < 0 && !row->observed && !row->shown_as)
		qemu_effective(&k->view, row, &e);
	if (!json_is_boolean(e.value) && !json_is_integer(e.value))
		return;
	own = value_words(&k->out->arena, e.value);
	if (!agrees(v, own))
		say_of(d, ABIBASE_FINDING_CONFLICT, "verify-number", LAYER_COMMAND, list_remedy,
		       "no option sets %s, which this QEMU has as %s, and the baseline as %s (%s)",
		       v->property, own, v->text, v->feature);
}

/* A bit of its own is compared; one bit for all numbers does not show which one it is. */
static void check_value(const struct difference *d, const struct value *v)
{
	struct setting_from s = throwaway_setting(&d->k->t, d->nic, v->property);

	if (!s.option)
		check_unset(d, v);
	if (!s.option || agrees(v, s.value) || (v->bit >= 0 && !v->is_number))
		return;
	if (v->bit >= 0 && s.behind_list && is_within(v, s.value))
		return;
	say_value(d, v, &s);
}

static void check_values(const struct difference *d)
{
	const struct abibase_baseline *b = d->k->v->b;
	const struct value *rom = promised(d->k, rom_row(d->k->v->cat));

	for (size_t n = 0; n < b->n_values; n++)
		if (is_of("virtio-net-pci", b->values[n].class_name) &&
		    (&b->values[n] != rom || throwaway_has_rom(d->nic)))
			check_value(d, &b->values[n]);
}

/* -------------------------------------------------------------------------- the ROM */

/* What the command line sets is the guest's wherever it goes. */
static void check_rom(const struct difference *d, uint64_t size)
{
	struct verifying *k = d->k;
	const struct row *row = rom_row(k->v->cat);
	const struct value *want = promised(k, row);

	if (!row || k->no_roms || !throwaway_has_rom(d->nic))
		return;
	if (baseline_leaves_out(k->v->b, row))
		say_of(d, ABIBASE_FINDING_CONFLICT, "verify-rom", LAYER_COMMAND, "give it romfile=",
		       "it has an option ROM, and the baseline was made for guests without");
	else if (want && size != (uint64_t)want->number &&
		 !throwaway_setting(&k->t, d->nic, row->property).option)
		say_of(d, ABIBASE_FINDING_CONFLICT, "verify-rom", LAYER_COMMAND, list_remedy,
		       "its option ROM has %llu bytes, and the baseline %lld: no option sets it",
		       (unsigned long long)size, (long long)want->number);
}

/* ------------------------------------------------------------------------ judgement */

static void judge(struct verifying *k, size_t i, const struct nic *nic,
		  const struct qtest_device *seen)
{
	struct verify_device *dev = &k->out->devices[i];
	const struct offer *o = baseline_offer(k->v->b, dev->backend);
	int backend = catalogue_backend(k->v->cat, dev->backend);
	struct difference d = { .k = k, .device = i, .nic = nic, .backend = backend };

	dev->seen = true;
	dev->dev = *seen;
	dev->dev.offered[0] &= ~legacy_bits(k->v->cat);
	if (nic->kind != NIC_HOST || backend < 0 || !o || !o->known)
		return;
	dev->stated = true;
	memcpy(dev->want, o->word, sizeof(dev->want));
	compare_words(&d);
	check_requirements(&d);
	check_queues(&d);
	check_vectors(&d, seen->vectors);
	check_values(&d);
	check_rom(&d, seen->rom_size);
}

/* Does the host have what this backend is made of? Without a profile that is seen at the start. */
static const struct condition *backend_lacks(const struct verifying *k, const char *name)
{
	struct ask a = { .cat = k->v->cat, .p = k->v->p };
	int be = catalogue_backend(k->v->cat, name);

	for (struct asked w = { 0 }; be >= 0 && ask_next_usable(&a, (size_t)be, &w);)
		if (w.answer == ABIBASE_NO)
			return w.c;
	return NULL;
}

/* Of the baseline's own backends one that a host lacks constrains nothing there. */
static void say_absent(struct verifying *k, size_t i, const struct condition *c)
{
	bool own = !k->v->argv.s && !k->v->b->in.policy.backends_named;

	say(k, own ? ABIBASE_FINDING_NOTE : ABIBASE_FINDING_CONFLICT, i, "verify-no-backend",
	    keep_text(k, c->layer), c->remedy, "%s: this host does not have its backend, %s: %s",
	    k->out->devices[i].name, k->out->devices[i].backend, c->missing);
}

/* What is known before anything is started. Returns whether the device is to be started. */
static bool judge_before(struct verifying *k, size_t i, struct nic *nic)
{
	const struct condition *lacks;

	if (nic->kind == NIC_OPAQUE) {
		say(k, ABIBASE_FINDING_UNKNOWN, i, "verify-not-seen", LAYER_COMMAND, NULL,
		    "%s is not judged: %s", nic->name, nic->why);
		return false;
	}
	if (nic->kind == NIC_PLAIN) {
		say(k, ABIBASE_FINDING_NOTE, i, "verify-own", LAYER_COMMAND, NULL,
		    "%s is not judged: what a guest is offered on %s depends on no host", nic->name,
		    nic->backend);
		return true;
	}
	lacks = backend_lacks(k, nic->backend);
	if (lacks)
		say_absent(k, i, lacks);
	else if (!baseline_offer(k->v->b, nic->backend))
		say(k, ABIBASE_FINDING_CONFLICT, i, "verify-backend", LAYER_COMMAND,
		    "make a baseline for it with --backend",
		    "%s: the baseline does not cover its backend, %s", nic->name, nic->backend);
	return !lacks;
}

/* A property that this QEMU does not know keeps it, and the guest, from starting. */
static bool is_refusal(const char *why)
{
	return strstr(why, "can't apply global") || strstr(why, "too large for ROM size") ||
	       (strstr(why, "Property '") && strstr(why, "not found"));
}

static void say_not_observed(struct verifying *k, const char *why)
{
	if (is_refusal(why))
		say(k, ABIBASE_FINDING_CONFLICT, NO_DEVICE, "verify-refused", LAYER_QEMU,
		    "use the list that the baseline has for this QEMU: abibase exec adds it, "
		    "abibase intersect --for prints it",
		    "this QEMU does not start with these options: %s", why);
	else
		say(k, ABIBASE_FINDING_UNKNOWN, NO_DEVICE, "verify-failed", LAYER_QEMU, NULL,
		    "what %s offers could not be read: %s", k->out->qemu, why);
}

/* 0, or a negative errno with the reason in @why; -ENOMEM without one. */
static int read_devices(struct verifying *k, struct qtest_nic *nics, const size_t *which, size_t n,
			struct qtest_device *seen, struct buf *why)
{
	const struct qtest_request rq = { .path = k->out->qemu,
					  .machine = k->t.machine, .nics = nics, .n_nics = n,
					  .words = (const char *const *)k->t.words.s,
					  .timeout_ms = k->v->timeout_ms };
	/* without a device too, for a QEMU that does not start is none of which anything is known */
	int r = n || !k->t.n_nics ? qtest_observe(&rq, seen, why) : 0;

	if (r == 0 || buf_failed(why) || !why->len || !strstr(why->data, "failed to find romfile"))
		return r;
	k->no_roms = true;
	buf_clear(why);
	r = throwaway_place(&k->t, which, n, false, nics);
	return r < 0 ? r : qtest_observe(&rq, seen, why);
}

static int observe(struct verifying *k, struct qtest_nic *nics, const size_t *which, size_t n)
{
	_autofree_ struct qtest_device *seen = calloc(n + 1, sizeof(*seen));
	_buf_ why = { 0 };
	int r;

	if (!seen)
		return -ENOMEM;
	r = read_devices(k, nics, which, n, seen, &why);
	if (buf_failed(&why) || (r == -ENOMEM && !why.len))
		return -ENOMEM;
	if (r < 0)
		say_not_observed(k, why.len ? why.data : strerror(-r));
	for (size_t i = 0; r == 0 && i < n; i++)
		judge(k, which[i], &k->t.nics[which[i]], &seen[i]);
	return 0;
}

static int start_devices(struct verifying *k, bool start)
{
	struct qtest_nic nics[QTEST_MAX_NICS];
	size_t which[QTEST_MAX_NICS], n = 0;

	for (size_t i = 0; i < k->t.n_nics; i++)
		if (judge_before(k, i, &k->t.nics[i]) && n < QTEST_MAX_NICS)
			which[n++] = i;
	if (throwaway_place(&k->t, which, n, true, nics) < 0)
		return -ENOMEM;
	return start ? observe(k, nics, which, n) : 0;
}

/* @qemu NULL: none that this host has */
static void say_no_machine(struct verifying *k, const char *qemu)
{
	say(k, ABIBASE_FINDING_CONFLICT, NO_DEVICE, "host-without-machine", LAYER_QEMU,
	    "install a QEMU that has it", "%s",
	    qemu ? keep(k, "%s does not have the machine type %s of the baseline", qemu,
			k->v->b->machine) :
		   keep(k,
			"no QEMU of this host is for the target %s and has the machine type %s of "
			"the baseline",
			k->v->b->target, k->v->b->machine));
}

/* Is there a machine type that is worth a start? */
static bool check_machine(struct verifying *k)
{
	const char *want = k->v->b->machine, *is = k->t.machine;

	if (is && qemu_takes_name(k->view.entry, is, want)) {
		if (!k->have_view || qemu_has_machine(k->v->cat, k->view.entry, want) != ABIBASE_NO)
			return true;
		say_no_machine(k, k->out->qemu);
		return false;
	}
	say(k, ABIBASE_FINDING_CONFLICT, NO_DEVICE, "command-machine", LAYER_COMMAND,
	    keep(k, "start the guest with -machine %s", want),
	    "the baseline is of machine type %s, and the command line %s%s", want,
	    is ? "has " : "names none", is ? is : "");
	return false;
}

static void say_all(struct verifying *k)
{
	for (size_t i = 0; i < k->t.unseen.n; i++)
		say(k, ABIBASE_FINDING_UNKNOWN, NO_DEVICE, "verify-not-seen", LAYER_COMMAND, NULL,
		    "%s, so what it says is not seen", k->t.unseen.s[i]);
	for (size_t i = 0; i < k->t.notes.n; i++)
		say(k, ABIBASE_FINDING_NOTE, NO_DEVICE, "verify-assumed", LAYER_COMMAND, NULL, "%s",
		    k->t.notes.s[i]);
	if (!k->t.n_nics)
		say(k, ABIBASE_FINDING_NOTE, NO_DEVICE, "verify-no-device", LAYER_COMMAND, NULL,
		    "there is no virtio-net device on the command line");
}

/* "no" before "cannot tell" before "yes" */
static enum abibase_verdict verdict_of(const struct verification *vf, size_t device)
{
	enum abibase_verdict v = ABIBASE_VERDICT_YES;

	for (size_t i = 0; i < vf->findings.n; i++) {
		const struct finding *f = &vf->findings.f[i];

		if (f->device && f->device != vf->devices[device].name)
			continue;
		if (f->kind == ABIBASE_FINDING_CONFLICT)
			return ABIBASE_VERDICT_NO;
		if (f->kind == ABIBASE_FINDING_UNKNOWN)
			v = ABIBASE_VERDICT_UNKNOWN;
	}
	return v;
}

/* --------------------------------------------------------------------------- all of it */

/* The one that was asked for, or the first of the host that has a list of the baseline. */
static int own_list(struct verifying *k, char ***ret)
{
	const struct abibase_verify *v = k->v;
	struct abibase_check *c;
	int r;

	if (!v->p)
		return context_fail(v->ctx, EINVAL, "verify-incomplete", NULL,
				    "to verify without a command line takes a profile of this host");
	r = hostcheck_make(v->ctx, v->cat, v->b, v->p, NULL, NULL, NULL, &c);
	if (r < 0)
		return r;
	r = -ENOENT;
	for (size_t i = 0; r == -ENOENT && i < v->p->n_qemu; i++) {
		const char *path = v->p->qemu[i].path;

		if (!path || (v->qemu && !streq(v->qemu, path)))
			continue;
		r = hostcheck_args(c, path, ret);
		if (r == 0)
			k->out->qemu = keep_text(k, path);
	}
	hostcheck_free(c);
	return r;
}

static int prepare(struct verifying *k)
{
	const struct abibase_verify *v = k->v;
	_autofree_ char **list = NULL;
	int r;

	if (v->argv.s)
		return throwaway_parse(&k->t, (const char *const *)v->argv.s);
	r = own_list(k, &list);
	if (r == -ENOENT && v->qemu && !profile_qemu_at(v->p, v->qemu)) {
		say(k, ABIBASE_FINDING_UNKNOWN, NO_DEVICE, "verify-failed", LAYER_QEMU, NULL,
		    "%s did not answer when it was asked what it has", v->qemu);
		return 1;
	}
	if (r == -ENOENT) {
		say_no_machine(k, v->qemu);
		return 1;
	}
	return r < 0 ? r : throwaway_default(&k->t, (const char *const *)list);
}

static int make_devices(struct verifying *k)
{
	struct verification *out = k->out;

	out->devices = calloc(k->t.n_nics + 1, sizeof(*out->devices));
	out->left_out = calloc(k->t.left_out.n + 1, sizeof(*out->left_out));
	if (!out->devices || !out->left_out)
		return -ENOMEM;
	for (size_t i = 0; i < k->t.n_nics; i++) {
		struct verify_device *d = &out->devices[out->n_devices++];

		d->name = keep_text(k, k->t.nics[i].name);
		d->driver = keep_text(k, k->t.nics[i].driver);
		d->backend = keep_text(k, k->t.nics[i].backend);
	}
	for (size_t i = 0; i < k->t.left_out.n; i++)
		out->left_out[out->n_left_out++] = keep_text(k, k->t.left_out.s[i]);
	out->machine = keep_text(k, k->t.machine);
	return 0;
}

static int run(struct verifying *k)
{
	const struct profile_qemu *q;
	bool start;
	int r;

	link_values(k->v->cat, k->v->b, &k->out->arena, &k->links);
	if (k->out->arena.failed)
		return -ENOMEM;
	k->out->baseline = keep_text(k, k->v->b->id);
	k->out->qemu = keep_text(k, k->v->qemu);
	r = prepare(k);
	if (r)
		return r < 0 ? r : 0;
	q = k->v->p && k->out->qemu ? profile_qemu_at(k->v->p, k->out->qemu) : NULL;
	k->have_view = q != NULL;
	qemu_view_init(&k->view, k->v->cat, q ? q->json : NULL, k->v->b->machine);
	r = make_devices(k);
	if (r < 0)
		return r;
	start = check_machine(k);
	say_all(k);
	return start_devices(k, start);
}

/* The devices that were judged; by a throw-away where one could be read. */
static json_t *scope(const struct verifying *k)
{
	const struct abibase_catalogue *cat = k->v->cat;
	const struct verification *out = k->out;
	unsigned int backends = 0;
	bool seen = false;
	json_t *scope;

	for (size_t i = 0; i < out->n_devices; i++) {
		int be = catalogue_backend(cat, out->devices[i].backend);

		seen |= out->devices[i].seen;
		if (be >= 0 && out->devices[i].stated)
			backends |= 1u << be;
	}
	scope = backends ? scope_json(cat, backends) : scope_new();
	scope_add(&scope, "layers", "machine type");
	if (k->v->argv.s)
		scope_add(&scope, "layers", LAYER_COMMAND);
	if (seen)
		scope_add(&scope, "evidence", "throw-away");
	if (k->v->p)
		scope_add(&scope, "evidence", "record");
	return scope;
}

static void verification_clear(struct verification *vf)
{
	json_decref(vf->scope);
	free(vf->devices);
	free(vf->left_out);
	arena_clear(&vf->arena);
}

static int finish(struct abibase_verify *v, struct verification *vf, struct abibase_result **ret)
{
	for (size_t i = 0; i < vf->n_devices; i++)
		vf->devices[i].verdict = verdict_of(vf, i);
	vf->verdict = findings_verdict(&vf->findings);
	return result_give(v->ctx,
			   &(struct abibase_result){ .verdict = vf->verdict,
						     .root = verification_document(vf),
						     .show = verification_show },
			   ret);
}

ABIBASE_EXPORT int abibase_verify_run(struct abibase_verify *v, struct abibase_result **ret)
{
	struct verification out = { .findings.arena = &out.arena };
	struct verifying k = { .v = v, .out = &out, .t = { .ctx = v->ctx, .b = v->b } };
	int r;

	if (v->argv.s && !v->qemu)
		return context_fail(v->ctx, EINVAL, "verify-incomplete", NULL,
				    "to verify a command line takes the QEMU that it is for");
	r = v->p ? profile_make_current(v->ctx, v->cat, &v->p) : 0;
	if (r < 0)
		return r;
	r = run(&k);
	out.scope = scope(&k);
	throwaway_clear(&k.t);
	if (r == -ENOMEM || (r == 0 && out.arena.failed))
		r = context_oom(v->ctx);
	if (r == 0)
		r = finish(v, &out, ret);
	verification_clear(&out);
	return r;
}
