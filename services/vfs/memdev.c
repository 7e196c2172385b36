/*
 * The devices without hardware: null, zero, full, random, urandom, kmsg.
 *
 * Source: null(4), full(4), random(4); Linux, Documentation/ABI/testing/dev-kmsg.
 * Runs in: the personality, host tests.
 */
#include "chrdev.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static s64 read_nothing(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	(void)t;
	(void)file;
	(void)uio;
	(void)pos;
	return 0;
}

static s64 read_zeros(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	size_t want = uio->left, got = uio_put_zero(uio, want);

	(void)t;
	(void)file;
	(void)pos;
	return got || !want ? (s64)got : -EFAULT;
}

static s64 read_random(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	size_t before = uio->done;

	(void)file;
	(void)pos;
	while (uio->left) {
		u8 bytes[256];
		size_t want = MIN(uio->left, sizeof(bytes)), got;

		t->vfs->env->random(t->vfs->arg, bytes, want);
		got = uio_put(uio, bytes, want);
		if (got < want)
			return uio->done > before ? (s64)(uio->done - before) : -EFAULT;
	}
	return (s64)(uio->done - before);
}

static s64 write_nowhere(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	(void)t;
	(void)file;
	(void)pos;
	return (s64)uio_skip(uio, uio->left);
}

static s64 write_full(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	(void)t;
	(void)file;
	(void)pos;
	return uio->left ? -ENOSPC : 0;
}

static s64 seek_nowhere(struct vfs_task *t, struct file *file, s64 offset, u32 whence)
{
	(void)t;
	(void)offset;
	(void)whence;
	file->pos = 0;
	return 0;
}

static int map_zeros(struct vfs_task *t, struct file *file, bool shared)
{
	(void)t;
	(void)file;
	(void)shared;
	return FILE_MAPS_ZEROS;
}

static const struct file_ops null_ops = {
	.read = read_nothing, .write = write_nowhere, .seek = seek_nowhere};
static const struct file_ops zero_ops = {
	.read = read_zeros, .write = write_nowhere, .seek = seek_nowhere, .mmap = map_zeros};
static const struct file_ops full_ops = {
	.read = read_zeros, .write = write_full, .seek = seek_nowhere};
static const struct file_ops random_ops = {
	.read = read_random, .write = write_nowhere, .seek = seek_nowhere};

/* --- kmsg: file->pos is the number of the next record --- */

#define KMSG_LINE 1024u

static s64 read_kmsg(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct vfs *vfs = t->vfs;
	char line[KMSG_LINE];
	u64 seq = (u64)*pos;
	s64 n;

	if (!vfs->kmsg || !vfs->kmsg->read)
		return -EAGAIN;
	while ((n = vfs->kmsg->read(vfs->kmsg_arg, &seq, line, sizeof(line))) == 0) {
		if ((file->flags & O_NONBLOCK) || !vfs->kmsg->readable)
			return -EAGAIN;
		n = wait_block(vfs->loop, vfs->kmsg->readable, FIBER_FOREVER);
		if (n)
			return n;
	}
	if (n < 0)
		return n;
	if ((size_t)n > uio->left)
		return -EINVAL;
	if (uio_put(uio, line, (size_t)n) < (size_t)n)
		return -EFAULT;
	*pos = (s64)seq;
	return n;
}

static s64 write_kmsg(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct vfs *vfs = t->vfs;
	char line[KMSG_LINE];
	size_t len = uio->left;

	(void)file;
	(void)pos;
	if (len > sizeof(line))
		return -EINVAL;
	if (uio_take(uio, line, len) < len)
		return -EFAULT;
	if (vfs->kmsg && vfs->kmsg->write)
		vfs->kmsg->write(vfs->kmsg_arg, line, len);
	return (s64)len;
}

static s64 seek_kmsg(struct vfs_task *t, struct file *file, s64 offset, u32 whence)
{
	u64 seq = 0;
	char line[KMSG_LINE];

	if (offset)
		return -ESPIPE;
	file->pos = 0;
	if (whence == 2 /* SEEK_END */) {
		while (t->vfs->kmsg && t->vfs->kmsg->read &&
		       t->vfs->kmsg->read(t->vfs->kmsg_arg, &seq, line, sizeof(line)) > 0)
			file->pos = (s64)seq;
	} else if (whence == 1 /* SEEK_CUR */) {
		return -EINVAL;
	}
	return 0;
}

static u32 poll_kmsg(struct file *file, struct poll_table *table)
{
	struct vfs *vfs = file->inode->sb->vfs;
	u64 seq = (u64)file->pos;
	char line[KMSG_LINE];

	if (!vfs->kmsg || !vfs->kmsg->read)
		return POLLOUT | POLLWRNORM;
	if (vfs->kmsg->readable)
		poll_wait(table, vfs->kmsg->readable);
	if (vfs->kmsg->read(vfs->kmsg_arg, &seq, line, sizeof(line)) > 0)
		return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
	return POLLOUT | POLLWRNORM;
}

static const struct file_ops kmsg_ops = {
	.read = read_kmsg, .write = write_kmsg, .seek = seek_kmsg, .poll = poll_kmsg};

void vfs_set_kmsg(struct vfs *vfs, const struct kmsg_ops *ops, void *arg)
{
	vfs->kmsg = ops;
	vfs->kmsg_arg = arg;
}

int memdev_register(struct vfs *vfs)
{
	/* Minor numbers of major 1: Linux, Documentation/admin-guide/devices.txt */
	static const struct {
		const char *name;
		u32 minor, mode;
		const struct file_ops *ops;
	} devices[] = {
		{"null", 3, 0666, &null_ops},      {"zero", 5, 0666, &zero_ops},
		{"full", 7, 0666, &full_ops},      {"random", 8, 0666, &random_ops},
		{"urandom", 9, 0666, &random_ops}, {"kmsg", 11, 0644, &kmsg_ops},
	};
	int err = 0;

	for (u32 i = 0; i < ARRAY_SIZE(devices) && !err; i++)
		err = chrdev_register(vfs, 1, devices[i].minor, 1, devices[i].name, devices[i].mode,
				      devices[i].ops, NULL);
	return err;
}
