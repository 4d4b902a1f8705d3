/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document/cpu.h"

#define UNSEEN                                                                              \
	"a stream carries no CPU, so a host that has less takes the guest all the same, and it " \
	"fails later"

/* The processors of which only the host knows what they are */
static const struct sense {
	const char *word, *is, *so;
} senses[] = {
	{ "host", "has the CPU of the host that it is started on", UNSEEN },
	{ "host-passthrough", "has the CPU of the host that it is started on", UNSEEN },
	{ "host-model", "has a CPU that libvirt makes of the host that it is started on",
	  "libvirt refuses it where a part of that is missing" },
	{ "max", "has all that its QEMU and its host can do", UNSEEN },
	{ "maximum", "has all that its QEMU and its host can do", UNSEEN },
	{ "", "names no CPU model, and has that of its machine type, less what its host lacks",
	  UNSEEN },
};

static const struct sense *sense_of(const char *word)
{
	for (size_t i = 0; word && i < ARRAY_SIZE(senses); i++)
		if (streq(senses[i].word, word))
			return &senses[i];
	return NULL;
}

/* An option of virsh, of which the shell makes one word */
static void put_option(struct buf *out, const char *name, const char *value)
{
	if (value)
		buf_printf(out, " --%s %s", name, value);
}

static void put_libvirt(struct buf *out, const struct cpu_named *n, const char *emulator)
{
	put_option(out, "virttype", n->tcg ? "qemu" : "kvm");
	put_option(out, "arch", n->target);
	put_option(out, "machine", n->machine);
	put_option(out, emulator, n->emulator);
}

/* A baseline of the CPUs of all hosts, by who can make one */
static void write_remedy(struct buf *out, const struct cpu_named *n)
{
	if (n->target && streq(n->target, "s390x") && !n->of_libvirt) {
		buf_puts(out, "give it a model that every host has: on each, QMP "
			      "query-cpu-model-expansion {\"type\": \"static\", \"model\": {\"name\": "
			      "\"host\"}} says what it has, and query-cpu-model-baseline {\"modela\": "
			      "..., \"modelb\": ...} what two of these have in common");
		return;
	}
	buf_puts(out,
		 "give it a model that every host has; libvirt makes one of files, one a host: "
		 "virsh domcapabilities");
	put_libvirt(out, n, "emulatorbin");
	buf_puts(out, " > HOST.xml, then where libvirt is newest: cat *.xml > all; "
		      "virsh hypervisor-cpu-baseline all");
	put_libvirt(out, n, "emulator");
	buf_puts(out, " --migratable");
}

bool cpu_write(const struct cpu_named *n, struct buf *text, struct buf *remedy)
{
	const struct sense *sense = sense_of(n->word);

	if (!sense)
		return false;
	buf_printf(text, "the guest %s%s%s%s; %s", sense->is, *n->word ? " (" : "", n->word,
		   *n->word ? ")" : "", sense->so);
	write_remedy(remedy, n);
	return true;
}

bool cpu_write_guest(const struct abibase_guest *g, struct buf *text, struct buf *remedy)
{
	const char *type = string_of(g->root, GUEST_X_VIRTTYPE);
	const struct cpu_named n = { .word = string_of(g->root, GUEST_X_CPU),
				     .target = g->target,
				     .machine = g->machine,
				     .emulator = string_of(g->root, GUEST_X_EMULATOR),
				     .of_libvirt = true,
				     .tcg = type && streq(type, "qemu") };

	return cpu_write(&n, text, remedy);
}
