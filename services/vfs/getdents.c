/*
 * getdents(2), getdents64(2): the names of a directory in the ABI's records.
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vfs/far_file.h>

#define BATCH (32 * KiB) /* bytes of records in one call, as most programs ask for */

/*
 * Records are gathered here and given to the caller at the end: giving may block, and the
 * directory must not change under whoever lists it.
 */
struct records {
	struct dir_context ctx;
	u8 *buf;
	size_t len, room;
	bool old;
	int err; /* why a name was not taken; counts only if none was */
};

/* struct linux_dirent64; struct linux_dirent has the name here and the type in its last byte. */
struct record {
	u64 ino, off;
	u16 reclen;
	char rest[];
};

#define RECORD_HEAD offsetof(struct record, rest)

static_assert(RECORD_HEAD == 18, "getdents64(2)");

static bool put_record(struct dir_context *ctx, const char *name, u32 len, u64 ino, u32 type,
		       u64 next)
{
	struct records *r = container_of(ctx, struct records, ctx);
	struct record *record = (struct record *)(r->buf + r->len);
	/* The head, the name with its NUL, and the type, which is before or behind it. */
	size_t reclen = ROUND_UP(RECORD_HEAD + len + 2, 8ul);

	if (len > VFS_NAME_MAX) {
		r->err = -EIO;
		return false;
	}
	if (reclen > r->room - r->len) {
		r->err = -EINVAL;
		return false;
	}
	((u64 *)record)[reclen / 8 - 1] = 0; /* what is behind the name and its NUL */
	record->ino = ino;
	record->off = next;
	record->reclen = (u16)reclen;
	memcpy(record->rest + !r->old, name, len);
	record->rest[!r->old + len] = 0;
	*(r->old ? (char *)record + reclen - 1 : record->rest) = (char)type;
	r->len += reclen;
	return true;
}

static s64 list(struct vfs_task *t, struct file *file, struct uio *uio, struct records *r)
{
	s64 err;

	r->room = MIN(uio->left, BATCH);
	r->buf = malloc(r->room);
	if (!r->buf)
		return -ENOMEM;
	err = file_is_far(file) ? MIN(file_seek_far(t, file), 0) : 0;
	r->ctx.pos = (u64)file->pos;
	if (!err)
		err = file->ops->readdir(t, file, &r->ctx);
	path_accessed(&file->path);
	if (!err && !r->len)
		err = r->err;
	if (!err && uio_put(uio, r->buf, r->len) < r->len)
		err = -EFAULT;
	if (!err)
		file->pos = (s64)r->ctx.pos;
	if (!err && file_is_far(file))
		file->ops->seek(t, file, file->pos, SEEK_SET);
	free(r->buf);
	return err ? err : (s64)r->len;
}

s64 vfs_getdents(struct vfs_task *t, int fd, struct uio *uio, bool old)
{
	struct records r = {.ctx.emit = put_record, .old = old};
	struct file *file;
	s64 n = fd_need(t, fd, 0, &file);

	if (n)
		return n;
	if (!file->ops->readdir)
		n = -ENOTDIR;
	else if (!file->inode->nlink)
		n = -ENOENT;
	else
		n = list(t, file, uio, &r);
	file_put(file);
	return n;
}
