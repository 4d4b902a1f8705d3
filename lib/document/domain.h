/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_DOMAIN_H
#define ABIBASE_DOMAIN_H

#include "document/guest.h"

/*
 * A domain of libvirt's as a guest: see abibase_guest_from_domain(). Which attribute of an
 * interface is which property, the catalogue says ("domain" of a row).
 */

#define DOMAIN_NOT_COMPARED "x-not-compared" /* of the guest: what else the domain has, as words */

#endif
