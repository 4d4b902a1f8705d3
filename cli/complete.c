/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

/*
 * "abibase __complete WORD..." prints what can stand in the place of the last WORD, for the
 * completions of the shells: a line each, a tab, and what it is. A line ":files" stands for the
 * names of files, and behind its tab is what comes before the name in that word; ":commands" for
 * programs.
 */

struct completion {
	const char *before; /* of the last word: "--backend=tap," */
	size_t n_before;
	const char *rest; /* what was typed behind it */
	char *const *operands;
	int n_operands;
};

static void offer(const struct completion *c, const char *word, const char *what)
{
	size_t n = what ? strcspn(what, ";(\n") : 0;

	while (n > 0 && what[n - 1] == ' ')
		n--;
	if (strprefix(word, c->rest))
		printf("%.*s%s\t%.*s\n", (int)c->n_before, c->before, word, (int)n,
		       what ? what : "");
}

static void offer_words(const struct completion *c, const char *words)
{
	char word[64];

	for (; *words; words += strspn(words, " ")) {
		size_t n = strcspn(words, " ");

		snprintf(word, sizeof(word), "%.*s", (int)n, words);
		offer(c, word, NULL);
		words += n;
	}
}

static const struct abibase_value *catalogue(struct abibase_catalogue **cat)
{
	_unref_(context) *ctx = NULL;

	if (abibase_context_new(0, &ctx) < 0 || abibase_catalogue_new(ctx, cat) < 0)
		return NULL;
	return abibase_catalogue_value(*cat);
}

static void offer_groups(const struct completion *c)
{
	_unref_(catalogue) *cat = NULL;
	const struct abibase_value *groups = abibase_value_member(catalogue(&cat), "groups");

	for (size_t i = 0; i < abibase_value_count(groups); i++)
		offer(c, abibase_value_key(groups, i),
		      cli_text(abibase_value_item(groups, i), "description"));
}

/* Of virtio-net, or devices of their own */
static void offer_backends(const struct completion *c, bool devices)
{
	_unref_(catalogue) *cat = NULL;
	const struct abibase_value *all = abibase_value_member(catalogue(&cat), "backends"), *v;

	for (size_t i = 0; (v = abibase_value_item(all, i)); i++)
		if (devices == (cli_text(v, "device") != NULL) &&
		    !abibase_value_boolean(abibase_value_member(v, "predicted_only")))
			offer(c, abibase_value_key(all, i), NULL);
}

static void offer_properties(const struct completion *c)
{
	_unref_(catalogue) *cat = NULL;
	const struct abibase_value *list = abibase_value_member(catalogue(&cat), "features"), *v;
	size_t i = 0;

	while ((v = abibase_value_item(list, i++))) {
		_autofree_ char *name = NULL;

		if (asprintf(&name, "%s.%s", cli_text(v, "class"), cli_text(v, "property")) < 0) {
			name = NULL;
			return;
		}
		/* a property can be called without its class */
		offer(c, strchr(c->rest, '.') ? name : cli_text(v, "property"),
		      cli_text(v, "feature"));
	}
}

/* The platforms, and before them the names that stand for the newest of a track, and the codenames */
static void offer_platforms(const struct completion *c)
{
	_unref_(context) *ctx = NULL;
	_unref_(platforms) *l = NULL;
	_unref_(result) *res = NULL;
	const struct abibase_value *list, *v, *codenames;

	if (abibase_context_new(0, &ctx) < 0 || abibase_platforms_new(ctx, &l) < 0 ||
	    abibase_platforms_list(ctx, l, &res) < 0)
		return;
	list = abibase_value_member(abibase_result_value(res), "platforms");
	for (size_t i = 0; (v = abibase_value_item(list, i)); i++) {
		if (cli_text(v, "alias"))
			offer(c, cli_text(v, "alias"), cli_text(v, "name"));
		codenames = abibase_value_member(v, "codenames");
		for (size_t k = 0; k < abibase_value_count(codenames); k++)
			offer(c, abibase_value_string(abibase_value_item(codenames, k)),
			      cli_text(v, "name"));
	}
	for (size_t i = 0; (v = abibase_value_item(list, i)); i++)
		offer(c, cli_text(v, "name"), "platform");
}

static void offer_machines(const struct completion *c, struct abibase_profile *p)
{
	struct cli_machines at = { 0 };
	const char *machine;

	while ((machine = cli_next_machine(p, &at)))
		offer(c, machine, cli_name(p));
}

static void offer_all_machines(const struct completion *c)
{
	_unref_(context) *ctx = NULL;
	_unref_(platforms) *l = NULL;
	struct abibase_profile *p;
	size_t i = 0;

	if (abibase_context_new(0, &ctx) < 0 || abibase_platforms_new(ctx, &l) < 0)
		return;
	while ((p = abibase_platforms_profile(l, i++)))
		offer_machines(c, p);
}

/* Those of the hosts that stand on the line; where there is none, of all platforms. */
static void offer_machines_of(const struct completion *c)
{
	_unref_(context) *ctx = NULL;
	bool any = false;

	for (int i = 0; i < c->n_operands; i++) {
		_unref_(profile) *p = NULL;
		_unref_(baseline) *b = NULL;

		if (cli_operand_is_stdin(c->operands[i]) ||
		    (!ctx && abibase_context_new(0, &ctx) < 0) ||
		    abibase_operand_load(ctx, c->operands[i], &p, &b) < 0 || !p)
			continue;
		offer_machines(c, p);
		any = true;
	}
	if (!any)
		offer_all_machines(c);
}

/* "@files", "word word ...", NULL */
static void offer_values(const struct completion *c, const char *values)
{
	if (!values)
		return;
	if (*values != '@')
		offer_words(c, values);
	if (strstr(values, "@hosts"))
		offer_platforms(c);
	if (strstr(values, "@groups"))
		offer_groups(c);
	if (strstr(values, "@properties"))
		offer_properties(c);
	if (strstr(values, "@backends") || strstr(values, "@devices"))
		offer_backends(c, strstr(values, "@devices"));
	if (strstr(values, "@machines"))
		offer_machines_of(c);
	if (strstr(values, "@commands"))
		puts(":commands");
	if (strstr(values, "@hosts") || strstr(values, "@files"))
		printf(":files\t%.*s\n", (int)c->n_before, c->before);
}

/* Of a list what stands behind the last comma. */
static void offer_argument(struct completion *c, const struct cli_option *row, const char *word,
			   const char *arg)
{
	const char *comma = streq(row->arg, "LIST") ? strrchr(arg, ',') : NULL;

	c->rest = comma ? comma + 1 : arg;
	c->before = word;
	c->n_before = (size_t)(c->rest - word);
	offer_values(c, row->values);
}

static void offer_options(const struct completion *c, enum verb verb)
{
	const struct cli_option *row;
	char name[64];

	for (size_t i = 0; (row = options_row(verb, &i));) {
		snprintf(name, sizeof(name), "--%s", row->name);
		offer(c, name, row->help);
	}
}

static void offer_verbs(const struct completion *c)
{
	const struct command *command;

	for (size_t i = 0; (command = cli_command(i)); i++)
		offer(c, command->name, command->summary);
	offer(c, "help", "list the verbs, or show the help of one");
}

/* The option whose argument the next word is, or NULL. */
static const struct cli_option *awaits(const struct command *command, const char *word)
{
	const struct cli_option *row = NULL;

	if (strprefix(word, "--"))
		row = options_find(command->verb, 0, word + 2, strlen(word + 2));
	else if (*word == '-' && word[1] && !word[2])
		row = options_find(command->verb, (unsigned char)word[1], NULL, 0);
	return row && row->arg ? row : NULL;
}

static void offer_operand(const struct completion *c, const struct command *command, bool ended)
{
	const char *const *kinds = command->operands;
	int i = 0;

	/* QEMU and its arguments */
	if (ended && command->verb & (VERB_VERIFY | VERB_EXEC) && c->n_operands == 1)
		offer_values(c, "@commands");
	while (i < c->n_operands && kinds[i] && kinds[i + 1])
		i++;
	offer_values(c, kinds[i]);
}

/* @words: all behind the verb, the last one unfinished */
static int complete_verb(const struct command *command, char **words, int n)
{
	_autofree_ char **operands = calloc((size_t)n + 1, sizeof(*operands));
	const char *word = words[n - 1], *equals = strchr(word, '=');
	struct completion c = { .before = word, .rest = word, .operands = operands };
	const struct cli_option *row = NULL;
	bool ended = false;

	if (!operands)
		return STATUS_TROUBLE;
	for (int i = 0; i < n - 1; i++) {
		if (row) {
			row = NULL; /* this is its argument */
			continue;
		}
		row = ended ? NULL : awaits(command, words[i]);
		if (ended || *words[i] != '-' || !words[i][1])
			operands[c.n_operands++] = words[i];
		ended |= streq(words[i], "--");
	}
	if (row)
		offer_argument(&c, row, word, word);
	else if (!ended && strprefix(word, "--") && equals) {
		row = options_find(command->verb, 0, word + 2, (size_t)(equals - word - 2));
		if (row && row->arg)
			offer_argument(&c, row, word, equals + 1);
	} else if (!ended && *word == '-')
		offer_options(&c, command->verb);
	else
		offer_operand(&c, command, ended);
	return STATUS_YES;
}

int cli_complete(char **words, int n)
{
	struct completion c = { .before = "" };
	const struct command *command;
	int verb = 0;

	if (n == 0)
		return STATUS_YES;
	c.rest = words[n - 1];
	while (verb < n - 1 && *words[verb] == '-')
		verb++;
	if (verb < n - 1 && !streq(words[verb], "help")) {
		command = cli_find_command(words[verb]);
		return command ? complete_verb(command, words + verb + 1, n - verb - 1) :
				 STATUS_YES;
	}
	if (*c.rest == '-')
		offer_options(&c, VERB_NONE);
	else
		offer_verbs(&c);
	return STATUS_YES;
}
