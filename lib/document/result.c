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

/* ---------------------------------------------------------------------- hosts, one by one */

static const json_t *hosts_of(const struct abibase_result *r)
{
	return json_object_get(r->root ? r->root : r->folded, "hosts");
}

/* The place of a host among others that are the same element. */
struct place {
	const json_t *element;
	size_t i, alike;
};

static int cmp_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->i > y->i) - (x->i < y->i);
}

static int cmp_element(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->element != y->element)
		return x->element < y->element ? -1 : 1;
	return cmp_place(a, b);
}

/* The first host of each element, in their order; @ret is for free(), NULL: no memory */
static size_t find_places(const json_t *hosts, struct place **ret)
{
	struct place *p = calloc(json_array_size(hosts) + 1, sizeof(*p));
	size_t i, n = 0;
	json_t *v;

	*ret = p;
	if (!p)
		return 0;
	json_array_foreach((json_t *)hosts, i, v)
		p[i] = (struct place){ v, i, 1 };
	qsort(p, json_array_size(hosts), sizeof(*p), cmp_element);
	for (i = 0; i < json_array_size(hosts); i++)
		if (n && p[n - 1].element == p[i].element)
			p[n - 1].alike++;
		else
			p[n++] = p[i];
	qsort(p, n, sizeof(*p), cmp_place);
	return n;
}

ABIBASE_EXPORT int abibase_result_hosts(const struct abibase_result *r, abibase_host_fn fn,
					void *data)
{
	_autofree_ struct place *place = NULL;
	size_t n = r ? find_places(hosts_of(r), &place) : 0;
	int ret = r && !place ? -ENOMEM : 0;

	for (size_t i = 0; ret == 0 && i < n; i++) {
		json_auto_t *own = r->root ? NULL : r->unfold(r->folded, place[i].i);

		ret = r->root || own ? fn(data, as_value(own ? own : place[i].element),
					  place[i].alike) :
				       -ENOMEM;
	}
	return ret;
}

/* ---------------------------------------------------------------------- in full */

/* As the document has it where it is made; a host at a time, for all of them are large. */
static bool write_hosts(struct buf *out, const struct abibase_result *r)
{
	size_t n = json_array_size(hosts_of(r));

	buf_putc(out, '[');
	for (size_t i = 0; i < n; i++) {
		json_auto_t *host = r->unfold(r->folded, i);

		if (!host)
			return false;
		json_write_line(out, i > 0, 2);
		json_write_value(out, host, 2);
	}
	json_write_line(out, false, 1);
	buf_putc(out, ']');
	return true;
}

static bool write_member(struct buf *out, const struct abibase_result *r, const char *key)
{
	json_write_line(out, !streq(key, "schema"), 1);
	json_write_string(out, key);
	buf_puts(out, ": ");
	if (streq(key, "hosts"))
		return write_hosts(out, r);
	json_write_value(out, json_object_get(r->folded, key), 1);
	return true;
}

static int unfold(const struct abibase_result *r, char **ret)
{
	size_t n;
	_autofree_ const char **keys = json_keys(r->folded, &n);
	_buf_ out = { 0 };
	bool ok = keys;

	buf_putc(&out, '{');
	ok = ok && write_member(&out, r, "schema");
	for (size_t i = 0; ok && i < n; i++)
		if (!streq(keys[i], "schema") && !streq(keys[i], FOLDED_NAMES))
			ok = write_member(&out, r, keys[i]);
	json_write_line(&out, false, 0);
	buf_puts(&out, "}\n");
	return ok ? buf_give(&out, ret) : -ENOMEM;
}

ABIBASE_EXPORT int abibase_result_to_json(const struct abibase_result *r, char **ret)
{
	if (!r || !ret)
		return -EINVAL;
	return r->root ? json_give(r->root, ret) : unfold(r, ret);
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
