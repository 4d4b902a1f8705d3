/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document/finding.h"

const char *const finding_words[] = { "conflict", "unknown", "note", NULL };
const char *const verdict_words[] = { "yes", "no", "", "unknown", NULL };

void finding_add(struct findings *l, struct finding f, struct buf *text)
{
	const char **const words[] = { &f.layer, &f.feature, &f.property, &f.remedy, &f.cause };
	struct finding *to = arena_grow(l->arena, l->f, l->n, sizeof(*to));

	f.text = buf_failed(text) ? NULL : arena_strdup(l->arena, text->data ? text->data : "");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (*words[i])
			*words[i] = arena_strdup(l->arena, *words[i]);
	text->len = 0;
	l->arena->failed |= buf_failed(text);
	if (l->arena->failed)
		return;
	l->f = to;
	to[l->n++] = f;
}

bool findings_have(const struct findings *l, enum abibase_finding_kind kind)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->f[i].kind == kind)
			return true;
	return false;
}

enum abibase_verdict findings_verdict(const struct findings *l)
{
	return findings_have(l, ABIBASE_FINDING_CONFLICT) ? ABIBASE_VERDICT_NO :
	       findings_have(l, ABIBASE_FINDING_UNKNOWN)  ? ABIBASE_VERDICT_UNKNOWN :
							    ABIBASE_VERDICT_YES;
}

json_t *finding_json(const struct finding *f)
{
	/* jansson leaves a member out where the value is NULL and the format has a "*" */
	return json_pack("{ss ss ss ss* ss* ss* ss* ss* ss* ss* ss* so* so* so*}", "kind",
			 finding_words[f->kind], "id", f->id, "text", f->text, "device", f->device,
			 "fact", f->fact, "host", f->host,
			 "layer", f->layer, "feature", f->feature, "property", f->property,
			 "remedy", f->remedy, "cause", f->cause, "bit",
			 f->feature && f->bit >= 0 ? json_integer(f->bit) : NULL, "fixable",
			 f->layer ? json_boolean(f->fixable) : NULL, "by_list",
			 f->by_list ? json_true() : NULL);
}

json_t *findings_json(const struct findings *l)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < l->n; i++) {
		if (json_array_append_new(list, finding_json(&l->f[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}
