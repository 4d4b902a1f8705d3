/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

/* What was named: a profile or a baseline. */
struct operand {
	struct abibase_profile *profile;
	struct abibase_baseline *baseline;
};

static void operand_clear(struct operand *o)
{
	abibase_profile_unref(o->profile);
	abibase_baseline_unref(o->baseline);
}

/* Both are read, so that one run names both when both are bad. Returns 0 or STATUS_TROUBLE. */
static int load_both(struct abibase_context *ctx, char *const *operands, struct operand ret[2])
{
	int status = 0;

	for (int i = 0; i < 2; i++) {
		int r = abibase_operand_load(ctx, operands[i], &ret[i].profile, &ret[i].baseline);

		/* a build record, which is compared as that of a host */
		if (r == 0 && !ret[i].profile && !ret[i].baseline)
			r = abibase_profile_from_file(ctx, operands[i], &ret[i].profile);
		if (r < 0)
			status = cli_context_error(ctx, r);
		else if (ret[i].baseline && cli_check_promise(ret[i].baseline, operands[i]) != 0)
			status = STATUS_TROUBLE;
	}
	if (status == 0 && !ret[0].baseline != !ret[1].baseline)
		return cli_error("%s: is a baseline, and %s is a profile: two of a kind can be "
				 "compared [schema-other]",
				 operands[ret[0].baseline ? 0 : 1],
				 operands[ret[0].baseline ? 1 : 0]);
	return status;
}

static int compare(struct abibase_context *ctx, struct abibase_catalogue *cat,
		   const struct operand of[2], const struct abibase_guest *g, unsigned int flags,
		   struct abibase_result **ret)
{
	if (of[0].baseline)
		return abibase_diff_baselines(ctx, cat, of[0].baseline, of[1].baseline, flags, ret);
	return g ? abibase_diff_guest(ctx, cat, g, of[0].profile, of[1].profile, flags, ret) :
		   abibase_diff(ctx, cat, of[0].profile, of[1].profile, flags, ret);
}

static int diff(const struct options *o)
{
	struct options quiet = *o; /* the scope of the answer says what is not compared */
	unsigned int flags = options_has(o, 'a') ? ABIBASE_DIFF_ALL : 0;
	_unref_(context) *ctx = NULL;
	_unref_(catalogue) *cat = NULL;
	_unref_(guest) *guest = NULL;
	_unref_(result) *res = NULL;
	struct operand of[2] = { { 0 } };
	int r = cli_begin(o->verbose, &ctx, &cat);

	quiet.verbose = -1;
	if (r == 0)
		r = load_both(ctx, o->operands, of);
	if (r == 0 && of[0].baseline && options_has(o, OPT_DOMAIN))
		r = cli_usage("diff", "--domain is of two profiles or build records");
	if (r == 0)
		r = cli_domain(ctx, cat, &quiet, NULL, &guest);
	if (r == 0) {
		r = compare(ctx, cat, of, guest, flags, &res);
		r = r < 0 ? cli_context_error(ctx, r) : cli_answer(res, o);
	}
	operand_clear(&of[0]);
	operand_clear(&of[1]);
	return r;
}

static int run(const struct options *o)
{
	char *named[] = { o->operands[0], o->operands[1], options_arg(o, OPT_DOMAIN) };
	char *taken = NULL;
	int r = cli_check_stdin_once("diff", named, ARRAY_SIZE(named), &taken);

	return r ? r : diff(o);
}

const struct command command_diff = {
	.verb = VERB_DIFF,
	.name = "diff",
	.run = run,
	.summary = "compare two profiles, build records or baselines, by names",
	.usage = "[OPTION]... PROFILE PROFILE\n"
		"[OPTION]... BUILD BUILD\n"
		"[OPTION]... BASELINE BASELINE\n",
	.most = 2,
	.which = { "two profiles or baselines", "two profiles or baselines" },
	.operands = { "@hosts" },
	.about = "List what is different between two profiles, one line a difference: facts "
		"and bits of feature words, QEMU binaries, machine types, properties and "
		"their values. What a guest can see comes first. PROFILE is a file (it has "
		"a slash or ends in .json), - for standard input, or the name of a "
		"platform; NAME=PROFILE renames.\n"
		"\n"
		"Where the record of each QEMU is there, or BUILD is such a record: also "
		"what a machine type makes of the properties of all other devices, with "
		"--domain of those of a guest. Beside rows of the catalogue, results of "
		"rehearsals and known defects judge it, and a record never says that two "
		"QEMUs are the same: abibase rehearse asks them.\n"
		"\n"
		"Names, revisions and digests are not compared. Kernel release and "
		"packages are shown and are no difference.\n"
		"\n"
		"Of two baselines: what a guest is offered, the machine type, "
		"requirements, backends, and what a migration does to a running guest in "
		"each direction; a one-way door is a way that works, until the guest's "
		"next reset shuts the way back.\n",
	.status = "Exit status: 0 they are the same; 1 they are different; 2 trouble.\n",
};
