/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a host has and lacks, for people: PASS, WARN and UNKNOWN lines. What guests miss, and what
 * would help, is the catalogue's; the words for what is there are here. Nothing is ever read back.
 */

#include <errno.h>
#include <inttypes.h>

#include "document/catalogue.h"
#include "model/ask.h"
#include "answer/show.h"

struct report {
	const struct abibase_profile *p;
	const struct abibase_catalogue *cat;
	struct buf text;
};

/* One surface. */
struct surface {
	const char *name, *usable;
	const char *prefix; /* of its facts */
	const char *lacks;  /* said of its absence where the catalogue has no words for it */
};

static const struct surface surfaces[] = {
	{ "tap", "tap.usable", "tap.", NULL },
	{ "vhost-net", "vhost_net.usable", "vhost_net.", NULL },
	{ "macvtap", "macvtap.usable", "macvtap.", NULL },
	{ "ipvtap", "ipvtap.usable", "ipvtap.",
	  "this kernel has no ipvtap and cannot load it: a kernel with CONFIG_IPVTAP" },
	{ "vhost-vsock", "vhost_vsock.usable", "vhost_vsock.", NULL },
	{ "vhost-scsi", "vhost_scsi.usable", "vhost_scsi.", NULL },
	{ "vhost-vdpa", "vhost_vdpa.usable", "vhost_vdpa.",
	  "this kernel does not have it: guests with such a device cannot come here: a kernel with "
	  "CONFIG_VHOST_VDPA" },
	{ "ebpf", "host.ebpf_rss", "host.", NULL },
};

/*
 * What is said of a surface that works, before the labels of the catalogue's conditions; @fact is
 * without the prefix.
 */
static const struct {
	const char *fact, *word;
} labels[] = {
	{ "offload.csum", "checksum" },
	{ "offload.tso4", "TSO" },
	{ "offload.tso_ecn", "TSO with ECN" },
	{ "offload.ufo", "UFO" },
	{ "offload.uso", "USO" },
	{ "offload.udp_tunnel", "UDP tunnels" },
};

/* ------------------------------------------------------------------- lines */

static void begin(struct report *r, const char *word, const char *surface)
{
	buf_printf(&r->text, "%-8s%s: ", word, surface);
}

static void put_unknown(struct report *r, const char *surface, const char *what, const char *reason)
{
	const char *remedy = unknown_remedy(reason);

	if (streq(surface, "ebpf") && streq(reason, "no-permission"))
		remedy = "probe as root: loading a program takes CAP_BPF";
	begin(r, "UNKNOWN", surface);
	if (what)
		buf_printf(&r->text, "%s: ", what);
	buf_printf(&r->text, "%s: %s\n", reason, remedy);
}

/* A condition of the catalogue by its name, or NULL. */
static const struct condition *find_condition(const struct report *r, const char *name)
{
	for (size_t i = 0; i < r->cat->n_conditions; i++)
		if (streq(r->cat->conditions[i].name, name))
			return &r->cat->conditions[i];
	return NULL;
}

static bool has_fact(const struct report *r, const char *prefix, const char *fact)
{
	char id[64];

	snprintf(id, sizeof(id), "%s%s", prefix, fact);
	return profile_ask(r->p, id, -1, NULL) == ABIBASE_YES;
}

/* ------------------------------------------------------- what guests can miss */

static bool needs_condition(const struct report *r, const struct needs *needs, int condition)
{
	struct ask a = { .cat = r->cat };

	for (size_t be = 0; be < r->cat->n_backends; be++)
		if (ask_is_need(&a, &needs[be], condition))
			return true;
	return false;
}

/* The pinned properties that are off without it: "host_uso=off, guest_uso4=off". */
static void put_properties(const struct report *r, int condition, struct buf *out)
{
	for (size_t i = 0; i < r->cat->n_rows; i++) {
		const struct row *row = &r->cat->rows[i];

		if (row->pin == PIN_PINNED && row->backends & catalogue_device(r->cat, NULL) &&
		    needs_condition(r, row->needs, condition))
			buf_printf(out, "%s%s=off", out->len ? ", " : "", row->property);
	}
}

static bool is_requirement(const struct report *r, int condition)
{
	for (size_t i = 0; i < r->cat->n_requirements; i++)
		if (!r->cat->requirements[i].named_only &&
		    needs_condition(r, r->cat->requirements[i].needs, condition))
			return true;
	return false;
}

/* One condition of a surface that works. What is only there on request is left out. */
static void put_condition(struct report *r, const struct surface *s, int condition)
{
	const struct condition *c = &r->cat->conditions[condition];
	const char *reason = NULL;
	_buf_ properties = { 0 };
	enum abibase_tri tri;

	put_properties(r, condition, &properties);
	if (!properties.len && !is_requirement(r, condition))
		return;
	tri = profile_ask(r->p, c->fact, c->bit, &reason);
	if (tri == ABIBASE_UNKNOWN) {
		put_unknown(r, s->name, c->name, reason);
	} else if (tri == ABIBASE_NO) {
		begin(r, "WARN", s->name);
		buf_puts(&r->text, c->missing);
		if (properties.len)
			buf_printf(&r->text, ": guests that shall come here need %s",
				   properties.data);
		buf_printf(&r->text, "; remedy: %s\n", c->remedy);
	}
	r->text.failed |= properties.failed;
}

/* ---------------------------------------------------------------- surfaces */

static void put_label(struct report *r, const char *label, bool *any)
{
	buf_printf(&r->text, "%s%s", *any ? ", " : "", label);
	*any = true;
}

static void put_pass(struct report *r, const struct surface *s)
{
	struct ask a = { .cat = r->cat, .p = r->p };
	const char *reason;
	bool any = false;

	begin(r, "PASS", s->name);
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		if (has_fact(r, s->prefix, labels[i].fact))
			put_label(r, labels[i].word, &any);
	for (size_t i = 0; i < r->cat->n_conditions; i++)
		if (r->cat->conditions[i].label &&
		    strprefix(r->cat->conditions[i].fact, s->prefix) &&
		    ask_condition(&a, (int)i, &reason) == ABIBASE_YES)
			put_label(r, r->cat->conditions[i].label, &any);
	if (streq(s->name, "ebpf"))
		buf_puts(&r->text, "the program with which QEMU steers packets may be loaded");
	else if (!any)
		buf_puts(&r->text, "usable");
	buf_putc(&r->text, '\n');
}

static void put_absent(struct report *r, const struct surface *s)
{
	const struct condition *c = find_condition(r, s->usable);

	begin(r, "WARN", s->name);
	if (c)
		buf_printf(&r->text, "%s; remedy: %s\n", c->missing, c->remedy);
	else
		buf_printf(&r->text, "%s\n",
			   s->lacks ? s->lacks : "the kernel does not have it");
}

/* Each device of vhost-vdpa: "device 0: virtio device 1, features 0x…" */
static void put_vdpa(struct report *r, const struct surface *s)
{
	for (unsigned int i = 0; i < 1000; i++) {
		char id[64], features[64];
		const json_t *device_id, *word;

		snprintf(id, sizeof(id), "vhost_vdpa.%u.device_id", i);
		snprintf(features, sizeof(features), "vhost_vdpa.%u.features", i);
		device_id = json_object_get(r->p->facts, id);
		word = json_object_get(r->p->facts, features);
		if (!json_is_integer(device_id) || !json_is_string(word))
			continue;
		begin(r, "PASS", s->name);
		buf_printf(&r->text, "device %u: virtio device id %" JSON_INTEGER_FORMAT
			   ", features ", i, json_integer_value(device_id));
		show_text(&r->text, json_string_value(word));
		buf_putc(&r->text, '\n');
	}
}

static void put_surface(struct report *r, const struct surface *s)
{
	const char *reason = NULL;
	enum abibase_tri tri = profile_ask(r->p, s->usable, -1, &reason);
	bool said = tri == ABIBASE_UNKNOWN && streq(reason, "not-recorded") &&
		    !streq(s->name, "tap") && !streq(s->name, "vhost-net");

	/* what was not asked, or cannot be known from an older profile, is no news */
	if (said || (tri == ABIBASE_UNKNOWN && streq(reason, "not-asked")))
		return;
	if (tri == ABIBASE_UNKNOWN) {
		put_unknown(r, s->name, NULL, reason);
		return;
	}
	if (tri == ABIBASE_NO) {
		put_absent(r, s);
		return;
	}
	put_pass(r, s);
	if (streq(s->name, "vhost-vdpa"))
		put_vdpa(r, s);
	for (size_t i = 0; i < r->cat->n_conditions; i++)
		if (strprefix(r->cat->conditions[i].fact, s->prefix))
			put_condition(r, s, (int)i);
}

static bool is_listed(const char *usable)
{
	for (size_t i = 0; i < ARRAY_SIZE(surfaces); i++)
		if (streq(surfaces[i].usable, usable))
			return true;
	return false;
}

/* Surfaces that the catalogue alone knows, by the condition that they are usable. */
static void put_others(struct report *r)
{
	for (size_t i = 0; i < r->cat->n_conditions; i++) {
		const struct condition *c = &r->cat->conditions[i];
		const char *dot = strchr(c->fact, '.');
		_autofree_ char *prefix = NULL;

		if (!dot || c->bit >= 0 || !streq(dot, ".usable") || is_listed(c->fact))
			continue;
		prefix = strndup(c->fact, (size_t)(dot + 1 - c->fact));
		if (prefix)
			put_surface(r, &(struct surface){ c->layer, c->fact, prefix, NULL });
		else
			r->text.failed = true;
	}
}

static void put_params(struct report *r)
{
	static const struct {
		const char *name, *meaning;
	} params[] = {
		{ "vhost.max_mem_regions", "a guest with vhost and more memory regions, which "
					   "plugged memory takes, cannot come here" },
		{ "vhost.max_iotlb_entries", "it bounds what vhost caches for a guest with an "
					     "IOMMU" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
		const char *reason;
		const json_t *v;
		char id[64];

		snprintf(id, sizeof(id), "param.%s", params[i].name);
		v = json_object_get(r->p->facts, id);
		reason = json_string_value(json_object_get(v, "unknown"));
		if (json_is_integer(v)) {
			begin(r, "PASS", "params");
			buf_printf(&r->text, "%s is %" JSON_INTEGER_FORMAT ": %s\n",
				   params[i].name, json_integer_value(v), params[i].meaning);
		} else if (reason && !streq(reason, "not-asked")) {
			put_unknown(r, "params", params[i].name, reason);
		}
	}
}

static void put_qemus(struct report *r)
{
	for (size_t i = 0; i < r->p->n_qemu; i++) {
		const struct profile_qemu *q = &r->p->qemu[i];
		const json_t *machines = json_object_get(q->json, "machines");

		begin(r, machines ? "PASS" : "UNKNOWN", "qemu");
		show_text(&r->text, q->version);
		buf_puts(&r->text, " for ");
		show_text(&r->text, q->target);
		if (q->path) {
			buf_puts(&r->text, ", ");
			show_text(&r->text, q->path);
		}
		if (machines)
			buf_printf(&r->text, ": %zu machine types\n", json_object_size(machines));
		else
			buf_puts(&r->text,
				 ": its machine types are not recorded; probe it again\n");
	}
	for (size_t i = 0; i < r->p->n_unasked; i++) {
		const json_t *v = profile_unasked(r->p, i);
		const char *path = json_string_value(json_object_get(v, "path"));

		begin(r, "UNKNOWN", "qemu");
		show_text(&r->text, path ? path : "a binary");
		buf_puts(&r->text, " is there and could not be asked (");
		show_text(&r->text, json_string_value(json_object_get(v, "unknown")));
		buf_puts(&r->text, "); remedy: see why it does not answer, or take it away\n");
	}
	if (r->p->has_qemu && !r->p->n_qemu && !r->p->n_unasked) {
		begin(r, "WARN", "qemu");
		buf_puts(&r->text, "there is none; remedy: install one, or name it with --qemu\n");
	}
}

ABIBASE_EXPORT int abibase_profile_to_report(const struct abibase_profile *p,
					     const struct abibase_catalogue *cat, char **ret)
{
	struct report r = { .p = p, .cat = cat };
	char *text;

	buf_puts(&r.text, "");
	for (size_t i = 0; i < ARRAY_SIZE(surfaces); i++)
		put_surface(&r, &surfaces[i]);
	put_others(&r);
	put_params(&r);
	put_qemus(&r);
	text = buf_steal(&r.text);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}
