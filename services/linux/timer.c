/* See timer.h. */
#include "timer.h"
#include "signal.h"

#include <errno.h>
#include <rt/rt.h>

#define NS_MAX (INT64_MAX / 2)

static struct fiber_timer *heap; /* armed timers */
static struct fiber_queue sleeper;
static u64 realtime_offset_ns;

/* ---- the real-time clock of the machine ---- */

/* Civil date to days since 1970; Gregorian. */
static s64 days_of(s64 year, u32 month, u32 day)
{
	s64 y = month <= 2 ? year - 1 : year, era = y / 400;
	s64 of_era = y - era * 400;
	s64 of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

u64 timer_realtime_offset(void)
{
	return realtime_offset_ns;
}

void timer_set_realtime(u64 now_ns)
{
	realtime_offset_ns = now_ns - clock_now_ns();
}

/* ---- timers ---- */

static void expire(struct itimer *timer)
{
	u64 deadline_ns = timer->node.deadline_ns;

	timer->armed = false;
	if (timer->interval_ns) {
		u64 now_ns = clock_now_ns();
		u64 missed = (now_ns - deadline_ns) / timer->interval_ns;

		timer_arm(timer, deadline_ns + (missed + 1) * timer->interval_ns);
	}
	signal_from_kernel(timer->process, SIGALRM);
}

/* Sleeps until the earliest; woken when there is an earlier one. */
static void sleep_and_expire(void *arg)
{
	(void)arg;
	for (;;) {
		fiber_wait(&rt_loop, &sleeper, heap ? heap->deadline_ns : FIBER_FOREVER);
		while (heap && heap->deadline_ns <= clock_now_ns()) {
			struct itimer *timer = container_of(heap, struct itimer, node);

			fiber_timer_remove(&heap, heap);
			expire(timer);
		}
	}
}

void timer_arm(struct itimer *timer, u64 deadline_ns)
{
	timer_cancel(timer);
	timer->node.deadline_ns = deadline_ns;
	timer->armed = true;
	fiber_timer_add(&heap, &timer->node);
	if (heap == &timer->node)
		fiber_wake_all(&sleeper);
}

void timer_cancel(struct itimer *timer)
{
	if (!timer->armed)
		return;
	fiber_timer_remove(&heap, &timer->node);
	timer->armed = false;
}

int timer_init(void)
{
	/* Without a clock that runs while the machine is off, time begins with the year 2026. */
	realtime_offset_ns = (u64)days_of(2026, 1, 1) * 86400 * NS_PER_S;
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

int timer_read_clock(struct thread *t, s32 clock, u64 *ns)
{
	u64 user_ns, system_ns;

	switch (clock) {
	case 0:  /* CLOCK_REALTIME */
	case 5:  /* ..._COARSE */
	case 8:  /* CLOCK_REALTIME_ALARM */
	case 11: /* CLOCK_TAI: no leap seconds are known, as on Linux without adjtimex */
		*ns = clock_now_ns() + realtime_offset_ns;
		return 0;
	case 1: /* CLOCK_MONOTONIC */
	case 4: /* ..._RAW */
	case 6: /* ..._COARSE */
	case 7: /* CLOCK_BOOTTIME */
	case 9: /* ..._ALARM */
		*ns = clock_now_ns();
		return 0;
	case 2: /* CLOCK_PROCESS_CPUTIME_ID */
		process_times(t->process, &user_ns, &system_ns);
		*ns = user_ns + system_ns;
		return 0;
	case 3: /* CLOCK_THREAD_CPUTIME_ID */
		*ns = t->user_ns + t->system_ns;
		return 0;
	default:
		return -EINVAL;
	}
}
