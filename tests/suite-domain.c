/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domains of libvirt as guests, and the XML that they are written in. */
#include <errno.h>

#include "document/xml.h"
#include "suites.h"
#include "test-util.h"

static struct test t;

static void setup(void)
{
	test_begin(&t);
}

static void teardown(void)
{
	test_end(&t);
}

/* ------------------------------------------------------------------------------ XML */

static int read_xml(struct arena *a, const char *text, struct xml_element **ret)
{
	return xml_read(t.ctx, text, strlen(text), "x.xml", a, ret);
}

START_TEST(test_xml)
{
	static const char text[] =
		"<?xml version='1.0' encoding='UTF-8'?>\n<!-- <no> -->\n"
		"<a:b one = \"1 &lt;&gt;&amp;&quot;&apos;\" two='&#65;&#xe9;&#x1F600;'>te&amp;xt"
		"<c/><d x='&quot;'></d >behind<c e='2'><![CDATA[<&>]]></c></a:b>\n";
	struct arena arena = { 0 };
	struct xml_element *e;

	ck_assert_int_eq(read_xml(&arena, text, &e), 0);
	ck_assert_str_eq(e->name, "a:b");
	ck_assert_uint_eq(e->line, 3);
	ck_assert_str_eq(xml_attribute(e, "one"), "1 <>&\"'");
	ck_assert_str_eq(xml_attribute(e, "two"), "A\xc3\xa9\xf0\x9f\x98\x80");
	ck_assert_str_eq(e->text, "te&xt");
	ck_assert_str_eq(xml_find(e, "d@x"), "\"");
	ck_assert_ptr_null(xml_find(e, "d/c@x"));
	ck_assert_ptr_null(xml_find(e, "nothing"));
	ck_assert_ptr_null(xml_find(NULL, "d@x"));
	ck_assert_str_eq(e->last->text, "<&>");
	ck_assert_str_eq(xml_find(e->last, "@e"), "2");
	arena_clear(&arena);
}
END_TEST

/* Each has one sentence, and the line. */
START_TEST(test_xml_refused)
{
	static const struct {
		const char *text, *where, *words;
	} docs[] = {
		{ "", "x.xml:1", "no element" },
		{ "<!-- -->\n", "x.xml:2", "no element" },
		{ "<a>", "x.xml:1", "is not ended" },
		{ "<a>\n<b></a>", "x.xml:2", "<b> is the last" },
		{ "</a>", "x.xml:1", "ends no element" },
		{ "<a/>\n<b/>", "x.xml:2", "second element" },
		{ "<a/>text", "x.xml:1", "outside" },
		{ "text", "x.xml:1", "outside" },
		{ "<a b='1' b='2'/>", "x.xml:1", "twice" },
		{ "<a b/>", "x.xml:1", "no value" },
		{ "<a b=1/>", "x.xml:1", "quotes" },
		{ "<a b='1/>", "x.xml:1", "its quote" },
		{ "<a b='<'/>", "x.xml:1", "its quote" },
		{ "<a b='1'c='2'/>", "x.xml:1", "does not end" },
		{ "<a", "x.xml:1", "does not end" },
		{ "<1/>", "x.xml:1", "name of an element" },
		{ "<a>&copy;</a>", "x.xml:1", "&copy;" },
		{ "<a>&lt</a>", "x.xml:1", "entity" },
		{ "<a>&#0;</a>", "x.xml:1", "&#0;" },
		{ "<a>&#xD800;</a>", "x.xml:1", "&#xD800;" },
		{ "<a>&#-5;</a>", "x.xml:1", "&#-5;" },
		{ "<a>&#x;</a>", "x.xml:1", "&#x;" },
		{ "<!DOCTYPE a [<!ENTITY b 'c'>]>\n<a/>", "x.xml:1", "document type" },
		{ "<a><?php ?></a>", "x.xml:1", "processing instruction" },
		{ "<a/><?xml version='1.0'?>", "x.xml:1", "processing instruction" },
		{ "<!-- <a/>", "x.xml:1", "comment" },
		{ "<a><![CDATA[</a>", "x.xml:1", "CDATA" },
		{ "<a>\n\x01</a>", "x.xml:2", "0x01" },
		{ "<a>\xff</a>", "x.xml:1", "UTF-8" },
		{ "<a>\xed\xa0\x80</a>", "x.xml:1", "UTF-8" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(docs); i++) {
		struct arena arena = { 0 };
		struct xml_element *e;

		ck_assert_msg(read_xml(&arena, docs[i].text, &e) == -EBADMSG, "%s", docs[i].text);
		ck_assert_str_eq(abibase_context_error_id(t.ctx), "xml-bad");
		ck_assert_str_eq(abibase_context_error_where(t.ctx), docs[i].where);
		ck_assert_msg(strstr(abibase_context_error(t.ctx), docs[i].words) != NULL, "%s: %s",
			      docs[i].text, abibase_context_error(t.ctx));
		arena_clear(&arena);
	}
}
END_TEST

START_TEST(test_xml_bounds)
{
	struct arena arena = { 0 };
	struct xml_element *e;
	_buf_ deep = { 0 };
	char *big = calloc(1, XML_MAX + 2);

	for (int i = 0; i < XML_MAX_DEPTH; i++)
		buf_puts(&deep, "<a>");
	for (int i = 0; i < XML_MAX_DEPTH; i++)
		buf_puts(&deep, "</a>");
	ck_assert_int_eq(read_xml(&arena, deep.data, &e), 0);
	deep.len = 0;
	for (int i = 0; i <= XML_MAX_DEPTH; i++)
		buf_puts(&deep, "<a>");
	ck_assert_int_eq(read_xml(&arena, deep.data, &e), -EBADMSG);
	deep.len = 0;
	buf_puts(&deep, "<a");
	for (int i = 0; i < XML_MAX_ATTRIBUTES; i++)
		buf_printf(&deep, " a%d=''", i);
	buf_puts(&deep, "/>");
	ck_assert_int_eq(read_xml(&arena, deep.data, &e), 0);
	deep.len -= 2;
	buf_puts(&deep, " b=''/>");
	ck_assert_int_eq(read_xml(&arena, deep.data, &e), -EBADMSG);
	memset(big, ' ', XML_MAX + 1);
	memcpy(big, "<a/>", 4);
	ck_assert_int_eq(xml_read(t.ctx, big, XML_MAX, "x.xml", &arena, &e), 0);
	ck_assert_int_eq(xml_read(t.ctx, big, XML_MAX + 1, "x.xml", &arena, &e), -EFBIG);
	ck_assert_int_eq(xml_read(t.ctx, "<a>\0</a>", 8, "x.xml", &arena, &e), -EBADMSG);
	free(big);
	arena_clear(&arena);
}
END_TEST

/* -------------------------------------------------------------------------- domains */

static int read_domain(const char *text, struct abibase_guest **ret)
{
	return abibase_guest_from_domain(t.ctx, t.cat, text, strlen(text), "d.xml", ret);
}

static struct abibase_guest *domain(const char *text)
{
	struct abibase_guest *g = NULL;
	int r = read_domain(text, &g);

	ck_assert_msg(r == 0, "%s: %s", text, abibase_context_error(t.ctx));
	return g;
}

/* A domain with these devices, for free() */
static char *with(const char *type, const char *devices)
{
	char *text;

	ck_assert_int_ge(asprintf(&text,
				  "<domain type='%s'><name>vm</name><os><type arch='x86_64' "
				  "machine='pc-q35-7.2'>hvm</type></os><devices>%s</devices></domain>",
				  type, devices),
			 0);
	return text;
}

/* What libvirt 9.0 and 11.3 wrote of a domain with one interface of each kind */
START_TEST(test_recorded)
{
	size_t len;
	_autofree_ char *text = test_read(_i ? "tests/data/domains/libvirt-11.3-defined.xml" :
					       "tests/data/domains/libvirt-9.0-defined.xml",
					  &len);
	struct abibase_guest *g = domain(text);
	const struct abibase_value *v = abibase_guest_value(g);

	ck_assert_str_eq(g->name, "web-1");
	ck_assert_str_eq(g->machine, "pc-q35-7.2");
	ck_assert_str_eq(g->target, "x86_64");
	ck_assert_uint_eq(g->n, 4);
	ck_assert_str_eq(g->devices[0].backend, "tap+vhost");
	ck_assert_int_eq(g->devices[0].mtu, 1450);
	ck_assert_int_eq(g->devices[0].rom_size, 0);
	ck_assert_uint_eq(json_array_size(g->devices[0].queue_sizes), 4);
	ck_assert_int_eq(abibase_value_integer(abibase_value_get(v, "devices/0/queue_sizes/1")), 256);
	ck_assert(!test_bool(v, "devices/0/properties/virtio-net-device.host_ufo"));
	ck_assert(test_bool(v, "devices/0/properties/virtio-net-device.mq"));
	ck_assert(test_bool(v, "devices/0/properties/virtio-net-device.mrg_rxbuf"));
	ck_assert_int_eq(abibase_value_kind(abibase_value_get(
				 v, "devices/0/properties/virtio-net-device.host_uso")),
			 ABIBASE_VALUE_BOOLEAN); /* of <qemu:commandline> */
	ck_assert_str_eq(g->devices[1].backend, "macvtap");
	ck_assert_ptr_null(g->devices[2].backend);
	ck_assert_str_eq(g->devices[3].class_name, "vhost-vsock-device");
	ck_assert_str_eq(g->devices[3].backend, "vhost-vsock");
	ck_assert_str_eq(test_string(v, "x-not-compared/0"), "disk (virtio)");
	abibase_guest_unref(g);
}
END_TEST

/* On what an interface lies, and whether without vhost where a host has none */
START_TEST(test_backends)
{
	static const struct {
		const char *type, *inside, *backend;
		bool optional;
	} interfaces[] = {
		{ "bridge", "", "tap+vhost", true },
		{ "bridge", "<driver name='vhost'/>", "tap+vhost", false },
		{ "bridge", "<driver name='qemu'/>", "tap", false },
		{ "bridge", "<driver queues='2'/>", "tap+vhost", true },
		{ "ethernet", "", "tap+vhost", true },
		{ "ethernet", "<target dev='t' managed='yes'/>", "tap+vhost", true },
		{ "ethernet", "<target dev='t' managed='no'/>", NULL, false },
		{ "direct", "<source dev='eth0' mode='bridge'/>", "macvtap+vhost", true },
		{ "network", "<source network='n'/>", NULL, false },
		{ "network", "<source network='n' bridge='virbr0'/>", "tap+vhost", true },
		{ "network", "<source network='n' dev='eth0' mode='vepa'/>", "macvtap+vhost", true },
		{ "user", "", "user", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++) {
		_autofree_ char *devices = NULL, *text = NULL;
		struct abibase_guest *g;

		ck_assert_int_ge(asprintf(&devices,
					  "<interface type='%s'>%s<model type='virtio'/></interface>",
					  interfaces[i].type, interfaces[i].inside),
				 0);
		text = with("kvm", devices);
		g = domain(text);
		ck_assert_uint_eq(g->n, 1);
		ck_assert_msg(g->devices[0].backend || !interfaces[i].backend, "%s", devices);
		if (interfaces[i].backend)
			ck_assert_str_eq(g->devices[0].backend, interfaces[i].backend);
		else
			ck_assert_ptr_null(g->devices[0].backend);
		ck_assert_int_eq(guest_states(&g->devices[0], GUEST_VHOST_OPTIONAL) == ABIBASE_YES,
				 interfaces[i].optional);
		abibase_guest_unref(g);
	}
}
END_TEST

/* Without KVM libvirt opens no vhost. */
START_TEST(test_without_kvm)
{
	_autofree_ char *text =
		with("qemu", "<interface type='bridge'><model type='virtio'/></interface>");
	struct abibase_guest *g = domain(text);

	ck_assert_str_eq(g->devices[0].backend, "tap");
	abibase_guest_unref(g);
}
END_TEST

/* Its document is read again, whatever characters of XML the domain has in its words. */
START_TEST(test_read_again)
{
	static const char text[] =
		"<domain type='kvm'><name>v\x7fm</name><os><type arch='x86_64' "
		"machine='pc-q35-7.2'>hvm</type></os><cpu mode='c\x7fm'/><devices>"
		"<emulator>/usr/q\x7f</emulator><interface type='bridge'><model type='virtio'/>"
		"<alias name='n\x7ft'/></interface><disk type='d\x7fk'/></devices></domain>";
	struct abibase_guest *g = domain(text), *again = NULL;
	_autofree_ char *json = NULL;

	ck_assert_int_eq(abibase_value_to_json(abibase_guest_value(g), &json), 0);
	ck_assert_msg(abibase_guest_from_buffer(t.ctx, json, strlen(json), "g", &again) == 0, "%s",
		      abibase_context_error(t.ctx));
	abibase_guest_unref(again);
	abibase_guest_unref(g);
}
END_TEST

/* What is not compared is named, and what is not judged although it is of the kind. */
START_TEST(test_named)
{
	static const struct {
		const char *devices, *words;
		bool unjudged;
	} rest[] = {
		{ "<interface type='vhostuser'><model type='virtio'/></interface>",
		  "interface (vhostuser)", true },
		{ "<interface type='vdpa'><model type='virtio'/></interface>", "interface (vdpa)", true },
		{ "<interface type='hostdev'/>", "interface (hostdev)", false },
		{ "<interface type='bridge'><model type='e1000e'/></interface>", "interface (e1000e)", false },
		{ "<interface type='bridge'/>", "interface (no model)", false },
		{ "<disk><target bus='virtio'/></disk>", "disk (virtio)", false },
		{ "<rng model='virtio'/>", "rng (virtio)", false },
		{ "<hostdev mode='subsystem' type='pci'/>", "hostdev (pci)", false },
		{ "<invented/>", "invented", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rest); i++) {
		_autofree_ char *text = with("kvm", rest[i].devices);
		struct abibase_guest *g = domain(text);

		ck_assert_uint_eq(g->n, 0);
		ck_assert_str_eq(test_string(abibase_guest_value(g), rest[i].unjudged ?
									     "x-not-judged/0" :
									     "x-not-compared/0"),
				 rest[i].words);
		abibase_guest_unref(g);
	}
}
END_TEST

START_TEST(test_vhost_scsi)
{
	_autofree_ char *text = with("kvm", "<hostdev mode='subsystem' type='scsi_host'>"
					    "<source protocol='vhost' wwpn='naa.5'/></hostdev>");
	struct abibase_guest *g = domain(text);

	ck_assert_uint_eq(g->n, 1);
	ck_assert_str_eq(g->devices[0].backend, "vhost-scsi");
	abibase_guest_unref(g);
}
END_TEST

/* An option of the device goes before what is said of all of a class, and an override before both. */
START_TEST(test_precedence)
{
	static const char key[] = "devices/%d/properties/virtio-net-device.host_tso4";
	static const char text[] =
		"<domain type='kvm'><os><type machine='pc-q35-7.2'>hvm</type></os><devices>"
		"<interface type='bridge'><model type='virtio'/><driver><host tso4='on'/></driver>"
		"<alias name='net0'/></interface>"
		"<interface type='bridge'><model type='virtio'/><driver><host tso4='on'/></driver>"
		"<alias name='net1'/></interface>"
		"<interface type='bridge'><model type='virtio'/></interface></devices>"
		"<qemu:commandline><qemu:arg value='-global'/>"
		"<qemu:arg value='virtio-net-device.host_tso4=off'/><qemu:arg value='-S'/>"
		"</qemu:commandline><qemu:override><qemu:device alias='net1'><qemu:frontend>"
		"<qemu:property name='host_tso4' type='bool' value='false'/>"
		"<qemu:property name='x-invented' type='bool' value='false'/>"
		"</qemu:frontend></qemu:device></qemu:override></domain>";
	struct abibase_guest *g = domain(text);
	const bool want[] = { true, false, false };

	for (int i = 0; i < 3; i++) {
		char path[100];
		const struct abibase_value *v;

		snprintf(path, sizeof(path), key, i);
		v = abibase_value_get(abibase_guest_value(g), path);
		ck_assert_int_eq(abibase_value_kind(v), ABIBASE_VALUE_BOOLEAN);
		ck_assert_int_eq(abibase_value_boolean(v), want[i]);
	}
	ck_assert_str_eq(test_string(abibase_guest_value(g), "x-not-judged/0"),
			 "qemu:property (x-invented=false)");
	ck_assert_str_eq(test_string(abibase_guest_value(g), "x-not-compared/0"), "qemu:arg (-S)");
	abibase_guest_unref(g);
}
END_TEST

START_TEST(test_values_refused)
{
	static const struct {
		const char *text, *words;
	} docs[] = {
		{ "<network/>", "outermost" },
		{ "<domain/>", "type of the domain" },
		{ "<domain type='xen'/>", "xen" },
		{ "<domain type='kvm'/>", "os/type@machine" },
		{ "<domain type='kvm'><os><type machine='a b'/></os></domain>", "a b" },
		{ "<domain type='kvm'><devices>\n<interface type='new'/></devices></domain>", "\"new\"" },
		{ "<domain type='kvm'><devices>\n<interface type='bridge'><model type='virtio'/>"
		  "<driver name='new'/></interface></devices></domain>", "driver@name" },
		{ "<domain type='kvm'><devices>\n<interface type='bridge'><model type='virtio'/>"
		  "<driver rx_queue_size='0'/></interface></devices></domain>", "rx_queue_size" },
		{ "<domain type='kvm'><devices>\n<interface type='bridge'><model type='virtio'/>"
		  "<driver><host csum='perhaps'/></driver></interface></devices></domain>", "perhaps" },
		{ "<domain type='kvm'><devices>\n<interface type='bridge'><model type='virtio'/>"
		  "<mtu size='67'/></interface></devices></domain>", "67" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(docs); i++) {
		struct abibase_guest *g = NULL;

		ck_assert_msg(read_domain(docs[i].text, &g) == -EBADMSG, "%s", docs[i].text);
		ck_assert_str_eq(abibase_context_error_id(t.ctx), "domain-value");
		ck_assert_str_eq(abibase_context_error_where(t.ctx),
				 strchr(docs[i].text, '\n') ? "d.xml:2" : "d.xml:1");
		ck_assert_msg(strstr(abibase_context_error(t.ctx), docs[i].words) != NULL, "%s",
			      abibase_context_error(t.ctx));
	}
}
END_TEST

/* Beside what it negotiated. What the guest states itself stays. */
START_TEST(test_join)
{
	static const char running[] =
		"{\"schema\": \"abibase-guest/1\", \"devices\": [{\"class\": \"virtio-net-device\","
		" \"id\": \"/machine/peripheral/net1/virtio-backend\", \"mtu\": 1400,"
		" \"negotiated\": \"0x1\"}]}";
	_autofree_ char *two = with("kvm", "<interface type='bridge'><model type='virtio'/>"
					   "<driver name='qemu'/><alias name='net0'/></interface>"
					   "<interface type='direct'><model type='virtio'/><mtu size='9000'/>"
					   "<driver name='qemu' packed='on'/><alias name='net1'/>"
					   "</interface>");
	_autofree_ char *none = with("kvm", "");
	struct abibase_guest *g = NULL, *d = domain(two), *n = domain(none), *both = NULL;

	ck_assert_int_eq(abibase_guest_from_buffer(t.ctx, running, strlen(running), "g", &g), 0);
	ck_assert_int_eq(abibase_guest_join(t.ctx, g, d, &both), 0);
	ck_assert_str_eq(both->machine, "pc-q35-7.2");
	ck_assert_uint_eq(both->n, 1);
	ck_assert_str_eq(both->devices[0].backend, "macvtap");
	ck_assert_int_eq(both->devices[0].mtu, 1400);
	ck_assert(both->devices[0].has_negotiated);
	ck_assert(test_bool(abibase_guest_value(both), "devices/0/properties/virtio-net-device.packed"));
	abibase_guest_unref(both);
	both = NULL;
	ck_assert_int_eq(abibase_guest_join(t.ctx, g, n, &both), -EINVAL);
	ck_assert_str_eq(abibase_context_error_id(t.ctx), "guest-differs");
	ck_assert_ptr_null(both);
	abibase_guest_unref(g);
	abibase_guest_unref(d);
	abibase_guest_unref(n);
}
END_TEST

Suite *suite_domain(void)
{
	Suite *s = suite_create("domain");
	TCase *c = tcase_create("xml");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, test_xml);
	tcase_add_test(c, test_xml_refused);
	tcase_add_test(c, test_xml_bounds);
	suite_add_tcase(s, c);
	c = tcase_create("domain");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, test_recorded, 0, 2);
	tcase_add_test(c, test_backends);
	tcase_add_test(c, test_without_kvm);
	tcase_add_test(c, test_named);
	tcase_add_test(c, test_read_again);
	tcase_add_test(c, test_vhost_scsi);
	tcase_add_test(c, test_precedence);
	tcase_add_test(c, test_values_refused);
	tcase_add_test(c, test_join);
	suite_add_tcase(s, c);
	return s;
}
