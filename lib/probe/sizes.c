/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sizes that a QEMU decides by itself, read of a device as a guest would: of its queues, which a
 * stable update has changed, and of its option ROM, which comes of a file of the host. They hang on
 * no backend, so this takes no right and no device. Recorded under the backend "any".
 */

#include <stdlib.h>
#include <syslog.h>

#include "base/context.h"
#include "probe/probe.h"
#include "qemu/observe.h"

#define ANY_BACKEND "any"
/* In units of the time that one QEMU has: all machine types together take no longer. */
#define SIZES_TIMEOUTS 6

struct sizing {
	struct abibase_probe *pr;
	const char *path;
	json_t *shapes;
	int64_t deadline;
	size_t added, failed, no_rom;
	bool stop; /* this QEMU hangs, or it takes too long */
	char first[128];
	struct buf why; /* of the first that failed */
};

static int time_left(const struct sizing *s)
{
	int64_t left = s->deadline - process_now();

	if (left < 1)
		return 0;
	return left < s->pr->qemu_timeout_ms ? (int)left : s->pr->qemu_timeout_ms;
}

static int keep(struct sizing *s, const char *machine, const struct qtest_device *dev)
{
	json_t *shape = json_member(s->shapes, machine);

	s->added++;
	s->no_rom += !dev->rom_size;
	return json_put(shape, ANY_BACKEND, sizes_json(dev));
}

static int size_machine(struct sizing *s, const char *machine)
{
	const struct qtest_request rq = { .path = s->path, .machine = machine,
					  .timeout_ms = time_left(s), .stop = &s->pr->stop };
	struct qtest_device dev;
	_buf_ why = { 0 };
	int r;

	if (!rq.timeout_ms) {
		s->stop = true;
		s->failed++;
		return 0;
	}
	r = observe_plain(&rq, QTEST_HUB, &dev, &why);
	if (r == 0)
		return keep(s, machine, &dev);
	if (buf_failed(&why) || (r == -ENOMEM && !why.len))
		return -ENOMEM;
	s->stop = r == -ETIMEDOUT;
	if (s->failed++ == 0) {
		snprintf(s->first, sizeof(s->first), "%s", machine);
		buf_puts(&s->why, why.len ? why.data : strerror(-r));
	}
	return buf_failed(&s->why) ? -ENOMEM : 0;
}

static void warn(const struct sizing *s)
{
	if (s->failed)
		context_log(s->pr->ctx, LOG_WARNING, "probe-sizes",
			    "%s: the sizes that it shows guests are not recorded of %zu machine types "
			    "(%s%s): %s",
			    s->path, s->failed, *s->first ? s->first : "the last ones",
			    *s->first && s->failed > 1 ? " and others" : "",
			    s->why.len ? s->why.data : "it takes too long");
	if (s->no_rom)
		context_log(s->pr->ctx, LOG_WARNING, "probe-no-rom",
			    "%s: it does not find the ROM file of its network cards, so the size "
			    "of that is not recorded; install it (Debian: ipxe-qemu), and probe "
			    "again",
			    s->path);
}

int probe_sizes_add(struct abibase_probe *pr, const char *path, json_t *entry, bool *ret_added)
{
	struct sizing s = { .pr = pr, .path = path, .shapes = json_member(entry, "shape") };
	const char *machine;
	json_t *values;
	int r = 0;

	*ret_added = false;
	if (!s.shapes)
		return -ENOMEM;
	s.deadline = process_now() + (int64_t)pr->qemu_timeout_ms * SIZES_TIMEOUTS;
	json_object_foreach(json_object_get(entry, "values"), machine, values) {
		if (json_object_get(json_object_get(s.shapes, machine), ANY_BACKEND))
			continue;
		if (s.stop)
			s.failed++;
		else
			r = size_machine(&s, machine);
		if (r < 0)
			break;
	}
	warn(&s);
	buf_clear(&s.why);
	if (!json_object_size(s.shapes))
		json_object_del(entry, "shape");
	*ret_added = s.added > 0;
	return r;
}
