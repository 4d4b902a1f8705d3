/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include "base/harmless.h"

#include <unistd.h>

#define PAGE_LINES 24 /* of a terminal */

#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN "\033[m"

/* The words with which a verdict begins; the longer of two before the shorter. */
static const struct {
	const char *words, *colour;
} verdicts[] = {
	{ "not satisfied", RED }, { "satisfied", GREEN }, { "cannot tell", YELLOW },
	{ "differs", RED },	  { "equal", GREEN },	  { "yes", GREEN },
	{ "no", RED },
};

/* Which verdict, behind no further letter, begins here? */
static const char *verdict_at(const char *text, size_t *ret_len)
{
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		size_t n = strlen(verdicts[i].words);

		*ret_len = n;
		if (strprefix(text, verdicts[i].words) &&
		    (text[n] == '\0' || strchr("\n :;,.(", text[n])))
			return verdicts[i].colour;
	}
	return NULL;
}

/* "yes: ...", "HOST: satisfies": in a line that begins a paragraph */
static void put_line(FILE *to, const char *line, size_t len)
{
	const char *at = line, *colon = memmem(line, len, ": ", 2);
	const char *colour = NULL;
	size_t n = 0;

	if (*line != ' ') {
		colour = verdict_at(at, &n);
		if (!colour && colon) {
			at = colon + 2;
			colour = verdict_at(at, &n);
		}
	}
	if (!colour)
		n = 0;
	fwrite(line, 1, (size_t)(at - line), to);
	if (colour)
		fprintf(to, "%s%.*s%s", colour, (int)n, at, PLAIN);
	fwrite(at + n, 1, len - (size_t)(at - line) - n, to);
}

static int print_coloured(const char *text)
{
	_autofree_ char *copy = strdup(text), *coloured = NULL;
	size_t size;
	FILE *to = open_memstream(&coloured, &size);

	if (copy)
		text_harmless(copy, "\n");
	for (const char *p = copy; p && to && *p;) {
		size_t len = strcspn(p, "\n");

		len += p[len] == '\n';
		put_line(to, p, len);
		p += len;
	}
	if (!to || fclose(to) != 0 || !copy)
		return cli_oom();
	cli_put(stdout, coloured);
	return 0;
}

/* --color, and on its own a terminal that has colours and whose user did not refuse them */
static bool wants_colour(const struct options *o)
{
	const char *when = options_arg(o, OPT_COLOR);
	const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");

	if (!options_find(o->command->verb, OPT_COLOR, NULL, 0))
		return false;
	if (when && !streq(when, "auto"))
		return streq(when, "always");
	return (!refused || !*refused) && terminal && !streq(terminal, "dumb") &&
	       cli_is_terminal(STDOUT_FILENO);
}

/* Where the line behind the @n-th of @text begins; NULL: there is none. */
static char *line_at(char *text, size_t n)
{
	while (n-- && text) {
		text = strchr(text, '\n');
		text += text != NULL;
	}
	return text && *text ? text : NULL;
}

/* Where the closing lines of a page begin; NULL: it has none. */
static char *closing_lines(char *text)
{
	char *ret = NULL;

	for (char *at = text; (at = strstr(at, "\nLooked at: ")); at++)
		ret = at + 1;
	for (char *at = ret ? NULL : text; at && (at = strstr(at, "\nSee: ")); at++)
		ret = at + 1;
	return ret;
}

/* The middle of a page that a terminal does not hold; the verdict and the two last lines stay. */
static void fold(char *text)
{
	char *end = closing_lines(text), *from, *to;
	size_t lines = 0, last = 1, more;
	char words[64];

	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	for (const char *p = end; p && (p = strchr(p, '\n')); p++)
		last++;
	if (lines <= PAGE_LINES || !end || last >= PAGE_LINES)
		return;
	more = lines - (PAGE_LINES - last) - (last - 1);
	from = line_at(text, PAGE_LINES - last);
	to = from + sprintf(words, "%zu more: -v\n", more);
	if (to > end)
		return;
	memcpy(from, words, strlen(words));
	memmove(to, end, strlen(end) + 1);
}

void cli_page(const struct options *o, char *page)
{
	if (o->verbose <= 0 && cli_is_terminal(STDERR_FILENO))
		fold(page);
	cli_print(stderr, page);
}

static bool goes_to_stdout(const struct options *o)
{
	return !o->output || streq(o->output, "-");
}

int cli_show(const struct options *o, int r, char *text, int status)
{
	bool to_stdout = goes_to_stdout(o);

	if (r < 0)
		return cli_oom();
	if (!text || (options_has(o, 'q') && o->words && !o->output))
		return status;
	if (to_stdout && o->words && !o->json && o->verbose <= 0 && cli_is_terminal(STDOUT_FILENO))
		fold(text);
	if (to_stdout && o->words && wants_colour(o))
		r = print_coloured(text);
	else
		r = cli_write(o->output, text);
	return r ? STATUS_TROUBLE : status;
}

/* As it is wanted on stdout */
static int write_result(const struct abibase_result *res, const struct options *o, char **ret)
{
	return o->json ? abibase_result_to_json(res, ret) :
			 abibase_result_to_text(res, cli_width(STDOUT_FILENO), ret);
}

int cli_answer(const struct abibase_result *res, const struct options *o)
{
	_autofree_ char *text = NULL;
	int r = write_result(res, o, &text);

	return cli_show(o, r, text, (int)abibase_result_verdict(res));
}

/* --------------------------------------------------------------------- several answers */

#define HELD_MOST (1u << 20) /* bytes of answers, about */

int cli_worse(int a, int b)
{
	if (a == ABIBASE_VERDICT_NO || b == ABIBASE_VERDICT_NO)
		return ABIBASE_VERDICT_NO;
	return a > b ? a : b;
}

/* A document in one line: strings of JSON have no line feed in them. */
static void put_in_line(FILE *to, const char *text)
{
	for (; *text; text += strspn(text, "\n ")) {
		size_t n = strcspn(text, "\n");

		fwrite(text, 1, n, to);
		text += n;
	}
	fputc('\n', to);
}

/* A file is replaced whole or not at all. */
static bool writes_at_once(const struct cli_answers *a)
{
	return a->lines && a->o->json && goes_to_stdout(a->o);
}

static void put_answers(FILE *to, const struct cli_answers *a)
{
	for (size_t i = 0; i < a->texts.n; i++)
		if (a->o->json)
			put_in_line(to, a->texts.s[i]);
		else
			fprintf(to, "%s%s\n\n%s", i || a->begun ? "\n" : "", a->names.s[i],
				a->texts.s[i]);
}

static int show_held(struct cli_answers *a)
{
	_autofree_ char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to)
		put_answers(to, a);
	if (!to || fclose(to) != 0)
		return cli_oom();
	strings_clear(&a->names);
	strings_clear(&a->texts);
	a->held = 0;
	return cli_show(a->o, 0, text, a->status);
}

/* So many that a part is written before the rest is known; a terminal gets one page. */
static bool are_many(const struct cli_answers *a)
{
	return a->held > HELD_MOST && a->texts.n > 1 && goes_to_stdout(a->o) &&
	       !cli_is_terminal(STDOUT_FILENO);
}

int cli_answers_add(struct cli_answers *a, const char *name, const struct abibase_result *res,
		    int status)
{
	_autofree_ char *text = NULL;
	int r = write_result(res, a->o, &text);

	if (r < 0)
		return cli_oom();
	a->status = cli_worse(a->status, status);
	if (writes_at_once(a)) {
		cli_end_step();
		put_in_line(stdout, text);
		return 0;
	}
	a->held += strlen(text);
	if (strings_add(&a->names, name) < 0 || strings_take(&a->texts, steal(&text)) < 0)
		return cli_oom();
	if (!are_many(a))
		return 0;
	cli_end_step();
	r = show_held(a);
	a->begun = true;
	return r == STATUS_TROUBLE ? r : 0;
}

int cli_answers_end(struct cli_answers *a, int r)
{
	bool alone = a->texts.n == 1 && !a->lines && !a->begun;

	if (r == 0 && (writes_at_once(a) || (a->begun && !a->texts.n)))
		r = a->status;
	else if (r == 0)
		r = alone ? cli_show(a->o, 0, a->texts.s[0], a->status) : show_held(a);
	strings_clear(&a->names);
	strings_clear(&a->texts);
	return r;
}
