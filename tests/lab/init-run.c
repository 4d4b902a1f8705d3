/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The plan "run" of init: run the commands of a file on disk and leave on that disk what they said.
 *
 * Two virtio disks: the first one is the image of make-qemus, read only; the second one, an ext4
 * too, is what the host gives and gets back, mounted on /run/x:
 *
 *   /run/x/lines       what to run, a line each: NAME ROOT [N=PATH...] COMMAND [ARGUMENT...]
 *   /run/x/out/        the current directory of the commands
 *   /run/x/out/NAME.out, NAME.err    what a command wrote to stdout and to stderr
 *   /run/x/out/status  for each line: NAME, the exit status (128 + the number of the signal; 124:
 *                      killed after the time that one may take) and milliseconds
 *
 * ROOT is a directory of the image, which the command sees as /, or "-": none. Words are parted by
 * tabs, there is no quoting. N=PATH opens a file as that descriptor, for reading and
 * writing: 0 is stdin. A line that begins with # is passed over. After
 * each line every process that it has left is killed.
 *
 * In every root there are /dev, /proc, /sys, /tmp and the modules of the kernel; /run/host with bin,
 * lib and data of the initramfs, and /run/x. bin is searched for commands, too.
 *
 * On the port: "@@ ran NAME STATUS" after each line.
 */

#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define IMAGE "/dev/vda"
#define EXCHANGE "/dev/vdb"
#define ROOTS "/qemus"
#define X "/run/x"
#define MAX_WORDS 512
/* Seconds that a line may take, unless the kernel command line has abibase.line=SECONDS */
#define LINE_TIMEOUT "60"

struct line {
	char *text;
	char *words[MAX_WORDS + 1];
	const char *name, *root;
	char **argv;
};

static int fail(const char *what)
{
	fprintf(port, "@@ error %s: %s\n", what, strerror(errno));
	return -1;
}

static void sleep_ms(long ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ------------------------------------------------------------- the places */

static int make_dir(const char *path)
{
	return mkdir(path, 0755) < 0 && errno != EEXIST ? fail(path) : 0;
}

static int mount_at(const char *what, const char *where, const char *type, unsigned long flags)
{
	if (make_dir(where) < 0)
		return -1;
	return mount(what, where, type, flags, NULL) < 0 ? fail(where) : 0;
}

/* The disks are there as soon as the module is loaded, or a little later. */
static int wait_for_disks(void)
{
	for (int i = 0; i < 100; i++) {
		if (access(IMAGE, F_OK) == 0 && access(EXCHANGE, F_OK) == 0)
			return 0;
		sleep_ms(50);
	}
	return fail(EXCHANGE);
}

/* /run as every root sees it */
static int make_run(void)
{
	if (mount_at("run", "/run", "tmpfs", MS_NOSUID | MS_NODEV) < 0 ||
	    make_dir("/run/host") < 0 ||
	    mount_at("/bin", "/run/host/bin", NULL, MS_BIND) < 0 ||
	    mount_at("/lib", "/run/host/lib", NULL, MS_BIND) < 0 ||
	    mount_at("/data", "/run/host/data", NULL, MS_BIND) < 0)
		return -1;
	return mount_at(EXCHANGE, X, "ext4", MS_NOATIME) < 0 || make_dir(X "/out") < 0 ? -1 : 0;
}

static int bind_into(const char *what, const char *root, const char *where)
{
	char path[600];

	snprintf(path, sizeof(path), "%s%s", root, where);
	return mount(what, path, NULL, MS_BIND | MS_REC, NULL);
}

/* It takes the place of /, so that a mount point is the root, as on a host. */
static int enter_root(const char *name)
{
	static const char *const binds[] = { "/dev", "/proc", "/sys", "/tmp", "/run" };
	char root[512];

	snprintf(root, sizeof(root), ROOTS "/%s", name);
	if (bind_into(root, root, "") < 0 || bind_into("/lib/modules", root, "/usr/lib/modules") < 0)
		return -1;
	for (size_t i = 0; i < sizeof(binds) / sizeof(*binds); i++)
		if (bind_into(binds[i], root, binds[i]) < 0)
			return -1;
	return chdir(root) < 0 || mount(root, "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ?
		       -1 : 0;
}

/* -------------------------------------------------------------- the lines */

/* Take the line apart; 1 for one to pass over. */
static int parse(struct line *l)
{
	char *rest = l->text, *word;
	size_t n = 0;

	while ((word = strsep(&rest, "\t\n"))) {
		if (!*word)
			continue;
		if (n == MAX_WORDS)
			return -E2BIG;
		l->words[n++] = word;
	}
	l->words[n] = NULL;
	if (n == 0 || l->words[0][0] == '#')
		return 1;
	if (n < 3 || strchr(l->words[0], '/') || strlen(l->words[0]) > 200)
		return -EINVAL;
	l->name = l->words[0];
	l->root = l->words[1];
	l->argv = l->words + 2;
	return 0;
}

/* "30=/dev/tap7": whether it is one */
static bool open_fd(const char *word)
{
	char *end;
	long fd = strtol(word, &end, 10);
	int new;

	if (end == word || *end != '=' || fd < 0 || fd > 1000)
		return false;
	new = open(end + 1, O_RDWR);
	if (new < 0 || (new != fd && (dup2(new, (int)fd) < 0 || close(new) < 0))) {
		complain(end + 1);
		_exit(125);
	}
	return true;
}

static void redirect_to(int fd, const struct line *l, const char *suffix)
{
	char path[512];
	int new;

	snprintf(path, sizeof(path), X "/out/%s.%s", l->name, suffix);
	new = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (new < 0 || dup2(new, fd) < 0)
		_exit(125);
}

static _Noreturn void run_child(struct line *l)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	if (null < 0 || dup2(null, 0) < 0)
		_exit(125);
	redirect_to(1, l, "out");
	redirect_to(2, l, "err");
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	while (*l->argv && open_fd(*l->argv))
		l->argv++;
	if (!*l->argv)
		_exit(125);
	/* the mounts are this command's alone */
	if (strcmp(l->root, "-") != 0 && (unshare(CLONE_NEWNS) < 0 || enter_root(l->root) < 0)) {
		complain(l->root);
		_exit(125);
	}
	if (chdir(X "/out") < 0)
		_exit(125);
	setenv("PATH", "/usr/bin:/bin:/run/host/bin", 1);
	setenv("ABIBASE_DATADIR", "/run/host/data", 1);
	setenv("XDG_CACHE_HOME", "/tmp", 1);
	setenv("HOME", "/tmp", 1);
	execvp(l->argv[0], l->argv);
	complain(l->argv[0]);
	_exit(127);
}

/* Its status as waitpid() has it, or -1 when it was not done in time. */
static int await(pid_t pid, long timeout_ms)
{
	const long end = now_ms() + timeout_ms;
	const struct timespec tick = { .tv_sec = 1 };
	sigset_t chld;
	int status;
	pid_t r;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	for (;;) {
		while ((r = waitpid(-1, &status, WNOHANG)) > 0)
			if (r == pid)
				return status;
		if (now_ms() >= end)
			return -1;
		sigtimedwait(&chld, NULL, &tick);
	}
}

/* The first process can kill all others. */
static void kill_rest(void)
{
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static int run_line(struct line *l, long timeout_ms)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		run_child(l);
	status = pid < 0 ? -1 : await(pid, timeout_ms);
	kill_rest();
	if (status == -1)
		return 124;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void run_file(FILE *in, FILE *out, long timeout_ms)
{
	static struct line l;
	size_t size = 0, number = 0;
	long start;
	int r;

	while (getline(&l.text, &size, in) >= 0) {
		number++;
		r = parse(&l);
		if (r == 1)
			continue;
		if (r < 0) {
			fprintf(port, "@@ error line %zu: %s\n", number, strerror(-r));
			break;
		}
		start = now_ms();
		r = run_line(&l, timeout_ms);
		fprintf(out, "%s %d %ld\n", l.name, r, now_ms() - start);
		fprintf(port, "@@ ran %s %d\n", l.name, r);
		fflush(port);
	}
	free(l.text);
}

static void run_disk(void)
{
	char seconds[16] = LINE_TIMEOUT;
	FILE *in = fopen(X "/lines", "re");
	FILE *out = fopen(X "/out/status", "we");
	sigset_t chld;

	option("abibase.line", 0, seconds, sizeof(seconds));
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	if (!in || !out)
		fail(X "/lines");
	else
		run_file(in, out, atol(seconds) * 1000);
	if (in)
		fclose(in);
	if (out && fclose(out) != 0)
		fail(X "/out/status");
}

void run_lines(void)
{
	load("virtio_pci");
	load("virtio_blk");
	if (wait_for_disks() < 0 || mount_at(IMAGE, ROOTS, "ext4", MS_RDONLY) < 0 ||
	    make_run() < 0)
		return;
	run_disk();
	sync();
	if (umount(X) < 0)
		fail(X);
}
