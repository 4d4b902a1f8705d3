/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer/diff-make.h"

struct diff_item *diff_add(struct comparison *c, enum diff_kind kind, bool guest_visible,
			   const char *subject)
{
	struct diff *d = c->d;
	struct diff_item *item = &c->spare;

	if (array_grow(&d->items, d->n, &d->cap, sizeof(*d->items)) < 0)
		d->arena.failed = true;
	else
		item = &d->items[d->n];
	*item = (struct diff_item){ .kind = kind, .guest_visible = guest_visible,
				    .counts = kind != DIFF_CONTEXT || c->all, .known = true,
				    .order = d->n, .subject = subject };
	d->n += item != &c->spare;
	return item;
}

struct diff_item *diff_add_lack(struct comparison *c, enum diff_kind kind, bool guest_visible,
				const char *subject, int lacks, const char *text)
{
	struct diff_item *item = diff_add(c, kind, guest_visible, subject);

	item->side = lacks ? DIFF_B_LACKS : DIFF_A_LACKS;
	item->a = lacks ? "yes" : "no";
	item->b = lacks ? "no" : "yes";
	item->text = text;
	return item;
}

void diff_set_among(struct diff_item *item, const char *among, const char *name)
{
	item->among = among;
	item->name = name;
}
