/*
 * Pipes and FIFOs: bytes in order, from writers to readers.
 *
 * The bytes lie in pages, in a ring of slots; pages come when bytes do and go when they are read.
 * 'head' and 'tail' count bytes for ever. An empty pipe begins again at 0, so that a page is
 * consumed as a whole. A pipe lives as long as some file is open on it; its inode points to it.
 *
 * A write of up to PIPE_BUF bytes is never mixed with others: it waits until all of it fits.
 *
 * Moving bytes to or from a user may block (a page fault), so whoever moves some holds the pipe.
 *
 * Source: pipe(7), fifo(7), pipe(2), fcntl(2).
 * Not here: packet mode (O_DIRECT: pipe2 refuses it), splice.
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define USUAL_SLOTS 16u  /* 64 KiB */
#define MAX_SLOTS   256u /* 1 MiB: fs.pipe-max-size; more with CAP_SYS_RESOURCE */

struct pipe {
	struct vfs *vfs;
	struct inode *inode;
	u32 files, readers, writers;
	u32 reader_count, writer_count; /* opened ever: who opens a FIFO waits for a change */
	u32 nslots;                     /* a power of two */
	u64 head, tail;
	struct page **slots;
	struct page *spare;
	struct wait_queue readable, writable;
	bool held; /* somebody moves bytes */
	struct wait_queue released;
};

static size_t used(const struct pipe *pipe)
{
	return pipe->head - pipe->tail;
}

static size_t room(const struct pipe *pipe)
{
	return pipe->nslots * PAGE_SIZE - used(pipe);
}

static struct page **slot_at(const struct pipe *pipe, u64 pos)
{
	return &pipe->slots[(pos / PAGE_SIZE) & (pipe->nslots - 1)];
}

static struct pipe *pipe_new(struct vfs *vfs, struct inode *inode)
{
	struct pipe *pipe = calloc(1, sizeof(*pipe));

	if (!pipe)
		return NULL;
	pipe->slots = calloc(USUAL_SLOTS, sizeof(struct page *));
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
	for (u32 i = 0; i < pipe->nslots; i++) {
		if (pipe->slots[i])
			page_put(pipe->vfs, pipe->slots[i]);
	}
	if (pipe->spare)
		page_put(pipe->vfs, pipe->spare);
	pipe->inode->pipe = NULL;
	free(pipe->slots);
	free(pipe);
}

/* --- Bytes --- */

static void drop_page(struct pipe *pipe, struct page **slot)
{
	if (pipe->spare)
		page_put(pipe->vfs, *slot);
	else
		pipe->spare = *slot;
	*slot = NULL;
}

/* The bytes up to @tail have been read. */
static void advance_tail(struct pipe *pipe, u64 tail)
{
	u64 before = pipe->tail;
	/* A full ring that began in mid-page has its last bytes in its first slot. */
	bool shared = pipe->head / PAGE_SIZE == before / PAGE_SIZE + pipe->nslots;

	pipe->tail = tail;
	if (tail == pipe->head) {
		drop_page(pipe, slot_at(pipe, before));
		pipe->head = pipe->tail = 0;
	} else if (tail / PAGE_SIZE != before / PAGE_SIZE && !shared) {
		drop_page(pipe, slot_at(pipe, before));
	}
}

/* Only a fiber that moves bytes can find the pipe held, so there is a fiber to wait. */
static void hold(struct pipe *pipe)
{
	struct fiber_loop *loop = pipe->vfs->loop;
	bool before = fiber_hold_interrupts(loop, true);

	while (pipe->held)
		wait_block(loop, &pipe->released, FIBER_FOREVER);
	pipe->held = true;
	fiber_hold_interrupts(loop, before);
}

static void release(struct pipe *pipe)
{
	pipe->held = false;
	wait_wake(&pipe->released, 0);
}

/* Move what there is to @uio. 0 or -EFAULT. */
static int take_bytes(struct pipe *pipe, struct uio *uio)
{
	while (uio->left && used(pipe)) {
		size_t in_page = pipe->tail % PAGE_SIZE;
		size_t want = MIN(MIN(PAGE_SIZE - in_page, used(pipe)), uio->left);
		struct page *page = page_get(*slot_at(pipe, pipe->tail));
		size_t got = uio_put(uio, (char *)page->data + in_page, want);

		page_put(pipe->vfs, page);
		if (got)
			advance_tail(pipe, pipe->tail + got);
		if (got < want)
			return -EFAULT;
	}
	return 0;
}

/* Move what fits from @uio. 0, -EFAULT, -ENOMEM. */
static int put_bytes(struct pipe *pipe, struct uio *uio)
{
	while (uio->left && room(pipe)) {
		struct page **slot = slot_at(pipe, pipe->head);
		size_t in_page = pipe->head % PAGE_SIZE, want, got;

		if (!*slot) {
			*slot = pipe->spare ? pipe->spare : page_new(pipe->vfs);
			pipe->spare = NULL;
		}
		if (!*slot)
			return -ENOMEM;
		want = MIN(MIN(PAGE_SIZE - in_page, room(pipe)), uio->left);
		got = uio_take(uio, (char *)(*slot)->data + in_page, want);
		pipe->head += got;
		if (got < want) {
			if (!used(pipe))
				drop_page(pipe, slot);
			return -EFAULT;
		}
	}
	return 0;
}

static bool may_wait(const struct file *file, const struct uio *uio)
{
	return !(file->flags & O_NONBLOCK) && !uio->nowait;
}

static s64 pipe_read(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct pipe *pipe = file->private;
	size_t before = uio->done;
	s64 err = 0;

	(void)pos;
	while (uio->left && uio->done == before && !err) {
		hold(pipe);
		err = take_bytes(pipe, uio);
		release(pipe);
		if (err || uio->done > before)
			break;
		if (!pipe->writers)
			return 0;
		if (!may_wait(file, uio))
			return -EAGAIN;
		err = wait_block(t->vfs->loop, &pipe->readable, FIBER_FOREVER);
	}
	if (room(pipe) >= VFS_PIPE_BUF)
		wait_wake(&pipe->writable, POLLOUT | POLLWRNORM);
	return uio->done > before ? (s64)(uio->done - before) : err;
}

/* Wait until some of a write fits, all if it is to be atomic. */
static s64 wait_for_room(struct vfs_task *t, struct file *file, const struct uio *uio, size_t need)
{
	struct pipe *pipe = file->private;
	s64 err;

	for (;;) {
		if (!pipe->readers) {
			t->vfs->env->signal_task(t->vfs->arg, t, SIGPIPE);
			return -EPIPE;
		}
		if (room(pipe) >= need)
			return 0;
		if (!may_wait(file, uio))
			return -EAGAIN;
		err = wait_block(t->vfs->loop, &pipe->writable, FIBER_FOREVER);
		if (err)
			return err;
	}
}

static s64 pipe_write(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct pipe *pipe = file->private;
	size_t before = uio->done, need = uio->left <= VFS_PIPE_BUF ? uio->left : 1;
	s64 err = 0;

	(void)pos;
	if (!uio->left)
		return 0;
	while (uio->left && !err) {
		size_t had = uio->done;

		err = wait_for_room(t, file, uio, need);
		if (err)
			break;
		hold(pipe);
		if (room(pipe) >= need) { /* still */
			err = put_bytes(pipe, uio);
			need = 1;
		}
		release(pipe);
		if (uio->done > had)
			wait_wake(&pipe->readable, POLLIN | POLLRDNORM);
	}
	if (uio->done > before && pipe->inode->sb != pipe->vfs->anon->sb)
		inode_touch(pipe->inode, ATTR_MTIME | ATTR_CTIME);
	return uio->done > before ? (s64)(uio->done - before) : err;
}

static u32 pipe_poll(struct file *file, struct poll_table *table)
{
	struct pipe *pipe = file->private;
	u32 events = 0;

	if (file->mode & FILE_READ) {
		poll_wait(table, &pipe->readable);
		if (used(pipe))
			events |= POLLIN | POLLRDNORM;
		/* Nobody hung up a FIFO that nobody has ever written since this open. */
		if (!pipe->writers && (u64)file->pos != pipe->writer_count)
			events |= POLLHUP;
	}
	if (file->mode & FILE_WRITE) {
		poll_wait(table, &pipe->writable);
		if (room(pipe) >= VFS_PIPE_BUF)
			events |= POLLOUT | POLLWRNORM;
		if (!pipe->readers)
			events |= POLLERR;
	}
	return events;
}

static int pipe_ioctl(struct vfs_task *t, struct file *file, u32 cmd, u64 arg)
{
	int n = (int)used(file->private);

	if (cmd != FIONREAD)
		return -ENOTTY;
	return t->vfs->env->user_write(t->vfs->arg, t, arg, &n, sizeof(n));
}

/* Move the bytes to a ring of @nslots. */
static int resize(struct pipe *pipe, u32 nslots)
{
	u64 first = pipe->tail / PAGE_SIZE, last = (pipe->head + PAGE_SIZE - 1) / PAGE_SIZE;
	struct page **slots;

	if (pipe->held || (used(pipe) && last - first > MIN(nslots, pipe->nslots)))
		return -EBUSY;
	slots = calloc(nslots, sizeof(struct page *));
	if (!slots)
		return -ENOMEM;
	for (u64 i = first; used(pipe) && i < last; i++)
		slots[i & (nslots - 1)] = pipe->slots[i & (pipe->nslots - 1)];
	free(pipe->slots);
	pipe->slots = slots;
	pipe->nslots = nslots;
	wait_wake(&pipe->writable, POLLOUT | POLLWRNORM);
	return 0;
}

s64 pipe_fcntl(struct vfs_task *t, struct file *file, int cmd, u64 arg)
{
	struct pipe *pipe = file->inode->pipe;
	u32 nslots = 1;
	int err;

	if (!pipe)
		return -EBADF;
	if (cmd == F_GETPIPE_SZ)
		return (s64)(pipe->nslots * PAGE_SIZE);
	if (arg > 1ul << 31)
		return -EINVAL;
	while (nslots * PAGE_SIZE < arg)
		nslots *= 2;
	if (nslots > MAX_SLOTS && nslots > pipe->nslots && !vfs_capable(t, VFS_CAP_SYS_RESOURCE))
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
	char name[32];

	if (!inode)
		return -ENOMEM;
	inode->ino = ++vfs->next_ino;
	snprintf(name, sizeof(name), "pipe:[%lu]", inode->ino);
	*out = (struct path){mount_get(vfs->anon), dentry_new_anon(sb, inode, name)};
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
		err = file_open_path(t, &path, O_WRONLY | (flags & O_NONBLOCK), FILE_WRITE,
				     &files[1]);
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

	if (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK))
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
