/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document/guest.h"

#include <errno.h>
#include <inttypes.h>

#include "base/context.h"
#include "base/known.h"
#include "document/codec.h"
#include "document/value.h"

/* ------------------------------------------------------------- what is accepted */

static bool word_of(const json_t *obj, const char *key, uint64_t ret[2])
{
	const char *s = string_of(obj, key);

	return s && word_parse(s, ret);
}

static void check_word(struct schema_walk *c, const json_t *v)
{
	const char *s = json_string_value(v);
	uint64_t word[2];

	if (!strprefix(s, "0x") || !word_parse(s, word))
		schema_fault(c, "json-bad-value",
			     "\"%s\" is not a feature word: \"0x\" and hex digits, of at most 128 "
			     "bits",
			     s);
}

/* "class.property" */
static bool check_property_name(struct schema_walk *c, const char *key)
{
	const char *dot = strchr(key, '.');

	if (name_valid(key) && dot && dot[1])
		return true;
	schema_fault(c, "json-bad-value",
		     "is not the name of a property with its class, as in " A_PROPERTY);
	return false;
}

#define DEVICE(how, field) INTO(struct guest_device, how, field)

static const struct member device_members[] = {
	{ "backend", J_STRING, .check = schema_name, DEVICE(TEXT, backend) },
	{ "class", J_STRING, .required = true, .check = schema_name, DEVICE(TEXT, class_name) },
	{ "config_size", J_INT, LIMITS(0, 4096), DEVICE(STATED, config_size) },
	{ "id", J_STRING, .check = schema_nonempty, DEVICE(TEXT, id) },
	{ GUEST_MTU, J_INT, LIMITS(68, GUEST_MTU_MAX), DEVICE(STATED, mtu) },
	{ "negotiated", J_STRING, .check = check_word, DEVICE(FEATURES, negotiated) },
	{ "offered", J_STRING, .check = check_word, DEVICE(FEATURES, offered) },
	{ "properties", J_OBJECT, .keys = check_property_name, .each = EACH(J_BOOL),
	  DEVICE(JSON, properties) },
	{ "queue_sizes", J_ARRAY, LIMITS(0, GUEST_MAX_QUEUES),
	  .each = EACH(J_INT, LIMITS(0, GUEST_MAX_SIZE)), DEVICE(JSON, queue_sizes) },
	{ "rom_size", J_INT, LIMITS(0, (int64_t)1 << 31), .check = schema_power_of_two,
	  DEVICE(STATED, rom_size) },
	{ "ufo", J_BOOL, .required = false },
	{ GUEST_VHOST_OPTIONAL, J_BOOL, .required = false },
	{ "vnet_hdr", J_BOOL, .required = false },
	{ 0 },
};

/* QEMU takes no feature of a driver that it did not offer. */
static void check_offered(struct schema_walk *c, const json_t *device)
{
	uint64_t taken[2], offered[2];
	size_t mark;

	if (!word_of(device, "negotiated", taken) || !word_of(device, "offered", offered))
		return;
	for (int bit = 0; bit < 128; bit++) {
		if (!word_has(taken, bit) || word_has(offered, bit))
			continue;
		mark = schema_enter(c, "negotiated");
		schema_fault(c, "json-bad-value",
			     "has bit %d, which \"offered\" has not: a guest has what it was "
			     "offered and no more",
			     bit);
		schema_leave(c, mark);
		return;
	}
}

static void check_powers(struct schema_walk *c, const json_t *device)
{
	const json_t *list = json_object_get(device, "queue_sizes");
	size_t mark = schema_enter(c, "queue_sizes"), mark2, i;
	uint64_t word[2];
	json_t *v;

	/* whether it is a packed ring is known of what the guest took, or could have taken */
	if ((word_of(device, "negotiated", word) || word_of(device, "offered", word)) &&
	    !word_has(word, PACKED_BIT))
		json_array_foreach(list, i, v) {
			int64_t n = json_integer_value(v);

			mark2 = schema_enter_index(c, i);
			if (n > 0 && n & (n - 1))
				schema_fault(c, "json-bad-value",
					     "is %" PRId64
					     ": a queue that is not packed has a power "
					     "of two, or 0 where the driver does not use it",
					     n);
			schema_leave(c, mark2);
		}
	schema_leave(c, mark);
}

static void check_device(struct schema_walk *c, const json_t *device)
{
	check_offered(c, device);
	check_powers(c, device);
}

#define GUEST(how, field) INTO(struct abibase_guest, how, field)

static const struct member guest_members[] = {
	{ "build_id", J_STRING, .check = schema_nonempty, GUEST(TEXT, build_id) },
	{ "devices", J_ARRAY, .required = true, AT_LEAST(1), GUEST(LIST, devices),
	  .size = sizeof(struct guest_device),
	  .each = EACH(J_OBJECT, .members = device_members, .more = MORE_FREE,
		       .check = check_device) },
	{ "machine", J_STRING, .check = schema_name, GUEST(TEXT, machine) },
	{ "name", J_STRING, .check = schema_name, GUEST(TEXT, name) },
	{ "package", J_STRING, .check = schema_nonempty, GUEST(TEXT, package) },
	{ "qemu", J_STRING, .check = schema_version, GUEST(TEXT, qemu) },
	{ "schema", J_STRING, .required = true },
	{ "target", J_STRING, .check = schema_name, GUEST(TEXT, target) },
	{ 0 },
};

/* ------------------------------------------------- what the catalogue knows better */

/* Does another property of the device bring the bit? */
static bool is_shared(const struct abibase_catalogue *cat, const struct row *row,
		      const json_t *properties)
{
	for (size_t i = 0; i < cat->n_rows; i++) {
		const struct row *other = &cat->rows[i];

		if (other != row && other->bit == row->bit &&
		    streq(other->class_name, row->class_name) &&
		    !json_is_false(json_object_get(properties, other->key)))
			return true;
	}
	return false;
}

static void sense_bit(struct schema_walk *c, const char *state, const char *feature, int bit)
{
	schema_fault(
		c, "json-bad-value",
		"is %s, and with that a device does not offer %s (bit %d), which it did by its "
		"feature word: one of the two is wrong",
		state, feature, bit);
}

static void sense_property(struct schema_walk *c, const struct abibase_catalogue *cat,
			   const json_t *properties, const char *key, const uint64_t had[2])
{
	bool on = json_is_true(json_object_get(properties, key));
	int r = catalogue_row(cat, key);
	const struct row *row = r < 0 ? NULL : &cat->rows[r];

	if (!row)
		return;
	if (!streq(row->type, "bool") && !streq(row->type, "OnOffAuto"))
		schema_fault(
			c, "json-wrong-type",
			"is no property that is on or off, which is all that is accepted here");
	else if (!on && row->bit >= 0 && word_has(had, row->bit) &&
		 !is_shared(cat, row, properties))
		sense_bit(c, "off", row->feature, row->bit);
	for (size_t i = 0; on && i < cat->n_requirements; i++)
		if (cat->requirements[i].masked_by == r && word_has(had, cat->requirements[i].bit))
			sense_bit(c, "on", cat->requirements[i].feature, cat->requirements[i].bit);
}

/* Do all QEMUs look at one of @wanted for this row, on this backend? */
static bool needs_one_of(const struct needs *needs, const struct needs *wanted)
{
	for (size_t i = 0; i < needs->n; i++) {
		const struct need *a = &needs->need[i];

		for (size_t k = 0; k < wanted->n; k++)
			if (a->condition == wanted->need[k].condition && !a->without &&
			    version_is_zero(&a->since) && version_is_zero(&a->until) &&
			    version_is_zero(&a->machine_until))
				return true;
	}
	return false;
}

/* On the backend of the device, or where that is not stated on all that it can be on. */
static bool proves(const struct abibase_catalogue *cat, const struct row *row,
		   const struct requirement *q, const char *backend)
{
	bool any = false;

	for (size_t be = 0; be < cat->n_backends; be++) {
		if (!(q->backends & row->backends & (1u << be)) || !q->needs[be].n ||
		    (backend && !streq(cat->backends[be].name, backend)))
			continue;
		if (!needs_one_of(&row->needs[be], &q->needs[be]))
			return false;
		any = true;
	}
	return any;
}

/* What is said not to hold, and follows from a feature that the guest has. */
static void sense_stated(struct schema_walk *c, const struct abibase_catalogue *cat,
			 const json_t *device, const struct requirement *q, const uint64_t had[2])
{
	const char *class_name = string_of(device, "class");

	for (size_t i = 0; i < cat->n_rows; i++) {
		const struct row *row = &cat->rows[i];
		size_t mark;

		if (row->bit < 0 || !word_has(had, row->bit) ||
		    !streq(row->class_name, class_name) ||
		    !proves(cat, row, q, string_of(device, "backend")))
			continue;
		mark = schema_enter(c, q->stated_by);
		sense_bit(c, "false", row->feature, row->bit);
		schema_leave(c, mark);
		return;
	}
}

static void sense_device(struct schema_walk *c, const struct abibase_catalogue *cat,
			 const json_t *device)
{
	const json_t *properties = json_object_get(device, "properties");
	uint64_t had[2] = { 0, 0 }, offered[2] = { 0, 0 };
	size_t mark = schema_enter(c, "properties"), mark2;
	const char *key;
	json_t *v;

	word_of(device, "negotiated", had);
	word_of(device, "offered", offered);
	for (int i = 0; i < 2; i++)
		had[i] |= offered[i];
	json_object_foreach((json_t *)properties, key, v) {
		mark2 = schema_enter(c, key);
		sense_property(c, cat, properties, key, had);
		schema_leave(c, mark2);
	}
	schema_leave(c, mark);
	for (size_t i = 0; i < cat->n_requirements; i++) {
		const struct requirement *q = &cat->requirements[i];

		if (q->stated_by && json_is_false(json_object_get(device, q->stated_by)))
			sense_stated(c, cat, device, q, had);
	}
}

void guest_check_sense(struct schema_walk *c, const struct abibase_catalogue *cat,
		       const json_t *root)
{
	size_t mark = schema_enter(c, "devices"), mark2, i;
	json_t *v;

	json_array_foreach(json_object_get(root, "devices"), i, v) {
		mark2 = schema_enter_index(c, i);
		sense_device(c, cat, v);
		schema_leave(c, mark2);
	}
	schema_leave(c, mark);
}

const struct form guest_form = { "guest", .members = guest_members, .more = MORE_FREE,
				 .max = JSON_MAX_PROFILE, .check = schema_strings_printable };

/* ------------------------------------------------------------------- the object */

#define CONTROL_QUEUE 64 /* entries, by virtio_net_device_realize() of each QEMU */

const char *guest_unjudged(const struct abibase_guest *g, size_t i)
{
	const json_t *list = json_object_get(g->root, DOMAIN_NOT_JUDGED);

	if (i >= json_array_size(list))
		return NULL;
	return json_string_value(json_array_get(list, i)) ?: "a word";
}

enum abibase_tri guest_states(const struct guest_device *d, const char *member)
{
	const json_t *v = json_object_get(d->json, member);

	return !v ? ABIBASE_UNKNOWN : json_is_true(v) ? ABIBASE_YES : ABIBASE_NO;
}

int guest_device_backend(const struct abibase_catalogue *cat, const struct guest_device *d)
{
	int be = d->backend ? catalogue_backend(cat, d->backend) : -1;

	return d->backend && be < 0 ? MAX_BACKENDS : be;
}

unsigned int guest_without_vhost(const struct abibase_catalogue *cat, int backend)
{
	const char *name = cat->backends[backend].name;
	_autofree_ char *plain = strndup(name, strcspn(name, "+"));
	int be = plain ? catalogue_backend(cat, plain) : -1;

	return be < 0 ? 0 : 1u << be;
}

unsigned int guest_backends(const struct abibase_catalogue *cat, const struct abibase_guest *g,
			    bool *ret_named)
{
	unsigned int ret = 0;

	*ret_named = false;
	for (size_t i = 0; i < g->n; i++) {
		const struct guest_device *d = &g->devices[i];
		bool optional = guest_states(d, GUEST_VHOST_OPTIONAL) == ABIBASE_YES;
		int be = guest_device_backend(cat, d);

		if (be < 0 || be == MAX_BACKENDS || cat->backends[be].predicted_only)
			continue;
		ret |= 1u << be;
		if (optional)
			ret |= guest_without_vhost(cat, be);
		/* a device is required in any case */
		*ret_named |= !optional && !cat->backends[be].device;
	}
	return ret;
}

int guest_make(struct abibase_context *ctx, json_t *root, const char *source,
	       struct abibase_guest **ret)
{
	struct abibase_guest *g = calloc(1, sizeof(*g));

	if (!g) {
		json_decref(root);
		return context_oom(ctx);
	}
	g->refcount = 1;
	g->root = root;
	codec_fill(&g->arena, guest_members, root, g);
	for (size_t i = 0; i < g->n; i++)
		g->devices[i].json = json_array_get(json_object_get(root, "devices"), i);
	g->source = arena_strdup(&g->arena, source);
	if (g->arena.failed) {
		abibase_guest_unref(g);
		return context_oom(ctx);
	}
	*ret = g;
	return 0;
}

int guest_from_json(struct abibase_context *ctx, json_t *root, const char *source,
		    struct abibase_guest **ret)
{
	int r = document_check(ctx, root, source, &guest_form);

	return r < 0 ? r : guest_make(ctx, root, source, ret);
}

ABIBASE_EXPORT int abibase_guest_from_buffer(struct abibase_context *ctx, const char *buf,
					     size_t len, const char *source,
					     struct abibase_guest **ret)
{
	json_t *root;
	int r = json_parse(ctx, buf, len, JSON_MAX_PROFILE, source, &root);

	return r < 0 ? r : guest_from_json(ctx, root, source, ret);
}

json_t *guest_word(const uint64_t word[2])
{
	char s[40];

	if (word[1])
		snprintf(s, sizeof(s), "0x%" PRIx64 "%016" PRIx64, word[1], word[0]);
	else
		snprintf(s, sizeof(s), "0x%" PRIx64, word[0]);
	return json_string(s);
}

int guest_from_word(struct abibase_context *ctx, const char *word,
					   const char *class_name, struct abibase_guest **ret)
{
	uint64_t w[2];
	json_t *root;

	if (!word_parse(word, w))
		return context_fail(ctx, EINVAL, "not-a-guest", NULL,
				    "\"%s\" is not a feature word: hex digits, of at most 128 bits",
				    word);
	root = json_pack("{s:s, s:[{s:s, s:o}]}", "schema", "abibase-guest/1", "devices", "class",
			 class_name ? class_name : NET_DEVICE, "negotiated",
			 guest_word(w));
	return root ? guest_from_json(ctx, root, word, ret) : context_oom(ctx);
}

DEFINE_REF(abibase_guest, guest_ref)

ABIBASE_EXPORT struct abibase_guest *abibase_guest_unref(struct abibase_guest *g)
{
	if (!g || __atomic_sub_fetch(&g->refcount, 1, __ATOMIC_ACQ_REL) > 0)
		return NULL;
	json_decref(g->root);
	arena_clear(&g->arena);
	free(g);
	return NULL;
}

/* ------------------------------------------------------------ what the caller knows better */

/* A member that is not there is entered; the same value again is no contradiction. */
static int assume(struct abibase_context *ctx, json_t *obj, const char *key, json_t *value)
{
	const json_t *is = json_object_get(obj, key);
	int r = 0;

	if (!value)
		return context_oom(ctx);
	if (!is)
		return json_object_set_new(obj, key, value) < 0 ? context_oom(ctx) : 0;
	if (!json_equal(is, value)) {
		_autofree_ char *text = json_dumps(is, JSON_ENCODE_ANY);

		r = context_fail(ctx, EINVAL, "guest-differs", NULL,
				 "the guest states its %s itself: %s", key, text ? text : "");
	}
	json_decref(value);
	return r;
}

/* One size alone is that of every queue; no option makes a control queue longer. */
static json_t *sizes_json(const json_t *device, const unsigned int *sizes, size_t n)
{
	bool is_net = streq(string_of(device, "class"), NET_DEVICE);
	unsigned int size = sizes[0];
	unsigned int all[] = { size, size, is_net && size > CONTROL_QUEUE ? CONTROL_QUEUE : size };
	json_t *list = json_array();

	if (n == 1) {
		sizes = all;
		n = ARRAY_SIZE(all);
	}
	for (size_t i = 0; list && i < n; i++)
		if (json_array_append_new(list, json_integer(sizes[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

ABIBASE_EXPORT int abibase_guest_assume(struct abibase_context *ctx, const struct abibase_guest *g,
					const char *machine, const char *backend,
					const unsigned int *queue_sizes, size_t n_queue_sizes,
					struct abibase_guest **ret)
{
	json_t *root = json_deep_copy(g->root), *v;
	size_t i;
	int r = root ? 0 : context_oom(ctx);

	if (r == 0 && machine)
		r = assume(ctx, root, "machine", json_string(machine));
	json_array_foreach(json_object_get(root, "devices"), i, v) {
		if (r == 0 && backend && !json_object_get(v, "backend"))
			r = assume(ctx, v, "backend", json_string(backend));
		if (json_array_size(json_object_get(v, "queue_sizes")) == 0)
			json_object_del(v, "queue_sizes");
		if (r == 0 && n_queue_sizes)
			r = assume(ctx, v, "queue_sizes",
				   sizes_json(v, queue_sizes, n_queue_sizes));
	}
	if (r < 0) {
		json_decref(root);
		return r;
	}
	return guest_from_json(ctx, root, g->source, ret);
}

ABIBASE_EXPORT const struct abibase_value *abibase_guest_value(const struct abibase_guest *g)
{
	return as_value(g ? g->root : NULL);
}
