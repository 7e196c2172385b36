/*
 * Signals to be polled and read: signalfd.
 *
 * A descriptor shows the signals of whoever reads or polls it.
 *
 * Runs in: the personality's domain. Source: signalfd(2).
 */
#include "farfiles.h"
#include "sched.h"
#include "signal.h"
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>
#include <poll.h>
#include <skerry/shard/file.h>
#include <stdlib.h>
#include <vfs/file.h>

struct signalfd {
	u64 set;
};

struct k_signalfd_siginfo {
	u32 signo;
	s32 error, code;
	u32 pid, uid;
	s32 fd;
	u32 tid, band, overrun, trapno;
	s32 status, value;
	u64 pointer, utime, stime, addr;
	u16 addr_lsb, pad2;
	s32 syscall;
	u64 call_addr;
	u32 arch;
	u8 pad[28];
};

static_assert(sizeof(struct k_signalfd_siginfo) == 128, "struct signalfd_siginfo");

struct wait_queue signalfd_queue;

static struct thread *thread_of(struct vfs_task *task)
{
	return container_of(task, struct thread, vfs);
}

static struct k_signalfd_siginfo convert(const struct k_siginfo *info)
{
	struct k_signalfd_siginfo out = {
		.signo = (u32)info->signo,
		.error = info->error,
		.code = info->code,
	};

	if (info->code == SI_TIMER) {
		out.tid = (u32)info->timer.id;
		out.overrun = (u32)info->timer.overrun;
		out.pointer = info->timer.value;
		out.value = (s32)info->timer.value;
	} else if (info->signo == SIGCHLD && info->code > 0) {
		out.pid = (u32)info->child.pid;
		out.uid = info->child.uid;
		out.status = info->child.status;
		out.utime = (u64)info->child.utime;
		out.stime = (u64)info->child.stime;
	} else if (info->code > 0 && info->code != SI_KERNEL) {
		out.addr = info->fault.addr;
	} else {
		out.pid = (u32)info->user.pid;
		out.uid = info->user.uid;
		out.pointer = info->user.value;
		out.value = (s32)info->user.value;
	}
	return out;
}

static s64 signalfd_read(struct vfs_task *task, struct file *file, struct uio *uio, s64 *pos)
{
	const struct signalfd *f = file->private;
	struct thread *t = thread_of(task);
	struct k_siginfo info;
	s64 done = 0;

	(void)pos;
	if (uio->left < sizeof(struct k_signalfd_siginfo))
		return -EINVAL;
	while (uio->left >= sizeof(struct k_signalfd_siginfo)) {
		struct k_signalfd_siginfo out;
		int err = -EAGAIN;

		if (signal_take(t, f->set, &info)) {
			out = convert(&info);
			if (uio_put(uio, &out, sizeof(out)) != sizeof(out))
				return done ? done : -EFAULT;
			done += (s64)sizeof(out);
			continue;
		}
		if (done)
			break;
		if (!(file->flags & O_NONBLOCK) && !uio->nowait)
			err = wait_block(sched_loop(), &signalfd_queue, FIBER_FOREVER);
		if (err)
			return err;
	}
	return done;
}

static u32 signalfd_poll(struct file *file, struct poll_table *table)
{
	const struct signalfd *f = file->private;
	const struct thread *t = sched_current();

	poll_wait(table, &signalfd_queue);
	return t && (t->pending.set | t->process->pending.set) & f->set ? POLLIN | POLLRDNORM : 0;
}

static void signalfd_release(struct file *file)
{
	free(file->private);
}

/* It shows the signals of whoever reads it, so on another core it is made anew. */
static void signalfd_describe(struct file *file, struct file_desc *desc)
{
	const struct signalfd *f = file->private;

	desc->kind = FILE_KIND_SIGNALFD;
	desc->aux[0] = f->set;
}

static const struct file_ops signalfd_ops = {
	.read = signalfd_read,
	.seek = file_seek_nothing,
	.poll = signalfd_poll,
	.describe = signalfd_describe,
	.release = signalfd_release,
};

static s64 change(struct thread *t, int fd, u64 set)
{
	struct file *file = fd_get_real(&t->vfs, fd);
	int err = 0;

	if (!file)
		return -EBADF;
	if (file->ops == &signalfd_ops)
		((struct signalfd *)file->private)->set = set;
	else
		err = -EINVAL;
	file_put(file);
	wait_wake(&signalfd_queue, POLLIN);
	return err ? err : fd;
}

static int make_file(struct vfs *vfs, u64 set, u32 flags, struct file **file)
{
	struct signalfd *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	f->set = set;
	err = file_new_anon(vfs, "anon_inode:[signalfd]", &signalfd_ops, f,
			    O_RDWR | (flags & O_NONBLOCK), file);
	if (err)
		free(f);
	return err;
}

int signalfd_remake(struct vfs *vfs, const struct file_desc *desc, struct file **file)
{
	return make_file(vfs, desc->aux[0] & ~SIG_UNBLOCKABLE, desc->flags, file);
}

static s64 make(struct thread *t, const u64 *a, u32 flags)
{
	struct file *file;
	u64 set;
	int err;

	if (flags & ~(u32)(O_NONBLOCK | O_CLOEXEC) || a[2] != sizeof(set))
		return -EINVAL;
	if (copy_in(t, &set, a[1], sizeof(set)))
		return -EFAULT;
	set &= ~SIG_UNBLOCKABLE;
	if ((s32)a[0] != -1)
		return change(t, (int)a[0], set);
	err = make_file(t->vfs.vfs, set, flags, &file);
	if (err)
		return err;
	return fd_add(&t->vfs, file, flags & O_CLOEXEC);
}

s64 sys_signalfd(struct thread *t, const u64 *a)
{
	return make(t, a, 0);
}

s64 sys_signalfd4(struct thread *t, const u64 *a)
{
	return make(t, a, (u32)a[3]);
}
