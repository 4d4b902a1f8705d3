/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/effective.h"
#include "model/machine.h"

const char machine_unasked_remedy[] =
	"see why it does not answer, and probe the host again; or take it away from there; or go "
	"on "
	"without with --assume-qemu=HOST, where no QEMU of the host has answered";
const char machine_unrecorded_remedy[] = "probe the host again";

enum machine_use machine_use(const struct abibase_catalogue *cat, const json_t *entry,
			     const char *target, const char *machine)
{
	const char *own = string_of(entry, "target");

	if (!own || !streq(own, target))
		return MACHINE_OTHER_TARGET;
	switch (qemu_has_machine(cat, entry, machine)) {
	case ABIBASE_YES:
		return MACHINE_USED;
	case ABIBASE_NO:
		return MACHINE_NOT_THERE;
	case ABIBASE_UNKNOWN:
	default:
		return MACHINE_NOT_RECORDED;
	}
}

void machine_count(struct machine_host *h, enum machine_use use)
{
	h->use[use]++;
}

void machine_write_unasked(const char *host, const char *path, const char *reason,
			   struct buf *text)
{
	buf_printf(text,
		   "%s: %s is there and could not be asked (%s), so whether it is a QEMU, and "
		   "has the machine type, is not known",
		   host, path ? path : "a binary", reason);
}

static enum machine_answer judge_none(const struct machine_host *h, struct buf *text,
				      const char **ret_id, const char **ret_remedy)
{
	if (h->looked_for) {
		buf_printf(text, "%s: it has no QEMU", h->name);
		*ret_id = "host-without-machine";
		*ret_remedy = "install a QEMU there that has the machine type, and probe the host "
			      "again (abibase probe --qemu BINARY names one in another place)";
		return MACHINE_CONFLICT;
	}
	buf_printf(text,
		   "%s: no QEMU facts in the profile, so whether a QEMU there has the machine "
		   "type is not known",
		   h->name);
	*ret_id = "no-qemu-facts";
	*ret_remedy =
		"probe the host with its QEMU (abibase probe --qemu BINARY); or take it to have "
		"an upstream QEMU with the machine type: --assume-qemu=HOST";
	return MACHINE_UNKNOWN;
}

enum machine_answer machine_judge(const struct machine_host *h, const char *target,
				  const char *machine, struct buf *text, const char **ret_id,
				  const char **ret_remedy)
{
	size_t answered = h->use[MACHINE_OTHER_TARGET] + h->use[MACHINE_NOT_THERE];

	struct machine_name name;

	*ret_remedy = NULL;
	if (h->assumed) {
		machine_name_parse(machine, &name);
		buf_printf(text, "%s: its QEMU is assumed (--assume-qemu): ", h->name);
		if (name.upstream)
			buf_printf(text,
				   "any of upstream that has %s, whatever is there; several are "
				   "taken to be alike in what destinations check",
				   machine);
		else
			buf_printf(text, "one of upstream, and none of these has %s", machine);
		*ret_id = "qemu-assumed";
		return MACHINE_ASSUMED;
	}
	if (h->use[MACHINE_USED] || h->use[MACHINE_NOT_RECORDED] || h->n_unasked)
		return MACHINE_FINE;
	if (!answered)
		return judge_none(h, text, ret_id, ret_remedy);
	buf_printf(text, "%s: none of its QEMUs is for the target %s and has the machine type %s",
		   h->name, target, machine);
	*ret_id = "host-without-machine";
	*ret_remedy = "choose a machine type that every host has (omit -M to be told), or "
		      "install a QEMU that has it there";
	return MACHINE_CONFLICT;
}

void machine_write_unrecorded(const struct abibase_catalogue *cat, const json_t *entry,
			      const char *machine, struct buf *text)
{
	const char *version = string_of(entry, "version"), *package = string_of(entry, "package");
	struct version v;

	buf_printf(text, " has the machine type %s is not recorded", machine);
	if (catalogue_has_own_machines(cat, package))
		buf_puts(text, ", and its package has machine types of its own");
	else if (version && version_parse(version, &v) && catalogue_is_older(cat, &v))
		buf_puts(text, ", and it is newer than the catalogue");
}
