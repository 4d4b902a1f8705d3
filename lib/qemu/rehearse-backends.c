/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/rehearse.h"

#include <errno.h>

#include "base/context.h"
#include "base/known.h"

/*
 * What is replaced is not on the line of the throw-away, and the QEMU may not have it: then the line
 * that was given does not start. QEMU says which backends it has by the schema of its commands, and of
 * an object by its class.
 */

/* Each QEMU from 5.2 on has these, however it was built; for others the schema is asked for. */
static const char *const everywhere[] = {
	"bridge", "file", "hubport", "memory-backend-file", "memory-backend-ram", "mux", "null",
	"pipe",	  "pty",  "ringbuf", "socket",		    "stdio",		  "tap", "udp",
	NULL
};
/* Names that the command line has, and no command */
static const char *const aliases[][2] = { { "parport", "parallel" }, { "tty", "serial" } };

int rehearse_note_backend(struct rehearse_line *l, const char *option, const char *command,
			  const char *type)
{
	if (!type || word_index(everywhere, type) >= 0)
		return 0;
	for (size_t i = 0; command && i < ARRAY_SIZE(aliases); i++)
		if (streq(type, aliases[i][0]))
			type = aliases[i][1];
	return json_add(l->backends, json_pack("{ss ss* ss}", "option", option, "command", command,
					       "type", type));
}

static const json_t *find(const json_t *list, const char *name)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)list, i, v)
		if (same_text(string_of(v, "name"), name))
			return v;
	return NULL;
}

static const json_t *type_of(const json_t *schema, const json_t *object, const char *member)
{
	return find(schema,
		    string_of(find(json_object_get(object, "members"), member), "type"));
}

/* Of which a command returns a list, as query-audiodevs does, or else what it takes */
static const json_t *object_of(const json_t *schema, const char *name)
{
	const json_t *command = find(schema, name);
	const char *each = string_of(find(schema, string_of(command, "ret-type")), "element-type");

	return find(schema, each ? each : string_of(command, "arg-type"));
}

/* false only where the schema lists what there is, and this is not in it */
static bool takes(const json_t *schema, const char *command, const char *type)
{
	const json_t *object = object_of(schema, command);
	const char *tag = string_of(object, "tag");
	const json_t *of = tag ? object : type_of(schema, object, "backend");
	const json_t *words;

	tag = string_of(of, "tag");
	words = tag ? type_of(schema, of, tag) : NULL;
	return !words || json_has(json_object_get(words, "values"), type) ||
	       find(json_object_get(words, "members"), type);
}

static int lacks(struct rehearse_half *h, const json_t *backend)
{
	buf_printf(&h->why, "it has no %s %s", string_of(backend, "option"),
		   string_of(backend, "type"));
	h->lacks = true;
	return -ENODEV;
}

static int ask_class(struct rehearse_half *h, struct qmp *q, const json_t *backend)
{
	json_auto_t *properties = NULL;
	int r = qmp_call(q, &properties, "qom-list-properties", "{ss}", "typename",
			 string_of(backend, "type"));

	if (r < 0 && q->failure == QMP_REFUSED) {
		q->failure = QMP_OK;
		return lacks(h, backend);
	}
	return r;
}

int rehearse_ask_backends(struct rehearse_half *h, struct qmp *q)
{
	json_auto_t *schema = NULL;
	size_t i;
	json_t *v;
	int r = 0;

	json_array_foreach(h->line->backends, i, v) {
		const char *command = string_of(v, "command");

		if (!command)
			r = ask_class(h, q, v);
		else if (!schema)
			r = qmp_call(q, &schema, "query-qmp-schema", NULL);
		if (r < 0)
			return r;
		if (command && !takes(schema, command, string_of(v, "type")))
			return lacks(h, v);
	}
	return 0;
}
