/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "conf.h"

#include <errno.h>

#define KEYS                                                                                    \
	"baseline, current.MACHINE, mode, mode.MACHINE, mode.ID, profile, qemu and verify"

/* What a key accepts; of one that ends with a dot a name follows. */
static const struct key {
	const char *name;
	const char *words[2]; /* one of these; none: a path or, behind a name, an id */
	const char *accepted;
} keys[] = {
	{ "baseline", { NULL }, "a path that begins with a slash" },
	{ "profile", { NULL }, "a path that begins with a slash" },
	{ "qemu", { NULL }, "a path that begins with a slash" },
	{ "verify", { "yes", "no" }, "yes or no" },
	{ "mode", { "enforce", "warn" }, "enforce or warn" },
	{ "mode.", { "enforce", "warn" }, "enforce or warn" },
	{ "current.", { NULL }, "the id of a baseline, \"b1-\" and 32 hex digits" },
};

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (ends_with(keys[i].name, ".") ?
			    strprefix(name, keys[i].name) && name[strlen(keys[i].name)] :
			    streq(name, keys[i].name))
			return &keys[i];
	return NULL;
}

static bool accepts(const struct key *k, const char *value)
{
	if (k->words[0])
		return streq(value, k->words[0]) || streq(value, k->words[1]);
	return ends_with(k->name, ".") ? id_valid(value) : *value == '/';
}

static struct conf_line *find_line(const struct conf *c, const char *key)
{
	for (size_t i = 0; c && i < c->n; i++)
		if (streq(c->lines[i].key, key))
			return &c->lines[i];
	return NULL;
}

/* Nothing but a mode that is "warn", and nothing else, lets a guest start that should not. */
static bool is_mode(const struct key *k)
{
	return strprefix(k->name, "mode");
}

struct reading {
	struct conf *c;
	int status;
};

static int keep(struct conf *c, unsigned int line, const char *key, const char *value)
{
	struct conf_line *l;

	if (array_grow(&c->lines, c->n, &c->cap, sizeof(*c->lines)) < 0)
		return cli_oom();
	l = &c->lines[c->n];
	l->key = strdup(key);
	l->value = strdup(value);
	l->line = line;
	c->n++;
	return l->key && l->value ? 0 : cli_oom();
}

/* Of two modes that differ neither is "warn". */
static int twice(struct conf *c, const struct key *k, unsigned int line, const char *key,
		 const char *value)
{
	struct conf_line *l = find_line(c, key);

	if (is_mode(k) && !streq(l->value, value))
		*l->value = '\0';
	return cli_error("%s:%u: %s is there twice [emulator-conf]", c->path, line, key);
}

static int take_line(void *data, unsigned int line, const char *key, const char *value)
{
	struct reading *rd = data;
	const struct key *k = key ? find_key(key) : NULL;
	const char *path = rd->c->path;

	if (!key)
		rd->status = cli_error("%s:%u: \"%s\" is not \"key = value\" [emulator-conf]", path,
				       line, value);
	else if (!k)
		rd->status = cli_error("%s:%u: \"%s\" is not a key; there are " KEYS
				       " [emulator-conf]",
				       path, line, key);
	else if (find_line(rd->c, key))
		rd->status = twice(rd->c, k, line, key, value);
	else if (!accepts(k, value))
		rd->status = cli_error("%s:%u: %s must be %s, not \"%s\" [emulator-conf]", path, line,
				       key, k->accepted, value);
	if (k && !find_line(rd->c, key) && (accepts(k, value) || is_mode(k)) &&
	    keep(rd->c, line, key, value) != 0)
		return STATUS_TROUBLE;
	return 0;
}

int conf_load(const char *path, struct conf *ret)
{
	struct reading rd = { .c = ret };
	_autofclose_ FILE *f = fopen(path, "re");
	int r;

	ret->path = path;
	if (!f)
		return cli_error("%s: %s [io-error]", path, strerror(errno));
	r = conf_each(f, take_line, &rd);
	if (r < 0)
		return cli_error("%s: %s [io-error]", path, strerror(-r));
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(keys); i++)
		if (!find_line(ret, keys[i].name) &&
		    (streq(keys[i].name, "baseline") || streq(keys[i].name, "qemu")))
			rd.status = cli_error("%s: %s is not set [emulator-conf]", path,
					      keys[i].name);
	return r ? r : rd.status;
}

void conf_clear(struct conf *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->lines[i].key);
		free(c->lines[i].value);
	}
	free(c->lines);
}

const struct conf_line *conf_find(const struct conf *c, const char *key, const char *name)
{
	_buf_ whole = { 0 };

	if (!name)
		return find_line(c, key);
	buf_printf(&whole, "%s.%s", key, name);
	return buf_failed(&whole) ? NULL : find_line(c, whole.data);
}

const char *conf_get(const struct conf *c, const char *key)
{
	const struct conf_line *l = find_line(c, key);

	return l ? l->value : NULL;
}

bool conf_warns(const struct conf *c, const char *machine, const char *id)
{
	const struct conf_line *l = id ? conf_find(c, "mode", id) : NULL;

	if (!l && machine)
		l = conf_find(c, "mode", machine);
	if (!l)
		l = find_line(c, "mode");
	return l && streq(l->value, "warn");
}
