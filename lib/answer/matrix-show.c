/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer/matrix.h"
#include "base/text.h"
#include "document/page.h"

/*
 * The answer for people. Cohorts have a number, and the table a word for each two of them: the
 * worst of all backends.
 */

#define COLUMNS_MAX 12 /* of a table that a terminal holds */

/* From the worst on; the last is that of a kind of guest that nobody has. */
enum word { WORD_NO, WORD_UNKNOWN, WORD_DOOR, WORD_LIST, WORD_OK, WORD_NONE, N_WORDS };
static const char *const words[] = { "no", "?", "door", "list", "ok", "-" };

struct table {
	struct page *p;
	const json_t *root, *moves;
	json_t *numbers; /* of cohorts, by name */
	json_t *listed;	 /* the machine types that have moves with the list */
	size_t n;
	unsigned char *words; /* of the machine type and list that are shown now */
	const char *machine;
	bool list;
	size_t judged; /* moves */
};

static enum word word_of(const json_t *move)
{
	const char *verdict = string_of(move, "verdict");

	if (streq(verdict, "none"))
		return WORD_NONE;
	if (streq(verdict, "no"))
		return WORD_NO;
	if (streq(verdict, "unknown"))
		return WORD_UNKNOWN;
	if (same_text(string_of(move, "way_back"), "shut"))
		return WORD_DOOR;
	return streq(verdict, "list") ? WORD_LIST : WORD_OK;
}

static size_t number_of(const struct table *t, const json_t *move, const char *key)
{
	return (size_t)json_integer_value(json_object_get(t->numbers, string_of(move, key)));
}

static bool has_list(const struct table *t, const char *machine)
{
	return json_object_get(t->listed, machine);
}

/* Is the verdict about it? */
static bool counts(const struct table *t, const json_t *move)
{
	return json_is_true(json_object_get(move, "list")) == has_list(t, string_of(move, "machine"));
}

/* The words of all moves of a machine type, with the list or without; or of all that the verdict is about. */
static void fill(struct table *t, const char *machine, bool list)
{
	size_t i;
	json_t *v;

	t->machine = machine;
	t->list = list;
	memset(t->words, WORD_NONE, t->n * t->n);
	json_array_foreach((json_t *)t->moves, i, v) {
		unsigned char *at =
			&t->words[number_of(t, v, "from") * t->n + number_of(t, v, "to")];
		enum word word = word_of(v);

		if (machine ? !streq(string_of(v, "machine"), machine) ||
				      json_is_true(json_object_get(v, "list")) != list :
			      !counts(t, v))
			continue;
		if (word < *at)
			*at = (unsigned char)word;
	}
}

static size_t count(const struct table *t, enum word word)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n * t->n; i++)
		n += t->words[i] == word;
	return n;
}

/* ------------------------------------------------------------------------ the verdict */

static size_t count_hosts(const json_t *cohorts)
{
	size_t n = 0, i;
	json_t *v;

	json_array_foreach((json_t *)cohorts, i, v)
		n += json_array_size(json_object_get(v, "hosts"));
	return n;
}

static void put_verdict(struct table *t, struct buf *out)
{
	size_t no = count(t, WORD_NO), unknown = count(t, WORD_UNKNOWN);
	const char *verdict = string_of(t->root, "verdict");

	t->judged = t->n * t->n - count(t, WORD_NONE);
	if (no)
		buf_printf(out, "no: %zu of ", no);
	else if (unknown)
		buf_printf(out, "cannot tell: %zu of ", unknown);
	else
		buf_printf(out, "%s: ", streq(verdict, "unknown") ? "cannot tell" : verdict);
	page_count(out, t->judged, "move", "moves");
	buf_puts(out, " between ");
	page_count(out, t->n, "cohort", "cohorts");
	buf_puts(out, " of ");
	page_count(out, count_hosts(json_object_get(t->root, "cohorts")), "host", "hosts");
	buf_puts(out, no      ? " cannot be made" :
		      unknown ? " cannot be judged" :
				" can be made");
	if (no && unknown)
		buf_printf(out, "; of %zu it cannot be told", unknown);
	if (count(t, WORD_DOOR))
		buf_printf(out, "; %zu through a one-way door", count(t, WORD_DOOR));
	if (count(t, WORD_LIST))
		buf_printf(out, "; %zu with a list of options", count(t, WORD_LIST));
}

static void show_verdict(struct table *t)
{
	const char *baseline = string_of(t->root, "baseline");
	const json_t *machines = json_object_get(t->root, "machines");
	_buf_ text = { 0 };

	fill(t, NULL, false);
	put_verdict(t, &text);
	if (baseline)
		buf_printf(&text, ", with the list of %s%s", baseline,
			   json_object_size(t->listed) < json_array_size(machines) ?
				   " for guests of its machine type" :
				   "");
	t->p->failed |= buf_failed(&text);
	page_say(t->p, 2, "%s", text.data ? text.data : "");
}

/* -------------------------------------------------------------------------- the cohorts */

/* "1" to the hosts, and what they have */
static void show_cohort(struct table *t, size_t i, const json_t *c)
{
	const char *machine = string_of(c, "machine");
	_buf_ text = { 0 }, qemus = { 0 };
	char label[24];

	snprintf(label, sizeof(label), "%zu", i + 1);
	page_count(&text, json_array_size(json_object_get(c, "hosts")), "host", "hosts");
	buf_puts(&text, ": ");
	page_some(&text, json_object_get(c, "hosts"), IN_VERDICT);
	page_names(&qemus, json_object_get(c, "qemu"));
	if (qemus.len)
		buf_printf(&text, "; QEMU %s", qemus.data);
	if (machine)
		buf_printf(&text, ", up to %s", machine);
	t->p->failed |= buf_failed(&text) || buf_failed(&qemus);
	page_item(t->p, label, "%s", text.data ? text.data : "");
}

/* ---------------------------------------------------------------------------- the table */

static void show_grid(struct table *t)
{
	struct buf *out = &t->p->out;

	buf_puts(out, "  from to ");
	for (size_t i = 0; i < t->n; i++)
		buf_printf(out, " %*zu", i + 1 < t->n ? -4 : 1, i + 1);
	buf_putc(out, '\n');
	for (size_t i = 0; i < t->n; i++) {
		size_t end;

		buf_printf(out, "  %-8zu", i + 1);
		for (size_t k = 0; k < t->n; k++)
			buf_printf(out, " %-4s", words[t->words[i * t->n + k]]);
		for (end = out->len; end && out->data[end - 1] == ' ';)
			end--;
		if (!out->failed && out->len > end) {
			out->len = end;
			out->data[end] = '\0';
		}
		buf_putc(out, '\n');
	}
}

/* More than a terminal holds: of each cohort, where its guests can go, by word. */
static void show_row(struct table *t, size_t i)
{
	_buf_ text = { 0 };
	char label[24];

	for (size_t w = 0; w < N_WORDS; w++) {
		json_auto_t *to = json_array();
		_buf_ some = { 0 };

		for (size_t k = 0; k < t->n; k++)
			if (t->words[i * t->n + k] == w && w != WORD_NONE)
				t->p->failed |= json_add(to, json_sprintf("%zu", k + 1)) < 0;
		page_names(&some, to);
		if (some.len)
			buf_printf(&text, "%s%s to %s", text.len ? "; " : "", words[w], some.data);
		t->p->failed |= buf_failed(&some);
	}
	snprintf(label, sizeof(label), "%zu", i + 1);
	t->p->failed |= buf_failed(&text);
	page_item(t->p, label, "%s", text.data ? text.data : "no such guests");
}

static void show_table(struct table *t, const char *machine, bool list)
{
	fill(t, machine, list);
	page_say(t->p, 2, "Guests of %s, %s:", machine,
		 !string_of(t->root, "baseline") ? "from a cohort to another" :
		 list				 ? "with the list of the baseline" :
						   "without a list");
	if (t->n <= COLUMNS_MAX) {
		show_grid(t);
		return;
	}
	for (size_t i = 0; i < t->n; i++)
		show_row(t, i);
}

static void show_tables(struct table *t)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(t->root, "machines"), i, v) {
		show_table(t, json_string_value(v), false);
		if (has_list(t, json_string_value(v)))
			show_table(t, json_string_value(v), true);
	}
}

/* ---------------------------------------------------------------------------- the causes */

/* "1 to 3" */
static void name_move(const struct table *t, const json_t *move, char ret[48])
{
	snprintf(ret, 48, "%zu to %zu", number_of(t, move, "from") + 1,
		 number_of(t, move, "to") + 1);
}

static void find_causes(struct table *t, const json_t *move)
{
	json_t *findings = json_object_get(t->root, "findings"), *v;
	const char *to = string_of(move, "to");
	char name[48];
	size_t i;

	name_move(t, move, name);
	json_array_foreach(json_object_get(move, "why"), i, v)
		page_found(t->p, to, name,
			   json_array_get(findings, (size_t)json_integer_value(v)));
}

static void find_door(struct table *t, const json_t *move)
{
	const json_t *door = json_object_get(move, "door");
	const json_t *doors = json_object_get(t->root, "doors");
	char name[48];

	if (!door)
		return;
	name_move(t, move, name);
	page_note(t->p, "one-way", name,
		  json_string_value(json_array_get(doors, (size_t)json_integer_value(door))));
}

static size_t machine_of(const struct table *t, const json_t *move)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(t->root, "machines"), i, v)
		if (json_equal(v, json_object_get(move, "machine")))
			break;
	return i;
}

/* By the two cohorts, so that a cause on several backends names the move once. */
static int cmp_move(const void *a, const void *b, void *data)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	const struct table *t = data;
	size_t m = number_of(t, x, "from") * t->n + number_of(t, x, "to");
	size_t n = number_of(t, y, "from") * t->n + number_of(t, y, "to");

	if (m != n)
		return m > n ? 1 : -1;
	m = machine_of(t, x);
	n = machine_of(t, y);
	return m != n ? (m > n ? 1 : -1) : strcmp(string_of(x, "backend"), string_of(y, "backend"));
}

/* Where no move is judged: a text begins with the name of the cohort that it is about. */
static void find_in_cohorts(struct table *t)
{
	size_t i;
	json_t *v;

	t->p->whose = "cohorts";
	json_array_foreach(json_object_get(t->root, "findings"), i, v) {
		const char *text = string_of(v, "text");
		_autofree_ char *name = strndup(text, strcspn(text, ":"));
		const json_t *at = name ? json_object_get(t->numbers, name) : NULL;
		char number[24];

		t->p->failed |= !name;
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(at) + 1);
		page_found(t->p, at ? name : NULL, at ? number : NULL, v);
	}
}

/* Of the moves that the verdict is about. */
static void show_causes(struct table *t)
{
	_autofree_ json_t **moves = calloc(json_array_size(t->moves) + 1, sizeof(*moves));
	size_t n = 0, i;
	json_t *v;

	t->p->failed |= !moves;
	json_array_foreach((json_t *)t->moves, i, v)
		if (moves && counts(t, v))
			moves[n++] = v;
	if (n > 1)
		qsort_r(moves, n, sizeof(*moves), cmp_move, t);
	t->p->whose = "moves";
	for (i = 0; i < n; i++) {
		find_causes(t, moves[i]);
		find_door(t, moves[i]);
	}
	if (!t->judged)
		find_in_cohorts(t);
	page_causes(t->p);
	page_notes(t->p);
}

/* ------------------------------------------------------------------- costs, and the split */

static void put_numbers(const struct table *t, const json_t *names, struct buf *out)
{
	json_auto_t *list = json_array();
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)names, i, v) {
		json_int_t n = json_integer_value(json_object_get(t->numbers,
								  json_string_value(v)));

		t->p->failed |= json_add(list, json_sprintf("%lld", (long long)n + 1)) < 0;
	}
	page_names(out, list);
}

static void show_costs(struct table *t)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(t->root, "retirements"), i, v) {
		const json_t *back = json_object_get(v, "back");
		_buf_ text = { 0 };

		buf_puts(&text, "without ");
		put_numbers(t, json_object_get(v, "retire"), &text);
		buf_puts(&text, " the others have: ");
		page_names(&text, back);
		t->p->failed |= buf_failed(&text);
		page_item(t->p, "cost", "%s", text.data ? text.data : "");
	}
}

static void show_group(struct table *t, const json_t *g)
{
	const json_t *gains = json_object_get(g, "gains");
	const char *machine = string_of(g, "machine"), *last = NULL;
	_buf_ text = { 0 };
	size_t i;
	json_t *v;

	put_numbers(t, json_object_get(g, "cohorts"), &text);
	buf_puts(&text, " (");
	page_count(&text, (size_t)json_integer_value(json_object_get(g, "hosts")), "host",
		   "hosts");
	buf_printf(&text, "), %s: ", machine ? machine : "no machine type");
	if (!streq(string_of(g, "verdict"), "yes"))
		buf_puts(&text, "has no baseline");
	else if (!json_array_size(gains))
		buf_puts(&text, "gains nothing");
	else
		buf_puts(&text, "gains ");
	if (streq(string_of(g, "verdict"), "yes"))
		json_array_foreach((json_t *)gains, i, v)
			page_property(&text, json_string_value(v), &last);
	t->p->failed |= buf_failed(&text);
	page_item(t->p, "group", "%s", text.data ? text.data : "");
}

static void show_split(struct table *t)
{
	const json_t *split = json_object_get(t->root, "split");
	const json_t *groups = json_object_get(split, "groups");
	size_t i;
	json_t *v;

	if (!split)
		return;
	page_say(t->p, 2, "The best %zu groups%s:", json_array_size(groups),
		 json_is_true(json_object_get(split, "exact")) ?
			 "" :
			 ", found one cohort after another: there may be better ones");
	json_array_foreach((json_t *)groups, i, v)
		show_group(t, v);
}

/* ------------------------------------------------------------------------------------ */

static void show_all(struct table *t)
{
	const json_t *exchanged = json_object_get(t->root, "exchanged");
	const json_t *cohorts = json_object_get(t->root, "cohorts");
	_buf_ text = { 0 };
	size_t i;
	json_t *v;

	show_verdict(t);
	json_array_foreach((json_t *)cohorts, i, v)
		show_cohort(t, i, v);
	page_names(&text, exchanged);
	if (text.len)
		page_item(t->p, "as if", "another host were in the place of %s", text.data);
	t->p->failed |= buf_failed(&text);
	show_tables(t);
	show_causes(t);
	show_costs(t);
	show_split(t);
	page_end(t->p, json_object_get(t->root, "scope"),
		 "intersect PROFILE..., abibase targets GUEST PROFILE...");
}

int matrix_show(const json_t *root, size_t width, char **ret)
{
	const json_t *cohorts = json_object_get(root, "cohorts");
	struct page p;
	struct table t = { .p = &p, .root = root, .moves = json_object_get(root, "moves"),
			   .n = json_array_size(cohorts) };
	size_t i;
	json_t *v;

	page_begin(&p, width);
	t.words = malloc(t.n * t.n + 1);
	t.numbers = json_object();
	t.listed = json_object();
	p.failed |= !t.words;
	json_array_foreach((json_t *)cohorts, i, v)
		p.failed |= json_put(t.numbers, string_of(v, "name"),
				     json_integer((json_int_t)i)) < 0;
	json_array_foreach((json_t *)t.moves, i, v)
		if (json_is_true(json_object_get(v, "list")))
			p.failed |= json_put(t.listed, string_of(v, "machine"), json_true()) < 0;
	if (!p.failed)
		show_all(&t);
	free(t.words);
	json_decref(t.numbers);
	json_decref(t.listed);
	return page_give(&p, ret);
}
