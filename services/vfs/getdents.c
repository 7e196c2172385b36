/*
 * getdents(2), getdents64(2): the names of a directory in the ABI's records.
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <string.h>

struct records {
	struct dir_context ctx;
	struct uio *uio;
	bool old;
	int err;
};

/* struct linux_dirent64; struct linux_dirent has the type in its last byte instead. */
struct record {
	u64 ino, off;
	u16 reclen;
	char rest[1 + VFS_NAME_MAX + 1 + 7];
};

static_assert(offsetof(struct record, rest) == 18, "getdents64(2)");

static bool put_record(struct dir_context *ctx, const char *name, u32 len, u64 ino, u32 type,
		       u64 next)
{
	struct records *r = container_of(ctx, struct records, ctx);
	struct record rec = {.ino = ino, .off = next};
	size_t head = offsetof(struct record, rest) + (r->old ? 0 : 1);
	size_t reclen = ROUND_UP(head + len + 1 + (r->old ? 1 : 0), 8ul);

	if (len > VFS_NAME_MAX) {
		r->err = -EIO;
		return false;
	}
	rec.reclen = (u16)reclen;
	if (r->old) {
		memcpy(rec.rest, name, len);
		((char *)&rec)[reclen - 1] = (char)type;
	} else {
		rec.rest[0] = (char)type;
		memcpy(rec.rest + 1, name, len);
	}
	if (reclen > r->uio->left) {
		r->err = -EINVAL; /* counts only if nothing was given */
		return false;
	}
	if (uio_put(r->uio, &rec, reclen) != reclen) {
		r->err = -EFAULT;
		return false;
	}
	return true;
}

s64 vfs_getdents(struct vfs_task *t, int fd, struct uio *uio, bool old)
{
	struct records r = {.ctx.emit = put_record, .uio = uio, .old = old};
	struct file *file;
	s64 err = fd_need(t, fd, 0, &file);

	if (err)
		return err;
	if (!file->ops->readdir) {
		err = -ENOTDIR;
	} else if (!file->inode->nlink) {
		err = -ENOENT;
	} else {
		r.ctx.pos = (u64)file->pos;
		err = file->ops->readdir(t, file, &r.ctx);
		file->pos = (s64)r.ctx.pos;
		path_accessed(&file->path);
	}
	file_put(file);
	if (!err && !uio->done)
		err = r.err;
	return err ? err : (s64)uio->done;
}
