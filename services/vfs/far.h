/*
 * Files of other cores: what the rest of the personality calls.
 *
 * A file system that cores share (tmpfs and what is one inside: rootfs, ramfs, devtmpfs, devpts,
 * the files of memfd_create) is known everywhere by a number, in which the core that mounted it,
 * its home, stands. Every core that meets it has a part of it: a struct superblock of its own with
 *
 *   - inodes that were made by processes of this core: they live here;
 *   - far inodes, which stand for those of other cores and ask their homes.
 *
 * An inode's number says where it lives, so (file system, number) is all that one core must tell
 * another of a file. A directory's names are kept where the directory lives.
 *
 * proc, sysfs and nullfs are not shared: each core has an instance of its own, which looks the
 * same and has the same numbers.
 *
 * With one core none of this is ever called, and nothing is kept for it.
 *
 * Runs in: the personality, host tests.
 */
#ifndef VFS_FAR_H
#define VFS_FAR_H

#include <vfs/inode.h>

struct shard_net;

/**
 * Make an instance one of several: serves the other cores' calls for files (0x300 and up).
 *
 * @ncores  how many may ever take part: numbers of devices are dealt out by it
 * Call it once, before the instance has met others. 0 or -ENOMEM.
 */
int vfs_far_join(struct vfs *vfs, struct shard_net *net, u32 ncores);

/* A core died; called by lib/shard's notice, and by tests. Its inodes give -EIO from now on. */
void vfs_far_core_died(struct vfs *vfs, u32 core);

/* --- File systems --- */

/* The number by which all cores know @sb; not 0. Never waits. 0: no memory. */
u64 vfs_sb_id(struct superblock *sb);

/**
 * This core's part of the file system @id, made if it is not there (then this waits for the home).
 *
 * @out  has a reference of the caller's (sb->refs), as superblock_put() gives back
 * Returns 0, -ESTALE (there is no such), -EHOSTDOWN (its home is dead), -ENOMEM.
 */
int vfs_sb_attach(struct vfs *vfs, u64 id, struct superblock **out);

/* --- Places ---
 *
 * A dentry on its way to another core: its file system, the names from the root of that down to it
 * ("a/b/c", "" is the root), and the number of the inode, which decides if the names meanwhile
 * lead elsewhere or the file has no name any more.
 */

#define FAR_NAMELESS                                                                               \
	1u /* has no place in the tree (a memfd, a deleted file); the name is for show */

struct far_place {
	u64 sb;
	u64 ino;
	u32 flags; /* FAR_* */
	u32 len;   /* of the names, without a NUL */
};

/**
 * Tell where @dentry is. The inode must be held here until the other core has called
 * vfs_place_import(): the caller keeps its reference so long.
 *
 * @names  room for @size bytes
 * Returns 0, -ENAMETOOLONG, -ENOMEM.
 */
int vfs_place_export(struct dentry *dentry, struct far_place *place, char *names, size_t size);

/**
 * The dentry of a place, with a reference. May wait. Permission is not checked.
 *
 * @t      for whom names of /proc are looked up
 * Returns 0, -ESTALE (it is gone), -EHOSTDOWN, -ENOMEM, -EBADMSG (@place makes no sense).
 */
int vfs_place_import(struct vfs_task *t, const struct far_place *place, const char *names,
		     struct dentry **out);

/* --- Inodes --- */

/* On which core @inode lives; UINT32_MAX: on this one. */
u32 inode_home(const struct inode *inode);

/* The inode @ino of this core's own that others know; NULL: none. Takes a reference. */
struct inode *vfs_own_inode(struct vfs *vfs, u64 sb, u64 ino);

#endif
