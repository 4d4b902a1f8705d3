/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <errno.h>
#include <unistd.h>

#define MAX_TEXT (16u << 20) /* one byte more is read, and the library says that it is too much */

static int add_stdin(FILE *text)
{
	char part[16384];
	size_t len = 0;

	while (len <= MAX_TEXT) {
		ssize_t n = TEMP_FAILURE_RETRY(read(STDIN_FILENO, part, sizeof(part)));

		if (n < 0)
			return cli_error("standard input: cannot read: %s [io-error]",
					 strerror(errno));
		if (n == 0)
			break;
		fwrite(part, 1, (size_t)n, text);
		len += (size_t)n;
	}
	return 0;
}

/* Each operand is a text, and at least a line of its own. */
static int add_operands(FILE *text, char **operands, int n)
{
	for (int i = 0; i < n; i++) {
		if (streq(operands[i], "-")) {
			if (add_stdin(text) != 0)
				return STATUS_TROUBLE;
		} else {
			fputs(operands[i], text);
		}
		if (i + 1 < n)
			fputc('\n', text);
	}
	return 0;
}

/* All that is to be decoded, for free(). */
static int gather(char **operands, int n, char **ret, size_t *ret_len)
{
	FILE *text = open_memstream(ret, ret_len);
	int r;
	bool failed;

	if (!text)
		return cli_error("%s", strerror(errno));
	r = n ? add_operands(text, operands, n) : add_stdin(text);
	failed = ferror(text);
	if (fclose(text) != 0 || failed)
		return cli_error("%s", strerror(ENOMEM));
	return r;
}

/* @file: the only text, where that is the name of a file; or NULL */
static int print(const struct abibase_result *res, const struct options *o, const char *file)
{
	if (abibase_result_verdict(res) != ABIBASE_VERDICT_YES && o->verbose >= 0 && file)
		cli_error("%s is taken for a text; to read the file: abibase decode < %s", file, file);
	return cli_answer(res, o);
}

static int decode(const struct options *o)
{
	int n = o->n_operands;
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(result) *res = NULL;
	_autofree_ char *text = NULL;
	size_t len;
	int r;

	if (cli_begin(o->verbose, &ctx, &cat) != 0 || gather(o->operands, n, &text, &len) != 0)
		return STATUS_TROUBLE;
	r = abibase_decode(ctx, cat, text, len, options_arg(o, OPT_DEVICE), &res);
	if (r < 0)
		return cli_context_error(ctx, r);
	return print(res, o, n == 1 && access(o->operands[0], F_OK) == 0 ? o->operands[0] : NULL);
}

static int run(const struct options *o)
{
	for (int i = 0, n = 0; i < o->n_operands; i++)
		if (streq(o->operands[i], "-") && n++)
			return cli_usage("decode", "standard input can be read only once");
	return decode(o);
}

const struct command command_decode = {
	.verb = VERB_DECODE,
	.name = "decode",
	.run = run,
	.summary = "say what an error of QEMU means",
	.usage = "[OPTION]... [TEXT]...\n",
	.most = MANY,
	.about = "Say what the messages of QEMU and libvirt about a failed migration mean: "
		"each TEXT, or a whole log on standard input (no TEXT, or -), at most 16 "
		"MiB. What is not known is left out.\n",
	.status = "Exit status: 0 something was decoded; 1 nothing known is in the text; 2 "
		"trouble.\n",
};
