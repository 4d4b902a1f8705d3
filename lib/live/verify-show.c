/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document/page.h"
#include "live/verify.h"
#include "qemu/observe.h"

/* What a verification found: as a document, and for people. */

static json_t *json_device(const struct verify_device *d)
{
	json_auto_t *v = json_pack("{ss ss ss ss}", "name", d->name, "driver", d->driver, "backend",
				   d->backend, "verdict", verdict_words[d->verdict]);

	if (d->seen && (json_put(v, "offered", json_word(d->dev.offered)) < 0 ||
			json_put(v, "queue_sizes", queues_json(&d->dev)) < 0))
		return NULL;
	if (d->stated && json_put(v, "stated", json_word(d->want)) < 0)
		return NULL;
	return steal(&v);
}

json_t *verification_document(const struct verification *vf)
{
	json_auto_t *root = json_pack("{ss ss ss ss* ss* s[] so so sO}", "schema",
				      "abibase-verify/1", "baseline", vf->baseline, "verdict",
				      verdict_words[vf->verdict], "qemu", vf->qemu, "machine",
				      vf->machine, "devices", "findings",
				      findings_json(&vf->findings), "left_out",
				      json_strings(vf->left_out, vf->n_left_out), "scope",
				      vf->scope);

	for (size_t i = 0; i < vf->n_devices; i++)
		if (json_add(json_object_get(root, "devices"), json_device(&vf->devices[i])) < 0)
			return NULL;
	return steal(&root);
}

/* Those of a device; NULL: of none */
static void show_findings(struct page *p, const json_t *root, const char *device)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(root, "findings"), i, v)
		if (same_text(string_of(v, "device"), device))
			page_found(p, device, NULL, v);
	page_causes(p);
}

static void show_device(struct page *p, const json_t *root, const json_t *d)
{
	const char *name = string_of(d, "name"), *backend = string_of(d, "backend");
	const char *verdict = string_of(d, "verdict");

	/* without a command line it is called as its backend, which is said anyway */
	page_say(p, 2, "%s on %s: %s", streq(name, backend) ? string_of(d, "driver") : name, backend,
		 streq(verdict, "no")	     ? "differs" :
		 streq(verdict, "unknown")   ? "cannot tell" :
		 json_object_get(d, "stated") ? "equal" :
					       "not judged");
	show_findings(p, root, name);
}

int verification_show(const json_t *root, size_t width, char **ret)
{
	static const char *const words[] = { "yes: a guest is offered",
					     "no: a guest is not offered", "",
					     "cannot tell whether a guest is offered" };
	const json_t *left_out = json_object_get(root, "left_out");
	const char *baseline = string_of(root, "baseline");
	_buf_ names = { 0 };
	struct page p;
	size_t i;
	json_t *v;

	page_begin(&p, width);
	page_say(&p, 2, "%s what the baseline promises: %s",
		 words[word_index(verdict_words, string_of(root, "verdict"))],
		 baseline ? baseline : "");
	if (string_of(root, "qemu"))
		page_say(&p, 2, "%s", string_of(root, "qemu"));
	show_findings(&p, root, NULL);
	json_array_foreach(json_object_get(root, "devices"), i, v)
		show_device(&p, root, v);
	page_some(&names, left_out, json_array_size(left_out));
	if (names.len)
		page_say(&p, 2, "left out or replaced: %s", names.data);
	p.failed |= buf_failed(&names);
	page_end(&p, json_object_get(root, "scope"),
		 "explain BASELINE, abibase check BASELINE PROFILE");
	return page_give(&p, ret);
}
