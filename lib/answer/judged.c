/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What judges a difference of two records, beside the rows of the catalogue. */

#include <errno.h>

#include "answer/records.h"
#include "document/errata.h"

int judges_find(struct judges *j, const struct records *q, unsigned int ways)
{
	int r = 0;

	*j = (struct judges){ .q = q };
	for (int i = 0; r == 0 && i < 2; i++)
		if (ways >> i & 1)
			r = rehearsals_find(q->ctx, q->entry[i], q->entry[!i], &j->way[i]);
	return r == 0 && (j->way[0].result || j->way[1].result) ?
		       specimens_load(q->ctx, &j->specimens) :
		       r;
}

static int add(json_t *list, struct buf *text)
{
	return buf_failed(text) ? -ENOMEM : json_add(list, json_string(text->data));
}

/*
 * What became of the class on this way; 1: that judges nothing. One that loads has not been asked what
 * no stream carries, so that the other value is still to be judged.
 */
static int rehearsed(const struct judges *j, int way, const char *machine, const char *class_name,
		     json_t *list)
{
	static const char *const words[N_REHEARSED] = {
		[REHEARSED_LOADS] = "loads idle", [REHEARSED_REFUSED] = "refused",
		[REHEARSED_NO_START] = "not started", [REHEARSED_BLOCKED] = "not saved",
		[REHEARSED_ABSENT] = "not there",
	};
	const struct rehearsed_pair *p = &j->way[way];
	const struct result_machine *m =
		p->result ? rehearsal_result_machine(p->result, machine) : NULL;
	struct rehearsed_devices found = { 0 };
	bool judged = false;
	_buf_ text = { 0 };
	int r = m ? rehearsed_of_class(j->specimens, m, class_name, &found) : 0;

	for (size_t i = REHEARSED_LOADS; r == 0 && i < N_REHEARSED; i++)
		if (json_array_size(found.names[i])) {
			buf_printf(&text, "%s by rehearsal %s -> %s", words[i], p->from, p->to);
			judged |= i != REHEARSED_LOADS;
		}
	rehearsed_devices_clear(&found);
	if (r == 0 && (text.data || text.failed))
		r = add(list, &text);
	return r < 0 ? r : !judged;
}

/* Is it a known defect of one of the two? 1: it is not. */
static int erratum(const struct judges *j, const char *machine, const char *key, json_t *list)
{
	const struct abibase_catalogue *cat = j->q->cat;
	uint32_t mask = errata_of_qemu(cat, j->q->entry[0], machine) |
			errata_of_qemu(cat, j->q->entry[1], machine);
	int r = 1;

	for (size_t i = 0; i < cat->n_errata && r >= 0; i++) {
		_buf_ text = { 0 };

		if (!(mask >> i & 1) || !json_matches(cat->errata[i].properties, key))
			continue;
		buf_printf(&text, "known defect %s", cat->errata[i].id);
		r = add(list, &text);
	}
	return r;
}

json_t *judges_say(const struct judges *j, const char *machine, const char *key, unsigned int *open)
{
	_autofree_ char *class_name = strndup(key, strcspn(key, "."));
	json_t *list = class_name ? json_array() : NULL;
	int r = list ? erratum(j, machine, key, list) : -ENOMEM;
	bool defect = r == 0;

	*open = 0;
	for (int i = 0; r >= 0 && i < 2; i++) {
		r = rehearsed(j, i, machine, class_name, list);
		*open |= r == 1 && !defect ? 1u << i : 0;
	}
	if (r >= 0)
		return list;
	json_decref(list);
	return NULL;
}
