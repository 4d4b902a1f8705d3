/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where the records are that a profile names, each by its digest, and whether they are of the QEMU
 * that names them. A context reads each once.
 */

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <syslog.h>

#include "base/context.h"
#include "document/build.h"

#define ADMIN_DIR ABIBASE_SYSCONFDIR "/builds"
#define HOST_DIR "/var/lib/abibase/builds"

struct build_cache {
	struct abibase_build **records;
	size_t n, cap;
};

static void cache_clear(void *data)
{
	struct build_cache *cache = data;

	for (size_t i = 0; i < cache->n; i++)
		build_record_unref(cache->records[i]);
	free(cache->records);
}

int builds_remember(struct abibase_context *ctx, struct abibase_build *r)
{
	struct build_cache *cache = context_keep(ctx, KEPT_BUILDS, sizeof(*cache), cache_clear);

	if (!cache ||
	    array_grow(&cache->records, cache->n, &cache->cap, sizeof(struct abibase_build *)) < 0)
		return context_oom(ctx);
	cache->records[cache->n++] = build_record_ref(r);
	return 0;
}

static struct abibase_build *recall(const struct abibase_context *ctx, const char *digest)
{
	const struct build_cache *cache = ctx->kept[KEPT_BUILDS].data;

	for (size_t i = 0; cache && i < cache->n; i++)
		if (streq(cache->records[i]->digest, digest))
			return build_record_ref(cache->records[i]);
	return NULL;
}

/* ------------------------------------------------------------------------ files */

static int read_record(struct abibase_context *ctx, const char *path, const char *digest,
		       struct abibase_build **ret)
{
	struct abibase_build *rec;
	json_t *root;
	int r = document_read(ctx, path, &build_form, &root);

	if (r == 0)
		r = build_from_json(ctx, root, path, &rec);
	if (r < 0)
		return r;
	if (streq(rec->digest, digest)) {
		*ret = rec;
		return 0;
	}
	r = context_fail(ctx, EBADMSG, "build-other-digest", path,
			 "the digest of this build record is %s, and its file name says another: it was "
			 "changed, or it is not whole; record the QEMU again",
			 rec->digest);
	build_record_unref(rec);
	return r;
}

/* 1: it is not there. */
static int try_dir(struct abibase_context *ctx, const char *dir, const char *digest,
		   struct abibase_build **ret)
{
	_buf_ path = { 0 };
	struct stat st;

	if (!dir)
		return 1;
	buf_printf(&path, "%s/%s.json", dir, digest);
	if (buf_failed(&path))
		return context_oom(ctx);
	if (stat(path.data, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 1 :
				     context_fail(ctx, errno, "io-error", path.data,
						  "cannot read: %s", strerror(errno));
	/* a pipe or a device is never opened: that could block, or do something */
	if (!S_ISREG(st.st_mode))
		return context_fail(ctx, EBADMSG, "io-error", path.data,
				    "a build record is wanted, and this is not a regular file");
	return read_record(ctx, path.data, digest, ret);
}

static int try_data_dir(struct abibase_context *ctx, const char *digest, struct abibase_build **ret)
{
	_buf_ dir = { 0 };

	buf_printf(&dir, "%s/builds", ctx->data_dir);
	if (buf_failed(&dir))
		return context_oom(ctx);
	return try_dir(ctx, dir.data, digest, ret);
}

static int find(struct abibase_context *ctx, const char *dir, const char *digest,
		struct abibase_build **ret)
{
	int r;

	*ret = recall(ctx, digest);
	if (*ret)
		return 0;
	r = try_dir(ctx, dir, digest, ret);
	if (r == 1 && ctx->data_dir)
		r = try_data_dir(ctx, digest, ret);
	if (r == 1)
		r = try_dir(ctx, ADMIN_DIR, digest, ret);
	if (r == 1)
		r = try_dir(ctx, HOST_DIR, digest, ret);
	return r == 0 ? builds_remember(ctx, *ret) : r;
}

int builds_named(struct abibase_context *ctx, const json_t *entry, const struct abibase_build **ret)
{
	const char *digest = string_of(entry, "build");
	struct abibase_build *rec = NULL;
	int r = digest ? find(ctx, NULL, digest, &rec) : 1;

	build_record_unref(rec); /* the context has it */
	*ret = r == 0 ? rec : NULL;
	return r == -ENOMEM ? r : 0;
}

/* --------------------------------------------------- who states what an older one does not */

#define MAX_SHIPPED 64 /* files that are looked at */

static bool states(const json_t *root)
{
	return json_object_size(json_object_get(root, "compat"));
}

/* The older of two that state compat properties, with more classes where they are of one version. */
static bool is_better(const json_t *root, const struct abibase_build *than)
{
	struct version v, w;
	int order;

	if (!than)
		return true;
	if (!version_parse(string_of(root, "version"), &v) ||
	    !version_parse(string_of(than->root, "version"), &w))
		return false;
	order = version_cmp(&v, &w);
	return order < 0 || (order == 0 && json_object_size(json_object_get(root, "classes")) >
						   json_object_size(json_object_get(than->root,
										    "classes")));
}

static int consider(struct abibase_context *ctx, const char *dir, const char *file,
		    const json_t *a, struct abibase_build **best)
{
	char digest[DIGEST_HEX + 1] = "";
	struct abibase_build *rec = NULL;
	int r;

	if (strlen(file) != DIGEST_HEX + strlen(".json") || !ends_with(file, ".json"))
		return 0;
	memcpy(digest, file, DIGEST_HEX);
	r = find(ctx, dir, digest, &rec);
	if (r != 0)
		return r == -ENOMEM ? r : 0; /* one that is damaged says nothing */
	if (states(rec->root) && is_better(rec->root, *best) &&
	    same_text(string_of(rec->root, "target"), string_of(a, "target"))) {
		build_record_unref(*best);
		*best = build_record_ref(rec);
	}
	build_record_unref(rec);
	return 0;
}

int builds_newer(struct abibase_context *ctx, const json_t *a, const json_t *b,
		 struct abibase_build **ret)
{
	_buf_ path = { 0 };
	struct dirent **files;
	int n, r = 0;

	*ret = NULL;
	if (!ctx || !ctx->data_dir || (states(a) && states(b)))
		return 0;
	buf_printf(&path, "%s/builds", ctx->data_dir);
	if (buf_failed(&path))
		return -ENOMEM;
	n = scandir(path.data, &files, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (r == 0 && i < MAX_SHIPPED)
			r = consider(ctx, path.data, files[i]->d_name, a, ret);
		free(files[i]);
	}
	if (n >= 0)
		free(files);
	return r;
}

/* ------------------------------------------------------------- is it of this QEMU? */

static const char *differing_member(const json_t *entry, const json_t *root)
{
	for (const char *const *m = build_says; *m; m++) {
		const json_t *a = json_object_get(entry, *m), *b = json_object_get(root, *m);

		if (a && b && !json_equal(a, b))
			return *m;
	}
	return NULL;
}

static bool has_property(const json_t *root, const char *class_name, const char *property,
			 const char *word)
{
	const char *type = build_property(root, class_name, property);

	return type && type_is(type, word);
}

/*
 * A property that the record does not have, of a class that it has, or has of another type. An
 * entry may name an abstract class, of which no object was asked: then one that comes of it has it.
 */
static bool property_differs(const json_t *root, const char *class_name, const char *property,
			     const char *word)
{
	const char *other;
	json_t *parent;

	if (!build_has_class(root, class_name) || has_property(root, class_name, property, word))
		return false;
	json_object_foreach(json_object_get(root, "classes"), other, parent)
		if (build_is_a(root, other, class_name) &&
		    has_property(root, other, property, word))
			return false;
	return true;
}

static int check_entry(struct abibase_context *ctx, const struct abibase_profile *p,
		       const struct profile_qemu *q, const json_t *root)
{
	const char *member = differing_member(q->json, root), *class_name, *property;
	json_t *known, *word;

	if (member)
		return context_fail(ctx, EBADMSG, "build-disagrees", NULL,
				    "%s: the entry of QEMU %s and the build record that it names (%s) "
				    "have another \"%s\"; record this host again",
				    p->name, q->version, q->build, member);
	json_object_foreach(json_object_get(q->json, "properties"), class_name, known)
		json_object_foreach(known, property, word)
			if (property_differs(root, class_name, property,
					     json_string_value(word)))
				return context_fail(
					ctx, EBADMSG, "build-disagrees", NULL,
					"%s: the entry of QEMU %s has %s.%s of type %s, and the "
					"build record that it names (%s) has not; record this host again",
					p->name, q->version, class_name, property,
					json_string_value(word), q->build);
	return 0;
}

static int find_all(struct abibase_context *ctx, struct abibase_profile *p, const char *dir)
{
	for (size_t i = 0; i < p->n_qemu; i++) {
		struct profile_qemu *q = &p->qemu[i];
		int r;

		if (!q->build || q->record)
			continue;
		r = find(ctx, dir, q->build, &q->record);
		if (r < 0)
			return r;
		if (r == 1) {
			context_log(ctx, LOG_INFO, "build-not-found",
				    "%s: the build record %s of QEMU %s is not here: what the "
				    "profile does not say of that QEMU is not known",
				    p->name, q->build, q->version);
			continue;
		}
		r = check_entry(ctx, p, q, q->record->root);
		if (r < 0)
			return r;
	}
	return 0;
}

int builds_find(struct abibase_context *ctx, struct abibase_profile *p, const char *path)
{
	_autofree_ char *dir = NULL;
	const char *slash;

	if (!ctx)
		return 0;
	if (!path || streq(path, "-"))
		return find_all(ctx, p, NULL);
	slash = strrchr(path, '/');
	dir = slash == path ? strdup("/") :
	      slash	    ? strndup(path, (size_t)(slash - path)) :
			      strdup(".");
	return dir ? find_all(ctx, p, dir) : context_oom(ctx);
}
