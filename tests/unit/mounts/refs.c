/* See refs.h. */
#include "refs.h"

#include <errno.h>
#include <string.h>
#include <unit.h>

static s64 put_ref(void *ctx, enum ref_kind kind, void *thing, struct superblock *in, void *out,
		   size_t room)
{
	struct world *w = ctx;
	u32 number = 0;

	if (kind == REF_SOURCE)
		return 0;
	if (kind == REF_SUPERBLOCK)
		number = (u32)((struct superblock *)thing - w->fs);
	else if (kind == REF_DIR)
		number = (u32)((struct dentry *)thing - in->dir);
	else
		number = (u32)((u32 *)thing - w->owners);
	REQUIRE(room >= sizeof(number));
	memcpy(out, &number, sizeof(number));
	return sizeof(number);
}

static s64 get_ref(void *ctx, enum ref_kind kind, struct superblock *in, const void *from,
		   size_t bytes, void **thing)
{
	struct world *w = ctx;
	u32 number;

	*thing = NULL;
	if (kind == REF_SOURCE)
		return 0;
	if (bytes < sizeof(number))
		return -EBADMSG;
	memcpy(&number, from, sizeof(number));
	if (number >= (kind == REF_SUPERBLOCK ? WORLD_FILESYSTEMS
		       : kind == REF_DIR      ? WORLD_DIRS
					      : ARRAY_SIZE(w->owners)))
		return -EBADMSG;
	if (kind == REF_SUPERBLOCK)
		w->fs[number].mounts++;
	else if (kind == REF_DIR)
		in->dir[number].refs++;
	else
		w->owners[number]++;
	if (kind == REF_SUPERBLOCK)
		*thing = &w->fs[number];
	else
		*thing = kind == REF_DIR ? (void *)&in->dir[number] : &w->owners[number];
	return sizeof(number);
}

static void drop_ref(void *ctx, enum ref_kind kind, void *thing)
{
	(void)ctx;
	if (kind == REF_SUPERBLOCK)
		((struct superblock *)thing)->mounts--;
	else if (kind == REF_DIR)
		((struct dentry *)thing)->refs--;
	else if (kind == REF_OWNER)
		--*(u32 *)thing;
}

struct mounts_refs world_refs(struct world *w)
{
	return (struct mounts_refs){.put = put_ref, .get = get_ref, .drop = drop_ref, .ctx = w};
}
