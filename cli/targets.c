/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest.h"

static int add_host(void *data, struct abibase_profile *p)
{
	return abibase_targets_add_profile(data, p) < 0 ? cli_error("out of memory [out-of-memory]") : 0;
}

static int answer(struct abibase_context *ctx, const struct options *o, struct abibase_targets *t)
{
	_unref_(moves) *m = NULL;
	_autofree_ char *text = NULL;
	int r = abibase_targets_run(t, &m);

	if (r == 0)
		r = o->json ? abibase_moves_to_json(m, &text) : abibase_moves_to_text(m, &text);
	if (r < 0)
		return cli_context_error(ctx, r);
	return cli_show(o, 0, text, (int)abibase_moves_verdict(m));
}

static int targets(struct abibase_context *ctx, const struct options *o,
		   const struct guest_options *g)
{
	const char *baseline = options_arg(o, OPT_BASELINE);
	_unref_(catalogue) *cat = NULL;
	_unref_(baseline) *b = NULL;
	_unref_(targets) *t = NULL;
	int r = abibase_catalogue_new(ctx, &cat);

	if (r < 0)
		return cli_context_error(ctx, r);
	if (baseline && cli_load_baseline(ctx, baseline, &b) != 0)
		return STATUS_TROUBLE;
	r = guest_targets(ctx, cat, g, b, &t);
	if (r == 0)
		r = cli_profiles(ctx, o, 1, add_host, t);
	return r ? r : answer(ctx, o, t);
}

static int run(const struct options *o)
{
	_unref_(context) *ctx = NULL;
	struct guest_options g;

	if (o->n_operands == 0)
		return cli_usage("targets", "missing operand: which guest?");
	if (o->n_operands == 1 && !options_has(o, OPT_FILES0_FROM))
		return cli_usage("targets", "missing operand: where could it go? name a profile");
	if (guest_options(o, o->operands[0], &g) != 0 ||
	    guest_check_stdin(&g, o->operands + 1, o->n_operands - 1) < 0 || cli_context(o->verbose, &ctx) != 0)
		return STATUS_TROUBLE;
	return targets(ctx, o, &g);
}

const struct command command_targets = {
	.verb = VERB_TARGETS,
	.name = "targets",
	.run = run,
	.summary = "where can this running guest go?",
	.usage = "[OPTION]... GUEST PROFILE...\n",
	.operands = { "@files", "@hosts" },
	.about = "Say of each host whether it can take the running guest: now; now, with "
		"options for the QEMU there that let it in without a restart; not, and all "
		"of the reasons; or that it cannot be told. What the guest negotiated "
		"decides, not what its device offers. Where the guest could not return "
		"after its next reset there, that is said, with the options that keep the "
		"way back open.\n"
		"\n"
		"GUEST is a file or - with an abibase-guest/1 document or a log with "
		"QEMU's line \"Features 0x... unsupported\"; a feature word such as "
		"0x1c0010130afffa7; or qmp:SOCKET, the QMP socket of a running QEMU.\n",
	.status = "Exit status: 0 every host takes it, now or with the list that is printed; "
		"1 one does not; 2 trouble; 3 cannot tell.\n",
};
