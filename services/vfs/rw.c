/*
 * Reading and writing open files, and changing their sizes.
 *
 * Source: read(2), write(2), pread(2), preadv2(2), lseek(2), truncate(2), fallocate(2), fsync(2),
 * getdents(2).
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <signal.h>
#include <unistd.h>

#define RWF_KNOWN     0x3fu /* HIPRI, DSYNC, SYNC, NOWAIT, APPEND, NOAPPEND */
#define RWF_NOWAIT_   0x08u
#define RWF_APPEND_   0x10u
#define RWF_NOAPPEND_ 0x20u

/* A range of bytes must end where a position can be. */
static bool ends_nowhere(const struct file *file, const struct uio *uio, const s64 *pos)
{
	return file->ops->seek && uio->left > (u64)(INT64_MAX - *pos);
}

s64 file_read(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	if (!(file->mode & FILE_READ))
		return -EBADF;
	if (inode_is(file->inode, S_IFDIR))
		return -EISDIR;
	if (!file->ops->read || ends_nowhere(file, uio, pos))
		return -EINVAL;
	uio->left = MIN(uio->left, VFS_RW_MAX);
	return file->ops->read(t, file, uio, pos);
}

s64 file_write(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	if (!(file->mode & FILE_WRITE))
		return -EBADF;
	if (!file->ops->write || ends_nowhere(file, uio, pos))
		return -EINVAL;
	uio->left = MIN(uio->left, VFS_RW_MAX);
	return file->ops->write(t, file, uio, pos);
}

s64 vfs_read(struct vfs_task *t, int fd, struct uio *uio)
{
	struct file *file;
	s64 n = fd_need(t, fd, 0, &file);

	if (n)
		return n;
	n = file_read(t, file, uio, &file->pos);
	file_put(file);
	return n;
}

s64 vfs_write(struct vfs_task *t, int fd, struct uio *uio)
{
	struct file *file;
	s64 n = fd_need(t, fd, 0, &file);

	if (n)
		return n;
	n = file_write(t, file, uio, &file->pos);
	file_put(file);
	return n;
}

/* Check the flags of preadv2(2); sets @uio. */
static int check_rwf(u32 flags, struct uio *uio)
{
	if (flags & ~RWF_KNOWN)
		return -EOPNOTSUPP;
	if ((flags & RWF_APPEND_) && (flags & RWF_NOAPPEND_))
		return -EINVAL;
	uio->nowait = flags & RWF_NOWAIT_;
	uio->append = !!(flags & RWF_APPEND_) - !!(flags & RWF_NOAPPEND_);
	return 0;
}

/* A file that is read or written at a place of its own. */
static int positioned(struct vfs_task *t, int fd, s64 pos, u32 flags, struct uio *uio,
		      struct file **file)
{
	int err;

	if (pos < 0)
		return -EINVAL;
	err = fd_need(t, fd, 0, file);
	if (err)
		return err;
	err = (*file)->ops->seek && (*file)->ops->seek != file_seek_nothing ? check_rwf(flags, uio)
									    : -ESPIPE;
	if (err)
		file_put(*file);
	return err;
}

s64 vfs_pread(struct vfs_task *t, int fd, struct uio *uio, s64 pos, u32 flags)
{
	struct file *file;
	s64 n = positioned(t, fd, pos, flags, uio, &file);

	if (n)
		return n;
	n = file_read(t, file, uio, &pos);
	file_put(file);
	return n;
}

s64 vfs_pwrite(struct vfs_task *t, int fd, struct uio *uio, s64 pos, u32 flags)
{
	struct file *file;
	s64 n = positioned(t, fd, pos, flags, uio, &file);

	if (n)
		return n;
	n = file_write(t, file, uio, &pos);
	file_put(file);
	return n;
}

/* preadv2 and pwritev2 with position -1. */
static s64 at_own_position(struct vfs_task *t, int fd, struct uio *uio, u32 flags, bool write)
{
	struct file *file;
	s64 n = fd_need(t, fd, 0, &file);

	if (n)
		return n;
	n = check_rwf(flags, uio);
	if (!n && write)
		n = file_write(t, file, uio, &file->pos);
	else if (!n)
		n = file_read(t, file, uio, &file->pos);
	file_put(file);
	return n;
}

s64 vfs_preadv2(struct vfs_task *t, int fd, struct uio *uio, s64 pos, u32 flags)
{
	return pos == -1 ? at_own_position(t, fd, uio, flags, false)
			 : vfs_pread(t, fd, uio, pos, flags);
}

s64 vfs_pwritev2(struct vfs_task *t, int fd, struct uio *uio, s64 pos, u32 flags)
{
	return pos == -1 ? at_own_position(t, fd, uio, flags, true)
			 : vfs_pwrite(t, fd, uio, pos, flags);
}

/* --- Position --- */

s64 file_seek_fixed(struct file *file, s64 offset, u32 whence, u64 size)
{
	s64 base = 0, to;

	if (whence == SEEK_CUR)
		base = file->pos;
	else if (whence == SEEK_END)
		base = (s64)size;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (__builtin_add_overflow(base, offset, &to) || to < 0)
		return -EINVAL;
	file->pos = to;
	return to;
}

s64 vfs_lseek(struct vfs_task *t, int fd, s64 offset, u32 whence)
{
	struct file *file = fd_peek(t, fd);
	s64 to;

	if (!file)
		return -EBADF;
	if (whence > SEEK_HOLE)
		return -EINVAL;
	if (!file->ops->seek)
		return -ESPIPE;
	file_get(file);
	to = file->ops->seek(t, file, offset, whence);
	file_put(file);
	return to;
}

/* --- Size --- */

int inode_truncate(struct vfs_task *t, struct inode *inode, u64 size)
{
	struct attr attr = {.valid = ATTR_SIZE | ATTR_MTIME | ATTR_CTIME, .size = size};

	if (size > inode->size && size > t->fsize_limit) {
		t->vfs->env->signal_task(t->vfs->arg, t, SIGXFSZ);
		return -EFBIG;
	}
	if (size > INT64_MAX)
		return -EFBIG;
	attr.mtime = attr.ctime = vfs_now(t->vfs);
	if (!inode->ops->set_attr)
		return -EPERM;
	return inode->ops->set_attr(t, inode, &attr);
}

int vfs_truncate(struct vfs_task *t, const char *path, s64 length)
{
	struct path at;
	struct inode *inode;
	int err;

	if (length < 0)
		return -EINVAL;
	err = vfs_walk(t, AT_FDCWD, path, WALK_FOLLOW, &at);
	if (err)
		return err;
	inode = at.dentry->inode;
	if (inode_is(inode, S_IFDIR))
		err = -EISDIR;
	else if (!inode_is(inode, S_IFREG))
		err = -EINVAL;
	else if (mount_is_readonly(at.mnt))
		err = -EROFS;
	if (!err)
		err = inode_permission(t, inode, MAY_WRITE);
	if (!err && (inode->flags & VFS_FL_APPEND))
		err = -EPERM;
	if (!err && inode->writers < 0)
		err = far_use(inode, 1);
	if (!err)
		err = inode_truncate(t, inode, (u64)length);
	path_put(&at);
	return err;
}

int vfs_ftruncate(struct vfs_task *t, int fd, s64 length)
{
	struct file *file;
	int err;

	if (length < 0)
		return -EINVAL;
	err = fd_need(t, fd, 0, &file);
	if (err)
		return err;
	if (!inode_is(file->inode, S_IFREG) || !(file->mode & FILE_WRITE))
		err = -EINVAL;
	else if (file->inode->flags & VFS_FL_APPEND)
		err = -EPERM;
	else
		err = inode_truncate(t, file->inode, (u64)length);
	file_put(file);
	return err;
}

static int check_fallocate(const struct file *file, u32 mode)
{
	if (!(file->mode & FILE_WRITE))
		return -EBADF;
	if (inode_is(file->inode, S_IFIFO))
		return -ESPIPE;
	if (inode_is(file->inode, S_IFDIR))
		return -EISDIR;
	if (!inode_is(file->inode, S_IFREG))
		return -ENODEV;
	if (mode & ~(u32)(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE) || !file->ops->fallocate)
		return -EOPNOTSUPP;
	if ((mode & FALLOC_FL_PUNCH_HOLE) && !(mode & FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	if ((file->inode->flags & VFS_FL_IMMUTABLE) ||
	    ((mode & FALLOC_FL_PUNCH_HOLE) && (file->inode->flags & VFS_FL_APPEND)))
		return -EPERM;
	return 0;
}

int vfs_fallocate(struct vfs_task *t, int fd, u32 mode, s64 offset, s64 len)
{
	struct file *file;
	s64 end;
	int err = fd_need(t, fd, 0, &file);

	if (err)
		return err;
	if (offset < 0 || len <= 0)
		err = -EINVAL;
	else
		err = check_fallocate(file, mode);
	if (!err && __builtin_add_overflow(offset, len, &end))
		err = -EFBIG;
	if (!err)
		err = file->ops->fallocate(t, file, mode, (u64)offset, (u64)len);
	file_put(file);
	return err;
}

/* --- The rest --- */

int vfs_fsync(struct vfs_task *t, int fd, bool data_only)
{
	struct file *file;
	int err = fd_need(t, fd, 0, &file);

	if (err)
		return err;
	err = file->ops->fsync ? file->ops->fsync(t, file, data_only) : -EINVAL;
	file_put(file);
	return err;
}

int vfs_fadvise(struct vfs_task *t, int fd, s64 offset, s64 len, u32 advice)
{
	struct file *file;
	int err = fd_need(t, fd, 0, &file);

	(void)offset;
	if (err)
		return err;
	if (inode_is(file->inode, S_IFIFO))
		err = -ESPIPE;
	else if (len < 0 || advice > POSIX_FADV_NOREUSE)
		err = -EINVAL;
	file_put(file);
	return err;
}

int vfs_readahead(struct vfs_task *t, int fd, s64 offset, s64 len)
{
	struct file *file;
	int err = fd_need(t, fd, FILE_READ, &file);

	(void)offset;
	(void)len;
	if (err)
		return err;
	if (!inode_is(file->inode, S_IFREG) || !file->inode->ops->page)
		err = -EINVAL;
	file_put(file);
	return err;
}

int vfs_sync_file_range(struct vfs_task *t, int fd, s64 offset, s64 len, u32 flags)
{
	struct file *file;
	s64 end;
	int err = fd_need(t, fd, 0, &file);

	if (err)
		return err;
	if ((flags & ~7u) || offset < 0 || len < 0 || __builtin_add_overflow(offset, len, &end))
		err = -EINVAL;
	else if (!inode_is(file->inode, S_IFREG) && !inode_is(file->inode, S_IFDIR))
		err = -ESPIPE;
	file_put(file);
	return err; /* what is in memory is as safe as it gets */
}

int vfs_syncfs(struct vfs_task *t, int fd)
{
	struct file *file;
	int err = fd_need(t, fd, 0, &file);

	if (!err)
		file_put(file);
	return err;
}

s64 vfs_cached_pages(struct vfs_task *t, int fd, u64 offset, u64 len)
{
	struct file *file;
	u64 end = len ? offset + len : UINT64_MAX, at = offset, pages = 0;
	s64 pos, err = fd_need(t, fd, 0, &file);

	if (err)
		return err;
	if (!inode_is(file->inode, S_IFREG) || !file->inode->ops->page || !file->ops->seek) {
		file_put(file);
		return 0;
	}
	pos = file->pos; /* which a seek moves */
	while (at < end && at <= INT64_MAX) {
		s64 data = file->ops->seek(t, file, (s64)at, SEEK_DATA), hole;

		if (data < 0 || (u64)data >= end)
			break;
		hole = file->ops->seek(t, file, data, SEEK_HOLE);
		if (hole < 0)
			break;
		at = (u64)hole;
		pages += (ROUND_UP(MIN(at, end), PAGE_SIZE) - ROUND_DOWN((u64)data, PAGE_SIZE)) /
			 PAGE_SIZE;
	}
	file->pos = pos;
	file_put(file);
	return (s64)pages;
}

int vfs_ioctl(struct vfs_task *t, int fd, u32 cmd, u64 arg)
{
	struct file *file;
	int err = fd_need(t, fd, 0, &file);

	if (err)
		return err;
	err = file_ioctl(t, file, fd, cmd, arg);
	file_put(file);
	return err;
}
