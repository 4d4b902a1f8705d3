/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer/check.h"

/* What is found of one host, and how it is said: for check, and for targets, which asks the same. */

void hostcheck_free(struct abibase_check *c)
{
	if (!c)
		return;
	json_decref(c->lost);
	json_decref(c->set);
	json_decref(c->records);
	arena_clear(&c->arena);
	free(c);
}

struct abibase_check *hostcheck_new(const char *host)
{
	struct abibase_check *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->findings.arena = &c->arena;
	c->host = arena_strdup(&c->arena, host);
	c->lost = json_array();
	c->set = json_array();
	c->records = json_object();
	c->arena.failed |= !c->lost || !c->set || !c->records;
	return c;
}

void hostcheck_vsay(struct abibase_check *c, struct finding f, const char *fmt, va_list ap)
{
	_buf_ text = { 0 };

	buf_vprintf(&text, fmt, ap);
	for (size_t i = 0; text.data && i < c->findings.n; i++)
		if (streq(c->findings.f[i].text, text.data))
			return;
	finding_add(&c->findings, f, &text);
}

void hostcheck_say(struct abibase_check *c, struct finding f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	hostcheck_vsay(c, f, fmt, ap);
	va_end(ap);
}

void hostcheck_unrecorded(struct abibase_check *c, const struct row *row, const char *who,
			  const char *machine, const char *remedy)
{
	struct finding f = { .kind = ABIBASE_FINDING_UNKNOWN, .id = "value-unknown", .layer = "QEMU",
			     .feature = row->feature, .property = row->key, .bit = row->bit,
			     .remedy = remedy };

	f.cause = arena_printf(&c->arena, "what %s makes of %s is not recorded", who, machine);
	hostcheck_say(c, f, "%s: %s: %s (%s)", c->host, f.cause, row->key, row->feature);
}
