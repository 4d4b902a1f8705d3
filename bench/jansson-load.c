/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The floor of the benchmark: jansson reads the files and nothing is done with them; or it writes
 * them, too; or they are read, and not even that. The files are named in a list, each name ended by a
 * NUL, as `abibase intersect --files0-from` takes it.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

static int load(const char *path, bool dump)
{
	char *text = NULL;
	json_error_t e;
	json_t *root = json_load_file(path, 0, &e);

	if (!root) {
		fprintf(stderr, "jansson-load: %s:%d: %s\n", path, e.line, e.text);
		return -1;
	}
	if (dump)
		text = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);
	json_decref(root);
	free(text);
	return dump && !text ? -1 : 0;
}

static int read_only(const char *path)
{
	static char bytes[1 << 16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	while (fd >= 0 && n > 0)
		n = read(fd, bytes, sizeof(bytes));
	if (fd < 0 || n < 0 || close(fd) < 0) {
		perror(path);
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	bool dump = argc == 3 && strcmp(argv[2], "dump") == 0;
	bool bare = argc == 3 && strcmp(argv[2], "read") == 0;
	FILE *list = argc == 2 + (dump || bare) ? fopen(argv[1], "re") : NULL;
	char *path = NULL;
	size_t size = 0;
	int status = 0;

	if (!list) {
		fprintf(stderr, "usage: jansson-load LIST [dump | read]\n");
		return 2;
	}
	while (status == 0 && getdelim(&path, &size, '\0', list) > 0)
		if ((bare ? read_only(path) : load(path, dump)) < 0)
			status = 2;
	free(path);
	fclose(list);
	return status;
}
