/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document/guest.h"
#include "document/value.h"

#include <errno.h>
#include <inttypes.h>

#include "base/context.h"
#include "base/known.h"

/* ------------------------------------------------------------- what is accepted */

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

static const struct member device_members[] = {
	{ "backend", J_STRING, .check = schema_name },
	{ "class", J_STRING, .required = true, .check = schema_name },
	{ "config_size", J_INT, LIMITS(0, 4096) },
	{ "id", J_STRING, .check = schema_nonempty },
	{ GUEST_MTU, J_INT, LIMITS(68, GUEST_MTU_MAX) },
	{ "negotiated", J_STRING, .check = check_word },
	{ "offered", J_STRING, .check = check_word },
	{ "properties", J_OBJECT, .keys = schema_key, .each = EACH(J_BOOL) },
	{ "queue_sizes", J_ARRAY, LIMITS(0, GUEST_MAX_QUEUES),
	  .each = EACH(J_INT, LIMITS(0, GUEST_MAX_SIZE)) },
	{ "rom_size", J_INT, LIMITS(0, (int64_t)1 << 31), .check = schema_power_of_two },
	{ "ufo", J_BOOL, .required = false },
	{ GUEST_VHOST_OPTIONAL, J_BOOL, .required = false },
	{ "vnet_hdr", J_BOOL, .required = false },
	{ 0 },
};

static const struct member guest_members[] = {
	{ "build_id", J_STRING, .check = schema_nonempty },
	{ "devices", J_ARRAY, .required = true, AT_LEAST(1),
	  .each = EACH_OBJECT(device_members, MORE_FREE) },
	{ "machine", J_STRING, .check = schema_name },
	{ "name", J_STRING, .check = schema_name },
	{ "package", J_STRING, .check = schema_nonempty },
	{ "qemu", J_STRING, .check = schema_version },
	{ "schema", J_STRING, .required = true },
	{ "target", J_STRING, .check = schema_name },
	{ 0 },
};

const struct form guest_form = { "guest", .members = guest_members, .more = MORE_FREE,
				 .max = JSON_MAX_PROFILE, .check = schema_strings_printable };

/* ------------------------------------------------------------------- the object */

#define CONTROL_QUEUE 64 /* entries, by virtio_net_device_realize() of each QEMU */

static int64_t number_of(const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	return v ? json_integer_value(v) : -1;
}

enum abibase_tri guest_states(const struct guest_device *d, const char *member)
{
	const json_t *v = json_object_get(d->json, member);

	return !v ? ABIBASE_UNKNOWN : json_is_true(v) ? ABIBASE_YES : ABIBASE_NO;
}

static bool word_of(const json_t *obj, const char *key, uint64_t ret[2])
{
	const char *s = string_of(obj, key);

	return s && word_parse(s, ret);
}

static int guest_fill(struct abibase_guest *g)
{
	const json_t *list = json_object_get(g->root, "devices");
	size_t i;
	json_t *v;

	g->name = string_of(g->root, "name");
	g->machine = string_of(g->root, "machine");
	g->target = string_of(g->root, "target");
	g->qemu = string_of(g->root, "qemu");
	g->package = string_of(g->root, "package");
	g->build_id = string_of(g->root, "build_id");
	g->devices = calloc(json_array_size(list) + 1, sizeof(*g->devices));
	if (!g->devices)
		return -ENOMEM;
	json_array_foreach(list, i, v) {
		struct guest_device *d = &g->devices[g->n++];

		d->class_name = string_of(v, "class");
		d->id = string_of(v, "id");
		d->backend = string_of(v, "backend");
		d->has_negotiated = word_of(v, "negotiated", d->negotiated);
		d->has_offered = word_of(v, "offered", d->offered);
		d->queue_sizes = json_object_get(v, "queue_sizes");
		if (json_array_size(d->queue_sizes) == 0)
			d->queue_sizes = NULL;
		d->properties = json_object_get(v, "properties");
		d->config_size = number_of(v, "config_size");
		d->mtu = number_of(v, GUEST_MTU);
		d->rom_size = number_of(v, "rom_size");
		d->json = v;
	}
	return 0;
}

int guest_make(struct abibase_context *ctx, json_t *root, struct abibase_guest **ret)
{
	struct abibase_guest *g = calloc(1, sizeof(*g));

	if (!g) {
		json_decref(root);
		return context_oom(ctx);
	}
	g->refcount = 1;
	g->root = root;
	if (guest_fill(g) < 0) {
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

	return r < 0 ? r : guest_make(ctx, root, ret);
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

int abibase_guest_from_word(struct abibase_context *ctx, const char *word,
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

struct abibase_guest *abibase_guest_ref(struct abibase_guest *g)
{
	if (g)
		__atomic_add_fetch(&g->refcount, 1, __ATOMIC_RELAXED);
	return g;
}

ABIBASE_EXPORT struct abibase_guest *abibase_guest_unref(struct abibase_guest *g)
{
	if (!g || __atomic_sub_fetch(&g->refcount, 1, __ATOMIC_ACQ_REL) > 0)
		return NULL;
	json_decref(g->root);
	free(g->devices);
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
	return guest_from_json(ctx, root, "the guest", ret);
}

ABIBASE_EXPORT const struct abibase_value *abibase_guest_value(const struct abibase_guest *g)
{
	return as_value(g ? g->root : NULL);
}
