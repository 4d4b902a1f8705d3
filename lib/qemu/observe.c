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
#include "qemu/qtest.h"
#include "base/known.h"

#define TIMEOUT_MS 20000

struct abibase_observe {
	struct abibase_context *ctx;
	char *qemu, *machine;
	enum qtest_backend backend;
	char **settings;
	size_t n_settings, cap_settings;
	int timeout_ms;
	const struct process_stop *stop;
};

struct abibase_observation {
	int refcount;
	char *qemu, *machine;
	char **settings; /* ends with NULL; or NULL */
	enum qtest_backend backend;
	struct qtest_device dev;
};

/* ------------------------------------------------------------------ request */

int abibase_observe_new(struct abibase_context *ctx, struct abibase_observe **ret)
{
	struct abibase_observe *o = calloc(1, sizeof(*o));

	if (!o)
		return context_oom(ctx);
	o->ctx = abibase_context_ref(ctx);
	o->timeout_ms = TIMEOUT_MS;
	*ret = o;
	return 0;
}

static void free_settings(char **settings)
{
	for (char **s = settings; s && *s; s++)
		free(*s);
	free(settings);
}

struct abibase_observe *abibase_observe_unref(struct abibase_observe *o)
{
	if (!o)
		return NULL;
	free_settings(o->settings);
	free(o->qemu);
	free(o->machine);
	abibase_context_unref(o->ctx);
	free(o);
	return NULL;
}

static int replace(struct abibase_observe *o, char **place, const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		return context_oom(o->ctx);
	free(*place);
	*place = copy;
	return 0;
}

int abibase_observe_set_qemu(struct abibase_observe *o, const char *path)
{
	return replace(o, &o->qemu, path);
}

int abibase_observe_set_machine(struct abibase_observe *o, const char *machine)
{
	if (!name_valid(machine))
		return context_fail(o->ctx, EINVAL, "probe-bad-machine", NULL,
				    "\"%s\" cannot be the name of a machine type", machine);
	return replace(o, &o->machine, machine);
}

int abibase_observe_set_backend(struct abibase_observe *o, const char *backend)
{
	for (size_t i = 0; i < QTEST_HUB; i++)
		if (streq(qtest_backend_names[i], backend)) {
			o->backend = (enum qtest_backend)i;
			return 0;
		}
	return context_fail(o->ctx, EINVAL, "backend-not-known", NULL,
			    "\"%s\" is not a backend that can be observed: tap, tap+vhost, "
			    "macvtap, macvtap+vhost, user",
			    backend);
}

int abibase_observe_add_setting(struct abibase_observe *o, const char *setting)
{
	char *copy;

	/* The last one stays NULL. */
	if (array_grow(&o->settings, o->n_settings + 1, &o->cap_settings, sizeof(*o->settings)) < 0)
		return context_oom(o->ctx);
	copy = strdup(setting);
	o->settings[o->n_settings] = copy;
	if (!copy)
		return context_oom(o->ctx);
	o->settings[++o->n_settings] = NULL;
	return 0;
}

void observe_set_timeout(struct abibase_observe *o, int timeout_ms)
{
	o->timeout_ms = timeout_ms;
}

void observe_set_stop(struct abibase_observe *o, const struct process_stop *stop)
{
	o->stop = stop;
}

/* ------------------------------------------------------------------- result */

static int copy_settings(const struct abibase_observe *o, struct abibase_observation *obs)
{
	obs->settings = calloc(o->n_settings + 1, sizeof(*obs->settings));
	if (!obs->settings)
		return -ENOMEM;
	for (size_t i = 0; i < o->n_settings; i++) {
		obs->settings[i] = strdup(o->settings[i]);
		if (!obs->settings[i])
			return -ENOMEM;
	}
	return 0;
}

struct abibase_observation *observation_new(const struct abibase_observe *o,
					    const struct qtest_device *dev)
{
	struct abibase_observation *obs = calloc(1, sizeof(*obs));

	if (!obs)
		return NULL;
	obs->refcount = 1;
	obs->qemu = strdup(o->qemu);
	obs->machine = strdup(o->machine);
	obs->backend = o->backend;
	obs->dev = *dev;
	if (!obs->qemu || !obs->machine || copy_settings(o, obs) < 0)
		return abibase_observation_unref(obs);
	return obs;
}

/* "-global" before each setting */
static const char **global_words(const struct abibase_observe *o)
{
	const char **words = calloc(2 * o->n_settings + 1, sizeof(*words));

	for (size_t i = 0; words && i < o->n_settings; i++) {
		words[2 * i] = "-global";
		words[2 * i + 1] = o->settings[i];
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

int abibase_observe_run(struct abibase_observe *o, struct abibase_observation **ret)
{
	_autofree_ const char **words = global_words(o);
	const struct qtest_request rq = { .path = o->qemu, .machine = o->machine, .words = words,
					  .timeout_ms = o->timeout_ms, .stop = o->stop };
	struct abibase_observation *obs;
	struct qtest_device dev;
	_buf_ why = { 0 };
	int r;

	if (!o->qemu || !o->machine)
		return context_fail(o->ctx, EINVAL, "observe-incomplete", NULL,
				    "an observation needs a QEMU and a machine type");
	if (!words)
		return context_oom(o->ctx);
	r = observe_plain(&rq, o->backend, &dev, &why);
	if (r == 0) {
		obs = observation_new(o, &dev);
		if (!obs)
			return context_oom(o->ctx);
		*ret = obs;
		return 0;
	}
	if (buf_failed(&why) || !why.len)
		return context_oom(o->ctx);
	return context_fail(o->ctx, -r, "observe-failed", o->qemu,
			    "%s: what it offers under %s on %s could not be observed: %s", o->qemu,
			    o->machine, qtest_backend_names[o->backend], why.data);
}

struct abibase_observation *abibase_observation_ref(struct abibase_observation *obs)
{
	if (obs)
		__atomic_add_fetch(&obs->refcount, 1, __ATOMIC_RELAXED);
	return obs;
}

struct abibase_observation *
abibase_observation_unref(struct abibase_observation *obs)
{
	if (!obs || __atomic_sub_fetch(&obs->refcount, 1, __ATOMIC_ACQ_REL) > 0)
		return NULL;
	free(obs->qemu);
	free(obs->machine);
	free_settings(obs->settings);
	free(obs);
	return NULL;
}

void abibase_observation_offered(const struct abibase_observation *obs,
						uint64_t ret[2])
{
	memcpy(ret, obs->dev.offered, sizeof(obs->dev.offered));
}

size_t abibase_observation_queue_count(const struct abibase_observation *obs)
{
	return obs->dev.n_queues;
}

unsigned int abibase_observation_queue_size(const struct abibase_observation *obs,
							   size_t i)
{
	return i < obs->dev.n_queues ? obs->dev.queue_size[i] : 0;
}

unsigned int abibase_observation_config_size(const struct abibase_observation *obs)
{
	return obs->dev.config_size;
}

uint64_t abibase_observation_bar_size(const struct abibase_observation *obs,
						     unsigned int bar)
{
	return bar < QTEST_BARS ? obs->dev.bar[bar].size : 0;
}

unsigned int abibase_observation_vectors(const struct abibase_observation *obs)
{
	return obs->dev.vectors;
}

/* ------------------------------------------------------------------- record */

static json_t *bars_json(const struct qtest_device *dev)
{
	json_t *list = json_array();

	for (int i = 0; list && i < QTEST_BARS; i++) {
		const struct qtest_bar *bar = &dev->bar[i];
		json_t *v;

		if (!bar->size)
			continue;
		v = json_pack("{s:i, s:s, s:b, s:I}", "index", i, "kind",
			      bar->io	? "io" :
			      bar->wide ? "mem64" :
					  "mem32",
			      "prefetch", bar->prefetch, "size", (json_int_t)bar->size);
		if (json_array_append_new(list, v) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *sizes_json(const struct qtest_device *dev)
{
	json_t *queues = json_array();
	json_auto_t *ret = json_pack("{s:o}", "queue_sizes", queues);

	for (unsigned int i = 0; ret && i < dev->n_queues; i++)
		if (json_array_append_new(queues, json_integer(dev->queue_size[i])) < 0)
			return NULL;
	if (ret && dev->rom_size &&
	    json_object_set_new(ret, "rom_size", json_integer((json_int_t)dev->rom_size)) < 0)
		return NULL;
	return json_incref(ret);
}

json_t *observation_json(const struct abibase_observation *obs)
{
	json_auto_t *sizes = sizes_json(&obs->dev);
	json_t *bars = bars_json(&obs->dev);
	char word[48];

	if (!sizes || !bars) {
		json_decref(bars);
		return NULL;
	}
	snprintf(word, sizeof(word), "0x%016llx%016llx", (unsigned long long)obs->dev.offered[1],
		 (unsigned long long)obs->dev.offered[0]);
	if (json_object_set_new(sizes, "bars", bars) < 0 ||
	    json_object_set_new(sizes, "config_size",
				json_integer((json_int_t)obs->dev.config_size)) < 0 ||
	    json_object_set_new(sizes, "offered", json_string(word)) < 0 ||
	    json_object_set_new(sizes, SHAPE_VECTORS, json_integer((json_int_t)obs->dev.vectors)) <
		    0)
		return NULL;
	return json_incref(sizes);
}

int abibase_observation_to_json(const struct abibase_observation *obs, char **ret)
{
	json_auto_t *v = observation_json(obs);

	if (!v)
		return -ENOMEM;
	return json_give(v, ret);
}

/* ------------------------------------------------ prediction and observation */

struct comparing {
	const struct abibase_catalogue *cat;
	const struct abibase_observation *obs;
	const struct abibase_profile *p;
	const struct profile_qemu *qemu;
	struct qemu_view view;
	size_t backend;
	uint64_t predicted[2];
	abibase_difference_fn fn;
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

static void differ(struct comparing *k, enum abibase_cause cause, const char *fmt, ...)
	_printf_(3, 4);
static void differ(struct comparing *k, enum abibase_cause cause, const char *fmt, ...)
{
	_autofree_ char *what = NULL, *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&what, fmt, ap);
	va_end(ap);
	if (n < 0) {
		what = NULL;
		k->failed = true;
		return;
	}
	if (asprintf(&text, "%s under %s on %s: %s: %s", k->obs->qemu, k->obs->machine,
		     qtest_backend_names[k->obs->backend], causes[cause].words, what) < 0) {
		text = NULL;
		k->failed = true;
		return;
	}
	k->n++;
	if (k->fn)
		k->fn(k->data, cause, causes[cause].id, text);
}

static bool has_bit(const uint64_t word[2], int bit)
{
	return word[bit / 64] >> (bit % 64) & 1;
}

static bool is_offered(const struct comparing *k, int bit)
{
	return has_bit(k->obs->dev.offered, bit);
}

/* The host, of which only what this QEMU looks at is asked. */
static struct ask ask(const struct comparing *k)
{
	return (struct ask){ .cat = k->cat, .p = k->p, .view = &k->view };
}

/* The value in the settings, or NULL. */
static const char *setting_of(const struct comparing *k, const struct row *row)
{
	size_t len = strlen(row->key);
	const char *value = NULL;

	for (char **s = k->obs->settings; s && *s; s++)
		if (strncmp(*s, row->key, len) == 0 && (*s)[len] == '=')
			value = *s + len + 1;
	return value;
}

/* What the row's property is set to: by a setting, else by the machine type. */
static bool is_set(const struct comparing *k, const struct row *row, struct effective *ret)
{
	const char *value = setting_of(k, row);

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
		    setting_of(k, &k->cat->rows[r]))
			return true;
	return false;
}

/* The size of the queues, where the catalogue has one for this version and nothing sets another. */
static void compare_queues(struct comparing *k)
{
	const char *package = json_string_value(json_object_get(k->qemu->json, "package"));
	enum abibase_cause cause =
		package && *package ? ABIBASE_CAUSE_BUILD : ABIBASE_CAUSE_CATALOGUE;
	unsigned int most = 0;

	for (unsigned int i = 0; i < k->obs->dev.n_queues; i++)
		if (k->obs->dev.queue_size[i] > most)
			most = k->obs->dev.queue_size[i];
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
	const char *value = setting_of(k, row);
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

	if (number < 0 || number == (int64_t)k->obs->dev.vectors)
		return;
	differ(k, e.recorded ? ABIBASE_CAUSE_BUILD : ABIBASE_CAUSE_CATALOGUE,
	       "its MSI-X table has %u entries, and %s says %lld%s", k->obs->dev.vectors,
	       row->key, (long long)number, e.recorded ? "" : " by the catalogue");
}

/* The name of the machine type that may have been called by its alias. */
static const char *machine_name(const json_t *entry, const char *machine)
{
	const json_t *machines = json_object_get(entry, "machines");
	const char *name;
	json_t *v;

	if (json_object_get(machines, machine))
		return machine;
	json_object_foreach((json_t *)machines, name, v) {
		const char *alias = json_string_value(json_object_get(v, "alias"));

		if (alias && streq(alias, machine))
			return name;
	}
	return machine;
}

static const struct profile_qemu *find_qemu(const struct abibase_profile *p, const char *path)
{
	for (size_t i = 0; i < p->n_qemu; i++)
		if (p->qemu[i].path && streq(p->qemu[i].path, path))
			return &p->qemu[i];
	return NULL;
}

int abibase_observation_compare(struct abibase_context *ctx,
					       const struct abibase_catalogue *cat,
					       const struct abibase_observation *obs,
					       const struct abibase_profile *p,
					       abibase_difference_fn fn, void *data)
{
	const char *backend = qtest_backend_names[obs->backend];
	struct comparing k = { .cat = cat, .obs = obs, .p = p, .fn = fn, .data = data,
			       .qemu = find_qemu(p, obs->qemu) };
	int be = catalogue_backend(cat, backend), r;
	const char *machine;

	if (be < 0)
		return context_fail(ctx, EINVAL, "backend-not-known", NULL,
				    "\"%s\" is not a backend of the catalogue, which predicts "
				    "nothing for it",
				    backend);
	if (!k.qemu)
		return context_fail(ctx, EINVAL, "qemu-not-known", NULL,
				    "%s has no record of the QEMU %s", p->name, obs->qemu);
	k.backend = (size_t)be;
	machine = machine_name(k.qemu->json, obs->machine);
	qemu_view_init(&k.view, cat, k.qemu->json, machine);
	r = abibase_predict(ctx, cat, p, obs->qemu, machine, backend,
			    (const char *const *)obs->settings, k.predicted, NULL);
	if (r < 0)
		return r;
	compare_backend(&k);
	for (int bit = 0; bit < 128; bit++)
		if (has_bit(k.predicted, bit) != is_offered(&k, bit))
			compare_bit(&k, bit);
	compare_queues(&k);
	compare_vectors(&k);
	return k.failed ? context_oom(ctx) : k.n;
}
