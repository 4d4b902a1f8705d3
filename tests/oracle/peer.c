/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * peer --listen SOCKET MACHINE VERSION PACKAGE: listens where a QEMU's monitor would, and answers one
 * client as that QEMU does, with that machine type. What it is told goes to stdout.
 *
 * Started in any other way it says so in a file beside itself: nobody has a reason to start it.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int was_started(void)
{
	char path[PATH_MAX + 16];
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);

	if (n < 0)
		return 1;
	strcpy(path + n, ".started");
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
	return 1;
}

static const char *answer(const char *line, const char *machine)
{
	static char text[1024];

	if (strstr(line, "qom-get")) {
		snprintf(text, sizeof(text), "{\"return\": \"%s-machine\"}\n", machine);
		return text;
	}
	if (strstr(line, "query-commands"))
		return "{\"return\": [{\"name\": \"x-query-virtio\"}, {\"name\": "
		       "\"x-query-virtio-status\"}, {\"name\": \"x-query-virtio-queue-status\"}]}\n";
	if (strstr(line, "query-target"))
		return "{\"return\": {\"arch\": \"x86_64\"}}\n";
	if (strstr(line, "query-name"))
		return "{\"return\": {\"name\": \"vm7\"}}\n";
	if (strstr(line, "qmp_capabilities"))
		return "{\"return\": {}}\n";
	return "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\n";
}

static int serve(int fd, const char *machine, const char *version, const char *package)
{
	int numbers[3] = { 0 };
	FILE *in = fdopen(fd, "r");
	char line[4096];

	sscanf(version, "%d.%d.%d", &numbers[0], &numbers[1], &numbers[2]);
	snprintf(line, sizeof(line),
		 "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": %d, \"minor\": %d, \"major\": %d}, "
		 "\"package\": \"%s\"}, \"capabilities\": []}}\n",
		 numbers[2], numbers[1], numbers[0], package);
	if (!in || write(fd, line, strlen(line)) < 0)
		return 1;
	while (fgets(line, sizeof(line), in)) {
		const char *s = answer(line, machine);

		fputs(line, stdout);
		fflush(stdout);
		if (write(fd, s, strlen(s)) < 0)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int s, fd;

	if (argc != 6 || strcmp(argv[1], "--listen") != 0)
		return was_started();
	if (strlen(argv[2]) >= sizeof(addr.sun_path))
		return 1;
	strcpy(addr.sun_path, argv[2]);
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s < 0 || bind(s, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(s, 1) < 0)
		return 1;
	alarm(60);
	fd = accept4(s, NULL, NULL, SOCK_CLOEXEC);
	return fd < 0 ? 1 : serve(fd, argv[3], argv[4], argv[5]);
}
