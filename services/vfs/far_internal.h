/*
 * Files of other cores from inside: see far.h. Private to services/vfs.
 *
 *   far.c        instances that know each other; file systems and their parts
 *   far_inode.c  far inodes: what stands for an inode of another core
 *   far_names.c  far directories
 *   far_data.c   far open files; far_pages.c: their pages; far_use.c: who writes and runs them
 *   far_attr.c   attributes that few ask for
 *   far_locks.c  locks
 *   far_share.c  what a home remembers of an inode that others know: who does, and leases of names
 *   far_home.c   changes of directories that others know, by this core's processes and by others
 *   far_rename.c renames with several homes
 *   far_serve.c  calls of other cores
 *   far_place.c  places on their way
 *
 * Leases. A core that looks a name up in a far directory caches the answer, as it does that of any
 * other. The directory's home remembers so (by a hash of the name, so that it may recall too much,
 * never too little), and before the name changes it recalls what others have cached, and waits
 * until they have answered. While a directory is being changed no leases are given.
 *
 * Attributes (all but times, size and blocks) are told to whoever has a far inode, before a change
 * of them returns.
 */
#ifndef VFS_FAR_INTERNAL_H
#define VFS_FAR_INTERNAL_H

#include "tmpfs.h"

#include <shard/shard.h>
#include <skerry/shard/inode.h>
#include <vfs/far.h>

#define FAR_CORES 512u /* that may take part */
/* File systems that every core finds by itself, by their numbers at core 0. */
#define FAR_ID_DEVTMPFS 1u
#define FAR_ID_DEVPTS   2u

struct far_vfs {
	struct shard_net *net;
	struct far_part *parts;
	u64 last_id; /* of file systems that were mounted here */
	u32 core, ncores;
};

/* An inode that is known by its number: far, or this core's own and shared. */
struct far_known {
	struct far_known *next;
	u64 ino;
};

/* This core's part of a file system that others may know. */
struct far_part {
	struct far_part *next;
	u64 id;
	struct superblock *sb; /* NULL: not yet, or the attaching failed */
	struct far_known **hash;
	u32 nbuckets, n;
	u32 home;
	bool busy;                 /* being attached: wait */
	bool local;                /* every core has an instance of its own */
	bool ended;                /* the home said that it is gone */
	bool ending;               /* ... and it is being freed */
	u64 users[FAR_CORES / 64]; /* at the home: cores that use their parts */
	u64 parts[FAR_CORES / 64]; /* ... that have one */
	struct fiber_queue ready;
	char *options; /* as /proc/mounts shows them */
	bool rename_busy;
	u32 rename_core;
	struct fiber_queue renamers;
};

static inline bool bit_is_set(const u64 *bits, u32 n)
{
	return bits[n / 64] >> n % 64 & 1;
}

static inline void bit_set(u64 *bits, u32 n)
{
	bits[n / 64] |= 1ul << n % 64;
}

static inline void bit_clear(u64 *bits, u32 n)
{
	bits[n / 64] &= ~(1ul << n % 64);
}

/* The first bit at or above @from; FAR_CORES: none. */
u32 bit_next(const u64 *bits, u32 from);

static inline u32 far_home_of(u64 ino)
{
	return (u32)(ino >> FAR_INO_SHIFT);
}

/* --- far.c --- */

struct far_part *far_part_find(const struct vfs *vfs, u64 id);
/* The part of @sb, whose home this is if it had none; NULL: no memory, or not one of several. */
struct far_part *far_part_of(struct superblock *sb);
struct far_known *far_known_find(const struct far_part *part, u64 ino);
int far_known_add(struct far_part *part, struct far_known *known);
void far_known_remove(struct far_part *part, struct far_known *known);
/* An ended part ends if nothing is left in it. */
void far_part_settle(struct far_part *part);
/* On other cores than the first: *@sb, our own, is exchanged for our part of the first's @id. */
int far_well_known(struct vfs *vfs, u64 id, struct superblock **sb);
/* Wait in @queue, whatever signals come. */
void far_wait(struct vfs *vfs, struct fiber_queue *queue);
/* The network of @inode's instance; its file. */
static inline struct shard_net *far_net(const struct inode *inode);
static inline struct far_node far_node_of(const struct inode *inode);
/* An error of a call as a system call gives it: a dead core's files are -EIO. */
int far_error(s64 result);

/* --- far_inode.c --- */

struct far_inode {
	struct inode inode; /* first */
	struct far_known known;
	u64 received; /* how often the home gave it to us */
	u32 version;  /* of the attributes */
	bool has_xattrs;
	u32 recalls;  /* of names in it, counted */
	char *target; /* of a link, once asked for */
	u32 target_len;
	struct page_map pages; /* lent to us */
	s32 uses;              /* counted at the home in its inode->writers: 1, 0, -1 */
};

static inline struct far_inode *far_inode(const struct inode *inode)
{
	return (struct far_inode *)container_of(inode, struct far_inode, inode);
}

/*
 * This core has changed names of the directory @dir, which is not recalled from who changes it:
 * answers from before that are not to be believed.
 */
static inline void far_names_changed(struct inode *dir)
{
	if (dir->far)
		far_inode(dir)->recalls++;
}

/*
 * The inode of @attr, with a reference; if it is far, its home has counted us once more
 * (@given), or we have it already. -ENOMEM (then the home's count is still to be given back),
 * -ESTALE (our own, and gone), -ENOENT (not given, and unknown here).
 */
int far_inode_of(struct far_part *part, const struct far_attr *attr, bool given,
		 struct inode **out);
/* Stands for an inode whose core is dead: all that is asked of it gives -EIO. */
int far_inode_lost(struct far_part *part, const struct far_attr *attr, struct inode **out);
/* What was given could not be kept. */
void far_give_back(struct far_part *part, u64 ino);
/* shard_call() to the home of @inode. */
s64 far_node_ask(const struct inode *inode, u16 op, const void *args, u32 bytes, void *answer,
		 u32 room, u32 *got);
/* The inode @ino, wherever it lives; may ask its home. -ESTALE, -EIO, -ENOMEM. */
int far_inode_by_number(struct far_part *part, u64 ino, struct inode **out);
void far_attr_apply(struct inode *inode, const struct far_attr *attr);
/* Is what @core sent a possible attribute set of an inode? */
bool far_attr_is_sane(const struct far_attr *attr, u32 home);
int far_refresh(struct vfs_task *t, struct inode *inode);

/* --- far_names.c, far_data.c --- */

extern const struct inode_ops far_dir_inode_ops, far_file_inode_ops, far_link_inode_ops,
	far_special_inode_ops;
extern const struct file_ops far_dir_ops, far_file_ops;
void far_evict(struct inode *inode);
/* Pages lent to us are no longer the file's, or ours. */
void far_pages_drop(struct inode *inode, u64 first, u64 last);
int far_set_attr(struct vfs_task *t, struct inode *inode, const struct attr *attr);

/* --- far_share.c --- */

struct far_holder {
	u32 core;
	s32 uses; /* counted in inode->writers */
	u64 given;
};

struct far_lease {
	struct far_lease *next;
	u32 hash, core;
};

/* What the home of an inode remembers of those who refer to it. Ends with the inode. */
struct far_share {
	struct far_known known;
	struct inode *inode; /* held while there are holders */
	struct far_holder *holders;
	u32 nholders, room;
	u32 version;
	/* a directory's: */
	struct far_lease **leases;
	u32 nbuckets, nleases;
	bool busy; /* being changed */
	struct fiber_queue waiters;
	/* a file's: */
	u64 lent[FAR_CORES / 64]; /* cores that have borrowed pages */
	u64 lendings;
};

/* The share of @inode, an own one; made if it has none. NULL: no memory. */
struct far_share *far_share_of(struct inode *inode);
/* That which is there; @inode->shared is set. */
struct far_share *far_share_find(const struct inode *inode);
/* @core refers to @inode once more. 0 or -ENOMEM. */
int far_share_give(struct inode *inode, u32 core);
/* ... and @count times less. True: no more. The share may have ended with that. */
bool far_share_drop(struct far_share *share, u32 core, u64 count);
void far_share_attr(struct inode *inode, struct far_attr *attr);
/* An inode that is shared is evicted. */
void far_share_evict(struct inode *inode);
int far_share_set_attr(struct vfs_task *t, struct inode *inode, const struct attr *attr);
extern const struct inode_ops far_share_dir_ops, far_share_file_ops, far_share_link_ops,
	far_share_special_ops;

u32 far_name_hash(const char *name, u32 len);
/* More leases of one directory than this are not given. */
#define FAR_LEASES_MAX 65536u
int far_lease_add(struct far_share *share, u32 hash, u32 core);

/* Let nobody else change @dir, which is shared. */
void far_dir_lock(struct inode *dir);
void far_dir_unlock(struct inode *dir);
/*
 * @name in @dir, which is locked, is about to change: recall it from all but @asker, who gets (if
 * it is another core) a lease of what it will be. 0 or -ENOMEM.
 */
/* Sets bits in @kept: cores where the name is in use. */
int far_recall(struct inode *dir, const char *name, u32 len, u32 asker, u64 *kept);
/* Tell the cores of @kept what became of the name. */
void far_tell_gone(struct inode *dir, const char *name, u32 len, const u64 *kept);
void far_leases_forget(struct far_share *share, u32 core);

/* --- far_attr.c --- */

/* An attribute of the far @inode: FAR_XATTR_*. @value is taken or filled; results as xattr.h's. */
s64 far_xattr(const struct inode *inode, u32 what, u32 flags, const char *name, void *value,
	      size_t size);
int far_statfs(struct superblock *sb, struct vfs_statfs *st);
s64 far_serve_xattr(struct shard_request *r);
s64 far_serve_flags(struct shard_request *r);
s64 far_serve_statfs(struct shard_request *r);

/* --- far_pages.c --- */

int far_page(struct inode *inode, u64 index, bool make, struct page **out);
u32 far_pages(struct inode *inode, u64 index, u32 count, struct page **out);
s64 far_serve_page(struct shard_request *r);
s64 far_serve_page_recall(struct shard_request *r);

/* --- far_use.c --- */

s64 far_serve_use(struct shard_request *r);
s64 far_serve_unused(struct shard_request *r);
/* The far @inode ends: what its home still counts. */
void far_use_end(struct inode *inode);

/* --- far_home.c --- */

/*
 * Changes of names where the directory lives, for @asker (a core; this one's own processes too).
 * Each counts links of the inodes concerned wherever they live, and keeps the dentries of this
 * core true if another asks.
 */
int far_home_make(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		  const struct new_node *node, struct inode **out);
int far_home_link(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		  struct inode *inode);
/* @inode, whose link is counted already, gets the name. */
int far_home_enter(struct inode *dir, const char *name, u32 len, struct inode *inode, u32 asker);
/* @flags: FAR_DIRECTORY, FAR_DONE */
int far_home_unlink(struct inode *dir, const char *name, u32 len, u64 ino, u32 asker, u32 flags);
/* Any rename in which not all is this core's alone, or which gives a directory another parent. */
int far_rename(struct vfs_task *t, const struct rename_args *args);

static inline bool rename_moves_dir(const struct rename_args *a)
{
	return a->olddir != a->newdir &&
	       (inode_is(a->old, S_IFDIR) || (a->exchange && inode_is(a->replaced, S_IFDIR)));
}

/*
 * From the own directory @dir upwards: 1: it is below the number @above, or the same. 0: *@next is
 * the first directory on the way that lives elsewhere; 0: there is none.
 */
int far_climb(const struct inode *dir, u64 above, u64 *next);
s64 far_serve_below(struct shard_request *r);
/* The old name is in a directory of this core; the new one may be elsewhere (then renames of the
 * file system are locked). */
int far_home_rename(const struct rename_args *args, u32 asker);
/* The other half: @inode takes the name @a->newname, in a directory of this core. */
int far_home_rename_in(const struct rename_args *a);
/* Count links of @inode, wherever it lives; see FAR_NLINK. */
int far_count_link(struct inode *inode, s32 delta, u32 flags, const struct inode *parent);
int far_count_own_link(struct inode *inode, s32 delta, u32 flags, u64 parent);
/* Make what this core has cached true: a name is gone; it may be another's; it has moved. */
void far_dentry_gone(struct inode *dir, const char *name, u32 len, bool authoritative);
void far_dentry_recall(struct inode *dir, const char *name, u32 len);
void far_dentry_moved(const struct far_moved *m, struct inode *olddir, struct inode *newdir,
		      const char *names);

/* --- far_serve.c --- */

int far_serve(struct vfs *vfs);
int far_serve_data(struct vfs *vfs);  /* far_serve_data.c */
int far_serve_locks(struct vfs *vfs); /* far_locks.c */

/* --- inline --- */

static inline struct shard_net *far_net(const struct inode *inode)
{
	return inode->sb->vfs->far->net;
}

static inline struct far_node far_node_of(const struct inode *inode)
{
	return (struct far_node){inode->sb->part->id, inode->ino};
}

#endif
