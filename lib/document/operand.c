/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "document/baseline.h"
#include "base/context.h"
#include "document/operand.h"
#include "document/platforms.h"
#include "document/seen.h"
#include "document/profile.h"

static bool is_file(const char *operand)
{
	return streq(operand, "-") || strchr(operand, '/') || ends_with(operand, ".json");
}

/* ------------------------------------------------------------------------ files */

static int fail_schema(struct abibase_context *ctx, const json_t *root, const char *source)
{
	const char *schema = string_of(root, "schema");
	_autofree_ char *where = NULL;
	bool guest = schema && strprefix(schema, "abibase-guest/");
	const char *what = guest ? ", a guest, which abibase targets takes" : "";

	if (asprintf(&where, "%s: /schema", source) < 0) {
		where = NULL;
		return context_oom(ctx);
	}
	if (!schema)
		return context_fail(ctx, EBADMSG, "schema-missing", where,
				    "the document does not state its schema as a string; wanted: "
				    "\"abibase-profile/1\" or \"abibase-baseline/1\"");
	if (strprefix(schema, "abibase-catalogue/"))
		what = ", a catalogue, which is not given but installed";
	else if (strprefix(schema, "abibase-facts/"))
		what = ", the list of facts, which is not given but installed";
	return context_fail(ctx, EBADMSG, guest ? "schema-guest" : "schema-other", where,
			    "is \"%s\"%s; wanted: \"abibase-profile/1\" or \"abibase-baseline/1\"",
			    schema, what);
}

/* Make what the document says it is; takes the reference of @root. */
static int load_document(struct abibase_context *ctx, json_t *root, size_t len,
			 const char *source, const char *path, struct loaded *ret)
{
	bool is_build = form_is_stated(&build_form, root);
	unsigned int max = is_build ? JSON_MAX_BUILD : JSON_MAX_PROFILE;
	int r;

	if (form_is_stated(&baseline_form, root))
		return baseline_from_json(ctx, root, source, &ret->baseline);
	if (len > max)
		r = context_fail(ctx, EFBIG, "file-too-large", source,
				 "the %s is larger than %u bytes, the most that is accepted",
				 is_build ? "build record" : "profile", max);
	else if (is_build)
		return build_from_json(ctx, root, source, &ret->build);
	else if (!form_is_stated(&profile_form, root))
		r = fail_schema(ctx, root, source);
	else
		return profile_from_document(ctx, root, source, path, &ret->profile);
	json_decref(root);
	return r;
}

/* The text is gone on return: it may be large, and what is made of the document too. */
static int read_document(struct abibase_context *ctx, const char *path, size_t max,
			 const char *source, size_t *ret_len, json_t **ret)
{
	_autofree_ char *buf = NULL;
	int r = file_read(ctx, path, max, &buf, ret_len);

	return r < 0 ? r : seen_parse(ctx, buf, *ret_len, max, source, ret);
}

static int load_file(struct abibase_context *ctx, const char *path, struct loaded *ret)
{
	const char *source = streq(path, "-") ? "standard input" : path;
	json_t *root;
	size_t len;
	int r = read_document(ctx, path, JSON_MAX_BASELINE, source, &len, &root);

	return r < 0 ? r : load_document(ctx, root, len, source, path, ret);
}

/* ------------------------------------------------------------------------ names */

static int load_platform(struct abibase_context *ctx, const char *name,
			 struct abibase_profile **ret)
{
	int r = profile_from_platform(ctx, name, ret);

	/* never a file of the working directory: what a name means must not depend on that */
	if (r == -ENOENT && *name && access(name, F_OK) == 0)
		return context_fail(ctx, ENOENT, "platform-not-found", NULL,
				    "%s; for the file of that name in the working directory write "
				    "./%s",
				    abibase_context_error(ctx), name);
	return r;
}

static int load(struct abibase_context *ctx, const char *operand, struct loaded *ret)
{
	return is_file(operand) ? load_file(ctx, operand, ret) :
				  load_platform(ctx, operand, &ret->profile);
}

/* "NAME=OPERAND": the name for free(), or NULL when this operand has none; and what follows. */
static int split(const char *operand, char **ret_name, const char **ret_rest)
{
	const char *equals = strchr(operand, '=');
	_autofree_ char *name = NULL;

	*ret_name = NULL;
	*ret_rest = operand;
	if (!equals)
		return 0;
	name = strndup(operand, (size_t)(equals - operand));
	if (!name)
		return -ENOMEM;
	/* no name has a slash, so "./a=b.json" stays a file */
	if (!name_valid(name))
		return 0;
	*ret_name = steal(&name);
	*ret_rest = equals + 1;
	return 0;
}

/* Only a profile has a name of its own. */
static int rename_loaded(struct abibase_context *ctx, const char *operand, const char *name,
			 struct loaded *l)
{
	struct abibase_profile *renamed;
	int r;

	if (!l->profile)
		return context_fail(ctx, EINVAL, "operand-rename", operand,
				    "this is a %s, which has no name of its own: give it "
				    "without \"%s=\"",
				    l->build ? "build record" : "baseline", name);
	r = profile_rename(ctx, l->profile, name, &renamed);
	if (r < 0)
		return r;
	abibase_profile_unref(l->profile);
	l->profile = renamed;
	return 0;
}

void loaded_clear(struct loaded *l)
{
	abibase_profile_unref(l->profile);
	abibase_baseline_unref(l->baseline);
	build_record_unref(l->build);
}

/* @r: whether it could be loaded */
static int give(struct abibase_context *ctx, int r, struct loaded *l,
		struct abibase_profile **ret_profile, struct abibase_baseline **ret_baseline)
{
	if (r == 0 && l->build)
		r = builds_remember(ctx, l->build);
	if (r < 0) {
		loaded_clear(l);
		return r;
	}
	build_record_unref(l->build);
	*ret_profile = l->profile;
	*ret_baseline = l->baseline;
	return 0;
}

int operand_load(struct abibase_context *ctx, const char *operand, struct loaded *ret)
{
	_autofree_ char *name = NULL;
	const char *rest;
	int r;

	if (split(operand, &name, &rest) < 0)
		return context_oom(ctx);
	r = load(ctx, rest, ret);
	return r == 0 && name ? rename_loaded(ctx, operand, name, ret) : r;
}

ABIBASE_EXPORT int abibase_operand_load(struct abibase_context *ctx, const char *operand,
					struct abibase_profile **ret_profile,
					struct abibase_baseline **ret_baseline)
{
	struct loaded l = { 0 };
	int r = operand_load(ctx, operand, &l);

	return give(ctx, r, &l, ret_profile, ret_baseline);
}

ABIBASE_EXPORT int abibase_operand_from_buffer(struct abibase_context *ctx, const char *buf,
					       size_t len, const char *source,
					       struct abibase_profile **ret_profile,
					       struct abibase_baseline **ret_baseline)
{
	struct loaded l = { 0 };
	json_t *root;
	int r = seen_parse(ctx, buf, len, JSON_MAX_BASELINE, source, &root);

	if (r == 0)
		r = load_document(ctx, root, len, source, NULL, &l);
	return give(ctx, r, &l, ret_profile, ret_baseline);
}

/* ------------------------------------------------------------- a record as a host */

/* The profile of a host that has this QEMU, and of which nothing else is known. */
static json_t *host_of(const struct abibase_build *b)
{
	json_auto_t *entry = json_pack("{s:s}", "build", b->digest);

	if (build_copy_says(entry, b->root) < 0)
		return NULL;
	return json_pack("{s:s, s:s, s:o, s:O, s:{}, s:[O]}", "schema", "abibase-profile/1", "kind",
			 "host", "name", json_sprintf("qemu-%s", string_of(b->root, "version")),
			 "arch", json_object_get(b->root, "target"), "facts", "qemu", entry);
}

static int host_from_build(struct abibase_context *ctx, json_t *root, const char *path,
			   struct abibase_profile **ret)
{
	struct abibase_build *b;
	json_t *host;
	int r = build_from_json(ctx, root, path, &b);

	if (r < 0)
		return r;
	host = host_of(b);
	r = host ? builds_remember(ctx, b) : context_oom(ctx);
	if (r == 0)
		r = profile_from_document(ctx, host, path, NULL, ret);
	else
		json_decref(host);
	build_record_unref(b);
	return r;
}

ABIBASE_EXPORT int abibase_profile_from_file(struct abibase_context *ctx, const char *path,
					     struct abibase_profile **ret)
{
	json_t *root;
	size_t len;
	int r = read_document(ctx, path, profile_form.max, path, &len, &root);

	if (r < 0)
		return r;
	return form_is_stated(&build_form, root) ?
		       host_from_build(ctx, root, path, ret) :
		       profile_from_document(ctx, root, path, path, ret);
}
