/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a rehearsal, and as the head of one: what is accepted is held against a line and a
 * CPU. */
#include <string.h>

#include <abibase/abibase.h>

#include "base/context.h"
#include "fuzz.h"
#include "live/rehearse.h"

static struct abibase_context *ctx;
static json_t *table;

static void compare(const json_t *head)
{
	static const char *const argv[] = { "-M",      "pc-q35-7.2",	 "-m", "1G",
					    "-device", "virtio-net-pci", NULL };
	struct rehearsed out = { .findings.arena = &out.arena,
				 .replaced = json_array(),
				 .source.qemu = "qemu",
				 .saved = true };
	struct rehearse_line line = { .ctx = ctx, .table = table, .means.no_taps = true };
	struct rehearse_half half = { .qemu = "qemu" };
	struct rehearse_comparison c = {
		.out = &out, .source = head, .line = &line, .half = &half
	};
	char *text = NULL;
	json_t *root;

	half.cpus = json_pack("[{s[] s[] s{si ss} si}]", "features", "filtered", "properties", "level", 1,
			      "vendor", "x", "vcpus", 2);
	half.properties = json_pack("{s{s[s]}}", "VGA", "xres", "1280");
	half.machine = strdup("pc-q35-10.0");
	MUST(half.cpus && half.properties && half.machine && rehearse_line_parse(&line, argv) == 0);
	rehearse_compare_lines(&c);
	rehearse_compare_cpus(&c);
	rehearse_compare_host(&c);
	json_decref(line.declared); /* lines that are the same */
	line.declared = json_incref(json_object_get(head, "declared"));
	rehearse_compare_properties(&c);
	root = rehearsed_document(&out);
	MUST(root && rehearsed_show(root, 0, &text) == 0 && text && !out.arena.failed);
	json_decref(root);
	/* of hosts that are equal nothing is said; this line is no head's */
	MUST(out.findings.n > 0 || json_array_size(json_object_get(head, "declared")) > 0);
	free(text);
	json_decref(out.replaced);
	arena_clear(&out.arena);
	rehearse_half_clear(&half);
	rehearse_line_clear(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rehearsal r = { 0 };
	json_t *head = NULL;

	if (!ctx) {
		MUST(abibase_context_new(0, &ctx) == 0);
		MUST(data_load(ctx, &rehearse_form, &table) == 0);
	}
	if (rehearsal_from_buffer(ctx, (const char *)data, size, "input", &r) < 0)
		MUST(abibase_context_error(ctx) && abibase_context_error_id(ctx));
	rehearsal_clear(&r);
	if (rehearsal_head(ctx, (const char *)data, size, "input", &head) < 0) {
		MUST(abibase_context_error(ctx) && abibase_context_error_id(ctx));
		return 0;
	}
	compare(head);
	json_decref(head);
	return 0;
}
