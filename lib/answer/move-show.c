/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "answer/move.h"
#include "answer/show.h"

/* The answer, as a document and for people. */

/* ------------------------------------------------------------------------ as a document */

static const char *const move_words[] = { [MOVE_NOW] = "now",
					  [MOVE_LIST] = "list",
					  [MOVE_NO] = "no",
					  [MOVE_UNKNOWN] = "unknown" };
static const char *const tri_words[] = { [ABIBASE_NO] = "shut",
					 [ABIBASE_YES] = "open",
					 [ABIBASE_UNKNOWN] = "unknown" };

/* With one QEMU; "o" takes the references, also when packing fails. */
static json_t *answer_json(const struct move *m)
{
	return json_pack("{s:s, s:o, s:{s:s*, s:s*, s:s*}, s:o, s:o, s:{s:s, s:s*, s:o, s:o, s:b}}",
			 "verdict", move_words[m->kind], "findings", findings_json(&m->check->findings),
			 "qemu", "version", m->version, "path", m->path, "package", m->package,
			 "rescue", hostcheck_strings(m->rescue.s, m->rescue.n), "carry_on",
			 hostcheck_strings(m->carry_on.s, m->carry_on.n), "way_back", "verdict",
			 tri_words[m->way_back], "text", m->way_back_text, "gains",
			 hostcheck_strings(m->gains.s, m->gains.n), "list",
			 hostcheck_strings(m->door.s, m->door.n), "enough",
			 m->door.n && !m->door_shut);
}

static json_t *move_json(const struct move *m)
{
	json_t *root = answer_json(m), *others = m->n_others ? json_array() : NULL;

	json_object_set_new(root, "host", json_string(m->check->host));
	for (size_t i = 0; i < m->n_others; i++)
		json_array_append_new(others, answer_json(&m->others[i]));
	if (others && json_object_set_new(root, "others", others) < 0) {
		json_decref(root);
		return NULL;
	}
	if (json_array_size(others) == m->n_others && json_object_get(root, "host"))
		return root;
	json_decref(root);
	return NULL;
}

/* What every answer stands on, and no profile can show. */
static const char taken_for_granted[] =
	"the QEMU there is started with the -device options that the guest has where it runs";

json_t *moves_document(const struct moves *m)
{
	/* a copy, because jansson counts references without atomic operations */
	json_t *root = json_pack("{s:s, s:s, s:o, s:[]}", "schema", "abibase-targets/1",
				      "assumed", taken_for_granted, "guest",
				      json_deep_copy(m->guest->root), "hosts");
	json_t *list = json_object_get(root, "hosts");

	for (size_t i = 0; i < m->n; i++)
		if (json_array_append_new(list, move_json(&m->moves[i])) < 0) {
			json_decref(root);
			return NULL;
		}
	return root;
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

/* @other: it is of a further QEMU of the host */
static void text_move(const struct move *m, bool with_list, bool other, struct buf *out)
{
	static const char *const words[] = { [MOVE_NOW] = "takes it now",
					     [MOVE_LIST] = "takes it with a list",
					     [MOVE_NO] = "does not take it",
					     [MOVE_UNKNOWN] = "cannot tell" };

	show_text(out, m->check->host);
	buf_printf(out, "%s: %s", other ? ", with another QEMU" : "", words[m->kind]);
	/* the "no" of a check, which asks of the guest as it would be started */
	if (m->kind == MOVE_UNKNOWN && m->check->verdict == ABIBASE_VERDICT_NO)
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
	for (size_t i = 0; i < m->n_others; i++)
		text_move(&m->others[i], with_list, true, out);
}

static bool takes_any(const struct move *m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (m[i].kind == MOVE_NOW || m[i].kind == MOVE_LIST ||
		    takes_any(m[i].others, m[i].n_others))
			return true;
	return false;
}

char *moves_text(const struct moves *m)
{
	_buf_ out = { 0 };

	for (size_t i = 0; i < m->n; i++)
		text_move(&m->moves[i], m->with_list, false, &out);
	if (takes_any(m->moves, m->n)) {
		_buf_ text = { 0 };

		buf_printf(&text, "Taken for granted: %s.", taken_for_granted);
		if (buf_failed(&text))
			return NULL;
		show_wrapped(&out, 0, 2, text.data);
	}
	return buf_steal(&out);
}

