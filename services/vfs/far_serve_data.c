/*
 * Reading and writing this core's files for other cores, by an open file that lasts as long as the
 * call.
 *
 * Runs in: the personality (each request on a fiber of its own), host tests.
 */
#include "far_internal.h"

#include <string.h>

/* A call's file, as if it were open here. */
struct served {
	struct vfs_task task;
	struct file file;
	struct inode *inode;
	const struct far_io *io;
};

static s64 served_begin(const struct shard_request *r, struct served *s)
{
	const struct far_io *io = shard_args(r, sizeof(*io));
	struct vfs *vfs = r->arg;

	if (!io || io->pos < 0)
		return -EBADMSG;
	s->inode = vfs_own_inode(vfs, io->file.sb, io->file.ino);
	if (!s->inode)
		return -ESTALE;
	if (!inode_is(s->inode, S_IFREG)) {
		inode_put(s->inode);
		return -EBADMSG;
	}
	s->io = io;
	s->task = (struct vfs_task){.vfs = vfs, .fsize_limit = io->limit};
	s->file = (struct file){.inode = s->inode,
				.flags = O_NOATIME, /* seen to here */
				.ops = s->inode->fops,
				.pos = io->pos};
	return 0;
}

static s64 served_end(struct served *s, s64 result)
{
	inode_put(s->inode);
	return result;
}

static s64 serve_read(struct shard_request *r)
{
	struct served s;
	struct uio uio;
	void *data;
	s64 pos, n = served_begin(r, &s);
	u64 len;

	if (n)
		return n;
	len = MIN(MIN(s.io->len, r->room),
		  s.inode->size > (u64)s.io->pos ? s.inode->size - (u64)s.io->pos : 0);
	inode_accessed(s.inode, s.io->mount_flags);
	data = len ? shard_answer(r, (u32)len) : NULL;
	if (!data)
		return served_end(&s, len ? -ENOMEM : 0);
	uio_kernel(&uio, data, len);
	pos = s.io->pos;
	n = pagefile_read(&s.task, &s.file, &uio, &pos);
	shard_answer(r, n > 0 ? (u32)n : 0);
	return served_end(&s, n);
}

/* The position behind what was written goes back, which is news if it was appended. */
static s64 serve_write(struct shard_request *r)
{
	struct served s;
	struct uio uio;
	s64 *answer, pos, n = served_begin(r, &s);
	u64 len;

	if (n)
		return n;
	answer = shard_answer(r, sizeof(*answer));
	if (!answer)
		return served_end(&s, -ENOMEM);
	pos = s.io->flags & FAR_APPEND ? (s64)s.inode->size : s.io->pos;
	len = MIN(s.io->len, r->bytes - sizeof(*s.io));
	*answer = pos;
	if ((u64)pos >= s.io->limit)
		return served_end(&s, -EFBIG);
	/* The owner of set-id bits is asked for by the capability alone. */
	s.task.cred = (struct vfs_cred){.fsuid = NO_ID, .fsgid = NO_ID};
	s.task.cred.caps = s.io->flags & FAR_FSETID ? 1ul << VFS_CAP_FSETID : 0;
	uio_kernel(&uio, (char *)r->args + sizeof(*s.io), MIN(len, s.io->limit - (u64)pos));
	n = pagefile_write(&s.task, &s.file, &uio, &pos);
	*answer = pos;
	return served_end(&s, n);
}

static s64 serve_seek(struct shard_request *r)
{
	struct served s;
	s64 n = served_begin(r, &s);

	if (n)
		return n;
	return served_end(&s, s.file.ops->seek(&s.task, &s.file, s.io->pos, s.io->flags));
}

static s64 serve_fallocate(struct shard_request *r)
{
	struct served s;
	s64 n = served_begin(r, &s), end;

	if (n)
		return n;
	if (__builtin_add_overflow(s.io->pos, (s64)s.io->len, &end) || (s64)s.io->len <= 0)
		return served_end(&s, -EFBIG);
	return served_end(&s, s.file.ops->fallocate(&s.task, &s.file, s.io->flags, (u64)s.io->pos,
						    s.io->len));
}

int far_serve_data(struct vfs *vfs)
{
	struct shard_net *net = vfs->far->net;
	int err = shard_serve(net, FAR_READ, serve_read, vfs);

	if (!err)
		err = shard_serve(net, FAR_WRITE, serve_write, vfs);
	if (!err)
		err = shard_serve(net, FAR_SEEK, serve_seek, vfs);
	if (!err)
		err = shard_serve(net, FAR_FALLOCATE, serve_fallocate, vfs);
	return err;
}
