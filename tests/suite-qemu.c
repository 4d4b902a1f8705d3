/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Effective values of QEMU binaries: scripted ones that list what machine types change or that have
 * to be started, that fail in the middle, that were asked before; the one of this host; and those
 * that were recorded, against the catalogue.
 */

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>

#include "document/catalogue.h"
#include "base/context.h"
#include "model/effective.h"
#include "probe/probe.h"
#include "qemu/qmp.h"
#include "suites.h"
#include "test-util.h"

#define HOST_QEMU "/usr/bin/qemu-system-x86_64"

static struct test t;
static struct abibase_probe *pr;
static char dir[] = "/tmp/abibase-qemu-XXXXXX";

static void setup(void)
{
	test_begin(&t);
	strcpy(dir, "/tmp/abibase-qemu-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(abibase_probe_new(t.ctx, &pr), 0);
	ck_assert_int_eq(abibase_probe_set_cache_dir(pr, NULL), 0);
	pr->qemu_timeout_ms = 10000;
}

static void teardown(void)
{
	char command[PATH_MAX];

	abibase_probe_unref(pr);
	test_end(&t);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static bool logged(const char *text)
{
	return t.log.data && strstr(t.log.data, text);
}

/* ------------------------------------------------------------ scripted QEMUs */

#define GREETING "echo '{\"QMP\": {\"version\": {}, \"capabilities\": []}}'\n"
#define RETURN(json) "echo '{\"return\": " json "}' ;;\n"
#define PROPERTY(name, type, def)                                                                  \
	"{\"name\": \"" name "\", \"type\": \"" type "\", \"default-value\": " def "}, "
#define ENTRY(type, property, value)                                                               \
	"{\"qom-type\": \"" type "\", \"property\": \"" property "\", \"value\": \"" value "\"}"
/* What it does when it is asked for the tree of its devices */
#define NO_TREE "echo '{\"error\": {\"class\": \"GenericError\", \"desc\": \"no such\"}}' ;;\n"
/* @compat: what it does when asked for compat-props; @first: before anything else */
#define QEMU(first, machines, compat) QEMU_TREE(first, machines, compat, NO_TREE)
/* @tree: when it is asked for the tree of its devices */
#define QEMU_TREE(first, machines, compat, tree)                                                   \
	"#!/bin/sh\n" first GREETING "while read -r line; do\n"                                    \
	"case $line in\n"                                                                          \
	"*qmp_capabilities*) " RETURN("{}")                                                        \
	"*query-version*) " RETURN("{\"qemu\": {\"micro\": 0, \"minor\": 1, \"major\": 9}, "       \
				   "\"package\": \"\"}")                                           \
	"*query-target*) " RETURN("{\"arch\": \"x86_64\"}")                                        \
	"*compat-props*) " compat                                                                  \
	"*query-machines*) " RETURN("[" machines "]")                                              \
	/* That these are no parents of the proxy is known: to ask makes QEMU load all its modules. */\
	"*qom-list-types*:*\"virtio-device\"*|*qom-list-types*:*\"virtio-net-device\"*|"            \
	"*qom-list-types*:*\"virtio-blk-pci\"*) "                                                    \
	"kill -SEGV $$ ;;\n"                                                                       \
	"*qom-list-types*virtio-net-base*) "                                                       \
	RETURN("[{\"name\": \"virtio-net-device\", \"parent\": \"virtio-net-base\"}]")             \
	"*qom-list-types*virtio-net-pci-base*) "                                                   \
	RETURN("[{\"name\": \"virtio-net-pci\"}, {\"name\": \"virtio-net-pci-transitional\"}]")    \
	"*qom-list-types*) " RETURN("[{\"name\": \"virtio-blk-device\"}]")                         \
	"*device-list*virtio-net-device*) "                                                        \
	RETURN("[" PROPERTY("csum", "bool", "true") PROPERTY("host_uso", "bool", "true")           \
	       PROPERTY("guest_uso4", "bool", "true") PROPERTY("guest_uso6", "bool", "true")       \
	       PROPERTY("queue_reset", "bool", "true") PROPERTY("host_mtu", "uint16", "0")         \
	       PROPERTY("rx_queue_size", "uint16", "256") PROPERTY("speed", "int32", "-1")         \
	       "{\"name\": \"mac\", \"type\": \"str\"}, "                                          \
	       "{\"name\": \"duplex\", \"type\": \"str\"}, {\"name\": \"mq\", \"type\": \"bool\"}]")\
	"*device-list*virtio-net-pci*) "                                                           \
	RETURN("[" PROPERTY("disable-legacy", "OnOffAuto", "\"auto\"")                             \
	       PROPERTY("csum", "bool", "true") PROPERTY("vectors", "uint32", "4294967295")        \
	       "{\"name\": \"disable-modern\", \"type\": \"bool\", \"default-value\": false}]")    \
	"*device-list*) echo '{\"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"no\"}}' ;;\n"\
	"*human-monitor*) " tree                                                                   \
	"*qom-get*disable-modern*) " RETURN("false")                                               \
	"*qom-get*duplex*) " RETURN("\"\"")                                                        \
	"*qom-get*mtu*) " RETURN("0")                                                              \
	"*qom-get*size*) " RETURN("256")                                                           \
	"*qom-get*speed*) " RETURN("-1")                                                           \
	"*qom-get*vectors*) case \"$*\" in *jammy*) " RETURN("3") "*) " RETURN("4") "esac ;;\n"      \
	"*qom-get*mq*) " RETURN("false")                                                           \
	"*qom-get*uso4*) case \"$*\" in *jammy*) " RETURN("true")                                  \
	"*) " RETURN("false") "esac ;;\n"                                                          \
	"*qom-get*) " RETURN("true")                                                               \
	"*quit*) exit 0 ;;\n"                                                                      \
	"esac\ndone\n"

#define MACHINES                                                                                   \
	"{\"name\": \"pc-q35-9.1\", \"alias\": \"q35\"}, {\"name\": \"pc-q35-5.1\"}, "             \
	"{\"name\": \"pc-i440fx-5.2\"}, {\"name\": \"pc-q35-jammy\"}, {\"name\": \"microvm\"}, "   \
	"{\"name\": \"none\"}"
#define NO_COMPAT "echo '{\"error\": {\"class\": \"GenericError\", \"desc\": \"no such\"}}' ;;\n"

static const char *program(const char *text)
{
	static char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/qemu", dir);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, 0755), 0);
	return path;
}

/* The entry of the one QEMU that was named. */
static json_t *ask(void)
{
	json_t *list = NULL, *entry;

	ck_assert_int_eq(probe_qemu_run(pr, t.cat, "x86_64", &list), 0);
	ck_assert_uint_eq(json_array_size(list), 1);
	entry = json_incref(json_array_get(list, 0));
	json_decref(list);
	return entry;
}

static json_t *ask_script(const char *text)
{
	ck_assert_int_eq(abibase_probe_add_qemu(pr, program(text)), 0);
	return ask();
}

/* Compact text of a value; "none" when there is none. */
static const char *value(const json_t *entry, const char *machine, const char *key)
{
	static char text[64];
	const json_t *v = qemu_recorded(entry, machine, key);
	char *s = v ? json_dumps(v, JSON_ENCODE_ANY) : NULL;

	snprintf(text, sizeof(text), "%s", s ? s : "none");
	free(s);
	return text;
}

#define assert_value(entry, machine, key, expected) \
	ck_assert_str_eq(value(entry, machine, "virtio-net-" key), expected)

START_TEST(test_compat)
{
	json_t *e = ask_script(QEMU(
		"", MACHINES,
		RETURN("[{\"name\": \"pc-q35-9.1\", \"compat-props\": []}, {\"name\": \"pc-q35-5.1\", "
		       "\"compat-props\": []}, {\"name\": \"pc-q35-jammy\", \"compat-props\": ["
		       /* the last one wins */
		       ENTRY("virtio-net-device", "host_uso", "off") ", "
		       ENTRY("virtio-net-device", "host_uso", "on") ", "
		       /* the proxy wins, wherever it is listed */
		       ENTRY("virtio-net-pci-base", "guest_uso4", "off") ", "
		       ENTRY("virtio-net-device", "guest_uso4", "on") ", "
		       /* a parent counts like the class itself, another class does not */
		       ENTRY("virtio-net-device", "guest_uso6", "on") ", "
		       ENTRY("virtio-net-base", "guest_uso6", "off") ", "
		       ENTRY("virtio-device", "queue_reset", "false") ", "
		       ENTRY("virtio-blk-device", "csum", "off") ", "
		       ENTRY("virtio-pci", "disable-modern", "yes") ", "
		       ENTRY("virtio-pci", "x-unknown", "yes") ", "
		       /* all kinds of the proxy; the kind that stands for them */
		       ENTRY("virtio-net-pci-base", "vectors", "3") ", "
		       ENTRY("virtio-net-pci-transitional", "vectors", "2") ", "
		       ENTRY("virtio-blk-pci", "vectors", "2") ", "
		       ENTRY("virtio-net-device", "rx_queue_size", "0x400") ", "
		       ENTRY("virtio-net-device", "host_mtu", "many") ", "
		       ENTRY("virtio-net-device", "duplex", "full") "]}, "
		       "{\"name\": \"pc-i440fx-5.2\", \"compat-props\": ["
		       ENTRY("virtio-net-device", "mq", "on") ", "
		       ENTRY("virtio-net-pci", "vectors", "2") "]}]")));

	ck_assert_uint_eq(json_object_size(json_object_get(e, "values")), 3);
	assert_value(e, "pc-q35-9.1", "device.host_uso", "true");
	assert_value(e, "pc-q35-9.1", "device.host_mtu", "0");
	assert_value(e, "pc-q35-9.1", "device.speed", "-1");
	assert_value(e, "pc-q35-9.1", "device.mac", "null");
	assert_value(e, "pc-q35-9.1", "device.duplex", "null");
	assert_value(e, "pc-q35-9.1", "device.mq", "none"); /* its default is not stated */
	assert_value(e, "pc-q35-9.1", "device.rss", "none"); /* it has no such property */
	assert_value(e, "pc-q35-9.1", "pci.disable-legacy", "\"auto\"");
	assert_value(e, "pc-q35-9.1", "pci.csum", "none"); /* no row of the catalogue */
	assert_value(e, "pc-q35-jammy", "device.host_uso", "true");
	assert_value(e, "pc-q35-jammy", "device.guest_uso4", "false");
	assert_value(e, "pc-q35-jammy", "device.guest_uso6", "false");
	assert_value(e, "pc-q35-jammy", "device.queue_reset", "false");
	assert_value(e, "pc-q35-jammy", "device.csum", "true");
	assert_value(e, "pc-q35-jammy", "pci.disable-modern", "true");
	assert_value(e, "pc-q35-jammy", "device.rx_queue_size", "1024");
	assert_value(e, "pc-q35-jammy", "device.host_mtu", "none");
	assert_value(e, "pc-q35-jammy", "device.duplex", "\"full\"");
	assert_value(e, "pc-i440fx-5.2", "device.mq", "true");
	assert_value(e, "pc-q35-9.1", "pci-base.vectors", "4294967295");
	assert_value(e, "pc-q35-jammy", "pci-base.vectors", "3");
	assert_value(e, "pc-i440fx-5.2", "pci-base.vectors", "2");
	ck_assert(logged("probe-qemu-value "));
	ck_assert(!logged("probe-qemu-values "));
	json_decref(e);
}
END_TEST

/* Its number is asked of /proc: each is in a namespace of its own where that can be made. */
#define COUNT                                                                                      \
	"d=${0%/*}; while read -r k v; do [ $k = Pid: ] && echo $v >>$d/pids; done "               \
	"</proc/self/status; sleep 0.3; n=0; for p in $(cat $d/pids); do "                         \
	"[ -e /proc/$p/exe ] && n=$((n+1)); done; echo $n >>$d/counts\n"

static int most_at_once(void)
{
	char path[PATH_MAX];
	int n, most = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/counts", dir);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	while (fscanf(f, "%d", &n) == 1)
		most = n > most ? n : most;
	fclose(f);
	return most;
}

static void check_devices(const json_t *e)
{
	ck_assert_uint_eq(json_object_size(json_object_get(e, "values")), 3);
	assert_value(e, "pc-q35-9.1", "device.guest_uso4", "false");
	assert_value(e, "pc-i440fx-5.2", "device.guest_uso4", "false");
	assert_value(e, "pc-q35-jammy", "device.guest_uso4", "true");
	assert_value(e, "pc-q35-jammy", "device.speed", "-1");
	assert_value(e, "pc-q35-jammy", "device.mac", "null");
	assert_value(e, "pc-q35-jammy", "device.duplex", "null");
	assert_value(e, "pc-q35-jammy", "device.mq", "false");
	assert_value(e, "pc-q35-jammy", "pci.disable-modern", "false");
	/* "auto" is decided when the device is made */
	assert_value(e, "pc-q35-jammy", "pci.disable-legacy", "none");
	/* and so is the number of vectors, where it is known what that comes from */
	assert_value(e, "pc-q35-9.1", "pci-base.vectors", "4294967295");
	assert_value(e, "pc-q35-jammy", "pci-base.vectors", "3");
}

/* A QEMU without the list has its machine types started, two at a time. */
START_TEST(test_devices)
{
	json_t *e = ask_script(QEMU(COUNT, MACHINES, NO_COMPAT));

	check_devices(e);
	ck_assert_int_eq(most_at_once(), 2);
	json_decref(e);
}
END_TEST

/* The answer, and a line of it: printf makes one backslash of two. */
#define TREE(lines) "printf '{\"return\": \"" lines "\"}\\n' ;;\n"
#define LINE(text) text "\\\\r\\\\n"
#define DEVICE_LINES(uso)                                                                          \
	LINE("bus: main-system-bus")                                                               \
	LINE("  dev: virtio-net-pci, id \\\\\"other\\\\\"")                                            \
	LINE("    csum = false")                                                                   \
	LINE("  dev: virtio-net-pci, id \\\\\"abi0\\\\\"")                                             \
	LINE("    disable-modern = true")                                                          \
	LINE("    class Ethernet controller, addr 00:01.0")                                        \
	LINE("    bus: virtio-bus")                                                                \
	LINE("      dev: virtio-net-device, id \\\\\"\\\\\"")                                          \
	LINE("        host_uso = " uso)                                                            \
	LINE("        rx_queue_size = 1024 (0x400)")                                               \
	LINE("        speed = -1 (0xffffffffffffffff)")                                            \
	LINE("        host_mtu = many")                                                            \
	LINE("        duplex = \\\\\"full\\\\\"")                                                      \
	LINE("        mac = \\\\\"52:54:00:12:34:56\\\\\"")                                            \
	LINE("  dev: virtio-net-device, id \\\\\"\\\\\"")                                              \
	LINE("    guest_uso6 = false")

/* What the tree says is taken from it, and nothing else of it; what it leaves open is asked for. */
START_TEST(test_tree)
{
	json_t *e = ask_script(QEMU_TREE(
		"", MACHINES, NO_COMPAT,
		"case \"$*\" in *jammy*) " TREE(DEVICE_LINES("true")) "*) "
		TREE(DEVICE_LINES("false")) "esac ;;\n"));

	assert_value(e, "pc-q35-9.1", "device.host_uso", "false");
	assert_value(e, "pc-q35-jammy", "device.host_uso", "true");
	assert_value(e, "pc-q35-jammy", "device.rx_queue_size", "1024");
	assert_value(e, "pc-q35-jammy", "device.speed", "-1");
	assert_value(e, "pc-q35-jammy", "device.duplex", "\"full\"");
	assert_value(e, "pc-q35-jammy", "device.mac", "null");
	assert_value(e, "pc-q35-jammy", "pci.disable-modern", "true");
	/* These two the script answers otherwise, or not as a number there. */
	assert_value(e, "pc-q35-jammy", "device.host_mtu", "0");
	assert_value(e, "pc-q35-jammy", "device.guest_uso6", "true");
	assert_value(e, "pc-q35-jammy", "device.csum", "true");
	assert_value(e, "pc-q35-9.1", "device.mq", "false");
	json_decref(e);
}
END_TEST

/* One that knows the argument and does not answer it is the same. */
START_TEST(test_compat_missing)
{
	json_t *e = ask_script(QEMU("", MACHINES, RETURN("[" MACHINES "]")));

	check_devices(e);
	json_decref(e);
}
END_TEST

/* What a QEMU calls its machine types becomes a word of a command line. */
START_TEST(test_bad_names)
{
	static const char *const names[] = { "pc-q35-9.9,accel=x", "pc-q35-9.9 -device x",
					     "pc-q35-9.9\\\\n-device x", "-device" };
	json_t *list = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_autofree_ char *text = NULL;

		/* it marks that it was started with such a name */
		ck_assert_int_ge(asprintf(&text, QEMU("case \"$*\" in *9.9*) touch ${0%%/*}/bad ;; esac\n",
						      "{\"name\": \"%s\"}", NO_COMPAT),
					  names[i]),
				 0);
		ck_assert_int_eq(abibase_probe_add_qemu(pr, program(text)), 0);
		ck_assert_int_eq(probe_qemu_run(pr, t.cat, "x86_64", &list), 0);
		ck_assert_uint_eq(json_array_size(list), 0);
		json_decref(list);
		ck_assert(logged("probe-qemu-junk"));
		ck_assert(logged("/machines/"));
		buf_clear(&t.log);
	}
	{
		_autofree_ char *mark = NULL;

		ck_assert_int_ge(asprintf(&mark, "%s/bad", dir), 0);
		ck_assert(access(mark, F_OK) < 0);
	}
}
END_TEST

/* Is there a process with this word on its command line? */
static bool runs(const char *word)
{
	char command[128];

	snprintf(command, sizeof(command),
		 "grep -qsa -e %s /proc/[0-9]*/cmdline --exclude-dir=self", word);
	return system(command) == 0;
}

/* As somebody who can make no namespace. */
static void ask_as_nobody(void)
{
	json_t *list = NULL;
	int status = 0;
	pid_t pid;

	ck_assert_int_eq(chmod(dir, 0755), 0);
	pid = fork();
	if (pid == 0) {
		if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
			_exit(2);
		_exit(probe_qemu_run(pr, t.cat, "x86_64", &list) < 0 || json_array_size(list) != 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

/* What a QEMU has started ends with it, also what made itself a session of its own. */
START_TEST(test_helpers_end)
{
	_autofree_ char *text = NULL;
	char word[64];

	if (_i && geteuid() != 0)
		return;
	ck_assert_int_ge(asprintf(&text,
				  "#!/bin/sh\nsetsid sh -c 'sleep %d.%d0; exit 1' &\n"
				  "setsid sleep %d.%d0 &\nsleep 0.2\n%s",
				  1000 + _i, (int)getpid(), 1000 + _i, (int)getpid(),
				  strchr(QEMU("", MACHINES, NO_COMPAT), '\n') + 1),
			 0);
	ck_assert_int_eq(abibase_probe_add_qemu(pr, program(text)), 0);
	pr->no_values = true;
	if (_i)
		ask_as_nobody();
	else
		json_decref(ask());
	/* a pattern that does not stand on its own command line */
	snprintf(word, sizeof(word), "%d.%d[0]", 1000 + _i, (int)getpid());
	ck_assert_msg(!runs(word), "a child lives on");
}
END_TEST

START_TEST(test_named_machines)
{
	json_t *e;

	ck_assert_int_eq(abibase_probe_add_machine(pr, "q35"), 0);
	ck_assert_int_eq(abibase_probe_add_machine(pr, "pc-q35-5.1"), 0);
	ck_assert_int_eq(abibase_probe_add_machine(pr, "pc-q35-9.1"), 0);
	ck_assert_int_eq(abibase_probe_add_machine(pr, "nosuch"), 0);
	ck_assert_int_eq(abibase_probe_add_machine(pr, "q35,accel=kvm"), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "probe-bad-machine");
	e = ask_script(QEMU("", MACHINES, NO_COMPAT));
	ck_assert_uint_eq(json_object_size(json_object_get(e, "values")), 2);
	assert_value(e, "pc-q35-9.1", "device.csum", "true");
	assert_value(e, "pc-q35-5.1", "device.csum", "true");
	ck_assert(logged("probe-qemu-no-machine"));
	json_decref(e);
}
END_TEST

START_TEST(test_no_values)
{
	json_t *e;

	abibase_probe_set_flags(pr, ABIBASE_PROBE_NO_VALUES);
	e = ask_script(QEMU("case \"$*\" in *-S*) echo oops; esac\n", MACHINES,
			    "kill -SEGV $$ ;;\n"));
	ck_assert_ptr_null(json_object_get(e, "values"));
	ck_assert_ptr_nonnull(json_object_get(e, "properties"));
	ck_assert(!logged("probe-qemu-values"));
	json_decref(e);
}
END_TEST

/* What fails in this phase leaves the values out, and nothing else. */
static const struct {
	const char *text;
	size_t machines; /* that have values all the same */
	const char *words;
} failures[] = {
	{ QEMU("", MACHINES, "kill -SEGV $$ ;;\n"), 0, "killed by signal 11" },
	{ QEMU("", MACHINES, "echo hello ;;\n"), 0, "cannot be made out" },
	{ QEMU("", MACHINES, "tr '\\0' x </dev/zero ;;\n"), 0, "says more" },
	{ QEMU("", MACHINES, "sleep 100 ;;\n"), 0, "no answer" },
	{ QEMU("", MACHINES,
	       RETURN("[{\"name\": \"pc-q35-9.1\", \"compat-props\": [{\"qom-type\": \"x\", "
		      "\"property\": \"csum\"}]}]")),
	  0, "cannot be made out" },
	{ QEMU("case \"$*\" in *-S*) echo no bios >&2; exit 1;; esac\n", MACHINES, NO_COMPAT), 0,
	  "exited with status 1; it said: no bios" },
	{ QEMU("case \"$*\" in *jammy*) kill -ABRT $$;; esac\n", MACHINES, NO_COMPAT), 2,
	  "1 of 3 machine types are left out (pc-q35-jammy): was killed by signal 6" },
	{ QEMU("case \"$*\" in *-S*) " GREETING "echo 1; sleep 100;; esac\n", MACHINES, NO_COMPAT),
	  0, "cannot be made out" },
	{ QEMU("case \"$*\" in *jammy*) sleep 100;; esac\n", MACHINES, NO_COMPAT), 2,
	  "no answer" },
	{ QEMU_TREE("", MACHINES, NO_COMPAT, "sleep 100 ;;\n"), 0, "no answer" },
	{ QEMU("case \"$*\" in *-S*) exec sleep 100;; esac\n", MACHINES, NO_COMPAT), 0,
	  "the effective values are left out: no answer" },
};

START_TEST(test_failures)
{
	int64_t start = process_now();
	json_t *e;

	pr->qemu_timeout_ms = test_patience(failures[_i].words);
	e = ask_script(failures[_i].text);
	ck_assert_uint_eq(json_object_size(json_object_get(e, "values")), failures[_i].machines);
	ck_assert_ptr_nonnull(json_object_get(e, "machines"));
	ck_assert_ptr_nonnull(json_object_get(e, "properties"));
	ck_assert_msg(logged("probe-qemu-values ") && logged(failures[_i].words), "%s",
		      t.log.data ? t.log.data : "");
	ck_assert_int_lt(process_now() - start, 6500 + test_patience(failures[_i].words));
	json_decref(e);
}
END_TEST

/* --------------------------------------------------------------------- cache */

#define ID "0123456789abcdef"

static char cache_dir[PATH_MAX];
static const char *qemu_path = "/nonexistent/bin/qemu";

static void use_cache(void)
{
	snprintf(cache_dir, sizeof(cache_dir), "%s/a/b", dir);
	ck_assert_int_eq(abibase_probe_set_cache_dir(pr, cache_dir), 0);
}

static json_t *made_up_entry(void)
{
	json_t *e = json_pack("{s:s, s:s, s:{s:{s:b}}}", "version", "9.1.0", "target", "x86_64",
			      "values", "pc-q35-9.1", "virtio-net-device.csum", 1);

	ck_assert_ptr_nonnull(e);
	return e;
}

static void store(void)
{
	json_t *e = made_up_entry();

	ck_assert_int_eq(probe_cache_store(pr, t.cat, qemu_path, ID, e, NULL), 0);
	json_decref(e);
}

static bool hit(const char *id)
{
	json_t *e = NULL, *expected = made_up_entry();
	_record_text_ record = { 0 };
	int r = probe_cache_load(pr, t.cat, qemu_path, id, &e, &record);

	ck_assert_int_ge(r, 0);
	ck_assert_int_eq(r, e != NULL);
	ck_assert(!e || json_equal(e, expected));
	json_decref(e);
	json_decref(expected);
	return r == 1;
}

static void store_record(const char *words)
{
	json_t *e = made_up_entry(), *root = json_pack("{s:s}", "description", words);
	_record_text_ record = { 0 };

	ck_assert_int_eq(probe_record_text(root, &record), 0);
	ck_assert_int_eq(probe_cache_store(pr, t.cat, qemu_path, ID, e, &record), 0);
	json_decref(e);
	json_decref(root);
}

/* Is there a record with these words? */
static bool hit_record(const char *words)
{
	_record_text_ record = { 0 };
	json_t *e = NULL, *root = NULL;
	int r = probe_cache_load(pr, t.cat, qemu_path, ID, &e, &record);

	ck_assert_int_ge(r, 0);
	if (r) {
		root = json_loadb(record.text.data, record.text.len, 0, NULL);
		ck_assert_str_eq(string_of(root, "description"), words);
		ck_assert_uint_eq(strlen(record.digest), DIGEST_HEX);
	}
	json_decref(e);
	json_decref(root);
	return r == 1;
}

/* What is kept of a record is its text, beside the entry; one that was changed is not believed. */
START_TEST(test_cache_records)
{
	char command[PATH_MAX + 64];

	use_cache();
	ck_assert_int_eq(abibase_probe_set_builds_dir(pr, dir), 0);
	ck_assert(!hit_record(""));
	store_record("one");
	ck_assert(hit_record("one"));
	snprintf(command, sizeof(command), "sed -i s/one/two/ %s/*.record", cache_dir);
	ck_assert_int_eq(system(command), 0);
	ck_assert(!hit_record(""));
	ck_assert(logged("probe-cache-ignored"));
	store_record("three");
	ck_assert(hit_record("three"));
	snprintf(command, sizeof(command), "rm %s/*.record", cache_dir);
	ck_assert_int_eq(system(command), 0);
	ck_assert(!hit_record(""));
	/* one that was kept without a record does for who wants none, and for nobody else */
	store();
	ck_assert(!hit_record(""));
	ck_assert_int_eq(abibase_probe_set_builds_dir(pr, NULL), 0);
	ck_assert(!hit(ID));
	store();
	ck_assert(hit(ID));
}
END_TEST

/* The one file there is. */
static char *cache_file(void)
{
	DIR *d = opendir(cache_dir);
	char *path = NULL;
	struct dirent *e;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' && strlen(e->d_name) <= 2)
			continue;
		ck_assert_ptr_null(path);
		ck_assert_int_gt(asprintf(&path, "%s/%s", cache_dir, e->d_name), 0);
	}
	closedir(d);
	ck_assert_ptr_nonnull(path);
	return path;
}

START_TEST(test_cache)
{
	use_cache();
	ck_assert(!hit(ID));
	store();
	ck_assert(hit(ID));
	ck_assert(!hit("0123456789abcdee"));
	ck_assert(!hit(NULL));
	/* what was asked for is part of the question */
	abibase_probe_set_flags(pr, ABIBASE_PROBE_NO_VALUES);
	ck_assert(!hit(ID));
	abibase_probe_set_flags(pr, 0);
	ck_assert_int_eq(abibase_probe_add_machine(pr, "pc-q35-9.1"), 0);
	ck_assert(!hit(ID));
	store();
	ck_assert(hit(ID));
	ck_assert(!logged("probe-cache"));
	/* no directory, no cache */
	ck_assert_int_eq(abibase_probe_set_cache_dir(pr, NULL), 0);
	store();
	ck_assert(!hit(ID));
}
END_TEST

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

/* The ROM of network cards is a package of its own: with another one the sizes are read again. */
START_TEST(test_cache_rom)
{
	char bin[PATH_MAX + 16], rom[PATH_MAX + 48];

	use_cache();
	snprintf(bin, sizeof(bin), "%s/bin/qemu", dir);
	snprintf(rom, sizeof(rom), "%s/bin", dir);
	ck_assert_int_eq(mkdir(rom, 0700), 0);
	snprintf(rom, sizeof(rom), "%s/share", dir);
	ck_assert_int_eq(mkdir(rom, 0700), 0);
	snprintf(rom, sizeof(rom), "%s/share/qemu", dir);
	ck_assert_int_eq(mkdir(rom, 0700), 0);
	qemu_path = bin;
	store();
	ck_assert(hit(ID));
	snprintf(rom, sizeof(rom), "%s/share/qemu/efi-virtio.rom", dir);
	write_file(rom, "small");
	ck_assert(!hit(ID));
	store();
	ck_assert(hit(ID));
	write_file(rom, "larger than it was");
	ck_assert(!hit(ID));
	qemu_path = "/nonexistent/bin/qemu";
}
END_TEST

static void overwrite(const char *path, off_t at, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, text, strlen(text), at), (ssize_t)strlen(text));
	close(fd);
}

static void damage(int how, const char *path)
{
	char text[4096] = "", other[PATH_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ck_assert_int_gt(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	switch (how) {
	case 0: /* cut off */
		ck_assert_int_eq(truncate(path, 100), 0);
		break;
	case 1: /* emptied, as after a crash of the machine */
		ck_assert_int_eq(truncate(path, 0), 0);
		break;
	case 2: /* another answer */
		overwrite(path, strstr(text, "9.1.0") - text, "9.1.1");
		break;
	case 3: /* another format */
		overwrite(path, strstr(text, "cache/1") - text, "cache/2");
		break;
	case 4: /* the answer to another question */
		overwrite(path, strstr(text, "\"key\":\"") - text + 7, "zz");
		break;
	case 5: /* not an entry */
		overwrite(path, strstr(text, "\"target\"") - text, "\"tarket\"");
		break;
	case 6: /* others may write it */
		ck_assert_int_eq(chmod(path, 0666), 0);
		break;
	case 7: /* a link to what may be anything */
		snprintf(other, sizeof(other), "%s/other", dir);
		ck_assert_int_eq(rename(path, other), 0);
		ck_assert_int_eq(symlink(other, path), 0);
		break;
	case 8: /* huge */
		ck_assert_int_eq(truncate(path, 1 << 30), 0);
		break;
	case 9: /* somebody else's; only root can make one */
		if (geteuid() == 0)
			ck_assert_int_eq(chown(path, 65534, 65534), 0);
		else
			ck_assert_int_eq(truncate(path, 1), 0);
		break;
	}
}

/* A damaged file is as if it were not there, said once, and written anew. */
START_TEST(test_cache_damaged)
{
	char *path;

	use_cache();
	store();
	path = cache_file();
	damage(_i, path);
	ck_assert(!hit(ID));
	ck_assert(logged("probe-cache-ignored"));
	store();
	ck_assert(hit(ID));
	free(path);
}
END_TEST

/* A directory that others can write into is not used. */
START_TEST(test_cache_dir)
{
	use_cache();
	store();
	ck_assert_int_eq(chmod(cache_dir, 0777), 0);
	ck_assert(!hit(ID));
	store();
	ck_assert(logged("probe-cache-not-written"));
	ck_assert_int_eq(chmod(cache_dir, 0700), 0);
	ck_assert(hit(ID));
	ck_assert_int_eq(abibase_probe_set_cache_dir(pr, "/dev/null/x"), 0);
	store();
	ck_assert(!hit(ID));
}
END_TEST

START_TEST(test_cache_default)
{
	char *d;

	setenv("HOME", "/h", 1);
	setenv("XDG_CACHE_HOME", "/x", 1);
	d = probe_cache_default();
	ck_assert_str_eq(d, "/x/abibase/qemu");
	free(d);
	setenv("XDG_CACHE_HOME", "relative", 1);
	d = probe_cache_default();
	ck_assert_str_eq(d, "/h/.cache/abibase/qemu");
	free(d);
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HOME");
	ck_assert_ptr_null(probe_cache_default());
}
END_TEST

/* A script has no build id: what it answers is never kept. */
START_TEST(test_cache_script)
{
	json_t *e;

	use_cache();
	e = ask_script(QEMU("", MACHINES, RETURN("[]")));
	ck_assert_int_lt(access(cache_dir, F_OK), 0);
	json_decref(e);
}
END_TEST

/* ----------------------------------------------------------- real and recorded */

/* Each recorded value is what the catalogue says of that version; returns how many there are. */
static size_t against_catalogue(const json_t *entry)
{
	const char *machine;
	json_t *values;
	size_t n = 0;

	json_object_foreach(json_object_get(entry, "values"), machine, values) {
		struct qemu_view q;

		qemu_view_init(&q, t.cat, entry, machine);
		for (size_t i = 0; q.name.upstream && i < t.cat->n_rows; i++) {
			const struct row *row = &t.cat->rows[i];
			struct effective e;

			qemu_effective(&q, row, &e);
			n += e.recorded;
			ck_assert_msg(!e.disagrees, "%s: the catalogue is wrong about %s", machine,
				      row->key);
			/* only an "auto" that a device has decided is not there */
			ck_assert_msg(e.known != ABIBASE_YES || e.recorded || row->observed ||
					      row->added > q.asked ||
					      streq(row->type, "OnOffAuto") ||
					      !strprefix(row->class_name, "virtio-net-"),
				      "%s: nothing recorded of %s", machine, row->key);
		}
	}
	return n;
}

START_TEST(test_host_qemu)
{
	json_t *e, *again;

	if (access(HOST_QEMU, X_OK) < 0) {
		ck_assert_msg(!getenv("ABIBASE_TEST_REQUIRE"), "there is no " HOST_QEMU);
		return;
	}
	use_cache();
	pr->qemu_timeout_ms = 60000;
	ck_assert_int_eq(abibase_probe_add_qemu(pr, HOST_QEMU), 0);
	e = ask();
	ck_assert_msg(json_object_size(json_object_get(e, "values")) > 0, "%s", t.log.data);
	ck_assert_uint_gt(against_catalogue(e), 70);
	ck_assert(!logged("probe-cache-used"));
	again = ask();
	ck_assert(json_equal(e, again));
	ck_assert_int_eq(logged("probe-cache-used"), json_object_get(e, "build_id") != NULL);
	json_decref(e);
	json_decref(again);
}
END_TEST

START_TEST(test_recorded)
{
	static const struct {
		const char *version;
		size_t values;
	} recorded[] = {
		{ "5.2.0", 76 },     { "7.2.22", 546 },	  { "10.0.2", 1232 },
		{ "10.0.13", 1232 }, { "11.1.3", 2052 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(recorded); i++) {
		json_t *e;
		char *name;

		ck_assert_int_gt(
			asprintf(&name, "tests/data/qemu/%s.json", recorded[i].version), 0);
		e = test_json(name);
		ck_assert_msg(against_catalogue(e) >= recorded[i].values, "%s", name);
		json_decref(e);
		free(name);
	}
}
END_TEST

Suite *suite_qemu(void)
{
	Suite *s = suite_create("qemu");
	TCase *tc;

	tc = tcase_create("values");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_compat);
	tcase_add_test(tc, test_devices);
	tcase_add_test(tc, test_compat_missing);
	tcase_add_test(tc, test_tree);
	tcase_add_test(tc, test_bad_names);
	tcase_add_loop_test(tc, test_helpers_end, 0, 2);
	tcase_add_test(tc, test_named_machines);
	tcase_add_test(tc, test_no_values);
	tcase_add_loop_test(tc, test_failures, 0, ARRAY_SIZE(failures));
	suite_add_tcase(s, tc);

	tc = tcase_create("cache");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_cache);
	tcase_add_test(tc, test_cache_records);
	tcase_add_test(tc, test_cache_rom);
	tcase_add_loop_test(tc, test_cache_damaged, 0, 10);
	tcase_add_test(tc, test_cache_dir);
	tcase_add_test(tc, test_cache_default);
	tcase_add_test(tc, test_cache_script);
	suite_add_tcase(s, tc);

	tc = tcase_create("real");
	tcase_set_timeout(tc, 600);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_host_qemu);
	tcase_add_test(tc, test_recorded);
	suite_add_tcase(s, tc);
	return s;
}
