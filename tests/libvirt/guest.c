/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The guest of these tests: a kernel as the multiboot specification has it, without a C library, of
 * some 10 KB. It does to each virtio network device what a driver does up to DRIVER_OK, taking all
 * that is offered, and says on the first serial port
 *
 *   net FEATURES        for each, 16 hexadecimal digits: what device and driver agreed upon
 *   alive NUMBER        five times a second
 *
 * It is up in a second under TCG, where Linux takes ten. No packet is moved.
 */

#include <stdbool.h>
#include <stdint.h>

#define NICS 8
#define QUEUES 3 /* receive, transmit, control */
#define SIZE 1024 /* the largest queue that QEMU makes */

/* Memory of one queue, as virtio 1.0 has it */
struct queue {
	struct {
		uint64_t address;
		uint32_t length;
		uint16_t flags, next;
	} descriptors[SIZE];
	uint16_t available[SIZE + 3];
	_Alignas(4) uint32_t used[2 * SIZE + 2];
};
static _Alignas(4096) struct queue queues[NICS][QUEUES];

/* struct virtio_pci_common_cfg; 64-bit registers are written as two halves */
struct common {
	uint32_t device_select, device_features, driver_select, driver_features;
	uint16_t msix, queues;
	uint8_t status, generation;
	uint16_t queue_select, queue_size, queue_msix, queue_enable, queue_notify;
	uint32_t descriptors[2], available[2], used[2];
};
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8 };

/* ------------------------------------------------------------------ ports, serial port, PCI */

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void say(const char *s)
{
	for (; *s; s++) {
		while (!(in8(0x3fd) & 0x20))
			;
		out8(0x3f8, (uint8_t)*s);
	}
}

/* The last @digits of @value to the base 8 or 16 */
static void say_number(uint64_t value, unsigned int digits, unsigned int bits)
{
	char text[32] = { 0 };

	for (unsigned int i = digits; i--; value >>= bits)
		text[i] = "0123456789abcdef"[value & ((1U << bits) - 1)];
	say(text);
}

static uint32_t pci_read(uint32_t device, uint32_t at)
{
	out32(0xcf8, 0x80000000U | device << 8 | (at & 0xfc));
	return in32(0xcfc) >> (at & 3) * 8;
}

static void pci_write(uint32_t device, uint32_t at, uint32_t value)
{
	out32(0xcf8, 0x80000000U | device << 8 | at);
	out32(0xcfc, value);
}

/* ------------------------------------------------------------------------- network devices */

/* The registers in memory, by the capability of the type 1; NULL: not a modern device, or out of reach */
static volatile struct common *find_common(uint32_t device)
{
	for (uint32_t at = pci_read(device, 0x34) & 0xfc; at; at = pci_read(device, at + 1) & 0xfc) {
		uint32_t bar, low, high;

		if ((pci_read(device, at) & 0xff) != 9 || (pci_read(device, at + 3) & 0xff) != 1)
			continue;
		bar = 0x10 + 4 * (pci_read(device, at + 4) & 0xff);
		low = pci_read(device, bar);
		high = (low & 6) == 4 ? pci_read(device, bar + 4) : 0;
		if (high || !(low & ~0xfU))
			return 0;
		return (volatile struct common *)((low & ~0xfU) + pci_read(device, at + 8));
	}
	return 0;
}

static uint64_t agree(volatile struct common *c)
{
	uint64_t features = 0;

	for (uint32_t half = 0; half < 2; half++) {
		c->device_select = c->driver_select = half;
		c->driver_features = c->device_features;
		features |= (uint64_t)c->device_features << 32 * half;
	}
	c->status = ACKNOWLEDGE | DRIVER | FEATURES_OK;
	return c->status & FEATURES_OK ? features : 0;
}

static void start_queue(volatile struct common *c, struct queue *q)
{
	if (!c->queue_size || c->queue_size > SIZE)
		return;
	c->descriptors[0] = (uint32_t)q->descriptors;
	c->available[0] = (uint32_t)q->available;
	c->used[0] = (uint32_t)q->used;
	c->descriptors[1] = c->available[1] = c->used[1] = 0;
	c->queue_enable = 1;
}

static void start_device(uint32_t device, struct queue *memory)
{
	volatile struct common *c;
	uint64_t features;

	pci_write(device, 4, pci_read(device, 4) | 6); /* memory, bus master */
	c = find_common(device);
	if (!c) {
		say("net without registers\n");
		return;
	}
	c->status = 0;
	c->status = ACKNOWLEDGE | DRIVER;
	features = agree(c);
	for (uint16_t i = 0; i < c->queues && i < QUEUES; i++) {
		c->queue_select = i;
		start_queue(c, memory + i);
	}
	c->status = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
	say("net ");
	say_number(features, 16, 4);
	say("\n");
}

static void start_devices(void)
{
	unsigned int n = 0;

	for (uint32_t device = 0; device < 0x10000 && n < NICS; device++) {
		uint32_t id = pci_read(device, 0);

		if (id == 0x10411af4 || id == 0x10001af4)
			start_device(device, queues[n++]);
	}
}

/* ------------------------------------------------------------------------------------ time */

/* A clock, so that the guest sleeps: it is one of several on two processors. */
void tick(void);
__asm__("tick: pushl %eax; movb $0x20, %al; outb %al, $0x20; popl %eax; iret");

static void start_clock(void)
{
	static uint64_t segments[] = { 0, 0x00cf9a000000ffff, 0x00cf92000000ffff };
	static uint64_t gates[0x21];
	static const uint8_t pic[] = { 0x11, 0x20, 4, 1 };
	struct {
		uint16_t limit;
		uint32_t address;
	} __attribute__((packed)) gdt = { sizeof(segments) - 1, (uint32_t)segments },
				  idt = { sizeof(gates) - 1, (uint32_t)gates };
	uint32_t handler = (uint32_t)tick;

	gates[0x20] = (uint64_t)(handler >> 16) << 48 | 0x8e0000080000 | (handler & 0xffff);
	__asm__ volatile("lgdt %0; ljmp $8, $1f; 1: mov %2, %%ds; mov %2, %%es; mov %2, %%ss; lidt %1"
			 : : "m"(gdt), "m"(idt), "r"(16) : "memory");
	out8(0x20, pic[0]);
	for (int i = 1; i < 4; i++)
		out8(0x21, pic[i]);
	out8(0x21, 0xfe); /* only the clock */
	out8(0xa1, 0xff);
	out8(0x43, 0x34);
	out8(0x40, 11932 & 0xff); /* 100 Hz */
	out8(0x40, 11932 >> 8);
}

void run(void);
void run(void)
{
	start_clock();
	start_devices();
	for (uint64_t n = 0;; n++) {
		say("alive ");
		say_number(n, 8, 3);
		say("\n");
		for (int i = 0; i < 20; i++)
			__asm__ volatile("sti; hlt; cli");
	}
}

__asm__(".balign 4; .long 0x1badb002, 0, -0x1badb002\n"
	".globl _start; _start: cli; movl $stack, %esp; call run\n"
	".lcomm space, 8192; .set stack, space + 8192");
