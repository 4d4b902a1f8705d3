/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest.h"

#include <errno.h>

/* "256", or "1024,1024,64" with that of the first queue first */
static int parse_sizes(const char *verb, struct guest_options *o, const char *list)
{
	o->n_queue_sizes = 0;
	for (;;) {
		char *end;
		unsigned long n = strtoul(list, &end, 10);

		if (*list < '0' || *list > '9' || n > 32768 || (*end && *end != ',') ||
		    o->n_queue_sizes == ARRAY_SIZE(o->queue_sizes))
			return 1 + cli_usage(verb, "\"%s\" is not a size of a queue, or a list of "
						   "them with commas between",
					     list);
		o->queue_sizes[o->n_queue_sizes++] = (unsigned int)n;
		if (!*end)
			return 0;
		list = end + 1;
	}
}

int guest_option(const char *verb, struct guest_options *o, int c, const char *arg)
{
	switch (c) {
	case 'M':
		o->machine = arg;
		return 0;
	case OPT_BACKEND:
		o->backend = arg;
		return 0;
	case OPT_DEVICE:
		o->device = arg;
		return 0;
	case OPT_QUEUE_SIZE:
		return parse_sizes(verb, o, arg);
	case OPT_QEMU:
		o->qemu = arg;
		return 0;
	case OPT_FROM:
		o->from = arg;
		return 0;
	case OPT_ASSUME_QEMU:
		o->assume[o->n_assume++] = arg;
		return 0;
	default:
		return -EINVAL;
	}
}

int guest_check_stdin(const char *verb, const struct guest_options *o, const char *baseline,
		      char *const *operands, int n)
{
	const char *named[] = { o->operand, o->from, baseline };
	bool taken = false;

	for (size_t i = 0; i < ARRAY_SIZE(named); i++) {
		char *one = (char *)named[i];

		if (!one)
			continue;
		if (cli_check_stdin_once(verb, &one, 1, taken) < 0)
			return -EINVAL;
		taken |= cli_operand_is_stdin(one);
	}
	return cli_check_stdin_once(verb, operands, n, taken);
}

/* What cannot be found out is no trouble of ours: it is said, and answered with what is left. */
static int load_nothing(struct abibase_context *ctx, int err, struct abibase_guest **ret)
{
	static const char text[] = "{\"schema\": \"abibase-guest/1\", \"devices\": "
				   "[{\"class\": \"virtio-net-device\"}]}";

	if (err != -ENODATA && err != -ENOTSUP)
		return err;
	cli_context_error(ctx, err);
	return abibase_guest_from_buffer(ctx, text, strlen(text), "nothing", ret);
}

static int load_guest(struct abibase_context *ctx, struct abibase_catalogue *cat,
		      const struct guest_options *o, struct abibase_guest **ret)
{
	_unref_(guest) *g = NULL;
	int r = abibase_guest_load(ctx, cat, o->operand, o->device, o->qemu, &g);

	if (r < 0)
		r = load_nothing(ctx, r, &g);
	return r < 0 ? r : abibase_guest_assume(ctx, g, o->machine, o->backend, o->queue_sizes,
						o->n_queue_sizes, ret);
}

int guest_targets(struct abibase_context *ctx, struct abibase_catalogue *cat,
		  const struct guest_options *o, struct abibase_baseline *b,
		  struct abibase_targets **ret)
{
	_unref_(guest) *g = NULL;
	_unref_(targets) *t = NULL;
	_unref_(profile) *from = NULL;
	int r = load_guest(ctx, cat, o, &g);

	if (r == 0)
		r = abibase_targets_new(ctx, cat, g, &t);
	if (r == 0 && o->backend)
		r = abibase_targets_set_backend(t, o->backend);
	if (r == 0 && b)
		r = abibase_targets_set_baseline(t, b);
	for (size_t i = 0; r == 0 && i < o->n_assume; i++)
		r = abibase_targets_assume_qemu(t, o->assume[i]);
	if (r < 0)
		return cli_context_error(ctx, r);
	if (o->from) {
		if (cli_load_profile(ctx, o->from, &from) != 0)
			return STATUS_TROUBLE;
		abibase_targets_set_source(t, from);
	}
	*ret = steal(&t);
	return 0;
}
