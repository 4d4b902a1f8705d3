/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_VERIFY_H
#define ABIBASE_VERIFY_H

#include "answer/check.h"
#include "qemu/throwaway.h"

/* The layer of what an option of the command line does. */
#define LAYER_COMMAND "command line"

/* A finding that is about all devices. */
#define NO_DEVICE ((size_t)-1)

struct verify_device {
	const char *name, *driver, *backend;
	bool seen, stated;
	enum abibase_verdict verdict;
	struct qtest_device dev; /* but for what only a legacy device has */
	uint64_t want[2];
};

/* Everything that was found: for people, and as a document. */
struct verification {
	struct arena arena;
	enum abibase_verdict verdict;
	const char *baseline, *qemu, *machine;
	struct verify_device *devices;
	size_t n_devices;
	struct findings findings;
	const char **left_out;
	size_t n_left_out;
	json_t *scope;
};

/* verify-show.c: NULL for want of memory; and what makes text of it */
json_t *verification_document(const struct verification *vf);
int verification_show(const json_t *root, size_t width, char **ret);

/* How long the QEMU may take, instead of the usual. */
void verify_set_timeout(struct abibase_verify *v, int timeout_ms);

#endif
