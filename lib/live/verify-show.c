/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"
#include "live/verify.h"
#include "qemu/observe.h"

/* What a verification found: for people, and as a document. */

/* ------------------------------------------------------------------------- as text */

/* Features that differ for the same reason are said in one sentence. */
static bool same_cause(const struct finding *a, const struct finding *b)
{
	return a->bit >= 0 && b->bit >= 0 && a->device == b->device && streq(a->id, b->id) &&
	       same_text(a->layer, b->layer) && same_text(a->remedy, b->remedy) &&
	       (same_text(a->cause, b->cause) || strprefix(a->layer, LAYER_COMMAND));
}

static bool said_before(const struct verification *vf, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same_cause(&vf->findings.f[k], &vf->findings.f[i]))
			return true;
	return false;
}

static void text_features(const struct verification *vf, size_t first, struct buf *out)
{
	const char *separator = " ", *last = NULL;

	for (size_t i = first; i < vf->findings.n; i++) {
		const struct finding *f = &vf->findings.f[i];

		if (!same_cause(&vf->findings.f[first], f))
			continue;
		buf_printf(out, "%s%s (bit %d)", separator, f->feature, f->bit);
		separator = ", ";
	}
	buf_putc(out, '\n');
	for (size_t i = first; i < vf->findings.n; i++) {
		const struct finding *f = &vf->findings.f[i];

		if (!same_cause(&vf->findings.f[first], f) || same_text(f->cause, last))
			continue;
		buf_printf(out, "      because: %s: %s [%s]\n", f->layer, f->cause, f->id);
		last = f->cause;
	}
}

static void text_finding(const struct verification *vf, size_t i, struct buf *out)
{
	static const char *const kinds[] = { [ABIBASE_FINDING_CONFLICT] = "differs",
					     [ABIBASE_FINDING_UNKNOWN] = "unknown",
					     [ABIBASE_FINDING_NOTE] = "note" };
	const struct finding *f = &vf->findings.f[i];

	if (said_before(vf, i))
		return;
	if (f->bit >= 0) {
		buf_puts(out, streq(f->id, "verify-offered") ?
				      "    offered, and off in the baseline:" :
				      "    not offered, and on in the baseline:");
		text_features(vf, i, out);
	} else {
		buf_printf(out, "    %s: %s [%s]\n", kinds[f->kind], f->text, f->id);
	}
	if (f->remedy)
		buf_printf(out, "      remedy: %s\n", f->remedy);
}

static void text_findings(const struct verification *vf, const char *device, struct buf *out)
{
	for (size_t i = 0; i < vf->findings.n; i++)
		if (vf->findings.f[i].device == device)
			text_finding(vf, i, out);
}

static const char *device_words(const struct verify_device *d)
{
	if (d->verdict == ABIBASE_VERDICT_NO)
		return "differs";
	if (d->verdict == ABIBASE_VERDICT_UNKNOWN)
		return "cannot tell";
	return d->stated ? "equal" : "not judged";
}

/* Without a command line a device is called as its backend, which is said anyway. */
static const char *device_name(const struct verify_device *d)
{
	return streq(d->name, d->backend) ? d->driver : d->name;
}

char *verification_text(const struct verification *vf)
{
	static const char *const words[] = { "yes: a guest is offered",
					     "no: a guest is not offered", "",
					     "cannot tell whether a guest is offered" };
	_buf_ out = { 0 };

	show_printf(&out, 0, 2, "%s what the baseline promises: %s", words[vf->verdict],
		    vf->baseline ? vf->baseline : "");
	if (vf->qemu)
		buf_printf(&out, "%s\n", vf->qemu);
	text_findings(vf, NULL, &out);
	for (size_t i = 0; i < vf->n_devices; i++) {
		const struct verify_device *d = &vf->devices[i];

		buf_printf(&out, "  %s on %s: %s\n", device_name(d), d->backend, device_words(d));
		text_findings(vf, d->name, &out);
	}
	if (vf->n_left_out)
		buf_puts(&out, "  left out or replaced:");
	for (size_t i = 0; i < vf->n_left_out; i++)
		buf_printf(&out, "%s %s", i ? "," : "", vf->left_out[i]);
	if (vf->n_left_out)
		buf_putc(&out, '\n');
	show_printf(&out, 0, 2,
		    "Looked at: the devices that a stopped throw-away QEMU has; not looked at: "
		    "CPU, firmware, other devices");
	show_printf(&out, 0, 2, "See: abibase explain BASELINE, abibase check BASELINE PROFILE");
	return buf_steal(&out);
}

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
	json_auto_t *root = json_pack("{ss ss ss ss* ss* s[] so s[]}", "schema",
				      "abibase-verify/1", "baseline", vf->baseline, "verdict",
				      verdict_words[vf->verdict], "qemu", vf->qemu, "machine",
				      vf->machine, "devices", "findings",
				      findings_json(&vf->findings), "left_out");
	json_t *devices = json_object_get(root, "devices");
	json_t *left_out = json_object_get(root, "left_out");

	for (size_t i = 0; i < vf->n_devices; i++)
		if (json_add(devices, json_device(&vf->devices[i])) < 0)
			return NULL;
	for (size_t i = 0; i < vf->n_left_out; i++)
		if (json_add(left_out, json_string(vf->left_out[i])) < 0)
			return NULL;
	return steal(&root);
}
