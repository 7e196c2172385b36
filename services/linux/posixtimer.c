/*
 * Timers of a process: timer_create and its relatives.
 *
 * A timer has one signal at a time: what ends while that is pending is counted (overruns), and told
 * when the signal is taken.
 *
 * Runs in: the personality's domain. Source: timer_create(2), timer_settime(2),
 * timer_getoverrun(2), sigevent(3type).
 */
#include "record.h"
#include "signal.h"
#include "syscall.h"
#include "timer.h"
#include "uaccess.h"

#include <errno.h>
#include <rt/clock.h>
#include <stdlib.h>

#define SIGEV_SIGNAL    0
#define SIGEV_NONE      1
#define SIGEV_THREAD    2
#define SIGEV_THREAD_ID 4

#define IGNORED_NS      4000000ul /* the shortest interval of a timer whose signal is ignored */

struct k_sigevent {
	u64 value;
	s32 signo, notify;
	s32 tid;
	u8 rest[44];
};

static_assert(sizeof(struct k_sigevent) == 64, "struct sigevent");

struct posix_timer {
	struct posix_timer *next;
	struct process *process;
	s32 id, clock;
	s32 notify, signo;
	u32 tid; /* SIGEV_THREAD_ID */
	u64 value;
	bool is_cpu; /* which of the two is used */
	struct itimer machine;
	struct cpu_timer cpu;
	bool queued; /* its signal is pending */
	u64 overruns, told_overruns;
	u64 start_ns; /* SIGEV_NONE: nothing runs; when it would end, by its clock */
};

static struct posix_timer *find(const struct process *p, s32 id)
{
	struct posix_timer *timer = p->posix_timers;

	while (timer && timer->id != id)
		timer = timer->next;
	return timer;
}

static s32 overrun_value(u64 overruns)
{
	return (s32)MIN(overruns, (u64)INT32_MAX);
}

/* ---- ending ---- */

static void notify(struct posix_timer *timer, u64 times)
{
	struct k_siginfo info = {.signo = timer->signo, .code = SI_TIMER};
	struct thread *of = timer->notify == SIGEV_THREAD_ID ? thread_find(timer->tid) : NULL;

	if (timer->notify == SIGEV_THREAD_ID && (!of || of->process != timer->process))
		return;
	if (timer->queued) {
		timer->overruns += times;
		return;
	}
	timer->overruns = times - 1;
	info.timer.id = timer->id;
	info.timer.value = timer->value;
	timer->queued = true;
	if (of ? signal_thread(of, &info) : signal_process(timer->process, &info))
		timer->queued = false; /* no memory: the next one tells */
}

void posix_timer_taken(struct process *p, struct k_siginfo *info)
{
	struct posix_timer *timer = find(p, info->timer.id);

	if (!timer)
		return;
	timer->queued = false;
	if (!timer->is_cpu && timer->machine.interval_ns && !timer->machine.armed)
		timer->overruns += timer_restart(&timer->machine, 0) - 1;
	timer->told_overruns = timer->overruns;
	timer->overruns = 0;
	info->timer.overrun = overrun_value(timer->told_overruns);
}

void posix_timer_dropped(struct process *p, const struct k_siginfo *info)
{
	struct posix_timer *timer = find(p, info->timer.id);

	if (!timer)
		return;
	timer->queued = false;
	/* Nobody takes notice: it goes on, but in no hurry. */
	if (!timer->is_cpu && timer->machine.interval_ns && !timer->machine.armed)
		timer_restart(&timer->machine, IGNORED_NS);
}

static void machine_expired(struct itimer *machine)
{
	notify(container_of(machine, struct posix_timer, machine), 1);
}

static void cpu_expired(struct cpu_timer *cpu)
{
	struct posix_timer *timer = container_of(cpu, struct posix_timer, cpu);
	u64 times = 1;

	if (cpu->interval_ns) {
		times += (cpu_clock_read(cpu) - cpu->expires_ns) / cpu->interval_ns;
		cpu_timer_arm(cpu, cpu->expires_ns + times * cpu->interval_ns);
	}
	notify(timer, times);
}

/* ---- making ---- */

static int check_clock(struct thread *t, s32 clock, struct posix_timer *timer)
{
	switch (clock) {
	case 4: /* CLOCK_MONOTONIC_RAW */
	case 5: /* the coarse ones */
	case 6:
		return -EOPNOTSUPP;
	case 8: /* those that would wake the machine */
	case 9:
		if (!capable(t, CAP_WAKE_ALARM))
			return -EPERM;
		break;
	}
	timer->is_cpu = timer_clock_kind(clock) < 0;
	return timer->is_cpu ? cpu_clock_find(t, clock, &timer->cpu) : 0;
}

static int check_event(struct thread *t, const struct k_sigevent *e)
{
	const struct thread *of;

	switch (e->notify) {
	case SIGEV_THREAD_ID | SIGEV_SIGNAL:
		of = thread_named(t, (u32)e->tid);
		if (!of || of->process != t->process)
			return -EINVAL;
		break;
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
		break;
	case SIGEV_NONE:
		return 0;
	default:
		return -EINVAL;
	}
	return e->signo < 1 || e->signo > (s32)SIGNALS ? -EINVAL : 0;
}

static u64 count(const struct process *p)
{
	u64 n = 0;

	for (const struct posix_timer *timer = p->posix_timers; timer; timer = timer->next)
		n++;
	return n;
}

s64 sys_timer_create(struct thread *t, const u64 *a)
{
	struct process *p = t->process;
	struct k_sigevent e = {.signo = SIGALRM, .notify = SIGEV_SIGNAL};
	struct posix_timer *timer;
	int err;

	if (a[1] && copy_in(t, &e, a[1], sizeof(e)))
		return -EFAULT;
	timer = calloc(1, sizeof(*timer));
	if (!timer)
		return -EAGAIN;
	err = check_clock(t, (s32)a[0], timer);
	if (!err && count(p) >= p->limits[RLIMIT_SIGPENDING].cur)
		err = -EAGAIN;
	if (!err)
		err = check_event(t, &e);
	timer->id = p->next_timer_id;
	if (!err)
		err = copy_out(t, a[2], &timer->id, sizeof(timer->id));
	if (err) {
		free(timer);
		return err;
	}
	p->next_timer_id = (p->next_timer_id + 1) & INT32_MAX;
	timer->process = p;
	timer->clock = (s32)a[0];
	timer->notify = e.notify;
	timer->signo = e.signo;
	timer->tid = keep_pid(t, (u32)e.tid);
	timer->value = a[1] ? e.value : (u64)timer->id;
	timer->machine.expired = machine_expired;
	timer->cpu.expired = cpu_expired;
	timer->next = p->posix_timers;
	p->posix_timers = timer;
	return 0;
}

static void stop(struct posix_timer *timer)
{
	timer_cancel(&timer->machine);
	cpu_timer_cancel(&timer->cpu);
	timer->start_ns = 0;
}

static void delete_timer(struct posix_timer *timer)
{
	struct posix_timer **at = &timer->process->posix_timers;

	while (*at != timer)
		at = &(*at)->next;
	*at = timer->next;
	stop(timer);
	free(timer);
}

void posix_timers_delete(struct process *p)
{
	while (p->posix_timers)
		delete_timer(p->posix_timers);
	p->next_timer_id = 0;
}

s64 sys_timer_delete(struct thread *t, const u64 *a)
{
	struct posix_timer *timer = find(t->process, (s32)a[0]);

	if (!timer)
		return -EINVAL;
	delete_timer(timer);
	return 0;
}

/* ---- setting and reading ---- */

/* The time by the timer's clock. */
static u64 read_clock(struct thread *t, const struct posix_timer *timer)
{
	u64 ns = 0;

	if (timer->is_cpu)
		return cpu_clock_read(&timer->cpu);
	timer_read_clock(t, timer->clock, &ns);
	return ns;
}

static u64 interval_of(const struct posix_timer *timer)
{
	return timer->is_cpu ? timer->cpu.interval_ns : timer->machine.interval_ns;
}

/* When it ends next, by its clock; 0: it does not run. */
static u64 end_of(const struct posix_timer *timer)
{
	if (timer->notify == SIGEV_NONE)
		return timer->start_ns;
	if (timer->is_cpu)
		return timer->cpu.armed ? timer->cpu.expires_ns : 0;
	if (!timer->machine.armed && timer->queued && timer->machine.interval_ns)
		return timer->machine.ended_real_ns ? timer->machine.ended_real_ns
						    : timer->machine.ended_ns;
	if (!timer->machine.armed)
		return 0;
	return timer_clock_kind(timer->clock) == 1
		       ? timer_realtime_at(timer->machine.node.deadline_ns)
		       : timer->machine.node.deadline_ns;
}

static void read_timer(struct thread *t, const struct posix_timer *timer, struct k_itimerspec *out)
{
	u64 now_ns = read_clock(t, timer), end_ns = end_of(timer), interval_ns = interval_of(timer);
	u64 left_ns = 0;

	if (end_ns && end_ns <= now_ns && interval_ns)
		end_ns += ((now_ns - end_ns) / interval_ns + 1) * interval_ns;
	if (end_ns > now_ns)
		left_ns = end_ns - now_ns;
	else if (end_ns && timer->notify != SIGEV_NONE)
		left_ns = 1; /* it runs still: its end has not been seen yet */
	out->value = ns_to_timespec(left_ns);
	out->interval = ns_to_timespec(interval_ns);
}

static void start(struct thread *t, struct posix_timer *timer, u64 value_ns, bool absolute)
{
	u64 now_ns = read_clock(t, timer), end_ns = absolute ? value_ns : now_ns + value_ns;

	if (timer->notify == SIGEV_NONE)
		timer->start_ns = end_ns;
	else if (timer->is_cpu)
		cpu_timer_arm(&timer->cpu, end_ns);
	else if (absolute && timer_clock_kind(timer->clock) == 1)
		timer_arm_realtime(&timer->machine, end_ns);
	else
		timer_arm(&timer->machine, timer_deadline(end_ns > now_ns ? end_ns - now_ns : 0));
}

s64 sys_timer_settime(struct thread *t, const u64 *a)
{
	struct k_itimerspec new, old;
	struct posix_timer *timer;
	u64 value_ns, interval_ns;

	if (!a[2])
		return -EINVAL;
	if (copy_in(t, &new, a[2], sizeof(new)))
		return -EFAULT;
	if (timespec_to_ns(&new.value, &value_ns) || timespec_to_ns(&new.interval, &interval_ns))
		return -EINVAL;
	timer = find(t->process, (s32)a[0]);
	if (!timer)
		return -EINVAL;
	read_timer(t, timer, &old);
	stop(timer);
	timer->overruns = timer->told_overruns = 0;
	timer->machine.interval_ns = timer->cpu.interval_ns = value_ns ? interval_ns : 0;
	if (value_ns)
		start(t, timer, value_ns, a[1] & TIMER_ABSTIME);
	return a[3] ? copy_out(t, a[3], &old, sizeof(old)) : 0;
}

s64 sys_timer_gettime(struct thread *t, const u64 *a)
{
	const struct posix_timer *timer = find(t->process, (s32)a[0]);
	struct k_itimerspec out;

	if (!timer)
		return -EINVAL;
	read_timer(t, timer, &out);
	return copy_out(t, a[1], &out, sizeof(out));
}

s64 sys_timer_getoverrun(struct thread *t, const u64 *a)
{
	const struct posix_timer *timer = find(t->process, (s32)a[0]);

	return timer ? overrun_value(timer->told_overruns) : -EINVAL;
}

/* ---- moving to another core ---- */

struct moved_timer {
	s32 id, clock, notify, signo;
	u32 tid;
	bool is_cpu, queued;
	u64 value, overruns, told_overruns, start_ns;
	struct moved_itimer machine;
	struct moved_cpu_timer cpu;
};

void posix_timers_write(const struct process *p, struct record *r)
{
	u64 n = count(p);

	record_put(r, &n, sizeof(n));
	for (const struct posix_timer *timer = p->posix_timers; timer; timer = timer->next) {
		struct moved_timer m = {
			.id = timer->id,
			.clock = timer->clock,
			.notify = timer->notify,
			.signo = timer->signo,
			.tid = timer->tid,
			.is_cpu = timer->is_cpu,
			.queued = timer->queued,
			.value = timer->value,
			.overruns = timer->overruns,
			.told_overruns = timer->told_overruns,
			.start_ns = timer->start_ns,
			.machine = itimer_describe(&timer->machine),
			.cpu = cpu_timer_describe(&timer->cpu),
		};

		record_put(r, &m, sizeof(m));
	}
}

static void revive_cpu(struct posix_timer *timer, const struct moved_cpu_timer *m)
{
	struct thread *t = timer->process->threads;

	while (t && t->tid != m->tid)
		t = t->next;
	timer->cpu.process = timer->process;
	timer->cpu.thread = t;
	timer->cpu.user_only = m->user_only;
	timer->cpu.interval_ns = m->interval_ns;
	if (m->armed && (t || !m->tid))
		cpu_timer_arm(&timer->cpu, m->expires_ns);
}

void posix_timers_read(struct process *p, struct record *r)
{
	struct posix_timer **at = &p->posix_timers;
	u64 n = 0;

	record_get(r, &n, sizeof(n));
	for (; n && !r->failed; n--) {
		const struct moved_timer *m = record_next(r, sizeof(*m));
		struct posix_timer *timer = m ? calloc(1, sizeof(*timer)) : NULL;

		if (!timer)
			continue;
		*timer = (struct posix_timer){
			.process = p,
			.id = m->id,
			.clock = m->clock,
			.notify = m->notify,
			.signo = m->signo,
			.tid = m->tid,
			.value = m->value,
			.is_cpu = m->is_cpu,
			.queued = m->queued,
			.overruns = m->overruns,
			.told_overruns = m->told_overruns,
			.start_ns = m->start_ns,
		};
		timer->machine.expired = machine_expired;
		timer->cpu.expired = cpu_expired;
		itimer_revive(&timer->machine, &m->machine);
		revive_cpu(timer, &m->cpu);
		*at = timer;
		at = &timer->next;
	}
}
