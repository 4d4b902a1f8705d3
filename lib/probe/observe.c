/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What each QEMU really offers on this host, recorded beside what it says: for each machine type
 * whose effective values are recorded, on each backend that baselines are made for by default and
 * that the facts say is usable.
 */

#include <syslog.h>

#include "model/ask.h"
#include "base/context.h"
#include "qemu/observe.h"
#include "probe/probe.h"

struct observing {
	struct abibase_probe *pr;
	struct abibase_catalogue *cat;
	const struct abibase_profile *p; /* all but the shapes */
	const char *path;
	bool stop; /* this QEMU hangs: ask it no more */
};

static void tell(void *data, enum abibase_cause cause, const char *id, const char *text)
{
	struct observing *o = data;

	context_log(o->pr->ctx, LOG_WARNING, id, "%s", text);
}

static bool is_usable(const struct observing *o, size_t backend)
{
	struct ask a = { .cat = o->cat, .p = o->p };

	return o->cat->backends[backend].by_default &&
	       qtest_backend(o->cat->backends[backend].name) >= 0 &&
	       ask_usable(&a, backend) == ABIBASE_YES;
}

static int observe(struct observing *o, const char *machine, size_t backend, json_t *shape)
{
	struct abibase_context *ctx = o->pr->ctx;
	const char *name = o->cat->backends[backend].name;
	const struct observe_request rq = { .qemu = o->path, .machine = machine,
					    .backend = (enum qtest_backend)qtest_backend(name),
					    .timeout_ms = o->pr->qemu_timeout_ms,
					    .stop = &o->pr->stop };
	struct qtest_device dev;
	int r;

	context_step(ctx, "%s: starting %s on %s", o->path, machine, name);
	r = observe_run(ctx, &rq, &dev);
	if (r < 0 && r != -ENOMEM) {
		context_log(ctx, LOG_WARNING, "probe-observe-failed", "%s",
			    abibase_context_error(ctx));
		o->stop = r == -ETIMEDOUT;
		return 0;
	}
	if (r == 0 && json_object_set_new(shape, name, observation_json(&dev)) < 0)
		r = -ENOMEM;
	if (r == 0)
		r = observe_compare(ctx, o->cat, &rq, &dev, o->p, tell, o);
	return r < 0 ? r : 0;
}

static int observe_machine(struct observing *o, const char *machine, json_t *shapes)
{
	json_auto_t *shape = json_object();

	if (!shape)
		return -ENOMEM;
	for (size_t i = 0; !o->stop && i < o->cat->n_backends; i++) {
		int r = is_usable(o, i) ? observe(o, machine, i, shape) : 0;

		if (r < 0)
			return r;
	}
	if (!json_object_size(shape))
		return 0;
	return json_object_set(shapes, machine, shape) < 0 ? -ENOMEM : 0;
}

static int observe_qemu(struct observing *o, const struct profile_qemu *q, json_t *list)
{
	json_auto_t *shapes = json_object();
	const char *machine;
	json_t *values;

	if (!shapes)
		return -ENOMEM;
	o->path = q->path;
	o->stop = false;
	json_object_foreach(json_object_get(q->json, "values"), machine, values) {
		int r = o->stop ? 0 : observe_machine(o, machine, shapes);

		if (r < 0)
			return r;
	}
	return json_array_append(list, shapes) < 0 ? -ENOMEM : 0;
}

static bool any_usable(const struct observing *o)
{
	for (size_t i = 0; i < o->cat->n_backends; i++)
		if (is_usable(o, i))
			return true;
	return false;
}

static int observe_all(struct observing *o, json_t *list)
{
	int r = 0;

	if (!any_usable(o)) {
		context_log(o->pr->ctx, LOG_WARNING, "probe-observe-no-backend",
			    "no tap can be used here as far as is known, so nothing is observed");
		return 0;
	}
	for (size_t i = 0; r == 0 && i < o->p->n_qemu; i++)
		r = observe_qemu(o, &o->p->qemu[i], list);
	return r;
}

int probe_observe(struct abibase_probe *pr, struct abibase_catalogue *cat, const char *name,
		  json_t *root)
{
	json_auto_t *list = json_array();
	struct abibase_profile *p;
	json_t *shapes;
	size_t i;
	int r;

	if (!list)
		return -ENOMEM;
	/* It shares the document, which is changed only when it has gone. */
	r = profile_from_json(pr->ctx, json_incref(root), name, &p);
	if (r < 0)
		return r;
	struct observing o = { .pr = pr, .cat = cat, .p = p };

	r = observe_all(&o, list);
	abibase_profile_unref(p);
	if (r < 0)
		return r;
	json_array_foreach(list, i, shapes)
		if (json_object_size(shapes) &&
		    json_object_set(json_array_get(json_object_get(root, "qemu"), i), "shape",
				    shapes) < 0)
			return -ENOMEM;
	return 0;
}
