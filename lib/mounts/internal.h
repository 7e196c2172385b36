/*
 * What the files of lib/mounts share. Private to it.
 *
 *   order.c    sets in order, small numbers
 *   tree.c     one mount: making, placing, taking away, destroying
 *   points.c   which directories something is mounted on or below
 *   group.c    peer groups and slaves
 *   copy.c     copies of trees
 *   attach.c   mounting, and what it spreads to
 *   umount.c   unmounting, and what it spreads to
 *   ns.c       namespaces
 *   image.c    what namespaces are at a moment: taking it, making others the same
 *   merge.c    several images as one
 *   wire.c     images as bytes
 */
#ifndef MOUNTS_INTERNAL_H
#define MOUNTS_INTERNAL_H

#include "order.h"

struct mounts {
	struct mounts_env env;
	u64 next_mount; /* identifier */
	u32 max;
	u32 core;
	struct id_set ids, group_ids;
	struct order_node *far_groups; /* by number */
	struct order_node *namespaces;
	struct mount_ns *dirty; /* by dirty_next */
	struct mount **hash;    /* by (parent, point) */
	u32 buckets;            /* a power of two */
	u32 nmounts;            /* that are there, placed or not */
};

static inline struct mount *mount_of(struct order_node *node)
{
	return (struct mount *)node;
}

static inline struct mount_dir *dir_of(const struct mounts *all, const struct dentry *dir)
{
	return (struct mount_dir *)((char *)dir + all->env.dir_offset);
}

/* Is @dir at or below @above in their file system? */
bool dir_is_below(const struct mounts *all, const struct dentry *dir, const struct dentry *above);

/* Small numbers of mounts and groups: the core's, then one that the core gives and takes back. */
#define SMALL_BITS 22u

static inline bool is_own_small(const struct mounts *all, u32 id)
{
	return id >> SMALL_BITS == all->core;
}

/* One of this core's numbers; 0: none left, or no memory. */
u32 small_take(struct mounts *all, struct id_set *ids);
/* Nobody uses it any more; another core's is that core's to use again. */
void small_give(struct mounts *all, struct id_set *ids, u32 id);

/* points.c: @mnt is put on its point; is taken from it. */
void point_add(struct mount *mnt);
void point_remove(struct mount *mnt);
/*
 * The mounts on @mnt at or below @dir, linked by @link in order; NULL: none. Takes as many steps as
 * the smaller of: mounts on @mnt, directories below @dir that anything is mounted on or below.
 */
struct mount *children_below(struct mount *mnt, struct dentry *dir);

/* tree.c: a mount with these numbers and no references. NULL: no memory. */
struct mount *mount_new_as(struct mounts *all, u64 key, u32 id, struct superblock *sb,
			   struct dentry *root, void *source);
/* Destroy one that was never put anywhere; its small number stays whose it is. */
void mount_unmake(struct mount *mnt);
/* tree.c: put @mnt on (@parent, @point); take it from there. Says nothing of namespaces. */
void mount_place(struct mount *mnt, struct mount *parent, struct dentry *point);
void mount_displace(struct mount *mnt);
/* Every mount of @tree, which is in no namespace or another, is now in @ns. */
void mount_enter(struct mount *tree, struct mount_ns *ns);
void mount_leave(struct mount *mnt);
/* Destroy @mnt, which is in no namespace and has no parent, if nobody holds it. */
void mount_reap(struct mount *mnt);
void ns_changed(struct mount_ns *ns);
/* Nothing that Linux counts, but others' images of @ns are not true any more. */
static inline void ns_touch(struct mount_ns *ns)
{
	if (!ns->watched || ns->dirty)
		return;
	ns->dirty = true;
	ns->dirty_next = ns->all->dirty;
	ns->all->dirty = ns;
	if (!ns->dirty_next && ns->all->env.touched)
		ns->all->env.touched(ns->all->env.ctx);
}

/* group.c */
struct mount_group *group_new(struct mounts *all);
void group_free(struct mounts *all, struct mount_group *group);
/* A far group by its number: found or made; NULL: no memory. With one more user. */
struct mount_group *group_far_get(struct mounts *all, u32 id);
/* One user less; without users, members and slaves it ends. */
void group_far_put(struct mounts *all, struct mount_group *group);
/* @group receives from @master (NULL: from none) from now on. */
void group_set_master(struct mounts *all, struct mount_group *group, struct mount_group *master);
/* @mnt, private, is a member of @group, or receives from @master, or neither. */
void mount_set_groups(struct mount *mnt, struct mount_group *group, struct mount_group *master);
void mount_make_private(struct mount *mnt);
void mount_make_slave(struct mount *mnt);
/* @mnt, not shared, is the first of @group, which is new. */
void mount_make_shared(struct mount *mnt, struct mount_group *group);
/* @mnt, private, becomes what @other is; with @slave, one that receives from it only. */
void mount_join(struct mount *mnt, const struct mount *other, bool slave);

/*
 * The mounts that a change on @origin spreads to, in order: first its peers, then slaves, each
 * group of slaves with its own. All zero but for @origin at first.
 */
struct spread {
	struct mount *origin;
	struct mount_group *group; /* of the group being walked */
	struct mount *at;          /* where in it */
	bool slaves;               /* walking the group's unshared slaves */
	bool begun;
};
/* The next; NULL: no more. @spread->group and @slaves tell where it is. */
struct mount *spread_next(struct spread *spread);

/* copy.c */
#define COPY_UNBINDABLE      COPY_ALL
#define COPY_SHARED          0x200u /* what is not shared becomes it (with COPY_SLAVE) */
#define COPY_SHARED_TO_SLAVE 0x400u
#define COPY_REMEMBER        0x800u /* original->link is its copy */
int copy_tree(struct mount *mnt, struct dentry *dir, u32 how, struct mount **out);
u32 count_tree(const struct mount *tree);

/* umount.c: unmount all of @tree, without spreading, whatever holds it. */
void umount_all(struct mount *tree, bool connected);
/* The mounts of @list (by link, marked LEAVING) leave their namespaces, lazily. */
void umount_list(struct mount *list);

#endif
