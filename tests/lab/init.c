/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The first process of a lab VM: make the place look like a distribution's, run the probe as root
 * and as an unprivileged user, write what they said to the second serial port, and reset.
 *
 * Kernel command line:
 *
 *   abibase.plan=NAME      what is wrong in this VM, see plans[]; default: nothing. Or "run": the
 *                          lines of a file, see init-run.c
 *   abibase.load=A,B,...   modules to load first
 *   abibase.arg=ARGUMENT   one more argument for abibase probe; may be repeated
 *
 * On the port, first "@@ init"; then, but for the plan "run", one after the other, where NAME is root or nobody:
 *
 *   @@ begin before.txt    and the lines up to "@@ end": what there is before the first probe:
 *                          network interfaces, processes, modules
 *   @@ begin NAME.json     likewise: stdout
 *   @@ begin NAME.err      likewise: stderr
 *   @@ status NAME N       the exit status, or 128 + the number of the signal
 *   @@ begin after.txt     as before.txt, after the last probe
 *   @@ error SENTENCE      instead of all these
 *   @@ done                the last line; without it the VM has died
 */

#define _GNU_SOURCE
#include "init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define NOBODY 65534
#define MAX_ARGS 32
#define RESULT_PORT "/dev/ttyS1"

FILE *port;

void complain(const char *what)
{
	fprintf(stderr, "init: %s: %s\n", what, strerror(errno));
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		complain(path);
	if (fd >= 0)
		close(fd);
}

const char *option(const char *name, size_t number, char *ret, size_t size)
{
	FILE *f = fopen("/proc/cmdline", "re");
	size_t len = strlen(name);
	char line[4096] = "", *word, *rest = line;

	if (!f || !fgets(line, sizeof(line), f))
		complain("/proc/cmdline");
	if (f)
		fclose(f);
	while ((word = strsep(&rest, " \n"))) {
		if (strncmp(word, name, len) != 0 || word[len] != '=' || number-- > 0)
			continue;
		snprintf(ret, size, "%s", word + len + 1);
		return ret;
	}
	return NULL;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 126;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int load(const char *module)
{
	pid_t pid = fork();
	int r;

	if (pid == 0) {
		execl("/bin/modprobe", "modprobe", module, (char *)NULL);
		_exit(127);
	}
	r = pid < 0 ? 126 : wait_for(pid);
	if (r != 0)
		fprintf(stderr, "init: modprobe %s: exit status %d\n", module, r);
	return r;
}

/* ------------------------------------------------------------- the nodes */

/* /dev/net/tun as udev makes it; the others too, which udev leaves to the group kvm. */
static void allow_nodes(mode_t mode)
{
	static const char *const nodes[] = {
		"/dev/net/tun",
		"/dev/vhost-net",
		"/dev/vhost-vsock",
		"/dev/vhost-scsi",
		"/dev/kvm",
	};

	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		if (chmod(nodes[i], mode) < 0 && errno != ENOENT)
			complain(nodes[i]);
}

/* "tun net/tun c10:200": what kmod and udev make at boot, so that opening it loads the module */
static void make_static_nodes(void)
{
	char path[512], line[512], name[200];
	unsigned int major_nr, minor_nr;
	struct utsname un;
	FILE *f;

	if (uname(&un) < 0)
		return;
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.devname", un.release);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %199s c%u:%u", name, &major_nr, &minor_nr) != 3)
			continue;
		if (strncmp(name, "net/", 4) == 0)
			mkdir("/dev/net", 0755);
		snprintf(path, sizeof(path), "/dev/%s", name);
		if (mknod(path, S_IFCHR | 0600, makedev(major_nr, minor_nr)) < 0 &&
		    errno != EEXIST)
			complain(path);
	}
	if (f)
		fclose(f);
}

static void remove_nodes(void)
{
	unlink("/dev/net/tun");
	unlink("/dev/vhost-net");
	unlink("/dev/vhost-vsock");
	unlink("/dev/vhost-scsi");
}

/* ------------------------------------------------------------- the plans */

static void prepare_missing_node(void)
{
	load("vhost_net");
	load("vhost_vsock");
	load("tun");
	remove_nodes();
}

static void prepare_unreadable(void)
{
	allow_nodes(0600);
}

static void prepare_no_autoload(void)
{
	write_file("/proc/sys/kernel/modprobe", "\n");
}

static void prepare_no_index(void)
{
	remove_nodes();
	if (mount("none", "/lib/modules", "tmpfs", 0, NULL) < 0)
		complain("/lib/modules");
}

/* The same index without tun and vhost; make-initramfs has put it there. */
static void prepare_absent(void)
{
	remove_nodes();
	if (mount("/absent/lib/modules", "/lib/modules", NULL, MS_BIND, NULL) < 0)
		complain("/lib/modules");
}

static void prepare_no_userns(void)
{
	write_file("/proc/sys/user/max_user_namespaces", "0");
}

/* A switch of Debian's kernels */
static void prepare_userns_refused(void)
{
	write_file("/proc/sys/kernel/unprivileged_userns_clone", "0");
}

static void prepare_no_netns(void)
{
	write_file("/proc/sys/user/max_net_namespaces", "0");
}

static void filter_syscall(unsigned int number, unsigned int action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(*code), .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		complain("seccomp");
}

static void enter_seccomp_ioctl(void)
{
	filter_syscall(SYS_ioctl, SECCOMP_RET_ERRNO | EPERM);
}

static void enter_seccomp_enosys(void)
{
	filter_syscall(SYS_ioctl, SECCOMP_RET_ERRNO | ENOSYS);
}

static void enter_seccomp_kill(void)
{
	filter_syscall(SYS_ioctl, SECCOMP_RET_KILL_PROCESS);
}

static void enter_seccomp_unshare(void)
{
	filter_syscall(SYS_unshare, SECCOMP_RET_ERRNO | EPERM);
}

static void limit_files(rlim_t n)
{
	const struct rlimit limit = { .rlim_cur = n, .rlim_max = n };

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		complain("setrlimit");
}

/* One beside stdin, stdout and stderr: the program starts, but cannot make a pipe. */
static void enter_no_files(void)
{
	limit_files(4);
}

/* A pipe, and in the process that asks, which lets go of one end of it, one device. */
static void enter_few_files(void)
{
	limit_files(5);
}

static const struct plan {
	const char *name;
	void (*prepare)(void); /* once, as root */
	void (*enter)(void);   /* in each process that becomes the probe, just before */
	const char *arg;
	bool nobody_first;
} plans[] = {
	{ .name = "probe" },
	{ .name = "nobody-first", .nobody_first = true },
	{ .name = "no-load", .arg = "--no-load" },
	{ .name = "missing-node", .prepare = prepare_missing_node },
	{ .name = "not-loaded", .prepare = remove_nodes },
	{ .name = "unreadable", .prepare = prepare_unreadable },
	{ .name = "no-autoload", .prepare = prepare_no_autoload },
	{ .name = "no-index", .prepare = prepare_no_index },
	{ .name = "absent", .prepare = prepare_absent },
	{ .name = "no-userns", .prepare = prepare_no_userns },
	{ .name = "userns-refused", .prepare = prepare_userns_refused },
	{ .name = "no-netns", .prepare = prepare_no_netns },
	{ .name = "seccomp-ioctl", .enter = enter_seccomp_ioctl },
	{ .name = "seccomp-enosys", .enter = enter_seccomp_enosys },
	{ .name = "seccomp-kill", .enter = enter_seccomp_kill },
	{ .name = "seccomp-unshare", .enter = enter_seccomp_unshare },
	{ .name = "no-files", .enter = enter_no_files },
	{ .name = "few-files", .enter = enter_few_files },
};

static const struct plan *find_plan(const char *name)
{
	for (size_t i = 0; i < sizeof(plans) / sizeof(*plans); i++)
		if (strcmp(plans[i].name, name) == 0)
			return &plans[i];
	return NULL;
}

/* ------------------------------------------------------------- the probe */

static void become(uid_t uid)
{
	if (uid == 0)
		return;
	if (setgroups(0, NULL) < 0 || setgid(uid) < 0 || setuid(uid) < 0) {
		complain("setuid");
		_exit(125);
	}
}

static int redirect(int fd, const char *path)
{
	int new = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (new < 0 || dup2(new, fd) < 0)
		return -1;
	return new == fd ? 0 : close(new);
}

static _Noreturn void exec_probe(const struct plan *plan, const char *name, uid_t uid)
{
	static char more[MAX_ARGS][256];
	const char *argv[MAX_ARGS] = { "abibase", "probe", "--no-qemu", "--name", name };
	size_t n = 5;

	if (plan->arg)
		argv[n++] = plan->arg;
	for (size_t i = 0; n < MAX_ARGS - 1; i++) {
		argv[n] = option("abibase.arg", i, more[i], sizeof(more[i]));
		if (!argv[n++])
			break;
	}
	if (redirect(0, "/dev/null") < 0 || redirect(1, "/tmp/out") < 0 ||
	    redirect(2, "/tmp/err") < 0)
		_exit(125);
	become(uid);
	if (plan->enter)
		plan->enter();
	execv("/bin/abibase", (char *const *)argv);
	complain("/bin/abibase");
	_exit(127);
}

static void send_file(const char *path, const char *name, const char *suffix)
{
	FILE *f = fopen(path, "re");
	int c, last = '\n';

	fprintf(port, "@@ begin %s.%s\n", name, suffix);
	while (f && (c = fgetc(f)) != EOF)
		putc(last = c, port);
	if (last != '\n')
		putc('\n', port);
	fputs("@@ end\n", port);
	if (f)
		fclose(f);
	unlink(path);
}

static void run_probe(const struct plan *plan, const char *name, uid_t uid)
{
	pid_t pid;
	int r;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		exec_probe(plan, name, uid);
	r = pid < 0 ? 126 : wait_for(pid);
	send_file("/tmp/out", name, "json");
	send_file("/tmp/err", name, "err");
	fprintf(port, "@@ status %s %d\n", name, r);
}

/* ------------------------------------------------------------- the traces */

static void tell_interfaces(void)
{
	DIR *dir = opendir("/sys/class/net");
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			fprintf(port, "interface %s\n", d->d_name);
	if (dir)
		closedir(dir);
}

/* "42 (name) S 2 ...": the kernel's threads have the parent 2, it and init have 0. */
static void tell_process(const char *pid)
{
	char path[64], line[512], name[64], state;
	int parent;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	f = fopen(path, "re");
	if (f && fgets(line, sizeof(line), f) &&
	    sscanf(line, "%*d (%63[^)]) %c %d", name, &state, &parent) == 3 && parent != 0 &&
	    parent != 2)
		fprintf(port, "process %s %c\n", name, state);
	if (f)
		fclose(f);
}

static void tell_processes(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (d->d_name[0] >= '0' && d->d_name[0] <= '9')
			tell_process(d->d_name);
	if (dir)
		closedir(dir);
}

static void tell_modules(void)
{
	FILE *f = fopen("/proc/modules", "re");
	char line[1024], name[64];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s", name) == 1)
			fprintf(port, "module %s\n", name);
	if (f)
		fclose(f);
}

/* What a probe could leave behind; its own orphans are not reaped here, so that they show. */
static void tell_state(const char *name)
{
	fprintf(port, "@@ begin %s.txt\n", name);
	tell_interfaces();
	tell_processes();
	tell_modules();
	fputs("@@ end\n", port);
}

/* ------------------------------------------------------------- the machine */

static void mount_all(void)
{
	static const struct {
		const char *type, *where;
		unsigned long flags;
	} mounts[] = {
		{ "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC },
		{ "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC },
		{ "devtmpfs", "/dev", MS_NOSUID },
		{ "tmpfs", "/tmp", MS_NOSUID | MS_NODEV },
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++)
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type, mounts[i].flags, NULL) <
		    0)
			complain(mounts[i].where);
}

static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	for (int i = 0; fd >= 0 && i < 3; i++)
		if (fd != i)
			dup2(fd, i);
	if (fd > 2)
		close(fd);
}

static void open_port(void)
{
	int fd = open(RESULT_PORT, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios t;

	if (fd < 0 || tcgetattr(fd, &t) < 0) {
		complain(RESULT_PORT);
		return;
	}
	cfmakeraw(&t);
	tcsetattr(fd, TCSANOW, &t);
	port = fdopen(fd, "w");
	if (port) {
		fputs("@@ init\n", port);
		fflush(port);
	}
}

static void load_asked(void)
{
	char list[1024], *rest = list, *word;

	if (!option("abibase.load", 0, list, sizeof(list)))
		return;
	while ((word = strsep(&rest, ",")))
		if (*word)
			load(word);
}

static void run_probes(const struct plan *plan)
{
	if (plan->prepare)
		plan->prepare();
	tell_state("before");
	if (plan->nobody_first)
		run_probe(plan, "nobody", NOBODY);
	run_probe(plan, "root", 0);
	if (!plan->nobody_first)
		run_probe(plan, "nobody", NOBODY);
	tell_state("after");
}

static void run_plan(const char *name)
{
	const struct plan *plan = find_plan(name);
	const bool lines = strcmp(name, "run") == 0;

	if (!plan && !lines) {
		fprintf(port, "@@ error there is no plan %s\n", name);
		return;
	}
	make_static_nodes();
	load_asked();
	allow_nodes(0666);
	if (lines)
		run_lines();
	else
		run_probes(plan);
}

int main(void)
{
	char name[64] = "probe";

	mount_all();
	open_console();
	open_port();
	setenv("PATH", "/bin", 1);
	setenv("ABIBASE_DATADIR", "/data", 1);
	if (port) {
		option("abibase.plan", 0, name, sizeof(name));
		run_plan(name);
		fputs("@@ done\n", port);
		fflush(port);
		tcdrain(fileno(port));
	}
	/* QEMU runs with -no-reboot. */
	reboot(RB_AUTOBOOT);
	return 1;
}
