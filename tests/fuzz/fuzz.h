/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_TESTS_FUZZ_H
#define ABIBASE_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* What libFuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input: a crash is what a fuzzer sees. */
#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

#endif
