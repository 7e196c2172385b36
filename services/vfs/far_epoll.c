/*
 * Sets that watch files (epoll), of other cores.
 *
 * A set stays at its home. What is added elsewhere is a file of that core, or of a third, so the
 * home gets a proxy of it, by a reference that does not keep the file open: as on one core, a file
 * leaves the sets that watch it when it is closed. Sets in sets of another core are refused, since
 * nobody would see a circle.
 *
 * Source: epoll(7).
 * Runs in: the personality, host tests.
 */
#include "far_file_internal.h"

#include <stdlib.h>
#include <string.h>

/* What FILES_EPOLL_CTL carries. */
struct epoll_carried {
	struct file_desc file;
	u32 events, zero;
	u64 data;
};

bool file_is_far_set(const struct file *file)
{
	const struct far_file *far = file->private;

	return file_is_far(file) && !(file->mode & FILE_PATH) && (far->traits & FILE_IS_EPOLL);
}

int far_epoll_change(struct vfs_task *t, struct file *set, int op, struct file *file, int fd,
		     const struct epoll_event_abi *event)
{
	struct epoll_carried carried = {.events = event->events, .data = event->data};
	struct far_file *far = set->private;
	struct far_call call = {.op = FILES_EPOLL_CTL,
				.ask = {.what = (u32)op, .fd = (u32)fd},
				.data = &carried,
				.bytes = sizeof(carried)};
	int err;

	if (set == file)
		return -EINVAL;
	if (!file->ops->poll)
		return -EPERM;
	if (file_is_epoll(file) || file_is_far_set(file))
		return -ELOOP;
	err = file_export_as(file, far->home, true, &carried.file);
	if (err)
		return err;
	if (carried.file.kind > FILE_KIND_DEVICE)
		return -EPERM; /* made anew at the set's home it would be another file */
	return (int)far_ask(t, far, &call);
}

s64 far_epoll_serve_change(struct vfs_task *t, struct file *set, const struct file_ask *ask,
			   const void *data, u32 bytes)
{
	const struct epoll_carried *carried = data;
	struct epoll_event_abi event;
	struct file *file;
	s64 err;

	if (bytes != sizeof(*carried) || !file_is_epoll(set))
		return -EBADMSG;
	event = (struct epoll_event_abi){.events = carried->events, .data = carried->data};
	err = file_import(t->vfs, &carried->file, &file);
	if (err)
		return err;
	err = epoll_change_file(t, set, (int)ask->what, file, (int)ask->fd, &event,
				file_is_far(file));
	file_put(file);
	return err;
}

s64 far_epoll_wait(struct vfs_task *t, struct file *set, struct epoll_event_abi *events, u32 max,
		   u64 timeout_ns)
{
	struct far_call call = {.op = FILES_EPOLL_WAIT,
				.interruptible = true,
				.ask = {.len = max, .arg = timeout_ns},
				.out = events,
				.room = max * (u32)sizeof(*events)};
	s64 n = far_ask(t, set->private, &call);

	return n > 0 && call.got != (u32)n * sizeof(*events) ? -EIO : n;
}

s64 far_epoll_serve_wait(struct vfs_task *t, struct file *set, const struct file_ask *ask,
			 struct epoll_event_abi *events, u32 max)
{
	struct fiber_loop *loop = t->vfs->loop;
	u64 deadline_ns = FIBER_FOREVER;
	int err = 0;
	u32 n, left;

	if (!file_is_epoll(set) || !max)
		return -EBADMSG;
	if (ask->arg != UINT64_MAX)
		deadline_ns = ask->arg ? loop->io->now_ns(loop->io_arg) + ask->arg : 0;
	for (;;) {
		epoll_settle(t, set, !deadline_ns);
		left = epoll_ready_count(set);
		n = epoll_take(set, events, max, &left);
		if (n || err || !deadline_ns)
			break;
		err = epoll_block(set, loop, deadline_ns);
	}
	return n || err == -ETIMEDOUT ? (s64)n : err;
}
