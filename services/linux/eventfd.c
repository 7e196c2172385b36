/*
 * Counters to be polled: eventfd.
 *
 * Runs in: the personality's domain. Source: eventfd(2).
 */
#include "sched.h"
#include "syscall.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <vfs/file.h>

#define EFD_SEMAPHORE 1u
#define COUNT_MAX     (UINT64_MAX - 1)

struct eventfd {
	u64 count;
	bool semaphore;
	struct wait_queue queue;
};

static bool may_wait(const struct file *file, const struct uio *uio)
{
	return !(file->flags & O_NONBLOCK) && !uio->nowait;
}

static s64 eventfd_read(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct eventfd *e = file->private;
	u64 value;

	(void)t;
	(void)pos;
	if (uio->left < sizeof(value))
		return -EINVAL;
	while (!e->count) {
		int err = may_wait(file, uio) ? wait_block(sched_loop(), &e->queue, FIBER_FOREVER)
					      : -EAGAIN;

		if (err)
			return err;
	}
	value = e->semaphore ? 1 : e->count;
	e->count -= value;
	wait_wake(&e->queue, POLLOUT | POLLWRNORM);
	return uio_put(uio, &value, sizeof(value)) == sizeof(value) ? (s64)sizeof(value) : -EFAULT;
}

static s64 eventfd_write(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct eventfd *e = file->private;
	u64 value;

	(void)t;
	(void)pos;
	if (uio->left < sizeof(value))
		return -EINVAL;
	if (uio_take(uio, &value, sizeof(value)) != sizeof(value))
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	while (COUNT_MAX - e->count < value) {
		int err = may_wait(file, uio) ? wait_block(sched_loop(), &e->queue, FIBER_FOREVER)
					      : -EAGAIN;

		if (err)
			return err;
	}
	e->count += value;
	wait_wake(&e->queue, POLLIN | POLLRDNORM);
	return sizeof(value);
}

static u32 eventfd_poll(struct file *file, struct poll_table *table)
{
	struct eventfd *e = file->private;

	poll_wait(table, &e->queue);
	return (e->count ? POLLIN | POLLRDNORM : 0) |
	       (e->count < COUNT_MAX ? POLLOUT | POLLWRNORM : 0);
}

static void eventfd_release(struct file *file)
{
	free(file->private);
}

static const struct file_ops eventfd_ops = {
	.read = eventfd_read,
	.write = eventfd_write,
	.seek = file_seek_nothing,
	.poll = eventfd_poll,
	.release = eventfd_release,
};

static s64 make(struct thread *t, u32 count, u32 flags)
{
	struct eventfd *e;
	struct file *file;
	int err;

	if (flags & ~(u32)(EFD_SEMAPHORE | O_NONBLOCK | O_CLOEXEC))
		return -EINVAL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->count = count;
	e->semaphore = flags & EFD_SEMAPHORE;
	err = file_new_anon(t->vfs.vfs, "anon_inode:[eventfd]", &eventfd_ops, e,
			    O_RDWR | (flags & O_NONBLOCK), &file);
	if (err) {
		free(e);
		return err;
	}
	return fd_add(&t->vfs, file, flags & O_CLOEXEC);
}

s64 sys_eventfd(struct thread *t, const u64 *a)
{
	return make(t, (u32)a[0], 0);
}

s64 sys_eventfd2(struct thread *t, const u64 *a)
{
	return make(t, (u32)a[0], (u32)a[1]);
}
