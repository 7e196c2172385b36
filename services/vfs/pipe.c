/*
 * Pipes and FIFOs: bytes in order, from writers to readers.
 *
 * The bytes lie in a ring of buffers (pipe.h), as in Linux: a pipe is full when all buffers are
 * taken, and a small write goes on in the last one's page if all of it fits there. So a write of
 * up to PIPE_BUF bytes needs one free buffer and is never mixed with others. A pipe lives as long
 * as some file is open on it; its inode points to it.
 *
 * Source: pipe(7), fifo(7), pipe(2), fcntl(2).
 * Not here: splice, tee, vmsplice (splice.c).
 * Runs in: the personality, host tests.
 */
#include "pipe.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define USUAL_SLOTS 16u /* 64 KiB */

static const struct file_ops pipe_ops;

struct pipe *file_pipe(const struct file *file)
{
	return file->ops == &pipe_ops ? file->private : NULL;
}

static struct pipe *pipe_new(struct vfs *vfs, struct inode *inode)
{
	struct pipe *pipe = calloc(1, sizeof(*pipe));

	if (!pipe)
		return NULL;
	pipe->slots = calloc(USUAL_SLOTS, sizeof(*pipe->slots));
	if (!pipe->slots) {
		free(pipe);
		return NULL;
	}
	pipe->nslots = USUAL_SLOTS;
	pipe->vfs = vfs;
	pipe->inode = inode;
	inode->pipe = pipe;
	return pipe;
}

static void pipe_free(struct pipe *pipe)
{
	for (u32 i = 0; i < pipe->used; i++)
		page_put(pipe->vfs, pipe_at(pipe, i)->page);
	if (pipe->spare)
		page_put(pipe->vfs, pipe->spare);
	pipe->inode->pipe = NULL;
	free(pipe->slots);
	free(pipe);
}

/* --- The ring --- */

void pipe_hold(struct pipe *pipe)
{
	struct fiber_loop *loop = pipe->vfs->loop;
	bool before;

	if (!pipe->held) {
		pipe->held = true;
		return;
	}
	before = fiber_hold_interrupts(loop, true);
	while (pipe->held)
		wait_block(loop, &pipe->released, FIBER_FOREVER);
	pipe->held = true;
	fiber_hold_interrupts(loop, before);
}

void pipe_let_go(struct pipe *pipe)
{
	pipe->held = false;
	wait_wake(&pipe->released, 0);
}

void pipe_settled(struct pipe *a, struct pipe *b)
{
	do {
		pipe_hold(a);
		pipe_let_go(a);
		pipe_hold(b);
		pipe_let_go(b);
	} while (a->held || b->held);
}

struct page *pipe_page(struct pipe *pipe)
{
	struct page *page = pipe->spare;

	pipe->spare = NULL;
	return page ? page : page_new(pipe->vfs);
}

void pipe_push(struct pipe *pipe, struct pipe_buf buf)
{
	*pipe_at(pipe, pipe->used) = buf;
	pipe->used++;
}

static void drop_page(struct pipe *pipe, struct pipe_buf *buf)
{
	if (!pipe->spare && buf->grows && buf->page->refs == 1)
		pipe->spare = buf->page;
	else
		page_put(pipe->vfs, buf->page);
}

void pipe_consume(struct pipe *pipe, u32 len)
{
	struct pipe_buf *buf = pipe_at(pipe, 0);

	buf->offset += len;
	buf->len -= len;
	if (buf->len && !buf->packet)
		return;
	drop_page(pipe, buf);
	pipe->tail = (pipe->tail + 1) & (pipe->nslots - 1);
	pipe->used--;
}

void pipe_wake_readers(struct pipe *pipe)
{
	wait_wake(&pipe->readable, POLLIN | POLLRDNORM);
}

void pipe_wake_writers(struct pipe *pipe)
{
	wait_wake(&pipe->writable, POLLOUT | POLLWRNORM);
}

int pipe_wait_data(struct vfs_task *t, struct pipe *pipe, bool nowait)
{
	int err = 0;

	while (!pipe->used && pipe->writers && !err)
		err = nowait ? -EAGAIN : wait_block(t->vfs->loop, &pipe->readable, FIBER_FOREVER);
	return err ? err : pipe->used != 0;
}

int pipe_wait_slot(struct vfs_task *t, struct pipe *pipe, bool nowait)
{
	for (;;) {
		int err;

		if (!pipe->readers) {
			t->vfs->env->signal_task(t->vfs->arg, t, SIGPIPE);
			return -EPIPE;
		}
		if (!pipe_is_full(pipe))
			return 0;
		if (nowait)
			return -EAGAIN;
		err = wait_block(t->vfs->loop, &pipe->writable, FIBER_FOREVER);
		if (err)
			return err;
	}
}

/* --- Reading --- */

static bool never_waits(const struct file *file, const struct uio *uio)
{
	return (file->flags & O_NONBLOCK) || uio->nowait;
}

/* Move what there is to @uio: until that is full, or a packet has been read. 0 or -EFAULT. */
static int take_bytes(struct pipe *pipe, struct uio *uio)
{
	while (uio->left && pipe->used) {
		struct pipe_buf *buf = pipe_at(pipe, 0);
		u32 want = (u32)MIN(buf->len, uio->left);
		u32 got = (u32)uio_put(uio, (char *)buf->page->data + buf->offset, want);
		bool packet = buf->packet;

		if (got < want)
			return -EFAULT;
		pipe_consume(pipe, got);
		if (packet)
			break;
	}
	return 0;
}

static s64 pipe_read(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct pipe *pipe = file->private;
	size_t before = uio->done;
	bool was_full;
	s64 err = 0;

	(void)pos;
	while (uio->left && uio->done == before && !err) {
		err = pipe_wait_data(t, pipe, never_waits(file, uio));
		if (err <= 0)
			break;
		pipe_hold(pipe);
		was_full = pipe_is_full(pipe);
		err = take_bytes(pipe, uio);
		pipe_let_go(pipe);
		if (was_full && !pipe_is_full(pipe))
			pipe_wake_writers(pipe);
	}
	if (uio->done > before && pipe->inode->sb != pipe->vfs->anon->sb)
		path_accessed(&file->path);
	return uio->done > before ? (s64)(uio->done - before) : err;
}

/* --- Writing --- */

/*
 * Go on in the last buffer's page with what is over a number of whole pages, if it fits there.
 * What the user's memory fails to give is not an error here: the next buffer will find it.
 */
static void put_behind_last(struct pipe *pipe, struct uio *uio)
{
	u32 rest = uio->left & (PAGE_SIZE - 1);
	struct pipe_buf *last;

	if (!rest || !pipe->used)
		return;
	last = pipe_at(pipe, pipe->used - 1);
	if (last->grows && last->offset + last->len + rest <= PAGE_SIZE)
		last->len += (u32)uio_take(uio, (char *)last->page->data + last->offset + last->len,
					   rest);
}

/* Fill one more buffer. 0, -EFAULT, -ENOMEM. */
static int put_buffer(struct pipe *pipe, struct uio *uio, bool packet)
{
	u32 want = (u32)MIN(PAGE_SIZE, uio->left), got;
	struct page *page = pipe_page(pipe);

	if (!page)
		return -ENOMEM;
	got = (u32)uio_take(uio, page->data, want);
	if (got)
		pipe_push(pipe, (struct pipe_buf){page, 0, got, packet, !packet});
	else
		drop_page(pipe, &(struct pipe_buf){.page = page, .grows = true});
	return got < want ? -EFAULT : 0;
}

static s64 pipe_write(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct pipe *pipe = file->private;
	bool packet = file->flags & O_DIRECT;
	size_t before = uio->done;
	s64 err = 0;

	(void)pos;
	if (uio->left && !packet && pipe->readers) {
		pipe_hold(pipe);
		put_behind_last(pipe, uio);
		pipe_let_go(pipe);
	}
	if (uio->done > before)
		pipe_wake_readers(pipe);
	while (uio->left && !err) {
		err = pipe_wait_slot(t, pipe, never_waits(file, uio));
		if (err)
			break;
		pipe_hold(pipe);
		while (uio->left && !err && !pipe_is_full(pipe))
			err = put_buffer(pipe, uio, packet);
		pipe_let_go(pipe);
		if (pipe->used)
			pipe_wake_readers(pipe);
	}
	if (uio->done > before && pipe->inode->sb != pipe->vfs->anon->sb)
		inode_touch(pipe->inode, ATTR_MTIME | ATTR_CTIME);
	return uio->done > before ? (s64)(uio->done - before) : err;
}

/* --- The rest of an open pipe --- */

static u32 pipe_poll(struct file *file, struct poll_table *table)
{
	struct pipe *pipe = file->private;
	u32 events = 0;

	if (file->mode & FILE_READ) {
		poll_wait(table, &pipe->readable);
		if (pipe->used)
			events |= POLLIN | POLLRDNORM;
		/* Nobody hung up a FIFO that nobody has ever written since this open. */
		if (!pipe->writers && (u64)file->pos != pipe->writer_count)
			events |= POLLHUP;
	}
	if (file->mode & FILE_WRITE) {
		poll_wait(table, &pipe->writable);
		if (!pipe_is_full(pipe))
			events |= POLLOUT | POLLWRNORM;
		if (!pipe->readers)
			events |= POLLERR;
	}
	return events;
}

static int pipe_ioctl(struct vfs_task *t, struct file *file, u32 cmd, u64 arg)
{
	const struct pipe *pipe = file->private;
	int n = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	for (u32 i = 0; i < pipe->used; i++)
		n += (int)pipe_at(pipe, i)->len;
	return t->vfs->env->user_write(t->vfs->arg, t, arg, &n, sizeof(n));
}

/* Move the buffers to a ring of @nslots. */
static int resize(struct pipe *pipe, u32 nslots)
{
	struct pipe_buf *slots;

	if (pipe->held || pipe->used > nslots)
		return -EBUSY;
	slots = calloc(nslots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (u32 i = 0; i < pipe->used; i++)
		slots[i] = *pipe_at(pipe, i);
	free(pipe->slots);
	pipe->slots = slots;
	pipe->nslots = nslots;
	pipe->tail = 0;
	pipe_wake_writers(pipe);
	return 0;
}

s64 pipe_fcntl(struct vfs_task *t, struct file *file, int cmd, u64 arg)
{
	struct pipe *pipe = file_pipe(file);
	u32 nslots = 1, bytes = (u32)arg;
	int err;

	if (!pipe)
		return -EBADF;
	if (cmd == F_GETPIPE_SZ)
		return (s64)(pipe->nslots * PAGE_SIZE);
	if (bytes > 1u << 31)
		return -EINVAL;
	while (nslots * PAGE_SIZE < bytes)
		nslots *= 2;
	if (nslots > pipe->nslots && nslots * PAGE_SIZE > t->vfs->tunables.pipe_max_size &&
	    !vfs_capable(t, VFS_CAP_SYS_RESOURCE))
		return -EPERM;
	err = resize(pipe, nslots);
	return err ? err : (s64)(nslots * PAGE_SIZE);
}

/* --- Opening and closing --- */

static void pipe_release(struct file *file)
{
	struct pipe *pipe = file->private;

	if (file->mode & FILE_READ)
		pipe->readers--;
	if (file->mode & FILE_WRITE)
		pipe->writers--;
	if (--pipe->files == 0) {
		pipe_free(pipe);
		return;
	}
	wait_wake(&pipe->readable, POLLIN | POLLRDNORM | POLLHUP | POLLERR);
	wait_wake(&pipe->writable, POLLOUT | POLLWRNORM | POLLHUP | POLLERR);
}

static const struct file_ops pipe_ops = {
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.release = pipe_release,
};

/* @file becomes one of @pipe's. */
static void join(struct pipe *pipe, struct file *file)
{
	file->private = pipe;
	file->ops = &pipe_ops;
	pipe->files++;
	if (file->mode & FILE_READ) {
		pipe->readers++;
		pipe->reader_count++;
	}
	if (file->mode & FILE_WRITE) {
		pipe->writers++;
		pipe->writer_count++;
	}
	wait_wake(&pipe->readable, 0);
	wait_wake(&pipe->writable, 0);
}

/* Wait until the other side's count of opens changes. */
static int wait_for_partner(struct vfs_task *t, struct wait_queue *queue, const u32 *count)
{
	u32 before = *count;
	int err = 0;

	while (*count == before && !err)
		err = wait_block(t->vfs->loop, queue, FIBER_FOREVER);
	return err;
}

static int fifo_open(struct vfs_task *t, struct inode *inode, struct file *file)
{
	struct pipe *pipe = inode->pipe ? inode->pipe : pipe_new(t->vfs, inode);
	bool nonblock = file->flags & O_NONBLOCK, anon = inode->sb == t->vfs->anon->sb;
	int err = 0;

	if (!pipe)
		return -ENOMEM;
	if (file->mode == FILE_WRITE && nonblock && !pipe->readers) {
		if (!pipe->files)
			pipe_free(pipe);
		return -ENXIO;
	}
	join(pipe, file);
	if (file->mode == FILE_READ && !anon && !pipe->writers) {
		if (nonblock)
			file->pos = pipe->writer_count; /* see pipe_poll() */
		else
			err = wait_for_partner(t, &pipe->readable, &pipe->writer_count);
	}
	if (file->mode == FILE_WRITE && !anon && !pipe->readers)
		err = wait_for_partner(t, &pipe->writable, &pipe->reader_count);
	if (err)
		pipe_release(file);
	return err;
}

const struct file_ops fifo_ops = {.open = fifo_open};

static const struct inode_ops pipe_inode_ops = {0};

/* The inode of a pipe without a name, and a place for its files. */
static int pipe_place(struct vfs *vfs, struct path *out)
{
	struct superblock *sb = vfs->anon->sb;
	struct inode *inode = inode_new(sb, &pipe_inode_ops, S_IFIFO | 0600, sizeof(*inode));

	if (!inode)
		return -ENOMEM;
	inode->ino = ++vfs->next_ino;
	*out = (struct path){mount_get(vfs->anon),
			     dentry_new_numbered(sb, inode, "pipe", inode->ino)};
	if (!out->dentry) {
		mount_put(vfs->anon);
		inode_put(inode);
		return -ENOMEM;
	}
	return 0;
}

/* Both ends of a new pipe, opened. */
static int pipe_files(struct vfs_task *t, u32 flags, struct file *files[2])
{
	struct path path;
	int err = pipe_place(t->vfs, &path);

	if (err)
		return err;
	path.dentry->inode->uid = t->cred.fsuid;
	path.dentry->inode->gid = t->cred.fsgid;
	err = file_open_path(t, &path, O_RDONLY | (flags & O_NONBLOCK), FILE_READ, &files[0]);
	if (!err) {
		err = file_open_path(t, &path, O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)),
				     FILE_WRITE, &files[1]);
		if (err)
			file_put(files[0]);
	}
	path_put(&path);
	return err;
}

int vfs_pipe2(struct vfs_task *t, int fds[2], u32 flags)
{
	struct file *files[2];
	bool cloexec = flags & O_CLOEXEC;
	int err, fd0, fd1;

	if (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	err = pipe_files(t, flags, files);
	if (err)
		return err;
	fd0 = fd_add(t, files[0], cloexec);
	if (fd0 < 0) {
		file_put(files[1]);
		return fd0;
	}
	fd1 = fd_add(t, files[1], cloexec);
	if (fd1 < 0) {
		vfs_close(t, fd0);
		return fd1;
	}
	fds[0] = fd0;
	fds[1] = fd1;
	return 0;
}
