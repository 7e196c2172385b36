/*
 * Contents of far files: read and written at their homes, in pieces that a call can carry.
 *
 * Runs in: the personality, host tests.
 */
#include "far_internal.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE (SHARD_BYTES_MAX - (u32)sizeof(struct far_io))

static struct far_io io_of(const struct file *file, s64 pos)
{
	return (struct far_io){.file = far_node_of(file->inode),
			       .pos = pos,
			       .limit = UINT64_MAX,
			       .mount_flags = file->path.mnt->flags |
					      (file->flags & O_NOATIME ? VFS_MNT_NOATIME : 0)};
}

static s64 far_read(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct far_io args = io_of(file, *pos);
	size_t before = uio->done;
	char *piece = malloc(MIN(uio->left, PIECE) + 1);
	s64 n = 1;
	u32 got;

	(void)t;
	if (!piece)
		return -ENOMEM;
	while (uio->left && n > 0) {
		args.pos = *pos;
		args.len = MIN(uio->left, PIECE);
		got = 0;
		n = far_node_ask(file->inode, FAR_READ, &args, sizeof(args), piece, (u32)args.len,
				 &got);
		if (n > 0) {
			size_t taken = uio_put(uio, piece, got);

			*pos += (s64)taken;
			n = taken < got ? -EFAULT : (s64)got;
		}
		if (n >= 0 && got < args.len)
			break;
	}
	free(piece);
	return uio->done > before ? (s64)(uio->done - before) : far_error(MIN(n, 0));
}

/* Write @len bytes at *@pos, which is set behind them. */
static s64 write_piece(struct file *file, struct far_io *args, const char *piece, size_t len,
		       s64 *pos)
{
	const struct shard_in in[] = {{args, sizeof(*args)}, {piece, (u32)len}};
	s64 behind = *pos;
	const struct shard_out out = {&behind, sizeof(behind)};
	struct shard_parts parts = {.in = in, .nin = 2, .out = &out, .nout = 1};
	struct inode *inode = file->inode;
	s64 n;

	args->pos = *pos;
	args->len = len;
	n = shard_call_parts(far_net(inode), far_home_of(inode->ino), FAR_WRITE, &parts);
	if (n > (s64)len || (n > 0 && parts.got < sizeof(behind)))
		return -EIO;
	if (n > 0)
		*pos = behind;
	return far_error(n);
}

static s64 far_write(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct far_io args = io_of(file, *pos);
	size_t before = uio->done;
	char *piece = malloc(MIN(uio->left, PIECE) + 1);
	s64 n = 0;

	if (!piece)
		return -ENOMEM;
	args.limit = t->fsize_limit;
	args.flags = (file->flags & O_APPEND ? FAR_APPEND : 0) |
		     (inode_capable(t, file->inode, VFS_CAP_FSETID) ? FAR_FSETID : 0);
	while (uio->left) {
		size_t want = MIN(uio->left, PIECE), len = uio_take(uio, piece, want);

		n = len ? write_piece(file, &args, piece, len, pos) : -EFAULT;
		if (n < (s64)len) {
			uio->done -= len - (size_t)MAX(n, 0);
			uio->left += len - (size_t)MAX(n, 0);
		}
		if (n < (s64)want)
			break;
	}
	free(piece);
	if (n == -EFBIG && t->fsize_limit != UINT64_MAX)
		t->vfs->env->signal_task(t->vfs->arg, t, SIGXFSZ);
	return uio->done > before ? (s64)(uio->done - before) : n;
}

static s64 far_seek(struct vfs_task *t, struct file *file, s64 offset, u32 whence)
{
	struct far_io args = io_of(file, offset);
	s64 at;

	if (whence == SEEK_SET || whence == SEEK_CUR)
		return file_seek_fixed(file, offset, whence, 0);
	if (whence == SEEK_END) {
		at = far_refresh(t, file->inode);
		return at ? at : file_seek_fixed(file, offset, whence, file->inode->size);
	}
	args.flags = whence;
	at = far_node_ask(file->inode, FAR_SEEK, &args, sizeof(args), NULL, 0, NULL);
	if (at >= 0)
		file->pos = at;
	return at < 0 ? far_error(at) : at;
}

static int far_fallocate(struct vfs_task *t, struct file *file, u32 mode, u64 offset, u64 len)
{
	struct far_io args = io_of(file, (s64)offset);

	args.len = len;
	args.limit = t->fsize_limit;
	args.flags = mode;
	return far_error(
		far_node_ask(file->inode, FAR_FALLOCATE, &args, sizeof(args), NULL, 0, NULL));
}

const struct inode_ops far_file_inode_ops = {
	.page = far_page,
	.pages = far_pages,
	.refresh = far_refresh,
	.set_attr = far_set_attr,
	.evict = far_evict,
};

const struct file_ops far_file_ops = {
	.read = far_read,
	.write = far_write,
	.seek = far_seek,
	.fallocate = far_fallocate,
	.fsync = fsync_nothing,
};
