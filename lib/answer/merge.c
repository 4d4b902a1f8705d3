/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/context.h"
#include "base/text.h"
#include "document/build.h"
#include "document/profile.h"
#include "document/value.h"

/*
 * One host of what a node's kernel has and what the QEMUs of container images are. Nothing is
 * chosen: what two of them state otherwise is in the way, and all of it is told.
 */

#define MERGED "x-merged"

struct merging {
	const struct abibase_profile *node;
	json_t *root, *facts, *qemu; /* what becomes of it */
	const char **from;	     /* of each entry of @qemu: who has it */
	size_t n_from, cap_from;
	struct buf why; /* the middle of a page */
	size_t n_why;
	bool failed;
};

static bool is_unknown(const json_t *fact)
{
	return !fact || json_is_object(fact);
}

static char *value_words(const json_t *v)
{
	return json_dumps(v, JSON_ENCODE_ANY);
}

static void differs(struct merging *m, const char *id, const char *what, const json_t *a,
		    const char *a_name, const json_t *b, const char *b_name, const char *remedy)
{
	_autofree_ char *one = value_words(a), *other = value_words(b);

	show_labelled(&m->why, 11, "  conflict", "%s is %s on %s, and %s on %s [%s]", what,
		  one ? one : "?", a_name, other ? other : "?", b_name, id);
	show_labelled(&m->why, 11, "  remedy", "%s", remedy);
	m->n_why++;
}

/* Were both recorded in one boot of one kernel? */
static bool same_boot(const struct abibase_profile *a, const struct abibase_profile *b)
{
	const char *one = json_string_value(json_object_get(a->root, "boot_id"));
	const char *other = json_string_value(json_object_get(b->root, "boot_id"));

	return one && other && streq(one, other);
}

/*
 * The kernel is the node's: what an image knows of another one says nothing here. Where both know a
 * fact they must agree.
 */
static void merge_fact(struct merging *m, const struct abibase_profile *image, const char *id,
		       json_t *fact)
{
	json_t *is = json_object_get(m->facts, id);

	if (is_unknown(fact))
		return;
	if (is_unknown(is) && same_boot(m->node, image))
		m->failed |= json_object_set(m->facts, id, fact) < 0;
	else if (!is_unknown(is) && !json_equal(is, fact))
		differs(m, "merge-fact", id, is, m->node->name, fact, image->name,
			"probe the image with --only=qemu: its kernel is not the one of the node");
}

static const char *path_of(const json_t *entry)
{
	return json_string_value(json_object_get(entry, "path"));
}

static bool same_build(const json_t *a, const json_t *b)
{
	json_auto_t *x = json_copy((json_t *)a), *y = json_copy((json_t *)b);

	json_object_del(x, "path");
	json_object_del(y, "path");
	return json_equal(x, y);
}

/* The entry of that path, or without one the same build; -1: there is none. */
static long find_entry(const struct merging *m, const json_t *entry)
{
	const char *path = path_of(entry);
	size_t i;
	json_t *v;

	json_array_foreach(m->qemu, i, v) {
		const char *other = path_of(v);

		if (path && other ? streq(path, other) : !path && !other && same_build(v, entry))
			return (long)i;
	}
	return -1;
}

static void two_of_one_path(struct merging *m, size_t i, const json_t *entry, const char *image)
{
	const json_t *is = json_array_get(m->qemu, i);
	const json_t *a = json_object_get(is, "version"), *b = json_object_get(entry, "version");

	if (!json_equal(a, b)) {
		differs(m, "merge-qemu", path_of(entry), a, m->from[i], b, image,
			"a guest is started in one image: merge the node with each of them alone");
		return;
	}
	show_labelled(&m->why, 11, "  conflict", "%s is another build on %s than on %s [merge-qemu]",
		  path_of(entry), m->from[i], image);
	show_labelled(&m->why, 11, "  remedy",
		  "a guest is started in one image: merge the node with each of them alone");
	m->n_why++;
}

static void merge_entry(struct merging *m, const char *name, json_t *entry)
{
	long i = find_entry(m, entry);

	if (i >= 0) {
		if (!same_build(json_array_get(m->qemu, (size_t)i), entry))
			two_of_one_path(m, (size_t)i, entry, name);
		return;
	}
	if (array_grow(&m->from, m->n_from, &m->cap_from, sizeof(*m->from)) < 0) {
		m->failed = true;
		return;
	}
	m->from[m->n_from++] = name;
	m->failed |= json_array_append(m->qemu, entry) < 0;
}

static void merge_qemus(struct merging *m, const struct abibase_profile *p)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(p->root, "qemu"), i, v)
		merge_entry(m, p->name, v);
}

/* Who had which QEMUs, and what the profile was: a digest is that of its canonical document. */
static void note_source(struct merging *m, const struct abibase_profile *p)
{
	json_t *list = json_object_get(m->root, MERGED);

	m->failed |= json_array_append_new(list, json_pack("{s:s, s:s, s:i}", "digest", p->digest,
							   "name", p->name, "qemus",
							   (int)(p->n_qemu + p->n_unasked))) < 0;
}

static void merge_image(struct merging *m, const struct abibase_profile *image)
{
	const char *id;
	json_t *fact;

	if (!streq(image->arch, m->node->arch))
		differs(m, "merge-arch", "the architecture",
			json_object_get(m->node->root, "arch"), m->node->name,
			json_object_get(image->root, "arch"), image->name,
			"probe the image on a node of the same architecture");
	json_object_foreach((json_t *)image->facts, id, fact)
		merge_fact(m, image, id, fact);
	merge_qemus(m, image);
	note_source(m, image);
}

static int check(struct abibase_context *ctx, const struct abibase_profile *p, bool image)
{
	if (!streq(p->kind, "host"))
		return context_fail(
			ctx, EINVAL, "merge-kind", p->name,
			"is the profile of a platform: a node and its images are hosts, as "
			"abibase probe records them");
	if (image && !p->has_qemu)
		return context_fail(
			ctx, EINVAL, "merge-kind", p->name,
			"records no QEMU, so there is nothing to add to the node: probe the "
			"image with --only=qemu");
	return 0;
}

static int begin(struct merging *m)
{
	m->root = json_deep_copy(m->node->root);
	m->facts = json_object_get(m->root, "facts");
	m->qemu = json_array();
	if (!m->root || json_object_set_new(m->root, "qemu", m->qemu) < 0 ||
	    (!json_object_get(m->root, MERGED) &&
	     json_object_set_new(m->root, MERGED, json_array()) < 0))
		return -ENOMEM;
	note_source(m, m->node);
	merge_qemus(m, m->node);
	return 0;
}

/* All that is in the way */
static int give_page(struct merging *m, char **ret)
{
	_buf_ page = { .width = m->why.width };

	show_printf(&page, 0, 2, "no: %s and its images contradict each other in %zu thing%s",
		    m->node->name, m->n_why, m->n_why == 1 ? "" : "s");
	buf_puts(&page, m->why.data);
	show_printf(&page, 0, 2, "Looked at: architecture, facts, QEMU binaries; not looked at: "
				 "ROM files, firmware");
	show_printf(&page, 0, 2, "See: abibase diff PROFILE PROFILE, abibase probe --only=qemu");
	return buf_give(&page, ret);
}

static int merge(struct abibase_context *ctx, struct merging *m,
		 struct abibase_profile *const *images, size_t n, struct abibase_profile **ret,
		 char **ret_why)
{
	int r = begin(m);

	for (size_t i = 0; r == 0 && i < n; i++)
		merge_image(m, images[i]);
	if (r < 0 || m->failed || buf_failed(&m->why))
		return context_oom(ctx);
	if (m->why.len) {
		if (ret_why && give_page(m, ret_why) < 0)
			return context_oom(ctx);
		return ABIBASE_VERDICT_NO;
	}
	r = profile_from_json(ctx, steal(&m->root), m->node->name, ret);
	return r < 0 ? r : ABIBASE_VERDICT_YES;
}

ABIBASE_EXPORT int abibase_profile_merge(struct abibase_context *ctx,
					 const struct abibase_profile *node,
					 struct abibase_profile *const *images, size_t n,
					 struct abibase_profile **ret, size_t width, char **ret_why)
{
	struct merging m = { .node = node, .why.width = width };
	int r = n ? check(ctx, node, false) :
		    context_fail(ctx, EINVAL, "merge-kind", node->name,
				 "there is no image to merge the node with");

	for (size_t i = 0; r == 0 && i < n; i++)
		r = check(ctx, images[i], true);
	if (r == 0)
		r = merge(ctx, &m, images, n, ret, ret_why);
	json_decref(m.root);
	free(m.from);
	buf_clear(&m.why);
	return r;
}
