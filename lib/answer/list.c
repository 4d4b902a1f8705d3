/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer/show.h"
#include "base/text.h"
#include "document/catalogue.h"
#include "document/platforms.h"
#include "document/profile.h"
#include "document/result.h"

/* The platforms, and the groups of features, at a glance: tables of 80 columns, and a document. */

#define NAME_WIDTH 27
#define GROUP_WIDTH 18
#define WIDTH 80

/* Of all that a platform states: each fact was asked of a kernel, some were, none was. */
static const char *evidence_of(const struct abibase_profile *p)
{
	json_t *evidence = json_object_get(p->root, "evidence"), *v;
	size_t probed = 0, all = 0;
	const char *key;

	json_object_foreach(evidence, key, v) {
		all++;
		probed += streq(json_string_value(v), "probed");
	}
	return !all ? NULL : probed == all ? "probed" : probed ? "partly" : "stated";
}

/* "6.1" of "6.1.0-56-cloud-amd64" */
static int kernel_len(const char *release)
{
	size_t n = release ? strspn(release, "0123456789") : 0;

	if (n && release[n] == '.')
		n += 1 + strspn(release + n + 1, "0123456789");
	return (int)n;
}

/* Of all its QEMUs; NULL where no machine type is recorded. */
static const char *newest_of(const struct abibase_profile *p)
{
	const char *best = NULL;

	for (size_t i = 0; i < p->n_qemu; i++) {
		const char *own = show_newest_machine(json_object_get(p->qemu[i].json, "machines"));

		if (own && (!best || machine_name_cmp(own, best) > 0))
			best = own;
	}
	return best;
}

static const char *support_end(const struct abibase_profile *p)
{
	const json_t *lifecycle = json_object_get(p->root, "lifecycle");
	const char *extended = string_of(lifecycle, "extended_end");

	return extended ? extended : string_of(lifecycle, "standard_end");
}

static void put_row(struct buf *b, const struct abibase_profile *p)
{
	const char *kernel = string_of(json_object_get(p->root, "kernel"), "release");
	const char *qemu = p->n_qemu ? p->qemu[0].version : NULL;
	const char *machine = newest_of(p), *end = support_end(p), *evidence = evidence_of(p);
	int kernel_width = kernel_len(kernel);

	if (strlen(p->name) > NAME_WIDTH)
		buf_printf(b, "%s\n%*s", p->name, NAME_WIDTH, "");
	else
		buf_printf(b, "%-*s", NAME_WIDTH, p->name);
	buf_printf(b, "  %-6.*s  %-7s  %-16s  %-7.7s  %s\n", kernel_width ? kernel_width : 1,
		   kernel_width ? kernel : "-", qemu ? qemu : "-", machine ? machine : "-",
		   end ? end : "-", evidence ? evidence : "-");
}

/* All in one paragraph: a line for each would be more than the table has. */
static void put_codenames(struct buf *b, const struct abibase_platforms *l)
{
	_buf_ names = { 0 };

	for (size_t i = 0; i < platforms_count(l); i++) {
		const struct strings *of = platforms_codenames(l, i);

		for (size_t k = 0; k < of->n; k++)
			buf_printf(&names, "%s%s is %s", names.len ? ", " : "", of->s[k],
				   platforms_at(l, i)->name);
	}
	b->failed |= names.failed;
	if (names.data)
		show_printf(b, 0, 2, "%s", names.data);
}

static int list_text(const struct abibase_platforms *l, char **ret)
{
	size_t n = platforms_count(l);
	_buf_ b = { 0 };

	buf_printf(&b, "%-*s  %-6s  %-7s  %-16s  %-7s  %s\n", NAME_WIDTH, "PLATFORM", "KERNEL",
		   "QEMU", "NEWEST MACHINE", "UNTIL", "FACTS");
	for (size_t i = 0; i < n; i++)
		if (platforms_at(l, i))
			put_row(&b, platforms_at(l, i));
	for (size_t i = 0; i < n; i++)
		if (platforms_get(l, i, "alias"))
			buf_printf(&b, "%s is %s\n", platforms_get(l, i, "alias"),
				   platforms_at(l, i)->name);
	put_codenames(&b, l);
	show_printf(&b, 0, 2, "See: abibase show PLATFORM, abibase list --groups");
	return buf_give(&b, ret);
}

static json_t *platform_to_json(const struct abibase_platforms *l, size_t i)
{
	const struct abibase_profile *p = platforms_at(l, i);
	const struct strings *codenames = platforms_codenames(l, i);

	return json_pack("{s:s?, s:s, s:o, s:s?, s:s?, s:s?, s:s, s:s?, s:I, s:s?}", "alias",
			 platforms_get(l, i, "alias"), "arch", p->arch, "codenames",
			 json_strings((const char *const *)codenames->s, codenames->n), "evidence",
			 evidence_of(p), "kernel",
			 string_of(json_object_get(p->root, "kernel"), "release"), "machine",
			 newest_of(p), "name", p->name, "qemu",
			 p->n_qemu ? p->qemu[0].version : NULL, "revision",
			 (json_int_t)p->revision, "supported_until", support_end(p));
}

/* Which file stands in its place is a path, and why it is refused a sentence. */
static json_t *file_to_json(const struct abibase_platforms *l, size_t i)
{
	const struct abibase_profile *p = platforms_at(l, i);
	const char *state = platforms_get(l, i, "state"), *detail = platforms_get(l, i, "detail");
	bool refused = streq(state, "refused");

	return json_pack("{s:s*, s:s*, s:s, s:s, s:s*}", "by", refused ? NULL : detail, "name",
			 p ? p->name : NULL, "path", platforms_get(l, i, "path"), "state", state,
			 "text", refused ? detail : NULL);
}

static json_t *list_json(const struct abibase_platforms *l, enum abibase_verdict *verdict)
{
	json_t *list = json_array(), *files = json_array();
	json_t *root = json_pack("{s:s, s:o, s:o}", "schema", "abibase-list/1", "files", files,
				 "platforms", list);
	bool ok = root;

	for (size_t i = 0; ok && i < platforms_count(l); i++) {
		if (streq(platforms_get(l, i, "state"), "refused"))
			*verdict = ABIBASE_VERDICT_NO;
		ok = json_array_append_new(files, file_to_json(l, i)) == 0;
		if (ok && platforms_at(l, i))
			ok = json_add(list, platform_to_json(l, i)) == 0;
	}
	if (!ok) {
		json_decref(root);
		return NULL;
	}
	return root;
}

ABIBASE_EXPORT int abibase_platforms_list(struct abibase_context *ctx,
					  const struct abibase_platforms *l,
					  struct abibase_result **ret)
{
	struct abibase_result made = { .verdict = ABIBASE_VERDICT_YES };

	made.root = list_json(l, &made.verdict);
	if (list_text(l, &made.text) < 0)
		made.text = NULL;
	return result_give(ctx, &made, ret);
}

ABIBASE_EXPORT int abibase_catalogue_to_text(const struct abibase_catalogue *cat, char **ret)
{
	_buf_ b = { 0 };

	buf_printf(&b, "%-*s  %-8s  %s\n", GROUP_WIDTH, "GROUP", "SWITCHED", "FEATURES");
	for (size_t i = 0; i < cat->n_groups; i++) {
		const struct group *g = &cat->groups[i];
		bool on = catalogue_group_has_switch(cat, g->name, false, ~0u);
		bool off = catalogue_group_has_switch(cat, g->name, true, ~0u);

		buf_printf(&b, "%-*s  %-8s  ", GROUP_WIDTH, g->name,
			   on && off ? "on, off" : on ? "on" : off ? "off" : "-");
		show_wrapped_at(&b, WIDTH, GROUP_WIDTH + 12, GROUP_WIDTH + 12, g->description);
		if (b.len && b.data[b.len - 1] != '\n')
			buf_putc(&b, '\n');
	}
	return buf_give(&b, ret);
}

/* NULL: no memory */
static json_t *group_to_json(const struct abibase_catalogue *cat, const struct group *g)
{
	json_t *features = json_array(), *switches = json_array();
	bool ok = features && switches;

	for (size_t i = 0; ok && i < cat->n_rows; i++)
		if (cat->rows[i].group_name && streq(cat->rows[i].group_name, g->name))
			ok = json_add(features, json_string(cat->rows[i].key)) == 0;
	for (int off = 0; ok && off < 2; off++)
		if (catalogue_group_has_switch(cat, g->name, off, ~0u))
			ok = json_add(switches, json_string(off ? "off" : "on")) == 0;
	if (ok)
		return json_pack("{s:s, s:o, s:s, s:o}", "description", g->description, "features",
				 features, "name", g->name, "switches", switches);
	json_decref(features);
	json_decref(switches);
	return NULL;
}

ABIBASE_EXPORT int abibase_catalogue_list(struct abibase_context *ctx,
					  const struct abibase_catalogue *cat,
					  struct abibase_result **ret)
{
	json_t *groups = json_array();
	struct abibase_result made = {
		.verdict = ABIBASE_VERDICT_YES,
		.root = json_pack("{s:s, s:o}", "schema", "abibase-groups/1", "groups", groups),
	};

	for (size_t i = 0; made.root && i < cat->n_groups; i++)
		if (json_add(groups, group_to_json(cat, &cat->groups[i])) < 0) {
			json_decref(made.root);
			made.root = NULL;
		}
	if (abibase_catalogue_to_text(cat, &made.text) < 0)
		made.text = NULL;
	return result_give(ctx, &made, ret);
}
