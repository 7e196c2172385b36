/*
 * Descriptors of processes.
 *
 * Runs in: the personality's domain. Source: pidfd_open(2).
 */
#include "afar.h"
#include "directory.h"
#include "farfiles.h"
#include "misc.h"
#include "procfiles.h"
#include "syscall.h"

#include <errno.h>
#include <poll.h>
#include <rt/rt.h>
#include <skerry/shard/file.h>
#include <stdlib.h>
#include <vfs/proc.h>

#define PIDFD_NONBLOCK 04000u

/*
 * What a descriptor refers to: the process, until it is reaped. One that lives on another core is
 * watched there by a fiber, which holds a reference, too.
 */
struct pidfd {
	struct pidfd *next;
	struct process *process; /* of this core; NULL: gone, or far */
	struct wait_queue queue;
	u32 pid;
	u32 refs;
	bool is_far;
};

static struct pidfd *all;

static u32 pidfd_poll(struct file *file, struct poll_table *table)
{
	struct pidfd *f = file->private;

	if (!f->process && !f->is_far)
		return POLLIN | POLLRDNORM | POLLHUP;
	poll_wait(table, &f->queue);
	if (f->is_far)
		return 0;
	return f->process->zombie ? POLLIN | POLLRDNORM : 0;
}

static void put(struct pidfd *f)
{
	struct pidfd **at = &all;

	if (--f->refs)
		return;
	while (*at != f)
		at = &(*at)->next;
	*at = (*at)->next;
	free(f);
}

static void pidfd_release(struct file *file)
{
	put(file->private);
}

/* On another core it is a descriptor of the same number. */
static void pidfd_describe(struct file *file, struct file_desc *desc)
{
	const struct pidfd *f = file->private;

	desc->kind = FILE_KIND_PIDFD;
	desc->aux[0] = f->process || f->is_far ? f->pid : 0;
}

/* Its numbers, in the namespace of this /proc and in those below; -1: it is gone, 0: not seen. */
static void pidfd_show(struct file *file, struct text *out)
{
	const struct pidfd *f = file->private;
	const struct process *p = f->process;

	if (f->is_far)
		text_printf(out, "Pid:\t%u\nNSpid:\t%u\n", f->pid, f->pid);
	else if (!p)
		text_puts(out, "Pid:\t-1\nNSpid:\t-1\n");
	else
		text_printf(out, "Pid:\t%u\n", proc_number(out, p->pid));
	if (p && proc_number(out, p->pid))
		proc_show_numbers(p, "NSpid:", p->pid, out);
	else if (p)
		text_puts(out, "NSpid:\t0\n");
}

static const struct file_ops pidfd_ops = {
	.poll = pidfd_poll,
	.describe = pidfd_describe,
	.show_info = pidfd_show,
	.release = pidfd_release,
};

/* Wait until the process ends, wherever it goes meanwhile. */
static void watch(void *arg)
{
	struct pidfd *f = arg;
	s64 result = -EAGAIN;

	while (result == -EAGAIN && f->refs > 1) {
		struct process *p = process_find(f->pid);

		if (p) {
			f->process = p;
			break;
		}
		result = afar_await_end(f->pid);
	}
	f->is_far = false;
	wait_wake(&f->queue, POLLIN | (f->process ? 0 : POLLHUP));
	put(f);
}

static void begin_watch(struct pidfd *f)
{
	f->process = NULL;
	f->is_far = true;
	f->refs++;
	if (rt_fiber_start(watch, f)) {
		f->is_far = false;
		f->refs--;
	}
}

/* @p NULL: process @pid of another core; 0: one that is gone. */
static int make_file(struct vfs *vfs, struct process *p, u32 pid, u32 flags, struct file **file)
{
	struct pidfd *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	err = file_new_anon(vfs, "anon_inode:[pidfd]", &pidfd_ops, f, O_RDWR | flags, file);
	if (err) {
		free(f);
		return err;
	}
	f->process = p;
	f->pid = pid;
	f->refs = 1;
	f->next = all;
	all = f;
	if (!p && pid)
		begin_watch(f);
	return 0;
}

static int open_pidfd(struct thread *t, struct process *p, u32 pid, u32 flags)
{
	struct file *file;
	int err = make_file(t->vfs.vfs, p, pid, flags, &file);

	return err ? err : fd_add(&t->vfs, file, true);
}

int pidfd_remake(struct vfs *vfs, const struct file_desc *desc, struct file **file)
{
	u32 pid = (u32)desc->aux[0];

	return make_file(vfs, pid ? process_find(pid) : NULL, pid, desc->flags & PIDFD_NONBLOCK,
			 file);
}

int pidfd_new(struct thread *t, struct process *p, u32 flags)
{
	return open_pidfd(t, p, p->pid, flags);
}

void pidfd_follow(struct process *p)
{
	for (struct pidfd *f = all; f; f = f->next) {
		if (f->process == p)
			begin_watch(f);
	}
}

u32 pidfd_number(struct thread *t, int fd)
{
	struct file *file = fd_peek(&t->vfs, fd);
	const struct pidfd *f = file && file->ops == &pidfd_ops ? file->private : NULL;

	if (file && !f)
		return procfs_process_of(file); /* pidfd_send_signal(2) takes a folder of /proc */
	return f && (f->process || f->is_far) ? f->pid : 0;
}

int pidfd_process(struct thread *t, int fd, struct process **p, bool *nonblock)
{
	struct file *file = fd_get_real(&t->vfs, fd);
	int err = -EBADF;

	if (!file)
		return -EBADF;
	if (file->ops == &pidfd_ops) {
		const struct pidfd *f = file->private;

		*p = f->is_far ? process_find(f->pid) : f->process;
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
	u32 pid = keep_pid(t, (u32)a[0]);
	struct process *p;

	if (a[1] & ~(u64)PIDFD_NONBLOCK || (s32)a[0] <= 0)
		return -EINVAL;
	p = process_find(pid);
	if (!p && afar_is_on && !thread_find(pid) && directory_where(pid) >= 0)
		return open_pidfd(t, NULL, pid, (u32)a[1] & PIDFD_NONBLOCK);
	if (!p)
		return thread_find(pid) ? -ENOENT : -ESRCH;
	return pidfd_new(t, p, (u32)a[1] & PIDFD_NONBLOCK);
}
