/*
 * An image in memory: what image.c and wire.c share. Private to lib/mounts.
 */
#ifndef MOUNTS_IMAGE_INTERNAL_H
#define MOUNTS_IMAGE_INTERNAL_H

#include "internal.h"

#include <mounts/image.h>

#define NO_SLOT UINT32_MAX

struct image_ns {
	u64 id, event, origin;
	u32 inum;
	bool anonymous;
	bool made; /* by applying the image */
	bool skipped;
	void *owner;
	u32 first, count; /* of its mounts: parents first, siblings in order */
};

struct image_mount {
	struct order_node node, place; /* while it is decoded */
	u64 id;
	u32 small, flags;
	u32 parent;        /* among those of its namespace; NO_SLOT: the root */
	u32 group, master; /* 1: the first of the image's; 0: none */
	struct superblock *sb;
	struct dentry *root, *point;
	void *source;
	/* while it is applied */
	struct mount *here, *made;
	u32 old_small; /* 0: not numbered yet */
};

struct image_group {
	struct order_node node; /* while it is decoded */
	u32 id;
	u32 master;            /* as above; it is before its slaves */
	struct superblock *sb; /* of its members; while it is decoded */
	struct mount_group *here;
};

struct mounts_image {
	struct mounts *all;
	size_t bytes;
	u32 nspaces, nmounts, ngroups;
	struct image_ns *space;
	struct image_mount *mount;
	struct image_group *group;
};

/* All zero; NULL: no memory. */
struct mounts_image *image_new(struct mounts *all, u32 nspaces, u32 nmounts, u32 ngroups);

#endif
