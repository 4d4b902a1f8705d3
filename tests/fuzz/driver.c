/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * usage: fuzz-TARGET FILE...
 *
 * Runs a fuzz target once over each file, where there is no libFuzzer; or with afl-fuzz and "@@".
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rbe");
	uint8_t *data = NULL;
	size_t len = 0, size = 0, n;

	if (!f) {
		perror(path);
		return -1;
	}
	do {
		uint8_t *more = realloc(data, size + 65536);

		if (!more)
			abort();
		data = more;
		size += 65536;
		n = fread(data + len, 1, size - len, f);
		len += n;
	} while (n > 0);
	fclose(f);
	/* just as long as the text: a byte read too far is seen by a sanitizer */
	if (len)
		data = realloc(data, len);
	LLVMFuzzerTestOneInput(data, len);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= run_file(argv[i]);
	printf("%d inputs\n", argc - 1);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
