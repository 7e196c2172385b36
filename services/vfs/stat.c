/*
 * Attributes of files and file systems: stat(2), statx(2), statfs(2), access(2).
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <sys/mount.h>

#include <string.h>
#include <unistd.h>

#define STATX_ATTR_AUTOMOUNT_  0x1000u
#define STATX_ATTR_MOUNT_ROOT_ 0x2000u

static int fill(struct vfs_task *t, const struct path *path, struct vfs_stat *st)
{
	struct inode *inode = path->dentry->inode;
	int err = inode->ops->refresh ? inode->ops->refresh(t, inode) : 0;

	if (err)
		return err;
	*st = (struct vfs_stat){
		.ino = inode->ino,
		.size = inode->size,
		.blocks = inode->blocks,
		.mnt_id = path->mnt->id,
		.mnt_id_unique = path->mnt->node.key,
		.mode = inode->mode,
		.nlink = inode->nlink,
		.uid = inode->uid,
		.gid = inode->gid,
		.dev = inode->sb->dev,
		.rdev = inode->rdev,
		.blksize = PAGE_SIZE,
		.attributes_mask = STATX_ATTR_MOUNT_ROOT_ | STATX_ATTR_AUTOMOUNT_,
		.atime = inode->atime,
		.mtime = inode->mtime,
		.ctime = inode->ctime,
		.btime = inode->btime,
		.has_btime = inode->sb->xattrs, /* tmpfs has both */
	};
	if (inode->sb->xattrs) {
		st->attributes_mask |= VFS_FL_IMMUTABLE | VFS_FL_APPEND | VFS_FL_NODUMP;
		st->attributes |= inode->flags & st->attributes_mask;
	}
	if (path->dentry == path->mnt->root)
		st->attributes |= STATX_ATTR_MOUNT_ROOT_;
	return 0;
}

int vfs_fstat(struct vfs_task *t, int fd, struct vfs_stat *st)
{
	struct file *file = fd_get(t, fd);
	int err;

	if (!file)
		return -EBADF;
	err = fill(t, &file->path, st);
	file_put(file);
	return err;
}

int vfs_statat(struct vfs_task *t, int dirfd, const char *path, u32 flags, struct vfs_stat *st)
{
	const u32 known = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | 0x6000;
	bool empty = !path || !*path;
	struct path at;
	u32 walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	int err;

	if (flags & ~known)
		return -EINVAL;
	if (empty && !(flags & AT_EMPTY_PATH))
		return -ENOENT;
	if (empty && dirfd >= 0)
		return vfs_fstat(t, dirfd, st);
	err = vfs_walk(t, dirfd, path, walk | WALK_EMPTY_PATH, &at);
	if (err)
		return err;
	err = fill(t, &at, st);
	path_put(&at);
	return err;
}

/* --- statfs --- */

static int fill_fs(const struct path *path, struct vfs_statfs *st)
{
	static const struct {
		u32 mount, st;
	} flags[] = {{VFS_MNT_READONLY, 1},      {VFS_MNT_NOSUID, 2},
		     {VFS_MNT_NODEV, 4},         {VFS_MNT_NOEXEC, 8},
		     {VFS_MNT_NOATIME, 0x400},   {VFS_MNT_NODIRATIME, 0x800},
		     {VFS_MNT_RELATIME, 0x1000}, {VFS_MNT_NOSYMFOLLOW, 0x2000}};
	struct superblock *sb = path->mnt->sb;
	int err = 0;

	*st = (struct vfs_statfs){.type = sb->magic,
				  .bsize = PAGE_SIZE,
				  .frsize = PAGE_SIZE,
				  .namelen = VFS_NAME_MAX,
				  .fsid = sb->dev,
				  .flags = 0x20 /* ST_VALID */};
	if (sb->ops->statfs)
		err = sb->ops->statfs(sb, st);
	for (u32 i = 0; i < ARRAY_SIZE(flags); i++)
		st->flags |= path->mnt->flags & flags[i].mount ? flags[i].st : 0;
	st->flags |= sb->readonly | (sb->modes & MS_SYNCHRONOUS); /* ST_* are the same numbers */
	return err;
}

int vfs_statfs(struct vfs_task *t, const char *path, struct vfs_statfs *st)
{
	struct path at;
	int err = vfs_walk(t, AT_FDCWD, path, WALK_FOLLOW, &at);

	if (err)
		return err;
	err = fill_fs(&at, st);
	path_put(&at);
	return err;
}

int vfs_fstatfs(struct vfs_task *t, int fd, struct vfs_statfs *st)
{
	struct file *file = fd_get(t, fd);
	int err;

	if (!file)
		return -EBADF;
	err = fill_fs(&file->path, st);
	file_put(file);
	return err;
}

/* --- access --- */

static int check_access(struct vfs_task *t, int dirfd, const char *path, u32 mode, u32 walk)
{
	struct path at;
	struct inode *inode;
	u32 type;
	int err = vfs_walk(t, dirfd, path, walk, &at);

	if (err)
		return err;
	inode = at.dentry->inode;
	type = inode->mode & S_IFMT;
	if ((mode & X_OK) && type == S_IFREG && (at.mnt->flags & VFS_MNT_NOEXEC))
		err = -EACCES;
	else
		err = inode_permission(t, inode, mode);
	if (!err && (mode & W_OK) && mount_is_readonly(at.mnt) &&
	    (type == S_IFREG || type == S_IFDIR || type == S_IFLNK))
		err = -EROFS;
	path_put(&at);
	return err;
}

int vfs_faccessat2(struct vfs_task *t, int dirfd, const char *path, u32 mode, u32 flags)
{
	struct vfs_cred effective = t->cred;
	u32 walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	int err;

	if ((mode & ~(u32)(R_OK | W_OK | X_OK)) ||
	    (flags & ~(u32)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH)
		walk |= WALK_EMPTY_PATH;
	if (!(flags & AT_EACCESS)) {
		t->cred.fsuid = t->cred.uid;
		t->cred.fsgid = t->cred.gid;
		t->cred.caps = t->cred.uid ? 0 : t->cred.permitted;
	}
	err = check_access(t, dirfd, path, mode, walk);
	t->cred = effective;
	return err;
}
