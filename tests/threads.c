/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Objects may be used from any thread; only a context and the request objects belong to one. Several
 * threads, each with its own context, use the same profiles, catalogue and baselines at once. In a
 * build with --enable-sanitizers=thread a data race ends the program.
 */
#include <pthread.h>

#include "answer/show.h"
#include "test-util.h"

#define N_THREADS 6
#define N_ROUNDS 25
#define N_HOSTS 3

static struct abibase_catalogue *catalogue;
static struct abibase_profile *profiles[N_HOSTS];
static struct abibase_baseline *baseline, *reread;
static char *baseline_json, *profile_json;
static pthread_barrier_t barrier;

static void require(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "threads: %s\n", what);
	abort();
}

static void use_profiles(struct abibase_context *ctx)
{
	struct abibase_profile *p = abibase_profile_ref(profiles[0]), *renamed;
	_autofree_ char *json = NULL, *table = NULL;
	const char *reason;

	require(abibase_value_to_json(abibase_profile_value(p), &json) == 0 && streq(json, profile_json),
		"the profile is another one");
	require(profile_to_text(p, catalogue, 0, &table) == 0, "no table");
	require(profile_fact(p, "vhost_net.features[40]", &reason) == ABIBASE_NO,
		"another fact");
	require(profile_rename(ctx, p, "renamed", &renamed) == 0, "not renamed");
	abibase_profile_unref(renamed);
	abibase_profile_unref(p);
}

static void use_catalogue(struct abibase_context *ctx)
{
	uint64_t word[2];

	for (size_t i = 0; i < N_HOSTS; i++)
		require(abibase_predict(ctx, catalogue, profiles[i], "/usr/lib/qemu-7.2.22",
					"pc-q35-7.2", "tap+vhost", NULL, word,
					NULL) == ABIBASE_VERDICT_YES,
			"no prediction");
}

static void use_baseline(struct abibase_context *ctx, struct abibase_baseline *b)
{
	_autofree_ char *json = NULL, *list = NULL, *why = NULL;
	struct abibase_render *r;
	uint64_t word[2];
	int result;

	abibase_baseline_ref(b);
	json = test_baseline_json(ctx, b);
	require(streq(json, baseline_json), "the baseline is another one");
	require(abibase_render_new(ctx, &r) == 0 && abibase_render_set_for(r, "b") == 0,
		"no request");
	result = abibase_render_run(r, b, 0, &list, &why);
	require(result == ABIBASE_VERDICT_YES && list, why ? why : "no list");
	abibase_render_unref(r);
	require(baseline_offered(b, "tap", word), "no offer");
	require(streq(baseline_property(b, "virtio-net-device", "queue_reset"), "off"),
		"another value");
	for (size_t i = 0; i < baseline_finding_count(b); i++)
		require(abibase_baseline_finding_get(b, i, "text") != NULL, "no text");
	abibase_baseline_unref(b);
}

static void intersect(struct abibase_context *ctx, unsigned int start)
{
	struct abibase_intersection *ix;
	struct abibase_baseline *b;

	require(abibase_intersection_new(ctx, catalogue, &ix) == 0, "no intersection");
	if (start % 2)
		require(abibase_intersection_add_baseline(ix, reread) == 0, "not widened");
	else
		require(abibase_intersection_set_machine(ix, "pc-q35-7.2") == 0, "no machine");
	for (size_t i = 0; i < N_HOSTS; i++)
		require(abibase_intersection_add_profile(ix, profiles[(start + i) % N_HOSTS]) == 0,
			"not added");
	require(abibase_intersection_finish(ix, &b) == 0, "not finished");
	abibase_intersection_unref(ix);
	use_baseline(ctx, b);
	abibase_baseline_unref(b);
}

static void *work(void *data)
{
	unsigned int number = *(unsigned int *)data;
	struct abibase_catalogue *cat = abibase_catalogue_ref(catalogue);
	struct test own;

	test_begin(&own); /* reads the catalogue a second time, at once with the others */
	pthread_barrier_wait(&barrier);
	for (unsigned int i = 0; i < N_ROUNDS; i++) {
		intersect(own.ctx, number + i);
		use_profiles(own.ctx);
		use_catalogue(own.ctx);
		use_baseline(own.ctx, i % 2 ? baseline : reread);
	}
	test_end(&own);
	abibase_catalogue_unref(cat);
	return NULL;
}

int main(void)
{
	pthread_t threads[N_THREADS];
	unsigned int numbers[N_THREADS];
	struct test t;

	test_begin(&t);
	catalogue = abibase_catalogue_ref(t.cat);
	profiles[0] = test_host(t.ctx, "a", "6.1", "7.2.22");
	profiles[1] = test_host(t.ctx, "b", "6.12", "7.2.22 5.2.0");
	profiles[2] = test_host(t.ctx, "c", "7.2", "7.2.22 11.1.3");
	require(intersect_profiles(t.ctx, t.cat, profiles, N_HOSTS, "pc-q35-7.2", &baseline) == 0,
		"no baseline");
	require(abibase_baseline_verdict(baseline) == ABIBASE_VERDICT_YES,
		abibase_baseline_finding_get(baseline, 0, "text"));
	reread = test_reread(t.ctx, baseline);
	baseline_json = test_baseline_json(t.ctx, baseline);
	require(abibase_value_to_json(abibase_profile_value(profiles[0]), &profile_json) == 0, "no text");
	/* what was made with a context outlives it */
	test_end(&t);
	require(pthread_barrier_init(&barrier, NULL, N_THREADS) == 0, "no barrier");
	for (unsigned int i = 0; i < N_THREADS; i++) {
		numbers[i] = i;
		require(pthread_create(&threads[i], NULL, work, &numbers[i]) == 0, "no thread");
	}
	for (unsigned int i = 0; i < N_THREADS; i++)
		require(pthread_join(threads[i], NULL) == 0, "not joined");
	pthread_barrier_destroy(&barrier);
	for (size_t i = 0; i < N_HOSTS; i++)
		abibase_profile_unref(profiles[i]);
	abibase_baseline_unref(baseline);
	abibase_baseline_unref(reread);
	abibase_catalogue_unref(catalogue);
	free(baseline_json);
	free(profile_json);
	return 0;
}
