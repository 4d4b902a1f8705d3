/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a guest would really be offered, and how it compares with what was predicted.
 *
 * A difference has one of three causes. Which one follows from what else is known:
 *
 *   offered, but no row of the catalogue has the bit                        catalogue
 *   offered, though a fact that the row needs is no:
 *     another feature that needs the same fact is masked, so it is right    catalogue
 *     else                                                                  host fact
 *   offered, though the property is off or does not exist:
 *     so this build says itself (values or property list are recorded)      QEMU build
 *     else it was filled in from the catalogue                              catalogue
 *   not offered, though the property is on and every fact is yes:
 *     a fact is needed that no feature which is offered needs too           host fact
 *     else, the value was recorded of this build                            QEMU build
 *     else it was filled in from the catalogue                              catalogue
 *   a backend was used that the host's facts say it does not have           host fact
 *   the machine type was started that the record of this QEMU lacks         QEMU build
 *   queues of another size than the catalogue has for this version:
 *     a packager's build (it has a package string)                          QEMU build
 *     else                                                                  catalogue
 *   an MSI-X table of another size than the property says:
 *     the value was recorded of this build, or was set                      QEMU build
 *     else it was filled in from the catalogue                              catalogue
 *
 * Where a fact or a value is unknown nothing was predicted, and nothing can differ.
 */

#include "qemu/observe.h"

#include <errno.h>

#include "base/context.h"
#include "model/ask.h"
#include "model/predict.h"
#include "qemu/qtest.h"
#include "base/known.h"

#define TIMEOUT_MS 20000

/* ---------------------------------------------------------------------- to observe */

/* "-global" before each setting */
static const char **global_words(const char *const *settings)
{
	const char **words;
	size_t n = 0;

	while (settings && settings[n])
		n++;
	words = calloc(2 * n + 1, sizeof(*words));
	for (size_t i = 0; words && i < n; i++) {
		words[2 * i] = "-global";
		words[2 * i + 1] = settings[i];
	}
	return words;
}

int observe_plain(const struct qtest_request *rq, enum qtest_backend backend,
		  struct qtest_device *ret, struct buf *why)
{
	struct qtest_nic nic = { .backend = backend, .device = QTEST_PLAIN_NIC };
	struct qtest_request one = *rq;
	int r;

	one.nics = &nic;
	one.n_nics = 1;
	r = qtest_observe(&one, ret, why);
	if (r == 0 || buf_failed(why) || !why->len || !strstr(why->data, "romfile"))
		return r;
	buf_clear(why);
	nic.device = QTEST_NO_ROM_NIC;
	return qtest_observe(&one, ret, why);
}

int observe_run(struct abibase_context *ctx, const struct observe_request *rq,
		struct qtest_device *ret)
{
	_autofree_ const char **words = global_words(rq->settings);
	const struct qtest_request qrq = { .path = rq->qemu,
					   .machine = rq->machine,
					   .words = words,
					   .timeout_ms =
						   rq->timeout_ms ? rq->timeout_ms : TIMEOUT_MS,
					   .stop = rq->stop };
	_buf_ why = { 0 };
	int r = words ? observe_plain(&qrq, rq->backend, ret, &why) : -ENOMEM;

	if (r == 0)
		return 0;
	if (buf_failed(&why) || (r == -ENOMEM && !why.len))
		return context_oom(ctx);
	return context_fail(ctx, -r, "observe-failed", rq->qemu,
			    "%s: what it offers under %s on %s could not be observed: %s", rq->qemu,
			    rq->machine, qtest_backend_names[rq->backend],
			    why.len ? why.data : strerror(-r));
}

/* ------------------------------------------------------------------- record */

static json_t *bars_json(const struct qtest_device *dev)
{
	json_auto_t *list = json_array();

	for (int i = 0; i < QTEST_BARS; i++) {
		const struct qtest_bar *bar = &dev->bar[i];
		const char *kind = bar->io ? "io" : bar->wide ? "mem64" : "mem32";

		if (!bar->size)
			continue;
		if (json_add(list, json_pack("{s:i, s:s, s:b, s:I}", "index", i, "kind", kind,
					     "prefetch", bar->prefetch, "size",
					     (json_int_t)bar->size)) < 0)
			return NULL;
	}
	return steal(&list);
}

json_t *queues_json(const struct qtest_device *dev)
{
	json_auto_t *list = json_array();

	for (unsigned int i = 0; i < dev->n_queues; i++)
		if (json_add(list, json_integer(dev->queue_size[i])) < 0)
			return NULL;
	return steal(&list);
}

json_t *sizes_json(const struct qtest_device *dev)
{
	json_auto_t *v = json_pack("{s:o}", "queue_sizes", queues_json(dev));

	if (dev->rom_size && json_put(v, "rom_size", json_integer((json_int_t)dev->rom_size)) < 0)
		return NULL;
	return steal(&v);
}

json_t *observation_json(const struct qtest_device *dev)
{
	json_auto_t *v = sizes_json(dev);
	json_auto_t *more = json_pack("{s:o, s:I, s:o, s:I}", "bars", bars_json(dev), "config_size",
				      (json_int_t)dev->config_size, "offered",
				      json_word(dev->offered), SHAPE_VECTORS,
				      (json_int_t)dev->vectors);

	return more && json_object_update(v, more) == 0 ? steal(&v) : NULL;
}

/* ------------------------------------------------ prediction and observation */

struct comparing {
	const struct abibase_catalogue *cat;
	const struct observe_request *rq;
	const struct qtest_device *dev;
	const struct abibase_profile *p;
	const struct profile_qemu *qemu;
	struct qemu_view view;
	size_t backend;
	uint64_t predicted[2];
	observe_difference_fn fn;
	void *data;
	int n;
	bool failed;
};

static const struct {
	const char *id, *words;
} causes[] = {
	[ABIBASE_CAUSE_CATALOGUE] = { "observe-catalogue-wrong", "the catalogue is wrong" },
	[ABIBASE_CAUSE_HOST_FACT] = { "observe-host-fact-wrong", "a fact of the host is wrong" },
	[ABIBASE_CAUSE_BUILD] = { "observe-build-unusual", "this QEMU build is unusual" },
};

static _printf_(3, 4) void differ(struct comparing *k, enum abibase_cause cause, const char *fmt,
				  ...)
{
	_buf_ text = { 0 };
	va_list ap;

	buf_printf(&text, "%s under %s on %s: %s: ", k->rq->qemu, k->rq->machine,
		   qtest_backend_names[k->rq->backend], causes[cause].words);
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	k->failed |= buf_failed(&text);
	k->n++;
	if (k->fn && !buf_failed(&text))
		k->fn(k->data, cause, causes[cause].id, text.data);
}

static bool is_offered(const struct comparing *k, int bit)
{
	return word_has(k->dev->offered, bit);
}

/* The host, of which only what this QEMU looks at is asked. */
static struct ask ask(const struct comparing *k)
{
	return (struct ask){ .cat = k->cat, .p = k->p, .view = &k->view };
}

/* What the row's property is set to: by a setting, else by the machine type. */
static bool is_set(const struct comparing *k, const struct row *row, struct effective *ret)
{
	const char *value = setting_of(k->rq->settings, row);

	qemu_effective(&k->view, row, ret);
	if (!value)
		return ret->value && row_bit_set(row, ret->value);
	ret->recorded = true; /* what a command line sets is no guess */
	return !streq(value, "off");
}

/* Is @condition the only one of the needs that is not met? */
static bool only_lacks(const struct comparing *k, const struct needs *needs, int condition)
{
	struct ask a = ask(k);

	for (struct asked w = { 0 }; ask_next_need(&a, needs, &w);)
		if (w.condition != condition && w.answer != ABIBASE_YES)
			return false;
	return true;
}

/*
 * What the other features say of a condition: one that needs it is offered; or one is on, lacks
 * nothing else, and is masked.
 */
static bool others_say(const struct comparing *k, int condition, int but_bit, bool offered)
{
	struct ask a = ask(k);

	for (size_t r = 0; r < k->cat->n_rows; r++) {
		const struct row *row = &k->cat->rows[r];
		struct effective e;

		if (row->bit < 0 || row->legacy || row->bit == but_bit ||
		    !(row->backends & (1u << k->backend)) ||
		    is_offered(k, row->bit) != offered ||
		    !ask_is_need(&a, &row->needs[k->backend], condition))
			continue;
		if (offered || (is_set(k, row, &e) &&
				only_lacks(k, &row->needs[k->backend], condition)))
			return true;
	}
	return false;
}

/* It is offered. Is one of its needs not met? */
static void against_facts(struct comparing *k, const char *feature, int bit,
			  const struct needs *needs)
{
	struct ask a = ask(k);
	struct stand s;

	ask_needs(&a, needs, &s);
	if (s.can != ABIBASE_NO)
		return;
	if (s.never)
		differ(k, ABIBASE_CAUSE_CATALOGUE,
		       "%s (bit %d) is offered; it says that this version never does", feature,
		       bit);
	else if (others_say(k, s.no.condition, bit, false))
		differ(k, ABIBASE_CAUSE_CATALOGUE,
		       "%s (bit %d) is offered, and does not need %s, which the host lacks as "
		       "other features show",
		       feature, bit, s.no.c->name);
	else
		differ(k, ABIBASE_CAUSE_HOST_FACT,
		       "%s (bit %d) is offered, which needs %s, and that is recorded as missing",
		       feature, bit, s.no.c->name);
}

static void offered_row(struct comparing *k, const struct row *row)
{
	struct effective e;
	bool recorded;

	if (is_set(k, row, &e)) {
		against_facts(k, row->feature, row->bit, &row->needs[k->backend]);
		return;
	}
	if (e.known == ABIBASE_UNKNOWN || (e.known == ABIBASE_YES && !e.value))
		return; /* nothing was predicted */
	recorded = e.known == ABIBASE_NO ?
			   json_object_get(k->view.properties, row->class_name) != NULL :
			   e.recorded;
	differ(k, recorded ? ABIBASE_CAUSE_BUILD : ABIBASE_CAUSE_CATALOGUE,
	       e.known == ABIBASE_NO ?
		       "%s (bit %d) is offered, though this QEMU does not know %s%s" :
		       "%s (bit %d) is offered, though %s is off%s",
	       row->feature, row->bit, row->key, recorded ? "" : " by the catalogue");
}

/* The condition that no offered feature vouches for, or -1. */
static int not_vouched(const struct comparing *k, const struct needs *needs, int bit)
{
	struct ask a = ask(k);

	for (struct asked w = { 0 }; ask_next_need(&a, needs, &w);)
		if (!others_say(k, w.condition, bit, true))
			return w.condition;
	return -1;
}

static void masked(struct comparing *k, const char *feature, int bit, const struct needs *needs,
		   bool recorded)
{
	int condition = not_vouched(k, needs, bit);

	if (condition >= 0)
		differ(k, ABIBASE_CAUSE_HOST_FACT,
		       "%s (bit %d) is not offered, though its property is on; %s, which it needs, "
		       "is recorded as present",
		       feature, bit, k->cat->conditions[condition].name);
	else
		differ(k, recorded ? ABIBASE_CAUSE_BUILD : ABIBASE_CAUSE_CATALOGUE,
		       "%s (bit %d) is not offered, though nothing is missing and its property is "
		       "on%s",
		       feature, bit, recorded ? "" : " by the catalogue");
}

static const struct row *row_of_bit(const struct comparing *k, int bit)
{
	const struct row *first = NULL;
	struct effective e;

	for (size_t r = 0; r < k->cat->n_rows; r++) {
		const struct row *row = &k->cat->rows[r];

		if (row->bit != bit || row->legacy || !(row->backends & (1u << k->backend)))
			continue;
		if (!first || is_set(k, row, &e))
			first = row;
	}
	return first;
}

static const struct requirement *requirement_of_bit(const struct comparing *k, int bit)
{
	for (size_t i = 0; i < k->cat->n_requirements; i++)
		if (k->cat->requirements[i].bit == bit)
			return &k->cat->requirements[i];
	return NULL;
}

static void compare_bit(struct comparing *k, int bit)
{
	const struct row *row = row_of_bit(k, bit);
	const struct requirement *q = requirement_of_bit(k, bit);
	bool offered = is_offered(k, bit);
	struct effective e = { 0 };

	if (q && offered) {
		against_facts(k, q->feature, bit, &q->needs[k->backend]);
	} else if (q) {
		masked(k, q->feature, bit, &q->needs[k->backend], true);
	} else if (!row) {
		differ(k, ABIBASE_CAUSE_CATALOGUE, "bit %d is offered, which no row has", bit);
	} else if (offered) {
		offered_row(k, row);
	} else {
		is_set(k, row, &e);
		masked(k, row->feature, bit, &row->needs[k->backend], e.recorded);
	}
}

static void compare_backend(struct comparing *k)
{
	struct ask a = ask(k);

	for (struct asked w = { 0 }; ask_next_usable(&a, k->backend, &w);)
		if (w.answer == ABIBASE_NO)
			differ(k, ABIBASE_CAUSE_HOST_FACT,
			       "it works, though %s is recorded as missing", w.c->name);
	if (qemu_has_machine(k->cat, k->qemu->json, k->view.machine) == ABIBASE_NO)
		differ(k, ABIBASE_CAUSE_BUILD,
		       "it has this machine type, which its record does not list");
}

/* Does a setting decide it? */
static bool is_shape_set(const struct comparing *k, const struct shape *s)
{
	for (size_t r = 0; r < k->cat->n_rows; r++)
		if (k->cat->rows[r].shape_name && streq(k->cat->rows[r].shape_name, s->name) &&
		    setting_of(k->rq->settings, &k->cat->rows[r]))
			return true;
	return false;
}

/* The size of the queues, where the catalogue has one for this version and nothing sets another. */
static void compare_queues(struct comparing *k)
{
	const char *package = string_of(k->qemu->json, "package");
	enum abibase_cause cause =
		package && *package ? ABIBASE_CAUSE_BUILD : ABIBASE_CAUSE_CATALOGUE;
	unsigned int most = 0;

	for (unsigned int i = 0; i < k->dev->n_queues; i++)
		if (k->dev->queue_size[i] > most)
			most = k->dev->queue_size[i];
	for (size_t i = 0; i < k->cat->n_shapes; i++) {
		const struct shape *s = &k->cat->shapes[i];
		int64_t size = streq(s->recorded, "queue_sizes") ?
				       shape_value(s, &k->view.version) : -1;

		if (size >= 0 && !is_shape_set(k, s) && size != (int64_t)most)
			differ(k, cause,
			       "its largest queue has %u entries, and that of QEMU %s has %lld by "
			       "the catalogue",
			       most, k->qemu->version, (long long)size);
	}
}

/* What the row's property is: by a setting, else by the machine type; -1: not known. */
static int64_t number_of(const struct comparing *k, const struct row *row, struct effective *ret)
{
	const char *value = setting_of(k->rq->settings, row);
	int64_t number;

	qemu_effective(&k->view, row, ret);
	if (!value && !json_is_integer(ret->value))
		return -1;
	ret->recorded |= value != NULL;
	number = value ? strtoll(value, NULL, 10) : json_integer_value(ret->value);
	return row_realized(row, number);
}

static void compare_vectors(struct comparing *k)
{
	const struct row *row = catalogue_shown_as(k->cat, SHAPE_VECTORS);
	struct effective e;
	int64_t number = row ? number_of(k, row, &e) : -1;

	if (number < 0 || number == (int64_t)k->dev->vectors)
		return;
	differ(k, e.recorded ? ABIBASE_CAUSE_BUILD : ABIBASE_CAUSE_CATALOGUE,
	       "its MSI-X table has %u entries, and %s says %lld%s", k->dev->vectors,
	       row->key, (long long)number, e.recorded ? "" : " by the catalogue");
}

int observe_compare(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		    const struct observe_request *rq, const struct qtest_device *dev,
		    const struct abibase_profile *p, observe_difference_fn fn, void *data)
{
	const char *backend = qtest_backend_names[rq->backend];
	struct comparing k = { .cat = cat, .rq = rq, .dev = dev, .p = p, .fn = fn,
			       .data = data, .qemu = profile_qemu_at(p, rq->qemu) };
	int be = catalogue_backend(cat, backend), r;
	const char *machine;

	if (be < 0)
		return context_fail(ctx, EINVAL, "backend-not-known", NULL,
				    "\"%s\" is not a backend of the catalogue, which predicts "
				    "nothing for it",
				    backend);
	if (!k.qemu)
		return context_fail(ctx, EINVAL, "qemu-not-known", NULL,
				    "%s has no record of the QEMU %s", p->name, rq->qemu);
	k.backend = (size_t)be;
	machine = qemu_machine_called(json_object_get(k.qemu->json, "machines"), rq->machine);
	machine = machine ? machine : rq->machine;
	qemu_view_init(&k.view, cat, k.qemu->json, machine);
	r = abibase_predict(ctx, cat, p, rq->qemu, machine, backend,
			    rq->settings, k.predicted, NULL);
	if (r < 0)
		return r;
	compare_backend(&k);
	for (int bit = 0; bit < 128; bit++)
		if (word_has(k.predicted, bit) != is_offered(&k, bit))
			compare_bit(&k, bit);
	compare_queues(&k);
	compare_vectors(&k);
	return k.failed ? context_oom(ctx) : k.n;
}
