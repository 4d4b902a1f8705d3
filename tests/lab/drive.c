/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The guest of the migration lab: it takes what its virtio devices offer, keeps their queues as
 * large as they are, and is migrated, to a file with one QEMU and out of it with another one.
 *
 *   drive save FILE [OPTION...] -- QEMU ARG...
 *   drive load FILE [OPTION...] -- QEMU ARG...
 *   drive batch --qemus=DIR --streams=DIR [OPTION...] < PLAN
 *
 *   --refuse=HEX      a 128-bit word: what the guest does not take
 *   --open=FD=PATH    QEMU inherits PATH, opened, as descriptor FD (3 to 9); a macvtap needs that
 *   --timeout=SECONDS what one QEMU may take in all, default 30; then it is killed
 *
 * There is no code in the guest: its CPU halts at once, and each step of a driver is made over the
 * qtest protocol, through the ports of PCI configuration and the modern common configuration. With
 * all virtio devices in the slots of the first bus it does what a driver does up to DRIVER_OK, with
 * the CPU running, so that vhost starts. What is given after QEMU has to be the machine and the
 * devices; the rest (fixed[]) is added here. No x- command is sent. Needs neither rights, nor a
 * shell, nor any library but libc; a static one does.
 *
 * Each run is one line of JSON on stdout:
 *
 *   op           "save" or "load"
 *   status       "saved"; "loaded": the destination says that the migration is completed, and it
 *                runs; "failed": it ended, or says that the migration failed; "did-not-start": QEMU
 *                ended before the migration; "hung": out of time, and killed; "refused": a device did
 *                not take the driver's features (save); "no-stream": FILE cannot be read; "trouble":
 *                anything else, see "trouble"
 *   state        of the machine, as query-status has it, last
 *   devices      of each: slot; type (1 is a network device); offered, 32 hexadecimal digits;
 *                config_size; queue_sizes; and what holds after that run: negotiated, likewise, and
 *                driver_sizes, of its queues. A load reads what is offered before the stream comes.
 *   bytes        of the stream
 *   exit, signal how QEMU ended by itself, or when told to quit; none of them: it was killed
 *   stderr       what QEMU said
 *   trouble      what went wrong here
 *   ms           the time that it took
 *
 * Exit status 0: saved or loaded; 1: any other result; 2: nothing was run.
 *
 * Batch
 * -----
 * PLAN has a line for each run, of words separated by tabs:
 *
 *   KERNEL ID OP STREAM QEMU MACHINE BACKEND REFUSE [ARG...]
 *
 *   KERNEL   where it is to be run; --kernel=NAME: lines of others are passed over
 *   ID       is given back in the result
 *   OP       save or load
 *   STREAM   the name of a file in the directory --streams; what is loaded was saved by a line
 *            before, perhaps on another KERNEL, or is there already
 *   QEMU     a suite: the directory in --qemus, with its /usr, that tests/fetch-qemus makes
 *   MACHINE  the machine type
 *   BACKEND  tap, tap+vhost, macvtap, macvtap+vhost: the one virtio-net-pci has it; or vsock: a
 *            vhost-vsock-pci
 *   REFUSE   as --refuse, or 0
 *   ARG...   go to QEMU, such as the list that abibase made: -global, virtio-net-device.csum=on
 *
 * --tap=NAME is the interface (default tap0), --macvtap=PATH the node of the macvtap (default: the
 * interface, as for tap). A result is the line above with "kernel" and "id", in the order of the
 * plan, written when it is there. Exit status 0 whatever the results say, 2 for a bad line.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Descriptors of QEMU; those below are for --open. */
#define QMP_FD 10
#define BIOS_FD 11
#define FIRST_OPEN 3
#define MAX_OPEN 7

#define SLOTS 32
#define MAX_DEVICES 8
#define MAX_QUEUES 64
#define BARS 6
/* A capability list has room for no more than this in 256 bytes. */
#define MAX_CAPS 48
/* Longer than the configuration of any device that is driven here. */
#define MAX_CONFIG 64u
/* Where the registers of a slot are mapped: free on every PC, and further apart than they need. */
#define WINDOW(slot) (0xe0000000u + (slot) * 0x100000u)
/* Where the queues are, in the 32 MB of the guest. */
#define QUEUE_MEMORY 0x00400000u
#define END_OF_MEMORY 0x02000000u

#define BIOS_SIZE 0x10000
#define MAX_WORDS 512
#define MAX_STDERR 8192
#define MAX_STREAM (256u << 20)
#define QUIT_MS 5000

/* The machine and its devices are the caller's. */
static const char *const fixed[] = {
	"-no-user-config", "-nodefaults", "-display", "none", "-accel", "tcg", "-m", "32",
	"-qtest", "stdio", "-qtest-log", "none",
	"-chardev", "socket,id=abibase,fd=10", "-qmp", "chardev:abibase",
	"-bios", "/proc/self/fd/11",
};

enum status {
	TROUBLE, NO_STREAM, DID_NOT_START, HUNG, REFUSED, FAILED, SAVED, LOADED
};
static const char *const status_words[] = {
	[TROUBLE] = "trouble", [NO_STREAM] = "no-stream", [DID_NOT_START] = "did-not-start",
	[HUNG] = "hung", [REFUSED] = "refused", [FAILED] = "failed", [SAVED] = "saved",
	[LOADED] = "loaded",
};

/* A 128-bit feature word. */
struct word {
	uint32_t part[4];
};

struct device {
	unsigned int slot, type;
	struct word offered, negotiated;
	unsigned int n_queues, queue_size[MAX_QUEUES], driver_size[MAX_QUEUES], config_size;
	/* BAR and offset in it */
	unsigned int common_bar, device_bar;
	uint32_t common, device;
	bool have_common, have_device;
};

/* One run, as it is asked for. */
struct job {
	bool load;
	const char *file;
	struct word refuse;
	const char *open_path[MAX_OPEN];
	int timeout_ms;
	const char *const *argv; /* ends with NULL */
};

/* Lines from QEMU. */
struct channel {
	int fd;
	char buf[65536];
	size_t used, line; /* bytes there, of them the line last given */
};

struct run {
	const struct job *job;
	int64_t start, deadline;
	pid_t pid;
	struct channel qtest, qmp;
	int error_fd, stream_fd, file_fd;
	char stderr_text[MAX_STDERR];
	size_t stderr_used;
	/* of the stream, what is read from the file and not yet written */
	char chunk[65536];
	size_t chunk_used, chunk_done;
	unsigned long long bytes;
	bool ended, killed, hung;
	int wait_status;
	bool started; /* the devices were there */
	enum status status;
	char state[32], trouble[256];
	struct device device[MAX_DEVICES];
	unsigned int n_devices;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The first one is the reason. */
static int trouble(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int trouble(struct run *r, const char *fmt, ...)
{
	va_list ap;

	if (*r->trouble)
		return -1;
	va_start(ap, fmt);
	vsnprintf(r->trouble, sizeof(r->trouble), fmt, ap);
	va_end(ap);
	return -1;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ------------------------------------------------------------------ start */

/* cli; hlt; jmp to hlt, at the place where a CPU starts */
static int make_bios(void)
{
	static const unsigned char code[] = { 0xfa, 0xf4, 0xeb, 0xfd };
	int fd = memfd_create("bios", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (ftruncate(fd, BIOS_SIZE) < 0 ||
	    pwrite(fd, code, sizeof(code), BIOS_SIZE - 16) != (ssize_t)sizeof(code)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* What the child has and the parent has not. */
struct ends {
	int qtest, qmp, error, bios;
};

static int place(int fd, int number)
{
	return dup2(fd, number) < 0 ? -1 : 0;
}

static int open_paths(const struct job *job)
{
	for (int i = 0; i < MAX_OPEN; i++) {
		int fd;

		if (!job->open_path[i])
			continue;
		fd = open(job->open_path[i], O_RDWR);
		if (fd < 0 || (fd != FIRST_OPEN + i && place(fd, FIRST_OPEN + i) < 0)) {
			fprintf(stderr, "drive: %s: %s\n", job->open_path[i], strerror(errno));
			return -1;
		}
		if (fd != FIRST_OPEN + i)
			close(fd);
	}
	return 0;
}

static void become_qemu(const struct job *job, const struct ends *e, pid_t parent)
{
	const char *argv[MAX_WORDS + ARRAY_SIZE(fixed) + 3];
	size_t n = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	signal(SIGPIPE, SIG_DFL);
	if (place(e->qtest, 0) < 0 || place(e->qtest, 1) < 0 || place(e->error, 2) < 0 ||
	    open_paths(job) < 0 || place(e->qmp, QMP_FD) < 0 || place(e->bios, BIOS_FD) < 0)
		_exit(127);
	while (job->argv[n]) {
		argv[n] = job->argv[n];
		n++;
	}
	memcpy(argv + n, fixed, sizeof(fixed));
	n += ARRAY_SIZE(fixed);
	if (job->load) {
		argv[n++] = "-incoming";
		argv[n++] = "defer";
	}
	argv[n] = NULL;
	execvp(argv[0], (char *const *)argv);
	fprintf(stderr, "drive: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* Beyond the numbers that the child uses, so that none is overwritten before it is placed. */
static bool make_high(int *fd)
{
	int high = *fd < 0 ? -1 : fcntl(*fd, F_DUPFD_CLOEXEC, 64);

	close_fd(fd);
	*fd = high;
	return high >= 0;
}

static bool make_ends(struct run *r, struct ends *e)
{
	int qtest[2] = { -1, -1 }, qmp[2] = { -1, -1 }, error[2] = { -1, -1 };
	bool made = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, qtest) == 0 &&
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, qmp) == 0 &&
		    pipe2(error, O_CLOEXEC) == 0;

	r->qtest.fd = qtest[0];
	e->qtest = qtest[1];
	r->qmp.fd = qmp[0];
	e->qmp = qmp[1];
	r->error_fd = error[0];
	e->error = error[1];
	e->bios = make_bios();
	return made && make_high(&r->qtest.fd) && make_high(&e->qtest) && make_high(&r->qmp.fd) &&
	       make_high(&e->qmp) && make_high(&r->error_fd) && make_high(&e->error) &&
	       make_high(&e->bios);
}

static int start(struct run *r)
{
	struct ends e = { -1, -1, -1, -1 };
	bool made = make_ends(r, &e);
	pid_t parent = getpid();

	r->start = now_ms();
	r->deadline = r->start + r->job->timeout_ms;
	if (made)
		r->pid = fork();
	if (made && r->pid == 0)
		become_qemu(r->job, &e, parent);
	close_fd(&e.qtest);
	close_fd(&e.qmp);
	close_fd(&e.error);
	close_fd(&e.bios);
	return r->pid > 0 ? 0 : trouble(r, "starting QEMU: %s", strerror(errno));
}

/* ------------------------------------------------------------ input, output */

static void take_stderr(struct run *r)
{
	char rest[4096];
	size_t room = sizeof(r->stderr_text) - r->stderr_used;
	ssize_t n = room ? read(r->error_fd, r->stderr_text + r->stderr_used, room) :
			   read(r->error_fd, rest, sizeof(rest));

	if (n <= 0)
		close_fd(&r->error_fd);
	else if (room)
		r->stderr_used += (size_t)n;
}

/* What QEMU writes goes to the file. */
static void take_stream(struct run *r)
{
	ssize_t n = read(r->stream_fd, r->chunk, sizeof(r->chunk));

	if (n <= 0) {
		close_fd(&r->stream_fd);
		return;
	}
	r->bytes += (size_t)n;
	if (r->bytes > MAX_STREAM)
		trouble(r, "the stream is too long");
	else if (write(r->file_fd, r->chunk, (size_t)n) != n)
		trouble(r, "writing %s: %s", r->job->file, strerror(errno));
	if (*r->trouble)
		close_fd(&r->stream_fd);
}

/* What the file has goes to QEMU; at its end the pipe is closed. */
static void give_stream(struct run *r)
{
	ssize_t n;

	if (r->chunk_done == r->chunk_used) {
		n = read(r->file_fd, r->chunk, sizeof(r->chunk));
		if (n <= 0) {
			close_fd(&r->stream_fd);
			return;
		}
		r->chunk_used = (size_t)n;
		r->chunk_done = 0;
	}
	n = write(r->stream_fd, r->chunk + r->chunk_done, r->chunk_used - r->chunk_done);
	if (n > 0) {
		r->chunk_done += (size_t)n;
		r->bytes += (size_t)n;
	} else if (errno != EAGAIN) {
		close_fd(&r->stream_fd);
	}
}

static void take_lines(struct channel *c)
{
	ssize_t n = c->used < sizeof(c->buf) ?
			    read(c->fd, c->buf + c->used, sizeof(c->buf) - c->used) :
			    -1;

	if (n <= 0)
		close_fd(&c->fd);
	else
		c->used += (size_t)n;
}

/* Wait for anything, @ms at most, and take it. -1: out of time altogether. */
static int pump(struct run *r, int ms)
{
	struct pollfd p[] = {
		{ .fd = r->qtest.fd, .events = POLLIN },
		{ .fd = r->qmp.fd, .events = POLLIN },
		{ .fd = r->error_fd, .events = POLLIN },
		{ .fd = r->stream_fd, .events = r->job->load ? POLLOUT : POLLIN },
	};
	int64_t left = r->deadline - now_ms();

	if (left <= 0) {
		r->hung = true;
		return -1;
	}
	if (poll(p, ARRAY_SIZE(p), ms < left ? ms : (int)left) <= 0)
		return 0;
	if (p[0].revents)
		take_lines(&r->qtest);
	if (p[1].revents)
		take_lines(&r->qmp);
	if (p[2].revents)
		take_stderr(r);
	if (p[3].revents && r->job->load)
		give_stream(r);
	else if (p[3].revents)
		take_stream(r);
	return 0;
}

/* The next line of QEMU, without its end; NULL: it ended, or hangs. */
static const char *next_line(struct run *r, struct channel *c)
{
	char *end;

	c->used -= c->line;
	memmove(c->buf, c->buf + c->line, c->used);
	c->line = 0;
	while (!(end = memchr(c->buf, '\n', c->used)))
		if (c->fd < 0 || pump(r, 1000) < 0)
			return NULL;
	*end = '\0';
	if (end > c->buf && end[-1] == '\r')
		end[-1] = '\0';
	c->line = (size_t)(end - c->buf) + 1;
	return c->buf;
}

static int say(struct channel *c, const char *text)
{
	size_t len = strlen(text);

	return c->fd >= 0 && send(c->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len ?
		       0 :
		       -1;
}

/* ---------------------------------------------------------------- monitor */

static bool begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* The answer to a command; events are passed over. NULL, too: an error. */
static const char *answer(struct run *r, const char *command)
{
	const char *line;

	do
		line = next_line(r, &r->qmp);
	while (line && !begins(line, "{\"return\"") && !begins(line, "{\"error\""));
	if (line && begins(line, "{\"error\"")) {
		trouble(r, "%s: %s", command, line);
		return NULL;
	}
	return line;
}

static const char *execute(struct run *r, const char *command)
{
	return say(&r->qmp, command) < 0 ? NULL : answer(r, command);
}

/* Hand a descriptor over, with the name "stream". */
static int hand_over(struct run *r, int fd)
{
	static const char command[] =
		"{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"stream\"}}\n";
	struct iovec iov = { .iov_base = (void *)command, .iov_len = sizeof(command) - 1 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (r->qmp.fd < 0 || sendmsg(r->qmp.fd, &msg, MSG_NOSIGNAL) < 0)
		return -1;
	return answer(r, "getfd") ? 0 : -1;
}

static int meet_monitor(struct run *r)
{
	const char *greeting = next_line(r, &r->qmp);

	if (!greeting)
		return -1;
	if (!strstr(greeting, "\"QMP\""))
		return trouble(r, "that is no QEMU: %.100s", greeting);
	return execute(r, "{\"execute\":\"qmp_capabilities\"}\n") ? 0 : -1;
}

/* "status": "WORD", of an answer that has one such member at most */
static void status_of(const char *line, char *ret, size_t size)
{
	const char *s = strstr(line, "\"status\":");
	size_t n;

	*ret = '\0';
	if (!s)
		return;
	s += strlen("\"status\":");
	s += strspn(s, " \"");
	n = strcspn(s, "\"");
	snprintf(ret, size, "%.*s", (int)n, s);
}

static int ask_state(struct run *r)
{
	const char *line = execute(r, "{\"execute\":\"query-status\"}\n");

	if (!line)
		return -1;
	status_of(line, r->state, sizeof(r->state));
	return 0;
}

/* Wait for the end of the migration: 1 completed, 0 failed, -1 QEMU ended or hangs. */
static int wait_migration(struct run *r)
{
	char status[32];

	for (;;) {
		const char *line = execute(r, "{\"execute\":\"query-migrate\"}\n");

		if (!line)
			return -1;
		status_of(line, status, sizeof(status));
		if (strcmp(status, "completed") == 0)
			return 1;
		if (strcmp(status, "failed") == 0 || strcmp(status, "cancelled") == 0)
			return 0;
		if (pump(r, 5) < 0)
			return -1;
	}
}

/* A pipe for the stream; QEMU has one end of it. */
static int open_stream(struct run *r)
{
	int ends[2];
	int mine = r->job->load, status;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return trouble(r, "pipe: %s", strerror(errno));
	r->stream_fd = ends[mine];
	if (r->job->load)
		fcntl(r->stream_fd, F_SETFL, O_NONBLOCK);
	status = hand_over(r, ends[!mine]);
	close(ends[!mine]);
	return status;
}

/* ------------------------------------------------------------------ qtest */

/* One command and its value, if it has one. */
static int command(struct run *r, uint32_t *ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int command(struct run *r, uint32_t *ret, const char *fmt, ...)
{
	const char *got;
	char line[96];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (say(&r->qtest, line) < 0)
		return -1;
	do
		got = next_line(r, &r->qtest);
	while (got && begins(got, "IRQ "));
	if (!got)
		return -1;
	if (!begins(got, ret ? "OK 0x" : "OK"))
		return trouble(r, "qtest: %.80s: %.80s", line, got);
	if (ret)
		*ret = (uint32_t)strtoull(got + strlen("OK "), NULL, 16);
	return 0;
}

static char letter(unsigned int bytes)
{
	return bytes == 1 ? 'b' : bytes == 2 ? 'w' : 'l';
}

/* Each of the following returns what it read; after a failure 0, and @r says so. */
static uint32_t pci_read(struct run *r, unsigned int slot, unsigned int at, unsigned int bytes)
{
	uint32_t value = 0;

	if (command(r, NULL, "outl 0xcf8 0x%x\n", 0x80000000u | slot << 11 | (at & ~3u)) == 0)
		command(r, &value, "in%c 0x%x\n", letter(bytes), 0xcfc + (at & 3));
	return value;
}

static void pci_write(struct run *r, unsigned int slot, unsigned int at, unsigned int bytes,
		      uint32_t value)
{
	if (command(r, NULL, "outl 0xcf8 0x%x\n", 0x80000000u | slot << 11 | (at & ~3u)) == 0)
		command(r, NULL, "out%c 0x%x 0x%x\n", letter(bytes), 0xcfc + (at & 3), value);
}

static uint32_t mem_read(struct run *r, uint32_t at, unsigned int bytes)
{
	uint32_t value = 0;

	command(r, &value, "read%c 0x%x\n", letter(bytes), at);
	return value;
}

static void mem_write(struct run *r, uint32_t at, unsigned int bytes, uint32_t value)
{
	command(r, NULL, "write%c 0x%x 0x%x\n", letter(bytes), at, value);
}

/* Does QEMU still answer? */
static bool alive(const struct run *r)
{
	return r->qtest.fd >= 0 && !r->hung && !*r->trouble;
}

/* ----------------------------------------------------------------- devices */

static void find_cap(struct run *r, struct device *d, unsigned int at)
{
	unsigned int type = pci_read(r, d->slot, at + VIRTIO_PCI_CAP_CFG_TYPE, 1);
	unsigned int bar = pci_read(r, d->slot, at + VIRTIO_PCI_CAP_BAR, 1);
	uint32_t offset = pci_read(r, d->slot, at + VIRTIO_PCI_CAP_OFFSET, 4);

	if (bar >= BARS)
		return;
	/* The first one of a type is the one to use. */
	if (type == VIRTIO_PCI_CAP_COMMON_CFG && !d->have_common) {
		d->have_common = true;
		d->common_bar = bar;
		d->common = offset;
	} else if (type == VIRTIO_PCI_CAP_DEVICE_CFG && !d->have_device) {
		d->have_device = true;
		d->device_bar = bar;
		d->device = offset;
	}
}

static void find_caps(struct run *r, struct device *d)
{
	unsigned int at = pci_read(r, d->slot, PCI_CAPABILITY_LIST, 1);

	for (int i = 0; at && i < MAX_CAPS && alive(r); i++) {
		if (pci_read(r, d->slot, at, 1) == PCI_CAP_ID_VNDR)
			find_cap(r, d, at);
		at = pci_read(r, d->slot, at + PCI_CAP_LIST_NEXT, 1);
	}
}

/* Both parts are in one BAR, in every QEMU. */
static void find_devices(struct run *r)
{
	for (unsigned int slot = 0; slot < SLOTS && alive(r); slot++) {
		uint32_t id = pci_read(r, slot, PCI_VENDOR_ID, 4);
		struct device *d = &r->device[r->n_devices];

		if ((id & 0xffff) != 0x1af4 || id >> 16 < 0x1000 || id >> 16 > 0x107f ||
		    r->n_devices == MAX_DEVICES)
			continue;
		d->slot = slot;
		d->type = id >> 16 >= 0x1040 ? (id >> 16) - 0x1040 :
					       pci_read(r, slot, PCI_SUBSYSTEM_ID, 2);
		find_caps(r, d);
		if (d->have_common && d->have_device && d->common_bar == d->device_bar)
			r->n_devices++;
	}
	if (alive(r) && !r->n_devices)
		trouble(r, "there is no modern virtio device on the first bus");
}

static void map(struct run *r, const struct device *d, uint32_t address, unsigned int decode)
{
	unsigned int bar = PCI_BASE_ADDRESS_0 + 4 * d->common_bar;

	pci_write(r, d->slot, bar, 4, address);
	pci_write(r, d->slot, bar + 4, 4, 0);
	pci_write(r, d->slot, PCI_COMMAND, 2, decode);
}

static uint32_t common(const struct device *d)
{
	return WINDOW(d->slot) + d->common;
}

static struct word read_word(struct run *r, const struct device *d, unsigned int select,
			     unsigned int at)
{
	struct word w = { { 0 } };

	for (uint32_t i = 0; i < 4; i++) {
		mem_write(r, common(d) + select, 4, i);
		w.part[i] = mem_read(r, common(d) + at, 4);
	}
	return w;
}

static bool has_bit(const struct word *w, unsigned int bit)
{
	return w->part[bit / 32] >> (bit % 32) & 1;
}

/* How much of a network device's configuration the offered features take; virtio 1.3, 5.1.4. */
static unsigned int least_config(const struct device *d)
{
	static const struct {
		unsigned int bit, end;
	} parts[] = { { 5, 6 }, { 16, 8 }, { 22, 10 }, { 3, 12 }, { 63, 17 }, { 57, 24 },
		      { 60, 24 } };
	unsigned int least = 0;

	for (size_t i = 0; d->type == 1 && i < ARRAY_SIZE(parts); i++)
		if (has_bit(&d->offered, parts[i].bit) && parts[i].end > least)
			least = parts[i].end;
	return least;
}

/* Beyond its end QEMU answers with all bits set; so can a field at its end. */
static unsigned int read_config_size(struct run *r, const struct device *d)
{
	unsigned int size = least_config(d);

	for (unsigned int i = size; i < MAX_CONFIG; i++)
		if (mem_read(r, WINDOW(d->slot) + d->device + i, 1) != 0xff)
			size = i + 1;
	return size;
}

static void read_sizes(struct run *r, struct device *d, unsigned int *size)
{
	d->n_queues = mem_read(r, common(d) + VIRTIO_PCI_COMMON_NUMQ, 2);
	if (d->n_queues > MAX_QUEUES)
		d->n_queues = MAX_QUEUES;
	for (unsigned int i = 0; i < d->n_queues; i++) {
		mem_write(r, common(d) + VIRTIO_PCI_COMMON_Q_SELECT, 2, i);
		size[i] = mem_read(r, common(d) + VIRTIO_PCI_COMMON_Q_SIZE, 2);
	}
}

static void read_offer(struct run *r, struct device *d)
{
	d->offered = read_word(r, d, VIRTIO_PCI_COMMON_DFSELECT, VIRTIO_PCI_COMMON_DF);
	read_sizes(r, d, d->queue_size);
	d->config_size = read_config_size(r, d);
}

static void read_result(struct run *r, struct device *d)
{
	d->negotiated = read_word(r, d, VIRTIO_PCI_COMMON_GFSELECT, VIRTIO_PCI_COMMON_GF);
	read_sizes(r, d, d->driver_size);
}

static void set_status(struct run *r, const struct device *d, unsigned int status)
{
	mem_write(r, common(d) + VIRTIO_PCI_COMMON_STATUS, 1, status);
}

static void take_features(struct run *r, const struct device *d)
{
	for (uint32_t i = 0; i < 4; i++) {
		mem_write(r, common(d) + VIRTIO_PCI_COMMON_GFSELECT, 4, i);
		mem_write(r, common(d) + VIRTIO_PCI_COMMON_GF, 4,
			  d->offered.part[i] & ~r->job->refuse.part[i]);
	}
}

static uint32_t page_up(uint32_t n)
{
	return (n + 4095) & ~4095u;
}

static void write_address(struct run *r, const struct device *d, unsigned int at, uint32_t value)
{
	mem_write(r, common(d) + at, 4, value);
	mem_write(r, common(d) + at + 4, 4, 0);
}

/* The size stays as it is offered; a driver writes it all the same. */
static void set_queue(struct run *r, const struct device *d, unsigned int queue, uint32_t *memory)
{
	uint32_t size = d->queue_size[queue];
	uint32_t avail = *memory + page_up(16 * size), used = avail + page_up(6 + 2 * size);

	mem_write(r, common(d) + VIRTIO_PCI_COMMON_Q_SELECT, 2, queue);
	mem_write(r, common(d) + VIRTIO_PCI_COMMON_Q_SIZE, 2, size);
	write_address(r, d, VIRTIO_PCI_COMMON_Q_DESCLO, *memory);
	write_address(r, d, VIRTIO_PCI_COMMON_Q_AVAILLO, avail);
	write_address(r, d, VIRTIO_PCI_COMMON_Q_USEDLO, used);
	mem_write(r, common(d) + VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	*memory = used + page_up(6 + 8 * size);
	if (*memory > END_OF_MEMORY)
		trouble(r, "the queues do not fit into the memory");
}

/* As virtio 1.3, 3.1.1, has it. */
static void drive_device(struct run *r, struct device *d, uint32_t *memory)
{
	unsigned int status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;

	map(r, d, WINDOW(d->slot), PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	set_status(r, d, 0);
	set_status(r, d, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	set_status(r, d, status);
	read_offer(r, d);
	take_features(r, d);
	status |= VIRTIO_CONFIG_S_FEATURES_OK;
	set_status(r, d, status);
	if (alive(r) && !(mem_read(r, common(d) + VIRTIO_PCI_COMMON_STATUS, 1) &
			  VIRTIO_CONFIG_S_FEATURES_OK)) {
		r->status = REFUSED;
		trouble(r, "the device in slot %u did not take the features", d->slot);
	}
	for (unsigned int i = 0; i < d->n_queues && alive(r); i++)
		if (d->queue_size[i])
			set_queue(r, d, i, memory);
	set_status(r, d, status | VIRTIO_CONFIG_S_DRIVER_OK);
	read_result(r, d);
}

static void drive_devices(struct run *r)
{
	uint32_t memory = QUEUE_MEMORY;

	for (unsigned int i = 0; i < r->n_devices && alive(r); i++)
		drive_device(r, &r->device[i], &memory);
}

/* What a destination offers; the stream brings all that is changed here. */
static void look_at_devices(struct run *r)
{
	for (unsigned int i = 0; i < r->n_devices && alive(r); i++) {
		struct device *d = &r->device[i];

		map(r, d, WINDOW(d->slot), PCI_COMMAND_MEMORY);
		read_offer(r, d);
		map(r, d, 0, 0);
	}
}

/* -------------------------------------------------------------- save and load */

static int save(struct run *r)
{
	int completed;

	drive_devices(r);
	if (!alive(r) || open_stream(r) < 0)
		return -1;
	r->started = true;
	if (!execute(r, "{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"fd:stream\"}}\n")) {
		if (*r->trouble) /* it says why this guest cannot be migrated */
			r->status = FAILED;
		return -1;
	}
	completed = wait_migration(r);
	if (completed < 0 || ask_state(r) < 0)
		return -1;
	if (!completed) {
		r->status = FAILED;
		return 0;
	}
	/* The rest of it; QEMU has closed its end, or will when it quits. */
	say(&r->qmp, "{\"execute\":\"quit\"}\n");
	while (r->stream_fd >= 0 && pump(r, 1000) == 0)
		;
	if (*r->trouble || r->hung)
		return -1;
	if (r->bytes)
		r->status = SAVED;
	return 0;
}

static int load(struct run *r)
{
	int completed;

	look_at_devices(r);
	if (!alive(r) || open_stream(r) < 0)
		return -1;
	r->started = true;
	if (!execute(r, "{\"execute\":\"migrate-incoming\","
			"\"arguments\":{\"uri\":\"fd:stream\"}}\n"))
		return -1;
	completed = wait_migration(r);
	if (completed < 0)
		return -1;
	if (!completed) {
		r->status = FAILED;
		return ask_state(r);
	}
	/* It is completed before it runs. */
	do
		if (ask_state(r) < 0 || pump(r, 2) < 0)
			return -1;
	while (strcmp(r->state, "inmigrate") == 0);
	if (strcmp(r->state, "running") != 0)
		return trouble(r, "the migration is completed, and the machine is not running");
	for (unsigned int i = 0; i < r->n_devices && alive(r); i++)
		read_result(r, &r->device[i]);
	if (!alive(r))
		return -1;
	r->status = LOADED;
	say(&r->qmp, "{\"execute\":\"quit\"}\n");
	return 0;
}

/* Wait until QEMU has ended, @ms at most. */
static bool wait_end(struct run *r, int ms)
{
	int64_t until = now_ms() + ms;

	if (r->deadline < until)
		r->deadline = until;
	while (!r->ended && now_ms() < until) {
		r->ended = waitpid(r->pid, &r->wait_status, WNOHANG) == r->pid;
		if (!r->ended)
			pump(r, 2);
	}
	return r->ended;
}

static void finish(struct run *r)
{
	if (r->pid <= 0)
		return;
	/* When the monitor is gone, QEMU is ending. */
	if (r->hung || !wait_end(r, r->qmp.fd < 0 || r->status >= SAVED ? QUIT_MS : 0)) {
		r->killed = true;
		kill(r->pid, SIGKILL);
		waitpid(r->pid, &r->wait_status, 0);
	}
	r->deadline = now_ms() + 1000;
	while (r->error_fd >= 0 && pump(r, 100) == 0)
		;
	close_fd(&r->qtest.fd);
	close_fd(&r->qmp.fd);
	close_fd(&r->error_fd);
	close_fd(&r->stream_fd);
}

/* Beside its name, so that a file is whole or not there. */
static int open_file(struct run *r, char *temporary, size_t size)
{
	snprintf(temporary, size, "%s.%d", r->job->file, (int)getpid());
	r->file_fd = r->job->load ? open(r->job->file, O_RDONLY | O_CLOEXEC) :
				    open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (r->file_fd >= 0)
		return 0;
	r->status = r->job->load ? NO_STREAM : TROUBLE;
	return trouble(r, "%s: %s", r->job->file, strerror(errno));
}

static void close_file(struct run *r, const char *temporary)
{
	if (r->file_fd < 0)
		return;
	close_fd(&r->file_fd);
	if (r->job->load)
		return;
	if (r->status == SAVED && rename(temporary, r->job->file) == 0)
		return;
	if (r->status == SAVED) {
		r->status = TROUBLE;
		trouble(r, "%s: %s", r->job->file, strerror(errno));
	}
	unlink(temporary);
}

static void decide(struct run *r, int done)
{
	if (r->hung)
		r->status = HUNG;
	else if (done < 0 && !*r->trouble && r->status != NO_STREAM)
		r->status = r->started ? FAILED : DID_NOT_START;
}

static void run_job(struct run *r, const struct job *job)
{
	char temporary[4096];
	int done;

	memset(r, 0, sizeof(*r));
	r->job = job;
	r->qtest.fd = r->qmp.fd = r->error_fd = r->stream_fd = r->file_fd = -1;
	r->status = TROUBLE;
	done = open_file(r, temporary, sizeof(temporary));
	if (done == 0)
		done = start(r);
	if (done == 0)
		done = meet_monitor(r);
	if (done == 0) {
		find_devices(r);
		done = !alive(r) ? -1 : job->load ? load(r) : save(r);
	}
	decide(r, done);
	finish(r);
	close_file(r, temporary);
}

/* ----------------------------------------------------------------- results */

static void print_text(const char *name, const char *text, size_t len)
{
	printf(",\"%s\":\"", name);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void print_word(const char *name, const struct word *w)
{
	printf(",\"%s\":\"0x%08x%08x%08x%08x\"", name, w->part[3], w->part[2], w->part[1],
	       w->part[0]);
}

static void print_sizes(const char *name, const struct device *d, const unsigned int *size)
{
	printf(",\"%s\":[", name);
	for (unsigned int i = 0; i < d->n_queues; i++)
		printf("%s%u", i ? "," : "", size[i]);
	putchar(']');
}

static void print_device(const struct run *r, const struct device *d)
{
	printf("%s{\"slot\":%u,\"type\":%u", d == r->device ? "" : ",", d->slot, d->type);
	print_word("offered", &d->offered);
	printf(",\"config_size\":%u", d->config_size);
	print_sizes("queue_sizes", d, d->queue_size);
	if (r->status == LOADED || r->status == SAVED) {
		print_word("negotiated", &d->negotiated);
		print_sizes("driver_sizes", d, d->driver_size);
	}
	putchar('}');
}

static void print_run(const struct run *r, const char *kernel, const char *id)
{
	printf("{\"op\":\"%s\",\"status\":\"%s\"", r->job->load ? "load" : "save",
	       status_words[r->status]);
	if (kernel)
		print_text("kernel", kernel, strlen(kernel));
	if (id)
		print_text("id", id, strlen(id));
	if (*r->state)
		print_text("state", r->state, strlen(r->state));
	if (r->started) {
		printf(",\"devices\":[");
		for (unsigned int i = 0; i < r->n_devices; i++)
			print_device(r, &r->device[i]);
		printf("],\"bytes\":%llu", r->bytes);
	}
	if (r->pid > 0 && !r->killed && WIFEXITED(r->wait_status))
		printf(",\"exit\":%d", WEXITSTATUS(r->wait_status));
	else if (r->pid > 0 && !r->killed)
		printf(",\"signal\":%d", WTERMSIG(r->wait_status));
	print_text("stderr", r->stderr_text, r->stderr_used);
	if (*r->trouble)
		print_text("trouble", r->trouble, strlen(r->trouble));
	printf(",\"ms\":%lld}\n", r->start ? (long long)(now_ms() - r->start) : 0);
	fflush(stdout);
}

/* ------------------------------------------------------------------- batch */

struct batch {
	const char *qemus, *streams, *kernel, *tap, *macvtap;
	struct job job; /* the options of all */
};

static int parse_word(const char *s, struct word *ret)
{
	size_t len;

	if (begins(s, "0x"))
		s += 2;
	len = strlen(s);
	if (!len || len > 32 || strspn(s, "0123456789abcdefABCDEF") != len)
		return -1;
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < len; i++) {
		char digit[2] = { s[len - 1 - i], '\0' };

		ret->part[i / 8] |= (uint32_t)strtoul(digit, NULL, 16) << (i % 8 * 4);
	}
	return 0;
}

enum { KERNEL, ID, OP, STREAM, QEMU, MACHINE, BACKEND, REFUSE, ARGS };

/* The command of a line, and the texts in it. */
struct command {
	char lib[1024], loader[1152], modules[1152], program[1152], share[3][1152];
	char file[1152], netdev[1152], device[128];
	const char *argv[MAX_WORDS + 1];
};

static int bad_line(unsigned long number, const char *what)
{
	fprintf(stderr, "drive: line %lu of the plan: %s\n", number, what);
	return -1;
}

static bool is_name(const char *s)
{
	return *s && *s != '.' && !strchr(s, '/') && strlen(s) < 256;
}

/* The device, and what it stands on. */
static bool add_device(const struct batch *b, struct job *job, const char *backend,
		       struct command *c)
{
	const char *vhost = strstr(backend, "+vhost") ? "on" : "off";
	bool macvtap = begins(backend, "macvtap");

	if (strcmp(backend, "vsock") == 0) {
		snprintf(c->device, sizeof(c->device), "vhost-vsock-pci,guest-cid=3,addr=4");
		return true;
	}
	if (!macvtap && !begins(backend, "tap"))
		return false;
	if (macvtap && b->macvtap) {
		job->open_path[0] = b->macvtap;
		snprintf(c->netdev, sizeof(c->netdev), "tap,id=n0,fd=%d,vhost=%s", FIRST_OPEN,
			 vhost);
	} else {
		snprintf(c->netdev, sizeof(c->netdev),
			 "tap,id=n0,ifname=%s,script=no,downscript=no,vhost=%s", b->tap, vhost);
	}
	snprintf(c->device, sizeof(c->device),
		 "virtio-net-pci,netdev=n0,addr=4,mac=52:54:00:ab:1b:a5");
	return true;
}

/* A program of a fetched root is run by its own loader: without chroot(2), without rights. */
static void set_paths(const struct batch *b, const char *suite, const char *stream,
		      struct command *c)
{
	char root[768];

	snprintf(root, sizeof(root), "%s/%s", b->qemus, suite);
	snprintf(c->lib, sizeof(c->lib), "%s/usr/lib/x86_64-linux-gnu", root);
	snprintf(c->loader, sizeof(c->loader), "%s/ld-linux-x86-64.so.2", c->lib);
	snprintf(c->modules, sizeof(c->modules), "%s/qemu", c->lib);
	snprintf(c->program, sizeof(c->program), "%s/usr/bin/qemu-system-x86_64", root);
	snprintf(c->share[0], sizeof(c->share[0]), "%s/usr/share/seabios", root);
	snprintf(c->share[1], sizeof(c->share[1]), "%s/usr/share/qemu", root);
	snprintf(c->share[2], sizeof(c->share[2]), "%s/usr/lib/ipxe/qemu", root);
	snprintf(c->file, sizeof(c->file), "%s/%s", b->streams, stream);
}

static void set_argv(struct command *c, const char *machine, char *const *args)
{
	const char *const first[] = {
		c->loader, "--library-path", c->lib, c->program,
		"-L", c->share[0], "-L", c->share[1], "-L", c->share[2],
		"-M", machine, "-device", c->device,
	};
	size_t n = ARRAY_SIZE(first);

	memcpy(c->argv, first, sizeof(first));
	if (*c->netdev) {
		c->argv[n++] = "-netdev";
		c->argv[n++] = c->netdev;
	}
	while (*args)
		c->argv[n++] = *args++;
	c->argv[n] = NULL;
	setenv("QEMU_MODULE_DIR", c->modules, 1);
	setenv("LC_ALL", "C", 1);
}

static int run_words(const struct batch *b, char *const *word, unsigned long number)
{
	static struct run run; /* large */
	struct command c = { .netdev = "" };
	struct job job = b->job;

	if (!is_name(word[STREAM]) || !is_name(word[QEMU]))
		return bad_line(number, "STREAM and QEMU are names in a directory");
	job.load = strcmp(word[OP], "load") == 0;
	if (!job.load && strcmp(word[OP], "save") != 0)
		return bad_line(number, "OP is save or load");
	if (parse_word(word[REFUSE], &job.refuse) < 0)
		return bad_line(number, "REFUSE is a hexadecimal number of 128 bits");
	if (!add_device(b, &job, word[BACKEND], &c))
		return bad_line(number, "there is no such BACKEND");
	set_paths(b, word[QEMU], word[STREAM], &c);
	set_argv(&c, word[MACHINE], word + ARGS);
	job.file = c.file;
	job.argv = c.argv;
	run_job(&run, &job);
	print_run(&run, word[KERNEL], word[ID]);
	return 0;
}

static int run_line(const struct batch *b, char *line, unsigned long number)
{
	/* those that run_words() adds have room in a command too */
	char *word[MAX_WORDS - 31] = { NULL };
	size_t n = 0;

	line[strcspn(line, "\n")] = '\0';
	while (line && n < ARRAY_SIZE(word) - 1)
		word[n++] = strsep(&line, "\t");
	if (n <= REFUSE || line)
		return bad_line(number, n <= REFUSE ? "less than eight words" : "too many words");
	return b->kernel && strcmp(b->kernel, word[KERNEL]) != 0 ? 0 : run_words(b, word, number);
}

static int run_batch(const struct batch *b)
{
	char *line = NULL;
	size_t size = 0;
	unsigned long number = 0;
	int r = 0;

	if (strlen(b->qemus) > 500 || strlen(b->streams) > 500) {
		fprintf(stderr, "drive: the name of a directory is too long\n");
		return 2;
	}
	while (r == 0 && getline(&line, &size, stdin) > 0)
		r = run_line(b, line, ++number);
	free(line);
	return r < 0 ? 2 : 0;
}

/* -------------------------------------------------------------- command line */

static int usage(const char *what)
{
	fprintf(stderr,
		"drive: %s\n"
		"usage: drive save|load FILE [--refuse=HEX] [--open=FD=PATH] [--timeout=SECONDS]"
		" -- QEMU ARG...\n"
		"       drive batch --qemus=DIR --streams=DIR [--kernel=NAME] [--tap=NAME]"
		" [--macvtap=PATH] [--timeout=SECONDS] < PLAN\n",
		what);
	return 2;
}

static const char *value_of(const char *arg, const char *name)
{
	return begins(arg, name) ? arg + strlen(name) : NULL;
}

static bool parse_common(const char *arg, struct job *job)
{
	const char *v = value_of(arg, "--timeout=");

	if (v)
		job->timeout_ms = atoi(v) * 1000;
	return v && job->timeout_ms > 0;
}

static bool parse_option(const char *arg, struct job *job)
{
	const char *v;

	v = value_of(arg, "--refuse=");
	if (v)
		return parse_word(v, &job->refuse) == 0;
	v = value_of(arg, "--open=");
	if (v && v[0] >= '0' + FIRST_OPEN && v[0] < '0' + FIRST_OPEN + MAX_OPEN && v[1] == '=') {
		job->open_path[v[0] - '0' - FIRST_OPEN] = v + 2;
		return true;
	}
	return parse_common(arg, job);
}

static bool parse_batch_option(const char *arg, struct batch *b)
{
	const struct {
		const char *name, **ret;
	} options[] = {
		{ "--qemus=", &b->qemus }, { "--streams=", &b->streams },
		{ "--kernel=", &b->kernel }, { "--tap=", &b->tap }, { "--macvtap=", &b->macvtap },
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const char *v = value_of(arg, options[i].name);

		if (!v)
			continue;
		*options[i].ret = v;
		return *v;
	}
	return parse_common(arg, &b->job);
}

static int one(char **argv)
{
	static struct run run;
	struct job job = { .load = strcmp(argv[0], "load") == 0, .file = argv[1],
			   .timeout_ms = 30000 };
	size_t n = 0;

	if (!argv[1])
		return usage("FILE is missing");
	for (argv += 2; *argv && strcmp(*argv, "--") != 0; argv++)
		if (!parse_option(*argv, &job))
			return usage(*argv);
	if (!*argv || !argv[1])
		return usage("the command of QEMU is missing");
	job.argv = (const char *const *)argv + 1;
	while (job.argv[n])
		n++;
	if (n > MAX_WORDS)
		return usage("too many arguments");
	run_job(&run, &job);
	print_run(&run, NULL, NULL);
	return run.status >= SAVED ? 0 : 1;
}

static int batch(char **argv)
{
	struct batch b = { .tap = "tap0", .job = { .timeout_ms = 30000 } };

	for (argv++; *argv; argv++)
		if (!parse_batch_option(*argv, &b))
			return usage(*argv);
	if (!b.qemus || !b.streams)
		return usage("--qemus and --streams have to be given");
	return run_batch(&b);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage("what is it to do?");
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(argv[1], "batch") == 0)
		return batch(argv + 1);
	if (strcmp(argv[1], "save") == 0 || strcmp(argv[1], "load") == 0)
		return one(argv + 1);
	return usage(argv[1]);
}
