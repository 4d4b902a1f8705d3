/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qtest.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "probe.h"

/* Where the device is put, and where its registers are mapped: both free on every PC. */
#define SLOT 5u
#define WINDOW 0xe0000000u
/* A capability list has room for no more than this in 256 bytes. */
#define CAPS_MAX 48
/* Longer than any virtio-net configuration that there is. */
#define CONFIG_MAX 64u
/* All that is asked takes some hundred answers of some ten bytes. */
#define ANSWERS_MAX (1u << 20)
/* Descriptors that QEMU inherits. */
#define TAP_FD 3
#define VHOST_FD 4
#define MONITOR_FD 5
#define BIOS_FD 6

const char *const qtest_backend_names[N_QTEST_BACKENDS + 1] = {
	[QTEST_TAP] = "tap",
	[QTEST_TAP_VHOST] = "tap+vhost",
	[QTEST_USER] = "user",
	[N_QTEST_BACKENDS] = NULL,
};

/* -------------------------------------------------- the backend, in the child */

enum { STEP_NETNS = 1, STEP_TUN, STEP_TAP, STEP_VHOST, STEP_WHERE };
static const char *const step_words[] = {
	[STEP_NETNS] = "making a network namespace",
	[STEP_TUN] = "opening /dev/net/tun",
	[STEP_TAP] = "making a tap",
	[STEP_VHOST] = "opening /dev/vhost-net",
	[STEP_WHERE] = "going where the guest's QEMU is",
};

static bool may_unshare(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	return capng_get_caps_process() == 0 &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
}

/* Open a node and leave it, open across exec, under a number that QEMU is told. */
static int open_as(const char *node, int number)
{
	int fd = open(node, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (fd == number)
		return fcntl(fd, F_SETFD, 0) < 0 ? -errno : 0;
	if (dup2(fd, number) < 0)
		return -errno;
	close(fd);
	return 0;
}

/* As QEMU makes it, but by its creator QEMU needs no right to: the descriptor is handed over. */
static int make_tap(void)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

	return ioctl(TAP_FD, TUNSETIFF, &ifr) < 0 ? -errno : 0;
}

int surroundings_enter(const struct surroundings *s)
{
	if (s->root_fd >= 0 && (fchdir(s->root_fd) < 0 || chroot(".") < 0))
		return -errno;
	if (geteuid() != 0 || (s->uid == 0 && s->gid == 0))
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(s->gid, s->gid, s->gid) < 0 ||
	    setresuid(s->uid, s->uid, s->uid) < 0)
		return -errno;
	return 0;
}

static int enter_trial(const struct qtest_trial *trial)
{
	if (dup2(trial->monitor_fd, MONITOR_FD) < 0)
		return -errno;
	if (trial->bios_fd >= 0 && dup2(trial->bios_fd, BIOS_FD) < 0)
		return -errno;
	return surroundings_enter(trial->where);
}

static int make_backend(const struct qtest_request *rq, int *step)
{
	int r;

	if (rq->backend == QTEST_USER)
		return 0;
	*step = STEP_NETNS;
	if (unshare(CLONE_NEWNET | (may_unshare() ? 0 : CLONE_NEWUSER)) < 0)
		return -errno;
	*step = STEP_TUN;
	r = open_as("/dev/net/tun", TAP_FD);
	if (r < 0)
		return r;
	*step = STEP_TAP;
	r = make_tap();
	if (r < 0 || rq->backend == QTEST_TAP)
		return r;
	*step = STEP_VHOST;
	return open_as("/dev/vhost-net", VHOST_FD);
}

/* Runs between fork() and exec. */
static int prepare(void *data, int *step)
{
	const struct qtest_request *rq = data;
	int r = make_backend(rq, step);

	if (r < 0 || !rq->trial)
		return r;
	*step = STEP_WHERE;
	return enter_trial(rq->trial);
}

/* ---------------------------------------------------------------- start */

static const char *const netdevs[N_QTEST_BACKENDS] = {
	[QTEST_TAP] = "tap,id=abibase0,fd=3,vhost=off",
	[QTEST_TAP_VHOST] = "tap,id=abibase0,fd=3,vhost=on,vhostfd=4",
	[QTEST_USER] = "user,id=abibase0",
};

static int start(struct qmp *q, const struct qtest_request *rq)
{
	/* The ROM would be a package of its own, and is the guest's business no further. */
	const char *const fixed[] = {
		rq->path, "-nodefaults", "-no-user-config", "-display", "none",
		"-netdev", netdevs[rq->backend],
		"-device", "virtio-net-pci,netdev=abibase0,addr=5,romfile=",
		"-qtest", "stdio", "-qtest-log", "none",
	};
	static const char *const monitor[] = { "-chardev", "socket,id=abibase1,fd=5", "-mon",
					       "chardev=abibase1,mode=control" };
	bool runs = rq->trial && rq->trial->bios_fd >= 0;
	_autofree_ const char **argv = NULL;
	_buf_ machine = { 0 };
	size_t n = ARRAY_SIZE(fixed), settings = 0;

	while (rq->settings && rq->settings[settings])
		settings++;
	argv = calloc(n + ARRAY_SIZE(monitor) + 2 * settings + 5, sizeof(*argv));
	buf_printf(&machine, "%s,accel=tcg:kvm", rq->machine);
	if (!argv || buf_failed(&machine))
		return -ENOMEM;
	memcpy(argv, fixed, sizeof(fixed));
	argv[n++] = runs ? "-bios" : "-S";
	if (runs)
		argv[n++] = "/proc/self/fd/6";
	argv[n++] = "-machine";
	argv[n++] = machine.data;
	for (size_t i = 0; i < settings; i++) {
		argv[n++] = "-global";
		argv[n++] = rq->settings[i];
	}
	for (size_t i = 0; rq->trial && i < ARRAY_SIZE(monitor); i++)
		argv[n++] = monitor[i];
	return qmp_spawn_with(q, rq->path, (char *const *)argv, rq->timeout_ms, prepare,
			      (void *)rq);
}

/* ----------------------------------------------------------- the protocol */

static int junk(struct qmp *q)
{
	q->failure = QMP_JUNK;
	return -EBADMSG;
}

/* One command and its answer: "OK", or "OK 0x12"; @ret NULL: no value is expected. */
static int command(struct qmp *q, uint64_t *ret, const char *fmt, ...) _printf_(3, 4);
static int command(struct qmp *q, uint64_t *ret, const char *fmt, ...)
{
	char line[80], *end;
	va_list ap;
	int r;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	r = qmp_send_text(q, line);
	do {
		if (r == 0)
			r = qmp_receive_text(q, line, sizeof(line));
		if (r < 0)
			return r;
		if (q->total > ANSWERS_MAX) {
			q->failure = QMP_TOO_MUCH;
			return -EMSGSIZE;
		}
	} while (strprefix(line, "IRQ "));
	if (!ret)
		return streq(line, "OK") ? 0 : junk(q);
	if (!strprefix(line, "OK 0x"))
		return junk(q);
	errno = 0;
	*ret = strtoull(line + strlen("OK "), &end, 16);
	return *end || errno ? junk(q) : 0;
}

static char width_letter(unsigned int bytes)
{
	return bytes == 1 ? 'b' : bytes == 2 ? 'w' : 'l';
}

static int select_config(struct qmp *q, unsigned int offset)
{
	return command(q, NULL, "outl 0xcf8 0x%x\n", 0x80000000u | SLOT << 11 | (offset & ~3u));
}

static int read_config(struct qmp *q, unsigned int offset, unsigned int bytes, uint32_t *ret)
{
	uint64_t value = 0;
	int r = select_config(q, offset);

	if (r == 0)
		r = command(q, &value, "in%c 0x%x\n", width_letter(bytes), 0xcfc + (offset & 3));
	*ret = (uint32_t)value;
	return r;
}

static int write_config(struct qmp *q, unsigned int offset, unsigned int bytes, uint32_t value)
{
	int r = select_config(q, offset);

	return r < 0 ? r : command(q, NULL, "out%c 0x%x 0x%x\n", width_letter(bytes),
				   0xcfc + (offset & 3), value);
}

static int read_memory(struct qmp *q, uint64_t address, unsigned int bytes, uint32_t *ret)
{
	uint64_t value = 0;
	int r = command(q, &value, "read%c 0x%llx\n", width_letter(bytes),
			(unsigned long long)address);

	*ret = (uint32_t)value;
	return r;
}

static int write_memory(struct qmp *q, uint64_t address, unsigned int bytes, uint32_t value)
{
	return command(q, NULL, "write%c 0x%llx 0x%x\n", width_letter(bytes),
		       (unsigned long long)address, value);
}

/* ------------------------------------------------------------- the device */

struct reader {
	struct qmp *q;
	struct qtest_device *dev;
	/* the modern interface: a bar and an offset in it */
	uint32_t common_bar, common, device_bar, device, device_length;
	bool have_common, have_device;
};

/* What is written to a BAR and read back has zeros where its size leaves no choice. */
static int read_bar_word(struct qmp *q, unsigned int offset, uint32_t *ret_old, uint32_t *ret_mask)
{
	int r = read_config(q, offset, 4, ret_old);

	if (r == 0)
		r = write_config(q, offset, 4, 0xffffffff);
	if (r == 0)
		r = read_config(q, offset, 4, ret_mask);
	if (r == 0)
		r = write_config(q, offset, 4, *ret_old);
	return r;
}

static int read_bar(struct reader *rd, unsigned int i)
{
	struct qtest_bar *bar = &rd->dev->bar[i];
	uint32_t old, low, high = 0xffffffff;
	uint64_t mask;
	int r = read_bar_word(rd->q, PCI_BASE_ADDRESS_0 + 4 * i, &old, &low);

	if (r < 0 || !low)
		return r;
	bar->io = low & PCI_BASE_ADDRESS_SPACE_IO;
	if (bar->io) {
		bar->size = (~(low & ~3u) & 0xffff) + 1;
		return 0;
	}
	bar->prefetch = low & PCI_BASE_ADDRESS_MEM_PREFETCH;
	bar->wide = (low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64;
	if (bar->wide && i + 1 < QTEST_BARS)
		r = read_bar_word(rd->q, PCI_BASE_ADDRESS_0 + 4 * (i + 1), &old, &high);
	mask = (uint64_t)high << 32 | (low & ~0xfu);
	bar->size = ~mask + 1;
	return r;
}

static int read_bars(struct reader *rd)
{
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < QTEST_BARS; i++) {
		r = read_bar(rd, i);
		if (rd->dev->bar[i].wide)
			i++;
	}
	return r;
}

static int read_virtio_cap(struct reader *rd, uint32_t at)
{
	uint32_t type, bar, offset, length;
	int r = read_config(rd->q, at + VIRTIO_PCI_CAP_CFG_TYPE, 1, &type);

	if (r == 0)
		r = read_config(rd->q, at + VIRTIO_PCI_CAP_BAR, 1, &bar);
	if (r == 0)
		r = read_config(rd->q, at + VIRTIO_PCI_CAP_OFFSET, 4, &offset);
	if (r == 0)
		r = read_config(rd->q, at + VIRTIO_PCI_CAP_LENGTH, 4, &length);
	if (r < 0)
		return r;
	if (bar >= QTEST_BARS || offset >= 1u << 24)
		return type == VIRTIO_PCI_CAP_PCI_CFG ? 0 : junk(rd->q);
	/* The first one of a type is the one to use. */
	if (type == VIRTIO_PCI_CAP_COMMON_CFG && !rd->have_common) {
		rd->have_common = true;
		rd->common_bar = bar;
		rd->common = offset;
	} else if (type == VIRTIO_PCI_CAP_DEVICE_CFG && !rd->have_device) {
		rd->have_device = true;
		rd->device_bar = bar;
		rd->device = offset;
		rd->device_length = length;
	}
	return 0;
}

static int read_caps(struct reader *rd)
{
	uint32_t at, id;
	int r = read_config(rd->q, PCI_CAPABILITY_LIST, 1, &at);

	for (int i = 0; r == 0 && at && i < CAPS_MAX; i++) {
		r = read_config(rd->q, at, 1, &id);
		if (r == 0 && id == PCI_CAP_ID_VNDR)
			r = read_virtio_cap(rd, at);
		if (r == 0)
			r = read_config(rd->q, at + PCI_CAP_LIST_NEXT, 1, &at);
	}
	return r;
}

static int map_bar(struct reader *rd, uint32_t bar)
{
	unsigned int offset = PCI_BASE_ADDRESS_0 + 4 * bar;
	int r = write_config(rd->q, offset, 4, WINDOW);

	if (r == 0 && rd->dev->bar[bar].wide)
		r = write_config(rd->q, offset + 4, 4, 0);
	if (r == 0)
		r = write_config(rd->q, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	return r;
}

static int read_features(struct reader *rd, uint64_t base)
{
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t word = 0;
		int r = write_memory(rd->q, base + VIRTIO_PCI_COMMON_DFSELECT, 4, i);

		if (r == 0)
			r = read_memory(rd->q, base + VIRTIO_PCI_COMMON_DF, 4, &word);
		if (r < 0)
			return r;
		rd->dev->offered[i / 2] |= (uint64_t)word << (i % 2 * 32);
	}
	return 0;
}

static int read_queues(struct reader *rd, uint64_t base)
{
	uint32_t n;
	int r = read_memory(rd->q, base + VIRTIO_PCI_COMMON_NUMQ, 2, &n);

	if (r < 0)
		return r;
	if (n > QTEST_MAX_QUEUES)
		return junk(rd->q);
	rd->dev->n_queues = n;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t size = 0;

		r = write_memory(rd->q, base + VIRTIO_PCI_COMMON_Q_SELECT, 2, i);
		if (r == 0)
			r = read_memory(rd->q, base + VIRTIO_PCI_COMMON_Q_SIZE, 2, &size);
		if (r < 0)
			return r;
		rd->dev->queue_size[i] = size;
	}
	return 0;
}

/* How much of the configuration the offered features take; virtio 1.3, 5.1.4. */
static unsigned int least_config(const struct qtest_device *dev)
{
	static const struct {
		int bit;
		unsigned int end;
	} parts[] = { { 5, 6 },	  { 16, 8 },  { 22, 10 }, { 3, 12 },
		      { 63, 17 }, { 57, 24 }, { 60, 24 } };
	unsigned int least = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (dev->offered[parts[i].bit / 64] >> (parts[i].bit % 64) & 1 &&
		    parts[i].end > least)
			least = parts[i].end;
	return least;
}

/*
 * The capability's length is that of the window, which is a page. Beyond the configuration QEMU
 * answers with all bits set; so can a field at its end, hence not less than the features take.
 */
static int read_config_size(struct reader *rd)
{
	unsigned int most = rd->device_length < CONFIG_MAX ? rd->device_length : CONFIG_MAX;
	uint32_t byte;
	int r = 0;

	rd->dev->config_size = least_config(rd->dev);
	for (unsigned int i = 0; i < most; i++) {
		r = read_memory(rd->q, (uint64_t)WINDOW + rd->device + i, 1, &byte);
		if (r < 0)
			return r;
		if (byte != 0xff && i >= rd->dev->config_size)
			rd->dev->config_size = i + 1;
	}
	return 0;
}

static int read_device(struct reader *rd, struct buf *why)
{
	uint64_t base;
	uint32_t id;
	int r = read_config(rd->q, PCI_VENDOR_ID, 4, &id);

	if (r < 0)
		return r;
	if ((id & 0xffff) != 0x1af4) {
		buf_puts(why, "its PCI slot 5 does not have the virtio device");
		return -ENODEV;
	}
	r = read_bars(rd);
	if (r == 0)
		r = read_caps(rd);
	if (r < 0)
		return r;
	if (!rd->have_common || !rd->have_device) {
		buf_puts(why, "the device has no modern interface");
		return -ENODEV;
	}
	r = map_bar(rd, rd->common_bar);
	base = (uint64_t)WINDOW + rd->common;
	if (r == 0)
		r = read_features(rd, base);
	if (r == 0)
		r = read_queues(rd, base);
	if (r == 0 && rd->device_bar != rd->common_bar)
		r = map_bar(rd, rd->device_bar);
	return r < 0 ? r : read_config_size(rd);
}

/* ------------------------------------------------------------------ all of it */

static void say_failure(const struct qmp *q, int err, struct buf *why)
{
	char words[256], end[128];

	if (why->len)
		return;
	qmp_last_words(q, words, sizeof(words));
	switch (q->failure) {
	case QMP_TIMEOUT:
		buf_puts(why, "no answer over qtest in time, so it was killed");
		break;
	case QMP_DIED:
		probe_how_it_ended(q->status, end, sizeof(end));
		buf_printf(why, "it %s", end);
		break;
	case QMP_NO_SETUP:
		buf_printf(why, "%s: %s", step_words[q->step], strerror(err));
		break;
	case QMP_TOO_MUCH:
		buf_puts(why, "it says more than a QEMU can mean");
		break;
	case QMP_JUNK:
		buf_puts(why, "what it answers is not the qtest protocol");
		break;
	default:
		buf_puts(why, strerror(err));
	}
	if (*words)
		buf_printf(why, "; it said: %s", words);
}

/* --------------------------------------------------------- the device at work, asked */

/* Memory for the rings of the queues: each gets more than 1024 entries take. */
#define RINGS 0x1000000u
#define RING_STEP 0x10000u
#define DRIVER_STEPS \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)

static int set_status(struct reader *rd, uint64_t base, uint32_t status)
{
	return write_memory(rd->q, base + VIRTIO_PCI_COMMON_STATUS, 1, status);
}

static int take_features(struct reader *rd, uint64_t base)
{
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t word = (uint32_t)(rd->dev->offered[i / 2] >> (i % 2 * 32));
		int r = write_memory(rd->q, base + VIRTIO_PCI_COMMON_GFSELECT, 4, i);

		if (r == 0)
			r = write_memory(rd->q, base + VIRTIO_PCI_COMMON_GF, 4, word);
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_up_queue(struct reader *rd, uint64_t base, uint32_t i)
{
	uint64_t ring = RINGS + (uint64_t)i * RING_STEP;
	const struct {
		uint32_t offset, value;
	} writes[] = {
		{ VIRTIO_PCI_COMMON_Q_DESCLO, (uint32_t)ring },
		{ VIRTIO_PCI_COMMON_Q_DESCHI, 0 },
		{ VIRTIO_PCI_COMMON_Q_AVAILLO, (uint32_t)ring + 0x8000 },
		{ VIRTIO_PCI_COMMON_Q_AVAILHI, 0 },
		{ VIRTIO_PCI_COMMON_Q_USEDLO, (uint32_t)ring + 0xa000 },
		{ VIRTIO_PCI_COMMON_Q_USEDHI, 0 },
	};
	int r = write_memory(rd->q, base + VIRTIO_PCI_COMMON_Q_SELECT, 2, i);

	for (size_t k = 0; r == 0 && k < ARRAY_SIZE(writes); k++)
		r = write_memory(rd->q, base + writes[k].offset, 4, writes[k].value);
	return r < 0 ? r : write_memory(rd->q, base + VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
}

/* As a driver does it; virtio 1.3, 3.1.1. */
static int drive_device(struct reader *rd)
{
	uint64_t base = (uint64_t)WINDOW + rd->common;
	int r = write_config(rd->q, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);

	if (r == 0)
		r = set_status(rd, base, 0);
	if (r == 0)
		r = set_status(rd, base, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	if (r == 0)
		r = take_features(rd, base);
	if (r == 0)
		r = set_status(rd, base, DRIVER_STEPS);
	for (uint32_t i = 0; r == 0 && i < rd->dev->n_queues; i++)
		if (rd->dev->queue_size[i])
			r = set_up_queue(rd, base, i);
	return r < 0 ? r : set_status(rd, base, DRIVER_STEPS | VIRTIO_CONFIG_S_DRIVER_OK);
}

/* With all but the common registers in a bar of its own, the window is at the others by now. */
static int drive(struct reader *rd, struct buf *why)
{
	int r = read_device(rd, why);

	if (r == 0 && rd->device_bar != rd->common_bar)
		r = map_bar(rd, rd->common_bar);
	return r < 0 ? r : drive_device(rd);
}

/* 64 KiB that end in the reset vector, where a processor is halted for good: cli; hlt. */
static int make_bios(void)
{
	static const unsigned char halt[] = { 0xfa, 0xf4, 0xeb, 0xfd };
	int fd = memfd_create("abibase-bios", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, 0x10000) == 0 &&
	    pwrite(fd, halt, sizeof(halt), 0xfff0) == (ssize_t)sizeof(halt))
		return fd;
	close(fd);
	return -EIO;
}

static int try_asking(const struct qtest_request *rq, struct qtest_trial *trial, int monitor,
		      qtest_ask_fn *ask, void *data, struct buf *why)
{
	struct qtest_device dev = { 0 };
	struct qmp q, mon;
	struct reader rd = { .q = &q, .dev = &dev };
	uint32_t id;
	int r;

	qmp_init(&q);
	qmp_attach(&mon, monitor, rq->timeout_ms);
	r = start(&q, rq);
	/* or its end would never be seen */
	closep(&trial->monitor_fd);
	trial->monitor_fd = -1;
	if (r == 0)
		r = drive(&rd, why);
	if (r == 0)
		r = ask(data, &mon);
	/* it has answered; does it still, a moment later? And if not, what did it say? */
	if (q.failure == QMP_OK && (r == 0 || mon.failure == QMP_DIED)) {
		int alive = read_config(&q, PCI_VENDOR_ID, 4, &id);

		r = r < 0 ? r : alive;
	}
	qmp_kill(&q);
	qmp_stop(&q);
	qmp_stop(&mon);
	if (r < 0 && mon.failure != QMP_REFUSED)
		say_failure(&q, -r, why);
	return r;
}

/* Out of the way of the numbers under which descriptors are handed over. */
static int move_up(int *fd)
{
	int up = fcntl(*fd, F_DUPFD_CLOEXEC, QMP_FIRST_FD);

	close(*fd);
	*fd = up;
	return up < 0 ? -errno : 0;
}

int qtest_try(const struct qtest_request *rq, const struct surroundings *where, qtest_ask_fn *ask,
	      void *data, struct buf *why)
{
	struct qtest_trial trial = { .where = where, .monitor_fd = -1, .bios_fd = -1 };
	struct qtest_request with = *rq;
	int fds[2], r = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	trial.monitor_fd = fds[1];
	with.trial = &trial;
	r = move_up(&trial.monitor_fd);
	/* a stopped machine never starts vhost */
	if (r == 0 && rq->backend == QTEST_TAP_VHOST) {
		trial.bios_fd = make_bios();
		r = trial.bios_fd < 0 ? trial.bios_fd : move_up(&trial.bios_fd);
	}
	if (r == 0)
		r = try_asking(&with, &trial, fds[0], ask, data, why);
	else
		close(fds[0]);
	closep(&trial.monitor_fd);
	closep(&trial.bios_fd);
	return r;
}

/* ------------------------------------------------------------------- only looked at */

int qtest_observe(const struct qtest_request *rq, struct qtest_device *ret, struct buf *why)
{
	struct qtest_device dev = { 0 };
	struct qmp q;
	struct reader rd = { .q = &q, .dev = &dev };
	int r;

	qmp_init(&q);
	r = start(&q, rq);
	if (r == 0)
		r = read_device(&rd, why);
	/* It has no guest and nothing to save. */
	qmp_kill(&q);
	qmp_stop(&q);
	if (r < 0) {
		if (r != -ENOMEM || q.failure != QMP_OK)
			say_failure(&q, -r, why);
		return r;
	}
	*ret = dev;
	return 0;
}
