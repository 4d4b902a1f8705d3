/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "answer/move.h"
#include "answer/show.h"

/* The answer, for callers and for people. */

/* ------------------------------------------------------------------------- answer */

ABIBASE_EXPORT struct abibase_moves *abibase_moves_ref(struct abibase_moves *m)
{
	if (m)
		__atomic_add_fetch(&m->refcount, 1, __ATOMIC_RELAXED);
	return m;
}

ABIBASE_EXPORT size_t abibase_moves_count(const struct abibase_moves *m)
{
	return m->n;
}

ABIBASE_EXPORT enum abibase_move abibase_moves_kind(const struct abibase_moves *m, size_t i)
{
	return i < m->n ? m->moves[i].kind : ABIBASE_MOVE_UNKNOWN;
}

ABIBASE_EXPORT struct abibase_check *abibase_moves_check(const struct abibase_moves *m, size_t i)
{
	return i < m->n ? m->moves[i].check : NULL;
}

ABIBASE_EXPORT enum abibase_tri abibase_moves_way_back(const struct abibase_moves *m, size_t i)
{
	return i < m->n ? m->moves[i].way_back : ABIBASE_UNKNOWN;
}

ABIBASE_EXPORT const char *abibase_moves_setting(const struct abibase_moves *m, size_t i,
						 enum abibase_move_list list, size_t k)
{
	const struct strings *s;

	if (i >= m->n)
		return NULL;
	s = list == ABIBASE_MOVE_RESCUE ? &m->moves[i].rescue :
	    list == ABIBASE_MOVE_DOOR	? &m->moves[i].door :
					  &m->moves[i].carry_on;
	return k < s->n ? s->s[k] : NULL;
}

ABIBASE_EXPORT enum abibase_verdict abibase_moves_verdict(const struct abibase_moves *m)
{
	enum abibase_verdict v = ABIBASE_VERDICT_YES;

	for (size_t i = 0; i < m->n; i++) {
		if (m->moves[i].kind == ABIBASE_MOVE_NO)
			return ABIBASE_VERDICT_NO;
		if (m->moves[i].kind == ABIBASE_MOVE_UNKNOWN)
			v = ABIBASE_VERDICT_UNKNOWN;
	}
	return v;
}

/* ------------------------------------------------------------------------ as a document */

static const char *const move_words[] = { [ABIBASE_MOVE_NOW] = "now",
					  [ABIBASE_MOVE_LIST] = "list",
					  [ABIBASE_MOVE_NO] = "no",
					  [ABIBASE_MOVE_UNKNOWN] = "unknown" };
static const char *const tri_words[] = { [ABIBASE_NO] = "shut",
					 [ABIBASE_YES] = "open",
					 [ABIBASE_UNKNOWN] = "unknown" };

static json_t *move_json(const struct move *m)
{
	/* "o" takes the references, also when packing fails */
	return json_pack("{s:s, s:s, s:o, s:{s:s*, s:s*, s:s*}, s:o, s:o, s:{s:s, s:s*, s:o, s:o, s:b}}",
			 "host", m->check->host, "verdict", move_words[m->kind], "findings",
			 hostcheck_findings_json(m->check), "qemu", "version", m->version, "path", m->path,
			 "package", m->package, "rescue", hostcheck_strings(m->rescue.s, m->rescue.n),
			 "carry_on", hostcheck_strings(m->carry_on.s, m->carry_on.n), "way_back",
			 "verdict", tri_words[m->way_back], "text", m->way_back_text, "gains",
			 hostcheck_strings(m->gains.s, m->gains.n), "list",
			 hostcheck_strings(m->door.s, m->door.n), "enough",
			 m->door.n && !m->door_shut);
}

/* What every answer stands on, and no profile can show. */
static const char taken_for_granted[] =
	"the QEMU there is started with the -device options that the guest has where it runs";

ABIBASE_EXPORT int abibase_moves_to_json(const struct abibase_moves *m, char **ret)
{
	/* a copy, because jansson counts references without atomic operations */
	json_auto_t *root = json_pack("{s:s, s:s, s:o, s:[]}", "schema", "abibase-targets/1",
				      "assumed", taken_for_granted, "guest",
				      json_deep_copy(m->guest->root), "hosts");
	json_t *list = json_object_get(root, "hosts");

	for (size_t i = 0; i < m->n; i++)
		if (json_array_append_new(list, move_json(&m->moves[i])) < 0)
			return -ENOMEM;
	if (!root)
		return -ENOMEM;
	return json_give(root, ret);
}

/* ------------------------------------------------------------------------ for people */

static void text_list(const struct strings *list, struct buf *out)
{
	for (size_t i = 0; i < list->n; i++)
		buf_printf(out, "    -global %s\n", list->s[i]);
}

static void text_lists(const struct move *m, bool with_list, struct buf *out)
{
	if (!m->rescue.n && !m->door.n)
		return;
	buf_printf(out, "  start QEMU there with this list%s%s:\n",
		   with_list ? " behind that of the baseline" : "",
		   !m->door.n	? "" :
		   m->door_shut ? ", and no feature is added; the way back is shut all the same" :
				  ", and the way back stays open");
	text_list(&m->rescue, out);
	text_list(&m->door, out);
	if (!m->carry_on.n)
		return;
	buf_puts(out, "  from then on start it with this list wherever it goes, so that it stays "
		      "movable:\n");
	text_list(&m->carry_on, out);
}

static void text_move(const struct move *m, bool with_list, struct buf *out)
{
	static const char *const words[] = { [ABIBASE_MOVE_NOW] = "takes it now",
					     [ABIBASE_MOVE_LIST] = "takes it with a list",
					     [ABIBASE_MOVE_NO] = "does not take it",
					     [ABIBASE_MOVE_UNKNOWN] = "cannot tell" };

	show_text(out, m->check->host);
	buf_printf(out, ": %s", words[m->kind]);
	/* the "no" of a check, which asks of the guest as it would be started */
	if (m->kind == ABIBASE_MOVE_UNKNOWN && m->check->verdict == ABIBASE_VERDICT_NO)
		buf_printf(out, " whether a %slist would do, and without one it does not take it",
			   with_list ? "further " : "");
	if (m->version)
		buf_printf(out, " (QEMU %s%s%s)", m->version, m->path ? ", " : "",
			   m->path ? m->path : "");
	buf_puts(out, m->way_back == ABIBASE_NO ? ", and it is a one-way door\n" : "\n");
	hostcheck_text(m->check, out);
	if (m->way_back_text)
		text_labelled("one-way", m->way_back_text, out);
	text_lists(m, with_list, out);
}

static bool takes_any(const struct abibase_moves *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->moves[i].kind == ABIBASE_MOVE_NOW || m->moves[i].kind == ABIBASE_MOVE_LIST)
			return true;
	return false;
}

ABIBASE_EXPORT int abibase_moves_to_text(const struct abibase_moves *m, char **ret)
{
	_buf_ out = { 0 };

	for (size_t i = 0; i < m->n; i++)
		text_move(&m->moves[i], m->with_list, &out);
	if (takes_any(m)) {
		_buf_ text = { 0 };

		buf_printf(&text, "Taken for granted: %s.", taken_for_granted);
		if (buf_failed(&text))
			return -ENOMEM;
		show_wrapped(&out, 0, 2, text.data);
	}
	return buf_give(&out, ret);
}

