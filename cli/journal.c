/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "journal.h"

#include "base/harmless.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

/*
 * In the journal's own protocol, a datagram of lines FIELD=value; else in syslog's, all in one line. Both
 * sockets can be closed to a process in a sandbox: then nobody is told, and the guest starts all the same.
 */

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SYSLOG_SOCKET "/dev/log"
#define VARIABLE "ABIBASE_JOURNAL" /* "JOURNAL:SYSLOG": these instead; empty: none */
#define WAIT_MS 200		   /* for room in a socket, at most */
#define MESSAGE_MAX 2000	   /* bytes; the longest that every syslog takes is 2048 */
#define GUEST_LINE_ID "f8c6e2a47d0b4b0c9d8e3b6f5a1c2d74"

static const char *const verdicts[] = { "started", "warned", "refused" };
static const int priorities[] = { LOG_INFO, LOG_WARNING, LOG_ERR };

/* -------------------------------------------------------------------------- words */

/* Each id once: what stands in brackets at the end of a line. */
static void write_reasons(const char *words, struct buf *out)
{
	struct strings seen = { 0 };

	for (const char *line = words; *line;) {
		size_t len = strcspn(line, "\n"), from = len;
		_autofree_ char *id = NULL;

		while (from && line[from - 1] != '[')
			from--;
		if (from && line[len - 1] == ']')
			id = strndup(line + from, len - from - 1);
		/* those say that there was a reason */
		if (id && !streq(id, "exec-refused") && !streq(id, "exec-warned") &&
		    !strings_have(&seen, id) && strings_insert(&seen, id) == 0)
			buf_printf(out, "%s%s", out->len ? "," : "", id);
		line += len + (line[len] == '\n');
	}
	strings_clear(&seen);
}

/* "vm: refused: ...", in one line */
static void write_message(const struct journal_line *l, struct buf *out)
{
	const char *p = l->words;

	buf_puts(out, l->name ? l->name : l->uuid ? l->uuid : "a guest");
	buf_printf(out, ": %s", l->verdict == GUEST_WARNED ? "started all the same" :
							     verdicts[l->verdict]);
	if (l->baseline && *l->baseline)
		buf_printf(out, " under %s", l->baseline);
	for (; *p && out->len < MESSAGE_MAX; p += strspn(p, "\n")) {
		size_t len;

		p += strprefix(p, "abibase: ") ? strlen("abibase: ") : 0;
		len = strcspn(p, "\n");
		buf_puts(out, "; ");
		buf_add(out, p, len < MESSAGE_MAX ? len : MESSAGE_MAX);
		p += len;
	}
}

/* How a field is written: what stands before it, around its value, and behind it. */
struct style {
	const char *before, *quote, *after;
};
static const struct style native = { "", "", "\n" }, syslog_words = { " ", "\"", "" };

/* What could end a value, or forge another field, is made harmless. */
static void write_field(struct buf *out, const struct style *style, const char *key,
			const char *value)
{
	_autofree_ char *copy = strdup(value ? value : "");

	if (!copy)
		return;
	text_harmless(copy, "");
	for (char *p = copy; *style->quote && (p = strchr(p, '"')); p++)
		*p = '\'';
	buf_printf(out, "%s%s=%s%s%s%s", style->before, key, style->quote, copy, style->quote,
		   style->after);
}

static void write_fields(struct buf *out, const struct style *style, const struct journal_line *l)
{
	_buf_ reasons = { 0 };

	write_reasons(l->words, &reasons);
	write_field(out, style, "ABIBASE_VERDICT", verdicts[l->verdict]);
	write_field(out, style, "ABIBASE_GUEST", l->name);
	write_field(out, style, "ABIBASE_UUID", l->uuid);
	write_field(out, style, "ABIBASE_MACHINE", l->machine);
	write_field(out, style, "ABIBASE_BASELINE", l->baseline);
	write_field(out, style, "ABIBASE_HOST", l->host);
	write_field(out, style, "ABIBASE_QEMU", l->qemu);
	write_field(out, style, "ABIBASE_REASON", buf_failed(&reasons) ? NULL : reasons.data);
}

/* ------------------------------------------------------------------------- sockets */

static int send_to(const char *path, const struct buf *text)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	_autoclose_ int fd = -1;
	struct pollfd p = { .events = POLLOUT };

	if (buf_failed(text) || strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	p.fd = fd;
	for (int i = 0; send(fd, text->data, text->len, MSG_NOSIGNAL) < 0; i++)
		if (errno != EAGAIN || i || poll(&p, 1, WAIT_MS) <= 0)
			return -EAGAIN;
	return 0;
}

static int send_native(const struct journal_line *l, const char *message, const char *path)
{
	_buf_ text = { 0 };

	write_field(&text, &native, "MESSAGE", message);
	buf_puts(&text, "MESSAGE_ID=" GUEST_LINE_ID "\nSYSLOG_IDENTIFIER=abibase\n");
	buf_printf(&text, "PRIORITY=%d\n", priorities[l->verdict]);
	write_fields(&text, &native, l);
	return send_to(path, &text);
}

static int send_syslog(const struct journal_line *l, const char *message, const char *path)
{
	_buf_ text = { 0 };

	buf_printf(&text, "<%d>abibase[%d]:", LOG_DAEMON | priorities[l->verdict], (int)getpid());
	write_fields(&text, &syslog_words, l);
	write_field(&text, &syslog_words, "MESSAGE", message);
	return send_to(path, &text);
}

void journal_send(const struct journal_line *l)
{
	const char *said = secure_getenv(VARIABLE);
	_autofree_ char *paths = strdup(said ? said : JOURNAL_SOCKET ":" SYSLOG_SOCKET);
	char *second = paths, *first = paths ? strsep(&second, ":") : NULL;
	_buf_ message = { 0 };

	write_message(l, &message);
	if (!first || buf_failed(&message))
		return;
	if (*first && send_native(l, message.data, first) == 0)
		return;
	if (second && *second)
		(void)send_syslog(l, message.data, second);
}
