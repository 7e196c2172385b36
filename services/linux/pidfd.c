/*
 * Descriptors of processes.
 *
 * Runs in: the personality's domain. Source: pidfd_open(2).
 */
#include "misc.h"
#include "syscall.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#define PIDFD_NONBLOCK 04000u

/* What a descriptor refers to: the process, until it is reaped. */
struct pidfd {
	struct pidfd *next;
	struct process *process;
	struct wait_queue queue;
};

static struct pidfd *all;

static u32 pidfd_poll(struct file *file, struct poll_table *table)
{
	struct pidfd *f = file->private;

	if (!f->process)
		return POLLIN | POLLRDNORM | POLLHUP;
	poll_wait(table, &f->queue);
	return f->process->zombie ? POLLIN | POLLRDNORM : 0;
}

static void pidfd_release(struct file *file)
{
	struct pidfd **at = &all;

	while (*at != file->private)
		at = &(*at)->next;
	*at = (*at)->next;
	free(file->private);
}

static const struct file_ops pidfd_ops = {.poll = pidfd_poll, .release = pidfd_release};

int pidfd_new(struct thread *t, struct process *p, u32 flags)
{
	struct pidfd *f = calloc(1, sizeof(*f));
	struct file *file;
	int err;

	if (!f)
		return -ENOMEM;
	err = file_new_anon(t->vfs.vfs, "anon_inode:[pidfd]", &pidfd_ops, f, O_RDWR | flags, &file);
	if (err) {
		free(f);
		return err;
	}
	f->process = p;
	f->next = all;
	all = f;
	return fd_add(&t->vfs, file, true);
}

int pidfd_process(struct thread *t, int fd, struct process **p, bool *nonblock)
{
	struct file *file = fd_get_real(&t->vfs, fd);
	int err = -EBADF;

	if (!file)
		return -EBADF;
	if (file->ops == &pidfd_ops) {
		*p = ((struct pidfd *)file->private)->process;
		if (nonblock)
			*nonblock = file->flags & O_NONBLOCK;
		err = 0;
	}
	file_put(file);
	return err;
}

void pidfd_wake(struct process *p)
{
	for (struct pidfd *f = all; f; f = f->next) {
		if (f->process == p)
			wait_wake(&f->queue, POLLIN);
	}
}

void pidfd_forget(struct process *p)
{
	for (struct pidfd *f = all; f; f = f->next) {
		if (f->process == p) {
			f->process = NULL;
			wait_wake(&f->queue, POLLIN | POLLHUP);
		}
	}
}

s64 sys_pidfd_open(struct thread *t, const u64 *a)
{
	struct process *p;

	if (a[1] & ~(u64)PIDFD_NONBLOCK || (s32)a[0] <= 0)
		return -EINVAL;
	p = process_find((u32)a[0]);
	if (!p)
		return thread_find((u32)a[0]) ? -ENOENT : -ESRCH;
	return pidfd_new(t, p, (u32)a[1] & PIDFD_NONBLOCK);
}
