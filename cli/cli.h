/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_CLI_H
#define ABIBASE_CLI_H

/* The command: one file a verb, each of them a few calls of the public interface. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abibase/abibase.h>

#include "base/suggest.h"
#include "base/util.h"
#include "options.h"

/* The exit statuses; the verdicts of the library have the same numbers. */
enum {
	STATUS_YES = ABIBASE_VERDICT_YES,
	STATUS_NO = ABIBASE_VERDICT_NO,
	STATUS_TROUBLE = 2,
	STATUS_UNKNOWN = ABIBASE_VERDICT_UNKNOWN,
};

/* One verb. @run returns the exit status. */
struct command {
	enum verb verb;
	const char *name;
	int (*run)(const struct options *o);
	const char *summary; /* for the list of verbs */
	const char *usage;   /* what stands behind "abibase VERB", a line for each way to use it */
	const char *about;   /* paragraphs */
	const char *status;  /* the exit statuses */
	int most;		 /* operands that it takes; MANY: any number */
	const char *which[2];	 /* what is missing where there is no first, no second one */
	const char *operands[3]; /* kinds, as struct cli_option has them; the last also of further
				    ones */
	const char *hint;    /* what is said beside an option that is wrong, or NULL */
	bool asks_host;	     /* its kernel or its QEMUs, whatever the operands */
	int misuse;	     /* the status then, where it is not STATUS_TROUBLE */
};
#define MANY (-1)
#define VERB(NAME, name) extern const struct command command_##name;
#include "verbs.def"
#undef VERB

#define DEFINE_UNREF(name)                                             \
	static inline void name##_unrefp(struct abibase_##name **p)    \
	{                                                              \
		abibase_##name##_unref(*p);                            \
	}
DEFINE_UNREF(context)
DEFINE_UNREF(profile)
DEFINE_UNREF(catalogue)
DEFINE_UNREF(baseline)
DEFINE_UNREF(check_request)
DEFINE_UNREF(platforms)
DEFINE_UNREF(intersection)
DEFINE_UNREF(probe)
DEFINE_UNREF(render)
DEFINE_UNREF(result)
DEFINE_UNREF(guest)
DEFINE_UNREF(targets)
DEFINE_UNREF(rehearse)
DEFINE_UNREF(matrix)
DEFINE_UNREF(verify)
#define _unref_(name) __attribute__((cleanup(name##_unrefp))) struct abibase_##name

/* Make sure that descriptors 0, 1 and 2 are taken, so that no file that is opened becomes one. */
void cli_reserve_standard_streams(void);
/* Flush and close stdout; words that could not be written turn any status into trouble. */
int cli_close_stdout(int status);

/*
 * A context whose words go to stderr; with @verbose -1 no remarks, with 1 those of LOG_INFO too,
 * with 2 all.
 */
int cli_context(int verbose, struct abibase_context **ret);

/* And the catalogue. 0 or STATUS_TROUBLE, having said why. */
int cli_begin(int verbose, struct abibase_context **ret, struct abibase_catalogue **ret_cat);

/*
 * Keep the words for stderr back, for a line of a log, or because they may not be wanted; and end that:
 * they are for free(), NULL for want of memory.
 */
void cli_hold_words(void);
char *cli_held_words(void);
/* Where words for stderr go */
FILE *cli_stderr(void);
/* The line that says on a terminal what is done now goes before all else is written there. */
void cli_end_step(void);
/* One line, without what could harm a terminal in it. */
void cli_line(FILE *to, const char *fmt, ...) _printf_(2, 3);
void cli_vline(FILE *to, const char *before, const char *fmt, va_list ap) _printf_(3, 0);
/* One line on stderr, "abibase: " before it. All of these return STATUS_TROUBLE. */
int cli_error(const char *fmt, ...) _printf_(1, 2);
int cli_oom(void);
/* What failed last on @ctx: "abibase: WHERE: SENTENCE [id]"; @err is used when it does not say. */
int cli_context_error(const struct abibase_context *ctx, int err);
/*
 * The same of what was read from @source and cannot be added, for the library does not know from where
 * it came. @other: from where the first of that name is, or NULL.
 */
int cli_refused(const struct abibase_context *ctx, const char *source, const char *other, int err);
/* A mistake in the arguments of @verb (NULL: before any verb); @fmt NULL: it was said which. */
int cli_usage(const char *verb, const char *fmt, ...) _printf_(2, 3);
/* The verbs: the @i-th, and by name; or NULL. */
const struct command *cli_command(size_t i);
const struct command *cli_find_command(const char *name);
/* For the shells: what can stand in the place of the last of @n words. The exit status. */
int cli_complete(char **words, int n);
/* All of `abibase VERB --help`; STATUS_YES. */
int cli_help(const struct command *command);

/* Is this operand standard input: "-", or "NAME=-"? */
bool cli_operand_is_stdin(const char *operand);
/*
 * At most one of these, of which some may be NULL, and @taken is standard input, and then becomes
 * @taken. 0 or STATUS_TROUBLE, having said so.
 */
int cli_check_stdin_once(const char *verb, char *const *operands, int n, char **taken);

/*
 * What the operands stand for, in every verb that takes several: the *.json of a directory, a
 * document a line of *.ndjson and "-", what --files0-from lists; and all else by itself.
 */
struct cli_source {
	const char *name; /* how errors call it; without a text, what is to be read */
	const char *text;
	size_t len;
};
typedef int (*cli_source_fn)(void *data, const struct cli_source *s);
/*
 * Each from the operand @first on, though one was bad; with @again without what can be read only
 * once. Returns 0 or STATUS_TROUBLE, as @fn does, having said why.
 */
int cli_sources(const struct options *o, int first, bool again, cli_source_fn fn, void *data);
/* At most one of them, and @taken, is standard input. 0 or STATUS_TROUBLE, having said so. */
int cli_check_sources(const struct options *o, int first, char *taken);
/* Does it stand for several, by its name? */
bool cli_operand_is_several(const struct options *o, const char *operand);
/* The profile of this host. 0 or STATUS_TROUBLE, having said why. */
int cli_probe_here(struct abibase_context *ctx, struct abibase_catalogue *cat,
		   struct abibase_profile **ret);
/* Names, and the profiles that they name. */
struct cli_list {
	struct strings names;
	struct abibase_profile **profile;
	size_t n, cap;
};
void cli_list_clear(struct cli_list *l);
#define _cli_list_ __attribute__((cleanup(cli_list_clear))) struct cli_list
/* These return 0 or STATUS_TROUBLE. Arguments of @id; each may have @several between commas. */
int cli_add_names(struct strings *names, const struct options *o, int id, bool several);
/* Each of --backend LIST, which is split at the commas in place. 0 or a negative errno */
int cli_add_backends(struct abibase_intersection *ix, const struct options *o);
int cli_list_add(struct cli_list *l, struct abibase_profile *p);
/* The same, as a cli_profile_fn */
int cli_list_take(void *list, struct abibase_profile *p);
/* All that are named are read, so that one run tells all that are bad; one name can be of several. */
int cli_list_load(struct abibase_context *ctx, const struct options *o, struct cli_list *l);
/* Every platform that there is */
int cli_list_platforms(struct abibase_context *ctx, struct cli_list *l);
/* What machine types there are, offered for the one of -M, which may be none of them. */
struct cli_machine {
	struct suggest suggest;
	bool exists;
};
/* Was one named of which it is worth to say what was meant? Begins @ret. */
bool cli_machine_begin(const struct options *o, struct cli_machine *ret);
void cli_offer_machines(struct cli_machine *m, const struct abibase_profile *p);
void cli_suggest_machine(const struct cli_machine *m);
/*
 * As abibase_operand_load(); a build record gives neither of the two, and profiles after it are
 * answered from it.
 */
int cli_source_load(struct abibase_context *ctx, const struct cli_source *s,
		    struct abibase_profile **ret_profile, struct abibase_baseline **ret_baseline);
/* Say why it could not be loaded; of another file, such as a build record, once. STATUS_TROUBLE. */
int cli_source_error(struct abibase_context *ctx, const struct cli_source *s, int err);
/* Loaded, where each has to be a profile. */
typedef int (*cli_profile_fn)(void *data, struct abibase_profile *p);
int cli_profiles(struct abibase_context *ctx, const struct options *o, int first, cli_profile_fn fn,
		 void *data);

/* The text at a path of a document; NULL: there is none. */
static inline const char *cli_text(const struct abibase_value *v, const char *path)
{
	return abibase_value_string(abibase_value_get(v, path));
}

static inline const char *cli_name(const struct abibase_profile *p)
{
	return cli_text(abibase_profile_value(p), "name");
}

/*
 * The machine types of the QEMUs of a profile that have a version in their names, in turn: a walk
 * begins at { 0 }. NULL: there are no more.
 */
struct cli_machines {
	size_t qemu, machine;
};
const char *cli_next_machine(const struct abibase_profile *p, struct cli_machines *at);

/* Load the operand, which must be of that kind. Return 0 or STATUS_TROUBLE, having said why. */
int cli_load(struct abibase_context *ctx, const char *operand, struct abibase_profile **ret_profile,
	     struct abibase_baseline **ret_baseline);
int cli_load_profile(struct abibase_context *ctx, const char *operand,
		     struct abibase_profile **ret);
int cli_load_baseline(struct abibase_context *ctx, const char *operand,
		      struct abibase_baseline **ret);
/* Is it one that promises something? 0 or STATUS_TROUBLE, having said why. */
int cli_check_promise(const struct abibase_baseline *b, const char *operand);
/* A profile is there instead: say so. STATUS_TROUBLE */
int cli_no_baseline(const char *operand);

/* The paths of a directory that end in .json, in the order of bytes. 0 or -errno */
int cli_documents(const char *dir, struct strings *ret);

/* All of a text, as it is; cli_close_stdout() tells of trouble. */
void cli_put(FILE *to, const char *text);
/* Lines for people, without what could harm a terminal in them. 0 or STATUS_TROUBLE. */
int cli_print(FILE *to, const char *text);
/* Of what is no device no question is asked: isatty() is an ioctl, at which a seccomp filter may kill. */
bool cli_is_terminal(int fd);
/*
 * Write @text to the file @path, NULL or "-" for stdout. A regular file is replaced whole or not
 * at all. Returns 0 or STATUS_TROUBLE, having said why.
 */
int cli_write(const char *path, const char *text);
/*
 * Write the answer, where it is wanted: @r is what its maker returned. Returns @status, or
 * STATUS_TROUBLE having said why.
 */
int cli_show(const struct options *o, int r, char *text, int status);
/* The page beside a list, on stderr. */
void cli_page(const struct options *o, char *page);
/* Columns of the terminal, 80 where it does not say; 0: it is none. */
size_t cli_width(int fd);
/* The same with a result. Returns the exit status: that of its verdict. */
int cli_answer(const struct abibase_result *res, const struct options *o);
/*
 * Several of them: each under its name, or as documents in a line each; the worst verdict counts.
 * One stands alone. Begins as { .o = o }. What fails has said why; _end() gives the exit status, @r
 * where that is not 0, and is always called.
 */
struct cli_answers {
	const struct options *o;
	bool lines; /* there are several for sure: what needs not be held back is written at once */
	struct strings names, texts;
	size_t held; /* bytes of these */
	bool begun;  /* they are many: a part was written */
	int status;
};
int cli_answers_add(struct cli_answers *a, const char *name, const struct abibase_result *res,
		    int status);
int cli_answers_end(struct cli_answers *a, int r);
/* Of two verdicts: "no" before "cannot tell" before "yes" */
int cli_worse(int a, int b);

/*
 * The guest that --domain names, with this backend where the XML says none, or NULL; what of it is
 * not compared is said. Without the option @ret stays as it is. 0 or STATUS_TROUBLE.
 */
int cli_domain(struct abibase_context *ctx, const struct abibase_catalogue *cat,
	       const struct options *o, const char *backend, struct abibase_guest **ret);

#endif
