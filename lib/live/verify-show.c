/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live/verify.h"

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
	_buf_ out = { 0 };

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
	return buf_steal(&out);
}

/* A member that a document cannot do without; jansson takes the reference in any case. */
static void set(json_t *o, const char *key, json_t *v, bool *failed)
{
	if (json_object_set_new(o, key, v) < 0)
		*failed = true;
}

static void append(json_t *list, json_t *v, bool *failed)
{
	if (json_array_append_new(list, v) < 0)
		*failed = true;
}

static json_t *json_queues(const struct verify_device *d, bool *failed)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < d->n_queues; i++)
		append(list, json_integer(d->queue_size[i]), failed);
	return list;
}

static json_t *json_word(const uint64_t word[2])
{
	char text[40];

	snprintf(text, sizeof(text), "0x%016llx%016llx", (unsigned long long)word[1],
		 (unsigned long long)word[0]);
	return json_string(text);
}

static json_t *json_device(const struct verify_device *d, bool *failed)
{
	json_t *v = json_pack("{ss ss ss ss}", "name", d->name, "driver", d->driver, "backend",
			      d->backend, "verdict", verdict_words[d->verdict]);

	if (d->seen) {
		set(v, "offered", json_word(d->offered), failed);
		set(v, "queue_sizes", json_queues(d, failed), failed);
	}
	if (d->stated)
		set(v, "stated", json_word(d->want), failed);
	return v;
}

json_t *verification_document(const struct verification *vf)
{
	json_t *root = json_pack("{ss ss ss ss* ss*}", "schema", "abibase-verify/1", "baseline",
				      vf->baseline, "verdict", verdict_words[vf->verdict], "qemu",
				      vf->qemu, "machine", vf->machine);
	json_t *devices = json_array(), *left_out = json_array();
	bool failed = false;

	for (size_t i = 0; i < vf->n_devices; i++)
		append(devices, json_device(&vf->devices[i], &failed), &failed);
	for (size_t i = 0; i < vf->n_left_out; i++)
		append(left_out, json_string(vf->left_out[i]), &failed);
	set(root, "devices", devices, &failed);
	set(root, "findings", findings_json(&vf->findings), &failed);
	set(root, "left_out", left_out, &failed);
	if (!failed)
		return root;
	json_decref(root);
	return NULL;
}
