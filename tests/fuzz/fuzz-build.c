/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a build record: what is accepted can be asked for every value, and is read again. */
#include <abibase/abibase.h>

#include "answer/show.h"
#include "base/context.h"
#include "document/build.h"
#include "fuzz.h"

static struct abibase_context *ctx;

/* Each property of each class, under each machine type; some of them, for a run is to be short. */
static void ask_all(const json_t *root)
{
	const char *class_name, *above, *property, *machine;
	unsigned int left = 200;
	json_t *own, *type, *v, *m;

	json_object_foreach(json_object_get(root, "properties"), above, own)
		json_object_foreach(own, property, type)
			json_object_foreach(json_object_get(root, "classes"), class_name, v)
				json_object_foreach(json_object_get(root, "machines"), machine, m) {
					const struct build_question q = { .class_name = class_name,
									  .property = property };

					if (left && build_is_a(root, class_name, above)) {
						left--;
						json_decref(build_value(root, machine, &q));
					}
				}
}

static void read_again(const struct abibase_build *b)
{
	struct abibase_build *again = NULL;
	char *text = NULL, *table = NULL;
	json_t *root;

	MUST(json_give(b->root, &text) == 0 && build_record_to_text(b, 0, &table) == 0);
	if (strlen(text) <= JSON_MAX_BUILD) {
		MUST(json_parse(ctx, text, strlen(text), JSON_MAX_BUILD, "written", &root) == 0);
		MUST(build_from_json(ctx, root, "written", &again) == 0);
		MUST(streq(again->digest, b->digest));
	}
	build_record_unref(again);
	free(text);
	free(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct abibase_build *b = NULL;
	json_t *root;

	if (!ctx)
		MUST(abibase_context_new(0, &ctx) == 0);
	if (json_parse(ctx, (const char *)data, size, JSON_MAX_BUILD, "input", &root) < 0 ||
	    build_from_json(ctx, root, "input", &b) < 0)
		return 0;
	ask_all(b->root);
	read_again(b);
	build_record_unref(b);
	return 0;
}
