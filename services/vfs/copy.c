/*
 * Data from file to file within the VFS: sendfile(2), copy_file_range(2).
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <stdlib.h>
#include <unistd.h>
#include <vfs/far_file.h>

#define CHUNK (16 * PAGE_SIZE)

/*
 * Copy up to @count bytes. Stops at the end of @in, at an error, or when @out takes less than
 * it is given; *@in_pos counts only what @out took. Returns bytes, or the first error.
 */
static s64 copy(struct vfs_task *t, struct file *in, s64 *in_pos, struct file *out, s64 *out_pos,
		size_t count)
{
	char *buf = malloc(CHUNK);
	size_t done = 0;
	s64 n = 0;

	if (!buf)
		return -ENOMEM;
	while (done < count) {
		struct uio uio;
		s64 pos = *in_pos, got;

		uio_kernel(&uio, buf, MIN(count - done, CHUNK));
		got = n = file_read(t, in, &uio, &pos);
		if (n <= 0)
			break;
		uio_kernel(&uio, buf, (size_t)got);
		n = file_write(t, out, &uio, out_pos);
		if (n <= 0)
			break;
		*in_pos += n;
		done += (size_t)n;
		if (n < got)
			break;
		n = t->vfs->env->breathe ? t->vfs->env->breathe(t->vfs->arg, t) : 0;
		if (n)
			break;
	}
	free(buf);
	return done ? (s64)done : n;
}

/* The same, where a file of another core may keep the position; then it is asked for, and told. */
static s64 copy_from(struct vfs_task *t, struct file *in, s64 *in_pos, struct file *out,
		     s64 *out_pos, size_t count)
{
	bool asks = file_is_far(in) && in_pos == &in->pos;
	s64 n = asks ? file_seek_far(t, in) : 0;

	if (n < 0)
		return n;
	n = copy(t, in, in_pos, out, out_pos, count);
	if (asks && n > 0)
		in->ops->seek(t, in, in->pos, SEEK_SET);
	return n;
}

static int check_sendfile(const struct file *in, const struct file *out, const s64 *offset)
{
	if (!(in->mode & FILE_READ))
		return -EBADF;
	if (!in->ops->seek)
		return offset ? -ESPIPE : -EINVAL;
	if (offset && *offset < 0)
		return -EINVAL;
	if (!(out->mode & FILE_WRITE))
		return -EBADF;
	if (inode_is(in->inode, S_IFDIR) || !out->ops->write)
		return -EINVAL;
	return out->flags & O_APPEND ? -EINVAL : 0;
}

s64 vfs_sendfile(struct vfs_task *t, int out_fd, int in_fd, s64 *offset, size_t count)
{
	struct file *in, *out;
	s64 n = fd_need(t, in_fd, 0, &in);

	if (n)
		return n;
	n = fd_need(t, out_fd, 0, &out);
	if (!n) {
		n = check_sendfile(in, out, offset);
		if (!n)
			n = copy_from(t, in, offset ? offset : &in->pos, out, &out->pos, count);
		file_put(out);
	}
	file_put(in);
	return n;
}

/*
 * May *@count bytes be copied? They become fewer if the file is shorter: what is copied behind its
 * end, into the same file, is not to be copied again.
 */
static int check_range(const struct file *in, s64 in_pos, const struct file *out, s64 out_pos,
		       size_t *count)
{
	if (inode_is(in->inode, S_IFDIR) || inode_is(out->inode, S_IFDIR))
		return -EISDIR;
	if (!inode_is(in->inode, S_IFREG) || !inode_is(out->inode, S_IFREG))
		return -EINVAL;
	if (!(in->mode & FILE_READ) || !(out->mode & FILE_WRITE) || (out->flags & O_APPEND))
		return -EBADF;
	if (in_pos < 0 || out_pos < 0)
		return -EINVAL;
	if (*count > (u64)(INT64_MAX - in_pos) || *count > (u64)(INT64_MAX - out_pos))
		return -EOVERFLOW;
	*count = (u64)in_pos < in->inode->size ? MIN(*count, in->inode->size - (u64)in_pos) : 0;
	if (in->inode->sb != out->inode->sb && (!in->inode->ops->page || !out->inode->ops->page))
		return -EXDEV;
	if (in->inode == out->inode && out_pos + (s64)*count > in_pos &&
	    in_pos + (s64)*count > out_pos)
		return -EINVAL;
	return 0;
}

/* Size and position of a file of another core. */
static int look_up_far(struct vfs_task *t, struct file *file, const s64 *pos)
{
	int err = 0;

	if (!file_is_far(file))
		return 0;
	if (file->inode->ops->refresh)
		err = file->inode->ops->refresh(t, file->inode);
	if (!err && pos == &file->pos && file->ops->seek)
		err = (int)MIN(file_seek_far(t, file), 0);
	return err;
}

s64 vfs_copy_file_range(struct vfs_task *t, int in_fd, s64 *in_pos, int out_fd, s64 *out_pos,
			size_t count, u32 flags)
{
	struct file *in, *out;
	s64 n;

	if (flags)
		return -EINVAL;
	n = fd_need(t, in_fd, 0, &in);
	if (n)
		return n;
	n = fd_need(t, out_fd, 0, &out);
	if (!n) {
		in_pos = in_pos ? in_pos : &in->pos;
		out_pos = out_pos ? out_pos : &out->pos;
		count = MIN(count, (size_t)0x7ffff000);
		n = look_up_far(t, in, in_pos);
		if (!n)
			n = look_up_far(t, out, out_pos);
		if (!n)
			n = check_range(in, *in_pos, out, *out_pos, &count);
		if (!n)
			n = copy_from(t, in, in_pos, out, out_pos, count);
		file_put(out);
	}
	file_put(in);
	return n;
}
