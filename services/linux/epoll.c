/*
 * System calls about epoll; the sets themselves are services/vfs/epoll.c.
 *
 * Runs in: the personality's domain. Source: epoll_create(2), epoll_ctl(2), epoll_wait(2).
 */
#include "misc.h"
#include "sched.h"
#include "signal.h"
#include "syscall.h"
#include "timer.h"
#include "uaccess.h"

#include <errno.h>
#include <rt/clock.h>
#include <vfs/epoll.h>

#define EVENTS_MAX        ((u32)INT32_MAX / (u32)sizeof(struct epoll_event_abi))
#define BATCH             64u

#define CAP_BLOCK_SUSPEND 36

s64 sys_epoll_create(struct thread *t, const u64 *a)
{
	return (s32)a[0] <= 0 ? -EINVAL : epoll_new(&t->vfs, 0);
}

s64 sys_epoll_create1(struct thread *t, const u64 *a)
{
	return a[0] & ~(u64)O_CLOEXEC ? -EINVAL : epoll_new(&t->vfs, (u32)a[0]);
}

s64 sys_epoll_ctl(struct thread *t, const u64 *a)
{
	struct epoll_event_abi event = {0};

	if ((s32)a[1] != EPOLL_CTL_DEL && copy_in(t, &event, a[3], sizeof(event)))
		return -EFAULT;
	if (!capable(t, CAP_BLOCK_SUSPEND))
		event.events &= ~EPOLL_WAKEUP;
	return epoll_change(&t->vfs, (int)a[0], (int)a[1], (int)a[2], &event);
}

/* Give what is ready now, up to @max. Returns how many. */
static s64 collect(struct thread *t, struct file *file, u64 at, u32 max)
{
	struct epoll_event_abi events[BATCH];
	u32 done = 0, n, left = epoll_ready_count(file);

	while (done < max && left) {
		n = epoll_take(file, events, MIN(MIN(max - done, BATCH), left), &left);
		if (!n)
			break;
		if (copy_out(t, at + done * sizeof(*events), events, n * sizeof(*events)))
			return done ? (s64)done : -EFAULT;
		done += n;
	}
	return done;
}

/* The same of a set that another core has. */
static s64 wait_far(struct thread *t, struct file *file, u64 at, u32 max, u64 deadline_ns)
{
	u64 now_ns = clock_now_ns(), timeout_ns = UINT64_MAX;
	struct epoll_event_abi events[BATCH];
	s64 n;

	if (deadline_ns != FIBER_FOREVER)
		timeout_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
	n = far_epoll_wait(&t->vfs, file, events, MIN(max, BATCH), timeout_ns);
	if (n > 0 && copy_out(t, at, events, (u64)n * sizeof(*events)))
		return -EFAULT;
	return n == -ERESTARTSYS ? -EINTR : n;
}

static s64 wait_until(struct thread *t, const u64 *a, u64 deadline_ns)
{
	struct file *file;
	s32 max = (s32)a[2];
	s64 n;
	int err;

	if (max <= 0 || (u32)max > EVENTS_MAX)
		return -EINVAL;
	if (a[1] > MM_TOP || (u64)max * sizeof(struct epoll_event_abi) > MM_TOP - a[1])
		return -EFAULT;
	err = epoll_get(&t->vfs, (int)a[0], &file);
	if (err)
		return err;
	if (file_is_far_set(file)) {
		n = wait_far(t, file, a[1], (u32)max, deadline_ns);
		file_put(file);
		return n;
	}
	for (;;) {
		epoll_settle(&t->vfs, file, !deadline_ns);
		n = collect(t, file, a[1], (u32)max);
		if (n || err || !deadline_ns)
			break;
		err = signal_pending(t) ? -EINTR : epoll_block(file, sched_loop(), deadline_ns);
	}
	file_put(file);
	if (!n && err && err != -ETIMEDOUT)
		return -EINTR; /* whatever SA_RESTART says: signal(7) */
	return n;
}

static u64 deadline_of_ms(s32 ms)
{
	return ms < 0 ? FIBER_FOREVER : (ms ? timer_deadline((u64)ms * 1000000) : 0);
}

s64 sys_epoll_wait(struct thread *t, const u64 *a)
{
	return wait_until(t, a, deadline_of_ms((s32)a[3]));
}

static s64 wait_masked(struct thread *t, const u64 *a, u64 deadline_ns)
{
	s64 n = poll_begin_mask(t, a[4], a[5]);

	if (n)
		return n;
	n = wait_until(t, a, deadline_ns);
	return n == -EINTR ? n : poll_end_mask(t, n);
}

s64 sys_epoll_pwait(struct thread *t, const u64 *a)
{
	return wait_masked(t, a, deadline_of_ms((s32)a[3]));
}

s64 sys_epoll_pwait2(struct thread *t, const u64 *a)
{
	u64 deadline_ns;
	s64 err = poll_deadline(t, a[3], &deadline_ns);

	return err ? err : wait_masked(t, a, deadline_ns);
}
