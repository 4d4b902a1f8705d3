/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"
#include "document/page.h"
#include "live/rehearse.h"

/* What a rehearsal found: as a document, and for people. */

void rehearse_say(struct rehearsed *rd, enum abibase_finding_kind kind, const char *id,
		  const char *layer, const char *remedy, const char *fmt, ...)
{
	_buf_ text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_puts(&text, show_vkeep(&rd->arena, fmt, ap));
	va_end(ap);
	finding_add(&rd->findings,
		    (struct finding){
			    .kind = kind, .bit = -1, .id = id, .layer = layer, .remedy = remedy },
		    &text);
}

/* -------------------------------------------------------------------- as a document */

static json_t *json_side(const struct rehearse_side *s)
{
	return s->qemu ? json_pack("{ss ss* ss* ss*}", "qemu", s->qemu, "version", s->version,
				   "package", s->package, "machine",
				   s->machine && *s->machine ? s->machine : NULL) :
			 NULL;
}

/* What a stopped machine shows, and what it cannot; what its firmware does is seen where it ran. */
static json_t *scope(const struct rehearsed *rd)
{
	return json_pack("{s[sss] s[ss] s[s] s[ssss]}", "devices", "devices", "memory", "vCPUs",
			 "layers", "command line", "QEMU", "evidence", "rehearsal", "not_compared",
			 "negotiated features",
			 rd->run ? "state of drivers" : "state of drivers and firmware",
			 "sizes that follow RAM", "contents of disks, and sizes that no line says");
}

json_t *rehearsed_document(const struct rehearsed *rd)
{
	return json_pack("{ss so* ss so* so* ss* so so sO so sb sb ss*}", "schema",
			 "abibase-rehearse-answer/1", "run", rd->run ? json_integer(rd->run) : NULL,
			 "verdict", verdict_words[rd->verdict], "source", json_side(&rd->source),
			 "destination", json_side(&rd->destination), "file", rd->file, "bytes",
			 json_integer((json_int_t)rd->bytes), "findings",
			 findings_json(&rd->findings), "replaced", rd->replaced, "scope", scope(rd),
			 "saved", (int)rd->saved, "loads_idle", (int)rd->loaded, "said", rd->said);
}

/* ---------------------------------------------------------------------- for people */

static void name_side(struct buf *out, const json_t *side)
{
	const char *version = string_of(side, "version"), *qemu = string_of(side, "qemu");

	buf_printf(out, "%s%s", version ? "QEMU " : "", version ? version : qemu ? qemu : "QEMU");
}

static void show_verdict(struct page *p, const json_t *root)
{
	static const char *const words[] = { "yes", "no", "", "cannot tell" };
	const char *verdict = words[word_index(verdict_words, string_of(root, "verdict"))];
	const json_t *to = json_object_get(root, "destination");
	const char *file = string_of(root, "file");
	_buf_ source = { 0 }, destination = { 0 };

	name_side(&source, json_object_get(root, "source"));
	name_side(&destination, to);
	p->failed |= buf_failed(&source) || buf_failed(&destination);
	if (p->failed)
		return;
	if (!json_is_true(json_object_get(root, "saved")))
		page_say(p, 2, "%s: %s does not save this guest", verdict, source.data);
	else if (!to)
		page_say(p, 2, "%s: %s saves this guest, in %lld bytes%s%s", verdict, source.data,
			 (long long)json_integer_value(json_object_get(root, "bytes")),
			 file ? ": " : "", file ? file : "");
	else if (json_is_true(json_object_get(root, "loads_idle")))
		page_say(p, 2, "%s: what %s saves of this guest loads %s in %s%s", verdict,
			 source.data,
			 json_object_get(root, "run") ? "behind its firmware" : "idle",
			 destination.data,
			 streq(verdict, words[0]) ? "" : ", and there is more to it");
	else
		page_say(p, 2, "%s: what %s saves of this guest does not load in %s", verdict,
			 source.data, destination.data);
}

int rehearsed_show(const json_t *root, size_t width, char **ret)
{
	_buf_ text = { 0 };
	struct page p;
	size_t i;
	json_t *v;

	page_begin(&p, width);
	show_verdict(&p, root);
	page_find(&p, NULL, NULL, json_object_get(root, "findings"));
	page_causes(&p);
	json_array_foreach(json_object_get(root, "replaced"), i, v)
		buf_printf(&text, "%s%s", i ? "; " : "replaced: ", json_string_value(v));
	if (text.len)
		page_say(&p, 2, "%s", text.data);
	p.failed |= buf_failed(&text);
	page_end(&p, json_object_get(root, "scope"), "targets GUEST HOST, abibase decode");
	return page_give(&p, ret);
}
