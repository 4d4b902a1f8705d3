/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_OPTIONS_H
#define ABIBASE_OPTIONS_H

/*
 * One table of all options. Parsing, the help of each verb and the completions are made of it; the
 * lists of abibase(1) are held to it by tests/manners.sh.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Which verbs have an option: a bit each. */
enum verb_place {
	PLACE_NONE,
#define VERB(NAME, name) PLACE_##NAME,
#include "verbs.def"
#undef VERB
};
enum verb {
	VERB_NONE = 1 << PLACE_NONE, /* before any verb */
#define VERB(NAME, name) VERB_##NAME = 1 << PLACE_##NAME,
#include "verbs.def"
#undef VERB
};

/* An option is its letter, or one of these where it has none. */
enum {
	OPT_NAME = 0x100,
	OPT_ANONYMOUS,
	OPT_QEMU,
	OPT_NO_QEMU,
	OPT_NO_LOAD,
	OPT_ONLY,
	OPT_SKIP,
	OPT_REPORT,
	OPT_NO_VALUES,
	OPT_BUILDS,
	OPT_NO_CACHE,
	OPT_OBSERVE,
	OPT_NO_OBSERVE,
	OPT_BACKEND,
	OPT_TARGET,
	OPT_JSON,
	OPT_MINIMAL,
	OPT_FOR,
	OPT_NO_INPUTS,
	OPT_PARTIAL,
	OPT_WITH_MACHINE,
	OPT_ALIAS,
	OPT_HOTPLUG,
	OPT_POLICY,
	OPT_ENABLE,
	OPT_DISABLE,
	OPT_DEST,
	OPT_ASSUME_QEMU,
	OPT_WITH_DEVICE,
	OPT_FILES0_FROM,
	OPT_DOMAIN,
	OPT_DEVICE,
	OPT_PLATFORM,
	OPT_COST,
	OPT_PLATFORMS,
	OPT_AT,
	OPT_HOSTS,
	OPT_PROFILE,
	OPT_START,
	OPT_QUEUE_SIZE,
	OPT_FROM,
	OPT_BASELINE,
	OPT_NOW,
	OPT_VERIFY,
	OPT_SAVE,
	OPT_LOAD,
	OPT_RUN,
	OPT_PID,
	OPT_SPECIMEN,
	OPT_COLOR,
	OPT_GROUPS,
	OPT_SPLIT,
	OPT_ALL,
};

struct cli_option {
	unsigned int verbs;
	int id;
	const char *name;
	const char *arg;    /* how help and manual call its argument; NULL: it has none */
	const char *values; /* words that may be meant, "@KIND" for what complete.c finds, or NULL */
	const char *help;
};

/* An option that was given, in the order of the command line. */
struct given {
	int id;
	char *arg; /* in argv; NULL: it takes none */
};

struct command;

/* What the words behind a verb say. */
struct options {
	const struct command *command;
	struct given *given;
	size_t n_given;
	char **operands; /* ended by NULL */
	int n_operands;
	int n_before;	      /* operands before "--"; -1: there was none */
	const char *format; /* one of those that the verb has; NULL: none was named */
	const char *output; /* NULL: stdout */
	bool json, words; /* a document; for people: text, or what the verb says instead */
	int verbose;	  /* -1: quiet */
};
void options_clear(struct options *o);
#define _options_ __attribute__((cleanup(options_clear))) struct options

/*
 * Take the words behind @argv[0]. Returns 0 to go on; else the exit status + 1: what is wrong was
 * said, or the help was printed. Before a verb (VERB_NONE) it ends at the first operand.
 */
int options_parse(const struct command *command, int argc, char **argv, struct options *ret);
/* Was it given? And its argument, the last one; NULL: it was not given. */
bool options_has(const struct options *o, int id);
char *options_arg(const struct options *o, int id);
/* The argument of the next one from @i on, which goes to the one behind; NULL: there is no further. */
char *options_next(const struct options *o, int id, size_t *i);
size_t options_count(const struct options *o, int id);

/* The rows in turn: the first of @verb from @i on, which goes to the one behind; NULL at the end. */
const struct cli_option *options_row(enum verb verb, size_t *i);
/* The one with this letter, or with the name of @len bytes; or NULL. */
const struct cli_option *options_find(enum verb verb, int letter, const char *name, size_t len);
/* The lines about the options of @verb, at most 80 columns wide; and a text, as wide. */
void options_help(FILE *to, enum verb verb);
void options_wrap(FILE *to, const char *text);

#endif
