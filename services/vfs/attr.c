/*
 * Changing attributes: chmod(2), chown(2), utimensat(2).
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#define NSEC_PER_SEC 1000000000u

static int change_path(struct vfs_task *t, const struct path *path, struct attr *attr)
{
	if (mount_is_readonly(path->mnt))
		return -EROFS;
	if ((attr->valid & ATTR_MODE) && inode_is(path->dentry->inode, S_IFLNK))
		return -EOPNOTSUPP;
	return inode_change(t, path->dentry->inode, attr);
}

static int change_at(struct vfs_task *t, int dirfd, const char *path, u32 flags, struct attr *attr)
{
	u32 walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct path at;
	int err;

	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH)
		walk |= WALK_EMPTY_PATH;
	err = vfs_walk(t, dirfd, path, walk, &at);
	if (err)
		return err;
	err = change_path(t, &at, attr);
	path_put(&at);
	return err;
}

static int change_fd(struct vfs_task *t, int fd, struct attr *attr)
{
	struct file *file;
	int err = fd_need(t, fd, 0, &file);

	if (err)
		return err;
	err = change_path(t, &file->path, attr);
	file_put(file);
	return err;
}

static struct attr mode_attr(u32 mode)
{
	return (struct attr){.valid = ATTR_MODE, .mode = mode & 07777};
}

int vfs_fchmodat2(struct vfs_task *t, int dirfd, const char *path, u32 mode, u32 flags)
{
	struct attr attr = mode_attr(mode);

	return change_at(t, dirfd, path, flags, &attr);
}

int vfs_fchmod(struct vfs_task *t, int fd, u32 mode)
{
	struct attr attr = mode_attr(mode);

	return change_fd(t, fd, &attr);
}

static struct attr owner_attr(u32 uid, u32 gid)
{
	return (struct attr){.valid = (uid != UINT32_MAX ? ATTR_UID : 0) |
				      (gid != UINT32_MAX ? ATTR_GID : 0),
			     .uid = uid,
			     .gid = gid};
}

int vfs_fchownat(struct vfs_task *t, int dirfd, const char *path, u32 uid, u32 gid, u32 flags)
{
	struct attr attr = owner_attr(uid, gid);

	return change_at(t, dirfd, path, flags, &attr);
}

int vfs_fchown(struct vfs_task *t, int fd, u32 uid, u32 gid)
{
	struct attr attr = owner_attr(uid, gid);

	return change_fd(t, fd, &attr);
}

/* --- Times --- */

static bool bad_nsec(u32 nsec)
{
	return nsec >= NSEC_PER_SEC && nsec != UTIME_NOW && nsec != UTIME_OMIT;
}

/* Set the times of @path; NULL @times: both now, which whoever may write may do. */
static int set_times(struct vfs_task *t, const struct path *path, const struct vfs_time *times)
{
	struct inode *inode = path->dentry->inode;
	struct attr attr = {.valid = ATTR_ATIME | ATTR_MTIME};
	struct vfs_time now = vfs_now(t->vfs);
	int err;

	if (mount_is_readonly(path->mnt))
		return -EROFS;
	attr.atime = times && times[0].nsec != UTIME_NOW ? times[0] : now;
	attr.mtime = times && times[1].nsec != UTIME_NOW ? times[1] : now;
	if (times && times[0].nsec == UTIME_OMIT)
		attr.valid &= ~ATTR_ATIME;
	if (times && times[1].nsec == UTIME_OMIT)
		attr.valid &= ~ATTR_MTIME;
	if (!inode_is_owner(t, inode)) {
		if (times)
			return -EPERM;
		err = inode_permission(t, inode, MAY_WRITE);
		if (err)
			return err;
	}
	return inode_change(t, inode, &attr);
}

int vfs_utimensat(struct vfs_task *t, int dirfd, const char *path, const struct vfs_time *times,
		  u32 flags)
{
	u32 walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct file *file;
	struct path at;
	int err;

	if (times && times[0].nsec == UTIME_OMIT && times[1].nsec == UTIME_OMIT)
		return 0;
	if (times && (bad_nsec(times[0].nsec) || bad_nsec(times[1].nsec)))
		return -EINVAL;
	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (times && times[0].nsec == UTIME_NOW && times[1].nsec == UTIME_NOW)
		times = NULL;
	if (!path) {
		if (flags)
			return -EINVAL;
		err = fd_need(t, dirfd, 0, &file);
		if (err)
			return err;
		err = set_times(t, &file->path, times);
		file_put(file);
		return err;
	}
	if (flags & AT_EMPTY_PATH)
		walk |= WALK_EMPTY_PATH;
	err = vfs_walk(t, dirfd, path, walk, &at);
	if (err)
		return err;
	err = set_times(t, &at, times);
	path_put(&at);
	return err;
}

/* --- Flags (ioctl_iflags(2)) --- */

#define FLAGS_SETTABLE   (VFS_FL_IMMUTABLE | VFS_FL_APPEND | VFS_FL_NODUMP | VFS_FL_NOATIME)
#define FLAGS_PRIVILEGED (VFS_FL_IMMUTABLE | VFS_FL_APPEND)

static int set_inode_flags(struct vfs_task *t, struct file *file, u32 flags)
{
	struct inode *inode = file->inode;

	if (mount_is_readonly(file->path.mnt))
		return -EROFS;
	if (!inode_is_owner(t, inode))
		return -EPERM;
	if (((flags ^ inode->flags) & FLAGS_PRIVILEGED) && !vfs_capable(t, VFS_CAP_LINUX_IMMUTABLE))
		return -EPERM;
	if (flags & ~FLAGS_SETTABLE)
		return -EOPNOTSUPP;
	return inode->far ? far_set_flags(inode, flags) : inode_set_flags(inode, flags);
}

int inode_set_flags(struct inode *inode, u32 flags)
{
	inode->flags = flags;
	inode_touch(inode, ATTR_CTIME);
	if (inode->shared)
		far_share_tell(inode);
	return 0;
}

s64 flags_ioctl(struct vfs_task *t, struct file *file, u32 cmd, u64 arg)
{
	const struct vfs_env *env = t->vfs->env;
	u32 flags = file->inode->flags;

	if (!file->inode->sb->xattrs ||
	    (!inode_is(file->inode, S_IFREG) && !inode_is(file->inode, S_IFDIR)))
		return -ENOTTY;
	if (cmd == FS_IOC_GETFLAGS)
		return env->user_write(t->vfs->arg, t, arg, &flags, sizeof(flags));
	if (env->user_read(t->vfs->arg, t, &flags, arg, sizeof(flags)))
		return -EFAULT;
	return set_inode_flags(t, file, flags);
}
