/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/context.h"
#include "document/build.h"
#include "document/codec.h"
#include "document/profile.h"
#include "document/seen.h"
#include "document/value.h"
#include "base/known.h"

/* ------------------------------------------------------------- what is accepted */

static bool is_word(const char *s)
{
	size_t digits;

	if (!strprefix(s, "0x"))
		return false;
	digits = strspn(s + 2, "0123456789abcdef");
	return !s[2 + digits] && digits && digits % 4 == 0 && digits <= 64;
}

static void check_fact(struct schema_walk *c, const json_t *v)
{
	const char *s = json_string_value(v);

	if (s && strprefix(s, "0x") && !is_word(s))
		schema_fault(c, "json-bad-value",
			     "\"%s\" is not a feature word: \"0x\" and lower-case hex digits, four "
			     "for every 16 bits that were asked for, at most 256 bits",
			     s);
}

/* "tap.offload.uso": dotted, lower case */
static bool is_fact_id(const char *s, size_t len)
{
	bool dot = false;

	for (const char *p = s; p < s + len; p++) {
		dot = dot || *p == '.';
		if (!(*p >= 'a' && *p <= 'z') && !(*p >= '0' && *p <= '9') && !strchr("_.-", *p))
			return false;
	}
	return dot && s[0] != '.' && s[len - 1] != '.';
}

static bool check_fact_id(struct schema_walk *c, const char *key)
{
	if (is_fact_id(key, strlen(key)))
		return true;
	schema_fault(c, "json-bad-value",
		     "is not a fact id: lower-case words with dots between them, "
		     "such as \"tap.offload.uso\"");
	return false;
}

/* The value may become a word of QEMU's, where a comma ends the word. */
static void check_property_value(struct schema_walk *c, const json_t *v)
{
	const char *s = json_string_value(v);

	for (; s && *s; s++)
		if (*s <= ' ' || *s > '~' || strchr(",\"\\", *s)) {
			schema_fault(c, "json-bad-value",
				     "is not a value of a property: ASCII without spaces, commas, "
				     "quotation marks or backslashes");
			return;
		}
}

/* "pc-q35-rhel*": the beginning of a name. */
static void check_pattern(struct schema_walk *c, const json_t *v)
{
	const char *s = json_string_value(v);

	if (!*s || strcspn(s, "*") != strlen(s) - 1)
		schema_fault(c, "json-bad-value",
			     "\"%s\" is not the beginning of a name with a * after it, such as "
			     "\"pc-q35-rhel*\"",
			     s);
}

static void check_date(struct schema_walk *c, const json_t *v)
{
	const char *s = json_string_value(v);
	unsigned int month, day;
	int end = 0;

	if (strlen(s) != 10 || sscanf(s, "%*4[0-9]-%2u-%2u%n", &month, &day, &end) != 2 ||
	    end != 10 || !month || month > 12 || !day || day > 31)
		schema_fault(c, "json-bad-value", "\"%s\" is not a date: YYYY-MM-DD", s);
}

static const struct member each_value = {
	.types = J_BOOL | J_INT | J_STRING | J_NULL, .check = check_property_value
};

/* What a guest really saw of a device: "shape", by machine type and backend. */

static const struct member bar_members[] = {
	{ "index", J_INT, .required = true, AT_LEAST(0) },
	{ "kind", J_STRING, .required = true, .check = schema_name },
	{ "prefetch", J_BOOL, .required = true },
	{ "size", J_INT, .required = true, AT_LEAST(0) },
	{ 0 },
};

static const struct member observed_members[] = {
	{ "bars", J_ARRAY, .each = EACH_OBJECT(bar_members, MORE_NONE) },
	{ "config_size", J_INT, AT_LEAST(0) },
	{ "offered", J_STRING, .check = schema_offered },
	{ "queue_sizes", J_ARRAY, .each = EACH(J_INT, AT_LEAST(0)) },
	{ "rom_size", J_INT, LIMITS(1, (int64_t)1 << 31), .check = schema_power_of_two },
	{ SHAPE_VECTORS, J_INT, AT_LEAST(0) },
	{ 0 },
};

static const struct member unasked_members[] = {
	{ "build_id", J_STRING, .check = schema_nonempty },
	{ "path", J_STRING, .check = schema_nonempty },
	{ "unknown", J_STRING, .required = true, .check = schema_name },
	{ 0 },
};

#define QEMU(field) INTO(struct profile_qemu, TEXT, field)

static const struct member qemu_members[] = {
	{ "build", J_STRING, .check = schema_digest, QEMU(build) },
	{ "build_id", J_STRING, .check = schema_nonempty },
	{ "catalogue", J_INT, AT_LEAST(1) },
	{ "defaults", J_OBJECT, .keys = schema_key, .each = &each_value },
	{ "ebpf", J_BOOL, .required = false },
	{ "machine_patterns", J_ARRAY, .each = EACH(J_STRING, .check = check_pattern) },
	{ "machines", J_OBJECT, .keys = schema_key,
	  .each = EACH_OBJECT(machine_members, MORE_NONE) },
	{ "package", J_STRING, .required = false },
	{ "path", J_STRING, .check = schema_nonempty, QEMU(path) },
	{ "properties", J_OBJECT, .keys = schema_key,
	  .each = EACH(J_OBJECT, .keys = schema_key, .each = EACH_TEXT) },
	{ "shape", J_OBJECT, .keys = schema_key,
	  .each = EACH(J_OBJECT, .keys = schema_key,
		       .each = EACH(J_OBJECT, .members = observed_members, AT_LEAST(1))) },
	{ "target", J_STRING, .required = true, .check = schema_name, QEMU(target) },
	{ "values", J_OBJECT, .keys = schema_key,
	  .each = EACH(J_OBJECT, .keys = schema_key, .each = &each_value) },
	{ "version", J_STRING, .required = true, .check = schema_version, QEMU(version) },
	{ 0 },
};

/* Each value is of the type that is recorded of its property. */
static void check_values(struct schema_walk *c, const json_t *properties, const json_t *values)
{
	const char *class_name, *key;
	json_t *known, *v;

	json_object_foreach((json_t *)properties, class_name, known) {
		size_t len = strlen(class_name);

		json_object_foreach((json_t *)values, key, v)
			if (!strncmp(key, class_name, len) && key[len] == '.')
				value_check(c, string_of(known, key + len + 1), key, v);
	}
}

static void check_types(struct schema_walk *c, const json_t *entry)
{
	const json_t *properties = json_object_get(entry, "properties");
	size_t mark = schema_enter(c, "defaults"), mark2;
	const char *machine;
	json_t *values;

	check_values(c, properties, json_object_get(entry, "defaults"));
	schema_leave(c, mark);
	mark = schema_enter(c, "values");
	json_object_foreach(json_object_get(entry, "values"), machine, values) {
		mark2 = schema_enter(c, machine);
		check_values(c, properties, values);
		schema_leave(c, mark2);
	}
	schema_leave(c, mark);
}

const struct form qemu_form = { "profile", "qemu",
				.members = qemu_members, .more = MORE_KEPT,
				.check = check_types };

const struct form unasked_form = { "profile", "unasked",
				   .members = unasked_members, .more = MORE_KEPT };

static void check_qemu(struct schema_walk *c, const json_t *v)
{
	schema_document(c, v, json_object_get(v, "unknown") ? &unasked_form : &qemu_form);
}

static const struct member kernel_members[] = {
	{ "release", J_STRING, .required = true, .check = schema_nonempty },
	{ "version", J_STRING, .required = false },
	{ 0 },
};

static const struct member package_members[] = {
	{ "name", J_STRING, .required = true, .check = schema_nonempty },
	{ "version", J_STRING, .required = true, .check = schema_nonempty },
	{ 0 },
};

static const struct member lifecycle_members[] = {
	{ "extended_end", J_STRING | J_NULL, .check = check_date },
	{ "release", J_STRING | J_NULL, .check = check_date },
	{ "source", J_STRING, .required = true, .check = schema_nonempty },
	{ "standard_end", J_STRING | J_NULL, .check = check_date },
	{ 0 },
};

static const struct member probe_members[] = {
	{ "capabilities", J_ARRAY, .each = EACH(J_STRING) },
	{ "euid", J_INT, .required = false },
	{ "loaded_modules", J_ARRAY, .each = EACH(J_STRING) },
	{ "missing_capabilities", J_ARRAY, .each = EACH(J_STRING) },
	{ "network_namespace", J_BOOL, .required = false },
	{ "no_load", J_BOOL, .required = false },
	{ "user_namespace", J_BOOL, .required = false },
	{ 0 },
};

static const char *const kind_words[] = { "host", "platform", NULL };
static const char *const evidence_words[] = { "probed", "distro-source", "vendor-statement",
					      "bracketed", NULL };

#define PROFILE(how, field) INTO(struct abibase_profile, how, field)

static const struct member profile_members[] = {
	{ "arch", J_STRING, .required = true, .check = schema_name, PROFILE(TEXT, arch) },
	{ "boot_id", J_STRING, .check = schema_nonempty },
	{ "evidence", J_OBJECT, .each = EACH(J_STRING, .words = evidence_words) },
	{ "facts", J_OBJECT, .required = true, .keys = check_fact_id,
	  .each = EACH(J_BOOL | J_INT | J_STRING | J_OBJECT, .members = unknown_members,
		       .check = check_fact),
	  PROFILE(JSON, facts) },
	{ "kernel", J_OBJECT, .members = kernel_members },
	{ "kind", J_STRING, .required = true, .words = kind_words, PROFILE(TEXT, kind) },
	{ "lifecycle", J_OBJECT, .members = lifecycle_members },
	{ "name", J_STRING, .required = true, .check = schema_name, PROFILE(TEXT, name) },
	{ "needs", J_OBJECT, .each = EACH(J_STRING, .check = schema_need_of_reader) },
	{ "packages", J_ARRAY, .each = EACH_OBJECT(package_members, MORE_NONE) },
	{ "probe", J_OBJECT, .members = probe_members },
	{ "qemu", J_ARRAY, .each = EACH(J_OBJECT, .check = check_qemu) },
	{ "revision", J_INT, AT_LEAST(1), PROFILE(INT, revision) },
	{ "schema", J_STRING, .required = true },
	{ 0 },
};

/* Some members belong to one kind only. */
static void check_kind_members(struct schema_walk *c, const json_t *root)
{
	static const char *const host_only[] = { "boot_id", "probe", NULL };
	static const char *const platform_only[] = { "evidence", "packages", "lifecycle", NULL };
	const char *kind = string_of(root, "kind");
	bool platform = kind && streq(kind, "platform");

	if (!kind)
		return;
	for (const char *const *k = platform ? host_only : platform_only; *k; k++)
		if (json_object_get(root, *k)) {
			size_t mark = schema_enter(c, *k);

			schema_fault(c, "json-unknown-key", "does not belong to a %s profile",
				     kind);
			schema_leave(c, mark);
		}
	if (platform && !json_object_get(root, "revision"))
		schema_fault(c, "json-missing-key", "a platform profile needs a \"revision\"");
	if (platform && !json_object_get(root, "evidence"))
		schema_fault(c, "json-missing-key", "a platform profile needs \"evidence\"");
}

/* "vhost_net.features.known" is as wide as the word that it is about, or unknown. */
static void check_mask(struct schema_walk *c, const json_t *facts, const char *key,
		       const json_t *mask)
{
	char id[128];
	int n = snprintf(id, sizeof(id), "%.*s", (int)length_without(key, ".known"), key);
	const json_t *word = n > 0 && (size_t)n < sizeof(id) ? json_object_get(facts, id) : NULL;
	const char *s = json_string_value(word);

	if (!s || !is_word(s) || json_is_object(mask))
		return;
	if (!json_is_string(mask) || !is_word(json_string_value(mask)) ||
	    json_string_length(mask) != json_string_length(word))
		schema_fault(c, "json-bad-value",
			     "is not a word as wide as \"%s\", which has %zu bits", id,
			     4 * (json_string_length(word) - 2));
}

static void check_masks(struct schema_walk *c, const json_t *facts)
{
	size_t mark = schema_enter(c, "facts"), mark2;
	const char *key;
	json_t *item;

	json_object_foreach((json_t *)facts, key, item) {
		mark2 = schema_enter(c, key);
		if (fact_is_mask(key))
			check_mask(c, facts, key, item);
		schema_leave(c, mark2);
	}
	schema_leave(c, mark);
}

static void check_profile(struct schema_walk *c, const json_t *root)
{
	/* these words go into baselines, and their reader refuses such */
	size_t mark = schema_enter(c, "qemu");

	schema_strings_printable(c, json_object_get(root, "qemu"));
	schema_leave(c, mark);
	check_kind_members(c, root);
	check_masks(c, json_object_get(root, "facts"));
}

const struct form profile_form = { "profile", .members = profile_members, .more = MORE_FREE,
				   .max = JSON_MAX_PROFILE, .check = check_profile };

/* ------------------------------------------------------------------- the object */

static int profile_fill_qemu(struct abibase_profile *p)
{
	const json_t *list = json_object_get(p->root, "qemu");
	size_t i;
	json_t *v;

	p->has_qemu = list != NULL;
	if (!json_array_size(list))
		return 0;
	p->qemu = calloc(json_array_size(list), sizeof(*p->qemu));
	if (!p->qemu)
		return -ENOMEM;
	json_array_foreach(list, i, v) {
		struct profile_qemu *q = &p->qemu[p->n_qemu];

		if (json_object_get(v, "unknown")) {
			p->n_unasked++;
			continue;
		}
		p->n_qemu++;
		q->json = v;
		codec_fill(NULL, qemu_members, v, q);
	}
	return 0;
}

const struct profile_qemu *profile_qemu_at(const struct abibase_profile *p, const char *path)
{
	for (size_t i = 0; i < p->n_qemu; i++)
		if (p->qemu[i].path && streq(p->qemu[i].path, path))
			return &p->qemu[i];
	return NULL;
}

const json_t *profile_unasked(const struct abibase_profile *p, size_t i)
{
	size_t k;
	json_t *v;

	json_array_foreach(json_object_get(p->root, "qemu"), k, v)
		if (json_object_get(v, "unknown") && i-- == 0)
			return v;
	return NULL;
}

#define TYPICAL_TEXT 8000

/* Most of a profile is its QEMU entries, so their text is written once for both digests. */
static int profile_digest(struct abibase_profile *p)
{
	_autofree_ struct json_span *spans = calloc(p->n_qemu + 1, sizeof(*spans));
	struct json_span whole = { 0 };
	_buf_ text = { 0 };

	if (!spans)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_qemu; i++) {
		spans[i].object = p->qemu[i].json;
		spans[i].without = "path";
	}
	buf_reserve(&text, TYPICAL_TEXT); /* growing in steps costs more than the writing */
	json_write_compact_spans(&text, p->root, spans, p->n_qemu);
	if (buf_failed(&text))
		return -ENOMEM;
	whole.end = text.len;
	json_span_digest(&text, &whole, p->digest);
	for (size_t i = 0; i < p->n_qemu; i++)
		json_span_digest(&text, &spans[i], p->qemu[i].digest);
	return 0;
}

/* The same of a profile whose list is known. */
static int profile_digest_known(struct abibase_profile *p, const struct seen_list *k)
{
	struct json_span whole = { 0 };
	_buf_ text = { 0 };

	buf_reserve(&text, TYPICAL_TEXT);
	json_write_compact_around(&text, p->root, k->list, k->compact);
	if (buf_failed(&text))
		return -ENOMEM;
	whole.end = text.len;
	json_span_digest(&text, &whole, p->digest);
	for (size_t i = 0; i < p->n_qemu; i++)
		memcpy(p->qemu[i].digest, k->digests[i], sizeof(p->qemu[i].digest));
	return 0;
}

static int profile_fill(struct abibase_profile *p, const struct seen_list *k)
{
	codec_fill(NULL, profile_members, p->root, p);
	if (profile_fill_qemu(p) < 0)
		return -ENOMEM;
	return k ? profile_digest_known(p, k) : profile_digest(p);
}

int profile_from_json(struct abibase_context *ctx, json_t *root, const char *source,
		      struct abibase_profile **ret)
{
	const json_t *list = json_object_get(root, "qemu");
	const struct seen_list *k = seen_find(ctx, list);
	struct abibase_profile *p;
	struct schema_walk c;

	schema_init(&c, ctx, source);
	c.right = k ? list : NULL;
	schema_document(&c, root, &profile_form);
	p = c.faults ? NULL : calloc(1, sizeof(*p));
	if (!p) {
		json_decref(root);
		return c.faults ? schema_result(&c) : context_oom(ctx);
	}
	p->refcount = 1;
	p->root = root;
	if (profile_fill(p, k) < 0) {
		abibase_profile_unref(p);
		return context_oom(ctx);
	}
	if (!k && !c.warned)
		seen_keep(ctx, list, p->qemu, p->n_qemu);
	*ret = p;
	return 0;
}

int profile_from_document(struct abibase_context *ctx, json_t *root, const char *source,
			  const char *path, struct abibase_profile **ret)
{
	struct abibase_profile *p;
	int r = profile_from_json(ctx, root, source, &p);

	if (r < 0)
		return r;
	r = builds_find(ctx, p, path);
	if (r < 0) {
		abibase_profile_unref(p);
		return r;
	}
	*ret = p;
	return 0;
}

int profile_read(struct abibase_context *ctx, const char *path, struct abibase_profile **ret)
{
	json_t *root;
	int r = document_read(ctx, path, &profile_form, &root);

	return r < 0 ? r : profile_from_json(ctx, root, path, ret);
}

struct abibase_profile *profile_share(struct abibase_profile *p)
{
	struct abibase_profile *to = malloc(sizeof(*to));

	if (!to)
		return NULL;
	*to = *p;
	to->refcount = 1;
	to->shared = abibase_profile_ref(p);
	to->qemu = calloc(p->n_qemu + 1, sizeof(*p->qemu));
	to->n_qemu = to->qemu ? p->n_qemu : 0;
	for (size_t i = 0; i < to->n_qemu; i++) {
		to->qemu[i] = p->qemu[i];
		to->qemu[i].filled = NULL;
		build_record_ref(to->qemu[i].record);
	}
	return to->qemu ? to : abibase_profile_unref(to);
}

ABIBASE_EXPORT DEFINE_REF(abibase_profile, abibase_profile_ref)

ABIBASE_EXPORT struct abibase_profile *abibase_profile_unref(struct abibase_profile *p)
{
	if (!p || __atomic_sub_fetch(&p->refcount, 1, __ATOMIC_ACQ_REL) > 0)
		return NULL;
	for (size_t i = 0; i < p->n_qemu; i++) {
		build_record_unref(p->qemu[i].record);
		json_decref(p->qemu[i].filled);
	}
	if (p->shared)
		abibase_profile_unref(p->shared);
	else
		json_decref(p->root);
	free(p->qemu);
	free(p);
	return NULL;
}

ABIBASE_EXPORT const struct abibase_value *abibase_profile_value(const struct abibase_profile *p)
{
	return as_value(p ? p->root : NULL);
}

int profile_rename(struct abibase_context *ctx,
					  const struct abibase_profile *p, const char *name,
					  struct abibase_profile **ret)
{
	json_t *root, *value;
	int r;

	if (!name_valid(name))
		return context_fail(ctx, EINVAL, "json-bad-value", NULL,
				    "\"%s\" is not a name for a host", name);
	root = json_copy(p->root); /* the members are shared: they are never changed */
	value = json_string(name);
	if (!root || json_object_set_new(root, "name", value) < 0) {
		json_decref(root);
		return context_oom(ctx);
	}
	r = profile_from_json(ctx, root, name, ret);
	for (size_t i = 0; r == 0 && i < p->n_qemu; i++)
		(*ret)->qemu[i].record = build_record_ref(p->qemu[i].record);
	return r;
}

int profile_with_qemu(struct abibase_context *ctx, const struct abibase_profile *p,
		      const json_t *entry, struct abibase_profile **ret)
{
	json_t *root = json_deep_copy(p->root), *list = json_array();

	if (json_put(root, "qemu", list) < 0 ||
	    (entry && json_add(list, json_deep_copy(entry)) < 0)) {
		json_decref(root);
		return context_oom(ctx);
	}
	return profile_from_json(ctx, root, p->name, ret);
}

int word_bit(const char *hex, unsigned int bit)
{
	size_t digits = strlen(hex) - 2;
	char c;

	if (bit / 4 >= digits)
		return -1;
	c = hex[2 + digits - 1 - bit / 4];
	return ((c <= '9' ? c - '0' : c - 'a' + 10) >> (bit % 4)) & 1;
}

size_t condition_parse(const char *s, int *ret_bit)
{
	const char *open = strchr(s, '[');
	size_t len = open ? (size_t)(open - s) : strlen(s);
	unsigned int bit = 0;
	int end = 0;

	if (open && (open[1] < '0' || open[1] > '9' ||
		     sscanf(open, "[%3u]%n", &bit, &end) != 1 || !end || open[end]))
		return 0;
	*ret_bit = open ? (int)bit : -1;
	return is_fact_id(s, len) ? len : 0;
}

/*
 * "vhost_net.features.known" has the bits of the word that are known; without it all are. Where it
 * is unknown itself none is.
 */
static bool is_known_bit(const struct abibase_profile *p, const char *fact, unsigned int bit)
{
	char id[128];
	int n = snprintf(id, sizeof(id), "%s.known", fact);
	const json_t *mask = n > 0 && (size_t)n < sizeof(id) ? json_object_get(p->facts, id) : NULL;
	const char *word = json_string_value(mask);

	if (!mask)
		return true;
	return word && strprefix(word, "0x") && word_bit(word, bit) != 0;
}

bool fact_is_mask(const char *fact)
{
	return ends_with(fact, ".known");
}

enum abibase_tri profile_ask(const struct abibase_profile *p, const char *fact, int bit,
			     const char **ret_reason)
{
	const json_t *v = json_object_get(p->facts, fact);
	const char *reason = "not-recorded";
	int answer = -1;

	if (json_is_boolean(v)) {
		/* a word that is false: the kernel has no such word, hence none of its bits */
		if (bit < 0 || json_is_false(v))
			answer = json_is_true(v);
	} else if (json_is_string(v) && bit >= 0 && strprefix(json_string_value(v), "0x")) {
		answer = word_bit(json_string_value(v), (unsigned int)bit);
		reason = "not-asked";
		if (answer == 0 && !is_known_bit(p, fact, (unsigned int)bit)) {
			answer = -1;
			reason = "lower-bound";
		}
	} else if (json_is_object(v)) {
		reason = string_of(v, "unknown");
	}
	if (ret_reason)
		*ret_reason = answer < 0 ? reason : NULL;
	return answer < 0 ? ABIBASE_UNKNOWN : (enum abibase_tri)answer;
}

int64_t profile_number(const struct abibase_profile *p, const char *fact)
{
	const json_t *v = json_object_get(p->facts, fact);

	return json_is_integer(v) ? json_integer_value(v) : -1;
}

const char *unknown_remedy(const char *reason)
{
	static const struct {
		const char *reason, *remedy;
	} table[] = {
		{ "no-permission", "run the probe with the right to open the device node: as root, "
				   "or as a member of the group that owns it" },
		{ "no-device-node", "run the probe where the device node is visible, or create it "
				    "(load the module, or pass it into the container)" },
		{ "not-loaded", "load the module, or run the probe without --no-load" },
		{ "no-device", "load the module that serves the device node" },
		{ "no-namespace", "let the probe make a network namespace: run it as root, or "
				  "allow user namespaces" },
		{ "no-file-descriptors", "raise the limit on open files for the probe" },
		{ "no-module-index", "install the module index of the running kernel "
				     "(/lib/modules), or load the module" },
		{ "refused", "run the probe outside of the container, or let its device cgroup and "
			     "its seccomp filter pass the device" },
		{ "lower-bound",
		  "probe a host of that kind: of this word only the bits that are on are "
		  "known for sure" },
		{ "not-asked", "run the probe without leaving this out: name it with --only" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (streq(table[i].reason, reason))
			return table[i].remedy;
	return "probe this host again with this version of abibase";
}

int64_t profile_asked(const json_t *entry)
{
	const json_t *revision = json_object_get(entry, "catalogue");

	return revision ? json_integer_value(revision) : 1;
}
