/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a host has and lacks, for people, a page: WARN, UNKNOWN and PASS lines. What guests miss, and
 * what would help, is the catalogue's; the words for what is there are here. Nothing is ever read back.
 */

#include <errno.h>
#include <inttypes.h>

#include "document/catalogue.h"
#include "model/ask.h"
#include "answer/show.h"

enum grade { WARN, UNKNOWN, PASS, N_GRADES };
static const char *const grades[] = { "WARN", "UNKNOWN", "PASS" };

struct report {
	const struct abibase_profile *p;
	const struct abibase_catalogue *cat;
	struct buf text; /* the line that is being made */
	struct buf done[N_GRADES];
	size_t n[N_GRADES];
	struct buf asked, not_asked; /* surfaces */
	size_t width;
	bool failed;
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
	  "this kernel has no ipvtap and cannot load it; remedy: a kernel with CONFIG_IPVTAP" },
	{ "vhost-vsock", "vhost_vsock.usable", "vhost_vsock.", NULL },
	{ "vhost-scsi", "vhost_scsi.usable", "vhost_scsi.", NULL },
	{ "vhost-vdpa", "vhost_vdpa.usable", "vhost_vdpa.",
	  "this kernel does not have it: guests with such a device cannot come here; remedy: a kernel "
	  "with CONFIG_VHOST_VDPA" },
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

static void begin(struct report *r, const char *surface)
{
	buf_printf(&r->text, "%s: ", surface);
}

static void end(struct report *r, enum grade grade)
{
	r->failed |= buf_failed(&r->text);
	r->done[grade].width = r->width;
	show_labelled(&r->done[grade], 8, grades[grade], "%s", r->text.data ? r->text.data : "");
	buf_clear(&r->text);
	r->n[grade]++;
}

static void add_name(struct buf *to, const char *name)
{
	buf_printf(to, "%s%s", to->len ? ", " : "", name);
}

static void put_unknown(struct report *r, const char *surface, const char *what, const char *reason)
{
	const char *remedy = unknown_remedy(reason);

	if (streq(surface, "ebpf") && streq(reason, "no-permission"))
		remedy = "probe as root: loading a program takes CAP_BPF";
	begin(r, surface);
	if (what)
		buf_printf(&r->text, "%s: ", what);
	buf_printf(&r->text, "%s; remedy: %s", reason, remedy);
	end(r, UNKNOWN);
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

/* The pinned properties that are off without it: "host_uso=off, guest_uso4=off". */
static void put_properties(const struct report *r, int condition, struct buf *out)
{
	for (size_t i = 0; i < r->cat->n_rows; i++) {
		const struct row *row = &r->cat->rows[i];

		if (row->pin == PIN_PINNED && row->backends & catalogue_device(r->cat, NULL) &&
		    ask_needed(r->cat, row->needs, ~0u, condition))
			buf_printf(out, "%s%s=off", out->len ? ", " : "", row->property);
	}
}

static bool is_requirement(const struct report *r, int condition)
{
	for (size_t i = 0; i < r->cat->n_requirements; i++)
		if (!r->cat->requirements[i].named_only &&
		    ask_needed(r->cat, r->cat->requirements[i].needs, ~0u, condition))
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
		begin(r, s->name);
		buf_puts(&r->text, c->missing);
		if (properties.len)
			buf_printf(&r->text, ": guests that shall come here need %s",
				   properties.data);
		buf_printf(&r->text, "; remedy: %s", c->remedy);
		end(r, WARN);
	}
	r->failed |= buf_failed(&properties);
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

	begin(r, s->name);
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
	end(r, PASS);
}

static void put_absent(struct report *r, const struct surface *s)
{
	const struct condition *c = find_condition(r, s->usable);

	begin(r, s->name);
	if (c)
		buf_printf(&r->text, "%s; remedy: %s", c->missing, c->remedy);
	else
		buf_puts(&r->text, s->lacks ? s->lacks : "the kernel does not have it");
	end(r, WARN);
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
		begin(r, s->name);
		buf_printf(&r->text, "device %u: virtio device id %" JSON_INTEGER_FORMAT
			   ", features ", i, json_integer_value(device_id));
		buf_puts(&r->text, json_string_value(word));
		end(r, PASS);
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
		return add_name(&r->not_asked, s->name);
	add_name(&r->asked, s->name);
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
			r->failed = true;
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
			begin(r, "params");
			buf_printf(&r->text, "%s is %" JSON_INTEGER_FORMAT ": %s",
				   params[i].name, json_integer_value(v), params[i].meaning);
			end(r, PASS);
		} else if (reason && !streq(reason, "not-asked")) {
			put_unknown(r, "params", params[i].name, reason);
		}
	}
}

static void put_qemu(struct report *r, const struct profile_qemu *q)
{
	const json_t *machines = json_object_get(q->json, "machines");

	begin(r, "qemu");
	buf_printf(&r->text, "%s for %s%s%s", q->version, q->target, q->path ? ", " : "",
		   q->path ? q->path : "");
	if (machines)
		buf_printf(&r->text, ": %zu machine types", json_object_size(machines));
	else
		buf_puts(&r->text, ": its machine types are not recorded; remedy: probe it again");
	end(r, machines ? PASS : UNKNOWN);
}

static void put_qemus(struct report *r)
{
	add_name(r->p->has_qemu ? &r->asked : &r->not_asked, "qemu");
	for (size_t i = 0; i < r->p->n_qemu; i++)
		put_qemu(r, &r->p->qemu[i]);
	for (size_t i = 0; i < r->p->n_unasked; i++) {
		const json_t *v = profile_unasked(r->p, i);
		const char *path = string_of(v, "path");

		begin(r, "qemu");
		buf_printf(&r->text,
			   "%s is there and could not be asked (%s); remedy: see why it does not "
			   "answer, or take it away",
			   path ? path : "a binary", string_of(v, "unknown"));
		end(r, UNKNOWN);
	}
	if (r->p->has_qemu && !r->p->n_qemu && !r->p->n_unasked) {
		begin(r, "qemu");
		buf_puts(&r->text, "there is none; remedy: install one, or name it with --qemu");
		end(r, WARN);
	}
}

/* --------------------------------------------------------------------- the page */

/* On what a guest's network card can lie here, by the kernel alone */
static void put_verdict(const struct report *r, struct buf *out)
{
	struct ask a = { .cat = r->cat, .p = r->p };
	unsigned int net = catalogue_device(r->cat, NULL);
	bool none = r->p->has_qemu && !r->p->n_qemu && !r->p->n_unasked, doubt = r->p->n_unasked;
	_buf_ names = { 0 };

	for (size_t be = 0; be < r->cat->n_backends; be++) {
		enum abibase_tri can = ABIBASE_NO;

		if (net & (1u << be) && !r->cat->backends[be].predicted_only)
			can = ask_usable(&a, be);
		doubt |= can == ABIBASE_UNKNOWN;
		if (can == ABIBASE_YES)
			add_name(&names, r->cat->backends[be].name);
	}
	out->failed |= buf_failed(&names);
	if (names.len && !none)
		show_printf(out, 0, 2, "yes: %s can run guests on %s; %zu warning%s, %zu "
				       "unknown",
			    r->p->name, names.data, r->n[WARN], r->n[WARN] == 1 ? "" : "s",
			    r->n[UNKNOWN]);
	else if (none || !doubt)
		show_printf(out, 0, 2, "no: %s cannot run guests: it has no %s", r->p->name,
			    none ? "QEMU" : "backend for a network card");
	else
		show_printf(out, 0, 2, "cannot tell whether %s can run guests: no backend for a "
				       "network card is known to be usable",
			    r->p->name);
}

static int put_page(struct report *r, char **ret)
{
	_buf_ out = { .width = r->width };

	put_verdict(r, &out);
	for (size_t i = 0; i < N_GRADES; i++) {
		r->failed |= buf_failed(&r->done[i]);
		buf_puts(&out, r->done[i].data ? r->done[i].data : "");
	}
	r->failed |= buf_failed(&r->asked) || buf_failed(&r->not_asked);
	show_printf(&out, 0, 2, "Looked at: %s; not looked at: %s%sCPU, firmware, other devices",
		    r->asked.len ? r->asked.data : "nothing",
		    r->not_asked.len ? r->not_asked.data : "", r->not_asked.len ? ", " : "");
	show_printf(&out, 0, 2, "See: abibase intersect PROFILE..., abibase match PROFILE");
	out.failed |= r->failed;
	return buf_give(&out, ret);
}

ABIBASE_EXPORT int abibase_profile_to_report(const struct abibase_profile *p,
					     const struct abibase_catalogue *cat, size_t width,
					     char **ret)
{
	struct report r = { .p = p, .cat = cat, .width = width };
	int ok;

	for (size_t i = 0; i < ARRAY_SIZE(surfaces); i++)
		put_surface(&r, &surfaces[i]);
	put_others(&r);
	put_params(&r);
	put_qemus(&r);
	ok = put_page(&r, ret);
	for (size_t i = 0; i < N_GRADES; i++)
		buf_clear(&r.done[i]);
	buf_clear(&r.asked);
	buf_clear(&r.not_asked);
	return ok;
}
