/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a log: the first one chooses whether a device class is given. */
#include <string.h>

#include <abibase/abibase.h>

#include "answer/decode.h"
#include "fuzz.h"

static struct abibase_context *ctx;
static struct abibase_catalogue *cat;
static struct decode_data data_files; /* read once: the logs are what is tried out */

static void check_finding(const struct abibase_decode *d, size_t i)
{
	uint64_t missing[2];

	MUST(abibase_decode_id(d, i));
	MUST(abibase_decode_line(d, i) >= 1);
	abibase_decode_scope(d, i);
	abibase_decode_device(d, i);
	abibase_decode_missing(d, i, missing);
	for (size_t k = 0; k < abibase_decode_global_count(d, i); k++)
		MUST(strchr(abibase_decode_global(d, i, k), '='));
}

/* What goes to a terminal is printable, whatever the log holds. */
static void check_printable(const char *text)
{
	for (; *text; text++)
		MUST(*text == '\n' || (*text >= 0x20 && *text < 0x7f));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const devices[] = { NULL, "net", "virtio-blk", "vhost-vsock-pci" };
	struct abibase_decode *d = NULL;
	const char *device = NULL;
	char *text = NULL, *json = NULL;

	if (!ctx)
		MUST(abibase_context_new(0, &ctx) == 0 && abibase_catalogue_new(ctx, &cat) == 0 &&
		     decode_data_load(ctx, &data_files) == 0);
	if (size && data[0] < sizeof(devices) / sizeof(devices[0])) {
		device = devices[data[0]];
		data++;
		size--;
	}
	MUST(decode_with(ctx, cat, &data_files, (const char *)data, size, device, &d) == 0);
	MUST(abibase_decode_to_text(d, &text) == 0 && abibase_decode_to_json(d, &json) == 0);
	check_printable(text);
	for (size_t i = 0; i < abibase_decode_count(d); i++)
		check_finding(d, i);
	MUST((abibase_decode_verdict(d) == ABIBASE_VERDICT_YES) == (text[0] != '\0'));
	free(text);
	free(json);
	abibase_decode_unref(d);
	return 0;
}
