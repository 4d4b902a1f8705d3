/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The first process of the real guest in a lab VM, see real-guest: say "guest: ready", and ten seconds
 * later load the modules of /modules, in the order of their names: nothing has touched the network
 * device before. Then give eth0 an address, and send a datagram to the host five times a second:
 *
 *   COUNTER FEATURES ANSWERS
 *
 * COUNTER goes up by one each time; FEATURES is what the driver and the device have agreed upon,
 * as sysfs has it (a digit a bit, bit 0 first); ANSWERS counts what came back.
 */

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ADDRESS "192.0.2.2"
#define HOST "192.0.2.1"
#define PORT 7777

static void complain(const char *what)
{
	printf("guest: %s: %s\n", what, strerror(errno));
}

static void mount_at(const char *type, const char *where)
{
	mkdir(where, 0755);
	if (mount(type, where, type, 0, NULL) < 0 && errno != EBUSY)
		complain(where);
}

static void load_modules(void)
{
	struct dirent **list;
	int n = scandir("/modules", &list, NULL, alphasort);
	char path[300];

	for (int i = 0; i < n; i++) {
		int fd;

		if (list[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/modules/%s", list[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
			complain(path);
		close(fd);
	}
}

static int set_address(int fd)
{
	struct ifreq ifr = { .ifr_addr.sa_family = AF_INET };
	struct sockaddr_in *sin = (struct sockaddr_in *)&ifr.ifr_addr;

	strcpy(ifr.ifr_name, "eth0");
	inet_pton(AF_INET, ADDRESS, &sin->sin_addr);
	if (ioctl(fd, SIOCSIFADDR, &ifr) < 0)
		return -1;
	inet_pton(AF_INET, "255.255.255.0", &sin->sin_addr);
	if (ioctl(fd, SIOCSIFNETMASK, &ifr) < 0 || ioctl(fd, SIOCGIFFLAGS, &ifr) < 0)
		return -1;
	ifr.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &ifr);
}

static void read_features(char *ret, size_t size)
{
	FILE *f = fopen("/sys/class/net/eth0/device/features", "re");

	if (!f || !fgets(ret, (int)size, f))
		complain("features");
	if (f)
		fclose(f);
	ret[strcspn(ret, "\n")] = '\0';
}

static void count(int fd)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	char features[256] = "", text[512], answer[512];
	unsigned long counter = 0, answers = 0;

	inet_pton(AF_INET, HOST, &to.sin_addr);
	read_features(features, sizeof(features));
	for (;;) {
		int len = snprintf(text, sizeof(text), "%lu %s %lu", ++counter, features, answers);

		sendto(fd, text, (size_t)len, 0, (const struct sockaddr *)&to, sizeof(to));
		nanosleep(&pause, NULL);
		while (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
			answers++;
	}
}

int main(void)
{
	int fd;

	setvbuf(stdout, NULL, _IONBF, 0);
	mount_at("proc", "/proc");
	mount_at("sysfs", "/sys");
	mount_at("devtmpfs", "/dev");
	puts("guest: ready");
	sleep(10);
	load_modules();
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || set_address(fd) < 0)
		complain("eth0");
	count(fd);
}
