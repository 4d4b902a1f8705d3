/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/context.h"
#include "document/catalogue.h"
#include "document/errata.h"

/* The catalogue as it is installed, with the errata that are about its rows. */

ABIBASE_EXPORT int abibase_catalogue_new(struct abibase_context *ctx,
					 struct abibase_catalogue **ret)
{
	_autofree_ char *path = NULL;
	json_t *root;
	struct abibase_catalogue *cat = NULL;
	int r = data_read(ctx, &catalogue_form, &path, &root);

	if (r == 0)
		r = catalogue_from_json(ctx, root, path, &cat);
	if (r == 0)
		r = errata_load(ctx, cat);
	if (r < 0) {
		abibase_catalogue_unref(cat);
		return r;
	}
	*ret = cat;
	return 0;
}
