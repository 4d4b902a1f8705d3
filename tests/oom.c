/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * usage: oom [OPERATION...]
 *
 * Memory runs out at the first allocation of an operation, at the second, and so on, until the
 * operation gets through. Each time it must return -ENOMEM and leave its out-parameters alone, or
 * have got by without that memory and give the whole, right answer; and all memory must be given
 * back. Linked with --wrap for malloc and its relatives; jansson is given the same functions.
 */
#include <errno.h>
#include <sys/stat.h>

#include "base/context.h"
#include "answer/show.h"
#include "document/baseline.h"
#include "document/json.h"
#include "live/rehearse.h"
#include "qtest-script.h"
#include "test-util.h"

/* --------------------------------------------------------------------- allocation */

static long countdown = -1; /* the allocation that fails; negative: none */
static long allocations;    /* since the operation began */
static long live;	    /* blocks that are not given back */
static bool failed;	    /* one was refused */

void *__real_malloc(size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void __wrap_free(void *p);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
int __wrap_vasprintf(char **ret, const char *fmt, va_list ap) _printf_(2, 0);
int __wrap_asprintf(char **ret, const char *fmt, ...) _printf_(2, 3);

static bool refuse(void)
{
	allocations++;
	if (countdown < 0 || allocations <= countdown)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	void *p = refuse() ? NULL : __real_malloc(size ? size : 1);

	live += p != NULL;
	return p;
}

void *__wrap_calloc(size_t n, size_t size)
{
	size_t all;
	void *p;

	if (__builtin_mul_overflow(n, size, &all))
		return NULL;
	p = __wrap_malloc(all);
	return p ? memset(p, 0, all) : NULL;
}

void *__wrap_realloc(void *old, size_t size)
{
	void *p;

	if (refuse())
		return NULL;
	p = __real_realloc(old, size ? size : 1);
	live += !old && p;
	return p;
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
	size_t all;

	return __builtin_mul_overflow(n, size, &all) ? NULL : __wrap_realloc(old, all);
}

void __wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}

char *__wrap_strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = __wrap_malloc(len + 1);

	if (!p)
		return NULL;
	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *__wrap_strdup(const char *s)
{
	return __wrap_strndup(s, strlen(s));
}

int __wrap_vasprintf(char **ret, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	*ret = NULL; /* what is there after a failure is undefined: nobody may rely on it */
	if (n < 0)
		return -1;
	*ret = __wrap_malloc((size_t)n + 1);
	return *ret ? vsnprintf(*ret, (size_t)n + 1, fmt, ap) : -1;
}

int __wrap_asprintf(char **ret, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = __wrap_vasprintf(ret, fmt, ap);
	va_end(ap);
	return n;
}

/* ----------------------------------------------------------------- what is given */

static struct test t;
static struct abibase_profile *hosts[3], *conflicting[3], *stating[3], *booted;
static struct abibase_baseline *baseline, *no_common_list;
static char *profile_text, *bad_text, *baseline_text, *catalogue_text;
static char directory[] = "/tmp/abibase-oom.XXXXXX"; /* two platforms, one of them bad */
static char *good_file, *bad_file, *qtest_script, *log_file;
static struct abibase_result *verified;
static json_t *rehearse_table;
static char *rehearse_head;
static struct abibase_guest *guest;

/* A catalogue of a few rows, those that are named elsewhere among them: the whole one takes many
 * allocations that are all alike. */
static char *small_catalogue(void)
{
	json_t *root = test_json("data/catalogue.json"), *few = json_array(), *v;
	size_t i;
	char *text;

	json_array_foreach(json_object_get(root, "features"), i, v) {
		const char *group = json_string_value(json_object_get(v, "group"));

		json_object_set_new(v, "sources", json_object());
		if (group && (streq(group, "offload-csum") || streq(group, "offload-uso") ||
			      streq(group, "hash-report") || streq(group, "ring-reset") ||
			      streq(group, "virtio-version")))
			json_array_append(few, v);
	}
	json_array_foreach(few, i, v)
		if (streq(json_string_value(json_object_get(v, "property")), "hash"))
			json_object_set_new(v, "depends", json_array());
	json_object_set_new(root, "features", few);
	text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	return text;
}

static struct abibase_profile *two_qemus(const char *name)
{
	json_t *root = test_host_json(name, "6.12", "");
	struct abibase_profile *p;

	json_object_set_new(root, "qemu",
			    json_pack("[{s:s,s:s,s:s},{s:s,s:s,s:s}]", "version", "8.1.5", "target",
				      "x86_64", "path", "/q/8", "version", "9.0.0", "target",
				      "x86_64", "path", "/q/9"));
	p = test_profile_json(t.ctx, root);
	json_decref(root);
	return p;
}

static struct abibase_profile *lacking(const char *name)
{
	json_t *root = test_host_json(name, "5.10", "5.2.0");
	json_t *facts = json_object_get(root, "facts");
	struct abibase_profile *p;

	json_object_set_new(facts, "tap.offload.ufo", json_false());
	json_object_set_new(facts, "tap.features", json_pack("{s:s}", "unknown", "not-asked"));
	json_object_set_new(facts, "vhost_net.usable", json_false());
	p = test_profile_json(t.ctx, root);
	json_decref(root);
	return p;
}

static char *write_file(const char *name, const char *text)
{
	FILE *f;
	char *path;

	if (asprintf(&path, "%s/%s.json", directory, name) < 0 || !(f = fopen(path, "we")) ||
	    fputs(text, f) < 0 || fclose(f) != 0)
		abort();
	return path;
}

/* A short profile: the more there is in one, the more allocations that are all alike. */
static char *short_profile(void)
{
	json_t *root = test_json("data/platforms/50-debian-12.json"), *qemu;
	char *text;

	qemu = json_array_get(json_object_get(root, "qemu"), 0);
	json_object_set_new(qemu, "machines", json_pack("{s:{s:s}}", "pc-q35-7.2", "alias", "q35"));
	json_object_set_new(qemu, "properties", json_object());
	json_object_del(qemu, "values");
	json_object_del(qemu, "build"); /* it says more than is left here */
	text = json_dumps(root, JSON_INDENT(1));
	json_decref(root);
	return text;
}

/* A record of this boot; what stands for QEMU has no build id. */
static struct abibase_profile *record_of_now(void)
{
	json_t *root = test_host_json("now", "6.1", "7.2.22"), *qemu;
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	struct abibase_profile *p;
	char id[64] = "";

	qemu = json_array_get(json_object_get(root, "qemu"), 0);
	json_object_set_new(qemu, "path", json_string("/dev/null"));
	json_object_del(qemu, "build_id");
	if (f && fgets(id, sizeof(id), f)) {
		id[strcspn(id, "\n")] = '\0';
		json_object_set_new(root, "boot_id", json_string(id));
	}
	if (f)
		fclose(f);
	p = test_profile_json(t.ctx, root);
	json_decref(root);
	return p;
}

/* USO, which pc-q35-7.2 has off, RING_RESET, which kernel 6.1 lacks, and queues that are large. */
static const char guest_text[] =
	"{\"schema\": \"abibase-guest/1\", \"machine\": \"pc-q35-7.2\", \"qemu\": \"10.0.13\", "
	"\"devices\": [{\"class\": \"virtio-net-device\", \"backend\": \"tap+vhost\", "
	"\"negotiated\": \"0x1c0010130afffa7\", \"queue_sizes\": [1024, 1024, 1024]}, "
	"{\"class\": \"virtio-net-device\"}]}";

static struct abibase_profile *stating_host(int i)
{
	static const char *const names[] = { "a", "b", "c" };
	static const char *const kernels[] = { "5.10", "6.12", "6.1" };
	json_t *root = test_host_json(names[i], kernels[i], i ? "10.0.13" : "7.2.22");
	struct abibase_profile *p;

	if (i < 2)
		json_object_set_new(json_object_get(root, "facts"), "operator.host_mtu",
				    json_integer(1500 + i));
	p = test_profile_json(t.ctx, root);
	json_decref(root);
	return p;
}

static char *two_builds[2]; /* files of build records */
static char *two_hosts[2]; /* files of profiles, with their build records */
static char *old_profile; /* a file, with its build record beside it */

/* The recorded head with few words of the CPU: each run takes as long as it has allocations. */
static char *short_head(void)
{
	char *path = test_path("tests/data/rehearsal/head.json"), *text;
	json_t *head = json_load_file(path, 0, NULL);
	json_t *words = json_object_get(json_array_get(json_object_get(head, "cpus"), 0), "features");

	while (json_array_size(words) > 2)
		json_array_remove(words, 0);
	text = json_dumps(head, JSON_COMPACT);
	json_decref(head);
	free(path);
	if (!text)
		abort();
	return text;
}

static void prepare(void)
{
	const char *const dirs[] = { directory, NULL };
	struct abibase_profile *two;
	json_t *root;

	test_begin(&t);
	abibase_context_set_log(t.ctx, NULL, NULL);
	hosts[0] = test_host(t.ctx, "a", "6.1", "7.2.22");
	hosts[1] = test_host(t.ctx, "b", "6.12", "7.2.22 10.0.13");
	root = test_host_json("c", "7.2", "");
	json_object_del(json_object_get(root, "facts"), "vhost_net.features_array");
	hosts[2] = test_profile_json(t.ctx, root);
	json_decref(root);
	booted = record_of_now();
	for (int i = 0; i < 3; i++)
		stating[i] = stating_host(i);
	conflicting[0] = abibase_profile_ref(hosts[0]);
	conflicting[1] = lacking("l");
	conflicting[2] = abibase_profile_ref(hosts[2]);
	two = two_qemus("two");
	if (intersect_profiles(t.ctx, t.cat, hosts, 2, "pc-q35-7.2", &baseline) < 0 ||
	    intersect_profiles(t.ctx, t.cat, &two, 1, "pc-q35-8.1", &no_common_list) < 0)
		abort();
	abibase_profile_unref(two);
	profile_text = short_profile();
	rehearse_head = short_head();
	if (data_load(t.ctx, &rehearse_form, &rehearse_table) < 0)
		abort();
	old_profile = test_path("tests/cases/intersect/build-record/A.json");
	two_hosts[0] = test_path("tests/cases/check/record-differs/A.json");
	two_hosts[1] = test_path("tests/cases/check/record-differs/B.json");
	two_builds[0] = test_path("tests/cases/diff/builds/a.json");
	two_builds[1] = test_path("tests/cases/diff/builds/b.json");
	bad_text = strdup(profile_text);
	memcpy(strstr(bad_text, "\"revision\""), "\"revisoin\"", strlen("\"revision\""));
	baseline_text = test_baseline_json(t.ctx, baseline);
	catalogue_text = small_catalogue();
	if (!mkdtemp(directory) || abibase_context_set_platform_path(t.ctx, dirs) < 0)
		abort();
	good_file = write_file("good", profile_text);
	bad_file = write_file("bad", bad_text);
	qtest_script = write_file("qemu", QTEST_SCRIPT("", "", "", "3"));
	if (chmod(qtest_script, 0755) < 0)
		abort();
	log_file = write_file("log", "Features 0x10130afffa7 unsupported. Allowed features: 0x130afffa7\n"
				     "Failed to load virtio-net:virtio\n");
	if (abibase_guest_from_buffer(t.ctx, guest_text, strlen(guest_text), "guest", &guest) < 0)
		abort();
}

static void finish(void)
{
	free(old_profile);
	for (size_t i = 0; i < ARRAY_SIZE(two_hosts); i++)
		free(two_hosts[i]);
	free(two_builds[0]);
	free(two_builds[1]);
	abibase_profile_unref(booted);
	abibase_result_unref(verified);
	json_decref(rehearse_table);
	free(rehearse_head);
	for (size_t i = 0; i < 3; i++) {
		abibase_profile_unref(hosts[i]);
		abibase_profile_unref(stating[i]);
		abibase_profile_unref(conflicting[i]);
	}
	abibase_baseline_unref(baseline);
	abibase_baseline_unref(no_common_list);
	free(profile_text);
	free(bad_text);
	free(baseline_text);
	free(catalogue_text);
	unlink(good_file);
	unlink(bad_file);
	unlink(qtest_script);
	unlink(log_file);
	rmdir(directory);
	free(good_file);
	free(bad_file);
	free(qtest_script);
	free(log_file);
	abibase_guest_unref(guest);
	test_end(&t);
}

/* --------------------------------------------------------------------- operations */

/* What an operation made; nothing of it is set when it failed. */
struct made {
	struct abibase_profile *profile;
	struct abibase_baseline *baseline;
	struct abibase_catalogue *catalogue;
	struct abibase_context *context;
	char *text, *why;
	uint64_t word[2];
	uint64_t told; /* a sum over what a callback was told */
};

static int op_profile(struct made *m)
{
	return profile_from_buffer(t.ctx, profile_text, strlen(profile_text), "t", &m->profile);
}

static int op_refused(struct made *m)
{
	return profile_from_buffer(t.ctx, bad_text, strlen(bad_text), "t", &m->profile);
}

static int op_truncated(struct made *m)
{
	return profile_from_buffer(t.ctx, profile_text, strlen(profile_text) / 2, "t", &m->profile);
}

static int op_platform(struct made *m)
{
	return profile_from_platform(t.ctx, "debian-12", &m->profile);
}

static int op_operand(struct made *m)
{
	return abibase_operand_load(t.ctx, "name=debian-12", &m->profile, &m->baseline);
}

static int op_catalogue(struct made *m)
{
	json_t *root;
	int r = json_parse(t.ctx, catalogue_text, strlen(catalogue_text), JSON_MAX_CATALOGUE, "t",
			   &root);

	return r < 0 ? r : catalogue_from_json(t.ctx, root, "t", &m->catalogue);
}

static int op_baseline(struct made *m)
{
	return baseline_from_buffer(t.ctx, baseline_text, strlen(baseline_text), "t", &m->baseline);
}

static int intersect(struct abibase_profile **p, size_t n, const char *machine,
		     const char *backend, struct made *m)
{
	struct abibase_intersection *ix;
	int r = abibase_intersection_new(t.ctx, t.cat, &ix);

	if (r < 0)
		return r;
	if (machine)
		r = abibase_intersection_set_machine(ix, machine);
	if (r == 0 && backend)
		r = abibase_intersection_add_backend(ix, backend);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = abibase_intersection_add_profile(ix, p[i]);
	if (r == 0)
		r = abibase_intersection_finish(ix, &m->baseline);
	abibase_intersection_unref(ix);
	return r;
}

static int op_intersect(struct made *m)
{
	return intersect(hosts, 3, "pc-q35-7.2", NULL, m);
}

/* Another device, sizes by name, and a number: what two hosts state, and the third does not. */
static int op_numbers(struct made *m)
{
	struct abibase_intersection *ix;
	int r = abibase_intersection_new(t.ctx, t.cat, &ix);

	if (r < 0)
		return r;
	r = abibase_intersection_set_machine(ix, "pc-q35-7.2");
	if (r == 0)
		r = abibase_intersection_add_device(ix, "vhost-vsock");
	if (r == 0)
		r = abibase_intersection_enable(ix, "queue-sizes");
	for (size_t i = 0; r == 0 && i < 3; i++)
		r = abibase_intersection_add_profile(ix, stating[i]);
	if (r == 0)
		r = abibase_intersection_finish(ix, &m->baseline);
	abibase_intersection_unref(ix);
	return r;
}

static int op_chosen_machine(struct made *m)
{
	return intersect(hosts, 2, NULL, "tap", m);
}

static int op_conflict(struct made *m)
{
	return intersect(conflicting, 3, "pc-q35-8.2", NULL, m);
}

/* After a failure the accumulator can go on: the same host again, and it is as if nothing was. */
static int op_retry(struct made *m)
{
	struct abibase_intersection *ix;
	long at = countdown;
	int r;

	countdown = -1;
	r = abibase_intersection_new(t.ctx, t.cat, &ix);
	if (r == 0)
		r = abibase_intersection_set_machine(ix, "pc-q35-7.2");
	if (r < 0)
		return r;
	allocations = 0;
	countdown = at;
	for (size_t i = 0; i < 3; i++) {
		r = abibase_intersection_add_profile(ix, hosts[i]);
		if (r == -ENOMEM) {
			countdown = -1;
			r = abibase_intersection_add_profile(ix, hosts[i]);
		}
		if (r < 0)
			break;
	}
	if (r == 0)
		r = abibase_intersection_finish(ix, &m->baseline);
	if (r == -ENOMEM) {
		countdown = -1;
		r = abibase_intersection_finish(ix, &m->baseline);
	}
	abibase_intersection_unref(ix);
	return r;
}

static int op_widen(struct made *m)
{
	struct abibase_intersection *ix;
	int r = abibase_intersection_new(t.ctx, t.cat, &ix);

	if (r < 0)
		return r;
	r = abibase_intersection_add_baseline(ix, baseline);
	if (r == 0)
		r = abibase_intersection_add_profile(ix, hosts[2]);
	if (r == 0)
		r = abibase_intersection_finish(ix, &m->baseline);
	abibase_intersection_unref(ix);
	return r;
}

static int render(const struct abibase_baseline *b, const char *format, const char *host,
		  bool minimal, struct made *m)
{
	struct abibase_render *r;
	int result = abibase_render_new(t.ctx, &r);

	if (result < 0)
		return result;
	result = abibase_render_set_format(r, format);
	if (result == 0 && host)
		result = abibase_render_set_for(r, host);
	if (result == 0 && streq(format, "libvirt-override"))
		result = abibase_render_add_alias(r, NULL, "net0");
	abibase_render_set_flags(r, ABIBASE_RENDER_WITH_MACHINE |
					    (streq(format, "oneline") ? ABIBASE_RENDER_HOTPLUG : 0) |
					    (minimal ? ABIBASE_RENDER_MINIMAL : 0) |
					    (minimal && streq(format, "json") ?
						     ABIBASE_RENDER_NO_INPUTS :
						     0));
	if (result == 0)
		result = abibase_render_run(r, b, 0, &m->text, &m->why);
	abibase_render_unref(r);
	return result;
}

static int op_args(struct made *m)
{
	return render(baseline, "args", NULL, false, m);
}

static int op_args_for(struct made *m)
{
	return render(baseline, "args", "b", true, m);
}

static int op_readconfig(struct made *m)
{
	return render(baseline, "readconfig", NULL, false, m);
}

static int op_override(struct made *m)
{
	return render(baseline, "libvirt-override", NULL, false, m);
}

static int op_hotplug(struct made *m)
{
	return render(no_common_list, "oneline", NULL, false, m);
}

static int op_json(struct made *m)
{
	return render(baseline, "json", NULL, false, m);
}

static int op_table(struct made *m)
{
	return render(baseline, "text", NULL, false, m);
}

static int op_no_common_list(struct made *m)
{
	return render(no_common_list, "args", NULL, false, m);
}

static int op_predict(struct made *m)
{
	static const char *const settings[] = { "virtio-net-device.packed=on",
						"virtio-net-device.rss=on",
						"virtio-net-device.speed=1000", NULL };

	return abibase_predict(t.ctx, t.cat, hosts[2], "10.0.0", "pc-q35-10.0", "tap+vhost",
			       settings, m->word, &m->why);
}

static int op_rename(struct made *m)
{
	return profile_rename(t.ctx, hosts[0], "another", &m->profile);
}

static int op_to_json(struct made *m)
{
	return abibase_value_to_json(abibase_profile_value(hosts[1]), &m->text);
}

static int op_to_table(struct made *m)
{
	return profile_to_text(hosts[1], t.cat, 0, &m->text);
}

static int op_context(struct made *m)
{
	const char *const dirs[] = { directory, "/nonexistent", NULL };
	struct abibase_context *ctx;
	int r = abibase_context_new(0, &ctx);

	if (r < 0)
		return r;
	r = abibase_context_set_data_dir(ctx, directory);
	if (r == 0)
		r = abibase_context_set_platform_path(ctx, dirs);
	if (r < 0)
		abibase_context_unref(ctx);
	else
		m->context = ctx;
	return r;
}

/* A profile that is older than the catalogue, and its build record, which a new context reads. */
static int op_build(struct made *m)
{
	struct abibase_context *ctx;
	struct abibase_profile *p;
	int r = abibase_context_new(0, &ctx);

	if (r < 0)
		return r;
	r = abibase_profile_from_file(ctx, old_profile, &p);
	if (r == 0) {
		r = intersect_profiles(ctx, t.cat, &p, 1, "pc-q35-rhel9.6.0", &m->baseline);
		abibase_profile_unref(p);
	}
	abibase_context_unref(ctx);
	return r;
}

static int give_result(struct abibase_result *res, struct made *m);

/* Two build records, which a new context reads. */
static int op_diff_builds(struct made *m)
{
	struct abibase_profile *p[2] = { NULL, NULL };
	struct abibase_context *ctx;
	struct abibase_result *d;
	int r = abibase_context_new(0, &ctx);

	if (r < 0)
		return r;
	for (int i = 0; r == 0 && i < 2; i++)
		r = abibase_profile_from_file(ctx, two_builds[i], &p[i]);
	if (r == 0)
		r = abibase_diff(ctx, t.cat, p[0], p[1], 0, &d);
	for (int i = 0; i < 2; i++)
		abibase_profile_unref(p[i]);
	abibase_context_unref(ctx);
	return r < 0 ? r : give_result(d, m);
}

/* Two hosts whose builds have records that differ, for a guest, and one held against the other's baseline. */
static int op_records(struct made *m)
{
	static const char xml[] =
		"<domain type='kvm'><os><type arch='x86_64' machine='pc-q35-rhel9.6.0'>hvm</type></os>"
		"<devices><interface type='bridge'><model type='virtio'/></interface>"
		"<hostdev type='pci'/><graphics type='vnc'/></devices></domain>";
	struct abibase_profile *p[2] = { NULL, NULL };
	struct abibase_check_request *q = NULL;
	struct abibase_context *ctx;
	struct abibase_guest *g = NULL;
	struct abibase_baseline *b = NULL;
	struct abibase_result *d = NULL;
	int r = abibase_context_new(0, &ctx);

	if (r < 0)
		return r;
	for (int i = 0; r == 0 && i < 2; i++)
		r = abibase_profile_from_file(ctx, two_hosts[i], &p[i]);
	if (r == 0)
		r = abibase_guest_from_domain(ctx, t.cat, xml, strlen(xml), "d.xml", &g);
	if (r == 0)
		r = abibase_diff_guest(ctx, t.cat, g, p[0], p[1], 0, &d);
	abibase_result_unref(d);
	if (r == 0)
		r = intersect_profiles(ctx, t.cat, p, 1, "pc-q35-rhel9.6.0", &b);
	if (r == 0)
		r = abibase_check_request_new(ctx, t.cat, b, &q);
	if (r == 0)
		r = abibase_check_request_add_profile(q, p[1]);
	d = NULL;
	if (r == 0)
		r = abibase_check_request_run(q, &d);
	abibase_check_request_unref(q);
	abibase_baseline_unref(b);
	abibase_guest_unref(g);
	for (int i = 0; i < 2; i++)
		abibase_profile_unref(p[i]);
	abibase_context_unref(ctx);
	return r < 0 ? r : give_result(d, m);
}

/* The text too, in the same operation: it has no context to leave an error in. Takes @res. */
static int give_result(struct abibase_result *res, struct made *m)
{
	int r = test_result_json(res, &m->text);

	if (r == 0)
		r = abibase_result_to_text(res, 0, &m->why);
	if (r < 0)
		free(steal(&m->text));
	abibase_result_unref(res);
	return r;
}

static int op_validate(struct made *m)
{
	struct abibase_result *res;
	int r = abibase_validate(t.ctx, bad_file, &res);

	return r < 0 ? r : give_result(res, m);
}

static int op_diff(struct made *m)
{
	struct abibase_result *d;
	int r = abibase_diff(t.ctx, t.cat, conflicting[1], hosts[1], ABIBASE_DIFF_ALL, &d);

	return r < 0 ? r : give_result(d, m);
}

static int op_match(struct made *m)
{
	struct abibase_result *answer;
	int r = abibase_match(t.ctx, t.cat, conflicting[1], hosts, 3, NULL, &answer);

	return r < 0 ? r : give_result(answer, m);
}

static int op_decode(struct made *m)
{
	static const char log[] =
		"Features 0x1c0010130afffa7 unsupported. Allowed features: 0x179bfffe7\n"
		"Failed to load virtio-net:virtio\n"
		"Features 0x130000002 unsupported. Allowed features: 0x179000000\n"
		"virtio-net: saved image requires vnet_hdr=on\n"
		"get_pci_config_device: Bad config data: i=0x20 read: 0 device: c cmask: ff\n"
		"Bad config data: i=0x10 read: a1 device: 1 cmask: ff wmask: c0 w1cmask:0\n"
		"Failed to load hx7:config\nload of migration failed\n"
		"Failed to load hx8:state\n"
		"error while loading state for instance 0x0 of device '0000:00:07.0/hx8'\n"
		"load of migration failed\n0x10130afffa7\n";
	struct abibase_result *d;
	int r = abibase_decode(t.ctx, t.cat, log, strlen(log), NULL, &d);

	return r < 0 ? r : give_result(d, m);
}

static int op_machines(struct made *m)
{
	struct abibase_intersection *ix;
	struct abibase_result *res = NULL;
	int r = abibase_intersection_new(t.ctx, t.cat, &ix);

	if (r < 0)
		return r;
	for (int i = 0; r == 0 && i < 2; i++)
		r = abibase_intersection_add_profile(ix, hosts[i]);
	if (r == 0)
		r = abibase_intersection_machines(ix, &res);
	abibase_intersection_unref(ix);
	if (r == 0)
		r = test_result_json(res, &m->text);
	abibase_result_unref(res);
	return r;
}

static int check_host(const struct abibase_baseline *b, struct abibase_profile *p,
		      struct abibase_check_request **ret)
{
	int r = abibase_check_request_new(t.ctx, t.cat, (struct abibase_baseline *)b, ret);

	if (r < 0)
		return r;
	r = abibase_check_request_add_profile(*ret, p);
	if (r < 0)
		abibase_check_request_unref(*ret);
	return r;
}

static int check(const struct abibase_baseline *b, struct made *m)
{
	struct abibase_check_request *q;
	struct abibase_result *res;
	int r = check_host(b, conflicting[1], &q);

	if (r < 0)
		return r;
	r = abibase_check_request_run(q, &res);
	abibase_check_request_unref(q);
	return r < 0 ? r : give_result(res, m);
}

static int op_check(struct made *m)
{
	return check(baseline, m);
}

/* Written without its inputs, read, and a host held against it. */
static int op_no_inputs(struct made *m)
{
	struct abibase_baseline *b;
	int r = render(baseline, "json", NULL, true, m);

	if (r < 0)
		return r;
	r = baseline_from_buffer(t.ctx, m->text, strlen(m->text), "t", &b);
	free(steal(&m->text));
	free(steal(&m->why));
	if (r < 0)
		return r;
	r = check(b, m);
	abibase_baseline_unref(b);
	return r;
}

static int give_guest(struct abibase_guest *g, struct made *m)
{
	int r = abibase_value_to_json(abibase_guest_value(g), &m->text);

	abibase_guest_unref(g);
	return r;
}

static int op_guest(struct made *m)
{
	const unsigned int sizes[] = { 1024, 1024, 1024 };
	struct abibase_guest *g, *more;
	int r = guest_from_word(t.ctx, "0x1c0010130afffa7", NULL, &g);

	if (r < 0)
		return r;
	r = abibase_guest_assume(t.ctx, g, "pc-q35-7.2", "tap", sizes, 3, &more);
	abibase_guest_unref(g);
	if (r < 0)
		return r;
	return give_guest(more, m);
}

/* A domain, and a running guest that it is joined with */
static int op_domain(struct made *m)
{
	static const char xml[] =
		"<domain type='kvm'><name>vm</name><os><type arch='x86_64' machine='pc-q35-7.2'>hvm"
		"</type></os><cpu mode='custom'/><devices><disk device='disk'/><interface type='bridge'>"
		"<model type='virtio'/><driver rx_queue_size='256' tx_queue_size='256'><host csum='off'/>"
		"</driver><mtu size='1400'/><rom enabled='no'/></interface></devices>"
		"<qemu:commandline><qemu:arg value='-global'/><qemu:arg "
		"value='virtio-net-device.gso=off'/></qemu:commandline></domain>";
	struct abibase_guest *domain, *g, *both;
	int r = abibase_guest_from_domain(t.ctx, t.cat, xml, strlen(xml), "d.xml", &domain);

	if (r < 0)
		return r;
	r = guest_from_word(t.ctx, "0x1c0010130afffa7", NULL, &g);
	if (r == 0) {
		r = abibase_guest_join(t.ctx, g, domain, &both);
		abibase_guest_unref(g);
	}
	abibase_guest_unref(domain);
	if (r < 0)
		return r;
	return give_guest(both, m);
}

static int op_merge(struct made *m)
{
	return abibase_profile_merge(t.ctx, hosts[0], &hosts[1], 1, &m->profile, 0, &m->why);
}

static int op_platforms(struct made *m)
{
	struct abibase_platforms *l;
	struct abibase_result *res;
	int r = abibase_platforms_new(t.ctx, &l);

	if (r < 0)
		return r;
	r = abibase_platforms_list(t.ctx, l, &res);
	abibase_platforms_unref(l);
	if (r < 0)
		return r;
	r = test_result_json(res, &m->text);
	abibase_result_unref(res);
	return r;
}

static int op_guest_log(struct made *m)
{
	struct abibase_guest *g;
	int r = abibase_guest_load(t.ctx, t.cat, log_file, NULL, NULL, &g);

	if (r < 0)
		return r;
	return give_guest(g, m);
}

static int run_targets(struct abibase_targets *req, struct made *m)
{
	struct abibase_result *moves;
	int r = abibase_targets_set_backend(req, "tap+vhost");

	for (size_t i = 0; r == 0 && i < 3; i++)
		r = abibase_targets_add_profile(req, hosts[i]);
	if (r == 0)
		r = abibase_targets_add_profile(req, conflicting[1]);
	if (r == 0)
		r = abibase_targets_set_baseline(req, baseline);
	if (r == 0)
		r = abibase_targets_run(req, &moves);
	return r < 0 ? r : give_result(moves, m);
}

static int look_at(void *data, const struct abibase_value *host, size_t alike)
{
	*(size_t *)data += host ? alike : 0;
	return 0;
}

/* Of hosts that are let go of before. */
static int op_targets_let_go(struct made *m)
{
	size_t n = 0;
	struct abibase_targets *req;
	struct abibase_result *res = NULL;
	int r = abibase_targets_new(t.ctx, t.cat, guest, &req);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < 3; i++) {
		r = abibase_targets_add_profile(req, hosts[i]);
		if (r == 0)
			r = abibase_targets_run(req, NULL);
	}
	if (r == 0)
		r = abibase_targets_set_guest(req, guest);
	if (r == 0)
		r = abibase_targets_run(req, &res);
	if (r == 0)
		r = abibase_result_hosts(res, look_at, &n);
	if (r == 0)
		r = abibase_result_to_json(res, &m->text);
	free(steal(&m->text));
	if (r == 0)
		r = abibase_result_to_text(res, 0, &m->text);
	abibase_result_unref(res);
	abibase_targets_unref(req);
	return r;
}

static int op_targets(struct made *m)
{
	struct abibase_targets *req;
	int r = abibase_targets_new(t.ctx, t.cat, guest, &req);

	if (r < 0)
		return r;
	abibase_targets_set_source(req, hosts[1]);
	r = run_targets(req, m);
	abibase_targets_unref(req);
	return r;
}

static int run_matrix(struct abibase_matrix *req, unsigned int groups, struct made *m)
{
	struct abibase_result *moves;
	int r = abibase_matrix_add_machine(req, "pc-q35-7.2");

	if (r == 0)
		r = abibase_matrix_add_profile(req, conflicting[1], true);
	if (r == 0)
		r = abibase_matrix_add_profile(req, hosts[0], false);
	if (r == 0)
		r = abibase_matrix_run(req, groups, &moves);
	return r < 0 ? r : give_result(moves, m);
}

static int op_matrix(struct made *m)
{
	struct abibase_intersection *ix;
	struct abibase_matrix *req;
	int r = abibase_intersection_new(t.ctx, t.cat, &ix);

	if (r < 0)
		return r;
	r = abibase_intersection_add_backend(ix, "tap");
	if (r == 0)
		r = abibase_matrix_new(t.ctx, t.cat, ix, &req);
	if (r == 0) {
		r = run_matrix(req, 2, m);
		abibase_matrix_unref(req);
	}
	abibase_intersection_unref(ix);
	return r;
}

static int op_explain(struct made *m)
{
	struct abibase_result *x;
	int r = abibase_explain(t.ctx, t.cat, baseline, NULL, 0, &x);

	return r < 0 ? r : give_result(x, m);
}

static int op_plan(struct made *m)
{
	struct abibase_result *plan;
	int r = abibase_plan(t.ctx, t.cat, "offload-uso", "2026-11-23", hosts, 3, hosts, 3, &plan);

	return r < 0 ? r : give_result(plan, m);
}

static int op_diff_baselines(struct made *m)
{
	struct abibase_baseline *other;
	struct abibase_result *d;
	int r = intersect_profiles(t.ctx, t.cat, hosts, 1, "pc-q35-5.2", &other);

	if (r < 0)
		return r;
	r = abibase_diff_baselines(t.ctx, t.cat, baseline, other, 0, &d);
	abibase_baseline_unref(other);
	return r < 0 ? r : give_result(d, m);
}

static int op_check_args(struct made *m)
{
	static const char path[] = "/usr/lib/qemu-7.2.22";
	struct abibase_check_request *q;
	_buf_ text = { 0 };
	char **args;
	int r = check_host(baseline, hosts[0], &q);

	if (r < 0)
		return r;
	r = abibase_check_request_args(q, path, &args);
	abibase_check_request_unref(q);
	if (r < 0)
		return r;
	for (size_t i = 0; args[i]; i++)
		buf_printf(&text, "%s ", args[i]);
	free(args);
	m->text = buf_steal(&text);
	return m->text ? 0 : -ENOMEM;
}

/* With a device that is read, one that is not judged, one that is opaque, and much that is left out. */
static int verify(struct abibase_result **ret)
{
	static const char *const argv[] = {
		"-M", "pc-q35-7.2,memory-encryption=sev0", "-device", "pcie-root-port,id=p1", "-netdev",
		"tap,id=n0,fd=999,vnet_hdr=off", "-device",
		"{\"driver\":\"virtio-net-pci\",\"netdev\":\"n0\",\"id\":\"d\",\"bus\":\"p1\",\"mq\":true}",
		"-nic", "user,model=virtio,mac=52:54:00:12:34:56", "-net", "nic,model=virtio,netdev=x",
		"-global", "virtio-net-device.csum=off", "-global", "e1000.x=y", "-set",
		"device.d.host_tso4=off", "-drive", "file=x", "-readconfig", "/nonexistent", NULL,
	};
	struct abibase_verify *v;
	int r = abibase_verify_new(t.ctx, t.cat, baseline, &v);

	if (r < 0)
		return r;
	abibase_verify_set_profile(v, hosts[0]);
	r = abibase_verify_set_qemu(v, qtest_script);
	if (r == 0)
		r = abibase_verify_set_command(v, argv);
	if (r == 0)
		r = abibase_verify_run(v, ret);
	abibase_verify_unref(v);
	return r;
}

static int op_verify(struct made *m)
{
	struct abibase_result *vf;
	int r = verify(&vf);

	if (r < 0)
		return r;
	m->told = result_finding_count(vf);
	abibase_result_unref(vf);
	return 0;
}

/* Of one that was made before, for each run takes a process. */
static int op_verify_show(struct made *m)
{
	int r = test_result_json(verified, &m->text);

	if (r == 0)
		r = abibase_result_to_text(verified, 0, &m->why);
	if (r < 0)
		free(steal(&m->text));
	return r;
}

/* The baseline's own, with a QEMU that does not start. */
static int op_verify_own(struct made *m)
{
	struct abibase_result *vf;
	struct abibase_verify *v;
	int r = abibase_verify_new(t.ctx, t.cat, baseline, &v);

	if (r < 0)
		return r;
	abibase_verify_set_profile(v, hosts[1]);
	r = abibase_verify_run(v, &vf);
	abibase_verify_unref(v);
	if (r < 0)
		return r;
	r = test_result_json(vf, &m->text);
	abibase_result_unref(vf);
	return r;
}

/* Of a line that is rebuilt, against the head of a file; QEMUs are for tests/rehearse.sh. */
static int compare_rehearsal(struct rehearsed *out, struct rehearse_line *line, json_t **head)
{
	static const char *const argv[] = {
		"-M", "pc-q35-10.0,smm=on", "-m", "2G,maxmem=4G", "-object",
		"memory-backend-file,id=m,size=1G,mem-path=/x", "-device", "virtio-pmem-pci,memdev=m",
		"-blockdev", "{\"driver\":\"raw\",\"node-name\":\"d\",\"file\":{\"filename\":\"/x\"}}",
		"-device", "{\"driver\":\"virtio-blk-pci\",\"drive\":\"d\",\"addr\":\"0x3\"}", "-netdev",
		"tap,id=n,vhost=on", "-device", "virtio-net-pci,netdev=n,id=c", "-set", "device.c.mq=on",
		"-drive", "file=x", "-chardev", "pty,id=p", "-global", "e1000.x=y", "-no-such", NULL,
	};
	struct rehearse_half half = { .cpus = json_pack("[{s[] si}]", "features", "vcpus", 2) };
	struct rehearse_comparison c = { .out = out, .line = line, .half = &half };
	int r = half.cpus ? rehearsal_head(t.ctx, rehearse_head, strlen(rehearse_head), "t", head) :
			    -ENOMEM;

	c.source = *head;
	if (r == 0)
		r = rehearse_line_parse(line, argv);
	if (r == 0) {
		rehearse_compare_lines(&c);
		rehearse_compare_cpus(&c);
		r = out->arena.failed ? -ENOMEM : 0;
	}
	rehearse_half_clear(&half);
	return r;
}

static int op_rehearse(struct made *m)
{
	struct rehearsed out = { .findings.arena = &out.arena, .source.qemu = "q",
				 .replaced = json_array() };
	struct rehearse_line line = { .ctx = t.ctx, .table = rehearse_table };
	json_t *head = NULL, *root = NULL;
	int r = out.replaced ? compare_rehearsal(&out, &line, &head) : -ENOMEM;

	if (r == 0) {
		root = rehearsed_document(&out);
		r = root ? rehearsed_show(root, 0, &m->text) : -ENOMEM;
	}
	json_decref(root);
	json_decref(head);
	json_decref(out.replaced);
	arena_clear(&out.arena);
	rehearse_line_clear(&line);
	return r;
}

static int op_review(struct made *m)
{
	static const char *const argv[] = {
		"-machine", "accel=tcg,type=pc-q35-7.2", "-device",
		"{\"driver\":\"virtio-net-pci\",\"id\":\"n\",\"csum\":false}", "-set",
		"device.n.csum=off", "-global", "driver=virtio-net-pci,property=csum,value=off",
		"-netdev", "tap,vhost=on", NULL,
	};

	(void)m;
	return abibase_baseline_review(t.ctx, baseline, NULL, NULL, argv);
}
static int op_current(struct made *m)
{
	return abibase_profile_current(t.ctx, booted, "/dev/null", &m->profile);
}
static int op_stale(struct made *m)
{
	return abibase_profile_current(t.ctx, hosts[0], "/dev/null", &m->profile);
}

static const struct operation {
	const char *name;
	int (*run)(struct made *m);
	bool no_context; /* has none to leave its error in */
} operations[] = {
	{ "profile", op_profile, false },
	{ "refused", op_refused, false },
	{ "rehearse", op_rehearse, true },
	{ "truncated", op_truncated, false },
	{ "platform", op_platform, false },
	{ "operand", op_operand, false },
	{ "build", op_build, true },
	{ "catalogue", op_catalogue, false },
	{ "baseline", op_baseline, false },
	{ "intersect", op_intersect, false },
	{ "numbers", op_numbers, false },
	{ "chosen-machine", op_chosen_machine, false },
	{ "conflict", op_conflict, false },
	{ "retry", op_retry, false },
	{ "widen", op_widen, false },
	{ "args", op_args, false },
	{ "args-for", op_args_for, false },
	{ "readconfig", op_readconfig, false },
	{ "override", op_override, false },
	{ "hotplug", op_hotplug, false },
	{ "json", op_json, false },
	{ "no-inputs", op_no_inputs, true },
	{ "table", op_table, false },
	{ "no-common-list", op_no_common_list, false },
	{ "predict", op_predict, false },
	{ "rename", op_rename, false },
	{ "to-json", op_to_json, true },
	{ "to-table", op_to_table, true },
	{ "context", op_context, true },
	{ "validate", op_validate, true },
	{ "machines", op_machines, true },
	{ "diff", op_diff, true },
	{ "diff-builds", op_diff_builds, true },
	{ "records", op_records, true },
	{ "match", op_match, true },
	{ "matrix", op_matrix, true },
	{ "check", op_check, true },
	{ "guest", op_guest, true },
	{ "domain", op_domain, true },
	{ "merge", op_merge, true },
	{ "platforms", op_platforms, true },
	{ "guest-log", op_guest_log, true },
	{ "targets", op_targets, true },
	{ "targets let go", op_targets_let_go, true },
	{ "explain", op_explain, true },
	{ "plan", op_plan, true },
	{ "diff-baselines", op_diff_baselines, true },
	{ "check-args", op_check_args, true },
	{ "review", op_review, false },
	{ "verify", op_verify, false },
	{ "verify-show", op_verify_show, true },
	{ "verify-own", op_verify_own, true },
	{ "current", op_current, false },
	{ "stale", op_stale, false },
	{ "decode", op_decode, true },
};

/* ------------------------------------------------------------------------- running */

/* Everything that can be seen of a result. */
static char *describe(int r, const struct made *m)
{
	_autofree_ char *profile = NULL, *answer = NULL, *catalogue = NULL;
	struct buf b = { 0 };

	if (m->profile && abibase_value_to_json(abibase_profile_value(m->profile), &profile) < 0)
		abort();
	if (m->baseline)
		answer = test_baseline_json(t.ctx, m->baseline);
	if (m->catalogue)
		catalogue = json_dumps(m->catalogue->root, JSON_COMPACT | JSON_SORT_KEYS);
	buf_printf(&b, "%d\n%s\n%s\n%s\n%s\n%s\n%llx %llx %llx\n", r, profile ? profile : "",
		   answer ? answer : "", catalogue ? catalogue : "", m->text ? m->text : "",
		   m->why ? m->why : "", (unsigned long long)m->word[0],
		   (unsigned long long)m->word[1], (unsigned long long)m->told);
	if (r < 0)
		buf_printf(&b, "%s %s %s\n", abibase_context_error_id(t.ctx),
			   abibase_context_error_where(t.ctx) ? abibase_context_error_where(t.ctx) :
								"",
			   abibase_context_error(t.ctx));
	if (buf_failed(&b))
		abort();
	return buf_steal(&b);
}

static void made_clear(struct made *m)
{
	abibase_profile_unref(m->profile);
	abibase_baseline_unref(m->baseline);
	abibase_catalogue_unref(m->catalogue);
	abibase_context_unref(m->context);
	free(m->text);
	free(m->why);
}

static bool is_untouched(const struct made *m)
{
	return !m->profile && !m->baseline && !m->catalogue && !m->context && !m->text && !m->why &&
	       !m->word[0] && !m->word[1];
}

/* What the context keeps of documents must not look like a leak, and is read anew each time. */
static void forget(void)
{
	context_forget(t.ctx, KEPT_SEEN);
	context_forget(t.ctx, KEPT_REHEARSALS);
}

/* One try; NULL when memory ran out and was reported, else what was made. */
static char *attempt(const struct operation *o, long at, unsigned int *wrong)
{
	struct made m = { 0 };
	char *text = NULL;
	long before;
	int r;

	/* the last error is kept in the context: it must not look like a leak */
	if (profile_from_buffer(t.ctx, "", 0, "t", &m.profile) == 0)
		abort();
	forget();
	before = live;
	failed = false;
	allocations = 0;
	countdown = at;
	r = o->run(&m);
	countdown = -1;
	if (failed && r == -ENOMEM) {
		const char *id = abibase_context_error_id(t.ctx);

		if (!is_untouched(&m) && ++*wrong < 20)
			printf("%s: allocation %ld: an out-parameter was touched\n", o->name, at);
		if (!o->no_context && !streq(id, "out-of-memory") && ++*wrong < 20)
			printf("%s: allocation %ld: the error is %s\n", o->name, at, id);
	} else {
		text = describe(r, &m);
		live--;
	}
	made_clear(&m);
	if (profile_from_buffer(t.ctx, "", 0, "t", &m.profile) == 0)
		abort();
	forget();
	if (live != before && ++*wrong < 20)
		printf("%s: allocation %ld: %ld blocks too %s\n", o->name, at,
		       live > before ? live - before : before - live,
		       live > before ? "many" : "few");
	if (text)
		live++;
	return text;
}

static unsigned int exhaust(const struct operation *o)
{
	const char *given = getenv("OOM_STEP"); /* of each so many allocations one fails; default: 1 */
	long at = 0, step = given && atol(given) > 0 ? atol(given) : 1;
	unsigned int wrong = 0, refused = 0;
	_autofree_ char *reference = attempt(o, -1, &wrong);

	if (!reference) {
		printf("%s: -ENOMEM though there was memory\n", o->name);
		return 1;
	}
	for (;; at += step) {
		_autofree_ char *text = attempt(o, at, &wrong);

		refused += !text;
		if (text && !streq(text, reference) && ++wrong < 20)
			printf("%s: allocation %ld: goes on without it, and makes\n%.300s\n"
			       "instead of\n%.300s\n",
			       o->name, at, text, reference);
		if (!failed)
			break;
		if (at > 1000000) {
			printf("%s: never gets through\n", o->name);
			return wrong + 1;
		}
	}
	printf("%s %s: %ld allocations, %u times -ENOMEM\n", wrong ? "not ok" : "ok", o->name, at,
	       refused);
	return wrong;
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (streq(argv[i], name))
			return true;
	return argc < 2;
}

int main(int argc, char **argv)
{
	unsigned int wrong = 0;

	setlinebuf(stdout);
	/* before the first use: what one allocator gave the other must not take back */
	json_set_alloc_funcs(__wrap_malloc, __wrap_free);
	prepare();
	if (verify(&verified) < 0)
		abort();
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		if (wanted(operations[i].name, argc, argv))
			wrong += exhaust(&operations[i]);
	finish();
	if (live) {
		printf("not ok: %ld blocks were not given back\n", live);
		wrong++;
	}
	return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
