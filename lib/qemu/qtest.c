/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/qtest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "document/json.h"
#include "base/known.h"

/* Where registers are mapped: free on every PC. */
#define WINDOW 0xe0000000u
#define IO_WINDOW 0xc000u
/* A capability list has room for no more than this in 256 bytes. */
#define CAPS_MAX 48
/* Longer than any virtio-net configuration that there is. */
#define CONFIG_MAX 64u
/* All that is asked of a device takes some hundred answers of some ten bytes. */
#define ANSWERS_MAX (1u << 20)

/* Longer than the name of any machine type. */
#define MACHINE_MAX 112u

/* ---------------------------------------------------------------- start */

#define TRIAL_FDS 2

static unsigned int all_fds(const struct qtest_request *rq)
{
	return qtest_fds(rq) + (rq->trial ? TRIAL_FDS : 0);
}

/* @words ends with NULL, or is it. */
static int add_words(struct strings *argv, const char *const *words)
{
	int r = 0;

	for (; r == 0 && words && *words; words++)
		r = strings_add(argv, *words);
	return r;
}

static int add_nic(struct strings *argv, const struct qtest_request *rq, size_t i)
{
	_buf_ netdev = { 0 };

	qtest_netdev(rq, i, NULL, &netdev);
	if (buf_failed(&netdev))
		return -ENOMEM;
	return add_words(argv, (const char *const[]){ "-netdev", netdev.data, "-device",
						      rq->nics[i].device, NULL });
}

/* First the words that are fixed, then those of the request. */
static int make_argv(const struct qtest_request *rq, struct strings *argv)
{
	unsigned int fd = QMP_FIRST_FD + qtest_fds(rq);
	char machine[MACHINE_MAX + 16], monitor[48], bios[32];
	const char *const fixed[] = { rq->path, "-nodefaults", "-no-user-config", "-display",
				      "none", "-qtest", "stdio", "-qtest-log", "none", "-machine",
				      machine, NULL };
	const char *const trial[] = { "-chardev", monitor, "-mon", QTEST_MONITOR, NULL };
	bool runs = rq->trial && rq->trial->bios_fd >= 0;
	int r;

	snprintf(machine, sizeof(machine), "%s,accel=tcg:kvm", rq->machine);
	snprintf(monitor, sizeof(monitor), "socket,id=abibase-monitor,fd=%u", fd);
	snprintf(bios, sizeof(bios), "/proc/self/fd/%u", fd + 1);
	r = add_words(argv, fixed);
	if (r == 0)
		r = add_words(argv, rq->trial ? trial : NULL);
	if (r == 0)
		r = add_words(argv, (const char *const[]){ runs ? "-bios" : "-S",
							   runs ? bios : NULL, NULL });
	if (r == 0)
		r = add_words(argv, rq->words);
	for (size_t i = 0; r == 0 && i < rq->n_nics; i++)
		r = add_nic(argv, rq, i);
	return r;
}

static int start(struct qmp *q, const struct qtest_request *rq)
{
	const struct qmp_preparation prep = { .fn = qtest_prepare, .data = (void *)rq,
					      .n_fds = all_fds(rq), .stop = rq->stop,
					      .without_rights = rq->trial != NULL };
	struct strings argv = { 0 };
	int r;

	if (!name_valid(rq->machine))
		return -EINVAL;
	if (rq->n_nics > QTEST_MAX_NICS || strlen(rq->machine) > MACHINE_MAX)
		return -E2BIG;
	r = make_argv(rq, &argv);
	if (r == 0)
		r = qmp_spawn(q, rq->path, argv.s, rq->timeout_ms, &prep);
	strings_clear(&argv);
	return r;
}

/* ----------------------------------------------------------- the protocol */

struct reader {
	struct qmp *q;
	unsigned int slot;
	struct qtest_device *dev;
	int r; /* the first failure: after it nothing more is asked, and every answer is 0 */
	/* the modern interface: a bar and an offset in it */
	uint32_t common_bar, common, device_bar, device, device_length;
	bool have_common, have_device;
};

static int junk(struct qmp *q)
{
	q->failure = QMP_JUNK;
	return -EBADMSG;
}

/* One command and its answer: "OK", or "OK 0x12"; @ret NULL: no value is expected. */
static int exchange(struct qmp *q, char *line, size_t size, uint64_t *ret)
{
	char *end;
	int r = qmp_send_text(q, line);

	do {
		if (r == 0)
			r = qmp_receive_text(q, line, size);
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

static _printf_(3, 4) void command(struct reader *rd, uint64_t *ret, const char *fmt, ...)
{
	char line[80];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (rd->r == 0)
		rd->r = exchange(rd->q, line, sizeof(line), ret);
}

static char width_letter(unsigned int bytes)
{
	return bytes == 1 ? 'b' : bytes == 2 ? 'w' : 'l';
}

static uint32_t read_port(struct reader *rd, unsigned int port, unsigned int bytes)
{
	uint64_t value = 0;

	command(rd, &value, "in%c 0x%x\n", width_letter(bytes), port);
	return (uint32_t)value;
}

static void write_port(struct reader *rd, unsigned int port, unsigned int bytes, uint32_t value)
{
	command(rd, NULL, "out%c 0x%x 0x%x\n", width_letter(bytes), port, value);
}

static void select_config(struct reader *rd, unsigned int offset)
{
	write_port(rd, 0xcf8, 4, 0x80000000u | rd->slot << 11 | (offset & ~3u));
}

static uint32_t read_config(struct reader *rd, unsigned int offset, unsigned int bytes)
{
	select_config(rd, offset);
	return read_port(rd, 0xcfc + (offset & 3), bytes);
}

static void write_config(struct reader *rd, unsigned int offset, unsigned int bytes, uint32_t value)
{
	select_config(rd, offset);
	write_port(rd, 0xcfc + (offset & 3), bytes, value);
}

static uint32_t read_memory(struct reader *rd, uint64_t address, unsigned int bytes)
{
	uint64_t value = 0;

	command(rd, &value, "read%c 0x%llx\n", width_letter(bytes), (unsigned long long)address);
	return (uint32_t)value;
}

static void write_memory(struct reader *rd, uint64_t address, unsigned int bytes, uint32_t value)
{
	command(rd, NULL, "write%c 0x%llx 0x%x\n", width_letter(bytes),
		(unsigned long long)address, value);
}

/* ------------------------------------------------------------- the device */

/* What is written to a BAR and read back has zeros where its size leaves no choice. */
static uint32_t read_bar_mask(struct reader *rd, unsigned int offset)
{
	uint32_t mask, old = read_config(rd, offset, 4);

	write_config(rd, offset, 4, 0xffffffff);
	mask = read_config(rd, offset, 4);
	write_config(rd, offset, 4, old);
	return mask;
}

static void read_bar(struct reader *rd, unsigned int i)
{
	struct qtest_bar *bar = &rd->dev->bar[i];
	uint32_t low = read_bar_mask(rd, PCI_BASE_ADDRESS_0 + 4 * i), high = 0xffffffff;

	if (!low)
		return;
	bar->io = low & PCI_BASE_ADDRESS_SPACE_IO;
	if (bar->io) {
		bar->size = (~(low & ~3u) & 0xffff) + 1;
		return;
	}
	bar->prefetch = low & PCI_BASE_ADDRESS_MEM_PREFETCH;
	bar->wide = (low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64;
	if (bar->wide && i + 1 < QTEST_BARS)
		high = read_bar_mask(rd, PCI_BASE_ADDRESS_0 + 4 * (i + 1));
	bar->size = ~((uint64_t)high << 32 | (low & ~0xfu)) + 1;
}

static void read_bars(struct reader *rd)
{
	/* Its lowest bit turns it on; the others below 2 KiB are reserved. PCI 3.0, 6.2.5.2. */
	uint32_t rom = read_bar_mask(rd, PCI_ROM_ADDRESS) & PCI_ROM_ADDRESS_MASK;

	rd->dev->rom_size = rom ? ~rom + 1 : 0;
	for (unsigned int i = 0; i < QTEST_BARS; i += rd->dev->bar[i].wide ? 2 : 1)
		read_bar(rd, i);
}

static void read_virtio_cap(struct reader *rd, uint32_t at)
{
	uint32_t type = read_config(rd, at + VIRTIO_PCI_CAP_CFG_TYPE, 1);
	uint32_t bar = read_config(rd, at + VIRTIO_PCI_CAP_BAR, 1);
	uint32_t offset = read_config(rd, at + VIRTIO_PCI_CAP_OFFSET, 4);
	uint32_t length = read_config(rd, at + VIRTIO_PCI_CAP_LENGTH, 4);

	if (bar >= QTEST_BARS || offset >= 1u << 24) {
		if (rd->r == 0 && type != VIRTIO_PCI_CAP_PCI_CFG)
			rd->r = junk(rd->q);
		return;
	}
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
}

static void read_caps(struct reader *rd)
{
	uint32_t at = read_config(rd, PCI_CAPABILITY_LIST, 1);

	for (int i = 0; at && i < CAPS_MAX; i++) {
		uint32_t id = read_config(rd, at, 1);

		if (id == PCI_CAP_ID_VNDR)
			read_virtio_cap(rd, at);
		else if (id == PCI_CAP_ID_MSIX)
			rd->dev->vectors =
				(read_config(rd, at + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE) +
				1;
		at = read_config(rd, at + PCI_CAP_LIST_NEXT, 1);
	}
}

static void map_bar(struct reader *rd, uint32_t bar)
{
	unsigned int offset = PCI_BASE_ADDRESS_0 + 4 * bar;

	write_config(rd, offset, 4, WINDOW);
	if (rd->dev->bar[bar].wide)
		write_config(rd, offset + 4, 4, 0);
	write_config(rd, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
}

static void read_features(struct reader *rd, uint64_t base)
{
	for (uint32_t i = 0; i < 4; i++) {
		write_memory(rd, base + VIRTIO_PCI_COMMON_DFSELECT, 4, i);
		rd->dev->offered[i / 2] |=
			(uint64_t)read_memory(rd, base + VIRTIO_PCI_COMMON_DF, 4) << (i % 2 * 32);
	}
}

static void read_queues(struct reader *rd, uint64_t base)
{
	uint32_t n = read_memory(rd, base + VIRTIO_PCI_COMMON_NUMQ, 2);

	if (n > QTEST_MAX_QUEUES) {
		rd->r = junk(rd->q);
		return;
	}
	rd->dev->n_queues = n;
	for (uint32_t i = 0; i < n; i++) {
		write_memory(rd, base + VIRTIO_PCI_COMMON_Q_SELECT, 2, i);
		rd->dev->queue_size[i] = read_memory(rd, base + VIRTIO_PCI_COMMON_Q_SIZE, 2);
	}
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
		if (word_has(dev->offered, parts[i].bit) && parts[i].end > least)
			least = parts[i].end;
	return least;
}

/*
 * The capability's length is that of the window, which is a page. Beyond the configuration QEMU
 * answers with all bits set; so can a field at its end, hence not less than the features take.
 */
static void read_config_size(struct reader *rd)
{
	unsigned int most = rd->device_length < CONFIG_MAX ? rd->device_length : CONFIG_MAX;

	rd->dev->config_size = least_config(rd->dev);
	for (unsigned int i = 0; i < most; i++)
		if (read_memory(rd, (uint64_t)WINDOW + rd->device + i, 1) != 0xff &&
		    i >= rd->dev->config_size)
			rd->dev->config_size = i + 1;
}

static void read_modern(struct reader *rd)
{
	uint64_t base = (uint64_t)WINDOW + rd->common;

	map_bar(rd, rd->common_bar);
	read_features(rd, base);
	read_queues(rd, base);
	if (rd->device_bar != rd->common_bar)
		map_bar(rd, rd->device_bar);
	read_config_size(rd);
}

static void read_legacy(struct reader *rd)
{
	struct qtest_device *dev = rd->dev;

	dev->legacy = true;
	write_config(rd, PCI_BASE_ADDRESS_0, 4, IO_WINDOW);
	write_config(rd, PCI_COMMAND, 2, PCI_COMMAND_IO);
	dev->offered[0] = read_port(rd, IO_WINDOW + VIRTIO_PCI_HOST_FEATURES, 4) &
			  ~(1u << BAD_FEATURE_BIT);
	/* It does not say how many queues it has: the first without a size is none. */
	for (; dev->n_queues < QTEST_MAX_QUEUES; dev->n_queues++) {
		write_port(rd, IO_WINDOW + VIRTIO_PCI_QUEUE_SEL, 2, dev->n_queues);
		dev->queue_size[dev->n_queues] = read_port(rd, IO_WINDOW + VIRTIO_PCI_QUEUE_NUM, 2);
		if (!dev->queue_size[dev->n_queues])
			break;
	}
}

static int read_device(struct reader *rd, struct buf *why)
{
	uint32_t id = read_config(rd, PCI_VENDOR_ID, 4);

	if (rd->r < 0)
		return rd->r;
	if ((id & 0xffff) != 0x1af4) {
		buf_printf(why, "its PCI slot %u does not have the virtio device", rd->slot);
		return -ENODEV;
	}
	read_bars(rd);
	read_caps(rd);
	if (rd->r < 0)
		return rd->r;
	if (rd->have_common && rd->have_device) {
		read_modern(rd);
	} else if (rd->dev->bar[0].io) {
		read_legacy(rd);
	} else {
		buf_puts(why, "the device has no modern interface, and no legacy one");
		return -ENODEV;
	}
	/* The next one is mapped at the same place. */
	write_config(rd, PCI_COMMAND, 2, 0);
	return rd->r;
}

/* Without a device to read it is still to be known whether it runs. */
static int answers(struct qmp *q)
{
	struct reader rd = { .q = q };

	select_config(&rd, 0);
	return rd.r;
}

static int read_devices(struct qmp *q, const struct qtest_request *rq, struct qtest_device *ret,
			struct buf *why)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rq->n_nics; i++) {
		struct reader rd = { .q = q, .dev = &ret[i], .slot = QTEST_SLOT + (unsigned int)i };

		r = read_device(&rd, why);
	}
	return rq->n_nics ? r : answers(q);
}

/* ------------------------------------------------------------------ all of it */

static void say_failure(const struct qmp *q, int err, struct buf *why)
{
	char words[QMP_WORDS], end[128];

	if (why->len)
		return;
	switch (q->failure) {
	case QMP_TIMEOUT:
		buf_puts(why, "no answer over qtest in time, so it was killed");
		break;
	case QMP_DIED:
		process_how_it_ended(q->status, end, sizeof(end));
		buf_printf(why, "it %s", end);
		break;
	case QMP_NO_SETUP:
		buf_printf(why, "%s: %s", qtest_step_words(q->step), strerror(err));
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
	buf_puts(why, qmp_last_words(q, words));
}

/* --------------------------------------------------------- the device at work, asked */

/* Memory for the rings of the queues: each gets more than 1024 entries take. */
#define RINGS 0x1000000u
#define RING_STEP 0x10000u
#define DRIVER_STEPS \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)

static void set_status(struct reader *rd, uint64_t base, uint32_t status)
{
	write_memory(rd, base + VIRTIO_PCI_COMMON_STATUS, 1, status);
}

static void take_features(struct reader *rd, uint64_t base)
{
	for (uint32_t i = 0; i < 4; i++) {
		write_memory(rd, base + VIRTIO_PCI_COMMON_GFSELECT, 4, i);
		write_memory(rd, base + VIRTIO_PCI_COMMON_GF, 4,
			     (uint32_t)(rd->dev->offered[i / 2] >> (i % 2 * 32)));
	}
}

static void set_up_queue(struct reader *rd, uint64_t base, uint32_t i)
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

	write_memory(rd, base + VIRTIO_PCI_COMMON_Q_SELECT, 2, i);
	for (size_t k = 0; k < ARRAY_SIZE(writes); k++)
		write_memory(rd, base + writes[k].offset, 4, writes[k].value);
	write_memory(rd, base + VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
}

/* As a driver does it; virtio 1.3, 3.1.1. */
static int drive(struct reader *rd, struct buf *why)
{
	int r = read_device(rd, why);
	uint64_t base = (uint64_t)WINDOW + rd->common;

	if (r < 0)
		return r;
	if (rd->dev->legacy) {
		buf_puts(why, "the device has no modern interface");
		return -ENODEV;
	}
	map_bar(rd, rd->common_bar);
	write_config(rd, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	set_status(rd, base, 0);
	set_status(rd, base, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	take_features(rd, base);
	set_status(rd, base, DRIVER_STEPS);
	for (uint32_t i = 0; i < rd->dev->n_queues; i++)
		if (rd->dev->queue_size[i])
			set_up_queue(rd, base, i);
	set_status(rd, base, DRIVER_STEPS | VIRTIO_CONFIG_S_DRIVER_OK);
	return rd->r;
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
	struct reader rd = { .q = &q, .dev = &dev, .slot = QTEST_SLOT };
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
		read_config(&rd, PCI_VENDOR_ID, 4);
		r = r < 0 ? r : rd.r;
	}
	qmp_kill(&q);
	qmp_stop(&q);
	qmp_stop(&mon);
	if (r < 0 && mon.failure != QMP_REFUSED)
		say_failure(&q, -r, why);
	return r;
}

/* Out of the way of the numbers under which descriptors are handed over. */
static int move_up(const struct qtest_request *rq, int *fd)
{
	int up = fcntl(*fd, F_DUPFD_CLOEXEC, QMP_FIRST_FD + (int)all_fds(rq));

	close(*fd);
	*fd = up;
	return up < 0 ? -errno : 0;
}

int qtest_try(const struct qtest_request *rq, qtest_ask_fn *ask, void *data, struct buf *why)
{
	struct qtest_trial trial = { .monitor_fd = -1, .bios_fd = -1 };
	struct qtest_request with = *rq;
	int fds[2], r = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	trial.monitor_fd = fds[1];
	with.trial = &trial;
	r = move_up(&with, &trial.monitor_fd);
	/* a stopped machine never starts vhost */
	if (r == 0 && qtest_has_vhost(rq->nics[0].backend)) {
		trial.bios_fd = make_bios();
		r = trial.bios_fd < 0 ? trial.bios_fd : move_up(&with, &trial.bios_fd);
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
	struct qmp q;
	int r;

	memset(ret, 0, rq->n_nics * sizeof(*ret));
	qmp_init(&q);
	r = start(&q, rq);
	if (r == 0)
		r = read_devices(&q, rq, ret, why);
	/* It has no guest and nothing to save. */
	qmp_kill(&q);
	qmp_stop(&q);
	if (r < 0 && (r != -ENOMEM || q.failure != QMP_OK))
		say_failure(&q, -r, why);
	return r;
}
