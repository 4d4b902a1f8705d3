/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/ask.h"

#define ETHERNET_MTU 1500 /* what every network is taken to carry that states nothing */

static bool is_lacked(const struct ask *a, int condition)
{
	for (size_t be = 0; a->lacks && be < a->cat->n_backends; be++)
		for (size_t i = 0; i < a->lacks->needs[be].n; i++)
			if (a->lacks->needs[be].need[i].condition == condition)
				return true;
	return false;
}

static enum abibase_tri ask_host(const struct ask *a, int condition, const char **ret_reason)
{
	unsigned int answer = a->host->answers[condition];

	*ret_reason = answer_reason(a->in, answer);
	return answer_tri(answer);
}

enum abibase_tri ask_condition(const struct ask *a, int condition, const char **ret_reason)
{
	const struct condition *c = &a->cat->conditions[condition];

	if (a->host)
		return ask_host(a, condition, ret_reason);
	*ret_reason = NULL;
	if (is_lacked(a, condition))
		return ABIBASE_NO;
	if (!a->p)
		return ABIBASE_UNKNOWN;
	if (a->p->asked)
		a->p->asked[condition] = true;
	return profile_ask(a->p, c->fact, c->bit, ret_reason);
}

static void ask_it(const struct ask *a, int condition, struct asked *w)
{
	w->condition = condition;
	w->c = condition == NEED_NEVER ? NULL : &a->cat->conditions[condition];
	w->reason = NULL;
	w->answer = w->c ? ask_condition(a, condition, &w->reason) : ABIBASE_NO;
}

bool ask_next_usable(const struct ask *a, size_t backend, struct asked *w)
{
	const struct backend *b = &a->cat->backends[backend];

	if (w->next == b->n_usable)
		return false;
	w->need = NULL;
	ask_it(a, b->usable[w->next++], w);
	return true;
}

bool ask_next_need(const struct ask *a, const struct needs *needs, struct asked *w)
{
	while (w->next < needs->n) {
		w->need = &needs->need[w->next++];
		if (a->view && !need_applies(a->view, w->need))
			continue;
		ask_it(a, w->need->condition, w);
		return true;
	}
	return false;
}

enum abibase_tri ask_usable(const struct ask *a, size_t backend)
{
	enum abibase_tri all = ABIBASE_YES;

	for (struct asked w = { 0 }; ask_next_usable(a, backend, &w);) {
		if (w.answer == ABIBASE_NO)
			return ABIBASE_NO;
		if (w.answer == ABIBASE_UNKNOWN)
			all = ABIBASE_UNKNOWN;
	}
	return all;
}

unsigned int ask_lies_on(const struct ask *a, size_t backend, bool optional)
{
	const char *name = a->cat->backends[backend].name;
	int len = (int)strcspn(name, "+"), plain, vhost;
	char s[32];

	snprintf(s, sizeof(s), "%.*s", len, name);
	plain = catalogue_backend(a->cat, s);
	snprintf(s, sizeof(s), "%.*s+vhost", len, name);
	vhost = catalogue_backend(a->cat, s);
	if (!optional || plain < 0 || vhost < 0)
		return 1u << backend;
	switch (ask_usable(a, (size_t)vhost)) {
	case ABIBASE_YES:
		return 1u << vhost;
	case ABIBASE_NO:
		return 1u << plain;
	case ABIBASE_UNKNOWN:
	default:
		return 1u << vhost | 1u << plain;
	}
}

void ask_needs(const struct ask *a, const struct needs *needs, struct stand *ret)
{
	*ret = (struct stand){ .can = ABIBASE_YES };
	for (struct asked w = { 0 }; ask_next_need(a, needs, &w);) {
		if (w.answer == ABIBASE_NO)
			ret->can = ABIBASE_NO;
		else if (w.answer == ABIBASE_UNKNOWN && ret->can == ABIBASE_YES)
			ret->can = ABIBASE_UNKNOWN;
		ret->never |= !w.c;
		if (w.answer == ABIBASE_UNKNOWN)
			ret->unknown = w;
		if (w.answer == ABIBASE_NO && !ret->no.c)
			ret->no = w;
	}
}

enum abibase_tri ask_limit(int64_t limit, int64_t told)
{
	if (limit == NUMBER_UNSTATED)
		return told <= ETHERNET_MTU ? ABIBASE_YES : ABIBASE_UNKNOWN;
	return told <= limit ? ABIBASE_YES : ABIBASE_NO;
}

bool ask_is_usable_by(const struct ask *a, size_t backend, int condition)
{
	for (size_t i = 0; i < a->cat->backends[backend].n_usable; i++)
		if (a->cat->backends[backend].usable[i] == condition)
			return true;
	return false;
}

bool ask_is_need(const struct ask *a, const struct needs *needs, int condition)
{
	for (size_t i = 0; i < needs->n; i++)
		if (needs->need[i].condition == condition &&
		    (!a->view || need_applies(a->view, &needs->need[i])))
			return true;
	return false;
}

bool ask_needed(const struct abibase_catalogue *cat, const struct needs *needs,
		unsigned int backends, int condition)
{
	struct ask a = { .cat = cat };

	for (size_t k = 0; k < cat->n_backends; k++)
		if (backends & (1u << k) && ask_is_need(&a, &needs[k], condition))
			return true;
	return false;
}
