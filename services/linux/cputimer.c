/*
 * Clocks and timers of the time that threads use: CLOCK_*_CPUTIME_ID, ITIMER_VIRTUAL, ITIMER_PROF,
 * RLIMIT_CPU. See timer.h.
 *
 * Runs in: the personality's domain. Source: clock_getcpuclockid(3), setitimer(2), getrlimit(2).
 */
#include "timer.h"
#include "signal.h"

#include <errno.h>
#include <rt/clock.h>

/* The number of a CPU clock: ~pid << 3, a bit for threads, what is counted (Linux's ABI). */
#define CLOCK_THREAD    4
#define CLOCK_WHICH     3
#define CLOCK_WHICH_FD  3
#define PROCESS_CPUTIME 2
#define THREAD_CPUTIME  3

/* Both kinds "prof" and "sched" are all time; "virt" is that in user mode. */
static const bool is_user_only[4] = {false, true, false, false};

int cpu_clock_find(struct thread *t, s32 clock, struct cpu_timer *timer)
{
	u32 id = (u32)~clock >> 3;
	struct thread *of;

	*timer = (struct cpu_timer){.process = t->process};
	if (clock == PROCESS_CPUTIME)
		return 0;
	if (clock == THREAD_CPUTIME) {
		timer->thread = t;
		return 0;
	}
	if (clock >= 0 || (clock & CLOCK_WHICH) == CLOCK_WHICH_FD)
		return -EINVAL;
	timer->user_only = is_user_only[clock & CLOCK_WHICH];
	if (clock & CLOCK_THREAD) {
		of = id ? thread_named(t, id) : t;
		if (!of || of->process != t->process || of->state == THREAD_DEAD)
			return -EINVAL;
		timer->thread = of;
		return 0;
	}
	timer->process = id ? process_named(t, id) : t->process;
	return timer->process ? 0 : -EINVAL;
}

u64 cpu_clock_read(const struct cpu_timer *timer)
{
	u64 user_ns, system_ns;

	if (timer->thread)
		thread_times(timer->thread, &user_ns, &system_ns);
	else
		process_times(timer->process, &user_ns, &system_ns);
	return timer->user_only ? user_ns : user_ns + system_ns;
}

static bool has_limit(const struct process *p)
{
	return p->limits[RLIMIT_CPU].cur != RLIM_INFINITY;
}

void cpu_timer_arm(struct cpu_timer *timer, u64 expires_ns)
{
	struct process *p = timer->process;

	cpu_timer_cancel(timer);
	timer->expires_ns = expires_ns;
	timer->armed = true;
	timer->next = p->cpu_timers;
	p->cpu_timers = timer;
	p->has_cpu_timers = true;
}

void cpu_timer_cancel(struct cpu_timer *timer)
{
	struct cpu_timer **at;

	if (!timer->armed)
		return;
	for (at = &timer->process->cpu_timers; *at != timer; at = &(*at)->next)
		;
	*at = timer->next;
	timer->armed = false;
	timer->process->has_cpu_timers = timer->process->cpu_timers || has_limit(timer->process);
}

void cpu_timers_forget(struct thread *t)
{
	struct cpu_timer *next;

	for (struct cpu_timer *timer = t->process->cpu_timers; timer; timer = next) {
		next = timer->next;
		if (timer->thread == t)
			cpu_timer_cancel(timer);
	}
}

/* A second over the soft limit is a signal, each; over the hard one it is the end. */
static void check_limit(struct process *p)
{
	struct k_rlimit *limit = &p->limits[RLIMIT_CPU];
	u64 user_ns, system_ns, used_s;

	process_times(p, &user_ns, &system_ns);
	used_s = (user_ns + system_ns) / NS_PER_S;
	if (used_s >= limit->max) {
		signal_from_kernel(p, SIGKILL);
	} else if (used_s >= limit->cur) {
		signal_from_kernel(p, SIGXCPU);
		limit->cur = used_s + 1; /* as Linux, which a program can see */
	}
}

void cpu_timers_check(struct thread *t)
{
	struct process *p = t->process;
	struct cpu_timer *next;

	for (struct cpu_timer *timer = p->cpu_timers; timer; timer = next) {
		next = timer->next;
		if (cpu_clock_read(timer) < timer->expires_ns)
			continue;
		cpu_timer_cancel(timer);
		timer->expired(timer);
	}
	if (has_limit(p))
		check_limit(p);
}

u64 cpu_timers_left(const struct thread *t)
{
	const struct process *p = t->process;
	u64 left_ns = UINT64_MAX, user_ns, system_ns, used_ns, limit_s = p->limits[RLIMIT_CPU].cur;

	for (const struct cpu_timer *timer = p->cpu_timers; timer; timer = timer->next) {
		used_ns = cpu_clock_read(timer);
		if (!timer->thread || timer->thread == t)
			left_ns = MIN(left_ns, MAX(timer->expires_ns, used_ns) - used_ns);
	}
	if (limit_s < UINT64_MAX / NS_PER_S) {
		process_times(p, &user_ns, &system_ns);
		used_ns = user_ns + system_ns;
		left_ns = MIN(left_ns, MAX(limit_s * NS_PER_S, used_ns) - used_ns);
	}
	return left_ns;
}

/* ---- setitimer ---- */

static void itimer_expired(struct cpu_timer *timer)
{
	signal_from_kernel(timer->process, timer->user_only ? SIGVTALRM : SIGPROF);
	if (timer->interval_ns)
		cpu_timer_arm(timer, timer->expires_ns + timer->interval_ns);
}

void cpu_itimer_set(struct process *p, bool prof, u64 value_ns, u64 interval_ns)
{
	struct cpu_timer *timer = prof ? &p->prof : &p->virtual;

	cpu_timer_cancel(timer);
	timer->process = p;
	timer->user_only = !prof;
	timer->interval_ns = interval_ns;
	timer->expired = itimer_expired;
	if (value_ns)
		cpu_timer_arm(timer, cpu_clock_read(timer) + value_ns);
}

void cpu_itimer_get(const struct process *p, bool prof, u64 *left_ns, u64 *interval_ns)
{
	const struct cpu_timer *timer = prof ? &p->prof : &p->virtual;
	u64 used_ns = timer->armed ? cpu_clock_read(timer) : 0;

	/* What is armed shows as running, even in its last instant. */
	*left_ns = timer->armed ? MAX(timer->expires_ns, used_ns + 1000) - used_ns : 0;
	*interval_ns = timer->interval_ns;
}

struct moved_cpu_timer cpu_timer_describe(const struct cpu_timer *timer)
{
	return (struct moved_cpu_timer){
		.tid = timer->thread ? timer->thread->tid : 0,
		.user_only = timer->user_only,
		.armed = timer->armed,
		.expires_ns = timer->expires_ns,
		.interval_ns = timer->interval_ns,
	};
}
