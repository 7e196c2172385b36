/*
 * splice(2), tee(2), vmsplice(2): data between pipes and files without passing through a process.
 *
 * A page of a file that has pages goes into a pipe as it is, by reference; from other files, and
 * from a process's memory (vmsplice), bytes are copied into pages of the pipe's own. SPLICE_F_MOVE,
 * SPLICE_F_MORE and SPLICE_F_GIFT are hints that change nothing.
 *
 * Source: the manual pages of the three.
 * Runs in: the personality, host tests.
 */
#include "pipe.h"

#include <signal.h>

#define SPLICE_KNOWN 0x0fu /* MOVE, NONBLOCK, MORE, GIFT */
#ifndef SPLICE_F_NONBLOCK
#define SPLICE_F_NONBLOCK 2u
#endif

/* Hold @pipe once it has a free slot; errors as of pipe_wait_slot(). */
static int hold_with_slot(struct vfs_task *t, struct pipe *pipe, bool nowait)
{
	for (;;) {
		int err = pipe_wait_slot(t, pipe, nowait);

		if (err)
			return err;
		pipe_hold(pipe);
		if (!pipe_is_full(pipe))
			return 0;
		pipe_let_go(pipe); /* somebody was faster */
	}
}

/* --- A file to a pipe --- */

/* Buffers that are the file's own pages, up to the end of the file. Bytes. */
static s64 push_pages(struct pipe *pipe, struct file *in, s64 *pos, size_t len)
{
	struct inode *inode = in->inode;
	size_t done = 0;

	while (done < len && !pipe_is_full(pipe) && (u64)*pos < inode->size) {
		u32 in_page = (u32)((u64)*pos % PAGE_SIZE);
		u32 n = (u32)MIN(MIN(PAGE_SIZE - in_page, inode->size - (u64)*pos), len - done);
		struct page *page;
		int err = inode->ops->page(inode, (u64)*pos / PAGE_SIZE, false, &page);

		if (!err && !page) { /* a hole: zeros */
			page = page_new(pipe->vfs);
			err = page ? 0 : -ENOMEM;
		}
		if (err)
			return done ? (s64)done : err;
		pipe_push(pipe, (struct pipe_buf){.page = page, .offset = in_page, .len = n});
		*pos += n;
		done += n;
	}
	if (!(in->flags & O_NOATIME))
		path_accessed(&in->path);
	return (s64)done;
}

/* Buffers that are read from a file that has no pages to give. Bytes, or an error. */
static s64 push_read(struct vfs_task *t, struct pipe *pipe, struct file *in, s64 *pos, size_t len,
		     bool nowait)
{
	size_t done = 0;

	while (done < len && !pipe_is_full(pipe)) {
		struct page *page = pipe_page(pipe);
		struct uio uio;
		s64 n = -ENOMEM;

		if (page) {
			uio_kernel(&uio, page->data, MIN(len - done, PAGE_SIZE));
			uio.nowait = nowait || done; /* what is there goes on its way first */
			n = file_read(t, in, &uio, pos);
		}
		if (n > 0)
			pipe_push(pipe, (struct pipe_buf){page, 0, (u32)n, false, true});
		else if (page)
			page_put(pipe->vfs, page);
		if (n <= 0)
			return done ? (s64)done : n;
		done += (size_t)n;
		if (n < (s64)PAGE_SIZE)
			break;
	}
	return (s64)done;
}

static s64 file_to_pipe(struct vfs_task *t, struct file *in, s64 *pos, struct pipe *pipe,
			size_t len, bool nowait)
{
	s64 n = hold_with_slot(t, pipe, nowait);

	if (n)
		return n;
	if (inode_is(in->inode, S_IFREG) && in->inode->ops->page && !file_is_far(in))
		n = push_pages(pipe, in, pos, len);
	else
		n = push_read(t, pipe, in, pos, len, nowait);
	pipe_let_go(pipe);
	if (n > 0)
		pipe_wake_readers(pipe);
	return n;
}

/* --- A pipe to a file --- */

/* Write the oldest buffer, or @len bytes of it. Bytes, or an error. */
static s64 write_buffer(struct vfs_task *t, struct pipe *pipe, struct file *out, s64 *pos,
			size_t len, bool nowait)
{
	struct pipe_buf *buf = pipe_at(pipe, 0);
	struct page *page = page_get(buf->page);
	struct uio uio;
	s64 n;

	uio_kernel(&uio, (char *)page->data + buf->offset, MIN(len, buf->len));
	uio.nowait = nowait;
	n = file_write(t, out, &uio, pos);
	page_put(pipe->vfs, page);
	if (n > 0)
		pipe_consume(pipe, (u32)n);
	return n;
}

static s64 pipe_to_file(struct vfs_task *t, struct pipe *pipe, struct file *out, s64 *pos,
			size_t len, bool nowait)
{
	size_t done = 0;
	s64 n = 0;

	while (done < len) {
		if (done && !pipe->used)
			break;
		n = pipe_wait_data(t, pipe, nowait);
		if (n <= 0)
			break;
		pipe_hold(pipe);
		if (pipe->used) { /* still */
			n = write_buffer(t, pipe, out, pos, len - done, nowait);
			done += n > 0 ? (size_t)n : 0;
		}
		pipe_let_go(pipe);
		pipe_wake_writers(pipe);
		if (n <= 0)
			break;
	}
	return done ? (s64)done : n;
}

/* --- A pipe to a pipe --- */

/* Wait until @in has bytes (1; 0: it never will) and @out has room. */
static s64 both_ready(struct vfs_task *t, struct pipe *in, struct pipe *out, bool nowait)
{
	s64 n;

	do {
		n = pipe_wait_data(t, in, nowait);
		if (n <= 0)
			return n;
		n = pipe_wait_slot(t, out, nowait);
		if (n)
			return n;
		pipe_settled(in, out);
	} while (!in->used || pipe_is_full(out));
	return 1;
}

/* Move buffers (@copy: give them to @out as well) up to @len bytes. */
static s64 pipe_to_pipe(struct vfs_task *t, struct pipe *in, struct pipe *out, size_t len,
			bool copy, bool nowait)
{
	size_t done = 0;
	u32 at = 0;
	s64 n = both_ready(t, in, out, nowait);

	if (n <= 0)
		return n;
	while (done < len && at < in->used && !pipe_is_full(out)) {
		struct pipe_buf buf = *pipe_at(in, at);

		buf.len = (u32)MIN(buf.len, len - done);
		buf.grows = false; /* its page is seen from two places now */
		page_get(buf.page);
		pipe_push(out, buf);
		done += buf.len;
		if (copy) {
			pipe_at(in, at)->grows = false;
			at++;
		} else {
			pipe_consume(in, buf.len);
		}
	}
	pipe_wake_readers(out);
	if (!copy)
		pipe_wake_writers(in);
	return (s64)done;
}

/* --- Calls --- */

static bool is_pipe(const struct file *file)
{
	return file_pipe(file) || far_is_pipe(file);
}

static int check_splice(const struct splice *s)
{
	bool from = is_pipe(s->in), to = is_pipe(s->out);

	if ((from && s->in_pos) || (to && s->out_pos))
		return -ESPIPE;
	if (!(s->in->mode & FILE_READ) || !(s->out->mode & FILE_WRITE))
		return -EBADF;
	if ((!from && !to) || s->in->inode == s->out->inode)
		return -EINVAL;
	if ((s->in_pos && !s->in->ops->seek) || (s->out_pos && !s->out->ops->seek))
		return -EINVAL;
	if (!to && ((s->out->flags & O_APPEND) || !s->out->ops->write))
		return -EINVAL;
	if (!from && (inode_is(s->in->inode, S_IFDIR) || !s->in->ops->read))
		return -EINVAL;
	if ((s->in_pos && *s->in_pos < 0) || (s->out_pos && *s->out_pos < 0))
		return -EINVAL;
	return 0;
}

static int check_tee(const struct splice *s)
{
	if (!(s->in->mode & FILE_READ) || !(s->out->mode & FILE_WRITE))
		return -EBADF;
	return is_pipe(s->in) && is_pipe(s->out) && s->in->inode != s->out->inode ? 0 : -EINVAL;
}

/* tee(2) into a pipe of another core: bytes, by copy. */
static s64 tee_to_far(struct vfs_task *t, struct pipe *in, struct file *out, size_t len,
		      bool nowait)
{
	size_t done = 0;
	s64 n = pipe_wait_data(t, in, nowait);

	if (n <= 0)
		return n;
	pipe_hold(in);
	for (u32 at = 0; done < len && at < in->used; at++) {
		struct pipe_buf buf = *pipe_at(in, at);
		struct page *page = page_get(buf.page);
		size_t want = MIN(buf.len, len - done);
		struct uio uio;

		uio_kernel(&uio, (char *)page->data + buf.offset, want);
		uio.nowait = nowait || done;
		n = file_write(t, out, &uio, &out->pos);
		page_put(in->vfs, page);
		done += n > 0 ? (size_t)n : 0;
		if (n < (s64)want)
			break;
	}
	pipe_let_go(in);
	return done ? (s64)done : n;
}

s64 splice_here(struct vfs_task *t, struct splice *s, size_t len)
{
	bool in_nowait = s->in->flags & O_NONBLOCK, out_nowait = s->out->flags & O_NONBLOCK;

	s->from = file_pipe(s->in);
	s->to = file_pipe(s->out);
	if (s->from && s->from == s->to)
		return -EINVAL;
	if (s->from && s->to)
		return pipe_to_pipe(t, s->from, s->to, len, s->tee,
				    s->nowait || in_nowait || out_nowait);
	if (s->tee)
		return tee_to_far(t, s->from, s->out, len, s->nowait || in_nowait || out_nowait);
	if (s->to)
		return file_to_pipe(t, s->in, s->in_pos ? s->in_pos : &s->in->pos, s->to, len,
				    s->nowait || out_nowait);
	return pipe_to_file(t, s->from, s->out, s->out_pos ? s->out_pos : &s->out->pos, len,
			    s->nowait || in_nowait);
}

/* Both files of a call; on success both have references. */
static int get_files(struct vfs_task *t, int in_fd, int out_fd, struct splice *s)
{
	int err = fd_need(t, in_fd, 0, &s->in);

	if (err)
		return err;
	err = fd_need(t, out_fd, 0, &s->out);
	if (err)
		file_put(s->in);
	return err;
}

/* splice(2) and tee(2) of two descriptors; the rest of @s is set. */
static s64 splice_descriptors(struct vfs_task *t, int in_fd, int out_fd, struct splice *s,
			      size_t len)
{
	u32 core;
	s64 n = get_files(t, in_fd, out_fd, s);

	if (n)
		return n;
	n = s->tee ? check_tee(s) : check_splice(s);
	len = MIN(len, (size_t)VFS_RW_MAX);
	if (!n && far_splice_core(s, &core))
		n = far_splice(t, core, s, len);
	else if (!n)
		n = splice_here(t, s, len);
	file_put(s->in);
	file_put(s->out);
	return n;
}

s64 vfs_splice(struct vfs_task *t, int in_fd, s64 *in_pos, int out_fd, s64 *out_pos, size_t len,
	       u32 flags)
{
	struct splice s = {
		.in_pos = in_pos, .out_pos = out_pos, .nowait = flags & SPLICE_F_NONBLOCK};

	if (flags & ~SPLICE_KNOWN)
		return -EINVAL;
	return len ? splice_descriptors(t, in_fd, out_fd, &s, len) : 0;
}

s64 vfs_tee(struct vfs_task *t, int in_fd, int out_fd, size_t len, u32 flags)
{
	struct splice s = {.nowait = flags & SPLICE_F_NONBLOCK, .tee = true};

	if (flags & ~SPLICE_KNOWN)
		return -EINVAL;
	return len ? splice_descriptors(t, in_fd, out_fd, &s, len) : 0;
}

/* What a process's memory holds, into a pipe: as much as fits. */
static s64 memory_to_pipe(struct vfs_task *t, struct pipe *pipe, struct uio *uio, bool nowait)
{
	s64 err = hold_with_slot(t, pipe, nowait);

	if (err)
		return err;
	while (uio->left && !err && !pipe_is_full(pipe)) {
		u32 want = (u32)MIN(PAGE_SIZE, uio->left), got;
		struct page *page = pipe_page(pipe);

		got = page ? (u32)uio_take(uio, page->data, want) : 0;
		if (got)
			pipe_push(pipe, (struct pipe_buf){.page = page, .len = got});
		else if (page)
			page_put(pipe->vfs, page);
		err = got == want ? 0 : page ? -EFAULT : -ENOMEM;
	}
	pipe_let_go(pipe);
	if (uio->done)
		pipe_wake_readers(pipe);
	return uio->done ? (s64)uio->done : err;
}

s64 vfs_vmsplice(struct vfs_task *t, int fd, struct uio *uio, u32 flags)
{
	struct file *file;
	struct pipe *pipe;
	s64 n = fd_need(t, fd, 0, &file);

	if (n)
		return n;
	pipe = file_pipe(file);
	uio->nowait = flags & SPLICE_F_NONBLOCK;
	if (!is_pipe(file))
		n = -EBADF;
	else if (!uio->left)
		n = 0;
	else if (!pipe && file->mode & FILE_WRITE)
		n = file_write(t, file, uio, &file->pos);
	else if (file->mode & FILE_WRITE)
		n = memory_to_pipe(t, pipe, uio, uio->nowait || (file->flags & O_NONBLOCK));
	else
		n = file_read(t, file, uio, &file->pos);
	file_put(file);
	return n;
}
