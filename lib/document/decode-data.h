/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_DECODE_DATA_H
#define ABIBASE_DECODE_DATA_H

/* The data that messages are decoded with: data/devices.json and data/messages.json. */

#include <stdint.h>

#include "document/json.h"

struct abibase_context;

#define MAX_CAPTURES 6
#define MAX_PIECES (2 * MAX_CAPTURES + 1)
#define FEATURE_BITS 128u

enum capture_type {
	CAPTURE_NONE, /* a literal */
	CAPTURE_HEX,  /* hex digits, with 0x or without */
	CAPTURE_INT,  /* digits */
	CAPTURE_KEY,  /* letters, digits, . _ - : class.property */
	CAPTURE_WORD, /* no blank */
	CAPTURE_TEXT, /* anything up to the next literal */
	CAPTURE_REST, /* anything up to the end of the line */
};

/* "Bad config data: i={offset:hex} read: ": literals and captures in turn. */
struct piece {
	enum capture_type type;
	const char *text; /* the literal, or the name of the capture; into the document */
	size_t len;
};

enum message_kind {
	MESSAGE_FEATURES, /* two feature masks */
	MESSAGE_WORD,	  /* a feature word */
	MESSAGE_ECHO,	  /* says where a load ended, and not why */
	MESSAGE_CAUSE,
};

/* QEMU leaves a load from the inside to the outside, with a line at each of these places. */
enum echo_place { PLACE_FIELD, PLACE_SECTION, PLACE_END };

struct message {
	const json_t *row;
	enum message_kind kind;
	enum echo_place place;
	bool named_later; /* the lines after it, or before it, say which device it is about */
	bool whole;	  /* the pattern is all of the line, or of what stands before a comma */
	struct piece pieces[MAX_PIECES];
	size_t n_pieces;
};

/* What is found at one place of a line. */
struct span {
	const char *text;
	size_t len;
};

struct decode_data {
	json_t *devices, *messages; /* the documents */
	struct message *message;
	size_t n_messages;
};

/* Read data/devices.json and data/messages.json. Sets the error of @ctx. */
int decode_data_load(struct abibase_context *ctx, struct decode_data *data) _must_check_;
void decode_data_clear(struct decode_data *data);

/*
 * The device class that goes by @name: "net", "virtio-net", "virtio-net-pci", or the name of its
 * state in a stream ("virtio-vhost_vsock"). Returns its key in the document, or NULL; @ret_class
 * gets the class of QEMU on which properties are set.
 */
const char *decode_device(const struct decode_data *data, const char *name, size_t len,
			  const char **ret_class);
/* The same of a path in a log, where "serial" is the port of a PC and no virtio-serial. */
const char *decode_device_in(const struct decode_data *data, const char *path,
			     const char **ret_class);
const json_t *decode_device_row(const struct decode_data *data, const char *device);
/* What follows the last slash: "0000:00:02.0/virtio-net" is a virtio-net. */
const char *decode_base(const char *path);
/* The row of the kind of device that @path is, as a log has it; NULL: none fits. */
const json_t *decode_family(const struct decode_data *data, const char *path);
/* Is one of @globs, a list, or no list at all, the name of the device? NULL goes by "-". */
bool decode_is_one_of(const json_t *globs, const char *name);

/* The capture of that name in a pattern, or -1. */
int message_capture(const struct message *m, const char *name);

extern const struct form messages_form;
extern const struct form devices_form;

#endif
