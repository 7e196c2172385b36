/*
 * Timers to be polled: timerfd.
 *
 * Runs in: the personality's domain. Source: timerfd_create(2).
 */
#include "sched.h"
#include "syscall.h"
#include "timer.h"
#include "uaccess.h"

#include <errno.h>
#include <poll.h>
#include <rt/clock.h>
#include <stdlib.h>
#include <vfs/file.h>

#define TFD_TIMER_ABSTIME       1u
#define TFD_TIMER_CANCEL_ON_SET 2u

struct timerfd {
	s32 clock;
	struct itimer timer;
	u64 ticks; /* that nobody has read */
	bool cancel_on_set, cancelled;
	struct wait_entry clock_set;
	struct wait_queue queue;
};

static void expired(struct itimer *timer)
{
	struct timerfd *f = container_of(timer, struct timerfd, timer);

	f->ticks = 1;
	wait_wake(&f->queue, POLLIN | POLLRDNORM);
}

/* Whoever looks at a timer that has ended counts its intervals and starts it again. */
static void look(struct timerfd *f)
{
	if (f->ticks && f->timer.interval_ns && !f->timer.armed)
		f->ticks += timer_restart(&f->timer, 0) - 1;
}

static void clock_was_set(struct wait_entry *entry, u32 events)
{
	struct timerfd *f = container_of(entry, struct timerfd, clock_set);

	(void)events;
	if (!f->cancel_on_set)
		return;
	f->cancelled = true;
	wait_wake(&f->queue, POLLIN | POLLRDNORM);
}

static s64 timerfd_read(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct timerfd *f = file->private;
	u64 ticks;

	(void)t;
	(void)pos;
	if (uio->left < sizeof(ticks))
		return -EINVAL;
	while (!f->ticks && !f->cancelled) {
		int err = -EAGAIN;

		if (!(file->flags & O_NONBLOCK) && !uio->nowait)
			err = wait_block(sched_loop(), &f->queue, FIBER_FOREVER);
		if (err)
			return err;
	}
	look(f);
	ticks = f->ticks;
	f->ticks = 0;
	if (f->cancelled) {
		f->cancelled = false;
		return -ECANCELED;
	}
	return uio_put(uio, &ticks, sizeof(ticks)) == sizeof(ticks) ? (s64)sizeof(ticks) : -EFAULT;
}

static u32 timerfd_poll(struct file *file, struct poll_table *table)
{
	struct timerfd *f = file->private;

	poll_wait(table, &f->queue);
	return f->ticks || f->cancelled ? POLLIN | POLLRDNORM : 0;
}

static void timerfd_release(struct file *file)
{
	struct timerfd *f = file->private;

	timer_cancel(&f->timer);
	wait_remove(&f->clock_set);
	free(f);
}

static s64 timerfd_control(struct vfs_task *task, struct file *file, u32 what, void *data,
			   u32 bytes);

static const struct file_ops timerfd_ops = {
	.read = timerfd_read,
	.seek = file_seek_nothing,
	.poll = timerfd_poll,
	.control = timerfd_control,
	.release = timerfd_release,
};

s64 sys_timerfd_create(struct thread *t, const u64 *a)
{
	s32 clock = (s32)a[0];
	struct timerfd *f;
	struct file *file;
	int err;

	if (a[1] & ~(u64)(O_NONBLOCK | O_CLOEXEC) ||
	    (clock != 0 && clock != 1 && clock != 7 && clock != 8 && clock != 9))
		return -EINVAL;
	if ((clock == 8 || clock == 9) && !capable(t, CAP_WAKE_ALARM))
		return -EPERM;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->clock = clock;
	f->timer.expired = expired;
	f->clock_set.wake = clock_was_set;
	err = file_new_anon(t->vfs.vfs, "anon_inode:[timerfd]", &timerfd_ops, f,
			    O_RDWR | (u32)(a[1] & O_NONBLOCK), &file);
	if (err) {
		free(f);
		return err;
	}
	wait_add(&timer_clock_set, &f->clock_set);
	return fd_add(&t->vfs, file, a[1] & O_CLOEXEC);
}

static void read_timer(struct timerfd *f, struct k_itimerspec *out)
{
	u64 now_ns = clock_now_ns(), left_ns = 0;

	look(f);
	if (f->timer.armed)
		left_ns = MAX(f->timer.node.deadline_ns, now_ns + 1) - now_ns;
	out->value = ns_to_timespec(left_ns);
	out->interval = ns_to_timespec(f->timer.interval_ns);
}

static void set_timer(struct thread *t, struct timerfd *f, u32 flags, u64 value_ns, u64 interval_ns)
{
	u64 now_ns = 0;

	timer_cancel(&f->timer);
	f->timer.interval_ns = interval_ns;
	f->ticks = 0;
	f->cancelled = false;
	f->cancel_on_set = flags & TFD_TIMER_CANCEL_ON_SET && flags & TFD_TIMER_ABSTIME &&
			   timer_clock_kind(f->clock) == 1;
	if (!value_ns)
		return;
	if (flags & TFD_TIMER_ABSTIME && timer_clock_kind(f->clock) == 1) {
		timer_arm_realtime(&f->timer, value_ns);
		return;
	}
	if (flags & TFD_TIMER_ABSTIME)
		timer_read_clock(t, f->clock, &now_ns);
	timer_arm(&f->timer, timer_deadline(value_ns > now_ns ? value_ns - now_ns : 0));
}

/* Of timerfd_settime(2), which may be made on another core than the timer's. */
struct setting {
	u64 value_ns, interval_ns;
	u32 flags, zero;
	struct k_itimerspec old; /* also what timerfd_gettime(2) gives */
};

static_assert(sizeof(struct setting) <= FILE_CONTROL_MAX, "file.h");

static s64 timerfd_control(struct vfs_task *task, struct file *file, u32 what, void *data,
			   u32 bytes)
{
	struct thread *t = container_of(task, struct thread, vfs);
	struct timerfd *f = file->private;
	struct setting *setting = data;

	if (bytes != sizeof(*setting) ||
	    (what != FILE_CONTROL_TIMER_SET && what != FILE_CONTROL_TIMER_GET))
		return -EINVAL;
	read_timer(f, &setting->old);
	if (what == FILE_CONTROL_TIMER_SET)
		set_timer(t, f, setting->flags, setting->value_ns, setting->interval_ns);
	return 0;
}

/* Set or read the timer of a descriptor. */
static s64 control(struct thread *t, int fd, u32 what, struct setting *setting)
{
	struct file *file = fd_get_real(&t->vfs, fd);
	s64 result;

	if (!file)
		return -EBADF;
	result = file_control(&t->vfs, file, what, setting, sizeof(*setting));
	file_put(file);
	return result;
}

s64 sys_timerfd_settime(struct thread *t, const u64 *a)
{
	struct setting setting = {.flags = (u32)a[1]};
	struct k_itimerspec new;
	s64 err = copy_in(t, &new, a[2], sizeof(new));

	if (err)
		return err;
	if (a[1] & ~(u64)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) ||
	    timespec_to_ns(&new.value, &setting.value_ns) ||
	    timespec_to_ns(&new.interval, &setting.interval_ns))
		return -EINVAL;
	err = control(t, (int)a[0], FILE_CONTROL_TIMER_SET, &setting);
	if (err)
		return err;
	return a[3] ? copy_out(t, a[3], &setting.old, sizeof(setting.old)) : 0;
}

s64 sys_timerfd_gettime(struct thread *t, const u64 *a)
{
	struct setting setting = {0};
	s64 err = control(t, (int)a[0], FILE_CONTROL_TIMER_GET, &setting);

	return err ? err : copy_out(t, a[1], &setting.old, sizeof(setting.old));
}
