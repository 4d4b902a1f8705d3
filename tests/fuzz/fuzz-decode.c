/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a log: the first one chooses whether a device class is given. */
#include <string.h>

#include <abibase/abibase.h>

#include "answer/decode.h"
#include "document/result.h"
#include "fuzz.h"

static struct abibase_context *ctx;
static struct abibase_catalogue *cat;
static struct decode_data data_files; /* read once: the logs are what is tried out */

static void check_finding(const struct abibase_value *f)
{
	const struct abibase_value *globals = abibase_value_member(f, "globals");

	MUST(abibase_value_string(abibase_value_member(f, "id")));
	MUST(abibase_value_integer(abibase_value_member(f, "line")) >= 1);
	for (size_t k = 0; k < abibase_value_count(globals); k++)
		MUST(strchr(abibase_value_string(abibase_value_item(globals, k)), '='));
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
	struct abibase_result *d = NULL;
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
	MUST(abibase_result_to_text(d, 0, &text) == 0 && abibase_value_to_json(abibase_result_value(d), &json) == 0);
	check_printable(text);
	for (size_t i = 0; i < result_finding_count(d); i++)
		check_finding(abibase_result_finding(d, i));
	MUST((abibase_result_verdict(d) == ABIBASE_VERDICT_YES) == (strncmp(text, "no: ", 4) != 0));
	free(text);
	free(json);
	abibase_result_unref(d);
	return 0;
}
