/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Print the -global list with which guests can move between all the hosts that are named.
 *
 *	cc -o intersect intersect.c $(pkg-config --cflags --libs libabibase)
 *	./intersect [-M MACHINE] PROFILE...
 *
 * PROFILE is a file, or the name of a platform such as debian-12. The exit status is the verdict.
 */
#include <abibase/abibase.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_TROUBLE 2 /* no verdict: a file, memory, usage */

static int trouble(struct abibase_context *ctx, int err)
{
	const char *text = abibase_context_error(ctx);
	const char *where = abibase_context_error_where(ctx);

	fprintf(stderr, "intersect: %s%s%s\n", where ? where : "", where ? ": " : "",
		text ? text : strerror(-err));
	return EXIT_TROUBLE;
}

/* Read each operand and add it. A profile is copied from, not kept, so that it can be released. */
static int add_hosts(struct abibase_context *ctx, struct abibase_intersection *ix, char **operands)
{
	for (; *operands; operands++) {
		struct abibase_profile *profile = NULL;
		struct abibase_baseline *baseline = NULL;
		int r = abibase_operand_load(ctx, *operands, &profile, &baseline);

		if (r == 0 && profile)
			r = abibase_intersection_add_profile(ix, profile);
		else if (r == 0 && baseline) /* neither: a build record, which is kept */
			r = abibase_intersection_add_baseline(ix, baseline);
		abibase_profile_unref(profile);
		abibase_baseline_unref(baseline);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Print the list, or what stands in its way. Returns the verdict or a negative errno. */
static int print_list(struct abibase_context *ctx, const struct abibase_baseline *baseline)
{
	struct abibase_render *render = NULL;
	char *list = NULL, *why = NULL;
	int r = abibase_render_new(ctx, &render);

	if (r == 0)
		r = abibase_render_run(render, baseline, 0, &list, &why);
	if (list)
		fputs(list, stdout);
	if (why)
		fputs(why, stderr);
	free(list);
	free(why);
	abibase_render_unref(render);
	return r;
}

/* Print the machine types that they share, the best first. Returns the verdict or a negative errno. */
static int print_machines(struct abibase_intersection *ix)
{
	struct abibase_result *result = NULL;
	char *text = NULL;
	int r = abibase_intersection_machines(ix, &result);

	if (r == 0)
		r = abibase_result_to_text(result, 0, &text);
	if (r == 0)
		r = (int)abibase_result_verdict(result);
	if (text)
		fputs(text, r == ABIBASE_VERDICT_YES ? stdout : stderr);
	free(text);
	abibase_result_unref(result);
	return r;
}

static int intersect(struct abibase_context *ctx, const char *machine, char **operands)
{
	struct abibase_catalogue *catalogue = NULL;
	struct abibase_intersection *ix = NULL;
	struct abibase_baseline *baseline = NULL;
	int r = abibase_catalogue_new(ctx, &catalogue);

	if (r == 0)
		r = abibase_intersection_new(ctx, catalogue, &ix);
	if (r == 0 && machine && strcmp(machine, "help") != 0)
		r = abibase_intersection_set_machine(ix, machine);
	if (r == 0)
		r = add_hosts(ctx, ix, operands);
	if (r == 0 && machine && strcmp(machine, "help") == 0) {
		r = print_machines(ix);
	} else if (r == 0) {
		r = abibase_intersection_finish(ix, &baseline);
		if (r == 0)
			r = print_list(ctx, baseline);
	}

	abibase_baseline_unref(baseline);
	abibase_intersection_unref(ix);
	abibase_catalogue_unref(catalogue);
	return r;
}

int main(int argc, char **argv)
{
	struct abibase_context *ctx = NULL;
	const char *machine = NULL;
	int r;

	argv++;
	if (argc > 2 && strcmp(argv[0], "-M") == 0) {
		machine = argv[1];
		argv += 2;
	}
	if (argc < 2 || !*argv) {
		fputs("usage: intersect [-M MACHINE|help] PROFILE...\n", stderr);
		return EXIT_TROUBLE;
	}

	r = abibase_context_new(0, &ctx);
	if (r == 0)
		r = intersect(ctx, machine, argv);
	if (r < 0)
		r = trouble(ctx, r);
	abibase_context_unref(ctx);

	if (fflush(stdout) != 0) {
		fprintf(stderr, "intersect: standard output: %s\n", strerror(errno));
		return EXIT_TROUBLE;
	}
	return r;
}
