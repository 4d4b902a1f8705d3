/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer/decode-read.h"
#include "document/catalogue.h"

/* Masks, and which device has a name for which bit of them. */

bool mask_parse(const char *s, struct mask *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->digits = strlen(s);
	if (strprefix(s, "0x"))
		ret->digits -= 2;
	return word_parse(s, ret->word);
}

bool mask_bit(const struct mask *m, unsigned int bit)
{
	return m->word[bit / 64] >> (bit % 64) & 1;
}

bool mask_empty(const struct mask *m)
{
	return !m->word[0] && !m->word[1];
}

static const json_t *bit_in(const json_t *features, unsigned int bit)
{
	size_t i;
	json_t *v;

	json_array_foreach(features, i, v)
		if (json_integer_value(json_object_get(v, "bit")) == (json_int_t)bit)
			return v;
	return NULL;
}

const struct row *bit_row(const struct decoder *d, const char *class_name, unsigned int bit)
{
	for (size_t i = 0; i < d->cat->n_rows; i++)
		if (d->cat->rows[i].bit == (int)bit && streq(d->cat->rows[i].class_name, class_name))
			return &d->cat->rows[i];
	return NULL;
}

const json_t *bit_in_table(const struct decoder *d, const char *device, unsigned int bit)
{
	const json_t *own = bit_in(
		json_object_get(decode_device_row(d->data, device), "features"), bit);

	return own ? own :
		     bit_in(json_object_get(json_object_get(d->data->devices, "transport"),
					    "features"),
			    bit);
}

bool bit_has_name(const struct decoder *d, const char *device, unsigned int bit)
{
	const char *class_name =
		json_string_value(json_object_get(decode_device_row(d->data, device), "class"));

	return bit_row(d, class_name, bit) || bit_in_table(d, device, bit);
}

bool finding_fits(const struct decoder *d, const char *device, const struct finding *f)
{
	for (unsigned int bit = 0; bit < FEATURE_BITS; bit++)
		if ((mask_bit(&f->guest, bit) || mask_bit(&f->allowed, bit)) &&
		    !bit_has_name(d, device, bit))
			return false;
	return true;
}
