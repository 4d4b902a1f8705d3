/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document/rehearsal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/blake2b.h"
#include "base/context.h"

/* ---------------------------------------------------------------- the head: its form */

static const struct member build_members[] = {
	{ "digest", J_STRING, .required = true, .check = schema_digest },
	{ "package", J_STRING, .required = false },
	{ "path", J_STRING, .required = true, .check = schema_nonempty },
	{ "version", J_STRING, .required = true, .check = schema_version },
	{ 0 },
};

static const struct member file_members[] = {
	{ "digest", J_STRING, .required = true, .check = schema_digest },
	{ "path", J_STRING, .required = true, .check = schema_nonempty },
	{ 0 },
};

static const struct member feature_members[] = {
	{ "register", J_STRING, .required = true, .check = schema_nonempty },
	{ "word", J_INT, .required = true, LIMITS(0, UINT32_MAX) },
	{ 0 },
};

/*
 * Of one vCPU. The table of replacements says which properties; files were written without them, and
 * with six of them beside.
 */
static const struct member vcpu_members[] = {
	{ "family", J_INT, .required = false },
	{ "features", J_ARRAY, .required = true, .each = EACH_OBJECT(feature_members, MORE_NONE) },
	{ "filtered", J_ARRAY, .required = true, .each = EACH_OBJECT(feature_members, MORE_NONE) },
	{ "model", J_INT, .required = false },
	{ "model_id", J_STRING, .required = false },
	{ "names", J_ARRAY, .required = false, .each = EACH_TEXT },
	{ "phys_bits", J_INT, .required = false },
	{ "properties", J_OBJECT, .required = false, .each = EACH(J_STRING | J_INT | J_BOOL) },
	{ "stepping", J_INT, .required = false },
	{ "vcpus", J_INT, .required = true, LIMITS(1, REHEARSAL_VCPUS_MAX) },
	{ "vendor", J_STRING, .required = false },
	{ 0 },
};

static const struct member stream_members[] = {
	{ "bytes", J_INT, .required = true, LIMITS(1, REHEARSAL_STREAM_MAX) },
	{ "digest", J_STRING, .required = true, .check = schema_digest },
	{ 0 },
};

static const struct member left_members[] = {
	{ "option", J_STRING, .required = true, .check = schema_nonempty },
	{ "why", J_STRING, .required = true, .check = schema_nonempty },
	{ 0 },
};

#define WORDS EACH_TEXT

static const struct member head_members[] = {
	{ "baseline", J_STRING, .check = schema_nonempty },
	{ "build", J_OBJECT, .required = true, .members = build_members },
	{ "cpus", J_ARRAY, .required = true, .each = EACH_OBJECT(vcpu_members, MORE_NONE),
	  LIMITS(0, REHEARSAL_VCPUS_MAX) },
	{ "cpus_possible", J_STRING, .required = false },
	{ "declared", J_ARRAY, .required = true, .each = WORDS },
	{ "files", J_ARRAY, .required = true, .each = EACH_OBJECT(file_members, MORE_NONE) },
	{ "host", J_STRING, .check = schema_digest },
	{ "kernel", J_STRING, .required = true, .check = schema_nonempty },
	{ "left_out", J_ARRAY, .required = true, .each = EACH_OBJECT(left_members, MORE_NONE) },
	{ "list", J_ARRAY, .required = true, .each = WORDS },
	{ "machine", J_STRING, .required = true, .check = schema_name },
	{ "properties", J_OBJECT, .required = false,
	  .each = EACH(J_OBJECT, .each = EACH(J_ARRAY, .each = WORDS)) },
	{ "replaced", J_ARRAY, .required = true, .each = EACH_OBJECT(left_members, MORE_NONE) },
	{ "run", J_INT, .required = false, LIMITS(1, REHEARSAL_RUN_MAX) },
	{ "schema", J_STRING, .required = true },
	{ "stream", J_OBJECT, .required = true, .members = stream_members },
	{ "without_taps", J_BOOL, .check = schema_true },
	{ "without_tpm", J_BOOL, .check = schema_true },
	{ 0 },
};

const struct form rehearsal_form = { "rehearsal", .members = head_members,
				     .max = REHEARSAL_HEAD_MAX, .check = schema_strings_printable };

/* --------------------------------------------------------------------- the file */

void rehearsal_clear(struct rehearsal *r)
{
	json_decref(r->head);
	r->head = NULL;
	buf_clear(&r->stream);
}

static void digest_of(const struct buf *b, char hex[DIGEST_HEX + 1])
{
	struct blake2b sum;

	blake2b_init(&sum);
	blake2b_update(&sum, b->data ? b->data : "", b->len);
	blake2b_final_hex(&sum, hex);
}

bool rehearse_digest(const char *path, char hex[DIGEST_HEX + 1])
{
	_autoclose_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_autofree_ char *chunk = malloc(1 << 16);
	size_t total = 0;
	struct blake2b sum;
	struct stat st;
	ssize_t n = -1;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	blake2b_init(&sum);
	while (chunk && total < 1u << 30 && (n = read(fd, chunk, 1 << 16)) > 0) {
		blake2b_update(&sum, chunk, (size_t)n);
		total += (size_t)n;
	}
	blake2b_final_hex(&sum, hex);
	return n == 0;
}

static int check_stream(struct abibase_context *ctx, const char *source, const struct rehearsal *r)
{
	const json_t *stream = json_object_get(r->head, "stream");
	json_int_t bytes = json_integer_value(json_object_get(stream, "bytes"));
	char hex[DIGEST_HEX + 1];

	digest_of(&r->stream, hex);
	if (bytes == (json_int_t)r->stream.len && streq(string_of(stream, "digest"), hex))
		return 0;
	if (bytes == (json_int_t)r->stream.len)
		return context_fail(ctx, EBADMSG, "rehearsal-damaged", source,
				    "the stream behind the head is not the one that the head states: "
				    "its digest is another; save it again");
	return context_fail(
		ctx, EBADMSG, "rehearsal-damaged", source,
		"the stream behind the head is not the one that the head states: it has "
		"%zu bytes, stated are %lld; save it again",
		r->stream.len, (long long)bytes);
}

/* Nothing would be held against those of the destination. Only the machine "none" has none. */
static int check_vcpus(struct abibase_context *ctx, const json_t *head, const char *source)
{
	if (json_array_size(json_object_get(head, "cpus")) || same_text(string_of(head, "machine"), "none"))
		return 0;
	return context_fail(ctx, EBADMSG, "rehearsal-damaged", source,
			    "its head has no vCPUs, with which abibase rehearse --save writes it; "
			    "save it again");
}

int rehearsal_head(struct abibase_context *ctx, const char *text, size_t len, const char *source,
		   json_t **ret)
{
	json_t *head = NULL;
	int r = json_parse(ctx, text, len, REHEARSAL_HEAD_MAX, source, &head);

	if (r == 0)
		r = document_check(ctx, head, source, &rehearsal_form);
	if (r < 0)
		return r; /* the head went with it */
	r = check_vcpus(ctx, head, source);
	if (r < 0)
		json_decref(head);
	else
		*ret = head;
	return r;
}

int rehearsal_from_buffer(struct abibase_context *ctx, const char *text, size_t len,
			  const char *source, struct rehearsal *ret)
{
	size_t most = len < REHEARSAL_HEAD_MAX ? len : REHEARSAL_HEAD_MAX;
	const char *end = most ? memchr(text, '\n', most) : NULL;
	struct rehearsal r = { 0 };
	int err;

	if (!end)
		return context_fail(
			ctx, EBADMSG, "rehearsal-damaged", source,
			"this is no rehearsal: its first line, of at most %u bytes, is to be "
			"a head that abibase rehearse --save has written",
			REHEARSAL_HEAD_MAX);
	err = rehearsal_head(ctx, text, (size_t)(end - text), source, &r.head);
	if (err < 0)
		return err;
	end++;
	buf_add(&r.stream, end, len - (size_t)(end - text));
	err = buf_failed(&r.stream) ? context_oom(ctx) : check_stream(ctx, source, &r);
	if (err < 0)
		rehearsal_clear(&r);
	else
		*ret = r;
	return err;
}

int rehearsal_read(struct abibase_context *ctx, const char *path, struct rehearsal *ret)
{
	_autofree_ char *text = NULL;
	size_t len;
	int r = file_read(ctx, path, REHEARSAL_HEAD_MAX + REHEARSAL_STREAM_MAX, &text, &len);

	return r < 0 ? r : rehearsal_from_buffer(ctx, text, len, path, ret);
}

static int fill(int fd, const struct buf *head, const struct buf *stream)
{
	int r = write_fully(fd, head->data, head->len);

	if (r == 0)
		r = write_fully(fd, stream->data, stream->len);
	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

/* Under its name at once, whatever was there before. */
static int give_name(int fd, const char *path)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	for (int i = 0; i < 2; i++) {
		if (linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
			return 0;
		if (errno != EEXIST || (unlink(path) < 0 && errno != ENOENT))
			break;
	}
	return -errno;
}

/* Where a file system makes none without a name: one that a kill could leave. */
static int put_renamed(const char *path, const struct buf *head, const struct buf *stream)
{
	_buf_ temporary = { 0 };
	int fd, r;

	buf_printf(&temporary, "%s.XXXXXX", path);
	if (buf_failed(&temporary))
		return -ENOMEM;
	fd = mkostemp(temporary.data, O_CLOEXEC); /* 0600 */
	if (fd < 0)
		return -errno;
	r = fill(fd, head, stream);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(temporary.data, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temporary.data);
	return r;
}

/* The directory that @path is in, for the caller to free. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

int rehearsal_put(const char *path, const struct buf *head, const struct buf *stream)
{
	_autofree_ char *directory = directory_of(path);
	_autoclose_ int fd = directory ? open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600) :
					 -1;
	struct stat st;
	int r;

	if (!directory)
		return -ENOMEM;
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return -EEXIST; /* a device, say */
	if (fd < 0)
		return put_renamed(path, head, stream);
	r = fill(fd, head, stream);
	return r == 0 ? give_name(fd, path) : r;
}

int rehearsal_write(struct abibase_context *ctx, const char *path, struct rehearsal *r)
{
	_buf_ head = { 0 };
	char hex[DIGEST_HEX + 1];
	int err;

	digest_of(&r->stream, hex);
	if (json_put(r->head, "stream",
		     json_pack("{sI ss}", "bytes", (json_int_t)r->stream.len, "digest", hex)) < 0)
		return context_oom(ctx);
	json_write_compact(&head, r->head, NULL);
	buf_putc(&head, '\n');
	if (buf_failed(&head))
		return context_oom(ctx);
	if (head.len > REHEARSAL_HEAD_MAX)
		return context_fail(ctx, EFBIG, "file-too-large", path,
				    "the head would have %zu bytes, more than the %u that are read",
				    head.len, REHEARSAL_HEAD_MAX);
	err = rehearsal_put(path, &head, &r->stream);
	return err < 0 ? context_fail(ctx, -err, "io-error", path, "%s", strerror(-err)) : 0;
}

/* ------------------------------------------------------- the table of replacements */

static const char *const does_words[] = { "keep", "drop", "leave-out", "replace", NULL };
static const char *const device_words[] = { "auto", "carried", "note", NULL };
static const char *const properties_words[] = { "equal", "no-less", NULL };
static const char *const words_words[] = { "plain", "digest", "file", "host", NULL };

static void check_row(struct schema_walk *c, const json_t *v)
{
	const char *does = string_of(v, "does");
	bool replaces = does && streq(does, "replace");

	if (replaces != !!json_object_get(v, "by"))
		schema_fault(c, "json-bad-value",
			     "\"by\" stands where \"does\" is \"replace\", and "
			     "nowhere else");
	if (does && streq(does, "leave-out") && !json_object_get(v, "why"))
		schema_fault(c, "json-missing-key",
			     "lacks the key \"why\": what is left out is told "
			     "with its reason");
}

static const struct member row_members[] = {
	{ "by", J_STRING, .check = schema_nonempty },
	{ "does", J_STRING, .required = true, .words = does_words },
	{ "why", J_STRING, .check = schema_nonempty },
	{ "words", J_STRING, .words = words_words },
	{ 0 },
};

#define ROWS EACH(J_OBJECT, .members = row_members, .check = check_row)
#define LISTS EACH(J_ARRAY, .each = WORDS)

static const struct member rehearse_members[] = {
	{ "address_params", J_OBJECT, .required = true, .each = LISTS },
	{ "bus_drivers", J_OBJECT, .required = true, .each = LISTS },
	{ "device_properties", J_OBJECT, .required = true,
	  .each = EACH(J_STRING, .words = device_words) },
	{ "devices", J_OBJECT, .required = true, .each = ROWS },
	{ "dropped_params", J_OBJECT, .required = true, .each = LISTS },
	{ "file_params", J_OBJECT, .required = true, .each = LISTS },
	{ "host_params", J_OBJECT, .required = true, .each = LISTS },
	{ "left_out_params", J_OBJECT, .required = true, .each = LISTS },
	{ "netdevs", J_OBJECT, .required = true, .each = ROWS },
	{ "objects", J_OBJECT, .required = true, .each = ROWS },
	{ "options", J_OBJECT, .required = true, .each = ROWS },
	{ "placing_params", J_OBJECT, .required = true, .each = LISTS },
	{ "rom_drivers", J_OBJECT, .required = true, .each = LISTS },
	{ "same_drivers", J_OBJECT, .required = true, .each = EACH(J_STRING) },
	{ "same_words", J_OBJECT, .required = true, .each = EACH(J_STRING) },
	{ "schema", J_STRING, .required = true },
	{ "secret_params", J_OBJECT, .required = true, .each = LISTS },
	{ "seen_params", J_OBJECT, .required = true, .each = LISTS },
	{ "text_params", J_OBJECT, .required = true, .each = LISTS },
	{ "vcpu_properties", J_OBJECT, .required = true,
	  .each = EACH(J_STRING, .words = properties_words) },
	{ 0 },
};

const struct form rehearse_form = { "rehearse", .members = rehearse_members, .more = MORE_FREE,
				    .max = JSON_MAX_CATALOGUE };

const json_t *rehearse_row(const json_t *table, const char *part, const char *name)
{
	const json_t *rows = json_object_get(table, part), *row = json_object_get(rows, name);
	const char *key;
	json_t *v;

	if (row || !name)
		return row;
	json_object_foreach((json_t *)rows, key, v) {
		size_t n = strlen(key);

		if (n && key[n - 1] == '*' && strncmp(key, name, n - 1) == 0)
			return v;
	}
	return NULL;
}

enum rehearse_does rehearse_does(const json_t *row)
{
	const char *does = string_of(row, "does");
	int i = does ? word_index(does_words, does) : -1;

	return i < 0 ? REHEARSE_LEAVE_OUT : (enum rehearse_does)i;
}

bool rehearse_lists(const json_t *table, const char *part, const char *option, const char *param)
{
	return json_has(json_object_get(json_object_get(table, part), option), param);
}
