/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/rehearse.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/known.h"
#include "qemu/qmp.h"

/*
 * One half of a rehearsal: a stopped QEMU that saves, or that loads. The stream goes through a pair
 * of sockets of which QEMU is given one over its monitor: the one way that every QEMU from 5.2 to
 * 11.1 takes under a sandbox.
 */

#define STREAM_NAME "abibase-stream"
#define STREAM_URI "fd:" STREAM_NAME
#define POLL_MS 20
#define VCPUS_ASKED 1024
/* How soon it is noticed that a guest has ended by itself */
#define RUN_TICK_MS 200

/* ------------------------------------------------------------------------- start */

static int make_argv(const struct rehearse_half *h, struct strings *argv)
{
	/* the monitor is on its stdin, which is a socket */
	const char *const fixed[] = { h->qemu,
				      "-S",
				      "-display",
				      "none",
				      "-chardev",
				      "socket,id=abibase-monitor,fd=0",
				      "-mon",
				      QTEST_MONITOR,
				      "-sandbox",
				      "on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
				      "resourcecontrol=deny",
				      /* a guest that powers itself off can still be saved */
				      h->run_s ? "-no-shutdown" : NULL,
				      NULL };
	const char *const incoming[] = { h->load ? "-incoming" : NULL, "defer", NULL };
	int r = 0;

	for (size_t i = 0; r == 0 && fixed[i]; i++)
		r = strings_add(argv, fixed[i]);
	for (size_t i = 0; r == 0 && i < h->line->words.n; i++)
		r = strings_add(argv, h->line->words.s[i]);
	for (size_t i = 0; r == 0 && incoming[i]; i++)
		r = strings_add(argv, incoming[i]);
	return r;
}

static int start(struct rehearse_half *h, struct qmp *q)
{
	const struct qtest_request rq = { .nics = h->line->nics, .n_nics = h->line->n_nics };
	const struct qmp_preparation prep = {
		.fn = rehearse_prepare, .data = h, .n_fds = qtest_fds(&rq), .without_rights = true
	};
	struct strings argv = { 0 };
	int r = make_argv(h, &argv);

	if (r == 0)
		r = qmp_spawn(q, h->qemu, argv.s, h->timeout_ms + (int)h->run_s * 1000, &prep);
	strings_clear(&argv);
	return r;
}

/* ----------------------------------------------------- what it says of itself */

static int take_text(json_t *v, char **ret)
{
	const char *s = json_string_value(v);

	*ret = s ? strdup(s) : NULL;
	return s && !*ret ? -ENOMEM : 0;
}

static int ask_version(struct rehearse_half *h, struct qmp *q)
{
	json_auto_t *v = NULL;
	json_t *of;
	int r = qmp_call(q, &v, "query-version", NULL);

	if (r < 0)
		return r;
	of = json_object_get(v, "qemu");
	if (asprintf(&h->version, "%d.%d.%d", (int)json_integer_value(json_object_get(of, "major")),
		     (int)json_integer_value(json_object_get(of, "minor")),
		     (int)json_integer_value(json_object_get(of, "micro"))) < 0) {
		h->version = NULL;
		return -ENOMEM;
	}
	return take_text(json_object_get(v, "package"), &h->package);
}

/* "pc-q35-10.0-machine" */
static int ask_machine(struct rehearse_half *h, struct qmp *q)
{
	json_auto_t *v = NULL;
	int r = qmp_call(q, &v, "qom-get", "{ss ss}", "path", "/machine", "property", "type");

	if (r == 0)
		r = take_text(v, &h->machine);
	if (r == 0 && h->machine)
		h->machine[length_without(h->machine, "-machine")] = '\0';
	return r;
}

/* The words that are not 0, of the answer about "feature-words" or "filtered-features" */
static json_t *words_of(const json_t *list)
{
	json_auto_t *words = json_array();
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)list, i, v) {
		json_t *ecx = json_object_get(v, "cpuid-input-ecx");
		json_int_t word = json_integer_value(json_object_get(v, "features"));
		const char *name = string_of(v, "cpuid-register");
		char where[64];

		if (!word || !name)
			continue;
		snprintf(where, sizeof(where), "%llX.%llX.%.8s",
			 (unsigned long long)json_integer_value(
				 json_object_get(v, "cpuid-input-eax")),
			 (unsigned long long)json_integer_value(ecx), name);
		if (json_add(words, json_pack("{ss sI}", "register", where, "word",
					      (json_int_t)(uint32_t)word)) < 0)
			return NULL;
	}
	return steal(&words);
}

/* What such a processor has not, is no trouble: the answer is without it. */
static int ask_property(struct qmp *q, const char *path, const char *property, json_t **ret)
{
	int r = qmp_call(q, ret, "qom-get", "{ss ss}", "path", path, "property", property);

	return q->failure == QMP_REFUSED ? 0 : r;
}

static int ask_words(struct qmp *q, const char *path, const char *property, json_t **ret)
{
	json_auto_t *list = NULL;
	int r = ask_property(q, path, property, &list);

	if (r < 0)
		return r;
	*ret = words_of(list);
	return *ret ? 0 : -ENOMEM;
}

static int ask_vcpu(struct qmp *q, const char *path, json_t **ret)
{
	static const char *const scalars[][2] = { { "family", "family" },
						  { "model", "model" },
						  { "model-id", "model_id" },
						  { "stepping", "stepping" },
						  { "vendor", "vendor" } };
	json_auto_t *cpu = json_object();
	json_t *words = NULL, *filtered = NULL;
	int r = cpu ? ask_words(q, path, "feature-words", &words) : -ENOMEM;

	if (r == 0)
		r = json_put(cpu, "features", words);
	if (r == 0)
		r = ask_words(q, path, "filtered-features", &filtered);
	if (r == 0)
		r = json_put(cpu, "filtered", filtered);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(scalars); i++) {
		json_t *v = NULL;

		r = ask_property(q, path, scalars[i][0], &v);
		if (r == 0 && v)
			r = json_put(cpu, scalars[i][1], v);
	}
	if (r == 0)
		*ret = steal(&cpu);
	return r;
}

/*
 * The features that it has, as QEMU calls them. Which these names are it says of a model; of this
 * processor, with all that the line and the machine type make of it, it says each alone.
 */
static int ask_names(struct qmp *q, const char *path, json_t *cpu)
{
	json_auto_t *model = NULL;
	struct strings names = { 0 }; /* sorted */
	int r = qmp_call(q, &model, "query-cpu-model-expansion", "{ss s{ss}}", "type", "static",
			 "model", "name", "max");
	const char *name;
	json_t *v;

	if (r < 0)
		return q->failure == QMP_REFUSED ? 0 : r;
	json_object_foreach(json_object_get(json_object_get(model, "model"), "props"), name, v) {
		json_auto_t *has = NULL;

		if (r == 0 && json_is_boolean(v))
			r = ask_property(q, path, name, &has);
		if (r == 0 && json_is_true(has))
			r = strings_insert(&names, name);
	}
	if (r == 0)
		r = json_put(cpu, "names", json_strings((const char *const *)names.s, names.n));
	strings_clear(&names);
	return r;
}

/* Is it but for what is told once of all that are the same? */
static bool is_like(const json_t *last, const json_t *cpu)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)cpu, key, v)
		if (!json_equal(v, json_object_get(last, key)))
			return false;
	return true;
}

/* The same again is counted, not said again. */
static int add_vcpu(struct qmp *q, const char *path, json_t *cpus, json_t *cpu)
{
	json_t *last = json_array_get(cpus, json_array_size(cpus) - 1);
	json_int_t n = json_integer_value(json_object_get(last, "vcpus"));
	int r;

	if (last && is_like(last, cpu))
		return json_put(last, "vcpus", json_integer(n + 1));
	r = ask_names(q, path, cpu);
	if (r == 0)
		r = json_put(cpu, "vcpus", json_integer(1));
	return r < 0 ? r : json_add(cpus, json_incref(cpu));
}

static int ask_vcpus(struct rehearse_half *h, struct qmp *q)
{
	json_auto_t *list = NULL;
	int r = qmp_call(q, &list, "query-cpus-fast", NULL);
	size_t i;
	json_t *v;

	h->cpus = json_array();
	if (r < 0 || !h->cpus)
		return r < 0 ? r : -ENOMEM;
	json_array_foreach(list, i, v) {
		json_auto_t *cpu = NULL;
		const char *path = string_of(v, "qom-path");

		if (!path || i == VCPUS_ASKED)
			break;
		r = ask_vcpu(q, path, &cpu);
		if (r == 0)
			r = add_vcpu(q, path, h->cpus, cpu);
		if (r < 0)
			return r;
		q->total = 0; /* what many processors say is bounded by their number */
	}
	return 0;
}

/* Its place, in numbers that are not 0: not every build has each of them. */
static json_t *place_of(const json_t *cpu)
{
	json_t *place = json_pack("{sb}", "plugged", json_object_get(cpu, "qom-path") != NULL);
	const char *key;
	json_t *v;

	json_object_foreach(json_object_get(cpu, "props"), key, v)
		if (json_integer_value(v) && json_object_set(place, key, v) < 0) {
			json_decref(place);
			return NULL;
		}
	return place;
}

/* Where each processor is, plugged in or not */
static int ask_topology(struct rehearse_half *h, struct qmp *q)
{
	json_auto_t *list = NULL, *places = json_array();
	int r = qmp_call(q, &list, "query-hotpluggable-cpus", NULL);
	_buf_ text = { 0 };
	char hex[DIGEST_HEX + 1];
	size_t i;
	json_t *v;

	if (r < 0)
		return q->failure == QMP_REFUSED ? 0 : r;
	json_array_foreach(list, i, v)
		if (json_add(places, place_of(v)) < 0)
			return -ENOMEM;
	r = json_digest(places, NULL, &text, hex);
	if (r == 0 &&
	    asprintf(&h->cpus_possible, "%zu of %.16s", json_array_size(places), hex) < 0) {
		h->cpus_possible = NULL;
		return -ENOMEM;
	}
	return r;
}

static int ask_all(struct rehearse_half *h, struct qmp *q)
{
	json_auto_t *answer = NULL;
	int r = qmp_receive_greeting(q, NULL);

	if (r == 0)
		r = qmp_call(q, &answer, "qmp_capabilities", NULL);
	if (r == 0)
		r = ask_version(h, q);
	if (r == 0)
		r = ask_machine(h, q);
	if (r == 0)
		r = ask_vcpus(h, q);
	return r == 0 ? ask_topology(h, q) : r;
}

/* ---------------------------------------------------------------------- firmware */

/* Lets the machine go, and stops it. One that stops by itself before is saved as it stands. */
static int execute(struct rehearse_half *h, struct qmp *q)
{
	int64_t end = process_now() + (int64_t)h->run_s * 1000;
	bool runs = true;
	json_auto_t *answer = NULL, *stopped = NULL;
	int r = qmp_call(q, &answer, "cont", NULL);

	while (r == 0 && runs && process_now() < end) {
		json_auto_t *v = NULL;

		poll(NULL, 0, RUN_TICK_MS);
		r = qmp_call(q, &v, "query-status", NULL);
		runs = json_is_true(json_object_get(v, "running"));
	}
	return r < 0 ? r : qmp_call(q, &stopped, "stop", NULL);
}

/* ------------------------------------------------------------------------ stream */

/* How the migration stands: "completed", "failed", ...; waits for one of these two. */
static int wait_for_end(struct rehearse_half *h, struct qmp *q)
{
	for (;;) {
		json_auto_t *v = NULL;
		int r = qmp_call(q, &v, "query-migrate", NULL);
		const char *status = string_of(v, QMP_STATUS), *desc = string_of(v, "error-desc");

		if (r < 0)
			return r;
		if (status && streq(status, "completed"))
			return 0;
		if (status && (streq(status, "failed") || streq(status, "cancelled"))) {
			buf_puts(&h->why, desc ? desc : "");
			return -ECANCELED;
		}
		if (process_left(q->deadline, NULL) <= 0) {
			q->failure = QMP_TIMEOUT;
			return -ETIMEDOUT;
		}
		poll(NULL, 0, POLL_MS);
	}
}

/* 1: the socket is ready; 0: ask again */
static int wait_for(struct qmp *q, int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int left = process_left(q->deadline, NULL);

	if (left <= 0) {
		q->failure = QMP_TIMEOUT;
		return -ETIMEDOUT;
	}
	return poll(&p, 1, left) > 0;
}

static int receive_stream(struct rehearse_half *h, struct qmp *q, int fd)
{
	_autofree_ char *chunk = malloc(65536);

	while (chunk) {
		int r = wait_for(q, fd, POLLIN);
		ssize_t n;

		if (r < 0)
			return r;
		if (!r)
			continue;
		n = recv(fd, chunk, 65536, MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return 0;
		if (h->stream.len + (size_t)n > REHEARSAL_STREAM_MAX) {
			q->failure = QMP_TOO_MUCH;
			return -EMSGSIZE;
		}
		buf_add(&h->stream, chunk, (size_t)n);
		if (buf_failed(&h->stream))
			break;
	}
	return -ENOMEM;
}

/* It may end before it has read all: that it says itself. */
static int send_stream(struct rehearse_half *h, struct qmp *q, int fd)
{
	const char *at = h->load->data;
	size_t left_over = h->load->len;

	while (left_over) {
		int r = wait_for(q, fd, POLLOUT);
		ssize_t n;

		if (r < 0)
			return r;
		if (!r)
			continue;
		n = send(fd, at, left_over, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return 0;
		at += n;
		left_over -= (size_t)n;
	}
	shutdown(fd, SHUT_WR);
	return 0;
}

static int migrate(struct rehearse_half *h, struct qmp *q)
{
	_autoclose_ int ours = -1, theirs = -1;
	json_auto_t *answer = NULL;
	int fds[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	ours = fds[0];
	theirs = fds[1];
	r = qmp_give_fd(q, theirs, STREAM_NAME);
	close(theirs);
	theirs = -1;
	if (r == 0)
		r = qmp_call(q, &answer, h->load ? "migrate-incoming" : "migrate", "{ss}", "uri",
			     STREAM_URI);
	if (r == 0)
		r = h->load ? send_stream(h, q, ours) : receive_stream(h, q, ours);
	return r == 0 ? wait_for_end(h, q) : r;
}

/* -------------------------------------------------------------------- all of it */

static void say_failure(struct rehearse_half *h, const struct qmp *q, int err)
{
	char words[QMP_WORDS], end[128];

	if (h->why.len)
		return;
	switch (q->failure) {
	case QMP_TIMEOUT:
		buf_printf(&h->why, "it did not end in %d s, and was killed",
			   h->timeout_ms / 1000 + (int)h->run_s);
		break;
	case QMP_DIED:
		process_how_it_ended(q->status, end, sizeof(end));
		buf_printf(&h->why, "it %s", end);
		break;
	case QMP_NO_SETUP:
		rehearse_step_words(h, q->step, &h->why);
		buf_printf(&h->why, ": %s", strerror(err));
		break;
	case QMP_TOO_MUCH:
		buf_printf(&h->why, "its stream has more than %u MiB", REHEARSAL_STREAM_MAX >> 20);
		break;
	case QMP_JUNK:
		buf_puts(&h->why, "what it answers is not QMP");
		break;
	case QMP_REFUSED:
		buf_puts(&h->why, q->desc);
		return;
	default:
		buf_puts(&h->why, strerror(err));
	}
	buf_puts(&h->why, qmp_last_words(q, words));
}

enum doing { STARTING, EXECUTING, MOVING };

/* A QEMU that ends by itself, with a status, has said why. */
static bool ended_by_itself(const struct qmp *q)
{
	return q->failure == QMP_DIED && q->status != -1 && WIFEXITED(q->status) &&
	       WEXITSTATUS(q->status) != 127;
}

/* By a fault of its own. What its limits or its sandbox end, it is killed by other signals. */
static bool crashed(const struct qmp *q)
{
	int sig = q->failure == QMP_DIED && q->status != -1 && WIFSIGNALED(q->status) ?
			  WTERMSIG(q->status) :
			  0;

	return sig == SIGABRT || sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL;
}

/* @r: of what was done last, which is @doing */
static enum rehearse_end end_of(const struct rehearse_half *h, const struct qmp *q,
				enum doing doing, int r)
{
	bool loads = h->load;

	if (r == 0)
		return REHEARSE_DONE;
	if (doing == STARTING)
		return ended_by_itself(q) ? REHEARSE_NO_START : REHEARSE_TROUBLE;
	if (doing == EXECUTING)
		return q->failure == QMP_OK ? REHEARSE_TROUBLE : REHEARSE_LOST;
	if (r == -ECANCELED || q->failure == QMP_REFUSED || ended_by_itself(q) ||
	    (loads && crashed(q)))
		return REHEARSE_REFUSED;
	return loads && q->failure != QMP_OK ? REHEARSE_LOST : REHEARSE_TROUBLE;
}

int rehearse_run(struct rehearse_half *h)
{
	struct qmp q;
	enum doing doing = STARTING;
	int r;

	qmp_init(&q);
	r = start(h, &q);
	if (r == 0)
		r = ask_all(h, &q);
	if (r == 0 && h->run_s) {
		doing = EXECUTING;
		r = execute(h, &q);
	}
	if (r == 0) {
		doing = MOVING;
		r = migrate(h, &q);
	}
	h->end = end_of(h, &q, doing, r);
	/* It has no guest, and nothing to save. */
	qmp_kill(&q);
	qmp_stop(&q);
	if (r < 0 && (r != -ENOMEM || q.failure != QMP_OK))
		say_failure(h, &q, -r);
	buf_add(&h->stderr, q.tail, q.tail_len);
	return (r == -ENOMEM && q.failure == QMP_OK) || buf_failed(&h->why) ||
			       buf_failed(&h->stderr) ?
		       -ENOMEM :
		       0;
}

void rehearse_half_clear(struct rehearse_half *h)
{
	buf_clear(&h->why);
	buf_clear(&h->stderr);
	buf_clear(&h->stream);
	json_decref(h->cpus);
	free(h->machine);
	free(h->version);
	free(h->package);
	free(h->cpus_possible);
}
