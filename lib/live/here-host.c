/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>

#include "base/context.h"
#include "base/process.h"
#include "live/here.h"
#include "probe/probe.h"

/* What starts guests on this host: the record, the units that write and watch it, the wrapper. */

#define SYSTEMCTL_MS 5000
#define SYSTEMCTL_MAX 65536

#define RECORD_REMEDY "systemctl restart " HERE_UNIT ", or abibase probe --output=FILE"

void here_found(struct abibase_here *h, enum abibase_finding_kind kind, const char *id,
		const char *remedy, const char *fmt, ...)
{
	struct finding f = { .kind = kind, .id = id, .remedy = remedy, .bit = -1 };
	_buf_ text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	finding_add(&h->findings, f, &text);
}

void here_failed(struct abibase_here *h, enum abibase_finding_kind kind, const char *remedy)
{
	const char *where = abibase_context_error_where(h->ctx);
	const char *id = abibase_context_error_id(h->ctx);
	const char *text = abibase_context_error(h->ctx);

	here_found(h, kind, id ? id : "io-error", remedy, "%s%s%s", where ? where : "",
		   where ? ": " : "", text ? text : "it failed");
}

/* ------------------------------------------------------------------------------ units */

static const char *const units[] = { HERE_UNIT, HERE_TIMER };

static _Noreturn void be_systemctl(int out)
{
	static const char *const places[] = { "/usr/bin/systemctl", "/bin/systemctl" };
	static const char *const argv[] = { "systemctl", "--no-pager", "show",
			 "--property=LoadState,UnitFileState,ActiveState", HERE_UNIT,
			 HERE_TIMER, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0 && dup2(null, 0) == 0 && dup2(out, 1) == 1 && dup2(null, 2) == 2)
		for (size_t i = 0; i < ARRAY_SIZE(places); i++)
			execv(places[i], (char *const *)argv);
	_exit(127);
}

/* All that it says, or what it said in that time. */
static void read_until(int fd, int64_t deadline, struct buf *ret)
{
	char part[4096];

	while (ret->len < SYSTEMCTL_MAX) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int left = process_left(deadline, NULL);
		ssize_t n;

		if (left <= 0)
			return;
		if (poll(&p, 1, left) <= 0)
			continue;
		n = read(fd, part, sizeof(part));
		if (n == 0 || (n < 0 && errno != EINTR))
			return;
		if (n > 0)
			buf_add(ret, part, (size_t)n);
	}
}

static void ask_systemctl(struct buf *ret)
{
	int64_t deadline = process_now() + SYSTEMCTL_MS;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return;
	pid = process_fork();
	if (pid == 0)
		be_systemctl(fds[1]);
	close(fds[1]);
	if (pid > 0) {
		read_until(fds[0], deadline, ret);
		process_end(pid, deadline);
	}
	close(fds[0]);
}

static int set_word(json_t *unit, const char *line)
{
	const char *value = strchr(line, '=');

	if (!value || !value[1])
		return 0;
	value++;
	if (strprefix(line, "LoadState=") && streq(value, "not-found"))
		return json_put(unit, "state", json_string(value));
	if (strprefix(line, "UnitFileState="))
		return json_put(unit, "enabled", json_boolean(strprefix(value, "enabled")));
	if (strprefix(line, "ActiveState=") && streq(string_of(unit, "state"), "unknown"))
		return json_put(unit, "state", json_string(value));
	return 0;
}

/* The units one after the other, a blank line between them. */
static int read_states(char *text, json_t *list)
{
	size_t i = 0;
	char *line;
	int r = 0;

	while (r == 0 && i < ARRAY_SIZE(units) && (line = strsep(&text, "\n"))) {
		if (*line)
			r = set_word(json_array_get(list, i), line);
		else
			i++;
	}
	return r;
}

static void judge_unit(struct abibase_here *h, const json_t *unit)
{
	const char *name = string_of(unit, "name"), *state = string_of(unit, "state");

	if (streq(state, "failed"))
		here_found(h, ABIBASE_FINDING_NOTE, "unit-failed",
			   "journalctl --boot --unit=abibase-profile --unit=abibase-check has why",
			   "%s has failed", name);
	else if (json_is_false(json_object_get(unit, "enabled")) && streq(name, HERE_UNIT))
		here_found(h, ABIBASE_FINDING_NOTE, "unit-disabled",
			   "systemctl enable --now " HERE_UNIT,
			   "%s is not enabled, so the next boot leaves no record", name);
}

int here_units(struct abibase_here *h)
{
	bool systemd = access("/run/systemd/system", F_OK) == 0;
	json_t *list = json_array(), *v;
	_buf_ said = { 0 };
	size_t i;
	int r = json_put(h->root, "units", list);

	for (i = 0; r == 0 && i < ARRAY_SIZE(units); i++)
		r = json_add(list, json_pack("{s:s, s:s}", "name", units[i], "state",
					     systemd ? "unknown" : "no-systemd"));
	if (r < 0 || !systemd)
		return r;
	ask_systemctl(&said);
	r = said.data ? read_states(said.data, list) : 0;
	json_array_foreach(list, i, v)
		if (r == 0)
			judge_unit(h, v);
	return buf_failed(&said) ? -ENOMEM : r;
}

/* ---------------------------------------------------------------------------- wrapper */

static const char *emulator_state(struct abibase_here *h)
{
	if (!h->emulator || access(h->emulator, F_OK) < 0)
		return "absent";
	if (!h->configuration || (access(h->configuration, F_OK) < 0 && errno == ENOENT))
		return "not-configured";
	if (access(h->configuration, R_OK) < 0) {
		here_found(h, ABIBASE_FINDING_UNKNOWN, "emulator-unknown", "ask as root",
			   "%s: cannot be read: %s", h->configuration, strerror(errno));
		return "unknown";
	}
	if (!h->trouble)
		return "sound";
	here_found(h, ABIBASE_FINDING_CONFLICT, "emulator-unsound",
		   "mend it: until then starts are refused", "%s: %s", h->configuration,
		   h->trouble);
	return "unsound";
}

int here_emulator(struct abibase_here *h)
{
	const char *state = emulator_state(h);

	if (h->unread)
		here_found(h, ABIBASE_FINDING_UNKNOWN, "emulator-unknown", "ask as root",
			   "%s: may not be read by the caller", h->unread);
	return json_put(h->root, "emulator",
			json_pack("{s:s, s:s*, s:s*}", "state", state, "path", h->emulator,
				  "configuration", h->configuration));
}

/* --------------------------------------------------------------------------- AppArmor */

#define APPARMOR "/etc/apparmor.d/"
#define ABSTRACTION APPARMOR "abstractions/libvirt-qemu"

/* Does a file of theirs name the wrapper? */
static bool names_wrapper(const char *path)
{
	_autofree_ char *text = NULL;
	size_t len;

	return file_read(NULL, path, JSON_MAX_PROFILE, &text, &len) == 0 &&
	       strstr(text, "abibase-emulator");
}

static bool directory_names_wrapper(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	bool found = false;

	while (d && !found && (e = readdir(d))) {
		_buf_ path = { 0 };

		buf_printf(&path, "%s/%s", dir, e->d_name);
		found = e->d_name[0] != '.' && !buf_failed(&path) && names_wrapper(path.data);
	}
	if (d)
		closedir(d);
	return found;
}

static bool have_rules(void)
{
	static const char *const files[] = { ABSTRACTION,
					     APPARMOR "local/abstractions/libvirt-qemu",
					     APPARMOR "libvirt/TEMPLATE.qemu" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (names_wrapper(files[i]))
			return true;
	return directory_names_wrapper(ABSTRACTION ".d");
}

static const char *apparmor_state(void)
{
	_autofclose_ FILE *f = fopen("/sys/module/apparmor/parameters/enabled", "re");

	if (!f || getc(f) != 'Y')
		return "off";
	if (access(ABSTRACTION, F_OK) < 0)
		return "no-libvirt";
	if (have_rules())
		return "rules";
	return access(ABSTRACTION, R_OK) == 0 ? "no-rules" : "unknown";
}

int here_apparmor(struct abibase_here *h)
{
	const char *state = apparmor_state();
	const char *emulator = string_of(json_object_get(h->root, "emulator"), "state");

	/* whoever has not set the wrapper up starts nothing by it */
	if (streq(state, "no-rules") && (streq(emulator, "sound") || streq(emulator, "unsound")))
		here_found(h, ABIBASE_FINDING_CONFLICT, "apparmor-rules",
			   "install the file packaging/libvirt/apparmor as " ABSTRACTION
			   ".d/abibase",
			   "AppArmor confines the guests of libvirt, and no rule lets them start "
			   "by abibase-emulator: " ABSTRACTION " does not name it");
	return json_put(h->root, "apparmor", json_pack("{s:s}", "state", state));
}

/* ----------------------------------------------------------------------------- record */

static int probe(struct abibase_here *h, struct abibase_profile **ret)
{
	struct abibase_probe *pr;
	int r = abibase_probe_new(h->ctx, &pr);

	if (r < 0)
		return r;
	/* an answer leaves nothing behind */
	r = abibase_probe_set_cache_dir(pr, NULL);
	if (r == 0 && h->qemu)
		r = abibase_probe_add_qemu(pr, h->qemu);
	if (r == 0)
		r = abibase_probe_run(pr, h->cat, ret);
	abibase_probe_unref(pr);
	return r;
}

/* Is it of this boot, and of the QEMUs that are here? One that is not counts for nothing. */
static const char *judge_record(struct abibase_here *h, const struct abibase_profile *p)
{
	const char *state = "current";

	if (profile_check_boot(h->ctx, p) < 0) {
		here_failed(h, ABIBASE_FINDING_CONFLICT, RECORD_REMEDY);
		return "other-boot";
	}
	for (size_t i = 0; i < p->n_qemu; i++) {
		const char *path = p->qemu[i].path;

		if (!path || profile_check_build(h->ctx, p, &p->qemu[i], path) == 0)
			continue;
		here_failed(h, ABIBASE_FINDING_CONFLICT, RECORD_REMEDY);
		state = "other-qemu";
	}
	return state;
}

/* Seconds since it was written. */
static json_t *age_of(const char *path)
{
	struct stat st;
	time_t now = time(NULL);

	if (stat(path, &st) < 0)
		return NULL;
	return json_integer(now > st.st_mtime ? now - st.st_mtime : 0);
}

/* @r is what reading it returned. */
static const char *no_record(struct abibase_here *h, int r, struct abibase_profile **ret)
{
	if (r != -ENOENT && r != -ENOTDIR) {
		here_failed(h, r == -EACCES ? ABIBASE_FINDING_UNKNOWN : ABIBASE_FINDING_CONFLICT,
			    r == -EACCES ? "ask as root" : RECORD_REMEDY);
		return "unreadable";
	}
	/* nothing asks what nobody wants to know */
	here_found(h, ABIBASE_FINDING_NOTE, "record-absent", "systemctl enable --now " HERE_UNIT,
		   h->n ? "%s: there is no record, so the host was asked now" :
			  "%s: there is no record, and no baseline for which the host would be asked",
		   h->record);
	if (h->n && probe(h, ret) < 0)
		here_failed(h, ABIBASE_FINDING_UNKNOWN, NULL);
	return "absent";
}

/* With the QEMU that guests are started by, and no other; a record without it is told of elsewhere. */
static int take_qemu(struct abibase_here *h, struct abibase_profile **p)
{
	struct abibase_profile *one;
	int r = *p && h->qemu ? abibase_profile_current(h->ctx, *p, h->qemu, &one) : -ENOENT;

	if (r == 0) {
		abibase_profile_unref(*p);
		*p = one;
	}
	return r == -ENOMEM ? r : 0;
}

/* Of a pipe no end may come. */
static int read_record(struct abibase_here *h, struct abibase_profile **ret)
{
	struct stat st;

	if (stat(h->record, &st) == 0 && !S_ISREG(st.st_mode))
		return context_fail(h->ctx, EINVAL, "io-error", h->record, "is no regular file");
	return abibase_profile_from_file(h->ctx, h->record, ret);
}

int here_record(struct abibase_here *h, struct abibase_profile **ret)
{
	struct abibase_profile *p = NULL;
	int r = read_record(h, &p);
	const char *state;

	*ret = NULL;
	if (r == -ENOMEM)
		return r;
	state = r < 0 ? no_record(h, r, &p) : judge_record(h, p);
	r = json_put(h->root, "record",
		     json_pack("{s:s, s:s, s:o*, s:s*, s:o*}", "path", h->record, "state", state,
			       "age", age_of(h->record), "boot_id",
			       p ? string_of(p->root, "boot_id") : NULL, "qemus",
			       p ? json_integer((json_int_t)p->n_qemu) : NULL));
	if (r == 0 && p)
		r = json_put(h->root, "host", json_string(p->name));
	if (r == 0)
		r = take_qemu(h, &p);
	if (streq(state, "current") || streq(state, "absent"))
		*ret = steal(&p);
	abibase_profile_unref(p);
	return r;
}
