/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "base/harmless.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define LEAST_COLUMNS 40
#define MOST_COLUMNS 160

/*
 * A descriptor opened the wrong way round takes the number and still fails with EBADF when it is
 * used, as the closed one would have: `abibase … >&-` is then an error and not a line in
 * whichever file happened to become descriptor 1.
 */
void cli_reserve_standard_streams(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		/* The lowest free number is given out, and the lower ones are taken by now. */
		if (open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			_exit(STATUS_TROUBLE);
	}
}

/* Why words did not get out, when they filled the buffer: nobody knows at the end. */
static int stdout_errno;

/* @r is what the write to @to returned. */
static void note_write(const FILE *to, int r)
{
	if (r < 0 && to == stdout && !stdout_errno)
		stdout_errno = errno;
}

/* Does a line on the terminal say what is done now? */
static bool stepping;

void cli_end_step(void)
{
	if (stepping)
		fputs("\r\033[K", stderr);
	stepping = false;
}

int cli_close_stdout(int status)
{
	bool failed = ferror(stdout);

	cli_end_step();
	errno = 0;
	if (fclose(stdout) != 0)
		failed = true;
	if (!failed)
		return status;
	if (!stdout_errno)
		stdout_errno = errno ? errno : EIO;
	return cli_error("standard output: %s [io-error]", strerror(stdout_errno));
}

void cli_vline(FILE *to, const char *before, const char *fmt, va_list ap)
{
	_autofree_ char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	if (text)
		text_harmless(text, "");
	cli_end_step();
	note_write(to,
		   fprintf(to, "%s%s\n", before, text ? text : "out of memory [out-of-memory]"));
}

void cli_line(FILE *to, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cli_vline(to, "", fmt, ap);
	va_end(ap);
}

/* While they are kept back: where words for stderr go, and what they are. */
static FILE *held;
static char *held_text;
static size_t held_size;

FILE *cli_stderr(void)
{
	return held ? held : stderr;
}

void cli_hold_words(void)
{
	if (!held)
		held = open_memstream(&held_text, &held_size);
}

char *cli_held_words(void)
{
	char *text;

	/* without memory for them they went to stderr */
	if (!held || fclose(held) != 0)
		free(steal(&held_text));
	held = NULL;
	text = steal(&held_text);
	return text ? text : strdup("");
}

/* Of the terminal, 80 where it does not say; 0: it is none */
static size_t columns_of(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	unsigned long n = 0;

	if (!cli_is_terminal(fd))
		return 0;
	if (columns && *columns >= '0' && *columns <= '9')
		n = strtoul(columns, NULL, 10);
	else if (ioctl(fd, TIOCGWINSZ, &size) == 0)
		n = size.ws_col;
	return n > MOST_COLUMNS ? MOST_COLUMNS : n ? n : 80;
}

size_t cli_width(int fd)
{
	size_t n = columns_of(fd);

	return n && n < LEAST_COLUMNS ? LEAST_COLUMNS : n;
}

/* Nothing where nobody waits: a file, a pipe, words that are kept back */
static void show_step(const char *text)
{
	size_t width = held ? 0 : columns_of(STDERR_FILENO); /* a line that wraps is not taken back */
	const char *terminal = getenv("TERM");
	_autofree_ char *line = NULL;

	if (!width || !terminal || streq(terminal, "dumb") || asprintf(&line, "abibase: %s", text) < 0) {
		line = NULL;
		return;
	}
	text_harmless(line, "");
	cli_end_step();
	fprintf(stderr, "%.*s", (int)width - 1, line);
	stepping = true;
}

static void log_to_stderr(void *data, int priority, const char *id, const char *text)
{
	int verbose = *(int *)data;

	if (streq(id, "step") && verbose == 0)
		show_step(text);
	/* quiet (-1) are remarks, and never a warning */
	if (priority > LOG_NOTICE + verbose)
		return;
	cli_line(cli_stderr(), "abibase: %s%s [%s]", priority <= LOG_WARNING ? "warning: " : "", text,
		 id);
}

int cli_context(int verbose, struct abibase_context **ret)
{
	static int level;
	int r = abibase_context_new(0, ret);

	if (r < 0)
		return cli_error("%s", strerror(-r));
	level = verbose;
	abibase_context_set_log(*ret, log_to_stderr, &level);
	return 0;
}

int cli_begin(int verbose, struct abibase_context **ret, struct abibase_catalogue **ret_cat)
{
	int r;

	if (cli_context(verbose, ret) != 0)
		return STATUS_TROUBLE;
	r = abibase_catalogue_new(*ret, ret_cat);
	return r < 0 ? cli_context_error(*ret, r) : 0;
}

int cli_oom(void)
{
	return cli_error("out of memory [out-of-memory]");
}

int cli_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cli_vline(cli_stderr(), "abibase: ", fmt, ap);
	va_end(ap);
	return STATUS_TROUBLE;
}

int cli_refused(const struct abibase_context *ctx, const char *source, const char *other, int err)
{
	const char *sentence = abibase_context_error(ctx);
	const char *id = abibase_context_error_id(ctx);

	return cli_error("%s%s%s%s%s%s%s%s", source ? source : "", source ? ": " : "",
			 sentence ? sentence : strerror(-err), other ? "; the other is " : "",
			 other ? other : "", id ? " [" : "", id ? id : "", id ? "]" : "");
}

int cli_context_error(const struct abibase_context *ctx, int err)
{
	return cli_refused(ctx, abibase_context_error_where(ctx), NULL, err);
}

int cli_usage(const char *verb, const char *fmt, ...)
{
	va_list ap;

	if (fmt) {
		va_start(ap, fmt);
		cli_vline(stderr, "abibase: ", fmt, ap);
		va_end(ap);
	}
	fprintf(stderr, "Try 'abibase %s%s--help' for more information.\n", verb ? verb : "",
		verb ? " " : "");
	return STATUS_TROUBLE;
}

bool cli_operand_is_stdin(const char *operand)
{
	const char *equals = strchr(operand, '=');

	if (streq(operand, "-"))
		return true;
	/* A slash before the sign makes all of it a file name, as the library reads it. */
	return equals && streq(equals + 1, "-") && !memchr(operand, '/', equals - operand);
}

int cli_check_stdin_once(const char *verb, char *const *operands, int n, char **taken)
{
	for (int i = 0; i < n; i++) {
		if (!operands[i] || !cli_operand_is_stdin(operands[i]))
			continue;
		if (*taken)
			return cli_usage(verb, "standard input can be read only once: '%s'",
					 operands[i]);
		*taken = operands[i];
	}
	return 0;
}

/* Close, so that what the disk says at the end is heard. */
static int close_checked(int *fd)
{
	int r = close(*fd);

	*fd = -1;
	return r < 0 ? -errno : 0;
}

/* A device, a pipe: there is nothing to replace, so the words go straight into it. */
static int write_in_place(const char *path, const char *text)
{
	_autoclose_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	int r;

	if (fd < 0)
		return -errno;
	r = write_fully(fd, text, strlen(text));
	return r < 0 ? r : close_checked(&fd);
}

/* The permissions of the file that is replaced, else those that any new file gets. */
static int copy_permissions(int fd, const struct stat *old)
{
	mode_t mask;

	if (old) {
		/* Only root can give a file away; for others the new file is simply theirs. */
		if (fchown(fd, old->st_uid, old->st_gid) < 0 && errno != EPERM)
			return -errno;
		return fchmod(fd, old->st_mode & 0777) < 0 ? -errno : 0;
	}
	mask = umask(0);
	umask(mask);
	return fchmod(fd, 0666 & ~mask) < 0 ? -errno : 0;
}

static int write_and_sync(int *fd, const char *text, const struct stat *old)
{
	int r = write_fully(*fd, text, strlen(text));

	if (r == 0)
		r = copy_permissions(*fd, old);
	if (r == 0 && fsync(*fd) < 0)
		r = -errno;
	return r < 0 ? r : close_checked(fd);
}

/* A new file beside the old one takes its name at the end: no reader ever sees half of it. */
static int replace_file(const char *path, const char *text, const struct stat *old)
{
	_autofree_ char *temp = NULL;
	_autoclose_ int fd = -1;
	const char *slash = strrchr(path, '/');
	int dir = slash ? (int)(slash + 1 - path) : 0;
	int r;

	/* As an open for writing would: a read-only file is not replaced behind its back. */
	if (old && access(path, W_OK) < 0)
		return -errno;
	if (asprintf(&temp, "%.*s.abibase-XXXXXX", dir, path) < 0) {
		temp = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = write_and_sync(&fd, text, old);
	if (r == 0 && rename(temp, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temp);
	return r;
}

static int write_file(const char *path, const char *text)
{
	_autofree_ char *target = NULL;
	struct stat st;
	bool exists = stat(path, &st) == 0;

	if (!exists && errno != ENOENT)
		return -errno;
	if (exists && S_ISDIR(st.st_mode))
		return -EISDIR;
	if (exists && !S_ISREG(st.st_mode))
		return write_in_place(path, text);
	if (!exists && lstat(path, &st) < 0)
		return replace_file(path, text, NULL);
	/* The file behind a symbolic link is replaced, not the link; one that dangles is refused. */
	target = realpath(path, NULL);
	return target ? replace_file(target, text, &st) : -errno;
}

void cli_put(FILE *to, const char *text)
{
	cli_end_step();
	note_write(to, fputs(text, to));
}

int cli_print(FILE *to, const char *text)
{
	_autofree_ char *copy = strdup(text);

	if (!copy)
		return cli_oom();
	text_harmless(copy, "\n");
	cli_put(to, copy);
	return 0;
}

bool cli_is_terminal(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && isatty(fd);
}

/* A document is what it is, unless a person looks at it. cli_close_stdout() tells of trouble. */
static int print(const char *text)
{
	if (*text != '{' || cli_is_terminal(STDOUT_FILENO))
		return cli_print(stdout, text);
	cli_put(stdout, text);
	return 0;
}

int cli_write(const char *path, const char *text)
{
	int r;

	if (!path || streq(path, "-"))
		return print(text);
	r = write_file(path, text);
	return r < 0 ? cli_error("%s: %s [io-error]", path, strerror(-r)) : 0;
}

int cli_load(struct abibase_context *ctx, const char *operand, struct abibase_profile **ret_profile,
	     struct abibase_baseline **ret_baseline)
{
	int r = abibase_operand_load(ctx, operand, ret_profile, ret_baseline);

	if (r < 0)
		return cli_context_error(ctx, r);
	if (!*ret_profile && !*ret_baseline)
		return cli_error("%s: is a build record; wanted: \"abibase-profile/1\" or "
				 "\"abibase-baseline/1\" [schema-other]",
				 operand);
	return 0;
}

int cli_load_profile(struct abibase_context *ctx, const char *operand,
		     struct abibase_profile **ret)
{
	_unref_(baseline) *b = NULL;
	int r = abibase_operand_load(ctx, operand, ret, &b);

	if (r < 0)
		return cli_context_error(ctx, r);
	if (!*ret)
		return cli_error("%s: is a %s, not a profile [schema-other]", operand,
				 b ? "baseline" : "build record");
	return 0;
}

int cli_load_baseline(struct abibase_context *ctx, const char *operand,
		      struct abibase_baseline **ret)
{
	_unref_(profile) *p = NULL;
	int r = cli_load(ctx, operand, &p, ret);

	return p ? cli_no_baseline(operand) : r;
}

int cli_check_promise(const struct abibase_baseline *b, const char *operand)
{
	return abibase_baseline_id(b) ? 0 :
					cli_error("%s: this baseline promises nothing: its hosts could not "
						  "share one [baseline-not-yes]",
						  operand);
}

int cli_no_baseline(const char *operand)
{
	return cli_error("%s: is a profile; a baseline was wanted, as abibase intersect --json makes "
			 "it [schema-other]",
			 operand);
}

/* ------------------------------------------------------------------------ directories */

static int is_document(const struct dirent *d)
{
	return d->d_name[0] != '.' && ends_with(d->d_name, ".json");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int cli_documents(const char *dir, struct strings *ret)
{
	struct dirent **found = NULL;
	int n = scandir(dir, &found, is_document, by_bytes), r = n < 0 ? -errno : 0;

	for (int i = 0; i < n; i++) {
		_buf_ path = { 0 };

		buf_printf(&path, "%s%s%s", dir, ends_with(dir, "/") ? "" : "/", found[i]->d_name);
		if (r == 0)
			r = buf_failed(&path) ? -ENOMEM : strings_add(ret, path.data);
		free(found[i]);
	}
	free(found);
	return r;
}
