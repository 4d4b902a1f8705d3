/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/render.h"

/* The page of a baseline, which stands beside a list or in place of it. */

void render_reason(const struct abibase_baseline *b, const struct why *w, struct buf *out)
{
	if (w->n_hosts) {
		inputs_write_hosts(&b->in, w->hosts, w->n_hosts, ", ", out);
		buf_puts(out, ": ");
	}
	switch (w->kind) {
	case WHY_HOST_LACKS:
		buf_printf(out, "%s (%s", w->missing ? w->missing : w->what, w->what);
		if (w->backends) {
			buf_puts(out, "; ");
			inputs_write_backends(&b->in, w->backends, ", ", out);
		}
		buf_putc(out, ')');
		break;
	case WHY_HOST_UNKNOWN:
		buf_printf(out, "%s is unknown", w->what);
		break;
	case WHY_QEMU_LACKS:
		buf_puts(out, "QEMU does not have the property");
		break;
	case WHY_MACHINE_OFF:
		buf_printf(out, "off in %s", w->what);
		break;
	case WHY_QEMU_UNKNOWN:
		buf_printf(out, "its value in %s is not recorded", w->what);
		break;
	case WHY_DEPENDS:
		buf_printf(out, "depends on %s, which is off", w->what);
		break;
	case WHY_TOGETHER:
		buf_printf(out, "decided together with %s, which is off", w->what);
		break;
	case WHY_NEVER:
		buf_puts(out, "this QEMU never offers it there");
		break;
	case WHY_DISABLED:
		buf_printf(out, "the group %s was disabled", w->what);
		break;
	case WHY_HOST_LEAST:
		buf_printf(out, w->n_hosts ? "the least that a host states (%s)" :
					     "what every host states (%s)",
			   w->what);
		break;
	case N_WHY:
	default:
		break;
	}
}

/* Those in the way, where a finding is of one host. */
static json_t *in_the_way(const struct abibase_baseline *b, enum abibase_finding_kind kind)
{
	json_t *names = json_array();

	for (size_t i = 0; i < b->findings.n; i++) {
		const struct finding *f = &b->findings.f[i];
		size_t n = json_array_size(names);

		if (f->kind != kind || !f->host ||
		    (n && same_text(json_string_value(json_array_get(names, n - 1)), f->host)))
			continue;
		if (json_array_append_new(names, json_string(f->host)) < 0) {
			json_decref(names);
			return NULL;
		}
	}
	return names;
}

/* "pc-q35-8.2 on tap, tap+vhost" */
static void put_what(struct page *p, const struct abibase_baseline *b, struct buf *out)
{
	json_auto_t *backends = baseline_backends(b);

	p->failed |= !backends;
	if (b->machine)
		buf_printf(out, "%s on ", b->machine);
	page_names(out, backends);
}

static void put_hosts(const struct abibase_baseline *b, const char *host, struct buf *out)
{
	size_t n = b->no_inputs ? 0 : b->in.n_hosts;

	if (host || n == 1)
		buf_printf(out, "the host %s", host ? host : b->in.hosts[0]->name);
	else
		buf_puts(out, n == 2 ? "both hosts" : n ? "all " : "all of its hosts");
	if (!host && n > 2)
		page_count(out, n, "host", "hosts");
}

static void put_verdict(struct page *p, const struct abibase_baseline *b, const char *host,
			enum abibase_verdict list)
{
	static const char *const words[] = { "yes: one list suits ", "no: no list suits ", "",
					     "cannot tell whether a list suits " };
	json_auto_t *names = in_the_way(b, list == ABIBASE_VERDICT_NO ? ABIBASE_FINDING_CONFLICT :
									ABIBASE_FINDING_UNKNOWN);
	bool because = json_array_size(names) && list != ABIBASE_VERDICT_YES && b->in.n_hosts > 1;
	_buf_ text = { 0 };

	buf_puts(&text, words[list]);
	put_hosts(b, host, &text);
	if (because) {
		buf_puts(&text, ", because of ");
		if (json_array_size(names) > 1) {
			page_count(&text, json_array_size(names), "host", "hosts");
			buf_puts(&text, ": ");
		}
		page_some(&text, names, IN_VERDICT);
	} else {
		buf_puts(&text, ": ");
		put_what(p, b, &text);
	}
	p->failed |= !names || buf_failed(&text);
	page_say(p, 2, "%s", text.data ? text.data : "");
}

static void put_findings(struct page *p, const struct abibase_baseline *b, const struct findings *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct finding *f = &l->f[i];
		json_auto_t *v = finding_json(f);

		if (v)
			page_found(p, f->host, b->in.n_hosts > 1 ? f->host : NULL, v);
		p->failed |= !v;
	}
}

void render_page_begin(struct page *p, const struct abibase_baseline *b, const char *host,
		       enum abibase_verdict list, const struct findings *own)
{
	put_verdict(p, b, host, list);
	if (b->id)
		page_say(p, 2, "The baseline is %s.", b->id);
	put_findings(p, b, &b->findings);
	put_findings(p, b, own);
	page_causes(p);
}

/* The hosts whose kernel or QEMU keeps it off; those that merely follow the machine type do not. */
static int add_to_blame(const struct abibase_baseline *b, const struct why *w, bool *blamed,
			json_t *names)
{
	if (w->kind != WHY_HOST_LACKS && w->kind != WHY_HOST_UNKNOWN && w->kind != WHY_QEMU_LACKS &&
	    w->kind != WHY_QEMU_UNKNOWN)
		return 0;
	for (size_t i = 0; i < w->n_hosts; i++) {
		bool *is = &blamed[w->hosts[i]];

		if (!*is && json_add(names, json_string(b->in.hosts[w->hosts[i]]->name)) < 0)
			return -ENOMEM;
		*is = true;
	}
	return 0;
}

/* "15 of 19 properties; 4 off because of debian-12" */
static void put_count(struct page *p, const struct abibase_baseline *b, size_t on)
{
	_autofree_ bool *blamed = calloc(b->in.n_hosts + 1, sizeof(*blamed));
	json_auto_t *names = json_array();
	_buf_ text = { 0 };
	int r = names && blamed ? 0 : -ENOMEM;

	for (size_t i = 0; i < b->n_values; i++)
		for (size_t k = 0; r == 0 && k < b->values[i].n_why && !b->values[i].on; k++)
			r = add_to_blame(b, &b->values[i].why[k], blamed, names);
	page_count(&text, on, "", "");
	buf_printf(&text, "of %zu properties", b->n_values);
	if (on < b->n_values)
		buf_printf(&text, "; %zu off", b->n_values - on);
	if (json_array_size(names)) {
		buf_puts(&text, " because of ");
		page_some(&text, names, IN_VERDICT);
	}
	p->failed |= r < 0 || buf_failed(&text);
	page_item(p, "on", "%s", text.data ? text.data : "");
}

/* Why a value is as it is; of one that nothing forces, how it came to be off. */
static void put_reasons(struct page *p, const struct abibase_baseline *b, const struct value *v,
			bool all)
{
	_buf_ reason = { 0 }, name = { 0 };

	for (size_t k = 0; k < v->n_why; k++) {
		buf_puts(&reason, k ? "; " : "");
		render_reason(b, &v->why[k], &reason);
	}
	if (all && !v->n_why && !v->on)
		buf_printf(&reason, "on by name alone: --disable %s", v->group);
	buf_printf(&name, v->on ? "%s.%s=%s" : "%s.%s", v->class_name, v->property, v->text);
	p->failed |= buf_failed(&reason) || buf_failed(&name);
	if (!p->failed && reason.len)
		page_note(p, v->on ? "set" : "off", name.data, reason.data);
}

/* "virtio-net-device.csum, guest_csum, virtio-net-pci-base.romsize=262144" */
static void put_on(struct page *p, const struct abibase_baseline *b)
{
	const char *last = NULL;
	_buf_ names = { 0 };

	for (size_t i = 0; i < b->n_values; i++) {
		const struct value *v = &b->values[i];

		if (!v->on)
			continue;
		buf_puts(&names, last ? ", " : "");
		if (!same_text(last, v->class_name))
			buf_printf(&names, "%s.", v->class_name);
		buf_printf(&names, v->is_number ? "%s=%s" : "%s", v->property, v->text);
		last = v->class_name;
	}
	if (last)
		page_item(p, "", "%s", names.data ? names.data : "");
	p->failed |= buf_failed(&names);
}

void render_page_values(struct page *p, const struct abibase_baseline *b, bool all)
{
	size_t on = 0;

	for (size_t i = 0; i < b->n_values; i++) {
		on += b->values[i].on;
		if (all || !b->values[i].on)
			put_reasons(p, b, &b->values[i], all);
	}
	page_notes(p);
	if (b->n_values)
		put_count(p, b, on);
	if (all)
		put_on(p, b);
}

/* Beside a list there is no file to explain. */
static const char *next_of(const struct abibase_baseline *b, bool beside_list)
{
	bool all_on = true;

	if (!b->id)
		return "diff PROFILE PROFILE";
	for (size_t i = 0; i < b->n_values; i++)
		all_on &= b->values[i].on;
	return beside_list && !all_on ? "intersect --json HOST... | abibase explain --cost -" :
					"explain BASELINE, abibase plan GROUP";
}

void render_page_end(struct page *p, const struct abibase_baseline *b, bool beside_list)
{
	json_t *scope = baseline_scope(b);

	scope_add_found(&scope, &b->findings);
	p->failed |= !scope;
	page_end(p, scope, next_of(b, beside_list));
	json_decref(scope);
}
