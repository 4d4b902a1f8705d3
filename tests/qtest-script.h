/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_QTEST_SCRIPT_H
#define ABIBASE_QTEST_SCRIPT_H

/* A script that stands for a throw-away QEMU: it speaks qtest, and has a device in every slot. */

/*
 * A device with one 64-bit BAR, two virtio capabilities, an MSI-X table of 4 entries, @queues queues,
 * 8 bytes of configuration.
 * @before: for each line of qtest, before the usual answers; @config: instead of the usual registers.
 */
#define QTEST_SCRIPT(start, before, config, queues)                                                \
	"#!/bin/sh\n" start "a=0 sel=0 bar=0\n"                                                    \
	"say() { printf 'OK 0x%04x\\n' $(($1)); }\n"                                               \
	"config() { case $1 in\n" config "0) say 0x10001af4 ;; 52) say 64 ;;\n"                    \
	"32) say $((bar ? 0xffffc00c : 0xc)) ;; 36) say $((bar ? 0xffffffff : 0)) ;;\n"            \
	"64) say 9 ;; 65) say 80 ;; 67) say 1 ;; 68) say 4 ;; 72) say 0 ;; 76) say 56 ;;\n"        \
	"80) say 9 ;; 81) say 96 ;; 83) say 4 ;; 84) say 4 ;; 88) say 8192 ;; 92) say 4096 ;;\n"   \
	"96) say 17 ;; 97) say 0 ;; 98) say 0x8003 ;;\n"                                           \
	"*) say 0 ;; esac; }\n"                                                                    \
	"word() { case $sel in 0) say 0x30bfffa7 ;; 1) say 0x101 ;; 2) say 0x1e ;; *) say 0 ;; esac; }\n" \
	"echo 'IRQ raise 1'\n"                                                                     \
	"while read -r c x v; do\n"                                                                \
	"case $c:$x in\n" before                                                                   \
	"outl:0xcf8) a=$((v & 0xfc)); echo OK ;;\n"                                                \
	"outl:*) bar=$((v == 0xffffffff)); echo OK ;;\n"                                           \
	"in?:*) config $((a + (x & 3))) ;;\n"                                                      \
	"writel:0xe0000000) sel=$((v)); echo OK ;;\n"                                              \
	"readl:0xe0000004) word ;;\n"                                                              \
	"readw:0xe0000012) say " queues " ;;\n"                                                    \
	"writew:0xe0000016) sel=$((v)); echo OK ;;\n"                                              \
	"readw:0xe0000018) say $((sel == 2 ? 64 : 256)) ;;\n"                                      \
	"readb:*) say $(((x & 0xff) < 8 ? 0 : 0xff)) ;;\n"                                         \
	"out?:* | write?:*) echo OK ;;\n"                                                          \
	"*) echo FAIL ;;\nesac\ndone\n"

#endif
