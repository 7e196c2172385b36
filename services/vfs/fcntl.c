/*
 * fcntl(2) but for locks, and the ioctls that all files know.
 *
 * Runs in: the personality, host tests.
 */
#include "fdtable.h"
#include "internal.h"
#include <vfs/far_file.h>

#include <sys/ioctl.h>

#ifndef FIGETBSZ
#define FIGETBSZ 2
#endif

/* What F_SETFL may change. */
#define SETTABLE (O_APPEND | O_NONBLOCK | VFS_O_ASYNC | O_DIRECT | O_NOATIME)

static int set_flags(struct vfs_task *t, struct file *file, int fd, u64 arg)
{
	u32 flags = (u32)arg;
	int err = 0;

	if ((flags & O_NOATIME) && !(file->flags & O_NOATIME) && !inode_is_owner(t, file->inode))
		return -EPERM;
	if ((flags & O_DIRECT) && !file->inode->ops->page &&
	    !(inode_is(file->inode, S_IFIFO) && file->inode->pipe))
		return -EINVAL;
	if ((file->inode->flags & VFS_FL_APPEND) && (file->flags & ~flags & O_APPEND))
		return -EPERM;
	if ((flags ^ file->flags) & VFS_O_ASYNC)
		err = async_set(file, fd, flags & VFS_O_ASYNC);
	if (!err)
		file->flags = (file->flags & ~(u32)SETTABLE) | (flags & SETTABLE);
	return err;
}

s64 file_fcntl(struct vfs_task *t, struct file *file, int fd, int cmd, u64 arg)
{
	switch (cmd) {
	case F_GETFL:
		return file->flags;
	case F_SETFL:
		return set_flags(t, file, fd, arg);
	case VFS_F_ADD_SEALS:
	case VFS_F_GET_SEALS:
		return file_seals(t, file, cmd, arg);
	case F_SETPIPE_SZ:
	case F_GETPIPE_SZ:
		return pipe_fcntl(t, file, cmd, arg);
	case VFS_F_CREATED_QUERY:
		return file->mode & FILE_CREATED ? 1 : 0;
	default:
		return async_fcntl(t, file, cmd, arg);
	}
}

/* Is descriptor @other the same open file? */
static s64 is_same(struct vfs_task *t, const struct file *file, int other)
{
	struct file *with = fd_get(t, other);

	if (!with)
		return -EBADF;
	file_put(with);
	return with == file;
}

s64 vfs_fcntl(struct vfs_task *t, int fd, int cmd, u64 arg)
{
	struct file *file = fd_get(t, fd);
	s64 result;

	if (!file)
		return -EBADF;
	switch (cmd) {
	case F_DUPFD:
		result = fd_dup_from(t, fd, arg, false);
		break;
	case F_DUPFD_CLOEXEC:
		result = fd_dup_from(t, fd, arg, true);
		break;
	case F_GETFD:
		result = fd_cloexec(t, fd) ? FD_CLOEXEC : 0;
		break;
	case F_SETFD:
		result = fd_set_cloexec(t, fd, arg & FD_CLOEXEC);
		break;
	case F_GETFL:
		result = file->ops->fcntl ? file->ops->fcntl(t, file, fd, cmd, arg) : file->flags;
		break;
	case VFS_F_DUPFD_QUERY:
		result = is_same(t, file, (int)arg);
		break;
	default: /* O_PATH descriptors know only the above */
		if (file->mode & FILE_PATH)
			result = -EBADF;
		else if (file->ops->fcntl)
			result = file->ops->fcntl(t, file, fd, cmd, arg);
		else
			result = file_fcntl(t, file, fd, cmd, arg);
	}
	file_put(file);
	return result;
}

/* --- ioctl --- */

static int user_int(struct vfs_task *t, u64 arg, int *value)
{
	return t->vfs->env->user_read(t->vfs->arg, t, value, arg, sizeof(*value));
}

static int give_int(struct vfs_task *t, u64 arg, int value)
{
	return t->vfs->env->user_write(t->vfs->arg, t, arg, &value, sizeof(value));
}

static int set_flag(struct vfs_task *t, struct file *file, u64 arg, u32 flag)
{
	int on, err = user_int(t, arg, &on);

	if (err)
		return err;
	file->flags = on ? file->flags | flag : file->flags & ~flag;
	return 0;
}

static int set_async(struct vfs_task *t, struct file *file, int fd, u64 arg)
{
	int err = set_flag(t, file, arg, VFS_O_ASYNC);

	return err ? err : async_set(file, fd, file->flags & VFS_O_ASYNC);
}

/* FICLONE, FICLONERANGE: files that share their pages, which no file system here can do. */
static int clone_range(struct vfs_task *t, struct file *file, u32 cmd, u64 arg)
{
	u64 range[4]; /* struct file_clone_range: source, its offset, length, offset */
	struct file *from;
	int err;

	if (cmd == FICLONE)
		range[0] = arg;
	else if (t->vfs->env->user_read(t->vfs->arg, t, range, arg, sizeof(range)))
		return -EFAULT;
	err = fd_need(t, (int)range[0], 0, &from);
	if (err)
		return err;
	if (from->inode->sb != file->inode->sb)
		err = -EXDEV;
	else if (inode_is(from->inode, S_IFDIR) || inode_is(file->inode, S_IFDIR))
		err = -EISDIR;
	else if (!inode_is(from->inode, S_IFREG) || !inode_is(file->inode, S_IFREG))
		err = -EINVAL;
	else if (!(from->mode & FILE_READ) || !(file->mode & FILE_WRITE))
		err = -EBADF;
	else
		err = -EOPNOTSUPP;
	file_put(from);
	return err;
}

int file_ioctl(struct vfs_task *t, struct file *file, int fd, u32 cmd, u64 arg)
{
	int err;

	switch (cmd) {
	case FIOCLEX:
		return fd_set_cloexec(t, fd, true);
	case FIONCLEX:
		return fd_set_cloexec(t, fd, false);
	case FICLONE:
	case FICLONERANGE:
		return clone_range(t, file, cmd, arg);
	default:
		break;
	}
	if (file_is_far(file))
		return file->ops->ioctl(t, file, cmd, arg);
	switch (cmd) {
	case FIONBIO:
		return set_flag(t, file, arg, O_NONBLOCK);
	case FIOASYNC:
		return set_async(t, file, fd, arg);
	case FS_IOC_GETFLAGS:
	case FS_IOC_SETFLAGS:
		return (int)flags_ioctl(t, file, cmd, arg);
	case FIGETBSZ:
		return inode_is(file->inode, S_IFREG) || inode_is(file->inode, S_IFDIR)
			       ? give_int(t, arg, PAGE_SIZE)
			       : -ENOTTY;
	case FIONREAD:
		if (inode_is(file->inode, S_IFREG))
			return give_int(t, arg, (int)(file->inode->size - (u64)file->pos));
		break;
	default:
		break;
	}
	err = file->ops->ioctl ? file->ops->ioctl(t, file, cmd, arg) : -ENOTTY;
	return err;
}
