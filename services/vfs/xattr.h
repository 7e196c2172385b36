/*
 * Extended attributes: names with values that hang at an inode.
 *
 * Kept in memory with the inode, in order of names; a file system says by superblock.xattrs that
 * its inodes may have them.
 *
 * Runs in: the personality, host tests. Source: xattr(7).
 */
#ifndef VFS_XATTR_H
#define VFS_XATTR_H

#include <vfs/vfs.h>

#define VFS_XATTR_NAME_MAX 255u
#define VFS_XATTR_SIZE_MAX 65536u
#define VFS_XATTR_LIST_MAX 65536u

struct xattr;

/*
 * In all four: which file is (@dirfd, @path, @flags) as in fstatat(2), with AT_SYMLINK_NOFOLLOW
 * and AT_EMPTY_PATH; a NULL @path is the file that is open as @dirfd. -EINVAL: other flags.
 */

/** setxattr(2); @flags_set XATTR_CREATE, XATTR_REPLACE. @size at most VFS_XATTR_SIZE_MAX. */
int vfs_xattr_set(struct vfs_task *t, int dirfd, const char *path, u32 flags, const char *name,
		  const void *value, size_t size, u32 flags_set);
/** getxattr(2): the value's length; @size 0 asks for it alone. -ERANGE: @size is too small. */
s64 vfs_xattr_get(struct vfs_task *t, int dirfd, const char *path, u32 flags, const char *name,
		  void *value, size_t size);
/** listxattr(2): names with their NULs; as above. */
s64 vfs_xattr_list(struct vfs_task *t, int dirfd, const char *path, u32 flags, char *list,
		   size_t size);
/** removexattr(2). */
int vfs_xattr_remove(struct vfs_task *t, int dirfd, const char *path, u32 flags, const char *name);

/** A value without any check of permission (exec: "security.capability"). -ENODATA, -ERANGE. */
s64 inode_xattr(const struct inode *inode, const char *name, void *value, size_t size);
/** The same for changes: XATTR_CREATE, XATTR_REPLACE. */
int inode_xattr_set(struct inode *inode, const char *name, const void *value, size_t size,
		    u32 flags);
int inode_xattr_remove(struct inode *inode, const char *name);
/** The names with their NULs; "trusted." ones if @all. @size 0 asks for the length. -ERANGE. */
s64 inode_xattr_list(const struct inode *inode, bool all, char *list, size_t size);
/** The inode ends. */
void inode_xattrs_free(struct inode *inode);

#endif
