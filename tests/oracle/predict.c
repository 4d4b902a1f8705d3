/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * abibase_predict() for oracle.py. Each line of stdin is PROFILE-FILE QEMU MACHINE BACKEND and
 * settings, separated by tabs; the answer is "yes 0x..." with 32 digits, or "no" or "unknown" and
 * the reason.
 */
#include <abibase/abibase.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 64

static int complain(struct abibase_context *ctx, const char *what)
{
	const char *error = abibase_context_error(ctx);

	fprintf(stderr, "predict: %s: %s\n", what, error ? error : "memory");
	return 1;
}

static int answer(struct abibase_context *ctx, struct abibase_catalogue *cat, char **word)
{
	struct abibase_profile *p;
	uint64_t offer[2];
	char *why = NULL;
	int r;

	if (abibase_profile_from_file(ctx, word[0], &p) < 0)
		return complain(ctx, word[0]);
	r = abibase_predict(ctx, cat, p, word[1], word[2], word[3],
			    (const char *const *)word + 4, offer, &why);
	abibase_profile_unref(p);
	if (r < 0)
		return complain(ctx, word[2]);
	if (r == ABIBASE_VERDICT_YES)
		printf("yes 0x%016" PRIx64 "%016" PRIx64 "\n", offer[1], offer[0]);
	else
		printf("%s %s\n", r == ABIBASE_VERDICT_NO ? "no" : "unknown", why ? why : "");
	free(why);
	return 0;
}

static int answer_line(struct abibase_context *ctx, struct abibase_catalogue *cat, char *line)
{
	char *word[MAX_WORDS + 1] = { NULL };
	size_t n = 0;

	line[strcspn(line, "\n")] = '\0';
	for (char *rest = line; rest && n < MAX_WORDS;)
		word[n++] = strsep(&rest, "\t");
	if (n < 4) {
		fprintf(stderr, "predict: less than four words\n");
		return 1;
	}
	return answer(ctx, cat, word);
}

int main(void)
{
	struct abibase_context *ctx;
	struct abibase_catalogue *cat;
	char *line = NULL;
	size_t size = 0;
	int r = 0;

	if (abibase_context_new(0, &ctx) < 0)
		return 1;
	if (abibase_catalogue_new(ctx, &cat) < 0)
		return complain(ctx, "catalogue");
	while (r == 0 && getline(&line, &size, stdin) > 0)
		r = answer_line(ctx, cat, line);
	free(line);
	abibase_catalogue_unref(cat);
	abibase_context_unref(ctx);
	return r;
}
