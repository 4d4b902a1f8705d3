/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * usage: check-all [SUITE...]
 *        check-all -SUITE...
 *
 * Runs all suites, or those that are named, or all but those behind a dash. Check's own environment
 * variables work: CK_FORK=no for a debugger or valgrind, CK_RUN_CASE=NAME for one test case,
 * CK_VERBOSITY=verbose.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suites.h"

static const struct {
	const char *name;
	Suite *(*make)(void);
} suites[] = {
	{ "build", suite_build },
	{ "catalogue", suite_catalogue }, { "decode", suite_decode },
	 { "diff", suite_diff },
	{ "domain", suite_domain },
	{ "explain", suite_explain },
	{ "guest", suite_guest },
	{ "intersect", suite_intersect },
	{ "json", suite_json },		  { "laws", suite_laws },
	{ "matrix", suite_matrix },
	{ "observe", suite_observe },
	{ "platforms", suite_platforms }, { "predict", suite_predict },
	{ "probe", suite_probe },	  { "qemu", suite_qemu },
	{ "rehearse", suite_rehearse },
	{ "validate", suite_validate },
	{ "verify", suite_verify },
	{ "version", suite_version },
};
#define N_SUITES (sizeof(suites) / sizeof(suites[0]))

static int is_suite(const char *name)
{
	for (size_t i = 0; i < N_SUITES; i++)
		if (strcmp(suites[i].name, name) == 0)
			return 1;
	fprintf(stderr, "check-all: there is no suite \"%s\"; there are:", name);
	for (size_t i = 0; i < N_SUITES; i++)
		fprintf(stderr, " %s", suites[i].name);
	fprintf(stderr, "\n");
	return 0;
}

static int is_wanted(const char *name, char **words)
{
	int all = !*words || **words == '-';

	for (; *words; words++)
		if (strcmp(*words + (**words == '-'), name) == 0)
			return **words != '-';
	return all;
}

int main(int argc, char *argv[])
{
	SRunner *runner;
	int failed;

	for (int i = 1; i < argc; i++)
		if (!is_suite(argv[i] + (*argv[i] == '-')))
			return 2;
	runner = srunner_create(NULL);
	for (size_t i = 0; i < N_SUITES; i++)
		if (is_wanted(suites[i].name, argv + 1))
			srunner_add_suite(runner, suites[i].make());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
