/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as the result of a rehearsal. What is accepted is held against guests, is shown, and is read
 * again. */
#include <string.h>

#include <abibase/abibase.h>

#include "base/context.h"
#include "document/rehearsals.h"
#include "fuzz.h"
#include "live/rehearse.h"

static struct abibase_context *ctx;
static const json_t *specimens;
static struct abibase_guest *guest;

static void begin(void)
{
	static const char text[] =
		"{\"schema\": \"abibase-guest/1\", \"machine\": \"pc-q35-10.0\", \"devices\": ["
		"{\"class\": \"virtio-blk-device\"}, {\"class\": \"virtio-vga\"}, "
		"{\"class\": \"nvme\"}, {\"class\": \"nobody\"}]}";

	MUST(abibase_context_new(0, &ctx) == 0 && specimens_load(ctx, &specimens) == 0);
	MUST(abibase_guest_from_buffer(ctx, text, strlen(text), "guest", &guest) == 0);
}

/* What goes to a terminal is harmless there, whatever a result says. */
static void check_text(const char *text)
{
	for (; *text; text++)
		MUST(*text == '\n' || ((unsigned char)*text >= 0x20 && *text != 0x7f));
}

/* Of the devices of @r: one that fails is told, and each has one fate. */
static void check_devices(struct rehearsed_devices *r)
{
	_buf_ words = { 0 };
	size_t i;
	json_t *v;

	rehearsed_write(r, &words);
	MUST(!buf_failed(&words) && (words.len > 0) == rehearsed_fails(r));
	if (words.len)
		check_text(words.data);
	json_array_foreach(r->names[REHEARSED_LOADS], i, v)
		for (size_t how = REHEARSED_REFUSED; how < N_REHEARSED; how++)
			MUST(!json_has(r->names[how], json_string_value(v)));
	rehearsed_devices_clear(r);
}

static void ask(const struct rehearsal_result *r)
{
	struct rehearsed_devices devices;

	for (size_t i = 0; i < r->n_machines; i++) {
		const struct result_machine *m = rehearsal_result_machine(r, r->machines[i].name);
		const char *name, *said;
		json_t *v;

		MUST(m == &r->machines[i]);
		json_object_foreach((json_t *)specimens, name, v)
			MUST((rehearsed_how(m, name, &said) > REHEARSED_LOADS) == (said != NULL));
		MUST(rehearsed_of_guest(specimens, m, NULL, guest, &devices) == 0);
		check_devices(&devices);
		MUST(rehearsed_of_all(m, &devices) == 0);
		check_devices(&devices);
	}
}

static void show(json_t *root)
{
	_buf_ written = { 0 };
	char *text = NULL;
	json_t *again;

	MUST(specimen_show(root, 80, &text) == 0 && text);
	check_text(text);
	/* the one word of the verdict, and what it hangs on, agree */
	MUST(strncmp(text, specimen_fails(root) ? "no: " : "yes: ", 4) == 0);
	free(text);
	json_write_canonical(&written, root);
	MUST(!buf_failed(&written));
	if (written.len <= JSON_MAX_RESULT) {
		MUST(json_parse(ctx, written.data, written.len, JSON_MAX_RESULT, "written",
				&again) == 0);
		MUST(json_equal(again, root));
		json_decref(again);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rehearsal_result r = { 0 };
	json_t *root;

	if (!ctx)
		begin();
	if (json_parse(ctx, (const char *)data, size, JSON_MAX_RESULT, "input", &root) < 0 ||
	    document_check(ctx, root, "input", &rehearsal_result_form) < 0) {
		MUST(abibase_context_error(ctx) && abibase_context_error_id(ctx));
		return 0;
	}
	MUST(rehearsal_result_take(&r, root) == 0);
	ask(&r);
	show(root);
	rehearsal_result_clear(&r);
	return 0;
}
