/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What QEMU binaries answered, kept by build id: a build id stands for the bytes of the binary, and
 * the same bytes, with the same ROM files, answer the same. A file here is never believed unread:
 * it is the caller's own, nobody else can write it, and its digest holds, or it is as if it were
 * not there. A build record is a text in a file of its own, which is copied and not parsed.
 */

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <syslog.h>

#include "base/blake2b.h"
#include "document/build.h"
#include "document/catalogue.h"
#include "base/context.h"
#include "probe/probe.h"
#include "document/profile.h"

#define CACHE_SCHEMA "abibase-qemu-cache/1"
#define FILE_DIGITS 32

char *probe_cache_default(void)
{
	const char *base = secure_getenv("XDG_CACHE_HOME"), *home = secure_getenv("HOME");
	_buf_ dir = { 0 };

	if (base && base[0] == '/') {
		buf_puts(&dir, base);
	} else if (home && home[0] == '/') {
		buf_puts(&dir, home);
		buf_puts(&dir, "/.cache");
	} else {
		return NULL;
	}
	buf_puts(&dir, "/abibase/qemu");
	return buf_steal(&dir);
}

/* ------------------------------------------------------------------- key */

static void hash(struct blake2b *b, const char *text)
{
	blake2b_update(b, text, strlen(text) + 1);
}

/* Which machine types were asked for. */
static int hash_policy(const struct abibase_probe *pr, struct blake2b *b)
{
	struct strings names = { 0 };
	int r = 0;

	if (pr->no_values || !pr->machine.n) {
		hash(b, pr->no_values ? "none" : "default");
		return 0;
	}
	for (size_t i = 0; r == 0 && i < pr->machine.n; i++)
		r = strings_insert(&names, pr->machine.s[i]);
	hash(b, "named");
	for (size_t i = 0; i < names.n; i++)
		hash(b, names.s[i]);
	strings_clear(&names);
	return r;
}

static void hash_rom(const char *dir, const char *name, struct blake2b *b)
{
	char path[PATH_MAX], text[96];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s/%s", dir, name);

	if (n < 0 || (size_t)n >= sizeof(path) || stat(path, &st) < 0)
		return;
	hash(b, path);
	snprintf(text, sizeof(text), "%lld %lld.%09ld", (long long)st.st_size,
		 (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	hash(b, text);
}

/*
 * The ROM files of network cards, which are a package of their own and are upgraded without QEMU:
 * those beside it, and those where distributions have them.
 */
static void hash_roms(const char *qemu, struct blake2b *b)
{
	static const char *const names[] = { "efi-virtio.rom", "pxe-virtio.rom" };
	static const char *const dirs[] = { NULL, "/usr/share/qemu", "/usr/lib/ipxe/qemu",
					    "/usr/share/qemu-kvm", "/usr/share/ipxe/qemu",
					    "/usr/share/kvm", "/usr/local/share/qemu" };
	const char *slash = strrchr(qemu, '/');
	char own[PATH_MAX];

	snprintf(own, sizeof(own), "%.*s/../share/qemu", slash ? (int)(slash - qemu) : 0, qemu);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			hash_rom(dirs[i] ? dirs[i] : own, names[k], b);
}

/* Everything that the answer depends on. */
static int make_key(const struct abibase_probe *pr, const struct abibase_catalogue *cat,
		    const char *path, const char *build_id, char key[DIGEST_HEX + 1])
{
	char revision[32];
	struct blake2b b;
	int r;

	blake2b_init(&b);
	hash(&b, CACHE_SCHEMA);
	hash(&b, build_id);
	snprintf(revision, sizeof(revision), "%lld", (long long)cat->revision);
	hash(&b, revision);
	for (size_t i = 0; i < cat->n_rows; i++) {
		hash(&b, cat->rows[i].key);
		hash(&b, cat->rows[i].type);
	}
	/* with a record it is another answer, and the number is that of what stands in one */
	if (pr->builds_dir)
		hash(&b, "record 3");
	hash_roms(path, &b);
	r = hash_policy(pr, &b);
	blake2b_final_hex(&b, key);
	return r;
}

#define FILE_NAME (FILE_DIGITS + sizeof(".record"))

static void file_name(const char *key, const char *end, char name[FILE_NAME])
{
	snprintf(name, FILE_NAME, "%.*s%s", FILE_DIGITS, key, end);
}

/* ------------------------------------------------------------- directory */

/* Only a directory of the caller's own, that nobody else can put files into. */
static int open_dir(const char *path)
{
	_autoclose_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int ret;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || st.st_mode & 022)
		return -EPERM;
	ret = fd;
	fd = -1;
	return ret;
}

static int make_dirs(const char *path)
{
	_autofree_ char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0700) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(copy, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* ------------------------------------------------------------------ read */

static int read_file(int dir, const char *name, struct buf *ret)
{
	_autoclose_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char chunk[16384];
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 022)
		return -EPERM;
	if (st.st_size > JSON_MAX_PROFILE)
		return -EFBIG;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 && ret->len <= JSON_MAX_PROFILE)
		buf_add(ret, chunk, (size_t)n);
	if (n < 0)
		return -errno;
	return buf_failed(ret) ? -ENOMEM : 0;
}

/* A part that a reader would take, with the digest that it was written with. */
static int check_part(const json_t *part, const struct form *form, const char *digest)
{
	char actual[DIGEST_HEX + 1];
	_buf_ scratch = { 0 };

	if (!part || !digest || !form_accepts(form, part))
		return -EBADMSG;
	if (json_digest(part, NULL, &scratch, actual) < 0)
		return -ENOMEM;
	return streq(digest, actual) ? 0 : -EBADMSG;
}

/* Is it what was written, for this key, by a program that means the same by it? */
static int check_document(const json_t *root, const char *key)
{
	if (!same_text(string_of(root, "schema"), CACHE_SCHEMA) ||
	    !same_text(string_of(root, "key"), key))
		return -EBADMSG;
	return check_part(json_object_get(root, "entry"), &qemu_form, string_of(root, "digest"));
}

static void digest_of(const struct buf *text, char digest[DIGEST_HEX + 1])
{
	struct blake2b b;

	blake2b_init(&b);
	blake2b_update(&b, text->data, text->len);
	blake2b_final_hex(&b, digest);
}

/* The text of the record, held against the digest of its bytes. */
static int load_record(int dir, const char *key, const json_t *root, struct record_text *ret)
{
	const char *name = string_of(root, "build"), *digest = string_of(root, "record_digest");
	char file[FILE_NAME], actual[DIGEST_HEX + 1];
	int r;

	if (!name || !hex_valid(name, DIGEST_HEX) || !digest)
		return -EBADMSG;
	file_name(key, ".record", file);
	r = read_file(dir, file, &ret->text);
	if (r < 0)
		return r == -ENOENT ? -EBADMSG : r;
	digest_of(&ret->text, actual);
	if (!streq(actual, digest))
		return -EBADMSG;
	memcpy(ret->digest, name, sizeof(ret->digest));
	return 0;
}

static int load(struct abibase_probe *pr, int dir, const char *name, const char *key, json_t **ret,
		struct record_text *ret_record)
{
	json_auto_t *root = NULL;
	_buf_ text = { 0 };
	int r = read_file(dir, name, &text);

	if (r < 0)
		return r;
	root = json_loadb(text.data ? text.data : "", text.len, JSON_REJECT_DUPLICATES, NULL);
	r = check_document(root, key);
	if (r == 0 && pr->builds_dir)
		r = load_record(dir, key, root, ret_record);
	if (r < 0)
		return r;
	*ret = json_incref(json_object_get(root, "entry"));
	return 0;
}

int probe_cache_load(struct abibase_probe *pr, const struct abibase_catalogue *cat,
		     const char *path, const char *build_id, json_t **ret,
		     struct record_text *ret_record)
{
	_autoclose_ int dir = -1;
	char key[DIGEST_HEX + 1], name[FILE_NAME];
	int r;

	if (!pr->cache_dir || !build_id)
		return 0;
	r = make_key(pr, cat, path, build_id, key);
	if (r < 0)
		return r;
	file_name(key, ".json", name);
	dir = open_dir(pr->cache_dir);
	if (dir < 0)
		return 0;
	r = load(pr, dir, name, key, ret, ret_record);
	if (r == 0)
		return 1;
	if (r != -ENOENT && r != -ENOMEM)
		context_log(pr->ctx, LOG_NOTICE, "probe-cache-ignored",
			    "%s/%s: ignored, and asked anew: %s", pr->cache_dir, name,
			    r == -EBADMSG ? "it is damaged" :
			    r == -EPERM || r == -ELOOP ?
					    "it is no file of the caller's alone" :
					    strerror(-r));
	return r == -ENOMEM ? r : 0;
}

/* ----------------------------------------------------------------- write */

/* Whole or not at all: another abibase may read or write the same one now. */
int probe_file_replace(int dir, const char *name, const char *text, size_t len, mode_t mode)
{
	_autoclose_ int fd = -1;
	char tmp[64];
	int r;

	snprintf(tmp, sizeof(tmp), ".%ld-%llx.tmp", (long)getpid(),
		 (unsigned long long)(uintptr_t)text);
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	r = write_fully(fd, text, len);
	if (r == 0 && renameat(dir, tmp, dir, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, tmp, 0);
	return r;
}

/* Of both the digest: a file that was changed is not believed. */
static json_t *make_document(const char *key, const json_t *entry, const struct record_text *record)
{
	char digest[DIGEST_HEX + 1], of_record[DIGEST_HEX + 1];
	bool has_record = record && *record->digest;
	_buf_ text = { 0 };

	if (json_digest(entry, NULL, &text, digest) < 0)
		return NULL;
	if (has_record)
		digest_of(&record->text, of_record);
	return json_pack("{s:s, s:s, s:s, s:O, s:s*, s:s*}", "schema", CACHE_SCHEMA, "key", key,
			 "digest", digest, "entry", entry, "build",
			 has_record ? record->digest : NULL, "record_digest",
			 has_record ? of_record : NULL);
}

static int write_document(struct abibase_probe *pr, const char *key, const json_t *entry,
			  const struct record_text *record)
{
	json_auto_t *root = make_document(key, entry, record);
	char name[FILE_NAME];
	_autoclose_ int dir = -1;
	_buf_ text = { 0 };
	int r;

	if (!root)
		return -ENOMEM;
	json_write_compact(&text, root, NULL);
	if (buf_failed(&text))
		return -ENOMEM;
	r = make_dirs(pr->cache_dir);
	if (r < 0)
		return r;
	dir = open_dir(pr->cache_dir);
	if (dir < 0)
		return dir;
	file_name(key, ".record", name);
	if (record && *record->digest)
		r = probe_file_replace(dir, name, record->text.data, record->text.len, 0600);
	file_name(key, ".json", name);
	return r < 0 ? r : probe_file_replace(dir, name, text.data, text.len, 0600);
}

int probe_cache_store(struct abibase_probe *pr, const struct abibase_catalogue *cat,
		      const char *path, const char *build_id, const json_t *entry,
		      const struct record_text *record)
{
	char key[DIGEST_HEX + 1];
	int r;

	if (!pr->cache_dir || !build_id)
		return 0;
	r = make_key(pr, cat, path, build_id, key);
	if (r == 0)
		r = write_document(pr, key, entry, record);
	if (r < 0 && r != -ENOMEM)
		context_log(pr->ctx, LOG_INFO, "probe-cache-not-written",
			    "%s: what the QEMU answered is not kept: %s", pr->cache_dir,
			    r == -EPERM ? "the directory is not the caller's alone" :
					  strerror(-r));
	return r == -ENOMEM ? r : 0;
}
