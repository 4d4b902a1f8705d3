/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_TESTS_SUITES_H
#define ABIBASE_TESTS_SUITES_H

#include <check.h>

/* One suite a file, suite-NAME.c; check-all.c runs them all, or those named on its command line. */
Suite *suite_build(void);
Suite *suite_catalogue(void);
Suite *suite_decode(void);
Suite *suite_diff(void);
Suite *suite_domain(void);
Suite *suite_explain(void);
Suite *suite_guest(void);
Suite *suite_intersect(void);
Suite *suite_json(void);
Suite *suite_laws(void);
Suite *suite_matrix(void);
Suite *suite_observe(void);
Suite *suite_platforms(void);
Suite *suite_predict(void);
Suite *suite_probe(void);
Suite *suite_qemu(void);
Suite *suite_rehearse(void);
Suite *suite_validate(void);
Suite *suite_verify(void);
Suite *suite_version(void);

#endif
