/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/context.h"
#include "document/result.h"

/* Where documents have findings: at their head, and in each host or platform. */
static const char *const lists[] = { "findings", "differences", "notes" };
static const char *const parts[] = { "hosts", "platforms", "files", "baselines" };

static bool take_findings(struct abibase_result *r, size_t *cap, const json_t *list)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)list, i, v) {
		if (array_grow(&r->findings, r->n_findings, cap, sizeof(json_t *)) < 0)
			return false;
		r->findings[r->n_findings++] = v;
	}
	return true;
}

static bool gather(struct abibase_result *r)
{
	bool ok = true;
	size_t cap = 0, i;
	json_t *part;

	for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
		ok &= take_findings(r, &cap, json_object_get(r->root, lists[k]));
	for (size_t k = 0; k < ARRAY_SIZE(parts); k++) {
		json_t *list = json_object_get(r->root, parts[k]);

		ok &= take_findings(r, &cap, json_object_get(list, "findings"));
		json_array_foreach(list, i, part) {
			ok &= take_findings(r, &cap, json_object_get(part, "findings"));
			ok &= take_findings(r, &cap, json_object_get(part, "problems"));
		}
	}
	return ok;
}

int result_give(struct abibase_context *ctx, const struct abibase_result *made,
		struct abibase_result **ret)
{
	struct abibase_result *r = malloc(sizeof(*r));

	if (!r) {
		json_decref(made->root);
		json_decref(made->folded);
		free(made->text);
		return context_oom(ctx);
	}
	*r = *made;
	r->refcount = 1;
	if ((!r->root && !r->folded) || (!r->text && !r->show) || !gather(r)) {
		abibase_result_unref(r);
		return context_oom(ctx);
	}
	*ret = r;
	return 0;
}

ABIBASE_EXPORT DEFINE_REF(abibase_result, abibase_result_ref)

ABIBASE_EXPORT struct abibase_result *abibase_result_unref(struct abibase_result *r)
{
	if (!r || __atomic_sub_fetch(&r->refcount, 1, __ATOMIC_ACQ_REL) > 0)
		return NULL;
	json_decref(r->root);
	json_decref(r->folded);
	free(r->findings);
	free(r->text);
	free(r);
	return NULL;
}

ABIBASE_EXPORT enum abibase_verdict abibase_result_verdict(const struct abibase_result *r)
{
	return r ? r->verdict : ABIBASE_VERDICT_UNKNOWN;
}

size_t result_finding_count(const struct abibase_result *r)
{
	return r ? r->n_findings : 0;
}

ABIBASE_EXPORT const struct abibase_value *abibase_result_finding(const struct abibase_result *r,
								  size_t i)
{
	return as_value(r && i < r->n_findings ? r->findings[i] : NULL);
}

ABIBASE_EXPORT const struct abibase_value *abibase_result_value(const struct abibase_result *r)
{
	return as_value(r ? r->root : NULL);
}

ABIBASE_EXPORT int abibase_result_to_text(const struct abibase_result *r, size_t width,
					   char **ret)
{
	char *copy;

	if (!r || !ret)
		return -EINVAL;
	if (!r->text)
		return r->show(r->folded ? r->folded : r->root, width, ret);
	copy = strdup(r->text);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}
