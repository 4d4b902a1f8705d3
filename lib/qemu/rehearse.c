/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/rehearse.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/blake2b.h"
#include "base/context.h"
#include "base/text.h"

/*
 * Each option is looked up in the table. What is kept goes to the throw-away as it is; what is
 * replaced, by a function of this file; what the table does not have is left out, and told.
 *
 * "declared" is what a guest can tell of the line, in words that are equal where that is: two lines
 * are held against each other by it, for what was replaced is not in the stream as it was meant.
 */

#define MIB (1024 * 1024ull)
#define RAM_UNIT (32 * MIB)	    /* RAM of the throw-away, or of each part of it */
#define RAM_WITH_KERNEL (256 * MIB) /* an initrd has to fit */
#define RAM_EXECUTED (128 * MIB)    /* that of UEFI needs more than it shows */
#define RAM_MOST (512 * MIB)
#define DISK_SIZE "1073741824"
#define FLOPPY_SIZE "1474560"
#define FLASH_MAX (256 * MIB)
/* Context ids up from here are nobody's, but for other throw-aways. */
#define FREE_CID 0x40000000u

struct rehearse_option {
	const char *name;
	const char *value; /* NULL: it takes none */
	bool known;	   /* false: whether it takes a value is a guess */
	struct params given; /* as the reader of command lines has them */
	json_t *params;	   /* of an option that is taken apart; else NULL */
	bool is_json;	   /* it was one */
	bool merged;	   /* into a later one of its kind */
	bool section;	   /* of a -readconfig file: it is in @params alone */
};

/* ------------------------------------------------------------------------ pieces */

#define keep(l, ...) show_keep(&(l)->arena, __VA_ARGS__)

static const char *copy(struct rehearse_line *l, const char *s)
{
	char *c = s ? arena_strdup(&l->arena, s) : NULL;

	return c || !s ? c : "";
}

static void put(struct rehearse_line *l, const char *name, const char *value)
{
	_buf_ word = { 0 };

	buf_printf(&word, "-%s", name);
	if (buf_failed(&word) || strings_add(&l->words, word.data) < 0 ||
	    (value && strings_add(&l->words, value) < 0))
		l->arena.failed = true;
}

static void tell(struct rehearse_line *l, json_t *list, const char *option, const char *why)
{
	json_t *row = json_pack("{ss ss}", "option", option, "why", why);
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		if (json_equal(v, row)) {
			json_decref(row);
			return;
		}
	if (json_add(list, row) < 0)
		l->arena.failed = true;
}

static void note(struct rehearse_line *l, struct strings *set, const char *s)
{
	if (s && strings_insert(set, s) < 0)
		l->arena.failed = true;
}

static void leave_out(struct rehearse_line *l, const char *option, const char *why)
{
	tell(l, l->left_out, option, why ? why : "it cannot be rehearsed");
}

static void replaced(struct rehearse_line *l, const char *option, const char *by)
{
	tell(l, l->replaced, option, by);
}

/* A guest can tell it. What is as good as other words, or as none, is not told by them. */
static void declare(struct rehearse_line *l, const char *text)
{
	static const char machine[] = "-machine ", *const files[] = { "kernel=", "initrd=", "dtb=" };
	const char *same = string_of(json_object_get(l->table, "same_words"), text);

	if (same)
		text = same;
	for (size_t i = 0; strprefix(text, machine) && i < ARRAY_SIZE(files); i++) {
		const char *word = text + strlen(machine);
		int len = (int)strlen(files[i]) - 1;

		if (strprefix(word, files[i]))
			text = keep(l, "-%.*s %s", len, word, word + len + 1);
	}
	if (*text && json_add(l->declared, json_string(text)) < 0)
		l->arena.failed = true;
}

static const char *digest_word(struct rehearse_line *l, const char *s)
{
	struct blake2b sum;
	char hex[DIGEST_HEX + 1];

	blake2b_init(&sum);
	blake2b_update(&sum, s, strlen(s));
	blake2b_final_hex(&sum, hex);
	return keep(l, "#%.32s", hex);
}

/* -------------------------------------------------------------------- parameters */

static const char *const implied[][2] = {
	{ "accel", "accel" },	  { "object", "qom-type" }, { "m", "size" },	   { "numa", "type" },
	{ "chardev", "backend" }, { "fsdev", "fsdriver" }, { "virtfs", "fsdriver" },
	{ "audiodev", "driver" }, { "audio", "driver" },   { "tpmdev", "type" },
	{ "fw_cfg", "name" },	  { "boot", "order" },	   { OPTION_ROM, "romfile" },
};

/* The key that its first value can leave out; NULL: there is none. */
static const char *implied_key(const char *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(implied); i++)
		if (streq(implied[i][0], option))
			return implied[i][1];
	return NULL;
}

/* As the reader of command lines has it, or by the text; of a duplicate key the last one counts. */
static void take_text(struct rehearse_line *l, struct rehearse_option *o)
{
	struct params params = o->given;

	if (!params.n)
		take_params(&l->arena, &params, o->value, implied_key(o->name));
	for (size_t i = 0; i < params.n; i++)
		if (json_put(o->params, params.p[i].key, json_string(params.p[i].value)) < 0)
			l->arena.failed = true;
}

/* Its value, taken apart, with what is nested in JSON. */
static void take_apart(struct rehearse_line *l, struct rehearse_option *o)
{
	o->params = *o->value == '{' ? json_loads(o->value, JSON_REJECT_DUPLICATES, NULL) : NULL;
	o->is_json = json_is_object(o->params);
	if (o->is_json)
		return;
	json_decref(o->params);
	o->params = json_object();
	l->arena.failed |= !o->params;
	if (*o->value == '{')
		leave_out(l, keep(l, "-%s", o->name), "it is no JSON that QEMU would take");
	else if (o->params)
		take_text(l, o);
}

/* The text of a parameter, as a command line has it; NULL: it is not there, or is no scalar. */
static const char *param_of(struct rehearse_line *l, const json_t *params, const char *key)
{
	const json_t *v = json_object_get(params, key);

	if (json_is_integer(v))
		return keep(l, "%lld", (long long)json_integer_value(v));
	if (json_is_boolean(v))
		return json_is_true(v) ? "on" : "off";
	return json_string_value(v);
}

static const char *text_of(struct rehearse_line *l, const struct rehearse_option *o,
			   const char *key)
{
	return param_of(l, o->params, key);
}

static void set_param(struct rehearse_line *l, json_t *params, const char *key, const char *value)
{
	if (json_put(params, key, json_string(value)) < 0)
		l->arena.failed = true;
}

/* A text takes it too; in JSON it has to be one. */
static void set_number(struct rehearse_line *l, json_t *params, const char *key, uint64_t n)
{
	if (json_put(params, key, json_integer((json_int_t)n)) < 0)
		l->arena.failed = true;
}

/* The option with the parameters that it has now. */
static void put_params(struct rehearse_line *l, const struct rehearse_option *o, const char *name)
{
	_autofree_ char *text = o->is_json ? json_dumps(o->params, JSON_COMPACT) : NULL;
	_buf_ out = { 0 };
	const char *key;
	json_t *v;

	json_object_foreach(o->params, key, v) {
		if (o->is_json)
			break;
		buf_printf(&out, "%s%s=", out.len ? "," : "", key);
		write_escaped(&out, text_of(l, o, key) ? text_of(l, o, key) : "");
	}
	l->arena.failed |= o->is_json ? !text : buf_failed(&out);
	put(l, name, o->is_json ? text : out.data ? out.data : "");
}

/* As it was given; what is of a file has no text of its own. */
static void put_given(struct rehearse_line *l, const struct rehearse_option *o)
{
	if (o->section)
		put_params(l, o, o->name);
	else
		put(l, o->name, o->value);
}

static bool lists(const struct rehearse_line *l, const char *part, const char *option,
		  const char *key)
{
	return rehearse_lists(l->table, part, option, key);
}

/* ------------------------------------------------------------------------- sizes */

/*
 * "512", whose unit is then @unit bytes, "0x10", "2G"; not "010", which is a number of one kind here and of
 * another there, nor "1.5G".
 */
static bool is_size(const char *s, uint64_t unit, uint64_t *ret)
{
	static const char suffixes[] = "bkmgtpe";
	bool hex = strprefix(s, "0x") || strprefix(s, "0X");
	size_t n = hex ? 2 + strspn(s + 2, "0123456789abcdefABCDEF") : strspn(s, "0123456789");
	const char *end = s + n, *at = *end ? strchr(suffixes, *end | 0x20) : NULL;

	if (n == (hex ? 2u : 0u) || (!hex && n > 1 && *s == '0') || (*end && (hex || !at || end[1])))
		return false;
	if (at)
		unit = 1ull << (10 * (at - suffixes));
	errno = 0;
	*ret = strtoull(s, NULL, 0);
	if (errno || *ret > ~0ull / unit)
		return false;
	*ret *= unit;
	return true;
}

/* 0: none, or none that can be read */
static uint64_t size_of(const char *s, uint64_t unit)
{
	uint64_t n;

	return s && is_size(s, unit, &n) ? n : 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a && a < b ? a : b;
}

static const char *number(struct rehearse_line *l, uint64_t n)
{
	return keep(l, "%llu", (unsigned long long)n);
}

/* ------------------------------------------------------------------ declared values */

/* "3", "0x03.1": a place on a PCI bus, which is hexadecimal. */
static bool is_place(const char *value, unsigned long *slot, unsigned long *function)
{
	char *end;

	*slot = strtoul(value, &end, 16);
	*function = *end == '.' ? strtoul(end + 1, &end, 16) : 0;
	return end != value && !*end && *slot < 32 && *function < 8;
}

static const char *lower(struct rehearse_line *l, const char *s)
{
	char *low = arena_strdup(&l->arena, s);

	for (char *c = low; low && *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
	return low ? low : "";
}

/* QEMU takes 52-54-00-AA-00-01 for 52:54:00:aa:00:01. */
static const char *mac_of(struct rehearse_line *l, const char *value)
{
	char *mac = arena_strdup(&l->arena, lower(l, value));

	for (char *c = mac; c && *c; c++)
		*c = *c == '-' ? ':' : *c;
	return mac ? mac : "";
}

/*
 * One spelling for what QEMU takes for the same: "yes" is "on", "addr=0x03" is "addr=3.0", "1G" is
 * "1024M". Of a text, which the guest reads, each is another.
 */
static const char *plain_value(struct rehearse_line *l, const char *option, const char *key,
			       const char *value)
{
	unsigned long slot, function;
	uint64_t n;

	if (streq(key, MAC))
		return mac_of(l, value);
	if (lists(l, "text_params", option, key))
		return value;
	if (word_is_bool(value, true) || word_is_bool(value, false))
		return word_is_bool(value, true) ? "on" : "off";
	if (streq(key, "addr") && is_place(value, &slot, &function))
		return keep(l, "%lx.%lx", slot, function);
	return is_size(value, 1, &n) ? number(l, n) : value;
}

/* Words that are no secret: none of these is a place to keep one. */
static bool is_harmless(const char *value)
{
	return strlen(value) < 32 && !value[strspn(value, "abcdefghijklmnopqrstuvwxyz"
							  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
							  "0123456789.:_+-")];
}

static const char *harmless_word(struct rehearse_line *l, const char *s)
{
	return is_harmless(s) ? s : digest_word(l, s);
}

/* In bytes; of one that cannot be read, each spelling is another. */
static const char *size_word(struct rehearse_line *l, const char *s, uint64_t unit)
{
	uint64_t n = 0;

	return !s || is_size(s, unit, &n) ? number(l, n) : harmless_word(l, s);
}

/* A name alone can be that of a file beside QEMU, which finds it. */
static void note_read(struct rehearse_line *l, const char *path)
{
	if (strchr(path, '/') || access(path, F_OK) == 0)
		note(l, &l->reads, path);
}

/* What the guest reads is in no stream, but for ROMs: which bytes these are, two hosts can compare. */
static const char *content_word(struct rehearse_line *l, const char *option, const char *path)
{
	char hex[DIGEST_HEX + 1];

	if (!rehearse_digest(path, hex)) {
		leave_out(l, keep(l, "-%s", option), "a file that it names cannot be read");
		return digest_word(l, path);
	}
	note(l, &l->files, path);
	note_read(l, path);
	return keep(l, "#%.32s", hex);
}

/* Of one file, or of several with colons between them, as -acpitable has them */
static const char *content_words(struct rehearse_line *l, const char *option, const char *paths)
{
	char hex[DIGEST_HEX + 1];
	_buf_ out = { 0 };

	if (!strchr(paths, ':') || rehearse_digest(paths, hex))
		return content_word(l, option, paths);
	for (const char *p = paths; *p; p += strcspn(p, ":"), p += *p == ':')
		buf_printf(&out, "%s", content_word(l, option,
						    keep(l, "%.*s", (int)strcspn(p, ":"), p)));
	return copy(l, arena_words(&l->arena, &out));
}

/* What is declared of a value */
static const char *value_word(struct rehearse_line *l, const char *option, const char *key,
			      const char *value)
{
	const char *plain;

	if (*value && lists(l, "file_params", option, key))
		return content_words(l, option, value);
	plain = plain_value(l, option, key, value);
	return lists(l, "secret_params", option, key) ? digest_word(l, plain) : harmless_word(l, plain);
}

/* A number in JSON is a place on a PCI bus as QEMU counts them. */
static const char *declared_value(struct rehearse_line *l, const struct rehearse_option *o,
				  const char *key, const json_t *v)
{
	json_int_t n = json_integer_value(v);

	if (json_is_integer(v) && streq(key, "addr") && n >= 0 && n < 256)
		return keep(l, "%x.%x", (unsigned int)n >> 3, (unsigned int)n & 7);
	return text_of(l, o, key);
}

static const char *driver_of(struct rehearse_line *l, const struct rehearse_option *o)
{
	const char *driver = text_of(l, o, "driver");
	const char *same = string_of(json_object_get(l->table, "same_drivers"), driver ? driver : "");

	/* the alias of the proxy, as that of the others is in the table */
	if (driver && strprefix(driver, "virtio-"))
		return keep(l, "%.*s", (int)length_without(driver, "-pci"), driver);
	return same ? same : driver ? driver : "";
}

/* The device whose id a bus begins with: that of "pci.1", or of "scsi0.0". */
static const struct rehearse_option *bus_owner(struct rehearse_line *l, const char *bus, size_t *len)
{
	const struct rehearse_option *found = NULL;

	*len = 0;
	for (size_t i = 0; i < l->n_options; i++) {
		const struct rehearse_option *o = &l->options[i];
		const char *id = streq(o->name, "device") ? text_of(l, o, "id") : NULL;
		size_t n = id ? strlen(id) : 0;

		if (n <= *len || strncmp(bus, id, n) || (bus[n] && bus[n] != '.'))
			continue;
		*len = n;
		found = o;
	}
	return found;
}

/* Which one of those of its driver it is, from 1 on */
static size_t number_among(struct rehearse_line *l, const struct rehearse_option *o, const char *driver)
{
	size_t n = 1;

	for (const struct rehearse_option *other = l->options; other < o; other++)
		n += streq(other->name, "device") && streq(driver_of(l, other), driver);
	return n;
}

#define BUSES_DEEP 8

/*
 * "pcie.0/ich9-ahci:3.0.1": a bus by the place of what it is of, for an id is no more than a name; of a device
 * without an address by its number among those of its driver.
 */
static const char *bus_words(struct rehearse_line *l, const char *bus, int depth)
{
	size_t len;
	const struct rehearse_option *o = bus_owner(l, bus, &len);
	const char *addr, *driver, *under;

	if (!o || depth == BUSES_DEEP)
		return harmless_word(l, bus);
	driver = driver_of(l, o);
	addr = declared_value(l, o, "addr", json_object_get(o->params, "addr"));
	under = text_of(l, o, "bus");
	under = under ? bus_words(l, under, depth + 1) : "";
	addr = addr && is_harmless(addr) ? keep(l, ":%s", plain_value(l, "device", "addr", addr)) :
					   keep(l, "#%zu", number_among(l, o, driver));
	return keep(l, "%s%s%s%s%s", under, *under ? "/" : "", driver, addr, bus + len);
}

/* All parameters but the host's own; @group: how the table calls the option; @skip: one, or NULL */
static void collect_params(struct rehearse_line *l, const struct rehearse_option *o,
			   const char *group, const char *skip, struct strings *said)
{
	const char *key;
	json_t *v;

	json_object_foreach(o->params, key, v) {
		_autofree_ char *nested = json_is_object(v) || json_is_array(v) ?
						  json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS) :
						  NULL;
		const char *value = nested ? nested : declared_value(l, o, key, v);

		/* romfile= without a file is no file of the host's: the device has no ROM; and one
		   that has none by itself has another BAR with a file */
		if ((!skip || !streq(key, skip)) && value &&
		    !(*value && lists(l, "host_params", group, key)) &&
		    !lists(l, "dropped_params", group, key)) {
			if (streq(group, "device") && streq(key, "bus"))
				note(l, said, keep(l, "bus=%s", bus_words(l, value, 0)));
			else
				note(l, said, keep(l, "%s=%s", key, value_word(l, group, key, value)));
		}
	}
}

/* "-NAME FIRST" and the parameters, by their names; @skip: the one that is @first, or NULL */
static void declare_params(struct rehearse_line *l, const struct rehearse_option *o,
			   const char *group, const char *first, const char *skip)
{
	struct strings said = { 0 };
	_buf_ out = { 0 };

	collect_params(l, o, group, skip, &said);
	buf_printf(&out, "-%s%s%s", group, first ? " " : "", first ? first : "");
	for (size_t i = 0; i < said.n; i++)
		buf_printf(&out, "%c%s", i || first ? ',' : ' ', said.s[i]);
	if (first || said.n)
		declare(l, arena_words(&l->arena, &out));
	strings_clear(&said);
}

/* The parameters of an option that is there once, each by itself */
static void declare_each(struct rehearse_line *l, const struct rehearse_option *o,
			 const char *group)
{
	struct strings said = { 0 };

	collect_params(l, o, group, NULL, &said);
	for (size_t i = 0; i < said.n; i++)
		declare(l, keep(l, "-%s %s", group, said.s[i]));
	strings_clear(&said);
}

static void drop_params(struct rehearse_line *l, const struct rehearse_option *o, const char *group)
{
	const json_t *list = json_object_get(json_object_get(l->table, "dropped_params"), group);
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)list, i, v)
		json_object_del(o->params, json_string_value(v));
}

/* ",KEY=VALUE" of what a guest can tell, where nearly all of the option is the host's */
static const char *seen_words(struct rehearse_line *l, const struct rehearse_option *o, const char *group)
{
	const json_t *seen = json_object_get(json_object_get(l->table, "seen_params"), group);
	const char *words = "", *key, *value;
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)seen, i, v) {
		key = json_string_value(v);
		value = text_of(l, o, key);
		if (value)
			words = keep(l, "%s,%s=%s", words, key, value_word(l, group, key, value));
	}
	return words;
}

/* ------------------------------------------------------------------------- disks */

static const struct rehearse_option *find_node(struct rehearse_line *l, const char *name)
{
	for (size_t i = 0; i < l->n_options; i++) {
		const struct rehearse_option *o = &l->options[i];
		const char *node = streq(o->name, "blockdev") ? text_of(l, o, "node-name") :
				   streq(o->name, "drive") || streq(o->name, "fsdev") ?
							      text_of(l, o, "id") :
							      NULL;

		if (node && streq(node, name))
			return o;
	}
	return NULL;
}

/* The file that is under a node, however deep; NULL: it is none that can be looked at. */
static const char *file_under(struct rehearse_line *l, const json_t *params)
{
	for (int depth = 0; params && depth < 8; depth++) {
		const json_t *file = json_object_get(params, "file");
		const char *name = param_of(l, params, "filename");
		const struct rehearse_option *o;

		if (!name)
			name = param_of(l, params, "file.filename");
		if (name)
			return name;
		if (json_is_object(file)) {
			params = file;
			continue;
		}
		o = json_string_value(file) ? find_node(l, json_string_value(file)) : NULL;
		if (!o) /* of -drive it is the name of a file */
			return json_string_value(file);
		params = o->params;
	}
	return NULL;
}

/* Of an image: that of a qcow2 stands in its header, big-endian, behind 24 bytes. */
static uint64_t image_size(const char *path, bool qcow2)
{
	_autoclose_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	unsigned char head[32];
	uint64_t size = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (!qcow2)
		return (uint64_t)st.st_size;
	if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head) || memcmp(head, "QFI\xfb", 4))
		return 0;
	for (int i = 24; i < 32; i++)
		size = size << 8 | head[i];
	return size;
}

/* Of -blockdev, or of -drive; all else is taken as it is. */
static bool is_qcow2(struct rehearse_line *l, const json_t *params)
{
	const char *format = param_of(l, params, "driver");

	if (!format)
		format = param_of(l, params, "format");
	return format && streq(format, "qcow2");
}

/* The throw-away is without it, so whether its QEMU has it is asked for. */
static void note_backend(struct rehearse_line *l, const char *option, const char *command,
			 const char *type)
{
	l->arena.failed |= rehearse_note_backend(l, option, command, type) < 0;
}

/* The exact size of flash memory, which is a part of the machine; NULL: it is not to be seen. */
static const char *flash_size(struct rehearse_line *l, const json_t *params, bool read_only)
{
	const char *path = file_under(l, params);
	uint64_t size = path ? image_size(path, is_qcow2(l, params)) : 0;

	if (!size || size > FLASH_MAX)
		return NULL;
	/* of the other kind, the content is the guest's */
	if (read_only)
		note(l, &l->files, path);
	return number(l, size);
}

/*
 * The image itself, to be read, where the firmware in it is to be executed: {"driver", "file"}. NULL: it
 * is no such flash memory.
 */
static json_t *firmware_of(struct rehearse_line *l, const json_t *params, bool read_only)
{
	const char *path = file_under(l, params);
	json_t *made;

	if (!l->executes || !l->saves || !read_only || !path)
		return NULL;
	made = json_pack("{ss s{ss ss ss}}", "driver", is_qcow2(l, params) ? "qcow2" : "raw",
			 "file", "driver", "file", "filename", path, "locking", "off");
	l->arena.failed |= !made;
	note(l, &l->reads, path);
	return made;
}

static bool is_on(const char *value)
{
	return value && word_is_bool(value, true);
}

static bool is_read_only(struct rehearse_line *l, const struct rehearse_option *o)
{
	return is_on(text_of(l, o, "read-only")) || is_on(text_of(l, o, "readonly")) ||
	       same_text(text_of(l, o, "media"), "cdrom");
}

/* Of -drive: a guest is told that what it writes is on the disk at once. */
static bool writes_through(struct rehearse_line *l, const struct rehearse_option *o)
{
	const char *cache = text_of(l, o, "cache"), *back = text_of(l, o, "cache.writeback");

	return back ? !is_on(back) :
		      cache && (streq(cache, "writethrough") || streq(cache, "directsync"));
}

static void by_blockdev(struct rehearse_line *l, struct rehearse_option *o)
{
	const char *node = text_of(l, o, "node-name"), *size = DISK_SIZE;
	bool read_only = is_read_only(l, o);
	_autofree_ char *text = NULL;
	json_auto_t *made = NULL;

	if (!node)
		return; /* no device can have it */
	if (strings_have(&l->flash, node))
		size = flash_size(l, o->params, read_only);
	if (!size) {
		leave_out(l, keep(l, "-blockdev %s", node),
			  "the size of the flash memory cannot be seen");
		return;
	}
	made = strings_have(&l->flash, node) ? firmware_of(l, o->params, read_only) : NULL;
	if (!made)
		made = json_pack("{ss sI sb}", "driver", "null-co", "size",
				 (json_int_t)strtoll(size, NULL, 10), "read-zeroes", 1);
	set_param(l, made, "node-name", node);
	if (json_put(made, "read-only", json_boolean(read_only)) < 0)
		l->arena.failed = true;
	if (text_of(l, o, "discard"))
		set_param(l, made, "discard", text_of(l, o, "discard"));
	text = made ? json_dumps(made, JSON_COMPACT) : NULL;
	l->arena.failed |= !text;
	put(l, "blockdev", text ? text : "");
	replaced(l, "-blockdev", "nodes that read as zeros, of 1 GiB, flash memory of its size");
}

/* Has the drive a medium? */
static bool has_medium(struct rehearse_line *l, const struct rehearse_option *o)
{
	const char *key, *driver = text_of(l, o, "driver");
	json_t *v;

	json_object_foreach(o->params, key, v)
		if (streq(key, "file") || strprefix(key, "file."))
			return true;
	return driver && strprefix(driver, "null-");
}

static void write_firmware(struct rehearse_line *l, const json_t *firmware, struct buf *out)
{
	const json_t *file = json_object_get(firmware, "file");

	buf_printf(out, "%sdriver=%s,file.driver=file,file.locking=off,file.filename=",
		   out->len ? "," : "", string_of(firmware, "driver"));
	write_escaped(out, param_of(l, file, "filename"));
}

/* @firmware: of flash memory that is executed, or NULL */
static void put_drive(struct rehearse_line *l, const struct rehearse_option *o, const char *size,
		      const json_t *firmware)
{
	static const char *const kept[] = { "if", "index", "bus", "unit", "media", "id" };
	_buf_ out = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		if (!text_of(l, o, kept[i]))
			continue;
		buf_printf(&out, "%s%s=", out.len ? "," : "", kept[i]);
		write_escaped(&out, text_of(l, o, kept[i]));
	}
	if (firmware)
		write_firmware(l, firmware, &out);
	else if (size)
		buf_printf(&out, "%sdriver=null-co,size=%s,read-zeroes=on", out.len ? "," : "",
			   size);
	if (size && is_read_only(l, o))
		buf_puts(&out, ",read-only=on");
	put(l, "drive", arena_words(&l->arena, &out));
}

/* One with an interface makes a device, which a guest sees. */
static void declare_drive(struct rehearse_line *l, const struct rehearse_option *o,
			  const char *interface, const char *flash)
{
	_buf_ out = { 0 };

	buf_printf(&out, "-drive if=%s", interface);
	buf_puts(&out, seen_words(l, o, "drive"));
	if (is_read_only(l, o))
		buf_puts(&out, ",read-only=on");
	if (writes_through(l, o))
		buf_puts(&out, ",write-cache=off");
	if (streq(interface, "scsi") && text_of(l, o, "id"))
		buf_printf(&out, ",drive-id=%s", digest_word(l, text_of(l, o, "id")));
	if (flash)
		buf_printf(&out, ",size=%s", flash);
	declare(l, arena_words(&l->arena, &out));
}

static void by_drive(struct rehearse_line *l, struct rehearse_option *o)
{
	const char *interface = text_of(l, o, "if"), *id = text_of(l, o, "id");
	const char *size = has_medium(l, o) ? DISK_SIZE : NULL;
	json_auto_t *firmware = NULL;
	bool flash =
		(interface && streq(interface, "pflash")) || (id && strings_have(&l->flash, id));

	if (interface && streq(interface, "floppy") && size)
		size = FLOPPY_SIZE;
	if (flash)
		size = flash_size(l, o->params, is_read_only(l, o));
	if (flash && !size) {
		leave_out(l, "-drive if=pflash", "the size of the flash memory cannot be seen");
		return;
	}
	if (!interface || !streq(interface, "none"))
		declare_drive(l, o, interface ? interface : "default", flash ? size : NULL);
	if (flash)
		firmware = firmware_of(l, o->params, is_read_only(l, o));
	put_drive(l, o, size, firmware);
	if (size)
		replaced(l, "-drive",
			 "disks that read as zeros, of 1 GiB, flash memory of its size");
}

/* -hda FILE and its like stand for a -drive. */
static void by_disk(struct rehearse_line *l, struct rehearse_option *o)
{
	static const char *const drives[][2] = {
		{ "hda", "index=0,media=disk" },    { "hdb", "index=1,media=disk" },
		{ "hdc", "index=2,media=disk" },    { "hdd", "index=3,media=disk" },
		{ "cdrom", "index=2,media=cdrom" }, { "fda", "if=floppy,index=0" },
		{ "fdb", "if=floppy,index=1" },	    { "sd", "if=sd,index=0" },
		{ "mtdblock", "if=mtd" },	    { "pflash", "if=pflash" },
	};
	struct rehearse_option as = { .name = "drive", .value = "" };

	for (size_t i = 0; i < ARRAY_SIZE(drives); i++)
		if (streq(drives[i][0], o->name))
			as.value = drives[i][1];
	take_apart(l, &as);
	if (as.params && o->value)
		set_param(l, as.params, "file", o->value);
	if (!l->arena.failed)
		by_drive(l, &as);
	json_decref(as.params);
}

/* ------------------------------------------------------------------------ memory */

static void by_memory(struct rehearse_line *l, struct rehearse_option *o)
{
	uint64_t given = size_of(text_of(l, o, "size"), MIB),
		 most = size_of(text_of(l, o, "maxmem"), 1);
	size_t parts = l->ram.n + l->n_nodes;
	uint64_t made = parts ? parts * l->unit : least(given, l->unit);
	const char *slots = text_of(l, o, "slots");
	_buf_ out = { 0 };

	l->has_memory = true;
	declare(l,
		keep(l, "-m size=%s,slots=%s,maxmem=%s", size_word(l, text_of(l, o, "size"), MIB),
		     size_word(l, slots, 1), size_word(l, text_of(l, o, "maxmem"), 1)));
	buf_printf(&out, "size=%llub", (unsigned long long)made);
	if (slots)
		buf_printf(&out, ",slots=%s", slots);
	if (most)
		buf_printf(&out, ",maxmem=%llub",
			   (unsigned long long)(most <= given || most < made ? made : most));
	put(l, "m", arena_words(&l->arena, &out));
	replaced(l, "-m", keep(l, "%llu MiB", (unsigned long long)(made / MIB)));
}

static void by_numa(struct rehearse_line *l, struct rehearse_option *o)
{
	uint64_t mem = size_of(text_of(l, o, "mem"), MIB);

	declare(l, keep(l, "-numa %s",
			strpbrk(o->value, " /{#") ? digest_word(l, o->value) : o->value));
	if (!mem) {
		put_given(l, o);
		return;
	}
	set_param(l, o->params, "mem", keep(l, "%llub", (unsigned long long)l->unit));
	put_params(l, o, "numa");
}

#define PATH_ID "x-use-canonical-path-for-ramblock-id"
#define PATH_ID_MAJOR 4 /* machine types from here on name the memory of files as all other */

/* Is its block in the stream called by a path? */
static bool has_path_id(struct rehearse_line *l, const struct rehearse_option *o)
{
	const char *given = text_of(l, o, PATH_ID);
	bool plain = same_text(text_of(l, o, "qom-type"), "memory-backend-ram");

	return given ? is_on(given) : !plain && l->machine_major && l->machine_major < PATH_ID_MAJOR;
}

/* -m alone has it as well: its name is in the stream. */
static bool is_plain_ram(const struct rehearse_line *l, const char *id, uint64_t size, const char *seen)
{
	return same_text(l->main_ram, id) && size && size == l->memory && !*seen;
}

static void put_backend(struct rehearse_line *l, struct rehearse_option *o, const char *id)
{
	uint64_t given = size_of(text_of(l, o, "size"), 1), made = least(given, l->unit);
	const char *seen = seen_words(l, o, "object"), *share = text_of(l, o, "share");
	bool path = has_path_id(l, o);

	/* the stream has a block of memory by this name */
	note_backend(l, "-object", NULL, text_of(l, o, "qom-type"));
	if (path)
		seen = keep(l, "%s," PATH_ID "=on", seen);
	if (!is_plain_ram(l, id, given, seen))
		declare(l, keep(l, "-object memory-backend id=%s,size=%s%s", harmless_word(l, id),
				size_word(l, text_of(l, o, "size"), 1), seen));
	put(l, "object",
	    keep(l, "memory-backend-ram,id=%s,size=%llu%s%s", id, (unsigned long long)made,
		 is_on(share) ? ",share=on" : "", path ? "," PATH_ID "=on" : ""));
	replaced(l, "-object memory-backend-*", "the least memory of its own");
}

static void by_object(struct rehearse_line *l, struct rehearse_option *o)
{
	const char *type = text_of(l, o, "qom-type"), *id = text_of(l, o, "id");
	const json_t *row = rehearse_row(l->table, "objects", type);
	const char *by = string_of(row, "by");
	const char *named = keep(l, "-object %s", type ? type : "");

	if (rehearse_does(row) == REHEARSE_LEAVE_OUT) {
		leave_out(l, named, row ? string_of(row, "why") : "it is not known");
		return;
	}
	if (rehearse_does(row) == REHEARSE_DROP || !id)
		return;
	if (rehearse_does(row) == REHEARSE_KEEP) {
		if (string_of(row, "words"))
			declare_params(l, o, "object", type, "qom-type");
		put_given(l, o);
		return;
	}
	if (streq(by, "memory-backend-ram")) {
		put_backend(l, o, id);
		return;
	}
	put(l, "object",
	    keep(l, "%s,id=%s%s%s", by, id, text_of(l, o, "queues") ? ",queues=" : "",
		 text_of(l, o, "queues") ? text_of(l, o, "queues") : ""));
	if (streq(by, type))
		return;
	note_backend(l, "-object", NULL, type);
	replaced(l, named, by);
}

/* ---------------------------------------------------------------------- networks */

static struct rehearse_netdev *find_netdev(const struct rehearse_line *l, const char *id)
{
	for (size_t i = 0; id && i < l->n_netdevs; i++)
		if (l->netdevs[i].id && streq(l->netdevs[i].id, id))
			return &l->netdevs[i];
	return NULL;
}

/* How many queues it has and whether a header and vhost, the guest can tell. */
static const char *netdev_words(struct rehearse_line *l, const struct rehearse_option *o,
				const char *by, const char *type)
{
	unsigned int queues = count_queues(&o->given, QTEST_MAX_QUEUES);

	if (!streq(by, "tap"))
		return string_of(rehearse_row(l->table, "netdevs", type), "words") ?
			       keep(l, "%s%s", type, seen_words(l, o, "netdev")) :
			       type;
	return keep(l, "tap%s%s%s", has_vhost(&o->given) ? "+vhost" : "",
		    has_vnet_hdr(&o->given) ? "" : "-without-vnet_hdr",
		    queues > 1 ? keep(l, "*%u", queues) : "");
}

/* The backend in the throw-away: "tap,id=…,fd=3", or "hubport,…" */
static const char *make_netdev(struct rehearse_line *l, const struct rehearse_option *o,
			       const char *by, const char *id)
{
	struct qtest_request rq = rehearse_taps(l);
	struct qtest_nic *nic = &l->nics[l->n_nics];
	bool wanted = has_vhost(&o->given), vhost = wanted && !l->means.no_vhost;
	_buf_ out = { 0 };

	if (!streq(by, "tap") || l->means.no_taps || l->n_nics == QTEST_MAX_NICS) {
		if (streq(by, "tap"))
			leave_out(l, "-netdev tap",
				  l->means.no_taps ? "no tap can be made here, or there" :
						     "there are too many");
		return keep(l, "hubport,id=%s,hubid=%zu", id, l->hubs++);
	}
	if (wanted && !vhost)
		replaced(l, "vhost=on", "a tap without vhost-net, which cannot be opened here");
	*nic = (struct qtest_nic){ .backend = vhost ? QTEST_TAP_VHOST : QTEST_TAP,
				   .queues = count_queues(&o->given, QTEST_MAX_QUEUES),
				   .no_vnet_hdr = !has_vnet_hdr(&o->given) };
	rq.n_nics = ++l->n_nics;
	qtest_netdev(&rq, l->n_nics - 1, id, &out);
	return copy(l, arena_words(&l->arena, &out));
}

/* The stream has a section of each such network, whether a card has it or none. */
static void declare_net(struct rehearse_line *l, const json_t *row, const char *type)
{
	if (string_of(row, "words"))
		declare(l, keep(l, REHEARSE_NETWORK "%s", type));
}

static void say_net(struct rehearse_line *l, const char *option, const json_t *row,
		    const char *type)
{
	declare_net(l, row, type);
	note_backend(l, "-netdev", "netdev_add", type);
	replaced(l, option,
		 streq(string_of(row, "by"), "tap") ? "a tap of its own" : "a hub without others");
}

static void by_netdev(struct rehearse_line *l, struct rehearse_option *o)
{
	const char *type = text_of(l, o, "type"), *id = text_of(l, o, "id");
	const json_t *row = rehearse_row(l->table, "netdevs", type);

	l->has_net = true;
	if (!id || !type)
		return; /* QEMU refuses it itself */
	if (rehearse_does(row) != REHEARSE_REPLACE) {
		leave_out(l, keep(l, "-netdev %s", type),
			  row ? string_of(row, "why") : "it is not known");
		return;
	}
	put(l, "netdev", make_netdev(l, o, string_of(row, "by"), id));
	say_net(l, keep(l, "-netdev %s", type), row, type);
}

/* What it says of its device */
static void declare_nic(struct rehearse_line *l, const struct rehearse_option *o, const char *type)
{
	const char *model = text_of(l, o, "model");

	declare(l, keep(l, "-nic %s,model=%s%s", type, model ? model : "default",
			seen_words(l, o, "nic")));
}

/* -nic: a backend and a device in one */
static void by_nic(struct rehearse_line *l, struct rehearse_option *o)
{
	const char *type = text_of(l, o, "type"), *id = text_of(l, o, "id");
	const char *model = text_of(l, o, "model"), *mac = text_of(l, o, MAC);
	const json_t *row = rehearse_row(l->table, "netdevs", type);

	l->has_net = true;
	if (type && streq(type, "none")) {
		put(l, "nic", "none");
		return;
	}
	declare_nic(l, o,
		    rehearse_does(row) == REHEARSE_REPLACE ?
			    netdev_words(l, o, string_of(row, "by"), type) :
		    type ? type :
			   "");
	if (rehearse_does(row) != REHEARSE_REPLACE) {
		leave_out(l, keep(l, "-nic %s", type ? type : ""),
			  row ? string_of(row, "why") : "it is not known");
		return;
	}
	if (!id)
		id = keep(l, "abibase-nic%zu", l->hubs + l->n_nics);
	put(l, "nic",
	    keep(l, "%s%s%s%s%s", make_netdev(l, o, string_of(row, "by"), id),
		 model ? ",model=" : "", model ? model : "", mac ? ",mac=" : "", mac ? mac : ""));
	say_net(l, keep(l, "-nic %s", type), row, type);
}

/* -net: what it makes is on a hub */
static void by_net(struct rehearse_line *l, struct rehearse_option *o)
{
	const char *type = text_of(l, o, "type");
	const json_t *row = rehearse_row(l->table, "netdevs", type);

	l->has_net = true;
	if (type && (streq(type, "nic") || streq(type, "none"))) {
		declare_params(l, o, "net", type, "type");
		put_given(l, o);
	} else {
		declare_net(l, row, type);
		if (*seen_words(l, o, "netdev"))
			declare(l, keep(l, "-net %s%s", type, seen_words(l, o, "netdev")));
		replaced(l, keep(l, "-net %s", type ? type : ""), "a hub without others");
	}
}

/* ----------------------------------------------------------------------- devices */

/* What the device lies on or refers to is left out; the key, or NULL. */
static const char *refers_to_absent(struct rehearse_line *l, const struct rehearse_option *o)
{
	const char *bus = text_of(l, o, "bus"), *key, *value;
	json_t *v;

	json_object_foreach(o->params, key, v) {
		value = json_string_value(v);
		if (value && lists(l, "host_params", "device", key) &&
		    strings_have(&l->absent, value))
			return key;
	}
	if (bus && strings_have(&l->absent, keep(l, "%.*s", (int)strcspn(bus, "."), bus)))
		return "bus";
	return NULL;
}

static const char *host_resource(struct rehearse_line *l, const struct rehearse_option *o)
{
	const char *key;
	json_t *v;

	json_object_foreach(o->params, key, v)
		if (lists(l, "left_out_params", "device", key))
			return key;
	return NULL;
}

/* Why the device cannot be rehearsed; NULL: it can. */
static const char *device_obstacle(struct rehearse_line *l, const struct rehearse_option *o,
				   const json_t *row)
{
	const char *key = refers_to_absent(l, o);

	if (row && rehearse_does(row) == REHEARSE_LEAVE_OUT)
		return string_of(row, "why");
	if (rehearse_does(row) == REHEARSE_REPLACE && l->means.no_vsock)
		return "/dev/vhost-vsock cannot be opened here";
	if (key)
		return keep(l, "its %s is left out", key);
	key = row ? NULL : host_resource(l, o);
	return key ? keep(l, "by %s it has a part of the host, or another program's", key) : NULL;
}

/* Sizes in properties of memory that is made smaller. */
static void fit_device(struct rehearse_line *l, struct rehearse_option *o)
{
	uint64_t requested = size_of(text_of(l, o, "requested-size"), 1);

	if (requested > l->unit)
		set_number(l, o->params, "requested-size", l->unit);
}

/* What a guest can tell of the disk behind a device; a CD is never written. */
static const char *disk_words(struct rehearse_line *l, const struct rehearse_option *o,
			      const char *driver)
{
	const char *name = text_of(l, o, "drive") ? text_of(l, o, "drive") : text_of(l, o, "fsdev");
	const struct rehearse_option *node = name ? find_node(l, name) : NULL;
	bool cd = driver[length_without(driver, "-cd")];
	/* QEMU names the disk by its -drive, if nothing else does */
	bool named = node && streq(node->name, "drive") &&
		     (strprefix(driver, "scsi-") || streq(driver, "usb-storage")) &&
		     !text_of(l, o, "serial") && !text_of(l, o, "device_id");

	if (!node)
		return "";
	return keep(l, "%s%s%s%s%s",
		    seen_words(l, node, streq(node->name, "fsdev") ? "fsdev" : "blockdev"),
		    !cd && is_read_only(l, node) ? ",read-only" : "",
		    !cd && !text_of(l, o, "write-cache") && writes_through(l, node) ?
			    ",write-through" :
			    "",
		    named ? ",drive-id=" : "",
		    named ? harmless_word(l, name) : "");
}

static void declare_device(struct rehearse_line *l, const struct rehearse_option *o,
			   const char *driver)
{
	const struct rehearse_netdev *nd = find_netdev(l, text_of(l, o, "netdev"));
	const char *rom = text_of(l, o, "romfile");
	bool added = rom && *rom && !lists(l, "rom_drivers", "device", driver);

	declare_params(l, o, "device",
		       keep(l, "%s%s%s%s%s", driver_of(l, o), nd ? ",netdev=" : "",
			    nd ? nd->declared : "", disk_words(l, o, driver),
			    added ? ",with-rom" : ""),
		       "driver");
}

/* What is behind it, the throw-away could not open itself. */
static void put_vsock(struct rehearse_line *l, struct rehearse_option *o)
{
	set_number(l, o->params, "guest-cid", FREE_CID + (uint64_t)getpid());
	set_param(l, o->params, "vhostfd", number(l, QMP_FIRST_FD));
}

static void by_device(struct rehearse_line *l, struct rehearse_option *o)
{
	const char *driver = text_of(l, o, "driver"), *why;
	const json_t *row = rehearse_row(l->table, "devices", driver);
	const char *rom;

	if (!driver)
		return;
	why = device_obstacle(l, o, row);
	declare_device(l, o, driver);
	if (why) {
		leave_out(l, keep(l, "-device %s", driver), why);
		l->n_absent_devices++;
		note(l, &l->absent, text_of(l, o, "id"));
		return;
	}
	drop_params(l, o, "device");
	fit_device(l, o);
	if (rehearse_does(row) == REHEARSE_REPLACE)
		put_vsock(l, o);
	rom = text_of(l, o, "romfile");
	if (rom && *rom) {
		note(l, &l->files, rom);
		note_read(l, rom);
	}
	put_params(l, o, "device");
}

/* ----------------------------------------------------------------- other options */

/* What goes with a kernel. The one that loads has it as what it loads has: its RAM is as large. */
static const char *const boot_words[] = { "append", "initrd", "kernel", "shim", NULL };

static void by_machine(struct rehearse_line *l, struct rehearse_option *o)
{
	static const char *const flash[] = { "pflash0", "pflash1" };

	if (text_of(l, o, "confidential-guest-support") || text_of(l, o, "memory-encryption"))
		leave_out(l, "-machine confidential-guest-support",
			  "the memory of the guest is encrypted, and only its owner can save it");
	l->takes_kvm |= text_of(l, o, "accel") && strprefix(text_of(l, o, "accel"), "kvm");
	declare_each(l, o, "machine");
	for (size_t i = 0; i < ARRAY_SIZE(flash); i++) {
		const char *name = text_of(l, o, flash[i]);
		const struct rehearse_option *node = name ? find_node(l, name) : NULL;

		if (node && is_read_only(l, node))
			declare(l, keep(l, "-machine %s=read-only", flash[i]));
	}
	for (size_t i = 0; !l->boots && boot_words[i]; i++)
		json_object_del(o->params, boot_words[i]);
	drop_params(l, o, "machine");
	put_params(l, o, "machine");
}

static void by_each(struct rehearse_line *l, struct rehearse_option *o)
{
	declare_each(l, o, o->name);
	put_given(l, o);
}

static void by_accel(struct rehearse_line *l, struct rehearse_option *o)
{
	l->takes_kvm |= same_text(text_of(l, o, "accel"), "kvm");
	by_each(l, o);
}

static void by_global(struct rehearse_line *l, struct rehearse_option *o)
{
	const char *class_name = text_of(l, o, "driver"), *property = text_of(l, o, "property");
	const char *value = text_of(l, o, "value");

	if (!class_name || !property || !value)
		return; /* QEMU refuses it itself */
	declare(l, keep(l, "-global %s.%s=%s", class_name, property,
			value_word(l, "device", property, value)));
	put_params(l, o, "global");
}

/* What is behind it is another's; that it is there, the guest can tell. */
static void by_port(struct rehearse_line *l, struct rehearse_option *o)
{
	bool none = streq(o->value, "none");

	declare(l, keep(l, "-%s%s", o->name, none ? " none" : ""));
	put(l, o->name, none || strprefix(o->value, "chardev:") ? o->value : "null");
}

/* The device of an id, in one option with a value that says what it is. */
static void put_null(struct rehearse_line *l, const struct rehearse_option *o, const char *first)
{
	const char *id = text_of(l, o, "id");

	if (id)
		put(l, o->name, keep(l, "%s,id=%s", first, id));
}

static void by_chardev(struct rehearse_line *l, struct rehearse_option *o)
{
	note_backend(l, "-chardev", "chardev-add", text_of(l, o, "backend"));
	put_null(l, o, "null");
}

/* Why there is no TPM instead of this one; NULL: there is one. */
static const char *tpm_obstacle(struct rehearse_line *l, const struct rehearse_option *o)
{
	const char *type = text_of(l, o, "type"), *id = text_of(l, o, "id");

	if (!type || !streq(type, "emulator") || !id)
		return "a TPM of the host's is behind it";
	return l->means.swtpm ? NULL : "swtpm, which would make one of its own, is not installed";
}

/* A state of its own, empty: that of the guest is not in the line. */
static void by_tpmdev(struct rehearse_line *l, struct rehearse_option *o)
{
	const char *type = text_of(l, o, "type"), *id = text_of(l, o, "id");

	if (tpm_obstacle(l, o)) {
		leave_out(l, keep(l, "-tpmdev %s", type ? type : ""), tpm_obstacle(l, o));
		return;
	}
	put(l, "tpmdev", keep(l, "emulator,id=%s,chardev=" REHEARSE_TPM, id));
	replaced(l, "-tpmdev", "a TPM 2 of swtpm, with an empty state");
}

static void by_fsdev(struct rehearse_line *l, struct rehearse_option *o)
{
	put_null(l, o, "synth");
}

static void by_audiodev(struct rehearse_line *l, struct rehearse_option *o)
{
	note_backend(l, "-audiodev", "query-audiodevs", text_of(l, o, "driver"));
	put_null(l, o, "none");
}

static void by_audio(struct rehearse_line *l, struct rehearse_option *o)
{
	const char *model = text_of(l, o, "model");

	note_backend(l, "-audio", "query-audiodevs", text_of(l, o, "driver"));
	if (!model)
		return;
	declare(l, keep(l, "-audio model=%s", model));
	put(l, "audio", keep(l, "driver=none,model=%s", model));
}

static void by_virtfs(struct rehearse_line *l, struct rehearse_option *o)
{
	const char *tag = text_of(l, o, "mount_tag");

	declare(l, keep(l, "-virtfs%s%s%s%s", tag ? " " : "",
			tag ? harmless_word(l, tag) : "",
			is_read_only(l, o) ? ",read-only" : "", seen_words(l, o, "fsdev")));
	put(l, "virtfs", keep(l, "synth,mount_tag=%s", tag ? tag : "abibase"));
}

static void by_usbdevice(struct rehearse_line *l, struct rehearse_option *o)
{
	declare(l, keep(l, "-usbdevice %s", is_harmless(o->value) ? o->value : ""));
	if (strchr(o->value, ':'))
		leave_out(l, "-usbdevice", "it names a part of the host");
	else
		put(l, "usbdevice", o->value);
}

static void by_overcommit(struct rehearse_line *l, struct rehearse_option *o)
{
	drop_params(l, o, "overcommit");
	if (!json_object_size(o->params))
		return;
	declare_params(l, o, "overcommit", NULL, NULL);
	put_params(l, o, "overcommit");
}

/* -set GROUP.ID.PROPERTY=VALUE changes what came before: done in the first pass, or not at all. */
static void by_set(struct rehearse_line *l, struct rehearse_option *o)
{
	const char *group = text_of(l, o, "group");

	if (!group || !streq(group, "device"))
		leave_out(l, "-set", "it changes another option than -device");
}

static const struct {
	const char *by;
	void (*fn)(struct rehearse_line *l, struct rehearse_option *o);
	bool whole; /* its value is not taken apart */
} makers[] = {
	{ "accel", by_accel, false },
	{ "machine", by_machine, false },
	{ "memory", by_memory, false },
	{ "numa", by_numa, false },
	{ "device", by_device, false },
	{ "object", by_object, false },
	{ "netdev", by_netdev, false },
	{ "nic", by_nic, false },
	{ "net", by_net, false },
	{ "drive", by_drive, false },
	{ "blockdev", by_blockdev, false },
	{ "disk", by_disk, true },
	{ "port", by_port, true },
	{ "chardev", by_chardev, false },
	{ "tpmdev", by_tpmdev, false },
	{ "fsdev", by_fsdev, false },
	{ "virtfs", by_virtfs, false },
	{ "audiodev", by_audiodev, false },
	{ "audio", by_audio, false },
	{ "usbdevice", by_usbdevice, true },
	{ "overcommit", by_overcommit, false },
	{ "global", by_global, false },
	{ "set", by_set, false },
	{ "each", by_each, false },
};

static int maker_of(const json_t *row)
{
	const char *by = string_of(row, "by");

	for (size_t i = 0; by && i < ARRAY_SIZE(makers); i++)
		if (streq(makers[i].by, by))
			return (int)i;
	return -1;
}

/* ------------------------------------------------------------------- the first pass */

static void apply_set(struct rehearse_line *l, const struct rehearse_option *set)
{
	const char *id = text_of(l, set, "id"), *property = text_of(l, set, "property"), *has;
	bool any = false;

	for (size_t i = 0; id && property && i < l->n_options; i++) {
		const struct rehearse_option *o = &l->options[i];

		has = streq(o->name, "device") ? text_of(l, o, "id") : NULL;
		if (!has || !streq(has, id))
			continue;
		set_param(l, o->params, property, text_of(l, set, "value"));
		any = true;
	}
	if (!any && same_text(text_of(l, set, "group"), "device"))
		leave_out(l, "-set", "it names no -device before it that is not in JSON");
}

/* QEMU takes several -m for one, of which the last word counts. */
static void merge_memory(struct rehearse_line *l, struct rehearse_option *o)
{
	for (size_t i = 0; i + 1 < l->n_options; i++) {
		struct rehearse_option *before = &l->options[i];

		if (!streq(before->name, "m") || before->merged || !before->params)
			continue;
		before->merged = true;
		l->arena.failed |= json_object_update_missing(o->params, before->params) < 0;
	}
}

static void add_option(struct rehearse_line *l, const struct option *from)
{
	struct rehearse_option *o = &l->options[l->n_options++];
	int maker;

	*o = (struct rehearse_option){ .name = from->name ? from->name : "hda",
				       .value = from->name ? from->value : from->word,
				       .known = from->known,
				       .given = from->params,
				       .section = from->section };
	if (streq(o->name, "nographic")) {
		o->name = "machine";
		o->value = "graphics=off"; /* all else of it is the host's */
	}
	maker = maker_of(rehearse_row(l->table, "options", o->name));
	if (o->value && maker >= 0 && !makers[maker].whole)
		take_apart(l, o);
	if (o->params && streq(o->name, "set"))
		apply_set(l, o);
	if (o->params && streq(o->name, "m"))
		merge_memory(l, o);
}

static void note_netdev(struct rehearse_line *l, const struct rehearse_option *o)
{
	const char *type = text_of(l, o, "type"), *id = text_of(l, o, "id");
	const json_t *row = rehearse_row(l->table, "netdevs", type);
	bool left_out = rehearse_does(row) != REHEARSE_REPLACE;

	if (!type || !id)
		return;
	if (array_grow(&l->netdevs, l->n_netdevs, &l->cap_netdevs, sizeof(*l->netdevs)) < 0) {
		l->arena.failed = true;
		return;
	}
	l->netdevs[l->n_netdevs++] = (struct rehearse_netdev){
		.id = id,
		.declared = left_out ? type : netdev_words(l, o, string_of(row, "by"), type),
	};
	if (left_out)
		note(l, &l->absent, id);
}

static void note_vsock(struct rehearse_line *l, const struct rehearse_option *o)
{
	const char *driver = text_of(l, o, "driver");
	const json_t *row = rehearse_row(l->table, "devices", driver);

	l->has_vsock |= rehearse_does(row) == REHEARSE_REPLACE && !l->means.no_vsock;
}

static void note_object(struct rehearse_line *l, const struct rehearse_option *o)
{
	const char *type = text_of(l, o, "qom-type");
	const json_t *row = rehearse_row(l->table, "objects", type);

	if (rehearse_does(row) == REHEARSE_LEAVE_OUT)
		note(l, &l->absent, text_of(l, o, "id"));
}

static void note_tpm(struct rehearse_line *l, const struct rehearse_option *o)
{
	const char *type = text_of(l, o, "type");

	if (tpm_obstacle(l, o))
		note(l, &l->absent, text_of(l, o, "id"));
	else
		l->has_tpm = true;
	l->without_tpm |= type && streq(type, "emulator") && !l->means.swtpm;
}

/* "pc-q35-4.0": which major version; of "q35", the newest, none */
static unsigned int major_of(const char *machine)
{
	const char *dash = machine ? strrchr(machine, '-') : NULL;

	return dash ? (unsigned int)strtoul(dash + 1, NULL, 10) : 0;
}

static void note_machine(struct rehearse_line *l, const struct rehearse_option *o)
{
	const char *ram = text_of(l, o, "memory-backend"), *type = text_of(l, o, "type");

	note(l, &l->ram, ram);
	if (ram)
		l->main_ram = ram;
	if (type)
		l->machine_major = major_of(type);
}

/* What later options are to know of this one. */
static void look_ahead(struct rehearse_line *l, const struct rehearse_option *o)
{
	if (streq(o->name, "netdev"))
		note_netdev(l, o);
	if (streq(o->name, "object"))
		note_object(l, o);
	if (streq(o->name, "device"))
		note_vsock(l, o);
	if (streq(o->name, "tpmdev"))
		note_tpm(l, o);
	if (streq(o->name, "machine")) {
		note(l, &l->flash, text_of(l, o, "pflash0"));
		note(l, &l->flash, text_of(l, o, "pflash1"));
		note_machine(l, o);
	}
	if (streq(o->name, "numa")) {
		note(l, &l->ram, text_of(l, o, "memdev"));
		l->n_nodes += size_of(text_of(l, o, "mem"), 1) != 0;
	}
	if (streq(o->name, "m"))
		l->memory = size_of(text_of(l, o, "size"), MIB);
	l->boots |= streq(o->name, "kernel") ||
		    (streq(o->name, "machine") && text_of(l, o, "kernel"));
	l->nodefaults |= streq(o->name, "nodefaults");
}

static bool declares_kernel(const json_t *declared)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)declared, i, v)
		if (strprefix(json_string_value(v), "-kernel ") ||
		    strprefix(json_string_value(v), "-machine kernel="))
			return true;
	return false;
}

/* None of its parts is larger than it was. */
static void fit_memory(struct rehearse_line *l)
{
	uint64_t parts = l->ram.n + l->n_nodes;

	if (l->source)
		l->boots = declares_kernel(l->source);
	if (l->boots)
		l->unit = RAM_WITH_KERNEL;

	for (size_t i = 0; i < l->n_options; i++) {
		const struct rehearse_option *o = &l->options[i];
		const char *id = streq(o->name, "object") ? text_of(l, o, "id") : NULL;

		if (id && strings_have(&l->ram, id))
			l->unit = least(size_of(text_of(l, o, "size"), 1), l->unit);
	}
	while (parts > 1 && l->unit > 4 * MIB && parts * l->unit > RAM_MOST)
		l->unit /= 2;
}

/* ------------------------------------------------------------------ the second pass */

/* What no vCPU can be asked for: lbr-fmt is a number that no JSON reader takes. */
static void declare_cpu(struct rehearse_line *l, const struct rehearse_option *o)
{
	struct params params = { 0 };

	take_params(&l->arena, &params, o->value, "model");
	for (size_t i = 0; i < params.n; i++)
		if (lists(l, "seen_params", "cpu", params.p[i].key))
			declare(l, keep(l, "-cpu %s=%s", params.p[i].key,
					plain_value(l, "cpu", params.p[i].key, params.p[i].value)));
}

/* "-cpu MODEL,+flag" */
static void note_cpu(struct rehearse_line *l, const struct rehearse_option *o)
{
	if (streq(o->name, "cpu") && o->value) {
		declare_cpu(l, o);
		l->cpu = keep(l, "%.*s", (int)strcspn(o->value, ","), o->value);
	}
	l->takes_kvm |= streq(o->name, "enable-kvm");
}

/* The value, with the content of files where it names them */
static const char *with_contents(struct rehearse_line *l, const struct rehearse_option *o)
{
	struct params params = { 0 };
	bool any = false;
	_buf_ out = { 0 };

	take_params(&l->arena, &params, o->value, implied_key(o->name));
	for (size_t i = 0; i < params.n; i++) {
		const char *key = params.p[i].key, *value = params.p[i].value;
		bool file = *value && lists(l, "file_params", o->name, key);

		any |= file;
		buf_printf(&out, ",%s=%s", key, file ? content_words(l, o->name, value) : value);
	}
	/* name=opt/x is opt/x */
	return any || streq(o->name, "fw_cfg") ? copy(l, arena_words(&l->arena, &out)) : o->value;
}

static void declare_kept(struct rehearse_line *l, const struct rehearse_option *o, const char *words)
{
	const char *value = o->value;

	if (!value) {
		declare(l, keep(l, "-%s", o->name));
		return;
	}
	if (streq(o->name, "uuid"))
		value = lower(l, value);
	if (streq(words, "file"))
		value = content_word(l, o->name, value);
	else if (!streq(words, "plain") || !is_harmless(value))
		value = digest_word(l, streq(o->name, "uuid") ? value : with_contents(l, o));
	declare(l, keep(l, "-%s %s", o->name, value));
}

static void keep_option(struct rehearse_line *l, const struct rehearse_option *o, const json_t *row)
{
	const char *words = string_of(row, "words");

	note_cpu(l, o);
	if (o->value && streq(o->name, "bios"))
		note(l, &l->files, o->value);
	if (o->value && (streq(o->name, "bios") || streq(o->name, "L")))
		note_read(l, o->value);
	if (!words || !streq(words, "host"))
		declare_kept(l, o, words ? words : "digest");
	if (l->boots || word_index(boot_words, o->name) < 0)
		put(l, o->name, o->value);
}

static void take_option(struct rehearse_line *l, struct rehearse_option *o)
{
	const json_t *row = rehearse_row(l->table, "options", o->name);
	int maker = maker_of(row);

	if (o->merged)
		return;
	if (!o->known || rehearse_does(row) == REHEARSE_LEAVE_OUT) {
		leave_out(l, keep(l, "-%s", o->name),
			  row ? string_of(row, "why") : "the option is not known");
		return;
	}
	if (o->section &&
	    (rehearse_does(row) == REHEARSE_KEEP || (maker >= 0 && makers[maker].whole)))
		leave_out(l, keep(l, "[%s]", o->name), "in a file of -readconfig it is not known");
	else if (rehearse_does(row) == REHEARSE_KEEP)
		keep_option(l, o, row);
	else if (maker >= 0 && o->value)
		makers[maker].fn(l, o);
	else if (rehearse_does(row) == REHEARSE_REPLACE)
		leave_out(l, keep(l, "-%s", o->name), "it has no value");
}

/* What QEMU would make on its own and reach the host with. */
static void put_defaults(struct rehearse_line *l)
{
	if (!l->has_memory)
		put(l, "m", keep(l, "size=%llub", (unsigned long long)l->unit));
	if (l->nodefaults)
		return;
	put(l, "monitor", "none");
	if (l->has_net)
		return;
	declare(l, "-nic default");
	put(l, "nic", keep(l, "hubport,id=abibase-default,hubid=%zu", l->hubs++));
}

static bool is_json_device(const struct option *o)
{
	return is_option(o, "device") && *o->value == '{';
}

/* Takes the options in two passes: what one is can hang on a later one. */
static int take_options(struct rehearse_line *l, const struct command *cmd)
{
	l->options = calloc(cmd->n + 1, sizeof(*l->options));
	if (!l->options)
		return -ENOMEM;
	/* QEMU makes those in JSON behind all others */
	for (int json = 0; json < 2; json++)
		for (size_t i = 0; !l->arena.failed && i < cmd->n; i++)
			if (is_json_device(&cmd->options[i]) == json)
				add_option(l, &cmd->options[i]);
	for (size_t i = 0; !l->arena.failed && i < l->n_options; i++)
		look_ahead(l, &l->options[i]);
	fit_memory(l);
	for (size_t i = 0; !l->arena.failed && i < l->n_options; i++)
		take_option(l, &l->options[i]);
	if (!l->arena.failed)
		put_defaults(l);
	return l->arena.failed ? -ENOMEM : 0;
}

int rehearse_line_parse(struct rehearse_line *l, const char *const *argv)
{
	struct command cmd = { .arena = &l->arena };

	l->unit = l->executes ? RAM_EXECUTED : RAM_UNIT;
	l->cpu = "";
	l->declared = json_array();
	l->replaced = json_array();
	l->left_out = json_array();
	l->backends = json_array();
	if (!l->declared || !l->replaced || !l->left_out || !l->backends)
		return context_oom(l->ctx);
	command_parse(&cmd, l->ctx, argv);
	return l->arena.failed || take_options(l, &cmd) < 0 ? context_oom(l->ctx) : 0;
}

struct qtest_request rehearse_taps(const struct rehearse_line *l)
{
	return (struct qtest_request){ .nics = l->nics,
				       .n_nics = l->n_nics,
				       .first = l->has_vsock };
}

void rehearse_line_clear(struct rehearse_line *l)
{
	for (size_t i = 0; i < l->n_options; i++)
		json_decref(l->options[i].params);
	free(l->options);
	free(l->netdevs);
	strings_clear(&l->words);
	strings_clear(&l->files);
	strings_clear(&l->reads);
	strings_clear(&l->flash);
	strings_clear(&l->absent);
	strings_clear(&l->ram);
	json_decref(l->declared);
	json_decref(l->replaced);
	json_decref(l->left_out);
	json_decref(l->backends);
	arena_clear(&l->arena);
}
