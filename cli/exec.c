/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "start.h"

static int run(const struct options *o)
{
	struct start s = { .baseline = o->operands[0],
			   .argv = o->operands + 1,
			   .profile = options_arg(o, OPT_PROFILE),
			   .verify = options_has(o, OPT_VERIFY) };
	_autofree_ char *path = NULL;

	cli_hold_words();
	s.status = start_find(s.argv[0], &path);
	s.qemu = path;
	return start_guest(&s);
}

const struct command command_exec = {
	.verb = VERB_EXEC,
	.hint = "the words of QEMU belong behind --, also its options",
	.misuse = STATUS_NOT_STARTED, /* whatever keeps QEMU from being started has one status */
	.name = "exec",
	.asks_host = true,
	.run = run,
	.summary = "start a QEMU under a baseline, or say why not",
	.usage = "[OPTION]... BASELINE -- QEMU [ARGUMENT]...\n",
	.most = MANY,
	.which = { "baseline", "QEMU" },
	.operands = { "@files" },
	.about = "Check that this host provides what the baseline promises, and become "
		"QEMU, with the settings that this binary needs of the baseline behind its "
		"arguments. Otherwise what is missing is named, with what to do about it, "
		"and QEMU is not started. The arguments name the machine type of the "
		"baseline. Options among them that get around the baseline are warned of.\n",
	.status = "Exit status: that of QEMU; 126 QEMU was not started; 127 it was not "
		"found.\n",
};
