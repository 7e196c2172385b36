/* See timer.h. */
#include "timer.h"
#include "timens.h"
#include "vdso.h"

#include <errno.h>
#include <rt/rt.h>

#define NS_MAX (INT64_MAX / 2)

static struct fiber_timer *heap; /* armed timers */
static struct fiber_queue sleeper;
static struct itimer *real_timers; /* those that are armed for the real-time clock */

struct wait_queue timer_clock_set;

/* ---- the real-time clock of the machine ---- */

/* Civil date to days since 1970; Gregorian. */
static s64 days_of(s64 year, u32 month, u32 day)
{
	s64 y = month <= 2 ? year - 1 : year, era = y / 400;
	s64 of_era = y - era * 400;
	s64 of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

u64 timer_realtime_at(u64 monotonic_ns)
{
	return vvar_realtime(vdso_vvar(), monotonic_ns);
}

u64 timer_realtime(void)
{
	return timer_realtime_at(clock_now_ns());
}

/* ---- timers ---- */

static void heap_add(struct itimer *timer, u64 deadline_ns)
{
	timer->node.deadline_ns = deadline_ns;
	timer->armed = true;
	fiber_timer_add(&heap, &timer->node);
	if (heap == &timer->node)
		fiber_wake_all(&sleeper);
}

void timer_arm(struct itimer *timer, u64 deadline_ns)
{
	timer_cancel(timer);
	heap_add(timer, deadline_ns);
}

/* When the real-time clock will read @real_ns, as far as is known now. */
static u64 monotonic_of(u64 real_ns)
{
	u64 now_ns = clock_now_ns(), real_now_ns = timer_realtime_at(now_ns);

	if (real_ns <= real_now_ns)
		return now_ns;
	return real_ns - real_now_ns >= NS_MAX ? FIBER_FOREVER : now_ns + (real_ns - real_now_ns);
}

void timer_arm_realtime(struct itimer *timer, u64 real_ns)
{
	timer_cancel(timer);
	timer->real_ns = real_ns;
	timer->next_real = real_timers;
	real_timers = timer;
	heap_add(timer, monotonic_of(real_ns));
}

void timer_cancel(struct itimer *timer)
{
	struct itimer **at;

	if (!timer->armed)
		return;
	fiber_timer_remove(&heap, &timer->node);
	timer->armed = false;
	if (!timer->real_ns)
		return;
	for (at = &real_timers; *at != timer; at = &(*at)->next_real)
		;
	*at = timer->next_real;
	timer->real_ns = 0;
}

static void expire(struct itimer *timer)
{
	timer->ended_ns = timer->node.deadline_ns;
	timer->ended_real_ns = timer->real_ns;
	timer_cancel(timer);
	timer->expired(timer);
}

u64 timer_restart(struct itimer *timer, u64 min_ns)
{
	u64 now_ns = clock_now_ns() + min_ns, ended_ns = timer->ended_ns, times;

	if (timer->ended_real_ns) {
		now_ns = timer_realtime_at(now_ns);
		ended_ns = timer->ended_real_ns;
	}
	times = (MAX(now_ns, ended_ns) - ended_ns) / timer->interval_ns + 1;
	if (timer->ended_real_ns)
		timer_arm_realtime(timer, ended_ns + times * timer->interval_ns);
	else
		timer_arm(timer, ended_ns + times * timer->interval_ns);
	return times;
}

/* Sleeps until the earliest; woken when there is an earlier one. */
static void sleep_and_expire(void *arg)
{
	(void)arg;
	for (;;) {
		fiber_wait(&rt_loop, &sleeper, heap ? heap->deadline_ns : FIBER_FOREVER);
		while (heap && heap->deadline_ns <= clock_now_ns())
			expire(container_of(heap, struct itimer, node));
	}
}

void timer_set_realtime(u64 now_ns)
{
	u64 monotonic_ns = clock_now_ns();
	struct vvar *v = vdso_begin();

	v->real_offset_ns = now_ns - monotonic_ns;
	v->slew_start_ns = v->slew_end_ns = monotonic_ns;
	v->slew_rate = 0;
	vdso_end();
	for (struct itimer *timer = real_timers; timer; timer = timer->next_real) {
		fiber_timer_remove(&heap, &timer->node);
		timer->node.deadline_ns = monotonic_of(timer->real_ns);
		fiber_timer_add(&heap, &timer->node);
	}
	fiber_wake_all(&sleeper);
	wait_wake(&timer_clock_set, 0);
}

int timer_init(void)
{
	u64 began_ns = domain_start()->wall_start_ns;

	if (!began_ns) /* without a clock that runs while the machine is off: the year 2026 */
		began_ns = (u64)days_of(2026, 1, 1) * 86400 * NS_PER_S;
	timer_set_realtime(began_ns + clock_now_ns());
	return rt_fiber_start(sleep_and_expire, NULL);
}

/* ---- conversions ---- */

int timespec_to_ns(const struct k_timespec *ts, u64 *ns)
{
	if (ts->sec < 0 || ts->nsec < 0 || ts->nsec >= (s64)NS_PER_S)
		return -EINVAL;
	*ns = ts->sec >= (s64)(NS_MAX / NS_PER_S) ? NS_MAX
						  : (u64)ts->sec * NS_PER_S + (u64)ts->nsec;
	return 0;
}

struct k_timespec ns_to_timespec(u64 ns)
{
	return (struct k_timespec){(s64)(ns / NS_PER_S), (s64)(ns % NS_PER_S)};
}

struct k_timeval ns_to_timeval(u64 ns)
{
	return (struct k_timeval){(s64)(ns / NS_PER_S), (s64)(ns % NS_PER_S / 1000)};
}

u64 timer_deadline(u64 timeout_ns)
{
	return timeout_ns >= NS_MAX ? FIBER_FOREVER : clock_now_ns() + timeout_ns;
}

/* ---- clocks ---- */

int timer_clock_kind(s32 clock)
{
	switch (clock) {
	case 0:  /* CLOCK_REALTIME */
	case 5:  /* ..._COARSE */
	case 8:  /* CLOCK_REALTIME_ALARM */
	case 11: /* CLOCK_TAI: no leap seconds are known, as on Linux without adjtimex */
		return 1;
	case 1: /* CLOCK_MONOTONIC */
	case 4: /* ..._RAW */
	case 6: /* ..._COARSE */
	case 7: /* CLOCK_BOOTTIME */
	case 9: /* ..._ALARM */
		return 0;
	default:
		return -1;
	}
}

int timer_read_clock(struct thread *t, s32 clock, u64 *ns)
{
	struct cpu_timer of;
	int kind = timer_clock_kind(clock);

	if (kind < 0) {
		if (cpu_clock_find(t, clock, &of))
			return -EINVAL;
		*ns = cpu_clock_read(&of);
		return 0;
	}
	*ns = clock_now_ns();
	if (clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE)
		*ns -= *ns % TIMER_COARSE_NS; /* as the vDSO has it */
	if (kind == 1)
		*ns = timer_realtime_at(*ns);
	else
		*ns += (u64)time_ns_offset(t, clock);
	return 0;
}

/* ---- moving ---- */

struct moved_itimer itimer_describe(const struct itimer *timer)
{
	return (struct moved_itimer){
		.armed = timer->armed,
		.deadline_ns = timer->node.deadline_ns,
		.interval_ns = timer->interval_ns,
		.real_ns = timer->real_ns,
		.ended_ns = timer->ended_ns,
		.ended_real_ns = timer->ended_real_ns,
	};
}

void itimer_revive(struct itimer *timer, const struct moved_itimer *m)
{
	timer->interval_ns = m->interval_ns;
	timer->ended_ns = m->ended_ns;
	timer->ended_real_ns = m->ended_real_ns;
	if (!m->armed)
		return;
	if (m->real_ns)
		timer_arm_realtime(timer, m->real_ns);
	else
		timer_arm(timer, m->deadline_ns);
}
