/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * May an eBPF program be loaded as QEMU loads the one that steers packets for rss=on and hash=on
 * with vhost (ebpf/rss.bpf.c: a socket filter with arrays that are mapped into QEMU)? A child
 * makes one such array and loads the smallest program that refers to it; both go with the child.
 */

#include <linux/bpf.h>

#include "host/child.h"

#ifndef BPF_F_MMAPABLE
#define BPF_F_MMAPABLE (1U << 10)
#endif

static const struct probe_fact ebpf_facts[] = { { "host.ebpf_rss", 0 } };

static int make_array(struct probe_child *c)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = 4;
	attr.max_entries = 1;
	attr.map_flags = BPF_F_MMAPABLE;
	return c->ops->bpf(c->ops_data, BPF_MAP_CREATE, &attr, sizeof(attr));
}

/* r1 = the map; r0 = 0; exit */
static int load_program(struct probe_child *c, int map)
{
	static const char license[] = "GPL";
	struct bpf_insn program[] = {
		{ .code = BPF_LD | BPF_IMM | BPF_DW,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = map },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insn_cnt = ARRAY_SIZE(program);
	attr.insns = (__u64)(unsigned long)program;
	attr.license = (__u64)(unsigned long)license;
	return c->ops->bpf(c->ops_data, BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* A kernel without bpf(2) says ENOSYS, one that does not know such arrays or programs EINVAL. */
static void ebpf_run(struct probe_child *c)
{
	int map = make_array(c), r = map < 0 ? map : load_program(c, map);

	probe_say_accepted(c, 0, r, r == -ENOSYS || r == -EINVAL);
	if (r >= 0)
		probe_close(c, r);
	if (map >= 0)
		probe_close(c, map);
}

const struct probe_surface probe_ebpf = {
	.name = "ebpf",
	.option = "ebpf",
	.node = "bpf(2)",
	.aside = true,
	.caps = PROBE_CAP_BPF | PROBE_CAP_SYS_ADMIN,
	.facts = ebpf_facts,
	.n_facts = ARRAY_SIZE(ebpf_facts),
	.run = ebpf_run,
};
