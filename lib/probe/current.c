/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/stat.h>

#include "base/context.h"
#include "document/build.h"
#include "probe/probe.h"
#include "document/profile.h"

/*
 * Does a record still hold? The kernel can be another one after each boot, and a binary another one
 * after each upgrade. Both are told apart by identity, never by version or date.
 */

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX 64

int profile_check_boot(struct abibase_context *ctx, const struct abibase_profile *p)
{
	const char *recorded = string_of(p->root, "boot_id");
	_autofclose_ FILE *f = fopen(BOOT_ID_PATH, "re");
	char now[BOOT_ID_MAX + 2];

	if (!recorded)
		return context_fail(ctx, ESTALE, "profile-stale", NULL,
				    "the profile of %s does not say of which boot it is, so it may be "
				    "of another kernel; write it anew with abibase probe",
				    p->name);
	if (!f || !fgets(now, sizeof(now), f))
		return context_fail(ctx, ESTALE, "profile-stale", BOOT_ID_PATH,
				    "cannot be read, so it is not known whether the profile of %s is "
				    "of this boot",
				    p->name);
	now[strcspn(now, "\n")] = '\0';
	if (streq(now, recorded))
		return 0;
	return context_fail(ctx, ESTALE, "profile-stale", NULL,
			    "the profile of %s is of another boot (%s, this one is %s); write it anew "
			    "with abibase probe, or start abibase-profile.service",
			    p->name, recorded, now);
}

static bool same_file(const char *a, const struct stat *b)
{
	struct stat st;

	return stat(a, &st) == 0 && st.st_dev == b->st_dev && st.st_ino == b->st_ino;
}

static const struct profile_qemu *find_qemu(const struct abibase_profile *p, const char *qemu)
{
	struct stat st;

	if (stat(qemu, &st) < 0)
		return NULL;
	for (size_t i = 0; i < p->n_qemu; i++)
		if (p->qemu[i].path && same_file(p->qemu[i].path, &st))
			return &p->qemu[i];
	return NULL;
}

int profile_check_build(struct abibase_context *ctx, const struct abibase_profile *p,
			const struct profile_qemu *q, const char *qemu)
{
	const char *recorded = string_of(q->json, "build_id");
	_autofree_ char *now = probe_build_id(qemu);

	/* Without a build id on either side it is a script: there is no more to compare. */
	if (recorded && now ? streq(recorded, now) : !recorded && !now)
		return 0;
	return context_fail(ctx, ESTALE, "profile-stale", qemu,
			    "was replaced since the profile of %s was written (build %s, then %s); "
			    "write it anew with abibase probe, or restart abibase-profile.service",
			    p->name, now ? now : "without an id", recorded ? recorded : "without an id");
}

/* A document whose members are shared with @p but for the list of QEMUs. */
static json_t *narrow(const struct abibase_profile *p, const json_t *entry, const char *qemu)
{
	json_auto_t *root = json_copy(p->root), *one = json_copy((json_t *)entry);
	json_auto_t *list = json_array();

	/* also with NULL these functions fail and do no harm */
	if (json_object_set_new(one, "path", json_string(qemu)) < 0 ||
	    json_array_append(list, one) < 0 || json_object_set(root, "qemu", list) < 0)
		return NULL;
	return steal(&root);
}

ABIBASE_EXPORT int abibase_profile_current(struct abibase_context *ctx,
					   const struct abibase_profile *p, const char *qemu,
					   struct abibase_profile **ret)
{
	const struct profile_qemu *q = find_qemu(p, qemu);
	json_t *root;
	int r = profile_check_boot(ctx, p);

	if (r < 0)
		return r;
	if (!q)
		return context_fail(ctx, ENOENT, "profile-no-qemu", qemu,
				    "the profile of %s does not have this QEMU; write it anew with "
				    "abibase probe --qemu=%s",
				    p->name, qemu);
	r = profile_check_build(ctx, p, q, qemu);
	if (r < 0)
		return r;
	root = narrow(p, q->json, qemu);
	r = root ? profile_from_json(ctx, root, p->name, ret) : context_oom(ctx);
	if (r == 0)
		(*ret)->qemu[0].record = build_record_ref(q->record);
	return r;
}
