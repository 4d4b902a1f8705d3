/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The record of a QEMU build: each class of which there can be a device, but for CPUs, with all its
 * properties, and what each machine type changes. What many of them share is written once; see
 * lib/document/build.c for how it is read again.
 */

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/context.h"
#include "document/build.h"
#include "probe/probe.h"
#include "qemu/qmp.h"

/* ------------------------------------------------- numbers that the reader has no room for */

/*
 * QEMU states 2^64-1 as the default of some sizes, and the JSON library reads signed numbers only.
 * Such a number becomes a text, in place: 18446744073709551615 has as many digits as
 * "0xffffffffffffffff".
 */
static void rewrite_number(char *start, char *end)
{
	char text[24];
	unsigned long long n;

	if (end - start < 19 || end - start > 20)
		return;
	errno = 0;
	snprintf(text, sizeof(text), "%.*s", (int)(end - start), start);
	n = strtoull(text, NULL, 10);
	if (errno || n <= INT64_MAX)
		return;
	if (end - start == 19) {
		if (start[-1] != ' ')
			return;
		start--;
	}
	snprintf(text, sizeof(text), "\"0x%016llx\"", n);
	memcpy(start, text, 20);
}

size_t probe_rewrite_numbers(void *data, char *line, size_t len)
{
	char *p = line, *end = line + len, *start;

	while (p < end) {
		if (*p == '"') {
			for (p++; p < end && *p != '"'; p++)
				p += *p == '\\';
			p++;
			continue;
		}
		for (start = p; p < end && *p >= '0' && *p <= '9'; p++)
			;
		if (p > start && start > line)
			rewrite_number(start, p);
		p += p == start;
	}
	return len;
}

/* ------------------------------------------------------------------- classes, as they are asked */

/* Classes that end a QEMU when they are asked for; with more of them it is no sound one. */
#define MAX_DEATHS 16
#define MAX_MODULES 256

struct recording {
	struct abibase_probe *pr;
	struct qmp *q;
	const char *path;
	json_t *types;	 /* each type of this QEMU: its parent, or null */
	json_t *wanted;	 /* the classes to ask for */
	json_t *full;	 /* each recorded class: all its properties */
	json_t *parents; /* each recorded class and those that it comes of: the next one */
	json_t *absent;
	json_t *unknown; /* each class that could not be asked: why */
};

/* There are about as many CPUs as devices, and what of them matters hangs on the host. */
static bool is_device(const struct recording *rec, const char *name)
{
	bool ret = false;

	for (size_t i = 0; name && i < json_object_size(rec->types); i++) {
		if (streq(name, "cpu"))
			return false;
		ret |= streq(name, "device");
		name = string_of(rec->types, name);
	}
	return ret;
}

static int choose_classes(struct recording *rec, const json_t *list)
{
	json_t *v;
	size_t i;

	json_array_foreach((json_t *)list, i, v) {
		const char *name = string_of(v, "name");

		if (!json_is_true(json_object_get(v, "abstract")) && is_device(rec, name) &&
		    json_object_set_new(rec->wanted, name, json_true()) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* To list all types makes a QEMU load all its modules. */
static int ask_types(struct recording *rec)
{
	json_auto_t *list = NULL;
	int r = qmp_call(rec->q, &list, "qom-list-types", "{s:b}", "abstract", 1);
	json_t *v;
	size_t i;

	if (r < 0)
		return r;
	json_array_foreach(list, i, v) {
		const char *name = string_of(v, "name");
		json_t *parent = json_object_get(v, "parent");

		if (!name)
			return -EBADMSG;
		if (json_put(rec->types, name, parent ? json_incref(parent) : json_null()) < 0)
			return -ENOMEM;
	}
	return choose_classes(rec, list);
}

/* "hw-display-qxl" of a line of /proc/PID/maps; NULL: it is no module with device classes. */
static const char *module_of(char *line)
{
	char *name = strrchr(line, '/');
	size_t len = name ? strcspn(name, "\n") : 0;

	if (!name || !strprefix(name, "/hw-") || len < sizeof("/hw-.so") - 1 ||
	    strncmp(name + len - 3, ".so", 3) != 0)
		return NULL;
	name[len - 3] = '\0';
	return name_valid(name + 1) ? name + 1 : NULL;
}

static int take_mapped(struct strings *names, long pid)
{
	_autofclose_ FILE *f = NULL;
	char line[PATH_MAX + 128];

	snprintf(line, sizeof(line), "/proc/%ld/maps", pid);
	f = fopen(line, "re");
	while (f && names->n < MAX_MODULES && fgets(line, sizeof(line), f)) {
		const char *name = module_of(line);

		if (name && strings_insert(names, name) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* A guard is between this process and the QEMU, and there may be a wrapper. */
static int take_modules(struct strings *names, long pid, int depth)
{
	_autofclose_ FILE *f = NULL;
	char path[96];
	int r = take_mapped(names, pid);
	long child;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", pid, pid);
	f = depth ? fopen(path, "re") : NULL;
	while (r == 0 && f && fscanf(f, "%ld", &child) == 1)
		r = take_modules(names, child, depth - 1);
	return r;
}

/* The modules with device classes, as they are mapped; that there are none cannot be seen. */
static int add_modules(const struct recording *rec, json_t *root)
{
	struct strings names = { 0 };
	int r = take_modules(&names, rec->q->pid, 3);

	if (r == 0 && names.n)
		r = json_put(root, "x-modules",
			     json_strings((const char *const *)names.s, names.n));
	strings_clear(&names);
	return r;
}

/* "TYPE" or "TYPE=DEFAULT"; NULL: it is no value that somebody sets. */
static json_t *describe(const json_t *p)
{
	const char *type = string_of(p, "type");
	const json_t *def = json_object_get(p, "default-value");
	_buf_ text = { 0 };

	if (!type || !*type || strchr(type, '=') || strprefix(type, "child<") ||
	    strprefix(type, "link<"))
		return NULL;
	buf_puts(&text, type);
	if (json_is_boolean(def))
		buf_puts(&text, json_is_true(def) ? "=true" : "=false");
	else if (json_is_integer(def))
		buf_printf(&text, "=%lld", (long long)json_integer_value(def));
	else if (json_is_string(def))
		buf_printf(&text, "=%s", json_string_value(def));
	return buf_failed(&text) ? NULL : json_string(text.data);
}

static int keep_properties(const json_t *list, json_t *ret)
{
	json_t *p;
	size_t i;

	json_array_foreach((json_t *)list, i, p) {
		const char *name = string_of(p, "name");
		json_t *text = describe(p);

		/* "legacy-addr", "drive[0]": a view of another one, or one of as many as there
		 * happen to be */
		if (!name || !*name || strprefix(name, "legacy-") || strchr(name, '['))
			json_decref(text);
		else if (text && json_object_set_new(ret, name, text) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The way from the class up to what comes next to "object". */
static int keep_parents(struct recording *rec, const char *name)
{
	while (!streq(name, "object") && !json_object_get(rec->parents, name)) {
		const char *parent = string_of(rec->types, name);

		parent = parent ? parent : "object";
		if (json_put(rec->parents, name, json_string(parent)) < 0)
			return -ENOMEM;
		name = parent;
	}
	return 0;
}

/* The class ended it, as one whose module is not all there does: go on with another process. */
static int survive(struct recording *rec, const char *name)
{
	int r;

	if (json_object_size(rec->unknown) >= MAX_DEATHS)
		return -EPIPE;
	if (json_put(rec->unknown, name, json_string("died")) < 0)
		return -ENOMEM;
	qmp_stop(rec->q);
	r = probe_qemu_start(rec->pr, rec->q, rec->path);
	rec->q->shorten = probe_rewrite_numbers;
	return r;
}

static int ask_class(struct recording *rec, const char *name)
{
	json_auto_t *list = NULL, *properties = json_object();
	int r = qmp_call(rec->q, &list, "device-list-properties", "{s:s}", "typename", name);

	if (r < 0 && rec->q->failure == QMP_DIED)
		return survive(rec, name);
	if (r == -EREMOTEIO)
		return json_put(rec->unknown, name, json_string("refused"));
	if (r == 0)
		r = json_is_array(list) ? keep_properties(list, properties) : -EBADMSG;
	if (r == 0)
		r = json_put(rec->full, name, json_incref(properties));
	return r == 0 ? keep_parents(rec, name) : r;
}

static int ask_classes(struct recording *rec, const struct abibase_catalogue *cat)
{
	const char *name;
	json_t *v;
	int r = 0;

	json_object_foreach(rec->wanted, name, v)
		if (r == 0)
			r = ask_class(rec, name);
	for (size_t i = 0; r == 0 && i < cat->n_rows; i++)
		if (!json_object_get(rec->wanted, cat->rows[i].asked) &&
		    !json_has(rec->absent, cat->rows[i].asked))
			r = json_add(rec->absent, json_string(cat->rows[i].asked));
	return r;
}

/* -------------------------------------------------------------- what classes share */

/* Leave in @common what @properties has, too. */
static void intersect(json_t *common, const json_t *properties)
{
	const char *key;
	void *tmp;
	json_t *v;

	json_object_foreach_safe(common, tmp, key, v)
		if (!json_equal(v, json_object_get(properties, key)))
			json_object_del(common, key);
}

/* For each class above a recorded one: what all recorded ones below have alike. */
static int find_common(const struct recording *rec, json_t *common)
{
	const char *name;
	json_t *properties;

	json_object_foreach(rec->full, name, properties) {
		const char *up = string_of(rec->parents, name);

		for (; json_object_get(rec->parents, up);
		     up = string_of(rec->parents, up)) {
			json_t *have = json_object_get(common, up);

			if (have)
				intersect(have, properties);
			else if (json_object_set_new(common, up, json_copy(properties)) < 0)
				return -ENOMEM;
		}
	}
	/* one that was asked itself has what it answered */
	json_object_foreach(rec->full, name, properties)
		if (json_object_set(common, name, properties) < 0)
			return -ENOMEM;
	return 0;
}

/* What a class has otherwise than the one above it; null: what that one has, and it has not. */
static int own_part(const json_t *mine, const json_t *above, json_t *ret)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)mine, key, v)
		if (!json_equal(v, json_object_get(above, key)) && json_object_set(ret, key, v) < 0)
			return -ENOMEM;
	json_object_foreach((json_t *)above, key, v)
		if (!json_object_get(mine, key) && json_object_set_new(ret, key, json_null()) < 0)
			return -ENOMEM;
	return 0;
}

static int share_properties(const struct recording *rec, json_t *ret)
{
	json_auto_t *common = json_object();
	const char *name;
	json_t *mine;
	int r = common ? find_common(rec, common) : -ENOMEM;

	if (r < 0)
		return r;
	json_object_foreach(common, name, mine) {
		const char *up = string_of(rec->parents, name);
		json_auto_t *own = json_object();

		if (!own || own_part(mine, json_object_get(common, up), own) < 0 ||
		    (json_object_size(own) && json_put(ret, name, json_incref(own)) < 0))
			return -ENOMEM;
	}
	return 0;
}

static int record(struct recording *rec, const struct abibase_catalogue *cat, const json_t *entry,
		  json_t *root)
{
	json_t *properties = json_object();
	int r = json_put(root, "properties", properties);

	if (r == 0)
		r = ask_types(rec);
	if (r == 0)
		r = add_modules(rec, root);
	if (r == 0)
		r = ask_classes(rec, cat);
	if (r == 0)
		r = share_properties(rec, properties);
	return r == 0 ? build_copy_says(root, entry) : r;
}

int probe_record_begin(struct abibase_probe *pr, struct qmp *q, const char *path,
		       const struct abibase_catalogue *cat, const json_t *entry, json_t **ret)
{
	json_auto_t *root = json_pack("{s:s, s:{}, s:[]}", "schema", "abibase-build/1", "classes",
				      "absent");
	json_auto_t *types = json_object(), *wanted = json_object(), *full = json_object();
	json_auto_t *unknown = json_object();
	struct recording rec = { .pr = pr, .q = q, .path = path, .types = types, .wanted = wanted,
				 .full = full, .unknown = unknown,
				 .parents = json_object_get(root, "classes"),
				 .absent = json_object_get(root, "absent") };
	int r;

	if (!types || !wanted || !full || !unknown)
		return -ENOMEM;
	q->deadline = process_now() + pr->qemu_timeout_ms;
	q->shorten = probe_rewrite_numbers;
	r = record(&rec, cat, entry, root);
	q->shorten = NULL;
	if (r == 0 && json_object_size(unknown))
		r = json_put(root, "x-unknown", json_incref(unknown));
	if (r == 0)
		*ret = steal(&root);
	return r;
}

/* ------------------------------------------------------------- what machine types share */

static bool begins_with(const json_t *list, const json_t *start)
{
	size_t i;
	json_t *v;

	if (json_array_size(start) > json_array_size(list))
		return false;
	json_array_foreach((json_t *)start, i, v)
		if (!json_equal(v, json_array_get(list, i)))
			return false;
	return true;
}

static json_t *slice(const json_t *list, size_t from)
{
	json_auto_t *ret = json_array();

	for (size_t i = from; i < json_array_size(list); i++)
		if (json_array_append(ret, json_array_get(list, i)) < 0)
			return NULL;
	return steal(&ret);
}

/* Which of @done, the first by name, adds the same? */
static const char *adds_the_same(const json_t *done, const json_t *adds)
{
	const char *first = NULL, *name;
	json_t *v;

	json_object_foreach((json_t *)done, name, v)
		if (json_equal(json_object_get(v, "adds"), adds) &&
		    (!first || strcmp(name, first) < 0))
			first = name;
	return first;
}

static int share_one_list(const json_t *lists, const char *name, json_t *done)
{
	const json_t *list = json_object_get(lists, name);
	json_auto_t *adds = NULL;
	const char *after = NULL, *other, *same;
	size_t most = 0;
	json_t *v;

	json_object_foreach(done, other, v) {
		const json_t *start = json_object_get(lists, other);
		size_t n = json_array_size(start);

		if (n < most || !n || !begins_with(list, start) ||
		    (n == most && strcmp(other, after) > 0))
			continue;
		most = n;
		after = other;
	}
	adds = slice(list, most);
	if (!adds)
		return -ENOMEM;
	same = json_array_size(adds) ? adds_the_same(done, adds) : NULL;
	return json_put(done, name,
			json_pack("{s:s*, s:s*, s:O*}", "after", after, "adds_as", same, "adds",
				  !same && json_array_size(adds) ? adds : NULL));
}

static int shortest_first(const void *a, const void *b, void *lists)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t n = json_array_size(json_object_get(lists, x));
	size_t m = json_array_size(json_object_get(lists, y));

	return n != m ? (n > m) - (n < m) : strcmp(x, y);
}

/* Each machine type of @member as what it adds to another one; @how says which, in the order of @order. */
static int share_each(json_t *root, const char *member,
		      int (*order)(const void *a, const void *b, void *all),
		      int (*how)(const json_t *all, const char *name, json_t *done))
{
	json_t *all = json_object_get(root, member);
	json_auto_t *done = json_object();
	_autofree_ const char **names = NULL;
	size_t n;
	int r = 0;

	if (!all)
		return 0;
	names = json_keys(all, &n);
	if (!names)
		return -ENOMEM;
	if (order)
		qsort_r(names, n, sizeof(*names), order, all);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = how(all, names[i], done);
	return r < 0 ? r : json_put(root, member, json_incref(done));
}

/* How far two differ; where one of them has nothing a key of the other counts. */
static size_t differences(const json_t *a, const json_t *b)
{
	const char *key;
	json_t *v;
	size_t n = 0;

	json_object_foreach((json_t *)a, key, v)
		n += !json_equal(v, json_object_get(b, key));
	json_object_foreach((json_t *)b, key, v)
		n += !json_object_get(a, key);
	return n;
}

/* @mine as what it has otherwise than @like, which is of that name; both NULL: of nothing. */
static json_t *difference(const json_t *mine, const char *name, const json_t *like)
{
	json_auto_t *set = json_object(), *unset = json_array();
	size_t n;
	_autofree_ const char **names = json_keys(like, &n);

	if (!set || !unset || !names || own_part(mine, like, set) < 0)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (json_is_null(json_object_get(set, names[i]))) {
			json_object_del(set, names[i]);
			if (json_add(unset, json_string(names[i])) < 0)
				return NULL;
		}
	return json_pack("{s:s*, s:O*, s:O*}", "like", name, "set",
			 json_object_size(set) ? set : NULL, "unset",
			 json_array_size(unset) ? unset : NULL);
}

static int share_one_value(const json_t *values, const char *name, json_t *done)
{
	const json_t *mine = json_object_get(values, name);
	size_t least = json_object_size(mine);
	const char *like = NULL, *other;
	json_t *v;

	json_object_foreach(done, other, v) {
		size_t n = differences(mine, json_object_get(values, other));

		if (n > least || (n == least && (!like || strcmp(other, like) > 0)))
			continue;
		least = n;
		like = other;
	}
	return json_put(done, name,
			difference(mine, like, like ? json_object_get(values, like) : NULL));
}

/* Of what was observed, that which hangs on neither the kernel nor a file of the host. */
static int add_shapes(json_t *root, const json_t *entry)
{
	json_auto_t *shapes = json_object();
	const char *machine;
	json_t *v;

	json_object_foreach(json_object_get(entry, "shape"), machine, v) {
		json_t *sizes = json_object_get(json_object_get(v, "any"), "queue_sizes");

		if (sizes && json_put(shapes, machine,
				      json_pack("{s:{s:O}}", "any", "queue_sizes", sizes)) < 0)
			return -ENOMEM;
	}
	return json_object_size(shapes) ? json_put(root, "shape", json_incref(shapes)) : 0;
}

int probe_record_end(json_t *root, const json_t *entry)
{
	/* an older machine type's list is mostly that of a newer one, and then more */
	int r = share_each(root, "compat", shortest_first, share_one_list);

	/* what a machine type has otherwise than the class, as what another one has not */
	if (r == 0)
		r = share_each(root, "values", NULL, share_one_value);
	return r < 0 ? r : add_shapes(root, entry);
}

/* ----------------------------------------------------------------------- the file */

static int write_file(struct abibase_probe *pr, const char *digest, const struct buf *text)
{
	_autoclose_ int dir = -1;
	char name[DIGEST_HEX + sizeof(".json")];

	if (mkdir(pr->builds_dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	dir = open(pr->builds_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	snprintf(name, sizeof(name), "%s.json", digest);
	return probe_file_replace(dir, name, text->data, text->len, 0644);
}

void record_text_clear(struct record_text *t)
{
	buf_clear(&t->text);
}

int probe_record_text(const json_t *record, struct record_text *ret)
{
	if (json_digest(record, NULL, &ret->text, ret->digest) < 0)
		return -ENOMEM;
	ret->text.len = 0;
	json_write_canonical(&ret->text, record);
	return buf_failed(&ret->text) ? -ENOMEM : 0;
}

int probe_record_write(struct abibase_probe *pr, const struct record_text *record, json_t *entry)
{
	int r = write_file(pr, record->digest, &record->text);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return context_fail(pr->ctx, -r, "io-error", pr->builds_dir,
				    "cannot write the build record %s: %s", record->digest,
				    strerror(-r));
	return json_put(entry, "build", json_string(record->digest));
}
