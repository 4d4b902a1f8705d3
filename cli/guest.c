/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest.h"

#include <errno.h>

/* "256", or "1024,1024,64" with that of the first queue first */
static int parse_sizes(struct guest_options *g, const char *list)
{
	const char *verb = g->o->command->name;

	for (;;) {
		char *end;
		unsigned long n = strtoul(list, &end, 10);

		if (*list < '0' || *list > '9' || n > 32768 || (*end && *end != ',') ||
		    g->n_queue_sizes == ARRAY_SIZE(g->queue_sizes))
			return cli_usage(verb, "\"%s\" is not a size of a queue, or a list of "
					       "them with commas between",
					 list);
		g->queue_sizes[g->n_queue_sizes++] = (unsigned int)n;
		if (!*end)
			return 0;
		list = end + 1;
	}
}

int guest_options(const struct options *o, const char *operand, struct guest_options *ret)
{
	const char *sizes = options_arg(o, OPT_QUEUE_SIZE);

	*ret = (struct guest_options){
		.o = o,
		.operand = operand,
		.machine = options_arg(o, 'M'),
		.backend = options_arg(o, OPT_BACKEND),
		.device = options_arg(o, OPT_DEVICE),
		.from = options_arg(o, OPT_FROM),
		.qemu = options_arg(o, OPT_QEMU),
	};
	return sizes ? parse_sizes(ret, sizes) : 0;
}

int guest_check_stdin(const struct guest_options *g, char *const *operands, int n)
{
	const char *named[] = { g->operand, g->from, options_arg(g->o, OPT_BASELINE) };
	const char *verb = g->o->command->name;
	const char *list = options_arg(g->o, OPT_FILES0_FROM);
	bool taken = list && streq(list, "-");

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
		      const struct guest_options *g, struct abibase_guest **ret)
{
	_unref_(guest) *guest = NULL;
	int r = abibase_guest_load(ctx, cat, g->operand, g->device, g->qemu, &guest);

	if (r < 0)
		r = load_nothing(ctx, r, &guest);
	return r < 0 ? r : abibase_guest_assume(ctx, guest, g->machine, g->backend, g->queue_sizes,
						g->n_queue_sizes, ret);
}

int guest_targets(struct abibase_context *ctx, struct abibase_catalogue *cat,
		  const struct guest_options *g, struct abibase_baseline *b,
		  struct abibase_targets **ret)
{
	_unref_(guest) *guest = NULL;
	_unref_(targets) *t = NULL;
	_unref_(profile) *from = NULL;
	const char *host;
	int r = load_guest(ctx, cat, g, &guest);

	if (r == 0)
		r = abibase_targets_new(ctx, cat, guest, &t);
	if (r == 0 && g->backend)
		r = abibase_targets_set_backend(t, g->backend);
	if (r == 0 && b)
		r = abibase_targets_set_baseline(t, b);
	for (size_t i = 0; r == 0 && (host = options_next(g->o, OPT_ASSUME_QEMU, &i));)
		r = abibase_targets_assume_qemu(t, host);
	if (r < 0)
		return cli_context_error(ctx, r);
	if (g->from) {
		if (cli_load_profile(ctx, g->from, &from) != 0)
			return STATUS_TROUBLE;
		abibase_targets_set_source(t, from);
	}
	*ret = steal(&t);
	return 0;
}
