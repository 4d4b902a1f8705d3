/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search for platforms: what hides what, what is refused, aliases; and operands. */
#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>

#include "suites.h"
#include "test-util.h"

/* Directories "1" (least specific), "2", "3" and "none", which does not exist, in @dir. */
static struct test t;
static char dir[] = "/tmp/abibase-platforms-XXXXXX";

static char *in_dir(const char *name)
{
	char *path;

	ck_assert_int_ge(asprintf(&path, "%s/%s", dir, name), 0);
	return path;
}

static void put(const char *name, const char *text)
{
	_autofree_ char *path = in_dir(name);
	_autofclose_ FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
}

static void put_profile(const char *name, const char *kind, const char *called, int revision)
{
	_autofree_ char *text = NULL;

	ck_assert_int_ge(asprintf(&text,
				  "{\"schema\":\"abibase-profile/1\",\"kind\":\"%s\","
				  "\"name\":\"%s\",\"arch\":\"x86_64\",\"facts\":{},"
				  "\"revision\":%d%s}",
				  kind, called, revision,
				  *kind == 'p' ? ",\"evidence\":{}" : ""),
			 0);
	put(name, text);
}

static void put_platform(const char *name, const char *called, int revision)
{
	put_profile(name, "platform", called, revision);
}

static void put_link(const char *name, const char *target)
{
	_autofree_ char *path = in_dir(name);

	ck_assert_int_eq(symlink(target, path), 0);
}

static void make_dir(const char *name)
{
	_autofree_ char *path = in_dir(name);

	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void setup(void)
{
	_autofree_ char *one = NULL, *two = NULL, *three = NULL, *none = NULL;

	test_begin(&t);
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	make_dir("1");
	make_dir("2");
	make_dir("3");
	one = in_dir("1");
	two = in_dir("2");
	three = in_dir("3");
	none = in_dir("none");
	ck_assert_int_eq(abibase_context_set_platform_path(
				 t.ctx, (const char *const[]){ one, none, two, three, NULL }),
			 0);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void teardown(void)
{
	nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	test_end(&t);
}

static struct abibase_platforms *list(void)
{
	struct abibase_platforms *l = NULL;

	ck_assert_int_eq(abibase_platforms_new(t.ctx, &l), 0);
	ck_assert_ptr_null(abibase_context_error_id(t.ctx)); /* bad files are no errors */
	return l;
}

/* Candidate @i: its path below @dir, its state; a profile exactly when it is used. */
static void assert_candidate(const struct abibase_platforms *l, size_t i, const char *path,
			     const char *state)
{
	ck_assert_str_eq(platforms_get(l, i, "path") + strlen(dir) + 1, path);
	ck_assert_str_eq(platforms_get(l, i, "state"), state);
	ck_assert_int_eq(platforms_at(l, i) != NULL,
			 streq(state, "used"));
}

/* The detail is exactly a path below @dir. */
static void assert_detail_path(const struct abibase_platforms *l, size_t i, const char *path)
{
	_autofree_ char *full = in_dir(path);

	ck_assert_str_eq(platforms_get(l, i, "detail"), full);
}

static void assert_detail_has(const struct abibase_platforms *l, size_t i, const char *words)
{
	const char *detail = platforms_get(l, i, "detail");

	ck_assert_msg(detail && strstr(detail, words), "\"%s\" lacks \"%s\"",
		      detail ? detail : "(none)", words);
}

static void assert_error(int r, int err, const char *id, const char *words)
{
	ck_assert_int_eq(r, -err);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), id);
	ck_assert_msg(strstr(abibase_context_error(t.ctx), words) != NULL, "\"%s\" lacks \"%s\"",
		      abibase_context_error(t.ctx), words);
}

static void assert_log(const char *words)
{
	ck_assert_msg(t.log.data && strstr(t.log.data, words), "\"%s\" lacks \"%s\"",
		      t.log.data ? t.log.data : "", words);
}

static int from_platform(const char *name)
{
	struct abibase_profile *p = NULL;
	int r = profile_from_platform(t.ctx, name, &p);

	ck_assert_int_eq(r == 0, p != NULL);
	abibase_profile_unref(p);
	return r;
}

/* ------------------------------------------------------------------------ lists */

START_TEST(empty)
{
	struct abibase_platforms *l = list();

	ck_assert_uint_eq(platforms_count(l), 0);
	ck_assert_ptr_null(abibase_platforms_profile(l, 0));
	abibase_platforms_unref(l);
}
END_TEST

START_TEST(only_json_files_are_candidates)
{
	struct abibase_platforms *l;

	put_platform("1/a.json", "a", 1);
	put_platform("1/b.json~", "b", 1);
	put_platform("1/.c.json", "c", 1);
	put("1/.json", "");
	put("1/README", "x");
	l = list();
	ck_assert_uint_eq(platforms_count(l), 1);
	assert_candidate(l, 0, "1/a.json", "used");
	ck_assert_ptr_null(platforms_get(l, 0, "detail"));
	abibase_platforms_unref(l);
}
END_TEST

START_TEST(order_is_by_name_then_most_specific)
{
	struct abibase_platforms *l;

	put_platform("1/b.json", "b", 1);
	put_platform("3/b.json", "b", 3);
	put_platform("2/b.json", "b", 2);
	put_platform("3/c.json", "c", 1);
	put_platform("1/B.json", "B", 1);
	l = list();
	ck_assert_uint_eq(platforms_count(l), 5);
	assert_candidate(l, 0, "1/B.json", "used");
	assert_candidate(l, 1, "3/b.json", "used");
	assert_candidate(l, 2, "2/b.json", "hidden");
	assert_candidate(l, 3, "1/b.json", "hidden");
	assert_candidate(l, 4, "3/c.json", "used");
	assert_detail_path(l, 2, "3/b.json");
	assert_detail_path(l, 3, "3/b.json");
	ck_assert_int_eq(platforms_at(l, 1)->revision, 3);
	abibase_platforms_unref(l);
}
END_TEST

START_TEST(masks)
{
	struct abibase_platforms *l;

	put_platform("1/a.json", "a", 1);
	put("2/a.json", "");
	put_platform("1/b.json", "b", 1);
	put_link("3/b.json", "/dev/null");
	put_platform("1/c.json", "c", 1);
	put_link("2/c.json", "/dev/null");
	put_platform("3/c.json", "c", 3); /* a mask below it does not matter */
	l = list();
	assert_candidate(l, 0, "2/a.json", "masks");
	ck_assert_ptr_null(platforms_get(l, 0, "detail"));
	assert_candidate(l, 1, "1/a.json", "hidden");
	assert_detail_path(l, 1, "2/a.json");
	assert_candidate(l, 2, "3/b.json", "masks");
	assert_candidate(l, 3, "1/b.json", "hidden");
	assert_candidate(l, 4, "3/c.json", "used");
	assert_candidate(l, 5, "2/c.json", "hidden");
	abibase_platforms_unref(l);
	assert_error(from_platform("a"), ENOENT, "platform-not-found", "/2/a.json");
}
END_TEST

START_TEST(links_are_followed)
{
	struct abibase_platforms *l;

	put_platform("elsewhere", "a", 1);
	put_link("1/a.json", "../elsewhere");
	put_platform("1/b.json", "b", 1);
	put_link("2/b.json", "nothing");
	l = list();
	assert_candidate(l, 0, "1/a.json", "used");
	assert_candidate(l, 1, "2/b.json", "refused");
	assert_detail_has(l, 1, "No such file");
	assert_candidate(l, 2, "1/b.json", "hidden");
	abibase_platforms_unref(l);
}
END_TEST

START_TEST(refused)
{
	_autofree_ char *fifo = in_dir("2/d.json"), *hidden = in_dir("1/a.json");
	struct abibase_platforms *l;

	put_platform("1/a.json", "a", 1);
	put("2/a.json", "{\n");
	put_profile("2/b.json", "host", "b", 1);
	make_dir("2/c.json");
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	put("2/e.json", "{\"schema\":\"abibase-profile/2\"}");
	put("2/f.json", " ");
	put_platform("2/g.json", "g", 0);
	l = list();
	ck_assert_uint_eq(platforms_count(l), 8);
	assert_candidate(l, 0, "2/a.json", "refused");
	ck_assert(strprefix(platforms_get(l, 0, "detail"), "2:")); /* the line; no path again */
	assert_detail_has(l, 0, "it still hides ");
	assert_detail_has(l, 0, hidden);
	assert_candidate(l, 1, "1/a.json", "hidden");
	assert_detail_path(l, 1, "2/a.json");
	assert_candidate(l, 2, "2/b.json", "refused");
	assert_detail_has(l, 2, "\"host\"");
	assert_candidate(l, 3, "2/c.json", "refused");
	assert_detail_has(l, 3, "a directory");
	assert_candidate(l, 4, "2/d.json", "refused");
	assert_candidate(l, 5, "2/e.json", "refused");
	assert_detail_has(l, 5, "abibase-profile/2");
	assert_candidate(l, 6, "2/f.json", "refused");
	assert_candidate(l, 7, "2/g.json", "refused");
	assert_detail_has(l, 7, "/revision: ");
	abibase_platforms_unref(l);
}
END_TEST

START_TEST(duplicates)
{
	struct abibase_platforms *l;

	put_platform("3/60-a.json", "a", 2);
	put_platform("1/50-a.json", "a", 1);
	l = list();
	assert_candidate(l, 0, "1/50-a.json", "used");
	assert_candidate(l, 1, "3/60-a.json", "duplicate");
	assert_detail_path(l, 1, "1/50-a.json");
	abibase_platforms_unref(l);
	ck_assert_int_eq(from_platform("a"), 0);
	assert_log("platform-duplicate ");
}
END_TEST

START_TEST(not_a_directory)
{
	_autofree_ char *file = in_dir("file");
	struct abibase_platforms *l = NULL;

	put("file", "x");
	abibase_context_set_platform_path(t.ctx, (const char *const[]){ file, NULL });
	assert_error(abibase_platforms_new(t.ctx, &l), ENOTDIR, "io-error", "directory");
	ck_assert_ptr_null(l);
}
END_TEST

START_TEST(aliases)
{
	struct abibase_platforms *l;

	put_platform("1/50-x-2026.05.json", "x-2026.05", 1);
	put_platform("1/50-x-2026.11.json", "x-2026.11", 1);
	put_platform("1/50-x-2025.12.json", "x-2025.12", 1);
	put_platform("1/50-y-2026.11.json", "y-2026.11", 1);
	put_platform("1/50-y.json", "y", 1); /* the name itself is taken */
	put_platform("1/50-z-2026.1.json", "z-2026.1", 1); /* not a date */
	l = list();
	for (size_t i = 0; i < platforms_count(l); i++) {
		const char *name = test_name(platforms_at(l, i));

		if (streq(name, "x-2026.11"))
			ck_assert_str_eq(platforms_get(l, i, "alias"), "x");
		else
			ck_assert_ptr_null(platforms_get(l, i, "alias"));
	}
	abibase_platforms_unref(l);
}
END_TEST

/* A hidden newest one hands the name on to the next. */
START_TEST(alias_of_what_is_used)
{
	struct abibase_platforms *l;

	put_platform("1/x-2026.05.json", "x-2026.05", 1);
	put_platform("1/x-2026.11.json", "x-2026.11", 1);
	put("2/x-2026.11.json", "");
	l = list();
	assert_candidate(l, 0, "1/x-2026.05.json", "used");
	ck_assert_str_eq(platforms_get(l, 0, "alias"), "x");
	abibase_platforms_unref(l);
}
END_TEST

/* ---------------------------------------------------------------------- by name */

START_TEST(by_name_and_alias)
{
	struct abibase_profile *p;

	put_platform("1/x-2026.05.json", "x-2026.05", 1);
	put_platform("1/x-2026.11.json", "x-2026.11", 1);
	ck_assert_int_eq(profile_from_platform(t.ctx, "x-2026.05", &p), 0);
	ck_assert_str_eq(test_name(p), "x-2026.05");
	abibase_profile_unref(p);
	ck_assert_uint_eq(t.log.len, 0);
	ck_assert_int_eq(profile_from_platform(t.ctx, "x", &p), 0);
	ck_assert_str_eq(test_name(p), "x-2026.11");
	abibase_profile_unref(p);
	ck_assert_str_eq(t.log.data, "alias-resolved x is x-2026.11\n");
}
END_TEST

/* Of what the data directory says, where a platform has the name itself that one is meant. */
START_TEST(codenames)
{
	_autofree_ char *data = in_dir("data");
	struct abibase_profile *p;
	struct abibase_platforms *l;

	make_dir("data");
	put("data/codenames.json", "{\"schema\":\"abibase-codenames/1\",\"codenames\":{"
				   "\"gone\":\"w\",\"new\":\"x\",\"own\":\"y\",\"old\":\"y\"}}");
	put_platform("1/x-2026.05.json", "x-2026.05", 1);
	put_platform("1/x-2026.11.json", "x-2026.11", 1);
	put_platform("1/y.json", "y", 1);
	put_platform("1/z.json", "own", 1);
	abibase_context_set_data_dir(t.ctx, data);
	l = list();
	for (size_t i = 0; i < platforms_count(l); i++) {
		const struct strings *of = platforms_codenames(l, i);
		const char *name = test_name(platforms_at(l, i));

		ck_assert_uint_eq(of->n, streq(name, "x-2026.11") || streq(name, "y"));
		if (of->n)
			ck_assert_str_eq(of->s[0], streq(name, "y") ? "old" : "new");
	}
	abibase_platforms_unref(l);
	ck_assert_int_eq(profile_from_platform(t.ctx, "new", &p), 0);
	ck_assert_str_eq(test_name(p), "x-2026.11");
	abibase_profile_unref(p);
	ck_assert_str_eq(t.log.data, "alias-resolved new is x-2026.11\n");
	ck_assert_int_eq(profile_from_platform(t.ctx, "own", &p), 0);
	ck_assert_str_eq(test_name(p), "own");
	abibase_profile_unref(p);
	assert_error(profile_from_platform(t.ctx, "gone", &p), ENOENT, "platform-not-found",
		     "there is no platform \"gone\"");
	assert_error(profile_from_platform(t.ctx, "neww", &p), ENOENT, "platform-not-found",
		     "did you mean \"new\"");
	put("data/codenames.json", "{\"schema\":\"abibase-codenames/1\",\"codenames\":{\"a\":1}}");
	assert_error(abibase_platforms_new(t.ctx, &l), EBADMSG, "json-wrong-type", "integer");
}
END_TEST

/* Catalogue and platforms are of one place, but for directories that were named. */
START_TEST(of_the_data_directory)
{
	_autofree_ char *data = in_dir("data"), *three = in_dir("3");
	struct abibase_context *ctx;
	struct abibase_profile *p;

	make_dir("data");
	make_dir("data/platforms");
	put_platform("data/platforms/only-there.json", "only-there", 1);
	ck_assert_int_eq(abibase_context_new(ABIBASE_CONTEXT_NO_ENVIRONMENT, &ctx), 0);
	ck_assert_int_eq(abibase_context_set_data_dir(ctx, three), 0);
	ck_assert_int_eq(profile_from_platform(ctx, "only-there", &p), -ENOENT);
	ck_assert_int_eq(abibase_context_set_data_dir(ctx, data), 0);
	ck_assert_int_eq(profile_from_platform(ctx, "only-there", &p), 0);
	abibase_profile_unref(p);
	ck_assert_int_eq(abibase_context_set_platform_path(ctx, (const char *const[]){ three, NULL }),
			 0);
	ck_assert_int_eq(abibase_context_set_data_dir(ctx, data), 0);
	ck_assert_int_eq(profile_from_platform(ctx, "only-there", &p), -ENOENT);
	abibase_context_unref(ctx);
}
END_TEST

START_TEST(not_found)
{
	_autofree_ char *one = in_dir("1"), *none = in_dir("none");

	put_platform("1/debian-12.json", "debian-12", 1);
	put_platform("1/track-2026.11.json", "track-2026.11", 1);
	assert_error(from_platform("debian12"), ENOENT, "platform-not-found",
		     "did you mean \"debian-12\"? abibase list has all; looked in");
	assert_error(from_platform("Track"), ENOENT, "platform-not-found",
		     "did you mean \"track\"?");
	assert_error(from_platform("fedora"), ENOENT, "platform-not-found",
		     "there are: debian-12, track-2026.11, track;");
	ck_assert_ptr_null(strstr(abibase_context_error(t.ctx), "did you mean"));
	assert_error(from_platform("fedora"), ENOENT, "platform-not-found", one);
	assert_error(from_platform("fedora"), ENOENT, "platform-not-found", none);
	assert_error(from_platform(""), ENOENT, "platform-not-found", "there are: ");
}
END_TEST

START_TEST(bad_files_and_names)
{
	put_platform("1/50-a.json", "a", 1);
	put_platform("1/50-b.json", "b", 1);
	put("2/50-b.json", "{");
	/* one that has nothing to do with it is a warning only */
	ck_assert_int_eq(from_platform("a"), 0);
	assert_log("platform-refused ");
	/* a broken override is no reason to fall back */
	assert_error(from_platform("b"), EBADMSG, "platform-refused", "not valid JSON");
	ck_assert_ptr_nonnull(strstr(abibase_context_error_where(t.ctx), "/2/50-b.json"));
	/* nor is a broken newer one of a track */
	put_platform("1/x-2026.05.json", "x-2026.05", 1);
	put("1/50-x-2026.04.json", "{");
	ck_assert_int_eq(from_platform("x"), 0);
	put("1/50-x-2026.11.json", "{");
	assert_error(from_platform("x"), EBADMSG, "platform-refused", "not valid JSON");
	ck_assert_int_eq(from_platform("x-2026.05"), 0);
}
END_TEST

/* The shipped ones are all good. */
START_TEST(shipped)
{
	_autofree_ char *platforms = test_path("data/platforms");
	struct abibase_platforms *l;

	abibase_context_set_platform_path(t.ctx, (const char *const[]){ platforms, NULL });
	l = list();
	ck_assert_uint_ge(platforms_count(l), 5);
	for (size_t i = 0; i < platforms_count(l); i++)
		ck_assert_str_eq(platforms_get(l, i, "state"), "used");
	abibase_platforms_unref(l);
	ck_assert_int_eq(from_platform("debian-12"), 0);
	ck_assert_int_eq(from_platform("debian-13-backports"), 0);
}
END_TEST

/* --------------------------------------------------------------------- operands */

/* Load a profile and compare its name. */
static void assert_loads(const char *operand, const char *name)
{
	struct abibase_profile *p = NULL;
	struct abibase_baseline *b = (void *)&t;
	int r = abibase_operand_load(t.ctx, operand, &p, &b);

	ck_assert_msg(r == 0, "%s: %s", operand, r < 0 ? abibase_context_error(t.ctx) : "");
	ck_assert_ptr_null(b);
	ck_assert_str_eq(test_name(p), name);
	abibase_profile_unref(p);
}

static int load(const char *operand)
{
	struct abibase_profile *const untouched = (void *)&t;
	struct abibase_profile *p = untouched;
	struct abibase_baseline *b = NULL;
	int r = abibase_operand_load(t.ctx, operand, &p, &b);

	ck_assert_int_lt(r, 0);
	ck_assert_ptr_eq(p, untouched);
	ck_assert_ptr_null(b);
	return r;
}

START_TEST(operand_kinds)
{
	_autofree_ char *a = in_dir("a"), *cwd = getcwd(NULL, 0), *renamed = NULL;
	_autofree_ char *equals = in_dir("x=a.json");

	put_platform("1/p.json", "p", 1);
	put_profile("a", "host", "a", 1);
	put_profile("a.json", "host", "aj", 1);
	put_profile("x=a.json", "host", "xa", 1);
	put_profile("p", "host", "not-the-platform", 1);
	ck_assert_int_ge(asprintf(&renamed, "b=%s", a), 0);
	assert_loads("p", "p");
	assert_loads("q=p", "q");
	assert_loads(a, "a");
	assert_loads(renamed, "b");
	assert_loads(equals, "xa"); /* what is before the sign has a slash */
	ck_assert_int_eq(chdir(dir), 0);
	assert_loads("p", "p");
	assert_loads("./p", "not-the-platform");
	assert_loads("a.json", "aj");
	assert_loads("x=a.json", "x");
	assert_loads("./x=a.json", "xa");
	assert_loads("y=x=a.json", "y"); /* one name only, the rest is the operand */
	assert_error(load("a"), ENOENT, "platform-not-found", "write ./a");
	assert_error(load("x=a"), ENOENT, "platform-not-found", "write ./a");
	assert_error(load("zzz"), ENOENT, "platform-not-found", "there are: p");
	ck_assert_ptr_null(strstr(abibase_context_error(t.ctx), "write ./"));
	assert_error(load("zzz.json"), ENOENT, "io-error", "cannot open");
	ck_assert_int_eq(chdir(cwd), 0);
}
END_TEST

START_TEST(operand_standard_input)
{
	_autofree_ char *path = in_dir("a");
	int saved = dup(STDIN_FILENO);

	put_profile("a", "host", "a", 1);
	ck_assert_ptr_nonnull(freopen(path, "r", stdin));
	assert_loads("-", "a");
	ck_assert_ptr_nonnull(freopen(path, "r", stdin));
	assert_loads("b=-", "b");
	ck_assert_ptr_nonnull(freopen("/dev/null", "r", stdin));
	assert_error(load("-"), EBADMSG, "json-syntax", "");
	ck_assert(strprefix(abibase_context_error_where(t.ctx), "standard input"));
	if (saved >= 0) {
		dup2(saved, STDIN_FILENO);
		close(saved);
	}
}
END_TEST

START_TEST(operand_other_documents)
{
	_autofree_ char *path = in_dir("d.json"), *catalogue = test_path("data/catalogue.json");
	_autofree_ char *big = malloc((4u << 20) + 1);

	assert_error(load(catalogue), EBADMSG, "schema-other", "a catalogue");
	put("d.json", "{}");
	assert_error(load(path), EBADMSG, "schema-missing", "does not state its schema");
	put("d.json", "[]");
	assert_error(load(path), EBADMSG, "schema-missing", "does not state its schema");
	put("d.json", "{\"schema\":\"something/1\"}");
	assert_error(load(path), EBADMSG, "schema-other", "something/1");
	put("d.json", "{\"schema\":\"abibase-profile/2\"}");
	assert_error(load(path), EPROTONOSUPPORT, "schema-newer", "abibase-profile/2");
	ck_assert_ptr_nonnull(big);
	memset(big, ' ', 4u << 20);
	big[4u << 20] = '\0';
	memcpy(big, "{\"schema\":\"abibase-profile/1\"}", 30);
	put("d.json", big);
	assert_error(load(path), EBADMSG, "json-missing-key", "");
	{
		_autofclose_ FILE *f = fopen(path, "ae");

		ck_assert_int_eq(fputc('\n', f), '\n');
	}
	assert_error(load(path), EFBIG, "file-too-large", "4194304");
}
END_TEST

START_TEST(operand_baseline)
{
	struct abibase_profile *p = test_host(t.ctx, "h", "6.1", "7.2.22"), *none = (void *)&t;
	_autofree_ char *path = in_dir("b.json"), *renamed = NULL, *text = NULL;
	struct abibase_baseline *b, *again = NULL;

	ck_assert_int_eq(intersect_profiles(t.ctx, t.cat, &p, 1, "pc-q35-7.2", &b), 0);
	text = test_baseline_json(t.ctx, b);
	put("b.json", text);
	ck_assert_int_eq(abibase_operand_load(t.ctx, path, &none, &again), 0);
	ck_assert_ptr_null(none);
	ck_assert_str_eq(abibase_baseline_id(again), abibase_baseline_id(b));
	ck_assert_int_ge(asprintf(&renamed, "x=%s", path), 0);
	assert_error(load(renamed), EINVAL, "operand-rename", "baseline");
	abibase_baseline_unref(again);
	abibase_baseline_unref(b);
	abibase_profile_unref(p);
}
END_TEST

Suite *suite_platforms(void)
{
	Suite *s = suite_create("platforms");
	TCase *c = tcase_create("list");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, empty);
	tcase_add_test(c, only_json_files_are_candidates);
	tcase_add_test(c, order_is_by_name_then_most_specific);
	tcase_add_test(c, masks);
	tcase_add_test(c, links_are_followed);
	tcase_add_test(c, refused);
	tcase_add_test(c, duplicates);
	tcase_add_test(c, not_a_directory);
	tcase_add_test(c, aliases);
	tcase_add_test(c, alias_of_what_is_used);
	tcase_add_test(c, codenames);
	tcase_add_test(c, of_the_data_directory);
	suite_add_tcase(s, c);
	c = tcase_create("by-name");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, by_name_and_alias);
	tcase_add_test(c, not_found);
	tcase_add_test(c, bad_files_and_names);
	tcase_add_test(c, shipped);
	suite_add_tcase(s, c);
	c = tcase_create("operand");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, operand_kinds);
	tcase_add_test(c, operand_standard_input);
	tcase_add_test(c, operand_other_documents);
	tcase_add_test(c, operand_baseline);
	suite_add_tcase(s, c);
	return s;
}
