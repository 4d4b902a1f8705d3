/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_TEST_UTIL_H
#define ABIBASE_TEST_UTIL_H

/* What the suites and the programs beside them share. Each helper ends the program when it fails. */

#include <stdint.h>

#include <abibase/abibase.h>
#include <jansson.h>

#include "base/util.h"
#include "buffers.h"
#include "document/guest.h"
#include "document/platforms.h"
#include "document/profile.h"
#include "document/result.h"
#include "model/intersect.h"

/* "$top_srcdir/NAME", for free(). Without the variable the working directory is the source. */
char *test_path(const char *fmt, ...) _printf_(1, 2);
/* The bytes of a file under the source directory, NUL-terminated, for free(). */
char *test_read(const char *path, size_t *ret_len);
/* A JSON document under the source directory. */
json_t *test_json(const char *path);

/* A context that knows this source directory's data only and keeps the words that it is told. */
struct test {
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	struct buf log; /* "ID TEXT\n" for each log line */
};
void test_begin(struct test *t);
void test_end(struct test *t);

struct abibase_profile *test_profile_json(struct abibase_context *ctx, const json_t *root);
/* tests/data/hosts/linux-KERNEL.json, called @name, with these QEMUs of tests/data/qemu ("7.2.22 10.0.13"). */
json_t *test_host_json(const char *name, const char *kernel, const char *qemus);
struct abibase_profile *test_host(struct abibase_context *ctx, const char *name,
				  const char *kernel, const char *qemus);
/* The document of a baseline, for free(). */
char *test_baseline_json(struct abibase_context *ctx, const struct abibase_baseline *b);
struct abibase_baseline *test_reread(struct abibase_context *ctx,
				     const struct abibase_baseline *b);
/* "class.property=value", NULL-terminated, of a rendered list of -global options. */
char **test_settings(const char *args);
void test_settings_free(char **settings);

/* What a document has at a path: see abibase_value_get(). */
static inline const char *test_string(const struct abibase_value *v, const char *path)
{
	return abibase_value_string(abibase_value_get(v, path));
}
static inline const char *test_name(const struct abibase_profile *p)
{
	return test_string(abibase_profile_value(p), "name");
}
static inline int test_result_json(const struct abibase_result *res, char **ret)
{
	return abibase_value_to_json(abibase_result_value(res), ret);
}
static inline bool test_bool(const struct abibase_value *v, const char *path)
{
	return abibase_value_boolean(abibase_value_get(v, path));
}
/* As documents have it. */
static inline const char *test_verdict_word(enum abibase_verdict verdict)
{
	return verdict == ABIBASE_VERDICT_YES ? "yes" :
	       verdict == ABIBASE_VERDICT_NO  ? "no" :
						"unknown";
}

/* splitmix64: the same numbers everywhere for the same seed */
struct rng {
	uint64_t state;
};
uint64_t rng_next(struct rng *r);
unsigned int rng_below(struct rng *r, unsigned int n);
bool rng_percent(struct rng *r, unsigned int percent);
/* How many of them: ABIBASE_TEST_ROUNDS, which are fewer under valgrind, or @usual */
unsigned int test_rounds(unsigned int usual);

/*
 * How long a fake QEMU gets, in ms. One that says too much must be heard to the end of what is
 * accepted, which takes its time where ABIBASE_TEST_SLOW is set: under valgrind.
 */
int test_patience(const char *expected);

#endif
