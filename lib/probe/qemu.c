/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ask QEMU binaries what they are and what they know, by QMP on `-machine none`: no guest, no
 * device, no accelerator that matters. A binary that does not answer is one warning, and an entry
 * that says so: it is not "none".
 */

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>

#include "document/build.h"
#include "document/catalogue.h"
#include "base/conf.h"
#include "base/context.h"
#include "base/harmless.h"
#include "base/trust.h"
#include "probe/probe.h"
#include "document/profile.h"
#include "qemu/qmp.h"

static const struct probe_place usual_places[] = {
	{ "/usr/bin/qemu-system-%s", false },
	{ "/usr/bin/qemu-kvm", true },
	{ "/usr/bin/kvm", true },
	{ "/usr/libexec/qemu-kvm", false },
	{ "/usr/local/bin/qemu-system-%s", false },
	{ "/usr/bin/qemu-system-x86", false },
	{ NULL, false },
};

/* ---------------------------------------------------------------- build id */

#define NOTES_MAX 65536
#define PHDRS_MAX 128

static bool read_at(int fd, void *buf, size_t len, uint64_t off)
{
	return off <= INT64_MAX && pread(fd, buf, len, (off_t)off) == (ssize_t)len;
}

static char *hex(const unsigned char *p, size_t len)
{
	char *text = malloc(2 * len + 1);

	for (size_t i = 0; text && i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	return text;
}

/* Walk the notes of one segment. */
static char *find_note(const unsigned char *p, size_t len, uint64_t align)
{
	size_t round = align == 8 ? 7 : 3;

	while (len >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr n;
		size_t name, desc;

		memcpy(&n, p, sizeof(n));
		p += sizeof(n);
		len -= sizeof(n);
		if (n.n_namesz > len || n.n_descsz > len)
			return NULL;
		name = (n.n_namesz + round) & ~round;
		desc = (n.n_descsz + round) & ~round;
		if (name > len || n.n_descsz > len - name)
			return NULL;
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 && !memcmp(p, "GNU", 4) &&
		    n.n_descsz && n.n_descsz <= 64)
			return hex(p + name, n.n_descsz);
		if (desc > len - name)
			return NULL;
		p += name + desc;
		len -= name + desc;
	}
	return NULL;
}

static char *segment_build_id(int fd, const Elf64_Phdr *ph)
{
	_autofree_ unsigned char *notes = NULL;

	if (ph->p_type != PT_NOTE || !ph->p_filesz || ph->p_filesz > NOTES_MAX)
		return NULL;
	notes = malloc(ph->p_filesz);
	if (!notes || !read_at(fd, notes, ph->p_filesz, ph->p_offset))
		return NULL;
	return find_note(notes, ph->p_filesz, ph->p_align);
}

/* Only 64-bit files of the machine's own byte order: others could not run here as a QEMU. */
static bool read_header(int fd, Elf64_Ehdr *eh)
{
	const int data = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

	return fd >= 0 && read_at(fd, eh, sizeof(*eh), 0) &&
	       !memcmp(eh->e_ident, ELFMAG, SELFMAG) && eh->e_ident[EI_CLASS] == ELFCLASS64 &&
	       eh->e_ident[EI_DATA] == data && eh->e_phentsize == sizeof(Elf64_Phdr) &&
	       eh->e_phnum <= PHDRS_MAX;
}

char *probe_build_id(const char *path)
{
	_autoclose_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	Elf64_Ehdr eh;

	if (!read_header(fd, &eh))
		return NULL;
	for (unsigned int i = 0; i < eh.e_phnum; i++) {
		Elf64_Phdr ph;
		char *id;

		if (!read_at(fd, &ph, sizeof(ph), eh.e_phoff + i * sizeof(ph)))
			return NULL;
		id = segment_build_id(fd, &ph);
		if (id)
			return id;
	}
	return NULL;
}

/* -------------------------------------------------- what it is linked with */

#define DYNAMIC_MAX 1024 /* entries */

/* The first segment of a type, or with PT_LOAD the one that has this address. */
static bool find_segment(int fd, const Elf64_Ehdr *eh, uint32_t type, uint64_t address,
			 Elf64_Phdr *ret)
{
	for (unsigned int i = 0; i < eh->e_phnum; i++)
		if (read_at(fd, ret, sizeof(*ret), eh->e_phoff + i * sizeof(*ret)) &&
		    ret->p_type == type &&
		    (type != PT_LOAD ||
		     (address >= ret->p_vaddr && address - ret->p_vaddr < ret->p_filesz)))
			return true;
	return false;
}

static uint64_t find_dynamic(const Elf64_Dyn *dyn, size_t n, int64_t tag)
{
	for (size_t i = 0; i < n && dyn[i].d_tag != DT_NULL; i++)
		if (dyn[i].d_tag == tag)
			return dyn[i].d_un.d_val;
	return 0;
}

/* Does the program name a library that begins with @library as needed? Unknown where it is none. */
static enum abibase_tri is_linked_with(const char *path, const char *library)
{
	_autoclose_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_autofree_ Elf64_Dyn *dyn = calloc(DYNAMIC_MAX, sizeof(*dyn));
	Elf64_Phdr ph, load;
	uint64_t strings;
	Elf64_Ehdr eh;
	size_t n;

	if (!dyn || !read_header(fd, &eh) || !find_segment(fd, &eh, PT_DYNAMIC, 0, &ph))
		return ABIBASE_UNKNOWN;
	n = ph.p_filesz / sizeof(*dyn);
	if (n > DYNAMIC_MAX || !read_at(fd, dyn, n * sizeof(*dyn), ph.p_offset))
		return ABIBASE_UNKNOWN;
	strings = find_dynamic(dyn, n, DT_STRTAB);
	if (!find_segment(fd, &eh, PT_LOAD, strings, &load))
		return ABIBASE_UNKNOWN;
	for (size_t i = 0; i < n && dyn[i].d_tag != DT_NULL; i++) {
		char name[32] = "";

		if (dyn[i].d_tag != DT_NEEDED)
			continue;
		if (!read_at(fd, name, sizeof(name) - 1,
			     strings - load.p_vaddr + load.p_offset + dyn[i].d_un.d_val))
			return ABIBASE_UNKNOWN;
		if (strprefix(name, library))
			return ABIBASE_YES;
	}
	return ABIBASE_NO;
}

/* The RSS program is loaded by libbpf: a QEMU that was built without it never steers packets. */
static int add_ebpf(const char *path, json_t *entry)
{
	enum abibase_tri r = is_linked_with(path, "libbpf.so");

	return r == ABIBASE_UNKNOWN ? 0 : json_put(entry, "ebpf", json_boolean(r == ABIBASE_YES));
}

static bool is_script(const char *path)
{
	_autoclose_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char magic[2];

	return fd >= 0 && read_at(fd, magic, 2, 0) && magic[0] == '#' && magic[1] == '!';
}

/* --------------------------------------------------------------- questions */

/* {"qemu": {"major": 7, "minor": 2, "micro": 22}, "package": "Debian …"} */
static int add_version(struct qmp *q, json_t *entry)
{
	json_auto_t *v = NULL;
	const char *package;
	int r = qmp_call(q, &v, "query-version", NULL), major, minor, micro;

	if (r < 0)
		return r;
	if (json_unpack(v, "{s:{s:i, s:i, s:i}}", "qemu", "major", &major, "minor", &minor, "micro",
			&micro) < 0 ||
	    major < 0 || minor < 0 || micro < 0)
		return -EBADMSG;
	r = json_put(entry, "version", json_sprintf("%d.%d.%d", major, minor, micro));
	package = string_of(v, "package");
	return r == 0 && package && *package ? json_put(entry, "package", json_string(package)) : r;
}

static int add_target(struct qmp *q, json_t *entry)
{
	json_auto_t *v = NULL;
	const char *arch;
	int r = qmp_call(q, &v, "query-target", NULL);

	if (r < 0)
		return r;
	arch = string_of(v, "arch");
	return arch ? json_put(entry, "target", json_string(arch)) : -EBADMSG;
}

static int add_machine(json_t *machines, const json_t *m)
{
	const char *name = string_of(m, "name");
	bool deprecated = json_is_true(json_object_get(m, "deprecated"));

	if (!name)
		return -EBADMSG;
	return json_put(machines, name, json_pack("{s:s*, s:o*}", "alias", string_of(m, "alias"),
						  "deprecated", deprecated ? json_true() : NULL));
}

static int add_machines(struct qmp *q, json_t *entry)
{
	json_auto_t *v = NULL;
	json_t *machines = json_object(), *m;
	int r = json_put(entry, "machines", machines);
	size_t i;

	if (r == 0)
		r = qmp_call(q, &v, "query-machines", NULL);
	if (r == 0 && !json_is_array(v))
		r = -EBADMSG;
	json_array_foreach(v, i, m)
		if (r == 0)
			r = add_machine(machines, m);
	return r;
}

/* Of what the class has, keep what the catalogue names, and the default where QEMU states one. */
static int keep_known(const struct abibase_catalogue *cat, const char *class_name,
		      const json_t *list, json_t *kept, json_t *defaults)
{
	json_t *p;
	size_t i;

	json_array_foreach((json_t *)list, i, p) {
		const char *name = string_of(p, "name");
		const char *type = string_of(p, "type");
		json_t *def = json_object_get(p, "default-value");

		if (!name || !type)
			return -EBADMSG;
		for (size_t k = 0; k < cat->n_rows; k++) {
			if (!streq(cat->rows[k].class_name, class_name) ||
			    !streq(cat->rows[k].property, name))
				continue;
			if (json_object_set_new(kept, name, json_string(type)) < 0 ||
			    (def && json_object_set(defaults, name, def) < 0))
				return -ENOMEM;
		}
	}
	return 0;
}

/* A class that this QEMU does not have is left out. */
static int add_class(struct abibase_context *ctx, struct qmp *q, const char *path,
		     const struct abibase_catalogue *cat, const struct row *row,
		     json_t *properties, json_t *defaults)
{
	json_auto_t *list = NULL, *kept = json_object(), *kept_defaults = json_object();
	int r = qmp_call(q, &list, "device-list-properties", "{s:s}", "typename", row->asked);

	if (r == -EREMOTEIO) {
		context_log(ctx, LOG_DEBUG, "probe-qemu-class", "%s: class %s: %s", path,
			    row->asked, q->desc);
		return 0;
	}
	if (r == 0 && !json_is_array(list))
		r = -EBADMSG;
	if (r == 0)
		r = keep_known(cat, row->class_name, list, kept, kept_defaults);
	if (r == 0)
		r = json_put(properties, row->class_name, json_incref(kept));
	return r == 0 ? json_put(defaults, row->class_name, json_incref(kept_defaults)) : r;
}

/* Rows are sorted by class: each class is asked for once. */
static int add_properties(struct abibase_context *ctx, struct qmp *q, const char *path,
			  const struct abibase_catalogue *cat, json_t *entry, json_t *defaults)
{
	json_t *properties = json_object();
	int r = json_put(entry, "properties", properties);

	for (size_t i = 0; r == 0 && i < cat->n_rows; i++)
		if (!i || !streq(cat->rows[i].class_name, cat->rows[i - 1].class_name))
			r = add_class(ctx, q, path, cat, &cat->rows[i], properties, defaults);
	return r;
}

/* With one that has greeted. */
static int converse(struct abibase_probe *pr, struct qmp *q, const char *path,
		    const struct abibase_catalogue *cat, json_t *entry, json_t *defaults)
{
	json_auto_t *nothing = NULL;
	int r = qmp_call(q, &nothing, "qmp_capabilities", NULL);

	if (r == 0)
		r = add_version(q, entry);
	if (r == 0)
		r = add_target(q, entry);
	if (r == 0)
		r = add_machines(q, entry);
	if (r == 0)
		r = add_properties(pr->ctx, q, path, cat, entry, defaults);
	return r;
}

/* ---------------------------------------------------------------- failures */

/* What stands in the profile for why a QEMU is not known, and what people are told of it. */
static const struct failure {
	const char *word, *id, *text; /* "%d" in it is what is known of this one */
} failures[] = {
	[QMP_JUNK] = { "not-a-qemu", "probe-qemu-junk",
		       "what it answers is not QMP, so it is not a QEMU" },
	[QMP_NO_FD] = { "no-file-descriptors", "probe-qemu-no-descriptors",
			"no file descriptor to speak to it (%d); raise the limit (ulimit -n) and "
			"probe again" },
	[QMP_NO_EXEC] = { "not-executable", "probe-qemu-not-executable",
			  "it cannot be executed here: %d" },
	[QMP_TIMEOUT] = { "timeout", "probe-qemu-timeout",
			  "no answer to QMP within %d s, so it was killed" },
	[QMP_DIED] = { "died", "probe-qemu-died", "it %d before it had answered" },
	[QMP_TOO_MUCH] = { "too-much", "probe-qemu-too-much", "it says more than a QEMU can mean" },
	[QMP_REFUSED] = { "refused", "probe-qemu-refused",
			  "it refuses a question that every QEMU from 5.2 on answers: %d" },
};

static const struct failure *failure_of(const struct qmp *q)
{
	return &failures[q->failure < ARRAY_SIZE(failures) && failures[q->failure].id ?
				 q->failure :
				 QMP_JUNK];
}

static void warn_not_known(struct abibase_probe *pr, const struct qmp *q, const char *path, int err)
{
	const struct failure *f = failure_of(q);
	size_t len = strcspn(f->text, "%");
	char detail[256], tail[QMP_WORDS] = "";

	snprintf(detail, sizeof(detail), "%s", q->failure == QMP_REFUSED ? q->desc : strerror(err));
	if (q->failure == QMP_TIMEOUT)
		snprintf(detail, sizeof(detail), "%d", (pr->qemu_timeout_ms + 999) / 1000);
	if (q->failure == QMP_DIED)
		process_how_it_ended(q->status, detail, sizeof(detail));
	if (q->failure != QMP_NO_FD && q->failure != QMP_NO_EXEC && q->failure != QMP_REFUSED)
		qmp_last_words(q, tail);
	context_log(pr->ctx, LOG_WARNING, f->id, "%s: not known: %.*s%s%s%s", path, (int)len,
		    f->text, f->text[len] ? detail : "", f->text[len] ? f->text + len + 2 : "",
		    tail);
}

/* ---------------------------------------------------------------- the list */

struct asked {
	dev_t dev;
	ino_t ino;
};

/* One that was started before its turn. */
struct ahead {
	char *path;
	struct qmp q;
	int r;
	bool taken;
};

struct run {
	struct abibase_probe *pr;
	const struct abibase_catalogue *cat;
	const char *arch;
	json_t *list;
	struct asked *asked;
	size_t n, cap;
	struct ahead *ahead;
	size_t n_ahead, cap_ahead;
	bool started_all;
};

/* Names of the same file are one binary. */
static bool was_asked(const struct run *run, const struct stat *st)
{
	for (size_t i = 0; i < run->n; i++)
		if (run->asked[i].dev == st->st_dev && run->asked[i].ino == st->st_ino)
			return true;
	return false;
}

static int remember(struct run *run, const struct stat *st)
{
	if (array_grow(&run->asked, run->n, &run->cap, sizeof(*run->asked)) < 0)
		return -ENOMEM;
	run->asked[run->n].dev = st->st_dev;
	run->asked[run->n++].ino = st->st_ino;
	return 0;
}

/* ------------------------------------------------------------- behind the wrapper */

static int take_qemu(void *data, unsigned int line, const char *key, const char *value)
{
	char **ret = data;

	(void)line;
	if (!*ret && key && streq(key, "qemu"))
		*ret = realpath(value, NULL);
	return 0;
}

/*
 * The QEMU that abibase-emulator starts, by its configuration; NULL: it says none, or others can
 * change it
 */
static char *behind_wrapper(void)
{
	_autofree_ char *why = NULL, *qemu = NULL;
	_autofclose_ FILE *f = trust_file(conf_path(), &why) == 0 ? fopen(conf_path(), "re") : NULL;

	if (f)
		(void)conf_each(f, take_qemu, &qemu);
	return steal(&qemu);
}

/*
 * The file of that name. Where abibase-emulator stands in the place of a QEMU, that is the one
 * behind it; where none is to be found, the wrapper is asked, and says why.
 */
static char *find_file(const char *name, bool *ret_behind)
{
	_autofree_ char *path = realpath(name, NULL), *qemu = NULL;

	*ret_behind = false;
	if (!path || !ends_with(path, "/abibase-emulator"))
		return steal(&path);
	qemu = behind_wrapper();
	if (!qemu || streq(qemu, path))
		return steal(&path);
	*ret_behind = true;
	return steal(&qemu);
}

/* ------------------------------------------------------------ several that hang */

/* A QEMU that greets later than this may never do it. */
#define SLOW_MS 1500

static struct ahead *find_ahead(struct run *run, const char *path)
{
	for (size_t i = 0; i < run->n_ahead; i++)
		if (!run->ahead[i].taken && streq(run->ahead[i].path, path))
			return &run->ahead[i];
	return NULL;
}

static int start_ahead(struct run *run, const char *name, bool wrapper)
{
	bool behind; /* told when it is asked */
	_autofree_ char *path = find_file(name, &behind);
	struct ahead *a;
	struct stat st;

	if (!path || access(path, X_OK) < 0 || stat(path, &st) < 0 || was_asked(run, &st) ||
	    find_ahead(run, path) || (wrapper && is_script(path)))
		return 0;
	if (array_grow(&run->ahead, run->n_ahead, &run->cap_ahead, sizeof(*run->ahead)) < 0)
		return -ENOMEM;
	a = &run->ahead[run->n_ahead++];
	memset(a, 0, sizeof(*a));
	a->r = probe_qemu_spawn(run->pr, &a->q, path);
	a->path = steal(&path);
	return 0;
}

static int each_place(struct run *run, int (*fn)(struct run *run, const char *name, bool wrapper))
{
	const struct probe_place *place = run->pr->places ? run->pr->places : usual_places;

	for (; place->path; place++) {
		const char *percent = strstr(place->path, "%s");
		_buf_ path = { 0 };
		int r;

		buf_add(&path, place->path,
			percent ? (size_t)(percent - place->path) : strlen(place->path));
		buf_puts(&path, percent ? run->arch : "");
		buf_puts(&path, percent ? percent + 2 : "");
		if (buf_failed(&path))
			return -ENOMEM;
		if (access(path.data, F_OK) < 0)
			continue;
		r = fn(run, path.data, place->wrapper);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Those that were named, or where there may be one. */
static int each_name(struct run *run, int (*fn)(struct run *run, const char *name, bool wrapper))
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->pr->qemu.n; i++)
		r = fn(run, run->pr->qemu.s[i], false);
	return run->pr->qemu.n ? r : each_place(run, fn);
}

/* The first that is slow is waited for; the others start meanwhile, and their time begins, too. */
static int await_greeting(struct run *run, struct qmp *q)
{
	int64_t end = q->deadline, slow = process_now() + SLOW_MS;
	int r;

	if (run->started_all || slow >= end)
		return qmp_receive_greeting(q, NULL);
	q->deadline = slow;
	r = qmp_receive_greeting(q, NULL);
	q->deadline = end;
	if (r != -ETIMEDOUT || q->failure != QMP_TIMEOUT)
		return r;
	q->failure = QMP_OK;
	run->started_all = true;
	r = each_name(run, start_ahead);
	return r < 0 ? r : qmp_receive_greeting(q, NULL);
}

/* Start it, or take the one that was started, and wait for its first word. */
static int begin(struct run *run, struct qmp *q, const char *path)
{
	struct ahead *a = find_ahead(run, path);
	int64_t least = process_now() + run->pr->qemu_timeout_ms / 4;
	int r;

	if (a) {
		*q = a->q;
		a->taken = true;
		/* it has had the time of those before it */
		q->deadline = q->deadline < least ? least : q->deadline;
	}
	r = a ? a->r : probe_qemu_spawn(run->pr, q, path);
	if (r == 0)
		r = await_greeting(run, q);
	q->deadline = r == 0 ? process_now() + run->pr->qemu_timeout_ms : q->deadline;
	return r;
}

static void clear_ahead(struct run *run)
{
	for (size_t i = 0; i < run->n_ahead; i++) {
		if (!run->ahead[i].taken) {
			qmp_kill(&run->ahead[i].q);
			qmp_stop(&run->ahead[i].q);
		}
		free(run->ahead[i].path);
	}
	free(run->ahead);
}

static bool describes_target(struct run *run, const char *path, const json_t *entry)
{
	const char *target = string_of(entry, "target");

	if (catalogue_has_target(run->cat, target))
		return true;
	context_log(run->pr->ctx, LOG_WARNING, "probe-qemu-target",
		    "%s: left out: it emulates %s, which the catalogue does not describe", path,
		    target);
	return false;
}

struct judged {
	struct abibase_context *ctx;
	const char *path;
	bool said;
};

static void say_not_acceptable(void *data, int priority, const char *id, const char *where,
			       const char *text)
{
	struct judged *j = data;

	if (priority > LOG_ERR || j->said)
		return;
	j->said = true;
	context_log(j->ctx, LOG_WARNING, "probe-qemu-junk", "%s: left out: of its answers, %s %s",
		    j->path, where, text);
}

/* Would a reader of the profile take it? One bad answer is not to cost the whole profile. */
static bool is_acceptable(struct run *run, const char *path, const json_t *v,
			  const struct form *form)
{
	struct judged j = { .ctx = run->pr->ctx, .path = path };
	struct schema_walk c;

	schema_init(&c, run->pr->ctx, form == &build_form ? "record" : "qemu");
	c.report = say_not_acceptable;
	c.data = &j;
	schema_document(&c, v, form);
	return c.faults == 0;
}

/* A record that could not be made is one warning, and no record: the profile is as good without. */
static int begin_record(struct run *run, struct qmp *q, const char *path, const json_t *entry,
			json_t **ret)
{
	char words[QMP_WORDS];
	int r;

	if (!run->pr->builds_dir)
		return 0;
	r = probe_record_begin(run->pr, q, path, run->cat, entry, ret);
	if (r == 0 || (r == -ENOMEM && q->failure == QMP_OK))
		return r;
	context_log(run->pr->ctx, LOG_WARNING, "probe-no-record",
		    "%s: no build record is made of it: it did not answer all questions%s", path,
		    qmp_last_words(q, words));
	return 0;
}

/* Nothing is written that a reader would refuse. */
static int end_record(struct run *run, const char *path, const json_t *entry, json_t *record,
		      struct record_text *ret)
{
	int r = probe_record_end(record, entry);

	return r == 0 && is_acceptable(run, path, record, &build_form) ?
		       probe_record_text(record, ret) : r;
}

static int add_entry(struct run *run, const char *path, json_t *entry,
		     const struct record_text *record)
{
	int r = *record->digest && run->pr->builds_dir ?
			probe_record_write(run->pr, record, entry) : 0;

	if (r == 0)
		r = json_put(entry, "path", json_string(path));
	return r == 0 ? json_add(run->list, json_incref(entry)) : r;
}

/* With a QEMU that has answered all else. */
static int ask_values(struct run *run, struct qmp *q, const char *path, const char *build_id,
		      json_t *entry, const json_t *defaults)
{
	json_auto_t *record = NULL;
	_record_text_ text = { 0 };
	bool complete, added = false;
	int r = add_ebpf(path, entry);

	/* without a word it is the first one, as it was before there was another */
	if (r == 0 && run->cat->revision > 1)
		r = json_put(entry, "catalogue", json_integer(run->cat->revision));
	if (r == 0 && build_id)
		r = json_put(entry, "build_id", json_string(build_id));
	if (r < 0)
		return r;
	/* before a name that it gives becomes a word of its command line */
	if (!describes_target(run, path, entry) ||
	    !is_acceptable(run, path, entry, &qemu_form))
		return 0;
	r = begin_record(run, q, path, entry, &record);
	if (r == 0)
		r = probe_values_add(run->pr, q, path, run->cat, defaults, entry, record,
				     &complete);
	if (r == 0 && !is_acceptable(run, path, entry, &qemu_form))
		return 0;
	if (r == 0 && run->pr->sizes)
		r = probe_sizes_add(run->pr, path, entry, &added);
	if (r == 0 && record)
		r = end_record(run, path, entry, record, &text);
	if (r == 0 && complete && (*text.digest || !run->pr->builds_dir))
		r = probe_cache_store(run->pr, run->cat, path, build_id, entry, &text);
	return r < 0 ? r : add_entry(run, path, entry, &text);
}

/* It was there and could not be asked; @path and @build_id may be NULL. */
static int add_unasked(struct run *run, const char *path, const char *build_id, const char *reason)
{
	return json_add(run->list, json_pack("{s:s*, s:s*, s:s}", "build_id", build_id, "path",
					     path, "unknown", reason));
}

static int ask_anew(struct run *run, const char *path, const char *build_id)
{
	json_auto_t *entry = json_object(), *defaults = json_object();
	struct qmp q;
	int r;

	if (!entry || !defaults)
		return -ENOMEM;
	r = begin(run, &q, path);
	if (r == 0)
		r = converse(run->pr, &q, path, run->cat, entry, defaults);
	if (r == 0) {
		r = ask_values(run, &q, path, build_id, entry, defaults);
		/* It has nothing to save, and to let it clean up can take as long as its start. */
		qmp_kill(&q);
		qmp_stop(&q);
		return r;
	}
	qmp_stop(&q);
	if (r == -ENOMEM && q.failure == QMP_OK)
		return r;
	if (q.failure == QMP_NO_PROCESS)
		return context_fail(run->pr->ctx, -r, "probe-fork", path,
				    "cannot start a process for %s: %s", path, strerror(-r));
	warn_not_known(run->pr, &q, path, -r);
	return add_unasked(run, path, build_id, failure_of(&q)->word);
}

static int ask_path(struct run *run, const char *path)
{
	_autofree_ char *build_id = probe_build_id(path);
	json_auto_t *entry = NULL;
	_record_text_ record = { 0 };
	bool added = false;
	int r = access(path, X_OK) < 0 ? 0 : probe_cache_load(run->pr, run->cat, path, build_id,
							      &entry, &record);

	if (r == 0)
		return ask_anew(run, path, build_id);
	if (r < 0)
		return r;
	context_log(run->pr->ctx, LOG_INFO, "probe-cache-used",
		    "%s: not asked: build %s has answered before", path, build_id);
	if (!describes_target(run, path, entry))
		return 0;
	r = run->pr->sizes ? probe_sizes_add(run->pr, path, entry, &added) : 0;
	if (r == 0 && added)
		r = probe_cache_store(run->pr, run->cat, path, build_id, entry, &record);
	return r < 0 ? r : add_entry(run, path, entry, &record);
}

static int ask_file(struct run *run, const char *name, bool wrapper)
{
	bool behind, there;
	_autofree_ char *path = find_file(name, &behind);
	struct abibase_context *ctx = run->pr->ctx;
	const char *shown;
	struct stat st;
	int r;

	if (process_stopped(&run->pr->stop))
		return -ECANCELED;
	probe_tell(run->pr, name);
	if (behind)
		context_log(ctx, LOG_INFO, "probe-qemu-behind",
			    "%s: is abibase-emulator; asked is %s, which it starts", name, path);
	there = path && stat(path, &st) == 0;
	if (!there || !S_ISREG(st.st_mode) || !text_is_utf8(path)) {
		shown = there ? path : name;
		context_log(ctx, LOG_WARNING, "probe-qemu-not-executable", "%s: not known: %s%s",
			    name,
			    !there		? "it cannot be executed here: " :
			    S_ISREG(st.st_mode) ? "its path is not UTF-8" :
						  "it is not a file",
			    there ? "" : strerror(errno));
		return add_unasked(run, text_is_utf8(shown) ? shown : NULL, NULL, "not-executable");
	}
	if (was_asked(run, &st))
		return 0;
	r = remember(run, &st);
	if (r < 0)
		return r;
	if (wrapper && is_script(path)) {
		context_log(ctx, LOG_DEBUG, "probe-qemu-wrapper",
			    "%s: not asked: a script around a QEMU that has a name of its own",
			    path);
		return 0;
	}
	return ask_path(run, path);
}

int probe_qemu_check(struct abibase_probe *pr)
{
	for (size_t i = 0; i < pr->qemu.n; i++)
		if (access(pr->qemu.s[i], F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
			return context_fail(pr->ctx, ENOENT, "probe-qemu-missing", pr->qemu.s[i],
					    "there is no such QEMU binary: %s", pr->qemu.s[i]);
	return 0;
}

int probe_qemu_run(struct abibase_probe *pr, const struct abibase_catalogue *cat, const char *arch,
		   json_t **ret)
{
	json_auto_t *list = json_array();
	struct run run = { .pr = pr, .cat = cat, .arch = arch, .list = list };
	int r;

	if (!list)
		return -ENOMEM;
	r = each_name(&run, ask_file);
	if (r == 0 && !pr->qemu.n && !run.n)
		context_log(pr->ctx, LOG_NOTICE, "probe-qemu-none",
			    "no QEMU in the usual places; name it with --qemu");
	clear_ahead(&run);
	free(run.asked);
	if (r < 0)
		return r;
	*ret = steal(&list);
	return 0;
}

