/*
 * System calls about time: clocks, sleeping, interval timers.
 *
 * Runs in: the personality's domain. Source: clock_gettime(2), clock_nanosleep(2), getitimer(2).
 */
#include "sched.h"
#include "signal.h"
#include "syscall.h"
#include "timer.h"
#include "uaccess.h"

#include <errno.h>
#include <rt/clock.h>

s64 sys_clock_gettime(struct thread *t, const u64 *a)
{
	struct k_timespec ts;
	u64 ns;
	int err = timer_read_clock(t, (s32)a[0], &ns);

	if (err)
		return err;
	ts = ns_to_timespec(ns);
	return copy_out(t, a[1], &ts, sizeof(ts));
}

s64 sys_clock_getres(struct thread *t, const u64 *a)
{
	s32 clock = (s32)a[0];
	struct k_timespec ts = {0, 1};
	u64 ns;
	int err = timer_read_clock(t, clock, &ns);

	if (err)
		return err;
	if (clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE)
		ts.nsec = TIMER_COARSE_NS;
	return a[1] ? copy_out(t, a[1], &ts, sizeof(ts)) : 0;
}

static int set_realtime(struct thread *t, u64 ns)
{
	if (!capable(t, CAP_SYS_TIME))
		return -EPERM;
	if (ns < clock_now_ns()) /* the machine would have started before 1970 */
		return -EINVAL;
	timer_set_realtime(ns);
	return 0;
}

s64 sys_clock_settime(struct thread *t, const u64 *a)
{
	s32 clock = (s32)a[0];
	struct k_timespec ts;
	struct cpu_timer of;
	u64 ns;
	int err;

	if (clock > 0)
		return -EINVAL;
	err = copy_in(t, &ts, a[1], sizeof(ts));
	if (!err && clock < 0)
		return cpu_clock_find(t, clock, &of) ? -EINVAL : -EPERM;
	if (!err)
		err = timespec_to_ns(&ts, &ns);
	return err ? err : set_realtime(t, ns);
}

s64 sys_gettimeofday(struct thread *t, const u64 *a)
{
	struct k_timeval tv = ns_to_timeval(timer_realtime());
	s32 zone[2] = {0, 0};

	if (a[0] && copy_out(t, a[0], &tv, sizeof(tv)))
		return -EFAULT;
	return a[1] ? copy_out(t, a[1], zone, sizeof(zone)) : 0;
}

s64 sys_settimeofday(struct thread *t, const u64 *a)
{
	struct k_timeval tv;

	if (!a[0])
		return 0;
	if (copy_in(t, &tv, a[0], sizeof(tv)))
		return -EFAULT;
	if (tv.sec < 0 || tv.usec < 0 || tv.usec >= 1000000)
		return -EINVAL;
	return set_realtime(t, (u64)tv.sec * NS_PER_S + (u64)tv.usec * 1000);
}

s64 sys_time(struct thread *t, const u64 *a)
{
	s64 now = (s64)(timer_realtime() / NS_PER_S);

	if (a[0] && copy_out(t, a[0], &now, sizeof(now)))
		return -EFAULT;
	return now;
}

/* ---- sleeping ---- */

/* Sleep until a moment of the monotonic clock; 0 or -EINTR. */
static int sleep_until(struct thread *t, u64 deadline_ns)
{
	struct fiber_queue nobody = {0};
	int err = sched_wait(t, &nobody, deadline_ns);

	return err == -ETIMEDOUT ? 0 : err;
}

/* Sleep relative to now; what is left goes to @left, and restart_syscall goes on. */
static s64 sleep_relative(struct thread *t, u64 deadline_ns, u64 left)
{
	struct k_timespec ts = {0};
	u64 now_ns;

	if (sleep_until(t, deadline_ns) == 0)
		return 0;
	now_ns = clock_now_ns();
	if (now_ns >= deadline_ns)
		return 0;
	ts = ns_to_timespec(deadline_ns - now_ns);
	if (left && copy_out(t, left, &ts, sizeof(ts)))
		return -EFAULT;
	t->restart_ns = deadline_ns;
	t->restart_arg = left;
	return -E_RESTARTBLOCK;
}

s64 sleep_restart(struct thread *t)
{
	return sleep_relative(t, t->restart_ns, t->restart_arg);
}

s64 sys_nanosleep(struct thread *t, const u64 *a)
{
	struct k_timespec ts;
	u64 ns;
	int err = copy_in(t, &ts, a[0], sizeof(ts));

	if (!err)
		err = timespec_to_ns(&ts, &ns);
	if (err)
		return err;
	t->restart = sleep_restart;
	return sleep_relative(t, timer_deadline(ns), a[1]);
}

struct cpu_sleep {
	struct cpu_timer timer;
	struct fiber_queue queue;
	bool over;
};

static void cpu_sleep_over(struct cpu_timer *timer)
{
	struct cpu_sleep *sleep = container_of(timer, struct cpu_sleep, timer);

	sleep->over = true;
	fiber_wake_all(&sleep->queue);
}

/* Until threads have used time up to @until_ns of a clock of theirs. */
static s64 cpu_sleep(struct thread *t, s32 clock, u64 until_ns)
{
	struct cpu_sleep sleep = {0};
	int err = cpu_clock_find(t, clock, &sleep.timer);

	if (err || sleep.timer.thread == t)
		return -EINVAL; /* it would never end */
	if (cpu_clock_read(&sleep.timer) >= until_ns)
		return 0;
	sleep.timer.expired = cpu_sleep_over;
	cpu_timer_arm(&sleep.timer, until_ns);
	while (!sleep.over && !err)
		err = sched_wait(t, &sleep.queue, FIBER_FOREVER);
	cpu_timer_cancel(&sleep.timer);
	return sleep.over ? 0 : err;
}

struct clock_sleep {
	struct wait_entry entry;
	struct fiber_queue queue;
};

static void clock_was_set(struct wait_entry *entry, u32 events)
{
	(void)events;
	fiber_wake_all(&container_of(entry, struct clock_sleep, entry)->queue);
}

/* Until a moment of a clock; setting it makes that come sooner or later. */
static int sleep_absolute(struct thread *t, s32 clock, u64 until_ns)
{
	struct clock_sleep sleep = {.entry.wake = clock_was_set};
	int err = 0;
	u64 now_ns;

	wait_add(&timer_clock_set, &sleep.entry);
	while (!err && timer_read_clock(t, clock, &now_ns) == 0 && now_ns < until_ns) {
		err = sched_wait(t, &sleep.queue, timer_deadline(until_ns - now_ns));
		err = err == -ETIMEDOUT ? 0 : err;
	}
	wait_remove(&sleep.entry);
	return err;
}

s64 sys_clock_nanosleep(struct thread *t, const u64 *a)
{
	s32 clock = (s32)a[0];
	struct k_timespec ts;
	u64 ns, now_ns;
	int err = timer_read_clock(t, clock, &now_ns);
	bool is_cpu = timer_clock_kind(clock) < 0;

	if (err)
		return err;
	if (clock == 4 || clock == 5 || clock == 6) /* RAW and the coarse ones */
		return -EOPNOTSUPP;
	err = copy_in(t, &ts, a[2], sizeof(ts));
	if (!err)
		err = timespec_to_ns(&ts, &ns);
	if (err)
		return err;
	if (is_cpu) {
		s64 result = cpu_sleep(t, clock, a[1] & TIMER_ABSTIME ? ns : now_ns + ns);

		return result == -EINTR ? -E_RESTARTNOHAND : result;
	}
	if (!(a[1] & TIMER_ABSTIME)) {
		t->restart = sleep_restart;
		return sleep_relative(t, timer_deadline(ns), a[3]);
	}
	return sleep_absolute(t, clock, ns) ? -E_RESTARTNOHAND : 0;
}

s64 sys_restart_syscall(struct thread *t, const u64 *a)
{
	(void)a;
	return t->restart ? t->restart(t) : -EINTR;
}

/* ---- interval timers ---- */

static void read_timer(struct process *p, u64 which, struct k_itimerval *out)
{
	u64 now_ns = clock_now_ns(), left_ns = 0, interval_ns = p->real.interval_ns;

	if (which != ITIMER_REAL)
		cpu_itimer_get(p, which == ITIMER_PROF, &left_ns, &interval_ns);
	else if (p->real.armed)
		left_ns = MAX(p->real.node.deadline_ns, now_ns + 1000) - now_ns;
	out->value = ns_to_timeval(left_ns);
	out->interval = ns_to_timeval(interval_ns);
}

static void set_timer(struct process *p, u64 which, u64 value_ns, u64 interval_ns)
{
	if (which != ITIMER_REAL) {
		cpu_itimer_set(p, which == ITIMER_PROF, value_ns, interval_ns);
		return;
	}
	timer_cancel(&p->real);
	p->real.interval_ns = value_ns ? interval_ns : 0;
	if (value_ns)
		timer_arm(&p->real, timer_deadline(value_ns));
}

static int timeval_ns(const struct k_timeval *tv, u64 *ns)
{
	if (tv->usec < 0 || tv->usec >= 1000000)
		return -EINVAL;
	return timespec_to_ns(&(struct k_timespec){tv->sec, tv->usec * 1000}, ns);
}

s64 sys_getitimer(struct thread *t, const u64 *a)
{
	struct k_itimerval out;

	if (a[0] > ITIMER_PROF)
		return -EINVAL;
	read_timer(t->process, a[0], &out);
	return copy_out(t, a[1], &out, sizeof(out));
}

s64 sys_setitimer(struct thread *t, const u64 *a)
{
	struct k_itimerval in = {0}, old;
	u64 value_ns, interval_ns;

	if (a[1] && copy_in(t, &in, a[1], sizeof(in)))
		return -EFAULT;
	if (a[0] > ITIMER_PROF || timeval_ns(&in.value, &value_ns) ||
	    timeval_ns(&in.interval, &interval_ns))
		return -EINVAL;
	read_timer(t->process, a[0], &old);
	set_timer(t->process, a[0], value_ns, interval_ns);
	return a[2] ? copy_out(t, a[2], &old, sizeof(old)) : 0;
}

s64 sys_alarm(struct thread *t, const u64 *a)
{
	struct k_itimerval old;

	read_timer(t->process, ITIMER_REAL, &old);
	set_timer(t->process, ITIMER_REAL, (a[0] & 0xffffffff) * NS_PER_S, 0);
	if (old.value.sec == 0 && old.value.usec)
		return 1;
	return old.value.sec + (old.value.usec >= 500000);
}
