/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guests.h"

#include <unistd.h>

#include "base/text.h"

#define NAME_MOST 40 /* a longer name moves the rest of its line */
#define NAMED 3	     /* in the verdict */
#define HANG 11	     /* where the text behind a label begins, as on other pages */
#define CAUSES_MOST 5 /* in a line */

static const char *const words[] = { "now", "list", "no", "unknown" };
enum { NOW, LIST, NO, UNKNOWN, N_WORDS };
_Static_assert(N_WORDS == GUESTS_WORDS, "a count for each of them");

void guests_clear(struct guests *g)
{
	strings_clear(&g->names);
	strings_clear(&g->counts);
	strings_clear(&g->because);
	strings_clear(&g->causes);
	index_clear(&g->by_cause);
	strings_clear(&g->remedies);
	strings_clear(&g->worst);
	free(g->closing);
}

/* ---------------------------------------------------------------------- one answer */

static int status_of(const struct abibase_value *finding)
{
	const char *kind = cli_text(finding, "kind");

	return streq(kind, "conflict") ? STATUS_NO :
	       streq(kind, "unknown")  ? STATUS_UNKNOWN :
					 STATUS_YES;
}

static int count(void *data, const struct abibase_value *host, size_t alike)
{
	const struct abibase_value *list = abibase_value_member(host, "findings");
	struct guests_one *one = data;

	one->hosts += alike;
	for (size_t k = 0; k < N_WORDS; k++)
		if (streq(cli_text(host, "verdict"), words[k]))
			one->n[k] += alike;
	for (size_t i = 0; i < abibase_value_count(list); i++)
		one->now = cli_worse(one->now, status_of(abibase_value_item(list, i)));
	return 0;
}

int guests_look(const struct abibase_result *res, struct guests_one *ret)
{
	*ret = (struct guests_one){ .now = (int)abibase_result_verdict(res) };
	return abibase_result_hosts(res, count, ret);
}

int guests_status_of(const struct guests *g, const struct guests_one *one)
{
	return one->n[NOW]		   ? STATUS_YES :
	       one->n[LIST] && g->lists	   ? STATUS_LIST :
	       one->n[UNKNOWN]		   ? STATUS_UNKNOWN :
					     STATUS_NO;
}

void guests_count(struct guests *g, const struct guests_one *one, int status)
{
	g->n++;
	g->hosts = one->hosts;
	g->bad += status == STATUS_NO;
	g->unknown += status == STATUS_UNKNOWN;
	g->list += status == STATUS_LIST || (!g->all && status == STATUS_YES && one->n[LIST]);
}

int guests_status(const struct guests *g)
{
	return g->bad		 ? STATUS_NO :
	       g->unknown	 ? STATUS_UNKNOWN :
	       g->all && g->list ? STATUS_LIST :
				   STATUS_YES;
}

/* What is in the way, without the host that it is about: "tap: the kernel ... [move-lacks]" */
static void put_cause(const struct abibase_value *f, const char *host, struct buf *out)
{
	const char *cause = cli_text(f, "cause"), *layer = cli_text(f, "layer");
	const char *text = cli_text(f, "text");
	size_t n = strlen(host);

	if (cause)
		buf_printf(out, "%s%s%s", layer ? layer : "", layer ? ": " : "", cause);
	else
		buf_puts(out, strprefix(text, host) && strprefix(text + n, ": ") ? text + n + 2 :
										  text);
	buf_printf(out, " [%s]", cli_text(f, "id"));
}

/* The number of that cause, which is told once. */
static int number_of(struct guests *g, const struct abibase_value *f, const char *host,
		     unsigned int *ret)
{
	const char *remedy = cli_text(f, "remedy");
	_buf_ text = { 0 };

	put_cause(f, host, &text);
	if (buf_failed(&text) || index_intern(&g->by_cause, &g->causes, text.data, ret) < 0)
		return cli_oom();
	if (*ret < g->remedies.n)
		return 0;
	return strings_add(&g->remedies, remedy ? remedy : "") < 0 ? cli_oom() : 0;
}

/* The numbers of all that is in the way of this guest, on whichever host. */
struct because {
	struct guests *g;
	unsigned int number[CAUSES_MOST];
	size_t n;
	bool more;
};

static int take_causes(void *data, const struct abibase_value *host, size_t alike)
{
	const struct abibase_value *list = abibase_value_member(host, "findings");
	struct because *b = data;
	int r = 0;

	(void)alike;
	for (size_t i = 0; r == 0 && i < abibase_value_count(list); i++) {
		const struct abibase_value *f = abibase_value_item(list, i);
		unsigned int number = 0;
		size_t k = 0;

		if (streq(cli_text(f, "kind"), "note"))
			continue;
		r = number_of(b->g, f, cli_text(host, "host"), &number);
		while (r == 0 && k < b->n && b->number[k] != number)
			k++;
		if (r != 0 || k < b->n)
			continue;
		b->more |= k == CAUSES_MOST;
		if (!b->more)
			b->number[b->n++] = number;
	}
	return r;
}

static int add_causes(struct guests *g, const struct abibase_result *res)
{
	struct because b = { .g = g };
	_buf_ text = { 0 };
	int r = abibase_result_hosts(res, take_causes, &b);

	if (r < 0)
		return cli_oom();
	for (size_t i = 0; i < b.n; i++)
		buf_printf(&text, "%s%u", i ? ", " : "", b.number[i] + 1);
	buf_puts(&text, b.more ? " ..." : "");
	if (r == 0 && (buf_failed(&text) || strings_add(&g->because, text.data ?: "") < 0))
		r = cli_oom();
	return r;
}

/* The closing lines are the same for all, but for a guest that was read otherwise. */
static int keep_closing(struct guests *g, const struct abibase_result *res)
{
	_autofree_ char *text = NULL;
	const char *at;

	if (g->closing)
		return 0;
	if (abibase_result_to_text(res, cli_width(STDOUT_FILENO), &text) < 0)
		return cli_oom();
	at = strstr(text, "\nLooked at: ");
	g->closing = strdup(at ? at + 1 : "");
	return g->closing ? 0 : cli_oom();
}

/* Those that cannot go are named before those of which nobody knows. */
static int add_worst(struct guests *g, const char *name, int status)
{
	if (status == STATUS_NO && g->bad == 1)
		strings_clear(&g->worst);
	if (g->worst.n == NAMED ||
	    !(status == STATUS_NO || (status == STATUS_UNKNOWN && !g->bad)))
		return 0;
	return strings_add(&g->worst, name) < 0 ? cli_oom() : 0;
}

int guests_add(struct guests *g, const char *name, const struct abibase_result *res,
	       const struct guests_one *one, int status)
{
	const size_t *n = one->n;
	char counts[96];

	guests_count(g, one, status);
	if (strlen(name) > g->width)
		g->width = strlen(name);
	snprintf(counts, sizeof(counts), "%6zu%6zu%6zu%6zu", n[NOW], n[LIST], n[NO], n[UNKNOWN]);
	if (strings_add(&g->names, name) < 0 || strings_add(&g->counts, counts) < 0)
		return cli_oom();
	if (add_worst(g, name, status) != 0 || add_causes(g, res) != 0)
		return STATUS_TROUBLE;
	return keep_closing(g, res);
}

/* --------------------------------------------------------------------------- all of them */

static void put_names(const struct guests *g, size_t of, struct buf *out)
{
	for (size_t i = 0; i < g->worst.n; i++)
		buf_printf(out, "%s%s", i ? ", " : ": ", g->worst.s[i]);
	if (of > g->worst.n)
		buf_printf(out, " and %zu more", of - g->worst.n);
}

static void put_all(const struct guests *g, const char *to, struct buf *out)
{
	if (g->n == 2)
		buf_puts(out, "yes: both guests");
	else
		buf_printf(out, g->n == 1 ? "yes: %zu guest" : "yes: all %zu guests", g->n);
	buf_printf(out, " can %s%s", to, g->list ? "" : " now");
}

static void put_verdict(const struct guests *g, struct buf *out)
{
	const char *many = g->n == 1 ? "guest" : "guests";
	_buf_ to = { 0 }, text = { 0 };

	if (g->all)
		buf_puts(&to, "leave this host");
	else
		buf_printf(&to, "go to %s%zu %s", g->hosts == 1 ? "" : "each of ", g->hosts,
			   g->hosts == 1 ? "host" : "hosts");
	if (!g->n)
		buf_puts(&text, "yes: no guest runs here that the caller can see");
	else if (g->bad)
		buf_printf(&text, "no: %zu of %zu %s cannot %s", g->bad, g->n, many, to.data);
	else if (g->unknown)
		buf_printf(&text, "cannot tell whether %zu of %zu %s can %s", g->unknown, g->n,
			   many, to.data);
	else
		put_all(g, to.data, &text);
	put_names(g, g->bad ? g->bad : g->unknown, &text);
	if (g->bad && g->unknown)
		buf_printf(&text, "; of %zu it cannot be told", g->unknown);
	if (g->list)
		buf_printf(&text, "; %zu with a list of options alone", g->list);
	out->failed |= buf_failed(&text) || buf_failed(&to);
	if (!out->failed)
		show_wrapped(out, 0, 2, text.data);
}

static void put_lines(const struct guests *g, struct buf *out)
{
	int name = (int)(g->width > NAME_MOST ? NAME_MOST : g->width < 5 ? 5 : g->width);

	buf_printf(out, "  %-*s   now  list    no     ?  because\n", name, "guest");
	for (size_t i = 0; i < g->names.n; i++)
		buf_printf(out, "  %-*s%s%s%s\n", name, g->names.s[i], g->counts.s[i],
			   *g->because.s[i] ? "  " : "", g->because.s[i]);
}

/* Several with one remedy have it behind the last. */
static void put_causes(const struct guests *g, struct buf *out)
{
	for (size_t i = 0; i < g->causes.n; i++) {
		const char *remedy = g->remedies.s[i];
		char label[24];

		snprintf(label, sizeof(label), "  %zu", i + 1);
		show_labelled(out, HANG, label, "%s", g->causes.s[i]);
		if (*remedy && (i + 1 == g->causes.n || !streq(remedy, g->remedies.s[i + 1])))
			show_labelled(out, HANG, "  remedy", "%s", remedy);
	}
}

int guests_show(struct guests *g)
{
	_buf_ out = { .width = cli_width(STDOUT_FILENO) };

	put_verdict(g, &out);
	if (g->n)
		put_lines(g, &out);
	put_causes(g, &out);
	buf_puts(&out, g->closing ? g->closing :
				    "Looked at: nothing; not looked at: CPU, firmware, other devices\n"
				    "See: abibase check\n");
	return buf_failed(&out) ? cli_oom() : cli_show(g->o, 0, out.data, guests_status(g));
}
