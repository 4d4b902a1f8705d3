/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/context.h"
#include "answer/decode.h"
#include "document/guest.h"
#include "live/guest.h"

/* A guest as a person names it: a document, a feature word, a log, the QMP socket of its QEMU. */

#define LOG_MAX (16u << 20) /* as decode reads */
#define QMP_PREFIX "qmp:"

static bool is_file(const char *operand)
{
	return streq(operand, "-") || strchr(operand, '/') || ends_with(operand, ".json") ||
	       ends_with(operand, ".log") || ends_with(operand, ".txt");
}

/* ------------------------------------------------------------------------- a log */

/* The last line of masks: a log may go over many attempts. */
static const json_t *last_masks(const json_t *root)
{
	const json_t *found = NULL;
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(root, "findings"), i, v)
		if (json_object_get(v, "guest"))
			found = v;
	return found;
}

static int from_masks(struct abibase_context *ctx, const json_t *masks, const char *source,
		      struct abibase_guest **ret)
{
	const char *class_name = string_of(masks, "class");
	_buf_ where = { 0 };

	buf_printf(&where, "%s:%" JSON_INTEGER_FORMAT, source,
		   json_integer_value(json_object_get(masks, "line")));
	if (buf_failed(&where))
		return context_oom(ctx);
	if (json_is_true(json_object_get(masks, "already_masked")))
		return context_fail(ctx, ENODATA, "guest-masked", where.data,
				    "the first mask is not what the guest negotiated: QEMU from 10.2 on "
				    "takes what it does not allow out of it before it prints it. Give "
				    "the QMP socket of the source QEMU (qmp:SOCKET), or its word from "
				    "the guest: /sys/bus/virtio/devices/*/features in Linux");
	if (!class_name)
		return context_fail(ctx, EINVAL, "not-a-guest", where.data,
				    "no line says of which class of device these masks are: say it "
				    "with --device");
	return guest_from_word(ctx, string_of(masks, "guest"), class_name, ret);
}

static int from_log(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		    const char *text, size_t len, const char *source, const char *device,
		    struct abibase_guest **ret)
{
	struct abibase_result *d;
	const json_t *masks;
	int r = abibase_decode(ctx, cat, text, len, device, &d);

	if (r < 0)
		return r;
	masks = last_masks(d->root);
	if (masks)
		r = from_masks(ctx, masks, source, ret);
	else
		r = context_fail(ctx, EINVAL, "not-a-guest", source,
				 "is neither an abibase-guest/1 document nor a log with QEMU's line "
				 "\"Features 0x... unsupported\"");
	abibase_result_unref(d);
	return r;
}

/* ------------------------------------------------------------------------- a file */

static int from_file(struct abibase_context *ctx, const struct abibase_catalogue *cat,
		     const char *path, const char *device, struct abibase_guest **ret)
{
	const char *source = streq(path, "-") ? "standard input" : path;
	_autofree_ char *text = NULL;
	size_t len, start;
	int r = file_read(ctx, path, LOG_MAX, &text, &len);

	if (r < 0)
		return r;
	start = strspn(text, " \t\r\n");
	if (text[start] == '{')
		return abibase_guest_from_buffer(ctx, text, len, source, ret);
	return from_log(ctx, cat, text, len, source, device, ret);
}

static int from_word(struct abibase_context *ctx, const char *word, const char *device,
		     struct abibase_guest **ret)
{
	struct decode_data data = { 0 };
	const char *class_name = NULL;
	int r;

	if (!device)
		return guest_from_word(ctx, word, NULL, ret);
	r = decode_data_load(ctx, &data);
	if (r < 0)
		return r;
	if (decode_device(&data, device, strlen(device), &class_name) && class_name)
		r = guest_from_word(ctx, word, class_name, ret);
	else
		r = context_fail(ctx, EINVAL, "device-not-known", NULL,
				 "'%s' is not a device class; abibase decode --device lists them",
				 device);
	decode_data_clear(&data);
	return r;
}

ABIBASE_EXPORT int abibase_guest_load(struct abibase_context *ctx, struct abibase_catalogue *cat,
				      const char *operand, const char *device,
				      const char *qemu, struct abibase_guest **ret)
{
	uint64_t word[2];

	if (strprefix(operand, QMP_PREFIX))
		return guest_from_qmp(ctx, cat, operand + strlen(QMP_PREFIX), qemu, 0,
				      ret);
	if (is_file(operand))
		return from_file(ctx, cat, operand, device, ret);
	if (strprefix(operand, "0x") && word_parse(operand, word))
		return from_word(ctx, operand, device, ret);
	return context_fail(ctx, EINVAL, "not-a-guest", NULL,
			    "\"%s\" is no guest: give a file (a name with a slash, or ending in .json, "
			    ".log or .txt), a feature word that begins with 0x, or qmp:SOCKET",
			    operand);
}
