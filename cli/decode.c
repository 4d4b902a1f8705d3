/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <errno.h>
#include <unistd.h>

#define MAX_TEXT (16u << 20) /* one byte more is read, and the library says that it is too much */

static const struct option options[] = {
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "format", required_argument, NULL, 'f' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int add_stdin(FILE *text)
{
	char part[16384];
	size_t len = 0;

	while (len <= MAX_TEXT) {
		ssize_t n = read(STDIN_FILENO, part, sizeof(part));

		if (n < 0 && errno == EINTR)
			continue;
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
static int print(const struct abibase_result *res, const struct output *out, const char *file)
{
	if (abibase_result_verdict(res) != ABIBASE_VERDICT_YES)
		cli_error("no message that is known is in the text%s%s",
			  file ? "; to read a file: abibase decode < " : "", file ? file : "");
	return cli_answer(res, out);
}

static int decode(char **operands, int n, const char *device, const struct output *out)
{
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(result) *res = NULL;
	_autofree_ char *text = NULL;
	size_t len;
	int r;

	if (cli_context(0, &ctx) != 0)
		return STATUS_TROUBLE;
	r = gather(operands, n, &text, &len);
	if (r != 0)
		return r;
	r = abibase_catalogue_new(ctx, &cat);
	if (r == 0)
		r = abibase_decode(ctx, cat, text, len, device, &res);
	if (r < 0)
		return cli_context_error(ctx, r);
	return print(res, out, n == 1 && access(operands[0], F_OK) == 0 ? operands[0] : NULL);
}

static int run(int argc, char **argv)
{
	const char *device = NULL;
	struct output out = { 0 };
	int c, r;

	while ((c = cli_getopt(argc, argv, ":f:h", options)) != -1) {
		switch (c) {
		case OPT_DEVICE:
			device = optarg;
			break;
		default:
			r = cli_output_option(&command_decode, "text", c, &out);
			if (r)
				return r - 1;
		}
	}
	for (int i = optind, n = 0; i < argc; i++)
		if (streq(argv[i], "-") && n++)
			return cli_usage("decode", "standard input can be read only once");
	return decode(argv + optind, argc - optind, device, &out);
}

const struct command command_decode = {
	.name = "decode",
	.run = run,
	.summary = "say what an error of QEMU means",
	.help = "Usage: abibase decode [OPTION]... [TEXT]...\n"
		"\n"
		"Say what the messages of QEMU and libvirt about a failed migration mean: each TEXT,\n"
		"or a whole log on standard input (no TEXT, or -), at most 16 MiB. What is not known\n"
		"is left out.\n"
		"\n"
		"      --device=CLASS   whose feature masks they are: virtio-net, virtio-vsock,\n"
		"                       virtio-blk ...; default: what the lines around them say\n"
		"  -f, --format=FORMAT  text (default, for people) or json\n"
		"      --json           the same as --format=json\n"
		"  -h, --help           show this help and exit\n"
		"\n"
		"Exit status: 0 something was decoded; 1 nothing known is in the text; 2 trouble.\n",
};
